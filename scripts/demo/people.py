"""The network and the people of the demonstration: processes, keys, money, and the command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.node.localnet import Localnet, find_localnet
from app.sdk.client import Client
from app.sdk.keyring import Keyring, Protection
from app.sdk.protocol import U128, Address, Coin, Send
from app.sdk.signer import Signer
from app.sdk.text import from_bech32
from scripts.demo.data import DataSet
from scripts.demo.story import FLT, FOLDER, Failed, Story, console

BIN = Path(sys.executable).parent
WORKERS, AGGREGATORS, EVALUATORS, VALIDATORS = 8, 3, 3, 4
BOND_FLT, MONEY_FLT = 5_000, 10_000
READY_TIMEOUT_S = 120


@dataclass
class Participant:
    """A process with a role, a key and an address that it is paid at."""

    name: str
    role: str
    command: list[str]
    signer: Signer
    payout: Address
    behaviour: str = "honest"
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where it logs."""
        return FOLDER / f"{self.name}.log"

    def start(self) -> None:
        """Start it, or start it again."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def is_ready(self) -> bool:
        """Whether it has registered and follows the chain; Failed if it has ended."""
        assert self.process is not None
        text = self.log.read_text(errors="replace")
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended:\n" + "\n".join(text.splitlines()[-5:]))
        return '"event": "ready"' in text


@contextlib.contextmanager
def network() -> Iterator[Localnet]:
    """Run a local network, and stop it."""
    home = FOLDER / "net"
    pollend("localnet", "start", "--validators", str(VALIDATORS), "--home", str(home))
    try:
        net = find_localnet(home)
        assert net is not None
        yield net
    finally:
        pollend("localnet", "stop", "--home", str(home))


def pollend(*arguments: str) -> str:
    """Run the daemon's command line."""
    return run_command("pollend", *arguments)


def pollen(*arguments: str) -> Any:
    """Run the client's command line and return what it says."""
    return json.loads(run_command("pollen", *arguments, "--output", "json"))


def run_command(name: str, *arguments: str) -> str:
    """Run a command of ours; Failed with what it says if it fails."""
    done = subprocess.run(
        [str(BIN / name), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{name} {' '.join(arguments)}:\n{done.stderr.strip()}")
    return done.stdout


def common(net: Localnet, name: str, node: int) -> list[str]:
    """Return the options of everybody's commands; people are spread over the validators."""
    nodes = [net.nodes[(node + i) % len(net.nodes)].grpc for i in range(len(net.nodes))]
    addresses = [word for address in nodes for word in ("--node", address)]
    home = ["--home", str(FOLDER / "people"), "--from", name, "--unencrypted", "--allow-private"]
    return [*addresses, *home]


def make_people(net: Localnet, data: DataSet) -> tuple[Signer, list[Participant]]:
    """Make the requester and everyone with a role, each with a key and a payout address."""
    ring = Keyring(FOLDER / "people" / "keys", protection=Protection.TEST)
    ring.add("requester")
    participants = []
    counts = {"worker": WORKERS, "aggregator": AGGREGATORS, "evaluator": EVALUATORS}
    for role, count in counts.items():
        for number in range(count):
            name = f"{role}-{number}"
            ring.add(name)
            payout = ring.add(f"{name}-payout")[0].address
            bond = ["--bond", f"{BOND_FLT}flt", "--payout", payout, "--log", "json"]
            start = [str(BIN / "pollen"), role, "start", *common(net, name, number), *bond]
            if role == "worker":
                start += ["--trust-anyone", "--node-config", data.node_config(number, WORKERS)]
            else:
                start += ["--listen", "127.0.0.1:0"]
            people = Participant(name, role, start, ring.open(name), from_bech32(payout))
            participants.append(people)
    return ring.open("requester"), participants


def faucet_signer(net: Localnet) -> Signer:
    """Return the key of the account with the money."""
    return Signer(bytes.fromhex(json.loads(Path(net.faucet).read_text())["private_key_hex"]))


async def fund(client: Client, faucet: Signer, signers: list[Signer]) -> None:
    """Give everybody money in one transaction."""
    amount = (Coin("uflt", U128(MONEY_FLT * FLT)),)
    sends = [Send(faucet.address, signer.address, amount) for signer in signers]
    await client.submit(faucet, sends)


@contextlib.contextmanager
def running(participants: list[Participant]) -> Iterator[None]:
    """Start everybody, and stop them."""
    for each in participants:
        each.start()
    try:
        yield
    finally:
        processes = [each.process for each in participants if each.process is not None]
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


async def wait_ready(participants: list[Participant], story: Story) -> None:
    """Return once everybody has registered."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    with console.status("Workers, aggregators and evaluators register and bond"):
        while not all(each.is_ready() for each in participants):
            if time.monotonic() > deadline_s:
                late = [each.name for each in participants if not each.is_ready()]
                raise Failed(f"not ready after {READY_TIMEOUT_S} s: {', '.join(late)}")
            await asyncio.sleep(0.2)
    story.note(f"{WORKERS} workers, {AGGREGATORS} aggregators, {EVALUATORS} evaluators are ready")
