"""The model that is trained."""

import torch
from torch import nn


class Net(nn.Module):
    """A network with one hidden layer, for digits of 8x8."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(64, 32)
        self.output = nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give a score for each digit."""
        return self.output(torch.relu(self.hidden(x)))
