"""Committed state on disk: LevelDB, in which a block is one atomic, synced batch.

    s/<row key>                         a row of state, as the rules wrote it
    e/<job id>/<height>/<index>         an event of a job, for streams; job 0 has those of all jobs
    m/committed                         the last block
    m/events_from                       the height from which on events are here
    u/<height>                          what takes that block back, for the last `undo_max` blocks
    t/<time in ms>                      the height of the block of that time, for one in a hundred

Integers in keys are big-endian, so that ranges are in order. The tries aren't stored: they follow
from the rows and are built when the store is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import plyvel

from app.chain import APP_VERSION
from app.kernel.errors import InvariantBroken
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Malformed, decode, encode
from app.kernel.store import end_of
from app.node.config import OperatorError

ROWS = b"s/"
EVENTS = b"e/"
COMMITTED = b"m/committed"
UNDO = b"u/"
UNDO_MAX = 100
TIMES = b"t/"
SAMPLE_BLOCKS = 100
"""Of so many blocks one has its time kept."""
EVENTS_FROM = b"m/events_from"
ALL_JOBS = 0
ROWS_REMEMBERED = 1 << 17
START_AGAIN = (
    "remove it and start again: the engine hands all its blocks over once more; or, if it has not "
    "all, begin from a snapshot: pollend reset, then pollend start --state-sync RPC,RPC"
)


@frozen
class Committed:
    """The last block on disk; height 0 before the first."""

    chain_id: str = ""
    height: U64 = U64(0)
    time_ms: U64 = U64(0)
    clock_ms: U64 = U64(0)
    app_hash: bytes = b""
    app_version: U32 = U32(APP_VERSION)


@frozen
class JobEvent:
    """One event of a job, and the block it happened in."""

    job_id: U64
    height: U64
    index: U32
    """Its place among the block's events."""
    time_ms: U64
    clock_ms: U64
    packed: bytes
    """A serialized google.protobuf.Any that holds a `pollen.*.v1.Event…`."""


@frozen
class OldRow:
    """A row as it was before a block."""

    key: bytes
    value: bytes
    """Empty if there was no such row; no row of state has an empty value."""


@frozen
class Undo:
    """What takes a block back."""

    before: Committed
    """The block before it."""
    rows: tuple[OldRow, ...]
    """Those that the block changed, each once, in no order."""

    @property
    def changes(self) -> dict[bytes, bytes | None]:
        """Return what makes of the state after the block the state before it."""
        return {row.key: row.value or None for row in self.rows}


class StoreFailed(OperatorError, InvariantBroken):
    """The database can't be read or written; a rule that meets it must not go on."""


def explain(path: Path, error: plyvel.Error) -> StoreFailed:
    """Return what is wrong with a database, and what to do."""
    if isinstance(error, plyvel.CorruptionError):
        return StoreFailed(f"{path}: the database is corrupt ({error}); {START_AGAIN}")
    if "lock" in str(error):
        return StoreFailed(f"{path}: in use by another process; stop it first ({error})")
    return StoreFailed(
        f"{path}: can't be read or written ({error}). What was committed is on disk: mend it, "
        "make room if the disk is full, and start again"
    )


@contextmanager
def failing_loudly(path: Path) -> Iterator[None]:
    """Say what to do about whatever is wrong with a database."""
    try:
        yield
    except plyvel.Error as error:
        raise explain(path, error) from None


class Frozen:
    """The rows as they were at one moment, while the store goes on; to be closed."""

    def __init__(self, rows: Any, path: Path) -> None:
        self._snapshot = rows.snapshot()
        self._path = path

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        with failing_loudly(self._path):
            yield from self._snapshot.iterator(verify_checksums=True, fill_cache=False)

    def close(self) -> None:
        """Let the store forget that moment."""
        self._snapshot.close()


class LevelStore:
    """The rows of the last committed block, undo records, the events of jobs since some height."""

    def __init__(self, path: Path, undo_max: int = UNDO_MAX) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and any(path.glob("MANIFEST*")) and not (path / "CURRENT").exists():
            raise StoreFailed(f"{path}: the database has lost its file CURRENT; {START_AGAIN}")
        with failing_loudly(path):
            self._db = plyvel.DB(str(path), create_if_missing=True, paranoid_checks=True)
        self._rows = self._db.prefixed_db(ROWS)
        self.undo_max = undo_max
        self._known: dict[bytes, bytes | None] = {}
        self.last = self._read_last(path)

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a row, or None."""
        if key in self._known:
            return self._known[key]
        try:
            value: bytes | None = self._rows.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise explain(self._path, error) from None
        self._known[key] = value
        return value

    def items(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Walk the rows whose key begins with prefix, in key order, from `start` on."""
        stop = end_of(prefix) if prefix else None
        with failing_loudly(self._path):
            yield from self._rows.iterator(
                start=max(prefix, start), stop=stop, verify_checksums=True
            )

    def freeze(self) -> Frozen:
        """Return the rows as they are now, however the store goes on."""
        return Frozen(self._rows, self._path)

    @property
    def events_from(self) -> int:
        """Return the height from which on the events of jobs are here."""
        data = self._find(EVENTS_FROM)
        return int.from_bytes(data, "big") if data else 1

    def commit(
        self, last: Committed, changes: Mapping[bytes, bytes | None], events: Sequence[JobEvent]
    ) -> Undo | None:
        """Write a block, all or nothing, and return once the disk has it.

        Returns what would take it back, which is written too; None for the first, which nothing
        takes back.
        """
        undo = self._undo_of(changes) if self.last.chain_id else None
        with failing_loudly(self._path), self._batch() as batch:
            write_rows(batch, changes)
            for event in events:
                row = encode(event)
                for job_id in (event.job_id, ALL_JOBS):
                    batch.put(event_key(job_id, event.height, event.index), row)
            if undo is not None:
                batch.put(undo_key(last.height), encode(undo))
            for key in self._find_stale_undo(last.height):
                batch.delete(key)
            if last.height % SAMPLE_BLOCKS == 0:
                batch.put(TIMES + last.time_ms.to_bytes(8, "big"), last.height.to_bytes(8, "big"))
            batch.put(COMMITTED, encode(last))
        if len(self._known) > ROWS_REMEMBERED:
            self._known.clear()
        self._known.update(changes)
        self.last = last
        return undo

    def undo_records(self) -> Iterator[Undo]:
        """Walk the records that take back the last block, the one before it, and so on."""
        height = self.last.height
        while (data := self._find(undo_key(height))) is not None:
            undo = decode(Undo, data)
            yield undo
            height = undo.before.height

    def replace(self, last: Committed, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Put the state of a snapshot in place of all that is here, in one synced batch."""
        with failing_loudly(self._path), self._batch() as batch:
            for key in self._db.iterator(include_value=False):
                batch.delete(key)
            for key, value in rows:
                batch.put(ROWS + key, value)
            batch.put(EVENTS_FROM, (last.height + 1).to_bytes(8, "big"))
            batch.put(COMMITTED, encode(last))
        self._known.clear()
        self.last = last

    def roll_back(self, height: int) -> None:
        """Take back the blocks above a height in one synced batch, as if they had never been."""
        changes: dict[bytes, bytes | None] = {}
        last = self.last
        stale = []
        for undo in self.undo_records():
            if last.height <= height:
                break
            changes.update(undo.changes)
            stale.append(undo_key(last.height))
            last = undo.before
        if last.height > height:
            raise OperatorError(
                f"{self._path}: the application is at height {self.last.height}, and what takes "
                f"blocks back reaches to height {last.height}, not to {height}; {START_AGAIN}"
            )
        for event in self.job_events(ALL_JOBS, height + 1):
            stale += [event_key(job, event.height, event.index) for job in (event.job_id, ALL_JOBS)]
        with failing_loudly(self._path), self._batch() as batch:
            for key in stale:
                batch.delete(key)
            write_rows(batch, changes)
            batch.put(COMMITTED, encode(last))
        self._known.clear()
        self.last = last

    def find_height_at(self, time_ms: int) -> int:
        """Return the height of a block that isn't younger than a time, or 0 if none is known."""
        if time_ms < 0:
            return 0
        stop = TIMES + (time_ms + 1).to_bytes(8, "big")
        for data in self._db.iterator(start=TIMES, stop=stop, reverse=True, include_key=False):
            return int.from_bytes(data, "big")
        return 0

    def job_events(self, job_id: int, from_height: int) -> Iterator[JobEvent]:
        """Walk a job's events from a height on, in order; job 0: those of all jobs."""
        stop = end_of(event_key(job_id, 0, 0)[: len(EVENTS) + 8])
        for row in self._db.iterator(
            start=event_key(job_id, from_height, 0), stop=stop, include_key=False
        ):
            yield decode(JobEvent, row)

    def close(self) -> None:
        """Give the files back."""
        self._db.close()

    def _batch(self) -> Any:
        return self._db.write_batch(transaction=True, sync=True)

    def _undo_of(self, changes: Mapping[bytes, bytes | None]) -> Undo:
        """Return what takes changes back."""
        old = ((key, self.get(key), value) for key, value in changes.items())
        rows = [OldRow(key, before or b"") for key, before, value in old if before != value]
        return Undo(self.last, tuple(rows))

    def _find_stale_undo(self, height: int) -> list[bytes]:
        """Return the keys of the undo records that a block at this height leaves too far back."""
        stop = undo_key(max(height - self.undo_max + 1, 0))
        return list(self._db.iterator(start=UNDO, stop=stop, include_value=False))

    def _find(self, key: bytes) -> bytes | None:
        """Return what lies under a key of the database, if its bytes are as they were written."""
        with failing_loudly(self._path):
            value: bytes | None = self._db.get(key, verify_checksums=True)
        return value

    def _read_last(self, path: Path) -> Committed:
        data = self._find(COMMITTED)
        if data is None:
            return Committed()
        try:
            last = decode(Committed, data)
        except Malformed as error:
            raise OperatorError(
                f"{path}: written by another version of pollend ({error})"
            ) from None
        if last.app_version != APP_VERSION:
            raise OperatorError(
                f"{path}: state of application version {last.app_version}, this pollend runs "
                f"version {APP_VERSION}; install the release that the chain runs"
            )
        return last


def write_rows(batch: Any, changes: Mapping[bytes, bytes | None]) -> None:
    """Put changed rows into a batch; None removes one."""
    for key, value in changes.items():
        if value is None:
            batch.delete(ROWS + key)
        else:
            batch.put(ROWS + key, value)


def undo_key(height: int) -> bytes:
    """Return the key of what takes a block back."""
    return UNDO + height.to_bytes(8, "big")


def event_key(job_id: int, height: int, index: int) -> bytes:
    """Return the key of one event."""
    return b"%s%s%s%s" % (
        EVENTS,
        job_id.to_bytes(8, "big"),
        height.to_bytes(8, "big"),
        index.to_bytes(4, "big"),
    )
