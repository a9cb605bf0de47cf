"""The demonstration's data sets: who holds what is said before anything starts."""

from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.fab import parse_config
from scripts.demo.data import DATA_SETS, find_data
from scripts.demo.story import Failed


@pytest.mark.parametrize(("name", "shape"), [("digits", (64,)), ("fashion-mnist", (28, 28))])
def test_nobody_trains_on_what_scores_the_updates_or_judges_the_models(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    data = find_data(name, None)
    images = {}
    for part in ("validation", "judged"):
        data.save(part, tmp_path / part)
        files = sorted((tmp_path / part).glob("*.npz"))
        assert len(files) == 10
        parts = [np.load(path) for path in files]
        x, y = (np.concatenate([each[axis] for each in parts]) for axis in "xy")
        assert x.shape == (len(y), *shape)
        images[part] = {image.tobytes() for image in x}
        assert f"{len(y):,} " in data.describe(8)
    trained = {image.tobytes() for image in data.load("training")[0]}
    assert not images["judged"] & images["validation"]
    assert not trained & (images["judged"] | images["validation"])


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
