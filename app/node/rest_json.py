"""Protobuf messages as the JSON of Cosmos' REST gateway.

Names are as in the proto files, integers of 64 bits text, bytes base64, enums names, times as in
RFC 3339; an Any has its type as `@type`. Empty values are shown: bytes and messages as null, but
messages that are never absent in Go. A decimal number of Cosmos, an integer with 18 implied places,
has its point.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

from cosmpy.protos.gogoproto.gogo_pb2 import customtype, nullable
from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from app.node.question import Refusal
from app.wire.amino import WIDE, is_list, write_decimal, write_time
from app.wire.records import DECIMAL_PLACES

Convert = Callable[[Any], Any]
ZERO = write_decimal("0".zfill(DECIMAL_PLACES))


def to_json(message: Message) -> dict[str, Any]:
    """Return a message as JSON's plain values."""
    shown: dict[str, Any] = {}
    for field, convert, is_shown_empty in fields_of(message.DESCRIPTOR):
        name = field.name
        if field.has_presence and not message.HasField(name):
            if is_shown_empty:
                is_never_absent = is_required(field)
                shown[name] = convert(getattr(message, name)) if is_never_absent else None
            continue
        value = getattr(message, name)
        shown[name] = [convert(each) for each in value] if is_list(field) else convert(value)
    return shown


@cache
def fields_of(descriptor: Descriptor) -> list[tuple[FieldDescriptor, Convert, bool]]:
    """Return a message's fields, how each is shown, and whether it is though it is absent."""
    return [
        (field, converter_of(field), field.containing_oneof is None) for field in descriptor.fields
    ]


def is_required(field: FieldDescriptor) -> bool:
    """Whether a message is always there in Go, and so in its JSON."""
    options = field.GetOptions()
    return options.HasExtension(nullable) and not options.Extensions[nullable]


def converter_of(field: FieldDescriptor) -> Convert:
    """Return what makes JSON of one value of a field."""
    if field.message_type is not None:
        return KNOWN_TYPES.get(field.message_type.full_name, to_json)
    kind = field.GetOptions().Extensions[customtype]
    if kind.endswith("Dec"):
        return lambda value: write_decimal(to_text(value)) if value else ZERO
    if kind.endswith("math.Int"):
        return lambda value: to_text(value) or "0"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda data: b64encode(data).decode() if data else None
    if field.enum_type is not None:
        names = {number: each.name for number, each in field.enum_type.values_by_number.items()}
        return lambda number: names.get(number, number)
    return str if field.cpp_type in WIDE else lambda value: value


def to_text(value: Any) -> str:
    """Return text that a field holds as text or as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def any_to_json(packed: Any) -> dict[str, Any]:
    """Return what an Any holds; of a type that is unknown here, its bytes."""
    try:
        found = descriptor_pool.Default().FindMessageTypeByName(packed.type_url[1:])
        message = GetMessageClass(found).FromString(packed.value)
    except (KeyError, DecodeError):
        return {"@type": packed.type_url, "value": b64encode(packed.value).decode()}
    convert = KNOWN_TYPES.get(found.full_name)
    return {"@type": packed.type_url} | (
        {"value": convert(message)} if convert else to_json(message)
    )


KNOWN_TYPES: dict[str, Convert] = {
    "google.protobuf.Any": any_to_json,
    "google.protobuf.Timestamp": lambda time: write_time(time, 0),
    "google.protobuf.Duration": lambda duration: duration.ToJsonString(),
}


def from_json(request_class: Any, body: Any) -> Any:
    """Return a request that JSON holds; `Refusal` says what is wrong."""
    try:
        return json_format.ParseDict(body, request_class())
    except (json_format.ParseError, TypeError) as error:
        raise Refusal(f"body: {error}") from None


def set_field(request: Message, path: str, texts: list[str]) -> None:
    """Write a parameter such as `pagination.limit` into a request; unknown ones are left out."""
    *outer, last = path.split(".")
    message: Any = request
    for name in outer:
        field = find_field(message, name)
        if field is None or field.message_type is None or is_list(field):
            return
        message = getattr(message, field.name)
    field = find_field(message, last)
    if field is None or field.message_type is not None:
        return
    try:
        values = [read_scalar(field, text) for text in texts]
        if is_list(field):
            getattr(message, field.name).extend(values)
        else:
            setattr(message, field.name, values[-1])
    except (ValueError, KeyError):
        raise Refusal(f"{path}: {texts[-1][:80]!r} is not what this parameter holds") from None


def find_field(message: Message, name: str) -> Any:
    """Return a field by its name in the proto file or in protobuf's own JSON, or None."""
    fields = message.DESCRIPTOR
    return fields.fields_by_name.get(name) or fields.fields_by_camelcase_name.get(name)


def read_scalar(field: FieldDescriptor, text: str) -> Any:
    """Return a parameter's value; ValueError or KeyError if it is none."""
    if field.enum_type is not None:
        return int(text) if text.isdecimal() else field.enum_type.values_by_name[text].number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    return text if field.type == FieldDescriptor.TYPE_STRING else int(text)
