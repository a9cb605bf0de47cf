"""Networks that run on this machine, as a test starts, stops, asks and pays them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cosmpy.protos.cosmos.bank.v1beta1.query_pb2 import QueryBalanceRequest, QueryBalanceResponse

from app.kernel.bech32 import to_bech32
from app.kernel.record import U128, Address
from app.kernel.tx import Coin
from app.modules import bank
from app.node.comet import read_node_id
from app.node.config import Home, NodeConfig
from app.node.genesis import init_home
from app.node.leveldb import LevelStore
from app.node.localnet import CHAIN_ID, Node, start_node
from app.node.status import ask, find_unready
from app.sdk.signer import Signer, Signing, Terms, sign_tx

NOBODY = Address(bytes(20))
WAIT_S = 60
RESTLESS = {"consensus": {"create_empty_blocks_interval": "100ms"}}
"""Settings of an engine that doesn't make a test wait a second for each block."""


def pollend(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `pollend`."""
    command = [sys.executable, "-m", "app.node.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def configure(home: Home, **settings: Any) -> None:
    """Change settings of a node."""
    home.write_config(replace(home.read_config(), **settings))


def make_node(node: Node, genesis: str, peers: Mapping[str, Home], **settings: Any) -> Home:
    """Write the home of a node that isn't part of a localnet."""
    home = Home(Path(node.home))
    config = NodeConfig(
        moniker=node.name,
        profile="localnet",
        p2p_address=node.p2p,
        rpc_address=node.rpc,
        grpc_address=node.grpc,
        metrics_address=node.metrics,
        rest_address=node.rest,
        peers=tuple([f"{read_node_id(each.engine)}@{p2p}" for p2p, each in peers.items()]),
        check_invariants=True,
        **settings,
    )
    init_home(home, config, CHAIN_ID, genesis)
    return home


def rpc(node: Node, path: str) -> Any:
    """What a node's engine answers."""
    for _ in range(100):
        status, text = ask(node.rpc, path)
        if "catching up" not in text:  # CometBFT 0.40 answers little while it does
            break
        time.sleep(0.1)
    assert status == 200, text
    return json.loads(text)["result"]


def height(node: Node) -> int:
    """The last committed block."""
    return int(rpc(node, "/abci_info")["response"].get("last_block_height", 0))


def app_hash(node: Node, at: int) -> str:
    """The hash of the state after a height, which the next header carries."""
    return str(rpc(node, f"/block?height={at + 1}")["block"]["header"]["app_hash"])


def wait_until(holds: Callable[[], bool]) -> None:
    """Return once something holds."""
    deadline_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def run_node(node: Node) -> None:
    """Start a node and return once its blocks are present ones."""
    start_node(node)
    wait_until(lambda: find_unready(node.metrics) == "")


def assert_alike(*nodes: Node) -> None:
    """Hold the nodes' present states against each other."""
    at = max(height(node) for node in nodes)
    wait_until(lambda: min(height(node) for node in nodes) > at)
    assert len({app_hash(node, at) for node in nodes}) == 1


def last_log(home: Home) -> str:
    """What a node logged since it was started last."""
    return (home.path / "node.log").read_text().rpartition("INFO    pollend ")[2]


class Payer:
    """The faucet's account, sending money to nobody in particular."""

    def __init__(self, faucet: Path) -> None:
        self.signer = Signer(bytes.fromhex(json.loads(faucet.read_text())["private_key_hex"]))
        self.sequence = 0

    def pay(self, node: Node) -> int:
        """Hand over the next payment; returns the code."""
        code = rpc(node, self._sign())["code"]
        self.sequence += code == 0
        return int(code)

    def offer(self, node: Node) -> None:
        """Hand over the next payment to a node that may be gone before it answers, or executes."""
        status, _ = ask(node.rpc, self._sign())
        self.sequence += status == 200

    def _sign(self) -> str:
        message = bank.Send(self.signer.address, NOBODY, (Coin("uflt", U128(1)),))
        terms = Terms(chain_id=CHAIN_ID, gas_limit=200_000, fee_uflt=2_000)
        raw = sign_tx([message], [Signing(self.signer, 0, self.sequence)], terms)
        return f"/broadcast_tx_sync?tx=0x{raw.hex()}"


def paid(node: Node) -> int:
    """What nobody has, in one node's committed state."""
    request = QueryBalanceRequest(address=to_bech32(NOBODY), denom="uflt")
    data = request.SerializeToString().hex()
    path = f'/abci_query?path="/cosmos.bank.v1beta1.Query/Balance"&data=0x{data}'
    value = rpc(node, path)["response"].get("value") or ""
    return int(QueryBalanceResponse.FromString(b64decode(value)).balance.amount or 0)


def read_stopped(home: Home) -> tuple[int, str, int]:
    """Height, hash and what nobody has, of the state that a node left on disk."""
    store = LevelStore(home.state)
    found = store.last.height, store.last.app_hash.hex().upper(), bank.get_balance(store, NOBODY)
    store.close()
    return found
