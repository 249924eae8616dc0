"""The table: importing this module enters the primitives, and gives the functions for which NumPy has no name.

What few models use is in ``primitives/further.py`` and is entered when it is first called.
``from coursepkg.autodiff.catalogue import relu, conv2d``. They are plain on plain arrays, and trace like NumPy's own.
"""

from .array_methods import ArrayMethods
from .dispatch import operation
from .primitives import complex_numbers, elementwise, linear_algebra, reductions  # noqa: F401  (enter NumPy's functions)
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
from .primitives.indexing import getitem
from .primitives.normalization import layer_norm
from .primitives.products import affine, linear
from .primitives.shaping import astype

__all__ = [
    "affine", "astype", "conv2d", "fold", "gelu", "layer_norm", "leaky_relu", "linear", "log_softmax", "logsumexp",
    "max_pool2d", "mean_pool2d", "operation", "relu", "sigmoid", "silu", "softmax", "softmax_cross_entropy", "softplus",
    "unfold",
]  # fmt: skip

ArrayMethods.__getitem__ = lambda self, index: getitem(self, index)  # type: ignore[method-assign]
