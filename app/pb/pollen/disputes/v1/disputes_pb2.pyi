from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DisputePhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISPUTE_PHASE_UNSPECIFIED: _ClassVar[DisputePhase]
    DISPUTE_PHASE_COMMITTED: _ClassVar[DisputePhase]
    DISPUTE_PHASE_OPENED: _ClassVar[DisputePhase]
    DISPUTE_PHASE_COMPLETE: _ClassVar[DisputePhase]
    DISPUTE_PHASE_PROVEN: _ClassVar[DisputePhase]
    DISPUTE_PHASE_UPHELD: _ClassVar[DisputePhase]
    DISPUTE_PHASE_REFUTED: _ClassVar[DisputePhase]
    DISPUTE_PHASE_EXPIRED: _ClassVar[DisputePhase]
    DISPUTE_PHASE_RETURNED: _ClassVar[DisputePhase]
DISPUTE_PHASE_UNSPECIFIED: DisputePhase
DISPUTE_PHASE_COMMITTED: DisputePhase
DISPUTE_PHASE_OPENED: DisputePhase
DISPUTE_PHASE_COMPLETE: DisputePhase
DISPUTE_PHASE_PROVEN: DisputePhase
DISPUTE_PHASE_UPHELD: DisputePhase
DISPUTE_PHASE_REFUTED: DisputePhase
DISPUTE_PHASE_EXPIRED: DisputePhase
DISPUTE_PHASE_RETURNED: DisputePhase

class Params(_message.Message):
    __slots__ = ("deposit_uflt", "open_s", "parts_s", "open_max", "due_per_block_max")
    DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    OPEN_S_FIELD_NUMBER: _ClassVar[int]
    PARTS_S_FIELD_NUMBER: _ClassVar[int]
    OPEN_MAX_FIELD_NUMBER: _ClassVar[int]
    DUE_PER_BLOCK_MAX_FIELD_NUMBER: _ClassVar[int]
    deposit_uflt: int
    open_s: int
    parts_s: int
    open_max: int
    due_per_block_max: int
    def __init__(self, deposit_uflt: _Optional[int] = ..., open_s: _Optional[int] = ..., parts_s: _Optional[int] = ..., open_max: _Optional[int] = ..., due_per_block_max: _Optional[int] = ...) -> None: ...

class Dispute(_message.Message):
    __slots__ = ("job_id", "round", "dispute_id", "challenger", "attempt", "commitment", "deposit_uflt", "phase", "proof_hash", "part_count", "received_count", "deadline_clock_ms", "deadline_height", "due_clock_ms")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_UFLT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PROOF_HASH_FIELD_NUMBER: _ClassVar[int]
    PART_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    DUE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    dispute_id: int
    challenger: str
    attempt: int
    commitment: bytes
    deposit_uflt: int
    phase: DisputePhase
    proof_hash: bytes
    part_count: int
    received_count: int
    deadline_clock_ms: int
    deadline_height: int
    due_clock_ms: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., dispute_id: _Optional[int] = ..., challenger: _Optional[str] = ..., attempt: _Optional[int] = ..., commitment: _Optional[bytes] = ..., deposit_uflt: _Optional[int] = ..., phase: _Optional[_Union[DisputePhase, str]] = ..., proof_hash: _Optional[bytes] = ..., part_count: _Optional[int] = ..., received_count: _Optional[int] = ..., deadline_clock_ms: _Optional[int] = ..., deadline_height: _Optional[int] = ..., due_clock_ms: _Optional[int] = ...) -> None: ...
