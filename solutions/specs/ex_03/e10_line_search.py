"""03.10 A line search, with its price."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def line_search(theta, g, c, high, tolerance):
    def loss(eta):
        return 0.5 * np.sum(c * (theta - eta * g) ** 2)

    golden = (5**0.5 - 1) / 2
    low, left, right = 0.0, high - golden * high, golden * high
    f_left, f_right = loss(left), loss(right)
    evaluations = 2
    while high - low > tolerance:
        if f_left < f_right:
            high, right, f_right = right, left, f_left
            left = high - golden * (high - low)
            f_left = loss(left)
        else:
            low, left, f_left = left, right, f_right
            right = low + golden * (high - low)
            f_right = loss(right)
        evaluations += 1
    return {"eta": (low + high) / 2, "evaluations": evaluations}


def _along(theta, g, c):
    return lambda eta: 0.5 * float(np.sum(np.asarray(c) * (np.asarray(theta) - eta * np.asarray(g)) ** 2))


def search_by_package(theta, g, c, high, tolerance):
    found = opt.golden_section(_along(theta, g, c), 0.0, high, tolerance=tolerance)
    return {"eta": found.x, "evaluations": found.evaluations}


def search_with_memory(theta, g, c, high, tolerance):
    """Remembers losses by rounded place, and counts how many different ones were asked for."""
    known, f, low = {}, _along(theta, g, c), 0.0

    def look(eta):
        return known.setdefault(round(eta, 9), f(eta))

    golden = 2 / (1 + math.sqrt(5))
    while True:
        left, right = high - golden * (high - low), low + golden * (high - low)
        worse_left = look(left) >= look(right)
        if high - low <= tolerance:
            return {"evaluations": len(known), "eta": 0.5 * (low + high)}
        low, high = (left, high) if worse_left else (low, right)


def search_recursively(theta, g, c, high, tolerance):
    f, golden = _along(theta, g, c), (math.sqrt(5) - 1) / 2

    def shrink(low, left, right, high, f_left, f_right, count):
        if high - low <= tolerance:
            return {"eta": low + (high - low) / 2, "evaluations": count}
        if f_left < f_right:
            new = right - golden * (right - low)
            return shrink(low, new, left, right, f(new), f_left, count + 1)
        new = left + golden * (high - left)
        return shrink(left, right, new, high, f_right, f(new), count + 1)

    left, right = high * (1 - golden), high * golden
    return shrink(0.0, left, right, high, f(left), f(right), 2)


def search_by_formula(theta, g, c, high, tolerance):
    """The losses of a parabola compare like distances from its lowest point, and the count is known beforehand."""
    lowest = float(np.sum(c * theta * g) / np.sum(c * g * g))
    golden, low, top = (math.sqrt(5) - 1) / 2, 0.0, high
    shrinks = max(0, math.ceil(math.log(tolerance / high) / math.log(golden)))
    for _ in range(shrinks):
        left, right = top - golden * (top - low), low + golden * (top - low)
        if abs(left - lowest) < abs(right - lowest):
            top = right
        else:
            low = left
    return {"eta": np.float64((low + top) / 2), "evaluations": np.int64(2 + shrinks)}


def search_by_width(theta, g, c, high, tolerance):
    f, golden = _along(theta, g, c), (math.sqrt(5) - 1) / 2
    low, width, count = 0.0, high, 2
    points = [(1 - golden) * width, golden * width]
    losses = [f(points[0]), f(points[1])]
    while width > tolerance:
        width *= golden
        if losses[0] < losses[1]:
            points = [low + (1 - golden) * width, points[0]]
            losses = [f(points[0]), losses[0]]
        else:
            low = points[0]
            points = [points[1], low + golden * width]
            losses = [losses[1], f(points[1])]
        count += 1
    return {"eta": low + width / 2, "evaluations": count}


def search_that_counts(theta, g, c, high, tolerance):
    """A loss that counts its calls, and a dictionary of places."""
    asked = []

    def look(eta):
        asked.append(eta)
        return _along(theta, g, c)(eta)

    golden = (math.sqrt(5) - 1) / 2
    ends, inner = [0.0, high], [high - golden * high, golden * high]
    losses = list(map(look, inner))
    while ends[1] - ends[0] > tolerance:
        worse = int(losses[1] >= losses[0])
        ends[worse] = inner[worse]
        inner[worse], losses[worse] = inner[1 - worse], losses[1 - worse]
        inner[1 - worse] = ends[0] + ends[1] - inner[worse]
        losses[1 - worse] = look(inner[1 - worse])
    return {"eta": sum(ends) / 2, "evaluations": len(asked)}


def search_wrong(
    *,
    share=(5**0.5 - 1) / 2,
    per_shrink=1,
    first=2,
    keep_worse=False,
    end=lambda low, high: (low + high) / 2,
    stop=lambda tolerance, top: tolerance,
):
    """Evaluates both points anew each time; `per_shrink` and `first` say what is counted."""

    def answer(theta, g, c, high, tolerance):
        f, low, evaluations, enough = _along(theta, g, c), 0.0, first, stop(tolerance, high)
        while high - low > enough:
            left, right = high - share * (high - low), low + share * (high - low)
            if (f(left) < f(right)) != keep_worse:
                high = right
            else:
                low = left
            evaluations += per_shrink
        return {"eta": end(low, high), "evaluations": evaluations}

    return answer


def exact_minimum(theta, g, c, high, tolerance):
    right = line_search(theta, g, c, high, tolerance)
    exact = float(np.sum(c * theta * g) / np.sum(c * g * g))
    return {"eta": min(exact, high), "evaluations": right["evaluations"]}


def better_point_seen(theta, g, c, high, tolerance):
    f, golden, low, evaluations = _along(theta, g, c), (5**0.5 - 1) / 2, 0.0, 2
    while True:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if high - low <= tolerance:
            return {"eta": left if f(left) < f(right) else right, "evaluations": evaluations}
        low, high = (low, right) if f(left) < f(right) else (left, high)
        evaluations += 1


def lowest_on_the_line(theta, g, c):
    return float(np.sum(c * theta * g) / np.sum(c * g * g))


def search_case(rng, d, reach, tolerance, theta=None):
    """``reach`` says how far the interval goes, with the lowest point on the line at 1."""
    c = rng.uniform(0.3, 3.0, d).round(2)
    theta = numbers(rng, d) if theta is None else theta
    return case(theta, c * theta, c, round(reach * lowest_on_the_line(theta, c * theta, c), 2), tolerance)


def search_edges(rng):
    """The lowest point beyond the end; an entry at rest; an interval as long as asked for; shorter; a long search."""
    resting = numbers(rng, 3)
    resting[1] = 0.0
    just = search_case(rng, 2, 2.6, 0.1)
    long = search_case(rng, 2, 3.7, 0.1).args[:4]
    return [
        search_case(rng, 2, 0.4, 0.01),
        search_case(rng, 3, 3.4, 1e-5, resting),
        case(*just.args[:4], just.args[3]),
        search_case(rng, 2, 1.7, 25.0),
        case(*long, float(f"{long[3] * 1.3e-6:.2e}")),
        search_case(rng, 1, float(rng.uniform(2.2, 3.0)), 0.03),
    ]


def search_cases(rng):
    found = search_edges(rng)
    for d, tolerance in ((2, 0.05), (3, 0.02), (2, 0.1), (4, 0.01)):
        found.append(search_case(rng, d, float(rng.uniform(2.2, 5.0)), tolerance))
    return found


BANK = [
    wrong("evaluates-both-points", search_wrong(per_shrink=2, first=0),
          "notebook 03, section 7: one of the two points can be used again",
          "The place is right, and your search evaluates two points for each shrink.",
          "One of the two inner points of the new interval was an inner point of the old one; its loss is known."),
    wrong("forgets-the-first-two", search_wrong(first=0), "notebook 03, section 7, where the evaluations are printed",
          "Your count misses two evaluations.",
          "Before the first comparison, both inner points have to be looked at."),
    wrong("keeps-the-worse-half", search_wrong(keep_worse=True),
          "notebook 03, section 7: drop the end beside the worse one",
          "Your search ends at the edge of the interval.",
          "You dropped the end beside the better point. The minimum lies near the better one."),
    wrong("cuts-into-thirds", search_wrong(share=2 / 3, per_shrink=2, first=0),
          "notebook 03, section 7: the interval shrinks by 0.618",
          "Your inner points are at one third and two thirds, so none can be used again.",
          "Only with the golden section is an old inner point again in the right place."),
    wrong("returns-the-left-end", search_wrong(end=lambda low, high: low), "the docstring of the exercise",
          "You returned the left end of the last interval.",
          "The minimum lies somewhere inside; its middle is the best guess."),
    wrong("returns-the-right-end", search_wrong(end=lambda low, high: high), "the docstring of the exercise",
          "You returned the right end of the last interval.",
          "The minimum lies somewhere inside; its middle is the best guess."),
    wrong("looks-once-more-at-the-end", search_wrong(first=3),
          "notebook 03, section 7, where the evaluations are printed",
          "Your count is one too high.",
          "Two evaluations before the loop, one in each round, none afterwards."),
    wrong("returns-the-lowest-place", exact_minimum, "the docstring of the exercise",
          "You returned the lowest place on the line, nearer than the search comes to it.",
          "A formula knows it, or a finer search. Asked for is the middle of the interval that is first short enough."),
    wrong("no-look-into-the-last-interval", search_wrong(first=1), "the task: which places are looked at",
          "Your count is one too low: you did not look into the last interval.",
          "No decision needs that look, so leaving it out is thrifty. Here it is asked for, and counted."),
    wrong("returns-a-point-that-was-seen", better_point_seen, "the docstring of the exercise",
          "You returned the better one of the two inner points.",
          "The lowest place may lie on either side of it; asked for is the middle of the last interval."),
    wrong("stops-at-twice-the-length", search_wrong(stop=lambda tolerance, top: 2 * tolerance),
          "the docstring of the exercise: what `tolerance` means",
          "Your last interval may be twice as long as `tolerance`.",
          "You measured half of the interval, from its middle to an end. Measure it from end to end."),
    wrong("tolerance-as-a-share", search_wrong(stop=lambda tolerance, top: tolerance * top),
          "the docstring of the exercise: what `tolerance` means",
          "Your search stops at a share of the first interval.",
          "`tolerance` is a length, whatever `high` is."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.10",
    title="A line search, with its price",
    function="line_search",
    minutes=15,
    difficulty=3,
    points=4,
    see="notebook 03, section 7, 'Look before you step'",
    reference=line_search,
    integers=True,
    domain={
        "theta": Array("d"),
        "g": Array("d"),
        "c": Array("d", more_than=0),
        "high": Number(more_than=0),
        "tolerance": Number(more_than=0),
    },
    meets={
        "the lowest point lies beyond the interval": lambda theta, g, c, high: lowest_on_the_line(theta, g, c) > high,
        "the first interval is short enough": lambda high, tolerance: high < tolerance,
        "the first interval is as long as the tolerance": lambda high, tolerance: high == tolerance,
        "the search is nearly as long as it may be": lambda high, tolerance: 1e-6 < tolerance / high < 1.5e-6,
    },
    always={
        "the tolerance is a millionth of high at least": lambda high, tolerance: tolerance >= high * 1e-6 * (1 - 1e-9)
    },
    visible=[
        case(np.array([2.0, -1.0]), np.array([2.0, -3.0]), np.array([1.0, 3.0]), 2.0, 0.01),
        case(np.array([0.8, 1.5, -2.0]), np.array([0.4, 2.4, -1.4]), np.array([0.5, 1.6, 0.7]), 5.0, 0.02),
        case(np.array([-1.2, 0.5]), np.array([-0.6, 1.1]), np.array([0.5, 2.2]), 1.5, 0.05),
        *search_edges(np.random.default_rng(310)),
    ],
    hidden=search_cases,
    accepted=[
        search_by_package,
        search_with_memory,
        search_recursively,
        search_by_formula,
        search_by_width,
        search_that_counts,
    ],
    bank=BANK,
    hints=(
        "Keep six numbers: both ends, both inner points and their two losses.",
        "If the left inner point is better, the right one becomes the right end and the left one the right inner "
        "point; only one new point has to be evaluated. The other case is the mirror image.",
        "Inner points: high - 0.618 * (high - low) and low + 0.618 * (high - low), with 0.618 = (5**0.5 - 1) / 2.",
    ),
    equivalent_mutants={
        "gives the neighbour's value where an entry of theta is 0": "g is 0 there, too: the loss moves by a constant",
        "`return 0.5 * np.sum(c * (theta - eta * g) ** 2)` → `return 2 * (0.5 * np.sum(c * (theta - eta * g) ** 2))`": (
            "losses are only compared"
        ),
        "`0.5 * np.sum(c * (theta - eta * g) ** 2)` → `0.5 + np.sum(c * (theta - eta * g) ** 2)`": (
            "losses are only compared"
        ),
        "`0.5 * np.sum(c * (theta - eta * g) ** 2)` → `np.sum(c * (theta - eta * g) ** 2) / 0.5`": (
            "losses are only compared"
        ),
        "`0.5 * np.sum(c * (theta - eta * g) ** 2)` → `np.sum(c * (theta - eta * g) ** 2)`": "losses are only compared",
        "`0.5` → `1.5`": "losses are only compared",
        "`theta - eta * g` → `eta * g - theta`": "the difference is squared",
        "`f_left < f_right` → `f_left <= f_right`": "two losses are equal only by an accident of rounding",
    },
)
