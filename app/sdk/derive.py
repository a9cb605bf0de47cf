"""Keys from words: BIP-39 mnemonics, and BIP-32 keys along Cosmos' BIP-44 path."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from coincurve import PrivateKey
from mnemonic import Mnemonic

COSMOS_PATH = "m/44'/118'/0'/0/0"
MNEMONIC_BITS = 256
HARDENED = 1 << 31
WORDS = Mnemonic("english")


class BadMnemonic(ValueError):
    """Words that are no BIP-39 mnemonic."""


class Node(NamedTuple):
    """A private key of a BIP-32 tree and its chain code, 32 bytes each."""

    secret: bytes
    chain_code: bytes


def generate_mnemonic() -> str:
    """Return 24 fresh English words (BIP-39, 256 bits)."""
    return str(WORDS.generate(MNEMONIC_BITS))


def derive_secret(mnemonic: str, path: str = COSMOS_PATH, passphrase: str = "") -> bytes:
    """Return the 32-byte private key that the words give at a path (BIP-39, 32, 44)."""
    words = " ".join(mnemonic.split()).lower()
    if not WORDS.check(words):
        raise BadMnemonic(
            f"these {len(words.split())} words are no BIP-39 mnemonic (12 to 24 English words "
            "with a checksum); check their spelling and order"
        )
    node = compute_root(WORDS.to_seed(words, passphrase))
    for index in parse_path(path):
        node = compute_child(node, index)
    return node.secret


def parse_path(path: str) -> tuple[int, ...]:
    """Return the child numbers of a path such as m/44'/118'/0'/0/0; ' means hardened."""
    root, *steps = path.split("/")
    if root != "m" or not all(step.removesuffix("'").isdigit() for step in steps):
        raise ValueError(f"path {path!r} isn't of the form m/44'/118'/0'/0/0")
    return tuple(
        int(step.removesuffix("'")) + (HARDENED if step.endswith("'") else 0) for step in steps
    )


def compute_root(seed: bytes) -> Node:
    """Return the root of the tree that a seed gives (BIP-32)."""
    digest = hmac.digest(b"Bitcoin seed", seed, hashlib.sha512)
    return Node(digest[:32], digest[32:])


def compute_child(parent: Node, index: int) -> Node:
    """Return a child of a node (BIP-32, CKDpriv)."""
    key = PrivateKey(parent.secret)
    data = b"\x00" + parent.secret if index >= HARDENED else key.public_key.format()
    digest = hmac.digest(parent.chain_code, data + index.to_bytes(4, "big"), hashlib.sha512)
    return Node(key.add(digest[:32]).secret, digest[32:])
