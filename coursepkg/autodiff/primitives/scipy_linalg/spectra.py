"""Eigenvalues, singular values, QR, and norms and least squares, which are made of them.

Where signs of vectors are open, SciPy's are taken.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from ...dispatch import UnsupportedArgumentError, plain
from ...table import apart, example
from ..decompositions import (
    TRIANGLE,
    _distinct,
    _mirrored,
    _no_phases,
    _symmetric,
    pseudoinverse,
    refuse_cuts,
    singular_values,
)
from ..linear_algebra import _normal, _sums_apart
from ..products import mT
from .solving import substitution
from .standing_in import _finite, _matrix, _refused, _square, standing_in

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
