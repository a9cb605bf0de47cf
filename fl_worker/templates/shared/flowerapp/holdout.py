"""Writes what no node has of the data set, to measure on: python -m flowerapp.holdout FOLDER."""

import sys
from pathlib import Path

import numpy as np

from flowerapp.source import load_holdout

FILES = 10


def main(folder: Path) -> None:
    """Write the held-out images into as many files as a validation set has slices."""
    x, y = load_holdout({})
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        np.savez(folder / f"{number}.npz", x=x[number::FILES], y=y[number::FILES])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
