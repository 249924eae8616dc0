"""10.4 Tree or MLP?."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array, sigmoid, slope


def tied_copies(W1, W2, w3, x, t):
    h1 = 1 / (1 + np.exp(-(W1 @ x)))
    h2 = 1 / (1 + np.exp(-(W2 @ h1)))
    y = 1 / (1 + np.exp(-(w3 @ h2)))
    delta3 = (y - t) * y * (1 - y)
    delta2 = delta3 * w3 * h2 * (1 - h2)
    delta1 = delta2[:, None] * W2 * h1 * (1 - h1)
    copies = delta1[:, :, None] * x
    return {"copies": copies, "tied": copies.sum(axis=0)}


def tied_loops(W1, W2, w3, x, t):
    """Loops over roads: from the output through unit k and unit j to input i."""
    n2, n1, n = len(w3), len(W1), len(x)
    h1 = [sigmoid(sum(W1[j][i] * x[i] for i in range(n))) for j in range(n1)]
    h2 = [sigmoid(sum(W2[k][j] * h1[j] for j in range(n1))) for k in range(n2)]
    y = sigmoid(sum(w3[k] * h2[k] for k in range(n2)))
    start = (y - t) * slope(y)
    copies = [
        [[start * w3[k] * slope(h2[k]) * W2[k][j] * slope(h1[j]) * x[i] for i in range(n)] for j in range(n1)]
        for k in range(n2)
    ]
    tied = [[sum(copies[k][j][i] for k in range(n2)) for i in range(n)] for j in range(n1)]
    return {"copies": copies, "tied": tied}


def tied_untied(W1, W2, w3, x, t):
    """Give every unit of the second layer its own W1, which no other sees, and differentiate by the complex step."""
    h2 = sigmoid(W2 @ sigmoid(W1 @ x))

    def loss(k, own):
        seen = h2.astype(complex)
        seen[k] = sigmoid(W2[k] @ sigmoid(own @ x))
        return (sigmoid(w3 @ seen) - t) ** 2 / 2

    found = np.zeros((len(w3), *np.shape(W1)))
    for k, *place in np.ndindex(found.shape):
        own = np.array(W1, dtype=complex)
        own[*place] += 1e-30j
        found[k, *place] = loss(k, own).imag / 1e-30
    return {"copies": found, "tied": np.add.reduce(found)}


def tied_einsum(W1, W2, w3, x, t):
    h1 = sigmoid(np.einsum("ji,i->j", W1, x))
    h2 = sigmoid(np.einsum("kj,j->k", W2, h1))
    y = sigmoid(np.einsum("k,k->", w3, h2))
    copies = (y - t) * slope(y) * np.einsum("k,k,kj,j,i->kji", w3, slope(h2), W2, slope(h1), x)
    return {"copies": copies, "tied": np.einsum("kji->ji", copies)}


def tied_both_ways(W1, W2, w3, x, t):
    """The tied gradient from the layered net, the copies from the tree."""
    h1 = sigmoid(W1 @ x)
    h2 = sigmoid(W2 @ h1)
    y = sigmoid(w3 @ h2)
    delta2 = (y - t) * slope(y) * w3 * slope(h2)
    copies = [np.outer(d * row * slope(h1), x) for d, row in zip(delta2, W2, strict=True)]
    return {"copies": copies, "tied": np.outer((W2.T @ delta2) * slope(h1), x)}


def tied_float32(W1, W2, w3, x, t):
    return {name: g.astype(np.float32) for name, g in tied_copies(W1, W2, w3, x, t).items()}


def tied_by_engine(W1, W2, w3, x, t):
    """One loss for all copies by the package's engine; the results are tensors that hold gradients."""
    own = Tensor(np.array([W1] * len(w3)), requires_grad=True)

    def squash(z):
        return 1 / (1 + np.exp(-z))

    h2 = squash((squash(own @ x) * W2).sum(axis=1))
    error = squash((w3 * h2).sum()) - t
    (0.5 * error * error).backward()
    copies = Tensor(np.array(own.grad), requires_grad=True)
    return {"copies": copies, "tied": copies.sum(axis=0)}


def tied_with(*, delta1=None, copies=None, tied=None):
    """The right answer with one step replaced."""

    def answer(W1, W2, w3, x, t):
        h1 = sigmoid(W1 @ x)
        h2 = sigmoid(W2 @ h1)
        y = sigmoid(w3 @ h2)
        delta2 = (y - t) * slope(y) * w3 * slope(h2)
        part = {"delta2": delta2, "W2": W2, "h1": h1, "h2": h2, "w3": w3, "y": y, "start": (y - t) * slope(y)}
        down = delta1(part) if delta1 else delta2[:, None] * W2 * slope(h1)
        found = down[:, :, None] * x
        total = found.sum(axis=0)
        return {
            "copies": copies(found, total) if copies else found,
            "tied": tied(found, total) if tied else total,
        }

    return answer


def tied_without_inputs(W1, W2, w3, x, t):
    """Ends at the deltas of the first layer."""
    h1 = sigmoid(W1 @ x)
    h2 = sigmoid(W2 @ h1)
    y = sigmoid(w3 @ h2)
    deltas = ((y - t) * slope(y) * w3 * slope(h2))[:, None] * W2 * slope(h1)
    copies = np.repeat(deltas[:, :, None], len(x), axis=2)
    return {"copies": copies, "tied": copies.sum(axis=0)}


def tied_after_a_step(W1, W2, w3, x, t):
    """Changes the upper layers, each by its own gradient, before it goes on downwards."""
    h1 = sigmoid(W1 @ x)
    h2 = sigmoid(W2 @ h1)
    y = sigmoid(w3 @ h2)
    start = (y - t) * slope(y)
    w3 = w3 - start * h2
    delta2 = start * w3 * slope(h2)
    W2 = W2 - np.outer(delta2, h1)
    copies = (delta2[:, None] * W2 * slope(h1))[:, :, None] * x
    return {"copies": copies, "tied": copies.sum(axis=0)}


def tied_one_slope(W1, W2, w3, x, t):
    """The slope of a sigmoid taken of the number that goes in."""

    def of_the_sum(z):
        return z * (1 - z)

    h1 = sigmoid(W1 @ x)
    h2 = sigmoid(W2 @ h1)
    y = sigmoid(w3 @ h2)
    delta2 = (y - t) * of_the_sum(w3 @ h2) * w3 * of_the_sum(W2 @ h1)
    copies = (delta2[:, None] * W2 * of_the_sum(W1 @ x))[:, :, None] * x
    return {"copies": copies, "tied": copies.sum(axis=0)}


def mlp_case(rng, n, h1, h2, t=None):
    t = round(float(rng.uniform(0.1, 0.9)), 3) if t is None else t
    arrays = (array(rng, *shape, digits=3) for shape in ((h1, n), (h2, h1), (h2,), (n,)))
    return case(*arrays, t)


def mlp_edges(rng):
    """Layers of one unit, one input; equal sizes; edges, inputs and targets of zero; a target out of reach."""
    made = [
        mlp_case(rng, 2, 1, 3, 1.0).args,
        mlp_case(rng, 3, 2, 1).args,
        mlp_case(rng, 1, 3, 2, 0.0).args,
        mlp_case(rng, 2, 2, 2, -0.3).args,
    ]
    made[3][0][0, 1] = made[3][1][1, 0] = 0.0
    made[0][2][1] = 0.0
    made[1][3][int(rng.integers(3))] = 0.0
    return [case(*parts) for parts in made]


def usual_mlps(rng):
    return [*(mlp_case(rng, *sizes) for sizes in ((3, 4, 2), (2, 3, 4), (4, 2, 3))), *mlp_edges(rng)]


def near_their_ends(rng, layer, size):
    """The sums of one layer are about as large as ``size``, so that the slopes there are small."""
    W1, W2, w3, x, t = mlp_case(rng, 3, 2, 4).args
    h1 = sigmoid(W1 @ x)
    h2 = sigmoid(W2 @ h1)
    factors = rng.uniform(0.9, 1.1, 4)
    if layer == 1:
        W1 = W1 + np.outer(size * factors[:2] - W1 @ x, x) / (x @ x)
    elif layer == 2:
        W2 = W2 + np.outer(size * factors - W2 @ h1, h1) / (h1 @ h1)
    else:
        w3 = w3 + (size * factors[0] - w3 @ h2) * h2 / (h2 @ h2)
    return case(*(np.round(each, 3) for each in (W1, W2, w3, x)), t)


def hidden_mlps(rng):
    wide = [mlp_case(rng, *sizes) for sizes in ((3, 2, 5), (2, 4, 9), (2, 3, 70), (3, 70, 2), (70, 2, 3))]
    ends = [near_their_ends(rng, layer, size) for layer in (1, 2, 3) for size in (-9.0, -6.0, 4.5)]
    small = case(np.zeros((1, 1)), np.ones((1, 1)), np.array([10.0]), np.ones(1), 0.0)
    return [*usual_mlps(rng), *wide, *ends, small]


BANK = [
    wrong("averages-the-copies", tied_with(tied=lambda copies, total: copies.mean(axis=0)),
          "notebook 10, section 3: one weight, many copies",
          "The tied gradient is the mean of the copies.",
          "One nudge of the shared weight moves all copies in full, so their effects add."),
    wrong("one-copy-for-all", tied_with(tied=lambda copies, total: copies[-1]),
          "notebook 10, section 3: one weight, many copies",
          "The tied gradient is that of the last copy.",
          "The other copies are uses of the same weight, and each has a term."),
    wrong("first-copy-for-all", tied_with(tied=lambda copies, total: copies[0]),
          "notebook 10, section 3: one weight, many copies",
          "The tied gradient is that of the first copy.",
          "The other copies are uses of the same weight, and each has a term."),
    wrong("deltas-for-the-edges", tied_without_inputs, "notebook 10, section 2: gradient of an edge",
          "The gradients of all edges of a unit are its delta: the inputs are missing.",
          "An edge hears the delta of its upper end times what it carries up."),
    wrong("every-copy-gets-everything",
          tied_with(copies=lambda copies, total: np.broadcast_to(total, copies.shape).copy()),
          "notebook 10, section 2: one road, one product",
          "Every copy holds the gradient of the shared weight.",
          "A copy lies on one road to the loss and knows nothing of the others: no sum on the way."),
    wrong("equal-shares",
          tied_with(copies=lambda copies, total: np.broadcast_to(total / len(copies), copies.shape).copy()),
          "notebook 10, section 2: delta of a child",
          "The sum is right, but it is shared out evenly among the copies.",
          "The copies lie below different edges, so the loss cares about each differently."),
    wrong("forgets-the-second-layer",
          tied_with(delta1=lambda p: p["delta2"][:, None] * np.ones_like(p["W2"]) * slope(p["h1"])),
          "notebook 10, section 2: delta of a child",
          "On the way from the second layer to the first the edge is missing.",
          "Each copy of a unit hangs on its own edge of the second layer."),
    wrong("no-slope-in-the-first-layer", tied_with(delta1=lambda p: p["delta2"][:, None] * p["W2"]),
          "notebook 10, section 2: whose slope",
          "The slope of the first layer is missing.",
          "The gradient of W1 belongs to the sums inside the first layer's sigmoids."),
    wrong("no-slope-in-the-second-layer",
          tied_with(delta1=lambda p: (p["start"] * p["w3"])[:, None] * p["W2"] * slope(p["h1"])),
          "notebook 10, section 2: whose slope",
          "The slope of the second layer is missing.",
          "On its road to a leaf the gradient passes each squashing once."),
    wrong("forgets-the-output-edge", tied_with(
              delta1=lambda p: (p["start"] * slope(p["h2"]))[:, None] * p["W2"] * slope(p["h1"]),
          ), "notebook 10, section 2: one road, one product",
          "The edges to the output are missing.",
          "The topmost edge of each road is an entry of w3."),
    wrong("tied-transposed", tied_with(tied=lambda copies, total: total.T), "the task: the shapes",
          "The tied gradient lies on its side.",
          "The gradient of W1 is laid out as W1 is: a row for each unit, a column for each input."),
    wrong("copies-transposed", tied_with(copies=lambda copies, total: copies.swapaxes(1, 2)),
          "the task: entry [k, j, i]",
          "Each copy lies on its side.",
          "A copy is laid out as W1 is: a row for each unit, a column for each input."),
    wrong("copies-by-the-first-layer", tied_with(copies=lambda copies, total: copies.swapaxes(0, 1)),
          "the task: entry [k, j, i]",
          "The first two axes of the copies are exchanged.",
          "The first axis says which copy it is: whose child in the second layer this first layer is."),
    wrong("copies-on-the-last-axis", tied_with(copies=lambda copies, total: np.moveaxis(copies, 0, 2)),
          "the task: entry [k, j, i]",
          "The axis that counts the copies comes last.",
          "Which copy it is comes first; within a copy the axes are those of W1."),
    wrong("copies-below-each-other",
          tied_with(copies=lambda copies, total: copies.reshape(-1, copies.shape[2])), "the task: entry [k, j, i]",
          "The copies stand below each other in one matrix.",
          "Three things are counted: copies, units and inputs. Each of them has an axis of its own."),
    wrong("summed-over-units", tied_with(tied=lambda copies, total: copies.sum(axis=1)),
          "notebook 10, section 3: one weight, many copies",
          "For the tied gradient the copies were summed over the units of the first layer.",
          "The units of a layer have weights of their own. What repeats is the whole layer."),
    wrong("summed-over-inputs", tied_with(tied=lambda copies, total: copies.sum(axis=2).T),
          "notebook 10, section 3: one weight, many copies",
          "For the tied gradient the copies were summed over the inputs.",
          "Each input has an edge of its own. What repeats is the whole layer."),
    wrong("no-slope-at-the-output", tied_with(
              delta1=lambda p: p["delta2"][:, None] * p["W2"] * slope(p["h1"]) / slope(p["y"]),
          ), "notebook 10, section 2: delta of the output",
          "All gradients lack the slope of the output.",
          "y - t is the delta of cross-entropy. With half the squared error the output's slope stays."),
    wrong("target-minus-output", tied_with(delta1=lambda p: -p["delta2"][:, None] * p["W2"] * slope(p["h1"])),
          "notebook 10, section 2: delta of the output",
          "All gradients have the opposite sign.",
          "t - y is the direction in which y should go. A gradient points where the loss grows."),
    wrong("upper-layers-changed-first", tied_after_a_step, "chapter 06, section 2",
          "The upper layers had already made a step when the gradient came down through them.",
          "All gradients belong to the same place. Steps are made when all of them are known."),
    wrong("slope-of-the-sum", tied_one_slope, "chapter 02, section 3",
          "The slope s(1 - s) is taken of the numbers that went into the sigmoids.",
          "That short form of the slope works with the values that came out."),
]  # fmt: skip

EXERCISE = Exercise(
    id="10.4",
    title="Tree or MLP?",
    function="tied_copies",
    minutes=20,
    difficulty=3,
    points=4,
    see="notebook 10, section 3",
    reference=tied_copies,
    domain={"W1": Array("h1 n"), "W2": Array("h2 h1"), "w3": Array("h2"), "x": Array("n"), "t": Number()},
    meets={
        "all three sizes are equal": lambda W1, W2: W1.shape == W2.shape and len(W1) == len(W2) > 1,
        "the second layer alone has one unit": lambda W1, W2: len(W2) == 1 < min(W1.shape),
        "the first layer alone has one unit": lambda W1, W2: len(W1) == 1 < min(len(W2), W1.shape[1]),
        "the target lies between 0 and 1": lambda t: 0 < t < 1,
    },
    visible=usual_mlps(np.random.default_rng(11)),
    hidden=hidden_mlps,
    accepted=[tied_loops, tied_untied, tied_einsum, tied_both_ways, tied_float32, tied_by_engine],
    bank=BANK,
    hints=(
        "Draw it for two units in each layer: the output has two children, each of them has two children of its own. "
        "How often does a unit of the first layer occur?",
        "Copy k of unit j is reached by exactly one road: output, unit k of the second layer, unit j of the first. "
        "Multiply edges and slopes along it. An array of shape (h2, h1) holds all these deltas.",
        "delta2 = delta_out * w3 * h2 * (1 - h2), then delta1 = delta2[:, None] * W2 * h1 * (1 - h1). The copies are "
        "delta1[:, :, None] * x, and the MLP's gradient is their sum over the first axis.",
    ),
    equivalent_mutants={"`w3 @ h2` → `h2 @ w3`": "the product of two vectors does not mind their order"},
)
