"""Messages as Amino JSON, by the options with which Cosmos' protobuf files describe it.

A message is an object of its fields that aren't empty, and stands with its Amino name where its
type isn't known: `{"type": …, "value": …}`. Integers beyond 32 bits are text, enums numbers, bytes
base64. Ours have no options; their Amino names are declared with their rules.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

from cosmpy.protos.amino import amino_pb2 as options
from cosmpy.protos.cosmos_proto.cosmos_pb2 import scalar
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from app.chain import RULES
from app.kernel.amino import Plain, write_json
from app.wire.records import DECIMAL_PLACES, KINDS, BadField
from app.wire.strict import refuse_unknown

AMINO_SIZE_BYTES_MAX = 131_072
DEPTH_MAX = 8
NANOS_PER_S = 1_000_000_000
WIDE = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
NAMES = {
    f"/{kind.name}": RULES[kind.record].amino_name
    for kind in KINDS.values()
    if kind.record in RULES
}
EMPTY: dict[str, Any] = {"legacy_coins": [], "null_slice_as_empty": []}
Write = Callable[[Any, int], Plain]


def write_terms(body: Any, fee: Any) -> str:
    """Return what Amino JSON says of a transaction's fee, memo and messages; `BadField`: it can't.

    The members of an object that is still open, in order.
    """
    stated = {
        "amount": [{"amount": coin.amount, "denom": coin.denom} for coin in fee.amount],
        "gas": str(fee.gas_limit),
        **{name: value for name in ("granter", "payer") if (value := getattr(fee, name))},
    }
    messages = [write_any(packed, 0) for packed in body.messages]
    parts = {"fee": stated, "memo": body.memo, "msgs": messages}
    return write_json(parts)[1:-1]


def write_any(packed: Any, depth: int) -> Plain:
    """Return what an Any holds, with its Amino name."""
    if depth > DEPTH_MAX:
        raise BadField(f"messages: more than {DEPTH_MAX} within one another; sign fewer")
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(packed.type_url[1:])
    except KeyError:
        raise BadField(f"type URL {packed.type_url!r} is unknown here") from None
    name = NAMES.get(packed.type_url) or descriptor.GetOptions().Extensions[options.name]
    if not name:
        text = f"type URL {packed.type_url!r} has no Amino name; sign with SIGN_MODE_DIRECT"
        raise BadField(text)
    message = GetMessageClass(descriptor).FromString(packed.value)
    refuse_unknown(message, is_body=False)
    return {"type": name, "value": writer_of(descriptor)(message, depth + 1)}


@cache
def writer_of(descriptor: Descriptor) -> Write:
    """Return what writes the messages of a type."""
    known = KNOWN_TYPES.get(descriptor.full_name)
    if known is not None:
        return known
    encoding = descriptor.GetOptions().Extensions[options.message_encoding]
    if encoding == "key_field":
        return lambda message, depth: b64encode(message.key).decode() if message.key else None
    if encoding == "threshold_string":
        return write_threshold_key
    fields = [(field, *field_writer(field)) for field in descriptor.fields]
    choices = [each.name for each in descriptor.oneofs if not each.name.startswith("_")]

    def write(message: Any, depth: int) -> Plain:
        found: dict[str, Plain] = {camel_case(name): None for name in choices}
        for field, name, write_value, is_kept in fields:
            if not is_kept and not is_set(message, field):
                continue
            value = write_value(getattr(message, field.name), depth)
            choice = field.containing_oneof
            if choice and choice.name in choices:
                kind = field.GetOptions().Extensions[options.oneof_name]
                found[camel_case(choice.name)] = {"type": kind, "value": {name: value}}
            else:
                found[name] = value
        return found

    return write


def field_writer(field: FieldDescriptor) -> tuple[str, Write, bool]:
    """Return a field's name, what writes its value, and whether it is written though empty."""
    chosen = field.GetOptions().Extensions
    name = chosen[options.field_name] or field.name
    write_one, empty = value_writer(field), EMPTY.get(chosen[options.encoding])

    def write_all(values: Any, depth: int) -> Plain:
        return [write_one(value, depth) for value in values] or empty

    write = write_all if is_list(field) else write_one
    return name, write, chosen[options.dont_omitempty]


def camel_case(name: str) -> str:
    """Return `SeveralWords` for `several_words`."""
    return name.title().replace("_", "")


def value_writer(field: FieldDescriptor) -> Write:
    """Return what writes one value of a field."""
    if field.message_type is not None:
        descriptor = field.message_type
        return lambda message, depth: writer_of(descriptor)(message, depth)
    kind = field.GetOptions().Extensions[scalar]
    if kind == "cosmos.Dec":
        return lambda text, depth: write_decimal(text.decode() if type(text) is bytes else text)
    if kind == "cosmos.Int":
        return lambda text, depth: text or "0"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda data, depth: b64encode(data).decode() if data else None
    if field.cpp_type in WIDE:
        return lambda number, depth: str(number)
    return lambda value, depth: value


def is_set(message: Message, field: FieldDescriptor) -> bool:
    """Whether a field holds something."""
    if field.has_presence:
        return message.HasField(field.name)
    value = getattr(message, field.name)
    return bool(len(value) if is_list(field) else value)


def is_list(field: Any) -> bool:
    """Whether a field has many values."""
    return bool(field.label == FieldDescriptor.LABEL_REPEATED)


def write_decimal(text: str) -> str:
    """Return a decimal number of which the wire leaves out the point; others as they stand."""
    digits = text.removeprefix("-")
    if not digits.isdecimal():
        return text or "0"
    digits = digits.zfill(DECIMAL_PLACES + 1)
    sign = text[: text.startswith("-")]
    return f"{sign}{digits[:-DECIMAL_PLACES]}.{digits[-DECIMAL_PLACES:]}"


def write_threshold_key(key: Any, depth: int) -> Plain:
    """Return a multisig key."""
    members = [write_any(each, depth) for each in key.public_keys]
    return {"pubkeys": members, "threshold": str(key.threshold)}


def write_time(time: Any, depth: int) -> Plain:
    """Return a point in time as RFC 3339 writes it."""
    whole, _, nanos = time.ToJsonString().removesuffix("Z").partition(".")
    nanos = nanos.rstrip("0")
    return f"{whole}.{nanos}Z" if nanos else f"{whole}Z"


def write_duration(duration: Any, depth: int) -> Plain:
    """Return a span of time in nanoseconds, as text."""
    return str(duration.seconds * NANOS_PER_S + duration.nanos)


KNOWN_TYPES: dict[str, Write] = {
    "google.protobuf.Any": write_any,
    "google.protobuf.Timestamp": write_time,
    "google.protobuf.Duration": write_duration,
}
