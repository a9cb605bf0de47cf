from app.pb.pollen.payouts.v1 import payouts_pb2 as _payouts_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueryParamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryParamsResponse(_message.Message):
    __slots__ = ("params",)
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    params: _payouts_pb2.Params
    def __init__(self, params: _Optional[_Union[_payouts_pb2.Params, _Mapping]] = ...) -> None: ...

class QueryEarningsRequest(_message.Message):
    __slots__ = ("job_id", "participant")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    participant: str
    def __init__(self, job_id: _Optional[int] = ..., participant: _Optional[str] = ...) -> None: ...

class QueryEarningsResponse(_message.Message):
    __slots__ = ("earnings",)
    EARNINGS_FIELD_NUMBER: _ClassVar[int]
    earnings: _containers.RepeatedCompositeFieldContainer[_payouts_pb2.Earning]
    def __init__(self, earnings: _Optional[_Iterable[_Union[_payouts_pb2.Earning, _Mapping]]] = ...) -> None: ...
