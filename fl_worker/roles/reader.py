"""The readers: aggregators and evaluators, who collect, check, keep and serve a round's updates.

Every reader computes the next model itself: the aggregator on turn posts its root, the evaluators
attest it when theirs is the same, and all of them can serve its bytes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.sdk.client import ChainError
from app.sdk.protocol import (
    MODEL_WIDTH,
    U64,
    UPDATE_WIDTH,
    Address,
    AggregatePosted,
    AggregatorReplaced,
    AttestAggregate,
    CommitteeStepChanged,
    Job,
    JobPhaseChanged,
    JobRequest,
    JobStateRequest,
    JobStateResponse,
    PostAggregate,
    RoundDrawn,
    RoundPhase,
    RoundPhaseChanged,
    RoundState,
    ScoreStepChanged,
    Seat,
    SeatState,
    UpdateRevealed,
    VoteInclusion,
)
from app.sdk.protocol import Blob as ChainBlob
from app.sdk.text import from_bech32
from fl_worker.blobs.cids import Blob, BlobFault
from fl_worker.blobs.permit import PushRequest, RoundTag, Verdict
from fl_worker.blobs.store import BlobAbsent, Store
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import (
    TRAINING,
    Act,
    Intent,
    ReaderMemory,
    decide_app,
    decide_reader,
    missing_updates,
)
from fl_worker.roles.journal import JOINED, CombinedModel
from fl_worker.roles.member import CommitteeMember
from fl_worker.roles.opener import Opener
from fl_worker.roles.peers import Peers
from fl_worker.roles.scorer import Scorer
from fl_worker.roles.updates import read_base, read_updates
from fl_worker.update.combine import combine, peak
from fl_worker.update.tree import tree_root

log = logging.getLogger("pollen")

PATIENCE = 0.5
"""The part of the INCLUDE phase for which a reader waits for bytes before it votes without them."""
LAST_TRY_S = 1.0
"""How long it tries to get bytes even then."""
MODELS_KEPT = 10
"""So many settled rounds' models stay for who follows a running job."""
SCORING_ACTS = (Act.MEASURE, Act.COMMIT_SCORES, Act.REVEAL_SCORES, Act.REFUSE_SLICES)
MEMBER_ACTS = (Act.MEASURE_RESULT, Act.COMMIT_MEASUREMENT, Act.REVEAL_MEASUREMENT)
MODEL_TAG = "job/{job_id}/model/{number}"
LAYOUT_TAG = "job/{job_id}/layout"


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """What a reader is called, and how long it keeps an ended job's model for its requester."""

    name: str
    model_kept_s: int = 7 * 24 * 3600


class ReaderRole:
    """What an aggregator or an evaluator does; the chain says which of the two it is."""

    def __init__(
        self,
        chain: Chain,
        store: Store,
        peers: Peers,
        config: ReaderConfig,
        opener: Opener | None = None,
    ) -> None:
        """Follow as a reader; one that opens slices scores and measures too."""
        self.name = config.name
        self._opener = opener
        self._scorer = Scorer(chain, peers, opener) if opener else None
        self._member = CommitteeMember(chain, peers, opener) if opener else None
        self._chain = chain
        self._store = store
        self._peers = peers
        self._config = config
        self._include_began_s: dict[tuple[int, int], float] = {}
        self._late: dict[tuple[int, int], set[int]] = {}
        self._seen: dict[int, JobStateResponse] = {}

    async def wants(self, job: Job) -> bool:
        """Every job may draw it."""
        self._chain.journal.decide_job(job.job_id, JOINED)
        return True

    def memory(self, job_id: int) -> ReaderMemory:
        """Return what it has for a job."""
        verdicts = self._chain.journal.verdicts(job_id)
        models = self._chain.journal.models(job_id)
        scored = self._chain.journal.scored_rounds(job_id)
        return ReaderMemory(
            checked={place for place, is_right in verdicts.items() if is_right},
            refused={place for place, is_right in verdicts.items() if not is_right},
            late={
                (r, seat) for (j, r), seats in self._late.items() if j == job_id for seat in seats
            },
            combined=set(models),
            stored={number for number, _ in (*verdicts, *scored)},
        )

    def is_news(self, event: Any) -> bool:
        """Whether a job or a round of it goes on, but what asks for workers alone.

        A draw is news to who may have to start an app.
        """
        if isinstance(event, RoundPhaseChanged):
            return event.phase not in TRAINING
        if isinstance(event, ScoreStepChanged | CommitteeStepChanged):
            return self._scorer is not None
        if isinstance(event, RoundDrawn):
            return self._opener is not None and not self._opener.is_warm(event.job_id)
        news = JobPhaseChanged | UpdateRevealed | AggregatePosted | AggregatorReplaced
        return isinstance(event, news)

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what the reader owes."""
        self._seen[view.job.job_id] = view
        for state in view.rounds:
            if state.round.phase == RoundPhase.INCLUDE:
                place = (view.job.job_id, state.round.round)
                self._include_began_s.setdefault(place, time.monotonic())
        job_id, me = view.job.job_id, self._chain.address
        yield from decide_reader(view, me, self.memory(job_id))
        if self._opener is not None:
            yield from decide_app(view, me, is_warm=self._opener.is_warm(job_id))
        if self._scorer is not None:
            yield from self._scorer.decide(view)
        if self._member is not None:
            yield from self._member.decide(view)

    async def act(self, view: JobStateResponse, state: RoundState | None, intent: Intent) -> None:
        """Collect, vote, combine, post, attest, score, measure or forget; start or end an app."""
        if intent.act is Act.FORGET:
            await self._forget(view.job, intent.round)
        elif self._opener is not None and intent.act is Act.WARM:
            await self._opener.warm(view.job)
        elif self._opener is not None and intent.act is Act.COOL:
            await self._opener.end(view.job.job_id)
        elif self._member is not None and intent.act in MEMBER_ACTS:
            await self._member.act(view, intent)
        elif state is not None and intent.act is Act.COLLECT:
            await self._collect(view, state)
        elif state is not None and intent.act is Act.VOTE:
            bitmap = self._bitmap(view.job.job_id, state)
            message = VoteInclusion(self._chain.address, view.job.job_id, intent.round, bitmap)
            await self._chain.submit(view.job.job_id, intent, message)
        elif state is not None and intent.act is Act.COMBINE:
            await self._combine(view, state)
        elif state is not None and self._scorer is not None and intent.act in SCORING_ACTS:
            await self._scorer.act(view, state, intent)
        elif state is not None:
            await self._post_or_attest(view.job, state, intent)

    async def finish(self, job: Job) -> None:
        """Drop an ended job's bytes, all but its final model and the layout to read it by."""
        self._seen.pop(job.job_id, None)
        if self._member is not None:
            self._member.forget(job.job_id)
        if self._opener is not None:
            await self._opener.end(job.job_id)
        await asyncio.to_thread(self._keep_layout, job)
        await drop_tags(self._store, f"job/{job.job_id}/round/")
        await self._drop_models(job, before=job.next_round)
        self._chain.journal.forget_job(job.job_id)
        self._chain.journal.decide_job(job.job_id, f"over {int(time.time())}")

    def _keep_layout(self, job: Job) -> None:
        layout = job.spec.work.layout
        try:
            data = self._store.read(Blob(layout.cid, layout.size_bytes))
        except BlobAbsent:
            return
        self._store.put_blob(data, LAYOUT_TAG.format(job_id=job.job_id))

    async def sweep(self) -> None:
        """Give back the final models that were kept long enough."""
        for job_id, decision in self._chain.journal.decisions().items():
            word, _, since_s = decision.partition(" ")
            if word == "over" and int(since_s) + self._config.model_kept_s < time.time():
                await drop_tags(self._store, f"job/{job_id}/")

    async def authorize(self, request: PushRequest) -> Verdict:
        """Rule who may push; BlobFault, and so another attempt, while the chain can't tell.

        This node may be a block behind the one by which the pusher knows of its job.
        """
        try:
            return await self._authorize(request)
        except ChainError as error:
            raise BlobFault(f"{error}; push again") from None

    async def _authorize(self, request: PushRequest) -> Verdict:
        """Let a job's requester push its app and base model, and a seat its update."""
        tag, account = request.tag, from_bech32(request.account)
        if tag.round == 0:
            job = (await self._chain.client.query(JobRequest(U64(tag.job_id)))).job
            is_requester = job.requester == account
            return Verdict(is_requester, f"only the requester of job {tag.job_id} may")
        seen = self._seen.get(tag.job_id)
        if seen is not None and is_seated(seen, tag.round, account):
            return Verdict(True)
        view = await self._chain.client.query(JobStateRequest(U64(tag.job_id)))
        reason = f"it has no seat in round {tag.round} of job {tag.job_id}"
        return Verdict(is_seated(view, tag.round, account), reason)

    async def _collect(self, view: JobStateResponse, state: RoundState) -> None:
        """Hold the missing updates; the vote doesn't wait for those that can't be had in time."""
        job_id, number = view.job.job_id, state.round.round
        missing = missing_updates(state, self.memory(job_id))
        results = await asyncio.gather(
            *[self._collect_one(view, state, seat) for seat in missing], return_exceptions=True
        )
        faults = {
            seat.seat: result
            for seat, result in zip(missing, results, strict=True)
            if isinstance(result, BaseException)
        }
        for fault in faults.values():
            if not isinstance(fault, BlobFault | TimeoutError) or not self._is_time_up(view, state):
                raise fault
        if faults:
            seats = ", ".join(map(str, faults))
            log.warning("job %d round %d: voting without seats %s", job_id, number, seats)
            self._late.setdefault((job_id, number), set()).update(faults)

    async def _collect_one(self, view: JobStateResponse, state: RoundState, seat: Seat) -> None:
        """Hold one update's bytes and note whether they are right."""
        job = view.job
        tag = RoundTag(job.job_id, state.round.round)
        others = self._peers.endpoints(view, state)
        async with asyncio.timeout(self._find_patience_s(job, state)):
            data = await self._peers.read(seat.reveal.blob, tag, others)
        layout_hash = job.spec.work.layout_hash
        is_right = await asyncio.to_thread(is_update_right, data, seat, job, layout_hash)
        if not is_right:
            log.warning("job %d: the bytes of seat %d are wrong", job.job_id, seat.seat)
        self._chain.journal.save_verdict(job.job_id, state.round.round, seat.seat, is_right)

    def _find_patience_s(self, job: Job, state: RoundState) -> float | None:
        """Return how long one more try to collect may take; None: no vote waits for it."""
        if state.round.phase != RoundPhase.INCLUDE:
            return None
        began_s = self._include_began_s.get((job.job_id, state.round.round), 0.0)
        left_s = began_s + PATIENCE * job.spec.schedule.include_s - time.monotonic()
        return max(left_s, LAST_TRY_S)

    def _is_time_up(self, view: JobStateResponse, state: RoundState) -> bool:
        return self._find_patience_s(view.job, state) == LAST_TRY_S

    def _bitmap(self, job_id: int, state: RoundState) -> bytes:
        """Return one bit a seat: the revealed updates held and found right."""
        verdicts = self._chain.journal.verdicts(job_id)
        bits = bytearray((state.round.seat_count + 7) // 8)
        for seat in state.seats:
            is_right = verdicts.get((state.round.round, seat.seat), False)
            if is_right and seat.state == SeatState.REVEALED:
                bits[seat.seat // 8] |= 1 << seat.seat % 8
        return bytes(bits)

    async def _combine(self, view: JobStateResponse, state: RoundState) -> None:
        """Compute the next model from the included updates, and keep it to serve."""
        job, current = view.job, state.round
        base = await read_base(self._peers, view, state)
        verdicts = self._chain.journal.verdicts(job.job_id)
        known = [
            seat
            for (number, seat), is_right in verdicts.items()
            if number == current.round and is_right
        ]
        updates = await read_updates(self._peers, view, state, known)
        combination = job.spec.combination
        model = await asyncio.to_thread(
            combine,
            combination.rule,
            base,
            updates,
            trim=combination.trim_count,
            norm_max=combination.norm_max,
        )
        kept = MODEL_TAG.format(job_id=job.job_id, number=current.round)
        root, blob = await asyncio.gather(
            asyncio.to_thread(tree_root, model, MODEL_WIDTH, job.spec.work.layout_hash),
            asyncio.to_thread(self._store.put_blob, model, kept),
        )
        self._chain.journal.save_model(
            job.job_id, current.round, CombinedModel(root.root, blob.cid, blob.size_bytes)
        )

    async def _post_or_attest(self, job: Job, state: RoundState, intent: Intent) -> None:
        """Post the computed model, or attest the posted one when it is the same."""
        model = self._chain.journal.models(job.job_id)[intent.round]
        me, number = self._chain.address, intent.round
        if intent.act is Act.POST:
            blob = ChainBlob(model.cid, U64(model.size_bytes))
            message = PostAggregate(me, job.job_id, number, model.root, blob)
            await self._chain.submit(job.job_id, intent, message)
        elif model.root == state.round.model_root:
            attestation = AttestAggregate(me, job.job_id, number, intent.attempt, model.root)
            await self._chain.submit(job.job_id, intent, attestation)
        else:
            raise BlobFault(
                f"the posted model {state.round.model_root.hex()} is not the one that the included "
                f"updates give, {model.root.hex()}; not attested"
            )

    async def _forget(self, job: Job, number: int) -> None:
        """Drop a settled round's updates, and the models that are `MODELS_KEPT` rounds old."""
        await asyncio.to_thread(self._store.drop, str(RoundTag(job.job_id, number)))
        self._chain.journal.forget_round(job.job_id, number)
        self._include_began_s.pop((job.job_id, number), None)
        self._late.pop((job.job_id, number), None)
        if self._scorer is not None:
            self._scorer.forget(job.job_id, number)
        await self._drop_models(job, before=number - MODELS_KEPT)

    async def _drop_models(self, job: Job, *, before: int) -> None:
        """Drop the models of earlier rounds, but the one that stands."""
        for number, model in self._chain.journal.models(job.job_id).items():
            if number < before and model.root != job.model_root:
                tag = MODEL_TAG.format(job_id=job.job_id, number=number)
                await asyncio.to_thread(self._store.drop, tag)
                self._chain.journal.forget_model(job.job_id, number)


async def drop_tags(store: Store, prefix: str) -> None:
    """Drop everything whose tag begins so."""
    for tag in await asyncio.to_thread(store.tags):
        if tag.startswith(prefix):
            await asyncio.to_thread(store.drop, tag)


def is_seated(view: JobStateResponse, number: int, account: Address) -> bool:
    """Whether an account works or reads in a round that a job's state shows."""
    return any(
        account in [*(s.worker for s in state.seats), *(r.participant for r in state.readers)]
        for state in view.rounds
        if state.round.round == number
    )


def is_update_right(data: bytes, seat: Seat, job: Job, layout_hash: bytes) -> bool:
    """Whether bytes have the revealed length, root and norm, and keep to the job's range."""
    if len(data) != job.spec.work.value_count * UPDATE_WIDTH:
        return False
    root = tree_root(data, UPDATE_WIDTH, layout_hash)
    is_as_revealed = (root.root, root.sum_squares) == (
        seat.reveal.update_root,
        seat.reveal.sum_squares,
    )
    value_max = job.spec.combination.value_max
    return is_as_revealed and peak(np.frombuffer(data, "<i4")) <= value_max
