"""A chain as wallets and registries describe it: Keplr's chain info, the cosmos chain-registry."""

from __future__ import annotations

import json
from typing import Any

from app.kernel.bech32 import PREFIX
from app.modules.bank import FLT_METADATA
from app.modules.fees import GAS_PRICE_UNIT
from app.node.config import VERSION, Home, OperatorError

COIN_TYPE = 118
"""Of SLIP-44: Cosmos' own, as in the keyring."""
PRICES_PERCENT = {"low": 100, "average": 150, "high": 300}
"""Of the least price."""
DISPLAY = FLT_METADATA.denom_units[-1]
CURRENCY = {
    "coinDenom": FLT_METADATA.symbol,
    "coinMinimalDenom": FLT_METADATA.base,
    "coinDecimals": DISPLAY.exponent,
}
PREFIXES = {
    "AccAddr": "",
    "AccPub": "pub",
    "ValAddr": "valoper",
    "ValPub": "valoperpub",
    "ConsAddr": "valcons",
    "ConsPub": "valconspub",
}


def describe_chain(home: Home, rpc: str, rest: str, grpc: str) -> dict[str, Any]:
    """Return a home's chain as each describes it, with these URLs to reach it."""
    path = home.engine / "config" / "genesis.json"
    try:
        genesis = json.loads(path.read_text())
        price = int(genesis["app_state"]["fees"]["fees/params"]["uflt_per_million_gas_min"])
    except (OSError, ValueError, KeyError):
        raise OperatorError(f"{path}: no genesis; make a node: pollend init") from None
    prices = {name: price * each / 100 / GAS_PRICE_UNIT for name, each in PRICES_PERCENT.items()}
    chain_id = genesis["chain_id"]
    return {
        "keplr": write_keplr(chain_id, rpc, rest, prices),
        "chain.json": write_chain(chain_id, {"rpc": rpc, "rest": rest, "grpc": grpc}, prices),
        "assetlist.json": write_assets(chain_id),
    }


def write_keplr(chain_id: str, rpc: str, rest: str, prices: dict[str, float]) -> dict[str, Any]:
    """Return what a page gives to Keplr's `experimentalSuggestChain`."""
    return {
        "chainId": chain_id,
        "chainName": f"Pollen ({chain_id})",
        "rpc": rpc,
        "rest": rest,
        "bip44": {"coinType": COIN_TYPE},
        "bech32Config": {f"bech32Prefix{k}": f"{PREFIX}{end}" for k, end in PREFIXES.items()},
        "currencies": [CURRENCY],
        "feeCurrencies": [{**CURRENCY, "gasPriceStep": prices}],
        "stakeCurrency": CURRENCY,
        "features": [],
    }


def write_chain(chain_id: str, urls: dict[str, str], prices: dict[str, float]) -> dict[str, Any]:
    """Return a chain-registry's chain.json."""
    fee = {f"{name}_gas_price": price for name, price in prices.items()}
    return {
        "$schema": "../chain.schema.json",
        "chain_name": registry_name(chain_id),
        "chain_type": "cosmos",
        "chain_id": chain_id,
        "pretty_name": FLT_METADATA.name,
        "status": "live",
        "network_type": "testnet",
        "bech32_prefix": PREFIX,
        "daemon_name": "pollend",
        "node_home": "$HOME/.pollend",
        "key_algos": ["secp256k1"],
        "slip44": COIN_TYPE,
        "fees": {
            "fee_tokens": [
                {"denom": FLT_METADATA.base, "fixed_min_gas_price": prices["low"], **fee}
            ]
        },
        "staking": {"staking_tokens": [{"denom": FLT_METADATA.base}]},
        "codebase": {"recommended_version": f"v{VERSION}"},
        "apis": {name: [{"address": url}] for name, url in urls.items()},
    }


def write_assets(chain_id: str) -> dict[str, Any]:
    """Return a chain-registry's assetlist.json."""
    return {
        "$schema": "../assetlist.schema.json",
        "chain_name": registry_name(chain_id),
        "assets": [
            {
                "description": FLT_METADATA.description,
                "type_asset": "sdk.coin",
                "denom_units": [
                    {"denom": unit.denom, "exponent": unit.exponent}
                    for unit in FLT_METADATA.denom_units
                ],
                "base": FLT_METADATA.base,
                "display": FLT_METADATA.display,
                "name": FLT_METADATA.name,
                "symbol": FLT_METADATA.symbol,
            }
        ],
    }


def registry_name(chain_id: str) -> str:
    """Return a chain's folder in the registry: lower case, letters and digits alone."""
    return "".join(letter for letter in chain_id.lower() if letter.isalnum())
