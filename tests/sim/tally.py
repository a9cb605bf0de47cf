"""An independent count of what the chain's statistics count: events and messages, no rule.

What a seat came to is worked out from who was asked, who committed and revealed before a phase
ended, and what the readers voted. Only whether somebody who failed was late or missed a full
deadline is told, with the facts of the round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.sim.auditor import ESCROW, TREASURY
from tests.sim.books import account, coins, snake_case

PPM = 1_000_000
JOB_ENDS, ROUND_ENDS = ("SETTLED", "CANCELLED", "FAILED"), ("SETTLED", "ABORTED", "VOIDED")
HELD = {"escrow": ESCROW, "bonded": account("bonds"), "deposit": account("deposits")}
HELD["treasury"] = TREASURY


@dataclass
class RoundTally:
    """What the tally knows of one round."""

    phase: str = "OPEN"
    asked: int = 0
    called: int = 0
    committed: int = 0
    examples: dict[bytes, int] = field(default_factory=dict)
    """What who revealed claims."""
    earned: Counter[bytes] = field(default_factory=Counter)
    votes: list[bytes] = field(default_factory=list)
    gone: int = 0
    """Asked, and not done when a phase ended."""
    included: int = 0
    excluded: int = 0

    def enter(self, phase: str, reason: str) -> None:
        """Conclude from the end of a phase what seats came to."""
        if self.phase == "OPEN" and phase != "COMMIT":
            self.asked = 0  # it never began
        elif self.phase == "COMMIT" and phase != "VOIDED":
            self.gone = self.asked + self.called - self.committed
        elif self.phase == "REVEAL" and phase != "VOIDED":
            self.gone = self.asked + self.called - len(self.examples)
        elif self.phase == "INCLUDE" and (phase == "AGGREGATE" or reason == "too_few_updates"):
            bits = Counter(i for vote in self.votes for i in range(len(vote) * 8) if has(vote, i))
            self.included = sum(2 * held > len(self.votes) for held in bits.values())
            self.excluded = len(self.examples) - self.included
        self.phase = phase

    @property
    def dropped(self) -> int:
        """Tasks on which nothing was decided."""
        decided = self.gone + self.included + self.excluded
        return self.asked + self.called - decided


class Tally:
    """Counts for itself what the chain does."""

    def __init__(self, epoch_s: int, supply: int) -> None:
        self.totals: Counter[str] = Counter()
        self.endings: Counter[tuple[str, str, str]] = Counter()
        self.rounds: dict[tuple[int, int], RoundTally] = {}
        self.example_caps: dict[int, int] = {}
        self.genesis_supply = supply
        self.burned = self.minted = 0
        self.epoch_ms, self.epoch_end = epoch_s * 1_000, 0
        self.registered = 0
        self.left = 0
        self.active: set[bytes] = set()
        self.epoch, self.last_epoch = [0, 0, 0], [0, 0, 0]
        """Active at the start, joined, left."""

    def begin(self, clock_ms: int) -> None:
        """Begin a block, and with it perhaps an epoch."""
        if not self.registered or clock_ms < self.epoch_end:
            return
        count, epochs = len(self.active), (clock_ms - self.epoch_end) // self.epoch_ms
        if self.epoch_end:
            self.last_epoch = [count, 0, 0] if epochs else self.epoch
            self.epoch = [count, 0, 0]
        self.epoch_end = (clock_ms // self.epoch_ms + 1) * self.epoch_ms

    def hear(self, message: Any, response: Any) -> None:
        """Remember a message that took effect."""
        hear = getattr(self, f"hear_{snake_case(type(message))}", None)
        if hear is not None:
            hear(message, response)

    def hear_register(self, message: Any, _: Any) -> None:
        """Count a registration."""
        self.registered += 1

    def hear_post_job(self, message: Any, response: Any) -> None:
        """Count a job, and remember how many examples count."""
        self.totals["job_count"] += 1
        self.example_caps[response.job_id] = message.spec.combination.example_count_max

    def hear_reveal_update(self, message: Any, _: Any) -> None:
        """Remember what a worker claims."""
        found = self.rounds[message.job_id, message.round]
        found.examples[message.worker] = message.reveal.example_count

    def hear_vote_inclusion(self, message: Any, _: Any) -> None:
        """Remember a vote."""
        self.rounds[message.job_id, message.round].votes.append(message.bitmap)

    def look(self, bonded: Mapping[bytes, int]) -> None:
        """See who has joined or left."""
        now = {who for who, amount in bonded.items() if amount}
        self.epoch[1] += len(now - self.active)
        self.epoch[2] += len(self.active - now)
        self.left += len(self.active - now)
        self.active = now

    def follow(self, events: Iterable[Any], lateness: Mapping[tuple[int, int], int]) -> None:
        """Count events in order; `lateness` says how many were late in rounds that just ended."""
        for event in events:
            count = getattr(self, f"on_{snake_case(type(event))}", None)
            if count is not None:
                count(event)
        for place, late in lateness.items():
            self.end_round(self.rounds.pop(place), late, self.example_caps[place[0]])

    def on_round_drawn(self, event: Any) -> None:
        """Count the seats of a round."""
        found = self.rounds.setdefault((event.job_id, event.round), RoundTally())
        found.asked = event.selected_count
        self.totals["round_count"] += 1
        self.totals["seat_count"] += event.selected_count + event.reserve_count

    def on_round_phase_changed(self, event: Any) -> None:
        """Follow a round through its phases."""
        found = self.rounds.setdefault((event.job_id, event.round), RoundTally())
        if event.phase.name in ROUND_ENDS:
            self.endings["round", event.phase.name, event.reason] += 1
        if event.phase.name != "OPEN":
            found.enter(event.phase.name, event.reason)

    def on_reserve_called(self, event: Any) -> None:
        """Count who steps in for who missed the first attempt."""
        found = self.rounds[event.job_id, event.round]
        if not found.called:
            found.gone = found.asked - found.committed
        found.called += 1

    def on_update_committed(self, event: Any) -> None:
        """Count a commitment."""
        self.rounds[event.job_id, event.round].committed += 1

    def on_job_phase_changed(self, event: Any) -> None:
        """Count the end of a job."""
        if event.phase.name in JOB_ENDS:
            self.endings["job", event.phase.name, event.reason] += 1

    def on_transferred(self, event: Any) -> None:
        """Count what leaves escrow; what returns to funders is taken off again."""
        if event.sender == ESCROW:
            self.totals["paid_uflt"] += coins(event.amount)

    def on_job_refunded(self, event: Any) -> None:
        """Take a refund off what was paid."""
        self.totals["paid_uflt"] -= event.amount_uflt

    def on_minted(self, event: Any) -> None:
        """Book a period's provisions."""
        self.minted += int(event.amount)

    def on_burned(self, event: Any) -> None:
        """Count what ceased to be."""
        self.burned += coins(event.amount)

    def on_share_paid(self, event: Any) -> None:
        """Count what somebody earned."""
        share = event.paid_uflt + event.fee_uflt + event.held_uflt
        self.rounds[event.job_id, event.round].earned[event.participant] += share

    def on_loss_compensated(self, event: Any) -> None:
        """Count what made the loss of an update good."""
        self.rounds[event.job_id, event.round].earned[event.participant] += event.amount_uflt

    def end_round(self, ended: RoundTally, late: int, example_cap: int) -> None:
        """Count what the seats of a round came to, and what its updates earned."""
        earned = {} if ended.phase == "VOIDED" else ended.earned
        for who in earned.keys() & ended.examples.keys():
            self.totals["reward_uflt"] += earned[who]
            self.totals["example_count"] += min(ended.examples[who], example_cap)
        assert 0 <= late <= ended.gone
        assert min(ended.dropped, ended.excluded) >= 0
        self.totals["included_count"] += ended.included
        self.totals["excluded_count"] += ended.excluded
        self.totals["missed_count"] += ended.gone - late
        self.totals["late_count"] += late
        self.totals["dropped_count"] += ended.dropped

    def check(self, answer: Any, balances: Mapping[bytes, int]) -> None:
        """Hold the chain's statistics against the own ones."""
        told = {name: getattr(answer.totals, name) for name in answer.totals.__match_args__}
        assert told == {name: self.totals[name] for name in told}
        assert {(e.subject, e.phase, e.reason): e.count for e in answer.endings} == self.endings
        people = answer.participants
        counts = (people.registered_count, people.active_count, people.epoch_end_clock_ms)
        assert counts == (self.registered, len(self.active), self.epoch_end)
        for epoch, mine, churn in (
            (people.epoch, self.epoch, answer.epoch_churn_ppm),
            (people.last_epoch, self.last_epoch, answer.last_epoch_churn_ppm),
        ):
            assert [epoch.start_count, epoch.joined_count, epoch.left_count] == mine
            assert churn == ratio(mine[2], mine[0] + mine[1])
        for name, where in HELD.items():
            assert getattr(answer.holdings, f"{name}_uflt") == balances.get(where, 0)
        assert answer.holdings.burned_uflt == self.burned
        assert answer.holdings.supply_uflt == self.genesis_supply + self.minted - self.burned
        names = ("included_count", "excluded_count", "missed_count", "late_count", "dropped_count")
        tasks = [self.totals[name] for name in names]
        assert answer.task_completion_ppm == ratio(tasks[0], sum(tasks))
        reward = ratio(self.totals["reward_uflt"], self.totals["example_count"])
        assert answer.reward_per_example_millionths == reward


def has(bitmap: bytes, seat: int) -> bool:
    """Whether a vote names a seat."""
    return bitmap[seat // 8] // 2 ** (seat % 8) % 2 == 1


def ratio(part: int, whole: int) -> int:
    """Return a part of a whole in millionths; of nothing it is 0."""
    return int(Fraction(part, whole) * PPM) if whole else 0
