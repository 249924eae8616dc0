"""03.1 One step downhill."""

from __future__ import annotations

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers, rate


def gradient_step(theta, g, eta):
    return theta - eta * g


def step_in_a_loop(theta, g, eta):
    return [float(a) - eta * float(b) for a, b in zip(theta, g, strict=True)]


def step_on_a_copy(theta, g, eta):
    new = np.array(theta, dtype=float)
    new -= np.multiply(g, eta)
    return new


def step_backwards(theta, g, eta):
    return -(eta * g - theta)


def step_float32(theta, g, eta):
    return np.float32(theta) - np.float32(eta) * np.float32(g)


def step_by_optimizer(theta, g, eta):
    moved = theta.astype(float)
    opt.GD(moved, lr=eta).step(g)
    return moved


def step_with_tensors(theta, g, eta):
    return Tensor(theta.astype(float), requires_grad=True) - eta * g


def moves_in_place(theta, g, eta):
    theta -= eta * g
    return theta


def step_cases(rng):
    found = [case(numbers(rng, d), numbers(rng, d), rate(rng)) for d in (2, 3, 4, 5)]
    return [*found, case(numbers(rng, 3), numbers(rng, 3), rate(rng, 1.6, 3.0)), *step_extremes(rng)]


def step_extremes(rng):
    """Far out and steep; tiny slopes near zero, and a huge eta; whole numbers, in either argument."""
    return [
        case(4e4 * numbers(rng, 3), 3e5 * numbers(rng, 3), rate(rng)),
        case(1e-5 * numbers(rng, 3), 1e-7 * numbers(rng, 3), rate(rng, 23.0, 41.0)),
        case(np.array([5, -3, 2]), np.array([2, -4, 7]), rate(rng, 0.2, 0.3)),
        case(numbers(rng, 2), np.array([3, -1]), rate(rng)),
    ]


def step_in_a_copy_of_theta(theta, g, eta):
    new = np.zeros_like(theta)
    new[:] = theta - eta * g
    return new


BANK = [
    wrong("walks-uphill", lambda theta, g, eta: theta + eta * g,
          "notebook 03, section 1: what descent does with a gradient",
          "Your step has the right length and goes the other way.",
          "The gradient points to where the loss rises most. To make the loss smaller, go against it."),
    wrong("forgets-the-step-size", lambda theta, g, eta: theta - g, "notebook 03, section 3, 'How large a step?'",
          "Your numbers do not depend on eta.",
          "The gradient says which way and how steep, not how far to go. How far is what eta is for."),
    wrong("returns-the-move", lambda theta, g, eta: -eta * g,
          "notebook 03, section 1: what descent does with a gradient",
          "You returned the move instead of the new place.",
          "The move still has to be added to where you stand."),
    wrong("gradient-as-destination", lambda theta, g, eta: theta - eta * (theta - g),
          "notebook 03, section 2, the arrows on the map",
          "Your step goes from theta towards the numbers of the gradient.",
          "A gradient is a slope at a place, not a place to go to."),
    wrong("normalises-the-gradient", lambda theta, g, eta: theta - eta * g / np.linalg.norm(g),
          "notebook 03, section 4: the length of a step is the steepness",
          "Your step has the right direction, and always the length eta.",
          "In plain descent a steep place makes a long step. Dividing by the length is another method."),
    wrong("divides-by-the-step-size", lambda theta, g, eta: theta - g / eta,
          "notebook 03, section 3, 'How large a step?'",
          "A smaller eta makes your step longer.",
          "Half of eta should mean half of the way."),
    wrong("believes-only-the-sign", lambda theta, g, eta: theta - eta * np.sign(g), "notebook 03, section 6, RPROP",
          "Every entry moves by exactly eta.",
          "You used the sign of the gradient and threw its size away. RPROP does that; plain descent does not."),
    wrong("scales-the-place-too", lambda theta, g, eta: eta * (theta - g),
          "notebook 03, section 3, 'How large a step?'",
          "Your new place is the smaller, the smaller eta is.",
          "eta belongs to the gradient alone. Without a step you should stay where you are, and not move to zero."),
    wrong("one-move-for-all", lambda theta, g, eta: theta - eta * np.sum(g),
          "notebook 03, section 2, the arrows on the map",
          "Every entry moves by the same amount.",
          "The entries of the gradient were added up. Each belongs to the entry of theta at the same place."),
    wrong("drops-the-sign", lambda theta, g, eta: theta - eta * np.abs(g),
          "notebook 03, section 1: what descent does with a gradient",
          "Every entry becomes smaller, whichever way its slope goes.",
          "Where the slope is negative, downhill is the other way."),
    wrong("whole-numbers-stay-whole", step_in_a_copy_of_theta, "the docstring of the exercise: returns a new array",
          "Where theta holds whole numbers, so does your new place.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("keeps-near", lambda theta, g, eta: np.clip(theta - eta * g, -100, 100),
          "notebook 03, section 3, 'How large a step?'",
          "Places far from zero are set back.",
          "A place may be anywhere. One step is the gradient times eta, whatever comes of it."),
    wrong("stops-where-it-is-flat", lambda theta, g, eta: theta - eta * g * (np.abs(g).max() > 1e-3),
          "notebook 03, section 1: what descent does with a gradient",
          "Where all slopes are small you stay where you are.",
          "Small slopes make a small step, and a large eta makes a longer one of it."),
    wrong("moves-in-place", moves_in_place, "the docstring of the exercise: returns a new array",
          "The numbers are right, but an argument was changed in place.",
          "-=, *= and out=... write into the caller's array. Whoever still needs what was there has lost it."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.1",
    title="One step downhill",
    function="gradient_step",
    minutes=4,
    difficulty=1,
    points=1,
    see="notebook 03, section 1, 'Two methods, one team'",
    reference=gradient_step,
    integers=True,
    domain={"theta": Array("d"), "g": Array("d", all_zero=True), "eta": Number(more_than=0)},
    meets={
        "the step size is above 1": lambda eta: eta > 1.5,
        "the step size is above 20": lambda eta: eta > 20,
        "all slopes are tiny": lambda g: 0 < np.abs(g).max() < 1e-6,
        "a place is far out": lambda theta: np.abs(theta).max() > 1e4,
        "theta holds whole numbers": lambda theta: theta.dtype.kind == "i",
        "the gradient holds whole numbers": lambda theta, g: g.dtype.kind == "i" != theta.dtype.kind,
    },
    visible=[
        case(np.array([4.0, -2.0]), np.array([1.5, -0.5]), 0.2371),
        case(np.array([-1.2, 0.7, 2.5]), np.array([0.4, -1.1, 0.9]), 0.5183),
        case(np.array([0.6, 3.0, -1.4, 2.2]), np.array([-2.0, 0.8, 1.7, -0.6]), 0.0739),
        case(np.array([1.7, -0.9]), np.array([0.3, 0.8]), 2.1467),
        *step_extremes(np.random.default_rng(31)),
    ],
    hidden=step_cases,
    accepted=[step_in_a_loop, step_on_a_copy, step_backwards, step_float32, step_by_optimizer, step_with_tensors],
    bank=BANK,
    hints=(
        "Which way does the gradient point, and where do you want to go?",
        "The move is the gradient times the step size, with a minus sign.",
        "New place = old place minus eta times gradient, as a new array.",
    ),
)
