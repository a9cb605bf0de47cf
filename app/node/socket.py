"""The door the engine knocks on: ABCI requests over a Unix socket, answered in order.

A frame is an unsigned varint length and a `tendermint.abci.Request`. The engine opens four
connections; one event loop serves them all, in turns of a few requests, answered in one write. What
arrives is taken off the socket between turns, and within a long one by `Door.drain`, even if it
must wait: while a write of the engine's blocks, its flush timer spins (20 ns, meant as ms) and
takes a whole processor.

A request this version doesn't know gets an empty answer of its own number (a response's field is
its request's plus one), so an engine with additional methods still runs. A user's fault is an
answer with a code; an exception is a bug, after which nothing more is answered.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from cosmpy.protos.tendermint.abci import types_pb2 as abci
from google.protobuf.unknown_fields import UnknownFieldSet

log = logging.getLogger("pollend.abci")

FRAME_BYTES_MAX = 1 << 28
READ_BYTES = 1 << 18
TURN_REQUESTS = 32  # A few milliseconds of one connection's work, so that another's doesn't wait.
WAITING_BYTES_MAX = 1 << 24

GRAMMAR = (
    "init_chain", "offer_snapshot", "apply_snapshot_chunk", "prepare_proposal", "process_proposal",
    "extend_vote", "verify_vote_extension", "finalize_block", "commit",
)  # fmt: skip
"""What the engine asks in an order that its specification lays down; logged for debugging."""

Methods = Mapping[str, Callable[[Any], Any]]


class FrameTooLong(Exception):
    """The peer announced a frame beyond any block: it doesn't speak ABCI."""


def take_frames(buffer: bytearray, count_max: int) -> list[bytes]:
    """Remove complete frames, at most so many, from the front and return their payloads."""
    frames: list[bytes] = []
    start = 0
    while len(frames) < count_max and (head := _read_varint(buffer, start)) is not None:
        size, payload = head
        if len(buffer) < payload + size:
            break
        start = payload + size
        frames.append(bytes(buffer[payload:start]))
    del buffer[:start]
    return frames


def frame(payload: bytes) -> bytes:
    """Put the varint length before a message."""
    return varint(len(payload)) + payload


def answer(methods: Methods, payload: bytes) -> bytes | Coroutine[Any, Any, bytes]:
    """Answer one request with the method of its name; returns the framed response, or its wait."""
    request = abci.Request.FromString(payload)
    kind = request.WhichOneof("value")
    if kind is None:
        return frame(_empty_answer(request))
    if kind == "flush":
        return frame(abci.Response(flush=abci.ResponseFlush()).SerializeToString())
    if kind == "echo":
        echo = abci.ResponseEcho(message=request.echo.message)
        return frame(abci.Response(echo=echo).SerializeToString())
    if kind in GRAMMAR:
        log.debug("abci %s", kind)
    given = methods[kind](getattr(request, kind))
    return wait_for(kind, given) if asyncio.iscoroutine(given) else write(kind, given)


def write(kind: str, response: Any) -> bytes:
    """Return a response of a kind, framed."""
    return frame(abci.Response(**{kind: response}).SerializeToString())


async def wait_for(kind: str, given: Coroutine[Any, Any, Any]) -> bytes:
    """Return the framed response once it is there."""
    return write(kind, await given)


class Door:
    """The socket and its open connections; `fail` gets the exception of a bug."""

    def __init__(self, methods: Methods, fail: Callable[[Exception], None]) -> None:
        self._methods = methods
        self._fail = fail
        self._connections: list[Connection] = []

    async def open(self, path: Path) -> None:
        """Listen on the path, in place of a socket left there."""
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        make = partial(Connection, self._methods, self._fail, self._connections)
        self._server = await loop.create_unix_server(make, str(path))

    def drain(self) -> None:
        """Take what has arrived off the socket; it is answered in turn."""
        for connection in self._connections:
            connection.drain()

    def close(self) -> None:
        """Let nobody else in."""
        self._server.close()


class Connection(asyncio.BufferedProtocol):
    """One of the engine's connections; it is among the open ones while it is."""

    def __init__(
        self,
        methods: Methods,
        fail: Callable[[Exception], None],
        connections: list[Connection],
    ) -> None:
        self._methods = methods
        self._fail = fail
        self._connections = connections
        self._chunk = memoryview(bytearray(READ_BYTES))
        self._buffer = bytearray()
        self._has_turn = False
        self._waiting: asyncio.Task[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._buffer.clear()
        self._connections.remove(self)
        if self._waiting is not None:
            self._waiting.cancel()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._chunk

    def buffer_updated(self, nbytes: int) -> None:
        self._buffer += self._chunk[:nbytes]
        if len(self._buffer) > WAITING_BYTES_MAX:
            self._transport.pause_reading()
        if not self._has_turn:
            self._take_turn()

    def drain(self) -> None:
        """Take what has arrived off the socket; it is answered in the next turn."""
        number = self._transport.get_extra_info("socket").fileno()
        with suppress(BlockingIOError):
            while len(self._buffer) <= WAITING_BYTES_MAX:
                size = os.readv(number, [self._chunk])
                if not size:
                    break
                self._buffer += self._chunk[:size]
                self._ask_turn()

    def _ask_turn(self) -> None:
        if not self._has_turn:
            self._has_turn = True
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._has_turn = False
        try:
            frames = take_frames(self._buffer, TURN_REQUESTS)
            answers: list[bytes] = []
            for at, payload in enumerate(frames, 1):
                given = answer(self._methods, payload)
                if not isinstance(given, bytes):
                    self._transport.write(b"".join(answers))
                    self._buffer[:0] = b"".join(map(frame, frames[at:]))
                    self._wait(given)
                    return
                answers.append(given)
        except Exception as error:
            self._end(error)
            return
        self._transport.write(b"".join(answers))
        if len(frames) == TURN_REQUESTS:
            self._ask_turn()
        if len(self._buffer) <= WAITING_BYTES_MAX:
            self._transport.resume_reading()

    def _wait(self, given: Coroutine[Any, Any, bytes]) -> None:
        """Answer nothing more here until an answer has come; other connections go on."""
        self._has_turn = True
        self._waiting = asyncio.get_running_loop().create_task(given)
        self._waiting.add_done_callback(self._go_on)

    def _go_on(self, answered: asyncio.Task[bytes]) -> None:
        if answered.cancelled():
            return
        error = answered.exception()
        if isinstance(error, Exception):
            self._end(error)
            return
        self._transport.write(answered.result())
        self._take_turn()

    def _end(self, error: Exception) -> None:
        self._transport.abort()
        self._fail(error)


def _empty_answer(request: Any) -> bytes:
    fields = UnknownFieldSet(request)
    number = fields[0].field_number + 1 if len(fields) else 0
    return varint(number << 3 | 2) + b"\0" if number else b""


def varint(value: int) -> bytes:
    """Return an unsigned integer as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytearray, start: int) -> tuple[int, int] | None:
    value = 0
    for index in range(start, len(data)):
        value |= (data[index] & 0x7F) << 7 * (index - start)
        if value > FRAME_BYTES_MAX:
            raise FrameTooLong(f"a frame of {value} bytes or more, the limit is {FRAME_BYTES_MAX}")
        if data[index] < 0x80:
            return value, index + 1
    return None
