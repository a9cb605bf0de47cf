"""What Cosmos' clients ask: accounts, balances, supply, simulation, the node, its last block."""

from __future__ import annotations

import json
from typing import Any

from cosmpy.protos.cosmos.auth.v1beta1 import auth_pb2
from cosmpy.protos.cosmos.auth.v1beta1 import query_pb2 as auth_query
from cosmpy.protos.cosmos.bank.v1beta1 import bank_pb2
from cosmpy.protos.cosmos.bank.v1beta1 import query_pb2 as bank_query
from cosmpy.protos.cosmos.base.abci.v1beta1.abci_pb2 import GasInfo, Result
from cosmpy.protos.cosmos.base.node.v1beta1 import query_pb2 as config_query
from cosmpy.protos.cosmos.base.tendermint.v1beta1 import query_pb2 as node_query
from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin as CoinMessage
from cosmpy.protos.cosmos.consensus.v1 import query_pb2 as consensus_query
from cosmpy.protos.cosmos.params.v1beta1 import query_pb2 as params_query
from cosmpy.protos.cosmos.params.v1beta1.params_pb2 import ParamChange
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2
from cosmpy.protos.cosmos.upgrade.v1beta1 import query_pb2 as upgrade_query
from cosmpy.protos.cosmos.upgrade.v1beta1 import upgrade_pb2
from cosmpy.protos.tendermint.abci.types_pb2 import Event
from cosmpy.protos.tendermint.types.params_pb2 import BlockParams, ConsensusParams
from google.protobuf.any_pb2 import Any as AnyMessage

from app import chain
from app.kernel.bech32 import PREFIX, from_bech32
from app.kernel.errors import Rejected
from app.kernel.record import Address
from app.kernel.tx import Coin, Tx, Undecodable
from app.modules import auth, bank, fees, upgrade
from app.node.config import VERSION
from app.node.pages import paginate
from app.node.question import CODESPACE_SDK, Method, Refusal, View, to_refusal
from app.wire.amino import write_decimal
from app.wire.events import pack_responses, result_data, tx_events
from app.wire.records import DECIMAL_PLACES, writer_of
from app.wire.signers import write_key
from app.wire.tx import decode_tx

ACCOUNT_URL = "/cosmos.auth.v1beta1.BaseAccount"
CODE_KEY_NOT_FOUND = 22
SDK_VERSION = "0.50.0"
"""Of the Cosmos SDK whose interfaces these are; clients tell dialects by it."""
ENGINE_VERSION = "0.38.26"
BUILT_WITH = {
    "github.com/cometbft/cometbft": f"v{ENGINE_VERSION}",
    "github.com/cosmos/cosmos-sdk": f"v{SDK_VERSION}",
}
"""Hermes takes from here which dialect the engine speaks: 0.40 has the words of 0.38 for it."""
GAS_UNLIMITED = -1
BLOCK_PARAMS = ("baseapp", "BlockParams")

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
    """Answer with all that an account holds."""
    held = list(bank.get_balances(view.state, read_address(request.address)))
    coins, page = paginate(held, request.pagination)
    return bank_query.QueryAllBalancesResponse(balances=map(write_coin, coins), pagination=page)


def spendable_balances(view: View, request: Any) -> Any:
    """Answer with all that an account may spend, which is all it holds."""
    answer = all_balances(view, request)
    return bank_query.QuerySpendableBalancesResponse(
        balances=answer.balances, pagination=answer.pagination
    )


def spendable_balance(view: View, request: Any) -> Any:
    """Answer with what an account may spend of one denomination."""
    return bank_query.QuerySpendableBalanceByDenomResponse(balance=balance(view, request).balance)


def total_supply(view: View, request: Any) -> Any:
    """Answer with how much there is of each denomination."""
    rows = sorted((denom, row.amount) for denom, row in bank.SUPPLY.items(view.state))
    shown, page = paginate(rows, request.pagination)
    coins = [write_coin(Coin(denom, amount)) for denom, amount in shown]
    return bank_query.QueryTotalSupplyResponse(supply=coins, pagination=page)


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
    shown, page = paginate(rows, request.pagination)
    return bank_query.QueryDenomsMetadataResponse(metadatas=shown, pagination=page)


def denom_metadata_by_query(view: View, request: Any) -> Any:
    """Answer the same; the denomination stands where it may have slashes."""
    metadata = denom_metadata(view, request).metadata
    return bank_query.QueryDenomMetadataByQueryStringResponse(metadata=metadata)


def bank_params(view: View, request: Any) -> Any:
    """Answer that every denomination may be sent."""
    return bank_query.QueryParamsResponse(params=bank_pb2.Params(default_send_enabled=True))


def send_enabled(view: View, request: Any) -> Any:
    """Answer that no denomination is an exception from that."""
    _, page = paginate([], request.pagination)
    return bank_query.QuerySendEnabledResponse(pagination=page)


def auth_params(view: View, request: Any) -> Any:
    """Answer with what transactions may be and cost, as far as Cosmos has it."""
    params = fees.PARAMS.get(view.state)
    return auth_query.QueryParamsResponse(
        params=auth_pb2.Params(
            max_memo_characters=params.memo_length_max,
            tx_sig_limit=params.tx_signers_max,
            tx_size_cost_per_byte=params.gas_per_byte,
            sig_verify_cost_ed25519=params.gas_per_signature,
            sig_verify_cost_secp256k1=params.gas_per_signature,
        )
    )


def account_info(view: View, request: Any) -> Any:
    """Answer with an account as such."""
    found = auth_pb2.BaseAccount.FromString(account(view, request).account.value)
    return auth_query.QueryAccountInfoResponse(info=found)


def bech32_prefix(view: View, request: Any) -> Any:
    """Answer with how addresses begin."""
    return auth_query.Bech32PrefixResponse(bech32_prefix=PREFIX)


def subspace_param(view: View, request: Any) -> Any:
    """Answer with the one param that old clients ask for here: a block's limits."""
    if (request.subspace, request.key) != BLOCK_PARAMS:
        text = f"subspace {request.subspace!r}, key {request.key!r}: not found; ask the module"
        raise Refusal(text, CODE_KEY_NOT_FOUND, CODESPACE_SDK, is_missing=True)
    value = json.dumps({"max_bytes": "-1", "max_gas": str(GAS_UNLIMITED)})
    change = ParamChange(subspace=request.subspace, key=request.key, value=value)
    return params_query.QueryParamsResponse(param=change)


def node_config(view: View, request: Any) -> Any:
    """Answer with the least price of a unit of gas."""
    price = fees.PARAMS.get(view.state).uflt_per_million_gas_min * 10**DECIMAL_PLACES
    text = write_decimal(str(price // fees.GAS_PRICE_UNIT))
    return config_query.ConfigResponse(minimum_gas_price=f"{text}{bank.DENOM}")


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
    response.default_node_info.version = ENGINE_VERSION
    response.application_version.name = "pollen"
    response.application_version.app_name = "pollend"
    response.application_version.version = VERSION
    response.application_version.cosmos_sdk_version = SDK_VERSION
    for path, version in BUILT_WITH.items():
        response.application_version.build_deps.add(path=path, version=version)
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


def method(file: Any, name: str, answer: Any, prefix: str = "Query") -> Method:
    """Return how one of a file's questions is answered."""
    request = getattr(file, f"{prefix}{name}Request")
    return Method(request, getattr(file, f"{prefix}{name}Response"), answer)


AUTH = {
    "Account": account,
    "AccountInfo": account_info,
    "Params": auth_params,
}
BANK = {
    "Balance": balance,
    "AllBalances": all_balances,
    "SpendableBalances": spendable_balances,
    "SpendableBalanceByDenom": spendable_balance,
    "TotalSupply": total_supply,
    "SupplyOf": supply_of,
    "Params": bank_params,
    "DenomMetadata": denom_metadata,
    "DenomMetadataByQueryString": denom_metadata_by_query,
    "DenomsMetadata": denoms_metadata,
    "SendEnabled": send_enabled,
}
NODE = "/cosmos.base.tendermint.v1beta1.Service"
COSMOS_METHODS = {
    **{f"/cosmos.auth.v1beta1.Query/{n}": method(auth_query, n, AUTH[n]) for n in AUTH},
    **{f"/cosmos.bank.v1beta1.Query/{n}": method(bank_query, n, BANK[n]) for n in BANK},
    "/cosmos.auth.v1beta1.Query/Bech32Prefix": method(
        auth_query, "Bech32Prefix", bech32_prefix, prefix=""
    ),
    "/cosmos.consensus.v1.Query/Params": method(consensus_query, "Params", consensus_params),
    "/cosmos.params.v1beta1.Query/Params": method(params_query, "Params", subspace_param),
    "/cosmos.base.node.v1beta1.Service/Config": method(config_query, "Config", node_config, ""),
    f"{NODE}/GetNodeInfo": method(node_query, "GetNodeInfo", node_info, ""),
    f"{NODE}/GetLatestBlock": method(node_query, "GetLatestBlock", latest_block, ""),
    "/cosmos.upgrade.v1beta1.Query/CurrentPlan": method(upgrade_query, "CurrentPlan", current_plan),
    "/cosmos.tx.v1beta1.Service/Simulate": method(service_pb2, "Simulate", simulate, ""),
}
