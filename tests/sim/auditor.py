"""An independent opinion of the money: plain dicts, the protocol's sentences, no rule of the chain.

The auditor keeps two books. The first follows every movement that the chain reports and must agree
with all balances after each block. The second asks whether each movement was right: it remembers
what people did (bonded, funded, joined, revealed) and works out by itself what a round, a refund, a
deposit or a bond is worth, what each fault costs and whose the slashed money is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from app.kernel.bech32 import to_bech32
from tests.sim.books import (
    PPM,
    Missed,
    Place,
    RoundFacts,
    aborted_shares,
    account,
    claimed_shares,
    coins,
    even,
    event_name,
    full_shares,
    snake_case,
    twins,
)
from tests.sim.dispute_auditor import DISPUTES, PROVEN_FAULTS, DisputeAuditor
from tests.sim.gov_auditor import GovAuditor, Terms
from tests.sim.grants import Grants
from tests.sim.referee import Attempt, Referee, middle
from tests.sim.stake_auditor import BONDED, NOBODY, WATCHED, Rules, StakeAuditor, near

LEAST_RATE, MOST_RATE, MINTS_PER_YEAR = Fraction(7, 100), Fraction(1, 5), 525_960
"""Of the chains with inflation, which mint every minute."""
RATE_CHANGE, STAKED_GOAL = Fraction(1, 10), Fraction(67, 100)
FEE_PPM = 10_000
FAULT_PPM = {"MISSED_COMMIT": 5_000, "UNREVEALED_UPDATE": 20_000, "NO_AGGREGATE": 50_000}
FAULT_PPM |= {"UNREVEALED_SCORES": 20_000}
EXCUSE_ROUNDS = 20
JOIN_DEPOSIT, REJECTION_DEPOSIT, POSTING_COST = 1_000_000, 10_000_000, 10_000_000


ESCROW, BONDS, DEPOSITS, TREASURY = map(account, ("escrow", "bonds", "deposits", "treasury"))
COLLECTOR, SLASHED = account("fee_collector"), account("slashed")


@dataclass
class JobBook:
    """What the auditor knows of one job."""

    spec: Any
    requester: bytes
    funded: dict[bytes, int] = field(default_factory=dict)
    paid: int = 0
    held: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    refunds: dict[bytes, int] = field(default_factory=dict)
    rounds: dict[int, dict[bytes, int]] = field(default_factory=lambda: defaultdict(dict))
    released_ppm: int = PPM
    committee_uflt: int = 0
    measuring: list[int] = field(default_factory=list)

    @property
    def escrow(self) -> int:
        """What should be left of what was paid in."""
        return sum(self.funded.values()) - self.paid


class Auditor:
    """Hears what the chain says and checks it."""

    def __init__(self, balances: Mapping[bytes, int], rules: Rules, terms: Terms) -> None:
        self.balances = defaultdict(int, balances)
        self.supply = sum(balances.values())
        self.payout: dict[bytes, bytes] = {}
        self.bonded: dict[bytes, int] = defaultdict(int)
        self.unbonding: dict[tuple[bytes, int], tuple[int, int]] = {}
        self.jobs: dict[int, JobBook] = {}
        self.sequences: dict[bytes, int] = defaultdict(int)
        self.deposits: dict[tuple[bytes, int], int] = defaultdict(int)
        self.forfeited = 0
        self.due: dict[tuple[Place, bytes], Missed] = {}
        self.members: dict[int, int] = {}
        self.judged: dict[bytes, int] = defaultdict(int)
        self.excused: dict[bytes, int] = {}
        self.posted: dict[Place, set[int]] = defaultdict(set)
        self.slashed: dict[Place, int] = defaultdict(int)
        self.compensated: dict[Place, dict[bytes, int]] = defaultdict(dict)
        self.burned: dict[Place, int] = defaultdict(int)
        self.seen: Counter[str] = Counter()
        self.referee = Referee()
        self.grants = Grants()
        self.disputes = DisputeAuditor(self)
        self.stakes = StakeAuditor(rules, self.balances, self.seen)
        self.motions = GovAuditor(terms, self.stakes, self.seen)
        self.fees: dict[int, int] = {}
        self.inflation = Fraction(0)

    def expect_admission(self, tx: Any, fee: int, time_ms: int) -> bool:
        """Say whether a transaction may enter a block now; it must be asked in block order."""
        signer = tx.signer.address
        is_right = tx.is_signed and tx.sequence == self.sequences[signer]
        if not is_right or self.balances[tx.source] < fee:
            return False
        kinds = [type(message).__name__ for message in tx.messages]
        if tx.source != signer and not self.grants.may_pay(
            tx.source, signer, fee, time_ms, kinds=kinds
        ):
            return False
        self.sequences[signer] += 1
        return True

    def hear(self, message: Any, response: Any) -> None:
        """Remember a message that took effect."""
        self.seen[self.referee.hear(message)] += 1
        for listener in (self, self.disputes, self.stakes, self.motions):
            hear = getattr(listener, f"hear_{snake_case(type(message))}", None)
            if hear is not None:
                hear(message, response)

    def hear_register(self, message: Any, _: Any) -> None:
        """Remember a registration."""
        self.payout[message.participant] = message.payout_address
        self.bonded[message.participant] += message.bond_uflt

    def hear_bond(self, message: Any, _: Any) -> None:
        """Remember more bond."""
        self.bonded[message.participant] += message.amount_uflt

    def hear_unbond(self, message: Any, response: Any) -> None:
        """Remember money on its way out."""
        self.bonded[message.participant] -= message.amount_uflt
        place = (message.participant, response.unbonding_id)
        self.unbonding[place] = (message.amount_uflt, response.release_clock_ms)

    def hear_post_job(self, message: Any, response: Any) -> None:
        """Remember a job and its first funds."""
        book = JobBook(message.spec, message.requester)
        book.funded[message.requester] = message.budget_uflt
        self.jobs[response.job_id] = book

    def hear_fund_job(self, message: Any, _: Any) -> None:
        """Remember more funds."""
        funded = self.jobs[message.job_id].funded
        funded[message.funder] = funded.get(message.funder, 0) + message.amount_uflt

    def follow(
        self, events: Iterable[Any], rounds: Mapping[Place, Any], missed: Iterable[Missed] = ()
    ) -> None:
        """Check a block's events in order; told the rounds and the deadlines that just ended."""
        self.due = {}
        for each in missed:
            self.due |= {(each.place, who): each for who in each.people}
            owners = Counter(self.payout[who] for who in each.people)
            self.seen["SYBILS"] += max(owners.values(), default=0) > 1
        for event in events:
            for listener in (self, self.stakes):
                check = getattr(listener, f"on_{event_name(event)}", None)
                if check is not None:
                    check(event)
        assert not self.due, "who misses a deadline is slashed or excused"
        voided = {place: facts for place, facts in rounds.items() if facts.phase == "VOIDED"}
        self.disputes.check_trials(voided)
        for (job_id, number), facts in rounds.items():
            if facts.phase != "VOIDED":
                self.check_round(job_id, number, facts)
        self.check_refunds()

    def on_coin_spent(self, event: Any) -> None:
        """Book money that left; nobody spends what he doesn't have."""
        self.balances[event.spender] -= coins(event.amount)
        assert self.balances[event.spender] >= 0, to_bech32(event.spender)

    def on_coin_received(self, event: Any) -> None:
        """Book money that arrived."""
        self.balances[event.receiver] += coins(event.amount)

    def on_burned(self, event: Any) -> None:
        """Book money that ceased to be: what posting a job costs, or what was slashed."""
        amount = coins(event.amount)
        assert amount == POSTING_COST or event.burner in (SLASHED, *WATCHED)
        self.stakes.flow(event.burner, NOBODY, amount)
        self.balances[event.burner] -= amount
        self.supply -= amount

    def on_minted(self, event: Any) -> None:
        """Hold that the rate moved towards the goal, and that a period brings its part."""
        staked = near(Fraction(self.balances[BONDED], self.supply))
        way = near(near(abs(1 - near(staked / STAKED_GOAL)) * RATE_CHANGE) / MINTS_PER_YEAR)
        moved = self.inflation + (way if staked <= STAKED_GOAL else -way)
        self.inflation = min(max(moved, LEAST_RATE), MOST_RATE)
        annual = self.inflation * self.supply
        told = [Fraction(t) for t in (event.bonded_ratio, event.inflation, event.annual_provisions)]
        assert told == [staked, self.inflation, annual]
        amount = int(event.amount)
        assert amount == floor(annual / MINTS_PER_YEAR)
        self.supply += amount
        self.seen["MINTED"] += amount > 0

    def on_reputation_moved(self, event: Any) -> None:
        """Count an account's rounds."""
        self.judged[event.account] += 1

    def on_aggregate_posted(self, event: Any) -> None:
        """Remember that an aggregator used its turn."""
        self.posted[event.job_id, event.round].add(event.attempt)
        self.disputes.aggregators[event.job_id, event.round] = event.aggregator

    def on_prover_paid(self, event: Any) -> None:
        """Leave it to who knows about proofs."""
        self.disputes.on_prover_paid(event)

    def on_round_phase_changed(self, event: Any) -> None:
        """Leave it to who follows rounds."""
        self.disputes.on_round_phase_changed(event)

    def on_slashed(self, event: Any) -> None:
        """Work out what a missed deadline costs, and that no outage excuses it."""
        self.seen[event.fault.name] += 1
        if event.fault.name in PROVEN_FAULTS:
            self.disputes.on_slashed(event)
            return
        place, who = (event.job_id, event.round), event.participant
        missed = self.due.pop((place, who))
        assert event.fault.name == missed.fault
        assert not (missed.is_outage and self.is_excusable(who))
        self.seen["UNEXCUSED"] += missed.is_outage
        assert event.amount_uflt == self.whole(who) * FAULT_PPM[missed.fault] // PPM
        self.take(who, event.amount_uflt)
        self.slashed[place] += event.amount_uflt

    def whole(self, who: bytes) -> int:
        """Return a bond with what is on its way out of it."""
        leaving = sum(amount for (owner, _), (amount, _) in self.unbonding.items() if owner == who)
        return self.bonded[who] + leaving

    def take(self, who: bytes, left: int) -> None:
        """Take money off a bond: first what is on its way out, the newest first."""
        for key in sorted([key for key in self.unbonding if key[0] == who], reverse=True):
            amount, release = self.unbonding.pop(key)
            if amount > left:
                self.unbonding[key] = (amount - left, release)
            left -= min(amount, left)
        self.bonded[who] -= left

    def on_excused(self, event: Any) -> None:
        """Check that there was an outage, and that the account was not excused of late."""
        missed = self.due.pop(((event.job_id, event.round), event.participant))
        assert event.fault.name == missed.fault
        assert missed.is_outage
        assert self.is_excusable(event.participant)
        self.excused[event.participant] = self.judged[event.participant]
        self.seen["EXCUSED"] += 1

    def is_excusable(self, who: bytes) -> bool:
        """Say whether an account was not excused in its last twenty rounds."""
        return who not in self.excused or self.judged[who] >= self.excused[who] + EXCUSE_ROUNDS

    def on_loss_compensated(self, event: Any) -> None:
        """Book what a loss was made good with."""
        assert event.payout_address == self.payout[event.participant]
        self.compensated[event.job_id, event.round][event.participant] = event.amount_uflt
        self.seen["COMPENSATED"] += 1

    def on_pot_burned(self, event: Any) -> None:
        """Book what nobody got of a round's slashed money."""
        self.burned[event.job_id, event.round] += event.amount_uflt
        self.seen["BURNED"] += 1

    def on_transferred(self, event: Any) -> None:
        """Follow deposits, to join and to reject; each comes back whole or is the treasury's."""
        amount = coins(event.amount)
        self.stakes.flow(event.sender, event.recipient, amount)
        if event.sender == DISPUTES:
            self.disputes.returned[event.recipient, amount] += 1
        elif event.recipient == DEPOSITS:
            assert amount in (JOIN_DEPOSIT, REJECTION_DEPOSIT)
            self.deposits[event.sender, amount] += 1
        elif event.sender == DEPOSITS and (event.recipient, amount) in self.deposits:
            self.deposits[event.recipient, amount] -= 1
            assert self.deposits[event.recipient, amount] >= 0
        elif event.sender == DEPOSITS:
            self.forfeited += amount

    def on_slices_drawn(self, event: Any) -> None:
        """Remember who is to score a round now."""
        self.referee.attempts[event.job_id, event.round].append(Attempt(event.scorer_count))

    def on_result_measured(self, event: Any) -> None:
        """Work out what part of the held-back money a committee releases."""
        book, found = self.jobs[event.job_id], self.referee.measured.pop(event.job_id, {})
        assert event.revealed_count == len(found)
        count = self.members.pop(event.job_id, 0)
        is_quorum = len(found) >= 3 and 2 * len(found) > count
        if is_quorum:
            goal = book.spec.acceptance
            way = Fraction(
                middle([*found.values()]) - goal.baseline_millionths,
                goal.threshold_millionths - goal.baseline_millionths,
            )
            book.released_ppm = min(max(floor(way * PPM), 0), PPM)
        assert event.released_ppm == book.released_ppm
        is_upheld = book.released_ppm < PPM
        self.seen["UPHELD" if is_upheld else "MEASURED" if is_quorum else "UNMEASURED"] += 1
        self.fees[event.job_id] = len(found)

    def on_committee_drawn(self, event: Any) -> None:
        """Remember how many measure."""
        self.members[event.job_id] = event.member_count

    def on_member_paid(self, event: Any) -> None:
        """Check that each who measured gets its part, of the deposit or of what isn't released."""
        book, count = self.jobs[event.job_id], self.fees[event.job_id]
        share = event.paid_uflt + event.fee_uflt
        assert event.fee_uflt == share * FEE_PPM // PPM
        total = REJECTION_DEPOSIT
        if book.released_ppm < PPM:
            if not book.committee_uflt:
                book.committee_uflt = min(REJECTION_DEPOSIT, book.escrow)
            total = book.committee_uflt
            book.measuring.append(share)
        assert share in (total // count, total // count + 1)
        if len(book.measuring) == count:
            assert sum(book.measuring) == total
            book.paid += total

    def on_unbonded(self, event: Any) -> None:
        """Check a bond that arrived."""
        amount, _ = self.unbonding.pop((event.participant, event.unbonding_id))
        assert event.amount_uflt == amount

    def on_share_paid(self, event: Any) -> None:
        """Check how a share is cut: held back, fee, and the rest to the payout address."""
        book = self.jobs[event.job_id]
        share = event.paid_uflt + event.fee_uflt + event.held_uflt
        held = share * book.spec.pay.held_back_ppm // PPM
        assert event.held_uflt == held
        assert event.fee_uflt == (share - held) * FEE_PPM // PPM
        assert event.payout_address == self.payout[event.participant]
        book.held[event.participant] += held
        book.paid += share - held
        book.rounds[event.round][event.participant] = share

    def on_held_paid(self, event: Any) -> None:
        """Check that all that was held back for somebody arrives at once, as far as released."""
        book = self.jobs[event.job_id]
        held = book.held.pop(event.participant)
        paid = held * book.released_ppm // PPM
        fee = paid * FEE_PPM // PPM
        amounts = event.paid_uflt, event.fee_uflt, event.returned_uflt
        assert amounts == (paid - fee, fee, held - paid)
        book.paid += paid

    def on_job_refunded(self, event: Any) -> None:
        """Book a refund; all of a job's come at once and are checked together."""
        self.jobs[event.job_id].refunds[event.funder] = event.amount_uflt

    def check_refunds(self) -> None:
        """Check that what was left of a job returned in proportion to who paid in."""
        for book in self.jobs.values():
            if book.refunds:
                left = book.escrow
                whole = sum(book.funded.values())
                expected = {who: left * paid // whole for who, paid in book.funded.items()}
                for who in sorted(expected)[: left - sum(expected.values())]:
                    expected[who] += 1
                assert book.refunds == {who: part for who, part in expected.items() if part}
                assert not any(book.held.values())
                book.paid, book.refunds = whole, {}

    def check_round(self, job_id: int, number: int, facts: Any) -> None:
        """Work out what a round that ended owes everyone, and hold it against what was paid."""
        book = self.jobs[job_id]
        paid = dict(book.rounds.pop(number, {}))
        made_good = self.check_pot((job_id, number), facts)
        if facts.phase == "SETTLED":
            expected, excess = self.settled_shares((job_id, number), facts)
        else:
            expected, excess = aborted_shares(book.spec, facts, made_good), 0
        assert paid == {who: share for who, share in expected.items() if share}, (job_id, number)
        book.paid += excess
        assert sum(paid.values()) + excess <= facts.pool
        assert facts.pool <= sum(book.funded.values()) // book.spec.schedule.round_count

    def settled_shares(self, place: Place, facts: RoundFacts) -> tuple[dict[bytes, int], int]:
        """Return everybody's share of a settled round's pool, and what goes to the treasury."""
        self.seen["TWINS"] += sum(len(group) > 1 for group in twins(facts.delivered).values())
        spec = self.jobs[place[0]].spec
        is_scored = spec.pay.contribution.name == "LEAVE_ONE_OUT"
        earners: Iterable[bytes] = facts.attesters
        if is_scored:
            self.seen[self.referee.outcome(place)] += 1
            shares, excess = self.scored_shares(place, facts)
            earners = self.referee.earners(place, facts.attesters)
        else:
            shares, excess = claimed_shares(spec, facts)
        pool, earners = facts.pool, list(earners)
        fees = pool * spec.pay.evaluator_ppm // PPM
        at_most = 2 * fees * len(earners) // max(1, len(facts.evaluators))
        for who, part in even(min(fees, at_most), earners).items():
            shares[who] += part
        for who, part in even(pool * spec.pay.reserve_ppm // PPM, facts.reserves).items():
            shares[who] += part
        shares[facts.aggregator] += pool * spec.pay.aggregator_ppm // PPM
        return shares, excess

    def scored_shares(self, place: Place, facts: RoundFacts) -> tuple[dict[bytes, int], int]:
        """Return the workers' shares by worth, and what is over twice an equal one."""
        pay, groups = self.jobs[place[0]].spec.pay, twins(facts.delivered)
        workers, outcome = facts.pool * pay.worker_ppm // PPM, self.referee.outcome(place)
        weights = self.referee.weigh(place, groups) if outcome == "SCORED" else {}
        shares: dict[bytes, int] = defaultdict(int)
        if not any(weights.values()):
            whole = workers if outcome == "NO_SLICES" else workers // 2
            self.seen["NOBODY_WORTH"] += outcome == "SCORED"
            for first, part in even(whole, groups).items():
                shares.update(even(part, groups[first]))
            return shares, 0
        raw = {who: workers * weight // sum(weights.values()) for who, weight in weights.items()}
        for who in sorted(who for who in raw if weights[who])[: workers - sum(raw.values())]:
            raw[who] += 1
        cap = 2 * workers // len(groups)
        shares.update({who: min(part, cap) for who, part in raw.items()})
        return shares, sum(max(0, part - cap) for part in raw.values())

    def check_pot(self, place: Place, facts: Any) -> dict[bytes, int]:
        """Work out whose a round's slashed money is, and that the rest was burned."""
        book, pot = self.jobs[place[0]], self.slashed.pop(place, 0)
        losses = {} if facts.phase == "SETTLED" else full_shares(book.spec, facts)
        expected, left = self.make_good(place[0], pot, losses)
        made_good = self.compensated.pop(place, {})
        assert made_good == expected, place
        assert self.burned.pop(place, 0) == left
        return made_good

    def make_good(
        self, job_id: int, pot: int, losses: Mapping[bytes, int]
    ) -> tuple[dict[bytes, int], int]:
        """Return what of slashed money makes whose loss good, and what is left to burn."""
        book = self.jobs[job_id]
        barred = {who for who in losses if {who, self.payout[who]} & set(book.funded)}
        owed = {who: losses[who] for who in sorted(losses) if who not in barred and losses[who]}
        total = min(pot, sum(owed.values()))
        parts = {who: total * loss // sum(owed.values()) for who, loss in owed.items()}
        for who in list(parts)[: total - sum(parts.values())]:
            parts[who] += 1
        return {who: part for who, part in parts.items() if total}, pot - total

    def check(self, balances: Mapping[bytes, int], escrows: Mapping[int, int]) -> None:
        """Hold both books against the chain's."""
        mine = {who: amount for who, amount in self.balances.items() if amount}
        assert mine == dict(balances)
        assert sum(mine.values()) == self.supply
        leaving = sum(amount for amount, _ in self.unbonding.values())
        assert mine.get(BONDS, 0) == sum(self.bonded.values()) + leaving
        for job_id, escrow in escrows.items():
            assert escrow == self.jobs[job_id].escrow, f"job {job_id}"
        assert mine.get(ESCROW, 0) == sum(escrows.values())
        assert mine.get(SLASHED, 0) == sum(self.slashed.values())
        deposited = sum(amount * count for (_, amount), count in self.deposits.items())
        assert mine.get(DEPOSITS, 0) == deposited - self.forfeited
