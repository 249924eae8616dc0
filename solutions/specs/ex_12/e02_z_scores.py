"""12.2 Right on average?"""

from __future__ import annotations

import math
import statistics

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def z_scores(draws, exact):
    error = np.std(draws, axis=0, ddof=1) / np.sqrt(len(draws))
    return (np.mean(draws, axis=0) - exact) / error


def scores_loops(draws, exact):
    scores = []
    for column, true in zip(zip(*draws, strict=True), exact, strict=True):
        values = [float(value) for value in column]
        mean = math.fsum(values) / len(values)
        spread = math.fsum((value - mean) ** 2 for value in values)
        scores.append((mean - float(true)) / math.sqrt(spread / (len(values) - 1) / len(values)))
    return scores


def scores_statistics(draws, exact):
    columns = [[float(value) for value in column] for column in np.transpose(draws)]
    return np.array([
        (statistics.fmean(column) - true) / statistics.stdev(column) * len(column) ** 0.5
        for column, true in zip(columns, exact, strict=True)
    ])  # fmt: skip


def scores_of_deviations(draws, exact):
    off = np.asarray(draws, dtype=float) - exact
    count = len(off)
    centred = off - off.mean(axis=0)
    return off.mean(axis=0) / np.sqrt(np.einsum("kd,kd->d", centred, centred) / (count * (count - 1)))


def scores_population(draws, exact):
    return (np.mean(draws, axis=0) - exact) * np.sqrt(len(draws) - 1) / np.std(draws, axis=0)


def scores_covariance(draws, exact):
    centred = draws - np.mean(draws, axis=0)
    variance = np.diag(centred.T @ centred) / (len(draws) - 1)
    return tuple((np.mean(draws, axis=0) - exact) / np.sqrt(variance / len(draws)))


def draw_case(rng, count, d):
    exact = numbers(rng, d)
    spread = rng.uniform(0.3, 1.5, size=d)
    draws = (exact + rng.uniform(-0.7, 0.7, size=d) + spread * rng.normal(size=(count, d))).round(3)
    return case(draws, exact)


def score_cases(rng):
    drawn = [draw_case(rng, count, d) for count, d in ((6, 3), (9, 2), (5, 5), (4, 6))]
    return [*drawn, *score_edges(rng)]


def score_edges(rng):
    """Two draws; one entry; as many draws as entries; a bias of many standard errors; whole numbers; exactly right."""
    far = draw_case(rng, 7, 3)
    draws, exact = far.args
    right = np.array([[1.0, 4.0], [3.0, 5.0], [5.0, 9.0]]) * rng.integers(2, 5)
    return [
        draw_case(rng, 2, 3),
        draw_case(rng, 7, 1),
        draw_case(rng, 4, 4),
        case(draws, exact + rng.choice([-1.0, 1.0], size=3) * 40.0),
        case(rng.permutation([[3, -1], [5, 2], [-2, 0], [1, 7]]), np.array([2, -3])),
        case(right, right.mean(axis=0) - np.array([0.0, 1.5])),
        draw_case(rng, 90, 2),
        nearly_right(rng),
    ]


def nearly_right(rng):
    """Means hardly beside the exact values, by distances that are exact in half the digits too."""
    draws = rng.permutation([[1.0, -2.5, 4.0], [3.0, 0.5, 2.5], [2.5, -1.0, 7.0], [1.5, 1.0, 6.5]])
    return case(draws, draws.mean(axis=0) - np.array([2.0**-18, -(2.0**-17), 0.25]))


def of(error):
    """The right distance of the mean, in units of a wrong error."""
    return lambda draws, exact: (np.mean(draws, axis=0) - exact) / error(np.asarray(draws, dtype=float))


BANK = [
    wrong("scatter-of-one-draw", of(lambda x: x.std(axis=0, ddof=1)), "notebook 12, section 4, 'A test for an average'",
          "Your scores are too small, the more the more draws there are.",
          "You compared with the scatter of a single draw. The mean of many scatters less."),
    wrong("divided-by-the-count", of(lambda x: x.std(axis=0, ddof=1) / len(x)),
          "notebook 12, section 4, 'A test for an average'",
          "Your scores are too large, the more the more draws there are.",
          "Variances are divided by the number of draws when one averages, and errors are roots of variances."),
    wrong("population-scatter", of(lambda x: x.std(axis=0) / np.sqrt(len(x))),
          "the task: which scatter?",
          "Your scores are a little too large; with two draws, by more than a third.",
          "The draws lie nearer to their own mean than to the true one. The sum of squares is divided by K - 1."),
    wrong("variance-for-scatter", of(lambda x: x.var(axis=0, ddof=1) / np.sqrt(len(x))),
          "notebook 12, section 4, 'A test for an average'",
          "You divided by a variance.",
          "A variance has the square of the units of a gradient, so the score would have units, too."),
    wrong("variance-of-the-mean", of(lambda x: x.var(axis=0, ddof=1) / len(x)),
          "notebook 12, section 4, 'A test for an average'",
          "You divided by the variance of the mean.",
          "One step is missing between a variance and an error."),
    wrong("exact-minus-mean", lambda draws, exact: -z_scores(draws, exact), "the task: what is subtracted from what?",
          "All signs are turned round.",
          "A mean that is too large has a positive score."),
    wrong("without-a-sign", lambda draws, exact: np.abs(z_scores(draws, exact)), "the docstring: signs",
          "Your scores have lost their signs.",
          "The sign says on which side the mean lies, and many scores of one sign are a warning by themselves."),
    wrong("scatter-of-all-entries", of(lambda x: x.std(ddof=1) / np.sqrt(len(x))), "the task: an entry at a time",
          "All entries were given the same error.",
          "Entries have scatters of their own. Say along which axis you mean."),
    wrong("error-about-the-truth", lambda draws, exact: (np.mean(draws, axis=0) - exact)
          / np.sqrt(np.sum((np.asarray(draws, dtype=float) - exact) ** 2, axis=0) / (len(draws) - 1) / len(draws)),
          "the task: which scatter?",
          "Where the mean is far off, your score hardly grows.",
          "You measured the scatter about the exact value. A bias then hides itself: it makes its own unit larger."),
    wrong("only-the-distance", lambda draws, exact: np.mean(draws, axis=0) - exact,
          "notebook 12, section 4, 'A test for an average'",
          "You returned how far the mean is off, without a unit.",
          "Whether that is far depends on how much the mean scatters."),
    wrong("counts-entries", of(lambda x: x.std(axis=0, ddof=1) / np.sqrt(x.shape[1])),
          "the task: rows are draws",
          "It goes wrong unless there are as many draws as entries.",
          "The number under the root is that of the draws, which are the rows."),
    wrong("worst-score", lambda draws, exact: np.abs(z_scores(draws, exact)).max(), "the docstring: what is returned?",
          "You returned the largest score alone.",
          "Each entry has a score of its own, and they are asked for one by one."),
]  # fmt: skip

EXERCISE = Exercise(
    id="12.2",
    title="Right on average?",
    function="z_scores",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 12, section 4, 'A test for an average'",
    reference=z_scores,
    integers=True,
    domain={"draws": Array("K>=2 d", order="free"), "exact": Array("d", all_zero=True)},
    always={
        "each entry scatters": lambda draws: (
            np.std(draws, axis=0, ddof=1).min() > 1e-3 * max(np.abs(draws).max(), 1e-300)
        ),
        "no entry of exact is far beyond the draws": lambda draws, exact: (
            np.abs(exact).max() <= 1e4 * np.abs(draws).max()
        ),
    },
    meets={
        "as many draws as entries": lambda draws: draws.shape[0] == draws.shape[1] > 1,
        "the mean is far off": lambda draws, exact: np.abs(z_scores(draws, exact)).max() > 20,
        "a mean is exactly right": lambda draws, exact: (np.mean(draws, axis=0) == exact).any(),
        "a mean is hardly beside the exact value": lambda draws, exact: (
            (np.abs(scores := z_scores(draws, exact)) < 1e-4) & (scores != 0)
        ).any(),
        "there are many draws": lambda draws: len(draws) > 64,
        "draws and exact hold whole numbers": lambda draws, exact: draws.dtype.kind == exact.dtype.kind == "i",
    },
    visible=[
        case(np.array([[1.0, 5.0], [3.0, 4.0], [2.0, 9.0]]), np.array([1.5, 7.0])),
        *score_cases(np.random.default_rng(122))[1:],
    ],
    hidden=score_cases,
    accepted=[scores_loops, scores_statistics, scores_of_deviations, scores_population, scores_covariance],
    bank=BANK,
    hints=(
        "Three numbers for each entry: the mean over the draws, how much the draws scatter, and how many there are.",
        "np.std has an argument ddof; with ddof=1 it divides by K - 1. A mean of K draws scatters less than one.",
        "The standard error is that scatter divided by the root of K. The score is mean minus exact, in its units.",
    ),
)
