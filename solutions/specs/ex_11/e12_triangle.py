"""11.12 A matrix taken apart."""

from __future__ import annotations

import cmath
import math

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e01_mzi import mzi, mzi_closed
from .shared import unitary


def triangle(U):
    V, n = np.array(U, dtype=complex), len(U)
    theta, phi = [], []
    for r in range(n - 1, 0, -1):
        for m in range(r):
            theta.append(2 * np.arctan2(abs(V[r, m + 1]), abs(V[r, m])))
            phi.append((np.angle(V[r, m]) - np.angle(V[r, m + 1]) + np.pi) % (2 * np.pi))
            V[:, m : m + 2] = V[:, m : m + 2] @ mzi_closed(theta[-1], phi[-1]).conj().T
    return {"theta": np.array(theta), "phi": np.array(phi), "gamma": np.angle(np.diag(V)) % (2 * np.pi)}


def triangle_whole(U):
    """Each step as a product of whole matrices."""
    V, found = np.array(U, dtype=complex), {"theta": [], "phi": []}
    n = len(V)
    for r in reversed(range(1, n)):
        for m in range(r):
            ratio = -V[r, m] / V[r, m + 1]
            theta, phi = 2 * np.arctan(1 / abs(ratio)), np.mod(np.angle(ratio), 2 * np.pi)
            step = np.eye(n, dtype=complex)
            step[m : m + 2, m : m + 2] = mzi(theta, phi)
            V = V @ np.conj(step.T)
            found["theta"].append(theta)
            found["phi"].append(phi)
    return found | {"gamma": np.mod(np.angle(V.diagonal()), 2 * np.pi)}


def triangle_scalars(U):
    V = [[complex(value) for value in row] for row in U]
    n, theta, phi = len(V), [], []
    for r in range(n - 1, 0, -1):
        for m in range(r):
            a, b = V[r][m], V[r][m + 1]
            theta.append(2 * math.atan2(abs(b), abs(a)))
            phi.append((cmath.phase(-a / b)) % (2 * math.pi))
            front = -1j * cmath.exp(-0.5j * theta[-1])
            s, c, back = math.sin(theta[-1] / 2), math.cos(theta[-1] / 2), cmath.exp(-1j * phi[-1])
            for row in V:
                u, v = row[m], row[m + 1]
                row[m], row[m + 1] = front * (back * s * u + c * v), front * (back * c * u - s * v)
    return {"theta": theta, "phi": phi, "gamma": [cmath.phase(V[k][k]) % (2 * math.pi) for k in range(n)]}


def triangle_recursive(U):
    """Clear the last row, then take apart what is left."""
    V = np.array(U, dtype=complex)
    r = len(V) - 1
    if r == 0:
        return {"theta": np.zeros(0), "phi": np.zeros(0), "gamma": np.angle(V[0]) % (2 * np.pi)}
    theta, phi = np.zeros(r), np.zeros(r)
    for m in range(r):
        a, b = V[r, m], V[r, m + 1]
        theta[m] = 2 * np.arccos(min(1.0, abs(a) / np.hypot(abs(a), abs(b))))
        phi[m] = np.angle(a * np.conj(b) * np.exp(1j * np.pi)) % (2 * np.pi)
        V[:, m : m + 2] = V[:, m : m + 2] @ np.linalg.inv(mzi(theta[m], phi[m]))
    rest = triangle_recursive(V[:r, :r])
    return {
        "theta": np.r_[theta, rest["theta"]],
        "phi": np.r_[phi, rest["phi"]],
        "gamma": np.r_[rest["gamma"], np.angle(V[r, r]) % (2 * np.pi)],
    }


def triangle_rows(U):
    """The same on the conjugate transpose, whose rows are mixed."""
    W, n = np.conj(U).T.copy(), len(U)
    settings = []
    for r in range(n - 1, 0, -1):
        for m in range(r):
            theta = 2 * np.arctan2(abs(W[m + 1, r]), abs(W[m, r]))
            phi = np.mod(np.angle(W[m + 1, r]) - np.angle(W[m, r]) + np.pi, 2 * np.pi)
            W[m : m + 2] = mzi(theta, phi) @ W[m : m + 2]
            settings.append((theta, phi))
    theta, phi = np.reshape(settings, (-1, 2)).T
    return {"theta": theta, "phi": phi, "gamma": -np.angle(np.diag(W)) % (2 * np.pi)}


def triangle_planned(U):
    """All places first, then one step after another."""
    V, n = np.asarray(U) + 0j, len(U)
    places = [(r, m) for r in range(1, n)[::-1] for m in range(r)]
    settings = np.zeros((len(places), 2))
    for (r, m), setting in zip(places, settings, strict=True):
        left, right = V[r, m : m + 2]
        setting[:] = np.pi - 2 * np.arctan2(abs(left), abs(right)), cmath.phase(-left * right.conjugate())
        V[:, [m, m + 1]] = V[:, [m, m + 1]] @ np.conj(mzi(*setting)).T
    settings[:, 1] += 2 * np.pi * (settings[:, 1] < 0)
    gamma = [cmath.phase(entry) for entry in np.diag(V)]
    return {
        "theta": settings[:, 0].tolist(),
        "phi": settings[:, 1].tolist(),
        "gamma": [angle if angle >= 0 else angle + 2 * math.pi for angle in gamma],
    }


def triangle_single(U):
    return {name: np.float32(value) for name, value in triangle(U).items()}


def triangle_changed(**changes):
    """The right settings, each list changed in some way."""

    def answer(U):
        return {name: changes.get(name, lambda angles: angles)(angles) for name, angles in triangle(U).items()}

    return answer


def within_half_a_turn(angles):
    return np.angle(np.exp(1j * np.asarray(angles)))


def triangle_with(*, rule=None, undo=lambda T: T.conj().T, rows=None, gamma=None, update=True):
    """The elimination with one thing done differently."""

    def answer(U):
        V, n = np.array(U, dtype=complex), len(U)
        theta, phi = [], []
        order = rows(n) if rows else [(r, m) for r in range(n - 1, 0, -1) for m in range(r)]
        for r, m in order:
            a, b = V[r, m], V[r, m + 1]
            t, p = 2 * np.arctan2(abs(b), abs(a)), np.angle(a) - np.angle(b) + np.pi
            t, p = rule(t, p) if rule else (t, p)
            theta.append(t)
            phi.append(p % (2 * np.pi))
            if update:
                V[:, m : m + 2] = V[:, m : m + 2] @ undo(mzi_closed(t, p))
        left = gamma(U, V) if gamma else np.angle(np.diag(V)) % (2 * np.pi)
        return {"theta": np.array(theta), "phi": np.array(phi), "gamma": left}

    return answer


def triangle_cases(rng):
    return [*(case(unitary(rng, n)) for n in (3, 4, 2, 3, 5, 1, 10)), case(np.ones((1, 1), dtype=complex))]


BANK = [
    wrong("not-taken-out", triangle_with(update=False), "notebook 11, section 4: from a matrix to its settings",
          "Every setting is made from the matrix as it was given.",
          "After an interferometer is found it has to be taken out; only then are the next entries known."),
    wrong("put-in-instead-of-out", triangle_with(undo=lambda T: T),
          "notebook 11, section 4: from a matrix to its settings",
          "The first setting is right; then the matrix was multiplied by T, not by its inverse.",
          "To take a factor T out at the right, multiply by its inverse, which is the conjugate transpose."),
    wrong("transposed-instead-of-inverted", triangle_with(undo=lambda T: T.T),
          "notebook 11, section 5: light sent back",
          "The first setting is right; then the matrix was multiplied by the plain transpose of T.",
          "The transpose is light from behind. What undoes an interferometer also has the conjugate."),
    wrong("half-a-turn-missing", triangle_with(rule=lambda t, p: (t, p - np.pi)),
          "notebook 11, section 4: from a matrix to its settings",
          "In phi half a turn is missing, so contributions add where they should cancel.",
          "An entry becomes zero if two equal contributions point in opposite directions."),
    wrong("ratio-upside-down", triangle_with(rule=lambda t, p: (np.pi - t, p)), "notebook 11, section 3: bar and cross",
          "theta belongs to the ratio of the two sizes turned upside down.",
          "If the entry is zero already, light has to stay where it is: theta must be pi."),
    wrong("phase-difference-reversed", triangle_with(rule=lambda t, p: (t, -p)),
          "notebook 11, section 4: from a matrix to its settings",
          "phi has the wrong sign.",
          "The inverse of T holds the conjugate of e^{i phi}, so phi takes the phase of the left entry as it is."),
    wrong("first-rows-first", triangle_with(rows=lambda n: [(r, m) for r in range(1, n) for m in range(r)]),
          "the task: in which order",
          "The rows were cleared from the top, so later steps fill again what earlier ones had cleared.",
          "Begin where most has to go: once the last row is clear, the steps above it no longer touch it."),
    wrong("from-right-to-left",
          triangle_with(rows=lambda n: [(r, m) for r in range(n - 1, 0, -1) for m in reversed(range(r))]),
          "the task: in which order",
          "Each row was gone through from the right, so entries cleared first are filled again.",
          "Clearing entry m mixes columns m and m + 1: what is collected has to move to the right."),
    wrong("output-phases-forgotten", triangle_with(gamma=lambda U, V: np.zeros(len(U))),
          "notebook 11, section 4: counting",
          "theta and phi are right; the phases left on the diagonal are missing.",
          "When all is cleared a diagonal of phases remains: the heaters at the outputs."),
    wrong("output-phases-of-the-start", triangle_with(gamma=lambda U, V: np.angle(np.diag(U)) % (2 * np.pi)),
          "notebook 11, section 4: from a matrix to its settings",
          "theta and phi are right; gamma was read from the matrix before anything was cleared.",
          "The output heaters get what is left at the end."),
    wrong("phi-between-minus-half-a-turn-and-half-a-turn", triangle_changed(phi=within_half_a_turn),
          "the task: 0 <= phi < 2 pi",
          "Light goes where it should; wherever phi should be above half a turn, yours is below 0.",
          "The phase of a complex number is given between minus pi and pi. The task asks for 0 to 2 pi."),
    wrong("gamma-between-minus-half-a-turn-and-half-a-turn", triangle_changed(gamma=within_half_a_turn),
          "the task: 0 <= gamma < 2 pi",
          "theta and phi are right; wherever gamma should be above half a turn, yours is below 0.",
          "The phase of a complex number is given between minus pi and pi. The task asks for 0 to 2 pi."),
    wrong("gamma-turned-round", triangle_changed(gamma=lambda angles: -angles % (2 * np.pi)),
          "notebook 11, section 4: counting",
          "theta and phi are right; gamma is measured the other way round.",
          "Taking T out of U leaves the diagonal itself, not its inverse."),
    wrong("theta-not-doubled", triangle_with(rule=lambda t, p: (t / 2, p)), "the task: the formula for theta",
          "The first theta is half of what it should be, and the entries are not cleared.",
          "The matrix of an interferometer holds sine and cosine of half of theta."),
    wrong("last-factor-first", triangle_changed(
              theta=lambda angles: angles[::-1], phi=lambda angles: angles[::-1]
          ), "the task: in which order",
          "The settings are right, but they come from the last step to the first.",
          "What is taken out first stands at the right of the product: it is T_1."),
    wrong("powers-for-amplitudes",
          triangle_with(rule=lambda t, p: (2 * np.arctan(np.tan(t / 2) ** 2), p)), "the task: the formula for theta",
          "Every theta was made from a ratio of powers.",
          "Two contributions cancel when their amplitudes are equal."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.12",
    title="A matrix taken apart",
    function="triangle",
    minutes=25,
    difficulty=3,
    points=4,
    see="notebook 11, section 4",
    reference=triangle,
    domain={"U": Array("n n", zero=False)},
    meets={"a phase is left that is 0": lambda U: (U == 1).all()},
    visible=triangle_cases(np.random.default_rng(12)),
    hidden=triangle_cases,
    result={name: {"kind": "angle", "period": 2 * math.pi} for name in ("theta", "phi", "gamma")},
    accepted=[
        triangle_whole,
        triangle_scalars,
        triangle_recursive,
        triangle_rows,
        triangle_single,
        triangle_planned,
    ],
    bank=BANK,
    hints=(
        "Section 4 clears the last row of a matrix. Do the same for every row above it, in what is left.",
        "Two loops: r from n - 1 down to 1, m from 0 to r - 1. In each step compute theta and phi from V[r, m] and "
        "V[r, m + 1], note them, and take the interferometer out of columns m and m + 1.",
        "To take it out, multiply these two columns by the conjugate transpose of its matrix from the right. At the "
        "end gamma is the phase of each diagonal entry, modulo a full turn.",
    ),
    equivalent_mutants={
        "`2` → `-2` #3": "a cosine is even",
        "`np.angle(V[r, m]) - np.angle(V[r, m + 1]) + np.pi` → `np.angle(V[r, m]) - np.angle(V[r, m + 1]) - np.pi`": (
            "half a turn more or less is the same angle"
        ),
    },
)
