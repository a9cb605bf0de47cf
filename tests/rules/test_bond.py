import pytest

from app.kernel.errors import InvariantBroken
from app.modules import bonds
from app.modules.bonds import Bond, Role, Unbond, bonding, participants
from tests.build import FLT, World


def test_bonding_adds_to_a_bond() -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=20 * FLT)

    world.run(Bond(wanda, 5 * FLT))

    assert world.registration(wanda).bonded_uflt == world.balance("bonds") == 25 * FLT
    assert world.said(bonding.Bonded) == [bonding.Bonded(wanda, 5 * FLT)]


def test_who_took_the_whole_bond_out_is_found_again_after_bonding() -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=20 * FLT)

    world.run(Unbond(wanda, 20 * FLT))
    gone = list(participants(world.state, Role.WORKER))
    world.run(Bond(wanda, 10 * FLT))

    assert gone == []
    assert [row.participant for row in participants(world.state, Role.WORKER)] == [wanda]


def test_what_cannot_be_bonded_is_refused() -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=20 * FLT)

    world.refused(Bond(world.account("nobody"), 1), bonding.NotRegistered, "participant pollen1")
    world.refused(Bond(wanda, 0), bonding.NothingToBond, "amount_uflt 0", "limit of 1")
    world.run(Unbond(wanda, 20 * FLT))
    world.refused(Bond(wanda, 9 * FLT), bonding.BondTooSmall, "amount_uflt 9000000", 10_000_000)


def test_each_seat_locks_its_part_and_frees_it() -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=30 * FLT)

    bonds.lock(world.state, wanda, 7, 10 * FLT)
    bonds.lock(world.state, wanda, 7, 5 * FLT)
    bonds.lock(world.state, wanda, 8, 15 * FLT)
    assert bonds.free_uflt(world.registration(wanda)) == 0
    assert bonds.find_lock(world.state, wanda, 7) == bonds.Lock(2, 15 * FLT)

    bonds.unlock(world.state, wanda, 7, 10 * FLT)
    bonds.unlock(world.state, wanda, 7, 5 * FLT)
    assert world.registration(wanda).locked_uflt == 15 * FLT
    assert not bonding.LOCKS.has(world.state, (wanda, 7))


@pytest.mark.parametrize(
    ("locked", "freed"), [(None, 1), (5, 6), (5, 4)], ids=["no seat", "too much", "not all"]
)
def test_a_wrong_lock_stops_the_node(locked: int | None, freed: int) -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=30 * FLT)

    with pytest.raises(InvariantBroken, match="no more than is free"):
        bonds.lock(world.state, wanda, 7, 31 * FLT)
    if locked:
        bonds.lock(world.state, wanda, 7, locked)
    with pytest.raises(InvariantBroken, match="just what its seats lock"):
        bonds.unlock(world.state, wanda, 7, freed)
