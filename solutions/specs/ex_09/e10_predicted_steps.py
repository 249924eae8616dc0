"""09.10 How slow will it be?."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.estimators import expectations
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def predicted_steps(d, count, shrink):
    noise = (d - 1) / count
    rate = noise / (1 + noise)
    return math.log(shrink) / math.log(rate)


def steps_by_package(d, count, shrink):
    return expectations.slowdown(d, shrink, count)[0]


def steps_by_doubling(d, count, shrink):
    return np.log(1 / shrink) / -np.log1p(-count / (count + d - 1))


def steps_by_base(d, count, shrink):
    return math.log(shrink, (d - 1) / (d - 1 + count))


def steps_by_walking(d, count, shrink):
    """Whole steps, then the part of the last one."""
    rate, size, steps = 1 - 1 / (1 + (d - 1) / count), 1.0, 0
    while size * rate > shrink:
        size *= rate
        steps += 1
    return steps + np.log(shrink / size) / np.log(rate)


def steps_by_minimum(d, count, shrink):
    """The best rate found by asking for the smallest contraction."""
    q = (d - 1) / count
    lr = 1 / (1 + q)
    return float(np.log(shrink) / np.log((1 - lr) ** 2 + lr**2 * q))


def steps_with(rate):
    return lambda d, count, shrink: math.log(shrink) / math.log(rate(d, count))


def steps_edges(rng):
    """Two dimensions; one direction; more directions than dimensions, and less than a step; a long way to go."""
    return [
        case(2, 1, round(float(rng.uniform(0.05, 0.3)), 4)),
        case(int(rng.integers(4, 8)), int(rng.integers(20, 40)), round(float(rng.uniform(0.85, 0.97)), 4)),
        case(int(rng.integers(200_000, 250_000)), 1, round(float(rng.uniform(0.1, 0.5)), 4)),
        case(int(rng.integers(300, 900)), int(rng.integers(2, 9)), float(rng.uniform(1e-9, 1e-8))),
    ]


def hidden_steps(rng):
    usual = [(rng.integers(8, 400), rng.integers(2, 20), rng.uniform(0.01, 0.3)) for _ in range(5)]
    d, shrink = int(rng.integers(4, 12)), round(float(rng.uniform(0.01, 0.3)), 4)
    near = round(float(rng.uniform(0.992, 0.998)), 5)
    return [
        *(case(int(d), int(K), round(float(shrink), 4)) for d, K, shrink in usual),
        *steps_edges(rng),
        *(case(d, count, shrink) for count in (1, d - 1, d, d + 1)),
        *(case(2, count, shrink) for count in (2, 5)),
        *(case(2, 1, s) for s in (0.5, round(float(rng.uniform(0.55, 0.9)), 4), near)),
        case(d, 3, near),
        case(3, int(rng.integers(200, 900)), shrink),
        case(int(rng.integers(2000, 9000)), int(rng.integers(2, 9)), shrink),
        case(int(rng.integers(20_000, 90_000)), int(rng.integers(300, 900)), round(float(rng.uniform(0.5, 0.9)), 4)),
    ]


BANK = [
    wrong("d-over-k", lambda d, count, shrink: d / count, "notebook 09, section 10: a factor per step",
          "The number of steps is d / K whatever the factor is.",
          "That is about the steps for a factor of e; each further factor costs as many again."),
    wrong("one-direction-only", steps_with(lambda d, K: 1 - 1 / d), "notebook 09, section 4: averaging K",
          "The number of steps does not depend on K.",
          "K directions make the noise smaller and allow a larger rate."),
    wrong("square-root-rule", steps_with(lambda d, K: 1 - 1 / (1 + math.sqrt((d - 1) / K))),
          "notebook 09, section 6: the price is paid in the step size",
          "The number of steps grows with the square root of d.",
          "The rate must be small against the variance, which grows with d, not against its root."),
    wrong("length-not-squared", lambda d, count, shrink: 2 * predicted_steps(d, count, shrink),
          "the task: the mean square",
          "The number of steps is twice too large.",
          "The factor is given for the mean of ‖θ‖², not of ‖θ‖."),
    wrong("gaussian-for-signs", steps_with(lambda d, K: 1 - 1 / (1 + (d + 1) / K)),
          "notebook 09, section 4: what the distribution changes",
          "The number of steps is that for Gaussian directions, a little too large.",
          "With signs the noise ratio is (d − 1) / K."),
    wrong("linear-progress", lambda d, count, shrink: (1 - shrink) * (1 + (d - 1) / count),
          "notebook 09, section 10: a factor per step",
          "Each step was thought to take away the same amount.",
          "Each step takes away the same share of what is left."),
    wrong("largest-rate-in-place-of-best", steps_with(
              lambda d, K: (1 - 1.5 / (1 + (d - 1) / K)) ** 2 + (1.5 / (1 + (d - 1) / K)) ** 2 * (d - 1) / K
          ), "notebook 09, section 6: best and largest",
          "The number of steps belongs to a learning rate half as large again as the best one.",
          "Beyond the best rate noise eats what the longer step gains."),
    wrong("dimension-one-too-many", steps_with(lambda d, K: 1 - 1 / (1 + d / K)),
          "notebook 09, section 10, 'Predict, then see'",
          "The number of steps is a little too large.",
          "With signs one of the d dimensions, that of the gradient itself, adds no noise."),
    wrong("first-order-only", lambda d, count, shrink: math.log(1 / shrink) * (1 + (d - 1) / count),
          "notebook 09, section 10: a factor per step",
          "The number of steps is nearly right where it is large, and too large where it is small.",
          "That is the rule of thumb for small steps. Asked for is the exact number."),
    wrong("counts-passes", lambda d, count, shrink: count * predicted_steps(d, count, shrink),
          "the task: after how many steps",
          "The number is too large by the number of directions.",
          "You counted forward passes. K of them make one step."),
    wrong("rounded-up", lambda d, count, shrink: math.ceil(predicted_steps(d, count, shrink)),
          "the task: without rounding",
          "Your numbers of steps are whole.",
          "Asked for is where the curve crosses the line, and that may lie between two steps."),
    wrong("half-of-the-steps", lambda d, count, shrink: predicted_steps(d, count, shrink) / 2,
          "the task: the mean square",
          "The number of steps is half of what it should be.",
          "The factor q / (1 + q) is that of the mean square already. Has it been squared once more?"),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.10",
    title="How slow will it be?",
    function="predicted_steps",
    minutes=12,
    difficulty=3,
    points=3,
    see="notebook 09, section 10",
    reference=predicted_steps,
    domain={
        "d": Number(whole=True, at_least=2),
        "count": Number(whole=True, at_least=1),
        "shrink": Number(more_than=0, less_than=1),
    },
    meets={
        "there are more directions than dimensions": lambda d, count: count > d,
        "there are as many directions as dimensions": lambda d, count: count == d,
        "less than one step is needed": lambda d, count, shrink: shrink > (d - 1) / (d - 1 + count),
        "one direction among very many dimensions": lambda d, count: d > 100_000 and count == 1,
        "there is a long way to go": lambda shrink: shrink < 1e-6,
    },
    visible=[
        case(100, 1, 0.01),
        case(50, 8, 0.05),
        case(300, 3, 0.2),
        case(12, 12, 0.02),
        *steps_edges(np.random.default_rng(910)),
    ],
    hidden=hidden_steps,
    accepted=[steps_by_package, steps_by_doubling, steps_by_base, steps_by_walking, steps_by_minimum],
    bank=BANK,
    hints=(
        "On the bowl one step multiplies E‖θ‖² by (1 − η)² + η² q with q = (d − 1) / K. Which η makes that smallest?",
        "η = 1 / (1 + q), and the factor per step is then 1 − 1 / (1 + q) = q / (1 + q).",
        "After n steps the mean square is (q / (1 + q))ⁿ of what it was: n = log(shrink) / log(q / (1 + q)).",
    ),
)
