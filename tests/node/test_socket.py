"""ABCI over the socket, against what CometBFT v0.38.26 sent, in the chunks in which it came."""

from __future__ import annotations

import asyncio
import contextlib
import socket as real_socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.tendermint.abci import types_pb2 as abci
from google.protobuf.message import Message

from app.node import socket
from app.node.socket import TURN_REQUESTS, Connection, Door, answer, frame
from tests.conftest import Vector

METHODS: dict[str, Callable[[Any], Message]] = {
    "info": lambda request: abci.ResponseInfo(version=request.version),
    "query": lambda request: abci.ResponseQuery(value=request.data),
    "check_tx": lambda request: abci.ResponseCheckTx(data=request.tx),
    "init_chain": lambda request: abci.ResponseInitChain(app_hash=bytes(32)),
    "prepare_proposal": lambda request: abci.ResponsePrepareProposal(txs=request.txs),
    "process_proposal": lambda request: abci.ResponseProcessProposal(status=1),
    "finalize_block": lambda request: abci.ResponseFinalizeBlock(app_hash=request.hash),
    "commit": lambda request: abci.ResponseCommit(),
}
RECORDED = "abci/v0.38.26.json"


def frames_in(buffer: bytearray) -> list[bytes]:
    return socket.take_frames(buffer, 10_000)


class Wire(asyncio.Transport):
    """What a connection writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_aborted = False
        self.is_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def abort(self) -> None:
        self.is_aborted = True


class Peer:
    """The engine's end of a connection."""

    def __init__(self, methods: socket.Methods = METHODS) -> None:
        self.wire, self.faults = Wire(), list[Exception]()
        self._connection = Connection(methods, self.faults.append, [])
        self._connection.connection_made(self.wire)

    def send(self, data: bytes) -> None:
        buffer = self._connection.get_buffer(len(data))
        for start in range(0, len(data), len(buffer)):
            part = data[start : start + len(buffer)]
            buffer[: len(part)] = part
            self._connection.buffer_updated(len(part))

    def close(self) -> None:
        self._connection.connection_lost(None)

    def answers(self) -> list[str]:
        buffer = bytearray(b"".join(self.wire.writes))
        kinds = [abci.Response.FromString(each).WhichOneof("value") for each in frames_in(buffer)]
        assert not buffer
        return [str(kind) for kind in kinds]


def requests(data: bytes) -> list[str]:
    buffer = bytearray(data)
    found = [abci.Request.FromString(each).WhichOneof("value") for each in frames_in(buffer)]
    assert not buffer
    return [str(kind) for kind in found]


@pytest.mark.parametrize("connection", ["query", "mempool", "consensus"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
async def test_recorded_requests_are_answered_in_order_with_their_own_kind(
    vectors: Callable[[str], Vector], connection: str, size: int
) -> None:
    data = bytes.fromhex("".join(vectors(RECORDED).load()[connection]))
    peer = Peer()
    for start in range(0, len(data), size):
        peer.send(data[start : start + size])
        await asyncio.sleep(0)
    for _ in range(len(data)):
        await asyncio.sleep(0)
    assert peer.answers() == requests(data)
    assert not peer.faults


def test_the_engine_asks_what_it_asked_when_it_was_recorded(
    vectors: Callable[[str], Vector],
) -> None:
    recorded = vectors(RECORDED).load()
    kinds = requests(bytes.fromhex("".join(recorded["consensus"])))
    kinds = [kind for kind in kinds if kind != "flush"]
    assert kinds[:2] == ["init_chain", "prepare_proposal"]
    assert kinds[1:5] == ["prepare_proposal", "process_proposal", "finalize_block", "commit"]


async def test_what_waits_together_is_answered_in_turns_of_one_write() -> None:
    checks = [abci.Request(check_tx=abci.RequestCheckTx(tx=bytes([at]))) for at in range(99)]
    flush = abci.Request(flush=abci.RequestFlush())
    peer = Peer()
    peer.send(b"".join(frame(each.SerializeToString()) for each in (*checks, flush)))
    assert peer.answers() == ["check_tx"] * TURN_REQUESTS
    for _ in range(4):
        await asyncio.sleep(0)
    assert peer.answers() == ["check_tx"] * 99 + ["flush"]
    assert len(list(filter(None, peer.wire.writes))) == 4


async def test_what_is_answered_later_keeps_its_place_and_holds_up_nobody_else() -> None:
    asked: dict[bytes, asyncio.Future[None]] = {}

    async def answer_later(request: Any) -> Message:
        asked[request.data] = asyncio.get_running_loop().create_future()
        await asked[request.data]
        return abci.ResponseQuery(value=request.data)

    methods = {**METHODS, "query": answer_later}
    queries = [abci.Request(query=abci.RequestQuery(data=each)) for each in (b"one", b"two")]
    info, flush = (
        abci.Request(info=abci.RequestInfo()),
        abci.Request(flush=abci.RequestFlush()),
    )
    waiting, other = Peer(methods), Peer(methods)
    waiting.send(b"".join(frame(each.SerializeToString()) for each in (info, *queries, flush)))
    await asyncio.sleep(0)
    waiting.send(frame(info.SerializeToString()))
    other.send(frame(info.SerializeToString()))
    assert (waiting.answers(), other.answers()) == (["info"], ["info"])
    assert list(asked) == [b"one"]

    for at, data in enumerate((b"one", b"two"), 1):
        asked[data].set_result(None)
        for _ in range(4):
            await asyncio.sleep(0)
        assert waiting.answers()[: at + 1] == ["info", *["query"] * at]
    assert waiting.answers() == ["info", "query", "query", "flush", "info"]


async def test_a_wait_ends_with_its_connection_and_a_fault_ends_it() -> None:
    async def fail(request: Any) -> Message:
        await asyncio.sleep(0)
        if request.data:
            raise ValueError("a bug")
        await asyncio.sleep(60)
        return abci.ResponseQuery()

    for data, faults in ((b"x", ["a bug"]), (b"", [])):
        peer = Peer({**METHODS, "query": fail})
        peer.send(frame(abci.Request(query=abci.RequestQuery(data=data)).SerializeToString()))
        await asyncio.sleep(0)
        if not data:
            peer.close()
        for _ in range(4):
            await asyncio.sleep(0)
        assert ([str(each) for each in peer.faults], peer.answers()) == (faults, [])
        assert peer.wire.is_aborted == bool(data)
        assert len(asyncio.all_tasks()) == 1


async def test_a_flood_waits_in_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "WAITING_BYTES_MAX", 1_000)
    check = frame(abci.Request(check_tx=abci.RequestCheckTx(tx=bytes(100))).SerializeToString())
    peer = Peer()
    peer.send(check * 100)
    assert peer.wire.is_paused
    while len(peer.answers()) < 100:
        await asyncio.sleep(0)
    assert not peer.wire.is_paused


def test_a_message_larger_than_a_read_arrives_whole() -> None:
    tx = bytes(range(256)) * 4096 * 4
    peer = Peer()
    peer.send(frame(abci.Request(check_tx=abci.RequestCheckTx(tx=tx)).SerializeToString()))
    (payload,) = frames_in(bytearray(b"".join(peer.wire.writes)))
    assert abci.Response.FromString(payload).check_tx.data == tx


def test_an_echo_comes_back() -> None:
    payload = abci.Request(echo=abci.RequestEcho(message="hello")).SerializeToString()
    (answered,) = frames_in(bytearray(answer({}, payload)))
    assert abci.Response.FromString(answered).echo.message == "hello"


def test_a_request_of_a_later_version_gets_its_own_empty_answer() -> None:
    insert_tx = b"\xaa\x01\x03\x0a\x01x"  # field 21 of v0.40
    (answered,) = frames_in(bytearray(answer({}, insert_tx)))
    assert answered == b"\xb2\x01\x00"  # field 22
    (answered,) = frames_in(bytearray(answer({}, b"")))
    assert answered == b""


def test_a_later_versions_fields_are_left_alone() -> None:
    info = abci.RequestInfo(version="9").SerializeToString() + b"\xfa\x01\x01x"
    (answered,) = frames_in(bytearray(answer(METHODS, b"\x1a" + bytes([len(info)]) + info)))
    assert abci.Response.FromString(answered).info.version == "9"


def test_a_fault_of_ours_ends_the_connection_without_an_exception_response() -> None:
    def fail(request: Any) -> Message:
        raise RuntimeError("a bug")

    peer = Peer({"check_tx": fail})
    peer.send(frame(abci.Request(check_tx=abci.RequestCheckTx(tx=b"x")).SerializeToString()))
    assert peer.wire.is_aborted
    assert peer.wire.writes == []
    assert [str(fault) for fault in peer.faults] == ["a bug"]


def test_bytes_that_are_no_abci_end_the_connection() -> None:
    for junk in (b"\xff\xff\xff\xff\x0f", b"\xff" * 10, frame(b"\xff\xff")):
        peer = Peer()
        peer.send(junk)
        assert peer.wire.is_aborted
        assert len(peer.faults) == 1


async def test_a_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "abci.sock"
    for _ in range(2):
        door = Door(METHODS, lambda error: None)
        await door.open(path)
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(frame(abci.Request(flush=abci.RequestFlush()).SerializeToString()))
        assert await reader.read(100) == frame(b"\x1a\x00")
        writer.close()
        door.close()


async def test_long_work_takes_what_comes_off_the_sockets_and_answers_it_afterwards(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "abci.sock")
    check = abci.Request(check_tx=abci.RequestCheckTx(tx=bytes(1_000))).SerializeToString()
    commit = abci.Request(commit=abci.RequestCommit()).SerializeToString()
    stream = frame(check) * 1_000
    sent_bytes = 0

    def work(request: Any) -> Message:
        nonlocal sent_bytes
        while sent_bytes < len(stream):  # Several times what a socket holds.
            with contextlib.suppress(BlockingIOError):
                sent_bytes += mempool.send(stream[sent_bytes:])
            door.drain()
        return abci.ResponseCommit()

    methods = {**METHODS, "commit": work}
    door = Door(methods, lambda error: None)
    await door.open(Path(path))
    reader, writer = await asyncio.open_unix_connection(path)
    with real_socket.socket(real_socket.AF_UNIX) as mempool:
        mempool.connect(path)
        mempool.setblocking(False)
        await asyncio.sleep(0.01)
        writer.write(frame(commit))
        done = frame(abci.Response(commit=abci.ResponseCommit()).SerializeToString())
        assert await reader.readexactly(len(done)) == done
        answers, answered = answer(methods, check) * 1_000, bytearray()
        while len(answered) < len(answers):
            answered += await asyncio.get_running_loop().sock_recv(mempool, 1 << 20)
        assert answered == answers
    writer.close()
    door.close()
