"""Events and results as the engine takes them.

Money's and accounts' events are Cosmos' plain ones: their class names the type, values are bare.
All others are typed as in ADR-032: the type is the protobuf event's full name, each value is JSON.
An event of a message says which by `msg_index`, behind Cosmos' `message` event. The engine indexes
what people search by: not amounts, nor the fee's way to its collector, which `tx.fee_payer` tells.

Events are most of what a block's result is made of, so their bytes are put together here: an
`Event` has its type in field 1 and its attributes in field 2, an attribute key, value and index.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import cache, lru_cache
from itertools import chain
from typing import Any, get_args, get_origin, get_type_hints

from cosmpy.protos.cosmos.base.abci.v1beta1.abci_pb2 import TxMsgData
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.timestamp_pb2 import Timestamp

from app.chain import MODULE_OF, BlockResult, TxResult, signer_of
from app.kernel.bech32 import to_bech32
from app.kernel.packed import Nested
from app.kernel.record import U32, Address, Operator, Time, write_varint
from app.modules.auth import AccountSequence
from app.modules.feegrant import AllowanceUsed
from app.modules.fees import FeePaid
from app.wire.records import KINDS, checked_hints, serialize, write_operator

Render = Callable[[Any], str]

TYPE_TAG, ATTRIBUTE_TAG = 0x0A, 0x12
KEY_TAG, VALUE_TAG = 0x0A, 0x12
INDEXED = b"\x18\x01"
AMOUNTS = ("amount", "fee")
ADMISSION_EVENTS = (FeePaid, AccountSequence, AllowanceUsed)
"""What is indexed of a transaction's admission."""


def tx_events(result: TxResult, messages: tuple[Any, ...]) -> list[bytes]:
    """Return what a transaction said, serialized; a failed one only that it was admitted."""
    events = [
        render_event(record, is_indexed=type(record) in ADMISSION_EVENTS)
        for index, record in result.events
        if index < 0
    ]
    if result.code:
        return events
    by_message: list[list[Any]] = [[] for _ in messages]
    for index, record in result.events:
        if index >= 0:
            by_message[index].append(record)
    for index, message in enumerate(messages):
        extra = attribute("msg_index", str(index), False)
        message_class: Any = type(message)
        events.append(message_event(message_class, signer_of(message)) + extra)
        events += [render_event(record) + extra for record in by_message[index]]
    return events


def block_events(result: BlockResult) -> list[bytes]:
    """Return what a block's hooks said, serialized and marked with Cosmos' `mode`."""
    events = []
    for mode, records in (("BeginBlock", result.begin_events), ("EndBlock", result.end_events)):
        extra = attribute("mode", mode, False)
        events += [render_event(record) + extra for record in records]
    return events


def typed_records(result: BlockResult) -> Iterator[Any]:
    """Walk a block's typed event records in the order in which they happened."""
    by_txs = [[record for _, record in tx_result.events] for tx_result in result.tx_results]
    for record in chain(result.begin_events, *by_txs, result.end_events):
        inner = record.event if type(record) is Nested else record
        if type(inner) in KINDS:
            yield inner


def result_data(result: TxResult, messages: tuple[Any, ...]) -> bytes:
    """Return a transaction's answers as a `TxMsgData`; a failed one has none."""
    if result.code:
        return b""
    packed = pack_responses(result, messages)
    return bytes(TxMsgData(msg_responses=packed).SerializeToString())


def pack_responses(result: TxResult, messages: tuple[Any, ...]) -> list[AnyMessage]:
    """Return the answers of a transaction that succeeded, one a message."""
    pairs = zip(messages, result.responses, strict=True)
    return [pack_response(type(message), response) for message, response in pairs]


def pack_response(message_class: Any, response: Any) -> AnyMessage:
    """Return a message's answer, empty where it has none, as an Any."""
    value = b"" if response is None else serialize(response)
    return AnyMessage(type_url=response_url(message_class), value=value)


@cache
def response_url(message_class: Any) -> str:
    """Return the type URL of a message's answer."""
    return f"/{KINDS[message_class].name}Response"


@lru_cache(maxsize=65_536)
def message_event(message_class: Any, sender: Address) -> bytes:
    """Return the event by which Cosmos' clients find a message: its action, sender and module."""
    values = {
        "action": f"/{KINDS[message_class].name}",
        "sender": to_bech32(sender),
        "module": MODULE_OF[message_class].package.split(".")[1],
    }
    pairs = [attribute(key, value, True) for key, value in values.items()]
    return b"".join([field(TYPE_TAG, b"message"), *pairs])


def render_event(record: Any, *, is_indexed: bool = True) -> bytes:
    """Return an event record as a serialized `Event`, to which attributes may be appended."""
    if type(record) is Nested:
        place = attribute("authz_msg_index", str(record.place), False)
        return render_event(record.event, is_indexed=is_indexed) + place
    event_class: Any = type(record)
    head, renders = renders_of(event_class)
    parts = [
        attribute(name, render(getattr(record, name)), is_indexed and is_searched)
        for name, render, is_searched in renders
    ]
    return head + b"".join(parts)


@lru_cache(maxsize=65_536)
def attribute(key: str, value: str, is_indexed: bool) -> bytes:
    """Return one attribute as it stands in an `Event`."""
    pair = field(KEY_TAG, key.encode()) + field(VALUE_TAG, value.encode())
    return field(ATTRIBUTE_TAG, pair + INDEXED if is_indexed else pair)


def field(tag: int, data: bytes) -> bytes:
    """Return a field of protobuf that has a length."""
    head = bytearray((tag,))
    write_varint(head, len(data))
    return bytes(head + data)


@cache
def renders_of(event_class: Any) -> tuple[bytes, tuple[tuple[str, Render, bool], ...]]:
    """Return an event's type as a field; how each of its fields becomes text; who is searched."""
    if hasattr(event_class, "EVENT_TYPE"):
        hints = get_type_hints(event_class)
        names = event_class.__match_args__
        plain = [(name, PLAIN_RENDERS.get(hints[name], str), name not in AMOUNTS) for name in names]
        return field(TYPE_TAG, event_class.EVENT_TYPE.encode()), tuple(plain)
    kind = KINDS[event_class]
    descriptor = kind.protobuf.DESCRIPTOR
    hints = checked_hints(event_class, descriptor)
    by_name = descriptor.fields_by_name
    typed = [(name, json_render(hint, by_name[name]), True) for name, hint in hints.items()]
    return field(TYPE_TAG, kind.name.encode()), tuple(typed)


def time_text(time_ms: Time) -> str:
    """Return a date as Cosmos' events show it: RFC 3339 with whole seconds."""
    return str(Timestamp(seconds=time_ms // 1_000).ToJsonString())


def json_render(hint: Any, descriptor: Any) -> Render:
    """Return what writes a value as protobuf's JSON does: integers beyond 32 bits as text."""
    if get_origin(hint) is tuple:
        each = json_render(get_args(hint)[0], descriptor)
        return lambda values: f"[{','.join([each(value) for value in values])}]"
    if hint is Address:
        return lambda address: f'"{to_bech32(address)}"'
    if hint in (str, bool, U32):
        return json.dumps
    if hint is bytes:
        return lambda data: f'"{b64encode(data).decode()}"'
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        names = {
            number: each.name for number, each in descriptor.enum_type.values_by_number.items()
        }
        return lambda value: f'"{names[value]}"'
    if descriptor.message_type is not None:
        raise TypeError(f"{descriptor.full_name}: an event has no nested records")
    return lambda number: f'"{number}"'


PLAIN_RENDERS: dict[Any, Render] = {
    Address: to_bech32,
    Operator: write_operator,
    Time: time_text,
}
"""How the fields of plain events become text, where not by `str`."""
