"""Write app/REFERENCE.md from the modules themselves; `--check` only compares."""

import argparse
import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from enum import IntEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

sys.path.insert(0, str(Path(__file__).parent.parent))

from app.chain import MODULES
from app.kernel.errors import Rejected
from app.kernel.module import Module
from app.kernel.table import Index, Singleton

TARGET = Path(__file__).resolve().parents[1] / "app" / "REFERENCE.md"
HEAD = """# Reference

What the chain's modules keep, accept, answer and say, from the bottom of the stack to the top.
Made by `scripts/gen_docs.py` from the code; change it there.

Integers: `U32`, `U64`, `U128` (decimal text in protobuf), `I64`. An `Address` is Bech32 text in
protobuf. Money is in uflt (10^-6 FLT), shares in parts per million, times in the unit they name. A
`Time` is a date in milliseconds since 1970 (0 is none), a `Duration` milliseconds; in protobuf they
are a Timestamp and a Duration, and one of several records is an Any.
"""
FILE_LINE = re.compile(r"^(\w+)  +", re.MULTILINE)


def sentence(thing: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    text = inspect.getdoc(thing) or ""
    return " ".join(text.split("\n\n")[0].split())


def type_name(hint: Any) -> str:
    """How a field's type is shown."""
    if get_origin(hint) is tuple:
        return f"list of {type_name(get_args(hint)[0])}"
    if isinstance(hint, UnionType):
        return " or ".join(map(type_name, get_args(hint)))
    return str(hint.__name__)


def field_words(record: type[Any]) -> dict[str, str]:
    """The string under each field of a record that has one."""
    body = ast.parse(textwrap.dedent(inspect.getsource(record))).body[0]
    assert isinstance(body, ast.ClassDef)
    words = {}
    for field, after in zip(body.body, body.body[1:]):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(str(text))):
                words[name] = " ".join(text.split())
    return words


def field_list(record: type[Any] | None) -> str:
    """The fields of a record with their types, on one line."""
    if record is None:
        return ""
    hints = get_type_hints(record)
    return ", ".join(f"`{field.name}` {type_name(hints[field.name])}" for field in fields(record))


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table; nothing if it has no rows."""
    if rows:
        yield ""
        for row in (head, ("---",) * len(head), *rows):
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def state(module: Module) -> Iterator[str]:
    """The tables of a module, their keys and records."""
    tables = (*module.tables, *((module.params,) if module.params else ()))
    rows = []
    for each in tables:
        parts = () if isinstance(each, Singleton) else each.key.parts
        key = ", ".join(type_name(part) for part in parts)
        record = "" if isinstance(each, Index) else each.record.__name__
        rows.append((f"`{each.name}`", key, record))
    yield from table(("state", "key", "record"), rows)


def params(module: Module) -> Iterator[str]:
    """The params of a module with their defaults."""
    if module.params is None:
        return
    record = module.params.record
    words, hints = field_words(record), get_type_hints(record)
    rows = [
        (f"`{f.name}`", type_name(hints[f.name]), default_text(f.default), words.get(f.name, ""))
        for f in fields(record)
    ]
    yield from table(("param", "type", "default", ""), rows)


def default_text(value: Any) -> str:
    """A default as a reader writes it."""
    if value is MISSING:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def messages(module: Module) -> Iterator[str]:
    """The messages of a module."""
    rows = []
    for kind, message in module.messages.items():
        url = module.type_url(kind)
        words = f"{sentence(kind)} Answers {field_list(message.response) or 'nothing'}."
        rows.append((f"`{url}`", field_list(kind), words, f"{message.gas:,}"))
    yield from table(("message", "fields", "", "gas"), rows)


def queries(module: Module) -> Iterator[str]:
    """The queries of a module."""
    rows = [
        (
            f"`{request.__name__.removesuffix('Request')}`",
            field_list(request),
            field_list(query.response),
            sentence(query.function),
        )
        for request, query in module.queries.items()
    ]
    yield from table(("query", "asked with", "answers", ""), rows)


def events(module: Module) -> Iterator[str]:
    """The events of a module."""
    rows = [
        (f"`{getattr(kind, 'EVENT_TYPE', kind.__name__)}`", field_list(kind), sentence(kind))
        for kind in module.events
    ]
    yield from table(("event", "fields", ""), rows)


def codes(module: Module) -> Iterator[str]:
    """The rejections of a module."""
    home = f"app.modules.{module.name}"
    kinds = [k for k in Rejected.__subclasses__() if f"{k.__module__}.".startswith(f"{home}.")]
    rows = [
        (str(kind.code), kind.__name__, sentence(kind), f"`{kind.text}`")
        for kind in sorted(kinds, key=lambda kind: kind.code)
    ]
    yield from table(("code", "rejection", "", "text"), rows)


def lifecycle(module: Module) -> Iterator[str]:
    """The diagram of a module's phases."""
    home = importlib.import_module(f"app.modules.{module.name}")
    phases: dict[IntEnum, tuple[IntEnum, ...]] = getattr(home, "NEXT_PHASES", {})
    if not phases:
        return
    yield from ("", "```mermaid", "stateDiagram-v2", f"    [*] --> {next(iter(phases)).name}")
    for phase, following in phases.items():
        yield from (f"    {phase.name} --> {after.name}" for after in following)
    ends = {after for following in phases.values() for after in following if not phases.get(after)}
    yield from (f"    {phase.name} --> [*]" for phase in sorted(ends))
    yield "```"


def invariants(module: Module) -> Iterator[str]:
    """The invariants of a module, as sentences."""
    if module.invariants:
        yield from ("", "Always:", "")
        yield from (f"- {sentence(invariant)}" for invariant in module.invariants)


def chapter(module: Module) -> Iterator[str]:
    """All about one module."""
    home = importlib.import_module(f"app.modules.{module.name}")
    yield from ("", f"## {module.name}", "", FILE_LINE.sub(r"- `\1`: ", inspect.getdoc(home) or ""))
    for part in (state, lifecycle, params, messages, queries, events, codes, invariants):
        yield from part(module)


def main() -> None:
    """Generate, then write or, with `--check`, exit 1 if the file differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    text = HEAD + "\n".join(line for module in MODULES for line in chapter(module)) + "\n"
    if not parser.parse_args().check:
        TARGET.write_text(text)
    elif not TARGET.exists() or TARGET.read_text() != text:
        sys.exit(f"app/{TARGET.name} differs from the modules; run scripts/gen_docs.py")


if __name__ == "__main__":
    main()
