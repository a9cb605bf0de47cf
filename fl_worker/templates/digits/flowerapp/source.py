"""The digits that come with scikit-learn: 1,797 of 8x8, from 0 to 16."""

from typing import Any

import numpy as np

BRIGHTEST = 16
"""The value of a white pixel."""


def load_training(node_config: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Load the four fifths of the digits that nodes train on."""
    x, y = load_all()
    kept = np.arange(len(y)) % 5 != 0
    return x[kept], y[kept]


def load_holdout(node_config: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Load the fifth of the digits that no node has."""
    x, y = load_all()
    return x[0::5], y[0::5]


def load_all() -> tuple[np.ndarray, np.ndarray]:
    """Load all digits; who has images of its own needn't wait for scikit-learn."""
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)
