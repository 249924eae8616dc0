"""12.1 How far apart are two gradients?"""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def relative_gap(found, expected):
    return np.max(np.abs(found - expected)) / np.max(np.abs(expected))


def gap_loops(found, expected):
    largest = scale = 0.0
    for a, b in zip(found, expected, strict=True):
        largest, scale = max(largest, abs(a - b)), max(scale, abs(b))
    return largest / scale


def gap_norms(found, expected):
    difference = np.subtract(found, expected)
    return np.linalg.norm(difference, np.inf) / np.linalg.norm(expected, np.inf)


def gap_sorted(found, expected):
    apart = sorted(abs(float(a) - float(b)) for a, b in zip(found, expected, strict=True))
    return apart[-1] / sorted(map(abs, map(float, expected)))[-1]


def gap_scaled_first(found, expected):
    scale = max(np.max(expected), -np.min(expected))
    return float(np.abs(np.asarray(found) / scale - np.asarray(expected) / scale).max())


def gap_both_ways(found, expected):
    difference = np.asarray(found) - expected
    return np.array(max(difference.max(), (-difference).max()) / np.abs(expected).max())


def gap_cases(rng):
    drawn = []
    for n in (3, 5, 7, 4):
        expected = numbers(rng, n)
        found = expected + numbers(rng, n, low=0.05, high=0.6)
        drawn.append(case(found, expected))
    return [*drawn, *gap_edges(rng)]


def small_gaps(rng):
    """Hardly any gap, exact in half the digits too: a millionth, and far less than that beside a large entry."""
    expected = rng.permutation([1.0, -2.0, 0.75])
    large, there = rng.permutation([1024.0, -512.0, 0.0]), np.zeros(3)
    there[large == 0] = 2.0**-30
    return [
        case(expected + 2.0**-20 * rng.permutation([1, -0.5, 0.25]), expected),
        case(large + there * rng.choice([-1, 1]), large),
    ]


def gap_edges(rng):
    """The largest of each kind negative; the largest gap at a small entry; an entry of 0; one that agrees; whole."""
    expected = rng.permutation([-3.9, 1.2, 0.7, 2.1]) + numbers(rng, 4, low=0.01, high=0.09)
    below = expected - np.array([0.9, 0.1, 0.2, 0.3])[rng.permutation(4)]
    small = np.array([4.1, -0.02, 1.3])[rng.permutation(3)] * rng.uniform(1.0, 1.3)
    there = small + np.where(np.abs(small) < 0.1, 0.6, 0.03)
    holed = numbers(rng, 4)
    hole = rng.integers(4)
    holed[hole] = 0.0
    beside = holed + numbers(rng, 4, low=0.1, high=0.4)
    beside[hole] = 0.9
    same = numbers(rng, 5)
    return [
        case(below, expected),
        case(there, small),
        case(beside, holed),
        case(same.copy(), same),
        case(rng.permutation([4, -7, 2]), rng.permutation([3, -5, 1])),
        case(numbers(rng, 3), numbers(rng, 3) * 1e-7),
        *small_gaps(rng),
    ]


BANK = [
    wrong("mean-of-the-gaps", lambda f, e: np.mean(np.abs(f - e)) / np.max(np.abs(e)),
          "the task: the largest difference",
          "You averaged the differences.",
          "One wrong entry among a thousand right ones hardly moves a mean. It is the entry one is looking for."),
    wrong("entry-by-entry", lambda f, e: np.max(np.abs(f - e) / np.abs(np.where(e == 0, np.nan, e)))
          if (np.asarray(e) != 0).all() else np.inf,
          "notebook 12, section 2, 'Forward and back'",
          "Each difference was divided by its own entry.",
          "An entry that is nearly 0 carries the rounding of large ones. Beside them such a gap is nothing."),
    wrong("forgets-the-sign", lambda f, e: np.max(f - e) / np.max(np.abs(e)),
          "the task: how far apart",
          "Where what was found lies below, the gap comes out too small, or negative.",
          "Too small is as wrong as too large."),
    wrong("largest-with-its-sign", lambda f, e: np.max(np.abs(f - e)) / np.max(e),
          "the task: the largest entry in size",
          "It goes wrong where the entry that is largest in size is negative.",
          "An entry of -5 is larger in size than one of 2."),
    wrong("share-of-what-was-found", lambda f, e: np.max(np.abs(f - e)) / np.max(np.abs(f)),
          "the task: as a share of the expected gradient",
          "You divided by the largest entry of what was found.",
          "A route that gives a million times too much would then be off by 1."),
    wrong("without-a-scale", lambda f, e: np.max(np.abs(f - e)), "notebook 12, section 2, 'Forward and back'",
          "The difference itself was returned.",
          "Whether 0.001 is much depends on what it is compared with: a gradient of a thousand, or of a millionth."),
    wrong("divided-by-the-length", lambda f, e: np.max(np.abs(f - e)) / np.sqrt(np.sum(np.square(e, dtype=float))),
          "the task: the largest entry in size",
          "You divided by the length of the expected gradient.",
          "Lengths grow with the number of entries, so the same wrong entry counts less in a larger network."),
    wrong("ratio-of-lengths",
          lambda f, e: np.sqrt(np.sum((f - e) ** 2.0)) / np.sqrt(np.sum(np.square(e, dtype=float))),
          "the task: the largest difference",
          "Both numbers are lengths of vectors.",
          "Squares were added up over all entries. The task asks for the worst entry alone."),
    wrong("gap-of-the-largest", lambda f, e: abs(np.max(np.abs(f)) - np.max(np.abs(e))) / np.max(np.abs(e)),
          "the task: the largest difference",
          "The largest entries were compared with each other.",
          "They may stand at different places, and agree by chance."),
    wrong("mean-of-the-scale", lambda f, e: np.max(np.abs(f - e)) / np.mean(np.abs(e)),
          "the task: the largest entry in size",
          "You divided by the mean size of the entries.",
          "A mean falls with every entry that is 0, though nothing has become less exact."),
    wrong("all-gaps", lambda f, e: np.abs(f - e) / np.max(np.abs(e)), "the docstring: what is returned?",
          "You returned a gap for each entry.",
          "One number decides whether two routes agree: the largest of these."),
]  # fmt: skip

EXERCISE = Exercise(
    id="12.1",
    title="How far apart are two gradients?",
    function="relative_gap",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 12, section 2",
    reference=relative_gap,
    integers=True,
    domain={"found": Array("n", all_zero=True), "expected": Array("n")},
    meets={
        "the entry of largest size is negative": lambda expected: expected.min() < -expected.max(),
        "the largest gap lies below": lambda found, expected: (expected - found).max() > (found - expected).max(),
        "the largest gap is at a small entry": lambda found, expected: (
            np.abs(expected)[np.argmax(np.abs(found - expected))] < 0.1 * np.abs(expected).max()
        ),
        "the two are equal": lambda found, expected: (found == expected).all(),
        "both hold whole numbers": lambda found, expected: found.dtype.kind == expected.dtype.kind == "i",
        "the gap is small": lambda found, expected: (
            0 < 1e6 * np.abs(found - expected).max() < 1.1 * np.abs(expected).max()
        ),
        "the gap is smaller by far": lambda found, expected: (
            0 < 1e11 * np.abs(found - expected).max() < np.abs(expected).max()
        ),
        "the gap is huge": lambda found, expected: np.abs(found - expected).max() > 1e5 * np.abs(expected).max(),
    },
    visible=[
        case(np.array([1.5, -2.0, 0.4]), np.array([1.2, -2.5, 0.5])),
        case(np.array([0.7, 3.2, -1.1, 0.9]), np.array([0.9, 2.4, -1.6, 0.8])),
        *gap_cases(np.random.default_rng(121))[1:3],
        *gap_edges(np.random.default_rng(121)),
    ],
    hidden=gap_cases,
    accepted=[gap_loops, gap_norms, gap_sorted, gap_scaled_first, gap_both_ways],
    bank=BANK,
    atol=1e-15,
    equivalent_mutants={"`found - expected` → `expected - found`": "only the size of the difference is used"},
    hints=(
        "Two numbers are needed: how far apart the worst entry is, and how large the expected gradient is.",
        "Both are largest absolute values, one of the difference and one of `expected`.",
        "np.abs gives sizes and np.max the largest of them. Use the pair twice, and divide.",
    ),
)
