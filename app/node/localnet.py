"""A network on this machine: so many validators, each a process of its own, and a faucet.

<home>/localnet.json    the chain and its nodes: names, homes, addresses
<home>/faucet.json      the key of the account with the money
<home>/node0 …          the nodes' homes; what a node logs is in its node.log, its operator's key in
                        operator.json
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from app.kernel.frozen import frozen
from app.node.comet import read_node_id
from app.node.config import Home, NodeConfig, OperatorError, is_port_free
from app.node.genesis import (
    FAUCET_FILE,
    begin_chain,
    make_account,
    make_operator,
    make_validator,
    read_template,
)
from app.node.status import ask, find_unready

NETWORK_FILE = "localnet.json"
CHAIN_ID = "pollen-localnet"
VALIDATORS = 4
VALIDATORS_MAX = 32
PORT_FIRST = 26_600
PORTS_PER_NODE = 5
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
LOG_LINES_SHOWN = 5
POLL_S = 0.05


@frozen
class Node:
    """One node of a local network, as its clients find it."""

    name: str
    home: str
    p2p: str
    rpc: str
    grpc: str
    metrics: str
    rest: str


@frozen
class Localnet:
    """A local network."""

    chain_id: str
    faucet: str
    nodes: tuple[Node, ...]


def find_localnet(home: Path) -> Localnet | None:
    """Return the network whose home this is, or None; OperatorError if another version made it."""
    path = home / NETWORK_FILE
    if not path.exists():
        return None
    try:
        values = json.loads(path.read_text())
        nodes = tuple([Node(**node) for node in values.pop("nodes")])
        return Localnet(**values, nodes=nodes)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperatorError(
            f"{path}: not of this version ({error}); remove {home} and make the network anew"
        ) from None


def start_localnet(
    home: Path, validators: int | None, base_port: int | None, genesis: str
) -> Localnet:
    """Make the network unless it exists, start the nodes that don't run, wait until blocks come."""
    network = find_localnet(home)
    if network is None:
        count = VALIDATORS if validators is None else validators
        network = make_localnet(home, count, base_port, genesis)
    if validators not in (None, len(network.nodes)):
        raise OperatorError(
            f"{home}: this network has {len(network.nodes)} validators; to make one of "
            f"{validators}, remove it first: pollend localnet reset"
        )
    idle = [node for node in network.nodes if Home(Path(node.home)).find_process() is None]
    if not idle:
        raise OperatorError(f"{home}: the network runs already; stop it: pollend localnet stop")
    wait_until_ready({node: start_node(node, len(network.nodes)) for node in idle})
    return network


def make_localnet(home: Path, validators: int, base_port: int | None, genesis: str) -> Localnet:
    """Write the homes of a new network's nodes."""
    if not 1 <= validators <= VALIDATORS_MAX:
        raise OperatorError(f"validators {validators}: from 1 to {VALIDATORS_MAX}")
    template = read_template(genesis)
    nodes = place_nodes(home, validators, base_port)
    homes = [Home(Path(node.home)) for node in nodes]
    chosen = [
        make_validator(each, node.name, make_operator(each))
        for node, each in zip(nodes, homes, strict=True)
    ]
    faucet = make_account(home / FAUCET_FILE)
    chain_genesis = json.dumps(begin_chain(CHAIN_ID, template, chosen, faucet), indent=1)
    peers = [f"{read_node_id(each.engine)}@{node.p2p}" for each, node in zip(homes, nodes)]
    for at, (node, each) in enumerate(zip(nodes, homes, strict=True)):
        (each.engine / "config" / "genesis.json").write_text(chain_genesis)
        config = NodeConfig(
            moniker=node.name,
            profile="localnet",
            p2p_address=node.p2p,
            rpc_address=node.rpc,
            grpc_address=node.grpc,
            metrics_address=node.metrics,
            rest_address=node.rest,
            peers=tuple(peers[:at] + peers[at + 1 :]),
            check_invariants=True,
        )
        each.write_config(config)
    network = Localnet(CHAIN_ID, str(home / FAUCET_FILE), tuple(nodes))
    (home / NETWORK_FILE).write_text(json.dumps(asdict(network), indent=2))
    return network


def place_nodes(home: Path, count: int, base_port: int | None) -> list[Node]:
    """Choose homes and free ports for so many nodes."""
    port_count = count * PORTS_PER_NODE
    firsts = range(PORT_FIRST, 1 << 16, 100) if base_port is None else [base_port]
    for first in firsts:
        taken = find_taken_port(first, port_count)
        if not taken:
            break
        if base_port is not None:
            raise OperatorError(f"port {taken}: in use; free it, or choose another --base-port")
    nodes = []
    for at in range(count):
        port = first + at * PORTS_PER_NODE
        addresses = [f"127.0.0.1:{port + each}" for each in range(PORTS_PER_NODE)]
        nodes.append(Node(f"node{at}", str(home / f"node{at}"), *addresses))
    return nodes


def find_taken_port(first: int, count: int) -> int | None:
    """Return the first port of a range on which somebody listens, or None."""
    ports = range(first, first + count)
    return next((port for port in ports if not is_port_free("127.0.0.1", port)), None)


def start_node(node: Node, node_count: int = 1) -> subprocess.Popen[bytes]:
    """Start a node, one of so many on this machine, that outlives this process.

    Its engine keeps to its share of the cores: engines that share one lose much of it to waking
    each other's threads.
    """
    command = [sys.executable, "-m", "app.node.cli", "start", "--home", node.home]
    cores = max((os.cpu_count() or 1) // node_count, 1)
    environment = {"GOMAXPROCS": str(cores), **os.environ}
    with (Path(node.home) / "node.log").open("ab") as log:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_until_ready(processes: dict[Node, subprocess.Popen[bytes]]) -> None:
    """Return once every node has present blocks; OperatorError if one ends or takes too long."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    waiting = dict(processes)
    while waiting:
        for node, process in list(waiting.items()):
            if process.poll() is not None:
                raise OperatorError(f"{node.name} ended:\n{last_lines(node)}")
            if is_up(node):
                del waiting[node]
        if time.monotonic() > deadline_s:
            name, reason = next((n.name, find_unready(n.metrics)) for n in waiting)
            raise OperatorError(f"{name} isn't ready after {START_TIMEOUT_S} s: {reason}")
        time.sleep(POLL_S)


def is_up(node: Node) -> bool:
    """Whether a node has present blocks; who else answers at its addresses isn't it."""
    if find_unready(node.metrics):
        return False
    status, text = ask(node.rpc, "/status")
    own = read_node_id(Home(Path(node.home)).engine)
    return status == HTTPStatus.OK and json.loads(text)["result"]["node_info"]["id"] == own


def last_lines(node: Node) -> str:
    """Return the end of what a node logged."""
    lines = (Path(node.home) / "node.log").read_text(errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES_SHOWN:])


def stop_localnet(home: Path) -> int:
    """Stop the nodes that run, at once, and return how many did."""
    network = must_find(home)
    homes = [Home(Path(node.home)) for node in network.nodes]
    with ThreadPoolExecutor(len(homes)) as pool:
        return sum(pool.map(stop_node, homes))


def stop_node(home: Home) -> bool:
    """Ask a node to end, and return once it has; whether it ran."""
    process = home.find_process()
    if process is None:
        return False
    os.kill(process, signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while home.find_process() == process:
        if time.monotonic() > deadline_s:
            os.kill(process, signal.SIGKILL)
        time.sleep(POLL_S)
    return True


def reset_localnet(home: Path) -> None:
    """Stop the network and remove what it has left."""
    network = must_find(home)
    stop_localnet(home)
    for node in network.nodes:
        shutil.rmtree(node.home, ignore_errors=True)
    for name in (NETWORK_FILE, FAUCET_FILE):
        (home / name).unlink(missing_ok=True)


def must_find(home: Path) -> Localnet:
    """Return the network whose home this is; OperatorError if there is none."""
    network = find_localnet(home)
    if network is None:
        raise OperatorError(f"{home}: no network lives here; make one: pollend localnet start")
    return network
