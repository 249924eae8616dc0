"""05.1 Backward through a matrix product."""

from __future__ import annotations

from itertools import product

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales, settled


def matmul_gradients(X, W, G):
    return {"X": G @ W.T, "W": X.T @ G}


def matmul_by_loops(X, W, G):
    X_bar, W_bar = np.zeros(X.shape), np.zeros(W.shape)
    for n in range(X.shape[0]):
        for d in range(X.shape[1]):
            for m in range(W.shape[1]):
                X_bar[n, d] += G[n, m] * W[d, m]
                W_bar[d, m] += X[n, d] * G[n, m]
    return {"X": X_bar, "W": W_bar}


def matmul_by_einsum(X, W, G):
    return {"X": np.einsum("nm,dm->nd", G, W), "W": np.einsum("nd,nm->dm", X, G)}


def matmul_by_outer_products(X, W, G):
    return {"X": [W @ g for g in G], "W": sum(np.outer(x, g) for x, g in zip(X, G, strict=True))}


def matmul_transposed_twice(X, W, G):
    return {"X": (W @ G.T).T.tolist(), "W": (G.T @ X).T.tolist()}


def matmul_in_float32(X, W, G):
    X, W, G = (np.float32(a) for a in (X, W, G))
    return {"X": np.dot(G, W.T), "W": np.dot(X.T, G)}


def matmul_by_package(X, W, G):
    X_bar, W_bar = gradients.vjp(lambda p: p[0] @ p[1], (X, W))[1](G)
    return {"X": X_bar, "W": W_bar}


def matmul_cases(rng):
    far_apart = array(rng, 4, 3) * scales(3), array(rng, 3, 2) / scales(3)[:, None], array(rng, 4, 2)
    return [
        *(case(array(rng, n, d), array(rng, d, m), array(rng, n, m)) for n, d, m in SIZES),
        case(far_apart[0], far_apart[1], far_apart[2] * scales(4)[:, None]),
        case(whole(rng, 2, 3), whole(rng, 3, 4), array(rng, 2, 4)),
    ]


def small_and_alike(rng):
    """Rows, columns and squares of every kind, and examples that are the same twice."""
    x, g, same = array(rng, 1, 3), array(rng, 1, 2), array(rng, 3, 3)
    return [
        case(array(rng, 130, 2), array(rng, 2, 1), array(rng, 130, 1)),
        *(case(array(rng, n, d), array(rng, d, m), array(rng, n, m)) for n, d, m in product((1, 2, 3), repeat=3)),
        case(np.repeat(x, 4, axis=0), array(rng, 3, 2), np.repeat(g, 4, axis=0)),
        case(same, same.copy(), same.copy()),
    ]


SIZES = ((2, 3, 4), (3, 3, 3), (4, 2, 3), (1, 5, 2), (2, 2, 2), (2, 9, 12))


def whole(rng, *shape):
    return rng.choice([-3, -2, 2, 3, 4], shape)


def matmul_by_columns(X, W, G):
    return {"X": sum(np.outer(g, w) for g, w in zip(G.T, W.T, strict=True)), "W": np.stack([X.T @ g for g in G.T], 1)}


def matmul_into_its_like(X, W, G):
    """Buffers of the inputs' type; whole numbers cut off what comes after the point."""
    found = {"X": np.zeros_like(X), "W": np.zeros_like(W)}
    found["X"][...], found["W"][...] = G @ W.T, X.T @ G
    return found


def matmul_with(X=lambda X, W, G: G @ W.T, W=lambda X, W, G: X.T @ G):
    of_x, of_w = X, W
    return lambda X, W, G: {"X": of_x(X, W, G), "W": of_w(X, W, G)}


def matmul_by_what_fits(X, W, G):
    def first(shape, *products):
        for left, right in products:
            if left.shape[1] == right.shape[0] and (left.shape[0], right.shape[1]) == shape:
                return left @ right
        return np.zeros(shape)

    return {
        "X": first(X.shape, (W, G), (G, W), (W.T, G), (G, W.T)),
        "W": first(W.shape, (X, G), (G, X), (G, X.T), (X.T, G)),
    }


BANK = [
    wrong("weights-from-the-wrong-side", matmul_with(W=lambda X, W, G: G @ X.T),
          "notebook 05, section 3, 'The square-matrix trap'",
          "The gradient of W fits only where the matrices are square, and there it is wrong.",
          "You multiplied X and G in the other order. For square matrices both orders fit, and shapes cannot warn"
          " you."),
    wrong("inputs-from-the-wrong-side", matmul_with(X=lambda X, W, G: W.T @ G),
          "notebook 05, section 3, 'The square-matrix trap'",
          "The gradient of X fits only where the matrices are square, and there it is wrong.",
          "You multiplied W and G in the other order. For square matrices both orders fit, and shapes cannot warn"
          " you."),
    wrong("inputs-without-transpose", matmul_with(X=lambda X, W, G: G @ W),
          "notebook 05, section 1, the sum for one entry of X",
          "The gradient of X uses W as it is.",
          "An entry of X meets a whole row of W on its way forward, so that row has to meet a row of G on the way"
          " back."),
    wrong("weights-without-transpose", matmul_with(W=lambda X, W, G: X @ G),
          "notebook 05, section 1, the two sums with letters",
          "The gradient of W uses X as it is.",
          "An entry of W meets a whole column of X, one number per example, so the sum must run over examples."),
    wrong("no-transpose-at-all", matmul_with(X=lambda X, W, G: G @ W, W=lambda X, W, G: X @ G),
          "notebook 05, section 1, the two sums with letters",
          "Both gradients use the matrices as they are, and fit only where these are square.",
          "Products of numbers go back by swapping the factors. For matrices, rows and columns have to be swapped"
          " as well."),
    wrong("weights-turned-round", matmul_with(W=lambda X, W, G: G.T @ X),
          "notebook 05, section 1: a gradient has the shape of its variable",
          "The gradient of W has rows and columns exchanged.",
          "A gradient has the shape of its variable; an optimizer will subtract it entry by entry."),
    wrong("ignores-what-arrives",
          matmul_with(X=lambda X, W, G: np.ones_like(G) @ W.T, W=lambda X, W, G: X.T @ np.ones_like(G)),
          "notebook 05, section 1: upstream × local",
          "Your gradients do not depend on the values in G.",
          "Those are the gradients of the sum of all entries of Y. What comes after Y may weigh them differently."),
    wrong("names-exchanged", lambda X, W, G: {"X": X.T @ G, "W": G @ W.T}, "notebook 05, section 1, the boxed rule",
          "The gradients of X and W stand under each other's name.",
          "The formula with W in it is the one for X: a product hands to each factor the other one."),
    wrong("averages-over-examples", matmul_with(W=lambda X, W, G: X.T @ G / len(X)),
          "notebook 05, section 5, 'Sum or mean over the batch?'",
          "The gradient of W is too small by the number of examples.",
          "W is used once for each example, and uses add. A mean belongs to the loss, if it has one."),
    wrong("whatever-fits", matmul_by_what_fits, "notebook 05, section 3, 'The square-matrix trap'",
          "Right wherever only one product fits, and wrong where several do, as for square matrices.",
          "Shapes can rule a product out; they cannot say which of two that fit is the gradient."),
    wrong("entry-by-entry", matmul_with(W=lambda X, W, G: np.outer(X.sum(axis=0), G.sum(axis=0))),
          "notebook 05, section 1, the two sums with letters",
          "The gradient of W is made of sums over X and sums over G, multiplied afterwards.",
          "Each example multiplies its own row of X by its own row of G; only then do the examples add up."),
    wrong("cut-to-whole-numbers", matmul_into_its_like, "the example of the task",
          "Right where X and W hold floats; where they hold whole numbers, your gradients do as well.",
          "`np.zeros_like(X)` is an array of the type of X, and whole numbers take nothing after the point."),
    wrong("first-example-only", matmul_with(W=lambda X, W, G: np.outer(X[0], G[0])),
          "notebook 05, section 4: gradients of what is shared are sums over examples",
          "The gradient of W knows of the first example only.",
          "The same W serves all rows of X, and each of them sends its report back."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.1",
    title="Backward through a matrix product",
    function="matmul_gradients",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 05, section 1, 'One matrix product, entry by entry'",
    reference=matmul_gradients,
    domain={"X": Array("n d"), "W": Array("d m"), "G": Array("n m", all_zero=True)},
    meets={
        "all matrices are square": lambda X, W: X.shape == W.shape and len(X) > 1,
        "sizes beyond 8": lambda W: min(W.shape) > 8,
        "numbers are very small and very large": lambda X, G: all(
            abs(a).min() < 1e-8 < 1e8 < abs(a).max() for a in (X, G)
        ),
        "matrices of whole numbers, and gradients that are none": lambda X, W, G: (
            X.dtype.kind == W.dtype.kind == "i" != G.dtype.kind
        ),
        "n, d and m all differ": lambda X, W: len({*X.shape, W.shape[1]}) == 3,
    },
    visible=matmul_cases(FIXED),
    hidden=lambda rng: [*matmul_cases(rng), *settled(matmul_gradients, small_and_alike(rng))],
    integers=True,
    accepted=[
        matmul_by_loops,
        matmul_by_einsum,
        matmul_by_outer_products,
        matmul_transposed_twice,
        matmul_in_float32,
        matmul_by_package,
        matmul_by_columns,
    ],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Begin with one entry of X. In which entries of Y does it occur, and with which weights?",
        "Write both as sums: the gradient of X at (n, d) sums over m, that of W at (d, m) sums over n. Which "
        "matrix products are these?",
        "Each gradient is a product of G with the other matrix transposed. G stands on the side on which its own "
        "shape fits: compare with the shape that must come out, for three different sizes.",
    ),
)
