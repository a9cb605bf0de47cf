"""What commands show: JSON for programs, tables for people, and one sentence for a failure."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import IntEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table

from app.sdk.protocol import Address
from app.sdk.text import to_bech32
from fl_worker.cli.settings import Settings
from fl_worker.posting.reading import show_amount

WIDTH_UNKNOWN = 160
OURS = ("app.", "fl_worker.")
PRIVATE_ADDRESS = "allow_private"
PRIVATE_HINT = "give --allow-private to connect to private addresses, as on a local network"


def show(settings: Settings, value: Any, *shown: RenderableType) -> None:
    """Print a value as JSON, or else what shows it to people."""
    if settings.is_json:
        print(json.dumps(value, indent=2), flush=True)
    else:
        console().print(Group(*shown))


def console() -> Console:
    """Return stdout for people; a file or a pipe is wide enough for any table."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=WIDTH_UNKNOWN)


def show_error(error: BaseException, *, is_json: bool) -> None:
    """Print what went wrong on stderr."""
    text = error_text(error)
    print(json.dumps({"error": text}) if is_json else f"Error: {text}", file=sys.stderr, flush=True)


def error_text(error: BaseException) -> str:
    """Return an error in words; a kind that isn't ours says its name too."""
    text = str(error) or type(error).__name__
    if not type(error).__module__.startswith(OURS) and not isinstance(error, ValueError | OSError):
        text = f"{type(error).__name__}: {text}"
    return f"{text}; {PRIVATE_HINT}" if PRIVATE_ADDRESS in text else text


@contextmanager
def waiting(settings: Settings, words: str) -> Iterator[None]:
    """Show on a terminal what is waited for."""
    console = Console(stderr=True)
    if settings.is_json or not console.is_terminal:
        yield
        return
    with console.status(words):
        yield


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return rows under their columns; numbers stand on the right."""
    shown = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for at, column in enumerate(columns):
        is_number = bool(rows) and all(is_numeric(row[at]) for row in rows)
        shown.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*[str(value) for value in row])
    return shown


def facts(title: str, pairs: Mapping[str, Any]) -> Table:
    """Return names and their values, one pair a line."""
    shown = Table(title=title or None, title_justify="left", box=None, show_header=False)
    for name, value in pairs.items():
        shown.add_row(f"  {name}", str(value))
    return shown


def is_numeric(value: Any) -> bool:
    """Whether a value is read as a number."""
    text = str(value).removesuffix("flt").replace(",", "")
    return isinstance(value, int | float) or text.replace(".", "", 1).isdecimal()


def money(uflt: int) -> str:
    """Write an amount."""
    return show_amount(uflt)


def date(unix_s: float) -> str:
    """Return a second as people here read it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_s))


def to_json(value: Any, kind: Any = None) -> Any:
    """Return a record as plain values: addresses in Bech32, bytes in hexadecimal, enums by name.

    One of several records says which it is.
    """
    if kind is Address:
        return to_bech32(value) if value else ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, tuple | list):
        inner = get_args(kind)[0] if get_origin(kind) is tuple else None
        return [to_json(each, inner) for each in value]
    if is_dataclass(value):
        hints = get_type_hints(type(value))
        shown = {"@type": type(value).__name__} if isinstance(kind, UnionType) else {}
        shown |= {f.name: to_json(getattr(value, f.name), hints[f.name]) for f in fields(value)}
        return shown
    return value
