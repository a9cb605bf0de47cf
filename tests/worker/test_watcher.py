"""A watcher disproves what liars attested, earns by it, and never challenges what is right."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.learning import proof as chain_proof
from app.learning.proof import ProofRefused, is_proven_false
from app.modules import bank, slashing
from app.modules.disputes import DISPUTES, Dispute, DisputePhase
from app.modules.rounds import RoundPhase
from app.modules.slashing import RoundSlashesRequest
from app.sdk.client import Client
from app.sdk.protocol import U32, JobPhase, JobRequest, claim_of
from fl_worker.blobs.cids import BlobFault
from fl_worker.roles import reader, watcher
from fl_worker.roles.decide import Act
from fl_worker.roles.journal import Challenge, Journal
from fl_worker.roles.watcher import WatcherConfig
from tests.build import FLT
from tests.worker.test_agent import ALL_FOUR, ONE_ROUND
from tests.worker.town import Person, Town

BEFORE_UFLT = 10**12
"""What everyone in the town has at first."""
FEES_UFLT_MAX = FLT
POINTS = [(act, is_sent) for act in (Act.CHALLENGE, Act.OPEN) for is_sent in (False, True)]


@pytest.fixture
def liars(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let all readers agree on a false model, until this is called."""
    honest = reader.combine

    def lie(*given: Any, **terms: Any) -> bytes:
        model = honest(*given, **terms)
        return bytes([model[0] ^ 1]) + model[1:]

    monkeypatch.setattr(reader, "combine", lie)
    return lambda: monkeypatch.setattr(reader, "combine", honest)


def watchers(town: Town) -> list[Person]:
    return [each for name, each in town.people.items() if name.startswith("watcher")]


def disputes(town: Town) -> list[Dispute]:
    return [row for _, row in DISPUTES.items(town.node.application.state)]


def journaled(person: Person) -> Challenge:
    (challenge,) = person.journal.challenges()
    return challenge


def gain_uflt(town: Town, person: Person) -> int:
    return bank.get_balance(town.node.application.state, person.signer.address) - BEFORE_UFLT


def quarter_of_the_slashed_uflt(town: Town) -> int:
    request = RoundSlashesRequest(town.job().job_id, U32(1))
    slashes = slashing.round_slashes(town.node.application.state, request).slashes
    assert len(slashes) == 4, "the aggregator and the three who attested"
    return sum(each.amount_uflt for each in slashes) // 4


async def post_a_lie(town: Town, liars: Callable[[], None]) -> None:
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(lambda: town.has_round(1) and town.round().attested_count == 3)
    liars()


async def expect_it_earned(town: Town, person: Person) -> None:
    await town.until(lambda: person.journal.challenges() and journaled(person).outcome)
    earned = quarter_of_the_slashed_uflt(town)
    challenge = journaled(person)
    assert (challenge.outcome, challenge.earned_uflt) == ("upheld", earned)
    assert earned - FEES_UFLT_MAX < gain_uflt(town, person) < earned
    await town.until(lambda: town.has_round(2) and town.round(2).attested_count == 3)


async def test_a_false_model_is_disproved_and_the_job_goes_on(
    town: Town, liars: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    me, _ = watchers(town)
    me.follow()
    await post_a_lie(town, liars)
    await town.until_phase(RoundPhase.VOIDED)
    await expect_it_earned(town, me)
    assert f"earned {quarter_of_the_slashed_uflt(town) / FLT:g}flt" in caplog.text
    await town.until_phase(RoundPhase.CHALLENGE, 2)
    assert town.round(2).base_root == town.round(1).base_root
    await town.until(lambda: "round 2: the model is right" in caplog.text)
    await town.until(lambda: town.round(2).attested_count == 3)
    town.pass_time()
    await town.accept()
    assert town.job().phase is JobPhase.SETTLED
    await town.until(lambda: not me.journal.held_jobs())
    assert me.store.tags() == []
    assert len(disputes(town)) == 1


@pytest.mark.parametrize(("act", "is_sent"), POINTS)
async def test_a_watcher_killed_at(
    town: Town, liars: Callable[[], None], act: Act, is_sent: bool
) -> None:
    me, _ = watchers(town)
    reached = me.stop_at(act, is_sent=is_sent)
    me.follow()
    await post_a_lie(town, liars)
    await town.until(reached.is_set)
    kept = journaled(me)
    await me.restart()
    await expect_it_earned(town, me)
    assert journaled(me).salt == kept.salt
    assert [row.phase for row in disputes(town)] == [DisputePhase.UPHELD]


async def test_a_long_proof_is_opened_in_parts(
    town: Town, liars: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_proof, "PART_BYTES_MAX", 2_000)
    me, _ = watchers(town)
    reached = me.stop_at(Act.ADD_PART, is_sent=True)
    me.follow()
    await post_a_lie(town, liars)
    await town.until(reached.is_set)
    assert [row.received_count for row in disputes(town)] == [2]
    await me.restart()
    await expect_it_earned(town, me)
    assert disputes(town)[0].part_count > 3


async def test_where_an_earlier_challenge_wins_the_deposit_returns(
    town: Town, liars: Callable[[], None]
) -> None:
    first, second = watchers(town)
    reached = first.stop_at(Act.OPEN, is_sent=False)
    first.follow()
    await post_a_lie(town, liars)
    await town.until(reached.is_set)
    second.follow()
    await town.until(lambda: [row.phase.name for row in disputes(town)] == ["COMMITTED", "PROVEN"])
    await first.restart()
    await expect_it_earned(town, first)
    await town.until(lambda: journaled(second).outcome)
    assert (journaled(second).outcome, journaled(second).earned_uflt) == ("returned", 0)
    assert -FEES_UFLT_MAX < gain_uflt(town, second) < 0


async def test_what_ended_while_it_was_away_is_reported_after_the_job_s_end(
    town: Town, liars: Callable[[], None]
) -> None:
    me, _ = watchers(town)
    reached = me.stop_at(Act.OPEN, is_sent=True)
    me.follow()
    await post_a_lie(town, liars)
    await town.until(reached.is_set)
    await me.kill()
    await town.until_phase(RoundPhase.CHALLENGE, 2)
    await town.until(lambda: town.round(2).attested_count == 3)
    town.pass_time()
    await town.accept()
    await me.start()
    assert not journaled(me).outcome
    me.follow()
    await expect_it_earned(town, me)


async def test_who_can_not_open_in_time_loses_one_deposit_and_says_so(
    town: Town, liars: Callable[[], None]
) -> None:
    me, _ = watchers(town)
    reached = me.stop_at(Act.OPEN, is_sent=False)
    me.follow()
    await post_a_lie(town, liars)
    await town.until(reached.is_set)
    await me.kill()
    town.pass_time(150)
    await town.until(lambda: [row.phase.name for row in disputes(town)] == ["EXPIRED"])
    await me.start()
    me.follow()
    town.pass_time()
    await town.until_phase(RoundPhase.SETTLED)
    await town.until(lambda: journaled(me).outcome == "expired")
    assert -10 * FLT - FEES_UFLT_MAX < gain_uflt(town, me) < -10 * FLT
    assert len(disputes(town)) == 1


async def test_a_proof_that_shows_nothing_costs_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watcher, "prove_false", lambda *given: b"no proof")
    me, _ = watchers(town)
    me.follow()
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(lambda: me.journal.challenges() and journaled(me).outcome)
    assert journaled(me).outcome == "unproven"
    assert "the proof shows nothing" in caplog.text
    caplog.clear()
    await town.until(lambda: town.round().attested_count == 3)
    assert (disputes(town), gain_uflt(town, me)) == ([], 0)


async def test_a_right_model_is_not_challenged_even_with_a_proof_of_its_right_chunk(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    honest = watcher.prove_false

    def prove_other(claim: Any, base: bytes, updates: Any, posted: bytes) -> bytes | None:
        monkeypatch.setattr("fl_worker.update.proof.find_false_chunk", lambda *_: 0)
        found.append((claim, honest(claim, base, updates, posted)))
        return None

    monkeypatch.setattr(watcher, "prove_false", prove_other)
    me, _ = watchers(town)
    me.follow()
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(lambda: found and town.round().attested_count == 3)
    claim, data = found[0]
    assert claim == claim_of(town.job(), town.round(), town.state().seats)
    assert not is_proven_false(claim, data)
    with pytest.raises(ProofRefused):
        is_proven_false(replace(claim, posted_root=bytes(32)), data)


async def test_what_can_not_be_fetched_is_said_and_tried_again(
    town: Town, liars: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    me, _ = watchers(town)
    fetch, is_cut_off = me.peers._fetch, True

    async def cut_off(*given: Any) -> None:
        if is_cut_off:
            raise BlobFault("cut off")
        await fetch(*given)

    me.peers._fetch = cut_off  # type: ignore[method-assign]
    me.follow()
    await post_a_lie(town, liars)
    await town.until(lambda: "check failed, will try again: the base model: cut off" in caplog.text)
    is_cut_off = False
    await expect_it_earned(town, me)


async def test_bytes_without_their_root_are_said_and_not_looked_at_again(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []
    honest = watcher.prove_false

    def prove_another(claim: Any, *given: Any) -> bytes | None:
        calls.append(1)
        return honest(replace(claim, posted_root=bytes(32)), *given)

    monkeypatch.setattr(watcher, "prove_false", prove_another)
    me, _ = watchers(town)
    me.follow()
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(lambda: "the model can't be checked: the posted model" in caplog.text)
    await town.settle()
    await town.until_phase(RoundPhase.SETTLED)
    assert (len(calls), me.journal.challenges()) == (1, [])


@pytest.mark.parametrize(
    ("limit_flt", "words"),
    [(9, "that is more than the limit of 9flt: raise --deposit-max"), (100, "holds 1flt")],
)
async def test_no_more_money_is_staked_than_allowed_and_there(
    town: Town,
    liars: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    limit_flt: int,
    words: str,
) -> None:
    me, _ = watchers(town)
    me.watch = WatcherConfig(limit_flt * FLT)

    async def balance(*given: Any) -> int:
        return FLT

    await me.kill()
    await me.start()
    if limit_flt == 100:
        me.client.balance = balance  # type: ignore[method-assign]
    me.follow()
    await post_a_lie(town, liars)
    await town.until(lambda: words in caplog.text)
    assert (disputes(town), journaled(me).deposit_uflt) == ([], 0)


async def test_only_named_jobs_are_watched_and_those_with_a_challenge(town: Town) -> None:
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(lambda: town.has_round(1) and town.round().attested_count == 3)
    me, other = watchers(town)
    async with await Client.connect(town.node.address) as client:
        job = (await client.query(JobRequest(town.job().job_id))).job
    assert await me.watcher.wants(job)
    assert me.journal.held_jobs() == [1]
    other.watch = WatcherConfig(100 * FLT, frozenset({2}))
    for wanted in (False, True):
        await other.kill()
        if wanted:
            journal = Journal(other.folder / "journal.sqlite")
            journal.save_challenge(Challenge(1, 1, b"proof", b"salt"))
            journal.close()
        await other.start()
        assert await other.watcher.wants(job) is wanted
