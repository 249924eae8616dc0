"""Picking entries: ``x[index]``, ``take_along_axis``, ``sort``.

Picking copies some entries forward, so backward each gradient goes back to where its entry came from, and an entry that
was picked twice gets the sum of both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..dispatch import Traced, UnsupportedArgumentError, apply, operation, plain
from ..table import LINEAR, apart, composite, example, primitive


class Patch:
    """A gradient that is zero outside ``x[index]``, not yet spread out.

    A loop over ``x[0], x[1], ...`` would otherwise make one full array of zeros per step; the backward pass adds
    patches into one buffer instead.
    """

    shape = dtype = None

    def __init__(self, g: np.ndarray, index: Any, basic: bool) -> None:
        self.g, self.index, self.basic = g, index, basic

    def add_to(self, buffer: np.ndarray) -> None:
        """Add the patch to an array in place."""
        if self.basic:
            index = self.index if type(self.index) is tuple else (self.index,)
            part = buffer[index if Ellipsis in index else (*index, ...)]  # a view, also of a single entry
            part += self.g
        else:
            np.add.at(buffer, self.index, self.g)

    def spread(self, like: Any) -> np.ndarray:
        """Return the full gradient, of the shape and dtype of ``like``."""
        buffer = np.zeros(like.shape, np.result_type(self.g.dtype, like.dtype))
        if self.basic:
            buffer[self.index] = self.g
        else:
            np.add.at(buffer, self.index, self.g)
        return buffer


BASIC = frozenset({slice, int, type(None), type(Ellipsis)})


def is_basic(index: Any) -> bool:
    """Return whether an index holds only integers, slices, ``...`` and None, so that no entry is picked twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return BASIC.issuperset(map(type, parts)) or all(
        type(p) in BASIC or (isinstance(p, np.integer) and not isinstance(p, bool)) for p in parts
    )


def behind_the_first(index: Any) -> Any:
    """Return an index that does behind a first axis what ``index`` does, or None if NumPy's rules know none.

    Arrays among the indices count as one block if they stand together (integers beside them belong to it); if slices
    stand between them, NumPy moves the result's axes to the front.
    """
    parts = index if isinstance(index, tuple) else (index,)
    if not is_basic(index):
        block = [i for i, p in enumerate(parts) if p is not None and p is not Ellipsis and not isinstance(p, slice)]
        if block[-1] - block[0] >= len(block):
            return None
    return (slice(None), *parts)


def _scatter(g, index, shape):
    """The transpose of ``x[index]``: zeros of the given shape with ``g`` added at ``index``."""
    buffer = np.zeros(shape, g.dtype)
    Patch(g, index, is_basic(index)).add_to(buffer)
    return buffer


def _scatter_changes(t, index, shape):
    return NotImplemented if index is None else scatter(t, index, (len(t), *shape))


scatter: Any = operation(
    _scatter,
    vjp=[lambda g, out, x, index, shape: getitem(g, index)],
    jvp=[LINEAR],
    jvps=[lambda t, out, x, index, shape: _scatter_changes(t, behind_the_first(index), shape)],
    examples=[
        example((2, 3), index=(slice(0, 4, 2),), shape=(5, 3)),
        example((3, 2), index=np.array([0, 2, 0]), shape=(4, 2)),
    ],
    name="scatter",
    reads="",
)


def settled(index: Any) -> Any:
    """Return an index that nobody can change: without traced values, with copies of its lists and of its arrays, unless
    they are frozen."""
    if is_basic(index):
        return index
    parts = plain(index) if isinstance(index, tuple) else (plain(index),)
    return tuple(_copied(p) if isinstance(p, (np.ndarray, list)) else p for p in parts)


def _copied(positions: Any) -> np.ndarray:
    """Return positions as an array of its own; an empty list picks nothing, so its entries are whole numbers."""
    if type(positions) is np.ndarray and not positions.flags.writeable and positions.base is None:
        return positions
    return np.array(positions, dtype=np.intp if isinstance(positions, list) and not positions else None)


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``, with the index settled."""
    return apply(PICK, (x,), {"index": settled(index)}) if isinstance(x, Traced) else x[index]


def _getitem(x, index):
    return x[index]


def _getitem_vjp(g, out, x, index):
    return scatter(g, index, x.shape) if isinstance(g, Traced) else Patch(g, index, is_basic(index))


def _getitem_changes(t, out, x, index):
    index = behind_the_first(index)
    return NotImplemented if index is None else getitem(t, index)


PICK = primitive(
    getitem,
    forward=_getitem,
    vjp=[_getitem_vjp],
    jvp=[LINEAR],
    jvps=[_getitem_changes],
    examples=[
        example((3, 4), index=(slice(None), 1)),
        example((3, 4), index=(slice(None, None, -2), None, slice(1, 3))),
        example((2, 3, 4), index=(Ellipsis, 0)),
        example((5, 3), index=np.array([0, 3, 3, 1])),
        example((3, 4), index=(np.array([0, 2, 2]), np.array([1, 3, 3]))),
        example((3, 4), index=np.arange(12).reshape(3, 4) % 3 == 0),
        example((3, 4), index=(np.array([[0], [2]]), slice(1, None))),
        example((3, 4), index=[2, 0, 2]),
        example((4,), index=2),
        example((3, 4), index=slice(0, 0)),
    ],
    name="getitem",
    options="index",
    reads="",
)


def _take_along_axis(arr, indices, axis=-1):
    indices = plain(indices)
    if type(indices) is not np.ndarray or indices.dtype.kind not in "iu":
        raise UnsupportedArgumentError(f"np.take_along_axis needs an array of whole numbers, got indices={indices!r}")
    if axis is None:
        if indices.ndim != 1:
            raise ValueError(f"with axis=None, take_along_axis needs indices with one axis, got {indices.ndim}")
        return getitem(np.reshape(arr, -1), indices)
    axis = normalize_axis_index(axis, arr.ndim)
    if indices.ndim != arr.ndim:
        raise ValueError(f"take_along_axis needs indices with {arr.ndim} axes like the array, got {indices.ndim}")
    # Along every other axis the indices are those of the entry itself, or of all entries where indices have length one.
    grid: list[Any] = [
        np.arange(n).reshape([-1 if i == d else 1 for i in range(arr.ndim)]) for d, n in enumerate(arr.shape)
    ]
    grid = [
        g if n == arr.shape[d] or n == 1 or d == axis else np.zeros_like(g)
        for d, (g, n) in enumerate(zip(grid, indices.shape, strict=True))
    ]
    grid[axis] = indices
    return getitem(arr, tuple(grid))


def _take(a, indices, axis=None):
    indices = np.asarray(indices)
    if indices.size and indices.dtype.kind not in "biu":
        raise UnsupportedArgumentError(f"np.take needs whole numbers as indices, got dtype {indices.dtype}")
    indices = indices.astype(int)
    if axis is None:
        return getitem(np.reshape(a, -1), (indices,))
    return getitem(a, (slice(None),) * normalize_axis_index(axis, a.ndim) + (indices,))


def _sort(a, axis=-1, kind=None, stable=None):
    np.sort(np.zeros(0), kind=kind, stable=stable)  # for NumPy's errors; here equal entries always keep their order
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    return _take_along_axis(a, np.argsort(plain(a), axis=axis, kind="stable"), axis)


composite(
    np.take_along_axis,
    _take_along_axis,
    example((3, 4), indices=np.array([[1, 1, 3], [0, 2, 0], [3, 3, 3]]), axis=1),
    example((3, 4), indices=np.array([[2, 0, 1, 1]]), axis=0),
    example((3, 4), indices=np.array([5, 0, 5]), axis=None),
)
composite(np.take, _take, example((3, 4), indices=[0, 5, 5]), example((3, 4), indices=[[3, 1], [1, 1]], axis=1))
composite(
    np.sort,
    _sort,
    example((3, 4), domain=apart),
    example((3, 4), axis=0, domain=apart),
    example((2, 3), axis=None, domain=apart),
)
