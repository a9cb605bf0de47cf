from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class EventSeedMade(_message.Message):
    __slots__ = ("seed", "proposer", "is_proven")
    SEED_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    IS_PROVEN_FIELD_NUMBER: _ClassVar[int]
    seed: bytes
    proposer: bytes
    is_proven: bool
    def __init__(self, seed: _Optional[bytes] = ..., proposer: _Optional[bytes] = ..., is_proven: bool = ...) -> None: ...

class EventVrfKeyRegistered(_message.Message):
    __slots__ = ("validator", "vrf_key", "from_height")
    VALIDATOR_FIELD_NUMBER: _ClassVar[int]
    VRF_KEY_FIELD_NUMBER: _ClassVar[int]
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    validator: bytes
    vrf_key: bytes
    from_height: int
    def __init__(self, validator: _Optional[bytes] = ..., vrf_key: _Optional[bytes] = ..., from_height: _Optional[int] = ...) -> None: ...
