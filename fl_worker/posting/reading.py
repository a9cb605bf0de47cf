"""What people type: amounts, numbers, names, addresses; ValueError says what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from typing import Any

from app.sdk.protocol import FRACTION_BITS, Address
from app.sdk.text import from_bech32
from fl_worker.flower.fab import parse_config

UFLT_PER_FLT = 1_000_000
DECIMALS = 6
DEC_DECIMALS = 18
AMOUNT = re.compile(r"(\d+)(?:\.(\d{1,6}))?flt|(\d+)uflt", re.IGNORECASE | re.ASCII)
SIZE = re.compile(r"(\d+)(kb|mb|gb|)", re.IGNORECASE | re.ASCII)
SIZES = {"": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}


def read_amount(text: str) -> int:
    """Return in uflt what `5flt`, `1.5flt` or `2500000uflt` says."""
    found = AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no amount; write 5flt, 1.5flt or 2500000uflt")
    whole, part, base = found.groups()
    if base is not None:
        return int(base)
    return int(whole) * UFLT_PER_FLT + int((part or "").ljust(DECIMALS, "0"))


def show_amount(uflt: int) -> str:
    """Write uflt as it is typed, in flt and exactly."""
    sign, (whole, part) = "-" * (uflt < 0), divmod(abs(uflt), UFLT_PER_FLT)
    decimals = f".{part:0{DECIMALS}d}".rstrip("0") if part else ""
    return f"{sign}{whole:,}{decimals}flt".replace(",", "")


def read_count(text: str) -> int:
    """Return a whole number, not negative."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r} is no whole number; write digits, such as 10")
    return int(text)


def read_fixed(text: str) -> int:
    """Return a decimal number in fixed point, in steps of 2^-20."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; write one such as 2.5") from None
    if not 0 <= value < 1 << 40:
        raise ValueError(f"{text!r} must be from 0 to {1 << 40}")
    return round(value * (1 << FRACTION_BITS))


def read_millionths(text: str) -> int:
    """Return a decimal number in millionths."""
    try:
        return int(Decimal(text).scaleb(DECIMALS).to_integral_value())
    except (ArithmeticError, ValueError):
        raise ValueError(f"{text!r} is no number; write one such as 0.85") from None


def read_dec(text: str) -> int:
    """Return a decimal number from 0 to 1 in steps of 10^-18."""
    try:
        value = Decimal(text).scaleb(DEC_DECIMALS)
    except ArithmeticError:
        raise ValueError(f"{text!r} is no number; write one such as 0.1") from None
    if not (0 <= value <= 10**DEC_DECIMALS and value == value.to_integral_value()):
        raise ValueError(f"{text!r} must be from 0 to 1, with up to {DEC_DECIMALS} decimals")
    return int(value)


def read_yes(text: str) -> bool:
    """Return whether a text says yes."""
    if text.lower() not in ("yes", "no", "true", "false"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in ("yes", "true")


def read_config(text: str) -> str:
    """Return a Flower config as a JSON object with sorted keys and no spaces; nothing for none."""
    config = parse_config(text) if text else {}
    return json.dumps(config, sort_keys=True, separators=(",", ":")) if config else ""


def read_size(text: str) -> int:
    """Return in bytes what `500MB` or `4GB` says."""
    found = SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no size; write 500MB or 4GB")
    return int(found[1]) * SIZES[found[2].lower()]


def read_address(text: str) -> Address:
    """Return the account that a pollen1… address names."""
    try:
        return from_bech32(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no pollen1… address: {error}") from None


def read_hash(text: str) -> bytes:
    """Return the 32 bytes that 64 hexadecimal digits show."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != 32:
        raise ValueError(f"{text!r} is no SHA-256; write its 64 hexadecimal digits")
    return data


def read_text(text: str) -> str:
    """Return the text."""
    return text


def reader_of(kind: type[IntEnum]) -> Callable[[str], Any]:
    """Return what reads the names of an enum, in either case; `UNSPECIFIED` is none of them."""
    names = [member.name.lower() for member in kind if member.value]

    def read(text: str) -> IntEnum:
        if text.lower() not in names:
            raise ValueError(f"{text!r} is none of {', '.join(names)}")
        return kind[text.upper()]

    return read


def each(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what reads a list that commas separate."""
    return lambda text: tuple(read(part.strip()) for part in text.split(",") if part.strip())
