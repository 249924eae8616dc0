"""Operations that work entry by entry: the local derivative of each, written once.

A diagonal Jacobian is its own transpose, so one rule, "multiply by the local derivative", serves as vjp and as jvp.
Conventions at kinks are PyTorch's: |x|' = 0 at 0, equal arguments of maximum and minimum share the gradient half and
half, and clip lets the gradient through on its limits.
"""

from __future__ import annotations

import numpy as np

from ..table import apart, elementwise, example, normal, positive, unit

LN2, LN10 = float(np.log(2.0)), float(np.log(10.0))

# --- arithmetic

add = elementwise(
    np.add, lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: g, holomorphic=True, sympy=lambda sp, x, y: x + y
)
subtract = elementwise(
    np.subtract, lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: -g, holomorphic=True, sympy=lambda sp, x, y: x - y
)
multiply = elementwise(
    np.multiply,
    lambda g, _out, _x, y: g * y,
    lambda g, _out, x, _y: g * x,
    holomorphic=True,
    sympy=lambda sp, x, y: x * y,
)
divide = elementwise(
    np.divide,
    lambda g, _out, _x, y: g / y,
    lambda g, out, _x, y: -g * out / y,
    holomorphic=True,
    sympy=lambda sp, x, y: x / y,
)
negative = elementwise(np.negative, lambda g, _out, _x: -g, holomorphic=True, sympy=lambda sp, x: -x)
positive_ = elementwise(np.positive, lambda g, _out, _x: g, sympy=lambda sp, x: x)
reciprocal = elementwise(np.reciprocal, lambda g, out, _x: -g * out * out, holomorphic=True, sympy=lambda sp, x: 1 / x)
square = elementwise(np.square, slope=lambda _out, x: 2 * x, holomorphic=True, sympy=lambda sp, x: x**2)


def _power_base(g, _out, x, y):
    """g y x^(y-1), with 0 where y = 0, so that x = 0 does no harm there."""
    if isinstance(y, (int, float)):
        return g * (2 * x) if y == 2 else g * 0.0 if y == 0 else g * (y * x ** (y - 1))
    return g * (y * x ** np.where(y == 0, 1.0, y - 1).astype(np.result_type(y.dtype)))


def _power_exponent(g, out, x, _y):
    """g x^y log x, with 0 where x = 0."""
    zero = x == 0
    return g * np.where(zero, 0.0, out * np.log(np.where(zero, 1.0, x)))


power = elementwise(
    np.power,
    _power_base,
    _power_exponent,
    domain=(positive, normal),
    holomorphic=True,
    sympy=lambda sp, x, y: x**y,
)

# --- exponentials and logarithms

exp = elementwise(np.exp, slope=lambda out, _x: out, holomorphic=True, sympy=lambda sp, x: sp.exp(x))
exp2 = elementwise(np.exp2, slope=lambda out, _x: out * LN2, sympy=lambda sp, x: 2**x)
expm1 = elementwise(np.expm1, slope=lambda out, _x: out + 1, sympy=lambda sp, x: sp.exp(x) - 1)
log = elementwise(np.log, lambda g, _out, x: g / x, domain=positive, holomorphic=True, sympy=lambda sp, x: sp.log(x))
log2 = elementwise(
    np.log2, lambda g, _out, x: g / (x * LN2), domain=positive, sympy=lambda sp, x: sp.log(x) / sp.log(2)
)
log10 = elementwise(
    np.log10, lambda g, _out, x: g / (x * LN10), domain=positive, sympy=lambda sp, x: sp.log(x) / sp.log(10)
)
log1p = elementwise(np.log1p, lambda g, _out, x: g / (1 + x), domain=positive, sympy=lambda sp, x: sp.log(1 + x))
sqrt = elementwise(
    np.sqrt, lambda g, out, _x: g / (2 * out), domain=positive, holomorphic=True, sympy=lambda sp, x: sp.sqrt(x)
)
cbrt = elementwise(
    np.cbrt, lambda g, out, _x: g / (3 * out * out), domain=positive, sympy=lambda sp, x: x ** sp.Rational(1, 3)
)
logaddexp = elementwise(
    np.logaddexp,
    lambda g, out, x, _y: g * np.exp(x - out),
    lambda g, out, _x, y: g * np.exp(y - out),
    sympy=lambda sp, x, y: sp.log(sp.exp(x) + sp.exp(y)),
)

# --- trigonometric and hyperbolic

sin = elementwise(np.sin, slope=lambda _out, x: np.cos(x), holomorphic=True, sympy=lambda sp, x: sp.sin(x))
cos = elementwise(np.cos, slope=lambda _out, x: -np.sin(x), holomorphic=True, sympy=lambda sp, x: sp.cos(x))
tan = elementwise(
    np.tan, slope=lambda out, _x: 1 + out * out, domain=unit, holomorphic=True, sympy=lambda sp, x: sp.tan(x)
)
arcsin = elementwise(np.arcsin, lambda g, _out, x: g / np.sqrt(1 - x * x), domain=unit, sympy=lambda sp, x: sp.asin(x))
arccos = elementwise(np.arccos, lambda g, _out, x: -g / np.sqrt(1 - x * x), domain=unit, sympy=lambda sp, x: sp.acos(x))
arctan = elementwise(np.arctan, lambda g, _out, x: g / (1 + x * x), holomorphic=True, sympy=lambda sp, x: sp.atan(x))
arctan2 = elementwise(
    np.arctan2,
    lambda g, _out, y, x: g * x / (x * x + y * y),
    lambda g, _out, y, x: -g * y / (x * x + y * y),
    sympy=lambda sp, y, x: sp.atan2(y, x),
)
hypot = elementwise(
    np.hypot, lambda g, out, x, _y: g * x / out, lambda g, out, _x, y: g * y / out,
    sympy=lambda sp, x, y: sp.sqrt(x**2 + y**2),
)  # fmt: skip
sinh = elementwise(np.sinh, slope=lambda _out, x: np.cosh(x), holomorphic=True, sympy=lambda sp, x: sp.sinh(x))
cosh = elementwise(np.cosh, slope=lambda _out, x: np.sinh(x), holomorphic=True, sympy=lambda sp, x: sp.cosh(x))
tanh = elementwise(np.tanh, slope=lambda out, _x: 1 - out * out, holomorphic=True, sympy=lambda sp, x: sp.tanh(x))
arcsinh = elementwise(np.arcsinh, lambda g, _out, x: g / np.sqrt(x * x + 1), sympy=lambda sp, x: sp.asinh(x))
arccosh = elementwise(
    np.arccosh,
    lambda g, _out, x: g / np.sqrt(x * x - 1),
    domain=lambda rng, shape: 1.2 + positive(rng, shape),
    sympy=lambda sp, x: sp.acosh(x),
)
arctanh = elementwise(np.arctanh, lambda g, _out, x: g / (1 - x * x), domain=unit, sympy=lambda sp, x: sp.atanh(x))


# --- kinks


def between(rng, shape):
    """Draw numbers that are at least 0.05 away from those of ``apart``."""
    return apart(rng, shape) + 0.15


def _share(x, out, other):
    """Return 1 where x is the chosen argument, 1/2 where both are equal, 0 elsewhere, in the dtype of the output."""
    won = np.equal(x, out).astype(out.dtype)
    return won / (1 + np.equal(x, other)).astype(out.dtype)


maximum = elementwise(
    np.maximum, lambda g, out, x, y: g * _share(x, out, y), lambda g, out, x, y: g * _share(y, out, x),
    domain=(apart, between), sympy=lambda sp, x, y: sp.Max(x, y),
)  # fmt: skip
minimum = elementwise(
    np.minimum, lambda g, out, x, y: g * _share(x, out, y), lambda g, out, x, y: g * _share(y, out, x),
    domain=(apart, between), sympy=lambda sp, x, y: sp.Min(x, y),
)  # fmt: skip
where = elementwise(
    np.where,
    None,
    lambda g, _out, condition, _x, _y: np.where(condition, g, np.zeros_like(g)),
    lambda g, _out, condition, _x, _y: np.where(condition, np.zeros_like(g), g),
    examples=[
        example((3, 4), (3, 4), (3, 4), domain=(lambda rng, s: rng.random(s) < 0.5, normal, normal)),
        example((4,), (3, 1), (2, 3, 4), domain=(lambda rng, s: rng.random(s) < 0.5, normal, normal)),
    ],
    sympy=lambda sp, condition, x, y: x if condition else y,
)
sign = elementwise(
    np.sign,
    lambda g, _out, _x: np.zeros_like(g),
    flat=True,
    # Sympy would differentiate the jump to a delta function; away from it the sign is a number.
    sympy_array=lambda sp, values, x: np.frompyfunc(sp.Integer, 1, 1)(np.sign(values[0])),
)
