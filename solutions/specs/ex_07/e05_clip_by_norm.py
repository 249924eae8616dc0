"""07.5 Clip by the common norm."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Listing, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array


def clip_by_norm(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g * (limit / norm) if norm > limit else g for g in gradients]


def clip_flat(gradients, limit):
    flat = np.concatenate([np.ravel(g) for g in gradients])
    scale = min(1.0, limit / max(np.linalg.norm(flat), 1e-300))
    return tuple(scale * g for g in gradients)


def clip_min(gradients, limit):
    squares = 0.0
    for g in gradients:
        squares = squares + np.vdot(g, g)
    return [np.asarray(g) * (min(1, limit * squares**-0.5) if squares else 1) for g in gradients]


def clip_hypot(gradients, limit):
    norm = 0.0
    for g in gradients:
        for entry in np.ravel(g):
            norm = math.hypot(norm, entry)
    return [(g / max(norm / limit, 1.0)).tolist() for g in gradients]


def clip_split(gradients, limit):
    flat = np.concatenate([g.reshape(-1) for g in gradients])
    norm = np.sqrt(flat @ flat)
    if norm > limit:
        flat = flat / norm * limit
    ends = np.cumsum([g.size for g in gradients])[:-1]
    return [part.reshape(g.shape) for part, g in zip(np.split(flat, ends), gradients, strict=True)]


def clip_float32(gradients, limit):
    return [np.float32(g) for g in clip_by_norm(gradients, limit)]


def clip_with_tensors(gradients, limit):
    return tuple(Tensor(g, requires_grad=True) for g in clip_by_norm(gradients, limit))


def length(gradients):
    return math.sqrt(sum(float(np.sum(g * g)) for g in gradients))


def clip_each(gradients, limit):
    return [clip_by_norm([g], limit)[0] for g in gradients]


def clip_always(gradients, limit):
    norm = length(gradients)
    return [g * (limit / norm if norm else 1.0) for g in gradients]


def clip_by_size(size):
    """Clips as it should, with another number in place of the common norm."""

    def answer(gradients, limit):
        found = float(size(gradients))
        return [g * (limit / found) if found > limit else g for g in gradients]

    return answer


def clip_shapes_once(gradients, limit):
    """The squares are kept by shape."""
    squares = {np.shape(g): float(np.sum(g * g)) for g in gradients}
    norm = math.sqrt(sum(squares.values()))
    return [g * (limit / norm) if norm > limit else g for g in gradients]


def clip_different_ones(gradients, limit):
    """As above, the first of a shape."""
    squares = {}
    for g in gradients:
        squares.setdefault(np.shape(g), float(np.sum(g * g)))
    norm = math.sqrt(sum(squares.values()))
    return [g * (limit / norm) if norm > limit else g for g in gradients]


def clip_direction(gradients, limit):
    norm = np.float64(length(gradients))
    return [g / norm * min(norm, limit) for g in gradients]


def clip_in_place(gradients, limit):
    norm = length(gradients)
    for g in gradients:
        g *= limit / norm if norm > limit else 1.0
    return gradients


def clip_unit(gradients, limit):
    norm = length(gradients)
    return [g / norm if norm > limit else g for g in gradients]


def clip_square(gradients, limit):
    squares = sum(float(np.sum(g * g)) for g in gradients)
    return [g * (limit / squares) if squares > limit else g for g in gradients]


def clip_drop(gradients, limit):
    norm = length(gradients)
    return [g * 0.0 if norm > limit else g for g in gradients]


def clip_edges(rng):
    """All zero; at the limit; one array of zeros, one of a single entry, one of three axes; one array alone; tiny."""
    exact = [np.array([[0.0, 5.0], [12.0, 0.0]]) * rng.choice([-1.0, 1.0], (2, 2)), np.zeros(2)]
    small, free = array(rng, 3, 2, low=0.1, high=0.3), [array(rng, 3, low=1.0, high=1.7), array(rng, 2)]
    mixed, tiny = (
        [np.zeros((1, 3)), array(rng, 1), array(rng, 2, 3, 2)],
        [1e-4 * array(rng, 2, 1), 1e-4 * array(rng, 2)],
    )
    twin, five = array(rng, 2, 2), [array(rng, 2, low=0.5, high=0.9) for _ in range(5)]
    return [
        case([np.zeros((2, 2)), np.zeros(3)], round(float(rng.uniform(0.5, 2.0)), 3)),
        case(exact, 13.0),
        case(mixed, round(0.7 * length(mixed), 4)),
        case([small], round(0.8 * length([small]), 4)),
        case(free, round(1.3 * length(free), 3)),
        case(tiny, round(0.8 * length(tiny), 7)),
        case([array(rng, 3, low=2.0, high=2.5), array(rng, 3)], 2.9),
        case([twin, array(rng, 2, 2, low=2.0, high=2.5), twin.copy()], 3.7),
        case(five, round(math.sqrt(length(five[:4]) * length(five)), 3)),
    ]


def far_clips(rng):
    """Entries of all sizes, in one list or in several; limits far above and below; many arrays; equal ones."""
    sizes = [array(rng, 2, 2), 1e-13 * array(rng, 3), 1e-6 * array(rng, 2, 1)]
    equal = [array(rng, 3)] * 3
    several = [array(rng, *shape, low=0.5) for shape in [(2,), (2, 1), (1, 2), (2,), (1, 1, 2), (1,), (2,)]]
    return [
        case([1e-14 * array(rng, 2, 2), 1e-14 * array(rng, 3)], 7e-15),
        case([1e-14 * array(rng, 2, 2), 1e-14 * array(rng, 3)], 0.5),
        case([1e12 * array(rng, 2, 2), 1e12 * array(rng, 3)], 3.0),
        case([array(rng, 2, 2), array(rng, 3)], 1e-9),
        *(
            case([sign * np.full(shape, round(float(rng.uniform(2, 5)), 2))], 1.5)
            for sign in (1, -1)
            for shape in (1, (1, 1))
        ),
        case([array(rng, 2, 2), array(rng, 3)], 1e12),
        case(sizes, round(0.6 * length(sizes), 4)),
        case(sizes[::-1], round(0.6 * length(sizes), 4)),
        case(equal, round(0.7 * length(equal), 4)),
        case([equal[0], -equal[0]], round(0.7 * length(equal[:2]), 4)),
        case(several, round(0.98 * length(several), 4)),
        case(several, round(1.02 * length(several), 4)),
        *(case(several, length(several) * factor) for factor in (1 - 1e-5, 1 + 1e-5)),
        case([array(rng, 2) for _ in range(90)], 2.1),
        case([array(rng, 150), array(rng, 1)], 1.3),
    ]


def hidden_clips(rng):
    cases = clip_edges(rng)
    for limit in (0.7183, 1.5471, 50.0):
        gradients = [array(rng, 2, 3, low=0.4, high=2.5), array(rng, 4, low=0.4, high=2.5), array(rng, 2)]
        cases.append(case(gradients, limit))
    # Long as a whole, but neither array alone, and no entry: only the common norm says so.
    cases.append(case([array(rng, 3, low=0.5, high=0.8), array(rng, 2, 2, low=0.5, high=0.8)], 1.45))
    return cases


BANK = [
    wrong("last-of-each-shape", clip_shapes_once, "the docstring of the exercise",
          "Right unless two arrays have one shape; of these only the last counts.",
          "A dict by shape holds one entry for equal shapes. Every array has entries of its own."),
    wrong("first-of-each-shape", clip_different_ones, "the docstring of the exercise",
          "Right unless two arrays have one shape; of these only the first counts.",
          "A dict by shape holds one entry for equal shapes. Every array has entries of its own."),
    wrong("clips-every-entry", lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients],
          "notebook 07, section 5: by norm and by value",
          "Every entry is clipped by itself, which turns the gradient.",
          "Entries that were different become equal. By norm, all entries shrink by one factor."),
    wrong("norm-of-each-array", clip_each, "the task: their common norm",
          "Each array is scaled by its own norm.",
          "All gradients together are one long vector with one length and one direction."),
    wrong("always-scales", clip_always, "notebook 07, section 5: what it does not do",
          "Short gradients are stretched to the limit.",
          "A limit is not a target. Clipping never lengthens."),
    wrong("scales-to-one", clip_unit, "notebook 07, section 5: scaled down to that length",
          "Long gradients end with length 1, whatever the limit is.",
          "Dividing by the norm gives a direction; the allowed length is still missing."),
    wrong("square-of-the-norm", clip_square, "notebook 07, section 5",
          "The sum of squares is used where its root belongs.",
          "The norm is a length. For (3, 4) it is 5, not 25."),
    wrong("sum-of-sizes", clip_by_size(lambda gradients: sum(np.sum(np.abs(g)) for g in gradients)),
          "notebook 07, section 5",
          "The sizes of the entries are added up in place of a norm.",
          "For (3, 4) that is 7; the length of the arrow is 5."),
    wrong("largest-entry", clip_by_size(lambda gradients: max(np.max(np.abs(g)) for g in gradients)),
          "the task: their common norm",
          "The largest entry is brought to the limit, not the length.",
          "Many entries below the limit can still make a long vector."),
    wrong("throws-away", clip_drop, "notebook 07, section 5",
          "A gradient that is too long becomes zero.",
          "Its direction is worth keeping; only its length cannot be trusted."),
    wrong("direction-of-nothing", clip_direction, "the task: the common norm is at most the limit",
          "Where all gradients are zero you return NaN; everything else is right.",
          "A vector of length 0 has no direction to be divided out."),
    wrong("divides-by-no-length", lambda gradients, limit: [
              g * min(1.0, limit / length(gradients)) for g in gradients
          ], "the task: the common norm is at most the limit",
          "Where all gradients are zero your function fails; everything else is right.",
          "You divide by the norm before you know that there is one."),
    wrong("compares-the-square", lambda gradients, limit: [
              g * (limit / length(gradients)) if length(gradients) ** 2 > limit else g for g in gradients
          ], "notebook 07, section 5",
          "The sum of squares is compared with the limit; the factor is right.",
          "The limit is a length. Take the root before you compare."),
    wrong("longest-array", clip_by_size(lambda gradients: max(np.linalg.norm(g) for g in gradients)),
          "the task: their common norm",
          "The norm of the longest array is taken for the norm of all.",
          "The other arrays make the whole vector longer still."),
    wrong("first-array", clip_by_size(lambda gradients: np.linalg.norm(gradients[0])),
          "the task: their common norm",
          "The norm of the first array is taken for the norm of all.",
          "The other arrays make the whole vector longer still."),
    wrong("mean-of-the-squares", clip_by_size(
              lambda gradients: length(gradients) / math.sqrt(sum(g.size for g in gradients))
          ), "notebook 07, section 5",
          "The mean of the squares is taken where their sum belongs.",
          "With a mean, a vector with more entries would not be longer."),
    wrong("clips-in-place", clip_in_place, "the task: do not change the arrays that you are given",
          "The numbers are right, but the arrays that you were given have been changed.",
          "g *= ... writes into the caller's array."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.5",
    title="Clip by the common norm",
    function="clip_by_norm",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 07, section 5, 'The cliff, and what clipping does'",
    reference=clip_by_norm,
    domain={"gradients": Listing("arrays", Array("...", order="free")), "limit": Number(more_than=0)},
    meets={
        "two arrays of one shape": lambda gradients: len({np.shape(g) for g in gradients}) < len(gradients) == 2,
        "three arrays of one shape": lambda gradients: len({np.shape(g) for g in gradients}) < len(gradients) == 3,
        "two arrays are equal": lambda gradients: any(
            np.array_equal(gradients[i], gradients[j]) and np.any(gradients[i])
            for i in range(len(gradients))
            for j in range(i)
        ),
        "five arrays, and only all of them are too long": lambda gradients, limit: (
            len(gradients) == 5 and length(gradients[:4]) < limit < length(gradients)
        ),
        "all gradients are zero": lambda gradients: not any(np.any(g) for g in gradients),
        "one array is zero, and not all": lambda gradients: 0 < sum(not np.any(g) for g in gradients) < len(gradients),
        "the norm is the limit": lambda gradients, limit: length(gradients) == limit,
        "the norm is below the limit": lambda gradients, limit: 0 < length(gradients) < limit,
        "a norm below 1 is too long": lambda gradients, limit: length(gradients) ** 2 < limit < length(gradients),
        "a norm above 1 is not too long": lambda gradients, limit: length(gradients) < limit < length(gradients) ** 2,
        "an array has one axis of one entry": lambda gradients: any(np.shape(g) == (1,) for g in gradients),
        "an array has three axes": lambda gradients: any(np.ndim(g) == 3 and min(g.shape) > 1 for g in gradients),
        "all gradients are tiny": lambda gradients, limit: 0 < limit < length(gradients) < 1e-3,
        "only together they are too long": lambda gradients, limit: (
            all(np.linalg.norm(g) < limit for g in gradients) and length(gradients) > limit
        ),
    },
    visible=[case([np.array([3.0, 4.0])], 1.0), *hidden_clips(np.random.default_rng(17))],
    hidden=lambda rng: [*hidden_clips(rng), *far_clips(rng)],
    rtol=1e-9,
    atol=1e-24,
    accepted=[clip_flat, clip_min, clip_hypot, clip_split, clip_float32, clip_with_tensors],
    bank=BANK,
    hints=(
        "One number decides for all arrays: the length of all entries together, as if they stood in one long vector.",
        "If that length is at most the limit, return the gradients as they are. Otherwise multiply every array by the "
        "same factor.",
        "norm = sqrt of the sum over arrays of np.sum(g * g); the factor is limit / norm.",
    ),
    equivalent_mutants={"`norm > limit` → `norm >= limit`": "exactly at the limit the factor is 1"},
)
