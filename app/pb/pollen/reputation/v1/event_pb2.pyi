from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class EventReputationMoved(_message.Message):
    __slots__ = ("account", "reputation_ppm", "success")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REPUTATION_PPM_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    account: str
    reputation_ppm: int
    success: bool
    def __init__(self, account: _Optional[str] = ..., reputation_ppm: _Optional[int] = ..., success: bool = ...) -> None: ...
