from app.pb.pollen.bonds.v1 import bonds_pb2 as _bonds_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventRegistered(_message.Message):
    __slots__ = ("participant", "role", "bond_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    BOND_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    role: _bonds_pb2.Role
    bond_uflt: int
    def __init__(self, participant: _Optional[str] = ..., role: _Optional[_Union[_bonds_pb2.Role, str]] = ..., bond_uflt: _Optional[int] = ...) -> None: ...

class EventRegistrationEdited(_message.Message):
    __slots__ = ("participant", "paused")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    participant: str
    paused: bool
    def __init__(self, participant: _Optional[str] = ..., paused: bool = ...) -> None: ...

class EventBonded(_message.Message):
    __slots__ = ("participant", "amount_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    amount_uflt: int
    def __init__(self, participant: _Optional[str] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class EventUnbondingBegun(_message.Message):
    __slots__ = ("participant", "unbonding_id", "amount_uflt", "release_clock_ms")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    UNBONDING_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    participant: str
    unbonding_id: int
    amount_uflt: int
    release_clock_ms: int
    def __init__(self, participant: _Optional[str] = ..., unbonding_id: _Optional[int] = ..., amount_uflt: _Optional[int] = ..., release_clock_ms: _Optional[int] = ...) -> None: ...

class EventUnbonded(_message.Message):
    __slots__ = ("participant", "unbonding_id", "amount_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    UNBONDING_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    unbonding_id: int
    amount_uflt: int
    def __init__(self, participant: _Optional[str] = ..., unbonding_id: _Optional[int] = ..., amount_uflt: _Optional[int] = ...) -> None: ...
