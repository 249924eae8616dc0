"""All routes in one table, and the questions that lead to one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursepkg.routes.estimates import (
    draw,
    forward_gradient,
    in_light_with_noise,
    noise,
    relative_gap,
    sketched,
    z_scores,
)
from coursepkg.routes.exact import (
    by_hand,
    by_symbols,
    checkpointed,
    complex_step,
    differences,
    forward_mode,
    reverse_mode,
)
from coursepkg.routes.forms import as_recurrence, as_tree, carried_forward
from coursepkg.routes.light import in_light
from coursepkg.routes.problem import Found, Problem, flat


class Route(NamedTuple):
    """A route of the course, with what is no number about it.

    Attributes
    ----------
    name : str
        What the tables call it.
    run : callable
        ``run(problem)``, for an estimate ``run(problem, rng)``, gives a :class:`Found`.
    chapter : str
        Where the course derives it.
    remembers : str
        What a machine that takes this route has to remember.
    used : str
        Where it is used.
    """

    name: str
    run: Callable[..., Found]
    chapter: str
    remembers: str
    used: str


EXACT = (
    Route("by hand", by_hand, "06", "every layer's output", "derivations; small fixed networks"),
    Route("symbols", by_symbols, "03", "a formula that grows", "witnesses; code generators"),
    Route("differences", differences, "01", "nothing but the loss", "tests; models one cannot open"),
    Route("complex step", complex_step, "01", "nothing but the loss", "tests; engineering codes"),
    Route("forward mode", forward_mode, "04", "one tangent beside each value", "few inputs; Jacobian columns"),
    Route("reverse mode", reverse_mode, "05", "every layer's output", "nearly all training"),
    Route("checkpointed", checkpointed, "08", "inputs of segments", "deep networks, long sequences"),
    Route("recurrent, back", as_recurrence, "07", "every state", "sequences of known length"),
    Route("recurrent, forward", carried_forward, "07", "each state by each weight", "streams without an end"),
    Route("tree", as_tree, "10", "a value in every copy", "trees that are small and sparse"),
    Route("light", in_light, "11", "powers at the heaters", "photonic chips, in the laboratory"),
)
"""Routes that give the gradient to rounding; ``run(problem)``."""

ESTIMATES = (
    Route("forward gradient", forward_gradient, "09", "a direction, or its seed", "no way back; few parameters"),
    Route("sketched", sketched, "08", "a sketch of each input", "wide layers, large batches"),
    Route("light, noisy camera", in_light_with_noise, "11", "powers at the heaters", "every real chip"),
)
"""Routes that are right on average; ``run(problem, rng)``."""

QUESTIONS = (
    ("Is it a test of another route?", "complex step, or differences where the code is closed"),
    ("Are there only a few parameters, or many outputs?", "forward mode, a pass for each parameter"),
    ("Does the machine itself answer to light or current from both ends?", "measure it in place, as on the chip"),
    ("Is there no way back, or no end to wait for?", "forward gradient, or RTRL while the state is small"),
    ("Does the tape not fit, though time is left?", "checkpoints"),
    ("Does it still not fit, and the batch is noisy anyway?", "sketched layers"),
)
"""What to ask before choosing a route, and what a yes leads to; reverse mode is what is left."""

SITUATIONS = {
    "large network": ("A network of a million weights, on one card", 6),
    "new rule": ("A new layer whose rule you have written", 0),
    "three knobs": ("A simulator with three knobs and a thousand outputs", 1),
    "flawed chip": ("A chip of interferometers that is not quite as designed", 2),
    "endless stream": ("A recurrent network on a sensor that never stops", 3),
    "deep network": ("A transformer of a hundred layers that runs out of memory", 4),
    "huge batch": ("Wide linear layers, a huge batch, and no time for running twice", 5),
}
"""Situations in words, and the number of the first of :data:`QUESTIONS` that is answered by yes."""

DIGITS = (12, 11, 10, 9)


def agreement(gap: float) -> str:
    """Write a gap in words that no rounding can change: ``"to 12 digits"``, or that it is more than allowed."""
    for digits in DIGITS:
        if gap < 10.0**-digits:
            return f"to {digits} digits"
    return f"OFF by {gap:.1e}"


def survey(problem: Problem, draws: int = 200, seed: int = 1) -> list[dict[str, str]]:
    """Take every route, and write down how right it is, what it takes and what it keeps.

    Parameters
    ----------
    problem : Problem
        Network and batch.
    draws : int
        How often each estimate is drawn.
    seed : int
        Of the draws.

    Returns
    -------
    list of dict
        A row per route, for :func:`coursepkg.visualize.draw_table`: whether it is exact, how right, layers run there
        and back, products as multiples of one forward pass, bytes kept, noise, what is remembered, where it is used.
    """
    exact, once = (
        flat(reverse_mode(problem).gradient),
        len(problem.x) * sum(problem.parameters[name].size for name in ("W1", "W2")),
    )
    rows = []
    for route in EXACT:
        found = route.run(problem)
        right = agreement(relative_gap(flat(found.gradient), exact))
        rows.append(_row(route, "exact", right, found, once, "none"))
    for number, route in enumerate(ESTIMATES):
        rng = np.random.default_rng([seed, number])
        drawn = draw(route.run, problem, draws, rng)
        right = f"|z| < {np.ceil(10 * np.max(np.abs(z_scores(drawn, exact)))) / 10:.1f}"
        rows.append(_row(route, "on average", right, route.run(problem, rng), once, f"{noise(drawn, exact):.2g}"))
    return rows


def _row(route: Route, kind: str, right: str, found: Found, once: int, noisy: str) -> dict[str, str]:
    meter = found.meter
    return {
        "route": route.name,
        "right": kind,
        "how right": right,
        "layers run": f"{meter.forward} + {meter.backward}" if meter.forward else "a formula",
        "products": f"{meter.products / once:.1f}" if meter.products else "–",
        "bytes kept": f"{found.kept}",
        "noise": noisy,
        "to remember": route.remembers,
        "used for": route.used,
        "chapter": route.chapter,
    }
