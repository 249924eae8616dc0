"""Chapter 08, memory-efficient backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of learners and of published code: an estimate that is right on average taken for one that is
always close, rows that are kept but not scaled, a sketch on one side only, a sketch that is stored instead of drawn
again, a minus where the variance has a plus, the forward pass believed to be approximate.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, count, low=0.4, high=2.4):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 2) for _ in range(count)]


def array(rng, *shape, low=0.2, high=1.6):
    """The same as an array."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)


# --- 08.1 all sign sketches ------------------------------------------------------------------------------------------


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


def signs_with(estimate, spread=np.var):
    """The same bookkeeping for another estimate per sign vector."""

    def answer(x, y):
        x, y = np.asarray(x, float), np.asarray(y, float)
        found = np.array([estimate(s, x, y) for s in all_signs(len(x))])
        return {"estimates": np.sort(found), "mean": found.mean(), "variance": spread(found)}

    return answer


def usual(s, x, y):
    return (s @ y) * (s @ x)


def hidden_signs(rng):
    return [case(numbers(rng, B), numbers(rng, B)) for B in (2, 3, 4, 3)]


SIGNS = Exercise(
    id="08.1",
    title="All sign sketches",
    function="sign_estimates",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 08, section 3",
    reference=sign_estimates,
    visible=[
        case([1.0, 2.0], [3.0, 1.0]),
        case([0.5, -1.0, 2.0], [1.5, 0.7, 1.0]),
        case([-1.2, 0.8, 0.6, 2.0], [0.9, 1.1, -0.4, 0.5]),
    ],
    hidden=hidden_signs,
    accepted=[signs_vectorised, signs_by_matrix, signs_by_bits, signs_half, signs_closed_form],
    bank=[
        Misconception(
            id="unbiased-means-always-right",
            answer=signs_with(lambda s, x, y: np.sum(s * s * x * y)),
            looks_like="Every estimate is the exact product, and the variance is zero.",
            why="Both sums are taken before they are multiplied, so each pair of rows meets, also different ones.",
            look_at="notebook 08, section 3: the cross terms",
        ),
        Misconception(
            id="sketch-on-one-side",
            answer=signs_with(lambda s, x, y: (s @ y) * np.sum(x)),
            looks_like="Only y was summed with signs; x was summed without, and the mean is zero.",
            why="The signs cancel on average only where each of them occurs twice.",
            look_at="notebook 08, section 3: S stands twice in the product",
        ),
        Misconception(
            id="absolute-values",
            answer=signs_with(lambda s, x, y: abs(usual(s, x, y))),
            looks_like="Negative estimates have lost their sign, and the mean is too large.",
            why="An estimate may well be negative although the product is positive; only the mean is right.",
            look_at="notebook 08, section 3: the two estimates 12 and -2",
        ),
        Misconception(
            id="zeros-and-ones",
            answer=signs_with(lambda s, x, y: usual((s + 1) / 2, x, y)),
            looks_like="Rows are left out instead of being given a sign.",
            why="A matrix of zeros and ones does not have the identity as its mean square.",
            look_at="notebook 08, section 3: E[S S^T] = I",
        ),
        Misconception(
            id="divided-by-the-rows",
            answer=signs_with(lambda s, x, y: usual(s, x, y) / len(x)),
            looks_like="Every estimate is divided by the number of rows.",
            why="A weight gradient is a sum over the rows; with entries of +1 and -1 no scale is needed.",
            look_at="notebook 08, section 3: the diagonal of S S^T",
        ),
        Misconception(
            id="sum-of-squares",
            answer=signs_with(usual, spread=lambda e: np.sum((e - e.mean()) ** 2)),
            looks_like="The variance is a sum of squared deviations, not their mean.",
            why="Each sign vector is as likely as any other, so deviations are averaged.",
            look_at="notebook 08, section 5",
        ),
        Misconception(
            id="standard-deviation",
            answer=signs_with(usual, spread=np.std),
            looks_like="In place of the variance stands its square root.",
            why="The spread is asked for as the mean squared deviation.",
            look_at="the task",
        ),
        Misconception(
            id="one-less-than-the-number",
            answer=signs_with(usual, spread=lambda e: np.var(e, ddof=1)),
            looks_like="The squared deviations are divided by one less than their number.",
            why="These are all the cases there are, not a sample of them, and their mean is known.",
            look_at="the task: every sign vector is there",
        ),
    ],
    hints=(
        "For two rows there are four sign vectors: (1, 1), (1, -1), (-1, 1), (-1, -1). itertools.product makes them.",
        "For one sign vector: add up the x with their signs, add up the y with the same signs, multiply the two sums.",
        "mean is the sum of the estimates over their number, 2 to the power of len(x); variance is the mean of "
        "(estimate - mean)². Return the estimates with sorted(...).",
    ),
    equivalent_mutants={
        "`e - mean` → `mean - e`": "the deviation is squared",
        "`s * value` → `value / s`": "a sign is its own inverse",
        "`s * value` → `value / s` #2": "a sign is its own inverse",
    },
)


# --- 08.2 all row sketches -------------------------------------------------------------------------------------------


def row_estimates(x, y):
    B = len(x)
    estimates = [B * x[k] * y[k] for k in range(B)]
    mean = sum(estimates) / B
    return {"estimates": estimates, "mean": mean, "variance": sum((e - mean) ** 2 for e in estimates) / B}


def rows_vectorised(x, y):
    found = len(x) * np.asarray(x, float) * np.asarray(y, float)
    return {"estimates": found, "mean": found.mean(), "variance": found.var()}


def rows_by_matrix(x, y):
    """Each S is a column of sqrt(B) times the identity."""
    x, y, B = np.asarray(x, float), np.asarray(y, float), len(x)
    found = [(y @ s) * (s @ x) for s in math.sqrt(B) * np.eye(B)]
    return {"estimates": found, "mean": np.mean(found), "variance": np.var(found)}


def rows_closed_form(x, y):
    x, y, B = np.asarray(x, float), np.asarray(y, float), len(x)
    T = (x @ y) ** 2
    return {"estimates": (B * x * y).tolist(), "mean": x @ y, "variance": B * np.sum((x * y) ** 2) - T}


def rows_einsum(x, y):
    found = np.einsum("k,k->k", x, y) * len(x)
    return {
        "estimates": tuple(found),
        "mean": np.einsum("k,k", x, y),
        "variance": np.mean(found**2) - found.mean() ** 2,
    }


def rows_float32(x, y):
    return {name: np.asarray(value, np.float32) for name, value in row_estimates(x, y).items()}


def rows_with(estimate, spread=np.var):
    def answer(x, y):
        x, y = np.asarray(x, float), np.asarray(y, float)
        found = np.array([estimate(k, x, y) for k in range(len(x))])
        return {"estimates": found, "mean": found.mean(), "variance": spread(found)}

    return answer


def kept_row(k, x, y):
    return len(x) * x[k] * y[k]


ROWS = Exercise(
    id="08.2",
    title="All ways to keep one row",
    function="row_estimates",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 08, section 3",
    reference=row_estimates,
    visible=[
        case([1.0, 2.0], [3.0, 1.0]),
        case([0.5, -1.0, 2.0], [1.5, 0.7, 1.0]),
        case([-1.2, 0.8, 0.6, 2.0], [0.9, 1.1, -0.4, 0.5]),
    ],
    hidden=hidden_signs,
    accepted=[rows_vectorised, rows_by_matrix, rows_closed_form, rows_einsum, rows_float32],
    bank=[
        Misconception(
            id="not-scaled-up",
            answer=rows_with(lambda k, x, y: x[k] * y[k]),
            looks_like="Every estimate is its row's product alone, and the mean is too small by the number of rows.",
            why="One row in place of all of them has to speak for those that were dropped.",
            look_at="notebook 08, section 3: the diagonal of S S^T",
        ),
        Misconception(
            id="scaled-twice",
            answer=rows_with(lambda k, x, y: len(x) ** 2 * x[k] * y[k]),
            looks_like="Both factors were scaled by the number of rows.",
            why="S stands twice in the product, so each side carries the square root of the factor.",
            look_at="notebook 08, section 10: a scale that Adam hides",
        ),
        Misconception(
            id="root-of-the-scale",
            answer=rows_with(lambda k, x, y: math.sqrt(len(x)) * x[k] * y[k]),
            looks_like="The estimates are scaled by the square root of the number of rows.",
            why="That is the factor on one side; the other side carries it, too.",
            look_at="notebook 08, section 3: the diagonal of S S^T",
        ),
        Misconception(
            id="row-dropped-not-kept",
            answer=rows_with(lambda k, x, y: len(x) / (len(x) - 1) * (x @ y - x[k] * y[k])),
            looks_like="Each estimate leaves one row out instead of keeping one.",
            why="The sketch has a single row, b = 1.",
            look_at="the task",
        ),
        Misconception(
            id="all-rows-meet",
            answer=rows_with(lambda k, x, y: y[k] * np.sum(x)),
            looks_like="One row of y is multiplied with the sum of all x.",
            why="The same row is kept on both sides.",
            look_at="notebook 08, section 3: S stands twice in the product",
        ),
        Misconception(
            id="sum-of-squares",
            answer=rows_with(kept_row, spread=lambda e: np.sum((e - e.mean()) ** 2)),
            looks_like="The variance is a sum of squared deviations, not their mean.",
            why="Each row is as likely as any other, so deviations are averaged.",
            look_at="notebook 08, section 5",
        ),
        Misconception(
            id="standard-deviation",
            answer=rows_with(kept_row, spread=np.std),
            looks_like="In place of the variance stands its square root.",
            why="The spread is asked for as the mean squared deviation.",
            look_at="the task",
        ),
    ],
    hints=(
        "With b = 1 the sketch keeps a single row, the same one of x and of y.",
        "On average over the rows, x[k] * y[k] is the exact product divided by B. What factor repairs that?",
        "estimates = [B * x[k] * y[k] for every k]; mean and variance over these B numbers.",
    ),
    equivalent_mutants={"`e - mean` → `mean - e`": "the deviation is squared"},
)


EXERCISES = [SIGNS, ROWS]
