"""The judgement: accuracy beside plain Flower's, one state on all nodes, and the money."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.node.localnet import Localnet
from app.sdk.client import Client
from app.sdk.protocol import U64, JobStateRequest
from fl_worker.cli.job.model import fetch_model
from fl_worker.cli.participant import open_participant
from fl_worker.cli.settings import Settings
from scripts.demo.data import WORKERS, DataSet, node_config
from scripts.demo.money import count_money
from scripts.demo.people import Participant
from scripts.demo.story import DATA, FOLDER, Failed, Story

if TYPE_CHECKING:
    from fl_worker.flower.trainer import Trainer

ROUNDS = 10
ACCURACY_POINTS_MAX = 0.03
CATCH_UP_S = 30


class Judge:
    """Measures models on data that no worker has, through the app's own evaluate function."""

    def __init__(self, net: Localnet, data: DataSet) -> None:
        self.net, self.data = net, data
        self.settings = Settings(
            output="json",
            log="json",
            home=FOLDER / "people",
            nodes=tuple(node.grpc for node in net.nodes),
            key="requester",
            is_unencrypted=True,
            allow_private=True,
            localnet=FOLDER / "net",
        )

        self.app = FOLDER / "app"
        self._begun: asyncio.Task[Trainer] | None = None

    async def _begin(self) -> Trainer:
        from fl_worker.flower.fab import app_config
        from fl_worker.flower.trainer import Trainer, TrainerConfig

        judged = FOLDER / "judged"
        self.data.save("judged", judged)
        app = app_config(self.app)
        return await Trainer.start(
            TrainerConfig(
                app_dir=self.app,
                clientapp=app.clientapp,
                run_id=1,
                node_id=1,
                node_config={"validation-dir": str(judged)},
                run_config=app.run_config,
                forgets=True,
            )
        )

    async def __aenter__(self) -> Judge:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._begun is not None:
            await (await self._begun).close()

    async def accuracy(self, arrays: Mapping[str, Any]) -> float:
        """Return the share of the hold-out data that a model gets right."""
        if self._begun is None:
            self._begun = asyncio.create_task(self._begin())
        trainer = await self._begun
        reply = await trainer.evaluate(arrays, {}, 1)
        return float(reply.metrics["eval_acc"])

    async def measure(self, story: Story, job_id: U64, number: int) -> None:
        """Take a round's model from those who serve it, as a requester would, and measure it."""
        async with open_participant(self.settings) as requester:
            arrays, _ = await fetch_model(requester, job_id, number)
        story.accuracy[number] = await self.accuracy(arrays)


async def plain_flower(judge: Judge, story: Story) -> list[float]:
    """Train the app on the honest workers' data by Flower alone, and measure each round's model."""
    from fl_worker.flower.fab import parse_config
    from fl_worker.flower.loop import PlainConfig, run_plain_flower
    from fl_worker.flower.recorder import record

    configs = [parse_config(node_config(DATA, number)) for number in range(WORKERS)]
    rounds = await run_plain_flower(
        judge.app, configs, PlainConfig(round_count=ROUNDS), await record(judge.app)
    )
    accuracy = [await judge.accuracy(each.arrays) for each in rounds]
    story.note(f"plain Flower's accuracy after {ROUNDS} rounds: {accuracy[-1]:.4f}")
    return accuracy


async def judge_all(
    client: Client, net: Localnet, job_id: U64, participants: list[Participant], story: Story
) -> dict[str, Any]:
    """Ask every node for its state and its promises, count the money, and list who did what."""
    checked = await client.check_invariants()
    hashes = await same_height(net)
    job = (await client.query(JobStateRequest(job_id))).job
    rows, failures = await count_money(client, net.nodes[0].rpc, job, participants, story.events)
    failures += [f"invariant broken: {sentence}" for sentence in checked.broken]
    if len(set(hashes.values())) != 1:
        failures.append(f"the nodes disagree: {hashes}")
    return {
        "job_id": job_id,
        "rounds": job.completed_round_count,
        "app_hashes": list(hashes.values()),
        "invariants": "broken" if checked.broken else "hold",
        "participants": rows,
        "failures": failures,
        "notes": story.notes,
    }


async def same_height(net: Localnet) -> dict[str, str]:
    """Return every node's application hash at one height."""
    deadline_s = time.monotonic() + CATCH_UP_S
    while True:
        found = {}
        for node in net.nodes:
            async with await Client.connect(node.grpc) as client:
                status = await client.status()
                found[node.name] = (status.height, status.app_hash.hex())
        if len({height for height, _ in found.values()}) == 1:
            return {name: app_hash for name, (_, app_hash) in found.items()}
        if time.monotonic() > deadline_s:
            raise Failed(f"the nodes don't reach one height: {found}")
        await asyncio.sleep(0.1)


def check_accuracy(result: dict[str, Any]) -> None:
    """Note a failure if the accuracy is too far below plain Flower's, or rounds are missing."""
    gap = result["flower_accuracy"] - result["accuracy"]
    if gap > ACCURACY_POINTS_MAX:
        result["failures"].append(f"accuracy is {gap:.3f} below plain Flower's")
    if result["rounds"] != ROUNDS:
        result["failures"].append(f"{result['rounds']} of {ROUNDS} rounds were completed")
