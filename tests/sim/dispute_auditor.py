"""An independent opinion of disputes: who is right, when, and what it costs and pays.

It is told which proofs are right, remembers who committed and opened what and when, and before each
block ends says what will become of every dispute. Afterwards it follows the money: deposits, what
is slashed, the prover's quarter, losses and what is burned.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from app.kernel.crypto import module_address
from tests.build import FLT, a_payout_address
from tests.build_disputes import Court

PPM = 1_000_000
DEPOSIT, BOND = 10 * FLT, 1_000 * FLT
OPEN_S, PARTS_S, DEADLINE_BLOCKS = 20, 15, 3
OPEN = ("COMMITTED", "OPENED", "PROVEN")
DISPUTES, TREASURY = module_address("disputes"), module_address("treasury")


@dataclass
class Case:
    """What the auditor knows of a dispute."""

    number: int
    """The round's."""
    who: bytes
    is_right: bool
    deadline: tuple[int, int]
    """Clock and height."""
    due: int
    """The clock at which something happens to it."""
    state: str = "COMMITTED"
    parts: int = 0
    needed: int = 0


@dataclass
class Trial:
    """What a proven lie moved, as the chain said it."""

    number: int
    slashed: int = 0
    prover: dict[bytes, int] = field(default_factory=dict)
    convicted: list[bytes] = field(default_factory=list)
    compensated: dict[bytes, int] = field(default_factory=dict)
    burned: int = 0
    voided: dict[int, str] = field(default_factory=dict)
    """The phase that each round was in."""


class DisputeAuditor:
    """Hears what took effect, says what will follow, and checks it."""

    def __init__(self, court: Court) -> None:
        self.court, self.play = court, court.play
        self.heard = len(self.play.world.events)
        people = (*self.play.workers, *self.play.evaluators, *self.play.aggregators)
        self.bonded: dict[bytes, int] = dict.fromkeys(people, BOND)
        self.locked: dict[bytes, int] = {}
        self.cases: dict[int, Case] = {}
        self.pots: dict[int, int] = defaultdict(int)
        self.phases: dict[int, str] = {1: "COMMIT"}
        self.deposits: Counter[tuple[bytes, int]] = Counter()
        self.upheld: list[int] = []
        self.seen: Counter[str] = Counter()

    def has_open(self, who: bytes, number: int) -> bool:
        """Whether somebody has an open challenge of a round."""
        cases = self.cases.values()
        return any((case.number, case.who) == (number, who) for case in cases if case.state in OPEN)

    def is_over(self, case: Case) -> bool:
        """Whether a step of a dispute comes too late in this block."""
        block = self.play.world.block
        return block.clock_ms >= case.deadline[0] and block.height >= case.deadline[1]

    def give_time(self, case: Case, seconds: int) -> None:
        """Let the next step of a dispute come within a time."""
        block = self.play.world.block
        case.due = block.clock_ms + seconds * 1_000
        case.deadline = case.due, block.height + DEADLINE_BLOCKS

    def hear_commitment(self, dispute_id: int, message: Any, is_right: bool) -> None:
        """Remember a challenge, and whether its proof will be right."""
        case = Case(message.round, message.challenger, is_right, (0, 0), 0)
        self.give_time(case, OPEN_S)
        self.cases[dispute_id] = case

    def hear_part(self, message: Any) -> None:
        """Remember a part of a proof, the first or another."""
        case = self.cases[message.dispute_id]
        if case.state == "COMMITTED":
            case.state, case.needed = "OPENED", message.part_count
            self.give_time(case, PARTS_S)
        case.parts += 1
        if case.parts == case.needed:
            case.due = self.play.world.block.clock_ms

    def expect(self) -> None:
        """Say what the end of this block makes of every dispute."""
        self.deposits.clear()
        self.upheld.clear()
        clock = self.play.world.block.clock_ms
        waiting = [(case.due, case.number, i) for i, case in self.cases.items()]
        for due, number, dispute_id in sorted(waiting):
            case = self.cases[dispute_id]
            if due > clock or case.state not in ("COMMITTED", "OPENED"):
                continue
            if case.needed and case.parts == case.needed:
                case.state = "PROVEN" if case.is_right else "REFUTED"
            elif self.is_over(case):
                case.state = "EXPIRED"
            else:
                case.due = clock + 1
                continue
            self.book_deposit(case)
            self.conclude(number)

    def conclude(self, number: int) -> None:
        """Say whether a round is voided now: its earliest open challenge is proven."""
        of_round = [i for i, case in self.cases.items() if case.number == number]
        waiting = [i for i in sorted(of_round) if self.cases[i].state in OPEN]
        if not waiting or self.cases[waiting[0]].state != "PROVEN":
            return
        self.upheld.append(waiting[0])
        self.cases[waiting[0]].state = "UPHELD"
        for case in self.cases.values():
            if case.state in OPEN and case.number >= number:
                case.state = "RETURNED"
                self.book_deposit(case)
        self.book_deposit(self.cases[waiting[0]])

    def book_deposit(self, case: Case) -> None:
        """Say where the deposit of a dispute that ends goes."""
        if case.state in OPEN:
            return
        recipient = case.who
        if case.state == "REFUTED":
            recipient = a_payout_address(self.play.round(case.number).aggregator)
        elif case.state == "EXPIRED":
            recipient = TREASURY
        self.deposits[recipient, DEPOSIT] += 1
        self.seen[case.state] += 1

    def check(self) -> None:
        """Hold what the block said against what was expected of it."""
        events = self.play.world.events[self.heard :]
        self.heard = len(self.play.world.events)
        returned: Counter[tuple[bytes, int]] = Counter()
        trials: list[Trial] = []
        for event in events:
            kind = type(event).__name__
            if kind == "Transferred" and event.sender == DISPUTES:
                returned[event.recipient, int(event.amount.removesuffix("uflt"))] += 1
            elif kind == "Slashed" and event.fault.name == "FALSE_AGGREGATE":
                trials.append(Trial(event.round))
            on_kind = getattr(self, f"on_{kind.lower()}", None)
            if on_kind is not None:
                on_kind(event, trials[-1] if trials else None)
        assert returned == self.deposits
        assert [trial.number for trial in trials] == [self.cases[i].number for i in self.upheld]
        for dispute_id, trial in zip(self.upheld, trials, strict=True):
            self.check_trial(self.cases[dispute_id].who, trial)
        for dispute_id, case in self.cases.items():
            state = self.court.dispute(dispute_id).phase.name
            assert (case.state, state) in ((state, state), ("OPENED", "COMPLETE")), dispute_id
        assert self.play.world.balance("slashed") == sum(self.pots.values())

    def on_slashed(self, event: Any, trial: Trial | None) -> None:
        """Book what somebody lost; what a proof takes is worked out."""
        who, amount = event.participant, event.amount_uflt
        if event.fault.name == "FALSE_AGGREGATE":
            assert trial is not None
            assert who == self.play.round(event.round).aggregator
            pool = self.play.round(event.round).pool_uflt
            assert amount == self.locked.get(who, 10 * pool)
            self.locked[who] = 0
        elif event.fault.name == "FALSE_ATTESTATION":
            assert amount == self.bonded[who] // 10
        if trial is not None:
            trial.convicted.append(who)
            trial.slashed += amount
        self.bonded[who] -= amount
        self.pots[event.round] += amount

    def on_proverpaid(self, event: Any, trial: Trial | None) -> None:
        """Book a prover's part."""
        assert trial is not None
        trial.prover[event.prover] = event.amount_uflt
        self.pots[event.round] -= event.amount_uflt

    def on_losscompensated(self, event: Any, trial: Trial | None) -> None:
        """Book what somebody lost and got; without a lie that is another auditor's business."""
        if trial is None:
            self.pots[event.round] -= event.amount_uflt
        else:
            trial.compensated[event.participant] = event.amount_uflt

    def on_potburned(self, event: Any, trial: Trial | None) -> None:
        """Book what nobody got."""
        if trial is None:
            assert self.pots.pop(event.round) == event.amount_uflt
        else:
            trial.burned += event.amount_uflt

    def on_roundphasechanged(self, event: Any, trial: Trial | None) -> None:
        """Follow the rounds."""
        if event.phase.name == "VOIDED":
            assert trial is not None
            trial.voided[event.round] = self.phases[event.round]
        self.phases[event.round] = event.phase.name

    def check_trial(self, prover: bytes, trial: Trial) -> None:
        """Work out what a proven lie pays whom."""
        readers = self.play.readers(trial.number, is_aggregator=False)
        round = self.play.round(trial.number)
        liars = [r.participant for r in readers if r.attested_attempt == round.aggregate_attempt]
        assert sorted(trial.convicted) == sorted([round.aggregator, *liars])
        assert trial.prover == {prover: trial.slashed // 4}
        assert min(trial.voided) == trial.number
        losses: dict[bytes, int] = defaultdict(int)
        for number, phase in trial.voided.items():
            for who, loss in self.losses(number, phase, number == trial.number):
                losses[who] += loss if who not in trial.convicted else 0
        pot = sum(self.pots.pop(number, 0) for number in trial.voided)
        owed = {who: losses[who] for who in sorted(losses) if losses[who]}
        total = min(pot, sum(owed.values()))
        parts = {who: total * loss // sum(owed.values()) for who, loss in owed.items()}
        for who in list(parts)[: total - sum(parts.values())]:
            parts[who] += 1
        assert trial.compensated == parts
        assert trial.burned == pot - total
        self.seen["BUILT"] += len(trial.voided) - 1

    def losses(self, number: int, phase: str, is_false: bool) -> list[tuple[bytes, int]]:
        """Work out what a voided round would have paid those who delivered in it."""
        round, pay = self.play.round(number), self.play.job().spec.pay
        seats, readers = self.play.seats(number), self.play.readers(number, is_aggregator=False)
        included = sorted(seat.worker for seat in seats if seat.state.name == "INCLUDED")
        revealed = sorted(seat.worker for seat in seats if seat.state.name == "REVEALED")
        workers = round.pool_uflt * pay.worker_ppm // PPM
        if not included and revealed:
            workers = workers * len(revealed) // round.committed_count
        found = list(even(workers, included or revealed).items())
        fees = even(round.pool_uflt * pay.evaluator_ppm // PPM, [r.participant for r in readers])
        is_attested = phase == "CHALLENGE"
        for reader in readers:
            attested = reader.attested_attempt == round.aggregate_attempt
            if reader.voted and (attested != is_false or not is_attested):
                found.append((reader.participant, fees[reader.participant]))
        if is_attested and not is_false:
            found.append((round.aggregator, round.pool_uflt * pay.aggregator_ppm // PPM))
        return found


def even(total: int, people: list[Any]) -> dict[bytes, int]:
    """Split evenly, the remainder one by one in address order."""
    share, left = divmod(total, max(len(people), 1))
    return {who: share + (i < left) for i, who in enumerate(sorted(people))}
