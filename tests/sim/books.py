"""What the auditors are told, and how money is split: the protocol's sentences as plain sums."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PPM = 1_000_000
Place = tuple[int, int]
"""A job and a round."""


def account(name: str) -> bytes:
    """Return a module's address."""
    return hashlib.sha256(name.encode()).digest()[:20]


@dataclass(frozen=True)
class Missed:
    """A full deadline that some missed, of so many who were awaited."""

    place: Place
    fault: str
    people: tuple[bytes, ...]
    awaited: int

    @property
    def is_outage(self) -> bool:
        """Whether so many missed it that it wasn't theirs alone; an aggregator's turn is."""
        alone = ("NO_AGGREGATE", "UNREVEALED_SCORES")
        return self.fault not in alone and 3 * len(self.people) > self.awaited


@dataclass(frozen=True)
class RoundFacts:
    """What people did in a round, as the auditor is told once it has ended."""

    phase: str
    reached_reveal: bool
    pool: int
    delivered: dict[bytes, tuple[bytes, int]]
    """Update root and examples of who was included, or revealed where that was never decided."""
    reserves: tuple[bytes, ...]
    aggregator: bytes
    evaluators: tuple[bytes, ...]
    attesters: tuple[bytes, ...]
    attested: tuple[bytes, ...]
    """Evaluators that attested the model, whether they voted or not."""
    voted: tuple[bytes, ...]
    is_decided: bool
    """Whether it is known whose update is included."""
    committed_count: int
    late_count: int
    """Workers who were not done when a quorum ended a phase."""


def snake_case(kind: type[Any]) -> str:
    """Return a class's name as a function's."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def event_name(event: Any) -> str:
    """Return what an event is heard as; validators are slashed as participants are."""
    is_validator = getattr(event, "EVENT_TYPE", "") == "slash"
    return "validator_slashed" if is_validator else snake_case(type(event))


def coins(text: str) -> int:
    """Return the uflt that an event's amount shows."""
    assert text.endswith("uflt")
    return int(text.removesuffix("uflt"))


def even(total: int, people: Iterable[bytes]) -> dict[bytes, int]:
    """Split evenly, the remainder one by one in address order."""
    people = sorted(people)
    if not people:
        return {}
    share, left = divmod(total, len(people))
    return {who: share + (i < left) for i, who in enumerate(people)}


def twins(delivered: Mapping[bytes, tuple[bytes, int]]) -> dict[bytes, list[bytes]]:
    """Group workers by identical update, under the first of each kind."""
    groups: dict[bytes, list[bytes]] = {}
    for who in sorted(delivered):
        groups.setdefault(delivered[who][0], []).append(who)
    return {group[0]: group for group in groups.values()}


def claimed_shares(spec: Any, facts: RoundFacts) -> tuple[dict[bytes, int], int]:
    """Return the workers' shares where nothing is scored, and what is over twice an equal one."""
    workers, groups = facts.pool * spec.pay.worker_ppm // PPM, twins(facts.delivered)
    limit = spec.combination.example_count_max
    capped = spec.pay.contribution.name == "EXAMPLES_CAPPED"
    weights = {g: min(facts.delivered[g][1], limit) if capped else 1 for g in groups}
    raw = {g: workers * weight // sum(weights.values()) for g, weight in weights.items()}
    for who in sorted(raw)[: workers - sum(raw.values())]:
        raw[who] += 1
    cap, excess = 2 * workers // len(groups), 0
    shares: dict[bytes, int] = defaultdict(int)
    for first, amount in raw.items():
        excess += max(0, amount - cap)
        for who, part in even(min(amount, cap), groups[first]).items():
            shares[who] += part
    return shares, excess


def full_shares(spec: Any, facts: RoundFacts) -> dict[bytes, int]:
    """Return an equal share of the workers' pool for everyone who delivered."""
    groups, shares = twins(facts.delivered), {}
    for first, part in even(facts.pool * spec.pay.worker_ppm // PPM, groups).items():
        shares |= even(part, groups[first])
    return shares


def aborted_shares(
    spec: Any, facts: RoundFacts, made_good: Mapping[bytes, int]
) -> dict[bytes, int]:
    """Return what escrow adds to what was made good, for half a share, once updates were read."""
    if not facts.reached_reveal:
        return {}
    groups, shares = twins(facts.delivered), {}
    half = facts.pool * spec.pay.worker_ppm // PPM // 2
    for first, part in even(half, groups).items():
        shares |= even(part, groups[first])
    return {who: max(0, share - made_good.get(who, 0)) for who, share in shares.items()}
