from app.pb.pollen.slashing.v1 import slashing_pb2 as _slashing_pb2
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
    params: _slashing_pb2.Params
    def __init__(self, params: _Optional[_Union[_slashing_pb2.Params, _Mapping]] = ...) -> None: ...

class QueryPenaltiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryPenaltiesResponse(_message.Message):
    __slots__ = ("penalties",)
    PENALTIES_FIELD_NUMBER: _ClassVar[int]
    penalties: _containers.RepeatedCompositeFieldContainer[_slashing_pb2.PenaltyShown]
    def __init__(self, penalties: _Optional[_Iterable[_Union[_slashing_pb2.PenaltyShown, _Mapping]]] = ...) -> None: ...

class QueryRoundSlashesRequest(_message.Message):
    __slots__ = ("job_id", "round")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    round: int
    def __init__(self, job_id: _Optional[int] = ..., round: _Optional[int] = ...) -> None: ...

class QueryRoundSlashesResponse(_message.Message):
    __slots__ = ("slashes", "pot_uflt")
    SLASHES_FIELD_NUMBER: _ClassVar[int]
    POT_UFLT_FIELD_NUMBER: _ClassVar[int]
    slashes: _containers.RepeatedCompositeFieldContainer[_slashing_pb2.Slash]
    pot_uflt: int
    def __init__(self, slashes: _Optional[_Iterable[_Union[_slashing_pb2.Slash, _Mapping]]] = ..., pot_uflt: _Optional[int] = ...) -> None: ...

class QueryExcuseRequest(_message.Message):
    __slots__ = ("account", "job_id")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    account: str
    job_id: int
    def __init__(self, account: _Optional[str] = ..., job_id: _Optional[int] = ...) -> None: ...

class QueryExcuseResponse(_message.Message):
    __slots__ = ("is_excusable", "round_count", "draws_left")
    IS_EXCUSABLE_FIELD_NUMBER: _ClassVar[int]
    ROUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    DRAWS_LEFT_FIELD_NUMBER: _ClassVar[int]
    is_excusable: bool
    round_count: int
    draws_left: int
    def __init__(self, is_excusable: bool = ..., round_count: _Optional[int] = ..., draws_left: _Optional[int] = ...) -> None: ...
