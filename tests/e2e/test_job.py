"""A small job on a real network, typed as people type it, while a validator and a worker die.

Another validator has lost its secret for the beacon; every draw has its seed from one that has not.
The story is a list of pairs: what is done, and the part of the state that must come of it. What
isn't mentioned isn't checked.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from app.kernel import vrf
from app.kernel.crypto import sha256
from app.modules import beacon
from app.node.config import Home
from app.node.localnet import Localnet, Node, find_localnet
from app.node.status import ask, get_status
from app.sdk.client import Client
from app.sdk.keyring import Keyring, Protection
from app.sdk.protocol import (
    U32,
    U64,
    U128,
    Coin,
    JobRequest,
    RoundRequest,
    Send,
    ValidatorsRequest,
)
from app.sdk.signer import Signer
from app.wire.tx import decode_slot
from fl_worker.templates.digits.flowerapp.model import Net

BIN = Path(sys.executable).parent
FLT = 1_000_000
WAIT_S, END_S, LOOK_S = 240, 30, 0.1
VALIDATORS = 4
COUNTS = {"worker": 3, "evaluator": 3, "aggregator": 1}
PEOPLE = [f"{role}-{number}" for role, count in COUNTS.items() for number in range(count)]
VICTIM = "worker-0"
TERMS = {
    "--budget": "100flt", "--rounds": "2", "--cohort": "3", "--cohort-min": "3", "--reserves": "0",
    "--evaluators": "3", "--run-config": "local-epochs=15", "--open-seconds": "600",
    "--commit-seconds": "600", "--reveal-seconds": "300", "--include-seconds": "300",
    "--aggregate-seconds": "200", "--challenge-seconds": "2", "--review-seconds": "600",
}  # fmt: skip


@dataclass
class Scene:
    """The network and the people: processes, and what they leave on disk."""

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # ---- what is done

    def start_the_network(self) -> None:
        """Start the nodes that don't run."""
        home = ("--home", str(self.folder / "net"))
        self.type("pollend", "localnet", "start", "--validators", str(VALIDATORS), *home)

    def lose_a_secret_for_the_beacon(self) -> None:
        """Take one validator's secret away, so that it can't propose where a draw is due."""
        Home(Path(self.network.nodes[0].home)).vrf_keys.unlink()

    def let_people_come(self) -> None:
        """Give everyone a key and money, and start their roles."""
        ring = Keyring(self.folder / "people" / "keys", protection=Protection.TEST)
        for name in ("requester", *PEOPLE):
            ring.add(name)
        self.fund([ring.open(name) for name in ("requester", *PEOPLE)])
        for name in PEOPLE:
            self.start(name)

    def post_a_job(self) -> None:
        """Post the app to start from."""
        app = str(self.folder / "digits")
        self.type("pollen", "job", "init", app)
        terms = [word for pair in TERMS.items() for word in pair]
        self.type("pollen", "job", "post", app, "--yes", *terms, *self.options("requester"))

    def kill_a_validator_and_a_worker(self) -> None:
        """Kill them with -9."""
        process = Home(Path(self.network.nodes[-1].home)).find_process()
        assert process is not None
        os.kill(process, signal.SIGKILL)
        self.processes[VICTIM].kill()
        self.processes[VICTIM].wait()

    def start_the_worker_again(self) -> None:
        """Start it as it was started before."""
        self.start(VICTIM)

    def take_the_model_and_accept(self) -> None:
        """Load the model in torch, and accept it."""
        out = str(self.folder / "model.pt")
        self.type("pollen", "job", "model", "1", "--out", out, *self.options("requester"))
        Net().load_state_dict(torch.load(out, weights_only=True))
        self.type("pollen", "job", "accept", "1", *self.options("requester"))

    # ---- what is there

    def see_nodes(self) -> dict[str, Any]:
        """How many nodes are ready, and whether they are at one height with one state."""
        nodes = [get_status(Path(node.home)) for node in self.network.nodes]
        return {
            "ready": sum(node["state"] == "ready" for node in nodes),
            "is_one_state": len({(node["height"], node["app_hash"]) for node in nodes}) == 1,
        }

    def see_people(self) -> list[str]:
        """Who follows the chain."""
        return [name for name in PEOPLE if '"event": "ready"' in self.log(name).read_text()]

    def see_job(self) -> dict[str, Any]:
        """How far the job is, and what it holds."""
        job = self.ask(JobRequest(U64(1))).job
        rounds = job.completed_round_count
        return {"phase": job.phase.name, "completed": rounds, "escrow_uflt": job.escrow_uflt}

    def see_rounds(self) -> list[dict[str, Any]]:
        """Each round that was drawn."""
        count = self.ask(JobRequest(U64(1))).job.next_round
        asked = [RoundRequest(U64(1), U32(number)) for number in range(1, count)]
        found = [self.ask(request).state.round for request in asked]
        return [{"phase": each.phase.name, "included": each.included_count} for each in found]

    def see_draws(self) -> list[list[bool]]:
        """Whether each node has each round drawn from a seed that a proposer's proof made."""
        return [self.check_draws(node) for node in self.network.nodes]

    # ---- how

    def check_draws(self, node: Node) -> list[bool]:
        """Work out every seed from the blocks, as anyone can, and compare the rounds'."""
        rows = self.ask(ValidatorsRequest(), node).validators
        keys = {row.validator: row.vrf_key for row in rows}
        seed, seeds = bytes(beacon.SEED_BYTES), {}
        query = '"pollen.beacon.v1.EventSeedMade.seed EXISTS"'
        found = rpc(node, f"/block_search?query={query}&per_page=100")
        for block in sorted([each["block"] for each in found["blocks"]], key=height_of):
            slot = decode_slot(b64decode(block["data"]["txs"][0]))
            assert slot.proposer.hex().upper() == block["header"]["proposer_address"]
            alpha = beacon.ALPHA + seed + bytes.fromhex(block["header"]["app_hash"])
            output = vrf.verify(keys[slot.proposer], alpha, slot.proof)
            assert output is not None
            seed = seeds[height_of(block)] = sha256(beacon.SEED + seed + output)
        requests = [RoundRequest(U64(1), U32(number)) for number in (1, 2)]
        rounds = [self.ask(request, node).state.round for request in requests]
        return [seeds[round.drawn_height] == round.seed for round in rounds]

    @property
    def network(self) -> Localnet:
        """The network, once it was made."""
        found = find_localnet(self.folder / "net")
        assert found is not None
        return found

    def log(self, name: str) -> Path:
        """Where a role writes its log."""
        return self.folder / f"{name}.log"

    def type(self, *words: str) -> None:
        """Run a command that must succeed."""
        command = [str(BIN / words[0]), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}:\n{done.stderr}"

    def options(self, name: str) -> list[str]:
        """What is typed with everybody's commands; the nodes in an order of one's own."""
        at = len(name) + ord(name[-1])
        nodes = [self.network.nodes[(at + i) % VALIDATORS].grpc for i in range(VALIDATORS)]
        addresses = [word for address in nodes for word in ("--node", address)]
        home = ["--home", str(self.folder / "people"), "--from", name]
        return [*addresses, *home, "--unencrypted", "--allow-private"]

    def start(self, name: str) -> None:
        """Start somebody's role."""
        role, _, number = name.partition("-")
        config = f"partition-id={number} num-partitions={COUNTS['worker']}"
        own = ["--listen", "127.0.0.1:0"]
        if role == "worker":
            own = ["--trust-anyone", "--node-config", config]
        words = [role, "start", *own, "--bond", "5000flt", "--log", "json", *self.options(name)]
        with self.log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [str(BIN / "pollen"), *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def fund(self, signers: list[Signer]) -> None:
        """Give everyone money from the faucet."""
        secret = json.loads(Path(self.network.faucet).read_text())["private_key_hex"]
        faucet, amount = Signer(bytes.fromhex(secret)), (Coin("uflt", U128(10_000 * FLT)),)
        sends = [Send(faucet.address, signer.address, amount) for signer in signers]

        async def submit() -> None:
            async with await Client.connect(self.network.nodes[0].grpc) as client:
                await client.submit(faucet, sends)

        asyncio.run(submit())

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


def rpc(node: Node, path: str) -> Any:
    """Ask a node's engine."""
    status, text = ask(node.rpc, path.replace('"', "%22").replace(" ", "%20"))
    assert status == 200, text
    return json.loads(text)["result"]


def height_of(block: Any) -> int:
    """A block's height, as the engine shows it."""
    return int(block["header"]["height"])


STORY: list[tuple[Callable[[Scene], None], dict[str, Any]]] = [
    (Scene.start_the_network, {"nodes": {"ready": 4}}),
    (Scene.lose_a_secret_for_the_beacon, {}),
    (Scene.let_people_come, {"people": PEOPLE}),
    (Scene.post_a_job, {"rounds": [{"phase": "COMMIT"}]}),
    (Scene.kill_a_validator_and_a_worker, {"nodes": {"ready": 3}}),
    (
        Scene.start_the_worker_again,
        {
            "rounds": [{"included": 3, "phase": "SETTLED"}, {"included": 3, "phase": "SETTLED"}],
            "job": {"phase": "REVIEW", "completed": 2},
        },
    ),
    (Scene.take_the_model_and_accept, {"job": {"phase": "SETTLED", "escrow_uflt": 0}}),
    (
        Scene.start_the_network,
        {"nodes": {"ready": 4, "is_one_state": True}, "draws": [[True, True]] * VALIDATORS},
    ),
]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.end()


@pytest.mark.timeout(900)
def test_a_job_goes_on_while_a_validator_and_a_worker_die(scene: Scene) -> None:
    for act, expected in STORY:
        began_s = time.monotonic()
        act(scene)
        scene.expect(expected)
        print(f"{time.monotonic() - began_s:5.1f} s  {act.__name__}")
