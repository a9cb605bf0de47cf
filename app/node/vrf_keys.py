"""A validator's secrets for the beacon: `vrf_keys.json`, each under its public key.

They are apart from the consensus key, which may sit in a remote signer. Several may be there, since
a key counts until another that was registered does; the file is read whenever a proof is due.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode
from http import HTTPStatus
from pathlib import Path
from typing import Any

from app.kernel.store import Reader
from app.kernel.vrf import SECRET_BYTES, key_of, prove
from app.modules import beacon
from app.node import comet
from app.node.config import Home, OperatorError
from app.node.status import ask


def make_vrf_key(path: Path) -> bytes:
    """Make a secret beside those that are there; return its public key."""
    known = read_secrets(path) if path.exists() else {}
    secret = secrets.token_bytes(SECRET_BYTES)
    known[key_of(secret)] = secret
    path.parent.mkdir(parents=True, exist_ok=True)
    comet.write_secret(path, {key.hex(): each.hex() for key, each in known.items()})
    return key_of(secret)


def read_secrets(path: Path) -> dict[bytes, bytes]:
    """Return the secrets by public key; OperatorError if the file is not what it should be."""
    try:
        rows = json.loads(path.read_text())
        found = {bytes.fromhex(key): bytes.fromhex(secret) for key, secret in rows.items()}
        wrong = [key.hex() for key, secret in found.items() if key_of(secret) != key]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise OperatorError(f"{path}: no secrets for the beacon can be read: {error}") from None
    if wrong:
        raise OperatorError(f"{path}: {wrong[0]} is not the key of its secret")
    return found


def prove_from(path: Path, key: bytes, alpha: bytes) -> bytes | None:
    """Return a key's proof for an input, or None where its secret is not in the file."""
    try:
        secret = read_secrets(path).get(key)
    except OperatorError:
        return None
    return None if secret is None else prove(secret, alpha)


def find_lost_key(home: Home, state: Reader, height: int) -> bytes | None:
    """Return the key that counts for this node's validator, if its secret is not here."""
    try:
        public_key = find_public_key(home)
    except OSError:  # there is none
        return None
    row = beacon.VALIDATORS.get(state, comet.address_of(public_key))
    key = row and beacon.key_at(row, height)
    return key if key and prove_from(home.vrf_keys, key, b"") is None else None


def find_public_key(home: Home) -> bytes:
    """Return the validator's public key; of a remote signer the running engine knows, else b""."""
    config = home.read_config()
    if not config.priv_validator_laddr:
        return comet.read_public_key(home.engine)
    status, text = ask(config.rpc_address, "/status")
    if status != HTTPStatus.OK:
        return b""
    return b64decode(json.loads(text)["result"]["validator_info"]["pub_key"]["value"])


def get_vrf_keys(home: Home) -> dict[str, Any]:
    """Return the public keys of a node's secrets, and its validator's consensus address."""
    try:
        public_key = find_public_key(home)
    except OSError as error:
        raise OperatorError(f"{error}: no key of a validator is here") from None
    return {
        "validator": comet.address_of(public_key).hex() if public_key else "",
        "public_key": public_key.hex(),
        "vrf_keys": [key.hex() for key in read_secrets(home.vrf_keys)],
    }
