"""Accounts: who signs, in which order, with which key.

A transaction is Cosmos' `TxRaw`. Each signer signs, in SIGN_MODE_DIRECT, the SignDoc: body and auth
info as sent, the chain id and the account's number; or in SIGN_MODE_LEGACY_AMINO_JSON the same as
JSON. Of a multisig key so many members sign, each for itself. A sequence is used once, in order. An
account is opened when money first arrives; its key is kept from its first transaction on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from app.kernel.amino import write_json
from app.kernel.bech32 import to_bech32
from app.kernel.context import Block
from app.kernel.crypto import SECP256K1_PUBKEY_BYTES, address_of, sha256, verify_ed25519
from app.kernel.errors import Rejected, broken
from app.kernel.frozen import frozen
from app.kernel.keys import Multisig, decode_multisig, split_multisignature
from app.kernel.module import Module
from app.kernel.record import U64, Address, write_varint
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table
from app.kernel.tx import MODE_AMINO, MODE_DIRECT, Members, SignerInfo, Tx

Verify = Callable[[bytes, bytes, bytes], bool]
"""Whether a signature by a secp256k1 key over a digest is right: (pubkey, digest, signature)."""


@frozen
class Account:
    """One account."""

    number: U64
    sequence: U64
    """Transactions signed so far; the number the next one must carry."""
    pubkey: bytes
    """As in `kernel.keys`; empty before the first transaction."""


@frozen
class AccountCount:
    """How many accounts were opened."""

    count: U64 = U64(0)


class Document(NamedTuple):
    """What a signer signs, in one mode or the other."""

    tx: Tx
    chain_id: str
    account_number: int
    sequence: int

    def write(self, mode: int) -> bytes:
        """Return the bytes that are signed in a mode."""
        if mode == MODE_AMINO:
            return compute_amino_bytes(self.tx, self.chain_id, self.account_number, self.sequence)
        return compute_sign_bytes(self.tx, self.chain_id, self.account_number)


@frozen
class AccountSequence:
    """A sequence was used."""

    EVENT_TYPE: ClassVar[str] = "tx"
    acc_seq: str


class UnknownAccount(Rejected):
    """A signer whom the chain has never seen."""

    code = 201
    text = "signer {address}: account not found; send it some uflt first"


class WrongSignerCount(Rejected):
    """Signer infos or signatures that don't match the messages' signers."""

    code = 202
    text = (
        "signatures: {signatures} with {signer_infos} signer_infos, the messages need {needed}; "
        "sign once for each signer"
    )


class KeyMissing(Rejected):
    """A first transaction that doesn't carry its key."""

    code = 203
    text = "public_key of {address}: empty, and the chain doesn't know it yet; include the key"


class WrongKey(Rejected):
    """A key that isn't the signer's."""

    code = 204
    text = "public_key of {address}: the key given belongs to {owner}; sign with the right key"


class WrongSequence(Rejected):
    """A sequence that isn't the account's next; the text is the one that clients look for."""

    code = 205
    text = (
        "account sequence mismatch, expected {expected}, got {sequence}: "
        "incorrect account sequence of {address}; sign again with the expected one"
    )


class WrongSignature(Rejected):
    """A signature that doesn't verify."""

    code = 206
    text = (
        "signature of {address}: verification failed; check chain-id ({chain_id}), "
        "account number ({number}) and sequence ({sequence}), and that s is low"
    )


class TimeoutHeightPassed(Rejected):
    """A transaction that came after the height it may still enter at."""

    code = 207
    text = "timeout_height {timeout_height}: passed at height {height}; sign again with a later one"


class WrongMembers(Rejected):
    """A multisig key of which too few sign, or a key taken for what it isn't."""

    code = 208
    text = (
        "signature of {address}: {given} members of {stated} sign with {signatures} signatures; "
        "the key has {size} members, of whom {threshold} must sign, each once; "
        "a key of one owner has none"
    )


ACCOUNTS = Table("auth/account", key=(Address,), record=Account)
COUNT = Singleton("auth/count", AccountCount)


def find_account(state: Reader, address: Address) -> Account | None:
    """Return an account, or None if it was never opened."""
    return ACCOUNTS.get(state, address)


def open_account(state: State, address: Address) -> None:
    """Give an address an account, unless it has one."""
    if ACCOUNTS.has(state, address):
        return
    count = COUNT.get(state).count
    ACCOUNTS.put(state, address, Account(count, U64(0), b""))
    COUNT.put(state, AccountCount(U64(count + 1)))


def compute_sign_bytes(tx: Tx, chain_id: str, account_number: int) -> bytes:
    """Return the SignDoc that a signer signs (Cosmos SDK ADR-020): fields 1 to 4, zero left out."""
    out = bytearray()
    for tag, part in ((b"\x0a", tx.body_bytes), (b"\x12", tx.auth_info_bytes)):
        out += tag
        write_varint(out, len(part))
        out += part
    chain = chain_id.encode()
    out += b"\x1a"
    write_varint(out, len(chain))
    out += chain
    if account_number:
        out += b"\x20"
        write_varint(out, account_number)
    return bytes(out)


def compute_amino_bytes(tx: Tx, chain_id: str, account_number: int, sequence: int) -> bytes:
    """Return the Amino JSON that a signer signs (Cosmos SDK, StdSignDoc)."""
    timeout = f',"timeout_height":"{tx.timeout_height}"' if tx.timeout_height else ""
    head = f'{{"account_number":"{account_number}","chain_id":{write_json(chain_id)},'
    return f'{head}{tx.amino},"sequence":"{sequence}"{timeout}}}'.encode()


def authenticate(state: State, block: Block, tx: Tx, verify: Verify) -> None:
    """Use up each signer's sequence, if key, sequence and signature are right."""
    accounts = [ACCOUNTS.get(state, signer) for signer in tx.signers]
    for signer, used in zip(tx.signers, check_signers(accounts, block, tx, verify), strict=True):
        ACCOUNTS.put(state, signer, used)


def check_signers(
    accounts: Sequence[Account | None], block: Block, tx: Tx, verify: Verify
) -> list[Account]:
    """Return the signers' accounts as the transaction leaves them, if it is rightly signed."""
    needed, infos, signatures = len(tx.signers), len(tx.signer_infos), len(tx.signatures)
    if not infos == signatures == needed:
        raise WrongSignerCount(signatures=signatures, signer_infos=infos, needed=needed)
    timeout = tx.timeout_height
    if timeout and block.height > timeout:
        raise TimeoutHeightPassed(timeout_height=timeout, height=block.height)

    used = []
    for account, signer, info, signature in zip(
        accounts, tx.signers, tx.signer_infos, tx.signatures, strict=True
    ):
        if account is None:
            raise UnknownAccount(address=to_bech32(signer))
        pubkey = check_key(account, signer, info)
        is_usual = info.mode == MODE_DIRECT and info.members is None
        if is_usual and len(pubkey) == SECP256K1_PUBKEY_BYTES:
            digest = sha256(compute_sign_bytes(tx, block.chain_id, account.number))
            is_right = verify(pubkey, digest, signature)
        else:
            document = Document(tx, block.chain_id, account.number, account.sequence)
            is_right = is_signed(document, pubkey, info, signature, verify)
        if not is_right:
            raise WrongSignature(
                address=to_bech32(signer),
                chain_id=block.chain_id,
                number=account.number,
                sequence=account.sequence,
            )
        used.append(Account(account.number, U64(account.sequence + 1), pubkey))
    return used


def is_signed(
    document: Document, pubkey: bytes, info: SignerInfo, signature: bytes, verify: Verify
) -> bool:
    """Whether a signer's signature is right, or those of enough members of its multisig key."""
    multisig, members = decode_multisig(pubkey), info.members
    if multisig is None and members is None:
        return is_signed_by(pubkey, document.write(info.mode), signature, verify)
    signatures = split_multisignature(signature)
    if multisig is None or members is None or not is_quorum(multisig, members, signatures):
        raise WrongMembers(
            address=to_bech32(address_of(pubkey)),
            given=len(members.places) if members else 0,
            stated=members.size if members else 0,
            signatures=len(signatures),
            size=len(multisig.members) if multisig else 0,
            threshold=multisig.threshold if multisig else 0,
        )
    documents = {mode: document.write(mode) for mode in dict.fromkeys(members.modes)}
    return all(
        is_signed_by(multisig.members[place], documents[mode], each, verify)
        for place, mode, each in zip(members.places, members.modes, signatures, strict=True)
    )


def is_quorum(multisig: Multisig, members: Members, signatures: Sequence[bytes]) -> bool:
    """Whether a signer states the members of its key rightly, and enough of them sign."""
    count = len(members.places)
    is_enough = multisig.threshold <= count == len(signatures)
    return members.size == len(multisig.members) and is_enough


def is_signed_by(pubkey: bytes, data: bytes, signature: bytes, verify: Verify) -> bool:
    """Whether a signature over some bytes is that of a key of one owner."""
    if len(pubkey) == SECP256K1_PUBKEY_BYTES:
        return verify(pubkey, sha256(data), signature)
    return verify_ed25519(pubkey, data, signature)


def check_key(account: Account, signer: Address, info: SignerInfo) -> bytes:
    """Return the key that signs for an account, if it is the account's and so is the sequence."""
    if info.sequence != account.sequence:
        raise WrongSequence(
            address=to_bech32(signer), expected=account.sequence, sequence=info.sequence
        )
    pubkey = info.pubkey or account.pubkey
    if not pubkey:
        raise KeyMissing(address=to_bech32(signer))
    if pubkey != account.pubkey and address_of(pubkey) != signer:
        raise WrongKey(address=to_bech32(signer), owner=to_bech32(address_of(pubkey)))
    return pubkey


def every_account_has_its_own_number(state: Reader) -> None:
    """Every account has its own number, below the count of accounts."""
    numbers = sorted(account.number for _, account in ACCOUNTS.items(state))
    if numbers != list(range(COUNT.get(state).count)):
        broken("every account has its own number, below the count of accounts")


MODULE = Module(
    name="auth",
    package="cosmos.auth.v1beta1",
    tables=(ACCOUNTS, COUNT),
    events=(AccountSequence,),
    invariants=(every_account_has_its_own_number,),
)
