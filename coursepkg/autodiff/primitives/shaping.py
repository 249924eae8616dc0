"""Moving entries about without changing them: reshape, transpose, broadcast, join, pad, cast.

Each of these is linear, and its transpose moves the entries back. Most of NumPy's functions for shapes are one of five
primitives in another dress, and are written so.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..dispatch import UnsupportedArgumentError, operation, plain
from ..gate import as_operand
from ..table import LINEAR, SAME, Each, composite, example, fixed, primitive
from .indexing import getitem


def _reshape_changes(t, out, x, shape, order="C"):
    if order == "C":
        return np.reshape(t, (len(t), *out.shape))
    # With the first axis varying fastest, that of the directions has to be the last.
    return np.moveaxis(np.reshape(np.moveaxis(t, 0, -1), (*out.shape, len(t)), order=order), -1, 0)


reshape = primitive(
    np.reshape,
    vjp=[lambda g, out, x, shape, order="C": np.reshape(g, x.shape, order=order)],
    jvp=[LINEAR],
    jvps=[_reshape_changes],
    options="shape order",
    examples=[example((3, 4), shape=(2, 6)), example((3, 4), shape=-1), example((6,), shape=(2, 3), order="F")],
    reads="",
)


def _transpose_back(g, out, x, axes=None):
    return np.transpose(g) if axes is None else np.transpose(g, tuple(int(i) for i in np.argsort(np.mod(axes, x.ndim))))


def _transpose_changes(t, out, x, axes=None):
    axes = range(x.ndim)[::-1] if axes is None else np.mod(axes, x.ndim)
    return np.transpose(t, (0, *(int(a) + 1 for a in axes)))


transpose = primitive(
    np.transpose,
    vjp=[_transpose_back],
    jvp=[LINEAR],
    jvps=[_transpose_changes],
    options="axes",
    examples=[
        example((2, 3, 4)),
        example((2, 3, 4), axes=(1, -1, 0)),
        example((3,)),
        example((2, 3, 4), axes=(2, 0, 1)),
    ],
    reads="",
)
broadcast_to = primitive(
    np.broadcast_to,
    vjp=[lambda g, out, x, shape: g],
    jvp=[LINEAR],
    jvps=[lambda t, out, x, shape: t],
    options="shape",
    examples=[example((3, 1), shape=(2, 3, 4)), example((), shape=(2, 3)), example((1,), shape=(0,))],
    reads="",
)


def _astype(x, dtype):
    """Return the entries in another dtype; the gradient is converted back.

    Conversion to whole numbers is flat wherever it has a derivative, so plain numbers come back.
    """
    return x.astype(dtype)


converted = operation(
    _astype,
    vjp=[lambda g, out, x, dtype: g],
    jvp=[LINEAR],
    jvps=[SAME],
    # Rounding to float32 would drown what the tests look for.
    examples=[example((3, 4), dtype=np.float64)],
    sympy_array=lambda sp, values, x, dtype: x,
    name="astype",
    reads="",
)


def astype(x, dtype):
    """Return the entries in another dtype; the gradient is converted back.

    Parameters
    ----------
    x : array
        The entries.
    dtype : dtype
        What they are converted to. Whole numbers and booleans are flat wherever they have a derivative, so these come
        back as plain arrays.

    Returns
    -------
    array
        As ``numpy.astype``.
    """
    if np.dtype(dtype).kind not in "fc":
        return plain(x).astype(dtype)
    return converted(x, dtype)


def _concatenate_vjp(index, g, out, *arrays, axis=0):
    start = sum(a.shape[axis] for a in arrays[:index])
    along = [slice(None)] * g.ndim
    along[axis] = slice(start, start + arrays[index].shape[axis])
    return getitem(g, tuple(along))


def _concatenate_jvp(index, t, out, *arrays, axis=0):
    return np.concatenate([t if i == index else np.zeros_like(a) for i, a in enumerate(arrays)], axis=axis)


def _concatenate_jvps(index, t, out, *arrays, axis=0):
    parts = [t if i == index else np.zeros((len(t), *a.shape), a.dtype) for i, a in enumerate(arrays)]
    return np.concatenate(parts, axis=normalize_axis_index(axis, out.ndim) + 1)


joined = operation(
    lambda *arrays, axis=0: np.concatenate(arrays, axis=axis),
    vjp=Each(_concatenate_vjp),
    jvp=Each(_concatenate_jvp),
    jvps=Each(_concatenate_jvps),
    examples=[example((2, 3), (1, 3), (4, 3)), example((2, 3), (2, 1), axis=-1), example((0, 2), (3, 2))],
    name="concatenate",
    reads="",
)


def _concatenate(arrays, axis=0):
    if axis is None:
        return joined(*[np.reshape(a, -1) for a in arrays])
    return joined(*arrays, axis=axis)


def _stack(arrays, axis=0):
    return joined(*[np.expand_dims(a, axis) for a in arrays], axis=axis)


def _expand_dims(a, axis):
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = np.ndim(a) + len(axes)
    new = normalize_axis_tuple(axes, ndim, "axis")
    old = iter(np.shape(a))
    return np.reshape(a, tuple(1 if i in new else next(old) for i in range(ndim)))


def _squeeze(a, axis=None):
    if isinstance(axis, list):
        raise TypeError(f"the axes to squeeze are a tuple, got the list {axis}")
    if a.ndim == 0 and axis in (0, -1):
        return a  # NumPy lets a single number pass as a row of one
    drop = [i for i, n in enumerate(a.shape) if n == 1] if axis is None else normalize_axis_tuple(axis, a.ndim, "axis")
    if any(a.shape[i] != 1 for i in drop):
        raise ValueError(f"only axes of length one can be squeezed; the shape is {a.shape} and axis={axis}")
    return np.reshape(a, tuple(n for i, n in enumerate(a.shape) if i not in drop))


def _moveaxis(a, source, destination):
    source = normalize_axis_tuple(source, a.ndim, "source")
    destination = normalize_axis_tuple(destination, a.ndim, "destination")
    if len(source) != len(destination):
        raise ValueError(f"moveaxis needs as many destinations as sources, got {len(source)} and {len(destination)}")
    order = [i for i in range(a.ndim) if i not in source]
    for to, come in sorted(zip(destination, source, strict=True)):
        order.insert(to, come)
    return np.transpose(a, tuple(order))


def _swapaxes(a, axis1, axis2):
    order = list(range(a.ndim))
    i, j = normalize_axis_index(axis1, a.ndim), normalize_axis_index(axis2, a.ndim)
    order[i], order[j] = order[j], order[i]
    return np.transpose(a, tuple(order))


def _split(ary, indices_or_sections, axis=0):
    axis = axis if axis is None else normalize_axis_index(axis, ary.ndim)
    if np.ndim(indices_or_sections) == 0 and axis is not None and ary.shape[axis] % indices_or_sections:
        raise ValueError(f"an axis of length {ary.shape[axis]} cannot be split into {indices_or_sections} equal parts")
    return _array_split(ary, indices_or_sections, axis)


def _array_split(ary, indices_or_sections, axis=0):
    if axis is None:
        raise TypeError("a split needs one axis, got None")
    axis = normalize_axis_index(axis, ary.ndim)
    parts = np.array_split(np.arange(ary.shape[axis]), indices_or_sections)  # NumPy says which positions go together
    before = (slice(None),) * axis
    return [getitem(ary, (*before, slice(p[0], p[-1] + 1) if len(p) else slice(0, 0))) for p in parts]


def _broadcast_arrays(*args):
    args = _arrays(args)
    shape = np.broadcast_shapes(*[a.shape for a in args])
    return tuple(np.broadcast_to(a, shape) for a in args)


def _flip(m, axis=None):
    turned = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim, "axis")
    return getitem(m, tuple(slice(None, None, -1 if i in turned else 1) for i in range(m.ndim)))


def _roll(a, shift, axis=None):
    # NumPy knows where each entry goes, also for several shifts along one axis: roll the positions and pick.
    if axis is None:
        order = np.roll(np.arange(a.size), shift)
        return np.reshape(getitem(np.reshape(a, -1), order), a.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for i in set(normalize_axis_tuple(tuple(axes.ravel().tolist()), a.ndim, "axis", allow_duplicate=True)):
        total = sum(int(s) for s, j in zip(shifts.ravel(), axes.ravel(), strict=True) if j % a.ndim == i)
        a = np.take(a, np.roll(np.arange(a.shape[i]), total), axis=i)
    return a


def _repeat(a, repeats, axis=None):
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    axis = normalize_axis_index(axis, a.ndim)
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)


def _tile(A, reps):
    counts = np.atleast_1d(np.asarray(reps))
    if counts.size and counts.dtype.kind not in "biu":
        raise UnsupportedArgumentError(f"np.tile repeats a whole number of times, got reps={reps!r}")
    reps = tuple(int(r) for r in counts)
    ndim = max(A.ndim, len(reps))
    shape = (1,) * (ndim - A.ndim) + A.shape
    reps = (1,) * (ndim - len(reps)) + reps
    interleaved = [n for pair in zip((1,) * ndim, shape, strict=True) for n in pair]
    copied = [n for pair in zip(reps, shape, strict=True) for n in pair]
    full = np.broadcast_to(np.reshape(A, tuple(interleaved)), tuple(copied))
    return np.reshape(full, tuple(r * n for r, n in zip(reps, shape, strict=True)))


def _diff(a, n=1, axis=-1, prepend=np._NoValue, append=np._NoValue):
    axis = normalize_axis_index(axis, a.ndim)
    if prepend is None or append is None:
        raise TypeError("np.diff puts arrays or numbers before and after, got None; leave it out instead")
    if n < 0:
        raise ValueError(f"diff needs n of at least 0, got {n}")
    if n == 0:
        return a
    edges = [
        e if e is np._NoValue or np.ndim(e) else np.broadcast_to(e, (*a.shape[:axis], 1, *a.shape[axis + 1 :]))
        for e in (prepend, append)
    ]
    parts = [part for part in (edges[0], a, edges[1]) if part is not np._NoValue]
    a = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    before = (slice(None),) * axis
    for _ in range(n):
        a = getitem(a, (*before, slice(1, None))) - getitem(a, (*before, slice(None, -1)))
    return a


def _widths(pad_width, ndim):
    """Return NumPy's many spellings of ``pad_width`` as one (before, after) pair per axis."""
    if isinstance(pad_width, dict):
        pairs = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            pairs[axis] = (width, width) if np.ndim(width) == 0 else tuple(width)
        pad_width = pairs
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise TypeError(f"pad_width counts entries, so it is made of whole numbers; got {pad_width!r}")
    return tuple((int(a), int(b)) for a, b in np.broadcast_to(widths, (ndim, 2)))


padded = operation(
    lambda x, widths: np.pad(x, widths),
    vjp=[
        lambda g, out, x, widths: getitem(g, tuple(slice(a, a + n) for (a, _), n in zip(widths, x.shape, strict=True)))
    ],
    jvp=[LINEAR],
    jvps=[lambda t, out, x, widths: np.pad(t, ((0, 0), *widths))],
    examples=[example((3, 4), widths=((1, 2), (0, 3))), example((3,), widths=((2, 0),))],
    name="pad with zeros",
    reads="",
)
COPYING = ("edge", "reflect", "symmetric", "wrap")


def _pad(array, pad_width, mode="constant", constant_values=np._NoValue):
    widths = _widths(pad_width, array.ndim)
    if mode == "constant":
        x = padded(array, widths)
        if constant_values is np._NoValue or not np.any(constant_values):
            return x
        # NumPy fills axis after axis, so a later axis decides in the corners: let it fill an array of zeros.
        return x + np.pad(np.zeros(array.shape, array.dtype), widths, constant_values=constant_values)
    if mode not in COPYING:
        raise UnsupportedArgumentError(
            f"np.pad(..., mode={mode!r}) is not supported on traced values; there are 'constant', "
            f"{', '.join(map(repr, COPYING))}. Write the other modes with np.concatenate"
        )
    if constant_values is not np._NoValue:
        raise ValueError(f"constant_values goes with mode='constant', got mode={mode!r}")
    # These modes copy entries to the border: pad the positions and pick.
    x = array
    for axis, (a, b) in enumerate(widths):
        x = np.take(x, np.pad(np.arange(x.shape[axis]), (a, b), mode=mode), axis=axis)
    return x


def _column(array):
    return array if np.ndim(array) > 1 else np.expand_dims(np.atleast_1d(array), 1)


def _at_least(ndim):
    def definition(*arys):
        grown = [a if a.ndim >= ndim else _grown(a, ndim) for a in _arrays(arys)]
        return grown[0] if len(grown) == 1 else tuple(grown)

    return definition


def _arrays(values):
    return [as_operand(value, "this function") for value in values]


def _grown(a, ndim):
    """Return an array with more axes, where NumPy's ``atleast_`` functions put them."""
    if ndim == 3 and a.ndim == 2:
        return np.expand_dims(a, 2)
    shape = (1, *a.shape, 1) if ndim == 3 and a.ndim == 1 else (1,) * (ndim - a.ndim) + a.shape
    return np.reshape(a, shape)


def _stacked_rows(tup):
    return _concatenate([np.atleast_2d(a) for a in tup])


def _stacked_columns(tup):
    parts = [np.atleast_1d(a) for a in tup]
    return _concatenate(parts, axis=0 if parts[0].ndim == 1 else 1)


composite(
    np.concatenate, _concatenate, example([(2, 3), (1, 3)]), example([(2, 3), (2,)], axis=None), sequences="arrays",
    name="joined list",
)  # fmt: skip
composite(
    np.stack, _stack, example([(2, 3), (2, 3)]), example([(2, 3), (2, 3), (2, 3)], axis=-1), example([(), ()]),
    sequences="arrays",
)  # fmt: skip
composite(np.vstack, _stacked_rows, example([(3,), (2, 3)]), sequences="tup")
composite(np.hstack, _stacked_columns, example([(3,), (2,)]), example([(2, 3), (2, 1)]), sequences="tup")
composite(
    np.column_stack, lambda tup: _concatenate([_column(a) for a in tup], axis=1), example([(3,), (3, 2)]),
    sequences="tup",
)  # fmt: skip
composite(np.atleast_1d, _at_least(1), example(()), example((2, 3)))
composite(np.atleast_2d, _at_least(2), example(()), example((3,)), example((2, 3)))
composite(np.atleast_3d, _at_least(3), example(()), example((3,)), example((2, 3)), example((2, 3, 2)))
composite(np.expand_dims, _expand_dims, example((2, 3), axis=1), example((2, 3), axis=(0, -1)))
composite(np.squeeze, _squeeze, example((1, 3, 1)), example((1, 3, 1), axis=0))
composite(np.ravel, lambda a, order="C": np.reshape(a, -1, order=order), example((2, 3)), example((2, 3), order="F"))
composite(
    np.moveaxis,
    _moveaxis,
    example((2, 3, 4), source=0, destination=-1),
    example((2, 3, 4), source=(0, 2), destination=(1, 0)),
)
composite(np.swapaxes, _swapaxes, example((2, 3, 4), axis1=0, axis2=-1))
composite(np.split, _split, example((6, 2), indices_or_sections=3), example((2, 5), indices_or_sections=[1, 3], axis=1))
composite(np.array_split, _array_split, example((5, 2), indices_or_sections=3))
composite(np.flip, _flip, example((2, 3)), example((2, 3), axis=1))
composite(
    np.roll, _roll, example((5,), shift=2), example((2, 3), shift=1, axis=1), example((2, 3), shift=(1, 1), axis=(1, 1))
)
composite(np.repeat, _repeat, example((2, 3), repeats=2), example((2, 3), repeats=[1, 2], axis=0))
composite(np.tile, _tile, example((2, 3), reps=2), example((3,), reps=(2, 2)))
composite(np.diff, _diff, example((5,)), example((3, 4), axis=0, n=2), arrays="a prepend append")
composite(
    np.pad,
    _pad,
    example((3, 4), pad_width=((1, 2), (0, 3)), constant_values=2.0),
    example((3, 4), pad_width=1, mode="edge"),
    example((3,), pad_width=2, mode="reflect"),
)
composite(np.broadcast_arrays, _broadcast_arrays, example((3, 1), (4,)))


def _lower(m, k=0):
    # A choice, not a product: zero times infinity would be nan.
    below = np.tri(*m.shape[-2:], k=k, dtype=bool)  # type: ignore[call-overload]
    return np.where(below, m, np.zeros((), m.dtype))


def _upper(m, k=0):
    below = np.tri(*m.shape[-2:], k=k - 1, dtype=bool)  # type: ignore[call-overload]
    return np.where(below, np.zeros((), m.dtype), m)


composite(np.tril, _lower, example((3, 4)), example((2, 3, 3), k=-1))
composite(np.triu, _upper, example((3, 4)), example((2, 3, 3), k=1))
composite(np.copy, lambda a: astype(a, a.dtype), example((2, 3)))
composite(np.astype, lambda x, dtype, copy=True: astype(x, dtype), example((2, 3), fixed(np.float64)))
composite(
    np.full_like, lambda a, fill_value: astype(np.broadcast_to(fill_value, a.shape), a.dtype), example((2, 3), ()),
    arrays="a fill_value",
)  # fmt: skip
