"""Transactions as bytes: Cosmos' `TxRaw`, decoded as strictly as the Cosmos SDK does.

The outer message follows ADR-027: body, auth info, then signatures, with the shortest lengths.
Unknown fields are refused at every depth and through every Any; in the body non-critical ones pass,
whose number has bit 11 set, unless somebody signs Amino JSON, which leaves them out. Nothing is
taken that this chain would not act on: no extension options, tips or unordered transactions.

A block's first place may hold a slot instead, which its proposer made and nobody signs: a byte 0,
which no `TxRaw` begins with, and the canonical bytes of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from cosmpy.protos.cosmos.tx.v1beta1 import tx_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

from app.chain import RULES, signer_field
from app.kernel.crypto import SECP256K1_PUBKEY_BYTES, sha256
from app.kernel.record import NO_ADDRESS, Address, Malformed, decode, encode, read_varint
from app.kernel.tx import MODE_AMINO, MODE_DIRECT, BlockTx, Coin, SignerInfo, Slot, Tx, Undecodable
from app.wire.amino import AMINO_SIZE_BYTES_MAX, write_terms
from app.wire.records import KINDS, BadField, read_address, read_decimal, reader_of
from app.wire.signers import PUBKEY_URL, read_key, read_modes
from app.wire.strict import CODE_TIP, CODE_UNDECODABLE, Refused, has_unknown, refuse_unknown

SLOT_BYTE = b"\0"
PUBKEY_HEAD = bytes((0x0A, SECP256K1_PUBKEY_BYTES))
PUBKEY_SIZE_BYTES = len(PUBKEY_HEAD) + SECP256K1_PUBKEY_BYTES
BODY_TAG, AUTH_INFO_TAG, SIGNATURE_TAG = 0x0A, 0x12, 0x1A
UNSUPPORTED = (
    "unordered",
    "timeout_timestamp",
    "extension_options",
    "non_critical_extension_options",
)


class MessageKind(NamedTuple):
    """How one kind of message is read."""

    parse: Callable[[bytes], Any]
    read: Callable[[Any], Any]
    get_signer: Callable[[Any], Address]


MESSAGE_KINDS = {
    f"/{kind.name}": MessageKind(
        kind.protobuf.FromString,
        reader_of(kind.record, kind.protobuf.DESCRIPTOR),
        attrgetter(signer_field(kind.record)),
    )
    for kind in KINDS.values()
    if kind.record in RULES
}


def decode_tx(raw: bytes, *, is_simulation: bool = False) -> Tx | Undecodable:
    """Return the transaction in the bytes, or why there is none.

    A simulation may leave its sign modes unspecified.
    """
    try:
        return read_tx(raw, is_simulation)
    except Malformed as error:
        return Undecodable(CODE_UNDECODABLE, f"tx parse error: TxRaw: {error} (ADR-027)")
    except Refused as refusal:
        return Undecodable(refusal.code, f"tx parse error: {refusal}")
    except (BadField, DecodeError) as error:
        return Undecodable(CODE_UNDECODABLE, f"tx parse error: {error}")


def decode_block(
    raws: Sequence[bytes], decode_one: Callable[[bytes], Tx | Undecodable] = decode_tx
) -> list[BlockTx]:
    """Return what a block's bytes are: a slot perhaps, then transactions."""
    has_slot = bool(raws) and raws[0].startswith(SLOT_BYTE)
    slot: list[BlockTx] = [decode_slot(raws[0])] if has_slot else []
    return [*slot, *[decode_one(raw) for raw in raws[len(slot) :]]]


def decode_slot(raw: bytes) -> Slot | Undecodable:
    """Return the slot in the bytes of a block's first place, or why there is none."""
    try:
        return decode(Slot, raw.removeprefix(SLOT_BYTE))
    except Malformed as error:
        return Undecodable(CODE_UNDECODABLE, f"slot: {error}")


def encode_slot(slot: Slot) -> bytes:
    """Return a slot as it stands in a block."""
    return SLOT_BYTE + encode(slot)


def read_tx(raw: bytes, is_simulation: bool) -> Tx:
    """Return the transaction in the bytes; an exception says why there is none."""
    body_bytes, auth_info_bytes, signatures = split_raw(raw)
    tx = tx_pb2.Tx.FromString(raw)
    if has_unknown(tx):
        refuse_unknown(tx_pb2.TxBody.FromString(body_bytes), is_body=True)
        refuse_unknown(tx_pb2.AuthInfo.FromString(auth_info_bytes), is_body=False)
    body, auth_info = tx.body, tx.auth_info
    fee = auth_info.fee
    refuse_unsupported(body, auth_info)
    messages, signers = read_messages(body.messages)
    coins, payer = read_fee(fee)
    signer_infos = tuple([read_signer(info, is_simulation) for info in auth_info.signer_infos])
    is_amino = MODE_AMINO in [info.mode for info in signer_infos]
    granter = read_granter(fee) if fee.granter else NO_ADDRESS
    return Tx(
        sha256(raw),
        len(raw),
        messages,
        signers if payer in signers or not payer else (*signers, payer),
        signer_infos,
        signatures,
        coins,
        fee.gas_limit,
        payer or signers[0],
        body.memo,
        body.timeout_height,
        body_bytes,
        auth_info_bytes,
        write_amino(body_bytes, body, fee) if is_amino else "",
        granter,
        tuple([each.type_url for each in body.messages]) if granter else (),
    )


def split_raw(raw: bytes) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    """Return body, auth info and signatures of a TxRaw, which has one form only (ADR-027)."""
    single: dict[int, bytes] = {}
    signatures = []
    at, last_tag = 0, 0
    while at < len(raw):
        tag = raw[at]
        if tag not in (BODY_TAG, AUTH_INFO_TAG, SIGNATURE_TAG):
            raise Refused(f"TxRaw: unknown tag {tag} at byte {at} (ADR-027)")
        if tag < last_tag or tag in single:
            raise Refused(f"TxRaw: field {tag >> 3} at byte {at} is out of order (ADR-027)")
        length, start = read_varint(raw, at + 1, 32)
        at, last_tag = start + length, tag
        if at > len(raw):
            raise Refused(f"TxRaw: field {tag >> 3} is cut off")
        if tag == SIGNATURE_TAG:
            signatures.append(raw[start:at])
        else:
            single[tag] = raw[start:at]
    return single.get(BODY_TAG, b""), single.get(AUTH_INFO_TAG, b""), tuple(signatures)


def read_messages(packed: Sequence[AnyMessage]) -> tuple[tuple[Any, ...], tuple[Address, ...]]:
    """Return the messages and their signers in order of first appearance."""
    if not packed:
        raise Refused("messages: none; a transaction carries at least one")
    messages: list[Any] = []
    signers: dict[Address, None] = {}
    for each in packed:
        kind = MESSAGE_KINDS.get(each.type_url)
        if kind is None:
            raise Refused(f"messages[{len(messages)}]: type URL {each.type_url!r} is unknown here")
        value = each.value
        parsed = kind.parse(value)
        if has_unknown(parsed):
            refuse_unknown(kind.parse(value), is_body=True)
        message = kind.read(parsed)
        signer = kind.get_signer(message)
        if not signer:
            raise Refused(f"messages[{len(messages)}]: the signer's address is empty")
        messages.append(message)
        signers[signer] = None
    return tuple(messages), tuple(signers)


def read_fee(fee: Any) -> tuple[tuple[Coin, ...], Address]:
    """Return a fee's coins and who pays, empty where that is the first signer."""
    try:
        coins = [Coin(coin.denom, read_decimal(coin.amount)) for coin in fee.amount]
        return tuple(coins), read_address(fee.payer)
    except ValueError as error:
        raise BadField(f"fee: {error}") from None


def read_granter(fee: Any) -> Address:
    """Return who pays in the payer's place."""
    try:
        return read_address(fee.granter)
    except ValueError as error:
        raise BadField(f"fee.granter: {error}") from None


def read_signer(info: Any, is_simulation: bool) -> SignerInfo:
    """Return a signer's key and sequence, and how it signs."""
    mode_info = info.mode_info
    key = info.public_key
    value = key.value
    if mode_info.single.mode != MODE_DIRECT:
        mode, members = read_modes(mode_info, is_simulation)
        return SignerInfo(read_key(key), info.sequence, mode, members)
    if key.type_url == PUBKEY_URL and len(value) == PUBKEY_SIZE_BYTES and value[:2] == PUBKEY_HEAD:
        return SignerInfo(value[2:], info.sequence)
    return SignerInfo(read_key(key), info.sequence)


def write_amino(body_bytes: bytes, body: Any, fee: Any) -> str:
    """Return what is signed as Amino JSON, if that says all that the body does."""
    if len(body_bytes) > AMINO_SIZE_BYTES_MAX:
        raise Refused(
            f"body: {len(body_bytes)} bytes, in SIGN_MODE_LEGACY_AMINO_JSON the limit is "
            f"{AMINO_SIZE_BYTES_MAX}; sign with SIGN_MODE_DIRECT"
        )
    refuse_unknown(tx_pb2.TxBody.FromString(body_bytes), is_body=False)
    return write_terms(body, fee)


def refuse_unsupported(body: Any, auth_info: Any) -> None:
    """Refuse what this chain would not act on, rather than let it pass unheeded."""
    if auth_info.HasField("tip"):
        raise Refused("tip: this chain takes none; pay the fee and leave the tip out", CODE_TIP)
    given = (
        body.unordered,
        body.HasField("timeout_timestamp"),
        body.extension_options,
        body.non_critical_extension_options,
    )
    if any(given):
        names = [name for name, value in zip(UNSUPPORTED, given, strict=True) if value]
        raise Refused(f"{', '.join(names)}: not supported; leave it out")
