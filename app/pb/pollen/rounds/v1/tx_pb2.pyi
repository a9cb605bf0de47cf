from app.pb.pollen.jobs.v1 import jobs_pb2 as _jobs_pb2
from app.pb.pollen.rounds.v1 import rounds_pb2 as _rounds_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MsgCommitUpdate(_message.Message):
    __slots__ = ("worker", "job_id", "round", "commitment")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    worker: str
    job_id: int
    round: int
    commitment: bytes
    def __init__(self, worker: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., commitment: _Optional[bytes] = ...) -> None: ...

class MsgCommitUpdateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgRevealUpdate(_message.Message):
    __slots__ = ("worker", "job_id", "round", "reveal")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    REVEAL_FIELD_NUMBER: _ClassVar[int]
    worker: str
    job_id: int
    round: int
    reveal: _rounds_pb2.Reveal
    def __init__(self, worker: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., reveal: _Optional[_Union[_rounds_pb2.Reveal, _Mapping]] = ...) -> None: ...

class MsgRevealUpdateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgVoteInclusion(_message.Message):
    __slots__ = ("reader", "job_id", "round", "bitmap")
    READER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BITMAP_FIELD_NUMBER: _ClassVar[int]
    reader: str
    job_id: int
    round: int
    bitmap: bytes
    def __init__(self, reader: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., bitmap: _Optional[bytes] = ...) -> None: ...

class MsgVoteInclusionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgPostAggregate(_message.Message):
    __slots__ = ("aggregator", "job_id", "round", "model_root", "model")
    AGGREGATOR_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    MODEL_ROOT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    aggregator: str
    job_id: int
    round: int
    model_root: bytes
    model: _jobs_pb2.Blob
    def __init__(self, aggregator: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., model_root: _Optional[bytes] = ..., model: _Optional[_Union[_jobs_pb2.Blob, _Mapping]] = ...) -> None: ...

class MsgPostAggregateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgAttestAggregate(_message.Message):
    __slots__ = ("evaluator", "job_id", "round", "attempt", "model_root")
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    MODEL_ROOT_FIELD_NUMBER: _ClassVar[int]
    evaluator: str
    job_id: int
    round: int
    attempt: int
    model_root: bytes
    def __init__(self, evaluator: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., attempt: _Optional[int] = ..., model_root: _Optional[bytes] = ...) -> None: ...

class MsgAttestAggregateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgGrantSlices(_message.Message):
    __slots__ = ("requester", "job_id", "round", "keys")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    requester: str
    job_id: int
    round: int
    keys: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, requester: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., keys: _Optional[_Iterable[bytes]] = ...) -> None: ...

class MsgGrantSlicesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgRefuseSlices(_message.Message):
    __slots__ = ("evaluator", "job_id", "round")
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    evaluator: str
    job_id: int
    round: int
    def __init__(self, evaluator: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ...) -> None: ...

class MsgRefuseSlicesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgCommitScores(_message.Message):
    __slots__ = ("evaluator", "job_id", "round", "commitment")
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    evaluator: str
    job_id: int
    round: int
    commitment: bytes
    def __init__(self, evaluator: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., commitment: _Optional[bytes] = ...) -> None: ...

class MsgCommitScoresResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgRevealScores(_message.Message):
    __slots__ = ("evaluator", "job_id", "round", "scores")
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    evaluator: str
    job_id: int
    round: int
    scores: _rounds_pb2.Scores
    def __init__(self, evaluator: _Optional[str] = ..., job_id: _Optional[int] = ..., round: _Optional[int] = ..., scores: _Optional[_Union[_rounds_pb2.Scores, _Mapping]] = ...) -> None: ...

class MsgRevealScoresResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
