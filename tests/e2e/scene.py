"""A story on a real network, typed as people type it: what is done, and what must come of it.

A story is a list of pairs: an act, and the part of the state that must be there after it. What
isn't mentioned isn't checked.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.node.localnet import Localnet, Node, find_localnet
from app.node.status import get_status
from app.sdk.client import Client
from app.sdk.keyring import Keyring, Protection
from app.sdk.protocol import U32, U64, U128, Coin, JobRequest, RoundRequest, Send
from app.sdk.signer import Signer

BIN = Path(sys.executable).parent
FLT = 1_000_000
WAIT_S, END_S, LOOK_S = 240, 30, 0.1
Terms = dict[str, str]
TERMS: Terms = {
    "--budget": "100flt", "--reserves": "0", "--evaluators": "3", "--open-seconds": "600",
    "--commit-seconds": "600", "--reveal-seconds": "300", "--include-seconds": "300",
    "--aggregate-seconds": "200", "--review-seconds": "600",
}  # fmt: skip
"""Of every job here: nobody is late because a machine is slow."""


@dataclass
class Scene:
    """The network and the people: processes, and what they leave on disk."""

    folder: Path
    validators: int
    worker_count: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # ---- what is done

    def start_the_network(self) -> None:
        """Start the nodes that don't run."""
        home = ("--home", str(self.folder / "net"))
        self.type("pollend", "localnet", "start", "--validators", str(self.validators), *home)

    # ---- what is there

    def see_nodes(self) -> dict[str, Any]:
        """How many nodes are ready, and whether they are at one height with one state."""
        nodes = [get_status(Path(node.home)) for node in self.network.nodes]
        return {
            "ready": sum(node["state"] == "ready" for node in nodes),
            "is_one_state": len({(node["height"], node["app_hash"]) for node in nodes}) == 1,
        }

    def see_people(self) -> list[str]:
        """Who follows the chain, in the order in which they came."""
        return [name for name in self.processes if self.is_ready(name)]

    def see_job(self) -> dict[str, Any]:
        """How far the job is, and what it holds."""
        job = self.ask(JobRequest(U64(1))).job
        rounds = job.completed_round_count
        return {"phase": job.phase.name, "completed": rounds, "escrow_uflt": job.escrow_uflt}

    def see_rounds(self) -> list[dict[str, Any]]:
        """Each round that was drawn."""
        count = self.ask(JobRequest(U64(1))).job.next_round
        found = [self.find_round(number).round for number in range(1, count)]
        return [
            {
                "phase": each.phase.name,
                "readers": each.reader_count,
                "included": each.included_count,
            }
            for each in found
        ]

    # ---- how

    def fund(self, names: Sequence[str]) -> None:
        """Give everyone a key, and money from the faucet."""
        ring = Keyring(self.folder / "people" / "keys", protection=Protection.TEST)
        for name in names:
            ring.add(name)
        secret = json.loads(Path(self.network.faucet).read_text())["private_key_hex"]
        faucet, amount = Signer(bytes.fromhex(secret)), (Coin("uflt", U128(10_000 * FLT)),)
        sends = [Send(faucet.address, ring.open(name).address, amount) for name in names]

        async def submit() -> None:
            async with await Client.connect(self.network.nodes[0].grpc) as client:
                await client.submit(faucet, sends)

        asyncio.run(submit())

    def find_round(self, number: int) -> Any:
        """Return a round with its seats."""
        return self.ask(RoundRequest(U64(1), U32(number))).state

    def post(self, terms: Terms) -> None:
        """Post the app to start from, as its requester."""
        words = [word for pair in (TERMS | terms).items() for word in pair]
        self.type("pollen", "job", "post", self.app, "--yes", *words, *self.options("requester"))

    @property
    def app(self) -> str:
        """Where the job's app is."""
        return str(self.folder / "digits")

    @property
    def network(self) -> Localnet:
        """The network, once it was made."""
        found = find_localnet(self.folder / "net")
        assert found is not None
        return found

    def log(self, name: str) -> Path:
        """Where a role writes its log."""
        return self.folder / f"{name}.log"

    def is_ready(self, name: str) -> bool:
        """Whether somebody's role says so."""
        return '"event": "ready"' in self.log(name).read_text()

    def type(self, *words: str) -> None:
        """Run a command that must succeed."""
        command = [str(BIN / words[0]), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}:\n{done.stderr}"

    def options(self, name: str) -> list[str]:
        """What is typed with everybody's commands; the nodes in an order of one's own."""
        at, count = len(name) + ord(name[-1]), self.validators
        nodes = [self.network.nodes[(at + i) % count].grpc for i in range(count)]
        addresses = [word for address in nodes for word in ("--node", address)]
        home = ["--home", str(self.folder / "people"), "--from", name]
        return [*addresses, *home, "--unencrypted", "--allow-private"]

    def start(self, name: str, *program: str) -> None:
        """Start somebody's role, by another program than `pollen` if one is named."""
        words = [*self.words_of(name), "--log", "json", *self.options(name)]
        with self.log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [*(program or [str(BIN / "pollen")]), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def words_of(self, name: str) -> list[str]:
        """What is typed to start somebody's role."""
        role, _, number = name.partition("-")
        if role == "requester":
            return ["job", "serve"]
        own = {
            "worker": ["--trust-anyone", "--bond", "5000flt"],
            "watcher": ["--deposit-max", "100flt"],
        }
        if role == "worker":
            config = f"partition-id={number} num-partitions={self.worker_count}"
            own["worker"] += ["--node-config", config]
        reads = ["--listen", "127.0.0.1:0", "--bond", "5000flt"]
        return [role, "start", *own.get(role, reads)]

    def ask(self, request: Any, node: Node | None = None) -> Any:
        """Ask the chain: one node, the first unless told."""
        address = (node or self.network.nodes[0]).grpc

        async def query() -> Any:
            async with await Client.connect(address) as client:
                return await client.query(request)

        return asyncio.run(query())

    def see(self, expected: dict[str, Any]) -> dict[str, Any]:
        """Return what is there of all that is expected."""
        return {name: getattr(self, f"see_{name}")() for name in expected}

    def expect(self, expected: dict[str, Any]) -> None:
        """Return once the expected part is there."""
        deadline_s = time.monotonic() + WAIT_S
        while not is_part(expected, found := self.see(expected)):
            assert time.monotonic() < deadline_s, f"{found}\n{self.last_words()}"
            time.sleep(LOOK_S)

    def last_words(self) -> str:
        """The end of every role's log."""
        lines = {name: self.log(name).read_text().splitlines()[-5:] for name in self.processes}
        return "\n".join(f"{name}: {line}" for name in lines for line in lines[name])

    def end(self) -> None:
        """Stop everything."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(END_S)
        self.type("pollend", "localnet", "stop", "--home", str(self.folder / "net"))


def is_part(expected: Any, found: Any) -> bool:
    """Whether all that is expected was found; a list must have as many, at least, in order."""
    if isinstance(expected, dict):
        return all(is_part(value, found[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) <= len(found) and all(map(is_part, expected, found))
    return bool(expected == found)


def tell(scene: Any, story: Sequence[tuple[Callable[[Any], None], dict[str, Any]]]) -> None:
    """Do each act, and see what comes of it."""
    for act, expected in story:
        began_s = time.monotonic()
        act(scene)
        scene.expect(expected)
        print(f"{time.monotonic() - began_s:5.1f} s  {act.__name__}")
