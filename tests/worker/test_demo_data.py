"""The demonstration's data sets: who holds what is said before anything starts."""

from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.fab import parse_config
from scripts.demo.data import find_data, node_config
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
        assert f"{len(y):,} " in data.describe()
    trained = {image.tobytes() for image in data.load("training")[0]}
    assert not images["judged"] & images["validation"]
    assert not trained & (images["judged"] | images["validation"])


def test_all_that_is_split_is_somebodys_in_a_file_that_its_app_can_read(tmp_path: Path) -> None:
    data = find_data("digits", None)
    data.save_workers(tmp_path / "data")
    kept = [np.load(parse_config(node_config(tmp_path / "data", n))["data-path"]) for n in range(8)]
    images = np.concatenate([each["x"] for each in kept])
    x, _ = data.load("training")
    assert sorted(map(bytes, images)) == sorted(map(bytes, x))
    assert len({tuple(np.bincount(each["y"], minlength=10)) for each in kept}) == 8, "not alike"
    sizes = " ".join(str(len(each["y"]) * 4 // 5) for each in kept)
    assert f"workers train on {sizes} examples" in data.describe()


def test_a_folder_that_is_named_is_where_the_images_are_read(tmp_path: Path) -> None:
    (tmp_path / "mine").symlink_to("/usr/share/datasets/fashion-mnist")
    named, usual = find_data("fashion-mnist", tmp_path / "mine"), find_data("fashion-mnist", None)
    assert str(tmp_path) not in usual.words
    assert f"data-dir='{(tmp_path / 'mine').resolve()}'" in named.words
    assert (named.load("holdout")[0] == usual.load("holdout")[0]).all()


def test_without_the_files_nothing_starts_and_the_way_out_is_said(tmp_path: Path) -> None:
    words = rf"{tmp_path} has no t10k.*package dataset-fashion-mnist.*DATA_FOLDER="
    with pytest.raises(Failed, match=words):
        find_data("fashion-mnist", tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"no images")
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(b"no labels")
    with pytest.raises(Failed, match="t10k-images-idx3-ubyte begins with"):
        find_data("fashion-mnist", tmp_path)
