"""An independent opinion of stake: plain dicts and fractions, Cosmos' sentences, no chain's rule.

The auditor hears what people did and works out what every validator, delegation, unbonding and
redelegation is; what rewards have been earned, exactly; who takes part in consensus and what the
engine must be told; and which money must have moved. What the chain pays may lack the part of a
uflt that it can't pay yet, nothing else.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from app.kernel.bech32 import CONSENSUS_PREFIX, to_bech32
from tests.sim.books import account, coins

BONDED, OTHERS = account("bonded_tokens_pool"), account("not_bonded_tokens_pool")
REWARDS, COLLECTOR, TREASURY = map(account, ("distribution", "fee_collector", "treasury"))
GOVERNANCE = account("gov")
NOBODY = b""
WATCHED = (BONDED, OTHERS, REWARDS, GOVERNANCE)
PLACES = 10**18
POWER_UFLT = 1_000_000
DELAY_BLOCKS = 2
"""Votes that are missed are of the block before, by powers that were changed two blocks earlier."""
DUST = Fraction(1, 1_000)
"""What rounding at the 18th place may come to in a whole simulation."""


def cut(value: Fraction) -> Fraction:
    """Return a number with 18 places, rounded down."""
    return Fraction(floor(value * PLACES), PLACES)


def near(value: Fraction) -> Fraction:
    """Return a number with 18 places, a half rounded to even."""
    return Fraction(round(value * PLACES), PLACES)


def order(*parts: bytes) -> tuple[bytes, ...]:
    """Return what names of rows sort by on chain."""
    return tuple([hashlib.sha256(part).digest()[:20] for part in parts])


@dataclass
class Leaving:
    """Money on its way out, or stake that was moved."""

    height: int
    end_ms: int
    initial: int
    balance: int = 0
    shares: Fraction = Fraction(0)


@dataclass
class Book:
    """What the auditor knows of a validator."""

    operator: bytes
    key: bytes
    rate: Fraction
    self_min: int = 1
    tokens: int = 0
    shares: dict[bytes, Fraction] = field(default_factory=dict)
    status: str = "UNBONDED"
    jailed: bool = False
    power: int = 0
    height: int = 0
    end_ms: int = 0
    commission: Fraction = Fraction(0)
    owed: dict[bytes, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    dropped: Fraction = Fraction(0)
    """Parts of a uflt that were left when somebody took out everything."""

    @property
    def address(self) -> bytes:
        """Its consensus address."""
        return hashlib.sha256(self.key).digest()[:20]

    @property
    def total(self) -> Fraction:
        """All shares."""
        return sum(self.shares.values(), Fraction(0))

    @property
    def pool(self) -> bytes:
        """Who holds its tokens."""
        return BONDED if self.status == "BONDED" else OTHERS

    def worth(self, shares: Fraction) -> Fraction:
        """Return what shares are worth, in uflt."""
        return near(shares * self.tokens / self.total)

    def shares_of(self, amount: int) -> Fraction:
        """Return the shares that so much is worth."""
        return cut(self.total * amount / self.tokens) if self.shares else Fraction(amount)


@dataclass
class Record:
    """What a validator has missed."""

    missed: set[int] = field(default_factory=set)
    until_ms: int = 0
    is_tombstoned: bool = False


@dataclass
class Rules:
    """The params that count."""

    unbonding_ms: int
    jail_ms: int
    window: int
    sample_ms: int
    signed: Fraction
    validators_max: int = 100
    tax: Fraction = Fraction(1, 50)
    downtime: Fraction = Fraction(1, 10_000)
    double_sign: Fraction = Fraction(1, 20)


@dataclass
class Now:
    """The block at hand."""

    height: int = 0
    time_ms: int = 0
    clock_ms: int = 0
    previous_ms: int = 0
    """By the chain's clock."""


class StakeAuditor:
    """Remembers who has staked what with whom, and what that has earned."""

    def __init__(self, rules: Rules, balances: Mapping[bytes, int], seen: Counter[str]) -> None:
        self.rules, self.balances, self.seen, self.now = rules, balances, seen, Now()
        self.books: dict[bytes, Book] = {}
        self.unbonding: dict[tuple[bytes, bytes], list[Leaving]] = defaultdict(list)
        self.moved: dict[tuple[bytes, bytes, bytes], list[Leaving]] = defaultdict(list)
        self.records: dict[bytes, Record] = defaultdict(Record)
        self.recipients: dict[bytes, bytes] = {}
        self.carry = Fraction(0)
        self.flows: Counter[tuple[bytes, bytes]] = Counter()
        self.expected: Counter[tuple[bytes, bytes]] = Counter()
        self.powers: dict[bytes, int] = {}
        self.slashed: list[tuple[str, str, int]] = []

    def found(self, operator: bytes, key: bytes, stake: int) -> None:
        """Remember a validator of genesis."""
        shares = {operator: Fraction(stake)}
        book = Book(operator, key, Fraction(1, 10), tokens=stake, shares=shares)
        book.status, book.power = "BONDED", stake // POWER_UFLT
        self.books[operator] = book

    def flow(self, sender: bytes, recipient: bytes, amount: int) -> None:
        """Note money that moved to or from the accounts of staking and governance."""
        if sender in (*WATCHED, COLLECTOR, TREASURY) or recipient in WATCHED:
            self.flows[sender, recipient] += amount

    def expect(self, sender: bytes, recipient: bytes, amount: int) -> None:
        """Note money that must have moved."""
        self.expected[sender, recipient] += amount if sender != recipient else 0

    def settle(self) -> None:
        """Hold what moved against what must have."""
        assert +self.flows == +self.expected, (self.flows, self.expected)
        self.flows.clear()
        self.expected.clear()

    # What was paid

    def on_rewards_withdrawn(self, event: Any) -> None:
        """Check that a delegator was paid what it had earned, up to a part of a uflt."""
        book, amount = self.books[event.validator], coins(event.amount)
        left = book.owed[event.delegator] - amount
        assert -DUST < left < 1 + DUST, to_bech32(event.delegator)
        book.owed[event.delegator] = left
        self.expect(REWARDS, self.recipients.get(event.delegator, event.delegator), amount)
        self.seen["reward paid"] += amount > 0

    def on_commission_withdrawn(self, event: Any) -> None:
        """Check that an operator was paid its commission, up to a part of a uflt."""
        book, amount = self.books[event.validator], coins(event.amount)
        book.commission -= amount
        assert -DUST < book.commission < 1 + DUST, to_bech32(event.validator)
        self.expect(REWARDS, self.recipients.get(book.operator, book.operator), amount)
        self.seen["commission paid"] += 1

    def on_validator_slashed(self, event: Any) -> None:
        """Remember what a validator is said to have lost, and why."""
        self.slashed.append((event.address, event.reason, coins(event.burned_coins)))

    # What people did

    def hear_create_validator(self, message: Any, _: Any) -> None:
        """Remember another validator."""
        rate = Fraction(message.commission.rate, PLACES)
        operator = message.validator_address
        book = Book(operator, message.pubkey, rate, message.min_self_delegation)
        assert not self.records[book.address].is_tombstoned
        self.books[operator] = book
        self.add(book, operator, message.value.amount, operator)
        self.seen["validator created"] += 1

    def hear_edit_validator(self, message: Any, _: Any) -> None:
        """Remember another commission, or another promise."""
        book = self.books[message.validator_address]
        if message.commission_rate:
            book.rate = Fraction(int(message.commission_rate), PLACES)
        if message.min_self_delegation:
            book.self_min = int(message.min_self_delegation)
        self.seen["validator edited"] += 1

    def hear_delegate(self, message: Any, _: Any) -> None:
        """Remember stake."""
        who = message.delegator_address
        self.add(self.books[message.validator_address], who, message.amount.amount, who)
        self.seen["delegated"] += 1

    def hear_undelegate(self, message: Any, response: Any) -> None:
        """Remember stake on its way out."""
        who, book = message.delegator_address, self.books[message.validator_address]
        pool = book.pool
        amount = self.take(book, who, book.shares_of(message.amount.amount))
        self.expect(pool, OTHERS, amount)
        end_ms = self.now.clock_ms + self.rules.unbonding_ms
        entry = Leaving(self.now.height, end_ms, amount, amount)
        self.unbonding[who, book.operator].append(entry)
        assert (response.amount.amount, response.completion_time) == (amount, self.date(end_ms))
        self.seen["undelegated"] += 1

    def hear_begin_redelegate(self, message: Any, response: Any) -> None:
        """Remember stake that was moved, and until when it answers for its former validator."""
        who, source = message.delegator_address, self.books[message.validator_src_address]
        target = self.books[message.validator_dst_address]
        pool = source.pool
        amount = self.take(source, who, source.shares_of(message.amount.amount))
        assert amount > 0
        shares = self.add(target, who, amount, pool)
        end_ms, height = self.now.clock_ms + self.rules.unbonding_ms, self.now.height
        if source.status != "BONDED":
            end_ms, height = source.end_ms, source.height
        is_free = source.status == "UNBONDED"
        if not is_free:
            entry = Leaving(height, end_ms, amount, shares=shares)
            self.moved[who, source.operator, target.operator].append(entry)
        assert response.completion_time == self.date(self.now.clock_ms if is_free else end_ms)
        self.seen["redelegated"] += 1

    def hear_cancel_unbonding_delegation(self, message: Any, _: Any) -> None:
        """Remember stake that was on its way out and stays."""
        who, book = message.delegator_address, self.books[message.validator_address]
        entries, amount = self.unbonding[who, book.operator], message.amount.amount
        entry = next(each for each in entries if each.height == message.creation_height)
        entry.balance, entry.initial = entry.balance - amount, max(0, entry.initial - amount)
        assert entry.balance >= 0
        if not entry.balance:
            entries.remove(entry)
        self.add(book, who, amount, OTHERS)
        self.seen["unbonding cancelled"] += 1

    def hear_set_withdraw_address(self, message: Any, _: Any) -> None:
        """Remember who gets somebody's rewards."""
        self.recipients[message.delegator_address] = message.withdraw_address

    def hear_unjail(self, message: Any, _: Any) -> None:
        """Remember a validator that takes part again."""
        book = self.books[message.validator_addr]
        record = self.records[book.address]
        assert book.jailed
        assert not record.is_tombstoned
        assert self.now.clock_ms >= record.until_ms
        assert floor(book.worth(book.shares[book.operator])) >= book.self_min
        book.jailed = False
        self.seen["unjailed"] += 1

    def date(self, clock_ms: int) -> int:
        """Return when the chain's clock shows a time, unless the chain stands still before."""
        return clock_ms + self.now.time_ms - self.now.clock_ms

    def add(self, book: Book, who: bytes, amount: int, source: bytes) -> Fraction:
        """Stake an account's money for somebody; what it had earned was paid before."""
        shares = book.shares_of(amount)
        self.expect(source, book.pool, amount)
        assert book.owed[who] < 1 + DUST
        book.tokens += amount
        book.shares[who] = book.shares.get(who, Fraction(0)) + shares
        return shares

    def take(self, book: Book, who: bytes, shares: Fraction) -> int:
        """Take out shares; return what they were worth."""
        assert 0 < shares <= book.shares[who]
        assert book.owed[who] < 1 + DUST
        left = book.shares[who] - shares
        amount = book.tokens if book.total == shares else floor(book.worth(shares))
        book.tokens -= amount
        book.shares[who] = left
        if not left:
            book.dropped += book.owed.pop(who)
            del book.shares[who]
        if who == book.operator and (not left or floor(book.worth(left)) < book.self_min):
            book.jailed = True
        self.forget_empty(book)
        return amount

    def forget_empty(self, book: Book) -> None:
        """Forget a validator that nobody has staked with; what is left of it is for the others."""
        if book.status == "UNBONDED" and not book.shares:
            assert book.commission < 1 + DUST
            self.carry += book.commission + book.dropped
            del self.books[book.operator]
            self.seen["validator removed"] += 1

    # What blocks bring

    def begin(self, now: Now, misbehaviour: Iterable[Any], absent: Iterable[bytes]) -> None:
        """Convict who voted twice and who was absent too often, as the chain has said it did."""
        self.now = now
        told, self.slashed = self.slashed, []
        self.convict(misbehaviour, absent)
        assert self.slashed == told
        self.slashed = []

    def convict(self, misbehaviour: Iterable[Any], absent: Iterable[bytes]) -> None:
        """Slash who voted twice; in a sample's first block see who was absent."""
        now = self.now
        for each in misbehaviour:
            record, book = self.records[each.validator], self.find(each.validator)
            if book and book.status != "UNBONDED" and not record.is_tombstoned:
                record.is_tombstoned = True
                self.slash(book, "double_sign", each.height - 1, each.power)
                self.seen["voted twice"] += 1
        sample_ms, window = self.rules.sample_ms, self.rules.window
        sample = now.clock_ms // sample_ms
        if sample == now.previous_ms // sample_ms:
            return
        for address in sorted(absent):
            book = self.find(address)
            if book is None or book.jailed or not book.power:
                continue
            missed = self.records[address].missed | {sample}
            recent = [each for each in missed if each > sample - window]
            self.records[address].missed = missed
            is_old = sample - min(missed) + 1 >= window
            if is_old and len(recent) > window - floor(self.rules.signed * window):
                self.records[address] = Record(until_ms=now.clock_ms + self.rules.jail_ms)
                self.slash(book, "missing_signature", now.height - DELAY_BLOCKS, book.power)
                self.seen["absent"] += 1

    def find(self, address: bytes) -> Book | None:
        """Return the validator with a consensus address."""
        return next((book for book in self.books.values() if book.address == address), None)

    def slash(self, book: Book, reason: str, height: int, power: int) -> None:
        """Burn a part of what stood behind a validator at a height, wherever it is now; jail it."""
        part = self.rules.double_sign if reason == "double_sign" else self.rules.downtime
        lost, now_ms = floor(power * POWER_UFLT * part), self.now.clock_ms
        for (_, operator), entries in self.unbonding.items():
            for entry in entries:
                if operator == book.operator and entry.height >= height and entry.end_ms > now_ms:
                    lost -= floor(entry.initial * part)
                    burned = min(floor(entry.initial * part), entry.balance)
                    entry.balance -= burned
                    self.expect(OTHERS, NOBODY, burned)
                    self.seen["leaving slashed"] += burned > 0
        for place in sorted(self.moved, key=lambda place: order(place[0], place[2])):
            who, source, destination = place
            for entry in self.moved[place]:
                is_due = entry.height >= height and entry.end_ms > now_ms
                if source == book.operator and is_due:
                    lost -= floor(entry.initial * part)
                    self.slash_moved(who, destination, near(entry.shares * part))
        burned = min(max(lost, 0), book.tokens)
        book.tokens -= burned
        self.expect(book.pool, NOBODY, burned)
        book.jailed = True
        self.slashed.append((to_bech32(book.address, CONSENSUS_PREFIX), reason, burned))

    def slash_moved(self, who: bytes, destination: bytes, shares: Fraction) -> None:
        """Burn shares in the validator to which stake was moved, as far as they are there."""
        book = self.books.get(destination)
        held = min(shares, book.shares.get(who, Fraction(0))) if book else Fraction(0)
        if book and held:
            pool = book.pool
            self.expect(pool, NOBODY, self.take(book, who, held))
            self.seen["moved slashed"] += 1

    def end(self, fees: int) -> None:
        """Share fees, choose who takes part, release what is due."""
        self.share(fees)
        self.choose()
        now_ms = self.now.clock_ms
        for book in list(self.books.values()):
            if book.status == "UNBONDING" and book.end_ms <= now_ms:
                book.status = "UNBONDED"
                self.forget_empty(book)
        for (who, _), entries in self.unbonding.items():
            for entry in [each for each in entries if each.end_ms <= now_ms]:
                self.expect(OTHERS, who, entry.balance)
                entries.remove(entry)
                self.seen["unbonded"] += 1
        for entries in self.moved.values():
            entries[:] = [each for each in entries if each.end_ms > now_ms]

    def share(self, fees: int) -> None:
        """Share a block's fees by power, each part by commission and shares."""
        power = sum(book.power for book in self.books.values())
        if not fees or not power:
            return
        tax = floor(fees * self.rules.tax)
        self.expect(COLLECTOR, TREASURY, tax)
        self.expect(COLLECTOR, REWARDS, fees - tax)
        pot, self.carry = fees - tax + self.carry, Fraction(0)
        for book in self.books.values():
            earned = pot * book.power / power
            commission = earned * book.rate if book.shares else earned
            book.commission += commission
            total = book.total
            for who, shares in book.shares.items():
                book.owed[who] += (earned - commission) * shares / total

    def choose(self) -> None:
        """Let the most powerful take part; while nobody may, all stays as it is."""
        self.powers = {}
        able = [b for b in self.books.values() if not b.jailed and b.tokens >= POWER_UFLT]
        able.sort(key=lambda book: (-(book.tokens // POWER_UFLT), order(book.operator)))
        chosen = able[: self.rules.validators_max]
        for book in list(self.books.values()) if chosen else ():
            power = book.tokens // POWER_UFLT if book in chosen else 0
            if book.power != power:
                self.powers[book.key] = power
            if book.status == "BONDED" and not power:
                self.expect(BONDED, OTHERS, book.tokens)
                book.status, book.height = "UNBONDING", self.now.height
                book.end_ms = self.now.clock_ms + self.rules.unbonding_ms
                self.seen["left"] += 1
            elif book.status != "BONDED" and power:
                self.expect(OTHERS, BONDED, book.tokens)
                book.status, book.height, book.end_ms = "BONDED", 0, 0
                self.seen["took part"] += 1
            book.power = power

    # What the chain says

    def check(self, rows: Mapping[str, Iterable[Any]], powers: Mapping[bytes, int]) -> None:
        """Hold the chain's validators, delegations and entries against the own ones."""
        assert powers == self.powers
        names = {row.operator: row for row in rows["validators"]}
        assert names.keys() == self.books.keys()
        for operator, row in names.items():
            book = self.books[operator]
            told = (row.tokens_uflt, row.status.name, row.jailed, row.power, row.unbonding_ms)
            mine = (book.tokens, book.status, book.jailed, book.power, book.end_ms)
            assert told == mine, (row.description.moniker, told, mine)
            assert Fraction(row.shares, PLACES) == book.total
        shares = {(r.delegator, r.operator): Fraction(r.shares, PLACES) for r in rows["shares"]}
        assert shares == {
            (w, b.operator): s for b in self.books.values() for w, s in b.shares.items()
        }
        unbonding = {(r.delegator, r.operator): entries_of(r) for r in rows["unbonding"]}
        assert unbonding == {k: list(map(plain, es)) for k, es in self.unbonding.items() if es}
        moved = {(r.delegator, r.source, r.destination): entries_of(r) for r in rows["moved"]}
        assert moved == {k: list(map(plain, es)) for k, es in self.moved.items() if es}
        books = self.books.values()
        entries = [entry for entries in self.unbonding.values() for entry in entries]
        bonded = sum(b.tokens for b in books if b.status == "BONDED")
        assert self.balances[BONDED] == bonded
        others = sum(b.tokens for b in books) - bonded + sum(e.balance for e in entries)
        assert self.balances[OTHERS] == others
        owed = sum(sum(b.owed.values(), b.commission + b.dropped) for b in books)
        assert self.balances[REWARDS] == owed + self.carry


def entries_of(row: Any) -> list[tuple[Any, ...]]:
    """Return a row's entries in plain words."""
    return [
        (
            e.height,
            e.release_ms,
            e.initial_uflt,
            getattr(e, "balance_uflt", 0),
            getattr(e, "shares", 0),
        )
        for e in row.entries
    ]


def plain(entry: Leaving) -> tuple[Any, ...]:
    """Return an entry in plain words."""
    return (entry.height, entry.end_ms, entry.initial, entry.balance, int(entry.shares * PLACES))
