"""The part of the app that runs beside the data."""

import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from flowerapp.model import Net
from flowerapp.task import load_data, load_validation
from flowerapp.task import test as test_fn
from flowerapp.task import train as train_fn

app = ClientApp()


@app.train()
def train(msg: Message, context: Context) -> Message:
    """Train the received model on this node's data."""
    net = Net()
    net.load_state_dict(msg.content["arrays"].to_torch_state_dict())
    config = msg.content["config"]
    torch.manual_seed(int(config["server-round"]))  # the same round gives the same update
    trainset, _ = load_data(context.node_config)

    train_loss = train_fn(
        net,
        trainset,
        int(context.run_config["local-epochs"]),
        float(config["lr"]),
        int(context.run_config["batch-size"]),
    )

    metrics = MetricRecord({"train_loss": train_loss, "num-examples": len(trainset)})
    content = RecordDict({"arrays": ArrayRecord(net.state_dict()), "metrics": metrics})
    return Message(content, reply_to=msg)


@app.evaluate()
def evaluate(msg: Message, context: Context) -> Message:
    """Measure the received model on validation data if there is any, else on this node's own."""
    net = Net()
    net.load_state_dict(msg.content["arrays"].to_torch_state_dict())
    if "validation-dir" in context.node_config:
        testset = load_validation(str(context.node_config["validation-dir"]))
    else:
        _, testset = load_data(context.node_config)

    loss, accuracy = test_fn(net, testset)

    metrics = MetricRecord({"eval_loss": loss, "eval_acc": accuracy, "num-examples": len(testset)})
    return Message(RecordDict({"metrics": metrics}), reply_to=msg)
