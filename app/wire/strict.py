"""Unknown fields of protobuf messages, refused as the Cosmos SDK refuses them."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

CODE_UNDECODABLE, CODE_TIP = 2, 3
NON_CRITICAL_BIT = 1 << 10


class Refused(Exception):
    """Bytes that are no transaction of this chain; the text says why."""

    def __init__(self, text: str, code: int = CODE_UNDECODABLE) -> None:
        super().__init__(text)
        self.code = code


def has_unknown(message: Message) -> bool:
    """Whether a message carried unknown fields at any depth; drops them."""
    size = message.ByteSize()
    message.DiscardUnknownFields()
    return message.ByteSize() != size


def parse_strictly(message_class: Any, value: bytes) -> Any:
    """Return a message that has no unknown fields."""
    message: Message = message_class.FromString(value)
    refuse_unknown(message, is_body=False)
    return message


def refuse_unknown(message: Message, *, is_body: bool) -> None:
    """Refuse unknown fields at any depth, and known numbers with another wire type."""
    descriptor = message.DESCRIPTOR
    unknown = UnknownFieldSet(message)
    for field in [unknown[at] for at in range(len(unknown))]:
        number = field.field_number
        is_critical = not number & NON_CRITICAL_BIT or number in descriptor.fields_by_number
        if is_critical or not is_body:
            raise Refused(
                f"{descriptor.full_name}: unknown field {number}, wire type {field.wire_type}"
            )
    for known, value in message.ListFields():
        if known.message_type is not None:
            for nested in (value,) if isinstance(value, Message) else value:
                refuse_unknown(nested, is_body=is_body)
