"""Real networks on this machine: they keep going, and come back from whatever stops them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from app.node.config import Home
from app.node.localnet import (
    CHAIN_ID,
    Localnet,
    find_localnet,
    make_localnet,
    place_nodes,
    start_node,
    stop_node,
)
from app.node.status import ask, find_unready
from tests.abci_grammar import is_right, read_runs
from tests.e2e.running import (
    RESTLESS,
    Payer,
    assert_alike,
    configure,
    height,
    make_node,
    paid,
    pollend,
    rpc,
    run_node,
    wait_until,
)

SNAPSHOT_BLOCKS = 20
KILLS = 5
PAYMENTS_MAX = 150
"""Between one kill and the next."""


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localnet]:
    home = tmp_path_factory.mktemp("four")
    for node in make_localnet(home, 4, None, "localnet").nodes:
        settings = {"log_level": "debug", "snapshot_interval": SNAPSHOT_BLOCKS}
        configure(Home(Path(node.home)), **settings)
    yield start(home)
    pollend("localnet", "stop", "--home", str(home))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localnet]:
    home = tmp_path_factory.mktemp("one")
    (node,) = make_localnet(home, 1, None, "localnet").nodes
    configure(Home(Path(node.home)), engine=RESTLESS)
    yield start(home)
    pollend("localnet", "stop", "--home", str(home))


def start(home: Path) -> Localnet:
    done = pollend("localnet", "start", "--home", str(home))
    assert done.returncode == 0, done.stderr
    network = find_localnet(home)
    assert network is not None
    return network


def test_an_idle_chain_makes_about_a_block_a_second(four: Localnet) -> None:
    time.sleep(2)
    before = height(four.nodes[0])
    time.sleep(5)
    assert 3 <= height(four.nodes[0]) - before <= 8


def test_a_node_killed_at_random_under_load_catches_up_to_the_same_state(four: Localnet) -> None:
    """It or its engine, also while it starts."""
    payer, victim, random = Payer(Path(four.faucet)), four.nodes[3], Random(7)
    home = Home(Path(victim.home))
    for _ in range(KILLS):
        for _ in range(random.randrange(PAYMENTS_MAX)):
            assert payer.pay(four.nodes[0]) == 0
        wait_until(lambda: home.find_process() is not None)
        process = home.find_process()
        assert process is not None
        os.kill(random.choice([process, *children_of(process)]), signal.SIGKILL)
        wait_until(lambda: home.find_process() is None and not is_engine_alive(home))
        start_node(victim)
    wait_until(lambda: find_unready(victim.metrics) == "")
    wait_until(lambda: paid(victim) == payer.sequence)
    assert payer.pay(victim) == 0
    wait_until(lambda: {paid(node) for node in four.nodes} == {payer.sequence})
    assert_alike(*four.nodes)


def children_of(process: int) -> list[int]:
    """The processes that a process has started."""
    try:
        tasks = list(Path(f"/proc/{process}/task").glob("*/children"))
        return [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:  # it has just ended
        return []


def test_a_fresh_node_joins_from_a_snapshot_and_is_the_same(four: Localnet) -> None:
    spare = place_nodes(Path(four.faucet).parent / "joining", 1, None)[0]
    homes = {node.p2p: Home(Path(node.home)) for node in four.nodes}
    genesis = str(Home(Path(four.nodes[0].home)).engine / "config" / "genesis.json")
    home = make_node(spare, genesis, homes, log_level="debug")
    wait_until(lambda: bool(list(Home(Path(four.nodes[0].home)).snapshots.glob("*/head"))))
    with (home.path / "node.log").open("ab") as log:
        command = [sys.executable, "-m", "app.node.cli", "start", "--home", str(home.path)]
        rpcs = ",".join(f"http://{node.rpc}" for node in four.nodes[:2])
        subprocess.Popen([*command, "--state-sync", rpcs], stdout=log, stderr=log)
    wait_until(lambda: find_unready(spare.metrics) == "")
    assert int(rpc(spare, "/status")["sync_info"]["earliest_block_height"]) > SNAPSHOT_BLOCKS
    assert paid(spare) == paid(four.nodes[0])
    assert_alike(spare, *four.nodes)
    stop_node(home)
    run_node(spare)
    assert_alike(spare, *four.nodes)
    stop_node(home)
    runs = read_runs((home.path / "node.log").read_text())
    assert all(is_right(calls) for calls in runs), runs
    assert runs[0].startswith("OA")


def test_every_node_takes_the_same_snapshots(four: Localnet) -> None:
    before = height(four.nodes[0])
    due = before + SNAPSHOT_BLOCKS - before % SNAPSHOT_BLOCKS
    payer = Payer(Path(four.faucet))
    payer.sequence = paid(four.nodes[0])
    while height(four.nodes[0]) <= due:
        assert payer.pay(four.nodes[0]) == 0
    folders = [Home(Path(node.home)).snapshots / str(due) for node in four.nodes]
    wait_until(lambda: all(folder.exists() for folder in folders))
    contents = [[(p.name, p.read_bytes()) for p in sorted(each.iterdir())] for each in folders]
    assert contents[0][0][0] == "0"
    assert contents.count(contents[0]) == 4


def test_the_engine_calls_in_the_order_of_its_specification(four: Localnet) -> None:
    for node in four.nodes:
        runs = read_runs((Path(node.home) / "node.log").read_text())
        assert all(is_right(calls) for calls in runs), runs
        assert len("".join(runs)) > 100


def test_a_second_start_is_refused(four: Localnet) -> None:
    home = str(Path(four.nodes[0].home).parent)
    again = pollend("localnet", "start", "--home", home)
    assert (again.returncode, "runs already" in again.stderr) == (1, True)
    other_size = pollend("localnet", "start", "--home", home, "--validators", "2")
    assert "this network has 4 validators" in other_size.stderr
    second = pollend("start", "--home", four.nodes[0].home)
    assert (second.returncode, "runs here already" in second.stderr) == (1, True)
    assert "Traceback" not in second.stderr


def test_a_network_is_started_again_as_it_is(one: Localnet) -> None:
    home = str(Path(one.nodes[0].home).parent)
    stopped = pollend("localnet", "stop", "--home", home, "--output", "json")
    assert json.loads(stopped.stdout) == {"stopped": 1}
    started = pollend("localnet", "start", "--home", home, "--output", "json")
    assert len(json.loads(started.stdout)["nodes"]) == 1


def test_status_shows_every_node(four: Localnet) -> None:
    home = str(Path(four.nodes[0].home).parent)
    shown = json.loads(pollend("localnet", "status", "--home", home, "--output", "json").stdout)
    assert [node["state"] for node in shown["nodes"]] == ["ready"] * 4
    assert {node["peers"] for node in shown["nodes"]} == {3}
    single = pollend("status", "--home", four.nodes[1].home, "--output", "json")
    assert json.loads(single.stdout)["chain_id"] == CHAIN_ID


def test_metrics_count_blocks_and_transactions(one: Localnet) -> None:
    node = one.nodes[0]
    assert Payer(Path(one.faucet)).pay(node) == 0
    wait_until(lambda: paid(node) == 1)
    text = ask(node.metrics, "/metrics")[1]
    numbers = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(numbers["pollen_height"]) > 0
    assert float(numbers["pollen_txs_total"]) == 1
    assert float(numbers["pollen_mempool_pending"]) == 0
    assert float(numbers["pollen_invariants_height"]) > 0
    assert float(numbers["pollen_holdings_supply_uflt"]) > 0


def test_twenty_clean_stops_and_starts(one: Localnet) -> None:
    node = one.nodes[0]
    home = Home(Path(node.home))
    for _ in range(20):
        before, began_s = height(node), time.monotonic()
        assert stop_node(home)
        assert time.monotonic() - began_s < 8, "the engine had to be killed"
        assert not is_engine_alive(home)
        start_node(node)
        wait_until(lambda: find_unready(node.metrics) == "")
        assert height(node) > before


def is_engine_alive(home: Home) -> bool:
    """Whether an engine still runs on a home."""
    found = subprocess.run(["pgrep", "-f", f"{home.engine}"], capture_output=True, check=False)
    return found.returncode == 0
