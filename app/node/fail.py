"""Ending where it hurts most, to test that nothing is lost, as CometBFT's FAIL_TEST_INDEX does.

With POLLEND_FAIL_INDEX=N in the environment the process ends, as if it were killed, at the Nth fail
point it reaches, counted from 0: just before a block's batch is written, just after, and so on.
"""

from __future__ import annotations

import os
from itertools import count

FAIL_INDEX = int(os.environ.get("POLLEND_FAIL_INDEX", "-1"))
reached = count()


def fail_point() -> None:
    """End here if it is the one that was asked for."""
    if FAIL_INDEX >= 0 and next(reached) == FAIL_INDEX:
        os._exit(1)
