"""SCORE: who is paid what for scores, and what happens where there are none."""

from dataclasses import replace
from typing import Any

import pytest

from app.kernel.record import U32, Address
from app.modules import bonds, payouts, rounds
from app.modules.jobs import JobPhase
from app.modules.reputation import ReputationMoved
from app.modules.rounds import (
    RoundPhase,
    RoundValue,
    ScoreOutcome,
    ScoreStep,
    SlicesDrawn,
    Worth,
    void_round,
)
from app.modules.slashing import Fault, Slashed
from tests.build import FLT
from tests.build_rounds import Play, a_play, a_score
from tests.build_scores import AGREED, SCORED, WITH_QUALITY, granted, players

WORKERS, EVALUATORS = 14 * FLT, 3 * FLT
FIVE = {**SCORED, "evaluator_count": U32(5)}
MANY = {**SCORED, "schedule.round_count": U32(12)}


def earned(play: Play, number: int = 1) -> list[int]:
    """What each worker whose update is in a round earned, in address order."""
    return [play.seat(worker, number).earned_uflt for worker in players(play, number)]


def settled(scores: Any, changes: Any = SCORED, number: int = 1) -> Play:
    """A round of which all evaluators said the same."""
    play = a_play(changes).to_score(number)
    play.score(scores, number)
    play.end_phase(number)
    assert play.round(number).phase is RoundPhase.SETTLED
    return play


def moved(play: Play) -> dict[bytes, bool]:
    """Whose reputation moved, and whether for the better; each at most once."""
    events = play.world.said(ReputationMoved)
    assert len({event.account for event in events}) == len(events)
    return {event.account: event.success for event in events}


def test_a_rule_that_scores_nothing_passes_the_phase_over() -> None:
    play = a_play().to_challenge()
    assert play.round().score_outcome is ScoreOutcome.UNSPECIFIED
    assert list(rounds.SCORERS.items(play.world.state)) == []


def test_the_next_round_trains_beside_the_scoring() -> None:
    play = a_play(MANY).to_score()
    assert play.round(2).phase is RoundPhase.COMMIT
    assert play.round(2).base_root == play.round(1).model_root
    assert play.job().completed_round_count == 1


def test_pay_is_in_proportion_to_what_each_update_was_worth() -> None:
    play = settled(a_score([900, 600, 800, 600]))
    total = 300 + 100 + 300
    assert earned(play) == [WORKERS * 300 // total, WORKERS * 100 // total, WORKERS * 300 // total]
    assert sum(earned(play)) == WORKERS


def test_nobody_gets_more_than_twice_the_equal_share_and_the_excess_is_the_treasurys() -> None:
    play = settled(a_score([900, 0, 900, 900]))
    assert earned(play) == [WORKERS * 2 // 3, 0, 0]
    fees = sum(event.fee_uflt for event in play.world.said(payouts.SharePaid))
    assert play.world.balance("treasury") == fees + WORKERS - WORKERS * 2 // 3


def test_quality_weighs_where_the_job_asks_for_it() -> None:
    scores = a_score([900, 600, 600, 600], [1_000_000, 500_000, 500_000])
    play = settled(scores, WITH_QUALITY)
    assert earned(play) == [WORKERS // 2, WORKERS // 4, WORKERS // 4]
    found = [play.seat(worker).quality_ppm for worker in players(play)]
    assert found == [1_000_000, 500_000, 500_000]


@pytest.mark.parametrize(
    ("scores", "changes"),
    [
        (a_score([0, 5, 5, 0]), SCORED),
        (a_score([5, 0, 0, 0], [0, 0, 0]), WITH_QUALITY),
    ],
)
def test_where_nobody_is_worth_anything_half_is_split_equally_and_half_returns(
    scores: Any, changes: Any
) -> None:
    play = settled(scores, changes)
    assert sum(earned(play)) == WORKERS // 2
    assert max(earned(play)) - min(earned(play)) <= 1
    assert play.job().escrow_uflt - play.job().held_uflt == WORKERS // 2


def test_identical_updates_share_one_contribution() -> None:
    play = a_play(SCORED)
    twins, other = sorted(play.asked()[:2]), play.asked()[2]
    for act in (play.commit, play.reveal):
        for worker in twins:
            act(workers=[worker], root=bytes(32))  # type: ignore[operator]
        act(workers=[other])  # type: ignore[operator]
    play.vote()
    play.post()
    play.attest()
    play.score(a_score([101, 0, 50]) if min(twins) < other else a_score([101, 50, 0]))
    found = [play.seat(worker).contribution_millionths for worker in (*twins, other)]
    assert found == [50, 50, 51]
    play.end_phase()
    shares = [play.seat(worker).earned_uflt for worker in (*twins, other)]
    assert shares[0] == pytest.approx(WORKERS * 50 // 151, abs=1)
    assert sum(shares) == WORKERS


def test_contributions_add_up_over_the_jobs_rounds_negative_ones_too() -> None:
    play = a_play({**MANY, "schedule.reserve_count": U32(0), "pay.reserve_ppm": U32(0),
                   "pay.worker_ppm": U32(750_000)}, bond_uflt=5_000 * FLT)  # fmt: skip
    for number, utilities in enumerate(([9, 0, 9, 3], [9, 12, 0, 3], [9, 0, 9, 12]), 1):
        play.to_score(number)
        play.score(a_score(utilities), number)
    play.end_phase(3)
    first, second, third = players(play)
    pool = play.round(3).pool_uflt * 3 // 4
    assert [rounds.WORTHS.must(play.world.state, (1, who)).values for who in (first, second)] == [
        (RoundValue(U32(1), 9), RoundValue(U32(2), -3), RoundValue(U32(3), 9)),
        (RoundValue(U32(1), 0), RoundValue(U32(2), 9), RoundValue(U32(3), 0)),
    ]
    weights = {first: 15, second: 9, third: 9}
    assert sum(earned(play, 3)) == pool
    for worker, weight in weights.items():
        share = play.seat(worker, 3).earned_uflt
        assert share == pytest.approx(pool * weight // 33, abs=1)
    answer = rounds.worths(play.world.state, rounds.WorthsRequest(1, Address(b""), 2))
    assert len(answer.worths) == 2


def test_only_the_last_rounds_count() -> None:
    changes = {**MANY, "schedule.reserve_count": U32(0), "pay.reserve_ppm": U32(0)}
    changes["pay.worker_ppm"] = U32(750_000)
    params = {"rounds": {"deadline_blocks": 1, "candidate_wait_s": 10, "worth_rounds": 2}}
    play = a_play(changes, params=params, bond_uflt=5_000 * FLT)
    for number, utilities in enumerate(([9, 0, 9, 9], [9, 9, 0, 9], [9, 9, 9, 0]), 1):
        play.to_score(number)
        play.score(a_score(utilities), number)
    play.end_phase(3)
    worth: Worth = rounds.WORTHS.must(play.world.state, (1, players(play)[0]))
    assert [value.round for value in worth.values] == [2, 3]
    half = play.round(3).pool_uflt * 3 // 8
    assert earned(play, 3) == pytest.approx([0, half, half], abs=1)


def test_a_requester_that_grants_nothing_pays_the_whole_pool_equally() -> None:
    play = a_play(SCORED).to_score()
    play.end_phase()
    round = play.round()
    assert (round.phase, round.reason) == (RoundPhase.CHALLENGE, "no_slices")
    play.end_phase()
    assert sum(earned(play)) == WORKERS
    assert max(earned(play)) - min(earned(play)) <= 1
    assert [play.reader(who).earned_uflt for who in play.evaluators] == [FLT] * 3


def test_without_a_quorum_other_evaluators_score_once() -> None:
    play = granted(SCORED, evaluator_count=6)
    old = [scorer.evaluator for scorer in play.scorers()]
    play.commit_scores({old[0]: AGREED, old[1]: AGREED})
    play.end_phase()
    round = play.round()
    assert (round.score_step, round.score_attempt) == (ScoreStep.GRANT, 2)
    new = [scorer.evaluator for scorer in play.scorers()]
    assert len(new) == 3
    assert not set(new) & {reader.participant for reader in play.readers()}
    assert [event.slices for event in play.world.said(SlicesDrawn)] == [round.slices] * 2
    locks = [bonds.find_lock(play.world.state, who, 1).amount_uflt for who in new]
    assert min(locks) >= 10 * FLT

    play.score(AGREED)
    assert play.round().score_outcome is ScoreOutcome.SCORED
    play.end_phase()
    assert [play.seat(who).contribution_millionths for who in players(play)] == [400, 100, 0]
    assert [play.scorer(who).earned_uflt for who in new] == [FLT] * 3
    assert [play.reader(who).earned_uflt for who in old] == [0] * 3
    told = moved(play)
    assert [told[who] for who in new] == [True] * 3
    assert [told[who] for who in old] == [False] * 3
    assert [bonds.find_lock(play.world.state, who, 1).seat_count for who in new] == [0] * 3


def test_without_a_quorum_twice_half_is_split_and_those_who_revealed_are_paid() -> None:
    play = granted(FIVE, evaluator_count=10)
    old = [scorer.evaluator for scorer in play.scorers()]
    play.commit_scores(dict.fromkeys(old[:3], AGREED))
    play.end_phase()
    play.reveal_scores(dict.fromkeys(old[:2], AGREED))
    play.end_phase()
    assert (play.round().score_step, play.round().score_attempt) == (ScoreStep.GRANT, 2)
    new = [scorer.evaluator for scorer in play.scorers()]
    play.grant()
    play.commit_scores(dict.fromkeys(new[:2], AGREED))
    play.end_phase()
    round = play.round()
    assert (round.phase, round.reason) == (RoundPhase.CHALLENGE, "no_quorum")
    play.end_phase()
    assert sum(earned(play)) == WORKERS // 2
    assert play.job().escrow_uflt - play.job().held_uflt >= WORKERS // 2
    paid = {who: play.reader(who).earned_uflt for who in old}
    assert [paid[who] for who in old[:2]] == [EVALUATORS * 2 // 5] * 2
    assert [paid[who] for who in old[2:]] == [0] * 3
    assert [play.scorer(who).earned_uflt for who in new] == [0] * 5
    assert moved(play)[old[2]] is False
    slashed = play.world.said(Slashed)
    assert [(event.participant, event.fault) for event in slashed] == [
        (old[2], Fault.UNREVEALED_SCORES)
    ]
    assert slashed[0].amount_uflt == 20 * FLT  # two percent of a bond of a thousand


def test_where_there_are_no_others_half_is_split_at_once() -> None:
    play = granted(SCORED)
    play.end_phase()
    round = play.round()
    assert (round.phase, round.score_outcome) == (RoundPhase.CHALLENGE, ScoreOutcome.NO_QUORUM)
    play.end_phase()
    assert sum(earned(play)) == WORKERS // 2


def test_who_lies_far_from_the_medians_is_unpaid_and_not_slashed() -> None:
    play = granted(SCORED)
    liar, *honest = play.evaluators
    bond = play.world.registration(liar).bonded_uflt
    given = {who: a_score([900, 500, 800, 900]) for who in honest}
    given[liar] = a_score([900_000] * 4)
    play.commit_scores(given)
    play.reveal_scores(given)
    assert [play.scorer(who).is_far for who in (liar, *honest)] == [True, False, False]
    play.end_phase()
    assert [play.reader(who).earned_uflt for who in (liar, *honest)] == [0, *[EVALUATORS // 2] * 2]
    assert play.world.registration(liar).bonded_uflt == bond


def test_who_scored_but_attested_nothing_is_unpaid() -> None:
    play = a_play(SCORED).to_aggregate()
    play.post()
    lazy, *keen = play.evaluators
    play.attest(evaluators=keen)
    play.score(AGREED)
    play.end_phase()
    assert [play.reader(who).earned_uflt for who in (lazy, *keen)] == [0, *[EVALUATORS // 2] * 2]


def test_who_attests_during_the_scoring_is_paid() -> None:
    play = a_play(SCORED).to_aggregate()
    play.post()
    late, *keen = play.evaluators
    play.attest(evaluators=keen)
    assert play.round().phase is RoundPhase.SCORE
    play.attest(evaluators=[late])
    play.score(AGREED)
    play.end_phase()
    assert play.reader(late).earned_uflt == EVALUATORS // 3


def test_rounds_settle_in_order() -> None:
    play = a_play({**MANY, "schedule.score_s": U32(300)}, bond_uflt=5_000 * FLT).to_score()
    play.to_challenge(2)
    play.end_phase(2)
    assert [play.round(number).phase for number in (1, 2)] == [
        RoundPhase.SCORE,
        RoundPhase.CHALLENGE,
    ]
    play.score(AGREED, 1)
    play.end_phase(1)
    play.world.wait(1)
    assert {play.round(number).phase for number in (1, 2)} == {RoundPhase.SETTLED}


def test_a_round_that_is_voided_while_it_is_scored_counts_for_nobody() -> None:
    play = granted(SCORED, evaluator_count=6)
    play.end_phase()
    assert play.round().score_attempt == 2
    play.world.do(void_round, 1, 1, "false_aggregate")
    assert play.round().phase is RoundPhase.VOIDED
    assert play.job().completed_round_count == 0
    assert list(bonds.LOCKS.items(play.world.state)) == []
    assert list(rounds.WORTHS.items(play.world.state)) == []
    play.world.pass_block()
    play.to_challenge(2)


def test_a_draw_that_has_to_wait_is_waited_for() -> None:
    play = a_play(SCORED).to_aggregate()
    params = rounds.PARAMS.get(play.world.state)
    play.post()
    held = replace(params, draws_per_block_max=U32(0))
    rounds.PARAMS.put(play.world.state, held)
    play.attest()
    play.end_phase()
    assert play.round().score_step is ScoreStep.DRAW
    rounds.PARAMS.put(play.world.state, params)
    play.world.pass_block()
    assert play.round().score_step is ScoreStep.GRANT


def test_a_whole_scored_job_leaves_nothing_behind() -> None:
    play = a_play({**SCORED, "schedule.round_count": U32(3)}, budget_uflt=77_777_777)
    for number in (1, 2, 3):
        play.to_challenge(number)
    play.end_phase(3)
    assert play.job().phase is JobPhase.REVIEW
    play.world.wait(3_600)
    play.world.pass_block()
    assert play.job().phase is JobPhase.SETTLED
    assert play.world.balance("escrow") == 0
