"""The functions of ``numpy.linalg`` that networks use.

For ``solve``, ``inv`` and ``det`` see Giles (2008), "Collected matrix derivative results".
"""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..dispatch import operation, plain
from ..table import LINEAR, SAME, apart, composite, example, primitive, unit
from .products import mT

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


def _well_conditioned(rng, shape):
    """Draw matrices that are far from singular."""
    return rng.uniform(0.2, 1.0, size=shape) + 2.0 * np.eye(shape[-2], shape[-1])


def _complex_well_conditioned(rng, shape):
    """Draw complex matrices that are far from singular."""
    return _well_conditioned(rng, shape) + 0.5j * rng.uniform(-1.0, 1.0, size=shape)


def _sums_apart(rng, shape):
    """Draw arrays of which no two slices have nearly the same sum of sizes."""
    return unit(rng, shape) + 2.0 * rng.choice([-1.0, 1.0], size=shape) * 3.0 ** np.sum(np.indices(shape), axis=0)


def _normal(rng, shape):
    return rng.normal(size=shape)


def _columns(g, b):
    """Return ``g`` as a stack of columns, and whether ``b`` was a single vector."""
    return np.expand_dims(g, -1) if b.ndim == 1 else g


def _solve_matrix(g, out, a, b):
    back = np.linalg.solve(mT(a), _columns(g, b))
    return -np.matmul(back, mT(_columns(out, b)))


def _solve_side(g, out, a, b):
    back = np.linalg.solve(mT(a), _columns(g, b))
    return back[..., 0] if b.ndim == 1 else back


def _solve_matrix_change(t, out, a, b):
    moved = -np.matmul(t, _columns(out, b))
    back = np.linalg.solve(a, moved)
    return back[..., 0] if b.ndim == 1 else back


def _solve_side_changes(t, out, a, b):
    if b.ndim == 1:
        return np.moveaxis(np.linalg.solve(a, np.moveaxis(t, 0, -1)), -1, 0)
    return np.linalg.solve(a, np.reshape(t, (len(t), *(1,) * (a.ndim - b.ndim), *b.shape)))


def _solve_matrix_changes(t, out, a, b):
    stacks = out.ndim - min(b.ndim, 2)
    return _solve_matrix_change(np.reshape(t, (len(t), *(1,) * (stacks + 2 - a.ndim), *a.shape)), out, a, b)


def _sympy_solve(sp, values, a, b):
    return _stacked(sp, lambda m: m.inv(), a) @ b


def _stacked(sp, function, a):
    """Apply a function of a sympy matrix to every matrix of a stack."""
    flat = a.reshape(-1, *a.shape[-2:])
    results = [function(sp.Matrix(m)) for m in flat]
    inner = np.shape(results[0])
    out = np.empty((len(flat), *inner), dtype=object)
    for i, r in enumerate(results):
        out[i] = np.array(r.tolist(), dtype=object) if inner else r
    return out.reshape(a.shape[:-2] + inner)


STACKS = [example((3, 3), domain=_well_conditioned), example((2, 2, 2), domain=_well_conditioned)]

COMPLEX_STACKS = [example(shape, domain=_complex_well_conditioned) for shape in ((2, 2), (3, 1, 1))]

solve = primitive(
    np.linalg.solve,
    vjp=[_solve_matrix, _solve_side],
    jvp=[_solve_matrix_change, LINEAR],
    jvps=[_solve_matrix_changes, _solve_side_changes],
    examples=[
        example((3, 3), (3, 2), domain=(_well_conditioned, _normal)),
        example((3, 3), (3,), domain=(_well_conditioned, _normal)),
        example((2, 2, 2), (2, 2, 1), domain=(_well_conditioned, _normal)),
    ],
    sympy_array=_sympy_solve,
)
inv = primitive(
    np.linalg.inv,
    vjp=[lambda g, out, a: -np.matmul(np.matmul(mT(out), g), mT(out))],
    jvp=[lambda t, out, a: -np.matmul(np.matmul(out, t), out)],
    jvps=[SAME],
    examples=STACKS,
    sympy_array=lambda sp, values, a: _stacked(sp, lambda m: m.inv(), a),
    reads="out",
)


def _as_matrix(g):
    return np.expand_dims(g, (-2, -1))


def _cofactors(out, a):
    """Return the derivatives of the determinant: det(a) times the inverse's transpose; by minors if there is none."""
    try:
        return _as_matrix(out) * mT(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        n = a.shape[-1]
        others = [[k for k in range(n) if k != i] for i in range(n)]
        return np.stack(
            [
                np.stack(
                    [
                        (-1) ** (i + j) * np.linalg.det(a[..., rows, :][..., columns])
                        for j, columns in enumerate(others)
                    ],
                    -1,
                )
                for i, rows in enumerate(others)
            ],
            axis=-2,
        )


def _inverse(a):
    """Return the inverses of a stack of matrices; nan where there is none, as log|det| has no derivative there."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return a * np.nan
        return np.stack([_inverse(m) for m in a])


det = primitive(
    np.linalg.det,
    vjp=[lambda g, out, a: _as_matrix(g) * _cofactors(out, a)],
    jvp=[lambda t, out, a: np.sum(_cofactors(out, a) * t, axis=(-2, -1))],
    jvps=[SAME],
    examples=STACKS,
    sympy_array=lambda sp, values, a: _stacked(sp, lambda m: m.det(), a),
)
logabsdet = operation(
    lambda a: np.linalg.slogdet(a)[1],
    vjp=[lambda g, out, a: _as_matrix(g) * mT(_inverse(a))],
    jvp=[lambda t, out, a: np.sum(mT(_inverse(a)) * t, axis=(-2, -1))],
    jvps=[SAME],
    examples=STACKS,
    sympy_array=lambda sp, values, a: _stacked(sp, lambda m: sp.log(sp.Abs(m.det())), a),
    name="logabsdet",
    reads="a",
)


turning = operation(
    lambda a: np.linalg.slogdet(a)[0],
    vjp=[lambda g, out, a: _as_matrix(-1j * np.real(1j * g * out)) * mT(_inverse(a))],
    jvp=[lambda t, out, a: 1j * out * np.imag(np.sum(mT(_inverse(a)) * t, axis=(-2, -1)))],
    jvps=[SAME],
    examples=COMPLEX_STACKS,
    sympy_array=lambda sp, values, a: _stacked(sp, lambda m: m.det() / sp.Abs(m.det()), a),
    name="sign of complex det",
)


def _slogdet(a):
    # The sign of a real determinant is flat wherever it has a derivative; a complex one turns with the matrix.
    return SlogdetResult(turning(a) if a.dtype.kind == "c" else np.linalg.slogdet(plain(a))[0], logabsdet(a))


composite(np.linalg.slogdet, _slogdet, *STACKS, *COMPLEX_STACKS)


def _root(total, power):
    """Return the root of a sum of powers, with PyTorch's gradient 0 where the sum is 0."""
    zero = total == 0
    inside = np.where(zero, 1.0, total)
    return np.where(zero, 0.0, np.sqrt(inside) if power == 2 else inside ** (1.0 / power))


def _vector_norm(x, ord, axis, keepdims):
    size = np.abs(x)
    if isinstance(ord, str):
        raise ValueError(f"the norm of vectors takes a number as ord, got {ord!r}")
    if ord is None or ord == 2:
        return _root(np.sum(size * size, axis=axis, keepdims=keepdims), 2)
    if ord == 0:  # how many entries are not zero
        return np.sum((size != 0).astype(size.dtype), axis=axis, keepdims=keepdims)
    if ord == 1 or (ord == np.inf and not x.size):
        return np.sum(size, axis=axis, keepdims=keepdims)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    return _root(np.sum(size**ord, axis=axis, keepdims=keepdims), ord)


def _matrix_norm(x, ord, axes):
    """Return norms of matrices that are no norms of their entries; both axes are kept."""
    if ord in ("nuc", 2, -2):
        values = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        found = np.sum(values, axis=-1) if ord == "nuc" else (np.max if ord > 0 else np.min)(values, axis=-1)
        return np.expand_dims(found, axes)
    if ord in (1, -1, np.inf, -np.inf):  # the largest or smallest sum of a column or of a row
        down, across = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=down, keepdims=True)
        return (np.max if ord > 0 else np.min)(sums, axis=across, keepdims=True)
    raise ValueError(f"a norm of matrices has ord 1, 2, inf, their negatives, 'fro' or 'nuc'; got {ord!r}")


def _norm(x, ord=None, axis=None, keepdims=False):
    frobenius = ord is None or (isinstance(ord, str) and ord in ("fro", "f"))
    if axis is None and (ord is None or (x.ndim == 2 and frobenius)):
        return _vector_norm(x, 2, None, keepdims)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (int(axis),)
    axes = normalize_axis_tuple(axes, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"a norm is that of vectors (one axis) or of matrices (two axes), got axis={axis!r}")
    out = _vector_norm(x, 2, axes, True) if frobenius else _matrix_norm(x, ord, axes)
    return out if keepdims else np.squeeze(out, axis=axes)


composite(
    np.linalg.norm,
    _norm,
    example((3, 4)),
    example((3, 4), axis=1),
    example((3, 4), ord=1, axis=0),
    example((5,), ord=3),
    example((5,), ord=np.inf, domain=lambda rng, shape: 4 + apart(rng, shape)),
    example((3, 4), ord="fro", axis=(0, 1), keepdims=True),
    example((3, 4), ord=1, domain=_sums_apart),
    example((2, 3, 4), ord=-np.inf, axis=(-1, 0), domain=_sums_apart),
    example((2, 3, 4), ord=np.inf, axis=(2, 1), keepdims=True, domain=_sums_apart),
)
