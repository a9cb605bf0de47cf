"""Means of what workers state about their training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def mean_metrics(replies: Iterable[tuple[Mapping[str, Any], float]]) -> dict[str, float]:
    """Return the mean of each metric that is one number, by the replies' weights."""
    sums: dict[str, float] = {}
    weights: dict[str, float] = {}
    for metrics, weight in replies:
        for name, value in metrics.items():
            if isinstance(value, int | float):
                sums[name] = sums.get(name, 0.0) + value * weight
                weights[name] = weights.get(name, 0.0) + weight
    return {name: total / weights[name] for name, total in sums.items() if weights[name]}
