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

from .functions import expm, solve_continuous_lyapunov, solve_sylvester, sqrtm
from .patterns import block_diag, circulant, hankel, khatri_rao, toeplitz
from .solving import cho_factor, cho_solve, cholesky, det, inv, lu, lu_factor, lu_solve, solve, solve_triangular
from .spectra import eig, eigh, eigvals, eigvalsh, lstsq, norm, pinv, qr, svd, svdvals

__all__ = [
    "block_diag", "cho_factor", "cho_solve", "cholesky", "circulant", "det", "eig", "eigh", "eigvals", "eigvalsh",
    "expm", "hankel", "inv", "khatri_rao", "lstsq", "lu", "lu_factor", "lu_solve", "norm", "pinv", "qr", "solve",
    "solve_continuous_lyapunov", "solve_sylvester", "solve_triangular", "sqrtm", "svd", "svdvals", "toeplitz",
]  # fmt: skip
