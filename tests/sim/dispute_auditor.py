"""An independent opinion of disputes: who is right, when, and what it costs and pays.

It is told which proofs are right, remembers who committed and opened what and when, and before each
block ends says what will become of every dispute. Afterwards it follows the money: deposits, what
is slashed, the prover's quarter, losses and what is burned.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.sim.books import PPM, Place, RoundFacts, account, even, twins

if TYPE_CHECKING:
    from tests.sim.auditor import Auditor

DEPOSIT = 10_000_000
OPEN_S, PARTS_S, DEADLINE_BLOCKS = 5, 4, 2
OPEN = ("COMMITTED", "OPENED", "PROVEN")
DISPUTES, TREASURY = account("disputes"), account("treasury")
PROVEN_FAULTS = ("FALSE_AGGREGATE", "FALSE_ATTESTATION")


@dataclass
class Case:
    """What the auditor knows of a dispute."""

    place: Place
    who: bytes
    is_right: bool
    deadline: tuple[int, int] = (0, 0)
    """Clock and height."""
    due: int = 0
    """The clock at which something happens to it."""
    state: str = "COMMITTED"
    parts: int = 0
    needed: int = 0


@dataclass
class Trial:
    """What a proven lie moved, as the chain said it."""

    place: Place
    slashed: int = 0
    prover: dict[bytes, int] = field(default_factory=dict)
    convicted: list[bytes] = field(default_factory=list)
    voided: dict[Place, str] = field(default_factory=dict)
    """The phase that each round was in."""


class DisputeAuditor:
    """Hears what took effect, says what will follow, and checks it."""

    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        self.truths: list[Mapping[bytes, bool]] = []
        """What those who challenge know of their proofs, by commitment."""
        self.cases: dict[int, Case] = {}
        self.clock, self.height = 0, 0
        self.locked: Mapping[tuple[int, bytes], int] = {}
        self.aggregators: dict[Place, bytes] = {}
        self.phases: dict[Place, str] = {}
        self.deposits: Counter[tuple[bytes, int]] = Counter()
        self.returned: Counter[tuple[bytes, int]] = Counter()
        self.upheld: list[int] = []
        self.trials: list[Trial] = []

    def begin(self, clock_ms: int, height: int, locked: Mapping[tuple[int, bytes], int]) -> None:
        """Begin a block; told what each aggregator has locked in a job."""
        self.clock, self.height, self.locked = clock_ms, height, locked
        for noted in (self.deposits, self.returned, self.upheld, self.trials):
            noted.clear()

    def is_over(self, case: Case) -> bool:
        """Whether a step of a dispute comes too late in this block."""
        return self.clock >= case.deadline[0] and self.height >= case.deadline[1]

    def give_time(self, case: Case, seconds: int) -> None:
        """Let the next step of a dispute come within a time."""
        case.due = self.clock + seconds * 1_000
        case.deadline = case.due, self.height + DEADLINE_BLOCKS

    def hear_commit_challenge(self, message: Any, response: Any) -> None:
        """Remember a challenge, and whether its proof will be right."""
        is_right = next(t[message.commitment] for t in self.truths if message.commitment in t)
        case = Case((message.job_id, message.round), message.challenger, is_right)
        self.give_time(case, OPEN_S)
        self.cases[response.dispute_id] = case

    def hear_open_challenge(self, message: Any, response: Any) -> None:
        """Remember that a proof is shown, and its first part."""
        case = self.cases[message.dispute_id]
        assert case.state == "COMMITTED"
        assert not self.is_over(case)
        case.state, case.needed = "OPENED", message.part_count
        self.give_time(case, PARTS_S)
        self.hear_add_proof_part(message, response)

    def hear_add_proof_part(self, message: Any, _: Any) -> None:
        """Remember a part of a proof."""
        case = self.cases[message.dispute_id]
        assert not self.is_over(case)
        case.parts += 1
        if case.parts == case.needed:
            case.due = self.clock

    def expect(self) -> None:
        """Say what the end of this block makes of every dispute."""
        waiting = [(case.due, case.place, i) for i, case in self.cases.items()]
        for due, place, dispute_id in sorted(waiting):
            case = self.cases[dispute_id]
            if due > self.clock or case.state not in ("COMMITTED", "OPENED"):
                continue
            if case.needed and case.parts == case.needed:
                case.state = "PROVEN" if case.is_right else "REFUTED"
            elif self.is_over(case):
                case.state = "EXPIRED"
            else:
                case.due = self.clock + 1
                continue
            self.book_deposit(case)
            self.conclude(place)

    def conclude(self, place: Place) -> None:
        """Say whether a round is voided now: its earliest open challenge is proven."""
        of_round = [i for i, case in self.cases.items() if case.place == place]
        waiting = [i for i in sorted(of_round) if self.cases[i].state in OPEN]
        if not waiting or self.cases[waiting[0]].state != "PROVEN":
            return
        self.upheld.append(waiting[0])
        self.cases[waiting[0]].state = "UPHELD"
        for case in self.cases.values():
            is_built = case.place[0] == place[0] and case.place >= place
            if case.state in OPEN and is_built:
                case.state = "RETURNED"
                self.book_deposit(case)
        self.book_deposit(self.cases[waiting[0]])

    def book_deposit(self, case: Case) -> None:
        """Say where the deposit of a dispute that ends goes."""
        if case.state in OPEN:
            return
        recipient = case.who
        if case.state == "REFUTED":
            recipient = self.auditor.payout[self.aggregators[case.place]]
        elif case.state == "EXPIRED":
            recipient = TREASURY
        self.deposits[recipient, DEPOSIT] += 1
        self.auditor.seen[f"dispute {case.state}"] += 1

    def on_slashed(self, event: Any) -> None:
        """Book what a proof takes: all that the job locks, or a tenth of a bond."""
        who, amount = event.participant, event.amount_uflt
        if event.fault.name == "FALSE_AGGREGATE":
            self.trials.append(Trial((event.job_id, event.round)))
            assert amount == self.locked[event.job_id, who], (
                amount,
                self.locked[event.job_id, who],
            )
            self.auditor.bonded[who] -= amount
        else:
            assert amount == self.auditor.whole(who) // 10
            self.auditor.take(who, amount)
        self.trials[-1].convicted.append(who)
        self.trials[-1].slashed += amount
        self.auditor.slashed[event.job_id, event.round] += amount

    def on_prover_paid(self, event: Any) -> None:
        """Book a prover's part."""
        self.trials[-1].prover[event.prover] = event.amount_uflt
        self.auditor.slashed[event.job_id, event.round] -= event.amount_uflt

    def on_round_phase_changed(self, event: Any) -> None:
        """Follow the rounds."""
        place = event.job_id, event.round
        if event.phase.name == "VOIDED":
            self.trials[-1].voided[place] = self.phases[place]
        self.phases[place] = event.phase.name

    def check(self, states: Mapping[int, str]) -> None:
        """Hold disputes and deposits against what was expected."""
        assert self.returned == self.deposits
        assert {i: case.state for i, case in self.cases.items()} == states
        opened = sum(case.state in OPEN for case in self.cases.values())
        assert self.auditor.balances[DISPUTES] == DEPOSIT * opened

    def check_trials(self, voided: Mapping[Place, RoundFacts]) -> None:
        """Work out what the block's proven lies pay whom; told the rounds that were voided."""
        assert [trial.place for trial in self.trials] == [self.cases[i].place for i in self.upheld]
        for dispute_id, trial in zip(self.upheld, self.trials, strict=True):
            self.check_trial(self.cases[dispute_id].who, trial, voided)
        assert sum(len(trial.voided) for trial in self.trials) == len(voided)

    def check_trial(self, prover: bytes, trial: Trial, voided: Mapping[Place, RoundFacts]) -> None:
        """Work out what one proven lie pays whom."""
        auditor, lie = self.auditor, voided[trial.place]
        assert sorted(trial.convicted) == sorted([lie.aggregator, *lie.attested])
        assert trial.prover == {prover: trial.slashed // 4}
        assert min(trial.voided) == trial.place
        losses: dict[bytes, int] = defaultdict(int)
        for place, phase in trial.voided.items():
            for who, loss in self.losses(place, voided[place], phase, place == trial.place):
                losses[who] += loss if who not in trial.convicted else 0
        pot = sum(auditor.slashed.pop(place, 0) for place in trial.voided)
        made_good, left = auditor.make_good(trial.place[0], pot, losses)
        assert auditor.compensated.pop(trial.place, {}) == made_good
        assert sum(auditor.burned.pop(place, 0) for place in trial.voided) == left
        assert not any(auditor.jobs[p[0]].rounds.pop(p[1], {}) for p in trial.voided)
        auditor.seen["BUILT"] += len(trial.voided) - 1

    def losses(
        self, place: Place, facts: RoundFacts, phase: str, is_false: bool
    ) -> Iterator[tuple[bytes, int]]:
        """Work out what a voided round would have paid those who delivered in it."""
        pay = self.auditor.jobs[place[0]].spec.pay
        delivered, is_attested = facts.delivered, phase in ("SCORE", "CHALLENGE")
        workers = facts.pool * pay.worker_ppm // PPM
        if delivered and not facts.is_decided:
            workers = workers * len(delivered) // facts.committed_count
        groups = twins(delivered)
        for first, part in even(workers, groups).items():
            yield from even(part, groups[first]).items()
        fees = even(facts.pool * pay.evaluator_ppm // PPM, facts.evaluators)
        for who in facts.voted:
            if not is_attested or (who in facts.attested) != is_false:
                yield who, fees[who]
        if is_attested and not is_false:
            yield facts.aggregator, facts.pool * pay.aggregator_ppm // PPM
