"""The requester's agent: gives evaluators the keys of the slices that they are to measure on.

Nobody else has the keys. Without them a round isn't scored, and its pool is split equally; and a
rejected result isn't measured, and counts as accepted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from app.sdk.protocol import (
    SCORING,
    Address,
    CommitteeStepChanged,
    GrantKeptSlices,
    GrantSlices,
    Job,
    JobPhaseChanged,
    JobStateResponse,
    RoundPhaseChanged,
    RoundState,
    ScoreStepChanged,
    has_threshold,
)
from app.sdk.text import to_bech32
from fl_worker.blobs.cids import BlobFault
from fl_worker.blobs.sealing import BOX_BYTES, Unopened, box_key
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import Act, Intent, asked_scorers, decide_requester

log = logging.getLogger("pollen")


class Requester:
    """What a requester does for its jobs until they are settled."""

    name = "requester"

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def wants(self, job: Job) -> bool:
        """Its own jobs whose rounds are scored, or whose result can be measured."""
        is_scored = job.spec.pay.contribution in SCORING
        is_own = job.requester == self._chain.address
        return is_own and (is_scored or has_threshold(job.spec))

    def is_news(self, event: Any) -> bool:
        """Whether a job, a round, its scoring or the job's committee goes on."""
        news = JobPhaseChanged | RoundPhaseChanged | ScoreStepChanged | CommitteeStepChanged
        return isinstance(event, news)

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what it owes."""
        return decide_requester(view, self._chain.address)

    async def act(self, view: JobStateResponse, state: RoundState | None, intent: Intent) -> None:
        """Grant a round's slices, or those kept for acceptance."""
        me, job = self._chain.address, view.job
        if intent.act is Act.GRANT_KEPT:
            members = [member.evaluator for member in view.members]
            keys = self._box_keys(view, view.committee.slices, members)
            message: Any = GrantKeptSlices(me, job.job_id, tuple(keys))
        elif state is not None:
            scorers = [scorer.evaluator for scorer in asked_scorers(state)]
            keys = self._box_keys(view, state.round.slices, scorers)
            message = GrantSlices(me, job.job_id, intent.round, tuple(keys))
        else:
            return
        await self._chain.submit(job.job_id, intent, message)

    async def finish(self, job: Job) -> None:
        """Nothing was taken; the keys stay with their owner."""

    def _box_keys(
        self, view: JobStateResponse, slices: Iterable[int], evaluators: Iterable[Address]
    ) -> Iterator[bytes]:
        """Walk slices' keys, boxed for each evaluator in order."""
        readers = {each.participant: each.reader_key for each in view.readers}
        keys = [self._find_key(view.job, number) for number in slices]
        for evaluator in evaluators:
            for key in keys:
                yield box_or_nothing(key, readers[evaluator], to_bech32(evaluator))

    def _find_key(self, job: Job, number: int) -> bytes:
        cid = job.spec.work.validation_slices[number].sealed.cid
        key = self._chain.journal.find_slice_key(cid)
        if key is None:
            raise BlobFault(
                f"job {job.job_id}: no key for its slice {number} ({cid}) is kept here; serve it "
                "with the home and the key with which it was posted"
            )
        return key


def box_or_nothing(key: bytes, reader_key: bytes, name: str) -> bytes:
    """Box a key for an evaluator; one without a usable reader key gets a box that never opens."""
    try:
        return box_key(key, reader_key)
    except Unopened as fault:
        log.warning("evaluator %s can't measure: %s", name, fault)
        return bytes(BOX_BYTES)
