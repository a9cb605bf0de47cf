"""Learns what a job must send its workers by running the app's own ServerApp once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_worker.flower.fab import ConfigValue, app_config
from fl_worker.flower.inside.frames import Arrays, Frame
from fl_worker.flower.process import AppProcess
from fl_worker.flower.sandbox import Limits, Sandbox

NODE_COUNT = 16


@dataclass(frozen=True)
class Exchange:
    """One kind of message: its type, its records' keys, and its config as JSON.

    The config lacks `server-round`, which each round adds; `{"base64": …}` stands for bytes.
    """

    message_type: str
    arrays_key: str
    config_key: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Recording:
    """What a ServerApp sends: initial arrays, in its order, and its messages of each kind.

    `evaluate` is None where the app's strategy evaluates on no node; `notes` are for the requester.
    """

    arrays: Arrays
    train: Exchange
    evaluate: Exchange | None
    weight_key: str
    metrics_key: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RecorderConfig:
    """How to run a ServerApp; it gets the network only if it must fetch its model or data."""

    overrides: Mapping[str, ConfigValue] | None = None
    node_count: int = NODE_COUNT
    has_network: bool = False
    readable: tuple[Path, ...] = ()
    limits: Limits = Limits()


async def record(app_dir: Path, config: RecorderConfig | None = None) -> Recording:
    """Run the ServerApp of an installed app, or of its source folder, until it has shown all."""
    config = config or RecorderConfig()
    app_dir = app_dir.resolve()
    app = app_config(app_dir, config.overrides)
    header = {
        "verb": "record",
        "app_dir": str(app_dir),
        "component": app.serverapp,
        "run_config": app.run_config,
        "node_count": config.node_count,
    }
    sandbox = Sandbox((app_dir, *config.readable), config.limits, config.has_network)
    process = await AppProcess.start(sandbox)
    try:
        return _recording(await process.ask(Frame(header)))
    finally:
        await process.close()


def _recording(reply: Frame) -> Recording:
    """Read a recording from the reply that holds it."""
    exchanges = {kind: Exchange(**sent) for kind, sent in reply.header["exchanges"].items()}
    return Recording(
        arrays=reply.arrays,
        train=exchanges["train"],
        evaluate=exchanges.get("evaluate"),
        weight_key=reply.header["weight_key"],
        metrics_key="metrics",
        notes=tuple(reply.header["notes"]),
    )
