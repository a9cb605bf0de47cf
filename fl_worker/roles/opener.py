"""Opening what was granted: slices are unsealed and held against what was posted, then measured on.

Scorers of rounds and members of committees do it alike.
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
from fl_worker.flower.fab import install_fab
from fl_worker.flower.sandbox import Limits
from fl_worker.roles.peers import Peers
from fl_worker.scoring.bench import Bench, Measured, open_bench
from fl_worker.update.layout import Layout


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
        self._benches = asyncio.Semaphore(os.cpu_count() or 1)

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

    @asynccontextmanager
    async def open_bench(self, job: Job, slices: Sequence[bytes]) -> AsyncIterator[Bench]:
        """Run a job's app beside slices, when it is their turn."""
        measured = await self._prepare(job)
        async with self._benches, open_bench(measured, slices) as bench:
            yield bench

    async def _prepare(self, job: Job) -> Measured:
        """Install a job's app, which was fetched once."""
        tag, work = RoundTag(job.job_id, 0), job.spec.work
        layout = Layout.from_bytes(await self._peers.read(work.layout, tag))
        fab = await self._peers.read(work.fab, tag)
        app_dir = await asyncio.to_thread(install_fab, fab, self._config.home / "apps")
        return Measured(app_dir, job.spec, layout, job.job_id, self._config.limits)
