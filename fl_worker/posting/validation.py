"""A job's validation set: cut, sealed and named for the chain, and tried with the job's app."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from app.sdk.protocol import Slice
from fl_worker.blobs.sealing import Sealed, seal
from fl_worker.flower.errors import AppFailed, FlowerError
from fl_worker.posting.spec import blob_on_chain
from fl_worker.scoring.bench import VALIDATION_PLACE, Bench, Measured
from fl_worker.scoring.slices import cut_slices


@dataclass(frozen=True, slots=True)
class Validation:
    """A validation set's slices, plain and sealed, and how the chain names them."""

    plain: tuple[bytes, ...]
    sealed: tuple[Sealed, ...]
    slices: tuple[Slice, ...]

    @property
    def keys(self) -> dict[str, bytes]:
        """The content keys by the CID of what they open."""
        pairs = zip(self.slices, self.sealed, strict=True)
        return {each.sealed.cid: sealed.key for each, sealed in pairs}


def seal_validation(folder: Path) -> Validation:
    """Cut a validation set into slices and seal each; BadValidation says what it lacks."""
    plain = cut_slices(folder)
    sealed = tuple(map(seal, plain))
    slices = tuple(
        Slice(sha256(data).digest(), blob_on_chain(each.data))
        for data, each in zip(plain, sealed, strict=True)
    )
    return Validation(plain, sealed, slices)


async def try_validation(measured: Measured, model: bytes, slices: Sequence[bytes]) -> float:
    """Return the metric of a model on a validation set; FlowerError unless evaluate reads it.

    It reads it if without it it fails, or says something else.
    """
    work = measured.spec.work
    if not work.metric:
        raise FlowerError("--validation: nothing is measured; give --metric and --metric-direction")
    if VALIDATION_PLACE not in work.evaluator_node_config:
        raise FlowerError(
            f"--evaluator-node-config {work.evaluator_node_config!r} has no {VALIDATION_PLACE}; "
            "put it where the app takes the folder"
        )
    bench, without = await Bench.start(measured), None
    try:
        async with bench.lay_out(slices):
            value = await bench.measure(model, 1)
        with suppress(AppFailed):
            async with bench.lay_out(()):
                without = await bench.measure(model, 1)
    finally:
        await bench.close()
    if without == value:
        raise FlowerError(
            f"evaluate gives the {work.metric} {value} with the validation set and without: it "
            f"doesn't read {VALIDATION_PLACE}. Let it read the folder that its node config "
            f"names, now {work.evaluator_node_config}, or name it as the app does with "
            "--evaluator-node-config"
        )
    return value
