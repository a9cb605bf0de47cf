from app.pb.pollen.bonds.v1 import bonds_pb2 as _bonds_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MsgRegister(_message.Message):
    __slots__ = ("participant", "role", "payout_address", "endpoint", "reader_key", "bond_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    READER_KEY_FIELD_NUMBER: _ClassVar[int]
    BOND_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    role: _bonds_pb2.Role
    payout_address: str
    endpoint: str
    reader_key: bytes
    bond_uflt: int
    def __init__(self, participant: _Optional[str] = ..., role: _Optional[_Union[_bonds_pb2.Role, str]] = ..., payout_address: _Optional[str] = ..., endpoint: _Optional[str] = ..., reader_key: _Optional[bytes] = ..., bond_uflt: _Optional[int] = ...) -> None: ...

class MsgRegisterResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgEditRegistration(_message.Message):
    __slots__ = ("participant", "payout_address", "endpoint", "reader_key", "paused")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    READER_KEY_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    participant: str
    payout_address: str
    endpoint: str
    reader_key: bytes
    paused: bool
    def __init__(self, participant: _Optional[str] = ..., payout_address: _Optional[str] = ..., endpoint: _Optional[str] = ..., reader_key: _Optional[bytes] = ..., paused: bool = ...) -> None: ...

class MsgEditRegistrationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgBond(_message.Message):
    __slots__ = ("participant", "amount_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    amount_uflt: int
    def __init__(self, participant: _Optional[str] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class MsgBondResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgUnbond(_message.Message):
    __slots__ = ("participant", "amount_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    amount_uflt: int
    def __init__(self, participant: _Optional[str] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class MsgUnbondResponse(_message.Message):
    __slots__ = ("unbonding_id", "release_clock_ms")
    UNBONDING_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    unbonding_id: int
    release_clock_ms: int
    def __init__(self, unbonding_id: _Optional[int] = ..., release_clock_ms: _Optional[int] = ...) -> None: ...
