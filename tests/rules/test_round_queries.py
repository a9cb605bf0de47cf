"""What can be asked about rounds: the history, and all that a participant acts on."""

import pytest

from app.kernel.record import U32, U64
from app.modules import committees, jobs, rounds
from app.modules.rounds import (
    JobStateRequest,
    NoSuchRound,
    ParamsRequest,
    RoundPhase,
    RoundRequest,
    RoundState,
)
from tests.build_committees import granted, members
from tests.build_rounds import Play, a_play


def job_state(play: Play) -> rounds.JobStateResponse:
    query = rounds.MODULE.queries[JobStateRequest].function
    answer: rounds.JobStateResponse = query(play.world.state, JobStateRequest(U64(play.job_id)))
    return answer


def the_round(play: Play, number: int) -> RoundState:
    query = rounds.MODULE.queries[rounds.RoundRequest].function
    answer: rounds.RoundResponse = query(play.world.state, RoundRequest(U64(1), U32(number)))
    return answer.state


def test_the_params_can_be_asked() -> None:
    play = a_play()
    answer = rounds.MODULE.queries[ParamsRequest].function(play.world.state, ParamsRequest())
    assert answer.params.candidate_wait_s == 10


def test_a_round_comes_with_its_seats_and_readers() -> None:
    play = a_play()
    state = the_round(play, 1)
    assert state.round == play.round()
    assert (list(state.seats), list(state.readers)) == (play.seats(), play.readers())


def test_the_history_of_a_round_stays() -> None:
    play = a_play().to_challenge().to_settled(2)
    state = the_round(play, 1)
    assert state.round.phase is RoundPhase.SETTLED
    assert state.round.model_root
    assert all(seat.reveal.update_root for seat in state.seats if seat.commitment)
    assert sum(seat.earned_uflt for seat in state.seats)
    assert all(reader.bitmap for reader in state.readers)


def test_a_round_that_never_was_is_refused() -> None:
    play = a_play()
    with pytest.raises(NoSuchRound, match="the newest is 1"):
        the_round(play, 2)
    query = rounds.MODULE.queries[JobStateRequest].function
    with pytest.raises(jobs.NoSuchJob):
        query(play.world.state, JobStateRequest(U64(2)))


def test_a_jobs_state_is_its_unsettled_rounds_and_the_newest_that_has_ended() -> None:
    play = a_play({"schedule.round_count": U32(9)})
    play.end_phase(1)
    play.end_phase(2)
    play.to_challenge(3).to_aggregate(4)
    state = job_state(play)
    assert state.job == play.job()
    assert [each.round.round for each in state.rounds] == [2, 3, 4, 5]
    assert state.rounds[0].round.phase is RoundPhase.ABORTED


def test_a_jobs_state_names_the_registrations_of_its_readers_once() -> None:
    play = a_play().to_challenge()
    state = job_state(play)
    assert [row.participant for row in state.readers] == sorted(
        [*play.evaluators, *play.aggregators]
    )


def test_an_open_job_has_no_rounds() -> None:
    play = a_play()
    message = jobs.PostJob(play.world.account("paul"), play.job().spec, U64(1_000_000))
    other = play.world.run(message).job_id
    state = job_state(Play(play.world, other, (), (), ()))
    assert (state.rounds, state.readers) == ((), ())


def test_a_jobs_state_shows_its_committee_and_the_members_registrations() -> None:
    play = granted()
    state = job_state(play)
    assert state.committee == committees.COMMITTEES.must(play.world.state, play.job_id)
    assert list(state.members) == members(play)
    registered = [row.participant for row in state.readers]
    assert {member.evaluator for member in state.members} <= set(registered)


def test_a_jobs_state_shows_no_committee_where_there_is_none() -> None:
    state = job_state(a_play())
    assert (state.committee, state.members) == (committees.NO_COMMITTEE, ())
