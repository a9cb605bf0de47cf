"""The model that is trained."""

import torch
from torch import nn


class Net(nn.Module):
    """A convolutional network of 57,036 parameters, for images of 28x28."""

    def __init__(self) -> None:
        super().__init__()
        self.coarse = nn.Conv2d(1, 8, kernel_size=5, stride=2, padding=2)
        self.fine = nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1)
        self.hidden = nn.Linear(16 * 7 * 7, 70)
        self.output = nn.Linear(70, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give a score for each kind of clothing."""
        x = torch.relu(self.coarse(x.unsqueeze(1)))
        x = torch.relu(self.fine(x))
        return self.output(torch.relu(self.hidden(x.flatten(1))))
