"""A commitment hides a payload until it is revealed, and binds it to one place on one chain.

It is the SHA-256 over every part behind its length (u32, big-endian), so that it can't be copied,
replayed or completed later. The payload carries a salt of 32 random bytes, or it could be guessed.
"""

from __future__ import annotations

from hashlib import sha256

from app.kernel.record import Address

UPDATE_COMMITMENT = b"update"
SCORE_COMMITMENT = b"score"
MEASUREMENT_COMMITMENT = b"measurement"
CHALLENGE_COMMITMENT = b"challenge"
"""Its payload is a proof's hash and a salt."""


def commitment(
    domain: bytes,
    chain_id: str,
    job_id: int,
    round: int,
    attempt: int,
    *,
    account: Address,
    payload: bytes,
) -> bytes:
    """Return the 32 bytes with which an account commits to a payload in one attempt of a round."""
    numbers = job_id.to_bytes(8, "big"), round.to_bytes(4, "big"), attempt.to_bytes(4, "big")
    parts = (domain, chain_id.encode("utf-8"), *numbers, account, payload)
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
