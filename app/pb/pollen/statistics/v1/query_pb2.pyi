from app.pb.pollen.statistics.v1 import statistics_pb2 as _statistics_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueryParamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryParamsResponse(_message.Message):
    __slots__ = ("params",)
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    params: _statistics_pb2.Params
    def __init__(self, params: _Optional[_Union[_statistics_pb2.Params, _Mapping]] = ...) -> None: ...

class QueryStatisticsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryStatisticsResponse(_message.Message):
    __slots__ = ("totals", "endings", "participants", "holdings", "task_completion_ppm", "reward_per_example_millionths", "epoch_churn_ppm", "last_epoch_churn_ppm")
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    ENDINGS_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    TASK_COMPLETION_PPM_FIELD_NUMBER: _ClassVar[int]
    REWARD_PER_EXAMPLE_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_CHURN_PPM_FIELD_NUMBER: _ClassVar[int]
    LAST_EPOCH_CHURN_PPM_FIELD_NUMBER: _ClassVar[int]
    totals: _statistics_pb2.Totals
    endings: _containers.RepeatedCompositeFieldContainer[_statistics_pb2.Ending]
    participants: _statistics_pb2.Participants
    holdings: _statistics_pb2.Holdings
    task_completion_ppm: int
    reward_per_example_millionths: str
    epoch_churn_ppm: int
    last_epoch_churn_ppm: int
    def __init__(self, totals: _Optional[_Union[_statistics_pb2.Totals, _Mapping]] = ..., endings: _Optional[_Iterable[_Union[_statistics_pb2.Ending, _Mapping]]] = ..., participants: _Optional[_Union[_statistics_pb2.Participants, _Mapping]] = ..., holdings: _Optional[_Union[_statistics_pb2.Holdings, _Mapping]] = ..., task_completion_ppm: _Optional[int] = ..., reward_per_example_millionths: _Optional[str] = ..., epoch_churn_ppm: _Optional[int] = ..., last_epoch_churn_ppm: _Optional[int] = ...) -> None: ...
