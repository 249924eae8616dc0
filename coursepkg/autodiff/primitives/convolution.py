"""Convolution and pooling of images.

The one idea ("im2col"): copy every window that the kernel sees into a row, and convolution becomes one matrix product.
Convolution is linear in the images and in the kernels. Its two transposes, which turn a gradient of the feature maps
into one of the images and one of the kernels, are products with the same windows; each of the three has the other two
as its rules, so gradients of any order need nothing more. Nothing but images and kernels is kept: to copy the windows
again costs less than the memory traffic of nine times the images.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dispatch import operation, rewriting
from ..table import LINEAR, SAME, apart, example
from ..traced import Traced, plain

__all__ = ["conv2d", "fold", "max_pool2d", "mean_pool2d", "unfold"]

IN_CACHE = 1 << 18
"""Entries of copied windows at a time. Products read them from the processor's cache then: 64 images of 14 x 14 with 64
channels take 9 ms instead of 14."""


def _pair(value, least=1):
    """Return one whole number for rows and one for columns; a view of windows would leave the image otherwise."""
    pair = tuple(operator.index(n) for n in (value if isinstance(value, (tuple, list)) else (value, value)))
    if len(pair) != 2 or min(pair) < least:
        raise ValueError(f"expected a whole number of at least {least}, or a pair of such, got {value!r}")
    return pair


def output_size(size, kernel, stride, dilation):
    """Return how many windows fit: ``(rows, columns)``."""
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(size, kernel, stride, dilation, strict=True))


def _check_images(x, span):
    if x.ndim != 4 or span[0] > x.shape[2] or span[1] > x.shape[3]:
        raise ValueError(
            f"expected images of shape (n, channels, height, width) at least {span[0]} x {span[1]} large, got {x.shape}"
        )


def _windows(x, kernel, stride, dilation):
    """Return a view of shape (n, channels, kernel rows, kernel columns, window rows, window columns)."""
    _check_images(x, tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)))
    rows, cols = output_size(x.shape[2:], kernel, stride, dilation)
    n, channel, down, across = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *kernel, rows, cols),
        (n, channel, down * dilation[0], across * dilation[1], down * stride[0], across * stride[1]),
        writeable=False,
    )


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
    images = np.zeros(shape, columns.dtype)
    _fold_onto(images, columns, kernel, stride, dilation)
    return images


def _fold_onto(images, columns, kernel, stride, dilation):
    size = images.shape[2:]
    blocks = columns.reshape(*images.shape[:2], kernel[0] * kernel[1], *output_size(size, kernel, stride, dilation))
    for k, place in enumerate(_places(size, kernel, stride, dilation)):
        images[place] += blocks[:, :, k]


def _places(size, kernel, stride, dilation=(1, 1)):
    """Yield for each entry of the kernel where it falls on the images, in all windows at once."""
    rows, cols = output_size(size, kernel, stride, dilation)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            down, across = dilation[0] * i, dilation[1] * j
            yield (
                ...,
                slice(down, down + stride[0] * (rows - 1) + 1, stride[0]),
                slice(across, across + stride[1] * (cols - 1) + 1, stride[1]),
            )


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


# --- convolution, and its two transposes


def _images(make, shape, dtype, channels_inside):
    """Make images, shape (n, channels, height, width), in memory with the channels of a pixel side by side or not."""
    if not channels_inside:
        return make(shape, dtype)
    n, channels, height, width = shape
    return make((n, height, width, channels), dtype).transpose(0, 3, 1, 2)


def _padded_windows(x, kernel, stride, padding, dilation):
    """Return a view of the windows of padded images, and whether a window is to become a row or a column.

    As rows, what is copied in one go is a row of the kernel with all channels; as columns, it is a row of the feature
    map. The longer one is faster, by up to three times either way.
    """
    size = tuple(n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True))
    as_rows = kernel[1] * x.shape[1] > output_size(size, kernel, stride, dilation)[1]
    if any(padding) or (as_rows and x.strides[1] != x.itemsize):
        padded = _images(np.zeros, (*x.shape[:2], *size), x.dtype, channels_inside=as_rows)
        padded[:, :, padding[0] : size[0] - padding[0], padding[1] : size[1] - padding[1]] = x
        x = padded
    return _windows(x, kernel, stride, dilation), as_rows


def _in_parts(windows: Any, as_rows: bool) -> Iterator[tuple[Any, Any]]:
    """Yield matrices of windows that fit into the cache, and which feature maps they belong to.

    Rows have shape (windows, kernel rows * kernel columns * channels); columns (images, channels * kernel rows * kernel
    columns, windows).
    """
    n, channels, height, width, rows, cols = windows.shape
    at_once = max(1, IN_CACHE // max(1, channels * height * width * cols))  # rows of windows
    images, band = max(1, at_once // rows), min(at_once, rows) if as_rows else rows
    for i in range(0, n, images):
        for r in range(0, rows, band):
            part = windows[i : i + images, ..., r : r + band, :]
            if as_rows:
                matrix = part.transpose(0, 4, 5, 2, 3, 1).reshape(-1, height * width * channels)
            else:
                matrix = part.reshape(len(part), channels * height * width, rows * cols)
            yield np.s_[i : i + images, :, r : r + band], matrix


def _conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
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
    return _conv2d_and_columns(x, weight, bias, stride, padding, dilation)[0]


def _conv2d_and_columns(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Return the feature maps, and the windows that were copied for them if these are few: for the first layer of a
    network on grey images, to copy them again would be a tenth of the step."""
    if any(isinstance(a, Traced) for a in (x, weight, bias)):
        return conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation), None
    stride, padding, dilation = _pair(stride), _pair(padding, least=0), _pair(dilation)
    if np.ndim(weight) != 4 or np.ndim(x) != 4 or weight.shape[1] != x.shape[1]:
        raise ValueError(
            f"expected x (n, channels in, height, width) and weight (channels out, channels in, rows, columns) "
            f"with equal channels in, got {np.shape(x)} and {np.shape(weight)}"
        )
    out_channels, channels, height, width = weight.shape
    if bias is not None and np.shape(bias) != (out_channels,):
        raise ValueError(f"one bias per output channel: expected shape {(out_channels,)}, got {np.shape(bias)}")
    windows, as_rows = _padded_windows(x, (height, width), stride, padding, dilation)
    shape = (len(x), out_channels, *windows.shape[4:])
    out = _images(np.empty, shape, np.result_type(x, weight), channels_inside=as_rows)
    if as_rows:
        kernels = np.ascontiguousarray(weight.transpose(2, 3, 1, 0)).reshape(-1, out_channels)
    else:
        kernels = weight.reshape(out_channels, -1)
    columns = None
    if not as_rows and channels * height * width <= 2 * out_channels:
        columns = windows.reshape(len(x), channels * height * width, shape[2] * shape[3])
    for where, matrix in [(..., columns)] if columns is not None else _in_parts(windows, as_rows):
        part = out[where]
        if as_rows:
            np.matmul(matrix, kernels, out=part.transpose(0, 2, 3, 1).reshape(-1, out_channels))
        else:
            np.matmul(kernels, matrix, out=part.reshape(len(part), out_channels, matrix.shape[2]))
        if bias is not None:
            np.add(part, bias[:, None, None], out=part, casting="same_kind")
    return out, columns


def _conv2d_to_images(g, weight, size, stride=1, padding=0, dilation=1):
    """Turn a gradient of the feature maps into one of images of that size: the transpose of :func:`conv2d`."""
    stride, padding, dilation = _pair(stride), _pair(padding, least=0), _pair(dilation)
    out_channels, channels, *kernel = weight.shape
    around = tuple(d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding, strict=True))
    if stride == (1, 1) and min(around) >= 0 and out_channels < 4 * channels:  # a convolution again
        turned = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        return _conv2d(g, turned, padding=around, dilation=dilation)
    full = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    kernels = weight.reshape(out_channels, -1).T
    images = np.zeros((len(g), channels, *full), np.result_type(g, weight))
    at_once = max(1, IN_CACHE // max(1, kernels.shape[0] * g.shape[2] * g.shape[3]))
    for i in range(0, len(g), at_once):
        part = g[i : i + at_once]
        columns = np.matmul(kernels, part.reshape(len(part), out_channels, -1))
        _fold_onto(images[i : i + at_once], columns, kernel, stride, dilation)
    return (
        images[:, :, padding[0] : full[0] - padding[0], padding[1] : full[1] - padding[1]] if any(padding) else images
    )


def _kernel_gradient(g, columns, x, weight, bias=None, **options):
    if columns is None or isinstance(g, Traced):
        return _to_kernels(g, x, kernel=weight.shape[2:], **options)
    maps = g.reshape(*g.shape[:2], g.shape[2] * g.shape[3])
    return np.add.reduce(np.matmul(maps, columns.transpose(0, 2, 1)), axis=0).reshape(weight.shape)


def _conv2d_to_kernels(g, x, kernel, stride=1, padding=0, dilation=1):
    """Turn a gradient of the feature maps into one of kernels of that size: the other transpose of :func:`conv2d`."""
    windows, as_rows = _padded_windows(x, kernel, _pair(stride), _pair(padding, least=0), _pair(dilation))
    out_channels, channels = g.shape[1], x.shape[1]
    inside = (*kernel, channels) if as_rows else (channels, *kernel)
    total = np.zeros((out_channels, kernel[0] * kernel[1] * channels), np.result_type(g, x))
    for where, matrix in _in_parts(windows, as_rows):
        part = g[where]
        if as_rows:
            total += np.matmul(part.transpose(0, 2, 3, 1).reshape(-1, out_channels).T, matrix)
        else:
            maps = part.reshape(len(part), out_channels, -1)
            total += np.add.reduce(np.matmul(maps, matrix.transpose(0, 2, 1)), axis=0)
    kernels = total.reshape(out_channels, *inside)
    return np.ascontiguousarray(kernels.transpose(0, 3, 1, 2)) if as_rows else kernels


def _image_changes(t, columns, x, weight, bias=None, **options):
    maps = conv2d(_as_one_batch(t), weight, **options)
    return np.reshape(maps, (len(t), len(x), *maps.shape[1:]))


def _kernel_changes(t, columns, x, weight, bias=None, **options):
    """Push a stack of changes of the kernels through as so many more kernels."""
    maps = conv2d(x, _as_one_batch(t), **options)
    return np.moveaxis(np.reshape(maps, (len(x), len(t), len(weight), *maps.shape[2:])), 1, 0)


conv2d: Any = operation(
    _conv2d,
    forward=_conv2d_and_columns,
    name="conv2d",
    saves=True,
    reads="x weight",
    # No derivative depends on the bias.
    recover=lambda columns, x, weight, *bias, **options: (x, weight, *[np.zeros(b.shape, b.dtype) for b in bias]),
    vjp=[
        lambda g, columns, x, weight, bias=None, **options: _to_images(g, weight, size=x.shape[2:], **options),
        _kernel_gradient,
        lambda g, columns, x, weight, bias, **options: np.einsum("nohw->o", g),  # three times as fast as np.sum
    ],
    jvp=[
        lambda t, columns, x, weight, bias=None, **options: conv2d(t, weight, **options),
        lambda t, columns, x, weight, bias=None, **options: conv2d(x, t, **options),
        lambda t, columns, x, weight, bias, **options: np.reshape(t, (-1, 1, 1)),
    ],
    jvps=[
        _image_changes,
        _kernel_changes,
        lambda t, columns, x, weight, bias, **options: np.reshape(t, (len(t), 1, -1, 1, 1)),
    ],
    sympy_array=lambda sp, values, *operands, **options: _conv2d(*operands, **options),
    examples=[
        example((2, 2, 3, 4), (3, 2, 2, 2), (3,)),
        example((1, 2, 5, 4), (3, 2, 2, 2), stride=2, padding=(1, 0)),
        example((1, 1, 5, 5), (2, 1, 2, 2), (2,), dilation=2),
        example((2, 1, 3, 4), (5, 1, 2, 1), (5,), padding=(0, 2)),
        example((0, 1, 3, 3), (2, 1, 2, 2), (2,)),
    ],
)
_to_images: Any = operation(
    _conv2d_to_images,
    name="conv2d to images",
    reads="g weight",
    vjp=[
        lambda c, out, g, weight, size, **options: conv2d(c, weight, **options),
        lambda c, out, g, weight, size, **options: _to_kernels(g, c, kernel=weight.shape[2:], **options),
    ],
    jvp=[LINEAR, LINEAR],
    examples=[
        example((2, 3, 2, 3), (3, 2, 2, 2), size=(3, 4)),
        example((2, 3, 3, 2), (3, 2, 2, 2), size=(5, 4), stride=2, padding=(1, 0)),
        example((1, 2, 3, 3), (2, 1, 2, 2), size=(5, 5), dilation=2),
    ],
)
_to_kernels: Any = operation(
    _conv2d_to_kernels,
    name="conv2d to kernels",
    reads="g x",
    vjp=[
        lambda c, out, g, x, kernel, **options: conv2d(x, c, **options),
        lambda c, out, g, x, kernel, **options: _to_images(g, c, size=x.shape[2:], **options),
    ],
    jvp=[LINEAR, LINEAR],
    examples=[
        example((2, 3, 2, 3), (2, 2, 3, 4), kernel=(2, 2)),
        example((2, 3, 3, 2), (2, 2, 5, 4), kernel=(2, 2), stride=2, padding=(1, 0)),
        example((1, 2, 3, 3), (1, 1, 5, 5), kernel=(2, 2), dilation=2),
    ],
)


# --- pooling


def _sizes(size, stride):
    size = _pair(size)
    return size, size if stride is None else _pair(stride)


def _max_pool2d(x, size, stride=None):
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
    return _max_pool2d_and_which(x, size, stride)[0]


def _max_pool2d_and_which(x, size, stride=None):
    """Return the maxima, and for each of them its number in the window, in a byte if there are few."""
    if isinstance(x, Traced):
        which = _max_pool2d_and_which(plain(x), size, stride)[1]
        return _taken(x, which=which, size=size, stride=stride), which
    size, stride = _sizes(size, stride)
    _check_images(x, size)
    places = _places(x.shape[2:], size, stride)
    largest = x[next(places)].copy(order="K")
    which = np.zeros_like(largest, np.uint8 if size[0] * size[1] <= 256 else np.intp)
    for number, place in enumerate(places, start=1):
        entry = x[place]
        larger = entry > largest
        np.maximum(largest, entry, out=largest)
        np.maximum(which, np.multiply(larger, number, dtype=which.dtype), out=which)  # the last that was larger
    which.flags.writeable = False
    return largest, which


def _take_from_windows(x, which, size, stride=None):
    """Take from each window the entry of the given number."""
    size, stride = _sizes(size, stride)
    out: Any = 0
    for number, place in enumerate(_places(x.shape[-2:], size, stride)):
        out = np.where(which == number, x[place], out)
    return np.asarray(out, x.dtype)


def _put_into_windows(g, which, shape, size, stride=None):
    """Put each entry back where it was taken from; the transpose."""
    size, stride = _sizes(size, stride)
    out = np.zeros_like(which, g.dtype, shape=(*g.shape[:-2], *shape))  # in memory as the images were
    overlap = stride[0] < size[0] or stride[1] < size[1]
    for number, place in enumerate(_places(shape, size, stride)):
        chosen = (which == number).view(np.uint8)
        if overlap:
            out[place] += g * chosen
        else:
            np.multiply(g, chosen, out=out[place])
    return out


_taken: Any = operation(
    _take_from_windows,
    name="take from windows",
    reads="",
    vjp=[
        lambda g, out, x, which, size, stride=None: _put(g, which=which, shape=x.shape[-2:], size=size, stride=stride)
    ],
    jvp=[LINEAR],
    jvps=[SAME],
    examples=[
        example((2, 1, 4, 6), which=np.array([[[[0, 3, 1], [2, 1, 0]]], [[[1, 0, 2], [3, 3, 2]]]]), size=2),
        example((1, 1, 3, 4), which=np.array([[[[1, 2, 2], [0, 3, 2]]]]), size=2, stride=1),
    ],
)
_put: Any = operation(
    _put_into_windows,
    name="put into windows",
    reads="",
    vjp=[lambda c, out, g, which, shape, size, stride=None: _taken(c, which=which, size=size, stride=stride)],
    jvp=[LINEAR],
    jvps=[SAME],
    examples=[
        example((1, 1, 2, 3), which=np.array([[[[0, 3, 1], [2, 1, 0]]]]), shape=(5, 6), size=2),
        example((1, 1, 2, 3), which=np.array([[[[1, 2, 2], [0, 3, 2]]]]), shape=(3, 4), size=2, stride=1),
    ],
)
max_pool2d: Any = operation(
    _max_pool2d,
    forward=_max_pool2d_and_which,
    name="max_pool2d",
    saves=True,
    reads="x",
    vjp=[lambda g, which, x, size, stride=None: _put(g, which=which, shape=x.shape[-2:], size=size, stride=stride)],
    jvp=[lambda t, which, x, size, stride=None: _taken(t, which=which, size=size, stride=stride)],
    jvps=[SAME],
    sympy_array=lambda sp, values, x, size, stride=None: _take_from_windows(
        x, _max_pool2d_and_which(values[0], size, stride)[1], size, stride
    ),
    examples=[
        example((2, 2, 4, 6), size=2, domain=apart),
        example((1, 2, 5, 4), size=(2, 3), stride=1, domain=apart),
        example((1, 1, 5, 7), size=2, stride=3, domain=apart),
    ],
)


@rewriting(example((2, 2, 4, 6), size=2), example((1, 2, 5, 4), size=(2, 3), stride=1))
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
    size, stride = _sizes(size, stride)
    _check_images(x, size)
    places = _places(x.shape[2:], size, stride)
    total = x[next(places)]
    for place in places:
        total = total + x[place]
    return total / (size[0] * size[1])
