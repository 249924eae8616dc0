"""12.4 In the coordinates of a chip."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def angle_gradient(W_bar, theta, i, j):
    along = W_bar[i, i] + W_bar[j, j]
    across = W_bar[j, i] - W_bar[i, j]
    return np.cos(theta) * across - np.sin(theta) * along


def angle_by_matrix(W_bar, theta, i, j):
    slope = np.zeros(np.shape(W_bar))
    slope[[i, j], [i, j]] = -np.sin(theta)
    slope[i, j], slope[j, i] = -np.cos(theta), np.cos(theta)
    return np.sum(np.asarray(W_bar) * slope)


def angle_by_trace(W_bar, theta, i, j):
    turn = np.zeros(np.shape(W_bar))
    turn[j, i], turn[i, j] = 1.0, -1.0
    rotation = np.eye(len(W_bar))
    c, s = np.cos(theta), np.sin(theta)
    rotation[i, i] = rotation[j, j] = c
    rotation[j, i], rotation[i, j] = s, -s
    return np.trace(np.transpose(W_bar) @ turn @ rotation)


def angle_by_complex_step(W_bar, theta, i, j):
    c, s = np.cos(theta + 1e-30j), np.sin(theta + 1e-30j)
    value = c * (W_bar[i][i] + W_bar[j][j]) + s * W_bar[j][i] - s * W_bar[i][j]
    return value.imag / 1e-30


def angle_by_engine(W_bar, theta, i, j):
    corner = np.asarray(W_bar, dtype=float)[np.ix_([i, j], [i, j])]

    def loss(theta):
        return np.cos(theta) * (corner[0, 0] + corner[1, 1]) + np.sin(theta) * (corner[1, 0] - corner[0, 1])

    return gradients.reverse(loss)(float(theta))


def angle_by_math(W_bar, theta, i, j):
    table = [[float(entry) for entry in row] for row in W_bar]
    return math.cos(theta) * (table[j][i] - table[i][j]) - math.sin(theta) * (table[i][i] + table[j][j])


def corner_with(rule):
    """A wrong rule for cosine, sine and the four entries of W_bar that belong to the plane."""
    return lambda W, theta, i, j: rule(np.cos(theta), np.sin(theta), W[i, i], W[i, j], W[j, i], W[j, j])


def angle_cases(rng):
    drawn = []
    for n, i, j in ((3, 0, 2), (4, 1, 3), (5, 2, 3), (4, 3, 1)):
        drawn.append(case(numbers(rng, n, n), round(float(rng.uniform(0.3, 1.2)), 3), i, j))
    return [*drawn, *angle_edges(rng)]


def angle_edges(rng):
    """An angle of 0; more than half a turn, in both directions; the first plane; j before i; whole numbers; n = 2."""
    return [
        case(numbers(rng, 3, 3), 0.0, 1, 2),
        case(numbers(rng, 4, 4), round(float(rng.uniform(3.5, 4.4)), 3), 0, 1),
        case(numbers(rng, 3, 3), round(float(rng.uniform(-5.9, -5.0)), 3), 2, 0),
        case(numbers(rng, 2, 2), round(float(rng.uniform(-1.2, -0.3)), 3), 1, 0),
        case(rng.permutation([[3, -1, 2], [-2, 5, 1], [4, -3, 7]]), 1, 0, 2),
        case(numbers(rng, 6, 6), round(float(rng.uniform(1.7, 2.9)), 3), 4, 5),
    ]


def rotation_of(W, theta, i, j):
    U = np.eye(len(W))
    U[i, i] = U[j, j] = np.cos(theta)
    U[i, j], U[j, i] = -np.sin(theta), np.sin(theta)
    return U


BANK = [
    wrong("turned-the-other-way", corner_with(lambda c, s, ii, ij, ji, jj: c * (ij - ji) - s * (ii + jj)),
          "the task: where does the minus stand?",
          "The part with the cosine has the wrong sign.",
          "You took the rotation the other way round: row and column are exchanged."),
    wrong("matrix-in-place-of-its-slope", lambda W, theta, i, j: np.sum(W * rotation_of(W, theta, i, j)),
          "notebook 12, section 3, 'In light'",
          "You multiplied by the matrix itself.",
          "The question is how its entries move when the angle moves, not how large they are."),
    wrong("only-the-corners", corner_with(lambda c, s, ii, ij, ji, jj: c * (ji - ij)),
          "the task: four entries depend on the angle",
          "At an angle of 0 it is right, elsewhere a part is missing.",
          "The entries on the diagonal move as well; at 0 they stand at their maximum."),
    wrong("only-the-diagonal", corner_with(lambda c, s, ii, ij, ji, jj: -s * (ii + jj)),
          "the task: four entries depend on the angle",
          "At an angle of 0 you get 0.",
          "A small turn hardly changes the diagonal. It is the entries beside it that move first."),
    wrong("sign-of-the-sine", corner_with(lambda c, s, ii, ij, ji, jj: c * (ji - ij) + s * (ii + jj)),
          "the task: four entries depend on the angle",
          "At an angle of 0 it is right, elsewhere a part has the wrong sign.",
          "A cosine falls while a small positive angle grows."),
    wrong("both-corners-alike", corner_with(lambda c, s, ii, ij, ji, jj: c * (ji + ij) - s * (ii + jj)),
          "the task: where does the minus stand?",
          "The two entries beside the diagonal were counted with the same sign.",
          "One of the sines has a minus in front of it, and it keeps it."),
    wrong("diagonal-with-opposite-signs", corner_with(lambda c, s, ii, ij, ji, jj: c * (ji - ij) - s * (ii - jj)),
          "the task: where does the minus stand?",
          "The two entries on the diagonal were counted with opposite signs.",
          "Both are the same cosine."),
    wrong("one-row-only", corner_with(lambda c, s, ii, ij, ji, jj: -c * ij - s * ii),
          "notebook 12, section 3, 'In light'",
          "You followed row i alone.",
          "The angle moves two rows, and where paths meet, gradients add."),
    wrong("angle-in-degrees", lambda W, theta, i, j: angle_gradient(W, np.degrees(theta), i, j),
          "the docstring: radians",
          "At an angle of 0 it is right, elsewhere it has nothing to do with the answer.",
          "NumPy's functions take radians, and the angle is in radians already."),
    wrong("planes-in-order", lambda W, theta, i, j: angle_gradient(W, theta, min(i, j), max(i, j)),
          "the docstring: i and j",
          "It goes wrong where j stands before i.",
          "The order of i and j says in which direction the angle turns."),
    wrong("mean-of-the-entries", lambda W, theta, i, j: angle_gradient(W, theta, i, j) / 4,
          "notebook 12, section 3, 'In light'",
          "You get a quarter of the right slope.",
          "Every entry that moves changes the loss, and these changes add up; they are not averaged."),
    wrong("left-as-a-matrix", lambda W, theta, i, j: W * (rotation_of(W, theta + np.pi / 2, i, j)
          - np.diag([float(k not in (i, j)) for k in range(len(W))])),
          "the docstring: what is returned?",
          "You returned a matrix.",
          "An angle is one number, and so is the slope along it: the sum over all entries."),
]  # fmt: skip

EXERCISE = Exercise(
    id="12.4",
    title="In the coordinates of a chip",
    function="angle_gradient",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 12, section 3, 'In light'",
    reference=angle_gradient,
    integers=True,
    domain={
        "W_bar": Array("n>=2 n>=2", all_zero=True),
        "theta": Number(period=2 * math.pi),
        "i": Number(whole=True, at_least=0),
        "j": Number(whole=True, at_least=0),
    },
    always={
        "i and j are two different units": lambda W_bar, i, j: i != j and max(i, j) < len(W_bar),
    },
    meets={
        "j stands before i": lambda i, j: j < i,
        "W_bar holds whole numbers": lambda W_bar: W_bar.dtype.kind == "i",
        "the angle is negative": lambda theta: theta < -0.2,
    },
    visible=[
        case(np.array([[0.5, -1.0, 2.0], [1.5, 0.8, -0.4], [-2.2, 1.1, 0.9]]), 0.6, 0, 1),
        *angle_cases(np.random.default_rng(124))[:3],
        *angle_edges(np.random.default_rng(124)),
    ],
    hidden=angle_cases,
    accepted=[angle_by_matrix, angle_by_trace, angle_by_complex_step, angle_by_engine, angle_by_math],
    bank=BANK,
    hints=(
        "W_bar says what a nudge of each entry is worth. Which entries does the angle nudge, and at which rate each?",
        "Differentiate the four entries by the angle: two cosines and two sines, one of them with a minus.",
        "Sum W_bar times the rates: -sin on both diagonal entries, -cos at row i, column j, +cos at row j, column i.",
    ),
)
