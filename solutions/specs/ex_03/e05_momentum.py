"""03.5 Momentum."""

from __future__ import annotations

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.grading.spec import Exercise, case, wrong

from .shared import numbers, rate


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
    moved = theta.copy()
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


def run_cases(rng, *extra):
    return [
        case(numbers(rng, d), numbers(rng, (k, d)), rate(rng), *(value(rng) for value in extra))
        for k, d in ((4, 2), (3, 3), (5, 2), (6, 4))
    ]


SLOPES = np.array([[1.0, -0.5], [0.8, -0.7], [-0.4, 0.9], [1.2, 0.6]])

STEEP = np.array([[0.5, -1.5, 2.0], [0.7, 1.1, 1.6], [0.9, -0.8, -1.2]])

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
          "Your places come one step late.",
          "You moved first and updated the velocity afterwards, so the first step goes nowhere."),
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
    visible=[
        case(np.array([2.0, -1.0]), SLOPES, 0.1, 0.9),
        case(np.array([-0.5, 1.5, 3.0]), STEEP, 0.25, 0.5),
        case(np.array([1.2, 0.4]), SLOPES[1:], 0.4, 0.7),
    ],
    hidden=lambda rng: run_cases(rng, lambda rng: rate(rng, 0.3, 0.95)),
    accepted=[
        momentum_as_a_sum,
        momentum_in_plain_python,
        momentum_by_differences,
        momentum_by_optimizer,
        momentum_with_eta_inside,
    ],
    bank=BANK,
    hints=(
        "Two things are carried from step to step: the place and the velocity. How do they begin?",
        "In each step first the velocity: the old one, faded by beta, plus the new gradient. Then the place.",
        "v = beta * v + g, then theta = theta - eta * v; append the new theta to a list.",
    ),
)
