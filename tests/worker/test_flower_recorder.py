"""Recording: what a ServerApp would send, learnt by running it among nodes that don't exist."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from fl_worker.flower.errors import AppFailed
from fl_worker.flower.recorder import Exchange, RecorderConfig, Recording, record
from tests.worker.flower_apps import SERVER, write_app

WEIGHTY = SERVER.replace(
    "FedAvg()",
    'FedAvg(weighted_by_key="rows", arrayrecord_key="model", configrecord_key="settings",'
    " fraction_evaluate=0.0, min_available_nodes=20)",
)
DECAYING = SERVER.replace(
    "app = ServerApp()",
    """
app = ServerApp()

class FedAvg(FedAvg):
    def configure_train(self, server_round, arrays, config, grid):
        config["lr"] = 1 / server_round
        return super().configure_train(server_round, arrays, config, grid)
""",
)
PRIVATE = SERVER.replace("FedAvg()", "Private(FedAvg(), 1.0, 0.1, 4)").replace(
    "import FedAvg",
    "import FedAvg, DifferentialPrivacyServerSideFixedClipping as Private",
)
SILENT = SERVER.replace("num_rounds=2", "num_rounds=0")
CRASHING = SERVER.replace("    arrays =", "    print(undefined_name)\n    arrays =")
LEGACY = "from flwr.serverapp import ServerApp\napp = ServerApp(server_fn=lambda context: None)\n"


def recorded(folder: Path, server: str = SERVER) -> Recording:
    return asyncio.run(record(write_app(folder, server)))


def test_a_recording_holds_what_is_sent(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "app")

    assert list(recording.arrays) == ["w", "n"]
    assert np.array_equal(recording.arrays["w"], np.zeros(3))
    assert recording.arrays["n"].shape == ()
    assert recording.train == Exchange("train", "arrays", "config", {"do": "train"})
    assert recording.evaluate == Exchange("evaluate", "arrays", "config", {})
    assert (recording.weight_key, recording.notes) == ("num-examples", ())


def test_a_strategys_own_keys_and_patience_are_kept(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "app", WEIGHTY)

    assert recording.train == Exchange("train", "model", "settings", {"do": "train"})
    assert recording.evaluate is None
    assert recording.weight_key == "rows"


def test_a_wrapped_strategy_is_recorded(tmp_path: Path) -> None:
    assert recorded(tmp_path / "app", PRIVATE).weight_key == "num-examples"


def test_a_config_that_changes_with_the_round_is_noted(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "app", DECAYING)

    assert recording.train.config == {"do": "train", "lr": 1.0}
    assert "changes from round to round (lr)" in recording.notes[0]


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (SILENT, "ended without sending a train message"),
        (LEGACY, r"no @app.main\(\)"),
    ],
)
def test_a_server_app_that_cant_be_recorded_says_why(
    tmp_path: Path, server: str, words: str
) -> None:
    with pytest.raises(AppFailed, match=words):
        recorded(tmp_path / "app", server)


def test_a_crash_shows_the_apps_own_lines(tmp_path: Path) -> None:
    with pytest.raises(AppFailed) as failure:
        recorded(tmp_path / "app", CRASHING)

    assert failure.value.reason == "the app raised NameError"
    assert failure.value.output.startswith(f'  File "{tmp_path}/app/app/server.py"')
    assert "print(undefined_name)" in failure.value.output


def test_overrides_reach_the_server_app(tmp_path: Path) -> None:
    app_dir = write_app(
        tmp_path / "app", SERVER.replace("np.zeros(3)", 'np.full(3, context.run_config["step"])')
    )

    recording = asyncio.run(record(app_dir, RecorderConfig(overrides={"step": 2.5})))

    assert np.array_equal(recording.arrays["w"], np.full(3, 2.5))
