"""Run seeded simulations: `simulate.py --seed N --blocks N`, or `--runs N` of them from a seed on.

A seed that fails is printed with its error; the same seed fails again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.sim.workload import Simulation


def main() -> int:
    """Run, say what was run, and return 1 if any seed failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--runs", type=int, default=1, help="how many seeds")
    parser.add_argument("--blocks", type=int, default=60, help="blocks a run")
    parser.add_argument("--root", action="store_true", help="print the last application hash")
    options = parser.parse_args()
    logging.disable()  # Proposers that keep their proofs back are part of it.
    failed = []
    seen: Counter[str] = Counter()
    started_s = time.monotonic()
    for seed in range(options.seed, options.seed + options.runs):
        with tempfile.TemporaryDirectory() as folder:
            simulation = Simulation(seed, Path(folder))
            try:
                simulation.run(options.blocks)
                seen.update(simulation.count())
            except Exception as error:
                failed.append(seed)
                place = f"height {simulation.world.height}"
                print(f"seed {seed} failed at {place}: {type(error).__name__}: {error}")
                if options.runs == 1:
                    raise
    elapsed_s = time.monotonic() - started_s
    print(f"{options.runs} runs of {options.blocks} blocks in {elapsed_s:.1f} s; failed: {failed}")
    print(", ".join(f"{what} {count}" for what, count in sorted(seen.items()) if what))
    if options.root:
        print(simulation.world.forest.root().hex())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
