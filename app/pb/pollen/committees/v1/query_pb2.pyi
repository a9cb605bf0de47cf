from app.pb.pollen.committees.v1 import committees_pb2 as _committees_pb2
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
    params: _committees_pb2.Params
    def __init__(self, params: _Optional[_Union[_committees_pb2.Params, _Mapping]] = ...) -> None: ...

class QueryCommitteeRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    def __init__(self, job_id: _Optional[int] = ...) -> None: ...

class QueryCommitteeResponse(_message.Message):
    __slots__ = ("committee", "members")
    COMMITTEE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    committee: _committees_pb2.Committee
    members: _containers.RepeatedCompositeFieldContainer[_committees_pb2.Member]
    def __init__(self, committee: _Optional[_Union[_committees_pb2.Committee, _Mapping]] = ..., members: _Optional[_Iterable[_Union[_committees_pb2.Member, _Mapping]]] = ...) -> None: ...
