"""05.2 A layer, for batches of any shape."""

from __future__ import annotations

from itertools import product

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales, settled


def layer_gradients(X, W, G):
    leading = tuple(range(X.ndim - 1))
    return {"X": G @ W, "W": np.tensordot(G, X, (leading, leading)), "b": G.sum(axis=leading)}


def layer_flattened(X, W, G):
    m, d = W.shape
    x, g = X.reshape(-1, d), G.reshape(-1, m)
    return {"X": (g @ W).reshape(X.shape), "W": g.T @ x, "b": np.ones(len(g)) @ g}


def layer_by_einsum(X, W, G):
    front = "abcefg"[: X.ndim - 1]
    return {
        "X": np.einsum(f"{front}m,md->{front}d", G, W),
        "W": np.einsum(f"{front}m,{front}d->md", G, X),
        "b": np.einsum(f"{front}m->m", G),
    }


def layer_by_loops(X, W, G):
    X_bar, W_bar, b_bar = np.zeros(X.shape), np.zeros(W.shape), np.zeros(len(W))
    for place in np.ndindex(X.shape[:-1]):
        X_bar[place] = W.T @ G[place]
        W_bar += np.outer(G[place], X[place])
        b_bar += G[place]
    return {"X": X_bar, "W": W_bar, "b": b_bar}


def layer_one_by_one(X, W, G):
    W_bar, b_bar = np.swapaxes(G, -1, -2) @ X, G
    while W_bar.ndim > 2:
        W_bar = W_bar.sum(axis=0)
    while b_bar.ndim > 1:
        b_bar = b_bar.sum(axis=0)
    return {"X": np.matmul(G, W), "W": W_bar, "b": b_bar.tolist()}


def layer_in_float32(X, W, G):
    return layer_gradients(*(np.float32(a) for a in (X, W, G)))


def layer_by_package(X, W, G):
    point = {"X": X, "W": W, "b": np.zeros(len(W))}
    return gradients.vjp(lambda p: p["X"] @ p["W"].T + p["b"], point)[1](G)


def layer_cases(rng):
    shapes = (((4, 3), 2), ((4, 3), 3), ((3, 2), 3), ((3, 3), 3), ((2, 3, 4), 5), ((2, 3, 3), 3), ((3, 1, 2, 4), 3))
    shapes = (*shapes, ((2, 4, 3), 4), ((2, 2, 1, 3, 2), 3))
    far_apart = array(rng, 4, 3) * scales(3), array(rng, 2, 3) / scales(3), array(rng, 4, 2) * scales(4)[:, None]
    return [
        *(case(array(rng, *x), array(rng, m, x[-1]), array(rng, *x[:-1], m)) for x, m in shapes),
        case(*far_apart),
    ]


def small_and_alike(rng):
    """Leading axes of every kind, as many examples as features or outputs, and examples that are alike or nothing."""
    fronts = [front for axes in (1, 2, 3) for front in product((1, 2), repeat=axes)]
    fronts += [(3,), (3, 3), (2, 3), (3, 2), (2, 2, 2, 2), (1, 2, 1, 2), (3, 3, 3), (2, 1, 2, 1, 2, 2)]
    sizes = ((2, 2), (3, 3), (1, 2), (2, 1))
    x, g = array(rng, 4, 3, 2), array(rng, 4, 3, 3)
    x[1:3], g[1:3] = x[0], g[0]
    x[3, :2], g[3, 1:] = 0.0, 0.0
    return [
        case(array(rng, 130, 2), array(rng, 3, 2), array(rng, 130, 3)),
        case(x, array(rng, 3, 2), g),
        case(x[0] * 0.0, array(rng, 3, 2), g[0]),
        *(
            case(array(rng, *front, d), array(rng, m, d), array(rng, *front, m))
            for k, front in enumerate(fronts)
            for d, m in (sizes if len(front) < 3 else sizes[k % 2 :: 2])
        ),
    ]


def layer_axis_by_axis(X, W, G):
    """One leading axis after the other, as a loop over sub-batches."""
    if X.ndim == 2:
        return {"X": np.dot(G, W), "W": (X.T @ G).T, "b": np.add.reduce(G)}
    parts = [layer_axis_by_axis(x, W, g) for x, g in zip(X, G, strict=True)]
    return {"X": [part["X"] for part in parts]} | {name: sum(part[name] for part in parts) for name in ("W", "b")}


def layer_up_to_four_axes(X, W, G):
    found = layer_gradients(X, W, G)
    return found | {name: layer_gradients(X[0], W, G[0])[name] for name in ("W", "b") if X.ndim > 4}


def layer_with(**parts):
    return lambda X, W, G: layer_gradients(X, W, G) | {name: part(X, W, G) for name, part in parts.items()}


def layer_reshaped(X, W, G):
    m, d = W.shape
    return layer_gradients(X, W, G) | {"W": G.reshape(m, -1) @ X.reshape(d, -1).T}


BANK = [
    wrong("other-layout", layer_with(W=lambda X, W, G: layer_gradients(X, W, G)["W"].T),
          "'Larger arrays: swap the letters', and the task: the layer multiplies by W transposed",
          "The gradient of W has rows and columns exchanged.",
          "Here W is stored as (outputs, inputs), as PyTorch does. Its gradient has to be stored in the same way."),
    wrong("transposes-the-weights-again", layer_with(X=lambda X, W, G: G @ W.T),
          "notebook 05, section 1, the boxed rule, with W replaced by its transpose",
          "The gradient of X uses W transposed, as the forward pass does.",
          "The forward pass multiplies by W transposed; going back transposes once more."),
    wrong("bias-not-summed", layer_with(b=lambda X, W, G: G),
          "notebook 05, section 4, 'A bias is broadcast'",
          "The gradient of b is G itself.",
          "The bias was copied to every example, and each copy sends its report."),
    wrong("bias-summed-over-the-first-axis-only", layer_with(b=lambda X, W, G: G.sum(axis=0)),
          "notebook 05, section 4: the added axes are summed away, all of them",
          "The gradient of b is right for matrices and has axes left over for larger batches.",
          "b was copied along every axis except the last one."),
    wrong("bias-averaged", layer_with(b=lambda X, W, G: G.reshape(-1, G.shape[-1]).mean(axis=0)),
          "notebook 05, section 5, 'Sum or mean over the batch?'",
          "The gradient of b is too small by the number of examples.",
          "The same b serves all examples, and what they report is added. A mean belongs to the loss, if it has one."),
    wrong("bias-summed-over-outputs", layer_with(b=lambda X, W, G: G.sum(axis=-1)),
          "notebook 05, section 4: a gradient has the shape of its variable",
          "The gradient of b has one number per example in place of one per output.",
          "The last axis counts the outputs, and each output has a bias of its own."),
    wrong("one-weight-gradient-per-batch", layer_with(W=lambda X, W, G: np.swapaxes(G, -1, -2) @ X),
          "notebook 05, section 7: the words of five sentences",
          "The gradient of W is right for matrices and has the batch axes left over for larger arrays.",
          "All batches share one W. A product with @ keeps the leading axes; nobody has summed over them yet."),
    wrong("weights-averaged", layer_with(W=lambda X, W, G: layer_gradients(X, W, G)["W"] / (G.size / G.shape[-1])),
          "notebook 05, section 5, 'Sum or mean over the batch?'",
          "The gradient of W is too small by the number of examples.",
          "The same W serves all examples, and what they report is added. A mean belongs to the loss, if it has one."),
    wrong("for-matrices-only", layer_with(W=lambda X, W, G: G.T @ X, b=lambda X, W, G: G.sum(axis=0)),
          "notebook 05, section 7: transpose the last two axes",
          "It works for a matrix X and fails as soon as there is one more axis in front.",
          "`.T` reverses all axes, and a sum over axis 0 leaves the others standing."),
    wrong("one-gradient-per-batch",
          layer_with(W=lambda X, W, G: np.swapaxes(G, -1, -2) @ X, b=lambda X, W, G: G.sum(axis=0)),
          "notebook 05, section 7: the words of five sentences",
          "The gradients of W and b are right for matrices and have axes left over for larger arrays.",
          "W and b were copied along every leading axis, so every leading axis has to be summed away."),
    wrong("reshaped-where-transposed", layer_reshaped, "notebook 05, section 6: the last one on comes off first",
          "The gradient of W has the right shape, and pairs numbers that do not belong together.",
          "`reshape` cuts all entries anew in their order in memory; it does not put the last axis first."),
    wrong("inputs-stay-flat", layer_with(X=lambda X, W, G: G.reshape(-1, len(W)) @ W),
          "notebook 05, section 1: a gradient has the shape of its variable",
          "The gradient of X has lost its leading axes, or all but one of them.",
          "You flattened the examples into one axis to use the rule for matrices. The way back is missing."),
    wrong("up-to-four-axes", layer_up_to_four_axes, "the docstring of the exercise",
          "Right for up to three leading axes; where there are more, only the first block counts.",
          "Any number of axes may stand in front. A rule for two, three and four of them ends at the fifth."),
    wrong("first-batch-only", layer_with(W=lambda X, W, G: G.reshape(-1, *G.shape[-2:])[0].T
                                         @ X.reshape(-1, *X.shape[-2:])[0]),
          "notebook 05, section 4: gradients of what is shared are sums over examples",
          "The gradient of W is right for a matrix, and knows of the first matrix only where there are more.",
          "The same W serves all leading axes, and each place sends its report back."),
    wrong("bias-keeps-axes", layer_with(b=lambda X, W, G: G.sum(axis=tuple(range(G.ndim - 1)), keepdims=True)),
          "notebook 05, section 4: a gradient has the shape of its variable",
          "The gradient of b has the right numbers, with axes of length 1 in front.",
          "b has one axis. What was added on the left while broadcasting goes away again."),
    wrong("ignores-what-arrives", lambda X, W, G: layer_gradients(X, W, np.ones_like(G)),
          "notebook 05, section 1: upstream × local",
          "Your gradients do not depend on the values in G.",
          "Those are the gradients of the sum of all outputs. What comes after the layer may weigh them differently."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.2",
    title="A layer, for batches of any shape",
    function="layer_gradients",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 05, section 7, 'Larger arrays: swap the letters'",
    reference=layer_gradients,
    domain={"X": Array("... n d"), "W": Array("m d"), "G": Array("... n m")},
    meets={
        "four leading axes": lambda X: X.ndim == 5,
        "numbers are very small and very large": lambda X, G: all(
            abs(a).min() < 1e-8 < 1e8 < abs(a).max() for a in (X, G)
        ),
        "a leading axis in the middle has length 1": lambda X: 1 in X.shape[1:-2],
        "examples, features and outputs are equally many": lambda X, W: len({*X.shape[-2:], *W.shape}) == 1,
        "a matrix X, as many features as outputs": lambda X, W: X.ndim == 2 and len({*W.shape, len(X)}) == 2,
        "a matrix X, as many examples as outputs": lambda X, W: X.ndim == 2 and len(X) == len(W) != W.shape[1],
    },
    visible=layer_cases(FIXED),
    hidden=lambda rng: [*layer_cases(rng), *settled(layer_gradients, small_and_alike(rng))],
    accepted=[
        layer_flattened,
        layer_by_einsum,
        layer_by_loops,
        layer_one_by_one,
        layer_in_float32,
        layer_by_package,
        layer_axis_by_axis,
    ],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Solve it for a matrix X first. The layer is a matrix product with W transposed, so section 1 gives you "
        "two of the three gradients.",
        "All leading axes count examples, in one way or another. W and b are shared by all of them, so both "
        "gradients sum over all leading axes.",
        "Reshape X and G so that only one leading axis is left (reshape(-1, last)), use the rules for matrices, "
        "and give the gradient of X its old shape.",
    ),
)
