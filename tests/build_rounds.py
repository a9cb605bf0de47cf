"""A job whose rounds are played: the world of `build`, with rounds and all who act in them.

play = a_play({"schedule.round_count": 1})
play.commit()
play.reveal()
assert play.round().phase is RoundPhase.INCLUDE

Each step lets everyone who is asked act, then passes a block; a step takes the round's number, 1
unless told, and who acts, everyone unless told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.kernel.crypto import sha256
from app.kernel.record import U32, U64, U128, Address, encode
from app.learning.commitment import UPDATE_COMMITMENT, commitment
from app.modules import jobs, reputation, rounds
from app.modules.bonds import Role
from app.modules.rounds import Reader, Reveal, Round, RoundPhase, Seat, SeatKind, SeatState
from app.modules.rounds.lifecycle import ENDED
from tests.build import FLT, STACK, World, a_blob, a_job

ALL = (*STACK, rounds.MODULE)
QUICK = {
    "rounds": {"deadline_blocks": 1, "candidate_wait_s": 10},
    "slashing": {"excuse_draws": 0},
}
"""Params with which a deadline needs no waiting for blocks, and nobody sits out a draw."""
FREE_TURNS = {**QUICK, "slashing": {**QUICK["slashing"], "no_aggregate_ppm": 0}}
"""Those with which a missed turn costs an aggregator nothing, so that no pot pays anybody."""

Params = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Play:
    """One running job and its people."""

    world: World
    job_id: int
    workers: Sequence[Address]
    evaluators: Sequence[Address]
    aggregators: Sequence[Address]

    def job(self) -> jobs.Job:
        """The job as it is now."""
        return self.world.job(self.job_id)

    def round(self, number: int = 1) -> Round:
        """A round as it is now."""
        return rounds.ROUNDS.must(self.world.state, (self.job_id, number))

    def seats(self, number: int = 1, *states: SeatState) -> list[Seat]:
        """A round's seats, or those in certain states."""
        found = [seat for _, seat in rounds.SEATS.items(self.world.state, (self.job_id, number))]
        return [seat for seat in found if not states or seat.state in states]

    def asked(self, number: int = 1) -> list[Address]:
        """The workers of whom a round awaits a commitment, by seat."""
        drawn = self.seats(number, SeatState.DRAWN)
        return [seat.worker for seat in drawn if seat.kind is not SeatKind.RESERVE]

    def seat(self, worker: Address, number: int = 1) -> Seat:
        """A worker's seat."""
        return next(seat for seat in self.seats(number) if seat.worker == worker)

    def readers(self, number: int = 1, is_aggregator: bool | None = None) -> list[Reader]:
        """A round's readers, or only its aggregators or evaluators."""
        rows = rounds.READERS.items(self.world.state, (self.job_id, number))
        return [row for _, row in rows if is_aggregator in (None, row.is_aggregator)]

    def reader(self, participant: Address, number: int = 1) -> Reader:
        """A participant's place among the readers."""
        return next(row for row in self.readers(number) if row.participant == participant)

    def reputation_ppm(self, account: Address) -> int:
        """An account's reputation."""
        return reputation.find_standing(self.world.state, account).reputation_ppm

    def commitment(self, worker: Address, number: int = 1, **changes: Any) -> rounds.CommitUpdate:
        """The message that commits a worker to its reveal of a round."""
        digest = commitment(
            UPDATE_COMMITMENT,
            self.world.block.chain_id,
            self.job_id,
            number,
            self.seat(worker, number).attempt,
            account=worker,
            payload=encode(a_reveal(worker, number, **changes)),
        )
        return rounds.CommitUpdate(worker, U64(self.job_id), U32(number), digest)

    def revelation(self, worker: Address, number: int = 1, **changes: Any) -> rounds.RevealUpdate:
        """The message that reveals a worker's update."""
        reveal = a_reveal(worker, number, **changes)
        return rounds.RevealUpdate(worker, U64(self.job_id), U32(number), reveal)

    def vote_of(
        self, reader: Address, number: int = 1, without: Iterable[Address] = ()
    ) -> rounds.VoteInclusion:
        """The message that votes for all revealed updates but some."""
        seats = self.seats(number, SeatState.REVEALED)
        bits = sum(1 << seat.seat for seat in seats if seat.worker not in tuple(without))
        bitmap = bits.to_bytes(rounds.bitmap_bytes(self.round(number).seat_count), "little")
        return rounds.VoteInclusion(reader, U64(self.job_id), U32(number), bitmap)

    def aggregate_of(self, aggregator: Address, number: int = 1) -> rounds.PostAggregate:
        """The message that posts a round's model."""
        root, model = a_model(number)
        return rounds.PostAggregate(aggregator, U64(self.job_id), U32(number), root, model)

    def attestation_of(
        self, evaluator: Address, number: int = 1, attempt: int = 1
    ) -> rounds.AttestAggregate:
        """The message that attests a round's model."""
        place = U64(self.job_id), U32(number), U32(attempt)
        return rounds.AttestAggregate(evaluator, *place, a_model(number)[0])

    def commit(
        self, number: int = 1, workers: Iterable[Address] | None = None, **changes: Any
    ) -> None:
        """Let workers commit."""
        for worker in self.asked(number) if workers is None else workers:
            self.world.run(self.commitment(worker, number, **changes))
        self.world.pass_block()

    def reveal(
        self, number: int = 1, workers: Iterable[Address] | None = None, **changes: Any
    ) -> None:
        """Let workers reveal."""
        committed = [seat.worker for seat in self.seats(number, SeatState.COMMITTED)]
        for worker in committed if workers is None else workers:
            self.world.run(self.revelation(worker, number, **changes))
        self.world.pass_block()

    def vote(
        self,
        number: int = 1,
        readers: Iterable[Address] | None = None,
        without: Iterable[Address] = (),
    ) -> None:
        """Let readers vote."""
        everyone = [reader.participant for reader in self.readers(number)]
        for reader in everyone if readers is None else readers:
            self.world.run(self.vote_of(reader, number, without))
        self.world.pass_block()

    def post(self, number: int = 1) -> None:
        """Let the aggregator whose turn it is post the model."""
        self.world.run(self.aggregate_of(self.round(number).aggregator, number))
        self.world.pass_block()

    def attest(self, number: int = 1, evaluators: Iterable[Address] | None = None) -> None:
        """Let evaluators attest the posted model."""
        everyone = [reader.participant for reader in self.readers(number, is_aggregator=False)]
        attempt = self.round(number).aggregate_attempt
        for evaluator in everyone if evaluators is None else evaluators:
            self.world.run(self.attestation_of(evaluator, number, attempt))
        self.world.pass_block()

    def to_reveal(self, number: int = 1) -> "Play":
        """Play a round until REVEAL."""
        self.commit(number)
        return self

    def to_include(self, number: int = 1) -> "Play":
        """Play a round until INCLUDE."""
        self.to_reveal(number).reveal(number)
        return self

    def to_aggregate(self, number: int = 1) -> "Play":
        """Play a round until AGGREGATE."""
        self.to_include(number).vote(number)
        return self

    def to_challenge(self, number: int = 1) -> "Play":
        """Play a round until CHALLENGE."""
        self.to_aggregate(number).post(number)
        self.attest(number)
        assert self.round(number).phase is RoundPhase.CHALLENGE
        return self

    def to_settled(self, number: int = 1) -> "Play":
        """Play a round until it is settled."""
        self.to_challenge(number)
        self.end_phase(number)
        assert self.round(number).phase is RoundPhase.SETTLED
        return self

    def to_end(self, number: int = 1) -> "Play":
        """Let everyone do what is asked until a round has ended."""
        steps = {
            RoundPhase.COMMIT: self.commit,
            RoundPhase.REVEAL: self.reveal,
            RoundPhase.INCLUDE: self.vote,
            RoundPhase.CHALLENGE: self.end_phase,
        }
        while (phase := self.round(number).phase) not in ENDED:
            if phase is RoundPhase.AGGREGATE:
                self.post(number)
                self.attest(number)
            else:
                steps[phase](number)
        return self

    def bonds(self) -> dict[Address, int]:
        """What each participant has bonded."""
        everyone = (*self.workers, *self.aggregators, *self.evaluators)
        return {who: self.world.registration(who).bonded_uflt for who in everyone}

    def end_phase(self, number: int = 1) -> list[Any]:
        """Let the full deadline of a round's phase pass."""
        left_ms = self.round(number).deadline_clock_ms - self.world.block.clock_ms
        return self.world.wait(max(-(-left_ms // 1_000), 1))


def a_play(
    changes: Mapping[str, Any] | None = None,
    *,
    budget_uflt: int = 20 * FLT,
    params: Params = QUICK,
    worker_count: int | None = None,
    bond_uflt: int = 1_000 * FLT,
) -> Play:
    """A job in whose first round the cohort is asked to commit, with three readers of each role."""
    world = World(params, ALL)
    message = a_job(world.account("rita"), changes, budget_uflt)
    return join_all(world, message, worker_count, bond_uflt)


def join_all(world: World, message: jobs.PostJob, worker_count: int | None, bond_uflt: int) -> Play:
    """Post a job, let workers join until it has started, and pass the block that draws."""
    evaluators = find_or_register(world, "evaluator", Role.EVALUATOR, 3, bond_uflt)
    aggregators = find_or_register(world, "aggregator", Role.AGGREGATOR, 3, bond_uflt)
    schedule = message.spec.schedule
    enough = schedule.cohort_size + schedule.reserve_count
    count = worker_count or enough
    workers = find_or_register(world, "worker", Role.WORKER, count, bond_uflt)
    job_id = world.run(message).job_id
    for worker in workers:
        world.run(jobs.JoinJob(worker, job_id))
    world.pass_block(1 if count >= enough else schedule.open_s)
    if count < enough:
        world.pass_block()
    return Play(world, job_id, workers, evaluators, aggregators)


def find_or_register(
    world: World, name: str, role: Role, count: int, bond_uflt: int
) -> list[Address]:
    """So many participants of a role, named by number."""
    return [world.participant(f"{name} {i}", role, bond_uflt) for i in range(count)]


def a_reveal(
    worker: Address, number: int = 1, *, examples: int = 100, root: bytes | None = None, **rest: Any
) -> Reveal:
    """What a worker commits to in a round: its own update unless told."""
    fields: dict[str, Any] = {
        "update_root": root or sha256(b"update" + worker + bytes([number])),
        "sum_squares": U128(1 << 60),
        "sealed_root": b"",
        "blob": a_blob(f"update {worker.hex()} {number}", 4 * 1_000),
        "example_count": U64(examples),
        "metrics": (rounds.Metric("loss", -250_000),),
        "salt": sha256(b"salt" + worker),
    }
    return Reveal(**{**fields, **rest})


def a_model(number: int = 1) -> tuple[bytes, jobs.Blob]:
    """A round's model: its root and its bytes' name."""
    return sha256(b"model" + bytes([number])), a_blob(f"model {number}", 8 * 1_000)
