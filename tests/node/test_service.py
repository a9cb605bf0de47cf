"""A node's unit for systemd, and its key in one place: no engine runs here."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from app.node.config import Home, NodeConfig
from app.node.genesis import init_home
from app.node.service import describe_service


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "a node of 100%")
    init_home(home, NodeConfig(), "a-chain", "minimal")
    return home


def start(home: Home) -> subprocess.CompletedProcess[str]:
    unit = dict(line.split("=", 1) for line in describe_service(home).splitlines() if "=" in line)
    (engine,) = shlex.split(unit["Environment"])
    assert Path(engine.removeprefix("COMETBFT=")).is_file()
    command = [word.replace("%%", "%") for word in shlex.split(unit["ExecStart"])]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_the_unit_starts_the_node_of_its_home_whatever_that_is_called(home: Home) -> None:
    with home.lock():
        done = start(home)
    assert done.returncode == 1
    assert f"{home.path}: pollend runs here already" in done.stderr


def test_a_key_that_a_signer_has_may_not_be_here_too(home: Home) -> None:
    home.write_config(NodeConfig(priv_validator_laddr="tcp://127.0.0.1:26659"))
    done = start(home)
    assert done.returncode == 1
    assert "a key is here too" in done.stderr
    assert "priv_validator_state.json to the signer" in done.stderr
    assert "Traceback" not in done.stderr
