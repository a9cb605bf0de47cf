from app.pb.pollen.bonds.v1 import bonds_pb2 as _bonds_pb2
from app.pb.pollen.committees.v1 import committees_pb2 as _committees_pb2
from app.pb.pollen.jobs.v1 import jobs_pb2 as _jobs_pb2
from app.pb.pollen.rounds.v1 import rounds_pb2 as _rounds_pb2
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
    params: _rounds_pb2.Params
    def __init__(self, params: _Optional[_Union[_rounds_pb2.Params, _Mapping]] = ...) -> None: ...

class RoundState(_message.Message):
    __slots__ = ("round", "seats", "readers", "scorers")
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    READERS_FIELD_NUMBER: _ClassVar[int]
    SCORERS_FIELD_NUMBER: _ClassVar[int]
    round: _rounds_pb2.Round
    seats: _containers.RepeatedCompositeFieldContainer[_rounds_pb2.Seat]
    readers: _containers.RepeatedCompositeFieldContainer[_rounds_pb2.Reader]
    scorers: _containers.RepeatedCompositeFieldContainer[_rounds_pb2.Scorer]
    def __init__(self, round: _Optional[_Union[_rounds_pb2.Round, _Mapping]] = ..., seats: _Optional[_Iterable[_Union[_rounds_pb2.Seat, _Mapping]]] = ..., readers: _Optional[_Iterable[_Union[_rounds_pb2.Reader, _Mapping]]] = ..., scorers: _Optional[_Iterable[_Union[_rounds_pb2.Scorer, _Mapping]]] = ...) -> None: ...

class QueryRoundRequest(_message.Message):
    __slots__ = ("job_id", "round")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ...) -> None: ...

class QueryRoundResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: RoundState
    def __init__(self, state: _Optional[_Union[RoundState, _Mapping]] = ...) -> None: ...

class QueryJobStateRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    def __init__(self, job_id: _Optional[int] = ...) -> None: ...

class QueryJobStateResponse(_message.Message):
    __slots__ = ("job", "rounds", "readers", "committee", "members")
    JOB_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    READERS_FIELD_NUMBER: _ClassVar[int]
    COMMITTEE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    job: _jobs_pb2.Job
    rounds: _containers.RepeatedCompositeFieldContainer[RoundState]
    readers: _containers.RepeatedCompositeFieldContainer[_bonds_pb2.Registration]
    committee: _committees_pb2.Committee
    members: _containers.RepeatedCompositeFieldContainer[_committees_pb2.Member]
    def __init__(self, job: _Optional[_Union[_jobs_pb2.Job, _Mapping]] = ..., rounds: _Optional[_Iterable[_Union[RoundState, _Mapping]]] = ..., readers: _Optional[_Iterable[_Union[_bonds_pb2.Registration, _Mapping]]] = ..., committee: _Optional[_Union[_committees_pb2.Committee, _Mapping]] = ..., members: _Optional[_Iterable[_Union[_committees_pb2.Member, _Mapping]]] = ...) -> None: ...

class QueryWorthsRequest(_message.Message):
    __slots__ = ("job_id", "after", "limit")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    after: str
    limit: int
    def __init__(self, job_id: _Optional[int] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class QueryWorthsResponse(_message.Message):
    __slots__ = ("worths",)
    WORTHS_FIELD_NUMBER: _ClassVar[int]
    worths: _containers.RepeatedCompositeFieldContainer[_rounds_pb2.Worth]
    def __init__(self, worths: _Optional[_Iterable[_Union[_rounds_pb2.Worth, _Mapping]]] = ...) -> None: ...
