"""What can be asked about rounds; their history stays queryable."""

from __future__ import annotations

from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader as View
from app.modules import bonds, committees, jobs
from app.modules.rounds.lifecycle import (
    ENDED,
    get_readers,
    get_scorers,
    get_seats,
    get_unsettled,
    require_round,
)
from app.modules.rounds.records import (
    PARAMS,
    ROUNDS,
    WORTHS,
    Params,
    Reader,
    Round,
    Scorer,
    Seat,
    Worth,
)


@frozen
class RoundState:
    """A round with its seats, its readers and who scores it."""

    round: Round
    seats: tuple[Seat, ...]
    readers: tuple[Reader, ...]
    scorers: tuple[Scorer, ...]


@frozen
class ParamsRequest:
    """Ask for the params of rounds."""


@frozen
class ParamsResponse:
    """The params of rounds."""

    params: Params


@frozen
class RoundRequest:
    """Ask for one round."""

    job_id: U64
    round: U32


@frozen
class RoundResponse:
    """One round with its seats and readers."""

    state: RoundState


@frozen
class JobStateRequest:
    """Ask for all that a participant of a job acts on."""

    job_id: U64


@frozen
class JobStateResponse:
    """A job, its unsettled rounds behind the newest that has ended, and who reads or measures."""

    job: jobs.Job
    rounds: tuple[RoundState, ...]
    readers: tuple[bonds.Registration, ...]
    """Of those rounds, and the members of the job's committee."""
    committee: committees.Committee
    """Who measures the rejected result; of job 0 where nobody does."""
    members: tuple[committees.Member, ...]


@frozen
class WorthsRequest:
    """Ask what workers' updates were worth in a job's last rounds, a page at a time."""

    job_id: U64
    after: Address
    limit: U32


@frozen
class WorthsResponse:
    """A page of what workers' updates were worth."""

    worths: tuple[Worth, ...]


def params(state: View, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def round(state: View, request: RoundRequest) -> RoundResponse:
    """Answer with one round, its seats and its readers."""
    return RoundResponse(
        get_round_state(state, require_round(state, request.job_id, request.round))
    )


def job_state(state: View, request: JobStateRequest) -> JobStateResponse:
    """Answer with a job, its unsettled rounds, the newest that has ended, and its committee."""
    job = jobs.require_job(state, request.job_id)
    rounds = get_unsettled(state, request.job_id)
    for number in range(job.next_round - 1, 0, -1):
        found = ROUNDS.must(state, (request.job_id, number))
        if found.phase in ENDED:
            rounds.append(found)
            break
    rounds.sort(key=lambda found: found.round)
    states = tuple(get_round_state(state, found) for found in rounds)
    participants = {reader.participant: 0 for each in states for reader in each.readers}
    participants |= {scorer.evaluator: 0 for each in states for scorer in each.scorers}
    members = tuple(committees.get_members(state, job.job_id))
    participants |= {member.evaluator: 0 for member in members}
    registrations = (bonds.REGISTRATIONS.must(state, address) for address in sorted(participants))
    committee = committees.COMMITTEES.get(state, job.job_id) or committees.NO_COMMITTEE
    return JobStateResponse(job, states, tuple(registrations), committee, members)


def worths(state: View, request: WorthsRequest) -> WorthsResponse:
    """Answer with a page of what workers' updates were worth."""
    jobs.require_job(state, request.job_id)
    after = (request.job_id, request.after) if request.after else None
    limit = min(request.limit or jobs.PAGE_DEFAULT, jobs.PAGE_MAX)
    rows = WORTHS.items(state, (request.job_id,), after=after, limit=limit)
    return WorthsResponse(tuple(row for _, row in rows))


def get_round_state(state: View, round: Round) -> RoundState:
    """Return a round with its seats, its readers and who scores it."""
    return RoundState(
        round,
        tuple(get_seats(state, round)),
        tuple(get_readers(state, round)),
        tuple(get_scorers(state, round)),
    )
