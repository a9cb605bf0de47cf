"""What Cosmos' clients ask: accounts, balances, supply, simulation, the node, its last block."""

from __future__ import annotations

from typing import Any

from cosmpy.protos.cosmos.auth.v1beta1 import auth_pb2
from cosmpy.protos.cosmos.auth.v1beta1 import query_pb2 as auth_query
from cosmpy.protos.cosmos.bank.v1beta1 import bank_pb2
from cosmpy.protos.cosmos.bank.v1beta1 import query_pb2 as bank_query
from cosmpy.protos.cosmos.base.abci.v1beta1.abci_pb2 import GasInfo, Result
from cosmpy.protos.cosmos.base.query.v1beta1.pagination_pb2 import PageResponse
from cosmpy.protos.cosmos.base.tendermint.v1beta1 import query_pb2 as node_query
from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin as CoinMessage
from cosmpy.protos.cosmos.consensus.v1 import query_pb2 as consensus_query
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2
from cosmpy.protos.cosmos.upgrade.v1beta1 import query_pb2 as upgrade_query
from cosmpy.protos.cosmos.upgrade.v1beta1 import upgrade_pb2
from cosmpy.protos.tendermint.abci.types_pb2 import Event
from cosmpy.protos.tendermint.types.params_pb2 import BlockParams, ConsensusParams
from google.protobuf.any_pb2 import Any as AnyMessage

from app import chain
from app.kernel.bech32 import from_bech32
from app.kernel.errors import Rejected
from app.kernel.record import Address
from app.kernel.tx import Coin, Tx, Undecodable
from app.modules import auth, bank, upgrade
from app.node.config import VERSION
from app.node.question import CODESPACE_SDK, Method, Refusal, View, to_refusal
from app.wire.events import pack_responses, result_data, tx_events
from app.wire.records import writer_of
from app.wire.signers import write_key
from app.wire.tx import decode_tx

ACCOUNT_URL = "/cosmos.auth.v1beta1.BaseAccount"
CODE_KEY_NOT_FOUND = 22
SDK_VERSION = "0.50.0"
"""Of the Cosmos SDK whose interfaces these are; clients tell dialects by it."""
GAS_UNLIMITED = -1

write_coin = writer_of(Coin, CoinMessage.DESCRIPTOR)
write_plan = writer_of(upgrade.Plan, upgrade_pb2.Plan.DESCRIPTOR)
write_metadata = writer_of(bank.Metadata, bank_pb2.Metadata.DESCRIPTOR)


def account(view: View, request: Any) -> Any:
    """Answer with an account's number, sequence and key."""
    found = auth.find_account(view.state, read_address(request.address))
    if found is None:
        text = f"account {request.address} not found; send it some uflt first"
        raise Refusal(text, CODE_KEY_NOT_FOUND, CODESPACE_SDK, is_missing=True)
    value = auth_pb2.BaseAccount(
        address=request.address, account_number=found.number, sequence=found.sequence
    )
    if found.pubkey:
        value.pub_key.CopyFrom(write_key(found.pubkey))
    packed = AnyMessage(type_url=ACCOUNT_URL, value=value.SerializeToString())
    return auth_query.QueryAccountResponse(account=packed)


def balance(view: View, request: Any) -> Any:
    """Answer with what an account holds of one denomination."""
    amount = bank.get_balance(view.state, read_address(request.address), request.denom)
    coin = CoinMessage(denom=request.denom, amount=str(amount))
    return bank_query.QueryBalanceResponse(balance=coin)


def all_balances(view: View, request: Any) -> Any:
    """Answer with all that an account holds, on one page."""
    held = bank.get_balances(view.state, read_address(request.address))
    coins = [write_coin(coin) for coin in held]
    return bank_query.QueryAllBalancesResponse(balances=coins, pagination=one_page(coins))


def spendable_balances(view: View, request: Any) -> Any:
    """Answer with all that an account may spend, which is all it holds."""
    held = bank.get_balances(view.state, read_address(request.address))
    coins = [write_coin(coin) for coin in held]
    return bank_query.QuerySpendableBalancesResponse(balances=coins, pagination=one_page(coins))


def total_supply(view: View, request: Any) -> Any:
    """Answer with how much there is of each denomination."""
    rows = sorted((denom, row.amount) for denom, row in bank.SUPPLY.items(view.state))
    coins = [write_coin(Coin(denom, amount)) for denom, amount in rows]
    return bank_query.QueryTotalSupplyResponse(supply=coins, pagination=one_page(coins))


def supply_of(view: View, request: Any) -> Any:
    """Answer with how much there is of one denomination."""
    row = bank.SUPPLY.get(view.state, request.denom)
    amount = CoinMessage(denom=request.denom, amount=str(row.amount if row else 0))
    return bank_query.QuerySupplyOfResponse(amount=amount)


def denom_metadata(view: View, request: Any) -> Any:
    """Answer with how people see a denomination."""
    metadata = bank.METADATA.get(view.state, request.denom)
    if metadata is None:
        text = f"client metadata for denom {request.denom} not found; this chain's is {bank.DENOM}"
        raise Refusal(text, CODE_KEY_NOT_FOUND, CODESPACE_SDK, is_missing=True)
    return bank_query.QueryDenomMetadataResponse(metadata=write_metadata(metadata))


def denoms_metadata(view: View, request: Any) -> Any:
    """Answer with how people see each denomination."""
    rows = [write_metadata(row) for _, row in bank.METADATA.items(view.state)]
    return bank_query.QueryDenomsMetadataResponse(metadatas=rows, pagination=one_page(rows))


def current_plan(view: View, request: Any) -> Any:
    """Answer with the upgrade that is planned, or nothing."""
    plan = upgrade.PLAN.get(view.state)
    shown = write_plan(plan) if plan.height else None
    return upgrade_query.QueryCurrentPlanResponse(plan=shown)


def consensus_params(view: View, request: Any) -> Any:
    """Answer that gas is bounded for each transaction, not for a block."""
    params = ConsensusParams(block=BlockParams(max_gas=GAS_UNLIMITED))
    return consensus_query.QueryParamsResponse(params=params)


def node_info(view: View, request: Any) -> Any:
    """Answer with the chain and the software."""
    response = node_query.GetNodeInfoResponse()
    response.default_node_info.network = view.next_block.chain_id
    response.application_version.name = "pollen"
    response.application_version.app_name = "pollend"
    response.application_version.version = VERSION
    response.application_version.cosmos_sdk_version = SDK_VERSION
    return response


def latest_block(view: View, request: Any) -> Any:
    """Answer with chain, height and time of the last block; the engine has the rest."""
    response = node_query.GetLatestBlockResponse()
    for header in (response.block.header, response.sdk_block.header):
        header.chain_id = view.next_block.chain_id
        header.height = view.height
        header.time.FromMilliseconds(view.next_block.time_ms)
    return response


def simulate(view: View, request: Any) -> Any:
    """Answer with what a transaction would do and use; its signatures don't matter."""
    raw = request.tx_bytes or request.tx.SerializeToString()
    tx = decode_tx(raw, is_simulation=True)
    if isinstance(tx, Undecodable):
        raise Refusal(tx.detail, tx.code, CODESPACE_SDK)
    result = run_simulation(view, tx)
    return service_pb2.SimulateResponse(
        gas_info=GasInfo(gas_wanted=tx.gas_limit, gas_used=result.gas_used),
        result=Result(
            data=result_data(result, tx.messages),
            events=[Event.FromString(event) for event in tx_events(result, tx.messages)],
            msg_responses=pack_responses(result, tx.messages),
        ),
    )


def run_simulation(view: View, tx: Tx) -> chain.TxResult:
    """Return what a transaction would do; a failure is a refusal."""
    try:
        result = chain.simulate(view.state, view.next_block, tx)
    except Rejected as rejection:
        raise to_refusal(rejection) from None
    if result.code:
        raise Refusal(result.detail, result.code, result.codespace)
    return result


def read_address(text: str) -> Address:
    """Return the address that a question names."""
    try:
        return from_bech32(text)
    except ValueError as error:
        raise Refusal(f"address: {error}") from None


def one_page(rows: list[Any]) -> PageResponse:
    """Return what says that there is no further page."""
    return PageResponse(total=len(rows))


def bank_method(name: str, answer: Any) -> Method:
    """Return how one of the bank's questions is answered."""
    request = getattr(bank_query, f"Query{name}Request")
    return Method(request, getattr(bank_query, f"Query{name}Response"), answer)


BANK = {
    "Balance": balance,
    "AllBalances": all_balances,
    "SpendableBalances": spendable_balances,
    "TotalSupply": total_supply,
    "SupplyOf": supply_of,
    "DenomMetadata": denom_metadata,
    "DenomsMetadata": denoms_metadata,
}
COSMOS_METHODS = {
    **{f"/cosmos.bank.v1beta1.Query/{name}": bank_method(name, BANK[name]) for name in BANK},
    "/cosmos.auth.v1beta1.Query/Account": Method(
        auth_query.QueryAccountRequest, auth_query.QueryAccountResponse, account
    ),
    "/cosmos.consensus.v1.Query/Params": Method(
        consensus_query.QueryParamsRequest, consensus_query.QueryParamsResponse, consensus_params
    ),
    "/cosmos.base.tendermint.v1beta1.Service/GetNodeInfo": Method(
        node_query.GetNodeInfoRequest, node_query.GetNodeInfoResponse, node_info
    ),
    "/cosmos.base.tendermint.v1beta1.Service/GetLatestBlock": Method(
        node_query.GetLatestBlockRequest, node_query.GetLatestBlockResponse, latest_block
    ),
    "/cosmos.upgrade.v1beta1.Query/CurrentPlan": Method(
        upgrade_query.QueryCurrentPlanRequest, upgrade_query.QueryCurrentPlanResponse, current_plan
    ),
    "/cosmos.tx.v1beta1.Service/Simulate": Method(
        service_pb2.SimulateRequest, service_pb2.SimulateResponse, simulate
    ),
}
