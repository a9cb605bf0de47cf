"""Machines of a test: network namespaces with addresses of their own, joined by cables.

with Internet() as internet:
    here = internet.place("here", {"wan": "10.77.0.1"})
    here.run("pollend", "start", …)
    here.cut("wan")
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "pollend": "from app.node.cli import main; main()",
    "pollen": "from fl_worker.cli import main; main()",
}


def ip(*words: str) -> None:
    """Run a command of iproute2."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def command(program: str, *words: str) -> list[str]:
    """What runs a command of ours."""
    return [sys.executable, "-c", PROGRAMS[program], *words]


class Place:
    """One machine."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.processes: list[subprocess.Popen[bytes]] = []

    def execute(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command there, whatever it ends with."""
        inside = ["ip", "netns", "exec", self.name, *words]
        return subprocess.run(
            inside, capture_output=True, text=True, env=environment(), check=False
        )

    def run(self, program: str, *words: str) -> str:
        """Run a command of ours there; return what it says."""
        done = self.execute(*command(program, *words))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, log: Path, program: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a command of ours there, until it ends or the place does."""
        with log.open("ab") as file:
            inside = ["ip", "netns", "exec", self.name, *command(program, *words)]
            process = subprocess.Popen(inside, env=environment(), stdout=file, stderr=file)
        self.processes.append(process)
        return process

    def cut(self, lan: str) -> None:
        """Pull a cable."""
        ip("-n", self.name, "link", "set", lan, "down")


class Internet:
    """Machines and what joins them, gone at the end."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._places: list[Place] = []
        self._lans: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        processes = [process for place in self._places for process in place.processes]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        for name in self._names:
            ip("netns", "del", name)

    def place(self, name: str, cables: Mapping[str, str]) -> Place:
        """Add a machine with an address on each of some networks."""
        place = Place(self._make(name))
        for lan, address in cables.items():
            hub = self._lans.get(lan) or self._make_lan(lan)
            end = f"p{len(self._names)}{lan}"[:15]
            ip("-n", place.name, "link", "add", lan, "type", "veth", "peer", end, "netns", hub)
            ip("-n", place.name, "addr", "add", f"{address}/24", "dev", lan)
            ip("-n", hub, "link", "set", end, "master", "bridge", "up")
            ip("-n", place.name, "link", "set", lan, "up")
        self._places.append(place)
        return place

    def _make_lan(self, lan: str) -> str:
        self._lans[lan] = self._make(f"lan-{lan}")
        ip("-n", self._lans[lan], "link", "add", "bridge", "type", "bridge")
        ip("-n", self._lans[lan], "link", "set", "bridge", "up")
        return self._lans[lan]

    def _make(self, name: str) -> str:
        full = f"pollen-{os.getpid()}-{name}"
        ip("netns", "add", full)
        self._names.append(full)
        ip("-n", full, "link", "set", "lo", "up")
        return full


def environment() -> dict[str, str]:
    """What commands of ours need to find themselves and the engine."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COMETBFT": str(BIN / "cometbft")}
