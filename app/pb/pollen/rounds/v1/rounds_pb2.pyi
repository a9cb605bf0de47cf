from app.pb.pollen.jobs.v1 import jobs_pb2 as _jobs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RoundPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROUND_PHASE_UNSPECIFIED: _ClassVar[RoundPhase]
    ROUND_PHASE_OPEN: _ClassVar[RoundPhase]
    ROUND_PHASE_COMMIT: _ClassVar[RoundPhase]
    ROUND_PHASE_REVEAL: _ClassVar[RoundPhase]
    ROUND_PHASE_INCLUDE: _ClassVar[RoundPhase]
    ROUND_PHASE_AGGREGATE: _ClassVar[RoundPhase]
    ROUND_PHASE_SCORE: _ClassVar[RoundPhase]
    ROUND_PHASE_CHALLENGE: _ClassVar[RoundPhase]
    ROUND_PHASE_SETTLED: _ClassVar[RoundPhase]
    ROUND_PHASE_ABORTED: _ClassVar[RoundPhase]
    ROUND_PHASE_VOIDED: _ClassVar[RoundPhase]

class SeatKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEAT_KIND_UNSPECIFIED: _ClassVar[SeatKind]
    SEAT_KIND_COHORT: _ClassVar[SeatKind]
    SEAT_KIND_RESERVE: _ClassVar[SeatKind]
    SEAT_KIND_CALLED: _ClassVar[SeatKind]

class SeatState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEAT_STATE_UNSPECIFIED: _ClassVar[SeatState]
    SEAT_STATE_DRAWN: _ClassVar[SeatState]
    SEAT_STATE_COMMITTED: _ClassVar[SeatState]
    SEAT_STATE_REVEALED: _ClassVar[SeatState]
    SEAT_STATE_INCLUDED: _ClassVar[SeatState]
    SEAT_STATE_EXCLUDED: _ClassVar[SeatState]
    SEAT_STATE_MISSED: _ClassVar[SeatState]
    SEAT_STATE_LATE: _ClassVar[SeatState]

class ScoreStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCORE_STEP_UNSPECIFIED: _ClassVar[ScoreStep]
    SCORE_STEP_DRAW: _ClassVar[ScoreStep]
    SCORE_STEP_GRANT: _ClassVar[ScoreStep]
    SCORE_STEP_COMMIT: _ClassVar[ScoreStep]
    SCORE_STEP_REVEAL: _ClassVar[ScoreStep]

class ScoreOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCORE_OUTCOME_UNSPECIFIED: _ClassVar[ScoreOutcome]
    SCORE_OUTCOME_SCORED: _ClassVar[ScoreOutcome]
    SCORE_OUTCOME_NO_SLICES: _ClassVar[ScoreOutcome]
    SCORE_OUTCOME_NO_QUORUM: _ClassVar[ScoreOutcome]
ROUND_PHASE_UNSPECIFIED: RoundPhase
ROUND_PHASE_OPEN: RoundPhase
ROUND_PHASE_COMMIT: RoundPhase
ROUND_PHASE_REVEAL: RoundPhase
ROUND_PHASE_INCLUDE: RoundPhase
ROUND_PHASE_AGGREGATE: RoundPhase
ROUND_PHASE_SCORE: RoundPhase
ROUND_PHASE_CHALLENGE: RoundPhase
ROUND_PHASE_SETTLED: RoundPhase
ROUND_PHASE_ABORTED: RoundPhase
ROUND_PHASE_VOIDED: RoundPhase
SEAT_KIND_UNSPECIFIED: SeatKind
SEAT_KIND_COHORT: SeatKind
SEAT_KIND_RESERVE: SeatKind
SEAT_KIND_CALLED: SeatKind
SEAT_STATE_UNSPECIFIED: SeatState
SEAT_STATE_DRAWN: SeatState
SEAT_STATE_COMMITTED: SeatState
SEAT_STATE_REVEALED: SeatState
SEAT_STATE_INCLUDED: SeatState
SEAT_STATE_EXCLUDED: SeatState
SEAT_STATE_MISSED: SeatState
SEAT_STATE_LATE: SeatState
SCORE_STEP_UNSPECIFIED: ScoreStep
SCORE_STEP_DRAW: ScoreStep
SCORE_STEP_GRANT: ScoreStep
SCORE_STEP_COMMIT: ScoreStep
SCORE_STEP_REVEAL: ScoreStep
SCORE_OUTCOME_UNSPECIFIED: ScoreOutcome
SCORE_OUTCOME_SCORED: ScoreOutcome
SCORE_OUTCOME_NO_SLICES: ScoreOutcome
SCORE_OUTCOME_NO_QUORUM: ScoreOutcome

class Metric(_message.Message):
    __slots__ = ("name", "value_millionths")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    name: str
    value_millionths: int
    def __init__(self, name: _Optional[str] = ..., value_millionths: _Optional[int] = ...) -> None: ...

class Reveal(_message.Message):
    __slots__ = ("update_root", "sum_squares", "sealed_root", "blob", "example_count", "metrics", "salt")
    UPDATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    SUM_SQUARES_FIELD_NUMBER: _ClassVar[int]
    SEALED_ROOT_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    update_root: bytes
    sum_squares: str
    sealed_root: bytes
    blob: _jobs_pb2.Blob
    example_count: int
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    salt: bytes
    def __init__(self, update_root: _Optional[bytes] = ..., sum_squares: _Optional[str] = ..., sealed_root: _Optional[bytes] = ..., blob: _Optional[_Union[_jobs_pb2.Blob, _Mapping]] = ..., example_count: _Optional[int] = ..., metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ..., salt: _Optional[bytes] = ...) -> None: ...

class Seat(_message.Message):
    __slots__ = ("seat", "worker", "kind", "state", "attempt", "commitment", "reveal", "earned_uflt", "locked_uflt", "contribution_millionths", "quality_ppm")
    SEAT_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    REVEAL_FIELD_NUMBER: _ClassVar[int]
    EARNED_UFLT_FIELD_NUMBER: _ClassVar[int]
    LOCKED_UFLT_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_PPM_FIELD_NUMBER: _ClassVar[int]
    seat: int
    worker: str
    kind: SeatKind
    state: SeatState
    attempt: int
    commitment: bytes
    reveal: Reveal
    earned_uflt: int
    locked_uflt: int
    contribution_millionths: int
    quality_ppm: int
    def __init__(self, seat: _Optional[int] = ..., worker: _Optional[str] = ..., kind: _Optional[_Union[SeatKind, str]] = ..., state: _Optional[_Union[SeatState, str]] = ..., attempt: _Optional[int] = ..., commitment: _Optional[bytes] = ..., reveal: _Optional[_Union[Reveal, _Mapping]] = ..., earned_uflt: _Optional[int] = ..., locked_uflt: _Optional[int] = ..., contribution_millionths: _Optional[int] = ..., quality_ppm: _Optional[int] = ...) -> None: ...

class Reader(_message.Message):
    __slots__ = ("reader", "participant", "is_aggregator", "voted", "bitmap", "attested_attempt", "earned_uflt")
    READER_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    IS_AGGREGATOR_FIELD_NUMBER: _ClassVar[int]
    VOTED_FIELD_NUMBER: _ClassVar[int]
    BITMAP_FIELD_NUMBER: _ClassVar[int]
    ATTESTED_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EARNED_UFLT_FIELD_NUMBER: _ClassVar[int]
    reader: int
    participant: str
    is_aggregator: bool
    voted: bool
    bitmap: bytes
    attested_attempt: int
    earned_uflt: int
    def __init__(self, reader: _Optional[int] = ..., participant: _Optional[str] = ..., is_aggregator: bool = ..., voted: bool = ..., bitmap: _Optional[bytes] = ..., attested_attempt: _Optional[int] = ..., earned_uflt: _Optional[int] = ...) -> None: ...

class Scores(_message.Message):
    __slots__ = ("utilities", "own_scores", "salt")
    UTILITIES_FIELD_NUMBER: _ClassVar[int]
    OWN_SCORES_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    utilities: _containers.RepeatedScalarFieldContainer[int]
    own_scores: _containers.RepeatedScalarFieldContainer[int]
    salt: bytes
    def __init__(self, utilities: _Optional[_Iterable[int]] = ..., own_scores: _Optional[_Iterable[int]] = ..., salt: _Optional[bytes] = ...) -> None: ...

class Scorer(_message.Message):
    __slots__ = ("scorer", "evaluator", "attempt", "slice_keys", "refused", "commitment", "scores", "is_far", "earned_uflt")
    SCORER_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SLICE_KEYS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    IS_FAR_FIELD_NUMBER: _ClassVar[int]
    EARNED_UFLT_FIELD_NUMBER: _ClassVar[int]
    scorer: int
    evaluator: str
    attempt: int
    slice_keys: _containers.RepeatedScalarFieldContainer[bytes]
    refused: bool
    commitment: bytes
    scores: Scores
    is_far: bool
    earned_uflt: int
    def __init__(self, scorer: _Optional[int] = ..., evaluator: _Optional[str] = ..., attempt: _Optional[int] = ..., slice_keys: _Optional[_Iterable[bytes]] = ..., refused: bool = ..., commitment: _Optional[bytes] = ..., scores: _Optional[_Union[Scores, _Mapping]] = ..., is_far: bool = ..., earned_uflt: _Optional[int] = ...) -> None: ...

class RoundValue(_message.Message):
    __slots__ = ("round", "contribution_millionths")
    ROUND_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    round: int
    contribution_millionths: int
    def __init__(self, round: _Optional[int] = ..., contribution_millionths: _Optional[int] = ...) -> None: ...

class Worth(_message.Message):
    __slots__ = ("worker", "values")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    worker: str
    values: _containers.RepeatedCompositeFieldContainer[RoundValue]
    def __init__(self, worker: _Optional[str] = ..., values: _Optional[_Iterable[_Union[RoundValue, _Mapping]]] = ...) -> None: ...

class Round(_message.Message):
    __slots__ = ("job_id", "round", "phase", "reason", "seed", "drawn_height", "base_root", "base", "base_round", "commit_attempt", "phase_clock_ms", "deadline_clock_ms", "deadline_height", "is_early", "seat_count", "selected_count", "committed_count", "revealed_count", "included_count", "reader_count", "voted_count", "aggregate_attempt", "aggregator", "model_root", "model", "attested_count", "pool_uflt", "due_clock_ms", "score_step", "score_attempt", "slices", "score_outcome", "utility_millionths", "dispute_count")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    DRAWN_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BASE_ROOT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    BASE_ROUND_FIELD_NUMBER: _ClassVar[int]
    COMMIT_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    PHASE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    IS_EARLY_FIELD_NUMBER: _ClassVar[int]
    SEAT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SELECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVEALED_COUNT_FIELD_NUMBER: _ClassVar[int]
    INCLUDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    READER_COUNT_FIELD_NUMBER: _ClassVar[int]
    VOTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    AGGREGATOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_ROOT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ATTESTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    POOL_UFLT_FIELD_NUMBER: _ClassVar[int]
    DUE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    SCORE_STEP_FIELD_NUMBER: _ClassVar[int]
    SCORE_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SLICES_FIELD_NUMBER: _ClassVar[int]
    SCORE_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    UTILITY_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    phase: RoundPhase
    reason: str
    seed: bytes
    drawn_height: int
    base_root: bytes
    base: _jobs_pb2.Blob
    base_round: int
    commit_attempt: int
    phase_clock_ms: int
    deadline_clock_ms: int
    deadline_height: int
    is_early: bool
    seat_count: int
    selected_count: int
    committed_count: int
    revealed_count: int
    included_count: int
    reader_count: int
    voted_count: int
    aggregate_attempt: int
    aggregator: str
    model_root: bytes
    model: _jobs_pb2.Blob
    attested_count: int
    pool_uflt: int
    due_clock_ms: int
    score_step: ScoreStep
    score_attempt: int
    slices: _containers.RepeatedScalarFieldContainer[int]
    score_outcome: ScoreOutcome
    utility_millionths: int
    dispute_count: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., phase: _Optional[_Union[RoundPhase, str]] = ..., reason: _Optional[str] = ..., seed: _Optional[bytes] = ..., drawn_height: _Optional[int] = ..., base_root: _Optional[bytes] = ..., base: _Optional[_Union[_jobs_pb2.Blob, _Mapping]] = ..., base_round: _Optional[int] = ..., commit_attempt: _Optional[int] = ..., phase_clock_ms: _Optional[int] = ..., deadline_clock_ms: _Optional[int] = ..., deadline_height: _Optional[int] = ..., is_early: bool = ..., seat_count: _Optional[int] = ..., selected_count: _Optional[int] = ..., committed_count: _Optional[int] = ..., revealed_count: _Optional[int] = ..., included_count: _Optional[int] = ..., reader_count: _Optional[int] = ..., voted_count: _Optional[int] = ..., aggregate_attempt: _Optional[int] = ..., aggregator: _Optional[str] = ..., model_root: _Optional[bytes] = ..., model: _Optional[_Union[_jobs_pb2.Blob, _Mapping]] = ..., attested_count: _Optional[int] = ..., pool_uflt: _Optional[int] = ..., due_clock_ms: _Optional[int] = ..., score_step: _Optional[_Union[ScoreStep, str]] = ..., score_attempt: _Optional[int] = ..., slices: _Optional[_Iterable[int]] = ..., score_outcome: _Optional[_Union[ScoreOutcome, str]] = ..., utility_millionths: _Optional[int] = ..., dispute_count: _Optional[int] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("deadline_blocks", "due_per_block_max", "draws_per_block_max", "aborts_in_row_max", "aggregators", "answers_min", "draw_bond_cap_uflt", "draw_reputation_floor_ppm", "newcomer_seat_ppm", "candidate_wait_s", "metrics_max", "metric_name_length_max", "evaluator_bond_fees", "aggregator_bond_pools", "slices_drawn", "scores_min", "score_distance_max", "worth_rounds")
    DEADLINE_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    DUE_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    DRAWS_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    ABORTS_IN_ROW_MAX_FIELD_NUMBER: _ClassVar[int]
    AGGREGATORS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_MIN_FIELD_NUMBER: _ClassVar[int]
    DRAW_BOND_CAP_UFLT_FIELD_NUMBER: _ClassVar[int]
    DRAW_REPUTATION_FLOOR_PPM_FIELD_NUMBER: _ClassVar[int]
    NEWCOMER_SEAT_PPM_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_WAIT_S_FIELD_NUMBER: _ClassVar[int]
    METRICS_MAX_FIELD_NUMBER: _ClassVar[int]
    METRIC_NAME_LENGTH_MAX_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_BOND_FEES_FIELD_NUMBER: _ClassVar[int]
    AGGREGATOR_BOND_POOLS_FIELD_NUMBER: _ClassVar[int]
    SLICES_DRAWN_FIELD_NUMBER: _ClassVar[int]
    SCORES_MIN_FIELD_NUMBER: _ClassVar[int]
    SCORE_DISTANCE_MAX_FIELD_NUMBER: _ClassVar[int]
    WORTH_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    deadline_blocks: int
    due_per_block_max: int
    draws_per_block_max: int
    aborts_in_row_max: int
    aggregators: int
    answers_min: int
    draw_bond_cap_uflt: int
    draw_reputation_floor_ppm: int
    newcomer_seat_ppm: int
    candidate_wait_s: int
    metrics_max: int
    metric_name_length_max: int
    evaluator_bond_fees: int
    aggregator_bond_pools: int
    slices_drawn: int
    scores_min: int
    score_distance_max: int
    worth_rounds: int
    def __init__(self, deadline_blocks: _Optional[int] = ..., due_per_block_max: _Optional[int] = ..., draws_per_block_max: _Optional[int] = ..., aborts_in_row_max: _Optional[int] = ..., aggregators: _Optional[int] = ..., answers_min: _Optional[int] = ..., draw_bond_cap_uflt: _Optional[int] = ..., draw_reputation_floor_ppm: _Optional[int] = ..., newcomer_seat_ppm: _Optional[int] = ..., candidate_wait_s: _Optional[int] = ..., metrics_max: _Optional[int] = ..., metric_name_length_max: _Optional[int] = ..., evaluator_bond_fees: _Optional[int] = ..., aggregator_bond_pools: _Optional[int] = ..., slices_drawn: _Optional[int] = ..., scores_min: _Optional[int] = ..., score_distance_max: _Optional[int] = ..., worth_rounds: _Optional[int] = ...) -> None: ...
