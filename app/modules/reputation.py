"""Reputation: how an account has behaved.

A standing is a record, not a token: nobody can move it. It starts at a quarter of a million parts
per million and moves a tenth of the way to 1,000,000 after a round in which the account did what
its seat asked, or to 0 after one in which it didn't; idling moves nothing. A worker that has
settled rounds, but fewer than `newcomer_rounds`, has its bond held. Requesters have a record of
their own, with what each seat that revealed an update has earned in their jobs: counted in steps of
a sixteenth, so that the median is known and the record stays small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.kernel.amounts import PPM, share_ppm
from app.kernel.context import Context
from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Module, Query
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table
from app.modules import bonds


@frozen
class Params:
    """Where a reputation starts and how fast it moves."""

    initial_ppm: U32 = U32(250_000)
    """The reputation of who has no settled round."""
    step_ppm: U32 = U32(100_000)
    """The part of the way to its target that a reputation moves after a round."""
    newcomer_rounds: U32 = U32(5)
    """Settled rounds before which a worker is a newcomer."""


@frozen
class Standing:
    """How an account has behaved; it can't be moved to another."""

    account: Address
    reputation_ppm: U32
    round_count: U64
    """Rounds that settled with this account in a seat."""
    success_count: U64
    """Rounds in which it did what its seat asked."""


@frozen
class RequesterRecord:
    """How a requester has behaved."""

    requester: Address
    job_count: U64 = U64(0)
    accepted_count: U64 = U64(0)
    rejected_count: U64 = U64(0)
    cancelled_count: U64 = U64(0)
    failed_count: U64 = U64(0)
    aborted_round_count: U64 = U64(0)
    paid_uflt: U64 = U64(0)
    """What its jobs have paid, fees included."""


@frozen
class SeatCount:
    """How many seats of a requester's jobs have earned amounts in one step."""

    seat_count: U64


@frozen
class ParamsRequest:
    """Ask for the params of reputation."""


@frozen
class ParamsResponse:
    """The params of reputation."""

    params: Params


@frozen
class StandingRequest:
    """Ask how an account has behaved."""

    account: Address


@frozen
class StandingResponse:
    """How an account has behaved."""

    standing: Standing


@frozen
class RequesterRequest:
    """Ask how a requester has behaved."""

    requester: Address


@frozen
class RequesterResponse:
    """How a requester has behaved."""

    record: RequesterRecord
    seat_pay_median_uflt: U64
    """What the middle one of all seats that revealed an update earned, less up to a sixteenth."""


@frozen
class ReputationMoved:
    """A settled round changed a reputation."""

    account: Address
    reputation_ppm: U32
    success: bool


PARAMS = Singleton("reputation/params", Params)
STANDINGS = Table("reputation/standing", key=(Address,), record=Standing)
REQUESTERS = Table("reputation/requester", key=(Address,), record=RequesterRecord)
SEAT_PAY = Table("reputation/seat_pay", key=(Address, U32), record=SeatCount)
"""By requester and step of pay."""

PAY_STEP_BITS = 4
"""Each power of two has sixteen steps of pay; below sixteen each amount is its own."""


def find_standing(state: Reader, account: Address) -> Standing:
    """Return an account's standing; who has none has the initial one."""
    known = STANDINGS.get(state, account)
    return known or Standing(account, PARAMS.get(state).initial_ppm, U64(0), U64(0))


def is_newcomer(state: Reader, account: Address) -> bool:
    """Whether an account has settled fewer rounds than a newcomer must."""
    return find_standing(state, account).round_count < PARAMS.get(state).newcomer_rounds


def move(state: State, ctx: Context, account: Address, success: bool) -> None:
    """Move a registered account's reputation after a settled round in which it had a seat."""
    params = PARAMS.get(state)
    standing = find_standing(state, account)
    was = standing.reputation_ppm
    if success:
        reputation = U32(was + share_ppm(PPM - was, params.step_ppm))
    else:
        reputation = U32(was - share_ppm(was, params.step_ppm))
    moved = Standing(
        account=account,
        reputation_ppm=reputation,
        round_count=U64(standing.round_count + 1),
        success_count=U64(standing.success_count + success),
    )
    STANDINGS.put(state, account, moved)
    bonds.hold(state, account, moved.round_count < params.newcomer_rounds)
    ctx.emit(ReputationMoved(account, reputation, success))


def find_requester(state: Reader, requester: Address) -> RequesterRecord:
    """Return a requester's record; who has none has an empty one."""
    return REQUESTERS.get(state, requester) or RequesterRecord(requester)


def note_posted_job(state: State, requester: Address) -> None:
    """Count a posted job."""
    record = find_requester(state, requester)
    REQUESTERS.put(state, requester, replace(record, job_count=U64(record.job_count + 1)))


def note_accepted_job(state: State, requester: Address) -> None:
    """Count a job that was accepted, by the requester or by silence."""
    record = find_requester(state, requester)
    REQUESTERS.put(state, requester, replace(record, accepted_count=U64(record.accepted_count + 1)))


def note_rejected_job(state: State, requester: Address) -> None:
    """Count a rejection."""
    record = find_requester(state, requester)
    REQUESTERS.put(state, requester, replace(record, rejected_count=U64(record.rejected_count + 1)))


def note_cancelled_job(state: State, requester: Address) -> None:
    """Count a job that was cancelled."""
    record = find_requester(state, requester)
    counted = replace(record, cancelled_count=U64(record.cancelled_count + 1))
    REQUESTERS.put(state, requester, counted)


def note_failed_job(state: State, requester: Address) -> None:
    """Count a job that failed."""
    record = find_requester(state, requester)
    REQUESTERS.put(state, requester, replace(record, failed_count=U64(record.failed_count + 1)))


def note_aborted_round(state: State, requester: Address) -> None:
    """Count an aborted round of a requester's job."""
    record = find_requester(state, requester)
    counted = replace(record, aborted_round_count=U64(record.aborted_round_count + 1))
    REQUESTERS.put(state, requester, counted)


def note_payment(state: State, requester: Address, amount_uflt: int) -> None:
    """Count money that a requester's job has paid."""
    record = find_requester(state, requester)
    REQUESTERS.put(state, requester, replace(record, paid_uflt=U64(record.paid_uflt + amount_uflt)))


def pay_step(amount_uflt: int) -> int:
    """Return the step of pay that an amount lies in."""
    shift = max(amount_uflt.bit_length() - PAY_STEP_BITS - 1, 0)
    return (shift << PAY_STEP_BITS) + (amount_uflt >> shift)


def least_of_step(step: int) -> int:
    """Return the least amount that lies in a step of pay."""
    shift = max((step >> PAY_STEP_BITS) - 1, 0)
    return (step - (shift << PAY_STEP_BITS)) << shift


def note_seat_pay(state: State, requester: Address, amounts_uflt: Sequence[int]) -> None:
    """Count what the seats of one round have earned."""
    steps: dict[int, int] = {}
    for amount in amounts_uflt:
        step = pay_step(amount)
        steps[step] = steps.get(step, 0) + 1
    for step, count in steps.items():
        known = SEAT_PAY.get(state, (requester, step))
        total = count + (0 if known is None else known.seat_count)
        SEAT_PAY.put(state, (requester, step), SeatCount(U64(total)))


def find_median_pay(state: Reader, requester: Address) -> int:
    """Return what the middle one of a requester's seats earned, the lower of two; 0: it has none.

    It is the least amount of its step.
    """
    rows = [(step, row.seat_count) for (_, step), row in SEAT_PAY.items(state, (requester,))]
    left = (sum(count for _, count in rows) + 1) >> 1
    for step, count in rows:
        left -= count
        if left <= 0:
            return least_of_step(step)
    return 0


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def standing(state: Reader, request: StandingRequest) -> StandingResponse:
    """Answer with an account's standing."""
    return StandingResponse(find_standing(state, request.account))


def requester(state: Reader, request: RequesterRequest) -> RequesterResponse:
    """Answer with a requester's record."""
    median = find_median_pay(state, request.requester)
    return RequesterResponse(find_requester(state, request.requester), U64(median))


def every_reputation_is_a_share(state: Reader) -> None:
    """Every reputation lies between 0 and 1,000,000, with no more successes than rounds."""
    for _, row in STANDINGS.items(state):
        if row.reputation_ppm > PPM or row.success_count > row.round_count:
            broken("every reputation lies between 0 and 1,000,000, successes within rounds")


MODULE = Module(
    name="reputation",
    package="pollen.reputation.v1",
    tables=(STANDINGS, REQUESTERS, SEAT_PAY),
    params=PARAMS,
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        StandingRequest: Query(standing, StandingResponse),
        RequesterRequest: Query(requester, RequesterResponse),
    },
    events=(ReputationMoved,),
    invariants=(every_reputation_is_a_share,),
)
