"""03.3 The gradient of a mini-batch."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients as routes
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e02_neuron_gradient import MORE, POINTS, TARGETS, labelled, neuron_gradient, saturated
from .shared import sigmoid


def batch_gradient(w, X, t, rows):
    x = X[rows]
    delta = sigmoid(x @ w) - t[rows]
    return delta @ x / len(rows)


def batch_in_a_loop(w, X, t, rows):
    total = np.zeros(len(w))
    for row in rows:
        total = total + (sigmoid(X[row] @ w) - t[row]) * X[row]
    return total / len(rows)


def batch_by_mean(w, X, t, rows):
    y = 0.5 * (1 + np.tanh(X @ w / 2))
    return np.mean([(y[row] - t[row]) * X[row] for row in rows], axis=0)


def batch_by_counts(w, X, t, rows):
    share = np.bincount(rows, minlength=len(t)) / len(rows)
    return X.T @ (share * (sigmoid(X @ w) - t))


def batch_by_reverse(w, X, t, rows):
    def loss(v):
        z = X[rows] @ v
        return np.mean(np.logaddexp(0, z) - t[rows] * z)

    return routes.reverse(loss)(w)


def batch_by_mask(w, X, t, rows):
    inside = np.isin(np.arange(len(t)), rows)
    return np.average((sigmoid(X @ w) - t)[:, None] * X, axis=0, weights=inside)


def batch_plain_python(w, X, t, rows):
    grad = [0.0 for _ in w]
    for row in rows:
        z = sum(float(a) * float(b) for a, b in zip(w, X[row], strict=True))
        error = 1 / (1 + math.exp(-z)) - float(t[row])
        grad = [g + error * float(x) / len(rows) for g, x in zip(grad, X[row], strict=True)]
    return tuple(grad)


def keeps_the_slope(w, X, t, rows):
    y = sigmoid(X[rows] @ w)
    return ((y - t[rows]) * y * (1 - y)) @ X[rows] / len(rows)


def cuts_the_logarithm_off(w, X, t, rows):
    y = sigmoid(X[rows] @ w)
    slope = (1 - t[rows]) / np.maximum(1 - y, 1e-12) - t[rows] / np.maximum(y, 1e-12)
    return (slope * y * (1 - y)) @ X[rows] / len(rows)


def leaves_the_batch_out(w, X, t, rows):
    others = np.setdiff1d(np.arange(len(t)), rows)
    return batch_gradient(w, X, t, others) if len(others) else np.zeros(len(w))


def batch_edges(rng):
    """All examples, the first one alone, the last one alone, a set of one example; outputs that are quite wrong."""
    w, X, t = labelled(rng, 4, 3)
    whole = case(w, X, t, np.array([2, 0, 3, 1]))
    w, X, t = labelled(rng, 5, 2)
    first = case(w, X, 1 - t, np.array([0]))
    w, X, t = labelled(rng, 5, 2)
    last = case(w, X, np.ones(5), np.array([4]))
    w, X, t = labelled(rng, 2, 3)
    one = case(w, X[:1], t[1:], np.array([0]))
    w, X, t = labelled(rng, 5, 2)
    kinds = [case(w, X, t.astype(int), rng.permutation(5)[:3])]
    kinds.append(case(np.array([1, -1]), np.sign(X).astype(int) + 2, t.astype(int), rng.permutation(5)[:4]))
    return [whole, first, last, one, *kinds, case(*saturated(rng, 2), np.array([1.0, 0.0, 1.0]), np.array([2, 1]))]


def batch_cases(rng):
    found = batch_edges(rng)
    for n, d, size in ((6, 2, 3), (8, 2, 5), (7, 4, 3)):
        found.append(case(*labelled(rng, n, d), rng.permutation(n)[:size]))
    return found


def errors_like_the_targets(w, X, t, rows):
    errors = np.zeros_like(t[rows])
    errors[:] = sigmoid(X[rows] @ w) - t[rows]
    return errors @ X[rows] / len(rows)


BANK = [
    wrong("whole-numbers-stay-whole", errors_like_the_targets, "the docstring of the exercise: what is returned?",
          "Where the targets are of an integer kind, your errors are whole numbers.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("sum-of-the-batch", lambda w, X, t, rows: batch_gradient(w, X, t, rows) * len(rows),
          "notebook 03, section 10: the mean over the batch",
          "Your gradient is as many times too long as the batch has examples.",
          "With a sum, a larger batch makes longer steps, and eta would have to change with the batch size."),
    wrong("divides-by-all-examples", lambda w, X, t, rows: batch_gradient(w, X, t, rows) * len(rows) / len(t),
          "notebook 03, section 10: the mean over the batch",
          "You divided by the number of all examples, not by the size of the batch.",
          "The batch stands for the whole set: its mean estimates the mean over all examples."),
    wrong("last-of-the-batch", lambda w, X, t, rows: batch_gradient(w, X, t, rows[-1:]),
          "notebook 03, section 10: the mean over the batch",
          "Your gradient is that of the last example of the batch alone.",
          "Every round of the loop overwrote what the earlier examples had reported."),
    wrong("ignores-the-rows", lambda w, X, t, rows: batch_gradient(w, X, t, np.arange(len(t))),
          "notebook 03, section 10: why small batches pay",
          "You used all examples, whatever the rows say.",
          "Then every step would cost a look at the whole data set; a batch is meant to save that."),
    wrong("first-rows-instead", lambda w, X, t, rows: batch_gradient(w, X, t, np.arange(len(rows))),
          "the docstring of the exercise",
          "Your batch has the right size and holds the first examples of the set.",
          "The rows say which examples are in the batch, not only how many."),
    wrong("targets-not-picked", lambda w, X, t, rows: (sigmoid(X[rows] @ w) - t[: len(rows)]) @ X[rows] / len(rows),
          "the docstring of the exercise",
          "Inputs and targets belong to different examples.",
          "You picked the rows of X, but took the targets from the beginning."),
    wrong("keeps-the-slope", keeps_the_slope, "notebook 03, section 9, 'The same race on another loss'",
          "The slope of the sigmoid is still there.",
          "With cross-entropy it cancels against the slope of the logarithm. That is why this loss was chosen."),
    wrong("leaves-the-batch-out", leaves_the_batch_out, "the docstring of the exercise",
          "Your gradient is that of the examples which are not in the batch.",
          "The rows name the examples to look at, not those to leave out."),
    wrong("counts-rows-from-one", lambda w, X, t, rows: batch_gradient(w, X, t, rows - 1),
          "the docstring of the exercise",
          "Your batch holds the example in front of each that is asked for.",
          "Row 0 is the first one, as everywhere in NumPy."),
    wrong("mean-over-the-weights", lambda w, X, t, rows: batch_gradient(w, X, t, rows) * len(rows) / len(w),
          "notebook 03, section 10: the mean over the batch",
          "You divided by the number of weights, not by the size of the batch.",
          "The mean is taken over the examples in the batch, one for each of the rows."),
    wrong("squared-error-instead", lambda w, X, t, rows: neuron_gradient(w, X[rows], t[rows]),
          "notebook 03, section 9, 'The same race on another loss'",
          "This is the gradient of the mean squared error.",
          "With cross-entropy the slope of the sigmoid cancels, and there is no 2."),
    wrong("logarithm-cut-off", cuts_the_logarithm_off, "notebook 03, section 9: (y - t), in this order",
          "Where an output is quite wrong, your gradient is nearly zero; everywhere else it is right.",
          "A number added or a bound set to save the logarithm kills its slope, just where it is needed most."),
    wrong("target-minus-output", lambda w, X, t, rows: -batch_gradient(w, X, t, rows),
          "notebook 03, section 9: (y - t), in this order",
          "Every sign is the wrong way round.",
          "You gave the direction that helps. The gradient is the direction in which the loss rises."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.3",
    title="The gradient of a mini-batch",
    function="batch_gradient",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 03, section 10, 'All examples, some, or one'",
    reference=batch_gradient,
    integers=True,
    domain={
        "w": Array("d", all_zero=True),
        "X": Array("n d"),
        "t": Array("n", at_least=0, at_most=1, whole=True, order="free"),
        "rows": Array("b", at_least=0, whole=True, order="free"),
    },
    meets={
        "all examples are in the batch": lambda t, rows: len(t) > 1 and len(rows) == len(t),
        "the last example is in the batch": lambda t, rows: len(t) - 1 in rows,
        "the rows do not rise": lambda rows: (np.diff(rows) < 0).any(),
        "there is one example": lambda t: len(t) == 1,
        "the targets are of an integer kind": lambda X, t: t.dtype.kind == "i" != X.dtype.kind,
        "all arrays are of an integer kind": lambda w, X, t: w.dtype.kind == X.dtype.kind == t.dtype.kind == "i",
        "all targets are 1": lambda t: len(t) > 1 and t.all(),
        "outputs are quite wrong": lambda w, X, t, rows: ((1 - 2 * t[rows]) * (X[rows] @ w)).min() > 37,
    },
    always={"w · x is at most 50 in size": lambda w, X: np.abs(X @ w).max() <= 50},
    visible=[
        case(np.array([0.5, -1.0]), POINTS, TARGETS, np.array([4, 0, 3])),
        case(np.array([-1.5, 0.8]), POINTS, TARGETS, np.array([5, 2])),
        case(np.array([0.7, -0.4, 1.2]), MORE, np.array([1.0, 0.0, 0.0, 1.0]), np.array([3, 1, 0])),
        *batch_edges(np.random.default_rng(33)),
    ],
    hidden=batch_cases,
    accepted=[batch_in_a_loop, batch_by_mean, batch_by_counts, batch_by_reverse, batch_by_mask, batch_plain_python],
    bank=BANK,
    hints=(
        "First make a small data set: the rows of X, and the targets that belong to them.",
        "With cross-entropy, an example's gradient is its error y - t times its x.",
        "The batch's gradient is the mean of these over the batch: divide by the number of rows in it.",
    ),
)
