"""Products of vectors and of stacks of matrices, under the names of the array API standard and of ``numpy.linalg``."""

from __future__ import annotations

from functools import reduce
from operator import index

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..dispatch import UnsupportedArgumentError
from ..table import complex_normal, composite, example


def _vectors(x, name, least=1):
    if x.ndim < least:
        raise ValueError(f"{name} needs at least {least} axes, got shape {x.shape}")
    return x


def _like(x):
    """Return zeros of a shape that take no room: what NumPy refuses of them, it refuses of ``x``."""
    return np.broadcast_to(0.0, x.shape)


def _vecdot(x1, x2, axis=-1):
    np.vecdot(_like(x1), _like(x2), axis=axis)  # type: ignore[call-overload]
    a, b = (np.moveaxis(_vectors(x, "vecdot"), axis, -1) for x in (x1, x2))
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"vecdot pairs vectors of one length, got {a.shape[-1]} and {b.shape[-1]}")
    return np.sum(np.conj(a) * b, axis=-1)


def _matvec(x1, x2):
    return np.matmul(_vectors(x1, "matvec", 2), np.expand_dims(_vectors(x2, "matvec"), -1))[..., 0]


def _vecmat(x1, x2):
    row = np.expand_dims(np.conj(_vectors(x1, "vecmat")), -2)
    return np.matmul(row, _vectors(x2, "vecmat", 2))[..., 0, :]


VECTORS = [example((4,), (4,)), example((2, 3, 4), (3, 4)), example((3,), (3,), domain=complex_normal)]
composite(np.vecdot, _vecdot, *VECTORS, example((3, 2), (3, 1), axis=0), arrays="x1 x2")
composite(
    np.linalg.vecdot, lambda x1, x2, *, axis=-1: _vecdot(x1, x2, axis), *VECTORS, example((3, 2), (3, 1), axis=-2),
    arrays="x1 x2",
)  # fmt: skip
composite(np.matvec, _matvec, example((3, 4), (4,)), example((2, 3, 4), (5, 1, 4)), arrays="x1 x2")
composite(np.vecmat, _vecmat, example((3,), (3, 4)), example((5, 1, 3), (2, 3, 4)), arrays="x1 x2")


def _linalg_outer(x1, x2):
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"np.linalg.outer takes two vectors, got shapes {x1.shape} and {x2.shape}")
    return np.outer(x1, x2)


composite(np.linalg.outer, _linalg_outer, example((3,), (4,)), arrays="x1 x2")
composite(np.linalg.matmul, lambda x1, x2: np.matmul(x1, x2), example((2, 3), (3, 4)), arrays="x1 x2")
composite(
    np.linalg.tensordot, lambda x1, x2, *, axes=2: np.tensordot(x1, x2, axes), example((2, 3, 4), (3, 4, 5)),
    example((2, 3), (3, 2), axes=([1, 0], [0, 1])), arrays="x1 x2",
)  # fmt: skip
composite(
    np.linalg.diagonal, lambda x, *, offset=0: np.diagonal(x, offset, -2, -1), example((3, 4)),
    example((2, 3, 3), offset=-1),
)  # fmt: skip
composite(
    np.linalg.trace, lambda x, *, offset=0: np.trace(x, offset, -2, -1), example((3, 4)), example((2, 3, 3), offset=1)
)


def _cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    np.cross(_like(a), _like(b), axisa, axisb, axisc, axis)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(_vectors(a, "cross"), axisa, -1), np.moveaxis(_vectors(b, "cross"), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        refusal = UnsupportedArgumentError if {a.shape[-1], b.shape[-1]} <= {2, 3} else ValueError
        raise refusal(f"a cross product takes vectors of length 3, got {a.shape[-1]} and {b.shape[-1]}")
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return np.moveaxis(np.stack(parts, axis=-1), -1, normalize_axis_index(axisc, parts[0].ndim + 1))


composite(
    np.cross, _cross, example((3,), (3,)), example((2, 3), (3,)), example((3, 2), (3, 2), axis=0),
    example((3, 2), (4, 2, 3), axisa=0, axisc=1), arrays="a b",
)  # fmt: skip


def _linalg_cross(x1, x2, *, axis=-1):
    np.linalg.cross(_like(x1), _like(x2), axis=axis)
    return _cross(x1, x2, axis=axis)


composite(
    np.linalg.cross, _linalg_cross, example((2, 3), (2, 3)),
    example((3, 2), (3, 2), axis=0), arrays="x1 x2",
)  # fmt: skip


def _kron(a, b):
    ndim = max(a.ndim, b.ndim)
    left, right = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    rows = np.reshape(a, tuple(n for size in left for n in (size, 1)))
    columns = np.reshape(b, tuple(n for size in right for n in (1, size)))
    return np.reshape(rows * columns, tuple(m * n for m, n in zip(left, right, strict=True)))


composite(np.kron, _kron, example((2, 3), (3, 2)), example((3,), (2,)), example((2,), (2, 1, 3)), arrays="a b")


def _near_one(rng, shape):
    """Draw matrices whose powers neither grow nor fade."""
    return rng.uniform(-0.1, 0.1, size=shape) + np.eye(shape[-1])


def _matrix_power(a, n):
    n = index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"a power needs square matrices, got shape {a.shape}")
    if n < 0:
        a, n = np.linalg.inv(a), -n
    out = None
    while n:  # squares of squares, of which the binary digits of n choose
        if n & 1:
            out = a if out is None else np.matmul(out, a)
        n >>= 1
        a = np.matmul(a, a) if n else a
    return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape).copy() if out is None else out


def _multi_dot(arrays):
    if len(arrays) < 2:
        raise ValueError(f"a chain of products needs at least two arrays, got {len(arrays)}")
    for i, a in enumerate(arrays):
        if a.ndim != 2 and (a.ndim != 1 or 0 < i < len(arrays) - 1):
            raise np.linalg.LinAlgError(f"a chain of products takes matrices (vectors at the ends), got {a.shape}")
    return reduce(np.matmul, arrays)


composite(
    np.linalg.matrix_power, _matrix_power, example((3, 3), n=3, domain=_near_one),
    example((2, 2, 2), n=-2, domain=_near_one), example((3, 3), n=1, domain=_near_one),
)  # fmt: skip
composite(
    np.linalg.multi_dot, _multi_dot, example([(2, 3), (3, 4), (4, 2)]), example([(3,), (3, 4), (4,)]),
    sequences="arrays",
)  # fmt: skip
composite(
    np.linalg.matrix_norm, lambda x, *, keepdims=False, ord="fro": np.linalg.norm(
        _vectors(x, "matrix_norm", 2), ord=ord, axis=(-2, -1), keepdims=keepdims),
    example((3, 4)), example((2, 3, 4), keepdims=True), note="as norm",
)  # fmt: skip


def _vector_norm(x, *, axis=None, keepdims=False, ord=2):
    np.linalg.vector_norm(_like(x), axis=axis, keepdims=keepdims, ord=ord)
    if axis is None:
        out = np.linalg.norm(np.reshape(x, -1), ord=ord)
        return np.reshape(out, (1,) * x.ndim) if keepdims else out
    axes = axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return np.linalg.norm(x, ord=ord, axis=axes[0], keepdims=keepdims)
    axes = tuple(normalize_axis_index(i, x.ndim) for i in axes)
    kept = tuple(i for i in range(x.ndim) if i not in axes)
    moved = np.transpose(x, kept + axes)
    out = np.linalg.norm(np.reshape(moved, (*moved.shape[: len(kept)], -1)), ord=ord, axis=-1)
    return np.reshape(out, tuple(1 if i in axes else n for i, n in enumerate(x.shape))) if keepdims else out


composite(
    np.linalg.vector_norm, _vector_norm, example((3, 4)), example((3, 4), axis=1, ord=3),
    example((2, 3, 4), axis=(0, 2), keepdims=True), note="as norm",
)  # fmt: skip
