"""03.9 Clipping by norm."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Listing, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def clip_by_norm(gradients, bound):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    if norm <= bound:
        return gradients
    return [bound / norm * g for g in gradients]


def clip_in_one_line(gradients, bound):
    norm = math.sqrt(sum(float(x) ** 2 for g in gradients for x in np.ravel(g)))
    return [g * (min(1.0, bound / norm) if norm else 1.0) for g in gradients]


def clip_flat(gradients, bound):
    flat = np.concatenate([g.ravel() for g in gradients])
    scale = max(1.0, float(np.linalg.norm(flat)) / bound)
    return tuple(g / scale for g in gradients)


def clip_norm_of_norms(gradients, bound):
    norm = np.linalg.norm([np.linalg.norm(g) for g in gradients])
    return [np.array(g) if norm < bound else np.array(g) / norm * bound for g in gradients]


def clip_by_package(gradients, bound):
    return opt.clip_by_norm(gradients, bound)


def clip_to_lists(gradients, bound):
    norm = np.sqrt(sum(np.vdot(g, g) for g in gradients))
    return [(g / max(norm / bound, 1)).tolist() for g in gradients]


def clip_with_tensors(gradients, bound):
    return deque(Tensor(g, requires_grad=True) for g in clip_by_norm(gradients, bound))


def length(gradients):
    return math.sqrt(sum(float(np.sum(g**2)) for g in gradients))


def each_alone(gradients, bound):
    return [g * (bound / np.linalg.norm(g) if np.linalg.norm(g) > bound else 1.0) for g in gradients]


def clip_wrong(scale):
    def answer(gradients, bound):
        return [g * scale(gradients, length(gradients), bound) for g in gradients]

    return answer


def clip_by_size(size):
    """Clips as it should, with another number in place of the common norm."""

    def answer(gradients, bound):
        found = float(size(gradients))
        return [g * (bound / found) if found > bound else g for g in gradients]

    return answer


def stretches(gradients, norm, bound):
    return bound / norm if norm else 1.0


def clip_in_place(gradients, bound):
    norm = length(gradients)
    for g in gradients:
        g *= bound / norm if norm > bound else 1.0
    return gradients


def clip_first_only(gradients, bound):
    clipped, *_ = clip_by_norm(gradients, bound)
    return [clipped, *gradients[1:]]


def clip_edges(rng):
    """At the bound; all zero; one array of zeros, one of a single entry; one array; too long together only; tiny."""
    turns = [np.array([[3.0, 0.0], [0.0, -4.0]]) * rng.choice([-1.0, 1.0], (2, 2)), np.zeros(3)]
    small = numbers(rng, (2, 3), 0.1, 0.3)
    alike = [numbers(rng, 4, 0.8, 1.2), numbers(rng, (2, 2), 0.8, 1.2)]
    mixed = [np.zeros((2, 1)), numbers(rng, 1), numbers(rng, (2, 3, 2))]
    tiny = [1e-4 * numbers(rng, 2), 1e-4 * numbers(rng, (1, 2))]
    return [
        case(turns, 5.0),
        case([np.zeros(2), np.zeros((1, 3))], round(float(rng.uniform(0.5, 2.0)), 3)),
        case(mixed, round(0.6 * length(mixed), 4)),
        case([small], round(0.8 * length([small]), 4)),
        case(alike, round(0.9 * length(alike), 3)),
        case(tiny, round(0.8 * length(tiny), 7)),
        *clip_extremes(rng),
    ]


def clip_extremes(rng):
    """A little too long; numbers of all sizes; seven arrays, of which two are equal; all huge, and all but nothing."""
    many, few = [numbers(rng, (k % 3 + 1,)) for k in range(6)], [numbers(rng, 2), numbers(rng, (2, 2))]
    many.append(many[1].copy())
    sizes = [numbers(rng, 2) * [1.0, 1e-10], numbers(rng, 3) * [1e-12, 1e-5, 1.0]]
    return [
        *(case(few, length(few) * (1 - part)) for part in (3e-5, 4e-3)),
        case(sizes, round(0.7 * length(sizes), 4)),
        case(many, round(0.9 * length(many), 4)),
        case([1e7 * g for g in few], round(0.6 * length(few), 4)),
        case([1e-9 * g for g in few], 0.8e-9 * length(few)),
    ]


def clip_with_leeway(gradients, bound):
    return clip_by_norm(gradients, bound) if length(gradients) > 1.01 * bound else gradients


def clip_by_three(gradients, bound):
    size = length(gradients[:3])
    return [g * (bound / size) if size > bound else g for g in gradients]


def clip_cases(rng):
    found = clip_edges(rng)
    for shapes, share in ((((2, 3), (3,)), 0.4), (((4,), (2, 2)), 0.7), (((3, 2), (2,), (4,)), 1.8)):
        gradients = [numbers(rng, shape) for shape in shapes]
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        found.append(case(gradients, round(share * norm, 3)))
    return found


BANK = [
    wrong("clips-by-value", lambda gradients, bound: [np.clip(g, -bound, bound) for g in gradients],
          "notebook 03, section 11: keeping its direction",
          "You cut single entries off, so the direction changes.",
          "That is clipping by value. Clipping by norm shortens the whole arrow and keeps its direction."),
    wrong("clips-each-array-alone", each_alone, "the docstring of the exercise: one norm for all arrays",
          "You clipped every array by its own norm.",
          "All parameters together make one arrow. Shortening its parts by different factors turns it."),
    wrong("always-rescales", clip_wrong(stretches),
          "notebook 03, section 11: if the gradient is longer than a bound",
          "Short gradients have been made longer.",
          "The bound is an upper one. A gradient that keeps to it is left alone."),
    wrong("factor-upside-down", clip_wrong(lambda gradients, norm, bound: norm / bound if norm > bound else 1.0),
          "notebook 03, section 11: shorten it to the bound",
          "Gradients that are too long have been made longer still.",
          "Your factor is upside down: it has to be smaller than 1."),
    wrong("forgets-the-bound", clip_wrong(lambda gradients, norm, bound: 1 / norm if norm > bound else 1.0),
          "notebook 03, section 11: shorten it to the bound",
          "Your clipped gradients have length 1, whatever the bound is.",
          "Dividing by the length gives an arrow of length 1. It should be as long as the bound."),
    wrong("forgets-the-root", clip_wrong(lambda gradients, norm, bound: bound / norm**2 if norm > bound else 1.0),
          "the docstring of the exercise",
          "Your clipped gradients are too short: you divided by the square of the length.",
          "The sum of squares is the square of the length, as with Pythagoras."),
    wrong("adds-the-norms", clip_by_size(
              lambda gradients: sum(float(np.linalg.norm(g)) for g in gradients)
          ), "the docstring of the exercise: one norm for all arrays",
          "You added the norms of the arrays.",
          "Lengths at right angles do not add; their squares do."),
    wrong("largest-entry-as-length", clip_by_size(
              lambda gradients: max(float(np.abs(g).max()) for g in gradients)
          ), "the docstring of the exercise",
          "You took the largest entry for the length.",
          "An arrow is longer than its longest component."),
    wrong("compares-the-square", lambda gradients, bound: [
              g * (bound / length(gradients)) if length(gradients) ** 2 > bound else g for g in gradients
          ], "the docstring of the exercise",
          "The factor is right, but what you compared with the bound is not the length, such as its square.",
          "The bound is a length. Take the root before you compare."),
    wrong("longest-array-as-length", clip_by_size(
              lambda gradients: max(float(np.linalg.norm(g)) for g in gradients)
          ), "the docstring of the exercise: one norm for all arrays",
          "You took the longest of the arrays for the length of all.",
          "The other arrays make the arrow longer still."),
    wrong("first-array-as-length", clip_by_size(lambda gradients: np.linalg.norm(gradients[0])),
          "the docstring of the exercise: one norm for all arrays",
          "You took the length of the first array for the length of all.",
          "The other arrays make the arrow longer still."),
    wrong("adds-all-entries", clip_by_size(
              lambda gradients: sum(float(np.abs(g).sum()) for g in gradients)
          ), "the docstring of the exercise: one norm for all arrays",
          "You added the sizes of all entries up.",
          "That is the way along the axes. The arrow itself is shorter."),
    wrong("mean-of-the-squares", clip_by_size(
              lambda gradients: length(gradients) / math.sqrt(sum(g.size for g in gradients))
          ), "the docstring of the exercise: one norm for all arrays",
          "You took the mean of the squares where their sum belongs.",
          "With a mean, an arrow with more entries would not be longer."),
    wrong("clips-the-first-array-only", clip_first_only, "the docstring of the exercise: a list of arrays",
          "Your first array is right; the others are as long as they were.",
          "All arrays are shortened by the same factor, or the arrow turns."),
    wrong("direction-of-nothing", lambda gradients, bound: [
              g / np.float64(length(gradients)) * min(length(gradients), bound) for g in gradients
          ], "the task: otherwise leave it as it is",
          "Where all gradients are zero you return NaN; everything else is right.",
          "An arrow of length 0 has no direction to be divided out."),
    wrong("divides-by-no-length", clip_wrong(lambda gradients, norm, bound: min(1.0, bound / norm)),
          "the task: otherwise leave it as it is",
          "Where all gradients are zero your function fails; everything else is right.",
          "You divide by the length before you know that there is one."),
    wrong("a-little-too-long-is-let-through", clip_with_leeway,
          "'And the cliff', and the docstring of the exercise: which length is allowed?",
          "Gradients that are hardly longer than the bound are left as they are.",
          "A bound is a bound: what is longer is shortened, by however little."),
    wrong("three-arrays-at-most", clip_by_three, "the docstring of the exercise: one norm for all arrays",
          "Of more than three arrays the others do not count in the length.",
          "A network may have any number of parameters, and each array is a part of the arrow."),
    wrong("drops-small-entries", lambda gradients, bound: [
              np.where(np.abs(g) < 1e-9, 0.0, g) for g in clip_by_norm(gradients, bound)
          ], "'And the cliff', and the task: keeping its direction",
          "Very small entries became 0.",
          "However small an entry is, it belongs to the direction."),
    wrong("changes-what-it-is-given", clip_in_place, "the docstring of the exercise: what you are given stays as it is",
          "The numbers are right, but what you were given has been changed.",
          "`g *= ...` writes into the caller's array; `append` or `gradients[0] = ...` into the caller's list."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.9",
    title="Clipping by norm",
    function="clip_by_norm",
    minutes=7,
    difficulty=2,
    points=2,
    see="notebook 03, section 11, 'And the cliff'",
    reference=clip_by_norm,
    integers=True,
    domain={"gradients": Listing("arrays", Array("...", order="free")), "bound": Number(more_than=0)},
    meets={
        "all gradients are zero": lambda gradients: not any(np.any(g) for g in gradients),
        "one array is zero, and not all": lambda gradients: 0 < sum(not np.any(g) for g in gradients) < len(gradients),
        "the length is the bound": lambda gradients, bound: length(gradients) == bound,
        "the length is below the bound": lambda gradients, bound: 0 < length(gradients) < bound,
        "a length below 1 is too long": lambda gradients, bound: length(gradients) ** 2 < bound < length(gradients),
        "a length above 1 is not too long": lambda gradients, bound: length(gradients) < bound < length(gradients) ** 2,
        "an array has one axis of one entry": lambda gradients: any(np.shape(g) == (1,) for g in gradients),
        "an array has three axes": lambda gradients: any(np.ndim(g) == 3 and min(g.shape) > 1 for g in gradients),
        "all gradients are tiny": lambda gradients, bound: 0 < bound < length(gradients) < 1e-3,
        "the length is hardly above the bound": lambda gradients, bound: 1 < length(gradients) / bound < 1.0001,
        "two arrays are equal": lambda gradients: len(gradients) > 5 and np.array_equal(gradients[1], gradients[-1]),
        "an entry is tiny beside the others": lambda gradients: any(
            np.ndim(g) == 1 and 0 < np.abs(g).min() < 1e-10 * np.abs(g).max() for g in gradients
        ),
        "all gradients are huge": lambda gradients: min(float(np.abs(g).min()) for g in gradients) > 1e5,
        "there are three arrays": lambda gradients: len(gradients) == 3,
        "only together they are too long": lambda gradients, bound: (
            all(np.linalg.norm(g) < bound for g in gradients) and length(gradients) > bound
        ),
    },
    visible=[
        case([np.array([[3.0, -1.0, 0.5], [0.8, 2.0, -1.5]]), np.array([1.2, -0.7, 0.4])], 2.0),
        case([np.array([0.6, -0.4]), np.array([[0.3, 0.9], [-0.5, 0.2]]), np.array([0.7])], 1.9),
        case([np.array([1.4]), np.array([-1.1, 0.5, 0.6])], 1.5),
        case([np.array([1.1, 0.7, -2.1]), np.array([[0.4, 1.3]])], 2.5),
        *clip_edges(np.random.default_rng(39)),
    ],
    hidden=clip_cases,
    accepted=[clip_in_one_line, clip_flat, clip_norm_of_norms, clip_by_package, clip_to_lists, clip_with_tensors],
    bank=BANK,
    atol=1e-20,  # nothing is subtracted, so small numbers are as exact as others
    hints=(
        "Imagine all arrays laid end to end: one long arrow. How long is it?",
        "The length is the root of the sum of all squares, over all arrays. Up to the bound, nothing is done.",
        "Otherwise every array is multiplied by one and the same factor, bound / length.",
    ),
    equivalent_mutants={"`norm <= bound` → `norm < bound`": "at the bound the factor is 1"},
)
