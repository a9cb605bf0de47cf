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

Examples = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""Images and what they show."""
WORKERS = 8
"""Those who train on a part of the data; others only cheat."""
SPLIT_SEED, ALPHA = 7, 0.5


def node_config(folder: Path, number: int) -> str:
    """Return what a worker's data are called, as Flower's SuperNode takes it."""
    return f"data-path='{folder / str(number)}.npz'"


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
    """What its reader has to know, as a node config."""
    limits: Limits
    judged: slice
    """Of what no worker has: what the models are judged on; the rest is the requester's."""

    def load(self, part: str) -> Examples:
        """Load what all workers hold together ("training"), or what none has ("holdout")."""
        source = template_module(f"{TEMPLATES[self.name]}.flowerapp.source")
        try:
            x, y = getattr(source, f"load_{part}")(parse_config(self.words) if self.words else {})
        except FileNotFoundError as error:
            raise Failed(f"{error}, here by DATA_FOLDER=/folder") from None
        except (OSError, ValueError) as error:
            raise Failed(str(error)) from None
        return x, y

    def split_holdout(self) -> dict[str, Examples]:
        """Split what no worker has: one part is the requester's, the other is nobody's."""
        x, y = self.load("holdout")
        is_judged = np.zeros(len(y), bool)
        is_judged[self.judged] = True
        return {
            "validation": (x[~is_judged], y[~is_judged]),
            "judged": (x[is_judged], y[is_judged]),
        }

    def split_workers(self) -> list[Examples]:
        """Split what the workers hold, each class by a Dirichlet draw."""
        x, y = self.load("training")
        partition = template_module("shared.flowerapp.partition")
        owners = partition.split(y, WORKERS, ALPHA, SPLIT_SEED)
        return [(x[owners == number], y[owners == number]) for number in range(WORKERS)]

    def describe(self) -> str:
        """Return in words how many examples each worker trains on, and how many none has."""
        sizes = {name: f"{len(y):,}" for name, (_, y) in self.split_holdout().items()}
        kept = f"{sizes['validation']} score the updates, {sizes['judged']} others judge the models"
        partition = template_module("shared.flowerapp.partition")
        counts = [f"{partition.train_count(len(y)):,}" for _, y in self.split_workers()]
        split = f"split by Dirichlet({ALPHA}), seed {SPLIT_SEED}"
        return f"{self.name}, {split}: workers train on {' '.join(counts)} examples; {kept}"

    def save_workers(self, folder: Path) -> None:
        """Give every worker a file with its own data."""
        folder.mkdir()
        for number, (x, y) in enumerate(self.split_workers()):
            np.savez(folder / f"{number}.npz", x=x, y=y)

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
    "digits": DataSet("digits", "", Limits(20, 4, 7, 300), judged=slice(0, None, 2)),
    "fashion-mnist": DataSet(
        "fashion-mnist", "images=20000", Limits(40, 5, 20, 400), judged=slice(2_000, None)
    ),
}


def find_data(name: str, folder: Path | None) -> DataSet:
    """Return a data set, from a folder where one is named; Failed unless it is there."""
    data = DATA_SETS[name]
    if folder is not None:
        data = replace(data, words=f"{data.words} data-dir='{folder.resolve()}'")
    data.load("holdout")
    return data
