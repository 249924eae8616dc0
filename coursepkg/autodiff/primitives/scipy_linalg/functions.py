"""Functions of matrices: Sylvester's equation, the square root that follows from it, the exponential.

The derivative of an exponential is the corner of a block matrix's (Najfeld and Havel, 1995).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from ...dispatch import UnsupportedArgumentError, operation, plain
from ...table import SAME, example
from ..decompositions import (
    _distinct,
    _each_form,
    _small,
)
from ..linear_algebra import _normal, _well_conditioned
from ..products import mT
from .solving import SYSTEM, _beside
from .standing_in import _computed, _finite, _matrix, _square, standing_in

# --- Sylvester's equation A X + X B = Q, and what follows from it


def _sylvester_form(sp, values, a, b, q):
    if a.ndim > 2 or b.ndim > 2 or q.ndim > 2:
        raise UnsupportedArgumentError("linalg.solve_sylvester of a stack has no symbolic form; take one matrix")
    n, m = q.shape
    system = np.kron(a, np.eye(m, dtype=int)) + np.kron(np.eye(n, dtype=int), b.T)
    found = sp.Matrix(system).LUsolve(sp.Matrix(q.reshape(-1)))
    return np.array(found.tolist(), dtype=object).reshape(n, m)


def _sylvester_back(g, a, b):
    return sylvester(mT(a), mT(b), g)


sylvester: Any = operation(
    lambda a, b, q: linalg.solve_sylvester(a, b, q),
    vjp=[
        lambda g, out, a, b, q: -np.matmul(_sylvester_back(g, a, b), mT(out)),
        lambda g, out, a, b, q: -np.matmul(mT(out), _sylvester_back(g, a, b)),
        lambda g, out, a, b, q: _sylvester_back(g, a, b),
    ],
    jvp=[
        lambda t, out, a, b, q: -sylvester(a, b, np.matmul(t, out)),
        lambda t, out, a, b, q: -sylvester(a, b, np.matmul(out, t)),
        lambda t, out, a, b, q: sylvester(a, b, t),
    ],
    jvps=[
        lambda t, out, a, b, q: -sylvester(a, b, np.matmul(_beside(t, out.ndim), out)),
        lambda t, out, a, b, q: -sylvester(a, b, np.matmul(out, _beside(t, out.ndim))),
        lambda t, out, a, b, q: sylvester(a, b, _beside(t, out.ndim)),
    ],
    examples=[
        example((2, 2), (1, 1), (2, 1), domain=(_well_conditioned, _well_conditioned, _normal)),
        example((1, 1), (2, 2), (1, 2), domain=(_well_conditioned, _well_conditioned, _normal)),
    ],
    sympy_array=_sylvester_form,
    reads="out a b",
    name="sylvester",
)


def _solve_sylvester(a, b, q):
    name = "solve_sylvester"
    if any(x.dtype.kind == "b" for x in (a, b, q)) or len({_computed(x).dtype for x in (a, b, q)}) > 1:
        raise UnsupportedArgumentError(
            f"linalg.{name} takes matrices of one dtype, got {a.dtype}, {b.dtype}, {q.dtype}; convert: x.astype(dtype)"
        )
    a, b, q = _finite(False, _square(_matrix(a, name), name), _square(_matrix(b, name), name), _matrix(q, name))
    if not q.size or q.shape != (len(a), len(b)):
        raise UnsupportedArgumentError(
            f"linalg.{name} takes shapes (m, m), (n, n), (m, n), got {a.shape}, {b.shape}, {q.shape}"
        )
    return sylvester(a, b, q)


def _solve_continuous_lyapunov(a, q):
    a = _square(_matrix(a, "solve_continuous_lyapunov"), "solve_continuous_lyapunov")
    found = linalg.solve_continuous_lyapunov(plain(a), plain(q))  # for SciPy's errors and its dtype
    return np.astype(_solve_sylvester(a, mT(np.conj(a)), q), found.dtype)


def _square_root_form(sp, numbers, m):
    _small(m)
    root = sp.sqrt(m.det())
    return (m + root * sp.eye(2)) / sp.sqrt(m.trace() + 2 * root)


square_root: Any = operation(
    lambda a: np.array(linalg.sqrtm(a)),  # SciPy's result lies in memory that NumPy did not allocate
    vjp=[lambda g, out, a: sylvester(mT(out), mT(out), g)],
    jvp=[lambda t, out, a: sylvester(out, out, t)],
    jvps=[SAME],
    examples=[example((2, 2), domain=_distinct)],
    sympy_array=lambda sp, values, a: _each_form(_square_root_form, sp, values, a),
    reads="out",
    name="square root of a matrix",
)


def _sqrtm(A):
    return square_root(_square(_matrix(_computed(A), "sqrtm"), "sqrtm"))


EQUATION = (_well_conditioned, _well_conditioned, _normal)


solve_sylvester = standing_in(
    linalg.solve_sylvester, _solve_sylvester,
    example((2, 2), (1, 1), (2, 1), domain=EQUATION), example((1, 1), (3, 3), (1, 3), domain=EQUATION), arrays="a b q",
)  # fmt: skip


solve_continuous_lyapunov = standing_in(
    linalg.solve_continuous_lyapunov, _solve_continuous_lyapunov, example((2, 2), (2, 2), domain=SYSTEM), arrays="a q",
)  # fmt: skip


sqrtm = standing_in(
    linalg.sqrtm, _sqrtm, example((2, 2), domain=_distinct), note="no derivative where the matrix is singular"
)

# --- the exponential


def _exponential_change(a, e):
    """Return how exp(a) changes along e: the corner of the exponential of [[a, e], [0, a]]."""
    n, size = a.shape[-1], np.max(np.abs(plain(e)), initial=0.0)
    size = size if 0 < size < np.inf else np.ones_like(size)  # linear in e, whose size should not cost digits
    a = np.broadcast_to(a, e.shape)
    upper = np.concatenate([a, e / size], axis=-1)
    lower = np.concatenate([np.zeros(e.shape, a.dtype), a], axis=-1)
    return exponential(np.concatenate([upper, lower], axis=-2))[..., :n, n:] * size


def _exponential_form(sp, numbers, m):
    _small(m)
    middle = m.trace() / 2
    rest = m - middle * sp.eye(2)
    root = sp.sqrt(-rest.det())
    return sp.exp(middle) * (sp.cosh(root) * sp.eye(2) + sp.sinh(root) / root * rest)


exponential: Any = operation(
    lambda a: linalg.expm(a),
    vjp=[lambda g, out, a: _exponential_change(mT(a), g)],
    jvp=[lambda t, out, a: _exponential_change(a, t)],
    jvps=[lambda t, out, a: _exponential_change(a, t)],
    examples=[example((2, 2), domain=_distinct), example((2, 2, 2), domain=_distinct)],
    sympy_array=lambda sp, values, a: _each_form(_exponential_form, sp, values, a),
    reads="a",
    name="exponential of a matrix",
)


expm = standing_in(linalg.expm, lambda A: exponential(_square(_computed(A), "expm")), example((2, 2), domain=_distinct))
