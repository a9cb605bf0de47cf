"""How one data set is spread over nodes whose data differ."""

import numpy as np

SMALLEST_PARTITION = 10
SPLIT_TRIES = 1000


def split(labels: np.ndarray, num_partitions: int, alpha: float, seed: int) -> np.ndarray:
    """Give each example to a partition, so that each class is spread by a Dirichlet draw."""
    rng = np.random.default_rng(seed)
    for _ in range(SPLIT_TRIES):
        owner = np.empty(len(labels), dtype=int)
        for label in np.unique(labels):
            shares = rng.dirichlet(np.full(num_partitions, alpha))
            of_label = rng.permutation(np.flatnonzero(labels == label))
            cuts = (np.cumsum(shares)[:-1] * len(of_label)).astype(int)
            for number, part in enumerate(np.split(of_label, cuts)):
                owner[part] = number
        if np.bincount(owner, minlength=num_partitions).min() >= SMALLEST_PARTITION:
            return owner
    raise ValueError(
        f"{len(labels)} examples can't be split into {num_partitions} parts of at least "
        f"{SMALLEST_PARTITION} with alpha {alpha}; take fewer parts or a larger alpha"
    )


def train_count(count: int) -> int:
    """Return how many of a node's examples it trains on; it evaluates on the others."""
    return count * 4 // 5
