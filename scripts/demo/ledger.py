"""What each cheat should have lost, by the words of the protocol: worked out from what was done.

It reads the chain's events of deeds, none of punishment or pay: who committed and didn't reveal,
whose model was disproved and who had attested it. The rest are numbers of the protocol:

    commits to an update or to scores, doesn't reveal     2 % of the bond
    false aggregate                                       what the job locks: ten round pools
    attested it                                           10 % of the bond
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sdk.protocol import (
    PPM,
    Address,
    AggregateAttested,
    AggregatePosted,
    DisputePhase,
    DisputePhaseChanged,
    Job,
    RoundPhase,
    RoundPhaseChanged,
    ScoresCommitted,
    ScoresRevealed,
    ScoreStep,
    ScoreStepChanged,
    UpdateCommitted,
    UpdateRevealed,
)

UNREVEALED_PPM = 20_000
ATTESTED_PPM = 100_000
LOCKED_POOLS = 10


@dataclass(frozen=True, slots=True)
class Loss:
    """What one participant loses for one fault in one round."""

    round: int
    fault: str
    amount_uflt: int


@dataclass
class Ledger:
    """A job's faults so far, and what is left of each bond."""

    job: Job
    bonds: dict[Address, int]
    losses: dict[Address, list[Loss]] = field(default_factory=lambda: defaultdict(list))
    updates: dict[int, list[Address]] = field(default_factory=lambda: defaultdict(list))
    """Who has committed to an update and not revealed it, by round."""
    scores: dict[int, list[Address]] = field(default_factory=lambda: defaultdict(list))
    """The same of scores."""
    steps: dict[int, ScoreStep] = field(default_factory=dict)
    """How far the scoring of each round is."""
    posted: dict[int, Address] = field(default_factory=dict)
    """Whose model each round has."""
    attested: dict[int, list[Address]] = field(default_factory=lambda: defaultdict(list))

    def lose(self, who: Address, number: int, fault: str, amount_uflt: int) -> None:
        """Take money off a bond, as far as there is any."""
        amount = min(amount_uflt, self.bonds[who])
        self.bonds[who] -= amount
        self.losses[who].append(Loss(number, fault, amount))

    def lose_part(self, whose: Iterable[Address], number: int, fault: str, part_ppm: int) -> None:
        """Take a part of what is left of some bonds."""
        for who in whose:
            self.lose(who, number, fault, self.bonds[who] * part_ppm // PPM)

    def follow(self, event: Any) -> None:
        """Note one event, in the order in which they happened."""
        note = NOTES.get(type(event))
        if note is not None:
            note(self, event)


def note_phase(ledger: Ledger, event: RoundPhaseChanged) -> None:
    """Find who kept a commitment closed to the end of a phase."""
    number = event.round
    if event.phase is RoundPhase.INCLUDE:
        closed = ledger.updates[number]
        ledger.lose_part(closed, number, "didn't reveal its update", UNREVEALED_PPM)
    elif event.phase is RoundPhase.CHALLENGE:
        end_scoring(ledger, number)


def note_step(ledger: Ledger, event: ScoreStepChanged) -> None:
    """Others are drawn to score if too few have revealed."""
    if event.step is ScoreStep.DRAW:
        end_scoring(ledger, event.round)
    ledger.steps[event.round] = event.step


def end_scoring(ledger: Ledger, number: int) -> None:
    """Find who kept its scores closed, if it was asked for them."""
    closed = ledger.scores.pop(number, [])
    if ledger.steps.get(number) is ScoreStep.REVEAL:
        ledger.lose_part(closed, number, "didn't reveal its scores", UNREVEALED_PPM)


def note_posted(ledger: Ledger, event: AggregatePosted) -> None:
    """A turn's model replaces the one before, which nobody attested."""
    ledger.posted[event.round] = event.aggregator
    ledger.attested[event.round] = []


def note_dispute(ledger: Ledger, event: DisputePhaseChanged) -> None:
    """Find who lied about a model that was disproved."""
    number = event.round
    if event.phase is DisputePhase.UPHELD:
        pool = ledger.job.budget_uflt // ledger.job.spec.schedule.round_count
        ledger.lose(ledger.posted[number], number, "posted a false sum", LOCKED_POOLS * pool)
        ledger.lose_part(ledger.attested[number], number, "attested a false sum", ATTESTED_PPM)


NOTES: Mapping[type, Callable[[Ledger, Any], None]] = {
    UpdateCommitted: lambda ledger, event: ledger.updates[event.round].append(event.worker),
    UpdateRevealed: lambda ledger, event: ledger.updates[event.round].remove(event.worker),
    ScoresCommitted: lambda ledger, event: ledger.scores[event.round].append(event.evaluator),
    ScoresRevealed: lambda ledger, event: ledger.scores[event.round].remove(event.evaluator),
    AggregateAttested: lambda ledger, event: ledger.attested[event.round].append(event.evaluator),
    AggregatePosted: note_posted,
    RoundPhaseChanged: note_phase,
    ScoreStepChanged: note_step,
    DisputePhaseChanged: note_dispute,
}
