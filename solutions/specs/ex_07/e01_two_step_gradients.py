"""07.1 Two steps by hand."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def two_step_gradients(w, u, v, x, h0, t):
    h1 = math.tanh(w * h0 + u * x[0])
    h2 = math.tanh(w * h1 + u * x[1])
    error = v * h2 - t
    delta2 = error * v * (1 - h2 * h2)
    delta1 = delta2 * w * (1 - h1 * h1)
    return {"w": delta2 * h1 + delta1 * h0, "u": delta2 * x[1] + delta1 * x[0], "h0": delta1 * w}


def two_steps_loop(w, u, v, x, h0, t):
    states = [h0]
    for value in x:
        states.append(math.tanh(w * states[-1] + u * value))
    r, grads = (v * states[-1] - t) * v, {"w": 0.0, "u": 0.0}
    for k in (1, 0):
        delta = r * (1 - states[k + 1] ** 2)
        grads["w"] += delta * states[k]
        grads["u"] += delta * x[k]
        r = delta * w
    return grads | {"h0": r}


def two_steps_engine(w, u, v, x, h0, t):
    leaves = {"w": Scalar(w), "u": Scalar(u), "h0": Scalar(h0)}
    h = leaves["h0"]
    for value in x:
        h = (leaves["w"] * h + leaves["u"] * value).tanh()
    error = h * v - t
    (error * error * 0.5).backward()
    return {name: leaf.grad for name, leaf in leaves.items()}


def two_steps_loss(w, u, v, x, h0, t):
    h = h0
    for value in x:
        h = np.tanh(w * h + u * value)
    return (v * h - t) ** 2 / 2


def two_steps_complex(w, u, v, x, h0, t):
    e = 1e-30j
    return {
        "w": two_steps_loss(w + e, u, v, x, h0, t).imag / 1e-30,
        "u": np.float64(two_steps_loss(w, u + e, v, x, h0, t).imag / 1e-30),
        "h0": np.array(two_steps_loss(w, u, v, x, h0 + e, t).imag / 1e-30),
    }


def two_steps_forward(w, u, v, x, h0, t):
    """Real-time recurrent learning: three tangents carried along."""
    h, dots = h0, np.array([0.0, 0.0, 1.0])
    for value in x:
        dots = np.array([h, value, 0.0]) + w * dots
        h = math.tanh(w * h + u * value)
        dots = (1 - h * h) * dots
    return dict(zip(("w", "u", "h0"), ((v * h - t) * v * dots).tolist(), strict=True))


def two_steps_float32(w, u, v, x, h0, t):
    return {name: np.float32(g) for name, g in two_step_gradients(w, u, v, x, h0, t).items()}


def two_steps_with(combine):
    """The right deltas, put together in another way."""

    def answer(w, u, v, x, h0, t):
        h1 = math.tanh(w * h0 + u * x[0])
        h2 = math.tanh(w * h1 + u * x[1])
        delta2 = (v * h2 - t) * v * (1 - h2 * h2)
        delta1 = delta2 * w * (1 - h1 * h1)
        g_w, g_u, g_h = combine(delta1, delta2, h0, h1, h2, x, w)
        return {"w": g_w, "u": g_u, "h0": g_h}

    return answer


def two_steps_no_slope(w, u, v, x, h0, t):
    h1 = math.tanh(w * h0 + u * x[0])
    h2 = math.tanh(w * h1 + u * x[1])
    delta2 = (v * h2 - t) * v * (1 - h2 * h2)
    delta1 = delta2 * w
    return {"w": delta2 * h1 + delta1 * h0, "u": delta2 * x[1] + delta1 * x[0], "h0": delta1 * w}


def two_steps_no_v(w, u, v, x, h0, t):
    h1 = math.tanh(w * h0 + u * x[0])
    h2 = math.tanh(w * h1 + u * x[1])
    delta2 = (v * h2 - t) * (1 - h2 * h2)
    delta1 = delta2 * w * (1 - h1 * h1)
    return {"w": delta2 * h1 + delta1 * h0, "u": delta2 * x[1] + delta1 * x[0], "h0": delta1 * w}


def two_steps_linear_at_the_end(w, u, v, x, h0, t):
    h1 = math.tanh(w * h0 + u * x[0])
    h2 = math.tanh(w * h1 + u * x[1])
    delta2 = (v * h2 - t) * v
    delta1 = delta2 * w * (1 - h1 * h1)
    return {"w": delta2 * h1 + delta1 * h0, "u": delta2 * x[1] + delta1 * x[0], "h0": delta1 * w}


def two_steps_cut(w, u, v, x, h0, t):
    return {name: max(-5.0, min(5.0, g)) for name, g in two_step_gradients(w, u, v, x, h0, t).items()}


def two_steps_edges(rng):
    """Zeros: a state to begin with, a weight, an input, an output weight."""
    w, u, v, h0, t = numbers(rng, 5)
    first, second = numbers(rng, 2)
    return [
        case(w, u, v, [first, second], 0.0, t),
        case(0.0, u, v, [second, 0.0], h0, 0.0),
        case(0.0, u, -v, [first, second], h0, t),
        case(w, 0.0, -v, [0.0, first], -h0, t),
        case(0.9, 1.0, v, [3.4, 2.6], round(rng.uniform(0.1, 0.4), 2), t),
        case(w, u, 40.0 * v, [first, second], h0, -30.0 * t),
    ]


def two_steps_alike(rng):
    """Numbers that are equal, two at a time and all at once, or each other's opposite; ones."""
    rows = []
    for i, j in combinations(range(7), 2):
        row = numbers(rng, 7)
        row[j] = row[i]
        rows.append(row)
    w, u, v, first, h0, t, _ = numbers(rng, 7)
    rows += [[w] * 7, [w, -w, v, first, -first, h0, t], [w, u, v, first, -first, -h0, -v]]
    rows += [rng.choice([-1.0, 1.0], 7).tolist(), [1.0] * 7]
    return [case(w, u, v, [first, second], h0, t) for w, u, v, first, second, h0, t in rows]


def hidden_two_steps(rng):
    drawn = [case(*numbers(rng, 3), numbers(rng, 2), *numbers(rng, 2)) for _ in range(5)]
    return [*drawn, *two_steps_edges(rng), *two_steps_alike(rng)]


BANK = [
    wrong("gradients-cut-at-five", two_steps_cut, "notebook 07, section 1, and the docstring of the exercise",
          "Right unless a gradient is beyond 5; there it stays at 5.",
          "Clipping is what training may do with a gradient afterwards. What was asked for is the gradient."),
    wrong("only-the-last-use", two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1, d2 * x[1], d1 * w)),
          "notebook 07, section 1: two copies, and their sum",
          "The gradients of w and u hold the contribution of the second step alone.",
          "The same weight was used in the first step, too: nudging it nudges both uses."),
    wrong("only-the-last-use-of-w", two_steps_with(
              lambda d1, d2, h0, h1, h2, x, w: (d2 * h1, d2 * x[1] + d1 * x[0], d1 * w)
          ), "notebook 07, section 1: two copies, and their sum",
          "u has the contributions of both steps, w that of the second step alone.",
          "w was used in the first step as well, with h0 as its other factor."),
    wrong("only-the-last-use-of-u", two_steps_with(
              lambda d1, d2, h0, h1, h2, x, w: (d2 * h1 + d1 * h0, d2 * x[1], d1 * w)
          ), "notebook 07, section 1: two copies, and their sum",
          "w has the contributions of both steps, u that of the second step alone.",
          "u was used in the first step as well, with the first input."),
    wrong("nothing-goes-back", two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1, d2 * x[1], 0.0)),
          "notebook 07, section 1: h1 is made from w, u and h0",
          "The first state counts as given: nothing goes back through the step that made it.",
          "h1 depends on both weights and on h0. Go on backward where your calculation stops."),
    wrong("only-the-second-step", two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1, d2 * x[1], d2 * w)),
          "notebook 07, section 1: h1 is made from w, u and h0",
          "These are the gradients of the second step alone, with h1 in the place of h0.",
          "The first step has the same weights, and its own state before it."),
    wrong("inputs-exchanged", two_steps_with(
              lambda d1, d2, h0, h1, h2, x, w: (d2 * h1 + d1 * h0, d2 * x[0] + d1 * x[1], d1 * w)
          ), "notebook 07, section 1, and the docstring of the exercise: which input belongs to which step",
          "In the gradient of u each delta meets the input of the other step.",
          "What comes back to a step meets what went into that step."),
    wrong("last-step-without-slope", two_steps_linear_at_the_end, "notebook 07, section 3: delta",
          "On the way through the second step the slope of tanh is missing.",
          "Between y and the second sum stands a tanh. The gradient passes it before anything else of that step."),
    wrong("only-the-first-use", two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d1 * h0, d1 * x[0], d1 * w)),
          "notebook 07, section 1: the bucket",
          "The gradients of w and u hold the contribution of the first step alone.",
          "A later report was overwritten, or the bucket emptied on the way."),
    wrong("mean-of-the-uses", two_steps_with(
              lambda d1, d2, h0, h1, h2, x, w: ((d2 * h1 + d1 * h0) / 2, (d2 * x[1] + d1 * x[0]) / 2, d1 * w)
          ), "notebook 07, 'Check yourself', question 1",
          "The gradients of w and u are half as large, and that of h0 is right: a mean over the steps.",
          "There is one weight, and a nudge of it moves both steps in full."),
    wrong("multiplies-the-uses",
          two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1 * d1 * h0, d2 * x[1] * d1 * x[0], d1 * w)),
          "chapter 02, where a value fans out",
          "The contributions of the two steps are multiplied with each other.",
          "Along one path derivatives multiply; over several paths they do something else."),
    wrong("state-after-the-step",
          two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h2 + d1 * h1, d2 * x[1] + d1 * x[0], d1 * w)),
          "notebook 07, section 3: which state goes into the bucket of W_h",
          "For w each step's delta is multiplied by the state that the step made.",
          "The local derivative of a product is the other factor: what the weight was multiplied with."),
    wrong("first-step-without-slope", two_steps_no_slope, "notebook 07, section 3: delta",
          "On the way through the first step the slope of tanh is missing.",
          "Every step squashes. The gradient passes each of the two squashings once."),
    wrong("output-weight-forgotten", two_steps_no_v, "notebook 07, section 1: the formula for y",
          "All gradients are too large or small by the factor v.",
          "The loss reaches the state through y = v h, and v is the local derivative of that."),
    wrong("stops-before-the-state",
          two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1 + d1 * h0, d2 * x[1] + d1 * x[0], d1)),
          "notebook 07, section 1: the edge from h0 into the first product",
          "The gradient of h0 lacks its last factor.",
          "That is what arrives at the first pre-activation; one more edge leads to h0."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.1",
    title="Two steps by hand",
    function="two_step_gradients",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 07, section 1",
    reference=two_step_gradients,
    domain={
        "w": Number(),
        "u": Number(),
        "v": Number(),
        "x": Array("2"),
        "h0": Number(),
        "t": Number(),
    },
    meets={
        "both steps are nearly saturated": lambda w, u, x, h0: w * h0 + u * x[0] > 3.4 and x[1] > 2.5,
        "gradients are large": lambda v: abs(v) > 15,
        "only the recurrent weight is zero": lambda w, u, v, x, h0, t: w == 0 and all((u, v, *x, h0, t)),
    },
    rtol=1e-7,
    atol=1e-13,
    visible=[
        case(0.5, 1.0, 2.0, [1.0, 0.5], 0.8, 1.0),
        case(-0.7, 0.6, 1.5, [0.9, -1.1], 0.5, -0.4),
        case(1.2, -0.8, -0.9, [0.4, 0.7], -0.6, 0.3),
        case(0.9, 0.5, 1.1, [-0.8, -0.5], 1.1, 0.7),
        *two_steps_edges(np.random.default_rng(71)),
    ],
    hidden=hidden_two_steps,
    accepted=[two_steps_loop, two_steps_engine, two_steps_complex, two_steps_forward, two_steps_float32],
    bank=BANK,
    hints=(
        "Unroll it on paper: two steps, then y, then L. Write all values first, then go back from L.",
        "Call delta2 what arrives at the second pre-activation and delta1 what arrives at the first. delta1 is delta2 "
        "times two local derivatives: one product, one tanh.",
        "delta2 = (v h2 - t) v (1 - h2²) and delta1 = delta2 w (1 - h1²). Each weight gets a term from delta2 and one "
        "from delta1: delta times what the weight was multiplied with in that step.",
    ),
    equivalent_mutants={
        "`1` → `-1` #3": "there are two inputs, so the one at index 1 is the last one",
        "`1` → `-1` #4": "there are two inputs, so the one at index 1 is the last one",
    },
)
