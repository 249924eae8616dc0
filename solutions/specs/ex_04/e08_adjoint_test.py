"""04.8 The test one can always run."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Listing
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def adjoint_test(v, pushed, g, pulled):
    passing, left = [], np.dot(g, pushed)
    for number, suspect in enumerate(pulled):
        gap = abs(np.dot(suspect, v) - left)
        if gap < 1e-6 * abs(left):
            passing.append(number)
    return np.array(passing, dtype=int)  # with nobody in it, it still says of what kind its entries are


def adjoint_isclose(v, pushed, g, pulled):
    close = [np.isclose(np.vdot(suspect, v), np.vdot(g, pushed), rtol=1e-5, atol=0.0) for suspect in pulled]
    return np.flatnonzero(close)


def adjoint_matrix(v, pushed, g, pulled):
    right = np.array(pulled) @ v
    return tuple(np.nonzero(np.abs(right / (g @ pushed) - 1) < 1e-7)[0])


def adjoint_math(v, pushed, g, pulled):
    left = math.fsum(a * b for a, b in zip(g, pushed, strict=True))
    answers = []
    for k in range(len(pulled)):
        right = math.fsum(a * b for a, b in zip(pulled[k], v, strict=True))
        if math.isclose(left, right, rel_tol=1e-8):
            answers += [float(k)]
    return answers


def adjoint_by_scale(v, pushed, g, pulled):
    scale = np.linalg.norm(g) * np.linalg.norm(pushed)
    return np.array([k for k, suspect in enumerate(pulled) if abs(g @ pushed - suspect @ v) / scale < 1e-8])


def adjoint_exact(v, pushed, g, pulled):
    from fractions import Fraction

    left = sum(Fraction(a) * Fraction(b) for a, b in zip(g.tolist(), pushed.tolist(), strict=True))
    right = [sum(Fraction(a) * Fraction(b) for a, b in zip(item.tolist(), v.tolist(), strict=True)) for item in pulled]
    return list(filter(lambda k: abs(right[k] - left) < abs(left) / 10**7, range(len(right))))


def adjoint_case(rng, m, n, scale=1.0):
    """A linear map, a probe, and suspects in random order, of which one or two are right."""
    while True:
        J, v, g = numbers(rng, m, n), numbers(rng, n), numbers(rng, m)
        right = g @ J
        wrong = [-right, np.ones(m) @ J, 2 * right, right * (1 + 0.03 * np.eye(n)[0]), np.roll(right, 1)]
        wrong += [J @ g, J @ v] if m == n else []
        same_sum = np.roll(right, 1) + np.linspace(0, 1, n)
        wrong.append(same_sum + (np.sum(J @ v) - same_sum.sum()) / n)
        suspects = [right, right.copy(), *wrong] if m > 2 else [right, *wrong]
        right_side = g @ J @ v
        gaps = [abs(suspect @ v / right_side - 1) for suspect in wrong]
        told = abs(right_side) > 0.3 * np.linalg.norm(g) * np.linalg.norm(J @ v) and min(gaps) > 1e-3
        rounded = scale < 1e7 or g @ (J @ v * scale) != right * scale @ v  # so that exact equality is too much
        near = scale >= 1 or (
            1 < abs(right_side) < 4 and min(gaps) * abs(right_side) < 0.02
        )  # so that 1e-8 is too much
        if told and min(gaps) < 0.05 and near and rounded:
            break
    suspects = [suspects[k] for k in rng.permutation(len(suspects))]
    pushed = J @ v
    return case(v, pushed * scale, g, [suspect * scale for suspect in suspects])


def adjoint_cases(rng):
    sizes = ((3, 2, 1.0), (3, 3, 1.0), (2, 4, 1e-7), (4, 3, 1.37e7))
    return [*(adjoint_case(rng, m, n, scale) for m, n, scale in sizes), *adjoint_edges(rng)]


def adjoint_edges(rng):
    """Both signs of the two inner products; all or none right; a wrong one twice; zeros; one entry in all."""
    J = np.array([[1.0, 2.0, 0.7], [0.5, -1.1, 3.2], [-0.9, 0.4, 1.6]])
    v, g = np.array([2.0, -1.0, 0.0]), np.array([1.7, 0.0, 1.3])
    right = g @ J
    aside = right + numbers(rng) * np.array([1.0, 2.0, 0.9])  # perpendicular to v, so nothing can be said against it
    part = right * np.array([1.0, 1.03, 1.0])
    fall = case(v, J @ v, g, [part, 0.5 * right, part.copy(), right, aside, right * abs(np.sign(v))])
    W, d = numbers(rng, 3, 2), np.array([1.3, -0.8])
    u = W @ d * np.array([1.0, 0.6, 1.4])
    rise = case(d, W @ d, u, [u @ W, u @ W + 0.5 * np.array([0.8, 1.3])])
    last = case(-d, -W @ d, u, [1.03 * u @ W, u @ W])
    less = case(d, W @ d, -u, [-0.97 * u @ W, -1.03 * u @ W, u @ W])
    one = numbers(rng, 3)
    single = case(one[:1], one[1:2] * one[0], one[2:], [-one[2:] * one[1], one[1:2], one[2:] * one[1]])
    alone = case(d, W @ d, u, [u @ W])
    return [
        fall,
        rise,
        last,
        less,
        single,
        alone,
        adjoint_slight(rng),
        adjoint_oblique(rng),
        adjoint_oblique_behind(rng),
    ]


def adjoint_oblique(rng):
    """Numbers with all of their digits, and a v nearly perpendicular to what was pulled, so that the sum cancels.

    What is off by little lies between two lines: rounding leaves nine digits right here, and in float32 four.
    """
    while True:
        J, v, g = rng.normal(size=(2, 4)), rng.normal(size=4), rng.normal(size=2)
        aside = np.linalg.svd(J)[2][-1]  # J does not see it
        v += 500 * aside
        right = g @ J
        left = right @ v
        k = int(np.argmax(abs(right * v)))
        slight = right.copy()
        slight[k] += rng.choice([-1, 1]) * 2.4e-4 * left / v[k]
        single = np.float32(right) @ np.float32(v) / (np.float32(g) @ np.float32(J @ v))
        oblique = np.linalg.norm(v) * np.linalg.norm(right) / abs(left)
        plain = np.linalg.norm(g) * np.linalg.norm(J @ v) / abs(left)
        if 1.5e-5 < abs(single - 1) < 5e-5 and 300 < oblique < 900 and plain < 20 and abs(left) > 0.5:
            suspects = [right, slight, right * (1 + 3e-3), right]
            return case(v, J @ v, g, [suspects[i] for i in rng.permutation(4)])


def adjoint_slight(rng):
    """Three per cent in an entry that weighs little, beside a suspect that is far too large."""
    while True:
        J, v, g = numbers(rng, 3, 4), numbers(rng, 4), numbers(rng, 3)
        k = int(rng.integers(4))
        v[k] = numbers(rng, low=0.01, high=0.05)
        right = g @ J
        slight = right * (1 + 0.03 * np.eye(4)[k])
        a, b = right @ v, slight @ v
        if 2e-4 < abs(b / a - 1) < 5e-4 and f"{a:.3e}" == f"{b:.3e}" and abs(a) > 1:  # four digits do not tell them
            suspects = [right, slight, 3e5 * right, 0.5 * right]
            return case(v, J @ v, g, [suspects[i] for i in rng.permutation(4)])


def adjoint_oblique_behind(rng):
    """As ``adjoint_oblique``, with a g nearly perpendicular to what was pushed."""
    while True:
        J, v, g = rng.normal(size=(4, 2)), rng.normal(size=2), rng.normal(size=4)
        g += 500 * np.linalg.svd(J)[0][:, -1]  # J does not reach there
        pushed, right = J @ v, g @ J
        left = g @ pushed
        slight = right + rng.choice([-1, 1]) * 2.4e-4 * left * v / (v @ v)
        single = np.float32(right) @ np.float32(v) / (np.float32(g) @ np.float32(pushed))
        oblique = np.linalg.norm(g) * np.linalg.norm(pushed) / abs(left)
        plain = np.linalg.norm(v) * np.linalg.norm(right) / abs(left)
        if abs(single - 1) < 5e-5 and 300 < oblique < 900 and plain < 20 and abs(left) > 0.5:
            suspects = [right, slight, right * (1 + 3e-3), right]
            return case(v, pushed, g, [suspects[i] for i in rng.permutation(4)])


def adjoint_on_an_edge(rng, digits=None):
    """Two sides that agree to eleven digits, and differ where they are rounded: to so many digits, or to float32."""
    while True:
        J, v, g = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=2)
        below = float(np.float32(rng.uniform(1, 9)) if digits is None else round(float(rng.uniform(1, 9)), digits))
        edge = below + 0.5 * (10.0**-digits if digits else float(np.spacing(np.float32(below))))
        v, g, J = _with_digits(v), _with_digits(g), J * edge / (g @ J @ v)
        pushed, right = _with_digits(J @ v), _with_digits(g @ J)
        sides = [float(right @ v), float(g @ pushed)]
        apart = len({f"{side:.{digits}e}" if digits else np.float32(side) for side in sides}) > 1
        if apart and abs(sides[0] / sides[1] - 1) < 1e-10 and np.abs(J).max() < 50:
            suspects = [right, 1.03 * right, -right, right]
            return case(v, pushed, g, [suspects[i] for i in rng.permutation(4)])


def _with_digits(x):
    return np.array([float(f"{entry:.11e}") for entry in x])


def adjoint_in_integers(rng):
    """One of the two probes holds whole numbers, or both do."""
    found = []
    for v, g in (
        (numbers(rng, 3), np.array([2, -3])),
        (np.array([2, -1, 1]), numbers(rng, 2)),
        (np.array([1, 3, -2]), np.array([-2, 1])),
    ):
        J = numbers(rng, 2, 3)
        suspects = [g @ J, 1.03 * (g @ J), -(g @ J)]
        found.append(case(v, J @ v, g, [suspects[k] for k in rng.permutation(3)]))
    return found


def adjoint_hidden(rng):
    edges = [adjoint_on_an_edge(rng, digits) for digits in (4, 5, 6, 7, 8, None)]
    return [*adjoint_cases(rng), *edges, *adjoint_in_integers(rng)]


def _passing(v, pushed, g, pulled):
    return adjoint_test(v, pushed, g, pulled)


def _wrong_twice(v, pushed, g, pulled):
    guilty = [tuple(s) for k, s in enumerate(pulled) if k not in _passing(v, pushed, g, pulled)]
    return len(set(guilty)) < len(guilty)


def passes_if(rule):
    """The positions of the suspects for which a rule of (v, pushed, g, suspect) holds."""
    return lambda v, pushed, g, pulled: [k for k, s in enumerate(pulled) if rule(v, pushed, g, s)]


BANK = [
    wrong("absolute-tolerance", passes_if(lambda v, pushed, g, s: abs(s @ v - g @ pushed) < 1e-6),
          "notebook 04, section 8, 'A tolerance with a scale'",
          "Where numbers are tiny you let too many suspects pass, and where they are huge too few.",
          "One millionth is nothing beside a million, and everything beside a billionth. Compare with the size."),
    wrong("ignores-the-sign", passes_if(
              lambda v, pushed, g, s: abs(abs(s @ v) - abs(g @ pushed)) <= 1e-6 * abs(g @ pushed),
          ), "notebook 04, section 8",
          "You let a rule pass that has the wrong sign everywhere.",
          "Compare the two products first, then take the size of the difference."),
    wrong("too-loose", passes_if(lambda v, pushed, g, s: abs(s @ v - g @ pushed) <= 0.2 * abs(g @ pushed)),
          "notebook 04, section 8, 'A tolerance with a scale'",
          "You let rules pass that are wrong by a few per cent.",
          "Both sides are computed exactly, up to rounding; they agree to ten digits or there is a mistake."),
    wrong("loose-by-a-thousandth", passes_if(lambda v, pushed, g, s: abs(s @ v - g @ pushed) <= 1e-3 * abs(g @ pushed)),
          "notebook 04, section 8, 'A tolerance with a scale'",
          "You let a suspect pass whose inner product is off by a few parts in ten thousand.",
          "Three per cent in an entry that weighs little are no more than that. Rounding is smaller by far."),
    wrong("too-tight", passes_if(lambda v, pushed, g, s: abs(s @ v - g @ pushed) <= 1e-14 * abs(g @ pushed)),
          "notebook 04, section 8, 'A tolerance with a scale'",
          "Some right ones fail.",
          "Every number is rounded, and where a sum cancels, the rounding of its terms is left. Allow for it."),
    wrong("compares-with-the-terms", passes_if(lambda v, pushed, g, s: (
              abs(s @ v - g @ pushed) <= 1e-6 * np.linalg.norm(v) * np.linalg.norm(s)
          )), "notebook 04, section 8, and the task: by how much is a wrong one off?",
          "Where v and what was pulled are nearly perpendicular, you let a wrong one pass.",
          "How large a difference is tells the inner product itself, not the lengths of the two vectors."),
    wrong("compares-with-the-terms-at-the-output", passes_if(lambda v, pushed, g, s: (
              abs(s @ v - g @ pushed) <= 1e-6 * np.linalg.norm(g) * np.linalg.norm(pushed)
          )), "notebook 04, section 8, and the task: by how much is a wrong one off?",
          "Where g and what was pushed are nearly perpendicular, you let a wrong one pass.",
          "How large a difference is tells the inner product itself, not the lengths of the two vectors."),
    wrong("compares-lengths", passes_if(lambda v, pushed, g, s: len(s) == len(v)), "notebook 04, section 8",
          "You let every rule pass whose answer has the right shape.",
          "The shape is necessary, and far from sufficient."),
    wrong("pairs-with-ones", passes_if(
              lambda v, pushed, g, s: abs(np.sum(s) - np.sum(pushed)) <= 1e-6 * abs(np.sum(pushed)),
          ), "notebook 04, section 8, 'What ones cannot see'",
          "You compared the sums of the two vectors.",
          "A sum is an inner product with ones. The vectors must be paired with g and with v, who made them."),
    wrong("wants-equal-vectors", passes_if(
              lambda v, pushed, g, s: len(s) == len(pushed) and np.allclose(s, pushed, rtol=1e-6, atol=0),
          ), "notebook 04, section 8",
          "You compared each suspect with the pushed vector itself.",
          "They live in different spaces, one shaped like x, one like y. What agrees is two inner products."),
    wrong("a-tolerance-that-does-not-shrink", passes_if(lambda v, pushed, g, s: np.isclose(s @ v, g @ pushed)),
          "notebook 04, section 8, 'A tolerance with a scale'",
          "Where numbers are tiny you let too many suspects pass; elsewhere you are right.",
          "Does your tolerance shrink with the numbers? `np.isclose`, for one, adds 1e-8 unless it is told not to."),
    wrong("a-tolerance-below-zero", passes_if(lambda v, pushed, g, s: abs(s @ v - g @ pushed) < 1e-6 * (g @ pushed)),
          "notebook 04, section 8, 'A tolerance with a scale'",
          "Where g and pushed have a negative inner product, you let nobody pass.",
          "Size has no sign: a tolerance made from a negative number is below every difference."),
    wrong("one-sided", passes_if(lambda v, pushed, g, s: s @ v - g @ pushed < 1e-6 * abs(g @ pushed)),
          "notebook 04, section 8, 'A tolerance with a scale'",
          "You let every suspect pass whose inner product is too small.",
          "A difference far below zero is as bad as one far above."),
    wrong("counts-from-1", lambda v, pushed, g, pulled: [k + 1 for k in adjoint_test(v, pushed, g, pulled)],
          "the docstring of the exercise",
          "You found the right suspects and counted them from 1.",
          "The first position of a list is 0."),
    wrong("the-closest-one", lambda v, pushed, g, pulled: [int(np.argmin([abs(s @ v - g @ pushed) for s in pulled]))],
          "notebook 04, section 8, 'A tolerance with a scale'",
          "You named one suspect each time, the one that comes closest.",
          "There may be several that pass, or none at all: being the best of a bad lot is not enough."),
    wrong("stops-at-the-first", lambda v, pushed, g, pulled: adjoint_test(v, pushed, g, pulled)[:1],
          "the docstring of the exercise",
          "You named the first suspect that passes and no further one.",
          "All of those that pass are asked for."),
    wrong("entry-by-entry", passes_if(lambda v, pushed, g, s: len(s) == len(g) and np.allclose(
              s * v, g * pushed, rtol=1e-6, atol=0
          )), "notebook 04, section 8",
          "You compared the products before adding them up.",
          "Input and output have nothing to do with each other entry by entry. The two sums have to agree."),
    wrong("lists-the-guilty", lambda v, pushed, g, pulled: [
              k for k in range(len(pulled)) if k not in adjoint_test(v, pushed, g, pulled)
          ], "the docstring of the exercise",
          "You listed the suspects that fail.",
          "Asked for are those that pass."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.8",
    title="The test one can always run",
    function="adjoint_test",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 04, section 8",
    reference=adjoint_test,
    result={"kind": "positions"},
    integers=True,
    domain={
        "v": Array("n"),
        "pushed": Array("m"),
        "g": Array("m"),
        "pulled": Listing("suspects", Array("n")),
    },
    meets={
        "the inner product is negative": lambda g, pushed: g @ pushed < 0,
        "the inner product is positive": lambda g, pushed: g @ pushed > 0,
        "everybody passes": lambda v, pushed, g, pulled: len(_passing(v, pushed, g, pulled)) == len(pulled) > 1,
        "nobody passes": lambda v, pushed, g, pulled: not len(_passing(v, pushed, g, pulled)) and len(pulled) > 1,
        "only the last passes": lambda v, pushed, g, pulled: list(_passing(v, pushed, g, pulled)) == [len(pulled) - 1],
        "two wrong ones agree": lambda v, pushed, g, pulled: _wrong_twice(v, pushed, g, pulled),
        "input and output have one size": lambda v, g: len(v) == len(g) > 1,
        "a wrong one is off by less than a thousandth": lambda v, pushed, g, pulled: any(
            1e-6 < abs(s @ v / (g @ pushed) - 1) < 1e-3 for s in pulled
        ),
        "a wrong one is far too large": lambda v, pushed, g, pulled: any(
            abs(s @ v) > 1e5 * abs(g @ pushed) for s in pulled
        ),
        "terms are far larger than their sum": lambda v, pulled, g, pushed: (
            np.linalg.norm(v) * np.linalg.norm(pulled[0]) > 200 * abs(g @ pushed)
        ),
        "terms are far larger than their sum at the output": lambda v, pulled, g, pushed: (
            np.linalg.norm(g) * np.linalg.norm(pushed) > 200 * abs(g @ pushed)
        ),
        "the two sides of a right one differ by rounding": lambda v, pushed, g, pulled: any(
            0 < abs(s @ v / (g @ pushed) - 1) < 1e-9 for s in pulled
        ),
        "a right one has an entry of 0": lambda v, pushed, g, pulled: any(
            (pulled[k] == 0).any() for k in _passing(v, pushed, g, pulled)
        ),
        "numbers are tiny": lambda pushed: abs(pushed).max() < 1e-5,
        "numbers are huge": lambda pushed: abs(pushed).max() > 1e5,
    },
    always={
        "g and pushed are not nearly perpendicular": lambda g, pushed: (
            abs(g @ pushed) > 1e-3 * np.linalg.norm(g) * np.linalg.norm(pushed)
        ),
        "each suspect is right to nine digits, or off by a ten-thousandth": lambda v, pushed, g, pulled: (
            not any(1e-9 * abs(g @ pushed) < abs(s @ v - g @ pushed) < 1e-4 * abs(g @ pushed) for s in pulled)
        ),
    },
    visible=adjoint_cases(np.random.default_rng(48)),
    hidden=adjoint_hidden,
    accepted=[
        adjoint_isclose,
        adjoint_matrix,
        adjoint_math,
        adjoint_by_scale,
        adjoint_exact,
    ],
    bank=BANK,
    equivalent_mutants={
        "`gap < 1e-06 * abs(left)` → `gap <= 1e-06 * abs(left)`": "no suspect is wrong by exactly one millionth",
        "gives no number where nobody passes": "an empty list holds no number",
        "rounds to 3 digits": "positions are whole numbers below ten",
        "`np.dot(suspect, v) - left` → `left - np.dot(suspect, v)`": "only the size of the difference counts",
    },
    hints=(
        "Two numbers decide: what g says about the change that v made, and what the pulled vector says about v itself.",
        "The first is the inner product of g and pushed, the second that of a suspect and v. For a right rule they are "
        "equal, up to rounding.",
        "Rounding is relative: take the size of the difference, and ask whether it is below a small fraction, say one "
        "millionth, of the size of the first number.",
    ),
)
