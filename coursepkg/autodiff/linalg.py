"""SciPy's linear algebra for traced values: ``from coursepkg.autodiff import linalg`` in place of ``from scipy``.

NumPy asks its arguments who should handle a call; ``scipy.linalg`` does not, so nothing can follow a traced value into
it. Here are functions of the same names and signatures. Plain arrays go to SciPy as they are. Traced values go through
the table; what has no entry there (``null_space``, ``logm``) is refused before anything is computed.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from scipy import linalg as scipys

from .dispatch import call
from .gate import _holds_traced
from .primitives.scipy_linalg import (
    block_diag,
    cho_factor,
    cho_solve,
    cholesky,
    circulant,
    det,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    expm,
    hankel,
    inv,
    khatri_rao,
    lstsq,
    lu,
    lu_factor,
    lu_solve,
    norm,
    pinv,
    qr,
    solve,
    solve_continuous_lyapunov,
    solve_sylvester,
    solve_triangular,
    sqrtm,
    svd,
    svdvals,
    toeplitz,
)

__all__ = [
    "block_diag", "cho_factor", "cho_solve", "cholesky", "circulant", "det", "eig", "eigh", "eigvals", "eigvalsh",
    "expm", "hankel", "inv", "khatri_rao", "lstsq", "lu", "lu_factor", "lu_solve", "norm", "pinv", "qr", "solve",
    "solve_continuous_lyapunov", "solve_sylvester", "solve_triangular", "sqrtm", "svd", "svdvals", "toeplitz",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Return what SciPy has besides; its functions refuse traced values in words."""
    if name not in scipys.__all__:
        raise AttributeError(f"scipy.linalg has no {name!r}, so neither has this module")
    found = getattr(scipys, name)
    return _refusing(found) if inspect.isfunction(found) else found


@functools.cache
def _refusing(function: Any) -> Any:
    @functools.wraps(function)
    def plain_only(*args: Any, **kwargs: Any) -> Any:
        if any(map(_holds_traced, (*args, *kwargs.values()))):
            return call(function, args, kwargs)
        return function(*args, **kwargs)

    return plain_only


def __dir__() -> list[str]:
    return sorted({*__all__, *scipys.__all__})
