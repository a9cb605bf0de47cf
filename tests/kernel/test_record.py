"""A record has exactly one encoding, and nothing else decodes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.plain import from_plain, to_plain
from app.kernel.record import (
    I64,
    U32,
    U64,
    U128,
    Address,
    Duration,
    Malformed,
    Time,
    codec_of,
    decode,
    encode,
)


class Colour(IntEnum):
    """An enum as records use it."""

    NONE = 0
    RED = 1


@dataclass(frozen=True, slots=True)
class Inner:
    """A nested record."""

    text: str
    amounts: tuple[U128, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """Another nested record."""

    number: U32


@dataclass(frozen=True, slots=True)
class Sample:
    """One field of each kind."""

    small: U32
    large: U64
    signed: I64
    flag: bool
    colour: Colour
    who: Address
    data: bytes
    inner: Inner
    date: Time
    length: Duration
    either: Inner | Other


samples = st.builds(
    Sample,
    small=st.integers(0, 2**32 - 1),
    large=st.integers(0, 2**64 - 1),
    signed=st.integers(-(2**63), 2**63 - 1),
    flag=st.booleans(),
    colour=st.sampled_from(Colour),
    who=st.one_of(st.just(b""), st.binary(min_size=20, max_size=20)),
    data=st.binary(max_size=40),
    inner=st.builds(
        Inner,
        text=st.text(st.characters(codec="utf-8"), max_size=20),
        amounts=st.lists(st.integers(0, 2**128 - 1), max_size=3).map(tuple),
    ),
    date=st.integers(0, 2**64 - 1),
    length=st.integers(0, 2**64 - 1),
    either=st.builds(Other, st.integers(0, 9)) | st.builds(Inner, st.text("ab"), st.just(())),
)


@given(samples)
def test_what_is_encoded_decodes_to_the_same(sample: Sample) -> None:
    assert decode(Sample, encode(sample)) == sample


@given(samples)
def test_plain_values_come_back(sample: Sample) -> None:
    assert from_plain(Sample, to_plain(Sample, sample), "sample") == sample


@given(st.binary(max_size=60))
def test_whatever_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        sample = decode(Sample, data)
    except Malformed:
        return
    assert encode(sample) == data


@given(samples, st.binary(min_size=1, max_size=3))
def test_a_byte_too_many_is_refused(sample: Sample, extra: bytes) -> None:
    with pytest.raises(Malformed):
        decode(Sample, encode(sample) + extra)


@given(samples)
def test_a_byte_too_few_is_refused(sample: Sample) -> None:
    with pytest.raises(Malformed):
        decode(Sample, encode(sample)[:-1])


@pytest.mark.parametrize(
    ("kind", "value"),
    [(U32, 2**32), (U64, -1), (U128, 2**128), (I64, 2**63), (U32, True)],
)
def test_a_number_out_of_range_has_no_encoding(kind: object, value: int) -> None:
    @dataclass(frozen=True)
    class One:
        field: kind  # type: ignore[valid-type]

    One.__annotations__["field"] = kind
    with pytest.raises(Malformed, match=r"One\.field"):
        encode(One(value))


def test_a_varint_that_is_not_minimal_is_refused() -> None:
    good = encode(Inner("", ()))
    assert good == b"\x00\x00"
    with pytest.raises(Malformed):
        decode(Inner, b"\x80\x00\x00")


def test_a_genesis_file_error_names_the_place() -> None:
    with pytest.raises(ValueError, match=r"inner\.amounts\[1\]: 'x' is not a whole number"):
        from_plain(Inner, {"text": "", "amounts": ["1", "x"]}, "inner")
    with pytest.raises(ValueError, match=r"fields missing \['text'\], unknown \['texts'\]"):
        from_plain(Inner, {"texts": "", "amounts": []}, "inner")


def test_what_is_none_of_several_records_is_refused() -> None:
    sample = Other(U32(1))
    codec = codec_of(Inner | Other)
    out = bytearray()
    codec.write(out, sample)
    assert (bytes(out), codec.read(b"\x01\x01", 0)) == (b"\x01\x01", (sample, 2))
    with pytest.raises(Malformed, match="type is not a Inner or Other"):
        codec.write(out, Sample)
    with pytest.raises(Malformed, match="2 is none of 2 records"):
        codec.read(b"\x02\x01", 0)
    with pytest.raises(ValueError, match=r"here\.@type: 'Third' is none of Inner, Other"):
        from_plain(Inner | Other, {"@type": "Third"}, "here")
