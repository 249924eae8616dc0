"""11.9 Repairing what loss did."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def undo_loss(toggled, loss_db):
    entries = np.arange(len(toggled)) + 1
    return toggled * 10 ** (loss_db * entries / 10)[:, None]


def undo_loops(toggled, loss_db):
    rows = []
    for c, row in enumerate(toggled, start=1):
        power = 10 ** (-loss_db * c / 10)
        rows.append([value / power for value in row])
    return rows


def undo_rho(toggled, loss_db):
    rho = 10 ** (-loss_db / 20)
    return np.stack([row / rho ** (2 * c) for c, row in enumerate(toggled, 1)])


def undo_exp(toggled, loss_db):
    return np.exp(math.log(10) / 10 * loss_db * np.arange(1, len(toggled) + 1))[:, np.newaxis] * toggled


def undo_running(toggled, loss_db):
    gain = np.cumprod(np.full(len(toggled), 10 ** (loss_db / 10)))
    return np.einsum("c,cm->cm", gain, toggled)


def undo_matrix(toggled, loss_db):
    return np.diag([10 ** (0.1 * loss_db * c) for c in range(1, len(toggled) + 1)]) @ toggled


def undo_single(toggled, loss_db):
    return undo_loss(toggled, loss_db).astype(np.float32)


def undo_with(exponent):
    """A gain of 10 to the power of ``exponent(loss_db, entries, number of columns)``."""

    def answer(toggled, loss_db):
        gain = 10.0 ** exponent(loss_db, np.arange(len(toggled)) + 1, len(toggled))
        return toggled * np.broadcast_to(gain, len(toggled))[:, None]

    return answer


def undo_in_turn(toggled, loss_db):
    """Column after column takes one more loss away from itself and all that follow."""
    found = np.array(toggled, dtype=float)
    for c in range(len(found)):
        found[c:] /= 10 ** (-loss_db / 10)
    return found


def undo_decibels(toggled, loss_db):
    """Levels in decibels, where a gain is added."""
    columns = np.indices(np.shape(toggled))[0] + 1
    with np.errstate(divide="ignore"):
        level = 10 * np.log10(np.abs(toggled)) + loss_db * columns
    return np.sign(toggled) * 10 ** (level / 10)


def undo_case(rng, columns, heaters, low=0.2, high=1.5):
    sizes = rng.choice([-1.0, 1.0], (columns, heaters)) * rng.uniform(0.2, 1.1, (columns, heaters))
    return case(np.round(sizes, 4), round(float(rng.uniform(low, high)), 3))


def undo_cases(rng):
    """One column, one heater in each, one alone; no loss, little, and a lot; a reading of 0, whole numbers."""
    with_zero = undo_case(rng, 4, 2)
    with_zero.args[0][rng.integers(1, 4), rng.integers(2)] = 0.0
    return [
        with_zero,
        undo_case(rng, 3, 4),
        undo_case(rng, 3, 3),
        undo_case(rng, 6, 2, 0.01, 0.05),
        undo_case(rng, 8, 1, 0.006, 0.009),
        undo_case(rng, 3, 2, 35.0, 45.0),
        undo_case(rng, 2, 3, 4.0, 11.0),
        undo_case(rng, 1, 4),
        undo_case(rng, 5, 1),
        undo_case(rng, 1, 1),
        case(undo_case(rng, 2, 4).args[0], 0.0),
        case(rng.choice([-1, 1], (3, 2)) * rng.integers(1, 9, (3, 2)), round(float(rng.uniform(0.2, 1.5)), 3)),
    ]


def undo_along_the_heaters(toggled, loss_db):
    return toggled * 10 ** (loss_db * (np.arange(np.shape(toggled)[1]) + 1) / 10)


BANK = [
    wrong("decibels-of-a-field", undo_with(lambda db, c, C: db * c / 20),
          "notebook 11, section 9: rho to the power of 2c",
          "The gain is the square root of what is needed.",
          "dB / 20 gives the factor of a field. Two fields are damped too much, so the factor counts twice."),
    wrong("decibels-counted-twice", undo_with(lambda db, c, C: db * c / 5),
          "notebook 11, section 9: rho to the power of 2c",
          "The gain is the square of what is needed.",
          "Did the factor of two get in twice? What a column does to a power is rho squared already."),
    wrong("loss-applied-again", undo_with(lambda db, c, C: -db * c / 10),
          "the task: what the toggled reading is",
          "You damped once more what loss had already damped.",
          "To undo a factor, divide by it."),
    wrong("own-column-forgotten", undo_with(lambda db, c, C: db * (c - 1) / 10), "the task: where a column loses",
          "Every row is too small by the same factor: the loss of one column.",
          "Light loses at the entry of a column, so even the first taps have one loss before them."),
    wrong("counted-from-the-end", undo_with(lambda db, c, C: db * (C + 1 - c) / 10),
          "notebook 11, section 9: rho to the power of 2c",
          "The columns are counted from the right.",
          "Backward light loses on the columns behind the tap, and so does the true gradient: that cancels."),
    wrong("one-gain-for-all", undo_with(lambda db, c, C: db * C / 10), "notebook 11, section 9: rho to the power of 2c",
          "All rows got the same gain.",
          "A common factor would only change the learning rate. The fault grows from column to column."),
    wrong("percent-for-decibels",
          lambda toggled, loss_db: toggled / (1 - loss_db / 10) ** np.arange(1, len(toggled) + 1)[:, None],
          "the task: what a decibel is",
          "You took a decibel for ten per cent of the power.",
          "A decibel is a tenth of a power of ten: 10^(-0.1), which is 0.794."),
    wrong("natural-exponential",
          lambda toggled, loss_db: toggled * np.exp(loss_db / 10 * np.arange(1, len(toggled) + 1))[:, None],
          "the task: what a decibel is",
          "The base of your gain is e, not 10.",
          "Decibels count powers of ten."),
    wrong("counted-along-the-heaters", undo_along_the_heaters, "the task: row 0 are the heaters of the first column",
          "The gain grows along each row; all rows have the same gains.",
          "A row of the array holds one column of the chip. The loss grows from row to row."),
    wrong("gain-of-one-column-times-the-count",
          lambda toggled, loss_db: toggled * (10 ** (loss_db / 10) * np.arange(1, len(toggled) + 1))[:, None],
          "notebook 11, section 9: rho to the power of 2c",
          "Row 0 is right; further down the gain grows in a straight line.",
          "Losses one behind another multiply, so their gains do."),
    wrong("gain-of-the-first-column-for-all", undo_with(lambda db, c, C: db / 10 + 0 * c),
          "notebook 11, section 9: rho to the power of 2c",
          "Row 0 is right, and all other rows got the same gain as row 0.",
          "Light on its way to a later column has lost at every entry before it, too."),
    wrong("one-loss-too-many", undo_with(lambda db, c, C: db * (c + 1) / 10), "the task: where a column loses",
          "Every row is too large by the same factor: the loss of one column.",
          "Before the taps of row 0 light has lost at one entry, their own."),
    wrong("there-and-back-counted-again", undo_with(lambda db, c, C: db * (2 * c - 1) / 10),
          "notebook 11, section 9: rho to the power of 2c",
          "Row 0 is right; from row to row the gain grows by two losses of power.",
          "rho squared is what one column does to a power: two fields, each shortened once."),
    wrong("gain-by-its-slope", lambda toggled, loss_db: (
              toggled * (1 + math.log(10) / 10 * loss_db * np.arange(1, len(toggled) + 1))[:, None]
          ), "the task: what a decibel is",
          "Nearly right where hardly any power is lost, and too small where much is.",
          "Decibels multiply. A straight line has the same slope at no loss, and nothing else in common."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.9",
    title="Repairing what loss did",
    function="undo_loss",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 11, section 9",
    reference=undo_loss,
    domain={"toggled": Array("columns heaters"), "loss_db": Number(at_least=0)},
    meets={
        "there is one heater in all": lambda toggled: np.size(toggled) == 1,
        "as many columns as heaters": lambda toggled: len(toggled) == len(toggled[0]) > 1,
        "the readings are whole numbers": lambda toggled: toggled.dtype.kind == "i",
        "nearly all power is lost": lambda loss_db: loss_db > 30,
        "most of the power is lost": lambda loss_db: loss_db > 3.5,
        "next to no power is lost": lambda toggled, loss_db: len(toggled) == 8 and 0 < loss_db < 0.01,
        "hardly any power is lost": lambda loss_db: 0 < loss_db < 0.06,
    },
    visible=undo_cases(np.random.default_rng(9)),
    hidden=undo_cases,
    accepted=[
        undo_loops,
        undo_rho,
        undo_exp,
        undo_running,
        undo_matrix,
        undo_single,
        undo_in_turn,
        undo_decibels,
    ],
    bank=BANK,
    hints=(
        "By which factor does the gain grow from row to row? And how large is that of row 0?",
        "A column lets the share rho² = 10^(-loss_db / 10) of the power through; c lossy entries need 1 / rho^{2c}.",
        "Multiply row 0 by 10 ** (loss_db / 10), row 1 by the square of that, row 2 by its cube.",
    ),
)
