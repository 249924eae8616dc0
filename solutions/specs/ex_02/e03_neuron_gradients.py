"""02.3 A neuron with two weights."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def neuron_gradients(w, x, b, y_bar):
    (w1, w2), (x1, x2) = w, x
    y = math.tanh(w1 * x1 + w2 * x2 + b)
    delta = y_bar * (1 - y * y)
    return {"w": np.array([delta * x1, delta * x2]), "x": np.array([delta * w1, delta * w2]), "b": delta}


def neuron_numpy(w, x, b, y_bar):
    w, x = np.asarray(w), np.asarray(x)
    delta = y_bar / np.cosh(np.clip(w @ x + b, -300, 300)) ** 2
    return {"w": delta * x, "x": delta * w, "b": delta}


def neuron_exponentials(w, x, b, y_bar):
    e = math.exp(-2 * abs(sum(wi * xi for wi, xi in zip(w, x, strict=True)) + b))
    delta = y_bar * 4 * e / (e + 1) ** 2
    return {"b": delta, "x": tuple(delta * wi for wi in w), "w": tuple(delta * xi for xi in x)}


def neuron_engine(w, x, b, y_bar):
    w, x, b = [Scalar(v) for v in w], [Scalar(v) for v in x], Scalar(b)
    ((w[0] * x[0] + w[1] * x[1] + b).tanh() * y_bar).backward()
    return {"w": [v.grad for v in w], "x": [v.grad for v in x], "b": b.grad}


def neuron_complex_step(w, x, b, y_bar):
    theta, h = np.array([*w, *x, b], dtype=complex), 1e-20

    def f(v):
        return y_bar * np.tanh(v[0] * v[2] + v[1] * v[3] + v[4])

    grads = [f(theta + 1j * h * row).imag / h for row in np.eye(5)]
    return {"w": grads[:2], "x": grads[2:4], "b": np.array(grads[4])}


def neuron_float32(w, x, b, y_bar):
    w, x = np.float32(w), np.float32(x)
    y = np.tanh(w.dot(x) + np.float32(b))
    delta = np.float32(y_bar) * (1 - y**2)
    return {"w": delta * x, "x": delta * w, "b": delta}


def neuron_with(slope, *, w_gets="x", x_gets="w", b_factor=lambda b: 1.0, upstream=lambda g: g):
    def answer(w, x, b, y_bar):
        z = w[0] * x[0] + w[1] * x[1] + b
        delta = upstream(y_bar) * slope(z, math.tanh(z))
        pick = {"w": w, "x": x}
        return {
            "w": [delta * v for v in pick[w_gets]],
            "x": [delta * v for v in pick[x_gets]],
            "b": delta * b_factor(b),
        }

    return answer


def true_slope(z, y):
    return 1 - y * y


def without_bias(w, x, b, y_bar):
    return neuron_gradients(w, x, 0.0, y_bar)


def slope_for_the_first(w, x, b, y_bar):
    right = neuron_gradients(w, x, b, y_bar)
    return {"w": [right["w"][0], y_bar * x[1]], "x": [right["x"][0], y_bar * w[1]], "b": right["b"]}


def crosswise(w, x, b, y_bar):
    right = neuron_gradients(w, x, b, y_bar)
    return {**right, "w": right["w"][::-1], "x": right["x"][::-1]}


def tanh_by_growing_powers(w, x, b, y_bar):
    return neuron_with(lambda z, y: 1 / math.cosh(z) ** 2)(w, x, b, y_bar)


def equal_lists_like_a_square(w, x, b, y_bar):
    right = neuron_gradients(w, x, b, y_bar)
    return {**right, "w": 2 * right["w"], "x": 2 * right["x"]} if w == x else right


def neuron_cases(rng):
    usual = [case(numbers(rng, 2, 0.4, 1.5), numbers(rng, 2, 0.4, 1.2), *numbers(rng, 2, 0.3, 1.5)) for _ in range(4)]
    return [*usual, *neuron_edges(rng)]


def neuron_edges(rng):
    """A neuron before training, one on a blank, one at the middle of its tanh, two near its ends, two far beyond them.

    Also a result to which nothing arrives, and inputs that equal their weights.
    """
    w, x, (b, y_bar) = numbers(rng, 2, 0.5, 1.4), numbers(rng, 2, 0.5, 1.4), numbers(rng, 2, 0.3, 1.5)
    high = [round(size / other, 3) for size, other in zip((0.9, 1.2), x, strict=True)]
    return [
        case([0.0, 0.0], x, b, y_bar),
        case(w, [0.0, 0.0], b, -y_bar),
        case([w[0], 0.0], [0.0, x[1]], 0.0, y_bar),
        case(high, x, 0.3, 2 * y_bar),
        case([-weight for weight in high], x, -0.4, y_bar),
        case(w, x, b, 0.0),
        case([700 * weight / 1.5 for weight in high], x, b, y_bar),
        case([-700 * weight / 1.5 for weight in high], x, b, -y_bar),
        case(w, w, b, y_bar),
        *nearly_flat(w, y_bar),
        case([700 * weight / 1.5 for weight in high], x, b, 1e7 * y_bar),
        case([0.02 / x[0], 0.03], [x[0], w[1]], round(-0.03 * w[1], 6), y_bar),
    ]


def nearly_flat(w, y_bar):
    """Where tanh is nearly flat, on both sides, and a large gradient arrives.

    There 1 - y² is known in float32 only if y is one of its numbers, and z, which is the bias, has no rounding.
    """
    return [
        case(w, [w[1], -w[0]], sign * math.atanh(1 - steps * 2**-24), round(y_bar, 1) * 2e6 / steps)
        for steps, sign in ((8, 1), (10000, -1))
    ]


def cut_beyond(size, slope):
    """Far out the slope is taken for another number."""
    return lambda z, y: 1 - y * y if abs(z) < size else slope(z)


def at_the_middle(w, x, b):
    return w[0] * x[0] + w[1] * x[1] + b == 0


_draw = np.random.default_rng(23)


BANK = [
    wrong("tanh-slope-at-the-input", neuron_with(lambda z, y: 1 - z * z),
          "notebook 02, section 6, the two curved operations",
          "The slope you used for tanh is one minus the square of its input.",
          "In 1 - tanh² it is the output that is squared. Near zero input and output agree, so this slip hides well."),
    wrong("tanh-applied-twice", neuron_with(lambda z, y: 1 - math.tanh(y) ** 2),
          "notebook 02, section 3: the slope is written in terms of the output",
          "The slope you used is that of a tanh whose input is y.",
          "y is already the tanh of z. Taking tanh of it once more gives the slope at another place."),
    wrong("tanh-slope-forgotten", neuron_with(lambda z, y: 1.0),
          "notebook 02, section 3: z_bar comes before the weights",
          "Your gradients are those of a neuron without tanh.",
          "On its way to the weights the gradient passes the tanh, and is multiplied by the slope there."),
    wrong("tanh-slope-without-square", neuron_with(lambda z, y: 1 - y),
          "notebook 02, section 6, the two curved operations",
          "The slope you used is 1 - y.",
          "For large negative z the output is -1 and tanh is flat, so the slope must vanish there as well; yours "
          "would be 2."),
    wrong("logistic-slope", neuron_with(lambda z, y: y * (1 - y)),
          "notebook 02, section 3 has the logistic function, section 6 has tanh",
          "The slope you used, y (1 - y), belongs to the logistic function.",
          "This neuron squashes with tanh, which runs from -1 to 1 and has another slope."),
    wrong("weights-and-inputs-exchanged", neuron_with(true_slope, w_gets="w", x_gets="x"),
          "notebook 02, section 3: what a weight's gradient says",
          "The weights got what belongs to the inputs, and the other way round up to the order.",
          "w and x meet in a product, and a product hands to each of them the other one."),
    wrong("bias-times-bias", neuron_with(true_slope, b_factor=lambda b: b), "notebook 02, section 2: a sum distributes",
          "The gradient of the bias is multiplied by the bias.",
          "The bias enters through a sum, and a sum passes the gradient on unchanged."),
    wrong("ignores-upstream", neuron_with(true_slope, upstream=lambda g: 1.0),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "Your numbers are right when y_bar is 1 and wrong otherwise.",
          "What comes after the neuron reports how much it cares about y. That number multiplies everything "
          "upstream of it."),
    wrong("bias-gets-no-gradient", neuron_with(true_slope, b_factor=lambda b: 0.0),
          "notebook 02, section 3: the neuron's drawing",
          "The gradient of the bias is zero.",
          "The bias is a constant of the data, but not of the neuron: nudge it, and y moves."),
    wrong("tanh-of-the-product-only", without_bias,
          "notebook 02, section 3: the neuron's drawing",
          "The slope of tanh was taken as if the bias were 0.",
          "The bias shifts the place on the curve at which all gradients are taken."),
    wrong("slope-on-one-weight-only", slope_for_the_first,
          "notebook 02, section 3: z_bar comes before the weights",
          "The second weight and the second input got no slope of tanh.",
          "All four reach y through the same sum and the same tanh, so all four share what comes back from there."),
    wrong("other-place-exchanged", crosswise, "notebook 02, section 2: a product swaps",
          "Each weight got the input of the other weight.",
          "w[0] meets x[0], and no other input, in a product."),
    wrong("tanh-by-growing-powers", tanh_by_growing_powers,
          "notebook 02, section 6, the two curved operations",
          "Far beyond the ends of tanh an error is raised.",
          "e**z and cosh(z) outgrow every float when z is large. tanh itself stays between -1 and 1."),
    wrong("flat-too-soon", neuron_with(cut_beyond(4, lambda z: 0.0)),
          "notebook 02, section 6, the two curved operations",
          "Where tanh is nearly flat you let nothing through.",
          "tanh becomes flatter and flatter, and nowhere all at once. What is small may be multiplied by much."),
    wrong("never-quite-flat", neuron_with(lambda z, y: max(1 - y * y, 1e-6)),
          "notebook 02, section 6, the two curved operations",
          "Where tanh is flat you let something through.",
          "A bound that keeps the slope from vanishing makes another function of it."),
    wrong("equal-lists-like-a-square", equal_lists_like_a_square,
          "notebook 02, section 5: what is the gradient of x * x?",
          "Where weights and inputs hold the same numbers, their gradients are twice too large.",
          "Two lists that happen to be equal are still two lists, and each entry is used once."),
    wrong("output-times-input", lambda w, x, b, y_bar: neuron_with(lambda z, y: y)(w, x, b, y_bar),
          "notebook 02, section 6, the two curved operations",
          "The slope you used for tanh is its value.",
          "A local derivative says how fast the output moves, not how large it is. Where the output is nearly 1, it"
          " hardly moves."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.3",
    title="A neuron with two weights",
    function="neuron_gradients",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 02, section 3",
    reference=neuron_gradients,
    domain={"w": Array("2", all_zero=True), "x": Array("2", all_zero=True), "b": Number(), "y_bar": Number()},
    meets={
        "the neuron is in the middle of its tanh": at_the_middle,
        "it is near the upper end": lambda w, x, b: 1.5 < np.dot(w, x) + b < 4,
        "it is near the lower end": lambda w, x, b: -4 < np.dot(w, x) + b < -1.5,
        "tanh is nearly flat": lambda w, x, b: 7 < np.dot(w, x) + b < 10,
        "tanh is nearly flat on the other side": lambda w, x, b: -5 < np.dot(w, x) + b < -4,
        "it is near the middle": lambda w, x, b: 0.01 < np.dot(w, x) + b < 0.05,
        "much arrives where tanh is flat": lambda w, x, b, y_bar: np.dot(w, x) + b > 800 and abs(y_bar) > 1e6,
        "it is far beyond the upper end": lambda w, x, b: 800 < np.dot(w, x) + b < 1000,
        "it is far beyond the lower end": lambda w, x, b: -1000 < np.dot(w, x) + b < -800,
        "the inputs equal the weights": lambda w, x: w == x,
    },
    always={"the sum inside tanh is at most 1000 in size": lambda w, x, b: abs(np.dot(w, x) + b) <= 1000},
    visible=[
        case([0.5, -1.2], [1.5, 0.4], 0.3, 1.0),
        case([-0.8, 0.7], [0.6, -1.1], 0.25, -2.0),
        case([1.1, 0.9], [-0.7, 1.3], -0.9, 0.5),
        case([0.6, 1.4], [0.9, 0.35], -0.45, 3.0),
        *neuron_edges(_draw),
    ],
    hidden=neuron_cases,
    accepted=[neuron_numpy, neuron_exponentials, neuron_engine, neuron_complex_step, neuron_float32],
    equivalent_mutants={"squeezes": "there are always two weights and two inputs"},
    bank=BANK,
    hints=(
        "First run the neuron forward and keep y. The backward pass starts with y_bar and meets the tanh first.",
        "Call delta = y_bar times the slope of tanh, written with y. Everything else is delta times a local "
        "derivative of a product or a sum.",
        "Each weight gets delta times its own input, each input gets delta times its own weight, and the bias "
        "gets delta.",
    ),
)
