"""The chain as a program outside sees it: ask, submit, watch.

A transaction is submitted once, or not at all: it carries a height after which it can't come any
more, and is signed anew only when the old one can't enter. One account's submissions wait for one
another. Every call goes over to the next node when one doesn't answer.
"""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from cosmpy.protos.cosmos.bank.v1beta1 import query_pb2 as bank_query
from cosmpy.protos.cosmos.base.tendermint.v1beta1 import query_pb2 as node_query
from cosmpy.protos.cosmos.staking.v1beta1 import query_pb2 as staking_query
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2

from app.chain import QUERIES
from app.kernel.bech32 import to_bech32
from app.kernel.frozen import frozen
from app.kernel.page import PAGE_MAX
from app.kernel.proof import ProofRefused, verify
from app.kernel.record import NO_ADDRESS, Address
from app.modules import bank, fees, rounds
from app.pb.pollen.node.v1 import node_pb2
from app.sdk.connection import ChainError, Connection, QueryRefused, Refused, Unreachable
from app.sdk.delivery import (
    TX_SERVICE,
    AccountState,
    Pending,
    SequenceTaken,
    TxOutcome,
    TxRejected,
    TxUnconfirmed,
    deliver,
    find_tx,
    get_account,
    poll,
    succeeded,
)
from app.sdk.signer import Signer, Signing, Terms, sign_tx
from app.sdk.stakes import Stakes, read_stakes
from app.wire.proofs import decode_proof
from app.wire.records import KINDS, from_protobuf, query_path, to_protobuf, unpack

__all__ = [
    "AccountState",
    "ChainError",
    "Client",
    "Fee",
    "JobUpdate",
    "QueryRefused",
    "Refused",
    "Stakes",
    "StoredRow",
    "TxOutcome",
    "TxRejected",
    "TxUnconfirmed",
    "Unreachable",
]

NODE_SERVICE = "/pollen.node.v1.Service"
ENGINE_SERVICE = "/cosmos.base.tendermint.v1beta1.Service"
TIMEOUT_S = 30.0
BLOCKS_PER_S_MAX = 30
"""A transaction may enter for so many blocks a second of its timeout."""
TIMEOUT_BLOCKS_SPREAD = 100
HEIGHT_AGE_S = 5.0
SIGNINGS_MAX = 8
GAS_MARGIN_PERCENT = 150
RECONNECT_S_MIN, RECONNECT_S_MAX = 0.1, 5.0
MISMATCH = re.compile(r"account sequence mismatch, expected (\d+), got \d+")


@frozen
class Fee:
    """The gas that a transaction may use, and what is paid for it in uflt."""

    gas_limit: int
    amount_uflt: int


@frozen
class JobUpdate:
    """One block's events of a job, or its whole state where a stream begins."""

    height: int
    time_ms: int
    clock_ms: int
    snapshot: rounds.JobStateResponse | None
    events: tuple[Any, ...]


@frozen
class StoredRow:
    """What a module's store holds under a key, as a proof shows it; None if nothing."""

    value: bytes | None
    height: int
    app_hash: bytes
    """The application hash under which it is proved: that of the header after `height`."""


@dataclass(slots=True)
class Turn:
    """Whose turn it is to submit for an account, and what is known of the account."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    account: AccountState | None = None


class Client:
    """A line to the chain through one or several nodes; use it as an async context, or close it."""

    def __init__(self, connection: Connection, chain_id: str) -> None:
        self.chain_id = chain_id
        self.fee_granter = NO_ADDRESS
        """Who pays the fees of what is submitted, having allowed it; nobody: who signs."""
        self._connection = connection
        self._turns: dict[Address, Turn] = {}
        self._fees: fees.Params | None = None

    @classmethod
    async def connect(cls, *addresses: str, chain_id: str = "") -> Client:
        """Return a client of the nodes at `host:port`; ChainError if it is another chain's."""
        client = cls(Connection(addresses), chain_id)
        try:
            found = (await client.status()).chain_id
            if chain_id not in ("", found):
                raise ChainError(
                    f"chain_id {chain_id!r}: {addresses[0]} is a node of {found!r}; "
                    "give another address"
                )
        except ChainError:
            await client.close()
            raise
        client.chain_id = found
        return client

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def status(self) -> node_pb2.StatusResponse:
        """Return what the node in use says of itself."""
        request, path = node_pb2.StatusRequest(), f"{NODE_SERVICE}/Status"
        status: node_pb2.StatusResponse = await self._connection.call(
            path, request, node_pb2.StatusResponse
        )
        return status

    async def check_invariants(self) -> node_pb2.CheckInvariantsResponse:
        """Return which of the chain's promises hold, as the node in use finds them."""
        request, path = node_pb2.CheckInvariantsRequest(), f"{NODE_SERVICE}/CheckInvariants"
        found: node_pb2.CheckInvariantsResponse = await self._connection.call(
            path, request, node_pb2.CheckInvariantsResponse
        )
        return found

    async def query(self, request: Any) -> Any:
        """Return the response record to a request record, such as JobRequest's JobResponse."""
        response_class = QUERIES[type(request)].response
        answer = await self._connection.call(
            query_path(type(request)), to_protobuf(request), KINDS[response_class].protobuf
        )
        return from_protobuf(response_class, answer)

    async def read_store(
        self, module: str, key: bytes, *, height: int = 0, app_hash: bytes = b""
    ) -> StoredRow:
        """Return what a module's store holds under a key; ChainError if the proof doesn't show it.

        `app_hash` is that of the header after `height`, from whom the caller believes. Without it
        the node's own word is taken for its last block's.
        """
        if not app_hash:
            last = await self.status()
            height, app_hash = last.height, last.app_hash
        request = node_query.ABCIQueryRequest(
            path=f"/store/{module}/key", data=key, height=height, prove=True
        )
        path, response_class = f"{ENGINE_SERVICE}/ABCIQuery", node_query.ABCIQueryResponse
        answer = await self._connection.call(path, request, response_class)
        if answer.code:
            raise QueryRefused(answer.code, answer.codespace, answer.log)
        try:
            value = verify(decode_proof(answer.proof_ops), app_hash, module.encode(), key)
        except ProofRefused as error:
            raise ChainError(
                f"the node's proof of {module} {key.hex()} doesn't hold: {error}; ask another node"
            ) from None
        return StoredRow(value, height, app_hash)

    async def account(self, address: Address) -> AccountState:
        """Return an account's number and next sequence; `QueryRefused` if there is none."""
        return await get_account(self._connection, address)

    async def balance(self, address: Address, denom: str = bank.DENOM) -> int:
        """Return what an account holds, in base units."""
        answer = await self._connection.call(
            "/cosmos.bank.v1beta1.Query/Balance",
            bank_query.QueryBalanceRequest(address=to_bech32(address), denom=denom),
            bank_query.QueryBalanceResponse,
        )
        return int(answer.balance.amount)

    async def validators(self) -> list[Any]:
        """Return the validators as `cosmos.staking.v1beta1.Validator`, the most powerful first."""
        request = staking_query.QueryValidatorsRequest(pagination={"limit": PAGE_MAX})
        response = await self._connection.call(
            "/cosmos.staking.v1beta1.Query/Validators",
            request,
            staking_query.QueryValidatorsResponse,
        )
        return list(response.validators)

    async def stakes(self, address: Address) -> Stakes:
        """Return what an account has staked, earned and taken out."""
        return await read_stakes(self._connection, address)

    async def find_tx(self, tx_hash: str) -> TxOutcome | None:
        """Return what became of a transaction, or None while no block has it."""
        return await find_tx(self._connection, tx_hash)

    async def wait(self, tx_hash: str, *, timeout_s: float = TIMEOUT_S) -> TxOutcome:
        """Return once a block has a transaction that succeeded; `TxRejected`, `TxUnconfirmed`."""
        outcome = await poll(self._connection, tx_hash, timeout_s)
        if outcome is None:
            raise TxUnconfirmed(tx_hash, 0)
        return succeeded(outcome)

    async def simulate(self, signer: Signer, messages: Sequence[Any], memo: str = "") -> int:
        """Return the gas that the messages would use now; `TxRejected` if they would fail."""
        terms = Terms(chain_id=self.chain_id, gas_limit=0, fee_uflt=0, memo=memo)
        raw = sign_tx(messages, [Signing(signer, 0, 0)], terms)
        request, path = service_pb2.SimulateRequest(tx_bytes=raw), f"{TX_SERVICE}/Simulate"
        try:
            answer = await self._connection.call(path, request, service_pb2.SimulateResponse)
        except QueryRefused as refusal:
            raise TxRejected(refusal.code, refusal.codespace, refusal.text) from None
        return int(answer.gas_info.gas_used)

    async def estimate_fee(self, signer: Signer, messages: Sequence[Any], memo: str = "") -> Fee:
        """Return the fee for half as much gas again as the messages would use now."""
        return await self.find_fee(await self.simulate(signer, messages, memo))

    async def find_fee(self, gas_used: int) -> Fee:
        """Return the fee for half as much gas again, at the least price."""
        if self._fees is None:
            self._fees = (await self.query(fees.ParamsRequest())).params
        gas = min(gas_used * GAS_MARGIN_PERCENT // 100, self._fees.tx_gas_max)
        return Fee(gas, fees.compute_fee_min(self._fees, gas))

    async def submit(
        self,
        signer: Signer,
        messages: Sequence[Any],
        *,
        memo: str = "",
        fee: Fee | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> TxOutcome:
        """Return once a block has the messages, in one transaction that succeeded.

        `TxRejected`: the chain refuses them. `TxUnconfirmed`: no block has them in time.
        """
        deadline_s = time.monotonic() + timeout_s
        turn = self._turns.setdefault(signer.address, Turn())
        async with turn.lock:
            fee = fee or await self.estimate_fee(signer, messages, memo)
            for _ in range(SIGNINGS_MAX):
                account = turn.account or await self.account(signer.address)
                turn.account = None
                terms = Terms(
                    chain_id=self.chain_id,
                    gas_limit=fee.gas_limit,
                    fee_uflt=fee.amount_uflt,
                    memo=memo,
                    timeout_height=await self._choose_timeout_height(deadline_s),
                    granter=self.fee_granter,
                )
                signing = Signing(signer, account.number, account.sequence)
                raw = sign_tx(messages, [signing], terms)
                pending = Pending(raw, signer.address, account.sequence, terms.timeout_height)
                try:
                    outcome = await deliver(self._connection, pending, deadline_s)
                except SequenceTaken:
                    continue
                except TxRejected as rejection:
                    self._fees = None
                    expected = MISMATCH.search(rejection.text)
                    if expected is None:
                        raise
                    turn.account = AccountState(account.number, int(expected[1]))
                else:
                    turn.account = AccountState(account.number, account.sequence + 1)
                    return outcome
        raise ChainError(
            f"the sequence of {to_bech32(signer.address)} changed {SIGNINGS_MAX} times while "
            "signing; let one program at a time submit for it"
        )

    async def watch_job(self, job_id: int, from_height: int = 0) -> AsyncIterator[JobUpdate]:
        """Walk a job's state now, or its events from a height on, then its events for ever.

        Job 0 is all jobs, and has no state. A lost stream goes on where it was: no gap, no repeat.
        `QueryRefused`: no such job.
        """
        path, wait_s = f"{NODE_SERVICE}/WatchJob", RECONNECT_S_MIN
        while True:
            request = node_pb2.WatchJobRequest(job_id=job_id, from_height=from_height)
            responses = self._connection.stream(path, request, node_pb2.WatchJobResponse)
            try:
                async with aclosing(responses):
                    async for response in responses:
                        wait_s = RECONNECT_S_MIN
                        self._connection.note_height(response.height)
                        if response.height >= from_height:
                            from_height = response.height + 1
                            if response.events or response.HasField("snapshot"):
                                yield to_update(response)
            except Unreachable:
                pass
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RECONNECT_S_MAX)

    async def _choose_timeout_height(self, deadline_s: float) -> int:
        """Return the last height at which a transaction may enter that is wanted by a deadline.

        Chance makes it differ from what another program signs for the same account just now.
        """
        now_s = time.monotonic()
        if now_s - self._connection.height_s > HEIGHT_AGE_S:
            await self.status()
        blocks = math.ceil(max(deadline_s - now_s, 1) * BLOCKS_PER_S_MAX)
        return self._connection.height + blocks + secrets.randbelow(TIMEOUT_BLOCKS_SPREAD)


def to_update(response: node_pb2.WatchJobResponse) -> JobUpdate:
    """Return one response of a stream as a record."""
    has_snapshot = response.HasField("snapshot")
    return JobUpdate(
        height=response.height,
        time_ms=response.time_unix_ms,
        clock_ms=response.clock_ms,
        snapshot=from_protobuf(rounds.JobStateResponse, response.snapshot)
        if has_snapshot
        else None,
        events=tuple([unpack(packed) for packed in response.events]),
    )
