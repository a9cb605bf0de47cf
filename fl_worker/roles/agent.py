"""The loop that every participant runs: follow a job, decide, act, and try again.

Retries live here and nowhere else: an act that fails rests, a little longer each time, and whatever
happens the next decision is made from the chain's state.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Protocol, cast

from app.sdk.client import ChainError, Client, Fee, QueryRefused
from app.sdk.protocol import (
    U32,
    U64,
    Address,
    Job,
    JobJoined,
    JobPhaseChanged,
    JobPosted,
    JobRequest,
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

log = logging.getLogger("pollen")

REST_S_MIN = 0.2
REST_S_MAX = 5.0
LOOK_AGAIN_S = 10.0
REFUSED_REST_S_MAX = 60.0
"""The longest rest before a job is looked at again whose app couldn't be had or started."""
DISCOVERY_REST_S = 2.0
FAULTS = (ChainError, BlobFault, FlowerError, ValueError, OSError, TimeoutError)
"""What the chain, the network, a disk, an app or somebody's bytes may do; ValueError: bytes."""
JOBS_PER_PAGE = U32(100)
PERCENT_PPM = 10_000


class Role(Protocol):
    """What makes one kind of participant different from another."""

    name: str

    async def wants(self, job: Job) -> bool:
        """Whether to follow a job."""
        ...

    def is_news(self, event: Any) -> bool:
        """Whether it may owe something else after an event of the job."""
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
        self._fees: dict[type[Any], Fee] = {}

    @property
    def address(self) -> Address:
        """The account that signs."""
        return self.signer.address

    async def submit(self, job_id: U64, intent: Intent, message: Any) -> None:
        """Submit one act's message and wait until it is in a block.

        The fee is what the last message of its kind took, unless that one was refused.
        """
        fee = self._fees.pop(type(message), None)
        result = await self.client.submit(self.signer, [message], fee=fee)
        self._fees[type(message)] = fee or await self.client.find_fee(result.gas_used)
        self.journal.note_submission(job_id, intent.round, intent.act.value, result.hash)
        log.info("%s: %s", describe_place(job_id, intent), intent.act.value)


class Follower:
    """Follows one job until it is over."""

    def __init__(self, chain: Chain, role: Role, job_id: U64) -> None:
        self._chain = chain
        self._role = role
        self._job_id = job_id
        self._wake = asyncio.Event()
        self._has_news = True
        self._running: dict[Intent, asyncio.Task[None]] = {}
        self._done: set[Intent] = set()
        """What was done since the chain was last asked, and may still look undone."""
        self._failures: Counter[Intent] = Counter()

    async def run(self) -> Job:
        """Decide and act whenever the chain or our own work has moved; return the ended job.

        The chain is asked again when it has news for the role, when an act has failed, and from
        time to time.
        """
        try:
            while True:
                self._wake.clear()
                if self._has_news:
                    self._has_news = False
                    self._done.clear()
                    view = await self._query()
                for intent in self._role.decide(view):
                    self._begin(view, intent)
                if is_over(view.job) and not self._running and not open_rounds(view):
                    return view.job
                await self._rest()
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def ask_again(self) -> None:
        """Ask the chain anew, and decide."""
        self._has_news = True
        self._wake.set()

    async def _rest(self) -> None:
        """Return when something has moved, or after a while: another node may have been behind."""
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._wake.wait()
        except TimeoutError:
            self._has_news = True

    async def _query(self) -> JobStateResponse:
        while True:
            try:
                found = await self._chain.client.query(JobStateRequest(self._job_id))
                return cast(JobStateResponse, found)
            except ChainError as error:
                log.warning("job %d: the chain doesn't answer: %s", self._job_id, error)
                await asyncio.sleep(REST_S_MAX)

    def _begin(self, view: JobStateResponse, intent: Intent) -> None:
        if intent not in self._running and intent not in self._done:
            self._running[intent] = asyncio.create_task(self._attempt(view, intent))

    async def _attempt(self, view: JobStateResponse, intent: Intent) -> None:
        try:
            state = next((s for s in view.rounds if s.round.round == intent.round), None)
            await self._role.act(view, state, intent)
            self._failures.pop(intent, None)
            self._done.add(intent)
        except FAULTS as error:
            self._failures[intent] += 1
            place = f"{describe_place(self._job_id, intent)}: {intent.act.value}"
            log.warning("%s failed, will try again: %s", place, error)
            await asyncio.sleep(min(REST_S_MIN * 2 ** self._failures[intent], REST_S_MAX))
            self._has_news = True
        finally:
            self._running.pop(intent, None)
            self._wake.set()


def describe_place(job_id: int, intent: Intent) -> str:
    """Return where an act belongs, in words."""
    return f"job {job_id} round {intent.round}" if intent.round else f"job {job_id}"


def describe_end(job: Job) -> str:
    """Return how a job ended, and what of the held-back money its end releases."""
    words = f"{job.phase.name.lower()} ({job.reason})" if job.reason else job.phase.name.lower()
    percent = job.released_ppm / PERCENT_PPM
    return f"{words}; {percent:g} % of what was held back is paid" if job.rejected else words


def open_rounds(view: JobStateResponse) -> list[int]:
    """Return the numbers of a job's unsettled rounds."""
    return [state.round.round for state in view.rounds if state.round.phase in UNSETTLED]


async def follow_all(chain: Chain, role: Role) -> None:
    """Follow every job that the role wants, those there are and those that come.

    One stream of all jobs' events wakes the followers.
    """
    followed: dict[U64, asyncio.Task[None]] = {}
    followers: dict[U64, Follower] = {}
    try:
        async for job in discover(chain, role, followers):
            task = followed.get(job.job_id)
            if task is None or task.done():
                task = asyncio.create_task(attend(chain, role, job, followers))
                task.add_done_callback(report_end)
                followed[job.job_id] = task
    finally:
        for task in followed.values():
            task.cancel()
        await asyncio.gather(*followed.values(), return_exceptions=True)


async def attend(chain: Chain, role: Role, job: Job, followers: dict[U64, Follower]) -> None:
    """Follow a job if the role wants it, to its end; what keeps the role from it may pass."""
    rest_s = REST_S_MIN
    while True:
        try:
            if not is_over(job):
                if not await role.wants(job):
                    return
                log.info("job %d: following", job.job_id)
                followers[job.job_id] = Follower(chain, role, job.job_id)
                try:
                    job = await followers[job.job_id].run()
                finally:
                    del followers[job.job_id]
                log.info("job %d: over, %s", job.job_id, describe_end(job))
            if job.job_id in chain.journal.held_jobs():
                await role.finish(job)
            return
        except FAULTS as error:
            log.warning("job %d: will look again: %s", job.job_id, error)
        rest_s = min(2 * rest_s, REFUSED_REST_S_MAX)
        await asyncio.sleep(rest_s)
        job = await find_job(chain.client, job)


def report_end(task: asyncio.Task[None]) -> None:
    """Say why a job is no longer followed, if that is a fault of ours."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a job's follower ended", exc_info=task.exception())


async def discover(
    chain: Chain, role: Role, followers: Mapping[U64, Follower]
) -> AsyncIterator[Job]:
    """Walk the jobs to look at: those joined before, the others not over, then each with news.

    Who follows a job asks the chain again after what is news to the role.
    """
    client = chain.client
    while True:
        try:
            height = (await client.status()).height
            for follower in followers.values():
                follower.ask_again()
            async for job in held_jobs(chain):
                yield job
            async for job in open_jobs(client):
                yield job
            async for update in client.watch_job(0, height + 1):
                for event in update.events:
                    if event.job_id in followers and role.is_news(event):
                        followers[event.job_id].ask_again()
                offers = [event.job_id for event in update.events if is_offer(event, chain.address)]
                for job_id in dict.fromkeys(offers):
                    yield (await client.query(JobRequest(job_id))).job
        except ChainError as error:
            log.warning("the chain doesn't answer: %s", error)
        await asyncio.sleep(DISCOVERY_REST_S)


def is_offer(event: Any, me: Address) -> bool:
    """Whether a role may want a job that it didn't want before an event."""
    if isinstance(event, JobJoined):
        return event.worker == me  # by hand, in another process
    return isinstance(event, JobPosted | JobPhaseChanged)


async def held_jobs(chain: Chain) -> AsyncIterator[Job]:
    """Walk the jobs that were joined and not given back; some may be over by now."""
    for job_id in chain.journal.held_jobs():
        try:
            yield (await chain.client.query(JobRequest(U64(job_id)))).job
        except QueryRefused as refusal:
            log.warning("job %d was joined, but isn't on this chain: %s", job_id, refusal)


async def open_jobs(client: Client) -> AsyncIterator[Job]:
    """Walk the jobs that are not over, newest first."""
    before = U64(0)
    while True:
        page = (await client.query(JobsRequest(before, JOBS_PER_PAGE))).jobs
        for job in page:
            if not is_over(job):
                yield job
        if len(page) < JOBS_PER_PAGE:
            return
        before = page[-1].job_id


async def find_job(client: Client, known: Job) -> Job:
    """Return a job as it is now, or as it was known where the chain doesn't answer."""
    try:
        return cast(Job, (await client.query(JobRequest(known.job_id))).job)
    except ChainError as error:
        log.warning("the chain doesn't answer: %s", error)
        return known
