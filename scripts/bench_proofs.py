"""Measure proofs that an aggregate is false: how long they are, how fast they are made and checked.

One value in the middle of the posted model is off by one step. "Made" is what a participant does
that holds all bytes: combine, compare, hash every vector's tree, encode. "Checked" is what every
validator does, in plain Python: decode, hash each path, recompute the chunk, compare. Updates and
base are normal random values as large as those of small networks, and every update is clipped.

    python -m scripts.bench_proofs --workers 10 --workers 256
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from math import isqrt
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from app.kernel.record import Address
from app.learning.combine import CombineRule
from app.learning.fixed import FRACTION_BITS, MODEL_WIDTH, UPDATE_WIDTH
from app.learning.proof import (
    AggregateClaim,
    RevealedUpdate,
    is_proven_false,
    part_count,
    update_weight,
)
from fl_worker.update.combine import Included, Values, combine
from fl_worker.update.proof import prove_false
from fl_worker.update.tree import tree_root

LAYOUT_HASH = sha256(b"layout").digest()
BASE_SPREAD = 0.05
UPDATE_SPREAD = 0.01
CHECKS = 20
RULES = (CombineRule.FEDAVG, CombineRule.MEDIAN, CombineRule.TRIMMED_MEAN)

T = TypeVar("T")


@dataclass(frozen=True)
class Measured:
    """One proof: its size, and the time to make it and, at the median, to check it.

    `cpu` is the processor's own time: what is left on a machine that does nothing else.
    """

    rule: str
    workers: int
    values: int
    size_bytes: int
    parts: int
    made_ms: float
    made_cpu_ms: float
    checked_ms: float
    checked_cpu_ms: float


@dataclass(frozen=True)
class Vectors:
    """A round's bytes and what the chain knows of them, before any model is posted."""

    claim: AggregateClaim
    base: bytes
    updates: dict[Address, bytes]


def make_vectors(worker_count: int, value_count: int) -> Vectors:
    """Return a round of random updates, all longer than the norm to which they are clipped."""
    chance = np.random.default_rng(20)
    base = draw_values(chance, value_count, BASE_SPREAD).astype("<i8").tobytes()
    updates = {
        Address(number.to_bytes(20, "big")): draw_values(chance, value_count, UPDATE_SPREAD)
        .astype("<i4")
        .tobytes()
        for number in range(1, worker_count + 1)
    }
    revealed = []
    for number, (worker, data) in enumerate(updates.items()):
        root = tree_root(data, UPDATE_WIDTH, LAYOUT_HASH)
        revealed.append(RevealedUpdate(worker, root.root, root.sum_squares, 100 + number))
    claim = AggregateClaim(
        posted_root=b"",
        base_root=tree_root(base, MODEL_WIDTH, LAYOUT_HASH).root,
        layout_hash=LAYOUT_HASH,
        value_count=value_count,
        updates=tuple(revealed),
        rule=CombineRule.UNSPECIFIED,
        trim=0,
        norm_max=min(isqrt(update.sum_squares) for update in revealed) - 1,
        example_count_max=10_000,
    )
    return Vectors(claim, base, updates)


def draw_values(chance: np.random.Generator, count: int, spread: float) -> Values:
    """Return random values in fixed point."""
    values: Values = chance.standard_normal(count, np.float32) * spread * (1 << FRACTION_BITS)
    return np.rint(values)


def measure(vectors: Vectors, rule: CombineRule) -> Measured:
    """Prove one false value of a posted model, and check the proof."""
    trim = (len(vectors.updates) - 1) // 4 if rule is CombineRule.TRIMMED_MEAN else 0
    claim = replace(vectors.claim, rule=rule, trim=trim)
    included = [
        Included(vectors.updates[each.worker], each.sum_squares, update_weight(claim, each))
        for each in claim.updates
    ]
    model = combine(rule, vectors.base, included, trim=trim, norm_max=claim.norm_max)
    posted = np.frombuffer(model, "<i8").copy()
    posted[posted.size // 2] += 1
    data = posted.tobytes()
    claim = replace(claim, posted_root=tree_root(data, MODEL_WIDTH, LAYOUT_HASH).root)

    proof, made = timed(lambda: prove_false(claim, vectors.base, vectors.updates, data))
    if proof is None:
        raise SystemExit("the false value was not found")
    checks = [timed(lambda: is_proven_false(claim, proof)) for _ in range(CHECKS)]
    if not all(is_false for is_false, _ in checks):
        raise SystemExit("the proof was not accepted")
    return Measured(
        rule.name.lower(),
        len(included),
        claim.value_count,
        len(proof),
        part_count(len(proof)),
        *made,
        statistics.median(wall_ms for _, (wall_ms, _) in checks),
        statistics.median(cpu_ms for _, (_, cpu_ms) in checks),
    )


def timed(call: Callable[[], T]) -> tuple[T, tuple[float, float]]:
    """Return what a call returns, and its milliseconds by the clock and of the processor."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    value = call()
    took_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    return value, (took_s[0] * 1_000, took_s[1] * 1_000)


def print_results(results: list[Measured]) -> None:
    """Print one row a proof."""
    title = f"Proofs that a model of {results[0].values:,} values is false"
    columns = "rule", "workers", "size", "parts", "made", "cpu", "checked", "cpu"
    table = Table(*columns, title=title)
    for each in results:
        table.add_row(
            each.rule,
            f"{each.workers}",
            f"{each.size_bytes / 1024:.1f} KiB",
            f"{each.parts}",
            f"{each.made_ms:,.0f} ms",
            f"{each.made_cpu_ms:,.0f} ms",
            f"{each.checked_ms:.1f} ms",
            f"{each.checked_cpu_ms:.1f} ms",
        )
    console = Console()
    console.print(table)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def main(
    workers: Annotated[list[int] | None, typer.Option(help="Workers; may be repeated.")] = None,
    values: Annotated[int, typer.Option(help="Values of the model.")] = 1_000_000,
    json_path: Annotated[Path | None, typer.Option("--json", help="Also write JSON.")] = None,
) -> None:
    """Measure proofs by each rule for each number of workers."""
    results: list[Measured] = []
    for worker_count in workers or [10, 256]:
        vectors = make_vectors(worker_count, values)
        results += [measure(vectors, rule) for rule in RULES]
    print_results(results)
    if json_path:
        json_path.write_text(json.dumps([asdict(each) for each in results], indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
