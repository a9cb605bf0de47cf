"""A job on this machine alone: the app trained, quantised and combined as on the chain.

Each worker is a process of its own with its own node config; what they return crosses the same
fixed-point border and is combined by the same rule, so the model is the one that the chain's
participants would agree on.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.sdk.protocol import (
    SLICE_DRAW,
    UPDATE_WIDTH,
    Address,
    JobsParams,
    JobSpec,
    RoundsParams,
    draw_numbers,
    leave_one_out,
    shares_of_identical,
)
from fl_worker.flower.errors import AppFailed
from fl_worker.flower.fab import ConfigValue, app_config
from fl_worker.flower.inside.frames import Arrays
from fl_worker.flower.sandbox import Limits
from fl_worker.flower.trainer import RecordKeys, Trainer, TrainerConfig, TrainReply
from fl_worker.means import mean_metrics
from fl_worker.scoring.bench import Bench, Measured
from fl_worker.scoring.score import score_updates
from fl_worker.update.combine import Included, combine
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import Quantized, from_model, to_update
from fl_worker.update.tree import tree_root

RUN_ID = 1
SEED = bytes(32)
"""From which slices are drawn, in place of the beacon's."""
KIB = 1024


@dataclass(frozen=True, slots=True)
class LocalApp:
    """An installed app and what a job says of it; the node config is one for each worker."""

    app_dir: Path
    spec: JobSpec
    layout: Layout
    node_configs: tuple[Mapping[str, ConfigValue], ...]
    limits: Limits = Limits()
    readable: tuple[Path, ...] = ()
    validation: tuple[bytes, ...] = ()
    """Slices to score each round on; none: rounds aren't scored."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One training step: what the app said of it, and what it used."""

    metrics: Mapping[str, Any]
    example_count: int
    load_s: float
    train_s: float
    memory_bytes: int
    update_bytes: int
    saturated_count: int


@dataclass(frozen=True, slots=True)
class LocalRound:
    """One round: mean metrics by example counts, and the model after it."""

    number: int
    train_metrics: Mapping[str, float]
    evaluate_metrics: Mapping[str, float]
    saturated_count: int
    elapsed_s: float
    model: bytes
    utility_millionths: int | None = None
    contributions_millionths: Mapping[int, int] = field(default_factory=dict)
    """By worker; of those with the same update, the first alone. Empty: not scored."""


@dataclass(slots=True)
class LocalWorker:
    """One worker: its process, and what its app keeps between rounds."""

    trainer: Trainer
    state: bytes = b""


async def try_once(app: LocalApp, model: bytes) -> Trial:
    """Train a model once with the first node config; UpdateRefused if that gives no update."""
    trainer = await start_trainer(app, app.node_configs[0], 0)
    try:
        load_s = await trainer.warm()
        config = json.loads(app.spec.work.train_config)
        reply = await trainer.train(from_model(model, app.layout), config, 1)
        memory_bytes = peak_memory_bytes(trainer.pid)
    finally:
        await trainer.close()
    update = to_update(reply.arrays, model, app.layout, app.spec.combination.value_max)
    return Trial(
        metrics=reply.metrics,
        example_count=reply.example_count,
        load_s=load_s,
        train_s=reply.elapsed_s,
        memory_bytes=memory_bytes,
        update_bytes=len(update.update),
        saturated_count=update.saturated_count,
    )


async def run_job(app: LocalApp, model: bytes) -> AsyncIterator[LocalRound]:
    """Walk the rounds of a job with all workers in each, as many at once as there are cores."""
    at_once = asyncio.Semaphore(os.cpu_count() or 1)
    trainers = [
        await start_trainer(app, node_config, number)
        for number, node_config in enumerate(app.node_configs)
    ]
    workers = [LocalWorker(trainer) for trainer in trainers]
    terms = Measured(app.app_dir, app.spec, app.layout, RUN_ID, app.limits)
    bench = await Bench.start(terms) if app.validation else None
    try:
        await asyncio.gather(*(trainer.warm() for trainer in trainers))
        for number in range(1, app.spec.schedule.round_count + 1):
            start_s = time.monotonic()
            arrays = from_model(model, app.layout)
            jobs = [train(app, worker, arrays, number, at_once) for worker in workers]
            replies = await asyncio.gather(*jobs)
            updates = [
                to_update(reply.arrays, model, app.layout, app.spec.combination.value_max)
                for reply in replies
            ]
            base, counted = model, count_replies(app, replies, updates)
            model = await asyncio.to_thread(combine_all, app, base, [*counted.values()])
            utilities = await score_locally(app, bench, base, [*counted.values()], number)
            measured = await evaluate_all(app, workers, model, number, at_once)
            yield LocalRound(
                number=number,
                train_metrics=mean_metrics(
                    (without_weight(app, reply.metrics), reply.example_count) for reply in replies
                ),
                evaluate_metrics=measured,
                saturated_count=sum(update.saturated_count for update in updates),
                elapsed_s=time.monotonic() - start_s,
                model=model,
                utility_millionths=utilities[0] if utilities else None,
                contributions_millionths=dict(
                    zip(counted, leave_one_out(utilities), strict=True) if utilities else ()
                ),
            )
    finally:
        await asyncio.gather(*(trainer.close() for trainer in trainers))
        if bench is not None:
            await bench.close()


async def start_trainer(
    app: LocalApp, node_config: Mapping[str, ConfigValue], number: int
) -> Trainer:
    """Start one worker's process."""
    work = app.spec.work
    found = await asyncio.to_thread(app_config, app.app_dir, json.loads(work.run_config))
    return await Trainer.start(
        TrainerConfig(
            app_dir=app.app_dir,
            clientapp=found.clientapp,
            run_id=RUN_ID,
            node_id=number + 2,  # Flower's own server is node 1
            node_config=node_config,
            run_config=found.run_config,
            keys=record_keys(app.spec),
            limits=app.limits,
            readable=app.readable,
        )
    )


def record_keys(spec: JobSpec) -> RecordKeys:
    """Return the names that a job's app uses."""
    work = spec.work
    return RecordKeys(
        train_type=work.message_type,
        arrays=work.arrays_key,
        config=work.config_key,
        metrics=work.metrics_key,
        weight=work.weight_key,
    )


async def train(
    app: LocalApp, worker: LocalWorker, arrays: Arrays, number: int, at_once: asyncio.Semaphore
) -> TrainReply:
    """Let one worker train, and keep its app's state."""
    async with at_once:
        config = json.loads(app.spec.work.train_config)
        reply = await worker.trainer.train(arrays, config, number, worker.state)
    worker.state = reply.state
    return reply


async def evaluate_all(
    app: LocalApp,
    workers: Sequence[LocalWorker],
    model: bytes,
    number: int,
    at_once: asyncio.Semaphore,
) -> dict[str, float]:
    """Let every worker evaluate the model; an app that can't evaluate has no metrics."""
    arrays, config = from_model(model, app.layout), json.loads(app.spec.work.evaluate_config)

    async def evaluate(worker: LocalWorker) -> Mapping[str, Any]:
        async with at_once:
            return (await worker.trainer.evaluate(arrays, config, number, worker.state)).metrics

    try:
        replies = await asyncio.gather(*(evaluate(worker) for worker in workers))
    except AppFailed:
        return {}
    weight = app.spec.work.weight_key
    return mean_metrics(
        (without_weight(app, metrics), metrics.get(weight, 1)) for metrics in replies
    )


def without_weight(app: LocalApp, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return an app's metrics without the example count that weighs them."""
    weight = app.spec.work.weight_key
    return {name: value for name, value in metrics.items() if name != weight}


async def score_locally(
    app: LocalApp, bench: Bench | None, base: bytes, updates: Sequence[Included], number: int
) -> list[int]:
    """Return the utilities of a round as evaluators find them; none if it isn't scored.

    A round's slices are drawn as on the chain, from a seed that is always the same.
    """
    if bench is None:
        return []
    count = len(app.validation) - JobsParams().slices_kept
    drawn = RoundsParams().slices_drawn
    numbers = draw_numbers(SEED, RUN_ID, number, count, drawn=drawn, domain=SLICE_DRAW)
    slices = [app.validation[each] for each in numbers]
    async with bench.lay_out(slices):
        utilities, _ = await score_updates(bench, base, updates, number)
    return utilities


def count_replies(
    app: LocalApp, replies: Sequence[TrainReply], updates: Sequence[Quantized]
) -> dict[int, Included]:
    """Return the updates that count by worker; the same update counts once."""
    roots = [tree_root(each.update, UPDATE_WIDTH, app.layout.hash).root for each in updates]
    names = [Address(number.to_bytes(20, "big")) for number in range(len(roots))]
    counted = shares_of_identical(list(zip(names, roots, strict=True)))
    count_max = app.spec.combination.example_count_max
    return {
        number: Included(update.update, update.sum_squares, min(reply.example_count, count_max))
        for number, (update, reply) in enumerate(zip(updates, replies, strict=True))
        if names[number] in counted
    }


def combine_all(app: LocalApp, model: bytes, included: Sequence[Included]) -> bytes:
    """Return the next model, by the job's rule."""
    combination = app.spec.combination
    return combine(
        combination.rule,
        model,
        included,
        trim=combination.trim_count,
        norm_max=combination.norm_max,
    )


def peak_memory_bytes(pid: int | None) -> int:
    """Return the most memory that a process and those it started have held; 0: it can't be read."""
    waiting, total = [pid] if pid else [], 0
    while waiting:
        folder = Path("/proc") / str(waiting.pop())
        with suppress(OSError):
            lines = (folder / "status").read_text().splitlines()
            total += sum(int(line.split()[1]) * KIB for line in lines if line.startswith("VmHWM"))
            children = (folder / "task" / folder.name / "children").read_text()
            waiting += [int(child) for child in children.split()]
    return total
