"""`pollen job reject`, and how the measurement that follows is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.sdk.client import TxRejected
from app.sdk.protocol import (
    U64,
    CommitteeStep,
    JobPhase,
    JobStateRequest,
    JobStateResponse,
    RejectJob,
)
from fl_worker.cli.output import show, waiting
from fl_worker.cli.session import run
from fl_worker.cli.settings import Misused, Settings, current
from fl_worker.cli.typed import JobArgument

if TYPE_CHECKING:
    from fl_worker.cli.participant import Participant

MILLIONTHS, PERCENT_PPM = 1_000_000, 10_000
MEASURED = "committee"
"""Why a job is settled whose committee had a quorum."""
GRANTED = ("WrongGrant", "WrongCommitteeStep")
"""What the chain says to a grant that another process of the requester was quicker with."""


def reject(
    job: JobArgument,
    reason: Annotated[str, typer.Option(help="Why; everybody can read it.")],
) -> None:
    """Reject a job's result, against a deposit that returns if the rejection is upheld.

    Evaluators who read none of its rounds are drawn, and given the kept slices to measure it on.
    """
    settings = current()
    outcome, view = run(reject_and_grant(settings, job, reason))
    value = {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "phase": view.job.phase.name,
        **summarize_committee(view),
    }
    show(settings, value, f"Rejected job {job}. {say_what_comes(view)}")


async def reject_and_grant(
    settings: Settings, job_id: int, reason: str
) -> tuple[Any, JobStateResponse]:
    """Reject a result, wait for its committee to be drawn, and grant it the kept slices."""
    from fl_worker.cli.participant import open_participant

    async with open_participant(settings) as me:
        with waiting(settings, "Waiting for a block…"):
            message = RejectJob(me.signer.address, U64(job_id), reason)
            outcome = await me.client.submit(me.signer, [message])
        with waiting(settings, "Waiting for evaluators to be drawn…"):
            return outcome, await grant_kept(me, job_id)


async def grant_kept(me: Participant, job_id: int) -> JobStateResponse:
    """Grant the kept slices once a committee is drawn, unless `pollen job serve` has; say so."""
    from fl_worker.roles.requester import Requester

    requester = Requester(me.chain)
    async for _ in me.client.watch_job(job_id):
        view: JobStateResponse = await me.client.query(JobStateRequest(U64(job_id)))
        try:
            for intent in requester.decide(view):
                await requester.act(view, None, intent)
        except TxRejected as refusal:
            if not any(map(refusal.is_called, GRANTED)):
                raise
        if view.job.phase != JobPhase.REVIEW or view.committee.step > CommitteeStep.GRANT:
            return view
    raise Misused(f"job {job_id}: the stream ended; go on with pollen job serve")


def say_what_comes(view: JobStateResponse) -> str:
    """Return what follows a rejection, in words."""
    if not view.members:
        return (
            "Too few evaluators have read none of its rounds, so nobody measures it: it counts as "
            "accepted, and the deposit is lost."
        )
    if view.job.phase != JobPhase.REVIEW:
        return f"{describe_committee(view)}."
    return (
        f"{len(view.members)} evaluators who read none of its rounds have the kept slices, and "
        f"measure its model. Nothing more is asked of you. Next: pollen job watch {view.job.job_id}"
    )


def describe_committee(view: JobStateResponse) -> str:
    """Return how far the measurement of a rejected result is; empty where there is none."""
    committee, count = view.committee, len(view.members)
    is_decided = committee.step == CommitteeStep.DECIDED
    if view.members and view.job.phase != JobPhase.REVIEW and not is_decided:
        return "ended, since the requester accepted"
    slices = " and ".join(map(str, committee.slices))
    committed = sum(bool(member.commitment) for member in view.members)
    revealed = sum(bool(member.measurement.salt) for member in view.members)
    metric = f"{view.job.spec.work.metric} {committee.metric_millionths / MILLIONTHS:g}"
    median = f"the median is {metric}" if view.job.reason == MEASURED else "too few for a median"
    percent = f"{committee.released_ppm / PERCENT_PPM:g} % of what was held back is paid"
    words = {
        CommitteeStep.GRANT: f"{count} evaluators wait for slices {slices}: pollen job serve",
        CommitteeStep.COMMIT: f"{committed} of {count} evaluators have measured",
        CommitteeStep.REVEAL: f"{revealed} of {count} evaluators have shown what they measured",
        CommitteeStep.DECIDED: f"{revealed} of {count} evaluators measured; {median}, so {percent}",
    }
    return words.get(committee.step, "")


def summarize_committee(view: JobStateResponse) -> dict[str, Any]:
    """Return how far a measurement is, for programs."""
    return {
        "committee_step": view.committee.step.name,
        "member_count": len(view.members),
        "measured_count": sum(bool(member.commitment) for member in view.members),
        "revealed_count": sum(bool(member.measurement.salt) for member in view.members),
        "metric_millionths": view.committee.metric_millionths,
        "released_ppm": view.job.released_ppm,
    }
