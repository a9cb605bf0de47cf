"""Signing: a key in memory, and transactions signed over the bytes that are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coincurve import PrivateKey
from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin
from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import (
    AuthInfo,
    Fee,
    ModeInfo,
    SignDoc,
    SignerInfo,
    TxBody,
    TxRaw,
)

from app.kernel.bech32 import to_bech32
from app.kernel.crypto import address_of, sha256
from app.kernel.frozen import frozen
from app.kernel.record import NO_ADDRESS, Address
from app.kernel.tx import MODE_DIRECT
from app.modules.bank import DENOM
from app.wire.records import pack
from app.wire.signers import write_key

COMPACT_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Signer:
    """A secp256k1 key that signs for its account; secret is 32 bytes."""

    secret: bytes = field(repr=False)
    pubkey: bytes = field(init=False)
    address: Address = field(init=False)

    def __post_init__(self) -> None:
        pubkey = PrivateKey(self.secret).public_key.format()
        object.__setattr__(self, "pubkey", pubkey)
        object.__setattr__(self, "address", address_of(pubkey))

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte r‖s signature, s low, over the SHA-256 of the data (RFC 6979)."""
        return self.sign_digest(sha256(data))

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the same over a 32-byte digest."""
        signature: bytes = PrivateKey(self.secret).sign_recoverable(digest, hasher=None)
        return signature[:COMPACT_SIGNATURE_BYTES]


@frozen
class Signing:
    """Who signs a transaction, with the account's number and next sequence."""

    signer: Signer
    account_number: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a transaction says beside its messages; timeout_height 0 means never."""

    chain_id: str
    gas_limit: int
    fee_uflt: int
    memo: str = ""
    timeout_height: int = 0
    granter: Address = NO_ADDRESS
    """Who pays the fee in the first signer's place."""


def sign_tx(messages: Sequence[Any], signings: Sequence[Signing], terms: Terms) -> bytes:
    """Return the messages as a TxRaw that each signer has signed in SIGN_MODE_DIRECT.

    Signers stand in the order in which the messages first name them; the first pays the fee.
    """
    body = TxBody(
        messages=[pack(message) for message in messages],
        memo=terms.memo,
        timeout_height=terms.timeout_height,
    )
    coins = [Coin(denom=DENOM, amount=str(terms.fee_uflt))] if terms.fee_uflt else []
    auth_info = AuthInfo(
        signer_infos=[make_signer_info(signing) for signing in signings],
        fee=Fee(amount=coins, gas_limit=terms.gas_limit, granter=to_bech32(terms.granter)),
    )
    parts = {
        "body_bytes": body.SerializeToString(),
        "auth_info_bytes": auth_info.SerializeToString(),
    }
    signatures = []
    for signing in signings:
        number = signing.account_number
        document = SignDoc(**parts, chain_id=terms.chain_id, account_number=number)
        signatures.append(signing.signer.sign(document.SerializeToString()))
    return bytes(TxRaw(**parts, signatures=signatures).SerializeToString())


def make_signer_info(signing: Signing) -> SignerInfo:
    """Return how a transaction names one signer."""
    return SignerInfo(
        public_key=write_key(signing.signer.pubkey),
        mode_info=ModeInfo(single=ModeInfo.Single(mode=MODE_DIRECT)),
        sequence=signing.sequence,
    )
