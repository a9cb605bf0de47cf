from app.modules import bonds, reputation
from app.modules.bonds import Role, Unbond, UnbondingsRequest, bonding, unbonding, unbondings
from tests.build import FLT, World

WEEK_S = 7 * 24 * 3_600


def test_unbonded_money_arrives_after_the_unbonding_time_and_not_before() -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=30 * FLT)
    before = world.balance(wanda)

    answer = world.run(Unbond(wanda, 20 * FLT))
    release = world.block.clock_ms + WEEK_S * 1_000
    row = bonds.Unbonding(wanda, 1, 20 * FLT, release)
    assert answer == bonds.UnbondResponse(1, release)
    assert unbondings(world.state, UnbondingsRequest(wanda)).unbondings == (row,)
    assert world.registration(wanda).bonded_uflt == 10 * FLT

    world.wait(WEEK_S - 2)
    assert world.balance(wanda) == before
    world.wait(1)
    assert world.balance(wanda) == before + 20 * FLT
    assert world.said(unbonding.Unbonded) == [unbonding.Unbonded(wanda, 1, 20 * FLT)]
    assert unbondings(world.state, UnbondingsRequest(wanda)).unbondings == ()


def test_what_cannot_be_unbonded_is_refused() -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=30 * FLT)
    bonds.lock(world.state, wanda, 1, 15 * FLT)

    world.refused(Unbond(world.account("x"), 1), bonding.NotRegistered, "participant pollen1")
    world.refused(Unbond(wanda, 0), bonding.NothingToBond, "amount_uflt 0")
    world.refused(Unbond(wanda, 16 * FLT), unbonding.BondNotFree, 16_000_000, 15_000_000)
    bonds.unlock(world.state, wanda, 1, 15 * FLT)
    world.refused(Unbond(wanda, 21 * FLT), bonding.BondTooSmall, "amount_uflt 21000000", 10_000_000)


def test_so_many_unbondings_at_a_time_and_no_more() -> None:
    world = World({"bonds": {"unbondings_max": 2}})
    wanda = world.participant("wanda", bond_uflt=30 * FLT)

    world.run(Unbond(wanda, 1))
    world.run(Unbond(wanda, 1))
    world.refused(Unbond(wanda, 1), unbonding.TooManyUnbondings, "unbondings 3", "limit is 2")
    world.wait(WEEK_S)
    world.run(Unbond(wanda, 1))


def test_a_block_pays_out_so_many_unbondings_and_the_next_goes_on() -> None:
    world = World({"bonds": {"releases_per_block_max": 2}})
    workers = [world.participant(f"worker {i}") for i in range(3)]
    for worker in workers:
        world.run(Unbond(worker, FLT))

    world.pass_block(WEEK_S)
    world.pass_block()
    assert len(world.said(unbonding.Unbonded)) == 2
    world.pass_block()
    assert len(world.said(unbonding.Unbonded)) == 3


def test_a_worker_that_has_begun_takes_nothing_out_through_its_first_five_rounds() -> None:
    world = World()
    wanda = world.participant("wanda", bond_uflt=30 * FLT)

    world.run(Unbond(wanda, 1))  # before it has begun
    for _ in range(4):
        world.do(reputation.move, wanda, True)
        world.refused(Unbond(wanda, 1), unbonding.BondHeld, "amount_uflt 1", "the limit is 0")
    world.do(reputation.move, wanda, True)
    world.run(Unbond(wanda, 1))


def test_an_evaluator_is_never_held() -> None:
    world = World()
    emma = world.participant("emma", Role.EVALUATOR, 30 * FLT)

    world.do(reputation.move, emma, True)

    world.run(Unbond(emma, 30 * FLT))
