from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Params(_message.Message):
    __slots__ = ("epoch_s",)
    EPOCH_S_FIELD_NUMBER: _ClassVar[int]
    epoch_s: int
    def __init__(self, epoch_s: _Optional[int] = ...) -> None: ...

class Totals(_message.Message):
    __slots__ = ("job_count", "round_count", "seat_count", "included_count", "excluded_count", "missed_count", "late_count", "dropped_count", "paid_uflt", "reward_uflt", "example_count")
    JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    ROUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEAT_COUNT_FIELD_NUMBER: _ClassVar[int]
    INCLUDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MISSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    REWARD_UFLT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    job_count: int
    round_count: int
    seat_count: int
    included_count: int
    excluded_count: int
    missed_count: int
    late_count: int
    dropped_count: int
    paid_uflt: str
    reward_uflt: str
    example_count: str
    def __init__(self, job_count: _Optional[int] = ..., round_count: _Optional[int] = ..., seat_count: _Optional[int] = ..., included_count: _Optional[int] = ..., excluded_count: _Optional[int] = ..., missed_count: _Optional[int] = ..., late_count: _Optional[int] = ..., dropped_count: _Optional[int] = ..., paid_uflt: _Optional[str] = ..., reward_uflt: _Optional[str] = ..., example_count: _Optional[str] = ...) -> None: ...

class Ending(_message.Message):
    __slots__ = ("subject", "phase", "reason", "count")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    subject: str
    phase: str
    reason: str
    count: int
    def __init__(self, subject: _Optional[str] = ..., phase: _Optional[str] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class Epoch(_message.Message):
    __slots__ = ("start_count", "joined_count", "left_count")
    START_COUNT_FIELD_NUMBER: _ClassVar[int]
    JOINED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LEFT_COUNT_FIELD_NUMBER: _ClassVar[int]
    start_count: int
    joined_count: int
    left_count: int
    def __init__(self, start_count: _Optional[int] = ..., joined_count: _Optional[int] = ..., left_count: _Optional[int] = ...) -> None: ...

class Participants(_message.Message):
    __slots__ = ("registered_count", "active_count", "epoch_end_clock_ms", "epoch", "last_epoch")
    REGISTERED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_COUNT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_END_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LAST_EPOCH_FIELD_NUMBER: _ClassVar[int]
    registered_count: int
    active_count: int
    epoch_end_clock_ms: int
    epoch: Epoch
    last_epoch: Epoch
    def __init__(self, registered_count: _Optional[int] = ..., active_count: _Optional[int] = ..., epoch_end_clock_ms: _Optional[int] = ..., epoch: _Optional[_Union[Epoch, _Mapping]] = ..., last_epoch: _Optional[_Union[Epoch, _Mapping]] = ...) -> None: ...

class Holdings(_message.Message):
    __slots__ = ("escrow_uflt", "bonded_uflt", "deposit_uflt", "treasury_uflt", "supply_uflt", "burned_uflt")
    ESCROW_UFLT_FIELD_NUMBER: _ClassVar[int]
    BONDED_UFLT_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    TREASURY_UFLT_FIELD_NUMBER: _ClassVar[int]
    SUPPLY_UFLT_FIELD_NUMBER: _ClassVar[int]
    BURNED_UFLT_FIELD_NUMBER: _ClassVar[int]
    escrow_uflt: str
    bonded_uflt: str
    deposit_uflt: str
    treasury_uflt: str
    supply_uflt: str
    burned_uflt: str
    def __init__(self, escrow_uflt: _Optional[str] = ..., bonded_uflt: _Optional[str] = ..., deposit_uflt: _Optional[str] = ..., treasury_uflt: _Optional[str] = ..., supply_uflt: _Optional[str] = ..., burned_uflt: _Optional[str] = ...) -> None: ...
