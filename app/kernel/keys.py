"""Keys that sign for accounts: secp256k1, Ed25519, or so many of several of these.

A key is bytes, and its length tells its kind: 33 are a secp256k1 key, 32 an Ed25519 key, more a
multisig as Amino writes it, of which Cosmos takes the address (ADR-028): a prefix, the threshold in
field 1, and in field 2 each member behind its own prefix.
"""

from __future__ import annotations

from typing import NamedTuple

from app.kernel.crypto import ED25519_PUBKEY_BYTES, SECP256K1_PUBKEY_BYTES
from app.kernel.record import Malformed, read_varint, write_varint

MULTISIG_PREFIX = bytes.fromhex("22c1f7e2")
MEMBER_PREFIXES = {
    SECP256K1_PUBKEY_BYTES: bytes.fromhex("eb5ae987") + bytes([SECP256K1_PUBKEY_BYTES]),
    ED25519_PUBKEY_BYTES: bytes.fromhex("1624de64") + bytes([ED25519_PUBKEY_BYTES]),
}
"""Amino's mark of a key by its length, with the length."""
THRESHOLD_TAG, MEMBER_TAG, SIGNATURE_TAG = b"\x08", b"\x12", 0x0A


class Multisig(NamedTuple):
    """A key of several, of whom so many must sign."""

    threshold: int
    members: tuple[bytes, ...]


def encode_multisig(threshold: int, members: tuple[bytes, ...]) -> bytes:
    """Return a multisig as bytes; its members are keys of one owner each."""
    out = bytearray(MULTISIG_PREFIX + THRESHOLD_TAG)
    write_varint(out, threshold)
    for member in members:
        written = MEMBER_PREFIXES[len(member)] + member
        out += MEMBER_TAG + bytes([len(written)]) + written
    return bytes(out)


def decode_multisig(key: bytes) -> Multisig | None:
    """Return the multisig in a key, or None if it is a key of one owner."""
    if len(key) in MEMBER_PREFIXES or not key:
        return None
    threshold, at = read_varint(key, len(MULTISIG_PREFIX + THRESHOLD_TAG), 32)
    members = []
    while at < len(key):
        size = key[at + 1]
        written, at = key[at + 2 : at + 2 + size], at + 2 + size
        members.append(written[len(MULTISIG_PREFIX) + 1 :])
    return Multisig(threshold, tuple(members))


def split_multisignature(signature: bytes) -> tuple[bytes, ...]:
    """Return the members' signatures in Cosmos' `MultiSignature`; none if it isn't one."""
    found, at = [], 0
    try:
        while at < len(signature):
            length, start = read_varint(signature, at + 1, 32)
            if signature[at] != SIGNATURE_TAG or start + length > len(signature):
                return ()
            at = start + length
            found.append(signature[start:at])
    except Malformed:
        return ()
    return tuple(found)
