"""What a job is: the spec that is fixed when it is posted, and the job as the chain keeps it."""

from __future__ import annotations

from enum import IntEnum

from app.kernel.frozen import frozen
from app.kernel.record import I64, U32, U64, Address
from app.learning.combine import CombineRule


@frozen
class Params:
    """What jobs cost and how large they may be."""

    posting_cost_uflt: U64 = U64(10_000_000)
    """Burned for each posted job."""
    join_deposit_uflt: U64 = U64(1_000_000)
    """Returned when the worker has left or the job has ended."""
    open_jobs_max: U32 = U32(20)
    """Jobs of one requester that have not ended."""
    candidates_max: U32 = U32(10_000)
    """Workers that offer to train in one job."""
    funders_max: U32 = U32(100)
    """Accounts that pay into one job."""
    rounds_max: U32 = U32(10_000)
    """Rounds of one job."""
    cohort_max: U32 = U32(1_024)
    """Workers in one round."""
    cohort_unfolded_max: U32 = U32(512)
    """Workers in one round of a rule that needs every update at once: median and trimmed mean."""
    evaluators_max: U32 = U32(15)
    """Evaluators in one round."""
    text_length_max: U32 = U32(1_024)
    """UTF-8 bytes of a short text."""
    config_length_max: U32 = U32(16_384)
    """UTF-8 bytes of a config."""
    allow_list_max: U32 = U32(256)
    """Workers on an allow-list."""
    validation_slices: U32 = U32(10)
    """Slices of a validation set; a job has so many or none."""
    deadline_s_min: U32 = U32(5)
    """The shortest phase of a job or round."""
    deadline_s_max: U32 = U32(7 * 24 * 3_600)
    """The longest phase of a job or round."""
    challenge_s_min: U32 = U32(60)
    """The shortest time for challenges."""
    held_back_ppm_max: U32 = U32(300_000)
    """The largest part of pay that waits for acceptance."""
    blob_size_bytes_max: U64 = U64(1 << 30)
    """Bytes of an app, a model, an update or a layout."""
    values_max: U64 = U64(100_000_000)
    """Values of a model."""
    due_per_block_max: U32 = U32(100)
    """Jobs whose time has come, handled in one block; the rest waits for the next."""
    worker_bond_shares: U32 = U32(10)
    """A worker's seat locks at least so many equal shares of a round's pool."""
    seat_bond_min_uflt: U64 = U64(10_000_000)
    """No seat locks less."""
    evaluators_min: U32 = U32(3)
    """The fewest evaluators in one round."""
    job_s_max: U32 = U32(365 * 24 * 3_600)
    """The longest that any job may run."""
    dispute_s: U32 = U32(240)
    """What disputes may add to a round."""
    slices_kept: U32 = U32(2)
    """Slices that no round is scored on: the last ones, kept for acceptance."""
    cohort_scored_max: U32 = U32(128)
    """Workers in one round of a rule that scores: each evaluator measures once more than that."""


class JobPhase(IntEnum):
    """The life of a job."""

    UNSPECIFIED = 0
    OPEN = 1
    RUNNING = 2
    REVIEW = 3
    SETTLED = 4
    CANCELLED = 5
    FAILED = 6


@frozen
class Blob:
    """Bytes off chain: a CIDv1 and a length."""

    cid: str
    size_bytes: U64


@frozen
class Slice:
    """One part of a validation set, sealed by the requester until a round needs it."""

    hash: bytes
    """SHA-256 of the plain bytes."""
    sealed: Blob


class MetricDirection(IntEnum):
    """Whether a metric is better when it is higher or lower."""

    UNSPECIFIED = 0
    HIGHER = 1
    LOWER = 2


@frozen
class Work:
    """What is trained: the Flower app, the model it starts from, and what its ServerApp sends."""

    fab_hash: bytes
    """SHA-256 of the Flower app bundle."""
    fab: Blob
    base_root: bytes
    """Root of the model that the first round trains on."""
    base: Blob
    layout_hash: bytes
    layout: Blob
    value_count: U64
    data_schema_hash: bytes
    """SHA-256 of the schema that a worker's data must have, or empty."""
    data_schema: str
    run_config: str
    """A JSON object with sorted keys and no spaces, as the two that follow; not parsed here."""
    train_config: str
    evaluate_config: str
    message_type: str
    """Flower's message type of a training message: `train` or `train.<action>`."""
    arrays_key: str
    config_key: str
    metrics_key: str
    weight_key: str
    validation_slices: tuple[Slice, ...]
    """Ten or none; the last two are kept for acceptance alone."""
    evaluator_node_config: str
    metric: str
    metric_direction: MetricDirection


@frozen
class Schedule:
    """How many rounds of how many workers, and how long each phase may take."""

    round_count: U32
    cohort_size: U32
    cohort_size_min: U32
    reserve_count: U32
    quorum_ppm: U32
    """The part of those selected that ends a phase early."""
    grace_ms: U32
    """How long a phase stays open for stragglers once its quorum is reached."""
    open_s: U32
    commit_s: U32
    reveal_s: U32
    include_s: U32
    aggregate_s: U32
    score_s: U32
    """Each step of SCORE: the requester's grant, the evaluators' commitments, their scores."""
    challenge_s: U32
    review_s: U32
    job_s_max: U32
    """The longest the job may run; no round begins after that."""


@frozen
class Admission:
    """Who may join."""

    bond_uflt_min: U64
    reputation_ppm_min: U32
    allow_list: tuple[Address, ...]
    """Empty: anyone."""


class Profile(IntEnum):
    """Who may read updates."""

    UNSPECIFIED = 0
    PUBLIC = 1


@frozen
class Combination:
    """How a round's updates become the next model."""

    rule: CombineRule
    trim_count: U32
    """Values left out on each side by a trimmed mean."""
    norm_max: U64
    """The largest L2 norm of an update in fixed point (2^-20); 0: no clipping."""
    example_count_max: U64
    """The largest example count that weighs."""
    value_max: U32
    """The largest magnitude of a value of an update in fixed point (2^-20)."""


class ContributionRule(IntEnum):
    """What a worker's share of a round is in proportion to."""

    UNSPECIFIED = 0
    EQUAL = 1
    EXAMPLES_CAPPED = 2
    LEAVE_ONE_OUT = 3
    """What the round's model loses without an update, as evaluators measure it."""


SCORING = (ContributionRule.LEAVE_ONE_OUT,)
"""The rules under which evaluators score a round."""


@frozen
class Pay:
    """How a round's pool is split, and how much of it waits for acceptance."""

    held_back_ppm: U32
    worker_ppm: U32
    aggregator_ppm: U32
    evaluator_ppm: U32
    reserve_ppm: U32
    contribution: ContributionRule
    weighs_quality: bool
    """Whether pay is in proportion to the median own score of an update too."""


@frozen
class SeatBonds:
    """The least bond locked for a seat, on top of what the chain's rules ask."""

    worker_uflt: U64
    aggregator_uflt: U64
    evaluator_uflt: U64


@frozen
class Acceptance:
    """What a rejected result is measured against; both 0: nothing."""

    baseline_millionths: I64
    """The metric of the base model, as the requester states it."""
    threshold_millionths: I64
    """The metric with which all that is held back is earned."""


@frozen
class JobSpec:
    """All that is fixed when a job is posted."""

    title: str
    work: Work
    schedule: Schedule
    admission: Admission
    profile: Profile
    combination: Combination
    pay: Pay
    seat_bonds: SeatBonds
    evaluator_count: U32
    acceptance: Acceptance


@frozen
class Job:
    """One job: what was posted, its money, and how far it is."""

    job_id: U64
    requester: Address
    spec: JobSpec
    phase: JobPhase
    reason: str
    budget_uflt: U64
    """All that was paid in."""
    escrow_uflt: U64
    """Money promised and neither earned nor returned yet; held-back money included."""
    held_uflt: U64
    paid_uflt: U64
    """What has left escrow as pay, fees and excess."""
    candidate_count: U32
    """Workers that offer to train; who is leaving is not counted."""
    funder_count: U32
    posted_clock_ms: U64
    started_clock_ms: U64
    due_clock_ms: U64
    """When the phase ends by itself; 0: it doesn't."""
    next_round: U32
    """The number the next round will have; never reused."""
    completed_round_count: U32
    aborted_in_row: U32
    unsettled_round_count: U32
    model_root: bytes
    """The last model that was attested and stands; at first the base."""
    model: Blob
    cancel_requested: bool
    rejected: bool
    released_ppm: U32
    """The part of what is held back that the job's end releases; the rest returns."""


@frozen
class Candidate:
    """A worker that offers to train in a job."""

    worker: Address
    deposit_uflt: U64
    leaving: bool
    """It has left, or was put out."""
    missed_in_row: U32
    """Rounds one after the other that it was drawn for and didn't commit to."""


@frozen
class Funding:
    """What one account has paid into a job."""

    funder: Address
    amount_uflt: U64
