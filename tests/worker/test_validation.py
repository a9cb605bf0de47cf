"""A validation set is posted sealed, and only if the app's evaluate reads it."""

import asyncio
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from app.sdk.protocol import JobSpec
from fl_worker.blobs.cids import blob_of
from fl_worker.blobs.sealing import unseal
from fl_worker.flower.errors import AppFailed, FlowerError
from fl_worker.flower.recorder import RecorderConfig
from fl_worker.posting.bundle import Bundle, make_bundle
from fl_worker.posting.choices import CHOICES, read_choices
from fl_worker.posting.spec import make_spec
from fl_worker.posting.validation import Validation, seal_validation, try_validation
from fl_worker.scoring.bench import Measured
from tests.build import FLT, World, a_job
from tests.worker.flower_apps import MEASURING, write_aims, write_app

AIMS = [1.0] * 10
TERMS = {"metric": "loss", "metric-direction": "lower", "contribution": "leave_one_out"}


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_app(tmp_path_factory.mktemp("validation") / "app", client=MEASURING)


@pytest.fixture(scope="module")
def bundle(app_dir: Path) -> Bundle:
    return asyncio.run(make_bundle(app_dir, RecorderConfig()))


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Validation:
    return seal_validation(write_aims(tmp_path_factory.mktemp("set") / "aims", *AIMS))


def spec_of(bundle: Bundle, validation: Validation, **chosen: str) -> JobSpec:
    paths = {choice.flag.removeprefix("--"): choice.path for choice in CHOICES}
    given = TERMS | {name.replace("_", "-"): text for name, text in chosen.items()}
    values = read_choices({paths[name]: text for name, text in given.items()}, "the test")
    return make_spec(bundle, values | {"work.validation_slices": validation.slices})


def test_slices_are_named_by_what_they_hold_and_what_is_stored(validation: Validation) -> None:
    assert len(validation.slices) == 10
    for shown, sealed, plain in zip(
        validation.slices, validation.sealed, validation.plain, strict=True
    ):
        assert shown.hash == sha256(plain).digest()
        assert shown.sealed.cid == blob_of(sealed.data).cid
        assert shown.sealed.size_bytes == len(sealed.data)
        assert unseal(sealed.data, validation.keys[shown.sealed.cid]) == plain


def test_a_job_that_scores_can_be_posted(bundle: Bundle, validation: Validation) -> None:
    world = World()
    chosen = {"weighs_quality": "yes", "metric": "near", "metric_direction": "higher"}
    spec = spec_of(bundle, validation, **chosen, baseline="0.5", threshold="0.9")
    assert spec.work.evaluator_node_config == '{"validation-dir":"{validation_dir}"}'
    assert (spec.pay.weighs_quality, spec.acceptance.threshold_millionths) == (True, 900_000)
    message = replace(a_job(world.account("rita")), spec=spec, budget_uflt=100 * FLT)
    assert world.run(message).job_id == 1


async def test_the_first_model_is_measured(
    app_dir: Path, bundle: Bundle, validation: Validation
) -> None:
    measured = Measured(app_dir, spec_of(bundle, validation), bundle.layout)
    assert await try_validation(measured, bundle.base, validation.plain) == 1.0


async def test_an_app_that_ignores_the_folder_is_refused(
    tmp_path: Path, bundle: Bundle, validation: Validation
) -> None:
    own = MEASURING.replace("sum((mean - aim) ** 2 for aim in aims) / len(aims)", "mean")
    app_dir = write_app(tmp_path / "app", client=own)
    measured = Measured(app_dir, spec_of(bundle, validation), bundle.layout)
    with pytest.raises(FlowerError, match="with the validation set and without"):
        await try_validation(measured, bundle.base, validation.plain)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"metric": "gain"}, "no number called 'gain', but count, loss, near"),
        ({"evaluator_node_config": "folder='{validation_dir}'"}, "KeyError"),
        ({"evaluator_node_config": "validation-dir='/data'"}, "has no .validation_dir"),
    ],
)
async def test_what_evaluate_can_not_measure_is_refused(
    app_dir: Path, bundle: Bundle, validation: Validation, chosen: dict[str, str], words: str
) -> None:
    spec = spec_of(bundle, validation, **chosen)
    with pytest.raises((FlowerError, AppFailed), match=words):
        await try_validation(Measured(app_dir, spec, bundle.layout), bundle.base, validation.plain)


async def test_a_validation_set_without_a_metric_is_refused(
    app_dir: Path, bundle: Bundle, validation: Validation
) -> None:
    spec = spec_of(bundle, validation)
    spec = replace(spec, work=replace(spec.work, metric=""))
    with pytest.raises(FlowerError, match="give --metric"):
        await try_validation(Measured(app_dir, spec, bundle.layout), bundle.base, validation.plain)
