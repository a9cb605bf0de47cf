from app.pb.pollen.beacon.v1 import beacon_pb2 as _beacon_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueryBeaconRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryBeaconResponse(_message.Message):
    __slots__ = ("beacon",)
    BEACON_FIELD_NUMBER: _ClassVar[int]
    beacon: _beacon_pb2.Beacon
    def __init__(self, beacon: _Optional[_Union[_beacon_pb2.Beacon, _Mapping]] = ...) -> None: ...

class QueryValidatorsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryValidatorsResponse(_message.Message):
    __slots__ = ("validators",)
    VALIDATORS_FIELD_NUMBER: _ClassVar[int]
    validators: _containers.RepeatedCompositeFieldContainer[_beacon_pb2.Validator]
    def __init__(self, validators: _Optional[_Iterable[_Union[_beacon_pb2.Validator, _Mapping]]] = ...) -> None: ...
