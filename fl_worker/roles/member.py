"""A committee's member: it opens the kept slices, measures a rejected result, commits and reveals.

The measurement is in the journal, with its salt, before its commitment is submitted. On slices that
don't open, or aren't what was posted, nothing is measured and nothing said: no message refuses
them, and without a quorum the result counts as accepted.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from typing import Any

from app.sdk.protocol import (
    I64,
    MEASUREMENT_COMMITMENT,
    U64,
    CommitMeasurement,
    JobStateResponse,
    Measurement,
    RevealMeasurement,
    commitment,
    encode,
)
from fl_worker.blobs.sealing import Unopened
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import Act, Intent, MemberMemory, decide_member, find_member
from fl_worker.roles.opener import Opener
from fl_worker.roles.peers import Peers
from fl_worker.roles.updates import read_result
from fl_worker.scoring.score import metric_of
from fl_worker.scoring.slices import MalformedSlice

log = logging.getLogger("pollen")

SALT_BYTES = 32
ROUND, ATTEMPT = 0, 1
"""A measurement is of no round, and there is one attempt."""


class CommitteeMember:
    """What an evaluator does while a rejected result is measured."""

    def __init__(self, chain: Chain, peers: Peers, opener: Opener) -> None:
        self._chain = chain
        self._peers = peers
        self._opener = opener
        self._unmeasurable: set[int] = set()

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what it owes."""
        job_id = view.job.job_id
        is_measured = self._chain.journal.find_measurement(job_id) is not None
        memory = MemberMemory(is_measured, job_id in self._unmeasurable)
        return decide_member(view, self._chain.address, memory)

    async def act(self, view: JobStateResponse, intent: Intent) -> None:
        """Measure, commit or reveal."""
        job_id = view.job.job_id
        measurement = self._chain.journal.find_measurement(job_id)
        if intent.act is Act.MEASURE_RESULT:
            await self._measure(view)
        elif measurement is not None:
            await self._chain.submit(job_id, intent, self._message(job_id, intent, measurement))

    def forget(self, job_id: int) -> None:
        """Forget what was noted of an ended job."""
        self._unmeasurable.discard(job_id)

    def _message(self, job_id: U64, intent: Intent, measurement: Measurement) -> Any:
        """Return what is submitted for an act."""
        if intent.act is Act.REVEAL_MEASUREMENT:
            return RevealMeasurement(self._chain.address, job_id, measurement)
        bound = commitment(
            MEASUREMENT_COMMITMENT,
            self._chain.client.chain_id,
            job_id,
            ROUND,
            ATTEMPT,
            account=self._chain.address,
            payload=encode(measurement),
        )
        return CommitMeasurement(self._chain.address, job_id, bound)

    async def _measure(self, view: JobStateResponse) -> None:
        """Keep the metric of a job's result on the kept slices, or that they can't tell it."""
        job, work = view.job, view.job.spec.work
        try:
            value = await self._measure_result(view)
        except (Unopened, MalformedSlice) as fault:
            log.warning("job %d: can't be measured, nothing is committed: %s", job.job_id, fault)
            self._unmeasurable.add(job.job_id)
            return
        metric = metric_of(value, work.metric_direction)
        slices = " and ".join(map(str, view.committee.slices))
        log.info(
            "job %d: its result has %s %g on slices %s", job.job_id, work.metric, value, slices
        )
        measurement = Measurement(I64(metric), secrets.token_bytes(SALT_BYTES))
        self._chain.journal.save_measurement(job.job_id, measurement)

    async def _measure_result(self, view: JobStateResponse) -> float:
        """Return the job's metric of its last model on the kept slices."""
        job, member = view.job, find_member(view, self._chain.address)
        boxes = member.slice_keys if member else ()
        granted = zip(view.committee.slices, boxes, strict=True)
        endpoints = self._peers.last_endpoints(view)
        slices = await self._opener.open_slices(job, granted, endpoints)
        model = await read_result(self._peers, view)
        async with self._opener.open_bench(job, slices) as bench:
            return await bench.measure(model, job.next_round - 1)
