"""Which transactions may wait for a block: the check state, which survives commits.

An account may have many transactions waiting at once. What they will use up, sequences and fees, is
kept here on top of committed state, so that a transaction is judged as if those before it had run.
What a block has used is forgotten when the account is next looked at. A transaction with the very
sequence that is committed is admitted anew, once a block, since its forerunner may have been lost;
what was counted behind that one is then forgotten.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from app.kernel.context import Block
from app.kernel.record import U64, Address
from app.kernel.store import Overlay, Reader
from app.kernel.tx import Tx
from app.modules import auth, bank, fees

ACCOUNTS_MAX = 20_000
WAITING_PER_ACCOUNT_MAX = 1_000


class TooManyWaiting(Exception):
    """An account with as many transactions waiting as one may have."""


@dataclass(slots=True)
class Waiting:
    """What one account's waiting transactions will use up."""

    next_sequence: int
    fees_uflt: deque[int] = field(default_factory=deque)
    """Of each transaction before `next_sequence`, the fee if the account pays it, else 0."""
    restart_height: int = 0


class Mempool:
    """What the transactions that wait for a block will use up, by account."""

    def __init__(self, verify: auth.Verify) -> None:
        self._verify = verify
        self._accounts: dict[Address, Waiting] = {}

    def admit(self, state: Reader, block: Block, tx: Tx) -> None:
        """Let a transaction wait behind its account's others; an exception says why it may not."""
        draft = Overlay(state)
        waiting = {signer: self._join(draft, block, tx, signer) for signer in tx.signers}
        fees.admit(draft, block, tx, self._verify)
        fee_uflt = sum(coin.amount for coin in tx.fee)
        for signer, account in waiting.items():
            account.next_sequence += 1
            account.fees_uflt.append(fee_uflt if signer == tx.payer else 0)
            self._accounts[signer] = account
        if len(self._accounts) > ACCOUNTS_MAX:
            del self._accounts[next(iter(self._accounts))]

    def may_still_wait(self, state: Reader, tx: Tx) -> bool:
        """Whether a transaction that was admitted can still run in a later block."""
        for signer, info in zip(tx.signers, tx.signer_infos, strict=True):
            account = auth.find_account(state, signer)
            waiting = self._accounts.get(signer)
            first = account.sequence if account else 0
            last = max(first, waiting.next_sequence - 1) if waiting else first
            if not first <= info.sequence <= last:
                return False
        return True

    def count(self, state: Reader) -> int:
        """Return how many transactions wait, one with several signers once for each."""
        found = [self._look_up(state, address) for address in list(self._accounts)]
        return sum(len(waiting.fees_uflt) for waiting in found if waiting)

    def _join(self, draft: Overlay, block: Block, tx: Tx, signer: Address) -> Waiting:
        """Return what waits for a signer, and write into the draft what that will use up."""
        account = auth.find_account(draft, signer)
        if account is None:
            return Waiting(0)
        waiting = self._look_up(draft, signer)
        if waiting is None:
            return Waiting(account.sequence)
        is_first = tx.signer_infos[tx.signers.index(signer)].sequence == account.sequence
        if is_first and waiting.restart_height != block.height:
            return Waiting(account.sequence, restart_height=block.height)
        if len(waiting.fees_uflt) >= WAITING_PER_ACCOUNT_MAX:
            raise TooManyWaiting(
                f"{WAITING_PER_ACCOUNT_MAX} transactions of this account wait already; "
                "send the next when a block has taken some"
            )
        used = replace(account, sequence=U64(waiting.next_sequence))
        auth.ACCOUNTS.put(draft, signer, used)
        balance_uflt = bank.get_balance(draft, signer) - sum(waiting.fees_uflt)
        bank.set_balance(draft, signer, bank.DENOM, max(balance_uflt, 0))
        return waiting

    def _look_up(self, state: Reader, address: Address) -> Waiting | None:
        """Return what still waits for an account, having forgotten what blocks have used."""
        waiting = self._accounts.get(address)
        if waiting is None:
            return None
        account = auth.find_account(state, address)
        left = waiting.next_sequence - account.sequence if account else 0
        if left <= 0:
            del self._accounts[address]
            return None
        while len(waiting.fees_uflt) > left:
            waiting.fees_uflt.popleft()
        return waiting
