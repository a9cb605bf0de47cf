"""Real networks on this machine: they keep going, and come back from whatever stops them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.cosmos.bank.v1beta1.query_pb2 import QueryBalanceRequest, QueryBalanceResponse

from app.kernel.bech32 import to_bech32
from app.kernel.record import U128, Address
from app.kernel.tx import Coin
from app.modules.bank import Send
from app.node.config import Home
from app.node.localnet import CHAIN_ID, Localnet, Node, find_localnet, start_node, stop_node
from app.node.status import ask, find_unready
from app.sdk.signer import Signer, Signing, Terms, sign_tx

NOBODY = Address(bytes(20))
WAIT_S = 60


def pollend(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.node.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def start(home: Path, validators: int) -> Localnet:
    done = pollend("localnet", "start", "--home", str(home), "--validators", str(validators))
    assert done.returncode == 0, done.stderr
    network = find_localnet(home)
    assert network is not None
    return network


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localnet]:
    home = tmp_path_factory.mktemp("four")
    yield start(home, 4)
    pollend("localnet", "stop", "--home", str(home))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localnet]:
    home = tmp_path_factory.mktemp("one")
    yield start(home, 1)
    pollend("localnet", "stop", "--home", str(home))


def rpc(node: Node, path: str) -> Any:
    for _ in range(100):
        status, text = ask(node.rpc, path)
        if "catching up" not in text:  # CometBFT 0.40 answers little while it does
            break
        time.sleep(0.1)
    assert status == 200, text
    return json.loads(text)["result"]


def height(node: Node) -> int:
    return int(rpc(node, "/abci_info")["response"].get("last_block_height", 0))


def app_hash(node: Node, at: int) -> str:
    """The hash of the state after a height, which the next header carries."""
    return str(rpc(node, f"/block?height={at + 1}")["block"]["header"]["app_hash"])


def wait_until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


class Payer:
    """The faucet's account, sending money to nobody in particular."""

    def __init__(self, network: Localnet) -> None:
        faucet = json.loads(Path(network.faucet).read_text())
        self.signer = Signer(bytes.fromhex(faucet["private_key_hex"]))
        self.sequence = 0

    def pay(self, node: Node) -> int:
        """Hand over the next payment; returns the code."""
        message = Send(self.signer.address, NOBODY, (Coin("uflt", U128(1)),))
        terms = Terms(chain_id=CHAIN_ID, gas_limit=200_000, fee_uflt=2_000)
        raw = sign_tx([message], [Signing(self.signer, 0, self.sequence)], terms)
        code = rpc(node, f"/broadcast_tx_sync?tx=0x{raw.hex()}")["code"]
        self.sequence += code == 0
        return int(code)


def paid(node: Node) -> int:
    """What nobody has, in one node's committed state."""
    request = QueryBalanceRequest(address=to_bech32(NOBODY), denom="uflt")
    data = request.SerializeToString().hex()
    path = f'/abci_query?path="/cosmos.bank.v1beta1.Query/Balance"&data=0x{data}'
    value = rpc(node, path)["response"].get("value") or ""
    return int(QueryBalanceResponse.FromString(b64decode(value)).balance.amount or 0)


def test_an_idle_chain_makes_about_a_block_a_second(four: Localnet) -> None:
    time.sleep(2)
    before = height(four.nodes[0])
    time.sleep(5)
    assert 3 <= height(four.nodes[0]) - before <= 8


def test_a_node_killed_under_load_catches_up_to_the_same_state(four: Localnet) -> None:
    payer, victim = Payer(four), four.nodes[3]
    process = Home(Path(victim.home)).find_process()
    assert process is not None
    for at in range(150):
        assert payer.pay(four.nodes[0]) == 0
        if at == 50:
            os.kill(process, signal.SIGKILL)
    assert find_unready(victim.metrics) != ""
    started = pollend("localnet", "start", "--home", str(Path(victim.home).parent))
    assert started.returncode == 0, started.stderr
    assert payer.pay(victim) == 0

    wait_until(lambda: {paid(node) for node in four.nodes} == {151})
    at = height(victim) - 1
    wait_until(lambda: min(height(node) for node in four.nodes) > at)
    assert len({app_hash(node, at) for node in four.nodes}) == 1


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
    assert Payer(one).pay(node) == 0
    wait_until(lambda: paid(node) == 1)
    text = ask(node.metrics, "/metrics")[1]
    numbers = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(numbers["pollen_height"]) > 0
    assert float(numbers["pollen_txs_total"]) == 1
    assert float(numbers["pollen_mempool_pending"]) == 0
    assert float(numbers["pollen_invariants_height"]) > 0
    assert float(numbers["pollen_holdings_supply_uflt"]) > 0


@pytest.mark.parametrize("point", range(3, 9))
def test_a_node_comes_back_from_wherever_its_engine_died(
    one: Localnet, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    """The engine's own fail points, from before it saves a block to after it has applied it."""
    node = one.nodes[0]
    home = Home(Path(node.home))
    before = height(node)
    stop_node(home)
    monkeypatch.setenv("FAIL_TEST_INDEX", str(point))
    start_node(node).wait(WAIT_S)
    assert "the engine ended" in (home.path / "node.log").read_text()
    monkeypatch.delenv("FAIL_TEST_INDEX")
    start_node(node)
    wait_until(lambda: find_unready(node.metrics) == "")
    assert height(node) > before


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
