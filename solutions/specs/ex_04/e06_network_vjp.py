"""04.6 A network, right to left."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Listing
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import nearly_flat, numbers


def network_vjp(weights, x, g):
    hs = [x]
    for W in weights:
        hs.append(np.tanh(W @ hs[-1]))
    weights_bar = []
    for k in reversed(range(len(weights))):
        delta = g * (1 - hs[k + 1] ** 2)
        weights_bar.insert(0, np.outer(delta, hs[k]))
        g = weights[k].T @ delta
    return {"weights": weights_bar, "x": g}


def network_recursive(weights, x, g):
    if not weights:
        return {"weights": [], "x": g}
    h = np.tanh(weights[0] @ x)
    rest = network_recursive(weights[1:], h, g)
    delta = rest["x"] * (1 - h * h)
    return {"weights": [np.outer(delta, x), *rest["weights"]], "x": weights[0].T @ delta}


def network_closures(weights, x, g):
    pulls, h = [], x
    for W in weights:
        z = W @ h

        def pull(g, W=W, z=z, h=h):
            with np.errstate(over="ignore"):  # far out the slope is 0
                delta = g / np.cosh(z) ** 2
            return delta[:, None] * h, delta @ W

        pulls.append(pull)
        h = np.tanh(z)
    found = []
    for pull in pulls[::-1]:
        W_bar, g = pull(g)
        found.append(W_bar)
    return {"x": g, "weights": found[::-1]}


def network_engine(weights, x, g):
    def network(inputs):
        *layers, h = inputs
        for W in layers:
            h = np.tanh(W @ h)
        return h

    *weights_bar, x_bar = gradients.vjp(lambda *inputs: network(inputs), *weights, x)[1](g)
    return {"weights": weights_bar, "x": x_bar}


def network_jacobians(weights, x, g):
    hs = [x]
    for W in weights:
        hs.append(np.tanh(W @ hs[-1]))
    found = []
    for k in range(len(weights) - 1, -1, -1):
        slope = np.diag(1 - hs[k + 1] ** 2)
        found.insert(0, np.outer(g @ slope, hs[k]))
        g = g @ slope @ weights[k]
    return {"weights": tuple(found), "x": g.tolist()}


def network_complex(weights, x, g):
    h = 1e-30

    def f(weights, x):
        y = x
        for W in weights:
            y = np.tanh(W @ y)
        return np.sum(g * y)

    found = []
    for k, W in enumerate(weights):
        W_bar = np.zeros(W.shape)
        for index in np.ndindex(W.shape):
            nudged = W.astype(complex)
            nudged[index] += 1j * h
            W_bar[index] = f([*weights[:k], nudged, *weights[k + 1 :]], x).imag / h
        found.append(W_bar)
    return {"weights": found, "x": [f(weights, x + 1j * h * row).imag / h for row in np.eye(len(x))]}


def network_with(
    slope=lambda z, before, after: 1 - after**2,
    weight=lambda delta, g, before, after: np.outer(delta, before),
    back=lambda W, delta, g: W.T @ delta,
    start=lambda g: g,
    order=lambda found: found,
):
    """The right network with one part replaced."""

    def answer(weights, x, g):
        hs = [x]
        for W in weights:
            hs.append(np.tanh(W @ hs[-1]))
        found, g = [], start(g)
        for k in reversed(range(len(weights))):
            delta = g * slope(weights[k] @ hs[k], hs[k], hs[k + 1])
            found.insert(0, weight(delta, g, hs[k], hs[k + 1]))
            g = back(weights[k], delta, g)
        return {"weights": order(found), "x": g}

    return answer


def network_case(rng, *sizes):
    weights = [numbers(rng, m, n, low=0.3, high=0.9) for n, m in pairwise(sizes)]
    return case(weights, numbers(rng, sizes[0], low=0.4, high=1.2), numbers(rng, sizes[-1]))


def network_cases(rng):
    sizes = ((3, 2), (2, 4, 3), (3, 3, 3), (4, 3, 2, 2), (1, 3, 2), (2, 1, 3), (3, 2, 1), (2, 3, 2, 3, 2))
    return [*(network_case(rng, *each) for each in sizes), *network_edges(rng)]


def network_edges(rng):
    """Eleven layers with a large g; neurons that are saturated, one of them so far that its exp overflows."""
    deep = network_case(rng, 2, 3, 2, 2, 3, 2, 3, 3, 2, 3, 2, 3)
    weights, x, g = deep.args
    far = network_case(rng, 2, 4, 2)
    (W, V), h, f = far.args
    sums = W @ h
    W[:3] *= rng.permutation([8.0, 800.0, -800.0])[:, None] / sums[:3, None]
    return [case([1.5 * each for each in weights], x, 40 * g), case([W, V], h, f), *network_extremes(rng)]


def network_extremes(rng):
    """Neurons where tanh is nearly flat, or flat, and much arrives; equal layers; whole numbers."""
    flat = np.array([[nearly_flat(8), 0.0], [0.0, nearly_flat(300, -1)], [900.0, 0.0]])
    W, x, g = numbers(rng, 3, 3, low=0.3, high=0.9), numbers(rng, 3, low=0.4, high=1.2), numbers(rng, 3)
    return [
        case([flat], np.array([1.0, 1.0]), [2e5, 7e3, 1e7] * numbers(rng, 3)),
        case([W, W.copy(), W.copy()], x, g),
        case(
            [rng.permutation([[1, -1], [0, 1], [1, 1]]), np.array([[1, 0, -1], [1, -1, 1]])], np.array([1, -1]), g[:2]
        ),
    ]


def network_like_weights(weights, x, g):
    found = network_vjp(weights, x, g)
    made = [np.zeros_like(W) for W in weights]
    for new, W_bar in zip(made, found["weights"], strict=True):
        new[...] = W_bar
    return {**found, "weights": made}


def network_sharing(weights, x, g):
    """Equal matrices are taken for one, which gets the sum."""
    found = network_vjp(weights, x, g)
    total = [
        sum(W_bar for W_bar, other in zip(found["weights"], weights, strict=True) if np.array_equal(W, other))
        for W in weights
    ]
    return {**found, "weights": total}


def inputs_of_tanh(weights, x):
    """The sizes of all numbers that go into tanh."""
    sizes = []
    for W in weights:
        sizes.append(abs(W @ x))
        x = np.tanh(W @ x)
    return np.concatenate(sizes)


def network_stopping(weights, x, g):
    found = network_vjp(weights, x, g)
    after = x if len(weights) == 0 else np.tanh(weights[0] @ x)
    upstream = network_vjp(weights[1:], after, g)["x"]
    return found | {"x": upstream * (1 - after**2)}


BANK = [
    wrong("tanh-slope-at-the-input", network_with(slope=lambda z, before, after: 1 - z**2),
          "notebook 04, section 7, 'A layer is a pair of functions'",
          "The slope you used for tanh is one minus the square of its input.",
          "In 1 - tanh² it is the output that is squared. Near zero the two agree, so this slip hides well."),
    wrong("forgets-the-slope", network_with(slope=lambda z, before, after: np.ones(len(after))),
          "notebook 04, section 7, 'A layer is a pair of functions'",
          "You went back through the weights and left out tanh.",
          "Each layer is two steps. The last one forward, tanh, is the first one backward."),
    wrong("ignores-upstream", network_with(start=lambda g: np.ones(len(g))),
          "notebook 04, section 8, 'What ones cannot see'",
          "Your numbers are those for g = (1, ..., 1).",
          "g says what each output is worth to the loss; it differs from output to output."),
    wrong("weights-before-the-slope", network_with(weight=lambda delta, g, before, after: np.outer(g, before)),
          "notebook 04, section 7, 'A layer is a pair of functions'",
          "The gradient of `x` is right; those of the weights miss the slope of tanh.",
          "The weights sit before tanh. What reaches them has come through it."),
    wrong("skips-the-slope-on-the-way-down", network_with(back=lambda W, delta, g: W.T @ g),
          "notebook 04, section 7, 'A layer is a pair of functions'",
          "The last layer's weights are right; further down a slope is missing.",
          "Hand down what has passed tanh, not what arrived at it."),
    wrong("forgets-to-transpose", network_with(back=lambda W, delta, g: W @ delta),
          "notebook 04, section 4, 'The square trap'",
          "You went back through W itself: an error where it is not square, wrong numbers where it is.",
          "Backward, column j of W tells what input j did to all outputs."),
    wrong("outer-exchanged", network_with(weight=lambda delta, g, before, after: np.outer(before, delta)),
          "notebook 04, section 4, 'The gradient of the weights'",
          "Each gradient in `weights` has rows and columns exchanged.",
          "A gradient has the shape of its variable. W[i, j] links input j to output i."),
    wrong("last-layer-first", network_with(order=lambda found: found[::-1]), "the docstring of the exercise",
          "The gradients in `weights` are right and stand in the reverse order.",
          "They were found from the last layer to the first; the list is to begin with the first."),
    wrong("same-g-for-all-layers", network_with(back=lambda W, delta, g: W.T @ delta if len(W) != len(W.T) else g),
          "notebook 04, section 7: each layer hands on to the one before",
          "Where a layer is square, the gradient goes past it unchanged.",
          "A shape that fits does not show that a layer has done its work. Each one hands on what it made of g."),
    wrong("flat-too-soon", network_with(slope=lambda z, before, after: (1 - after**2) * (np.abs(z) < 7.5)),
          "notebook 04, section 7, 'A layer is a pair of functions'",
          "Where tanh is nearly flat you let nothing through.",
          "tanh becomes flatter and flatter, and nowhere all at once. A large g makes much of a small slope."),
    wrong("never-quite-flat", network_with(slope=lambda z, before, after: np.maximum(1 - after**2, 1e-9)),
          "notebook 04, section 7, 'A layer is a pair of functions'",
          "Where tanh is flat you let something through.",
          "A bound that keeps the slope from vanishing makes another function of it."),
    wrong("equal-layers-are-one", network_sharing, "the docstring of the exercise: one gradient for each layer",
          "Layers with equal weights all get the sum of their gradients.",
          "Two layers that happen to be equal are still two layers, and each is nudged while the other stands still."),
    wrong("whole-numbers-stay-whole", network_like_weights, "the docstring of the exercise: what is returned?",
          "Where the weights are whole numbers, so are their gradients.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("stops-at-the-weights", network_stopping, "notebook 04, section 7: each layer hands on to the one before",
          "The gradients in `weights` are right; that of `x` has not gone through the first layer's weights.",
          "What arrives behind the first tanh has one more product to go."),
    wrong("slope-in-the-wrong-layer", network_with(slope=lambda z, before, after: 1 - np.mean(before**2)),
          "notebook 04, section 7, 'A layer is a pair of functions'",
          "The slope you used for tanh comes from what the layer was given.",
          "Each output of tanh has a slope of its own, made from that output."),
    wrong("weights-see-their-output", network_with(weight=lambda delta, g, before, after: np.outer(delta, after)),
          "notebook 04, section 4, 'The gradient of the weights'",
          "In `weights` you used what a layer put out in place of what it was given.",
          "A weight is multiplied by its layer's input; that is its local derivative."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.6",
    title="A network, right to left",
    function="network_vjp",
    minutes=15,
    difficulty=3,
    points=5,
    see="notebook 04, section 7",
    reference=network_vjp,
    integers=True,
    domain={"weights": Listing("layers", Array("...")), "x": Array("n_in"), "g": Array("n_out", all_zero=True)},
    meets={
        "one layer": lambda weights: len(weights) == 1,
        "two layers": lambda weights: len(weights) == 2,
        "four layers": lambda weights: len(weights) == 4,
        "more than ten layers": lambda weights: len(weights) > 10,
        "a gradient is large": lambda g: abs(g).max() > 20,
        "a neuron is saturated": lambda weights, x: any(6 < u < 10 for u in inputs_of_tanh(weights, x)),
        "a neuron is far out": lambda weights, x: (inputs_of_tanh(weights, x) > 720).any(),
        "tanh is nearly flat": lambda weights, x: any(7.5 < u < 8 for u in inputs_of_tanh(weights, x)),
        "much arrives where tanh is flat": lambda weights, x, g: (
            len(weights) == 1 and (inputs_of_tanh(weights, x) > 800).any() and abs(g).max() > 1e6
        ),
        "two layers are equal": lambda weights: len(weights) > 1 and np.array_equal(weights[0], weights[1]),
        "weights are whole numbers": lambda weights: all(W.dtype.kind == "i" for W in weights),
        "all layers are square": lambda weights: len(weights) > 1 and len({W.shape for W in weights}) == 1,
        "a layer in between has one unit": lambda weights: any(len(W) == 1 for W in weights[:-1]),
    },
    visible=network_cases(np.random.default_rng(46)),
    hidden=network_cases,
    accepted=[
        network_recursive,
        network_closures,
        network_engine,
        network_jacobians,
        network_complex,
    ],
    bank=BANK,
    hints=(
        "Run forward first, and keep every vector on the way: the backward pass will ask for them. Then go through the "
        "layers from the last to the first.",
        "In each layer: multiply what arrives by the slope of tanh (from the layer's output), call it delta. Then an "
        "affine map without a bias, as in 04.2.",
        "For each layer, last first: delta is g times one minus the square of the output; the weights get the outer "
        "product of delta and the layer's input; g becomes W transposed times delta.",
    ),
    credit={"weights": 3, "x": 2},
)
