"""08.7 A batch that is as noisy."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array, opposed


def equivalent_batch(X, Y, V):
    B = len(X)
    T = np.sum((Y.T @ X) ** 2)
    D = np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))
    sgd = (B * D - T) / (B - 1)
    share = V / (V + sgd)
    return {"sgd": sgd, "share": share, "equivalent": B * sgd / (V + sgd)}


def batch_by_examples(X, Y, V):
    each = [np.outer(y, x) for x, y in zip(X, Y, strict=True)]
    middle = sum(each) / len(each)
    sgd = len(each) / (len(each) - 1) * sum(np.sum((z - middle) ** 2) for z in each)
    return {"sgd": sgd, "share": V / (V + sgd), "equivalent": len(each) * (1 - V / (V + sgd))}


def batch_by_var(X, Y, V):
    each = np.einsum("km,kn->kmn", Y, X)
    sgd = len(X) * each.var(axis=0, ddof=1).sum()
    return {"sgd": sgd, "share": 1 - sgd / (V + sgd), "equivalent": len(X) - len(X) * V / (V + sgd)}


def batch_by_pairs(X, Y, V):
    """Half the mean squared distance of two different examples, times B."""
    each = np.einsum("km,kn->kmn", Y, X).reshape(len(X), -1)
    B = len(each)
    sgd = sum(np.sum((each[i] - each[j]) ** 2) for i in range(B) for j in range(i)) / (B - 1)
    return {"sgd": sgd, "share": V / (sgd + V), "equivalent": B * sgd / (sgd + V)}


def batch_by_grams(X, Y, V):
    both, B = (X @ X.T) * (Y @ Y.T), len(X)
    sgd = (B * np.trace(both) - both.sum()) / (B - 1)
    return {"sgd": np.array(sgd), "share": np.array(V / (V + sgd)), "equivalent": np.array(B * sgd / (V + sgd))}


def batch_float32(X, Y, V):
    return {name: np.float32(value) for name, value in equivalent_batch(X, Y, V).items()}


def batch_with(sgd=None, share=None, equivalent=None):
    def answer(X, Y, V):
        right = equivalent_batch(X, Y, V)
        s = sgd(right["sgd"], len(X), X, Y) if sgd else right["sgd"]
        return {
            "sgd": s,
            "share": share(V, s) if share else V / (V + s),
            "equivalent": equivalent(V, s, len(X)) if equivalent else len(X) * s / (V + s),
        }

    return answer


def second_moment(s, B, X, Y):
    return np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))


def batch_case(rng, B, N, M):
    return case(array(rng, B, N), array(rng, B, M), round(float(rng.uniform(2, 30)), 2))


def batch_edges(rng):
    """Two rows; a sketch without noise; rows that cancel; zeros; examples with one gradient; faint noise."""
    still, zeros, agreeing = batch_case(rng, 4, 3, 2), batch_case(rng, 5, 2, 3), batch_case(rng, 3, 2, 2)
    zeros.args[0][1, 1] = zeros.args[1][0] = 0.0
    for part in agreeing.args[:2]:
        part[0] = np.round(4 * part[0]) / 4 + 0.25  # quarters, so that nothing is rounded
    for k, factor in ((1, 2.0), (2, -0.5)):
        agreeing.args[0][k], agreeing.args[1][k] = agreeing.args[0][0] * factor, agreeing.args[1][0] / factor
    faint = case(
        *(1e-3 * part for part in batch_case(rng, 4, 2, 3).args[:2]), round(float(rng.uniform(1e-11, 9e-11)), 13)
    )
    cancelling = case(*opposed(rng, 2, 1, 2), round(float(rng.uniform(2, 30)), 2))
    return [batch_case(rng, 2, 3, 2), case(*still.args[:2], 0.0), cancelling, zeros, agreeing, faint]


def usual_batches(rng):
    return [batch_case(rng, *shape) for shape in ((6, 3, 2), (5, 2, 4), (4, 4, 4), (4, 2, 1), (6, 3, 2))]


def hidden_batches(rng):
    narrow = ((5, 1, 2), (5, 3, 1), (4, 1, 1))
    alike = (np.repeat(np.round(4 * array(rng, 1, n)) / 4 + 0.125, 3, axis=0) for n in (2, 3))
    return [
        *usual_batches(rng),
        *batch_edges(rng),
        *(batch_case(rng, *shape) for shape in narrow),
        case(*opposed(rng, 1, 1, 1), 1.0),
        case(*opposed(rng, 3, 2, 2), 0.0),
        case(*batch_case(rng, 2, 2, 3).args[:2], 0.0),
        case(*alike, round(float(rng.uniform(2, 30)), 2)),
    ]


BANK = [
    wrong("divided-by-b-not-b-minus-one", batch_with(sgd=lambda s, B, X, Y: s * (B - 1) / B),
          "notebook 08, section 9: the first formula",
          "The variance of the batch is too small by the factor (B - 1) / B.",
          "The mean of the examples was taken from the same batch, which makes them look less spread out."),
    wrong("second-moment", batch_with(sgd=second_moment), "notebook 08, section 9: what does hold",
          "The squared lengths of the examples' gradients were added up without taking off their mean.",
          "Noise is what differs between batches; what all examples have in common does not."),
    wrong("variance-of-the-mean", batch_with(sgd=lambda s, B, X, Y: s / B**2),
          "notebook 08, section 2: sums over the rows",
          "This is the variance of the mean over the examples, not of their sum.",
          "Y^T X adds the examples up; a mean over the batch is inside Y already."),
    wrong("spread-of-one-example", batch_with(sgd=lambda s, B, X, Y: s / B),
          "notebook 08, section 9: the first formula",
          "This is the variance of one example's gradient.",
          "The gradient of the batch is a sum of B of them, and variances of independent things add."),
    wrong("ratio-instead-of-share", batch_with(share=lambda V, s: V / s), "notebook 08, section 9, and the task",
          "The share of the sketch exceeds what a share can be.",
          "A share is a part of the whole, of both kinds of noise together."),
    wrong("share-kept-as-batch", batch_with(equivalent=lambda V, s, B: B * V / (V + s)),
          "notebook 08, section 9: as a batch of",
          "The equivalent batch grows with the noise of the sketch.",
          "More noise is what a smaller batch has."),
    wrong("standard-deviations", batch_with(equivalent=lambda V, s, B: B * math.sqrt(s / (V + s))),
          "notebook 08, section 9",
          "The equivalent batch is too large: a square root was taken.",
          "Variance, not its root, is in proportion to one over the batch size."),
    wrong("share-of-the-batch", batch_with(share=lambda V, s: s / (V + s)), "the task: the sketch's share",
          "The share is that of the batch.",
          "Asked for is how much of the noise the sketch brings in."),
    wrong("ratio-for-the-batch", batch_with(equivalent=lambda V, s, B: B * s / V),
          "notebook 08, section 9: as a batch of",
          "The equivalent batch can exceed the batch that you have.",
          "It was set against the noise of the sketch alone. The noise of the batch is still there."),
    wrong("larger-batch", batch_with(equivalent=lambda V, s, B: B * (V + s) / s),
          "notebook 08, section 9: as a batch of",
          "The equivalent batch is larger than the batch that you have.",
          "A sketch adds noise, and fewer examples are noisier."),
    wrong("whole-examples", batch_with(equivalent=lambda V, s, B: round(B * s / (V + s))), "the docstring: a float",
          "The equivalent batch was rounded.",
          "It is a number to compare by, and no batch to be drawn."),
    wrong("all-pairs-of-rows", batch_with(
              sgd=lambda s, B, X, Y: (B * np.sum(X**2) * np.sum(Y**2) - np.sum((Y.T @ X) ** 2)) / (B - 1)
          ), "notebook 08, section 5: P, T and D",
          "The noise of the batch is far too large: the lengths of all rows were multiplied with each other.",
          "An example's gradient is made of its own two rows."),
    wrong("product-not-squared", batch_with(
              sgd=lambda s, B, X, Y: s + (np.sum((Y.T @ X) ** 2) - np.linalg.norm(Y.T @ X)) / (B - 1)
          ), "notebook 08, section 5: P, T and D",
          "In the noise of the batch, T is the length of the product and not its square.",
          "A variance has the square of the unit of what varies."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.7",
    title="A batch that is as noisy",
    function="equivalent_batch",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 9",
    reference=equivalent_batch,
    domain={"X": Array("B>=2 N"), "Y": Array("B>=2 M"), "V": Number(at_least=0)},
    meets={
        "all examples have the same gradient": lambda X, Y, V: (
            V > 0 and np.ptp(np.einsum("km,kn->kmn", Y, X), axis=0).max() < 1e-12
        ),
        "the product is 0, and its factors are not": lambda X, Y: X.any() and Y.any() and np.abs(Y.T @ X).max() < 1e-12,
    },
    integers=True,
    visible=[*usual_batches(np.random.default_rng(17)), *batch_edges(np.random.default_rng(87))],
    hidden=hidden_batches,
    accepted=[batch_by_examples, batch_by_var, batch_by_pairs, batch_by_grams, batch_float32],
    bank=BANK,
    hints=(
        "First the noise of the batch, from T and D, as in section 9.",
        "Both kinds of noise are independent, so their variances add. Which part of the sum is V?",
        "The variance of a batch's gradient is in proportion to one over its size, so a batch of B' has sgd * B / B'. "
        "Set that equal to V + sgd.",
    ),
    equivalent_mutants={
        "`1` → `-1` #2": "the rows have two axes, so the last one is the one with index 1",
        "`1` → `-1` #3": "the rows have two axes, so the last one is the one with index 1",
    },
)
