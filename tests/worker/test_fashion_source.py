"""Idx files: the package's own as they are, and words for whoever has others or none."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from fl_worker.templates.fashion_mnist.flowerapp.source import (
    load_holdout,
    load_training,
    read_idx,
)

ZEROS, BYTES = b"\0\0", b"\x08"


def idx(*sizes: int, values: bytes) -> bytes:
    return ZEROS + BYTES + struct.pack(f">B{len(sizes)}I", len(sizes), *sizes) + values


def write_part(folder: Path, images: bytes, labels: bytes, part: str = "train") -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    return {"data-dir": str(folder)}


def test_the_packages_files_are_read_whole() -> None:
    x, y = load_training({})
    assert (x.shape, x.dtype, y.shape) == ((60_000, 28, 28), np.uint8, (60_000,))
    assert np.bincount(y).tolist() == [6_000] * 10
    assert y[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert (x.min(), x.max()) == (0, 255)

    x, y = load_holdout({})
    assert x.shape == (10_000, 28, 28)
    assert np.bincount(y).tolist() == [1_000] * 10


def test_the_first_images_are_taken_where_fewer_are_wanted() -> None:
    x, y = load_training({"images": 300})
    whole_x, whole_y = load_training({})
    assert np.array_equal(x, whole_x[:300])
    assert np.array_equal(y, whole_y[:300])
    for count in (0, 60_001):
        with pytest.raises(ValueError, match=f"images={count}: the folder holds 60000"):
            load_training({"images": count})


def test_a_folder_of_ones_own_holds_packed_and_unpacked_files(tmp_path: Path) -> None:
    values = bytes(range(256)) * 6 + bytes(32)
    images, labels = idx(2, 28, 28, values=values), idx(2, values=b"\x07\x02")
    config = write_part(tmp_path, images, labels)
    plain = load_training(config)
    assert plain[0].tobytes() == values
    assert plain[1].tolist() == [7, 2]

    (tmp_path / "train-images-idx3-ubyte").unlink()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    packed = load_training(config)
    assert np.array_equal(packed[0], plain[0])


def test_who_has_no_files_reads_what_to_install_and_which_word_to_write(tmp_path: Path) -> None:
    words = rf"{tmp_path} has no t10k-images-idx3-ubyte.*dataset-fashion-mnist.*data-dir="
    with pytest.raises(FileNotFoundError, match=words):
        load_holdout({"data-dir": str(tmp_path)})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "begins with ''"),
        (b"\0\0\x08\x01\0\0\0", "begins with '00000801'; .* dimensions begins with '00000801'"),
        (b"P5\n8" + bytes(8), "begins with '50350a38'"),
        (idx(2, 2, values=bytes(4)), "begins with '00000802'; an idx file of bytes in 1 dim"),
        (b"\0\0\x0d\x01" + bytes(8), "begins with '00000d01'"),
        (idx(5, values=bytes(4)), "holds 4 values; its head promises 5"),
        (idx(5, values=bytes(6)), "holds 6 values; its head promises 5"),
    ],
)
def test_what_is_no_whole_idx_file_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "labels"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"{path} {words}"):
        read_idx(path, 1)


@pytest.mark.parametrize("flaw", [lambda data: data[:-12], lambda data: b"plain" + data])
def test_a_damaged_packed_file_is_named(tmp_path: Path, flaw: object) -> None:
    path = tmp_path / "labels.gz"
    path.write_bytes(flaw(gzip.compress(idx(100, values=bytes(100)))))  # type: ignore[operator]
    with pytest.raises(ValueError, match=f"{path} is damaged: .*copy it again"):
        read_idx(path, 1)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (idx(2, 28, 28, values=bytes(1568)), idx(3, values=bytes(3)), "2x28x28 .* 3 labels"),
        (idx(1, 27, 28, values=bytes(756)), idx(1, values=b"\0"), "1x27x28 .* expected 28x28"),
        (idx(1, 28, 28, values=bytes(784)), idx(1, values=b"\x0a"), "the label 10; the largest"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_named(
    tmp_path: Path, images: bytes, labels: bytes, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        load_training(write_part(tmp_path, images, labels))
