"""A layout: one form for one model, and replies matched by name, shape and type."""

import json
import re
from typing import Any

import numpy as np
import pytest

from fl_worker.update.layout import Layout, LayoutMismatch, LayoutRefused


def a_model() -> dict[str, np.ndarray]:
    """Arrays of every kind that a model may have."""
    return {
        "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "batches": np.array(7, dtype=np.int64),
        "half": np.ones(2, dtype=np.float16),
        "mask": np.array([True, False]),
        "double": np.array(0.5),
    }


def test_the_canonical_bytes_are_json_with_sorted_keys() -> None:
    layout = Layout.from_arrays({"b": np.zeros((2, 1), np.float32), "a": np.array([1], np.uint16)})
    assert layout.to_bytes() == (
        b'{"arrays":[{"dtype":"float32","name":"b","shape":[2,1]},'
        b'{"constant":"AQA=","dtype":"uint16","name":"a","shape":[1]}]}'
    )
    assert layout.value_count == 2
    assert Layout.from_bytes(layout.to_bytes()) == layout


def test_byte_order_and_memory_order_leave_no_trace() -> None:
    plain = a_model()
    odd = {
        name: np.asfortranarray(a.astype(a.dtype.newbyteorder(">"))) for name, a in plain.items()
    }
    odd["batches"] = odd["batches"].reshape(())  # asfortranarray makes it one-dimensional
    odd["double"] = odd["double"].reshape(())
    layout = Layout.from_arrays(plain)
    assert Layout.from_arrays(odd) == layout
    for name, array in layout.match(odd).items():
        np.testing.assert_array_equal(array, plain[name])
        assert array.flags.c_contiguous
        assert array.dtype.isnative


def test_a_reply_in_another_order_matches_in_the_layouts() -> None:
    layout = Layout.from_arrays(a_model())
    reply = dict(reversed(a_model().items()))
    assert list(layout.match(reply)) == ["weight", "half", "double"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight": None}, "'weight' is missing"),
        ({"other": np.zeros(1)}, "'other' is not in the job's layout"),
        ({"weight": np.zeros((3, 2), np.float32)}, r"float32\[3, 2\].*float32\[2, 3\]"),
        ({"half": np.ones(2, np.float32)}, r"float32\[2\].*float16\[2\]"),
        ({"batches": np.array(7, np.int32)}, r"int32\[\].*int64\[\]"),
    ],
)
def test_a_reply_that_is_not_the_model_is_refused(change: dict[str, Any], sentence: str) -> None:
    reply = {name: array for name, array in (a_model() | change).items() if array is not None}
    with pytest.raises(LayoutMismatch, match=sentence):
        Layout.from_arrays(a_model()).match(reply)


@pytest.mark.parametrize("dtype", ["complex64", "datetime64[s]", "U3", "longdouble", "V2", "O"])
def test_a_type_that_can_not_be_stored_is_refused_by_name(dtype: str) -> None:
    arrays = {"fine": np.zeros(1), "odd": np.zeros(2, dtype)}
    with pytest.raises(LayoutRefused, match=re.escape(f"'odd' has type {np.dtype(dtype).name}")):
        Layout.from_arrays(arrays)


def test_a_model_without_floats_is_refused() -> None:
    with pytest.raises(LayoutRefused, match="no values to train"):
        Layout.from_arrays({"count": np.array([1])})


def changed(**changes: Any) -> bytes:
    """Canonical bytes of one float array, with one bool array changed like this."""
    mask = {"constant": "AQA=", "dtype": "bool", "name": "mask", "shape": [2]} | changes
    arrays = [{"dtype": "float32", "name": "w", "shape": [1]}, mask]
    return json.dumps({"arrays": arrays}, sort_keys=True, separators=(",", ":")).encode()


def test_the_bytes_that_the_next_test_changes_are_fine() -> None:
    assert len(Layout.from_bytes(changed()).arrays) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"arrays":{"a":1}}',
        b'{"arrays":[]}',
        b"[" * 100_000,
        changed() + b"\n",
        changed().replace(b":", b": "),
        changed().replace(b"{", b'{"a":1,', 1),
        changed(name="w"),
        changed(name=5),
        changed(name="n" * 1_025),
        changed(more=1),
        changed(shape=[3]),
        changed(shape=[2.0]),
        changed(shape=[True, 2]),
        changed(shape=[-2]),
        changed(shape=[-1, -2]),
        changed(shape=[2] + [1] * 64),
        changed(shape="2"),
        changed(shape=2),
        changed(dtype="float32"),
        changed(dtype="complex64"),
        changed(dtype=["bool"]),
        changed(dtype="int8", constant="AQ=="),
        changed(constant="AQI="),
        changed(constant="AQA"),
        changed(constant="AR=="),
        changed(constant=None),
        changed(constant=[1]),
    ],
)
def test_bytes_in_any_other_form_are_refused(data: bytes) -> None:
    with pytest.raises(LayoutRefused):
        Layout.from_bytes(data)
