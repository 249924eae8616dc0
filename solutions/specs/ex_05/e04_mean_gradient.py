"""05.4 Backward through a mean."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Choice, Listing, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales


def mean_gradient(g, shape, axis, keepdims):
    if axis is None:
        return np.full(shape, np.sum(g) / math.prod(shape))
    if not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape) / shape[axis]


def mean_by_tiling(g, shape, axis, keepdims):
    if axis is None:
        return np.ones(shape) * np.asarray(g).reshape(-1)[0] / np.ones(shape).size
    g = np.asarray(g)
    g = g if keepdims else np.stack([g], axis=axis)
    return np.repeat(g, shape[axis], axis=axis) / shape[axis]


def mean_by_reshaping(g, shape, axis, keepdims):
    one = [1] * len(shape) if axis is None else list(shape)
    if axis is not None:
        one[axis] = 1
    return np.reshape(g, one) * np.ones(shape) * (math.prod(one) / math.prod(shape))


def mean_by_loops(g, shape, axis, keepdims):
    out = np.zeros(shape)
    for place in np.ndindex(shape):
        if axis is None:
            out[place] = np.asarray(g).reshape(-1)[0] / out.size
        else:
            kept = list(place)
            kept[axis] = 0
            if not keepdims:
                del kept[axis]
            out[place] = np.asarray(g)[tuple(kept)] / shape[axis]
    return out


def mean_in_float32(g, shape, axis, keepdims):
    return mean_by_tiling(np.float32(g), shape, axis, keepdims).astype(np.float32)


def mean_by_matrix(g, shape, axis, keepdims):
    """Each entry of x is asked for: which mean did it go into, and with which weight?"""
    before = 1 if axis is None else math.prod(shape[: axis % len(shape)])
    length = math.prod(shape) if axis is None else shape[axis]
    means = np.reshape(g, (before, 1, -1))
    return (means * np.full((1, length, 1), 1 / length)).reshape(shape)


def mean_by_package(g, shape, axis, keepdims):
    return gradients.vjp(lambda x: x.mean(axis=axis, keepdims=keepdims), np.zeros(shape))[1](np.asarray(g))


def mean_cases(rng):
    return [
        case(array(rng, 3), (3, 3), 1, False),
        case(array(rng, 2, 4), (2, 3, 4), 1, False),
        case(array(rng, 2, 1), (2, 5), 1, True),
        case(array(rng, 4) * scales(4), (3, 4), 0, False),
        case(float(array(rng)), (2, 3), None, False),
        case(array(rng, 2, 2), (2, 2, 2), -1, False),
        case(array(rng, 1, 1, 1), (3, 1, 2), None, True),
        case(array(rng, 1, 3), (4, 3), 0, True),
        case(array(rng, 2, 1, 4), (2, 3, 4), -2, True),
        case(array(rng, 3, 3), (3, 3, 3), -3, False),
        case(float(array(rng)), (130,), 0, False),
        case(array(rng, 3, 2), (3, 1, 2), 1, False),
        case(array(rng, 3, 3), (3, 3, 3), -2, False),
        case(array(rng, 3, 1), (3, 4, 1), -2, False),
        case(array(rng, 1, 2), (3, 1, 2), 0, False),
        case(array(rng, 2, 3, 2), (2, 3, 4, 2), 2, False),
        case(float(array(rng)), (4,), -1, False),
    ]


def every_way(rng):
    """Each axis, counted from both ends, of shapes whose lengths are all one, and of some where others are 1."""
    shapes = ((1,), (3,), (1, 1), (2, 2), (1, 3), (3, 1), (2, 2, 2), (2, 1, 2), (2, 2, 2, 2))
    out = []
    for shape in shapes:
        for axis in (None, *range(-len(shape), len(shape))):
            for keepdims in (True, False):
                g = np.asarray(array(rng, *np.zeros(shape).mean(axis=axis, keepdims=keepdims).shape))
                out.append(case(g if g.ndim else float(g), shape, axis, keepdims))
    return out


def mean_with(divisor=lambda g, shape, axis: shape[axis], place=lambda g, axis: np.expand_dims(g, axis)):
    def answer(g, shape, axis, keepdims):
        if axis is None:
            return np.full(shape, np.sum(g) / divisor(g, shape, None))
        return np.broadcast_to(g if keepdims else place(g, axis), shape) / divisor(g, shape, axis)

    return answer


def whole_or(length):
    return lambda g, shape, axis: math.prod(shape) if axis is None else length(g, shape, axis)


def mean_to_the_first(g, shape, axis, keepdims):
    out = mean_gradient(g, shape, axis, keepdims)
    first = np.zeros(shape)
    place = (0,) * len(shape) if axis is None else (slice(None),) * (axis % len(shape)) + (0,)
    count = math.prod(shape) if axis is None else shape[axis]
    first[place] = out[place] * count
    return first


def mean_falsy_axis(g, shape, axis, keepdims):
    return mean_gradient(np.sum(g), shape, None, False) if not axis else mean_gradient(g, shape, axis, keepdims)


def mean_by_slicing(g, shape, axis, keepdims):
    if axis is None:
        return mean_gradient(g, shape, axis, keepdims)
    one = (*shape[:axis], 1, *shape[axis + 1 :])
    return np.broadcast_to(np.reshape(g, one), shape) / shape[axis]


def mean_counting_to_three(g, shape, axis, keepdims):
    """In four axes and more, the third is taken for the second."""
    found = mean_gradient(g, shape, axis, keepdims)
    return found * shape[2] / shape[1] if len(shape) > 3 and axis == 2 else found


def mean_by_the_look_of_g(g, shape, axis, keepdims):
    """Guesses from the lengths of g whether the axis is still there."""
    there = axis is None or (np.ndim(g) > axis % len(shape) and np.shape(g)[axis % len(shape)] == 1)
    return mean_gradient(g, shape, axis, there)


def mean_always_expanding(g, shape, axis, keepdims):
    return mean_gradient(g, shape, axis, False)


def mean_of_its_own(g, shape, axis, keepdims):
    if axis is None:
        return mean_gradient(g, shape, axis, keepdims)
    g = np.expand_dims(g, axis) if not keepdims else g
    return np.broadcast_to(g, shape) / g.shape[axis]


BANK = [
    wrong("forgets-to-divide", mean_with(lambda g, shape, axis: 1.0), "notebook 05, section 5: a mean over n",
          "Your gradient is that of a sum.",
          "If one of n entries moves by one, their mean moves by less than one."),
    wrong("divides-by-all-entries", mean_with(lambda g, shape, axis: math.prod(shape)),
          "notebook 05, section 5: a mean over n",
          "You divided by the number of all entries of x, whatever the axis.",
          "Each mean is taken over one axis, so only the entries along that axis share it."),
    wrong("divides-by-the-number-of-means", mean_with(lambda g, shape, axis: np.size(g)),
          "notebook 05, section 5: a mean over n",
          "You divided by the number of results.",
          "How many means there are does not matter to any of them; what counts is how many entries went into each."),
    wrong("divides-by-the-first-length", mean_with(whole_or(lambda g, shape, axis: shape[0])),
          "notebook 05, section 5: a mean over n",
          "You divided by the length of the first axis, whichever axis was averaged.",
          "The first axis often counts examples, but here the mean runs over the axis that was given."),
    wrong("axis-does-not-come-back", mean_with(whole_or(lambda g, shape, axis: shape[axis]), place=lambda g, axis: g),
          "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "Where keepdims is False, the missing axis was left to NumPy, which adds it on the left.",
          "On most shapes that fails loudly. On square ones it quietly copies along the wrong axis."),
    wrong("axis-comes-back-at-the-end", mean_with(
              whole_or(lambda g, shape, axis: shape[axis]), place=lambda g, axis: np.asarray(g)[..., None]
          ), "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "Where keepdims is False, the missing axis always came back as the last one.",
          "It was removed at another place, and the entries of g belong to the axes that stayed."),
    wrong("all-to-the-first-entry", mean_to_the_first, "notebook 05, section 5, the three matrices",
          "One entry gets everything and the others get nothing.",
          "That is what a maximum does. In a mean all entries take part alike."),
    wrong("axis-0-taken-for-none", mean_falsy_axis, "notebook 05, section 5: a mean over n",
          "Over axis 0 you get what the mean of all entries would give; the other axes are right.",
          "In Python 0 counts as false, so `if not axis` and `axis or ...` cannot tell axis 0 from None."),
    wrong("negative-axis-cut-at-the-wrong-place", mean_by_slicing,
          "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "Right for axes counted from the front; counted from the end, -1 above all, the shape does not fit.",
          "`shape[axis + 1:]` is all of the shape where axis is -1. Count a negative axis from the front first."),
    wrong("axis-comes-back-twice", mean_always_expanding,
          "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "Right where keepdims is False; where it is True there is one axis too many.",
          "With keepdims the axis never went away, so it has not to come back."),
    wrong("no-division-along-an-axis", mean_of_its_own, "notebook 05, section 5: a mean over n",
          "For one axis your gradient is that of a sum; for the mean of all entries it is right.",
          "Where an axis is given, nothing is divided, or only by the length that it has in g, which is 1."),
    wrong("keepdims-guessed-from-g", mean_by_the_look_of_g,
          "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "Right unless another axis of length 1 stands in g where the mean removed one.",
          "Whether the axis is still there cannot be seen in g's lengths; `keepdims` says it."),
    wrong("lengths-of-the-first-axes", mean_counting_to_three, "notebook 05, section 5: a mean over n",
          "Right for up to three axes; where there are four, the length that divides is that of another axis.",
          "x may have any number of axes. The length that counts is that of the axis that was given."),
    wrong("mixes-the-means", lambda g, shape, axis, keepdims: np.full(shape, np.sum(g) / math.prod(shape)),
          "notebook 05, section 5, the three matrices",
          "All entries get the same number.",
          "Each entry went into one of the means only, and should hear from that one."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.4",
    title="Backward through a mean",
    function="mean_gradient",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 05, section 5, 'Sums, means and maxima'",
    reference=mean_gradient,
    domain={
        "g": Array("...", all_zero=True),
        "shape": Listing("axes", Number(whole=True, at_least=1)),
        "axis": Number(whole=True, optional=True),
        "keepdims": Choice(True, False),
    },
    meets={
        "the mean of all entries keeps its axes": lambda axis, keepdims: axis is None and keepdims,
        "the mean of all entries is a number": lambda axis, keepdims: axis is None and not keepdims,
        "axis 0 goes": lambda shape, axis, keepdims: axis == 0 and len(shape) > 1 and not keepdims,
        "axis 0 stays": lambda axis, keepdims: axis == 0 and keepdims,
        "a negative axis goes": lambda axis, keepdims: (axis or 0) < 0 and not keepdims,
        "a negative axis stays": lambda axis, keepdims: (axis or 0) < 0 and keepdims,
        "the first axis is counted from the end": lambda shape, axis: axis == -len(shape),
        "the only axis goes": lambda shape, axis, keepdims: axis == 0 and len(shape) == 1 and not keepdims,
        "the axis has length 1": lambda shape, axis: axis is not None and shape[axis] == 1,
        "another axis has length 1": lambda shape, axis: axis is not None and shape[axis] > 1 and 1 in shape,
        "the middle axis of a cube goes, counted from the end": lambda shape, axis: axis == -2 and len(set(shape)) == 1,
        "the first axis of a cube goes, counted from the end": lambda shape, axis: axis == -3 and len(set(shape)) == 1,
        "four axes": lambda shape: len(shape) == 4,
        "the only axis is counted from the end": lambda shape, axis: shape == (4,) and axis == -1,
        "an axis of length 1 comes in the place of the one that went": lambda g, shape, axis: (
            axis == 0 and np.shape(g) == (1, 2)
        ),
        "more than 128 entries in a mean": lambda shape: max(shape) > 128,
        "numbers are very small and very large": lambda g: (
            np.size(g) > 1 and np.abs(g).min() < 1e-8 < 1e8 < np.abs(g).max()
        ),
        "all lengths are equal": lambda shape: len(shape) > 1 and len(set(shape)) == 1,
    },
    visible=mean_cases(FIXED),
    hidden=lambda rng: [*mean_cases(rng), *every_way(rng)],
    accepted=[mean_by_tiling, mean_by_reshaping, mean_by_loops, mean_in_float32, mean_by_package, mean_by_matrix],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    equivalent_mutants={"`np.sum` → `np.max`": "the mean of everything is one number, so g holds one"},
    hints=(
        "A sum copies its gradient to every summand. What does a mean do in addition?",
        "Give g the axis back that the mean removed (unless keepdims left it there), then copy along it.",
        "np.expand_dims(g, axis) puts the axis back; np.broadcast_to(..., shape) copies; then divide by "
        "shape[axis], or by the number of all entries where axis is None.",
    ),
)
