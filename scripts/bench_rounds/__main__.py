"""Measure rounds on this machine: how many workers one takes, and what it adds to training.

`--many 16,64,256`: a job with so many workers on a local network. This process plays them and the
readers: all transactions are signed and go through the SDK; there is no training and no blob.

`--overhead 1,10`: rounds whose training step takes so many seconds, with the real roles as
processes (4 workers, 3 aggregators, 3 evaluators), beside plain Flower's loop with the same app,
data and epochs. The app trains for real and then sleeps to the step's length, so that workers which
share the processors here train as they would on machines of their own. Plain Flower trains one
worker after the other: what a round is held against is its loop with a single worker. With
`--scored` evaluators measure each round's updates, on the same processors, while the next trains.

    python -m scripts.bench_rounds --many 16,64,256 --overhead 1,10 --json build/rounds.json
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scripts.bench_rounds.many import measure_many
from scripts.bench_rounds.network import Figures
from scripts.bench_rounds.overhead import measure_overhead


def main(
    many: Annotated[str, typer.Option(help="Workers in a round, such as 16,64,256.")] = "",
    overhead: Annotated[str, typer.Option(help="Seconds of training, such as 1,10.")] = "",
    scored: Annotated[bool, typer.Option(help="Score rounds beside the training.")] = False,
    validators: Annotated[str, typer.Option(help="Sizes of network, such as 1,4.")] = "4",
    output: Annotated[Path | None, typer.Option("--json", help="Where to write JSON.")] = None,
) -> None:
    """Measure, and show a table for each."""
    console, load_before = Console(), os.getloadavg()[0]
    results: dict[str, dict[str, Figures]] = {"many workers": {}, "beside plain Flower": {}}
    for count, nodes in itertools.product(split(many), split(validators)):
        figures = asyncio.run(measure_many(int(count), int(nodes)))
        results["many workers"][f"{count} workers, {nodes} validators"] = figures
    for step, nodes in itertools.product(split(overhead), split(validators)):
        name = f"step of {step} s, {nodes} validators" + (", scored" if scored else "")
        figures = asyncio.run(measure_overhead(float(step), int(nodes), is_scored=scored))
        results["beside plain Flower"][name] = figures
    for title, columns in results.items():
        if columns:
            console.print(to_table(f"Rounds: {title}", columns))
    load = f"load {load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
    console.print(f"{os.cpu_count()} cores, {load}")
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps({**results, "load": load}, indent=1) + "\n")


def split(words: str) -> list[str]:
    """Return what commas separate."""
    return [word for word in words.split(",") if word]


def to_table(title: str, columns: dict[str, Figures]) -> Table:
    """Return a table with a row for each figure."""
    table = Table("", *columns, title=title, title_justify="left")
    for name in next(iter(columns.values())):
        table.add_row(name, *[f"{each[name]:,.4g}" for each in columns.values()])
    return table


if __name__ == "__main__":
    typer.run(main)
