"""Hashes, addresses and signatures."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from coincurve import PublicKey
from Crypto.Hash import RIPEMD160
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from app.kernel import vrf
from app.kernel.record import ADDRESS_BYTES, Address

SECP256K1_PUBKEY_BYTES = 33
SECP256K1_SIGNATURE_BYTES = 64
ED25519_PUBKEY_BYTES = 32
ED25519_SIGNATURE_BYTES = 64
PUBKEYS_REMEMBERED = 1 << 14
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(data).digest()


def address_of(pubkey: bytes) -> Address:
    """Return the address of a key, whose kind its length tells (Cosmos ADR-028).

    Of a secp256k1 key it is RIPEMD-160 of its SHA-256, of another key the start of its SHA-256.
    """
    digest = sha256(pubkey)
    if len(pubkey) != SECP256K1_PUBKEY_BYTES:
        return Address(digest[:ADDRESS_BYTES])
    return Address(RIPEMD160.new(digest).digest())  # not every OpenSSL has it


def module_address(name: str) -> Address:
    """Return the address of a module's account, which no key can sign for (Cosmos ADR-028)."""
    return Address(sha256(name.encode())[:ADDRESS_BYTES])


def verify_secp256k1(pubkey: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether a 64-byte r‖s signature with low s over a 32-byte digest is this key's (SEC 1)."""
    if len(pubkey) != SECP256K1_PUBKEY_BYTES or len(signature) != SECP256K1_SIGNATURE_BYTES:
        return False
    s = int.from_bytes(signature[32:], "big")
    if s > SECP256K1_ORDER // 2:
        return False
    try:
        der = der_signature(signature[:32], signature[32:])
        return bool(parse_pubkey(pubkey).verify(der, digest, hasher=None))
    except ValueError:
        return False


def verify_ed25519(pubkey: bytes, data: bytes, signature: bytes) -> bool:
    """Whether a 64-byte signature over the data is this key's (RFC 8032).

    Key and point must lie in the group of prime order; without that, verifiers differ.
    """
    if len(signature) != ED25519_SIGNATURE_BYTES:
        return False
    if not (vrf.is_point(pubkey) and vrf.is_point(signature[:ED25519_PUBKEY_BYTES])):
        return False
    try:
        crypto_sign_open(signature + data, pubkey)
    except BadSignatureError:
        return False
    return True


@lru_cache(maxsize=PUBKEYS_REMEMBERED)
def parse_pubkey(pubkey: bytes) -> PublicKey:
    """Return a key as the library holds it; ValueError if it is no point of the curve."""
    return PublicKey(pubkey)


def der_signature(r: bytes, s: bytes) -> bytes:
    """Return a compact signature in the DER form that the library takes."""
    body = der_integer(r) + der_integer(s)
    return b"\x30" + bytes([len(body)]) + body


def der_integer(number: bytes) -> bytes:
    """Return an unsigned 32-byte number as a DER integer."""
    number = number.lstrip(b"\x00") or b"\x00"
    if number[0] & 0x80:
        number = b"\x00" + number
    return b"\x02" + bytes([len(number)]) + number
