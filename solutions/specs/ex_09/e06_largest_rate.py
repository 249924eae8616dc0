"""09.6 The largest learning rate."""

from __future__ import annotations

import numpy as np

from coursepkg.estimators import expectations
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def largest_rate(d, count, fourth_moment, curvature):
    noise = (d + fourth_moment - 2) / count
    return 2 / (curvature * (1 + noise))


def rate_by_package(d, count, fourth_moment, curvature):
    low, high = (expectations.noise_ratio(d, count, kind) for kind in ("rademacher", "gaussian"))
    return 2 / curvature / (1 + low + (high - low) * (fourth_moment - 1) / 2)


def rate_by_bisection(d, count, fourth_moment, curvature):
    low, high = 0.0, 3.0 / curvature
    for _ in range(200):
        middle = (low + high) / 2
        step = middle * curvature
        grows = (1 - step) ** 2 + step**2 * (d + fourth_moment - 2) / count > 1
        low, high = (low, middle) if grows else (middle, high)
    return np.float64(low)


def rate_by_fractions(d, count, fourth_moment, curvature):
    return 2 * count / (curvature * (count + d + fourth_moment - 2))


def rate_by_root(d, count, fourth_moment, curvature):
    """The other root of (1 − s)² + s² q = 1."""
    q = (d + fourth_moment - 2) / count
    return float(max(np.roots([1 + q, -2.0, 0.0]).real) / curvature)


def rate_from_the_length(d, count, fourth_moment, curvature):
    length = (d + fourth_moment - 1) / count + (count - 1) / count
    return np.array(2.0 / length / curvature)


def rate_with(answer_):
    return lambda d, count, fourth_moment, curvature: answer_(d, count, fourth_moment, curvature)


def rate_edges(rng):
    """No noise at all; one dimension with noise; one direction; more directions than dimensions; long tails."""
    p, q, r = (abs(number) + 0.5 for number in numbers(rng, 3))
    return [
        case(1, int(rng.integers(2, 9)), 1.0, p),
        case(1, int(rng.integers(2, 9)), round(float(rng.uniform(1.5, 4.0)), 3), 2 * q),
        case(int(rng.integers(20, 90)), 1, 1.0, 0.1 * q),
        case(int(rng.integers(20_000, 40_000)), int(rng.integers(50, 90)), 3.0, r),
        case(int(rng.integers(200_000, 300_000)), 1, 5.0, round(1e-5 * p, 9)),
        case(int(rng.integers(2, 5)), int(rng.integers(6, 20)), round(float(rng.uniform(4.0, 9.0)), 3), 5 * r),
    ]


def hidden_rate(rng):
    kinds = (1.0, 3.0, round(float(rng.uniform(1.2, 2.7)), 3), 3.0)
    usual = [(int(rng.integers(5, 90)), int(rng.integers(2, 30)), k, abs(numbers(rng, 1)[0]) + 0.5) for k in kinds]
    d, r = int(rng.integers(2, 9)), abs(numbers(rng, 1)[0])
    return [
        *(case(*item) for item in usual),
        *rate_edges(rng),
        *(case(d, count, k, r) for count in (d, d + 1, d - 1, 2 * d) for k in (1.0, 3.0)),
        case(1, 1, 1.0, r),
        case(1, 1, 3.0, r),
        case(2, 1, 1.0, r),
        case(d, 3, 1.0, 400.0 * r),
        case(3, int(rng.integers(200, 900)), 3.0, r),
    ]


BANK = [
    wrong("limit-of-gradient-descent", rate_with(lambda d, K, k, c: 2 / c),
          "notebook 09, section 6: the price is paid in the step size",
          "The rate is the one that gradient descent can bear.",
          "Noise is added to every step, and it grows with the square of the rate."),
    wrong("best-taken-for-largest", rate_with(lambda d, K, k, c: 1 / (c * (1 + (d + k - 2) / K))),
          "notebook 09, section 6: best and largest",
          "The rate is half of what is asked.",
          "That is the rate with the fastest progress; up to twice as much still does not diverge."),
    wrong("one-direction-only", rate_with(lambda d, K, k, c: 2 / (c * (d + k - 1))),
          "notebook 09, section 4: averaging K",
          "The rate does not depend on the number of directions.",
          "The mean of K independent directions has a K-th of the noise."),
    wrong("signal-divided-too", rate_with(lambda d, K, k, c: 2 * K / (c * (d + k - 1))),
          "notebook 09, section 4: 1 + noise / K",
          "The rate is too large: everything was divided by K.",
          "Averaging makes the noise smaller, not the gradient in it."),
    wrong("distribution-ignored", rate_with(lambda d, K, k, c: 2 / (c * (1 + (d - 1) / K))),
          "notebook 09, section 4: what the distribution changes",
          "The rate is that for signs whatever the fourth moment is.",
          "Heavier entries make longer estimates."),
    wrong("curvature-forgotten", rate_with(lambda d, K, k, c: 2 / (1 + (d + k - 2) / K)),
          "chapter 03: two over the curvature",
          "The rate does not depend on the curvature.",
          "A step of the same rate is longer where the bowl is steeper."),
    wrong("curvature-multiplied", rate_with(lambda d, K, k, c: 2 * c / (1 + (d + k - 2) / K)),
          "chapter 03: two over the curvature",
          "The rate grows with the curvature.",
          "The more curved the bowl, the smaller the step that it can bear."),
    wrong("always-gaussian", rate_with(lambda d, K, k, c: 2 / (c * (1 + (d + 1) / K))),
          "notebook 09, section 4: what the distribution changes",
          "The rate is that for Gaussian directions whatever the fourth moment is.",
          "E[v⁴] is 3 for a Gaussian only, and it is given here."),
    wrong("length-taken-for-noise", rate_with(lambda d, K, k, c: 2 / (c * (1 + (d + k - 1) / K))),
          "notebook 09, section 4: E‖g‖² and E‖g − ∇f‖²",
          "The rate is too small: in place of the noise stands the whole squared length of one estimate.",
          "A part of that length is the gradient itself, and it is counted already."),
    wrong("root-of-the-number-of-directions", rate_with(lambda d, K, k, c: 2 / (c * (1 + (d + k - 2) / K**0.5))),
          "notebook 09, section 4: averaging K",
          "The noise was divided by the square root of K.",
          "The length of the noise falls like that. What counts here is its square."),
    wrong("gradient-not-counted", rate_with(lambda d, K, k, c: 2 * K / (c * (d + k - 2))),
          "notebook 09, section 6, 'The price is paid in the step size'",
          "The rate is set against the noise alone.",
          "A step holds the gradient as well, which sets a limit even where there is no noise."),
    wrong("curvature-squared", rate_with(lambda d, K, k, c: 2 / (c * c * (1 + (d + k - 2) / K))),
          "chapter 03: two over the curvature",
          "The rate falls with the square of the curvature.",
          "The squared step holds the curvature twice, and the step itself holds it once."),
    wrong("noise-alone", lambda d, count, fourth_moment, curvature: 2 * count / (curvature * (d + fourth_moment - 2))
          if d + fourth_moment > 2 else 2 / curvature, "notebook 09, section 4: 1 + noise / K",
          "Nearly right for many dimensions and few directions, and too large elsewhere.",
          "The gradient itself takes its part of the step, beside what the other directions add."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.6",
    title="The largest learning rate",
    function="largest_rate",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 6",
    reference=largest_rate,
    domain={
        "d": Number(whole=True, at_least=1),
        "count": Number(whole=True, at_least=1),
        "fourth_moment": Number(at_least=1),
        "curvature": Number(more_than=0),
    },
    meets={
        "there is no noise": lambda d, fourth_moment: d == 1 and fourth_moment == 1,
        "one dimension, and noise": lambda d, fourth_moment: d == 1 and fourth_moment > 1,
        "there are very many dimensions": lambda d, count: d > 100_000 and count == 1,
        "there are more directions than dimensions": lambda d, count: count > d,
        "there are as many directions as dimensions": lambda d, count: count == d > 1,
    },
    visible=[
        case(98, 1, 3.0, 1.0),
        case(20, 4, 1.0, 2.5),
        case(50, 10, 3.0, 0.8),
        case(12, 12, 1.8, 1.7),
        *rate_edges(np.random.default_rng(96)),
    ],
    hidden=hidden_rate,
    accepted=[rate_by_package, rate_by_bisection, rate_by_fractions, rate_by_root, rate_from_the_length],
    bank=BANK,
    hints=(
        "One step is θ − η g. Take the mean of its squared length: E‖θ − η g‖² = ‖θ‖² − 2 η θ·E[g] + η² E‖g‖².",
        "On the bowl the gradient is λθ, and E‖g‖² = λ²‖θ‖² (1 + q), where q is the noise ratio (d + k − 2) / K.",
        "It shrinks as long as 1 − 2ηλ + η²λ²(1 + q) < 1, that is up to η = 2 / (λ (1 + q)).",
    ),
)
