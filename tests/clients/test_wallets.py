"""Each REST path that Keplr and the explorer Ping.pub use, in the shape the Cosmos SDK answers in.

A shape is JSON in which a type stands for a value: `str` any text, `"0"` a whole number as text,
`"0.0"` one with 18 places, `None` null; a list has the shape of each of its members.
"""

import re
from typing import Any

import pytest

from tests.clients.conftest import World
from tests.clients.test_rest import Answer

WHOLE, DECIMAL = re.compile(r"-?\d+"), re.compile(r"-?\d+\.\d{18}")
COIN = {"denom": str, "amount": "0"}
PAGE = {"next_key": None, "total": "0"}
KEY = {"@type": "/cosmos.crypto.ed25519.PubKey", "key": str}
BLOCK_ID = {"hash": str, "part_set_header": {"total": int, "hash": str}}
HEADER = {
    "version": {"block": "0", "app": "0"},
    "chain_id": str,
    "height": "0",
    "time": str,
    "last_block_id": {"hash": object, "part_set_header": {"total": int, "hash": object}},
    "last_commit_hash": str,
    "data_hash": str,
    "validators_hash": str,
    "next_validators_hash": str,
    "consensus_hash": str,
    "app_hash": str,
    "last_results_hash": str,
    "evidence_hash": str,
    "proposer_address": str,
}
SIGNATURE = {"block_id_flag": str, "validator_address": str, "timestamp": str, "signature": str}
COMMIT = {"height": "0", "round": int, "block_id": BLOCK_ID, "signatures": [SIGNATURE]}
BLOCK = {
    "header": HEADER,
    "data": {"txs": [str]},
    "evidence": {"evidence": [object]},
    "last_commit": COMMIT,
}
BLOCK_ANSWER = {"block_id": BLOCK_ID, "block": BLOCK, "sdk_block": BLOCK}
SET = {
    "block_height": "0",
    "validators": [{"address": str, "pub_key": KEY, "voting_power": "0", "proposer_priority": "0"}],
    "pagination": PAGE,
}
DEC_COIN = {"denom": "uflt", "amount": "0.0"}
VALIDATOR = {
    "operator_address": str,
    "consensus_pubkey": KEY,
    "jailed": bool,
    "status": "BOND_STATUS_BONDED",
    "tokens": "0",
    "delegator_shares": "0.0",
    "description": {
        "moniker": str,
        "identity": str,
        "website": str,
        "security_contact": str,
        "details": str,
    },
    "unbonding_height": "0",
    "unbonding_time": str,
    "commission": {
        "commission_rates": {"rate": "0.0", "max_rate": "0.0", "max_change_rate": "0.0"},
        "update_time": str,
    },
    "min_self_delegation": "0",
    "unbonding_on_hold_ref_count": "0",
    "unbonding_ids": [object],
}
DELEGATION = {
    "delegation": {"delegator_address": str, "validator_address": str, "shares": "0.0"},
    "balance": COIN,
}
METADATA = {
    "description": str,
    "denom_units": [{"denom": str, "exponent": int, "aliases": [str]}],
    "base": str,
    "display": str,
    "name": str,
    "symbol": str,
    "uri": str,
    "uri_hash": str,
}
SIGNING_INFO = {
    "address": str,
    "start_height": "0",
    "index_offset": "0",
    "jailed_until": str,
    "tombstoned": bool,
    "missed_blocks_counter": "0",
}
GOV_PARAMS = {
    "min_deposit": [COIN],
    "max_deposit_period": str,
    "voting_period": str,
    "quorum": str,
    "threshold": str,
    "veto_threshold": str,
    "min_initial_deposit_ratio": str,
    "proposal_cancel_ratio": str,
    "proposal_cancel_dest": str,
    "expedited_voting_period": str,
    "expedited_threshold": str,
    "expedited_min_deposit": [COIN],
    "burn_vote_quorum": bool,
    "burn_proposal_deposit_prevote": bool,
    "burn_vote_veto": bool,
    "min_deposit_ratio": str,
}
SHAPES: dict[str, Any] = {
    "/cosmos/auth/v1beta1/accounts/{kim}": {
        "account": {
            "@type": "/cosmos.auth.v1beta1.BaseAccount",
            "address": str,
            "pub_key": object,
            "account_number": "0",
            "sequence": "0",
        }
    },
    "/cosmos/auth/v1beta1/params": {
        "params": {
            "max_memo_characters": "0",
            "tx_sig_limit": "0",
            "tx_size_cost_per_byte": "0",
            "sig_verify_cost_ed25519": "0",
            "sig_verify_cost_secp256k1": "0",
        }
    },
    "/cosmos/bank/v1beta1/balances/{kim}?pagination.limit=1000": {
        "balances": [COIN],
        "pagination": PAGE,
    },
    "/cosmos/bank/v1beta1/spendable_balances/{kim}?pagination.limit=1000": {
        "balances": [COIN],
        "pagination": PAGE,
    },
    "/cosmos/bank/v1beta1/supply": {"supply": [COIN], "pagination": PAGE},
    "/cosmos/bank/v1beta1/supply/by_denom?denom=uflt": {"amount": COIN},
    "/cosmos/bank/v1beta1/denoms_metadata": {"metadatas": [METADATA], "pagination": PAGE},
    "/cosmos/bank/v1beta1/params": {
        "params": {"send_enabled": [object], "default_send_enabled": bool}
    },
    "/cosmos/base/tendermint/v1beta1/blocks/latest": BLOCK_ANSWER,
    "/cosmos/base/tendermint/v1beta1/blocks/2": BLOCK_ANSWER,
    "/cosmos/base/tendermint/v1beta1/validatorsets/latest": SET,
    "/cosmos/base/tendermint/v1beta1/validatorsets/2": SET,
    "/cosmos/params/v1beta1/params?subspace=baseapp&key=BlockParams": {
        "param": {"subspace": "baseapp", "key": "BlockParams", "value": str}
    },
    "/cosmos/staking/v1beta1/validators?status=BOND_STATUS_BONDED&pagination.limit=500": {
        "validators": [VALIDATOR],
        "pagination": PAGE,
    },
    "/cosmos/staking/v1beta1/pool": {"pool": {"not_bonded_tokens": "0", "bonded_tokens": "0"}},
    "/cosmos/staking/v1beta1/params": {
        "params": {
            "unbonding_time": str,
            "max_validators": int,
            "max_entries": int,
            "historical_entries": int,
            "bond_denom": "uflt",
            "min_commission_rate": "0.0",
        }
    },
    "/cosmos/staking/v1beta1/historical_info/2": {
        "hist": {"header": HEADER, "valset": [VALIDATOR]}
    },
    "/cosmos/staking/v1beta1/delegations/{kim}": {
        "delegation_responses": [DELEGATION],
        "pagination": PAGE,
    },
    "/cosmos/staking/v1beta1/delegators/{kim}/unbonding_delegations": {
        "unbonding_responses": [object],
        "pagination": PAGE,
    },
    "/cosmos/distribution/v1beta1/delegators/{kim}/rewards": {
        "rewards": [{"validator_address": str, "reward": [DEC_COIN]}],
        "total": [DEC_COIN],
    },
    "/cosmos/distribution/v1beta1/community_pool": {"pool": [DEC_COIN]},
    "/cosmos/distribution/v1beta1/params": {
        "params": {
            "community_tax": "0.0",
            "base_proposer_reward": "0.0",
            "bonus_proposer_reward": "0.0",
            "withdraw_addr_enabled": bool,
        }
    },
    "/cosmos/mint/v1beta1/params": {
        "params": {
            "mint_denom": "uflt",
            "inflation_rate_change": "0.0",
            "inflation_max": "0.0",
            "inflation_min": "0.0",
            "goal_bonded": "0.0",
            "blocks_per_year": "0",
        }
    },
    "/cosmos/mint/v1beta1/inflation": {"inflation": "0.0"},
    "/cosmos/mint/v1beta1/annual_provisions": {"annual_provisions": "0.0"},
    "/cosmos/slashing/v1beta1/params": {
        "params": {
            "signed_blocks_window": "0",
            "min_signed_per_window": "0.0",
            "downtime_jail_duration": str,
            "slash_fraction_double_sign": "0.0",
            "slash_fraction_downtime": "0.0",
        }
    },
    "/cosmos/slashing/v1beta1/signing_infos?pagination.limit=500": {
        "info": [SIGNING_INFO],
        "pagination": PAGE,
    },
    "/cosmos/gov/v1/params/voting": {
        "voting_params": {"voting_period": str},
        "deposit_params": {"min_deposit": [COIN], "max_deposit_period": str},
        "tally_params": {"quorum": str, "threshold": str, "veto_threshold": str},
        "params": GOV_PARAMS,
    },
    "/cosmos/gov/v1beta1/params/tallying": {
        "voting_params": object,
        "deposit_params": object,
        "tally_params": {"quorum": "0.0", "threshold": "0.0", "veto_threshold": "0.0"},
    },
    "/cosmos/gov/v1/proposals?pagination.limit=20&pagination.reverse=true": {
        "proposals": [object],
        "pagination": PAGE,
    },
    "/cosmos/upgrade/v1beta1/current_plan": {"plan": None},
    "/cosmos/authz/v1beta1/grants/granter/{kim}": {"grants": [object], "pagination": PAGE},
    "/cosmos/tx/v1beta1/txs?query=tx.height=2": {
        "txs": [object],
        "tx_responses": [object],
        "pagination": None,
        "total": "0",
    },
    "/cosmos/tx/v1beta1/txs/block/2": {
        "txs": [object],
        "block_id": BLOCK_ID,
        "block": BLOCK,
        "pagination": PAGE,
    },
}


def misfits(value: Any, shape: Any, where: str) -> list[str]:
    """Where a value isn't of a shape."""
    if isinstance(shape, dict) and isinstance(value, dict):
        if list(value) != list(shape):
            return [f"{where}: has {list(value)}, not {list(shape)}"]
        pairs = [misfits(value[key], shape[key], f"{where}.{key}") for key in shape]
        return [each for pair in pairs for each in pair]
    if isinstance(shape, list) and isinstance(value, list):
        found = [misfits(each, shape[0], f"{where}[{at}]") for at, each in enumerate(value)]
        return [each for part in found for each in part]
    if shape in ("0", "0.0"):
        pattern = WHOLE if shape == "0" else DECIMAL
        fits = isinstance(value, str) and pattern.fullmatch(value) is not None
    elif isinstance(shape, type):
        fits = isinstance(value, shape) and (shape is not int or not isinstance(value, bool))
    else:
        fits = value == shape
    return [] if fits else [f"{where}: {value!r} is not {shape!r}"]


@pytest.mark.parametrize("path", SHAPES)
def test_it_answers_in_the_shape_of_the_cosmos_sdk(world: World, path: str) -> None:
    answer = Answer(world, path.replace("{kim}", world.address("kim")))
    assert answer.status == 200, answer.json
    assert misfits(answer.json, SHAPES[path], "$") == []


def test_a_wallet_finds_the_chain_it_was_told_of(world: World) -> None:
    info = Answer(world, "/cosmos/base/tendermint/v1beta1/node_info").json
    assert info["default_node_info"]["network"] == world.network.chain_id
    version = info["application_version"]["cosmos_sdk_version"]
    assert tuple(map(int, version.split("."))) >= (0, 50)  # Ping.pub then asks for gov v1
