from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Beacon(_message.Message):
    __slots__ = ("seed", "seed_height", "asked_height")
    SEED_FIELD_NUMBER: _ClassVar[int]
    SEED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ASKED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    seed: bytes
    seed_height: int
    asked_height: int
    def __init__(self, seed: _Optional[bytes] = ..., seed_height: _Optional[int] = ..., asked_height: _Optional[int] = ...) -> None: ...

class Validator(_message.Message):
    __slots__ = ("validator", "operator", "vrf_key", "next_vrf_key", "next_height")
    VALIDATOR_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    VRF_KEY_FIELD_NUMBER: _ClassVar[int]
    NEXT_VRF_KEY_FIELD_NUMBER: _ClassVar[int]
    NEXT_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    validator: bytes
    operator: str
    vrf_key: bytes
    next_vrf_key: bytes
    next_height: int
    def __init__(self, validator: _Optional[bytes] = ..., operator: _Optional[str] = ..., vrf_key: _Optional[bytes] = ..., next_vrf_key: _Optional[bytes] = ..., next_height: _Optional[int] = ...) -> None: ...
