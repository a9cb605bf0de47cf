"""Flower's own loop, all in one process: its FedAvg over the app's ClientApp, in floats.

What a job's result and duration are compared with; no arithmetic of Pollen takes part.
"""

from __future__ import annotations

import copy
import itertools
import random
import time

from flwr.app import ArrayRecord, Message
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.serverapp.strategy import FedAvg

from .client import load_to_train
from .frames import Frame
from .grid import LocalGrid
from .records import (
    array_record,
    arrays_of,
    config_record,
    load_component,
    make_context,
    use_identity,
)


def run(request: Frame) -> Frame:
    """Train for some rounds on every node in turn; array `3/w` is what `w` is after round 3."""
    header = request.header
    load_to_train(request)  # so that the first round's time is like the others'
    client_app = load_component(header)
    contexts = {
        node_id: make_context(header | {"node_id": node_id, "node_config": node_config})
        for node_id, node_config in enumerate(header["node_configs"], SUPERLINK_NODE_ID + 1)
    }
    use_identity(header["run_id"], SUPERLINK_NODE_ID)

    def answer(messages: list[Message]) -> list[Message]:
        replies = []
        for message in copy.deepcopy(messages):
            message.metadata.message_type = header["message_type"]
            replies.append(client_app(message, contexts[message.metadata.dst_node_id]))
        return replies

    models: list[ArrayRecord] = []
    ended_s: list[float] = []

    def keep(_round: int, arrays: ArrayRecord) -> None:
        models.append(arrays)
        ended_s.append(time.monotonic())

    random.seed(0)  # Flower shuffles the nodes, and with them the order of the float sums
    fed_avg(header, len(contexts)).start(
        LocalGrid(header["run_id"], lambda: list(contexts), answer),
        array_record(request.arrays),
        num_rounds=header["round_count"],
        train_config=config_record(header["config"]),
        evaluate_fn=keep,
    )
    named = {
        f"{number}/{name}": array
        for number, model in enumerate(models[1:], 1)
        for name, array in arrays_of(model).items()
    }
    elapsed_s = [later - sooner for sooner, later in itertools.pairwise(ended_s)]
    return Frame({"elapsed_s": elapsed_s}, named)


def fed_avg(header: dict[str, object], node_count: int) -> FedAvg:
    """Make Flower's FedAvg, training on all nodes and evaluating on none."""
    return FedAvg(
        fraction_evaluate=0.0,
        min_train_nodes=node_count,
        min_available_nodes=node_count,
        weighted_by_key=str(header["weight_key"]),
        arrayrecord_key=str(header["arrays_key"]),
        configrecord_key=str(header["config_key"]),
    )
