"""Bundles: the same bytes from the same files, and words for whoever names the wrong folder."""

import io
import zipfile
from pathlib import Path

import pytest

from fl_worker.flower.errors import FlowerError
from fl_worker.flower.fab import app_config, build_fab, install_fab, parse_config
from tests.worker.flower_apps import PYPROJECT, write_app


def test_the_same_files_give_the_same_bundle(tmp_path: Path) -> None:
    first = build_fab(write_app(tmp_path / "one"))
    second = build_fab(write_app(tmp_path / "two"))

    assert (first.publisher, first.name, first.version) == ("tests", "tiny", "1.0.0")
    assert first == second


def test_a_bundle_is_installed_once_and_quietly(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fab = build_fab(write_app(tmp_path / "src"))

    installed = install_fab(fab.data, tmp_path / "apps")

    assert installed == install_fab(fab.data, tmp_path / "apps")
    assert installed.name == fab.sha256.hex()
    assert [path.name for path in (tmp_path / "apps").iterdir()] == [installed.name]
    assert capfd.readouterr() == ("", "")


def test_a_damaged_or_swollen_bundle_is_not_installed(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("zeros.py", b"\0" * (101 * 1024 * 1024))

    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as bundle:
        bundle.writestr("app.py", b"right")
    damaged = stored.getvalue().replace(b"right", b"wrong")

    with pytest.raises(FlowerError, match="can't be installed: Bad CRC-32"):
        install_fab(damaged, tmp_path / "damaged")
    with pytest.raises(FlowerError, match="no zip file"):
        install_fab(b"no bundle", tmp_path / "apps")
    with pytest.raises(FlowerError, match="unpacked; at most"):
        install_fab(bomb.getvalue(), tmp_path / "apps")
    assert not (tmp_path / "apps").exists()


def test_a_folder_without_a_project_is_no_app(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match=r"no pyproject.toml.*pollen job init"):
        build_fab(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[tool.flwr.app]\n", "[tool.other]\n", r"tool.flwr.app"),
        ('clientapp = "app.client:app"\n', "", "clientapp"),
        ("app.client:app", "app.missing:app", r"no app/missing.py"),
        ('name = "tiny"', "name = tiny", "no valid Flower app"),
    ],
)
def test_an_app_with_a_flaw_says_which(tmp_path: Path, old: str, new: str, words: str) -> None:
    app_dir = write_app(tmp_path / "src")
    (app_dir / "pyproject.toml").write_text(PYPROJECT.replace(old, new))

    with pytest.raises(FlowerError, match=words):
        build_fab(app_dir)


def test_an_app_over_ten_megabytes_is_refused(tmp_path: Path) -> None:
    app_dir = write_app(tmp_path / "src")
    noise = "".join(f"{number * 2654435761 % 2**61:x}" for number in range(1_800_000))
    (app_dir / "app" / "weights.json").write_text(noise)

    with pytest.raises(FlowerError, match="exceeds maximum allowed size of 10,485,760"):
        build_fab(app_dir)


def test_a_run_config_is_the_apps_own_with_overrides(tmp_path: Path) -> None:
    app_dir = write_app(tmp_path / "src")

    config = app_config(app_dir, parse_config("step=0.5"))

    assert (config.serverapp, config.clientapp) == ("app.server:app", "app.client:app")
    assert config.run_config == {"step": 0.5}
    with pytest.raises(FlowerError, match="'stride' is not present"):
        app_config(app_dir, parse_config("stride=2"))


def test_a_node_config_is_read_as_flower_reads_it() -> None:
    text = "partition-id=0 alpha=0.5 path='/a b' quick=true"

    assert parse_config(text) == {"partition-id": 0, "alpha": 0.5, "path": "/a b", "quick": True}
    with pytest.raises(FlowerError, match="'oops' isn't key=value"):
        parse_config("partition-id=0 oops")
    with pytest.raises(FlowerError, match="text values need quotes"):
        parse_config("path=/data")
