"""04.1 Backward through ReLU, and its leaky cousin."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def relu_vjp(x, g, slope):
    return np.array([gi if xi > 0 else slope * gi for xi, gi in zip(x, g, strict=True)])


def relu_where(x, g, slope):
    return np.where(np.asarray(x) > 0, 1.0, slope) * g


def relu_mask(x, g, slope):
    positive = np.asarray(x) > 0
    return [*(positive * np.asarray(g) + ~positive * slope * np.asarray(g))]


def relu_jacobian(x, g, slope):
    return np.array(g) @ np.diag([1.0 if xi > 0 else slope for xi in x])


def relu_engine(x, g, slope):
    leaf = Tensor(np.asarray(x, dtype=float), requires_grad=True)
    np.where(leaf > 0, leaf, slope * leaf).backward(np.asarray(g, dtype=float))
    return leaf.grad


def relu_float32(x, g, slope):
    x_bar = np.array(g, dtype=np.float32)
    x_bar[np.array(x) <= 0] *= np.float32(slope)
    return x_bar


def slopes(x, slope):
    return np.where(np.asarray(x) > 0, 1.0, slope)


def relu_cases(rng):
    drawn = []
    for n in (3, 5, 6, 4):
        x = numbers(rng, n)
        x[:2] = abs(x[0]), -abs(x[1])
        g = numbers(rng, n)
        g[:3] = -abs(g[0]), abs(g[1]), abs(g[2])
        drawn.append(case(x, g, round(float(rng.uniform(0.1, 0.4)), 2)))
    x = numbers(rng, 4)
    x[2] = 0.0
    steep = numbers(rng, 4)
    steep[:3] = rng.uniform(0.01, 0.2), -abs(steep[1]), abs(steep[2])
    tiny = numbers(rng, 4)
    tiny[:2] = 1e-7 * abs(tiny[0]), -1e-7 * abs(tiny[1])
    others = [case(each, numbers(rng, 4), a) for each, a in ((x, 0.25), (steep, 1.7), (tiny, 0.35))]
    return [*drawn, *others, *relu_extremes(rng)]


def relu_extremes(rng):
    """An x of nearly nothing, and a huge one; a steep slope; whole numbers."""
    x = abs(numbers(rng, 4)) * [1e-14, -1e-14, 1e5, -1e5]
    return [
        case(rng.permutation(x), numbers(rng, 4), round(float(rng.uniform(23, 41)), 2)),
        case(rng.permutation([0.0, 0.7, -1.2]), numbers(rng, 3), round(float(rng.uniform(1.2, 2.5)), 2)),
        case(np.array([3, -1, 0, 2, -4]), np.array([2, -3, 5, 1, 7]), round(float(rng.uniform(0.2, 0.4)), 2)),
    ]


def relu_like_x(x, g, slope):
    found = np.zeros_like(x)
    found[:] = relu_vjp(x, g, slope)
    return found


BANK = [
    wrong("ignores-upstream", lambda x, g, slope: slopes(x, slope), "notebook 04, section 3, 'Two products'",
          "Your answer holds the slopes of the function; g has left no trace.",
          "Something comes after this layer, and g is what it reports. A vjp is a product: g times the Jacobian."),
    wrong("masks-by-the-upstream", lambda x, g, slope: slopes(g, slope) * g, "notebook 04, section 3, 'ReLU'",
          "You decided by the sign of g which entries to let through.",
          "Whether a nudge of x passes depends on where x stood in the forward pass, not on who asks."),
    wrong("hands-out-the-output", lambda x, g, slope: slopes(x, slope) * x * g, "notebook 04, section 3, 'ReLU'",
          "You multiplied g by the output of the layer.",
          "The output says how large y is. The local derivative says how far y moves when x moves by one."),
    wrong("lets-all-through", lambda x, g, slope: np.array(g), "notebook 04, section 3, 'ReLU'",
          "You returned g unchanged.",
          "Where x is negative, a nudge of x comes out smaller, or not at all; so does the gradient."),
    wrong("mask-turned-round", lambda x, g, slope: np.where(np.asarray(x) > 0, slope, 1.0) * g,
          "notebook 04, section 3, 'ReLU'",
          "You let through what should be held back, and the other way round.",
          "For positive x the output is x itself: a nudge passes unchanged."),
    wrong("returns-the-jacobian", lambda x, g, slope: np.diag(slopes(x, slope)),
          "notebook 04, section 3, 'Two products'",
          "You returned the whole Jacobian, a matrix.",
          "What travels backward is a vector with the shape of x: the gradient of the loss, g times that matrix."),
    wrong("product-not-summed", lambda x, g, slope: np.diag(slopes(x, slope)) * np.asarray(g),
          "notebook 04, section 3, 'Two products'",
          "You returned a matrix whose diagonal is the answer.",
          "`*` multiplies entry by entry. A vector times a matrix also sums, and gives a vector."),
    wrong("forgets-the-leak", lambda x, g, slope: slopes(x, 0.0) * g,
          "the task: for x at most 0 the output is slope times x",
          "Your answer is right for slope = 0, the plain ReLU, and wrong otherwise.",
          "A leaky ReLU still moves where x is negative, only more slowly."),
    wrong("open-at-zero", lambda x, g, slope: np.where(np.asarray(x) >= 0, 1.0, slope) * g,
          "the task: for x at most 0 the output is slope times x",
          "Right everywhere but where x is exactly zero.",
          "The task says on which side zero lies."),
    wrong("larger-of-the-two", lambda x, g, slope: np.where(np.asarray(x) > slope * np.asarray(x), 1.0, slope) * g,
          "the task: for x at most 0 the output is slope times x",
          "Right for slopes below 1; for steeper ones positive and negative x are exchanged.",
          "max(x, slope * x) is the layer of the task only while the slope is below 1."),
    wrong("leak-ignores-upstream", lambda x, g, slope: np.where(np.asarray(x) > 0, g, slope),
          "notebook 04, section 3, 'Two products'",
          "Where x is positive it is right; elsewhere g has left no trace.",
          "The slope is a rate as the one is; both are multiplied by what arrives."),
    wrong("leak-hands-out-the-output", lambda x, g, slope: np.where(np.asarray(x) > 0, g, slope * np.asarray(x)),
          "notebook 04, section 3, 'ReLU'",
          "Where x is positive it is right; elsewhere you returned the output of the layer.",
          "slope times x is what went forward. What comes back is g, and the rate that it is multiplied by."),
    wrong("open-only-beyond-a-little", lambda x, g, slope: np.where(np.asarray(x) > 1e-8, 1.0, slope) * g,
          "the task: for x at most 0 the output is slope times x",
          "A tiny positive x leaks.",
          "The bend is at 0, and not a little beyond it."),
    wrong("whole-numbers-stay-whole", relu_like_x, "'ReLU', and the docstring of the exercise: what is returned?",
          "Where x holds whole numbers, so does your answer.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("slope-with-a-bound", lambda x, g, slope: relu_vjp(x, g, min(slope, 10.0)),
          "'ReLU', and the docstring of the exercise: which slopes are possible?",
          "Where the slope is steep your answer is too small.",
          "The slope may be any number from 0 up, and multiplies what arrives."),
    wrong("adds-everything-up", lambda x, g, slope: float(np.sum(slopes(x, slope) * g)), "notebook 04, section 1",
          "You returned one number, the sum of all entries.",
          "A gradient has the shape of its variable: one number for each entry of x."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.1",
    title="Backward through ReLU, and its leaky cousin",
    function="relu_vjp",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 04, section 3, 'ReLU'",
    reference=relu_vjp,
    integers=True,
    domain={"x": Array("n", all_zero=True), "g": Array("n"), "slope": Number(at_least=0)},
    meets={
        "an x of exactly 0 leaks": lambda x, slope: slope > 0 and (x == 0).any(),
        "a positive x is small": lambda x: ((x > 0) & (x < 0.3)).any(),
        "a positive and a negative x are tiny": lambda x: (
            ((x > 0) & (x < 1e-6)).any() and ((x < 0) & (x > -1e-6)).any()
        ),
        "the slope is above 1": lambda slope: slope > 1,
        "the slope is above 20": lambda slope: slope > 20,
        "x is nearly nothing": lambda x: ((x > 0) & (x < 1e-13)).any() and ((x < 0) & (x > -1e-13)).any(),
        "x is far out": lambda x: x.max() > 1e4 and x.min() < -1e4,
        "x and g hold whole numbers": lambda x, g: x.dtype.kind == g.dtype.kind == "i",
    },
    visible=[
        case(np.array([-0.5, 2.0, 0.0]), np.array([3.0, -1.5, 2.0]), 0.1),
        case(np.array([1.0, -2.0, 3.0, -1.0]), np.array([4.0, -1.0, 5.0, 9.0]), 0.0),
        case(np.array([1.5, -0.7, -2.2, 0.9, -1.1]), np.array([-2.0, 0.8, -1.2, 2.5, 1.7]), 0.2),
        case(np.array([-1.3, 0.6]), np.array([-0.9, -2.4]), 0.3),
        case(np.array([-1.421, 0.083, 2.236]), np.array([0.914, -1.382, 0.657]), 1.618),
        case(np.array([1.3, 1.7e-7, -0.8, -2.1e-7]), np.array([-0.7, 1.9, 1.1, -2.3]), 0.35),
        *relu_extremes(np.random.default_rng(41)),
    ],
    hidden=relu_cases,
    accepted=[relu_where, relu_mask, relu_jacobian, relu_engine, relu_float32],
    bank=BANK,
    hints=(
        "Each output depends on one input only, so treat the entries one at a time. Which way did entry i take?",
        "Where x is positive, y is x and a nudge passes unchanged. Elsewhere y is slope times x. What becomes of g?",
        "Entry i of the answer is g[i] where x[i] > 0, and g[i] shrunk by the slope where it is not; np.where chooses "
        "between the two.",
    ),
)
