"""What is to be done, by table: what the chain shows and what one remembers give what one owes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from app.modules.rounds import job_state
from app.sdk.protocol import (
    I64,
    U32,
    U64,
    Address,
    Committee,
    CommitteeStep,
    ContributionRule,
    Dispute,
    DisputePhase,
    JobPhase,
    JobStateRequest,
    JobStateResponse,
    Measurement,
    Member,
    Reader,
    RoundPhase,
    RoundState,
    Scorer,
    Scores,
    ScoreStep,
    SeatKind,
    SeatState,
)
from fl_worker.roles.decide import (
    UNSETTLED,
    Act,
    Intent,
    MemberMemory,
    ReaderMemory,
    ScorerMemory,
    WatcherMemory,
    WorkerMemory,
    decide_app,
    decide_member,
    decide_reader,
    decide_requester,
    decide_scorer,
    decide_watcher,
    decide_worker,
    find_step,
)
from tests.build import an_address
from tests.build_rounds import a_play

OPEN, COMMIT, REVEAL = RoundPhase.OPEN, RoundPhase.COMMIT, RoundPhase.REVEAL
INCLUDE, AGGREGATE, CHALLENGE = RoundPhase.INCLUDE, RoundPhase.AGGREGATE, RoundPhase.CHALLENGE
DRAWN, COMMITTED, REVEALED = SeatState.DRAWN, SeatState.COMMITTED, SeatState.REVEALED
INCLUDED, EXCLUDED, MISSED = SeatState.INCLUDED, SeatState.EXCLUDED, SeatState.MISSED
STRANGER = an_address("stranger")


def make_view() -> JobStateResponse:
    """A real one: a job whose first round is in COMMIT."""
    play = a_play()
    return job_state(play.world.state, JobStateRequest(U64(play.job_id)))


VIEW = make_view()
ROUND = VIEW.rounds[0]
ME = ROUND.seats[0].worker


def with_round(**changes: Any) -> JobStateResponse:
    return replace(VIEW, rounds=(replace(ROUND, **changes),))


# ---- workers


def with_seat(
    phase: RoundPhase, seat: SeatState, kind: SeatKind = SeatKind.COHORT
) -> JobStateResponse:
    mine = replace(ROUND.seats[0], state=seat, kind=kind)
    return with_round(round=replace(ROUND.round, phase=phase), seats=(mine, *ROUND.seats[1:]))


NEW, WARM, TRAINED = WorkerMemory(), WorkerMemory(is_warm=True), WorkerMemory((1,), is_warm=True)
ASKED = [
    ("the_app_is_started_while_the_round_waits_for_its_base", OPEN, DRAWN, NEW, Act.WARM),
    ("who_comes_back_after_the_start_trains", COMMIT, DRAWN, NEW, Act.TRAIN),
    ("who_is_warm_trains_when_the_base_is_known", COMMIT, DRAWN, WARM, Act.TRAIN),
    ("what_is_trained_is_committed_and_not_trained_again", COMMIT, DRAWN, TRAINED, Act.COMMIT),
    ("what_is_committed_is_revealed", REVEAL, COMMITTED, TRAINED, Act.REVEAL),
]


@pytest.mark.parametrize(
    ("phase", "seat", "memory", "act"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED]
)
@pytest.mark.parametrize("kind", [SeatKind.COHORT, SeatKind.CALLED], ids=lambda kind: kind.name)
def test_a_worker(
    phase: RoundPhase, seat: SeatState, memory: WorkerMemory, act: Act, kind: SeatKind
) -> None:
    assert [*decide_worker(with_seat(phase, seat, kind), ME, memory)] == [Intent(act, U32(1))]


def test_a_worker_owes_nothing_else() -> None:
    asked = [row[1:4] for row in ASKED]
    for phase, seat, memory in product(UNSETTLED, SeatState, (NEW, WARM, TRAINED)):
        if (phase, seat, memory) not in asked:
            assert not [*decide_worker(with_seat(phase, seat), ME, memory)], (phase, seat, memory)


def test_a_reserve_that_was_not_called_and_a_stranger_owe_nothing() -> None:
    for phase, seat, memory in product(UNSETTLED, SeatState, (NEW, WARM, TRAINED)):
        assert not [*decide_worker(with_seat(phase, seat, SeatKind.RESERVE), ME, memory)]
        assert not [*decide_worker(with_seat(phase, seat), STRANGER, memory)]


# ---- readers

TWO = ((1, 0), (1, 1))
HELD = ReaderMemory(checked=TWO)
COMBINED = ReaderMemory(checked=TWO, combined=(1,))
ON_TURN, WAITING, EVALUATOR = 0, 1, 3
"""Readers by number: the first two of the aggregators, an evaluator."""


@dataclass(frozen=True)
class Case:
    """One row: a round of two revealed updates as it is for one of its readers."""

    phase: RoundPhase
    acts: tuple[Act, ...]
    memory: ReaderMemory = HELD
    reader: int = EVALUATOR
    seats: tuple[SeatState, SeatState] = (INCLUDED, INCLUDED)
    posted: bool = False
    attempt: int = 1
    did: tuple[bool, int] = (False, 0)
    """Whether it has voted, and the attempt it has attested."""

    def state(self) -> RoundState:
        seats = [replace(seat, state=MISSED) for seat in ROUND.seats]
        seats[:2] = [replace(s, state=state) for s, state in zip(seats, self.seats, strict=False)]
        voted, attested = self.did
        readers = [*ROUND.readers]
        me = replace(readers[self.reader], voted=voted, attested_attempt=U32(attested))
        readers[self.reader] = me
        current = replace(
            ROUND.round,
            phase=self.phase,
            revealed_count=U32(2),
            aggregate_attempt=U32(self.attempt),
            aggregator=readers[self.attempt - 1].participant,
            model_root=b"r" * 32 if self.posted else b"",
        )
        return RoundState(current, tuple(seats), tuple(readers), ())

    def decide(self) -> list[Intent]:
        view = replace(VIEW, rounds=(self.state(),))
        return [*decide_reader(view, ROUND.readers[self.reader].participant, self.memory)]


BOTH = (REVEALED, REVEALED)
ONE_HELD = ReaderMemory(checked=((1, 0),))
ONE_LATE = ReaderMemory(checked=((1, 0),), late=((1, 1),))
ONE_WRONG = ReaderMemory(checked=((1, 0),), refused=((1, 1),))
CASES = {
    "before_updates_are_revealed_there_is_nothing_to_read": Case(COMMIT, (), seats=(DRAWN, DRAWN)),
    "updates_are_collected_as_they_are_revealed": Case(
        REVEAL, (Act.COLLECT,), ReaderMemory(), seats=(REVEALED, COMMITTED)
    ),
    "what_is_held_is_not_collected_again": Case(REVEAL, (), seats=BOTH),
    "wrong_bytes_are_not_collected_again": Case(REVEAL, (), ONE_WRONG, seats=BOTH),
    "it_collects_before_it_votes": Case(INCLUDE, (Act.COLLECT,), ONE_HELD, seats=BOTH),
    "it_votes_once_it_has_looked_at_all": Case(INCLUDE, (Act.VOTE,), seats=BOTH),
    "an_aggregator_votes_too": Case(INCLUDE, (Act.VOTE,), seats=BOTH, reader=WAITING),
    "it_votes_without_wrong_bytes": Case(INCLUDE, (Act.VOTE,), ONE_WRONG, seats=BOTH),
    "it_votes_without_what_is_late": Case(INCLUDE, (Act.VOTE,), ONE_LATE, seats=BOTH),
    "it_votes_once": Case(INCLUDE, (), seats=BOTH, did=(True, 0)),
    "late_bytes_that_others_included_are_collected": Case(AGGREGATE, (Act.COLLECT,), ONE_LATE),
    "wrong_bytes_that_others_included_end_its_work": Case(AGGREGATE, (), ONE_WRONG),
    "it_combines_what_is_included": Case(AGGREGATE, (Act.COMBINE,)),
    "what_is_excluded_is_not_needed": Case(
        AGGREGATE, (Act.COMBINE,), ONE_WRONG, seats=(INCLUDED, EXCLUDED)
    ),
    "it_combines_once": Case(AGGREGATE, (), COMBINED),
    "the_aggregator_on_turn_posts": Case(AGGREGATE, (Act.POST,), COMBINED, ON_TURN),
    "an_aggregator_waits_for_its_turn": Case(AGGREGATE, (), COMBINED, WAITING),
    "the_next_aggregator_posts_in_its_turn": Case(
        AGGREGATE, (Act.POST,), COMBINED, WAITING, attempt=2
    ),
    "an_aggregator_whose_turn_is_over_is_done": Case(AGGREGATE, (), COMBINED, ON_TURN, attempt=2),
    "it_posts_once_and_does_not_attest": Case(AGGREGATE, (), COMBINED, ON_TURN, posted=True),
    "an_evaluator_attests_what_is_posted": Case(AGGREGATE, (Act.ATTEST,), COMBINED, posted=True),
    "it_attests_only_what_it_has_computed": Case(AGGREGATE, (Act.COMBINE,), posted=True),
    "it_attests_a_turn_once": Case(AGGREGATE, (), COMBINED, posted=True, did=(True, 1)),
    "it_attests_each_turn": Case(
        AGGREGATE, (Act.ATTEST,), COMBINED, posted=True, attempt=2, did=(True, 1)
    ),
    "after_a_majority_it_still_collects": Case(CHALLENGE, (Act.COLLECT,), ONE_HELD, posted=True),
    "after_a_majority_it_still_combines": Case(CHALLENGE, (Act.COMBINE,), posted=True),
    "after_a_majority_it_still_attests": Case(CHALLENGE, (Act.ATTEST,), COMBINED, posted=True),
    "a_settled_round_asks_for_nothing": Case(RoundPhase.SETTLED, (), ONE_LATE, posted=True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_of_a_reader(case: Case) -> None:
    assert tuple(intent.act for intent in case.decide()) == case.acts


def test_a_stranger_reads_nothing() -> None:
    for case in CASES.values():
        view = replace(VIEW, rounds=(case.state(),))
        assert not [*decide_reader(view, STRANGER, case.memory)]


def test_work_for_another_turn_is_other_work() -> None:
    posts = [
        Case(AGGREGATE, (), COMBINED, reader, attempt=reader + 1).decide()[0] for reader in (0, 1)
    ]
    assert [post.attempt for post in posts] == [1, 2]


def test_to_collect_for_the_vote_does_not_wait_for_an_earlier_try() -> None:
    tries = [Case(phase, (), ONE_HELD, seats=BOTH).decide()[0] for phase in (REVEAL, INCLUDE)]
    assert tries[0] != tries[1]


# ---- scoring

DONE = Scores((I64(1),), (), b"s" * 32)
SCORED, UNMEASURED = ScorerMemory(scored=((1, 1),)), ScorerMemory(unmeasured=((1, 1),))
NOTHING = ScorerMemory()
BOUND = b"c" * 32
MEASURE, REFUSE = Act.MEASURE, Act.REFUSE_SLICES
COMMIT_SCORES, REVEAL_SCORES = Act.COMMIT_SCORES, Act.REVEAL_SCORES


def with_scorer(step: ScoreStep, attempt: int = 1, **mine: Any) -> JobStateResponse:
    """A round in SCORE that the first evaluator scores, as of its first attempt."""
    me = Scorer(U32(0), ME, U32(1), **mine)
    current = replace(
        ROUND.round, phase=RoundPhase.SCORE, score_step=step, score_attempt=U32(attempt)
    )
    return with_round(round=current, scorers=(me,))


SCORING = {
    "granted_slices_are_measured": (ScoreStep.COMMIT, {}, NOTHING, MEASURE),
    "what_is_measured_is_committed_and_not_again": (ScoreStep.COMMIT, {}, SCORED, COMMIT_SCORES),
    "what_can_not_be_measured_is_refused": (ScoreStep.COMMIT, {}, UNMEASURED, REFUSE),
    "it_commits_once": (ScoreStep.COMMIT, {"commitment": BOUND}, SCORED, None),
    "it_refuses_once": (ScoreStep.COMMIT, {"refused": True}, UNMEASURED, None),
    "what_is_committed_is_revealed": (
        ScoreStep.REVEAL, {"commitment": BOUND}, SCORED, REVEAL_SCORES,
    ),
    "what_was_never_measured_here_can_not_be_revealed": (
        ScoreStep.REVEAL, {"commitment": BOUND}, NOTHING, None,
    ),
    "it_reveals_once": (
        ScoreStep.REVEAL, {"commitment": BOUND, "scores": DONE}, SCORED, None,
    ),
    "who_committed_nothing_has_nothing_to_reveal": (ScoreStep.REVEAL, {}, SCORED, None),
    "before_the_slices_are_drawn_it_waits": (ScoreStep.DRAW, {}, NOTHING, None),
    "before_they_are_granted_it_waits": (ScoreStep.GRANT, {}, NOTHING, None),
    "after_the_scoring_it_is_done": (ScoreStep.UNSPECIFIED, {}, SCORED, None),
}  # fmt: skip


@pytest.mark.parametrize(("step", "mine", "memory", "act"), SCORING.values(), ids=SCORING.keys())
def test_of_a_scorer(
    step: ScoreStep, mine: dict[str, Any], memory: ScorerMemory, act: Act | None
) -> None:
    intents = [*decide_scorer(with_scorer(step, **mine), ME, memory)]
    assert intents == ([Intent(act, U32(1), U32(1))] if act else [])


def test_who_scores_no_more_and_a_stranger_owe_no_score() -> None:
    for step, mine, memory, _ in SCORING.values():
        assert not [*decide_scorer(with_scorer(step, attempt=2, **mine), ME, memory)]
        assert not [*decide_scorer(with_scorer(step, **mine), STRANGER, memory)]


def test_a_round_voided_while_it_was_scored_asks_for_no_scores_and_no_slices() -> None:
    for step, mine, memory, _ in SCORING.values():
        (state,) = with_scorer(step, **mine).rounds
        voided = replace(state, round=replace(state.round, phase=RoundPhase.VOIDED))
        view = replace(VIEW, rounds=(voided,))
        assert not [*decide_scorer(view, ME, memory)]
        assert not [*decide_requester(view, VIEW.job.requester)]


def test_a_requester_grants_once_in_each_attempt() -> None:
    rita = VIEW.job.requester
    asked = [
        (ScoreStep.GRANT, (), rita, [Act.GRANT_SLICES]),
        (ScoreStep.GRANT, (b"k" * 80,), rita, []),
        (ScoreStep.GRANT, (), STRANGER, []),
        *[(step, (), rita, []) for step in ScoreStep if step is not ScoreStep.GRANT],
    ]
    for step, keys, who, acts in asked:
        intents = [*decide_requester(with_scorer(step, slice_keys=keys), who)]
        assert [intent.act for intent in intents] == acts, (step, keys)


# ---- committees

MEASURED, UNMEASURABLE = MemberMemory(is_measured=True), MemberMemory(is_unmeasurable=True)
UNKNOWN = MemberMemory()
SHOWN = Measurement(I64(1), b"s" * 32)
MEASURE_RESULT, COMMIT_MEASUREMENT = Act.MEASURE_RESULT, Act.COMMIT_MEASUREMENT
REVEAL_MEASUREMENT = Act.REVEAL_MEASUREMENT


def with_member(
    step: CommitteeStep, phase: JobPhase = JobPhase.REVIEW, **mine: Any
) -> JobStateResponse:
    """A rejected job whose committee I am of, beside another."""
    members = (Member(U32(0), STRANGER), Member(U32(1), ME, **mine))
    times = U64(9), U64(9), False
    committee = Committee(VIEW.job.job_id, step, (U32(8), U32(9)), U32(2), *times)
    job = replace(VIEW.job, phase=phase, rejected=True)
    return replace(VIEW, job=job, rounds=(), committee=committee, members=members)


OF_A_MEMBER = {
    "granted_slices_are_measured": (CommitteeStep.COMMIT, {}, UNKNOWN, MEASURE_RESULT),
    "what_is_measured_is_committed_and_not_again": (
        CommitteeStep.COMMIT, {}, MEASURED, COMMIT_MEASUREMENT,
    ),
    "on_what_does_not_open_nothing_is_said": (CommitteeStep.COMMIT, {}, UNMEASURABLE, None),
    "it_commits_once": (CommitteeStep.COMMIT, {"commitment": BOUND}, MEASURED, None),
    "what_is_committed_is_revealed": (
        CommitteeStep.REVEAL, {"commitment": BOUND}, MEASURED, REVEAL_MEASUREMENT,
    ),
    "what_was_never_measured_here_can_not_be_revealed": (
        CommitteeStep.REVEAL, {"commitment": BOUND}, UNKNOWN, None,
    ),
    "it_reveals_once": (
        CommitteeStep.REVEAL, {"commitment": BOUND, "measurement": SHOWN}, MEASURED, None,
    ),
    "who_committed_nothing_has_nothing_to_reveal": (CommitteeStep.REVEAL, {}, MEASURED, None),
    "before_the_slices_are_granted_it_waits": (CommitteeStep.GRANT, {}, UNKNOWN, None),
    "after_the_decision_it_is_done": (
        CommitteeStep.DECIDED, {"commitment": BOUND}, MEASURED, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("step", "mine", "memory", "act"), OF_A_MEMBER.values(), ids=OF_A_MEMBER.keys()
)
def test_of_a_member(
    step: CommitteeStep, mine: dict[str, Any], memory: MemberMemory, act: Act | None
) -> None:
    intents = [*decide_member(with_member(step, **mine), ME, memory)]
    assert intents == ([Intent(act, U32(0))] if act else [])


def test_who_is_no_member_and_whose_job_was_accepted_after_all_owe_no_measurement() -> None:
    for step, mine, memory, _ in OF_A_MEMBER.values():
        assert not [*decide_member(with_member(step, **mine), an_address("nobody"), memory)]
        assert not [*decide_member(with_member(step, JobPhase.SETTLED, **mine), ME, memory)]
    assert not [*decide_member(VIEW, ME, UNKNOWN)]


def test_a_requester_grants_the_kept_slices_once() -> None:
    rita = VIEW.job.requester
    asked = [
        (CommitteeStep.GRANT, JobPhase.REVIEW, (), rita, [Intent(Act.GRANT_KEPT, U32(0))]),
        (CommitteeStep.GRANT, JobPhase.REVIEW, (b"k" * 80,), rita, []),
        (CommitteeStep.GRANT, JobPhase.REVIEW, (), ME, []),
        (CommitteeStep.GRANT, JobPhase.SETTLED, (), rita, []),
        (CommitteeStep.COMMIT, JobPhase.REVIEW, (), rita, []),
        (CommitteeStep.DECIDED, JobPhase.SETTLED, (), rita, []),
    ]
    for step, phase, keys, who, intents in asked:
        view = with_member(step, phase, slice_keys=keys)
        assert [*decide_requester(view, who)] == intents, (step, phase, keys)


# ---- the app to measure with


def of_contribution(view: JobStateResponse, rule: ContributionRule) -> JobStateResponse:
    pay = replace(VIEW.job.spec.pay, contribution=rule)
    return replace(view, job=replace(view.job, spec=replace(view.job.spec, pay=pay)))


def as_reader(phase: RoundPhase, reader: int = EVALUATOR) -> JobStateResponse:
    """A round of a scored job that I read."""
    readers = [*ROUND.readers]
    readers[reader] = replace(readers[reader], participant=ME)
    view = with_round(round=replace(ROUND.round, phase=phase), readers=tuple(readers))
    return of_contribution(view, ContributionRule.LEAVE_ONE_OUT)


def as_scorer(step: ScoreStep, attempt: int = 1, **mine: Any) -> JobStateResponse:
    return of_contribution(with_scorer(step, attempt, **mine), ContributionRule.LEAVE_ONE_OUT)


DRAW, GRANT, REVEALING = ScoreStep.DRAW, ScoreStep.GRANT, ScoreStep.REVEAL
(WAITS,) = as_reader(RoundPhase.SCORE).rounds
"""A round whose slices are about to be drawn."""
MEASURES = {
    **{f"an_evaluator_in_{phase.name}": (as_reader(phase), True) for phase in UNSETTLED[:5]},
    "one_whose_slices_are_drawn": (
        replace(
            as_reader(RoundPhase.SCORE),
            rounds=(replace(WAITS, round=replace(WAITS.round, score_step=DRAW)),),
        ),
        True,
    ),
    "one_whose_slices_are_granted": (as_scorer(GRANT), True),
    "one_that_measures": (as_scorer(ScoreStep.COMMIT), True),
    "one_that_has_committed": (as_scorer(ScoreStep.COMMIT, commitment=BOUND), False),
    "one_that_has_refused": (as_scorer(ScoreStep.COMMIT, refused=True), False),
    "one_too_late_to_commit": (as_scorer(REVEALING), False),
    "one_in_whose_place_others_score": (as_scorer(GRANT, attempt=2), False),
    "one_whose_round_is_scored": (as_reader(CHALLENGE), False),
    "one_whose_round_is_void": (as_reader(RoundPhase.VOIDED), False),
    "one_of_a_job_that_is_not_scored": (
        of_contribution(as_reader(AGGREGATE), ContributionRule.EQUAL), False,
    ),
    "an_aggregator": (as_reader(AGGREGATE, ON_TURN), False),
    "a_member_whose_slices_are_granted": (with_member(CommitteeStep.GRANT), True),
    "a_member_that_measures": (with_member(CommitteeStep.COMMIT), True),
    "a_member_that_has_committed": (with_member(CommitteeStep.COMMIT, commitment=BOUND), False),
    "a_member_too_late_to_commit": (with_member(CommitteeStep.REVEAL), False),
    "a_member_of_a_job_accepted_after_all": (
        with_member(CommitteeStep.GRANT, JobPhase.SETTLED), False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("view", "measures"), MEASURES.values(), ids=MEASURES.keys())
def test_an_app_runs_for(view: JobStateResponse, measures: bool) -> None:
    cold, warm = [[*decide_app(view, ME, is_warm=is_warm)] for is_warm in (False, True)]
    assert cold == ([Intent(Act.WARM, U32(0))] if measures else [])
    may_be_drawn = view.job.phase == JobPhase.RUNNING
    assert warm == ([] if measures or may_be_drawn else [Intent(Act.COOL, U32(0))])


def test_an_app_goes_on_from_round_to_round() -> None:
    (before,), (after,) = as_scorer(REVEALING).rounds, as_reader(OPEN).rounds
    view = replace(as_reader(OPEN), rounds=(before, after))
    for who in (ME, STRANGER):  # who isn't drawn now may be drawn again
        assert [*decide_app(view, who, is_warm=True)] == []


# ---- watchers

UNSEEN, CHECKED = WatcherMemory(), WatcherMemory(checked=(1,))
FALSE = WatcherMemory(checked=(1,), disputed=(1,))
SCORE = RoundPhase.SCORE
ENDS = (RoundPhase.SETTLED, RoundPhase.ABORTED, RoundPhase.VOIDED)
WATCHED = {
    (SCORE, UNSEEN): Act.CHECK,
    (CHALLENGE, UNSEEN): Act.CHECK,
    (SCORE, FALSE): Act.DISPUTE,
    (CHALLENGE, FALSE): Act.DISPUTE,
    **{(phase, FALSE): Act.FORGET for phase in ENDS},
}
"""What a watcher does, by a round's phase and what it has of it; else nothing."""


@pytest.mark.parametrize("phase", [*UNSETTLED, *ENDS], ids=lambda phase: phase.name)
def test_a_watcher_checks_once_what_is_attested_and_disputes_what_is_false(
    phase: RoundPhase,
) -> None:
    view = with_round(round=replace(ROUND.round, phase=phase))
    for memory in (UNSEEN, CHECKED, FALSE):
        act = WATCHED.get((phase, memory))
        intents = [] if act is None else [Intent(act, U32(1))]
        assert [*decide_watcher(view, memory)] == intents, memory


OTHER = an_address("other")
STEPS: dict[str, tuple[tuple[tuple[Address, DisputePhase], ...], Act | None]] = {
    "who_has_a_proof_and_finds_no_dispute_commits": ((), Act.CHALLENGE),
    "an_earlier_commitment_may_be_empty": (((OTHER, DisputePhase.COMMITTED),), Act.CHALLENGE),
    "an_earlier_proof_may_be_wrong": (((OTHER, DisputePhase.COMPLETE),), Act.CHALLENGE),
    "a_wrong_one_changes_nothing": (((OTHER, DisputePhase.REFUTED),), Act.CHALLENGE),
    "after_a_right_one_there_is_nothing_to_earn": (((OTHER, DisputePhase.PROVEN),), None),
    "what_is_committed_is_opened": (((ME, DisputePhase.COMMITTED),), Act.OPEN),
    "what_is_committed_is_opened_though_another_is_earlier": (
        ((OTHER, DisputePhase.COMPLETE), (ME, DisputePhase.COMMITTED)),
        Act.OPEN,
    ),
    "what_is_committed_is_opened_though_a_later_one_is_proven": (
        ((ME, DisputePhase.COMMITTED), (OTHER, DisputePhase.PROVEN)),
        Act.OPEN,
    ),
    "a_long_proof_is_added_to": (((ME, DisputePhase.OPENED),), Act.ADD_PART),
    "a_whole_one_waits": (((ME, DisputePhase.COMPLETE),), None),
    "a_right_one_waits_for_earlier_ones": (((ME, DisputePhase.PROVEN),), None),
    "what_came_too_late_is_not_paid_for_again": (((ME, DisputePhase.EXPIRED),), None),
    "what_was_called_wrong_is_not_paid_for_again": (((ME, DisputePhase.REFUTED),), None),
}


@pytest.mark.parametrize(("shown", "act"), STEPS.values(), ids=STEPS.keys())
def test_of_a_watcher(shown: tuple[tuple[Address, DisputePhase], ...], act: Act | None) -> None:
    place = VIEW.job.job_id, U32(1)
    disputes = [
        Dispute(*place, U64(number), who, U32(1), b"", U64(0), phase)
        for number, (who, phase) in enumerate(shown, 1)
    ]
    assert find_step(disputes, ME) is act


# ---- several rounds


def test_a_round_trains_while_the_one_before_it_is_challenged() -> None:
    before = Case(CHALLENGE, (), COMBINED, posted=True).state()
    number = U32(2)
    reader = Reader(U32(0), before.readers[EVALUATOR].participant, is_aggregator=False)
    seats = (replace(ROUND.seats[0], state=REVEALED),)
    after = RoundState(
        replace(ROUND.round, round=number, phase=INCLUDE),
        seats=seats,
        readers=(reader,),
        scorers=(),
    )
    view = replace(VIEW, rounds=(before, after))
    acts = [*decide_reader(view, reader.participant, COMBINED)]
    assert [(intent.act, intent.round) for intent in acts] == [(Act.ATTEST, 1), (Act.COLLECT, 2)]


@pytest.mark.parametrize(
    ("phase", "remembered", "forgotten"),
    [(phase, (1,), ()) for phase in UNSETTLED]
    + [(RoundPhase.SETTLED, (1,), (1,)), (RoundPhase.ABORTED, (1,), (1,))]
    + [(RoundPhase.VOIDED, (1,), (1,)), (COMMIT, (2,), ()), (COMMIT, (), ())],
)
def test_what_has_ended_is_forgotten_by_all(
    phase: RoundPhase, remembered: tuple[int, ...], forgotten: tuple[int, ...]
) -> None:
    view = with_round(round=replace(ROUND.round, phase=phase))
    intents = [
        *decide_worker(view, STRANGER, WorkerMemory(remembered)),
        *decide_reader(view, STRANGER, ReaderMemory(stored=remembered)),
    ]
    assert intents == [Intent(Act.FORGET, U32(number)) for number in forgotten * 2]


def test_a_round_the_chain_shows_no_more_is_forgotten() -> None:
    view = replace(with_round(), job=replace(VIEW.job, next_round=U32(9)), rounds=())
    forgotten = decide_worker(view, Address(ME), WorkerMemory((3, 1)))
    assert [*forgotten] == [Intent(Act.FORGET, U32(1)), Intent(Act.FORGET, U32(3))]
