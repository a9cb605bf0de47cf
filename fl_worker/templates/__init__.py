"""The Flower apps that a requester starts from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from fl_worker.flower.errors import FlowerError

TEMPLATE = Path(__file__).resolve().parent / "digits"
NAME_LENGTH_MAX = 32


def write_template(app_dir: Path, name: str) -> None:
    """Write a small Flower app called `name` into a new or empty folder."""
    if len(name) > NAME_LENGTH_MAX or not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise FlowerError(
            f"name {name!r} is no app name: at most {NAME_LENGTH_MAX} letters, digits and "
            "hyphens, a letter first"
        )
    if app_dir.exists() and (not app_dir.is_dir() or any(app_dir.iterdir())):
        raise FlowerError(f"{app_dir} isn't empty; name a new folder")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TEMPLATE, app_dir, ignore=ignored, dirs_exist_ok=True)
    for file in (app_dir / "pyproject.toml", app_dir / "README.md"):
        file.write_text(file.read_text().replace("digits-app", name))
