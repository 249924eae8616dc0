"""04.5 Backward through x / |x|."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def normalize_vjp(x, g):
    length = np.sqrt(np.sum(x * x))
    y = x / length
    return (g - y * np.sum(y * g)) / length


def normalize_by_jacobian(x, g):
    n = np.linalg.norm(x)
    return g @ (np.eye(len(x)) / n - np.outer(x, x) / n**3)


def normalize_loops(x, g):
    n2 = sum(xi * xi for xi in x)
    dot = sum(xi * gi for xi, gi in zip(x, g, strict=True))
    return [(gi - xi * dot / n2) / math.sqrt(n2) for xi, gi in zip(x, g, strict=True)]


def normalize_two_paths(x, g):
    r = 1 / np.linalg.norm(x)
    r_bar = g @ x
    return r * g + r_bar * -(r**3) * x


def normalize_engine(x, g):
    return gradients.vjp(lambda x: x / np.sqrt(np.sum(x * x)), x)[1](g)


def normalize_complex(x, g):
    def f(x):
        return np.sum(g * x) / np.sqrt(np.sum(x * x))

    return np.array([f(x + 1e-30j * row).imag / 1e-30 for row in np.eye(len(x))])


def normalize_float32(x, g):
    x, g = np.float32(x), np.float32(g)
    y = x / np.linalg.norm(x)
    return (g - y * (y @ g)) / np.linalg.norm(x)


def with_length(rule):
    def answer(x, g):
        n = np.linalg.norm(x)
        return rule(np.asarray(x), np.asarray(x) / n, n, np.asarray(g))

    return answer


def normalize_cases(rng):
    return [*(case(numbers(rng, n), numbers(rng, n)) for n in (2, 4, 3, 5)), *normalize_edges(rng)]


def normalize_edges(rng):
    """A short x, the shortest (its cube is still a float32), a long one, and one of length 1."""
    short, unit = 1e-6 * numbers(rng, 3), np.array([0.6, -0.8])[rng.permutation(2)]
    shortest = numbers(rng, 3)
    return [
        case(short, numbers(rng, 3)),
        case(4e-13 * shortest / abs(shortest).max(), numbers(rng, 3)),
        case(4e6 * numbers(rng, 4), 1e7 * numbers(rng, 4)),
        case(unit, numbers(rng, 2)),
        *(case(length * unit, numbers(rng, 2)) for length in (1.0004, 1.006)),
        case(1e8 * unit, 20 * numbers(rng, 2)),
        case(1e-13 * unit, 1e3 * numbers(rng, 2)),
        case(np.array([3, -1, 2]), numbers(rng, 3)),
    ]


def normalize_like_x(x, g):
    found = np.zeros_like(x)
    found[:] = normalize_vjp(x, g)
    return found


def drops_small_results(x, g):
    found = normalize_vjp(x, g)
    return np.where(np.abs(found) < 1e-6, 0.0, found)


BANK = [
    wrong("length-taken-as-constant", with_length(lambda x, y, n, g: g / n),
          "notebook 04, section 5: the denominator of softmax is the same kind of path",
          "You divided g by the length and stopped there.",
          "The length depends on x as well. That second path is missing."),
    wrong("forgets-to-divide", with_length(lambda x, y, n, g: g - y * (y @ g)),
          "notebook 04, section 2: what does a nudge do to the output?",
          "The direction is right, the size is not: a factor that depends on the length is missing.",
          "A long x turns little when it is nudged. Twice the length, half the gradient."),
    wrong("projects-along-the-long-x", with_length(lambda x, y, n, g: (g - x * (x @ g)) / n),
          "the task: the answer is perpendicular to x",
          "In the second term you used x where a vector of length one belongs.",
          "To take out the part of g that points along x, use the direction of x, not its size."),
    wrong("projects-once-long-once-short", with_length(lambda x, y, n, g: (g - x * (y @ g)) / n),
          "the task: the answer is perpendicular to x",
          "In the second term x appears once with its length and once without.",
          "To take out the part of g that points along x, use the direction of x, not its size."),
    wrong("plus-for-minus", with_length(lambda x, y, n, g: (g + y * (y @ g)) / n),
          "the task: the answer is perpendicular to x",
          "The second term has the wrong sign.",
          "Growing x makes the length grow, which shrinks the output. The two paths work against each other."),
    wrong("diagonal-only", with_length(lambda x, y, n, g: g * (1 - y * y) / n),
          "notebook 04, section 5, 'Every output feels every logit'",
          "You treated the Jacobian as if it were its diagonal.",
          "Every entry of x is in the length, and the length is in every output."),
    wrong("returns-the-jacobian", with_length(lambda x, y, n, g: (np.eye(len(y)) - np.outer(y, y)) / n),
          "notebook 04, section 3, 'Two products'",
          "You returned the whole Jacobian, a matrix.",
          "What travels backward is a vector with the shape of x: the product of g with that matrix."),
    wrong("another-length", lambda x, g: (g - np.sign(x) * (x @ g) / np.sum(np.abs(x))) / np.sum(np.abs(x)),
          "the task: |x| is the square root of a sum of squares",
          "You took the sum of the sizes for the length.",
          "That is a length, too, but not the one of the task, and its slope is another one."),
    wrong("a-little-added-to-the-length", lambda x, g: normalize_vjp(x, g) * np.linalg.norm(x)
                                          / (np.linalg.norm(x) + 1e-8),
          "the task: x is not zero",
          "Nearly right everywhere, and off by more the shorter x is.",
          "A small number added to the length keeps a zero x from harm, and x is never zero here."),
    wrong("length-taken-for-one", with_length(lambda x, y, n, g: g - x * (x @ g)),
          "the task: the layer scales a vector to length one",
          "Right where x has length one already, and nowhere else.",
          "Both the direction and the size of the answer depend on how long x is."),
    wrong("length-nearly-one", with_length(lambda x, y, n, g: (g - y * (y @ g)) / (1.0 if abs(n - 1) < 1e-2 else n)),
          "the task: for an x twice as long it is half as large",
          "Where the length is nearly 1 it is taken for 1.",
          "Nearly 1 is another length than 1, and the answer is divided by the one that x has."),
    wrong("drops-small-results", drops_small_results, "the task: for an x twice as long it is half as large",
          "Where x is very long you return 0.",
          "A long x turns little when it is nudged, and it does turn."),
    wrong("whole-numbers-stay-whole", normalize_like_x, "the docstring of the exercise: what is returned?",
          "Where x holds whole numbers, so does your answer.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("only-along-x", with_length(lambda x, y, n, g: y * (y @ g) / n),
          "the task: the answer is perpendicular to x",
          "You returned the part of g that points along x.",
          "Making x longer does not change y, so this is the part that goes."),
    wrong("divides-by-the-square", with_length(lambda x, y, n, g: (g - y * (y @ g)) / n**2),
          "the derivative of x / n by x, for a fixed n",
          "You divided by the length once too often.",
          "For an x twice as long your answer is a quarter as large, and the task says what it should be."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.5",
    title="Backward through x / |x|",
    function="normalize_vjp",
    minutes=12,
    difficulty=3,
    points=4,
    see="notebook 04, sections 3 and 5: derive a Jacobian, then its product",
    reference=normalize_vjp,
    integers=True,
    domain={"x": Array("n"), "g": Array("n", all_zero=True)},
    meets={
        "x is short": lambda x: 1e-9 < np.linalg.norm(x) < 1e-3,
        "x is nearly as short as may be": lambda x: np.linalg.norm(x) < 1e-12,
        "x is long": lambda x: np.linalg.norm(x) > 1e6,
        "x is as long as may be": lambda x: abs(np.linalg.norm(x) / 1e8 - 1) < 1e-9,
        "x is as short as may be": lambda x: abs(np.linalg.norm(x) / 1e-13 - 1) < 1e-9,
        "x has nearly length 1": lambda x: 1e-4 < abs(np.linalg.norm(x) - 1) < 1e-3,
        "x holds whole numbers": lambda x: x.dtype.kind == "i",
        "x has length 1": lambda x: len(x) > 1 and abs(np.linalg.norm(x) - 1) < 1e-9,
    },
    visible=[
        case(np.array([3.0, -4.0]), np.array([1.0, 2.0])),
        case(np.array([1.0, 2.0, -2.0]), np.array([0.5, -1.5, 2.5])),
        case(np.array([0.6, -1.1, 0.9, 1.4]), np.array([-2.0, 0.7, 1.2, -0.8])),
        case(np.array([-0.5, 0.8, 0.4]), np.array([1.9, -0.6, 1.3])),
        *normalize_edges(np.random.default_rng(45)),
    ],
    hidden=normalize_cases,
    accepted=[
        normalize_by_jacobian,
        normalize_loops,
        normalize_two_paths,
        normalize_engine,
        normalize_complex,
        normalize_float32,
    ],
    bank=BANK,
    hints=(
        "Two paths lead from x to the output: through the numerator, and through the length. Write the gradient for "
        "each and add them.",
        "With the length fixed, g is divided by it. The slope of the length itself is the direction y = x / |x|.",
        "Both together: take from g the part that points along y (y times the inner product of y and g), then divide "
        "by the length once.",
    ),
)
