"""A validator as one is run for real: its key elsewhere, its doors behind TLS, a halt in time."""

from __future__ import annotations

import json
import os
import shlex
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.node.config import Home
from app.node.genesis import FAUCET_FILE
from app.node.localnet import CHAIN_ID, Node, place_nodes, start_node, stop_node
from tests.certificates import Authority
from tests.e2e.running import (
    RESTLESS,
    WAIT_S,
    Payer,
    configure,
    height,
    last_log,
    make_node,
    paid,
    pollend,
    run_node,
    wait_until,
)

BIN = Path(sys.executable).parent
GIVEN_UP = "Max retries exceeded"


class Signer:
    """CometBFT's own remote signer, with a validator's key, and who starts it again."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self._address = folder, address
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it until it is killed."""
        self._thread = threading.Thread(target=self._supervise)
        self._process = self._launch()
        self._thread.start()

    def restart(self) -> None:
        """Start it anew, since it doesn't notice that its node was stopped."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """Kill it, if it runs."""
        process, self._process = self._process, None
        if process is not None and self._thread is not None:
            process.kill()
            self._thread.join()

    def _launch(self) -> subprocess.Popen[str]:
        program = BIN / "priv_val_server"
        assert program.exists(), "build it: python scripts/setup.py signer"
        key, state = self._folder / "key.json", self._folder / "state.json"
        places = ("-addr", self._address, "-priv-key", str(key), "-priv-state", str(state))
        command = [str(program), *places, "-chain-id", CHAIN_ID]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _supervise(self) -> None:
        """It gives up after a second without its node, and then does nothing more."""
        while (process := self._process) is not None:
            assert process.stdout is not None
            for line in process.stdout:
                if GIVEN_UP in line:
                    break
            process.kill()
            process.wait()
            if self._process is process:
                self._process = self._launch()


class Operated(NamedTuple):
    """A chain of one validator that signs elsewhere."""

    node: Node
    home: Home
    signer: Signer
    authority: Authority
    payer: Payer


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    path = tmp_path_factory.mktemp("operated")
    (node,) = place_nodes(path, 1, None)
    home = make_node(node, "localnet", {}, engine=RESTLESS)
    vault = path / "vault"
    vault.mkdir()
    (home.engine / "config" / "priv_validator_key.json").rename(vault / "key.json")
    (home.engine / "data" / "priv_validator_state.json").rename(vault / "state.json")
    authority = Authority(path)
    authority.issue(home.path / "node.pem", home.path / "node.key")
    port = int(node.rest.rpartition(":")[2]) + 7
    signer = Signer(vault, f"tcp://127.0.0.1:{port}")
    configure(
        home,
        priv_validator_laddr=f"tcp://127.0.0.1:{port}",
        tls_certificate="node.pem",
        tls_key="node.key",
    )
    signer.start()
    run_node(node)
    yield Operated(node, home, signer, authority, Payer(home.path / FAUCET_FILE))
    stop_node(home)
    signer.kill()


def test_a_validator_signs_with_a_key_that_is_elsewhere(operated: Operated) -> None:
    node, home, signer, _, payer = operated
    assert payer.pay(node) == 0
    wait_until(lambda: paid(node) == 1)
    assert "lacks the secret" not in last_log(home)
    shown = json.loads(pollend("vrf", "show", "--home", node.home, "--output", "json").stdout)
    assert shown["public_key"] and shown["vrf_keys"]  # noqa: PT018
    stored = json.loads((home.engine / "config" / "genesis.json").read_text())["validators"]
    assert [each["address"].lower() for each in stored] == [shown["validator"]]

    signer.kill()
    before = height(node)
    wait_until(lambda: "the last block is" in state_of(node))
    assert height(node) <= before + 1
    signer.start()
    wait_until(lambda: height(node) > before + 3)
    assert payer.pay(node) == 0
    wait_until(lambda: paid(node) == 2)


def state_of(node: Node) -> str:
    """What a node says of how it is."""
    shown = pollend("status", "--home", node.home, "--output", "json").stdout
    return str(json.loads(shown)["state"])


def test_its_doors_speak_tls_to_who_trusts_its_authority(operated: Operated) -> None:
    node, authority = operated.node, operated.authority
    trusted = ask_chain_id(node, authority.path)
    assert (trusted.returncode, trusted.stdout.strip()) == (0, CHAIN_ID), trusted.stderr
    stranger = ask_chain_id(node, None)
    assert stranger.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.stderr
    assert "no node answers" in ask_chain_id(node, authority.path, "").stderr

    url = f"https://{node.rest}/cosmos/base/tendermint/v1beta1/node_info"
    context = ssl.create_default_context(cafile=authority.path)
    with urllib.request.urlopen(url, context=context, timeout=10) as answer:
        assert json.load(answer)["default_node_info"]["network"] == CHAIN_ID
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(url, timeout=10)
    shown = json.loads(pollend("chain-info", "--home", node.home).stdout)
    assert shown["keplr"]["rest"] == f"https://{node.rest}"


ASK = """
import asyncio, sys
from app.sdk.client import ChainError, Client
async def ask():
    async with await Client.connect(sys.argv[1]) as client:
        print((await client.status()).chain_id)
try:
    asyncio.run(ask())
except ChainError as error:
    sys.exit(str(error))
"""


def ask_chain_id(
    node: Node, authority: Path | None, scheme: str = "https://"
) -> subprocess.CompletedProcess[str]:
    """Ask a node over gRPC, trusting an authority or the usual ones."""
    trust = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(authority)} if authority else {}
    command = [sys.executable, "-c", ASK, f"{scheme}{node.grpc}"]
    environment = {**os.environ, **trust}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_it_stops_after_a_height_and_goes_on_without(operated: Operated) -> None:
    node, home, signer, _, _ = operated
    at = height(node) + 5
    stop_node(home)
    signer.restart()
    command = [sys.executable, "-m", "app.node.cli", "start", "--home", node.home]
    done: Any = subprocess.run(
        [*command, "--halt-height", str(at)], capture_output=True, text=True, timeout=WAIT_S
    )
    assert done.returncode == 0, done.stderr
    assert f"halted after height {at}" in done.stderr
    assert "Traceback" not in done.stderr
    late = pollend("start", "--home", node.home, "--halt-height", str(at - 1))
    assert late.returncode == 1
    assert f"the node is at height {at} already" in late.stderr
    signer.restart()
    run_node(node)
    wait_until(lambda: height(node) > at)


def test_without_its_signer_it_ends_and_says_what_to_do(operated: Operated) -> None:
    node, home, signer, _, _ = operated
    stop_node(home)
    signer.kill()
    assert start_node(node).wait(WAIT_S) == 1
    assert "no remote signer connected to priv_validator_laddr" in last_log(home)
    signer.start()
    run_node(node)


def test_systemd_knows_how_to_run_it(operated: Operated, tmp_path: Path) -> None:
    unit = pollend("service", "--home", operated.node.home).stdout
    (start,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    program, *words = shlex.split(start.removeprefix("ExecStart="))
    assert Path(program).exists()
    assert words == ["start", "--home", operated.node.home]
    path = tmp_path / "pollen.service"
    path.write_text(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "pollen.service" in done.stderr) == (0, False), done.stderr
