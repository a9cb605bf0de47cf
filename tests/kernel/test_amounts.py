"""Money is split to the unit, and divided only with a stated rounding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.amounts import mul_div_floor, share_ppm, split_exactly
from app.kernel.bech32 import from_bech32, to_bech32
from app.kernel.crypto import SECP256K1_ORDER, verify_secp256k1
from app.kernel.errors import InvariantBroken
from app.kernel.record import Address

ADDRESSES = st.binary(min_size=20, max_size=20).map(Address)
WEIGHTS = st.lists(
    st.tuples(ADDRESSES, st.integers(0, 10**9)), min_size=1, max_size=9, unique_by=lambda w: w[0]
).filter(lambda weights: any(weight for _, weight in weights))


@given(st.integers(0, 10**15), WEIGHTS)
def test_a_split_gives_every_unit_away_once(total: int, weights: list[tuple[Address, int]]) -> None:
    shares = split_exactly(total, weights)
    whole = sum(weight for _, weight in weights)
    assert sum(shares.values()) == total
    for who, weight in weights:
        assert shares[who] - total * weight // whole in (0, 1)


def test_what_is_left_goes_in_address_order() -> None:
    a, b, c = (Address(bytes([n]) * 20) for n in (3, 1, 2))
    assert split_exactly(5, [(a, 1), (b, 1), (c, 1)]) == {a: 1, b: 2, c: 2}
    assert split_exactly(1, [(a, 1), (b, 0)]) == {a: 1, b: 0}


def test_nothing_to_split_by_stops_the_node() -> None:
    with pytest.raises(InvariantBroken):
        split_exactly(5, [(Address(b"a" * 20), 0)])
    with pytest.raises(InvariantBroken):
        mul_div_floor(-1, 1, 1)


def test_a_share_is_rounded_down() -> None:
    assert share_ppm(999_999, 500_000) == 499_999


@given(ADDRESSES)
def test_an_address_reads_as_it_is_shown(address: Address) -> None:
    text = to_bech32(address)
    assert from_bech32(text) == address == from_bech32(text.upper())
    wrong = text[:-1] + ("q" if text[-1] != "q" else "p")
    with pytest.raises(ValueError, match="checksum"):
        from_bech32(wrong)


def test_a_high_s_signature_is_refused() -> None:
    from coincurve import PrivateKey

    key, digest = PrivateKey(b"\x07" * 32), b"\x01" * 32
    signature = key.sign_recoverable(digest, hasher=None)[:64]
    s = int.from_bytes(signature[32:], "big")
    high = signature[:32] + (SECP256K1_ORDER - s).to_bytes(32, "big")
    pubkey = key.public_key.format()
    assert verify_secp256k1(pubkey, digest, signature)
    assert not verify_secp256k1(pubkey, digest, high)
    assert not verify_secp256k1(pubkey, digest, bytes(64))
    assert not verify_secp256k1(bytes(33), digest, signature)
