"""The demonstration's cheats on a real chain, and the ledger that says what they should lose."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np
import pytest

from app.modules import slashing
from app.modules.bonds import Role
from app.modules.rounds import RoundPhase, SeatState
from app.modules.slashing import Fault, Slashed
from app.sdk.client import Client
from app.sdk.protocol import JobAccepted, RoundPhaseChanged
from fl_worker.flower.trainer import TrainReply
from fl_worker.roles import reader
from fl_worker.roles.decide import Act, Intent
from fl_worker.roles.reader import ReaderRole
from scripts.demo import cheats, money
from scripts.demo.ledger import Ledger
from scripts.demo.money import sum_fees
from scripts.demo.people import Participant
from tests.build import FLT
from tests.worker.test_agent import ALL_FOUR, ONE_ROUND
from tests.worker.town import BOND_FLT, Town

TWO_PERCENT = BOND_FLT * FLT // 50
TENTH = BOND_FLT * FLT // 10


async def listen(town: Town, is_end: Callable[[Any], bool]) -> list[Any]:
    """All that the chain said of the job, to the event that ends it."""
    events: list[Any] = []
    async with asyncio.timeout(30), await Client.connect(town.node.address) as client:
        async for update in client.watch_job(1, 1):
            events += update.events
            if any(map(is_end, update.events)):
                return events
    raise AssertionError("unreachable")


async def charges(town: Town, end: RoundPhase) -> dict[tuple[bytes, Fault], int]:
    """What was slashed by the end of round 1; the ledger of its deeds comes to the same."""
    ledger = Ledger(town.job(), {p.signer.address: BOND_FLT * FLT for p in town.people.values()})
    for event in await listen(town, lambda e: isinstance(e, RoundPhaseChanged) and e.phase is end):
        ledger.follow(event)
    rows = [row for _, row in slashing.SLASHES.items(town.node.application.state, (1, 1))]
    losses = {who: [loss.amount_uflt for loss in each] for who, each in ledger.losses.items()}
    assert losses == {row.participant: [row.amount_uflt] for row in rows}
    return {(row.participant, row.fault): row.amount_uflt for row in rows}


async def test_a_copied_commitment_can_not_be_revealed_and_costs_two_percent(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    copier = town.workers[0]
    copier.worker._commit = MethodType(cheats.commit_copy, copier.worker)  # type: ignore[method-assign]
    copier.worker._reveal = MethodType(cheats.reveal_copy, copier.worker)  # type: ignore[method-assign]
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until(lambda: town.has_round(1) and town.round().revealed_count == 3)
    await town.until(lambda: "reveal exactly what was committed" in caplog.text)
    commitments = [seat.commitment for seat in town.state().seats]
    assert commitments.count(town.seat(copier).commitment) == 2
    town.pass_time()
    await town.until_phase(RoundPhase.CHALLENGE)
    assert town.seat(copier).state is SeatState.MISSED
    await town.settle()
    await town.until_phase(RoundPhase.SETTLED)
    address = copier.signer.address
    found = await charges(town, RoundPhase.SETTLED)
    assert found == {(address, Fault.UNREVEALED_UPDATE): TWO_PERCENT}


async def test_a_sum_without_one_update_is_disproved_though_it_is_attested_unseen(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, name in (
        (reader, "combine"),
        (ReaderRole, "_combine"),
        (ReaderRole, "_post_or_attest"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # gives it back after the test
    monkeypatch.setattr(cheats, "LIE_IN", 1)
    cheats.lie_once()
    cheats.attest_unseen()
    town.people["watcher 0"].follow()
    await town.post(ALL_FOUR | ONE_ROUND)
    await town.until_phase(RoundPhase.VOIDED)
    pool = town.job().budget_uflt
    found = await charges(town, RoundPhase.VOIDED)
    attested = [amount for (_, fault), amount in found.items() if fault is Fault.FALSE_ATTESTATION]
    assert found[town.round().aggregator, Fault.FALSE_AGGREGATE] == 10 * pool
    assert attested == [TENTH] * len(attested)
    assert len(attested) >= 2
    await town.until_phase(RoundPhase.CHALLENGE, 2)
    assert town.round(2).aggregator != town.round().aggregator
    await town.until(lambda: town.round(2).attested_count == 3)
    town.pass_time()
    await town.accept()
    await expect_counted(town, monkeypatch)


async def expect_counted(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everyone holds what it should, and a single unit more or less is noticed."""
    events = await listen(town, lambda event: isinstance(event, JobAccepted))
    engine = town.node.engine
    txs = [engine.tx(b64encode(tx_hash).decode(), prove=False) for tx_hash in engine.found]
    fees = sum_fees(txs)
    monkeypatch.setattr(money, "find_fees", lambda rpc: fees)
    monkeypatch.setattr(money, "BOND_FLT", BOND_FLT)
    monkeypatch.setattr(money, "MONEY_FLT", 10**12 // FLT)
    liars = {loss.participant for loss in events if isinstance(loss, Slashed)}
    people = []
    for name, each in town.people.items():
        payout = each.signer.address if each.role is Role.UNSPECIFIED else each.payout
        behaviour = "lies" if each.signer.address in liars else "honest"
        people.append(Participant(name, name.split()[0], [], each.signer, payout, behaviour))
    async with await Client.connect(town.node.address) as client:
        rows, failures = await money.count_money(client, "", town.job(), people, events)
        assert failures == []
        prover = next(row for row in rows if row["name"] == "watcher 0")
        assert prover["earned_uflt"] == sum(row["slashed_uflt"] for row in rows) // 4
        fees[people[0].signer.address] += 1
        people[1].behaviour = "lies"
        _, failures = await money.count_money(client, "", town.job(), people, events)
    assert [failure.split(":")[0].split(" (")[0] for failure in failures] == [
        people[0].name,
        people[1].name,
    ]


async def test_noise_spares_what_is_not_trained_and_zeros_change_nothing() -> None:
    given = {"weight": np.arange(12, dtype=np.float32), "count": np.ones(3, np.int64)}

    async def train(change: Any) -> TrainReply:
        return await cheats.Sham(change).train(given, {}, 1, b"")

    zeros, noise = await train(lambda array: array), await train(cheats.add_noise)
    assert all(np.array_equal(zeros.arrays[name], array) for name, array in given.items())
    assert noise.arrays["weight"].dtype == np.float32
    assert not np.any(noise.arrays["weight"] == given["weight"])
    assert np.array_equal(noise.arrays["count"], given["count"])
    assert zeros.example_count == cheats.EXAMPLES_CLAIMED


def test_one_act_is_left_out_and_no_other() -> None:
    class Role:
        def decide(self) -> list[Intent]:
            return [Intent(Act.COMMIT, 1), Intent(Act.REVEAL, 1)]

    cheats.leave_out(Role, "decide", Act.REVEAL)
    assert [intent.act for intent in Role().decide()] == [Act.COMMIT]
