"""How products and bytes grow with the network: formulas in its shapes, beside what is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coursepkg.estimators import expectations
from coursepkg.routes.estimates import forward_gradient
from coursepkg.routes.exact import checkpointed, complex_step, differences, forward_mode, reverse_mode
from coursepkg.routes.forms import carried_forward
from coursepkg.routes.light import in_light
from coursepkg.routes.problem import Found, Problem, flowers, once_through


def predict_products(route: str, sizes: Sequence[int], rows: int) -> float:
    """Predict the products of a route from shapes alone; the meter counts them.

    Parameters
    ----------
    route : str
        Its name in :data:`EXACT` or :data:`ESTIMATES`: one of "differences", "complex step", "forward mode",
        "reverse mode", "checkpointed", "forward gradient".
    sizes : sequence of int
        Inputs, hidden units, outputs.
    rows : int
        Examples in the batch.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there is no formula for the route.

    Examples
    --------
    >>> predict_products("reverse mode", (4, 3, 3), 12) / (12 * 21)
    2.4285714285714284
    """
    inputs, hidden, outputs = sizes
    first, second = rows * inputs * hidden, rows * hidden * outputs
    count = hidden * (inputs + 1) + outputs * (hidden + 1)
    once, tangent = first + second, first + 2 * second
    formulas = {
        "differences": 4 * count * once,
        "complex step": count * (2 * first + 4 * second),
        "forward mode": count * (once + tangent),
        "reverse mode": once + tangent,
        "checkpointed": 2 * once + tangent,
        "forward gradient": once + tangent,
    }
    if route not in formulas:
        raise ValueError(f"there is a formula for {', '.join(formulas)}, got {route!r}")
    return float(formulas[route])


GOOD_ENOUGH = 0.1
"""A forward gradient whose error is typically this share of the gradient counts as good in :func:`products_by_size`."""

Series = dict[str, tuple[list[int], list[float]]]


def products_by_size(measured: Sequence[int], predicted: Sequence[int]) -> tuple[Series, Series]:
    """Count and predict products as the hidden layer grows, as multiples of one forward pass.

    Parameters
    ----------
    measured, predicted : sequence of int
        Sizes of the hidden layer at which routes are taken, and at which the formula is used.

    Returns
    -------
    (dict, dict)
        Both by the name of a route: numbers of parameters, and multiples. The last name is a forward gradient that is
        averaged until its typical error is a tenth of the gradient; for that both are predictions.
    """
    names = ["differences", "complex step", "forward mode", "checkpointed", "reverse mode"]
    runs = dict(zip(names, (differences, complex_step, forward_mode, checkpointed, reverse_mode), strict=True))
    problems = [flowers(hidden) for hidden in measured]
    counts = [problem.count for problem in problems]
    found = {
        name: (counts, [runs[name](problem).meter.products / once_through(problem) for problem in problems])
        for name in names
    }
    shapes = [(4, hidden, 3) for hidden in predicted]
    sizes = [8 * hidden + 3 for hidden in predicted]
    rows = len(flowers().x)
    lines = {
        name: (sizes, [predict_products(name, shape, rows) / (rows * 7 * shape[1]) for shape in shapes])
        for name in [*names, "forward gradient"]
    }
    walks = [expectations.noise_ratio(size) / GOOD_ENOUGH**2 for size in sizes]
    single = lines.pop("forward gradient")[1]
    lines["forward gradient, error 0.1"] = sizes, [one * count for one, count in zip(single, walks, strict=True)]
    return found, lines


MOST_PORTS = 100
"""Translating slopes of settings takes a minute beyond, so :func:`bytes_by_size` leaves light out there."""


def bytes_by_size(hidden: Sequence[int]) -> Series:
    """Count the bytes that routes keep as the hidden layer grows, by the name of the route."""
    runs: dict[str, Callable[[Problem], Found]] = {
        "recurrent, forward": carried_forward,
        "light": in_light,
        "forward gradient": lambda problem: forward_gradient(problem, np.random.default_rng(0)),
        "reverse mode": reverse_mode,
        "checkpointed": checkpointed,
    }
    problems = {size: flowers(size) for size in hidden}
    found: Series = {}
    for name, run in runs.items():
        chosen = [p for size, p in problems.items() if name != "light" or size <= MOST_PORTS]
        found[name] = [p.count for p in chosen], [float(run(p).kept) for p in chosen]
    return found
