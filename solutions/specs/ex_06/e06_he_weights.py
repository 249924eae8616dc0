"""06.6 A start for patient C."""

from __future__ import annotations

import numpy as np

from coursepkg import nn
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import spread


def he_weights(draws):
    return draws * np.sqrt(2 / draws.shape[1])


def he_by_loops(draws):
    return [[value * (2 / len(row)) ** 0.5 for value in row] for row in draws]


def he_by_division(draws):
    inputs = np.shape(draws)[-1]
    return np.divide(draws, np.sqrt(inputs / 2))


def he_by_matrix(draws):
    return draws @ np.diag(np.full(draws.shape[1], np.sqrt(2.0) / np.sqrt(draws.shape[1])))


def he_in_float32(draws):
    return (np.float32(draws) * np.float32(np.sqrt(2 / draws.shape[1]))).astype(np.float32)


def he_by_powers(draws):
    weights = draws.copy()
    weights *= (draws.size / len(draws) / 2) ** -0.5
    return weights


def he_by_tensors(draws):
    return nn.Parameter(draws) * (2 / draws.shape[1]) ** 0.5


def of_unit_spread(draws):
    """Scales the sample at hand, not the distribution that it came from."""
    return draws * np.sqrt(2 / draws.shape[1]) / np.sqrt(np.mean(draws**2))


def draws_case(rng, outputs, inputs):
    return case(spread(rng, outputs, inputs, low=0.2, high=2.0))


_draw = np.random.default_rng(66)

BANK = [
    wrong("variance-for-deviation", lambda draws: draws * 2 / draws.shape[1], "'4 · Signals through depth'",
          "The numbers are scaled by the variance itself.",
          "Scaling a random number by s scales its variance by the square of s."),
    wrong("fan-out-for-fan-in", lambda draws: draws * np.sqrt(2 / draws.shape[0]), "'4 · Signals through depth'",
          "The scale uses the number of outputs.",
          "A pre-activation sums over the inputs of its unit. In a matrix of shape (outputs, inputs) these are "
          "the columns."),
    wrong("no-room-for-relu", lambda draws: draws * np.sqrt(1 / draws.shape[1]), "'4 · Signals through depth'",
          "Every weight is too small by the square root of two.",
          "That is the scale for tanh. A ReLU lets only half of the mean square through."),
    wrong("glorot-for-he", lambda draws: draws * np.sqrt(2 / sum(draws.shape)), "'4 · Signals through depth'",
          "The scale uses inputs plus outputs.",
          "That is Glorot's compromise, made for tanh."),
    wrong("all-weights-count", lambda draws: draws * np.sqrt(2 / draws.size), "'4 · Signals through depth'",
          "The scale uses the number of all weights.",
          "One pre-activation sums over one row only."),
    wrong("constant-start", lambda draws: np.full(draws.shape, np.sqrt(2 / draws.shape[1])),
          "'Starting alike, staying alike'",
          "All weights are equal.",
          "This is what made patient C ill: equal units get equal gradients and stay copies."),
    wrong("scaled-up", lambda draws: draws * np.sqrt(draws.shape[1] / 2), "'4 · Signals through depth'",
          "The more inputs, the larger your weights; it should be the other way round.",
          "More terms in a sum make it larger, so each has to be smaller."),
    wrong("not-scaled", lambda draws: draws.copy(), "'4 · Signals through depth'",
          "The draws came back as they were.",
          "With a variance of 1 each, a sum over the inputs has a variance that grows with their number."),
    wrong("root-of-the-two-only", lambda draws: draws * np.sqrt(2) / draws.shape[1], "'4 · Signals through depth'",
          "The two stands under the root, the number of inputs does not.",
          "The variance is a fraction, and a deviation is the root of all of it."),
    wrong("limit-of-a-uniform-draw", lambda draws: draws * np.sqrt(6 / draws.shape[1]), "'4 · Signals through depth'",
          "Every weight is too large by the square root of three.",
          "The six belongs to uniform draws, whose variance is a third of the square of their limit."),
    wrong("inputs-have-a-limit", lambda draws: draws * np.sqrt(2 / min(draws.shape[1], 20)),
          "'4 · Signals through depth'",
          "Right for narrow layers; from 20 inputs on, the scale stays where it is.",
          "Every further input adds to the sum, so the scale has to go on falling."),
    wrong("sample-made-to-measure", of_unit_spread, "'4 · Signals through depth', and the docstring of the exercise",
          "The draws at hand were first scaled to a mean square of exactly 1.",
          "Variance 1 is said of the distribution. A sample may differ from it, and that belongs to the draw."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.6",
    title="A start for patient C",
    function="he_weights",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 06, '4 · Signals through depth'",
    reference=he_weights,
    domain={"draws": Array("o i")},
    visible=[
        draws_case(_draw, 2, 5),
        draws_case(_draw, 4, 3),
        draws_case(_draw, 3, 8),
        draws_case(_draw, 3, 1),
        draws_case(_draw, 1, 40),
    ],
    hidden=lambda rng: [
        draws_case(rng, 3, 5),
        draws_case(rng, 6, 3),
        draws_case(rng, 2, 7),
        draws_case(rng, 4, 1),
        draws_case(rng, 1, 1030),
    ],
    meets={"more than 32 inputs": lambda draws: draws.shape[1] > 32},
    accepted=[he_by_loops, he_by_division, he_by_matrix, he_in_float32, he_by_powers, he_by_tensors],
    bank=BANK,
    hints=(
        "Which variance should a weight have in front of a ReLU, and which number is needed for that: rows or columns?",
        "Multiplying standard normal draws by s gives them the variance s squared.",
        "s is the square root of 2 over the number of inputs, and a row of the matrix holds the inputs of one unit.",
    ),
    equivalent_mutants={
        "`1` → `-1`": "the last axis of a matrix is its second",
    },
)
