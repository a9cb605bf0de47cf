"""Short seeded runs; a failing one is repeated with `scripts/simulate.py --seed N`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.sim.workload import Simulation

RUNS, BLOCKS = 200, 60
GROUP = 20
FIRSTS = range(0, RUNS, GROUP)
EVENTS = {
    *("CRASH", "RESTART", "proven", "unproven"),
    *("MISSED_COMMIT", "UNREVEALED_UPDATE", "NO_AGGREGATE", "UNREVEALED_SCORES"),
    *("FALSE_AGGREGATE", "FALSE_ATTESTATION", "BUILT", "COMPENSATED", "BURNED"),
    *("dispute UPHELD", "dispute REFUTED", "dispute EXPIRED", "dispute RETURNED"),
    *("MINTED", "TWINS", "SYBILS", "EXCUSED", "UNEXCUSED"),
    *("SCORED", "NO_SLICES", "NO_QUORUM", "NOBODY_WORTH"),
    *("UPHELD", "MEASURED", "UNMEASURED"),
    *("job SETTLED", "job CANCELLED", "job FAILED"),
    *("round SETTLED", "round ABORTED", "round VOIDED"),
    *("fees used", "fees refused", "fees pruned", "fees executed"),
    *("paid_uflt", "reward_uflt", "example_count", "left_count"),
    *("included_count", "excluded_count", "missed_count", "late_count", "dropped_count"),
    *("delegated", "undelegated", "redelegated", "unbonding cancelled", "unbonded"),
    *("reward paid", "commission paid", "left", "took part", "unjailed"),
    *("validator created", "validator edited", "validator removed"),
    *("absent", "voted twice", "leaving slashed", "moved slashed"),
    *("motion PASSED", "motion REJECTED", "motion VETOED", "motion FAILED"),
    *("motion dropped", "motion slowed", "motion cancelled", "CommunityPoolSpend"),
    *("UpdateStakingParams", "UpdateDistributionParams", "UpdateSlashingParams"),
}
"""What the seeds must bring about, each several times."""


@cache
def run_group(first: int) -> Counter[str]:
    """Run a group of seeds and count what they saw."""
    seen: Counter[str] = Counter()
    for seed in range(first, first + GROUP):
        with TemporaryDirectory() as folder:
            simulation = Simulation(seed, Path(folder))
            try:
                simulation.run(BLOCKS)
            except Exception as error:
                error.add_note(f"seed {seed}, height {simulation.world.height}")
                raise
        seen.update(simulation.count())
    return seen


@pytest.mark.parametrize("first", FIRSTS)
def test_short_runs_agree_with_the_auditor(first: int) -> None:
    assert run_group(first)["CRASH"]


def test_short_runs_see_every_fault_verdict_and_end() -> None:
    seen = sum(map(run_group, FIRSTS), Counter[str]())
    assert not {each: seen[each] for each in EVENTS if seen[each] < 3}
    assert seen["proven"] > 20 * seen["unproven"]
    assert seen["dispute UPHELD"] > 4 * seen["LIE SETTLED"]  # while all who watch are away


def test_the_roots_don_t_depend_on_the_order_of_python_s_hashes() -> None:
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
