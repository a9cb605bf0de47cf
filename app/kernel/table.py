"""Typed views of state: to declare a table is to own its rows.

A row's key is `<module>/<table>/` and its parts: integers big-endian, so that rows sort by them;
an address, bytes or text as the first 20 bytes of its SHA-256, so that nobody can choose a key and
make the tree deep. The value begins with the parts that were hashed, then comes the record. No
value is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Generic, TypeVar

from app.kernel.crypto import sha256
from app.kernel.errors import Rejected, broken
from app.kernel.record import U32, U64, Address, Operator, codec_of, decode, encode
from app.kernel.store import Reader, State

V = TypeVar("V")

PART_BYTES: dict[Any, int] = {U32: 4, U64: 8}
HASHED_PART_BYTES = 20
HASHED_PARTS = (Address, Operator, bytes, str)
INDEX_VALUE = b"\x01"
KEYS_REMEMBERED = 1 << 15
ROWS_REMEMBERED = 1 << 14


class Key:
    """How the parts of a key become bytes and come back."""

    def __init__(self, name: str, parts: tuple[Any, ...]) -> None:
        self.name = name
        self.parts = parts
        self.prefix = f"{name}/".encode()
        self.hashed = tuple(codec_of(part) for part in parts if part in HASHED_PARTS)
        self.encode = lru_cache(KEYS_REMEMBERED)(self.compute_row_key)
        self.original = lru_cache(KEYS_REMEMBERED)(self.compute_original)

    def compute_row_key(self, key: Any) -> bytes:
        """Return the row key of some or all parts, in order."""
        if len(self.parts) == 1 and not isinstance(key, tuple):
            key = (key,)
        out = self.prefix
        for part, value in zip(self.parts, key, strict=False):
            width = PART_BYTES.get(part)
            if width is not None:
                out += value.to_bytes(width, "big")
            else:
                out += hashed_part(value)
        return out

    def compute_original(self, key: Any) -> bytes:
        """Return the hashed parts of a key as they stand at the head of the value."""
        if not self.hashed:
            return b""
        if len(self.parts) == 1 and not isinstance(key, tuple):
            key = (key,)
        out = bytearray()
        chosen = [
            value for part, value in zip(self.parts, key, strict=True) if part in HASHED_PARTS
        ]
        for codec, value in zip(self.hashed, chosen, strict=True):
            codec.write(out, value)
        return bytes(out)

    def decode(self, row_key: bytes, value: bytes) -> tuple[Any, bytes]:
        """Return a row's key, a tuple unless it has one part, and the record's bytes."""
        at, value_at, parts = len(self.prefix), 0, []
        for part in self.parts:
            width = PART_BYTES.get(part)
            if width is not None:
                parts.append(int.from_bytes(row_key[at : at + width], "big"))
                at += width
            else:
                original, value_at = codec_of(part).read(value, value_at)
                parts.append(original)
                at += HASHED_PART_BYTES
        return parts[0] if len(parts) == 1 else tuple(parts), value[value_at:]


def hashed_part(value: bytes | str) -> bytes:
    """Return the 20 bytes that stand for a user-chosen part of a key."""
    data = value.encode() if isinstance(value, str) else value
    return sha256(data)[:HASHED_PART_BYTES]


class Table(Generic[V]):
    """Rows of one record type under a key."""

    def __init__(self, name: str, *, key: tuple[Any, ...], record: type[V]) -> None:
        self.name = name
        self.key = Key(name, key)
        self.record = record
        self._records: dict[bytes, V] = {}

    def get(self, state: Reader, key: Any) -> V | None:
        """Return a row's record, or None."""
        value = state.get(self.key.encode(key))
        if value is None:
            return None
        record = self._records.get(value)
        if record is None:
            record = decode(self.record, value[len(self.key.original(key)) :])
            self._remember(value, record)
        return record

    def must(self, state: Reader, key: Any) -> V:
        """Return a row that the rules promise; the node stops if it isn't there."""
        record = self.get(state, key)
        return broken(f"{self.name} has no row {key!r}") if record is None else record

    def require(self, state: Reader, key: Any, rejection: type[Rejected], **values: Any) -> V:
        """Return a row that the user named, or refuse."""
        record = self.get(state, key)
        if record is None:
            raise rejection(**values)
        return record

    def has(self, state: Reader, key: Any) -> bool:
        """Whether the row exists."""
        return state.get(self.key.encode(key)) is not None

    def put(self, state: State, key: Any, record: V) -> None:
        """Write a row."""
        value = self.key.original(key) + encode(record)
        self._remember(value, record)
        state.put(self.key.encode(key), value)

    def delete(self, state: State, key: Any) -> None:
        """Remove a row."""
        state.delete(self.key.encode(key))

    def _remember(self, value: bytes, record: V) -> None:
        """Keep what a row's bytes stand for; a record has one encoding, so it stays true."""
        if len(self._records) == ROWS_REMEMBERED:
            self._records.clear()
        self._records[value] = record

    def items(
        self, state: Reader, prefix: Any = (), *, after: Any = None, limit: int | None = None
    ) -> Iterator[tuple[Any, V]]:
        """Walk keys and records in key order: under a prefix, after a key, at most so many."""
        for key, value in walk(self.key, state, prefix, after, limit):
            original, data = self.key.decode(key, value)
            record = self._records.get(value)
            yield original, decode(self.record, data) if record is None else record


class Index:
    """A sorted set of keys."""

    def __init__(self, name: str, *, key: tuple[Any, ...]) -> None:
        self.name = name
        self.key = Key(name, key)

    def add(self, state: State, key: Any) -> None:
        """Put a key into the index."""
        state.put(self.key.encode(key), self.key.original(key) + INDEX_VALUE)

    def remove(self, state: State, key: Any) -> None:
        """Take a key out of the index."""
        state.delete(self.key.encode(key))

    def has(self, state: Reader, key: Any) -> bool:
        """Whether the key is in the index."""
        return state.get(self.key.encode(key)) is not None

    def keys(
        self, state: Reader, prefix: Any = (), *, up_to: int | None = None, limit: int | None = None
    ) -> Iterator[Any]:
        """Walk keys in order: under a prefix, up to a first part, at most so many."""
        for key, value in walk(self.key, state, prefix, None, limit):
            original, _ = self.key.decode(key, value)
            first = original[0] if isinstance(original, tuple) else original
            if up_to is not None and first > up_to:
                return
            yield original


class Singleton(Generic[V]):
    """One record, which always exists once genesis has run."""

    def __init__(self, name: str, record: type[V]) -> None:
        self.name = name
        self.record = record
        self.row_key = name.encode()
        self._last: tuple[bytes, V] | None = None

    def get(self, state: Reader) -> V:
        """Return the record."""
        data = state.get(self.row_key)
        if data is None:
            broken(f"{self.name} is missing: genesis sets it")
        if self._last is not None and self._last[0] == data:
            return self._last[1]
        record = decode(self.record, data[1:])
        self._last = (data, record)
        return record

    def put(self, state: State, record: V) -> None:
        """Replace the record."""
        state.put(self.row_key, INDEX_VALUE + encode(record))


def walk(
    key: Key, state: Reader, prefix: Any, after: Any, limit: int | None
) -> Iterator[tuple[bytes, bytes]]:
    """Walk the raw rows under a prefix, after a key, at most so many."""
    start = key.encode(after) + b"\x00" if after is not None else b""
    for count, row in enumerate(state.items(key.encode(prefix), start)):
        if limit is not None and count >= limit:
            return
        yield row
