"""Signers as a transaction names them: their keys, and how each signs.

A key is secp256k1, Ed25519, or a multisig of these; it signs in SIGN_MODE_DIRECT or in
SIGN_MODE_LEGACY_AMINO_JSON, of a multisig each member in one of them.
"""

from __future__ import annotations

from typing import Any

from cosmpy.protos.cosmos.crypto.ed25519.keys_pb2 import PubKey as Ed25519Key
from cosmpy.protos.cosmos.crypto.multisig.keys_pb2 import LegacyAminoPubKey
from cosmpy.protos.cosmos.crypto.secp256k1.keys_pb2 import PubKey
from cosmpy.protos.cosmos.tx.signing.v1beta1.signing_pb2 import SignMode
from google.protobuf.any_pb2 import Any as AnyMessage

from app.kernel.crypto import ED25519_PUBKEY_BYTES, SECP256K1_PUBKEY_BYTES
from app.kernel.keys import decode_multisig, encode_multisig
from app.kernel.tx import MODE_AMINO, MODE_DIRECT, MODE_UNSPECIFIED, Members
from app.wire.strict import Refused, parse_strictly

PUBKEY_URL = "/cosmos.crypto.secp256k1.PubKey"
ED25519_URL = "/cosmos.crypto.ed25519.PubKey"
MULTISIG_URL = "/cosmos.crypto.multisig.LegacyAminoPubKey"
SINGLE_KEYS: dict[str, tuple[Any, int]] = {
    PUBKEY_URL: (PubKey, SECP256K1_PUBKEY_BYTES),
    ED25519_URL: (Ed25519Key, ED25519_PUBKEY_BYTES),
}
URLS = {size: url for url, (_, size) in SINGLE_KEYS.items()}


def read_key(packed: Any) -> bytes:
    """Return the key in an Any, none if there is none; `Refused` if it is no key."""
    if not packed.type_url and not packed.value:
        return b""
    if packed.type_url == MULTISIG_URL:
        return read_multisig(packed.value)
    return read_single_key(packed)


def read_single_key(packed: Any) -> bytes:
    """Return a key of one owner."""
    if packed.type_url not in SINGLE_KEYS:
        known = ", ".join((*SINGLE_KEYS, MULTISIG_URL))
        raise Refused(f"public_key: type {packed.type_url!r} is not supported; use one of {known}")
    key_class, size_bytes = SINGLE_KEYS[packed.type_url]
    key: bytes = parse_strictly(key_class, packed.value).key
    if len(key) != size_bytes:
        raise Refused(f"public_key: {len(key)} bytes, not {size_bytes}")
    return key


def read_multisig(value: bytes) -> bytes:
    """Return a multisig key of keys of one owner each."""
    message = parse_strictly(LegacyAminoPubKey, value)
    members = tuple([read_single_key(member) for member in message.public_keys])
    if not 0 < message.threshold <= len(members):
        raise Refused(
            f"public_key: {message.threshold} of {len(members)} can't sign; from 1 to all"
        )
    return encode_multisig(message.threshold, members)


def write_key(key: bytes) -> AnyMessage:
    """Return a key as clients see it."""
    multisig = decode_multisig(key)
    if multisig is None:
        url = URLS[len(key)]
        return AnyMessage(type_url=url, value=SINGLE_KEYS[url][0](key=key).SerializeToString())
    members = [write_key(member) for member in multisig.members]
    message = LegacyAminoPubKey(threshold=multisig.threshold, public_keys=members)
    return AnyMessage(type_url=MULTISIG_URL, value=message.SerializeToString())


def read_modes(mode_info: Any, is_simulation: bool) -> tuple[int, Members | None]:
    """Return how a signer signs, and who of a multisig key's members does."""
    if not mode_info.HasField("multi"):
        return read_mode(mode_info, is_simulation), None
    bits = mode_info.multi.bitarray
    size = len(bits.elems) * 8 - (8 - bits.extra_bits_stored if bits.extra_bits_stored else 0)
    if size < 0 or bits.extra_bits_stored > 7:
        raise Refused(f"bitarray: {bits.extra_bits_stored} bits in {len(bits.elems)} bytes")
    places = tuple([at for at in range(size) if bits.elems[at >> 3] & 0x80 >> (at & 7)])
    modes = tuple([read_mode(each, is_simulation) for each in mode_info.multi.mode_infos])
    if len(modes) != len(places):
        raise Refused(f"mode_infos: {len(modes)} for {len(places)} members who sign")
    is_amino = MODE_AMINO in modes
    return MODE_AMINO if is_amino else MODE_DIRECT, Members(size, places, modes)


def read_mode(mode_info: Any, is_simulation: bool) -> int:
    """Return how one key signs."""
    mode: int = mode_info.single.mode
    if mode in (MODE_DIRECT, MODE_AMINO) or (is_simulation and mode == MODE_UNSPECIFIED):
        return mode
    name = SignMode.Name(mode) if mode in SignMode.values() else f"unknown sign mode {mode}"
    name = "multi (a multisig key within another)" if mode_info.HasField("multi") else name
    known = "SIGN_MODE_DIRECT or SIGN_MODE_LEGACY_AMINO_JSON"
    raise Refused(f"mode_info: {name} is not supported; sign with {known}")
