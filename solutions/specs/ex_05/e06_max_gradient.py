"""05.6 Backward through a maximum."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales


def max_gradient(x, axis, g):
    winners = x == x.max(axis=axis, keepdims=True)
    return winners / winners.sum(axis=axis, keepdims=True) * np.expand_dims(g, axis)


def max_by_loops(x, axis, g):
    rows, arriving = np.moveaxis(x, axis, -1), np.asarray(g)
    out = np.zeros(rows.shape)
    for place in np.ndindex(arriving.shape):
        best = [i for i, value in enumerate(rows[place]) if value == max(rows[place])]
        for i in best:
            out[(*place, i)] = arriving[place] / len(best)
    return np.moveaxis(out, -1, axis)


def max_by_where(x, axis, g):
    top = np.expand_dims(np.amax(x, axis=axis), axis)
    count = np.expand_dims(np.count_nonzero(x == top, axis=axis), axis)
    return np.where(x < top, 0.0, np.expand_dims(g, axis) / count)


def max_by_moving(x, axis, g):
    rows = np.moveaxis(x, axis, 0)
    hits = (rows >= rows.max(axis=0)).astype(float)
    return np.moveaxis(hits * (g / hits.sum(axis=0)), 0, axis).tolist()


def max_in_float32(x, axis, g):
    return max_by_where(np.float32(x), axis, np.float32(g)).astype(np.float32)


def max_by_sorting(x, axis, g):
    """The last of each sorted line, and all that equal it."""
    top = np.take(np.sort(x, axis=axis), [-1], axis=axis)
    hits = np.equal(x, top) * 1.0
    return np.einsum("...,...->...", hits, np.expand_dims(np.true_divide(g, hits.sum(axis=axis)), axis))


def max_by_package(x, axis, g):
    return gradients.vjp(lambda x: np.max(x, axis=axis), x)[1](g)


def max_cases(rng):
    tied = np.array([[1.5, -2.0, 1.5, 0.5], [0.5, 2.0, 1.0, -1.0], [-0.5, -0.5, -0.5, -3.0]])
    square = np.array([[2.0, -1.0, 0.5], [2.0, 3.0, 0.5], [-1.5, 1.0, 0.5]])
    rows = [rng.permutation(3), rng.permutation(4)]
    out = [
        case(tied[rows[0]][:, rows[1]], 1, array(rng, 3)),
        case(square[rng.permutation(3)], 0, array(rng, 3)),
        case(square[rng.permutation(3)], 1, array(rng, 3)),
    ]
    for shape, axis in (
        ((2, 3, 2, 2), 1),
        ((3, 2, 4, 2), 2),
        ((2, 3, 2, 3), 3),
        ((3, 2, 2), 2),
        ((4, 2), 0),
        ((2, 5), 1),
    ):
        x = rng.permutation(math.prod(shape)).reshape(shape) / 2 - 3
        out.append(case(x, axis, array(rng, *(n for i, n in enumerate(shape) if i != axis))))
    negative = -rng.permutation(np.arange(1.0, 7.0)).reshape(2, 3)  # no entry is positive
    level = np.array([[2.5, 2.5, 2.5], [0.0, -1.0, 0.0], [0.0, 0.03, -0.5]])[rng.permutation(3)]
    close = np.array([[1000.001, 1000.002, 999.0], [0.5001, 0.5, 0.4999], [-3.0, -2.0001, -2.0]])[rng.permutation(3)]
    whole = np.array([[3, -1, 3], [2, 5, 4], [-7, -2, -6]])[rng.permutation(3)]
    below = np.array([[1.0, 1.0, 2.0, 0.5], [-1.5, -1.5, -1.5, 3.0], [0.0, 4.0, 0.0, 4.0]])[rng.permutation(3)]
    tiny = np.array([[1e-9, 3e-9, 2e-9], [-4e-12, -5e-12, -6e-12], [-3e12, -2e12, -7e12]])[rng.permutation(3)]
    deep = np.array([[[1.0], [4.0]], [[4.0], [4.0]], [[-2.0], [4.0]]])[rng.permutation(3)]
    return [
        *out,
        case(negative, 1, array(rng, 2)),
        case(level, 1, array(rng, 3)),
        case(close[:, rng.permutation(3)], 1, array(rng, 3)),
        case(whole, 1, array(rng, 3)),
        case(deep, 0, array(rng, 2, 1)),
        case(array(rng, 1, 4), 0, array(rng, 4)),
        case(array(rng, 3, 1, 2), 1, array(rng, 3, 2)),
        case(array(rng, 3, 2, 2), 2, np.zeros((3, 2))),
        case(below[:, rng.permutation(4)], 1, array(rng, 3)),
        case(tiny[:, rng.permutation(3)], 1, array(rng, 3) * scales(3)),
        case(rng.permutation(130).reshape(130, 1) / 4, 0, array(rng, 1)),
    ]


def every_way(rng):
    """Each axis of shapes whose lengths are all one, or 1 here and there, with ties in many places."""
    shapes = ((1, 1), (2, 2), (3, 3), (1, 3), (3, 1), (2, 2, 2), (3, 3, 3), (1, 2, 2), (2, 1, 2), (2, 2, 1))
    out = []
    for shape in (*shapes, (2, 2, 2, 2), (2, 3, 2, 3, 2)):
        for axis in range(len(shape)):
            g = array(rng, *shape[:axis], *shape[axis + 1 :])
            out.append(case(rng.integers(-1, 2, shape) / 2, axis, g))
    return [
        *out,
        case(np.zeros((2, 3)), 1, array(rng, 2)),
        case(np.full((3, 3), -1.5), 0, array(rng, 3)),
        case(array(rng, 2, 2), 0, array(rng, 2)),
        case(array(rng, 2, 2, 2), 1, array(rng, 2, 2)),
        case(rng.integers(-1, 2, (2, 3, 2)), 1, array(rng, 2, 2)),
        case(np.tile(array(rng, 3), (6, 1)), 0, array(rng, 3)),
        case(np.array([[0.0, -0.0, -1.0], [-0.0, -2.0, 0.0]]), 1, array(rng, 2)),
    ]


def _winners(x, axis, count):
    return _wins(x, axis).sum(axis) == count


def _told_apart(x, axis):
    """Whether float32 sees the same winners."""
    return np.array_equal(_wins(x, axis), _wins(np.float32(x), axis))


def _wins(x, axis):
    return x == x.max(axis, keepdims=True)


def _margins(x, axis):
    """How far the largest entries of lines without a tie lie above the next."""
    if x.shape[axis] == 1:
        return np.array(np.inf)
    ordered = np.sort(x, axis)
    margins = np.diff(ordered, axis=axis).take(-1, axis)
    return margins[margins > 0] if (margins > 0).any() else np.array(np.inf)


def _level(x, axis):
    level = x.min(axis) == x.max(axis)
    return x.shape[axis] > 1 and level.any() and not level.all()


def max_with(weights):
    return lambda x, axis, g: weights(x, axis) * np.expand_dims(g, axis)


def winners_of(x, axis):
    return (x == x.max(axis=axis, keepdims=True)).astype(float)


def first_winner(x, axis):
    out = np.zeros(x.shape)
    np.put_along_axis(out, np.expand_dims(x.argmax(axis=axis), axis), 1.0, axis)
    return out


def soft_shares(x, axis):
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def losers(x, axis):
    hits = x == x.min(axis=axis, keepdims=True)
    return hits / hits.sum(axis=axis, keepdims=True)


def shared(x, axis):
    return winners_of(x, axis) / winners_of(x, axis).sum(axis=axis, keepdims=True)


def nearly_shared(x, axis):
    hits = np.isclose(x, x.max(axis=axis, keepdims=True), atol=1e-3)
    return hits / hits.sum(axis=axis, keepdims=True)


def shared_with_all_repeats(x, axis):
    """Every entry that repeats an earlier one of its line is counted, whether it wins or not."""
    different = np.apply_along_axis(lambda line: len(set(line.tolist())), axis, x)
    return winners_of(x, axis) / np.expand_dims(1 + x.shape[axis] - different, axis)


def close_to_zero_too(x, axis):
    hits = np.isclose(x, x.max(axis=axis, keepdims=True), rtol=0)
    return hits / hits.sum(axis=axis, keepdims=True)


def never_below(x, axis):
    """A search that begins with a number that is low, and not low enough."""
    hits = (x == np.maximum(x.max(axis=axis, keepdims=True), -1e9)).astype(float)
    return hits / np.maximum(hits.sum(axis=axis, keepdims=True), 1.0)


def last_winner(x, axis):
    return np.flip(first_winner(np.flip(x, axis), axis), axis)


def shared_by_all_winners(x, axis):
    return winners_of(x, axis) / winners_of(x, axis).sum()


def above_zero(x, axis):
    top = np.maximum(x.max(axis=axis, keepdims=True), 0.0)
    hits = (x == top).astype(float)
    return hits / np.maximum(hits.sum(axis=axis, keepdims=True), 1.0)


def other_axis(x, axis, g):
    return max_gradient(x, x.ndim - 1 - axis, g)


BANK = [
    wrong("every-winner-gets-all", max_with(winners_of), "the task: ties share equally",
          "Where two entries tie, both of them get the whole gradient.",
          "The maximum moves by one at most, so what its winners get must add up to what arrived."),
    wrong("first-winner-gets-all", max_with(first_winner), "the task: ties share equally",
          "Where two entries tie, only the first of them gets anything.",
          "`argmax` stops at the first. That is a convention, too, but not the one agreed on here."),
    wrong("nearly-equal-counts-as-equal", max_with(nearly_shared), "the task: ties share equally",
          "Entries that lie just below the largest get a part.",
          "`isclose` allows a little difference. A tie is equality, and the entry just below moves nothing."),
    wrong("all-repeats-share", max_with(shared_with_all_repeats), "the task: ties share equally",
          "A winner gets too little where other entries of its line are equal to each other.",
          "Only the largest share. Equal entries below them are no winners, and do not count."),
    wrong("tiny-differences-are-ties", max_with(close_to_zero_too), "the task: ties share equally",
          "Where all entries of a line are tiny, they share as if they were equal.",
          "`isclose` has a fixed allowance beside the relative one. A tie is equality."),
    wrong("best-begins-too-high", max_with(never_below),
          "notebook 05, section 5: a maximum hands all of g to the winner",
          "Right unless all entries of a line lie very far below zero; then nobody gets anything.",
          "A search for the largest begins with an entry of the line, or with minus infinity."),
    wrong("like-a-sum", max_with(lambda x, axis: np.ones(x.shape)), "notebook 05, section 5, the three matrices",
          "Every entry gets the gradient, winner or not.",
          "An entry below the maximum can move a little without anybody noticing."),
    wrong("like-a-mean", max_with(lambda x, axis: np.ones(x.shape) / x.shape[axis]),
          "notebook 05, section 5, the three matrices",
          "The gradient is shared by all entries, winner or not.",
          "An entry below the maximum can move a little without anybody noticing."),
    wrong("multiplies-by-the-value", max_with(lambda x, axis: shared(x, axis) * x),
          "notebook 05, section 5: a maximum hands all of g to the winner",
          "Your numbers are the right ones times the maximum itself.",
          "How large the maximum is does not matter for how fast it moves with its winner."),
    wrong("rewards-the-smallest", max_with(losers), "notebook 05, section 5: a maximum hands all of g to the winner",
          "The smallest entries get the gradient.",
          "It is the largest entry that the result follows."),
    wrong("last-winner-gets-all", max_with(last_winner), "the task: ties share equally",
          "Where two entries tie, only the last of them gets anything.",
          "A loop with `>=` forgets the earlier winners. That is a convention, too, but not the one agreed on here."),
    wrong("shared-by-the-winners-of-all-lines", max_with(shared_by_all_winners), "the task: ties share equally",
          "The winners are right, but each gets too little, by a number that is the same for the whole array.",
          "Only the winners of one line share; those of other lines have a maximum of their own."),
    wrong("best-begins-at-zero", max_with(above_zero), "notebook 05, section 5: a maximum hands all of g to the winner",
          "Lines without a positive entry get nothing; the others are right.",
          "A search for the largest that begins with 0 never sees a line of negative numbers."),
    wrong("along-another-axis", other_axis, "the docstring of the exercise: what `axis` means",
          "The winners are those of lines along another axis.",
          "`axis` is the one that the maximum removes: the entries that compete with each other differ along it."),
    wrong("one-winner-for-all", max_with(lambda x, axis: (x == x.max()) / (x == x.max()).sum()),
          "the docstring of the exercise: what `axis` means",
          "Only the largest entry of the whole array gets something.",
          "There is one maximum, and one winner, for each line along the axis."),
    wrong("shares-softly", max_with(soft_shares), "notebook 05, section 5: a maximum hands all of g to the winner",
          "Smaller entries get a part, in the proportions of a softmax.",
          "That is the gradient of a smooth maximum. The hard one knows winners only."),
    wrong("axis-does-not-come-back", lambda x, axis, g: shared(x, axis) * g,
          "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "The missing axis of g was left to NumPy, which adds it on the left.",
          "On most shapes that fails loudly. On square ones it quietly hands gradients to the wrong lines."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.6",
    title="Backward through a maximum",
    function="max_gradient",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 05, section 5, 'Sums, means and maxima'",
    reference=max_gradient,
    domain={
        "x": Array("... n k", ties=True),
        "axis": Number(whole=True, at_least=0),
        "g": Array("... m", all_zero=True),
    },
    meets={
        "two share": lambda x, axis: _winners(x, axis, 2).any(),
        "three share": lambda x, axis: _winners(x, axis, 3).any(),
        "all of a line share, and not of another": lambda x, axis: _level(x, axis),
        "a tie is below the largest of all": lambda x, axis: (_winners(x, axis, 2) & (x.max(axis) < x.max())).any(),
        "one value wins in two lines": lambda x, axis: (x.max(axis) == x.max()).sum() > 1,
        "the second is close behind": lambda x, axis: _margins(x, axis).min() < 2e-3,
        "whole numbers, and gradients that are none": lambda x, g: x.dtype.kind == "i" and (g % 1 != 0).any(),
        "the axis is the last of three, and gradients arrive": lambda x, axis, g: x.ndim == 3 and axis == 2 and g.any(),
        "the axis is the third of four": lambda x, axis: x.ndim == 4 and axis == 2,
        "the axis is the last of four": lambda x, axis: x.ndim == 4 and axis == 3,
        "entries below the largest are equal": lambda x, axis: (
            x.shape[axis] == 4 and x.ndim == 2 and any(len({*line}) < 4 and sum(line == line.max()) == 1 for line in x)
        ),
        "all entries of a line are tiny": lambda x, axis: (abs(x).max(axis) < 1e-8).any(),
        "all entries of a line are far below zero": lambda x, axis: (x.max(axis) < -1e9).any(),
        "more than 128 compete": lambda x, axis: x.shape[axis] > 128,
        "no entry is positive": lambda x: (x < 0).all(),
        "the largest of a line is 0": lambda x, axis: (x.max(axis) == 0).any(),
        "the axis is the last": lambda x, axis: axis == x.ndim - 1,
        "the axis stands in the middle": lambda x, axis: 0 < axis < x.ndim - 1,
        "the axis is the first of three": lambda x, axis: axis == 0 and x.ndim == 3,
        "the axis has length 1": lambda x, axis: x.shape[axis] == 1,
        "another axis has length 1": lambda x, axis: x.shape[axis] > 1 and 1 in x.shape,
        "the first of a line wins": lambda x, axis: (x.argmax(axis) == 0).any(),
        "the last of a line wins": lambda x, axis: (x.argmax(axis) == x.shape[axis] - 1).any(),
    },
    always={"entries of a line that are not equal differ within their first seven digits": _told_apart},
    visible=max_cases(FIXED),
    hidden=lambda rng: [*max_cases(rng), *every_way(rng)],
    accepted=[max_by_loops, max_by_where, max_by_moving, max_in_float32, max_by_package, max_by_sorting],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Which entries would move the maximum of their line if they grew a little?",
        "Find them by comparing x with its maximum along the axis, kept at length 1. Count them in each line, too.",
        "winners = (x == x.max(axis=axis, keepdims=True)); each winner gets g, given its axis back by "
        "np.expand_dims, divided by the number of winners in its line.",
    ),
)
