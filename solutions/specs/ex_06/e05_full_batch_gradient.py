"""06.5 Many small batches, one gradient."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .shared import spread


def full_batch_gradient(gradients, sizes):
    total = sum(size * np.asarray(gradient) for size, gradient in zip(sizes, gradients, strict=True))
    return total / sum(sizes)


def combined_by_average(gradients, sizes):
    return np.average(np.array(gradients), axis=0, weights=sizes)


def combined_by_running_mean(gradients, sizes):
    mean, seen = np.zeros_like(gradients[0]), 0
    for gradient, size in zip(gradients, sizes, strict=True):
        seen += size
        mean = mean + (gradient - mean) * size / seen
    return mean


def combined_by_repeating(gradients, sizes):
    return np.repeat(np.array(gradients), sizes, axis=0).mean(axis=0)


def combined_by_einsum(gradients, sizes):
    return np.einsum("k,kij->ij", np.array(sizes) / np.sum(sizes), np.array(gradients)).tolist()


def combined_by_shares(gradients, sizes):
    n = sum(sizes)
    return sum((size / n) * gradient for gradient, size in zip(gradients, sizes, strict=True))


def batches_case(rng, shape, sizes):
    return case([spread(rng, *shape) for _ in sizes], list(sizes))


_draw = np.random.default_rng(65)

BANK = [
    wrong("mean-of-means", lambda gradients, sizes: sum(gradients) / len(gradients), "'2 · The loop learns XOR'",
          "Right only if all batches have the same size; here the short batch counts too much.",
          "Each number you were given is a mean already, over a different number of examples."),
    wrong("sum-of-means", lambda gradients, sizes: sum(gradients), "'7 · Five patients'",
          "The batches' gradients are simply added up.",
          "That is what backward() leaves in .grad if the loss of each batch is a mean: too large by about the "
          "number of batches."),
    wrong("last-batch", lambda gradients, sizes: gradients[-1], "'The same loop with an engine'",
          "You returned the gradient of the last batch.",
          "Setting gradients to zero between the small batches throws away all but the last."),
    wrong("sum-over-examples", lambda gradients, sizes: sum(s * g for s, g in zip(sizes, gradients, strict=True)),
          "'2 · The loop learns XOR'",
          "Too large by the number of examples.",
          "Weighting by sizes gives the sum over all examples; the mean has to divide it."),
    wrong("weighted-but-divided-by-batches",
          lambda gradients, sizes: sum(s * g for s, g in zip(sizes, gradients, strict=True)) / len(sizes),
          "'2 · The loop learns XOR'",
          "Weighted by sizes, but divided by the number of batches.",
          "Weights have to be divided by their own sum."),
    wrong("divided-by-sizes", lambda gradients, sizes: sum(g / s for s, g in zip(sizes, gradients, strict=True)),
          "'2 · The loop learns XOR'",
          "Each gradient was divided by the size of its batch once more.",
          "Each number you were given is a mean already; dividing again makes large batches count least."),
    wrong("drops-the-short-batch",
          lambda gradients, sizes: np.average(np.array(gradients[:-1]), axis=0, weights=sizes[:-1]),
          "'2 · The loop learns XOR'",
          "The last batch does not count.",
          "A short last batch is still made of examples, and each has a right to its share."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.5",
    title="Many small batches, one gradient",
    function="full_batch_gradient",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 06, '2 · The loop learns XOR'",
    reference=full_batch_gradient,
    visible=[
        batches_case(_draw, (2, 3), (32, 32, 7)),
        batches_case(_draw, (3, 2), (5, 4)),
        batches_case(_draw, (2, 4), (10, 3, 3, 1)),
    ],
    hidden=lambda rng: [
        batches_case(rng, (3, 2), (16, 16, 3)),
        batches_case(rng, (2, 5), (4, 9)),
        batches_case(rng, (3, 4), (8, 2, 8, 5)),
    ],
    accepted=[
        combined_by_average,
        combined_by_running_mean,
        combined_by_repeating,
        combined_by_einsum,
        combined_by_shares,
    ],
    bank=BANK,
    hints=(
        "Undo the means first: what is the sum of a batch's gradients, if you know their mean and number?",
        "Add these sums over all batches. Over how many examples was that?",
        "Sum of size times gradient, divided by the sum of the sizes.",
    ),
)
