"""09.1 One walk, one number."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def one_sample(a, b, c, theta, v):
    x, y = theta
    slope = (2 * a * x + b * y) * v[0] + (b * x + c) * v[1]
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def surface(a, b, c, theta):
    return a * theta[0] ** 2 + b * theta[0] * theta[1] + c * theta[1]


def one_sample_dual(a, b, c, theta, v):
    x, y = Dual(theta[0], v[0]), Dual(theta[1], v[1])
    slope = float(surface(a, b, c, (x, y)).tangent)
    return {"slope": slope, "estimate": tuple(slope * part for part in v)}


def one_sample_complex(a, b, c, theta, v):
    t = np.array(theta) + 1e-30j * np.array(v)
    slope = surface(a, b, c, t).imag / 1e-30
    return {"estimate": slope * np.array(v), "slope": np.array(slope)}


def one_sample_engine(a, b, c, theta, v):
    slope = gradients.jvp(lambda t: surface(a, b, c, t), np.array(theta), np.array(v))[1]
    return {"slope": slope, "estimate": slope * np.array(v)}


def one_sample_by_backpropagation(a, b, c, theta, v):
    gradient = gradients.reverse(lambda t: surface(a, b, c, t))(np.array(theta))
    return {"slope": gradient @ np.array(v), "estimate": np.outer(v, v) @ gradient}


def one_sample_tangents(a, b, c, theta, v):
    (x, y), (dx, dy) = theta, v
    total = a * (x * dx + dx * x)
    total += b * (dx * y + x * dy)
    total += c * dy
    return {"slope": np.float64(total), "estimate": [total * d for d in (dx, dy)]}


def one_sample_tensors(a, b, c, theta, v):
    """The slope as a sum over a tensor; the estimate is a tensor, too."""
    t = Tensor(theta, requires_grad=True)
    surface(a, b, c, t).backward()
    slope = (t.grad * Tensor(v)).sum()
    return {"slope": slope, "estimate": slope * Tensor(v)}


def one_sample_float32(a, b, c, theta, v):
    found = one_sample(*(np.float32(n) for n in (a, b, c)), np.float32(theta), np.float32(v))
    return {"slope": np.float32(found["slope"]), "estimate": np.float32(found["estimate"])}


def one_sample_with(combine):
    """The right slope and gradient, put together in another way."""

    def answer(a, b, c, theta, v):
        g = [2 * a * theta[0] + b * theta[1], b * theta[0] + c]
        slope, estimate = combine(g, g[0] * v[0] + g[1] * v[1], v, surface(a, b, c, theta))
        return {"slope": slope, "estimate": estimate}

    return answer


def one_sample_big_step(a, b, c, theta, v):
    moved = [theta[0] + v[0], theta[1] + v[1]]
    slope = surface(a, b, c, moved) - surface(a, b, c, theta)
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def one_sample_half_product(a, b, c, theta, v):
    slope = 2 * a * theta[0] * v[0] + b * v[0] * v[1] + c * v[1]
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def one_sample_half_square(a, b, c, theta, v):
    slope = (a * theta[0] + b * theta[1]) * v[0] + (b * theta[0] + c) * v[1]
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def one_sample_half_of_the_product(a, b, c, theta, v):
    slope = (2 * a * theta[0] + b * theta[1]) * v[0] + c * v[1]
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def one_sample_edges(rng):
    """At the origin, where f is flat but for c; a walk along one axis, and one that goes neither up nor down."""
    a, b, c, p, q, r = numbers(rng, 6)
    return [
        case(a, b, c, [0.0, 0.0], numbers(rng, 2)),
        case(*numbers(rng, 3), numbers(rng, 2), [0.0, p]),
        case(0.0, 0.0, q, numbers(rng, 2), [r, 0.0]),
        case(*numbers(rng, 2), 0.0, [q, 0.0], [p, r]),
    ]


def hidden_one_sample(rng):
    return [*(case(*numbers(rng, 3), numbers(rng, 2), numbers(rng, 2)) for _ in range(5)), *one_sample_edges(rng)]


BANK = [
    wrong("entry-by-entry", one_sample_with(lambda g, s, v, f: (s, [g[0] * v[0], g[1] * v[1]])),
          "notebook 09, section 1: one pass, one number",
          "Each entry of the estimate is its own partial derivative times its own entry of v.",
          "A forward pass never sees the partial derivatives one by one; it gives their sum, a single number."),
    wrong("stops-at-the-slope", one_sample_with(lambda g, s, v, f: (s, [s, s])),
          "notebook 09, section 2: multiply by the direction",
          "Both entries of the estimate are the slope.",
          "The slope is a number without a direction; it has to be laid along the direction you walked."),
    wrong("takes-it-for-exact", one_sample_with(lambda g, s, v, f: (s, g)), "notebook 09, section 3: the fan",
          "The estimate is the gradient itself.",
          "Only the average over many directions is the gradient; one sample lies along v."),
    wrong("scaled-by-the-loss", one_sample_with(lambda g, s, v, f: (f, [f * v[0], f * v[1]])),
          "notebook 09, section 1: value and tangent",
          "The direction was multiplied by the value of f.",
          "The value says how high you stand, not how steep it is along v."),
    wrong("direction-of-length-one", one_sample_with(
              lambda g, s, v, f: (
                  s / math.hypot(*v),
                  [s * v[0] / (v[0] ** 2 + v[1] ** 2), s * v[1] / (v[0] ** 2 + v[1] ** 2)],
              )
          ), "notebook 09, section 3: what is asked of v",
          "The direction was first scaled to length one.",
          "Then the mean is the gradient divided by d: the second moment of v is no longer the identity."),
    wrong("a-whole-step", one_sample_big_step, "notebook 09, section 1: no step size anywhere",
          "The slope is f(theta + v) − f(theta).",
          "That is a difference over a step as long as v. A tangent has no step: it is exact at the point."),
    wrong("product-of-the-tangents", one_sample_half_product, "notebook 09, section 1: the rule for a product",
          "In the term b θ₁ θ₂ the two tangents were multiplied with each other.",
          "A product changes by each factor in turn, while the other one stays what it is."),
    wrong("projection", one_sample_with(
              lambda g, s, v, f: (s, [s * v[0] / (v[0] ** 2 + v[1] ** 2), s * v[1] / (v[0] ** 2 + v[1] ** 2)])
          ), "notebook 09, section 2, 'Multiply by the direction you walked'",
          "The slope is right; the estimate is the part of the gradient that lies along v.",
          "For one v that is the nearest you can get. But the mean of such parts is shorter than the gradient."),
    wrong("slope-per-unit-of-length", one_sample_with(
              lambda g, s, v, f: (s / math.hypot(*v), [s * v[0] / math.hypot(*v), s * v[1] / math.hypot(*v)])
          ), "notebook 09, section 1, 'One pass, one number'",
          "The slope was divided by the length of v.",
          "The tangent says how f changes when you move by all of v: twice the direction gives twice the number."),
    wrong("unit-direction-for-the-estimate", one_sample_with(
              lambda g, s, v, f: (s, [s * v[0] / math.hypot(*v), s * v[1] / math.hypot(*v)])
          ), "notebook 09, section 2, 'Multiply by the direction you walked'",
          "The slope is right; the estimate is laid along v scaled to length one.",
          "It belongs to the direction that you walked, with the length that it has."),
    wrong("turned-downhill", one_sample_with(lambda g, s, v, f: (s, [-s * v[0], -s * v[1]])),
          "notebook 09, section 2, 'Multiply by the direction you walked'",
          "The estimate has the opposite sign.",
          "The sign of a step downhill belongs to the step. What is estimated here is the gradient."),
    wrong("laid-along-the-point", lambda a, b, c, theta, v: {
              "slope": (s := one_sample(a, b, c, theta, v)["slope"]), "estimate": [s * theta[0], s * theta[1]]
          }, "notebook 09, section 2, 'Multiply by the direction you walked'",
          "The slope was multiplied by theta.",
          "theta is where you stand. What you know the slope of is the way that you went."),
    wrong("square-without-its-two", one_sample_half_square, "notebook 09, section 1, 'One pass, one number'",
          "In the term a θ₁² half of the change is missing.",
          "A square has two equal factors, and both of them move."),
    wrong("one-factor-stands-still", one_sample_half_of_the_product, "notebook 09, section 1, 'One pass, one number'",
          "In the term b θ₁ θ₂ only θ₁ moves.",
          "θ₂ moves at the same time, and that changes the product as well."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.1",
    title="One walk, one number",
    function="one_sample",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 09, sections 1 and 2",
    reference=one_sample,
    domain={
        "a": Number(),
        "b": Number(),
        "c": Number(),
        "theta": Array("2", all_zero=True),
        "v": Array("2", all_zero=True),
    },
    meets={
        "v goes along the first axis": lambda v: v[0] != 0 and v[1] == 0,
        "v goes along the second axis": lambda v: v[0] == 0 and v[1] != 0,
    },
    visible=[
        case(1.0, 0.0, 3.0, [2.0, 5.0], [1.0, -1.0]),
        case(0.8, -1.1, 0.6, [1.4, -0.7], [0.9, 1.3]),
        case(-0.7, 0.9, 1.2, [-1.1, 0.8], [-0.6, 1.5]),
        case(1.3, 0.7, -0.9, [0.5, 1.6], [1.2, -0.8]),
        *one_sample_edges(np.random.default_rng(91)),
    ],
    hidden=hidden_one_sample,
    accepted=[
        one_sample_dual,
        one_sample_complex,
        one_sample_engine,
        one_sample_by_backpropagation,
        one_sample_tangents,
        one_sample_tensors,
        one_sample_float32,
    ],
    bank=BANK,
    hints=(
        "Let both entries of theta move at the same time, theta₁ by v₁ and theta₂ by v₂, and ask how f changes.",
        "x² changes by 2 x dx, x y by dx y + x dy, c y by c dy. Add the three up: that is the slope.",
        "slope = (2 a x + b y) v₁ + (b x + c) v₂, and the estimate is that number times v₁ and times v₂.",
    ),
    equivalent_mutants={
        "squeezes": "the slope is a number, and the estimate has two entries",
        "`1` → `-1`": "a direction has two entries, so the one at index 1 is the last one",
        "`1` → `-1` #2": "a direction has two entries, so the one at index 1 is the last one",
    },
)
