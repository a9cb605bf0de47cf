"""Who lies and who challenges in the simulation, with updates and models that are real bytes.

Some aggregators post a false model, and some evaluators attest it. Watchers challenge: one knows
and is in time, others challenge right models too, open late or never, or stop in the middle. What
one does follows from a hash, so that it makes up its mind once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from app.kernel.record import U32, U64, Address
from app.learning import proof as proofs
from app.learning.commitment import CHALLENGE_COMMITMENT, commitment
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, encode_values
from app.learning.tree import Root
from app.modules import disputes
from app.modules.disputes import DisputePhase
from app.modules.rounds import RoundPhase, SeatState
from tests.build_disputes import BASE, LAST_CHUNK, a_salt, combine, prove, root_of, train
from tests.sim.scorers import chance

LATE_ATTEMPTS_MAX = 2
"""A watcher challenges a round so often at most."""


class Models:
    """The bytes of all updates and models, by their root."""

    def __init__(self) -> None:
        self.models = {root_of(BASE).root: BASE}
        self.updates: dict[bytes, bytes] = {}
        self.right: dict[Any, bytes] = {}
        """The root of the right model, by what it is made of."""
        self.false: list[bytes] = []
        """The roots of models that are not right."""

    def train(self, worker: Address, job_id: int, number: int) -> Root:
        """Make a worker's update of a round."""
        data, root = make_update(worker, job_id, number)
        self.updates[root.root] = data
        return root

    def combine(self, job: Any, state: Any) -> bytes:
        """Return the root of the right model of a round."""
        seats = [seat for seat in state.seats if seat.state is SeatState.INCLUDED]
        base_root = state.round.base_root
        made_of = (job.job_id, base_root, *[seat.reveal.update_root for seat in seats])
        if made_of not in self.right:
            terms, base = job.spec.combination, self.models[base_root]
            model = combine(terms, base, seats, lambda s: self.updates[s.reveal.update_root])
            self.right[made_of] = self.keep(model)
        return self.right[made_of]

    def falsify(self, root: bytes) -> bytes:
        """Return the root of another model than this one."""
        values = decode_values(self.models[root], MODEL_WIDTH)
        values[-1] += 1
        self.false.append(self.keep(encode_values(values, MODEL_WIDTH)))
        return self.false[-1]

    def keep(self, model: bytes) -> bytes:
        """Keep a model, and return its root."""
        root = root_of(model).root
        self.models[root] = model
        return root

    def prove(self, job: Any, state: Any, index: int) -> bytes:
        """Return the proof of a chunk of the model that was posted."""
        claim = disputes.claim_of(job, state.round, state.seats)
        counted = proofs.counted_updates(claim)
        updates = [self.updates[update.update_root] for update in counted]
        return prove(claim, index, self.models, updates)


@cache
def make_update(worker: Address, job_id: int, number: int) -> tuple[bytes, Root]:
    """Return what a worker makes in a round, and its root."""
    data = train(worker, b"%d/%d" % (job_id, number))
    return data, root_of(data, UPDATE_WIDTH)


def lies(state: Any) -> bool:
    """Whether the aggregator on turn posts a false model."""
    current = state.round
    return chance("lie", current.seed, current.aggregator) % 3 == 0


def attests_anything(me: Address, state: Any) -> bool:
    """Whether an evaluator attests whatever is posted, as most do where they are bribed."""
    seed = state.round.seed
    return chance("bribe", seed) % 3 > 0 and chance("bribe", seed, me) % 5 > 0


class Watcher:
    """Who challenges."""

    def __init__(self, me: Address, chain_id: str, models: Models, is_careful: bool) -> None:
        self.me, self.chain_id, self.models = me, chain_id, models
        self.is_careful = is_careful
        self.proofs: dict[bytes, bytes] = {}
        """By commitment."""
        self.truths: dict[bytes, bool] = {}
        """Whether a commitment's proof is right."""

    def act(self, job: Any, state: Any, known: list[Any], is_eager: bool) -> Iterator[Any]:
        """Walk what it does about a round, of which it knows all disputes."""
        mine = [row for row in known if row.challenger == self.me]
        open_one = next((row for row in mine if row.phase in OPEN), None)
        if open_one is not None:
            yield from self.go_on(open_one)
        elif state.round.phase in (RoundPhase.SCORE, RoundPhase.CHALLENGE):
            is_false = state.round.model_root != self.models.combine(job, state)
            wants = is_false or not self.is_careful
            if is_eager and wants and len(mine) < LATE_ATTEMPTS_MAX:
                yield self.begin(job, state, is_false, len(mine))

    def begin(self, job: Any, state: Any, is_false: bool, count: int) -> Any:
        """Bind itself to a proof, or to something else."""
        current = state.round
        is_right = is_false
        data = self.models.prove(job, state, LAST_CHUNK)
        mood = 0 if self.is_careful else chance("proof", self.me, current.seed, count) % 6
        if mood in (1, 2, 3):
            is_right = False
            data = (self.models.prove(job, state, 0), data[:-1], b"nonsense")[mood - 1]
        digest = commitment(
            CHALLENGE_COMMITMENT,
            self.chain_id,
            job.job_id,
            current.round,
            current.aggregate_attempt,
            account=self.me,
            payload=proofs.proof_hash(data) + a_salt(self.me),
        )
        self.proofs[digest], self.truths[digest] = data, is_right
        return disputes.CommitChallenge(self.me, job.job_id, current.round, digest)

    def go_on(self, dispute: Any) -> Iterator[Any]:
        """Walk the next step of a dispute, unless it stops there."""
        mood = 9 if self.is_careful else chance("step", self.me, dispute.dispute_id) % 8
        place = self.me, dispute.job_id, dispute.round, dispute.dispute_id
        parts = proofs.split_proof(self.proofs[dispute.commitment])
        if dispute.phase is DisputePhase.COMMITTED and mood:
            shown = proofs.proof_hash(self.proofs[dispute.commitment]), a_salt(self.me)
            yield disputes.OpenChallenge(*place, *shown, U32(len(parts)), parts[0])
        elif dispute.phase is DisputePhase.OPENED and mood != 1:
            number = dispute.received_count
            yield disputes.AddProofPart(*place, number, parts[number])


OPEN = (
    DisputePhase.COMMITTED,
    DisputePhase.OPENED,
    DisputePhase.COMPLETE,
    DisputePhase.PROVEN,
)


def disputes_of(memory: Any, job_id: int, number: int) -> list[Any]:
    """Return all disputes of a round."""
    return [row for _, row in disputes.DISPUTES.items(memory, (U64(job_id), U32(number)))]
