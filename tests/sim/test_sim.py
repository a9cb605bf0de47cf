"""Short seeded runs; a failing one is repeated with `scripts/simulate.py --seed N`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app.modules import jobs
from app.modules.jobs import JobPhase
from app.modules.rounds.records import ROUNDS
from tests.sim.workload import Simulation

RUNS, BLOCKS = 200, 60
GROUP = 20


@pytest.mark.parametrize("first", range(0, RUNS, GROUP))
def test_short_runs_agree_with_the_auditor(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + GROUP):
        Simulation(seed, tmp_path / str(seed)).run(BLOCKS)


def test_a_long_run_sees_every_end_that_a_job_and_a_round_can_have(tmp_path: Path) -> None:
    ends: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    seeds: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    fees: Counter[str] = Counter()
    for seed in (1, 7, 9):
        simulation = Simulation(seed, tmp_path / str(seed))
        simulation.run(500)
        state = simulation.world.memory
        seeds.update(proven=simulation.world.proven, unproven=simulation.world.unproven)
        ends.update(job.phase.name for _, job in jobs.JOBS.items(state))
        faults.update(simulation.world.auditor.seen)
        ends.update(f"round {row.phase.name}" for _, row in ROUNDS.items(state))
        totals.update(simulation.world.tally.totals)
        totals["left"] += simulation.world.tally.left
        grants = simulation.world.auditor.grants
        fees.update(used=grants.used, refused=grants.refused, pruned=grants.pruned)
        fees.update(executed=grants.executed)
    assert seeds["proven"] > 20 * seeds["unproven"] > 0
    assert ends[JobPhase.SETTLED.name] > 3
    assert all(totals.values()), totals
    assert all(fees.values()), fees
    assert {"CANCELLED", "FAILED", "round SETTLED", "round ABORTED"} <= set(ends)
    assert {"MISSED_COMMIT", "UNREVEALED_UPDATE", "NO_AGGREGATE"} <= set(faults)
    assert {"EXCUSED", "COMPENSATED", "BURNED"} <= set(faults)
    assert {"SCORED", "NO_SLICES", "NO_QUORUM", "NOBODY_WORTH"} <= set(faults)
    assert {"UNREVEALED_SCORES", "UPHELD", "UNMEASURED"} <= set(faults)


def test_the_roots_don_t_depend_on_the_order_of_python_s_hashes(tmp_path: Path) -> None:
    roots = set()
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "scripts/simulate.py", "--seed", "5", "--blocks", "60", "--root"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        roots.add(run.stdout.strip().splitlines()[-1])
    assert len(roots) == 1
