"""`pollen tx`: what became of a transaction."""

from __future__ import annotations

from typing import Annotated

import typer

from app.sdk.client import TxOutcome
from fl_worker.cli.output import facts, show, to_json
from fl_worker.cli.session import connected, run
from fl_worker.cli.settings import Misused, current, make_noun

app = make_noun()


@app.callback()
def about() -> None:
    """Transactions."""


@app.command("show")
def show_tx(hash: Annotated[str, typer.Argument(metavar="HASH", help="Its hash.")]) -> None:
    """Show in which block a transaction is, and what it gave."""
    settings = current()

    async def ask() -> TxOutcome | None:
        async with connected(settings) as client:
            return await client.find_tx(hash)

    found = run(ask())
    if found is None:
        raise Misused(f"no block has a transaction {hash}; check the hash, or wait a moment")
    value = to_json(found)
    shown = {"hash": found.hash, "height": found.height, "gas used": found.gas_used}
    shown["result"] = f"failed: {found.text} ({found.codespace} {found.code})"
    if not found.code:
        shown["result"] = "succeeded"
        answers = [f"{type(each).__name__} {to_json(each)}" for each in found.responses if each]
        shown["answers"] = ", ".join(answers)
    show(settings, value, facts("", shown))
