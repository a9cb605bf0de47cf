"""A commitment binds every part, and no part can lend a byte to its neighbour."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from app.kernel.record import Address
from app.learning.commitment import CHALLENGE_COMMITMENT, UPDATE_COMMITMENT, commitment

PARTS: dict[str, Any] = {
    "domain": UPDATE_COMMITMENT,
    "chain_id": "pollen-1",
    "job_id": 7,
    "round": 3,
    "attempt": 1,
    "account": Address(b"\x11" * 20),
    "payload": b"reveal and salt",
}
CHALLENGE = {"domain": CHALLENGE_COMMITMENT, "payload": b"\x01" * 32 + b"\x02" * 32}
"""A proof's hash and a salt."""


def commit(**changes: Any) -> bytes:
    """The commitment over PARTS with these changed."""
    return commitment(**(PARTS | changes))


def test_it_is_the_hash_of_every_part_behind_its_length() -> None:
    content = b"\x00\x00\x00\x06update\x00\x00\x00\x08pollen-1"
    content += b"\x00\x00\x00\x08" + (7).to_bytes(8, "big")
    content += b"\x00\x00\x00\x04" + (3).to_bytes(4, "big")
    content += b"\x00\x00\x00\x04" + (1).to_bytes(4, "big")
    content += b"\x00\x00\x00\x14" + b"\x11" * 20 + b"\x00\x00\x00\x0freveal and salt"
    assert commit() == sha256(content).digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": b"score"},
        {"chain_id": "pollen-2"},
        {"job_id": 8},
        {"round": 4},
        {"attempt": 2},
        {"account": Address(b"\x12" * 20)},
        {"payload": b"reveal and salt "},
        {"domain": b"updat", "chain_id": "epollen-1"},
        {"account": Address(b"\x11" * 19), "payload": b"\x11reveal and salt"},
    ],
)
def test_another_part_gives_another_commitment(changes: dict[str, Any]) -> None:
    assert commit(**changes) != commit()


def test_the_published_vectors(vectors: Callable[[str], Any]) -> None:
    cases = []
    for changes in ({}, {"job_id": 2**64 - 1, "round": 2**32 - 1}, {"payload": b""}, CHALLENGE):
        parts = PARTS | changes
        plain = {k: v.hex() if isinstance(v, bytes) else v for k, v in parts.items()}
        plain |= {"domain": parts["domain"].decode(), "job_id": str(parts["job_id"])}
        cases.append(plain | {"commitment": commitment(**parts).hex()})
    vectors("learning/commitment.json").check(cases)
