"""What a dispute is: params, its life, what is said of it, where it is kept."""

from __future__ import annotations

from enum import IntEnum

from app.kernel.crypto import module_address
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.table import Index, Singleton, Table

DISPUTES_ACCOUNT = module_address("disputes")


@frozen
class Params:
    """What a challenge costs, and how long it and how many there may be."""

    deposit_uflt: U64 = U64(10_000_000)
    """What a challenge that is wrong, or not opened, loses."""
    open_s: U32 = U32(120)
    """How long a commitment waits to be opened."""
    parts_s: U32 = U32(120)
    """How long an opened proof may take to arrive; with `open_s` at most the jobs' `dispute_s`."""
    open_max: U32 = U32(16)
    """Open disputes of a round, beyond which only who has a seat in it may challenge."""
    due_per_block_max: U32 = U32(10)
    """Disputes that are due, handled in one block, each part of a proof counted as one more."""


class DisputePhase(IntEnum):
    """The life of a dispute."""

    UNSPECIFIED = 0
    COMMITTED = 1
    OPENED = 2
    """The proof is known by its hash; parts of it are missing."""
    COMPLETE = 3
    """All parts are there; the proof is checked at the end of a block."""
    PROVEN = 4
    """The proof is right; earlier challenges may still be too."""
    UPHELD = 5
    """The round was voided by this proof."""
    REFUTED = 6
    """The proof is wrong; the deposit is the accused's."""
    EXPIRED = 7
    """The proof did not come in time; the deposit is the treasury's."""
    RETURNED = 8
    """Another proof voided the round; the deposit has returned."""


@frozen
class Dispute:
    """One challenge of a round's aggregate."""

    job_id: U64
    round: U32
    dispute_id: U64
    """Over all jobs, in the order of the commitments."""
    challenger: Address
    attempt: U32
    """The aggregator's turn whose model is challenged."""
    commitment: bytes
    deposit_uflt: U64
    phase: DisputePhase = DisputePhase.COMMITTED
    proof_hash: bytes = b""
    part_count: U32 = U32(0)
    received_count: U32 = U32(0)
    deadline_clock_ms: U64 = U64(0)
    """When what is missing must be there."""
    deadline_height: U64 = U64(0)
    due_clock_ms: U64 = U64(0)
    """When the chain looks at it next; 0: it has ended, or waits for an earlier one."""


@frozen
class ProofPart:
    """A part of a proof that isn't whole or checked yet."""

    data: bytes


@frozen
class DisputeCount:
    """How many challenges were committed."""

    count: U64 = U64(0)


@frozen
class ChallengeCommitted:
    """Somebody bound itself to a proof that a round's aggregate is false."""

    job_id: U64
    round: U32
    dispute_id: U64
    challenger: Address
    deposit_uflt: U64


@frozen
class ProofPartAdded:
    """A part of an opened proof arrived; parts are counted from 0."""

    job_id: U64
    round: U32
    dispute_id: U64
    part: U32
    part_count: U32


@frozen
class DisputePhaseChanged:
    """A dispute is in another phase, and why a proof was refuted."""

    job_id: U64
    round: U32
    dispute_id: U64
    challenger: Address
    phase: DisputePhase
    reason: str


PARAMS = Singleton("disputes/params", Params)
COUNT = Singleton("disputes/count", DisputeCount)
DISPUTES = Table("disputes/dispute", key=(U64, U32, U64), record=Dispute)
"""By job, round and number; their history stays."""
PARTS = Table("disputes/part", key=(U64, U32), record=ProofPart)
"""By dispute and part, until the proof is checked."""
OPEN = Index("disputes/open", key=(U64, U32, U64))
"""Disputes that have not ended, by job, round and number."""
CHALLENGERS = Index("disputes/challenger", key=(U64, U32, Address))
"""Who has an open dispute, by job and round."""
DUE = Index("disputes/due", key=(U64, U64, U32, U64))
"""Open disputes by the clock at which the chain looks at them next."""
