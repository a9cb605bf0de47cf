"""What proposers gain who skip their turns to change a draw, as tables for THREATS.md.

Seats are drawn with the chain's own function, from so many seeds. From the seats that sybils got in
each follows what somebody expects who may choose among several outputs, or let another proposer's
unknown one decide. A turn belongs to the coalition with a chance of its share of power; its outputs
are known to it as soon as the draw is asked for.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from app.kernel.record import Address
from app.learning.draw import EVALUATOR_DRAW, WORKER_DRAW, Candidate, draw

SHARES = (0.05, 0.1, 0.2, 0.33)
VALIDATORS = 100
SKIPS = (1, 2, 3)
TRIES = 1_000
"""Blocks that somebody tries who also makes the block before, and with it the proof's input."""


class Case(NamedTuple):
    """A draw, and of what the sybils want more."""

    title: str
    domain: bytes
    candidates: int
    sybils: int
    seats: int
    seats_wanted: int
    """So many seats or none; 0: every seat counts."""


CASES = (
    Case("seats of 20 in a cohort, a tenth of 200 candidates", WORKER_DRAW, 200, 20, 20, 0),
    Case("a majority of 5 evaluators, a fifth of 50", EVALUATOR_DRAW, 50, 10, 5, 3),
)


def sample(case: Case, draws: int) -> list[float]:
    """Return what so many seeds give the sybils, in order."""
    people = [Address(hashlib.sha256(b"%d" % i).digest()[:20]) for i in range(case.candidates)]
    sybils = dict.fromkeys(people[: case.sybils])
    candidates = [Candidate(address, 1) for address in people]
    found = []
    for number in range(draws):
        seed = hashlib.sha256(b"seed %d" % number).digest()
        drawn = draw(seed, 1, 1, candidates, case.seats, newcomer_seats=0, domain=case.domain)
        count = sum(address in sybils for address in drawn)
        found.append(float(count >= case.seats_wanted if case.seats_wanted else count))
    return sorted(found)


def expect_best(outcomes: Sequence[float], choices: int) -> float:
    """Return what the best of so many known outputs and one unknown gives on average."""
    count, mean = len(outcomes), sum(outcomes) / len(outcomes)
    return sum(
        max(outcome, mean) * (((at + 1) / count) ** choices - (at / count) ** choices)
        for at, outcome in enumerate(outcomes)
    )


def expect_skipping(outcomes: Sequence[float], share: float, skips: int) -> float:
    """Return what a coalition gets that may skip so many turns in a row, each with its own key."""
    total = (1 - share) * sum(outcomes) / len(outcomes)
    for turns in range(1, skips + 1):
        chance = share**turns * (1 - share if turns < skips else 1)
        total += chance * expect_best(outcomes, turns)
    return total


def expect_choosing(outcomes: Sequence[float], share: float, choices: int) -> float:
    """Return what a coalition gets that chooses among so many outputs whenever it has a turn."""
    mean = sum(outcomes) / len(outcomes)
    return (1 - share) * mean + share * expect_best(outcomes, choices)


def show(case: Case, draws: int) -> None:
    """Print one case's table."""
    outcomes = sample(case, draws)
    mean = sum(outcomes) / len(outcomes)
    print(f"\n{case.title}; honest proposers: {mean:.3f}\n")
    heads = ["share of power", *[f"skips up to {skips}" for skips in SKIPS]]
    heads += ["shares its keys", "makes the block before too"]
    print("| " + " | ".join(heads) + " |")
    print("| " + " | ".join(["---"] * len(heads)) + " |")
    for share in SHARES:
        values = [expect_skipping(outcomes, share, skips) for skips in SKIPS]
        values.append(expect_choosing(outcomes, share, round(share * VALIDATORS)))
        values.append((1 - share) * values[0] + share * expect_choosing(outcomes, share, TRIES))
        cells = [f"{value:.3f} ({value / mean - 1:+.1%})" for value in values]
        print(f"| {share:.0%} | " + " | ".join(cells) + " |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4_000, help="seeds that are tried")
    options = parser.parse_args()
    for case in CASES:
        show(case, options.draws)


if __name__ == "__main__":
    main()
