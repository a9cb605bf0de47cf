"""What this chain has in common with others of Cosmos: their messages, questions and records."""

from __future__ import annotations

from app.kernel.page import PageRequest, PageResponse
from app.kernel.record import Duration, Time
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
from app.wire.records import type_url_of

__all__ = [
    "AllowanceRequest",
    "AllowanceResponse",
    "AllowancesByGranterRequest",
    "AllowancesByGranterResponse",
    "AllowancesRequest",
    "AllowancesResponse",
    "AllowedMsgAllowance",
    "BasicAllowance",
    "Duration",
    "Grant",
    "GrantAllowance",
    "PageRequest",
    "PageResponse",
    "PeriodicAllowance",
    "PruneAllowances",
    "RevokeAllowance",
    "Time",
    "type_url_of",
]
