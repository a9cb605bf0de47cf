"""A bench measures on the slices that are laid out, whatever the app keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.errors import AppFailed
from fl_worker.scoring.bench import Bench, Measured
from fl_worker.scoring.slices import MalformedSlice, cut_slices
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import to_model
from tests.build import a_job, an_address
from tests.worker.flower_apps import MEASURING, write_aims, write_app

KEEPING = "aims = []\n" + MEASURING.replace("aims = [", "global aims; aims = aims or [")
"""Reads what it measures on once, as many apps do."""
ARRAYS = {"w": np.zeros(3)}
LAYOUT = Layout.from_arrays(ARRAYS)
MODEL = to_model(ARRAYS, LAYOUT)
TERMS = {
    "work.metric": "loss",
    "work.evaluator_node_config": '{"validation-dir": "{validation_dir}"}',
    "work.evaluate_config": "{}",
    "work.run_config": "{}",
}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    app_dir = write_app(tmp_path / "app", client=KEEPING)
    spec = a_job(an_address("rita"), TERMS).spec
    bench = await Bench.start(Measured(app_dir, spec, LAYOUT))
    yield bench
    await bench.close()


@pytest.fixture
def slices(tmp_path: Path) -> tuple[bytes, ...]:
    return cut_slices(write_aims(tmp_path / "aims", *map(float, range(10))))


async def test_each_set_of_slices_is_measured_on_in_its_turn(
    bench: Bench, slices: tuple[bytes, ...]
) -> None:
    async def measure(*numbers: int) -> list[float]:
        async with bench.lay_out([slices[number] for number in numbers]):
            return [await bench.measure(MODEL, 1) for _ in range(2)]

    found = await asyncio.gather(measure(1, 3), measure(2), measure(3, 1, 2))

    assert found == [[5.0] * 2, [4.0] * 2, [pytest.approx(14 / 3)] * 2]


async def test_what_was_laid_out_is_gone_afterwards(
    bench: Bench, slices: tuple[bytes, ...]
) -> None:
    with pytest.raises(MalformedSlice):
        async with bench.lay_out([slices[1], b"no slice"]):
            pass
    with pytest.raises(AppFailed, match="ZeroDivisionError"):
        async with bench.lay_out([]):
            await bench.measure(MODEL, 1)


async def test_who_is_cut_off_while_slices_are_unpacked_leaves_none(
    bench: Bench, slices: tuple[bytes, ...]
) -> None:
    async def begin() -> None:
        async with bench.lay_out(slices):
            await asyncio.Event().wait()

    for delay_s in (0, 0.001, 0.01):
        beginning = asyncio.create_task(begin())
        await asyncio.sleep(delay_s)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning

    async with bench.lay_out(slices[3:4]):
        assert await bench.measure(MODEL, 1) == 9.0


async def test_a_bench_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spec = a_job(an_address("rita"), TERMS).spec
    bench = await Bench.start(Measured(write_app(tmp_path / "app"), spec, LAYOUT))
    assert len([*tmp_path.iterdir()]) == 3  # the app, its home and the slices' folder

    await bench.close()

    assert [each.name for each in tmp_path.iterdir()] == ["app"]
