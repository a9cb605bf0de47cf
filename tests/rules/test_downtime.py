"""Downtime: who isn't there to vote loses a little, and is jailed for a while."""

from dataclasses import replace

import pytest

from app.kernel.context import Context
from app.kernel.decimals import ONE
from app.kernel.errors import InvariantBroken
from app.kernel.record import U64, Dec
from app.kernel.store import Overlay
from app.modules import downtime, staking
from app.modules.downtime import SIGNING_INFOS, Missed, Params, Run, SigningInfo, Slashed, judge
from app.modules.staking import BondStatus
from tests.build import FLT, an_address
from tests.build_staking import StakingWorld, an_operator

VITO = an_address("vito")
SMALL = Params(
    signed_blocks_window=U64(5),
    sample_s=U64(10),
    min_signed_per_window=Dec(ONE * 2 // 5),
    jail_s=U64(60),
)


def a_world() -> StakingWorld:
    """A world in which three of five samples may be missed, each of ten seconds."""
    world = StakingWorld(["vera", "vito"])
    downtime.PARAMS.put(world.state, SMALL)
    return world


def info(world: StakingWorld) -> SigningInfo:
    """What vito has missed."""
    return downtime.find_info(world.state, VITO)


def test_a_miss_is_remembered_once_a_sample() -> None:
    world = a_world()
    for _ in range(10):
        world.pass_block(absent=(VITO,))
    assert info(world).missed == (Run(U64(101), U64(101)),)
    world.pass_block(10, absent=(VITO,))
    world.pass_block(10)
    world.pass_block(10, absent=(VITO,))
    missed = (Run(U64(101), U64(102)), Run(U64(104), U64(104)))
    assert info(world).missed == missed
    assert downtime.count_missed(SMALL, info(world), 104) == 3
    assert downtime.count_missed(SMALL, info(world), 107) == 1
    assert info(world).start_height == 11


def test_a_block_that_everybody_signed_writes_nothing_and_neither_does_the_rest_of_a_sample() -> (
    None
):
    world = a_world()
    for seconds, absent in ((10, ()), (1, (VITO,)), (0, (VITO,))):
        draft = Overlay(world.state)
        block = replace(world.next_block(seconds), absent=absent)
        judge(draft, Context(block))
        assert draft.changes == {}
    block = replace(world.next_block(10), absent=(VITO,))
    draft = Overlay(world.state)
    judge(draft, Context(block))
    assert len(draft.changes) == 1


def test_a_chain_that_stood_still_convicts_nobody() -> None:
    world = a_world()
    block = replace(
        world.next_block(10),
        time_ms=world.block.time_ms + 3_600_000,
        clock_ms=world.block.clock_ms,
        absent=(VITO,),
    )
    draft = Overlay(world.state)
    judge(draft, Context(block))
    assert draft.changes == {}


def test_who_misses_too_much_is_slashed_and_jailed() -> None:
    world = a_world()
    events = []
    for _ in range(4):
        events += world.pass_block(10, absent=(VITO,))
    assert not world.row("vito").jailed
    events += world.pass_block(10, absent=(VITO,))

    row = world.row("vito")
    assert (row.jailed, row.tokens_uflt) == (True, 10 * FLT - 1_000)
    shown = downtime.consensus_text(VITO)
    (told,) = [each for each in events if isinstance(each, Slashed)]
    assert told == Slashed(shown, "10", "missing_signature", shown, "1000uflt")
    misses = [each.missed_blocks for each in events if isinstance(each, Missed)]
    assert misses == ["1", "2", "3", "4", "5"]
    assert info(world).missed == ()
    assert info(world).jailed_until_ms == world.block.clock_ms + 60_000
    world.pass_block()
    assert world.powers() == {"vera": 10}


def test_who_votes_often_enough_stays() -> None:
    world = a_world()
    for at in range(20):
        world.pass_block(10, absent=(VITO,) if at % 5 < 3 else ())
    assert not world.row("vito").jailed
    assert len(info(world).missed) <= 5


def test_only_who_takes_part_is_counted() -> None:
    world = a_world()
    staking.set_jailed(world.state, an_operator("vito"), True)
    for _ in range(8):
        world.pass_block(10, absent=(VITO, an_address("eve")))
    assert list(SIGNING_INFOS.items(world.state)) == []
    assert world.row("vito").status is BondStatus.UNBONDING


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"missed": (Run(U64(3), U64(2)),)}, "in order and apart"),
        ({"missed": (Run(U64(3), U64(4)), Run(U64(5), U64(5)))}, "in order and apart"),
        ({"tombstoned": True}, "voted twice and is jailed"),
    ],
)
def test_an_invariant_that_does_not_hold_says_so(row: dict[str, object], sentence: str) -> None:
    world = a_world()
    SIGNING_INFOS.put(world.state, VITO, replace(info(world), **row))
    with pytest.raises(InvariantBroken, match=sentence):
        for_all(world)


def for_all(world: StakingWorld) -> None:
    """Check every invariant."""
    for invariant in downtime.MODULE.invariants:
        invariant(world.state)
