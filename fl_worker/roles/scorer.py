"""An evaluator's scores: it opens a round's slices, measures each coalition, commits and reveals.

The scores are in the journal, with their salt, before their commitment is submitted. Slices that
don't open, or on which the job's app can't be run in time, are refused: who granted them must not
gain by it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from app.sdk.protocol import (
    I64,
    SCORE_COMMITMENT,
    CommitScores,
    Job,
    JobStateResponse,
    RefuseSlices,
    RevealScores,
    RoundState,
    Scores,
    commitment,
    encode,
)
from fl_worker.blobs.cids import BlobFault
from fl_worker.blobs.sealing import Unopened
from fl_worker.flower.errors import FlowerError
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import Act, Intent, ScorerMemory, decide_scorer, find_scorer
from fl_worker.roles.opener import Opener
from fl_worker.roles.peers import Peers
from fl_worker.roles.updates import read_base, read_updates
from fl_worker.scoring.score import score_updates
from fl_worker.scoring.slices import MalformedSlice

log = logging.getLogger("pollen")

SALT_BYTES = 32
PATIENCE = 0.75
"""The part of a step in which slices must be opened and measured; then they are refused."""


class Unmeasurable(Exception):
    """Slices that don't open, or on which nothing can be measured."""


class Scorer:
    """What an evaluator does while rounds are scored."""

    def __init__(self, chain: Chain, peers: Peers, opener: Opener) -> None:
        self._chain = chain
        self._peers = peers
        self._opener = opener
        self._began_s: dict[tuple[int, int, int], float] = {}
        self._refused: dict[tuple[int, int, int], str] = {}

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what it owes."""
        job_id = view.job.job_id
        refused = [(number, attempt) for job, number, attempt in self._refused if job == job_id]
        memory = ScorerMemory(self._chain.journal.scored_rounds(job_id), refused)
        return decide_scorer(view, self._chain.address, memory)

    async def act(self, view: JobStateResponse, state: RoundState, intent: Intent) -> None:
        """Measure, commit, reveal or refuse."""
        if intent.act is Act.MEASURE:
            await self._measure(view, state, intent)
        else:
            message = self._message(view.job, intent)
            await self._chain.submit(view.job.job_id, intent, message)

    def forget(self, job_id: int, number: int) -> None:
        """Forget what was noted of a settled round."""
        for noted in (self._began_s, self._refused):
            for place in [each for each in noted if each[:2] == (job_id, number)]:
                del noted[place]

    def _message(self, job: Job, intent: Intent) -> Any:
        """Return what is submitted for an act."""
        place = self._chain.address, job.job_id, intent.round
        scores = self._chain.journal.find_scores(job.job_id, intent.round, intent.attempt)
        if intent.act is Act.REFUSE_SLICES or scores is None:
            return RefuseSlices(*place)
        if intent.act is Act.REVEAL_SCORES:
            return RevealScores(*place, scores)
        bound = commitment(
            SCORE_COMMITMENT,
            self._chain.client.chain_id,
            job.job_id,
            intent.round,
            intent.attempt,
            account=self._chain.address,
            payload=encode(scores),
        )
        return CommitScores(*place, bound)

    async def _measure(self, view: JobStateResponse, state: RoundState, intent: Intent) -> None:
        """Keep what the round's coalitions are worth, or that its slices can't tell."""
        job, number = view.job, intent.round
        place = (job.job_id, number, intent.attempt)
        began_s = self._began_s.setdefault(place, time.monotonic())
        end_s = began_s + PATIENCE * job.spec.schedule.score_s
        try:
            utilities, own_scores = await self._score(view, state, end_s)
        except Unmeasurable as reason:
            log.warning("job %d round %d: slices refused: %s", job.job_id, number, reason)
            self._refused[place] = str(reason)
            return
        scores = Scores(
            utilities=tuple(map(I64, utilities)),
            own_scores=tuple(map(I64, own_scores)),
            salt=secrets.token_bytes(SALT_BYTES),
        )
        self._chain.journal.save_scores(*place, scores)

    async def _score(
        self, view: JobStateResponse, state: RoundState, end_s: float
    ) -> tuple[list[int], list[int]]:
        """Return utilities and own scores on a round's slices; Unmeasurable if there are none."""
        scorer = find_scorer(state, self._chain.address)
        boxes = scorer.slice_keys if scorer else ()
        granted = zip(state.round.slices, boxes, strict=True)
        endpoints = self._peers.endpoints(view, state)
        async with in_time(end_s):
            slices = await self._opener.open_slices(view.job, granted, endpoints)
        base = await read_base(self._peers, view, state)
        updates = await read_updates(self._peers, view, state)
        async with in_time(end_s), self._opener.open_bench(view.job, slices) as bench:
            return await score_updates(bench, base, updates, state.round.round)


@asynccontextmanager
async def in_time(end_s: float) -> AsyncIterator[None]:
    """Let what is done meanwhile fail and be tried again, until an end of the monotonic clock.

    Unmeasurable if it is cut off there or fails after it, or if slices will never open.
    """
    try:
        async with asyncio.timeout(end_s - time.monotonic()):
            yield
    except (Unopened, MalformedSlice) as fault:
        raise Unmeasurable(str(fault)) from None
    except (BlobFault, FlowerError, TimeoutError) as fault:
        if time.monotonic() < end_s:
            raise
        raise Unmeasurable(f"not measured in time: {fault}") from None
