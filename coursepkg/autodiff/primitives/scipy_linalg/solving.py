"""Systems of equations: triangles, determinants, factors and what is solved with them.

The one idea is that of Giles (2008), "Collected matrix derivative results": differentiate the equation that defines the
result, and solve for the change; for ``lu`` see Walter and Lehmann (2010).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from ...dispatch import UnsupportedArgumentError, operation, plain
from ...gate import _described, as_operand
from ...table import PRIMITIVES, SAME, example, fixed
from ..decompositions import (
    TRIANGLE,
    _mirrored,
    _symmetric,
)
from ..linear_algebra import STACKS, _columns, _normal, _stacked, _well_conditioned
from ..products import mT
from .standing_in import _computed, _finite, _matrix, _refused, _square, standing_in

# --- triangular systems


def _part(a, lower, unit):
    """Return what is read of a triangular matrix, but for the ones of a unit diagonal."""
    return np.tril(a, -int(unit)) if lower else np.triu(a, int(unit))


def _triangular(a, lower, unit):
    return _part(a, lower, unit) + np.eye(a.shape[-1], dtype=a.dtype) if unit else _part(a, lower, unit)


def _substitute(a, b, lower=False, unit=False):
    if a.ndim == 2 < b.ndim:  # one matrix for a whole stack: the columns side by side
        columns = np.moveaxis(b, -2, 0)
        found = _substitute(a, columns.reshape(len(columns), b.size // max(len(columns), 1)), lower, unit)
        return np.moveaxis(found.reshape(columns.shape), 0, -2)
    return linalg.solve_triangular(a, b, lower=lower, unit_diagonal=unit, check_finite=False)


def _single(x, b):
    return x[..., 0] if b.ndim == 1 else x


def _beside(t, ndim):
    """Give stacked directions the axes of a stack that their operand lacks, so that they align with the result."""
    return np.reshape(t, (len(t), *(1,) * (ndim + 1 - t.ndim), *t.shape[1:]))


def _substitution_back(g, a, b, lower, unit):
    return substitution(mT(a), _columns(g, b), lower=not lower, unit=unit)


def _substitution_matrix(g, out, a, b, lower=False, unit=False):
    back = _substitution_back(g, a, b, lower, unit)
    return -_part(np.matmul(back, mT(_columns(out, b))), lower, unit)


def _substitution_change(t, out, a, b, lower=False, unit=False):
    moved = -np.matmul(_part(t, lower, unit), _columns(out, b))
    return _single(substitution(a, moved, lower=lower, unit=unit), b)


def _substitution_changes(t, out, a, b, lower=False, unit=False):
    return _substitution_change(_beside(t, _columns(out, b).ndim), out, a, b, lower, unit)


def _substitution_side_changes(t, out, a, b, lower=False, unit=False):
    sides = _beside(_columns(t, b), _columns(out, b).ndim)
    return _single(substitution(a, sides, lower=lower, unit=unit), b)


substitution: Any = operation(
    _substitute,
    vjp=[
        _substitution_matrix,
        lambda g, out, a, b, lower=False, unit=False: _single(_substitution_back(g, a, b, lower, unit), b),
    ],
    jvp=[
        _substitution_change,
        lambda t, out, a, b, lower=False, unit=False: _single(
            substitution(a, _columns(t, b), lower=lower, unit=unit), b
        ),
    ],
    jvps=[_substitution_changes, _substitution_side_changes],
    options="lower unit",
    examples=[
        example((3, 3), (3, 2), lower=True, domain=(_well_conditioned, _normal)),
        example((3, 3), (3,), unit=True, domain=(_well_conditioned, _normal)),
        example((2, 2), (4, 2, 1), domain=(_well_conditioned, _normal)),
        example((3, 2, 2), (2, 1), lower=True, domain=(_well_conditioned, _normal)),
    ],
    sympy_array=lambda sp, values, a, b, lower=False, unit=False: (
        _stacked(sp, lambda m: m.inv(), _triangular(a, lower, unit)) @ b
    ),
    name="substitution",
)


def _transposed(a, trans):
    """Return the matrix that ``trans`` asks for, and whether that turns its triangles around."""
    how = {"N": 0, "T": 1, "C": 2}.get(trans) if isinstance(trans, str) else trans
    if type(how) is not int or how not in (0, 1, 2):
        raise UnsupportedArgumentError(f"trans is 0 or 'N', 1 or 'T', 2 or 'C', got {trans!r}")
    return (a, mT(a), mT(np.conj(a)))[how], how != 0


def _solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, check_finite=True):
    a, b = _finite(check_finite, a, b)
    a, turned = _transposed(_square(a, "solve_triangular"), trans)
    return substitution(a, b, lower=bool(lower) != turned, unit=bool(unit_diagonal))


SYSTEM = (_well_conditioned, _normal)


solve_triangular = standing_in(
    linalg.solve_triangular,
    _solve_triangular,
    example((3, 3), (3, 2), lower=True, domain=SYSTEM),
    example((3, 3), (3,), trans="T", domain=SYSTEM),
    example((2, 2), (2, 1), trans=2, lower=True, unit_diagonal=True, domain=SYSTEM),
    arrays="a b",
    note="only the triangle that is read gets a gradient",
)

# --- systems and determinants


def _symmetric_part(a, lower):
    half = np.tril(a, -1) if lower else np.triu(a, 1)
    return half + mT(half) + a * np.eye(a.shape[-1], dtype=a.dtype)


READ: dict[Any, Callable[..., Any]] = {
    None: lambda a, lower: a,
    "gen": lambda a, lower: a,
    "general": lambda a, lower: a,
    "sym": _symmetric_part,
    "symmetric": _symmetric_part,
    "her": _mirrored,
    "hermitian": _mirrored,
    "pos": _mirrored,
    "positive definite": _mirrored,
    "diagonal": lambda a, lower: a * np.eye(a.shape[-1], dtype=a.dtype),
    "upper triangular": lambda a, lower: np.triu(a),
    "lower triangular": lambda a, lower: np.tril(a),
}


"""What SciPy reads of a matrix, as a whole one, by the structure that it is told."""


def _read(a, assume_a, lower, name):
    if not isinstance(assume_a, (str, type(None))) or assume_a not in READ:
        _refused(name, f"assume_a={assume_a!r}", f"take one of {', '.join(filter(None, READ))}")
    return READ[assume_a](_square(a, name), lower)


def _solve(
    a, b, lower=False, check_finite=True, assume_a=None, transposed=False
):  # fmt: skip
    linalg.solve(  # for SciPy's errors, such as that of a matrix that is not positive definite
        plain(a), plain(b), lower=lower, check_finite=check_finite, assume_a=assume_a, transposed=transposed
    )
    a = _read(a, assume_a, lower, "solve")
    a, b = _finite(False, a, b)
    return np.linalg.solve(mT(a) if transposed else a, b)


def _inv(a, check_finite=True, *, assume_a=None, lower=False):
    (a,) = _finite(check_finite, a)
    if assume_a in ("pos", "positive definite"):
        linalg.inv(plain(a), assume_a=assume_a, lower=lower)  # for SciPy's errors
    return np.linalg.inv(_read(a, assume_a, lower, "inv"))


def _determinant(a, single=False):
    """Return the determinant as SciPy does: of single precision's factors, multiplied in double precision."""
    return np.asarray(linalg.det(a.astype("F" if a.dtype.kind == "c" else "f") if single else a), a.dtype)


DET: Any = PRIMITIVES[np.linalg.det]


determinant: Any = operation(
    _determinant,
    vjp=[lambda g, out, a, single=False: DET.vjp[0](g, out, a)],
    jvp=[lambda t, out, a, single=False: DET.jvp[0](t, out, a)],
    jvps=[SAME],
    options="single",
    examples=[STACKS[0]],
    sympy_array=lambda sp, values, a, single=False: DET.sympy_array(sp, values, a),
    name="determinant",
)


def _det(a, check_finite=True):
    (a,) = _finite(check_finite, a)
    wide = np.astype(_square(a, "det"), np.result_type(a.dtype, np.float64))
    return determinant(wide, single=a.dtype.char in "fF")


solve = standing_in(
    linalg.solve,
    _solve,
    example((3, 3), (3, 2), domain=SYSTEM),
    example((3, 3), (3,), assume_a="pos", domain=(_symmetric, _normal)),
    example((3, 3), (3, 1), assume_a="sym", lower=True, transposed=True, domain=SYSTEM),
    arrays="a b",
    note="with assume_a, only what is read gets a gradient",
)


inv = standing_in(linalg.inv, _inv, STACKS[0])


det = standing_in(linalg.det, _det, STACKS[0])

# --- factors and what is solved with them


def _cholesky(a, lower=False, check_finite=True):
    (a,) = _finite(check_finite, a)
    return np.linalg.cholesky(_square(a, "cholesky"), upper=not lower)


@functools.wraps(linalg.cho_factor)
def cho_factor(*args: Any, **kwargs: Any) -> Any:
    lower = inspect.signature(linalg.cho_factor).bind(*args, **kwargs).arguments.get("lower", False)
    return _stored_factor(*args, **kwargs), lower


def _pair(given, name):
    """Return the two halves of a factorization."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise UnsupportedArgumentError(
            f"linalg.{name} takes the pair that the factorization gave, got {_described(given)}"
        )
    return given


def _cho_solve(c_and_lower, b, check_finite=True):
    c, lower = _pair(c_and_lower, "cho_solve")
    lower = bool(plain(lower))
    c, b = _finite(check_finite, as_operand(c, "linalg.cho_solve"), b)
    c = _square(c, "cho_solve")
    first, second = (c, mT(np.conj(c))) if lower else (mT(np.conj(c)), c)
    return substitution(second, substitution(first, b, lower=True))


def _halves(packed):
    """Return the two factors that LAPACK stores in one matrix."""
    return np.tril(packed, -1) + np.eye(packed.shape[-1], dtype=packed.dtype), np.triu(packed)


def _lu_inside(a, packed):
    """Return ``inv(L) @ a @ inv(U)``."""
    return mT(substitution(mT(packed), mT(substitution(packed, a, lower=True, unit=True)), lower=True))


def _lu_change(t, out, a, rows):
    lower, upper = _halves(out)
    inner = _lu_inside(np.take(t, rows, axis=-2), out)
    return np.tril(np.matmul(lower, np.tril(inner, -1)), -1) + np.triu(np.matmul(np.triu(inner), upper))


def _lu_vjp(g, out, a, rows):
    lower, upper = _halves(out)
    inner = np.tril(np.matmul(mT(lower), np.tril(g, -1)), -1) + np.triu(np.matmul(np.triu(g), mT(upper)))
    back = substitution(mT(out), inner, unit=True)
    return mT(substitution(out, mT(back)))[np.argsort(rows)]


def _lu_form(sp, values, a, rows):
    m = a[rows].copy()
    for k in range(len(m)):
        m[k + 1 :, k] = m[k + 1 :, k] / m[k, k]
        m[k + 1 :, k + 1 :] = m[k + 1 :, k + 1 :] - np.outer(m[k + 1 :, k], m[k, k + 1 :])
    return m


def _upside_down(rng, shape):
    """Draw matrices of which elimination exchanges the rows."""
    return _well_conditioned(rng, shape)[..., ::-1, :]


packed_factors: Any = operation(
    lambda a, rows: linalg.lu_factor(a, check_finite=False)[0],
    vjp=[_lu_vjp, None],
    jvp=[_lu_change, None],
    jvps=[SAME, None],
    examples=[
        example((3, 3), fixed(np.arange(3)), domain=_well_conditioned),
        example((2, 2), fixed(np.array([1, 0])), domain=_upside_down),
    ],
    sympy_array=_lu_form,
    reads="out rows",
    name="lower and upper factor in one matrix",
)


def _order(pivots):
    """Return the order of the rows that LAPACK's exchanges leave."""
    rows = np.arange(len(pivots))
    for i, j in enumerate(pivots):
        rows[[i, j]] = rows[[j, i]]
    return rows


def _factored(a, check_finite, name):
    (a,) = _finite(check_finite, a)
    if a.shape[-1] != a.shape[-2]:
        raise UnsupportedArgumentError(f"linalg.{name} of traced values takes a square matrix, got shape {a.shape}")
    pivots = linalg.lu_factor(plain(a), check_finite=False)[1]
    return packed_factors(a, _order(pivots)), pivots


def _lu_factor(a, check_finite=True):
    return _factored(_matrix(a, "lu_factor"), check_finite, "lu_factor")


def _lu(a, permute_l=False, check_finite=True, p_indices=False):
    packed, pivots = _factored(_matrix(a, "lu"), check_finite, "lu")
    (lower, upper), back = _halves(packed), np.argsort(_order(pivots))
    if permute_l:
        return lower[back], upper
    places = back.astype(np.int32) if p_indices else np.eye(len(back), dtype=np.finfo(packed.dtype).dtype)[back]
    return places, lower, upper


def _lu_solve(lu_and_piv, b, trans=0, check_finite=True):
    packed, pivots = _pair(lu_and_piv, "lu_solve")
    packed, b = _finite(check_finite, as_operand(packed, "linalg.lu_solve"), b)
    packed, rows = _square(_matrix(packed, "lu_solve"), "lu_solve"), _order(plain(pivots))
    if b.ndim not in (1, 2) or len(rows) != b.shape[0]:
        raise UnsupportedArgumentError(
            f"linalg.lu_solve: factors of shape {packed.shape} do not fit the right side's shape {b.shape}"
        )
    a, turned = _transposed(packed, trans)
    if not turned:
        return substitution(a, substitution(a, b[rows], lower=True, unit=True))
    return substitution(a, substitution(a, b, lower=True), unit=True)[np.argsort(rows)]


cholesky = standing_in(
    linalg.cholesky, _cholesky, example((2, 2), domain=_symmetric), example((2, 2), lower=True, domain=_symmetric),
    note=TRIANGLE.replace("NumPy", "SciPy"),
)  # fmt: skip


def _cho_factor(a, lower=False, check_finite=True):
    factor = _cholesky(a, lower, check_finite=check_finite)
    return factor + _part(_computed(a), not lower, True)  # SciPy leaves the other triangle as it was


@functools.wraps(linalg.cho_factor)
def _factor_alone(*args: Any, **kwargs: Any) -> Any:
    return linalg.cho_factor(*args, **kwargs)[0]


_stored_factor = standing_in(
    _factor_alone, _cho_factor, example((2, 2), domain=_symmetric), example((2, 2), lower=True, domain=_symmetric)
)


FACTOR = np.array([[1.5, 0.7], [0.4, 0.9]])


cho_solve = standing_in(
    linalg.cho_solve, _cho_solve, example(fixed((FACTOR, True)), (2, 3)), example(fixed((FACTOR, False)), (2,)),
    arrays="b", nested="c_and_lower", note="the pair of `linalg.cho_factor`, which is followed too",
)  # fmt: skip


lu = standing_in(
    linalg.lu, _lu, example((3, 3), domain=_well_conditioned), example((2, 2), permute_l=True, domain=_upside_down),
    note="one square matrix",
)  # fmt: skip


lu_factor = standing_in(
    linalg.lu_factor, _lu_factor, example((3, 3), domain=_well_conditioned), example((2, 2), domain=_upside_down),
    note="one square matrix",
)  # fmt: skip


lu_solve = standing_in(
    linalg.lu_solve, _lu_solve, example(fixed((FACTOR, np.array([1, 1]))), (2, 3)),
    example(fixed((FACTOR, np.array([1, 1]))), (2,), trans=1), arrays="b", nested="lu_and_piv",
    note="one square matrix",
)  # fmt: skip
