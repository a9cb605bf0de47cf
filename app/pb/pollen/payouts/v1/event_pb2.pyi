from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class EventSharePaid(_message.Message):
    __slots__ = ("job_id", "round", "participant", "payout_address", "paid_uflt", "fee_uflt", "held_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    FEE_UFLT_FIELD_NUMBER: _ClassVar[int]
    HELD_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    participant: str
    payout_address: str
    paid_uflt: int
    fee_uflt: int
    held_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., participant: _Optional[str] = ..., payout_address: _Optional[str] = ..., paid_uflt: _Optional[int] = ..., fee_uflt: _Optional[int] = ..., held_uflt: _Optional[int] = ...) -> None: ...

class EventHeldPaid(_message.Message):
    __slots__ = ("job_id", "participant", "payout_address", "paid_uflt", "fee_uflt", "returned_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    FEE_UFLT_FIELD_NUMBER: _ClassVar[int]
    RETURNED_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    participant: str
    payout_address: str
    paid_uflt: int
    fee_uflt: int
    returned_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., participant: _Optional[str] = ..., payout_address: _Optional[str] = ..., paid_uflt: _Optional[int] = ..., fee_uflt: _Optional[int] = ..., returned_uflt: _Optional[int] = ...) -> None: ...

class EventMemberPaid(_message.Message):
    __slots__ = ("job_id", "member", "payout_address", "paid_uflt", "fee_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PAID_UFLT_FIELD_NUMBER: _ClassVar[int]
    FEE_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    member: str
    payout_address: str
    paid_uflt: int
    fee_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., member: _Optional[str] = ..., payout_address: _Optional[str] = ..., paid_uflt: _Optional[int] = ..., fee_uflt: _Optional[int] = ...) -> None: ...

class EventJobAccepted(_message.Message):
    __slots__ = ("job_id", "by")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    by: str
    def __init__(self, job_id: _Optional[int] = ..., by: _Optional[str] = ...) -> None: ...

class EventJobRejected(_message.Message):
    __slots__ = ("job_id", "requester", "reason", "deposit_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    requester: str
    reason: str
    deposit_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., requester: _Optional[str] = ..., reason: _Optional[str] = ..., deposit_uflt: _Optional[int] = ...) -> None: ...
