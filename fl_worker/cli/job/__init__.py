"""`pollen job`: post a job, follow it, take its model, and end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import click
import typer

from app.sdk.protocol import (
    U32,
    U64,
    AcceptJob,
    Address,
    CancelJob,
    EarningsRequest,
    FundJob,
    Job,
    JobsRequest,
    JobStateRequest,
    JobStateResponse,
)
from app.sdk.text import to_bech32
from fl_worker.cli.job.model import model, verify
from fl_worker.cli.job.post import add_choices, post, push, try_app
from fl_worker.cli.job.reject import describe_committee, reject, summarize_committee
from fl_worker.cli.job.serve import serve
from fl_worker.cli.job.watch import watch
from fl_worker.cli.output import facts, money, show, table, to_json, waiting
from fl_worker.cli.session import connected, name_of, open_signer, run
from fl_worker.cli.settings import current, make_noun
from fl_worker.cli.typed import AmountArgument, AppArgument, JobArgument


def init(
    app_dir: AppArgument,
    name: Annotated[str, typer.Option(help="The app's name. (default: the folder's)")] = "",
    template: Annotated[
        str, typer.Option(help="What it learns: digits or fashion-mnist.")
    ] = "digits",
) -> None:
    """Write a small Flower app to start from into a new folder."""
    from fl_worker.templates import write_template

    settings = current()
    write_template(app_dir, name or app_dir.resolve().name, template)
    advice = f"Next: pollen job try {app_dir}, then pollen job post {app_dir}"
    show(settings, {"folder": str(app_dir)}, f"Wrote an app into {app_dir}. {advice}")


def list_jobs(
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many, the newest.")] = 20,
    before: Annotated[int, typer.Option(min=0, help="Only smaller numbers.")] = 0,
) -> None:
    """List the newest jobs."""
    settings = current()

    async def ask() -> tuple[Job, ...]:
        async with connected(settings) as client:
            jobs: tuple[Job, ...] = (await client.query(JobsRequest(U64(before), U32(limit)))).jobs
            return jobs

    jobs = run(ask())
    columns = ["job", "title", "phase", "rounds", "workers", "budget", "in escrow", "requester"]
    rows = [
        [
            *(job.job_id, job.spec.title, job.phase.name.lower()),
            f"{job.completed_round_count}/{job.spec.schedule.round_count}",
            *(job.candidate_count, money(job.budget_uflt), money(job.escrow_uflt)),
            name_of(job.requester),
        ]
        for job in jobs
    ]
    show(settings, [to_json(job) for job in jobs], table("", columns, rows))


def show_job(job: JobArgument) -> None:
    """Show a job: what is asked for, how far it is, its money, and what everybody earned."""
    settings = current()

    async def ask() -> tuple[JobStateResponse, Any]:
        async with connected(settings) as client:
            view = await client.query(JobStateRequest(U64(job)))
            request = EarningsRequest(U64(job), Address(b""))
            return view, (await client.query(request)).earnings

    view, earnings = run(ask())
    found, measured = view.job, describe_committee(view)
    rows = [[to_bech32(e.participant), money(e.paid_uflt), money(e.held_uflt)] for e in earnings]
    show(
        settings,
        {**to_json(found), "earnings": to_json(earnings), **summarize_committee(view)},
        facts(f"Job {job}: {found.spec.title}", describe_job(found)),
        *([facts("Rejected", {"measurement": measured})] if measured else []),
        facts("Asked for", describe_spec(found)),
        table("Earned, before the protocol's fee", ["participant", "paid", "held back"], rows),
    )


def describe_job(job: Job) -> dict[str, Any]:
    """Return how far a job is, and its money."""
    rounds = f"{job.completed_round_count} of {job.spec.schedule.round_count} completed"
    return {
        "phase": job.phase.name.lower() + (f" ({job.reason})" if job.reason else ""),
        "requester": to_bech32(job.requester),
        "rounds": f"{rounds}, {job.unsettled_round_count} not settled",
        "workers": job.candidate_count,
        "budget": money(job.budget_uflt),
        "paid": money(job.paid_uflt),
        "in escrow": f"{money(job.escrow_uflt)}, {money(job.held_uflt)} of it held back",
        "model": f"{job.model.cid} ({job.model.size_bytes:,} bytes)",
        "model root": job.model_root.hex(),
    }


def describe_spec(job: Job) -> dict[str, Any]:
    """Return what a job asks for."""
    work, schedule, spec = job.spec.work, job.spec.schedule, job.spec
    phases = ("open", "commit", "reveal", "include", "aggregate", "score", "challenge", "review")
    return {
        "app": work.fab_hash.hex(),
        "values": f"{work.value_count:,}",
        "run config": work.run_config,
        "train config": work.train_config,
        "cohort": f"{schedule.cohort_size}, at least {schedule.cohort_size_min}, "
        f"{schedule.reserve_count} in reserve",
        "readers": f"{spec.evaluator_count} evaluators",
        "seconds": ", ".join(f"{name} {getattr(schedule, f'{name}_s')}" for name in phases),
        "combined by": spec.combination.rule.name.lower(),
        "pay by": spec.pay.contribution.name.lower(),
        "profile": spec.profile.name.lower(),
    }


def fund(job: JobArgument, amount: AmountArgument) -> None:
    """Add to a job's budget; what isn't earned returns in proportion."""
    end(lambda me: FundJob(me, U64(job), U64(amount)), f"Added {money(amount)} to job {job}.")


def accept(job: JobArgument) -> None:
    """Accept a job's result: what was held back is paid."""
    end(lambda me: AcceptJob(me, U64(job)), f"Accepted job {job}; what was held back is paid.")


def cancel(job: JobArgument) -> None:
    """End a job after its open rounds; what was earned is paid, the rest returns."""
    end(lambda me: CancelJob(me, U64(job)), f"Job {job} ends after its open rounds.")


def end(make_message: Any, words: str) -> None:
    """Submit the requester's message about a job."""
    settings = current()
    signer = open_signer(settings)

    async def submit() -> Any:
        async with connected(settings) as client:
            with waiting(settings, "Waiting for a block…"):
                return await client.submit(signer, [make_message(signer.address)])

    outcome = run(submit())
    show(settings, {"tx_hash": outcome.hash, "height": outcome.height}, words)


def extend(group: click.Group) -> None:
    """Give `post` and `try` the options of a job's spec."""
    for name in ("post", "try"):
        add_choices(group.commands[name])


COMMANDS: dict[str, Callable[..., None]] = {
    "init": init,
    "try": try_app,
    "post": post,
    "push": push,
    "list": list_jobs,
    "show": show_job,
    "watch": watch,
    "serve": serve,
    "fund": fund,
    "accept": accept,
    "reject": reject,
    "cancel": cancel,
    "model": model,
    "verify": verify,
}

app = make_noun()
for name, command in COMMANDS.items():
    app.command(name)(command)
