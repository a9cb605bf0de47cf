"""What a round is: params, phases, seats and readers, what is said of it, where it is kept."""

from __future__ import annotations

from enum import IntEnum

from app.kernel.frozen import frozen
from app.kernel.record import I64, U32, U64, U128, Address
from app.kernel.table import Index, Singleton, Table
from app.modules import jobs

NO_BLOB = jobs.Blob("", U64(0))


@frozen
class Params:
    """How rounds are drawn, timed and bonded."""

    deadline_blocks: U32 = U32(10)
    """Blocks that must pass beside the time before a deadline has passed."""
    due_per_block_max: U32 = U32(20)
    """Rounds whose time has come, handled in one block, each 64 seats counted as one more."""
    draws_per_block_max: U32 = U32(4)
    """Draws in one block, each 2,048 candidates counted as one more; the rest waits."""
    aborts_in_row_max: U32 = U32(3)
    """Aborted rounds one after the other with which a job fails."""
    aggregators: U32 = U32(3)
    """Aggregators drawn for a round, each with one turn."""
    answers_min: U32 = U32(3)
    """Readers that must answer before updates are included."""
    draw_bond_cap_uflt: U64 = U64(1_000_000_000)
    """What a bond beyond this adds to the chance of being drawn: nothing."""
    draw_reputation_floor_ppm: U32 = U32(50_000)
    """Added to every reputation in a draw, so that nobody is shut out."""
    newcomer_seat_ppm: U32 = U32(200_000)
    """The part of the cohort's seats that is kept for newcomers."""
    candidate_wait_s: U32 = U32(600)
    """How long a round waits for enough candidates."""
    metrics_max: U32 = U32(16)
    """Metrics in one reveal."""
    metric_name_length_max: U32 = U32(64)
    """UTF-8 bytes of a metric's name."""
    evaluator_bond_fees: U32 = U32(5)
    """An evaluator's seat locks at least so many of its fees for a round."""
    aggregator_bond_pools: U32 = U32(10)
    """An aggregator's seat locks at least so many pools of a round."""
    slices_drawn: U32 = U32(2)
    """Validation slices drawn for a round."""
    scores_min: U32 = U32(3)
    """Evaluators that must reveal, beside a majority of them."""
    score_distance_max: U64 = U64(10_000)
    """An evaluator whose values typically lie further from the medians, in millionths of the
    metric, is not paid."""
    worth_rounds: U32 = U32(8)
    """Rounds over which contributions add up."""


class RoundPhase(IntEnum):
    """The life of a round."""

    UNSPECIFIED = 0
    OPEN = 1
    COMMIT = 2
    REVEAL = 3
    INCLUDE = 4
    AGGREGATE = 5
    SCORE = 6
    CHALLENGE = 7
    SETTLED = 8
    ABORTED = 9
    VOIDED = 10


class SeatKind(IntEnum):
    """How a worker came to its seat."""

    UNSPECIFIED = 0
    COHORT = 1
    RESERVE = 2
    """Drawn beside the cohort; not called."""
    CALLED = 3
    """A reserve that stepped in for a missing worker."""


class SeatState(IntEnum):
    """How far a worker is in its round."""

    UNSPECIFIED = 0
    DRAWN = 1
    COMMITTED = 2
    REVEALED = 3
    INCLUDED = 4
    EXCLUDED = 5
    MISSED = 6
    """Missed a full deadline."""
    LATE = 7
    """Was not done when its phase ended early."""


class ScoreStep(IntEnum):
    """How far the scoring of a round is."""

    UNSPECIFIED = 0
    DRAW = 1
    """The slices, or other evaluators, are about to be drawn."""
    GRANT = 2
    """The requester grants the slices' keys."""
    COMMIT = 3
    REVEAL = 4


class ScoreOutcome(IntEnum):
    """What came of the scoring of a round, and so how its workers are paid."""

    UNSPECIFIED = 0
    SCORED = 1
    NO_SLICES = 2
    """The requester granted no slices that open: the workers' pool is split equally."""
    NO_QUORUM = 3
    """Too few evaluators revealed, twice: half the workers' pool is split equally."""


@frozen
class Metric:
    """A number that a worker states about its training, in millionths."""

    name: str
    value_millionths: I64


@frozen
class Reveal:
    """All that a commitment binds."""

    update_root: bytes
    sum_squares: U128
    """Sum of the squares of the update's values, below 2^100."""
    sealed_root: bytes
    """Root of the bytes as stored when they are sealed; empty in a public job."""
    blob: jobs.Blob
    example_count: U64
    metrics: tuple[Metric, ...]
    salt: bytes
    """32 random bytes."""


NO_REVEAL = Reveal(b"", U128(0), b"", NO_BLOB, U64(0), (), b"")


@frozen
class Seat:
    """One worker in one round."""

    seat: U32
    """From 0; its bit in a bitmap."""
    worker: Address
    kind: SeatKind
    state: SeatState
    attempt: U32
    """The commit attempt in which it is asked, from 1; 0: it is not."""
    commitment: bytes = b""
    reveal: Reveal = NO_REVEAL
    earned_uflt: U64 = U64(0)
    """What the job paid for it, and what of slashed money made a loss good."""
    locked_uflt: U64 = U64(0)
    """What the seat locks of the worker's bond until the round ends."""
    contribution_millionths: I64 = I64(0)
    """What the update was worth in this round, in millionths of the metric."""
    quality_ppm: U32 = U32(0)


@frozen
class Reader:
    """One drawn evaluator or aggregator in one round."""

    reader: U32
    """From 0: the aggregators in the order of their turns, then the evaluators."""
    participant: Address
    is_aggregator: bool
    voted: bool = False
    bitmap: bytes = b""
    """One bit a seat, the lowest of the first byte first: the updates it holds and found right."""
    attested_attempt: U32 = U32(0)
    """The aggregator attempt this evaluator attested, from 1; 0: none."""
    earned_uflt: U64 = U64(0)


@frozen
class Scores:
    """What a score's commitment binds; all numbers in millionths."""

    utilities: tuple[I64, ...]
    """The metric times its direction: of all updates together, then of all without each player's.

    A player is an update that counts: the first in address order of those that are identical.
    """
    own_scores: tuple[I64, ...]
    """The metric of each player's update alone; empty where the job asks for no quality."""
    salt: bytes
    """32 random bytes."""


NO_SCORES = Scores((), (), b"")


@frozen
class Scorer:
    """One evaluator that scores one round."""

    scorer: U32
    """From 0: the round's evaluators, then those drawn when too few of them revealed."""
    evaluator: Address
    attempt: U32
    """1: an evaluator of the round; 2: drawn when too few of those revealed."""
    slice_keys: tuple[bytes, ...] = ()
    """The drawn slices' content keys, each in a sealed box for this evaluator."""
    refused: bool = False
    """Whether it says that the granted slices don't open."""
    commitment: bytes = b""
    scores: Scores = NO_SCORES
    is_far: bool = False
    """Whether its scores lie too far from the medians to be paid."""
    earned_uflt: U64 = U64(0)
    """What one earned who was drawn only to score."""


@frozen
class RoundValue:
    """What one round has found a worker's update to be worth."""

    round: U32
    contribution_millionths: I64


@frozen
class Worth:
    """What a worker's updates were worth in a job's last rounds; pay goes by the sum."""

    worker: Address
    values: tuple[RoundValue, ...]


@frozen
class Round:
    """One pass of train, combine and pay."""

    job_id: U64
    round: U32
    phase: RoundPhase = RoundPhase.OPEN
    reason: str = ""
    seed: bytes = b""
    drawn_height: U64 = U64(0)
    base_root: bytes = b""
    """The model the round trains on; empty until it is known."""
    base: jobs.Blob = NO_BLOB
    base_round: U32 = U32(0)
    """The round whose aggregate that is; 0: the job's own base."""
    commit_attempt: U32 = U32(0)
    """Times the COMMIT phase was opened."""
    phase_clock_ms: U64 = U64(0)
    """When the phase, or the attempt in it, began."""
    deadline_clock_ms: U64 = U64(0)
    """0: the phase has none."""
    deadline_height: U64 = U64(0)
    is_early: bool = False
    """Whether the deadline was brought forward by a quorum."""
    seat_count: U32 = U32(0)
    """Seats of cohort and reserves; 0: not drawn yet."""
    selected_count: U32 = U32(0)
    """Workers from whom a commitment is awaited in this attempt, or came."""
    committed_count: U32 = U32(0)
    revealed_count: U32 = U32(0)
    included_count: U32 = U32(0)
    reader_count: U32 = U32(0)
    voted_count: U32 = U32(0)
    aggregate_attempt: U32 = U32(0)
    """The aggregator whose turn it is, from 1."""
    aggregator: Address = Address(b"")
    model_root: bytes = b""
    """The posted aggregate; empty until it is posted."""
    model: jobs.Blob = NO_BLOB
    attested_count: U32 = U32(0)
    pool_uflt: U64 = U64(0)
    """What the round may pay in all."""
    due_clock_ms: U64 = U64(0)
    """When the chain looks at the round next; 0: it has ended, or waits for the round before it."""
    score_step: ScoreStep = ScoreStep.UNSPECIFIED
    score_attempt: U32 = U32(0)
    """1: by the round's evaluators; 2: by others."""
    slices: tuple[U32, ...] = ()
    """The validation slices drawn for the round."""
    score_outcome: ScoreOutcome = ScoreOutcome.UNSPECIFIED
    utility_millionths: I64 = I64(0)
    """The median utility of the round's model."""
    dispute_count: U32 = U32(0)
    """Open disputes of its aggregate; it doesn't settle before they have ended."""


@frozen
class Number:
    """The number of a seat or of a reader."""

    number: U32


@frozen
class RoundDrawn:
    """A round has its workers and readers."""

    job_id: U64
    round: U32
    seed: bytes
    selected_count: U32
    reserve_count: U32
    reader_count: U32


@frozen
class RoundPhaseChanged:
    """A round is in another phase, and why if not because the one before was done."""

    job_id: U64
    round: U32
    phase: RoundPhase
    reason: str


@frozen
class UpdateCommitted:
    """A worker bound itself to an update."""

    job_id: U64
    round: U32
    worker: Address


@frozen
class UpdateRevealed:
    """A worker showed what its commitment bound."""

    job_id: U64
    round: U32
    worker: Address


@frozen
class ReserveCalled:
    """A reserve is to step in for a missing worker."""

    job_id: U64
    round: U32
    worker: Address


@frozen
class InclusionVoted:
    """A reader said which updates it holds."""

    job_id: U64
    round: U32
    reader: Address


@frozen
class AggregatePosted:
    """An aggregator posted the round's model."""

    job_id: U64
    round: U32
    aggregator: Address
    attempt: U32
    model_root: bytes


@frozen
class AggregateAttested:
    """An evaluator holds the posted model and found it right."""

    job_id: U64
    round: U32
    evaluator: Address
    attempt: U32


@frozen
class AggregatorReplaced:
    """The next drawn aggregator's turn begins."""

    job_id: U64
    round: U32
    aggregator: Address
    attempt: U32


@frozen
class SlicesDrawn:
    """The slices that a round is scored on, and by how many."""

    job_id: U64
    round: U32
    attempt: U32
    slices: tuple[U32, ...]
    scorer_count: U32


@frozen
class SlicesGranted:
    """The requester gave the evaluators the slices' keys."""

    job_id: U64
    round: U32
    requester: Address


@frozen
class SlicesRefused:
    """An evaluator says that the granted slices don't open."""

    job_id: U64
    round: U32
    evaluator: Address


@frozen
class ScoresCommitted:
    """An evaluator bound itself to scores."""

    job_id: U64
    round: U32
    evaluator: Address


@frozen
class ScoreStepChanged:
    """The next step of the scoring has begun."""

    job_id: U64
    round: U32
    step: ScoreStep
    attempt: U32


@frozen
class ScoresRevealed:
    """An evaluator showed its scores."""

    job_id: U64
    round: U32
    evaluator: Address


@frozen
class RoundScored:
    """The scoring of a round has ended."""

    job_id: U64
    round: U32
    outcome: ScoreOutcome
    utility_millionths: I64


PARAMS = Singleton("rounds/params", Params)
ROUNDS = Table("rounds/round", key=(U64, U32), record=Round)
"""By job and round; their history stays."""
SEATS = Table("rounds/seat", key=(U64, U32, U32), record=Seat)
"""By job, round and seat."""
SEAT_OF = Table("rounds/seat_of", key=(U64, U32, Address), record=Number)
READERS = Table("rounds/reader", key=(U64, U32, U32), record=Reader)
"""By job, round and reader."""
READER_OF = Table("rounds/reader_of", key=(U64, U32, Address), record=Number)
SCORERS = Table("rounds/scorer", key=(U64, U32, U32), record=Scorer)
"""By job, round and scorer."""
WORTHS = Table("rounds/worth", key=(U64, Address), record=Worth)
"""By job and worker, for the job's last rounds."""
READ = Index("rounds/read", key=(U64, Address))
"""Who has read or scored any round of a job."""
BARRED = Index("rounds/barred", key=(U64, Address))
"""Who is not drawn to read in a job any more, by job."""
UNSETTLED = Index("rounds/unsettled", key=(U64, U32))
"""Rounds that have not ended, by job."""
DRAWS = Index("rounds/draw", key=(U64, U64))
"""Jobs that want a round, by the height at which registrations, bonds and reputation froze."""
DUE = Index("rounds/due", key=(U64, U64, U32))
"""Unsettled rounds by the clock at which the chain looks at them next."""
