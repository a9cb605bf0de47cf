from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class MsgRegisterVrfKey(_message.Message):
    __slots__ = ("operator", "validator", "vrf_key")
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    VALIDATOR_FIELD_NUMBER: _ClassVar[int]
    VRF_KEY_FIELD_NUMBER: _ClassVar[int]
    operator: str
    validator: bytes
    vrf_key: bytes
    def __init__(self, operator: _Optional[str] = ..., validator: _Optional[bytes] = ..., vrf_key: _Optional[bytes] = ...) -> None: ...

class MsgRegisterVrfKeyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
