"""The apps that `pollen job init` writes: of one shape, and whole; the digits are trained apart."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.errors import FlowerError
from fl_worker.flower.fab import build_fab
from fl_worker.scoring.slices import cut_slices
from fl_worker.templates import TEMPLATES, write_template
from fl_worker.templates.shared.flowerapp.partition import split, train_count
from tests.worker.cli_net import Shell

IMAGES = 4_000


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_an_app_of_the_name_it_is_given(template: str, tmp_path: Path) -> None:
    write_template(tmp_path / "mine", "my-own", template)

    assert build_fab(tmp_path / "mine").name == "my-own"
    readme = (tmp_path / "mine" / "README.md").read_text()
    assert readme.startswith("# my-own\n")
    assert "| `validation-dir` |" in readme
    assert not list((tmp_path / "mine").rglob("__pycache__"))


def test_what_is_no_template_or_no_name_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="'cats'; there are digits, fashion-mnist"):
        write_template(tmp_path / "mine", "mine", "cats")
    with pytest.raises(FlowerError, match="no app name"):
        write_template(tmp_path / "mine", "my app")
    assert not (tmp_path / "mine").exists()

    write_template(tmp_path / "mine", "mine")
    with pytest.raises(FlowerError, match="isn't empty"):
        write_template(tmp_path / "mine", "again")


def test_what_no_node_has_is_written_as_a_validation_set(tmp_path: Path) -> None:
    write_template(tmp_path / "mine", "mine")
    command = [sys.executable, "-m", "flowerapp.holdout", "set"]
    subprocess.run(command, cwd=tmp_path / "mine", check=True)
    files = sorted((tmp_path / "mine" / "set").iterdir())
    counts = [len(np.load(path)["y"]) for path in files]
    assert (len(cut_slices(tmp_path / "mine" / "set")), sum(counts)) == (10, 360)


def test_the_clothes_are_learnt_on_this_machine_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell, app = Shell(tmp_path, capsys), str(tmp_path / "clothes")
    shell.ask("job", "init", app, "--template", "fashion-mnist")

    words = f"num-partitions=2 alpha=100.0 images={IMAGES}"
    options = ("--workers", "2", "--rounds", "3", "--node-config", words)
    rounds = shell.ask("job", "try", app, *options)["rounds"]

    accuracy = [each["evaluate_metrics"]["eval_acc"] for each in rounds]
    assert len(accuracy) == 3
    assert accuracy[-1] > 0.6
    assert rounds[-1]["train_metrics"]["train_loss"] < rounds[0]["train_metrics"]["train_loss"]


def test_the_network_for_clothes_has_some_57_000_parameters() -> None:
    from fl_worker.templates.fashion_mnist.flowerapp.model import Net

    assert sum(parameter.numel() for parameter in Net().parameters()) == 57_036


def test_every_example_has_one_owner_and_the_classes_are_spread_unevenly() -> None:
    labels = np.repeat(np.arange(10), 600)
    owner = split(labels, 8, alpha=0.5, seed=7)

    assert np.array_equal(owner, split(labels, 8, alpha=0.5, seed=7))
    assert np.bincount(owner, minlength=8).min() >= 10
    assert set(owner.tolist()) == set(range(8))
    of_class = np.array([np.bincount(owner[labels == label], minlength=8) for label in range(10)])
    assert of_class.sum(axis=1).tolist() == [600] * 10
    assert of_class.max(axis=1).min() > 600 // 8 * 2  # somebody has twice a fair part of each class
    assert train_count(1_001) == 800


def test_too_many_parts_are_refused_with_what_to_change() -> None:
    with pytest.raises(ValueError, match=r"60 examples can't be split into 8 .* a larger alpha"):
        split(np.repeat(np.arange(10), 6), 8, alpha=0.5, seed=7)
