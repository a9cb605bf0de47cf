"""The Flower apps that a requester starts from: what differs in a folder each, the rest in one."""

from __future__ import annotations

import re
from pathlib import Path

from fl_worker.flower.errors import FlowerError

TEMPLATES = {"digits": "digits", "fashion-mnist": "fashion_mnist"}
"""The folder of each template's own part."""
SHARED = "shared"
NAME_LENGTH_MAX = 32


def write_template(app_dir: Path, name: str, template: str = "digits") -> None:
    """Write a small Flower app called `name` into a new or empty folder."""
    if template not in TEMPLATES:
        raise FlowerError(f"no template {template!r}; there are {', '.join(TEMPLATES)}")
    if len(name) > NAME_LENGTH_MAX or not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise FlowerError(
            f"name {name!r} is no app name: at most {NAME_LENGTH_MAX} letters, digits and "
            "hyphens, a letter first"
        )
    if app_dir.exists() and (not app_dir.is_dir() or any(app_dir.iterdir())):
        raise FlowerError(f"{app_dir} isn't empty; name a new folder")
    for part in (TEMPLATES[template], SHARED):
        append_files(Path(__file__).resolve().parent / part, app_dir, name)


def append_files(part: Path, app_dir: Path, name: str) -> None:
    """Write a part's files into an app's folder; one that is there already goes on with them."""
    for source in sorted(part.rglob("*")):
        if source.is_file() and source.suffix != ".pyc":
            target = app_dir / source.relative_to(part)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("a") as file:
                file.write(source.read_text().replace("APP-NAME", name))
