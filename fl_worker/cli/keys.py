"""`pollen keys`: the keys in the home, each sealed by a passphrase."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.sdk.keyring import Entry
from fl_worker.cli.output import facts, show, table
from fl_worker.cli.session import KEYS_FOLDER, open_ring
from fl_worker.cli.settings import Misused, current, make_noun

app = make_noun()
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")]


@app.command()
def add(name: NameArgument) -> None:
    """Make a key, and show the 24 words that bring it back."""
    settings = current()
    check_name(name)
    entry, words = open_ring(settings).add(name)
    advice = "Write these words down; who has them has the key:"
    shown = facts("", public(entry))
    show(settings, {**public(entry), "mnemonic": words}, shown, "", advice, "", f"  {words}")


@app.command("list")
def list_keys() -> None:
    """List the keys."""
    settings = current()
    entries = [public(entry) for entry in open_ring(settings).list()]
    rows = [[entry["name"], entry["address"]] for entry in entries]
    show(settings, entries, table("", ["name", "address"], rows))


@app.command("show")
def show_key(name: NameArgument) -> None:
    """Show a key's address and public half."""
    settings = current()
    entry = public(open_ring(settings).show(name))
    show(settings, entry, facts("", entry))


@app.command("import")
def import_key(
    name: NameArgument,
    file: Annotated[
        Path | None, typer.Argument(help="An exported key, or the words. (default: stdin)")
    ] = None,
) -> None:
    """Store a key from its words, or from what `export` gave."""
    settings = current()
    check_name(name)
    text = (file.read_text() if file else sys.stdin.read()).strip()
    ring = open_ring(settings)
    is_file = text.startswith("{")
    entry = ring.import_file(name, text) if is_file else ring.import_mnemonic(name, text)
    show(settings, public(entry), facts("", public(entry)))


@app.command()
def export(name: NameArgument) -> None:
    """Print a key as sealed as it is stored."""
    print(open_ring(current()).export(name))


def check_name(name: str) -> None:
    """Refuse the one name that the home needs itself."""
    if name == KEYS_FOLDER:
        raise Misused(f"a key can't be called {KEYS_FOLDER!r}: choose another name")


def public(entry: Entry) -> dict[str, str]:
    """Return the public half of a key."""
    return {"name": entry.name, "address": entry.address, "pubkey": entry.pubkey.hex()}
