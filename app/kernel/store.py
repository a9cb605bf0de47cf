"""State as sorted bytes: a store in memory, and drafts over a store that are merged or dropped."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Protocol


class Reader(Protocol):
    """Committed state, or a draft over it, as rules read it."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a row, or None."""
        ...

    def items(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Walk the rows whose key begins with prefix, in key order, from `start` on."""
        ...


class State(Reader, Protocol):
    """What rules read and write."""

    def put(self, key: bytes, value: bytes) -> None:
        """Write a row."""
        ...

    def delete(self, key: bytes) -> None:
        """Remove a row; removing what isn't there does nothing."""
        ...


class MemoryStore:
    """Rows in memory, sorted by key."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a row, or None."""
        return self._rows.get(key)

    def items(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Walk the rows whose key begins with prefix, in key order, from `start` on."""
        keys = self._keys
        first = bisect_left(keys, max(prefix, start))
        last = bisect_left(keys, end_of(prefix)) if prefix else len(keys)
        for key in keys[first:last]:
            yield key, self._rows[key]

    def put(self, key: bytes, value: bytes) -> None:
        """Write a row."""
        if key not in self._rows:
            insort(self._keys, key)
        self._rows[key] = value

    def delete(self, key: bytes) -> None:
        """Remove a row; removing what isn't there does nothing."""
        if self._rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Apply a draft's changes."""
        apply_changes(self, changes)


class Overlay:
    """A draft over a state: reads fall through, writes stay here until merged."""

    __slots__ = ("_sorted", "changes", "parent")

    def __init__(self, parent: Reader) -> None:
        self.parent = parent
        self.changes: dict[bytes, bytes | None] = {}
        self._sorted: list[bytes] = []
        """The keys of `changes` that were there at the last walk; no key is ever taken out."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a row, or None."""
        changes = self.changes
        if key in changes:
            return changes[key]
        return self.parent.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Write a row into the draft."""
        self.changes[key] = value

    def delete(self, key: bytes) -> None:
        """Remove a row from the draft's view."""
        self.changes[key] = None

    def items(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Walk the rows whose key begins with prefix, as they are now, in key order."""
        keys = self._sort_keys()
        last = bisect_left(keys, end_of(prefix)) if prefix else len(keys)
        drafted = keys[bisect_left(keys, max(prefix, start)) : last]
        if not drafted:
            yield from self.parent.items(prefix, start)
            return
        drafts = [(key, self.changes[key]) for key in drafted]
        at = 0
        for key, value in self.parent.items(prefix, start):
            while at < len(drafts) and drafts[at][0] < key:
                drafted_key, drafted_value = drafts[at]
                at += 1
                if drafted_value is not None:
                    yield drafted_key, drafted_value
            if at < len(drafts) and drafts[at][0] == key:
                drafted_value = drafts[at][1]
                at += 1
                if drafted_value is not None:
                    yield key, drafted_value
            else:
                yield key, value
        for drafted_key, drafted_value in drafts[at:]:
            if drafted_value is not None:
                yield drafted_key, drafted_value

    def _sort_keys(self) -> list[bytes]:
        """Return the keys of all changes in order: those that came since the last walk join."""
        fresh = len(self.changes) - len(self._sorted)
        if fresh:
            self._sorted += islice(reversed(self.changes), fresh)
            self._sorted.sort()  # Quick, since all but the end is sorted.
        return self._sorted

    def merge_into(self, state: State) -> None:
        """Write the draft into a state, usually its parent."""
        if isinstance(state, Overlay):
            state.changes.update(self.changes)
        else:
            apply_changes(state, self.changes)


def apply_changes(state: State, changes: Mapping[bytes, bytes | None]) -> None:
    """Write changes into a state; None removes a row."""
    for key, value in changes.items():
        if value is None:
            state.delete(key)
        else:
            state.put(key, value)


def end_of(prefix: bytes) -> bytes:
    """Return the smallest key above all that begin with a non-empty prefix."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b"\xff" * (len(prefix) + 64)
