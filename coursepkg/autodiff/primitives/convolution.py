"""Convolution and pooling of images, by unfolding them into patches.

The one idea ("im2col"): copy every window that the kernel sees into a column, and convolution becomes one matrix
product, pooling a maximum or a mean over each column. Unfolding is linear, and its transpose folds the columns back,
adding where windows overlap; the two are each other's vjp.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import operation, rewriting
from ..table import LINEAR, apart, example, fixed
from .products import affine

__all__ = ["conv2d", "fold", "max_pool2d", "mean_pool2d", "unfold"]


def _pair(value):
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def output_size(size, kernel, stride, dilation):
    """Return how many windows fit: ``(rows, columns)``."""
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(size, kernel, stride, dilation, strict=True))


def _windows(x, kernel, stride, dilation):
    """Return a view of shape (n, channels, kernel rows, kernel columns, window rows, window columns)."""
    span = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if x.ndim != 4 or span[0] > x.shape[2] or span[1] > x.shape[3]:
        raise ValueError(
            f"expected images of shape (n, channels, height, width) at least {span[0]} x {span[1]} large, got {x.shape}"
        )
    view = np.lib.stride_tricks.sliding_window_view(x, span, axis=(2, 3))
    view = view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    return view.transpose(0, 1, 4, 5, 2, 3)


def _unfold(x, kernel, stride=(1, 1), dilation=(1, 1)):
    """Copy each window of an image into a column.

    Parameters
    ----------
    x : array, shape (n, channels, height, width)
        Images.
    kernel, stride, dilation : (int, int)
        Window size, step between windows, step inside a window.

    Returns
    -------
    array, shape (n, channels * kernel rows * kernel columns, windows)
        The columns.
    """
    windows = _windows(x, kernel, stride, dilation)
    n, c, kh, kw, h, w = windows.shape
    return windows.reshape(n, c * kh * kw, h * w)


def _fold(columns, shape, kernel, stride=(1, 1), dilation=(1, 1)):
    """Add columns back into images: the transpose of :func:`unfold`.

    Parameters
    ----------
    columns : array, shape (n, channels * kernel rows * kernel columns, windows)
        The columns.
    shape : (int, int, int, int)
        Shape of the images.
    kernel, stride, dilation : (int, int)
        As for :func:`unfold`.

    Returns
    -------
    array of that shape
        Sums over all windows that cover an entry.
    """
    rows, cols = output_size(shape[2:], kernel, stride, dilation)
    blocks = columns.reshape(*shape[:2], *kernel, rows, cols)
    image = np.zeros(shape, columns.dtype)
    down, across = (
        [slice(d * k, d * k + s * (windows - 1) + 1, s) for k in range(size)]
        for size, windows, s, d in zip(kernel, (rows, cols), stride, dilation, strict=True)
    )
    for i, vertical in enumerate(down):
        for j, horizontal in enumerate(across):
            image[:, :, vertical, horizontal] += blocks[:, :, i, j]
    return image


def _as_one_batch(t):
    """Join the axis of the directions and that of the images."""
    return np.reshape(t, (len(t) * t.shape[1], *t.shape[2:]))


def _unfold_changes(t, out, x, kernel, stride=(1, 1), dilation=(1, 1)):
    return np.reshape(unfold(_as_one_batch(t), kernel, stride, dilation), (len(t), *out.shape))


def _fold_changes(t, out, columns, shape, kernel, stride=(1, 1), dilation=(1, 1)):
    images = (len(t) * shape[0], *shape[1:])
    return np.reshape(fold(_as_one_batch(t), images, kernel, stride, dilation), (len(t), *out.shape))


unfold: Any = operation(
    _unfold,
    vjp=[lambda g, out, x, kernel, stride=(1, 1), dilation=(1, 1): fold(g, x.shape, kernel, stride, dilation)],
    jvp=[LINEAR],
    jvps=[_unfold_changes],
    examples=[
        example((2, 3, 4, 5), kernel=(2, 3)),
        example((1, 1, 5, 6), kernel=(2, 2), stride=(2, 3)),
        example((1, 2, 5, 4), kernel=(2, 2), dilation=(3, 2)),
    ],
    name="unfold",
    reads="",
)
fold: Any = operation(
    _fold,
    vjp=[lambda g, out, x, shape, kernel, stride=(1, 1), dilation=(1, 1): unfold(g, kernel, stride, dilation)],
    jvp=[LINEAR],
    jvps=[_fold_changes],
    examples=[
        example((1, 12, 4), shape=(1, 2, 3, 4), kernel=(2, 3)),
        example((1, 4, 4), shape=(1, 1, 5, 6), kernel=(2, 2), stride=(2, 3)),
    ],
    name="fold",
    reads="",
)


@rewriting(
    example((2, 2, 3, 4), (3, 2, 2, 2), (3,)),
    example((1, 2, 5, 4), (3, 2, 2, 2), stride=2, padding=(1, 0)),
    example((1, 1, 5, 5), (2, 1, 2, 2), (2,), dilation=2),
    arrays="x weight bias",
)
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Slide kernels over images ("cross-correlation", as in every deep learning library).

    Parameters
    ----------
    x : array, shape (n, channels in, height, width)
        Images.
    weight : array, shape (channels out, channels in, kernel rows, kernel columns)
        Kernels.
    bias : array, shape (channels out,), optional
        Added to every pixel of an output channel.
    stride, padding, dilation : int or (int, int)
        Step between windows, zeros added on each side, step inside a window.

    Returns
    -------
    array, shape (n, channels out, rows, columns)
        The feature maps.

    Raises
    ------
    ValueError
        If the channels do not match or the kernel is larger than the image.
    """
    stride, padding, dilation = _pair(stride), _pair(padding), _pair(dilation)
    if weight.ndim != 4 or x.ndim != 4 or weight.shape[1] != x.shape[1]:
        raise ValueError(
            f"expected x (n, channels in, height, width) and weight (channels out, channels in, rows, columns) "
            f"with equal channels in, got {x.shape} and {weight.shape}"
        )
    if any(padding):
        x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    kernel = weight.shape[2:]
    columns = unfold(x, kernel=kernel, stride=stride, dilation=dilation)
    kernels = np.reshape(weight, (weight.shape[0], -1))
    out = np.matmul(kernels, columns) if bias is None else affine(kernels, columns, np.reshape(bias, (-1, 1)))
    rows, cols = output_size(x.shape[2:], kernel, stride, dilation)
    return np.reshape(out, (x.shape[0], weight.shape[0], rows, cols))


def _pooling_columns(x, size, stride):
    """Return the windows as columns, shape (n, channels, window entries, windows), and the shape of the output."""
    size = _pair(size)
    stride = size if stride is None else _pair(stride)
    columns = unfold(x, kernel=size, stride=stride)
    n, c = x.shape[:2]
    rows, cols = output_size(x.shape[2:], size, stride, (1, 1))
    return np.reshape(columns, (n, c, size[0] * size[1], rows * cols)), (n, c, rows, cols)


@rewriting(example((2, 2, 4, 6), fixed(2), domain=apart), example((1, 2, 5, 4), fixed((2, 3)), stride=1, domain=apart))
def max_pool2d(x, size, stride=None):
    """Take the largest entry of each window; among equal ones the first gets the gradient, as in PyTorch.

    Parameters
    ----------
    x : array, shape (n, channels, height, width)
        Images.
    size : int or (int, int)
        Window size.
    stride : int or (int, int), optional
        Step between windows; defaults to the window size.

    Returns
    -------
    array, shape (n, channels, rows, columns)
        The maxima.
    """
    columns, shape = _pooling_columns(x, size, stride)
    first = np.expand_dims(np.argmax(columns, axis=2), 2)
    return np.reshape(np.take_along_axis(columns, first, axis=2), shape)


@rewriting(example((2, 2, 4, 6), fixed(2)), example((1, 2, 5, 4), fixed((2, 3)), stride=1))
def mean_pool2d(x, size, stride=None):
    """Average each window.

    Parameters
    ----------
    x : array, shape (n, channels, height, width)
        Images.
    size : int or (int, int)
        Window size.
    stride : int or (int, int), optional
        Step between windows; defaults to the window size.

    Returns
    -------
    array, shape (n, channels, rows, columns)
        The means.
    """
    columns, shape = _pooling_columns(x, size, stride)
    return np.reshape(np.mean(columns, axis=2), shape)
