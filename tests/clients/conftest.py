"""One network of one validator for all clients, and people with money on it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.kernel.bech32 import to_bech32
from app.kernel.crypto import sha256
from app.kernel.record import U128
from app.kernel.tx import Coin
from app.modules.bank import Input, MultiSend, Output
from app.node.localnet import Localnet, Node, find_localnet
from app.sdk.client import Client
from app.sdk.signer import Signer
from tests.build import FLT

JS = Path(__file__).parents[1] / "js"
PEOPLE = ("pia", "ray", "jan", "job", "kim", "ben")
GIFT_UFLT = 50_000 * FLT


@dataclass(frozen=True)
class World:
    """The network as a client finds it."""

    network: Localnet

    @property
    def node(self) -> Node:
        return self.network.nodes[0]

    def signer(self, name: str) -> Signer:
        """The key that belongs to a name; those of PEOPLE have money."""
        return Signer(sha256(name.encode()))

    def address(self, name: str) -> str:
        return to_bech32(self.signer(name).address)


def pollend(*arguments: str) -> str:
    command = [sys.executable, "-m", "app.node.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("clients")
    pollend("localnet", "start", "--home", str(home), "--validators", "1")
    network = find_localnet(home)
    assert network is not None
    made = World(network)
    asyncio.run(give(made))
    yield made
    pollend("localnet", "stop", "--home", str(home))


async def give(world: World) -> None:
    """Let the faucet give everybody money, in one message."""
    key = json.loads(Path(world.network.faucet).read_text())["private_key_hex"]
    faucet = Signer(bytes.fromhex(key))
    gift, total = [(Coin("uflt", U128(GIFT_UFLT * count)),) for count in (1, len(PEOPLE))]
    outputs = tuple([Output(world.signer(name).address, gift) for name in PEOPLE])
    async with await Client.connect(world.node.grpc) as client:
        await client.submit(faucet, [MultiSend((Input(faucet.address, total),), outputs)])


@pytest.fixture
def run_js(world: World) -> Callable[..., Any]:
    """Runs a script of tests/js against the network; returns the JSON that it prints."""

    def run(script: str, **more: Any) -> Any:
        node = shutil.which("node")
        assert node, "node is missing: python scripts/setup.py js"
        given = {
            "rpc": f"http://{world.node.rpc}",
            "rest": f"http://{world.node.rest}",
            "chainId": world.network.chain_id,
            "secrets": {name: world.signer(name).secret.hex() for name in PEOPLE},
            **more,
        }
        done = subprocess.run(
            [node, JS / script],
            env={**os.environ, "POLLEN": json.dumps(given)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
