"""Snapshots: the whole state after one block, from which a new node begins without the blocks.

    <home>/snapshots/<height>/<index>   a chunk: whole rows in key order, at most `CHUNK_BYTES_MAX`
    <home>/snapshots/<height>/head      the block, and the hash of each chunk; a snapshot's metadata

A row is the length of its key, the key, the length of its value, the value; lengths are varints.
Nothing else goes in, so that every node writes the same bytes. They are written from a frozen view
of the database while blocks go on, in slices that leave the node most of its time. The folder is
named last: what is there is whole.

Who restores one checks each chunk against the head's hash, the rows' root against the application
hash that the engine's light client has verified, and the block's time, which lies outside the root,
against what the trusted nodes say. Then one batch writes it all.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app.chain import APP_VERSION
from app.kernel.crypto import sha256
from app.kernel.frozen import frozen
from app.kernel.record import U64, Malformed, decode, encode, read_varint, write_varint
from app.kernel.store import MemoryStore, Overlay
from app.kernel.trie import Forest
from app.modules.clock import HALTS
from app.node.leveldb import Committed, Frozen, LevelStore

log = logging.getLogger("pollend.snapshots")

FORMAT = 1
CHUNK_BYTES_MAX = 10_000_000
CHUNKS_MAX = 4_096
SLICE_ROWS = 500
"""Rows written without a pause, a millisecond's work."""
PAUSES_PER_SLICE = 4
HEAD_FILE = "head"
PART_SUFFIX = ".part"

Offer, Apply = abci.ResponseOfferSnapshot, abci.ResponseApplySnapshotChunk
FindHeader = Callable[[int], tuple[str, int] | None]
"""What gives a block's chain and time in ms as trusted nodes say them, or None if they don't."""
Row = tuple[bytes, bytes]


@frozen
class Head:
    """What a snapshot is of, and what its chunks are."""

    block: Committed
    row_count: U64
    chunk_hashes: tuple[bytes, ...]


class Snapshots:
    """The snapshots in a folder: one every so many blocks, the last few of them kept."""

    def __init__(self, folder: Path, interval: int, keep: int) -> None:
        self._folder = folder
        self._interval = interval
        self._keep = keep
        self._frozen: tuple[Committed, Frozen] | None = None
        self._wake = asyncio.Event()
        for part in folder.glob(f"*{PART_SUFFIX}"):
            shutil.rmtree(part)

    def freeze(self, store: LevelStore) -> None:
        """Hold the state as it is now if a snapshot is due, unless one is being taken."""
        if not self._interval or store.last.height % self._interval:
            return
        if self._frozen is not None:
            log.warning("no snapshot at height %d: the last isn't written yet", store.last.height)
            return
        self._frozen = store.last, store.freeze()
        self._wake.set()

    async def write_due(self) -> None:
        """Write each snapshot that is due, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.write_frozen()

    async def write_frozen(self) -> None:
        """Write what is held; a fault is logged, since the node can do without."""
        if self._frozen is None:
            return
        block, view = self._frozen
        try:
            await write(self._folder, block, view)
            for height in self.heights()[self._keep :]:
                shutil.rmtree(self._folder / str(height))
        except OSError as error:
            log.error("no snapshot at height %d: %s", block.height, error)
        finally:
            view.close()
            self._frozen = None

    def drop_above(self, height: int) -> None:
        """Remove the snapshots of blocks above a height, which were taken back."""
        for each in self.heights():
            if each > height:
                shutil.rmtree(self._folder / str(each))

    def heights(self) -> list[int]:
        """Return the heights there are snapshots of, the newest first."""
        names = [path.parent.name for path in self._folder.glob(f"*/{HEAD_FILE}")]
        return sorted([int(name) for name in names if name.isdecimal()], reverse=True)

    def list(self) -> list[abci.Snapshot]:
        """Return what other nodes are offered."""
        return [describe((self._folder / str(h) / HEAD_FILE).read_bytes()) for h in self.heights()]

    def load(self, height: int, index: int) -> bytes:
        """Return a chunk, or nothing if it isn't there."""
        try:
            return (self._folder / str(height) / str(index)).read_bytes()
        except FileNotFoundError:
            return b""


async def write(folder: Path, block: Committed, rows: Iterable[Row]) -> None:
    """Write a snapshot, a slice at a time."""
    part = folder / f"{block.height}{PART_SUFFIX}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        hashes: list[bytes] = []
        count, began_s = 0, time.monotonic()
        for chunk in cut(rows):
            if isinstance(chunk, int):
                count += chunk
                await asyncio.sleep(PAUSES_PER_SLICE * (time.monotonic() - began_s))
                began_s = time.monotonic()
            else:
                path = part / str(len(hashes))
                hashes.append(await asyncio.to_thread(write_synced, path, chunk))
        head = encode(Head(block, U64(count), tuple(hashes)))
        await asyncio.to_thread(write_synced, part / HEAD_FILE, head)
        whole = folder / str(block.height)
        shutil.rmtree(whole, ignore_errors=True)
        part.rename(whole)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    log.info("snapshot at height %d: %d rows in %d chunks", block.height, count, len(hashes))


def cut(rows: Iterable[Row]) -> Iterator[bytes | int]:
    """Walk the chunks that rows make, and after each slice the count of its rows."""
    chunk, count = bytearray(), 0
    for key, value in rows:
        row = bytearray()
        for part in (key, value):
            write_varint(row, len(part))
            row += part
        if len(chunk) + len(row) > CHUNK_BYTES_MAX and chunk:
            yield bytes(chunk)
            chunk.clear()
        chunk += row
        count += 1
        if count == SLICE_ROWS:
            yield count
            count = 0
    yield count
    if chunk:
        yield bytes(chunk)


def write_synced(path: Path, data: bytes) -> bytes:
    """Write a file, return its hash once the disk has it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return sha256(data)


def read_rows(chunk: bytes) -> Iterator[Row]:
    """Walk the rows of a chunk; `Malformed` where it is cut off."""
    at = 0
    while at < len(chunk):
        parts = []
        for _ in range(2):
            size, at = read_varint(chunk, at)
            if at + size > len(chunk):
                raise Malformed("a row is cut off")
            parts.append(chunk[at : at + size])
            at += size
        yield parts[0], parts[1]


def describe(metadata: bytes) -> abci.Snapshot:
    """Return a snapshot as nodes offer it to one another."""
    head = decode(Head, metadata)
    return abci.Snapshot(
        height=head.block.height,
        format=FORMAT,
        chunks=len(head.chunk_hashes),
        hash=sha256(metadata),
        metadata=metadata,
    )


class Restoration:
    """A snapshot that comes in, chunk by chunk."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.rows: list[Row] = []
        self._next = 0

    def take(self, request: abci.RequestApplySnapshotChunk) -> abci.ResponseApplySnapshotChunk:
        """Take the next chunk, or have it fetched from somebody else than its sender."""
        hashes = self.head.chunk_hashes
        if request.index != self._next or request.index >= len(hashes):
            return Apply(result=Apply.RETRY_SNAPSHOT)
        if sha256(request.chunk) != hashes[request.index]:
            log.warning(
                "chunk %d of the snapshot at height %d is corrupt: refused, and nothing more is "
                "taken from %s", request.index, self.head.block.height, request.sender,
            )  # fmt: skip
            return Apply(
                result=Apply.RETRY, refetch_chunks=[request.index], reject_senders=[request.sender]
            )
        try:
            self.rows += read_rows(request.chunk)
        except Malformed as error:
            return reject(self.head, f"chunk {request.index}: {error}")
        self._next += 1
        return Apply(result=Apply.ACCEPT)

    @property
    def is_whole(self) -> bool:
        """Whether every chunk is here."""
        return self._next == len(self.head.chunk_hashes)

    def find_fault(self) -> str:
        """Return why the rows aren't the state that the head says, or nothing if they are."""
        block = self.head.block
        keys = [key for key, _ in self.rows]
        if len(keys) != self.head.row_count or any(a >= b for a, b in pairwise(keys)):
            return "its rows aren't those that its head counts, in order"
        state = Overlay(MemoryStore())
        state.changes.update(self.rows)
        if Forest().apply(state.changes).root() != block.app_hash:
            return f"its root isn't {block.app_hash.hex()}"
        if block.clock_ms != block.time_ms - HALTS.get(state).total_ms:
            return (
                f"its clock, {block.clock_ms}, doesn't follow from its time and the chain's halts"
            )
        return ""


def begin_restoration(
    request: abci.RequestOfferSnapshot, find_header: FindHeader
) -> tuple[Restoration | None, int]:
    """Return how to answer an offer, and what restores it if that is accepted."""
    offered = request.snapshot
    if offered.format != FORMAT:
        return None, Offer.REJECT_FORMAT
    try:
        head = decode(Head, offered.metadata)
    except Malformed as error:
        log.warning("snapshot at height %d refused: %s", offered.height, error)
        return None, Offer.REJECT
    fault = find_wrong_head(head, request, find_header)
    if fault:
        log.warning("snapshot at height %d refused: %s", offered.height, fault)
        return None, Offer.REJECT
    log.info("restoring the snapshot at height %d, %d chunks", offered.height, offered.chunks)
    return Restoration(head), Offer.ACCEPT


def find_wrong_head(head: Head, request: abci.RequestOfferSnapshot, find_header: FindHeader) -> str:
    """Return what in a head isn't as the engine or trusted nodes say, or nothing."""
    block = head.block
    if describe(request.snapshot.metadata) != request.snapshot:
        return "height, count of chunks or hash aren't its head's"
    if not 0 < len(head.chunk_hashes) <= CHUNKS_MAX:
        return f"{len(head.chunk_hashes)} chunks; there may be 1 to {CHUNKS_MAX}"
    if block.app_hash != request.app_hash:
        return f"application hash {block.app_hash.hex()}, the chain's is {request.app_hash.hex()}"
    if block.app_version != APP_VERSION:
        return f"of application version {block.app_version}, this pollend runs {APP_VERSION}"
    header = find_header(block.height)
    if (block.chain_id, block.time_ms) != header:
        return f"of {block.chain_id} at {block.time_ms} ms, trusted nodes say {header}"
    return ""


def reject(head: Head, fault: str) -> abci.ResponseApplySnapshotChunk:
    """Refuse a snapshot as a whole."""
    log.warning("snapshot at height %d refused: %s", head.block.height, fault)
    return Apply(result=Apply.REJECT_SNAPSHOT)
