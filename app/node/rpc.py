"""The engine's JSON-RPC, as far as the node needs it: to hand over and to find transactions."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any, NamedTuple

import aiohttp
from cosmpy.protos.tendermint.abci.types_pb2 import Event

CODE_KNOWN, CODE_FULL, CODE_TOO_LARGE = 19, 20, 21
"""Cosmos' codes, in codespace sdk, for what the engine says before it asks the application."""
KNOWN_FAULTS = (
    ("already exists in cache", CODE_KNOWN),
    ("mempool is full", CODE_FULL),
    ("too large", CODE_TOO_LARGE),
)
CATCHING_UP_TEXT = "catching up"
"""Of CometBFT 0.40, which answers little before it is at the chain's end."""
NOT_FOUND_TEXT = "not found"
PAGE_TEXT = "page should be within"
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)
RESPONSE_BYTES_MAX = 64 << 20


class EngineUnreachable(Exception):
    """The engine doesn't answer."""


class EngineFault(Exception):
    """The engine refuses a call; the text is its own."""


class Broadcast(NamedTuple):
    """What became of handing over a transaction; log says why it was refused."""

    code: int
    codespace: str
    log: str


class FoundTx(NamedTuple):
    """A transaction in a block, and what became of it."""

    raw: bytes
    height: int
    code: int
    codespace: str
    log: str
    data: bytes
    gas_wanted: int
    gas_used: int
    events: tuple[Event, ...]


class EngineRpc:
    """The engine at one address, such as http://127.0.0.1:26657."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("tcp://", "http://", 1)
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def call(self, method: str, **params: Any) -> Any:
        """Return what the engine answers; `EngineFault` or `EngineUnreachable` if it doesn't."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            async with self._session.post(self._url, json=request) as response:
                answer = json.loads(await read_all(response))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise EngineUnreachable(f"{self._url}: {type(error).__name__}: {error}") from None
        if "error" in answer:
            fault = answer["error"]
            text = f"{fault.get('message', '')}: {fault.get('data', '')}"
            raise EngineUnreachable(text) if CATCHING_UP_TEXT in text else EngineFault(text)
        return answer["result"]

    async def broadcast(self, raw: bytes, *, waits: bool = True) -> Broadcast:
        """Hand over a transaction; returns when it was checked, or at once if not waited for."""
        method = "broadcast_tx_sync" if waits else "broadcast_tx_async"
        try:
            answer = await self.call(method, tx=b64encode(raw).decode())
        except EngineFault as fault:
            for text, code in KNOWN_FAULTS:
                if text in str(fault):
                    return Broadcast(code, "sdk", str(fault))
            raise
        return Broadcast(answer["code"], answer["codespace"], answer["log"])

    async def find_tx(self, tx_hash: bytes) -> FoundTx | None:
        """Return a transaction by its hash, or None while no block has it."""
        try:
            answer = await self.call("tx", hash=b64encode(tx_hash).decode(), prove=False)
        except EngineFault as fault:
            if NOT_FOUND_TEXT in str(fault):
                return None
            raise
        return to_found(answer)

    async def search_txs(
        self, query: str, page: int, per_page: int, order: str
    ) -> tuple[int, list[FoundTx]]:
        """Return how many transactions have the events of a query, and one page of them."""
        params = {"query": query, "prove": False, "order_by": order}
        try:
            answer = await self.call("tx_search", page=str(page), per_page=str(per_page), **params)
        except EngineFault as fault:
            if PAGE_TEXT in str(fault):
                return 0, []
            raise
        return int(answer["total_count"]), [to_found(each) for each in answer["txs"]]

    async def find_time(self, height: int) -> str:
        """Return a block's header time, in whole seconds as RFC 3339 writes them."""
        answer = await self.call("header", height=str(height))
        return f"{answer['header']['time'][:19]}Z"


async def read_all(response: aiohttp.ClientResponse) -> bytes:
    """Return all of a response's body, which comes in parts; ValueError if it is too long."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > RESPONSE_BYTES_MAX:
            raise ValueError(f"an answer of more than {RESPONSE_BYTES_MAX} bytes")
    return bytes(body)


def to_found(answer: dict[str, Any]) -> FoundTx:
    """Return a transaction as the engine's JSON shows it."""
    result = answer["tx_result"]
    return FoundTx(
        raw=b64decode(answer["tx"]),
        height=int(answer["height"]),
        code=result["code"],
        codespace=result["codespace"],
        log=result["log"],
        data=b64decode(result["data"] or ""),
        gas_wanted=int(result["gas_wanted"]),
        gas_used=int(result["gas_used"]),
        events=tuple([to_event(event) for event in result["events"] or ()]),
    )


def to_event(event: dict[str, Any]) -> Event:
    """Return an event as the engine's JSON shows it."""
    names = ("key", "value", "index")
    pairs = [{name: pair[name] for name in names} for pair in event["attributes"] or ()]
    return Event(type=event["type"], attributes=pairs)
