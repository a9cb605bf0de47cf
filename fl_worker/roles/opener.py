"""Opening what was granted: slices are unsealed and held against what was posted, then measured on.

Scorers of rounds and members of committees do it alike, with one bench a job, which is started when
they are drawn.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from nacl.public import PrivateKey

from app.sdk.protocol import Job
from fl_worker.blobs.permit import RoundTag
from fl_worker.blobs.sealing import Unopened, unbox_key, unseal
from fl_worker.flower.errors import FlowerError
from fl_worker.flower.fab import install_fab
from fl_worker.flower.sandbox import Limits
from fl_worker.roles.kept import Kept
from fl_worker.roles.peers import Peers
from fl_worker.scoring.bench import Bench, Measured
from fl_worker.update.layout import Layout

BENCHES_KEPT = 4
"""So many jobs' benches stay, of a third of a gigabyte each; another's is started when needed."""


@dataclass(frozen=True, slots=True)
class OpenerConfig:
    """Where an evaluator keeps the apps it runs, what opens its boxes, and what an app may use."""

    home: Path
    secret: PrivateKey
    limits: Limits = Limits()


class Opener:
    """Opens slices, and benches to measure on them: no more at a time than there are cores."""

    def __init__(self, peers: Peers, config: OpenerConfig) -> None:
        self._peers = peers
        self._config = config
        self._benches = Kept(self._start)
        self._at_once = asyncio.Semaphore(os.cpu_count() or 1)

    async def open_slices(
        self, job: Job, granted: Iterable[tuple[int, bytes]], endpoints: Sequence[str]
    ) -> list[bytes]:
        """Return plain slices, given by number and boxed key.

        Unopened if one doesn't open, or isn't what the requester posted.
        """
        tag, slices = RoundTag(job.job_id, 0), []
        for number, box in granted:
            shown = job.spec.work.validation_slices[number]
            key = unbox_key(box, self._config.secret)
            plain = unseal(await self._peers.read(shown.sealed, tag, endpoints), key)
            if sha256(plain).digest() != shown.hash:
                raise Unopened(
                    f"slice {number} holds {sha256(plain).hexdigest()}, "
                    f"posted was {shown.hash.hex()}"
                )
            slices.append(plain)
        return slices

    def is_warm(self, job_id: int) -> bool:
        """Whether a job's bench stands ready."""
        return self._benches.is_ready(job_id)

    async def warm(self, job: Job) -> None:
        """Keep a bench for a job from now on, unless enough are kept."""
        if self._has_room(job.job_id):
            await asyncio.shield(self._benches.prepare(job))

    @asynccontextmanager
    async def open_bench(self, job: Job, slices: Sequence[bytes]) -> AsyncIterator[Bench]:
        """Lay slices out on a job's bench, when it is their turn."""
        async with self._at_once:
            is_kept = self._has_room(job.job_id)
            starting = self._benches.prepare(job) if is_kept else self._start(job)
            bench = await asyncio.shield(starting)
            try:
                async with bench.lay_out(slices):
                    yield bench
            finally:
                if not is_kept:
                    await bench.close()

    async def end(self, job_id: int) -> None:
        """Give up a job's bench."""
        await self._benches.end(job_id)

    async def close(self) -> None:
        """Give up all benches."""
        await self._benches.close()

    def _has_room(self, job_id: int) -> bool:
        return self._benches.is_kept(job_id) or len(self._benches) < BENCHES_KEPT

    async def _start(self, job: Job) -> Bench:
        """Start a job's bench, whose app was fetched once."""
        bench = await Bench.start(await self._prepare(job))
        try:
            await bench.warm()
        except (FlowerError, asyncio.CancelledError):
            await bench.close()
            raise
        return bench

    async def _prepare(self, job: Job) -> Measured:
        """Install a job's app."""
        tag, work = RoundTag(job.job_id, 0), job.spec.work
        layout = Layout.from_bytes(await self._peers.read(work.layout, tag))
        fab = await self._peers.read(work.fab, tag)
        app_dir = await asyncio.to_thread(install_fab, fab, self._config.home / "apps")
        return Measured(app_dir, job.spec, layout, job.job_id, self._config.limits)
