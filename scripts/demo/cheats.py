"""Participants that cheat: the processes of the roles, each with one decision replaced.

    python -m scripts.demo.cheats silent worker start …

The rest of the command line is `pollen`'s own. Nothing in the roles knows of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from app.sdk.protocol import (
    AttestAggregate,
    CommitUpdate,
    Job,
    JobStateResponse,
    RevealUpdate,
    RoundState,
    Seat,
    SeatState,
)
from fl_worker import cli
from fl_worker.blobs.cids import BlobFault
from fl_worker.flower.trainer import TrainerConfig, TrainReply
from fl_worker.roles import reader, scorer, worker
from fl_worker.roles.decide import Act, Intent
from fl_worker.roles.reader import ReaderRole
from fl_worker.roles.scorer import Scorer
from fl_worker.roles.worker import Worker
from fl_worker.update.combine import Included, combine

NOISE = 0.25
"""The noise's deviation, as part of that of an array's values: less than what is honestly trained.

More than that is trimmed from each value of the model, and does it no harm.
"""
EXAMPLES_CLAIMED = 1_000
LIE_IN = 4
"""The round whose model is false."""


class Sham:
    """What runs in a worker in place of the job's app: makes an update without any data."""

    warning = ""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self._change = change

    async def start(self, config: TrainerConfig) -> Sham:
        """Start nothing."""
        return self

    async def warm(self) -> float:
        """Be ready."""
        return 0.0

    async def train(self, arrays: Any, config: Any, number: int, state: bytes) -> TrainReply:
        """Return changed arrays, and claim examples."""
        changed = {name: self._change(array) for name, array in arrays.items()}
        return TrainReply(changed, {}, EXAMPLES_CLAIMED, b"", 0.0)

    async def close(self) -> None:
        """End nothing."""


def add_noise(array: Any) -> Any:
    """Return an array with noise on each value that is trained."""
    if not np.issubdtype(array.dtype, np.floating):
        return array
    noise = np.random.default_rng().normal(0, NOISE * array.std(), array.shape)
    return (array + noise).astype(array.dtype)


def train_by(change: Callable[[Any], Any]) -> None:
    """Let a worker change the model in place of training it."""
    setattr(worker, "Trainer", Sham(change))  # noqa: B010


def leave_out(module: Any, decide: str, act: Act) -> None:
    """Let a role never do one act."""
    honest = getattr(module, decide)

    def decide_less(*given: Any, **more: Any) -> Iterator[Intent]:
        return (intent for intent in honest(*given, **more) if intent.act is not act)

    setattr(module, decide, decide_less)


def send_noise() -> None:
    """Train nothing, and send noise."""
    train_by(add_noise)


def send_zeros() -> None:
    """Train nothing, and send an update of zeros."""
    train_by(lambda array: array)


def stay_silent() -> None:
    """Commit to an update and never reveal it."""
    send_zeros()
    leave_out(worker, "decide_worker", Act.REVEAL)


def copy() -> None:
    """Commit to what another has committed to, and reveal what that one reveals."""
    send_zeros()  # to have something in the journal; it is never sent
    setattr(Worker, "_commit", commit_copy)  # noqa: B010
    setattr(Worker, "_reveal", reveal_copy)  # noqa: B010


async def commit_copy(
    self: Worker, view: JobStateResponse, state: RoundState, intent: Intent
) -> None:
    """Commit to the first commitment of another that is seen."""
    me, job_id = self._chain.address, view.job.job_id
    victim = find_victim(state, me, SeatState.COMMITTED)
    message = CommitUpdate(me, job_id, intent.round, victim.commitment)
    await self._chain.submit(job_id, intent, message)


async def reveal_copy(
    self: Worker, view: JobStateResponse, state: RoundState, intent: Intent
) -> None:
    """Reveal word for word what somebody with the same commitment has revealed."""
    me, job_id = self._chain.address, view.job.job_id
    own = next(seat.commitment for seat in state.seats if seat.worker == me)
    victim = find_victim(state, me, SeatState.REVEALED, own)
    message = RevealUpdate(me, job_id, intent.round, victim.reveal)
    await self._chain.submit(job_id, intent, message)


def find_victim(state: RoundState, me: bytes, wanted: SeatState, commitment: bytes = b"") -> Seat:
    """Return another's seat to copy from; BlobFault, and so another attempt, while there is none.

    Without a commitment any of another will do.
    """
    for seat in state.seats:
        is_alike = commitment in (b"", seat.commitment)
        if seat.worker != me and seat.state is wanted and is_alike:
            return seat
    raise BlobFault(f"nobody to copy from is {wanted.name}")


def lie_once() -> None:
    """Post, where it has the first turn in one round, a sum that lacks an update."""
    is_lying = ContextVar("is_lying", default=False)
    honestly = ReaderRole._combine

    def combine_some(rule: Any, base: bytes, updates: Sequence[Included], **terms: Any) -> bytes:
        return combine(rule, base, updates[is_lying.get() :], **terms)

    async def combine_once(self: ReaderRole, view: JobStateResponse, state: RoundState) -> None:
        current = state.round
        is_mine = current.aggregator == self._chain.address and current.aggregate_attempt == 1
        is_lying.set(is_mine and current.round == LIE_IN)
        await honestly(self, view, state)

    setattr(reader, "combine", combine_some)  # noqa: B010
    setattr(ReaderRole, "_combine", combine_once)  # noqa: B010


def attest_unseen() -> None:
    """Attest whatever model is posted."""
    honest = ReaderRole._post_or_attest

    async def attest(self: ReaderRole, job: Job, state: RoundState, intent: Intent) -> None:
        if intent.act is not Act.ATTEST:
            await honest(self, job, state, intent)
            return
        place = self._chain.address, job.job_id, intent.round, intent.attempt
        await self._chain.submit(
            job.job_id, intent, AttestAggregate(*place, state.round.model_root)
        )

    setattr(ReaderRole, "_post_or_attest", attest)  # noqa: B010


def stay_mute() -> None:
    """Commit to scores made up without the app, and never reveal them; attest unseen."""

    async def make_up(self: Scorer, *_: Any) -> tuple[list[int], list[int]]:
        return [0], []

    setattr(Scorer, "_score", make_up)  # noqa: B010
    leave_out(scorer, "decide_scorer", Act.REVEAL_SCORES)
    leave_out(reader, "decide_app", Act.WARM)
    attest_unseen()


BEHAVIOURS = {
    "silent": stay_silent,
    "noise": send_noise,
    "zeros": send_zeros,
    "copier": copy,
    "liar": lie_once,
    "lazy": attest_unseen,
    "mute": stay_mute,
}


def main() -> None:
    """Replace a decision, and run the command line."""
    BEHAVIOURS[sys.argv.pop(1)]()
    cli.main()


if __name__ == "__main__":
    main()
