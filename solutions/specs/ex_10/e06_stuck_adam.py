"""10.6 An Adam whose clock stands still."""

from __future__ import annotations

import itertools
import math

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

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


def adam_with(*, first=None, second=None, root=math.sqrt, overwrite=False, mean=None, swapped=False):
    """Adam with other corrections: what m and v are divided by at step t."""

    def answer(gradients, eta, beta1, beta2):
        if swapped:
            beta1, beta2 = beta2, beta1
        m = v = 0.0
        steps = []
        for t, g in enumerate(gradients, 1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * (mean(g, m) if mean else g * g)
            m_hat = m / (first(beta1, t) if first else 1 - beta1)
            v_hat = v / (second(beta2, t) if second else 1 - beta2)
            steps.append(-eta * m_hat / root(v_hat))
            if overwrite:
                m, v = m_hat, v_hat
        return steps

    return answer


def hidden_adams(rng):
    cases = []
    for n, beta1, beta2 in ((3, 0.9, 0.9), (5, 0.8, 0.95), (4, 0.9, 0.99), (6, 0.7, 0.85)):
        constant = numbers(rng, 1)[0]
        gradients = [constant] * n if n == 3 else numbers(rng, n)
        cases.append(case(gradients, round(float(rng.uniform(0.05, 0.3)), 3), beta1, beta2))
    return cases


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
    visible=[
        case([0.7] * 4, 0.1, 0.9, 0.9),
        case([0.5, -1.2, 0.8], 0.1, 0.9, 0.99),
        case([-0.4, 0.9, 1.1, -0.6, 0.7], 0.25, 0.8, 0.95),
        case([1.3, 0.6, -0.5, 0.9], 0.05, 0.7, 0.9),
    ],
    hidden=hidden_adams,
    accepted=[stuck_powers, stuck_short, stuck_accumulate, stuck_matrix, stuck_eps, stuck_float32],
    bank=BANK,
    hints=(
        "Write Adam as you know it, then look for the two places where the step number is used.",
        "With t = 1 the corrections divide m by 1 - beta1 and v by 1 - beta2, at every step.",
        "Keep m and v as running means of g and g². Each step is -eta * (m / (1 - beta1)) / sqrt(v / (1 - beta2)).",
    ),
)
