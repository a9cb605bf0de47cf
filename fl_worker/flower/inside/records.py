"""Flower's records as plain data, and back; and the app itself, loaded as Flower loads it."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.app.metadata import Metadata
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.common.serde import recorddict_from_proto, recorddict_to_proto
from flwr.proto.recorddict_pb2 import RecordDict as RecordDictProto
from flwr.supercore.object_ref import load_app
from flwr.supercore.task_identity import TaskIdentity

from .frames import AppRefused, Arrays

MESSAGE_TTL_S = 43_200.0


def load_component(header: Mapping[str, Any]) -> Any:
    """Load the ClientApp or ServerApp that `component` names in `app_dir`."""
    return load_app(header["component"], AppRefused, header["app_dir"])


def array_record(arrays: Arrays) -> ArrayRecord:
    """Make Flower's record of named arrays."""
    return ArrayRecord({name: Array(array) for name, array in arrays.items()})


def arrays_of(record: ArrayRecord) -> Arrays:
    """Take the named arrays out of Flower's record, in its order."""
    return {name: array.numpy() for name, array in record.items()}


def config_record(config: Mapping[str, Any]) -> ConfigRecord:
    """Make Flower's config record of JSON; `{"base64": …}` stands for bytes."""
    return ConfigRecord(
        {
            key: base64.b64decode(value["base64"]) if isinstance(value, dict) else value
            for key, value in config.items()
        }
    )


def config_of(record: ConfigRecord) -> dict[str, Any]:
    """Write Flower's config record as JSON, without the round, which each round adds anew."""
    return {
        key: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for key, value in record.items()
        if key != "server-round"
    }


def only_arrays(content: RecordDict) -> tuple[str, ArrayRecord]:
    """Find the one ArrayRecord of a message, and its key."""
    if len(content.array_records) != 1:
        raise AppRefused(f"a message has {len(content.array_records)} ArrayRecords, not one")
    key, record = next(iter(content.array_records.items()))
    return key, record


def make_context(header: Mapping[str, Any], state: bytes = b"") -> Context:
    """Make the Context of a node in a run, as its SuperNode would."""
    use_identity(header["run_id"], header["node_id"])
    return Context(
        run_id=header["run_id"],
        node_id=header["node_id"],
        node_config=header["node_config"],
        state=recorddict_from_proto(RecordDictProto.FromString(state)),
        run_config=header["run_config"],
    )


def state_of(context: Context) -> bytes:
    """Write what the app keeps between rounds as bytes."""
    return bytes(recorddict_to_proto(context.state).SerializeToString(deterministic=True))


def use_identity(run_id: int, node_id: int) -> None:
    """Tell Flower which run and node this process speaks for."""
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = run_id, node_id, 1


def make_message(header: Mapping[str, Any], arrays: Arrays) -> Message:
    """Make the message that a ServerApp would have sent to this node."""
    content = RecordDict({header["arrays_key"]: array_record(arrays)})
    if header["config_key"]:
        content[header["config_key"]] = config_record(header["config"])
    metadata = Metadata(
        run_id=header["run_id"],
        message_id=uuid.uuid4().hex,
        src_node_id=SUPERLINK_NODE_ID,
        dst_node_id=header["node_id"],
        reply_to_message_id="",
        group_id="",
        created_at=datetime.now().timestamp(),
        ttl=MESSAGE_TTL_S,
        message_type=header["message_type"],
    )
    return Message(content, metadata=metadata)
