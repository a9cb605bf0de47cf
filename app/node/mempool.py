"""Which transactions may wait for a block: the check state, which survives commits.

An account may have many transactions waiting at once. What they will use up, sequences and fees, is
kept here on top of committed state, so that a transaction is judged as if those before it had run.
What a block has used is forgotten when the account is next looked at. A transaction with the very
sequence that is committed is admitted anew, once a block, since its forerunner may have been lost;
what was counted behind that one is then forgotten. A fee that a granter pays is kept from what the
granter may spend, and from its allowance.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from app.kernel.context import Block
from app.kernel.record import NO_ADDRESS, U64, U128, Address
from app.kernel.store import Reader
from app.kernel.tx import Coin, Tx
from app.modules import auth, bank, feegrant, fees

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
    total_uflt: int = 0
    """The sum of these fees."""
    restart_height: int = 0

    def push(self, sequence: int, fee_uflt: int) -> None:
        """Let one more transaction wait."""
        self.next_sequence = sequence + 1
        self.fees_uflt.append(fee_uflt)
        self.total_uflt += fee_uflt

    def keep(self, count: int) -> None:
        """Forget the first transactions, all but so many."""
        while len(self.fees_uflt) > count:
            self.total_uflt -= self.fees_uflt.popleft()


@dataclass(slots=True)
class Granted:
    """What the waiting transactions will use up whose fees one account pays for others."""

    height: int
    """Of the block for which those that had left were last forgotten."""
    fees_uflt: dict[tuple[Address, int], int] = field(default_factory=dict)
    """By grantee and sequence."""
    totals_uflt: Counter[Address] = field(default_factory=Counter)
    """By grantee."""

    def push(self, grantee: Address, sequence: int, fee_uflt: int) -> None:
        """Let one more transaction wait, in the place of one with its sequence."""
        place = (grantee, sequence)
        self.totals_uflt[grantee] += fee_uflt - self.fees_uflt.get(place, 0)
        self.fees_uflt[place] = fee_uflt


class Mempool:
    """What the transactions that wait for a block will use up, by account."""

    def __init__(self, verify: auth.Verify, *, may_restart: bool = True) -> None:
        self._verify = verify
        self._may_restart = may_restart
        self._accounts: dict[Address, Waiting] = {}
        self._granted: dict[Address, Granted] = {}

    def admit(self, state: Reader, block: Block, tx: Tx) -> None:
        """Let a transaction wait behind its account's others; an exception says why it may not."""
        fee_uflt = fees.check(fees.PARAMS.get(state), tx)
        accounts, queues = [], []
        for signer, info in zip(tx.signers, tx.signer_infos, strict=False):
            account, waiting = self._look_ahead(state, block.height, signer, info.sequence)
            accounts.append(account)
            queues.append(waiting)
        auth.check_signers(accounts, block, tx, self._verify)
        is_granted = tx.granter not in (NO_ADDRESS, tx.payer)
        if is_granted:
            self._check_allowance(state, block, tx, fee_uflt)
        elif fee_uflt:
            reserved_uflt = queues[tx.signers.index(tx.payer)].total_uflt
            self._check_funds(state, block, tx.payer, reserved_uflt, fee_uflt)
        for signer, info, waiting in zip(tx.signers, tx.signer_infos, queues, strict=True):
            waiting.push(info.sequence, fee_uflt if signer == tx.payer and not is_granted else 0)
            self._accounts[signer] = waiting
        if is_granted:
            sequence = tx.signer_infos[tx.signers.index(tx.payer)].sequence
            granted = self._granted.setdefault(tx.granter, Granted(block.height))
            granted.push(tx.payer, sequence, fee_uflt)
        if len(self._accounts) > ACCOUNTS_MAX:
            del self._accounts[next(iter(self._accounts))]
        if len(self._granted) > ACCOUNTS_MAX:
            del self._granted[next(iter(self._granted))]

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
        found = [
            self._look_up(address, auth.find_account(state, address))
            for address in list(self._accounts)
        ]
        return sum(len(waiting.fees_uflt) for waiting in found if waiting)

    def _check_allowance(self, state: Reader, block: Block, tx: Tx, fee_uflt: int) -> None:
        """Refuse a fee beyond what its granter allows and has, less what waits already."""
        granted = self._look_up_granted(state, block.height, tx.granter)
        waiting_uflt = granted.totals_uflt[tx.payer] if granted else 0
        feegrant.compute_left(state, block, tx, waiting_uflt + fee_uflt)
        own = self._look_up(tx.granter, auth.find_account(state, tx.granter))
        self._check_funds(state, block, tx.granter, own.total_uflt if own else 0, fee_uflt)

    def _check_funds(
        self, state: Reader, block: Block, source: Address, reserved_uflt: int, fee_uflt: int
    ) -> None:
        """Refuse a fee beyond what an account has, less what its own and others' fees will take."""
        if self._granted:
            granted = self._look_up_granted(state, block.height, source)
            reserved_uflt += granted.totals_uflt.total() if granted else 0
        free_uflt = max(bank.get_balance(state, source) - reserved_uflt, 0)
        bank.check_funds(free_uflt, source, Coin(bank.DENOM, U128(fee_uflt)))

    def _look_up_granted(self, state: Reader, height: int, granter: Address) -> Granted | None:
        """Return what waits at a granter's expense; what blocks have used is forgotten in each."""
        known = self._granted.get(granter)
        if known is None or known.height == height:
            return known
        left = self._granted[granter] = Granted(height)
        for (grantee, sequence), fee_uflt in known.fees_uflt.items():
            account, waiting = auth.find_account(state, grantee), self._accounts.get(grantee)
            if account and waiting and account.sequence <= sequence < waiting.next_sequence:
                left.push(grantee, sequence, fee_uflt)
        return left

    def _look_ahead(
        self, state: Reader, height: int, signer: Address, sequence: int
    ) -> tuple[auth.Account | None, Waiting]:
        """Return an account as its waiting transactions will leave it, and what they use up."""
        account = auth.find_account(state, signer)
        waiting = self._look_up(signer, account)
        if account is None or waiting is None:
            return account, Waiting()
        is_first = sequence == account.sequence and self._may_restart
        if is_first and waiting.restart_height != height:
            return account, Waiting(restart_height=height)
        if len(waiting.fees_uflt) >= WAITING_PER_ACCOUNT_MAX:
            raise TooManyWaiting(
                f"{WAITING_PER_ACCOUNT_MAX} transactions of this account wait already; "
                "send the next when a block has taken some"
            )
        ahead = auth.Account(account.number, U64(waiting.next_sequence), account.pubkey)
        return ahead, waiting

    def _look_up(self, address: Address, account: auth.Account | None) -> Waiting | None:
        """Return what still waits for an account, having forgotten what blocks have used."""
        waiting = self._accounts.get(address)
        if waiting is None:
            return None
        left = waiting.next_sequence - account.sequence if account else 0
        if left <= 0:
            del self._accounts[address]
            return None
        waiting.keep(left)
        return waiting
