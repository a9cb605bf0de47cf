"""A local network to measure on, and following a job's rounds on it."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.node.config import Home
from app.node.genesis import read_template
from app.node.localnet import Localnet, make_localnet, start_node, stop_localnet, wait_until_ready
from app.sdk.client import Client
from app.sdk.protocol import Address, JobPhase, JobPhaseChanged, RoundPhase, RoundPhaseChanged
from app.sdk.text import to_bech32

FLT = 1_000_000
RICH_UFLT = 10**12
BOND_UFLT = 5_000 * FLT
BUDGET_UFLT = 20 * FLT
"""A job's, for each of its rounds."""
AGGREGATORS, EVALUATORS = 3, 3
PORTS = range(20_000, 32_000, 100)
"""The first of a network's ports, by chance: another may be about to begin on this machine."""
TIMEOUT_S = 600
POLL_S = 0.05
PHASES = ("COMMIT", "REVEAL", "INCLUDE", "AGGREGATE", "CHALLENGE")
QUICK = {
    "schedule.open_s": 300,
    **{f"schedule.{name.lower()}_s": 120 for name in PHASES[:-1]},
    "schedule.challenge_s": 1,
    "schedule.review_s": 600,
}
"""A job's schedule: long phases, which end when all are done, and challenges that don't."""

Figures = dict[str, float]
Entered = dict[tuple[int, str], float]
Acts = Mapping[Any, Callable[[int, int], Coroutine[Any, Any, None]]]
"""What to do for a round of a job when it enters a phase, or at an event."""


@contextmanager
def network(validators: int, accounts: Sequence[Address]) -> Iterator[tuple[Localnet, Path]]:
    """Run a new local network on which these accounts have money; a folder for the rest."""
    folder = Path(tempfile.mkdtemp(prefix="pollen-rounds-"))
    balances = {to_bech32(address): RICH_UFLT for address in accounts}
    genesis = folder / "genesis.json"
    genesis.write_text(json.dumps({**read_template("localnet"), "balances": balances}))
    home = folder / "net"
    home.mkdir()
    net = make_localnet(home, validators, random.choice(PORTS), str(genesis))
    for node in net.nodes:
        place = Home(Path(node.home))
        place.write_config(replace(place.read_config(), check_invariants=False))
    try:
        wait_until_ready({node: start_node(node) for node in net.nodes})
        yield net, folder
    finally:
        stop_localnet(home)
        shutil.rmtree(folder)


async def follow(client: Client, job_id: int, acts: Acts) -> Entered:
    """Return when each round entered each phase, by the monotonic clock; act when it does."""
    entered_s: Entered = {}
    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as group:
        async for update in client.watch_job(job_id):
            for event in update.events:
                act = acts.get(event.phase if isinstance(event, RoundPhaseChanged) else type(event))
                if act is not None:
                    group.create_task(act(job_id, event.round))
                if isinstance(event, RoundPhaseChanged):
                    entered_s[event.round, event.phase.name] = time.monotonic()
                    if event.phase is RoundPhase.ABORTED:
                        raise RuntimeError(f"round {event.round} was aborted: {event.reason}")
                elif isinstance(event, JobPhaseChanged) and event.phase is not JobPhase.RUNNING:
                    return entered_s
    raise RuntimeError("the stream ended")


def attested_s(entered_s: Entered, number: int) -> float:
    """Return when a round's model was attested: what follows runs beside the next round."""
    return entered_s.get((number, "SCORE"), entered_s[number, PHASES[-1]])


def phases_s(entered_s: Entered, number: int) -> dict[str, float]:
    """Return how long each phase of a round took until it was attested, in seconds."""
    times = [entered_s[number, name] for name in PHASES[:-1]] + [attested_s(entered_s, number)]
    return {name: b - a for name, (a, b) in zip(PHASES, itertools.pairwise(times))}
