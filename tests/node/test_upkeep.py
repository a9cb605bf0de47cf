"""What an operator does to a stopped node: going back, forgetting, exporting, beginning again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.node import comet, retention
from app.node.config import Home, NodeConfig, OperatorError
from app.node.genesis import init_home
from app.node.leveldb import LevelStore
from app.node.retention import find_retain_height
from app.node.upkeep import export, reset_home, roll_back
from tests.node.bank_chain import ALICE, BLOCK_MS, BORIS, CHAIN_ID, START_MS, BankChain, a_send

BLOCKS = [[a_send(ALICE, 0)], [a_send(ALICE, 1, 5), a_send(BORIS, 0)], [], [a_send(ALICE, 2)]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(Home(tmp_path), NodeConfig(), CHAIN_ID, "minimal")
    return Home(tmp_path)


@pytest.fixture
def node(home: Home) -> Iterator[BankChain]:
    node = BankChain(home.path)
    node.init()
    yield node
    node.store.close()


def rows(node: BankChain) -> list[tuple[bytes, bytes]]:
    """All that the database holds."""
    return list(node.store._db.iterator())


def test_blocks_are_taken_back_as_if_they_had_never_been(node: BankChain) -> None:
    states = []
    for txs in BLOCKS:
        node.run(txs)
        states.append((node.info(), rows(node)))
    for info, before in reversed(states[:-1]):
        node.store.roll_back(info[0])
        node.restart()
        assert (node.info(), rows(node)) == (info, before)
    for txs in BLOCKS[1:]:
        node.run(txs)
    assert (node.info(), rows(node)) == states[-1]


def test_many_blocks_are_taken_back_at_once(node: BankChain) -> None:
    node.run(BLOCKS[0])
    before = rows(node)
    for txs in BLOCKS[1:]:
        node.run(txs)
    node.store.roll_back(1)
    assert rows(node) == before
    node.store.roll_back(1)
    node.store.roll_back(7)
    assert rows(node) == before


def test_what_cannot_be_taken_back_is_left_as_it_is(node: BankChain) -> None:
    for txs in BLOCKS:
        node.run(txs)
    before = rows(node)
    with pytest.raises(OperatorError, match=r"reaches to height 1, not to 0; remove it and start"):
        node.store.roll_back(0)
    assert rows(node) == before


def test_a_rollback_follows_the_engine_and_may_be_repeated(
    node: BankChain, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for txs in BLOCKS:
        node.run(txs)
    node.store.close()
    for height in (3, 4):
        (home.snapshots / str(height)).mkdir(parents=True)
        (home.snapshots / str(height) / "head").touch()
    monkeypatch.setattr(comet, "roll_back", lambda engine_home: 3)
    assert roll_back(home, 1) == {"engine": 3, "before": 4, "height": 3}
    assert roll_back(home, 1) == {"engine": 3, "before": 3, "height": 3}
    assert [path.name for path in home.snapshots.iterdir()] == ["3"]
    assert roll_back(home, 2) == {"engine": 3, "before": 3, "height": 2}
    with pytest.raises(OperatorError, match="--blocks 0: 1 or more"):
        roll_back(home, 0)
    with home.lock(), pytest.raises(OperatorError, match="runs here already"):
        roll_back(home, 1)


def test_an_engine_that_cannot_go_back_leaves_the_application_alone(
    node: BankChain, home: Home
) -> None:
    node.run(BLOCKS[0])
    node.store.close()
    with pytest.raises(OperatorError, match=r"the engine can't go back: .*no blockstore found"):
        roll_back(home, 1)
    store = LevelStore(home.state)
    assert store.last.height == 1
    store.close()


def test_an_export_goes_on_where_the_chain_was(node: BankChain, home: Home, tmp_path: Path) -> None:
    for txs in BLOCKS:
        node.run(txs)
    info, last, state = node.info(), node.app.last, list(node.store.items(b""))
    node.store.close()
    exported = export(home, "")
    assert (exported["chain_id"], exported["initial_height"]) == (CHAIN_ID, "5")
    assert exported["validators"] == []  # It has none in this test.
    assert exported["genesis_time"] == "2023-11-14T22:13:24.000000Z"
    assert export(home, "another")["chain_id"] == "another"

    again = BankChain(tmp_path / "again")
    again.make_genesis = lambda: exported["app_state"]  # type: ignore[method-assign]
    assert again.init(initial_height=5) == info[1]
    assert list(again.app.state.items(b"")) == state
    block = again.block(5)
    block["time"].FromMilliseconds(last.time_ms)
    again.finalize(time=block["time"])
    again.commit()
    assert again.info() == (5, info[1])
    assert again.app.last.clock_ms == last.clock_ms
    again.store.close()


def test_nothing_is_exported_before_the_first_block(node: BankChain, home: Home) -> None:
    node.store.close()
    with pytest.raises(OperatorError, match="there is no state yet"):
        export(home, "")


def test_reset_leaves_keys_settings_and_what_was_signed(home: Home) -> None:
    for folder in (home.state, home.snapshots, home.engine / "data" / "state.db"):
        folder.mkdir()
    kept = sorted(home.path.rglob("*.json"))
    reset_home(home)
    assert sorted(home.path.rglob("*.json")) == kept
    assert [path.name for path in (home.engine / "data").iterdir()] == [comet.SIGNED_FILE]
    assert not home.state.exists()
    assert not home.snapshots.exists()
    with home.lock(), pytest.raises(OperatorError, match="runs here already"):
        reset_home(home)


class Kept:
    """Snapshots of some heights."""

    def __init__(self, *heights: int) -> None:
        self._heights = list(heights)

    def heights(self) -> list[int]:
        """The heights, newest first."""
        return self._heights


def test_the_engine_keeps_what_anybody_may_need(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVIDENCE_AGE_BLOCKS", 150)
    monkeypatch.setattr(retention, "EVIDENCE_AGE_S", 200 * BLOCK_MS // 1000)
    node.store.undo_max = 120
    for _ in range(500):
        node.run()
    assert node.app.last.time_ms == START_MS + 500 * BLOCK_MS

    assert find_retain_height(node.store, None, 0) == 0  # The operator wants all.
    assert find_retain_height(node.store, None, 1) == 300  # Evidence's age, in time
    monkeypatch.setattr(retention, "EVIDENCE_AGE_S", 0)
    assert find_retain_height(node.store, None, 1) == 350  # and in blocks.
    monkeypatch.setattr(retention, "EVIDENCE_AGE_BLOCKS", 0)
    assert find_retain_height(node.store, None, 1) == 380  # What may be taken back.
    assert find_retain_height(node.store, None, 450) == 50  # What the operator wants.
    assert find_retain_height(node.store, Kept(400, 90), 1) == 90  # The oldest snapshot.
    assert find_retain_height(node.store, None, 1_000) == 0
    node.run()
    assert find_retain_height(node.store, None, 1) == 0  # It is told once in a hundred blocks.


def test_nothing_is_forgotten_while_no_block_is_old_enough(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVIDENCE_AGE_BLOCKS", 0)
    node.store.undo_max = 0
    for _ in range(200):
        node.run()
    assert find_retain_height(node.store, None, 1) == 0
