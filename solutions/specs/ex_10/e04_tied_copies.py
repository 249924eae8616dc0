"""10.4 Tree or MLP?."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

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
    """Give every unit of the second layer its own W1 and differentiate by the complex step."""

    def loss(copies):
        h2 = [sigmoid(W2[k] @ sigmoid(copies[k] @ x)) for k in range(len(w3))]
        return (sigmoid(w3 @ np.array(h2)) - t) ** 2 / 2

    own = np.array([W1] * len(w3), dtype=complex)
    found = np.zeros(own.shape)
    for place in np.ndindex(own.shape):
        own[place] += 1e-30j
        found[place] = loss(own).imag / 1e-30
        own[place] = own[place].real
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


def tied_with(*, delta1=None, copies=None, tied=None):
    """The right answer with one step replaced."""

    def answer(W1, W2, w3, x, t):
        h1 = sigmoid(W1 @ x)
        h2 = sigmoid(W2 @ h1)
        y = sigmoid(w3 @ h2)
        delta2 = (y - t) * slope(y) * w3 * slope(h2)
        part = {"delta2": delta2, "W2": W2, "h1": h1, "h2": h2, "w3": w3, "start": (y - t) * slope(y)}
        down = delta1(part) if delta1 else delta2[:, None] * W2 * slope(h1)
        found = down[:, :, None] * x
        total = found.sum(axis=0)
        return {
            "copies": copies(found, total) if copies else found,
            "tied": tied(found, total) if tied else total,
        }

    return answer


def mlp_case(rng, n, h1, h2):
    return case(
        array(rng, h1, n), array(rng, h2, h1), array(rng, h2), array(rng, n), round(float(rng.uniform(0.1, 0.9)), 2)
    )


def hidden_mlps(rng):
    return [mlp_case(rng, *sizes) for sizes in ((3, 4, 2), (2, 3, 4), (4, 2, 3))]


BANK = [
    wrong("averages-the-copies", tied_with(tied=lambda copies, total: copies.mean(axis=0)),
          "notebook 10, section 3: one weight, many copies",
          "The tied gradient is the mean of the copies.",
          "One nudge of the shared weight moves all copies in full, so their effects add."),
    wrong("one-copy-for-all", tied_with(tied=lambda copies, total: copies[-1]),
          "notebook 10, section 3: one weight, many copies",
          "The tied gradient is that of the last copy.",
          "The other copies are uses of the same weight, and each has a term."),
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
    visible=hidden_mlps(np.random.default_rng(11)),
    hidden=hidden_mlps,
    accepted=[tied_loops, tied_untied, tied_einsum, tied_both_ways, tied_float32],
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
