"""11.4 A gradient from three powers."""

from __future__ import annotations

import cmath
import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e01_mzi import mzi_closed
from .shared import angle, fields


def three_passes(theta, phi, x, y_adj):
    B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    first = B @ np.diag([np.exp(1j * phi), 1])
    T = B @ np.diag([np.exp(1j * theta), 1]) @ first
    x_adj = T.T @ y_adj
    forward = abs((first @ x)[0]) ** 2
    adjoint = abs((B @ y_adj)[0]) ** 2
    both = abs((first @ (x - 1j * np.conj(x_adj)))[0]) ** 2
    return {"forward": forward, "adjoint": adjoint, "sum": both, "gradient": (both - forward - adjoint) / 2}


def three_closed(theta, phi, x, y_adj):
    """The gradient by calculus, the third power by adding up."""
    u = (np.exp(1j * phi) * x[0] + 1j * x[1]) / np.sqrt(2)
    a = (y_adj[0] + 1j * y_adj[1]) / np.sqrt(2)
    gradient = -(u * np.exp(1j * theta) * a).imag
    powers = abs(u) ** 2, abs(a) ** 2
    return {"forward": powers[0], "adjoint": powers[1], "sum": sum(powers) + 2 * gradient, "gradient": gradient}


def three_derivative(theta, phi, x, y_adj):
    """dL = Re(y_adj · dy), with dy from the closed form of the matrix."""
    found = three_closed(theta, phi, x, y_adj)
    s, c, p = np.sin(theta / 2), np.cos(theta / 2), np.exp(1j * phi)
    T = np.array([[p * s, c], [p * c, -s]])
    slope = np.array([[p * c, -s], [-p * s, -c]]) / 2
    dT = 1j * np.exp(0.5j * theta) * (0.5j * T + slope)
    return found | {"gradient": np.real(np.dot(y_adj, dT @ x))}


def three_loops(theta, phi, x, y_adj):
    def coupler(a, b):
        return (a + 1j * b) / math.sqrt(2), (1j * a + b) / math.sqrt(2)

    def power_at_the_tap(top, bottom):
        return abs(coupler(top * cmath.exp(1j * phi), bottom)[0]) ** 2

    top, bottom = coupler(y_adj[0], y_adj[1])
    adjoint = abs(top) ** 2
    top, bottom = coupler(top * cmath.exp(1j * theta), bottom)
    top = top * cmath.exp(1j * phi)
    forward = power_at_the_tap(x[0], x[1])
    both = power_at_the_tap(x[0] - 1j * top.conjugate(), x[1] - 1j * bottom.conjugate())
    return {"forward": forward, "adjoint": adjoint, "sum": both, "gradient": 0.5 * (both - forward - adjoint)}


def three_single(theta, phi, x, y_adj):
    return {name: np.float32(value) for name, value in three_passes(theta, phi, x, y_adj).items()}


def three_after_the_heater(theta, phi, x, y_adj):
    """The tap on the other side of the heater: no power notices."""
    B = np.sqrt(0.5) * np.array([[1, 1j], [1j, 1]])
    to_tap = np.diag([np.exp(1j * theta), 1]) @ B @ np.diag([np.exp(1j * phi), 1])
    from_right = np.diag([np.exp(1j * theta), 1]) @ B.T @ y_adj
    x_adj = np.diag([np.exp(1j * phi), 1]) @ B @ from_right
    p = [np.abs(f[0]) ** 2 for f in (to_tap @ x, from_right, to_tap @ (x - 1j * x_adj.conj()))]
    return {"forward": p[0], "adjoint": p[1], "sum": p[2], "gradient": p[2] / 2 - p[0] / 2 - p[1] / 2}


def three_counted(theta, phi, x, y_adj):
    """One whole way for each beam, as a function of where it starts."""
    coupler, heat = np.array([[1, 1j], [1j, 1]]) / 2**0.5, lambda angle: np.array([np.exp(1j * angle), 1])
    to_tap = lambda sent: (coupler @ (heat(phi) * sent))[0]  # noqa: E731
    from_behind = coupler @ np.asarray(y_adj, dtype=complex)
    arrives = heat(phi) * (coupler @ (heat(theta) * from_behind))
    p = np.abs([to_tap(np.asarray(x)), from_behind[0], to_tap(x + (1j * arrives).conj())]) ** 2
    return {"gradient": (p[2] - p[1] - p[0]) / 2, "sum": p[2], "adjoint": p[1], "forward": p[0]}


def three_with(launch=None, *, back=np.transpose, read=None, combine=None, tap=0, power=2, adjoint_at=None):
    """The protocol with one thing done differently."""

    def answer(theta, phi, x, y_adj):
        B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
        first = B @ np.diag([np.exp(1j * phi), 1])
        T = B @ np.diag([np.exp(1j * theta), 1]) @ first
        x_adj = back(T) @ y_adj
        sent = launch(x, x_adj) if launch else x - 1j * np.conj(x_adj)
        u, a = (first @ x)[tap], (B @ y_adj)[tap]
        forward, adjoint = abs(u) ** power, abs(a) ** power
        if adjoint_at:
            adjoint = abs(adjoint_at(x_adj, y_adj)) ** 2
        both = read(u, a, theta) if read else abs((first @ sent)[tap]) ** power
        gradient = combine(both, forward, adjoint) if combine else (both - forward - adjoint) / 2
        return {"forward": forward, "adjoint": adjoint, "sum": both, "gradient": gradient}

    return answer


def three_launches_y_adj(theta, phi, x, y_adj):
    found = three_passes(theta, phi, x, y_adj)
    B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    sent = x - 1j * np.conj(y_adj)
    both = abs((B @ [np.exp(1j * phi) * sent[0], sent[1]])[0]) ** 2
    return found | {"sum": both, "gradient": (both - found["forward"] - found["adjoint"]) / 2}


def three_cases(rng):
    """Heaters in all quarters and beyond the circle; bright and faint light, light at one port alone, none at all."""
    bright, faint = fields(rng, 2, low=4, high=9), fields(rng, 2, low=0.05, high=0.2)
    top, bottom = fields(rng, 2), fields(rng, 2)
    top[1], bottom[0] = 0, 0
    return [
        case(angle(rng, 0.4, 1.4), angle(rng, 3.4, 4.5), fields(rng, 2), fields(rng, 2)),
        case(angle(rng, 1.8, 2.9), angle(rng, -2.9, -1.8), bright, fields(rng, 2)),
        case(angle(rng, 3.5, 4.5), angle(rng, 0.3, 1.3), top, bottom),
        case(angle(rng, -2.9, -0.4), angle(rng, 6.7, 7.5), fields(rng, 2), np.round(0.7j * top, 4)),
        case(angle(rng, 6.7, 7.5), angle(rng, -4.4, -3.4), fields(rng, 2), faint),
        case(angle(rng, -4.4, -3.4), angle(rng, 1.8, 2.9), fields(rng, 2), np.zeros(2, dtype=complex)),
        case(0.0, angle(rng, 4.9, 6.0), bottom, fields(rng, 2)),
        case(angle(rng, 1.0, 2.0), 0.0, fields(rng, 2), fields(rng, 2)),
        case(angle(rng, 1.8, 2.9), angle(rng, 0.3, 1.3), np.zeros(2, dtype=complex), fields(rng, 2)),
    ]


BANK = [
    wrong("back-by-time-reversal", three_with(back=lambda T: np.conj(T).T),
          "notebook 11, section 5: light sent back",
          "Forward and adjoint powers are right; the sum was launched from a wrong field x_adj.",
          "Light from the right sees the transpose of the matrix, not its conjugate transpose."),
    wrong("plus-i", three_with(lambda x, x_adj: x + 1j * np.conj(x_adj)), "notebook 11, section 6: the third pass",
          "Forward and adjoint powers are right; the interference in the sum has the other sign.",
          "Was the third beam launched with plus i, or did a minus get into what was sent from behind?"),
    wrong("no-i", three_with(lambda x, x_adj: x + np.conj(x_adj)), "notebook 11, section 6: the third pass",
          "The sum shows the real part of the product of the two fields, not the imaginary part.",
          "A phase changes a field at a right angle to it. The factor i turns the adjoint light into that place."),
    wrong("launched-without-conjugate", three_with(lambda x, x_adj: x - 1j * x_adj),
          "notebook 11, section 6: the third pass",
          "The field x_adj was launched as it arrived.",
          "Sent forward again, it would be delayed a second time. Its conjugate runs the same way in reverse."),
    wrong("half-forgotten", three_with(combine=lambda both, forward, adjoint: both - forward - adjoint),
          "notebook 11, section 6: the square of a sum",
          "All three powers are right, and the gradient is twice what it should be.",
          "|u + v|² holds the product twice."),
    wrong("background-not-subtracted", three_with(combine=lambda both, forward, adjoint: both / 2),
          "notebook 11, section 6: the square of a sum",
          "All three powers are right; the gradient still holds the powers of the two beams themselves.",
          "Only the interference term knows the product. The rest is background."),
    wrong("one-background-subtracted", three_with(combine=lambda both, forward, adjoint: (both - forward) / 2),
          "notebook 11, section 6: the square of a sum",
          "All three powers are right; the adjoint power is still in the gradient.",
          "Each of the two beams brings a background of its own."),
    wrong("powers-add", three_with(read=lambda u, a, theta: abs(u) ** 2 + abs(a) ** 2),
          "notebook 11, section 1: fields add",
          "The power of the sum is the sum of the powers, so the gradient is always 0.",
          "Fields add. The power of their sum is where the interference sits."),
    wrong("beams-meet-at-the-tap", three_with(read=lambda u, a, theta: abs(u + a) ** 2),
          "notebook 11, section 6: the third pass",
          "The sum adds the forward field and the field that comes from behind.",
          "Two beams in opposite directions make a standing wave. The third pass sends both from the left."),
    wrong("tap-on-the-bottom-arm", three_with(tap=1), "notebook 11, section 3: the drawing",
          "The powers are those of the bottom arm.",
          "The heater theta sits on the top arm, and the fields must be read where the phase acts."),
    wrong("matrix-not-transposed", three_with(back=lambda T: T), "notebook 11, section 5: light sent back",
          "Forward and adjoint powers are right; for x_adj the light went through the matrix as if from the left.",
          "Light that comes from behind sees the transpose."),
    wrong("gradient-without-its-sign",
          three_with(combine=lambda both, forward, adjoint: abs(both - forward - adjoint) / 2),
          "notebook 11, section 6: the square of a sum",
          "All three powers are right; the gradient is never negative.",
          "Beams can also weaken each other. Then the third power is the smaller one, and the gradient is negative."),
    wrong("gradient-turned-round", three_with(combine=lambda both, forward, adjoint: (forward + adjoint - both) / 2),
          "notebook 11, section 6: the third pass",
          "All three powers are right; the gradient has the wrong sign.",
          "With the launch x - i conj(x_adj) the interference term has the sign of the gradient."),
    wrong("launches-the-field-sent-from-behind", three_launches_y_adj, "notebook 11, section 6: the third pass",
          "Forward and adjoint powers are right; the sum was launched with y_adj in place of x_adj.",
          "What has to be launched at the left is what arrived at the left."),
    wrong("amplitudes-for-powers", three_with(power=1), "notebook 11, section 1: fields add",
          "You returned sizes of fields where powers are asked for.",
          "A tap sees the square of the size of the field."),
    wrong("adjoint-power-read-at-the-left", three_with(adjoint_at=lambda x_adj, y_adj: x_adj[0]),
          "notebook 11, section 6: one place, two fields",
          "The adjoint power is the one at the top input, not the one at the heater theta.",
          "All three powers belong to one place, the tap. Coming from the right, light has passed one coupler there."),
    wrong("adjoint-power-read-at-the-right", three_with(adjoint_at=lambda x_adj, y_adj: y_adj[0]),
          "notebook 11, section 6: one place, two fields",
          "The adjoint power is the one at the top output, before the light has met anything.",
          "All three powers belong to one place, the tap. Coming from the right, light meets a coupler before it."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.4",
    title="A gradient from three powers",
    function="three_passes",
    minutes=20,
    difficulty=2,
    points=4,
    see="notebook 11, section 6",
    reference=three_passes,
    domain={
        "theta": Number(period=2 * math.pi),
        "phi": Number(period=2 * math.pi),
        "x": Array("2", zero=False),
        "y_adj": Array("2", zero=False),
    },
    meets={
        "x has light at the top alone": lambda x: x[0] != 0 and x[1] == 0,
        "x has light at the bottom alone": lambda x: x[0] == 0 and x[1] != 0,
        "y_adj has light at the top alone": lambda y_adj: y_adj[0] != 0 and y_adj[1] == 0,
        "y_adj has light at the bottom alone": lambda y_adj: y_adj[0] == 0 and y_adj[1] != 0,
        "there is no adjoint light": lambda y_adj: not y_adj.any(),
        "there is adjoint light alone": lambda x, y_adj: not x.any() and y_adj.any(),
        "x is much brighter": lambda x, y_adj: 0 < 3 * np.linalg.norm(y_adj) < np.linalg.norm(x),
    },
    visible=[
        case(math.pi / 2, 0.0, np.array([1, 0j]), 2 * np.conj(mzi_closed(math.pi / 2, 0.0)[:, 0]) * [1, 0]),
        *three_cases(np.random.default_rng(4)),
    ],
    hidden=three_cases,
    accepted=[three_closed, three_derivative, three_loops, three_single, three_after_the_heater, three_counted],
    bank=BANK,
    hints=(
        "Follow each beam to the heater theta: from the left through phi and a coupler, from the right through one "
        "coupler.",
        "The third beam is launched at the left: x - i conj(x_adj), where x_adj = T.T @ y_adj is what came out there.",
        "forward = |(B diag(e^{i phi}, 1) x)[0]|², adjoint = |(B y_adj)[0]|², sum like forward with the third beam, "
        "gradient = (sum - forward - adjoint) / 2.",
    ),
    equivalent_mutants={
        "`1` → `-1` #4": "what the bottom arm sent back returns to the bottom arm, where no tap looks",
        "`1` → `2` #4": "what the bottom arm sent back returns to the bottom arm, where no tap looks",
        "`B @ y_adj` → `y_adj @ B`": "the coupler is symmetric",
        "`x - 1j * np.conj(x_adj)` → `1j * np.conj(x_adj) - x`": "a power does not see the sign of a field",
    },
)
