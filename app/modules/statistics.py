"""Statistics: what the chain has done, counted where it happens.

Whoever changes a thing counts it, in constant time; nothing is walked to know a number, and where
nothing happens nothing is written. The modules above hold the numbers against their tables.

A *task* is a seat of which training was asked: one of the cohort of a round that began, or a
reserve that was called. It is counted when its round ends, however that ends: included, excluded,
missed (a full deadline), late (after a quorum), or dropped, when the round ended before it was
decided. The task completion rate is what of all that was included.

The average reward per example is what updates have earned, before the protocol's fee, with what is
held back and with what made losses good, over the examples of those updates. Example counts are
claims, capped by their job.

A *participant* is active while it has a bond. It joins when it registers, or bonds again after it
had nothing left, and leaves when its bond becomes nothing. The churn of an epoch is the part that
left of all who were active in it: those at its start and those who joined. (Of a customer base one
usually divides by those at the start alone; that is no share when many join, and nothing at all in
the first epoch.) Joining and leaving are told apart, as both are churn to who studies networks
(Godfrey, Shenker, Stoica: Minimizing Churn in Distributed Systems, SIGCOMM 2006). Epochs begin once
somebody has registered, at multiples of their length on the chain's clock; the first block of an
epoch keeps the numbers of the one before.

Money is read where it lies; nothing is counted that a balance shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.kernel.amounts import PPM
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Module, Query
from app.kernel.record import U32, U64, U128
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table
from app.modules import bank

MILLIONTHS = 1_000_000
JOB, ROUND = "job", "round"
TASK_COUNTS = {
    "INCLUDED": "included_count",
    "EXCLUDED": "excluded_count",
    "MISSED": "missed_count",
    "LATE": "late_count",
}
"""Where a task is counted, by what its seat came to; everything else is dropped."""


@frozen
class Params:
    """Over what time churn is counted."""

    epoch_s: U32 = U32(7 * 24 * 3_600)
    """The length of an epoch."""


@frozen
class Totals:
    """What has happened since genesis."""

    job_count: U64 = U64(0)
    """Jobs posted."""
    round_count: U64 = U64(0)
    """Rounds drawn."""
    seat_count: U64 = U64(0)
    """Seats drawn, of cohorts and reserves."""
    included_count: U64 = U64(0)
    """Tasks whose update was included: those completed."""
    excluded_count: U64 = U64(0)
    """Tasks whose update the readers didn't include."""
    missed_count: U64 = U64(0)
    """Tasks that missed a full deadline."""
    late_count: U64 = U64(0)
    """Tasks that were not done when a quorum ended a phase."""
    dropped_count: U64 = U64(0)
    """Tasks whose round ended before they were decided."""
    paid_uflt: U128 = U128(0)
    """What left escrow as pay, fees included."""
    reward_uflt: U128 = U128(0)
    """What updates have earned, before the fee, with what is held back."""
    example_count: U128 = U128(0)
    """Examples of the updates that have earned something, as claimed and capped."""


@frozen
class Ending:
    """How many jobs or rounds ended in one way for one reason."""

    subject: str
    """`job` or `round`."""
    phase: str
    reason: str
    count: U64


@frozen
class Epoch:
    """Who came and went in a stretch of time."""

    start_count: U64 = U64(0)
    """Participants active at its start."""
    joined_count: U64 = U64(0)
    left_count: U64 = U64(0)


@frozen
class Participants:
    """Who takes part."""

    registered_count: U64 = U64(0)
    """Accounts that ever took a role."""
    active_count: U64 = U64(0)
    """Those with a bond."""
    epoch_end_clock_ms: U64 = U64(0)
    """When the present epoch ends; 0: none has begun."""
    epoch: Epoch = Epoch()
    last_epoch: Epoch = Epoch()


@frozen
class Holdings:
    """Where money lies, and how much there is."""

    escrow_uflt: U128
    """In escrow for jobs."""
    bonded_uflt: U128
    """In bonds, and on its way out of them."""
    deposit_uflt: U128
    """In deposits that return."""
    treasury_uflt: U128
    supply_uflt: U128
    burned_uflt: U128
    """Destroyed since genesis."""


@frozen
class ParamsRequest:
    """Ask for the params of statistics."""


@frozen
class ParamsResponse:
    """The params of statistics."""

    params: Params


@frozen
class StatisticsRequest:
    """Ask what the chain has done."""


@frozen
class StatisticsResponse:
    """What the chain has done, and what follows from that."""

    totals: Totals
    endings: tuple[Ending, ...]
    participants: Participants
    holdings: Holdings
    task_completion_ppm: U32
    """Included tasks of all tasks; 0 where there is none."""
    reward_per_example_millionths: U128
    """Millionths of a uflt, rounded down; 0 where there is no example."""
    epoch_churn_ppm: U32
    """The part of the present epoch's participants that has left so far."""
    last_epoch_churn_ppm: U32
    """The part of the last whole epoch's participants that left."""


PARAMS = Singleton("statistics/params", Params)
TOTALS = Singleton("statistics/totals", Totals)
PARTICIPANTS = Singleton("statistics/participants", Participants)
ENDINGS = Table("statistics/ending", key=(str, str, str), record=Ending)
"""By subject, phase and reason; reasons are words of the rules, so they are few."""


def count(state: State, **amounts: int) -> None:
    """Add to the totals, each by its name."""
    totals = TOTALS.get(state)
    grown: dict[str, Any] = {k: getattr(totals, k) + amount for k, amount in amounts.items()}
    TOTALS.put(state, replace(totals, **grown))


def count_tasks(state: State, outcomes: Iterable[str]) -> None:
    """Count the tasks of a round that ends, by what each came to: names of a seat's state."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        name = TASK_COUNTS.get(outcome, "dropped_count")
        counts[name] = counts.get(name, 0) + 1
    if counts:
        count(state, **counts)


def count_ending(state: State, subject: str, phase: str, reason: str) -> None:
    """Count a job or a round that has ended."""
    known = ENDINGS.get(state, (subject, phase, reason))
    number = U64(known.count + 1 if known else 1)
    ENDINGS.put(state, (subject, phase, reason), Ending(subject, phase, reason, number))


def count_registration(state: State) -> None:
    """Count an account that takes a role; its bond is counted by itself."""
    found = PARTICIPANTS.get(state)
    PARTICIPANTS.put(state, replace(found, registered_count=U64(found.registered_count + 1)))


def count_bond(state: State, before_uflt: int, after_uflt: int) -> None:
    """Count who joins with a first bond or leaves with the last; other changes count nothing."""
    joined, left = bool(after_uflt and not before_uflt), bool(before_uflt and not after_uflt)
    if not joined and not left:
        return
    found = PARTICIPANTS.get(state)
    epoch = replace(
        found.epoch,
        joined_count=U64(found.epoch.joined_count + joined),
        left_count=U64(found.epoch.left_count + left),
    )
    active = U64(found.active_count + joined - left)
    PARTICIPANTS.put(state, replace(found, active_count=active, epoch=epoch))


def get_endings(state: Reader, subject: str) -> dict[tuple[str, str], int]:
    """Return how many jobs or rounds ended, by phase and reason."""
    rows = [row for _, row in ENDINGS.items(state, (subject,))]
    return {(row.phase, row.reason): row.count for row in rows}


def churn_ppm(epoch: Epoch) -> U32:
    """Return the part of an epoch's participants that left; nobody is 0."""
    return share(epoch.left_count, epoch.start_count + epoch.joined_count)


def share(part: int, whole: int) -> U32:
    """Return a part of a whole in parts per million; of nothing it is 0."""
    return U32(part * PPM // whole if whole else 0)


def turn_epoch(state: State, ctx: Context) -> None:
    """Begin an epoch when the one before has ended, once there are participants."""
    found, now = PARTICIPANTS.get(state), ctx.block.clock_ms
    if now < found.epoch_end_clock_ms or not found.registered_count:
        return
    length = PARAMS.get(state).epoch_s * 1_000
    turned = replace(found, epoch_end_clock_ms=U64(now - now % length + length))
    if found.epoch_end_clock_ms:
        following = Epoch(start_count=found.active_count)
        is_skipped = now >= found.epoch_end_clock_ms + length
        turned = replace(
            turned, epoch=following, last_epoch=following if is_skipped else found.epoch
        )
    PARTICIPANTS.put(state, turned)


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def statistics(state: Reader, request: StatisticsRequest) -> StatisticsResponse:
    """Answer with what was counted, and the rates that follow."""
    totals, participants = TOTALS.get(state), PARTICIPANTS.get(state)
    tasks = sum(getattr(totals, name) for name in (*TASK_COUNTS.values(), "dropped_count"))
    per_example = 0
    if totals.example_count:
        per_example = totals.reward_uflt * MILLIONTHS // totals.example_count
    return StatisticsResponse(
        totals=totals,
        endings=tuple(sorted([row for _, row in ENDINGS.items(state)], key=name_of)),
        participants=participants,
        holdings=find_holdings(state),
        task_completion_ppm=share(totals.included_count, tasks),
        reward_per_example_millionths=U128(per_example),
        epoch_churn_ppm=churn_ppm(participants.epoch),
        last_epoch_churn_ppm=churn_ppm(participants.last_epoch),
    )


def name_of(ending: Ending) -> tuple[str, str, str]:
    """Return what an ending is called."""
    return ending.subject, ending.phase, ending.reason


def find_holdings(state: Reader) -> Holdings:
    """Return what the rules' accounts hold, and how much money there is."""
    names = ("escrow", "bonds", "deposits", "treasury")
    escrow, bonded, deposits, treasury = [
        U128(bank.get_balance(state, module_address(name))) for name in names
    ]
    supply, burned = bank.get_supply(state), bank.get_burned(state)
    return Holdings(escrow, bonded, deposits, treasury, U128(supply), U128(burned))


def an_epoch_s_participants_are_those_who_stayed_and_joined(state: Reader) -> None:
    """Active are those at the epoch's start and who joined, less who left; so it was before it."""
    found = PARTICIPANTS.get(state)
    ends = found.epoch.start_count, found.active_count
    for epoch, end in zip((found.last_epoch, found.epoch), ends, strict=True):
        if epoch.start_count + epoch.joined_count - epoch.left_count != end:
            broken(f"an epoch ends with who was there and joined, less who left: {end}")


MODULE = Module(
    name="statistics",
    package="pollen.statistics.v1",
    tables=(TOTALS, PARTICIPANTS, ENDINGS),
    params=PARAMS,
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        StatisticsRequest: Query(statistics, StatisticsResponse),
    },
    begin_block=turn_epoch,
    invariants=(an_epoch_s_participants_are_those_who_stayed_and_joined,),
)
