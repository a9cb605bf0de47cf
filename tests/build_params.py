"""Params of the modules that Cosmos knows, and the messages that replace them."""

from dataclasses import replace
from typing import Any

from app.kernel.decimals import ONE
from app.kernel.record import I64, U32, U64, Dec, Duration
from app.modules import mint
from app.modules.gov import GOVERNANCE
from app.modules.gov.cosmos_params import (
    DistributionParams,
    InvalidParams,
    SlashingParams,
    StakingParams,
    UpdateDistributionParams,
    UpdateMintParams,
    UpdateSlashingParams,
    UpdateStakingParams,
)
from app.modules.upgrade import NotGovernance
from tests.build import an_address
from tests.build_gov import a_governed_world

HALF, ZERO, OVER = Dec(ONE // 2), Dec(0), Dec(ONE + 1)
STAKING = UpdateStakingParams(
    GOVERNANCE, StakingParams(Duration(60_000), U32(1), U32(3), U32(1), "uflt", HALF)
)
SLASHING = UpdateSlashingParams(
    GOVERNANCE, SlashingParams(I64(50), HALF, Duration(9_000), Dec(ONE), ZERO)
)
DISTRIBUTION = UpdateDistributionParams(GOVERNANCE, DistributionParams(HALF, ZERO, ZERO, False))
MINT = UpdateMintParams(
    GOVERNANCE, mint.Params("uflt", HALF, Dec(ONE // 5), Dec(ONE // 10), HALF, U64(365))
)
UPDATES: list[Any] = [STAKING, SLASHING, DISTRIBUTION, MINT]


def check_refused(update: Any, fields: dict[str, Any], *words: str) -> None:
    """Hold that params with such fields are refused with these words."""
    message = replace(update, params=replace(update.params, **fields))
    a_governed_world().refused(message, InvalidParams, *words)


def check_authority(update: Any) -> None:
    """Hold that nobody but governance replaces these params."""
    message = replace(update, authority=an_address("rita"))
    a_governed_world().refused(message, NotGovernance, "let a proposal hold")
