"""The demonstration's data sets: who holds what is said before anything starts."""

from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.fab import parse_config
from scripts.demo.data import DATA_SETS, find_data
from scripts.demo.story import Failed


@pytest.mark.parametrize(("name", "shape"), [("digits", (64,)), ("fashion-mnist", (28, 28))])
def test_what_no_worker_has_is_kept_to_measure_on(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    data = find_data(name, None)
    data.save_holdout(tmp_path)
    with np.load(tmp_path / "holdout.npz") as kept:
        x, y = kept["x"], kept["y"]

    assert x.shape == (len(y), *shape)
    assert f"{len(y):,} others measure" in data.describe(8)
    trained = {image.tobytes() for image in data.load("training")[0][:2_000]}
    assert sum(image.tobytes() in trained for image in x[:200]) == 0


def test_all_that_is_split_is_trained_on_or_kept_by_its_worker() -> None:
    words = find_data("fashion-mnist", None).describe(8)
    counts = words.removeprefix("fashion-mnist: workers train on ").split(" examples")[0]
    each = [int(count.replace(",", "")) for count in counts.split()]
    assert len(each) == 8
    assert 20_000 * 4 // 5 - 8 < sum(each) <= 20_000 * 4 // 5


def test_a_folder_is_in_every_workers_node_config(tmp_path: Path) -> None:
    images = Path("/usr/share/datasets/fashion-mnist")
    (tmp_path / "mine").symlink_to(images)
    data = find_data("fashion-mnist", tmp_path / "mine")
    config = parse_config(data.node_config(3, 8))
    assert (config["partition-id"], config["num-partitions"]) == (3, 8)
    assert (config["images"], config["data-dir"]) == (20_000, str(images))
    assert "data-dir" not in DATA_SETS["fashion-mnist"].node_config(3, 8)


def test_without_the_files_nothing_starts_and_the_way_out_is_said(tmp_path: Path) -> None:
    words = rf"{tmp_path} has no t10k.*package dataset-fashion-mnist.*DATA_FOLDER="
    with pytest.raises(Failed, match=words):
        find_data("fashion-mnist", tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"no images")
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(b"no labels")
    with pytest.raises(Failed, match="t10k-images-idx3-ubyte begins with"):
        find_data("fashion-mnist", tmp_path)
