"""The model, the data, and how one is trained and tested on the other."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CLASSES = 10
SMALLEST_PARTITION = 10
SPLIT_TRIES = 1000


class Net(nn.Module):
    """A network with one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(64, 32)
        self.output = nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give a score for each digit."""
        return self.output(torch.relu(self.hidden(x)))


def load_data(node_config: dict[str, Any]) -> tuple[TensorDataset, TensorDataset]:
    """Load a node's own data: four fifths to train on, one to evaluate on."""
    if "data-path" in node_config:
        x, y = read_npz(Path(node_config["data-path"]))
    else:
        x, y = load_partition(
            node_config.get("partition-id", 0),
            node_config.get("num-partitions", 1),
            node_config.get("alpha", 0.5),
            node_config.get("partition-seed", 0),
        )
    order = np.random.default_rng(0).permutation(len(y))
    cut = len(y) * 4 // 5
    return dataset(x[order[:cut]], y[order[:cut]]), dataset(x[order[cut:]], y[order[cut:]])


def load_holdout() -> tuple[np.ndarray, np.ndarray]:
    """Load the fifth of the digits that no partition contains."""
    x, y = load_digits(return_X_y=True)
    return x[0::5], y[0::5]


def load_partition(
    partition_id: int, num_partitions: int, alpha: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Load one part of the other digits, split so that each class is spread unevenly."""
    x, y = load_digits(return_X_y=True)
    kept = np.arange(len(y)) % 5 != 0
    x, y = x[kept], y[kept]
    rng = np.random.default_rng(seed)
    for _ in range(SPLIT_TRIES):
        owner = np.empty(len(y), dtype=int)
        for label in range(CLASSES):
            shares = rng.dirichlet(np.full(num_partitions, alpha))
            of_label = rng.permutation(np.flatnonzero(y == label))
            cuts = (np.cumsum(shares)[:-1] * len(of_label)).astype(int)
            for number, part in enumerate(np.split(of_label, cuts)):
                owner[part] = number
        if np.bincount(owner, minlength=num_partitions).min() >= SMALLEST_PARTITION:
            return x[owner == partition_id], y[owner == partition_id]
    raise ValueError(f"the digits can't be split into {num_partitions} parts with alpha {alpha}")


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
        torch.tensor(x, dtype=torch.float32) / 16, torch.tensor(y, dtype=torch.int64)
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
