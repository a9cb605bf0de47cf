"""Records and protobuf messages are the same thing."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from cosmpy.protos.cosmos.bank.v1beta1.tx_pb2 import MsgSend
from google.protobuf.any_pb2 import Any as AnyMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.bech32 import to_bech32
from app.kernel.packed import Packed
from app.kernel.record import (
    I64,
    U32,
    U64,
    U128,
    Address,
    ConsensusKey,
    Dec,
    Duration,
    Nothing,
    Operator,
    Time,
)
from app.kernel.tx import Coin
from app.modules.bank import Send
from app.modules.bonds import Register, Role
from app.modules.jobs import JobRequest
from app.modules.rounds import Reveal, RevealUpdate
from app.pb.pollen.rounds.v1.tx_pb2 import MsgRevealUpdate
from app.wire.records import (
    KINDS,
    BadField,
    from_protobuf,
    pack,
    parse,
    put_packed,
    query_path,
    read_decimal,
    serialize,
    to_protobuf,
    unpack,
)

ANNA, BERT = Address(b"a" * 20), Address(b"b" * 20)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    U32: st.integers(0, (1 << 32) - 1),
    U64: st.integers(0, (1 << 64) - 1),
    U128: st.integers(0, (1 << 128) - 1),
    I64: st.integers(-(1 << 63), (1 << 63) - 1),
    Time: st.integers(0, 253_402_300_799_999),
    Duration: st.integers(0, 253_402_300_799_999),
    Nothing: st.just(b""),
    Packed: st.just(put_packed(Send(ANNA, BERT, ()))),
    bytes: st.binary(max_size=40),
    str: st.text(max_size=20),
    Address: st.binary(min_size=20, max_size=20) | st.just(b""),
    Operator: st.binary(min_size=20, max_size=20) | st.just(b""),
    ConsensusKey: st.binary(min_size=32, max_size=32),
    Dec: st.integers(0, (1 << 128) - 1),
}


@cache
def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Every value that a field of the type may have."""
    if hint in SIMPLE:
        return SIMPLE[hint]
    if get_origin(hint) is tuple:
        return st.lists(values_of(get_args(hint)[0]), max_size=3).map(tuple)
    if isinstance(hint, UnionType):
        return st.one_of(*map(values_of, get_args(hint)))
    if issubclass(hint, IntEnum):
        return st.sampled_from(hint)
    assert is_dataclass(hint)
    hints = get_type_hints(hint)
    return st.builds(hint, *[values_of(hints[field.name]) for field in fields(hint)])


@pytest.mark.parametrize("record_class", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_a_record_comes_back_as_it_was(record_class: Any, data: st.DataObject) -> None:
    record = data.draw(values_of(record_class))
    assert parse(record_class, serialize(record)) == record
    assert unpack(pack(record)) == record


def test_a_message_is_what_cosmos_clients_send() -> None:
    message = to_protobuf(Send(ANNA, BERT, (Coin("uflt", U128(7)),)))
    assert isinstance(message, MsgSend)
    assert (message.from_address, message.amount[0].amount) == (to_bech32(ANNA), "7")
    assert pack(Send(ANNA, BERT, ())).type_url == "/cosmos.bank.v1beta1.MsgSend"


def test_a_question_is_asked_at_its_method() -> None:
    assert query_path(JobRequest) == "/pollen.jobs.v1.Query/Job"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda m: setattr(m, "worker", "pollen1nobody"), "RevealUpdate.worker: address"),
        (lambda m: setattr(m.reveal, "sum_squares", "1e3"), "Reveal.sum_squares: '1e3'"),
        (lambda m: setattr(m.reveal, "sum_squares", ""), "Reveal.sum_squares: ''"),
    ],
)
def test_a_field_that_fits_no_record_is_named(spoil: Callable[[Any], None], words: str) -> None:
    message = MsgRevealUpdate(worker=to_bech32(ANNA), job_id=1)
    message.reveal.sum_squares = "4"
    assert isinstance(from_protobuf(RevealUpdate, message).reveal, Reveal)
    spoil(message)
    with pytest.raises(BadField, match=words):
        from_protobuf(RevealUpdate, message)


def test_an_enum_beyond_its_values_is_refused() -> None:
    message = to_protobuf(Register(ANNA, Role.WORKER, ANNA, "", b"", U64(5)))
    message.role = 9
    with pytest.raises(BadField, match=r"Register\.role: 9"):
        from_protobuf(Register, message)


def test_a_type_that_is_not_ours_is_refused() -> None:
    with pytest.raises(BadField, match=r"/x\.Y"):
        unpack(AnyMessage(type_url="/x.Y"))


@pytest.mark.parametrize("text", ["", "-1", "+1", "01", "1_0", " 1", "1.0", "²", "9" * 40])
def test_a_decimal_number_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match="no decimal number"):
        read_decimal(text)
