"""RegisterVrfKey: a validator's operator gives it another key for the beacon."""

from dataclasses import replace

from app.chain import add_founder
from app.kernel import vrf
from app.kernel.record import U64
from app.modules import beacon, staking
from app.modules.beacon import (
    VALIDATORS,
    BadVrfKey,
    NoSuchValidator,
    NotTheOperator,
    RegisterVrfKey,
    VrfKeyRegistered,
)
from tests.build import MONEY, World, a_validator, a_vrf_secret, an_address

VERA, VITO = an_address("vera"), an_address("vito")
OLD, NEW, NEWER = (vrf.key_of(a_vrf_secret(name)) for name in ("vera", "new", "newer"))


def a_world() -> World:
    """A world with one validator, which olga operates."""
    world = World(modules=MONEY)
    add_founder(world.state, a_validator("vera", world.account("olga")))
    return world


def key_now(world: World) -> bytes:
    """The key that counts for the validator in this block."""
    return beacon.key_at(VALIDATORS.must(world.state, VERA), world.block.height)


def test_a_key_counts_two_blocks_after_it_is_registered() -> None:
    world = a_world()
    world.run(RegisterVrfKey(an_address("olga"), VERA, NEW))
    height = U64(world.block.height + 2)
    assert world.said(VrfKeyRegistered) == [VrfKeyRegistered(VERA, NEW, height)]
    found = []
    for _ in range(4):
        found.append(key_now(world))
        world.pass_block()
    assert found == [OLD, OLD, NEW, NEW]


def test_a_key_that_is_registered_before_the_last_counts_takes_its_place() -> None:
    world = a_world()
    world.run(RegisterVrfKey(an_address("olga"), VERA, NEW))
    world.pass_block()
    world.run(RegisterVrfKey(an_address("olga"), VERA, NEWER))
    found = []
    for _ in range(3):
        found.append(key_now(world))
        world.pass_block()
    assert found == [OLD, OLD, NEWER]


def test_the_key_that_counts_stays_until_the_next_one_does() -> None:
    world = a_world()
    world.run(RegisterVrfKey(an_address("olga"), VERA, NEW))
    world.pass_block()
    world.pass_block()
    world.run(RegisterVrfKey(an_address("olga"), VERA, NEWER))
    found = []
    for _ in range(3):
        found.append(key_now(world))
        world.pass_block()
    assert found == [NEW, NEW, NEWER]


def test_the_first_key_of_a_new_validator_counts_two_blocks_later_too() -> None:
    world = a_world()
    add_founder(world.state, a_validator("vito", world.account("vito")))
    VALIDATORS.delete(world.state, VITO)
    assert beacon.count_validators(world.state) == 1
    world.run(RegisterVrfKey(VITO, VITO, NEW))
    assert beacon.count_validators(world.state) == 2
    found = []
    for _ in range(3):
        found.append(beacon.find_key(world.state, replace(world.block, proposer=VITO)))
        world.pass_block()
    assert found == [b"", b"", NEW]


def test_who_takes_no_part_in_consensus_does_not_count() -> None:
    world = a_world()
    add_founder(world.state, a_validator("vito", world.account("vito")))
    staking.set_jailed(world.state, staking.operator_of(an_address("olga")), True)
    world.pass_block()
    assert beacon.count_validators(world.state) == 1
    world.do(beacon.ask)
    assert beacon.is_proof_due(world.state)
    VALIDATORS.delete(world.state, VITO)
    assert not beacon.is_proof_due(world.state)


def test_an_address_that_is_no_validator_s_is_refused() -> None:
    world = a_world()
    message = RegisterVrfKey(an_address("olga"), an_address("eve"), NEW)
    words = (an_address("eve").hex(), "of whom 1 have a key", "pollend vrf show")
    world.refused(message, NoSuchValidator, *words)


def test_only_the_operator_may_change_a_key() -> None:
    world = a_world()
    eve = world.account("eve")
    world.refused(RegisterVrfKey(eve, VERA, NEW), NotTheOperator, VERA.hex(), "sign with pollen1")
    assert key_now(world) == OLD


def test_bytes_that_are_no_key_are_refused() -> None:
    world = a_world()
    for key in (b"", bytes(32), NEW[:-1], b"\x01" + bytes(31), b"\xff" * 32):
        message = RegisterVrfKey(an_address("olga"), VERA, key)
        world.refused(message, BadVrfKey, key.hex(), "32 bytes", "pollend vrf show")
