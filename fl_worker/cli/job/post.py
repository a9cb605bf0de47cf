"""`pollen job post`, `push` and `try`: from a Flower app's folder to a job, or a job here alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import typer
from typer.core import TyperOption

from app.sdk.protocol import (
    SCORING,
    U32,
    U64,
    Address,
    JobSpec,
    PostJob,
    RegistrationsRequest,
    Role,
)
from fl_worker.cli.output import facts, money, show, table, to_json, waiting
from fl_worker.cli.session import run
from fl_worker.cli.settings import Misused, Settings, current
from fl_worker.cli.typed import AppArgument, JobArgument, YesOption, amount_option
from fl_worker.cli.worker import NodeConfigOption, read_node_config
from fl_worker.posting import choices

if TYPE_CHECKING:
    from fl_worker.cli.participant import Participant
    from fl_worker.local import LocalApp, LocalRound, Trial
    from fl_worker.posting.bundle import Bundle
    from fl_worker.posting.cost import Cost
    from fl_worker.posting.push import Reached
    from fl_worker.posting.validation import Validation

CHOSEN = "chosen"
PANELS = {
    "The job": choices.WORK,
    "Rounds": choices.SCHEDULE,
    "Who may join": choices.ADMISSION,
    "Combining": choices.COMBINATION,
    "Pay and bonds": choices.PAY,
}
READERS_SHOWN = U32(1_000)
MIB = 1 << 20

SpecOption = Annotated[
    Path | None, typer.Option("--spec", help="Fields of the spec: a TOML or JSON file.")
]
RunConfigOption = Annotated[
    str, typer.Option(help='Keys of the app\'s config, such as "learning-rate=0.1".')
]
NetworkOption = Annotated[
    bool, typer.Option("--network", help="The ServerApp may use the network, to fetch a model.")
]
ValidationOption = Annotated[
    Path | None,
    typer.Option(help="Your validation set: a folder of files, or of slice-0 to slice-9."),
]


@dataclass(frozen=True, slots=True)
class Terms:
    """For how much a job is posted, and what is done before; no node config: no trial."""

    budget_uflt: int
    node_config: str | None
    is_sure: bool
    validation: Validation | None


def post(
    app_dir: AppArgument,
    *,
    budget: Annotated[int, amount_option("What the whole job may pay.")],
    run_config: RunConfigOption = "",
    spec: SpecOption = None,
    validation: ValidationOption = None,
    try_node_config: Annotated[
        str | None, typer.Option(help="Train once here before posting, with this node config.")
    ] = None,
    network: NetworkOption = False,
    yes: YesOption = False,
) -> None:
    """Post a Flower app as a job: bundle it, record its ServerApp, show the cost, ask, push."""
    settings = current()
    if settings.is_json and not yes:
        raise Misused("--output json asks nothing: say --yes to post at once")
    chosen, sealed = read_chosen(spec), seal_folder(validation)
    bundle = run(make_bundle(settings, app_dir, run_config, network))
    run(post_bundle(settings, bundle, chosen, Terms(budget, try_node_config, yes, sealed)))


def seal_folder(folder: Path | None) -> Validation | None:
    """Cut and seal the validation set in a folder, if there is one."""
    from fl_worker.posting.validation import seal_validation

    return seal_validation(folder) if folder else None


async def make_bundle(
    settings: Settings, app_dir: Path, run_config: str, has_network: bool
) -> Bundle:
    """Bundle an app and run its ServerApp."""
    from fl_worker.flower.recorder import RecorderConfig
    from fl_worker.posting.bundle import make_bundle

    overrides = read_node_config(run_config)
    with waiting(settings, "Recording what the ServerApp sends…"):
        return await make_bundle(
            app_dir.resolve(), RecorderConfig(overrides=overrides, has_network=has_network)
        )


async def post_bundle(
    settings: Settings, bundle: Bundle, chosen: dict[str, Any], terms: Terms
) -> None:
    """Check that a job can run, show what it costs, ask, post it, and push its bytes."""
    from fl_worker.cli.participant import open_participant
    from fl_worker.posting.push import keep_bundle
    from fl_worker.posting.spec import make_spec

    validation = terms.validation
    spec = make_spec(bundle, with_slices(chosen, validation))
    async with open_participant(settings) as me:
        message = PostJob(me.signer.address, spec, U64(terms.budget_uflt))
        cost = await find_cost(me, message)
        trial, baseline = None, None
        if validation:
            with waiting(settings, "Measuring the first model…"):
                baseline = await measure_here(bundle, spec, validation)
        if terms.node_config is not None:
            with waiting(settings, "Training once…"):
                trial = await try_here(bundle, spec, terms.node_config)
        if not settings.is_json:
            show(settings, None, *describe_offer(bundle, spec, cost, trial))
            if validation:
                show(settings, None, describe_validation(spec, baseline))
            show(settings, None, *await warn_of_readers(me, spec, cost))
        if not terms.is_sure and not typer.confirm(f"Post it for {money(cost.total_uflt)}?"):
            raise click.Abort
        keep_bundle(
            bundle, [each.data for each in validation.sealed] if validation else (), me.store
        )
        if validation:
            me.chain.journal.save_slice_keys(validation.keys)
        with waiting(settings, "Waiting for a block…"):
            outcome = await me.client.submit(me.signer, [message])
        job_id = outcome.responses[0].job_id
        reached = await push_all(settings, me, job_id, spec)
    value = {
        "job_id": job_id,
        "tx_hash": outcome.hash,
        "cost": to_json(cost),
        "notes": list(bundle.recording.notes),
        "trial": to_json(trial) if trial else None,
        "first_metric": baseline,
        "readers": to_json(reached),
    }
    show(settings, value, f"Posted job {job_id}.", *describe_reached(reached))
    check_reached(reached, job_id)
    if not settings.is_json:
        show(settings, None, f"Follow it: pollen job watch {job_id}")
        if spec.pay.contribution in SCORING:
            show(settings, None, "Grant the evaluators its slices: pollen job serve")


def with_slices(chosen: dict[str, Any], validation: Validation | None) -> dict[str, Any]:
    """Return what was chosen, with a validation set's slices."""
    return chosen | {"work.validation_slices": validation.slices} if validation else chosen


async def measure_here(bundle: Bundle, spec: JobSpec, validation: Validation) -> float:
    """Return the metric of a bundle's first model on a validation set that evaluate reads."""
    from fl_worker.flower.fab import install_fab
    from fl_worker.posting.validation import try_validation
    from fl_worker.scoring.bench import Measured

    with tempfile.TemporaryDirectory(prefix="pollen-try-") as folder:
        app_dir = install_fab(bundle.fab.data, Path(folder))
        measured = Measured(app_dir, spec, bundle.layout)
        return await try_validation(measured, bundle.base, validation.plain)


def describe_validation(spec: JobSpec, metric: float | None) -> str:
    """Return what the first model is worth, for who sets a threshold."""
    return f"The first model's {spec.work.metric} on the validation set is {metric:.6g}."


def push(job: JobArgument) -> None:
    """Push a job's app, layout, first model and sealed slices to the readers again."""
    settings = current()

    async def push_again() -> list[Reached]:
        from fl_worker.cli.participant import find_job, open_participant

        async with open_participant(settings) as me:
            return await push_all(settings, me, job, (await find_job(me.client, job)).spec)

    reached = run(push_again())
    show(settings, {"job_id": job, "readers": to_json(reached)}, *describe_reached(reached))
    check_reached(reached, job)


def try_app(
    app_dir: AppArgument,
    *,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many, each a process.")] = 3,
    node_config: NodeConfigOption = "",
    run_config: RunConfigOption = "",
    spec: SpecOption = None,
    validation: ValidationOption = None,
    network: NetworkOption = False,
) -> None:
    """Run the whole job on this machine alone, without a chain, and show each round."""
    settings = current()
    chosen, sealed = read_chosen(spec), seal_folder(validation)
    bundle = run(make_bundle(settings, app_dir, run_config, network))
    node_configs = make_node_configs(node_config, workers)
    run(try_bundle(settings, bundle, with_slices(chosen, sealed), (node_configs, sealed)))


def make_node_configs(text: str, workers: int) -> tuple[dict[str, Any], ...]:
    """Return each worker's node config: the same, and which part of the data it has."""
    given = read_node_config(text)
    return tuple(
        {"partition-id": number, "num-partitions": workers, **given} for number in range(workers)
    )


async def try_bundle(
    settings: Settings,
    bundle: Bundle,
    chosen: dict[str, Any],
    data: tuple[tuple[dict[str, Any], ...], Validation | None],
) -> None:
    """Run a job's rounds here on workers' data, score them, and show them as they end."""
    from rich.console import Console

    from fl_worker.local import run_job
    from fl_worker.posting.spec import make_spec

    spec, (node_configs, validation) = make_spec(bundle, chosen), data
    is_scored = spec.pay.contribution in SCORING
    if is_scored and validation is None:
        raise Misused("a round is scored on a validation set; name it: --validation FOLDER")
    rounds: list[LocalRound] = []
    with tempfile.TemporaryDirectory(prefix="pollen-try-") as folder:
        app = install_here(bundle, spec, node_configs, Path(folder))
        if is_scored and validation is not None:
            await measure_here(bundle, spec, validation)
            app = replace(app, validation=validation.plain)
        with Console(stderr=True).status("Starting the workers…") as status:
            async for each in run_job(app, bundle.base):
                rounds.append(each)
                words = f"round {each.number} of {spec.schedule.round_count}: "
                status.update(words + write_metrics(each.evaluate_metrics))
    value = [
        {name: part for name, part in to_json(each).items() if name != "model"} for each in rounds
    ]
    worth = ["contribution of each worker"] if is_scored else []
    columns = ["round", "training", "evaluation", *worth, "cut off", "seconds"]
    rows = [
        [
            each.number,
            write_metrics(each.train_metrics),
            write_metrics(each.evaluate_metrics),
            *([write_contributions(each)] if is_scored else []),
            each.saturated_count,
            f"{each.elapsed_s:.2f}",
        ]
        for each in rounds
    ]
    show(settings, {"rounds": value}, table("", columns, rows))


def install_here(
    bundle: Bundle, spec: JobSpec, node_configs: tuple[dict[str, Any], ...], folder: Path
) -> LocalApp:
    """Install a bundle as a worker does."""
    from fl_worker.flower.fab import install_fab
    from fl_worker.local import LocalApp

    return LocalApp(install_fab(bundle.fab.data, folder), spec, bundle.layout, node_configs)


async def try_here(bundle: Bundle, spec: JobSpec, node_config: str) -> Trial:
    """Train a bundle's first model once."""
    from fl_worker.local import try_once

    with tempfile.TemporaryDirectory(prefix="pollen-try-") as folder:
        app = install_here(bundle, spec, (read_node_config(node_config),), Path(folder))
        return await try_once(app, bundle.base)


async def find_cost(me: Participant, message: PostJob) -> Cost:
    """Return what a job costs; the chain's refusal if it can't be posted so."""
    from app.sdk.protocol import JobsParamsRequest, PayoutsParamsRequest, RoundsParamsRequest
    from fl_worker.posting.cost import ChainParams, compute_cost

    requests = (JobsParamsRequest(), PayoutsParamsRequest(), RoundsParamsRequest())
    params = ChainParams(*[(await me.client.query(request)).params for request in requests])
    fee = await me.client.estimate_fee(me.signer, [message])
    return compute_cost(message.spec, message.budget_uflt, fee.amount_uflt, params)


async def warn_of_readers(me: Participant, spec: JobSpec, cost: Cost) -> list[str]:
    """Return what to know if there are too few readers with enough bond now."""
    words = []
    for role, needed, bond in (
        (Role.AGGREGATOR, 1, cost.aggregator_bond_uflt),
        (Role.EVALUATOR, spec.evaluator_count, cost.evaluator_bond_uflt),
    ):
        request = RegistrationsRequest(role, Address(b""), READERS_SHOWN)
        found = (await me.client.query(request)).registrations
        able = [r for r in found if not r.paused and r.bonded_uflt - r.locked_uflt >= bond]
        if len(able) < needed:
            name = role.name.lower()
            words.append(
                f"Note: {len(able)} {name}s have {money(bond)} of bond free now; a round wants "
                f"{needed}. Lower --budget, or wait for more."
            )
    return words


async def push_all(
    settings: Settings, me: Participant, job_id: int, spec: JobSpec
) -> list[Reached]:
    """Push a job's bytes to every registered reader."""
    from fl_worker.posting.push import push_work

    endpoints = await me.peers.all_endpoints()
    with waiting(settings, f"Pushing to {len(endpoints)} readers…"):
        return await push_work(spec.work, job_id, endpoints, me.pusher)


def check_reached(reached: Sequence[Reached], job_id: int) -> None:
    """Fail unless some reader holds everything."""
    if not any(not each.error for each in reached):
        reason = reached[0].error if reached else "no reader is registered"
        raise Misused(
            f"job {job_id} is posted, but no reader took its bytes ({reason}); "
            f"push them again: pollen job push {job_id}"
        )


def describe_offer(
    bundle: Bundle, spec: JobSpec, cost: Cost, trial: Trial | None
) -> tuple[Any, ...]:
    """Return what is posted and what it costs, as tables."""
    schedule = spec.schedule
    app = {
        "app": f"{bundle.fab.publisher}/{bundle.fab.name} {bundle.fab.version}",
        "bundle": f"{len(bundle.fab.data):,} bytes, {bundle.fab.sha256.hex()}",
        "model": f"{bundle.layout.value_count:,} values in {len(bundle.layout.arrays)} arrays",
        "rounds": f"{schedule.round_count} of {schedule.cohort_size} workers, "
        f"at least {schedule.cohort_size_min}, {schedule.reserve_count} in reserve",
        "combined by": spec.combination.rule.name.lower(),
    }
    if trial:
        app["one training"] = (
            f"{trial.train_s:.1f} s, {trial.memory_bytes / MIB:.0f} MiB, "
            f"{trial.update_bytes:,} bytes, {write_metrics(trial.metrics)}"
        )
    earned = [
        ["a worker", schedule.cohort_size, money(cost.worker_uflt), money(cost.worker_bond_uflt)],
        ["the aggregator", 1, money(cost.aggregator_uflt), money(cost.aggregator_bond_uflt)],
        [
            *("an evaluator", spec.evaluator_count),
            *(money(cost.evaluator_uflt), money(cost.evaluator_bond_uflt)),
        ],
        ["a reserve", schedule.reserve_count, money(cost.reserve_uflt), ""],
    ]
    paid = {
        "budget": f"{money(cost.budget_uflt)} into escrow; what isn't earned returns",
        "posting": f"{money(cost.posting_cost_uflt)} burned",
        "transaction": f"{money(cost.tx_fee_uflt)} at most",
        "a round's pool": money(cost.pool_uflt),
        "held back": f"{money(cost.held_back_uflt)} of it, until you accept",
        "protocol fee": f"{money(cost.protocol_fee_uflt)} of it",
        "in all": money(cost.total_uflt),
    }
    notes = [f"Note: {note}." for note in bundle.recording.notes]
    columns = ["in a round", "how many", "each earns", "each locks"]
    return facts("The job", app), table("", columns, earned), facts("The cost", paid), *notes


def describe_reached(reached: Sequence[Reached]) -> list[Any]:
    """Return which readers hold a job's bytes."""
    rows = [[each.endpoint, each.error or "holds it"] for each in reached]
    return [table("", ["reader", ""], rows)]


def write_metrics(metrics: Any) -> str:
    """Write metrics in one line."""
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    return " ".join(f"{name} {value:.4g}" for name, value in sorted(numbers.items()))


def write_contributions(this: LocalRound) -> str:
    """Write what each worker's update was worth in one line."""
    pairs = sorted(this.contributions_millionths.items())
    return " ".join(f"{worker}: {value / 1e6:+.4g}" for worker, value in pairs)


def add_choices(command: click.Command) -> None:
    """Give a command the options of a job's spec."""
    command.params += [
        TyperOption(
            param_decls=[choice.flag, choice.flag.removeprefix("--").replace("-", "_")],
            help=choice.text + (f" (default: {choice.default})" if choice.default else ""),
            expose_value=False,
            callback=remember(choice.path),
            rich_help_panel=panel,
            show_default=False,
        )
        for panel, group in PANELS.items()
        for choice in group
    ]


def remember(path: str) -> Any:
    """Return what keeps a field's text until it is read."""

    def keep(context: click.Context, _: click.Parameter, value: str | None) -> None:
        chosen = context.find_root().ensure_object(dict).setdefault(CHOSEN, {})
        if value is not None:
            chosen[path] = value

    return keep


def read_chosen(spec: Path | None) -> dict[str, Any]:
    """Return what was chosen of the spec: on the command line, else in the file."""
    given = click.get_current_context().find_root().obj[CHOSEN]
    from_file = choices.read_file(spec) if spec else {}
    return {**from_file, **choices.read_choices(given, "the command line")}
