"""11.1 The interferometer."""

from __future__ import annotations

import cmath
import math

import numpy as np

from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import angle


def mzi(theta, phi):
    B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    return B @ np.diag([np.exp(1j * theta), 1]) @ B @ np.diag([np.exp(1j * phi), 1])


def mzi_closed(theta, phi):
    s, c, turn = math.sin(theta / 2), math.cos(theta / 2), cmath.exp(1j * phi)
    return 1j * cmath.exp(0.5j * theta) * np.array([[turn * s, c], [turn * c, -s]])


def mzi_loops(theta, phi):
    rows = [[0j, 0j], [0j, 0j]]
    for port in range(2):
        a, b = (cmath.exp(1j * phi), 0.0) if port == 0 else (0.0, 1.0)
        for turn in (cmath.exp(1j * theta), 1.0):
            a, b = (a + 1j * b) / math.sqrt(2), (1j * a + b) / math.sqrt(2)
            a = a * turn
        rows[0][port], rows[1][port] = a, b
    return rows


def mzi_rotations(theta, phi):
    """The coupler as a quarter of a turn about the x axis of the Bloch sphere."""
    coupler = math.cos(math.pi / 4) * np.eye(2) + 1j * math.sin(math.pi / 4) * np.eye(2)[::-1]
    shifters = [np.array([cmath.exp(1j * angle), 1.0]) for angle in (theta, phi)]
    return (coupler * shifters[0]) @ (coupler * shifters[1])


def mzi_single(theta, phi):
    return mzi(theta, phi).astype(np.complex64)


def mzi_sums(theta, phi):
    """Two paths from each port to each port."""
    t, p = np.exp(1j * theta), np.exp(1j * phi)
    return [[p * (t - 1) / 2, 1j * (t + 1) / 2], [1j * p * (t + 1) / 2, (1 - t) / 2]]


def mzi_variant(*, coupler=((1, 1j), (1j, 1)), half=1.0, shifter=lambda angle: (np.exp(1j * angle), 1), order=1):
    """The interferometer with one thing built differently."""

    def answer(theta, phi):
        B = np.array(coupler) / np.sqrt(2) * half
        first, inner = np.diag(shifter(phi)), np.diag(shifter(theta))
        return B @ inner @ B @ first if order == 1 else first @ B @ inner @ B

    return answer


def mzi_by_paths(theta, phi):
    """Each column is what comes out where light of one port goes in."""
    columns = []
    for x in np.eye(2, dtype=complex):
        for turn in (phi, theta):
            x = np.array([x[0] * np.exp(1j * turn), x[1]])
            x = np.array([x[0] + 1j * x[1], 1j * x[0] + x[1]]) / np.sqrt(2)
        columns.append(x)
    return np.column_stack(columns)


def mzi_powers(theta, phi):
    """The coupler as the root of a swap."""
    coupler = np.sqrt([[0.5, -0.5], [-0.5, 0.5]], dtype=complex)
    return np.linalg.multi_dot(
        [coupler, np.diag(np.exp([1j * theta, 0])), coupler, np.diag([cmath.rect(1, phi), 1.0])]
    ).tolist()


def mzi_entrywise(theta, phi):
    B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    return B * np.diag([np.exp(1j * theta), 1]) * B * np.diag([np.exp(1j * phi), 1])


def mzi_cases(rng):
    """Heaters in all quarters, one or both off, at half a turn (all light stays), and turned beyond the circle."""
    return [
        case(angle(rng, 0.3, 1.4), angle(rng, 3.4, 4.4)),
        case(angle(rng, 1.8, 2.9), angle(rng, 0.3, 1.3)),
        case(angle(rng, 3.4, 4.5), angle(rng, 1.8, 2.9)),
        case(angle(rng, -2.9, -1.8), angle(rng, -4.5, -3.4)),
        case(angle(rng, 6.6, 7.6), angle(rng, -1.3, -0.3)),
        case(0.0, angle(rng, 6.6, 7.6)),
        case(math.pi, 0.0),
        case(0.0, 0.0),
        case(angle(rng, -4.5, -3.4), angle(rng, 4.9, 6.0)),
    ]


BANK = [
    wrong("coupler-without-its-quarter-turn", mzi_variant(coupler=((1, 1), (1, -1))),
          "notebook 11, section 2: the matrix of the coupler",
          "The splitting is right, but the light that crosses is not delayed by a quarter turn.",
          "A mirror image of the course's coupler: also loss-free, but another device."),
    wrong("first-shifter-at-the-end", mzi_variant(order=-1), "notebook 11, section 3: the order of the four factors",
          "The heater phi acts on the outputs, not on the inputs.",
          "Matrices act from right to left: what light meets first stands last."),
    wrong("splits-the-field-in-half", mzi_variant(half=1 / np.sqrt(2)),
          "notebook 11, section 2: where the root of two comes from",
          "Each coupler halves the field, so a quarter of the light is left at the end.",
          "It is the power that a coupler halves."),
    wrong("half-the-angle", mzi_variant(shifter=lambda angle: (np.exp(0.5j * angle), 1)),
          "notebook 11, section 3: what a heater does",
          "The heaters turn by half of what they are told.",
          "The half angle appears in the result; it does not go into the heater."),
    wrong("pushes-one-arm-pulls-the-other",
          mzi_variant(shifter=lambda angle: (np.exp(0.5j * angle), np.exp(-0.5j * angle))),
          "notebook 11, section 3: the factor in front",
          "All powers are right; the phases of both outputs are off together.",
          "A heater sits on one arm only, so the average phase of the two arms turns as well."),
    wrong("heaters-on-the-bottom-arm", mzi_variant(shifter=lambda angle: (1, np.exp(1j * angle))),
          "notebook 11, section 3: the drawing",
          "The heaters act on the bottom waveguide.",
          "In this course both heaters sit on the top arm."),
    wrong("turns-clockwise", mzi_variant(shifter=lambda angle: (np.exp(-1j * angle), 1)),
          "notebook 11, section 1: a delay",
          "The heaters turn the field the other way round.",
          "With the course's sign a delay multiplies by a phase with plus in the exponent."),
    wrong("factor-with-a-minus", lambda theta, phi: mzi_closed(theta, phi) * cmath.exp(-1j * theta),
          "notebook 11, section 3: the factor in front, and its witness",
          "All powers are right; the common phase turns against theta.",
          "Did a minus get into the factor in front, or did a heater on the other arm turn the other way round?"),
    wrong("only-one-coupler", lambda theta, phi: (
              np.array([[1, 1j], [1j, 1]])
              / np.sqrt(2)
              @ np.diag([np.exp(1j * theta), 1])
              @ np.diag([np.exp(1j * phi), 1])
          ), "notebook 11, section 3: the drawing",
          "Light is split and never brought together again, so no heater changes any power.",
          "Between the two couplers the arms differ; only the second coupler lets them interfere."),
    wrong("heaters-exchanged", lambda theta, phi: mzi(phi, theta), "notebook 11, section 3: the drawing",
          "Each heater does what the other one should do.",
          "phi comes before the first coupler; theta sits between the two."),
    wrong("multiplied-entry-by-entry", mzi_entrywise, "notebook 11, section 3: the order of the four factors",
          "Nothing crosses from one waveguide to the other: the matrices were multiplied entry by entry.",
          "One part behind the other is a matrix product, and NumPy writes that @."),
    wrong("coupler-with-the-other-quarter-turn", mzi_variant(coupler=((1, -1j), (-1j, 1))),
          "notebook 11, section 2: the matrix of the coupler",
          "What crosses a coupler is turned by a quarter the other way round.",
          "The task gives the coupler: with plus i. The conjugate is another device."),
    wrong("factor-in-front-left-out", lambda theta, phi: mzi_closed(theta, phi) / (1j * cmath.exp(0.5j * theta)),
          "notebook 11, section 3: the factor in front",
          "All powers are right; the phases of both outputs are off together.",
          "The closed form with sines and cosines has a factor in front, and that depends on theta."),
    wrong("theta-halved-nowhere", lambda theta, phi: mzi(2 * theta, phi), "notebook 11, section 3: the closed form",
          "theta does what twice theta should do.",
          "Two arms that differ by theta: half of theta is what the sine and the cosine see."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.1",
    title="The interferometer",
    function="mzi",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 11, section 3",
    reference=mzi,
    domain={"theta": Number(period=2 * math.pi), "phi": Number(period=2 * math.pi)},
    meets={"both heaters are off": lambda theta, phi: theta == phi == 0},
    visible=mzi_cases(np.random.default_rng(111)),
    hidden=mzi_cases,
    accepted=[mzi_closed, mzi_loops, mzi_rotations, mzi_single, mzi_sums, mzi_by_paths, mzi_powers],
    bank=BANK,
    hints=(
        "Write each of the four parts as a 2 by 2 matrix: two couplers, two heaters.",
        "A heater on the top arm is diag(e^{i angle}, 1). Light meets phi, coupler, theta, coupler.",
        "The product, read from the right: B @ diag(e^{i theta}, 1) @ B @ diag(e^{i phi}, 1), where B is "
        "[[1, i], [i, 1]] over the root of 2.",
    ),
    equivalent_mutants={"squeezes": "the matrix is always 2 by 2"},
)
