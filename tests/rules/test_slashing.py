"""The module itself: what a bond gives, whose money it is then, and who is excused."""

from collections.abc import Mapping

import pytest

from app.kernel.errors import InvariantBroken
from app.kernel.record import U64, Address
from app.modules import bonds, jobs, reputation, slashing
from app.modules.bonds import Lock
from app.modules.slashing import (
    PENALTIES,
    SLASHED,
    Base,
    Excused,
    Fault,
    LossCompensated,
    Place,
    PotBurned,
    ProverPaid,
    Slash,
    Slashed,
)
from tests.build import FLT, World, a_payout_address, a_running_job

HERE = Place(1, 1)
OF_A_BOND = [fault for fault, penalty in PENALTIES.items() if penalty.base is Base.BOND]


def a_world(**params: int) -> tuple[World, list[Address]]:
    """A running job, and its four workers with a bond of 100 FLT each."""
    world = World({"slashing": params})
    _, workers = a_running_job(world)
    return world, workers


def slash(world: World, who: Address, fault: Fault = Fault.FALSE_UPDATE) -> int:
    amount: int = world.do(slashing.slash, HERE, who, fault)
    return amount


def lock(world: World, who: Address, job_id: int, uflt: int) -> None:
    bonds.lock(world.state, who, job_id, uflt)


def unbondings(world: World, who: Address) -> list[int]:
    return [row.amount_uflt for _, row in bonds.unbonding.UNBONDINGS.items(world.state, (who,))]


def pot(world: World, place: Place = HERE) -> int:
    return slashing.get_pot_uflt(world.state, place)


def rounds_pass(world: World, who: Address, count: int) -> None:
    for _ in range(count):
        world.do(reputation.move, who, True)


def miss(world: World, missing: list[Address], awaited_count: int) -> None:
    fault = Fault.MISSED_COMMIT
    world.do(slashing.punish_missing, HERE, missing, awaited_count=awaited_count, fault=fault)


def test_every_fault_has_a_penalty_and_its_part_is_a_param() -> None:
    faults = [fault for fault in Fault if fault is not Fault.UNSPECIFIED]
    assert list(PENALTIES) == faults
    params = slashing.Params()
    assert {fault: slashing.compute_part_ppm(params, fault) for fault in faults} == {
        Fault.MISSED_COMMIT: 5_000,
        Fault.UNREVEALED_UPDATE: 20_000,
        Fault.FALSE_UPDATE: 100_000,
        Fault.NO_AGGREGATE: 50_000,
        Fault.FALSE_AGGREGATE: 1_000_000,
        Fault.FALSE_ATTESTATION: 100_000,
        Fault.WITHHELD_CHUNK: 100_000,
        Fault.UNREVEALED_SCORES: 20_000,
        Fault.FALSE_CHALLENGE: 1_000_000,
    }


@pytest.mark.parametrize("fault", OF_A_BOND, ids=lambda fault: fault.name)
def test_a_part_of_the_bond_goes_into_the_pot_of_its_round(fault: Fault) -> None:
    world, (wanda, *_) = a_world()
    amount = 100 * FLT * slashing.compute_part_ppm(slashing.Params(), fault) // 1_000_000

    assert slash(world, wanda, fault) == amount

    assert world.registration(wanda).bonded_uflt == 100 * FLT - amount
    assert pot(world) == world.balance("slashed") == amount
    assert world.said(Slashed) == [Slashed(1, 1, wanda, fault, amount)]
    assert slashing.get_slashes(world.state, HERE) == [Slash(wanda, fault, amount)]


def test_a_fault_costs_once_a_round() -> None:
    world, (wanda, *_) = a_world()
    assert [slash(world, wanda), slash(world, wanda)] == [10 * FLT, 0]
    assert world.do(slashing.slash, Place(1, 2), wanda, Fault.FALSE_UPDATE) == 9 * FLT


def test_a_proven_fault_costs_reputation_and_a_missed_deadline_is_judged_by_its_round() -> None:
    world, (wanda, *_) = a_world()
    slash(world, wanda, Fault.MISSED_COMMIT)
    assert world.said(reputation.ReputationMoved) == []
    slash(world, wanda, Fault.FALSE_UPDATE)
    assert world.said(reputation.ReputationMoved) == [
        reputation.ReputationMoved(wanda, 225_000, False)
    ]


def test_what_is_free_goes_before_locks() -> None:
    world, (wanda, *_) = a_world()
    lock(world, wanda, 1, 50 * FLT)
    slash(world, wanda)
    assert world.registration(wanda).locked_uflt == 50 * FLT
    assert bonds.find_lock(world.state, wanda, 1) == Lock(1, 50 * FLT)


def test_what_is_on_its_way_out_goes_first_the_newest_of_it_first() -> None:
    world, (wanda, *_) = a_world()
    lock(world, wanda, 1, 50 * FLT)
    for amount in (30 * FLT, 17 * FLT):
        world.run(bonds.Unbond(wanda, U64(amount)))

    assert slash(world, wanda) == 10 * FLT

    assert unbondings(world, wanda) == [30 * FLT, 7 * FLT]
    assert world.registration(wanda).bonded_uflt == 53 * FLT
    assert bonds.find_lock(world.state, wanda, 1) == Lock(1, 50 * FLT)


def test_an_unbonding_that_is_all_taken_is_never_paid() -> None:
    world, (wanda, *_) = a_world()
    lock(world, wanda, 1, 90 * FLT)
    for amount in (4 * FLT, 6 * FLT):
        world.run(bonds.Unbond(wanda, U64(amount)))

    slash(world, wanda)

    assert unbondings(world, wanda) == []
    before = world.balance(wanda)
    world.wait(8 * 24 * 3_600)
    assert world.balance(wanda) == before


def test_last_goes_what_the_job_locks_and_its_seats_are_short_of_it() -> None:
    world, (wanda, *_) = a_world()
    lock(world, wanda, 1, 60 * FLT)
    lock(world, wanda, 1, 40 * FLT)

    assert slash(world, wanda) == 10 * FLT

    assert bonds.find_lock(world.state, wanda, 1) == Lock(2, 90 * FLT, 10 * FLT)
    bonds.unlock(world.state, wanda, 1, 60 * FLT)  # the seats that stay are made whole first
    assert bonds.find_lock(world.state, wanda, 1) == Lock(1, 40 * FLT)
    bonds.unlock(world.state, wanda, 1, 40 * FLT)
    assert bonds.free_uflt(world.registration(wanda)) == 90 * FLT


def test_what_other_jobs_lock_is_never_touched() -> None:
    world, (wanda, *_) = a_world()
    lock(world, wanda, 1, 4 * FLT)
    lock(world, wanda, 2, 95 * FLT)

    assert slash(world, wanda) == 5 * FLT

    assert bonds.find_lock(world.state, wanda, 1) == Lock(1, 0, 4 * FLT)
    assert bonds.find_lock(world.state, wanda, 2) == Lock(1, 95 * FLT)
    registration = world.registration(wanda)
    assert (registration.bonded_uflt, registration.locked_uflt) == (95 * FLT, 95 * FLT)


def test_a_false_aggregate_costs_all_that_the_job_locks_and_nothing_else() -> None:
    world, (wanda, *_) = a_world()
    lock(world, wanda, 1, 30 * FLT)
    lock(world, wanda, 2, 10 * FLT)
    world.run(bonds.Unbond(wanda, U64(5 * FLT)))

    assert slash(world, wanda, Fault.FALSE_AGGREGATE) == 30 * FLT

    assert unbondings(world, wanda) == [5 * FLT]
    registration = world.registration(wanda)
    assert (registration.bonded_uflt, registration.locked_uflt) == (65 * FLT, 10 * FLT)


def test_who_has_lost_everything_has_no_bond_and_is_not_found_by_role() -> None:
    world, (wanda, *_) = a_world(false_update_ppm=1_000_000)
    slash(world, wanda)
    assert world.registration(wanda).bonded_uflt == 0
    everyone = bonds.participants(world.state, bonds.Role.WORKER)
    assert wanda not in [each.participant for each in everyone]


def test_a_deposit_is_not_slashed() -> None:
    world, (wanda, *_) = a_world()
    with pytest.raises(InvariantBroken, match="FALSE_CHALLENGE costs a deposit"):
        slash(world, wanda, Fault.FALSE_CHALLENGE)


def test_a_prover_gets_a_quarter_of_what_its_proof_has_brought() -> None:
    world, (wanda, paul, *_) = a_world()
    slash(world, paul, Fault.MISSED_COMMIT)
    brought = slash(world, wanda)
    prover = world.account("prover", 0)

    assert world.do(slashing.pay_prover, HERE, prover, brought) == 2_500_000

    assert world.balance(prover) == 2_500_000
    assert pot(world) == 7_500_000 + 500_000
    assert world.said(ProverPaid) == [ProverPaid(1, 1, prover, prover, 2_500_000)]


def test_a_registered_prover_is_paid_where_its_pay_goes() -> None:
    world, (wanda, paul, *_) = a_world()
    world.do(slashing.pay_prover, HERE, paul, slash(world, wanda))
    assert world.balance(a_payout_address(paul)) == 2_500_000


@pytest.mark.parametrize("who", ["requester", "funder", "slashed", "pays_the_requester"])
def test_no_prover_is_the_requester_a_funder_or_slashed_itself(who: str) -> None:
    world, (wanda, paul, *_) = a_world()
    brought = slash(world, wanda)
    provers = {
        "requester": world.job(1).requester,
        "funder": world.account("funder"),
        "slashed": wanda,
        "pays_the_requester": paul,
    }
    world.run(jobs.FundJob(provers["funder"], U64(1), U64(1)))
    change = bonds.EditRegistration(paul, world.job(1).requester, "", b"", False)
    world.run(change)

    assert world.do(slashing.pay_prover, HERE, provers[who], brought) == 0
    assert pot(world) == 10 * FLT


def compensated(world: World, losses: Mapping[Address, int]) -> dict[Address, int]:
    parts: dict[Address, int] = world.do(slashing.compensate, [HERE], losses)
    return parts


def test_a_loss_is_made_good_exactly_and_the_rest_is_burned() -> None:
    world, (wanda, paul, rosa, _) = a_world()
    slash(world, wanda)

    assert compensated(world, {paul: 3 * FLT, rosa: 1}) == {paul: 3 * FLT, rosa: 1}

    assert world.balance(a_payout_address(paul)) == 3 * FLT
    assert {event.participant: event.amount_uflt for event in world.said(LossCompensated)} == {
        paul: 3 * FLT,
        rosa: 1,
    }
    supply = sum(row.amount for _, row in slashing.bank.BALANCES.items(world.state))
    world.do(slashing.burn_rest, HERE)
    assert (pot(world), world.balance("slashed")) == (0, 0)
    left = 7 * FLT - 1
    assert world.said(PotBurned) == [PotBurned(1, 1, left)]
    assert sum(row.amount for _, row in slashing.bank.BALANCES.items(world.state)) == supply - left


def test_a_pot_that_is_short_is_shared_in_proportion_to_the_unit() -> None:
    world, (wanda, paul, rosa, _) = a_world(false_update_ppm=1)
    assert slash(world, wanda) == 100
    parts = compensated(world, {paul: 1_000, rosa: 2_000})
    first = min(paul, rosa)
    assert parts == {paul: 33 + (first == paul), rosa: 66 + (first == rosa)}
    assert pot(world) == 0


def test_no_loss_is_made_good_to_who_posted_or_funded_the_job() -> None:
    world, (wanda, paul, rosa, otto) = a_world()
    slash(world, wanda)
    world.run(jobs.FundJob(paul, U64(1), U64(1)))
    world.run(bonds.EditRegistration(rosa, world.job(1).requester, "", b"", False))
    assert compensated(world, {paul: FLT, rosa: FLT, otto: FLT}) == {otto: FLT}


def test_the_pots_of_rounds_that_are_voided_together_pay_together() -> None:
    world, (wanda, paul, rosa, _) = a_world()
    places = [HERE, Place(1, 2)]
    slash(world, wanda)
    world.do(slashing.slash, places[1], wanda, Fault.FALSE_UPDATE)
    world.do(slashing.compensate, places, {paul: 4 * FLT, rosa: 9 * FLT})
    assert [pot(world, place) for place in places] == [0, 6 * FLT]


def test_nothing_is_paid_or_burned_out_of_an_empty_pot() -> None:
    world, (_, paul, *_) = a_world()
    assert compensated(world, {paul: FLT}) == {}
    world.do(slashing.burn_rest, HERE)
    assert world.said(PotBurned) == []


@pytest.mark.parametrize(
    ("missing", "awaited", "is_outage"),
    [(1, 3, False), (2, 3, True), (1, 2, True), (2, 6, False), (3, 8, True), (0, 3, False)],
)
def test_more_than_a_third_of_those_awaited_make_an_outage(
    missing: int, awaited: int, is_outage: bool
) -> None:
    world, workers = a_world()
    miss(world, workers[:missing], awaited)
    assert len(world.said(Excused)) == (missing if is_outage else 0)
    assert len(world.said(Slashed)) == (0 if is_outage else missing)


def test_an_account_is_excused_once_in_twenty_of_its_rounds() -> None:
    world, (wanda, *_) = a_world()
    outcomes = []
    for _ in range(42):
        before = len(world.said(Excused))
        miss(world, [wanda], 1)
        outcomes.append(len(world.said(Excused)) > before)
        rounds_pass(world, wanda, 1)
    assert [i for i, is_excused in enumerate(outcomes) if is_excused] == [0, 20, 40]


def test_one_that_was_excused_before_is_slashed_where_the_others_are_excused() -> None:
    world, (wanda, paul, *_) = a_world()
    miss(world, [wanda], 1)
    miss(world, [wanda, paul], 3)
    assert [event.participant for event in world.said(Excused)] == [wanda, paul]
    assert [event.participant for event in world.said(Slashed)] == [wanda]


def test_who_is_excused_sits_out_three_draws_of_that_job() -> None:
    world, (wanda, *_) = a_world()
    miss(world, [wanda], 1)
    left = []
    for _ in range(4):
        left.append(slashing.get_sitting_out(world.state, 1))
        slashing.count_draw(world.state, 2)
        slashing.count_draw(world.state, 1)
    assert left == [[wanda], [wanda], [wanda], []]


def test_who_was_slashed_and_who_is_excused_can_be_asked() -> None:
    world, (wanda, paul, *_) = a_world()
    slash(world, wanda)
    miss(world, [paul], 1)
    answer = slashing.round_slashes(world.state, slashing.RoundSlashesRequest(1, 1))
    assert answer.slashes == (Slash(wanda, Fault.FALSE_UPDATE, 10 * FLT),)
    assert answer.pot_uflt == 10 * FLT
    of_paul = slashing.excuse_of(world.state, slashing.ExcuseRequest(paul, 1))
    assert of_paul == slashing.ExcuseResponse(False, 0, 3)
    of_wanda = slashing.excuse_of(world.state, slashing.ExcuseRequest(wanda, 1))
    assert of_wanda == slashing.ExcuseResponse(True, 0, 0)


def test_what_each_fault_costs_now_can_be_asked() -> None:
    world, _ = a_world(missed_commit_ppm=7)
    rows = slashing.penalties(world.state, slashing.PenaltiesRequest()).penalties
    assert [row.fault for row in rows] == list(PENALTIES)
    assert rows[0] == slashing.PenaltyShown(Fault.MISSED_COMMIT, Base.BOND, 7, False)


def test_nobody_sends_to_the_account_of_slashed_money() -> None:
    assert slashing.bank.MODULE_ADDRESSES[SLASHED] == "slashed"
