"""Frames: what is sent arrives, and nothing but numbers is accepted from an app."""

import io
import json

import numpy as np
import pytest

from fl_worker.flower.inside.frames import BadFrame, Frame, encode, head_size, read, read_head


def test_arrays_of_any_order_and_size_arrive() -> None:
    arrays = {
        "scalar": np.array(3),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big-endian": np.arange(4, dtype=">f4"),
        "half": np.ones(3, dtype=np.float16),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 5), dtype=np.int8),
    }

    frame = read(io.BytesIO(encode(Frame({"a": 1}, arrays, b"state"))))

    assert frame is not None
    assert (frame.header, frame.blob) == ({"a": 1}, b"state")
    assert list(frame.arrays) == list(arrays)
    for name, sent in arrays.items():
        assert frame.arrays[name].shape == sent.shape
        assert np.array_equal(frame.arrays[name], sent)


def test_the_end_of_a_stream_is_no_frame() -> None:
    assert read(io.BytesIO(b"")) is None


def test_an_array_of_objects_is_not_sent() -> None:
    with pytest.raises(BadFrame, match="only booleans, integers and floats"):
        encode(Frame({}, {"x": np.array([object()])}))


@pytest.mark.parametrize(
    "described",
    [
        {"name": "x", "dtype": "O", "shape": [1]},
        {"name": "x", "dtype": "f4,f4", "shape": [1]},
        {"name": "x", "dtype": "<f4", "shape": [-1]},
        {"name": "x", "dtype": "<f4", "shape": [10**6, 10**6]},
        {"name": "x", "dtype": "<f4", "shape": "one"},
        {"dtype": 4},
    ],
)
def test_a_forged_head_is_refused(described: dict[str, object]) -> None:
    head = {"header": {}, "arrays": [described], "blob": 0}

    with pytest.raises(BadFrame):
        read_head(json.dumps(head).encode())


def test_a_head_has_a_limit() -> None:
    with pytest.raises(BadFrame, match="the limit is"):
        head_size(b"\xff" * 4)
