"""Rounds scored by real roles on a real chain: slices granted, opened, measured, paid by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest

from app.modules.jobs import ContributionRule
from app.modules.rounds import RoundPhase, ScoreOutcome, SeatState
from app.sdk.protocol import U32, EditRegistration, JobPhase
from fl_worker.flower.trainer import node_id_of
from fl_worker.roles import agent, opener, scorer
from fl_worker.roles.decide import Act
from fl_worker.scoring.slices import cut_slices
from tests.worker.town import Town, ToyApp, open_town
from tests.worker.toy_bench import ToyBench

SCORED = {"pay.contribution": ContributionRule.LEAVE_ONE_OUT}
ONE_ROUND = SCORED | {"schedule.round_count": U32(1)}


@pytest.fixture
async def town(tmp_path: Path, app: ToyApp, bench: ToyBench) -> AsyncIterator[Town]:
    async with open_town(tmp_path, app) as town:
        yield town


def expected_contributions(town: Town, number: int) -> dict[bytes, float]:
    """What each included update moved the mean by, in millionths."""
    seats = [seat for seat in town.state(number).seats if seat.state is SeatState.INCLUDED]
    steps = {s.worker: town.app.steps[node_id_of(s.worker), number] for s in seats}
    mean, count = sum(steps.values()) / len(steps), len(steps)
    return {
        worker: 1e6 * (mean - (mean * count - step) / (count - 1)) for worker, step in steps.items()
    }


def expect_scored(town: Town, number: int) -> None:
    """Every seat's contribution is what the updates themselves say."""
    assert town.round(number).score_outcome is ScoreOutcome.SCORED
    expected = expected_contributions(town, number)
    found = {
        seat.worker: seat.contribution_millionths
        for seat in town.state(number).seats
        if seat.state is SeatState.INCLUDED
    }
    assert found == pytest.approx(expected, abs=3)
    assert any(expected.values())


async def test_rounds_are_scored_on_their_slices_and_paid_by_it(
    town: Town, bench: ToyBench
) -> None:
    await town.post(SCORED)
    for number in (1, 2):
        await town.until_phase(RoundPhase.CHALLENGE, number)
        expect_scored(town, number)
        scores = {each.scores.utilities for each in town.state(number).scorers}
        assert len(scores) == 1  # all three measured the same
        assert {each.is_far for each in town.state(number).scorers} == {False}
    slices = cut_slices(town.people["requester"].folder / "validation")
    drawn = [tuple(slices[number] for number in town.round(n).slices) for n in (1, 2)]
    assert sorted(bench.opened) == sorted(drawn * 3)
    assert bench.started_count == 3  # one an evaluator, for all rounds
    await town.settle()
    await town.accept()
    expect_paid_by_worth(town)
    assert town.job().phase is JobPhase.SETTLED
    await town.until(lambda: bench.closed_count == 3)
    await town.until(lambda: not any(each.journal.scored_rounds(1) for each in town.readers))


def expect_paid_by_worth(town: Town) -> None:
    """In the first round the best was paid, and whoever lowered the metric's gain wasn't."""
    seats = [seat for seat in town.state(1).seats if seat.state is SeatState.INCLUDED]
    earned = [seat.earned_uflt for seat in seats if seat.contribution_millionths > 0]
    unpaid = [seat.earned_uflt for seat in seats if seat.contribution_millionths < 0]
    assert min(earned) > 0
    assert unpaid
    assert not any(unpaid)


@pytest.mark.parametrize(
    ("act", "is_sent"), [*product((Act.COMMIT_SCORES, Act.REVEAL_SCORES), (False, True))]
)
async def test_an_evaluator_killed_at(town: Town, bench: ToyBench, act: Act, is_sent: bool) -> None:
    may_train = await town.post_and_draw(ONE_ROUND)
    victim = town.person(town.state().readers[-1].participant)
    reached = victim.stop_at(act, is_sent=is_sent)
    may_train.set()
    await town.until(reached.is_set)
    await victim.restart()
    await town.until_phase(RoundPhase.CHALLENGE)
    expect_scored(town, 1)
    assert len(bench.opened) == 3  # what is in the journal isn't measured again


async def test_an_app_is_started_while_the_round_still_trains(
    town: Town, bench: ToyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "LOOK_AGAIN_S", 1000)
    may_train = await town.post_and_draw(ONE_ROUND)
    await town.until(lambda: bench.started_count == 3)
    assert town.round().phase is RoundPhase.COMMIT
    may_train.set()
    await town.until_phase(RoundPhase.CHALLENGE)
    expect_scored(town, 1)


async def test_where_enough_apps_are_kept_one_is_started_for_each_round_and_ended_after_it(
    town: Town, bench: ToyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opener, "BENCHES_KEPT", 0)
    await town.post(SCORED)
    for number in (1, 2):
        await town.until_phase(RoundPhase.CHALLENGE, number)
        expect_scored(town, number)
    assert (bench.started_count, bench.closed_count) == (6, 6)


async def test_keys_that_open_nothing_are_refused_and_all_are_paid_equally(town: Town) -> None:
    journal = town.people["requester"].journal
    journal.find_slice_key = lambda cid: bytes(32)  # type: ignore[method-assign]
    await town.post(ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.round().score_outcome is ScoreOutcome.NO_SLICES
    assert [each.refused for each in town.state().scorers] == [True] * 3
    await town.settle()
    await town.accept()
    earned = {s.earned_uflt for s in town.state().seats if s.state is SeatState.INCLUDED}
    assert len(earned) == 1
    assert earned.pop() > 0


async def test_slices_of_another_hash_are_refused(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opener, "unseal", lambda data, key: b"other rows")
    await town.post(ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.round().score_outcome is ScoreOutcome.NO_SLICES


async def test_slices_on_which_the_app_fails_are_refused_once_there_is_no_time_left(
    town: Town, bench: ToyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "PATIENCE", 1 / 600)
    bench.fails = True
    await town.post(ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.round().score_outcome is ScoreOutcome.NO_SLICES


async def test_an_app_that_fails_once_is_tried_again(town: Town, bench: ToyBench) -> None:
    bench.fails = True
    await town.post(ONE_ROUND)
    await town.until_phase(RoundPhase.SCORE)
    await town.until(lambda: all(each.slice_keys for each in town.state().scorers))
    bench.fails = False
    await town.until_phase(RoundPhase.CHALLENGE)
    expect_scored(town, 1)


async def test_others_who_never_read_the_round_score_it_when_too_few_did(
    tmp_path: Path, app: ToyApp, bench: ToyBench
) -> None:
    more = [f"evaluator {number}" for number in range(3, 6)]
    async with open_town(tmp_path, app, more=more) as town:
        may_train = await town.post_and_draw(ONE_ROUND)
        readers = {each.participant for each in town.state().readers}
        first = [p for p in town.readers if p.reader._scorer and p.signer.address in readers]
        stopped = [each.stop_at(Act.COMMIT_SCORES, is_sent=False) for each in first]
        may_train.set()
        await town.until(lambda: all(each.is_set() for each in stopped))
        town.pass_time()
        await town.until_phase(RoundPhase.CHALLENGE)
        assert town.round().score_attempt == 2
        assert len([each for each in town.state().scorers if each.scores.salt]) == 3
        expect_scored(town, 1)


async def test_a_requester_that_is_away_grants_when_it_comes_back(town: Town) -> None:
    requester = town.people["requester"]
    reached = requester.stop_at(Act.GRANT_SLICES, is_sent=False)
    await town.post(ONE_ROUND)
    await town.until(reached.is_set)
    await requester.restart()
    await town.until_phase(RoundPhase.CHALLENGE)
    expect_scored(town, 1)


async def test_an_evaluator_without_a_usable_reader_key_does_not_keep_the_others_from_theirs(
    town: Town,
) -> None:
    victim = town.people["evaluator 0"]
    endpoint = f"http://127.0.0.1:{victim.port}"
    edit = EditRegistration(victim.signer.address, victim.payout, endpoint, bytes(32), False)
    await victim.client.submit(victim.signer, [edit])
    await town.post(ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.round().score_outcome is ScoreOutcome.NO_QUORUM
    scorers = {each.evaluator: each for each in town.state().scorers}
    assert [who for who, each in scorers.items() if each.refused] == [victim.signer.address]
    assert sum(bool(each.commitment) for each in scorers.values()) == 2
