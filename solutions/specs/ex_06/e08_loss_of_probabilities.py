"""06.8 No second softmax for patient B."""

from __future__ import annotations

import numpy as np

from coursepkg.gradients import reverse
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import spread


def loss_of_probabilities(P, labels):
    rows = np.arange(len(P))
    chosen = P[rows, labels]
    P_bar = np.zeros(P.shape)
    P_bar[rows, labels] = -1 / (len(P) * chosen)
    return {"loss": -np.mean(np.log(chosen)), "P_bar": P_bar}


def loss_by_one_hot(P, labels):
    T = np.eye(P.shape[1])[labels]
    chosen = np.sum(T * P, axis=1, keepdims=True)
    return {"loss": -np.sum(np.log(chosen)) / len(P), "P_bar": -T / chosen / len(P)}


def loss_by_loops(P, labels):
    n, loss = len(P), 0.0
    bars = [[0.0] * len(row) for row in P]
    for i, label in enumerate(labels):
        loss -= float(np.log(P[i][label])) / n
        bars[i][label] = -1.0 / P[i][label] / n
    return {"loss": loss, "P_bar": bars}


def loss_by_engine(P, labels):
    def f(Q):
        return -np.mean(np.log(np.take_along_axis(Q, labels[:, None], axis=1)))

    return {"loss": f(P), "P_bar": reverse(f)(P)}


def loss_by_where(P, labels):
    chosen = np.take_along_axis(P, labels[:, None], axis=1)
    loss = np.log(1 / chosen).sum() / len(P)
    return {"loss": loss, "P_bar": np.where(np.arange(P.shape[1]) == labels[:, None], -1 / (len(P) * chosen), 0.0)}


def logarithm_of_the_product(P, labels):
    with np.errstate(divide="ignore"):
        loss = -np.log(np.prod(P[np.arange(len(P)), labels])) / len(P)
    return loss_of_probabilities(P, labels) | {"loss": loss}


def loss_in_float32(P, labels):
    return {name: np.float32(value) for name, value in loss_of_probabilities(P, labels).items()}


def _softmax(Z, axis=1):
    e = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_again(P, labels):
    Q, T = _softmax(P), np.eye(P.shape[1])[labels]
    return {"loss": -np.mean(np.log(np.sum(T * Q, axis=1))), "P_bar": (Q - T) / len(P)}


def probabilities_with(*, loss=lambda P, T: -np.log(np.sum(T * P, axis=1)), bar=lambda P, T: -T / P, scale=None):
    def answer(P, labels):
        T = np.eye(P.shape[1])[labels]
        per_example = loss(P, T)
        total = np.sum(per_example) if scale == "sum" else np.mean(per_example)
        return {"loss": total, "P_bar": bar(P, T) / (1 if scale else len(P))}

    return answer


def zero_times_infinity(P, labels):
    """Right as long as no probability is 0: the logarithm is taken of all of them."""
    T = np.eye(P.shape[1])[labels]
    with np.errstate(all="ignore"):
        return {"loss": -np.sum(T * np.log(P)) / len(P), "P_bar": -T / P / len(P)}


def cut_at(floor):
    return lambda P, labels: loss_of_probabilities(np.maximum(P, floor), labels)


def yes_or_no_for_each_class(P, labels):
    T = np.eye(P.shape[1])[labels]
    right, no = np.sum(T * P, axis=1), np.where(T == 1, 1.0, 1 - P)
    with np.errstate(all="ignore"):
        bar = np.where(T == 1, -1 / P, 1 / no)
        return {"loss": -np.mean(np.log(right) + np.sum(np.log(no), axis=1)), "P_bar": bar / len(P)}


def probability_case(rng, n, classes):
    scores = spread(rng, n, classes, low=0.2, high=1.2)
    labels = rng.integers(0, classes, n)
    return case(np.round(_softmax(scores), 3), labels)


def probability_edges(rng):
    """Wrong classes of probability 0, a right one of 1, first and last class, one example, one class."""
    P = np.array([[0.0, 0.55, 0.0, 0.45], [0.0, 0.0, 1.0, 0.0], [0.2, 0.0, 0.15, 0.65], [0.3, 0.4, 0.3, 0.0]])
    one = np.round(_softmax(spread(rng, 1, 3)), 3)
    unsure = np.array([[1e-36, 0.9, 0.1], [0.996, 0.003, 0.001], [0.99999, 4e-6, 6e-6]])
    lost = np.where(np.arange(2) == 0, rng.uniform(1e-32, 9e-32, (11, 1)), 1.0)
    return [
        case(P, np.array([3, 2, 3, 0])),
        case(lost, np.zeros(11, dtype=int)),
        case(P[::-1, ::-1].copy(), np.array([2, 0, 1, 2])),
        case(one, np.array([1])),
        case(unsure, np.array([0, 2, 1])),
        case(np.ones((2, 1)), np.array([0, 0])),
    ]


_draw = np.random.default_rng(68)

BANK = [
    wrong("softmax-twice", softmax_again, "'7 · Five patients'",
          "A softmax was taken of numbers that are probabilities already.",
          "This is patient B: the loss for logits expects scores before the softmax, and these come after it."),
    wrong("gradient-at-the-logits", probabilities_with(bar=lambda P, T: P - T), "'What should the first loss be?'",
          "The loss is right; the gradient is predicted minus true.",
          "That short formula is the gradient one step further back, at the logits."),
    wrong("sum-for-mean", probabilities_with(scale="sum"), "'What should the first loss be?'",
          "Loss and gradient are n times too large.",
          "The loss is the mean over the examples."),
    wrong("gradient-of-the-sum", probabilities_with(scale="gradient"), "'2 · The loop learns XOR'",
          "The loss is right; the gradient is n times too large.",
          "The mean in the loss divides the gradient as well."),
    wrong("others-pay-too", probabilities_with(bar=lambda P, T: -T / P + (1 - T) / (1 - P)),
          "'What should the first loss be?'",
          "The loss is right; the gradient is not zero at the wrong classes.",
          "The loss only looks at the probability of the right class. Others matter through the softmax before."),
    wrong("minus-the-gradient", probabilities_with(bar=lambda P, T: T / P), "'What should the first loss be?'",
          "The loss is right; the gradient has the opposite sign.",
          "More probability for the right class lowers the loss."),
    wrong("slope-without-the-logarithm", probabilities_with(bar=lambda P, T: -T), "'What should the first loss be?'",
          "The loss is right; the gradient is the same for sure and for unsure answers.",
          "The slope of a logarithm is one over its argument: a small probability is felt much more."),
    wrong("one-minus-probability", probabilities_with(loss=lambda P, T: 1 - np.sum(T * P, axis=1), bar=lambda P, T: -T),
          "'What should the first loss be?'",
          "The loss counts missing probability instead of its logarithm.",
          "Cross-entropy is minus the logarithm of the probability of what was true."),
    wrong("all-classes-in-the-loss",
          probabilities_with(loss=lambda P, T: -np.sum(np.log(P), axis=1), bar=lambda P, T: -1 / P),
          "'What should the first loss be?'",
          "Every class is treated as if it were the right one.",
          "Of each row only the entry of its label counts."),
    wrong("zero-times-infinity", zero_times_infinity, "the docstring of the exercise",
          "Right as long as no probability is 0; otherwise nan.",
          "You took the logarithm of every entry, and zero times minus infinity is no number. Pick first."),
    wrong("logarithm-of-the-product", logarithm_of_the_product, "'What should the first loss be?'",
          "The gradient is right; the loss is infinite where many examples, or few and unlikely ones, come together.",
          "A product of small numbers soon is smaller than any float. A sum of their logarithms is not."),
    wrong("cuts-tiny-probabilities", cut_at(1e-30), "the docstring of the exercise",
          "Right unless the right class has a probability below 1e-30; there the loss is too low.",
          "However low a floor is, it changes what lies below it, and the zero that it should catch cannot occur."),
    wrong("cuts-small-probabilities", cut_at(1e-12), "the docstring of the exercise",
          "Right unless the right class has next to no probability; there the loss is too low.",
          "A floor under the probabilities keeps the logarithm from a zero that cannot occur, and changes small ones."),
    wrong("most-probable-class", lambda P, labels: loss_of_probabilities(P, np.argmax(P, axis=1)),
          "the docstring of the exercise",
          "The loss looks at the largest probability of each row, whatever the label says.",
          "What the network holds most probable is its answer; what is true stands in the labels."),
    wrong("labels-counted-from-one", lambda P, labels: loss_of_probabilities(P, labels - 1),
          "the docstring of the exercise",
          "Each row was read one class too far to the left.",
          "Labels are counted from 0, as the columns are."),
    wrong("mean-over-all-entries", lambda P, labels: {
              name: value / P.shape[1] for name, value in loss_of_probabilities(P, labels).items()
          }, "'What should the first loss be?'",
          "Loss and gradient are too small by the number of classes.",
          "The mean goes over examples. Each example has one right class, whatever the number of the others."),
    wrong("yes-or-no-for-each-class", yes_or_no_for_each_class, "'What should the first loss be?'",
          "The loss also holds the logarithms of one minus the other probabilities.",
          "That is the loss of several yes-or-no questions. Here there is one question with several answers."),
    wrong("slope-of-the-mean-probability", lambda P, labels: {
              "loss": -np.log(np.mean(P[np.arange(len(P)), labels])),
              "P_bar": -np.eye(P.shape[1])[labels] / np.sum(P[np.arange(len(P)), labels]),
          }, "'What should the first loss be?'",
          "You took the mean of the probabilities first, and its logarithm then.",
          "Each example has a loss of its own, and the mean is taken of these."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.8",
    title="No second softmax for patient B",
    function="loss_of_probabilities",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 06, '7 · Five patients'",
    reference=loss_of_probabilities,
    domain={"P": Array("n k", at_least=0, at_most=1), "labels": Array("n", whole=True, at_least=0)},
    always={
        "the right class has a probability of at least 1e-36": lambda P, labels: (
            labels.max() < P.shape[1] and P[np.arange(len(P)), labels].min() >= 1e-36
        ),
    },
    meets={
        "the right class has a small probability": lambda P, labels: (
            (P[np.arange(len(P)), labels] < 1e-4) & (P[np.arange(len(P)), labels] > 1e-7)
        ).any(),
        "the right class has hardly any probability": lambda P, labels: (P[np.arange(len(P)), labels] < 1e-35).any(),
        "the product of the right classes' probabilities is no float": lambda P, labels: (
            np.log10(P[np.arange(len(P)), labels]).sum() < -330
        ),
        "the right class has probability 1": lambda P, labels: (P[np.arange(len(P)), labels] == 1).any(),
        "the right class is the last": lambda P, labels: (labels == P.shape[1] - 1).any(),
        "all examples are of one class": lambda labels: len(labels) > 1 and len(set(labels.tolist())) == 1,
    },
    visible=[
        probability_case(_draw, 4, 3),
        probability_case(_draw, 3, 5),
        probability_case(_draw, 6, 4),
        *probability_edges(_draw),
    ],
    hidden=lambda rng: [
        probability_case(rng, 5, 3),
        probability_case(rng, 3, 4),
        probability_case(rng, 7, 5),
        *probability_edges(rng),
        probability_case(rng, 130, 2),
    ],
    accepted=[loss_by_one_hot, loss_by_loops, loss_by_engine, loss_by_where, loss_in_float32],
    bank=BANK,
    hints=(
        "The rows of P are probabilities. Which one number of each row does the loss look at?",
        "The loss is minus the mean of the logarithms of these numbers. All other entries have a gradient of zero.",
        "P[np.arange(n), labels] picks them. The slope of -ln(p) is -1/p, and the mean divides by n.",
    ),
    equivalent_mutants={
        "gives the neighbour's value where an entry of P is 0, the least allowed": "the loss does not depend on the "
        "probabilities of wrong classes, and that of the right one is never 0",
    },
    credit={"loss": 1, "P_bar": 2},
)
