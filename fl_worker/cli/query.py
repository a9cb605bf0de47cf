"""`pollen query MODULE NAME [--field value…]`: any question that the chain's modules answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Annotated, Any, get_type_hints

import typer
from rich.json import JSON

from app.sdk import cosmos, protocol
from app.sdk.cosmos import PageRequest
from app.sdk.protocol import Address
from fl_worker.cli.output import show, table, to_json
from fl_worker.cli.session import connected, find_address, run
from fl_worker.cli.settings import Misused, Settings, current

REQUEST = "Request"
FILES = (protocol, cosmos)
CONTEXT_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}


def query(
    context: typer.Context,
    module: Annotated[str, typer.Argument(help="Such as jobs. (default: list all)")] = "",
    name: Annotated[str, typer.Argument(help="Such as job.")] = "",
) -> None:
    """Ask the chain anything: `pollen query jobs job --job-id 3`. Alone it lists the questions."""
    settings = current()
    known = find_requests()
    if not module:
        rows = [[*place, " ".join(flags_of(kind))] for place, kind in sorted(known.items())]
        value = [{"module": row[0], "name": row[1], "fields": row[2].split()} for row in rows]
        show(settings, value, table("", ["module", "name", "fields"], rows))
        return
    kind = known.get((module, name))
    if kind is None:
        places = ", ".join(f"{place[0]} {place[1]}" for place in sorted(known))
        raise Misused(f"no question {module} {name}; there are: {places}")
    request = read_request(settings, kind, context.args)

    async def ask() -> Any:
        async with connected(settings) as client:
            return await client.query(request)

    value = to_json(run(ask()))
    show(settings, value, JSON(json.dumps(value)))


def find_requests() -> dict[tuple[str, str], Any]:
    """Return every question by its module and name."""
    found = {}
    for each, kind in [(name, getattr(file, name)) for file in FILES for name in file.__all__]:
        if each.endswith(REQUEST) and isinstance(kind, type) and kind is not PageRequest:
            module = kind.__module__.split(".")[2]
            found[module, spell(kind.__name__.removesuffix(REQUEST))] = kind
    return found


def spell(name: str) -> str:
    """Return `JobState` as `job-state`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def flags_of(kind: Any) -> dict[str, Any]:
    """Return a question's fields as they are typed, with their types; a page's are among them."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        found |= flags_of(hint) if hint is PageRequest else {f"--{name.replace('_', '-')}": hint}
    return found


def read_request(settings: Settings, kind: Any, words: Sequence[str]) -> Any:
    """Return the question that options make; what isn't given is zero or empty."""
    known = flags_of(kind)
    given = dict.fromkeys(known, "")
    parts = [part for word in words for part in word.split("=", 1)]
    for flag, text in zip(parts[::2], [*parts[1::2], None], strict=False):
        if flag not in known or text is None:
            raise Misused(f"{flag}: give fields and their values, of {' '.join(known) or 'none'}")
        given[flag] = text
    values = {flag: read_field(settings, known[flag], flag, given[flag]) for flag in known}
    return fill(kind, values)


def fill(kind: Any, values: Mapping[str, Any]) -> Any:
    """Return a record of fields as they were typed."""
    return kind(
        *[
            fill(hint, values) if hint is PageRequest else values[f"--{name.replace('_', '-')}"]
            for name, hint in get_type_hints(kind).items()
        ]
    )


def read_field(settings: Settings, hint: Any, name: str, text: str) -> Any:
    """Return a field's value."""
    if hint is Address:
        return find_address(settings, text) if text else Address(b"")
    if hint is str:
        return text
    if hint is bytes:
        return bytes.fromhex(text)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        names = [member.name for member in hint]
        if text and text.upper() not in names:
            raise Misused(f"{name} {text}: none of {', '.join(names)}")
        return hint[text.upper()] if text else hint(0)
    if text and not text.isdecimal():
        raise Misused(f"{name} {text}: write a whole number")
    return bool(int(text or 0)) if hint is bool else int(text or 0)
