"""08.5 Shuffle, sign, fold."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array


def fold(X, order, signs, size):
    summary = np.zeros((size, X.shape[1]))
    for place, row in enumerate(order):
        summary[place % size] += signs[place] * X[row]
    return summary


def fold_add_at(X, order, signs, size):
    summary = np.zeros((size, X.shape[1]))
    np.add.at(summary, np.arange(len(order)) % size, np.asarray(signs)[:, None] * X[np.asarray(order)])
    return summary


def fold_matrix(X, order, signs, size):
    S = np.zeros((len(X), size))
    S[np.asarray(order), np.arange(len(X)) % size] = signs
    return S.T @ X


def fold_slices(X, order, signs, size):
    signed = X[list(order)] * np.asarray(signs, float)[:, None]
    return np.stack([signed[bucket::size].sum(axis=0) for bucket in range(size)])


def fold_lists(X, order, signs, size):
    summary = [[0.0] * len(X[0]) for _ in range(size)]
    for place, (row, sign) in enumerate(zip(order, signs, strict=True)):
        bucket = summary[place % size]
        for column, value in enumerate(X[row]):
            bucket[column] += value if sign > 0 else -value
    return summary


def fold_padded(X, order, signs, size):
    """Rows of zeros make the number of rows a multiple of the number of buckets; then one reshape adds them up."""
    signed = np.asarray(signs)[:, None] * X[np.asarray(order)]
    missing = -len(signed) % size
    return np.pad(signed, ((0, missing), (0, 0))).reshape(-1, size, X.shape[1]).sum(axis=0).astype(np.float32)


def fold_overwrites(X, order, signs, size):
    summary = np.zeros((size, X.shape[1]))
    summary[np.arange(len(order)) % size] += np.asarray(signs)[:, None] * X[np.asarray(order)]
    return summary


def fold_contiguous(X, order, signs, size):
    signed = np.asarray(signs)[:, None] * X[np.asarray(order)]
    return np.stack([part.sum(axis=0) for part in np.array_split(signed, size)])


def fold_whole_rounds(X, order, signs, size):
    """Only as many places as fill all buckets equally often."""
    whole = len(order) - len(order) % size
    return fold(X, order[:whole], signs[:whole], size)


def fold_from_place_one(X, order, signs, size):
    return np.roll(fold(X, order, signs, size), 1, axis=0)


def fold_row_bucket(X, order, signs, size):
    summary = np.zeros((size, X.shape[1]))
    for place, row in enumerate(order):
        summary[row % size] += signs[place] * X[row]
    return summary


def fold_case(rng, B, N, size):
    return case(array(rng, B, N, digits=4), rng.permutation(B).tolist(), rng.choice([-1, 1], B).tolist(), size)


def fold_edges(rng):
    """One bucket, a bucket for each row, more buckets than rows, one row, one column; nothing shuffled; zeros."""
    straight, zeros = fold_case(rng, 5, 2, 3), fold_case(rng, 5, 2, 3)
    zeros.args[0][1, 1] = zeros.args[0][4, 0] = 0.0
    return [
        fold_case(rng, 5, 3, 1),
        fold_case(rng, 4, 4, 4),
        fold_case(rng, 2, 2, 5),
        fold_case(rng, 1, 3, 2),
        fold_case(rng, 7, 1, 3),
        case(straight.args[0], list(range(5)), *straight.args[2:]),
        zeros,
    ]


def usual_folds(rng):
    return [fold_case(rng, *shape) for shape in ((8, 3, 4), (7, 2, 3), (6, 4, 2), (9, 3, 4))]


def hidden_folds(rng):
    more_buckets = (
        (3, 2, 5),
        (3, 2, 4),
        (4, 2, 8),
        (4, 3, 9),
        (1, 1, 3),
        (1, 2, 1),
        (2, 3, 11),
        (3, 1, 150),
        (5, 2, 4),
    )
    more = [fold_case(rng, *shape) for shape in (*more_buckets, (300, 1, 7))]
    return [*usual_folds(rng), *fold_edges(rng), *more]


BANK = [
    wrong("last-one-wins", fold_overwrites, "the documentation of np.add.at, or use a loop",
          "Each row of the summary holds the last row that came to its bucket, and no sum.",
          "NumPy's += with a list of places in which one occurs twice keeps the last addition only."),
    wrong("signs-forgotten", lambda X, order, signs, size: fold(X, order, [1] * len(order), size),
          "notebook 08, section 4: shuffle, sign, fold",
          "Rows are added up without their signs.",
          "Without signs two rows in a bucket disturb each other always in the same direction."),
    wrong("not-shuffled", lambda X, order, signs, size: fold(X, range(len(order)), signs, size), "the docstring: order",
          "The rows of X came in their old order.",
          "order says which row of X stands at each place."),
    wrong("order-the-other-way", lambda X, order, signs, size: fold(X, np.argsort(order).tolist(), signs, size),
          "notebook 08, section 4, and the docstring: order[place] is a row of X",
          "Row k of X went to place order[k], instead of place k holding row order[k].",
          "A permutation can be read in two directions."),
    wrong("sign-of-the-row", lambda X, order, signs, size: fold(X, order, [signs[row] for row in order], size),
          "the docstring: signs",
          "The signs were looked up by the row of X, not by its new place.",
          "The signs are given in the new order."),
    wrong("blocks-instead-of-dealing", fold_contiguous, "the task: place i goes to bucket i mod size",
          "Neighbouring places share a bucket.",
          "Cards are dealt: one for each bucket in turn, then the next round."),
    wrong("mean-of-the-bucket", lambda X, order, signs, size: (
              fold(X, order, signs, size)
              / np.array([max(1, len(range(bucket, len(order), size))) for bucket in range(size)])[:, None]
          ), "notebook 08, section 3: the diagonal of S S^T",
          "Each bucket was divided by the number of its rows.",
          "Its own square must count every row in full, so that S S^T has ones on its diagonal."),
    wrong("scaled-like-kept-rows",
          lambda X, order, signs, size: math.sqrt(len(order) / size) * fold(X, order, signs, size),
          "notebook 08, section 4: add up each bucket",
          "Everything is too large by the square root of B / b.",
          "That is the scale for rows that were dropped. A fold drops nothing."),
    wrong("leftovers-dropped", fold_whole_rounds, "notebook 08, section 4, and the task: need not be a multiple",
          "The last rows are missing where the number of rows is no multiple of the number of buckets.",
          "You dealt whole rounds only. The last round may end before every bucket has got a row."),
    wrong("counted-from-one", fold_from_place_one, "the task: place i goes to bucket i mod size",
          "Each row of the summary stands one bucket too far.",
          "Places are counted from 0."),
    wrong("bucket-of-the-row", fold_row_bucket, "the task: place i goes to bucket i mod size",
          "Each row went to the bucket of its old number.",
          "Rows are dealt after they have been shuffled, by the place where they stand then."),
    wrong("wrong-side-of-the-sign", lambda X, order, signs, size: fold(X, order, [-sign for sign in signs], size),
          "the docstring: signs",
          "Every number has the opposite sign.",
          "A row whose sign is +1 is added as it is."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.5",
    title="Shuffle, sign, fold",
    function="fold",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 4",
    reference=fold,
    domain={
        "X": Array("B N"),
        "order": Array("B", whole=True, at_least=0),
        "signs": Array("B", at_least=-1, at_most=1, whole=True, zero=False),
        "size": Number(whole=True, at_least=1),
    },
    meets={
        "the number of rows is a multiple of the size": lambda order, size: (
            1 < size < len(order) and len(order) % size == 0
        ),
        "the number of rows is no multiple of the size": lambda order, size: len(order) % size != 0,
        "there is a bucket for each row": lambda order, size: size == len(order) > 1,
        "there are more than twice as many buckets as rows": lambda order, size: size > 2 * len(order) > 2,
        "nothing is shuffled": lambda order: len(order) > 1 and order == sorted(order),
    },
    integers=True,
    visible=[*usual_folds(np.random.default_rng(21)), *fold_edges(np.random.default_rng(85))],
    hidden=hidden_folds,
    accepted=[fold_add_at, fold_matrix, fold_slices, fold_lists, fold_padded],
    bank=BANK,
    hints=(
        "Start with zeros of shape (size, N), and go through the places one by one.",
        "At a place stands row order[place] of X with the sign signs[place]. Which bucket does it go to?",
        "summary[place % size] += signs[place] * X[order[place]], for every place.",
    ),
    equivalent_mutants={
        "`1` → `-1`": "X has two axes, so the last one is the one with index 1",
        "`signs[place] * X[row]` → `X[row] / signs[place]`": "a sign is its own inverse",
    },
)
