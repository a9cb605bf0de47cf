"""Free money is taken out of a bond, and arrives after the unbonding time."""

from __future__ import annotations

from app.kernel.context import Context
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U64, Address
from app.kernel.store import State
from app.kernel.table import Index, Singleton, Table
from app.modules import bank
from app.modules.bonds.bonding import (
    BONDS,
    PARAMS,
    NothingToBond,
    change_bond,
    check_remainder,
    free_uflt,
    require_registration,
)


@frozen
class Unbonding:
    """Money on its way out of a bond."""

    participant: Address
    unbonding_id: U64
    amount_uflt: U64
    release_clock_ms: U64


@frozen
class UnbondingCount:
    """How many unbondings were begun."""

    count: U64 = U64(0)


@frozen
class Unbond:
    """Begin to take free money out of a bond; it arrives after the unbonding time."""

    participant: Address
    amount_uflt: U64


@frozen
class UnbondResponse:
    """Which unbonding was begun and when it is paid."""

    unbonding_id: U64
    release_clock_ms: U64


@frozen
class UnbondingBegun:
    """Money began its way out of a bond."""

    participant: Address
    unbonding_id: U64
    amount_uflt: U64
    release_clock_ms: U64


@frozen
class Unbonded:
    """Money of a bond was paid out."""

    participant: Address
    unbonding_id: U64
    amount_uflt: U64


class BondNotFree(Rejected):
    """More asked for than jobs leave free."""

    code = 309
    text = (
        "amount_uflt {value}: only {limit} uflt of the bond are free; "
        "ask for less or wait until the jobs that lock the rest have settled"
    )


class BondHeld(Rejected):
    """A newcomer that wants its bond back."""

    code = 310
    text = (
        "amount_uflt {value}: the limit is 0 while a worker is in its first settled rounds; "
        "take part in more rounds first"
    )


class TooManyUnbondings(Rejected):
    """More unbondings at a time than are kept."""

    code = 311
    text = "unbondings {value}: the limit is {limit} at a time; wait until one is paid out"


COUNT = Singleton("bonds/count", UnbondingCount)
UNBONDINGS = Table("bonds/unbonding", key=(Address, U64), record=Unbonding)
DUE = Index("bonds/due", key=(U64, Address, U64))
"""Unbondings by the clock at which they are paid."""


def unbond(state: State, ctx: Context, msg: Unbond) -> UnbondResponse:
    """Begin to take free money out of a bond."""
    params = PARAMS.get(state)
    registration = require_registration(state, msg.participant)
    require(msg.amount_uflt > 0, NothingToBond, value=msg.amount_uflt)
    require(not registration.held, BondHeld, value=msg.amount_uflt)
    free = free_uflt(registration)
    require(msg.amount_uflt <= free, BondNotFree, value=msg.amount_uflt, limit=free)
    bonded = registration.bonded_uflt - msg.amount_uflt
    check_remainder(state, bonded, msg.amount_uflt, "take out less, or all of it")
    pending = sum(1 for _ in UNBONDINGS.items(state, (msg.participant,)))
    limit = params.unbondings_max
    require(pending < limit, TooManyUnbondings, value=pending + 1, limit=limit)

    unbonding_id = U64(COUNT.get(state).count + 1)
    release = U64(ctx.block.clock_ms + params.unbonding_s * 1_000)
    unbonding = Unbonding(msg.participant, unbonding_id, msg.amount_uflt, release)
    COUNT.put(state, UnbondingCount(unbonding_id))
    UNBONDINGS.put(state, (msg.participant, unbonding_id), unbonding)
    DUE.add(state, (release, msg.participant, unbonding_id))
    change_bond(state, registration, bonded)
    ctx.emit(UnbondingBegun(msg.participant, unbonding_id, msg.amount_uflt, release))
    return UnbondResponse(unbonding_id, release)


def release_unbonded(state: State, ctx: Context) -> None:
    """Pay out the unbondings whose time has come, a limited number a block."""
    limit = PARAMS.get(state).releases_per_block_max
    due = DUE.keys(state, up_to=ctx.block.clock_ms, limit=limit)
    for release_clock_ms, participant, unbonding_id in list(due):
        amount = UNBONDINGS.must(state, (participant, unbonding_id)).amount_uflt
        DUE.remove(state, (release_clock_ms, participant, unbonding_id))
        UNBONDINGS.delete(state, (participant, unbonding_id))
        bank.move(state, ctx, BONDS, participant, amount)
        ctx.emit(Unbonded(participant, unbonding_id, amount))
