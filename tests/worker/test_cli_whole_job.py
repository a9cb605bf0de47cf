"""A whole job by the command line alone: roles are processes, the job is posted, paid and kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.worker.cli_net import FLT, QUICK, RunningNode, Shell, make_signers, write_typed_app
from tests.worker.flower_apps import MEASURING, write_aims, write_app

READERS = {"agnes": "aggregator", "eva": "evaluator", "emil": "evaluator", "ella": "evaluator"}
WORKERS = ("wanda", "willi")
POOR = "willi"
"""Who has its bond and its deposit, and nothing for fees: the requester pays them."""
BLOCK_S, BLOCK_QUICK_S = 0.05, 0.01
READY_TIMEOUT_S = 120
TERMS = {
    "--rounds": 2, "--budget": "100flt", "--cohort": 2, "--cohort-min": 2, "--reserves": 0,
    "--open-seconds": 600, "--phase-seconds": 60, "--challenge-seconds": 20,
    "--review-seconds": 600,
}  # fmt: skip

SCORED = {
    "--contribution": "leave_one_out", "--metric": "loss", "--metric-direction": "lower",
}  # fmt: skip


class Role:
    """A role that runs in a process of its own and logs JSON."""

    def __init__(self, shell: Shell, log: Path, words: Sequence[str]) -> None:
        self.log = log
        code = "from fl_worker.cli import main; main()"
        command = [sys.executable, "-c", code, *words, "--log", "json", *shell.options()]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)

    def events(self) -> list[str]:
        """What it has said so far; every line is JSON."""
        return [json.loads(line)["event"] for line in self.log.read_text().splitlines()]

    def wait_until_ready(self) -> None:
        """Return once it says so."""
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while "ready" not in self.events():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline_s, self.log.read_text()
            time.sleep(0.1)

    def end(self, number: int) -> int:
        """Tell it to end, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def running(shell: Shell, folder: Path) -> Iterator[list[Role]]:
    """Run two workers, an aggregator and three evaluators, and end them cleanly."""
    roles = []
    for name, role in READERS.items():
        words = [role, "start", "--listen", "127.0.0.1:0", "--bond", "1000flt", "--from", name]
        roles.append(Role(shell, folder / f"{name}.log", words))
    for number, name in enumerate(WORKERS):
        words = ["worker", "start", "--trust-anyone", "--bond", "1000flt", "--from", name]
        words += ["--payout", "paul", "--node-config", f"partition-id={number}"]
        words += ["--fee-granter", "rita"] if name == POOR else []
        roles.append(Role(shell, folder / f"{name}.log", words))
    try:
        for role in roles:
            role.wait_until_ready()
        yield roles
    finally:
        for role in roles:
            if role.process.poll() is None:
                role.process.kill()
                role.process.wait()


@pytest.fixture
def net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[Shell, RunningNode]]:
    shell = Shell(tmp_path / "home", capsys)
    rich = make_signers(shell, "rita", *READERS, *[name for name in WORKERS if name != POOR])
    make_signers(shell, POOR, "paul")
    with RunningNode(tmp_path / "state", QUICK, *rich.values()).running() as node:
        shell.address = node.address
        node.tick(BLOCK_S)
        shell.ask("send", POOR, "1001flt", "--from", "rita")
        shell.ask("allowance", "give", POOR, "--for-work", "--from", "rita")
        yield shell, node


def test_a_job_is_posted_trained_verified_accepted_and_paid(
    net: tuple[Shell, RunningNode], tmp_path: Path
) -> None:
    shell, node = net
    app_dir = write_typed_app(tmp_path / "app")
    rita = ("--from", "rita")
    with running(shell, tmp_path) as roles:
        terms = [str(word) for pair in TERMS.items() for word in pair]
        posted = shell.ask("job", "post", str(app_dir), "--yes", *terms, *rita)
        assert [each["error"] for each in posted["readers"]] == [""] * len(READERS)

        verify_last_round(shell, node)
        seen = shell.type("job", "watch", "1", "--until", "review", "--output", "json")
        last = json.loads(seen.out.splitlines()[-1])
        assert (last["phase"], last["completed_round_count"]) == ("REVIEW", 2)
        check_rounds(shell)

        model = tmp_path / "model.npz"
        taken = shell.ask("job", "model", "1", "--out", str(model), *rita)
        assert taken["model_root"] == last["model_root"]
        with np.load(model, allow_pickle=False) as arrays:
            assert arrays["w"].tolist() == [4.5, 4.5, 4.5]  # the means of 1 and 2, then of 2 and 4
            assert arrays["n"] == 7
        trial = shell.ask("worker", "try", "1", "--node-config", "partition-id=9", *rita)
        assert (trial["metrics"]["node"], trial["update_bytes"]) == (9, 12)

        shell.ask("job", "accept", "1", *rita)
        shell.type("job", "watch", "1")
        check_money(shell)
        assert roles[0].end(signal.SIGTERM) == 0
        assert [role.end(signal.SIGINT) for role in roles[1:]] == [130] * (len(roles) - 1)
        assert all("Traceback" not in role.log.read_text() for role in roles)


def test_a_job_is_scored_on_what_its_requester_serves(
    net: tuple[Shell, RunningNode], tmp_path: Path
) -> None:
    shell, _ = net
    typed = MEASURING.replace("a.numpy() + step", "(a.numpy() + step).astype(a.numpy().dtype)")
    own = typed.replace("    step =", '    step = (1 + context.node_config["partition-id"]) *')
    app_dir = write_app(tmp_path / "app", client=own)
    aims, rita = write_aims(tmp_path / "aims", *[2.0] * 10), ("--from", "rita")
    terms = TERMS | {"--rounds": 1, "--score-seconds": 60, "--validation": aims} | SCORED
    with running(shell, tmp_path) as roles:
        words = [str(word) for pair in terms.items() for word in pair]
        shell.ask("job", "post", str(app_dir), "--yes", *words, *rita)
        roles.append(Role(shell, tmp_path / "rita.log", ["job", "serve", *rita]))
        roles[-1].wait_until_ready()
        shell.type("job", "watch", "1", "--until", "review", "--output", "json")
        state = shell.ask("round", "show", "1", "1")
        assert [role.end(signal.SIGTERM) for role in roles] == [0] * len(roles)
        assert all("Traceback" not in role.log.read_text() for role in roles)
    assert state["round"]["score_outcome"] == "SCORED"
    # Updates of 1 and 2 for an aim of 2: together half away, without the first at it.
    contributions = sorted(seat["contribution_millionths"] for seat in state["seats"])
    assert contributions == [-250_000, 750_000]
    assert sorted(bool(seat["earned_uflt"]) for seat in state["seats"]) == [False, True]


def verify_last_round(shell: Shell, node: RunningNode) -> None:
    """While the last round can be challenged, its model follows from what the readers serve."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while shell.ask("job", "show", "1")["completed_round_count"] < 2:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    node.stand_still()
    verified = shell.ask("job", "verify", "1", "--from", "rita")
    assert (verified["round"], verified["is_right"]) == (2, True)
    node.tick(BLOCK_QUICK_S)


def check_rounds(shell: Shell) -> None:
    """Both rounds settled with both workers and all readers."""
    for number in (1, 2):
        state = shell.ask("round", "show", "1", str(number))
        assert (state["round"]["phase"], state["slashes"]) == ("SETTLED", [])
        assert [seat["state"] for seat in state["seats"]] == ["INCLUDED", "INCLUDED"]
        evaluators = [each for each in state["readers"] if not each["is_aggregator"]]
        assert [each["attested_attempt"] for each in evaluators] == [1, 1, 1]


def check_money(shell: Shell) -> None:
    """The workers' pay came to their payout address, less the fee; nothing is in escrow."""
    job = shell.ask("job", "show", "1")
    assert (job["phase"], job["escrow_uflt"], job["held_uflt"]) == ("SETTLED", 0, 0)
    earned = [shell.ask("worker", "earnings", name)["paid_uflt"] for name in WORKERS]
    assert sum(earned) == 70 * FLT
    paid = shell.ask("balance", "paul")["balance_uflt"]
    assert 69 * FLT <= paid <= 70 * FLT * 99 // 100 + len(WORKERS) * 4
    assert shell.ask("balance", POOR)["balance_uflt"] == FLT  # The deposit, which came back.
    status = shell.ask("worker", "status", "--from", "wanda")
    assert status["standing"]["success_count"] == 2
    assert status["jobs"]["1"].startswith("over")
