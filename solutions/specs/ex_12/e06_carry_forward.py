"""12.6 A stream without a way back."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def carry_forward(w, u, xs):
    h = h_w = h_u = 0.0
    for x in xs:
        new = np.tanh(w * h + u * x)
        slope = 1 - new**2
        h_w = slope * (h + w * h_w)
        h_u = slope * (x + w * h_u)
        h = new
    return h, h_w, h_u


def carried_in_a_vector(w, u, xs):
    state = np.zeros(3)
    for x in np.asarray(xs, dtype=float):
        new = math.tanh(w * state[0] + u * x)
        moved = np.array([state[0], x]) + w * state[1:]
        state = np.array([new, *((1 - new) * (1 + new) * moved)])
    return state


def back_through_time(w, u, xs):
    states = [0.0]
    for x in xs:
        states.append(math.tanh(w * states[-1] + u * x))
    bar, w_bar, u_bar = 1.0, 0.0, 0.0
    for t in reversed(range(len(xs))):
        delta = bar * (1 - states[t + 1] ** 2)
        w_bar, u_bar, bar = w_bar + delta * states[t], u_bar + delta * xs[t], delta * w
    return [states[-1], w_bar, u_bar]


def last_state(w, u, xs):
    h = 0.0
    for x in xs:
        h = np.tanh(w * h + u * x)
    return h


def by_complex_steps(w, u, xs):
    slopes = [last_state(w + dw, u + du, xs).imag / 1e-30 for dw, du in ((1e-30j, 0), (0, 1e-30j))]
    return (last_state(w, u, xs), *slopes)


def by_the_engine(w, u, xs):
    steps = np.asarray(xs, dtype=float)
    value, pull = gradients.vjp(lambda w, u: last_state(w, u, steps), float(w), float(u))
    return (value, *pull(1.0))


def by_tangents(w, u, xs):
    steps = np.asarray(xs, dtype=float)

    def along(direction):
        return gradients.jvp(lambda t: last_state(t[0], t[1], steps), np.array([w, u], float), np.array(direction))

    return along([1.0, 0.0])[0], along([1.0, 0.0])[1], along([0.0, 1.0])[1]


def sum_over_paths(w, u, xs):
    """What each step says, times all slopes and weights after it."""
    states = [0.0]
    for x in xs:
        states.append(float(np.tanh(w * states[-1] + u * x)))
    slopes = [1 - h * h for h in states[1:]]
    ways = [math.prod(slopes[t:]) * float(w) ** (len(xs) - 1 - t) for t in range(len(xs))]
    return (
        states[-1],
        sum(way * states[t] for t, way in enumerate(ways)),
        sum(way * xs[t] for t, way in enumerate(ways)),
    )


def carried(
    direct_w=lambda h, new: h, direct_u=lambda x, new: x, factor=lambda w, new: w, slope=lambda z, new: 1 - new**2
):
    """Carry derivatives with one rule replaced."""

    def answer(w, u, xs):
        h = h_w = h_u = 0.0
        for x in xs:
            z = w * h + u * x
            new = np.tanh(z)
            h_w = slope(z, new) * (direct_w(h, new) + factor(w, new) * h_w)
            h_u = slope(z, new) * (direct_u(x, new) + factor(w, new) * h_u)
            h = new
        return h, h_w, h_u

    return answer


def slope_on_the_new_part_only(w, u, xs):
    h = h_w = h_u = 0.0
    for x in xs:
        new = np.tanh(w * h + u * x)
        h_w, h_u, h = (1 - new**2) * h + w * h_w, (1 - new**2) * x + w * h_u, new
    return h, h_w, h_u


def adds_up_over_time(w, u, xs):
    h = h_w = h_u = all_w = all_u = 0.0
    for x in xs:
        new = np.tanh(w * h + u * x)
        h_w, h_u, h = (1 - new**2) * (h + w * h_w), (1 - new**2) * (x + w * h_u), new
        all_w, all_u = all_w + h_w, all_u + h_u
    return h, all_w, all_u


def tangents_exchanged(w, u, xs):
    h, h_w, h_u = carry_forward(w, u, xs)
    return h, h_u, h_w


def starts_at_the_input(w, u, xs):
    h, h_w, h_u = xs[0], 0.0, 0.0
    for x in xs[1:]:
        new = np.tanh(w * h + u * x)
        h_w, h_u, h = (1 - new**2) * (h + w * h_w), (1 - new**2) * (x + w * h_u), new
    return h, h_w, h_u


def stream_case(rng, steps):
    w, u = (round(float(rng.choice([-1, 1]) * rng.uniform(0.5, 1.3)), 3) for _ in range(2))
    return case(w, u, numbers(rng, steps, low=0.2, high=1.1))


def stream_cases(rng):
    return [*(stream_case(rng, steps) for steps in (3, 5, 4, 8)), *stream_edges(rng), *far_streams(rng)]


def far_streams(rng):
    """Slopes of a hundred; a state near its end, where tanh is exact in half the digits too; a thousand steps."""
    return [
        case(0.5, 0.003, rng.choice([-1, 1]) * np.array([90.0, 150.0, 120.0])),
        case(0.5, round(math.log(8191) / 6, 9), np.array([3.0]) * rng.choice([-1, 1])),
        case(0.5, 0.9, np.array([*numbers(rng, 2, low=0.2, high=0.9), 4.0])),
        case(0.99, 0.2, numbers(rng, 1037, low=0.02, high=0.1)),
    ]


def stream_edges(rng):
    """One step; w of 0; u of 0; inputs that begin with zeros; a larger w; a long stream; whole numbers."""
    w, u = round(float(rng.uniform(0.5, 1.2)), 3), round(float(rng.uniform(0.5, 1.2)), 3)
    return [
        stream_case(rng, 1),
        case(0.0, u, numbers(rng, 4, low=0.2, high=1.1)),
        case(w, 0.0, numbers(rng, 4, low=0.2, high=1.1)),
        case(-w, u, np.array([0.0, 0.0, *numbers(rng, 2, low=0.2, high=1.1)])),
        case(round(float(rng.uniform(1.9, 2.6)), 3), u, numbers(rng, 4, low=0.05, high=0.2)),
        case(0.98, 0.3, numbers(rng, 80, low=0.05, high=0.3)),
        case(1, -1, rng.permutation([1, 0, -1, 2])),
    ]


BANK = [
    wrong("forgets-the-past", carried(factor=lambda w, new: 0.0), "notebook 12, section 3, 'As a recurrent network'",
          "Your slopes are right for a stream of one step.",
          "The weight was used at every step before, and what it did there has come along inside the state."),
    wrong("carries-without-the-weight", carried(factor=lambda w, new: 1.0),
          "notebook 12, section 3, 'As a recurrent network'",
          "You handed the old slopes on as they were.",
          "The old state enters multiplied by something, and so does its slope."),
    wrong("new-state-for-old", carried(direct_w=lambda h, new: new), "notebook 07: one weight, many steps",
          "The slope by w is wrong from the first step on, the others are right.",
          "In this step the weight was multiplied by the state that was there before."),
    wrong("no-slope-of-tanh", carried(slope=lambda z, new: 1.0), "notebook 02: the slope of tanh",
          "Your slopes are too large, the more the nearer the state comes to 1 or -1.",
          "tanh is flat where it is nearly saturated, and lets little through."),
    wrong("slope-at-the-wrong-place", carried(slope=lambda z, new: 1 - z**2), "notebook 02: the slope of tanh",
          "Your slopes are near the right ones for small states only.",
          "The short formula for the slope of tanh takes the output of tanh, not its input."),
    wrong("slope-on-the-new-part-only", slope_on_the_new_part_only, "notebook 12, section 3, 'As a recurrent network'",
          "Your slopes are right for a stream of one step.",
          "Old and new enter tanh together, and both come out smaller."),
    wrong("adds-up-over-time", adds_up_over_time, "the task: slopes of the last state",
          "You added the slopes of all states up.",
          "The last state is asked for. What earlier steps contributed is in its slopes already."),
    wrong("slopes-exchanged", tangents_exchanged, "the docstring: in which order?",
          "The two slopes have changed places.",
          "The one by w comes first."),
    wrong("starts-at-the-input", starts_at_the_input, "the docstring: the state at the beginning",
          "You took the first input for the first state.",
          "The state begins at 0, and the first input goes through tanh like all others."),
    wrong("sigmoid-slope", carried(slope=lambda z, new: new * (1 - new)), "notebook 02: the slope of tanh",
          "You used the slope of another function.",
          "h (1 - h) belongs to the sigmoid, which runs from 0 to 1."),
    wrong("input-slope-carries-u", carried(direct_u=lambda x, new: 1.0),
          "notebook 12, section 3, 'As a recurrent network'",
          "The slope by u does not see the inputs.",
          "In each step u is multiplied by the input of that step: this is the rate at which it acts."),
    wrong("squares-the-weight", carried(factor=lambda w, new: w**2), "notebook 12, section 3, 'As a recurrent network'",
          "Where w is negative, signs go wrong.",
          "Each step multiplies by the weight once."),
]  # fmt: skip

EXERCISE = Exercise(
    id="12.6",
    title="A stream without a way back",
    function="carry_forward",
    minutes=15,
    difficulty=3,
    points=5,
    see="notebook 12, section 3, 'As a recurrent network'",
    reference=carry_forward,
    integers=True,
    domain={"w": Number(), "u": Number(), "xs": Array("steps", order="given", all_zero=True)},
    meets={
        "the stream is long": lambda xs: len(xs) > 64,
        "w is above 1": lambda w: w > 1.5,
        "the first inputs are 0": lambda xs: len(xs) > 2 and xs[0] == 0 and xs[-1] != 0,
        "w and u are negative": lambda w, u: w < 0 or u < 0,
        "xs holds whole numbers": lambda xs: xs.dtype.kind == "i",
    },
    visible=[
        case(0.5, 1.0, np.array([1.0, -0.5])),
        case(-0.8, 0.9, np.array([0.6, 0.4, -1.0])),
        *stream_cases(np.random.default_rng(126))[1:],
    ],
    hidden=stream_cases,
    parts=["the last state", "its slope by w", "its slope by u"],
    credit={0: 1, 1: 2, 2: 2},
    accepted=[carried_in_a_vector, back_through_time, by_complex_steps, by_the_engine, by_tangents, sum_over_paths],
    bank=BANK,
    equivalent_mutants={"squeezes": "three plain numbers have no axis that could be lost"},
    hints=(
        "Carry three numbers: the state, and how fast it moves with w and with u. All three begin at 0.",
        "One step is tanh of a sum. w appears in it twice: as a factor of the old state, and inside the old state.",
        "The new slope by w is the slope of tanh times (the old state plus w times the old slope by w); by u it is the "
        "same with the input in place of the old state.",
    ),
)
