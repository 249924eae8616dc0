"""The ufuncs that models rarely use: remainders, degrees, signs and exponents, and the extremes that pass over nan.

Most are linear in each piece, so a rule multiplies by what is constant there. Conventions: the derivative of a step is
that of the piece that NumPy's value lies on; where ``fmax`` and ``fmin`` have a tie the first argument gets the
gradient, as in PyTorch.
"""

from __future__ import annotations

import math

import numpy as np

from ..dispatch import UnsupportedArgumentError, operation, plain
from ..table import composite, constant, elementwise, elementwise_examples, example, fixed, normal, positive

LN2 = math.log(2.0)
DEGREE = math.pi / 180


def _whole(sp, numbers):
    """Return rounded numbers as whole numbers of sympy."""
    return np.frompyfunc(sp.Integer, 1, 1)(np.asarray(numbers))


def _inside_a_period(rng, shape):
    """Draw numbers that are far from every multiple of 0.7, so that no remainder jumps."""
    return 0.7 * (rng.integers(-3, 4, size=shape) + rng.uniform(0.25, 0.75, size=shape))


def _periods(rng, shape):
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.69, 0.71, size=shape)


remainder = elementwise(
    np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.floor_divide(x, y),
    domain=(_inside_a_period, _periods),
    sympy_array=lambda sp, values, x, y: x - _whole(sp, np.floor_divide(*values)) * y,
    reads="x y",
    note="the slope of the piece to which the value belongs, as PyTorch",
)
fmod = elementwise(
    np.fmod,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.trunc(np.divide(x, y)),
    domain=(_inside_a_period, _periods),
    sympy_array=lambda sp, values, x, y: x - _whole(sp, np.trunc(np.divide(*values))) * y,
    reads="x y",
    note="the slope of the piece to which the value belongs, as PyTorch",
)
for _function in (np.deg2rad, np.radians):
    elementwise(_function, lambda g, out, x: g * DEGREE, sympy=lambda sp, x: x * sp.pi / 180, reads="")
for _function in (np.rad2deg, np.degrees):  # type: ignore[assignment]
    elementwise(_function, lambda g, out, x: g / DEGREE, sympy=lambda sp, x: x * 180 / sp.pi, reads="")
fabs = elementwise(
    np.fabs, slope=lambda out, x: np.sign(x), sympy=lambda sp, x: sp.Abs(x), reads="x", note="0 at 0, as PyTorch"
)
copysign = elementwise(
    np.copysign,
    lambda g, out, x, y: g * (np.sign(x) * np.copysign(np.ones((), out.dtype), y)),
    None,
    sympy=lambda sp, x, y: sp.Abs(x) if y >= 0 else -sp.Abs(x),
    note="0 at 0, as PyTorch",
)
logaddexp2 = elementwise(
    np.logaddexp2,
    lambda g, out, x, y: g * np.exp2(_behind(x, y, out)),
    lambda g, out, x, y: g * np.exp2(_behind(y, x, out)),
    sympy=lambda sp, x, y: sp.log(2**x + 2**y) / sp.log(2),
    note="with one infinite argument, the larger gets the gradient, as PyTorch",
)


def _behind(x, other, out):
    """Return ``x - out``, and 0 where infinite ``x`` is the larger."""
    return np.where(np.isinf(out) & np.not_equal(x, other) & np.equal(x, out), 0.0, x - out)


heaviside = elementwise(
    np.heaviside,
    None,
    lambda g, out, x, y: g * np.equal(x, 0).astype(g.dtype),
    examples=[
        example((3, 4), (3, 4), domain=(lambda rng, s: rng.integers(-1, 2, size=s).astype(np.int8), normal)),
        example((), (2, 3), domain=(lambda rng, s: np.zeros(s, np.int8), normal)),
    ],
    sympy=lambda sp, x, y: y if x == 0 else sp.Integer(1 if x > 0 else 0),
    reads="x",
    note="flat in the first argument",
)
scaled = operation(
    lambda x, i: np.ldexp(x, i),
    rules=[lambda g, out, x, i: np.ldexp(g, i), None],
    examples=[
        example((3, 4), (3, 4), domain=(normal, lambda rng, s: rng.integers(-2, 3, size=s).astype(np.int32))),
        example((4,), (2, 1), domain=(normal, lambda rng, s: rng.integers(-2, 3, size=s).astype(np.int32))),
        example((), (2, 3), domain=(normal, lambda rng, s: rng.integers(-2, 3, size=s).astype(np.int32))),
    ],
    sympy=lambda sp, x, i: x * sp.Integer(2) ** int(i),
    reads="i",
    name="times a power of two",
)


def _ldexp(x1, x2, dtype=None):
    kind = np.ldexp(plain(x1), x2, dtype=dtype).dtype  # for NumPy's errors
    return np.astype(scaled(np.astype(x1, kind), np.asarray(x2)), kind)


composite(np.ldexp, _ldexp, example((3, 4), fixed(np.array([-1, 0, 2, 3]))), example((), fixed(2)))


def _first_where(chosen):
    """Make ``fmax`` or ``fmin``: the first argument where it is chosen or the second is no number."""

    def definition(x1, x2):
        first = chosen(plain(x1), plain(x2)) | np.isnan(plain(x2))
        return np.where(first, x1, x2)

    return definition


PAIRS = [example((3, 4), (3, 4)), example((4,), (3, 1)), example((), (2, 3)), example((0, 3), (3,))]
TIE = "at a tie the first argument gets the gradient, as in PyTorch; nan loses"

composite(np.fmax, _first_where(np.greater_equal), *PAIRS, arrays="x1 x2", weak="x1 x2", note=TIE)
composite(np.fmin, _first_where(np.less_equal), *PAIRS, arrays="x1 x2", weak="x1 x2", note=TIE)


def _float_power(x1, x2, dtype=None):
    wide = np.result_type(plain(x1), plain(x2), np.float64)
    found = np.float_power(plain(x1), plain(x2), dtype=dtype).dtype  # for NumPy's errors
    if found != wide:
        raise UnsupportedArgumentError("np.float_power(..., dtype=...) is not supported; use x.astype(dtype) first")
    return np.power(*[np.astype(x, wide) for x in (x1, x2)])


composite(
    np.float_power,
    _float_power,
    *(example(*pair.args, domain=(positive, normal)) for pair in elementwise_examples(2, normal)),
    arrays="x1 x2",
)


def _nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    if x.dtype.kind == "c":
        parts = [_nan_to_num(part, nan=nan, posinf=posinf, neginf=neginf) for part in (np.real(x), np.imag(x))]
        return parts[0] + 1j * parts[1]
    values = plain(x)
    return np.where(np.isfinite(values), x, np.nan_to_num(values, nan=nan, posinf=posinf, neginf=neginf))


composite(
    np.nan_to_num, _nan_to_num, example((3, 4)), example((2, 3), nan=1.0), example((1,)),
    note="what was replaced gets the gradient 0, as in PyTorch",
)  # fmt: skip


def _shifted(function, argument):
    """Make a function that adds to each entry a number that only changes in jumps; NumPy knows which."""

    def definition(p, discont=None, axis=-1, *, period=2 * math.pi):
        values = plain(p)
        return p + (function(values, discont, axis=axis, period=period) - values)

    return definition


composite(np.unwrap, _shifted(np.unwrap, "p"), example((5,)), example((3, 4), axis=0))


def _series(x):
    """Return the slope of ``sinc`` near 0, where its formula would lose every digit."""
    t = (math.pi * x) ** 2
    return -(math.pi**2) / 3 * x * (1 - t / 10 * (1 - t / 28 * (1 - t / 54)))


def _sinc_slope(out, x):
    near = np.abs(plain(x)) < 0.02
    safe = np.where(near, 1.0, x)
    return np.where(near, _series(np.where(near, x, 0.0)), (np.cos(math.pi * safe) - np.sinc(safe)) / safe)


sinc = elementwise(
    np.sinc,
    slope=_sinc_slope,
    sympy=lambda sp, x: sp.sin(sp.pi * x) / (sp.pi * x) if x != 0 else sp.Integer(1),
    reads="x",
)

constant(
    np.fix, np.isin, np.iscomplex, np.isreal, np.isposinf, np.isneginf, np.lexsort, np.digitize, np.nanargmax,
    np.nanargmin, np.array_equiv, np.spacing, np.linalg.matrix_rank,
)  # fmt: skip
