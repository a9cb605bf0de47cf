"""Rounds: one pass of train, combine and pay, from the draw of who acts to the money.

A round is OPEN when the chain has drawn its workers and readers; it trains on the model of the
round before it as soon as that is attested. In COMMIT the cohort binds itself to updates, in
REVEAL it shows what it bound, in INCLUDE the readers vote which updates they hold, in AGGREGATE an
aggregator posts the model that the included updates give and a majority of the evaluators attests
it. In CHALLENGE anyone may prove it false; then the round is SETTLED: its pool is paid, reputation
moves, bonds are freed.

Where the job pays by scores, SCORE comes between AGGREGATE and CHALLENGE, beside the training of
the next round: slices of the validation set are drawn, the requester grants their keys to the
evaluators, these commit to what each update was worth and reveal it, and the medians say how the
workers are paid. Other rules pass it over. Rounds settle in order, since each is built on those
before it.

Transactions only record, and bring a deadline forward when all or a quorum are done. What follows
happens at the end of a block, for the rounds that are due, a limited number a block and first the
one that is due longest. A deadline has passed when its time and its blocks have passed; a quorum
that ends a phase needs no blocks, and costs who comes too late at most the pay. Each phase has a
deadline and each deadline one consequence, so no round hangs; none waits for another job.

The next round is drawn when this one enters AGGREGATE, so that it can train as soon as the model
is known, while this one is challenged and paid. It waits where its pool, with those of all rounds
built on an unsettled aggregate, would be more than three quarters of what that aggregate's poster
has locked. A round settles when its disputes have ended and the rounds before it have settled. One
that is voided takes with it the rounds built on it, and the job goes on from its base; who is
barred then isn't drawn to read in that job again.

A round that aborts gets no successor of its number; three in a row fail the job. What was
delivered to a round that aborts after REVEAL earns half an equal share, first of what was slashed
in the round. What nobody earns stays in escrow.

Who misses a full deadline of COMMIT, REVEAL or its turn in AGGREGATE is slashed when it has passed;
a quorum or a halt convicts nobody. What is slashed in a round leaves its pot when the round ends.

records     params, records, events, tables
lifecycle   NEXT_PHASES, deadlines, seats
settle      pay, reputation, bonds at a round's end
losses      what a voided round would have paid
progress    what comes next for a job
draw        OPEN
commit  reveal  include  aggregate  score    the phases and their messages
shares      the workers' pool, by contribution rule
queries  invariants
"""

from __future__ import annotations

from app.kernel.context import Context
from app.kernel.module import Message, Module, Query
from app.kernel.store import State
from app.modules.rounds.aggregate import (
    AttestAggregate,
    PostAggregate,
    attest_aggregate,
    end_aggregate,
    post_aggregate,
)
from app.modules.rounds.commit import CommitUpdate, commit_update, end_commit
from app.modules.rounds.draw import draw_due_rounds, end_open
from app.modules.rounds.include import (
    VoteInclusion,
    bitmap_bytes,
    end_include,
    has_bit,
    vote_inclusion,
)
from app.modules.rounds.invariants import (
    at_most_one_round_of_a_job_trains,
    counters_equal_the_seats,
    every_running_job_goes_on,
    every_unsettled_round_is_due_once,
    only_unsettled_rounds_have_pots,
    rounds_that_have_not_ended_are_found_by_job,
    statistics_count_the_rounds_and_their_tasks,
    the_pools_of_unsettled_rounds_are_in_escrow,
    unsettled_seats_lock_bonds,
)
from app.modules.rounds.lifecycle import (
    ATTESTED,
    NEXT_PHASES,
    DeadlinePassed,
    NoSeat,
    NoSuchRound,
    NotAReader,
    WrongLength,
    WrongRoundPhase,
    count_disputes,
    get_readers,
    get_seats,
    has_passed,
    is_late,
    place_of,
    require_length,
    require_phase,
    require_round,
    set_due,
)
from app.modules.rounds.progress import bar, get_built, settle_round, void_round
from app.modules.rounds.queries import (
    JobStateRequest,
    JobStateResponse,
    ParamsRequest,
    ParamsResponse,
    RoundRequest,
    RoundResponse,
    RoundState,
    WorthsRequest,
    WorthsResponse,
    job_state,
    params,
    round,
    worths,
)
from app.modules.rounds.records import (
    BARRED,
    DRAWS,
    DUE,
    PARAMS,
    READ,
    READER_OF,
    READERS,
    ROUNDS,
    SCORERS,
    SEAT_OF,
    SEATS,
    UNSETTLED,
    WORTHS,
    AggregateAttested,
    AggregatePosted,
    AggregatorReplaced,
    InclusionVoted,
    Metric,
    Params,
    Reader,
    ReserveCalled,
    Reveal,
    Round,
    RoundDrawn,
    RoundPhase,
    RoundPhaseChanged,
    RoundScored,
    RoundValue,
    ScoreOutcome,
    Scorer,
    Scores,
    ScoresCommitted,
    ScoresRevealed,
    ScoreStep,
    ScoreStepChanged,
    Seat,
    SeatKind,
    SeatState,
    SlicesDrawn,
    SlicesGranted,
    SlicesRefused,
    UpdateCommitted,
    UpdateRevealed,
    Worth,
)
from app.modules.rounds.reveal import RevealUpdate, end_reveal, reveal_update
from app.modules.rounds.score import (
    CommitScores,
    GrantSlices,
    RefuseSlices,
    RevealScores,
    commit_scores,
    end_score,
    grant_slices,
    refuse_slices,
    reveal_scores,
)

__all__ = [
    "ATTESTED",
    "BARRED",
    "DRAWS",
    "DUE",
    "MODULE",
    "NEXT_PHASES",
    "PARAMS",
    "READERS",
    "READER_OF",
    "ROUNDS",
    "SCORERS",
    "SEATS",
    "SEAT_OF",
    "UNSETTLED",
    "WORTHS",
    "AggregateAttested",
    "AggregatePosted",
    "AggregatorReplaced",
    "AttestAggregate",
    "CommitScores",
    "CommitUpdate",
    "DeadlinePassed",
    "GrantSlices",
    "InclusionVoted",
    "JobStateRequest",
    "JobStateResponse",
    "Metric",
    "NoSeat",
    "NoSuchRound",
    "NotAReader",
    "Params",
    "ParamsRequest",
    "ParamsResponse",
    "PostAggregate",
    "Reader",
    "RefuseSlices",
    "ReserveCalled",
    "Reveal",
    "RevealScores",
    "RevealUpdate",
    "Round",
    "RoundDrawn",
    "RoundPhase",
    "RoundPhaseChanged",
    "RoundRequest",
    "RoundResponse",
    "RoundScored",
    "RoundState",
    "RoundValue",
    "ScoreOutcome",
    "ScoreStep",
    "ScoreStepChanged",
    "Scorer",
    "Scores",
    "ScoresCommitted",
    "ScoresRevealed",
    "Seat",
    "SeatKind",
    "SeatState",
    "SlicesDrawn",
    "SlicesGranted",
    "SlicesRefused",
    "UpdateCommitted",
    "UpdateRevealed",
    "VoteInclusion",
    "Worth",
    "WorthsRequest",
    "WorthsResponse",
    "WrongLength",
    "WrongRoundPhase",
    "bar",
    "bitmap_bytes",
    "count_disputes",
    "get_built",
    "get_readers",
    "get_seats",
    "has_bit",
    "has_passed",
    "is_late",
    "place_of",
    "require_length",
    "require_phase",
    "require_round",
    "void_round",
]

SEATS_BITS = 6
"""Each 64 seats of a round that is due count as one more."""

PHASE_ENDS = {
    RoundPhase.OPEN: end_open,
    RoundPhase.COMMIT: end_commit,
    RoundPhase.REVEAL: end_reveal,
    RoundPhase.INCLUDE: end_include,
    RoundPhase.AGGREGATE: end_aggregate,
    RoundPhase.SCORE: end_score,
    RoundPhase.CHALLENGE: settle_round,
}
"""What happens when the chain looks at a round in each phase."""


def end_due_phases(state: State, ctx: Context) -> None:
    """End the phases that are due, a limited number a block.

    A round whose blocks are yet to pass goes to the end of the queue.
    """
    left = int(PARAMS.get(state).due_per_block_max)
    for key in list(DUE.keys(state, up_to=ctx.block.clock_ms, limit=left)):
        if left <= 0:
            return
        if not DUE.has(state, key):
            continue  # ended or begun by another round of its job
        found = ROUNDS.must(state, key[1:])
        left -= 1 + (found.seat_count >> SEATS_BITS)
        if found.phase is RoundPhase.OPEN or has_passed(found, ctx.block):
            PHASE_ENDS[found.phase](state, ctx, found)
        else:
            set_due(state, found, ctx.block.clock_ms + 1)


MODULE = Module(
    name="rounds",
    package="pollen.rounds.v1",
    tables=(
        ROUNDS,
        SEATS,
        SEAT_OF,
        READERS,
        READER_OF,
        READ,
        SCORERS,
        WORTHS,
        BARRED,
        UNSETTLED,
        DRAWS,
        DUE,
    ),
    params=PARAMS,
    messages={
        CommitUpdate: Message(commit_update, gas=20_000, amino_name="pollen/CommitUpdate"),
        RevealUpdate: Message(reveal_update, gas=30_000, amino_name="pollen/RevealUpdate"),
        VoteInclusion: Message(vote_inclusion, gas=50_000, amino_name="pollen/VoteInclusion"),
        PostAggregate: Message(post_aggregate, gas=30_000, amino_name="pollen/PostAggregate"),
        AttestAggregate: Message(attest_aggregate, gas=30_000, amino_name="pollen/AttestAggregate"),
        GrantSlices: Message(grant_slices, gas=30_000, amino_name="pollen/GrantSlices"),
        RefuseSlices: Message(refuse_slices, gas=30_000, amino_name="pollen/RefuseSlices"),
        CommitScores: Message(commit_scores, gas=30_000, amino_name="pollen/CommitScores"),
        RevealScores: Message(reveal_scores, gas=50_000, amino_name="pollen/RevealScores"),
    },
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        RoundRequest: Query(round, RoundResponse),
        JobStateRequest: Query(job_state, JobStateResponse),
        WorthsRequest: Query(worths, WorthsResponse),
    },
    events=(
        RoundDrawn,
        RoundPhaseChanged,
        UpdateCommitted,
        UpdateRevealed,
        ReserveCalled,
        InclusionVoted,
        AggregatePosted,
        AggregateAttested,
        AggregatorReplaced,
        SlicesDrawn,
        ScoreStepChanged,
        SlicesGranted,
        SlicesRefused,
        ScoresCommitted,
        ScoresRevealed,
        RoundScored,
    ),
    begin_block=draw_due_rounds,
    end_block=end_due_phases,
    invariants=(
        every_unsettled_round_is_due_once,
        rounds_that_have_not_ended_are_found_by_job,
        at_most_one_round_of_a_job_trains,
        every_running_job_goes_on,
        the_pools_of_unsettled_rounds_are_in_escrow,
        counters_equal_the_seats,
        unsettled_seats_lock_bonds,
        statistics_count_the_rounds_and_their_tasks,
        only_unsettled_rounds_have_pots,
    ),
)
