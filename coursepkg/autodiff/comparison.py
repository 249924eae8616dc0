"""Routes to one gradient side by side: do they agree, where do they not, and what did each of them cost?

The one idea: routes that share no code are witnesses for each other. Two zeros that are equal prove nothing, so an
entry in which every route says (nearly) zero is no evidence, and a comparison without evidence does not agree.
:func:`compare_routes` is for functions of numbers and needs no NumPy, :func:`compare_gradients` for functions of
arrays; both give a :class:`Comparison`, which can be read entry by entry or route by route.
"""

import math
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial, wraps
from html import escape
from itertools import combinations, compress, product
from typing import Any, NamedTuple

from coursepkg.autodiff.differences import Difference, complex_step, differences
from coursepkg.autodiff.scalar import Scalar
from coursepkg.tables import Table

__all__ = ["Comparison", "RouteResult", "Row", "compare_gradients", "compare_routes"]

NEARLY_ZERO = 1e-10
"""Entries below this fraction of the gradient's and of the function's size are no evidence."""

SMALL = 1e-3
"""An entry is measured by at least this fraction of the largest one in its array."""

BLURRED = 1e-3
"""A difference quotient may be off by its own error, but never so far that it would agree with anything."""

CANNOT = (NotImplementedError, TypeError, ValueError, ArithmeticError)
"""What a route raises where it cannot be taken."""

Leaves = list[list[Any]]  # the numbers of a gradient, one list for each array (or for each variable that is a number)


@dataclass(frozen=True)
class RouteResult:
    """What one route said and what it cost."""

    name: str
    gradient: Any  # its answer, as it gave it
    leaves: Leaves  # the numbers in it; where an array has the wrong shape they are NaN
    tolerance: float  # the relative accuracy expected of it
    calls: int  # how often it ran the function
    seconds: float | None = None  # wall time, and memory allocated at the worst moment: measured on request
    peak_bytes: int | None = None
    differences: Sequence[Difference] = ()  # of difference quotients: how far each may be off, and where a kink is


class Row(NamedTuple):
    """One entry of the gradient: what each route says, how far every two are apart, and what that means."""

    name: str
    values: tuple[Any, ...]
    verdict: str  # "agree", "DIFFER", "kink" (all values lie between the slopes on its two sides) or "no evidence"
    distances: tuple[float, ...] = ()  # of the first route from the second, third, ..., of the second from the third...
    apart: tuple[tuple[int, int], ...] = ()  # the pairs of routes that are further apart than they may be
    odd: int | None = None  # the route that stands alone

    @property
    def difference(self) -> float:
        """The largest of the distances; 0 without evidence."""
        return max(self.distances, default=0.0)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several routes to one gradient side by side; true if there is evidence and all agree.

    Attributes
    ----------
    routes : tuple of RouteResult
        The routes that were taken.
    absent : dict
        Routes that could not be taken, with the reason.
    names : list of list of str
        The entries of the gradient, one list for each array.
    scale : float
        The size of the function's value, for telling what is nearly zero.
    cotangent : tuple of int or None
        If ``f`` returns an array of this shape, each route differentiates its inner product with one random array.
    by : {"route", "entry"}
        What a row of the table is when the comparison is shown; see :attr:`by_route` and :attr:`by_entry`.
    """

    routes: tuple[RouteResult, ...]
    absent: dict[str, str]
    names: list[list[str]]
    scale: float = 0.0
    cotangent: tuple[Any, ...] | None = None
    by: str = "route"

    @cached_property
    def rows(self) -> list[Row]:
        """What the routes say, entry by entry."""
        sizes = [abs(value) for route in self.routes for leaf in route.leaves for value in leaf]
        floor = NEARLY_ZERO * max([self.scale, sys.float_info.min, *filter(math.isfinite, sizes)])
        rows: list[Row] = []
        for names, *answers in zip(self.names, *(route.leaves for route in self.routes), strict=True):
            largest = [max(filter(math.isfinite, map(abs, answer)), default=0.0) for answer in answers]
            least = [max(SMALL * largest[a], SMALL * largest[b], floor) for a, b in self._pairs]
            for name, *values in zip(names, *answers, strict=True):
                rows.append(self._row(name, tuple(values), len(rows), least, floor))
        return rows

    def _row(self, name: str, values: tuple[Any, ...], i: int, least: Sequence[float], floor: float) -> Row:
        """Say what the values of entry i mean; `least` is the size of a small entry, for each pair of routes."""
        quotients = {k: route.differences[i] for k, route in enumerate(self.routes) if route.differences}
        blur = max([floor, *(quotient.error for quotient in quotients.values())])
        for low, high in (sorted(quotient.kink) for quotient in quotients.values() if quotient.kink):
            if all(low - blur <= value <= high + blur for value in values):
                return Row(name, values, "kink")
        if all(abs(value) <= blur for value in values):
            return Row(name, values, "no evidence")
        distances = tuple(
            _distance(values[a], values[b], size) for (a, b), size in zip(self._pairs, least, strict=True)
        )
        allowed = [route.tolerance for route in self.routes]
        for k, quotient in quotients.items():
            allowed[k] = max(allowed[k], min(BLURRED, quotient.error / max(map(abs, values))))
        far = [d > max(allowed[a], allowed[b]) for (a, b), d in zip(self._pairs, distances, strict=True)]
        if not any(far):
            return Row(name, values, "agree", distances)
        apart = tuple(compress(self._pairs, far))
        alone = _outliers(apart, len(values))
        return Row(name, values, "DIFFER", distances, apart, alone[0] if len(alone) == 1 else None)

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        return list(combinations(range(len(self.routes)), 2))

    @cached_property
    def _apart(self) -> set[tuple[int, int]]:
        return {pair for row in self.rows for pair in row.apart}

    @property
    def entries(self) -> int:
        """The number of entries of the gradient."""
        return len(self.rows)

    @property
    def evidence(self) -> int:
        """The number of entries in which some route says something other than nearly zero, at no kink."""
        return sum(row.verdict in ("agree", "DIFFER") for row in self.rows)

    @property
    def worst(self) -> Row:
        """The entry on which the routes are furthest apart."""
        return max(self.rows, key=lambda row: (row.verdict == "DIFFER", row.difference))

    @property
    def outliers(self) -> list[str]:
        """Routes that disagree with more than half of the others."""
        return [self.routes[k].name for k in _outliers(self._apart, len(self.routes))]

    @property
    def agree(self) -> bool:
        """Whether at least two routes were taken, there is evidence, and every two routes agree."""
        return len(self.routes) > 1 and self.evidence > 0 and not self._apart

    def __bool__(self) -> bool:
        return self.agree

    def difference(self, first: str, second: str) -> float:
        """How far two routes are apart, by name: the worst entry, relative to its size.

        0 for equal gradients, 2 for opposite ones, infinity if a shape or an entry is wrong altogether.
        """
        names = [route.name for route in self.routes]
        a, b = sorted((names.index(first), names.index(second)))
        k = self._pairs.index((a, b)) if a != b else None
        return max((row.distances[k] for row in self.rows if k is not None and row.distances), default=0.0)

    # --- in words

    @property
    def summary(self) -> str:
        """One or two sentences: do the routes agree, with how much evidence, and if not, who stands alone."""
        if len(self.routes) < 2:
            return "Fewer than two routes could be taken, so none has a witness."
        if not self.evidence:
            return "No evidence: every entry is nearly zero or at a kink. Choose another point."
        if self.by == "entry" and self.agree:
            few = "" if self.evidence == self.entries else f" {self.evidence} of {self.entries} entries are evidence."
            return f"All routes agree (relative tolerance {max(route.tolerance for route in self.routes):g}).{few}"
        if self.by == "entry":
            return f"The routes differ, most in {self._disagreement(self.worst)}."
        found = f"evidence in {self.evidence} of {self.entries} entries"
        if self.agree:
            return f"All {len(self.routes)} routes agree, with {found}."
        alone = f"; {self.outliers[0]} stands alone" if len(self.outliers) == 1 else ""
        return f"The routes DISAGREE{alone} ({found})."

    def _disagreement(self, row: Row) -> str:
        said = [f"{route.name} says {_shown(value)}" for route, value in zip(self.routes, row.values, strict=True)]
        if row.odd is not None:
            others = sorted(row.values[: row.odd] + row.values[row.odd + 1 :], key=abs)
            said = [said[row.odd], f"the others say {_shown(others[len(others) // 2])}"]
        return f"{row.name}: {', '.join(said)}"

    @property
    def by_entry(self) -> "Comparison":
        """The same comparison, shown entry by entry: what each route says there, and the verdict."""
        return replace(self, by="entry")

    @property
    def by_route(self) -> "Comparison":
        """The same comparison, shown route by route: whether it agrees with the others, and what it cost."""
        return replace(self, by="route")

    def _table(self, timing: bool) -> Table:
        if self.by == "entry":
            headings = ["entry", *(route.name for route in self.routes), "verdict"]
            cells = [
                [row.name, *("≈ 0" if row.verdict == "no evidence" else _shown(v) for v in row.values), row.verdict]
                for row in self.rows
            ]
            return Table(headings, cells, self.summary, "caption-side: bottom; text-align: left")
        headings = ["route", "runs of f", "agrees with the others"]
        cells = [[route.name, str(route.calls), self._verdict(k)] for k, route in enumerate(self.routes)]
        if timing and any(route.seconds is not None for route in self.routes):
            headings += ["time", "peak memory"]
            for row, route in zip(cells, self.routes, strict=True):
                row += [f"{1e3 * (route.seconds or 0):.2f} ms", f"{(route.peak_bytes or 0) / 1024:.0f} KiB"]
        return Table(headings, cells, f"Routes to the gradient. {self.summary}")

    def _verdict(self, k: int) -> str:
        others = [route.tolerance for i, route in enumerate(self.routes) if i != k]
        if not others:
            return "no other route"
        wrong = [self.difference(self.routes[a].name, self.routes[b].name) for a, b in self._apart if k in (a, b)]
        return f"NO, off by {max(wrong):.2g}" if wrong else f"to {max(self.routes[k].tolerance, min(others)):.0e}"

    def _notes(self) -> list[str]:
        notes = [f"{name}: {reason}" for name, reason in self.absent.items()]
        if self.cotangent is not None:
            notes.append(f"f returns an array of shape {self.cotangent}: compared is its product with one random array")
        return notes

    def show(self, timing: bool = True) -> str:
        """The table, the notes and the summary as text; without ``timing`` the same on every machine."""
        words = [self.summary, *self._notes()] if self.by == "entry" else [*self._notes(), self.summary]
        return "\n".join([*self._table(timing).aligned(), *words])

    def __repr__(self) -> str:
        return self.show()

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        return self._table(timing=True)._repr_html_() + notes


def _distance(a: Any, b: Any, least: float) -> float:
    """Return how far two numbers are apart, relative to the larger of them; infinite if only one is a number."""
    if a == b:
        return 0.0
    distance = abs(a - b) / max(abs(a), abs(b), least)
    return math.inf if math.isnan(distance) else distance


def _outliers(apart: Collection[tuple[int, int]], count: int) -> list[int]:
    """Return the routes that are apart from more than half of the others."""
    return [k for k in range(count) if 2 * sum(k in pair for pair in apart) > count - 1]


def _shown(value: Any) -> str:
    """Six digits: more would depend on the machine in a difference quotient; no negative zero."""
    return f"{value + 0.0:.6g}"


# --- taking the routes


def _take(
    f: Callable[..., Any],
    routes: Mapping[str, Callable[[Callable[..., Any]], Any]],
    leaves: Callable[[str, Any], Leaves],
    tolerances: Mapping[str, float],
    *,
    optional: Collection[str],
    measure: bool = False,
) -> tuple[list[RouteResult], dict[str, str]]:
    """Take every route and count how often it runs f; those in `optional` may raise, which is then their reason."""
    taken, absent = [], {}
    for name, route in routes.items():
        calls = 0

        @wraps(f)
        def counted(*args: Any) -> Any:
            nonlocal calls
            calls += 1
            return f(*args)

        try:
            start = time.perf_counter()
            gradient = route(counted)
            seconds = time.perf_counter() - start
        except CANNOT as error:
            if name not in optional:
                raise
            absent[name] = str(error)
            continue
        found = RouteResult(name, gradient, leaves(name, gradient), tolerances[name], calls)
        if measure:
            found = replace(found, seconds=seconds, peak_bytes=_peak(lambda: route(f)))  # noqa: B023 (called at once)
        taken.append(found)
    return taken, absent


def _peak(run: Callable[[], Any]) -> int:
    """Return the memory allocated at the worst moment of a run, in bytes."""
    import tracemalloc  # only when memory is measured

    outer = tracemalloc.is_tracing()
    if not outer:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not outer:
            tracemalloc.stop()


# --- functions of numbers


def compare_routes(
    f: Callable[..., Any],
    point: Mapping[str, float] | Sequence[float],
    *,
    routes: Mapping[str, Callable[[Callable[..., Any], Any], Any]] | None = None,
    rtol: float = 1e-6,
) -> Comparison:
    """Take several routes to the gradient of a function of numbers and compare them entry by entry.

    Parameters
    ----------
    f : callable
        A function of numbers, ``f(x, y, ...)``, which returns one number.
    point : dict or sequence of float
        Where: ``{"x": 1.0, "y": 2.0}`` in the order of the arguments, or the bare numbers.
    routes : dict, optional
        More routes by name, such as a learner's own engine: each is called with ``f`` and ``point`` as it was given
        here and returns the gradient, as a sequence or as a dict.
    rtol : float, default 1e-6
        Difference between two routes, relative to the larger value, up to which they are said to agree.

    Returns
    -------
    Comparison
        Prints as a table. An entry that every route calls nearly zero (below 1e-10 of the largest entry and of f, or
        below the error of the difference quotient) is "no evidence"; "kink" are different slopes between those to its
        left and to its right, where no derivative exists.

    Raises
    ------
    TypeError
        If ``f`` does not return a Scalar when it is given Scalars, so that there is no graph to go back through.
    ValueError
        If the point is empty, ``f`` has no value on both sides of it, or a route returns too few or too many numbers.

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

    def leaves(route: str, gradient: Any) -> Leaves:
        values = [gradient[name] for name in names] if isinstance(gradient, Mapping) else list(gradient)
        if len(values) != len(names):
            raise ValueError(f"{route} returned {len(values)} numbers for {len(names)} variables ({', '.join(names)})")
        return [[float(value)] for value in values]

    ways: dict[str, Callable[[Callable[..., Any]], Any]] = {
        "central difference": lambda g: differences(lambda values: g(*values), numbers),
        "reverse mode": partial(_reverse, numbers=numbers),
        "complex step": lambda g: complex_step(lambda values: g(*values), numbers),
        "sympy": partial(_sympy, numbers=numbers),
    }
    own = {name: lambda g, route=route: route(g, point) for name, route in (routes or {}).items()}
    if not own.keys().isdisjoint(ways):
        raise ValueError(f"the names {', '.join(ways)} are taken; give your route another one")
    ways |= own
    taken, absent = _take(f, ways, leaves, dict.fromkeys(ways, rtol), optional=("complex step", "sympy"))
    quotient, engine, *others = taken  # taken first, because they say best where a function has no value
    quotient = replace(quotient, differences=quotient.gradient)
    scale = abs(float(f(*numbers)))
    return Comparison((engine, quotient, *others), absent, [[name] for name in names], scale, by="entry")


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


def _sympy(f: Callable[..., Any], numbers: list[float]) -> list[float]:
    from coursepkg.autodiff.symbolic import derive  # SymPy takes a while to load

    return list(derive(f, *(f"x{i}" for i in range(len(numbers)))).at(*numbers))


# --- functions of arrays


def compare_gradients(
    f: Callable[..., Any],
    x: Any,
    routes: Mapping[str, Callable[[Callable[..., Any]], Callable[..., Any]]],
    tolerances: Mapping[str, float],
    *,
    measure: bool = False,
    scale: float = 0.0,
    cotangent: tuple[Any, ...] | None = None,
) -> Comparison:
    """Take every route to the gradient of a scalar function of a tree of arrays, and compare them route by route.

    Parameters
    ----------
    f, x, routes, measure
        As for :func:`coursepkg.gradients.compare`; f returns one real number, and each route may be refused.
    tolerances : mapping of str to float
        Relative accuracy expected of each route.
    scale, cotangent
        As in :class:`Comparison`, which is returned.

    Raises
    ------
    ValueError
        If a route returns another structure than that of ``x``. (Another shape of an array is a wrong answer.)
    """
    import numpy as np  # functions of numbers do without

    def leaves(route: str, gradient: Any) -> Leaves:
        return [
            np.ravel(answer).tolist() if np.shape(answer) == leaf.shape else [math.nan] * leaf.size
            for _, leaf, answer in _paired(x, gradient, "x", route)
        ]

    ways = {name: lambda g, route=route: route(g)(x) for name, route in routes.items()}
    taken, absent = _take(f, ways, leaves, tolerances, optional=routes, measure=measure)
    names = [
        [f"{path}{list(index)}" if index else path for index in product(*map(range, leaf.shape))]
        for path, leaf, _ in _paired(x, x, "x", "x")
    ]
    return Comparison(tuple(taken), absent, names, scale, cotangent)


def _paired(x: Any, gradient: Any, path: str, route: str) -> Iterator[tuple[str, Any, Any]]:
    """Walk a point and a gradient together: the path to each array, the array, and its gradient."""
    from .trees import walk  # functions of numbers do without NumPy

    def mismatch(path: str, here: Any, given: Any) -> ValueError:
        found = type(given).__name__ + (
            f" with entries {_keys(given)}" if isinstance(given, (dict, list, tuple)) else ""
        )
        return ValueError(
            f"{route} returned a {found} for {path}, which is a {type(here).__name__} with entries {_keys(here)}"
        )

    return walk(x, gradient, path, mismatch, strict=False)


def _keys(tree: Any) -> list[Any]:
    """Return by what the parts of a tree are found."""
    return list(tree) if isinstance(tree, dict) else list(range(len(tree)))
