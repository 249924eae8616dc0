"""07.8 One step back through an LSTM."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array


def lstm_backward(i, f, g, o, c_before, dh, dc):
    tanh_c = np.tanh(f * c_before + i * g)
    dc = dc + dh * o * (1 - tanh_c**2)
    return {
        "i": dc * g * i * (1 - i),
        "f": dc * c_before * f * (1 - f),
        "g": dc * i * (1 - g**2),
        "o": dh * tanh_c * o * (1 - o),
        "c_before": dc * f,
    }


def lstm_complex(i, f, g, o, c_before, dh, dc):
    """The complex step at the pre-activations, one after another."""
    logit = [np.log(s / (1 - s)) for s in (i, f, o)]
    point = {"i": logit[0], "f": logit[1], "g": np.arctanh(g), "o": logit[2], "c_before": np.asarray(c_before)}

    def loss(p):
        def sigmoid(a):
            return 1 / (1 + np.exp(-a))

        c = sigmoid(p["f"]) * p["c_before"] + sigmoid(p["i"]) * np.tanh(p["g"])
        return dh * sigmoid(p["o"]) * np.tanh(c) + dc * c

    return {name: loss(point | {name: value + 1e-30j}).imag / 1e-30 for name, value in point.items()}


def lstm_loops(i, f, g, o, c_before, dh, dc):
    found = {name: [] for name in ("i", "f", "g", "o", "c_before")}
    for a, b, d, e, before, up_h, up_c in zip(i, f, g, o, c_before, dh, dc, strict=True):
        squashed = math.tanh(b * before + a * d)
        cell = up_c + up_h * e * (1 - squashed * squashed)
        for name, value in (
            ("i", cell * d * (a - a * a)),
            ("f", cell * before * (b - b * b)),
            ("g", cell * a * (1 + d) * (1 - d)),
            ("o", up_h * squashed * (e - e * e)),
            ("c_before", cell * b),
        ):
            found[name].append(value)
    return found


def lstm_by_math(i, f, g, o, c_before, dh, dc):
    """Unit by unit, with Python's own functions, which raise where a number overflows."""
    rows = []
    for a, b, d, e, before, up_h, up_c in zip(i, f, g, o, c_before, dh, dc, strict=True):
        cell = b * before + a * d
        total = up_c + up_h * e / math.cosh(cell) ** 2
        at_o = up_h * math.tanh(cell) * e * (1 - e)
        rows.append((total * d * a * (1 - a), total * before * b * (1 - b), total * a * (1 - d * d), at_o, total * b))
    return dict(zip(("i", "f", "g", "o", "c_before"), np.array(rows).T, strict=True))


def lstm_cosh(i, f, g, o, c_before, dh, dc):
    c = np.multiply(f, c_before) + np.multiply(i, g)
    total = dc + dh * o / np.cosh(c) ** 2
    return {
        "i": total * g * (i - i**2),
        "f": total * c_before * (f - f**2),
        "g": total * (i - i * g * g),
        "o": dh * np.tanh(c) * (o - o**2),
        "c_before": total * f,
    }


def lstm_differences(i, f, g, o, c_before, dh, dc):
    """Central differences of high order would blur; a dual number does not."""
    c = f * c_before + i * g
    h_dot = o * (1 - np.tanh(c) ** 2)

    def along(c_dot, o_dot=0.0):
        return dc * c_dot + dh * (h_dot * c_dot + o_dot * np.tanh(c))

    return {
        "i": along(i * (1 - i) * g),
        "f": along(f * (1 - f) * c_before),
        "g": along(i * (1 - g * g)),
        "o": along(0.0, o * (1 - o)),
        "c_before": along(f),
    }


def lstm_float32(i, f, g, o, c_before, dh, dc):
    return {name: np.float32(v) for name, v in lstm_backward(i, f, g, o, c_before, dh, dc).items()}


def lstm_with_tensors(i, f, g, o, c_before, dh, dc):
    return {name: Tensor(v, requires_grad=True) for name, v in lstm_backward(i, f, g, o, c_before, dh, dc).items()}


def lstm_squashes(squashed):
    """Something else in place of tanh of the new cell, wherever it is used."""

    def answer(i, f, g, o, c_before, dh, dc):
        tanh_c = squashed(i, f, g, c_before)
        total = dc + dh * o * (1 - tanh_c**2)
        return {
            "i": total * g * i * (1 - i),
            "f": total * c_before * f * (1 - f),
            "g": total * i * (1 - g**2),
            "o": dh * tanh_c * o * (1 - o),
            "c_before": total * f,
        }

    return answer


def lstm_with(**changes):
    """The right gradients with some of them replaced; a change gets the parts by name."""

    def answer(i, f, g, o, c_before, dh, dc):
        tanh_c = np.tanh(f * c_before + i * g)
        part = {"i": i, "f": f, "g": g, "o": o, "before": c_before, "dh": dh, "dc": dc, "tanh_c": tanh_c}
        part["total"] = dc + dh * o * (1 - tanh_c**2)
        right = lstm_backward(i, f, g, o, c_before, dh, dc)
        return right | {name: change(part) for name, change in changes.items()}

    return answer


def exchanges_input_and_candidate(i, f, g, o, c_before, dh, dc):
    right = lstm_backward(i, f, g, o, c_before, dh, dc)
    return right | {"i": right["g"], "g": right["i"]}


def lstm_gate_limits(edge):
    """Gates are kept away from 0 and 1."""

    def answer(i, f, g, o, c_before, dh, dc):
        i, f, o = (np.clip(gate, edge, 1 - edge) for gate in (i, f, o))
        return lstm_backward(i, f, g, o, c_before, dh, dc)

    return answer


def lstm_total(rule):
    """Everything that passes the cell with another gradient at the cell."""

    def answer(i, f, g, o, c_before, dh, dc):
        c = f * c_before + i * g
        total = rule(i, f, g, o, c, dh, dc)
        return {
            "i": total * g * i * (1 - i),
            "f": total * c_before * f * (1 - f),
            "g": total * i * (1 - g**2),
            "o": dh * np.tanh(c) * o * (1 - o),
            "c_before": total * f,
        }

    return answer


def lstm_case(rng, n):
    gates = [np.round(rng.uniform(0.15, 0.85, n), 2) for _ in range(3)]
    i, f, o = (np.where(np.abs(s - 0.5) < 0.05, 0.62, s) for s in gates)
    g = np.round(rng.choice([-1.0, 1.0], n) * rng.uniform(0.2, 0.8, n), 2)
    return case(i, f, g, o, array(rng, n, low=0.4, high=1.5), array(rng, n, low=0.4), array(rng, n, low=0.4))


def lstm_edges(rng):
    """The first step of all, whose old cell is zero; the last, after which nothing comes; a state that nobody reads."""
    i, f, g, o, c_before, dh, dc = lstm_case(rng, 3).args
    g[1] = 0.0
    return [
        case(i, f, g, o, np.zeros(3), dh, dc),
        case(f, o, -g[::-1], i, c_before, -dc, np.zeros(3)),
        case(o, i, g[::-1].copy(), f, -c_before, np.zeros(3), dh),
        lstm_case(rng, 1),
        case(*saturated(rng)),
        case(f, o, g, i, np.array([340.0, -290.0, 6.0]), dh, dc),
        case(0.02 * o, i, 0.04 * g, f, np.zeros(3), 40.0 * dh, -70.0 * dc),
    ]


def saturated(rng):
    """Gates nearly open and nearly closed, candidates near 1, cells of all sizes."""
    gates = np.array([1e-8, 0.999, 3e-4, 0.998, 0.5]), np.array([0.9992, 2e-7, 0.02, 1e-13, 0.97])
    i, f = (rng.permutation(5), rng.permutation(5))
    cells = np.where(gates[1] < 1e-12, 1e6, array(rng, 5, low=3.0, high=9.0))
    g = rng.permutation([-0.998, 0.999, 0.97, -0.002, 0.4])
    return gates[0][i], gates[1][f], g, gates[0][rng.permutation(5)], cells[f], array(rng, 5), array(rng, 5, low=0.4)


def next_to_one(rng):
    """Candidates, and in other places gates, that have reached 1 but for a few billionths."""
    i, f, g, o, *others = lstm_case(rng, 5).args
    for k, (values, sign) in enumerate(((g, 1.0), (g, -1.0), (i, 1.0), (f, 1.0), (o, 1.0))):
        values[k] = sign * (1 - 3e-9)
    return case(i, f, g, o, *others)


def hidden_lstm(rng):
    return [*(lstm_case(rng, n) for n in (3, 4, 2)), *lstm_edges(rng)]


BANK = [
    wrong("gates-kept-from-their-ends", lstm_gate_limits(1e-3), "the docstring of the exercise",
          "Right unless a gate is nearly open or nearly closed; there its gradients are too large.",
          "A saturated gate learns next to nothing, and that is what its gradient should say."),
    wrong("cell-cut-at-three", lstm_squashes(lambda i, f, g, c_before: np.tanh(np.clip(f * c_before + i * g, -3, 3))),
          "notebook 07, section 6, and the task: h is made of tanh(c)",
          "Right unless a cell is beyond 3; there tanh stops short of 1.",
          "A cell may have any size, and tanh takes it."),
    wrong("cell-ignores-the-hidden-state", lstm_total(lambda i, f, g, o, c, dh, dc: dc),
          "notebook 07, section 6: where c is used",
          "What arrives at h never reaches the cell.",
          "The cell has two readers: the next step, and h = o tanh(c). Both report."),
    wrong("cell-hears-only-the-hidden-state", lstm_total(lambda i, f, g, o, c, dh, dc: dh * o * (1 - np.tanh(c) ** 2)),
          "notebook 07, section 6: the road",
          "What arrives along the cell is overwritten by what comes through h.",
          "Reports add: the long road through the cell is the whole point of the LSTM."),
    wrong("no-squashing-of-the-cell", lstm_total(lambda i, f, g, o, c, dh, dc: dc + dh * o),
          "notebook 07, section 6: the formula for h",
          "On the way from h to c the slope of tanh is missing.",
          "h is made from tanh(c), not from c."),
    wrong("output-gate-forgotten", lstm_total(lambda i, f, g, o, c, dh, dc: dc + dh * (1 - np.tanh(c) ** 2)),
          "notebook 07, section 6: the formula for h",
          "On the way from h to c the output gate is missing.",
          "The other factor of a product is its local derivative."),
    wrong("slope-at-the-cell", lstm_total(lambda i, f, g, o, c, dh, dc: dc + dh * o * (1 - c**2)),
          "chapter 02, section 3",
          "The slope of tanh is written with the cell, not with its tanh.",
          "One minus the square of the output: tanh(c), squared."),
    wrong("road-without-its-gate", lstm_with(c_before=lambda p: p["total"]),
          "notebook 07, section 6: the local derivative along the cell",
          "The gradient of the cell before is not multiplied by the forget gate.",
          "The old cell was multiplied by f on its way here. A gradient that is never damped would be a gate that"
          " is always open."),
    wrong("output-gate-sees-the-cell",
          lstm_with(o=lambda p: p["dh"] * (p["f"] * p["before"] + p["i"] * p["g"]) * p["o"] * (1 - p["o"])),
          "notebook 07, section 6: the formula for h",
          "For the output gate the factor is c where it should be tanh(c).",
          "The gate multiplies the squashed cell."),
    wrong("candidate-like-a-gate", lstm_with(g=lambda p: p["total"] * p["i"] * p["g"] * (1 - p["g"])),
          "notebook 07, section 6: gates and candidate",
          "The candidate is treated as if it were a sigmoid.",
          "g is made by tanh: its slope is one minus its square."),
    wrong("gates-like-the-candidate", lstm_with(
              i=lambda p: p["total"] * p["g"] * (1 - p["i"] ** 2),
              f=lambda p: p["total"] * p["before"] * (1 - p["f"] ** 2),
              o=lambda p: p["dh"] * p["tanh_c"] * (1 - p["o"] ** 2),
          ), "notebook 07, section 6: gates and candidate",
          "The gates are treated as if they were made by tanh.",
          "They are sigmoids, and a sigmoid has another slope."),
    wrong("slope-without-square", lstm_total(lambda i, f, g, o, c, dh, dc: dc + dh * o * (1 - np.tanh(c))),
          "chapter 02, section 3",
          "On the way from h to c the slope of tanh is written as one minus its value.",
          "Look at the slope where tanh is 0 and where it is -0.9: it is symmetric."),
    wrong("gates-without-their-slopes", lstm_with(
              i=lambda p: p["total"] * p["g"],
              f=lambda p: p["total"] * p["before"],
              o=lambda p: p["dh"] * p["tanh_c"],
              g=lambda p: p["total"] * p["i"],
          ), "notebook 07, section 6, and the task: at the pre-activations",
          "The gradients are those of the gates themselves, not of their pre-activations.",
          "One more edge, through sigmoid or tanh, leads to what the weights computed."),
    wrong("input-and-candidate-exchanged", lstm_with(
              i=lambda p: p["total"] * p["i"] * p["i"] * (1 - p["i"]),
              g=lambda p: p["total"] * p["g"] * (1 - p["g"] ** 2),
          ), "chapter 02: a product hands to each input the other one",
          "Input gate and candidate keep their own value where the other factor belongs.",
          "The local derivative of a product is the other factor."),
    wrong("results-of-input-and-candidate-exchanged", exchanges_input_and_candidate,
          "notebook 07, section 6, and the docstring of the exercise: the names of the results",
          "The gradients of input gate and candidate stand under each other's names; both are right.",
          "What is multiplied by the slope of a gate belongs to the gate."),
    wrong("squashes-the-old-cell", lstm_squashes(lambda i, f, g, before: np.tanh(before)),
          "notebook 07, section 6: the formula for h",
          "You took tanh of the cell before the step.",
          "h is made from the new cell, which first has to be worked out from what you are given."),
    wrong("old-cell-in-the-output-gate",
          lstm_with(o=lambda p: p["dh"] * np.tanh(p["before"]) * p["o"] * (1 - p["o"])),
          "notebook 07, section 6: the formula for h",
          "For the output gate the factor is tanh of the old cell.",
          "The gate multiplies the new cell, squashed."),
    wrong("new-cell-in-the-forget-gate", lstm_with(
              f=lambda p: p["total"] * (p["f"] * p["before"] + p["i"] * p["g"]) * p["f"] * (1 - p["f"])
          ), "notebook 07, section 6: the formula for c",
          "For the forget gate the factor is the new cell.",
          "This gate multiplies the cell that was there before."),
    wrong("road-hears-only-the-next-step", lstm_with(c_before=lambda p: p["dc"] * p["f"]),
          "notebook 07, section 6: where c is used",
          "The gradient of the old cell lacks what comes down from h.",
          "All that arrives at the new cell goes on to the old one, whichever way it came."),
    wrong("output-gate-hears-the-cell", lstm_with(o=lambda p: p["total"] * p["tanh_c"] * p["o"] * (1 - p["o"])),
          "notebook 07, section 6: where c is used",
          "The output gate gets what arrives at the cell.",
          "This gate stands behind the cell: only h hears it."),
    wrong("input-and-forget-gate-exchanged", lambda i, f, g, o, c_before, dh, dc: lstm_backward(
              f, i, g, o, c_before, dh, dc
          ), "notebook 07, section 6, and the docstring of the exercise: the order of the arguments",
          "Input gate and forget gate have changed places.",
          "The forget gate multiplies the old cell, the input gate the candidate."),
    wrong("forgets-the-input-in-the-cell", lstm_squashes(lambda i, f, g, before: np.tanh(f * before)),
          "notebook 07, section 6: the formula for c",
          "Your new cell holds only what was kept of the old one.",
          "The candidate is written into it as well."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.8",
    title="One step back through an LSTM",
    function="lstm_backward",
    minutes=20,
    difficulty=3,
    points=4,
    see="notebook 07, section 6",
    reference=lstm_backward,
    domain={
        "i": Array("n", more_than=0, less_than=1),
        "f": Array("n", more_than=0, less_than=1),
        "g": Array("n", more_than=-1, less_than=1),
        "o": Array("n", more_than=0, less_than=1),
        "c_before": Array("n", all_zero=True),
        "dh": Array("n", all_zero=True),
        "dc": Array("n", all_zero=True),
    },
    meets={
        "gates are nearly closed": lambda i, f, o: all((gate < 1e-6).any() for gate in (i, f, o)),
        "gates are nearly open": lambda i, f, o: all((gate > 0.998).any() for gate in (i, f, o)),
        "a candidate is nearly 1 in size": lambda g: (abs(g) > 0.998).any(),
        "a gate is closed, and the cell before is huge": lambda f, c_before: ((f < 1e-12) & (c_before > 1e5)).any(),
        "a cell far beyond where tanh is 1": lambda f, c_before: (abs(f * c_before).max() > 100) and len(f) == 3,
        "cells are small, and gradients large": lambda i, g, c_before, dc: (
            not c_before.any() and (abs(i * g) < 2e-3).any() and abs(dc).max() > 20
        ),
    },
    rtol=1e-8,
    atol=1e-13,
    visible=hidden_lstm(np.random.default_rng(23)),
    hidden=lambda rng: [*hidden_lstm(rng), lstm_case(rng, 130), next_to_one(rng)],
    accepted=[lstm_complex, lstm_loops, lstm_cosh, lstm_differences, lstm_float32, lstm_with_tensors, lstm_by_math],
    bank=BANK,
    hints=(
        "Draw the step: c is made from two products, h from one product and one tanh. Then ask each node who uses it.",
        "First find what arrives at c altogether: dc from the next step, plus what comes down from h. Everything but "
        "the output gate gets its gradient from that sum.",
        "total = dc + dh * o * (1 - tanh(c)²). Then each gate: what arrives at its product, times the other factor, "
        "times its own slope: s(1 - s) for i, f, o and 1 - g² for g. The old cell gets total * f.",
    ),
)
