"""A table of routes to one gradient: do they agree, and what did each of them cost?

The one idea: routes that share no code are witnesses for each other. Two zeros that are equal prove nothing, so
entries in which every route says (nearly) zero are not counted as evidence, and a comparison without evidence does
not agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .trees import Tree, leaves_of

__all__ = ["Comparison", "RouteResult", "compare_gradients"]

NEARLY_ZERO = 1e-10
"""Entries below this fraction of the gradient's and of the function's size are no evidence."""


@dataclass(frozen=True)
class RouteResult:
    """What one route said and what it cost.

    Attributes
    ----------
    name : str
        The route.
    gradient : tree
        Its answer.
    calls : int
        How often it ran the function.
    tolerance : float
        The relative accuracy expected of it.
    seconds, peak_bytes : float, int or None
        Measured on request: wall time, and the memory allocated at the worst moment.
    """

    name: str
    gradient: Tree
    calls: int
    tolerance: float
    seconds: float | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True)
class Comparison:
    """Several routes to one gradient side by side; true if there is evidence and all agree.

    Attributes
    ----------
    routes : tuple of RouteResult
        The routes that were taken.
    absent : dict
        Routes that could not be taken, with the reason.
    entries : int
        Number of entries of the gradient.
    scale : float
        The size of the function's value, for telling what is nearly zero.
    cotangent : tuple of int or None
        If ``f`` returns an array of this shape, each route differentiates its inner product with one random array.
    """

    routes: tuple[RouteResult, ...]
    absent: dict[str, str]
    entries: int
    scale: float
    cotangent: tuple[Any, ...] | None = None
    _leaves: list[list[np.ndarray]] = field(default_factory=list, repr=False)

    @property
    def evidence(self) -> int:
        """The number of entries in which some route says something other than nearly zero."""
        total = 0
        for leaf in zip(*self._leaves, strict=True):
            comparable = [np.abs(a) for a in leaf if a.shape == leaf[0].shape]
            largest = np.fmax.reduce(comparable)  # a route that says NaN is no evidence, the others may be
            total += int(np.count_nonzero(largest > self._floor))
        return total

    @property
    def _floor(self) -> float:
        sizes = [float(np.max(np.abs(leaf))) for leaves in self._leaves for leaf in leaves if leaf.size]
        return NEARLY_ZERO * max([self.scale, np.finfo(float).tiny, *filter(np.isfinite, sizes)])

    def difference(self, first: str, second: str) -> float:
        """Return how far two routes are apart: the worst entry, relative to its size.

        Parameters
        ----------
        first, second : str
            Names of routes.

        Returns
        -------
        float
            0 for equal gradients, 2 for opposite ones, infinity if a shape or an entry is wrong altogether.
        """
        names = [route.name for route in self.routes]
        a, b = (self._leaves[names.index(name)] for name in (first, second))
        return max((_distance(p, q, self._floor) for p, q in zip(a, b, strict=True)), default=0.0)

    @property
    def outliers(self) -> list[str]:
        """Routes that disagree with more than half of the others."""
        found = []
        for route in self.routes:
            others = [other for other in self.routes if other is not route]
            against = [other for other in others if not self._close(route, other)]
            if others and 2 * len(against) > len(others):
                found.append(route.name)
        return found

    def _close(self, a: RouteResult, b: RouteResult) -> bool:
        return self.difference(a.name, b.name) <= max(a.tolerance, b.tolerance)

    @property
    def agree(self) -> bool:
        """Whether at least two routes were taken, there is evidence, and every two routes agree."""
        pairs = [(a, b) for i, a in enumerate(self.routes) for b in self.routes[:i]]
        return bool(pairs) and self.evidence > 0 and all(self._close(a, b) for a, b in pairs)

    def __bool__(self) -> bool:
        return self.agree

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        if len(self.routes) < 2:
            return "Only one route could be taken, so there is no second witness."
        if not self.evidence:
            return f"No evidence: every route says (nearly) zero in all {self.entries} entries. Move the point."
        found = f"evidence in {self.evidence} of {self.entries} entries"
        if self.agree:
            return f"All {len(self.routes)} routes agree, with {found}."
        names = self.outliers
        blame = f"; {names[0]} stands alone" if len(names) == 1 else ""
        return f"The routes DISAGREE{blame} ({found})."

    def _table(self, timing: bool) -> list[list[str]]:
        measured = timing and any(route.seconds is not None for route in self.routes)
        header = ["route", "runs of f", "agrees with the others"]
        rows = [header + (["time", "peak memory"] if measured else [])]
        for route in self.routes:
            row = [route.name, str(route.calls), self._verdict(route)]
            if measured:
                row += [f"{1e3 * (route.seconds or 0):.2f} ms", f"{(route.peak_bytes or 0) / 1024:.0f} KiB"]
            rows.append(row)
        return rows

    def _verdict(self, route: RouteResult) -> str:
        others = [other for other in self.routes if other is not route]
        if not others:
            return "no other route"
        if all(self._close(route, other) for other in others):
            return f"to {max(route.tolerance, min(o.tolerance for o in others)):.0e}"
        worst = max(self.difference(route.name, other.name) for other in others if not self._close(route, other))
        return f"NO, off by {worst:.2g}"

    def _notes(self) -> list[str]:
        notes = [f"{name}: not taken, {reason}" for name, reason in self.absent.items()]
        if self.cotangent is not None:
            notes.append(f"f returns an array of shape {self.cotangent}: compared is its product with one random array")
        return notes

    def show(self, timing: bool = True) -> str:
        """Return the table as text.

        Parameters
        ----------
        timing : bool
            Whether to show time and memory, if they were measured. Without them the text is the same on every machine.

        Returns
        -------
        str
            The table, the notes and the summary.
        """
        rows = self._table(timing)
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *self._notes(), self.summary])

    def __str__(self) -> str:
        return self.show()

    def __repr__(self) -> str:
        return self.show()

    def _repr_html_(self) -> str:
        import html  # only notebooks show themselves

        head, *body = self._table(timing=True)
        cells = "".join(f'<th scope="col">{html.escape(c)}</th>' for c in head)
        rows = [
            f'<tr><th scope="row">{html.escape(name)}</th>'
            + "".join(f"<td>{html.escape(c)}</td>" for c in rest)
            + "</tr>"
            for name, *rest in body
        ]
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return (
            f"<table><caption>Routes to the gradient. {html.escape(self.summary)}</caption>"
            f"<thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>{notes}"
        )


def _distance(a: np.ndarray, b: np.ndarray, floor: float) -> float:
    """Return the worst entry's relative difference; small entries are measured by a thousandth of the largest."""
    if a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    size = np.maximum(np.abs(a), np.abs(b))
    if not np.all(np.isfinite(size)):
        return 0.0 if np.array_equal(a, b, equal_nan=False) else float("inf")
    return float(np.max(np.abs(a - b) / np.maximum(size, max(1e-3 * float(np.max(size)), floor))))


def compare_gradients(
    f: Callable[..., Any],
    x: Tree,
    routes: Mapping[str, Callable[[Callable[..., Any]], Callable[..., Any]]],
    tolerances: Mapping[str, float],
    *,
    measure: bool = False,
    scale: float = 0.0,
    cotangent: tuple[Any, ...] | None = None,
) -> Comparison:
    """Take every route to the gradient of a scalar function and compare.

    Parameters
    ----------
    f : callable
        A function of one tree that returns one real number.
    x : tree
        The point.
    routes : mapping of str to callable
        Each maps ``f`` to ``x -> gradient``.
    tolerances : mapping of str to float
        Relative accuracy expected of each route.
    measure : bool
        Also measure time and peak memory (each route runs twice).
    scale, cotangent
        As in :class:`Comparison`.

    Returns
    -------
    Comparison
        The table.
    """
    taken, absent = [], {}
    for name, route in routes.items():
        calls = 0

        def counted(point: Any) -> Any:
            nonlocal calls
            calls += 1
            return f(point)

        try:
            start = time.perf_counter()
            gradient = route(counted)(x)
            seconds = time.perf_counter() - start
        except (NotImplementedError, TypeError, ValueError, ArithmeticError) as error:
            absent[name] = f"{type(error).__name__}: {error}"
            continue
        runs = calls
        peak = _peak(lambda: route(f)(x)) if measure else None  # noqa: B023 (called at once)
        taken.append(RouteResult(name, gradient, runs, tolerances[name], seconds if measure else None, peak))
    leaves = [[np.asarray(leaf) for leaf in leaves_of(route.gradient)] for route in taken]
    entries = sum(np.size(leaf) for leaf in leaves_of(x))
    return Comparison(tuple(taken), absent, entries, scale, cotangent, leaves)


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
