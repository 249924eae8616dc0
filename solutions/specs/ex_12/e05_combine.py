"""12.5 Two estimates are better than one."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def combine(a, var_a, b, var_b):
    total = var_a + var_b
    return {"mean": (var_b * a + var_a * b) / total, "variance": var_a * var_b / total}


def combine_precisions(a, var_a, b, var_b):
    precision = 1 / var_a + 1 / var_b
    return {"variance": 1 / precision, "mean": (np.asarray(a) / var_a + np.asarray(b) / var_b) / precision}


def combine_loops(a, var_a, b, var_b):
    share = var_b / (var_a + var_b)
    mean = [share * float(x) + (1 - share) * float(y) for x, y in zip(a, b, strict=True)]
    return {"mean": mean, "variance": share * var_a}


def combine_correction(a, var_a, b, var_b):
    gain = var_a / (var_a + var_b)
    return {"mean": a + gain * (np.asarray(b) - a), "variance": np.array((1 - gain) * var_a)}


def combine_weights(a, var_a, b, var_b):
    weights = np.array([1 / var_a, 1 / var_b])
    weights = weights / weights.sum()
    return {"mean": weights @ np.stack([a, b]), "variance": weights**2 @ np.array([var_a, var_b])}


def combine_average(a, var_a, b, var_b):
    mean = np.average([a, b], axis=0, weights=[var_b, var_a])
    return {"mean": tuple(mean), "variance": float(1.0 / (1.0 / float(var_a) + 1.0 / float(var_b)))}


def weighted(share, variance=None):
    """A wrong share of a; the variance is that of the mixture unless another is given."""

    def answer(a, var_a, b, var_b):
        w = share(var_a, var_b)
        found = w**2 * var_a + (1 - w) ** 2 * var_b if variance is None else variance(var_a, var_b)
        return {"mean": w * a + (1 - w) * b, "variance": found}

    return answer


def best(va, vb):
    return vb / (va + vb)


def estimate_case(rng, n, low, high):
    true = numbers(rng, n)
    a, b = true + numbers(rng, n, low=0.1, high=0.9), true + numbers(rng, n, low=0.1, high=0.9)
    return case(a.round(3), round(float(rng.uniform(*low)), 3), b.round(3), round(float(rng.uniform(*high)), 3))


def cancels(a, var_a, b, var_b):
    """Whether an entry of the mixture is what is left of two much larger numbers; few digits remain then."""
    return (np.abs(combine(a, var_a, b, var_b)["mean"]) < 0.1 * np.minimum(np.abs(a), np.abs(b))).any()


def combine_cases(rng):
    while True:
        drawn = any_cases(rng)
        if not any(cancels(*each.args) for each in drawn):
            return drawn


def any_cases(rng):
    drawn = [estimate_case(rng, n, (0.3, 0.9), (1.2, 3.1)) for n in (3, 5)]
    drawn += [estimate_case(rng, n, (1.2, 3.1), (0.3, 0.9)) for n in (4, 2)]
    return [*drawn, *combine_edges(rng)]


def combine_edges(rng):
    """Two of the same noise; one nearly exact; one nearly useless; tiny variances; whole numbers; one entry."""
    alike = round(float(rng.uniform(0.4, 2.0)), 3)
    return [
        case(numbers(rng, 3), alike, numbers(rng, 3), alike),
        case(numbers(rng, 4), 2e-6, numbers(rng, 4), round(float(rng.uniform(1.1, 1.9)), 3)),
        case(numbers(rng, 3), 4e5, numbers(rng, 3), round(float(rng.uniform(1.1, 1.9)), 3)),
        case(numbers(rng, 3), 3e-4, numbers(rng, 3), 1e-4),
        case(rng.permutation([3, -1, 2]), 2, rng.permutation([-2, 4, 1]), 5),
        estimate_case(rng, 1, (0.3, 0.9), (1.2, 3.1)),
        estimate_case(rng, 3, (21.0, 34.0), (5.0, 9.0)),
    ]


BANK = [
    wrong("plain-average", weighted(lambda va, vb: 0.5), "the task: the least noise",
          "You took the middle between the two.",
          "A noisy estimate then spoils a good one. It should have less to say."),
    wrong("shares-exchanged", weighted(lambda va, vb: va / (va + vb)), "the task: the least noise",
          "The noisier of the two was given more weight.",
          "A large variance is a reason to trust an estimate less."),
    wrong("weighs-by-scatter", weighted(lambda va, vb: np.sqrt(vb) / (np.sqrt(va) + np.sqrt(vb))),
          "the task: the least noise",
          "You weighted by roots of the variances; the better one has too little to say.",
          "In the noise of a mixture the variances appear as they are. Where is its minimum?"),
    wrong("weighs-by-squares", weighted(lambda va, vb: vb**2 / (va**2 + vb**2)), "the task: the least noise",
          "You weighted by squares of the variances; the noisier one has too little to say.",
          "In the noise of a mixture the shares are squared, the variances are not."),
    wrong("takes-the-better", weighted(lambda va, vb: 1.0 if va <= vb else 0.0), "the task: the least noise",
          "You returned the better of the two.",
          "What the noisier one says is independent of it, and still counts a little."),
    wrong("variances-averaged", weighted(best, lambda va, vb: (va + vb) / 2), "the task: how noisy is the mixture?",
          "The mean is right. For its variance you took the middle between the two.",
          "A mixture that were no better than the middle would not be worth the trouble."),
    wrong("variances-added", weighted(best, lambda va, vb: va + vb), "the task: how noisy is the mixture?",
          "The mean is right. For its variance you added the two.",
          "Variances add where numbers are added. Here each is multiplied by its share first."),
    wrong("shares-not-squared", weighted(best, lambda va, vb: 2 * va * vb / (va + vb)),
          "the task: how noisy is the mixture?",
          "The mean is right, the variance twice too large.",
          "A number that is multiplied by a share has a variance multiplied by the square of that share."),
    wrong("noise-as-of-an-average", weighted(best, lambda va, vb: (va + vb) / 4), "the task: how noisy is the mixture?",
          "The mean is right. The variance is that of a plain average.",
          "Which shares did you use for the mean? The variance follows from them."),
    wrong("scatter-for-variance", weighted(best, lambda va, vb: np.sqrt(va * vb / (va + vb))),
          "the docstring: variance",
          "The mean is right. In place of the variance you returned its root.",
          "A variance is asked for, in the units of the variances that were given."),
    wrong("precision-for-variance", weighted(best, lambda va, vb: 1 / va + 1 / vb), "the docstring: variance",
          "The mean is right. In place of the variance you returned one over it.",
          "What adds up for independent estimates is how much they are to be trusted. Noise is the inverse of that."),
    wrong("variance-of-the-better", weighted(best, lambda va, vb: np.minimum(va, vb)),
          "the task: how noisy is the mixture?",
          "The mean is right. For the variance you took the smaller of the two.",
          "The mixture is less noisy than either."),
    wrong("not-normalised", lambda a, va, b, vb: {"mean": a / va + b / vb, "variance": va * vb / (va + vb)},
          "the task: right on average",
          "Your mean is too large or too small by the same factor in all entries.",
          "The shares have to add up to 1, or the mixture is no longer right on average."),
]  # fmt: skip

EXERCISE = Exercise(
    id="12.5",
    title="Two estimates are better than one",
    function="combine",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 12, section 4",
    reference=combine,
    integers=True,
    domain={
        "a": Array("n", all_zero=True),
        "var_a": Number(more_than=0),
        "b": Array("n", all_zero=True),
        "var_b": Number(more_than=0),
    },
    always={
        "variances lie between 1e-9 and 1e9, neither more than a million times the other": lambda var_a, var_b: (
            1e-9 <= min(var_a, var_b) <= max(var_a, var_b) <= min(1e9, 1e6 * min(var_a, var_b))
        ),
        "no entry of the mixture cancels": lambda a, var_a, b, var_b: not cancels(a, var_a, b, var_b),
    },
    meets={
        "both are equally noisy": lambda var_a, var_b: var_a == var_b,
        "one is nearly exact beside the other": lambda var_a, var_b: var_a < 1e-5 * var_b,
        "one is nearly useless beside the other": lambda var_a, var_b: var_a > 1e5 * var_b,
        "both are of little noise": lambda var_a, var_b: max(var_a, var_b) < 1e-3,
        "the second is the better one": lambda var_a, var_b: var_b < var_a,
        "a and b hold whole numbers": lambda a, b: a.dtype.kind == b.dtype.kind == "i",
    },
    visible=[
        case(np.array([1.0, 2.0]), 1.0, np.array([3.0, -2.0]), 3.0),
        *combine_cases(np.random.default_rng(125))[1:],
    ],
    hidden=combine_cases,
    accepted=[combine_precisions, combine_loops, combine_correction, combine_weights, combine_average],
    bank=BANK,
    credit={"mean": 2, "variance": 2},
    hints=(
        "Give the first a share w and the second 1 - w. For which w is the noise of the mixture least?",
        "Its variance is w squared times var_a plus (1 - w) squared times var_b. Set the derivative by w to zero.",
        "w is var_b over the sum of the two. Put it into the variance, and something simple is left.",
    ),
)
