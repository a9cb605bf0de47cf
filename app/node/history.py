"""The states after the last blocks, to be read and proved: what later blocks changed is kept.

A row is as the first later block that changed it found it, and else as it is now. Tries are
immutable: old ones share with the present one what did not change. Both are in memory, so the
window is bounded twice: `undo_max` blocks back, fewer where these changed more than `rows_max`
rows together. After a restart it is made again from the undo records on disk.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping

from app.kernel.store import Overlay, Reader, end_of
from app.kernel.trie import Forest
from app.node.config import OperatorError
from app.node.leveldb import Committed, LevelStore, Undo

ROWS_MAX = 100_000
"""Some 250 MB: the rows, and nine nodes of a trie for each."""


class Past:
    """The state after an earlier block; it stays the same while blocks are committed."""

    __slots__ = ("_keys", "forest", "last", "newer", "rows")

    def __init__(self, undo: Undo, forest: Forest, newer: Reader) -> None:
        self.last: Committed = undo.before
        """That block."""
        self.forest = forest
        self.rows: Mapping[bytes, bytes | None] = undo.changes
        """What the next block changed, as it was before; None: there was no such row."""
        self.newer = newer
        """The state after the next block, on which reads stand: another `Past`, or the store."""
        self._keys = sorted(self.rows)

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a row, or None."""
        state: Reader = self
        while isinstance(state, Past):
            if key in state.rows:
                return state.rows[key]
            state = state.newer
        return state.get(key)

    def items(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Walk the rows whose key begins with prefix, in key order, from `start` on."""
        layers = list[Past]()
        state: Reader = self
        while isinstance(state, Past):
            layers.append(state)
            state = state.newer
        draft = Overlay(state)
        for layer in reversed(layers):
            draft.changes.update(layer._between(prefix, start))
        return draft.items(prefix, start)

    def _between(self, prefix: bytes, start: bytes) -> dict[bytes, bytes | None]:
        """Return the changed rows of a range."""
        first = bisect_left(self._keys, max(prefix, start))
        last = bisect_left(self._keys, end_of(prefix)) if prefix else len(self._keys)
        return {key: self.rows[key] for key in self._keys[first:last]}


class History:
    """The states before the present one, as far back as the window goes."""

    def __init__(self, store: LevelStore, forest: Forest, rows_max: int = ROWS_MAX) -> None:
        self._store = store
        self._rows_max = rows_max
        self._row_count = 0
        self._pasts = deque[Past]()
        """Oldest first, without a gap."""
        newer: Reader = store
        for undo in store.undo_records():
            if self._is_full(1, len(undo.rows)):
                break
            forest = forest.apply(undo.changes)
            check_root(undo.before, forest)
            newer = Past(undo, forest, newer)
            self._pasts.appendleft(newer)
            self._row_count += len(newer.rows)

    @property
    def oldest_height(self) -> int:
        """Return the height that the window begins with; the store's, if it holds no other."""
        return int((self._pasts[0] if self._pasts else self._store).last.height)

    def add(self, undo: Undo, forest: Forest) -> None:
        """Keep the state before the block that was just committed, and its tries."""
        past = Past(undo, forest, self._store)
        if self._pasts:
            self._pasts[-1].newer = past
        self._pasts.append(past)
        self._row_count += len(past.rows)
        while self._is_full():
            self._row_count -= len(self._pasts.popleft().rows)

    def find(self, height: int) -> Past | None:
        """Return the state after an earlier block, or None outside the window."""
        at = height - self.oldest_height
        return self._pasts[at] if 0 <= at < len(self._pasts) else None

    def _is_full(self, blocks: int = 0, rows: int = 0) -> bool:
        """Whether there would be too much with so much more."""
        too_many = len(self._pasts) + blocks > self._store.undo_max
        return too_many or self._row_count + rows > self._rows_max


def check_root(last: Committed, forest: Forest) -> None:
    """Refuse undo records that don't lead back to where the chain was."""
    if forest.root() != last.app_hash:
        raise OperatorError(
            f"the undo records don't give the state of height {last.height}: the state on disk is "
            "damaged; remove the node's state and engine data, and let it sync again"
        )
