"""Special functions: SciPy's, which find the table by themselves.

``scipy.special`` takes longer to load than the engine, so this file is loaded at the first call of one of them. Each
rule is the textbook's; where a formula loses digits near zero or far out, another one stands here and says so.
Conventions at edges are PyTorch's: x log y has the gradient log y at x = 0, and 0 where the logarithm does not exist.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from ..dispatch import operation, rewriting
from ..errors import UnsupportedArgumentError
from ..table import composite, elementwise, example, fixed, normal, positive, unit

SQRT_PI, SQRT_TAU = math.sqrt(math.pi), math.sqrt(2 * math.pi)


def probability(rng, shape):
    """Draw numbers between 0.1 and 0.9."""
    return rng.uniform(0.1, 0.9, size=shape)


def _of_real(function):
    """Return a forward rule that refuses complex numbers, for which SciPy has a value and we have no rule."""

    def forward(*operands):
        if any(np.asarray(a).dtype.kind == "c" for a in operands):
            raise UnsupportedArgumentError(f"scipy.special.{function.__name__} is differentiated for real numbers only")
        return function(*operands)

    return forward


# --- the logistic curve

expit = elementwise(
    special.expit,
    slope=lambda out, x: out * special.expit(-x),  # 1 - out would lose the digits of a small slope
    sympy=lambda sp, x: 1 / (1 + sp.exp(-x)),
)
logit = elementwise(
    special.logit,
    lambda g, out, x: g / (x * (1 - x)),
    domain=probability,
    sympy=lambda sp, x: sp.log(x / (1 - x)),
    reads="x",
)
log_expit = elementwise(
    special.log_expit,
    slope=lambda out, x: special.expit(-x),
    sympy=lambda sp, x: -sp.log(1 + sp.exp(-x)),
    reads="x",
)

# --- the error function and the normal distribution

erf = elementwise(
    special.erf,
    slope=lambda out, x: 2 / SQRT_PI * np.exp(-x * x),
    sympy=lambda sp, x: sp.erf(x),
    reads="x",
)
erfc = elementwise(
    special.erfc,
    slope=lambda out, x: -2 / SQRT_PI * np.exp(-x * x),
    sympy=lambda sp, x: sp.erfc(x),
    reads="x",
)


def _erfcx_slope(out, x):
    """Return 2 x erfcx(x) - 2/√π; far out, where the two cancel, by its series in 1/x²."""
    far = np.greater(x, 100.0)
    near, away = np.where(far, 1.0, x), np.where(far, x, 100.0)
    u = 1 / (away * away)
    return np.where(
        far, u * (-1 + u * (1.5 - u * (3.75 - 13.125 * u))) / SQRT_PI, 2 * near * np.where(far, 1.0, out) - 2 / SQRT_PI
    )


erfcx = elementwise(
    special.erfcx,
    slope=_erfcx_slope,
    sympy=lambda sp, x: sp.exp(x * x) * sp.erfc(x),
)
erfinv = elementwise(
    special.erfinv,
    slope=lambda out, x: SQRT_PI / 2 * np.exp(out * out),
    domain=unit,
    sympy=lambda sp, x: sp.erfinv(x),
    reads="out",
)
erfcinv = elementwise(
    special.erfcinv,
    slope=lambda out, x: -SQRT_PI / 2 * np.exp(out * out),
    domain=probability,
    sympy=lambda sp, x: sp.erfinv(1 - x),
    reads="out",
)
ndtr = elementwise(
    special.ndtr,
    slope=lambda out, x: np.exp(-0.5 * x * x) / SQRT_TAU,
    sympy=lambda sp, x: sp.erfc(-x / sp.sqrt(2)) / 2,
    reads="x",
)
log_ndtr = elementwise(
    special.log_ndtr,
    # The density over the distribution; far out on the left both vanish, and the scaled error function does not.
    slope=lambda out, x: 2 / SQRT_TAU / special.erfcx(x * -math.sqrt(0.5)),
    sympy=lambda sp, x: sp.log(sp.erfc(-x / sp.sqrt(2)) / 2),
    reads="x",
)
ndtri = elementwise(
    special.ndtri,
    slope=lambda out, x: SQRT_TAU * np.exp(0.5 * out * out),
    domain=probability,
    sympy=lambda sp, x: sp.sqrt(2) * sp.erfinv(2 * x - 1),
    reads="out",
)

# --- the gamma function and its kin

_polygamma: Any = operation(
    lambda n, x: np.asarray(special.polygamma(n, x), x.dtype),
    rules=[None, lambda g, out, n, x: g * _polygamma(n + 1, x)],
    examples=[
        example(fixed(1), (3, 4), domain=positive),
        example(fixed(2), (), domain=positive),
        example(fixed(np.array([[0], [3]])), (2,), domain=positive),
    ],
    sympy=lambda sp, n, x: sp.polygamma(int(n), x),
    reads="n x",
    name="polygamma",
)


@rewriting(example(fixed(1), (3, 4), domain=positive), arrays="x", name="polygamma of an order")
def polygamma(n, x):
    """Return derivative number ``n`` of the digamma function.

    SciPy's function of this name does not know traced values.

    Parameters
    ----------
    n : int or array of int
        The order, at least 0.
    x : array
        Where.

    Returns
    -------
    array
        Of the broadcast shape.
    """
    return _polygamma(np.asarray(n), x)


gammaln = elementwise(
    special.gammaln,
    slope=lambda out, x: special.digamma(x),
    domain=positive,
    sympy=lambda sp, x: sp.loggamma(x),
    reads="x",
)
loggamma = elementwise(
    special.loggamma,
    slope=lambda out, x: special.digamma(x),
    domain=positive,
    sympy=lambda sp, x: sp.loggamma(x),
    reads="x",
)
gamma = elementwise(
    special.gamma,
    slope=lambda out, x: out * special.digamma(x),
    domain=positive,
    sympy=lambda sp, x: sp.gamma(x),
)
digamma = elementwise(
    special.digamma,
    forward=_of_real(special.digamma),
    slope=lambda out, x: _polygamma(1, x),
    domain=positive,
    sympy=lambda sp, x: sp.polygamma(0, x),
    reads="x",
)
rgamma = elementwise(
    special.rgamma,
    slope=lambda out, x: -out * special.digamma(x),
    domain=positive,
    sympy=lambda sp, x: 1 / sp.gamma(x),
    note="at the poles of gamma the slope is nan",
)
beta = elementwise(
    special.beta,
    lambda g, out, a, b: g * (out * (special.digamma(a) - special.digamma(a + b))),
    lambda g, out, a, b: g * (out * (special.digamma(b) - special.digamma(a + b))),
    domain=positive,
    sympy=lambda sp, a, b: sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b),
)
betaln = elementwise(
    special.betaln,
    lambda g, out, a, b: g * (special.digamma(a) - special.digamma(a + b)),
    lambda g, out, a, b: g * (special.digamma(b) - special.digamma(a + b)),
    domain=positive,
    sympy=lambda sp, a, b: sp.loggamma(a) + sp.loggamma(b) - sp.loggamma(a + b),
    reads="a b",
)

# --- logarithms times a weight, which vanish where the weight does


def _log(zero, y):
    """Return log y, and 0 where the weight is zero and there is no logarithm."""
    return np.where(zero & (y <= 0), 0.0, np.log(np.where(zero & (y <= 0), 1.0, y)))


def _over(x, y):
    """Return x / y, and 0 wherever x is."""
    zero = x == 0
    return np.where(zero, 0.0, x / np.where(zero, 1.0, y))


xlogy = elementwise(
    special.xlogy,
    lambda g, out, x, y: g * _log(x == 0, y),
    lambda g, out, x, y: g * _over(x, y),
    domain=(normal, positive),
    sympy=lambda sp, x, y: x * sp.log(y),
    reads="x y",
    forward=_of_real(special.xlogy),
    note="at x = 0: log y by x (0 if y <= 0), 0 by y",
)
xlog1py = elementwise(
    special.xlog1py,
    lambda g, out, x, y: g * np.where((x == 0) & (y <= -1), 0.0, np.log1p(np.where((x == 0) & (y <= -1), 0.0, y))),
    lambda g, out, x, y: g * _over(x, 1 + y),
    domain=(normal, positive),
    sympy=lambda sp, x, y: x * sp.log(1 + y),
    reads="x y",
    forward=_of_real(special.xlog1py),
    note="at x = 0: log(1 + y) by x (0 if y <= -1), 0 by y",
)
entr = elementwise(
    special.entr,
    lambda g, out, x: g * (-1 - np.log(x)),
    domain=positive,
    sympy=lambda sp, x: -x * sp.log(x),
    reads="x",
    note="at 0 the slope is infinite",
)
rel_entr = elementwise(
    special.rel_entr,
    lambda g, out, x, y: g * (1 + np.log(x / y)),
    lambda g, out, x, y: -g * _over(x, y),
    domain=positive,
    sympy=lambda sp, x, y: x * sp.log(x / y),
    reads="x y",
    note="at x = 0 the slope by x is infinite",
)
kl_div = elementwise(
    special.kl_div,
    lambda g, out, x, y: g * np.log(x / y),
    lambda g, out, x, y: g * (1 - _over(x, y)),
    domain=positive,
    sympy=lambda sp, x, y: x * sp.log(x / y) - x + y,
    reads="x y",
    note="at x = 0 the slope by x is infinite",
)

# --- Bessel functions: the slope is made of the neighbours' orders, which holds at 0 too, unlike formulas with 1 / x


def _bessel(function, neighbours, form, domain):
    """Enter a Bessel function of any order; a slope by the order has no closed form."""

    def of_order(v, x):
        return (_of_real(function) if function is special.ive else function)(v, x)

    def rule(g, out, v, x):
        return g * neighbours(entered, out, v, x)

    entered = operation(
        of_order,
        rules=[None, rule],
        examples=[
            example(fixed(2), (3, 4), domain=domain),
            example(fixed(np.array([[0], [1]], np.int8)), (3,), domain=domain),
            example(fixed(3), (), domain=domain),
        ],
        sympy=form,
        name=f"{function.__name__} in its argument",
    )
    # As an option, the order is refused if it is traced.
    composite(
        function,
        lambda x1, x2: entered(x1 if isinstance(x1, (int, float)) else np.asarray(x1), x2),
        example(fixed(2), (3, 4), domain=domain),
        example(fixed(np.array([[0], [1]], np.int8)), (3,), domain=domain),
        arrays="x2",
        note="no slope by the order",
    )
    return entered


def _order(v):
    """Return an order as algebra takes it: whole where it is whole."""
    v = float(v)
    return int(v) if v.is_integer() else v


def _alternating(of, out, v, x):
    return (of(v - 1, x) - of(v + 1, x)) / 2


jv = _bessel(special.jv, _alternating, lambda sp, v, x: sp.besselj(_order(v), x), normal)
yv = _bessel(special.yv, _alternating, lambda sp, v, x: sp.bessely(_order(v), x), positive)
iv = _bessel(
    special.iv,
    lambda of, out, v, x: (of(v - 1, x) + of(v + 1, x)) / 2,
    lambda sp, v, x: sp.besseli(_order(v), x),
    normal,
)
kv = _bessel(
    special.kv, lambda of, out, v, x: (of(v - 1, x) + of(v + 1, x)) / -2, lambda sp, v, x: sp.besselk(_order(v), x),
    positive,
)  # fmt: skip


def _scaled_slope(mean, out, x):
    """Return the neighbours' mean minus sign(x) out; far out that is -out / 2x, where SciPy's neighbours are nan."""
    far = np.greater(np.abs(x), np.float64(1e8))  # a number that half precision does not have
    near = np.where(far, 1.0, x)
    return np.where(far, -out / (2 * np.where(far, x, 1.0)), mean(near) - np.sign(x) * out)


ive = _bessel(
    special.ive,
    lambda of, out, v, x: _scaled_slope(lambda z: (of(v - 1, z) + of(v + 1, z)) / 2, out, x),
    lambda sp, v, x: sp.besseli(_order(v), x) * sp.exp(-abs(x)),
    normal,
)

j0 = elementwise(
    special.j0, slope=lambda out, x: -special.j1(x), sympy=lambda sp, x: sp.besselj(0, x), reads="x",
)  # fmt: skip
j1 = elementwise(
    special.j1, slope=lambda out, x: (special.j0(x) - jv(2, x)) / 2, sympy=lambda sp, x: sp.besselj(1, x), reads="x",
)  # fmt: skip
y0 = elementwise(
    special.y0, slope=lambda out, x: -special.y1(x), domain=positive, sympy=lambda sp, x: sp.bessely(0, x), reads="x",
)  # fmt: skip
y1 = elementwise(
    special.y1, slope=lambda out, x: (special.y0(x) - yv(2, x)) / 2, domain=positive,
    sympy=lambda sp, x: sp.bessely(1, x), reads="x",
)  # fmt: skip
i0 = elementwise(
    special.i0, slope=lambda out, x: special.i1(x), sympy=lambda sp, x: sp.besseli(0, x), reads="x",
)  # fmt: skip
i1 = elementwise(
    special.i1, slope=lambda out, x: (special.i0(x) + iv(2, x)) / 2, sympy=lambda sp, x: sp.besseli(1, x), reads="x",
)  # fmt: skip
i0e = elementwise(
    special.i0e, slope=lambda out, x: special.i1e(x) - np.sign(x) * out,
    sympy=lambda sp, x: sp.besseli(0, x) * sp.exp(-abs(x)), note="0 at the kink at 0",
)  # fmt: skip
i1e = elementwise(
    special.i1e, slope=lambda out, x: _scaled_slope(lambda z: (special.i0e(z) + ive(2, z)) / 2, out, x),
    sympy=lambda sp, x: sp.besseli(1, x) * sp.exp(-abs(x)),
)  # fmt: skip
k0 = elementwise(
    special.k0, slope=lambda out, x: -special.k1(x), domain=positive, sympy=lambda sp, x: sp.besselk(0, x), reads="x",
)  # fmt: skip
k1 = elementwise(
    special.k1, slope=lambda out, x: (special.k0(x) + kv(2, x)) / -2, domain=positive,
    sympy=lambda sp, x: sp.besselk(1, x), reads="x",
)  # fmt: skip

composite(
    np.i0, lambda x: np.astype(special.i0(x), x.dtype if x.dtype.kind == "f" else float), example((3, 4)), example(())
)

# --- SciPy's own editions of functions that NumPy has too

for _function, _twin, _domain in (
    (special.exp2, np.exp2, normal), (special.expm1, np.expm1, normal), (special.log1p, np.log1p, positive),
    (special.cbrt, np.cbrt, positive),
):  # fmt: skip
    composite(
        _function, lambda x, _twin=_twin: _twin(x), example((3, 4), domain=_domain), name=f"special.{_twin.__name__}",
    )  # fmt: skip
