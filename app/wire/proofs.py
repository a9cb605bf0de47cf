"""Proofs of state as protobuf: the two operations that Cosmos' verifiers expect (ICS-23)."""

from __future__ import annotations

from typing import Any

from cosmpy.protos.cosmos.ics23.v1 import proofs_pb2 as ics23
from cosmpy.protos.tendermint.crypto.proof_pb2 import ProofOp, ProofOps
from google.protobuf.message import DecodeError

from app.kernel.proof import Absence, Existence, ProofRefused, StateProof, Step

ROW_TYPE, MODULE_TYPE = "ics23:iavl", "ics23:simple"


def encode_proof(proof: StateProof) -> ProofOps:
    """Return a proof as the engine hands it out."""
    pairs = ((ROW_TYPE, proof.row), (MODULE_TYPE, proof.module))
    return ProofOps(
        ops=[
            ProofOp(type=kind, key=stage.key, data=commitment(stage).SerializeToString())
            for kind, stage in pairs
        ]
    )


def commitment(stage: Existence | Absence) -> Any:
    """Return one stage of a proof."""
    if isinstance(stage, Existence):
        return ics23.CommitmentProof(exist=existence(stage))
    absence = ics23.NonExistenceProof(
        key=stage.key,
        left=None if stage.left is None else existence(stage.left),
        right=None if stage.right is None else existence(stage.right),
    )
    return ics23.CommitmentProof(nonexist=absence)


def existence(proof: Existence) -> Any:
    """Return the proof of a key that is there."""
    path = [ics23.InnerOp(hash=ics23.SHA256, prefix=s.prefix, suffix=s.suffix) for s in proof.path]
    return ics23.ExistenceProof(
        key=proof.key, value=proof.value, leaf=leaf_op(proof.leaf_head), path=path
    )


def leaf_op(head: bytes) -> Any:
    """Return how a leaf with this head is hashed."""
    return ics23.LeafOp(
        hash=ics23.SHA256,
        prehash_key=ics23.NO_HASH,
        prehash_value=ics23.SHA256,
        length=ics23.VAR_PROTO,
        prefix=head,
    )


def decode_proof(ops: Any) -> StateProof:
    """Return the proof that a node handed out; `ProofRefused` if it is none."""
    if [op.type for op in ops.ops] != [ROW_TYPE, MODULE_TYPE]:
        raise ProofRefused(f"it isn't of the two parts {ROW_TYPE} and {MODULE_TYPE}")
    try:
        row, module = (ics23.CommitmentProof.FromString(op.data) for op in ops.ops)
    except DecodeError as error:
        raise ProofRefused(str(error)) from None
    if row.HasField("nonexist"):
        return StateProof(read_absence(row.nonexist), read_existence(module.exist))
    return StateProof(read_existence(row.exist), read_existence(module.exist))


def read_absence(message: Any) -> Absence:
    """Return the proof of a key that isn't there."""
    sides = (
        read_existence(getattr(message, side)) if message.HasField(side) else None
        for side in ("left", "right")
    )
    return Absence(message.key, *sides)


def read_existence(message: Any) -> Existence:
    """Return the proof of a key that is there; another way of hashing is refused."""
    hashes = {step.hash for step in message.path}
    if message.leaf != leaf_op(message.leaf.prefix) or hashes - {ics23.SHA256}:
        raise ProofRefused("it hashes in another way than the chain")
    path = tuple(Step(step.prefix, step.suffix) for step in message.path)
    return Existence(message.key, message.value, message.leaf.prefix, path)
