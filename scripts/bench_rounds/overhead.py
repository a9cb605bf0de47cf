"""What a round adds to its training: the real roles as processes, beside plain Flower's loop."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any

from app.kernel.crypto import sha256
from app.node.config import Home
from app.node.localnet import Localnet
from app.sdk.client import Client
from app.sdk.keyring import Keyring, Protection
from app.sdk.protocol import RoundPhase
from app.sdk.signer import Signer
from fl_worker.flower.fab import parse_config
from fl_worker.flower.loop import PlainConfig, run_plain_flower
from fl_worker.flower.recorder import record
from fl_worker.templates import write_template
from scripts.bench_rounds.network import (
    AGGREGATORS,
    BOND_UFLT,
    BUDGET_UFLT,
    EVALUATORS,
    PHASES,
    POLL_S,
    QUICK,
    TIMEOUT_S,
    Entered,
    Figures,
    attested_s,
    follow,
    network,
    phases_s,
)

WORKERS = 4
MEASURED_S, ROUNDS_MIN = 10, 4
"""Rounds are repeated for about so long, and at least so often; the first starts the app."""
BIN = Path(sys.executable).parent
NAMES = tuple(
    f"{role}-{number}"
    for role, count in (("worker", WORKERS), ("aggregator", AGGREGATORS), ("evaluator", EVALUATORS))
    for number in range(count)
)
SLEEP = '''

import time

load_for_real, train_for_real = load_data, train
begun_s = 0.0


def load_data(*arguments):
    """Load the data; the step begins here."""
    global begun_s
    begun_s = time.monotonic()
    return load_for_real(*arguments)


def train(*arguments):
    """Train, then sleep until the step has taken its time."""
    loss = train_for_real(*arguments)
    time.sleep(max(0.0, begun_s + {step_s} - time.monotonic()))
    return loss
'''
"""Added to the task.py of the template."""
SCORED = {
    "pay.contribution": "leave_one_out",
    "work.metric": "eval_loss",
    "work.metric_direction": "lower",
    "schedule.score_s": 120,
}
"""Of a job whose rounds are scored beside the training of the next."""
REQUESTER = "requester"


async def measure_overhead(step_s: float, validators: int, *, is_scored: bool) -> Figures:
    """Return how long rounds with this training step take, by Pollen and by plain Flower."""
    signers = {name: Signer(sha256(name.encode())) for name in (REQUESTER, *NAMES)}
    round_count = 1 + max(ROUNDS_MIN, round(MEASURED_S / step_s))
    with network(validators, [each.address for each in signers.values()]) as (net, folder):
        ring = Keyring(folder / "people" / "keys", protection=Protection.TEST)
        for name, signer in signers.items():
            ring.import_secret(name, signer.secret)
        app = make_app(folder / "app", step_s)
        names = (REQUESTER, *NAMES) if is_scored else NAMES
        with participants(net, folder, names) as processes:
            job_id = post(net, folder, app, round_count, is_scored=is_scored)
            work = Work(net, processes)
            async with await Client.connect(net.nodes[0].grpc) as client:
                entered_s = await follow(client, job_id, {RoundPhase.CHALLENGE: work.note})
        recording = await record(app)
        configs = [parse_config(node_config(number)) for number in range(WORKERS)]
        plain = await run_plain_flower(app, configs[:1], PlainConfig(ROUNDS_MIN), recording)
        in_turn = await run_plain_flower(app, configs, PlainConfig(1), recording)
    plain_s = statistics.median(each.elapsed_s for each in plain)
    figures = {"plain, one worker s": plain_s, "plain, 4 in turn s": in_turn[0].elapsed_s}
    return {**figures, **compare(entered_s, plain_s), **work.figures()}


def make_app(folder: Path, step_s: float) -> Path:
    """Write the template's app with a training step of this length."""
    write_template(folder, "bench-app")
    task = folder / "flowerapp" / "task.py"
    task.write_text(task.read_text() + SLEEP.format(step_s=step_s))
    return folder


def command(net: Localnet, folder: Path, name: str, *words: str) -> list[str]:
    """Return a command of somebody's; people are spread over the nodes."""
    node = net.nodes[(*NAMES, name).index(name) % len(net.nodes)].grpc
    home = ["--home", str(folder / "people"), "--from", name, "--unencrypted", "--allow-private"]
    return [str(BIN / "pollen"), *words, "--node", node, *home]


def post(net: Localnet, folder: Path, app: Path, round_count: int, *, is_scored: bool) -> int:
    """Post the app as a job, with a validation set if it is scored, and return its number."""
    spec: dict[str, Any] = {
        **QUICK,
        "schedule.round_count": round_count,
        "schedule.reserve_count": 0,
    }
    spec |= {"schedule.cohort_size": WORKERS, "schedule.cohort_size_min": WORKERS}
    words = ["job", "post", str(app), "--yes", "--output", "json"]
    if is_scored:
        holdout, spec = folder / "validation", spec | SCORED
        program = [sys.executable, "-m", "flowerapp.holdout", str(holdout)]
        subprocess.run(program, cwd=app, check=True)
        words += ["--validation", str(holdout)]
    (folder / "spec.json").write_text(json.dumps(spec))
    words += ["--spec", str(folder / "spec.json"), "--budget", f"{BUDGET_UFLT * round_count}uflt"]
    posting = command(net, folder, REQUESTER, *words)
    return int(json.loads(subprocess.run(posting, check=True, stdout=PIPE).stdout)["job_id"])


@contextmanager
def participants(net: Localnet, folder: Path, names: Sequence[str]) -> Iterator[list[int]]:
    """Run everyone as a process of its own, once all are ready; their ids."""
    processes, logs = [], [folder / f"{name}.log" for name in names]
    for name, log in zip(names, logs):
        with log.open("wb") as file:
            start = command(net, folder, name, *words_of(name), "--log", "json")
            processes.append(subprocess.Popen(start, stdout=file, stderr=file))
    try:
        deadline_s = time.monotonic() + TIMEOUT_S
        while not all('"event": "ready"' in log.read_text() for log in logs):
            ended = [log for log, process in zip(logs, processes) if process.poll() is not None]
            if ended or time.monotonic() > deadline_s:
                raise RuntimeError(f"not all are ready: {(ended or logs)[0].read_text()[-1000:]}")
            time.sleep(POLL_S)
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait()


def words_of(name: str) -> list[str]:
    """Return what starts somebody's role."""
    role, _, number = name.partition("-")
    if role == REQUESTER:
        return ["job", "serve"]
    own = ["--listen", "127.0.0.1:0"]
    if role == "worker":
        own = ["--trust-anyone", "--node-config", node_config(int(number))]
    return [role, "start", "--bond", f"{BOND_UFLT}uflt", *own]


def node_config(number: int) -> str:
    """Return what a worker's data are called."""
    return f"partition-id={number} num-partitions={WORKERS}"


class Work:
    """What the processors do for a round: of the participants, the nodes, the engines."""

    def __init__(self, net: Localnet, participants: Sequence[int]) -> None:
        self._participants = participants
        self._nodes = [Home(Path(node.home)).find_process() or 0 for node in net.nodes]
        self._seen: list[Figures] = []

    async def note(self, job_id: int, number: int) -> None:
        """Note the time that each has had so far, at the end of a round."""
        processes = {
            "participants": [each for one in self._participants for each in family(one)],
            "nodes": self._nodes,
            "engines": [each for node in self._nodes for each in family(node)[1:]],
        }
        self._seen.append({name: sum(map(processor_s, each)) for name, each in processes.items()})

    def figures(self) -> Figures:
        """Return what a round takes of each, but the first."""
        first, *_, last = self._seen
        took_s = {name: (last[name] - first[name]) / (len(self._seen) - 1) for name in last}
        return {f"processor ms, {name}": 1000 * elapsed_s for name, elapsed_s in took_s.items()}


def family(process: int) -> list[int]:
    """Return a process and all that it has started."""
    children = look(process, f"task/{process}/children").split()
    return [process, *[each for child in children for each in family(int(child))]]


def processor_s(process: int) -> float:
    """Return the time a process has had of the processors, and what it started that has ended."""
    parts = look(process, "stat").rpartition(")")[2].split()
    return sum(map(int, parts[11:15])) / os.sysconf("SC_CLK_TCK")


def look(process: int, name: str) -> str:
    """Return what the system says of a process; empty once it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/{name}").read_text()
    return ""


def compare(entered_s: Entered, plain_s: float) -> Figures:
    """Return how long rounds took, all but the first, and how much of it is not training."""
    numbers = range(2, max(number for number, _ in entered_s) + 1)
    phases = [phases_s(entered_s, number) for number in numbers]
    rounds_s = [
        entered_s.get((number + 1, "COMMIT"), attested_s(entered_s, number))
        - entered_s[number, "COMMIT"]
        for number in numbers
    ]
    round_s = statistics.median(rounds_s)
    medians = {name: statistics.median(each[name] for each in phases) for name in PHASES[:-1]}
    medians["COMMIT"] -= plain_s
    return {
        "rounds": len(rounds_s),
        "round s": round_s,
        "quickest round s": min(rounds_s),
        "slowest round s": max(rounds_s),
        "overhead percent": 100 * (round_s / plain_s - 1),
        "overhead ms": 1000 * (round_s - plain_s),
        **{f"of it {name} ms": 1000 * median for name, median in medians.items()},
        "scored beside it s": statistics.median(
            entered_s[number, "CHALLENGE"] - attested_s(entered_s, number) for number in numbers
        ),
    }
