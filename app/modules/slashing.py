"""Slashing: who loses what for which fault, and where the money goes.

`PENALTIES` is the whole of it: each fault, of what it takes a part, and whether it takes a proof or
is a missed full deadline. A part of the bond is a part of all of it, with what is on its way out.
What is on its way out is taken first, then what is free, last what the job itself locks; what other
jobs lock is never touched, and where there isn't enough all there is goes. A fault costs once a
round. A proven one costs reputation at once; what a missed deadline costs is said by the round.

Slashed money waits in the account `slashed`, in a pot of its job and round. First a quarter of what
a proof has brought goes to its prover; when the round ends, those who delivered get what they lost,
in proportion where the pot is short; the rest is burned. Nothing goes to the requester, to who paid
into the job, or to an account whose pay goes there.

Outage: where more than a third of those awaited miss one deadline, each of them is excused, unless
it was in its last 20 rounds. Who is excused keeps its money, not its reputation, and sits out the
job's next three draws, whether or not they fill a round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from app.kernel.amounts import PPM, share_ppm, split_exactly
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Module, Query
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table
from app.modules import bank, bonds, jobs, reputation
from app.modules.jobs import Job

SLASHED = module_address("slashed")


@frozen
class Params:
    """What each fault costs, what its prover earns, and what an outage excuses."""

    missed_commit_ppm: U32 = U32(5_000)
    """Of the bond of a worker that was drawn and didn't commit."""
    unrevealed_update_ppm: U32 = U32(20_000)
    """Of the bond of a worker that committed and didn't reveal."""
    false_update_ppm: U32 = U32(100_000)
    """Of the bond of a worker whose norm, range or length is proven false."""
    no_aggregate_ppm: U32 = U32(50_000)
    """Of the bond of an aggregator that posted nothing in its turn."""
    false_aggregate_ppm: U32 = U32(1_000_000)
    """Of what the job locks of an aggregator whose model is proven false."""
    false_attestation_ppm: U32 = U32(100_000)
    """Of the bond of an evaluator that attested such a model."""
    withheld_chunk_ppm: U32 = U32(100_000)
    """Of the bond of a reader that didn't serve a chunk when challenged."""
    unrevealed_scores_ppm: U32 = U32(20_000)
    """Of the bond of an evaluator that committed to scores and didn't reveal them."""
    false_challenge_ppm: U32 = U32(1_000_000)
    """Of the deposit of a challenge that proved nothing; it goes to the accused."""
    prover_ppm: U32 = U32(250_000)
    """The prover's part of what its proof has brought."""
    outage_divisor: U32 = U32(3)
    """More than one in so many of those awaited at a deadline make an outage."""
    excuse_rounds: U32 = U32(20)
    """Rounds of an account in which it is excused at most once."""
    excuse_draws: U32 = U32(3)
    """Draws of its job that an excused worker sits out."""


class Fault(IntEnum):
    """What a participant can do wrong."""

    UNSPECIFIED = 0
    MISSED_COMMIT = 1
    UNREVEALED_UPDATE = 2
    FALSE_UPDATE = 3
    """A false norm, range or length."""
    NO_AGGREGATE = 4
    FALSE_AGGREGATE = 5
    FALSE_ATTESTATION = 6
    WITHHELD_CHUNK = 7
    UNREVEALED_SCORES = 8
    FALSE_CHALLENGE = 9


class Base(IntEnum):
    """Of what a fault takes a part."""

    UNSPECIFIED = 0
    BOND = 1
    """All of the participant's bond, with what is on its way out."""
    JOB_LOCK = 2
    """What the job locks of it."""
    DEPOSIT = 3
    """What the challenger has paid in; not a bond, and not taken here."""


class Penalty(NamedTuple):
    """What a fault costs."""

    base: Base
    part: str
    """The param that says which part."""
    is_proven: bool
    """Whether it takes a proof; else it is a full deadline missed."""


PENALTIES: Mapping[Fault, Penalty] = {
    Fault.MISSED_COMMIT: Penalty(Base.BOND, "missed_commit_ppm", False),
    Fault.UNREVEALED_UPDATE: Penalty(Base.BOND, "unrevealed_update_ppm", False),
    Fault.FALSE_UPDATE: Penalty(Base.BOND, "false_update_ppm", True),
    Fault.NO_AGGREGATE: Penalty(Base.BOND, "no_aggregate_ppm", False),
    Fault.FALSE_AGGREGATE: Penalty(Base.JOB_LOCK, "false_aggregate_ppm", True),
    Fault.FALSE_ATTESTATION: Penalty(Base.BOND, "false_attestation_ppm", True),
    Fault.WITHHELD_CHUNK: Penalty(Base.BOND, "withheld_chunk_ppm", True),
    Fault.UNREVEALED_SCORES: Penalty(Base.BOND, "unrevealed_scores_ppm", False),
    Fault.FALSE_CHALLENGE: Penalty(Base.DEPOSIT, "false_challenge_ppm", True),
}
"""Every fault and what it costs."""


class Place(NamedTuple):
    """A round of a job."""

    job_id: int
    round: int


@frozen
class Pot:
    """What is slashed in a round that has not ended, and not paid out yet."""

    amount_uflt: U64


@frozen
class Slash:
    """What one participant lost for one fault in one round."""

    participant: Address
    fault: Fault
    amount_uflt: U64


@frozen
class Excuse:
    """When an account was last excused."""

    account: Address
    round_count: U64
    """The rounds it had settled by then."""


@frozen
class SittingOut:
    """An excused worker that a job doesn't draw."""

    worker: Address
    draws_left: U32


@frozen
class PenaltyShown:
    """What a fault costs now."""

    fault: Fault
    base: Base
    part_ppm: U32
    is_proven: bool


@frozen
class ParamsRequest:
    """Ask for the params of slashing."""


@frozen
class ParamsResponse:
    """The params of slashing."""

    params: Params


@frozen
class PenaltiesRequest:
    """Ask what each fault costs."""


@frozen
class PenaltiesResponse:
    """What each fault costs."""

    penalties: tuple[PenaltyShown, ...]


@frozen
class RoundSlashesRequest:
    """Ask who was slashed in a round, and what waits in its pot."""

    job_id: U64
    round: U32


@frozen
class RoundSlashesResponse:
    """Who was slashed in a round, and what waits in its pot."""

    slashes: tuple[Slash, ...]
    pot_uflt: U64


@frozen
class ExcuseRequest:
    """Ask when an account was last excused, and whether it sits out a job's draws."""

    account: Address
    job_id: U64


@frozen
class ExcuseResponse:
    """When an account was last excused, and how many of the job's draws it still sits out."""

    is_excusable: bool
    """Whether it would be excused in an outage now."""
    round_count: U64
    """The rounds it had settled when it was last excused; 0: it may never have been."""
    draws_left: U32


@frozen
class Slashed:
    """A participant lost money for a fault."""

    job_id: U64
    round: U32
    participant: Address
    fault: Fault
    amount_uflt: U64


@frozen
class Excused:
    """A participant missed a deadline in an outage and keeps its money."""

    job_id: U64
    round: U32
    participant: Address
    fault: Fault


@frozen
class ProverPaid:
    """Who proved a fault has its part of what was slashed."""

    job_id: U64
    round: U32
    prover: Address
    payout_address: Address
    amount_uflt: U64


@frozen
class LossCompensated:
    """Who delivered got, of what was slashed, what it lost; of rounds voided together once."""

    job_id: U64
    round: U32
    participant: Address
    payout_address: Address
    amount_uflt: U64


@frozen
class PotBurned:
    """What was left of a round's slashed money was burned."""

    job_id: U64
    round: U32
    amount_uflt: U64


PARAMS = Singleton("slashing/params", Params)
POTS = Table("slashing/pot", key=(U64, U32), record=Pot)
"""By job and round, until the round has ended; nothing is no row."""
SLASHES = Table("slashing/slash", key=(U64, U32, Address, U32), record=Slash)
"""By job, round, participant and fault; their history stays."""
EXCUSES = Table("slashing/excuse", key=(Address,), record=Excuse)
SITTING_OUT = Table("slashing/sitting_out", key=(U64, Address), record=SittingOut)
"""By job and worker, until the draws have passed or the job's rounds have ended."""


def compute_part_ppm(params: Params, fault: Fault) -> int:
    """Return the part that a fault takes of its base."""
    return int(getattr(params, PENALTIES[fault].part))


def get_pot_uflt(state: Reader, place: Place) -> int:
    """Return what waits in the pot of a round."""
    pot = POTS.get(state, place)
    return 0 if pot is None else pot.amount_uflt


def change_pot(state: State, place: Place, amount_uflt: int) -> None:
    """Add to a round's pot, or take out of it."""
    left = get_pot_uflt(state, place) + amount_uflt
    if left:
        POTS.put(state, place, Pot(U64(left)))
    else:
        POTS.delete(state, place)


def get_slashes(state: Reader, place: Place) -> list[Slash]:
    """Return all that was slashed in a round."""
    return [slash for _, slash in SLASHES.items(state, place)]


def get_convicted(state: Reader, place: Place) -> list[Address]:
    """Return those of whom a fault is proven in a round; their reputation has moved for it."""
    slashes = get_slashes(state, place)
    return [slash.participant for slash in slashes if PENALTIES[slash.fault].is_proven]


def slash(state: State, ctx: Context, place: Place, participant: Address, fault: Fault) -> int:
    """Take what a fault costs off a bond, into the pot of an unsettled round; return how much.

    The second time in a round it costs nothing.
    """
    penalty, part_ppm = PENALTIES[fault], compute_part_ppm(PARAMS.get(state), fault)
    key = (*place, participant, fault)
    if SLASHES.has(state, key):
        return 0
    if penalty.base is Base.BOND:
        amount = share_ppm(bonds.whole_uflt(state, participant), part_ppm)
        taken = bonds.seize(state, participant, place.job_id, amount)
    elif penalty.base is Base.JOB_LOCK:
        locked = bonds.find_lock(state, participant, place.job_id).amount_uflt
        amount = share_ppm(locked, part_ppm)
        taken = bonds.seize_lock(state, participant, place.job_id, amount)
    else:
        broken(f"{fault.name} costs a deposit, which is not slashed")
    bank.move(state, ctx, bonds.BONDS, SLASHED, taken)
    change_pot(state, place, taken)
    SLASHES.put(state, key, Slash(participant, fault, U64(taken)))
    ctx.emit(Slashed(U64(place.job_id), U32(place.round), participant, fault, U64(taken)))
    if penalty.is_proven:
        reputation.move(state, ctx, participant, success=False)
    return taken


def punish_missing(
    state: State,
    ctx: Context,
    place: Place,
    missing: Sequence[Address],
    *,
    awaited_count: int,
    fault: Fault,
) -> None:
    """Slash who missed a full deadline, of so many who were awaited, or excuse them."""
    is_outage = len(missing) * PARAMS.get(state).outage_divisor > awaited_count
    for participant in missing:
        if is_outage and is_excusable(state, participant):
            excuse(state, ctx, place, participant, fault)
        else:
            slash(state, ctx, place, participant, fault)


def is_excusable(state: Reader, account: Address) -> bool:
    """Whether an account was not excused in its last rounds."""
    last = EXCUSES.get(state, account)
    if last is None:
        return True
    round_count = reputation.find_standing(state, account).round_count
    return round_count >= last.round_count + PARAMS.get(state).excuse_rounds


def excuse(state: State, ctx: Context, place: Place, worker: Address, fault: Fault) -> None:
    """Let a worker keep its money, and the job draw without it for a while."""
    round_count = reputation.find_standing(state, worker).round_count
    EXCUSES.put(state, worker, Excuse(worker, round_count))
    draws = PARAMS.get(state).excuse_draws
    if draws:
        SITTING_OUT.put(state, (place.job_id, worker), SittingOut(worker, draws))
    ctx.emit(Excused(U64(place.job_id), U32(place.round), worker, fault))


def get_sitting_out(state: Reader, job_id: int) -> list[Address]:
    """Return the workers that a job doesn't draw."""
    return [row.worker for _, row in SITTING_OUT.items(state, (job_id,))]


def count_draw(state: State, job_id: int) -> None:
    """Count a draw of a job for those who sit it out."""
    for (_, worker), row in list(SITTING_OUT.items(state, (job_id,))):
        left = row.draws_left - 1
        if left:
            SITTING_OUT.put(state, (job_id, worker), SittingOut(worker, U32(left)))
        else:
            SITTING_OUT.delete(state, (job_id, worker))


def forget_sitting_out(state: State, job_id: int) -> None:
    """Forget who sits out the draws of a job that has no more."""
    for worker in get_sitting_out(state, job_id):
        SITTING_OUT.delete(state, (job_id, worker))


def payout_address_of(state: Reader, account: Address) -> Address:
    """Return where an account is paid; who is not registered is paid itself."""
    registration = bonds.find_registration(state, account)
    return account if registration is None else registration.payout_address


def may_receive(state: Reader, job: Job, account: Address) -> bool:
    """Whether slashed money may go to an account: never to who posted the job or paid into it."""
    paid = (account, payout_address_of(state, account))
    return not any(jobs.has_funded(state, job, each) for each in paid)


def pay_prover(state: State, ctx: Context, place: Place, prover: Address, slashed_uflt: int) -> int:
    """Pay a prover its part of what its proof has brought into the pot; return how much.

    Who was slashed in the round itself gets nothing.
    """
    job = jobs.JOBS.must(state, place.job_id)
    is_slashed = any(slash.participant == prover for slash in get_slashes(state, place))
    if is_slashed or not may_receive(state, job, prover):
        return 0
    amount = share_ppm(slashed_uflt, PARAMS.get(state).prover_ppm)
    address = payout_address_of(state, prover)
    change_pot(state, place, -amount)
    bank.move(state, ctx, SLASHED, address, amount)
    ctx.emit(ProverPaid(job.job_id, U32(place.round), prover, address, U64(amount)))
    return amount


def compensate(
    state: State, ctx: Context, places: Sequence[Place], losses: Mapping[Address, int]
) -> dict[Address, int]:
    """Pay who delivered, from the pots of a job's rounds, up to what each lost; return the parts.

    Where the pots are short each gets in proportion to what it lost.
    """
    job = jobs.JOBS.must(state, places[0].job_id)
    owed = [(who, losses[who]) for who in sorted(losses) if may_receive(state, job, who)]
    pots = [get_pot_uflt(state, place) for place in places]
    total = min(sum(pots), sum(loss for _, loss in owed))
    if not total:
        return {}
    parts = split_exactly(total, owed)
    for place, pot in zip(places, pots, strict=True):
        taken = min(pot, total)
        change_pot(state, place, -taken)
        total -= taken
    for who, part in parts.items():
        address = payout_address_of(state, who)
        bank.move(state, ctx, SLASHED, address, part)
        ctx.emit(LossCompensated(job.job_id, U32(places[0].round), who, address, U64(part)))
    return parts


def burn_rest(state: State, ctx: Context, place: Place) -> None:
    """Burn what is left in the pot of a round that ends."""
    amount = get_pot_uflt(state, place)
    if amount:
        change_pot(state, place, -amount)
        bank.burn(state, ctx, SLASHED, amount)
        ctx.emit(PotBurned(U64(place.job_id), U32(place.round), U64(amount)))


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def penalties(state: Reader, request: PenaltiesRequest) -> PenaltiesResponse:
    """Answer with every fault and what it costs now."""
    known = PARAMS.get(state)
    rows = [
        PenaltyShown(fault, penalty.base, U32(compute_part_ppm(known, fault)), penalty.is_proven)
        for fault, penalty in PENALTIES.items()
    ]
    return PenaltiesResponse(tuple(rows))


def round_slashes(state: Reader, request: RoundSlashesRequest) -> RoundSlashesResponse:
    """Answer with who was slashed in a round and what waits in its pot."""
    jobs.require_job(state, request.job_id)
    place = Place(request.job_id, request.round)
    pot = U64(get_pot_uflt(state, place))
    return RoundSlashesResponse(tuple(get_slashes(state, place)), pot)


def excuse_of(state: Reader, request: ExcuseRequest) -> ExcuseResponse:
    """Answer with an account's last excuse and the draws of a job that it sits out."""
    jobs.require_job(state, request.job_id)
    last = EXCUSES.get(state, request.account)
    row = SITTING_OUT.get(state, (request.job_id, request.account))
    return ExcuseResponse(
        is_excusable=is_excusable(state, request.account),
        round_count=U64(0) if last is None else last.round_count,
        draws_left=U32(0) if row is None else row.draws_left,
    )


def the_slashed_account_is_the_sum_of_the_pots(state: Reader) -> None:
    """The account `slashed` holds what is in the pots, and no pot is empty."""
    amounts = [row.amount_uflt for _, row in POTS.items(state)]
    if bank.get_balance(state, SLASHED) != sum(amounts):
        broken(f"the account slashed holds what is in the pots, {sum(amounts)} uflt")
    if not all(amounts):
        broken("no pot is empty")


def every_part_is_a_share(state: Reader) -> None:
    """No fault costs, and no prover gets, more than the whole of its base."""
    known = PARAMS.get(state)
    parts = [compute_part_ppm(known, fault) for fault in PENALTIES]
    if max(*parts, known.prover_ppm) > PPM:
        broken(f"no fault costs, and no prover gets, more than {PPM} ppm")


def who_sits_out_has_draws_left_in_a_running_job(state: Reader) -> None:
    """Who sits out a job's draws has some left, and the job runs."""
    for (job_id, worker), row in SITTING_OUT.items(state):
        is_running = jobs.JOBS.must(state, job_id).phase is jobs.JobPhase.RUNNING
        if row.worker != worker or not row.draws_left or not is_running:
            broken(f"who sits out draws of job {job_id} has some left, and the job runs")


MODULE = Module(
    name="slashing",
    package="pollen.slashing.v1",
    tables=(POTS, SLASHES, EXCUSES, SITTING_OUT),
    params=PARAMS,
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        PenaltiesRequest: Query(penalties, PenaltiesResponse),
        RoundSlashesRequest: Query(round_slashes, RoundSlashesResponse),
        ExcuseRequest: Query(excuse_of, ExcuseResponse),
    },
    events=(Slashed, Excused, ProverPaid, LossCompensated, PotBurned),
    invariants=(
        the_slashed_account_is_the_sum_of_the_pots,
        every_part_is_a_share,
        who_sits_out_has_draws_left_in_a_running_job,
    ),
)
