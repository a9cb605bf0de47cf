"""Canonical bytes: a record, that is a frozen dataclass, has exactly one encoding.

Fields follow one another in declared order without tags. An unsigned integer is a minimal varint
(LEB128), a signed one is zig-zag first, a bool or an enum a varint, bytes and text carry their
length, a tuple its count; a nested record is written in place. Where one of several records may
stand, its place among them comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, NewType, TypeVar, get_args, get_origin, get_type_hints

Address = NewType("Address", bytes)
U32 = NewType("U32", int)
U64 = NewType("U64", int)
U128 = NewType("U128", int)
I64 = NewType("I64", int)
Time = NewType("Time", int)
"""A date: milliseconds since 1970; 0 is none."""
Duration = NewType("Duration", int)
"""Milliseconds."""
Nothing = NewType("Nothing", bytes)
"""A field that other chains of Cosmos have and this one doesn't: empty bytes."""
Dec = NewType("Dec", int)
"""A number with 18 decimals, times 10^18, as Cosmos has them."""
Operator = NewType("Operator", bytes)
"""The address of the account that operates a validator, shown with a prefix of its own."""
ConsensusKey = NewType("ConsensusKey", bytes)
"""The ed25519 key with which a validator signs votes."""

ADDRESS_BYTES = 20
ADDRESS_LENGTHS = (0, ADDRESS_BYTES)
NO_ADDRESS = Address(b"")
UNSIGNED_BITS = {U32: 32, U64: 64, U128: 128, Time: 64, Duration: 64, Dec: 256}

T = TypeVar("T")
Write = Callable[[bytearray, Any], None]
Read = Callable[[bytes, int], tuple[Any, int]]


class Malformed(Exception):
    """Bytes that are not the one encoding of a record, or a value that has none."""


class Codec(NamedTuple):
    """How one type is written and read."""

    write: Write
    read: Read


def encode(record: Any) -> bytes:
    """Return the canonical bytes of a record."""
    kind: Any = type(record)
    out = bytearray()
    codec_of(kind).write(out, record)
    return bytes(out)


def decode(cls: type[T], data: bytes) -> T:
    """Return the record that the bytes encode; anything else is `Malformed`."""
    kind: Any = cls
    value, end = codec_of(kind).read(data, 0)
    if end != len(data):
        raise Malformed(f"{cls.__name__}: {len(data) - end} bytes too many")
    return value  # type: ignore[no-any-return]


def write_varint(out: bytearray, value: int) -> None:
    """Append an unsigned integer as a minimal LEB128 varint."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def read_varint(data: bytes, at: int, bits: int = 64) -> tuple[int, int]:
    """Read a minimal LEB128 varint of at most so many bits, 7 or more."""
    if at < len(data) and data[at] < 0x80:
        return data[at], at + 1
    value = shift = 0
    while True:
        if at >= len(data) or shift >= bits:
            raise Malformed("a varint is cut off or too long")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if value >> bits or (byte == 0 and shift):
        raise Malformed("a varint is out of range or not minimal")
    return value, at


@cache
def codec_of(kind: Any) -> Codec:
    """Return how values of a type are written and read."""
    if kind in UNSIGNED_BITS:
        return unsigned_codec(UNSIGNED_BITS[kind])
    if kind is I64:
        return SIGNED
    if kind is bool:
        return BOOL
    if kind in (Address, Operator):
        return ADDRESS
    if kind in (bytes, ConsensusKey, Nothing):
        return BYTES
    if kind is str:
        return TEXT
    if get_origin(kind) is tuple:
        return tuple_codec(get_args(kind)[0])
    if isinstance(kind, UnionType):
        return union_codec(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return enum_codec(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return record_codec(kind)
    raise Malformed(f"{kind!r} has no canonical encoding")


def unsigned_codec(bits: int) -> Codec:
    """Return the codec of unsigned integers of so many bits."""

    def write(out: bytearray, value: int) -> None:
        if value.__class__ is not int or value < 0 or value >> bits:
            raise Malformed(f"{value!r} is not an unsigned integer of {bits} bits")
        if value < 0x80:
            out.append(value)
        else:
            write_varint(out, value)

    def read(data: bytes, at: int) -> tuple[int, int]:
        return read_varint(data, at, bits)

    return Codec(write, read)


def write_signed(out: bytearray, value: int) -> None:
    """Append a signed 64-bit integer, zig-zag."""
    if value.__class__ is not int or not -(1 << 63) <= value < 1 << 63:
        raise Malformed(f"{value!r} is not a signed integer of 64 bits")
    write_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def read_signed(data: bytes, at: int) -> tuple[int, int]:
    """Read a signed 64-bit integer, zig-zag."""
    value, at = read_varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def write_bool(out: bytearray, value: bool) -> None:
    """Append a truth value."""
    if value.__class__ is not bool:
        raise Malformed(f"{value!r} is not a truth value")
    out.append(1 if value else 0)


def read_bool(data: bytes, at: int) -> tuple[bool, int]:
    """Read a truth value."""
    value, at = read_varint(data, at)
    if value > 1:
        raise Malformed(f"{value} is not a truth value")
    return value == 1, at


def write_bytes(out: bytearray, value: bytes) -> None:
    """Append bytes behind their length."""
    if value.__class__ is not bytes:
        raise Malformed(f"{type(value).__name__} is not bytes")
    write_varint(out, len(value))
    out += value


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Read bytes behind their length."""
    length, at = read_varint(data, at, 32)
    end = at + length
    if end > len(data):
        raise Malformed("bytes are cut off")
    return data[at:end], end


def write_address(out: bytearray, value: bytes) -> None:
    """Append an address: 20 bytes, or none."""
    if value.__class__ is not bytes or len(value) not in ADDRESS_LENGTHS:
        raise Malformed(f"{value!r} is not an address of {ADDRESS_BYTES} bytes")
    out.append(len(value))
    out += value


def read_address(data: bytes, at: int) -> tuple[bytes, int]:
    """Read an address: 20 bytes, or none."""
    value, at = read_bytes(data, at)
    if len(value) not in ADDRESS_LENGTHS:
        raise Malformed(f"an address has {len(value)} bytes")
    return value, at


def write_text(out: bytearray, value: str) -> None:
    """Append text as UTF-8 behind its length in bytes."""
    if value.__class__ is not str:
        raise Malformed(f"{type(value).__name__} is not text")
    try:
        write_bytes(out, value.encode("utf-8"))
    except UnicodeEncodeError:
        raise Malformed("text is not Unicode") from None


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """Read UTF-8 text behind its length in bytes."""
    value, at = read_bytes(data, at)
    try:
        return value.decode("utf-8"), at
    except UnicodeDecodeError:
        raise Malformed("text is not UTF-8") from None


def tuple_codec(kind: Any) -> Codec:
    """Return the codec of a tuple of one type."""
    inner = codec_of(kind)

    def write(out: bytearray, value: tuple[Any, ...]) -> None:
        if value.__class__ is not tuple:
            raise Malformed(f"{type(value).__name__} is not a tuple")
        write_varint(out, len(value))
        for each in value:
            inner.write(out, each)

    def read(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        count, at = read_varint(data, at, 32)
        if count > len(data) - at:
            raise Malformed("a tuple is cut off")
        values = []
        for _ in range(count):
            value, at = inner.read(data, at)
            values.append(value)
        return tuple(values), at

    return Codec(write, read)


def enum_codec(kind: type[IntEnum]) -> Codec:
    """Return the codec of an enum."""

    def write(out: bytearray, value: IntEnum) -> None:
        if value.__class__ is not kind:
            raise Malformed(f"{value!r} is not a {kind.__name__}")
        write_varint(out, value.value)

    def read(data: bytes, at: int) -> tuple[IntEnum, int]:
        value, at = read_varint(data, at, 32)
        try:
            return kind(value), at
        except ValueError:
            raise Malformed(f"{value} is no {kind.__name__}") from None

    return Codec(write, read)


def union_codec(kinds: tuple[Any, ...]) -> Codec:
    """Return the codec of a value that is one of several records."""
    codecs = tuple([codec_of(kind) for kind in kinds])

    def write(out: bytearray, value: Any) -> None:
        if value.__class__ not in kinds:
            names = " or ".join([kind.__name__ for kind in kinds])
            raise Malformed(f"{type(value).__name__} is not a {names}")
        place = kinds.index(value.__class__)
        write_varint(out, place)
        codecs[place].write(out, value)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        place, at = read_varint(data, at, 32)
        if place >= len(codecs):
            raise Malformed(f"{place} is none of {len(codecs)} records")
        return codecs[place].read(data, at)

    return Codec(write, read)


def record_codec(kind: type[Any]) -> Codec:
    """Return the codec of a record: its fields in declared order."""
    hints = get_type_hints(kind)
    names = tuple(field.name for field in fields(kind))
    writers = tuple((name, codec_of(hints[name]).write) for name in names)
    readers = tuple(codec_of(hints[name]).read for name in names)

    def write(out: bytearray, record: Any) -> None:
        if record.__class__ is not kind:
            raise Malformed(f"{type(record).__name__} is not a {kind.__name__}")
        try:
            for name, write_field in writers:
                write_field(out, getattr(record, name))
        except Malformed as error:
            raise Malformed(f"{kind.__name__}.{name}: {error}") from None

    def read(data: bytes, at: int) -> tuple[Any, int]:
        values = []
        for read_field in readers:
            value, at = read_field(data, at)
            values.append(value)
        return kind(*values), at

    return Codec(write, read)


SIGNED = Codec(write_signed, read_signed)
BOOL = Codec(write_bool, read_bool)
BYTES = Codec(write_bytes, read_bytes)
ADDRESS = Codec(write_address, read_address)
TEXT = Codec(write_text, read_text)
