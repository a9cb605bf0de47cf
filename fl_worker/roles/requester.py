"""The requester's agent: gives the evaluators who score a round the keys of its drawn slices.

Nobody else has the keys. Without them a round isn't scored, and its pool is split equally.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from app.sdk.protocol import (
    SCORING,
    GrantSlices,
    Job,
    JobPhaseChanged,
    JobStateResponse,
    RoundPhaseChanged,
    RoundState,
    ScoreStepChanged,
)
from app.sdk.text import to_bech32
from fl_worker.blobs.cids import BlobFault
from fl_worker.blobs.sealing import BOX_BYTES, Unopened, box_key
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import Intent, asked_scorers, decide_requester

log = logging.getLogger("pollen")


class Requester:
    """What a requester does for its jobs while they run."""

    name = "requester"

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def wants(self, job: Job) -> bool:
        """Its own jobs whose rounds are scored."""
        is_scored = job.spec.pay.contribution in SCORING
        return job.requester == self._chain.address and is_scored

    def is_news(self, event: Any) -> bool:
        """Whether a job, a round or its scoring goes on."""
        return isinstance(event, JobPhaseChanged | RoundPhaseChanged | ScoreStepChanged)

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what it owes."""
        return decide_requester(view, self._chain.address)

    async def act(self, view: JobStateResponse, state: RoundState | None, intent: Intent) -> None:
        """Grant a round's slices."""
        if state is not None:
            job, keys = view.job, tuple(self._box_keys(view, state))
            message = GrantSlices(self._chain.address, job.job_id, intent.round, keys)
            await self._chain.submit(job.job_id, intent, message)

    async def finish(self, job: Job) -> None:
        """Nothing was taken; the keys stay with their owner."""

    def _box_keys(self, view: JobStateResponse, state: RoundState) -> Iterator[bytes]:
        """Walk the drawn slices' keys, boxed for each evaluator in order."""
        readers = {each.participant: each.reader_key for each in view.readers}
        keys = [self._find_key(view.job, number) for number in state.round.slices]
        for scorer in asked_scorers(state):
            for key in keys:
                yield box_or_nothing(key, readers[scorer.evaluator], to_bech32(scorer.evaluator))

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
        log.warning("evaluator %s can't score: %s", name, fault)
        return bytes(BOX_BYTES)
