"""Decompositions of matrices: Cholesky, eigenvalues, singular values, QR, and what is solved with them.

The one idea: differentiate the equations that define the factors, such as A V = V diag(w), and solve for their changes
(Giles 2008, "Collected matrix derivative results"; Walter and Lehmann 2010 for QR; Townsend 2016 for singular values).
A primitive has one result, so the factors of a decomposition come side by side in one array, and a composite takes
them apart into NumPy's own named tuples.

Where NumPy reads only one triangle of a matrix, only that triangle gets a gradient, so that every route agrees. Factors
have no derivative where eigenvalues or singular values meet, or a matrix loses rank; what comes out there is not a
number. Complex singular vectors and eigenvectors are given up to a phase only, so they are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import MissingPrimitiveError, UnsupportedArgumentError, operation, plain
from ..table import SAME, composite, example
from .linear_algebra import _stacked
from .products import mT

EighResult = type(np.linalg.eigh(np.eye(1)))
EigResult = type(np.linalg.eig(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))


def _square(a, name):
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"{name} takes square matrices, got shape {a.shape}")
    return a


def _symmetric(rng, shape):
    """Draw symmetric matrices with eigenvalues far from each other."""
    x = rng.uniform(-0.3, 0.3, size=shape)
    return x + mT(x) + np.diag(np.arange(1.0, shape[-1] + 1))


def _distinct(rng, shape):
    """Draw matrices with singular values and eigenvalues far from each other."""
    x = rng.uniform(-0.3, 0.3, size=shape)
    return x + np.eye(*shape[-2:]) * np.arange(1.0, shape[-1] + 1)


SQUARE = [example((2, 2), domain=_symmetric), example((3, 2, 2), domain=_symmetric)]


def _mirrored(a, lower):
    """Return the Hermitian matrix of which NumPy reads one triangle."""
    half = np.tril(a, -1) if lower else np.triu(a, 1)
    diagonal = np.expand_dims(np.real(np.diagonal(a, axis1=-2, axis2=-1)), -1)
    return half + mT(np.conj(half)) + diagonal * np.eye(a.shape[-1], dtype=diagonal.dtype)


# --- Cholesky: A = L L^H


def _phi(a):
    """Return the lower triangle with half of the diagonal."""
    return np.tril(a) - a * (np.eye(a.shape[-1], dtype=np.zeros((), a.dtype).real.dtype) / 2)


def _cholesky_change(t, out, a):
    left = np.linalg.solve(out, t)
    return np.matmul(out, _phi(mT(np.linalg.solve(np.conj(out), mT(left)))))


def _cholesky_vjp(g, out, a):
    # The transpose of the change, step by step.
    inner = _phi(np.matmul(mT(out), np.tril(g)))
    back = np.linalg.solve(mT(out), inner)
    return mT(np.linalg.solve(mT(np.conj(out)), mT(back)))


factor = operation(
    lambda a: np.linalg.cholesky(a),
    vjp=[lambda g, out, a: _on_the_triangle(_cholesky_vjp(g, out, a))],
    jvp=[lambda t, out, a: _cholesky_change(_mirrored(t, True), out, a)],
    jvps=[SAME],
    examples=[*SQUARE, example((3, 3), domain=_symmetric)],
    sympy_array=lambda sp, values, a: _stacked(sp, lambda m: m.cholesky(hermitian=False), _symmetric_expressions(a)),
    reads="out",
    name="lower Cholesky factor",
)


def _on_the_triangle(g):
    """The transpose of mirroring the lower triangle: what falls on both places of an entry adds up below."""
    diagonal = np.expand_dims(np.real(np.diagonal(g, axis1=-2, axis2=-1)), -1)
    upper = np.triu(g, 1)
    return np.tril(g, -1) + mT(np.conj(upper)) + diagonal * np.eye(g.shape[-1], dtype=diagonal.dtype)


def _symmetric_expressions(a):
    lower = np.tril(np.ones(a.shape, dtype=bool))
    return np.where(lower, a, np.swapaxes(a, -1, -2))


def _cholesky(a, *, upper=False):
    a = _square(a, "cholesky")
    a = mT(np.conj(a)) if upper else a
    return mT(np.conj(factor(a))) if upper else factor(a)


composite(
    np.linalg.cholesky, _cholesky, *SQUARE, example((2, 2), upper=True, domain=_symmetric),
    note="NumPy reads one triangle, which gets the whole gradient",
)  # fmt: skip

# --- eigenvalues of symmetric matrices: A V = V diag(w)


def _eigh_forward(a):
    w, v = np.linalg.eigh(a)
    return np.concatenate([np.expand_dims(w, -2).astype(v.dtype), v], axis=-2)


def _parts(packed):
    return packed[..., 0, :], packed[..., 1:, :]


def _gaps(w):
    """Return 1 / (w_j - w_i), and 0 on the diagonal."""
    n = w.shape[-1]
    one = np.eye(n, dtype=np.zeros((), w.dtype).real.dtype)
    return (1 - one) / (np.expand_dims(w, -2) - np.expand_dims(w, -1) + one)


def _join(w, v):
    return np.concatenate([np.expand_dims(w, -2), v], axis=-2)


def _diagonal_matrix(w):
    return np.expand_dims(w, -1) * np.eye(w.shape[-1], dtype=np.zeros((), w.dtype).real.dtype)


def _eigh_change(t, out, a):
    w, v = _parts(out)
    inner = np.matmul(np.matmul(mT(np.conj(v)), _mirrored(t, True)), v)
    return _join(np.diagonal(inner, axis1=-2, axis2=-1), np.matmul(v, _gaps(w) * inner))


def _eigh_vjp(g, out, a):
    w, v = _parts(out)
    gw, gv = _parts(g)
    inner = _gaps(w) * np.matmul(mT(v), gv) + _diagonal_matrix(gw)
    return _on_the_triangle(np.matmul(np.matmul(np.conj(v), inner), mT(v)))


def _no_phases(a, name, values):
    """Refuse complex vectors, which the decomposition leaves open up to a phase."""
    if a.dtype.kind == "c":
        raise UnsupportedArgumentError(
            f"{name} with complex vectors is not supported, because nothing determines their phases; for the values "
            f"alone there is {values}"
        )


def _each_form(form, sp, values, a):
    """Apply a closed form to every matrix of a stack, with the numbers beside the expressions."""
    flat, numbers = a.reshape(-1, *a.shape[-2:]), values[0].reshape(-1, *a.shape[-2:])
    results = [np.array(form(sp, x, sp.Matrix(m)).tolist(), dtype=object) for x, m in zip(numbers, flat, strict=True)]
    return np.stack(results).reshape(a.shape[:-2] + results[0].shape)


def _small(m):
    if m.shape != (2, 2):
        raise MissingPrimitiveError(
            f"eigenvalues have a short formula for 2x2 matrices only, got shape {m.shape}; for larger ones compare "
            "reverse mode with forward mode and differences"
        )


def _vectors_form(sp, numbers, m):
    """Return eigenvalues and unit eigenvectors of a 2x2 matrix, in the order and with the signs of the numbers."""
    _small(m)
    w, v = np.linalg.eig(numbers) if numbers[0, 1] != numbers[1, 0] else np.linalg.eigh(numbers)
    (a, b), (c, d) = m.tolist()
    root = sp.sqrt((a - d) ** 2 + 4 * b * c)
    columns = []
    for value, vector in zip(w, v.T, strict=True):
        first = np.isclose(value, (numbers.trace() - np.sqrt(numbers.trace() ** 2 - 4 * np.linalg.det(numbers))) / 2)
        e = (a + d - root) / 2 if first else (a + d + root) / 2
        size = sp.sqrt((e - d) ** 2 + c**2) * int(np.sign(vector[1] * numbers[1, 0]))
        columns.append([e, (e - d) / size, c / size])
    return sp.Matrix(columns).T


def _eigh_form(sp, numbers, m):
    _small(m)
    numbers = np.tril(numbers) + np.tril(numbers, -1).T
    return _vectors_form(sp, numbers, sp.Matrix([[m[0, 0], m[1, 0]], [m[1, 0], m[1, 1]]]))


eigh_factors = operation(
    _eigh_forward,
    vjp=[_eigh_vjp],
    jvp=[_eigh_change],
    jvps=[SAME],
    examples=SQUARE,
    sympy_array=lambda sp, values, a: _each_form(_eigh_form, sp, values, a),
    reads="out",
    name="eigenvalues above eigenvectors",
)
eigenvalues = operation(
    lambda a: np.linalg.eigvalsh(a),
    vjp=[lambda g, out, a: _on_the_triangle(_spread(g, np.linalg.eigh(a)[1]))],
    jvp=[lambda t, out, a: _seen_from(_mirrored(t, True), np.linalg.eigh(a)[1])],
    jvps=[SAME],
    examples=SQUARE,
    sympy_array=lambda sp, values, a: _each_form(_eigh_form, sp, values, a)[..., 0, :],
    reads="a",
    name="eigenvalues of a symmetric matrix",
)


def _spread(g, v):
    """Return the sum of g_i conj(v_i) v_i^T: how the eigenvalues depend on the entries."""
    return np.matmul(np.conj(v) * np.expand_dims(g, -2), mT(v))


def _seen_from(t, v):
    return np.real(np.sum(np.conj(v) * np.matmul(t, v), axis=-2))


def _lower(a, uplo, name):
    a = _square(a, name)
    if str(uplo).upper() not in ("L", "U"):
        raise ValueError(f"UPLO is 'L' or 'U', the triangle that is read, got {uplo!r}")
    return mT(np.conj(a)) if str(uplo).upper() == "U" else a


def _eigh(a, UPLO="L"):
    _no_phases(a, "np.linalg.eigh", "np.linalg.eigvalsh")
    w, v = _parts(eigh_factors(_lower(a, UPLO, "eigh")))
    if str(UPLO).upper() == "U":  # from the other triangle LAPACK may find the opposite vectors; take NumPy's
        v = v * np.sign(np.sum(plain(v) * np.linalg.eigh(plain(a), "U")[1], axis=-2, keepdims=True))
    return EighResult(np.real(w), v)


TRIANGLE = "NumPy reads one triangle, which gets the whole gradient"
composite(
    np.linalg.eigh, _eigh, *SQUARE, example((2, 2), UPLO="U", domain=_symmetric),
    note=TRIANGLE + "; no derivative where eigenvalues meet; complex vectors are refused",
)  # fmt: skip
composite(
    np.linalg.eigvalsh, lambda a, UPLO="L": eigenvalues(_lower(a, UPLO, "eigvalsh")), *SQUARE,
    example((2, 2), UPLO="U", domain=_symmetric), note=TRIANGLE,
)  # fmt: skip

# --- eigenvalues of any square matrix


def _eig_forward(a):
    w, v = np.linalg.eig(a)
    return _join(w, v)


def _eig_change(t, out, a):
    w, v = _parts(out)
    inner = np.linalg.solve(v, np.matmul(t, v))
    moved = np.matmul(v, _gaps(w) * inner)
    along = np.real(np.sum(np.conj(v) * moved, axis=-2, keepdims=True))  # vectors keep their length
    return _join(np.diagonal(inner, axis1=-2, axis2=-1), moved - v * along)


def _eig_vjp(g, out, a):
    w, v = _parts(out)
    gw, gv = _parts(g)
    gv = gv - np.conj(v) * np.real(np.sum(gv * v, axis=-2, keepdims=True))
    inner = _gaps(w) * np.matmul(mT(v), gv) + _diagonal_matrix(gw)
    return np.matmul(np.linalg.solve(mT(v), inner), mT(v))


eig_factors = operation(
    _eig_forward,
    vjp=[_eig_vjp],
    jvp=[_eig_change],
    jvps=[SAME],
    examples=[example((2, 2), domain=_distinct), example((3, 2, 2), domain=_distinct)],
    sympy_array=lambda sp, values, a: _each_form(_vectors_form, sp, values, a),
    reads="out",
    name="eigenvalues above vectors",
)


def _eig(a):
    packed = eig_factors(_square(a, "eig"))
    _no_phases(packed, "np.linalg.eig", "np.linalg.eigvals")
    return EigResult(*_parts(packed))


GENERAL = [example((2, 2), domain=_distinct), example((3, 2, 2), domain=_distinct)]
composite(
    np.linalg.eig,
    _eig,
    *GENERAL,
    note="no derivative where eigenvalues meet; complex vectors are refused",
)
composite(
    np.linalg.eigvals,
    lambda a: eig_factors(_square(a, "eigvals"))[..., 0, :],
    *GENERAL,
    note="no derivative where eigenvalues meet",
)

# --- singular values: A = U diag(s) V^H


def _thin(a):
    return np.linalg.svd(a, full_matrices=False)


def _svd_forward(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, np.expand_dims(s, -2), mT(vh)], axis=-2)


def _svd_parts(packed, rows):
    return packed[..., :rows, :], packed[..., rows, :], packed[..., rows + 1 :, :]


def _square_gaps(s):
    n = s.shape[-1]
    one = np.eye(n, dtype=s.dtype)
    low, high = np.expand_dims(s, -1), np.expand_dims(s, -2)
    return (1 - one) / ((high - low) * (high + low) + one)


def _outside(x, u):
    """Return the part of the columns of ``x`` outside the space of those of ``u``."""
    return x - np.matmul(u, np.matmul(mT(u), x))


def _svd_change(t, out, a):
    u, s, v = _svd_parts(out, a.shape[-2])
    inner, gaps, row = np.matmul(np.matmul(mT(u), t), v), _square_gaps(s), np.expand_dims(s, -2)
    column = np.expand_dims(s, -1)
    du = np.matmul(u, gaps * (inner * row + column * mT(inner))) + _outside(np.matmul(t, v), u) / row
    dv = np.matmul(v, gaps * (column * inner + mT(inner) * row)) + _outside(np.matmul(mT(t), u), v) / row
    ds = np.expand_dims(np.diagonal(inner, axis1=-2, axis2=-1), -2)
    return np.concatenate([du, ds, dv], axis=-2)


def _svd_vjp(g, out, a):
    u, s, v = _svd_parts(out, a.shape[-2])
    gu, gs, gv = _svd_parts(g, a.shape[-2])
    gaps, row, column = _square_gaps(s), np.expand_dims(s, -2), np.expand_dims(s, -1)
    turn_u, turn_v = np.matmul(mT(u), gu), np.matmul(mT(v), gv)
    inner = gaps * (turn_u - mT(turn_u)) * row + column * gaps * (turn_v - mT(turn_v)) + _diagonal_matrix(gs)
    left = np.matmul(u, inner) + _outside(gu, u) / row
    return np.matmul(left, mT(v)) + np.matmul(u, mT(_outside(gv, v) / row))


def _svd_form(sp, numbers, m):
    """Return the factors of a matrix with two columns or two rows, from the eigenvectors of its smaller square."""
    wide = m.shape[0] < m.shape[1]
    tall, numbers = (m.T, numbers.T) if wide else (m, numbers)
    _small(tall.T * tall)
    found = _vectors_form(sp, numbers.T @ numbers, tall.T * tall)
    right = (
        np.linalg.svd(numbers.T, full_matrices=False)[0] if wide else np.linalg.svd(numbers, full_matrices=False)[2].T
    )
    columns = []
    for i, place in ((0, 1), (1, 0)):  # the larger first
        v, value = found[1:, place], sp.sqrt(found[0, place])
        _, point = np.linalg.eigh(numbers.T @ numbers)
        v = v * int(np.sign(point[:, place] @ right[:, i]))
        left = tall * v / value
        columns.append([*(v if wide else left), value, *(left if wide else v)])
    return sp.Matrix(columns).T


SINGULAR = [example((2, 2), domain=_distinct), example((3, 2), domain=_distinct), example((2, 3), domain=_distinct)]
svd_factors = operation(
    _svd_forward,
    vjp=[_svd_vjp],
    jvp=[_svd_change],
    jvps=[SAME],
    examples=SINGULAR,
    sympy_array=lambda sp, values, a: _each_form(_svd_form, sp, values, a),
    reads="out",
    name="singular vectors and values",
)
singular_values = operation(
    lambda a: np.linalg.svdvals(a),
    vjp=[lambda g, out, a: _singular_back(g, *_thin(a))],
    jvp=[lambda t, out, a: _singular_change(t, *_thin(a))],
    jvps=[SAME],
    examples=SINGULAR,
    sympy_array=lambda sp, values, a: _each_form(_svd_form, sp, values, a)[..., a.shape[-2], :],
    reads="a",
    name="singular values",
)


def _singular_back(g, u, s, vh):
    return np.matmul(np.conj(u) * np.expand_dims(g, -2), np.conj(vh))


def _singular_change(t, u, s, vh):
    return np.real(np.sum(np.conj(u) * np.matmul(t, mT(np.conj(vh))), axis=-2))


def _matrices(a, name):
    if a.ndim < 2:
        raise np.linalg.LinAlgError(f"{name} takes matrices, got shape {a.shape}")
    return a


def _svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    if hermitian:
        raise UnsupportedArgumentError("np.linalg.svd(..., hermitian=True) is not supported; leave it out")
    rows, columns = _matrices(a, "svd").shape[-2:]
    if not compute_uv:
        return singular_values(a)
    if a.dtype.kind == "c":
        raise UnsupportedArgumentError(
            "np.linalg.svd of complex matrices is not supported, because their vectors are open up to a phase; for the "
            "values alone there is np.linalg.svdvals, for the vectors np.linalg.eigh(a @ a^H)"
        )
    if full_matrices and rows != columns:
        raise UnsupportedArgumentError(
            "np.linalg.svd with full_matrices=True adds columns that nothing determines; write full_matrices=False"
        )
    u, s, v = _svd_parts(svd_factors(a), rows)
    return SVDResult(u, s, mT(v))


composite(
    np.linalg.svd, _svd, *(example(*e.args, full_matrices=False, domain=_distinct) for e in SINGULAR),
    note="no derivative of vectors where singular values meet",
)  # fmt: skip
composite(
    np.linalg.svdvals, lambda x: singular_values(_matrices(x, "svdvals")), *SINGULAR,
    note="where values meet or are 0, the derivative along LAPACK's vectors, as PyTorch",
)  # fmt: skip


def _cond(x, p=None):
    np.linalg.cond(plain(x), p)  # for NumPy's errors
    if p in (None, 2, -2):
        s = singular_values(_matrices(x, "cond"))
        return s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
    return np.linalg.norm(_square(x, "cond"), p, axis=(-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, axis=(-2, -1))


composite(np.linalg.cond, _cond, *SINGULAR[:2], example((2, 2), p="fro", domain=_distinct))

# --- QR


def _qr_forward(a):
    q, r = np.linalg.qr(a)
    return np.concatenate([q, r], axis=-2)


def _qr_parts(packed, rows):
    return packed[..., :rows, :], packed[..., rows:, :]


def _over(x, r):
    """Return ``x @ inv(r)``."""
    return mT(np.linalg.solve(mT(r), mT(x)))


def _qr_change(t, out, a):
    q, r = _qr_parts(out, a.shape[-2])
    scaled = _over(t, r)
    inner = np.matmul(mT(q), scaled)
    turn = np.tril(inner, -1) - mT(np.tril(inner, -1))
    return np.concatenate([np.matmul(q, turn) + _outside(scaled, q), np.matmul(inner - turn, r)], axis=-2)


def _qr_vjp(g, out, a):
    q, r = _qr_parts(out, a.shape[-2])
    gq, gr = _qr_parts(g, a.shape[-2])
    inner = np.matmul(r, mT(np.triu(gr))) - np.matmul(mT(gq), q)
    both = np.tril(inner) + mT(np.tril(inner, -1))
    return mT(np.linalg.solve(r, mT(gq + np.matmul(q, both))))


def _qr_form(sp, numbers, m):
    """Return the factors by Gram and Schmidt's process, with the signs of the numbers."""
    signs = np.sign(np.diag(np.linalg.qr(numbers)[1]))
    upper = sp.zeros(m.shape[1], m.shape[1])
    columns: list[Any] = []
    for j, sign in enumerate(signs):
        rest = m[:, j]
        for i, q in enumerate(columns):
            upper[i, j] = (q.T * m[:, j])[0]
            rest = rest - q * upper[i, j]
        upper[j, j] = int(sign) * sp.sqrt(sum(x**2 for x in rest))
        columns.append(rest / upper[j, j])
    return sp.Matrix.hstack(*columns).col_join(upper)


qr_factors = operation(
    _qr_forward,
    vjp=[_qr_vjp],
    jvp=[_qr_change],
    jvps=[SAME],
    examples=SINGULAR[:2],
    sympy_array=lambda sp, values, a: _each_form(_qr_form, sp, values, a),
    reads="out",
    name="orthogonal above triangular factor",
)


def _qr(a, mode="reduced"):
    rows, columns = _matrices(a, "qr").shape[-2:]
    if mode not in ("reduced", "complete", "r"):
        raise UnsupportedArgumentError(
            f"np.linalg.qr knows the modes 'reduced', 'complete' and 'r' on traced values, got {mode!r}"
        )
    if a.dtype.kind == "c" or (mode == "complete" and rows > columns) or not a.size:
        raise UnsupportedArgumentError(
            "np.linalg.qr is supported for real matrices with mode='reduced' or 'r'; 'complete' adds columns that "
            "nothing determines"
        )
    if rows < columns:  # the square part decides the rotation; the rest is only rotated
        q, r = _qr(a[..., :rows])
        r = np.concatenate([r, np.matmul(mT(q), a[..., rows:])], axis=-1)
    else:
        q, r = _qr_parts(qr_factors(a), rows)
    return r if mode == "r" else QRResult(q, r)


composite(np.linalg.qr, _qr, *SINGULAR, example((3, 2), mode="r", domain=_distinct))

# --- pseudoinverse and least squares


def _pinv_change(t, out, a, **options):
    th, ph = mT(np.conj(t)), mT(np.conj(out))
    rows = np.eye(a.shape[-2], dtype=out.dtype) - np.matmul(a, out)
    columns = np.eye(a.shape[-1], dtype=out.dtype) - np.matmul(out, a)
    direct = np.matmul(np.matmul(out, t), out)
    return (
        np.matmul(np.matmul(out, np.matmul(ph, th)), rows)
        + np.matmul(np.matmul(columns, th), np.matmul(ph, out))
        - direct
    )


def _pinv_vjp(g, out, a, **options):
    gt, ph = mT(g), mT(np.conj(out))
    rows = np.eye(a.shape[-2], dtype=out.dtype) - np.matmul(a, out)
    columns = np.eye(a.shape[-1], dtype=out.dtype) - np.matmul(out, a)
    around = np.matmul(np.matmul(rows, gt), np.matmul(out, ph)) + np.matmul(np.matmul(ph, out), np.matmul(gt, columns))
    return np.conj(around) - np.matmul(np.matmul(mT(out), g), mT(out))


def _pinv_form(sp, m):
    return (m.T * m).inv(method="ADJ") * m.T if m.shape[0] >= m.shape[1] else m.T * (m * m.T).inv(method="ADJ")


pseudoinverse = operation(
    lambda a, rtol=None: np.linalg.pinv(a) if rtol is None else np.linalg.pinv(a, rtol=rtol),
    vjp=[_pinv_vjp],
    jvp=[_pinv_change],
    jvps=[SAME],
    options="rtol",
    examples=SINGULAR,
    sympy_array=lambda sp, values, a, **options: _stacked(sp, lambda m: _pinv_form(sp, m), a),
    name="pseudoinverse",
)


def refuse_cuts(values, rtol, name):
    """Refuse a limit that cuts off singular values which are not zero: the rules hold for what is inverted whole."""
    largest = np.max(values, axis=-1, keepdims=True, initial=0.0)
    zero = values <= 1e3 * np.finfo(values.dtype).eps * largest
    if np.any((values <= np.expand_dims(rtol, -1) * largest) & ~zero):
        raise UnsupportedArgumentError(
            f"{name} with a limit that cuts off singular values which are not zero is not supported on traced values; "
            "lower the limit, or sum over the wanted part of np.linalg.svd"
        )


def _pinv(a, rcond=None, hermitian=False, *, rtol=np._NoValue):
    if hermitian:
        raise UnsupportedArgumentError("np.linalg.pinv(..., hermitian=True) is not supported; leave it out")
    np.linalg.pinv(plain(a), rcond, rtol=rtol)  # for NumPy's errors
    given = rcond if rtol is np._NoValue else rtol
    if given is None:
        return pseudoinverse(a)
    refuse_cuts(np.linalg.svdvals(plain(a)), given, "np.linalg.pinv")
    return pseudoinverse(a, rtol=given)


def _lstsq(a, b):
    a, b = (np.astype(x, np.result_type(a.dtype, b.dtype)) for x in (a, b))
    plainly = np.linalg.lstsq(plain(a), plain(b))
    x = np.matmul(pseudoinverse(a, rtol=np.finfo(a.dtype).eps * max(a.shape)), b)
    away = np.conj(b - np.matmul(a, x)) * (b - np.matmul(a, x))
    rest = np.real(np.sum(away, axis=0)) if plainly[1].size else plainly[1]
    return x, np.reshape(rest, plainly[1].shape), plainly[2], singular_values(a)


composite(np.linalg.pinv, _pinv, *SINGULAR, note="where the rank does not change")
composite(
    np.linalg.lstsq, _lstsq, example((3, 2), (3,), domain=(_distinct, lambda rng, s: rng.normal(size=s))),
    example((3, 2), (3, 1), domain=(_distinct, lambda rng, s: rng.normal(size=s))), arrays="a b",
    note="where the rank does not change",
)  # fmt: skip
