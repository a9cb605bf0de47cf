"""Runs a ServerApp once among nodes that don't exist, and writes down what it sends them.

The first training messages hold the initial arrays and the train config; made-up replies (the
same arrays, one example each) let the strategy go on to its evaluation and to its second round,
where recording stops.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID

from .frames import AppRefused, Frame
from .grid import LocalGrid
from .records import arrays_of, config_of, load_component, make_context, only_arrays

RUN_ID = 1
NODE_COUNT_MAX = 10_000
PATIENCE = 4  # times a strategy may ask for the nodes before it is offered more of them
WRAPPER_DEPTH_MAX = 8
WEIGHT_KEY = "num-examples"  # what Flower's strategies weigh by, unless told otherwise


class RecordingDone(BaseException):
    """Leaves the ServerApp when nothing is left to learn; no app catches it by accident."""


class AnyMetrics(MetricRecord):
    """Metrics that hold whatever a strategy asks for."""

    def __getitem__(self, key: str) -> Any:
        """Give the metric, or one where there is none."""
        return super().__getitem__(key) if key in self else 1.0


@dataclass(frozen=True)
class Sent:
    """The messages of one kind that a ServerApp sent to its nodes, which are all alike."""

    message_type: str
    arrays_key: str
    arrays: ArrayRecord
    config_key: str
    config: dict[str, Any]

    def described(self) -> dict[str, Any]:
        """Give all but the arrays as JSON."""
        return {
            "message_type": self.message_type,
            "arrays_key": self.arrays_key,
            "config_key": self.config_key,
            "config": self.config,
        }


class Recorder:
    """Plays the nodes of a ServerApp, and remembers what they were sent."""

    def __init__(self, node_count: int) -> None:
        """Be `node_count` nodes at first, and more for a strategy that goes on waiting."""
        self.node_count = node_count
        self.asked_count = 0
        self.weight_key = WEIGHT_KEY
        self.sent: dict[str, Sent] = {}
        self.notes: list[str] = []

    def nodes(self) -> Iterable[int]:
        """Give the nodes; twice as many to a strategy that keeps asking without sending."""
        self.asked_count += 1
        if self.asked_count > PATIENCE:
            self.node_count *= 2
        if self.node_count > NODE_COUNT_MAX:
            raise AppRefused(
                f"the ServerApp waits for more than {NODE_COUNT_MAX:,} nodes; "
                "lower its min_available_nodes"
            )
        return range(SUPERLINK_NODE_ID + 1, SUPERLINK_NODE_ID + 1 + self.node_count)

    def answer(self, messages: list[Message]) -> list[Message]:
        """Write down messages of one kind, and reply to each in its node's place."""
        self.asked_count = 0
        self.weight_key = weight_key_of_sender()
        sent = read_messages(messages)
        kind = sent.message_type.partition(".")[0]
        if kind == "evaluate" and "train" not in self.sent:
            raise AppRefused("the ServerApp evaluates before it trains; let it train first")
        first = self.sent.setdefault(kind, sent)
        if first is not sent:
            self._note_changes(first, sent)
        if first is not sent and kind == "train":
            raise RecordingDone
        return [self._reply(message) for message in messages]

    def _note_changes(self, first: Sent, later: Sent) -> None:
        changed = sorted(key for key in later.config if later.config[key] != first.config.get(key))
        if changed:
            self.notes.append(
                f"the {first.message_type} config changes from round to round "
                f"({', '.join(changed)}); all rounds get what the first one sent"
            )

    def _reply(self, message: Message) -> Message:
        content = RecordDict({"metrics": AnyMetrics({self.weight_key: 1})})
        if message.metadata.message_type.startswith("train"):
            content["arrays"] = only_arrays(message.content)[1]
        return Message(content, reply_to=message)


def record(request: Frame) -> Frame:
    """Run the ServerApp until it has shown what it sends."""
    server_app = load_component(request.header)
    if getattr(server_app, "_main", None) is None:
        raise AppRefused(
            "this ServerApp has no @app.main(): it uses Flower's old interface (server_fn); "
            "start a strategy of flwr.serverapp.strategy instead"
        )
    recorder = Recorder(request.header["node_count"])
    grid = LocalGrid(RUN_ID, recorder.nodes, recorder.answer)
    identity = {"run_id": RUN_ID, "node_id": SUPERLINK_NODE_ID, "node_config": {}}
    try:
        server_app(grid, make_context(request.header | identity))
    except RecordingDone:
        pass
    except Exception as error:
        if "train" not in recorder.sent or isinstance(error, AppRefused):
            raise
        recorder.notes.append(f"the ServerApp failed on made-up replies: {error!r}")
    if "train" not in recorder.sent:
        raise AppRefused("the ServerApp ended without sending a train message")
    header = {
        "exchanges": {kind: sent.described() for kind, sent in recorder.sent.items()},
        "weight_key": recorder.weight_key,
        "notes": recorder.notes,
    }
    return Frame(header, arrays_of(recorder.sent["train"].arrays))


def read_messages(messages: list[Message]) -> Sent:
    """Read what messages of one kind hold, refusing what differs from node to node."""
    message_type, first = messages[0].metadata.message_type, messages[0].content
    if message_type.partition(".")[0] not in ("train", "evaluate"):
        raise AppRefused(f"the ServerApp sends {message_type!r}; only train and evaluate can run")
    if len(first.config_records) > 1:
        raise AppRefused(f"a message has {len(first.config_records)} ConfigRecords, at most one")
    for message in messages[1:]:
        if message.content is not first and message.content != first:
            raise AppRefused("the ServerApp sends different contents to different nodes")
    arrays_key, arrays = only_arrays(first)
    config_key, config = next(iter(first.config_records.items()), ("", ConfigRecord()))
    return Sent(message_type, arrays_key, arrays, config_key, config_of(config))


def weight_key_of_sender() -> str:
    """Find the key that the sending strategy weighs by: it tells no one, so look at who calls."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        sender = frame.f_locals.get("self")
        for _ in range(WRAPPER_DEPTH_MAX):  # a strategy for privacy wraps another
            key = getattr(sender, "weighted_by_key", None)
            if isinstance(key, str):
                return key
            sender = getattr(sender, "strategy", None)
        frame = frame.f_back
    return WEIGHT_KEY
