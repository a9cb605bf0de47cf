from app.pb.pollen.committees.v1 import committees_pb2 as _committees_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MsgGrantKeptSlices(_message.Message):
    __slots__ = ("requester", "job_id", "keys")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    requester: str
    job_id: int
    keys: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, requester: _Optional[str] = ..., job_id: _Optional[int] = ..., keys: _Optional[_Iterable[bytes]] = ...) -> None: ...

class MsgGrantKeptSlicesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgCommitMeasurement(_message.Message):
    __slots__ = ("evaluator", "job_id", "commitment")
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    evaluator: str
    job_id: int
    commitment: bytes
    def __init__(self, evaluator: _Optional[str] = ..., job_id: _Optional[int] = ..., commitment: _Optional[bytes] = ...) -> None: ...

class MsgCommitMeasurementResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgRevealMeasurement(_message.Message):
    __slots__ = ("evaluator", "job_id", "measurement")
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    evaluator: str
    job_id: int
    measurement: _committees_pb2.Measurement
    def __init__(self, evaluator: _Optional[str] = ..., job_id: _Optional[int] = ..., measurement: _Optional[_Union[_committees_pb2.Measurement, _Mapping]] = ...) -> None: ...

class MsgRevealMeasurementResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
