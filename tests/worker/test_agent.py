"""Whole jobs in one process: every role and its memory on a real chain; only the app is a toy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from app.modules import reputation
from app.modules.rounds import RoundPhase, SeatKind, SeatState
from app.sdk.client import Client
from app.sdk.protocol import U32, JobPhase, JobStateRequest, has_bit
from app.wire.tx import decode_tx
from fl_worker.blobs.cids import Blob, BlobFault
from fl_worker.flower.trainer import node_id_of
from fl_worker.roles import agent, reader, updates
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import Act
from fl_worker.roles.journal import Journal
from fl_worker.roles.standing import StandingOrder, join, leave
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import from_model
from tests.worker.ipfs_net import IpfsNode
from tests.worker.town import BASE, Person, Town, ToyApp, open_town

ONE_ROUND = {"schedule.round_count": U32(1)}
ALL_FOUR = {"schedule.cohort_size": U32(4), "schedule.reserve_count": U32(0)}
"""Every worker of the town has a seat in every round."""
AFTER_FEE = 0.99


# ---- what a job comes to


async def test_a_job_is_trained_and_paid_and_leaves_nothing(town: Town) -> None:
    await town.post()
    await town.until_phase(RoundPhase.CHALLENGE, 2)
    await expect_the_mean_of_what_was_trained_at_every_reader(town)
    await town.settle()
    assert town.job().phase is JobPhase.REVIEW
    kept = ["job/1/model/1", "job/1/model/2", "job/1/round/0"]
    await town.until(lambda: all(each.store.tags() == kept for each in town.readers))
    await town.accept()
    expect_everyone_is_paid_to_the_unit(town)
    kept = ["job/1/layout", "job/1/model/2"]
    await town.until(lambda: all(each.store.tags() == kept for each in town.readers))
    await town.until(lambda: not any(each.store.tags() for each in town.workers))
    assert town.app.closed_count == len(town.workers)


async def test_a_job_is_done_with_bytes_in_ipfs_nodes(
    tmp_path: Path, app: ToyApp, ipfs_nodes: tuple[IpfsNode, IpfsNode]
) -> None:
    before = [node.pinned() for node in ipfs_nodes]
    async with open_town(tmp_path, app, *ipfs_nodes) as town:
        await town.post()
        await town.until_phase(RoundPhase.CHALLENGE, 2)
        await expect_the_mean_of_what_was_trained_at_every_reader(town)
        updates = {seat.reveal.blob.cid for seat in town.state(2).seats if seat.reveal.blob.cid}
        assert all(updates <= node.pinned() for node in ipfs_nodes)
        await town.settle()
        await town.accept()
        expect_everyone_is_paid_to_the_unit(town)
        kept = ["job/1/layout", "job/1/model/2"]
        await town.until(lambda: all(each.store.tags() == kept for each in town.readers))
        await town.until(lambda: not any(each.store.tags() for each in town.workers))
        assert not any(updates & node.pinned() for node in ipfs_nodes)
        for person in town.people.values():
            for tag in person.store.tags():
                person.store.drop(tag)
    assert [node.pinned() for node in ipfs_nodes] == before


async def expect_the_mean_of_what_was_trained_at_every_reader(town: Town) -> None:
    moved = 0.0
    for state in (town.state(1), town.state(2)):
        trained = [seat.worker for seat in state.seats if seat.state is SeatState.INCLUDED]
        steps = [town.app.steps[node_id_of(who), state.round.round] for who in trained]
        moved += sum(steps) / len(steps)
    blob = Blob(town.job().model.cid, town.job().model.size_bytes)
    await town.until(lambda: all(2 in each.journal.models(1) for each in town.readers))
    for person in town.readers:
        arrays = from_model(person.store.read(blob), Layout.from_arrays(BASE))
        assert np.allclose(arrays["weight"], BASE["weight"] + moved, atol=1e-5)


def expect_everyone_is_paid_to_the_unit(town: Town) -> None:
    due = dict.fromkeys(town.people, 0.0)
    for state in (town.state(1), town.state(2)):
        for seat in state.seats:
            due[town.person(seat.worker).name] += 2.8 if seat.kind is SeatKind.COHORT else 0.6
        for evaluator in state.readers[3:]:
            due[town.person(evaluator.participant).name] += 0.6
        due[town.person(state.round.aggregator).name] += 1.2
    paid = {name: town.earned_flt(person) for name, person in town.people.items()}
    assert paid == pytest.approx({name: flt * AFTER_FEE for name, flt in due.items()}, abs=1e-9)
    assert town.job().paid_uflt == town.job().budget_uflt


async def test_who_is_away_when_a_job_ends_gives_it_back_later(town: Town) -> None:
    await town.post(ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    await town.until(lambda: town.round().attested_count == 3)
    away = (town.workers[0], town.readers[0])
    for person in away:
        await person.kill()
    await town.settle()
    await town.accept()
    for person in away:
        await person.start()
        assert "job/1/round/0" in person.store.tags()
        person.follow()
        await town.until(lambda person=person: not person.journal.held_jobs())
        assert "job/1/round/0" not in person.store.tags()


def push_slowly(town: Town, until: Callable[[], Any]) -> None:
    """Let what pushes the job's bytes have its last answers only once a condition holds."""
    transfer = town.people["requester"].pusher.transfer
    push = transfer.push

    async def push_late(blob: Blob, *given: Any) -> Any:
        outcomes = await push(blob, *given)
        if blob.cid == town.job().spec.work.base.cid:
            await town.until(until)
        return outcomes

    transfer.push = push_late  # type: ignore[method-assign]


async def test_a_round_doesn_t_wait_until_its_job_s_bytes_are_pushed_everywhere(
    town: Town,
) -> None:
    push_slowly(town, lambda: town.has_round(1) and town.round().phase is RoundPhase.CHALLENGE)
    await town.post(ONE_ROUND)
    assert town.round().included_count == 3


async def test_whoever_is_stopped_in_a_round_is_known_before_it_begins(town: Town) -> None:
    push_slowly(town, lambda: sum(map(len, town.app.calls.values())) == 3)
    may_train = await town.post_and_draw(ONE_ROUND)
    assert (town.round().phase, town.round().committed_count) == (RoundPhase.COMMIT, 0)
    may_train.set()
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.round().included_count == 3


# ---- a worker that is killed


WORKER_POINTS: dict[str, tuple[Act, bool]] = {
    "before_it_has_joined": (Act.WARM, False),
    "when_it_has_joined": (Act.WARM, True),
    "when_its_update_is_kept": (Act.COMMIT, False),
    "when_it_has_committed": (Act.COMMIT, True),
    "when_its_update_is_pushed": (Act.REVEAL, False),
    "when_it_has_revealed": (Act.REVEAL, True),
}


@pytest.mark.parametrize("point", WORKER_POINTS.values(), ids=WORKER_POINTS.keys())
async def test_a_worker_killed(town: Town, point: tuple[Act, bool]) -> None:
    act, is_sent = point
    victim = town.workers[0]
    reached = victim.stop_at(act, is_sent=is_sent)
    await town.post(ALL_FOUR)
    await town.until(reached.is_set)
    await victim.restart()
    await town.until_phase(RoundPhase.CHALLENGE, 2)
    assert town.app.calls_of(victim) == [(1, b""), (2, b"\x01")], "neither repeats nor forgets"
    assert [town.seat(victim, number).state for number in (1, 2)] == [SeatState.INCLUDED] * 2


def hang_once(victim: Person) -> tuple[asyncio.Event, Callable[[int], Awaitable[None]]]:
    """What holds its app up the first time, and says so."""
    reached = asyncio.Event()

    async def hang(node_id: int) -> None:
        if node_id == node_id_of(victim.signer.address) and not reached.is_set():
            reached.set()
            await asyncio.Event().wait()

    return reached, hang


async def test_a_worker_killed_while_its_app_starts_starts_it_again(town: Town) -> None:
    victim = town.workers[0]
    reached, town.app.before_warm = hang_once(victim)
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(reached.is_set)
    await victim.restart()
    assert town.app.closed_count == 1
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.seat(victim).state is SeatState.INCLUDED


async def test_a_worker_killed_while_it_trains_trains_again(town: Town) -> None:
    victim = town.workers[0]
    reached, town.app.before_train = hang_once(victim)
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(reached.is_set)
    await victim.restart()
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.app.calls_of(victim) == [(1, b""), (1, b"")]
    assert town.seat(victim).state is SeatState.INCLUDED


async def test_a_worker_killed_while_its_commitment_waits_for_a_block_commits_once(
    town: Town,
) -> None:
    victim = town.workers[0]

    async def halt(node_id: int) -> None:
        if node_id == node_id_of(victim.signer.address):
            town.makes_blocks = False

    def is_sent() -> bool:
        signers = [decode_tx(raw).signers for raw in town.node.engine.waiting]
        return not town.makes_blocks and (victim.signer.address,) in signers

    town.app.before_train = halt
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(is_sent)
    await victim.restart()
    town.makes_blocks = True
    await town.until_phase(RoundPhase.CHALLENGE)
    assert len(town.app.calls_of(victim)) == 1
    assert town.seat(victim).state is SeatState.INCLUDED


async def test_who_leaves_and_is_killed_still_owes_its_round(town: Town) -> None:
    victim, may_train = town.workers[0], asyncio.Event()
    town.app.before_train = lambda node_id: may_train.wait()
    await town.post(ALL_FOUR)
    await town.until(lambda: len(town.app.calls_of(victim)) == 1)
    await leave(victim.chain, town.job().job_id)
    await victim.restart()
    may_train.set()
    await town.until_phase(RoundPhase.CHALLENGE, 2)
    assert town.seat(victim, 1).state is SeatState.INCLUDED
    assert victim.signer.address not in [seat.worker for seat in town.state(2).seats]
    await town.settle()
    await town.accept()
    await town.until(lambda: victim.store.tags() == [])


# ---- a worker that does otherwise


async def test_a_running_worker_follows_what_is_joined_by_hand(town: Town) -> None:
    person = town.workers[0]
    person.order = StandingOrder()
    await person.restart()
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(lambda: person.journal.decisions().get(1, "").startswith("refused"))
    journal = Journal(person.folder / "journal.sqlite")
    async with await Client.connect(town.node.address) as client:
        await join(Chain(client, person.signer, journal), town.job().job_id)
    journal.close()
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.seat(person).state is SeatState.INCLUDED


async def test_an_app_that_gives_other_arrays_is_run_again_after_a_rest(town: Town) -> None:
    wrong = iter(range(4))

    def spoil(arrays: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"bias": np.zeros(3)} if next(wrong, None) is not None else arrays

    town.app.spoil = spoil
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    assert sum(len(town.app.calls_of(each)) for each in town.workers) == 8


async def test_a_worker_whose_node_was_behind_asks_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "LOOK_AGAIN_S", 0.1)
    client = town.workers[0].client
    query, behind = client.query, asyncio.Event()

    async def query_behind(request: Any) -> Any:
        answer = await query(request)
        if isinstance(request, JobStateRequest) and answer.rounds and not behind.is_set():
            await town.until_phase(RoundPhase.COMMIT)
            behind.set()
            return replace(answer, rounds=())
        return answer

    client.query = query_behind  # type: ignore[method-assign]
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    assert behind.is_set()


def lie(victim: Person) -> None:
    """Let it reveal another root than its bytes have."""
    save = victim.journal.save_update

    def save_a_lie(job_id: int, number: int, reveal: Any, state: bytes) -> None:
        save(job_id, number, replace(reveal, update_root=bytes(32)), state)

    victim.journal.save_update = save_a_lie  # type: ignore[method-assign]


def keep_to_itself(victim: Person) -> None:
    """Let it reveal bytes that it gives to nobody."""

    async def push(*_: Any) -> int:
        return 6

    victim.peers.push = push  # type: ignore[method-assign]


@pytest.mark.parametrize("misbehave", [lie, keep_to_itself], ids=lambda each: each.__name__)
async def test_bytes_that_are_wrong_or_missing_cost_only_who_sent_them(
    town: Town, misbehave: Callable[[Person], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 0.001)
    victim, *others = town.workers
    misbehave(victim)
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until_phase(RoundPhase.CHALLENGE)
    await town.settle()
    await town.accept()
    assert town.seat(victim).state is SeatState.EXCLUDED
    assert (town.earned_flt(victim), town.seat(victim).earned_uflt) == (0, 0)
    standings = [
        reputation.find_standing(town.node.application.state, each.signer.address)
        for each in town.workers
    ]
    assert standings[0].reputation_ppm < min(each.reputation_ppm for each in standings[1:])
    assert [town.earned_flt(each) for each in others] == [pytest.approx(16.8 / 3 * AFTER_FEE)] * 3


# ---- readers


@pytest.mark.parametrize(
    ("act", "is_sent"), [*product((Act.VOTE, Act.POST, Act.ATTEST), (False, True))]
)
async def test_a_reader_killed_at(town: Town, act: Act, is_sent: bool) -> None:
    may_train = await town.post_and_draw(ONE_ROUND)
    victim = town.person(town.state().readers[0 if act is Act.POST else -1].participant)
    reached = victim.stop_at(act, is_sent=is_sent)
    may_train.set()
    await town.until(reached.is_set)
    if act is Act.VOTE and not is_sent:
        await town.until(lambda: town.round().voted_count == 5)
        assert town.round().phase is RoundPhase.INCLUDE
    await victim.restart()
    await town.until(lambda: town.round().attested_count == 3)
    assert (town.round().voted_count, town.round().aggregate_attempt) == (6, 1)


async def test_when_the_aggregator_on_turn_is_gone_the_next_takes_over(town: Town) -> None:
    may_train = await town.post_and_draw(ONE_ROUND)
    first, second = [town.person(each.participant) for each in town.state().readers[:2]]
    reached = first.stop_at(Act.POST, is_sent=False)
    may_train.set()
    await town.until(reached.is_set)
    await first.kill()
    others = [each for each in town.readers if each is not first]
    await town.until(lambda: all(1 in each.journal.models(1) for each in others))
    town.pass_time()
    await town.until_phase(RoundPhase.CHALLENGE)
    await town.settle()
    await town.accept()
    assert town.round().aggregate_attempt == 2
    assert town.earned_flt(first) == 0
    assert town.earned_flt(second) == pytest.approx(2.4 * AFTER_FEE)


async def test_nobody_posts_a_model_that_the_roots_of_its_parts_would_disprove(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    await town.post(ALL_FOUR | ONE_ROUND | {"work.base_root": bytes(32)})
    await town.until(lambda: caplog.text.count("not used") >= len(town.readers))
    for _ in range(3):
        town.pass_time()
    await town.until_phase(RoundPhase.ABORTED)
    assert town.round().reason == "no_aggregate"
    assert not any(1 in each.journal.models(1) for each in town.readers)


def test_bytes_of_an_outvoted_reader_must_have_their_root() -> None:
    data, layout_hash = bytes(range(64)), bytes(32)
    root = updates.tree_root(data, 4, layout_hash).root
    updates.require_root(data, 4, layout_hash, root)
    with pytest.raises(BlobFault, match=f"the chain has {bytes(32).hex()}; not used"):
        updates.require_root(data, 4, layout_hash, bytes(32))


@pytest.mark.parametrize("is_silent", [False, True], ids=["closed", "silent"])
async def test_who_can_not_be_pushed_to_gets_the_updates_from_the_others(
    town: Town, is_silent: bool
) -> None:
    may_train, may_answer = asyncio.Event(), asyncio.Event()
    town.app.before_train = lambda node_id: may_train.wait()
    await town.post(ONE_ROUND)
    victim = town.readers[-1]
    await victim.gateway.stop()
    silent = await stay_silent(victim.port, may_answer) if is_silent else None
    may_train.set()
    await town.until_phase(RoundPhase.CHALLENGE)
    await town.until(lambda: town.round().attested_count == 3)
    assert town.round().included_count == 3
    (vote,) = [r for r in town.state().readers if r.participant == victim.signer.address]
    included = [seat.seat for seat in town.state().seats if seat.state is SeatState.INCLUDED]
    assert all(has_bit(vote.bitmap, seat) for seat in included)
    may_answer.set()
    if silent is not None:
        await silent.cleanup()


async def stay_silent(port: int, until: asyncio.Event) -> web.AppRunner:
    """Take every request at a port and answer none."""

    async def wait(request: web.Request) -> web.Response:
        await until.wait()
        return web.Response(status=503)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", wait)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def test_a_reader_that_had_nothing_in_time_still_attests(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 0.001)
    victim = town.readers[-1]
    fetch = victim.peers._fetch

    async def fetch_too_late(*given: Any) -> None:
        if town.round().phase in (RoundPhase.REVEAL, RoundPhase.INCLUDE):
            raise BlobFault("cut off")
        await fetch(*given)

    victim.peers._fetch = fetch_too_late  # type: ignore[method-assign]
    await victim.gateway.stop()
    await town.post(ONE_ROUND)
    await town.until(lambda: town.has_round(1) and town.round().attested_count == 3)
    (vote,) = [r for r in town.state().readers if r.participant == victim.signer.address]
    assert (vote.voted, vote.bitmap) == (True, b"\0")
