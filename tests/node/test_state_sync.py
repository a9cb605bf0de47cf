"""A fresh node begins from a snapshot and is like the others; a false one is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app import chain
from app.kernel.crypto import sha256
from app.kernel.record import U64, decode, encode
from app.node import snapshots
from app.node.snapshots import Head, cut, describe, read_rows
from tests.node.bank_chain import ALICE, BORIS, BankChain, a_send

BLOCKS = [[a_send(ALICE, 0)], [a_send(ALICE, 1, 5)], [a_send(BORIS, 0)]]
Offer, Apply = abci.ResponseOfferSnapshot, abci.ResponseApplySnapshotChunk
Rows = list[tuple[bytes, bytes]]
Spoil = Callable[[Head], Head]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "CHUNK_BYTES_MAX", 500)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path / "node")
    node.init()
    for txs in BLOCKS:
        node.run(txs)
    asyncio.run(node.app.snapshots.write_frozen())
    yield node
    node.store.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[BankChain]:
    node = BankChain(tmp_path / "fresh")
    yield node
    node.store.close()


def offered(node: BankChain) -> abci.Snapshot:
    """The newest snapshot that a node offers."""
    return node.app.list_snapshots(abci.RequestListSnapshots()).snapshots[0]


def offer(node: BankChain, snapshot: abci.Snapshot, app_hash: bytes) -> int:
    """What a node says to a snapshot, of which the engine knows the application hash."""
    request = abci.RequestOfferSnapshot(snapshot=snapshot, app_hash=app_hash)
    return node.app.offer_snapshot(request).result


def load(node: BankChain, snapshot: abci.Snapshot, index: int) -> bytes:
    """A chunk as a node hands it out."""
    request = abci.RequestLoadSnapshotChunk(
        height=snapshot.height, format=snapshot.format, chunk=index
    )
    return node.app.load_snapshot_chunk(request).chunk


def apply(node: BankChain, index: int, chunk: bytes, sender: str = "peer") -> Any:
    """What a node says to a chunk."""
    request = abci.RequestApplySnapshotChunk(index=index, chunk=chunk, sender=sender)
    return node.app.apply_snapshot_chunk(request)


def sync(source: BankChain, target: BankChain) -> list[int]:
    """Restore the newest snapshot as the engine does; returns each answer."""
    snapshot = offered(source)
    assert offer(target, snapshot, source.info()[1]) == Offer.ACCEPT
    chunks = [load(source, snapshot, index) for index in range(snapshot.chunks)]
    return [apply(target, index, chunk).result for index, chunk in enumerate(chunks)]


def test_a_fresh_node_begins_from_a_snapshot_and_goes_on_like_the_other(
    node: BankChain, fresh: BankChain
) -> None:
    answers = sync(node, fresh)
    assert len(answers) > 2
    assert set(answers) == {Apply.ACCEPT}
    for _ in range(2):
        assert fresh.info() == node.info()
        assert fresh.app.last == node.app.last
        assert list(fresh.store.items(b"")) == list(node.store.items(b""))
        fresh.restart()
    assert fresh.run([a_send(ALICE, 2)]) == node.run([a_send(ALICE, 2)])
    assert fresh.balance() == node.balance() == 8


def test_export_snapshot_and_live_state_agree(node: BankChain) -> None:
    snapshot = offered(node)
    chunks = [load(node, snapshot, index) for index in range(snapshot.chunks)]
    rows = [row for chunk in chunks for row in read_rows(chunk)]
    assert rows == list(node.store.items(b""))
    again = BankChain(node.path / "again")
    exported = chain.export_genesis(node.app.state)
    again.make_genesis = lambda: exported  # type: ignore[method-assign]
    assert again.init() == node.info()[1] == decode(Head, snapshot.metadata).block.app_hash
    assert list(again.app.state.items(b"")) == rows
    again.store.close()


def test_every_node_writes_the_same_bytes(node: BankChain, tmp_path: Path) -> None:
    other = BankChain(tmp_path / "other")
    other.init()
    for txs in BLOCKS:
        other.accepts([])
        other.run(txs)
        other.restart() if other.app.last.height < 3 else None
    asyncio.run(other.app.snapshots.write_frozen())
    snapshot = offered(node)
    assert offered(other) == snapshot
    for index in range(snapshot.chunks):
        assert load(other, snapshot, index) == load(node, snapshot, index) != b""
    other.store.close()


def test_a_snapshot_is_of_its_block_however_many_come_while_it_is_written(node: BankChain) -> None:
    for at in range(3):
        node.run([a_send(ALICE, 2 + at)])
    rows, info = list(node.store.items(b"")), node.info()
    for at in range(4):  # The ninth block is due too, but the sixth isn't written yet.
        node.run([a_send(ALICE, 5 + at)])
    asyncio.run(node.app.snapshots.write_frozen())
    snapshot = offered(node)
    chunks = [load(node, snapshot, index) for index in range(snapshot.chunks)]
    assert [row for chunk in chunks for row in read_rows(chunk)] == rows
    block = decode(Head, snapshot.metadata).block
    assert (snapshot.height, block.height, block.app_hash) == (6, *info)


def test_blocks_go_on_while_a_snapshot_is_written(
    node: BankChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "SLICE_ROWS", 1)
    for at in range(3):
        node.run([a_send(ALICE, 2 + at)])

    async def go_on() -> int:
        writing = asyncio.create_task(node.app.snapshots.write_frozen())
        count = 0
        while not writing.done():
            node.run()
            count += 1
            await asyncio.sleep(0)
        return count

    assert asyncio.run(go_on()) > 10


def test_as_many_snapshots_are_kept_as_the_operator_says(node: BankChain) -> None:
    for _ in range(9):
        node.run()
        asyncio.run(node.app.snapshots.write_frozen())
    assert [each.height for each in node.app.snapshots.list()] == [12, 9]
    assert load(node, abci.Snapshot(height=3, format=1), 0) == b""
    (node.path / "snapshots" / "15.part").mkdir()
    node.restart()
    assert sorted(each.name for each in (node.path / "snapshots").iterdir()) == ["12", "9"]


def test_a_corrupt_chunk_is_refused_and_fetched_elsewhere(
    node: BankChain, fresh: BankChain
) -> None:
    snapshot = offered(node)
    assert offer(fresh, snapshot, node.info()[1]) == Offer.ACCEPT
    for index in range(snapshot.chunks):
        chunk = load(node, snapshot, index)
        for bad in (b"", chunk[:-1], bytes([chunk[0] ^ 1]) + chunk[1:]):
            answer = apply(fresh, index, bad, "liar")
            assert answer.result == Apply.RETRY
            assert list(answer.refetch_chunks) == [index]
            assert list(answer.reject_senders) == ["liar"]
        assert apply(fresh, index, chunk).result == Apply.ACCEPT
    assert fresh.info() == node.info()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda head: replace(head, chunk_hashes=()), "0 chunks; there may be 1 to"),
        (
            lambda head: replace(head, block=replace(head.block, app_hash=b"x")),
            "application hash 78",
        ),
        (
            lambda head: replace(head, block=replace(head.block, time_ms=1)),
            "at 1 ms, trusted nodes",
        ),
        (lambda head: replace(head, block=replace(head.block, chain_id="x")), "of x at"),
        (lambda head: replace(head, block=replace(head.block, app_version=9)), "version 9"),
    ],
)
def test_a_head_that_is_not_the_chains_is_refused(
    node: BankChain, fresh: BankChain, caplog: pytest.LogCaptureFixture, spoil: Spoil, words: str
) -> None:
    head = spoil(decode(Head, offered(node).metadata))
    assert offer(fresh, describe(encode(head)), node.info()[1]) == Offer.REJECT
    assert words in caplog.text
    assert fresh.info() == (0, b"")


def test_an_offer_that_is_not_what_its_head_says_is_refused(
    node: BankChain, fresh: BankChain
) -> None:
    app_hash = node.info()[1]
    for field, value, answer in (
        ("height", 6, Offer.REJECT),
        ("chunks", 1, Offer.REJECT),
        ("hash", b"x", Offer.REJECT),
        ("metadata", b"x", Offer.REJECT),
        ("format", 2, Offer.REJECT_FORMAT),
    ):
        snapshot = offered(node)
        setattr(snapshot, field, value)
        assert offer(fresh, snapshot, app_hash) == answer
    assert apply(fresh, 0, b"").result == Apply.ABORT


def with_clock_7(head: Head) -> Head:
    """A head whose clock is wrong."""
    return replace(head, block=replace(head.block, clock_ms=U64(7)))


def whole(rows: Rows) -> bytes:
    """One chunk of rows, in whatever order."""
    return b"".join(chunk for row in rows for chunk in cut([row]) if isinstance(chunk, bytes))


@pytest.mark.parametrize(
    ("rows_of", "spoil", "words"),
    [
        (lambda rows: rows[:-1], lambda head: head, "those that its head counts"),
        (lambda rows: rows[::-1], lambda head: head, "in order"),
        (lambda rows: [*rows[:-1], (rows[-1][0], b"\x05")], lambda head: head, "its root isn't"),
        (lambda rows: rows, with_clock_7, "its clock, 7"),
    ],
)
def test_rows_that_are_not_the_state_are_refused_and_nothing_is_written(
    node: BankChain, fresh: BankChain, rows_of: Callable[[Rows], Rows], spoil: Spoil, words: str
) -> None:
    chunk = whole(rows_of(list(node.store.items(b""))))
    head = replace(spoil(decode(Head, offered(node).metadata)), chunk_hashes=(sha256(chunk),))
    assert offer(fresh, describe(encode(head)), node.info()[1]) == Offer.ACCEPT
    restoration = fresh.app._restoration
    assert apply(fresh, 0, chunk).result == Apply.REJECT_SNAPSHOT
    assert restoration is not None
    assert words in restoration.find_fault()
    assert list(fresh.store.items(b"")) == []
    assert set(sync(node, fresh)) == {Apply.ACCEPT}


def test_a_chunk_that_is_cut_off_ends_the_snapshot(node: BankChain, fresh: BankChain) -> None:
    head = replace(decode(Head, offered(node).metadata), chunk_hashes=(sha256(b"\x09x"),))
    assert offer(fresh, describe(encode(head)), node.info()[1]) == Offer.ACCEPT
    assert apply(fresh, 1, b"\x09x").result == Apply.RETRY_SNAPSHOT
    assert apply(fresh, 0, b"\x09x").result == Apply.REJECT_SNAPSHOT


def test_a_restored_node_is_restored_again_if_the_engine_was_stopped_before_it_noted_it(
    node: BankChain, fresh: BankChain
) -> None:
    sync(node, fresh)
    for at in range(3):
        node.run([a_send(ALICE, 2 + at)])
    asyncio.run(node.app.snapshots.write_frozen())
    fresh.restart()
    sync(node, fresh)
    assert fresh.info() == node.info()
    assert list(fresh.store.items(b"")) == list(node.store.items(b""))
