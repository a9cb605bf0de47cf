"""`pollen`, for a reader whose first model is false: python -m tests.e2e.liar aggregator start …"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fl_worker import cli
from fl_worker.roles import reader


def lie_once(combine: Callable[..., bytes]) -> Callable[..., bytes]:
    """Return what combines wrongly the first time, the same wrong way in every process."""
    told: list[bytes] = []

    def lie(*given: Any, **terms: Any) -> bytes:
        model = combine(*given, **terms)
        if not told:
            model = bytes([model[0] ^ 1]) + model[1:]
            told.append(model)
        return model

    return lie


if __name__ == "__main__":
    reader.combine = lie_once(reader.combine)
    cli.main()
