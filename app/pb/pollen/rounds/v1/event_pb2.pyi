from app.pb.pollen.rounds.v1 import rounds_pb2 as _rounds_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventRoundDrawn(_message.Message):
    __slots__ = ("job_id", "round", "seed", "selected_count", "reserve_count", "reader_count")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SELECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RESERVE_COUNT_FIELD_NUMBER: _ClassVar[int]
    READER_COUNT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    seed: bytes
    selected_count: int
    reserve_count: int
    reader_count: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., seed: _Optional[bytes] = ..., selected_count: _Optional[int] = ..., reserve_count: _Optional[int] = ..., reader_count: _Optional[int] = ...) -> None: ...

class EventRoundPhaseChanged(_message.Message):
    __slots__ = ("job_id", "round", "phase", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    phase: _rounds_pb2.RoundPhase
    reason: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., phase: _Optional[_Union[_rounds_pb2.RoundPhase, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class EventUpdateCommitted(_message.Message):
    __slots__ = ("job_id", "round", "worker")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    worker: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., worker: _Optional[str] = ...) -> None: ...

class EventUpdateRevealed(_message.Message):
    __slots__ = ("job_id", "round", "worker")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    worker: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., worker: _Optional[str] = ...) -> None: ...

class EventReserveCalled(_message.Message):
    __slots__ = ("job_id", "round", "worker")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    worker: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., worker: _Optional[str] = ...) -> None: ...

class EventInclusionVoted(_message.Message):
    __slots__ = ("job_id", "round", "reader")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    reader: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., reader: _Optional[str] = ...) -> None: ...

class EventAggregatePosted(_message.Message):
    __slots__ = ("job_id", "round", "aggregator", "attempt", "model_root")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    AGGREGATOR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    MODEL_ROOT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    aggregator: str
    attempt: int
    model_root: bytes
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., aggregator: _Optional[str] = ..., attempt: _Optional[int] = ..., model_root: _Optional[bytes] = ...) -> None: ...

class EventAggregateAttested(_message.Message):
    __slots__ = ("job_id", "round", "evaluator", "attempt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    evaluator: str
    attempt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., evaluator: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class EventAggregatorReplaced(_message.Message):
    __slots__ = ("job_id", "round", "aggregator", "attempt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    AGGREGATOR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    aggregator: str
    attempt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., aggregator: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class EventSlicesDrawn(_message.Message):
    __slots__ = ("job_id", "round", "attempt", "slices", "scorer_count")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SLICES_FIELD_NUMBER: _ClassVar[int]
    SCORER_COUNT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    attempt: int
    slices: _containers.RepeatedScalarFieldContainer[int]
    scorer_count: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., attempt: _Optional[int] = ..., slices: _Optional[_Iterable[int]] = ..., scorer_count: _Optional[int] = ...) -> None: ...

class EventSlicesGranted(_message.Message):
    __slots__ = ("job_id", "round", "requester")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    requester: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., requester: _Optional[str] = ...) -> None: ...

class EventSlicesRefused(_message.Message):
    __slots__ = ("job_id", "round", "evaluator")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    evaluator: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., evaluator: _Optional[str] = ...) -> None: ...

class EventScoresCommitted(_message.Message):
    __slots__ = ("job_id", "round", "evaluator")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    evaluator: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., evaluator: _Optional[str] = ...) -> None: ...

class EventScoreStepChanged(_message.Message):
    __slots__ = ("job_id", "round", "step", "attempt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    step: _rounds_pb2.ScoreStep
    attempt: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., step: _Optional[_Union[_rounds_pb2.ScoreStep, str]] = ..., attempt: _Optional[int] = ...) -> None: ...

class EventScoresRevealed(_message.Message):
    __slots__ = ("job_id", "round", "evaluator")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    evaluator: str
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., evaluator: _Optional[str] = ...) -> None: ...

class EventRoundScored(_message.Message):
    __slots__ = ("job_id", "round", "outcome", "utility_millionths")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    UTILITY_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    outcome: _rounds_pb2.ScoreOutcome
    utility_millionths: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ..., outcome: _Optional[_Union[_rounds_pb2.ScoreOutcome, str]] = ..., utility_millionths: _Optional[int] = ...) -> None: ...
