from app.pb.pollen.bonds.v1 import bonds_pb2 as _bonds_pb2
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
    params: _bonds_pb2.Params
    def __init__(self, params: _Optional[_Union[_bonds_pb2.Params, _Mapping]] = ...) -> None: ...

class QueryRegistrationRequest(_message.Message):
    __slots__ = ("participant",)
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    def __init__(self, participant: _Optional[str] = ...) -> None: ...

class QueryRegistrationResponse(_message.Message):
    __slots__ = ("registration",)
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    registration: _bonds_pb2.Registration
    def __init__(self, registration: _Optional[_Union[_bonds_pb2.Registration, _Mapping]] = ...) -> None: ...

class QueryRegistrationsRequest(_message.Message):
    __slots__ = ("role", "after", "limit")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    role: _bonds_pb2.Role
    after: str
    limit: int
    def __init__(self, role: _Optional[_Union[_bonds_pb2.Role, str]] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class QueryRegistrationsResponse(_message.Message):
    __slots__ = ("registrations",)
    REGISTRATIONS_FIELD_NUMBER: _ClassVar[int]
    registrations: _containers.RepeatedCompositeFieldContainer[_bonds_pb2.Registration]
    def __init__(self, registrations: _Optional[_Iterable[_Union[_bonds_pb2.Registration, _Mapping]]] = ...) -> None: ...

class QueryUnbondingsRequest(_message.Message):
    __slots__ = ("participant",)
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    def __init__(self, participant: _Optional[str] = ...) -> None: ...

class QueryUnbondingsResponse(_message.Message):
    __slots__ = ("unbondings",)
    UNBONDINGS_FIELD_NUMBER: _ClassVar[int]
    unbondings: _containers.RepeatedCompositeFieldContainer[_bonds_pb2.Unbonding]
    def __init__(self, unbondings: _Optional[_Iterable[_Union[_bonds_pb2.Unbonding, _Mapping]]] = ...) -> None: ...
