from app.pb.pollen.jobs.v1 import jobs_pb2 as _jobs_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventJobPosted(_message.Message):
    __slots__ = ("job_id", "requester", "budget_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    BUDGET_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    requester: str
    budget_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., requester: _Optional[str] = ..., budget_uflt: _Optional[int] = ...) -> None: ...

class EventJobFunded(_message.Message):
    __slots__ = ("job_id", "funder", "amount_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FUNDER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    funder: str
    amount_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., funder: _Optional[str] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class EventJobJoined(_message.Message):
    __slots__ = ("job_id", "worker")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    worker: str
    def __init__(self, job_id: _Optional[int] = ..., worker: _Optional[str] = ...) -> None: ...

class EventJobLeft(_message.Message):
    __slots__ = ("job_id", "worker")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    worker: str
    def __init__(self, job_id: _Optional[int] = ..., worker: _Optional[str] = ...) -> None: ...

class EventJobCancelRequested(_message.Message):
    __slots__ = ("job_id", "requester")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    requester: str
    def __init__(self, job_id: _Optional[int] = ..., requester: _Optional[str] = ...) -> None: ...

class EventJobPhaseChanged(_message.Message):
    __slots__ = ("job_id", "phase", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    phase: _jobs_pb2.JobPhase
    reason: str
    def __init__(self, job_id: _Optional[int] = ..., phase: _Optional[_Union[_jobs_pb2.JobPhase, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class EventJobRefunded(_message.Message):
    __slots__ = ("job_id", "funder", "amount_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FUNDER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    funder: str
    amount_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., funder: _Optional[str] = ..., amount_uflt: _Optional[int] = ...) -> None: ...
