"""The chain's own clock: it runs with the headers, and stands still while the chain does."""

import pytest

from app.kernel.context import Block
from app.kernel.store import MemoryStore, Overlay
from app.modules import clock
from app.modules.clock import HALTS, Halts


def a_state() -> MemoryStore:
    """A state in which the chain never halted."""
    state = MemoryStore()
    HALTS.put(state, Halts())
    return state


def advance(state: MemoryStore, time_ms: int, previous_time_ms: int) -> int:
    """Begin a block at a time; return what the chain's clock shows."""
    return clock.advance(state, Block("c", 2, time_ms, previous_time_ms)).clock_ms


def test_the_clock_runs_with_the_headers() -> None:
    state = a_state()
    assert advance(state, 5_000, 4_000) == 5_000
    assert advance(state, 65_000, 5_000) == 65_000


def test_the_clock_stands_still_over_more_than_a_minute() -> None:
    state = a_state()
    assert advance(state, 65_001, 5_000) == 5_000
    assert advance(state, 66_001, 65_001) == 6_000


def test_halts_add_up() -> None:
    state = a_state()
    advance(state, 70_000, 1_000)
    advance(state, 200_000, 70_000)
    assert HALTS.get(state).total_ms == 69_000 + 130_000
    assert advance(state, 201_000, 200_000) == 2_000


def test_the_first_block_is_no_halt() -> None:
    assert advance(a_state(), 1_800_000_000_000, 0) == 1_800_000_000_000


@pytest.mark.parametrize("gap_ms", [1, 60_000])
def test_nothing_is_written_while_the_chain_runs(gap_ms: int) -> None:
    draft = Overlay(a_state())
    clock.advance(draft, Block("c", 2, 1_000_000 + gap_ms, 1_000_000))
    assert draft.changes == {}
