"""05.3 Undo a broadcast."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Listing, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales, settled


def unbroadcast(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return g.sum(axis=stretched, keepdims=True)


def unbroadcast_by_padding(g, shape):
    padded = (1,) * (g.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (have, want) in enumerate(zip(g.shape, padded, strict=True)) if have != want)
    return np.sum(g, axis=axes).reshape(shape)


def unbroadcast_by_loops(g, shape):
    out = np.zeros(shape)
    for place in np.ndindex(g.shape):
        kept = place[g.ndim - len(shape) :]
        out[tuple(0 if length == 1 else i for i, length in zip(kept, shape, strict=True))] += g[place]
    return out


def unbroadcast_by_scatter(g, shape):
    out = np.zeros(math.prod(shape))
    np.add.at(out, np.broadcast_to(np.arange(out.size).reshape(shape), g.shape), g)
    return out.reshape(shape)


def unbroadcast_axis_by_axis(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            g = g.sum(axis=axis)
            g = np.expand_dims(g, axis)
    return g.tolist()


def unbroadcast_in_float32(g, shape):
    return unbroadcast(np.float32(g), shape)


def unbroadcast_by_einsum(g, shape):
    kept = g.shape[g.ndim - len(shape) :]
    letters = "abcdefgh"[: g.ndim]
    own = zip(letters[g.ndim - len(shape) :], kept, shape, strict=True)
    return np.einsum(f"{letters}->{''.join(c for c, n, m in own if n == m)}", g).reshape(shape)


def unbroadcast_by_package(g, shape):
    return gradients.vjp(lambda v: np.broadcast_to(v, g.shape), np.zeros(shape))[1](g)


def unbroadcast_cases(rng):
    pairs = (
        ((2, 3), (3,)),
        ((2, 4), (2, 1)),
        ((3, 2, 4), (1, 4)),
        ((2, 3, 2), (2, 3, 2)),
        ((3, 2, 2, 3), (2, 1)),
        ((2, 3), ()),
        ((2, 5, 1, 3), (5, 1, 1)),
        ((3, 3), (3, 1)),
        ((2, 4, 3), (2, 1, 3)),
        ((4, 2, 3), (1, 2, 1)),
        ((1, 4), (4,)),
        ((3, 1), (1, 1)),
        ((5,), (1,)),
        ((3, 3), (3,)),
        ((3, 3, 3), (3, 1, 3)),
        ((2, 3, 2, 3), (2, 3)),
        ((3, 2, 4, 2), (2,)),
        ((2, 1, 3, 2, 3), (2, 1)),
        ((130, 2), (1, 2)),
    )
    return [
        *(case(array(rng, *large), small) for large, small in pairs),
        case(array(rng, 6, 3) * scales(6)[:, None], (6, 1)),
    ]


def every_way(rng):
    """Axes that are added and stretched in every combination, where all lengths are one, and where some are 1."""
    large = ((1,), (2,), (1, 1), (2, 2), (1, 1, 1), (2, 2, 2), (2, 1, 2), (2, 2, 2, 2))
    ways = {
        (lengths, tuple(1 if one else n for one, n in zip(ones, lengths[len(lengths) - axes :], strict=True)))
        for lengths in large
        for axes in range(len(lengths) + 1)
        for ones in product((True, False), repeat=axes)
    }
    many = (((130,), ()), ((7, 5), (1, 1)), ((4, 3, 5), ()), ((3, 4, 5), (1, 1, 1)), ((2, 3, 2, 4, 2, 2), (2, 1, 1, 2)))
    return [*(case(array(rng, *lengths), shape) for lengths, shape in (*many, *sorted(ways)))]


def added_axes(g, shape):
    return tuple(range(g.ndim - len(shape)))


def stretched_axes(g, shape):
    added = g.ndim - len(shape)
    return tuple(added + axis for axis, length in enumerate(shape) if length == 1)


def _stretched(g, shape):
    """The axes of the small shape along which its entries were copied."""
    large = g.shape[g.ndim - len(shape) :]
    return [axis for axis, (n, length) in enumerate(zip(large, shape, strict=True)) if length == 1 < n]


def unbroadcast_to_the_left(g, shape):
    g = g.sum(axis=tuple(range(len(shape), g.ndim)))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def unbroadcast_by_first(g, shape):
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(0, 1) if length == 1 else slice(None) for length in shape)]


def unbroadcast_folding(g, shape):
    return g.reshape(-1, *shape).sum(axis=0)


def unbroadcast_losing_its_place(g, shape):
    g = g.sum(axis=added_axes(g, shape))
    for axis, length in enumerate(shape):
        if length == 1:
            g = g.sum(axis=axis)
    return g.reshape(shape)


def unbroadcast_one_axis(g, shape):
    if g.ndim > len(shape):
        g = g.sum(axis=0)
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def unbroadcast_by_lengths(g, shape):
    """Looks for the small shape's lengths among those of g, from the left."""
    kept, at = [], 0
    for length in shape:
        if length in g.shape[at:]:
            at = g.shape.index(length, at)
            kept.append(at)
            at += 1
    return unbroadcast(g, shape) if len(kept) < len(shape) else g.sum(axis=tuple({*range(g.ndim)} - {*kept}))


def unbroadcast_two_added(g, shape):
    while g.ndim > len(shape) + 2:
        g = g[0]
    return unbroadcast(g, shape)


BANK = [
    wrong("axes-found-by-their-length", unbroadcast_by_lengths,
          "notebook 05, section 4: line the shapes up at the right",
          "Right where all lengths differ; where g has a length twice, the wrong axis is kept.",
          "Which axes belong together is said by their places, counted from the right, and not by their lengths."),
    wrong("two-added-axes-at-most", unbroadcast_two_added,
          "notebook 05, section 4: the two parts of the broadcasting rule",
          "One or two added axes are summed away; of further ones only the first entry counts.",
          "The large array may have any number of axes that the small one lacks."),
    wrong("forgets-stretched-axes", lambda g, shape: g.sum(axis=added_axes(g, shape)),
          "notebook 05, section 4: the two parts of the broadcasting rule",
          "Axes that were added are summed away, but axes of length 1 come back at their full length.",
          "An axis of length 1 was stretched, that is, its one entry was copied as well."),
    wrong("forgets-added-axes", lambda g, shape: g.sum(axis=stretched_axes(g, shape), keepdims=True),
          "notebook 05, section 4: the two parts of the broadcasting rule",
          "Stretched axes are summed, but axes that were added on the left are still there.",
          "Where the small shape has no axis at all, its whole array was copied along it."),
    wrong("drops-axes-of-length-one", lambda g, shape: g.sum(axis=added_axes(g, shape) + stretched_axes(g, shape)),
          "notebook 05, section 4: stretched axes are summed to length 1",
          "The numbers are right, but axes of length 1 are gone.",
          "A gradient has the shape of its variable, with its axes of length 1; (2, 1) and (2,) broadcast "
          "differently."),
    wrong("sums-everything", lambda g, shape: np.full(shape, g.sum()),
          "notebook 05, section 4: gradients add where a value fans out",
          "Every entry is the sum of all of g.",
          "Only copies of one and the same entry add up; different entries stay apart."),
    wrong("averages-the-copies", lambda g, shape: unbroadcast(g, shape) * (max(1, math.prod(shape)) / g.size),
          "notebook 05, section 4: gradients add where a value fans out",
          "Your numbers are means over the copies.",
          "If an entry moves by one, all of its copies move by one, and all of their effects come together."),
    wrong("takes-the-first-copy", unbroadcast_by_first, "notebook 05, section 4: gradients add where a value fans out",
          "Your gradient is that of the first copy alone.",
          "The copies are equal, but the gradients that arrive at them are not."),
    wrong("takes-the-largest-copy", lambda g, shape: np.max(
              g, axis=added_axes(g, shape) + stretched_axes(g, shape), keepdims=True
          ).reshape(shape), "notebook 05, section 4: gradients add where a value fans out",
          "Your gradient is the largest of those that arrive at the copies.",
          "No copy wins here; all of them are used, so all of them report."),
    wrong("lines-up-at-the-left", unbroadcast_to_the_left, "notebook 05, section 4: line the shapes up at the right",
          "The shapes were lined up at the left.",
          "NumPy lines shapes up at the right: (3,) fits beside (2, 3), not beside (3, 2)."),
    wrong("folds-into-the-shape", unbroadcast_folding, "notebook 05, section 6: the last one on comes off first",
          "The shape is right, but where an axis was stretched, entries of different rows are added.",
          "`reshape` cuts all entries anew in their order in memory. Copies along an inner axis do not lie that way."),
    wrong("loses-its-place", unbroadcast_losing_its_place,
          "notebook 05, section 4: stretched axes are summed to length 1",
          "One stretched axis works; with two of them the second is looked for at the wrong place, or not found.",
          "A sum removes its axis, and all later ones move up by one."),
    wrong("one-added-axis-only", unbroadcast_one_axis, "notebook 05, section 4: the two parts of the broadcasting rule",
          "One added axis is summed away; where there are two of them, one is left over.",
          "The large array may have several axes that the small one lacks."),
    wrong("hands-it-on", lambda g, shape: g.copy(), "notebook 05, section 4: a gradient has the shape of its variable",
          "You returned g as it arrived.",
          "It has the shape of the large array. The variable is smaller, and each of its entries was used several"
          " times."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.3",
    title="Undo a broadcast",
    function="unbroadcast",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 05, section 4, 'A bias is broadcast'",
    reference=unbroadcast,
    domain={"g": Array("... n"), "shape": Listing("axes>=0", Number(whole=True, at_least=1))},
    meets={
        "nothing was broadcast": lambda g, shape: g.shape == shape,
        "three axes were added": lambda g, shape: shape and g.ndim - len(shape) == 3,
        "five axes": lambda g: g.ndim == 5,
        "a square, of which one axis was added": lambda g, shape: g.shape == (3, 3) and shape == (3,),
        "a cube, stretched in the middle": lambda g, shape: len({*g.shape}) == 1 and _stretched(g, shape) == [1],
        "the shape stands in g twice": lambda g, shape: g.shape == (*shape, *shape),
        "more than 128 copies": lambda g: len(g) > 128,
        "numbers are very small and very large": lambda g: abs(g).min() < 1e-8 < 1e8 < abs(g).max(),
        "two axes were added": lambda g, shape: shape and g.ndim - len(shape) > 1,
        "an axis was added that has length 1": lambda g, shape: g.ndim > len(shape) and g.shape[0] == 1,
        "axes were added and stretched": lambda g, shape: g.ndim > len(shape) and _stretched(g, shape),
        "the first axis was stretched": lambda g, shape: 0 in _stretched(g, shape),
        "an axis in the middle was stretched": lambda g, shape: _stretched(g, shape) == [1] and len(shape) == 3,
        "the last axis was stretched": lambda g, shape: len(shape) - 1 in _stretched(g, shape),
        "two axes were stretched, with another between them": lambda g, shape: _stretched(g, shape) == [0, 2],
        "an axis of length 1 was not stretched": lambda g, shape: shape.count(1) > len(_stretched(g, shape)),
        "all lengths are 1": lambda shape: shape and set(shape) == {1},
        "a square was stretched": lambda g, shape: g.shape == (3, 3) and _stretched(g, shape),
    },
    visible=unbroadcast_cases(FIXED),
    hidden=lambda rng: [*unbroadcast_cases(rng), *settled(unbroadcast, every_way(rng))],
    integers=True,
    accepted=[
        unbroadcast_by_padding,
        unbroadcast_by_loops,
        unbroadcast_by_scatter,
        unbroadcast_axis_by_axis,
        unbroadcast_in_float32,
        unbroadcast_by_package,
        unbroadcast_by_einsum,
    ],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Which entries of g belong to copies of one and the same entry of the small array?",
        "Do it in two steps: first the axes that the small shape does not have (they are on the left), then those "
        "in which it has length 1.",
        "The added axes are the first g.ndim - len(shape). Sum them away. Then sum over each axis with "
        "shape[axis] == 1 and keep that axis (keepdims=True).",
    ),
)
