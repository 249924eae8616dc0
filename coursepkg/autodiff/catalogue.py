"""The whole table: importing this module enters every primitive, and gives the functions that NumPy lacks a place.

``from coursepkg.autodiff.catalogue import relu, conv2d`` (also available as ``coursepkg.autodiff.relu``).
"""

from .dispatch import operation
from .primitives import (
    activations,
    complex_numbers,
    convolution,
    elementwise,
    indexing,
    linear_algebra,
    reductions,
    shaping,
)
from .primitives.activations import (
    gelu,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softmax_cross_entropy,
    softplus,
)
from .primitives.convolution import conv2d, fold, max_pool2d, mean_pool2d, unfold
from .primitives.linear_algebra import affine
from .primitives.shaping import astype

__all__ = [
    "activations",
    "affine",
    "astype",
    "complex_numbers",
    "conv2d",
    "convolution",
    "elementwise",
    "fold",
    "gelu",
    "indexing",
    "leaky_relu",
    "linear_algebra",
    "log_softmax",
    "logsumexp",
    "max_pool2d",
    "mean_pool2d",
    "operation",
    "reductions",
    "relu",
    "shaping",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "unfold",
]  # fmt: skip
