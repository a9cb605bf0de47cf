import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.errors import InvariantBroken
from app.modules import jobs, payouts
from app.modules.bonds import EditRegistration
from app.modules.jobs import FundJob, JobPhase
from app.modules.payouts import Earning, EarningsRequest, SharePaid
from tests.build import FLT, RICH, World, a_payout_address, a_running_job, an_address


def test_a_share_is_paid_in_part_and_held_back_in_part() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    wanda = workers[0]

    world.do(payouts.pay_shares, job_id, 3, {wanda: 1_000_001})

    address = a_payout_address(wanda)
    assert world.balance(address) == 792_001
    assert world.balance("treasury") == 8_000
    assert world.said(SharePaid) == [
        SharePaid(job_id, 3, wanda, address, paid_uflt=792_001, fee_uflt=8_000, held_uflt=200_000)
    ]
    job = world.job(job_id)
    assert (job.escrow_uflt, job.held_uflt, job.paid_uflt) == (19_199_999, 200_000, 800_001)
    rows = payouts.earnings(world.state, EarningsRequest(job_id, wanda)).earnings
    assert rows == (Earning(wanda, 800_001, 200_000),)


def test_earnings_of_all_rounds_add_up_and_are_listed() -> None:
    world = World()
    job_id, workers = a_running_job(world)

    for worker in (workers[0], workers[1], workers[0]):
        world.do(payouts.pay_shares, job_id, 1, {worker: 1_000})

    rows = payouts.earnings(world.state, EarningsRequest(job_id, b"")).earnings
    assert {row.participant: (row.paid_uflt, row.held_uflt) for row in rows} == {
        workers[0]: (1_600, 400),
        workers[1]: (800, 200),
    }
    silent = payouts.earnings(world.state, EarningsRequest(job_id, workers[2])).earnings
    assert silent == (Earning(workers[2], 0, 0),)
    with pytest.raises(jobs.NoSuchJob, match="job_id 9"):
        payouts.earnings(world.state, EarningsRequest(9, b""))


def test_pay_goes_to_the_payout_address_of_the_day() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    wanda = workers[0]

    world.do(payouts.pay_shares, job_id, 1, {wanda: 1_000})
    world.run(EditRegistration(wanda, an_address("safe"), "", b"", False))
    world.do(payouts.fail_job, job_id, "three_aborted_rounds")
    world.pass_block()

    assert world.balance(an_address("safe")) == 198


def test_excess_goes_to_the_treasury_without_a_fee() -> None:
    world = World()
    job_id, _ = a_running_job(world)

    world.do(payouts.pay_treasury, job_id, 500)

    assert (world.balance("treasury"), world.job(job_id).paid_uflt) == (500, 500)


def test_a_job_never_pays_more_than_it_has() -> None:
    world = World()
    job_id, workers = a_running_job(world)
    world.do(payouts.pay_shares, job_id, 1, {workers[0]: 10 * FLT})

    with pytest.raises(InvariantBroken, match="no more than it has in escrow"):
        world.do(payouts.pay_treasury, job_id, 10 * FLT + 1)


@pytest.mark.parametrize(
    ("end", "phase"),
    [
        (lambda world, job_id: world.do(payouts.fail_job, job_id, "aborts"), JobPhase.FAILED),
        (lambda world, job_id: world.do(payouts.finish_cancelled, job_id), JobPhase.CANCELLED),
    ],
)
def test_whatever_ends_a_running_job_pays_what_was_held_back(end: object, phase: JobPhase) -> None:
    world = World()
    job_id, workers = a_running_job(world)
    world.do(payouts.pay_shares, job_id, 1, {workers[0]: FLT})

    end(world, job_id)
    world.pass_block()

    assert world.job(job_id).phase == phase
    assert world.balance(a_payout_address(workers[0])) == 990_000
    assert world.balance(world.job(job_id).requester) == RICH - 11 * FLT


@settings(max_examples=30)
@given(
    shares=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2 * FLT)), max_size=10),
    fundings=st.lists(st.integers(1, 3 * FLT), max_size=4),
    payments=st.integers(1, 20),
)
def test_nothing_is_lost_and_nothing_stays_behind(
    shares: list[tuple[int, int]], fundings: list[int], payments: int
) -> None:
    world = World({"payouts": {"payments_per_block_max": payments}})
    job_id, workers = a_running_job(world)
    funders = [world.account(f"funder {i}") for i in range(len(fundings))]
    for funder, amount in zip(funders, fundings, strict=True):
        world.run(FundJob(funder, job_id, amount))
    for i, amount in shares:
        world.do(payouts.pay_shares, job_id, 1, {workers[i]: amount})

    world.do(payouts.fail_job, job_id, "aborts")
    while jobs.CLOSING.has(world.state, job_id):
        world.pass_block()

    earned = sum(amount for _, amount in shares)
    arrived = sum(world.balance(a_payout_address(worker)) for worker in workers)
    assert arrived + world.balance("treasury") == earned == world.job(job_id).paid_uflt
    returned = world.balance(world.job(job_id).requester) - (RICH - 30 * FLT)
    returned += sum(world.balance(funder) - RICH for funder in funders) + sum(fundings)
    assert returned == 20 * FLT + sum(fundings) - earned
    assert (world.balance("escrow"), world.balance("deposits")) == (0, 0)
