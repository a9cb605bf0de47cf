"""What ends when its time has come: unbonding validators, unbondings, redelegations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from app.kernel.context import Context
from app.kernel.frozen import frozen
from app.kernel.record import Address, Operator
from app.kernel.store import State
from app.modules import bank
from app.modules.staking.records import (
    ENTRIES_DUE,
    LEAVING,
    MOVED_FROM,
    MOVED_TO,
    NOT_BONDED_POOL,
    PARAMS,
    REDELEGATIONS,
    UNBONDINGS,
    VALIDATORS,
    VALIDATORS_DUE,
    BondStatus,
    Redelegation,
    RedelegationEntry,
    Unbonding,
    UnbondingEntry,
    remove,
    store,
)

NO_OPERATOR = Operator(b"")


@frozen
class UnbondingCompleted:
    """Money that was taken out of a delegation has arrived."""

    EVENT_TYPE: ClassVar[str] = "complete_unbonding"
    amount: str
    validator: Operator
    delegator: Address


@frozen
class RedelegationCompleted:
    """Stake that was moved can no longer be slashed for its former validator."""

    EVENT_TYPE: ClassVar[str] = "complete_redelegation"
    amount: str
    delegator: Address
    source_validator: Operator
    destination_validator: Operator


def begin_unbonding(
    state: State, delegator: Address, operator: Operator, entry: UnbondingEntry
) -> None:
    """Let money begin its way back to a delegator."""
    found = UNBONDINGS.get(state, (delegator, operator)) or Unbonding(delegator, operator, ())
    set_unbonding(state, replace(found, entries=(*found.entries, entry)))
    ENTRIES_DUE.add(state, (entry.release_ms, delegator, operator, NO_OPERATOR))


def set_unbonding(state: State, unbonding: Unbonding) -> None:
    """Write what is on its way from a validator to a delegator; without entries it is nothing."""
    place = (unbonding.delegator, unbonding.operator)
    if unbonding.entries:
        UNBONDINGS.put(state, place, unbonding)
        LEAVING.add(state, place[::-1])
    else:
        UNBONDINGS.delete(state, place)
        LEAVING.remove(state, place[::-1])


def begin_redelegation(state: State, redelegation: Redelegation, entry: RedelegationEntry) -> None:
    """Remember stake that was moved until it can't be slashed for its former validator."""
    set_redelegation(state, replace(redelegation, entries=(*redelegation.entries, entry)))
    place = (redelegation.delegator, redelegation.source, redelegation.destination)
    ENTRIES_DUE.add(state, (entry.release_ms, *place))


def set_redelegation(state: State, redelegation: Redelegation) -> None:
    """Write what was moved between two validators; without entries it is nothing."""
    who, source, destination = (
        redelegation.delegator,
        redelegation.source,
        redelegation.destination,
    )
    if redelegation.entries:
        REDELEGATIONS.put(state, (who, source, destination), redelegation)
        MOVED_FROM.add(state, (source, who, destination))
        MOVED_TO.add(state, (who, destination, source))
    else:
        REDELEGATIONS.delete(state, (who, source, destination))
        MOVED_FROM.remove(state, (source, who, destination))
        MOVED_TO.remove(state, (who, destination, source))


def release(state: State, ctx: Context) -> None:
    """End what is due, a limited number a block."""
    limit = PARAMS.get(state).releases_per_block_max
    now = ctx.block.clock_ms
    for due_ms, operator in list(VALIDATORS_DUE.keys(state, up_to=now, limit=limit)):
        VALIDATORS_DUE.remove(state, (due_ms, operator))
        validator = replace(VALIDATORS.must(state, operator), status=BondStatus.UNBONDED)
        if validator.shares:
            store(state, validator)
        else:
            remove(state, ctx, validator)
    for due in list(ENTRIES_DUE.keys(state, up_to=now, limit=limit)):
        ENTRIES_DUE.remove(state, due)
        due_ms, delegator, source, destination = due
        if destination:
            complete_redelegation(state, ctx, due_ms, (delegator, source, destination))
        else:
            complete_unbonding(state, ctx, due_ms, (delegator, source))


def complete_unbonding(
    state: State, ctx: Context, due_ms: int, place: tuple[Address, Operator]
) -> None:
    """Pay out what has been on its way for long enough."""
    found = UNBONDINGS.must(state, place)
    ended, entries = split_due(found.entries, due_ms)
    set_unbonding(state, replace(found, entries=entries))
    amount = sum([entry.balance_uflt for entry in ended])
    bank.move(state, ctx, NOT_BONDED_POOL, found.delegator, amount)
    text = f"{amount}{bank.DENOM}"
    ctx.emit(UnbondingCompleted(text, found.operator, found.delegator))


def complete_redelegation(
    state: State, ctx: Context, due_ms: int, place: tuple[Address, Operator, Operator]
) -> None:
    """Forget what was moved long enough ago."""
    found = REDELEGATIONS.must(state, place)
    ended, entries = split_due(found.entries, due_ms)
    set_redelegation(state, replace(found, entries=entries))
    text = f"{sum([entry.initial_uflt for entry in ended])}{bank.DENOM}"
    ctx.emit(RedelegationCompleted(text, *place))


def split_due(entries: tuple[Any, ...], due_ms: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the entries that end at a time, and the others."""
    ended = tuple([entry for entry in entries if entry.release_ms == due_ms])
    return ended, tuple([entry for entry in entries if entry.release_ms != due_ms])


def forget_due(state: State, entry: UnbondingEntry, place: tuple[Address, Operator]) -> None:
    """Take an unbonding's entry off the calendar, unless another ends at the same time."""
    left = UNBONDINGS.get(state, place)
    if left is None or all(each.release_ms != entry.release_ms for each in left.entries):
        ENTRIES_DUE.remove(state, (entry.release_ms, *place, NO_OPERATOR))
