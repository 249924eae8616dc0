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
    np.add,
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    holomorphic=True,
    sympy=lambda sp, x, y: x + y,
    reads="",
)
subtract = elementwise(
    np.subtract,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    holomorphic=True,
    sympy=lambda sp, x, y: x - y,
    reads="",
)
multiply = elementwise(
    np.multiply,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
    holomorphic=True,
    sympy=lambda sp, x, y: x * y,
    reads="x y",
)
divide = elementwise(
    np.divide,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: -g * out / y,
    holomorphic=True,
    sympy=lambda sp, x, y: x / y,
    reads="out y",
)
negative = elementwise(
    np.negative,
    lambda g, out, x: -g,
    holomorphic=True,
    sympy=lambda sp, x: -x,
    reads="",
)
positive_ = elementwise(
    np.positive,
    lambda g, out, x: g,
    sympy=lambda sp, x: x,
    reads="",
)
reciprocal = elementwise(
    np.reciprocal,
    lambda g, out, x: -g * out * out,
    holomorphic=True,
    sympy=lambda sp, x: 1 / x,
    reads="out",
)
square = elementwise(
    np.square,
    slope=lambda out, x: 2 * x,
    holomorphic=True,
    sympy=lambda sp, x: x**2,
    reads="x",
)


def _power_base(g, out, x, y):
    """g y x^(y-1), with 0 where y = 0, so that x = 0 does no harm there."""
    if isinstance(y, (int, float, complex)):
        return g * (2 * x) if y == 2 else g * 0.0 if y == 0 else g * (y * x ** (y - 1))
    return g * (y * x ** np.where(y == 0, 1.0, y - 1).astype(y.dtype))


def _power_exponent(g, out, x, y):
    """g x^y log x, with 0 where x = 0."""
    zero = x == 0  # a base of lower precision than the result must not lower that of its logarithm
    return g * np.where(zero, 0.0, out * np.log(np.where(zero, 1.0, x).astype(out.dtype)))


power = elementwise(
    np.power,
    _power_base,
    _power_exponent,
    domain=(positive, normal),
    holomorphic=True,
    sympy=lambda sp, x, y: x**y,
)

# --- exponentials and logarithms

exp = elementwise(
    np.exp,
    slope=lambda out, x: out,
    holomorphic=True,
    sympy=lambda sp, x: sp.exp(x),
    reads="out",
)
exp2 = elementwise(
    np.exp2,
    slope=lambda out, x: out * LN2,
    sympy=lambda sp, x: 2**x,
    reads="out",
)
expm1 = elementwise(
    np.expm1,
    slope=lambda out, x: out + 1,
    sympy=lambda sp, x: sp.exp(x) - 1,
    reads="out",
)
log = elementwise(
    np.log,
    lambda g, out, x: g / x,
    domain=positive,
    holomorphic=True,
    sympy=lambda sp, x: sp.log(x),
    reads="x",
)
log2 = elementwise(
    np.log2,
    lambda g, out, x: g / (x * LN2),
    domain=positive,
    sympy=lambda sp, x: sp.log(x) / sp.log(2),
    reads="x",
)
log10 = elementwise(
    np.log10,
    lambda g, out, x: g / (x * LN10),
    domain=positive,
    sympy=lambda sp, x: sp.log(x) / sp.log(10),
    reads="x",
)
log1p = elementwise(
    np.log1p,
    lambda g, out, x: g / (1 + x),
    domain=positive,
    sympy=lambda sp, x: sp.log(1 + x),
    reads="x",
)
sqrt = elementwise(
    np.sqrt,
    lambda g, out, x: g / (2 * out),
    domain=positive,
    holomorphic=True,
    sympy=lambda sp, x: sp.sqrt(x),
    reads="out",
)
cbrt = elementwise(
    np.cbrt,
    lambda g, out, x: g / (3 * out * out),
    domain=positive,
    sympy=lambda sp, x: x ** sp.Rational(1, 3),
    reads="out",
)


def _part(x, out, other):
    """Return exp(x - out): where x is the infinity that the sum is, all of it (as in PyTorch), and half if both are."""
    same = np.equal(x, out)
    part = np.exp(np.where(same, 0.0, x) - np.where(same, 0.0, out))
    return part * np.where(np.isinf(out) & np.equal(x, other), 0.5, 1.0).astype(out.dtype)


logaddexp = elementwise(
    np.logaddexp,
    lambda g, out, x, y: g * _part(x, out, y),
    lambda g, out, x, y: g * _part(y, out, x),
    sympy=lambda sp, x, y: sp.log(sp.exp(x) + sp.exp(y)),
)

# --- trigonometric and hyperbolic

sin = elementwise(
    np.sin,
    slope=lambda out, x: np.cos(x),
    holomorphic=True,
    sympy=lambda sp, x: sp.sin(x),
    reads="x",
)
cos = elementwise(
    np.cos,
    slope=lambda out, x: -np.sin(x),
    holomorphic=True,
    sympy=lambda sp, x: sp.cos(x),
    reads="x",
)
tan = elementwise(
    np.tan,
    slope=lambda out, x: 1 + out * out,
    domain=unit,
    holomorphic=True,
    sympy=lambda sp, x: sp.tan(x),
    reads="out",
)
arcsin = elementwise(
    np.arcsin,
    lambda g, out, x: g / np.sqrt(1 - x * x),
    domain=unit,
    sympy=lambda sp, x: sp.asin(x),
    reads="x",
)
arccos = elementwise(
    np.arccos,
    lambda g, out, x: -g / np.sqrt(1 - x * x),
    domain=unit,
    sympy=lambda sp, x: sp.acos(x),
    reads="x",
)
arctan = elementwise(
    np.arctan,
    lambda g, out, x: g / (1 + x * x),
    holomorphic=True,
    sympy=lambda sp, x: sp.atan(x),
    reads="x",
)


def _radius(y, x):
    """Return the distance from the origin, and 1 there, where PyTorch takes both derivatives of the angle to be 0."""
    origin = np.equal(x, 0) & np.equal(y, 0)
    return np.where(origin, 1.0, np.hypot(np.where(origin, 1.0, x), y))


arctan2 = elementwise(
    np.arctan2,
    lambda g, out, y, x: g * (x / _radius(y, x) / _radius(y, x)),
    lambda g, out, y, x: -g * (y / _radius(y, x) / _radius(y, x)),
    sympy=lambda sp, y, x: sp.atan2(y, x),
    reads="y x",
)
hypot = elementwise(
    np.hypot, lambda g, out, x, y: g * x / out, lambda g, out, x, y: g * y / out,
    sympy=lambda sp, x, y: sp.sqrt(x**2 + y**2),
)  # fmt: skip
sinh = elementwise(
    np.sinh,
    slope=lambda out, x: np.cosh(x),
    holomorphic=True,
    sympy=lambda sp, x: sp.sinh(x),
    reads="x",
)
cosh = elementwise(
    np.cosh,
    slope=lambda out, x: np.sinh(x),
    holomorphic=True,
    sympy=lambda sp, x: sp.cosh(x),
    reads="x",
)
tanh = elementwise(
    np.tanh,
    slope=lambda out, x: 1 - out * out,
    holomorphic=True,
    sympy=lambda sp, x: sp.tanh(x),
    reads="out",
)


def _hypotenuse(x):
    """Return sqrt(x² + 1), for real numbers without overflow."""
    return np.sqrt(x * x + 1) if x.dtype.kind == "c" else np.hypot(x, 1.0)


arcsinh = elementwise(
    np.arcsinh,
    lambda g, out, x: g / _hypotenuse(x),
    sympy=lambda sp, x: sp.asinh(x),
    reads="x",
)
arccosh = elementwise(
    np.arccosh,
    lambda g, out, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)),
    domain=lambda rng, shape: 1.2 + positive(rng, shape),
    sympy=lambda sp, x: sp.acosh(x),
    reads="x",
)
arctanh = elementwise(
    np.arctanh,
    lambda g, out, x: g / (1 - x * x),
    domain=unit,
    sympy=lambda sp, x: sp.atanh(x),
    reads="x",
)


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
    lambda g, out, condition, x, y: np.where(condition, g, np.zeros_like(g)),
    lambda g, out, condition, x, y: np.where(condition, np.zeros_like(g), g),
    examples=[
        example((3, 4), (3, 4), (3, 4), domain=(lambda rng, s: rng.random(s) < 0.5, normal, normal)),
        example((4,), (3, 1), (2, 3, 4), domain=(lambda rng, s: rng.random(s) < 0.5, normal, normal)),
    ],
    sympy=lambda sp, condition, x, y: x if condition else y,
    reads="condition",
)
