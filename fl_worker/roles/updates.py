"""A round's base and the updates that count, held against their roots on the chain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from app.sdk.protocol import (
    MODEL_WIDTH,
    UPDATE_WIDTH,
    JobStateResponse,
    RoundState,
    Seat,
    SeatState,
    shares_of_identical,
)
from fl_worker.blobs.cids import BlobFault
from fl_worker.blobs.permit import RoundTag
from fl_worker.roles.peers import Peers
from fl_worker.update.combine import Included
from fl_worker.update.tree import tree_root


async def read_base(peers: Peers, view: JobStateResponse, state: RoundState) -> bytes:
    """Return the model that a round trained on; BlobFault unless it has the chain's root."""
    current = state.round
    tag = RoundTag(view.job.job_id, current.round)
    base = await peers.read(current.base, tag, peers.endpoints(view, state))
    layout_hash = view.job.spec.work.layout_hash
    await asyncio.to_thread(require_root, base, MODEL_WIDTH, layout_hash, current.base_root)
    return base


async def read_result(peers: Peers, view: JobStateResponse) -> bytes:
    """Return the model that a job's last round left; BlobFault unless it has the chain's root."""
    job, layout_hash = view.job, view.job.spec.work.layout_hash
    model = await peers.read(job.model, RoundTag(job.job_id, 0), peers.last_endpoints(view))
    await asyncio.to_thread(require_root, model, MODEL_WIDTH, layout_hash, job.model_root)
    return model


async def read_updates(
    peers: Peers, view: JobStateResponse, state: RoundState, known: Collection[int] = ()
) -> list[Included]:
    """Return the updates that count, in address order; BlobFault unless they have their roots.

    Those of the seats in `known` were found right before.
    """
    job, tag = view.job, RoundTag(view.job.job_id, state.round.round)
    endpoints = peers.endpoints(view, state)
    updates = []
    for seat in counted_seats(state):
        reveal = seat.reveal
        data = await peers.read(reveal.blob, tag, endpoints)
        if seat.seat not in known:
            layout_hash = job.spec.work.layout_hash
            await asyncio.to_thread(
                require_root, data, UPDATE_WIDTH, layout_hash, reveal.update_root
            )
        weight = min(reveal.example_count, job.spec.combination.example_count_max)
        updates.append(Included(data, reveal.sum_squares, weight))
    return updates


def counted_seats(state: RoundState) -> list[Seat]:
    """Return the included seats that count, in address order; the same update counts once."""
    included = sorted(
        (seat for seat in state.seats if seat.state == SeatState.INCLUDED),
        key=lambda seat: seat.worker,
    )
    first = shares_of_identical([(seat.worker, seat.reveal.update_root) for seat in included])
    return [seat for seat in included if seat.worker in first]


def require_root(data: bytes, width: int, layout_hash: bytes, root: bytes) -> None:
    """Raise BlobFault unless bytes have the root on the chain.

    A model made of others could be proven false, however honestly it was computed, and what is
    measured of others says nothing.
    """
    found = tree_root(data, width, layout_hash).root
    if found != root:
        raise BlobFault(
            f"{len(data)} bytes have the root {found.hex()}, the chain has {root.hex()}; "
            "not used, since what is made of them would be false"
        )
