"""Joining, splitting and picking again: the functions that only say in another way which entry goes where.

The one idea: NumPy knows where each entry goes. Where a function has no shorter form, let NumPy do it to the positions
0, 1, 2, ..., and pick the entries in that order.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..dispatch import UnsupportedArgumentError, plain
from ..gate import as_operand
from ..table import apart, composite, example, fixed
from .indexing import getitem


def _positions(a):
    return np.arange(a.size).reshape(a.shape)


def picked(function):
    """Make a function that moves entries into one that moves traced entries: by their positions."""

    def definition(a, *args, **options):
        return getitem(np.reshape(a, -1), function(_positions(a), *args, **options))

    return definition


# --- turned and split


def _rot90(m, k=1, axes=(0, 1)):
    return picked(np.rot90)(m, k, axes)


def _matrix_transpose(x):
    if x.ndim < 2:
        raise ValueError(f"a matrix transpose needs at least two axes, got shape {x.shape}")
    return np.swapaxes(x, -1, -2)


def _at_least(m, ndim, name):
    if m.ndim < ndim:
        raise ValueError(f"{name} needs at least {ndim} axes, got shape {m.shape}")
    return m


def _rollaxis(a, axis, start=0):
    np.rollaxis(np.broadcast_to(0.0, a.shape), axis, start)  # for NumPy's errors
    axis, start = normalize_axis_index(axis, a.ndim), start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


def _unstack(x, *, axis=0):
    if x.ndim == 0:
        raise ValueError("unstack needs at least one axis, got a single number")
    first = np.moveaxis(x, axis, 0)
    return tuple(getitem(first, i) for i in range(first.shape[0]))


composite(np.fliplr, lambda m: np.flip(_at_least(m, 2, "fliplr"), 1), example((2, 3)), example((2, 3, 4)))
composite(np.flipud, lambda m: np.flip(_at_least(m, 1, "flipud"), 0), example((2, 3)), example((4,)))
composite(np.rot90, _rot90, example((2, 3)), example((2, 3), k=-1), example((2, 3, 4), k=3, axes=(2, 0)))
composite(np.rollaxis, _rollaxis, example((2, 3, 4), axis=2), example((2, 3, 4), axis=-3, start=3))
composite(np.matrix_transpose, _matrix_transpose, example((2, 3)), example((4, 2, 3)))
composite(np.linalg.matrix_transpose, _matrix_transpose, example((2, 3)), example((4, 2, 3)))
composite(np.unstack, _unstack, example((2, 3)), example((2, 3, 2), axis=-1))


def _hsplit(ary, indices_or_sections):
    return np.split(_at_least(ary, 1, "hsplit"), indices_or_sections, axis=0 if ary.ndim == 1 else 1)


def _vsplit(ary, indices_or_sections):
    return np.split(_at_least(ary, 2, "vsplit"), indices_or_sections, axis=0)


def _dsplit(ary, indices_or_sections):
    return np.split(_at_least(ary, 3, "dsplit"), indices_or_sections, axis=2)


composite(
    np.hsplit, _hsplit, example((2, 6), indices_or_sections=3), example((5,), indices_or_sections=[1, 3]),
)  # fmt: skip
composite(np.vsplit, _vsplit, example((4, 3), indices_or_sections=2))
composite(np.dsplit, _dsplit, example((2, 3, 4), indices_or_sections=[1]))

# --- joined


def _append(arr, values, axis=None):
    if axis is None:
        return np.concatenate([np.reshape(arr, -1), np.reshape(values, -1)])
    return np.concatenate([arr, values], axis=axis)


def _block(arrays):
    depth = _depth(arrays)
    ndim = max(depth, *_ndims(arrays), 1)
    parts = _joined(arrays, 1, depth, ndim)
    return parts if depth or ndim > 1 else np.reshape(parts, _shape_of(arrays))


def _shape_of(value):
    return np.shape(plain(value))


def _depth(arrays):
    if isinstance(arrays, tuple):
        raise TypeError("np.block takes lists of arrays, got a tuple")
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError("np.block got an empty list")
    depths = {_depth(part) for part in arrays}
    if len(depths) > 1:
        raise ValueError(f"np.block needs lists that are all nested equally deep, got depths {sorted(depths)}")
    return 1 + depths.pop()


def _ndims(arrays):
    if isinstance(arrays, list):
        return [n for part in arrays for n in _ndims(part)]
    return [np.ndim(as_operand(arrays, "np.block"))]


def _joined(arrays, level, depth, ndim):
    if level > depth:
        part = as_operand(arrays, "np.block")
        return np.reshape(part, (1,) * (ndim - part.ndim) + part.shape)
    return np.concatenate([_joined(part, level + 1, depth, ndim) for part in arrays], axis=level - depth - 1)


def _meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid takes indexing='xy' or 'ij', got {indexing!r}")
    given = [as_operand(x, "np.meshgrid") for x in xi]
    places = list(range(len(given)))
    if indexing == "xy" and len(given) > 1:
        places[:2] = 1, 0
    grids = [
        np.reshape(x, tuple(-1 if i == place else 1 for i in range(len(given)))) if x.size
        else np.reshape(x, tuple(0 if i == place else 1 for i in range(len(given))))
        for x, place in zip(given, places, strict=True)
    ]  # fmt: skip
    return tuple(grids) if sparse or not grids else np.broadcast_arrays(*grids)


composite(
    np.append, _append, example((2, 3), (2,)), example((2, 3), (2, 1), axis=-1), arrays="arr values",
)  # fmt: skip
composite(
    np.dstack, lambda tup: np.concatenate([np.atleast_3d(a) for a in tup], axis=2), example([(3,), (3,)]),
    example([(2, 3), (2, 3)]), sequences="tup",
)  # fmt: skip
composite(np.block, _block, example([(2, 3), (2, 1)]), example([(3,), (2,)]), nested="arrays")
composite(np.meshgrid, _meshgrid, example((3,), (2,)), example((3,), (2,), (4,), indexing="ij"), arrays="")


def _select(condlist, choicelist, default=0):
    if len(condlist) != len(choicelist) or not choicelist:
        raise ValueError(f"select needs one condition per choice, got {len(condlist)} for {len(choicelist)}")
    conditions = [np.asarray(c) for c in condlist]
    if any(c.dtype.kind != "b" for c in conditions):
        raise TypeError("select needs conditions of booleans, such as x > 0")
    shape = np.broadcast_shapes(*[np.shape(c) for c in (*conditions, *choicelist, default)])
    dtype = np.result_type(*[c.dtype for c in choicelist], plain(default))
    out = np.broadcast_to(np.astype(default, dtype) if hasattr(default, "dtype") else dtype.type(default), shape)
    for condition, choice in zip(conditions[::-1], choicelist[::-1], strict=True):
        out = np.where(condition, choice, out)
    return out


composite(
    np.select,
    _select,
    example(fixed([np.arange(4) < 1, np.arange(4) > 2]), [(4,), (4,)], ()),
    example(fixed([np.arange(6).reshape(2, 3) % 2 == 0]), [(3,)], (2, 1)),
    arrays="default",
    sequences="choicelist",
    weak="default",
)


def _linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    right, step = np.linspace(plain(start), plain(stop), num, endpoint, True, dtype, axis)  # type: ignore[call-overload]
    if right.dtype.kind not in "fc":
        raise UnsupportedArgumentError(f"np.linspace(..., dtype={right.dtype}) rounds; round at the end: np.round(x)")
    width = (stop - start) * 1.0
    shares = np.linspace(0.0, 1.0, num, endpoint=endpoint).astype(np.zeros((), width.dtype).real.dtype)
    out = start + width * np.reshape(shares, (-1, *(1,) * width.ndim))
    out = np.astype(np.moveaxis(out, 0, axis), right.dtype)
    steps = num - 1 if endpoint else num
    return (out, width / steps if steps > 0 else step) if retstep else out


composite(
    np.linspace, _linspace, example((), (), num=5), example((2,), (3, 1), num=4, axis=-1, endpoint=False),
    example((2,), (2,), num=3, retstep=True), arrays="start stop",
)  # fmt: skip

# --- picked


def _partition(a, kth, axis=-1, kind="introselect"):
    parted = np.partition(plain(a), kth, axis=axis, kind=kind)
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    a = a if a.ndim else np.reshape(a, parted.shape)
    # Where NumPy put each entry: its argpartition may choose another order than its partition.
    ranked, ranks = (np.argsort(v, axis=axis, kind="stable") for v in (plain(a), parted))
    order = np.empty_like(ranked)
    np.put_along_axis(order, ranks, ranked, axis)
    return np.take_along_axis(a, order, axis)


def _unique(ar, return_index=False, return_inverse=False, return_counts=False, *, equal_nan=True, sorted=True):
    found = np.unique(plain(ar), True, return_inverse, return_counts, equal_nan=equal_nan)
    values = getitem(np.reshape(ar, -1), found[1])
    rest = found[2:] if not return_index else found[1:]
    return (values, *rest) if rest else values


def _delete(arr, obj, axis=None):
    if axis is None:
        return getitem(np.reshape(arr, -1), np.delete(np.arange(arr.size), obj))
    axis = normalize_axis_index(axis, arr.ndim)
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), obj), axis=axis)


def _compress(condition, a, axis=None):
    if axis is None:
        return getitem(np.reshape(a, -1), np.compress(condition, np.arange(a.size)))
    axis = normalize_axis_index(axis, a.ndim)
    return np.take(a, np.compress(condition, np.arange(a.shape[axis])), axis=axis)


def _extract(condition, arr):
    return getitem(np.reshape(arr, -1), np.extract(condition, np.arange(arr.size)))


def _trim_zeros(filt, trim="fb", axis=None):
    kept = np.trim_zeros(np.where(plain(filt) != 0, 1, 0), trim, axis=axis)
    start = np.trim_zeros(np.where(plain(filt) != 0, 1, 0), "f", axis=axis) if "f" in str(trim).lower() else None
    first = [n - m for n, m in zip(filt.shape, start.shape, strict=True)] if start is not None else [0] * filt.ndim
    return getitem(filt, tuple(slice(i, i + n) for i, n in zip(first, kept.shape, strict=True)))


def _diagflat(v, k=0):
    return np.diag(np.reshape(v, -1), k)


def _ediff1d(ary, to_end=None, to_begin=None):
    flat = np.reshape(ary, -1)
    inner = getitem(flat, slice(1, None)) - getitem(flat, slice(None, -1))
    for edge in (to_begin, to_end):
        if edge is not None and not np.can_cast(edge.dtype, ary.dtype, "same_kind"):
            raise TypeError(f"np.ediff1d cannot put {edge.dtype} beside differences of {ary.dtype}")
    parts = [p if p is None else np.astype(np.reshape(p, -1), ary.dtype) for p in (to_begin, inner, to_end)]
    return np.concatenate([p for p in parts if p is not None])


composite(
    np.partition, _partition, example((7,), kth=3, domain=apart), example((3, 4), kth=-1, axis=0, domain=apart),
    note="as sort: each result gets the gradient of the entry that stands there",
)  # fmt: skip
composite(
    np.unique, _unique, example((2, 3)), example((5,), domain=lambda rng, s: rng.permutation(5) + 0.5),
    note="of equal entries the first one gets the gradient",
)  # fmt: skip
composite(np.delete, _delete, example((5,), obj=1), example((3, 4), obj=[0, 2], axis=1))
composite(
    np.compress, _compress, example(fixed([True, False, True]), (3, 2), axis=0), example(fixed([False, True]), (3, 2)),
    arrays="a",
)  # fmt: skip
composite(
    np.extract, _extract, example(fixed(np.arange(6).reshape(2, 3) % 2 == 0), (2, 3)), arrays="arr",
)  # fmt: skip
composite(np.trim_zeros, _trim_zeros, example((5,)))
composite(np.diagflat, _diagflat, example((3,)), example((2, 2), k=-1))
composite(
    np.ediff1d, _ediff1d, example((4,)), example((2, 3), (2,), ()), arrays="ary to_end to_begin",
)  # fmt: skip
