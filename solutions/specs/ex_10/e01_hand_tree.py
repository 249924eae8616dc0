"""10.1 A tree by hand."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers, sigmoid, slope


def hand_tree(w, v, b, x, t):
    (w1, w2), (v1, v2), (b0, b1), (x1, x2) = w, v, b, x
    a = 1 / (1 + math.exp(-(v1 * x1 + v2 * x2 + b1)))
    y = 1 / (1 + math.exp(-(w1 * a + w2 * x1 + b0)))
    error = y - t
    delta0 = error * y * (1 - y)
    delta1 = delta0 * w1 * a * (1 - a)
    return {
        "E": 0.5 * error**2,
        "delta": [delta0, delta1],
        "w": [delta0 * a, delta0 * x1],
        "v": [delta1 * x1, delta1 * x2],
    }


def hand_tree_loss(w, v, b, x, t):
    a = sigmoid(v[0] * x[0] + v[1] * x[1] + b[1])
    return (sigmoid(w[0] * a + w[1] * x[0] + b[0]) - t) ** 2 / 2


def hand_tree_complex(w, v, b, x, t):
    """The complex step, one parameter after another; a delta is the gradient of a bias."""
    w, v, b = (np.array(part, dtype=complex) for part in (w, v, b))
    found = {}
    for name, part in (("w", w), ("v", v), ("delta", b)):
        found[name] = []
        for k in range(2):
            part[k] += 1e-30j
            found[name].append(hand_tree_loss(w, v, b, x, t).imag / 1e-30)
            part[k] = part[k].real
    return found | {"E": hand_tree_loss(w, v, b, x, t).real}


def hand_tree_engine(w, v, b, x, t):
    w, v, b = ([Scalar(number) for number in part] for part in (w, v, b))
    half = Scalar(0.5)

    def squash(z):
        return half * (half * z).tanh() + half

    a = squash(v[0] * x[0] + v[1] * x[1] + b[1])
    error = squash(w[0] * a + w[1] * x[0] + b[0]) - t
    E = half * error * error
    E.backward()
    return {"E": E.data, "delta": [s.grad for s in b], "w": [s.grad for s in w], "v": [s.grad for s in v]}


def hand_tree_arrays(w, v, b, x, t):
    w, v, x = map(np.asarray, (w, v, x))
    a = sigmoid(v @ x + b[1])
    inputs = np.array([a, x[0]])
    y = sigmoid(w @ inputs + b[0])
    delta0 = (y - t) * (y - y**2)
    delta1 = delta0 * w[0] * (a - a**2)
    return {"E": (y - t) ** 2 / 2, "delta": np.array([delta0, delta1]), "w": delta0 * inputs, "v": delta1 * x}


def hand_tree_recursive(w, v, b, x, t):
    """Nested nodes, post-order forward, pre-order backward."""
    inner = {"b": b[1], "children": [(v[0], x[0]), (v[1], x[1])]}
    root = {"b": b[0], "children": [(w[0], inner), (w[1], x[0])]}

    def value(node):
        if not isinstance(node, dict):
            return node
        node["a"] = 1 / (1 + math.exp(-node["b"] - sum(weight * value(child) for weight, child in node["children"])))
        return node["a"]

    y = value(root)
    deltas, edges = [], []

    def back(node, delta):
        deltas.append(delta)
        edges.append([delta * (child["a"] if isinstance(child, dict) else child) for _, child in node["children"]])
        for weight, child in node["children"]:
            if isinstance(child, dict):
                back(child, delta * weight * child["a"] * (1 - child["a"]))

    back(root, (y - t) * y * (1 - y))
    return {"E": (y - t) * (y - t) / 2, "delta": tuple(deltas), "w": tuple(edges[0]), "v": tuple(edges[1])}


def hand_tree_float32(w, v, b, x, t):
    return {name: np.float32(value) for name, value in hand_tree(w, v, b, x, t).items()}


def hand_tree_tensors(w, v, b, x, t):
    """Everything as tensors that ask for gradients, lists as tuples."""

    def traced(value):
        return tuple(map(traced, value)) if isinstance(value, list) else Tensor(value, requires_grad=True)

    return {name: traced(value) for name, value in hand_tree(w, v, b, x, t).items()}


def hand_tree_with(*, delta0=None, delta1=None, dw=None, dv=None, energy=None):
    """The right forward pass with one step of the backward pass done differently."""

    def answer(w, v, b, x, t):
        a = sigmoid(v[0] * x[0] + v[1] * x[1] + b[1])
        y = sigmoid(w[0] * a + w[1] * x[0] + b[0])
        part = {"w": w, "v": v, "b": b, "x": x, "t": t, "a": a, "y": y}
        part["d0"] = delta0(part) if delta0 else (y - t) * y * (1 - y)
        part["d1"] = delta1(part) if delta1 else part["d0"] * w[0] * a * (1 - a)
        return {
            "E": energy(part) if energy else 0.5 * (y - t) ** 2,
            "delta": [part["d0"], part["d1"]],
            "w": dw(part) if dw else [part["d0"] * a, part["d0"] * x[0]],
            "v": dv(part) if dv else [part["d1"] * x[0], part["d1"] * x[1]],
        }

    return answer


def second_input_at_the_root(w, v, b, x, t):
    a = sigmoid(v[0] * x[0] + v[1] * x[1] + b[1])
    y = sigmoid(w[0] * a + w[1] * x[1] + b[0])
    delta0 = (y - t) * slope(y)
    delta1 = delta0 * w[0] * slope(a)
    return {
        "E": 0.5 * (y - t) ** 2,
        "delta": [delta0, delta1],
        "w": [delta0 * a, delta0 * x[1]],
        "v": [delta1 * x[0], delta1 * x[1]],
    }


def root_first_changed(w, v, b, x, t):
    """Takes a step of gradient descent at the root before it goes on to the inner node."""
    right = hand_tree(w, v, b, x, t)
    a = sigmoid(v[0] * x[0] + v[1] * x[1] + b[1])
    delta0 = right["delta"][0]
    delta1 = delta0 * (w[0] - delta0 * a) * slope(a)
    return right | {"delta": [delta0, delta1], "v": [delta1 * x[0], delta1 * x[1]]}


def hand_tree_edges(rng):
    """Edges, inputs, biases of zero; targets at 0, between, out of reach; an output on its target; inputs again."""
    (w1, w2, v1, v2), (b0, b1, x1, x2) = numbers(rng, 4), numbers(rng, 4)
    between = round(float(rng.uniform(0.2, 0.8)), 3)
    nearly = hand_tree([w1, w2], [v1, v2], [b0, b1], [x1, x2], 0.0)["E"]
    return [
        case([w1, w2], [v1, v2], [b0, b1], [x1, x2], round(math.sqrt(2 * nearly) - 9e-4, 7)),
        case([0.0, w2], [v1, v2], [b0, b1], [x1, 0.0], between),
        case([w1, w2], [0.0, v2], [b0, 0.0], [0.0, x2], 0.0),
        case([w1, 0.0], [v1, 0.0], [0.0, b1], [x1, x2], -between),
        case([0.0, 0.0], [v1, v2], [0.0, b1], [x1, x2], 0.5),
        case([w2, w1], [v1, v2], [b1, -b0], [x1, x2], 0.5),  # v, x and t as before, and other biases
        case([w1, w2], [v2, -v1], [b0, b1], [x1, x2], 0.5),  # x and t as before, and other edges
    ]


def near_their_ends(rng):
    """Sigmoids near their ends, the root's or the inner one; far out only where 1 - y keeps all its digits."""
    up, down = (
        [z * round(float(rng.uniform(1.0, 1.04)), 3) for z in ends] for ends in ((2.3, 4.2, 5.8), (-6, -10, -18))
    )
    root = [
        case(numbers(rng, 2, 0.1, 0.3), numbers(rng, 2), [z, 0.3], numbers(rng, 2, 0.2, 0.6), 0.5) for z in up + down
    ]
    inner = [
        case([*numbers(rng, 1, 4, 6), 0.4], numbers(rng, 2, 0.1, 0.3), [0.2, z], numbers(rng, 2, 0.2, 0.6), 1.0)
        for z in up + down
    ]
    return [case([1.0, 1.0], [0.5, 0.5], [1.0, 0.0], [2.0, 1.0], 0.0), *root, *inner]


def hidden_hand_tree(rng):
    targets = 1.0, 0.0, round(float(rng.uniform(0.1, 0.9)), 2)
    drawn = [case(*(numbers(rng, 2) for _ in range(4)), t) for t in targets]
    return [*drawn, *hand_tree_edges(rng), *near_their_ends(rng)]


BANK = [
    wrong("edge-without-its-sign", hand_tree_with(delta1=lambda p: p["d0"] * abs(p["w"][0]) * p["a"] * (1 - p["a"])),
          "notebook 10, section 2: delta of a child",
          "Where w1 is negative, delta1 and the gradients of v have the wrong sign.",
          "An edge hands on its weight with its sign: raising a lowers y if w1 is negative."),
    wrong("slope-of-the-parent", hand_tree_with(delta1=lambda p: p["d0"] * p["w"][0] * p["y"] * (1 - p["y"])),
          "notebook 10, section 2: whose slope",
          "delta1 has passed the root's slope a second time, and its own node's never.",
          "delta0 has already passed the root. The next squashing on the way down made a."),
    wrong("no-slope-on-the-way-down", hand_tree_with(delta1=lambda p: p["d0"] * p["w"][0]),
          "notebook 10, section 2: delta of a child",
          "delta1 stops at a: the slope of the inner node is missing.",
          "A delta belongs to the number inside the sigmoid, not to the value that comes out."),
    wrong("no-slope-at-the-root", hand_tree_with(delta0=lambda p: p["y"] - p["t"]), "chapter 06, cross-entropy",
          "delta0 is just y - t, and everything below lacks the same factor.",
          "That is the delta of cross-entropy. With half the squared error the root's slope stays."),
    wrong("target-minus-output", hand_tree_with(delta0=lambda p: (p["t"] - p["y"]) * p["y"] * (1 - p["y"])),
          "notebook 10, section 2: delta of the output",
          "All gradients have the opposite sign.",
          "t - y is the direction in which y should go. A gradient points where the loss grows."),
    wrong("output-for-the-child", hand_tree_with(dw=lambda p: [p["d0"] * p["y"], p["d0"] * p["x"][0]]),
          "notebook 10, section 2: gradient of an edge",
          "In the gradient of w1 stands y, the value of the root, where the child's value belongs.",
          "The other factor of w1 in the sum is what travelled along that edge."),
    wrong("delta-of-the-child", hand_tree_with(dw=lambda p: [p["d1"] * p["a"], p["d0"] * p["x"][0]]),
          "notebook 10, section 2: gradient of an edge",
          "The gradient of w1 uses delta1, the child's delta.",
          "The edge w1 ends inside the root: nudging it changes the root's sum."),
    wrong("adds-the-sibling",
          hand_tree_with(delta1=lambda p: p["d0"] * (p["w"][0] + p["w"][1]) * p["a"] * (1 - p["a"])),
          "notebook 10, section 2: one road from each node to the loss",
          "delta1 has collected both edges of the root.",
          "The inner node has one parent and one edge to it. The other edge belongs to the leaf beside it."),
    wrong("slope-of-the-sum", hand_tree_with(
              delta1=lambda p: (
                  p["d0"] * p["w"][0] * (z := p["v"][0] * p["x"][0] + p["v"][1] * p["x"][1] + p["b"][1]) * (1 - z)
              ),
          ), "chapter 02, section 3",
          "The slope s(1 - s) is taken of the number that went into the sigmoid.",
          "That short form of the slope works with the value that came out."),
    wrong("loss-without-half", hand_tree_with(energy=lambda p: (p["y"] - p["t"]) ** 2), "the task: the formula for E",
          "E is twice as large as it should be.",
          "The half is part of E. It is there so that no 2 appears in the gradients."),
    wrong("second-input-at-the-root", second_input_at_the_root, "the task: the formula for y",
          "Your root hears x2 where the task has x1.",
          "x1 is used twice in this tree: inside a, and again beside it."),
    wrong("biases-exchanged", lambda w, v, b, x, t: hand_tree(w, v, b[::-1], x, t),
          "the task: whose bias is b[0]",
          "Each of the two nodes has been given the other one's bias.",
          "The nodes are counted from the root, so the first bias does not belong to what is computed first."),
    wrong("inner-node-first", lambda w, v, b, x, t: (
              (found := hand_tree(w, v, b, x, t)) | {"delta": found["delta"][::-1]}
          ), "the task: the order of the deltas",
          "The two deltas stand in the other order.",
          "The sum that is computed first is not the one that is named first."),
    wrong("slope-of-tanh", hand_tree_with(
              delta0=lambda p: (p["y"] - p["t"]) * (1 - p["y"] ** 2),
              delta1=lambda p: p["d0"] * p["w"][0] * (1 - p["a"] ** 2),
          ), "chapter 02, section 3",
          "Both deltas hold the slope that belongs to a tanh.",
          "These nodes squash with a sigmoid, and each function has a slope of its own."),
    wrong("edges-below-with-the-roots-delta",
          hand_tree_with(dv=lambda p: [p["d0"] * p["x"][0], p["d0"] * p["x"][1]]),
          "notebook 10, section 2: gradient of an edge",
          "The gradients of v use the root's delta.",
          "Both edges v end inside the inner node, and so they hear what has arrived there."),
    wrong("edge-of-the-sibling", hand_tree_with(delta1=lambda p: p["d0"] * p["w"][1] * p["a"] * (1 - p["a"])),
          "notebook 10, section 2: delta of a child",
          "delta1 has come down the root's other edge.",
          "Follow a up to y: the edge that it passes is the one that leads back to it."),
    wrong("no-edge-on-the-way-down", hand_tree_with(delta1=lambda p: p["d0"] * p["a"] * (1 - p["a"])),
          "notebook 10, section 2: delta of a child",
          "delta1 has come down to the inner node without passing the edge between the two.",
          "How much the root hears of a depends on the weight that a is multiplied by."),
    wrong("bias-for-the-edge-to-the-input", hand_tree_with(dw=lambda p: [p["d0"] * p["a"], p["d0"]]),
          "notebook 10, section 2: gradient of an edge",
          "The gradient of w2 is delta0 itself.",
          "That is the gradient of a bias. An edge has something that travels along it."),
    wrong("size-of-the-error", hand_tree_with(delta0=lambda p: abs(p["y"] - p["t"]) * p["y"] * (1 - p["y"])),
          "notebook 10, section 2: delta of the output",
          "Where y is below its target, all gradients have the wrong sign.",
          "An error says on which side of the target y lies, and the gradient needs to know."),
    wrong("root-changed-first", root_first_changed, "chapter 06, section 2",
          "delta1 was taken with an edge that had already made a step.",
          "All gradients belong to the same place. Steps are made when all of them are known."),
]  # fmt: skip

EXERCISE = Exercise(
    id="10.1",
    title="A tree by hand",
    function="hand_tree",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 10, section 2",
    reference=hand_tree,
    domain={"w": Array("2"), "v": Array("2"), "b": Array("2"), "x": Array("2"), "t": Number()},
    meets={
        "the edge between the two nodes is 0": lambda w, x: w[0] == 0 and x[0] != 0,
        "the input that is used twice is 0": lambda w, x: x[0] == 0 and w[0] != 0,
        "the target lies between 0 and 1": lambda t: 0 < t < 1,
        "the output is nearly on its target": lambda w, v, b, x, t: 0 < hand_tree(w, v, b, x, t)["E"] < 1e-6,
        "the output is on its target": lambda w, v, b, x, t: hand_tree(w, v, b, x, t)["E"] == 0,
    },
    always={
        "the sums inside the sigmoids are at most 700 in size": lambda w, v, b, x: (
            max(abs(v[0] * x[0]) + abs(v[1] * x[1]) + abs(b[1]), abs(w[0]) + abs(w[1] * x[0]) + abs(b[0])) <= 700
        ),
    },
    visible=[
        case([-1.0, 0.5], [1.0, 2.0], [0.2, -1.0], [1.0, 0.5], 1.0),
        case([0.8, -1.2], [-0.6, 1.1], [0.4, 0.7], [0.9, -0.5], 0.0),
        case([1.5, 0.7], [0.9, -1.4], [-0.6, 0.5], [-0.8, 1.2], 1.0),
        *hand_tree_edges(np.random.default_rng(101)),
    ],
    hidden=hidden_hand_tree,
    accepted=[
        hand_tree_complex,
        hand_tree_engine,
        hand_tree_arrays,
        hand_tree_recursive,
        hand_tree_float32,
        hand_tree_tensors,
    ],
    bank=BANK,
    hints=(
        "Forward first, children before parents: a, then y, then E. Then go back, the parent before its child.",
        "delta0 is what arrives inside the root's sigmoid: error times slope. To get delta1, walk one edge down: "
        "multiply by the edge, then by the slope of the node that you come to.",
        "delta0 = (y - t) y (1 - y) and delta1 = delta0 w1 a (1 - a). The gradient of an edge is the delta of the node "
        "where it ends, times the value that travels along it.",
    ),
    equivalent_mutants={
        "squeezes": "all results are single numbers",
    },
)
