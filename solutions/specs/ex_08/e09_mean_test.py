"""08.9 A test for a promise."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array


def mean_test(estimates, truth):
    slopes = np.sum(estimates * truth, axis=(1, 2)) / np.sum(truth**2)
    slope = slopes.mean()
    error = slopes.std(ddof=1) / np.sqrt(len(slopes))
    return {"slope": slope, "error": error, "z": (slope - 1) / error}


def slope_loop(estimates, truth):
    length = float(np.sum(truth * truth))
    slopes = [float(np.sum(e * truth)) / length for e in estimates]
    K = len(slopes)
    mean = sum(slopes) / K
    error = math.sqrt(sum((s - mean) ** 2 for s in slopes) / (K - 1) / K)
    return {"slope": mean, "error": error, "z": (mean - 1) / error}


def slope_einsum(estimates, truth):
    slopes = np.einsum("kmn,mn->k", estimates, truth) / np.einsum("mn,mn->", truth, truth)
    error = np.sqrt(slopes.var(ddof=1) / len(slopes))
    return {"slope": slopes.mean(), "error": error, "z": (slopes.mean() - 1.0) / error}


def slope_flat(estimates, truth):
    A, t = np.reshape(estimates, (len(estimates), -1)), np.ravel(truth)
    slopes = A @ t / (t @ t)
    error = np.std(slopes) / np.sqrt(len(slopes) - 1)
    return {"slope": slopes.mean(), "error": error, "z": (slopes.mean() - 1) / error}


def slope_least_squares(estimates, truth):
    t = np.ravel(truth)
    slopes = [np.linalg.lstsq(t[:, None], np.ravel(e), rcond=None)[0][0] for e in estimates]
    error = np.sqrt(np.cov(slopes) / len(slopes))
    return {"slope": np.mean(slopes), "error": error, "z": (np.mean(slopes) - 1) / error}


def slope_deviations(estimates, truth):
    """How far each estimate lies from the truth, along the truth."""
    off = np.array([np.vdot(truth, e - truth) for e in estimates]) / np.vdot(truth, truth)
    error = off.std(ddof=1) / len(off) ** 0.5
    return {"slope": 1 + off.mean(), "error": np.array(error), "z": off.mean() / error}


def slope_with(slopes=None, error=None, z=None):
    def answer(estimates, truth):
        found = slopes(estimates, truth) if slopes else np.sum(estimates * truth, axis=(1, 2)) / np.sum(truth**2)
        slope = found.mean()
        e = error(found) if error else found.std(ddof=1) / np.sqrt(len(found))
        return {"slope": slope, "error": e, "z": z(slope, e) if z else (slope - 1) / e}

    return answer


def apart(estimates, truth):
    """Whether slopes differ from each other and from 1 by so much that single precision loses none of it."""
    products, length = np.sum(estimates * truth, axis=(1, 2)), np.sum(truth**2)
    mean = abs(products.mean())
    far = products.std() > 0.2 * mean and abs(products.mean() - length) > 0.2 * mean
    return bool(far or (products.std() > 0 and is_exact(estimates, truth)))


def is_exact(estimates, truth):
    """Whether sums and slopes have few binary digits, so that none is rounded."""
    powers = all(length & (length - 1) == 0 for length in estimates.shape)
    return powers and (np.abs(truth) == 1).all() and not (4 * estimates % 1).any()


def near_case(rng, K, M, N, slope):
    """A mean slope at 1, or near it, in quarters."""
    truth = rng.choice([-1.0, 1.0], (M, N))
    estimates = np.round(4 * truth + rng.normal(0, 2.5, (K, M, N))) / 4
    missing = slope * K * truth.size - np.sum(estimates * truth)
    estimates[0, 0, 0] += missing * truth[0, 0]
    return case(estimates, truth)


def slope_case(rng, K, M, N, scale):
    while True:
        truth = array(rng, M, N)
        noise = 0.4 * scale * np.linalg.norm(truth) * rng.normal(size=(K, M, N))
        estimates = np.round(scale * truth + noise, 3)
        if apart(estimates, truth):
            return case(estimates, truth)


def slope_edges(rng):
    """Two estimates; one entry; the opposite direction; zeros in the truth and in the estimates; a true gradient."""
    large = slope_case(rng, 7, 3, 2, 1.5)
    while True:
        zeros = slope_case(rng, 5, 2, 3, 0.6)
        zeros.args[1][0, 1] = zeros.args[1][1, 2] = 0.0
        zeros.args[0][2, 0] = zeros.args[0][4] = 0.0
        if apart(*zeros.args):
            break
    return [
        slope_case(rng, 2, 2, 3, 1.6),
        slope_case(rng, 6, 1, 1, 0.6),
        slope_case(rng, 8, 2, 4, -0.7),
        slope_case(rng, 5, 1, 3, 1.4),
        zeros,
        case(40 * large.args[0], 40 * large.args[1]),
    ]


def usual_tests(rng):
    shapes = ((12, 2, 3, 0.6), (20, 3, 2, 1.4), (9, 3, 1, 2.0), (4, 4, 4, 0.5), (12, 2, 3, 0.6))
    return [slope_case(rng, *shape) for shape in shapes]


def hidden_tests(rng):
    more = ((3, 2, 3, 0.6), (6, 3, 1, 0.6), (2, 1, 1, 0.5), (7, 2, 2, 3.0), (300, 1, 2, 0.7))
    while True:
        uneven = slope_case(rng, 6, 2, 2, 0.6)
        uneven.args[1][0, 1] = 0.001
        uneven.args[0][:, 0, 1] = np.round(1000 * rng.uniform(0.5, 3.0, 6), 1)
        if apart(*uneven.args):
            break
    near = [near_case(rng, 8, 2, 4, slope) for slope in (1.0, 1 + 1 / 32, 1 - 1 / 64)]
    return [*usual_tests(rng), *slope_edges(rng), *(slope_case(rng, *shape) for shape in more), uneven, *near]


BANK = [
    wrong("spread-instead-of-standard-error", slope_with(error=lambda s: s.std(ddof=1)),
          "notebook 08, section 4: one standard error",
          "The error is that of a single estimate.",
          "The slope is a mean over K of them, and a mean is surer than each of its parts."),
    wrong("divided-by-k", slope_with(error=lambda s: s.std(ddof=1) / len(s)),
          "notebook 08, section 4: one standard error",
          "The error is too small: divided by K.",
          "It is the variance of a mean that falls like 1 / K."),
    wrong("against-zero", slope_with(z=lambda slope, e: slope / e), "notebook 08, section 10: the slope must be 1",
          "z says how far the slope is from 0.",
          "The promise is not that there is a slope, but that it is 1."),
    wrong("ratio-of-lengths", slope_with(slopes=lambda E, t: np.sqrt(np.sum(E**2, axis=(1, 2)) / np.sum(t**2))),
          "notebook 08, section 10: regress on the true gradient",
          "Lengths were divided, so that noise makes the slope larger.",
          "An estimate is longer than the truth even if it is right on average."),
    wrong("regressed-the-wrong-way",
          slope_with(slopes=lambda E, t: np.sum(E * t, axis=(1, 2)) / np.sum(E**2, axis=(1, 2))),
          "notebook 08, section 10: regress the estimates on the true gradient",
          "The truth was regressed on the estimates.",
          "What has the noise must stand on the side that is explained."),
    wrong("mean-of-entry-ratios", slope_with(slopes=lambda E, t: np.mean(E / t, axis=(1, 2))),
          "notebook 08, section 10",
          "Entry was divided by entry, and small true entries count the most.",
          "Entries near zero are mostly noise; products with the truth give them little weight."),
    wrong("known-mean-spread", slope_with(error=lambda s: s.std() / np.sqrt(len(s))), "the docstring: error",
          "The error is a little too small: the spread was divided by K, not K - 1.",
          "The mean was estimated from the same numbers."),
    wrong("no-sign", slope_with(z=lambda slope, e: abs(slope - 1) / e), "notebook 08, section 10, and the task",
          "z has no sign.",
          "Too long and too short are different bugs."),
    wrong("cosine-for-slope", slope_with(
              slopes=lambda E, t: np.sum(E * t, axis=(1, 2)) / np.sqrt(np.sum(E**2, axis=(1, 2)) * np.sum(t**2))
          ), "the task: regress each estimate on the truth",
          "The products were divided by both lengths: these are cosines.",
          "A cosine does not know how long an estimate is, and a wrong scale is what you are after."),
    wrong("not-divided-by-the-truth", slope_with(slopes=lambda E, t: np.sum(E * t, axis=(1, 2))),
          "the task: regress each estimate on the truth",
          "The products with the truth were not divided by anything.",
          "The truth itself must come out with the slope 1."),
    wrong("truth-not-squared", slope_with(slopes=lambda E, t: np.sum(E * t, axis=(1, 2)) / np.linalg.norm(t)),
          "the task: regress each estimate on the truth",
          "The products were divided by the length of the truth once.",
          "The truth itself must come out with the slope 1, however long it is."),
    wrong("other-side-of-one", slope_with(z=lambda slope, e: (1 - slope) / e), "the task: negative if below",
          "z has the opposite sign.",
          "It is positive where the mean of the slopes lies above 1."),
    wrong("difference-not-divided", slope_with(z=lambda slope, e: slope - 1), "the task: how many standard errors",
          "z is a difference of slopes.",
          "Whether a difference is large depends on how sure the mean is."),
    wrong("variance-for-error", slope_with(error=lambda s: s.var(ddof=1) / len(s)),
          "notebook 08, section 4: one standard error",
          "The error is the variance of the mean.",
          "An error has the unit of the slope itself."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.9",
    title="A test for a promise",
    function="mean_test",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 10",
    reference=mean_test,
    domain={"estimates": Array("K>=2 M N", order="free"), "truth": Array("M N")},
    meets={
        "the estimates point the other way": lambda estimates, truth: np.sum(estimates.mean(axis=0) * truth) < 0,
        "an estimate is all zero": lambda estimates: (~estimates.any(axis=(1, 2))).any(),
        "the true gradient is long": lambda truth: np.linalg.norm(truth) > 30,
        "the true gradient is a column": lambda truth: len(truth) > 1 == truth.shape[1],
    },
    always={"slopes differ from each other and from 1 by more than single precision sees": apart},
    integers=True,
    visible=[*usual_tests(np.random.default_rng(29)), *slope_edges(np.random.default_rng(89))],
    hidden=hidden_tests,
    accepted=[slope_loop, slope_einsum, slope_flat, slope_least_squares, slope_deviations],
    bank=BANK,
    hints=(
        "One number per estimate first: its slope on the truth, sum(estimate * truth) / sum(truth * truth).",
        "Then K numbers s. Their mean is the slope; the error of a mean is the standard deviation (with K - 1) over "
        "the square root of K.",
        "z = (slope - 1) / error.",
    ),
)
