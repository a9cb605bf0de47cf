"""Transactions as bytes: what is one, and what only looks like one."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cosmpy.protos.cosmos.authz.v1beta1.tx_pb2 import MsgExec
from cosmpy.protos.cosmos.bank.v1beta1.tx_pb2 import MsgSend
from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin as CoinMessage
from cosmpy.protos.cosmos.crypto.multisig.keys_pb2 import LegacyAminoPubKey
from cosmpy.protos.cosmos.crypto.multisig.v1beta1.multisig_pb2 import CompactBitArray
from cosmpy.protos.cosmos.crypto.secp256k1.keys_pb2 import PubKey
from cosmpy.protos.cosmos.feegrant.v1beta1.tx_pb2 import MsgGrantAllowance
from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import (
    AuthInfo,
    Fee,
    ModeInfo,
    SignerInfo,
    Tip,
    TxBody,
    TxRaw,
)
from cosmpy.protos.cosmos.upgrade.v1beta1.tx_pb2 import MsgSoftwareUpgrade
from cosmpy.protos.cosmos.upgrade.v1beta1.upgrade_pb2 import Plan
from google.protobuf.any_pb2 import Any as AnyMessage
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.bech32 import to_bech32
from app.kernel.tx import Tx, Undecodable
from app.modules.jobs import CancelJob
from app.sdk.signer import Signer
from app.wire.records import pack
from app.wire.signers import ED25519_URL, MULTISIG_URL, PUBKEY_URL
from app.wire.tx import decode_tx

ANNA, BERT = Signer(sha256(b"anna").digest()), Signer(sha256(b"bert").digest())
ANNA_TEXT, BERT_TEXT = to_bech32(ANNA.address), to_bech32(BERT.address)
SIGNATURE = bytes(range(64))
SEND_URL = "/cosmos.bank.v1beta1.MsgSend"
BASIC_URL = "/cosmos.feegrant.v1beta1.BasicAllowance"

CRITICAL = b"\xa8\x06\x01"  # field 101, varint 1
NON_CRITICAL = b"\x80\x40\x01"  # field 1024, whose number has bit 11 set
GROUP = b"\xab\x06\xac\x06"  # field 101 as an empty group


def send(source: str = ANNA_TEXT, target: str = BERT_TEXT, amount: str = "5") -> bytes:
    coins = [CoinMessage(denom="uflt", amount=amount)]
    return MsgSend(from_address=source, to_address=target, amount=coins).SerializeToString()


def packed(value: bytes, type_url: str = SEND_URL) -> AnyMessage:
    return AnyMessage(type_url=type_url, value=value)


def body(*messages: AnyMessage, **fields: Any) -> bytes:
    return TxBody(messages=messages or [packed(send())], **fields).SerializeToString()


def key(signer: Signer = ANNA) -> AnyMessage:
    return packed(PubKey(key=signer.pubkey).SerializeToString(), PUBKEY_URL)


def mode(number: int = 1) -> ModeInfo:
    return ModeInfo(single=ModeInfo.Single(mode=number))


def info(signer: Signer = ANNA, **fields: Any) -> SignerInfo:
    return SignerInfo(**{"public_key": key(signer), "mode_info": mode(), "sequence": 7, **fields})


def auth(*infos: SignerInfo, tip: Tip | None = None, **fee: Any) -> bytes:
    coins = [CoinMessage(denom="uflt", amount="90")]
    stated = Fee(**{"amount": coins, "gas_limit": 90_000, **fee})
    return AuthInfo(signer_infos=infos or [info()], fee=stated, tip=tip).SerializeToString()


def raw(body_bytes: bytes = body(), auth_bytes: bytes = auth(), count: int = 1) -> bytes:
    return TxRaw(
        body_bytes=body_bytes, auth_info_bytes=auth_bytes, signatures=[SIGNATURE] * count
    ).SerializeToString()


def field(tag: int, value: bytes, *, width: int = 1) -> bytes:
    """A bytes field by hand; a width above one writes its length with needless bytes."""
    length = bytearray()
    rest = len(value)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    for _ in range(width - 1):
        length[-1] |= 0x80
        length.append(0)
    return bytes([tag]) + bytes(length) + value


def an_allowance(type_url: str = BASIC_URL, value: bytes = b"") -> AnyMessage:
    """A message that allows fees, with this for the allowance."""
    allowance = packed(value, type_url)
    message = MsgGrantAllowance(granter=ANNA_TEXT, grantee=BERT_TEXT, allowance=allowance)
    return packed(message.SerializeToString(), "/cosmos.feegrant.v1beta1.MsgGrantAllowance")


def an_exec(*messages: AnyMessage) -> AnyMessage:
    """A message that runs others."""
    message = MsgExec(grantee=ANNA_TEXT, msgs=messages)
    return packed(message.SerializeToString(), "/cosmos.authz.v1beta1.MsgExec")


def a_plan(**fields: Any) -> AnyMessage:
    """A message that plans an upgrade."""
    message = MsgSoftwareUpgrade(authority=ANNA_TEXT, plan=Plan(**fields))
    return packed(message.SerializeToString(), "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade")


EXPIRED_EARLY = b"\x12\x0b\x08" + b"\xff" * 9 + b"\x01"  # expiration: one second before 1970
BODY, AUTH = field(0x0A, body()), field(0x12, auth())
SIGNED = field(0x1A, SIGNATURE)
AMINO = auth(info(mode_info=mode(127)))
ED25519 = packed(b"\x0a\x20" + bytes(range(32)), ED25519_URL)


def a_group(threshold: int) -> AnyMessage:
    """The key of Anna and Bert, of whom so many must sign."""
    group = LegacyAminoPubKey(threshold=threshold, public_keys=[key(), key(BERT)])
    return packed(group.SerializeToString(), MULTISIG_URL)


def multi(bits: int, modes: int, extra_bits: int = 3) -> ModeInfo:
    """How three members sign, of whom the bits tell who does."""
    array = CompactBitArray(extra_bits_stored=extra_bits, elems=bytes([bits]))
    return ModeInfo(multi=ModeInfo.Multi(bitarray=array, mode_infos=[mode(127)] * modes))


NESTED = ModeInfo(
    multi=ModeInfo.Multi(mode_infos=[multi(0, 0)], bitarray=multi(128, 0).multi.bitarray)
)

ACCEPTED: dict[str, bytes] = {
    "one message": raw(),
    "the same by hand": BODY + AUTH + SIGNED,
    "two messages": raw(body(packed(send()), packed(send(amount="6")))),
    "two signers": raw(
        body(packed(send()), packed(send(BERT_TEXT, ANNA_TEXT))), auth(info(), info(BERT)), 2
    ),
    "another payer, who signs last": raw(auth_bytes=auth(info(), info(BERT), payer=BERT_TEXT)),
    "somebody else who pays the fee": raw(auth_bytes=auth(granter=BERT_TEXT)),
    "an exec": raw(body(an_exec(packed(send()), packed(send(amount="6"))))),
    "an exec in amino": raw(body(an_exec(packed(send()))), auth(info(mode_info=mode(127)))),
    "a plan": raw(body(a_plan(name="two", height=7))),
    "an allowance without an end": raw(body(an_allowance())),
    "an allowance in amino, at another's expense": raw(
        body(an_allowance(value=b"\x12\x02\x08\x05")),
        auth(info(mode_info=mode(127)), granter=BERT_TEXT),
    ),
    "an allowance with an end": raw(body(an_allowance(value=b"\x12\x02\x08\x05"))),
    "a message of Pollen": raw(body(pack(CancelJob(ANNA.address, 3)))),
    "no key, which the chain may know": raw(auth_bytes=auth(SignerInfo(mode_info=mode()))),
    "a key with a needless length byte": raw(
        auth_bytes=auth(info(public_key=packed(field(0x0A, ANNA.pubkey, width=2), PUBKEY_URL)))
    ),
    "non-critical field in the body": raw(body() + NON_CRITICAL),
    "non-critical field in a message": raw(body(packed(send() + NON_CRITICAL))),
    "body fields in another order": raw(b"\x12\x02hi" + body()),
    "body with a needless varint byte": raw(body() + b"\x18\x85\x00"),
    "body with an empty memo": raw(body() + b"\x12\x00"),
    "no signature, as in a simulation": raw(count=0),
    "amino": raw(auth_bytes=AMINO),
    "an Ed25519 key": raw(auth_bytes=auth(info(public_key=ED25519))),
    "a multisig": raw(auth_bytes=auth(info(public_key=a_group(2), mode_info=multi(0b10100000, 2)))),
}
REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "noise": bytes(range(200, 256)),
    "fields out of order": AUTH + BODY + SIGNED,
    "a signature before the auth info": BODY + SIGNED + AUTH,
    "the body twice": BODY + BODY + AUTH + SIGNED,
    "a length with a needless byte": field(0x0A, body(), width=2) + AUTH + SIGNED,
    "a tag with a needless byte": b"\x8a\x00" + BODY[1:] + AUTH + SIGNED,
    "a fourth field": raw() + b"\x22\x00",
    "a non-critical field outside": raw() + NON_CRITICAL,
    "cut off": raw()[:-1],
    "critical field in the body": raw(body() + CRITICAL),
    "a group in the body": raw(body() + GROUP),
    "known field of another wire type": raw(body() + b"\x10\x01"),
    "critical field in an Any": raw(field(0x0A, packed(send()).SerializeToString() + CRITICAL)),
    "critical field in a message": raw(body(packed(send() + CRITICAL))),
    "critical field in a coin": raw(body(packed(send() + field(0x1A, CRITICAL)))),
    "critical field in the auth info": raw(auth_bytes=auth() + CRITICAL),
    "non-critical field in the auth info": raw(auth_bytes=auth() + NON_CRITICAL),
    "non-critical field in a key": raw(
        auth_bytes=auth(info(public_key=packed(key().value + NON_CRITICAL, PUBKEY_URL)))
    ),
    "no message": raw(TxBody(memo="hi").SerializeToString()),
    "an unknown message": raw(body(packed(send(), "/cosmos.nft.v1beta1.MsgSend"))),
    "a type URL with a host": raw(body(packed(send(), "type.googleapis.com" + SEND_URL))),
    "a message that is noise": raw(body(packed(b"\xff\xff"))),
    "extension options": raw(body(extension_options=[packed(b"", "/x.Y")])),
    "non-critical extension options": raw(
        body(non_critical_extension_options=[packed(b"", "/x.Y")])
    ),
    "an unordered transaction": raw(body(unordered=True)),
    "amino with a non-critical field": raw(body() + NON_CRITICAL, AMINO),
    "amino with one in a message": raw(body(packed(send() + NON_CRITICAL)), AMINO),
    "a large amino": raw(body(memo="m" * 131_072), AMINO),
    "textual": raw(auth_bytes=auth(info(mode_info=mode(2)))),
    "an unknown mode": raw(auth_bytes=auth(info(mode_info=mode(77)))),
    "no mode": raw(auth_bytes=auth(info(mode_info=ModeInfo()))),
    "a multisig with a mode too many": raw(auth_bytes=auth(info(mode_info=multi(0, 1)))),
    "a multisig of nine bits in a byte": raw(auth_bytes=auth(info(mode_info=multi(0, 0, 9)))),
    "a multisig within another": raw(auth_bytes=auth(info(mode_info=NESTED))),
    "a multisig key that nobody can sign for": raw(auth_bytes=auth(info(public_key=a_group(3)))),
    "a multisig key that anybody can sign for": raw(auth_bytes=auth(info(public_key=a_group(0)))),
    "a key of another curve": raw(
        auth_bytes=auth(info(public_key=packed(key().value, "/cosmos.crypto.ed25519.PubKey")))
    ),
    "a short key": raw(auth_bytes=auth(info(public_key=packed(b"\x0a\x01\x02", PUBKEY_URL)))),
    "an address with a wrong letter": raw(body(packed(send(target=BERT_TEXT[:-1] + "q")))),
    "an address of another chain": raw(body(packed(send(target="cosmos1" + BERT_TEXT[7:])))),
    "no signer": raw(body(packed(send(source="")))),
    "a negative amount": raw(body(packed(send(amount="-5")))),
    "an amount with a point": raw(body(packed(send(amount="5.0")))),
    "an amount with a leading zero": raw(body(packed(send(amount="05")))),
    "an amount of Arabic digits": raw(body(packed(send(amount="٥")))),
    "no amount": raw(body(packed(send(amount="")))),
    "an amount of 2^128": raw(body(packed(send(amount=str(1 << 128))))),
    "a memo that is not UTF-8": raw(body() + b"\x12\x01\xff"),
    "a fee's payer that is no address": raw(auth_bytes=auth(payer="bert")),
    "a fee's granter that is no address": raw(auth_bytes=auth(granter="bert")),
    "an exec of an unknown message": raw(body(an_exec(packed(send(), "/x.Msg")))),
    "an exec of a message with an unknown field": raw(body(an_exec(packed(send() + CRITICAL)))),
    "an exec of an exec": raw(body(an_exec(an_exec(packed(send()))))),
    "an exec of a message that is noise": raw(body(an_exec(packed(b"\xff\xff")))),
    "an upgraded client": raw(body(a_plan(upgraded_client_state=packed(b"", "/x.Y")))),
    "an allowance of an unknown type": raw(body(an_allowance("/cosmos.feegrant.v1beta1.Grant"))),
    "an allowance with an unknown field": raw(body(an_allowance(value=NON_CRITICAL))),
    "an allowance of noise": raw(body(an_allowance(value=b"\xff\xff"))),
    "an allowance that ended before 1970": raw(body(an_allowance(value=EXPIRED_EARLY))),
    "an allowance that ended as 1970 began": raw(body(an_allowance(value=b"\x12\x00"))),
}


def shown(tx: Tx | Undecodable) -> Any:
    """A decoding as the vectors hold it."""
    if isinstance(tx, Undecodable):
        return {"code": tx.code, "detail": tx.detail}
    return {
        "hash": tx.hash.hex(),
        "messages": [repr(message) for message in tx.messages],
        "signers": [to_bech32(signer) for signer in tx.signers],
        "signer_infos": [
            [each.pubkey.hex(), each.sequence, each.mode, each.members] for each in tx.signer_infos
        ],
        "fee": [f"{coin.amount}{coin.denom}" for coin in tx.fee],
        "gas_limit": tx.gas_limit,
        "payer": to_bech32(tx.payer),
        "memo": tx.memo,
        "timeout_height": tx.timeout_height,
        "granter": to_bech32(tx.granter),
    }


@pytest.mark.parametrize("name", ACCEPTED)
def test_it_is_a_transaction(name: str) -> None:
    tx = decode_tx(ACCEPTED[name])
    assert isinstance(tx, Tx), tx.detail
    assert tx.hash == sha256(ACCEPTED[name]).digest()


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_no_transaction(name: str) -> None:
    tx = decode_tx(REFUSED[name])
    assert isinstance(tx, Undecodable)
    assert tx.code == 2


def test_a_tip_is_refused_by_a_code_of_its_own() -> None:
    tx = decode_tx(raw(auth_bytes=auth(tip=Tip(tipper=BERT_TEXT))))
    assert isinstance(tx, Undecodable)
    assert tx.code == 3
    assert "leave the tip out" in tx.detail


def test_each_decoding_is_the_published_one(vectors: Callable[[str], Any]) -> None:
    for group, cases in (("accepted", ACCEPTED), ("refused", REFUSED)):
        rows = [
            {"name": name, "tx": data.hex(), "decoded": shown(decode_tx(data))}
            for name, data in cases.items()
        ]
        vectors(f"tx/{group}.json").check(rows)


def test_the_bytes_that_were_signed_are_kept_as_they_came() -> None:
    odd_body = b"\x12\x02hi" + body()
    tx = decode_tx(raw(odd_body))
    assert isinstance(tx, Tx)
    assert (tx.body_bytes, tx.auth_info_bytes) == (odd_body, auth())
    assert tx.signatures == (SIGNATURE,)


def test_only_a_simulation_may_leave_its_mode_open() -> None:
    data = raw(auth_bytes=auth(info(mode_info=mode(0))), count=0)
    assert isinstance(decode_tx(data), Undecodable)
    assert isinstance(decode_tx(data, is_simulation=True), Tx)


@given(st.binary(max_size=200))
def test_noise_is_refused_not_raised(noise: bytes) -> None:
    assert isinstance(decode_tx(noise), Undecodable)


@given(st.integers(0, len(raw()) - 1), st.integers(1, 255))
def test_a_changed_byte_never_raises(at: int, change: int) -> None:
    data = bytearray(raw())
    data[at] ^= change
    assert isinstance(decode_tx(bytes(data)), Tx | Undecodable)
