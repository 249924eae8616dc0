"""Gradient checks: differences that know no calculus, and a table that holds several routes to a gradient side by side.

The one idea: two routes that share no code and give the same digits are evidence; two zeros are not, and do not count.
The complex step is Squire and Trapp's (1998), the balance of truncation and rounding in a difference that of Press et
al. (Numerical Recipes, section 5.7).
"""

import html
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursepkg.autodiff.scalar import Scalar

_CANNOT = (TypeError, ValueError, ArithmeticError)  # what a function raises where it has no value


@dataclass(frozen=True)
class Difference:
    """A difference quotient: the slope, how far it may be off, and at a kink the slopes to its left and right."""

    slope: float
    error: float
    kink: tuple[float, float] | None = None


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


@dataclass(frozen=True)
class Row:
    """One entry of the gradient: what each route says, how far they are apart (relative), and what that means."""

    name: str
    values: tuple[float, ...]
    difference: float
    verdict: str  # "agree", "DIFFER", "kink" or "no evidence"
    odd: int | None = None  # the route that stands alone


@dataclass
class Report:
    """Routes to one gradient, entry by entry; true if there is evidence and nothing differs.

    Attributes
    ----------
    routes : list of str
        The columns.
    rows : list of Row
        One for each entry.
    absent : dict
        Routes that could not be taken, with the reason.
    """

    routes: list[str]
    rows: list[Row]
    rtol: float
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def worst(self) -> Row:
        """The entry on which the routes are furthest apart."""
        return max(self.rows, key=lambda row: (row.verdict == "DIFFER", row.difference))

    @property
    def evidence(self) -> int:
        """The number of entries in which at least one route says something other than nearly zero, at no kink."""
        return sum(row.verdict in ("agree", "DIFFER") for row in self.rows)

    def __bool__(self) -> bool:
        return self.evidence > 0 and all(row.verdict != "DIFFER" for row in self.rows)

    @property
    def summary(self) -> str:
        """One or two sentences: do the routes agree, and if not, where and who stands alone."""
        worst, total = self.worst, len(self.rows)
        if worst.verdict == "DIFFER":
            verdict = f"The routes differ, most in {worst.name}"
            if worst.odd is not None:
                others = [value for i, value in enumerate(worst.values) if i != worst.odd]
                says = f"{self.routes[worst.odd]} says {_shown(worst.values[worst.odd])}"
                return f"{verdict}: {says}, the others say {_shown(sorted(others)[len(others) // 2])}."
            return f"{verdict}: from {_shown(min(worst.values))} to {_shown(max(worst.values))}."
        if not self.evidence:
            return "No evidence: every entry is nearly zero or at a kink. Choose another point."
        few = "" if self.evidence == total else f" {self.evidence} of {total} entries are evidence."
        return f"All routes agree (relative tolerance {self.rtol:g}).{few}"

    def _cells(self) -> list[list[str]]:
        return [
            [row.name, *("≈ 0" if row.verdict == "no evidence" else _shown(v) for v in row.values), row.verdict]
            for row in self.rows
        ]

    def _notes(self) -> list[str]:
        return [f"{route}: {reason}" for route, reason in self.absent.items()]

    def __str__(self) -> str:
        table = [["entry", *self.routes, "verdict"], *self._cells()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        return "\n".join([*lines, self.summary, *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{html.escape(head)}</th>' for head in ("entry", *self.routes, "verdict"))
        body = ""
        for name, *cells in self._cells():
            data = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
            body += f'<tr><th scope="row">{html.escape(name)}</th>{data}</tr>'
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        caption = f'<caption style="caption-side: bottom; text-align: left">{html.escape(self.summary)}</caption>'
        return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{notes}"


def compare_routes(
    f: Callable[..., Any],
    point: Mapping[str, float] | Sequence[float],
    *,
    routes: Mapping[str, Callable[[Callable[..., Any], Any], Any]] | None = None,
    rtol: float = 1e-6,
) -> Report:
    """Take several routes to the gradient of ``f`` at a point and compare them entry by entry.

    Parameters
    ----------
    f : callable
        A function of numbers, ``f(x, y, ...)``, which returns one number.
    point : dict or sequence of float
        Where: ``{"x": 1.0, "y": 2.0}`` in the order of the arguments, or the bare numbers.
    routes : dict, optional
        More routes by name, such as a learner's own engine: each is called with ``f`` and ``point`` as they were given
        here and returns the gradient, as a sequence or as a dict.
    rtol : float, default 1e-6
        Difference between two routes, relative to the larger value, up to which they are said to agree.

    Returns
    -------
    Report
        Prints as a table. An entry that every route calls nearly zero (below 1e-9 of the largest entry, or below the
        error of the difference quotient) is "no evidence"; "kink" are different slopes between those to its left and
        to its right, where no derivative exists.

    Raises
    ------
    TypeError
        If ``f`` does not return a Scalar when it is given Scalars, so that there is no graph to go back through.

    Examples
    --------
    >>> print(compare_routes(lambda x, y: x * y + x, {"x": 2.0, "y": -3.0}))
    entry  reverse mode  central difference  complex step  sympy  verdict
    x      -2            -2                  -2            -2     agree
    y      2             2                   2             2      agree
    All routes agree (relative tolerance 1e-06).
    """
    names = list(point) if isinstance(point, Mapping) else [f"x{i}" for i in range(len(point))]
    numbers = [float(value) for value in (point.values() if isinstance(point, Mapping) else point)]
    if not names:
        raise ValueError("a gradient needs at least one variable; the point is empty")
    found = differences(lambda values: f(*values), numbers)
    columns = {"reverse mode": _reverse(f, numbers), "central difference": [each.slope for each in found]}
    absent = {}
    for name, witness in (("complex step", _complex_route), ("sympy", _sympy_route)):
        try:
            columns[name] = witness(f, numbers)
        except _CANNOT as error:
            absent[name] = str(error)
    for name, route in (routes or {}).items():
        columns[name] = _as_list(route(f, point), names, name)
    largest = max((abs(value) for column in columns.values() for value in column if math.isfinite(value)), default=0.0)
    rows = [
        _row(name, tuple(column[i] for column in columns.values()), found[i], rtol, max(1e-9 * largest, found[i].error))
        for i, name in enumerate(names)
    ]
    return Report(list(columns), rows, rtol, absent)


def _reverse(f: Callable[..., Any], numbers: list[float]) -> list[float]:
    leaves = [Scalar(number) for number in numbers]
    result = f(*leaves)
    if not isinstance(result, Scalar):
        raise TypeError(
            f"given Scalars the function returned {type(result).__name__} {result!r}, so the graph is cut; use exp, "
            "tanh, ... from coursepkg.autodiff.scalar in place of math.exp, and no float()"
        )
    result.backward()
    return [leaf.grad for leaf in leaves]


def _complex_route(f: Callable[..., Any], numbers: list[float]) -> list[float]:
    return complex_step(lambda values: f(*values), numbers)


def _sympy_route(f: Callable[..., Any], numbers: list[float]) -> list[float]:
    from coursepkg.autodiff.symbolic import derive  # SymPy takes a while to load

    return list(derive(f, *(f"x{i}" for i in range(len(numbers)))).at(*numbers))


def _as_list(gradient: Any, names: list[str], route: str) -> list[float]:
    values = [gradient[name] for name in names] if isinstance(gradient, Mapping) else list(gradient)
    if len(values) != len(names):
        raise ValueError(f"{route} returned {len(values)} numbers for {len(names)} variables ({', '.join(names)})")
    return [float(value) for value in values]


def _row(name: str, values: tuple[float, ...], difference: Difference, rtol: float, floor: float) -> Row:
    spread = _spread(values)
    # A central difference is no better than its own error, but never so blurred that it would agree with anything.
    allowed = max(rtol, min(1e-3, difference.error / max(map(abs, values)))) if any(values) else rtol
    if difference.kink and min(difference.kink) - floor <= min(values) <= max(values) <= max(difference.kink) + floor:
        verdict = "kink"
    elif all(abs(value) <= floor for value in values):
        verdict = "no evidence"
    elif _spread((values[0], *values[2:])) <= rtol and spread <= allowed:
        verdict = "agree"
    else:
        verdict = "DIFFER"
    return Row(name, values, spread, verdict, _odd_one_out(values) if verdict == "DIFFER" else None)


def _spread(values: Sequence[float]) -> float:
    """The largest difference, relative to the largest value; infinite where a value is NaN or infinite."""
    if not all(map(math.isfinite, values)):
        return 0.0 if len(set(values)) == 1 else math.inf
    scale = max(map(abs, values))
    return (max(values) - min(values)) / scale if scale else 0.0


def _odd_one_out(values: tuple[float, ...]) -> int | None:
    """The one route (of three or more) without which the others are ten times closer together, if there is one."""
    without = [_spread([*values[:i], *values[i + 1 :]]) for i in range(len(values))]
    closest, next_closest = sorted(without)[:2]
    alone = len(values) > 2 and closest < 0.1 * _spread(values) and next_closest >= 0.5 * _spread(values)
    return without.index(closest) if alone else None


def _shown(value: float) -> str:
    """Six digits: more would depend on the machine in a difference quotient; no negative zero."""
    return f"{value + 0.0:.6g}"
