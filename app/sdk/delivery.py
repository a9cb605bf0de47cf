"""Getting one signed transaction into a block: sent until it is there, or can't be any more.

A refusal ends it only when no earlier sending can have gone through: while one may have, what
counts is whether the account's sequence was used, and by whom.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from cosmpy.protos.cosmos.auth.v1beta1 import auth_pb2
from cosmpy.protos.cosmos.auth.v1beta1 import query_pb2 as auth_query
from cosmpy.protos.cosmos.base.abci.v1beta1.abci_pb2 import TxMsgData
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2

from app.kernel.bech32 import to_bech32
from app.kernel.crypto import sha256
from app.kernel.frozen import frozen
from app.kernel.record import Address
from app.sdk.connection import (
    CODE_NOT_FOUND,
    GRPC_CODESPACE,
    ChainError,
    Connection,
    QueryRefused,
    Refused,
    Unreachable,
)
from app.wire.records import KINDS_BY_URL, unpack

TX_SERVICE = "/cosmos.tx.v1beta1.Service"
CODES_WAITING = (("sdk", 19), ("sdk", 20))
"""The engine has the transaction already, or no room for it now."""
POLL_S_MIN, POLL_S_MAX = 0.01, 0.25
RESEND_S = 1.0


class TxRejected(Refused):
    """A transaction that the chain refuses; hash and height are set if a block has it."""

    hash: str = ""
    height: int = 0


class TxUnconfirmed(ChainError):
    """A transaction that no block has so far; it can't enter above `timeout_height`."""

    def __init__(self, tx_hash: str, timeout_height: int) -> None:
        super().__init__(
            f"transaction {tx_hash} is in no block yet; look again: pollen tx show {tx_hash}"
            + (f"; after height {timeout_height} it can't enter any more" if timeout_height else "")
        )
        self.hash = tx_hash
        self.timeout_height = timeout_height


class SequenceTaken(ChainError):
    """A transaction that never enters, since a block has another with its sequence."""

    def __init__(self, pending: Pending) -> None:
        super().__init__(
            f"transaction {pending.hash}: sequence {pending.sequence} of "
            f"{to_bech32(pending.address)} is another's; sign again"
        )


@frozen
class TxOutcome:
    """A transaction in a block: code 0 is success, responses are what its messages answered."""

    hash: str
    height: int
    code: int
    codespace: str
    text: str
    gas_used: int
    responses: tuple[Any, ...]


@frozen
class AccountState:
    """An account's number and the next sequence, as committed."""

    number: int
    sequence: int


@frozen
class Pending:
    """A signed transaction on its way."""

    raw: bytes
    address: Address
    sequence: int
    timeout_height: int

    @property
    def hash(self) -> str:
        """Return its hash, in upper-case hexadecimal."""
        return sha256(self.raw).hex().upper()


async def deliver(connection: Connection, pending: Pending, deadline_s: float) -> TxOutcome:
    """Return once a block has the transaction and it succeeded, by the monotonic clock's deadline.

    `TxRejected`: it failed, or can't enter. `SequenceTaken`: nor can it, signed like this.
    `TxUnconfirmed`: it is in no block so far.
    """
    may_be_out = False
    while time.monotonic() < deadline_s and connection.height <= pending.timeout_height:
        failover_count = connection.failover_count
        try:
            response = await broadcast(connection, pending.raw)
            may_be_out = may_be_out or connection.failover_count != failover_count
            if response.height:
                return succeeded(to_outcome(response))
            if response.code and not is_waiting(response) and not may_be_out:
                raise rejection_of(to_outcome(response))
            may_be_out = True
            outcome = await poll(connection, pending.hash, RESEND_S)
            if outcome is None and response.code and await is_sequence_taken(connection, pending):
                raise SequenceTaken(pending)
        except Unreachable:
            may_be_out = True
            await asyncio.sleep(POLL_S_MAX)
            continue
        if outcome is not None:
            return succeeded(outcome)
    raise TxUnconfirmed(pending.hash, pending.timeout_height)


async def broadcast(connection: Connection, raw: bytes) -> Any:
    """Hand a transaction to a node; its answer has a height once a block has it."""
    mode = service_pb2.BROADCAST_MODE_BLOCK
    answer = await connection.call(
        f"{TX_SERVICE}/BroadcastTx",
        service_pb2.BroadcastTxRequest(tx_bytes=raw, mode=mode),
        service_pb2.BroadcastTxResponse,
    )
    return answer.tx_response


async def find_tx(connection: Connection, tx_hash: str) -> TxOutcome | None:
    """Return what became of a transaction, or None while no block has it."""
    request = service_pb2.GetTxRequest(hash=tx_hash)
    path = f"{TX_SERVICE}/GetTx"
    try:
        answer = await connection.call(path, request, service_pb2.GetTxResponse)
    except QueryRefused as refusal:
        if (refusal.codespace, refusal.code) == (GRPC_CODESPACE, CODE_NOT_FOUND):
            return None
        raise
    return to_outcome(answer.tx_response)


async def poll(connection: Connection, tx_hash: str, timeout_s: float) -> TxOutcome | None:
    """Return what became of a transaction, or None if no block has it in time."""
    end_s = time.monotonic() + timeout_s
    wait_s = POLL_S_MIN
    while True:
        outcome = await find_tx(connection, tx_hash)
        if outcome is not None or time.monotonic() + wait_s > end_s:
            return outcome
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, POLL_S_MAX)


async def get_account(connection: Connection, address: Address) -> AccountState:
    """Return an account's number and next sequence; `QueryRefused` if there is none."""
    answer = await connection.call(
        "/cosmos.auth.v1beta1.Query/Account",
        auth_query.QueryAccountRequest(address=to_bech32(address)),
        auth_query.QueryAccountResponse,
    )
    found = auth_pb2.BaseAccount.FromString(answer.account.value)
    return AccountState(found.account_number, found.sequence)


async def is_sequence_taken(connection: Connection, pending: Pending) -> bool:
    """Whether a block has another transaction with this one's sequence, by the engine's index.

    That the account's sequence was used doesn't tell: it may be this one's, not yet in the index.
    """
    place = f"{to_bech32(pending.address)}/{pending.sequence}"
    answer = await connection.call(
        f"{TX_SERVICE}/GetTxsEvent",
        service_pb2.GetTxsEventRequest(events=[f"tx.acc_seq='{place}'"]),
        service_pb2.GetTxsEventResponse,
    )
    return any(response.txhash != pending.hash for response in answer.tx_responses)


def is_waiting(response: Any) -> bool:
    """Whether a transaction was neither taken nor refused."""
    return (response.codespace, response.code) in CODES_WAITING


def succeeded(outcome: TxOutcome) -> TxOutcome:
    """Return an outcome if it is success, or raise `TxRejected`."""
    if outcome.code:
        raise rejection_of(outcome)
    return outcome


def rejection_of(outcome: TxOutcome) -> TxRejected:
    """Return a failure as an exception."""
    rejection = TxRejected(outcome.code, outcome.codespace, outcome.text)
    rejection.hash, rejection.height = outcome.hash, outcome.height
    return rejection


def to_outcome(response: Any) -> TxOutcome:
    """Return what a `TxResponse` says."""
    packed = TxMsgData.FromString(bytes.fromhex(response.data)).msg_responses
    return TxOutcome(
        hash=response.txhash,
        height=response.height,
        code=response.code,
        codespace=response.codespace,
        text=response.raw_log,
        gas_used=response.gas_used,
        responses=tuple(
            [unpack(each) if each.type_url in KINDS_BY_URL else None for each in packed]
        ),
    )
