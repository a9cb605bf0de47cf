"""A bench: a job's app evaluates models on the slices that are laid out for it, and nothing else.

The node config is the job's for evaluators, with the slices' folder where it says
`{validation_dir}`. The app is started once for all sets of slices; it forgets after each answer, so
that one that keeps what it read measures on the right ones.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.sdk.protocol import JobSpec
from fl_worker.flower.errors import AppFailed
from fl_worker.flower.fab import ConfigValue, app_config
from fl_worker.flower.sandbox import Limits
from fl_worker.flower.trainer import RecordKeys, Trainer, TrainerConfig
from fl_worker.scoring.slices import unpack
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import from_model

VALIDATION_PLACE = "{validation_dir}"
NODE_ID = 2
"""The same for all who measure, so that an app can't tell them apart."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured with: an installed app, and what its job says of it."""

    app_dir: Path
    spec: JobSpec
    layout: Layout
    run_id: int = 1
    limits: Limits = Limits()


class Bench:
    """Evaluates models on one set of slices after the other."""

    def __init__(self, measured: Measured, trainer: Trainer, folder: Path) -> None:
        """Take over a started app; use `start`."""
        self.spec = measured.spec
        self._layout = measured.layout
        self._trainer = trainer
        self._folder = folder
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, measured: Measured) -> Bench:
        """Start the app's process beside an empty folder, which is all it may read."""
        folder = Path(tempfile.mkdtemp(prefix="pollen-slices-")).resolve()
        try:
            return cls(measured, await start_trainer(measured, folder), folder)
        except BaseException:
            shutil.rmtree(folder)
            raise

    async def warm(self) -> None:
        """Load the app, so that what is measured first needn't wait for it."""
        await self._trainer.warm()

    @asynccontextmanager
    async def lay_out(self, slices: Sequence[bytes]) -> AsyncIterator[Bench]:
        """Have slices in the folder, and no others, when it is their turn."""
        async with self._turn:
            unpacking = asyncio.create_task(asyncio.to_thread(unpack_all, slices, self._folder))
            try:
                await asyncio.shield(unpacking)
                yield self
            finally:
                await asyncio.wait([unpacking])  # a thread goes on though one is cut off
                await asyncio.to_thread(empty, self._folder)

    async def measure(self, model: bytes, round_number: int) -> float:
        """Return the job's metric of a model (int64 in fixed point); AppFailed if there is none."""
        arrays = await asyncio.to_thread(from_model, model, self._layout)
        config = json.loads(self.spec.work.evaluate_config)
        metrics = (await self._trainer.evaluate(arrays, config, round_number)).metrics
        name = self.spec.work.metric
        value = metrics.get(name)
        if not isinstance(value, int | float):
            raise AppFailed(
                f"evaluate gave no number called {name!r}, but {', '.join(sorted(metrics))}; "
                "let it give the job's metric, or name one of these with --metric",
                "",
            )
        return float(value)

    async def close(self) -> None:
        """End the app and remove the folder, once nothing is measured."""
        async with self._turn:
            await self._trainer.close()
            await asyncio.to_thread(shutil.rmtree, self._folder)


def unpack_all(slices: Sequence[bytes], folder: Path) -> None:
    """Write the files of slices below a folder."""
    for each in slices:
        unpack(each, folder)


def empty(folder: Path) -> None:
    """Remove all that is in a folder."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


async def start_trainer(measured: Measured, folder: Path) -> Trainer:
    """Start the app's process, which may read the folder."""
    work = measured.spec.work
    overrides = json.loads(work.run_config)
    app = await asyncio.to_thread(app_config, measured.app_dir, overrides)
    return await Trainer.start(
        TrainerConfig(
            app_dir=measured.app_dir,
            clientapp=app.clientapp,
            run_id=measured.run_id,
            node_id=NODE_ID,
            node_config=fill_node_config(work.evaluator_node_config, folder),
            run_config=app.run_config,
            keys=RecordKeys(
                arrays=work.arrays_key,
                config=work.config_key,
                metrics=work.metrics_key,
                weight=work.weight_key,
            ),
            limits=measured.limits,
            readable=(folder,),
            forgets=True,
        )
    )


def fill_node_config(text: str, folder: Path) -> dict[str, ConfigValue]:
    """Return the evaluators' node config, a JSON object, with the folder in its place."""
    config = json.loads(text)
    return {
        name: value.replace(VALIDATION_PLACE, str(folder)) if isinstance(value, str) else value
        for name, value in config.items()
    }
