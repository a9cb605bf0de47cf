"""The engine's JSON as protobuf messages: blocks, commits, evidence.

Names are the protobuf ones with few exceptions. Hashes and addresses are hexadecimal, what users
or keys have made is base64, integers are text, times RFC 3339.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

BASE64 = ("txs", "signature", "extension", "extension_signature")
NAMES = {"parts": "part_set_header"}
CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def fill(message: Message, value: Any) -> Any:
    """Write the engine's JSON into a message and return it; what the message lacks is left out."""
    if isinstance(message, Timestamp):
        message.FromJsonString(value)
        return message
    if set(value) == {"type", "value"}:  # one of several kinds, by Amino name
        value = {snake_case(value["type"].rpartition("/")[2]): value["value"]}
    fields = message.DESCRIPTOR.fields_by_name
    for key, each in value.items():
        field: Any = fields.get(NAMES.get(key) or snake_case(key))
        if field is None or each is None:
            continue
        if field.label == FieldDescriptor.LABEL_REPEATED:
            held = getattr(message, field.name)
            for one in each:
                if field.message_type:
                    fill(held.add(), one)
                else:
                    held.append(to_scalar(field, one))
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), each)
        else:
            setattr(message, field.name, to_scalar(field, each))
    return message


def to_scalar(field: Any, value: Any) -> Any:
    """Return a single value as its field holds it."""
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b64decode(value) if field.name in BASE64 else bytes.fromhex(value)
    return value if field.type == FieldDescriptor.TYPE_STRING else int(value)


def snake_case(name: str) -> str:
    """Return `several_words` for `SeveralWords`."""
    return CAPITAL.sub("_", name).lower()
