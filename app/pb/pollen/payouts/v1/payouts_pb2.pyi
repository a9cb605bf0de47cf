from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Params(_message.Message):
    __slots__ = ("protocol_fee_ppm", "rejection_deposit_uflt", "committee_s", "reviews_per_block_max", "payments_per_block_max")
    PROTOCOL_FEE_PPM_FIELD_NUMBER: _ClassVar[int]
    REJECTION_DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    COMMITTEE_S_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    PAYMENTS_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    protocol_fee_ppm: int
    rejection_deposit_uflt: int
    committee_s: int
    reviews_per_block_max: int
    payments_per_block_max: int
    def __init__(self, protocol_fee_ppm: _Optional[int] = ..., rejection_deposit_uflt: _Optional[int] = ..., committee_s: _Optional[int] = ..., reviews_per_block_max: _Optional[int] = ..., payments_per_block_max: _Optional[int] = ...) -> None: ...

class Earning(_message.Message):
    __slots__ = ("participant", "paid_uflt", "held_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    HELD_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    paid_uflt: int
    held_uflt: int
    def __init__(self, participant: _Optional[str] = ..., paid_uflt: _Optional[int] = ..., held_uflt: _Optional[int] = ...) -> None: ...
