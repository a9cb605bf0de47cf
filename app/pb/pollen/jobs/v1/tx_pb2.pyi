from app.pb.pollen.jobs.v1 import jobs_pb2 as _jobs_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MsgPostJob(_message.Message):
    __slots__ = ("requester", "spec", "budget_uflt")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    BUDGET_UFLT_FIELD_NUMBER: _ClassVar[int]
    requester: str
    spec: _jobs_pb2.JobSpec
    budget_uflt: int
    def __init__(self, requester: _Optional[str] = ..., spec: _Optional[_Union[_jobs_pb2.JobSpec, _Mapping]] = ..., budget_uflt: _Optional[int] = ...) -> None: ...

class MsgPostJobResponse(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    def __init__(self, job_id: _Optional[int] = ...) -> None: ...

class MsgFundJob(_message.Message):
    __slots__ = ("funder", "job_id", "amount_uflt")
    FUNDER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    funder: str
    job_id: int
    amount_uflt: int
    def __init__(self, funder: _Optional[str] = ..., job_id: _Optional[int] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class MsgFundJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgJoinJob(_message.Message):
    __slots__ = ("worker", "job_id")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    worker: str
    job_id: int
    def __init__(self, worker: _Optional[str] = ..., job_id: _Optional[int] = ...) -> None: ...

class MsgJoinJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgLeaveJob(_message.Message):
    __slots__ = ("worker", "job_id")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    worker: str
    job_id: int
    def __init__(self, worker: _Optional[str] = ..., job_id: _Optional[int] = ...) -> None: ...

class MsgLeaveJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgCancelJob(_message.Message):
    __slots__ = ("requester", "job_id")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    requester: str
    job_id: int
    def __init__(self, requester: _Optional[str] = ..., job_id: _Optional[int] = ...) -> None: ...

class MsgCancelJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
