from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CommitteeStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMMITTEE_STEP_UNSPECIFIED: _ClassVar[CommitteeStep]
    COMMITTEE_STEP_GRANT: _ClassVar[CommitteeStep]
    COMMITTEE_STEP_COMMIT: _ClassVar[CommitteeStep]
    COMMITTEE_STEP_REVEAL: _ClassVar[CommitteeStep]
    COMMITTEE_STEP_DECIDED: _ClassVar[CommitteeStep]
COMMITTEE_STEP_UNSPECIFIED: CommitteeStep
COMMITTEE_STEP_GRANT: CommitteeStep
COMMITTEE_STEP_COMMIT: CommitteeStep
COMMITTEE_STEP_REVEAL: CommitteeStep
COMMITTEE_STEP_DECIDED: CommitteeStep

class Measurement(_message.Message):
    __slots__ = ("metric_millionths", "salt")
    METRIC_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    metric_millionths: int
    salt: bytes
    def __init__(self, metric_millionths: _Optional[int] = ..., salt: _Optional[bytes] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("member", "evaluator", "slice_keys", "commitment", "measurement")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    SLICE_KEYS_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    member: int
    evaluator: str
    slice_keys: _containers.RepeatedScalarFieldContainer[bytes]
    commitment: bytes
    measurement: Measurement
    def __init__(self, member: _Optional[int] = ..., evaluator: _Optional[str] = ..., slice_keys: _Optional[_Iterable[bytes]] = ..., commitment: _Optional[bytes] = ..., measurement: _Optional[_Union[Measurement, _Mapping]] = ...) -> None: ...

class Committee(_message.Message):
    __slots__ = ("job_id", "step", "slices", "member_count", "due_clock_ms", "deadline_height", "is_early", "metric_millionths", "released_ppm")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SLICES_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    IS_EARLY_FIELD_NUMBER: _ClassVar[int]
    METRIC_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    RELEASED_PPM_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    step: CommitteeStep
    slices: _containers.RepeatedScalarFieldContainer[int]
    member_count: int
    due_clock_ms: int
    deadline_height: int
    is_early: bool
    metric_millionths: int
    released_ppm: int
    def __init__(self, job_id: _Optional[int] = ..., step: _Optional[_Union[CommitteeStep, str]] = ..., slices: _Optional[_Iterable[int]] = ..., member_count: _Optional[int] = ..., due_clock_ms: _Optional[int] = ..., deadline_height: _Optional[int] = ..., is_early: bool = ..., metric_millionths: _Optional[int] = ..., released_ppm: _Optional[int] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("members", "members_min", "step_s", "deadline_blocks", "due_per_block_max")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_MIN_FIELD_NUMBER: _ClassVar[int]
    STEP_S_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    DUE_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    members: int
    members_min: int
    step_s: int
    deadline_blocks: int
    due_per_block_max: int
    def __init__(self, members: _Optional[int] = ..., members_min: _Optional[int] = ..., step_s: _Optional[int] = ..., deadline_blocks: _Optional[int] = ..., due_per_block_max: _Optional[int] = ...) -> None: ...
