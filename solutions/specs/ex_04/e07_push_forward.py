"""04.7 Push a direction forward."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Choice, Listing
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import nearly_flat, numbers


def push_forward(steps, x, v):
    value, tangent = x, v
    for step in steps:
        if step == "sin":
            value, tangent = np.sin(value), np.cos(value) * tangent
        elif step == "tanh":
            value, tangent = np.tanh(value), (1 - np.tanh(value) ** 2) * tangent
        elif step == "square":
            value, tangent = value**2, 2 * value * tangent
        else:
            value, tangent = value * x, tangent * x + value * v
    return value, tangent


STEPS = {
    "sin": lambda u, x: np.sin(u),
    "tanh": lambda u, x: np.tanh(u),
    "square": lambda u, x: u * u,
    "times x": lambda u, x: u * x,
}


def composed(steps, x):
    u = x
    for step in steps:
        u = STEPS[step](u, x)
    return u


def push_complex(steps, x, v):
    out = composed(steps, np.asarray(x) + 1e-30j * np.asarray(v))
    return out.real, out.imag / 1e-30


def push_engine(steps, x, v):
    return gradients.jvp(lambda x: composed(steps, x), x, v)


def push_slopes_first(steps, x, v):
    u, slope = np.array(x), np.ones(len(x))
    for step in steps:
        if step == "times x":
            slope, u = slope * x + u, u * x
        else:
            with np.errstate(over="ignore"):  # far out the slope of tanh is 0
                local = {"sin": np.cos(u), "tanh": 1 / np.cosh(u) ** 2, "square": 2 * u}[step]
            slope, u = slope * local, STEPS[step](u, x)
    return [u, slope * v]


def push_entries(steps, x, v):
    pairs = []
    for xi, vi in zip(x, v, strict=True):
        a, a_dot = float(xi), float(vi)
        for step in steps:
            match step:
                case "sin":
                    a, a_dot = math.sin(a), math.cos(a) * a_dot
                case "tanh":
                    a, a_dot = math.tanh(a), (1 - math.tanh(a) ** 2) * a_dot
                case "square":
                    a, a_dot = a * a, a * a_dot + a_dot * a
                case _:
                    a, a_dot = a * xi, a_dot * xi + a * vi
        pairs.append((a, a_dot))
    return tuple(zip(*pairs, strict=True))


class TinyDual:
    def __init__(self, value, tangent):
        self.value, self.tangent = value, tangent

    def __mul__(self, other):
        return TinyDual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)

    def sin(self):
        return TinyDual(np.sin(self.value), np.cos(self.value) * self.tangent)

    def tanh(self):
        value = np.tanh(self.value)
        return TinyDual(value, self.tangent - value * value * self.tangent)


def push_tiny_dual(steps, x, v):
    start = u = TinyDual(x, v)
    for step in steps:
        u = u * start if step == "times x" else u * u if step == "square" else getattr(u, step)()
    return u.value, u.tangent


def push_with(local=None, product=lambda u, u_dot, x, v: u_dot * x + u * v, chain=lambda u_dot, v: u_dot, late=False):
    """The right rules with one part replaced; ``late`` takes slopes at the new value."""
    rules = {"sin": np.cos, "tanh": lambda u: 1 - np.tanh(u) ** 2, "square": lambda u: 2 * u} | (local or {})

    def answer(steps, x, v):
        u, u_dot = x, v
        for step in steps:
            new = STEPS[step](u, x)
            at = new if late else u
            if step == "times x":
                u_dot = product(at, chain(u_dot, v), x, v)
            else:
                u_dot = rules[step](at) * chain(u_dot, v)
            u = new
        return u, u_dot

    return answer


def push_at_the_input(steps, x, v):
    u, u_dot = x, v
    slope = {"sin": np.cos(x), "tanh": 1 - np.tanh(x) ** 2, "square": 2 * x}
    for step in steps:
        u_dot = u_dot * x + u * v if step == "times x" else slope[step] * u_dot
        u = STEPS[step](u, x)
    return u, u_dot


def _first(step):
    return lambda steps: len(steps) > 1 and steps[0] == step


def _last(step):
    return lambda steps: len(steps) > 1 and steps[-1] == step


def _twice(step):
    return lambda steps: steps.count(step) > 1


def push_cases(rng):
    lists = (
        ["sin", "square"],
        ["square", "times x", "tanh"],
        ["tanh", "times x", "sin"],
        ["times x", "sin", "times x", "square"],
    )
    return [
        case(steps, numbers(rng, n, low=0.4, high=1.3), numbers(rng, n))
        for steps, n in zip(lists, (3, 2, 4, 3), strict=True)
    ] + push_edges(rng)


def push_edges(rng):
    """Steps in other places, the same one twice, none at all."""
    lists = (
        ["times x", "times x", "sin"],
        ["square", "square", "times x"],
        ["sin", "sin", "tanh", "tanh"],
        ["sin", "times x", "square", "times x", "tanh"],
        [],
    )
    cases = [case(steps, numbers(rng, 3, low=0.4, high=1.3), numbers(rng, 3)) for steps in lists]
    cases[3].args[1][1] = 0.0
    far = numbers(rng, 3, low=0.4, high=1.3)
    far[:2] = [1000, -1000] * abs(numbers(rng, 2, low=0.8, high=1.0))
    far = rng.permutation(far)
    return [*cases, case(["tanh", "times x"], far, numbers(rng, 3)), *push_extremes(rng)]


def push_extremes(rng):
    """Nine steps; a direction that is long; tanh where it is nearly flat, or flat, on a long way; whole numbers."""
    steps = ["sin", "times x", "tanh", "times x", "sin", "square", "times x", "sin", "times x"]
    flat = np.array([nearly_flat(8), nearly_flat(300, -1), 900.0])
    return [
        case(steps, numbers(rng, 3, low=0.7, high=1.4), numbers(rng, 3)),
        case(["sin", "times x", "square"], numbers(rng, 3, low=0.4, high=1.3), 1e5 * numbers(rng, 3)),
        *(case([step], rng.permutation([0.0, 0.0, 0.8]), numbers(rng, 3)) for step in ("sin", "tanh")),
        case(["sin"], np.zeros(2), numbers(rng, 2)),
        case(["tanh"], flat, numbers(rng, 3) * [2e5, 7e3, 1e7]),
        case(["sin", "times x"], np.array([2, -1, 3]), np.array([1, -2, 2])),
    ]


def push_by_differences(steps, x, v):
    h = 1e-6
    ahead, back = (composed(steps, np.asarray(x) + side * h * np.asarray(v)) for side in (1, -1))
    return composed(steps, x), (ahead - back) / (2 * h)


def push_like_x(steps, x, v):
    value, tangent = np.zeros_like(x), np.zeros_like(v)
    value[:], tangent[:] = push_forward(steps, x, v)
    return value, tangent


def push_overwriting(steps, x, v):
    for step in steps:
        new = STEPS[step](x, x)
        v = {"sin": np.cos(x), "tanh": 1 - np.tanh(x) ** 2, "square": 2 * x, "times x": 2 * x}[step] * v
        x = new
    return x, v


BANK = [
    wrong("ignores-the-direction", lambda steps, x, v: push_forward(steps, x, np.ones(len(x))),
          "notebook 04, section 3, 'Two products'",
          "The values are right; the changes are those for a nudge of one in every entry.",
          "v says how far each input moves. It is where the tangent starts."),
    wrong("slope-at-the-new-value", push_with(late=True), "notebook 04, section 3, 'Dual numbers'",
          "The values are right; the slopes are taken after the step, at its output.",
          "The slope of sin at u is cos(u), with the u that went in. Once u is overwritten it is too late."),
    wrong("x-stands-still", push_with(product=lambda u, u_dot, x, v: u_dot * x),
          "notebook 04, section 3, 'Dual numbers'",
          "In `times x` you let x stand still.",
          "Both factors of that product move: the running value, and x itself."),
    wrong("only-x-moves", push_with(product=lambda u, u_dot, x, v: u * v), "notebook 04, section 3, 'Dual numbers'",
          "In `times x` only x moves.",
          "Both factors of that product move: the running value, and x itself."),
    wrong("product-of-the-changes", push_with(product=lambda u, u_dot, x, v: u_dot * v),
          "notebook 04, section 3, 'Dual numbers'",
          "In `times x` you multiplied the two changes.",
          "The derivative of a product is not the product of the derivatives."),
    wrong("forgets-the-chain", push_with(chain=lambda u_dot, v: v), "notebook 04, section 3, 'Dual numbers'",
          "Each step starts again from v; what the steps before did to it is lost.",
          "The change that goes into a step is the one that came out of the step before."),
    wrong("slopes-at-the-input", push_at_the_input, "notebook 04, section 3, 'Dual numbers'",
          "You took every slope at x, also in the later steps.",
          "A step sees the value that the steps before have made; its slope belongs there."),
    wrong("tanh-slope-at-the-input", push_with(local={"tanh": lambda u: 1 - u**2}), "notebook 02, section 6",
          "The slope you used for tanh is one minus the square of its input.",
          "In 1 - tanh² it is the output that is squared."),
    wrong("by-differences", push_by_differences, "the task: one pass, carrying a value and its tangent",
          "Nearly right, and off where the direction is long.",
          "A small step times a long direction is a long way. The tangent knows no step."),
    wrong("six-steps-at-most", lambda steps, x, v: push_forward(steps[:6], x, v), "the docstring of the exercise",
          "Long lists of steps are cut off.",
          "There may be any number of steps. Go through all of them."),
    wrong("never-quite-flat", push_with(local={"tanh": lambda u: np.maximum(1 - np.tanh(u) ** 2, 1e-9)}),
          "notebook 02, section 6",
          "Where tanh is flat you let something through.",
          "A bound that keeps the slope from vanishing makes another function of it."),
    wrong("flat-too-soon", push_with(local={"tanh": lambda u: (1 - np.tanh(u) ** 2) * (np.abs(u) < 7.5)}),
          "notebook 02, section 6",
          "Where tanh is nearly flat you let nothing through.",
          "tanh becomes flatter and flatter, and nowhere all at once. A long direction makes much of a small slope."),
    wrong("whole-numbers-stay-whole", push_like_x, "the docstring of the exercise: what is returned?",
          "Where x and v hold whole numbers, so do value and tangent.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("x-is-overwritten", push_overwriting, "the task: `times x` multiplies by the original x",
          "Right until `times x` comes after another step; then the running value is multiplied by itself.",
          "`times x` asks for the point that everything began with, whatever the steps before have made of it."),
    wrong("v-is-overwritten", push_with(product=lambda u, u_dot, x, v: u_dot * x + u * u_dot),
          "notebook 04, section 3, 'Dual numbers'",
          "In `times x` you let x change as fast as the running value.",
          "x changes by v, whatever the steps before have made of it. Keep v beside the running change."),
    wrong("last-step-first", lambda steps, x, v: push_forward(steps[::-1], x, v), "the docstring of the exercise",
          "You took the steps from the last to the first.",
          "The order of the list is the order in which they are applied."),
    wrong("the-two-exchanged", lambda steps, x, v: push_forward(steps, x, v)[::-1], "the docstring of the exercise",
          "Value and change are right and stand in the wrong order.",
          "Asked for is the value first, then how fast it changes."),
    wrong("sign-of-the-cosine", push_with(local={"sin": lambda u: -np.cos(u)}), "notebook 02, section 6",
          "Whatever goes through `sin` an odd number of times changes in the wrong direction.",
          "It is the cosine whose derivative has a minus. Just above zero, sin rises."),
    wrong("square-without-two", push_with(local={"square": lambda u: u}), "notebook 04, section 3, 'Dual numbers'",
          "The slope you used for the square is half of what it should be.",
          "A square has two equal factors, and both of them move."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.7",
    title="Push a direction forward",
    function="push_forward",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 04, section 3, 'Dual numbers'",
    reference=push_forward,
    parts=("the value", "the tangent"),
    integers=True,
    domain={
        "steps": Listing("steps>=0", Choice("sin", "tanh", "square", "times x")),
        "x": Array("n"),
        "v": Array("n", all_zero=True),
    },
    meets={
        "exponentials of x and -x overflow": lambda x: x.max() > 750 and x.min() < -750,
        "there are nine steps": lambda steps: len(steps) == 9,
        "the direction is long": lambda v: abs(v).min() > 1e4,
        "tanh is nearly flat": lambda x: ((x > 7) & (x < 8)).any(),
        "a long way where tanh is flat": lambda x, v: (abs(v[x > 800]) > 1e6).any(),
        "x and v hold whole numbers": lambda x, v: x.dtype.kind == v.dtype.kind == "i",
        "x is 0 where it multiplies": lambda steps, x: "times x" in steps[1:] and (x == 0).any(),
        **{f"{step} comes first of several": _first(step) for step in STEPS},
        **{f"{step} comes last of several": _last(step) for step in STEPS},
        **{f"{step} comes twice": _twice(step) for step in STEPS},
    },
    always={
        "values on the way stay below 1e12": lambda steps, x: all(
            np.abs(composed(steps[:k], x.astype(float))).max() < 1e12 for k in range(len(steps) + 1)
        )
    },
    visible=[
        case(["sin"], np.array([0.5, -1.2]), np.array([2.0, -0.7])),
        case(["square", "sin"], np.array([0.8, -0.6, 1.1]), np.array([1.5, 0.5, -2.0])),
        case(["tanh", "times x"], np.array([0.9, -0.5]), np.array([-1.0, 2.5])),
        case(["times x", "tanh", "square"], np.array([1.2, -0.7, 0.6]), np.array([0.4, -1.6, 2.2])),
        case(["sin", "tanh", "times x", "sin"], np.array([-0.8, 1.3]), np.array([1.1, 0.9])),
        *push_edges(np.random.default_rng(47)),
    ],
    hidden=push_cases,
    accepted=[
        push_complex,
        push_engine,
        push_slopes_first,
        push_entries,
        push_tiny_dual,
    ],
    bank=BANK,
    hints=(
        "Carry two arrays through the loop, the value and its change. Before any step they are x and v.",
        "sin, tanh and square multiply the change by their slope, taken at the value that goes in. Update both at "
        "once, so that the old value is still there.",
        "For 'times x' use the product rule: the change of the value times x, plus the value times the change of x, "
        "which is v.",
    ),
    credit={0: 1, 1: 3},
)
