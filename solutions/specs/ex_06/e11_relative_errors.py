"""06.11 Which gradient is wrong?."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .shared import spread


def relative_errors(by_hand, measured):
    errors = {}
    for name in by_hand:
        a, b = by_hand[name], measured[name]
        errors[name] = np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))
    return errors


def errors_by_flat_vectors(by_hand, measured):
    def norm(array):
        return np.sqrt(np.sum(np.ravel(array) ** 2))

    return {k: norm(by_hand[k] - measured[k]) / (norm(by_hand[k]) + norm(measured[k])) for k in by_hand}


def errors_with_loops(by_hand, measured):
    errors = {}
    for name, a in by_hand.items():
        pairs = list(zip(np.ravel(a).tolist(), np.ravel(measured[name]).tolist(), strict=True))
        gap = sum((u - v) ** 2 for u, v in pairs) ** 0.5
        errors[name] = gap / (sum(u * u for u, _ in pairs) ** 0.5 + sum(v * v for _, v in pairs) ** 0.5)
    return errors


def errors_by_einsum(by_hand, measured):
    def length(array):
        flat = np.reshape(array, -1)
        return float(np.sqrt(np.einsum("i,i->", flat, flat)))

    pairs = {name: (by_hand[name], measured[name]) for name in measured}
    return {name: np.float64(length(a - b) / (length(a) + length(b))) for name, (a, b) in pairs.items()}


def errors_by_frobenius(by_hand, measured):
    errors = {}
    for name in sorted(by_hand, reverse=True):
        sizes = [np.sqrt(np.trace(np.atleast_2d(m) @ np.atleast_2d(m).T)) for m in (by_hand[name], measured[name])]
        gap = np.atleast_2d(by_hand[name]) - np.atleast_2d(measured[name])
        errors[name] = np.sqrt(np.trace(gap @ gap.T)) / sum(sizes)
    return errors


def errors_by_hypot(by_hand, measured):
    def size(array):
        return np.hypot.reduce(np.abs(array), axis=None)

    return {
        name: size(measured[name] - by_hand[name]) / (size(by_hand[name]) + size(measured[name])) for name in by_hand
    }


def errors_with(formula):
    return lambda by_hand, measured: {name: formula(by_hand[name], measured[name]) for name in by_hand}


def check_case(rng, sizes):
    """Gradients of very different size, each wrong by another slip."""
    slips = [lambda g: 2 * g, lambda g: -g, lambda g: g * 1.01, lambda g: g + np.max(abs(g)) * 0.3, lambda g: 0.5 * g]
    by_hand, measured = {}, {}
    for k, (name, (shape, scale)) in enumerate(sizes.items()):
        measured[name] = scale * spread(rng, *shape)
        by_hand[name] = slips[(k + int(rng.integers(5))) % 5](measured[name])
    return case(by_hand, measured)


_draw = np.random.default_rng(611)

SIZES = [
    {"W": ((3, 2), 1.0), "b": ((3,), 1e-6), "V": ((2, 3), 100.0)},
    {"W": ((2, 4), 1e-4), "b": ((2,), 10.0)},
    {"V": ((4, 3), 1e-3), "c": ((4,), 30.0), "W": ((3, 5), 1e-7)},
]

BANK = [
    wrong("absolute-error", errors_with(lambda a, b: np.linalg.norm(a - b)), "'7 · Five patients'",
          "Small gradients look right although they are wrong, and large ones look wrong by much.",
          "A difference says nothing unless it is compared with the size of what it is a difference of."),
    wrong("signs-cancel", errors_with(lambda a, b: abs(np.sum(a - b)) / (abs(np.sum(a)) + abs(np.sum(b)))),
          "the docstring of the exercise",
          "Differences of opposite sign cancel in your sum.",
          "A norm adds up squares, so that nothing can cancel."),
    wrong("compares-sizes-only", errors_with(
              lambda a, b: abs(np.linalg.norm(a) - np.linalg.norm(b)) / (np.linalg.norm(a) + np.linalg.norm(b))
          ), "the docstring of the exercise",
          "A gradient with the opposite sign passes as right.",
          "Two arrows of the same length may point in different directions."),
    wrong("relative-to-the-answer", errors_with(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(a)),
          "the docstring of the exercise",
          "The errors are relative to the gradient by hand alone.",
          "A gradient that is far too large would excuse itself; and one that is all zeros would divide by zero."),
    wrong("relative-to-the-measurement", errors_with(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)),
          "the docstring of the exercise",
          "The errors are relative to the measured gradient alone.",
          "The docstring asks for the sum of both norms, which treats the two alike."),
    wrong("forgets-the-root", errors_with(lambda a, b: np.sum((a - b) ** 2) / (np.sum(a**2) + np.sum(b**2))),
          "the docstring of the exercise",
          "You compared squares of lengths.",
          "A norm is the root of the sum of squares; without it one per cent looks like 0.01 per cent."),
    wrong("norm-of-the-sum", errors_with(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(a + b)),
          "the docstring of the exercise",
          "You divided by the norm of the sum instead of the sum of the norms.",
          "If the two point in opposite directions, their sum may vanish while both are large."),
    wrong("floor-of-one",
          errors_with(lambda a, b: np.linalg.norm(a - b) / max(1.0, np.linalg.norm(a) + np.linalg.norm(b))),
          "the docstring of the exercise",
          "Small gradients look right although they are wrong.",
          "A floor of 1 in the denominator turns the error of small gradients into an absolute one."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.11",
    title="Which gradient is wrong?",
    function="relative_errors",
    minutes=7,
    difficulty=1,
    points=3,
    see="notebook 06, '7 · Five patients'",
    reference=relative_errors,
    visible=[check_case(_draw, sizes) for sizes in SIZES],
    hidden=lambda rng: [check_case(rng, sizes) for sizes in SIZES],
    accepted=[errors_by_flat_vectors, errors_with_loops, errors_by_einsum, errors_by_frobenius, errors_by_hypot],
    bank=BANK,
    hints=(
        "For each name there are two arrays. How long is their difference, and compared with what?",
        "np.linalg.norm of a matrix or a vector is the root of the sum of the squares of its entries.",
        "Length of the difference, divided by the length of the one plus the length of the other.",
    ),
    equivalent_mutants={
        "`a - b` → `b - a`": "a difference is as long as its opposite",
    },
)
