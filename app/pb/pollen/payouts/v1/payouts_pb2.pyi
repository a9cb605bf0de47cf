from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Params(_message.Message):
    __slots__ = ("protocol_fee_ppm", "rejection_deposit_uflt", "reviews_per_block_max", "payments_per_block_max")
    PROTOCOL_FEE_PPM_FIELD_NUMBER: _ClassVar[int]
    REJECTION_DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    PAYMENTS_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    protocol_fee_ppm: int
    rejection_deposit_uflt: int
    reviews_per_block_max: int
    payments_per_block_max: int
    def __init__(self, protocol_fee_ppm: _Optional[int] = ..., rejection_deposit_uflt: _Optional[int] = ..., reviews_per_block_max: _Optional[int] = ..., payments_per_block_max: _Optional[int] = ...) -> None: ...

class CommitteeFee(_message.Message):
    __slots__ = ("members", "amount_uflt")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedScalarFieldContainer[str]
    amount_uflt: int
    def __init__(self, members: _Optional[_Iterable[str]] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class Earning(_message.Message):
    __slots__ = ("participant", "paid_uflt", "held_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    HELD_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    paid_uflt: int
    held_uflt: int
    def __init__(self, participant: _Optional[str] = ..., paid_uflt: _Optional[int] = ..., held_uflt: _Optional[int] = ...) -> None: ...
