"""The table of derivatives: what an operation does to numbers, its local derivatives, and how one says them.

The one idea: the chain rule asks nothing of an operation but its local derivatives, so each is written down once.
The scalar engine computes with them, graded graphs are made of them, drawings say them, and the array primitives are
held to them.

``value(m, *operands)`` is the operation, ``slope(m, out, *operands)`` its local derivative in one operand, given the
result. ``m`` holds the elementary functions. A value is meant for plain numbers (``m`` is :mod:`math` or :mod:`cmath`);
a slope holds for numbers and, with NumPy as ``m``, for arrays. In the words ``{x}`` and ``{y}`` stand for the operands
and ``{out}`` for the result.

At kinks the conventions are PyTorch's: relu'(0) = 0, abs'(0) = 0, equal arguments of maximum and minimum share the
slope half and half. Nothing is imported here but :mod:`math`, since those who read this table must stay light, and
nothing can be changed in it, since the judge reads it too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = ["OPERATIONS", "Operation"]

Slope = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that works number by number.

    Attributes
    ----------
    names : tuple of str
        What engines call it; the first is NumPy's name.
    value : callable
        ``value(m, *operands)``.
    slopes : tuple of callables
        ``slope(m, out, *operands)``, one for each operand.
    words : tuple of str
        The same slopes in letters.
    at : callable
        ``at(m, *numbers)``: the value at plain numbers, and behind it the slopes. A slope is infinite where its formula
        divides by zero (the square root at 0), and NaN where it has no real value (a power of a negative number, in the
        exponent). Where there is no value, it raises what ``m`` does: ValueError, OverflowError or ZeroDivisionError.
    sign : str
        What stands between or before its operands in a drawing; empty if its name does.
    spoken : str
        What the sign is called when it is read aloud.
    commutes : bool
        Whether the operands may be exchanged.

    Examples
    --------
    >>> OPERATIONS["*", 2].at(math, 3.0, -2.0)
    (-6.0, -2.0, 3.0)
    >>> OPERATIONS["sqrt", 1].at(math, 0.0)
    (0.0, inf)
    >>> OPERATIONS["tanh", 1].words
    ('1 − {out}²',)
    """

    names: tuple[str, ...]
    value: Callable[..., Any]
    slopes: tuple[Slope, ...]
    words: tuple[str, ...]
    at: Callable[..., tuple[Any, ...]]
    sign: str = ""
    spoken: str = ""
    commutes: bool = False


def _logaddexp(m: Any, x: float, y: float) -> float:
    return max(x, y) + m.log1p(m.exp(-abs(x - y)))


def _sigmoid(m: Any, x: float) -> float:
    return 1 / (1 + m.exp(-x)) if x.real > -700 else m.exp(x)  # e^700 is about the largest power that a float holds


def _one(names: str, value: Callable[..., Any], slope: Slope, words: str, **drawn: Any) -> Operation:
    def at(m: Any, x: Any) -> tuple[Any, Any]:
        out = value(m, x)
        try:
            return out, slope(m, out, x)
        except ZeroDivisionError:
            return out, math.inf
        except ValueError:
            return out, math.nan

    return Operation(tuple(names.split()), value, (slope,), (words,), at, **drawn)


def _two(
    names: str, value: Callable[..., Any], first: tuple[Slope, str], second: tuple[Slope, str], **drawn: Any
) -> Operation:
    (slope_x, words_x), (slope_y, words_y) = first, second

    def at(m: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
        out = value(m, x, y)
        found = []
        for slope in (slope_x, slope_y):
            try:
                found.append(slope(m, out, x, y))
            except ZeroDivisionError:
                found.append(math.inf)
            except ValueError:
                found.append(math.nan)
        return out, *found

    return Operation(tuple(names.split()), value, (slope_x, slope_y), (words_x, words_y), at, **drawn)


_LN2, _LN10 = math.log(2.0), math.log(10.0)
_UNARY = (
    _one("negative neg -", lambda m, x: -x, lambda m, out, x: -1.0, "−1", sign="−"),
    _one("positive", lambda m, x: +x, lambda m, out, x: 1.0, "1"),
    _one(
        "absolute abs", lambda m, x: abs(x),
        lambda m, out, x: 1.0 * (x > 0) - 1.0 * (x < 0), "the sign of {x}",
        sign="abs",
    ),
    _one("reciprocal", lambda m, x: 1 / x, lambda m, out, x: -out * out, "−{out}²"),
    _one("square", lambda m, x: x * x, lambda m, out, x: 2 * x, "2 × {x}"),
    _one("exp", lambda m, x: m.exp(x), lambda m, out, x: out, "{out}"),
    _one("exp2", lambda m, x: m.exp2(x), lambda m, out, x: out * _LN2, "{out} × log(2)"),
    _one("expm1", lambda m, x: m.expm1(x), lambda m, out, x: out + 1, "{out} + 1"),
    _one("log", lambda m, x: m.log(x), lambda m, out, x: 1 / x, "1 ÷ {x}"),
    _one("log2", lambda m, x: m.log2(x), lambda m, out, x: 1 / (x * _LN2), "1 ÷ ({x} × log(2))"),
    _one("log10", lambda m, x: m.log10(x), lambda m, out, x: 1 / (x * _LN10), "1 ÷ ({x} × log(10))"),
    _one("log1p", lambda m, x: m.log1p(x), lambda m, out, x: 1 / (1 + x), "1 ÷ (1 + {x})"),
    _one("sqrt √", lambda m, x: m.sqrt(x), lambda m, out, x: 0.5 / out, "1 ÷ (2 × {out})", sign="sqrt"),
    _one("cbrt", lambda m, x: m.cbrt(x), lambda m, out, x: 1 / (3 * out * out), "1 ÷ (3 × {out}²)"),
    _one("sin", lambda m, x: m.sin(x), lambda m, out, x: m.cos(x), "cos({x})"),
    _one("cos", lambda m, x: m.cos(x), lambda m, out, x: -m.sin(x), "−sin({x})"),
    _one("tan", lambda m, x: m.tan(x), lambda m, out, x: 1 + out * out, "1 + {out}²"),
    _one("arcsin", lambda m, x: m.asin(x), lambda m, out, x: 1 / m.sqrt(1 - x * x), "1 ÷ sqrt(1 − {x}²)"),
    _one("arccos", lambda m, x: m.acos(x), lambda m, out, x: -1 / m.sqrt(1 - x * x), "−1 ÷ sqrt(1 − {x}²)"),
    _one("arctan", lambda m, x: m.atan(x), lambda m, out, x: 1 / (1 + x * x), "1 ÷ (1 + {x}²)"),
    _one("sinh", lambda m, x: m.sinh(x), lambda m, out, x: m.cosh(x), "cosh({x})"),
    _one("cosh", lambda m, x: m.cosh(x), lambda m, out, x: m.sinh(x), "sinh({x})"),
    _one("tanh", lambda m, x: m.tanh(x), lambda m, out, x: 1 - out * out, "1 − {out}²"),
    _one("arcsinh", lambda m, x: m.asinh(x), lambda m, out, x: 1 / m.sqrt(x * x + 1), "1 ÷ sqrt({x}² + 1)"),
    _one("arccosh", lambda m, x: m.acosh(x), lambda m, out, x: 1 / m.sqrt(x * x - 1), "1 ÷ sqrt({x}² − 1)"),
    _one("arctanh", lambda m, x: m.atanh(x), lambda m, out, x: 1 / (1 - x * x), "1 ÷ (1 − {x}²)"),
    _one("sigmoid", _sigmoid, lambda m, out, x: out * (1 - out), "{out} × (1 − {out})"),
    _one("relu", lambda m, x: x if x.real > 0 else 0.0, lambda m, out, x: 1.0 * (x > 0), "1 if {x} > 0, else 0"),
)  # fmt: skip
_BINARY = (
    _two(
        "add +", lambda m, x, y: x + y,
        (lambda m, out, x, y: 1.0, "1"), (lambda m, out, x, y: 1.0, "1"),
        sign="+", spoken="addition", commutes=True,
    ),
    _two(
        "subtract sub -", lambda m, x, y: x - y,
        (lambda m, out, x, y: 1.0, "1"), (lambda m, out, x, y: -1.0, "−1"),
        sign="−", spoken="subtraction",
    ),
    _two(
        "multiply mul * ·", lambda m, x, y: x * y,
        (lambda m, out, x, y: y, "{y}"), (lambda m, out, x, y: x, "{x}"),
        sign="×", spoken="multiplication", commutes=True,
    ),
    _two(
        "divide div truediv /", lambda m, x, y: x / y,
        (lambda m, out, x, y: 1 / y, "1 ÷ {y}"), (lambda m, out, x, y: -out / y, "−{x} ÷ {y}²"),
        sign="÷", spoken="division",
    ),
    _two(
        "power pow **", lambda m, x, y: m.pow(x, y),
        # Where y is 0 the slope is 0, also at x = 0; and so it is in the exponent, where x is 0.
        (lambda m, out, x, y: y * x ** (y - 1 + (y == 0)), "{y} × {x}^({y} − 1)"),
        (lambda m, out, x, y: out * m.log(x + (x == 0)), "{out} × log({x})"),
        sign="^", spoken="power",
    ),
    _two(
        "maximum", lambda m, x, y: x if x.real > y.real else y,
        (lambda m, out, x, y: (x > y) + 0.5 * (x == y), "1 if {x} is the larger, else 0"),
        (lambda m, out, x, y: (y > x) + 0.5 * (x == y), "1 if {y} is the larger, else 0"),
    ),
    _two(
        "minimum", lambda m, x, y: x if x.real < y.real else y,
        (lambda m, out, x, y: (x < y) + 0.5 * (x == y), "1 if {x} is the smaller, else 0"),
        (lambda m, out, x, y: (y < x) + 0.5 * (x == y), "1 if {y} is the smaller, else 0"),
    ),
    _two(
        "logaddexp", _logaddexp,
        (lambda m, out, x, y: m.exp(x - out), "exp({x} − {out})"),
        (lambda m, out, x, y: m.exp(y - out), "exp({y} − {out})"),
    ),
    _two(
        "arctan2", lambda m, x, y: m.atan2(x, y),
        (lambda m, out, x, y: y / (x * x + y * y), "{y} ÷ ({x}² + {y}²)"),
        (lambda m, out, x, y: -x / (x * x + y * y), "−{x} ÷ ({x}² + {y}²)"),
    ),
    _two(
        "hypot", lambda m, x, y: m.hypot(x, y),
        (lambda m, out, x, y: x / out, "{x} ÷ {out}"), (lambda m, out, x, y: y / out, "{y} ÷ {out}"),
    ),
)  # fmt: skip

OPERATIONS = MappingProxyType({
    (name, len(each.slopes)): each for each in _UNARY + _BINARY for name in (*each.names, each.sign) if name
})  # fmt: skip
"""The table: an operation by any of its names, or its sign, and the number of its operands (there are two "-")."""
