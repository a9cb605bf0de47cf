"""The data sets of the demonstration: who holds what, and what is kept to measure on."""

from __future__ import annotations

import importlib
import math
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fl_worker.flower.fab import parse_config
from fl_worker.scoring.slices import SLICE_COUNT
from fl_worker.templates import TEMPLATES
from scripts.demo.story import Failed

SPLIT_SEED, ALPHA = 7, 0.5


@dataclass(frozen=True)
class Limits:
    """How long things may take on a quiet machine with two cores, in seconds."""

    commit_s: int
    reveal_s: int
    """Passes in full in each round, since one worker never reveals."""
    score_s: int
    """Passes in full too, beside the rounds that follow, since one evaluator never reveals."""
    job_s_max: int

    def stretch(self, factor: float) -> Limits:
        """Return the limits of a machine that is so much slower."""
        return Limits(*[math.ceil(value * factor) for value in astuple(self)])


@dataclass(frozen=True)
class DataSet:
    """A data set, the template that learns it, and how long the demonstration gives it."""

    name: str
    words: str
    """Of every worker's node config, beside the split."""
    limits: Limits
    judged: slice
    """Of what no worker has: what the models are judged on; the rest is the requester's."""

    def node_config(self, number: int, worker_count: int) -> str:
        """Return what a worker's data are called, as Flower's SuperNode takes it."""
        split = f"alpha={ALPHA} partition-seed={SPLIT_SEED}"
        return f"partition-id={number} num-partitions={worker_count} {split} {self.words}".strip()

    def load(self, part: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Load what all workers hold together ("training"), or what none has ("holdout")."""
        source = template_module(f"{TEMPLATES[self.name]}.flowerapp.source")
        try:
            x, y = getattr(source, f"load_{part}")(parse_config(self.words) if self.words else {})
        except FileNotFoundError as error:
            raise Failed(f"{error}, here by DATA_FOLDER=/folder") from None
        except (OSError, ValueError) as error:
            raise Failed(str(error)) from None
        return x, y

    def split_holdout(self) -> dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
        """Split what no worker has: one part is the requester's, the other is nobody's."""
        x, y = self.load("holdout")
        is_judged = np.zeros(len(y), bool)
        is_judged[self.judged] = True
        return {
            "validation": (x[~is_judged], y[~is_judged]),
            "judged": (x[is_judged], y[is_judged]),
        }

    def describe(self, worker_count: int) -> str:
        """Return in words how many examples each worker trains on, and how many none has."""
        sizes = {name: f"{len(y):,}" for name, (_, y) in self.split_holdout().items()}
        kept = f"{sizes['validation']} score the updates, {sizes['judged']} others judge the models"
        partition = template_module("shared.flowerapp.partition")
        owners = partition.split(self.load("training")[1], worker_count, ALPHA, SPLIT_SEED)
        counts = [f"{partition.train_count(count):,}" for count in np.bincount(owners)]
        return f"{self.name}: workers train on {' '.join(counts)} examples; {kept}"

    def save(self, part: str, folder: Path) -> None:
        """Write a part of what no worker has, in as many files as a validation set has slices."""
        x, y = self.split_holdout()[part]
        folder.mkdir()
        for number in range(SLICE_COUNT):
            own = slice(number, None, SLICE_COUNT)
            np.savez(folder / f"{number}.npz", x=x[own], y=y[own])


def template_module(name: str) -> Any:
    """Import what a template's app would import as its own."""
    return importlib.import_module(f"fl_worker.templates.{name}")


DATA_SETS = {
    "digits": DataSet("digits", "", Limits(20, 4, 12, 300), judged=slice(0, None, 2)),
    "fashion-mnist": DataSet(
        "fashion-mnist", "images=20000", Limits(40, 3, 20, 400), judged=slice(2_000, None)
    ),
}


def find_data(name: str, folder: Path | None) -> DataSet:
    """Return a data set, from a folder where one is named; Failed unless it is there."""
    data = DATA_SETS[name]
    if folder is not None:
        data = replace(data, words=f"{data.words} data-dir='{folder.resolve()}'")
    data.load("holdout")
    return data
