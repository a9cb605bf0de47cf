"""Proofs of made-up stores, and every way in which one can be changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from app.kernel.proof import Absence, Existence, StateProof, Step, prove, verify
from app.kernel.store import MemoryStore
from app.kernel.trie import SENTINEL_VALUE, Forest

STORE = b"bank"


class State:
    """Rows of a few modules and their tries."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        others = {b"%s/_" % name: SENTINEL_VALUE for name in (b"auth", b"clock", b"fees", b"jobs")}
        self.rows = {STORE + b"/" + key: value for key, value in rows.items()} | others
        self.store = MemoryStore()
        self.store.write(self.rows)
        self.forest = Forest().apply(self.rows)

    def prove(self, key: bytes) -> StateProof:
        return prove(self.store, self.forest, STORE, key)

    def verify(self, proof: StateProof, key: bytes) -> bytes | None:
        return verify(proof, self.forest.root(), STORE, key)


def a_state(count: int) -> State:
    return State({sha256(b"%d" % at).digest()[: 2 + at % 9]: b"%d" % at for at in range(count)})


def tampered(proof: StateProof) -> Iterator[StateProof]:
    """A proof with one thing in it changed, for each thing."""
    row = proof.row
    yield from (replace(proof, module=each) for each in tampered_way(proof.module))
    if isinstance(row, Existence):
        yield from (replace(proof, row=each) for each in tampered_way(row))
        yield replace(proof, row=Absence(row.key, row, None))
        yield replace(proof, row=Absence(row.key, None, row))
        yield replace(proof, row=Absence(row.key, row, row))
        return
    for side in ("left", "right"):
        neighbour = getattr(row, side)
        if neighbour is not None:
            yield replace(proof, row=replace(neighbour, key=row.key))
            yield replace(proof, row=neighbour)
            yield from (
                replace(proof, row=replace(row, **{side: each})) for each in tampered_way(neighbour)
            )
            if neighbour.path:
                yield replace(proof, row=replace(row, **{side: None}))
    yield replace(proof, row=replace(row, left=row.right, right=row.left))
    yield replace(proof, row=replace(row, left=None, right=None))


def tampered_way(proof: Existence) -> Iterator[Existence]:
    """A way with one thing changed, for each thing."""
    yield replace(proof, value=proof.value + b"\0")
    yield replace(proof, value=proof.value[:-1])
    yield replace(proof, key=proof.key + b"\0")
    yield replace(proof, leaf_head=proof.leaf_head + b"\0")
    yield replace(proof, leaf_head=b"\2" + proof.leaf_head[1:])
    for at, step in enumerate(proof.path):
        others = [
            Step(step.prefix + b"\0", step.suffix),
            Step(b"\1" + step.prefix[1:], step.suffix + b"\0"),
            Step(step.prefix[:-1] + bytes([step.prefix[-1] ^ 1]), step.suffix),
            Step(step.suffix, step.prefix),
        ]
        for other in others:
            yield replace(proof, path=(*proof.path[:at], other, *proof.path[at + 1 :]))
        yield replace(proof, path=proof.path[:at] + proof.path[at + 1 :])
    yield replace(proof, path=(*proof.path, Step(b"", b"")))
