"""Voiding: a round proven wrong takes what was built on it with it; the job goes on before it."""

import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.record import U32
from app.modules import bonds
from app.modules.jobs import JobPhase
from app.modules.reputation import ReputationMoved
from app.modules.rounds import RoundPhase, RoundPhaseChanged, void_round
from tests.build_rounds import Play, a_model, a_play

REASON = "false_aggregate"


def void(play: Play, number: int) -> None:
    play.world.do(void_round, play.job_id, number, REASON)


def phases(play: Play) -> list[RoundPhase]:
    return [play.round(number).phase for number in range(1, play.job().next_round)]


def test_the_round_and_those_built_on_it_are_voided() -> None:
    play = a_play({"schedule.round_count": U32(4)}).to_challenge().to_challenge(2)
    void(play, 1)
    play.world.pass_block()
    assert phases(play)[:3] == [RoundPhase.VOIDED] * 3
    assert {play.round(number).reason for number in (1, 2, 3)} == {REASON}
    said = [event for event in play.world.said(RoundPhaseChanged) if event.reason == REASON]
    assert [event.round for event in said] == [1, 2, 3]


def test_the_job_goes_on_from_the_model_before() -> None:
    play = a_play({"schedule.round_count": U32(4)}).to_challenge().to_challenge(2)
    assert play.job().completed_round_count == 2
    void(play, 2)
    job = play.job()
    assert (job.model_root, job.model) == a_model(1)
    assert job.completed_round_count == 1
    play.world.pass_block()
    assert play.round(4).phase is RoundPhase.COMMIT
    assert (play.round(4).base_root, play.round(4).base_round) == (a_model(1)[0], 1)


def test_a_job_whose_first_round_is_voided_begins_again_from_its_base() -> None:
    play = a_play().to_challenge()
    void(play, 1)
    play.world.pass_block()
    assert play.round(3).base_root == play.job().spec.work.base_root
    assert play.round(3).base_round == 0
    play.to_challenge(3).to_challenge(4)
    play.end_phase(4)
    assert play.job().phase is JobPhase.REVIEW


def test_a_round_that_is_drawn_but_has_not_begun_trains_on_the_good_model() -> None:
    play = a_play({"schedule.round_count": U32(4)}).to_challenge().to_aggregate(2)
    assert play.round(3).phase is RoundPhase.OPEN
    void(play, 1)
    assert phases(play) == [RoundPhase.VOIDED, RoundPhase.VOIDED, RoundPhase.COMMIT]
    assert play.round(3).base_root == play.job().spec.work.base_root


def test_seats_are_freed_and_nothing_is_paid_or_held_against_anyone() -> None:
    play = a_play({"schedule.round_count": U32(1)}).to_challenge()
    moved = play.world.said(ReputationMoved)
    void(play, 1)
    assert list(bonds.LOCKS.items(play.world.state)) == []
    assert play.job().escrow_uflt == play.job().budget_uflt
    assert play.world.said(ReputationMoved) == moved
    assert [play.world.registration(who).locked_uflt for who in play.workers] == [0] * 4


def test_a_voided_round_does_not_count_as_aborted() -> None:
    play = a_play().to_challenge()
    void(play, 1)
    assert play.job().aborted_in_row == 0
    assert play.job().unsettled_round_count == 0


@pytest.mark.parametrize("number", [1, 3])
def test_what_has_ended_or_not_begun_is_never_voided(number: int) -> None:
    play = a_play({"schedule.round_count": U32(3)})
    play.end_phase(1)
    play.to_aggregate(2)
    assert phases(play)[0::2] == [RoundPhase.ABORTED, RoundPhase.OPEN]
    with pytest.raises(InvariantBroken, match=f"round {number} of job 1"):
        void(play, number)
