"""Jobs among liars: aggregators that lie, evaluators that attest it, challengers right and wrong.

Updates and models are real bytes. Whoever challenges knows what it does: the auditor is told which
proofs are right, and who had posted what, and works out everything else by itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.kernel.record import U32, Address
from app.learning import proof as proofs
from app.modules.jobs import CombineRule, JobPhase
from app.modules.rounds import Round, RoundPhase, SeatState
from tests.build_disputes import BASE, Court, a_court
from tests.build_rounds import QUICK
from tests.sim.dispute_auditor import DisputeAuditor

PARAMS = {
    **QUICK,
    "disputes": {"open_s": 20, "parts_s": 15, "due_per_block_max": 50},
    "rounds": {"deadline_blocks": 3, "candidate_wait_s": 100},
}
PART_BYTES = 900
"""Short parts, so that proofs have several."""
PARTS_MAX = 99
URGENT_MS = 25_000
"""The watcher commits at last when so little is left of the window."""


@dataclass
class Plan:
    """What a challenger means to do with its dispute."""

    is_opened: bool
    parts: int
    """How many parts it adds, the first among them."""
    delay: int
    """In how many blocks it begins."""


class Trial:
    """A seed: one job, its people, and how they behave."""

    def __init__(self, seed: int, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(proofs, "PART_BYTES_MAX", PART_BYTES)
        self.random = random.Random(seed)
        self.court = a_court(self.choose_job(), params=PARAMS, worker_count=6)
        self.play, self.world = self.court.play, self.court.play.world
        self.watcher = self.court.stranger  # challenges every lie, rightly and in time
        self.others = [self.world.account(name) for name in ("sloppy", "slow", "hasty")]
        self.liars = self.choose(self.play.aggregators, 1, 2)
        self.accomplices = self.choose(self.play.evaluators, 2, 3)
        self.plans: dict[int, Plan] = {}
        self.auditor = DisputeAuditor(self.court)

    def choose(self, people: Any, low: int, high: int) -> list[Address]:
        """Return some of the people."""
        return self.random.sample(list(people), self.random.randint(low, high))

    def choose_job(self) -> dict[str, Any]:
        """Return a job of some rounds, with some rule."""
        rule = self.random.choice([CombineRule.FEDAVG, CombineRule.MEDIAN])
        return {
            "schedule.round_count": U32(self.random.randint(3, 5)),
            "schedule.challenge_s": U32(self.random.choice([60, 90])),
            "combination.rule": rule,
        }

    def hits(self, one_in: int) -> bool:
        """Whether something rare happens now."""
        return self.random.randrange(one_in) == 0

    def run(self, blocks: int) -> None:
        """Let everyone live until the job is over, at most so many blocks."""
        for _ in range(blocks):
            if self.play.job().phase is not JobPhase.RUNNING:
                break
            self.live()
            self.auditor.expect()
            self.world.pass_block(self.random.randint(1, 5))
            self.auditor.check()
            if self.hits(30):  # the chain stands still: its own clock doesn't count that
                later = self.world.block.time_ms + 600_000
                self.world.block = replace(self.world.block, time_ms=later)

    def live(self) -> None:
        """Let everybody do what they do in this block."""
        for number in range(1, self.play.job().next_round):
            round = self.play.round(number)
            for message in [*self.work(round), *self.read(round)]:
                self.world.run(message)
            if round.phase is RoundPhase.CHALLENGE and not self.is_late(round):
                self.challenge(round)
        self.open()

    def is_late(self, round: Round) -> bool:
        """Whether a round can't be challenged or attested any more."""
        block = self.world.block
        is_over = block.clock_ms >= round.deadline_clock_ms
        return is_over and block.height >= round.deadline_height

    def work(self, round: Round) -> Iterator[Any]:
        """Walk what workers do; now and then one comes later, or never."""
        number = int(round.round)
        asked = self.play.asked(number) if round.phase is RoundPhase.COMMIT else []
        for worker in asked:
            if not self.hits(4):
                yield self.play.commitment(worker, number, **self.court.reveal_of(worker, number))
        is_revealing = round.phase is RoundPhase.REVEAL
        seats = self.play.seats(number, SeatState.COMMITTED) if is_revealing else []
        for seat in seats:
            if not self.hits(4):
                fields = self.court.reveal_of(seat.worker, number)
                yield self.play.revelation(seat.worker, number, **fields)

    def read(self, round: Round) -> Iterator[Any]:
        """Walk what readers do: vote, post, attest."""
        number = int(round.round)
        if round.phase is RoundPhase.INCLUDE:
            for reader in self.play.readers(number):
                if not reader.voted and not self.hits(6):
                    yield self.play.vote_of(reader.participant, number)
        elif round.phase is RoundPhase.AGGREGATE and not round.model_root:
            if not self.hits(8):
                is_lying = round.aggregator in self.liars and self.hits(2)
                lie = self.random.choice([1, -1, 1 << 35]) if is_lying else 0
                yield self.court.aggregate_of(number, lie)
        elif round.phase in (RoundPhase.AGGREGATE, RoundPhase.CHALLENGE):
            yield from self.attest(round)

    def attest(self, round: Round) -> Iterator[Any]:
        """Walk the attestations of a posted model; only accomplices attest a lie."""
        number = int(round.round)
        is_right = not self.is_false(round)
        for reader in self.play.readers(number, is_aggregator=False):
            is_willing = is_right or reader.participant in self.accomplices
            is_done = reader.attested_attempt == round.aggregate_attempt
            if is_willing and not is_done and not self.is_late(round) and not self.hits(3):
                yield self.court.attestation_of(reader.participant, number)

    def is_false(self, round: Round) -> bool:
        """Whether a round's posted model is not the one that its updates give."""
        return self.court.models[round.model_root] != self.court.combine(int(round.round))

    def challenge(self, round: Round) -> None:
        """Let challengers commit: the watcher to each lie in time, others to whatever they like."""
        number, is_false = int(round.round), self.is_false(round)
        is_urgent = round.deadline_clock_ms - self.world.block.clock_ms < URGENT_MS
        is_new = is_false and not self.auditor.has_open(self.watcher, number)
        if is_new and (is_urgent or self.hits(8)):
            self.commit(self.watcher, number, True, Plan(True, PARTS_MAX, 1))
        for who in self.others:
            if self.hits(12) and not self.auditor.has_open(who, number):
                parts = self.random.choice([1, PARTS_MAX, PARTS_MAX])
                plan = Plan(not self.hits(4), parts, self.random.randint(0, 6))
                self.commit(who, number, is_false and not self.hits(3), plan)

    def commit(self, who: Address, number: int, is_right: bool, plan: Plan) -> None:
        """Let somebody commit to a right proof, or to something else."""
        data = self.court.proof(number)
        if not is_right:
            wrong = [self.court.proof(number, 0), data[:-1], b"nonsense"]
            data = self.random.choice(wrong)
        message = self.court.commitment(who, data, number)
        dispute_id = self.court.commit(who, data, number)
        self.plans[dispute_id] = plan
        self.auditor.hear_commitment(dispute_id, message, is_right)

    def open(self) -> None:
        """Let challengers open what they mean to, a part a block."""
        for dispute_id, plan in self.plans.items():
            case = self.auditor.cases[dispute_id]
            plan.delay -= 1
            if not plan.is_opened or plan.delay >= 0 or self.auditor.is_over(case):
                continue
            if case.state == "COMMITTED":
                message: Any = self.court.opening(dispute_id)
            elif case.state == "OPENED" and case.parts < min(plan.parts, case.needed):
                message = self.court.part(dispute_id, case.parts)
            else:
                continue
            self.world.run(message)
            self.auditor.hear_part(message)


def replay(court: Court) -> bytes:
    """The model that a job's settled rounds give one after the other, worked out anew."""
    model = BASE
    for number in range(1, court.play.job().next_round):
        round = court.play.round(number)
        if round.phase is RoundPhase.SETTLED:
            assert court.models[round.base_root] == model
            model = court.combine(number)
            assert court.models[round.model_root] == model
    return model
