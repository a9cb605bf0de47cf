"""What Cosmos' clients ask of blocks and validator sets; the engine has the answers."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Any

from cosmpy.protos.cosmos.base.tendermint.v1beta1 import query_pb2
from cosmpy.protos.cosmos.crypto.ed25519.keys_pb2 import PubKey
from cosmpy.protos.cosmos.staking.v1beta1 import query_pb2 as staking_query
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2, tx_pb2
from google.protobuf.any_pb2 import Any as AnyMessage

from app.kernel.bech32 import CONSENSUS_PREFIX, to_bech32
from app.modules import staking
from app.node.engine_json import fill
from app.node.pages import paginate
from app.node.question import Refusal, View
from app.node.rpc import EngineFault, EngineRpc
from app.node.staking import write_validator
from app.wire.signers import ED25519_URL
from app.wire.tx import SLOT_BYTE

VALIDATORS_PER_PAGE = 100
NO_BLOCK_TEXTS = ("must be less than or equal", "is not available", "height must be greater")


class BlockService:
    """Cosmos' `tendermint.v1beta1.Service`, and the blocks of its `tx` and `staking` services."""

    def __init__(self, engine: EngineRpc, find_view: Callable[[int], View]) -> None:
        self._engine = engine
        self._find_view = find_view

    async def get_latest_block(self, request: Any) -> Any:
        """Answer with the last block."""
        return self._write_block(query_pb2.GetLatestBlockResponse(), await self._find_block(0))

    async def get_block(self, request: Any) -> Any:
        """Answer with the block of a height."""
        found = await self._find_block(request.height)
        return self._write_block(query_pb2.GetBlockByHeightResponse(), found)

    async def get_block_with_txs(self, request: Any) -> Any:
        """Answer with a block and its transactions, decoded, a page of them."""
        found = await self._find_block(request.height)
        raws = [b64decode(raw) for raw in found["block"]["data"]["txs"] or ()]
        raws = [raw for raw in raws if not raw.startswith(SLOT_BYTE)]
        shown, page = paginate(raws, request.pagination)
        response = service_pb2.GetBlockWithTxsResponse(
            txs=[tx_pb2.Tx.FromString(raw) for raw in shown], pagination=page
        )
        fill(response.block, found["block"])
        fill(response.block_id, found["block_id"])
        return response

    async def get_latest_validators(self, request: Any) -> Any:
        """Answer with the validators of the last block."""
        height, validators = await self._find_validators(0)
        response = query_pb2.GetLatestValidatorSetResponse(block_height=height)
        return write_validators(response, validators, request.pagination)

    async def get_validators(self, request: Any) -> Any:
        """Answer with the validators of a height."""
        height, validators = await self._find_validators(request.height)
        response = query_pb2.GetValidatorSetByHeightResponse(block_height=height)
        return write_validators(response, validators, request.pagination)

    async def get_historical_info(self, request: Any) -> Any:
        """Answer with the header of a height and who took part in consensus after that block."""
        found = await self._find_block(request.height)
        state = self._find_view(request.height).state
        rows = [write_validator(state, row) for row in staking.bonded_validators(state)]
        response = staking_query.QueryHistoricalInfoResponse()
        fill(response.hist.header, found["block"]["header"])
        response.hist.valset.extend(rows)
        return response

    async def get_syncing(self, request: Any) -> Any:
        """Answer whether the node still follows the chain."""
        status = await self._engine.call("status")
        return query_pb2.GetSyncingResponse(syncing=status["sync_info"]["catching_up"])

    async def _find_block(self, height: int) -> Any:
        """Return the engine's JSON of a block, of the last for 0."""
        return await self._ask("block", height)

    async def _find_validators(self, height: int) -> tuple[int, list[Any]]:
        """Return a height's validators as the engine's JSON has them, of the last for 0."""
        found: list[Any] = []
        while True:
            page = len(found) // VALIDATORS_PER_PAGE + 1
            answer = await self._ask(
                "validators", height, page=str(page), per_page=str(VALIDATORS_PER_PAGE)
            )
            height = int(answer["block_height"])
            found += answer["validators"]
            if len(found) >= int(answer["total"]) or not answer["validators"]:
                return height, found

    async def _ask(self, method: str, height: int, **params: str) -> Any:
        """Return what the engine has of a height; `Refusal` if it has nothing."""
        chosen = {"height": str(height)} if height else {}
        try:
            return await self._engine.call(method, **chosen, **params)
        except EngineFault as fault:
            if any(text in str(fault) for text in NO_BLOCK_TEXTS):
                raise Refusal(f"block {height} not found: {fault}", is_missing=True) from None
            raise

    def _write_block(self, response: Any, found: Any) -> Any:
        """Return a block twice, as the engine has it and as the Cosmos SDK shows it."""
        fill(response.block_id, found["block_id"])
        fill(response.block, found["block"])
        header = dict(found["block"]["header"])
        proposer = bytes.fromhex(header.pop("proposer_address"))
        fill(response.sdk_block, {**found["block"], "header": header})
        response.sdk_block.header.proposer_address = to_bech32(proposer, CONSENSUS_PREFIX)
        return response


def write_validators(response: Any, validators: Sequence[Any], pagination: Any) -> Any:
    """Return an answer with a page of validators."""
    shown, page = paginate(validators, pagination)
    response.pagination.CopyFrom(page)
    for each in shown:
        key = PubKey(key=b64decode(each["pub_key"]["value"])).SerializeToString()
        response.validators.add(
            address=to_bech32(bytes.fromhex(each["address"]), CONSENSUS_PREFIX),
            pub_key=AnyMessage(type_url=ED25519_URL, value=key),
            voting_power=int(each["voting_power"]),
            proposer_priority=int(each["proposer_priority"]),
        )
    return response
