"""06.10 Images and labels of patient E."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .shared import spread


def shuffled_batches(X, y, order, size):
    X, y = X[order], y[order]
    return [(X[start : start + size], y[start : start + size]) for start in range(0, len(X), size)]


def batches_by_index(X, y, order, size):
    found = []
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        found.append([X[rows], y[rows]])
    return found


def batches_by_lists(X, y, order, size):
    pairs = [(X[i].tolist(), int(y[i])) for i in order]
    cut = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    return [([x for x, _ in part], [label for _, label in part]) for part in cut]


def batches_by_array_split(X, y, order, size):
    cuts = np.arange(size, len(order), size)
    return list(zip(np.split(np.take(X, order, axis=0), cuts), np.split(np.take(y, order), cuts), strict=True))


def batches_by_joining(X, y, order, size):
    table = np.column_stack([X, y])[order]
    parts = [table[start : start + size] for start in range(0, len(table), size)]
    return tuple((part[:, :-1], part[:, -1].astype(int)) for part in parts)


def batches_by_generator(X, y, order, size):
    def produce():
        remaining = list(order)
        while remaining:
            rows, remaining = remaining[:size], remaining[size:]
            yield X[rows], y[rows]

    return list(produce())


def cut(X, y, size):
    return [(X[start : start + size], y[start : start + size]) for start in range(0, len(X), size)]


def shuffle_case(rng, n, features, size):
    """An order that is neither its own inverse nor leaves the first or the last row in place."""
    while True:
        order = rng.permutation(n)
        moved = order[0] != 0 and order[-1] != n - 1 and not np.array_equal(order[order], np.arange(n))
        if moved and not np.array_equal(np.sort(order[: n - n % size]), np.arange(n - n % size)):
            labels = rng.permutation(n) + 10 * rng.integers(1, 9)
            return case(spread(rng, n, features), labels, order, size)


_draw = np.random.default_rng(610)

BANK = [
    wrong("labels-stay-behind", lambda X, y, order, size: cut(X[order], y, size), "'7 · Five patients'",
          "The images are in the new order and the labels in the old one, as in patient E.",
          "An image and its label are one example. What moves one must move the other."),
    wrong("images-stay-behind", lambda X, y, order, size: cut(X, y[order], size), "'7 · Five patients'",
          "The labels are in the new order and the images in the old one.",
          "An image and its label are one example. What moves one must move the other."),
    wrong("short-batch-dropped", lambda X, y, order, size: cut(X[order], y[order], size)[: len(X) // size],
          "the docstring of the exercise",
          "The last, shorter batch is missing.",
          "The docstring asks for every example once per epoch."),
    wrong("order-upside-down", lambda X, y, order, size: cut(X[np.argsort(order)], y[np.argsort(order)], size),
          "the docstring of the exercise",
          "Images and labels belong together, but stand in the inverse order.",
          "The first row of the first batch should be row order[0], not the row that is told to go to place 0."),
    wrong("not-shuffled", lambda X, y, order, size: cut(X, y, size), "the docstring of the exercise",
          "Everything is still in the old order.",
          "The order was not used."),
    wrong("shuffled-twice", lambda X, y, order, size: cut(X[order], y[order][order], size), "'7 · Five patients'",
          "The images are right; the labels were shuffled twice.",
          "Shuffling twice in the same order is another order."),
    wrong("every-k-th", lambda X, y, order, size: [
              (X[order][k :: -(-len(X) // size)], y[order][k :: -(-len(X) // size)])
              for k in range(-(-len(X) // size))
          ], "the docstring of the exercise",
          "Each batch takes rows at regular distances instead of consecutive ones.",
          "A step in a slice counts how far apart rows are, not how many there are."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.10",
    title="Images and labels of patient E",
    function="shuffled_batches",
    minutes=7,
    difficulty=1,
    points=2,
    see="notebook 06, '7 · Five patients'",
    reference=shuffled_batches,
    visible=[shuffle_case(_draw, 7, 2, 3), shuffle_case(_draw, 5, 3, 2), shuffle_case(_draw, 9, 2, 4)],
    hidden=lambda rng: [shuffle_case(rng, 8, 2, 3), shuffle_case(rng, 7, 3, 4), shuffle_case(rng, 5, 2, 2)],
    accepted=[
        batches_by_index,
        batches_by_lists,
        batches_by_array_split,
        batches_by_joining,
        batches_by_generator,
    ],
    bank=BANK,
    hints=(
        "X[order] has row order[0] first. What else has to be indexed by the same order?",
        "Cut both arrays at 0, size, 2 size, ...; range(0, n, size) gives the starts.",
        "A slice that reaches beyond the end is simply shorter: X[start : start + size] serves the last batch as well.",
    ),
)
