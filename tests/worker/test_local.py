"""A job on one machine: the same numbers as on the chain, and what one training needs."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.fab import install_fab
from fl_worker.flower.recorder import RecorderConfig
from fl_worker.local import LocalApp, run_job, try_once
from fl_worker.means import mean_metrics
from fl_worker.posting.bundle import Bundle, make_bundle
from fl_worker.posting.choices import read_choices
from fl_worker.posting.spec import make_spec
from fl_worker.posting.validation import seal_validation
from fl_worker.update.quantize import from_model
from tests.worker.cli_net import write_typed_app
from tests.worker.flower_apps import MEASURING, write_aims, write_app


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    app_dir = write_typed_app(tmp_path_factory.mktemp("local") / "app")
    return asyncio.run(make_bundle(app_dir, RecorderConfig()))


def local_app(bundle: Bundle, folder: Path, workers: int, **chosen: str) -> LocalApp:
    paths = {"rounds": "schedule.round_count", "rule": "combination.rule"}
    spec = make_spec(bundle, read_choices({paths[k]: v for k, v in chosen.items()}, "the test"))
    configs = tuple({"partition-id": number} for number in range(workers))
    return LocalApp(install_fab(bundle.fab.data, folder), spec, bundle.layout, configs)


async def test_a_whole_job_is_combined_in_fixed_point(bundle: Bundle, tmp_path: Path) -> None:
    app = local_app(bundle, tmp_path, 2, rounds="3")
    rounds = [each async for each in run_job(app, bundle.base)]
    model = from_model(rounds[-1].model, bundle.layout)
    assert np.array_equal(model["w"], np.full(3, 1.5 + 3.0 + 4.5))  # the mean of both workers
    assert model["n"] == 7
    assert [each.number for each in rounds] == [1, 2, 3]
    assert rounds[-1].evaluate_metrics == {"total": 27.0 + 7}
    assert rounds[-1].train_metrics["calls"] == 3  # what the app kept came back
    assert rounds[0].train_metrics["node"] == 0.5  # each worker has its own node config


async def test_a_round_is_scored_as_evaluators_would(tmp_path: Path) -> None:
    typed = MEASURING.replace("a.numpy() + step", "(a.numpy() + step).astype(a.numpy().dtype)")
    own = typed.replace("    step =", '    step = (1 + context.node_config["partition-id"]) *')
    scored_app = write_app(tmp_path / "app", client=own)
    scored = await make_bundle(scored_app, RecorderConfig())
    validation = seal_validation(write_aims(tmp_path / "aims", *[2.0] * 10))
    chosen = {"pay.contribution": "leave_one_out", "schedule.round_count": "1"}
    chosen |= {"work.metric": "loss", "work.metric_direction": "lower"}
    values = read_choices(chosen, "the test") | {"work.validation_slices": validation.slices}
    spec = make_spec(scored, values)
    configs = tuple({"partition-id": number} for number in (0, 1, 1))
    app_dir = install_fab(scored.fab.data, tmp_path / "apps")
    app = LocalApp(app_dir, spec, scored.layout, configs, validation=validation.plain)
    (only,) = [each async for each in run_job(app, scored.base)]
    # Updates of 1 and 2, the second one twice: their mean is 1.5, half away from every aim.
    assert only.utility_millionths == -250_000
    assert only.contributions_millionths == {0: -250_000, 1: 750_000}


async def test_one_training_is_measured(bundle: Bundle, tmp_path: Path) -> None:
    trial = await try_once(local_app(bundle, tmp_path, 1), bundle.base)
    assert trial.example_count == 5
    assert (trial.update_bytes, trial.saturated_count) == (12, 0)
    assert trial.memory_bytes > 10 << 20
    assert trial.train_s > 0


def test_a_mean_is_weighted_and_leaves_out_what_is_no_number() -> None:
    replies = [({"loss": 1.0, "name": "x"}, 1), ({"loss": 4.0, "other": 2}, 2)]
    assert mean_metrics(replies) == {"loss": 3.0, "other": 2.0}
