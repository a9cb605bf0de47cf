"""The stream of a job's events: its state now, then what each block adds.

After a commit the new events of every watched job are read and encoded once, and the same bytes
left for each who watches. Who lets too many blocks wait is dropped, and may come back with the
height it has reached. While a job is silent its watchers get the chain's height and clock once a
second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from google.protobuf.any_pb2 import Any as AnyMessage

from app.chain import run_query
from app.kernel.errors import Rejected
from app.kernel.record import U64
from app.modules.rounds import JobStateRequest
from app.node.abci import Application
from app.node.leveldb import ALL_JOBS, Committed, JobEvent
from app.node.question import Refusal, to_refusal
from app.pb.pollen.node.v1.node_pb2 import WatchJobResponse
from app.wire.records import to_protobuf

BLOCKS_WAITING_MAX = 256
HEARTBEAT_S = 1.0
WATCHERS_MAX = 1_000


class TooSlow(Exception):
    """A reader that lets too many blocks wait."""


class TooEarly(Refusal):
    """A stream from a height of which this node has no events."""


class TooManyWatchers(Exception):
    """As many streams are open as a node serves."""


class Watcher:
    """One open stream: the blocks left for it to send."""

    def __init__(self) -> None:
        self.blocks: deque[tuple[int, bytes]] = deque()
        self._is_dropped = False
        self._wake = asyncio.Event()

    def leave(self, blocks: Sequence[tuple[int, bytes]]) -> None:
        """Leave blocks to send, unless too many wait already."""
        if len(self.blocks) + len(blocks) > BLOCKS_WAITING_MAX:
            self._is_dropped = True
            self.blocks.clear()
        if not self._is_dropped:
            self.blocks.extend(blocks)
        self._wake.set()

    async def wait(self) -> None:
        """Return when something was left, or after a second; `TooSlow` once it was too much."""
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await self._wake.wait()
        except TimeoutError:
            pass
        if self._is_dropped:
            raise TooSlow
        self._wake.clear()


class Feed:
    """Every watched job's events, from the store to all who watch."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._watchers: dict[int, list[Watcher]] = {}
        self._seen = application.last

    @property
    def watcher_count(self) -> int:
        """Return how many streams are open."""
        return sum(len(watchers) for watchers in self._watchers.values())

    async def follow(self) -> None:
        """Leave each block's events to the watchers, for ever."""
        while True:
            await self._application.wait_for_commit()
            self.publish()

    def publish(self) -> None:
        """Leave the events since the last time to the watchers."""
        for job_id, watchers in self._watchers.items():
            blocks = list(self._read(job_id, self._seen.height + 1))
            if blocks:
                for watcher in watchers:
                    watcher.leave(blocks)
        self._seen = self._application.last

    async def watch(self, job_id: int, from_height: int) -> AsyncGenerator[bytes]:
        """Walk a job's serialized responses: the past that was asked for, then what happens.

        Height 0 asks for the state now; job 0 is all jobs, whose stream begins with an empty
        response. `Refusal`: no such job. `TooEarly`: the node began later, from a snapshot.
        `TooSlow`, `TooManyWatchers`: the stream ends.
        """
        events_from = self._application.store.events_from
        if 0 < from_height < events_from:
            raise TooEarly(
                f"from_height {from_height}: this node began from a snapshot and has events from "
                f"height {events_from} on; ask another, or from_height 0 for the state now"
            )
        if self.watcher_count >= WATCHERS_MAX:
            raise TooManyWatchers
        start, watcher = self._application.last, Watcher()
        first = self._begin(job_id, start) if from_height == 0 else b""
        self._watchers.setdefault(job_id, []).append(watcher)
        try:
            if first:
                yield first
            else:
                for height, response in self._read(job_id, from_height):
                    if height <= start.height:
                        yield response
            async for response in self._follow(watcher, max(start.height, from_height - 1)):
                yield response
        finally:
            self._watchers[job_id].remove(watcher)
            if not self._watchers[job_id]:
                del self._watchers[job_id]

    async def _follow(self, watcher: Watcher, sent_height: int) -> AsyncIterator[bytes]:
        """Walk what is left for a watcher above a height, and a beat where that is nothing."""
        while True:
            await watcher.wait()
            while watcher.blocks:
                height, response = watcher.blocks.popleft()
                if height > sent_height:
                    yield response
                    sent_height = height
            if self._seen.height > sent_height:
                sent_height = self._seen.height
                yield bytes(make_response(self._seen).SerializeToString())

    def _begin(self, job_id: int, last: Committed) -> bytes:
        response = make_response(last)
        if job_id != ALL_JOBS:
            try:
                state = run_query(self._application.state, JobStateRequest(U64(job_id)))
            except Rejected as rejection:
                raise to_refusal(rejection) from None
            response.snapshot.CopyFrom(to_protobuf(state))
        return bytes(response.SerializeToString())

    def _read(self, job_id: int, from_height: int) -> Iterator[tuple[int, bytes]]:
        """Walk the blocks with events of a job, each with its serialized response."""
        events = self._application.store.job_events(job_id, from_height)
        for height, group in groupby(events, key=attrgetter("height")):
            yield height, encode_block(list(group))


def make_response(last: Committed) -> WatchJobResponse:
    """Return a response that says how far the chain is."""
    return WatchJobResponse(height=last.height, time_unix_ms=last.time_ms, clock_ms=last.clock_ms)


def encode_block(events: Sequence[JobEvent]) -> bytes:
    """Return the serialized response with one block's events."""
    block = events[0]
    response = WatchJobResponse(
        height=block.height,
        time_unix_ms=block.time_ms,
        clock_ms=block.clock_ms,
        events=[AnyMessage.FromString(event.packed) for event in events],
    )
    return bytes(response.SerializeToString())
