"""What this chain has in common with others of Cosmos: their messages, questions and records."""

from __future__ import annotations

from app.kernel.packed import Packed
from app.kernel.page import PageRequest, PageResponse
from app.kernel.record import Duration, Time
from app.modules.authz import (
    Exec,
    ExecResponse,
    GenericAuthorization,
    GrantAuthorization,
    GranteeGrantsRequest,
    GranteeGrantsResponse,
    GranterGrantsRequest,
    GranterGrantsResponse,
    GrantMessages,
    GrantsRequest,
    GrantsResponse,
    RevokeMessages,
    SendAuthorization,
)
from app.modules.feegrant import (
    AllowanceRequest,
    AllowanceResponse,
    AllowancesByGranterRequest,
    AllowancesByGranterResponse,
    AllowancesRequest,
    AllowancesResponse,
    AllowedMsgAllowance,
    BasicAllowance,
    Grant,
    GrantAllowance,
    PeriodicAllowance,
    PruneAllowances,
    RevokeAllowance,
)
from app.modules.upgrade import (
    AppliedPlanRequest,
    AppliedPlanResponse,
    CancelUpgrade,
    Plan,
    SoftwareUpgrade,
)
from app.wire.records import open_packed, put_packed, type_url_of

__all__ = [
    "AllowanceRequest",
    "AllowanceResponse",
    "AllowancesByGranterRequest",
    "AllowancesByGranterResponse",
    "AllowancesRequest",
    "AllowancesResponse",
    "AllowedMsgAllowance",
    "AppliedPlanRequest",
    "AppliedPlanResponse",
    "BasicAllowance",
    "CancelUpgrade",
    "Duration",
    "Exec",
    "ExecResponse",
    "GenericAuthorization",
    "Grant",
    "GrantAllowance",
    "GrantAuthorization",
    "GrantMessages",
    "GranteeGrantsRequest",
    "GranteeGrantsResponse",
    "GranterGrantsRequest",
    "GranterGrantsResponse",
    "GrantsRequest",
    "GrantsResponse",
    "Packed",
    "PageRequest",
    "PageResponse",
    "PeriodicAllowance",
    "Plan",
    "PruneAllowances",
    "RevokeAllowance",
    "RevokeMessages",
    "SendAuthorization",
    "SoftwareUpgrade",
    "Time",
    "open_packed",
    "put_packed",
    "type_url_of",
]
