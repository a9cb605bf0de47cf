"""A scored job on a real network whose first model is a lie, and whose last one is rejected.

An aggregator and two of the three evaluators agree on a false model; a watcher proves it, and the
round is done again. The requester rejects the result, and evaluators who came too late to read any
of it measure it on slices that no round has seen.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.sdk.protocol import U32, U64, DisputesRequest, JobRequest, JobStateRequest
from tests.e2e.scene import Scene, tell

VALIDATORS, WORKERS = 2, 3
LIARS = ["aggregator-0", "evaluator-0", "evaluator-1"]
FIRST = [*LIARS, "evaluator-2", "worker-0", "worker-1", "worker-2", "watcher-0"]
LATE = ["evaluator-3", "evaluator-4", "evaluator-5"]
HONEST = "aggregator-1"
TERMS = {
    "--rounds": "1", "--cohort": "3", "--cohort-min": "3", "--run-config": "local-epochs=5",
    "--contribution": "leave_one_out", "--metric": "eval_loss", "--metric-direction": "lower",
    "--baseline": "3", "--threshold": "0.001", "--commit-seconds": "300",
    "--score-seconds": "150", "--challenge-seconds": "4",
}  # fmt: skip
LIE = [sys.executable, "-m", "tests.e2e.liar"]


class Trial(Scene):
    """The network and the people, some of whom lie."""

    def let_people_come(self) -> None:
        """Give everyone a key and money, and start those who are there from the beginning."""
        self.fund(("requester", *FIRST, HONEST, *LATE))
        for name in FIRST:
            self.start(name, *(LIE if name in LIARS else ()))

    def post_a_job_and_serve(self) -> None:
        """Post the app to start from with a validation set, and stay to open its slices."""
        self.type("pollen", "job", "init", self.app)
        holdout = [sys.executable, "-m", "flowerapp.holdout", str(self.validation)]
        subprocess.run(holdout, cwd=self.app, check=True)
        self.post(TERMS | {"--validation": str(self.validation)})
        self.start("requester")

    def let_an_honest_aggregator_come(self) -> None:
        """Start who combines when the liar is barred."""
        self.start(HONEST)

    def let_others_come(self) -> None:
        """Start evaluators who know nothing of the job."""
        for name in LATE:
            self.start(name)

    def reject_the_result(self) -> None:
        """Say that it isn't what was promised."""
        reason = ("--reason", "worse than promised")
        self.type("pollen", "job", "reject", "1", *reason, *self.options("requester"))

    @property
    def validation(self) -> Path:
        """Where the validation set is."""
        return self.folder / "validation"

    # ---- what is there

    def see_disputes(self) -> list[str]:
        """How far each dispute of the first round is."""
        found = self.ask(DisputesRequest(U64(1), U32(1), U64(0), U32(10))).disputes
        return [each.phase.name for each in found]

    def see_scores(self) -> dict[str, Any]:
        """What became of the newest round's scores, and whether some update was worth more."""
        state = self.find_round(self.ask(JobRequest(U64(1))).job.next_round - 1)
        worth = {seat.contribution_millionths for seat in state.seats}
        return {"outcome": state.round.score_outcome.name, "differ": len(worth) > 1}

    def see_committee(self) -> dict[str, Any]:
        """What the late evaluators found."""
        view = self.ask(JobStateRequest(U64(1)))
        measured = [member.measurement.metric_millionths for member in view.members]
        released = view.committee.released_ppm
        return {
            "step": view.committee.step.name,
            "members": len(measured),
            "agree": len(set(measured)) == 1,
            "is_between": 0 < released < 1_000_000 and released == view.job.released_ppm,
            "reason": view.job.reason,
        }

    def see_faults(self) -> int:
        """How many logs show a fault of ours."""
        return sum("Traceback" in self.log(name).read_text() for name in self.processes)


STORY: list[tuple[Callable[[Trial], None], dict[str, Any]]] = [
    (Trial.start_the_network, {"nodes": {"ready": VALIDATORS}}),
    (Trial.let_people_come, {"people": FIRST}),
    (Trial.post_a_job_and_serve, {"rounds": [{"readers": 4}]}),
    (
        Trial.let_an_honest_aggregator_come,
        {
            "disputes": ["UPHELD"],
            "rounds": [{"phase": "VOIDED"}, {"phase": "SETTLED", "included": 3}],
            "scores": {"outcome": "SCORED", "differ": True},
            "job": {"phase": "REVIEW", "completed": 1},
        },
    ),
    (Trial.let_others_come, {"people": [*FIRST, "requester", HONEST, *LATE]}),
    (
        Trial.reject_the_result,
        {
            "committee": {
                "step": "DECIDED",
                "members": 3,
                "agree": True,
                "is_between": True,
                "reason": "committee",
            },
            "job": {"phase": "SETTLED", "escrow_uflt": 0},
            "faults": 0,
        },
    ),
]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Trial]:
    scene = Trial(tmp_path, VALIDATORS, WORKERS)
    yield scene
    scene.end()


@pytest.mark.timeout(900)
def test_a_lie_is_undone_and_a_rejected_result_is_measured(scene: Trial) -> None:
    tell(scene, STORY)
