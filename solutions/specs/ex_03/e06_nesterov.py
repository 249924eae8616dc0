"""03.6 Nesterov looks ahead."""

from __future__ import annotations

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e05_momentum import heavy
from .shared import last_place_only, numbers, one_place_late, rate, start_among_the_places


def nesterov(theta, c, eta, beta, steps):
    v = np.zeros(len(theta))
    places = []
    for _ in range(steps):
        g = c * (theta - eta * beta * v)
        v = beta * v + g
        theta = theta - eta * v
        places.append(theta)
    return np.array(places)


def nesterov_in_plain_python(theta, c, eta, beta, steps):
    place, velocity, places = [float(a) for a in theta], [0.0] * len(theta), []
    for _ in range(steps):
        for i, curvature in enumerate(c):
            ahead = place[i] - eta * beta * velocity[i]
            velocity[i] = beta * velocity[i] + float(curvature) * ahead
            place[i] -= eta * velocity[i]
        places.append(tuple(place))
    return places


def nesterov_with_eta_inside(theta, c, eta, beta, steps):
    v, places = 0 * theta, []
    for _ in range(steps):
        v = beta * v - eta * c * (theta + beta * v)
        theta = theta + v
        places.append(theta)
    return places


def nesterov_two_sequences(theta, c, eta, beta, steps):
    ahead, places = theta, [theta]
    for _ in range(steps):
        places.append(ahead - eta * c * ahead)
        ahead = places[-1] + beta * (places[-1] - places[-2])
    return places[1:]


def nesterov_by_optimizer(theta, c, eta, beta, steps):
    ahead = theta.astype(float)
    optimizer = opt.Nesterov(ahead, lr=eta, momentum=beta)
    places = []
    for _ in range(steps):
        optimizer.step(c * ahead)
        places.append(ahead + eta * beta * optimizer.state[0]["velocity"])
    return places


def nesterov_by_matrix(theta, c, eta, beta, steps):
    """Each coordinate is linear: (place, move) times a matrix of 2 by 2."""
    places = np.zeros((steps, len(theta)))
    for i, (start, curvature) in enumerate(zip(theta, c, strict=True)):
        keep = 1 - eta * curvature
        A, state = np.array([[keep, beta * keep], [-eta * curvature, beta * keep]]), np.array([start, 0.0])
        for n in range(steps):
            state = A @ state
            places[n, i] = state[0]
    return places


def nesterov_from_the_last_two(theta, c, eta, beta, steps):
    places = [theta, theta]
    for _ in range(steps):
        ahead = places[-1] + beta * (places[-1] - places[-2])
        places.append(ahead - eta * (c * ahead))
    return [place.tolist() for place in places[2:]]


def nesterov_wrong(look, velocity=heavy, base=lambda theta, ahead: theta):
    def answer(theta, c, eta, beta, steps):
        v, places = np.zeros(len(theta)), []
        for _ in range(steps):
            ahead = look(theta, v, eta, beta)
            v = velocity(v, c * ahead, beta)
            theta = base(theta, ahead) - eta * v
            places.append(theta)
        return np.array(places)

    return answer


def true_look(theta, v, eta, beta):
    return theta - eta * beta * v


def fades_twice(theta, c, eta, beta, steps):
    v, places = np.zeros(len(theta)), []
    for _ in range(steps):
        v = beta * v
        v = v + c * (theta - eta * beta * v)
        theta = theta - eta * v
        places.append(theta)
    return np.array(places)


def forgets_the_curvature(theta, c, eta, beta, steps):
    return nesterov(theta, np.ones(len(theta)), eta, beta, steps)


def nesterov_edges(rng):
    """One step; nothing carried over; many long steps, in a bowl so flat that they settle."""
    return [
        case(numbers(rng, 3), rng.uniform(0.5, 3.0, 3).round(2), rate(rng), rate(rng, 0.4, 0.9), 1),
        case(numbers(rng, 2), rng.uniform(0.5, 3.0, 2).round(2), rate(rng), 0.0, 4),
        case(numbers(rng, 2), rng.uniform(0.18, 0.24, 2).round(3), rate(rng, 2.1, 2.6), rate(rng, 0.1, 0.2), 12),
        case(900 * numbers(rng, 2), rng.uniform(0.5, 3.0, 2).round(2), rate(rng, 0.02, 0.1), rate(rng, 0.96, 0.98), 33),
        case(1e-6 * numbers(rng, 2), rng.uniform(0.5, 3.0, 2).round(2), rate(rng, 0.1, 0.4), rate(rng, 0.4, 0.9), 5),
        case(np.array([4, -3]), np.array([1, 2]), rate(rng, 0.1, 0.4), rate(rng, 0.4, 0.9), 3),
    ]


def nesterov_like_theta(theta, c, eta, beta, steps):
    places = np.zeros_like(np.array([theta] * steps))
    places[:] = nesterov(theta, c, eta, beta, steps)
    return places


def nesterov_of_twenty_steps(theta, c, eta, beta, steps):
    places = nesterov(theta, c, eta, beta, steps)
    places[20:] = places[min(19, steps - 1)]
    return places


def nesterov_cases(rng):
    return nesterov_edges(rng) + [
        case(numbers(rng, d), rng.uniform(0.5, 3.0, d).round(2), rate(rng, 0.1, 0.4), rate(rng, 0.4, 0.9), k)
        for d, k in ((2, 3), (3, 4), (2, 5), (4, 3))
    ]


BANK = [
    wrong("whole-numbers-stay-whole", nesterov_like_theta, "the docstring of the exercise: what is returned?",
          "Where theta holds whole numbers, so do your places.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("twenty-steps-at-most", nesterov_of_twenty_steps, "the docstring of the exercise: what is `steps`?",
          "After twenty steps your ball stands still.",
          "There are as many steps as the caller asks for."),
    wrong("does-not-look-ahead", nesterov_wrong(lambda theta, v, eta, beta: theta),
          "notebook 03, section 5: Nesterov asks for the gradient elsewhere",
          "This is plain momentum.",
          "Your gradient is taken where the ball is, not where it is about to be."),
    wrong("looks-back", nesterov_wrong(lambda theta, v, eta, beta: theta + eta * beta * v),
          "notebook 03, section 5: the sign in the formula for w",
          "You look back to where the ball came from.",
          "The velocity is a sum of gradients, so the ball moves against it."),
    wrong("looks-ahead-without-beta", nesterov_wrong(lambda theta, v, eta, beta: theta - eta * v),
          "notebook 03, section 5: what is left of v in the next step",
          "You look too far ahead.",
          "By the next step the old velocity will have faded; only the part that is kept carries the ball."),
    wrong("looks-ahead-without-eta", nesterov_wrong(lambda theta, v, eta, beta: theta - beta * v),
          "notebook 03, section 5: the formula for w",
          "You look ahead by the velocity itself.",
          "The velocity is measured in gradients. A distance is the velocity times eta."),
    wrong("steps-from-the-point-ahead", nesterov_wrong(true_look, base=lambda theta, ahead: ahead),
          "the docstring of the exercise",
          "The old velocity counts twice in every step.",
          "The point ahead is only where the gradient is asked for. The step starts where the ball is."),
    wrong("returns-the-points-ahead", lambda theta, c, eta, beta, steps: _points_ahead(theta, c, eta, beta, steps),
          "notebook 03, section 5: 91 steps, or 92",
          "You returned the points ahead, not the places of the ball.",
          "PyTorch stores the points ahead, the textbook the places. Here the places are asked for."),
    wrong("forgets-the-velocity", nesterov_wrong(true_look, lambda v, g, beta: g),
          "notebook 03, section 5: the formula for v",
          "Your velocity holds the newest gradient only.",
          "Looking ahead changes where the gradient is taken; the fading sum of gradients stays."),
    wrong("fades-twice", fades_twice, "notebook 03, section 5: what is left of v in the next step",
          "You do not look far enough ahead.",
          "The velocity had faded already when you multiplied it by beta again for the look ahead."),
    wrong("forgets-the-curvature", forgets_the_curvature, "the task: the gradient anywhere",
          "Your steps do not depend on c.",
          "The gradient of this bowl is the place times its curvature, not the place itself."),
    wrong("one-array-for-all-places", last_place_only(nesterov),
          "the docstring of the exercise: the place after each step",
          "All your places are the last one.",
          "Did you append one array and go on changing it, or fill in the last place? Keep what each step gives."),
    wrong("one-place-late", one_place_late(nesterov), "the docstring of the exercise",
          "Your places come one step late: the first is the start.",
          "You keep each place before its step is made, so the last one is missing."),
    wrong("start-among-the-places", start_among_the_places(nesterov),
          "the docstring of the exercise: the place after each step",
          "You return one place more: the start stands in front.",
          "Asked for are the places that the steps lead to."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.6",
    title="Nesterov looks ahead",
    function="nesterov",
    minutes=10,
    difficulty=3,
    points=3,
    see="notebook 03, section 5, 'Nesterov, and a steeper ravine'",
    reference=nesterov,
    integers=True,
    domain={
        "theta": Array("d"),
        "c": Array("d", more_than=0),
        "eta": Number(more_than=0),
        "beta": Number(at_least=0, less_than=1),
        "steps": Number(whole=True, at_least=1),
    },
    meets={
        "there are more than thirty steps": lambda steps: steps > 30,
        "nearly all of the velocity is kept": lambda beta: beta > 0.95,
        "theta is tiny": lambda theta: 0 < np.abs(theta).max() < 1e-5,
        "theta and c hold whole numbers": lambda theta, c: theta.dtype.kind == c.dtype.kind == "i",
        "the step size is above 1": lambda eta: eta > 1.5,
        "the ball has settled before the last step": lambda theta, c, eta, beta, steps: (
            steps > 2 and np.abs(np.diff(nesterov(theta, c, eta, beta, steps - 1)[-2:], axis=0)).max() < 1e-3
        ),
    },
    visible=[
        case(np.array([2.0, -1.0]), np.array([1.0, 3.0]), 0.2, 0.8, 4),
        case(np.array([-0.5, 1.5, 3.0]), np.array([0.6, 2.5, 1.4]), 0.35, 0.5, 3),
        case(np.array([1.2, 0.9]), np.array([2.2, 0.7]), 0.15, 0.9, 5),
        *nesterov_edges(np.random.default_rng(36)),
    ],
    hidden=nesterov_cases,
    accepted=[
        nesterov_in_plain_python,
        nesterov_with_eta_inside,
        nesterov_two_sequences,
        nesterov_by_optimizer,
        nesterov_by_matrix,
        nesterov_from_the_last_two,
    ],
    bank=BANK,
    hints=(
        "Write plain momentum first. One line changes: where the gradient is taken.",
        "If no new gradient came, the velocity would be beta * v and the ball would move by -eta times that.",
        "g = c * (theta - eta * beta * v); the two lines of momentum follow as they were.",
    ),
)


def _points_ahead(theta, c, eta, beta, steps):
    v, places = np.zeros(len(theta)), []
    for _ in range(steps):
        v = beta * v + c * (theta - eta * beta * v)
        theta = theta - eta * v
        places.append(theta - eta * beta * v)
    return np.array(places)
