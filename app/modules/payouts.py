"""Payouts: what a share pays at once, what waits for acceptance, how a job's money leaves it.

A share is cut in two: one part is paid to the participant's payout address when its round settles,
less the protocol's fee; the other is held back in escrow. After the last round the job is in
REVIEW: the requester accepts, or rejects once against a deposit, or stays silent. Silence accepts.
A rejected job waits for the measurement of a committee, which says what part of the held-back
money is released. If that is less than all, the deposit returns; else it is shared by the members
who revealed, or goes to the treasury where nobody did, as it does when the requester accepts after
all. A job without a threshold has nothing to measure and can't be rejected.

A job that has ended is worked off in `end_block`, a limited number of payments a block: first what
was held back, less the fee, as far as it is released; then the workers' join deposits, the
committee that upheld a rejection, as much as the deposit, and last the rest of the escrow to the
funders in proportion to what each paid in. So the last payment may come blocks after the end, but
it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.kernel.amounts import PPM, share_ppm, split_exactly
from app.kernel.context import Context
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.kernel.table import Index, Singleton, Table
from app.modules import bank, bonds, distribution, jobs, reputation
from app.modules.jobs import Job, JobPhase

TREASURY = distribution.TREASURY


@frozen
class Params:
    """What the protocol takes, and how a job is reviewed."""

    protocol_fee_ppm: U32 = U32(10_000)
    """The part of all pay that goes to the treasury."""
    rejection_deposit_uflt: U64 = U64(10_000_000)
    """What a rejection costs unless it is upheld."""
    reviews_per_block_max: U32 = U32(100)
    """Reviews whose time has come, handled in one block; the rest waits for the next."""
    payments_per_block_max: U32 = U32(500)
    """Payments to participants and funders of ended jobs in one block; the rest waits."""


@frozen
class Earning:
    """What a job has paid one participant and still holds back for it, before the protocol fee."""

    participant: Address
    paid_uflt: U64
    held_uflt: U64


@frozen
class Rejection:
    """A requester's rejection that nobody has decided on."""

    reason: str
    deposit_uflt: U64


@frozen
class CommitteeFee:
    """What a committee that upheld a rejection shares of what isn't released."""

    members: tuple[Address, ...]
    amount_uflt: U64


@frozen
class AcceptJob:
    """Release what a reviewed job holds back."""

    requester: Address
    job_id: U64


@frozen
class RejectJob:
    """Dispute a job's result against a deposit."""

    requester: Address
    job_id: U64
    reason: str


@frozen
class ParamsRequest:
    """Ask for the params of payouts."""


@frozen
class ParamsResponse:
    """The params of payouts."""

    params: Params


@frozen
class EarningsRequest:
    """Ask what a job has paid and holds, for one participant or everyone."""

    job_id: U64
    participant: Address


@frozen
class EarningsResponse:
    """What a job has paid and holds, by participant."""

    earnings: tuple[Earning, ...]


@frozen
class SharePaid:
    """A share of a round: what arrived, the fee, and what is held back sum to the share."""

    job_id: U64
    round: U32
    participant: Address
    payout_address: Address
    paid_uflt: U64
    fee_uflt: U64
    held_uflt: U64


@frozen
class HeldPaid:
    """Held-back pay was released: what arrived, the fee, and what returns to the job's escrow."""

    job_id: U64
    participant: Address
    payout_address: Address
    paid_uflt: U64
    fee_uflt: U64
    returned_uflt: U64


@frozen
class MemberPaid:
    """A member of a committee was paid for its measurement: what arrived, and the fee."""

    job_id: U64
    member: Address
    payout_address: Address
    paid_uflt: U64
    fee_uflt: U64


@frozen
class JobAccepted:
    """A result was settled: by `requester`, `silence`, `committee` or `no_committee_quorum`."""

    job_id: U64
    by: str


@frozen
class JobRejected:
    """A job's result was rejected, against a deposit."""

    job_id: U64
    requester: Address
    reason: str
    deposit_uflt: U64


class AlreadyRejected(Rejected):
    """A second rejection of one job."""

    code = 601
    text = "job_id {job_id}: was rejected already, the limit is once; accept it or wait"


class NothingToMeasure(Rejected):
    """A rejection of a result that was promised to reach nothing."""

    code = 602
    text = (
        "job_id {job_id}: has no threshold, the limit is jobs with acceptance.threshold_millionths;"
        " accept it, or let the review end"
    )


PARAMS = Singleton("payouts/params", Params)
EARNINGS = Table("payouts/earning", key=(U64, Address), record=Earning)
"""By job and participant."""
HELD = Index("payouts/held", key=(U64, Address))
"""Participants for whom a job holds something back."""
REJECTIONS = Table("payouts/rejection", key=(U64,), record=Rejection)
"""By job, until it is decided."""
REVIEWS = Index("payouts/review", key=(U64, U64))
"""Jobs in review by the clock at which they are accepted unless something happens."""
COMMITTEE_FEES = Table("payouts/committee_fee", key=(U64,), record=CommitteeFee)
"""By job, until the job has paid what it releases."""


def find_earning(state: Reader, job_id: int, participant: Address) -> Earning:
    """Return what a job has paid a participant and holds back for it; nothing is zeros."""
    known = EARNINGS.get(state, (job_id, participant))
    return known or Earning(participant, U64(0), U64(0))


def pay_shares(
    state: State, ctx: Context, job_id: int, round: int, shares: Mapping[Address, int]
) -> None:
    """Pay the shares of a settled round: of each one part now, the other held back."""
    job = jobs.JOBS.must(state, job_id)
    paid_uflt = held_uflt = 0
    for participant, amount in shares.items():
        held = share_ppm(amount, job.spec.pay.held_back_ppm)
        paid = amount - held
        address, fee = pay(state, ctx, job_id, participant, (paid, held))
        ctx.emit(
            SharePaid(
                job_id=job.job_id,
                round=U32(round),
                participant=participant,
                payout_address=address,
                paid_uflt=U64(paid - fee),
                fee_uflt=U64(fee),
                held_uflt=U64(held),
            )
        )
        paid_uflt += paid
        held_uflt += held
    jobs.spend(state, job, job.held_uflt + held_uflt, paid_uflt)


def release_held(state: State, ctx: Context, job_id: int, participants: Sequence[Address]) -> None:
    """Pay the released part of what a job holds back for some participants."""
    job = jobs.JOBS.must(state, job_id)
    held_uflt = paid_uflt = 0
    for participant in participants:
        held = find_earning(state, job_id, participant).held_uflt
        paid = share_ppm(held, job.released_ppm)
        address, fee = pay(state, ctx, job_id, participant, (paid, -held))
        amounts = U64(paid - fee), U64(fee), U64(held - paid)
        ctx.emit(HeldPaid(job.job_id, participant, address, *amounts))
        held_uflt += held
        paid_uflt += paid
    jobs.spend(state, job, job.held_uflt - held_uflt, paid_uflt)


def pay_committee(state: State, ctx: Context, job_id: int) -> int:
    """Pay the committee that upheld a rejection of what wasn't released; return to how many."""
    fee = COMMITTEE_FEES.get(state, job_id)
    if fee is None:
        return 0
    COMMITTEE_FEES.delete(state, job_id)
    job = jobs.JOBS.must(state, job_id)
    total = min(fee.amount_uflt, job.escrow_uflt - job.held_uflt)
    for member, share in split_exactly(total, [(who, 1) for who in fee.members]).items():
        address, taken = pay(state, ctx, job_id, member, (share, 0))
        ctx.emit(MemberPaid(job.job_id, member, address, U64(share - taken), U64(taken)))
    jobs.spend(state, job, job.held_uflt, total)
    return len(fee.members)


def pay(
    state: State, ctx: Context, job_id: int, participant: Address, changes: tuple[int, int]
) -> tuple[Address, int]:
    """Pay a participant less the fee, and hold back more or less; return payout address, fee.

    The caller writes what the job has spent, once for all whom it pays.
    """
    paid, held = changes
    earning = find_earning(state, job_id, participant)
    earning = Earning(participant, U64(earning.paid_uflt + paid), U64(earning.held_uflt + held))
    address = bonds.REGISTRATIONS.must(state, participant).payout_address
    fee = share_ppm(paid, PARAMS.get(state).protocol_fee_ppm)

    bank.move(state, ctx, jobs.ESCROW, address, paid - fee)
    bank.move(state, ctx, jobs.ESCROW, TREASURY, fee)
    EARNINGS.put(state, (job_id, participant), earning)
    if earning.held_uflt:
        HELD.add(state, (job_id, participant))
    else:
        HELD.remove(state, (job_id, participant))
    return address, fee


def pay_treasury(state: State, ctx: Context, job_id: int, amount_uflt: int) -> None:
    """Pay the treasury what of a round's pool nobody may have."""
    job = jobs.JOBS.must(state, job_id)
    jobs.spend(state, job, job.held_uflt, amount_uflt)
    bank.move(state, ctx, jobs.ESCROW, TREASURY, amount_uflt)


def begin_review(state: State, ctx: Context, job_id: int) -> None:
    """Let the requester look at the result of a job whose rounds have all settled."""
    job = jobs.advance(state, ctx, jobs.JOBS.must(state, job_id), JobPhase.REVIEW)
    postpone(state, job, ctx.block.clock_ms + job.spec.schedule.review_s * 1_000)


def postpone(state: State, job: Job, due_clock_ms: int) -> None:
    """Let a review end by itself at a time."""
    REVIEWS.remove(state, (job.due_clock_ms, job.job_id))
    REVIEWS.add(state, (due_clock_ms, job.job_id))
    jobs.store(state, replace(job, due_clock_ms=U64(due_clock_ms)))


def fail_job(state: State, ctx: Context, job_id: int, reason: str) -> None:
    """End a running job without open rounds that can't go on; what was earned is paid."""
    jobs.advance(state, ctx, jobs.JOBS.must(state, job_id), JobPhase.FAILED, reason)


def finish_cancelled(state: State, ctx: Context, job_id: int) -> None:
    """End a cancelled job whose open rounds are done; what was earned is paid."""
    job = jobs.JOBS.must(state, job_id)
    jobs.advance(state, ctx, job, JobPhase.CANCELLED, job.reason)


def accept_job(state: State, ctx: Context, msg: AcceptJob) -> None:
    """Release what a reviewed job holds back, by the requester's word."""
    job = jobs.require_job(state, msg.job_id, JobPhase.REVIEW)
    jobs.check_requester(job, msg.requester)

    settle(state, ctx, job, "requester")


def reject_job(state: State, ctx: Context, msg: RejectJob) -> None:
    """Dispute a result once, against a deposit; the review waits for a committee to be drawn."""
    params = PARAMS.get(state)
    job = jobs.require_job(state, msg.job_id, JobPhase.REVIEW)
    jobs.check_requester(job, msg.requester)
    require(not job.rejected, AlreadyRejected, job_id=msg.job_id)
    require(jobs.has_threshold(job.spec), NothingToMeasure, job_id=msg.job_id)
    jobs.check_text("reason", msg.reason, jobs.PARAMS.get(state).text_length_max, 1)

    deposit = params.rejection_deposit_uflt
    bank.move(state, ctx, msg.requester, jobs.DEPOSITS, deposit)
    REJECTIONS.put(state, msg.job_id, Rejection(msg.reason, deposit))
    reputation.note_rejected_job(state, msg.requester)
    REVIEWS.remove(state, (job.due_clock_ms, job.job_id))
    jobs.store(state, replace(job, rejected=True, due_clock_ms=U64(0)))
    jobs.ask_draw(state, ctx, job.job_id)
    ctx.emit(JobRejected(msg.job_id, msg.requester, msg.reason, deposit))


def settle(state: State, ctx: Context, job: Job, by: str) -> None:
    """Accept a reviewed job; a rejection that stood against it has lost its deposit."""
    REVIEWS.remove(state, (job.due_clock_ms, job.job_id))
    rejection = REJECTIONS.get(state, job.job_id)
    if rejection is not None:
        REJECTIONS.delete(state, job.job_id)
        bank.move(state, ctx, jobs.DEPOSITS, TREASURY, rejection.deposit_uflt)
    ctx.emit(JobAccepted(job.job_id, by))
    jobs.advance(state, ctx, job, JobPhase.SETTLED, by)


def decide(
    state: State, ctx: Context, job: Job, released_ppm: int, members: Sequence[Address], *, by: str
) -> None:
    """End the review of a rejected job as its committee's members, those who revealed, say."""
    rejection = REJECTIONS.must(state, job.job_id)
    REJECTIONS.delete(state, job.job_id)
    if released_ppm < PPM:
        bank.move(state, ctx, jobs.DEPOSITS, job.requester, rejection.deposit_uflt)
        fee = CommitteeFee(tuple(members), rejection.deposit_uflt)
        COMMITTEE_FEES.put(state, job.job_id, fee)
    elif members:
        pay_of_deposit(state, ctx, job, members, rejection.deposit_uflt)
    else:
        bank.move(state, ctx, jobs.DEPOSITS, TREASURY, rejection.deposit_uflt)
    ctx.emit(JobAccepted(job.job_id, by))
    released = replace(job, released_ppm=U32(released_ppm))
    jobs.advance(state, ctx, released, JobPhase.SETTLED, by)


def pay_of_deposit(
    state: State, ctx: Context, job: Job, members: Sequence[Address], deposit_uflt: int
) -> None:
    """Share a deposit that is lost among the members of the committee, less the protocol's fee."""
    fee_ppm = PARAMS.get(state).protocol_fee_ppm
    for member, share in split_exactly(deposit_uflt, [(who, 1) for who in members]).items():
        address = bonds.REGISTRATIONS.must(state, member).payout_address
        fee = share_ppm(share, fee_ppm)
        bank.move(state, ctx, jobs.DEPOSITS, address, share - fee)
        bank.move(state, ctx, jobs.DEPOSITS, TREASURY, fee)
        ctx.emit(MemberPaid(job.job_id, member, address, U64(share - fee), U64(fee)))


def review_and_close(state: State, ctx: Context) -> None:
    """Accept the jobs whose review has ended, and pay out the jobs that have ended."""
    params = PARAMS.get(state)
    due = REVIEWS.keys(state, up_to=ctx.block.clock_ms, limit=params.reviews_per_block_max)
    for _, job_id in list(due):
        job = jobs.JOBS.must(state, job_id)
        settle(state, ctx, job, "silence")
    left = int(params.payments_per_block_max)
    for job_id in list(jobs.CLOSING.keys(state, limit=left)):
        left -= close(state, ctx, job_id, left)
        if left <= 0:
            return


def close(state: State, ctx: Context, job_id: int, limit: int) -> int:
    """Make the next payments of a job that has ended; return how many.

    The refund is one step: its payments, at most `funders_max`, may go beyond the limit.
    """
    earners = [participant for _, participant in HELD.keys(state, (job_id,), limit=limit)]
    release_held(state, ctx, job_id, earners)
    done = len(earners)
    done += jobs.return_deposits(state, ctx, job_id, limit - done)
    if done < limit:
        done += pay_committee(state, ctx, job_id)
        done += jobs.refund(state, ctx, jobs.JOBS.must(state, job_id))
    return done


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def earnings(state: Reader, request: EarningsRequest) -> EarningsResponse:
    """Answer with what a job has paid and holds, for one participant or everyone."""
    jobs.require_job(state, request.job_id)
    if request.participant:
        return EarningsResponse((find_earning(state, request.job_id, request.participant),))
    rows = EARNINGS.items(state, (request.job_id,))
    return EarningsResponse(tuple(row for _, row in rows))


def what_is_held_back_is_the_sum_of_the_earnings(state: Reader) -> None:
    """What a job holds back is the sum of what it holds back for each participant."""
    for job_id, job in jobs.JOBS.items(state):
        rows = [row for _, row in EARNINGS.items(state, (job_id,)) if row.held_uflt]
        if job.held_uflt != sum(row.held_uflt for row in rows):
            broken(f"what job {job_id} holds back is the sum of its earnings")
        held = [participant for _, participant in HELD.keys(state, (job_id,))]
        if held != [row.participant for row in rows]:
            broken(f"those for whom job {job_id} holds something back are found")


def the_deposits_account_is_the_sum_of_all_deposits(state: Reader) -> None:
    """The account `deposits` holds the deposits of candidates and of rejections."""
    joined = sum(row.deposit_uflt for _, row in jobs.CANDIDATES.items(state))
    rejected = sum(row.deposit_uflt for _, row in REJECTIONS.items(state))
    if bank.get_balance(state, jobs.DEPOSITS) != joined + rejected:
        broken(f"the account deposits holds join ({joined}) and rejection ({rejected}) deposits")


def every_reviewed_job_is_due_once(state: Reader) -> None:
    """Every job in review is due once, at its own time, unless it was rejected."""
    rows = [row for _, row in jobs.JOBS.items(state) if row.phase == JobPhase.REVIEW]
    due = [(row.due_clock_ms, row.job_id) for row in rows if not row.rejected]
    if sorted(due) != list(REVIEWS.keys(state)):
        broken("every job in review is due once, at its own time")


MODULE = Module(
    name="payouts",
    package="pollen.payouts.v1",
    tables=(EARNINGS, HELD, REJECTIONS, REVIEWS, COMMITTEE_FEES),
    params=PARAMS,
    messages={
        AcceptJob: Message(accept_job, gas=50_000, amino_name="pollen/AcceptJob"),
        RejectJob: Message(reject_job, gas=50_000, amino_name="pollen/RejectJob"),
    },
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        EarningsRequest: Query(earnings, EarningsResponse),
    },
    events=(SharePaid, HeldPaid, MemberPaid, JobAccepted, JobRejected),
    end_block=review_and_close,
    invariants=(
        what_is_held_back_is_the_sum_of_the_earnings,
        the_deposits_account_is_the_sum_of_all_deposits,
        every_reviewed_job_is_due_once,
    ),
)
