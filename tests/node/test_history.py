"""States after the last blocks stay readable, within a window, over restarts too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import plyvel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.record import U64
from app.kernel.store import MemoryStore
from app.kernel.trie import Forest
from app.node.config import OperatorError
from app.node.history import History
from app.node.leveldb import Committed, LevelStore, undo_key
from tests.node.bank_chain import ALICE, BORIS, BankChain, a_send

KEYS = st.sampled_from([b"a/", b"b/"]).flatmap(
    lambda module: st.binary(min_size=1, max_size=2).map(lambda key: module + key)
)
BLOCKS = st.lists(
    st.dictionaries(KEYS, st.one_of(st.none(), st.binary(min_size=1, max_size=2)), max_size=5),
    min_size=1,
    max_size=12,
)
Rows = dict[bytes, bytes]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path)
    node.init()
    yield node
    node.store.close()


class Ledger:
    """A store and its history, and beside them each state as plain rows."""

    def __init__(self, path: Path, undo_max: int, rows_max: int) -> None:
        self.path, self.undo_max, self.rows_max = path, undo_max, rows_max
        self.forest, self.states = Forest(), list[Rows]([{}])
        self.store = LevelStore(path, undo_max)
        self.history = History(self.store, self.forest, rows_max)

    def commit(self, changes: dict[bytes, bytes | None]) -> None:
        rows = {**self.states[-1], **changes}
        self.states.append({key: value for key, value in rows.items() if value is not None})
        before, self.forest = self.forest, self.forest.apply(changes)
        last = Committed("test", U64(len(self.states) - 1), app_hash=self.forest.root())
        undo = self.store.commit(last, changes, ())
        if undo is not None:
            self.history.add(undo, before)

    def restart(self) -> None:
        self.store.close()
        self.store = LevelStore(self.path, self.undo_max)
        self.forest = Forest().apply(dict(self.store.items(b"")))
        self.history = History(self.store, self.forest, self.rows_max)

    def find_heights(self) -> list[int]:
        return [at for at in range(len(self.states) + 1) if self.history.find(at) is not None]


def check_past(ledger: Ledger) -> None:
    for height in ledger.find_heights():
        past, rows = ledger.history.find(height), MemoryStore()
        assert past is not None
        rows.write(ledger.states[height])
        assert past.last.height == height
        assert past.forest.root() == past.last.app_hash == Forest().apply(rows._rows).root()
        for prefix, start in ((b"", b""), (b"a/", b""), (b"a/", b"a/\x80"), (b"", b"a/a")):
            assert list(past.items(prefix, start)) == list(rows.items(prefix, start))
        for key in {key for state in ledger.states for key in state}:
            assert past.get(key) == rows.get(key)


@given(blocks=BLOCKS, restart_at=st.integers(0, 12), undo_max=st.integers(0, 5))
def test_each_state_of_the_window_reads_as_it_was(
    tmp_path_factory: pytest.TempPathFactory,
    blocks: list[dict[bytes, bytes | None]],
    restart_at: int,
    undo_max: int,
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger"), undo_max, 1_000)
    for at, changes in enumerate(blocks):
        ledger.commit(changes)
        if at == restart_at:
            ledger.restart()
        last = at + 1
        assert ledger.find_heights() == list(range(max(1, last - undo_max), last))
    check_past(ledger)
    ledger.store.close()


def test_a_state_in_hand_stays_the_same_while_blocks_go_by(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 3, 1_000)
    ledger.commit({b"a/1": b"x"})
    ledger.commit({b"a/1": b"y", b"a/2": b"y"})
    past = ledger.history.find(1)
    assert past is not None
    for at in range(10):
        ledger.commit({b"a/1": b"%d" % at, b"a/3": b"z"})
        assert list(past.items(b"")) == [(b"a/1", b"x")]
    assert ledger.history.find(1) is None
    ledger.store.close()


def test_blocks_that_change_many_rows_shorten_the_window(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 100, 10)
    for at in range(5):
        ledger.commit({b"a/%d" % key: b"%d" % at for key in range(4)})
    assert ledger.find_heights() == [3, 4]
    ledger.commit({b"a/%d" % key: b"many" for key in range(20)})
    assert ledger.find_heights() == []
    ledger.restart()
    assert ledger.find_heights() == []
    ledger.commit({})
    assert ledger.find_heights() == [6]
    check_past(ledger)
    ledger.store.close()


def test_the_disk_keeps_no_more_undo_records_than_the_window(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 5, 1_000)
    for at in range(20):
        ledger.commit({b"a/1": b"%d" % at})
    assert [undo.before.height for undo in ledger.store.undo_records()] == [19, 18, 17, 16, 15]
    ledger.undo_max = 2
    ledger.restart()
    ledger.commit({})
    assert [undo.before.height for undo in ledger.store.undo_records()] == [20, 19]
    ledger.store.close()
    with plyvel.DB(str(tmp_path)) as db:
        assert len(list(db.iterator(prefix=b"u/"))) == 2


def test_a_row_that_a_block_writes_as_it_was_needs_no_undoing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 5, 1_000)
    ledger.commit({b"a/1": b"x", b"a/2": b"x"})
    ledger.commit({b"a/1": b"x", b"a/2": b"y", b"a/3": None})
    (undo,) = ledger.store.undo_records()
    assert undo.changes == {b"a/2": b"x"}
    ledger.store.close()


def test_undo_records_that_lead_elsewhere_stop_the_node(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 5, 1_000)
    for value in (b"x", b"y", b"z"):
        ledger.commit({b"a/1": value})
    ledger.store.close()
    with plyvel.DB(str(tmp_path)) as db:
        record = db.get(undo_key(3))
        db.put(undo_key(3), record[:-1] + b"q")
    with pytest.raises(OperatorError, match="don't give the state of height 2"):
        ledger.restart()


def test_a_node_keeps_the_states_of_its_blocks(node: BankChain) -> None:
    txs = [[a_send(ALICE, 0)], [], [a_send(ALICE, 1, 5), a_send(BORIS, 0)], [b"\xff"]]
    hashes = [node.run(each).app_hash for each in txs]
    for _ in range(2):
        found = [node.app.history.find(height) for height in range(6)]
        assert [None if past is None else past.last.app_hash for past in found] == [
            None, *hashes[:3], None, None,
        ]  # fmt: skip
        node.restart()
