"""Activations as modules, for :class:`Sequential`; the functions themselves are ``np.tanh`` and those of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.autodiff import catalogue
from coursepkg.nn.module import Module


class ReLU(Module):
    """``max(0, x)``, with derivative 0 at 0."""

    def forward(self, x: Any) -> Any:
        """Apply to each entry."""
        return catalogue.relu(x)


class LeakyReLU(Module):
    """``x`` where positive, ``negative_slope * x`` elsewhere.

    Parameters
    ----------
    negative_slope : float
        Slope on the left.
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """Apply to each entry."""
        return catalogue.leaky_relu(x, self.negative_slope)

    def describe(self) -> str:
        return f"negative_slope={self.negative_slope}"


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Apply to each entry."""
        return np.tanh(x)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``."""

    def forward(self, x: Any) -> Any:
        """Apply to each entry."""
        return catalogue.sigmoid(x)


class GELU(Module):
    """Gaussian error linear unit: x times the probability that a standard normal number lies below x.

    Parameters
    ----------
    approximate : {"tanh", "none"}
        "tanh", the default here, is a formula close to it; "none" is the probability itself, PyTorch's default.

    Raises
    ------
    ValueError
        If there is no such approximation.
    """

    def __init__(self, approximate: str = "tanh") -> None:
        if approximate not in ("tanh", "none"):
            raise ValueError(f'gelu takes approximate="tanh" or "none", got {approximate!r}')
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Apply to each entry."""
        return catalogue.gelu(x, approximate=self.approximate)

    def describe(self) -> str:
        return f"approximate={self.approximate!r}"


class Softmax(Module):
    """Exponentials that sum to one along an axis.

    Parameters
    ----------
    dim : int
        The axis.
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Turn scores into probabilities."""
        return catalogue.softmax(x, axis=self.dim)

    def describe(self) -> str:
        return f"dim={self.dim}"
