"""Whatever people do or leave undone, every job ends, and no money or bond is left behind."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from app.kernel.errors import Rejected
from app.kernel.record import U32, U64
from app.modules import jobs
from app.modules.jobs import JobPhase
from app.modules.rounds import RoundPhase, SeatState, void_round
from app.modules.rounds.lifecycle import TRAINING, get_unsettled
from tests.build import FLT
from tests.build_rounds import Play, a_play

ENDED = (JobPhase.SETTLED, JobPhase.CANCELLED, JobPhase.FAILED)
BLOCKS_MAX = 3_000

Acts = Callable[[Play, int], Iterator[Any]]


def commits(play: Play, number: int) -> Iterator[Any]:
    yield from (play.commitment(worker, number) for worker in play.asked(number))


def reveals(play: Play, number: int) -> Iterator[Any]:
    committed = play.seats(number, SeatState.COMMITTED)
    yield from (play.revelation(seat.worker, number) for seat in committed)


def votes(play: Play, number: int) -> Iterator[Any]:
    revealed = [seat.worker for seat in play.seats(number, SeatState.REVEALED)]
    for reader in play.readers(number):
        if not reader.voted:
            yield play.vote_of(reader.participant, number, revealed[: reader.reader % 3 // 2])


def aggregates(play: Play, number: int) -> Iterator[Any]:
    yield play.aggregate_of(play.round(number).aggregator, number)
    for reader in play.readers(number, is_aggregator=False):
        attempt = play.round(number).aggregate_attempt
        yield play.attestation_of(reader.participant, number, attempt)


ACTS: dict[RoundPhase, Acts] = {
    RoundPhase.COMMIT: commits,
    RoundPhase.REVEAL: reveals,
    RoundPhase.INCLUDE: votes,
    RoundPhase.AGGREGATE: aggregates,
    RoundPhase.CHALLENGE: aggregates,
}


def disturb(play: Play, chance: Random) -> None:
    """Once in a while somebody leaves, pays in or cancels, or a round is proven false."""
    state = play.world.state
    if chance.random() < 0.01:
        attempt(play, jobs.LeaveJob(chance.choice(play.workers), U64(1)))
    if chance.random() < 0.01:
        attempt(play, jobs.JoinJob(chance.choice(play.workers), U64(1)))
    if chance.random() < 0.01:
        attempt(play, jobs.FundJob(play.job().requester, U64(1), U64(chance.randrange(1, FLT))))
    if chance.random() < 0.002:
        attempt(play, jobs.CancelJob(play.job().requester, U64(1)))
    if chance.random() < 0.005:
        begun = (*TRAINING, RoundPhase.CHALLENGE)
        rounds = [round for round in get_unsettled(state, 1) if round.phase in begun]
        if rounds:
            play.world.do(void_round, 1, chance.choice(rounds).round, "false_aggregate")


def attempt(play: Play, message: Any) -> None:
    """Run a message; a refusal is fine, anything else is not."""
    with suppress(Rejected):
        play.world.run(message)


@pytest.mark.parametrize("seed", range(12))
def test_every_job_ends_and_leaves_nothing_behind(seed: int) -> None:
    chance = Random(seed)
    diligence = chance.choice([0.05, 0.15, 0.3, 0.7])
    changes = {
        "schedule.round_count": U32(chance.randrange(1, 7)),
        "schedule.quorum_ppm": U32(chance.choice([700_000, 1_000_000])),
        "schedule.job_s_max": U32(chance.choice([900, 86_400])),
    }
    play = a_play(changes, budget_uflt=chance.randrange(50, 50 * FLT), worker_count=7)
    for _ in range(BLOCKS_MAX):
        for round in get_unsettled(play.world.state, 1):
            acts = ACTS.get(round.phase, lambda play, number: iter(()))
            for message in list(acts(play, round.round)):
                if chance.random() < diligence:
                    attempt(play, message)
        disturb(play, chance)
        play.world.pass_block(chance.randrange(1, 8))
        if play.job().phase not in (JobPhase.OPEN, JobPhase.RUNNING):
            break
    play.world.wait(3_600)
    for _ in range(3):
        play.world.pass_block()
    assert play.job().phase in ENDED
    assert play.world.balance("escrow") == play.world.balance("deposits") == 0
    people = [*play.workers, *play.evaluators, *play.aggregators]
    assert {play.world.registration(who).locked_uflt for who in people} == {0}
