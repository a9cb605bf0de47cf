"""The loop that every participant runs: follow a job, decide, act, and try again.

Retries live here and nowhere else: an act that fails rests, a little longer each time, and whatever
happens the next decision is made from the chain's state.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from app.sdk.client import ChainError, Client
from app.sdk.protocol import (
    Address,
    Job,
    JobsRequest,
    JobStateRequest,
    JobStateResponse,
    RoundState,
)
from app.sdk.signer import Signer
from fl_worker.blobs.cids import BlobFault
from fl_worker.flower.errors import FlowerError
from fl_worker.roles.decide import UNSETTLED, Intent, is_over
from fl_worker.roles.journal import Journal
from fl_worker.update.quantize import UpdateRefused

log = logging.getLogger("pollen")

REST_S_MIN = 0.2
REST_S_MAX = 5.0
DISCOVERY_REST_S = 2.0
FAULTS = (ChainError, BlobFault, FlowerError, UpdateRefused, OSError, TimeoutError)
JOBS_PER_PAGE = 100


class Role(Protocol):
    """What makes one kind of participant different from another."""

    name: str

    async def wants(self, job: Job) -> bool:
        """Whether to follow a job."""
        ...

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what is owed now."""
        ...

    async def act(self, view: JobStateResponse, state: RoundState | None, intent: Intent) -> None:
        """Do one thing; may be cut off at any moment and begun again."""
        ...

    async def finish(self, job: Job) -> None:
        """Give back what an ended job took."""
        ...


class Chain:
    """A participant's line to the chain: one signer, one client, one journal."""

    def __init__(self, client: Client, signer: Signer, journal: Journal) -> None:
        self.client = client
        self.signer = signer
        self.journal = journal

    @property
    def address(self) -> Address:
        """The account that signs."""
        return self.signer.address

    async def submit(self, job_id: int, intent: Intent, message: Any) -> None:
        """Submit one act's message and wait until it is in a block."""
        result = await self.client.submit(self.signer, [message])
        self.journal.note_submission(job_id, intent.round, intent.act.value, result.hash)
        log.info("job %d round %d: %s", job_id, intent.round, intent.act.value)


class Follower:
    """Follows one job until it is over."""

    def __init__(self, chain: Chain, role: Role, job_id: int) -> None:
        self._chain = chain
        self._role = role
        self._job_id = job_id
        self._wake = asyncio.Event()
        self._running: dict[Intent, asyncio.Task[None]] = {}
        self._failures: Counter[Intent] = Counter()

    async def run(self) -> None:
        """Decide and act whenever the chain or our own work has moved."""
        watcher = asyncio.create_task(self._watch())
        try:
            while True:
                self._wake.clear()
                view = await self._query()
                for intent in self._role.decide(view):
                    self._begin(view, intent)
                if is_over(view.job) and not self._running and not open_rounds(view):
                    await self._role.finish(view.job)
                    return
                await self._wake.wait()
        finally:
            tasks = [watcher, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        async for _ in self._chain.client.watch_job(self._job_id):
            self._wake.set()

    async def _query(self) -> JobStateResponse:
        while True:
            try:
                return await self._chain.client.query(JobStateRequest(self._job_id))
            except ChainError as error:
                log.warning("job %d: the chain doesn't answer: %s", self._job_id, error)
                await asyncio.sleep(REST_S_MAX)

    def _begin(self, view: JobStateResponse, intent: Intent) -> None:
        if intent not in self._running:
            self._running[intent] = asyncio.create_task(self._attempt(view, intent))

    async def _attempt(self, view: JobStateResponse, intent: Intent) -> None:
        try:
            state = next((s for s in view.rounds if s.round.round == intent.round), None)
            await self._role.act(view, state, intent)
            self._failures.pop(intent, None)
        except FAULTS as error:
            self._failures[intent] += 1
            place = f"job {self._job_id} round {intent.round}: {intent.act.value}"
            log.warning("%s failed, will try again: %s", place, error)
            await asyncio.sleep(min(REST_S_MIN * 2 ** self._failures[intent], REST_S_MAX))
        finally:
            self._running.pop(intent, None)
            self._wake.set()


def open_rounds(view: JobStateResponse) -> list[int]:
    """Return the numbers of a job's unsettled rounds."""
    return [state.round.round for state in view.rounds if state.round.phase in UNSETTLED]


async def follow_all(chain: Chain, role: Role) -> None:
    """Follow every job that the role wants, those there are and those that come."""
    followed: dict[int, asyncio.Task[None]] = {}
    try:
        async for job in discover(chain.client):
            task = followed.get(job.job_id)
            if (task is None or task.done()) and await role.wants(job):
                log.info("job %d: following", job.job_id)
                follower = Follower(chain, role, job.job_id)
                task = asyncio.create_task(follower.run())
                task.add_done_callback(report_end)
                followed[job.job_id] = task
    finally:
        for task in followed.values():
            task.cancel()
        await asyncio.gather(*followed.values(), return_exceptions=True)


def report_end(task: asyncio.Task[None]) -> None:
    """Say why a job is no longer followed, if that is a fault of ours."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a job's follower ended", exc_info=task.exception())


async def discover(client: Client) -> AsyncIterator[Job]:
    """Walk the jobs that are not over: all there are first, again whenever any job changes."""
    while True:
        try:
            async for job in open_jobs(client):
                yield job
            async for _ in client.watch_job(0):
                async for job in open_jobs(client):
                    yield job
        except ChainError as error:
            log.warning("the chain doesn't answer: %s", error)
        await asyncio.sleep(DISCOVERY_REST_S)


async def open_jobs(client: Client) -> AsyncIterator[Job]:
    """Walk the jobs that are not over, newest first."""
    before = 0
    while True:
        page = (await client.query(JobsRequest(before, JOBS_PER_PAGE))).jobs
        for job in page:
            if not is_over(job):
                yield job
        if len(page) < JOBS_PER_PAGE:
            return
        before = page[-1].job_id
