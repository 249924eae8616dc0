"""04.9 The price of an order."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def product_costs(sizes):
    forward = reverse = 0
    for k in range(2, len(sizes)):
        forward += sizes[k] * sizes[k - 1] * sizes[0]
        reverse += sizes[k - 1] * sizes[k - 2] * sizes[-1]
    return {"forward": forward, "reverse": reverse}


def costs_by_edges(sizes):
    edges = [a * b for a, b in pairwise(sizes)]
    return {"reverse": sizes[-1] * sum(edges[:-1]), "forward": sizes[0] * sum(edges[1:])}


def costs_by_matrices(sizes):
    shapes = [(m, n) for n, m in pairwise(sizes)]

    forward, columns = 0, shapes[0][1]
    for m, k in shapes[1:]:
        forward += m * k * columns
    reverse, rows = 0, shapes[-1][0]
    for k, n in shapes[-2::-1]:
        reverse += rows * k * n
    return {"forward": forward, "reverse": reverse}


def costs_numpy(sizes):
    s = np.array(sizes, dtype=float)
    return {"forward": s[0] * (s[1:-1] @ s[2:]), "reverse": s[-1] * (s[:-2] @ s[1:-1])}


def costs_recursive(sizes):
    def forward(s):
        return 0 if len(s) == 2 else forward(s[:-1]) + s[-1] * s[-2] * s[0]

    def reverse(s):
        return 0 if len(s) == 2 else reverse(s[1:]) + s[-1] * s[1] * s[0]

    return {"forward": forward(sizes), "reverse": reverse(sizes)}


def costs_difference(sizes):
    total = sum(a * b for a, b in pairwise(sizes))
    return {
        "forward": np.int64(sizes[0]) * (total - sizes[0] * sizes[1]),
        "reverse": np.int64(sizes[-1]) * (total - sizes[-1] * sizes[-2]),
    }


def costs_by_what_fits(sizes):
    shapes = [(m, n) for n, m in pairwise(sizes)]

    def multiply(order):
        total, (rows, columns) = 0, order[0]
        for m, n in order[1:]:
            total += m * n * columns if n == rows else rows * columns * n
            rows, columns = (m, columns) if n == rows else (rows, n)
        return total

    return {"forward": multiply(shapes), "reverse": multiply(shapes[::-1])}


def edges_of(sizes):
    return [a * b for a, b in pairwise(sizes)]


def sizes_of(rng, length):
    return [int(n) for n in rng.choice(np.arange(2, 16), size=length, replace=False)]


def costs_edges(rng):
    """Equal sizes, a single input, a bottleneck of one, as many outputs as inputs; many layers, and wide ones."""
    a, b, c = (int(n) for n in rng.choice(np.arange(3, 15), size=3, replace=False))
    twice = [[a, b, b, c], [b, a, c, a, b + 1], [c, b, a, b, c, a + 1], [a + 1, a, b, a, c, a, b]]
    small = [
        *map(case, twice),
        case([a, a, a, a]),
        case([1, b, c, a]),
        case([b, a, c, 1]),
        case([b, c, 1, a, b]),
        case([c, a, b, c]),
    ]
    odd = [int(n) for n in 2 * rng.choice(np.arange(500, 1000), size=3, replace=False) + 1]  # no digit to spare
    wide = int(rng.integers(4000, 9000))
    return [*small, case(sizes_of(rng, 12)), case(odd), case([wide, wide, wide])]


BANK = [
    wrong("the-two-exchanged",
          lambda sizes: dict(zip(("reverse", "forward"), product_costs(sizes).values(), strict=True)),
          "notebook 04, section 7, 'From which end?'",
          "The two numbers are right and exchanged.",
          "Forward begins at the input, so the number of inputs stays as the width of every product."),
    wrong("pays-for-the-first-matrix", lambda sizes: {
              "forward": sizes[0] * sum(edges_of(sizes)),
              "reverse": sizes[-1] * sum(edges_of(sizes)),
          }, "notebook 04, section 7, the drawing",
          "You also paid for the first matrix, as if it were multiplied by something.",
          "The first Jacobian is simply there. Three matrices need two multiplications."),
    wrong("one-vector-only", lambda sizes: {"forward": sum(edges_of(sizes)[1:]), "reverse": sum(edges_of(sizes)[:-1])},
          "notebook 04, section 7, 'Forward or reverse?'",
          "You counted the price of a single vector.",
          "The whole Jacobian takes one such sweep for every input, or for every output."),
    wrong("adds-for-multiplies", lambda sizes: {
              "forward": sum(a + b + sizes[0] for a, b in pairwise(sizes[1:])),
              "reverse": sum(a + b + sizes[-1] for a, b in pairwise(sizes[:-1])),
          }, "notebook 04, section 7, the drawing",
          "You added the lengths of a product where they multiply.",
          "An m×k matrix times a k×n one has m n entries, and each of them takes k multiplications."),
    wrong("counts-entries", lambda sizes: {
              "forward": sum(n * sizes[0] for n in sizes[2:]),
              "reverse": sum(n * sizes[-1] for n in sizes[:-2]),
          }, "notebook 04, section 7, the drawing",
          "You counted the entries of each product, not the multiplications in them.",
          "Each entry is an inner product; it takes as many multiplications as the two matrices share."),
    wrong("only-neighbours", lambda sizes: dict.fromkeys(
              ("forward", "reverse"), sum(a * b * c for a, b, c in zip(sizes, sizes[1:], sizes[2:], strict=False))
          ), "notebook 04, section 7, the drawing",
          "You multiplied each Jacobian with its neighbour, and nothing with the result.",
          "After the first product a new matrix is there, and its shape decides the price of the next one."),
    wrong("one-product-short", lambda sizes: {
              "forward": sizes[0] * sum(edges_of(sizes)[1:-1]),
              "reverse": sizes[-1] * sum(edges_of(sizes)[1:-1]),
          }, "notebook 04, section 7, the drawing",
          "One product is missing at the end.",
          "L matrices take L - 1 multiplications; for three sizes there is one."),
    wrong("inputs-stay-in-both", lambda sizes: product_costs(sizes) | {"reverse": sizes[0] * sum(edges_of(sizes)[:-1])},
          "notebook 04, section 7, 'From which end?'",
          "Your `forward` is right; your `reverse` carries the number of inputs along.",
          "Reverse begins at the output, so another width stays until the end."),
    wrong("first-product-only", lambda sizes: {
              "forward": math.prod(sizes[:3]), "reverse": math.prod(sizes[-3:]),
          }, "notebook 04, section 7, the drawing",
          "You counted the first product of each order and stopped.",
          "The result is multiplied on, once for each matrix that is left."),
    wrong("on-the-side-that-fits", costs_by_what_fits, "notebook 04, section 4, 'The square trap'",
          "Right while all sizes differ; where some are equal, matrices are multiplied on the wrong side.",
          "You let the shapes decide on which side a matrix belongs. Equal sizes fit on both."),
    wrong("found-by-its-size", lambda sizes: product_costs(sizes) | {
              "reverse": sizes[-1] * sum(n * sizes[sizes.index(n) - 1] for n in sizes[1:-1]),
          }, "notebook 04, section 7, the drawing",
          "Where a size comes twice, the neighbours of the first one are taken both times.",
          "`index` finds the first place of a number. Go through the sizes by their places."),
    wrong("counts-sweeps", lambda sizes: {"forward": sizes[0], "reverse": sizes[-1]},
          "notebook 04, section 7, 'Forward or reverse?'",
          "You counted the sweeps.",
          "The number of sweeps is right. Each of them costs something, and that is asked for."),
    wrong("everything-times-everything", lambda sizes: dict.fromkeys(("forward", "reverse"), math.prod(sizes)),
          "notebook 04, section 7, the drawing",
          "You multiplied all sizes with each other.",
          "Multiplications of the steps add up: first one product, then the next."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.9",
    title="The price of an order",
    function="product_costs",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 04, section 7, 'From which end?'",
    reference=product_costs,
    integers=True,
    domain={"sizes": Array("sizes>=3<=12", whole=True, at_least=1, at_most=10_000)},
    meets={
        "one input": lambda sizes: sizes[0] == 1,
        "one output": lambda sizes: sizes[-1] == 1,
        "a size of 1 in between": lambda sizes: 1 in sizes[1:-1],
        "all sizes are equal": lambda sizes: len(set(sizes)) == 1,
        "as many layers as there may be": lambda sizes: len(sizes) == 12,
        "neighbours of one size": lambda sizes: len(sizes) > 3 and sizes[1] == sizes[2] not in (sizes[0], sizes[3]),
        "a size comes back beside others": lambda sizes: any(
            n == m and abs(i - j) > 1 and sizes[i - 1] != sizes[j - 1] and sizes[i + 1] != sizes[j + 1]
            for i, n in enumerate(sizes[1:-1], 1)
            for j, m in enumerate(sizes[1:-1], 1)
        ),
        "a count is beyond float32": lambda sizes: (
            math.prod(sizes[:3]) > 2**24 and sizes[0] % 2 and len(set(sizes)) > 1
        ),
        "a count is beyond int32": lambda sizes: math.prod(sizes[:3]) > 2**32,
        "as many outputs as inputs": lambda sizes: sizes[0] == sizes[-1] and len(set(sizes)) > 1,
    },
    visible=[
        case([3, 4, 2]),
        case([50, 40, 30, 1]),
        case([2, 30, 20, 10]),
        case([6, 5, 7, 4, 8]),
        *costs_edges(np.random.default_rng(49)),
    ],
    hidden=lambda rng: [*(case(sizes_of(rng, length)) for length in (3, 4, 5, 6)), *costs_edges(rng)],
    accepted=[costs_by_edges, costs_by_matrices, costs_numpy, costs_recursive, costs_difference],
    bank=BANK,
    rtol=1e-12,  # counts are exact
    hints=(
        "Draw the chain for sizes [3, 4, 2]: J1 has shape 4×3 and J2 has shape 2×4. One product, in either order: how "
        "many multiplications?",
        "An m×k matrix times a k×n one takes m·k·n. In forward order the running product always has sizes[0] columns; "
        "in reverse order it always has sizes[-1] rows.",
        "Forward: for each Jacobian after the first, rows times columns times sizes[0]. Reverse: for each one before "
        "the last, rows times columns times sizes[-1].",
    ),
)
