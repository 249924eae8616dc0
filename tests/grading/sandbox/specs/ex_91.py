"""Two small exercises that submissions of every kind answer: honest, wrong, and hostile."""

import numpy as np

from coursepkg.grading.specification.exercise import Exercise, Misconception, case


def squared_slope(x, w):
    """The gradient of sum((x * w)²) with respect to w."""
    return 2 * np.asarray(x) ** 2 * np.asarray(w)


def product(a, b):
    """The product of two numbers."""
    return a * b


def draw_vectors(rng):
    """Vectors of several lengths, signs mixed."""
    return [
        case(rng.uniform(0.5, 2.0, n) * rng.choice([-1, 1], n), rng.uniform(0.5, 2.0, n) * rng.choice([-1, 1], n))
        for n in (2, 3, 5)
    ]


def draw_numbers(rng):
    """Pairs of numbers."""
    return [case(*rng.uniform(1.5, 4.0, 2)) for _ in range(3)]


def idea(name, answer):
    """A wrong idea in few words."""
    return Misconception(name, answer, f"It looks like {name}.", f"Why: {name}.", "notebook 91, 'Anything'")


EXERCISES = [
    Exercise(
        id="91.1", title="A slope", function="squared_slope", minutes=1, difficulty=1, points=2, see="notebook 91",
        reference=squared_slope,
        visible=[
            case(np.array([1.5, -2.0]), np.array([0.5, 3.0])),
            case(np.array([0.7, 1.3, -2.1]), np.array([2.0, -1.5, 0.4])),
            case(np.array([-1.1]), np.array([1.7])),
        ],
        hidden=draw_vectors,
        accepted=[lambda x, w: [2 * a * a * b for a, b in zip(x, w, strict=True)]] * 5,
        bank=[
            idea("forgets-factor", lambda x, w: x**2 * w),
            idea("forgets-square", lambda x, w: 2 * x * w),
            idea("wrong-sign", lambda x, w: -2 * x**2 * w),
            idea("other-variable", lambda x, w: 2 * w**2 * x),
            idea("adds-up", lambda x, w: np.sum(2 * x**2 * w)),
        ],
        hints=("One.", "Two.", "Three."),
    ),
    Exercise(
        id="91.2", title="A product", function="product", minutes=1, difficulty=1, points=1, see="notebook 91",
        reference=product,
        visible=[case(1.5, 2.0), case(-0.5, 3.0), case(2.0, 0.7)],
        hidden=draw_numbers,
        accepted=[lambda a, b: b * a] * 5,
        bank=[
            idea("adds", lambda a, b: a + b),
            idea("subtracts", lambda a, b: a - b),
            idea("divides", lambda a, b: a / b),
            idea("first-alone", lambda a, b: a),
            idea("second-alone", lambda a, b: b),
        ],
        hints=("One.", "Two.", "Three."),
    ),
]  # fmt: skip
