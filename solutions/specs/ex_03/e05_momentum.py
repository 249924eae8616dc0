"""03.5 Momentum."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import last_place_only, numbers, rate, start_among_the_places


def momentum(theta, gradients, eta, beta):
    v = np.zeros(len(theta))
    places = []
    for g in gradients:
        v = beta * v + g
        theta = theta - eta * v
        places.append(theta)
    return np.array(places)


def momentum_as_a_sum(theta, gradients, eta, beta):
    places, k = [], len(gradients)
    for n in range(k):
        moved = np.array(theta)
        for j in range(n + 1):
            moved = moved - eta * gradients[j] * (1 - beta ** (n + 1 - j)) / (1 - beta)
        places.append(moved)
    return places


def momentum_in_plain_python(theta, gradients, eta, beta):
    place, velocity, places = [float(a) for a in theta], [0.0] * len(theta), []
    for g in gradients:
        velocity = [beta * v + float(b) for v, b in zip(velocity, g, strict=True)]
        place = [a - eta * v for a, v in zip(place, velocity, strict=True)]
        places.append(list(place))
    return places


def momentum_by_differences(theta, gradients, eta, beta):
    before, places = theta, []
    for g in gradients:
        theta, before = theta - eta * g + beta * (theta - before), theta
        places.append(theta)
    return places


def momentum_by_optimizer(theta, gradients, eta, beta):
    moved = theta.astype(float)
    optimizer = opt.Momentum(moved, lr=eta, momentum=beta)
    places = []
    for g in gradients:
        optimizer.step(g)
        places.append(moved.copy())
    return places


def momentum_with_eta_inside(theta, gradients, eta, beta):
    v, places = 0.0 * theta, np.empty(gradients.shape)
    for n, g in enumerate(gradients):
        v = beta * v - eta * g
        theta = theta + v
        places[n] = theta
    return places


def momentum_in_a_deque(theta, gradients, eta, beta):
    places, v = deque([theta]), 0.0
    for row in list(gradients):
        v = row + beta * v
        places.append(places[-1] - eta * v)
    places.popleft()
    return places


def momentum_wrong(velocity, move=lambda v, g, eta, beta: -eta * v, late=False):
    def answer(theta, gradients, eta, beta):
        v, places = np.zeros(len(theta)), []
        for g in gradients:
            new = velocity(v, g, beta)
            theta = theta + move(v if late else new, g, eta, beta)
            v = new
            places.append(theta)
        return np.array(places)

    return answer


def heavy(v, g, beta):
    return beta * v + g


def remembers_one_gradient(theta, gradients, eta, beta):
    places, last = [], np.zeros(len(theta))
    for g in gradients:
        theta, last = theta - eta * (g + beta * last), g
        places.append(theta)
    return np.array(places)


def stores_the_velocity(theta, gradients, eta, beta):
    v, found = np.zeros(len(theta)), []
    for g in gradients:
        v = heavy(v, g, beta)
        found.append(v)
    return np.array(found)


def momentum_edges(rng):
    """No memory at all; a ball that rolls on while no gradient comes; long steps."""
    rolling = numbers(rng, (5, 2))
    rolling[2:4] = 0.0
    return [
        case(numbers(rng, 3), numbers(rng, (4, 3)), rate(rng), 0.0),
        case(numbers(rng, 2), rolling, rate(rng), rate(rng, 0.3, 0.95)),
        case(numbers(rng, 3), numbers(rng, (2, 3)), rate(rng, 1.6, 3.0), rate(rng, 0.3, 0.95)),
        case(20 * numbers(rng, 2), 40 * numbers(rng, (32, 2)), rate(rng), rate(rng, 0.97, 0.985)),
        case(np.array([4, -3]), np.array([[1, -2], [2, 1], [-1, 3]]), rate(rng), rate(rng, 0.3, 0.95)),
        case(1e-5 * numbers(rng, 2), 1e-7 * numbers(rng, (4, 2)), rate(rng, 23.0, 41.0), rate(rng, 0.3, 0.95)),
    ]


def momentum_like_theta(theta, gradients, eta, beta):
    places = np.zeros_like(np.array([theta] * len(gradients)))
    places[:] = momentum(theta, gradients, eta, beta)
    return places


def momentum_of_ten_steps(theta, gradients, eta, beta):
    places = momentum(theta, gradients, eta, beta)
    places[10:] = places[min(9, len(places) - 1)]
    return places


def run_cases(rng, *extra):
    return [
        case(numbers(rng, d), numbers(rng, (k, d)), rate(rng), *(value(rng) for value in extra))
        for k, d in ((4, 2), (3, 3), (5, 2), (6, 4))
    ]


SLOPES = np.array([[1.0, -0.5], [0.8, -0.7], [-0.4, 0.9], [1.2, 0.6]])

STEEP = np.array([[0.5, -1.5, 2.0], [0.7, 1.1, 1.6], [0.9, -0.8, -1.2]])

LONG = np.array([[0.7, -0.9], [1.3, 0.4], [-0.6, 1.7], [0.9, -1.1], [-1.4, -0.3], [0.8, 1.2]])

BANK = [
    wrong("no-memory", momentum_wrong(lambda v, g, beta: g), "notebook 03, section 5: a fading sum of past gradients",
          "This is plain gradient descent: the earlier gradients have left no trace.",
          "The velocity must be carried from step to step; do not begin it anew inside the loop."),
    wrong("averages-instead", momentum_wrong(lambda v, g, beta: beta * v + (1 - beta) * g),
          "notebook 03, section 5: in a steady slope, gradients add up",
          "Your steps are (1 - beta) times too short.",
          "You made a moving average, as Adam does. Here gradients are added, so that steps can grow."),
    wrong("fades-the-new-gradient", momentum_wrong(lambda v, g, beta: v + beta * g),
          "notebook 03, section 5: the formula for v",
          "beta stands at the wrong place: nothing is ever forgotten.",
          "What fades is the past. Here the old velocity is kept whole, and each new gradient is shortened."),
    wrong("moves-with-the-old-velocity", momentum_wrong(heavy, late=True), "notebook 03, section 5: first v, then w",
          "Your places come one step late: the first is the start.",
          "Either you moved before the velocity was updated, or you kept the place from before the step."),
    wrong("brakes-instead-of-pushing", momentum_wrong(lambda v, g, beta: -beta * v + g),
          "notebook 03, section 5: the formula for v",
          "Your velocity works against the direction of the last steps.",
          "If the update has a minus sign once, in the move, the velocity must not have another."),
    wrong("walks-uphill", momentum_wrong(heavy, lambda v, g, eta, beta: eta * v),
          "notebook 03, section 5: the formula for w",
          "Your ball rolls uphill.",
          "The velocity is a sum of gradients, and gradients point to where the loss rises."),
    wrong("adds-the-gradient-again", momentum_wrong(heavy, lambda v, g, eta, beta: -eta * (v + g)),
          "notebook 03, section 5: the formula for w",
          "The present gradient counts twice.",
          "It is in the velocity already."),
    wrong("looks-ahead", momentum_wrong(heavy, lambda v, g, eta, beta: -eta * (g + beta * v)),
          "notebook 03, section 5: the formula for w",
          "This is Nesterov's variant, in the form that PyTorch uses.",
          "Plain momentum moves by the velocity alone."),
    wrong("remembers-one-gradient", remembers_one_gradient, "notebook 03, section 5: a fading sum of past gradients",
          "Your first two places are right; after that the older gradients are missing.",
          "You keep the last gradient where the velocity belongs, and a velocity holds all of the past."),
    wrong("step-size-twice", momentum_wrong(lambda v, g, beta: beta * v + g, lambda v, g, eta, beta: -eta * eta * v),
          "notebook 03, section 5: the formulas for v and w",
          "Your steps contain eta twice.",
          "eta may stand in the velocity or in the move, and not in both."),
    wrong("stores-the-velocity", stores_the_velocity, "the docstring of the exercise: k places",
          "You returned the velocities, not the places.",
          "The velocity says how the ball moves. Where it is after each step is theta."),
    wrong("one-array-for-all-places", last_place_only(momentum), "the docstring of the exercise: k places",
          "All your places are the last one.",
          "Did you append one array and go on changing it, or fill in the last place? Keep what each step gives."),
    wrong("whole-numbers-stay-whole", momentum_like_theta, "the docstring of the exercise: k places",
          "Where theta holds whole numbers, so do your places.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("ten-steps-at-most", momentum_of_ten_steps, "the docstring of the exercise: k places",
          "After ten steps your ball stands still.",
          "There is one step for each row of gradients, however many there are."),
    wrong("velocity-with-a-bound", momentum_wrong(lambda v, g, beta: np.clip(beta * v + g, -50, 50)),
          "notebook 03, section 5: a fading sum of past gradients",
          "Your ball never becomes really fast.",
          "Nothing bounds the velocity but its fading. Along a steady slope it grows to g / (1 - beta)."),
    wrong("start-among-the-places", start_among_the_places(momentum), "the docstring of the exercise: k places",
          "You return one place more: the start stands in front.",
          "Asked for are the places that the steps lead to."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.5",
    title="Momentum",
    function="momentum",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 03, section 5, 'Momentum'",
    reference=momentum,
    integers=True,
    domain={
        "theta": Array("d"),
        "gradients": Array("k d", all_zero=True),
        "eta": Number(more_than=0),
        "beta": Number(at_least=0, less_than=1),
    },
    meets={
        "there are more than thirty steps": lambda gradients: len(gradients) > 30,
        "nearly all of the velocity is kept": lambda beta: beta > 0.96,
        "all slopes are tiny": lambda gradients: 0 < np.abs(gradients).max() < 1e-6,
        "theta and the gradients hold whole numbers": lambda theta, gradients: (
            theta.dtype.kind == gradients.dtype.kind == "i"
        ),
        "no gradient comes while the ball rolls": lambda gradients: any(
            before.any() and not g.any() for before, g in pairwise(gradients)
        ),
        "the step size is above 1": lambda eta: eta > 1.5,
    },
    visible=[
        case(np.array([2.0, -1.0]), SLOPES, 0.1, 0.9),
        case(np.array([-0.5, 1.5, 3.0]), STEEP, 0.25, 0.5),
        case(np.array([1.2, 0.4]), LONG, 0.371, 0.683),
        *momentum_edges(np.random.default_rng(35)),
    ],
    hidden=lambda rng: [*run_cases(rng, lambda rng: rate(rng, 0.3, 0.95)), *momentum_edges(rng)],
    accepted=[
        momentum_as_a_sum,
        momentum_in_plain_python,
        momentum_by_differences,
        momentum_by_optimizer,
        momentum_with_eta_inside,
        momentum_in_a_deque,
    ],
    bank=BANK,
    hints=(
        "Two things are carried from step to step: the place and the velocity. How do they begin?",
        "In each step first the velocity: the old one, faded by beta, plus the new gradient. Then the place.",
        "v = beta * v + g, then theta = theta - eta * v; append the new theta to a list.",
    ),
)
