"""Records and their protobuf messages: converters made once per class and kept.

A record and its message have the same fields in the same order. An address is Bech32 text, a U128
a decimal number, so is a number with decimals, times 10^18; a time is a Timestamp or nothing, a
duration a Duration, a consensus key an Any, one of several records an Any with the `TYPE_URL` of
its class, a message within another an Any; the rest is alike. Which message a record has follows
from its module's package: `PostJob` is `MsgPostJob`, `JobRequest` is `QueryJobRequest`, `JobPosted`
is `EventJobPosted`, unless an event has a `NAME`.
"""

from __future__ import annotations

import importlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from enum import IntEnum
from functools import cache
from importlib.util import find_spec
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from cosmpy.protos.cosmos.crypto.ed25519.keys_pb2 import PubKey
from cosmpy.protos.gogoproto.gogo_pb2 import customtype
from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration as DurationMessage
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from app.chain import MODULES, RULES
from app.kernel.bech32 import OPERATOR_PREFIX, from_bech32, to_bech32
from app.kernel.frozen import values_getter
from app.kernel.packed import Packed
from app.kernel.record import (
    U128,
    Address,
    ConsensusKey,
    Dec,
    Duration,
    Nothing,
    Operator,
    Time,
    decode,
    encode,
)
from app.modules.gov import GOVERNANCE
from app.wire.strict import Refused, parse_strictly

Convert = Callable[[Any], Any]

PROTOBUF_ROOTS = {
    "pollen.": "app.pb.pollen.",
    "cosmos.mint.": "app.pb.cosmos.mint.",
    "cosmos.": "cosmpy.protos.cosmos.",
}
"""Where a package's generated files are, by how its name begins."""
PROTOBUF_FILES = ("tx", "query", "event", "authz")
DECIMAL_LENGTH_MAX, DECIMAL_PLACES = 39, 18
NANOS, NANOS_PER_MS = 1_000_000_000, 1_000_000
SECONDS_MAX = 253_402_300_799
"""To the end of the year 9999."""
CONSENSUS_KEY_URL = "/cosmos.crypto.ed25519.PubKey"
CONSENSUS_KEY_BYTES = 32


class BadField(ValueError):
    """A message that no record can hold; the text names the field."""


class Kind(NamedTuple):
    """A record class, and the protobuf message and full name that carry it."""

    record: Any
    protobuf: Any
    name: str


def to_protobuf(record: Any) -> Any:
    """Return a record as its protobuf message."""
    kind = KINDS[type(record)]
    return writer_of(kind.record, kind.protobuf.DESCRIPTOR)(record)


def from_protobuf(record_class: Any, message: Message) -> Any:
    """Return the record in a protobuf message; `BadField` names what doesn't fit."""
    return reader_of(record_class, message.DESCRIPTOR)(message)


def serialize(record: Any) -> bytes:
    """Return a record as protobuf bytes."""
    return bytes(to_protobuf(record).SerializeToString())


def parse(record_class: type[Any], data: bytes) -> Any:
    """Return the record in protobuf bytes; `BadField` or `DecodeError` if there is none."""
    return from_protobuf(record_class, KINDS[record_class].protobuf.FromString(data))


def pack(record: Any) -> AnyMessage:
    """Return a record as an Any with its type URL."""
    return AnyMessage(type_url=type_url_of(type(record)), value=serialize(record))


def unpack(packed: AnyMessage) -> Any:
    """Return the record in an Any; `BadField` if its type is none of this chain's."""
    kind = KINDS_BY_URL.get(packed.type_url)
    if kind is None:
        raise BadField(f"type URL {packed.type_url!r} is none of this chain's")
    return parse(kind.record, packed.value)


def type_url_of(record_class: type[Any]) -> str:
    """Return the type URL by which a message is known."""
    return f"/{KINDS[record_class].name}"


def query_path(request_class: type[Any]) -> str:
    """Return the gRPC path of the method that answers a question."""
    package, _, name = KINDS[request_class].name.rpartition(".")
    return f"/{package}.Query/{name.removeprefix('Query').removesuffix('Request')}"


@cache
def reader_of(record_class: Any, descriptor: Any) -> Convert:
    """Return what makes a record of a protobuf message."""
    hints = checked_hints(record_class, descriptor)
    converts = [
        (at, name, convert)
        for at, (name, hint) in enumerate(hints.items())
        if (convert := value_reader(hint, descriptor.fields_by_name[name]))
    ]
    get_values = values_getter(tuple(hints))
    dates = [name for name, hint in hints.items() if hint is Time]

    def read(message: Any) -> Any:
        values = list(get_values(message))
        for name in dates:
            if message.HasField(name) and not getattr(message, name).ListFields():
                raise BadField(f"{record_class.__name__}.{name}: 1970 is over; leave it out")
        for at, name, convert in converts:
            try:
                values[at] = convert(values[at])
            except ValueError as error:
                raise BadField(f"{record_class.__name__}.{name}: {error}") from None
        return record_class(*values)

    return read


@cache
def writer_of(record_class: Any, descriptor: Any) -> Convert:
    """Return what makes a protobuf message of a record."""
    hints = checked_hints(record_class, descriptor)
    message_class = GetMessageClass(descriptor)
    names = tuple(hints)
    converts = [
        (at, convert)
        for at, (name, hint) in enumerate(hints.items())
        if (convert := value_writer(hint, descriptor.fields_by_name[name]))
    ]
    get_values = values_getter(names)

    def write(record: Any) -> Any:
        values = list(get_values(record))
        for at, convert in converts:
            values[at] = convert(values[at])
        return message_class(**dict(zip(names, values, strict=True)))

    return write


def checked_hints(record_class: Any, descriptor: Any) -> dict[str, Any]:
    """Return a record's field types by name; a TypeError if its message has other fields."""
    names = [field.name for field in fields(record_class)]
    expected = [field.name for field in descriptor.fields]
    if names != expected:
        raise TypeError(f"{record_class.__name__} has {names}, {descriptor.full_name} {expected}")
    hints = get_type_hints(record_class)
    return {name: hints[name] for name in names}


def value_reader(hint: Any, field: Any) -> Convert | None:
    """Return what turns a protobuf value into one of the type, or None if nothing must be done."""
    if get_origin(hint) is tuple:
        convert = value_reader(get_args(hint)[0], field)
        return tuple if convert is None else lambda values: tuple([convert(v) for v in values])
    if hint is Dec and field.type == FieldDescriptor.TYPE_BYTES:
        return read_decimal_bytes
    if hint in READERS:
        return READERS[hint]
    if isinstance(hint, UnionType):
        return any_reader(hint)
    if field.message_type is not None:
        return reader_of(hint, field.message_type)
    return hint if isinstance(hint, type) and issubclass(hint, IntEnum) else None


def value_writer(hint: Any, field: Any) -> Convert | None:
    """Return what turns a value of the type into a protobuf value, or None, as above."""
    if get_origin(hint) is tuple:
        convert = value_writer(get_args(hint)[0], field)
        return None if convert is None else lambda values: [convert(v) for v in values]
    if hint is Dec and field.type == FieldDescriptor.TYPE_BYTES:
        return write_decimal_bytes
    if hint in WRITERS:
        return WRITERS[hint]
    if isinstance(hint, UnionType):
        return any_writer(hint)
    return None if field.message_type is None else writer_of(hint, field.message_type)


def read_address(text: str) -> Address:
    """Return the address that a field shows; no text is no address."""
    return from_bech32(text) if text else Address(b"")


def read_decimal(text: str) -> U128:
    """Return the unsigned 128-bit integer that a field shows in decimal, without leading zeros."""
    number = int(text) if text.isdecimal() and len(text) <= DECIMAL_LENGTH_MAX else -1
    if number < 0 or number >> 128 or str(number) != text:
        raise ValueError(f"{text[:60]!r} is no decimal number from 0 to 2^128 - 1")
    return U128(number)


def read_decimal_bytes(text: bytes) -> U128:
    """Return the number that a field holds as the bytes of its decimal text."""
    return read_decimal(text.decode("ascii", "replace"))


def write_decimal_bytes(number: U128) -> bytes:
    """Return the bytes of a number's decimal text."""
    return str(number).encode()


def read_operator(text: str) -> Operator:
    """Return the operator of a validator that a field shows; no text is none."""
    return Operator(from_bech32(text, OPERATOR_PREFIX)) if text else Operator(b"")


def write_operator(operator: Operator) -> str:
    """Return the operator of a validator as a field shows it."""
    return to_bech32(operator, OPERATOR_PREFIX)


def read_time(message: Timestamp) -> Time:
    """Return the millisecond in which a date lies; none is 0."""
    if not 0 <= message.seconds <= SECONDS_MAX or not 0 <= message.nanos < NANOS:
        text = f"{message.seconds} s and {message.nanos} ns are no time from 1970 to 9999"
        raise ValueError(text)
    return Time(message.seconds * 1_000 + message.nanos // NANOS_PER_MS)


def write_time(time_ms: Time) -> Timestamp | None:
    """Return a date as protobuf has it; 0 is none."""
    if not time_ms:
        return None
    seconds, ms = divmod(time_ms, 1_000)
    return Timestamp(seconds=seconds, nanos=ms * NANOS_PER_MS)


def read_consensus_key(packed: AnyMessage) -> ConsensusKey:
    """Return the ed25519 key in an Any."""
    if packed.type_url != CONSENSUS_KEY_URL:
        raise ValueError(f"type {packed.type_url!r} is not supported; use {CONSENSUS_KEY_URL}")
    try:
        key: bytes = parse_strictly(PubKey, packed.value).key
    except (DecodeError, Refused) as error:
        raise ValueError(str(error)) from None
    if len(key) != CONSENSUS_KEY_BYTES:
        raise ValueError(f"{len(key)} bytes, not {CONSENSUS_KEY_BYTES}")
    return ConsensusKey(key)


def write_consensus_key(key: ConsensusKey) -> AnyMessage:
    """Return an ed25519 key in an Any."""
    return AnyMessage(type_url=CONSENSUS_KEY_URL, value=PubKey(key=key).SerializeToString())


def read_duration(message: DurationMessage) -> Duration:
    """Return a duration in milliseconds, rounded down."""
    if not 0 <= message.seconds <= SECONDS_MAX or not 0 <= message.nanos < NANOS:
        raise ValueError(f"{message.seconds} s and {message.nanos} ns are no positive duration")
    return Duration(message.seconds * 1_000 + message.nanos // NANOS_PER_MS)


def write_duration(duration_ms: Duration) -> DurationMessage:
    """Return a duration as protobuf has it."""
    seconds, ms = divmod(duration_ms, 1_000)
    return DurationMessage(seconds=seconds, nanos=ms * NANOS_PER_MS)


def any_reader(union: UnionType) -> Convert:
    """Return what reads one of several records out of an Any, of the type that this names."""
    urls = {member_url(kind): kind for kind in get_args(union)}
    kinds = {url: (kind, find_protobuf(url[1:])) for url, kind in urls.items()}
    reads = {url: reader_of(kind, found.DESCRIPTOR) for url, (kind, found) in kinds.items()}

    def read(packed: AnyMessage) -> Any:
        if packed.type_url not in kinds:
            raise ValueError(f"type URL {packed.type_url!r} is none of {', '.join(kinds)}")
        try:
            message = parse_strictly(kinds[packed.type_url][1], packed.value)
        except (DecodeError, Refused) as error:
            raise ValueError(str(error)) from None
        return reads[packed.type_url](message)

    return read


def any_writer(union: UnionType) -> Convert:
    """Return what puts one of several records into an Any, with the type that it is of."""
    writes = {
        kind: writer_of(kind, find_protobuf(member_url(kind)[1:]).DESCRIPTOR)
        for kind in get_args(union)
    }

    def write(record: Any) -> AnyMessage:
        value = writes[type(record)](record).SerializeToString()
        return AnyMessage(type_url=member_url(type(record)), value=value)

    return write


def member_url(kind: Any) -> str:
    """Return what one of several records is called: as it says, or as its module's params."""
    return getattr(kind, "TYPE_URL", "") or PARAMS_URLS[kind]


def read_packed(packed: AnyMessage) -> Packed:
    """Return the message in an Any, which may hold no further ones."""
    kind = KINDS_BY_URL.get(packed.type_url)
    if kind is None or kind.record not in RULES:
        raise ValueError(f"type URL {packed.type_url!r} is no message of this chain")
    if kind.record in HOLDERS:
        raise ValueError(f"{packed.type_url}: can't stand within another message; send it itself")
    try:
        message = parse_strictly(kind.protobuf, packed.value)
    except (DecodeError, Refused) as error:
        raise ValueError(str(error)) from None
    return Packed(packed.type_url, encode(from_protobuf(kind.record, message)))


def write_packed(packed: Packed) -> AnyMessage:
    """Return a message within another as protobuf has it."""
    return AnyMessage(type_url=packed.type_url, value=serialize(open_packed(packed)))


def open_packed(packed: Packed) -> Any:
    """Return the record of a message within another."""
    return decode(KINDS_BY_URL[packed.type_url].record, packed.data)


def put_packed(record: Any) -> Packed:
    """Return a message so that it may stand within another."""
    return Packed(type_url_of(type(record)), encode(record))


def read_messages(plain: Sequence[Mapping[str, Any]]) -> tuple[Packed, ...]:
    """Return messages of governance that are written as protobuf's JSON, each with its `@type`.

    `BadField` names what is wrong. Whose authority they need is filled in.
    """
    found = []
    for place, each in enumerate(plain):
        url, rest = str(each.get("@type", "")), {k: v for k, v in each.items() if k != "@type"}
        kind = KINDS_BY_URL.get(url)
        try:
            if kind is None:
                raise BadField(f"@type {url!r} is no message of this chain")
            if "authority" in kind.protobuf.DESCRIPTOR.fields_by_name:
                rest.setdefault("authority", to_bech32(GOVERNANCE))
            packed = AnyMessage(type_url=url, value=write_plain(kind, rest))
            found.append(read_packed(packed))
        except (ValueError, ParseError) as error:
            raise BadField(f"messages[{place}]: {error}") from None
    return tuple(found)


def write_plain(kind: Kind, plain: Mapping[str, Any]) -> bytes:
    """Return the protobuf bytes of what is written as protobuf's JSON."""
    shown = fill_places(kind.protobuf.DESCRIPTOR, plain)
    return bytes(ParseDict(shown, kind.protobuf()).SerializeToString())


def fill_places(descriptor: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values with Cosmos' decimals as the wire has them: 18 places and no point."""
    filled = dict(plain)
    for name, value in plain.items():
        field = descriptor.fields_by_name.get(name)
        if field is None:
            continue
        if field.message_type is not None and isinstance(value, Mapping):
            filled[name] = fill_places(field.message_type, value)
        elif field.GetOptions().Extensions[customtype].endswith("Dec") and "." in str(value):
            whole, _, places = str(value).partition(".")
            if not (whole + places).isdecimal() or len(places) > DECIMAL_PLACES:
                raise BadField(f"{name}: {value!r} is no decimal number; write 0.5")
            digits = str(int(whole + places.ljust(DECIMAL_PLACES, "0")))
            is_bytes = field.type == FieldDescriptor.TYPE_BYTES
            filled[name] = b64encode(digits.encode()).decode() if is_bytes else digits
    return filled


def read_nothing(packed: AnyMessage) -> bytes:
    """Return that a field is left out; ValueError if it is not."""
    if packed.type_url or packed.value:
        raise ValueError("this chain has no use for it; leave it out")
    return b""


def find_protobuf(name: str) -> Any:
    """Return the message class of a full name."""
    load_protobuf(name.rpartition(".")[0])
    return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def name_kinds() -> Iterator[tuple[type[Any], str]]:
    """Walk the modules' messages, questions and events with their protobuf names."""
    for module in MODULES:
        for message_class, message in module.messages.items():
            name = module.type_url(message_class)[1:]
            yield message_class, name
            if message.response:
                yield message.response, f"{name}Response"
        for request, query in module.queries.items():
            yield request, f"{module.package}.Query{request.__name__}"
            yield query.response, f"{module.package}.Query{query.response.__name__}"
        for event in module.events:
            if not hasattr(event, "EVENT_TYPE"):
                yield event, getattr(event, "NAME", f"{module.package}.Event{event.__name__}")


def load_protobuf(package: str) -> None:
    """Import a package's generated files, so that its messages are known."""
    start = next(each for each in PROTOBUF_ROOTS if f"{package}.".startswith(each))
    folder = f"{package}.".replace(start, PROTOBUF_ROOTS[start], 1)
    for file in PROTOBUF_FILES:
        name = f"{folder}{file}_pb2"
        if find_spec(name):
            importlib.import_module(name)


def find_kinds() -> Iterator[Kind]:
    """Walk every record class that crosses the border."""
    for record_class, name in name_kinds():
        yield Kind(record_class, find_protobuf(name), name)


READERS: dict[Any, Convert] = {
    Address: read_address,
    U128: read_decimal,
    Dec: read_decimal,
    Time: read_time,
    Duration: read_duration,
    Packed: read_packed,
    Nothing: read_nothing,
    Operator: read_operator,
    ConsensusKey: read_consensus_key,
}
WRITERS: dict[Any, Convert] = {
    Address: to_bech32,
    U128: str,
    Dec: str,
    Time: write_time,
    Duration: write_duration,
    Packed: write_packed,
    Nothing: lambda nothing: None,
    Operator: write_operator,
    ConsensusKey: write_consensus_key,
}
PARAMS_URLS = {
    module.params.record: f"/{module.package}.Params" for module in MODULES if module.params
}
KINDS = {kind.record: kind for kind in find_kinds()}
KINDS_BY_URL = {f"/{kind.name}": kind for kind in KINDS.values()}
HOLDERS = tuple([kind for kind in RULES if tuple[Packed, ...] in get_type_hints(kind).values()])
"""The messages that others stand in."""
