"""Cosmos' transaction service: hand a transaction to the engine, and find one in a block."""

from __future__ import annotations

import asyncio
from typing import Any

from cosmpy.protos.cosmos.base.abci.v1beta1.abci_pb2 import TxResponse
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2, tx_pb2
from google.protobuf.any_pb2 import Any as AnyMessage

from app.kernel.crypto import sha256
from app.kernel.tx import Undecodable
from app.modules import auth
from app.node.abci import Application
from app.node.question import Refusal
from app.node.rpc import EngineRpc, FoundTx
from app.wire.tx import SLOT_BYTE, decode_tx

TX_URL = "/cosmos.tx.v1beta1.Tx"
HASH_BYTES = 32
TXS_PER_PAGE = 100
COMMIT_WAIT_S = 5.0
INDEX_WAITS_S = (0, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256)
"""When to look for a committed transaction, which the engine indexes a moment later."""


class TxService:
    """What is done with transactions; mode BLOCK answers when a block has one, as it always did."""

    def __init__(self, application: Application, engine: EngineRpc) -> None:
        self._application = application
        self._engine = engine

    async def broadcast(self, request: Any) -> Any:
        """Hand over a transaction; mode BLOCK answers as GetTx does, if a block takes it in 5 s."""
        raw = request.tx_bytes
        is_async = request.mode == service_pb2.BROADCAST_MODE_ASYNC
        result = await self._engine.broadcast(raw, waits=not is_async)
        tx_hash = sha256(raw)
        found = None
        if result.code == 0 and request.mode == service_pb2.BROADCAST_MODE_BLOCK:
            found = await self._wait(raw, tx_hash)
        if found is None:
            response = TxResponse(
                txhash=tx_hash.hex().upper(),
                code=result.code,
                codespace=result.codespace,
                raw_log=result.log,
            )
        else:
            response = to_response(found, tx_hash)
        return service_pb2.BroadcastTxResponse(tx_response=response)

    async def get_tx(self, request: Any) -> Any:
        """Answer with a transaction that is in a block, and what became of it."""
        try:
            tx_hash = bytes.fromhex(request.hash)
        except ValueError:
            tx_hash = b""
        if len(tx_hash) != HASH_BYTES:
            raise Refusal(f"hash {request.hash[:80]!r}: not {HASH_BYTES} bytes in hexadecimal")
        found = await self._engine.find_tx(tx_hash)
        if found is None:
            raise Refusal(f"tx not found: {tx_hash.hex().upper()}", is_missing=True)
        tx, response = await self._show(found, tx_hash)
        return service_pb2.GetTxResponse(tx=tx, tx_response=response)

    async def get_txs(self, request: Any) -> Any:
        """Answer with a page of the transactions that have the events asked for."""
        query = request.query or " AND ".join(request.events)
        page = max(request.page, 1)
        limit = min(request.limit or TXS_PER_PAGE, TXS_PER_PAGE)
        order = "desc" if request.order_by == service_pb2.ORDER_BY_DESC else "asc"
        total, found = await self._engine.search_txs(query, page, limit, order)
        shown = [await self._show(each, sha256(each.raw)) for each in found]
        return service_pb2.GetTxsEventResponse(
            txs=[tx for tx, _ in shown],
            tx_responses=[response for _, response in shown],
            total=total,
        )

    async def _show(self, found: FoundTx, tx_hash: bytes) -> tuple[Any, TxResponse]:
        """Return a transaction in a block, and what became of it."""
        response = to_response(found, tx_hash)
        response.timestamp = await self._engine.find_time(found.height)
        is_slot = found.raw.startswith(SLOT_BYTE)  # which is no Cosmos transaction
        return tx_pb2.Tx() if is_slot else tx_pb2.Tx.FromString(found.raw), response

    async def _wait(self, raw: bytes, tx_hash: bytes) -> FoundTx | None:
        """Return a transaction once a block has it, or None after five seconds."""
        tx = decode_tx(raw)
        if isinstance(tx, Undecodable):
            return None
        signer, sequence = tx.signers[0], tx.signer_infos[0].sequence
        try:
            async with asyncio.timeout(COMMIT_WAIT_S):
                while not self._is_used(signer, sequence):
                    await self._application.wait_for_commit()
                for wait_s in INDEX_WAITS_S:
                    await asyncio.sleep(wait_s)
                    found = await self._engine.find_tx(tx_hash)
                    if found is not None:
                        return found
        except TimeoutError:
            pass
        return None

    def _is_used(self, signer: Any, sequence: int) -> bool:
        account = auth.find_account(self._application.state, signer)
        return account is not None and account.sequence > sequence


def to_response(found: FoundTx, tx_hash: bytes) -> TxResponse:
    """Return a transaction in a block as Cosmos shows it."""
    return TxResponse(
        height=found.height,
        txhash=tx_hash.hex().upper(),
        codespace=found.codespace,
        code=found.code,
        data=found.data.hex().upper(),
        raw_log=found.log,
        gas_wanted=found.gas_wanted,
        gas_used=found.gas_used,
        tx=AnyMessage(type_url=TX_URL, value=found.raw),
        events=found.events,
    )
