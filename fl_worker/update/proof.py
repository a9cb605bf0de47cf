"""Finding what is false in a posted model, and proving it to the chain by one chunk."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.sdk.protocol import (
    CHUNK_VALUES,
    MODEL_WIDTH,
    U64,
    UPDATE_WIDTH,
    Address,
    AggregateClaim,
    AggregateProof,
    Opening,
    counted_updates,
    encode_proof,
    find_root,
    update_weight,
)
from fl_worker.update.combine import Included, combine
from fl_worker.update.tree import chunk_proof


class WrongRoot(ValueError):
    """Bytes that don't have their root on the chain, so that nothing can be shown of it."""


def prove_false(
    claim: AggregateClaim, base: bytes, updates: Mapping[Address, bytes], posted: bytes
) -> bytes | None:
    """Return the encoded proof of the first false chunk; None: the posted model is right.

    `updates` has the bytes of each worker whose update counts. WrongRoot names what doesn't have
    its root; ValueError if the rule can't combine these.
    """
    included = {
        update: Included(updates[update.worker], update.sum_squares, update_weight(claim, update))
        for update in counted_updates(claim)
    }
    terms = {"trim": claim.trim, "norm_max": claim.norm_max}
    index = find_false_chunk(combine(claim.rule, base, [*included.values()], **terms), posted)

    def open_at(data: bytes, root: bytes, width: int, name: str) -> Opening:
        proof = chunk_proof(data, width, claim.layout_hash, index or 0)
        found = find_root(proof)
        if found is None or found.root != root:
            shown = found.root.hex() if found else "none"
            raise WrongRoot(
                f"{name}: these bytes have the root {shown}, the limit is {root.hex()} on the "
                "chain; fetch them from another reader"
            )
        return Opening(proof.chunk, proof.path)

    proof = AggregateProof(
        U64(index or 0),
        open_at(posted, claim.posted_root, MODEL_WIDTH, "the posted model"),
        open_at(base, claim.base_root, MODEL_WIDTH, "the base model"),
        tuple(
            open_at(each.update, update.update_root, UPDATE_WIDTH, f"updates[{number}]")
            for number, (update, each) in enumerate(included.items())
        ),
    )
    return None if index is None else encode_proof(proof)


def find_false_chunk(model: bytes, posted: bytes) -> int | None:
    """Return the first chunk, from 0, in which a posted model isn't the right one, or None.

    WrongRoot if they differ in length.
    """
    if len(posted) != len(model):
        raise WrongRoot(
            f"the posted model: {len(posted)} bytes, the limit is exactly {len(model)}; "
            "fetch it from another reader"
        )
    differing = np.flatnonzero(np.frombuffer(model, "<i8") != np.frombuffer(posted, "<i8"))
    return int(differing[0]) // CHUNK_VALUES if differing.size else None
