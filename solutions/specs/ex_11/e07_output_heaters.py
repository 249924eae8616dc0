"""11.7 A heater that cannot learn."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

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


def hidden_output(rng):
    return [case(fields(rng, n), np.round(rng.uniform(0.3, 1.5, n), 2), fields(rng, n)) for n in (3, 2, 4)]


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
          "notebook 11, section 6: the derivative of e^{i eta}",
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
    visible=hidden_output(np.random.default_rng(7)),
    hidden=hidden_output,
    accepted=[output_by_formula, output_polar, output_loops, output_derivative, output_shift, output_single],
    bank=BANK,
    hints=(
        "Put e^{i gamma} y into both losses. In which of the two does gamma remain?",
        "In |e^{i gamma} y - t|² it stays in the mixed term, -2 Re(e^{i gamma} y conj(t)).",
        "Powers: all zeros. Fields: the derivative of -Re(e^{i gamma} y conj(t)) at gamma = 0.",
    ),
)
