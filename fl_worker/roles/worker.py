"""The worker: trains the job's Flower app on its own data and submits what came out.

The update and the app's state are in the journal before the commitment is submitted, so a worker
that was killed submits the very bytes it had trained. It pushes the update when the commitments are
closed, just before it reveals: nobody can see it in time to copy it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.sdk.protocol import (
    I64,
    U64,
    U128,
    UPDATE_COMMITMENT,
    UPDATE_WIDTH,
    CommitUpdate,
    Job,
    JobPhaseChanged,
    JobStateResponse,
    Metric,
    ReserveCalled,
    Reveal,
    RevealUpdate,
    RoundDrawn,
    RoundPhaseChanged,
    RoundState,
    commitment,
    encode,
)
from app.sdk.protocol import Blob as ChainBlob
from fl_worker.blobs.cids import BlobFault
from fl_worker.blobs.permit import RoundTag
from fl_worker.blobs.store import Store
from fl_worker.flower.errors import FlowerError
from fl_worker.flower.fab import ConfigValue, app_config, install_fab
from fl_worker.flower.sandbox import Limits
from fl_worker.flower.trainer import Trainer, TrainerConfig, TrainReply, node_id_of
from fl_worker.local import record_keys
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import READING, Act, Intent, WorkerMemory, decide_worker, find_seat
from fl_worker.roles.kept import Kept
from fl_worker.roles.peers import Peers
from fl_worker.roles.standing import StandingOrder
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import from_model, to_update
from fl_worker.update.tree import tree_root

log = logging.getLogger("pollen")

MILLIONTHS = 1_000_000
METRIC_MAX = 2**62
METRICS_MAX = 16
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Where a worker keeps its bytes, what its data are called, and what it agrees to run."""

    home: Path
    node_config: Mapping[str, ConfigValue]
    order: StandingOrder
    limits: Limits = Limits()
    readable: tuple[Path, ...] = ()
    """Folders with its data, which the app may read."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job's app, installed and running, and the layout of its model."""

    trainer: Trainer
    layout: Layout
    train_config: Mapping[str, Any]

    async def close(self) -> None:
        """End the app."""
        await self.trainer.close()


class Worker:
    """What a worker does for the jobs it joined."""

    name = "worker"

    def __init__(self, chain: Chain, store: Store, peers: Peers, config: WorkerConfig) -> None:
        self._chain = chain
        self._store = store
        self._peers = peers
        self._config = config
        self._apps = Kept(self._prepare)

    async def wants(self, job: Job) -> bool:
        """Whether it has joined the job, or joins it now; one it left may still be owed a round."""
        is_joined = await self._config.order.joins(self._chain, job, self._apps.prepare)
        if is_joined:
            self._apps.prepare(job)
        return is_joined or job.job_id in self._chain.journal.held_jobs()

    def is_news(self, event: Any) -> bool:
        """Whether a job or a round of it goes on, but what asks for readers alone."""
        if isinstance(event, RoundPhaseChanged):
            return event.phase not in READING
        return isinstance(event, JobPhaseChanged | RoundDrawn | ReserveCalled)

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what the worker owes."""
        trained = self._chain.journal.trained_rounds(view.job.job_id)
        is_warm = self._apps.is_ready(view.job.job_id)
        return decide_worker(view, self._chain.address, WorkerMemory(trained, is_warm))

    async def act(self, view: JobStateResponse, state: RoundState | None, intent: Intent) -> None:
        """Train, commit, reveal or forget."""
        if intent.act is Act.FORGET:
            tag = str(RoundTag(view.job.job_id, intent.round))
            await asyncio.to_thread(self._store.drop, tag)
            self._chain.journal.forget_round(view.job.job_id, intent.round)
        elif intent.act is Act.WARM:
            await asyncio.shield(self._apps.prepare(view.job))
        elif state is not None and intent.act is Act.TRAIN:
            await self._train(view, state)
        elif state is not None and intent.act is Act.COMMIT:
            await self._commit(view, state, intent)
        elif state is not None and intent.act is Act.REVEAL:
            await self._reveal(view, state, intent)

    async def finish(self, job: Job) -> None:
        """Close the app's process and drop the job's bytes."""
        await self._apps.end(job.job_id)
        for number in range(job.next_round):
            await asyncio.to_thread(self._store.drop, str(RoundTag(job.job_id, number)))
        self._chain.journal.forget_job(job.job_id)
        self._chain.journal.decide_job(job.job_id, f"over {int(time.time())}")

    async def close(self) -> None:
        """Stop every app; what they were training is lost and trained again."""
        await self._apps.close()

    async def _prepare(self, job: Job) -> Prepared:
        """Fetch and start the job's app."""
        tag, work = RoundTag(job.job_id, 0), job.spec.work
        fab = await self._peers.read(work.fab, tag)
        layout = Layout.from_bytes(await self._peers.read(work.layout, tag))
        app_dir = await asyncio.to_thread(install_fab, fab, self._config.home / "apps")
        overrides = json.loads(work.run_config)
        app = await asyncio.to_thread(app_config, app_dir, overrides)
        trainer = await Trainer.start(
            TrainerConfig(
                app_dir=app_dir,
                clientapp=app.clientapp,
                run_id=job.job_id,
                node_id=node_id_of(self._chain.address),
                node_config=self._config.node_config,
                run_config=app.run_config,
                keys=record_keys(job.spec),
                limits=self._config.limits,
                readable=self._config.readable,
            )
        )
        if trainer.warning:
            log.warning("%s", trainer.warning)
        try:
            await trainer.warm()
        except (FlowerError, asyncio.CancelledError):
            await trainer.close()
            raise
        return Prepared(trainer, layout, json.loads(work.train_config))

    async def _train(self, view: JobStateResponse, state: RoundState) -> None:
        job, current = view.job, state.round
        prepared = await asyncio.shield(self._apps.prepare(job))
        tag = RoundTag(job.job_id, current.round)
        base = await self._peers.read(current.base, tag, self._peers.endpoints(view, state))
        arrays = await asyncio.to_thread(from_model, base, prepared.layout)
        before = self._chain.journal.find_state(job.job_id)
        reply = await prepared.trainer.train(arrays, prepared.train_config, current.round, before)
        update = await asyncio.to_thread(
            to_update, reply.arrays, base, prepared.layout, job.spec.combination.value_max
        )
        root, blob = await asyncio.gather(
            asyncio.to_thread(tree_root, update.update, UPDATE_WIDTH, prepared.layout.hash),
            asyncio.to_thread(self._store.put_blob, update.update, str(tag)),
        )
        reveal = Reveal(
            update_root=root.root,
            sum_squares=U128(root.sum_squares),
            sealed_root=b"",
            blob=ChainBlob(blob.cid, U64(blob.size_bytes)),
            example_count=U64(reply.example_count),
            metrics=tuple(shown_metrics(reply)),
            salt=secrets.token_bytes(SALT_BYTES),
        )
        self._chain.journal.save_update(job.job_id, current.round, reveal, reply.state)
        if update.saturated_count:
            log.warning("job %d: %d values were cut off", job.job_id, update.saturated_count)

    async def _commit(self, view: JobStateResponse, state: RoundState, intent: Intent) -> None:
        job_id, me = view.job.job_id, self._chain.address
        seat = find_seat(state, me)
        reveal = self._chain.journal.find_reveal(job_id, intent.round)
        if seat is None or reveal is None:
            return
        bound = commitment(
            UPDATE_COMMITMENT,
            self._chain.client.chain_id,
            job_id,
            intent.round,
            seat.attempt,
            account=me,
            payload=encode(reveal),
        )
        await self._chain.submit(job_id, intent, CommitUpdate(me, job_id, intent.round, bound))

    async def _reveal(self, view: JobStateResponse, state: RoundState, intent: Intent) -> None:
        job_id, me = view.job.job_id, self._chain.address
        reveal = self._chain.journal.find_reveal(job_id, intent.round)
        if reveal is None:
            return
        tag = RoundTag(job_id, intent.round)
        reached = await self._peers.push(reveal.blob, tag, self._peers.endpoints(view, state))
        if not reached:
            raise BlobFault("no reader took the update: see that they can be reached")
        await self._chain.submit(job_id, intent, RevealUpdate(me, job_id, intent.round, reveal))


def shown_metrics(reply: TrainReply) -> Iterator[Metric]:
    """Walk the app's single numbers as metrics in millionths; lists and odd values are left out."""
    numbers = {k: v for k, v in reply.metrics.items() if isinstance(v, int | float)}
    for name in sorted(numbers)[:METRICS_MAX]:
        value = float(numbers[name]) * MILLIONTHS
        if abs(value) < METRIC_MAX:
            yield Metric(name, I64(round(value)))
