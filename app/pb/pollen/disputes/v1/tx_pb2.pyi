from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class MsgCommitChallenge(_message.Message):
    __slots__ = ("challenger", "job_id", "round", "commitment")
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    challenger: str
    job_id: int
    round: int
    commitment: bytes
    def __init__(self, challenger: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., commitment: _Optional[bytes] = ...) -> None: ...

class MsgCommitChallengeResponse(_message.Message):
    __slots__ = ("dispute_id", "deadline_clock_ms")
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    dispute_id: int
    deadline_clock_ms: int
    def __init__(self, dispute_id: _Optional[int] = ..., deadline_clock_ms: _Optional[int] = ...) -> None: ...

class MsgOpenChallenge(_message.Message):
    __slots__ = ("challenger", "job_id", "round", "dispute_id", "proof_hash", "salt", "part_count", "part")
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    PROOF_HASH_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    PART_COUNT_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    challenger: str
    job_id: int
    round: int
    dispute_id: int
    proof_hash: bytes
    salt: bytes
    part_count: int
    part: bytes
    def __init__(self, challenger: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., dispute_id: _Optional[int] = ..., proof_hash: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., part_count: _Optional[int] = ..., part: _Optional[bytes] = ...) -> None: ...

class MsgOpenChallengeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgAddProofPart(_message.Message):
    __slots__ = ("challenger", "job_id", "round", "dispute_id", "number", "part")
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    challenger: str
    job_id: int
    round: int
    dispute_id: int
    number: int
    part: bytes
    def __init__(self, challenger: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., dispute_id: _Optional[int] = ..., number: _Optional[int] = ..., part: _Optional[bytes] = ...) -> None: ...

class MsgAddProofPartResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
