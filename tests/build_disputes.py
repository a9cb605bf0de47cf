"""A job whose updates and models are real bytes, so that a false model can be proven false.

court = a_court()
court.to_challenge(lie=1)
proof = court.proof()
dispute = court.commit(court.stranger, proof)
court.open(dispute, proof)

A lie is added to the last value of the right model. Training is a function of the worker and the
base alone, so that two runs of a job can be compared.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.kernel.crypto import sha256
from app.kernel.record import U32, U64, U128, Address
from app.learning import proof as proofs
from app.learning.combine import clip_values, combine_chunk
from app.learning.commitment import CHALLENGE_COMMITMENT, commitment
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, encode_values
from app.learning.proof import AggregateClaim, AggregateProof, Opening
from app.learning.tree import Root, chunk_proof, tree_root
from app.modules import disputes, rounds
from app.modules.disputes import Dispute, DisputePhase
from app.modules.jobs import Combination
from app.modules.rounds import RoundPhase, Seat, SeatState
from tests.build import WORK, a_blob
from tests.build_rounds import QUICK, Params, Play, a_play

VALUES = 600
"""Three chunks, the last one short."""
LAST_CHUNK = 2
BASE = encode_values([(n << 12) - (n % 3) for n in range(VALUES)], MODEL_WIDTH)


def root_of(data: bytes, width: int = MODEL_WIDTH) -> Root:
    """The root of a vector of the job."""
    return tree_root(data, width, WORK.layout_hash)


REAL_WORK = {
    "work.value_count": U64(VALUES),
    "work.base_root": root_of(BASE).root,
    "work.base": a_blob("base", MODEL_WIDTH * VALUES),
}
"""Changes to a job's spec with which its bytes are real."""


def train(worker: Address, base_root: bytes) -> bytes:
    """The update that a worker makes of a base."""
    seed = sha256(worker + base_root)
    return encode_values([(seed[n % 32] - 128) * (n + 1) for n in range(VALUES)], UPDATE_WIDTH)


def open_at(data: bytes, width: int, index: int) -> Opening:
    """A chunk of a vector with its path."""
    found = chunk_proof(data, width, WORK.layout_hash, index)
    return Opening(found.chunk, found.path)


def combine(
    terms: Combination, base: bytes, included: Sequence[Seat], update_of: Callable[[Seat], bytes]
) -> bytes:
    """The right model of a round; identical updates count once, as the first of their workers."""
    in_order = sorted(included, key=lambda seat: seat.worker, reverse=True)
    firsts = {seat.reveal.update_root: seat for seat in in_order}
    seats = sorted(firsts.values(), key=lambda seat: seat.worker)
    updates = [
        clip_values(
            decode_values(update_of(seat), UPDATE_WIDTH), terms.norm_max, seat.reveal.sum_squares
        )
        for seat in seats
    ]
    weights = [min(seat.reveal.example_count, terms.example_count_max) for seat in seats]
    values = decode_values(base, MODEL_WIDTH)
    values = combine_chunk(terms.rule, values, updates, weights, terms.trim_count)
    return encode_values(values, MODEL_WIDTH)


def prove(
    claim: AggregateClaim, index: int, model_of: Mapping[bytes, bytes], updates: Iterable[bytes]
) -> bytes:
    """The proof of one chunk of a round's model; the updates are those that count, in order."""
    models = [
        open_at(model_of[root], MODEL_WIDTH, index) for root in (claim.posted_root, claim.base_root)
    ]
    opened = tuple(open_at(update, UPDATE_WIDTH, index) for update in updates)
    return proofs.encode_proof(AggregateProof(U64(index), *models, opened))


@dataclass
class Court:
    """A job with real bytes, and who may challenge its models."""

    play: Play
    stranger: Address
    models: dict[bytes, bytes] = field(default_factory=lambda: {root_of(BASE).root: BASE})
    """The bytes of all models by their root."""
    proofs: dict[int, bytes] = field(default_factory=dict)
    """The proofs that were committed to, by dispute."""

    def reveal_of(self, worker: Address, number: int) -> dict[str, Any]:
        """What a worker reveals of its real update."""
        update = train(worker, self.play.round(number).base_root)
        root = root_of(update, UPDATE_WIDTH)
        blob = a_blob(root.root.hex(), UPDATE_WIDTH * VALUES)
        squares = U128(root.sum_squares)
        return {"update_root": root.root, "sum_squares": squares, "blob": blob}

    def to_include(self, number: int = 1) -> "Court":
        """Let the workers commit and reveal."""
        play = self.play
        for worker in play.asked(number):
            play.world.run(play.commitment(worker, number, **self.reveal_of(worker, number)))
        play.world.pass_block()
        for seat in play.seats(number, SeatState.COMMITTED):
            fields = self.reveal_of(seat.worker, number)
            play.world.run(play.revelation(seat.worker, number, **fields))
        play.world.pass_block()
        return self

    def to_aggregate(self, number: int = 1) -> "Court":
        """Let the readers include all."""
        self.to_include(number).play.vote(number)
        return self

    def combine(self, number: int = 1) -> bytes:
        """The right model of a round."""
        terms, root = self.play.job().spec.combination, self.play.round(number).base_root
        seats = self.play.seats(number, SeatState.INCLUDED)
        return combine(terms, self.models[root], seats, lambda seat: train(seat.worker, root))

    def aggregate_of(self, number: int = 1, lie: int = 0) -> rounds.PostAggregate:
        """The message of the aggregator on turn, with the right model or one with a lie in it."""
        values = decode_values(self.combine(number), MODEL_WIDTH)
        values[-1] += lie
        model = encode_values(values, MODEL_WIDTH)
        root = root_of(model).root
        self.models[root] = model
        blob = a_blob(root.hex(), MODEL_WIDTH * VALUES)
        place = U64(self.play.job_id), U32(number)
        return rounds.PostAggregate(self.play.round(number).aggregator, *place, root, blob)

    def attestation_of(self, evaluator: Address, number: int = 1) -> rounds.AttestAggregate:
        """The message that attests whatever was posted."""
        round = self.play.round(number)
        place = U64(self.play.job_id), U32(number), round.aggregate_attempt
        return rounds.AttestAggregate(evaluator, *place, round.model_root)

    def post(self, number: int = 1, lie: int = 0) -> None:
        """Let the aggregator on turn post a model."""
        self.play.world.run(self.aggregate_of(number, lie))
        self.play.world.pass_block()

    def attest(self, number: int = 1, evaluators: Iterable[Address] | None = None) -> None:
        """Let evaluators attest whatever was posted."""
        readers = self.play.readers(number, is_aggregator=False)
        everyone = [reader.participant for reader in readers]
        for who in everyone if evaluators is None else evaluators:
            self.play.world.run(self.attestation_of(who, number))
        self.play.world.pass_block()

    def to_challenge(
        self, number: int = 1, lie: int = 0, evaluators: Iterable[Address] | None = None
    ) -> "Court":
        """Play a round until its model can be challenged."""
        self.to_aggregate(number).post(number, lie)
        self.attest(number, evaluators)
        assert self.play.round(number).phase is RoundPhase.CHALLENGE
        return self

    def proof(self, number: int = 1, index: int = LAST_CHUNK) -> bytes:
        """The proof of one chunk of a round's model."""
        play = self.play
        round = play.round(number)
        claim = disputes.claim_of(play.job(), round, play.seats(number))
        counted = proofs.counted_updates(claim)
        updates = [train(update.worker, round.base_root) for update in counted]
        return prove(claim, index, self.models, updates)

    def commitment(self, challenger: Address, data: bytes, number: int = 1) -> Any:
        """The message that commits to a proof."""
        digest = commitment(
            CHALLENGE_COMMITMENT,
            self.play.world.block.chain_id,
            self.play.job_id,
            number,
            self.play.round(number).aggregate_attempt,
            account=challenger,
            payload=proofs.proof_hash(data) + a_salt(challenger),
        )
        place = U64(self.play.job_id), U32(number)
        return disputes.CommitChallenge(challenger, *place, digest)

    def commit(self, challenger: Address, data: bytes, number: int = 1) -> int:
        """Commit to a proof; return the dispute's number."""
        answer = self.play.world.run(self.commitment(challenger, data, number))
        self.proofs[answer.dispute_id] = data
        return int(answer.dispute_id)

    def opening(self, dispute_id: int, /, **changes: Any) -> disputes.OpenChallenge:
        """The message that opens a dispute."""
        dispute, data = self.dispute(dispute_id), self.proofs[dispute_id]
        parts = proofs.split_proof(data)
        fields = {
            "challenger": dispute.challenger,
            "job_id": dispute.job_id,
            "round": dispute.round,
            "dispute_id": U64(dispute_id),
            "proof_hash": proofs.proof_hash(data),
            "salt": a_salt(dispute.challenger),
            "part_count": U32(len(parts)),
            "part": parts[0],
        }
        return disputes.OpenChallenge(**{**fields, **changes})

    def part(self, dispute_id: int, number: int, /, **changes: Any) -> disputes.AddProofPart:
        """The message that adds a further part."""
        dispute = self.dispute(dispute_id)
        fields = {
            "challenger": dispute.challenger,
            "job_id": dispute.job_id,
            "round": dispute.round,
            "dispute_id": U64(dispute_id),
            "number": U32(number),
            "part": proofs.split_proof(self.proofs[dispute_id])[number],
        }
        return disputes.AddProofPart(**{**fields, **changes})

    def open(self, dispute_id: int) -> None:
        """Open a dispute with all parts of its proof, and let it be decided."""
        self.play.world.run(self.opening(dispute_id))
        for number in range(1, len(proofs.split_proof(self.proofs[dispute_id]))):
            self.play.world.run(self.part(dispute_id, number))
        self.play.world.pass_block()

    def challenge(self, challenger: Address, data: bytes, number: int = 1) -> Dispute:
        """Commit to a proof, open it and return what became of the dispute."""
        dispute_id = self.commit(challenger, data, number)
        self.open(dispute_id)
        return self.dispute(dispute_id)

    def dispute(self, dispute_id: int) -> Dispute:
        """A dispute as it is now."""
        rows = disputes.DISPUTES.items(self.play.world.state)
        return next(row for _, row in rows if row.dispute_id == dispute_id)

    def phase(self, dispute_id: int) -> DisputePhase:
        """How far a dispute is."""
        return self.dispute(dispute_id).phase


def a_salt(challenger: Address) -> bytes:
    """A challenger's salt."""
    return sha256(b"challenge" + challenger)


def a_court(
    changes: Mapping[str, Any] | None = None, *, params: Params | None = None, **kwargs: Any
) -> Court:
    """A job in whose first round the cohort is asked to commit, and a stranger with money."""
    params = {**QUICK, **(params or {})}
    play = a_play({**REAL_WORK, **(changes or {})}, params=params, **kwargs)
    return Court(play, play.world.account("stranger"))
