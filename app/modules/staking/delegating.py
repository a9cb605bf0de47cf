"""Money is staked with a validator, moved to another, taken out, and kept in after all."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.decimals import dec_text
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import I64, U64, U128, Address, Operator, Time
from app.kernel.store import Reader, State
from app.kernel.tx import Coin
from app.modules import bank
from app.modules.staking.queues import (
    begin_redelegation,
    begin_unbonding,
    forget_due,
    set_unbonding,
)
from app.modules.staking.records import (
    MOVED_TO,
    NOT_BONDED_POOL,
    PARAMS,
    REDELEGATIONS,
    UNBONDINGS,
    BondStatus,
    Delegation,
    Redelegation,
    RedelegationEntry,
    Unbonding,
    UnbondingEntry,
    Validator,
    next_entry_id,
    operator_text,
    pool_of,
    require_delegation,
    require_validator,
    shares_for,
    stake_uflt,
    to_date,
    unbonding_end_ms,
)
from app.modules.staking.stake import add_stake, find_or_begin, shift, take_stake


@frozen
class Delegate:
    """Stake money with a validator."""

    delegator_address: Address
    validator_address: Operator
    amount: Coin


@frozen
class Undelegate:
    """Take staked money out; it arrives after the unbonding time, and may be slashed until then."""

    delegator_address: Address
    validator_address: Operator
    amount: Coin


@frozen
class UndelegateResponse:
    """When the money arrives, and how much."""

    completion_time: Time
    amount: Coin


@frozen
class BeginRedelegate:
    """Move staked money to another validator, at once."""

    delegator_address: Address
    validator_src_address: Operator
    validator_dst_address: Operator
    amount: Coin


@frozen
class BeginRedelegateResponse:
    """Until when the money may be slashed for its former validator."""

    completion_time: Time


@frozen
class CancelUnbondingDelegation:
    """Stake money again that is on its way out."""

    delegator_address: Address
    validator_address: Operator
    amount: Coin
    creation_height: I64
    """The height at which it began its way."""


@frozen
class Delegated:
    """Money was staked."""

    EVENT_TYPE: ClassVar[str] = "delegate"
    validator: Operator
    delegator: Address
    amount: str
    new_shares: str


@frozen
class Undelegated:
    """Staked money began its way out."""

    EVENT_TYPE: ClassVar[str] = "unbond"
    validator: Operator
    delegator: Address
    amount: str
    completion_time: Time


@frozen
class Redelegated:
    """Staked money was moved to another validator."""

    EVENT_TYPE: ClassVar[str] = "redelegate"
    source_validator: Operator
    destination_validator: Operator
    amount: str
    completion_time: Time


@frozen
class UnbondingCancelled:
    """Money that was on its way out was staked again."""

    EVENT_TYPE: ClassVar[str] = "cancel_unbonding_delegation"
    amount: str
    validator: Operator
    delegator: Address
    creation_height: str


class NotStaked(Rejected):
    """More is taken than is staked."""

    code = 3020
    text = (
        "amount {value}uflt: invalid shares amount: the delegation with {operator} is worth "
        "{limit}uflt; ask for less"
    )


class TooManyEntries(Rejected):
    """More unbondings or redelegations at a time than are kept."""

    code = 3021
    text = (
        "{what} entries {value}: too many {what} entries for (delegator, validator) tuple, the "
        "limit is {limit}; wait until one is complete"
    )


class SameValidator(Rejected):
    """Stake that is to be moved where it is."""

    code = 3022
    text = (
        "validator_dst_address {operator}: cannot redelegate to the same validator; choose one "
        "other than {limit}"
    )


class StillMoving(Rejected):
    """Stake that was moved to a validator and is to be moved on."""

    code = 3023
    text = (
        "validator_src_address {operator}: redelegation to this validator already in progress; "
        "first redelegation to this validator must complete before next redelegation, at {limit} "
        "s after 1970"
    )


class TooLittleToMove(Rejected):
    """Shares that are worth no uflt."""

    code = 3024
    text = (
        "amount {value}uflt: too few tokens to redelegate (truncates to zero tokens), the limit is "
        "1uflt; ask for more"
    )


class NoSuchUnbonding(Rejected):
    """An unbonding that isn't there."""

    code = 3025
    text = (
        "creation_height {height}: unbonding delegation entry is not found for {delegator} with "
        "{operator}; it has those of heights {limit}"
    )


class TooMuchToCancel(Rejected):
    """More is to be staked again than is on its way out."""

    code = 3026
    text = (
        "amount {value}uflt: greater than the unbonding delegation entry balance {limit}uflt; "
        "ask for less"
    )


class ValidatorJailed(Rejected):
    """Stake for a validator that is kept out."""

    code = 3027
    text = (
        "validator_address {operator}: can't cancel unbonding delegation from jailed validator, "
        "the limit is those that are not; delegate to another"
    )


def delegate(state: State, ctx: Context, msg: Delegate) -> None:
    """Stake money with a validator."""
    require_validator(state, msg.validator_address)
    amount = stake_uflt(msg.amount)

    place = (msg.delegator_address, msg.validator_address)
    delegation = find_or_begin(state, *place)
    shares = add_stake(state, ctx, delegation, amount, msg.delegator_address)
    text = f"{amount}{bank.DENOM}"
    ctx.emit(Delegated(place[1], place[0], text, dec_text(shares)))


def undelegate(state: State, ctx: Context, msg: Undelegate) -> UndelegateResponse:
    """Take staked money out; it arrives after the unbonding time."""
    delegator, operator = msg.delegator_address, msg.validator_address
    validator = require_validator(state, operator)
    delegation = require_delegation(state, delegator, operator)
    shares = required_shares(validator, delegation, stake_uflt(msg.amount))
    known = UNBONDINGS.get(state, (delegator, operator))
    check_entries(state, "unbonding delegation", () if known is None else known.entries)

    amount = take_stake(state, ctx, delegation, shares)
    shift(state, ctx, pool_of(validator), NOT_BONDED_POOL, amount)
    end_ms, height = unbonding_end_ms(state, ctx), U64(ctx.block.height)
    uflt = U128(amount)
    entry = UnbondingEntry(next_entry_id(state), height, end_ms, uflt, uflt)
    begin_unbonding(state, delegator, operator, entry)
    end = to_date(state, end_ms)
    ctx.emit(Undelegated(operator, delegator, f"{amount}{bank.DENOM}", end))
    return UndelegateResponse(end, Coin(bank.DENOM, uflt))


def begin_redelegate(state: State, ctx: Context, msg: BeginRedelegate) -> BeginRedelegateResponse:
    """Move staked money to another validator, at once."""
    delegator, place = msg.delegator_address, (msg.validator_src_address, msg.validator_dst_address)
    source, _ = [require_validator(state, operator) for operator in place]
    shown = operator_text(source.operator)
    require(place[0] != place[1], SameValidator, operator=shown, limit=shown)
    delegation = require_delegation(state, delegator, source.operator)
    shares = required_shares(source, delegation, stake_uflt(msg.amount))
    check_standing(state, delegator, source.operator)
    known = REDELEGATIONS.get(state, (delegator, *place)) or Redelegation(delegator, *place, ())
    check_entries(state, "redelegation", known.entries)

    amount = take_stake(state, ctx, delegation, shares)
    require(amount > 0, TooLittleToMove, value=msg.amount.amount)
    gained = add_stake(
        state, ctx, find_or_begin(state, delegator, place[1]), amount, pool_of(source)
    )
    end_ms, height = slashable_until(state, ctx, source)
    if end_ms:
        numbers = (next_entry_id(state), height, end_ms)
        begin_redelegation(state, known, RedelegationEntry(*numbers, U128(amount), gained))
    end = to_date(state, end_ms or ctx.block.clock_ms)
    ctx.emit(Redelegated(*place, f"{amount}{bank.DENOM}", end))
    return BeginRedelegateResponse(end)


def cancel_unbonding_delegation(state: State, ctx: Context, msg: CancelUnbondingDelegation) -> None:
    """Stake money again that is on its way out."""
    delegator, operator = msg.delegator_address, msg.validator_address
    validator = require_validator(state, operator)
    require(not validator.jailed, ValidatorJailed, operator=operator_text(operator))
    amount, height = stake_uflt(msg.amount), msg.creation_height
    known = UNBONDINGS.get(state, (delegator, operator)) or Unbonding(delegator, operator, ())
    entry = require_entry(known, height)
    balance = entry.balance_uflt
    require(amount <= balance, TooMuchToCancel, value=amount, limit=balance)

    left = replace(entry, balance_uflt=U128(balance - amount), initial_uflt=less(entry, amount))
    kept = (left,) if left.balance_uflt else ()
    at = known.entries.index(entry)
    entries = (*known.entries[:at], *kept, *known.entries[at + 1 :])
    set_unbonding(state, replace(known, entries=entries))
    forget_due(state, entry, (delegator, operator))
    add_stake(state, ctx, find_or_begin(state, delegator, operator), amount, NOT_BONDED_POOL)
    text = f"{amount}{bank.DENOM}"
    ctx.emit(UnbondingCancelled(text, operator, delegator, str(height)))


def required_shares(validator: Validator, delegation: Delegation, amount_uflt: int) -> int:
    """Return the shares of a delegation that are worth so much, if it has them."""
    worth = validator.tokens_uflt * delegation.shares // validator.shares
    shares = shares_for(validator, amount_uflt) if validator.tokens_uflt else 0
    is_there = 0 < shares <= delegation.shares
    shown = operator_text(validator.operator)
    require(is_there, NotStaked, value=amount_uflt, operator=shown, limit=worth)
    return shares


def check_entries(state: Reader, what: str, entries: tuple[object, ...]) -> None:
    """Refuse one entry more than is kept."""
    count, limit = len(entries) + 1, PARAMS.get(state).max_entries
    require(count <= limit, TooManyEntries, what=what, value=count, limit=limit)


def check_standing(state: Reader, delegator: Address, operator: Operator) -> None:
    """Refuse to move on what was moved to a validator and may be slashed for the one before."""
    for who, destination, source in MOVED_TO.keys(state, (delegator, operator), limit=1):
        moved = REDELEGATIONS.must(state, (who, source, destination))
        end_s = to_date(state, moved.entries[-1].release_ms) // 1_000
        raise StillMoving(operator=operator_text(operator), limit=end_s)


def slashable_until(state: Reader, ctx: Context, validator: Validator) -> tuple[U64, U64]:
    """Return until when stake that leaves a validator now may be slashed, and since which height.

    Nothing of one that takes no part can be; it is 0 then.
    """
    if validator.status is BondStatus.UNBONDED:
        return U64(0), U64(0)
    if validator.status is BondStatus.UNBONDING:
        return validator.unbonding_ms, validator.unbonding_height
    return unbonding_end_ms(state, ctx), U64(ctx.block.height)


def require_entry(unbonding: Unbonding, height: int) -> UnbondingEntry:
    """Return the entry of an unbonding that began at a height."""
    found = [entry for entry in unbonding.entries if entry.height == height]
    if found:
        return found[0]
    heights = ", ".join([str(entry.height) for entry in unbonding.entries]) or "none"
    raise NoSuchUnbonding(
        height=height,
        delegator=to_bech32(unbonding.delegator),
        operator=operator_text(unbonding.operator),
        limit=heights,
    )


def less(entry: UnbondingEntry, amount_uflt: int) -> U128:
    """Return what an entry began with, less so much."""
    return U128(max(0, entry.initial_uflt - amount_uflt))
