"""What keeps a node from starting, or ends it, is said with what to do about it."""

from __future__ import annotations

import re
import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import plyvel
import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.record import U64
from app.node import diagnosis
from app.node.abci import Application
from app.node.config import Home, NodeConfig, OperatorError
from app.node.diagnosis import check_agreement, check_disk, explain_engine
from app.node.genesis import init_home
from app.node.leveldb import Committed, LevelStore, StoreFailed
from app.node.metrics import Metrics
from tests.node.bank_chain import ALICE, BankChain, a_send

Usage = namedtuple("Usage", "free")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path)
    node.init()
    for at in range(3):
        node.run([a_send(ALICE, at)])
    node.store.close()
    LevelStore(tmp_path / "state").close()  # what was in its log is in a table now
    yield node
    node.store.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ERROR: error during handshake: app block height (9) is higher than core (7)",
            "the application is at height 9, the engine's blocks end at 7.*pollend rollback",
        ),
        (
            "error on replay: app block height (0) is too far below block store base (5)",
            "the application is at height 0, the engine's blocks begin at 5.*pollend reset",
        ),
        (
            "panic: state.AppHash does not match AppHash after replay. Got\n0A, expected 0B.",
            "this node's state is another than the chain's",
        ),
        (
            "panic: Panicked: wrong Block.Header.AppHash.  Expected 0A, got 0B",
            "this node's state is another than the chain's",
        ),
        ("write /n/cs.wal/wal: no space left on device", "the disk is full.*make room"),
        ("open LOCK: resource temporarily unavailable", "another CometBFT runs"),
        ("leveldb: manifest corrupted (field 'comparer')", "a file of the engine's is corrupt"),
        ("panic: StoreBlockHeight (9) > StateBlockHeight + 1 (1)", "is corrupt or gone"),
        ("something new", "it said last:\nI said so\nsomething new"),
    ],
)
def test_what_the_engine_ends_with_is_explained(said: str, words: str) -> None:
    text = explain_engine(f"I said so\n{said}")
    assert re.search(words, text, re.DOTALL)
    assert said.splitlines()[0] in text


def test_a_full_disk_stops_the_node_before_it_hurts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_disk(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(diagnosis.DISK_FREE_MIN_BYTES - 1))
    with pytest.raises(OperatorError, match=r"the disk is full, 63 MB are free.*make room"):
        check_disk(tmp_path)


def test_state_of_another_chain_or_without_its_blocks_is_not_taken_up(tmp_path: Path) -> None:
    home = Home(tmp_path)
    init_home(home, NodeConfig(), "a-chain", "minimal")
    check_agreement(home, Committed())
    last = Committed(chain_id="a-chain", height=U64(9))
    with pytest.raises(OperatorError, match=r"at height 9, but the engine has no blocks.*reset"):
        check_agreement(home, last)
    (home.engine / "data" / "blockstore.db").mkdir()
    check_agreement(home, last)
    with pytest.raises(OperatorError, match=r"is of chain b-chain.*genesis.json of a-chain"):
        check_agreement(home, replace(last, chain_id="b-chain"))
    (home.engine / "config" / "genesis.json").write_text("{")
    with pytest.raises(OperatorError, match=r"genesis.json: can't be read"):
        check_agreement(home, last)


def files(node: BankChain, pattern: str) -> list[Path]:
    """The database's files of a kind that hold something."""
    return [p for p in sorted((node.path / "state").glob(pattern)) if p.stat().st_size]


def spoil(path: Path) -> None:
    """Turn a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("pattern", ["*.ldb", "MANIFEST-*"])
def test_a_database_with_a_turned_bit_is_not_taken_up(node: BankChain, pattern: str) -> None:
    spoil(files(node, pattern)[0])
    with pytest.raises(StoreFailed, match=r"corrupt.*remove it and start again"):
        node.start()


@pytest.mark.parametrize("pattern", ["*.ldb", "CURRENT", "MANIFEST-*"])
def test_a_database_that_lost_a_file_is_not_taken_up(node: BankChain, pattern: str) -> None:
    files(node, pattern)[0].unlink()
    with pytest.raises(StoreFailed, match=r"remove it and start again|mend it"):
        node.start()


def test_a_log_with_a_turned_bit_is_not_taken_up(node: BankChain) -> None:
    node.start()
    node.run([a_send(ALICE, 3)])
    node.run([a_send(ALICE, 4)])
    node.store.close()
    spoil(files(node, "*.log")[0])
    with pytest.raises(StoreFailed, match=r"corrupt.*remove it and start again"):
        node.start()


def test_rows_that_are_not_what_was_committed_are_not_taken_up(node: BankChain) -> None:
    store = LevelStore(node.path / "state")
    key, _ = next(store.items(b"bank/"))
    store.commit(store.last, {key: b"\x07"}, [])
    with pytest.raises(StoreFailed, match="the state on disk isn't the one committed at height 3"):
        Application(store, Metrics())
    store.close()


class CorruptRows:
    """Rows of a table that went bad while the node runs."""

    def get(self, key: bytes, **options: bool) -> bytes:
        raise plyvel.CorruptionError("block checksum mismatch")


def test_a_rule_that_meets_a_corrupt_row_stops_the_node_instead_of_failing_a_transaction(
    node: BankChain,
) -> None:
    node.start()
    node.store._rows = CorruptRows()
    with pytest.raises(InvariantBroken, match=r"block checksum mismatch.*remove it and start"):
        node.run([a_send(ALICE, 3)])


def test_what_cannot_be_written_is_not_committed(node: BankChain) -> None:
    node.start()
    node.store._batch = FullDisk  # type: ignore[method-assign]
    with pytest.raises(StoreFailed, match=r"No space left.*make room if the disk is full"):
        node.run([a_send(ALICE, 3)])
    assert node.info()[0] == 3
    node.restart()
    node.run([a_send(ALICE, 3)])
    assert (node.info()[0], node.balance()) == (4, 4)


class FullDisk:
    """A batch that the disk has no room for."""

    def __enter__(self) -> FullDisk:
        return self

    def put(self, key: bytes, value: bytes) -> None:
        """Take a row."""

    def __exit__(self, *failure: object) -> None:
        raise plyvel.IOError("000005.log: No space left on device")
