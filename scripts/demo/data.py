"""The data sets of the demonstration: who holds what, and what is kept to measure on."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fl_worker.flower.fab import parse_config
from fl_worker.templates import TEMPLATES
from scripts.demo.story import Failed

SPLIT_SEED, ALPHA = 7, 0.5


@dataclass(frozen=True)
class DataSet:
    """A data set, the template that learns it, and how long the demonstration gives it."""

    name: str
    words: str
    """Of every worker's node config, beside the split."""
    commit_s: int
    job_s_max: int

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

    def describe(self, worker_count: int) -> str:
        """Return in words how many examples each worker trains on, and how many none has."""
        kept = f"{len(self.load('holdout')[1]):,} others measure the models"
        partition = template_module("shared.flowerapp.partition")
        owners = partition.split(self.load("training")[1], worker_count, ALPHA, SPLIT_SEED)
        counts = [f"{partition.train_count(count):,}" for count in np.bincount(owners)]
        return f"{self.name}: workers train on {' '.join(counts)} examples; {kept}"

    def save_holdout(self, folder: Path) -> None:
        """Write what no worker has, for the app to measure on."""
        x, y = self.load("holdout")
        np.savez(folder / "holdout.npz", x=x, y=y)


def template_module(name: str) -> Any:
    """Import what a template's app would import as its own."""
    return importlib.import_module(f"fl_worker.templates.{name}")


DATA_SETS = {
    "digits": DataSet("digits", "", commit_s=8, job_s_max=240),
    "fashion-mnist": DataSet("fashion-mnist", "images=20000", commit_s=20, job_s_max=480),
}


def find_data(name: str, folder: Path | None) -> DataSet:
    """Return a data set, from a folder where one is named; Failed unless it is there."""
    data = DATA_SETS[name]
    if folder is not None:
        data = replace(data, words=f"{data.words} data-dir='{folder.resolve()}'")
    data.load("holdout")
    return data
