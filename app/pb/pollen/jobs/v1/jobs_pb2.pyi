from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_PHASE_UNSPECIFIED: _ClassVar[JobPhase]
    JOB_PHASE_OPEN: _ClassVar[JobPhase]
    JOB_PHASE_RUNNING: _ClassVar[JobPhase]
    JOB_PHASE_REVIEW: _ClassVar[JobPhase]
    JOB_PHASE_SETTLED: _ClassVar[JobPhase]
    JOB_PHASE_CANCELLED: _ClassVar[JobPhase]
    JOB_PHASE_FAILED: _ClassVar[JobPhase]

class MetricDirection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METRIC_DIRECTION_UNSPECIFIED: _ClassVar[MetricDirection]
    METRIC_DIRECTION_HIGHER: _ClassVar[MetricDirection]
    METRIC_DIRECTION_LOWER: _ClassVar[MetricDirection]

class Profile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_UNSPECIFIED: _ClassVar[Profile]
    PROFILE_PUBLIC: _ClassVar[Profile]

class CombineRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMBINE_RULE_UNSPECIFIED: _ClassVar[CombineRule]
    COMBINE_RULE_FEDAVG: _ClassVar[CombineRule]
    COMBINE_RULE_MEDIAN: _ClassVar[CombineRule]
    COMBINE_RULE_TRIMMED_MEAN: _ClassVar[CombineRule]

class ContributionRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTRIBUTION_RULE_UNSPECIFIED: _ClassVar[ContributionRule]
    CONTRIBUTION_RULE_EQUAL: _ClassVar[ContributionRule]
    CONTRIBUTION_RULE_EXAMPLES_CAPPED: _ClassVar[ContributionRule]
    CONTRIBUTION_RULE_LEAVE_ONE_OUT: _ClassVar[ContributionRule]
JOB_PHASE_UNSPECIFIED: JobPhase
JOB_PHASE_OPEN: JobPhase
JOB_PHASE_RUNNING: JobPhase
JOB_PHASE_REVIEW: JobPhase
JOB_PHASE_SETTLED: JobPhase
JOB_PHASE_CANCELLED: JobPhase
JOB_PHASE_FAILED: JobPhase
METRIC_DIRECTION_UNSPECIFIED: MetricDirection
METRIC_DIRECTION_HIGHER: MetricDirection
METRIC_DIRECTION_LOWER: MetricDirection
PROFILE_UNSPECIFIED: Profile
PROFILE_PUBLIC: Profile
COMBINE_RULE_UNSPECIFIED: CombineRule
COMBINE_RULE_FEDAVG: CombineRule
COMBINE_RULE_MEDIAN: CombineRule
COMBINE_RULE_TRIMMED_MEAN: CombineRule
CONTRIBUTION_RULE_UNSPECIFIED: ContributionRule
CONTRIBUTION_RULE_EQUAL: ContributionRule
CONTRIBUTION_RULE_EXAMPLES_CAPPED: ContributionRule
CONTRIBUTION_RULE_LEAVE_ONE_OUT: ContributionRule

class Blob(_message.Message):
    __slots__ = ("cid", "size_bytes")
    CID_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    cid: str
    size_bytes: int
    def __init__(self, cid: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class Slice(_message.Message):
    __slots__ = ("hash", "sealed")
    HASH_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    sealed: Blob
    def __init__(self, hash: _Optional[bytes] = ..., sealed: _Optional[_Union[Blob, _Mapping]] = ...) -> None: ...

class Work(_message.Message):
    __slots__ = ("fab_hash", "fab", "base_root", "base", "layout_hash", "layout", "value_count", "data_schema_hash", "data_schema", "run_config", "train_config", "evaluate_config", "message_type", "arrays_key", "config_key", "metrics_key", "weight_key", "validation_slices", "evaluator_node_config", "metric", "metric_direction")
    FAB_HASH_FIELD_NUMBER: _ClassVar[int]
    FAB_FIELD_NUMBER: _ClassVar[int]
    BASE_ROOT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_HASH_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    VALUE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DATA_SCHEMA_HASH_FIELD_NUMBER: _ClassVar[int]
    DATA_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RUN_CONFIG_FIELD_NUMBER: _ClassVar[int]
    TRAIN_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_KEY_FIELD_NUMBER: _ClassVar[int]
    CONFIG_KEY_FIELD_NUMBER: _ClassVar[int]
    METRICS_KEY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_KEY_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_SLICES_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_NODE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    METRIC_DIRECTION_FIELD_NUMBER: _ClassVar[int]
    fab_hash: bytes
    fab: Blob
    base_root: bytes
    base: Blob
    layout_hash: bytes
    layout: Blob
    value_count: int
    data_schema_hash: bytes
    data_schema: str
    run_config: str
    train_config: str
    evaluate_config: str
    message_type: str
    arrays_key: str
    config_key: str
    metrics_key: str
    weight_key: str
    validation_slices: _containers.RepeatedCompositeFieldContainer[Slice]
    evaluator_node_config: str
    metric: str
    metric_direction: MetricDirection
    def __init__(self, fab_hash: _Optional[bytes] = ..., fab: _Optional[_Union[Blob, _Mapping]] = ..., base_root: _Optional[bytes] = ..., base: _Optional[_Union[Blob, _Mapping]] = ..., layout_hash: _Optional[bytes] = ..., layout: _Optional[_Union[Blob, _Mapping]] = ..., value_count: _Optional[int] = ..., data_schema_hash: _Optional[bytes] = ..., data_schema: _Optional[str] = ..., run_config: _Optional[str] = ..., train_config: _Optional[str] = ..., evaluate_config: _Optional[str] = ..., message_type: _Optional[str] = ..., arrays_key: _Optional[str] = ..., config_key: _Optional[str] = ..., metrics_key: _Optional[str] = ..., weight_key: _Optional[str] = ..., validation_slices: _Optional[_Iterable[_Union[Slice, _Mapping]]] = ..., evaluator_node_config: _Optional[str] = ..., metric: _Optional[str] = ..., metric_direction: _Optional[_Union[MetricDirection, str]] = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("round_count", "cohort_size", "cohort_size_min", "reserve_count", "quorum_ppm", "grace_ms", "open_s", "commit_s", "reveal_s", "include_s", "aggregate_s", "score_s", "challenge_s", "review_s", "job_s_max")
    ROUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    COHORT_SIZE_FIELD_NUMBER: _ClassVar[int]
    COHORT_SIZE_MIN_FIELD_NUMBER: _ClassVar[int]
    RESERVE_COUNT_FIELD_NUMBER: _ClassVar[int]
    QUORUM_PPM_FIELD_NUMBER: _ClassVar[int]
    GRACE_MS_FIELD_NUMBER: _ClassVar[int]
    OPEN_S_FIELD_NUMBER: _ClassVar[int]
    COMMIT_S_FIELD_NUMBER: _ClassVar[int]
    REVEAL_S_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_S_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_S_FIELD_NUMBER: _ClassVar[int]
    SCORE_S_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_S_FIELD_NUMBER: _ClassVar[int]
    REVIEW_S_FIELD_NUMBER: _ClassVar[int]
    JOB_S_MAX_FIELD_NUMBER: _ClassVar[int]
    round_count: int
    cohort_size: int
    cohort_size_min: int
    reserve_count: int
    quorum_ppm: int
    grace_ms: int
    open_s: int
    commit_s: int
    reveal_s: int
    include_s: int
    aggregate_s: int
    score_s: int
    challenge_s: int
    review_s: int
    job_s_max: int
    def __init__(self, round_count: _Optional[int] = ..., cohort_size: _Optional[int] = ..., cohort_size_min: _Optional[int] = ..., reserve_count: _Optional[int] = ..., quorum_ppm: _Optional[int] = ..., grace_ms: _Optional[int] = ..., open_s: _Optional[int] = ..., commit_s: _Optional[int] = ..., reveal_s: _Optional[int] = ..., include_s: _Optional[int] = ..., aggregate_s: _Optional[int] = ..., score_s: _Optional[int] = ..., challenge_s: _Optional[int] = ..., review_s: _Optional[int] = ..., job_s_max: _Optional[int] = ...) -> None: ...

class Admission(_message.Message):
    __slots__ = ("bond_uflt_min", "reputation_ppm_min", "allow_list")
    BOND_UFLT_MIN_FIELD_NUMBER: _ClassVar[int]
    REPUTATION_PPM_MIN_FIELD_NUMBER: _ClassVar[int]
    ALLOW_LIST_FIELD_NUMBER: _ClassVar[int]
    bond_uflt_min: int
    reputation_ppm_min: int
    allow_list: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, bond_uflt_min: _Optional[int] = ..., reputation_ppm_min: _Optional[int] = ..., allow_list: _Optional[_Iterable[str]] = ...) -> None: ...

class Combination(_message.Message):
    __slots__ = ("rule", "trim_count", "norm_max", "example_count_max", "value_max")
    RULE_FIELD_NUMBER: _ClassVar[int]
    TRIM_COUNT_FIELD_NUMBER: _ClassVar[int]
    NORM_MAX_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    VALUE_MAX_FIELD_NUMBER: _ClassVar[int]
    rule: CombineRule
    trim_count: int
    norm_max: int
    example_count_max: int
    value_max: int
    def __init__(self, rule: _Optional[_Union[CombineRule, str]] = ..., trim_count: _Optional[int] = ..., norm_max: _Optional[int] = ..., example_count_max: _Optional[int] = ..., value_max: _Optional[int] = ...) -> None: ...

class Pay(_message.Message):
    __slots__ = ("held_back_ppm", "worker_ppm", "aggregator_ppm", "evaluator_ppm", "reserve_ppm", "contribution", "weighs_quality")
    HELD_BACK_PPM_FIELD_NUMBER: _ClassVar[int]
    WORKER_PPM_FIELD_NUMBER: _ClassVar[int]
    AGGREGATOR_PPM_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_PPM_FIELD_NUMBER: _ClassVar[int]
    RESERVE_PPM_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    WEIGHS_QUALITY_FIELD_NUMBER: _ClassVar[int]
    held_back_ppm: int
    worker_ppm: int
    aggregator_ppm: int
    evaluator_ppm: int
    reserve_ppm: int
    contribution: ContributionRule
    weighs_quality: bool
    def __init__(self, held_back_ppm: _Optional[int] = ..., worker_ppm: _Optional[int] = ..., aggregator_ppm: _Optional[int] = ..., evaluator_ppm: _Optional[int] = ..., reserve_ppm: _Optional[int] = ..., contribution: _Optional[_Union[ContributionRule, str]] = ..., weighs_quality: bool = ...) -> None: ...

class SeatBonds(_message.Message):
    __slots__ = ("worker_uflt", "aggregator_uflt", "evaluator_uflt")
    WORKER_UFLT_FIELD_NUMBER: _ClassVar[int]
    AGGREGATOR_UFLT_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_UFLT_FIELD_NUMBER: _ClassVar[int]
    worker_uflt: int
    aggregator_uflt: int
    evaluator_uflt: int
    def __init__(self, worker_uflt: _Optional[int] = ..., aggregator_uflt: _Optional[int] = ..., evaluator_uflt: _Optional[int] = ...) -> None: ...

class Acceptance(_message.Message):
    __slots__ = ("baseline_millionths", "threshold_millionths")
    BASELINE_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    baseline_millionths: int
    threshold_millionths: int
    def __init__(self, baseline_millionths: _Optional[int] = ..., threshold_millionths: _Optional[int] = ...) -> None: ...

class JobSpec(_message.Message):
    __slots__ = ("title", "work", "schedule", "admission", "profile", "combination", "pay", "seat_bonds", "evaluator_count", "acceptance")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WORK_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    COMBINATION_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    SEAT_BONDS_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    title: str
    work: Work
    schedule: Schedule
    admission: Admission
    profile: Profile
    combination: Combination
    pay: Pay
    seat_bonds: SeatBonds
    evaluator_count: int
    acceptance: Acceptance
    def __init__(self, title: _Optional[str] = ..., work: _Optional[_Union[Work, _Mapping]] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ..., admission: _Optional[_Union[Admission, _Mapping]] = ..., profile: _Optional[_Union[Profile, str]] = ..., combination: _Optional[_Union[Combination, _Mapping]] = ..., pay: _Optional[_Union[Pay, _Mapping]] = ..., seat_bonds: _Optional[_Union[SeatBonds, _Mapping]] = ..., evaluator_count: _Optional[int] = ..., acceptance: _Optional[_Union[Acceptance, _Mapping]] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("job_id", "requester", "spec", "phase", "reason", "budget_uflt", "escrow_uflt", "held_uflt", "paid_uflt", "candidate_count", "funder_count", "posted_clock_ms", "started_clock_ms", "due_clock_ms", "next_round", "completed_round_count", "aborted_in_row", "unsettled_round_count", "model_root", "model", "cancel_requested", "rejected", "released_ppm")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BUDGET_UFLT_FIELD_NUMBER: _ClassVar[int]
    ESCROW_UFLT_FIELD_NUMBER: _ClassVar[int]
    HELD_UFLT_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FUNDER_COUNT_FIELD_NUMBER: _ClassVar[int]
    POSTED_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    STARTED_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    DUE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    NEXT_ROUND_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_ROUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    ABORTED_IN_ROW_FIELD_NUMBER: _ClassVar[int]
    UNSETTLED_ROUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_ROOT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    RELEASED_PPM_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    requester: str
    spec: JobSpec
    phase: JobPhase
    reason: str
    budget_uflt: int
    escrow_uflt: int
    held_uflt: int
    paid_uflt: int
    candidate_count: int
    funder_count: int
    posted_clock_ms: int
    started_clock_ms: int
    due_clock_ms: int
    next_round: int
    completed_round_count: int
    aborted_in_row: int
    unsettled_round_count: int
    model_root: bytes
    model: Blob
    cancel_requested: bool
    rejected: bool
    released_ppm: int
    def __init__(self, job_id: _Optional[int] = ..., requester: _Optional[str] = ..., spec: _Optional[_Union[JobSpec, _Mapping]] = ..., phase: _Optional[_Union[JobPhase, str]] = ..., reason: _Optional[str] = ..., budget_uflt: _Optional[int] = ..., escrow_uflt: _Optional[int] = ..., held_uflt: _Optional[int] = ..., paid_uflt: _Optional[int] = ..., candidate_count: _Optional[int] = ..., funder_count: _Optional[int] = ..., posted_clock_ms: _Optional[int] = ..., started_clock_ms: _Optional[int] = ..., due_clock_ms: _Optional[int] = ..., next_round: _Optional[int] = ..., completed_round_count: _Optional[int] = ..., aborted_in_row: _Optional[int] = ..., unsettled_round_count: _Optional[int] = ..., model_root: _Optional[bytes] = ..., model: _Optional[_Union[Blob, _Mapping]] = ..., cancel_requested: bool = ..., rejected: bool = ..., released_ppm: _Optional[int] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("worker", "deposit_uflt", "leaving", "missed_in_row")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    MISSED_IN_ROW_FIELD_NUMBER: _ClassVar[int]
    worker: str
    deposit_uflt: int
    leaving: bool
    missed_in_row: int
    def __init__(self, worker: _Optional[str] = ..., deposit_uflt: _Optional[int] = ..., leaving: bool = ..., missed_in_row: _Optional[int] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("posting_cost_uflt", "join_deposit_uflt", "open_jobs_max", "candidates_max", "funders_max", "rounds_max", "cohort_max", "cohort_unfolded_max", "evaluators_max", "text_length_max", "config_length_max", "allow_list_max", "validation_slices", "deadline_s_min", "deadline_s_max", "challenge_s_min", "held_back_ppm_max", "blob_size_bytes_max", "values_max", "due_per_block_max", "worker_bond_shares", "seat_bond_min_uflt", "evaluators_min", "job_s_max", "dispute_s", "slices_kept", "cohort_scored_max")
    POSTING_COST_UFLT_FIELD_NUMBER: _ClassVar[int]
    JOIN_DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    OPEN_JOBS_MAX_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_MAX_FIELD_NUMBER: _ClassVar[int]
    FUNDERS_MAX_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_MAX_FIELD_NUMBER: _ClassVar[int]
    COHORT_MAX_FIELD_NUMBER: _ClassVar[int]
    COHORT_UNFOLDED_MAX_FIELD_NUMBER: _ClassVar[int]
    EVALUATORS_MAX_FIELD_NUMBER: _ClassVar[int]
    TEXT_LENGTH_MAX_FIELD_NUMBER: _ClassVar[int]
    CONFIG_LENGTH_MAX_FIELD_NUMBER: _ClassVar[int]
    ALLOW_LIST_MAX_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_SLICES_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_S_MIN_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_S_MAX_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_S_MIN_FIELD_NUMBER: _ClassVar[int]
    HELD_BACK_PPM_MAX_FIELD_NUMBER: _ClassVar[int]
    BLOB_SIZE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    VALUES_MAX_FIELD_NUMBER: _ClassVar[int]
    DUE_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    WORKER_BOND_SHARES_FIELD_NUMBER: _ClassVar[int]
    SEAT_BOND_MIN_UFLT_FIELD_NUMBER: _ClassVar[int]
    EVALUATORS_MIN_FIELD_NUMBER: _ClassVar[int]
    JOB_S_MAX_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_S_FIELD_NUMBER: _ClassVar[int]
    SLICES_KEPT_FIELD_NUMBER: _ClassVar[int]
    COHORT_SCORED_MAX_FIELD_NUMBER: _ClassVar[int]
    posting_cost_uflt: int
    join_deposit_uflt: int
    open_jobs_max: int
    candidates_max: int
    funders_max: int
    rounds_max: int
    cohort_max: int
    cohort_unfolded_max: int
    evaluators_max: int
    text_length_max: int
    config_length_max: int
    allow_list_max: int
    validation_slices: int
    deadline_s_min: int
    deadline_s_max: int
    challenge_s_min: int
    held_back_ppm_max: int
    blob_size_bytes_max: int
    values_max: int
    due_per_block_max: int
    worker_bond_shares: int
    seat_bond_min_uflt: int
    evaluators_min: int
    job_s_max: int
    dispute_s: int
    slices_kept: int
    cohort_scored_max: int
    def __init__(self, posting_cost_uflt: _Optional[int] = ..., join_deposit_uflt: _Optional[int] = ..., open_jobs_max: _Optional[int] = ..., candidates_max: _Optional[int] = ..., funders_max: _Optional[int] = ..., rounds_max: _Optional[int] = ..., cohort_max: _Optional[int] = ..., cohort_unfolded_max: _Optional[int] = ..., evaluators_max: _Optional[int] = ..., text_length_max: _Optional[int] = ..., config_length_max: _Optional[int] = ..., allow_list_max: _Optional[int] = ..., validation_slices: _Optional[int] = ..., deadline_s_min: _Optional[int] = ..., deadline_s_max: _Optional[int] = ..., challenge_s_min: _Optional[int] = ..., held_back_ppm_max: _Optional[int] = ..., blob_size_bytes_max: _Optional[int] = ..., values_max: _Optional[int] = ..., due_per_block_max: _Optional[int] = ..., worker_bond_shares: _Optional[int] = ..., seat_bond_min_uflt: _Optional[int] = ..., evaluators_min: _Optional[int] = ..., job_s_max: _Optional[int] = ..., dispute_s: _Optional[int] = ..., slices_kept: _Optional[int] = ..., cohort_scored_max: _Optional[int] = ...) -> None: ...
