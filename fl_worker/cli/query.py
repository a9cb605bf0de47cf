"""`pollen query MODULE NAME [--field value…]`: any question that the chain's modules answer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from enum import IntEnum
from typing import Annotated, Any, get_type_hints

import typer
from rich.json import JSON

from app.sdk import protocol
from app.sdk.protocol import Address
from fl_worker.cli.output import show, table, to_json
from fl_worker.cli.session import connected, find_address, run
from fl_worker.cli.settings import Misused, Settings, current

REQUEST = "Request"
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
        rows = [[*place, " ".join(field_names(kind))] for place, kind in sorted(known.items())]
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
    for each in protocol.__all__:
        kind = getattr(protocol, each)
        if each.endswith(REQUEST) and isinstance(kind, type):
            module = kind.__module__.split(".")[2]
            found[module, spell(kind.__name__.removesuffix(REQUEST))] = kind
    return found


def spell(name: str) -> str:
    """Return `JobState` as `job-state`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def field_names(kind: Any) -> list[str]:
    """Return a question's fields as they are typed."""
    return [f"--{each.name.replace('_', '-')}" for each in fields(kind)]


def read_request(settings: Settings, kind: Any, words: Sequence[str]) -> Any:
    """Return the question that options make; what isn't given is zero or empty."""
    hints = get_type_hints(kind)
    known = dict(zip(field_names(kind), hints, strict=True))
    given = dict.fromkeys(known.values(), "")
    parts = [part for word in words for part in word.split("=", 1)]
    for flag, text in zip(parts[::2], [*parts[1::2], None], strict=False):
        if flag not in known or text is None:
            raise Misused(f"{flag}: give fields and their values, of {' '.join(known) or 'none'}")
        given[known[flag]] = text
    values = {name: read_field(settings, hints[name], name, text) for name, text in given.items()}
    return kind(**values)


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
            raise Misused(f"--{name} {text}: none of {', '.join(names)}")
        return hint[text.upper()] if text else hint(0)
    if text and not text.isdecimal():
        raise Misused(f"--{name} {text}: write a whole number")
    return hint(text or 0) if isinstance(hint, type) else int(text or 0)
