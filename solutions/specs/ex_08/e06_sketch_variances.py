"""08.6 Four variances."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array, opposed


def sketch_variances(X, Y, b):
    B = len(X)
    P = np.sum(X**2) * np.sum(Y**2)
    T = np.sum((Y.T @ X) ** 2)
    D = np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))
    return {
        "gaussian": (P + T) / b,
        "signs": (P + T - 2 * D) / b,
        "rows": (B - b) / (B - 1) * (B * D - T) / b,
        "fold": (B - b) / (b * (B - 1)) * (P + T - 2 * D),
    }


def variances_by_grams(X, Y, b):
    """By the inner products of the rows."""
    A, C, B = X @ X.T, Y @ Y.T, len(X)
    P, T, D = np.trace(A) * np.trace(C), np.sum(A * C), np.diag(A) @ np.diag(C)
    share = (B - b) / (B - 1)
    return {
        "gaussian": (P + T) / b,
        "signs": (P + T - 2 * D) / b,
        "rows": share * (B * D - T) / b,
        "fold": share * (P + T - 2 * D) / b,
    }


def variances_by_pairs(X, Y, b):
    B = len(X)
    pairs = squares = aligned = paired = 0.0
    for i in range(B):
        for j in range(B):
            size, together = X[i] @ X[i] * (Y[j] @ Y[j]), X[i] @ X[j] * (Y[i] @ Y[j])
            squares, aligned = squares + size, aligned + together
            if i == j:
                paired += size
            else:
                pairs += size + together
    spread = B * paired - aligned
    return {
        "gaussian": (squares + aligned) / b,
        "signs": pairs / b,
        "rows": spread / b * (B - b) / (B - 1),
        "fold": pairs * (B / b - 1) / (B - 1),
    }


def variances_rows_from_spread(X, Y, b):
    """Dropping rows from the spread of the examples' gradients."""
    found, B = sketch_variances(X, Y, b), len(X)
    each = np.einsum("km,kn->kmn", Y, X)
    sgd = B * np.sum((each - each.mean(axis=0)) ** 2) / (B - 1)
    return found | {"rows": (B / b - 1) * sgd}


def variances_einsum(X, Y, b):
    B, lengths = len(X), [np.einsum("kn,kn->k", A, A) for A in (X, Y)]
    P, D = lengths[0].sum() * lengths[1].sum(), np.einsum("k,k->", *lengths)
    T = np.einsum("km,kn,lm,ln->", Y, X, Y, X)
    mixed = P + T - 2 * D
    values = ((P + T) / b, mixed / b, (B - b) * (B * D - T) / (b * (B - 1)), (B - b) * mixed / (b * (B - 1)))
    return {name: np.array(value) for name, value in zip(("gaussian", "signs", "rows", "fold"), values, strict=True)}


def variances_float32(X, Y, b):
    return {name: np.float32(value) for name, value in sketch_variances(X, Y, b).items()}


def variances_with(change):
    """The same formulas from other moments, or other formulas from the same."""

    def answer(X, Y, b):
        B, P = len(X), np.sum(X**2) * np.sum(Y**2)
        T, D = np.sum((Y.T @ X) ** 2), np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))
        found = sketch_variances(X, Y, b)
        return found | change(B, P, T, D, b, X, Y)

    return answer


def from_moments(B, P, T, D, b):
    return {
        "gaussian": (P + T) / b,
        "signs": (P + T - 2 * D) / b,
        "rows": (B - b) / (B - 1) * (B * D - T) / b,
        "fold": (B - b) / (b * (B - 1)) * (P + T - 2 * D),
    }


def variances_case(rng, B, N, M, b):
    return case(array(rng, B, N), array(rng, B, M), b)


def variances_edges(rng):
    """Two rows; all rows kept; one kept; rows that cancel; a row of zeros and a giant one; rows that agree."""
    giant, agreeing = variances_case(rng, 5, 2, 3, 2), variances_case(rng, 4, 2, 3, 2)
    giant.args[0][int(rng.integers(1, 5))] *= 20.0
    giant.args[0][0, 1] = giant.args[1][0] = 0.0
    for part in agreeing.args[:2]:
        part[:] = np.round(8 * part[0]) / 8  # eighths, so that what cancels does so in single precision, too
    return [
        variances_case(rng, 2, 3, 2, 1),
        variances_case(rng, 4, 3, 2, 4),
        variances_case(rng, 2, 2, 3, 2),
        case(*opposed(rng, 2, 1, 2), 2),
        giant,
        agreeing,
    ]


def usual_variances(rng):
    shapes = ((6, 3, 2, 3), (5, 2, 4, 2), (4, 4, 4, 3), (4, 2, 1, 3), (6, 3, 2, 3))
    return [variances_case(rng, *shape) for shape in shapes]


def hidden_variances(rng):
    narrow = ((5, 1, 2, 2), (5, 3, 1, 2), (4, 1, 1, 3), (5, 2, 3, 1), (5, 2, 3, 5), (15, 2, 3, 12))
    return [
        *usual_variances(rng),
        *variances_edges(rng),
        *(variances_case(rng, *shape) for shape in narrow),
        case(*opposed(rng, 1, 1, 1), 1),
        case(*opposed(rng, 3, 2, 2), 4),
    ]


BANK = [
    wrong("minus-for-gaussian", variances_with(lambda B, P, T, D, b, X, Y: {"gaussian": (P - T) / b}),
          "notebook 08, section 9: two small cracks",
          "The Gaussian variance is too small by twice T / b.",
          "That sign stands in published code. It belongs to rows drawn by their length."),
    wrong("signs-like-gaussian", variances_with(
              lambda B, P, T, D, b, X, Y: from_moments(B, P, T, 0.0, b) | {"rows": sketch_variances(X, Y, b)["rows"]}
          ), "notebook 08, section 5: why signs beat normal numbers",
          "For signs and for the fold nothing was taken off for rows that meet themselves.",
          "A sign squared is exactly 1, so that part is not random."),
    wrong("with-replacement", variances_with(lambda B, P, T, D, b, X, Y: {"rows": (B * D - T) / b}),
          "notebook 08, section 5: the table, last line",
          "For rows stands the variance with replacement.",
          "No row is kept twice here, which takes a factor off; with b = B nothing may be left."),
    wrong("fold-like-signs", variances_with(lambda B, P, T, D, b, X, Y: {"fold": (P + T - 2 * D) / b}),
          "notebook 08, section 5: the table",
          "The fold has the variance of a dense matrix of signs.",
          "Buckets are dealt evenly, so two rows share one less often; with b = B never."),
    wrong("not-divided-by-b", lambda X, Y, b: {name: b * value for name, value in sketch_variances(X, Y, b).items()},
          "notebook 08, section 5",
          "All variances are too large by the number of rows that are kept.",
          "The estimate is a mean over b columns, and a mean of b has one b-th of the variance."),
    wrong("together-from-single-rows", lambda X, Y, b: from_moments(
              len(X),
              np.sum(X**2) * np.sum(Y**2),
              np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
              np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
              b,
          ), "notebook 08, section 5: P, T and D",
          "T was taken row by row.",
          "T is the squared length of the whole product, in which rows of different sign may cancel."),
    wrong("norms-not-squared", lambda X, Y, b: from_moments(
              len(X),
              np.linalg.norm(X) * np.linalg.norm(Y),
              np.sum((Y.T @ X) ** 2),
              np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
              b,
          ), "notebook 08, section 5: P, T and D",
          "P is the product of the norms.",
          "A variance has the square of the unit of what varies."),
    wrong("signs-taken-off-once", variances_with(lambda B, P, T, D, b, X, Y: {"signs": (P + T - D) / b}),
          "notebook 08, section 5: the table",
          "For signs the rows that meet themselves were taken off once.",
          "They stand in P and they stand in T."),
    wrong("fold-taken-off-once",
          variances_with(lambda B, P, T, D, b, X, Y: {"fold": (B - b) / (b * (B - 1)) * (P + T - D)}),
          "notebook 08, section 5: the table",
          "For the fold the rows that meet themselves were taken off once.",
          "They stand in P and they stand in T."),
    wrong("rows-out-of-all", variances_with(lambda B, P, T, D, b, X, Y: {"rows": (B - b) / B * (B * D - T) / b}),
          "notebook 08, section 5: the table, last line",
          "For rows the factor is a little too small.",
          "When one row has been kept, there is one fewer to choose the next from."),
    wrong("fold-partners-out-of-all",
          variances_with(lambda B, P, T, D, b, X, Y: {"fold": (B - b) / (b * B) * (P + T - 2 * D)}),
          "notebook 08, section 5: the table",
          "For the fold the factor is a little too small.",
          "A row has one possible partner fewer than there are rows: it is none of its own."),
    wrong("product-not-squared", lambda X, Y, b: from_moments(
              len(X),
              np.sum(X**2) * np.sum(Y**2),
              np.linalg.norm(Y.T @ X),
              np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
              b,
          ), "notebook 08, section 5: P, T and D",
          "T is the length of the product, and not its square.",
          "A variance has the square of the unit of what varies."),
    wrong("product-summed-and-squared", lambda X, Y, b: from_moments(
              len(X),
              np.sum(X**2) * np.sum(Y**2),
              np.sum(Y.T @ X) ** 2,
              np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
              b,
          ), "notebook 08, section 5: P, T and D",
          "For T the entries of the product were added up before they were squared.",
          "Then entries of different sign cancel, and a length knows nothing of signs."),
    wrong("rows-like-mixing", variances_with(
              lambda B, P, T, D, b, X, Y: {"rows": (B - b) / (b * (B - 1)) * (P + T - 2 * D)}
          ), "notebook 08, section 5: the table, last line",
          "For rows stands the variance of the fold.",
          "Kept rows are never mixed, so rows do not disturb each other. What costs is what was dropped."),
    wrong("divided-by-b-squared", lambda X, Y, b: {
              name: value / b for name, value in sketch_variances(X, Y, b).items()
          }, "notebook 08, section 5: the table",
          "All variances are divided by b once too often.",
          "The mean of b independent things has one b-th of the variance."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.6",
    title="Four variances",
    function="sketch_variances",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 5",
    reference=sketch_variances,
    domain={"X": Array("B>=2 N"), "Y": Array("B>=2 M"), "b": Number(whole=True, at_least=1)},
    meets={
        "all rows are kept": lambda X, b: b == len(X) > 2,
        "both of two rows are kept": lambda X, b: b == len(X) == 2,
        "all examples agree": lambda X, Y: not np.ptp(X, axis=0).any() and not np.ptp(Y, axis=0).any(),
        "one row is far longer than the others": lambda X: np.abs(X).max() > 4,
        "the product is 0, and its factors are not": lambda X, Y: X.any() and Y.any() and np.abs(Y.T @ X).max() < 1e-12,
    },
    always={"no more rows are kept than there are": lambda X, b: b <= len(X)},
    integers=True,
    visible=[*usual_variances(np.random.default_rng(13)), *variances_edges(np.random.default_rng(86))],
    hidden=hidden_variances,
    accepted=[variances_by_grams, variances_by_pairs, variances_rows_from_spread, variances_einsum, variances_float32],
    bank=BANK,
    hints=(
        "Three numbers first: P from all entries, T from the product, D row by row.",
        "np.sum(X**2) is the squared norm of X; np.sum(X**2, axis=1) is the squared norm of each row; T is "
        "np.sum((Y.T @ X)**2).",
        "Then the table of section 5, line by line. Rows and fold share the factor (B - b) / (B - 1).",
    ),
    equivalent_mutants={
        "`1` → `-1`": "the rows have two axes, so the last one is the one with index 1",
        "`1` → `-1` #2": "the rows have two axes, so the last one is the one with index 1",
    },
)
