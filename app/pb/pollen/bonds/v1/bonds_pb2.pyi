from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_WORKER: _ClassVar[Role]
    ROLE_AGGREGATOR: _ClassVar[Role]
    ROLE_EVALUATOR: _ClassVar[Role]
ROLE_UNSPECIFIED: Role
ROLE_WORKER: Role
ROLE_AGGREGATOR: Role
ROLE_EVALUATOR: Role

class Registration(_message.Message):
    __slots__ = ("participant", "role", "payout_address", "endpoint", "reader_key", "bonded_uflt", "locked_uflt", "paused", "held")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    READER_KEY_FIELD_NUMBER: _ClassVar[int]
    BONDED_UFLT_FIELD_NUMBER: _ClassVar[int]
    LOCKED_UFLT_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    participant: str
    role: Role
    payout_address: str
    endpoint: str
    reader_key: bytes
    bonded_uflt: int
    locked_uflt: int
    paused: bool
    held: bool
    def __init__(self, participant: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., payout_address: _Optional[str] = ..., endpoint: _Optional[str] = ..., reader_key: _Optional[bytes] = ..., bonded_uflt: _Optional[int] = ..., locked_uflt: _Optional[int] = ..., paused: bool = ..., held: bool = ...) -> None: ...

class Lock(_message.Message):
    __slots__ = ("seat_count", "amount_uflt", "lost_uflt")
    SEAT_COUNT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    LOST_UFLT_FIELD_NUMBER: _ClassVar[int]
    seat_count: int
    amount_uflt: int
    lost_uflt: int
    def __init__(self, seat_count: _Optional[int] = ..., amount_uflt: _Optional[int] = ..., lost_uflt: _Optional[int] = ...) -> None: ...

class Unbonding(_message.Message):
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

class Params(_message.Message):
    __slots__ = ("bond_min_uflt", "unbonding_s", "unbondings_max", "endpoint_length_max", "releases_per_block_max")
    BOND_MIN_UFLT_FIELD_NUMBER: _ClassVar[int]
    UNBONDING_S_FIELD_NUMBER: _ClassVar[int]
    UNBONDINGS_MAX_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_LENGTH_MAX_FIELD_NUMBER: _ClassVar[int]
    RELEASES_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    bond_min_uflt: int
    unbonding_s: int
    unbondings_max: int
    endpoint_length_max: int
    releases_per_block_max: int
    def __init__(self, bond_min_uflt: _Optional[int] = ..., unbonding_s: _Optional[int] = ..., unbondings_max: _Optional[int] = ..., endpoint_length_max: _Optional[int] = ..., releases_per_block_max: _Optional[int] = ...) -> None: ...
