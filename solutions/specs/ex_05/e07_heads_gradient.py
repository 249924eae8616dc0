"""05.7 Undo a rearrangement."""

from __future__ import annotations

from itertools import product

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales


def heads_gradient(g):
    h, n, d = g.shape
    return g.transpose(1, 0, 2).reshape(n, h * d)


def heads_side_by_side(g):
    return np.hstack(list(g))


def heads_by_loops(g):
    h, n, d = g.shape
    out = np.zeros((n, h * d))
    for head in range(h):
        out[:, head * d : (head + 1) * d] = g[head]
    return out


def heads_by_lists(g):
    return [[share for head in g for share in head[row]] for row in range(g.shape[1])]


def heads_by_einsum(g):
    return np.einsum("hnd->nhd", np.float32(g)).reshape(g.shape[1], -1)


def heads_by_swapping(g):
    return np.concatenate(np.swapaxes(g, 0, 1), axis=None).reshape(g.shape[1], -1)


def heads_by_counting(g):
    """Each number's place in x, counted through."""
    h, n, d = g.shape
    head, word, column = np.unravel_index(np.arange(g.size), g.shape)
    out = np.empty(g.size)
    out[word * h * d + head * d + column] = g.ravel()
    return out.reshape(n, -1)


def heads_by_package(g):
    h, n, d = g.shape
    return gradients.vjp(lambda x: x.reshape(n, h, d).transpose(1, 0, 2), np.zeros((n, h * d)))[1](g)


def heads_cases(rng):
    shapes = ((2, 3, 2), (3, 2, 4), (2, 5, 3), (4, 3, 2), (3, 3, 3), (12, 2, 1), (2, 70, 1), (1, 2, 11))
    return [*(case(array(rng, *shape)) for shape in shapes), case(array(rng, 2, 3, 3) * scales(3))]


def every_shape(rng):
    """Lengths that are equal to each other, or to products of each other, and lengths of 1."""
    shapes = (*product((1, 2, 3), repeat=3), (2, 4, 2), (2, 2, 4), (4, 2, 2), (2, 3, 6), (2, 6, 3), (6, 2, 3))
    alike = np.tile(array(rng, 1, 1, 2), (3, 4, 1))
    return [*(case(array(rng, *shape)) for shape in shapes), case(alike)]


def heads_forward_again(g):
    h, n, d = g.shape
    return g.reshape(n, h, d).transpose(1, 0, 2).reshape(n, h * d)


def heads_column_by_column(g):
    return g.reshape(g.shape[1], -1, order="F")


def heads_sorted_as_text(g):
    return np.hstack([g[int(name)] for name in sorted(map(str, range(len(g))))])


BANK = [
    wrong("heads-sorted-as-text", heads_sorted_as_text, "the docstring of the exercise",
          "Right for up to ten heads; where there are more, head 10 stands before head 2.",
          "Names that end in numbers are sorted letter by letter. Sort by the numbers themselves."),
    wrong("eight-heads-at-most", lambda g: heads_gradient(g[:8]), "the docstring of the exercise",
          "Right for up to eight heads; further ones are missing.",
          "The number of heads stands in the shape of g."),
    wrong("reshape-is-not-transpose", lambda g: g.reshape(g.shape[1], -1),
          "notebook 05, section 6: the last one on comes off first",
          "The shape is right, but entries stand in the wrong rows.",
          "`reshape` reads all entries in their order in memory and cuts them anew; it never swaps two axes."),
    wrong("numbers-of-a-head-scattered", lambda g: g.transpose(1, 2, 0).reshape(g.shape[1], -1),
          "notebook 05, section 6: the inverse permutation",
          "Each row has the right entries, but the heads are interleaved.",
          "Forward, the columns of one head stood side by side. The axis of the heads must come before that of "
          "the columns."),
    wrong("all-axes-reversed", lambda g: g.T.reshape(g.shape[1], -1),
          "notebook 05, section 7: `.T` would reverse them all",
          "The shape is right, but almost every entry is somewhere else.",
          "`.T` reverses all three axes. Forward exchanged only the first two."),
    wrong("heads-added", lambda g: np.tile(g.sum(axis=0), (1, g.shape[0])),
          "notebook 05, section 6: rearranging copies no number",
          "Every head gets the sum over all heads.",
          "Splitting moves each number to one place. Nothing is copied, so nothing is added."),
    wrong("heads-on-top-of-each-other", lambda g: g.reshape(-1, g.shape[2]), "the docstring of the exercise",
          "The heads stand on top of each other instead of side by side.",
          "x has one row per word and all heads of that word in the same row."),
    wrong("heads-in-reverse-order", lambda g: np.hstack(list(g[::-1])),
          "notebook 05, section 6: the last one on comes off first",
          "The heads stand side by side in the opposite order.",
          "Undoing a rearrangement reverses the order of its steps, not that of the heads."),
    wrong("forward-once-more", heads_forward_again, "notebook 05, section 6: the last one on comes off first",
          "The shape is right, but entries stand in the wrong rows, as if g had been split into heads again.",
          "You repeated the forward steps in their order. g has been through them; begin with the last one."),
    wrong("read-column-by-column", heads_column_by_column, "notebook 05, section 6: the inverse permutation",
          "The shape is right, but entries stand in the wrong rows and columns.",
          "With order='F' the first axis runs fastest. Forward, the last one did."),
    wrong("mean-over-heads", lambda g: np.tile(g.mean(axis=0), (1, g.shape[0])),
          "notebook 05, section 6: rearranging copies no number",
          "Every head gets the mean over all heads.",
          "Splitting moves each number to one place. Nothing is copied, so nothing is averaged."),
    wrong("words-and-columns-exchanged", lambda g: g.transpose(0, 2, 1).reshape(-1, g.shape[1]),
          "notebook 05, section 1: a gradient has the shape of its variable",
          "Rows and columns are exchanged: words run from left to right.",
          "A gradient has the shape of its variable, and x has one row per word."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.7",
    title="Undo a rearrangement",
    function="heads_gradient",
    minutes=8,
    difficulty=2,
    points=2,
    see="notebook 05, section 6, 'Picking, repeating, rearranging'",
    reference=heads_gradient,
    domain={"g": Array("h n d", all_zero=True)},
    meets={
        "more than ten heads": lambda g: len(g) > 10,
        "more than 64 words": lambda g: g.shape[1] > 64,
        "more than ten columns": lambda g: g.shape[2] > 10,
        "numbers are very small and very large": lambda g: abs(g).min() < 1e-8 < 1e8 < abs(g).max(),
        "h, n and d all differ": lambda g: len({*g.shape}) == 3,
        "h, n and d are equal": lambda g: len({*g.shape}) == 1 and g.size > 1,
    },
    visible=heads_cases(FIXED),
    hidden=lambda rng: [*heads_cases(rng), *every_shape(rng)],
    integers=True,
    accepted=[
        heads_side_by_side,
        heads_by_loops,
        heads_by_lists,
        heads_by_einsum,
        heads_by_swapping,
        heads_by_package,
        heads_by_counting,
    ],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Nothing is computed here, numbers only move. Where does the entry g[head, word, column] come from?",
        "Forward came a reshape first and then a transpose. Backward undoes the transpose first, and then the reshape.",
        "Exchanging the first two axes is undone by exchanging them again. Then reshape to one row per word.",
    ),
)
