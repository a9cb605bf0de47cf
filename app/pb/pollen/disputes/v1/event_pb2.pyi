from app.pb.pollen.disputes.v1 import disputes_pb2 as _disputes_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventChallengeCommitted(_message.Message):
    __slots__ = ("job_id", "round", "dispute_id", "challenger", "deposit_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    dispute_id: int
    challenger: str
    deposit_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., dispute_id: _Optional[int] = ..., challenger: _Optional[str] = ..., deposit_uflt: _Optional[int] = ...) -> None: ...

class EventProofPartAdded(_message.Message):
    __slots__ = ("job_id", "round", "dispute_id", "part", "part_count")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    PART_COUNT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    dispute_id: int
    part: int
    part_count: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., dispute_id: _Optional[int] = ..., part: _Optional[int] = ..., part_count: _Optional[int] = ...) -> None: ...

class EventDisputePhaseChanged(_message.Message):
    __slots__ = ("job_id", "round", "dispute_id", "challenger", "phase", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    dispute_id: int
    challenger: str
    phase: _disputes_pb2.DisputePhase
    reason: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., dispute_id: _Optional[int] = ..., challenger: _Optional[str] = ..., phase: _Optional[_Union[_disputes_pb2.DisputePhase, str]] = ..., reason: _Optional[str] = ...) -> None: ...
