"""`pollen worker`: train the jobs of others on one's own data, for pay."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.sdk.protocol import (
    U32,
    U64,
    Address,
    Earning,
    EarningsRequest,
    Job,
    JobsRequest,
    Role,
)
from fl_worker.cli.output import facts, money, show, table, to_json, waiting
from fl_worker.cli.registration import add_registration_commands
from fl_worker.cli.session import connected, find_address, own_folder, run
from fl_worker.cli.settings import Misused, Settings, current, make_noun
from fl_worker.cli.typed import JobArgument, amount_option, size_option
from fl_worker.posting.reading import read_address, read_hash

app = make_noun()

JOBS_SHOWN = 100
MIB = 1 << 20
PUBLIC_WARNING = (
    "Its profile is public: anyone may read the updates of its workers, and an update can give "
    "away something of the data it was trained on."
)
TRUST_WARNING = "!!! --trust-anyone: code that ANYONE posts will run here beside your data !!!"
NodeConfigOption = Annotated[
    str, typer.Option(help='What your data are called, such as "partition-id=0 num-partitions=8".')
]
DataOption = Annotated[
    list[Path] | None, typer.Option("--data", help="A folder or file that apps may read.")
]


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker is started with."""

    bond_uflt: int
    payout: Address
    order: Any
    node_config: str
    readable: tuple[Path, ...]
    limits: Any
    store_bytes: int


@app.command()
def start(
    *,
    bond: Annotated[int, amount_option("Register with this bond, unless registered.")] = 0,
    payout: Annotated[str, typer.Option(help="Where pay goes: an address or a key.")] = "",
    trust_requester: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Join whatever it posts.")
    ] = None,
    trust_app: Annotated[
        list[str] | None, typer.Option(metavar="HASH", help="Join jobs with this app (FAB).")
    ] = None,
    trust_anyone: Annotated[
        bool, typer.Option("--trust-anyone", help="Join any job. Its code runs here!")
    ] = False,
    pay_min: Annotated[int, amount_option("Join for no smaller share of a round.")] = 0,
    node_config: NodeConfigOption = "",
    data: DataOption = None,
    memory_max: Annotated[int, size_option("The most memory of one app.", "4GB")] = 4 << 30,
    train_seconds_max: Annotated[int, typer.Option(min=1, help="The most for one round.")] = 600,
    store_max: Annotated[int, size_option("The most to keep on disk.", "20GB")] = 20 << 30,
) -> None:
    """Run the worker until Ctrl-C: join what the standing order covers, train, reveal, be paid."""
    from fl_worker.cli.running import locked, log, logged, run_until_told
    from fl_worker.flower.sandbox import Limits
    from fl_worker.roles.standing import StandingOrder

    settings = current()
    options = WorkerOptions(
        bond_uflt=bond,
        payout=find_address(settings, payout) if payout else Address(b""),
        order=StandingOrder(
            requesters=frozenset(read_address(each) for each in trust_requester or ()),
            fab_hashes=frozenset(read_hash(each) for each in trust_app or ()),
            anyone=trust_anyone,
            pay_min_uflt=pay_min,
        ),
        node_config=node_config,
        readable=check_readable(data),
        limits=Limits(memory_bytes_max=memory_max, wall_s_max=float(train_seconds_max)),
        store_bytes=store_max,
    )
    with logged(settings), locked(own_folder(settings)):
        if trust_anyone:
            log.warning(TRUST_WARNING)
        run_until_told(work(settings, options))


async def work(settings: Settings, options: WorkerOptions) -> None:
    """Register, and follow the jobs that are joined."""
    from fl_worker.cli.participant import open_participant
    from fl_worker.cli.running import Wanted, ensure_registered, say_ready
    from fl_worker.roles.agent import follow_all
    from fl_worker.roles.worker import Worker, WorkerConfig

    async with open_participant(settings, options.store_bytes) as me:
        config = WorkerConfig(
            home=me.folder,
            node_config=read_node_config(options.node_config),
            order=options.order,
            limits=options.limits,
            readable=options.readable,
        )
        wanted = Wanted(Role.WORKER, options.bond_uflt, options.payout)
        role = Worker(me.chain, me.store, me.peers, config)
        try:
            say_ready(settings, Role.WORKER, await ensure_registered(me.client, me.signer, wanted))
            await follow_all(me.chain, role)
        finally:
            await role.close()


@app.command()
def join(job: JobArgument) -> None:
    """Offer to train in a job; a worker that runs begins to follow it at once."""
    settings = current()
    found = run(decide(settings, job, is_joining=True))
    value = {"job_id": job, "joined": True, "fab_hash": found.spec.work.fab_hash.hex()}
    show(settings, value, f"Joined job {job}. {PUBLIC_WARNING}", "Train: pollen worker start")


@app.command()
def leave(job: JobArgument) -> None:
    """Stop offering; a round one is drawn for is still owed."""
    settings = current()
    run(decide(settings, job, is_joining=False))
    value = {"job_id": job, "joined": False}
    show(settings, value, f"Left job {job}; a round that is drawn already is still owed.")


async def decide(settings: Settings, job_id: int, *, is_joining: bool) -> Job:
    """Join or leave a job, and remember it for the worker that runs."""
    from fl_worker.cli.participant import find_job, open_participant
    from fl_worker.roles.standing import join, leave

    async with open_participant(settings) as me:
        job = await find_job(me.client, job_id)
        with waiting(settings, "Waiting for a block…"):
            await (join if is_joining else leave)(me.chain, job.job_id)
        return job


@app.command("try")
def try_job(job: JobArgument, node_config: NodeConfigOption = "", data: DataOption = None) -> None:
    """Train a job's app once on your own data, without joining: does it work, what does it need?"""
    settings = current()
    trial, app_hash = run(try_once_here(settings, job, node_config, check_readable(data)))
    value = {"job_id": job, "fab_hash": app_hash, **to_json(trial), "metrics": trial.metrics}
    pairs = {
        "app": app_hash,
        "metrics": ", ".join(f"{name} {number}" for name, number in trial.metrics.items()),
        "examples": trial.example_count,
        "start of the app": f"{trial.load_s:.1f} s",
        "training": f"{trial.train_s:.1f} s",
        "memory": f"{trial.memory_bytes / MIB:.0f} MiB",
        "update": f"{trial.update_bytes:,} bytes",
        "values cut off": trial.saturated_count,
    }
    show(settings, value, facts(f"Job {job} on your data", pairs))


async def try_once_here(
    settings: Settings, job_id: int, node_config: str, readable: tuple[Path, ...]
) -> tuple[Any, str]:
    """Fetch a job's app and newest model, and train once."""
    from dataclasses import replace

    from fl_worker.cli.participant import fetch_app, find_job, open_participant
    from fl_worker.local import try_once
    from fl_worker.roles.decide import is_over

    async with open_participant(settings) as me:
        job = await find_job(me.client, job_id)
        if is_over(job):
            raise Misused(f"job {job_id} is {job.phase.name}: nobody serves its app any more")
        with waiting(settings, "Fetching the app and the model…"):
            app, model = await fetch_app(me, job, read_node_config(node_config))
        with waiting(settings, "Training once…"):
            trial = await try_once(replace(app, readable=readable), model)
    return trial, job.spec.work.fab_hash.hex()


@app.command()
def earnings(
    who: Annotated[
        str, typer.Argument(help="An address or a key. (default: the signing key)")
    ] = "",
) -> None:
    """Show what the newest jobs have paid and still hold back, before the protocol's fee."""
    settings = current()
    found = run(ask_earnings(settings, find_address(settings, who)))
    rows = [
        [job.job_id, job.spec.title, job.phase.name, money(each.paid_uflt), money(each.held_uflt)]
        for job, each in found
    ]
    paid = sum(each.paid_uflt for _, each in found)
    held = sum(each.held_uflt for _, each in found)
    value = {
        "paid_uflt": paid,
        "held_uflt": held,
        "jobs": [
            {"job_id": job.job_id, "phase": job.phase.name, **to_json(each)} for job, each in found
        ],
    }
    rows.append(["", "in all", "", money(paid), money(held)])
    show(settings, value, table("", ["job", "title", "phase", "paid", "held back"], rows))


async def ask_earnings(settings: Settings, who: Address) -> list[tuple[Job, Earning]]:
    """Return what the newest jobs pay an account, where they pay it anything."""
    async with connected(settings) as client:
        jobs = (await client.query(JobsRequest(U64(0), U32(JOBS_SHOWN)))).jobs
        asked = [client.query(EarningsRequest(job.job_id, who)) for job in jobs]
        answers = await asyncio.gather(*asked)
    pairs = [
        (job, each) for job, answer in zip(jobs, answers, strict=True) for each in answer.earnings
    ]
    return [(job, each) for job, each in pairs if each.paid_uflt or each.held_uflt]


def read_node_config(text: str) -> dict[str, Any]:
    """Return a node config, as Flower's SuperNode takes it."""
    from fl_worker.flower.fab import parse_config

    return parse_config(text) if text else {}


def check_readable(paths: list[Path] | None) -> tuple[Path, ...]:
    """Return what apps may read; every path must be there."""
    missing = [path for path in paths or () if not path.exists()]
    if missing:
        raise Misused(f"--data {missing[0]}: no such file or folder")
    return tuple(path.resolve() for path in paths or ())


add_registration_commands(app)
