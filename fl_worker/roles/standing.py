"""A worker's standing order: whose apps it runs unasked, and for how much.

An app is someone's code. What the order doesn't cover is not run: the job is passed over, with the
command that joins it by hand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sdk.client import TxRejected
from app.sdk.protocol import U32, U64, Address, Job, JobPhase, JoinJob, LeaveJob
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import Act, Intent
from fl_worker.roles.journal import JOINED, JOINING, LEFT

log = logging.getLogger("pollen")

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """Which jobs to join unasked; an empty order joins none."""

    requesters: frozenset[Address] = frozenset()
    """Whose apps may run."""
    fab_hashes: frozenset[bytes] = frozenset()
    """Which apps may run, whoever posts them."""
    anyone: bool = False
    """Run whatever is posted."""
    pay_min_uflt: int = 0
    """The least equal share of a round."""

    def refusal(self, job: Job) -> str:
        """Return why a job isn't covered; empty if it is."""
        is_trusted = (
            self.anyone
            or job.requester in self.requesters
            or job.spec.work.fab_hash in self.fab_hashes
        )
        if not is_trusted:
            return (
                f"its app {job.spec.work.fab_hash.hex()} isn't in the standing order; "
                f"try it with `pollen worker try {job.job_id}`, "
                f"join with `pollen worker join {job.job_id}`"
            )
        pay = compute_equal_share(job)
        if pay < self.pay_min_uflt:
            return f"a round pays {pay} uflt, the standing order asks for {self.pay_min_uflt}"
        return ""

    async def joins(self, chain: Chain, job: Job, prepare: Callable[[Job], Any]) -> bool:
        """Whether the job was joined, by hand before or under this order now."""
        decision = chain.journal.decisions().get(job.job_id, "")
        if decision in (JOINED, LEFT):
            return decision == JOINED
        if job.phase != JobPhase.OPEN:
            return decision == JOINING
        reason = "" if decision == JOINING else self.refusal(job)
        if reason:
            refused = f"refused: {reason}"
            if refused != decision:
                log.warning("job %d: passed over: %s", job.job_id, reason)
                chain.journal.decide_job(job.job_id, refused)
            return False
        await prepare(job)
        await join(chain, job.job_id)
        return True


async def join(chain: Chain, job_id: U64) -> None:
    """Join a job; having joined it before is no fault.

    The intention is kept first: whoever is killed here, or hears of it from the chain, goes on.
    """
    before = chain.journal.decisions().get(job_id, "")
    chain.journal.decide_job(job_id, JOINING)
    try:
        await chain.submit(job_id, Intent(Act.WARM, U32(0)), JoinJob(chain.address, job_id))
    except TxRejected as refusal:
        if not refusal.is_called("AlreadyJoined"):
            chain.journal.decide_job(job_id, before)
            raise
    chain.journal.decide_job(job_id, JOINED)


async def leave(chain: Chain, job_id: U64) -> None:
    """Leave a job; a round one is drawn for is still owed."""
    await chain.submit(job_id, Intent(Act.FORGET, U32(0)), LeaveJob(chain.address, job_id))
    chain.journal.decide_job(job_id, LEFT)


def compute_equal_share(job: Job) -> int:
    """Return what an equal share of a round pays a worker, in uflt before the protocol fee."""
    schedule = job.spec.schedule
    pool = job.budget_uflt // schedule.round_count
    return pool * job.spec.pay.worker_ppm // PPM // schedule.cohort_size
