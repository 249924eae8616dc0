"""08.3 What is stored."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Choice, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def stored_bytes(rows, features, rate, itemsize, readers):
    size = int(rate * rows)
    return {
        "exact": rows * features * itemsize,
        "one_sketch": size * features * itemsize,
        "separate_sketches": readers * size * features * itemsize,
        "break_even_rate": 1 / readers,
    }


def bytes_floor(rows, features, rate, itemsize, readers):
    size = math.floor(rate * rows)
    one = np.prod([size, features, itemsize])
    return {
        "exact": float(rows) * features * itemsize,
        "one_sketch": one,
        "separate_sketches": sum([one] * readers),
        "break_even_rate": readers**-1,
    }


def bytes_by_arrays(rows, features, rate, itemsize, readers):
    kind = {2: np.float16, 4: np.float32, 8: np.float64}[itemsize]
    whole, part = (np.broadcast_to(kind(0), (n, features)) for n in (rows, int(rows * rate)))  # takes no room
    return {
        "exact": whole.nbytes,
        "one_sketch": part.nbytes,
        "separate_sketches": part.nbytes * readers,
        "break_even_rate": np.float32(1.0 / readers),
    }


def bytes_divmod(rows, features, rate, itemsize, readers):
    size, _ = divmod(rate * rows, 1)
    per_row = itemsize * features
    return dict(
        exact=per_row * rows,
        one_sketch=per_row * size,
        separate_sketches=per_row * size * readers,
        break_even_rate=math.exp(-math.log(readers)),
    )


def bytes_searched(rows, features, rate, itemsize, readers):
    """Break-even found as the rate at which readers * rate * exact equals exact."""
    found = stored_bytes(rows, features, rate, itemsize, readers)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if readers * middle <= 1 else (low, middle)
    return found | {"break_even_rate": low}


def bytes_counted(rows, features, rate, itemsize, readers):
    """Row by row."""
    row, kept, whole = features * itemsize, 0, 0
    for k in range(rows):
        whole += row
        kept += row * (k + 1 <= rate * rows)
    return {
        "exact": whole,
        "one_sketch": kept,
        "separate_sketches": kept * readers,
        "break_even_rate": 1.0 / readers,
    }


def bytes_with(**changed):
    def answer(rows, features, rate, itemsize, readers):
        found = stored_bytes(rows, features, rate, itemsize, readers)
        given = {"rows": rows, "features": features, "rate": rate, "itemsize": itemsize, "readers": readers}
        return found | {name: change(found, **given) for name, change in changed.items()}

    return answer


def bytes_case(rng, itemsize, readers):
    """The number of kept rows, before rounding, lies clearly between two whole numbers."""
    while True:
        rows, features = int(rng.integers(101, 400)), int(rng.integers(20, 90))
        rate = round(float(rng.uniform(0.15, 0.6)), 3)
        if 0.1 < rate * rows % 1 < 0.9:
            return case(rows, features, rate, itemsize, readers)


# rows and a share that give a whole number of rows in decimals and in binary, though not if one less the share is used
WHOLE = [(25, 0.44), (50, 0.44), (100, 0.45), (180, 0.45), (220, 0.45), (300, 0.19), (360, 0.325)]


def bytes_edges(rng):
    """A whole number of rows; all of them; none; one; a single layer; a bit too many; beyond 32 bits."""
    n, m = int(rng.integers(20, 60)), int(rng.integers(11, 40))
    whole = WHOLE[int(rng.integers(len(WHOLE)))]
    return [
        case(4 * n, m, 0.25, 8, 3),
        case(n, m, 1.0, 2, 1),
        case(n, m, round(0.7 / n, 4), 4, 4),
        case(n, m, round(float(rng.uniform(1.1, 1.4)) / n, 4), 2, 5),
        case(10 * m + 1, n, 0.9, 4, 6),
        case(whole[0], m, whole[1], 4, 3),
        case(3 * int(rng.integers(3, 12)), m, 0.3333, 8, 2),
        case(150_001 + 1000 * int(rng.integers(50)), 6000 + m, 0.3777, 8, 3),
    ]


def hidden_bytes(rng):
    return [
        *(bytes_case(rng, itemsize, readers) for itemsize, readers in ((4, 2), (8, 3), (2, 4), (4, 5))),
        *bytes_edges(rng),
        case(int(rng.integers(20, 60)), int(rng.integers(11, 40)), 0.01, 4, 1),  # nothing is kept, and one layer reads
        case(10 * int(rng.integers(1, 4)) + 1, 3, 0.3, 2, 5),
        case(1, 1, 1.0, 8, int(rng.integers(2, 5))),
        case(2, int(rng.integers(11, 40)), 0.5, 4, 2),
        case(7, int(rng.integers(11, 40)), 0.19, 4, 1),
        case(int(rng.integers(101, 400)), 1, 0.317, 4, int(rng.integers(12, 70))),
    ]


BANK = [
    wrong("exact-once-per-reader", bytes_with(exact=lambda f, readers, **g: f["exact"] * readers),
          "notebook 08, section 6: trap three",
          "The exact input is counted once for every layer that reads it.",
          "All of them read one and the same array, and a tape holds an array, not the wish to read it."),
    wrong("sketch-matrix-stored", bytes_with(
              one_sketch=lambda f, rows, rate, itemsize, **g: f["one_sketch"] + rows * int(rate * rows) * itemsize
          ), "notebook 08, section 4: it keeps the seed",
          "The one sketch is too large by rows times kept rows.",
          "That is S itself. It need not be kept, because a seed is enough to draw it again."),
    wrong("features-reduced-instead-of-rows", bytes_with(
              one_sketch=lambda f, rows, features, rate, itemsize, **g: rows * int(rate * features) * itemsize,
              separate_sketches=lambda f, rows, features, rate, itemsize, readers: (
                  readers * rows * int(rate * features) * itemsize
              ),
          ), "notebook 08, section 3",
          "The share was taken of the features.",
          "S stands between the rows of the two factors, so it makes few rows of many."),
    wrong("numbers-instead-of-bytes",
          lambda rows, features, rate, itemsize, readers: stored_bytes(rows, features, rate, 1, readers),
          "notebook 08, section 6, and the docstring: itemsize",
          "Numbers are counted, not bytes.",
          "A number in single precision takes four bytes, in double precision eight."),
    wrong("rounded-up", lambda rows, features, rate, itemsize, readers: stored_bytes(
              rows, features, math.ceil(rate * rows) / rows + 1e-12, itemsize, readers
          ), "the task",
          "One row too many is kept.",
          "b is rho times B, rounded down."),
    wrong("saving-instead-of-size", bytes_with(one_sketch=lambda f, **g: f["exact"] - f["one_sketch"]), "the task",
          "For the one sketch stands what it saves, not what it stores.",
          "The question is what the tape holds."),
    wrong("separate-not-multiplied", bytes_with(separate_sketches=lambda f, **g: f["one_sketch"]),
          "notebook 08, section 6: trap three",
          "Several sketches are as large as one.",
          "Each layer that draws its own sketch stores its own summary of the common input."),
    wrong("rounded-to-the-nearest", lambda rows, features, rate, itemsize, readers: stored_bytes(
              rows, features, (round(rate * rows) + 1e-6) / rows, itemsize, readers
          ), "the task: rounded down",
          "In some of your numbers one row too many is kept.",
          "You rounded to the nearest whole number of rows."),
    wrong("not-rounded", bytes_with(
              one_sketch=lambda f, rows, features, rate, itemsize, readers: rate * rows * features * itemsize,
              separate_sketches=lambda f, rows, features, rate, itemsize, readers: (
                  readers * rate * rows * features * itemsize
              ),
          ), "the task: rounded down",
          "The sketches hold a part of a row, and parts of a byte.",
          "A sketch has a whole number of rows. Which one is it if the share lies between two?"),
    wrong("rounded-too-late", bytes_with(
              one_sketch=lambda f, rows, features, rate, itemsize, readers: int(rate * rows * features * itemsize),
              separate_sketches=lambda f, rows, features, rate, itemsize, readers: (
                  readers * int(rate * rows * features * itemsize)
              ),
          ), "the task: rounded down",
          "The sketches hold parts of a row.",
          "It is the number of rows that is rounded, before anything is multiplied by it."),
    wrong("share-that-is-saved", bytes_with(break_even_rate=lambda f, readers, **g: 1 - 1 / readers),
          "notebook 08, section 6: trap three",
          "The bytes are right; the rate is what remains to one when the right one is taken off.",
          "Keeping fewer rows saves more. A sketch each saves something below the rate, not above it."),
    wrong("rate-for-one-sketch", bytes_with(break_even_rate=lambda f, **g: 1.0), "notebook 08, section 6: trap three",
          "The bytes are right; the rate is that for a sketch that all layers share.",
          "Asked for is where a sketch each begins to save something."),
    wrong("readers-for-the-rate", bytes_with(break_even_rate=lambda f, readers, **g: readers),
          "notebook 08, section 6, and the task: the rate",
          "The bytes are right; for the rate stands the number of layers.",
          "A rate is a share of the rows, and no more than one."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.3",
    title="What is stored",
    function="stored_bytes",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 08, section 6",
    reference=stored_bytes,
    domain={
        "rows": Number(whole=True, at_least=1),
        "features": Number(whole=True, at_least=1),
        "rate": Number(more_than=0, at_most=1),
        "itemsize": Choice(2, 4, 8),
        "readers": Number(whole=True, at_least=1),
    },
    meets={
        "a whole number of rows is kept without rounding": lambda rows, rate: rate < 1 and (rate * rows) % 1 == 0,
        "a row is only just missed": lambda rows, rate: (rate * rows) % 1 > 0.99 and rate * rows > 1,
        "the bytes are more than 32 bits can hold": lambda rows, features, itemsize: rows * features * itemsize > 2**32,
        "no row is kept": lambda rows, rate: rate * rows < 1,
        "one row of several is kept": lambda rows, rate: 1 <= rate * rows < 2 < rows,
        "more than half a row is rounded down": lambda rows, rate: (rate * rows) % 1 > 0.5 and rate * rows > 1,
        "less than half a row is rounded down": lambda rows, rate: 0 < (rate * rows) % 1 < 0.5,
    },
    visible=[
        case(2048, 768, 0.2, 4, 3),
        case(333, 50, 0.5, 8, 2),
        case(150, 64, 0.37, 4, 4),
        *bytes_edges(np.random.default_rng(83)),
    ],
    hidden=hidden_bytes,
    accepted=[bytes_floor, bytes_by_arrays, bytes_divmod, bytes_searched, bytes_counted],
    bank=BANK,
    hints=(
        "The tape holds B rows of N numbers, or b rows of N numbers. How many is b?",
        "b = int(rate * rows). One array has rows (or b) times features times itemsize bytes; separate sketches are as "
        "many arrays as there are readers.",
        "Separate sketches cost readers times rate times the exact size, so they break even at rate = 1 / readers.",
    ),
)
