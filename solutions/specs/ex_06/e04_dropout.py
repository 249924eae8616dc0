"""06.4 Dropout, there and back."""

from __future__ import annotations

import numpy as np

from coursepkg.gradients import reverse
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import spread


def dropout(x, y_bar, draws, p):
    mask = (draws >= p) / (1 - p)
    return {"y": x * mask, "x_bar": y_bar * mask}


def dropout_by_where(x, y_bar, draws, p):
    return {"y": np.where(draws < p, 0.0, x / (1 - p)), "x_bar": np.where(draws < p, 0.0, y_bar / (1 - p))}


def dropout_in_place(x, y_bar, draws, p):
    y, x_bar = x.copy(), y_bar.copy()
    for array in (y, x_bar):
        array[draws < p] = 0.0
        array /= 1 - p
    return {"y": y, "x_bar": x_bar}


def dropout_by_loops(x, y_bar, draws, p):
    def kept(array):
        return [
            [value / (1 - p) if u >= p else 0.0 for value, u in zip(*rows, strict=True)]
            for rows in zip(array, draws, strict=True)
        ]

    return {"y": kept(x), "x_bar": kept(y_bar)}


def dropout_by_engine(x, y_bar, draws, p):
    mask = np.where(draws >= p, 1 / (1 - p), 0.0)
    return {"y": x * mask, "x_bar": reverse(lambda u: np.sum(u * mask * y_bar))(x)}


def dropout_by_jacobian(x, y_bar, draws, p):
    J = np.diag(((draws >= p) / (1 - p)).ravel())
    return {"y": (J @ x.ravel()).reshape(x.shape), "x_bar": (J.T @ y_bar.ravel()).reshape(x.shape)}


def dropout_with(forward_mask, backward_mask):
    def answer(x, y_bar, draws, p):
        return {"y": x * forward_mask(draws, p), "x_bar": y_bar * backward_mask(draws, p, x)}

    return answer


def _mask(draws, p, x=None):
    return (draws >= p) / (1 - p)


def nearly_p_is_kept(draws, p, x=None):
    return ((draws >= p) | np.isclose(draws, p)) / (1 - p)


def limited(p):
    return lambda draws, q, x=None: _mask(draws, min(p, q))


def mask_made_of_x(x, y_bar, draws, p):
    """Dropout as a filter on the values: what is exactly 0 in y is taken for left out."""
    y = x * _mask(draws, p)
    return {"y": y, "x_bar": np.where(y != 0, y_bar / (1 - p), 0.0)}


def dropout_case(rng, rows, columns, p):
    """At least one entry is left out, and one is kept."""
    draws = np.round(rng.uniform(0.02, 0.98, (rows, columns)), 3) + 0.0005
    draws.flat[:2] = round(p / 2, 3) + 0.0005, round((1 + p) / 2, 3) + 0.0005
    return case(spread(rng, rows, columns), spread(rng, rows, columns), draws, p)


def dropout_edges(rng):
    """A draw of exactly p is kept, one of 0 too where p is 0; all or none may be left out."""
    arrays = [spread(rng, 2, 3) for _ in range(6)]
    at_p = np.array([[0.4, 0.1, 0.9], [0.75, 0.4, 0.39]])
    just_below = rng.permutation([0.4, 0.399999999, 0.39999999, 0.4000001, 0.9, 0.2]).reshape(2, 3)
    high, low = np.round(rng.uniform(0.7, 0.99, (2, 3)), 3), np.round(rng.uniform(0.001, 0.029, (2, 3)), 3)
    low[1, int(rng.integers(3))] = 0.0
    none_out = np.round(rng.uniform(0.1, 0.9, (2, 3)), 3)
    none_out.flat[rng.permutation(6)[:2]] = 0.0
    nearly_all = np.where(np.arange(6) == rng.integers(6), 0.9999997, 0.9999992).reshape(2, 3)
    return [
        case(*arrays[:2], at_p, 0.4),
        case(*arrays[2:4], high, 0.6),
        case(*arrays[4:], low, 0.03),
        case(*(spread(rng, 2, 3) for _ in range(2)), nearly_all, 0.9999995),
        case(
            *(spread(rng, 2, 3) for _ in range(2)),
            rng.permutation(np.tile([0.0, 3e-10, 6e-10], 2)).reshape(2, 3),
            5e-10,
        ),
        case(*(spread(rng, 2, 3) for _ in range(2)), just_below, 0.4),
        case(*(spread(rng, 2, 3) for _ in range(2)), none_out, 0.0),
    ]


def even_draws(rng):
    """Draws in quarters, which are exact."""
    return rng.permutation([0.0, 0.25, 0.25, 0.5, 0.5, 0.75]).reshape(2, 3)


_draw = np.random.default_rng(64)

BANK = [
    wrong("never-scaled", dropout_with(lambda u, p: u >= p, lambda u, p, x: u >= p), "'6 · Learning by heart'",
          "The right entries are zero, but those that are kept have not been scaled up.",
          "Without scaling, the expected output while training is smaller than in evaluation."),
    wrong("backward-not-scaled", dropout_with(_mask, lambda u, p, x: u >= p), "'6 · Learning by heart'",
          "y is right; the gradient has its zeros in the right places but was not scaled.",
          "y is x times a factor, so the gradient gets the same factor."),
    wrong("backward-not-masked", dropout_with(_mask, lambda u, p, x: np.ones_like(u)), "'6 · Learning by heart'",
          "y is right; the gradient passes as if nothing had been left out.",
          "An entry that was left out cannot have influenced the result."),
    wrong("another-mask-on-the-way-back", dropout_with(_mask, lambda u, p, x: (u[::-1, ::-1] >= p) / (1 - p)),
          "'6 · Learning by heart'",
          "y is right; the gradient's zeros are in other places.",
          "The way back belongs to the way there: the units that were out are still out."),
    wrong("keeps-what-it-should-drop", dropout_with(lambda u, p: (u < p) / p, lambda u, p, x: (u < p) / p),
          "the docstring of the exercise",
          "Zeros stand where the values should be, and values where the zeros should be.",
          "p is the probability of being left out, so draws below p are the ones that go."),
    wrong("divided-by-p", dropout_with(lambda u, p: (u >= p) / p, lambda u, p, x: (u >= p) / p),
          "'6 · Learning by heart'",
          "The right entries are zero; the others were divided by p.",
          "A share of 1 - p is kept. Dividing by the share that is kept brings the mean back."),
    wrong("scaled-down", dropout_with(lambda u, p: (u >= p) * (1 - p), lambda u, p, x: (u >= p) * (1 - p)),
          "'6 · Learning by heart'",
          "The right entries are zero; the others were made smaller instead of larger.",
          "Scaling down belongs to evaluation in an older convention; here evaluation does nothing."),
    wrong("open-where-x-is-positive", dropout_with(_mask, lambda u, p, x: (x > 0) / (1 - p)), "'6 · Learning by heart'",
          "y is right; the gradient passes where x is positive, as through a ReLU.",
          "Whether an entry is left out was decided by the draw, not by its value."),
    wrong("mask-turned-round", dropout_with(lambda u, p: (u < p) / (1 - p), lambda u, p, x: (u < p) / (1 - p)),
          "the docstring of the exercise",
          "The factors are right, but zeros stand where values should be, and values where zeros should be.",
          "p is the probability of being left out, so draws below p are the ones that go."),
    wrong("a-draw-equal-to-p-left-out", dropout_with(lambda u, p: (u > p) / (1 - p), lambda u, p, x: (u > p) / (1 - p)),
          "the docstring of the exercise",
          "All is right except where a draw equals p.",
          "Left out is what lies below p, and a number does not lie below itself."),
    wrong("nearly-p-is-kept", dropout_with(nearly_p_is_kept, nearly_p_is_kept), "the docstring of the exercise",
          "All is right except where a draw lies just below p.",
          "`isclose`, or too few digits, takes it for p itself. Below is below, by however little."),
    wrong("p-has-a-limit", dropout_with(limited(0.99), limited(0.99)), "the docstring of the exercise",
          "Right up to p = 0.99; where p is larger, more is kept, and scaled up by less.",
          "p may be anything below 1. Only at 1 itself would nothing be left to divide by."),
    wrong("mask-read-off-the-output", mask_made_of_x, "'6 · Learning by heart'",
          "y is right; where x is 0, the gradient is 0 although the entry was kept.",
          "An output can be 0 because its input is. Whether it was left out is decided by the draw alone."),
    wrong("scaled-twice", dropout_with(lambda u, p: (u >= p) / (1 - p) ** 2, lambda u, p, x: (u >= p) / (1 - p) ** 2),
          "'6 · Learning by heart'",
          "The right entries are zero; the others have been divided twice.",
          "One division by the share that is kept brings the mean back."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.4",
    title="Dropout, there and back",
    function="dropout",
    minutes=7,
    difficulty=1,
    points=3,
    see="notebook 06, '6 · Learning by heart'",
    reference=dropout,
    domain={
        "x": Array("n k"),
        "y_bar": Array("n k"),
        "draws": Array("n k", at_least=0, less_than=1),
        "p": Number(at_least=0, less_than=1),
    },
    meets={
        "a draw lies just below p": lambda draws, p: ((draws < p) & (draws > p - 1e-8 * p)).any(),
        "p is next to 1": lambda p: p > 0.999999,
        "p is next to 0": lambda p: 0 < p < 1e-8,
        "a draw equals p": lambda draws, p: p > 0 and (draws == p).any(),
        "a draw is 0, and p too": lambda draws, p: p == 0 and (draws == 0).any(),
        "nearly all are left out, and one is kept": lambda draws, p: p > 0.9 and (draws >= p).any(),
        "everything is left out": lambda draws, p: (draws < p).all(),
        "nothing is left out although p > 0": lambda draws, p: p > 0 and (draws >= p).all(),
    },
    visible=[
        dropout_case(_draw, 2, 4, 0.35),
        dropout_case(_draw, 3, 5, 0.6),
        dropout_case(_draw, 4, 3, 0.95),
        *dropout_edges(_draw),
    ],
    hidden=lambda rng: [
        dropout_case(rng, 3, 4, 0.35),
        dropout_case(rng, 2, 6, 0.7),
        dropout_case(rng, 5, 3, 0.95),
        *dropout_edges(rng),
        dropout_case(rng, 130, 1, 0.5),
        *(case(*(spread(rng, 2, 3) for _ in range(2)), even_draws(rng), p) for p in (0.25, 0.5)),
    ],
    accepted=[dropout_by_where, dropout_in_place, dropout_by_loops, dropout_by_engine, dropout_by_jacobian],
    bank=BANK,
    hints=(
        "Dropout multiplies each entry by a number that does not depend on x. Which numbers?",
        "The factor is 0 where the draw is below p, and one over the share that is kept elsewhere.",
        "Make the array of factors once. y is x times it; x_bar is y_bar times the same array.",
    ),
    credit={"y": 1, "x_bar": 2},
)
