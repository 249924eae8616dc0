"""11.6 From layer to layer."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .shared import fields


def launch_field(y, x_adj):
    return np.real(x_adj) * np.conj(y) / np.abs(y)


def launch_phase(y, x_adj):
    return np.asarray(x_adj).real * np.exp(-1j * np.angle(y))


def launch_loops(y, x_adj):
    found = []
    for value, arrives in zip(y, x_adj, strict=True):
        size = math.hypot(value.real, value.imag)
        found.append(complex(arrives.real * value.real / size, -arrives.real * value.imag / size))
    return found


def launch_real_and_imaginary(y, x_adj):
    """The gradients by the real and the imaginary part of y, put together and conjugated."""
    a, b, r = np.real(y), np.imag(y), np.real(x_adj)
    h = np.sqrt(a**2 + b**2)
    return r * a / h - 1j * (r * b / h)


def launch_root(y, x_adj):
    return (x_adj + np.conj(x_adj)) / 2 * np.abs(y) / y


def launch_differences(y, x_adj):
    """A derivative of |y| along each axis of the complex plane, by a complex step in real arithmetic."""
    step = 1e-30
    along_real = np.imag(np.sqrt((y.real + 1j * step) ** 2 + y.imag**2)) / step
    along_imaginary = np.imag(np.sqrt(y.real**2 + (y.imag + 1j * step) ** 2)) / step
    return x_adj.real * (along_real - 1j * along_imaginary)


def launch_single(y, x_adj):
    return launch_field(y, x_adj).astype(np.complex64)


def hidden_launch(rng):
    return [case(fields(rng, n), fields(rng, n)) for n in (3, 4, 2, 4)]


BANK = [
    wrong("conjugate-forgotten", lambda y, x_adj: np.real(x_adj) * y / np.abs(y),
          "notebook 11, section 7: why the conjugate",
          "You launch the gradient itself; its conjugate is what the mesh has to be sent.",
          "The product of two fields at a heater is a plain product, so one of them must carry the conjugate."),
    wrong("real-part-forgotten", lambda y, x_adj: x_adj * np.conj(y) / np.abs(y),
          "notebook 11, section 7: a real number between two layers",
          "The imaginary part of what arrived was sent on.",
          "|y| is a real number. It can only be nudged along the real axis."),
    wrong("magnitude-of-what-arrived", lambda y, x_adj: np.abs(x_adj) * np.conj(y) / np.abs(y),
          "notebook 11, section 7: a real number between two layers",
          "You sent the magnitude of what arrived, so signs are lost.",
          "A detector sees magnitudes; the gradient is the real part, which can be negative."),
    wrong("imaginary-part", lambda y, x_adj: np.imag(x_adj) * np.conj(y) / np.abs(y),
          "notebook 11, section 7: a real number between two layers",
          "You took the imaginary part of what arrived.",
          "The imaginary part belongs to phases. Here an amplitude is nudged."),
    wrong("not-divided-by-the-magnitude", lambda y, x_adj: np.real(x_adj) * np.conj(y),
          "notebook 11, section 7: the derivative of a magnitude",
          "The factor is conj(y): its length is |y|, and it should be 1.",
          "|y| grows one for one along y, however long y is."),
    wrong("derivative-of-the-power", lambda y, x_adj: 2 * np.real(x_adj) * np.conj(y),
          "the task: what the next layer gets",
          "That is the derivative of the power |y|².",
          "Between layers the square root of the measured power is handed on."),
    wrong("divided-by-the-power", lambda y, x_adj: np.real(x_adj) * np.conj(y) / np.abs(y) ** 2,
          "notebook 11, section 7: the derivative of a magnitude",
          "You divided by |y|², so weak ports get a strong gradient.",
          "1/y is conj(y)/|y|². The factor here has length 1."),
    wrong("half-of-wirtinger", lambda y, x_adj: np.real(x_adj) * np.conj(y) / np.abs(y) / 2,
          "notebook 11, section 7: why the conjugate",
          "Everything is half of what it should be.",
          "Wirtinger's derivative by y has a factor one half. The direction of ascent is twice that."),
    wrong("sign-of-the-real-part-only", lambda y, x_adj: np.real(x_adj) * np.sign(np.real(y)),
          "notebook 11, section 7: the derivative of a magnitude",
          "You treated y as if it were real: its sign is its real part's, and its phase is lost.",
          "y has any phase. Its magnitude grows along that phase."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.6",
    title="From layer to layer",
    function="launch_field",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 11, section 7",
    reference=launch_field,
    visible=hidden_launch(np.random.default_rng(6)),
    hidden=hidden_launch,
    accepted=[
        launch_phase,
        launch_loops,
        launch_real_and_imaginary,
        launch_root,
        launch_differences,
        launch_single,
    ],
    bank=BANK,
    hints=(
        "First the real question: by how much does |y| grow for a nudge of y along the real axis, and along the "
        "imaginary axis?",
        "The gradient at the magnitude is the real part of x_adj. The direction in which |y| grows fastest is y/|y|.",
        "Ascent direction: g = Re(x_adj) y/|y|. What is launched is its conjugate.",
    ),
)
