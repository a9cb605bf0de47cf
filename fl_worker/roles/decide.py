"""What a participant should do now: pure functions of what the chain shows and what it remembers.

The chain's state alone says what is still owed, so a participant that was killed decides the same
again when it comes back; its memory only says which work is already done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from app.sdk.protocol import (
    SCORING,
    U32,
    Address,
    CommitteeStep,
    Dispute,
    DisputePhase,
    Job,
    JobPhase,
    JobStateResponse,
    Member,
    Reader,
    Round,
    RoundPhase,
    RoundState,
    Scorer,
    ScoreStep,
    Seat,
    SeatKind,
    SeatState,
)


class Act(Enum):
    """One thing to do in one round."""

    WARM = "warm"
    COOL = "cool"
    TRAIN = "train"
    COMMIT = "commit"
    REVEAL = "reveal"
    COLLECT = "collect"
    VOTE = "vote"
    COMBINE = "combine"
    POST = "post"
    ATTEST = "attest"
    MEASURE = "measure"
    COMMIT_SCORES = "commit scores"
    REVEAL_SCORES = "reveal scores"
    REFUSE_SLICES = "refuse slices"
    GRANT_SLICES = "grant slices"
    GRANT_KEPT = "grant kept slices"
    MEASURE_RESULT = "measure the result"
    COMMIT_MEASUREMENT = "commit measurement"
    REVEAL_MEASUREMENT = "reveal measurement"
    CHECK = "check"
    DISPUTE = "dispute"
    CHALLENGE = "challenge"
    OPEN = "open the challenge"
    ADD_PART = "add to the proof"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Intent:
    """An act in a round, or of a whole job: round 0; equal ones are the same piece of work."""

    act: Act
    round: U32
    attempt: U32 = U32(0)
    """Distinguishes a reader's work for one aggregator's turn from that for the next, what it
    collects while updates are still revealed from what it collects to vote, and the scoring by a
    round's evaluators from that by others."""


@dataclass(frozen=True, slots=True)
class WorkerMemory:
    """What a worker has for one job: on disk, but for the app that runs."""

    trained: Collection[int] = ()
    """Rounds whose update is in the journal."""
    is_warm: bool = False
    """Whether the job's app runs already."""


@dataclass(frozen=True, slots=True)
class ReaderMemory:
    """What a reader has for one job: on disk, but for what it gave up."""

    checked: Collection[tuple[int, int]] = ()
    """(round, seat) of updates held and found right."""
    refused: Collection[tuple[int, int]] = ()
    """(round, seat) of updates whose bytes are wrong."""
    late: Collection[tuple[int, int]] = ()
    """(round, seat) of updates that couldn't be had in time to vote for them."""
    combined: Collection[int] = ()
    """Rounds whose next model was computed."""
    stored: Collection[int] = ()
    """Rounds of which any bytes are stored."""


@dataclass(frozen=True, slots=True)
class ScorerMemory:
    """What an evaluator has measured for one job."""

    scored: Collection[tuple[int, int]] = ()
    """(round, attempt) of scores in the journal."""
    unmeasured: Collection[tuple[int, int]] = ()
    """(round, attempt) of slices that don't open or can't be measured on."""


@dataclass(frozen=True, slots=True)
class MemberMemory:
    """What an evaluator has of one job's rejected result."""

    is_measured: bool = False
    """Whether its measurement is in the journal."""
    is_unmeasurable: bool = False
    """Whether the kept slices don't open, or aren't what was posted."""


@dataclass(frozen=True, slots=True)
class WatcherMemory:
    """What a watcher has for one job: challenges on disk, and what it has looked at."""

    checked: Collection[int] = ()
    """Rounds whose model was recomputed, or never can be."""
    disputed: Collection[int] = ()
    """Rounds whose model is false, by a challenge that hasn't ended."""


UNSETTLED = (
    RoundPhase.OPEN,
    RoundPhase.COMMIT,
    RoundPhase.REVEAL,
    RoundPhase.INCLUDE,
    RoundPhase.AGGREGATE,
    RoundPhase.SCORE,
    RoundPhase.CHALLENGE,
)
UNSCORED = tuple(phase for phase in UNSETTLED if phase != RoundPhase.CHALLENGE)
ENDED = (JobPhase.SETTLED, JobPhase.CANCELLED, JobPhase.FAILED)
CALLED = (SeatKind.COHORT, SeatKind.CALLED)
COLLECTING = (
    RoundPhase.REVEAL,
    RoundPhase.INCLUDE,
    RoundPhase.AGGREGATE,
    RoundPhase.SCORE,
    RoundPhase.CHALLENGE,
)
ATTESTED = (RoundPhase.SCORE, RoundPhase.CHALLENGE)
"""Phases in which a model is known and may yet be proven false."""
TRAINING = (RoundPhase.OPEN, RoundPhase.COMMIT)
"""Phases that ask nothing of readers."""
READING = (RoundPhase.INCLUDE, RoundPhase.AGGREGATE, RoundPhase.SCORE, RoundPhase.CHALLENGE)
"""Phases that ask nothing of workers."""


def is_over(job: Job) -> bool:
    """Whether a job has ended for good."""
    return job.phase in ENDED


def find_seat(state: RoundState, me: Address) -> Seat | None:
    """Return a worker's seat in a round, or None."""
    return next((seat for seat in state.seats if seat.worker == me), None)


def find_reader(state: RoundState, me: Address) -> Reader | None:
    """Return a reader's place in a round, or None."""
    return next((reader for reader in state.readers if reader.participant == me), None)


def decide_worker(view: JobStateResponse, me: Address, memory: WorkerMemory) -> Iterator[Intent]:
    """Walk what a worker owes now."""
    for state in view.rounds:
        seat = find_seat(state, me)
        if seat is not None and seat.kind in CALLED:
            act = act_of_seat(state.round, seat.state, memory)
            if act is not None:
                yield Intent(act, state.round.round)
    yield from forget_settled(view, memory.trained)


def act_of_seat(current: Round, seat: SeatState, memory: WorkerMemory) -> Act | None:
    """Return what a seat in a round asks of its worker now."""
    phase, is_trained = current.phase, current.round in memory.trained
    if seat == SeatState.DRAWN and phase == RoundPhase.OPEN and not memory.is_warm:
        return Act.WARM
    if seat == SeatState.DRAWN and phase == RoundPhase.COMMIT:
        return Act.COMMIT if is_trained else Act.TRAIN
    if seat == SeatState.COMMITTED and phase == RoundPhase.REVEAL and is_trained:
        return Act.REVEAL
    return None


def decide_reader(view: JobStateResponse, me: Address, memory: ReaderMemory) -> Iterator[Intent]:
    """Walk what an aggregator or an evaluator owes now."""
    for state in view.rounds:
        reader = find_reader(state, me)
        if reader is not None:
            yield from acts_of_reader(state, reader, memory)
    yield from forget_settled(view, memory.stored)


def acts_of_reader(state: RoundState, reader: Reader, memory: ReaderMemory) -> Iterator[Intent]:
    """Walk what one round asks of one of its readers.

    A majority ends AGGREGATE; who attests after it, until the round settles, is paid too.
    """
    current = state.round
    number, attempt = current.round, current.aggregate_attempt
    if current.phase in COLLECTING:
        if missing_updates(state, memory):
            is_revealing = current.phase == RoundPhase.REVEAL
            yield Intent(Act.COLLECT, number, current.revealed_count if is_revealing else U32(0))
        elif current.phase == RoundPhase.INCLUDE and not reader.voted:
            yield Intent(Act.VOTE, number)
    if current.phase not in (RoundPhase.AGGREGATE, RoundPhase.SCORE, RoundPhase.CHALLENGE):
        return
    if number not in memory.combined:
        if holds_included(state, memory):
            yield Intent(Act.COMBINE, number, attempt)
        return
    is_waiting = current.phase == RoundPhase.AGGREGATE and not current.model_root
    if is_waiting and current.aggregator == reader.participant:
        yield Intent(Act.POST, number, attempt)
    is_attesting = not reader.is_aggregator and reader.attested_attempt != attempt
    if current.model_root and is_attesting:
        yield Intent(Act.ATTEST, number, attempt)


def asked_scorers(state: RoundState) -> list[Scorer]:
    """Return who is to score a round in its present attempt, in order."""
    return [each for each in state.scorers if each.attempt == state.round.score_attempt]


def find_scorer(state: RoundState, me: Address) -> Scorer | None:
    """Return an evaluator's place among those who are to score a round now, or None."""
    return next((each for each in asked_scorers(state) if each.evaluator == me), None)


def decide_scorer(view: JobStateResponse, me: Address, memory: ScorerMemory) -> Iterator[Intent]:
    """Walk what scoring asks of an evaluator now."""
    for state in view.rounds:
        scorer = find_scorer(state, me)
        act = act_of_scorer(state.round, scorer, memory) if scorer else None
        if act is not None:
            yield Intent(act, state.round.round, state.round.score_attempt)


def act_of_scorer(current: Round, scorer: Scorer, memory: ScorerMemory) -> Act | None:
    """Return what one round's scoring asks of one who scores it; of a voided one's nobody."""
    if current.phase != RoundPhase.SCORE:
        return None
    place = current.round, current.score_attempt
    is_scored, has_committed = place in memory.scored, bool(scorer.commitment)
    if current.score_step == ScoreStep.COMMIT and not (has_committed or scorer.refused):
        if is_scored:
            return Act.COMMIT_SCORES
        return Act.REFUSE_SLICES if place in memory.unmeasured else Act.MEASURE
    is_closed = has_committed and not scorer.scores.salt
    if current.score_step == ScoreStep.REVEAL and is_closed and is_scored:
        return Act.REVEAL_SCORES
    return None


def decide_app(view: JobStateResponse, me: Address, *, is_warm: bool) -> Iterator[Intent]:
    """Walk what asks for an evaluator's app: it runs from the first draw to the last round."""
    is_needed = is_to_measure(view, me)
    if is_needed and not is_warm:
        yield Intent(Act.WARM, U32(0))
    elif is_warm and not is_needed and view.job.phase != JobPhase.RUNNING:
        yield Intent(Act.COOL, U32(0))


def is_to_measure(view: JobStateResponse, me: Address) -> bool:
    """Whether an evaluator still has to measure for a round or a result it was drawn for."""
    is_scored = view.job.spec.pay.contribution in SCORING
    if is_scored and any(is_to_score(state, me) for state in view.rounds):
        return True
    member = find_member(view, me)
    is_asked = view.committee.step in (CommitteeStep.GRANT, CommitteeStep.COMMIT)
    return is_asked and member is not None and not member.commitment


def is_to_score(state: RoundState, me: Address) -> bool:
    """Whether an evaluator scores a round, now or once it has a model, and hasn't yet."""
    current, scorer, reader = state.round, find_scorer(state, me), find_reader(state, me)
    if current.phase == RoundPhase.SCORE and current.score_step != ScoreStep.DRAW:
        is_asked = current.score_step in (ScoreStep.GRANT, ScoreStep.COMMIT)
        return is_asked and scorer is not None and not (scorer.commitment or scorer.refused)
    return current.phase in UNSCORED and reader is not None and not reader.is_aggregator


def find_member(view: JobStateResponse, me: Address) -> Member | None:
    """Return an evaluator's place in the committee that measures a result now, or None."""
    members = view.members if view.job.phase == JobPhase.REVIEW else ()
    return next((each for each in members if each.evaluator == me), None)


def decide_member(view: JobStateResponse, me: Address, memory: MemberMemory) -> Iterator[Intent]:
    """Walk what a committee asks of an evaluator now."""
    member = find_member(view, me)
    act = act_of_member(view.committee.step, member, memory) if member else None
    if act is not None:
        yield Intent(act, U32(0))


def act_of_member(step: CommitteeStep, member: Member, memory: MemberMemory) -> Act | None:
    """Return what a committee's step asks of one of its members.

    No message refuses slices: who can't measure on them stays silent, and without a quorum the
    result counts as accepted.
    """
    has_committed = bool(member.commitment)
    if step == CommitteeStep.COMMIT and not (has_committed or memory.is_unmeasurable):
        return Act.COMMIT_MEASUREMENT if memory.is_measured else Act.MEASURE_RESULT
    is_closed = has_committed and not member.measurement.salt
    if step == CommitteeStep.REVEAL and is_closed and memory.is_measured:
        return Act.REVEAL_MEASUREMENT
    return None


def decide_requester(view: JobStateResponse, me: Address) -> Iterator[Intent]:
    """Walk the slices that a requester has to grant now: of its rounds, and those kept."""
    if view.job.requester != me:
        return
    for state in view.rounds:
        current = state.round
        is_asked = current.phase == RoundPhase.SCORE and current.score_step == ScoreStep.GRANT
        if is_asked and not any(each.slice_keys for each in asked_scorers(state)):
            yield Intent(Act.GRANT_SLICES, current.round, current.score_attempt)
    is_asked = view.job.phase == JobPhase.REVIEW and view.committee.step == CommitteeStep.GRANT
    if is_asked and not any(each.slice_keys for each in view.members):
        yield Intent(Act.GRANT_KEPT, U32(0))


def missing_updates(state: RoundState, memory: ReaderMemory) -> list[Seat]:
    """Return the revealed seats whose bytes are neither held nor given up.

    What was given up for the vote is looked for again if the others' votes include it.
    """
    number = state.round.round
    known = {*memory.checked, *memory.refused}
    if state.round.phase == RoundPhase.INCLUDE:
        known.update(memory.late)
    return [
        seat
        for seat in state.seats
        if seat.state in (SeatState.REVEALED, SeatState.INCLUDED)
        and (number, seat.seat) not in known
    ]


def holds_included(state: RoundState, memory: ReaderMemory) -> bool:
    """Whether every included update of a round is held."""
    number = state.round.round
    included = [seat.seat for seat in state.seats if seat.state == SeatState.INCLUDED]
    return all((number, seat) in memory.checked for seat in included)


def decide_watcher(view: JobStateResponse, memory: WatcherMemory) -> Iterator[Intent]:
    """Walk what a watcher may do now: check each attested model once, dispute the false ones."""
    for state in view.rounds:
        number = state.round.round
        if state.round.phase in ATTESTED and number in memory.disputed:
            yield Intent(Act.DISPUTE, number)
        elif state.round.phase in ATTESTED and number not in memory.checked:
            yield Intent(Act.CHECK, number)
    yield from forget_settled(view, memory.disputed)


def find_own(disputes: Sequence[Dispute], me: Address) -> Dispute | None:
    """Return one's newest challenge of a round, or None."""
    return next((each for each in reversed(disputes) if each.challenger == me), None)


def find_step(disputes: Sequence[Dispute], me: Address) -> Act | None:
    """Return the next step towards a proof of what is false; None: wait, or leave it.

    `disputes` are all of the round, the earliest first. Who comes after a proof found right can't
    earn. What is committed is opened whatever others do, or its deposit would be lost; and it is
    committed once.
    """
    own = find_own(disputes, me)
    if own is None:
        is_proven = any(each.phase == DisputePhase.PROVEN for each in disputes)
        return None if is_proven else Act.CHALLENGE
    steps = {DisputePhase.COMMITTED: Act.OPEN, DisputePhase.OPENED: Act.ADD_PART}
    return steps.get(own.phase)


def forget_settled(view: JobStateResponse, stored: Collection[int]) -> Iterator[Intent]:
    """Walk the rounds whose bytes nobody can ask for any more."""
    open_rounds = {state.round.round for state in view.rounds if state.round.phase in UNSETTLED}
    for number in sorted(stored):
        if number not in open_rounds and number < view.job.next_round:
            yield Intent(Act.FORGET, U32(number))
