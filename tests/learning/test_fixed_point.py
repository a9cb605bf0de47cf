"""Fixed-point bytes: little-endian, signed, whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.learning.fixed import MODEL_WIDTH, UPDATE_WIDTH, decode_values, encode_values, value_count


@given(st.lists(st.integers(-(2**31), 2**31 - 1)), st.sampled_from([UPDATE_WIDTH, MODEL_WIDTH]))
def test_values_come_back(values: list[int], width: int) -> None:
    data = encode_values(values, width)
    assert value_count(data, width) == len(values)
    assert decode_values(data, width) == values


def test_the_lowest_byte_comes_first() -> None:
    assert encode_values([1, -2], UPDATE_WIDTH) == b"\x01\x00\x00\x00\xfe\xff\xff\xff"


@pytest.mark.parametrize(("value", "width"), [(2**31, 4), (-(2**31) - 1, 4), (2**63, 8)])
def test_a_value_beyond_its_width_is_refused(value: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"doesn't fit {width} bytes"):
        encode_values([value], width)


def test_half_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="whole values of 8 bytes"):
        decode_values(b"\x00" * 12, MODEL_WIDTH)
