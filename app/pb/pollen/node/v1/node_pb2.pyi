from google.protobuf import any_pb2 as _any_pb2
from app.pb.pollen.rounds.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusResponse(_message.Message):
    __slots__ = ("chain_id", "height", "time_unix_ms", "clock_ms", "app_hash", "app_version", "engine_version", "ready")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    APP_HASH_FIELD_NUMBER: _ClassVar[int]
    APP_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    chain_id: str
    height: int
    time_unix_ms: int
    clock_ms: int
    app_hash: bytes
    app_version: str
    engine_version: str
    ready: bool
    def __init__(self, chain_id: _Optional[str] = ..., height: _Optional[int] = ..., time_unix_ms: _Optional[int] = ..., clock_ms: _Optional[int] = ..., app_hash: _Optional[bytes] = ..., app_version: _Optional[str] = ..., engine_version: _Optional[str] = ..., ready: bool = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("job_id", "from_height")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    from_height: int
    def __init__(self, job_id: _Optional[int] = ..., from_height: _Optional[int] = ...) -> None: ...

class WatchJobResponse(_message.Message):
    __slots__ = ("height", "time_unix_ms", "clock_ms", "snapshot", "events")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    height: int
    time_unix_ms: int
    clock_ms: int
    snapshot: _query_pb2.QueryJobStateResponse
    events: _containers.RepeatedCompositeFieldContainer[_any_pb2.Any]
    def __init__(self, height: _Optional[int] = ..., time_unix_ms: _Optional[int] = ..., clock_ms: _Optional[int] = ..., snapshot: _Optional[_Union[_query_pb2.QueryJobStateResponse, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_any_pb2.Any, _Mapping]]] = ...) -> None: ...

class CheckInvariantsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckInvariantsResponse(_message.Message):
    __slots__ = ("broken", "checked", "height", "app_hash")
    BROKEN_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    APP_HASH_FIELD_NUMBER: _ClassVar[int]
    broken: _containers.RepeatedScalarFieldContainer[str]
    checked: _containers.RepeatedScalarFieldContainer[str]
    height: int
    app_hash: bytes
    def __init__(self, broken: _Optional[_Iterable[str]] = ..., checked: _Optional[_Iterable[str]] = ..., height: _Optional[int] = ..., app_hash: _Optional[bytes] = ...) -> None: ...
