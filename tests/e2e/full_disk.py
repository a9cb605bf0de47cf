"""A node on a disk that fills up: `python -m tests.e2e.full_disk FOLDER`, free to mount there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from app.node.genesis import FAUCET_FILE
from app.node.localnet import Node, place_nodes
from app.node.status import find_unready
from tests.e2e.running import (
    RESTLESS,
    WAIT_S,
    Payer,
    height,
    make_node,
    paid,
    read_stopped,
    wait_until,
)

DISK = "size=128m"


def start(node: Node, log: Path) -> subprocess.Popen[bytes]:
    """Start a node that logs elsewhere than on its own disk."""
    command = [sys.executable, "-m", "app.node.cli", "start", "--home", node.home]
    with log.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=file)


def fill(path: Path) -> None:
    """Take all the room that a disk has."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)):
                pass
        except OSError:
            return


def main(folder: Path) -> None:
    """Run, fill the disk, make room, run on."""
    disk, log = folder / "disk", folder / "node.log"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(disk)], check=True)
    node = place_nodes(disk, 1, None)[0]
    home = make_node(node, "localnet", {}, engine=RESTLESS)
    payer = Payer(home.path / FAUCET_FILE)
    process = start(node, log)
    wait_until(lambda: find_unready(node.metrics) == "")
    assert payer.pay(node) == 0
    wait_until(lambda: paid(node) == 1)

    fill(disk / "filler")
    assert process.wait(WAIT_S) == 1
    assert "the disk is full" in log.read_text(), log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()
    assert start(node, log).wait(WAIT_S) == 1
    assert "the disk is full, 0 MB are free" in log.read_text(), log.read_text()

    os.unlink(disk / "filler")
    before = read_stopped(home)
    assert before[2] == 1
    process = start(node, log)
    wait_until(lambda: find_unready(node.metrics) == "")
    assert payer.pay(node) == 0
    wait_until(lambda: paid(node) == 2)
    assert height(node) > before[0]
    process.terminate()
    assert process.wait(WAIT_S) == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
