"""The network and the people of the demonstration: processes, keys, money, and the command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
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
from scripts.demo.data import WORKERS, node_config
from scripts.demo.story import FLT, FOLDER, ROOT, Failed, Story, console

BIN = Path(sys.executable).parent
AGGREGATORS, EVALUATORS, VALIDATORS = 3, 3, 4
BOND_FLT, MONEY_FLT = 5_000, 10_000
READY_TIMEOUT_S, READY_S = 240, 8.0
"""When all have registered at the latest; when all but workers have on a quiet machine."""
HONEST = ("honest", "restarted")
CHEATS = {
    "worker-8": ("silent", "commits, doesn't reveal"),
    "worker-9": ("noise", "sends noise"),
    "worker-10": ("zeros", "sends zeros"),
    "worker-11": ("copier", "copies another's commitment"),
    "evaluator-1": ("lazy", "attests unseen"),
    "evaluator-2": ("mute", "never reveals, attests unseen"),
}
"""What each cheat does: the name of it in `scripts.demo.cheats`, and in words."""
GIVE_UP = ("worker-8", "worker-11")
"""Who leaves the job in its second round; a round with it takes the whole time to reveal."""
WORKER_CHEATS = sum(name.startswith("worker") for name in CHEATS)
LIAR = ("liar", "posts a false sum in round 4")
"""What every aggregator would do if it had the first turn in that round; one has it."""
IDLE = (CHEATS["worker-9"][1], CHEATS["worker-10"][1])
"""What costs no bond: it is only not paid for."""


@dataclass
class Participant:
    """A process with a role, a key and an address that it is paid at."""

    name: str
    role: str
    command: list[str]
    signer: Signer
    payout: Address
    behaviour: str = HONEST[0]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where it logs."""
        return FOLDER / f"{self.name}.log"

    @property
    def is_honest(self) -> bool:
        """Whether it does what its role asks, with or without a break."""
        return self.behaviour in HONEST

    def start(self) -> None:
        """Start it, or start it again."""
        here = {**os.environ, "PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=FOLDER, env=here, stdin=subprocess.DEVNULL, stdout=log, stderr=log
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


def make_people(net: Localnet, data: Path) -> tuple[Participant, list[Participant]]:
    """Make the requester and everyone with a role, each with a key and a payout address.

    `data` is the folder with a file for each honest worker. A watcher registers nowhere and is
    paid itself, as a requester is.
    """
    ring = Keyring(FOLDER / "people" / "keys", protection=Protection.TEST)
    counts = {"worker": WORKERS + WORKER_CHEATS, "aggregator": AGGREGATORS, "evaluator": EVALUATORS}
    names = [
        (f"{role}-{number}", role) for role, count in counts.items() for number in range(count)
    ]
    participants = []
    for number, (name, role) in enumerate([*names, ("watcher-0", "watcher")]):
        ring.add(name)
        behaviour, words = CHEATS.get(name, ("", HONEST[0]))
        command = [str(BIN / "pollen")]
        if behaviour or role == "aggregator":
            command = [sys.executable, "-m", "scripts.demo.cheats", behaviour or LIAR[0]]
        command += [role, "start", *common(net, name, number), "--log", "json"]
        payout = name
        if role != "watcher":
            payout = ring.add(f"{name}-payout")[0].address
            command += ["--bond", f"{BOND_FLT}flt", "--payout", payout]
        if role in ("aggregator", "evaluator"):
            command += ["--listen", "127.0.0.1:0"]
        elif role == "worker":
            command = ["nice", *command, "--trust-anyone"]
            command += ["--node-config", node_config(data, number)] if number < WORKERS else []
        signer = ring.open(name)
        paid_to = signer.address if role == "watcher" else from_bech32(payout)
        participants.append(Participant(name, role, command, signer, paid_to, words))
    ring.add("requester")
    serve = [str(BIN / "pollen"), "job", "serve", *common(net, "requester", 0), "--log", "json"]
    signer = ring.open("requester")
    return Participant("requester", "requester", serve, signer, signer.address), participants


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


async def wait_ready(participants: list[Participant], story: Story) -> float:
    """Return, once all have registered, how much slower than a quiet machine this one is."""
    began_s = time.monotonic()
    deadline_s = began_s + READY_TIMEOUT_S
    with console.status("Workers, aggregators and evaluators register and bond"):
        while not all(each.is_ready() for each in participants):
            if time.monotonic() > deadline_s:
                late = [each.name for each in participants if not each.is_ready()]
                raise Failed(f"not ready after {READY_TIMEOUT_S} s: {', '.join(late)}")
            await asyncio.sleep(0.2)
    for each in participants:
        words = "" if each.is_honest else f" ({each.behaviour})"
        story.names[each.signer.address] = each.name + words
    roles = Counter(each.role for each in participants)
    cheats = ", ".join(
        f"{each.name} {each.behaviour}" for each in participants if not each.is_honest
    )
    counts = ", ".join(f"{role}: {count}" for role, count in roles.items())
    story.note(f"registered are {counts}; cheats among them: {cheats}")
    return max((time.monotonic() - began_s) / READY_S, 1.0)
