"""`pollen query MODULE NAME [--field value…]`: any question that the chain's modules answer.

`pollen query store MODULE KEY` reads a row as it lies in a module's store, and checks its proof.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Annotated, Any, get_type_hints

import typer
from rich.json import JSON

from app.sdk import cosmos, protocol
from app.sdk.client import StoredRow
from app.sdk.cosmos import PageRequest
from app.sdk.protocol import Address
from fl_worker.cli.output import show, table, to_json
from fl_worker.cli.session import connected, find_address, run
from fl_worker.cli.settings import Misused, Settings, current

REQUEST = "Request"
STORE = "store"
STORE_FIELDS = ("--height", "--app-hash")
PROVE = "--prove"
FILES = (protocol, cosmos)
CONTEXT_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}


def query(
    context: typer.Context,
    module: Annotated[str, typer.Argument(help="Such as jobs. (default: list all)")] = "",
    name: Annotated[str, typer.Argument(help="Such as job.")] = "",
) -> None:
    """Ask the chain anything: `pollen query jobs job --job-id 3`. Alone it lists the questions.

    `pollen query store MODULE KEY`, with the key in hexadecimal, checks the proof of what is there;
    against a header that you trust with --height and the --app-hash of the header after it.
    """
    settings = current()
    if module == STORE:
        query_store(settings, name, context.args)
        return
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


def query_store(settings: Settings, module: str, words: Sequence[str]) -> None:
    """Show what a module's store holds under a key, once its proof is checked."""
    given = dict.fromkeys(STORE_FIELDS, "")
    left = [word for word in words if word != PROVE]  # There is no answer without a proof.
    key = left.pop(0) if left and not left[0].startswith("--") else ""
    parts = [part for word in left for part in word.split("=", 1)]
    for flag, text in zip(parts[::2], [*parts[1::2], None], strict=False):
        if flag not in given or text is None:
            raise Misused(f"{flag}: give a module, a key, and then {' '.join(STORE_FIELDS)}")
        given[flag] = text
    height, app_hash = given.values()
    if not module or not key:
        raise Misused("give a module and a key in hexadecimal: pollen query store bank 5f")
    if bool(height) != bool(app_hash):
        raise Misused("--height and --app-hash: give both, or none for the node's last block")
    if height and not height.isdecimal():
        raise Misused(f"--height {height}: write a whole number")

    async def read() -> StoredRow:
        async with connected(settings) as client:
            return await client.read_store(
                module,
                read_hex("the key", key),
                height=int(height or 0),
                app_hash=read_hex("--app-hash", app_hash),
            )

    row = run(read())
    value = None if row.value is None else row.value.hex()
    facts = {"value": value, "height": row.height, "app_hash": row.app_hash.hex()}
    show(settings, facts, JSON(json.dumps(facts)))


def read_hex(name: str, text: str) -> bytes:
    """Return the bytes that are typed."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Misused(f"{name} {text}: write hexadecimal") from None


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
