"""11.4 A gradient from three powers."""

from __future__ import annotations

import cmath
import math

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .e01_mzi import mzi_closed
from .shared import fields, numbers


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


def three_with(launch=None, *, back=np.transpose, read=None, combine=None, tap=0):
    """The protocol with one thing done differently."""

    def answer(theta, phi, x, y_adj):
        B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
        first = B @ np.diag([np.exp(1j * phi), 1])
        T = B @ np.diag([np.exp(1j * theta), 1]) @ first
        x_adj = back(T) @ y_adj
        sent = launch(x, x_adj) if launch else x - 1j * np.conj(x_adj)
        u, a = (first @ x)[tap], (B @ y_adj)[tap]
        forward, adjoint = abs(u) ** 2, abs(a) ** 2
        both = read(u, a, theta) if read else abs((first @ sent)[tap]) ** 2
        gradient = combine(both, forward, adjoint) if combine else (both - forward - adjoint) / 2
        return {"forward": forward, "adjoint": adjoint, "sum": both, "gradient": gradient}

    return answer


def three_case(rng):
    return case(*numbers(rng, 1, 0.4, 2.7), *numbers(rng, 1, 0.3, 5.9), fields(rng, 2), fields(rng, 2))


def hidden_three(rng):
    return [three_case(rng) for _ in range(4)]


BANK = [
    wrong("back-by-time-reversal", three_with(back=lambda T: np.conj(T).T),
          "notebook 11, section 5: transposed, not conjugated",
          "Forward and adjoint powers are right; the sum was launched from a wrong field x_adj.",
          "Light from the right sees the transpose of the matrix, not its conjugate transpose."),
    wrong("plus-i", three_with(lambda x, x_adj: x + 1j * np.conj(x_adj)), "notebook 11, section 6: the third pass",
          "The sum was launched with plus i, so the interference has the other sign.",
          "That is the second half of the toggle. Here it turns the gradient round."),
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
    visible=[
        case(math.pi / 2, 0.0, np.array([1.0, 0.0]), 2 * np.conj(mzi_closed(math.pi / 2, 0.0)[:, 0]) * [1, 0]),
        *hidden_three(np.random.default_rng(4)),
    ],
    hidden=hidden_three,
    accepted=[three_closed, three_derivative, three_loops, three_single, three_after_the_heater],
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
