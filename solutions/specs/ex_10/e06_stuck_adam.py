"""10.6 An Adam whose clock stands still."""

from __future__ import annotations

import itertools
import math

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def stuck_adam(gradients, eta, beta1, beta2):
    m = v = 0.0
    steps = []
    for g in gradients:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        steps.append(-eta * (m / (1 - beta1)) / math.sqrt(v / (1 - beta2)))
    return steps


def stuck_powers(gradients, eta, beta1, beta2):
    """Weighted sums over all gradients so far; the factors 1 - beta cancel."""
    g, steps = np.array(gradients), []
    for k in range(1, len(g) + 1):
        ages = np.arange(k)[::-1]
        steps.append(-eta * np.sum(beta1**ages * g[:k]) / np.sqrt(np.sum(beta2**ages * g[:k] ** 2)))
    return np.array(steps)


def stuck_short(gradients, eta, beta1, beta2):
    m, v, steps = 0.0, 0.0, []
    for g in gradients:
        m, v = beta1 * m + g, beta2 * v + g**2
        steps.append(eta * -m / v**0.5)
    return tuple(steps)


def stuck_accumulate(gradients, eta, beta1, beta2):
    m = itertools.accumulate(gradients, lambda old, g: beta1 * old + (1 - beta1) * g, initial=0.0)
    v = itertools.accumulate(gradients, lambda old, g: beta2 * old + (1 - beta2) * g**2, initial=0.0)
    rescale = math.sqrt(1 - beta2) / (1 - beta1)
    return [-eta * rescale * a / math.sqrt(b) for a, b in list(zip(m, v, strict=True))[1:]]


def stuck_matrix(gradients, eta, beta1, beta2):
    g = np.asarray(gradients, dtype=float)
    ages = np.subtract.outer(np.arange(len(g)), np.arange(len(g)))
    first, second = (np.where(ages >= 0, beta ** np.maximum(ages, 0), 0.0) for beta in (beta1, beta2))
    return -eta * (first @ g) / np.sqrt(second @ g**2)


def stuck_eps(gradients, eta, beta1, beta2):
    """With a tiny number against division by zero, as libraries have it."""
    m = v = 0.0
    steps = []
    for g in gradients:
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        steps.append(-eta * m / (1 - beta1) / (math.sqrt(v / (1 - beta2)) + 1e-12))
    return steps


def stuck_float32(gradients, eta, beta1, beta2):
    return np.float32(stuck_adam(gradients, eta, beta1, beta2))


def stuck_tensors(gradients, eta, beta1, beta2):
    return [Tensor(step, requires_grad=True) for step in stuck_adam(gradients, eta, beta1, beta2)]


def adam_with(*, first=None, second=None, root=math.sqrt, overwrite=False, mean=None, first_mean=None, sign=-1):
    """Adam with other corrections: what m and v are divided by at step t."""

    def answer(gradients, eta, beta1, beta2):
        m = v = 0.0
        steps = []
        for t, g in enumerate(gradients, 1):
            m = beta1 * m + (1 - beta1) * g if first_mean is None else first_mean(beta1, m, g, t)
            v = beta2 * v + (1 - beta2) * (mean(g, m) if mean else g * g)
            m_hat = m / (first(beta1, t) if first else 1 - beta1)
            v_hat = v / (second(beta2, t) if second else 1 - beta2)
            steps.append(sign * eta * m_hat / root(v_hat))
            if overwrite:
                m, v = m_hat, v_hat
        return steps

    return answer


def starts_at_the_first_gradient(gradients, eta, beta1, beta2):
    """Both means begin with what comes first, and nothing is corrected."""
    m, v, steps = gradients[0], gradients[0] ** 2, []
    for k, g in enumerate(gradients):
        if k:
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        steps.append(-eta * m / math.sqrt(v))
    return steps


def no_clock_for_silence(gradients, eta, beta1, beta2):
    """Skips the step where a gradient is 0, the means included."""
    some = iter(stuck_adam([g for g in gradients if g], eta, beta1, beta2))
    return [next(some) if g else 0.0 for g in gradients]


def adam_edges(rng):
    """One step; gradients of zero, and tiny ones; no first mean; a small beta2; equal betas, or the first larger."""
    eta = round(float(rng.uniform(0.05, 0.3)), 3)
    silent = numbers(rng, 5)
    silent[2] = silent[4] = 0.0
    return [
        case(numbers(rng, 1), eta, 0.9, 0.99),
        case(silent, eta, 0.8, 0.95),
        case(numbers(rng, 4), 1.7, 0.0, 0.9),
        case(numbers(rng, 4), eta, 0.95, 0.2),
        case([round(5e-6 * number, 8) for number in numbers(rng, 4)], eta, 0.8, 0.95),
        case(numbers(rng, 1) * 4, eta, 0.9, 0.9),
        case(numbers(rng, 1) * 40, eta, 0.97, 0.1),
    ]


def hidden_adams(rng):
    drawn = [
        case(numbers(rng, n), round(float(rng.uniform(0.05, 0.3)), 3), beta1, beta2)
        for n, beta1, beta2 in ((5, 0.8, 0.95), (4, 0.9, 0.99), (7, 0.7, 0.85))
    ]
    return [*drawn, *adam_edges(rng), case(numbers(rng, 230), 0.1, 0.8, 0.95)]


BANK = [
    wrong("clock-runs", adam_with(first=lambda b, t: 1 - b**t, second=lambda b, t: 1 - b**t), "the task: t stays 1",
          "This is Adam as its paper has it: the step number counts up.",
          "In the code in question it stays at 1 for ever, so the correction never fades."),
    wrong("no-correction", adam_with(first=lambda b, t: 1.0, second=lambda b, t: 1.0),
          "notebook 10, section 5: Adam with a stuck clock",
          "Neither mean is corrected.",
          "A clock that stands still corrects too much, not too little."),
    wrong("only-the-first-stuck", adam_with(second=lambda b, t: 1 - b**t), "the task: the two corrections",
          "The clock stands still for m and runs for v.",
          "Both corrections read the same clock."),
    wrong("only-the-second-stuck", adam_with(first=lambda b, t: 1 - b**t), "the task: the two corrections",
          "The clock stands still for v and runs for m.",
          "Both corrections read the same clock."),
    wrong("no-root", adam_with(root=lambda number: number), "chapter 06, Adam",
          "The square root is missing.",
          "v is a mean of squares; without the root a step would depend on the unit of the gradient."),
    wrong("corrected-means-carried-on", adam_with(overwrite=True), "chapter 06, Adam",
          "The first step is right, later ones grow: corrected means go into the next step.",
          "The correction is for use in this step only; m and v are carried on as they are."),
    wrong("absolute-value-for-the-square", adam_with(mean=lambda g, m: abs(g)), "chapter 06, Adam",
          "v is a mean of sizes, not of squares.",
          "The root at the end is there to undo the square."),
    wrong("square-of-the-mean", adam_with(mean=lambda g, m: m * m), "chapter 06, Adam",
          "v is built from the square of m, not of the gradient.",
          "Gradients that change sign cancel in m; in v they must not."),
    wrong("positions-for-steps",
          lambda gradients, eta, beta1, beta2: np.cumsum(stuck_adam(gradients, eta, beta1, beta2)),
          "the task: the steps that this optimizer takes",
          "You give where the parameter is after each step, if it starts at 0.",
          "Asked for are the steps themselves: the difference from one place to the next."),
    wrong("only-the-sign", lambda gradients, eta, beta1, beta2: [-eta * math.copysign(1.0, g) for g in gradients],
          "the task: a constant gradient",
          "Every step has the length eta.",
          "That holds for the first step. From the second on the means hold more than one gradient."),
    wrong("betas-exchanged", lambda gradients, eta, beta1, beta2: stuck_adam(gradients, eta, beta2, beta1),
          "the task: the order of the arguments",
          "Each of the two means is kept with the other one's beta.",
          "beta1 belongs to the mean of the gradients, beta2 to the mean of their squares."),
    wrong("steps-upwards", adam_with(sign=1), "chapter 06, Adam",
          "All steps have the right length and go the wrong way.",
          "A gradient points uphill; an optimizer goes down."),
    wrong("one-correction-forgotten", adam_with(second=lambda b, t: 1.0), "the task: the two corrections",
          "m is corrected, v is not.",
          "Both means start from 0, and both are divided before they are used."),
    wrong("first-correction-forgotten", adam_with(first=lambda b, t: 1.0), "the task: the two corrections",
          "v is corrected, m is not.",
          "Both means start from 0, and both are divided before they are used."),
    wrong("no-first-mean", adam_with(first=lambda b, t: 1.0, first_mean=lambda b, m, g, t: g), "chapter 06, Adam",
          "The gradient itself is divided by the root: the mean of the gradients is missing.",
          "That is RMSprop. Adam steps by a mean of the gradients so far."),
    wrong("starts-at-the-first-gradient", starts_at_the_first_gradient, "the task: starting from m = v = 0",
          "The first step is right; then the means have started from the first gradient in place of 0.",
          "A start at 0 is what the corrections are for."),
    wrong("corrected-by-beta", adam_with(first=lambda b, t: b or 1.0, second=lambda b, t: b),
          "the task: the two corrections",
          "The means are divided by the betas themselves.",
          "With t = 1 a correction is not yet beta: look at what beta is taken away from."),
    wrong("root-before-the-correction", lambda gradients, eta, beta1, beta2: [
              step * math.sqrt(1 - beta2) for step in stuck_adam(gradients, eta, beta1, beta2)
          ], "the task: the order of root and correction",
          "The root was taken of v before its correction.",
          "The hat comes first: what is under the root is v after its division."),
    wrong("guarded-division", adam_with(root=lambda number: math.sqrt(number) + 1e-8),
          "the task: leave out the tiny number",
          "Where all gradients are tiny, the steps are too short.",
          "A guard is small only beside what it guards, and a gradient may be small itself."),
    wrong("guard-under-the-root", adam_with(root=lambda number: math.sqrt(number + 1e-8)),
          "the task: leave out the tiny number",
          "The steps are too short, most of all where the gradients are tiny.",
          "Under the root stand squares, and beside the square of a small number a guard is large."),
    wrong("silent-steps-skipped", no_clock_for_silence, "chapter 06, Adam",
          "Where a gradient is 0 nothing is done at all.",
          "A gradient of 0 is a gradient: the means go on without it, and what they remember still makes a step."),
]  # fmt: skip

EXERCISE = Exercise(
    id="10.6",
    title="An Adam whose clock stands still",
    function="stuck_adam",
    minutes=12,
    difficulty=2,
    points=2,
    see="notebook 10, section 5",
    reference=stuck_adam,
    domain={
        "gradients": Array("n"),
        "eta": Number(more_than=0),
        "beta1": Number(at_least=0, less_than=1),
        "beta2": Number(more_than=0, less_than=1),
    },
    meets={
        "all gradients are equal": lambda gradients: len(gradients) > 2 and len(set(gradients)) == 1,
        "forty equal gradients, and a short memory of their squares": lambda gradients, beta1, beta2: (
            len(gradients) == 40 and len(set(gradients)) == 1 and beta2 < beta1
        ),
        "the last gradient is 0": lambda gradients: gradients[-1] == 0,
        "both betas are equal": lambda beta1, beta2: beta1 == beta2,
        "beta1 is the larger one": lambda beta1, beta2: beta1 > beta2,
        "all gradients are tiny": lambda gradients: max(map(abs, gradients)) < 1e-5,
        "eta is larger than 1": lambda eta: eta > 1,
    },
    visible=[
        case([0.7] * 4, 0.1, 0.9, 0.9),
        case([0.5, -1.2, 0.8], 0.1, 0.9, 0.99),
        case([-0.4, 0.9, 1.1, -0.6, 0.7], 0.25, 0.7, 0.95),
        *adam_edges(np.random.default_rng(106))[:5],
        adam_edges(np.random.default_rng(106))[6],
    ],
    hidden=hidden_adams,
    accepted=[stuck_powers, stuck_short, stuck_accumulate, stuck_matrix, stuck_eps, stuck_float32, stuck_tensors],
    bank=BANK,
    hints=(
        "Write Adam as you know it, then look for the two places where the step number is used.",
        "With t = 1 the corrections divide m by 1 - beta1 and v by 1 - beta2, at every step.",
        "Keep m and v as running means of g and g². Each step is -eta * (m / (1 - beta1)) / sqrt(v / (1 - beta2)).",
    ),
)
