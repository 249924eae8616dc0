"""09.5 How many directions?."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.estimators import expectations
from coursepkg.grading.spec import Exercise, case, wrong


def directions_needed(d, squared_cosine):
    plain = math.ceil(squared_cosine * (d - 1) / (1 - squared_cosine))
    return {"plain": plain, "orthonormal": math.ceil(squared_cosine * d)}


def needed_by_search(d, squared_cosine):
    plain = orthonormal = 1
    while plain / (plain + d - 1) < squared_cosine:
        plain += 1
    while orthonormal / d < squared_cosine:
        orthonormal += 1
    return {"plain": plain, "orthonormal": orthonormal}


def needed_by_package(d, squared_cosine):
    kinds = {"plain": "gaussian", "orthonormal": "orthonormal"}
    return {name: expectations.directions_needed(d, squared_cosine, kind) for name, kind in kinds.items()}


def needed_by_floor(d, squared_cosine):
    return {
        "orthonormal": float(-((-squared_cosine * d) // 1)),
        "plain": float(-((-squared_cosine * (d - 1) / (1 - squared_cosine)) // 1)),
    }


def needed_by_arrays(d, squared_cosine):
    K = np.arange(1, 60 * d)
    return {
        "plain": K[np.argmax(K / (K + d - 1) >= squared_cosine)],
        "orthonormal": K[np.argmax(K / d >= squared_cosine)],
    }


def needed_by_fraction(d, squared_cosine):
    odds = squared_cosine / (1.0 - squared_cosine)
    return {"plain": int(np.ceil((d - 1) * odds)), "orthonormal": np.ceil(np.float64(d) * squared_cosine)}


def needed_with(plain, orthonormal):
    def answer(d, c):
        return {"plain": plain(d, c), "orthonormal": orthonormal(d, c)}

    return answer


def hidden_needed(rng):
    cases = []
    while len(cases) < 5:
        d, c = int(rng.integers(40, 900)), round(float(rng.uniform(0.35, 0.9)), 3)
        edges = [c * (d - 1) / (1 - c), c * d]
        if all(0.05 < edge % 1 < 0.95 for edge in edges):
            cases.append(case(d, c))
    return cases


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
          ), "the task: squared_cosine",
          "The wish was squared once more.",
          "What is given is already the squared cosine."),
    wrong("rounded-down", needed_with(lambda d, c: math.floor(c * (d - 1) / (1 - c)), lambda d, c: math.floor(c * d)),
          "the task: the smallest number that reaches it",
          "Both numbers are one too small.",
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
    visible=[case(101, 0.505), case(333, 0.72), case(58, 0.41), case(745, 0.86)],
    hidden=hidden_needed,
    accepted=[needed_by_search, needed_by_package, needed_by_floor, needed_by_arrays, needed_by_fraction],
    bank=BANK,
    hints=(
        "With K independent Gaussian directions E[cos²] = K / (K + d − 1); with orthonormal ones it is K / d.",
        "Set each equal to the wish, solve for K, and round up.",
        "K = c (d − 1) / (1 − c) and K = c d, both rounded up with math.ceil.",
    ),
)
