"""What evaluators measure with in place of an app, for rounds and for rejected results."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest

from app.sdk.protocol import FRACTION_BITS, JobSpec
from fl_worker.flower.errors import AppFailed
from fl_worker.roles import opener
from fl_worker.scoring.bench import Measured


class ToyBench:
    """Measures how little a model's values are; its metric is a loss."""

    def __init__(self) -> None:
        self.opened: list[tuple[bytes, ...]] = []
        self.started_count = 0
        self.closed_count = 0
        self.fails = False

    async def start(self, measured: Measured) -> ToyHand:
        """Start it for one evaluator."""
        self.started_count += 1
        return ToyHand(self, measured.spec)


class ToyHand:
    """Measures for one evaluator."""

    def __init__(self, bench: ToyBench, spec: JobSpec) -> None:
        self.bench = bench
        self.spec = spec

    async def warm(self) -> None:
        """Be there."""

    @asynccontextmanager
    async def lay_out(self, slices: Sequence[bytes]) -> AsyncIterator[ToyHand]:
        """Begin to measure on slices."""
        if self.bench.fails:
            raise AppFailed("no data here", "")
        self.bench.opened.append(tuple(slices))
        yield self

    async def measure(self, model: bytes, round_number: int) -> float:
        """The mean value, negated: a loss that falls as values grow."""
        return -float(np.frombuffer(model, "<i8").mean()) / (1 << FRACTION_BITS)

    async def close(self) -> None:
        """End."""
        self.bench.closed_count += 1


def put_in_place(bench: ToyBench, monkeypatch: pytest.MonkeyPatch) -> ToyBench:
    """Let evaluators measure with the toy instead of Flower's app."""
    monkeypatch.setattr(opener, "Bench", bench)
    monkeypatch.setattr(opener, "install_fab", lambda fab, folder: folder)
    return bench
