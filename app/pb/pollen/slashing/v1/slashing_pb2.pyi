from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Fault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAULT_UNSPECIFIED: _ClassVar[Fault]
    FAULT_MISSED_COMMIT: _ClassVar[Fault]
    FAULT_UNREVEALED_UPDATE: _ClassVar[Fault]
    FAULT_FALSE_UPDATE: _ClassVar[Fault]
    FAULT_NO_AGGREGATE: _ClassVar[Fault]
    FAULT_FALSE_AGGREGATE: _ClassVar[Fault]
    FAULT_FALSE_ATTESTATION: _ClassVar[Fault]
    FAULT_WITHHELD_CHUNK: _ClassVar[Fault]
    FAULT_UNREVEALED_SCORES: _ClassVar[Fault]
    FAULT_FALSE_CHALLENGE: _ClassVar[Fault]

class Base(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BASE_UNSPECIFIED: _ClassVar[Base]
    BASE_BOND: _ClassVar[Base]
    BASE_JOB_LOCK: _ClassVar[Base]
    BASE_DEPOSIT: _ClassVar[Base]
FAULT_UNSPECIFIED: Fault
FAULT_MISSED_COMMIT: Fault
FAULT_UNREVEALED_UPDATE: Fault
FAULT_FALSE_UPDATE: Fault
FAULT_NO_AGGREGATE: Fault
FAULT_FALSE_AGGREGATE: Fault
FAULT_FALSE_ATTESTATION: Fault
FAULT_WITHHELD_CHUNK: Fault
FAULT_UNREVEALED_SCORES: Fault
FAULT_FALSE_CHALLENGE: Fault
BASE_UNSPECIFIED: Base
BASE_BOND: Base
BASE_JOB_LOCK: Base
BASE_DEPOSIT: Base

class PenaltyShown(_message.Message):
    __slots__ = ("fault", "base", "part_ppm", "is_proven")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    PART_PPM_FIELD_NUMBER: _ClassVar[int]
    IS_PROVEN_FIELD_NUMBER: _ClassVar[int]
    fault: Fault
    base: Base
    part_ppm: int
    is_proven: bool
    def __init__(self, fault: _Optional[_Union[Fault, str]] = ..., base: _Optional[_Union[Base, str]] = ..., part_ppm: _Optional[int] = ..., is_proven: bool = ...) -> None: ...

class Slash(_message.Message):
    __slots__ = ("participant", "fault", "amount_uflt")
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_UFLT_FIELD_NUMBER: _ClassVar[int]
    participant: str
    fault: Fault
    amount_uflt: int
    def __init__(self, participant: _Optional[str] = ..., fault: _Optional[_Union[Fault, str]] = ..., amount_uflt: _Optional[int] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("missed_commit_ppm", "unrevealed_update_ppm", "false_update_ppm", "no_aggregate_ppm", "false_aggregate_ppm", "false_attestation_ppm", "withheld_chunk_ppm", "unrevealed_scores_ppm", "false_challenge_ppm", "prover_ppm", "outage_divisor", "excuse_rounds", "excuse_draws")
    MISSED_COMMIT_PPM_FIELD_NUMBER: _ClassVar[int]
    UNREVEALED_UPDATE_PPM_FIELD_NUMBER: _ClassVar[int]
    FALSE_UPDATE_PPM_FIELD_NUMBER: _ClassVar[int]
    NO_AGGREGATE_PPM_FIELD_NUMBER: _ClassVar[int]
    FALSE_AGGREGATE_PPM_FIELD_NUMBER: _ClassVar[int]
    FALSE_ATTESTATION_PPM_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_CHUNK_PPM_FIELD_NUMBER: _ClassVar[int]
    UNREVEALED_SCORES_PPM_FIELD_NUMBER: _ClassVar[int]
    FALSE_CHALLENGE_PPM_FIELD_NUMBER: _ClassVar[int]
    PROVER_PPM_FIELD_NUMBER: _ClassVar[int]
    OUTAGE_DIVISOR_FIELD_NUMBER: _ClassVar[int]
    EXCUSE_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    EXCUSE_DRAWS_FIELD_NUMBER: _ClassVar[int]
    missed_commit_ppm: int
    unrevealed_update_ppm: int
    false_update_ppm: int
    no_aggregate_ppm: int
    false_aggregate_ppm: int
    false_attestation_ppm: int
    withheld_chunk_ppm: int
    unrevealed_scores_ppm: int
    false_challenge_ppm: int
    prover_ppm: int
    outage_divisor: int
    excuse_rounds: int
    excuse_draws: int
    def __init__(self, missed_commit_ppm: _Optional[int] = ..., unrevealed_update_ppm: _Optional[int] = ..., false_update_ppm: _Optional[int] = ..., no_aggregate_ppm: _Optional[int] = ..., false_aggregate_ppm: _Optional[int] = ..., false_attestation_ppm: _Optional[int] = ..., withheld_chunk_ppm: _Optional[int] = ..., unrevealed_scores_ppm: _Optional[int] = ..., false_challenge_ppm: _Optional[int] = ..., prover_ppm: _Optional[int] = ..., outage_divisor: _Optional[int] = ..., excuse_rounds: _Optional[int] = ..., excuse_draws: _Optional[int] = ...) -> None: ...
