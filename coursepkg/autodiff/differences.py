"""Differences that know no calculus: slopes of a function of numbers, from its values alone.

The one idea: a slope from two values needs no rule that could be wrong, and it can say itself how far it may be off.
The balance of truncation and rounding in a difference is that of Press et al. (Numerical Recipes, section 5.7), the
complex step Squire and Trapp's (1998).
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Difference", "central_difference", "complex_step", "differences"]

_CANNOT = (TypeError, ValueError, ArithmeticError)  # what a function raises where it has no value


@dataclass(frozen=True)
class Difference:
    """A difference quotient: the slope, how far it may be off, and at a kink the slopes to its left and right."""

    slope: float
    error: float
    kink: tuple[float, float] | None = None

    def __float__(self) -> float:
        return self.slope


def central_difference(f: Callable[[Any], Any], x: Any, *, step: float | None = None) -> list[float]:
    """Estimate the gradient of ``f`` by central differences, (f(x + h) - f(x - h)) / 2h for each entry.

    Parameters
    ----------
    f : callable
        Takes a flat sequence like ``x`` and returns one number.
    x : list, tuple or one-dimensional array, n entries
        The point. Entries of an array keep their dtype while they are moved.
    step : float, optional
        The step h. By default a step is chosen for each entry: the cube root of the machine precision (of the coarser
        of the dtypes of ``x`` and of ``f(x)``), times 1 or times the entry, whichever leaves the smaller error.

    Returns
    -------
    list of float, n entries

    Raises
    ------
    ValueError
        If ``f`` has no value on both sides of the point; at the point itself the error is that of ``f``.

    Examples
    --------
    >>> [round(slope, 6) for slope in central_difference(lambda p: p[0] ** 2 * p[1], [3.0, 2.0])]
    [12.0, 9.0]
    """
    return [difference.slope for difference in differences(f, x, step=step)]


def differences(f: Callable[[Any], Any], x: Any, *, step: float | None = None) -> list[Difference]:
    """The same as :func:`central_difference`, each slope with an estimate of its error and a search for kinks."""
    center = f(x)
    precision = max(_precision(x), _precision(center))
    found = []
    for i, entry in enumerate(x):
        size = abs(float(entry))
        steps = [step] if step else sorted({precision ** (1 / 3) * scale for scale in (size, 1.0) if scale})
        tried = [_difference(f, x, i, h, float(center), precision) for h in steps]
        finite = [difference for difference in tried if difference is not None]
        if not finite:
            raise ValueError(
                f"the function has no finite value on both sides of entry {i} = {entry}; move the point inward"
            )
        found.append(min(finite, key=lambda difference: difference.error))
    return found


def complex_step(f: Callable[[Any], Any], x: Sequence[float]) -> list[float]:
    """Compute the gradient of ``f`` by complex steps, Im f(x + ih) / h: no subtraction, so no digits are lost.

    Parameters
    ----------
    f : callable
        Takes a flat sequence of complex numbers and returns one number. It must be analytic: made of operators and of
        exp, log, sin, ... without ``abs`` and without comparisons.
    x : sequence of float, n entries
        The point.

    Returns
    -------
    list of float, n entries

    Raises
    ------
    ValueError
        If ``f`` cannot be continued to complex numbers there. That is found out by trying: ``f`` refuses a complex
        number, or its complex step is not the slope along the real line.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import exp
    >>> complex_step(lambda p: exp(p[0]), [0.0])
    [1.0]
    """
    slopes = []
    for i, (entry, real) in enumerate(zip(x, differences(f, x), strict=True)):
        h = 1e-30 * (abs(float(entry)) or 1.0)
        try:
            slope = complex(f(_moved(x, i, complex(float(entry), h)))).imag / h
        except _CANNOT as error:
            raise ValueError(f"a complex step needs a function of complex numbers; this one said: {error}") from None
        if real.kink or not abs(slope - real.slope) <= 100 * real.error + 1e-4 * max(abs(slope), abs(real.slope)):
            raise ValueError(
                "a complex step needs an analytic function, with no abs, no choice and no kink at this point"
            )
        slopes.append(slope)
    return slopes


def _precision(value: Any) -> float:
    dtype = getattr(value, "dtype", None)
    if dtype is None or dtype.kind != "f":
        return sys.float_info.epsilon
    import numpy  # only arrays and NumPy scalars come this way

    return float(numpy.finfo(dtype).eps)


def _moved(x: Any, i: int, value: Any) -> Any:
    """A copy of x with another entry i; arrays become complex where the entry is."""
    if isinstance(value, complex) and hasattr(x, "astype"):
        copy = x.astype(complex)
    else:
        copy = x.copy() if hasattr(x, "copy") else list(x)
    copy[i] = value
    return copy


def _difference(f: Callable, x: Any, i: int, h: float, center: float, precision: float) -> Difference | None:
    """The central difference with step h; None where the function has no finite value."""
    slopes, sides, rounding = [], [], 0.0
    for width in (h, h / 2):
        above, below = _moved(x, i, x[i] + width), _moved(x, i, x[i] - width)
        right, left = float(above[i]) - float(x[i]), float(x[i]) - float(below[i])  # what rounding left of the step
        if not (right > 0 and left > 0):
            return None
        try:
            high, low = float(f(above)), float(f(below))
        except _CANNOT:
            return None
        slopes.append((high - low) / (right + left))
        sides.append(((center - low) / left, (high - center) / right))
        rounding = precision * max(abs(high), abs(center), abs(low)) / width
    if not all(map(math.isfinite, slopes)):
        return None
    # The gap between the slopes to the left and to the right halves with the step where f is smooth; a kink keeps it.
    wide, narrow = (abs(after - before) for before, after in sides)
    kink = narrow > 0.75 * wide and narrow > 1e-3 * max(map(abs, sides[1])) + 50 * rounding
    return Difference(slopes[0], abs(slopes[0] - slopes[1]) + rounding, sides[1] if kink else None)
