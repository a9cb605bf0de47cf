from app.pb.pollen.reputation.v1 import reputation_pb2 as _reputation_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueryParamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryParamsResponse(_message.Message):
    __slots__ = ("params",)
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    params: _reputation_pb2.Params
    def __init__(self, params: _Optional[_Union[_reputation_pb2.Params, _Mapping]] = ...) -> None: ...

class QueryStandingRequest(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    def __init__(self, account: _Optional[str] = ...) -> None: ...

class QueryStandingResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: _reputation_pb2.Standing
    def __init__(self, standing: _Optional[_Union[_reputation_pb2.Standing, _Mapping]] = ...) -> None: ...

class QueryRequesterRequest(_message.Message):
    __slots__ = ("requester",)
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    requester: str
    def __init__(self, requester: _Optional[str] = ...) -> None: ...

class QueryRequesterResponse(_message.Message):
    __slots__ = ("record", "seat_pay_median_uflt")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    SEAT_PAY_MEDIAN_UFLT_FIELD_NUMBER: _ClassVar[int]
    record: _reputation_pb2.RequesterRecord
    seat_pay_median_uflt: int
    def __init__(self, record: _Optional[_Union[_reputation_pb2.RequesterRecord, _Mapping]] = ..., seat_pay_median_uflt: _Optional[int] = ...) -> None: ...
