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
from app.kernel.store import MemoryStore, Overlay, Reader
from app.kernel.tx import Tx
from app.modules import auth, bank, fees

ACCOUNTS_MAX = 20_000
WAITING_PER_ACCOUNT_MAX = 1_000


class TooManyWaiting(Exception):
    """An account with as many transactions waiting as one may have."""


@dataclass(slots=True)
class Waiting:
    """What one account's waiting transactions will use up."""

    next_sequence: int = 0
    fees_uflt: deque[int] = field(default_factory=deque)
    """Of each transaction before `next_sequence`, the fee if the account pays it, else 0."""
    restart_height: int = 0


class Mempool:
    """What the transactions that wait for a block will use up, by account."""

    def __init__(self, verify: auth.Verify) -> None:
        self._verify = verify
        self._accounts: dict[Address, Waiting] = {}
        self._height = 0
        self._draft = Overlay(MemoryStore())
        self._joined: set[Address] = set()

    def admit(self, state: Reader, block: Block, tx: Tx) -> None:
        """Let a transaction wait behind its account's others; an exception says why it may not."""
        if block.height != self._height or state is not self._draft.parent:
            self._height, self._draft = block.height, Overlay(state)
            self._joined.clear()
        for signer, info in zip(tx.signers, tx.signer_infos, strict=False):
            self._join(signer, info.sequence)
        admission = Overlay(self._draft)
        fees.admit(admission, block, tx, self._verify)
        admission.merge_into(self._draft)
        fee_uflt = sum(coin.amount for coin in tx.fee)
        for signer, info in zip(tx.signers, tx.signer_infos, strict=True):
            waiting = self._accounts.setdefault(signer, Waiting())
            waiting.next_sequence = info.sequence + 1
            waiting.fees_uflt.append(fee_uflt if signer == tx.payer else 0)
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

    def _join(self, signer: Address, sequence: int) -> None:
        """Make the draft show what a signer's waiting transactions will use up."""
        state = self._draft.parent
        waiting = self._look_up(state, signer)
        if waiting is None:
            return
        account = auth.ACCOUNTS.must(state, signer)
        if sequence == account.sequence and waiting.restart_height != self._height:
            self._accounts[signer] = Waiting(restart_height=self._height)
            self._show(signer, account, 0)
        elif len(waiting.fees_uflt) >= WAITING_PER_ACCOUNT_MAX:
            raise TooManyWaiting(
                f"{WAITING_PER_ACCOUNT_MAX} transactions of this account wait already; "
                "send the next when a block has taken some"
            )
        elif signer not in self._joined:
            ahead = replace(account, sequence=U64(waiting.next_sequence))
            self._show(signer, ahead, sum(waiting.fees_uflt))

    def _show(self, signer: Address, account: auth.Account, fees_uflt: int) -> None:
        """Write an account into the draft, less the fees that its waiting transactions pay."""
        balance_uflt = bank.get_balance(self._draft.parent, signer)
        auth.ACCOUNTS.put(self._draft, signer, account)
        bank.set_balance(self._draft, signer, bank.DENOM, max(balance_uflt - fees_uflt, 0))
        self._joined.add(signer)

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
