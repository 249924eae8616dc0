"""09.4 How long is a forward gradient?."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.estimators import expectations
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def estimate_moments(gradient, fourth_moment):
    d = len(gradient)
    squared = sum(g * g for g in gradient)
    return {"squared_length": (d + fourth_moment - 1) * squared, "variance": (d + fourth_moment - 2) * squared}


def moments_numpy(gradient, fourth_moment):
    g = np.asarray(gradient)
    length = (g.size + fourth_moment - 1) * (g @ g)
    return {"squared_length": length, "variance": length - g @ g}


def moments_enumerated(gradient, fourth_moment):
    """Every point of a three-valued distribution with the right second and fourth moment."""
    values = np.array([-math.sqrt(fourth_moment), 0.0, math.sqrt(fourth_moment)])
    chances = np.array([0.5 / fourth_moment, 1 - 1 / fourth_moment, 0.5 / fourth_moment])
    g, picks = np.array(gradient), np.array([*product(range(3), repeat=len(gradient))])
    v, chance = values[picks], chances[picks].prod(axis=1)
    estimates = (v @ g)[:, None] * v
    length, spread = (chance @ (found**2).sum(axis=1) for found in (estimates, estimates - g))
    return {"squared_length": length, "variance": spread}


def moments_entry_by_entry(gradient, fourth_moment):
    g = np.array(gradient, float)
    variances = g @ g + (fourth_moment - 2) * g**2
    return {"squared_length": np.sum(variances + g**2), "variance": np.sum(variances)}


def moments_of_the_package(gradient, fourth_moment):
    """Between signs and Gaussian entries everything is linear in the fourth moment."""
    d, s = len(gradient), float(np.linalg.norm(gradient)) ** 2
    low, high = (expectations.squared_length_ratio(d, directions=kind) for kind in ("rademacher", "gaussian"))
    ratio = low + (high - low) * (fourth_moment - 1) / 2
    return {"variance": (ratio - 1) * s, "squared_length": ratio * s}


def moments_in_tensors(gradient, fourth_moment):
    g = Tensor(gradient, requires_grad=True)
    squared = (g * g).sum()
    length = squared * (len(gradient) + fourth_moment - 1)
    return {"squared_length": length, "variance": length - squared}


def moments_float32(gradient, fourth_moment):
    found = estimate_moments(np.float32(gradient), np.float32(fourth_moment))
    return {name: np.float32(number) for name, number in found.items()}


def moments_with(combine):
    def answer(gradient, fourth_moment):
        squared = sum(g * g for g in gradient)
        length, variance = combine(len(gradient), fourth_moment, squared)
        return {"squared_length": length, "variance": variance}

    return answer


def square_of_the_sum(gradient, fourth_moment):
    d, squared = len(gradient), sum(gradient) ** 2
    return {"squared_length": (d + fourth_moment - 1) * squared, "variance": (d + fourth_moment - 2) * squared}


def moments_edges(rng):
    """Signs along a single axis leave no variance; rare long entries; a gradient with zeros, and one of zeros."""
    p, q, r = numbers(rng, 3)
    return [
        case([p], 1.0),
        case([1.5 * q], round(float(rng.uniform(2.0, 5.0)), 3)),
        case([q, 0.0, r, p], round(float(rng.uniform(4.0, 9.0)), 3)),
        case([0.0, 0.0], 3.0),
    ]


def hidden_moments(rng):
    kinds = (1.0, 3.0, round(float(rng.uniform(1.2, 2.7)), 3), 3.0)
    more = ((1, 3.0), (8, 1.0), (8, 6.0), (1, 1.6), (3, 1.4))
    return [
        *(case(numbers(rng, int(rng.integers(2, 8))), k) for k in kinds),
        *(case(numbers(rng, d), k) for d, k in more),
        *moments_edges(rng),
    ]


BANK = [
    wrong("unbiased-means-same-length", moments_with(lambda d, k, s: (s, (d + k - 2) * s)),
          "notebook 09, section 4: long arrows whose mean is short",
          "The squared length is that of the gradient.",
          "The mean of the arrows is the gradient; the mean of their squared lengths is much more."),
    wrong("variance-taken-for-length", moments_with(lambda d, k, s: ((d + k - 2) * s, (d + k - 2) * s)),
          "notebook 09, section 4: E‖g‖² and E‖g − ∇f‖²",
          "Both numbers are the variance.",
          "Squared length and variance differ by the squared length of the mean."),
    wrong("length-taken-for-variance", moments_with(lambda d, k, s: ((d + k - 1) * s, (d + k - 1) * s)),
          "notebook 09, section 4: E‖g‖² and E‖g − ∇f‖²",
          "Both numbers are the squared length.",
          "Squared length and variance differ by the squared length of the mean."),
    wrong("always-gaussian", moments_with(lambda d, k, s: ((d + 2) * s, (d + 1) * s)),
          "notebook 09, section 4: what the distribution changes",
          "The numbers are those of Gaussian directions whatever the fourth moment is.",
          "E[v⁴] is 3 for a Gaussian only; for signs it is 1."),
    wrong("distribution-ignored", moments_with(lambda d, k, s: (d * s, (d - 1) * s)),
          "notebook 09, section 4: what the distribution changes",
          "The numbers are those of signs whatever the fourth moment is.",
          "The term in which all indices agree brings E[v⁴], and that depends on the distribution."),
    wrong("length-not-squared", moments_with(lambda d, k, s: ((d + k - 1) * math.sqrt(s), (d + k - 2) * math.sqrt(s))),
          "the task: squared lengths",
          "The numbers are multiplied by the length of the gradient in place of its square.",
          "Twice as long a gradient makes estimates twice as long, and their squares four times."),
    wrong("d-squared", moments_with(lambda d, k, s: (d * (d + k - 1) * s, d * (d + k - 2) * s)),
          "notebook 09, section 4: where the d comes from",
          "The numbers are too large by the factor d.",
          "‖v‖² brings one d; the slope squared brings ‖∇f‖² and no further d."),
    wrong("fourth-moment-on-top", moments_with(lambda d, k, s: ((d + k) * s, (d + k - 1) * s)),
          "notebook 09, section 4, 'The price of dimension'",
          "Both numbers are too large by the squared length of the gradient.",
          "Where all indices agree, the fourth moment stands in place of a one, not beside it."),
    wrong("every-pair-has-the-fourth-moment", moments_with(lambda d, k, s: (d * k * s, (d * k - 1) * s)),
          "notebook 09, section 4, 'The price of dimension'",
          "The dimension was multiplied by the fourth moment.",
          "E[v_i² v_l²] is the fourth moment where l is i. For the other pairs the two squares are independent."),
    wrong("mean-over-the-entries", moments_with(lambda d, k, s: ((d + k - 1) * s / d, (d + k - 2) * s / d)),
          "notebook 09, section 4, and the task: the total variance",
          "Both numbers are divided by the number of entries.",
          "A squared length is the sum over the entries, and so is the total variance."),
    wrong("square-of-the-sum", square_of_the_sum, "the task: squared lengths",
          "The entries of the gradient were added up before they were squared.",
          "Then entries of different sign cancel, and a length knows nothing of signs."),
    wrong("one-axis-is-no-noise", lambda gradient, fourth_moment: {
              **(found := estimate_moments(gradient, fourth_moment)),
              "variance": found["variance"] if len(gradient) > 1 else 0.0,
          }, "notebook 09, section 4: what the distribution changes",
          "Right but for a gradient of one entry, where your variance is 0.",
          "A direction along the only axis still has a length of its own, unless it is a sign."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.4",
    title="How long is a forward gradient?",
    function="estimate_moments",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 4",
    reference=estimate_moments,
    domain={"gradient": Array("d<=8", all_zero=True, order="free"), "fourth_moment": Number(at_least=1)},
    meets={
        "signs along a single axis": lambda gradient, fourth_moment: len(gradient) == 1 and fourth_moment == 1,
        "a single axis, and no signs": lambda gradient, fourth_moment: len(gradient) == 1 < fourth_moment,
        "entries with longer tails than a Gaussian": lambda fourth_moment: fourth_moment > 3,
    },
    visible=[
        case([0.8, -1.2, 0.5], 3.0),
        case([0.8, -1.2, 0.5, 1.1, -0.6], 1.0),
        case([1.5, 0.7], 1.8),
        case([-0.4, 0.9, 1.3, 0.6], 3.0),
        *moments_edges(np.random.default_rng(94)),
    ],
    hidden=hidden_moments,
    accepted=[
        moments_numpy,
        moments_enumerated,
        moments_entry_by_entry,
        moments_of_the_package,
        moments_in_tensors,
        moments_float32,
    ],
    bank=BANK,
    hints=(
        "‖g‖² = (∇f · v)² ‖v‖². Write it as a triple sum over entries and ask which terms have a mean other than zero.",
        "What is left is Σ_i Σ_l g_i² E[v_i² v_l²]: for l = i that is the fourth moment, for the d − 1 others it is 1.",
        "E‖g‖² = (d + k − 1) ‖∇f‖² with k = E[v⁴], and the variance is less by ‖∇f‖².",
    ),
    equivalent_mutants={
        "takes the absolute value of gradient": "both numbers hold squares of its entries only",
    },
)
