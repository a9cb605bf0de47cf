"""The part of the app that starts the training and combines what comes back."""

import torch
from flwr.app import ArrayRecord, ConfigRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from flowerapp.model import Net

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Train a new model with federated averaging, and save it."""
    torch.manual_seed(int(context.run_config["seed"]))
    arrays = ArrayRecord(Net().state_dict())
    strategy = FedAvg(fraction_evaluate=float(context.run_config["fraction-evaluate"]))

    result = strategy.start(
        grid=grid,
        initial_arrays=arrays,
        train_config=ConfigRecord({"lr": float(context.run_config["learning-rate"])}),
        num_rounds=int(context.run_config["num-server-rounds"]),
    )

    torch.save(result.arrays.to_torch_state_dict(), "final_model.pt")
