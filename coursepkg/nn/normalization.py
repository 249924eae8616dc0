"""Normalization: shift and scale activations to mean 0 and variance 1, then let the layer learn its own scale again.

Layer normalization does so within each example, batch normalization within each channel over the batch, which is why
the latter has to behave differently once there is no batch (Ba et al., 2016; Ioffe and Szegedy, 2015).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from coursepkg.autodiff.catalogue import layer_norm
from coursepkg.autodiff.dispatch import plain
from coursepkg.nn.module import Module, Parameter


class LayerNorm(Module):
    """Normalize each example over its last axes.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Lengths of the axes to normalize over.
    eps : float
        Added to the variance.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    weight, bias : Tensor, shape ``normalized_shape``
        Learned scale and shift, from 1 and 0.
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5, *, dtype: Any = np.float64) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.weight = Parameter(np.ones(shape, dtype))
        self.bias = Parameter(np.zeros(shape, dtype))
        self.eps = eps

    def forward(self, x: Any) -> Any:
        """Normalize ``x``, whose last axes have the shape given at the start."""
        depth = len(self.weight.shape)
        if x.shape[-depth:] != self.weight.shape:
            raise ValueError(f"the last axes must have shape {self.weight.shape}, got an input of shape {x.shape}")
        if depth == 1:
            return layer_norm(x, self.weight, self.bias, self.eps)
        rows = np.reshape(x, (*x.shape[:-depth], self.weight.size))
        return np.reshape(layer_norm(rows, np.ravel(self.weight), np.ravel(self.bias), self.eps), x.shape)

    def describe(self) -> str:
        return f"{self.weight.shape}, eps={self.eps}"


class BatchNorm(Module):
    """Normalize each channel over the batch, and over the pixels of images: PyTorch's BatchNorm1d and BatchNorm2d.

    Parameters
    ----------
    num_features : int
        Channels, axis 1 of the input.
    eps : float
        Added to the variance.
    momentum : float
        Share of the newest batch in the running statistics.
    dtype : dtype
        Of the parameters and statistics.

    Attributes
    ----------
    weight, bias : Tensor, shape (num_features,)
        Learned scale and shift, from 1 and 0.
    running_mean, running_var : ndarray, shape (num_features,)
        What evaluation uses; the variance is the unbiased one.
    """

    buffer_names: ClassVar[tuple[str, ...]] = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, *, dtype: Any = np.float64) -> None:
        self.weight = Parameter(np.ones(num_features, dtype))
        self.bias = Parameter(np.zeros(num_features, dtype))
        self.running_mean = np.zeros(num_features, dtype)
        self.running_var = np.ones(num_features, dtype)
        self.num_batches_tracked = np.array(0)
        self.eps = eps
        self.momentum = momentum

    def forward(self, x: Any) -> Any:
        """Normalize ``x``, shape (n, num_features) or (n, num_features, ...)."""
        if x.ndim < 2 or x.shape[1] != len(self.running_mean):
            raise ValueError(f"axis 1 must have the {len(self.running_mean)} channels, got an input of shape {x.shape}")
        axes = (0, *range(2, x.ndim))
        per_channel = (1, -1, *[1] * (x.ndim - 2))
        if self.training:
            mean = np.mean(x, axis=axes, keepdims=True)
            centred = x - mean
            variance = np.mean(centred * centred, axis=axes, keepdims=True)
            self._remember(np.ravel(plain(mean)), np.ravel(plain(variance)), count=x.size // x.shape[1])
        else:
            centred = x - np.reshape(self.running_mean, per_channel)
            variance = np.reshape(self.running_var, per_channel)
        scale, shift = np.reshape(self.weight, per_channel), np.reshape(self.bias, per_channel)
        return centred / np.sqrt(variance + self.eps) * scale + shift

    def _remember(self, mean: np.ndarray, variance: np.ndarray, count: int) -> None:
        if count < 2:
            raise ValueError("batch normalization needs more than one value per channel to train; call eval() first?")
        old, new = 1.0 - self.momentum, self.momentum
        self.running_mean = old * self.running_mean + new * mean
        self.running_var = old * self.running_var + new * variance * (count / (count - 1))
        self.num_batches_tracked = self.num_batches_tracked + 1

    def describe(self) -> str:
        return f"{len(self.running_mean)}, eps={self.eps}, momentum={self.momentum}"
