"""03.2 The gradient of the six points."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients as routes
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers, sigmoid


def neuron_gradient(w, X, t):
    y = sigmoid(X @ w)
    delta = 2 * (y - t) * y * (1 - y)
    return delta @ X / len(t)


def neuron_by_loops(w, X, t):
    grad = [0.0] * len(w)
    for x, target in zip(X, t, strict=True):
        y = 1 / (1 + math.exp(-sum(a * b for a, b in zip(w, x, strict=True))))
        for i, x_i in enumerate(x):
            grad[i] += 2 * (y - target) * y * (1 - y) * x_i / len(t)
    return grad


def neuron_by_mean(w, X, t):
    y = 0.5 * (1 + np.tanh(X @ w / 2))
    return np.mean((2 * (y - t) * (y - y**2))[:, None] * X, axis=0)


def neuron_by_reverse(w, X, t):
    return routes.reverse(lambda v: np.mean((1 / (1 + np.exp(-(X @ v))) - t) ** 2))(w)


def neuron_by_complex_step(w, X, t):
    def loss(v):
        return np.mean((1 / (1 + np.exp(-(X @ v))) - t) ** 2)

    return [loss(w + 1e-20j * row).imag / 1e-20 for row in np.eye(len(w))]


def neuron_einsum(w, X, t):
    y = sigmoid(np.einsum("ni,i->n", X, w))
    return np.einsum("n,n,ni->i", y - t, y * (1 - y), X) * (2 / X.shape[0])


def neuron_by_matrix(w, X, t):
    z = np.matmul(X, w.reshape(-1, 1))
    y = np.exp(-np.logaddexp(0, -z))
    return (X.T @ ((y - t[:, None]) * y * (1 - y)) * 2 / len(X)).ravel()


def neuron_wrong(slope=None, *, factor=2.0, sign=1.0, mean=True):
    def answer(w, X, t):
        z = X @ w
        y = sigmoid(z)
        rate = y * (1 - y) if slope is None else slope(z, y)
        grad = sign * factor * ((y - t) * rate) @ X
        return grad / len(t) if mean else grad

    return answer


def last_example_only(w, X, t):
    return neuron_gradient(w, X[-1:], t[-1:])


def averages_first(w, X, t):
    y = sigmoid(X @ w)
    return np.mean(2 * (y - t) * y * (1 - y)) * np.mean(X, axis=0)


def cut_beyond(size):
    return lambda z, y: np.where(np.abs(z) < size, y * (1 - y), 0.0)


def labelled(rng, n, d):
    targets = rng.integers(0, 2, n).astype(float)
    targets[:2] = 1.0, 0.0
    return numbers(rng, d, 0.3, 1.5), numbers(rng, (n, d), 0.2, 1.5), targets


def shaded(rng, n, d):
    """As ``labelled``, with targets between the two classes."""
    w, X, targets = labelled(rng, n, d)
    targets[1:] = rng.uniform(0.1, 0.9, n - 1).round(2)
    return w, X, targets


def saturated(rng, d):
    """Two examples whose sigmoid is 1 and 0 to the last digit, and one between them."""
    w = numbers(rng, d, 0.8, 1.5)
    X = numbers(rng, (3, d), 0.2, 0.7)
    far = rng.uniform(38, 44, 2) * [1, -1]
    X[1:] += np.outer(far - X[1:] @ w, w) / (w @ w)
    return w, X.round(2)


def nearly_saturated(rng, d):
    """Two examples whose sigmoid is nearly 1 and nearly 0, and quite wrong; they are long, so that they count."""
    w = numbers(rng, d, 0.8, 1.5)
    X = numbers(rng, (3, d), 0.2, 0.7)
    along = w / (w @ w)
    X[1:] = 9 * numbers(rng, (2, d))
    X[1:] += np.outer(rng.uniform(12.2, 13.0, 2) * [1, -1] - X[1:] @ w, along)
    return w, X.round(4), np.array([0.7, 0.0, 1.0])


POINTS = np.array([[0.9, 0.3], [0.5, 0.3], [0.2, 0.1], [0.7, 0.5], [0.1, 0.8], [0.1, 0.9]])

TARGETS = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])

MORE = np.array([[0.5, -1.2, 0.8], [1.4, 0.3, -0.6], [-0.9, 0.7, 1.1], [0.4, 1.3, -0.5]])

BANK = [
    wrong("sums-over-examples", neuron_wrong(mean=False),
          "notebook 03, section 1: the share of each example in the loss",
          "Your gradient is n times too long, n being the number of examples.",
          "The loss is a mean, so every example has only a share of 1/n in it."),
    wrong("forgets-the-sigmoid", neuron_wrong(lambda z, y: 1.0),
          "notebook 03, section 1: what the sigmoid multiplies by",
          "The slope of the sigmoid is missing.",
          "Between the output and the weights there is a squashing. On the way back it multiplies by its slope."),
    wrong("slope-at-the-pre-activation", neuron_wrong(lambda z, y: z * (1 - z)),
          "chapter 02, section 3, 'A neuron, by hand'",
          "You put the pre-activation where the output belongs.",
          "The short form of the sigmoid's slope is written in terms of its output y, not of its input z."),
    wrong("slope-of-tanh", neuron_wrong(lambda z, y: 1 - y**2), "chapter 02, section 3, 'A neuron, by hand'",
          "You used 1 - y**2, which is the slope of tanh.",
          "Every squashing function has a slope of its own, and this neuron has the logistic one."),
    wrong("forgets-the-two", neuron_wrong(factor=1.0), "notebook 03, section 1: what the square gives",
          "Every number is half of what it should be.",
          "The square has no factor 1/2 in front here, so its derivative keeps the 2."),
    wrong("target-minus-output", neuron_wrong(sign=-1.0), "notebook 03, section 1: (y - t), in this order",
          "Every sign is the wrong way round.",
          "You gave the direction that helps. The gradient is the direction in which the loss rises."),
    wrong("last-example-only", last_example_only,
          "notebook 03, section 1: the examples share the weights, so their reports add up",
          "Your gradient is that of the last example alone.",
          "Every round of the loop overwrote what the earlier examples had reported."),
    wrong("first-example-only", lambda w, X, t: neuron_gradient(w, X[:1], t[:1]),
          "notebook 03, section 1: the examples share the weights, so their reports add up",
          "Your gradient is that of the first example alone.",
          "Does your function return inside the loop? The other examples have not reported yet."),
    wrong("averages-before-multiplying", averages_first,
          "notebook 03, section 1: the examples share the weights, so their reports add up",
          "You multiplied the mean of the errors with the mean of the inputs.",
          "Each error belongs to its own example. Multiply first, and average then."),
    wrong("mean-over-the-weights", lambda w, X, t: neuron_gradient(w, X, t) * len(t) / len(w),
          "notebook 03, section 1: the share of each example in the loss",
          "You divided by the number of weights, not by that of the examples.",
          "The mean in the loss is taken over the examples, which are the rows of X."),
    wrong("slope-of-the-slope", neuron_wrong(lambda z, y: sigmoid(y) * (1 - sigmoid(y))),
          "chapter 02, section 3, 'A neuron, by hand'",
          "The sigmoid was applied once more to the output, and the slope taken there.",
          "y is the sigmoid of z already, and its slope is written in terms of y itself."),
    wrong("flat-too-soon", neuron_wrong(cut_beyond(8)), "notebook 03, section 1: what the sigmoid multiplies by",
          "Where the sigmoid is nearly flat you let nothing through.",
          "It becomes flatter and flatter, and nowhere all at once. A long x makes much of a small slope."),
    wrong("targets-as-classes", lambda w, X, t: neuron_gradient(w, X, np.round(t)),
          "notebook 03, section 1, and the docstring of the exercise: what are the targets?",
          "Targets between 0 and 1 were taken for the nearer of the two.",
          "A target may be any number from 0 to 1, and the error is measured from there."),
    wrong("cross-entropy-instead", lambda w, X, t: (sigmoid(X @ w) - t) @ X / len(t),
          "notebook 03, section 9, 'The same race on another loss'",
          "This is the gradient of the cross-entropy.",
          "There the slope of the sigmoid cancels. Here the loss is the mean squared error."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.2",
    title="The gradient of the six points",
    function="neuron_gradient",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 03, section 1, the backward pass by hand",
    reference=neuron_gradient,
    integers=True,
    domain={"w": Array("d", all_zero=True), "X": Array("n d"), "t": Array("n", at_least=0, at_most=1)},
    meets={
        "a target lies between 0 and 1": lambda t: ((t > 0) & (t < 1)).any(),
        "outputs are nearly 1 and nearly 0": lambda w, X: 12 < (X @ w).max() < 14 and -14 < (X @ w).min() < -12,
        "outputs are 1 and 0 to the last digit": lambda w, X: (X @ w).max() > 37 and (X @ w).min() < -37,
    },
    always={"w · x is at most 50 in size": lambda w, X: np.abs(X @ w).max() <= 50},
    visible=[
        case(np.array([-4.0, -4.0]), POINTS, TARGETS),
        case(np.array([1.0, -2.0]), POINTS, TARGETS),
        case(np.array([0.7, -0.4, 1.2]), MORE, np.array([1.0, 0.3, 0.85, 0.0])),
        case(*saturated(np.random.default_rng(32), 2), np.array([0.4, 0.0, 1.0])),
        case(*nearly_saturated(np.random.default_rng(33), 2)),
    ],
    hidden=lambda rng: [
        *(case(*labelled(rng, n, d)) for n, d in ((3, 2), (5, 3))),
        *(case(*shaded(rng, n, d)) for n, d in ((4, 2), (7, 4))),
        case(*saturated(rng, 3), np.array([0.6, 0.0, 1.0])),
        case(*nearly_saturated(rng, 3)),
    ],
    accepted=[
        neuron_by_loops,
        neuron_by_mean,
        neuron_by_reverse,
        neuron_by_complex_step,
        neuron_einsum,
        neuron_by_matrix,
    ],
    bank=BANK,
    hints=(
        "Go back through three things: the square, the sigmoid, the product with x. Each multiplies by its slope.",
        "For one example: twice (y - t), times the slope of the sigmoid in terms of y, times x.",
        "Collect that for all rows of X (a product with X does it) and divide by how many there are.",
    ),
)
