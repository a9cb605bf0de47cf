"""The verifiable random function, held against RFC 9381 and against who would cheat with it."""

from collections.abc import Callable
from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_add

from app.kernel.vrf import (
    IDENTITY,
    ORDER,
    compute_challenge,
    encode_to_curve,
    expand,
    is_on_curve,
    is_point,
    key_of,
    proof_to_hash,
    prove,
    times,
    times_base,
    verify,
)
from tests.conftest import Vector

SECRET = bytes(range(32))
KEY, ALPHA = key_of(SECRET), b"alpha"
PROOF = prove(SECRET, ALPHA)
FIELD = (1 << 255) - 19

# The eight points of small order, in their one encoding.
ORDER_4 = bytes(32)
ORDER_8 = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
MULTIPLES = [ORDER_8]
while MULTIPLES[-1] != IDENTITY:
    MULTIPLES.append(crypto_core_ed25519_add(MULTIPLES[-1], ORDER_8))


@pytest.mark.parametrize("example", [16, 17, 18])
def test_the_vectors_of_the_rfc_are_reproduced(
    example: int, vectors: Callable[[str], Vector]
) -> None:
    stored = {row.pop("example"): row for row in vectors("vrf/rfc9381.json").load()}[example]
    secret, key, alpha, point, proof, output = map(bytes.fromhex, stored.values())
    assert key_of(secret) == key
    assert encode_to_curve(key, alpha) == point
    assert prove(secret, alpha) == proof
    assert verify(key, alpha, proof) == proof_to_hash(proof) == output


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
@settings(max_examples=30)
def test_what_is_proved_verifies_and_is_proved_once(secret: bytes, alpha: bytes) -> None:
    proof = prove(secret, alpha)
    assert prove(secret, alpha) == proof
    assert verify(key_of(secret), alpha, proof) == proof_to_hash(proof)
    assert verify(key_of(secret), alpha + b"x", proof) is None
    assert verify(key_of(bytes(32)), alpha, proof) is None or secret == bytes(32)


def test_a_proof_with_any_byte_changed_proves_nothing() -> None:
    for at in range(len(PROOF)):
        changed = PROOF[:at] + bytes([PROOF[at] ^ 1]) + PROOF[at + 1 :]
        assert verify(KEY, ALPHA, changed) is None, at


@pytest.mark.parametrize("proof", [b"", PROOF[:-1], PROOF + b"\0", bytes(80), b"\xff" * 80])
def test_bytes_that_are_no_proof_prove_nothing(proof: bytes) -> None:
    assert verify(KEY, ALPHA, proof) is None


def test_a_response_has_one_encoding() -> None:
    response = int.from_bytes(PROOF[48:], "little")
    again = PROOF[:48] + (response + ORDER).to_bytes(32, "little")
    assert verify(KEY, ALPHA, PROOF) is not None
    assert verify(KEY, ALPHA, again) is None


def test_points_of_small_order_are_neither_keys_nor_part_of_a_proof() -> None:
    assert len(MULTIPLES) == 8
    assert ORDER_4 in MULTIPLES
    for point in MULTIPLES:
        assert not is_point(point)
        assert verify(point, ALPHA, PROOF) is None
        assert verify(KEY, ALPHA, point + PROOF[32:]) is None


def test_a_point_beside_the_group_is_neither_a_key_nor_part_of_a_proof() -> None:
    for small in MULTIPLES[:-1]:
        beside = crypto_core_ed25519_add(KEY, small)
        assert not is_point(beside)
        gamma = crypto_core_ed25519_add(PROOF[:32], small)
        assert proof_to_hash(gamma + PROOF[32:]) == proof_to_hash(PROOF)
        assert verify(KEY, ALPHA, gamma + PROOF[32:]) is None


def test_a_proof_whose_point_lies_beside_the_group_is_refused_though_its_challenge_fits() -> None:
    """The RFC would take such a proof where the challenge happens to cancel the small part."""
    scalar, _ = expand(SECRET)
    point = encode_to_curve(KEY, ALPHA)
    two = MULTIPLES[3]
    assert crypto_core_ed25519_add(two, two) == IDENTITY
    gamma = crypto_core_ed25519_add(times(scalar, point), two)
    for nonce in range(1, 100):
        challenge = compute_challenge(KEY, point, gamma, times_base(nonce), times(nonce, point))
        if challenge[0] % 2 == 0:
            break
    response = (nonce + int.from_bytes(challenge, "little") * scalar) % ORDER
    assert verify(KEY, ALPHA, gamma + challenge + response.to_bytes(32, "little")) is None


@pytest.mark.parametrize("value", [FIELD, FIELD + 1, FIELD + 3, (1 << 255) - 1, 1 << 255 | 1])
def test_a_point_has_one_encoding(value: int) -> None:
    assert not is_point(value.to_bytes(32, "little"))


def test_bytes_off_the_curve_or_of_another_length_are_no_key() -> None:
    off = next(n for n in range(2, 50) if not is_on_curve(n.to_bytes(32, "little")))
    for data in (off.to_bytes(32, "little"), b"", KEY[:-1], KEY + b"\0"):
        assert not is_point(data)
        assert verify(data, ALPHA, PROOF) is None
    assert is_point(KEY)


def test_inputs_for_which_the_first_tries_fail_have_a_point() -> None:
    failed = 0
    for number in range(64):
        alpha = number.to_bytes(2, "big")
        first = sha512(b"\x03\x01" + KEY + alpha + b"\x00\x00").digest()[:32]
        failed += not is_on_curve(first)
        assert verify(KEY, alpha, prove(SECRET, alpha)) is not None
    assert failed > 10


def test_a_secret_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        prove(SECRET[:-1], ALPHA)
