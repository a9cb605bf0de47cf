"""Flower app bundles: build one from a folder, install one, read what it says about itself.

The only place where our own process touches Flower's internals. Flower is imported inside the
functions, with telemetry, update checks and run-time installs switched off first.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_worker.flower.errors import FlowerError

FAB_BYTES_MAX = 10 * 1024 * 1024
INSTALLED_BYTES_MAX = 100 * 1024 * 1024
QUIET_FLOWER = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
}

ConfigValue = bool | int | float | str
BAD_ZIP = (zipfile.BadZipFile, zlib.error, RuntimeError)
"""What `zipfile` raises for damaged, encrypted or oddly packed entries."""


@dataclass(frozen=True)
class Fab:
    """One bundle: its bytes, their SHA-256 (32 bytes), and the name it gives itself."""

    data: bytes
    sha256: bytes
    publisher: str
    name: str
    version: str


@dataclass(frozen=True)
class AppConfig:
    """What an app's pyproject.toml declares: where its two parts are, and its run config."""

    serverapp: str
    clientapp: str
    run_config: dict[str, ConfigValue]


def build_fab(app_dir: Path) -> Fab:
    """Bundle the Flower app in a folder; the same files always give the same bytes."""
    if not (app_dir / "pyproject.toml").is_file():
        raise FlowerError(
            f"{app_dir} is no Flower app: it has no pyproject.toml. "
            "Start from one with `pollen job init DIR`."
        )
    with _flower(f"{app_dir} is no valid Flower app"):
        from flwr.cli.build import build_fab_from_disk
        from flwr.common.config import get_fab_config

        data = build_fab_from_disk(app_dir)
        config = get_fab_config(data)
    _check_components(app_dir, config, data)
    return Fab(
        data,
        hashlib.sha256(data).digest(),
        config["tool"]["flwr"]["app"]["publisher"],
        config["project"]["name"],
        config["project"]["version"],
    )


def install_fab(data: bytes, apps_dir: Path) -> Path:
    """Unpack a bundle into `apps_dir/<sha256>`, whole or not at all, and give back that folder.

    Flower's own installer takes a second of processor time to import, and then checks the hashes in
    the bundle, which its name stands for here.
    """
    target = apps_dir.resolve() / hashlib.sha256(data).hexdigest()
    if target.is_dir():
        return target
    _check_size(data)
    apps_dir.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=apps_dir, prefix="installing-") as scratch,
        _flower("the bundle can't be installed"),
    ):
        unpacked = Path(scratch) / "app"
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:  # it leaves out ".." and a leading "/"
            bundle.extractall(unpacked)
        with contextlib.suppress(OSError):  # another worker was faster; its bytes are the same
            unpacked.rename(target)
    if not target.is_dir():
        raise FlowerError(f"the bundle can't be installed: {target} can't be written")
    return target


def app_config(app_dir: Path, overrides: Mapping[str, ConfigValue] | None = None) -> AppConfig:
    """Read an app's components and its run config, with `overrides` of keys that it declares."""
    with _flower(f"the app in {app_dir} can't be configured"):
        from flwr.common.config import get_fused_config_from_dir, get_project_config

        components = get_project_config(app_dir)["tool"]["flwr"]["app"]["components"]
        run_config = get_fused_config_from_dir(app_dir, dict(overrides or {}))
    return AppConfig(components["serverapp"], components["clientapp"], run_config)


def parse_config(text: str) -> dict[str, ConfigValue]:
    """Read `key=value key="text"` as Flower's --run-config and --node-config do."""
    left_over = re.sub(r"\S+?=('[^']*'|\"[^\"]*\"|\S+)", "", text).strip()
    if left_over and not text.endswith(".toml"):
        raise FlowerError(f"config {text!r}: {left_over!r} isn't key=value, e.g. partition-id=0")
    with _flower(f"config {text!r} can't be read; text values need quotes, e.g. path='/data'"):
        from flwr.common.config import parse_config_args

        parsed: dict[str, ConfigValue] = parse_config_args([text])
    return parsed


@contextlib.contextmanager
def _flower(what: str) -> Iterator[None]:
    """Run Flower's code quietly, and turn what it raises into one error of ours."""
    os.environ.update(QUIET_FLOWER, FLWR_HOME=str(Path.home() / ".pollen" / "flower"))
    import click

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except click.ClickException as error:
        raise FlowerError(f"{what}: {error.message}") from None
    except (ValueError, OSError, KeyError, TypeError, *BAD_ZIP) as error:
        raise FlowerError(f"{what}: {error}") from None


def _check_components(app_dir: Path, config: dict[str, Any], data: bytes) -> None:
    """Refuse a bundle that lacks the module of its ServerApp or of its ClientApp."""
    components = config["tool"]["flwr"]["app"]["components"]
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        files = set(bundle.namelist())
    for part in ("serverapp", "clientapp"):
        if part not in components:
            raise FlowerError(f"{app_dir}/pyproject.toml: [tool.flwr.app.components] lacks {part}")
        module = components[part].partition(":")[0].replace(".", "/")
        if not files & {f"{module}.py", f"{module}/__init__.py"}:
            raise FlowerError(
                f"{app_dir}/pyproject.toml: {part} is {components[part]!r}, but the bundle has "
                f"no {module}.py. Correct the name, or the fab-include patterns."
            )


def _check_size(data: bytes) -> None:
    """Refuse a bundle that is too large, packed or unpacked, before anything is written."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            unpacked_bytes = sum(entry.file_size for entry in bundle.infolist())
    except zipfile.BadZipFile:
        raise FlowerError("the bundle can't be installed: it is no zip file") from None
    if len(data) > FAB_BYTES_MAX or unpacked_bytes > INSTALLED_BYTES_MAX:
        raise FlowerError(
            f"the bundle has {len(data):,} bytes, {unpacked_bytes:,} unpacked; at most "
            f"{FAB_BYTES_MAX:,} and {INSTALLED_BYTES_MAX:,} are installed"
        )
