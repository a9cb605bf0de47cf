"""An independent opinion of governance: who proposed what, what stake said of it, what then was."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from app.wire.records import open_packed
from tests.sim.stake_auditor import (
    GOVERNANCE,
    NOBODY,
    PLACES,
    TREASURY,
    StakeAuditor,
    near,
)

OPTIONS = ("YES", "ABSTAIN", "NO", "NO_WITH_VETO")
DUE_MAX = 5


@dataclass
class Terms:
    """The params that count."""

    deposit: int
    hasty_deposit: int
    deposit_ms: int
    voting_ms: int
    hasty_ms: int
    quorum: Fraction = Fraction(334, 1_000)
    veto: Fraction = Fraction(334, 1_000)
    threshold: Fraction = Fraction(1, 2)
    hasty_threshold: Fraction = Fraction(667, 1_000)
    lost: Fraction = Fraction(1, 2)
    """Of a proposal's deposits, when it is cancelled."""


@dataclass
class Motion:
    """A proposal."""

    messages: tuple[Any, ...]
    proposer: bytes
    is_hasty: bool
    due_ms: int
    status: str = "DEPOSIT_PERIOD"
    deposits: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    votes: dict[bytes, dict[str, Fraction]] = field(default_factory=dict)
    total: int = 0
    tally: tuple[int, ...] = (0, 0, 0, 0)


class GovAuditor:
    """Remembers proposals; asks the auditor of stake who may say how much."""

    def __init__(self, terms: Terms, stakes: StakeAuditor, seen: Counter[str]) -> None:
        self.terms, self.stakes, self.seen = terms, stakes, seen
        self.motions: dict[int, Motion] = {}

    def hear_submit_proposal(self, message: Any, response: Any) -> None:
        """Remember a proposal and its first deposit."""
        due_ms = self.stakes.now.clock_ms + self.terms.deposit_ms
        messages = tuple(map(open_packed, message.messages))
        motion = Motion(messages, message.proposer, message.expedited, due_ms)
        self.motions[response.proposal_id] = motion
        self.put_in(motion, message.proposer, sum(c.amount for c in message.initial_deposit))

    def hear_add_deposit(self, message: Any, _: Any) -> None:
        """Remember a deposit."""
        motion = self.motions[message.proposal_id]
        self.put_in(motion, message.depositor, sum(c.amount for c in message.amount))

    def put_in(self, motion: Motion, who: bytes, amount: int) -> None:
        """Take a deposit; enough and the vote begins."""
        self.stakes.expect(who, GOVERNANCE, amount)
        motion.deposits[who] += amount
        motion.total += amount
        terms = self.terms
        least = terms.hasty_deposit if motion.is_hasty else terms.deposit
        if motion.status == "DEPOSIT_PERIOD" and motion.total >= least:
            period_ms = terms.hasty_ms if motion.is_hasty else terms.voting_ms
            motion.status, motion.due_ms = "VOTING_PERIOD", self.stakes.now.clock_ms + period_ms

    def hear_cast_vote(self, message: Any, _: Any) -> None:
        """Remember a vote."""
        motion = self.motions[message.proposal_id]
        assert motion.status == "VOTING_PERIOD"
        motion.votes[message.voter] = {message.option.name: Fraction(1)}

    def hear_cast_weighted_vote(self, message: Any, _: Any) -> None:
        """Remember a vote of several parts."""
        motion = self.motions[message.proposal_id]
        assert motion.status == "VOTING_PERIOD"
        parts = {each.option.name: Fraction(each.weight) for each in message.options}
        assert sum(parts.values()) == 1
        motion.votes[message.voter] = parts

    def hear_cancel_proposal(self, message: Any, _: Any) -> None:
        """Give deposits back, less what it costs, and forget the proposal."""
        motion = self.motions.pop(message.proposal_id)
        assert motion.proposer == message.proposer
        for who, amount in motion.deposits.items():
            lost = floor(amount * self.terms.lost)
            self.stakes.expect(GOVERNANCE, who, amount - lost)
            self.stakes.expect(GOVERNANCE, NOBODY, lost)
        self.seen["motion cancelled"] += 1

    def end(self) -> None:
        """Drop or decide what is due; what the treasury has now it had before it spent."""
        spent = sum(n for (sender, _), n in self.stakes.flows.items() if sender == TREASURY)
        treasury = self.stakes.balances[TREASURY] + spent
        now_ms = self.stakes.now.clock_ms
        due = sorted((m.due_ms, n) for n, m in self.motions.items() if 0 < m.due_ms <= now_ms)
        for _, number in due[:DUE_MAX]:
            motion = self.motions[number]
            if motion.status == "DEPOSIT_PERIOD":
                self.close(motion, burns=False)
                del self.motions[number]
                self.seen["motion dropped"] += 1
            else:
                treasury -= self.decide(motion, treasury)

    def close(self, motion: Motion, burns: bool) -> None:
        """Give all deposits back, or burn them."""
        for who, amount in motion.deposits.items():
            self.stakes.expect(GOVERNANCE, NOBODY if burns else who, amount)
        motion.deposits.clear()
        motion.due_ms = 0

    def decide(self, motion: Motion, treasury: int) -> int:
        """Count votes and do what they say; return what the treasury spends on it."""
        counts, terms = self.count(motion), self.terms
        voted, decided = sum(counts.values()), sum(counts.values()) - counts["ABSTAIN"]
        books = self.stakes.books.values()
        bonded = sum(b.tokens for b in books if b.status == "BONDED")
        is_quorum = bool(bonded) and Fraction(voted, bonded) >= terms.quorum
        is_vetoed = is_quorum and bool(decided) and counts["NO_WITH_VETO"] / voted > terms.veto
        threshold = terms.hasty_threshold if motion.is_hasty else terms.threshold
        passes = is_quorum and bool(decided) and not is_vetoed
        passes = passes and counts["YES"] / decided > threshold
        if motion.is_hasty and not passes:
            motion.is_hasty = False
            motion.due_ms += terms.voting_ms - terms.hasty_ms
            self.seen["motion slowed"] += 1
            return 0
        motion.tally = tuple([floor(counts[option]) for option in OPTIONS])
        self.close(motion, burns=is_vetoed)
        motion.votes.clear()
        spent = sum(c.amount for m in motion.messages for c in getattr(m, "amount", ()))
        is_possible = spent <= treasury
        motion.status = ("PASSED" if is_possible else "FAILED") if passes else "REJECTED"
        self.seen[f"motion {'VETOED' if is_vetoed else motion.status}"] += 1
        if motion.status != "PASSED":
            return 0
        for message in motion.messages:
            self.run(message)
        return spent

    def count(self, motion: Motion) -> dict[str, Fraction]:
        """Return how much stake says what; who has staked goes before its validator."""
        counts = dict.fromkeys(OPTIONS, Fraction(0))
        for book in self.stakes.books.values():
            if book.status != "BONDED" or not book.shares:
                continue
            said = {who: shares for who, shares in book.shares.items() if who in motion.votes}
            if book.operator in motion.votes:
                own = said.pop(book.operator, Fraction(0))
                add(counts, motion.votes[book.operator], near(own * book.tokens / book.total))
                left = book.total - own - sum(said.values())
                add(counts, motion.votes[book.operator], near(left * book.tokens / book.total))
            for who, shares in said.items():
                add(counts, motion.votes[who], near(shares * book.tokens / book.total))
        return counts

    def run(self, message: Any) -> None:
        """Do what a message of governance does."""
        kind, rules = type(message).__name__, self.stakes.rules
        if kind == "CommunityPoolSpend":
            self.stakes.expect(TREASURY, message.recipient, sum(c.amount for c in message.amount))
        elif kind == "UpdateStakingParams":
            rules.validators_max = message.params.max_validators
            rules.unbonding_ms = message.params.unbonding_time
        elif kind == "UpdateDistributionParams":
            rules.tax = Fraction(message.params.community_tax, PLACES)
        else:
            assert kind == "UpdateSlashingParams"
            rules.downtime = Fraction(message.params.slash_fraction_downtime, PLACES)
            rules.double_sign = Fraction(message.params.slash_fraction_double_sign, PLACES)
        self.seen[kind] += 1

    def check(self, proposals: Mapping[int, Any], balance: int) -> None:
        """Hold the chain's proposals, and what governance holds, against the own."""
        told = {
            number: (
                row.status.name,
                row.expedited,
                tally_of(row),
                sum(c.amount for c in row.total_deposit),
            )
            for number, row in proposals.items()
        }
        mine = {n: (m.status, m.is_hasty, m.tally, m.total) for n, m in self.motions.items()}
        assert told == mine
        assert balance == sum(sum(m.deposits.values()) for m in self.motions.values())


def add(counts: dict[str, Fraction], vote: Mapping[str, Fraction], power: Fraction) -> None:
    """Add stake to what a vote says."""
    for option, weight in vote.items():
        counts[option] += near(power * weight)


def tally_of(row: Any) -> tuple[int, ...]:
    """Return a proposal's final counts."""
    tally = row.final_tally_result
    return (tally.yes_count, tally.abstain_count, tally.no_count, tally.no_with_veto_count)
