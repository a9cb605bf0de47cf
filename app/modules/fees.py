"""Admission: what a transaction must be and pay to enter a block, and what it uses.

Gas is what a transaction leaves behind: its bytes, its signatures, a fixed amount for each message
and the rows it writes. A limit below the first two isn't admitted, one below the first three runs
no message; the rows are known when all have run. More than its limit and nothing of it stays but
the fee, which goes to the account `fee_collector`. It is taken from the payer, a signer; or from a
granter that the transaction names, if that allows the payer to.
"""

from __future__ import annotations

from typing import ClassVar

from app.kernel.bech32 import to_bech32
from app.kernel.context import Block, Context
from app.kernel.crypto import module_address
from app.kernel.errors import Rejected
from app.kernel.frozen import frozen
from app.kernel.module import Module, Query
from app.kernel.record import U32, U64, Address
from app.kernel.store import Overlay, Reader, State
from app.kernel.table import Singleton
from app.kernel.tx import Tx
from app.modules import auth, bank, feegrant

FEE_COLLECTOR = module_address("fee_collector")
FEE_DENOMS = ((), (bank.DENOM,))
GAS_PRICE_UNIT = 1_000_000
FEE_BYTES, KEY_BYTES, SIGNATURE_BYTES = 24, 72, 66
"""Of a fee of seven digits, a secp256k1 key and its signature as they stand in a transaction."""


@frozen
class Params:
    """What transactions may be and cost."""

    uflt_per_million_gas_min: U64 = U64(10_000)
    """The least fee for a million units of gas."""
    tx_gas_max: U64 = U64(100_000_000)
    tx_size_bytes_max: U32 = U32(1_048_576)
    tx_messages_max: U32 = U32(512)
    tx_signers_max: U32 = U32(64)
    memo_length_max: U32 = U32(512)
    gas_per_byte: U64 = U64(10)
    gas_per_signature: U64 = U64(1_000)
    gas_per_row: U64 = U64(2_000)
    """For each row written."""
    gas_per_row_byte: U64 = U64(30)
    """For each byte of key and value of a row written."""


@frozen
class ParamsRequest:
    """Ask for the params of fees."""


@frozen
class ParamsResponse:
    """The params of fees."""

    params: Params


@frozen
class FeePaid:
    """A transaction's fee was taken, from its payer or its granter."""

    EVENT_TYPE: ClassVar[str] = "tx"
    fee: str
    fee_payer: Address


class TooLarge(Rejected):
    """A transaction over one of the limits."""

    code = 801
    text = "{field} {value}: the limit is {limit}; split the transaction"


class FeeTooSmall(Rejected):
    """A fee below the least price of its gas."""

    code = 802
    text = (
        "fee {fee}uflt: insufficient fees; got: {fee}uflt required: {limit}uflt, "
        "the least for {gas_limit} gas; raise it"
    )


class WrongFeeDenom(Rejected):
    """A fee in something else than uflt."""

    code = 803
    text = "fee {fee}: only uflt is taken, one coin; state the fee in uflt"


class OutOfGas(Rejected):
    """A transaction that used more gas than its limit; the text is the one that clients parse."""

    code = 804
    text = (
        "out of gas: gasWanted: {gas_limit}, gasUsed: {gas_used}: "
        "raise gas_limit to at least {gas_used}"
    )


class NotASigner(Rejected):
    """A fee payer who doesn't sign."""

    code = 805
    text = "fee payer {address}: doesn't sign the transaction; let it sign or leave it out"


PARAMS = Singleton("fees/params", Params)


def compute_fee_min(params: Params, gas_limit: int) -> int:
    """Return the least fee in uflt for a gas limit, rounded up."""
    return -(-gas_limit * params.uflt_per_million_gas_min // GAS_PRICE_UNIT)


def check_limits(params: Params, tx: Tx) -> None:
    """Refuse a transaction that is too large in any way."""
    for field, value, limit in (
        ("tx_size_bytes", tx.size_bytes, params.tx_size_bytes_max),
        ("messages", len(tx.messages), params.tx_messages_max),
        ("signers", count_keys(tx), params.tx_signers_max),
        ("memo length", len(tx.memo), params.memo_length_max),
        ("gas_limit", tx.gas_limit, params.tx_gas_max),
    ):
        if value > limit:
            raise TooLarge(field=field, value=value, limit=limit)


def check_fee(params: Params, tx: Tx) -> int:
    """Return the fee in uflt, if it is in uflt and enough."""
    if tuple([coin.denom for coin in tx.fee]) not in FEE_DENOMS:
        raise WrongFeeDenom(fee=bank.coins_text(tx.fee))
    fee = sum([coin.amount for coin in tx.fee])
    limit = compute_fee_min(params, tx.gas_limit)
    if fee < limit:
        raise FeeTooSmall(fee=fee, gas_limit=tx.gas_limit, limit=limit)
    if tx.payer not in tx.signers:
        raise NotASigner(address=to_bech32(tx.payer))
    return fee


def check(params: Params, tx: Tx) -> int:
    """Return the fee in uflt of a transaction whose sizes, gas and fee are within the limits."""
    check_limits(params, tx)
    check_gas_limit(tx, compute_entry_gas(params, tx))
    return check_fee(params, tx)


def admit(state: State, block: Block, tx: Tx, verify: auth.Verify) -> list[object]:
    """Use up the signers' sequences and take the fee; return the events."""
    fee = check(PARAMS.get(state), tx)
    auth.authenticate(state, block, tx, verify)

    ctx, source = Context(block, tx.payer), tx.granter or tx.payer
    if source != tx.payer:
        feegrant.use(state, ctx, tx, fee)
    bank.move(state, ctx, source, FEE_COLLECTOR, fee)
    ctx.emit(FeePaid(f"{fee}{bank.DENOM}", source))
    for signer, info in zip(tx.signers, tx.signer_infos, strict=True):
        ctx.emit(auth.AccountSequence(f"{to_bech32(signer)}/{info.sequence}"))
    return ctx.events


def compute_entry_gas(params: Params, tx: Tx) -> int:
    """Return the gas of what is there before a transaction has run: its bytes and signatures."""
    return tx.size_bytes * params.gas_per_byte + count_signatures(tx) * params.gas_per_signature


def count_keys(tx: Tx) -> int:
    """Return how many keys may sign: each member of a multisig key is one."""
    members = sum([info.members.size - 1 for info in tx.signer_infos if info.members])
    return len(tx.signers) + members


def count_signatures(tx: Tx) -> int:
    """Return how many signatures are checked: of a multisig key, one for each member who signs."""
    members = sum([len(info.members.places) - 1 for info in tx.signer_infos if info.members])
    return len(tx.signers) + members


def compute_signed_size(tx: Tx) -> int:
    """Return the size that a transaction will have when what it lacks is filled in.

    Who asks what a transaction would use leaves out signatures, and often fee and keys.
    """
    missing = 0 if tx.fee else FEE_BYTES
    for at, info in enumerate(tx.signer_infos):
        count = len(info.members.places) if info.members else 1
        missing += 0 if info.pubkey else KEY_BYTES
        missing += 0 if any(tx.signatures[at : at + 1]) else SIGNATURE_BYTES * count
    return tx.size_bytes + missing


def compute_gas(draft: Overlay, tx: Tx, message_gas: int) -> int:
    """Return the gas of a transaction: bytes, signatures, messages, and the rows of its draft."""
    params = PARAMS.get(draft)
    size_bytes = sum([len(key) + len(value or b"") for key, value in draft.changes.items()])
    row_gas = len(draft.changes) * params.gas_per_row + size_bytes * params.gas_per_row_byte
    return compute_entry_gas(params, tx) + message_gas + row_gas


def check_gas_limit(tx: Tx, gas_used: int) -> None:
    """Refuse a transaction that uses more than its limit."""
    if gas_used > tx.gas_limit:
        raise OutOfGas(gas_limit=tx.gas_limit, gas_used=gas_used)


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


MODULE = Module(
    name="fees",
    package="pollen.fees.v1",
    params=PARAMS,
    queries={ParamsRequest: Query(params, ParamsResponse)},
    events=(FeePaid,),
)
