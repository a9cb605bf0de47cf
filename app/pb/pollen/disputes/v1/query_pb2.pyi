from app.pb.pollen.disputes.v1 import disputes_pb2 as _disputes_pb2
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
    params: _disputes_pb2.Params
    def __init__(self, params: _Optional[_Union[_disputes_pb2.Params, _Mapping]] = ...) -> None: ...

class QueryDisputeRequest(_message.Message):
    __slots__ = ("job_id", "round", "dispute_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    dispute_id: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., dispute_id: _Optional[int] = ...) -> None: ...

class QueryDisputeResponse(_message.Message):
    __slots__ = ("dispute",)
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    dispute: _disputes_pb2.Dispute
    def __init__(self, dispute: _Optional[_Union[_disputes_pb2.Dispute, _Mapping]] = ...) -> None: ...

class QueryDisputesRequest(_message.Message):
    __slots__ = ("job_id", "round", "after", "limit")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    after: int
    limit: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class QueryDisputesResponse(_message.Message):
    __slots__ = ("disputes",)
    DISPUTES_FIELD_NUMBER: _ClassVar[int]
    disputes: _containers.RepeatedCompositeFieldContainer[_disputes_pb2.Dispute]
    def __init__(self, disputes: _Optional[_Iterable[_Union[_disputes_pb2.Dispute, _Mapping]]] = ...) -> None: ...
