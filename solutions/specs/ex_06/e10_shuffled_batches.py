"""06.10 Images and labels of patient E."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


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


def batches_as_lists_of_rows(X, y, order, size):
    batches = [([], []) for _ in range((len(order) + size - 1) // size)]
    for place, row in enumerate(order):
        rows, labels = batches[place // size]
        rows.append(X[row])
        labels.append(y[row])
    return batches


def cut(X, y, size):
    return [(X[start : start + size], y[start : start + size]) for start in range(0, len(X), size)]


def rows_of(rng, *shape):
    """Numbers with so many digits that a rounded one is another one."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.3, 1.5, shape), 5)


def shuffle_case(rng, n, features, size):
    """An order that is neither its own inverse nor leaves the first or the last row in place."""
    while True:
        order = rng.permutation(n)
        moved = order[0] != 0 and order[-1] != n - 1 and not np.array_equal(order[order], np.arange(n))
        whole = n - n % size  # these rows come in whole batches; others than the first ones, if some are left over
        if moved and (whole in (0, n) or not np.array_equal(np.sort(order[:whole]), np.arange(whole))):
            labels = rng.permutation(n) + 10 * rng.integers(1, 9)
            return case(rows_of(rng, n, features), labels, order, size)


def shuffle_edges(rng):
    """Size divides n, is n, is more than n, is 1; one example; one feature; labels that repeat; rows left in place."""
    labels = rng.permutation([3, 0, 3, -1, 0, 7])
    X = rows_of(rng, 6, 3)
    return [
        shuffle_case(rng, 6, 2, 3),
        shuffle_case(rng, 5, 1, 5),
        shuffle_case(rng, 4, 3, 6),
        shuffle_case(rng, 3, 2, 1),
        case(X, labels, rng.permutation(6), 4),
        case(rows_of(rng, 3, 2)[[0, 1, 0, 2]], rng.permutation([4000, 300, 5, 40]), rng.permutation(4), 3),
        case(rows_of(rng, 1, 2), rng.integers(1, 9, 1), np.array([0]), 2),
        case(rows_of(rng, 5, 2), rng.integers(1, 9, 5), np.arange(5), 2),
    ]


def larger_batches(rng):
    """A short last batch after longer ones, by one row and by all but one; many batches; labels that are the order."""
    X, _, order, size = shuffle_case(rng, 9, 9, 5).args
    return [
        shuffle_case(rng, 17, 2, 7),
        shuffle_case(rng, 23, 1, 11),
        shuffle_case(rng, 19, 3, 10),
        shuffle_case(rng, 16, 2, 8),
        shuffle_case(rng, 150, 1, 2),
        case(X, order.copy(), order, size),
    ]


def labels_looked_up_by_row(X, y, order, size):
    known = {tuple(row): label for row, label in zip(X.tolist(), y.tolist(), strict=True)}
    return [(rows, np.array([known[tuple(row)] for row in rows.tolist()])) for rows, _ in cut(X[order], y[order], size)]


def labels_in_bytes(X, y, order, size):
    return cut(X[order], y[order].astype(np.int8).astype(int), size)


def parts_of_equal_length(X, y, order, size):
    return list(zip(np.array_split(X[order], size), np.array_split(y[order], size), strict=True))


def one_more_batch(X, y, order, size):
    X, y = X[order], y[order]
    return [(X[k * size : (k + 1) * size], y[k * size : (k + 1) * size]) for k in range(len(X) // size + 1)]


def last_batch_filled_up(X, y, order, size):
    batches = cut(X[order], y[order], size)
    return [*batches[:-1], (X[order][-size:], y[order][-size:])]


def rows_in_the_old_order(X, y, order, size):
    """The right rows in each batch, in the order in which they stand in X."""
    groups = [np.sort(order[start : start + size]) for start in range(0, len(order), size)]
    return [(X[rows], y[rows]) for rows in groups]


def batches_in_front_of_the_last(X, y, order, size):
    X, y = X[order], y[order]
    return [(X[start : start + size], y[start : start + size]) for start in range(0, len(X) - 1, size)]


_draw = np.random.default_rng(610)

BANK = [
    wrong("labels-looked-up-by-row", labels_looked_up_by_row, "the docstring of the exercise",
          "Right unless two examples are equal; then both get the label of the last.",
          "A dict holds one label for equal rows. What belongs to a label is its place."),
    wrong("labels-in-bytes", labels_in_bytes, "the docstring of the exercise",
          "Right for small labels; beyond 127 they became others.",
          "A small integer type starts again beyond its largest number, without a warning."),
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
    wrong("size-taken-for-a-number", parts_of_equal_length, "the docstring of the exercise",
          "There are as many batches as a batch should have examples.",
          "size says how long a batch is, not how many there are."),
    wrong("an-empty-batch-at-the-end", one_more_batch, "the docstring of the exercise",
          "Where size divides the number of examples, an empty batch comes last.",
          "One more than the whole batches is right only if something is left over."),
    wrong("last-batch-filled-up", last_batch_filled_up, "the docstring of the exercise",
          "The last batch is as long as the others: some examples come twice.",
          "Every example appears exactly once in an epoch, so the last batch may be short."),
    wrong("old-order-within-a-batch", rows_in_the_old_order, "the docstring of the exercise",
          "Each batch holds the right examples, in the order in which they stand in X.",
          "The order says which row comes first within a batch as well."),
    wrong("last-example-lost", batches_in_front_of_the_last, "the docstring of the exercise",
          "Where a batch of one example should come last, it is missing.",
          "A start may be the last row itself, and range leaves out its end already."),
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
    domain={
        "X": Array("n f"),
        "y": Array("n", whole=True),
        "order": Array("n", whole=True, at_least=0),
        "size": Number(whole=True, at_least=1),
    },
    integers=True,
    always={"order is a permutation": lambda order: sorted(order.tolist()) == list(range(len(order)))},
    meets={
        "size divides n": lambda X, size: 1 < size < len(X) and len(X) % size == 0,
        "size is n": lambda X, size: 1 < size == len(X),
        "size is more than n": lambda X, size: len(X) < size,
        "one example is left over": lambda X, size: 1 < size < len(X) and len(X) % size == 1,
        "all rows stay in place": lambda order: len(order) > 1 and (np.diff(order) == 1).all(),
        "a row of X occurs twice, with two labels": lambda X: len({tuple(row) for row in X.tolist()}) < len(X),
        "a label beyond a byte": lambda y: y.max() > 255,
        "a label occurs twice": lambda y: len(set(y.tolist())) < len(y),
    },
    visible=[
        shuffle_case(_draw, 8, 2, 3),
        shuffle_case(_draw, 5, 3, 2),
        shuffle_case(_draw, 9, 2, 4),
        *shuffle_edges(_draw),
    ],
    hidden=lambda rng: [
        shuffle_case(rng, 8, 2, 3),
        shuffle_case(rng, 7, 3, 4),
        shuffle_case(rng, 5, 2, 2),
        *shuffle_edges(rng),
        *larger_batches(rng),
    ],
    accepted=[
        batches_by_index,
        batches_by_lists,
        batches_by_array_split,
        batches_by_joining,
        batches_by_generator,
        batches_as_lists_of_rows,
    ],
    bank=BANK,
    hints=(
        "X[order] has row order[0] first. What else has to be indexed by the same order?",
        "Cut both arrays at 0, size, 2 size, ...; range(0, n, size) gives the starts.",
        "A slice that reaches beyond the end is simply shorter: X[start : start + size] serves the last batch as well.",
    ),
)
