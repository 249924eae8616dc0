"""SciPy's linear algebra: what ``coursepkg.autodiff.linalg`` offers.

SciPy's own functions ask their arguments for plain arrays. So each of them has a stand-in here, with SciPy's signature:
plain arrays go to SciPy, traced values through the table. The one idea of the rules is that of Giles (2008), "Collected
matrix derivative results": differentiate the equation that defines the result, and solve for the change. For the
exponential it is Najfeld and Havel's (1995) block matrix, whose corner is the derivative; for ``lu`` see Walter and
Lehmann (2010).

Where SciPy reads one triangle only, or a diagonal of ones that is not there, only what is read gets a gradient.
Where signs of vectors are open, SciPy's are taken.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from ..dispatch import UnsupportedArgumentError, operation, plain
from ..gate import _described, _holds_traced, as_operand, bind, composite_call, parameters_of, public_name
from ..table import PRIMITIVES, SAME, Example, apart, composite, example, fixed
from .decompositions import (
    TRIANGLE,
    _distinct,
    _each_form,
    _mirrored,
    _no_phases,
    _small,
    _symmetric,
    pseudoinverse,
    refuse_cuts,
    singular_values,
)
from .linear_algebra import STACKS, _columns, _normal, _stacked, _sums_apart, _well_conditioned
from .products import mT

__all__ = [
    "block_diag", "cho_factor", "cho_solve", "cholesky", "circulant", "det", "eig", "eigh", "eigvals", "eigvalsh",
    "expm", "hankel", "inv", "khatri_rao", "lstsq", "lu", "lu_factor", "lu_solve", "norm", "pinv", "qr", "solve",
    "solve_continuous_lyapunov", "solve_sylvester", "solve_triangular", "sqrtm", "svd", "svdvals", "toeplitz",
]  # fmt: skip


def standing_in(
    function: Callable[..., Any], definition: Callable[..., Any], *examples: Example, **properties: Any
) -> Any:
    """Make a function of SciPy's signature that is SciPy's on plain arrays, and a composite on traced ones.

    Parameters
    ----------
    function : callable
        SciPy's.
    definition, *examples, **properties
        As for :func:`~coursepkg.autodiff.table.composite`.

    Returns
    -------
    callable
        The function to export.
    """

    @functools.wraps(function)
    def traced_or_plain(*args: Any, **kwargs: Any) -> Any:
        if any(map(_holds_traced, (*args, *kwargs.values()))):
            _check_switches(traced_or_plain, args, kwargs)
            return composite_call(entry, args, kwargs)
        return function(*args, **kwargs)

    entry = composite(traced_or_plain, definition, *examples, name=f"scipy.linalg.{function.__name__}", **properties)
    return traced_or_plain


def _check_switches(function, args, kwargs):
    """Refuse what LAPACK does not take for true or false."""
    for key, value in bind(function, args, kwargs)[0].items():
        if type(parameters_of(function).defaults.get(key)) is not bool or _holds_traced(value):
            continue
        if not isinstance(value, (bool, int, np.bool_, np.integer)) or value not in (0, 1):
            raise UnsupportedArgumentError(f"{public_name(function)}(..., {key}=...) is True or False, got {value!r}")


def _computed(x):
    """Return an array in the precision that LAPACK computes with: float16 as float32, whole numbers as float64."""
    chars = {"e": np.float32, "G": np.complex128}
    return x if x.dtype.char in "fdFD" else np.astype(x, chars.get(x.dtype.char, np.float64))


def _finite(check_finite, *arrays):
    """Return arrays as LAPACK takes them; refuse infinities and nan as SciPy does."""
    for a in arrays if check_finite else ():
        np.asarray_chkfinite(plain(a))
    return tuple(map(_computed, arrays))


def _matrix(a, name):
    if a.ndim != 2:
        raise UnsupportedArgumentError(
            f"linalg.{name} of traced values takes one matrix, got shape {a.shape}; call it once for each of a stack"
        )
    return a


def _square(a, name):
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise UnsupportedArgumentError(f"linalg.{name} of traced values takes square matrices, got shape {a.shape}")
    return a


def _refused(name, option, advice):
    raise UnsupportedArgumentError(f"linalg.{name}(..., {option}) is not supported on traced values; {advice}")


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
    linalg.solve_sylvester, _solve_sylvester, example((3, 3), (2, 2), (3, 2), domain=EQUATION), arrays="a b q",
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

# --- eigenvalues, singular values, QR


def _aligned(v, theirs):
    """Return the signs that turn columns into those that SciPy gives."""
    return np.sign(np.sum(plain(v) * theirs, axis=-2, keepdims=True))


def _uplo(lower):
    return "L" if lower else "U"


def _reduced(a, b, lower):
    """Return the matrix whose eigenvalues are those of a v = w b v, and the lower Cholesky factor of b."""
    factor = np.linalg.cholesky(_mirrored(b, lower))
    half = substitution(factor, _mirrored(a, lower), lower=True)
    return substitution(factor, mT(np.conj(half)), lower=True), factor


def _symmetric_problem(name, a, b, check_finite):
    given = _finite(check_finite, a) if b is None else _finite(check_finite, a, b)
    return [np.astype(_square(_matrix(x, name), name), np.result_type(*(y.dtype for y in given))) for x in given]


def _among(subset):
    if subset is None:
        return slice(None)
    if np.shape(subset) != (2,) or np.asarray(subset).dtype.kind not in "iu":
        _refused("eigh", f"subset_by_index={subset!r}", "give the first and the last index: [0, 2]")
    return slice(int(subset[0]), int(subset[1]) + 1)


def _eigh(a, b=None, *, lower=True, eigvals_only=False, check_finite=True, subset_by_index=None):
    given = _symmetric_problem("eigh", a, b, check_finite)
    among = _among(subset_by_index)
    found = linalg.eigh(
        plain(a), plain(b), lower=lower, eigvals_only=eigvals_only, subset_by_index=subset_by_index
    )  # for SciPy's errors and signs
    matrix, factor = (given[0], None) if b is None else _reduced(given[0], given[1], lower)
    uplo = _uplo(lower or factor is not None)
    if eigvals_only:
        return np.linalg.eigvalsh(matrix, uplo)[..., among]
    _no_phases(matrix, "linalg.eigh", "linalg.eigvalsh")
    w, v = np.linalg.eigh(matrix, uplo)
    v = v if factor is None else substitution(mT(factor), v)
    w, v = w[..., among], v[..., among]
    return w, v * _aligned(v, found[1]) if found[1].size == v.size else v


def _eigvalsh(a, b=None, *, lower=True, check_finite=True, subset_by_index=None):
    return _eigh(a, b, lower=lower, eigvals_only=True, check_finite=check_finite, subset_by_index=subset_by_index)


def _complex(w):
    return np.astype(w, np.result_type(w.dtype, np.complex64))


def _eig(a, right=True, check_finite=True):
    (a,) = _finite(check_finite, _square(a, "eig"))
    if not right:
        return _complex(np.linalg.eigvals(a))
    w, v = np.linalg.eig(a)
    return _complex(w), v * _aligned(v, linalg.eig(plain(a))[1])


def _eigvals(a, check_finite=True):
    return _eig(a, right=False, check_finite=check_finite)


def _svd(a, full_matrices=True, compute_uv=True, check_finite=True):
    if a.ndim < 2:
        _matrix(a, "svd")
    (a,) = _finite(check_finite, a)
    if not compute_uv:
        return singular_values(a)
    if full_matrices and a.shape[-1] != a.shape[-2]:
        _refused("svd", "full_matrices=True", "it adds columns that nothing determines; write full_matrices=False")
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    signs = _aligned(u, linalg.svd(plain(a), full_matrices=False)[0])
    return u * signs, s, mT(signs) * vh


def _svdvals(a, check_finite=True):
    return _svd(a, compute_uv=False, check_finite=check_finite)


def _qr(a, mode="full", pivoting=False, check_finite=True):
    if mode not in ("full", "economic", "r"):
        _refused("qr", f"mode={mode!r}", "take 'economic', 'r', or 'full' for a matrix that is not tall")
    (a,) = _finite(check_finite, _matrix(a, "qr"))
    rows, columns = a.shape
    if mode == "full" and rows > columns:
        _refused("qr", "mode='full'", "it adds columns that nothing determines; write mode='economic'")
    theirs = linalg.qr(plain(a), mode="economic", pivoting=pivoting)
    q, r = np.linalg.qr(np.take(a, theirs[2], axis=-1) if pivoting else a)
    signs = _aligned(q, theirs[0])
    q, r = q * signs, mT(signs) * r
    if mode == "r" and rows > columns:
        r = np.concatenate([r, np.zeros((rows - columns, columns), r.dtype)])
    return (*((q,) if mode != "r" else ()), r, *theirs[2:])


GENERALIZED = (_symmetric, lambda rng, shape: _symmetric(rng, shape) + np.eye(shape[-1]))
READS_ONE = TRIANGLE.replace("NumPy", "SciPy")
eigh = standing_in(
    linalg.eigh, _eigh, example((2, 2), domain=_symmetric), example((2, 2), lower=False, domain=_symmetric),
    example((2, 2), (2, 2), domain=GENERALIZED), arrays="a b",
    note=READS_ONE + "; no derivative where eigenvalues meet; complex vectors are refused",
)  # fmt: skip
eigvalsh = standing_in(
    linalg.eigvalsh, _eigvalsh, example((2, 2), domain=_symmetric), example((2, 2), (2, 2), domain=GENERALIZED),
    example((2, 2), subset_by_index=[1, 1], lower=False, domain=_symmetric), arrays="a b", note=READS_ONE,
)  # fmt: skip
eig = standing_in(
    linalg.eig, _eig, example((2, 2), domain=_distinct),
    note="no derivative where eigenvalues meet; complex vectors are refused",
)  # fmt: skip
eigvals = standing_in(
    linalg.eigvals, _eigvals, example((2, 2), domain=_distinct),
    note="no derivative where eigenvalues meet",
)  # fmt: skip
svd = standing_in(
    linalg.svd, _svd, example((2, 2), domain=_distinct), example((2, 3), full_matrices=False, domain=_distinct),
    note="no derivative of vectors where singular values meet",
)  # fmt: skip
svdvals = standing_in(linalg.svdvals, _svdvals, example((3, 2), domain=_distinct))
qr = standing_in(
    linalg.qr, _qr, example((2, 2), domain=_distinct), example((3, 2), mode="economic", domain=_distinct),
    example((3, 2), mode="r", pivoting=True, domain=_distinct),
)  # fmt: skip

# --- norms, pseudoinverse and least squares


def _norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    if not a.size:
        raise UnsupportedArgumentError(f"linalg.norm of traced values takes entries, got shape {a.shape}")
    found = linalg.norm(plain(a), ord, axis, keepdims, check_finite)  # for SciPy's errors and its dtype
    return np.astype(np.linalg.norm(a, ord=ord, axis=axis, keepdims=keepdims), np.asarray(found).dtype)


def _pinv(a, *, atol=None, rtol=None, return_rank=False, check_finite=True):
    (a,) = _finite(check_finite, a)
    values = np.linalg.svdvals(plain(a))
    largest = np.max(values, axis=-1, initial=0.0)
    least = max(a.shape[-2:]) * np.finfo(values.dtype).eps if rtol is None else rtol
    limit = (0.0 if atol is None else atol) + largest * least
    linalg.pinv(plain(a), atol=atol, rtol=rtol)  # for SciPy's errors
    least = limit / np.where(largest > 0, largest, 1)
    refuse_cuts(values, least, "linalg.pinv")
    inverse = pseudoinverse(a, rtol=least)
    return (inverse, np.sum(values > np.expand_dims(limit, -1), axis=-1)) if return_rank else inverse


def _lstsq(a, b, cond=None, check_finite=True):
    if not isinstance(cond, (type(None), int, float)):
        _refused("lstsq", f"cond={cond!r}", "give one number")
    x, rest, rank, _ = linalg.lstsq(plain(a), plain(b), cond=cond, check_finite=check_finite)
    if b.ndim not in (1, 2):
        _matrix(b, "lstsq")
    a, b = _finite(False, _matrix(a, "lstsq"), b)
    a, b = (np.astype(y, np.result_type(a.dtype, b.dtype)) for y in (a, b))
    least = np.finfo(a.dtype).eps if cond is None or not 0 < cond < 1 else cond  # LAPACK ignores other limits
    refuse_cuts(np.linalg.svdvals(plain(a)), least, "linalg.lstsq")
    found = np.matmul(pseudoinverse(a, rtol=least), b)
    away = b - np.matmul(a, found)
    residues = np.real(np.sum(np.conj(away) * away, axis=0)) if np.shape(rest) == b.shape[1:] else rest
    return np.reshape(found, x.shape), residues, rank, singular_values(a)


norm = standing_in(
    linalg.norm, _norm, example((3, 4)), example((3, 4), ord=1, axis=0), example((3, 4), ord=1, domain=_sums_apart),
    example((5,), ord=np.inf, domain=lambda rng, shape: 4 + apart(rng, shape)),
)  # fmt: skip
pinv = standing_in(linalg.pinv, _pinv, example((3, 2), domain=_distinct), note="where the rank does not change")
lstsq = standing_in(
    linalg.lstsq, _lstsq, example((3, 2), (3,), domain=(_distinct, _normal)),
    example((3, 2), (3, 1), domain=(_distinct, _normal)), arrays="a b", note="where the rank does not change",
)  # fmt: skip

# --- matrices of a pattern


def _row(x, name):
    if x.ndim != 1:
        raise UnsupportedArgumentError(
            f"linalg.{name} of traced values takes rows of numbers (one axis), got shape {x.shape}; ravel it first"
        )
    return x


def _toeplitz(c, r=None):
    c = _row(np.atleast_1d(c), "toeplitz")
    r = np.conj(c) if r is None else _row(np.atleast_1d(r), "toeplitz")
    values = np.concatenate([c[::-1], r[1:]])
    return values[np.arange(len(c))[::-1, None] + np.arange(len(r))]


def _hankel(c, r=None):
    c = _row(c, "hankel")
    r = np.zeros(c.shape, c.dtype) if r is None else _row(r, "hankel")
    return np.concatenate([c, r[1:]])[np.arange(len(c))[:, None] + np.arange(len(r))]


def _circulant(c):
    c = _row(np.atleast_1d(c), "circulant")
    return c[(np.arange(len(c))[:, None] - np.arange(len(c))) % max(len(c), 1)]


def _block_diag(*arrs):
    blocks = [np.atleast_2d(as_operand(block, "linalg.block_diag")) for block in arrs]
    for block in blocks:
        _matrix(block, "block_diag")
    ends = np.cumsum([block.shape[1] for block in blocks]).tolist()
    return np.concatenate(
        [
            np.pad(block, ((0, 0), (end - block.shape[1], ends[-1] - end)))
            for block, end in zip(blocks, ends, strict=True)
        ]
    )


def _khatri_rao(a, b):
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise UnsupportedArgumentError(
            f"linalg.khatri_rao takes two matrices with as many columns each, got shapes {a.shape} and {b.shape}"
        )
    return np.reshape(np.expand_dims(a, 1) * np.expand_dims(b, 0), (a.shape[0] * b.shape[0], a.shape[1]))


toeplitz = standing_in(linalg.toeplitz, _toeplitz, example((3,)), example((3,), (2,)), arrays="c r")
hankel = standing_in(linalg.hankel, _hankel, example((3,)), example((3,), (2,)), arrays="c r")
circulant = standing_in(linalg.circulant, _circulant, example((3,)))
block_diag = standing_in(linalg.block_diag, _block_diag, example((2, 3), (1, 2)), example((2,), ()), arrays="")
khatri_rao = standing_in(linalg.khatri_rao, _khatri_rao, example((2, 3), (4, 3)), arrays="a b")
