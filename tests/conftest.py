"""What every test may use: stored vectors, and chance that repeats itself."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

VECTORS = Path(__file__).parent / "vectors"

settings.register_profile("explore", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "explore")


@dataclass(frozen=True)
class Vector:
    """One stored JSON file of tests/vectors."""

    path: Path
    is_updating: bool

    def load(self) -> Any:
        """Return what is stored."""
        return json.loads(self.path.read_text())

    def check(self, value: Any) -> None:
        """Hold the value, made of JSON types, against the stored one; or store it when updating."""
        text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
        if self.is_updating:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(text)
        assert self.path.exists(), f"{self.path} is missing; make it: pytest --update-vectors"
        assert json.loads(text) == self.load(), f"{self.path.name} differs: is the change meant?"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-vectors", action="store_true", help="rewrite tests/vectors")


@pytest.fixture
def vectors(request: pytest.FixtureRequest) -> Callable[[str], Vector]:
    """`vectors("learning/tree.json").check(value)`; `.load()` for files others made."""
    is_updating: bool = request.config.getoption("--update-vectors")
    return lambda path: Vector(VECTORS / path, is_updating)
