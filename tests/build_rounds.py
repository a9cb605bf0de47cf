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
from app.learning.commitment import SCORE_COMMITMENT, UPDATE_COMMITMENT, commitment
from app.modules import disputes, jobs, reputation, rounds
from app.modules.bonds import Role
from app.modules.rounds import (
    Reader,
    Reveal,
    Round,
    RoundPhase,
    Scorer,
    Scores,
    Seat,
    SeatKind,
    SeatState,
)
from app.modules.rounds.lifecycle import ENDED
from tests.build import FLT, STACK, World, a_blob, a_job

ALL = (*STACK, rounds.MODULE, disputes.MODULE)
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
        return jobs.JOBS.must(self.world.state, self.job_id)

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

    def scorers(self, number: int = 1) -> list[Scorer]:
        """Who scores a round in its present attempt."""
        attempt = self.round(number).score_attempt
        rows = rounds.SCORERS.items(self.world.state, (self.job_id, number))
        return [row for _, row in rows if row.attempt == attempt]

    def scorer(self, evaluator: Address, number: int = 1) -> Scorer:
        """An evaluator's place among those who score, whatever the attempt."""
        rows = rounds.SCORERS.items(self.world.state, (self.job_id, number))
        return next(row for _, row in rows if row.evaluator == evaluator)

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

    def grant_of(self, number: int = 1) -> rounds.GrantSlices:
        """The message that grants the drawn slices' keys to all who score."""
        count = len(self.scorers(number)) * len(self.round(number).slices)
        keys = tuple(bytes([i]) * 80 for i in range(count))
        return rounds.GrantSlices(self.job().requester, U64(self.job_id), U32(number), keys)

    def scores_commitment(
        self, evaluator: Address, scores: Scores, number: int = 1
    ) -> rounds.CommitScores:
        """The message that commits an evaluator to scores."""
        digest = commitment(
            SCORE_COMMITMENT,
            self.world.block.chain_id,
            self.job_id,
            number,
            self.scorer(evaluator, number).attempt,
            account=evaluator,
            payload=encode(scores),
        )
        return rounds.CommitScores(evaluator, U64(self.job_id), U32(number), digest)

    def scores_revelation(
        self, evaluator: Address, scores: Scores, number: int = 1
    ) -> rounds.RevealScores:
        """The message that reveals an evaluator's scores."""
        return rounds.RevealScores(evaluator, U64(self.job_id), U32(number), scores)

    def refusal_of(self, evaluator: Address, number: int = 1) -> rounds.RefuseSlices:
        """The message that says that the slices don't open."""
        return rounds.RefuseSlices(evaluator, U64(self.job_id), U32(number))

    def grant(self, number: int = 1) -> None:
        """Let the requester grant the drawn slices' keys."""
        self.world.run(self.grant_of(number))
        self.world.pass_block()

    def commit_scores(self, given: Mapping[Address, Scores], number: int = 1) -> None:
        """Let evaluators commit to these scores."""
        for evaluator, scores in given.items():
            self.world.run(self.scores_commitment(evaluator, scores, number))
        self.world.pass_block()

    def reveal_scores(self, given: Mapping[Address, Scores], number: int = 1) -> None:
        """Let evaluators reveal these scores."""
        for evaluator, scores in given.items():
            self.world.run(self.scores_revelation(evaluator, scores, number))
        self.world.pass_block()

    def score(self, scores: Scores | None = None, number: int = 1) -> None:
        """Let the slices be granted, and all who score agree."""
        self.grant(number)
        players = {seat.reveal.update_root for seat in self.seats(number, SeatState.INCLUDED)}
        agreed = scores or a_score([0] + [-FLT] * len(players))
        given = {scorer.evaluator: agreed for scorer in self.scorers(number)}
        self.commit_scores(given, number)
        self.reveal_scores(given, number)

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

    def to_score(self, number: int = 1) -> "Play":
        """Play a round until its slices are drawn."""
        self.to_aggregate(number).post(number)
        self.attest(number)
        assert self.round(number).phase is RoundPhase.SCORE
        return self

    def to_challenge(self, number: int = 1) -> "Play":
        """Play a round until CHALLENGE."""
        self.to_aggregate(number).post(number)
        self.attest(number)
        if self.round(number).phase is RoundPhase.SCORE:
            self.score(number=number)
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
    evaluator_count: int = 3,
) -> Play:
    """A job in whose first round the cohort is asked to commit, with three readers of each role."""
    world = World(params, ALL)
    message = a_job(world.account("rita"), changes, budget_uflt)
    find_or_register(world, "other", Role.EVALUATOR, evaluator_count - 3, bond_uflt)
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


def a_score(utilities: Sequence[int], own_scores: Sequence[int] = (), salt: bytes = b"") -> Scores:
    """Scores: of all updates together, then of all without each; and of each alone."""
    return Scores(tuple(utilities), tuple(own_scores), sha256(salt))  # type: ignore[arg-type]


def a_model(number: int = 1) -> tuple[bytes, jobs.Blob]:
    """A round's model: its root and its bytes' name."""
    return sha256(b"model" + bytes([number])), a_blob(f"model {number}", 8 * 1_000)
