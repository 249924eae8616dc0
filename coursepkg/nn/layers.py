"""Layers: the functions of deep learning together with the parameters they own, under PyTorch's names and shapes.

Each ``forward`` is ordinary NumPy code on the engine's functions, short enough to be read beside its formula. Weights
start as PyTorch's do; :mod:`coursepkg.nn.init` has other ways to begin.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.catalogue import conv2d, linear, max_pool2d
from coursepkg.nn.module import Module, Parameter


class Linear(Module):
    """Affine map ``y = x W^T + b``.

    Parameters
    ----------
    in_features, out_features : int
        Length of an input and of an output.
    bias : bool
        Whether to add a bias.
    rng : numpy.random.Generator
        Source of the starting weights, uniform within one over the square root of ``in_features``.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    weight : Tensor, shape (out_features, in_features)
    bias : Tensor, shape (out_features,), or None
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        self.weight = Parameter(_starting_values((out_features, in_features), in_features, rng, dtype))
        self.bias = Parameter(_starting_values((out_features,), in_features, rng, dtype)) if bias else None

    def forward(self, x: Any) -> Any:
        """Map ``x``, shape (..., in_features), to shape (..., out_features)."""
        if np.shape(x)[-1:] != self.weight.shape[1:]:
            raise ValueError(
                f"this Linear takes {self.weight.shape[1]} features in the last axis, got shape {np.shape(x)}"
            )
        return linear(x, self.weight) if self.bias is None else linear(x, self.weight, self.bias)

    def describe(self) -> str:
        out_features, in_features = self.weight.shape
        return f"in_features={in_features}, out_features={out_features}, bias={self.bias is not None}"


class Conv2d(Module):
    """Cross-correlation of images with learned kernels, the "convolution" of deep learning.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input, and number of kernels.
    kernel_size : int or (int, int)
        Height and width of a kernel.
    stride, padding : int or (int, int)
        Step of the kernel, and rows and columns of zeros added on each side.
    bias : bool
        Whether to add a bias per output channel.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    weight : Tensor, shape (out_channels, in_channels, height, width)
    bias : Tensor, shape (out_channels,), or None
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        fan_in = in_channels * height * width
        self.weight = Parameter(_starting_values((out_channels, in_channels, height, width), fan_in, rng, dtype))
        self.bias = Parameter(_starting_values((out_channels,), fan_in, rng, dtype)) if bias else None
        self.stride = stride
        self.padding = padding

    def forward(self, x: Any) -> Any:
        """Map images, shape (n, in_channels, height, width), to feature maps, (n, out_channels, rows, columns)."""
        return conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.padding)

    def describe(self) -> str:
        out_channels, in_channels, *kernel = self.weight.shape
        return (
            f"{in_channels}, {out_channels}, kernel_size={tuple(kernel)}, stride={self.stride}, padding={self.padding}"
        )


class MaxPool2d(Module):
    """The largest value of each window.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of a window.
    stride : int or (int, int), optional
        Step of the window; by default its size, so that windows do not overlap.
    """

    def __init__(self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None) -> None:
        self.kernel_size = kernel_size
        self.stride = stride

    def forward(self, x: Any) -> Any:
        """Map shape (n, channels, height, width) to (n, channels, rows, columns)."""
        return max_pool2d(x, self.kernel_size, self.stride)

    def describe(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.kernel_size if self.stride is None else self.stride}"


class Flatten(Module):
    """All axes after the first as one: images to vectors."""

    def forward(self, x: Any) -> Any:
        """Map shape (n, ...) to (n, features)."""
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Dropout(Module):
    """Set each value to zero with probability ``p`` while training, and scale up the rest (Srivastava et al., 2014).

    Dividing by ``1 - p`` while training keeps the expected value, so evaluation needs no correction.

    Parameters
    ----------
    p : float
        Probability of a zero, from 0 to 1.
    rng : numpy.random.Generator
        Source of the choice; every call draws a new one.
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p is the probability of a zero, from 0 to 1; got {p}")
        self.p = p
        self.rng = check_rng(rng)

    def forward(self, x: Any) -> Any:
        """Return ``x`` with values left out while training, and ``x`` itself in evaluation."""
        if not self.training or self.p == 0.0:
            return x
        kept = self.rng.random(np.shape(x)) >= self.p
        return x * (kept / max(1.0 - self.p, np.finfo(float).tiny)).astype(x.dtype)

    def describe(self) -> str:
        return f"p={self.p}"


class Embedding(Module):
    """A table of vectors, one per symbol: row ``i`` is the meaning of number ``i``.

    Parameters
    ----------
    num_embeddings : int
        Number of symbols.
    embedding_dim : int
        Length of a vector.
    rng : numpy.random.Generator
        Source of the starting vectors, standard normal.
    dtype : dtype
        Of the table.

    Attributes
    ----------
    weight : Tensor, shape (num_embeddings, embedding_dim)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, rng: np.random.Generator, dtype: Any = np.float64
    ) -> None:
        self.weight = Parameter(check_rng(rng).standard_normal((num_embeddings, embedding_dim)).astype(dtype))

    def forward(self, index: Any) -> Any:
        """Map integers of any shape to that shape with an axis of length ``embedding_dim`` added."""
        index = np.asarray(index)
        count = self.weight.shape[0]
        if not np.issubdtype(index.dtype, np.integer):
            raise TypeError(f"an Embedding takes integers, got {index.dtype}")
        if index.size and not (index.min() >= 0 and index.max() < count):
            raise ValueError(f"symbols must lie in 0..{count - 1}, got {index.min()}..{index.max()}")
        return self.weight[index]

    def describe(self) -> str:
        return "{}, {}".format(*self.weight.shape)


def _starting_values(shape: tuple[int, ...], fan_in: int, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    """PyTorch's default: uniform with variance one third over the fan, for weights and biases alike."""
    if min(shape) < 1 or fan_in < 1:
        raise ValueError(f"a layer needs at least one input and one output, got a weight of shape {shape}")
    bound = 1.0 / math.sqrt(fan_in)
    return check_rng(rng).uniform(-bound, bound, shape).astype(dtype)
