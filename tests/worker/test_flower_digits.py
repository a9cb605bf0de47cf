"""The template's app for real: recorded, trained in children, and by plain Flower to compare."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from fl_worker.flower.fab import app_config, build_fab, install_fab
from fl_worker.flower.inside.frames import Arrays
from fl_worker.flower.loop import PlainConfig, run_plain_flower
from fl_worker.flower.recorder import Recording, record
from fl_worker.flower.trainer import Trainer, TrainerConfig, TrainReply, node_id_of
from fl_worker.templates import write_template

WORKER_COUNT = 8


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    write_template(folder / "app", "digits")
    return install_fab(build_fab(folder / "app").data, folder / "apps")


@pytest.fixture(scope="module")
def recording(app_dir: Path) -> Recording:
    return asyncio.run(record(app_dir))


@pytest.fixture(scope="module")
def validation_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validation")
    x, y = load_digits(return_X_y=True)
    np.savez(folder / "one.npz", x=x[0::10], y=y[0::10])
    np.savez(folder / "two.npz", x=x[5::10], y=y[5::10])
    return folder


def a_config(app_dir: Path, partition: int) -> TrainerConfig:
    app = app_config(app_dir)
    node_config = {"partition-id": partition, "num-partitions": WORKER_COUNT}
    node_id = node_id_of(bytes([partition]) * 20)
    return TrainerConfig(app_dir, app.clientapp, 7, node_id, node_config, app.run_config)


def averaged(replies: list[TrainReply]) -> Arrays:
    total = sum(reply.example_count for reply in replies)
    return {
        name: sum(reply.arrays[name] * (reply.example_count / total) for reply in replies).astype(
            np.float32
        )
        for name in replies[0].arrays
    }


async def test_two_workers_train_alike_in_children_and_in_plain_flower(
    app_dir: Path, recording: Recording
) -> None:
    configs = [a_config(app_dir, 0), a_config(app_dir, 1)]
    trainers = [await Trainer.start(config) for config in configs]
    arrays, models = recording.arrays, []
    for number in (1, 2):
        config = recording.train.config
        replies = [trainer.train(arrays, config, number) for trainer in trainers]
        arrays = averaged(await asyncio.gather(*replies))
        models.append(arrays)
    await asyncio.gather(*(trainer.close() for trainer in trainers))

    plain = await run_plain_flower(
        app_dir, [config.node_config for config in configs], PlainConfig(2), recording
    )

    for ours, theirs in zip(models, plain, strict=True):
        for name, array in ours.items():
            assert np.allclose(array, theirs.arrays[name], atol=1e-5)


async def test_eight_workers_pass_nine_tenths_in_ten_rounds(
    app_dir: Path, recording: Recording, validation_dir: Path
) -> None:
    nodes = [a_config(app_dir, number).node_config for number in range(WORKER_COUNT)]
    evaluator = replace(a_config(app_dir, 0), node_config={"validation-dir": str(validation_dir)})

    rounds = await run_plain_flower(app_dir, nodes, PlainConfig(10), recording)
    trainer = await Trainer.start(evaluator)
    before = await trainer.evaluate(recording.arrays, {}, 1)
    after = await trainer.evaluate(rounds[-1].arrays, {}, 10)
    await trainer.close()

    assert before.metrics["num-examples"] == 360
    assert before.metrics["eval_acc"] < 0.3
    assert after.metrics["eval_acc"] > 0.9
    assert after.metrics["eval_loss"] < before.metrics["eval_loss"]
