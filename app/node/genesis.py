"""Beginning a chain: its params from genesis/<name>.json, accounts with money, validators.

A faucet's account has most of the money. Each validator is operated by an account of its own: it
stakes for the validator and may change it. Whose that is may be said; else its key is made and lies
in the home in the clear, like the faucet's, for a chain to try things on. Who joins a chain has an
operator's key elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from coincurve import PrivateKey

from app import chain
from app.kernel.bech32 import from_bech32, to_bech32
from app.kernel.crypto import address_of
from app.kernel.record import NO_ADDRESS, Address
from app.node import comet
from app.node.config import CONFIG_FILE, Home, NodeConfig, OperatorError
from app.node.vrf_keys import make_vrf_key

FOLDER = Path(__file__).resolve().parents[2] / "genesis"
FAUCET_FILE = "faucet.json"
OPERATOR_FILE = "operator.json"
FAUCET_UFLT = 10**15
OPERATOR_UFLT = 10**9
"""What an operator has beside its stake."""


class Account(NamedTuple):
    """An account whose key lies in a file."""

    private_key_hex: str
    address: str


def make_account(path: Path) -> Account:
    """Make an account's key and keep it in a file, for its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = PrivateKey()
    account = Account(key.to_hex(), to_bech32(address_of(key.public_key.format())))
    comet.write_secret(path, account._asdict())
    return account


def make_operator(home: Home) -> Address:
    """Make the key of who operates a node's validator, in the node's home."""
    return from_bech32(make_account(home.path / OPERATOR_FILE).address)


def make_validator(home: Home, name: str, operator: Address) -> comet.Validator:
    """Make a node's keys: for consensus and for the beacon."""
    public_key, vrf_key = comet.make_keys(home.engine), make_vrf_key(home.vrf_keys)
    return comet.Validator(name, public_key, vrf_key, operator)


def read_template(name: str) -> dict[str, Any]:
    """Return the params and balances of genesis/<name>.json, or of a file given by its path."""
    path = FOLDER / f"{name}.json"
    path = path if path.exists() else Path(name)
    try:
        template = json.loads(path.read_text())
    except OSError:
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.json")))
        raise OperatorError(f"genesis {name}: no such file, and none of {known}") from None
    except ValueError as error:
        raise OperatorError(f"{path}: not JSON: {error}") from None
    if not isinstance(template, dict):
        raise OperatorError(f"{path}: a genesis is an object")
    return template


def begin_chain(
    chain_id: str, template: dict[str, Any], validators: Sequence[comet.Validator], faucet: Account
) -> dict[str, Any]:
    """Return the engine's genesis file of a new chain."""
    try:
        given = {from_bech32(k): int(v) for k, v in template.get("balances", {}).items()}
        own = {each.operator: each.stake_uflt + OPERATOR_UFLT for each in validators}
        balances = {from_bech32(faucet.address): FAUCET_UFLT, **own, **given}
        founders = [
            chain.Founder(each.operator, each.public_key, each.vrf_key, each.name, each.stake_uflt)
            for each in validators
        ]
        begun = chain.Genesis(balances, template.get("params", {}), tuple(founders))
        app_state = chain.make_genesis(begun)
    except (ValueError, TypeError, AttributeError) as error:
        raise OperatorError(f"genesis: {error}") from None
    return comet.make_genesis(chain_id, validators, app_state)


def init_home(
    home: Home, config: NodeConfig, chain_id: str, genesis: str, operator: Address = NO_ADDRESS
) -> dict[str, Any]:
    """Make a node's home, for a new chain or to join the one whose genesis file is given."""
    if (home.path / CONFIG_FILE).exists():
        raise OperatorError(f"{home.path}: a node lives here already; choose another --home")
    template = read_template(genesis)
    is_joining = "app_state" in template
    if is_joining and operator:
        raise OperatorError(
            "--operator: this chain has begun; its account creates the validator later, with "
            "pollen validator create. Leave the option out"
        )
    if not is_joining:
        operator = operator or make_operator(home)
    validator = make_validator(home, config.moniker, operator)
    if not is_joining:
        faucet = make_account(home.path / FAUCET_FILE)
        template = begin_chain(chain_id, template, [validator], faucet)
    text = json.dumps(template, indent=1)
    (home.engine / "config" / "genesis.json").write_text(text)
    home.write_config(config)
    return {
        "home": str(home.path),
        "chain_id": template["chain_id"],
        "node_id": comet.read_node_id(home.engine),
        "vrf_key": validator.vrf_key.hex(),
        "public_key": validator.public_key.hex(),
        "operator": to_bech32(operator) or None,
        "faucet": None if is_joining else str(home.path / FAUCET_FILE),
    }
