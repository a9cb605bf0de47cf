"""A rejected result measured by real roles on a real chain: kept slices granted, opened, judged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from app.modules import bank, committees, rounds
from app.modules.committees import CommitteeStep, Member
from app.modules.payouts import TREASURY
from app.sdk.protocol import I64, U32, Acceptance, JobPhase
from fl_worker.roles import opener
from fl_worker.roles.decide import Act
from fl_worker.scoring.slices import cut_slices
from tests.build import FLT
from tests.worker.town import Person, Town, ToyApp, open_town
from tests.worker.toy_bench import ToyBench

MORE = [f"evaluator {number}" for number in range(3, 6)]
"""Three who don't read the one round."""
STEP_S = 8 * 3_600
DEPOSIT_FLT = 10
HELD_FLT = 4.8
"""A fifth of the one round's pool."""
FEES_FLT = 0.2
"""More than all that the requester pays for its transactions."""
FULL, HALF = -31_250, -62_500
"""Thresholds that the result reaches, and that it is halfway to: three workers' mean is 2/64."""


def terms(threshold: int) -> dict[str, Any]:
    """A job of one round whose result is to have less than this loss, in millionths."""
    acceptance = Acceptance(I64(0), I64(threshold))
    return {"schedule.round_count": U32(1), "acceptance": acceptance}


@pytest.fixture
async def town(tmp_path: Path, app: ToyApp, bench: ToyBench) -> AsyncIterator[Town]:
    async with open_town(tmp_path, app, more=MORE) as town:
        yield town


async def reject(town: Town, threshold: int = HALF) -> None:
    """Have a job done, and reject its result."""
    await town.post(terms(threshold))
    await town.until_phase(rounds.RoundPhase.CHALLENGE)
    await town.settle()
    await town.until(lambda: town.job().phase is JobPhase.REVIEW)
    await town.reject()


async def until_over(town: Town) -> None:
    """Return once the job is settled and all is paid."""
    await town.until(lambda: town.job().phase is JobPhase.SETTLED)
    await town.until(lambda: not town.job().escrow_uflt)


def members(town: Town) -> list[Member]:
    """The members of the job's committee, as committed."""
    return committees.get_members(town.node.application.state, 1)


def people_of(town: Town) -> list[Person]:
    """The members of the job's committee, in order."""
    return [town.person(member.evaluator) for member in members(town)]


def step(town: Town) -> CommitteeStep:
    """How far the committee is."""
    found = committees.COMMITTEES.get(town.node.application.state, 1)
    return found.step if found else CommitteeStep.UNSPECIFIED


def balance_flt(town: Town, address: bytes) -> float:
    """What an account has."""
    return bank.get_balance(town.node.application.state, address) / FLT


def workers_flt(town: Town) -> float:
    """What all workers and readers of the round were paid."""
    return sum(map(town.earned_flt, town.workers)) + sum(
        town.earned_flt(each) for each in town.readers if each not in people_of(town)
    )


async def test_a_result_halfway_to_its_threshold_is_measured_and_the_rejection_holds(
    town: Town, bench: ToyBench
) -> None:
    requester = town.people["requester"].signer.address
    await reject(town)
    before, paid = balance_flt(town, requester), workers_flt(town)
    await until_over(town)
    assert (town.job().reason, town.job().released_ppm) == ("committee", 500_000)
    assert {member.measurement.metric_millionths for member in members(town)} == {-31_250}
    slices = cut_slices(town.people["requester"].folder / "validation")
    assert bench.opened == [slices[8:]] * 3
    assert workers_flt(town) - paid == pytest.approx(HELD_FLT / 2 * 0.99, abs=0.001)
    fees = [town.earned_flt(member) for member in people_of(town)]
    assert fees == pytest.approx([HELD_FLT / 2 / 3 * 0.99] * 3, abs=0.001)
    returned = balance_flt(town, requester) - before
    assert DEPOSIT_FLT - FEES_FLT < returned <= DEPOSIT_FLT
    await town.until(lambda: not any(each.journal.find_measurement(1) for each in town.readers))


async def test_a_result_at_its_threshold_pays_the_workers_and_the_deposit_pays_the_members(
    town: Town,
) -> None:
    requester = town.people["requester"].signer.address
    await reject(town, FULL)
    before, paid = balance_flt(town, requester), workers_flt(town)
    await until_over(town)
    assert (town.job().reason, town.job().released_ppm) == ("committee", 1_000_000)
    assert workers_flt(town) - paid == pytest.approx(HELD_FLT * 0.99, abs=0.001)
    fees = [town.earned_flt(member) for member in people_of(town)]
    assert fees == pytest.approx([DEPOSIT_FLT / 3 * 0.99] * 3, abs=0.001)
    assert -FEES_FLT < balance_flt(town, requester) - before <= 0


@pytest.mark.parametrize(
    ("act", "is_sent"), [*product((Act.COMMIT_MEASUREMENT, Act.REVEAL_MEASUREMENT), (False, True))]
)
async def test_a_member_killed_at(town: Town, bench: ToyBench, act: Act, is_sent: bool) -> None:
    grants = town.people["requester"].stop_at(Act.GRANT_KEPT, is_sent=False)
    await reject(town)
    await town.until(grants.is_set)
    victim = people_of(town)[0]
    reached = victim.stop_at(act, is_sent=is_sent)
    await town.people["requester"].restart()
    await town.until(reached.is_set)
    await victim.restart()
    await until_over(town)
    assert len({bool(member.measurement.salt) for member in members(town)}) == 1
    assert town.job().released_ppm == 500_000
    assert len(bench.opened) == 3  # what is in the journal isn't measured again


async def test_a_member_killed_while_it_measures_measures_again(
    town: Town, bench: ToyBench
) -> None:
    bench.fails = True
    await reject(town)
    await town.until(lambda: step(town) is CommitteeStep.COMMIT)
    await people_of(town)[0].restart()
    bench.fails = False
    await until_over(town)
    assert all(member.measurement.salt for member in members(town))


async def test_keys_that_open_nothing_are_not_measured_and_the_result_is_accepted(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    journal = town.people["requester"].journal
    journal.find_slice_key = lambda cid: bytes(32)  # type: ignore[method-assign]
    await expect_no_measurement(town, caplog)


async def test_slices_of_another_hash_are_not_measured_and_the_result_is_accepted(
    town: Town, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opener, "unseal", lambda data, key: b"other rows")
    await expect_no_measurement(town, caplog)


async def expect_no_measurement(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """Every member stays silent, says why, and all that is held back is paid."""
    await reject(town)
    paid = workers_flt(town)
    await town.until(lambda: caplog.text.count("can't be measured") == 3)
    treasury = balance_flt(town, TREASURY)
    town.pass_time(STEP_S)
    await until_over(town)
    assert (town.job().reason, town.job().released_ppm) == ("no_committee_quorum", 1_000_000)
    assert not any(member.commitment for member in members(town))
    assert workers_flt(town) - paid == pytest.approx(HELD_FLT * 0.99, abs=0.001)
    assert balance_flt(town, TREASURY) - treasury > DEPOSIT_FLT


async def test_a_final_model_of_another_root_is_not_measured(
    town: Town, bench: ToyBench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    grants = town.people["requester"].stop_at(Act.GRANT_KEPT, is_sent=False)
    await reject(town)
    await town.until(grants.is_set)
    member = people_of(town)[0]
    read = member.peers.read

    async def read_others(shown: Any, tag: Any, endpoints: Any = ()) -> bytes:
        data = await read(shown, tag, endpoints)
        return bytes(len(data)) if shown == town.job().model else data

    monkeypatch.setattr(member.peers, "read", read_others)
    await town.people["requester"].restart()
    await town.until(lambda: "not used" in caplog.text)
    assert not member.journal.find_measurement(1)
    monkeypatch.setattr(member.peers, "read", read)
    await until_over(town)
    assert town.job().released_ppm == 500_000
    assert len(bench.opened) == 3


async def test_a_job_accepted_after_all_asks_no_more_of_its_members(town: Town) -> None:
    requester = town.people["requester"]
    reached = requester.stop_at(Act.GRANT_KEPT, is_sent=False)
    await reject(town)
    await town.until(reached.is_set)
    await requester.restart()
    await town.until(lambda: step(town) in (CommitteeStep.COMMIT, CommitteeStep.REVEAL))
    await town.accept()
    assert (town.job().reason, town.job().released_ppm) == ("requester", 1_000_000)


async def test_without_enough_who_know_nothing_of_it_nobody_measures_and_it_is_accepted(
    tmp_path: Path, app: ToyApp, bench: ToyBench
) -> None:
    async with open_town(tmp_path, app, more=MORE[:2]) as town:
        await reject(town)
        await until_over(town)
        assert (town.job().reason, members(town)) == ("no_committee_quorum", [])
        assert bench.opened == []
