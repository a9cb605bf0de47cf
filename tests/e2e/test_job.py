"""A small job on a real network, typed as people type it, while a validator and a worker die.

Another validator has lost its secret for the beacon; every draw has its seed from one that has not.
"""

from __future__ import annotations

import json
import os
import signal
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from app.kernel import vrf
from app.kernel.crypto import sha256
from app.modules import beacon
from app.node.config import Home
from app.node.localnet import Node
from app.node.status import ask
from app.sdk.protocol import U32, U64, RoundRequest, ValidatorsRequest
from app.wire.tx import decode_slot
from fl_worker.templates.digits.flowerapp.model import Net
from tests.e2e.scene import Scene, tell

VALIDATORS = 4
COUNTS = {"worker": 3, "evaluator": 3, "aggregator": 1}
PEOPLE = [f"{role}-{number}" for role, count in COUNTS.items() for number in range(count)]
VICTIM = "worker-0"
TERMS = {
    "--rounds": "2", "--cohort": "3", "--cohort-min": "3", "--run-config": "local-epochs=15",
    "--challenge-seconds": "2",
}  # fmt: skip


class Deaths(Scene):
    """The network and the people, some of whom die."""

    def lose_a_secret_for_the_beacon(self) -> None:
        """Take one validator's secret away, so that it can't propose where a draw is due."""
        Home(Path(self.network.nodes[0].home)).vrf_keys.unlink()

    def let_people_come(self) -> None:
        """Give everyone a key and money, and start their roles."""
        self.fund(("requester", *PEOPLE))
        for name in PEOPLE:
            self.start(name)

    def post_a_job(self) -> None:
        """Post the app to start from."""
        self.type("pollen", "job", "init", self.app)
        self.post(TERMS)

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

    def see_draws(self) -> list[list[bool]]:
        """Whether each node has each round drawn from a seed that a proposer's proof made."""
        return [self.check_draws(node) for node in self.network.nodes]

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


def rpc(node: Node, path: str) -> Any:
    """Ask a node's engine."""
    status, text = ask(node.rpc, path.replace('"', "%22").replace(" ", "%20"))
    assert status == 200, text
    return json.loads(text)["result"]


def height_of(block: Any) -> int:
    """A block's height, as the engine shows it."""
    return int(block["header"]["height"])


STORY: list[tuple[Callable[[Deaths], None], dict[str, Any]]] = [
    (Deaths.start_the_network, {"nodes": {"ready": 4}}),
    (Deaths.lose_a_secret_for_the_beacon, {}),
    (Deaths.let_people_come, {"people": PEOPLE}),
    (Deaths.post_a_job, {"rounds": [{"phase": "COMMIT"}]}),
    (Deaths.kill_a_validator_and_a_worker, {"nodes": {"ready": 3}}),
    (
        Deaths.start_the_worker_again,
        {
            "rounds": [{"included": 3, "phase": "SETTLED"}, {"included": 3, "phase": "SETTLED"}],
            "job": {"phase": "REVIEW", "completed": 2},
        },
    ),
    (Deaths.take_the_model_and_accept, {"job": {"phase": "SETTLED", "escrow_uflt": 0}}),
    (
        Deaths.start_the_network,
        {"nodes": {"ready": 4, "is_one_state": True}, "draws": [[True, True]] * VALIDATORS},
    ),
]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Deaths]:
    scene = Deaths(tmp_path, VALIDATORS, COUNTS["worker"])
    yield scene
    scene.end()


@pytest.mark.timeout(900)
def test_a_job_goes_on_while_a_validator_and_a_worker_die(scene: Deaths) -> None:
    tell(scene, STORY)
