"""`pollen job model` and `verify`: what came of a job, held against what the chain says."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.sdk.protocol import (
    MODEL_WIDTH,
    U32,
    U64,
    Blob,
    Job,
    JobStateRequest,
    JobStateResponse,
    RoundPhase,
    RoundRequest,
    RoundState,
)
from fl_worker.cli.output import facts, show, waiting
from fl_worker.cli.session import run
from fl_worker.cli.settings import Misused, current
from fl_worker.cli.typed import JobArgument

if TYPE_CHECKING:
    from fl_worker.cli.participant import Participant
    from fl_worker.update.layout import Array

RoundOption = Annotated[
    int | None, typer.Option("--round", min=1, help="A round's. (default: the newest that stands)")
]


def model(
    job: JobArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A .pt or .npz file. (default: job-JOB.pt, or .npz)"),
    ] = None,
    number: RoundOption = None,
) -> None:
    """Download a job's model, hold it against the chain, and write what PyTorch or numpy loads."""
    settings = current()
    has_torch = find_spec("torch") is not None
    path = out or Path(f"job-{job}.pt" if has_torch else f"job-{job}.npz")
    if path.suffix not in (".pt", ".npz"):
        raise Misused(f"--out {path}: end it in .pt (a PyTorch state_dict) or .npz (numpy)")
    if path.suffix == ".pt" and not has_torch:
        raise Misused(f"--out {path}: PyTorch isn't installed; write an .npz file")

    async def fetch() -> tuple[dict[str, Array], bytes]:
        from fl_worker.cli.participant import open_participant

        async with open_participant(settings) as me:
            with waiting(settings, "Fetching the model…"):
                return await fetch_model(me, job, number)

    arrays, root = run(fetch())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(path, arrays)
    value = {"job_id": job, "file": str(path), "model_root": root.hex(), "arrays": len(arrays)}
    words = f"Wrote {len(arrays)} arrays to {path}; their root is the chain's, {root.hex()}"
    show(settings, value, words)


async def fetch_model(
    me: Participant, job_id: int, number: int | None
) -> tuple[dict[str, Array], bytes]:
    """Return a job's newest model, or a round's, and its root; Misused if it isn't that model."""
    from dataclasses import replace

    from fl_worker.cli.participant import find_job, read_model
    from fl_worker.update.quantize import from_model
    from fl_worker.update.tree import tree_root

    job = await find_job(me.client, job_id)
    if number is not None:
        this = (await me.client.query(RoundRequest(U64(job_id), U32(number)))).state.round
        if not this.model_root:
            raise Misused(f"round {number} has no model yet; it is {this.phase.name.lower()}")
        job = replace(job, model=this.model, model_root=this.model_root)
    data, layout = await read_model(me, job)
    if layout.hash != job.spec.work.layout_hash:
        raise Misused(f"the layout of job {job_id} isn't the one that its spec names")
    root = tree_root(data, MODEL_WIDTH, layout.hash).root
    if root != job.model_root:
        raise Misused(
            f"the model's root is {root.hex()}, the chain's is {job.model_root.hex()}: whoever "
            "posted it served other bytes; don't use it"
        )
    return from_model(data, layout), root


def write_arrays(path: Path, arrays: dict[str, Array]) -> None:
    """Write named arrays: a state_dict where the name ends in .pt, else numpy's archive."""
    if path.suffix == ".npz":
        import numpy as np

        np.savez(path, **arrays)  # type: ignore[arg-type]
        return
    import torch

    torch.save({name: torch.from_numpy(array.copy()) for name, array in arrays.items()}, path)


def verify(job: JobArgument, number: RoundOption = None) -> None:
    """Recompute a round's model from its updates, as far as the readers still serve them."""
    settings = current()

    async def recompute() -> tuple[RoundState, bytes]:
        from fl_worker.cli.participant import open_participant

        async with open_participant(settings) as me:
            view = await me.client.query(JobStateRequest(U64(job)))
            state = await choose_round(me, view, number)
            with waiting(settings, f"Fetching the updates of round {state.round.round}…"):
                return state, await recompute_root(me, view, state)

    state, root = run(recompute())
    this = state.round
    if root != this.model_root:
        raise Misused(
            f"round {this.round} of job {job} is false: its updates give {root.hex()}, posted and "
            f"attested was {this.model_root.hex()}"
        )
    value = {"job_id": job, "round": this.round, "model_root": root.hex(), "is_right": True}
    pairs = {"updates": this.included_count, "model root": root.hex()}
    show(settings, value, facts(f"Round {this.round} of job {job} is right", pairs))


async def choose_round(me: Participant, view: JobStateResponse, number: int | None) -> RoundState:
    """Return the round that is asked for, or the newest that has a model."""
    states: tuple[RoundState, ...] = view.rounds
    if number is not None:
        request = RoundRequest(view.job.job_id, U32(number))
        states = ((await me.client.query(request)).state,)
    done = [s for s in states if s.round.phase in (RoundPhase.CHALLENGE, RoundPhase.SETTLED)]
    if not done:
        raise Misused(f"job {view.job.job_id} has no such round with a model that stands")
    return max(done, key=lambda state: state.round.round)


async def recompute_root(me: Participant, view: JobStateResponse, state: RoundState) -> bytes:
    """Return the root of the model that a round's included updates give."""
    from fl_worker.blobs.permit import RoundTag
    from fl_worker.blobs.transfer import FetchFailed
    from fl_worker.roles.updates import counted_seats
    from fl_worker.update.combine import Included, combine
    from fl_worker.update.tree import tree_root

    job: Job = view.job
    tag = RoundTag(job.job_id, state.round.round)

    async def read(blob: Blob) -> bytes:
        try:
            return await me.peers.read(blob, tag)
        except FetchFailed as error:
            raise Misused(
                f"round {state.round.round}: readers drop a round's bytes once it is settled, and "
                f"these can't be had any more ({error})"
            ) from None

    base = await read(state.round.base)
    combination = job.spec.combination
    updates = [
        Included(
            await read(seat.reveal.blob),
            seat.reveal.sum_squares,
            min(seat.reveal.example_count, combination.example_count_max),
        )
        for seat in counted_seats(state)
    ]
    found = combine(
        combination.rule,
        base,
        updates,
        trim=combination.trim_count,
        norm_max=combination.norm_max,
    )
    return tree_root(found, MODEL_WIDTH, job.spec.work.layout_hash).root
