from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class MsgAcceptJob(_message.Message):
    __slots__ = ("requester", "job_id")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    requester: str
    job_id: int
    def __init__(self, requester: _Optional[str] = ..., job_id: _Optional[int] = ...) -> None: ...

class MsgAcceptJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgRejectJob(_message.Message):
    __slots__ = ("requester", "job_id", "reason")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    requester: str
    job_id: int
    reason: str
    def __init__(self, requester: _Optional[str] = ..., job_id: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class MsgRejectJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
