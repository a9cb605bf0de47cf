from collections.abc import Callable
from dataclasses import replace

import pytest

from app.kernel.crypto import module_address
from app.kernel.errors import InvariantBroken
from app.modules import bank, bonds, jobs, payouts, reputation, slashing, statistics
from app.modules.bonds import bonding, unbonding
from app.modules.jobs import lifecycle
from tests.build import FLT, World, a_job, a_running_job, an_address

JOB = 1
OPEN_JOB = 2
REVIEWED_JOB = 3
WANDA = an_address("worker 0")


def a_busy_world() -> World:
    """A running, an open and a reviewed job, a held-back share, a lock and an unbonding."""
    world = World()
    a_running_job(world)
    world.run(a_job(an_address("rita")))
    world.run(a_job(an_address("rita")))
    world.do(jobs.advance, world.job(REVIEWED_JOB), jobs.JobPhase.RUNNING)
    world.do(payouts.begin_review, REVIEWED_JOB)
    world.do(payouts.pay_shares, JOB, 1, {WANDA: FLT})
    world.run(bonds.Unbond(an_address("worker 1"), FLT))
    bonds.lock(world.state, WANDA, JOB, FLT)
    return world


def check_all(world: World) -> None:
    """Check every invariant."""
    for module in world.modules:
        for invariant in module.invariants:
            invariant(world.state)


def change_job(world: World, job_id: int, **changes: object) -> None:
    """Write a job with other values, as no rule would."""
    jobs.store(world.state, replace(world.job(job_id), **changes))


def change_registration(world: World, **changes: object) -> None:
    """Write a registration with other values, as no rule would."""
    row = replace(world.registration(WANDA), **changes)
    bonds.REGISTRATIONS.put(world.state, WANDA, row)


def pay_in(world: World, name: str) -> None:
    """Give a module's account money that no rule knows of."""
    bank.mint(world.state, module_address(name), 1)


def due_unbonding(world: World) -> tuple[int, bytes, int]:
    """The index row of the one unbonding."""
    return next(iter(unbonding.DUE.keys(world.state)))


TAMPERING: list[tuple[Callable[[World], None], str]] = [
    (lambda w: pay_in(w, "bonds"), "holds all bonds"),
    (lambda w: pay_in(w, "escrow"), "holds the jobs' escrows"),
    (lambda w: pay_in(w, "deposits"), "deposits holds join"),
    (lambda w: change_registration(w, locked_uflt=2 * FLT), "the sum of its locks"),
    (lambda w: bonding.ROLES.remove(w.state, (1, WANDA)), "found by role"),
    (lambda w: unbonding.DUE.remove(w.state, due_unbonding(w)), "unbonding is due once"),
    (
        lambda w: reputation.STANDINGS.put(
            w.state, WANDA, reputation.Standing(WANDA, 1_000_001, 1, 1)
        ),
        "every reputation lies between",
    ),
    (lambda w: change_job(w, JOB, held_uflt=20 * FLT), "holds back more than it has"),
    (lambda w: change_job(w, JOB, paid_uflt=0), "the budget of job 1"),
    (lambda w: change_job(w, JOB, due_clock_ms=7), "due at its own time"),
    (
        lambda w: (
            change_job(w, OPEN_JOB, due_clock_ms=0),
            lifecycle.DUE.remove(w.state, (w.block.clock_ms + 60_000, OPEN_JOB)),
        ),
        "every open job is due",
    ),
    (
        lambda w: lifecycle.OPEN_JOBS.remove(w.state, (an_address("rita"), JOB)),
        "found by requester",
    ),
    (lambda w: change_job(w, JOB, candidate_count=3), "counts its 4 candidates"),
    (lambda w: change_job(w, JOB, held_uflt=1), "the sum of its earnings"),
    (lambda w: pay_in(w, "slashed"), "slashed holds what is in the pots"),
    (
        lambda w: slashing.POTS.put(w.state, (JOB, 1), slashing.Pot(0)),
        "no pot is empty",
    ),
    (
        lambda w: slashing.PARAMS.put(w.state, slashing.Params(prover_ppm=1_000_001)),
        "no fault costs, and no prover gets, more than 1000000 ppm",
    ),
    (
        lambda w: slashing.SITTING_OUT.put(
            w.state, (OPEN_JOB, WANDA), slashing.SittingOut(WANDA, 1)
        ),
        "who sits out draws of job 2",
    ),
    (lambda w: payouts.HELD.remove(w.state, (JOB, WANDA)), "holds something back are found"),
    (lambda w: statistics.count(w.state, paid_uflt=1), "count 3 jobs that have paid"),
    (lambda w: statistics.count_ending(w.state, "job", "FAILED", ""), "that have ended, by reason"),
    (lambda w: statistics.count_registration(w.state), "statistics count 4 registered"),
    (lambda w: statistics.count_bond(w.state, 0, 1), "statistics count 4 registered"),
    (
        lambda w: statistics.PARTICIPANTS.put(
            w.state, replace(statistics.PARTICIPANTS.get(w.state), active_count=5)
        ),
        "an epoch ends with who was there",
    ),
    (lambda w: change_job(w, REVIEWED_JOB, due_clock_ms=7), "job in review is due once"),
]


@pytest.mark.parametrize(("tamper", "sentence"), TAMPERING, ids=[s for _, s in TAMPERING])
def test_an_invariant_that_does_not_hold_says_so(
    tamper: Callable[[World], None], sentence: str
) -> None:
    world = a_busy_world()
    check_all(world)

    tamper(world)

    with pytest.raises(InvariantBroken, match=sentence):
        check_all(world)


@pytest.mark.parametrize(
    "module", [bonds, reputation, jobs, payouts, slashing], ids=lambda m: m.MODULE.name
)
def test_the_params_of_a_module_are_answered(module: object) -> None:
    world = World()

    answer = module.params(world.state, module.ParamsRequest())

    assert answer.params == module.Params()
