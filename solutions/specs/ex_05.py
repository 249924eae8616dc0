"""Chapter 05, tensor backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that shapes do not catch, or catch only sometimes: formulas that fit square matrices, a
gradient that is not summed over its copies, an axis that comes back in the wrong place, an index that repeats.
"""

import math

import numpy as np

from coursepkg import gradients
from coursepkg.autodiff.tensor import Tensor as PackageTensor
from coursepkg.grading.spec import Exercise, Misconception, case


def array(rng, *shape):
    """Numbers of both signs, none near zero, with few digits so that feedback reads well."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.4, 2.5, shape), 2)


FIXED = np.random.default_rng(505)

# --- 05.1 a matrix product -------------------------------------------------------------------------------------------


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
    return [case(array(rng, n, d), array(rng, d, m), array(rng, n, m)) for n, d, m in SIZES]


SIZES = ((2, 3, 4), (3, 3, 3), (4, 2, 3), (1, 5, 2), (2, 2, 2))


def matmul_with(X=lambda X, W, G: G @ W.T, W=lambda X, W, G: X.T @ G):
    of_x, of_w = X, W
    return lambda X, W, G: {"X": of_x(X, W, G), "W": of_w(X, W, G)}


MATMUL = Exercise(
    id="05.1",
    title="Backward through a matrix product",
    function="matmul_gradients",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 05, section 1, 'One matrix product, entry by entry'",
    reference=matmul_gradients,
    visible=matmul_cases(FIXED),
    hidden=matmul_cases,
    accepted=[
        matmul_by_loops,
        matmul_by_einsum,
        matmul_by_outer_products,
        matmul_transposed_twice,
        matmul_in_float32,
        matmul_by_package,
    ],
    bank=[
        Misconception(
            id="weights-from-the-wrong-side",
            answer=matmul_with(W=lambda X, W, G: G @ X.T),
            looks_like="The gradient of W fits only where the matrices are square, and there it is wrong.",
            why=(
                "You multiplied X and G in the other order. For square matrices both orders fit, and shapes cannot "
                "warn you."
            ),
            look_at="notebook 05, section 3, 'The square-matrix trap'",
        ),
        Misconception(
            id="inputs-from-the-wrong-side",
            answer=matmul_with(X=lambda X, W, G: W.T @ G),
            looks_like="The gradient of X fits only where the matrices are square, and there it is wrong.",
            why=(
                "You multiplied W and G in the other order. For square matrices both orders fit, and shapes cannot "
                "warn you."
            ),
            look_at="notebook 05, section 3, 'The square-matrix trap'",
        ),
        Misconception(
            id="inputs-without-transpose",
            answer=matmul_with(X=lambda X, W, G: G @ W),
            looks_like="The gradient of X uses W as it is.",
            why=(
                "An entry of X meets a whole row of W on its way forward, so that row has to meet a row of G on the "
                "way back."
            ),
            look_at="notebook 05, section 1, the sum for one entry of X",
        ),
        Misconception(
            id="weights-without-transpose",
            answer=matmul_with(W=lambda X, W, G: X @ G),
            looks_like="The gradient of W uses X as it is.",
            why="An entry of W meets a whole column of X, one number per example, so the sum must run over examples.",
            look_at="notebook 05, section 1, the two sums with letters",
        ),
        Misconception(
            id="no-transpose-at-all",
            answer=matmul_with(X=lambda X, W, G: G @ W, W=lambda X, W, G: X @ G),
            looks_like="Both gradients use the matrices as they are, and fit only where these are square.",
            why=(
                "Products of numbers go back by swapping the factors. For matrices, rows and columns have to be "
                "swapped as well."
            ),
            look_at="notebook 05, section 1, the two sums with letters",
        ),
        Misconception(
            id="weights-turned-round",
            answer=matmul_with(W=lambda X, W, G: G.T @ X),
            looks_like="The gradient of W has rows and columns exchanged.",
            why="A gradient has the shape of its variable; an optimizer will subtract it entry by entry.",
            look_at="notebook 05, section 1: a gradient has the shape of its variable",
        ),
        Misconception(
            id="ignores-what-arrives",
            answer=matmul_with(X=lambda X, W, G: np.ones_like(G) @ W.T, W=lambda X, W, G: X.T @ np.ones_like(G)),
            looks_like="Your gradients do not depend on the values in G.",
            why=(
                "Those are the gradients of the sum of all entries of Y. What comes after Y may weigh them differently."
            ),
            look_at="notebook 05, section 1: upstream × local",
        ),
        Misconception(
            id="names-exchanged",
            answer=lambda X, W, G: {"X": X.T @ G, "W": G @ W.T},
            looks_like="The gradients of X and W stand under each other's name.",
            why="The formula with W in it is the one for X: a product hands to each factor the other one.",
            look_at="notebook 05, section 1, the boxed rule",
        ),
        Misconception(
            id="averages-over-examples",
            answer=matmul_with(W=lambda X, W, G: X.T @ G / len(X)),
            looks_like="The gradient of W is too small by the number of examples.",
            why="W is used once for each example, and uses add. A mean belongs to the loss, if it has one.",
            look_at="notebook 05, section 5, 'Sum or mean over the batch?'",
        ),
        Misconception(
            id="first-example-only",
            answer=matmul_with(W=lambda X, W, G: np.outer(X[0], G[0])),
            looks_like="The gradient of W knows of the first example only.",
            why="The same W serves all rows of X, and each of them sends its report back.",
            look_at="notebook 05, section 4: gradients of what is shared are sums over examples",
        ),
    ],
    hints=(
        "Begin with one entry of X. In which entries of Y does it occur, and with which weights?",
        "Write both as sums: the gradient of X at (n, d) sums over m, that of W at (d, m) sums over n. Which "
        "matrix products are these?",
        "Each gradient is a product of G with the other matrix transposed. G stands on the side on which its own "
        "shape fits: compare with the shape that must come out, for three different sizes.",
    ),
)


# --- 05.2 a layer over any number of leading axes --------------------------------------------------------------------


def layer_gradients(X, W, G):
    leading = tuple(range(X.ndim - 1))
    return {"X": G @ W, "W": np.tensordot(G, X, (leading, leading)), "b": G.sum(axis=leading)}


def layer_flattened(X, W, G):
    m, d = W.shape
    x, g = X.reshape(-1, d), G.reshape(-1, m)
    return {"X": (g @ W).reshape(X.shape), "W": g.T @ x, "b": np.ones(len(g)) @ g}


def layer_by_einsum(X, W, G):
    front = "abc"[: X.ndim - 1]
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
    shapes = (((4, 3), 2), ((2, 3, 4), 5), ((2, 3, 3), 3), ((3, 1, 2, 4), 3), ((2, 4, 3), 4))
    return [case(array(rng, *x), array(rng, m, x[-1]), array(rng, *x[:-1], m)) for x, m in shapes]


def layer_with(**parts):
    return lambda X, W, G: layer_gradients(X, W, G) | {name: part(X, W, G) for name, part in parts.items()}


LAYER = Exercise(
    id="05.2",
    title="A layer, for batches of any shape",
    function="layer_gradients",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 05, section 7, 'Larger arrays: swap the letters'",
    reference=layer_gradients,
    visible=layer_cases(FIXED),
    hidden=layer_cases,
    accepted=[layer_flattened, layer_by_einsum, layer_by_loops, layer_one_by_one, layer_in_float32, layer_by_package],
    bank=[
        Misconception(
            id="other-layout",
            answer=layer_with(W=lambda X, W, G: layer_gradients(X, W, G)["W"].T),
            looks_like="The gradient of W has rows and columns exchanged.",
            why=(
                "Here W is stored as (outputs, inputs), as PyTorch does. Its gradient has to be stored in the same way."
            ),
            look_at="the task: the layer multiplies by W transposed",
        ),
        Misconception(
            id="transposes-the-weights-again",
            answer=layer_with(X=lambda X, W, G: G @ W.T),
            looks_like="The gradient of X uses W transposed, as the forward pass does.",
            why="The forward pass multiplies by W transposed; going back transposes once more.",
            look_at="notebook 05, section 1, the boxed rule, with W replaced by its transpose",
        ),
        Misconception(
            id="bias-not-summed",
            answer=layer_with(b=lambda X, W, G: G),
            looks_like="The gradient of b is G itself.",
            why="The bias was copied to every example, and each copy sends its report.",
            look_at="notebook 05, section 4, 'A broadcast copies forward, so it sums backward'",
        ),
        Misconception(
            id="bias-summed-over-the-first-axis-only",
            answer=layer_with(b=lambda X, W, G: G.sum(axis=0)),
            looks_like="The gradient of b is right for matrices and has axes left over for larger batches.",
            why="b was copied along every axis except the last one.",
            look_at="notebook 05, section 4: the added axes are summed away, all of them",
        ),
        Misconception(
            id="bias-averaged",
            answer=layer_with(b=lambda X, W, G: G.reshape(-1, G.shape[-1]).mean(axis=0)),
            looks_like="The gradient of b is too small by the number of examples.",
            why="Uses add. A mean belongs to the loss, if it has one.",
            look_at="notebook 05, section 5, 'Sum or mean over the batch?'",
        ),
        Misconception(
            id="bias-summed-over-outputs",
            answer=layer_with(b=lambda X, W, G: G.sum(axis=-1)),
            looks_like="The gradient of b has one number per example in place of one per output.",
            why="The last axis counts the outputs, and each output has a bias of its own.",
            look_at="notebook 05, section 4: a gradient has the shape of its variable",
        ),
        Misconception(
            id="one-weight-gradient-per-batch",
            answer=layer_with(W=lambda X, W, G: np.swapaxes(G, -1, -2) @ X),
            looks_like="The gradient of W is right for matrices and has the batch axes left over for larger arrays.",
            why="All batches share one W. A product with @ keeps the leading axes; nobody has summed over them yet.",
            look_at="notebook 05, section 7: the words of five sentences",
        ),
        Misconception(
            id="weights-averaged",
            answer=layer_with(W=lambda X, W, G: layer_gradients(X, W, G)["W"] / (G.size / G.shape[-1])),
            looks_like="The gradient of W is too small by the number of examples.",
            why="Uses add. A mean belongs to the loss, if it has one.",
            look_at="notebook 05, section 5, 'Sum or mean over the batch?'",
        ),
        Misconception(
            id="for-matrices-only",
            answer=layer_with(W=lambda X, W, G: G.T @ X, b=lambda X, W, G: G.sum(axis=0)),
            looks_like="It works for a matrix X and fails as soon as there is one more axis in front.",
            why="`.T` reverses all axes, and a sum over axis 0 leaves the others standing.",
            look_at="notebook 05, section 7: transpose the last two axes",
        ),
        Misconception(
            id="one-gradient-per-batch",
            answer=layer_with(W=lambda X, W, G: np.swapaxes(G, -1, -2) @ X, b=lambda X, W, G: G.sum(axis=0)),
            looks_like="The gradients of W and b are right for matrices and have axes left over for larger arrays.",
            why="W and b were copied along every leading axis, so every leading axis has to be summed away.",
            look_at="notebook 05, section 7: the words of five sentences",
        ),
        Misconception(
            id="ignores-what-arrives",
            answer=lambda X, W, G: layer_gradients(X, W, np.ones_like(G)),
            looks_like="Your gradients do not depend on the values in G.",
            why=(
                "Those are the gradients of the sum of all outputs. What comes after the layer may weigh them "
                "differently."
            ),
            look_at="notebook 05, section 1: upstream × local",
        ),
    ],
    hints=(
        "Solve it for a matrix X first. The layer is a matrix product with W transposed, so section 1 gives you "
        "two of the three gradients.",
        "All leading axes count examples, in one way or another. W and b are shared by all of them, so both "
        "gradients sum over all leading axes.",
        "Reshape X and G so that only one leading axis is left (reshape(-1, last)), use the rules for matrices, "
        "and give the gradient of X its old shape.",
    ),
)


# --- 05.3 undo a broadcast -------------------------------------------------------------------------------------------


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


def unbroadcast_by_package(g, shape):
    return gradients.vjp(lambda v: np.broadcast_to(v, g.shape), np.zeros(shape))[1](g)


def unbroadcast_cases(rng):
    pairs = (
        ((2, 3), (3,)),
        ((2, 4), (2, 1)),
        ((3, 2, 4), (1, 4)),
        ((2, 3, 2), (2, 3, 2)),
        ((4, 2, 3), (2, 1)),
        ((2, 3), ()),
        ((2, 5, 1, 3), (5, 1, 1)),
    )
    return [case(array(rng, *large), small) for large, small in pairs]


def added_axes(g, shape):
    return tuple(range(g.ndim - len(shape)))


def stretched_axes(g, shape):
    added = g.ndim - len(shape)
    return tuple(added + axis for axis, length in enumerate(shape) if length == 1)


def unbroadcast_to_the_left(g, shape):
    g = g.sum(axis=tuple(range(len(shape), g.ndim)))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def unbroadcast_by_first(g, shape):
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(0, 1) if length == 1 else slice(None) for length in shape)]


UNBROADCAST = Exercise(
    id="05.3",
    title="Undo a broadcast",
    function="unbroadcast",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 05, section 4, 'A broadcast copies forward, so it sums backward'",
    reference=unbroadcast,
    visible=unbroadcast_cases(FIXED),
    hidden=unbroadcast_cases,
    accepted=[
        unbroadcast_by_padding,
        unbroadcast_by_loops,
        unbroadcast_by_scatter,
        unbroadcast_axis_by_axis,
        unbroadcast_in_float32,
        unbroadcast_by_package,
    ],
    bank=[
        Misconception(
            id="forgets-stretched-axes",
            answer=lambda g, shape: g.sum(axis=added_axes(g, shape)),
            looks_like="Axes that were added are summed away, but axes of length 1 come back at their full length.",
            why="An axis of length 1 was stretched, that is, its one entry was copied as well.",
            look_at="notebook 05, section 4: the two parts of the broadcasting rule",
        ),
        Misconception(
            id="forgets-added-axes",
            answer=lambda g, shape: g.sum(axis=stretched_axes(g, shape), keepdims=True),
            looks_like="Stretched axes are summed, but axes that were added on the left are still there.",
            why="Where the small shape has no axis at all, its whole array was copied along it.",
            look_at="notebook 05, section 4: the two parts of the broadcasting rule",
        ),
        Misconception(
            id="drops-axes-of-length-one",
            answer=lambda g, shape: g.sum(axis=added_axes(g, shape) + stretched_axes(g, shape)),
            looks_like="The numbers are right, but axes of length 1 are gone.",
            why=(
                "A gradient has the shape of its variable, with its axes of length 1; (2, 1) and (2,) broadcast "
                "differently."
            ),
            look_at="notebook 05, section 4: stretched axes are summed to length 1",
        ),
        Misconception(
            id="sums-everything",
            answer=lambda g, shape: np.full(shape, g.sum()),
            looks_like="Every entry is the sum of all of g.",
            why="Only copies of one and the same entry add up; different entries stay apart.",
            look_at="notebook 05, section 4: gradients add where a value fans out",
        ),
        Misconception(
            id="averages-the-copies",
            answer=lambda g, shape: unbroadcast(g, shape) * (max(1, math.prod(shape)) / g.size),
            looks_like="Your numbers are means over the copies.",
            why="If an entry moves by one, all of its copies move by one, and all of their effects come together.",
            look_at="notebook 05, section 4: gradients add where a value fans out",
        ),
        Misconception(
            id="takes-the-first-copy",
            answer=unbroadcast_by_first,
            looks_like="Your gradient is that of the first copy alone.",
            why="The copies are equal, but the gradients that arrive at them are not.",
            look_at="notebook 05, section 4: gradients add where a value fans out",
        ),
        Misconception(
            id="takes-the-largest-copy",
            answer=lambda g, shape: np.max(
                g, axis=added_axes(g, shape) + stretched_axes(g, shape), keepdims=True
            ).reshape(shape),
            looks_like="Your gradient is the largest of those that arrive at the copies.",
            why="No copy wins here; all of them are used, so all of them report.",
            look_at="notebook 05, section 4: gradients add where a value fans out",
        ),
        Misconception(
            id="lines-up-at-the-left",
            answer=unbroadcast_to_the_left,
            looks_like="The shapes were lined up at the left.",
            why="NumPy lines shapes up at the right: (3,) fits beside (2, 3), not beside (3, 2).",
            look_at="notebook 05, section 4: line the shapes up at the right",
        ),
        Misconception(
            id="hands-it-on",
            answer=lambda g, shape: g.copy(),
            looks_like="You returned g as it arrived.",
            why=(
                "It has the shape of the large array. The variable is smaller, and each of its entries was used "
                "several times."
            ),
            look_at="notebook 05, section 4: a gradient has the shape of its variable",
        ),
    ],
    hints=(
        "Which entries of g belong to copies of one and the same entry of the small array?",
        "Do it in two steps: first the axes that the small shape does not have (they are on the left), then those "
        "in which it has length 1.",
        "The added axes are the first g.ndim - len(shape). Sum them away. Then sum over each axis with "
        "shape[axis] == 1 and keep that axis (keepdims=True).",
    ),
)


# --- 05.4 a mean over an axis ----------------------------------------------------------------------------------------


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


def mean_by_package(g, shape, axis, keepdims):
    return gradients.vjp(lambda x: x.mean(axis=axis, keepdims=keepdims), np.zeros(shape))[1](np.asarray(g))


def mean_cases(rng):
    return [
        case(array(rng, 3), (3, 3), 1, False),
        case(array(rng, 2, 4), (2, 3, 4), 1, False),
        case(array(rng, 2, 1), (2, 5), 1, True),
        case(array(rng, 4), (3, 4), 0, False),
        case(float(array(rng)), (2, 3), None, False),
        case(array(rng, 2, 2), (2, 2, 2), -1, False),
        case(array(rng, 1, 1, 1), (3, 1, 2), None, True),
        case(array(rng, 1, 3), (4, 3), 0, True),
    ]


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


MEAN = Exercise(
    id="05.4",
    title="Backward through a mean",
    function="mean_gradient",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 05, section 5, 'Sums, means and maxima'",
    reference=mean_gradient,
    visible=mean_cases(FIXED),
    hidden=mean_cases,
    accepted=[mean_by_tiling, mean_by_reshaping, mean_by_loops, mean_in_float32, mean_by_package],
    bank=[
        Misconception(
            id="forgets-to-divide",
            answer=mean_with(lambda g, shape, axis: 1.0),
            looks_like="Your gradient is that of a sum.",
            why="If one of n entries moves by one, their mean moves by less than one.",
            look_at="notebook 05, section 5: a mean over n",
        ),
        Misconception(
            id="divides-by-all-entries",
            answer=mean_with(lambda g, shape, axis: math.prod(shape)),
            looks_like="You divided by the number of all entries of x, whatever the axis.",
            why="Each mean is taken over one axis, so only the entries along that axis share it.",
            look_at="notebook 05, section 5: a mean over n",
        ),
        Misconception(
            id="divides-by-the-number-of-means",
            answer=mean_with(lambda g, shape, axis: np.size(g)),
            looks_like="You divided by the number of results.",
            why=(
                "How many means there are does not matter to any of them; what counts is how many entries went into "
                "each."
            ),
            look_at="notebook 05, section 5: a mean over n",
        ),
        Misconception(
            id="divides-by-the-first-length",
            answer=mean_with(whole_or(lambda g, shape, axis: shape[0])),
            looks_like="You divided by the length of the first axis, whichever axis was averaged.",
            why="The first axis often counts examples, but here the mean runs over the axis that was given.",
            look_at="notebook 05, section 5: a mean over n",
        ),
        Misconception(
            id="axis-does-not-come-back",
            answer=mean_with(whole_or(lambda g, shape, axis: shape[axis]), place=lambda g, axis: g),
            looks_like="Where keepdims is False, the missing axis was left to NumPy, which adds it on the left.",
            why="On most shapes that fails loudly. On square ones it quietly copies along the wrong axis.",
            look_at="notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
        ),
        Misconception(
            id="axis-comes-back-at-the-end",
            answer=mean_with(
                whole_or(lambda g, shape, axis: shape[axis]), place=lambda g, axis: np.asarray(g)[..., None]
            ),
            looks_like="Where keepdims is False, the missing axis always came back as the last one.",
            why="It was removed at another place, and the entries of g belong to the axes that stayed.",
            look_at="notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
        ),
        Misconception(
            id="all-to-the-first-entry",
            answer=mean_to_the_first,
            looks_like="One entry gets everything and the others get nothing.",
            why="That is what a maximum does. In a mean all entries take part alike.",
            look_at="notebook 05, section 5, the three matrices",
        ),
        Misconception(
            id="mixes-the-means",
            answer=lambda g, shape, axis, keepdims: np.full(shape, np.sum(g) / math.prod(shape)),
            looks_like="All entries get the same number.",
            why="Each entry went into one of the means only, and should hear from that one.",
            look_at="notebook 05, section 5, the three matrices",
        ),
    ],
    equivalent_mutants={"`np.sum` → `np.max`": "the mean of everything is one number, so g holds one"},
    hints=(
        "A sum copies its gradient to every summand. What does a mean do in addition?",
        "Give g the axis back that the mean removed (unless keepdims left it there), then copy along it.",
        "np.expand_dims(g, axis) puts the axis back; np.broadcast_to(..., shape) copies; then divide by "
        "shape[axis], or by the number of all entries where axis is None.",
    ),
)


# --- 05.5 an embedding -----------------------------------------------------------------------------------------------


def embedding_gradient(g, words, n_words):
    table = np.zeros((n_words, g.shape[-1]))
    np.add.at(table, words, g)
    return table


def embedding_by_loops(g, words, n_words):
    table = [[0.0] * g.shape[-1] for _ in range(n_words)]
    for place in np.ndindex(words.shape):
        for column, share in enumerate(g[place]):
            table[words[place]][column] += share
    return table


def embedding_by_one_hot(g, words, n_words):
    picked = np.eye(n_words)[words.reshape(-1)]
    return picked.T @ g.reshape(-1, g.shape[-1])


def embedding_by_mask(g, words, n_words):
    return np.array([g[words == word].sum(axis=0) for word in range(n_words)])


def embedding_by_bincount(g, words, n_words):
    flat = g.reshape(-1, g.shape[-1])
    return np.stack([np.bincount(words.ravel(), weights=column, minlength=n_words) for column in flat.T], axis=1)


def embedding_in_float32(g, words, n_words):
    return embedding_by_one_hot(np.float32(g), words, n_words).astype(np.float32)


def embedding_by_package(g, words, n_words):
    return gradients.vjp(lambda table: table[words], np.zeros((n_words, g.shape[-1])))[1](g)


def embedding_cases(rng):
    out = [case(array(rng, 3, 2), np.array([0, 2, 2]), 4)]
    for shape, n_words, d in (((5,), 4, 3), ((2, 4), 5, 2), ((3, 2), 3, 4), ((6,), 4, 2)):
        words = rng.integers(n_words, size=shape)
        words.flat[-1] = words.flat[0]
        words.flat[1] = n_words - 1
        out.append(case(array(rng, *shape, d), words, n_words))
    return out


def embedding_assigned(g, words, n_words):
    kept = np.zeros((n_words, g.shape[-1]))
    kept[words] = g
    return kept


def embedding_first(g, words, n_words):
    table = np.zeros((n_words, g.shape[-1]))
    flat = g.reshape(-1, g.shape[-1])
    for word, share in reversed(list(zip(words.ravel(), flat, strict=True))):
        table[word] = share
    return table


def embedding_averaged(g, words, n_words):
    counts = np.bincount(words.ravel(), minlength=n_words)
    return embedding_gradient(g, words, n_words) / np.maximum(counts, 1)[:, None]


def embedding_shifted(g, words, n_words):
    return np.roll(embedding_gradient(g, words, n_words), -1, axis=0)


def embedding_times_count(g, words, n_words):
    counts = np.bincount(words.ravel(), minlength=n_words)
    return embedding_assigned(g, words, n_words) * counts[:, None]


EMBEDDING = Exercise(
    id="05.5",
    title="Backward through an index",
    function="embedding_gradient",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 05, section 6, 'Picking, repeating, rearranging'",
    reference=embedding_gradient,
    visible=embedding_cases(FIXED),
    hidden=embedding_cases,
    accepted=[
        embedding_by_loops,
        embedding_by_one_hot,
        embedding_by_mask,
        embedding_by_bincount,
        embedding_in_float32,
        embedding_by_package,
    ],
    bank=[
        Misconception(
            id="last-repetition-wins",
            answer=embedding_assigned,
            looks_like="A word that occurs several times keeps only the gradient of its last occurrence.",
            why="`table[words] = g` overwrites, and so does `table[words] += g`: NumPy adds once and then assigns.",
            look_at="notebook 05, section 6: three ways to put gradients into a table",
        ),
        Misconception(
            id="first-repetition-wins",
            answer=embedding_first,
            looks_like="A word that occurs several times keeps only the gradient of its first occurrence.",
            why="Its row was used at each of these places, and every use reports.",
            look_at="notebook 05, section 6: row 2 fans out twice",
        ),
        Misconception(
            id="averages-repetitions",
            answer=embedding_averaged,
            looks_like="A word that occurs several times gets the mean of its gradients.",
            why="Moving its row moves all occurrences at once, so the effects add up.",
            look_at="notebook 05, section 6: row 2 fans out twice",
        ),
        Misconception(
            id="last-times-count",
            answer=embedding_times_count,
            looks_like="A word that occurs several times gets the gradient of its last occurrence, times the count.",
            why="The occurrences pick the same row, but different gradients arrive at them.",
            look_at="notebook 05, section 6: three ways to put gradients into a table",
        ),
        Misconception(
            id="counts-uses",
            answer=lambda g, words, n_words: embedding_gradient(np.ones_like(g), words, n_words),
            looks_like="Your table holds how often each word occurs.",
            why="Each occurrence sends back what arrived at it, not a one.",
            look_at="notebook 05, section 6: what is picked gets what arrives at its copy",
        ),
        Misconception(
            id="counts-from-one",
            answer=embedding_shifted,
            looks_like="Each gradient stands one row too high.",
            why="Word 0 picks the first row.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="everybody-gets-the-sum",
            answer=lambda g, words, n_words: np.tile(g.reshape(-1, g.shape[-1]).sum(axis=0), (n_words, 1)),
            looks_like="Every row of your table is the same.",
            why="A row hears only from the places where it was picked; a word that does not occur cannot matter.",
            look_at="notebook 05, section 6: what is not picked cannot matter",
        ),
        Misconception(
            id="picks-again",
            answer=lambda g, words, n_words: embedding_gradient(g, words, n_words)[words],
            looks_like="You picked once more: your result has one row per occurrence in place of one per word.",
            why="Forward picks from the table; backward goes the other way and puts into the table.",
            look_at="notebook 05, section 6: gather forward, scatter-add backward",
        ),
    ],
    hints=(
        "Begin with a table of zeros in the shape of the embedding. Which row does each arriving gradient belong to?",
        "If a word occurs three times, three gradients belong to its row. What do gradients do where a value fans out?",
        "A loop over all occurrences with += on a single row is right. np.add.at(table, words, g) does the same "
        "at once; table[words] += g does not.",
    ),
)


# --- 05.6 a maximum over an axis -------------------------------------------------------------------------------------


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
    for shape, axis in (((2, 3, 4), 1), ((4, 2), 0), ((2, 5), 1)):
        x = rng.permutation(math.prod(shape)).reshape(shape) / 2 - 3
        out.append(case(x, axis, array(rng, *(n for i, n in enumerate(shape) if i != axis))))
    return out


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


MAXIMUM = Exercise(
    id="05.6",
    title="Backward through a maximum",
    function="max_gradient",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 05, section 5, 'Sums, means and maxima'",
    reference=max_gradient,
    visible=max_cases(FIXED),
    hidden=max_cases,
    accepted=[max_by_loops, max_by_where, max_by_moving, max_in_float32, max_by_package],
    bank=[
        Misconception(
            id="every-winner-gets-all",
            answer=max_with(winners_of),
            looks_like="Where two entries tie, both of them get the whole gradient.",
            why="The maximum moves by one at most, so what its winners get must add up to what arrived.",
            look_at="the task: ties share equally",
        ),
        Misconception(
            id="first-winner-gets-all",
            answer=max_with(first_winner),
            looks_like="Where two entries tie, only the first of them gets anything.",
            why="`argmax` stops at the first. That is a convention, too, but not the one agreed on here.",
            look_at="the task: ties share equally",
        ),
        Misconception(
            id="like-a-sum",
            answer=max_with(lambda x, axis: np.ones(x.shape)),
            looks_like="Every entry gets the gradient, winner or not.",
            why="An entry below the maximum can move a little without anybody noticing.",
            look_at="notebook 05, section 5, the three matrices",
        ),
        Misconception(
            id="like-a-mean",
            answer=max_with(lambda x, axis: np.ones(x.shape) / x.shape[axis]),
            looks_like="The gradient is shared by all entries, winner or not.",
            why="An entry below the maximum can move a little without anybody noticing.",
            look_at="notebook 05, section 5, the three matrices",
        ),
        Misconception(
            id="multiplies-by-the-value",
            answer=max_with(lambda x, axis: shared(x, axis) * x),
            looks_like="Your numbers are the right ones times the maximum itself.",
            why="How large the maximum is does not matter for how fast it moves with its winner.",
            look_at="notebook 05, section 5: a maximum hands all of g to the winner",
        ),
        Misconception(
            id="rewards-the-smallest",
            answer=max_with(losers),
            looks_like="The smallest entries get the gradient.",
            why="It is the largest entry that the result follows.",
            look_at="notebook 05, section 5: a maximum hands all of g to the winner",
        ),
        Misconception(
            id="one-winner-for-all",
            answer=max_with(lambda x, axis: (x == x.max()) / (x == x.max()).sum()),
            looks_like="Only the largest entry of the whole array gets something.",
            why="There is one maximum, and one winner, for each line along the axis.",
            look_at="the docstring of the exercise: what `axis` means",
        ),
        Misconception(
            id="shares-softly",
            answer=max_with(soft_shares),
            looks_like="Smaller entries get a part, in the proportions of a softmax.",
            why="That is the gradient of a smooth maximum. The hard one knows winners only.",
            look_at="notebook 05, section 5: a maximum hands all of g to the winner",
        ),
        Misconception(
            id="axis-does-not-come-back",
            answer=lambda x, axis, g: shared(x, axis) * g,
            looks_like="The missing axis of g was left to NumPy, which adds it on the left.",
            why="On most shapes that fails loudly. On square ones it quietly hands gradients to the wrong lines.",
            look_at="notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
        ),
    ],
    hints=(
        "Which entries would move the maximum of their line if they grew a little?",
        "Find them by comparing x with its maximum along the axis, kept at length 1. Count them in each line, too.",
        "winners = (x == x.max(axis=axis, keepdims=True)); each winner gets g, given its axis back by "
        "np.expand_dims, divided by the number of winners in its line.",
    ),
)


# --- 05.7 the heads of an attention layer ----------------------------------------------------------------------------


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


def heads_by_package(g):
    h, n, d = g.shape
    return gradients.vjp(lambda x: x.reshape(n, h, d).transpose(1, 0, 2), np.zeros((n, h * d)))[1](g)


def heads_cases(rng):
    return [case(array(rng, *shape)) for shape in ((2, 3, 2), (3, 2, 4), (2, 5, 3), (4, 3, 2), (3, 3, 3))]


HEADS = Exercise(
    id="05.7",
    title="Undo a rearrangement",
    function="heads_gradient",
    minutes=8,
    difficulty=2,
    points=2,
    see="notebook 05, section 6, 'Picking, repeating, rearranging'",
    reference=heads_gradient,
    visible=heads_cases(FIXED),
    hidden=heads_cases,
    accepted=[
        heads_side_by_side,
        heads_by_loops,
        heads_by_lists,
        heads_by_einsum,
        heads_by_swapping,
        heads_by_package,
    ],
    bank=[
        Misconception(
            id="reshape-is-not-transpose",
            answer=lambda g: g.reshape(g.shape[1], -1),
            looks_like="The shape is right, but entries stand in the wrong rows.",
            why="`reshape` reads all entries in their order in memory and cuts them anew; it never swaps two axes.",
            look_at="notebook 05, section 6: the last one on comes off first",
        ),
        Misconception(
            id="numbers-of-a-head-scattered",
            answer=lambda g: g.transpose(1, 2, 0).reshape(g.shape[1], -1),
            looks_like="Each row has the right entries, but the heads are interleaved.",
            why=(
                "Forward, the columns of one head stood side by side. The axis of the heads must come before that of "
                "the columns."
            ),
            look_at="notebook 05, section 6: the inverse permutation",
        ),
        Misconception(
            id="all-axes-reversed",
            answer=lambda g: g.T.reshape(g.shape[1], -1),
            looks_like="The shape is right, but almost every entry is somewhere else.",
            why="`.T` reverses all three axes. Forward exchanged only the first two.",
            look_at="notebook 05, section 7: `.T` would reverse them all",
        ),
        Misconception(
            id="heads-added",
            answer=lambda g: np.tile(g.sum(axis=0), (1, g.shape[0])),
            looks_like="Every head gets the sum over all heads.",
            why="Splitting moves each number to one place. Nothing is copied, so nothing is added.",
            look_at="notebook 05, section 6: rearranging copies no number",
        ),
        Misconception(
            id="heads-on-top-of-each-other",
            answer=lambda g: g.reshape(-1, g.shape[2]),
            looks_like="The heads stand on top of each other instead of side by side.",
            why="x has one row per word and all heads of that word in the same row.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="heads-in-reverse-order",
            answer=lambda g: np.hstack(list(g[::-1])),
            looks_like="The heads stand side by side in the opposite order.",
            why="Undoing a rearrangement reverses the order of its steps, not that of the heads.",
            look_at="notebook 05, section 6: the last one on comes off first",
        ),
        Misconception(
            id="words-and-columns-exchanged",
            answer=lambda g: g.transpose(0, 2, 1).reshape(-1, g.shape[1]),
            looks_like="Rows and columns are exchanged: words run from left to right.",
            why="A gradient has the shape of its variable, and x has one row per word.",
            look_at="notebook 05, section 1: a gradient has the shape of its variable",
        ),
    ],
    hints=(
        "Nothing is computed here, numbers only move. Where does the entry g[head, word, column] come from?",
        "Forward came a reshape first and then a transpose. Backward undoes the transpose first, and then the reshape.",
        "Exchanging the first two axes is undone by exchanging them again. Then reshape to one row per word.",
    ),
)


# --- 05.8 einsum -----------------------------------------------------------------------------------------------------


def swapped(own, arriving, other, arriving_letters, other_letters):
    return np.einsum(arriving_letters + "," + other_letters + "->" + own, arriving, other)


def einsum_gradients(spec, a, b, g):
    left, right, out = spec.replace("->", ",").split(",")
    return swapped(left, g, b, out, right), swapped(right, g, a, out, left)


def einsum_by_split(spec, a, b, g):
    inputs, out = spec.split("->")
    first, second = inputs.split(",")
    return [np.einsum(f"{second},{out}->{first}", b, g), np.einsum(f"{first},{out}->{second}", a, g)]


def einsum_by_loops(spec, a, b, g):
    left, right, out = spec.replace("->", ",").split(",")
    lengths = dict(zip(left + right, a.shape + b.shape, strict=True))
    letters = list(lengths)
    a_bar, b_bar = np.zeros(a.shape), np.zeros(b.shape)
    for place in np.ndindex(*lengths.values()):
        at = dict(zip(letters, place, strict=True))
        i, j, k = (tuple(at[letter] for letter in word) for word in (left, right, out))
        a_bar[i] += b[j] * g[k]
        b_bar[j] += a[i] * g[k]
    return a_bar, b_bar


def einsum_by_columns(spec, a, b, g):
    def gradient(operand, of):
        shares = np.zeros(operand.size)
        for entry in range(operand.size):
            nudge = np.zeros(operand.size)
            nudge[entry] = 1.0
            shares[entry] = np.sum(g * of(nudge.reshape(operand.shape)))
        return shares.reshape(operand.shape)

    return gradient(a, lambda d: np.einsum(spec, d, b)), gradient(b, lambda d: np.einsum(spec, a, d))


def einsum_in_float32(spec, a, b, g):
    return einsum_by_split(spec, np.float32(a), np.float32(b), np.float32(g))


def einsum_by_package(spec, a, b, g):
    return gradients.vjp(lambda p: np.einsum(spec, p[0], p[1]), (a, b))[1](g)


def einsum_cases(rng):
    specs = ("ij,jk->ik", "nd,md->nm", "i,j->ij", "bij,bjk->bik", "btd,dm->btm", "zy,yx->xz", "ij,ij->ij")
    lengths = dict(zip("ijkndmbtxyz", rng.integers(2, 4, size=11), strict=True))
    lengths |= {"i": 3, "j": 2, "k": 4, "n": 2, "d": 4, "m": 3, "x": 2, "y": 3, "z": 4, "b": 2, "t": 3}
    out = []
    for spec in specs:
        shapes = [tuple(lengths[letter] for letter in word) for word in spec.replace("->", ",").split(",")]
        out.append(case(spec, *(array(rng, *shape) for shape in shapes)))
    return out


def letters_of(spec):
    return spec.replace("->", ",").split(",")


def einsum_elementwise(spec, a, b, g):
    left, right, out = letters_of(spec)
    return np.einsum(f"{out},{left}->{left}", g, a), np.einsum(f"{out},{right}->{right}", g, b)


def einsum_without_arrow(spec, a, b, g):
    left, right, out = letters_of(spec)
    return np.einsum(f"{out},{right}", g, b), np.einsum(f"{left},{out}", a, g)


def einsum_reversed(spec, a, b, g):
    return tuple(share.T for share in einsum_gradients(spec, a, b, g))


def einsum_as_matrices(spec, a, b, g):
    return g @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ g


def einsum_same_letters(spec, a, b, g):
    return np.einsum(spec, g, b), np.einsum(spec, a, g)


def einsum_swaps_second_only(spec, a, b, g):
    left, right, out = letters_of(spec)
    return np.einsum(f"{out},{right}->{left}", g, b), np.einsum(f"{out},{right}->{right}", g, b)


EINSUM = Exercise(
    id="05.8",
    title="Swap the letters",
    function="einsum_gradients",
    minutes=12,
    difficulty=3,
    points=4,
    see="notebook 05, section 7, 'Larger arrays: swap the letters'",
    reference=einsum_gradients,
    visible=einsum_cases(FIXED),
    hidden=einsum_cases,
    accepted=[einsum_by_split, einsum_by_loops, einsum_by_columns, einsum_in_float32, einsum_by_package],
    bank=[
        Misconception(
            id="own-operand-again",
            answer=einsum_elementwise,
            looks_like="Each gradient is built from the operand itself instead of the other one.",
            why="A product hands to each factor the other factor; that is as true for arrays as for numbers.",
            look_at="notebook 05, section 7: replace the operand by g",
        ),
        Misconception(
            id="leaves-the-arrow-out",
            answer=einsum_without_arrow,
            looks_like="It works for some letters and not for others.",
            why="Without `->` einsum sorts the letters of the result by the alphabet and sums those that occur twice.",
            look_at="notebook 05, section 7: the operand's own letters go to the right of the arrow",
        ),
        Misconception(
            id="letters-backwards",
            answer=einsum_reversed,
            looks_like="The axes of each gradient stand in the reverse order.",
            why="A gradient has the shape of its variable, so its letters stand in the same order.",
            look_at="notebook 05, section 7: the operand's own letters go to the right of the arrow",
        ),
        Misconception(
            id="always-a-matrix-product",
            answer=einsum_as_matrices,
            looks_like="Right for plain matrix products, wrong or impossible for the rest.",
            why="Other letters say other products, and the rule of section 1 belongs to one of them.",
            look_at="notebook 05, section 7: one rule for everything with a product in it",
        ),
        Misconception(
            id="letters-not-swapped",
            answer=einsum_same_letters,
            looks_like="You put g in the place of each operand and left the letters as they were.",
            why="g has the letters of the output. They have to come with it.",
            look_at="notebook 05, section 7: its letters by the output's",
        ),
        Misconception(
            id="second-from-itself",
            answer=einsum_swaps_second_only,
            looks_like="The second gradient is built from b instead of a.",
            why="A product hands to each factor the other factor: what b gets comes from a.",
            look_at="notebook 05, section 7: replace the operand by g",
        ),
        Misconception(
            id="results-exchanged",
            answer=lambda spec, a, b, g: einsum_gradients(spec, a, b, g)[::-1],
            looks_like="The two gradients stand in the wrong order.",
            why="The first belongs to a, although it is computed from b.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="ignores-what-arrives",
            answer=lambda spec, a, b, g: einsum_gradients(spec, a, b, np.ones_like(g)),
            looks_like="Your gradients do not depend on the values in g.",
            why="Those are the gradients of the sum of all entries. What comes after may weigh them differently.",
            look_at="notebook 05, section 1: upstream × local",
        ),
    ],
    hints=(
        "Cut the text apart first: the letters of a, of b and of the output. `split` does it.",
        "For the gradient of a: g takes the place of a and brings the output's letters along. Which letters must "
        "come out?",
        "a: output's letters, b's letters -> a's letters, with g and b. Then the same with the roles of a and b "
        "exchanged.",
    ),
)


# --- 05.9 a Tensor ---------------------------------------------------------------------------------------------------


class Start:
    """The engine that the exercise begins with; `type(self)` makes the results, so that each class keeps its own."""

    def __init__(self, data, parents=(), pull=lambda g: ()):
        self.data, self.grad = np.asarray(data), 0.0
        self.parents, self.pull = parents, pull

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), lambda g: (g, g))

    def backward(self, gradient):
        self.grad = self.grad + gradient
        for parent, share in zip(self.parents, self.pull(gradient), strict=True):
            parent.backward(share)


class Engine(Start):
    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))

    def __matmul__(self, other):
        return type(self)(self.data @ other.data, (self, other), lambda g: (g @ other.data.T, self.data.T @ g))

    def relu(self):
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g * (self.data > 0),))

    def sum(self, axis):
        shape = self.data.shape
        return type(self)(
            self.data.sum(axis=axis), (self,), lambda g: (np.broadcast_to(np.expand_dims(g, axis), shape),)
        )

    def rows(self, index):
        def pull(g):
            share = np.zeros(self.data.shape)
            np.add.at(share, list(index), g)
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


class EinsumEngine(Engine):
    """The same rules in letters."""

    def __matmul__(self, other):
        a, b = self.data, other.data
        return EinsumEngine(
            np.einsum("ij,jk->ik", a, b),
            (self, other),
            lambda g: (np.einsum("ik,jk->ij", g, b), np.einsum("ij,ik->jk", a, g)),
        )

    def sum(self, axis):
        letters = "ij"
        out, ones = letters.replace(letters[axis], ""), np.ones(self.data.shape[axis])
        return EinsumEngine(self.data.sum(axis), (self,), lambda g: (np.einsum(f"{out},{letters[axis]}->ij", g, ones),))


class OneHotEngine(Engine):
    """Picking and summing as products with fixed matrices."""

    def rows(self, index):
        picked = np.eye(len(self.data))[list(index)]
        return OneHotEngine(picked @ self.data, (self,), lambda g: (picked.T @ g,))

    def relu(self):
        gate = np.heaviside(self.data, 0.0)
        return OneHotEngine(self.data * gate, (self,), lambda g: (np.where(gate == 1, g, 0.0),))


class LoopEngine(Engine):
    """One entry at a time."""

    def sum(self, axis):
        def pull(g):
            share = np.empty(self.data.shape)
            for i, j in np.ndindex(share.shape):
                share[i, j] = g[j] if axis == 0 else g[i]
            return (share,)

        return LoopEngine(sum(list(self.data if axis == 0 else self.data.T)), (self,), pull)

    def rows(self, index):
        def pull(g):
            share = np.zeros_like(self.data)
            for row, arriving in zip(index, g, strict=True):
                share[row] += arriving
            return [share]

        return LoopEngine(np.stack([self.data[row] for row in index]), (self,), pull)


class ClosureEngine:
    """In the manner of micrograd: each node knows how to go back, and an order decides when."""

    def __init__(self, data, parents=()):
        self.data, self.parents = np.array(data), parents
        self.grad = np.zeros_like(self.data)
        self.go_back = lambda: None

    def make(self, data, *shares):
        out = ClosureEngine(data, tuple(parent for parent, _ in shares))

        def go_back():
            for parent, share in shares:
                parent.grad = parent.grad + share(out.grad)

        out.go_back = go_back
        return out

    def __add__(self, other):
        return self.make(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        return self.make(self.data * other.data, (self, lambda g: g * other.data), (other, lambda g: g * self.data))

    def __matmul__(self, other):
        return self.make(
            self.data @ other.data, (self, lambda g: (other.data @ g.T).T), (other, lambda g: (g.T @ self.data).T)
        )

    def relu(self):
        return self.make(self.data.clip(min=0), (self, lambda g: g * np.sign(self.data.clip(min=0))))

    def sum(self, axis):
        return self.make(self.data.sum(axis), (self, lambda g: np.stack([g] * self.data.shape[axis], axis)))

    def rows(self, index):
        index = np.array(index)
        rows = range(len(self.data))
        return self.make(self.data[index], (self, lambda g: np.stack([g[index == row].sum(axis=0) for row in rows])))

    def backward(self, gradient):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.array(gradient)
        for node in reversed(order):
            node.go_back()


class PackageEngine:
    """The course's own engine answers, too."""

    def __init__(self, data):
        self.tensor = data if isinstance(data, PackageTensor) else PackageTensor(data, requires_grad=True)

    data = property(lambda self: self.tensor.numpy())
    grad = property(lambda self: self.tensor.grad)

    def __add__(self, other):
        return PackageEngine(self.tensor + other.tensor)

    def __mul__(self, other):
        return PackageEngine(self.tensor * other.tensor)

    def __matmul__(self, other):
        return PackageEngine(self.tensor @ other.tensor)

    def relu(self):
        return PackageEngine(np.maximum(self.tensor, 0.0))

    def sum(self, axis):
        return PackageEngine(self.tensor.sum(axis=axis))

    def rows(self, index):
        return PackageEngine(self.tensor[list(index)])

    def backward(self, gradient):
        self.tensor.backward(gradient)


class KeepsItsOwnFactor(Engine):
    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), lambda g: (g * self.data, g * other.data))


class ProductWithoutTranspose(Engine):
    def __matmul__(self, other):
        return type(self)(self.data @ other.data, (self, other), lambda g: (g @ other.data, self.data @ g))


class ProductFromTheWrongSide(Engine):
    def __matmul__(self, other):
        return type(self)(self.data @ other.data, (self, other), lambda g: (other.data.T @ g, g @ self.data.T))


class ReluLooksAtTheGradient(Engine):
    def relu(self):
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g * (g > 0),))


class ReluMultipliesByItsOutput(Engine):
    def relu(self):
        out = np.maximum(self.data, 0.0)
        return type(self)(out, (self,), lambda g: (g * out,))


class ReluLetsAllThrough(Engine):
    def relu(self):
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g,))


class SumOnTheWrongAxis(Engine):
    def sum(self, axis):
        return type(self)(self.data.sum(axis=axis), (self,), lambda g: (np.broadcast_to(g, self.data.shape),))


class SumOfOnes(Engine):
    def sum(self, axis):
        return type(self)(self.data.sum(axis=axis), (self,), lambda g: (np.ones(self.data.shape),))


class SumLikeAMean(Engine):
    def sum(self, axis):
        shape = self.data.shape
        return type(self)(
            self.data.sum(axis=axis),
            (self,),
            lambda g: (np.broadcast_to(np.expand_dims(g, axis), shape) / shape[axis],),
        )


class RowsOverwrite(Engine):
    def rows(self, index):
        def pull(g):
            share = np.zeros(self.data.shape)
            share[list(index)] += g
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


class RowsInOrderOfArrival(Engine):
    def rows(self, index):
        def pull(g):
            share = np.zeros(self.data.shape)
            rows = min(len(g), len(share))
            share[:rows] = g[:rows]
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


x0, x1, x2 = ("var", 0), ("var", 1), ("var", 2)
LAYERED = ("matmul", ("relu", ("matmul", x0, x1)), x2)
REPEATED = ("rows", ("mul", x0, x0), ("const", (1, 0, 1)))
SQUARE = ("add", ("matmul", x0, x1), ("mul", x0, x1))


def away_from_the_kink(rng, *shapes):
    """Matrices whose product, or sum if they have one shape, holds nothing near zero, where relu has no slope."""
    while True:
        a, b = (array(rng, *shape) for shape in shapes)
        if np.abs(a + b if a.shape == b.shape else a @ b).min() > 0.02:
            return [a, b]


def engine_cases(rng):
    picked = ("rows", LAYERED, ("const", (2, 0, 2, 2)))
    return [
        case(("mul", x0, ("add", x0, x1)), [array(rng, 2, 3), array(rng, 2, 3)], array(rng, 2, 3)),
        case(SQUARE, [array(rng, 3, 3), array(rng, 3, 3)], array(rng, 3, 3)),
        case(LAYERED, [*away_from_the_kink(rng, (4, 3), (3, 5)), array(rng, 5, 2)], array(rng, 4, 2)),
        case(("sum", ("mul", x0, x1), ("const", 1)), [array(rng, 2, 4), array(rng, 2, 4)], array(rng, 2)),
        case(("sum", ("relu", ("add", x0, x1)), ("const", 0)), away_from_the_kink(rng, (4, 3), (4, 3)), array(rng, 3)),
        case(("sum", ("mul", x0, x0), ("const", 1)), [array(rng, 3, 3)], array(rng, 3)),
        case(REPEATED, [array(rng, 3, 2)], array(rng, 3, 2)),
        case(picked, [*away_from_the_kink(rng, (3, 2), (2, 4)), array(rng, 4, 3)], array(rng, 4, 3)),
    ]


ENGINE = Exercise(
    id="05.9",
    title="A Tensor of your own",
    function="Tensor",
    minutes=20,
    difficulty=3,
    points=5,
    see="notebook 05, section 8, 'Your own Tensor'",
    driver="tensor_expression",
    reference=Engine,
    visible=engine_cases(FIXED),
    hidden=engine_cases,
    accepted=[EinsumEngine, OneHotEngine, LoopEngine, ClosureEngine, PackageEngine],
    bank=[
        Misconception(
            id="product-keeps-its-own",
            answer=KeepsItsOwnFactor,
            looks_like="In `*` each factor gets its own entries instead of the other's.",
            why="Nudge an entry of one factor: the product moves by the entry that stands beside it in the other one.",
            look_at="notebook 05, section 8, the table of rules",
        ),
        Misconception(
            id="matrix-product-without-transpose",
            answer=ProductWithoutTranspose,
            looks_like="Matrix products go back without transposing, which fits only square matrices.",
            why="Going back swaps the factors as `*` does, and rows and columns as well.",
            look_at="notebook 05, section 1, the boxed rule",
        ),
        Misconception(
            id="matrix-product-from-the-wrong-side",
            answer=ProductFromTheWrongSide,
            looks_like="Matrix products go back with the factors in the wrong order, which fits only square matrices.",
            why="For square matrices both orders fit, and shapes cannot warn you.",
            look_at="notebook 05, section 3, 'The square-matrix trap'",
        ),
        Misconception(
            id="relu-looks-at-the-gradient",
            answer=ReluLooksAtTheGradient,
            looks_like="relu lets positive gradients through, whatever went in.",
            why="Where relu was open is decided in the forward pass, by its input.",
            look_at="notebook 05, section 8, the table of rules",
        ),
        Misconception(
            id="relu-multiplies-by-its-output",
            answer=ReluMultipliesByItsOutput,
            looks_like="relu multiplies the gradient by its own output.",
            why="Where it is open, the output moves exactly as the input does: the slope is 1, not the value.",
            look_at="notebook 05, section 8, the table of rules",
        ),
        Misconception(
            id="relu-lets-all-through",
            answer=ReluLetsAllThrough,
            looks_like="relu hands the whole gradient back, even where its input was negative.",
            why="Where the output stays at zero, nudging the input changes nothing.",
            look_at="notebook 05, section 8, the table of rules",
        ),
        Misconception(
            id="sum-on-the-wrong-axis",
            answer=SumOnTheWrongAxis,
            looks_like="After `sum(1)` the gradient comes back along the wrong axis, or not at all.",
            why="NumPy adds a missing axis on the left. The sum removed another one.",
            look_at="notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
        ),
        Misconception(
            id="sum-of-ones",
            answer=SumOfOnes,
            looks_like="A sum hands back ones, whatever arrives.",
            why="One is the local derivative. Downstream is upstream × local.",
            look_at="notebook 05, section 5: a sum copies backward",
        ),
        Misconception(
            id="sum-like-a-mean",
            answer=SumLikeAMean,
            looks_like="A sum hands back too little, by the length of its axis.",
            why="A gradient is no cake: each summand moves the sum by its whole nudge.",
            look_at="notebook 05, section 5: a sum copies backward",
        ),
        Misconception(
            id="rows-overwrite",
            answer=RowsOverwrite,
            looks_like="A row that is picked twice gets the gradient of one of its copies only.",
            why="`share[index] += g` adds once and then assigns; repetitions are lost.",
            look_at="notebook 05, section 6: three ways to put gradients into a table",
        ),
        Misconception(
            id="rows-in-order-of-arrival",
            answer=RowsInOrderOfArrival,
            looks_like="Gradients of picked rows are put into the first rows.",
            why="They belong to the rows that were picked.",
            look_at="notebook 05, section 6: gather forward, scatter-add backward",
        ),
    ],
    equivalent_mutants={"`self.data > 0` → `self.data >= 0`": "no input is exactly zero, where relu has no slope"},
    hints=(
        "Each operation is one line of NumPy forward and one function `pull` that returns a tuple with one "
        "gradient per parent. `__add__` shows the pattern.",
        "The rules are in section 8: `*` swaps, `@` swaps and transposes, relu looks at its input. A sum copies "
        "along the axis it removed, a pick adds into zeros.",
        "sum: give g its axis back with np.expand_dims, then np.broadcast_to the old shape. rows: zeros of the "
        "old shape, then np.add.at(zeros, index, g).",
    ),
)


EXERCISES = [MATMUL, LAYER, UNBROADCAST, MEAN, EMBEDDING, MAXIMUM, HEADS, EINSUM, ENGINE]
