"""11.2 All light into one port."""

from __future__ import annotations

import cmath
import math

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e01_mzi import mzi_closed


def darken(x):
    theta = 2 * math.atan2(abs(x[0]), abs(x[1]))
    phi = (cmath.phase(x[1]) - cmath.phase(x[0])) % (2 * math.pi)
    return theta, phi


def darken_ratio(x):
    ratio = x[1] / x[0]
    return [2 * np.arctan(1 / np.abs(ratio)), np.mod(np.angle(ratio), 2 * np.pi)]


def darken_powers(x):
    p = np.abs(np.asarray(x)) ** 2
    angle = np.angle(x[1] * np.conj(x[0]))
    return np.array([np.arccos((p[1] - p[0]) / p.sum()), angle + 2 * np.pi * (angle < 0)])


def darken_tuple(x):
    a, b = complex(x[0]), complex(x[1])
    phi = math.atan2(b.imag, b.real) - math.atan2(a.imag, a.real)
    while phi < 0:
        phi += 2 * math.pi
    while phi >= 2 * math.pi:
        phi -= 2 * math.pi
    return 2 * math.asin(abs(a) / math.hypot(abs(a), abs(b))), phi


def darken_measured(x):
    """Six readings of the bottom port: bar and cross for the amplitudes, a wheel of four for the phases."""

    def bottom(theta, phi):
        return abs(mzi_closed(theta, phi)[1] @ np.asarray(x)) ** 2

    wheel = [bottom(math.pi / 2, k * math.pi / 2) for k in range(4)]
    phi = round(math.atan2(wheel[3] - wheel[1], wheel[2] - wheel[0]), 10)  # a reading is never exactly 0
    return [2 * math.atan(math.sqrt(bottom(0.0, 0.0) / bottom(math.pi, 0.0))), phi % (2 * math.pi)]


def darken_single(x):
    return np.float32(darken(x))


def darken_with(change):
    """Angles made from those of the right answer, or from the fields."""

    def answer(x):
        theta, phi = darken(x)
        theta, phi = change(theta, phi, x)
        return [theta, phi % (2 * math.pi)]

    return answer


def darken_conjugate(x):
    top, bottom = np.array(x) * np.conj(x[1]) / abs(x[1])
    return {0: 2 * np.angle(bottom.real + 1j * abs(top)), 1: (2 * np.pi - np.angle(top)) % (2 * np.pi)}.values()


def polar(*amplitudes_and_phases):
    return np.round([a * cmath.exp(1j * phase) for a, phase in amplitudes_and_phases], 4)


def darken_cases(rng):
    """The wanted phi in each quarter, phases that differ by more than half a turn, faint and bright light."""
    phases = [(2.7, -2.3), (-2.4, 2.4), (0.7, 2.8), (1.3, -1.2), (-0.9, -0.1), (-2.8, -0.9), (1.4, -2.9)]
    found = []
    for before, behind in phases:
        turn = rng.uniform(-0.2, 0.2, 2)
        found.append(polar((rng.uniform(0.4, 1.3), before + turn[0]), (rng.uniform(0.4, 1.3), behind + turn[1])))
    strong, weak, both = rng.uniform(5, 9), rng.uniform(0.02, 0.08), rng.uniform(0.3, 2)
    found.append(polar((strong, rng.uniform(1.8, 2.6)), (weak, rng.uniform(-1.2, -0.4))))
    found.append(polar((weak, rng.uniform(-2.6, -1.8)), (strong, rng.uniform(0.4, 1.2))))
    a, b = np.round(rng.uniform(0.3, 1.5, 2), 3)
    found += [np.array([a, b], dtype=complex), np.array([b, -a], dtype=complex)]  # equal phases, opposite phases
    found.append(both * np.array([0.6 + 0.8j, 0.8 - 0.6j]))  # equal amplitudes
    found.append(found[0] * np.array([1j, 1]))  # the same sizes with other phases
    # powers of two: the phases of an earlier case to the last digit, with other sizes
    found += [found[1] * np.array([2.0, 1.0]) / 2**25, found[2] * np.array([0.5, 1.0]) * 2**25]
    found += [np.array([1e-8, 1e-8j]) * rng.choice([1, -1], 2)]
    found += [polar((4e4, 2.1), (5, -0.6)) * rng.uniform(1, 1.2), polar((5, 0.4), (4e4, -1.1)) * rng.uniform(1, 1.2)]
    return [case(x) for x in found]


def phase_gap(x):
    """The phase of the bottom field minus that of the top one, as the phases come."""
    return np.angle(x[1]) - np.angle(x[0])


BANK = [
    wrong("darkens-the-top-port", darken_with(lambda theta, phi, x: (math.pi - theta, phi + math.pi)),
          "the task: which port is to be dark",
          "The top port is dark and all light leaves at the bottom.",
          "Each port has its own setting; theta is mirrored and phi is half a turn away."),
    wrong("ratio-upside-down", darken_with(lambda theta, phi, x: (math.pi - theta, phi)),
          "notebook 11, section 3: bar and cross",
          "phi is right; theta belongs to the ratio of the amplitudes turned upside down.",
          "Test it on light in the top port alone: theta = pi is the setting that lets it stay there."),
    wrong("theta-not-doubled", darken_with(lambda theta, phi, x: (theta / 2, phi)),
          "notebook 11, section 3: the closed form",
          "phi is right; theta is half of what it should be.",
          "The matrix holds the sine and cosine of half of theta."),
    wrong("ratio-of-powers", darken_with(lambda theta, phi, x: (2 * math.atan2(abs(x[0]) ** 2, abs(x[1]) ** 2), phi)),
          "notebook 11, section 1: fields add",
          "phi is right; theta is made from the ratio of the powers.",
          "Fields cancel, not powers: what must become equal are two amplitudes."),
    wrong("phase-difference-reversed", darken_with(lambda theta, phi, x: (theta, -phi)),
          "the task: on which arm phi sits",
          "theta is right; phi has the wrong sign.",
          "The heater turns the top field, so it must take up what the top field lacks."),
    wrong("half-a-turn-off", darken_with(lambda theta, phi, x: (theta, phi + math.pi)),
          "notebook 11, section 3: the closed form",
          "theta is right; phi is off by half a turn, so the port is as bright as it can get.",
          "Two contributions with equal phase add up. Look at the signs in the bottom row of the matrix."),
    wrong("phases-added", darken_with(lambda theta, phi, x: (theta, cmath.phase(x[1]) + cmath.phase(x[0]))),
          "notebook 11, section 1: the interference",
          "theta is right; phi is the sum of the two phases.",
          "Only the difference of two phases can be seen in a power."),
    wrong("ignores-the-phases", darken_with(lambda theta, phi, x: (theta, 0.0)), "notebook 11, section 1: interference",
          "theta is right, and phi is always 0.",
          "Equal amplitudes are not enough: they must also point in opposite directions."),
    wrong("phi-outside-the-circle", lambda x: [darken(x)[0], cmath.phase(x[1]) - cmath.phase(x[0])],
          "the task: the range of phi",
          "The light goes where it should; phi is a full turn outside the range asked for.",
          "The difference of two angles can be negative, or more than a full turn."),
    wrong("phi-between-minus-half-a-turn-and-half-a-turn", lambda x: [darken(x)[0], cmath.phase(x[1] / x[0])],
          "the task: the range of phi",
          "The light goes where it should; wherever phi should be above half a turn, yours is below 0.",
          "The phase of a complex number is given between minus pi and pi. The task asks for 0 to 2 pi."),
    wrong("phi-by-the-arctangent-of-a-quotient",
          darken_with(lambda theta, phi, x: (theta, math.atan((x[1] / x[0]).imag / (x[1] / x[0]).real))),
          "notebook 11, section 1",
          "theta is right; phi is off by half a turn in half of the cases.",
          "The quotient of imaginary and real part is the same for a number and for its negative."),
    wrong("phases-by-the-arctangent-of-a-quotient",
          darken_with(lambda theta, phi, x: (theta, np.subtract(*np.arctan(x.imag / x.real)[::-1]))),
          "notebook 11, section 1",
          "theta is right; phi is off by half a turn wherever exactly one of the fields points to the left.",
          "The quotient of imaginary and real part is the same for a number and for its negative."),
    wrong("distance-of-the-phases", darken_with(lambda theta, phi, x: (theta, abs(phase_gap(x)))),
          "the task: on which arm phi sits",
          "theta is right; phi is the distance of the two phases, whichever comes first.",
          "It matters which of the two fields is ahead: the heater can only turn the top one."),
    wrong("angle-between-the-fields", darken_with(lambda theta, phi, x: (theta, abs(cmath.phase(x[1] / x[0])))),
          "the task: on which arm phi sits",
          "theta is right; phi is the angle between the two fields, never more than half a turn.",
          "An angle between two arrows has no sense of rotation. It matters which of the two is ahead."),
    wrong("phi-within-half-a-turn", darken_with(lambda theta, phi, x: (theta, phi % math.pi)),
          "the task: the range of phi",
          "theta is right; wherever phi should be above half a turn, yours is half a turn less.",
          "Two fields in phase and two in opposite phase are not the same: only one of the two pairs cancels."),
    wrong("light-taken-for-one", darken_with(lambda theta, phi, x: (2 * math.asin(min(1.0, abs(x[0]))), phi)),
          "the task: two fields",
          "phi is right; theta was made of the top field alone, as if all the light together had power 1.",
          "How much of the light comes in at the top is a ratio, and needs both fields."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.2",
    title="All light into one port",
    function="darken",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 11, section 3",
    reference=darken,
    domain={"x": Array("2", zero=False)},
    meets={
        "phi is in the first quarter": lambda x: 0 < phase_gap(x) % (2 * np.pi) < np.pi / 2,
        "phi is in the second quarter": lambda x: np.pi / 2 < phase_gap(x) % (2 * np.pi) < np.pi,
        "phi is in the third quarter": lambda x: np.pi < phase_gap(x) % (2 * np.pi) < 1.5 * np.pi,
        "phi is in the last quarter": lambda x: phase_gap(x) % (2 * np.pi) > 1.5 * np.pi,
        "the phases differ by more than half a turn": lambda x: phase_gap(x) > np.pi,
        "the phases differ by more than half a turn the other way": lambda x: phase_gap(x) < -np.pi,
        "the phases are equal": lambda x: phase_gap(x) == 0,
        "the phases are opposite": lambda x: abs(phase_gap(x)) == np.pi,
        "the amplitudes are equal": lambda x: np.isclose(abs(x[0]), abs(x[1])),
        "the top is much brighter": lambda x: abs(x[0]) > 20 * abs(x[1]),
        "the bottom is much brighter": lambda x: abs(x[1]) > 20 * abs(x[0]),
        "the top is brighter by far": lambda x: abs(x[0]) > 5e3 * abs(x[1]),
        "the bottom is brighter by far": lambda x: abs(x[1]) > 5e3 * abs(x[0]),
        "both fields are faint": lambda x: max(abs(x)) < 1e-7,
        "both fields are bright": lambda x: min(abs(x)) > 1e6,
    },
    always={
        "neither field is more than ten thousand times the other": lambda x: np.abs(x).max() <= 1e4 * np.abs(x).min(),
        "sizes lie between 1e-8 and 1e8": lambda x: ((x == 0) | ((np.abs(x) >= 1e-8) & (np.abs(x) <= 1e8))).all(),
    },
    visible=darken_cases(np.random.default_rng(11)),
    hidden=darken_cases,
    result={"0": {"kind": "angle", "period": 2 * math.pi}, "1": {"kind": "angle", "period": 2 * math.pi}},
    parts=("theta", "phi"),
    accepted=[darken_ratio, darken_powers, darken_tuple, darken_measured, darken_single, darken_conjugate],
    bank=BANK,
    hints=(
        "The bottom output is the bottom row of T times x. Set it to zero.",
        "Up to a common factor it is e^{i phi} cos(theta/2) x[0] - sin(theta/2) x[1]. Amplitudes give theta, phases "
        "give phi.",
        "tan(theta/2) = |x[0]| / |x[1]|, and phi is the phase of x[1] minus that of x[0], taken modulo a full turn.",
    ),
    equivalent_mutants={
        "squeezes": "both angles are plain numbers",
        "`1` → `-1`": "there are two fields, so the one at index 1 is the last one",
        "`1` → `-1` #2": "there are two fields, so the one at index 1 is the last one",
    },
)
