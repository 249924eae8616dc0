"""09.5 How many directions?."""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

from coursepkg.estimators import expectations
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def directions_needed(d, squared_cosine):
    plain = math.ceil(squared_cosine * (d - 1) / (1 - squared_cosine))
    return {"plain": plain, "orthonormal": math.ceil(squared_cosine * d)}


def needed_by_search(d, squared_cosine):
    shares = {"plain": lambda k: k / (k + d - 1), "orthonormal": lambda k: k / d}
    return {name: bisect_left(range(100 * d), squared_cosine, key=share) for name, share in shares.items()}


def needed_by_package(d, squared_cosine):
    kinds = {"plain": "gaussian", "orthonormal": "orthonormal"}
    return {name: expectations.directions_needed(d, squared_cosine, kind) for name, kind in kinds.items()}


def needed_by_floor(d, squared_cosine):
    return {
        "orthonormal": float(-((-squared_cosine * d) // 1)),
        "plain": float(-((-squared_cosine * (d - 1) / (1 - squared_cosine)) // 1)),
    }


def needed_by_arrays(d, squared_cosine):
    K = np.arange(1, 100 * d)
    return {
        "plain": K[np.argmax(K / (K + d - 1) >= squared_cosine)],
        "orthonormal": K[np.argmax(K[:d] / d >= squared_cosine)],
    }


def needed_by_fraction(d, squared_cosine):
    odds = squared_cosine / (1.0 - squared_cosine)
    return {"plain": int(np.ceil((d - 1) * odds)), "orthonormal": np.ceil(np.float64(d) * squared_cosine)}


def needed_with(plain, orthonormal):
    def answer(d, c):
        return {"plain": plain(d, c), "orthonormal": orthonormal(d, c)}

    return answer


def needed_case(rng, d, c):
    """Dimension and wish within bounds, so that neither number of directions is nearly a whole one."""
    while True:
        size, wish = int(rng.integers(*d)), round(float(rng.uniform(*c)), 5)
        if all(0.05 < edge % 1 < 0.95 for edge in (wish * (size - 1) / (1 - wish), wish * size)):
            return case(size, wish)


def just_missed(rng, scale):
    """A whole number of directions, found by solving for the wish, misses it by a hair."""
    d, count = int(rng.integers(40, 90)), int(rng.integers(12, 35)) + float(rng.uniform(0.001, 0.004))
    return case(d, round(count / scale(d, count), 7))


def needed_edges(rng):
    """Met exactly, or just missed; one direction is enough, or all at right angles are needed; small and large."""
    return [
        just_missed(rng, lambda d, count: count + d - 1),
        just_missed(rng, lambda d, count: d),
        case(2 * int(rng.integers(10, 60)), 0.5),
        case(2, round(float(rng.uniform(0.52, 0.62)), 3)),
        needed_case(rng, (5, 40), (0.012, 0.024)),
        needed_case(rng, (800, 2000), (0.06, 0.1)),
        needed_case(rng, (30, 40), (0.972, 0.989)),
        needed_case(rng, (20_000, 20_001), (0.982, 0.989)),
    ]


def hidden_needed(rng):
    small = (
        ((900, 5000), (0.1, 0.2)),
        ((400, 900), (0.2, 0.35)),
        ((9000, 19000), (0.002, 0.009)),
        ((3, 4), (0.4, 0.6)),
        ((4, 5), (0.3, 0.35)),
        ((5, 20), (0.9, 0.95)),
    )
    large = (((9000, 19000), (0.01, 0.06)), ((900, 5000), (0.88, 0.95)), ((9000, 19000), (0.95, 0.97)))
    return [
        *(needed_case(rng, (40, 900), (0.35, 0.9)) for _ in range(5)),
        *needed_edges(rng),
        *(needed_case(rng, d, c) for d, c in (*small, *large)),
    ]


BANK = [
    wrong("a-basis-is-enough", needed_with(lambda d, c: math.ceil(c * d), lambda d, c: math.ceil(c * d)),
          "notebook 09, section 4: K = d is not exact",
          "Independent directions were counted as if they did not overlap.",
          "Random directions partly repeat each other, so d of them are not a basis without gaps."),
    wrong("square-root-rule", needed_with(
              lambda d, c: math.ceil(math.sqrt(c * (d - 1) / (1 - c))), lambda d, c: math.ceil(math.sqrt(c * d))
          ), "notebook 09, section 4: the table of K",
          "The numbers are square roots of the right ones.",
          "Averaging K shortens the noise by √K, so the noise of √d needs K of the order of d, not √d."),
    wrong("cosine-not-squared", needed_with(
              lambda d, c: math.ceil(c * c * (d - 1) / (1 - c * c)), lambda d, c: math.ceil(c * c * d)
          ), "notebook 09, section 4, and the task: squared_cosine",
          "The wish was squared once more.",
          "What is given is already the squared cosine."),
    wrong("rounded-down", needed_with(lambda d, c: math.floor(c * (d - 1) / (1 - c)), lambda d, c: math.floor(c * d)),
          "notebook 09, section 4, and the task: the smallest number that reaches it",
          "Where the number does not come out whole, yours is one too small.",
          "One direction fewer does not reach the wish."),
    wrong("one-minus-the-wish",
          needed_with(lambda d, c: math.ceil((1 - c) * (d - 1) / c), lambda d, c: math.ceil((1 - c) * d)),
          "notebook 09, section 4: E[cos²]",
          "The numbers belong to the opposite wish: what is left in place of what is reached.",
          "K / (K + d − 1) is the share along the gradient, and noise is the rest."),
    wrong("dimension-one-too-many", needed_with(lambda d, c: math.ceil(c * d / (1 - c)), lambda d, c: math.ceil(c * d)),
          "notebook 09, section 4: the d − 1 other directions",
          "The plain number is a little too large.",
          "One of the d dimensions is that of the gradient itself; only d − 1 of them are noise."),
    wrong("one-more-than-needed", needed_with(
              lambda d, c: math.floor(c * (d - 1) / (1 - c)) + 1, lambda d, c: math.floor(c * d) + 1
          ), "the task: at least",
          "Where a number of directions meets the wish exactly, yours is one more.",
          "At least means that reaching it is enough."),
    wrong("rounded-to-the-nearest",
          needed_with(lambda d, c: round(c * (d - 1) / (1 - c)), lambda d, c: round(c * d)),
          "the task: at least",
          "Some of your numbers are one too small: they were rounded to the nearest whole number.",
          "A number just below what is needed does not reach the wish, however near it is."),
    wrong("not-rounded", needed_with(lambda d, c: c * (d - 1) / (1 - c), lambda d, c: c * d),
          "notebook 09, section 4, and the task: how many directions",
          "Your numbers of directions are not whole.",
          "Half a direction cannot be walked."),
    wrong("orthonormal-like-plain", needed_with(
              lambda d, c: math.ceil(c * (d - 1) / (1 - c)), lambda d, c: math.ceil(c * (d - 1) / (1 - c))
          ), "notebook 09, section 4, 'The price of dimension'",
          "Directions at right angles were counted as if they overlapped.",
          "They share nothing, so each of them brings as much as the one before."),
    wrong("names-exchanged", needed_with(lambda d, c: math.ceil(c * d), lambda d, c: math.ceil(c * (d - 1) / (1 - c))),
          "notebook 09, section 4, and the task: plain and orthonormal",
          "Each of the two numbers stands under the name of the other.",
          "Directions that may repeat each other are those of which it takes more."),
    wrong("shares-multiplied",
          needed_with(lambda d, c: math.ceil(c * (d - 1)), lambda d, c: math.ceil(c * d)),
          "notebook 09, section 4, 'The price of dimension'",
          "The number of independent directions is far too small for a wish near 1.",
          "K stands above and below the line. Have both places been kept when you solved for it?"),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.5",
    title="How many directions?",
    function="directions_needed",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 09, section 4",
    reference=directions_needed,
    domain={"d": Number(whole=True, at_least=2, at_most=20_000), "squared_cosine": Number(more_than=0, less_than=0.99)},
    meets={
        "a number of directions meets the wish exactly": lambda d, squared_cosine: (squared_cosine * d) % 1 == 0,
        "a number of independent directions just misses the wish": lambda d, squared_cosine: (
            0 < squared_cosine * (d - 1) / (1 - squared_cosine) % 1 < 0.005
        ),
        "a number at right angles just misses the wish": lambda d, squared_cosine: 0 < squared_cosine * d % 1 < 0.005,
        "more than a million directions are needed": lambda d, squared_cosine: (
            squared_cosine * d / (1 - squared_cosine) > 1e6
        ),
        "a small wish among many dimensions": lambda d, squared_cosine: squared_cosine < 0.1 and d > 700,
        "one direction is enough": lambda d, squared_cosine: squared_cosine * (d - 1) / (1 - squared_cosine) < 1,
        "all directions at right angles are needed": lambda d, squared_cosine: d - 1 < squared_cosine * d,
    },
    always={
        "rounding does not decide": lambda d, squared_cosine: all(
            squared_cosine == 0.5 or 1e-8 * edge < edge % 1 < 1 - 1e-8 * edge
            for edge in (squared_cosine * (d - 1) / (1 - squared_cosine), squared_cosine * d)
        ),
    },
    visible=[
        case(101, 0.505),
        case(333, 0.72),
        case(745, 0.86),
        *needed_edges(np.random.default_rng(95)),
    ],
    hidden=hidden_needed,
    accepted=[needed_by_search, needed_by_package, needed_by_floor, needed_by_arrays, needed_by_fraction],
    bank=BANK,
    rtol=1e-8,  # a count of a million is right or wrong, too
    hints=(
        "With K independent Gaussian directions E[cos²] = K / (K + d − 1); with orthonormal ones it is K / d.",
        "Set each equal to the wish, solve for K, and round up.",
        "K = c (d − 1) / (1 − c) and K = c d, both rounded up with math.ceil.",
    ),
)
