"""`pollen job watch`: a job as it happens."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live

from app.sdk.protocol import (
    U32,
    U64,
    Job,
    JobPhase,
    JobStateRequest,
    JobStateResponse,
    RoundPhase,
    RoundRequest,
    RoundState,
    has_threshold,
)
from fl_worker.cli.job.reject import describe_committee, summarize_committee
from fl_worker.cli.output import console, facts, money, table
from fl_worker.cli.session import connected, run
from fl_worker.cli.settings import Misused, Settings, current
from fl_worker.cli.typed import JobArgument
from fl_worker.means import mean_metrics

ROUNDS_SHOWN = 12
MILLIONTHS = 1_000_000
ENDED = (JobPhase.SETTLED, JobPhase.CANCELLED, JobPhase.FAILED)
UNTIL = {"review": (JobPhase.REVIEW, *ENDED), "end": ENDED}


def watch(
    job: JobArgument,
    until: Annotated[str, typer.Option(help="When to stop: review, or end.")] = "end",
) -> None:
    """Show a job live: its rounds, phases, seats, money and metrics; with JSON a line a change."""
    settings = current()
    if until not in UNTIL:
        raise Misused(f"--until {until}: say review, or end")
    last = run(follow(settings, job, UNTIL[until]))
    if last.phase == JobPhase.FAILED:
        raise Misused(f"job {job} failed: {last.reason}")


async def follow(settings: Settings, job_id: int, phases: tuple[JobPhase, ...]) -> Job:
    """Show a job until it is in one of the phases, and return it."""
    rounds: dict[int, RoundState] = {}
    live = nullcontext() if settings.is_json else Live(console=console(), refresh_per_second=8)
    async with connected(settings) as client:
        request = JobStateRequest(U64(job_id))
        first = await client.query(request)
        for number in range(max(1, first.job.next_round - ROUNDS_SHOWN), first.job.next_round):
            found = await client.query(RoundRequest(U64(job_id), U32(number)))
            rounds[number] = found.state
        with live as screen:
            async for update in client.watch_job(job_id):
                view: JobStateResponse = await client.query(request)
                rounds |= {state.round.round: state for state in view.rounds}
                if settings.is_json:
                    print(json.dumps(summarize(view, update.height)), flush=True)
                elif screen is not None:
                    screen.update(render(view, rounds, update.clock_ms))
                if view.job.phase in phases:
                    return view.job
    raise Misused(f"job {job_id}: the stream ended; watch it again")


def summarize(view: JobStateResponse, height: int) -> dict[str, Any]:
    """Return a job's state in short."""
    job = view.job
    return {
        "height": height,
        "job_id": job.job_id,
        "phase": job.phase.name,
        "reason": job.reason,
        "completed_round_count": job.completed_round_count,
        "candidate_count": job.candidate_count,
        "escrow_uflt": job.escrow_uflt,
        "held_uflt": job.held_uflt,
        "paid_uflt": job.paid_uflt,
        "model_root": job.model_root.hex(),
        **summarize_committee(view),
        "rounds": [
            {
                "round": state.round.round,
                "phase": state.round.phase.name,
                "reason": state.round.reason,
                "committed_count": state.round.committed_count,
                "revealed_count": state.round.revealed_count,
                "included_count": state.round.included_count,
                "attested_count": state.round.attested_count,
                "metrics": stated_metrics(state),
            }
            for state in view.rounds
        ],
    }


def render(view: JobStateResponse, rounds: dict[int, RoundState], clock_ms: int) -> Group:
    """Return a job and its newest rounds as people see them."""
    job, schedule = view.job, view.job.spec.schedule
    pairs = {
        "phase": job.phase.name.lower() + (f" ({job.reason})" if job.reason else ""),
        "rounds": f"{job.completed_round_count} of {schedule.round_count}",
        "workers": f"{job.candidate_count}, {schedule.cohort_size} a round",
        "money": f"{money(job.paid_uflt)} paid, {money(job.held_uflt)} held back, "
        f"{money(job.escrow_uflt)} in escrow",
    }
    if job.rejected:
        pairs["measurement"] = describe_committee(view)
    elif job.phase == JobPhase.REVIEW:
        pairs["next"] = f"pollen job model {job.job_id}, then pollen job accept {job.job_id}"
        if has_threshold(job.spec):
            pairs["next"] += f", or pollen job reject {job.job_id} --reason WHY"
    columns = ["round", "phase", "left", "committed", "revealed", "included", "attested", "metrics"]
    newest = sorted(rounds)[-ROUNDS_SHOWN:]
    rows = [describe_round(rounds[number], clock_ms) for number in newest]
    title = f"Job {job.job_id}: {job.spec.title}"
    return Group(facts(title, pairs), table("", columns, rows))


def describe_round(state: RoundState, clock_ms: int) -> list[Any]:
    """Return one round's row."""
    this = state.round
    left_s = (this.deadline_clock_ms - clock_ms) / 1000
    is_open = this.phase not in (RoundPhase.SETTLED, RoundPhase.ABORTED, RoundPhase.VOIDED)
    metrics = stated_metrics(state)
    return [
        this.round,
        this.phase.name.lower() + (f" ({this.reason})" if this.reason else ""),
        f"{left_s:.0f} s" if is_open and left_s > 0 else "",
        f"{this.committed_count}/{this.selected_count}",
        this.revealed_count,
        this.included_count,
        this.attested_count,
        " ".join(f"{name} {value:.4f}" for name, value in metrics.items()),
    ]


def stated_metrics(state: RoundState) -> dict[str, float]:
    """Return what a round's workers state: means by their example counts."""
    return mean_metrics(
        (
            {each.name: each.value_millionths / MILLIONTHS for each in seat.reveal.metrics},
            seat.reveal.example_count,
        )
        for seat in state.seats
    )
