"""Plain Flower for comparison: the same app, trained by Flower's own FedAvg in one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fl_worker.flower.fab import ConfigValue, app_config
from fl_worker.flower.inside.frames import Arrays, Frame
from fl_worker.flower.process import AppProcess
from fl_worker.flower.recorder import Recording
from fl_worker.flower.sandbox import Limits, Sandbox, readable_paths

RUN_ID = 1


@dataclass(frozen=True)
class PlainRound:
    """The model after one round of plain Flower, and how long that round took."""

    arrays: Arrays
    elapsed_s: float


@dataclass(frozen=True)
class PlainConfig:
    """How long to run: rounds, limits of the whole, and overrides of the run config."""

    round_count: int
    overrides: Mapping[str, ConfigValue] | None = None
    limits: Limits = Limits(wall_s_max=3600.0)


async def run_plain_flower(
    app_dir: Path,
    node_configs: Sequence[Mapping[str, ConfigValue]],
    config: PlainConfig,
    recording: Recording,
) -> list[PlainRound]:
    """Train the app on one node for each config, all in every round, from the recorded model."""
    app_dir = app_dir.resolve()
    app = app_config(app_dir, config.overrides)
    header = {
        "verb": "plain",
        "app_dir": str(app_dir),
        "component": app.clientapp,
        "run_id": RUN_ID,
        "run_config": app.run_config,
        "node_configs": [dict(node_config) for node_config in node_configs],
        "round_count": config.round_count,
        "message_type": recording.train.message_type,
        "arrays_key": recording.train.arrays_key,
        "config_key": recording.train.config_key,
        "config": dict(recording.train.config),
        "weight_key": recording.weight_key,
    }
    readable = {path for given in node_configs for path in readable_paths(app_dir, given)}
    process = await AppProcess.start(Sandbox(tuple(sorted(readable)), config.limits))
    try:
        reply = await process.ask(Frame(header, recording.arrays))
    finally:
        await process.close()
    return _rounds(reply)


def _rounds(reply: Frame) -> list[PlainRound]:
    """Split a reply's arrays, named `<round>/<name>`, by round."""
    return [
        PlainRound(
            {
                name.removeprefix(f"{number}/"): array
                for name, array in reply.arrays.items()
                if name.startswith(f"{number}/")
            },
            elapsed_s,
        )
        for number, elapsed_s in enumerate(reply.header["elapsed_s"], 1)
    ]
