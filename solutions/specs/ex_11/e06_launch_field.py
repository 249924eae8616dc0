"""11.6 From layer to layer."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

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


def launch_pairs(y, x_adj):
    return tuple(complex(r) * (b / abs(b)).conjugate() for r, b in zip(np.real(x_adj).tolist(), list(y), strict=True))


def launch_cases(rng):
    """Fields along the axes of the plane, bright and faint, and arrivals that are 0, real or imaginary."""
    sizes = np.round(rng.uniform(0.3, 1.2, 8), 3)
    on_axes = sizes[:4] * [1, -1, 1j, -1j]
    arrived = fields(rng, 4)
    arrived[rng.integers(4)] = 0
    return [
        case(fields(rng, 3), fields(rng, 3)),
        case(fields(rng, 4, low=4, high=9), fields(rng, 4)),
        case(fields(rng, 4, low=0.02, high=0.06), fields(rng, 4, low=2, high=5)),
        case(on_axes, fields(rng, 4)),
        case(fields(rng, 4), arrived),
        case(fields(rng, 4), rng.permutation(sizes[4:] * [1, -1, 1j, -1j])),
        case(fields(rng, 1), fields(rng, 1)),
        case(fields(rng, 2), np.zeros(2, dtype=complex)),
        case(fields(rng, 3, low=2, high=8) * 1e-9, fields(rng, 3)),
    ]


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
    wrong("one-length-for-all-ports", lambda y, x_adj: np.real(x_adj) * np.conj(y) / np.linalg.norm(y),
          "notebook 11, section 7: the derivative of a magnitude",
          "You divided by the length of the whole field; at one port alone it is right.",
          "Each port has a magnitude of its own."),
    wrong("real-part-taken-last", lambda y, x_adj: np.real(x_adj * np.conj(y) / np.abs(y)),
          "notebook 11, section 7: a real number between two layers",
          "You return real numbers: the real part was taken of the whole product.",
          "What arrived counts by its real part. What is launched has the phase of y."),
    wrong("direction-of-descent", lambda y, x_adj: -np.real(x_adj) * np.conj(y) / np.abs(y),
          "the task: the direction in which the loss rises",
          "All fields point the other way.",
          "Asked for is the direction of ascent; whoever turns the heaters puts in the minus."),
    wrong("phase-of-what-arrived-lost", lambda y, x_adj: (
              np.abs(x_adj) * np.sign(np.real(x_adj)) * np.conj(y) / np.abs(y)
          ), "notebook 11, section 7: a real number between two layers",
          "Signs and phases are right; the sizes are those of the whole field that arrived.",
          "Only the part of it along the real axis counts."),
    wrong("one-more-conjugate", lambda y, x_adj: np.conj(x_adj) * np.conj(y) / np.abs(y),
          "notebook 11, section 7: a real number between two layers",
          "What arrived was conjugated; it should be made real.",
          "The imaginary part must go, not change its sign."),
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
    domain={"y": Array("n", zero=False), "x_adj": Array("n", zero=False)},
    meets={
        "a field is real": lambda y: (y.imag == 0).any(),
        "a field is imaginary": lambda y: (y.real == 0).any(),
        "nothing arrived at one port": lambda x_adj: (x_adj == 0).any() and x_adj.any(),
        "nothing arrived": lambda x_adj: not x_adj.any(),
        "what arrived is imaginary": lambda x_adj: ((x_adj.real == 0) & (x_adj != 0)).any(),
        "what arrived is real": lambda x_adj: ((x_adj.imag == 0) & (x_adj != 0)).any(),
        "all fields are faint": lambda y: (np.abs(y) > 0.01).all() and (np.abs(y) < 0.1).all(),
        "all fields are fainter by far": lambda y: (np.abs(y) < 1e-8).all(),
        "all fields are bright": lambda y: (np.abs(y) > 3).all(),
    },
    always={"fields have a size of 1e-9 or more": lambda y: np.abs(y).min() >= 1e-9},
    visible=launch_cases(np.random.default_rng(6)),
    hidden=launch_cases,
    accepted=[
        launch_phase,
        launch_loops,
        launch_real_and_imaginary,
        launch_root,
        launch_differences,
        launch_single,
        launch_pairs,
    ],
    bank=BANK,
    hints=(
        "First the real question: by how much does |y| grow for a nudge of y along the real axis, and along the "
        "imaginary axis?",
        "The gradient at the magnitude is the real part of x_adj. The direction in which |y| grows fastest is y/|y|.",
        "Ascent direction: g = Re(x_adj) y/|y|. What is launched is its conjugate.",
    ),
)
