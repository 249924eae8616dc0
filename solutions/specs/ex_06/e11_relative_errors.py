"""06.11 Which gradient is wrong?"""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Anything
from coursepkg.grading.specification.exercise import Exercise, case, wrong

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
        one, other = (np.reshape(m, (len(m), -1)) for m in (by_hand[name], measured[name]))
        sizes = [np.sqrt(np.trace(matrix @ matrix.T)) for matrix in (one, other, one - other)]
        errors[name] = sizes[2] / (sizes[0] + sizes[1])
    return errors


def errors_by_hypot(by_hand, measured):
    def size(array):
        return np.hypot.reduce(np.abs(array), axis=None)

    return {
        name: size(measured[name] - by_hand[name]) / (size(by_hand[name]) + size(measured[name])) for name in by_hand
    }


def errors_with(formula):
    return lambda by_hand, measured: {name: formula(by_hand[name], measured[name]) for name in by_hand}


def errors_with_norm(norm):
    return errors_with(lambda a, b: norm(a - b) / (norm(a) + norm(b)))


def first_with_first(by_hand, measured):
    """Pairs the arrays by their places in the two dicts; where shapes do not fit, there is nothing to subtract."""
    pairs = zip(by_hand.items(), measured.values(), strict=True)
    return {
        name: np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b)) if a.shape == b.shape else np.nan
        for (name, a), b in pairs
    }


def paired_by_place_and_shape(by_hand, measured):
    """As above, but where shapes do not fit, by name."""
    fitting = {
        name: b if np.shape(a) == np.shape(b) else measured[name]
        for (name, a), b in zip(by_hand.items(), measured.values(), strict=True)
    }
    return relative_errors(by_hand, fitting)


def small_errors_called_zero(by_hand, measured):
    return {name: 0.0 if error < 1e-6 else error for name, error in relative_errors(by_hand, measured).items()}


def error_by_expanding(a, b):
    """The square of a difference from three products; nearly equal ones leave rounding errors."""
    gap = np.sum(a * a) + np.sum(b * b) - 2 * np.sum(a * b)
    return np.sqrt(max(gap, 0.0)) / (np.linalg.norm(a) + np.linalg.norm(b))


def one_error_for_all(by_hand, measured):
    def length(arrays):
        return np.sqrt(sum(np.sum(array**2) for array in arrays))

    gap = length(by_hand[name] - measured[name] for name in by_hand)
    return dict.fromkeys(by_hand, gap / (length(by_hand.values()) + length(measured.values())))


SLIPS = {
    "none": lambda rng, g: g.copy(),
    "sign": lambda rng, g: -g,
    "twice": lambda rng, g: 2 * g,
    "close": lambda rng, g: g * (1 + 1e-7 * rng.uniform(0.5, 2, g.shape)),
    "closer": lambda rng, g: g * (1 + 1e-9 * rng.uniform(1, 3, g.shape)),
    "noise": lambda rng, g: g * rng.uniform(0.6, 1.4, g.shape),
    "other": lambda rng, g: np.max(abs(g)) * spread(rng, *g.shape),
    "entry": lambda rng, g: np.where(np.arange(g.size).reshape(g.shape) == g.size - 1, 0.3 * g, g),
}


def check_case(rng, sizes, slips):
    """Gradients of very different size, each wrong by another slip; measured in another order."""
    measured = {name: scale * spread(rng, *shape) for name, (shape, scale) in sizes.items()}
    by_hand = {name: SLIPS[slip](rng, measured[name]) for name, slip in zip(sizes, slips, strict=True)}
    return case(by_hand, dict(sorted(measured.items(), reverse=True)))


def check_cases(rng):
    """Each slip, on matrices, vectors, one number and three axes; nothing wrong, everything turned round."""
    three = {"K": ((2, 3, 2), 1e-3), "b": ((1,), 50.0)}
    return [
        check_case(rng, SIZES[0], ["noise", "other", "twice"]),
        check_case(rng, SIZES[0], ["other", "sign", "entry"]),
        check_case(rng, SIZES[1], ["entry", "noise"]),
        check_case(rng, SIZES[2], ["other", "none", "noise"]),
        check_case(rng, three, ["other", "sign"]),
        check_case(rng, {"theta": ((1, 4), 3.0)}, ["entry"]),
        check_case(rng, {"W": ((2, 2), 1e-15), "U": ((2, 2), 1e15), "b": ((2,), 2.0)}, ["noise", "other", "close"]),
        check_case(rng, {"b": ((3,), 4.0), "c": ((3,), 0.3), "W": ((2, 3), 40.0)}, ["closer", "closer", "close"]),
    ]


def odd_cases(rng):
    """Entries that are zero on one side or both; single entries; many names; equal arrays; whole numbers; four axes."""
    holed = {"W": 3.0 * spread(rng, 3, 3), "b": spread(rng, 4), "c": spread(rng, 3)}
    slipped = {name: g * rng.uniform(0.7, 1.3, g.shape) for name, g in holed.items()}
    holed["W"][0], slipped["W"][0], holed["b"][1], slipped["b"][2], slipped["c"][1:] = 0.0, 0.0, 0.0, 0.0, 0.0
    same = spread(rng, 2, 3)
    whole = {"W": np.array([[3.0, -4.0], [0.0, 12.0]]), "b": np.array([2.0, -1.0, 2.0])}
    return [
        case(holed, slipped),
        check_case(rng, {"a": ((1,), 2.0), "b": ((1, 1), 0.3), "c": ((1,), 7.0)}, ["noise", "sign", "twice"]),
        check_case(rng, {f"p{k}": ((2, 3), 10.0 ** (k % 5 - 2)) for k in range(9)}, ["noise", "other", "entry"] * 3),
        case({"V": same, "W": same.copy()}, {"W": same * rng.uniform(0.6, 1.4, (2, 3)), "V": same.copy()}),
        case(whole, {"b": whole["b"] - 1.0, "W": whole["W"] + 1.0}),
        check_case(rng, {"K": ((2, 1, 3, 2), 0.2), "x": ((130,), 5.0)}, ["noise", "other"]),
    ]


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
    wrong("relative-to-the-larger", errors_with(
              lambda a, b: np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b))
          ), "the docstring of the exercise",
          "You divided by the larger of the two norms.",
          "The docstring asks for the sum of both norms; then the error is at most 1."),
    wrong("relative-to-the-measurement", errors_with(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)),
          "the docstring of the exercise",
          "The errors are relative to the measured gradient alone.",
          "The docstring asks for the sum of both norms, which treats the two alike."),
    wrong("relative-to-the-smaller", errors_with(
              lambda a, b: np.linalg.norm(a - b) / min(np.linalg.norm(a), np.linalg.norm(b))
          ), "the docstring of the exercise",
          "You divided by the smaller of the two norms.",
          "The docstring asks for the sum of both norms; then the error is at most 1."),
    wrong("root-of-both-squares", errors_with(
              lambda a, b: np.linalg.norm(a - b) / np.sqrt(np.sum(a**2) + np.sum(b**2))
          ), "the docstring of the exercise",
          "You divided by the root of all squares, those of both arrays.",
          "Each array has a norm of its own, and the docstring asks for the sum of the two."),
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
    wrong("largest-stretch", errors_with_norm(
              lambda a: np.linalg.norm(a.reshape(len(a), -1), 2)
          ), "the docstring of the exercise",
          "Vectors are right; of a matrix you took the largest singular value.",
          "The norm that is asked for treats a matrix as a long row of numbers."),
    wrong("sum-of-absolute-values", errors_with_norm(lambda a: np.sum(np.abs(a))), "the docstring of the exercise",
          "You added up absolute values.",
          "The docstring says which norm is meant: squares come into it."),
    wrong("largest-entry", errors_with_norm(lambda a: np.max(np.abs(a))), "the docstring of the exercise",
          "You compared the largest entries only.",
          "The docstring says which norm is meant: every entry comes into it."),
    wrong("error-entry-by-entry", errors_with(lambda a, b: np.mean(np.abs(a - b) / (np.abs(a) + np.abs(b)))),
          "the docstring of the exercise",
          "You compared entry by entry, and took the mean of what came out.",
          "An entry that is nearly zero may be far off without any harm. One error belongs to the whole array."),
    wrong("paired-by-place", first_with_first, "the docstring of the exercise",
          "Arrays of different names were compared wherever the two dicts list them in another order.",
          "The names say what belongs together."),
    wrong("paired-by-place-and-shape", paired_by_place_and_shape, "the docstring of the exercise",
          "Where two names have arrays of one shape and the dicts list them in another order, they were exchanged.",
          "The names say what belongs together; shapes cannot."),
    wrong("small-errors-called-zero", small_errors_called_zero, "'7 · Five patients'",
          "Errors below a millionth came back as 0.",
          "Whether an error is small enough is judged afterwards, by somebody who sees its size."),
    wrong("differences-from-products", errors_with(error_by_expanding), "the docstring of the exercise",
          "Right while the two differ clearly; where they nearly agree, you give rounding errors or 0.",
          "Large products that nearly cancel leave nothing but their last digits. Subtract first, square then."),
    wrong("small-floor",
          errors_with(lambda a, b: np.linalg.norm(a - b) / max(1e-8, np.linalg.norm(a) + np.linalg.norm(b))),
          "the docstring of the exercise",
          "Tiny gradients look right although they are wrong.",
          "A floor in the denominator turns the error of what lies below it into an absolute one."),
    wrong("one-error-for-all", one_error_for_all, "'7 · Five patients'",
          "Every name has the same error.",
          "With all gradients in one vector, the largest speak for all. Each name is asked for by itself."),
    wrong("divided-by-the-mean", errors_with(
              lambda a, b: 2 * np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))
          ), "the docstring of the exercise",
          "Every error is twice as large as asked for.",
          "Opposite gradients should have an error of 1: divide by the sum of the norms, not by their mean."),
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
    domain={
        "by_hand": Anything("arrays of any shape by name"),
        "measured": Anything("the same names in any order, the same shapes"),
    },
    meets={
        "they agree": lambda by_hand, measured: any(np.array_equal(g, measured[n]) for n, g in by_hand.items()),
        "they are opposite": lambda by_hand, measured: any(np.array_equal(-g, measured[n]) for n, g in by_hand.items()),
        "an array has one entry, of another sign": lambda by_hand, measured: any(
            g.size == 1 and np.array_equal(-g, measured[n]) for n, g in by_hand.items()
        ),
        "an array has one row": lambda by_hand: any(g.ndim > 1 and len(g) == 1 for g in by_hand.values()),
        "an array has three axes": lambda by_hand: any(g.ndim == 3 for g in by_hand.values()),
        "they are close, and not equal": lambda by_hand, measured: any(
            0 < np.linalg.norm(g - measured[n]) < 1e-8 * np.linalg.norm(g) for n, g in by_hand.items()
        ),
        "two arrays of one shape, in another order": lambda by_hand, measured: (
            len({g.shape for g in by_hand.values()}) < len(by_hand) and list(by_hand) != list(measured)
        ),
        "gradients are tiny": lambda by_hand: any(np.abs(g).max() < 1e-10 for g in by_hand.values()),
        "gradients are huge": lambda by_hand: any(np.abs(g).max() > 1e10 for g in by_hand.values()),
        "there is one name": lambda by_hand: len(by_hand) == 1,
        "names come in another order": lambda by_hand, measured: list(by_hand) != list(measured),
    },
    visible=check_cases(_draw),
    hidden=lambda rng: [*check_cases(rng), *odd_cases(rng)],
    accepted=[errors_by_flat_vectors, errors_with_loops, errors_by_einsum, errors_by_frobenius, errors_by_hypot],
    bank=BANK,
    atol=1e-14,
    hints=(
        "For each name there are two arrays. How long is their difference, and compared with what?",
        "np.linalg.norm of a matrix or a vector is the root of the sum of the squares of its entries.",
        "Length of the difference, divided by the length of the one plus the length of the other.",
    ),
    equivalent_mutants={
        "`a - b` → `b - a`": "a difference is as long as its opposite",
    },
)
