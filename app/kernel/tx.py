"""A decoded transaction: what was signed, by whom, and what it asks."""

from __future__ import annotations

from typing import Any, NamedTuple

from app.kernel.frozen import frozen
from app.kernel.record import NO_ADDRESS, U128, Address

MODE_UNSPECIFIED, MODE_DIRECT, MODE_AMINO = 0, 1, 127
"""What is signed: in a simulation nothing; the bytes as sent; Amino JSON (Cosmos' SignMode)."""


class Members(NamedTuple):
    """Which members of a multisig key sign, by their place in it, and how each does."""

    size: int
    """How many members the key has, as the signer says."""
    places: tuple[int, ...]
    modes: tuple[int, ...]


class SignerInfo(NamedTuple):
    """One signer as the transaction names it."""

    pubkey: bytes
    """As in `kernel.keys`, or empty where the account's key is known to the chain."""
    sequence: int
    mode: int = MODE_DIRECT
    members: Members | None = None
    """Of a multisig key alone."""


@frozen
class Coin:
    """An amount of a denomination."""

    denom: str
    amount: U128


@frozen
class Tx:
    """A transaction in Cosmos form (`TxRaw`), decoded but not yet checked."""

    hash: bytes
    size_bytes: int
    messages: tuple[Any, ...]
    signers: tuple[Address, ...]
    """The messages' signers in order of first appearance; as many as signer infos."""
    signer_infos: tuple[SignerInfo, ...]
    signatures: tuple[bytes, ...]
    fee: tuple[Coin, ...]
    gas_limit: int
    payer: Address
    """Who pays the fee: the first signer unless the transaction names another signer."""
    memo: str
    timeout_height: int
    body_bytes: bytes
    auth_info_bytes: bytes
    amino: str = ""
    """The members `fee`, `memo` and `msgs` of its Amino JSON, if a signer signs that."""
    granter: Address = NO_ADDRESS
    """Who pays in the payer's place, having allowed it; nobody unless the transaction says so."""
    type_urls: tuple[str, ...] = ()
    """What the messages are called, where there is a granter, who may have allowed some alone."""


@frozen
class Slot:
    """What a proposer puts into its block's first place, unsigned: its proof for the beacon."""

    proposer: bytes
    proof: bytes


@frozen
class Undecodable:
    """Bytes in a block that are no transaction."""

    code: int
    detail: str


BlockTx = Tx | Slot | Undecodable
"""What may stand in a block."""
