"""The chain's own clock.

It runs with the block headers' time and stands still across a gap of more than a minute between two
blocks, so that a halted chain convicts nobody of a missed deadline. Only such a gap is stored.
"""

from __future__ import annotations

from dataclasses import replace

from app.kernel.context import Block
from app.kernel.frozen import frozen
from app.kernel.module import Module
from app.kernel.record import U64
from app.kernel.store import State
from app.kernel.table import Singleton

HALT_MS = 60_000


@frozen
class Halts:
    """For how long the chain has stood still, in all."""

    total_ms: U64 = U64(0)


HALTS = Singleton("clock/halts", Halts)


def advance(state: State, block: Block) -> Block:
    """Return the block with the chain's own time, which a long gap before it does not move."""
    halts = HALTS.get(state)
    gap_ms = block.time_ms - block.previous_time_ms
    if block.previous_time_ms and gap_ms > HALT_MS:
        halts = Halts(U64(halts.total_ms + gap_ms))
        HALTS.put(state, halts)
    return replace(block, clock_ms=block.time_ms - halts.total_ms)


def previous_ms(block: Block) -> int:
    """Return what the chain's clock showed in the block before."""
    gap_ms = block.time_ms - block.previous_time_ms
    is_halt = not block.previous_time_ms or gap_ms > HALT_MS
    return block.clock_ms - (0 if is_halt else gap_ms)


MODULE = Module(name="clock", package="pollen.clock.v1", tables=(HALTS,))
