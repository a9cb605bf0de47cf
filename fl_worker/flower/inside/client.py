"""Answers training and evaluation messages with the app's ClientApp."""

from __future__ import annotations

import sys
import time
from typing import Any

from flwr.app import Message, RecordDict

from .frames import AppRefused, Arrays, Frame
from .records import (
    arrays_of,
    load_component,
    make_context,
    make_message,
    only_arrays,
    state_of,
)


def load(request: Frame) -> Frame:
    """Import the app."""
    load_component(request.header)
    return Frame({})


def load_to_train(request: Frame) -> Frame:
    """Import the app, and pay for what PyTorch imports only at its first optimiser step."""
    reply = load(request)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        weight = torch.zeros(1, requires_grad=True)
        weight.sum().backward()
        torch.optim.SGD([weight], lr=0.0).step()
    return reply


def call(request: Frame) -> Frame:
    """Give one message to the ClientApp; answer its arrays, metrics and new state."""
    start_s = time.monotonic()
    client_app = load_component(request.header)
    context = make_context(request.header, request.blob)
    reply = client_app(make_message(request.header, request.arrays), context)
    if reply.has_error():
        raise AppRefused(f"the ClientApp answered with an error: {reply.error.reason}")
    header = {
        "metrics": metrics_of(reply.content, request.header["metrics_key"]),
        "elapsed_s": time.monotonic() - start_s,
    }
    return Frame(header, trained_arrays(reply), state_of(context))


def trained_arrays(reply: Message) -> Arrays:
    """Take the arrays out of a reply to a training message; an evaluation has none to send."""
    if not reply.metadata.message_type.startswith("train"):
        return {}
    return arrays_of(only_arrays(reply.content)[1])


def metrics_of(content: RecordDict, metrics_key: str) -> dict[str, Any]:
    """Find the one MetricRecord of a reply, or of several the one under the job's key."""
    records = content.metric_records
    if len(records) == 1:
        return dict(next(iter(records.values())))
    if metrics_key not in records:
        raise AppRefused(f"a reply has {len(records)} MetricRecords, and none is {metrics_key!r}")
    return dict(records[metrics_key])
