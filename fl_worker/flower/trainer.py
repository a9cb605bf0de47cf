"""A worker's or evaluator's hand on a ClientApp: trains and evaluates in a process apart."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_worker.flower.errors import AppFailed, FlowerError
from fl_worker.flower.fab import ConfigValue
from fl_worker.flower.inside.frames import Arrays, Frame
from fl_worker.flower.process import AppProcess
from fl_worker.flower.sandbox import Limits, Sandbox, readable_paths, sandbox_warning


@dataclass(frozen=True)
class RecordKeys:
    """The names that an app's ServerApp and ClientApp agree on."""

    train_type: str = "train"
    evaluate_type: str = "evaluate"
    arrays: str = "arrays"
    config: str = "config"
    metrics: str = "metrics"
    weight: str = "num-examples"


@dataclass(frozen=True)
class TrainerConfig:
    """Which app a trainer runs, in whose name (`run_id` is the job), and within what limits."""

    app_dir: Path
    clientapp: str
    run_id: int
    node_id: int
    node_config: Mapping[str, ConfigValue]
    run_config: Mapping[str, ConfigValue]
    keys: RecordKeys = RecordKeys()
    limits: Limits = Limits()
    readable: tuple[Path, ...] = ()
    forgets: bool = False
    """Each message is answered by a copy of the loaded app: nothing is left of those before it.

    What only training needs isn't loaded beforehand.
    """


@dataclass(frozen=True)
class TrainReply:
    """What a ClientApp trained: arrays, its metrics, examples seen, and what it keeps."""

    arrays: Arrays
    metrics: Mapping[str, Any]
    example_count: int
    state: bytes
    elapsed_s: float


@dataclass(frozen=True)
class EvaluateReply:
    """What a ClientApp measured, and what it keeps for next time."""

    metrics: Mapping[str, Any]
    state: bytes
    elapsed_s: float


def node_id_of(address: bytes) -> int:
    """Compute an account's Flower node id: the first 63 bits of its address's SHA-256."""
    return int.from_bytes(hashlib.sha256(address).digest()[:8], "big") >> 1


class Trainer:
    """Runs one app for one account; starts its process anew whenever that is gone."""

    def __init__(self, config: TrainerConfig) -> None:
        """Prepare; use `start`."""
        self._config = config
        self._process: AppProcess | None = None
        self._loading: asyncio.Task[Frame] | None = None
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, config: TrainerConfig) -> Trainer:
        """Start the process, which goes on importing the app while we do other things."""
        trainer = cls(config)
        await trainer._running()
        return trainer

    @property
    def warning(self) -> str:
        """Say what the app can do here that it shouldn't; empty if it is shut in."""
        return sandbox_warning()

    @property
    def pid(self) -> int | None:
        """Give the process's id, or None where none runs."""
        return self._process.pid if self._process and self._process.is_running else None

    async def warm(self) -> float:
        """Load the app, so that the first round needn't wait for it; give the seconds it took."""
        start_s = time.monotonic()
        async with self._turn:
            await self._load(await self._running())
        return time.monotonic() - start_s

    async def train(
        self, arrays: Arrays, config: Mapping[str, Any], round_number: int, state: bytes = b""
    ) -> TrainReply:
        """Train on `arrays`; the reply's state is to be saved together with the update."""
        start_s = time.monotonic()
        keys = self._config.keys
        header = self._message(keys.train_type, config, round_number)
        reply = await self._ask(Frame(header, arrays, state))
        metrics = _metrics(reply)
        examples = _example_count(metrics, keys.weight)
        elapsed_s = time.monotonic() - start_s
        return TrainReply(reply.arrays, metrics, examples, reply.blob, elapsed_s)

    async def evaluate(
        self, arrays: Arrays, config: Mapping[str, Any], round_number: int, state: bytes = b""
    ) -> EvaluateReply:
        """Evaluate `arrays` on the data that the node config names."""
        start_s = time.monotonic()
        header = self._message(self._config.keys.evaluate_type, config, round_number)
        reply = await self._ask(Frame(header, arrays, state))
        return EvaluateReply(_metrics(reply), reply.blob, time.monotonic() - start_s)

    async def close(self) -> None:
        """End the process; a later call would start it again."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
            self._loading = None
        if self._process is not None:
            await self._process.close()
            self._process = None

    async def _ask(self, request: Frame) -> Frame:
        async with self._turn:
            process = await self._running()
            if self._config.forgets or self._loading is not None:
                await self._load(process)
            return await process.ask(request)

    async def _load(self, process: AppProcess) -> None:
        """Load the app once; whoever has no time to wait leaves it to the next, who has less to."""
        if self._loading is None:
            verb = "load" if self._config.forgets else "load_to_train"
            self._loading = asyncio.create_task(process.ask(Frame(self._app(verb))))
        try:
            await asyncio.shield(self._loading)
        except FlowerError:
            self._loading = None
            raise

    async def _running(self) -> AppProcess:
        if self._process is not None and not self._process.is_running:
            await self.close()
        if self._process is None:
            config = self._config
            readable = readable_paths(config.app_dir, config.node_config)
            self._process = await AppProcess.start(
                Sandbox((*readable, *config.readable), config.limits)
            )
        return self._process

    def _message(
        self, message_type: str, config: Mapping[str, Any], round_number: int
    ) -> dict[str, Any]:
        keys = self._config.keys
        return {
            **self._app("call"),
            "is_apart": self._config.forgets,
            "run_id": self._config.run_id,
            "node_id": self._config.node_id,
            "node_config": dict(self._config.node_config),
            "run_config": dict(self._config.run_config),
            "message_type": message_type,
            "arrays_key": keys.arrays,
            "config_key": keys.config,
            "metrics_key": keys.metrics,
            "config": {**config, "server-round": round_number},
        }

    def _app(self, verb: str) -> dict[str, Any]:
        app_dir, component = str(self._config.app_dir), self._config.clientapp
        return {"verb": verb, "app_dir": app_dir, "component": component}


def _metrics(reply: Frame) -> dict[str, Any]:
    """Read the metrics of a reply, which an ill-meaning app may have forged."""
    metrics = reply.header.get("metrics")
    if not isinstance(metrics, dict):
        raise AppFailed("the app's reply has no metrics", "")
    return metrics


def _example_count(metrics: Mapping[str, Any], weight_key: str) -> int:
    """Read how many examples were trained on: a whole number, at least one."""
    count = metrics.get(weight_key)
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise AppFailed(
            f"metric {weight_key!r} is {count!r}; a training reply must say on how many "
            "examples it trained, at least 1",
            "",
        )
    return count
