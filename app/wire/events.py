"""Events and results as the engine takes them.

Money's and accounts' events are Cosmos' plain ones: their class names the type, values are bare.
All others are typed as in ADR-032: the type is the protobuf event's full name, each value is JSON.
An event of a message says which by `msg_index`, behind Cosmos' `message` event; all is indexed.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import cache, lru_cache
from typing import Any, get_args, get_origin, get_type_hints

from cosmpy.protos.cosmos.base.abci.v1beta1.abci_pb2 import TxMsgData
from cosmpy.protos.tendermint.abci.types_pb2 import Event
from google.protobuf.any_pb2 import Any as AnyMessage

from app.chain import MODULE_OF, BlockResult, TxResult, signer_of
from app.kernel.bech32 import to_bech32
from app.kernel.record import U32, Address
from app.wire.records import KINDS, checked_hints, serialize

Render = Callable[[Any], str]


def tx_events(result: TxResult, messages: tuple[Any, ...]) -> list[Event]:
    """Return what a transaction said; a failed one only that it was admitted."""
    events = [to_event(record) for index, record in result.events if index < 0]
    if result.code:
        return events
    by_message: list[list[Any]] = [[] for _ in messages]
    for index, record in result.events:
        if index >= 0:
            by_message[index].append(record)
    for index, message in enumerate(messages):
        extra = {"key": "msg_index", "value": str(index), "index": True}
        message_class: Any = type(message)
        events.append(message_event(message_class, signer_of(message), index))
        events += [to_event(record, extra) for record in by_message[index]]
    return events


def block_events(result: BlockResult) -> list[Event]:
    """Return what a block's hooks said, marked with Cosmos' `mode`."""
    events = []
    for mode, records in (("BeginBlock", result.begin_events), ("EndBlock", result.end_events)):
        extra = {"key": "mode", "value": mode, "index": True}
        events += [to_event(record, extra) for record in records]
    return events


def typed_records(result: BlockResult) -> Iterator[Any]:
    """Walk a block's typed event records in the order in which they happened."""
    for record in result.begin_events:
        yield from (record,) if type(record) in KINDS else ()
    for tx_result in result.tx_results:
        for _, record in tx_result.events:
            yield from (record,) if type(record) in KINDS else ()
    for record in result.end_events:
        yield from (record,) if type(record) in KINDS else ()


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
def message_event(message_class: Any, sender: Address, index: int) -> Event:
    """Return the event by which Cosmos' clients find a message: its action, sender and module."""
    values = {
        "action": f"/{KINDS[message_class].name}",
        "sender": to_bech32(sender),
        "module": MODULE_OF[message_class].name,
        "msg_index": str(index),
    }
    pairs = [{"key": key, "value": value, "index": True} for key, value in values.items()]
    return Event(type="message", attributes=pairs)


def to_event(record: Any, extra: dict[str, Any] | None = None) -> Event:
    """Return an event record as the engine's event, with one more attribute perhaps."""
    event_class: Any = type(record)
    event_type, renders = renders_of(event_class)
    pairs: list[dict[str, Any]] = [
        {"key": name, "value": render(getattr(record, name)), "index": True}
        for name, render in renders
    ]
    if extra:
        pairs.append(extra)
    return Event(type=event_type, attributes=pairs)


@cache
def renders_of(event_class: Any) -> tuple[str, tuple[tuple[str, Render], ...]]:
    """Return an event's type, and how each of its fields becomes text."""
    if hasattr(event_class, "EVENT_TYPE"):
        hints = get_type_hints(event_class)
        names = event_class.__match_args__
        plain = [(name, to_bech32 if hints[name] is Address else str) for name in names]
        return event_class.EVENT_TYPE, tuple(plain)
    kind = KINDS[event_class]
    descriptor = kind.protobuf.DESCRIPTOR
    hints = checked_hints(event_class, descriptor)
    by_name = descriptor.fields_by_name
    typed = [(name, json_render(hint, by_name[name])) for name, hint in hints.items()]
    return kind.name, tuple(typed)


def json_render(hint: Any, field: Any) -> Render:
    """Return what writes a value as protobuf's JSON does: integers beyond 32 bits as text."""
    if get_origin(hint) is tuple:
        each = json_render(get_args(hint)[0], field)
        return lambda values: f"[{','.join([each(value) for value in values])}]"
    if hint is Address:
        return lambda address: f'"{to_bech32(address)}"'
    if hint in (str, bool, U32):
        return json.dumps
    if hint is bytes:
        return lambda data: f'"{b64encode(data).decode()}"'
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        names = {number: each.name for number, each in field.enum_type.values_by_number.items()}
        return lambda value: f'"{names[value]}"'
    if field.message_type is not None:
        raise TypeError(f"{field.full_name}: an event has no nested records")
    return lambda number: f'"{number}"'
