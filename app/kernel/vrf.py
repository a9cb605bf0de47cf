"""A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381, suite 3.

Who holds a secret can compute one output for an input, and prove it; nobody else can guess the
output before, and the holder can't choose it. Points are encoded and secrets hashed as Ed25519 does
(RFC 8032). Stricter than the RFC in one place: a key and a proof's point must lie in the group of
prime order, which is checked here, since versions of libsodium differ in what they take for it.
"""

from __future__ import annotations

from hashlib import sha512

from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_sub,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_scalarmult_ed25519_noclamp,
)
from nacl.exceptions import RuntimeError as SodiumError

SECRET_BYTES = KEY_BYTES = 32
PROOF_BYTES = 80
CHALLENGE_BYTES = 16
SUITE = b"\x03"
ORDER = (1 << 252) + 27742317777372353535851937790883648493
"""Of the group that the base point generates."""
IDENTITY = b"\x01" + bytes(31)
TRIES_MAX = 256


def key_of(secret: bytes) -> bytes:
    """Return the public key of a 32-byte secret, which is Ed25519's."""
    return times_base(expand(secret)[0])


def prove(secret: bytes, alpha: bytes) -> bytes:
    """Return the proof of 80 bytes for an input, always the same (RFC 9381, 5.1)."""
    scalar, prefix = expand(secret)
    key = times_base(scalar)
    point = encode_to_curve(key, alpha)
    gamma = times(scalar, point)
    nonce = int.from_bytes(sha512(prefix + point).digest(), "little") % ORDER
    challenge = compute_challenge(key, point, gamma, times_base(nonce), times(nonce, point))
    response = (nonce + int.from_bytes(challenge, "little") * scalar) % ORDER
    return gamma + challenge + response.to_bytes(32, "little")


def verify(key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    """Return the output of 64 bytes that a proof gives for an input; None: it proves nothing (5.3).

    Any bytes may be given.
    """
    gamma, challenge, response = proof[:32], proof[32:48], int.from_bytes(proof[48:], "little")
    is_formed = len(proof) == PROOF_BYTES and response < ORDER
    if not (is_formed and is_point(key) and is_point(gamma)):
        return None
    point, number = encode_to_curve(key, alpha), int.from_bytes(challenge, "little")
    try:
        u = crypto_core_ed25519_sub(times_base(response), times(number, key))
        v = crypto_core_ed25519_sub(times(response, point), times(number, gamma))
    except SodiumError:  # a factor of 0, which no honest proof has
        return None
    return proof_to_hash(proof) if compute_challenge(key, point, gamma, u, v) == challenge else None


def proof_to_hash(proof: bytes) -> bytes:
    """Return the output of a proof that is known to be right (5.2)."""
    return sha512(SUITE + b"\x03" + times_cofactor(proof[:32]) + b"\x00").digest()


def is_point(data: bytes) -> bool:
    """Whether bytes are the one encoding of a point in the group of prime order but its zero."""
    if len(data) != KEY_BYTES:
        return False
    try:
        return is_on_curve(data) and times(ORDER - 1, data) == negate(data)
    except SodiumError:
        return False


def is_on_curve(data: bytes) -> bool:
    """Whether 32 bytes are the one encoding of a point of the curve."""
    try:
        return crypto_core_ed25519_add(data, IDENTITY) == data
    except SodiumError:
        return False


def encode_to_curve(key: bytes, alpha: bytes) -> bytes:
    """Return the point that belongs to an input, by try and increment (5.4.1.1).

    Each try fails with a chance of a half, so that one of so many always succeeds.
    """
    point = IDENTITY
    for counter in range(TRIES_MAX):
        if point != IDENTITY:
            break
        tried = sha512(SUITE + b"\x01" + key + alpha + bytes([counter]) + b"\x00").digest()[:32]
        if is_on_curve(tried):
            point = times_cofactor(tried)
    return point


def compute_challenge(*points: bytes) -> bytes:
    """Return the 16 bytes that bind a proof to its five points (5.4.3)."""
    return sha512(SUITE + b"\x02" + b"".join(points) + b"\x00").digest()[:CHALLENGE_BYTES]


def expand(secret: bytes) -> tuple[int, bytes]:
    """Return a secret's scalar, and what its nonces are made of (RFC 8032, 5.1.5)."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes, not {len(secret)}")
    digest = sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & ((1 << 254) - 8) | 1 << 254, digest[32:]


def times(scalar: int, point: bytes) -> bytes:
    """Return a multiple of a point of the group; SodiumError where there is none but zero."""
    return crypto_scalarmult_ed25519_noclamp(scalar.to_bytes(32, "little"), point)


def times_base(scalar: int) -> bytes:
    """Return a multiple of the base point."""
    return crypto_scalarmult_ed25519_base_noclamp(scalar.to_bytes(32, "little"))


def times_cofactor(point: bytes) -> bytes:
    """Return eight times any point of the curve."""
    for _ in range(3):
        point = crypto_core_ed25519_add(point, point)
    return point


def negate(point: bytes) -> bytes:
    """Return the point that adds up with another to zero: the sign of its x is the last bit."""
    return point[:-1] + bytes([point[-1] ^ 0x80])
