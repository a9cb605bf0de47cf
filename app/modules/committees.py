"""Committees: seven evaluators who measure a rejected result on slices that no round has seen.

The committee is drawn in the block after the rejection, of evaluators that read none of the job's
rounds; with fewer than `members_min` there is none. Each step has a full deadline, and ends early
when all are done:

    GRANT    the requester seals the keys of the kept slices to the members
    COMMIT   they bind themselves to the metric they measured
    REVEAL   they show it

The median of a quorum, a majority of the members and at least `members_min`, says what part of the
held-back money was earned:

    released = clamp((measured − baseline) / (threshold − baseline), 0, 1)

Without grant or quorum all of it is released. Where less is, the rejection is upheld and its
deposit returns. Either way the members who revealed share as much as the deposit, so that what they
say changes nothing for them: of the deposit if it is lost, of what isn't released if it returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum

from app.kernel.amounts import PPM
from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.record import I64, U32, U64, Address, encode
from app.kernel.store import Reader, State
from app.kernel.table import Index, Singleton, Table
from app.learning.commitment import MEASUREMENT_COMMITMENT, commitment
from app.learning.contribution import UTILITY_MAX, median
from app.modules import jobs, payouts
from app.modules.jobs import JobPhase

KEY_BOX_BYTES = 80
"""A sealed box of a content key: a public key of 32 bytes, a tag of 16, the key's 32."""
COMMITMENT_BYTES = 32
SALT_BYTES = 32


@frozen
class Params:
    """How large committees are and how long they have."""

    members: U32 = U32(7)
    """Evaluators drawn to measure a rejected result."""
    members_min: U32 = U32(3)
    """Members that must reveal, beside a majority of them."""
    step_s: U32 = U32(8 * 3_600)
    """The longest each of the three steps may take."""
    deadline_blocks: U32 = U32(10)
    """Blocks that must pass beside the time before a deadline has passed."""
    due_per_block_max: U32 = U32(20)
    """Committees whose time has come, handled in one block; the rest waits for the next."""


class CommitteeStep(IntEnum):
    """How far a committee is."""

    UNSPECIFIED = 0
    GRANT = 1
    COMMIT = 2
    REVEAL = 3
    DECIDED = 4


@frozen
class Measurement:
    """What a measurement's commitment binds."""

    metric_millionths: I64
    salt: bytes
    """32 random bytes."""


NO_MEASUREMENT = Measurement(I64(0), b"")


@frozen
class Member:
    """One evaluator that measures a rejected result."""

    member: U32
    """From 0, in the order drawn."""
    evaluator: Address
    slice_keys: tuple[bytes, ...] = ()
    """The kept slices' content keys, each in a sealed box for this evaluator."""
    commitment: bytes = b""
    measurement: Measurement = NO_MEASUREMENT


@frozen
class Committee:
    """Who measures a rejected result, and how far they are."""

    job_id: U64
    step: CommitteeStep
    slices: tuple[U32, ...]
    """The validation slices kept for acceptance."""
    member_count: U32
    due_clock_ms: U64
    """When the step ends; 0: the committee has decided."""
    deadline_height: U64
    is_early: bool
    """Whether the step ends because all are done."""
    metric_millionths: I64 = I64(0)
    """The median of what was measured."""
    released_ppm: U32 = U32(0)


NO_COMMITTEE = Committee(
    job_id=U64(0),
    step=CommitteeStep.UNSPECIFIED,
    slices=(),
    member_count=U32(0),
    due_clock_ms=U64(0),
    deadline_height=U64(0),
    is_early=False,
)
"""Of a job that nobody measures."""


@frozen
class GrantKeptSlices:
    """Give each member of a committee the keys of the slices kept for acceptance."""

    requester: Address
    job_id: U64
    keys: tuple[bytes, ...]
    """Sealed boxes: for each member in order, one for each kept slice in order."""


@frozen
class CommitMeasurement:
    """Bind oneself to a measurement without showing it."""

    evaluator: Address
    job_id: U64
    commitment: bytes


@frozen
class RevealMeasurement:
    """Show what a measurement's commitment bound."""

    evaluator: Address
    job_id: U64
    measurement: Measurement


@frozen
class ParamsRequest:
    """Ask for the params of committees."""


@frozen
class ParamsResponse:
    """The params of committees."""

    params: Params


@frozen
class CommitteeRequest:
    """Ask for the committee of a rejected job."""

    job_id: U64


@frozen
class CommitteeResponse:
    """A committee and its members."""

    committee: Committee
    members: tuple[Member, ...]


@frozen
class CommitteeDrawn:
    """Evaluators are to measure a rejected result."""

    job_id: U64
    member_count: U32


@frozen
class CommitteeStepChanged:
    """The next step of a committee has begun."""

    job_id: U64
    step: CommitteeStep


@frozen
class MeasurementCommitted:
    """A member bound itself to a measurement."""

    job_id: U64
    evaluator: Address


@frozen
class MeasurementRevealed:
    """A member showed what it measured."""

    job_id: U64
    evaluator: Address
    metric_millionths: I64


@frozen
class ResultMeasured:
    """A committee has decided what part of the held-back money was earned."""

    job_id: U64
    revealed_count: U32
    metric_millionths: I64
    released_ppm: U32


class NoCommittee(Rejected):
    """A job that nobody measures."""

    code = 1301
    text = "job_id {job_id}: has no committee, the limit is rejected jobs; look at the job"


class WrongCommitteeStep(Rejected):
    """What another step of a committee asks for, or what comes after its end."""

    code = 1302
    text = (
        "job_id {job_id}: its committee is at {value}, the limit is {limit} before clock "
        "{deadline}; look at the committee and act in its step"
    )


class NotAMember(Rejected):
    """An account that was not drawn to measure."""

    code = 1303
    text = (
        "evaluator {evaluator}: isn't of the {limit} members of the committee of job {job_id}; "
        "wait to be drawn"
    )


class WrongGrant(Rejected):
    """More or fewer keys than there are slices to open, or a second grant."""

    code = 1304
    text = (
        "keys: {value} sealed boxes, the limit is exactly {limit} of {box_bytes} bytes, once; "
        "seal the keys of slices {slices} to each member in order"
    )


class AlreadyMeasured(Rejected):
    """A second commitment."""

    code = 1305
    text = (
        "evaluator {evaluator}: has committed in job {job_id} already, the limit is once; "
        "keep what it bound and reveal it"
    )


class WrongMeasurementLength(Rejected):
    """Bytes that are too many or too few."""

    code = 1306
    text = "{field}: has {value} bytes, the limit is exactly {limit}; give so many"


class WrongMeasurement(Rejected):
    """A measurement that is not what the member bound itself to, or that no metric gives."""

    code = 1307
    text = (
        "measurement {metric_millionths}: its commitment is {value}, the limit is the committed "
        "{limit!r}, once, and a magnitude of {magnitude}; reveal exactly what was committed"
    )


PARAMS = Singleton("committees/params", Params)
COMMITTEES = Table("committees/committee", key=(U64,), record=Committee)
"""By job; they stay queryable."""
MEMBERS = Table("committees/member", key=(U64, U32), record=Member)
"""By job and member."""
DUE = Index("committees/due", key=(U64, U64))
"""Jobs whose committee is at work, by the clock at which its step ends."""


def begin(state: State, ctx: Context, job_id: int, evaluators: Sequence[Address]) -> None:
    """Let these evaluators measure a rejected result; too few decide nothing."""
    if len(evaluators) < PARAMS.get(state).members_min:
        decide(state, ctx, job_id, ())
        return
    job, kept = jobs.JOBS.must(state, job_id), jobs.PARAMS.get(state).slices_kept
    count = len(job.spec.work.validation_slices)
    committee = Committee(
        job_id=job.job_id,
        step=CommitteeStep.GRANT,
        slices=tuple(map(U32, range(count - kept, count))),
        member_count=U32(len(evaluators)),
        due_clock_ms=U64(0),
        deadline_height=U64(0),
        is_early=False,
    )
    for number, evaluator in enumerate(evaluators):
        MEMBERS.put(state, (job_id, number), Member(U32(number), evaluator))
    ctx.emit(CommitteeDrawn(job.job_id, committee.member_count))
    begin_step(state, ctx, committee, CommitteeStep.GRANT)


def begin_step(state: State, ctx: Context, committee: Committee, step: CommitteeStep) -> None:
    """Give a step its full time."""
    params = PARAMS.get(state)
    height = U64(ctx.block.height + params.deadline_blocks)
    committee = replace(committee, step=step, is_early=False, deadline_height=height)
    set_due(state, committee, ctx.block.clock_ms + params.step_s * 1_000)
    ctx.emit(CommitteeStepChanged(committee.job_id, step))


def set_due(state: State, committee: Committee, due_clock_ms: int) -> None:
    """Write a committee whose step ends at this time; 0: it has decided."""
    DUE.remove(state, (committee.due_clock_ms, committee.job_id))
    if due_clock_ms:
        DUE.add(state, (due_clock_ms, committee.job_id))
    row = replace(committee, due_clock_ms=U64(due_clock_ms))
    COMMITTEES.put(state, committee.job_id, row)


def end_at_once(state: State, ctx: Context, committee: Committee) -> None:
    """Write a committee whose step is done."""
    due = min(ctx.block.clock_ms, committee.due_clock_ms)
    set_due(state, replace(committee, is_early=True), due)


def get_members(state: Reader, job_id: int) -> list[Member]:
    """Return the members of a job's committee in order."""
    return [member for _, member in MEMBERS.items(state, (job_id,))]


def quorum_of(state: Reader, members: Sequence[Member]) -> int:
    """Return how many of the members must reveal."""
    return max(PARAMS.get(state).members_min, len(members) // 2 + 1)


def require_step(state: Reader, ctx: Context, job_id: int, step: CommitteeStep) -> Committee:
    """Return the committee that the user named if it is at a step, or refuse."""
    jobs.require_job(state, job_id, JobPhase.REVIEW)
    committee = COMMITTEES.require(state, job_id, NoCommittee, job_id=job_id)
    names = {"value": committee.step.name, "deadline": committee.due_clock_ms}
    is_open = committee.step is step and not is_late(committee, ctx)
    require(is_open, WrongCommitteeStep, job_id=job_id, limit=step.name, **names)
    return committee


def require_member(state: Reader, job_id: int, evaluator: Address) -> Member:
    """Return a member of a job's committee, or refuse."""
    members = get_members(state, job_id)
    found = [member for member in members if member.evaluator == evaluator]
    names = {"evaluator": to_bech32(evaluator), "job_id": job_id, "limit": len(members)}
    require(bool(found), NotAMember, **names)
    return found[0]


def require_length(field: str, value: bytes, limit: int) -> None:
    """Refuse bytes that are not exactly so many."""
    length = len(value)
    require(length == limit, WrongMeasurementLength, field=field, value=length, limit=limit)


def has_passed(committee: Committee, ctx: Context) -> bool:
    """Whether a step's deadline has passed: its time and, unless all are done, its blocks."""
    is_over = ctx.block.clock_ms >= committee.due_clock_ms
    return is_over and (committee.is_early or ctx.block.height >= committee.deadline_height)


def is_late(committee: Committee, ctx: Context) -> bool:
    """Whether nothing more is taken; the block in which all are done still counts."""
    if committee.is_early:
        return ctx.block.clock_ms > committee.due_clock_ms
    return has_passed(committee, ctx)


def grant_kept_slices(state: State, ctx: Context, msg: GrantKeptSlices) -> None:
    """Give the members the kept slices' keys; the step ends with it."""
    committee = require_step(state, ctx, msg.job_id, CommitteeStep.GRANT)
    jobs.check_requester(jobs.JOBS.must(state, msg.job_id), msg.requester)
    members, count = get_members(state, msg.job_id), len(committee.slices)
    value, limit = len(msg.keys), len(members) * count
    is_whole = all(len(key) == KEY_BOX_BYTES for key in msg.keys) and value == limit
    slices = ", ".join(map(str, committee.slices))
    names = {"value": value, "limit": limit, "box_bytes": KEY_BOX_BYTES, "slices": slices}
    require(is_whole and not members[0].slice_keys, WrongGrant, **names)

    for at, member in enumerate(members):
        keys = msg.keys[at * count : (at + 1) * count]
        MEMBERS.put(state, (msg.job_id, member.member), replace(member, slice_keys=keys))
    end_at_once(state, ctx, committee)


def commit_measurement(state: State, ctx: Context, msg: CommitMeasurement) -> None:
    """Bind a member to its measurement; when all have done so the step ends."""
    committee = require_step(state, ctx, msg.job_id, CommitteeStep.COMMIT)
    member = require_member(state, msg.job_id, msg.evaluator)
    require_length("commitment", msg.commitment, COMMITMENT_BYTES)
    names = {"evaluator": to_bech32(msg.evaluator), "job_id": msg.job_id}
    require(not member.commitment, AlreadyMeasured, **names)

    bound = replace(member, commitment=msg.commitment)
    MEMBERS.put(state, (msg.job_id, member.member), bound)
    if all(each.commitment for each in get_members(state, msg.job_id)):
        end_at_once(state, ctx, committee)
    ctx.emit(MeasurementCommitted(msg.job_id, msg.evaluator))


def reveal_measurement(state: State, ctx: Context, msg: RevealMeasurement) -> None:
    """Show what a member measured; when all who committed have done so the committee decides."""
    committee = require_step(state, ctx, msg.job_id, CommitteeStep.REVEAL)
    member = require_member(state, msg.job_id, msg.evaluator)
    require_length("measurement.salt", msg.measurement.salt, SALT_BYTES)
    check_measurement(ctx, msg, member)

    shown = replace(member, measurement=msg.measurement)
    MEMBERS.put(state, (msg.job_id, member.member), shown)
    members = get_members(state, msg.job_id)
    if all(each.measurement.salt for each in members if each.commitment):
        end_at_once(state, ctx, committee)
    metric = msg.measurement.metric_millionths
    ctx.emit(MeasurementRevealed(msg.job_id, msg.evaluator, metric))


def check_measurement(ctx: Context, msg: RevealMeasurement, member: Member) -> None:
    """Refuse anything but what the member's commitment bound, a second time, or no number."""
    metric = msg.measurement.metric_millionths
    found = commitment(
        MEASUREMENT_COMMITMENT,
        ctx.block.chain_id,
        msg.job_id,
        0,
        1,
        account=member.evaluator,
        payload=encode(msg.measurement),
    )
    is_right = found == member.commitment and not member.measurement.salt
    names = {"metric_millionths": metric, "value": found.hex(), "limit": member.commitment.hex()}
    is_number = -UTILITY_MAX <= metric <= UTILITY_MAX
    require(is_right and is_number, WrongMeasurement, **names, magnitude=UTILITY_MAX)


def end_due_steps(state: State, ctx: Context) -> None:
    """End the steps that are due, a limited number a block."""
    limit = PARAMS.get(state).due_per_block_max
    for _, job_id in list(DUE.keys(state, up_to=ctx.block.clock_ms, limit=limit)):
        committee = COMMITTEES.must(state, job_id)
        if jobs.JOBS.must(state, job_id).phase is not JobPhase.REVIEW:
            set_due(state, committee, 0)  # the requester has accepted after all
        elif has_passed(committee, ctx):
            end_step(state, ctx, committee)
        else:
            set_due(state, committee, ctx.block.clock_ms + 1)


def end_step(state: State, ctx: Context, committee: Committee) -> None:
    """Go on with the next step, or decide."""
    members = get_members(state, committee.job_id)
    committed = sum(bool(member.commitment) for member in members)
    is_granted = bool(members[0].slice_keys)
    if committee.step is CommitteeStep.GRANT and is_granted:
        begin_step(state, ctx, committee, CommitteeStep.COMMIT)
    elif committee.step is CommitteeStep.COMMIT and committed >= quorum_of(state, members):
        begin_step(state, ctx, committee, CommitteeStep.REVEAL)
    else:
        decide(state, ctx, committee.job_id, members)


def decide(state: State, ctx: Context, job_id: int, members: Sequence[Member]) -> None:
    """Release what the median of a quorum says was earned; without one, all of it."""
    job = jobs.JOBS.must(state, job_id)
    revealed = [member for member in members if member.measurement.salt]
    has_quorum = bool(members) and len(revealed) >= quorum_of(state, members)
    metric, released = 0, PPM
    if has_quorum:
        metric = median([member.measurement.metric_millionths for member in revealed])
        released = released_ppm(job.spec.acceptance, metric)
    if members:
        row = replace(
            COMMITTEES.must(state, job_id),
            step=CommitteeStep.DECIDED,
            metric_millionths=I64(metric),
            released_ppm=U32(released),
        )
        set_due(state, row, 0)
    counts = U32(len(revealed)), I64(metric), U32(released)
    ctx.emit(ResultMeasured(job.job_id, *counts))
    by = "committee" if has_quorum else "no_committee_quorum"
    earners = [member.evaluator for member in revealed]
    payouts.decide(state, ctx, job, released, earners, by=by)


def released_ppm(acceptance: jobs.Acceptance, metric: int) -> int:
    """Return the part of the way from the baseline to the threshold that a metric has gone."""
    baseline, threshold = acceptance.baseline_millionths, acceptance.threshold_millionths
    sign = 1 if threshold > baseline else -1
    part = sign * (metric - baseline) * PPM // (sign * (threshold - baseline))
    return min(max(part, 0), PPM)


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def committee(state: Reader, request: CommitteeRequest) -> CommitteeResponse:
    """Answer with a committee and its members."""
    jobs.require_job(state, request.job_id)
    found = COMMITTEES.require(state, request.job_id, NoCommittee, job_id=request.job_id)
    return CommitteeResponse(found, tuple(get_members(state, request.job_id)))


def every_committee_at_work_is_due_once(state: Reader) -> None:
    """Every committee that has not decided is due once, at its own time, with all its members."""
    rows = [row for _, row in COMMITTEES.items(state)]
    due = [(row.due_clock_ms, row.job_id) for row in rows if row.due_clock_ms]
    if sorted(due) != list(DUE.keys(state)):
        broken("every committee at work is due once, at its own time")
    if any(len(get_members(state, row.job_id)) != row.member_count for row in rows):
        broken("a committee counts its members")


MODULE = Module(
    name="committees",
    package="pollen.committees.v1",
    tables=(COMMITTEES, MEMBERS, DUE),
    params=PARAMS,
    messages={
        GrantKeptSlices: Message(
            grant_kept_slices, gas=30_000, amino_name="pollen/GrantKeptSlices"
        ),
        CommitMeasurement: Message(
            commit_measurement, gas=30_000, amino_name="pollen/CommitMeasurement"
        ),
        RevealMeasurement: Message(
            reveal_measurement, gas=30_000, amino_name="pollen/RevealMeasurement"
        ),
    },
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        CommitteeRequest: Query(committee, CommitteeResponse),
    },
    events=(
        CommitteeDrawn,
        CommitteeStepChanged,
        MeasurementCommitted,
        MeasurementRevealed,
        ResultMeasured,
    ),
    end_block=end_due_steps,
    invariants=(every_committee_at_work_is_due_once,),
)
