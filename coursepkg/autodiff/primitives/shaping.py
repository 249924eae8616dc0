"""Moving entries about without changing them: reshape, transpose, broadcast, join, pad, cast.

Each of these is linear, and its transpose moves the entries back. Most of NumPy's functions for shapes are one of five
primitives in another dress, and are written so.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..dispatch import operation
from ..table import LINEAR, SAME, Each, composite, example, fixed, primitive
from .indexing import getitem


def _reshape_changes(t, out, x, shape=None, order="C"):
    if order == "C":
        return np.reshape(t, (len(t), *out.shape))
    # With the first axis varying fastest, that of the directions has to be the last.
    return np.moveaxis(np.reshape(np.moveaxis(t, 0, -1), (*out.shape, len(t)), order=order), -1, 0)


reshape = primitive(
    np.reshape,
    vjp=[lambda g, _out, _x, shape=None, order="C": np.reshape(g, _x.shape, order=order), None],
    jvp=[LINEAR, None],
    jvps=[_reshape_changes, None],
    examples=[example((3, 4), fixed((2, 6))), example((3, 4), fixed(-1)), example((6,), fixed((2, 3)), order="F")],
)


def _transpose_back(g, _out, _x, axes=None):
    return (
        np.transpose(g) if axes is None else np.transpose(g, tuple(int(i) for i in np.argsort(np.mod(axes, _x.ndim))))
    )


def _transpose_changes(t, out, x, axes=None):
    axes = range(x.ndim)[::-1] if axes is None else np.mod(axes, x.ndim)
    return np.transpose(t, (0, *(int(a) + 1 for a in axes)))


transpose = primitive(
    np.transpose,
    vjp=[_transpose_back, None],
    jvp=[LINEAR, None],
    jvps=[_transpose_changes, None],
    examples=[
        example((2, 3, 4)),
        example((2, 3, 4), fixed((1, -1, 0))),
        example((3,)),
        example((2, 3, 4), axes=(2, 0, 1)),
    ],
)
broadcast_to = primitive(
    np.broadcast_to,
    vjp=[lambda g, _out, _x, shape: g, None],
    jvp=[LINEAR, None],
    jvps=[lambda t, out, x, shape: t, None],
    examples=[example((3, 1), fixed((2, 3, 4))), example((), fixed((2, 3))), example((1,), fixed((0,)))],
)
astype = operation(
    lambda x, dtype: x.astype(dtype),
    vjp=[lambda g, _out, _x, dtype: g, None],
    jvp=[LINEAR, None],
    jvps=[SAME, None],
    # Rounding to float32 would drown what the tests look for.
    examples=[example((3, 4), fixed(np.float64))],
    sympy_array=lambda sp, values, x, dtype: x,
    name="astype",
)


def _concatenate_vjp(index, g, out, *arrays, axis=0):
    start = sum(a.shape[axis] for a in arrays[:index])
    along = [slice(None)] * g.ndim
    along[axis] = slice(start, start + arrays[index].shape[axis])
    return getitem(g, tuple(along))


def _concatenate_jvp(index, t, out, *arrays, axis=0):
    return np.concatenate([t if i == index else np.zeros_like(a) for i, a in enumerate(arrays)], axis=axis)


def _concatenate_jvps(index, t, out, *arrays, axis=0):
    parts = [t if i == index else np.zeros((len(t), *a.shape), a.dtype) for i, a in enumerate(arrays)]
    return np.concatenate(parts, axis=axis % out.ndim + 1)


joined = operation(
    lambda *arrays, axis=0: np.concatenate(arrays, axis=axis),
    vjp=Each(_concatenate_vjp),
    jvp=Each(_concatenate_jvp),
    jvps=Each(_concatenate_jvps),
    examples=[example((2, 3), (1, 3), (4, 3)), example((2, 3), (2, 1), axis=-1), example((0, 2), (3, 2))],
    name="concatenate",
)


def _concatenate(arrays, axis=0):
    if axis is None:
        return joined(*[np.reshape(a, -1) for a in arrays])
    return joined(*arrays, axis=axis)


def _stack(arrays, axis=0):
    return joined(*[np.expand_dims(a, axis) for a in arrays], axis=axis)


def _expand_dims(x, axis):
    axes = axis if isinstance(axis, tuple) else (axis,)
    ndim = np.ndim(x) + len(axes)
    new = {a % ndim for a in axes}
    old = iter(np.shape(x))
    return np.reshape(x, tuple(1 if i in new else next(old) for i in range(ndim)))


def _squeeze(x, axis=None):
    axes = axis if isinstance(axis, tuple) or axis is None else (axis,)
    drop = {i for i, n in enumerate(x.shape) if n == 1} if axes is None else {a % x.ndim for a in axes}
    if any(x.shape[i] != 1 for i in drop):
        raise ValueError(f"only axes of length one can be squeezed; the shape is {x.shape} and axis={axis}")
    return np.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in drop))


def _moveaxis(x, source, destination):
    source, destination = (tuple(np.mod(np.atleast_1d(a), x.ndim)) for a in (source, destination))
    order = [i for i in range(x.ndim) if i not in source]
    for to, come in sorted(zip(destination, source, strict=True)):
        order.insert(to, come)
    return np.transpose(x, tuple(int(i) for i in order))


def _swapaxes(x, axis1, axis2):
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return np.transpose(x, tuple(order))


def _split(x, indices_or_sections, axis=0):
    n = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if n % indices_or_sections:
            raise ValueError(f"an axis of length {n} cannot be split into {indices_or_sections} equal parts")
        cuts = range(n // indices_or_sections, n, n // indices_or_sections)
    else:
        cuts = indices_or_sections
    before = (slice(None),) * (axis % x.ndim)
    ends = [0, *cuts, n]
    return [getitem(x, (*before, slice(a, b))) for a, b in pairwise(ends)]


def _array_split(x, indices_or_sections, axis=0):
    if isinstance(indices_or_sections, int):
        sizes = [len(part) for part in np.array_split(np.arange(x.shape[axis]), indices_or_sections)]
        indices_or_sections = np.cumsum(sizes)[:-1].tolist()
    return _split(x, indices_or_sections, axis)


def _broadcast_arrays(*arrays):
    shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
    return tuple(np.broadcast_to(a, shape) for a in arrays)


def _flip(x, axis=None):
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    turned = {a % x.ndim for a in axes}
    return getitem(x, tuple(slice(None, None, -1 if i in turned else 1) for i in range(x.ndim)))


def _roll(x, shift, axis=None):
    if axis is None:
        return np.reshape(_roll(np.reshape(x, -1), shift, 0), x.shape)
    return np.take(x, (np.arange(x.shape[axis]) - shift) % x.shape[axis], axis=axis)


def _repeat(x, repeats, axis=None):
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    return np.take(x, np.repeat(np.arange(x.shape[axis]), repeats), axis=axis)


def _tile(x, reps):
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    ndim = max(x.ndim, len(reps))
    shape = (1,) * (ndim - x.ndim) + x.shape
    reps = (1,) * (ndim - len(reps)) + reps
    interleaved = [n for pair in zip((1,) * ndim, shape, strict=True) for n in pair]
    copied = [n for pair in zip(reps, shape, strict=True) for n in pair]
    full = np.broadcast_to(np.reshape(x, tuple(interleaved)), tuple(copied))
    return np.reshape(full, tuple(r * n for r, n in zip(reps, shape, strict=True)))


def _diff(x, n=1, axis=-1):
    for _ in range(n):
        before = (slice(None),) * (axis % x.ndim)
        x = getitem(x, (*before, slice(1, None))) - getitem(x, (*before, slice(None, -1)))
    return x


def _widths(pad_width, ndim):
    """Return NumPy's many spellings of ``pad_width`` as one (before, after) pair per axis."""
    return tuple((int(a), int(b)) for a, b in np.broadcast_to(np.asarray(pad_width), (ndim, 2)))


def _unpad(g, _out, _x, widths, value=0.0):
    return getitem(g, tuple(slice(a, a + n) for (a, _), n in zip(widths, _x.shape, strict=True)))


padded = operation(
    lambda x, widths, value=0.0: np.pad(x, widths, constant_values=value),
    vjp=[_unpad, None, None],
    jvp=[lambda t, out, x, widths, value=0.0: np.pad(t, widths), None, None],
    jvps=[lambda t, out, x, widths, value=0.0: np.pad(t, ((0, 0), *widths)), None, None],
    examples=[example((3, 4), fixed(((1, 2), (0, 3)))), example((3,), fixed(((2, 0),)), fixed(7.0))],
    name="pad with a constant",
)


def _pad(x, pad_width, mode="constant", constant_values=0.0):
    if mode == "constant":
        return padded(x, _widths(pad_width, x.ndim), constant_values)
    # Every other mode copies entries to the border: pad the positions and index with them.
    for axis, (a, b) in enumerate(_widths(pad_width, x.ndim)):
        x = np.take(x, np.pad(np.arange(x.shape[axis]), (a, b), mode=mode), axis=axis)
    return x


composite(
    np.concatenate, _concatenate, example([(2, 3), (1, 3)]), example([(2, 3), (2,)], axis=None), name="joined list"
)
composite(np.stack, _stack, example([(2, 3), (2, 3)]), example([(2, 3), (2, 3), (2, 3)], axis=-1), example([(), ()]))
composite(
    np.vstack, lambda arrays: _concatenate([np.atleast_2d(a) for a in arrays]),
    example([(3,), (2, 3)]),
)  # fmt: skip
composite(
    np.hstack, lambda arrays: _concatenate(arrays, axis=0 if np.ndim(arrays[0]) < 2 else 1),
    example([(3,), (2,)]), example([(2, 3), (2, 1)]),
)  # fmt: skip
composite(
    np.column_stack,
    lambda arrays: _concatenate([a if np.ndim(a) > 1 else np.expand_dims(a, 1) for a in arrays], axis=1),
    example([(3,), (3, 2)]),
)  # fmt: skip
composite(
    np.atleast_1d, lambda x: x if np.ndim(x) else np.reshape(x, (1,)),
    example(()), example((2, 3)),
)  # fmt: skip
composite(
    np.atleast_2d, lambda x: np.reshape(x, (1,) * (2 - np.ndim(x)) + np.shape(x)) if np.ndim(x) < 2 else x,
    example(()), example((3,)), example((2, 3)),
)  # fmt: skip
composite(np.expand_dims, _expand_dims, example((2, 3), fixed(1)), example((2, 3), fixed((0, -1))))
composite(np.squeeze, _squeeze, example((1, 3, 1)), example((1, 3, 1), axis=0))
composite(np.ravel, lambda x: np.reshape(x, -1), example((2, 3)))
composite(
    np.moveaxis, _moveaxis, example((2, 3, 4), fixed(0), fixed(-1)), example((2, 3, 4), fixed((0, 2)), fixed((1, 0)))
)
composite(np.swapaxes, _swapaxes, example((2, 3, 4), fixed(0), fixed(-1)))
composite(np.split, _split, example((6, 2), fixed(3)), example((2, 5), fixed([1, 3]), axis=1))
composite(np.array_split, _array_split, example((5, 2), fixed(3)))
composite(np.flip, _flip, example((2, 3)), example((2, 3), axis=1))
composite(np.roll, _roll, example((5,), fixed(2)), example((2, 3), fixed(1), axis=1))
composite(np.repeat, _repeat, example((2, 3), fixed(2)), example((2, 3), fixed([1, 2]), axis=0))
composite(np.tile, _tile, example((2, 3), fixed(2)), example((3,), fixed((2, 2))))
composite(np.diff, _diff, example((5,)), example((3, 4), axis=0, n=2))
composite(
    np.pad, _pad,
    example((3, 4), fixed(((1, 2), (0, 3)))), example((3, 4), fixed(1), mode="edge"),
    example((3,), fixed(2), mode="reflect"),
)  # fmt: skip
composite(np.broadcast_arrays, _broadcast_arrays, example((3, 1), (4,)))
composite(
    np.tril,
    lambda x, k=0: x * np.tri(x.shape[-2], x.shape[-1], k=k, dtype=x.dtype),
    example((3, 4)),
    example((2, 3, 3), k=-1),
)
composite(
    np.triu, lambda x, k=0: x * (1 - np.tri(x.shape[-2], x.shape[-1], k=k - 1, dtype=x.dtype)),
    example((3, 4)), example((2, 3, 3), k=1),
)  # fmt: skip
composite(np.copy, lambda x: astype(x, x.dtype), example((2, 3)))
