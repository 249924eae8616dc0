"""What each route takes, one column of the table at a time, and how long it takes on this computer."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from coursepkg.routes.choosing import ESTIMATES, EXACT
from coursepkg.routes.estimates import draw, noise
from coursepkg.routes.exact import reverse_mode
from coursepkg.routes.problem import Found, Problem, flat

DRAWS, REPEATS = 200, 5
TIME = "time, in forward passes"


def measures(problem: Problem) -> dict[str, dict[str, float]]:
    """Take every route a few times, and give each measure as numbers by route.

    Parameters
    ----------
    problem : Problem
        Network and batch.

    Returns
    -------
    dict of str to dict of str to float
        Layers run there and back; products, time and noise as multiples of one forward pass or of the squared gradient;
        bytes kept. Time is the shortest of five, on this computer: it differs from run to run. Routes that have no such
        number are left out of a measure.
    """
    once = len(problem.x) * sum(problem.parameters[name].size for name in ("W1", "W2"))
    exact, rng = flat(reverse_mode(problem).gradient), np.random.default_rng(1)
    runs: dict[str, Callable[[], Found]] = {route.name: partial(route.run, problem) for route in EXACT}
    runs |= {route.name: partial(route.run, problem, rng) for route in ESTIMATES}
    found = {name: run() for name, run in runs.items()}
    forward = _shortest(partial(problem.loss, problem.parameters))
    return {
        TIME: {name: _shortest(run) / forward for name, run in runs.items()},
        "products, in forward passes": {
            name: one.meter.products / once for name, one in found.items() if one.meter.products
        },
        "layers run": {
            name: one.meter.forward + one.meter.backward for name, one in found.items() if one.meter.forward
        },
        "bytes kept": {name: one.kept for name, one in found.items()},
        "noise, in squared gradients": {
            route.name: noise(draw(route.run, problem, DRAWS, rng), exact) for route in ESTIMATES
        },
    }


def _shortest(run: Callable[[], object]) -> float:
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)
