"""Measure state with many rows: memory, updates, a large block, a restart, proofs.

The rows are like balances: a key of 33 bytes with a hash at its end, 40 bytes of value. "Updates"
changes random rows in memory and computes the application hash. "Block" is what a commit does after
execution: tries, undo record, one synced batch on disk, history. "Restart" opens the database,
builds the tries from its rows, compares the hash and makes the history again.

    python -m scripts.bench_state --rows 1000000 --output state.json
"""

from __future__ import annotations

import gc
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from app.kernel.proof import prove, verify
from app.kernel.record import U64
from app.kernel.trie import Forest
from app.node.abci import Application
from app.node.history import History
from app.node.leveldb import Committed, LevelStore
from app.node.metrics import Metrics
from app.node.run import tune_interpreter

MODULE, PREFIX = b"bank", b"bank/balance/"
KEY_HASH_BYTES, VALUE_BYTES = 20, 40
BATCHES = (100, 1_000, 10_000, 100_000)
PROOFS = 2_000
HISTORY_BLOCKS, HISTORY_BLOCK_ROWS = 99, 500
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

T = TypeVar("T")
Rows = dict[bytes, bytes | None]


@dataclass(frozen=True)
class Measured:
    """One figure: by the clock and of the processor, which is what an idle machine would take."""

    what: str
    count: int
    wall_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Return how many a second of the processor."""
        return self.count / self.cpu_s


@dataclass(frozen=True)
class Memory:
    """What the process holds more than before."""

    what: str
    mb: float


def resident_mb() -> float:
    """Return the memory that the process holds."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * PAGE_BYTES / 1e6


def make_key(number: int) -> bytes:
    """Return the key of a row."""
    return PREFIX + sha256(b"%d" % number).digest()[:KEY_HASH_BYTES]


class Bench:
    """A state under measure, and the figures so far."""

    def __init__(self, path: Path, row_count: int) -> None:
        self.path = path
        self.row_count = row_count
        self.chance = random.Random(1)
        self.forest = Forest()
        self.times = list[Measured]()
        self.memory = list[Memory]()

    def run(self) -> None:
        """Fill the state with rows and measure what is done with it."""
        gc.disable()  # As where a node starts.
        numbers = range(self.row_count)
        rows: Rows = {make_key(number): self.chance.randbytes(VALUE_BYTES) for number in numbers}
        gc.collect()
        before_mb = resident_mb()
        self.forest = self.time("rows built into tries", len(rows), partial(Forest().apply, rows))
        self.note("tries, without the rows' bytes", before_mb)
        gc.enable()
        tune_interpreter()
        for count in BATCHES:
            changes = self.pick(count)
            self.time(
                f"updates, {len(changes):,} at once", len(changes), partial(self.apply, changes)
            )
        with closing(LevelStore(self.path)) as store:
            store.commit(Committed("bench", U64(1), app_hash=self.forest.root()), rows, ())
        self.restart("rows read at a restart", len(rows))
        with closing(LevelStore(self.path)) as store:
            self.run_blocks(store, History(store, self.forest))
        with closing(LevelStore(self.path)) as store:
            undone = sum(len(undo.rows) for undo in store.undo_records())
        self.restart("rows read and undone at a restart", len(rows) + undone)

    def run_blocks(self, store: LevelStore, history: History) -> None:
        """Commit small blocks, prove rows, commit a large block."""
        before_mb = resident_mb()
        for _ in range(HISTORY_BLOCKS):
            self.commit(store, history, self.pick(HISTORY_BLOCK_ROWS))
        self.note(f"history of {HISTORY_BLOCKS} blocks of {HISTORY_BLOCK_ROWS} rows", before_mb)
        keys = [make_key(self.chance.randrange(2 * self.row_count)) for _ in range(PROOFS)]
        keys = [key.partition(b"/")[2] for key in keys]
        proofs = self.time(
            "proofs made", PROOFS, lambda: [prove(store, self.forest, MODULE, key) for key in keys]
        )
        root, pairs = self.forest.root(), list(zip(proofs, keys, strict=True))
        values = self.time(
            "proofs checked", PROOFS, lambda: [verify(p, root, MODULE, key) for p, key in pairs]
        )
        if values != [store.get(MODULE + b"/" + key) for key in keys]:
            raise SystemExit("a proof shows another value")
        changes = self.pick(BATCHES[-1])
        block = partial(self.commit, store, history, changes)
        self.time("updates in one block", len(changes), block)

    def restart(self, what: str, count: int) -> None:
        """Start a node on what is on disk; it refuses another state than was committed."""
        gc.disable()
        with closing(LevelStore(self.path)) as store:
            application = self.time(what, count, partial(Application, store, Metrics()))
            if application.last.app_hash != self.forest.root():
                raise SystemExit("the restarted node has another state")
        gc.enable()
        tune_interpreter()

    def pick(self, count: int) -> Rows:
        """Return new values for so many random rows."""
        chosen = self.chance.sample(range(self.row_count), min(count, self.row_count))
        return {make_key(number): self.chance.randbytes(VALUE_BYTES) for number in chosen}

    def apply(self, changes: Rows) -> bytes:
        """Return the application hash after changes."""
        return self.forest.apply(changes).root()

    def commit(self, store: LevelStore, history: History, changes: Rows) -> None:
        """Do what a node does with a block's changes once it is executed."""
        changed = self.forest.apply(changes)
        last = Committed("bench", U64(store.last.height + 1), app_hash=changed.root())
        undo = store.commit(last, changes, ())
        if undo is not None:
            history.add(undo, self.forest)
        self.forest = changed

    def time(self, what: str, count: int, call: Callable[[], T]) -> T:
        """Return what a call returns, and note how long it took."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        value = call()
        took = time.perf_counter() - wall_s, time.process_time() - cpu_s
        self.times.append(Measured(what, count, *took))
        return value

    def note(self, what: str, before_mb: float) -> None:
        """Note how much more memory the process holds."""
        self.memory.append(Memory(what, resident_mb() - before_mb))


def print_results(bench: Bench) -> None:
    """Print one row a figure."""
    title = f"State of {bench.row_count:,} rows"
    table = Table("what", "count", "wall", "cpu", "a second", title=title)
    for each in bench.times:
        took = f"{each.wall_s:,.3f} s", f"{each.cpu_s:,.3f} s"
        table.add_row(each.what, f"{each.count:,}", *took, f"{each.per_s:,.0f}")
    for held in bench.memory:
        table.add_row(held.what, "", "", "", f"{held.mb:,.0f} MB")
    console = Console()
    console.print(table)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def main(
    rows: Annotated[int, typer.Option(help="Rows of state.")] = 1_000_000,
    output: Annotated[Path | None, typer.Option(help="Also write JSON.")] = None,
) -> None:
    """Measure a state of so many rows."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "state", rows)
        bench.run()
    print_results(bench)
    if output:
        times = [{**asdict(each), "per_s": each.per_s} for each in bench.times]
        memory = [asdict(each) for each in bench.memory]
        output.write_text(json.dumps({"rows": rows, "times": times, "memory": memory}, indent=1))


if __name__ == "__main__":
    typer.run(main)
