"""An engine in the test's own process: its JSON-RPC on a port, and blocks when asked for."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import web
from cosmpy.protos.tendermint.abci import types_pb2 as abci
from google.protobuf.timestamp_pb2 import Timestamp

from app.chain import Genesis, make_genesis
from app.node.abci import Application
from app.node.grpc import GrpcServer, start_grpc
from app.node.leveldb import LevelStore
from app.node.metrics import Metrics
from app.sdk.signer import Signer

CHAIN_ID = "pollen-test"
START_MS, BLOCK_MS = 1_700_000_000_000, 100


class FakeEngine:
    """A chain of one node without consensus; a faulty engine where a test says so."""

    def __init__(self, application: Application, *, commits_at_once: bool = True) -> None:
        self.application = application
        self.commits_at_once = commits_at_once
        self.is_deaf = False
        self.skipped_ms = 0
        self.waiting: list[bytes] = []
        self.known: set[bytes] = set()
        self.found: dict[bytes, dict[str, Any]] = {}
        self.broadcasts: list[bytes] = []

    def begin(self, *rich: Signer) -> None:
        """Begin the chain with money for some, and make its first block."""
        genesis = make_genesis(Genesis({signer.address: 10**12 for signer in rich}, {}))
        self.application.init_chain(
            abci.RequestInitChain(
                chain_id=CHAIN_ID, initial_height=1, app_state_bytes=json.dumps(genesis).encode()
            )
        )
        self.make_block()

    def make_block(self, gap_ms: int = 0) -> None:
        """Make a block of all that waits, so much later than usual, and commit it."""
        self.skipped_ms += gap_ms
        height = self.application.last.height + 1
        txs, self.waiting = self.waiting, []
        time = Timestamp()
        time.FromMilliseconds(START_MS + BLOCK_MS * height + self.skipped_ms)
        block_hash = sha256(str(height).encode()).digest()
        request = abci.RequestFinalizeBlock(txs=txs, height=height, time=time, hash=block_hash)
        response = self.application.finalize_block(request)
        self.application.commit(abci.RequestCommit())
        for raw, result in zip(txs, response.tx_results, strict=True):
            self.found[sha256(raw).digest()] = {"height": height, "raw": raw, "result": result}

    def broadcast_tx_sync(self, tx: str) -> dict[str, Any]:
        """Check a transaction; it waits for a block if it passes."""
        raw = b64decode(tx)
        self.broadcasts.append(raw)
        if raw in self.known:
            raise ValueError("tx already exists in cache")
        checked = self.application.check_tx(abci.RequestCheckTx(tx=raw))
        if checked.code == 0:
            self.known.add(raw)
            self.waiting.append(raw)
            if self.commits_at_once:
                self.make_block()
        shown = {"code": checked.code, "codespace": checked.codespace, "log": checked.log}
        return {**shown, "hash": sha256(raw).hexdigest().upper()}

    broadcast_tx_async = broadcast_tx_sync

    def tx(self, hash: str, prove: bool) -> dict[str, Any]:
        """Show a transaction that is in a block."""
        found = self.found.get(b64decode(hash))
        if found is None:
            raise ValueError("tx (…) not found")
        result = found["result"]
        return {
            "height": str(found["height"]),
            "tx": b64encode(found["raw"]).decode(),
            "tx_result": {
                "code": result.code,
                "codespace": result.codespace,
                "log": result.log,
                "data": b64encode(result.data).decode(),
                "gas_wanted": str(result.gas_wanted),
                "gas_used": str(result.gas_used),
                "events": [
                    {
                        "type": event.type,
                        "attributes": [
                            {"key": pair.key, "value": pair.value, "index": pair.index}
                            for pair in event.attributes
                        ],
                    }
                    for event in result.events
                ],
            },
        }

    def tx_search(
        self, query: str, prove: bool, order_by: str, page: str, per_page: str
    ) -> dict[str, Any]:
        """Show the transactions in blocks that have the one event asked for."""
        txs = [
            self.tx(b64encode(tx_hash).decode(), prove)
            for tx_hash, found in self.found.items()
            for event in found["result"].events
            for pair in event.attributes
            if query == f"{event.type}.{pair.key}='{pair.value}'"
        ]
        return {"total_count": str(len(txs)), "txs": txs}

    def header(self, height: str) -> dict[str, Any]:
        """Show a block's header time."""
        time = Timestamp()
        time.FromMilliseconds(START_MS + BLOCK_MS * int(height))
        return {"header": {"time": time.ToJsonString()}}

    def block(self, height: str = "") -> dict[str, Any]:
        """Show as much of a block, of the last without a height, as the node shows itself."""
        chosen = int(height or self.application.last.height)
        if chosen > self.application.last.height:
            last = self.application.last.height
            raise ValueError(f"height {chosen} must be less than or equal to the current {last}")
        shown = {
            "chain_id": CHAIN_ID,
            "height": str(chosen),
            "time": self.header(str(chosen))["header"]["time"],
            "proposer_address": "AB" * 20,
        }
        found = [each["raw"] for each in self.found.values() if each["height"] == chosen]
        txs = [b64encode(raw).decode() for raw in found]
        block_hash = sha256(str(chosen).encode()).hexdigest().upper()
        return {
            "block_id": {"hash": block_hash, "parts": {"total": 1, "hash": block_hash}},
            "block": {"header": shown, "data": {"txs": txs}, "evidence": {"evidence": []}},
        }

    def status(self) -> dict[str, Any]:
        """Show what the engine says of itself."""
        return {"node_info": {"version": "0.38.26"}, "sync_info": {"catching_up": False}}

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one JSON-RPC call."""
        call = await request.json()
        if self.is_deaf:
            return web.Response(status=500, text="deaf")
        try:
            body = {"result": getattr(self, call["method"])(**call["params"])}
        except ValueError as fault:
            body = {"error": {"code": -32603, "message": "Internal error", "data": str(fault)}}
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], **body})


class Node:
    """A whole node with a fake engine: its application, its gRPC port, its store."""

    def __init__(self, path: Path) -> None:
        self.store = LevelStore(path)
        self.application = Application(self.store, Metrics())
        self.engine = FakeEngine(self.application)
        self.server: GrpcServer
        self._runner: web.AppRunner

    async def start(self, port: int = 0) -> None:
        """Open the engine's RPC and the gRPC port."""
        rpc = web.Application()
        rpc.router.add_post("/", self.engine.answer)
        self._runner = web.AppRunner(rpc)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        rpc_port = self._runner.addresses[0][1]
        url = f"http://127.0.0.1:{rpc_port}"
        self.server = await start_grpc(self.application, "127.0.0.1", port, url)

    @property
    def address(self) -> str:
        """Return where the node's gRPC listens."""
        return f"127.0.0.1:{self.server.port}"

    async def stop(self) -> None:
        """Close both ports."""
        await self.server.stop(0)
        await self._runner.cleanup()

    async def close(self) -> None:
        """Stop, and give the store's files back."""
        await self.stop()
        self.store.close()
