from app.pb.pollen.slashing.v1 import slashing_pb2 as _slashing_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventSlashed(_message.Message):
    __slots__ = ("job_id", "round", "participant", "fault", "amount_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    participant: str
    fault: _slashing_pb2.Fault
    amount_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., participant: _Optional[str] = ..., fault: _Optional[_Union[_slashing_pb2.Fault, str]] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class EventExcused(_message.Message):
    __slots__ = ("job_id", "round", "participant", "fault")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    participant: str
    fault: _slashing_pb2.Fault
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., participant: _Optional[str] = ..., fault: _Optional[_Union[_slashing_pb2.Fault, str]] = ...) -> None: ...

class EventProverPaid(_message.Message):
    __slots__ = ("job_id", "round", "prover", "payout_address", "amount_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PROVER_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    prover: str
    payout_address: str
    amount_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., prover: _Optional[str] = ..., payout_address: _Optional[str] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class EventLossCompensated(_message.Message):
    __slots__ = ("job_id", "round", "participant", "payout_address", "amount_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    participant: str
    payout_address: str
    amount_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., participant: _Optional[str] = ..., payout_address: _Optional[str] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class EventPotBurned(_message.Message):
    __slots__ = ("job_id", "round", "amount_uflt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    amount_uflt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., amount_uflt: _Optional[int] = ...) -> None: ...
