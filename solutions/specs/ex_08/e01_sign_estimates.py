"""08.1 All sign sketches."""

from __future__ import annotations

import itertools

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def numbers(rng, count, low=0.4, high=2.4):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 2) for _ in range(count)]


def sign_estimates(x, y):
    estimates = []
    for signs in itertools.product((-1, 1), repeat=len(x)):
        x_kept = sum(s * value for s, value in zip(signs, x, strict=True))
        y_kept = sum(s * value for s, value in zip(signs, y, strict=True))
        estimates.append(y_kept * x_kept)
    mean = sum(estimates) / len(estimates)
    variance = sum((e - mean) ** 2 for e in estimates) / len(estimates)
    return {"estimates": sorted(estimates), "mean": mean, "variance": variance}


def all_signs(count):
    return np.array(list(itertools.product((-1.0, 1.0), repeat=count)))


def summary_of(estimates):
    estimates = np.asarray(estimates, float)
    return {"estimates": np.sort(estimates), "mean": estimates.mean(), "variance": estimates.var()}


def signs_vectorised(x, y):
    S = all_signs(len(x))
    return summary_of((S @ np.asarray(x)) * (S @ np.asarray(y)))


def signs_by_matrix(x, y):
    """S S^T written out for each S."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    return summary_of([y @ np.outer(s, s) @ x for s in all_signs(len(x))])


def signs_by_bits(x, y):
    found = []
    for number in range(2 ** len(x)):
        s = [1 - 2 * (number >> k & 1) for k in range(len(x))]
        found.append(sum(a * b for a, b in zip(s, x, strict=True)) * sum(a * b for a, b in zip(s, y, strict=True)))
    return {"estimates": sorted(found), "mean": float(np.mean(found)), "variance": float(np.var(found))}


def signs_half(x, y):
    """A vector of signs and its negative give the same estimate, so half of them are enough."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    S = all_signs(len(x) - 1)
    S = np.concatenate([np.ones((len(S), 1)), S], axis=1)
    half = (S @ x) * (S @ y)
    return summary_of(np.concatenate([half, half]))


def signs_closed_form(x, y):
    """Mean and variance by formula: y.x, and sum over pairs i != j of x_i^2 y_j^2 + x_i y_i x_j y_j."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    S = all_signs(len(x))
    variance = (x @ x) * (y @ y) + (x @ y) ** 2 - 2 * np.sum((x * y) ** 2)
    return {"estimates": np.sort((S @ x) * (S @ y)).tolist(), "mean": np.float32(x @ y), "variance": variance}


def _half(x, y):
    """One estimate for each pair of a sign vector and its negative."""
    S = np.concatenate([np.ones((2 ** (len(x) - 1), 1)), all_signs(len(x) - 1)], axis=1)
    return (S @ np.asarray(x)) * (S @ np.asarray(y))


def signs_with(estimate, spread=np.var):
    """The same bookkeeping for another estimate per sign vector."""

    def answer(x, y):
        x, y = np.asarray(x, float), np.asarray(y, float)
        found = np.array([estimate(s, x, y) for s in all_signs(len(x))])
        return {"estimates": np.sort(found), "mean": found.mean(), "variance": spread(found)}

    return answer


def usual(s, x, y):
    return (s @ y) * (s @ x)


def signs_of_sorted(x, y):
    x.sort()
    y.sort()
    return sign_estimates(x, y)


def signs_of_sorted_x(x, y):
    x.sort()
    return sign_estimates(x, y)


def sign_edges(rng):
    """The exact product is negative; it is 0; the same numbers twice, and beside others; no effect; equal rows."""
    p, q, r, s = (abs(number) for number in numbers(rng, 4))
    x = numbers(rng, 3)
    return [
        case([p, -q, r], [-s, q, -p]),
        case([-2 * p, q], [q, 2 * p]),
        case(x, x),
        case(x, numbers(rng, 3)),
        case([0.0, *numbers(rng, 3)], [*numbers(rng, 3), 0.0]),
        case([p, p], [q, -s]),
        case([q] * 3, [r] * 3),
    ]


def hidden_signs(rng):
    return [*(case(numbers(rng, B), numbers(rng, B)) for B in (2, 3, 4, 3)), *sign_edges(rng)]


SIGN_DOMAIN = {"x": Array("B>=2<=4"), "y": Array("B>=2<=4")}
SIGN_MEETS = {
    "the exact product is negative": lambda x, y: np.dot(x, y) < 0,
    "the exact product is 0": lambda x, y: abs(np.dot(x, y)) < 1e-12,
    "x and y are the same": lambda x, y: x == y,
    "all rows are the same": lambda x, y: len(x) > 2 and len(set(x)) == len(set(y)) == 1,
    "some estimates are 0": lambda x, y: len(set(x)) == 1 and abs(y[0]) != abs(y[1]),
}


BANK = [
    wrong("unbiased-means-always-right", signs_with(lambda s, x, y: np.sum(s * s * x * y)),
          "notebook 08, section 3: the cross terms",
          "Every estimate is the exact product, and the variance is zero.",
          "Both sums are taken before they are multiplied, so each pair of rows meets, also different ones."),
    wrong("sketch-on-one-side", signs_with(lambda s, x, y: (s @ y) * np.sum(x)),
          "notebook 08, section 3: S stands twice in the product",
          "Only y was summed with signs; x was summed without, and the mean is zero.",
          "The signs cancel on average only where each of them occurs twice."),
    wrong("absolute-values", signs_with(lambda s, x, y: abs(usual(s, x, y))),
          "notebook 08, section 3: the two estimates 12 and -2",
          "Negative estimates have lost their sign, and the mean is too large.",
          "An estimate may well be negative although the product is positive; only the mean is right."),
    wrong("zeros-and-ones", signs_with(lambda s, x, y: usual((s + 1) / 2, x, y)),
          "notebook 08, section 3: E[S S^T] = I",
          "Rows are left out instead of being given a sign.",
          "A matrix of zeros and ones does not have the identity as its mean square."),
    wrong("divided-by-the-rows", signs_with(lambda s, x, y: usual(s, x, y) / len(x)),
          "notebook 08, section 3: the diagonal of S S^T",
          "Every estimate is divided by the number of rows.",
          "A weight gradient is a sum over the rows; with entries of +1 and -1 no scale is needed."),
    wrong("sum-of-squares", signs_with(usual, spread=lambda e: np.sum((e - e.mean()) ** 2)), "notebook 08, section 5",
          "The variance is a sum of squared deviations, not their mean.",
          "Each sign vector is as likely as any other, so deviations are averaged."),
    wrong("standard-deviation", signs_with(usual, spread=np.std), "notebook 08, section 3, and the task",
          "In place of the variance stands its square root.",
          "The spread is asked for as the mean squared deviation."),
    wrong("one-less-than-the-number", signs_with(usual, spread=lambda e: np.var(e, ddof=1)),
          "notebook 08, section 3, and the task: every sign vector is there",
          "The squared deviations are divided by one less than their number.",
          "These are all the cases there are, not a sample of them, and their mean is known."),
    wrong("mean-not-taken-off", signs_with(usual, spread=lambda e: np.mean(e**2)), "the docstring: variance",
          "The variance is too large by the square of the mean.",
          "The estimates were squared as they are. A deviation is counted from the mean."),
    wrong("half-of-the-sign-vectors", lambda x, y: summary_of(_half(x, y)), "the docstring: estimates",
          "Mean and variance are right, and half of the estimates are missing.",
          "A sign vector and its negative give the same estimate, and each of them has its own entry in the list."),
    wrong("not-sorted", lambda x, y: {
              **sign_estimates(x, y), "estimates": (all_signs(len(x)) @ np.array(x)) * (all_signs(len(x)) @ np.array(y))
          }, "the docstring: ascending",
          "The estimates are right, in another order.",
          "They stand as the sign vectors came. Asked for is an ascending list."),
    wrong("descending", lambda x, y: {
              **sign_estimates(x, y), "estimates": sorted(sign_estimates(x, y)["estimates"], reverse=True)
          }, "the docstring: ascending",
          "The estimates go down, from the largest to the smallest.",
          "Ascending begins with the smallest."),
    wrong("arguments-sorted", signs_of_sorted, "the task: a row of x and the same row of y",
          "x and y were sorted, and with them the pairs that they form.",
          "It is the estimates that are asked for in ascending order. A number of x belongs to its own number of y."),
    wrong("x-sorted", signs_of_sorted_x, "the task: a row of x and the same row of y",
          "x was sorted, so its numbers stand beside others of y.",
          "It is the estimates that are asked for in ascending order. A number of x belongs to its own number of y."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.1",
    title="All sign sketches",
    function="sign_estimates",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 08, section 3",
    reference=sign_estimates,
    domain=SIGN_DOMAIN,
    meets=SIGN_MEETS,
    visible=[
        case([1.0, 2.0], [3.0, 1.0]),
        case([0.5, -1.0, 2.0], [1.5, 0.7, 1.0]),
        case([-1.2, 0.8, 0.6, 2.0], [0.9, 1.1, -0.4, 0.5]),
        *sign_edges(np.random.default_rng(81)),
    ],
    hidden=hidden_signs,
    accepted=[signs_vectorised, signs_by_matrix, signs_by_bits, signs_half, signs_closed_form],
    bank=BANK,
    hints=(
        "For two rows there are four sign vectors: (1, 1), (1, -1), (-1, 1), (-1, -1). itertools.product makes them.",
        "For one sign vector: add up the x with their signs, add up the y with the same signs, multiply the two sums.",
        "mean is the sum of the estimates over their number, 2 to the power of len(x); variance is the mean of "
        "(estimate - mean)². Return the estimates with sorted(...).",
    ),
    equivalent_mutants={
        "squeezes": "the lists hold two numbers or more, and the rest are numbers",
        "`e - mean` → `mean - e`": "the deviation is squared",
        "`s * value` → `value / s`": "a sign is its own inverse",
        "`s * value` → `value / s` #2": "a sign is its own inverse",
    },
)
