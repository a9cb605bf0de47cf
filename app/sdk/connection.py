"""Calls to one of several nodes: the one that answers is kept; when it does not, the next."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator
from functools import cache
from typing import Any

import grpc
import grpc.aio

from app.kernel.errors import Rejected

HEIGHT_KEY = "x-cosmos-block-height"
CODE_KEY = "pollen-code"
CODESPACE_KEY = "pollen-codespace"
GRPC_CODESPACE = "grpc"
CODE_NOT_FOUND = grpc.StatusCode.NOT_FOUND.value[0]
CALL_TIMEOUT_S = 10.0
MESSAGE_BYTES_MAX = 64 << 20
BLOCKS_BEHIND_MAX = 10
"""A node that is further behind what another has reported is not heeded."""
TLS_PREFIX = "https://"
OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 20_000),
)
PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class ChainError(Exception):
    """What was asked of the chain didn't happen; the text says why."""


class Unreachable(ChainError):
    """No node answers."""


class Refused(ChainError):
    """The chain refuses: its module, its code and a text that says what to do."""

    def __init__(self, code: int, codespace: str, text: str) -> None:
        super().__init__(f"{text} ({codespace} {code})")
        self.code = code
        self.codespace = codespace
        self.text = text

    def is_called(self, name: str) -> bool:
        """Whether the rules call this refusal so, such as NoSuchJob."""
        return find_rejection_names().get(self.code) == name


class QueryRefused(Refused):
    """A question that the chain refuses, such as one about what it doesn't have."""


@cache
def find_rejection_names() -> dict[int, str]:
    """Return the names of the rules' rejections by code; no two modules share one."""
    return {kind.code: kind.__name__ for kind in Rejected.__subclasses__()}


class Connection:
    """Channels to several nodes, `host:port` or `https://host:port`, of which one is in use."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        if not addresses:
            raise ValueError("addresses: none; give at least one node as host:port")
        self.addresses = addresses
        self._channels = [open_channel(address) for address in addresses]
        self._at = 0
        self.height = 0
        """The greatest height a node has reported, at `height_s` of the monotonic clock."""
        self.height_s = -math.inf
        self.failover_count = 0

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels:
            await channel.close()

    async def call(self, path: str, request: Any, response_class: Any) -> Any:
        """Return a node's answer to a request; `Unreachable` if none answers."""
        failures = []
        for _ in self._channels:
            method = self._channels[self._at].unary_unary(
                path,
                request_serializer=type(request).SerializeToString,
                response_deserializer=response_class.FromString,
            )
            call = method(request, timeout=CALL_TIMEOUT_S)
            try:
                response = await call
                height = find_height(await call.initial_metadata())
                if height is None:
                    return response
                if height + BLOCKS_BEHIND_MAX >= self.height:
                    self.note_height(height)
                    return response
                failures.append(f"{self.addresses[self._at]}: only at height {height}")
                self.turn()
            except grpc.aio.AioRpcError as error:
                if error.code() not in PASSING:
                    raise to_refusal(error) from None
                failures.append(f"{self.addresses[self._at]}: {error.details()}")
                self.turn()
        raise Unreachable(f"no node answers ({'; '.join(failures)}); is one running there?")

    async def stream(self, path: str, request: Any, response_class: Any) -> AsyncGenerator[Any]:
        """Walk what a node streams until it ends; `Unreachable` when the node is lost.

        A node that hasn't what was asked for any more is left for the next one all the same.
        """
        method = self._channels[self._at].unary_stream(
            path,
            request_serializer=type(request).SerializeToString,
            response_deserializer=response_class.FromString,
        )
        call = method(request)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.OUT_OF_RANGE:
                self.turn()
            if error.code() not in (*PASSING, grpc.StatusCode.RESOURCE_EXHAUSTED):
                raise to_refusal(error) from None
            lost = self.addresses[self._at]
            self.turn()
            raise Unreachable(f"{lost}: {error.details()}") from None
        finally:
            call.cancel()

    def turn(self) -> None:
        """Go over to the next node."""
        self._at = (self._at + 1) % len(self._channels)
        self.failover_count += 1

    def note_height(self, height: int) -> None:
        """Keep a height that a node has reported just now."""
        self.height = max(self.height, height)
        self.height_s = time.monotonic()


def find_height(metadata: Any) -> int | None:
    """Return the height that a node's answer is of, if it says."""
    return next((int(value) for key, value in metadata or () if key == HEIGHT_KEY), None)


def open_channel(address: str) -> Any:
    """Return a channel to a node; none is reached yet."""
    if address.startswith(TLS_PREFIX):
        credentials = grpc.ssl_channel_credentials()
        target = address.removeprefix(TLS_PREFIX)
        return grpc.aio.secure_channel(target, credentials, options=OPTIONS)
    return grpc.aio.insecure_channel(address.removeprefix("http://"), options=OPTIONS)


def to_refusal(error: grpc.aio.AioRpcError) -> QueryRefused:
    """Return a node's refusal with the chain's code, or else gRPC's."""
    metadata = dict(error.trailing_metadata() or ())
    status = error.code()
    code = int(metadata.get(CODE_KEY, status.value[0]))
    codespace = str(metadata.get(CODESPACE_KEY, GRPC_CODESPACE))
    return QueryRefused(code, codespace, error.details() or status.name)
