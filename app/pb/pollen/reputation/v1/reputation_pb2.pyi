from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Standing(_message.Message):
    __slots__ = ("account", "reputation_ppm", "round_count", "success_count")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REPUTATION_PPM_FIELD_NUMBER: _ClassVar[int]
    ROUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_COUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    reputation_ppm: int
    round_count: int
    success_count: int
    def __init__(self, account: _Optional[str] = ..., reputation_ppm: _Optional[int] = ..., round_count: _Optional[int] = ..., success_count: _Optional[int] = ...) -> None: ...

class RequesterRecord(_message.Message):
    __slots__ = ("requester", "job_count", "accepted_count", "rejected_count", "cancelled_count", "failed_count", "aborted_round_count", "paid_uflt")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ABORTED_ROUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    requester: str
    job_count: int
    accepted_count: int
    rejected_count: int
    cancelled_count: int
    failed_count: int
    aborted_round_count: int
    paid_uflt: int
    def __init__(self, requester: _Optional[str] = ..., job_count: _Optional[int] = ..., accepted_count: _Optional[int] = ..., rejected_count: _Optional[int] = ..., cancelled_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., aborted_round_count: _Optional[int] = ..., paid_uflt: _Optional[int] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("initial_ppm", "step_ppm", "newcomer_rounds")
    INITIAL_PPM_FIELD_NUMBER: _ClassVar[int]
    STEP_PPM_FIELD_NUMBER: _ClassVar[int]
    NEWCOMER_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    initial_ppm: int
    step_ppm: int
    newcomer_rounds: int
    def __init__(self, initial_ppm: _Optional[int] = ..., step_ppm: _Optional[int] = ..., newcomer_rounds: _Optional[int] = ...) -> None: ...
