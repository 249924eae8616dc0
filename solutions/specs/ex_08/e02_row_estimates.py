"""08.2 All ways to keep one row."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e01_sign_estimates import SIGN_DOMAIN, SIGN_MEETS, hidden_signs, sign_edges


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


BANK = [
    wrong("not-scaled-up", rows_with(lambda k, x, y: x[k] * y[k]), "notebook 08, section 3: the diagonal of S S^T",
          "Every estimate is its row's product alone, and the mean is too small by the number of rows.",
          "One row in place of all of them has to speak for those that were dropped."),
    wrong("scaled-twice", rows_with(lambda k, x, y: len(x) ** 2 * x[k] * y[k]),
          "notebook 08, section 10: a wrong scale",
          "Both factors were scaled by the number of rows.",
          "S stands twice in the product, so each side carries the square root of the factor."),
    wrong("root-of-the-scale", rows_with(lambda k, x, y: math.sqrt(len(x)) * x[k] * y[k]),
          "notebook 08, section 3: the diagonal of S S^T",
          "The estimates are scaled by the square root of the number of rows.",
          "That is the factor on one side; the other side carries it, too."),
    wrong("row-dropped-not-kept", rows_with(lambda k, x, y: len(x) / (len(x) - 1) * (x @ y - x[k] * y[k])), "the task",
          "Each estimate leaves one row out instead of keeping one.",
          "The sketch has a single row, b = 1."),
    wrong("all-rows-meet", rows_with(lambda k, x, y: y[k] * np.sum(x)),
          "notebook 08, section 3: S stands twice in the product",
          "One row of y is multiplied with the sum of all x.",
          "The same row is kept on both sides."),
    wrong("sum-of-squares", rows_with(kept_row, spread=lambda e: np.sum((e - e.mean()) ** 2)), "notebook 08, section 5",
          "The variance is a sum of squared deviations, not their mean.",
          "Each row is as likely as any other, so deviations are averaged."),
    wrong("variance-scaled-once", lambda x, y: {
              **(found := row_estimates(x, y)), "variance": found["variance"] / len(x)
          }, "the docstring: variance",
          "The variance is too small by the number of rows.",
          "Estimates twice as large have four times the variance. Or was it divided by their number a second time?"),
    wrong("standard-deviation", rows_with(kept_row, spread=np.std), "the task",
          "In place of the variance stands its square root.",
          "The spread is asked for as the mean squared deviation."),
    wrong("one-less-than-the-number", rows_with(kept_row, spread=lambda e: np.var(e, ddof=1)),
          "the docstring: variance",
          "The squared deviations are divided by one less than their number.",
          "These are all the cases there are, not a sample of them, and their mean is known."),
    wrong("mean-not-taken-off", rows_with(kept_row, spread=lambda e: np.mean(e**2)), "the docstring: variance",
          "The variance is too large by the square of the mean.",
          "The estimates were squared as they are. A deviation is counted from the mean."),
    wrong("sum-for-mean", lambda x, y: {
              **(found := row_estimates(x, y)), "mean": sum(found["estimates"])
          }, "notebook 08, section 3, and the task: each as likely as any other",
          "The estimates are right; where their mean should be stands their sum.",
          "Each row is kept once in B times."),
    wrong("sorted", lambda x, y: {
              **(found := row_estimates(x, y)), "estimates": sorted(found["estimates"])
          }, "notebook 08, section 3, and the task: in the order of the rows",
          "The estimates were sorted.",
          "Here the first estimate is the one that keeps the first row."),
    wrong("scaled-the-wrong-way", rows_with(lambda k, x, y: x[k] * y[k] / len(x)),
          "notebook 08, section 3: the diagonal of S S^T",
          "The estimates were divided by the number of rows.",
          "One row has to speak for all of them, so it has to be made louder."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.2",
    title="All ways to keep one row",
    function="row_estimates",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 08, section 3",
    reference=row_estimates,
    domain=SIGN_DOMAIN,
    meets=SIGN_MEETS,
    visible=[
        case([1.0, 2.0], [3.0, 1.0]),
        case([0.5, -1.0, 2.0], [1.5, 0.7, 1.0]),
        case([-1.2, 0.8, 0.6, 2.0], [0.9, 1.1, -0.4, 0.5]),
        *sign_edges(np.random.default_rng(82)),
    ],
    hidden=hidden_signs,
    accepted=[rows_vectorised, rows_by_matrix, rows_closed_form, rows_einsum, rows_float32],
    bank=BANK,
    hints=(
        "With b = 1 the sketch keeps a single row, the same one of x and of y.",
        "On average over the rows, x[k] * y[k] is the exact product divided by B. What factor repairs that?",
        "estimates = [B * x[k] * y[k] for every k]; mean and variance over these B numbers.",
    ),
    equivalent_mutants={
        "squeezes": "the lists hold two numbers or more, and the rest are numbers",
        "`e - mean` → `mean - e`": "the deviation is squared",
    },
)
