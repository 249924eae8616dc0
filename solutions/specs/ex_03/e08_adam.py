"""03.8 Adam, with its correction."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e05_momentum import LONG, SLOPES, STEEP, run_cases
from .shared import last_place_only, numbers, one_place_late, rate, start_among_the_places


def adam(theta, gradients, eta, beta1, beta2, eps):
    m, s = np.zeros(len(theta)), np.zeros(len(theta))
    places = []
    for k, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**k)
        s_hat = s / (1 - beta2**k)
        theta = theta - eta * m_hat / (np.sqrt(s_hat) + eps)
        places.append(theta)
    return np.array(places)


def adam_in_plain_python(theta, gradients, eta, beta1, beta2, eps):
    place, m, s, places = list(theta), [0.0] * len(theta), [0.0] * len(theta), []
    for k, g in enumerate(gradients):
        for i, slope in enumerate(g):
            m[i] += (1 - beta1) * (slope - m[i])
            s[i] += (1 - beta2) * (slope * slope - s[i])
            place[i] -= eta * m[i] / (1 - beta1 ** (k + 1)) / (math.sqrt(s[i] / (1 - beta2 ** (k + 1))) + eps)
        places.append(list(place))
    return places


def adam_by_weighted_means(theta, gradients, eta, beta1, beta2, eps):
    """A corrected average is a weighted mean whose weights sum to one."""
    places, place = [], theta
    for k in range(1, len(gradients) + 1):
        past = np.asarray(gradients[:k])
        first = np.average(past, axis=0, weights=beta1 ** np.arange(k)[::-1])
        second = np.average(past**2, axis=0, weights=beta2 ** np.arange(k)[::-1])
        place = place - eta * first / (second**0.5 + eps)
        places.append(place)
    return places


def adam_with_one_rate(theta, gradients, eta, beta1, beta2, eps):
    m = s = 0.0
    places, fade1, fade2 = [], 1.0, 1.0
    for g in gradients:
        fade1, fade2 = fade1 * beta1, fade2 * beta2
        m, s = beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
        scale = np.sqrt(1 - fade2)
        theta = theta - eta * scale / (1 - fade1) * m / (np.sqrt(s) + eps * scale)
        places.append(theta)
    return places


def adam_by_optimizer(theta, gradients, eta, beta1, beta2, eps):
    place, places = theta.astype(float), []
    optimizer = opt.Adam(place, lr=eta, betas=(beta1, beta2), eps=eps)
    for g in gradients:
        optimizer.step(g)
        places.append(place.copy())
    return places


def adam_float32(theta, gradients, eta, beta1, beta2, eps):
    single = [np.float32(x) for x in (theta, gradients, eta, beta1, beta2, eps)]
    return adam(*single).astype(np.float32)


def adam_wrong(
    *, counter=lambda k: k, correct=(True, True), root=lambda s, eps: np.sqrt(s) + eps, keep=None, top="m", swap=False
):
    def answer(theta, gradients, eta, beta1, beta2, eps):
        if swap:
            beta1, beta2 = beta2, beta1
        m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
        for k, g in enumerate(gradients, start=1):
            m = beta1 * m + (1 - beta1) * g
            s = keep(s, g) if keep else beta2 * s + (1 - beta2) * g**2
            m_hat = m / (1 - beta1 ** counter(k)) if correct[0] else m
            s_hat = s / (1 - beta2 ** counter(k)) if correct[1] else s
            theta = theta - eta * (m_hat if top == "m" else g) / root(s_hat, eps)
            places.append(theta)
        return np.array(places)

    return answer


def adam_sums(theta, gradients, eta, beta1, beta2, eps):
    m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
    for k, g in enumerate(gradients, start=1):
        m, s = beta1 * m + g, beta2 * s + g**2
        theta = theta - eta * m / (1 - beta1**k) / (np.sqrt(s / (1 - beta2**k)) + eps)
        places.append(theta)
    return np.array(places)


def adam_carries_the_corrected(theta, gradients, eta, beta1, beta2, eps):
    m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
    for k, g in enumerate(gradients, start=1):
        m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**k)
        s = (beta2 * s + (1 - beta2) * g**2) / (1 - beta2**k)
        theta = theta - eta * m / (np.sqrt(s) + eps)
        places.append(theta)
    return np.array(places)


def adam_with_eps_uncorrected(theta, gradients, eta, beta1, beta2, eps):
    m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
    for k, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        theta = theta - eta * np.sqrt(1 - beta2**k) / (1 - beta1**k) * m / (np.sqrt(s) + eps)
        places.append(theta)
    return np.array(places)


def adam_first_step_uncorrected(theta, gradients, eta, beta1, beta2, eps):
    m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
    for k, g in enumerate(gradients):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        m_hat, s_hat = (m / (1 - beta1**k), s / (1 - beta2**k)) if k else (m, s)
        theta = theta - eta * m_hat / (np.sqrt(s_hat) + eps)
        places.append(theta)
    return np.array(places)


def adam_edges(rng):
    """Each of the two averages without memory; a gradient of zero in the first step and later."""
    waiting = numbers(rng, (4, 2))
    waiting[0], waiting[2, 1] = 0.0, 0.0
    others = rate(rng, 0.1, 0.3), rate(rng, 0.85, 0.97)
    return [
        case(numbers(rng, 3), numbers(rng, (3, 3)), rate(rng), 0.0, others[1], rate(rng, 0.1, 0.3)),
        case(numbers(rng, 2), numbers(rng, (4, 2)), rate(rng), rate(rng, 0.5, 0.8), 0.0, others[0]),
        case(numbers(rng, 2), waiting, rate(rng), rate(rng, 0.5, 0.8), others[1], others[0]),
        case(numbers(rng, 2), numbers(rng, (27, 2)), rate(rng), 0.9, 0.999, rate(rng, 0.1, 0.3)),
        case(numbers(rng, 2), 1e-6 * numbers(rng, (4, 2)), rate(rng), 0.9, 0.99, 1e-7 * rate(rng, 1.0, 6.0)),
        case(
            200 * numbers(rng, 2), 1e5 * numbers(rng, (3, 2)), rate(rng, 30, 60), 0.8, 0.95, 1e4 * rate(rng, 1.0, 3.0)
        ),
        case(numbers(rng, 2), numbers(rng, (4, 2)), rate(rng), others[1], others[1], others[0]),
        case(np.array([4, -3]), np.array([[1, -2], [2, 1], [-1, 3]]), rate(rng), 0.8, 0.9, others[0]),
    ]


def adam_like_theta(theta, gradients, *rates):
    places = np.zeros_like(np.array([theta] * len(gradients)))
    places[:] = adam(theta, gradients, *rates)
    return places


def adam_cases(rng):
    return adam_edges(rng) + [
        case(*item.args, rate(rng, 0.5, 0.8), rate(rng, 0.85, 0.97), rate(rng, 0.1, 0.3)) for item in run_cases(rng)
    ]


BANK = [
    wrong("whole-numbers-stay-whole", adam_like_theta, "the docstring of the exercise: what is returned?",
          "Where theta holds whole numbers, so do your places.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("correction-left-out-later", adam_wrong(counter=lambda k: k if k <= 10 else math.inf),
          "notebook 03, section 6: at step number k = 1, 2, 3",
          "After some steps your averages are no longer corrected.",
          "How soon the correction fades depends on the beta. With 0.999 it takes thousands of steps."),
    wrong("no-correction", adam_wrong(correct=(False, False)), "notebook 03, section 6: the column 'not corrected'",
          "Your averages are not corrected for starting at zero.",
          "In the first steps both are far too small, and by different shares, so the quotient is wrong."),
    wrong("counter-stuck-at-one", adam_wrong(counter=lambda k: 1), "notebook 03, section 6: the column 'counter stuck'",
          "The first step is right, and the correction never fades.",
          "The correction depends on the number of the step. Yours is always that of the first."),
    wrong("counter-one-ahead", adam_wrong(counter=lambda k: k + 1),
          "notebook 03, section 6: at step number k = 1, 2, 3",
          "Your correction is that of the next step.",
          "The first step has number 1. Did you count it twice?"),
    wrong("counter-one-behind", adam_wrong(counter=lambda k: max(k - 1, 1)),
          "notebook 03, section 6: at step number k = 1, 2, 3",
          "Your first step is right, and each later correction is that of the step before.",
          "The number of the step has to rise before the correction is made."),
    wrong("first-step-uncorrected", adam_first_step_uncorrected, "notebook 03, section 6: at step number k = 1, 2, 3",
          "The first step is not corrected, and each later one as if it were the step before.",
          "Your steps are counted from 0. The first one needs the correction most."),
    wrong("counts-from-zero", adam_wrong(counter=lambda k: k - 1), "notebook 03, section 6: at step number k = 1, 2, 3",
          "From the first step on your places are no numbers: you divided by zero.",
          "In a step with the number 0 the correction has nothing to divide by. Where does your counting begin?"),
    wrong("adds-instead-of-averaging", adam_sums, "notebook 03, section 6: the formulas for m and s",
          "Your averages are sums: they grow with every step.",
          "In an average the new value counts only for the share that the old one gives up."),
    wrong("carries-the-corrected-averages", adam_carries_the_corrected, "notebook 03, section 6: both averages",
          "The first step is right; later ones start from averages that were corrected before.",
          "The correction is for the step alone. The averages themselves go on uncorrected."),
    wrong("eps-not-in-step-with-the-root", adam_with_eps_uncorrected, "notebook 03, section 6: the formula for w",
          "eps was added to the root of the average as it was before its correction.",
          "A common short form does so; for an eps that is not small it is another method."),
    wrong("one-array-for-all-places", last_place_only(adam), "the docstring of the exercise: k places",
          "All your places are the last one.",
          "Did you append one array and go on changing it, or fill in the last place? Keep what each step gives."),
    wrong("one-place-late", one_place_late(adam), "'Divide by the usual size', and the docstring of the exercise",
          "Your places come one step late: the first is the start.",
          "You keep each place before its step is made, so the last one is missing."),
    wrong("start-among-the-places", start_among_the_places(adam), "the docstring of the exercise: k places",
          "You return one place more: the start stands in front.",
          "Asked for are the places that the steps lead to."),
    wrong("corrects-the-mean-only", adam_wrong(correct=(True, False)),
          "notebook 03, section 6: both averages start at zero",
          "The average of the squares is not corrected.",
          "It starts at zero as well, and fades more slowly, so it needs the correction longer."),
    wrong("corrects-the-squares-only", adam_wrong(correct=(False, True)),
          "notebook 03, section 6: both averages start at zero",
          "The average of the gradients is not corrected.",
          "It starts at zero as well as the other."),
    wrong("eps-inside-the-root", adam_wrong(root=lambda s, eps: np.sqrt(s + eps)),
          "notebook 03, section 6: the formula for w",
          "eps stands inside the square root.",
          "Inside the root a small eps is much larger than it looks: the root of 1e-8 is 1e-4."),
    wrong("betas-swapped", adam_wrong(swap=True), "notebook 03, section 6: the formulas for m and s",
          "beta1 and beta2 are exchanged.",
          "beta1 belongs to the gradients, beta2 to their squares, which are remembered longer."),
    wrong("no-root", adam_wrong(root=lambda s, eps: s + eps), "notebook 03, section 6: the formula for w",
          "The square root is missing.",
          "An average of squares has the wrong unit: the size of a gradient is its root."),
    wrong("no-momentum", adam_wrong(top="g"), "notebook 03, section 6: the formula for w",
          "Your step uses the newest gradient alone: RMSprop with a correction.",
          "Adam puts momentum on top: the average of the gradients stands in the numerator."),
    wrong("squares-the-average", lambda theta, gradients, eta, beta1, beta2, eps: _square_of_the_mean(
              theta, gradients, eta, beta1, beta2, eps
          ), "notebook 03, section 6: the formula for s",
          "You squared the average m; the squares themselves have to be averaged.",
          "Gradients of both signs cancel in an average; their squares do not."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.8",
    title="Adam, with its correction",
    function="adam",
    minutes=12,
    difficulty=3,
    points=4,
    see="notebook 03, section 6, 'Divide by the usual size'",
    reference=adam,
    integers=True,
    domain={
        "theta": Array("d"),
        "gradients": Array("k d", all_zero=True),
        "eta": Number(more_than=0),
        "beta1": Number(at_least=0, less_than=1),
        "beta2": Number(at_least=0, less_than=1),
        "eps": Number(more_than=0),
    },
    meets={
        "the first gradient is zero": lambda gradients: gradients.any() and not gradients[0].any(),
        "there are more than twenty steps": lambda gradients, beta2: len(gradients) > 20 and beta2 > 0.99,
        "the two betas are equal": lambda beta1, beta2: beta1 == beta2 > 0,
        "all gradients are tiny": lambda gradients: 0 < np.abs(gradients).max() < 1e-4,
        "all gradients are huge": lambda gradients: np.abs(gradients).min() > 1e4,
        "theta and the gradients hold whole numbers": lambda theta, gradients: (
            theta.dtype.kind == gradients.dtype.kind == "i"
        ),
    },
    visible=[
        case(np.array([2.0, -1.0]), SLOPES, 0.1, 0.9, 0.99, 0.1),
        case(np.array([-0.5, 1.5, 3.0]), STEEP, 0.3, 0.6, 0.9, 0.2),
        case(np.array([1.2, 0.4]), LONG, 0.2, 0.8, 0.95, 0.05),
        *adam_edges(np.random.default_rng(38)),
    ],
    hidden=adam_cases,
    accepted=[adam_in_plain_python, adam_by_weighted_means, adam_with_one_rate, adam_by_optimizer, adam_float32],
    bank=BANK,
    hints=(
        "Four numbers per weight and step: the two averages, and each of them corrected.",
        "Steps are counted from k = 1. Corrected: m / (1 - beta1**k) and s / (1 - beta2**k); m and s go on unchanged.",
        "The move is -eta times the corrected m, divided by (root of the corrected s, plus eps).",
    ),
)


def _square_of_the_mean(theta, gradients, eta, beta1, beta2, eps):
    m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
    for k, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * m**2
        theta = theta - eta * m / (1 - beta1**k) / (np.sqrt(s / (1 - beta2**k)) + eps)
        places.append(theta)
    return np.array(places)
