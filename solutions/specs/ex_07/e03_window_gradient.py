"""07.3 A window on the past."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def window_gradient(w, states, wanted, k):
    total = 0.0
    for t in range(1, len(wanted) + 1):
        carried = wanted[t - 1]
        for j in range(t, max(0, t - k), -1):
            delta = carried * (1 - states[j] ** 2)
            total += delta * states[j - 1]
            carried = delta * w
    return total


def window_ages(w, states, wanted, k):
    """One sweep that carries the losses of each age in a list."""
    total, ages = 0.0, []
    for j in range(len(states) - 1, 0, -1):
        ages = [wanted[j - 1], *ages][:k]
        deltas = [a * (1 - states[j] * states[j]) for a in ages]
        total += sum(deltas) * states[j - 1]
        ages = [d * w for d in deltas]
    return np.float64(total)


def window_products(w, states, wanted, k):
    h = np.asarray(states, float)
    slopes = 1 - h[1:] ** 2
    T, total = len(slopes), 0.0
    for t in range(T):
        for j in range(t + 1):
            if t - j < k:
                total += wanted[t] * np.prod(slopes[j : t + 1]) * w ** (t - j) * h[j]
    return total


def window_recursive(w, states, wanted, k):
    def back(t, left, arrives):
        if t == 0 or left == 0:
            return 0.0
        delta = arrives * (1 - states[t] ** 2)
        return delta * states[t - 1] + back(t - 1, left - 1, delta * w)

    return sum(back(t, k, wanted[t - 1]) for t in range(1, len(states)))


def window_matrix(w, states, wanted, k):
    h, T = np.asarray(states, float), len(states) - 1
    slopes, M = 1 - h[1:] ** 2, np.zeros((T, T))
    for t in range(T):
        for j in range(max(0, t - k + 1), t + 1):
            M[t, j] = np.prod(slopes[j : t + 1]) * w ** (t - j)
    return np.asarray(wanted) @ M @ h[:-1]


def window_float32(w, states, wanted, k):
    return np.float32(window_gradient(w, states, wanted, k))


def window_chunks(w, states, wanted, k):
    total, T = 0.0, len(states) - 1
    for first in range(0, T, k):
        r = 0.0
        for j in range(min(first + k, T), first, -1):
            delta = (wanted[j - 1] + r) * (1 - states[j] ** 2)
            total += delta * states[j - 1]
            r = delta * w
    return total


def window_last_steps(w, states, wanted, k):
    r, total, T = 0.0, 0.0, len(states) - 1
    for j in range(T, max(0, T - k), -1):
        delta = (wanted[j - 1] + r) * (1 - states[j] ** 2)
        total += delta * states[j - 1]
        r = delta * w
    return total


def window_reset(w, states, wanted, k):
    """States of each window computed anew from zero are not known here: the oldest one is taken as zero."""
    total = 0.0
    for t in range(1, len(states)):
        carried, stop = wanted[t - 1], max(0, t - k)
        for j in range(t, stop, -1):
            delta = carried * (1 - states[j] ** 2)
            total += delta * (states[j - 1] if j - 1 > stop else 0.0)
            carried = delta * w
    return total


def window_with(*, slope=lambda h, j: 1 - h[j] ** 2, meets=lambda h, j: h[j - 1], road=True):
    """The two loops with one thing done differently."""

    def answer(w, states, wanted, k):
        total = 0.0
        for t in range(1, len(states)):
            carried = wanted[t - 1]
            for j in range(t, max(0, t - k), -1):
                delta = carried * slope(states, j)
                total += delta * meets(states, j)
                carried = delta * (w if road else 1.0)
        return total

    return answer


def window_of_twenty(w, states, wanted, k):
    return window_gradient(w, states, wanted, min(k, 20))


def window_until_small(w, states, wanted, k):
    """A loss is followed back as long as what is carried is above a threshold."""
    total = 0.0
    for t in range(1, len(wanted) + 1):
        carried = wanted[t - 1]
        for j in range(t, max(0, t - k), -1):
            if abs(carried) < 1e-8:
                break
            delta = carried * (1 - states[j] ** 2)
            total += delta * states[j - 1]
            carried = delta * w
    return total


def window_when_full(w, states, wanted, k):
    k = min(k, len(wanted))
    return window_gradient(w, states, [0.0] * (k - 1) + list(wanted[k - 1 :]), k)


def window_oldest_only(w, states, wanted, k):
    return window_gradient(w, states, wanted, k) - (window_gradient(w, states, wanted, k - 1) if k > 1 else 0.0)


def window_fold(w, states, wanted, k):
    """With the times turned round: what each use of the weight does to the losses of its step and those after."""
    total, T = 0.0, len(wanted)
    for j in range(T):
        effect = states[j] * (1 - states[j + 1] ** 2)
        for t in range(j, min(j + k, T)):
            total += effect * wanted[t]
            if t + 1 < T:
                effect *= w * (1 - states[t + 2] ** 2)
    return total


def window_edges(rng):
    """One step; a start from zero, and a loss here and there; a zero on the way; windows of one, all but one, all."""
    one = window_case(rng, 1, 1)
    w, states, wanted, _ = window_case(rng, 5, 1, h0=0.0).args
    passing = window_case(rng, 6, 4)
    passing.args[1][3] = 0.0
    some = [wanted[0], 0.0, wanted[2], 0.0, wanted[4]]
    return [
        one,
        case(w, states, some, 4),
        passing,
        window_case(rng, 4, 1),
        window_case(rng, 5, 5),
        window_case(rng, 3, 2, w=0.0),
        long_case(rng, 70, 55),
        long_case(rng, 110, 150),
        case(w, states, [1e-9 * want for want in wanted], 3),
    ]


def long_case(rng, T, k):
    """States so small, and a weight so near 1, that a gradient does not fade on its way."""
    w = float(rng.choice([-1.0, 1.0])) * 1.01
    return case(w, numbers(rng, T + 1, 0.05, 0.15), numbers(rng, T), k)


def window_case(rng, T, k, h0=None, w=None):
    w = numbers(rng, 1, 0.6, 1.3)[0] if w is None else w
    states = [numbers(rng, 1, 0.3, 0.7)[0] if h0 is None else h0]
    for x in numbers(rng, T, 0.2, 0.9):
        states.append(round(math.tanh(w * states[-1] + x), 6))
    return case(w, states, numbers(rng, T), k)


def equal_windows(rng):
    """A weight that is one of the states, or 1 in size, and losses that want what their states are."""
    _, states, wanted, k = window_case(rng, 5, 3).args
    return [
        case(states[2], states, wanted, k),
        case(1.0, states, wanted, k),
        case(-1.0, states, wanted, k),
        case(-states[0], states, states[1:], k),
    ]


def hidden_windows(rng):
    return [*(window_case(rng, T, k) for T, k in ((5, 2), (6, 3), (7, 2), (4, 9), (7, 4))), *window_edges(rng)]


BANK = [
    wrong("twenty-steps-at-most", window_of_twenty, "notebook 07, section 4",
          "Right for short windows; a loss never went back further than 20 steps.",
          "How far it goes is said by k, and by nothing else."),
    wrong("stops-at-a-small-gradient", window_until_small, "notebook 07, section 4",
          "Right unless gradients are tiny; there a loss was not followed to the end of its window.",
          "What is small for one loss may be all that there is for another. No threshold is part of the rule."),
    wrong("chunks-instead-of-a-window", window_chunks, "notebook 07, section 4: windowed and chunked",
          "The sequence is cut into pieces of k steps, and no loss reaches across a cut.",
          "In a window every loss goes back k steps, also the one right after a cut."),
    wrong("only-the-last-steps", window_last_steps, "notebook 07, section 4: from each loss",
          "Only the last k steps of the sequence contribute.",
          "Each loss has a window of its own, the early ones too."),
    wrong("one-step-too-many", lambda w, states, wanted, k: window_gradient(w, states, wanted, k + 1),
          "the task: k = 1 reaches the step of the loss alone",
          "Each loss goes back one step too far.",
          "The step of the loss itself is the first of the k."),
    wrong("one-step-too-few", lambda w, states, wanted, k: window_gradient(w, states, wanted, k - 1),
          "the task: k = 1 reaches the step of the loss alone",
          "Each loss goes back one step less than it may.",
          "The step of the loss itself is the first of the k; k - 1 more follow."),
    wrong("no-window-at-all", lambda w, states, wanted, k: window_gradient(w, states, wanted, 10_000),
          "notebook 07, section 4",
          "Every loss goes back to the very beginning: this is the full gradient.",
          "k is not used, or never stops anything."),
    wrong("window-starts-from-zero", window_reset, "notebook 07, section 4: the value is carried",
          "At the far end of each window the state before it counts as zero.",
          "Cutting the gradient does not change the values: that state went into the step as it was."),
    wrong("mean-over-losses", lambda w, states, wanted, k: window_gradient(w, states, wanted, k) / (len(states) - 1),
          "the task: the loss is the sum",
          "The result is divided by the number of steps.",
          "The total loss here is a sum over the steps, and so is its gradient."),
    wrong("state-after-the-step", window_with(meets=lambda h, j: h[j]), "notebook 07, section 3: the bucket of W_h",
          "Each delta meets the state that its own step made.",
          "The weight was multiplied with the state before that step."),
    wrong("slope-of-the-state-before", window_with(slope=lambda h, j: 1 - h[j - 1] ** 2),
          "notebook 07, section 3: the second formula",
          "The slope of tanh is taken at the state before the step.",
          "The squashing whose slope is needed made the state after it."),
    wrong("road-without-its-weight", window_with(road=False), "notebook 07, section 3: the third formula",
          "From step to step the value that is carried is not multiplied by w.",
          "A state reaches the next one through the weight, and back again the same way."),
    wrong("slope-forgotten", window_with(slope=lambda h, j: 1.0), "notebook 07, section 3: delta",
          "The slope of tanh is missing at every step.",
          "Without it, this is the gradient of a linear unit."),
    wrong("mean-over-the-window", lambda w, states, wanted, k: window_gradient(w, states, wanted, k) / k,
          "the task: the loss is the sum",
          "The result is divided by k.",
          "A longer window adds further contributions; it does not make the others smaller."),
    wrong("waits-for-a-full-window", window_when_full, "notebook 07, section 4: from each loss",
          "The losses of the first steps, which have less than k steps behind them, are left out.",
          "They go back as far as there is something, and stop at the beginning."),
    wrong("only-the-oldest-step", window_oldest_only, "notebook 07, section 1: contributions add",
          "Of each window only its oldest step contributes.",
          "All steps of the window used the weight. Add up as you go back, not at the end."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.3",
    title="A window on the past",
    function="window_gradient",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 07, section 4",
    reference=window_gradient,
    domain={
        "w": Number(),
        "states": Array("S>=2", more_than=-1, less_than=1),
        "wanted": Array("T"),
        "k": Number(whole=True, at_least=1),
    },
    meets={
        "a window of more than 50 steps, and not all": lambda wanted, k: 50 < k < len(wanted),
        "more than 100 steps": lambda wanted, k: 100 < len(wanted) < k,
        "losses are tiny": lambda wanted: max(map(abs, wanted)) < 1e-8,
        "the net starts from zero": lambda states: states[0] == 0,
        "a state on the way is zero": lambda states, k: k > 1 and 0 in states[2:-2],
        "the window leaves out one step": lambda wanted, k: len(wanted) == k + 1 and k > 1,
        "the window holds all steps": lambda wanted, k: len(wanted) == k > 1,
        "the window is longer than the sequence": lambda wanted, k: k > len(wanted),
        "there is one step": lambda wanted: len(wanted) == 1,
    },
    visible=hidden_windows(np.random.default_rng(11)),
    hidden=lambda rng: [*hidden_windows(rng), window_case(rng, 4, 5), window_case(rng, 6, 5), *equal_windows(rng)],
    accepted=[window_ages, window_products, window_recursive, window_matrix, window_float32, window_fold],
    atol=1e-13,
    bank=BANK,
    hints=(
        "Two loops: an outer one over the losses, an inner one that goes back from the step of that loss.",
        "In the inner loop carry one number, starting at wanted[t - 1]. Each step back: times the slope of that step, "
        "add a contribution, times w.",
        "Let j run from t down to t - k + 1, but not below 1. At j: delta is what is carried times 1 minus the square "
        "of states[j]; add delta times states[j - 1]; carry on delta times w.",
    ),
)
