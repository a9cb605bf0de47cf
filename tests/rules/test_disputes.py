"""Disputes: who proves what pays whom, to the unit, and how a job goes on after a lie."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.record import U32, U64, Address
from app.kernel.store import Overlay
from app.learning.proof import proof_hash
from app.modules import bonds, disputes, jobs, reputation, slashing
from app.modules.disputes import Dispute, DisputePhase
from app.modules.disputes.lifecycle import NEXT_PHASES
from app.modules.disputes.records import DUE, PARTS, DisputePhaseChanged, ProofPart
from app.modules.disputes.verdict import RIGHT_CHUNK, find_fault
from app.modules.jobs import CombineRule, ContributionRule, JobPhase
from app.modules.reputation import ReputationMoved
from app.modules.rounds import RoundPhase
from tests.build import FLT, RICH, a_payout_address
from tests.build_disputes import Court, a_court, root_of

POOL = 5 * FLT
LOCK = 10 * POOL
"""What an aggregator locks: ten pools."""
BOND = 1_000 * FLT
FOUR = {"schedule.round_count": U32(4)}
FALSE_COURT = a_court(FOUR).to_challenge(lie=1)
"""A court whose state no test changes."""


def evaluators(court: Court, number: int = 1) -> list[Address]:
    return [reader.participant for reader in court.play.readers(number, is_aggregator=False)]


def phases(court: Court) -> list[str]:
    return [court.play.round(n).phase.name for n in range(1, court.play.job().next_round)]


def paid(court: Court, who: Address) -> int:
    return court.play.world.balance(a_payout_address(who))


def bond_of(court: Court, who: Address) -> int:
    return court.play.world.registration(who).bonded_uflt


# A right proof


def a_proven_court(**kwargs: Any) -> tuple[Court, list[Address]]:
    """Two of three evaluators attest a lie, and a stranger proves it."""
    court = a_court(FOUR, **kwargs)
    liars = evaluators(court)[:2]
    court.to_challenge(lie=1, evaluators=liars)
    assert court.challenge(court.stranger, court.proof()).phase is DisputePhase.UPHELD
    return court, liars


def test_the_cheat_loses_what_the_job_locks_and_attesters_a_tenth_of_their_bond() -> None:
    court, liars = a_proven_court()
    cheat = court.play.round().aggregator
    assert bond_of(court, cheat) == BOND - LOCK
    for evaluator in evaluators(court):
        lost = BOND // 10 if evaluator in liars else 0
        assert bond_of(court, evaluator) == BOND - lost


def test_a_quarter_goes_to_the_prover_losses_are_paid_and_the_rest_is_burned() -> None:
    supply = a_court(FOUR).play.world  # the same world without a lie
    court, liars = a_proven_court()
    world = court.play.world
    slashed = LOCK + 2 * BOND // 10
    assert world.balance(court.stranger) == RICH + slashed // 4
    included = sorted(seat.worker for seat in court.play.seats() if seat.reveal.update_root)
    share, left = divmod(POOL * 70 // 100, 3)
    assert [paid(court, who) for who in included] == [share + (i < left) for i in range(3)]
    (honest,) = [who for who in evaluators(court) if who not in liars]
    assert paid(court, honest) == POOL * 15 // 100 // 3
    assert [paid(court, who) for who in liars] == [0, 0]
    rest = slashed - slashed // 4 - POOL * 70 // 100 - POOL * 15 // 100 // 3
    assert world.said(slashing.PotBurned)[-1].amount_uflt == rest
    assert world.balance("slashed") == world.balance("disputes") == 0
    assert supply.balance("bonds") - world.balance("bonds") == slashed


def test_nothing_comes_from_escrow_and_no_reserve_is_paid() -> None:
    court, _ = a_proven_court()
    job = court.play.job()
    assert (job.escrow_uflt, job.paid_uflt) == (job.budget_uflt, 0)
    reserves = [seat.worker for seat in court.play.seats() if not seat.reveal.update_root]
    assert [paid(court, who) for who in reserves] == [0]


def test_proofs_cost_reputation_once_and_nobody_else_any() -> None:
    court, liars = a_proven_court()
    cheat = court.play.round().aggregator
    moved = [(event.account, event.success) for event in court.play.world.said(ReputationMoved)]
    assert sorted(moved) == sorted((who, False) for who in (cheat, *liars))
    court.play.world.pass_block()
    assert reputation.find_standing(court.play.world.state, cheat).round_count == 1


def test_who_attests_after_the_majority_is_convicted_too() -> None:
    court = a_court(FOUR)
    everyone = evaluators(court)
    court.to_challenge(lie=1, evaluators=everyone[:2])
    court.attest(evaluators=everyone[2:])
    court.challenge(court.stranger, court.proof())
    assert [bond_of(court, who) for who in everyone] == [BOND - BOND // 10] * 3


def test_the_requester_proves_for_nothing() -> None:
    court = a_court(FOUR).to_challenge(lie=1)
    requester = court.play.job().requester
    before = court.play.world.balance(requester)
    assert court.challenge(requester, court.proof()).phase is DisputePhase.UPHELD
    assert court.play.world.balance(requester) == before


@pytest.mark.parametrize("lie", [1, -1, 1 << 40])
@pytest.mark.parametrize(
    "terms",
    [
        {"combination.rule": CombineRule.FEDAVG},
        {"combination.rule": CombineRule.MEDIAN},
        {"combination.rule": CombineRule.TRIMMED_MEAN, "combination.trim_count": U32(1)},
        {"combination.norm_max": U64(20_000)},
    ],
)
def test_every_rule_can_be_disputed_and_no_right_model_is_proven_false(
    terms: Mapping[str, Any], lie: int
) -> None:
    court = a_court({**FOUR, **terms, "schedule.cohort_size_min": U32(3)}).to_challenge()
    right = [court.challenge(court.stranger, court.proof(index=i)).phase for i in range(3)]
    assert right == [DisputePhase.REFUTED] * 3
    court.to_challenge(2, lie=lie)
    assert court.challenge(court.stranger, court.proof(2), 2).phase is DisputePhase.UPHELD
    assert phases(court)[:2] == ["CHALLENGE", "VOIDED"]


def test_a_model_that_counts_identical_updates_once_is_right() -> None:
    court = a_court({**FOUR, "schedule.cohort_size_min": U32(2)})
    play = court.play
    first, twin, *_ = sorted(play.asked())
    made = {who: court.reveal_of(first if who == twin else who, 1) for who in play.asked()}
    for who, fields in made.items():
        play.world.run(play.commitment(who, **fields))
    play.world.pass_block()
    for who, fields in made.items():
        play.world.run(play.revelation(who, **fields))
    play.world.pass_block()
    play.vote()
    court.post()
    court.attest()
    assert court.challenge(court.stranger, court.proof()).phase is DisputePhase.REFUTED


def test_a_lie_is_disproved_while_it_is_scored() -> None:
    scored = {**FOUR, "pay.contribution": ContributionRule.LEAVE_ONE_OUT}
    court = a_court(scored).to_aggregate()
    court.post(lie=1)
    court.attest()
    assert court.play.round().phase is RoundPhase.SCORE
    assert court.challenge(court.stranger, court.proof()).phase is DisputePhase.UPHELD
    assert phases(court)[:2] == ["VOIDED"] * 2
    assert court.play.job().model_root == court.play.job().spec.work.base_root
    assert court.play.world.balance("slashed") == 0


def test_a_challenge_of_a_model_that_is_scored_outlives_the_scoring() -> None:
    scored = {**FOUR, "pay.contribution": ContributionRule.LEAVE_ONE_OUT}
    court = a_court(scored).to_aggregate()
    court.post(lie=1)
    court.attest()
    dispute_id = court.commit(court.stranger, court.proof())
    court.play.score()
    assert court.play.round().phase is RoundPhase.CHALLENGE
    assert court.play.round().dispute_count == 1
    court.open(dispute_id)
    assert court.phase(dispute_id) is DisputePhase.UPHELD


# A wrong proof


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_bytes_come_as_a_proof_the_chain_goes_on(data: st.DataObject) -> None:
    court, right = FALSE_COURT, FALSE_COURT.proof()
    bent = bytearray(right)
    for at in data.draw(st.lists(st.integers(0, len(right) - 1), min_size=1, max_size=4)):
        bent[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(right), 1, len(right) // 2]))
    proof = data.draw(st.sampled_from([bytes(bent[:end]), data.draw(st.binary(min_size=1))]))
    state = court.play.world.state
    dispute = Dispute(
        *(U64(1), U32(1), U64(9), court.stranger, U32(1), b"", U64(0)),
        proof_hash=proof_hash(proof),
        part_count=U32(1),
    )
    draft = Overlay(state)
    PARTS.put(draft, (9, 0), ProofPart(proof))
    fault = find_fault(draft, dispute)
    assert (fault == "") == (proof == right)


def test_a_wrong_proof_costs_the_deposit_which_goes_to_the_accused() -> None:
    court = a_court().to_challenge(lie=1)
    world = court.play.world
    assert court.challenge(court.stranger, court.proof(index=0)).phase is DisputePhase.REFUTED
    assert world.said(DisputePhaseChanged)[-1].reason == RIGHT_CHUNK
    assert court.challenge(court.stranger, b"nonsense").phase is DisputePhase.REFUTED
    assert "proof of 8 bytes" in world.said(DisputePhaseChanged)[-1].reason
    assert world.balance(court.stranger) == RICH - 20 * FLT
    assert paid(court, court.play.round().aggregator) == 20 * FLT
    assert court.play.round().phase is RoundPhase.CHALLENGE
    assert bond_of(court, court.play.round().aggregator) == BOND


def test_a_challenge_that_is_not_opened_costs_the_deposit_which_goes_to_the_treasury() -> None:
    court = a_court().to_challenge(lie=1)
    world = court.play.world
    dispute_id = court.commit(court.stranger, court.proof())
    world.wait(119)
    assert court.phase(dispute_id) is DisputePhase.COMMITTED
    world.wait(1)
    assert court.phase(dispute_id) is DisputePhase.EXPIRED
    assert world.balance("treasury") >= 10 * FLT
    assert world.balance(court.stranger) == RICH - 10 * FLT


def test_a_chain_that_stands_still_lets_no_challenge_expire() -> None:
    court = a_court().to_challenge(lie=1)
    world = court.play.world
    dispute_id = court.commit(court.stranger, court.proof())
    later = world.block.time_ms + 3_600_000  # the chain's own clock does not count the halt
    world.block = replace(world.block, time_ms=later, previous_time_ms=later - 1)
    for _ in range(20):
        world.pass_block()
    assert court.phase(dispute_id) is DisputePhase.COMMITTED
    court.open(dispute_id)
    assert court.phase(dispute_id) is DisputePhase.UPHELD


def test_a_deadline_needs_as_many_blocks_as_a_round_s() -> None:
    court = a_court(params={"rounds": {"deadline_blocks": 5, "candidate_wait_s": 10}})
    court.to_challenge(lie=1)
    dispute_id = court.commit(court.stranger, court.proof())
    court.play.world.wait(130)
    court.play.world.pass_block()
    assert court.phase(dispute_id) is DisputePhase.COMMITTED
    court.open(dispute_id)
    assert court.phase(dispute_id) is DisputePhase.UPHELD


# Several challenges


def two_challengers(lie: int = 1) -> tuple[Court, int, int]:
    court = a_court(FOUR).to_challenge(lie=lie)
    second = court.play.world.account("second")
    return court, court.commit(court.stranger, court.proof()), court.commit(second, court.proof())


def test_the_earliest_commitment_earns_though_another_opens_first() -> None:
    court, first, second = two_challengers()
    world = court.play.world
    court.open(second)
    assert court.phase(second) is DisputePhase.PROVEN
    assert court.play.round().phase is RoundPhase.CHALLENGE
    court.open(first)
    assert (court.phase(first), court.phase(second)) == (
        DisputePhase.UPHELD,
        DisputePhase.RETURNED,
    )
    assert world.balance(court.dispute(second).challenger) == RICH
    (prover,) = world.said(slashing.ProverPaid)
    assert prover.prover == court.stranger


def test_a_later_proof_earns_when_the_earlier_challenge_expires() -> None:
    court, first, second = two_challengers()
    court.open(second)
    court.play.world.wait(120)
    assert (court.phase(first), court.phase(second)) == (
        DisputePhase.EXPIRED,
        DisputePhase.UPHELD,
    )
    (prover,) = court.play.world.said(slashing.ProverPaid)
    assert prover.prover == court.dispute(second).challenger


def test_a_later_proof_earns_when_the_earlier_is_wrong() -> None:
    court = a_court(FOUR).to_challenge(lie=1)
    first = court.commit(court.stranger, court.proof(index=0))
    second = court.commit(court.play.world.account("second"), court.proof())
    court.open(second)
    court.open(first)
    assert (court.phase(first), court.phase(second)) == (
        DisputePhase.REFUTED,
        DisputePhase.UPHELD,
    )


def test_a_challenge_that_is_not_needed_any_more_returns() -> None:
    court, first, second = two_challengers()
    court.open(first)
    assert court.phase(second) is DisputePhase.RETURNED
    assert court.play.world.balance(court.dispute(second).challenger) == RICH
    assert court.play.round().dispute_count == 0


def test_proofs_are_checked_a_limited_number_a_block() -> None:
    court = a_court(FOUR, params={"disputes": {"due_per_block_max": 1}}).to_challenge(lie=1)
    world = court.play.world
    ids = [court.commit(world.account(name), b"nonsense") for name in ("ada", "ben", "eve")]
    for dispute_id in ids:
        world.run(court.opening(dispute_id))
    for done in (1, 2, 3):
        world.pass_block()
        refuted = [n for n in ids if court.phase(n) is DisputePhase.REFUTED]
        assert refuted == ids[:done]


# The round and those built on it


def test_a_round_settles_when_its_disputes_have_ended() -> None:
    court = a_court({"schedule.round_count": U32(1)}).to_challenge()
    play = court.play
    play.world.wait(30)
    dispute_id = court.commit(court.stranger, b"nonsense")
    play.world.wait(60)
    assert play.round().deadline_clock_ms < play.world.block.clock_ms
    assert play.round().phase is RoundPhase.CHALLENGE
    court.open(dispute_id)
    play.world.wait(1)
    assert play.round().phase is RoundPhase.SETTLED
    assert play.job().phase is JobPhase.REVIEW


def test_no_round_settles_before_the_one_it_is_built_on() -> None:
    court = a_court(FOUR).to_challenge(lie=1)
    play = court.play
    court.to_challenge(2)
    play.world.wait(40)
    dispute_id = court.commit(court.stranger, court.proof())
    play.world.wait(60)
    deadlines = [play.round(number).deadline_clock_ms for number in (1, 2)]
    assert max(deadlines) < play.world.block.clock_ms
    assert phases(court)[:2] == ["CHALLENGE"] * 2
    court.open(dispute_id)
    assert phases(court)[:2] == ["VOIDED"] * 2
    assert play.job().completed_round_count == 0


def test_rounds_built_on_a_lie_are_voided_and_who_delivered_in_them_is_paid() -> None:
    court = a_court(FOUR, worker_count=4).to_challenge(lie=1).to_challenge(2)
    play, cheat = court.play, court.play.round().aggregator
    court.to_include(3)
    second = play.round(2).aggregator
    assert phases(court)[:3] == ["CHALLENGE", "CHALLENGE", "INCLUDE"]
    liars = evaluators(court)
    expected: dict[Address, int] = {}
    for number in (1, 2, 3):
        included = sorted(seat.worker for seat in play.seats(number) if seat.reveal.update_root)
        share, left = divmod(POOL * 70 // 100, 3)
        for i, who in enumerate(included):
            expected[who] = expected.get(who, 0) + share + (i < left)
    expected[second] = POOL // 10 if second != cheat else 0
    court.challenge(court.stranger, court.proof())
    assert phases(court)[:3] == ["VOIDED"] * 3
    assert {who: paid(court, who) for who in (*play.workers, second)} == {
        **dict.fromkeys(play.workers, 0),
        **expected,
    }
    assert [paid(court, who) for who in liars] == [0] * 3  # they attested both models
    assert play.job().model_root == play.job().spec.work.base_root
    assert play.world.balance("slashed") == 0


def test_losses_are_paid_in_proportion_where_the_pot_is_short() -> None:
    small = {"slashing": {"false_aggregate_ppm": 20_000, "false_attestation_ppm": 0}}
    court = a_court(FOUR, params=small).to_challenge(lie=1)
    court.challenge(court.stranger, court.proof())
    pot = LOCK // 50 - LOCK // 50 // 4
    workers = sorted(seat.worker for seat in court.play.seats() if seat.reveal.update_root)
    assert sum(paid(court, who) for who in workers) == pot < POOL * 70 // 100
    assert max(paid(court, who) for who in workers) - pot // 3 <= 1


def test_where_inclusion_is_not_decided_each_committed_update_is_a_share() -> None:
    court = a_court(FOUR).to_challenge(lie=1)
    play = court.play
    asked = play.asked(2)
    for worker in asked:
        play.world.run(play.commitment(worker, 2, **court.reveal_of(worker, 2)))
    play.world.pass_block()
    play.world.run(play.revelation(asked[0], 2, **court.reveal_of(asked[0], 2)))
    court.challenge(court.stranger, court.proof())
    whole, included = POOL * 70 // 100, sorted(s.worker for s in play.seats() if s.reveal.salt)
    expected = {who: whole // 3 + (i < whole % 3) for i, who in enumerate(included)}
    expected[asked[0]] = expected.get(asked[0], 0) + whole // 3  # one of three that committed
    assert {who: paid(court, who) for who in play.workers} == {
        **dict.fromkeys(play.workers, 0),
        **expected,
    }


def test_disputes_of_rounds_built_on_a_lie_return() -> None:
    court = a_court(FOUR).to_challenge(lie=1).to_challenge(2, lie=1)
    world = court.play.world
    first = court.commit(court.stranger, court.proof())
    second = court.commit(world.account("second"), court.proof(2), 2)
    court.open(first)
    assert court.phase(second) is DisputePhase.RETURNED
    assert world.balance(court.dispute(second).challenger) == RICH
    assert phases(court)[:2] == ["VOIDED"] * 2


def test_a_lie_built_on_a_right_model_leaves_that_model() -> None:
    court = a_court(FOUR).to_challenge().to_challenge(2, lie=1)
    court.challenge(court.stranger, court.proof(2), 2)
    play = court.play
    assert phases(court)[:2] == ["CHALLENGE", "VOIDED"]
    assert play.job().model_root == play.round(1).model_root
    assert play.job().completed_round_count == 1
    while not find_training(court):
        play.world.wait(5)
    assert play.round(find_training(court)).base_root == play.round(1).model_root


def test_the_cheat_is_not_drawn_to_read_in_that_job_again() -> None:
    court, _ = a_proven_court()
    play, cheat = court.play, court.play.round().aggregator
    play.world.pass_block()
    for number in range(2, play.job().next_round):
        if play.round(number).phase in (RoundPhase.COMMIT, RoundPhase.OPEN):
            aggregators = [row.participant for row in play.readers(number, is_aggregator=True)]
            assert cheat not in aggregators
            assert len(aggregators) == 2
    assert bonds.free_uflt(play.world.registration(cheat)) == BOND - LOCK


def test_a_round_that_is_drawn_with_the_cheat_is_drawn_anew() -> None:
    court = a_court(FOUR).to_challenge(lie=1).to_aggregate(2)
    play, cheat = court.play, court.play.round().aggregator
    assert cheat in [row.participant for row in play.readers(3)]
    court.challenge(court.stranger, court.proof())
    assert phases(court)[:3] == ["VOIDED", "VOIDED", "ABORTED"]
    assert (play.round(3).reason, play.job().aborted_in_row) == ("false_aggregate", 0)
    play.world.pass_block()
    assert play.round(4).phase is RoundPhase.COMMIT
    assert cheat not in [row.participant for row in play.readers(4)]


# The model of an honest run


def run_job(lies: Mapping[int, int]) -> Court:
    """A whole job with all its workers in each round; every lie is proven when it can be."""
    whole = {"schedule.round_count": U32(3), "schedule.reserve_count": U32(0)}
    court = a_court(whole)
    number, turn = 1, 0
    while court.play.job().phase is JobPhase.RUNNING:
        court.to_challenge(number, lie=lies.get(turn, 0))
        turn += 1
        if turn - 1 in lies:
            court.challenge(court.stranger, court.proof(number), number)
        number = 0
        while court.play.job().phase is JobPhase.RUNNING and not number:
            court.play.world.wait(1)
            number = find_training(court)
    return court


def find_training(court: Court) -> int:
    """The round that trains; 0: none does."""
    numbers = range(1, court.play.job().next_round)
    training = [n for n in numbers if court.play.round(n).phase is RoundPhase.COMMIT]
    return training[0] if training else 0


@pytest.mark.parametrize("lies", [{0: 1}, {1: -5}, {2: 1 << 30}, {0: 1, 2: 7}])
def test_the_final_model_is_that_of_an_honest_run(lies: Mapping[int, int]) -> None:
    honest, court = run_job({}), run_job(lies)
    assert honest.play.job().phase is court.play.job().phase is JobPhase.REVIEW
    assert phases(court).count("VOIDED") >= len(lies)
    assert phases(court).count("SETTLED") == phases(honest).count("SETTLED") == 3
    final = court.play.job().model_root
    assert final == honest.play.job().model_root
    assert court.models[final] == honest.models[final]
    assert root_of(court.models[final]).root == final


# Queries, params


def test_a_dispute_and_all_of_a_round_can_be_asked() -> None:
    court, first, second = two_challengers()
    court.open(first)
    state, queries = court.play.world.state, disputes.MODULE.queries
    ask = {kind.__name__: (kind, query.function) for kind, query in queries.items()}
    kind, function = ask["DisputeRequest"]
    assert function(state, kind(U64(1), U32(1), U64(second))).dispute == court.dispute(second)
    kind, function = ask["DisputesRequest"]
    everyone = function(state, kind(U64(1), U32(1), U64(0), U32(0))).disputes
    assert [row.dispute_id for row in everyone] == [first, second]
    assert function(state, kind(U64(1), U32(1), U64(first), U32(0))).disputes == everyone[1:]
    assert function(state, kind(U64(1), U32(1), U64(0), U32(1))).disputes == everyone[:1]
    kind, function = ask["ParamsRequest"]
    assert function(state, kind()).params == disputes.Params()


def test_jobs_allow_for_the_time_that_a_dispute_may_take() -> None:
    for path in Path("genesis").glob("*.json"):
        params = json.loads(path.read_text())["params"]
        ours = {"open_s": 120, "parts_s": 120, **params.get("disputes", {})}
        allowed = params["jobs"].get("dispute_s", 240) if "jobs" in params else 240
        assert int(ours["open_s"]) + int(ours["parts_s"]) <= int(allowed), path
    defaults = disputes.Params()
    assert defaults.open_s + defaults.parts_s <= jobs.Params().dispute_s


def test_every_end_of_a_dispute_is_reached_from_its_beginning() -> None:
    reached = [DisputePhase.COMMITTED]
    for phase in reached:
        reached += [each for each in NEXT_PHASES[phase] if each not in reached]
    assert sorted([*reached, DisputePhase.UNSPECIFIED]) == list(DisputePhase)


def test_no_dispute_is_due_after_all_have_ended() -> None:
    court, first, _ = two_challengers()
    court.open(first)
    assert list(DUE.keys(court.play.world.state)) == []
