"""Records as plain values, the form of a genesis file: numbers, text, lists and objects.

Addresses are Bech32, bytes are hexadecimal, enums are their names, integers of 64 bits and more are
decimal text (JSON readers lose precision above 2^53). Where one of several records may stand, the
object says by `@type` which it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from app.kernel.bech32 import OPERATOR_PREFIX, PREFIX, from_bech32, to_bech32
from app.kernel.record import (
    I64,
    NO_ADDRESS,
    U32,
    U64,
    U128,
    Address,
    ConsensusKey,
    Dec,
    Duration,
    Nothing,
    Operator,
    Time,
)

RANGES = {
    U32: range(1 << 32),
    U64: range(1 << 64),
    U128: range(1 << 128),
    I64: range(-1 << 63, 1 << 63),
    Time: range(1 << 64),
    Duration: range(1 << 64),
    Dec: range(1 << 256),
}
PREFIXES = {Address: PREFIX, Operator: OPERATOR_PREFIX}
TYPE = "@type"


def to_plain(kind: Any, value: Any) -> Any:
    """Return a value of a record's type as plain values."""
    if kind is not U32 and kind in RANGES:
        return str(value)
    if kind in PREFIXES:
        return to_bech32(value, PREFIXES[kind])
    if kind in (bytes, ConsensusKey, Nothing):
        return value.hex()
    if get_origin(kind) is tuple:
        return [to_plain(get_args(kind)[0], each) for each in value]
    if isinstance(kind, UnionType):
        return {TYPE: type(value).__name__, **to_plain(type(value), value)}
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return value.name
    if isinstance(kind, type) and is_dataclass(kind):
        return {name: to_plain(part, getattr(value, name)) for name, part in kinds_of(kind).items()}
    return value


def from_plain(kind: Any, value: Any, where: str) -> Any:
    """Return the value that plain values show; ValueError names the place that is wrong."""
    if kind in RANGES:
        return integer(value, where, RANGES[kind])
    if kind is bool or kind is str:
        return checked(value, kind, where)
    if kind in PREFIXES:
        return address(checked(value, str, where), PREFIXES[kind], where)
    if kind in (bytes, ConsensusKey, Nothing):
        return hexadecimal(checked(value, str, where), where)
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        rows = checked(value, list, where)
        return tuple(from_plain(inner, each, f"{where}[{i}]") for i, each in enumerate(rows))
    if isinstance(kind, UnionType):
        return one_of(get_args(kind), value, where)
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return enumerated(kind, value, where)
    return record(kind, value, where)


def record(kind: Any, value: Any, where: str) -> Any:
    """Return the record that an object shows; every field must be there and no other."""
    rows = checked(value, Mapping, where)
    kinds = kinds_of(kind)
    unknown = sorted(key for key in rows if key not in kinds)
    missing = [name for name in kinds if name not in rows]
    if unknown or missing:
        raise ValueError(f"{where}: fields missing {missing}, unknown {unknown}")
    return kind(*[from_plain(kinds[name], rows[name], f"{where}.{name}") for name in kinds])


def one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return the record that an object shows, of the kind that it names."""
    rows = dict(checked(value, Mapping, where))
    known = {kind.__name__: kind for kind in kinds}
    kind = known.get(rows.pop(TYPE, None))
    if kind is None:
        raise ValueError(f"{where}.{TYPE}: {value.get(TYPE)!r} is none of {', '.join(known)}")
    return record(kind, rows, where)


@cache
def kinds_of(kind: Any) -> dict[str, Any]:
    """Return the types of a record's fields, in order."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def checked(value: Any, kind: Any, where: str) -> Any:
    """Return the value if it is of the kind."""
    if not isinstance(value, kind):
        raise ValueError(f"{where}: {value!r} is not a {kind.__name__}")
    return value


def integer(value: Any, where: str, limits: range) -> int:
    """Return a whole number within limits, given as a number or as decimal text."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{where}: {value!r} is not a whole number")
    if value not in limits:
        raise ValueError(f"{where}: {value} is not between {limits[0]} and {limits[-1]}")
    return value


def address(text: str, prefix: str, where: str) -> Address:
    """Return the address that text shows; no text is no address."""
    try:
        return from_bech32(text, prefix) if text else NO_ADDRESS
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def hexadecimal(text: str, where: str) -> bytes:
    """Return the bytes that hexadecimal text shows."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{where}: {text!r} is not hexadecimal") from None


def enumerated(kind: type[IntEnum], value: Any, where: str) -> IntEnum:
    """Return the member of an enum that a name shows."""
    try:
        return kind[checked(value, str, where)]
    except KeyError:
        known = ", ".join(member.name for member in kind)
        raise ValueError(f"{where}: {value!r} is none of {known}") from None
