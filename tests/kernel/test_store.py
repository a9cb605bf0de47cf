"""One suite for every store, and the laws of drafts and tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.errors import InvariantBroken
from app.kernel.record import U32, U64, Address
from app.kernel.store import MemoryStore, Overlay, end_of
from app.kernel.table import Index, Singleton, Table
from app.node.leveldb import Committed, LevelStore

CHANGES = st.dictionaries(
    st.binary(min_size=1, max_size=3), st.one_of(st.none(), st.binary(min_size=1, max_size=3))
)


@pytest.fixture(params=["memory", "leveldb"])
def store(request: Any, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryStore()
        return
    level = LevelStore(tmp_path / "state")
    yield level
    level.close()


def write(store: Any, changes: dict[bytes, bytes | None]) -> None:
    if isinstance(store, MemoryStore):
        store.write(changes)
    else:
        store.commit(Committed(), changes, ())


def test_rows_are_read_in_key_order(store: Any) -> None:
    write(store, {b"b/2": b"y", b"b/1": b"x", b"c": b"z", b"b": b"w"})
    assert list(store.items(b"b/")) == [(b"b/1", b"x"), (b"b/2", b"y")]
    assert list(store.items(b"b/", b"b/2")) == [(b"b/2", b"y")]
    assert store.get(b"b") == b"w"
    write(store, {b"b/1": None, b"nothing": None})
    assert list(store.items(b"b")) == [(b"b", b"w"), (b"b/2", b"y")]


@given(CHANGES, CHANGES, st.binary(max_size=2), st.binary(max_size=2))
def test_a_draft_reads_like_the_state_it_will_become(
    base: dict[bytes, bytes | None],
    changes: dict[bytes, bytes | None],
    prefix: bytes,
    start: bytes,
) -> None:
    store = MemoryStore()
    store.write(base)
    draft = Overlay(store)
    for key, value in changes.items():
        if value is None:
            draft.delete(key)
        else:
            draft.put(key, value)
    seen = list(draft.items(prefix, start))
    single = {key: draft.get(key) for key in {**base, **changes}}
    draft.merge_into(store)
    assert seen == list(store.items(prefix, start))
    assert single == {key: store.get(key) for key in single}


def test_a_dropped_draft_leaves_nothing() -> None:
    store = MemoryStore()
    outer = Overlay(store)
    outer.put(b"a", b"1")
    inner = Overlay(outer)
    inner.delete(b"a")
    inner.put(b"b", b"2")
    assert outer.get(b"a") == b"1"
    assert outer.get(b"b") is None
    inner.merge_into(outer)
    assert outer.changes == {b"a": None, b"b": b"2"}


@given(st.binary(min_size=1, max_size=4), st.binary(max_size=4))
def test_the_end_of_a_prefix_is_above_all_that_begins_with_it(prefix: bytes, rest: bytes) -> None:
    assert prefix + rest < end_of(prefix)


@dataclass(frozen=True, slots=True)
class Row:
    """A record in a table."""

    value: U64


ROWS = Table("test/row", key=(U64, Address, U32), record=Row)
NAMES = Index("test/name", key=(U64, str))
ONE = Singleton("test/one", Row)
ALICE, BOB = Address(b"a" * 20), Address(b"b" * 20)


def test_a_table_gives_keys_back_and_walks_under_a_prefix() -> None:
    state = MemoryStore()
    for job, who, number in ((2, ALICE, 1), (1, BOB, 9), (1, BOB, 3), (300, ALICE, 0)):
        ROWS.put(state, (job, who, number), Row(U64(number)))
    assert ROWS.get(state, (1, BOB, 9)) == Row(U64(9))
    assert [key for key, _ in ROWS.items(state, (1,))] == [(1, BOB, 3), (1, BOB, 9)]
    assert [key[0] for key, _ in ROWS.items(state)] == [1, 1, 2, 300]
    assert [k for k, _ in ROWS.items(state, (1, BOB), after=(1, BOB, 3))] == [(1, BOB, 9)]
    assert len(list(ROWS.items(state, limit=3))) == 3
    ROWS.delete(state, (1, BOB, 9))
    assert not ROWS.has(state, (1, BOB, 9))


def test_a_user_chosen_key_part_is_hashed() -> None:
    state = MemoryStore()
    NAMES.add(state, (1, "x" * 1_000))
    ((key, value),) = state.items(b"")
    assert len(key) == len(b"test/name/") + 8 + 20
    assert value.endswith(b"\x01")
    assert list(NAMES.keys(state, up_to=1)) == [(1, "x" * 1_000)]
    assert list(NAMES.keys(state, up_to=0)) == []


def test_a_missing_row_that_the_rules_promise_stops_the_node() -> None:
    state = MemoryStore()
    with pytest.raises(InvariantBroken, match="test/row"):
        ROWS.must(state, (1, BOB, 9))
    with pytest.raises(InvariantBroken, match="genesis"):
        ONE.get(state)
    ONE.put(state, Row(U64(5)))
    assert ONE.get(state) == Row(U64(5))
