"""A proof by one chunk that a posted model is not what its rule makes of the round's updates.

It opens the chunk of one index in the posted model, in the base and in each update that counts,
every one up to a root on the chain. Whoever verifies computes the chunk anew, clipping by the
revealed norms, with the very functions of `combine`. The rule looks at each value alone, so one
chunk that differs is enough, and where all chunks are right there is none to show.

The opened updates stand in the order in which they are combined: by address, and of those with one
and the same root only the first. The encoding is the record's canonical one; lengths that the claim
tells (values, width, layout, nodes of a path) are not repeated in it. Long proofs travel in parts,
each full but the last, under the hash of the whole.

A root binds a chunk only while its tree is well formed. A root of which no chunk can be opened,
because its sums are false or nobody has its bytes, can't be disproved here: who attested it must be
asked to open it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from app.kernel.frozen import frozen
from app.kernel.record import U64, Address, Malformed, decode, encode
from app.learning.combine import CombineRule, clip_values, combine_chunk, shares_of_identical
from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values
from app.learning.tree import (
    CHUNK_VALUES,
    HASH_BYTES,
    SUM_LIMIT,
    ChunkProof,
    Node,
    find_root,
    sides,
)

PART_BYTES_MAX = 256 * 1024
INDEX_BYTES_MAX = 10  # a varint of 64 bits
LENGTH_BYTES_MAX = 5  # a varint of 32 bits
SUM_BYTES_MAX = -(-(SUM_LIMIT.bit_length() - 1) // 7)  # a varint


class ProofRefused(Exception):
    """A proof that shows nothing: it isn't one, or is about something else than the claim.

    The sentence names the field, its value, the limit and the next step.
    """


@frozen
class RevealedUpdate:
    """An update that a round includes, as its worker revealed it."""

    worker: Address
    update_root: bytes
    sum_squares: int
    example_count: int


@frozen
class AggregateClaim:
    """What the chain knows of a posted model: all that a proof against it is held to."""

    posted_root: bytes
    base_root: bytes
    layout_hash: bytes
    value_count: int
    updates: tuple[RevealedUpdate, ...]
    """All that the round includes, in any order."""
    rule: CombineRule
    trim: int
    norm_max: int
    """The largest L2 norm of an update in fixed point (2^-20); 0: no clipping."""
    example_count_max: int
    """The largest example count that weighs."""


@frozen
class Opening:
    """A chunk, and the siblings from its leaf upwards."""

    chunk: bytes
    path: tuple[Node, ...]


@frozen
class AggregateProof:
    """One chunk of everything that a posted model is made of, and of that model."""

    index: U64
    """The chunk's, from 0."""
    posted: Opening
    base: Opening
    updates: tuple[Opening, ...]
    """Of `counted_updates`, in their order."""


def is_proven_false(claim: AggregateClaim, data: bytes) -> bool:
    """Whether an encoded proof shows that the posted model is false; False: its chunk is right.

    ProofRefused if it shows neither.
    """
    proof = decode_proof(claim, data)
    at, root = proof.index, claim.posted_root
    posted = open_chunk(claim, at, proof.posted, root, name="posted", width=MODEL_WIDTH)
    return posted != compute_chunk(claim, proof)


def compute_chunk(claim: AggregateClaim, proof: AggregateProof) -> list[int]:
    """Return what the rule makes of the opened base and updates; ProofRefused unless all open."""
    at, root = proof.index, claim.base_root
    base = open_chunk(claim, at, proof.base, root, name="base", width=MODEL_WIDTH)
    counted = counted_updates(claim)
    clipped = []
    for number, (update, opening) in enumerate(zip(counted, proof.updates, strict=True)):
        root, name = update.update_root, f"updates[{number}]"
        values = open_chunk(claim, at, opening, root, name=name, width=UPDATE_WIDTH)
        clipped.append(clip_values(values, claim.norm_max, update.sum_squares))
    weights = [update_weight(claim, update) for update in counted]
    try:
        return combine_chunk(claim.rule, base, clipped, weights, claim.trim)
    except ValueError as error:
        raise ProofRefused(
            f"updates: {error}; no model follows from them, so none is false"
        ) from None


def open_chunk(
    claim: AggregateClaim, index: int, opening: Opening, root: bytes, *, name: str, width: int
) -> list[int]:
    """Return the values of the chunk that a root binds at an index; ProofRefused otherwise."""
    chunk, path = opening.chunk, opening.path
    values = min(CHUNK_VALUES, claim.value_count - index * CHUNK_VALUES)
    limits = (
        ("bytes of chunk", len(chunk), values * width),
        ("nodes of path", len(path), path_length(claim, index)),
    )
    for part, length, limit in limits:
        if length != limit:
            raise ProofRefused(
                f"{name}: {length} {part}, the limit is exactly {limit}; "
                f"open chunk {index} as its tree has it"
            )
    found = find_root(ChunkProof(claim.value_count, width, claim.layout_hash, index, chunk, path))
    if found is None or found.root != root:
        shown = found.root.hex() if found else "no root: its squares sum to 2^100 or more"
        raise ProofRefused(
            f"{name}: chunk and path lead to {shown}, the limit is the root {root.hex()} on the "
            f"chain; open chunk {index} of just that vector"
        )
    return decode_values(chunk, width)


def path_length(claim: AggregateClaim, index: int) -> int:
    """Return how many siblings a chunk has on its way up."""
    return len(tuple(sides(index, claim.value_count)))


def counted_updates(claim: AggregateClaim) -> list[RevealedUpdate]:
    """Return the updates that count, in address order: of identical ones the first."""
    updates = sorted(claim.updates, key=lambda update: update.worker)
    firsts = shares_of_identical([(update.worker, update.update_root) for update in updates])
    return [update for update in updates if update.worker in firsts]


def update_weight(claim: AggregateClaim, update: RevealedUpdate) -> int:
    """Return what an update weighs: its example count, capped by the job."""
    return min(update.example_count, claim.example_count_max)


def encode_proof(proof: AggregateProof) -> bytes:
    """Return the one encoding of a proof."""
    return encode(proof)


def decode_proof(claim: AggregateClaim, data: bytes) -> AggregateProof:
    """Return the proof that bytes encode; ProofRefused unless it is one about so many updates."""
    limit = proof_bytes_max(claim)
    if len(data) > limit:
        raise ProofRefused(
            f"proof has {len(data)} bytes, the limit is {limit} for this round; "
            "give one chunk of each vector"
        )
    try:
        proof = decode(AggregateProof, data)
    except Malformed as error:
        raise ProofRefused(
            f"proof of {len(data)} bytes: {error}, the limit is exactly one proof; "
            "encode it as a record"
        ) from None
    chunk_count = -(-claim.value_count // CHUNK_VALUES)
    if proof.index >= chunk_count:
        raise ProofRefused(
            f"index {proof.index}: the limit is below {chunk_count}, the chunks of the model; "
            "count from 0"
        )
    count = len(counted_updates(claim))
    if len(proof.updates) != count:
        raise ProofRefused(
            f"updates: {len(proof.updates)} are opened, the limit is exactly {count}; "
            "open each that counts, in address order, of identical ones the first"
        )
    return proof


def proof_bytes_max(claim: AggregateClaim) -> int:
    """Return how long a proof against a claim can be at most."""
    node = 1 + HASH_BYTES + SUM_BYTES_MAX
    path = LENGTH_BYTES_MAX + path_length(claim, 0) * node  # no path is longer than the first
    models = 2 * (LENGTH_BYTES_MAX + CHUNK_VALUES * MODEL_WIDTH + path)
    update = LENGTH_BYTES_MAX + CHUNK_VALUES * UPDATE_WIDTH + path
    return INDEX_BYTES_MAX + models + LENGTH_BYTES_MAX + len(counted_updates(claim)) * update


def proof_hash(data: bytes) -> bytes:
    """Return the 32 bytes that name an encoded proof while it travels in parts."""
    return sha256(b"pollen/proof" + data).digest()


def split_proof(data: bytes) -> tuple[bytes, ...]:
    """Return the parts of an encoded proof, in order."""
    starts = range(0, len(data), PART_BYTES_MAX)
    return tuple(data[start : start + PART_BYTES_MAX] for start in starts)


def part_count(proof_bytes: int) -> int:
    """Return in how many parts a proof of so many bytes travels."""
    return -(-proof_bytes // PART_BYTES_MAX)


def join_proof(parts: Sequence[bytes], expected_hash: bytes) -> bytes:
    """Return the proof of which these are all parts in order; ProofRefused if they aren't."""
    data = b"".join(parts)
    if tuple(parts) != split_proof(data):
        sizes = ", ".join(str(len(part)) for part in parts)
        raise ProofRefused(
            f"parts of {sizes} bytes: the limit is exactly {PART_BYTES_MAX} each but the last; "
            "cut the proof so"
        )
    if proof_hash(data) != expected_hash:
        raise ProofRefused(
            f"parts: joined they have the hash {proof_hash(data).hex()}, the limit is the "
            f"announced {expected_hash.hex()}; give all parts in order"
        )
    return data
