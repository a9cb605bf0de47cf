"""A node's data, and how the model is trained and tested on them."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from flowerapp.model import Net
from flowerapp.partition import split, train_count
from flowerapp.source import BRIGHTEST, load_training


def load_data(node_config: dict[str, Any]) -> tuple[TensorDataset, TensorDataset]:
    """Load a node's own data: four fifths to train on, one to evaluate on."""
    return load_own(tuple(sorted(node_config.items())))


@functools.cache  # every round asks for the same
def load_own(config: tuple[tuple[str, Any], ...]) -> tuple[TensorDataset, TensorDataset]:
    """Load the file that a node names, or its part of the data set."""
    node_config = dict(config)
    if "data-path" in node_config:
        x, y = read_npz(Path(node_config["data-path"]))
    else:
        x, y = load_partition(node_config)
    order = np.random.default_rng(0).permutation(len(y))
    own, other = np.split(order, [train_count(len(y))])
    return dataset(x[own], y[own]), dataset(x[other], y[other])


def load_partition(node_config: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Load one part of the data set."""
    x, y = load_training(node_config)
    number, count = node_config.get("partition-id", 0), node_config.get("num-partitions", 1)
    if not 0 <= number < count:
        raise ValueError(
            f"partition-id={number}: with num-partitions={count}, name 0 to {count - 1}"
        )
    alpha, seed = node_config.get("alpha", 0.5), node_config.get("partition-seed", 0)
    own = split(y, count, alpha, seed) == number
    return x[own], y[own]


def load_validation(folder: str) -> TensorDataset:
    """Load every .npz file of a folder as one data set."""
    parts = [read_npz(path) for path in sorted(Path(folder).glob("*.npz"))]
    if not parts:
        raise FileNotFoundError(f"{folder} has no .npz file")
    return dataset(np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts]))


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images `x` and labels `y` from a file."""
    with np.load(path, allow_pickle=False) as data:
        return data["x"], data["y"]


def dataset(x: np.ndarray, y: np.ndarray) -> TensorDataset:
    """Scale images to [0, 1] and pair them with their labels."""
    return TensorDataset(
        torch.tensor(x, dtype=torch.float32) / BRIGHTEST, torch.tensor(y, dtype=torch.int64)
    )


def train(net: Net, data: TensorDataset, epochs: int, lr: float, batch_size: int) -> float:
    """Train a model in place and give the mean loss."""
    loader = DataLoader(data, batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    net.train()
    total = 0.0
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
    return total / (epochs * len(data))


def test(net: Net, data: TensorDataset) -> tuple[float, float]:
    """Measure a model's mean loss and its accuracy."""
    x, y = data.tensors
    net.eval()
    with torch.no_grad():
        scores = net(x)
        loss = nn.functional.cross_entropy(scores, y).item()
    return loss, (scores.argmax(dim=1) == y).double().mean().item()
