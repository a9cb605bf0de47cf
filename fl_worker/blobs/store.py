"""A store of blocks: bounded, safe to cut off at any point, and open to several processes at once.

A block is kept for as long as some *tag* holds it; `drop` gives back what no other tag holds. What
comes from a peer is charged to it as owner. Space is charged in whole pages of 4 KiB, so many tiny
blocks can't slip past a quota. Who holds what is written in an index in the participant's folder;
the bytes lie where the participant chose, in that folder or in an IPFS node. Bytes are there before
the index names them and go before it forgets them; what a crash leaves between the two is swept up
at the next start. Every block is hashed when it is read: a damaged one is removed and is absent.
"""

import errno
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from fl_worker.blobs.cids import (
    Blob,
    BlobFault,
    Manifest,
    blocks_of,
    cid_of,
    decode_manifest,
    verify,
)

PAGE_BYTES = 4096
BUSY_TIMEOUT_S = 30.0
SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS block (cid TEXT PRIMARY KEY, space_bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hold (
    tag TEXT, cid TEXT, owner TEXT, space_bytes INTEGER NOT NULL, PRIMARY KEY (tag, cid, owner)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hold_by_cid ON hold (cid);
CREATE INDEX IF NOT EXISTS hold_by_owner ON hold (owner, space_bytes);
CREATE TABLE IF NOT EXISTS used (one INTEGER PRIMARY KEY CHECK (one = 1), space_bytes INTEGER);
INSERT OR IGNORE INTO used VALUES (1, 0);
CREATE TRIGGER IF NOT EXISTS block_added AFTER INSERT ON block
    BEGIN UPDATE used SET space_bytes = space_bytes + NEW.space_bytes; END;
CREATE TRIGGER IF NOT EXISTS block_removed AFTER DELETE ON block
    BEGIN UPDATE used SET space_bytes = space_bytes - OLD.space_bytes; END;
COMMIT;
"""


HERE = "SELECT 1 FROM block WHERE cid = ?"
CHARGED = "SELECT space_bytes FROM used"
CHARGED_TO = "SELECT COALESCE(SUM(space_bytes), 0) FROM hold WHERE owner = ?"


class QuotaExceeded(BlobFault):
    """A block would take the store, or one peer, over its share."""


class DiskFull(BlobFault):
    """The disk has no room for a block."""


class StoreUnusable(BlobFault):
    """The index can't be used, or the folder or the IPFS node where the bytes lie."""


class BlobAbsent(BlobFault):
    """A block that is asked for isn't here."""


class Blocks(Protocol):
    """Where the bytes of a store lie; StoreUnusable when it fails, DiskFull when it is full."""

    @property
    def name(self) -> str:
        """What people call it: a folder, or a node's address."""

    @property
    def reaches_others(self) -> bool:
        """Whether `seek` can find what isn't kept here."""

    def read(self, cid: str) -> bytes | None:
        """What lies under a name, sound or damaged; None when nothing does."""

    def write(self, cid: str, block: bytes) -> None:
        """Keep a block, whole or not at all."""

    def remove(self, cids: Iterable[str]) -> None:
        """Give blocks back, of which some may be gone already."""

    def discard(self, cid: str) -> None:
        """Delete damaged bytes, so that sound ones can take their place."""

    def cids(self) -> set[str]:
        """The names of all that is kept."""

    def seek(self, cid: str) -> bytes | None:
        """Ask others for a block for a short while; what they give may be wrong."""


class Store:
    """Blocks under tags, within a quota; methods may be called from any thread.

    Every method raises StoreUnusable when the index fails, or the place where the bytes lie.
    """

    def __init__(
        self, path: Path, blocks: Blocks, quota_bytes: int, *, peer_quota_bytes: int | None = None
    ) -> None:
        self._path = path
        self._blocks = blocks
        self._quota_bytes = quota_bytes
        self._peer_quota_bytes = quota_bytes if peer_quota_bytes is None else peer_quota_bytes
        self._lock, self._view_lock = threading.Lock(), threading.Lock()
        with faults_named(path):
            path.mkdir(parents=True, exist_ok=True)
            self._index, self._view = open_index(path), open_index(path)
            self._index.executescript(SCHEMA)
        self._sweep()

    @property
    def node(self) -> str:
        """The node that may have what isn't here, to be asked by `seek`; empty: there is none."""
        return self._blocks.name if self._blocks.reaches_others else ""

    def put(self, cid: str, block: bytes, tag: str, owner: str = "") -> None:
        """Keep a verified block under a tag, charged to a peer unless the owner is ourselves ("").

        WrongBytes, QuotaExceeded and DiskFull leave everything as it was.
        """
        verify(cid, block)
        space_bytes = max(1, -(-len(block) // PAGE_BYTES)) * PAGE_BYTES
        with self._writing() as index:
            is_new = index.execute(HERE, (cid,)).fetchone() is None
            if is_new:
                self._require_room(index, space_bytes)
            if owner:
                self._require_share(index, (tag, cid, owner), space_bytes)
            is_damaged = not is_new and self._read(cid) is None
            if is_damaged:
                self._blocks.discard(cid)
            if is_new or is_damaged:
                self._blocks.write(cid, block)
            index.execute("INSERT OR IGNORE INTO block VALUES (?, ?)", (cid, space_bytes))
            index.execute(
                "INSERT OR IGNORE INTO hold VALUES (?, ?, ?, ?)", (tag, cid, owner, space_bytes)
            )

    def put_blob(self, source: bytes | Path, tag: str) -> Blob:
        """Keep bytes, or a file, under a tag; after a fault `drop` takes back what came in."""
        cids, size_bytes = [], 0
        for block in blocks_of(source):
            cids.append(cid := cid_of(block))
            self.put(cid, block, tag)
            size_bytes += len(block)
        manifest = Manifest(tuple(cids), size_bytes)
        blob = manifest.blob()
        if blob.is_large:
            self.put(blob.cid, manifest.encode(), tag)
        return blob

    def get(self, cid: str) -> bytes | None:
        """The bytes of a block; None when it isn't here or was damaged."""
        with self._reading(HERE, cid) as rows:
            is_here = rows.fetchone() is not None
        block = self._read(cid) if is_here else None
        if is_here and block is None:
            self._discard(cid)
        return block

    def seek(self, cid: str) -> bytes | None:
        """Ask the node for a block that isn't here; what it gives is not yet verified."""
        return self._blocks.seek(cid)

    def hold(self, cid: str, tag: str) -> bytes | None:
        """Put a block that is here under one more tag and return it; None when it isn't here."""
        block = self.get(cid)
        if block is not None:
            self.put(cid, block, tag)
        return block

    def is_held(self, cid: str, tag: str) -> bool:
        """Whether a sound block is here under this tag."""
        with self._reading("SELECT 1 FROM hold WHERE tag = ? AND cid = ?", tag, cid) as rows:
            is_tagged = rows.fetchone() is not None
        return is_tagged and self.get(cid) is not None

    def cids(self, blob: Blob) -> tuple[str, ...]:
        """The blocks of a blob in order, its manifest not among them; BlobAbsent without it."""
        if not blob.is_large:
            return (blob.cid,)
        return decode_manifest(self.require(blob.cid), blob.size_bytes).blocks

    def blocks(self, blob: Blob) -> Iterator[bytes]:
        """A blob's bytes, a block at a time; BlobAbsent at the first that isn't here."""
        return map(self.require, self.cids(blob))

    def read(self, blob: Blob) -> bytes:
        """All bytes of a blob; BlobAbsent when a block isn't here, BlobFault at a false size."""
        data = b"".join(self.blocks(blob))
        if len(data) != blob.size_bytes:
            raise BlobFault(
                f"blob {blob.cid} has {len(data)} bytes, not the {blob.size_bytes} declared: "
                "whoever declared it must publish it again"
            )
        return data

    def require(self, cid: str) -> bytes:
        """The bytes of a block; BlobAbsent when it isn't here."""
        block = self.get(cid)
        if block is None:
            raise BlobAbsent(
                f"block {cid} isn't in the store {self._blocks.name}: fetch its blob again"
            )
        return block

    def drop(self, tag: str) -> int:
        """Let go of all a tag holds; return the bytes of space that gives back."""
        with self._writing() as index:
            gone = index.execute(
                "DELETE FROM block WHERE cid IN (SELECT cid FROM hold WHERE tag = ?1)"
                " AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.cid = block.cid AND tag <> ?1)"
                " RETURNING cid, space_bytes",
                (tag,),
            ).fetchall()
            index.execute("DELETE FROM hold WHERE tag = ?", (tag,))
            self._blocks.remove(cid for cid, _ in gone)
        return sum(space_bytes for _, space_bytes in gone)

    def tags(self) -> list[str]:
        """Every tag that holds something, in order."""
        with self._reading("SELECT DISTINCT tag FROM hold ORDER BY tag") as rows:
            return [tag for (tag,) in rows]

    def used_bytes(self, owner: str | None = None) -> int:
        """The space taken in all, or what is charged to one owner."""
        charged = (CHARGED,) if owner is None else (CHARGED_TO, owner)
        with self._reading(*charged) as rows:
            return int(rows.fetchone()[0])

    def close(self) -> None:
        """Let go of the index."""
        with self._lock, self._view_lock:
            self._index.close()
            self._view.close()

    def _read(self, cid: str) -> bytes | None:
        block = self._blocks.read(cid)
        return None if block is None or cid_of(block) != cid else block

    def _discard(self, cid: str) -> None:
        """Forget a lost or damaged block, unless it was put again meanwhile."""
        with self._writing() as index:
            if self._read(cid) is None:
                self._blocks.discard(cid)
                index.execute("DELETE FROM block WHERE cid = ?", (cid,))
                index.execute("DELETE FROM hold WHERE cid = ?", (cid,))

    def _sweep(self) -> None:
        """Make bytes and index agree again after a crash."""
        with self._writing() as index:
            kept = self._blocks.cids()
            known = {cid for (cid,) in index.execute("SELECT cid FROM block")}
            self._blocks.remove(kept - known)
            lost = [(cid,) for cid in known - kept]
            index.executemany("DELETE FROM block WHERE cid = ?", lost)
            index.executemany("DELETE FROM hold WHERE cid = ?", lost)

    def _require_room(self, index: sqlite3.Connection, space_bytes: int) -> None:
        (used_bytes,) = index.execute(CHARGED).fetchone()
        if used_bytes + space_bytes > self._quota_bytes:
            raise QuotaExceeded(
                f"the store {self._blocks.name} holds {used_bytes} of at most "
                f"{self._quota_bytes} bytes and {space_bytes} more don't fit: drop old rounds, "
                "or raise quota_bytes"
            )

    def _require_share(
        self, index: sqlite3.Connection, hold: tuple[str, str, str], space_bytes: int
    ) -> None:
        held = "SELECT 1 FROM hold WHERE tag = ? AND cid = ? AND owner = ?"
        if index.execute(held, hold).fetchone():
            return
        (used_bytes,) = index.execute(CHARGED_TO, hold[2:]).fetchone()
        if used_bytes + space_bytes > self._peer_quota_bytes:
            raise QuotaExceeded(
                f"{hold[2]} holds {used_bytes} of at most {self._peer_quota_bytes} bytes here and "
                f"{space_bytes} more don't fit: wait until earlier rounds are settled"
            )

    @contextmanager
    def _reading(self, query: str, *values: str) -> Iterator[sqlite3.Cursor]:
        """What the index says; doesn't wait for a change that is under way."""
        with (
            faults_named(self._path),
            self._view_lock,
            closing(self._view.execute(query, values)) as rows,
        ):
            yield rows

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One change, whole or not at all, while no other thread or process changes anything."""
        with faults_named(self._path), self._lock, self._index:
            self._index.execute("BEGIN IMMEDIATE")
            yield self._index


def open_index(path: Path) -> sqlite3.Connection:
    """A connection to the index of a store's folder, for any thread."""
    return sqlite3.connect(
        path / "index.sqlite",
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """Say of what fails in a folder what it means and what to do."""
    try:
        yield
    except (OSError, sqlite3.Error) as fault:
        if is_disk_full(fault):
            advice = f"the disk of {path} is full: make room on it, or move the store"
            raise DiskFull(advice) from fault
        raise StoreUnusable(
            f"the store {path} fails ({fault}): see that the folder can be written, or "
            "move it away; what is then missing is fetched again"
        ) from fault


def is_disk_full(fault: OSError | sqlite3.Error) -> bool:
    """Whether a fault says that the disk, or this user's part of it, is full."""
    if isinstance(fault, OSError):
        return fault.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
