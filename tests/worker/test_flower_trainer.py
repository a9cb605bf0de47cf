"""Training apart: what comes back, what is kept, and what an app can't do to us."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.errors import AppDied, AppFailed, AppTimedOut
from fl_worker.flower.fab import ConfigValue, app_config
from fl_worker.flower.sandbox import Limits, sandbox_warning
from fl_worker.flower.trainer import Trainer, TrainerConfig, node_id_of
from tests.worker.flower_apps import write_app

ROOT = Path(__file__).resolve().parents[2]
ARRAYS = {"w": np.zeros(3), "n": np.array(7)}
ORPHAN = """
import asyncio, sys
from pathlib import Path
from fl_worker.flower.trainer import Trainer, TrainerConfig
async def main():
    trainer = await Trainer.start(TrainerConfig(Path(sys.argv[1]), "app.client:app", 1, 2, {}, {}))
    await trainer.warm()
    print(trainer.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def a_config(app_dir: Path, **node_config: ConfigValue) -> TrainerConfig:
    app = app_config(app_dir)
    limits = Limits(memory_bytes_max=2**31, wall_s_max=30)
    return TrainerConfig(app_dir, app.clientapp, 7, 2, node_config, app.run_config, limits=limits)


@pytest.fixture
async def trainer(tmp_path: Path) -> AsyncIterator[Trainer]:
    trainer = await Trainer.start(a_config(write_app(tmp_path / "src")))
    yield trainer
    await trainer.close()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *[each for child in children for each in family(int(child))]]


async def until_gone(pid: int) -> None:
    for _ in range(100):
        if not is_alive(pid):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"process {pid} lives on")


def test_a_node_id_is_63_bits_of_the_addresss_hash() -> None:
    assert node_id_of(b"") == 0xE3B0C44298FC1C14 >> 1


async def test_an_app_called_app_trains_and_evaluates(trainer: Trainer) -> None:
    trained = await trainer.train(ARRAYS, {"do": "train"}, 3)
    evaluated = await trainer.evaluate(trained.arrays, {}, 3)

    assert np.array_equal(trained.arrays["w"], np.full(3, 3.0))
    assert trained.arrays["n"].shape == ()
    assert (trained.example_count, trained.metrics["node"]) == (5, -1)
    assert evaluated.metrics == {"total": 19.0}


async def test_the_state_outlives_a_killed_process(trainer: Trainer) -> None:
    first = await trainer.train(ARRAYS, {"do": "train"}, 1)
    second = await trainer.train(ARRAYS, {"do": "train"}, 2, first.state)
    assert trainer.pid is not None
    os.kill(trainer.pid, signal.SIGKILL)
    while trainer.pid is not None:
        await asyncio.sleep(0.01)

    again = await trainer.train(ARRAYS, {"do": "train"}, 2, first.state)

    assert first.metrics["calls"] == 1
    assert second.metrics["calls"] == again.metrics["calls"] == 2
    assert second.state == again.state
    assert np.array_equal(second.arrays["w"], again.arrays["w"])


async def test_a_failing_app_is_reported_and_may_go_on(trainer: Trainer) -> None:
    with pytest.raises(AppFailed, match="no data here") as crash:
        await trainer.train(ARRAYS, {"do": "crash"}, 1)
    pid = trainer.pid
    with pytest.raises(AppFailed, match="raised SystemExit"):
        await trainer.train(ARRAYS, {"do": "exit"}, 1)
    with pytest.raises(AppFailed, match="MemoryError"):
        await trainer.train(ARRAYS, {"do": "hoard"}, 1)
    with pytest.raises(AppFailed, match="at least 1"):
        await trainer.train(ARRAYS, {"do": "nothing"}, 1)

    assert "app/client.py" in crash.value.output
    assert "fl_worker" not in crash.value.output
    assert trainer.pid == pid


async def test_a_process_that_ends_or_lies_is_replaced(trainer: Trainer) -> None:
    with pytest.raises(AppDied, match="ended with code 4") as death:
        await trainer.train(ARRAYS, {"do": "die"}, 1)
    with pytest.raises(AppDied, match="broke the protocol"):
        await trainer.train(ARRAYS, {"do": "forge"}, 1)

    assert "last words" in death.value.output
    assert (await trainer.train(ARRAYS, {"do": "train"}, 1)).example_count == 5


async def test_a_hanging_app_is_killed(tmp_path: Path) -> None:
    app_dir = write_app(tmp_path / "src")
    limits = Limits(wall_s_max=4.0)
    trainer = await Trainer.start(
        TrainerConfig(app_dir, "app.client:app", 7, 2, {}, {"step": 1.0}, limits=limits)
    )
    await trainer.warm()
    pid = trainer.pid
    assert pid is not None

    with pytest.raises(AppTimedOut, match="no answer within 4 s"):
        await trainer.train(ARRAYS, {"do": "hang"}, 1)

    assert not is_alive(pid)


async def test_a_cancelled_request_kills_the_process(trainer: Trainer) -> None:
    await trainer.warm()
    pid = trainer.pid
    assert pid is not None
    request = asyncio.create_task(trainer.train(ARRAYS, {"do": "hang"}, 1))
    await asyncio.sleep(0.2)

    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert not is_alive(pid)


async def test_an_app_keeps_what_it_has_in_memory_and_in_its_home(trainer: Trainer) -> None:
    replies = [await trainer.train(ARRAYS, {"do": "keep"}, 1) for _ in range(2)]

    assert [(each.metrics["kept"], each.metrics["files"]) for each in replies] == [(1, 1), (2, 2)]


@pytest.fixture
async def forgetful(tmp_path: Path) -> AsyncIterator[Trainer]:
    config = a_config(write_app(tmp_path / "src"))
    trainer = await Trainer.start(replace(config, forgets=True))
    yield trainer
    await trainer.close()


async def test_one_that_forgets_is_loaded_once_and_keeps_nothing(forgetful: Trainer) -> None:
    replies = [await forgetful.train(ARRAYS, {"do": "keep"}, 1) for _ in range(3)]

    assert [(each.metrics["kept"], each.metrics["files"]) for each in replies] == [(1, 1)] * 3
    assert len({each.metrics["loaded_s"] for each in replies}) == 1
    assert np.array_equal(replies[2].arrays["w"], np.full(3, 1.0))


@pytest.mark.parametrize(
    ("do", "words"), [("die", "code 4"), ("leave", "code 0"), ("kill", "SIGKILL")]
)
async def test_one_that_forgets_and_ends_without_an_answer_is_replaced(
    forgetful: Trainer, do: str, words: str
) -> None:
    with pytest.raises(AppDied, match=words):
        await forgetful.train(ARRAYS, {"do": do}, 1)

    assert (await forgetful.train(ARRAYS, {"do": "keep"}, 1)).metrics["kept"] == 1


async def test_one_that_forgets_reports_a_failure_and_goes_on(forgetful: Trainer) -> None:
    with pytest.raises(AppFailed, match="no data here"):
        await forgetful.train(ARRAYS, {"do": "crash"}, 1)
    pid = forgetful.pid
    with pytest.raises(AppFailed, match="raised SystemExit"):
        await forgetful.train(ARRAYS, {"do": "exit"}, 1)

    assert (forgetful.pid, pid is None) == (pid, False)


async def test_a_cancelled_request_kills_the_copy_that_would_have_answered(
    forgetful: Trainer,
) -> None:
    await forgetful.warm()
    assert forgetful.pid is not None
    before = family(forgetful.pid)
    request = asyncio.create_task(forgetful.train(ARRAYS, {"do": "hang"}, 1))
    async with asyncio.timeout(10):
        while len(everyone := family(forgetful.pid)) == len(before):
            await asyncio.sleep(0.01)

    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    for pid in everyone:
        await until_gone(pid)


async def test_an_app_goes_on_loading_for_the_next_when_one_has_no_time_to_wait(
    forgetful: Trainer,
) -> None:
    pid = forgetful.pid
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await forgetful.train(ARRAYS, {"do": "keep"}, 1)

    assert (await forgetful.train(ARRAYS, {"do": "keep"}, 1)).metrics["kept"] == 1
    assert (forgetful.pid, pid is None) == (pid, False)


async def test_an_app_that_is_loading_can_be_closed(forgetful: Trainer) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await forgetful.warm()
    await forgetful.close()

    assert forgetful.pid is None
    assert (await forgetful.train(ARRAYS, {"do": "keep"}, 1)).metrics["kept"] == 1


async def test_an_app_has_its_own_home_and_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SECRET", "hidden")
    (tmp_path / "keys").mkdir()
    trainer = await Trainer.start(a_config(write_app(tmp_path / "src")))

    with socket.create_server(("127.0.0.1", 0)) as server:
        wish = {"do": "look", "secret": f"{tmp_path}/keys", "port": server.getsockname()[1]}
        reply = await trainer.train(ARRAYS, wish, 1)
    await trainer.close()

    is_open = int(bool(trainer.warning))
    assert reply.metrics["own"] == 1
    assert (reply.metrics["reached"], reply.metrics["seen"]) == (is_open, is_open)


async def test_a_path_in_the_node_config_may_be_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = f"{tmp_path}/data"
    trainer = await Trainer.start(a_config(write_app(tmp_path / "src"), data=path))

    reply = await trainer.train(ARRAYS, {"do": "look", "secret": path, "port": 1}, 1)
    await trainer.close()

    assert reply.metrics["seen"] == 1


async def test_nothing_outlives_us(tmp_path: Path) -> None:
    app_dir = write_app(tmp_path / "src")
    command = [sys.executable, "-c", ORPHAN, str(app_dir)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    assert parent.stdout is not None
    child_pid = int(parent.stdout.readline())
    with parent.stdout:
        parent.kill()
    parent.wait()

    await until_gone(child_pid)


def test_our_side_imports_neither_flower_nor_torch() -> None:
    modules = "fl_worker.flower.trainer, fl_worker.flower.recorder, fl_worker.flower.loop"
    code = f"import sys, {modules}; sys.exit(bool({{'flwr', 'torch'}} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_missing_sandbox_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    sandbox_warning.cache_clear()
    try:
        assert "Install it" in sandbox_warning()
    finally:
        monkeypatch.undo()
        sandbox_warning.cache_clear()
