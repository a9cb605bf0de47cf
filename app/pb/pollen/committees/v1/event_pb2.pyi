from app.pb.pollen.committees.v1 import committees_pb2 as _committees_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventCommitteeDrawn(_message.Message):
    __slots__ = ("job_id", "member_count")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    member_count: int
    def __init__(self, job_id: _Optional[int] = ..., member_count: _Optional[int] = ...) -> None: ...

class EventCommitteeStepChanged(_message.Message):
    __slots__ = ("job_id", "step")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    step: _committees_pb2.CommitteeStep
    def __init__(self, job_id: _Optional[int] = ..., step: _Optional[_Union[_committees_pb2.CommitteeStep, str]] = ...) -> None: ...

class EventMeasurementCommitted(_message.Message):
    __slots__ = ("job_id", "evaluator")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    evaluator: str
    def __init__(self, job_id: _Optional[int] = ..., evaluator: _Optional[str] = ...) -> None: ...

class EventMeasurementRevealed(_message.Message):
    __slots__ = ("job_id", "evaluator", "metric_millionths")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    METRIC_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    evaluator: str
    metric_millionths: int
    def __init__(self, job_id: _Optional[int] = ..., evaluator: _Optional[str] = ..., metric_millionths: _Optional[int] = ...) -> None: ...

class EventResultMeasured(_message.Message):
    __slots__ = ("job_id", "revealed_count", "metric_millionths", "released_ppm")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REVEALED_COUNT_FIELD_NUMBER: _ClassVar[int]
    METRIC_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    RELEASED_PPM_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    revealed_count: int
    metric_millionths: int
    released_ppm: int
    def __init__(self, job_id: _Optional[int] = ..., revealed_count: _Optional[int] = ..., metric_millionths: _Optional[int] = ..., released_ppm: _Optional[int] = ...) -> None: ...
