"""Nodes on machines of their own: by README's commands, over a network, behind sentries."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.node.comet import read_node_id
from app.node.config import Home
from app.node.genesis import FAUCET_FILE
from tests.e2e.places import Internet, Place, command

WAIT_S = 90
SNAPSHOT_BLOCKS = 10
QUICK = {
    "consensus": {"create_empty_blocks_interval": "200ms"},
    "p2p": {"addr_book_strict": False},  # the addresses here are none of the internet
}
PORT = 26656


class Machine(NamedTuple):
    """A machine with a node."""

    place: Place
    home: Home

    def init(self, *words: str) -> Any:
        """Make the node."""
        home = ("--home", str(self.home.path), "--output", "json")
        return json.loads(self.place.run("pollend", "init", *home, *words))

    def configure(self, p2p: Any = None, **settings: Any) -> None:
        """Change settings of the node."""
        engine = {**QUICK, "p2p": {**QUICK["p2p"], **(p2p or {})}}
        self.home.write_config(replace(self.home.read_config(), engine=engine, **settings))

    def start(self, *words: str) -> None:
        """Start the node."""
        log = self.home.path / "node.log"
        self.place.start(log, "pollend", "start", "--home", str(self.home.path), *words)

    def status(self) -> Any:
        """What the node says of itself."""
        words = ("status", "--home", str(self.home.path), "--output", "json")
        return json.loads(self.place.execute(*command("pollend", *words)).stdout)

    def height(self) -> int:
        """The last block of a node that has the chain's present state; 0 of another."""
        found = self.status()
        return found["height"] if found["state"] == "ready" else 0

    def peer(self, address: str) -> str:
        """What others call it."""
        return f"{read_node_id(self.home.engine)}@{address}:{PORT}"

    def engine(self, path: str) -> Any:
        """What its engine answers."""
        code = (
            "import sys, urllib.request as r;"
            f"print(r.urlopen('http://127.0.0.1:26657{path}').read().decode())"
        )
        done = self.place.execute(sys.executable, "-c", code)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["result"]


@pytest.fixture
def internet() -> Iterator[Internet]:
    with Internet() as internet:
        yield internet


def wait_until(holds: Callable[[], Any]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.5)


def begin(internet: Internet, path: Path, name: str, cables: dict[str, str]) -> Machine:
    """A machine with a new chain's only validator."""
    machine = Machine(internet.place(name, cables), Home(path / name))
    machine.init("--chain-id", "pollen-test", "--genesis", "localnet", "--moniker", name)
    return machine


@pytest.mark.parametrize("syncs", [True, False], ids=["state sync", "from the first block"])
def test_a_validator_joins_by_the_commands_of_the_readme(
    internet: Internet, tmp_path: Path, syncs: bool
) -> None:
    first = begin(internet, tmp_path, "first", {"wan": "10.77.0.1"})
    first.configure(
        rpc_address="0.0.0.0:26657", snapshot_interval=SNAPSHOT_BLOCKS, snapshot_keep=50
    )
    first.start()
    wait_until(lambda: first.height() > 2 * SNAPSHOT_BLOCKS)

    second = Machine(internet.place("second", {"wan": "10.77.0.2"}), Home(tmp_path / "second"))
    genesis = str(first.home.engine / "config" / "genesis.json")
    peer = first.peer("10.77.0.1")
    made = second.init("--moniker", "me", "--genesis", genesis, "--peers", peer)
    second.configure()
    rpcs = "http://10.77.0.1:26657,http://10.77.0.1:26657"
    second.start(*(("--state-sync", rpcs) if syncs else ()))
    wait_until(second.height)
    earliest = int(second.engine("/status")["sync_info"]["earliest_block_height"])
    assert (earliest > 1) == syncs
    keys = ("--pubkey", made["public_key"], "--vrf-key", made["vrf_key"])
    faucet = ("--operator-file", str(first.home.path / FAUCET_FILE))
    words = ("--moniker", "me", "--stake", "1000flt", "--home", str(tmp_path / "pollen"))
    created = second.place.run(
        "pollen", "validator", "create", *keys, *words, *faucet, "--output", "json"
    )
    address = json.loads(created)["validator"].upper()

    def signs() -> bool:
        height = int(first.engine("/status")["sync_info"]["latest_block_height"]) - 1
        commit = first.engine(f"/commit?height={height}")["signed_header"]["commit"]
        return address in [each["validator_address"] for each in commit["signatures"]]

    wait_until(signs)
    at = first.height()
    wait_until(lambda: min(first.height(), second.height()) > at)
    hashes = [each.engine(f"/block?height={at}")["block"]["header"] for each in (first, second)]
    assert hashes[0]["app_hash"] == hashes[1]["app_hash"]


def test_a_validator_behind_sentries_is_reached_by_nobody_else_and_survives_one(
    internet: Internet, tmp_path: Path
) -> None:
    """A validator in a network of its own, two sentries between that and the world's node."""
    hidden = begin(internet, tmp_path, "hidden", {"inner": "10.88.0.1"})
    genesis = str(hidden.home.engine / "config" / "genesis.json")
    world = Machine(internet.place("world", {"wan": "10.77.0.9"}), Home(tmp_path / "world"))
    world.init("--moniker", "world", "--genesis", genesis)
    sentries = []
    for number in (1, 2):
        cables = {"inner": f"10.88.0.{10 + number}", "wan": f"10.77.0.{10 + number}"}
        sentry = Machine(
            internet.place(f"sentry{number}", cables), Home(tmp_path / f"sentry{number}")
        )
        sentry.init("--moniker", f"sentry{number}", "--genesis", genesis)
        sentries.append(sentry)
    own = read_node_id(hidden.home.engine)
    inner = tuple([each.peer(f"10.88.0.{11 + at}") for at, each in enumerate(sentries)])
    hidden.configure({"pex": False}, peers=inner)
    for sentry in sentries:
        kept = {"private_peer_ids": own, "unconditional_peer_ids": own}
        sentry.configure(kept, peers=(hidden.peer("10.88.0.1"),))
    world.configure(peers=tuple([e.peer(f"10.77.0.{11 + at}") for at, e in enumerate(sentries)]))
    for machine in (hidden, *sentries, world):
        machine.start()
    wait_until(world.height)
    wait_until(lambda: world.status()["peers"] == 2)
    assert own not in known_to(world)
    assert hidden.status()["peers"] == 2

    for lan in ("wan", "inner"):
        sentries[0].place.cut(lan)
    at = world.height()
    wait_until(lambda: world.height() > at + 10)
    assert own not in known_to(world)


def known_to(machine: Machine) -> str:
    """All that a node knows of others: whom it is connected to, and whom it has heard of."""
    heard = machine.home.engine / "config" / "addrbook.json"
    return json.dumps(machine.engine("/net_info")) + (heard.read_text() if heard.exists() else "")
