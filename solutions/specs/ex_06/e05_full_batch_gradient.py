"""06.5 Many small batches, one gradient."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array, Listing
from coursepkg.grading.specification.exercise import Exercise, case, wrong

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
    return np.einsum("k,k...->...", np.array(sizes) / np.sum(sizes), np.array(gradients)).tolist()


def combined_by_shares(gradients, sizes):
    n = sum(sizes)
    return sum((size / n) * gradient for gradient, size in zip(gradients, sizes, strict=True))


def combined_with_loops(gradients, sizes):
    total = np.zeros(np.shape(gradients[0]))
    for gradient, size in zip(gradients, sizes, strict=True):
        for place in np.ndindex(total.shape):
            total[place] += gradient[place] * size
    return total / sum(sizes)


def mean_of_one_length(gradients, sizes):
    """Takes the first batch's size for that of all."""
    return sum(s * g for s, g in zip(sizes, gradients, strict=True)) / (sizes[0] * len(sizes))


def combined_in_the_gradients_type(gradients, sizes):
    """A buffer like the gradients; whole numbers cut off what comes after the point."""
    return full_batch_gradient(gradients, sizes).astype(np.asarray(gradients[0]).dtype)


def combined_in_bytes(gradients, sizes):
    return full_batch_gradient(gradients, [max(size % 65536, 1) for size in sizes])


def batches_case(rng, shape, sizes):
    return case([spread(rng, *shape) for _ in sizes], list(sizes))


def batches_far_out(rng):
    """Three axes; gradients of a billionth, and one that is small beside the others; many batches."""
    tiny, sizes = batches_case(rng, (2, 2), (6, 2, 9)).args
    mixed, _ = batches_case(rng, (3,), sizes).args
    mixed[int(rng.integers(3))] *= 1e-5
    return [
        batches_case(rng, (2, 1, 3), (4, 7)),
        case([1e-9 * gradient for gradient in tiny], sizes),
        case(mixed, sizes),
        batches_case(rng, (3,), rng.integers(1, 9, 75).tolist()),
    ]


def batches_edges(rng):
    """One batch; batches of one example; equal sizes; a short one in front; vectors, and a gradient that is zero.

    Equal gradients of batches of different sizes.
    """
    several = batches_case(rng, (4,), (3, 17, 6)).args
    several[0][int(rng.integers(3))] *= 0.0
    alike = batches_case(rng, (2,), (1000, 300, 70000)).args
    alike[0][2] = alike[0][0].copy()
    return [
        batches_case(rng, (3, 2), (13,)),
        batches_case(rng, (1, 3), (1, 1, 1)),
        batches_case(rng, (2, 1), (8, 8)),
        case(*several),
        case(*alike),
        case([rng.choice([-3, 2, 4], 2) for _ in range(3)], [2, 1, 4]),
    ]


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
    wrong("sizes-taken-for-equal", mean_of_one_length, "'2 · The loop learns XOR'",
          "You divided by the number of batches times the size of the first one.",
          "That counts the examples only if every batch is as large as the first."),
    wrong("sum-of-means-over-examples", lambda gradients, sizes: sum(gradients) / sum(sizes),
          "'2 · The loop learns XOR'",
          "The batches' gradients were added up as they are, and divided by the number of examples.",
          "The number of examples divides a sum over examples; each of your terms is a mean over its batch."),
    wrong("in-the-gradients-type", combined_in_the_gradients_type, "the docstring of the exercise",
          "Right where gradients hold floats; where they hold whole numbers, your mean is cut to whole numbers.",
          "`np.zeros_like` makes an array of the same type. A mean needs what comes after the point."),
    wrong("large-sizes-wrap", combined_in_bytes, "the docstring of the exercise",
          "Right for small batches; sizes beyond 65,535 start again from 0.",
          "A small integer type wraps beyond its largest number, without a warning."),
    wrong("all-entries-in-one", lambda gradients, sizes: np.average(
              [np.mean(gradient) for gradient in gradients], weights=sizes
          ), "the docstring of the exercise",
          "One number came back where an array of the gradients' shape should be.",
          "The mean goes over examples; each entry of the gradient keeps its place."),
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
    domain={"gradients": Listing("m", Array("...")), "sizes": Array("m", whole=True, at_least=1)},
    meets={
        "gradients are vectors": lambda gradients: gradients[0].ndim == 1,
        "gradients are matrices": lambda gradients: gradients[0].ndim == 2,
        "a batch of more than 65,535": lambda sizes: max(sizes) > 65_535,
        "gradients of whole numbers": lambda gradients: gradients[0].dtype.kind == "i",
        "a gradient is zero": lambda gradients: any(not g.any() for g in gradients),
        "all batches are of one size": lambda sizes: len(sizes) > 1 and len(set(sizes)) == 1,
        "batches of different sizes have equal gradients": lambda gradients, sizes: any(
            np.array_equal(gradients[i], gradients[j]) and sizes[i] != sizes[j]
            for i in range(len(sizes))
            for j in range(i)
        ),
        "a short batch comes first": lambda sizes: sizes[0] < max(sizes),
    },
    visible=[
        batches_case(_draw, (2, 3), (32, 32, 7)),
        batches_case(_draw, (3, 2), (5, 4)),
        batches_case(_draw, (2, 4), (10, 3, 3, 1)),
        *batches_edges(_draw),
    ],
    hidden=lambda rng: [
        batches_case(rng, (3, 2), (16, 16, 3)),
        batches_case(rng, (2, 5), (4, 9)),
        batches_case(rng, (3, 4), (8, 2, 8, 5)),
        *batches_edges(rng),
        *batches_far_out(rng),
    ],
    atol=1e-14,
    accepted=[
        combined_by_average,
        combined_by_running_mean,
        combined_by_repeating,
        combined_by_einsum,
        combined_by_shares,
        combined_with_loops,
    ],
    bank=BANK,
    hints=(
        "Undo the means first: what is the sum of a batch's gradients, if you know their mean and number?",
        "Add these sums over all batches. Over how many examples was that?",
        "Sum of size times gradient, divided by the sum of the sizes.",
    ),
)
