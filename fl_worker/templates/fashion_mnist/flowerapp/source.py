"""Fashion-MNIST: 60,000 images of 28x28 to train on and 10,000 to test, of ten kinds of clothing.

They lie in a folder as four idx files, packed with gzip or not. An idx file is two zero bytes, one
for the type of its values (8: unsigned bytes), one for the number of its dimensions, each dimension
as a big-endian number of four bytes, and then the values.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist"
PACKAGE = "dataset-fashion-mnist"
BRIGHTEST = 255
"""The value of a white pixel."""
KINDS = 10
SIDE = 28
UNSIGNED_BYTES = 8


def load_training(node_config: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Load the first `images` training images of the folder `data-dir`, all of them by default."""
    x, y = load_part(node_config, "train")
    count = node_config.get("images", len(y))
    if not 1 <= count <= len(y):
        raise ValueError(f"images={count}: the folder holds {len(y)}; name from 1 to {len(y)}")
    return x[:count], y[:count]


def load_holdout(node_config: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Load the test images of the folder `data-dir`."""
    return load_part(node_config, "t10k")


def load_part(node_config: dict[str, Any], part: str) -> tuple[np.ndarray, np.ndarray]:
    """Load images (n, 28, 28) and their labels (n)."""
    folder = Path(node_config.get("data-dir", FOLDER))
    images = find(folder, f"{part}-images-idx3-ubyte")
    labels = find(folder, f"{part}-labels-idx1-ubyte")
    x, y = read_idx(images, 3), read_idx(labels, 1)
    if x.shape != (len(y), SIDE, SIDE):
        sides = "x".join(map(str, x.shape))
        raise ValueError(
            f"{images} holds {sides} values and {labels} {len(y)} labels; "
            f"expected {SIDE}x{SIDE} values for each label"
        )
    if y.max(initial=0) >= KINDS:
        raise ValueError(f"{labels} holds the label {y.max()}; the largest is {KINDS - 1}")
    return x, y


def find(folder: Path, name: str) -> Path:
    """Return the file of a name in a folder, packed or not."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{folder} has no {name}, with .gz or without. Install the Debian package {PACKAGE}, "
        "or name the folder of your copy in the node config: data-dir='/folder'"
    )


def read_idx(path: Path, dimension_count: int) -> np.ndarray:
    """Read an idx file of unsigned bytes; ValueError unless it is whole and of that shape."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            data = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged: {error}; install or copy it again") from None
    start = 4 * (1 + dimension_count)
    expected = bytes([0, 0, UNSIGNED_BYTES, dimension_count])
    if data[:4] != expected or len(data) < start:
        raise ValueError(
            f"{path} begins with {data[:4].hex()!r}; an idx file of bytes in {dimension_count} "
            f"dimensions begins with {expected.hex()!r} and their sizes"
        )
    shape = np.frombuffer(data, ">u4", dimension_count, offset=4).tolist()
    if len(data) - start != math.prod(shape):
        raise ValueError(
            f"{path} holds {len(data) - start:,} values; its head promises {math.prod(shape):,}"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
