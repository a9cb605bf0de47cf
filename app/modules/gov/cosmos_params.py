"""Params of the modules that Cosmos knows, replaced by the messages that Cosmos has for it."""

from __future__ import annotations

from dataclasses import fields, replace

from app.kernel.context import Context
from app.kernel.decimals import ONE
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.module import Message
from app.kernel.record import I64, U32, U64, Address, Dec, Duration
from app.kernel.store import State
from app.modules import bank, distribution, downtime, mint, staking, upgrade

PERIOD_MS_MAX = 366 * 86_400_000
VALIDATORS_MAX = 1_000
ENTRIES_MAX = 100
WINDOW_MAX = 1_000_000
MINTS_PER_YEAR_MAX = 525_960
"""One a minute."""


@frozen
class StakingParams:
    """How many validators there are, and what may be staked how, as Cosmos has it."""

    unbonding_time: Duration
    max_validators: U32
    max_entries: U32
    historical_entries: U32
    bond_denom: str
    min_commission_rate: Dec


@frozen
class SlashingParams:
    """How much a validator may miss, and what it costs, as Cosmos has it."""

    signed_blocks_window: I64
    """In samples, whose length stays."""
    min_signed_per_window: Dec
    downtime_jail_duration: Duration
    slash_fraction_double_sign: Dec
    slash_fraction_downtime: Dec


@frozen
class DistributionParams:
    """What the community takes, as Cosmos has it; who proposes a block gets no more than others."""

    community_tax: Dec
    base_proposer_reward: Dec
    bonus_proposer_reward: Dec
    withdraw_addr_enabled: bool


@frozen
class UpdateStakingParams:
    """Replace the params of staking."""

    authority: Address
    params: StakingParams


@frozen
class UpdateSlashingParams:
    """Replace the params of downtime and double signing."""

    authority: Address
    params: SlashingParams


@frozen
class UpdateDistributionParams:
    """Replace the params of distribution."""

    authority: Address
    params: DistributionParams


@frozen
class UpdateMintParams:
    """Replace the params of inflation; until now it is minted by the old ones."""

    authority: Address
    params: mint.Params


@frozen
class ParamsReplaced:
    """A module has other params."""

    NAME = "pollen.gov.v1.EventParamsReplaced"
    module: str


class InvalidParams(Rejected):
    """Params with which a module couldn't go on."""

    code = 2406
    text = "params.{field} {value}: no valid value, the limit is {limit}; propose another"


def check(field: str, value: object, is_valid: bool, limit: str) -> None:
    """Refuse a param with which a module couldn't go on."""
    require(is_valid, InvalidParams, field=field, value=value, limit=limit)


def check_range(field: str, value: int, least: int, most: int) -> None:
    """Refuse a number that is too small or too large."""
    check(field, value, least <= value <= most, f"{least} to {most}")


def check_parts(params: object, *others: str) -> None:
    """Refuse decimals that are more than all, but for the named ones."""
    for each in fields(params):  # type: ignore[arg-type]
        if each.type == "Dec" and each.name not in others:
            check_range(each.name, getattr(params, each.name), 0, ONE)


def seconds_of(field: str, duration_ms: int) -> U64:
    """Return a duration in seconds, or refuse one that is none in whole seconds."""
    limit = f"whole seconds, 1 to {PERIOD_MS_MAX // 1_000}"
    is_right = 0 < duration_ms <= PERIOD_MS_MAX and duration_ms % 1_000 == 0
    check(field, f"{duration_ms}ms", is_right, limit)
    return U64(duration_ms // 1_000)


def update_staking_params(state: State, ctx: Context, msg: UpdateStakingParams) -> None:
    """Replace the params of staking; what is unbonding already keeps its time."""
    upgrade.check_authority(msg.authority)
    params = msg.params
    unbonding_s = seconds_of("unbonding_time", params.unbonding_time)
    check_range("max_validators", params.max_validators, 1, VALIDATORS_MAX)
    check_range("max_entries", params.max_entries, 1, ENTRIES_MAX)
    kept = staking.HISTORICAL_ENTRIES
    check_range("historical_entries", params.historical_entries, kept, kept)
    check("bond_denom", params.bond_denom, params.bond_denom == bank.DENOM, bank.DENOM)
    check_parts(params)

    changed = replace(
        staking.PARAMS.get(state),
        unbonding_s=unbonding_s,
        max_validators=params.max_validators,
        max_entries=params.max_entries,
        min_commission_rate=params.min_commission_rate,
    )
    staking.PARAMS.put(state, changed)
    ctx.emit(ParamsReplaced("staking"))


def update_slashing_params(state: State, ctx: Context, msg: UpdateSlashingParams) -> None:
    """Replace the params of downtime and double signing."""
    upgrade.check_authority(msg.authority)
    params = msg.params
    check_range("signed_blocks_window", params.signed_blocks_window, 1, WINDOW_MAX)
    jail_s = seconds_of("downtime_jail_duration", params.downtime_jail_duration)
    check_parts(params)

    changed = replace(
        downtime.PARAMS.get(state),
        signed_blocks_window=U64(params.signed_blocks_window),
        min_signed_per_window=params.min_signed_per_window,
        jail_s=jail_s,
        slash_fraction_double_sign=params.slash_fraction_double_sign,
        slash_fraction_downtime=params.slash_fraction_downtime,
    )
    downtime.PARAMS.put(state, changed)
    ctx.emit(ParamsReplaced("downtime"))


def update_distribution_params(state: State, ctx: Context, msg: UpdateDistributionParams) -> None:
    """Replace the params of distribution."""
    upgrade.check_authority(msg.authority)
    params = msg.params
    check_range("base_proposer_reward", params.base_proposer_reward, 0, 0)
    check_range("bonus_proposer_reward", params.bonus_proposer_reward, 0, 0)
    check_parts(params)

    changed = distribution.Params(params.community_tax, params.withdraw_addr_enabled)
    distribution.PARAMS.put(state, changed)
    ctx.emit(ParamsReplaced("distribution"))


def update_mint_params(state: State, ctx: Context, msg: UpdateMintParams) -> None:
    """Replace the params of inflation; until now it is minted by the old ones."""
    upgrade.check_authority(msg.authority)
    params = msg.params
    check("mint_denom", params.mint_denom, params.mint_denom == bank.DENOM, bank.DENOM)
    check_range("goal_bonded", params.goal_bonded, 1, ONE)
    check_range("blocks_per_year", params.blocks_per_year, 1, MINTS_PER_YEAR_MAX)
    check_parts(params)
    check_range("inflation_min", params.inflation_min, 0, params.inflation_max)

    mint.set_params(state, ctx, params)
    ctx.emit(ParamsReplaced("mint"))


COSMOS_PARAMS = {
    UpdateStakingParams: Message(
        update_staking_params,
        gas=20_000,
        amino_name="cosmos-sdk/x/staking/MsgUpdateParams",
        type_url="/cosmos.staking.v1beta1.MsgUpdateParams",
    ),
    UpdateSlashingParams: Message(
        update_slashing_params,
        gas=20_000,
        amino_name="cosmos-sdk/x/slashing/MsgUpdateParams",
        type_url="/cosmos.slashing.v1beta1.MsgUpdateParams",
    ),
    UpdateDistributionParams: Message(
        update_distribution_params,
        gas=20_000,
        amino_name="cosmos-sdk/distribution/MsgUpdateParams",
        type_url="/cosmos.distribution.v1beta1.MsgUpdateParams",
    ),
    UpdateMintParams: Message(
        update_mint_params,
        gas=20_000,
        amino_name="cosmos-sdk/x/mint/MsgUpdateParams",
        type_url="/cosmos.mint.v1beta1.MsgUpdateParams",
    ),
}
