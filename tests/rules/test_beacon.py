"""The beacon: a seed is made of what nobody could know before, when it was asked for."""

from dataclasses import replace
from typing import Any

import pytest

from app.kernel import vrf
from app.kernel.crypto import sha256
from app.kernel.errors import InvariantBroken
from app.kernel.record import U64
from app.kernel.tx import Slot
from app.modules import beacon
from app.modules.beacon import BEACON, VALIDATORS, Beacon, SeedMade
from tests.build import MONEY, World, a_vrf_secret, an_address

VERA, VITO = an_address("vera"), an_address("vito")


def a_world(*names: str) -> World:
    """A world whose validators have keys for the beacon."""
    world = World(modules=MONEY)
    for name in names:
        world.validator(name)
    return world


def a_slot(world: World, name: str, **changes: Any) -> Slot:
    """The slot of a validator in the block that comes next, or in one with other fields."""
    alpha = beacon.compute_alpha(world.state, replace(world.next_block(), **changes))
    return Slot(an_address(name), vrf.prove(a_vrf_secret(name), alpha))


def seeds(world: World, slot: Slot | None, proposer: bytes = VERA) -> list[SeedMade]:
    """The seed that the next block makes with this in its slot."""
    events = world.pass_block(slot=slot, proposer=proposer)
    return [event for event in events if isinstance(event, SeedMade)]


def test_a_seed_is_made_of_the_proposers_output_the_block_after_it_was_asked_for() -> None:
    world = a_world("vera")
    asked = world.block.height
    world.do(beacon.ask)
    assert BEACON.get(world.state) == Beacon(bytes(32), U64(0), U64(asked))
    slot = a_slot(world, "vera")
    alpha = b"pollen/beacon/alpha" + bytes(32) + world.next_block().previous_app_hash
    assert slot.proof == vrf.prove(a_vrf_secret("vera"), alpha)

    made = seeds(world, slot)

    seed = sha256(b"pollen/beacon/seed" + bytes(32) + vrf.proof_to_hash(slot.proof))
    assert made == [SeedMade(seed, VERA, is_proven=True)]
    assert BEACON.get(world.state) == Beacon(seed, U64(world.block.height))
    assert world.do(beacon.get_seed) == seed


def test_a_seed_that_is_asked_for_twice_is_made_once() -> None:
    world = a_world("vera")
    world.do(beacon.ask)
    world.do(beacon.ask)
    assert len(seeds(world, a_slot(world, "vera"))) == 1
    assert seeds(world, None) == []


def test_nobody_asks_and_no_seed_is_made() -> None:
    world = a_world("vera")
    before = BEACON.get(world.state)
    assert not beacon.is_proof_due(world.state)
    assert seeds(world, None) == seeds(world, a_slot(world, "vera")) == []
    assert BEACON.get(world.state) == before


def test_each_seed_follows_from_the_one_before_and_from_the_state() -> None:
    found = []
    for _ in range(2):
        world = a_world("vera")
        for _ in range(3):
            world.do(beacon.ask)
            found += [event.seed for event in seeds(world, a_slot(world, "vera"))]
    assert found[:3] == found[3:]
    assert len(dict.fromkeys(found)) == 3
    world = a_world("vera")
    world.do(beacon.ask)
    slot = a_slot(world, "vera", previous_app_hash=sha256(b"another state"))
    assert seeds(world, slot)[0].is_proven is False


@pytest.mark.parametrize("wrong", ["nothing", "other proposer", "other key", "cut", "no validator"])
def test_a_block_without_its_proposers_proof_makes_a_seed_of_the_state_alone(wrong: str) -> None:
    world = a_world("vera", "vito")
    world.do(beacon.ask)
    right, other = a_slot(world, "vera"), a_slot(world, "vito")
    slot, proposer = {
        "nothing": (None, VERA),
        "other proposer": (other, VERA),
        "other key": (Slot(VERA, other.proof), VERA),
        "cut": (Slot(VERA, right.proof[:-1]), VERA),
        "no validator": (a_slot(world, "eve"), an_address("eve")),
    }[wrong]
    state_hash = world.next_block().previous_app_hash

    made = seeds(world, slot, proposer)

    seed = sha256(b"pollen/beacon/fallback" + bytes(32) + state_hash)
    assert made == [SeedMade(seed, proposer, is_proven=False)]


def test_without_keys_no_proof_is_due_and_the_state_makes_the_seed() -> None:
    world = a_world()
    world.do(beacon.ask)
    assert not beacon.is_proof_due(world.state)
    assert [event.is_proven for event in seeds(world, None)] == [False]


def test_a_seed_is_used_only_in_the_block_that_made_it() -> None:
    world = a_world("vera")
    with pytest.raises(InvariantBroken, match="a seed is used in the block that made it"):
        world.do(beacon.get_seed)
    world.do(beacon.ask)
    seeds(world, a_slot(world, "vera"))
    world.do(beacon.get_seed)
    world.pass_block()
    with pytest.raises(InvariantBroken, match="a seed is used in the block that made it"):
        world.do(beacon.get_seed)


def test_questions_show_the_seed_and_the_keys_by_address() -> None:
    world = a_world("vera", "vito")
    world.do(beacon.ask)
    known = BEACON.get(world.state)
    assert beacon.beacon(world.state, beacon.BeaconRequest()).beacon == known
    rows = beacon.validators(world.state, beacon.ValidatorsRequest()).validators
    assert [row.validator for row in rows] == sorted([VERA, VITO])


@pytest.mark.parametrize(
    "changes",
    [{"vrf_key": bytes(32)}, {"operator": b""}, {"validator": b"v" * 19}, {"next_height": U64(5)}],
)
def test_a_validator_without_a_key_is_found(changes: dict[str, Any]) -> None:
    world = a_world("vera")
    row = replace(VALIDATORS.must(world.state, VERA), **changes)
    VALIDATORS.put(world.state, row.validator, row)
    with pytest.raises(InvariantBroken, match="has an address, an operator and a key"):
        beacon.every_validator_has_a_key(world.state)


@pytest.mark.parametrize(
    "wrong", [Beacon(b"short"), Beacon(seed_height=U64(5), asked_height=U64(4))]
)
def test_a_seed_of_another_form_is_found(wrong: Beacon) -> None:
    world = a_world()
    BEACON.put(world.state, wrong)
    with pytest.raises(InvariantBroken, match="a seed has 32 bytes"):
        beacon.a_seed_is_asked_for_after_the_last_was_made(world.state)
