"""The judgement: accuracy beside plain Flower's, money to the unit, one state on all nodes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from app.node.localnet import Localnet
from app.sdk.client import Client
from app.sdk.protocol import (
    U32,
    U64,
    Address,
    Job,
    JobStateRequest,
    RoundRequest,
    StandingRequest,
)
from fl_worker.cli.job.model import fetch_model
from fl_worker.cli.participant import open_participant
from fl_worker.cli.settings import Settings
from scripts.demo.data import DataSet
from scripts.demo.people import WORKERS, Participant
from scripts.demo.story import FOLDER, Failed, Story, console

ROUNDS = 10
ACCURACY_POINTS_MAX = 0.02
CATCH_UP_S = 30
PPM, FEE_PPM = 1_000_000, 10_000


class Judge:
    """Measures models on data that no worker has, through the app's own evaluate function."""

    def __init__(self, net: Localnet, data: DataSet) -> None:
        self.data = data
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

    async def __aenter__(self) -> Judge:
        from fl_worker.flower.fab import app_config
        from fl_worker.flower.recorder import record
        from fl_worker.flower.trainer import Trainer, TrainerConfig

        self.app = FOLDER / "app"
        holdout = FOLDER / "holdout"
        holdout.mkdir()
        self.data.save_holdout(holdout)
        self.recording = await record(self.app)
        app = app_config(self.app)
        self.trainer = await Trainer.start(
            TrainerConfig(
                app_dir=self.app,
                clientapp=app.clientapp,
                run_id=1,
                node_id=1,
                node_config={"validation-dir": str(holdout)},
                run_config=app.run_config,
            )
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.trainer.close()

    async def accuracy(self, arrays: Mapping[str, Any]) -> float:
        """Return the share of the hold-out data that a model gets right."""
        evaluate = self.recording.evaluate
        assert evaluate is not None
        reply = await self.trainer.evaluate(arrays, evaluate.config, 1, b"")
        return float(reply.metrics["eval_acc"])

    async def measure(self, story: Story, job_id: U64, number: int) -> None:
        """Take a round's model from those who serve it, as a requester would, and measure it."""
        async with open_participant(self.settings) as requester:
            arrays, _ = await fetch_model(requester, job_id, number)
        story.accuracy[number] = await self.accuracy(arrays)


async def plain_flower(judge: Judge, story: Story) -> list[float]:
    """Train the same app on the same split by Flower alone, and measure each round's model."""
    from fl_worker.flower.fab import parse_config
    from fl_worker.flower.loop import PlainConfig, run_plain_flower

    configs = [parse_config(judge.data.node_config(number, WORKERS)) for number in range(WORKERS)]
    with console.status("Plain Flower trains the same app on the same split"):
        rounds = await run_plain_flower(
            judge.app, configs, PlainConfig(round_count=ROUNDS), judge.recording
        )
        accuracy = [await judge.accuracy(each.arrays) for each in rounds]
    story.note(f"plain Flower's accuracy after {ROUNDS} rounds: {accuracy[-1]:.4f}")
    return accuracy


async def judge_all(
    client: Client, net: Localnet, job_id: U64, participants: list[Participant], story: Story
) -> dict[str, Any]:
    """Count the money, ask every node for its state and its promises, and list who did what."""
    failures: list[str] = []
    checked = await client.check_invariants()
    failures += [f"invariant broken: {sentence}" for sentence in checked.broken]
    hashes = await same_height(net)
    if len(set(hashes.values())) != 1:
        failures.append(f"the nodes disagree: {hashes}")
    job = (await client.query(JobStateRequest(job_id))).job
    shares = await find_shares(client, job)
    rows = []
    for each in participants:
        address = each.signer.address
        mine = shares.get(address, [])
        earned, owed = await client.balance(each.payout), compute_pay(job, mine)
        if earned != owed:
            failures.append(f"{each.name} was paid {earned} uflt, its shares come to {owed}")
        standing = (await client.query(StandingRequest(address))).standing
        rows.append(
            {
                "name": each.name,
                "role": each.role,
                "behaviour": each.behaviour,
                "paid_rounds": len(mine),
                "earned_uflt": earned,
                "slashed_uflt": 0,
                "reputation_ppm": standing.reputation_ppm,
            }
        )
    if job.paid_uflt != sum(map(sum, shares.values())) or job.escrow_uflt:
        failures.append(f"the job paid {job.paid_uflt} uflt and still holds {job.escrow_uflt}")
    return {
        "job_id": job_id,
        "rounds": job.completed_round_count,
        "app_hashes": list(hashes.values()),
        "invariants": "broken" if checked.broken else "hold",
        "participants": rows,
        "failures": failures,
        "notes": story.notes,
    }


async def find_shares(client: Client, job: Job) -> dict[Address, list[int]]:
    """Return everybody's share of each round that paid it, before the protocol's fee."""
    shares: dict[Address, list[int]] = {}
    for number in range(1, job.next_round):
        state = (await client.query(RoundRequest(job.job_id, U32(number)))).state
        earned = [(seat.worker, seat.earned_uflt) for seat in state.seats]
        earned += [(reader.participant, reader.earned_uflt) for reader in state.readers]
        for who, share in earned:
            if share:
                shares.setdefault(who, []).append(share)
    return shares


def compute_pay(job: Job, shares: list[int]) -> int:
    """Return what shares come to at the payout address: a part at once, a part held back, a fee."""
    held = [share * job.spec.pay.held_back_ppm // PPM for share in shares]
    at_once = [share - back for share, back in zip(shares, held, strict=True)]
    return sum(part - part * FEE_PPM // PPM for part in [*at_once, sum(held)])


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
