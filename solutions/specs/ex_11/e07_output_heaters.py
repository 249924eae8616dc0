"""11.7 A heater that cannot learn."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import fields


def output_heaters(y, w, t):
    return {"powers": np.zeros(len(y)), "fields": (y * np.conj(t)).imag}


def output_by_formula(y, w, t):
    """-Im(x a), with the adjoint field of each loss."""
    adjoint = {"powers": 2 * w * np.conj(y), "fields": np.conj(y - t)}
    return {name: -np.imag(y * a) for name, a in adjoint.items()}


def output_polar(y, w, t):
    angle = np.angle(y) - np.angle(t)
    return {"powers": [0.0] * len(y), "fields": np.abs(y) * np.abs(t) * np.sin(angle)}


def output_loops(y, w, t):
    fields = [b.imag * a.real - b.real * a.imag for a, b in zip(t, y, strict=True)]
    return {"powers": [0 for _ in fields], "fields": fields}


def output_derivative(y, w, t):
    """d e^{i gamma} y = i y d gamma, in both losses."""
    dy = 1j * np.asarray(y)
    return {"powers": 2 * w * np.real(np.conj(y) * dy), "fields": np.real(np.conj(y - t) * dy)}


def output_shift(y, w, t):
    def field_loss(angle):
        return np.abs(np.exp(1j * angle) * y - t) ** 2 / 2

    def power_loss(angle):
        return w * np.abs(np.exp(1j * angle) * y) ** 2

    quarter = np.pi / 2
    return {
        "powers": (power_loss(quarter) - power_loss(-quarter)) / 2,
        "fields": (field_loss(quarter) - field_loss(-quarter)) / 2,
    }


def output_single(y, w, t):
    return {name: np.float32(value) for name, value in output_heaters(y, w, t).items()}


def output_with(**changes):
    def answer(y, w, t):
        return output_heaters(y, w, t) | {name: change(y, w, t) for name, change in changes.items()}

    return answer


def output_cross(y, w, t):
    """The overlap as a cross product in the plane."""
    flat = {"a": [[b.real, b.imag] for b in t], "b": [[b.real, b.imag] for b in y]}
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    return {"fields": np.einsum("ki,ij,kj->k", flat["a"], turn, flat["b"]), "powers": np.zeros_like(w, dtype=float)}


def output_differences(y, w, t):
    """Central differences of both losses."""
    step, found = 1e-5, {"powers": [], "fields": []}
    for k in range(len(y)):
        turned = [y * np.exp(1j * angle * np.eye(len(y))[k]) for angle in (step, -step)]
        powers = [w @ np.abs(z) ** 2 for z in turned]
        losses = [np.sum(np.abs(z - t) ** 2) / 2 for z in turned]
        found["powers"].append((powers[0] - powers[1]) / (2 * step))
        found["fields"].append((losses[0] - losses[1]) / (2 * step))
    return found


def weights(rng, n):
    return np.round(rng.uniform(0.3, 1.5, n) * rng.choice([-1, 1], n), 3)


def output_cases(rng):
    """Dark outputs, one or all, targets of 0, outputs in phase with their targets or against them, one port alone."""
    y, t, w = fields(rng, 4), fields(rng, 4), weights(rng, 4)
    y[rng.integers(4)], t[rng.integers(4)], w[rng.integers(4)] = 0, 0, 0
    aligned = fields(rng, 3)
    along = np.round(aligned[::-1], 3)
    along[:2] = 2 * aligned[0], -0.5 * aligned[1]
    return [
        case(fields(rng, 3), weights(rng, 3), fields(rng, 3)),
        case(fields(rng, 2, low=1.5, high=2.2), weights(rng, 2), fields(rng, 2)),
        case(fields(rng, 5), weights(rng, 5), fields(rng, 5, low=1.5, high=2.2)),
        case(y, w, t),
        case(aligned, weights(rng, 3), along),
        case(fields(rng, 1), weights(rng, 1), fields(rng, 1)),
        case(fields(rng, 3), np.zeros(3), fields(rng, 3)),
        case(np.zeros(3, dtype=complex), weights(rng, 3), fields(rng, 3)),
    ]


BANK = [
    wrong("powers-pull-at-the-phase", output_with(powers=lambda y, w, t: 2 * w * np.abs(y) ** 2),
          "notebook 11, section 7: the last heaters",
          "You gave the loss of the powers a gradient by phases that it does not depend on.",
          "Turn a field: its length stays. Whatever is made of lengths does not notice."),
    wrong("weights-taken-for-gradients", output_with(powers=lambda y, w, t: w),
          "notebook 11, section 7: the last heaters",
          "For the powers you returned the weights.",
          "Those are the derivatives by the powers. The heater does not change a power."),
    wrong("no-output-phase-ever-matters", output_with(fields=lambda y, w, t: np.zeros(len(y))),
          "notebook 11, section 7: the last heaters",
          "You returned zeros for both losses.",
          "A loss that compares fields sees phases: t has one."),
    wrong("real-part-of-the-overlap", output_with(fields=lambda y, w, t: (y * np.conj(t)).real),
          "notebook 11, section 6: the derivative of e^{i psi}",
          "For the fields you took the real part where the imaginary part belongs.",
          "Turning y moves it at a right angle. If y and t are in phase, the loss is flat."),
    wrong("conjugate-forgotten", output_with(fields=lambda y, w, t: (y * t).imag),
          "notebook 11, section 7: why the conjugate",
          "For the fields you multiplied y by t, without a conjugate.",
          "What counts is the angle between y and t: a difference of phases, not their sum."),
    wrong("target-turned-instead", output_with(fields=lambda y, w, t: (t * np.conj(y)).imag), "the task: e^{i gamma} y",
          "For the fields the sign is the other one: as if the target were turned.",
          "The heater turns y."),
    wrong("error-not-conjugated", output_with(fields=lambda y, w, t: -(y * (y - t)).imag),
          "notebook 11, section 7: why the conjugate",
          "For the fields you launched the error y - t itself.",
          "What is launched is the conjugate of the direction of ascent."),
    wrong("half-in-the-loss-forgotten", output_with(fields=lambda y, w, t: 2 * (y * np.conj(t)).imag),
          "the task: the second loss",
          "For the fields everything is twice what it should be.",
          "The loss has a factor one half in front."),
    wrong("angle-between-the-fields", output_with(fields=lambda y, w, t: np.angle(y * np.conj(t))),
          "notebook 11, section 6: the derivative of e^{i psi}",
          "For the fields you returned the angle between y and t.",
          "The angle says how far the heater should turn. The slope of the loss also depends on how bright both are."),
    wrong("sine-without-amplitudes", output_with(fields=lambda y, w, t: np.sin(np.angle(y * np.conj(t)))),
          "notebook 11, section 6: the derivative of e^{i psi}",
          "For the fields the signs are right, and no number is larger than 1.",
          "Bright fields give steep losses: the amplitudes of y and t belong in the product."),
    wrong("weights-in-the-wrong-loss", output_with(fields=lambda y, w, t: w * (y * np.conj(t)).imag),
          "the task: the second loss",
          "For the fields everything was multiplied by the weights.",
          "The weights are those of the powers; the loss of the fields has none."),
    wrong("losses-exchanged", lambda y, w, t: {"powers": (y * np.conj(t)).imag, "fields": np.zeros(len(y))},
          "the task: which loss sees what",
          "The two gradients are each under the other's name.",
          "Which of the two losses notices when a field is turned?"),
    wrong("distance-for-its-gradient", output_with(fields=lambda y, w, t: np.abs(y - t) ** 2 / 2),
          "the task: gradients of the phases",
          "For the fields you returned what each port adds to the loss.",
          "Asked for is how that changes when the heater turns y."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.7",
    title="A heater that cannot learn",
    function="output_heaters",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 11, section 7",
    reference=output_heaters,
    domain={"y": Array("n", zero=False), "w": Array("n", all_zero=True, order="free"), "t": Array("n", zero=False)},
    meets={
        "an output is dark": lambda y: (y == 0).any() and y.any(),
        "all outputs are dark": lambda y: not y.any(),
        "a wanted field is 0": lambda t: (t == 0).any(),
        "an output is in phase with what is wanted": lambda y, t: (t == 2 * y).any(),
        "an output is opposite to what is wanted": lambda y, t: (t == -0.5 * y).any(),
        "all outputs are brighter than wanted": lambda y, t: (np.abs(y) > np.abs(t)).all(),
        "all outputs are fainter than wanted": lambda y, t: (np.abs(y) < np.abs(t)).all(),
    },
    always={"differences of losses still show something": lambda w: np.abs(w).max() <= 5},
    visible=output_cases(np.random.default_rng(7)),
    hidden=output_cases,
    accepted=[
        output_by_formula,
        output_polar,
        output_loops,
        output_derivative,
        output_shift,
        output_single,
        output_cross,
        output_differences,
    ],
    bank=BANK,
    hints=(
        "Put e^{i gamma} y into both losses. In which of the two does gamma remain?",
        "In |e^{i gamma} y - t|² it stays in the mixed term, -2 Re(e^{i gamma} y conj(t)).",
        "Powers: all zeros. Fields: the derivative of -Re(e^{i gamma} y conj(t)) at gamma = 0.",
    ),
    equivalent_mutants={
        "takes the absolute value of w": "no weight reaches a gradient: that of the powers is 0 whatever they are",
        "gives the neighbour's value where an entry of w is 0": "no weight reaches a gradient",
    },
)
