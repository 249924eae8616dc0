"""02.8 A witness of your own."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.judging.drivers import POLYNOMIALS
from coursepkg.grading.specification.domain import Choice, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def slope(f, x):
    h = 1e-5
    return (f(x + h) - f(x - h)) / (2 * h)


def slope_complex(f, x):
    return f(complex(x, 1e-30)).imag / 1e-30


def slope_five_points(f, x):
    h = 1e-3
    return (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h)


def slope_extrapolated(f, x):
    def central(h):
        return (f(x + h) - f(x - h)) / (2 * h)

    return (4 * central(5e-4) - central(1e-3)) / 3


def slope_numpy(f, x):
    h = np.cbrt(np.finfo(float).eps) * max(1.0, abs(x))
    ends = f(np.array([x - h, x + h]))
    return (np.diff(ends) / (2 * h))[0]


def slope_forward_mode(f, x):
    out = Scalar(x)
    result = f(out)
    result.backward()
    return np.array(out.grad)


def slope_of_fractions(f, x):
    x, h = Fraction(x), Fraction(1, 10**12)
    return (f(x + h) - f(x - h)) / (2 * h)


def slope_relative(f, x):
    h = 1e-6 * (1 + abs(x))
    return (f(x + h) - f(x - h)) / ((x + h) - (x - h))


def slope_by_step(h):
    return lambda f, x: (f(x + h) - f(x - h)) / (2 * h)


def one_sided(h):
    return lambda f, x: (f(x + h) - f(x)) / h


def step_in_proportion(f, x):
    h = 1e-6 * x
    return (f(x + h) - f(x - h)) / (2 * h)


def rounded_off(rng, step):
    """A place far out, where one such step leaves fewer than six digits of the slope of the bowl."""
    bowl = POLYNOMIALS["bowl"][1]
    places = np.round(rng.uniform(-99, -84, 1000), 2).tolist()
    return next(x for x in places if abs(one_sided(step)(bowl, x) / (2 * (x - 7)) - 1) > 1.2e-6)


def slope_edges(rng):
    """Level ground, also in a deep valley; nearly level ground, where the bend shows; far out, tiny steps are lost."""
    level, far = float(rng.uniform(-1.3009, -1.3007)), float(rng.uniform(66, 99))
    return [
        *(case(name, 0.0) for name in ("square", "quartic", "bowl", "ninth")),
        case("quartic", round(level, 6)),
        case("valley", 5.0),
        case("bowl", round(7 + far / 2e5, 9)),
        case("bowl", round(7 + far / 4e7, 9)),
        case("ninth", 100.0),
        case("cube", -100.0),
        case("bowl", rounded_off(rng, 1e-8)),
        case("bowl", rounded_off(rng, -1e-8)),
        case("wiggle", round(far, 2)),
        case("quartic", round(far / 50, 2), after="ninth"),
    ]


_draw = np.random.default_rng(28)

BANK = [
    wrong("one-sided-and-coarse", lambda f, x: (f(x + 1e-2) - f(x)) / 1e-2,
          "notebook 02, section 1: the two V-shaped curves",
          "Your slopes are off in the second or third digit, more where the function bends more.",
          "A one-sided difference with a step like 0.01 sees the bend of the function."),
    wrong("backward-and-coarse", lambda f, x: (f(x) - f(x - 1e-2)) / 1e-2,
          "notebook 02, section 1: the two V-shaped curves",
          "Your slopes are off in the second or third digit, as those of a difference to the left are.",
          "A one-sided difference with a step like 0.01 sees the bend of the function."),
    *(wrong(f"one-sided-step-1e-{k}", one_sided(float(f"1e-{k}")),
            "notebook 02, section 1: the two V-shaped curves",
            "Your slopes are right to a few digits, and worst where the ground is nearly level.",
            "A difference to one side sees the bend of the function, which grows with the step.")
      for k in (3, 4, 5, 6)),
    wrong("step-too-small", slope_by_step(1e-12),
          "notebook 02, section 1: a tiny h subtracts two numbers that agree in almost all their digits",
          "Your slopes are right to a few digits, and worse the larger x is.",
          "The smaller the step, the more digits are lost in the subtraction. The best step is not the smallest."),
    wrong("step-in-proportion-to-x", step_in_proportion,
          "notebook 02, section 1: the formula of the central difference",
          "Your slopes are right, but at x = 0 there is an error.",
          "A step that is a fixed part of x is no step at all where x is 0."),
    wrong("step-not-small", lambda f, x: (f(x + 0.1) - f(x - 0.1)) / 0.2,
          "notebook 02, section 1: the two V-shaped curves",
          "Your slopes are exact for squares and off for higher powers.",
          "A central difference cancels the first error term only. With a step like 0.1 the next one is easily seen."),
    wrong("divides-by-h", lambda f, x: (f(x + 1e-5) - f(x - 1e-5)) / 1e-5,
          "notebook 02, section 1: the formula of the central difference",
          "Your slopes are twice as large as they should be.",
          "From x - h to x + h it is two steps."),
    wrong("one-step-divided-by-two", lambda f, x: (f(x + 1e-5) - f(x)) / 2e-5,
          "notebook 02, section 1: the formula of the central difference",
          "Your slopes are half as large as they should be.",
          "From x to x + h it is one step."),
    wrong("small-slopes-are-none", lambda f, x: slope(f, x) if abs(slope(f, x)) > 1e-4 else 0.0,
          "'How small is small?', and the docstring of the exercise: how exact is right?",
          "Where the ground is nearly level you return 0.",
          "A small slope is a slope, and may be found as well as a large one."),
    wrong("step-lost-in-rounding", lambda f, x: (f(x + 1e-18) - f(x - 1e-18)) / 2e-18,
          "notebook 02, section 1: a tiny h subtracts two numbers that agree in almost all their digits",
          "All of your slopes are zero.",
          "A step of 1e-18 is below the last digit of x: x + h is x again."),
    wrong("forgets-to-divide", lambda f, x: f(x + 1e-2) - f(x - 1e-2), "notebook 02, section 1: change per nudge",
          "Your numbers are changes of the output; they shrink with the step.",
          "A slope is change per unit of nudge."),
    wrong("minus-the-slope", lambda f, x: (f(x - 1e-5) - f(x + 1e-5)) / 2e-5,
          "notebook 02, section 1: the formula of the central difference",
          "All signs are turned round.",
          "The change is where you arrive minus where you came from, over the same two places below."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.8",
    title="A witness of your own",
    function="slope",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 02, section 1, 'How small is small?'",
    driver="slope_of",
    rtol=1e-6,
    atol=1e-7,
    domain={"f": Choice(*POLYNOMIALS), "x": Number(at_least=-100, at_most=100)},
    meets={
        "level ground": lambda f, x: f == "square" and x == 0,
        "the slope is nearly 0": lambda f, x: f == "bowl" and 1e-7 < abs(x - 7) < 1e-5,
        "far out on a high power": lambda f, x: f == "ninth" and abs(x) > 90,
        "the slope is 0 and the value large": lambda f, x: f == "valley" and abs(x) == 5,
        "a slope at 0": lambda f, x: f == "bowl" and x == 0,
    },
    reference=slope,
    visible=[
        case("square", 1.5),
        case("cube", -2.0),
        case("quartic", 0.8),
        case("bowl", 30.0),
        case("wiggle", -1.2),
        case("ninth", 1.15),
        *slope_edges(_draw),
    ],
    hidden=lambda rng: [
        *map(case, list(POLYNOMIALS)[:5], numbers(rng, 5, 0.6, 2.0)),
        case("ninth", *numbers(rng, 1, 1.0, 1.4)),  # its slope vanishes near 0.83
        *slope_edges(rng),
    ],
    accepted=[
        slope_relative,
        slope_by_step(1e-4),
        slope_by_step(1e-6),
        slope_complex,
        slope_five_points,
        slope_extrapolated,
        slope_numpy,
        slope_forward_mode,
        slope_of_fractions,
    ],
    bank=BANK,
    equivalent_mutants={
        "`1e-05` → `-1e-05`": "a central difference steps to both sides, in either order",
    },
    hints=(
        "Step a little to each side, and compare how far the output moved with how far you stepped.",
        "The central difference cancels the largest error. Its best step is near the cube root of machine "
        "precision, about 1e-5.",
        "Take a step h of 1e-5. Then: the output at x + h minus the output at x - h, divided by the distance between "
        "these two places.",
    ),
)
