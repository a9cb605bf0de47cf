"""A worker's standing order: what it joins unasked, and that joining happens once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from app.modules.jobs.joining import AlreadyJoined, SeatBondTooSmall
from app.sdk.client import TxRejected
from app.sdk.protocol import Job, JobPhase, JoinJob, LeaveJob
from fl_worker.roles.agent import Chain
from fl_worker.roles.journal import JOINED, JOINING, LEFT, Journal
from fl_worker.roles.standing import StandingOrder, join, leave
from tests.build import WORK, World, a_job, an_address

RITA, ME = an_address("rita"), an_address("me")
SHARE_UFLT = 2_333_333
"""An equal share: 20 flt for 2 rounds, 70 % of which goes to 3 workers."""


def make_job() -> Job:
    world = World()
    return world.job(world.run(a_job(world.account("rita"))).job_id)


JOB = make_job()


@dataclass
class FakeChain:
    """A line to the chain that takes everything, or refuses it in one way."""

    journal: Journal
    fault: BaseException | None = None
    submitted: list[Any] = field(default_factory=list)
    prepared: list[Job] = field(default_factory=list)
    address = ME

    async def submit(self, job_id: int, intent: Any, message: Any) -> None:
        assert self.prepared or isinstance(message, LeaveJob), "the app is tried before one joins"
        if self.fault is not None:
            raise self.fault
        self.submitted.append(message)

    async def prepare(self, job: Job) -> None:
        self.prepared.append(job)

    @property
    def decision(self) -> str:
        return self.journal.decisions().get(JOB.job_id, "")

    async def join(self) -> None:
        self.prepared.append(JOB)
        await join(cast(Chain, self), JOB.job_id)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[FakeChain]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield FakeChain(journal)
    journal.close()


@dataclass(frozen=True)
class Case:
    """A row: an order, what was decided before, and whether the job is followed and joined now."""

    order: StandingOrder
    is_followed: bool
    is_joined_now: bool
    before: str = ""
    phase: JobPhase = JobPhase.OPEN
    after: str = JOINED


NOBODY, ANYONE = StandingOrder(), StandingOrder(anyone=True)
RITAS = StandingOrder(requesters=frozenset({RITA}))
THIS_APP = StandingOrder(fab_hashes=frozenset({WORK.fab_hash}))
UNKNOWN_APP = "refused: its app"
CASES = {
    "an_empty_order_joins_nothing": Case(NOBODY, False, False, after=UNKNOWN_APP),
    "a_trusted_requesters_job_is_joined": Case(RITAS, True, True),
    "another_requesters_job_is_not": Case(
        StandingOrder(requesters=frozenset({ME})), False, False, after=UNKNOWN_APP
    ),
    "a_known_app_is_joined_whoever_posts_it": Case(THIS_APP, True, True),
    "another_app_is_not": Case(
        StandingOrder(fab_hashes=frozenset({bytes(32)})), False, False, after=UNKNOWN_APP
    ),
    "trusting_anyone_joins_anything": Case(ANYONE, True, True),
    "a_job_that_pays_enough_is_joined": Case(replace(RITAS, pay_min_uflt=SHARE_UFLT), True, True),
    "a_job_that_pays_too_little_is_not": Case(
        replace(ANYONE, pay_min_uflt=SHARE_UFLT + 1),
        False,
        False,
        after=f"refused: a round pays {SHARE_UFLT} uflt, the standing order asks for 2333334",
    ),
    "what_was_joined_by_hand_needs_no_order": Case(NOBODY, True, False, before=JOINED),
    "what_was_left_is_not_joined_again": Case(ANYONE, False, False, before=LEFT, after=LEFT),
    "a_refusal_is_thought_over_under_another_order": Case(ANYONE, True, True, "refused: its app"),
    "joining_that_was_cut_off_goes_on": Case(NOBODY, True, True, before=JOINING),
    "a_job_that_runs_can_not_be_joined": Case(
        ANYONE, False, False, phase=JobPhase.RUNNING, after=""
    ),
    "a_job_that_was_joined_is_followed_while_it_runs": Case(
        NOBODY, True, False, JOINED, JobPhase.RUNNING
    ),
    "a_job_that_may_have_been_joined_is_followed_too": Case(
        NOBODY, True, False, JOINING, JobPhase.RUNNING, JOINING
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_the_order(case: Case, chain: FakeChain) -> None:
    if case.before:
        chain.journal.decide_job(JOB.job_id, case.before)
    job = replace(JOB, phase=case.phase)
    assert await case.order.joins(cast(Chain, chain), job, chain.prepare) == case.is_followed
    assert chain.submitted == [JoinJob(ME, JOB.job_id)] * case.is_joined_now
    assert chain.decision.startswith(case.after)


async def test_a_refusal_is_told_once_with_what_to_do(
    chain: FakeChain, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await NOBODY.joins(cast(Chain, chain), JOB, chain.prepare)
    (record,) = caplog.records
    assert WORK.fab_hash.hex() in record.getMessage()
    assert "`pollen worker join 1`" in record.getMessage()


async def test_an_app_that_does_not_start_is_not_joined(chain: FakeChain) -> None:
    async def fail(job: Job) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        await ANYONE.joins(cast(Chain, chain), JOB, fail)
    assert (chain.submitted, chain.decision) == ([], "")


async def test_joining_twice_is_joining_once(chain: FakeChain) -> None:
    chain.fault = TxRejected(AlreadyJoined.code, "jobs", "joined already")
    await chain.join()
    assert chain.decision == JOINED


@pytest.mark.parametrize("before", ["", "refused: its app"])
async def test_what_the_chain_refuses_is_not_joined(chain: FakeChain, before: str) -> None:
    chain.journal.decide_job(JOB.job_id, before)
    chain.fault = TxRejected(SeatBondTooSmall.code, "jobs", "bond more")
    with pytest.raises(TxRejected):
        await chain.join()
    assert chain.decision == before


async def test_who_is_killed_while_joining_knows_of_it(chain: FakeChain) -> None:
    chain.fault = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await chain.join()
    assert chain.decision == JOINING
    assert chain.journal.held_jobs() == [JOB.job_id]


async def test_who_leaves_still_holds_the_jobs_bytes(chain: FakeChain) -> None:
    await chain.join()
    await leave(cast(Chain, chain), JOB.job_id)
    assert chain.submitted == [JoinJob(ME, JOB.job_id), LeaveJob(ME, JOB.job_id)]
    assert (chain.decision, chain.journal.held_jobs()) == (LEFT, [JOB.job_id])
