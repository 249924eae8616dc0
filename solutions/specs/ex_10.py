"""Chapter 10, the backpropagation neural tree: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of published code: the slope of the parent taken for one's own, a zero
edge that "gets no gradient", an input that is heard at one of its leaves only, copies that are averaged, an Adam whose
clock stands still, a score that is the best of many looks.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, count, low=0.4, high=1.6):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 2) for _ in range(count)]


def array(rng, *shape, low=0.3, high=1.3):
    """The same as an array."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --- 10.1 a tree by hand ---------------------------------------------------------------------------------------------


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


def hand_tree_with(*, delta0=None, delta1=None, dw=None, energy=None):
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
            "v": [part["d1"] * x[0], part["d1"] * x[1]],
        }

    return answer


def hidden_hand_tree(rng):
    return [case(*(numbers(rng, 2) for _ in range(4)), float(n % 2)) for n in range(5)]


HAND_TREE = Exercise(
    id="10.1",
    title="A tree by hand",
    function="hand_tree",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 10, section 2",
    reference=hand_tree,
    visible=[
        case([-1.0, 0.5], [1.0, 2.0], [0.2, -1.0], [1.0, 0.5], 1.0),
        case([0.8, -1.2], [-0.6, 1.1], [0.4, 0.7], [0.9, -0.5], 0.0),
        case([1.5, 0.7], [0.9, -1.4], [-0.6, 0.5], [-0.8, 1.2], 1.0),
        case([-0.9, -0.6], [1.3, 0.6], [0.8, -0.4], [1.1, 0.7], 0.0),
    ],
    hidden=hidden_hand_tree,
    accepted=[
        hand_tree_complex,
        hand_tree_engine,
        hand_tree_arrays,
        hand_tree_recursive,
        hand_tree_float32,
    ],
    bank=[
        Misconception(
            id="edge-without-its-sign",
            answer=hand_tree_with(delta1=lambda p: p["d0"] * abs(p["w"][0]) * p["a"] * (1 - p["a"])),
            looks_like="Where w1 is negative, delta1 and the gradients of v have the wrong sign.",
            why="An edge hands on its weight with its sign: raising a lowers y if w1 is negative.",
            look_at="notebook 10, section 2: delta of a child",
        ),
        Misconception(
            id="slope-of-the-parent",
            answer=hand_tree_with(delta1=lambda p: p["d0"] * p["w"][0] * p["y"] * (1 - p["y"])),
            looks_like="delta1 has passed the root's slope a second time, and its own node's never.",
            why="delta0 has already passed the root. The next squashing on the way down made a.",
            look_at="notebook 10, section 2: whose slope",
        ),
        Misconception(
            id="no-slope-on-the-way-down",
            answer=hand_tree_with(delta1=lambda p: p["d0"] * p["w"][0]),
            looks_like="delta1 stops at a: the slope of the inner node is missing.",
            why="A delta belongs to the number inside the sigmoid, not to the value that comes out.",
            look_at="notebook 10, section 2: delta of a child",
        ),
        Misconception(
            id="no-slope-at-the-root",
            answer=hand_tree_with(delta0=lambda p: p["y"] - p["t"]),
            looks_like="delta0 is just y - t, and everything below lacks the same factor.",
            why="That is the delta of cross-entropy. With half the squared error the root's slope stays.",
            look_at="chapter 06, cross-entropy",
        ),
        Misconception(
            id="target-minus-output",
            answer=hand_tree_with(delta0=lambda p: (p["t"] - p["y"]) * p["y"] * (1 - p["y"])),
            looks_like="All gradients have the opposite sign; the loss is right.",
            why="t - y is the direction in which y should go. A gradient points where the loss grows.",
            look_at="notebook 10, section 2: delta of the output",
        ),
        Misconception(
            id="output-for-the-child",
            answer=hand_tree_with(dw=lambda p: [p["d0"] * p["y"], p["d0"] * p["x"][0]]),
            looks_like="In the gradient of w1 stands y, the value of the root, where the child's value belongs.",
            why="The other factor of w1 in the sum is what travelled along that edge.",
            look_at="notebook 10, section 2: gradient of an edge",
        ),
        Misconception(
            id="delta-of-the-child",
            answer=hand_tree_with(dw=lambda p: [p["d1"] * p["a"], p["d0"] * p["x"][0]]),
            looks_like="The gradient of w1 uses delta1, the child's delta.",
            why="The edge w1 ends inside the root: nudging it changes the root's sum.",
            look_at="notebook 10, section 2: gradient of an edge",
        ),
        Misconception(
            id="adds-the-sibling",
            answer=hand_tree_with(delta1=lambda p: p["d0"] * (p["w"][0] + p["w"][1]) * p["a"] * (1 - p["a"])),
            looks_like="delta1 has collected both edges of the root.",
            why="The inner node has one parent and one edge to it. The other edge belongs to the leaf beside it.",
            look_at="notebook 10, section 2: one road from each node to the loss",
        ),
        Misconception(
            id="slope-of-the-sum",
            answer=hand_tree_with(
                delta1=lambda p: (
                    p["d0"] * p["w"][0] * (z := p["v"][0] * p["x"][0] + p["v"][1] * p["x"][1] + p["b"][1]) * (1 - z)
                ),
            ),
            looks_like="The slope s(1 - s) is taken of the number that went into the sigmoid.",
            why="That short form of the slope works with the value that came out.",
            look_at="chapter 02, section 3",
        ),
        Misconception(
            id="loss-without-half",
            answer=hand_tree_with(energy=lambda p: (p["y"] - p["t"]) ** 2),
            looks_like="E is twice as large; the gradients are those of the right E.",
            why="The half is part of E. It is there so that no 2 appears in the gradients.",
            look_at="the task: the formula for E",
        ),
    ],
    hints=(
        "Forward first, children before parents: a, then y, then E. Then go back, the parent before its child.",
        "delta0 is what arrives inside the root's sigmoid: error times slope. To get delta1, walk one edge down: "
        "multiply by the edge, then by the slope of the node that you come to.",
        "delta0 = (y - t) y (1 - y) and delta1 = delta0 w1 a (1 - a). The gradient of an edge is the delta of the node "
        "where it ends, times the value that travels along it.",
    ),
)


# --- 10.2 one road, one product --------------------------------------------------------------------------------------


def random_tree(rng, functions):
    """A tree in pre-order: parents, edge weights (one of them zero, above a subtree) and leaves; the last is a leaf."""
    parent, leaf = [-1], [False]

    def grow(node, budget):
        """Hang two or three children on a node and give the budget of function nodes to them."""
        slots = int(rng.integers(2, 4))
        shares = [0] * slots
        for _ in range(budget):
            shares[int(rng.integers(slots))] += 1
        for share in sorted(shares, reverse=True):
            parent.append(node)
            leaf.append(share == 0)
            if share:
                grow(len(parent) - 1, share - 1)

    grow(0, functions - 1)
    weight = array(rng, len(parent), low=0.4, high=1.8)
    inner = [i for i in range(1, len(parent)) if not leaf[i]]
    weight[rng.choice(inner)] = 0.0
    return parent, weight.tolist(), leaf


def backward_case(rng, functions):
    parent, weight, leaf = random_tree(rng, functions)
    value = [numbers(rng, 1, 0.2, 1.9)[0] if is_leaf else round(float(rng.uniform(0.55, 0.9)), 2) for is_leaf in leaf]
    return case(parent, weight, value, leaf, numbers(rng, 1)[0])


def tree_backward(parent, weight, value, leaf, delta_root):
    edge, delta = np.zeros(len(parent)), np.zeros(len(parent))
    delta[0] = delta_root
    for i in range(1, len(parent)):
        arrives = delta[parent[i]]
        edge[i] = arrives * value[i]
        if not leaf[i]:
            delta[i] = arrives * weight[i] * value[i] * (1 - value[i])
    return {"edge": edge, "delta": delta}


def backward_by_roads(parent, weight, value, leaf, delta_root):
    """Each node walks up to the root and multiplies what it meets."""

    def road(i):
        product = delta_root
        while i > 0:
            product, i = product * weight[i] * value[i] * (1 - value[i]), parent[i]
        return product

    n = len(parent)
    return {
        "edge": [0.0, *(road(parent[i]) * value[i] for i in range(1, n))],
        "delta": [0.0 if leaf[i] else road(i) for i in range(n)],
    }


def backward_recursive(parent, weight, value, leaf, delta_root):
    edge, delta = {0: 0.0}, {}

    def visit(i, arriving):
        delta[i] = arriving
        for c in (c for c, p in enumerate(parent) if p == i):
            edge[c] = arriving * value[c]
            visit(c, 0.0 if leaf[c] else arriving * weight[c] * value[c] * (1 - value[c]))

    visit(0, delta_root)
    order = range(len(parent))
    return {"edge": tuple(edge[i] for i in order), "delta": tuple(delta[i] for i in order)}


def backward_by_matrix(parent, weight, value, leaf, delta_root):
    """delta = delta_out + M delta: one linear system for all nodes."""
    n, v = len(parent), np.array(value)
    M = np.zeros((n, n))
    for i in range(1, n):
        if not leaf[i]:
            M[i, parent[i]] = weight[i] * v[i] * (1 - v[i])
    delta = np.linalg.solve(np.eye(n) - M, delta_root * np.eye(n)[0])
    edge = np.array([0.0 if i == 0 else delta[parent[i]] * v[i] for i in range(n)])
    return {"edge": edge, "delta": delta}


def backward_by_levels(parent, weight, value, leaf, delta_root):
    """All nodes at once, as often as the tree is deep."""
    up, w, v = np.array(parent), np.array(weight), np.array(value)
    factor = np.where(leaf, 0.0, w * (v - v * v))
    delta = np.zeros(len(up))
    delta[0] = delta_root
    for _ in parent:
        delta[1:] = delta[up[1:]] * factor[1:]
    edge = delta[up] * v
    edge[0] = 0
    return {"edge": edge, "delta": delta}


def backward_float32(parent, weight, value, leaf, delta_root):
    return {k: g.astype(np.float32) for k, g in tree_backward(parent, weight, value, leaf, delta_root).items()}


def backward_with(*, step=None, edge=None, leaves=False):
    """The sweep with another step down, another gradient of an edge, or leaves that have a slope."""

    def answer(parent, weight, value, leaf, delta_root):
        n = len(parent)
        found = {"edge": [0.0] * n, "delta": [0.0] * n}
        found["delta"][0] = delta_root
        for i in range(1, n):
            p = parent[i]
            here = {"i": i, "p": p, "w": weight, "v": value, "up": found["delta"][p], "parent": parent, "leaf": leaf}
            here["down"] = here["up"] * (step(here) if step else weight[i] * value[i] * (1 - value[i]))
            if leaves or not leaf[i]:
                found["delta"][i] = here["down"]
            found["edge"][i] = edge(here) if edge else here["up"] * value[i]
        return found

    return answer


def slope(number):
    return number * (1 - number)


def hidden_backward(rng):
    return [backward_case(rng, functions) for functions in (4, 5, 6, 7)]


ROADS = Exercise(
    id="10.2",
    title="One road, one product",
    function="tree_backward",
    minutes=15,
    difficulty=2,
    points=4,
    see="notebook 10, section 2",
    reference=tree_backward,
    visible=hidden_backward(np.random.default_rng(3)),
    hidden=hidden_backward,
    accepted=[
        backward_by_roads,
        backward_recursive,
        backward_by_matrix,
        backward_by_levels,
        backward_float32,
    ],
    bank=[
        Misconception(
            id="slope-of-the-parent",
            answer=backward_with(step=lambda h: h["w"][h["i"]] * slope(h["v"][h["p"]])),
            looks_like="On the way down each delta passes the slope of the node above once more.",
            why="What arrives has already passed the parent's sigmoid; now comes the child's own.",
            look_at="notebook 10, section 2: whose slope",
        ),
        Misconception(
            id="no-slopes",
            answer=backward_with(step=lambda h: h["w"][h["i"]]),
            looks_like="The deltas are multiplied by edges only; no slope of a sigmoid is met on the way.",
            why="Each function node squashes. Its delta belongs to the number inside the sigmoid.",
            look_at="notebook 10, section 2: delta of a child",
        ),
        Misconception(
            id="edge-above-the-parent",
            answer=backward_with(step=lambda h: h["w"][h["p"]] * slope(h["v"][h["i"]])),
            looks_like="For each node the edge above its parent is used, not the one to the parent.",
            why="weight[i] is stored with the lower end of the edge.",
            look_at="the task: weight[i] leads from node i to its parent",
        ),
        Misconception(
            id="gradient-of-an-edge-times-the-edge",
            answer=backward_with(edge=lambda h: h["up"] * h["w"][h["i"]] * h["v"][h["i"]]),
            looks_like="Each edge's gradient contains the edge's own weight.",
            why="The weight is one factor of a product; its local derivative is the other factor alone.",
            look_at="notebook 10, section 2: an edge of weight zero",
        ),
        Misconception(
            id="zero-edge-cut-off",
            answer=backward_with(edge=lambda h: h["up"] * h["v"][h["i"]] if h["w"][h["i"]] else 0.0),
            looks_like="The edge of weight zero gets a gradient of zero.",
            why="Nothing passes it, but it may still grow: nudge it, and its parent's sum moves.",
            look_at="notebook 10, section 2: an edge of weight zero",
        ),
        Misconception(
            id="zero-edge-let-through",
            answer=backward_with(step=lambda h: (h["w"][h["i"]] or 1.0) * slope(h["v"][h["i"]])),
            looks_like="Below the edge of weight zero deltas go on as if the edge were one.",
            why="A product with a factor zero is zero: the loss does not hear that subtree.",
            look_at="notebook 10, section 2: an edge of weight zero",
        ),
        Misconception(
            id="shared-among-children",
            answer=backward_with(
                step=lambda h: h["w"][h["i"]] * slope(h["v"][h["i"]]) / h["parent"].count(h["p"]),
            ),
            looks_like="Each parent's delta is divided among its children.",
            why="A sum hands its gradient to each of its terms in full.",
            look_at="chapter 02: what a plus does on the way back",
        ),
        Misconception(
            id="leaves-with-a-slope",
            answer=backward_with(leaves=True),
            looks_like="Leaves have a delta, too.",
            why="A leaf is an input: no bias, no sigmoid, nothing to train but its edge.",
            look_at="notebook 10, section 1: leaves and function nodes",
        ),
        Misconception(
            id="delta-of-the-lower-end",
            answer=backward_with(
                edge=lambda h: h["up"] * h["v"][h["i"]] if h["leaf"][h["i"]] else h["down"] * h["v"][h["i"]]
            ),
            looks_like="Edges to function nodes use the delta at their lower end.",
            why="An edge takes part in the sum at its upper end. That is where its gradient starts.",
            look_at="notebook 10, section 2: gradient of an edge",
        ),
    ],
    hints=(
        "Parents come before their children in the lists, so one loop from node 1 to the last can do everything.",
        "At node i look up what arrived at its parent. The edge's gradient needs it and the node's value. A function "
        "node hands it on: times its edge, times its own slope.",
        "Call delta[parent[i]] what arrives. The edge gets it times value[i]. A function node gets it times weight[i] "
        "times value[i] * (1 - value[i]); a leaf keeps a delta of 0.",
    ),
)


# --- 10.3 an input that hangs at many leaves -------------------------------------------------------------------------


def leaf_case(rng, functions, n):
    parent, weight, leaf = random_tree(rng, functions)
    leaves = [i for i in range(len(parent)) if leaf[i]]
    # Input 0 hangs at several leaves, the last input at one or more, one in between perhaps at none.
    kinds = [0, n - 1, 0, 1, *rng.integers(0, n, len(leaves)).tolist()][: len(leaves)]
    attribute = [-1] * len(parent)
    for place, kind in zip(rng.permutation(leaves).tolist(), kinds, strict=True):
        attribute[place] = kind
    delta = [0.0 if is_leaf else round(float(d), 2) for is_leaf, d in zip(leaf, array(rng, len(leaf)), strict=True)]
    return case(parent, weight, attribute, delta, n)


def input_gradient(parent, weight, attribute, delta, n):
    gradient = np.zeros(n)
    for i, k in enumerate(attribute):
        if k >= 0:
            gradient[k] += delta[parent[i]] * weight[i]
    return gradient


def leaf_reports(parent, weight, attribute, delta, n):
    """What each input hears, leaf by leaf."""
    heard = [[] for _ in range(n)]
    for i, k in enumerate(attribute):
        if k >= 0:
            heard[k].append(delta[parent[i]] * weight[i])
    return heard


def input_gradient_add_at(parent, weight, attribute, delta, n):
    up, w, k, d = map(np.array, (parent, weight, attribute, delta))
    at, gradient = k >= 0, np.zeros(n)
    np.add.at(gradient, k[at], d[up[at]] * w[at])
    return gradient


def input_gradient_bincount(parent, weight, attribute, delta, n):
    k = np.array(attribute)
    return np.bincount(k[k >= 0], (np.take(delta, parent) * weight)[k >= 0], minlength=n)


def input_gradient_one_hot(parent, weight, attribute, delta, n):
    selects = np.equal.outer(np.arange(n), attribute).astype(float)
    return selects @ (np.array(delta)[parent] * np.array(weight))


def input_gradient_sums(parent, weight, attribute, delta, n):
    return [sum(delta[parent[i]] * weight[i] for i in range(len(parent)) if attribute[i] == k) for k in range(n)]


def input_gradient_bumps(parent, weight, attribute, delta, n):
    """To first order the loss moves by delta times the change of each sum; bump one input after another."""

    def change(x):
        total = 0.0
        for i, k in enumerate(attribute):
            total += delta[parent[i]] * weight[i] * (x[k] if k != -1 else 0.0)
        return total

    return tuple(change(bump) for bump in np.eye(n))


def input_gradient_float32(parent, weight, attribute, delta, n):
    return input_gradient(parent, weight, attribute, delta, n).astype(np.float32)


def gathered(combine):
    """Another way to put the leaves' reports together."""

    def answer(parent, weight, attribute, delta, n):
        heard = leaf_reports(parent, weight, attribute, delta, n)
        return np.array([combine(reports) if reports else 0.0 for reports in heard])

    return answer


def reported(report):
    """Another report of each leaf."""

    def answer(parent, weight, attribute, delta, n):
        gradient = np.zeros(n)
        for i, k in enumerate(attribute):
            if k >= 0:
                gradient[k] += report(delta[parent[i]], weight[i])
        return gradient

    return answer


def counts_function_nodes(parent, weight, attribute, delta, n):
    gradient = np.zeros(n)
    for i, k in enumerate(attribute):
        if i > 0:
            gradient[k] += delta[parent[i]] * weight[i]
    return gradient


def hidden_leaves(rng):
    return [leaf_case(rng, functions, n) for functions, n in ((4, 3), (5, 4), (6, 3), (7, 5))]


REPEATS = Exercise(
    id="10.3",
    title="An input that hangs at many leaves",
    function="input_gradient",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 10, section 3",
    reference=input_gradient,
    visible=hidden_leaves(np.random.default_rng(5)),
    hidden=hidden_leaves,
    accepted=[
        input_gradient_add_at,
        input_gradient_bincount,
        input_gradient_one_hot,
        input_gradient_sums,
        input_gradient_bumps,
        input_gradient_float32,
    ],
    bank=[
        Misconception(
            id="last-leaf-only",
            answer=gathered(lambda reports: reports[-1]),
            looks_like="Each input hears the last of its leaves only.",
            why="A report overwrites the one before it. `gradient[indices] += ...` does that too, if an index repeats.",
            look_at="notebook 10, section 3: reports add",
        ),
        Misconception(
            id="first-leaf-only",
            answer=gathered(lambda reports: reports[0]),
            looks_like="Each input hears the first of its leaves only.",
            why="A node has one parent, but an input hangs at many leaves, and all of them move with it.",
            look_at="notebook 10, section 3: an input that repeats",
        ),
        Misconception(
            id="mean-of-the-leaves",
            answer=gathered(np.mean),
            looks_like="Each input hears the mean of its leaves.",
            why="One nudge of the input moves every leaf in full, so the effects add.",
            look_at="notebook 10, section 3: reports add",
        ),
        Misconception(
            id="loudest-leaf",
            answer=gathered(lambda reports: max(reports, key=abs)),
            looks_like="Each input hears the leaf with the largest report only.",
            why="A maximum picks one; here every leaf takes part.",
            look_at="notebook 10, section 3: reports add",
        ),
        Misconception(
            id="multiplies-the-leaves",
            answer=gathered(np.prod),
            looks_like="The reports of an input's leaves are multiplied.",
            why="Along one road derivatives multiply. These are different roads.",
            look_at="notebook 10, section 3: product along, sum over",
        ),
        Misconception(
            id="forgets-the-edge",
            answer=reported(lambda d, w: d),
            looks_like="The edges of the leaves are missing.",
            why="Between the parent's sum and the leaf lies an edge; the leaf's value was multiplied by it.",
            look_at="notebook 10, section 3: the last edge",
        ),
        Misconception(
            id="forgets-the-delta",
            answer=reported(lambda d, w: w),
            looks_like="Only edges are added; what arrives at the parents is missing.",
            why="That is how the parents' sums move. How much the loss cares about each is its delta.",
            look_at="notebook 10, section 2: what a delta is",
        ),
        Misconception(
            id="function-nodes-as-an-input",
            answer=counts_function_nodes,
            looks_like="The last input has heard the function nodes, too.",
            why="They are marked by -1, and in Python the index -1 means the last entry.",
            look_at="the task: attribute[i] is -1 for a function node",
        ),
    ],
    hints=(
        "From each leaf one road leads to the loss. How many leaves does one input have?",
        "A leaf's own report is the delta of its parent times its edge. Add it where it belongs.",
        "Start from zeros. For every node with attribute[i] >= 0 add delta[parent[i]] * weight[i] to the entry "
        "attribute[i].",
    ),
)


# --- 10.4 tree or MLP? -----------------------------------------------------------------------------------------------


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


TIED = Exercise(
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
    bank=[
        Misconception(
            id="averages-the-copies",
            answer=tied_with(tied=lambda copies, total: copies.mean(axis=0)),
            looks_like="The tied gradient is the mean of the copies.",
            why="One nudge of the shared weight moves all copies in full, so their effects add.",
            look_at="notebook 10, section 3: one weight, many copies",
        ),
        Misconception(
            id="one-copy-for-all",
            answer=tied_with(tied=lambda copies, total: copies[-1]),
            looks_like="The tied gradient is that of the last copy.",
            why="The other copies are uses of the same weight, and each has a term.",
            look_at="notebook 10, section 3: one weight, many copies",
        ),
        Misconception(
            id="every-copy-gets-everything",
            answer=tied_with(copies=lambda copies, total: np.broadcast_to(total, copies.shape).copy()),
            looks_like="Every copy holds the gradient of the shared weight.",
            why="A copy lies on one road to the loss and knows nothing of the others: no sum on the way.",
            look_at="notebook 10, section 2: one road, one product",
        ),
        Misconception(
            id="equal-shares",
            answer=tied_with(copies=lambda copies, total: np.broadcast_to(total / len(copies), copies.shape).copy()),
            looks_like="The sum is right, but it is shared out evenly among the copies.",
            why="The copies lie below different edges, so the loss cares about each differently.",
            look_at="notebook 10, section 2: delta of a child",
        ),
        Misconception(
            id="forgets-the-second-layer",
            answer=tied_with(delta1=lambda p: p["delta2"][:, None] * np.ones_like(p["W2"]) * slope(p["h1"])),
            looks_like="On the way from the second layer to the first the edge is missing.",
            why="Each copy of a unit hangs on its own edge of the second layer.",
            look_at="notebook 10, section 2: delta of a child",
        ),
        Misconception(
            id="no-slope-in-the-first-layer",
            answer=tied_with(delta1=lambda p: p["delta2"][:, None] * p["W2"]),
            looks_like="The slope of the first layer is missing.",
            why="The gradient of W1 belongs to the sums inside the first layer's sigmoids.",
            look_at="notebook 10, section 2: whose slope",
        ),
        Misconception(
            id="no-slope-in-the-second-layer",
            answer=tied_with(delta1=lambda p: (p["start"] * p["w3"])[:, None] * p["W2"] * slope(p["h1"])),
            looks_like="The slope of the second layer is missing.",
            why="On its road to a leaf the gradient passes each squashing once.",
            look_at="notebook 10, section 2: whose slope",
        ),
        Misconception(
            id="forgets-the-output-edge",
            answer=tied_with(
                delta1=lambda p: (p["start"] * slope(p["h2"]))[:, None] * p["W2"] * slope(p["h1"]),
            ),
            looks_like="The edges to the output are missing.",
            why="The topmost edge of each road is an entry of w3.",
            look_at="notebook 10, section 2: one road, one product",
        ),
    ],
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


# --- 10.5 how large is a random tree? --------------------------------------------------------------------------------


def expected_size(classes, depth, max_children, leaf_probability):
    arity = (max_children + 1) / 2
    functions = leaves = 0.0
    level = classes
    for d in range(1, depth + 1):
        functions += level
        children = arity * level
        leaves += children * (leaf_probability if d < depth else 1)
        level = children * (1 - leaf_probability)
    return [functions, leaves]


def size_powers(classes, depth, max_children, leaf_probability):
    arity = np.mean(np.arange(2, max_children))
    grow = arity * (1 - leaf_probability)
    levels = classes * grow ** np.arange(depth)
    leaves = arity * (leaf_probability * levels[:-1].sum() + levels[-1])
    return np.array([levels.sum(), leaves])


def size_edges(classes, depth, max_children, leaf_probability):
    """Every node below the class nodes is somebody's child: leaves = children - function nodes among them."""
    arity = sum(range(2, max_children)) / (max_children - 2)
    functions = sum(classes * (arity * (1 - leaf_probability)) ** k for k in range(depth))
    return functions, arity * functions - (functions - classes)


def size_recursive(classes, depth, max_children, leaf_probability):
    arities = range(2, max_children)

    def below(d):
        """Expected function nodes and leaves of a subtree whose top is a function node at depth d."""
        if d == depth:
            child = (0.0, 1.0)
        else:
            f, leaves = below(d + 1)
            q = 1 - leaf_probability
            child = (q * f, q * leaves + leaf_probability)
        return [
            sum(1 + k * child[0] for k in arities) / len(arities),
            sum(k * child[1] for k in arities) / len(arities),
        ]

    return [classes * number for number in below(1)]


def size_geometric(classes, depth, max_children, leaf_probability):
    """The closed form of a geometric sum; a ratio of exactly one is a sum of ones."""
    arity, p = (max_children + 1) / 2, leaf_probability
    r = arity * (1 - p)

    def geometric(terms):
        return terms if math.isclose(r, 1) else (1 - r**terms) / (1 - r)

    leaves = classes * arity * (p * geometric(depth - 1) + r ** (depth - 1))
    return np.array([classes * geometric(depth), leaves])


def size_matrix(classes, depth, max_children, leaf_probability):
    """A step down as a matrix on (function nodes, leaves)."""
    arity = (max_children + 1) / 2
    step = arity * np.array([[1 - leaf_probability, 0.0], [leaf_probability, 0.0]])
    state, total = np.array([float(classes), 0.0]), np.zeros(2)
    for _ in range(depth):
        total += state
        state = step @ state
    return total[0], total[1] + state.sum()


def size_float32(classes, depth, max_children, leaf_probability):
    return np.float32(expected_size(classes, depth, max_children, leaf_probability))


def size_with(*, arity=None, first=None, last=None, levels=None, keep=None, extra=0.0):
    """The same growth with one of its rules misread."""

    def answer(classes, depth, max_children, leaf_probability):
        p = leaf_probability
        mean = arity(max_children) if arity else (max_children + 1) / 2
        depth = levels(depth) if levels else depth
        level, functions, leaves = classes * (first(p) if first else 1.0), extra, 0.0
        leaves += classes - level
        for d in range(1, depth + 1):
            functions += level
            leaf_share = p if d < depth else (last(p) if last else 1.0)
            if keep:
                leaf_share = 1 - p if d < depth else 1.0
            leaves += mean * level * leaf_share
            level *= mean * (p if keep else 1 - p)
        return [functions, leaves]

    return answer


def hidden_sizes(rng):
    cases = []
    for depth in (2, 3, 4, 6):
        classes, children = int(rng.integers(2, 11)), int(rng.integers(4, 10))
        cases.append(case(classes, depth, children, round(float(rng.choice([0.3, 0.35, 0.4, 0.6, 0.65])), 2)))
    return cases


SIZE = Exercise(
    id="10.5",
    title="How large is a random tree?",
    function="expected_size",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 10, section 4",
    reference=expected_size,
    visible=[case(3, 5, 5, 0.4), case(2, 5, 5, 0.4), case(3, 5, 5, 0.6), case(10, 3, 9, 0.3), case(4, 1, 6, 0.35)],
    hidden=hidden_sizes,
    accepted=[
        size_powers,
        size_edges,
        size_recursive,
        size_geometric,
        size_matrix,
        size_float32,
    ],
    bank=[
        Misconception(
            id="upper-bound-included",
            answer=size_with(arity=lambda m: (m + 2) / 2),
            looks_like="Both numbers are too large: nodes have max_children children in your count.",
            why="The upper bound is exclusive, as in Python's range: 2, 3, ..., max_children - 1.",
            look_at="notebook 10, section 1: how a tree is drawn",
        ),
        Misconception(
            id="one-child-allowed",
            answer=size_with(arity=lambda m: m / 2),
            looks_like="Both numbers are too small: nodes with a single child are in your count.",
            why="A function node has at least two children.",
            look_at="notebook 10, section 1: how a tree is drawn",
        ),
        Misconception(
            id="class-nodes-may-be-leaves",
            answer=size_with(first=lambda p: 1 - p),
            looks_like="At depth 1 some nodes have become leaves.",
            why="Each class has a function node of its own; the dice are rolled for its children.",
            look_at="the task: each class starts as one function node",
        ),
        Misconception(
            id="one-level-too-few",
            answer=size_with(levels=lambda d: d - 1),
            looks_like="The last level of function nodes is missing.",
            why="Function nodes live at depths 1 to depth; leaves hang one level lower.",
            look_at="notebook 10, section 1: how a tree is drawn",
        ),
        Misconception(
            id="one-level-too-many",
            answer=size_with(levels=lambda d: d + 1),
            looks_like="There is one level of function nodes too many.",
            why="Nodes at the largest depth get leaves only.",
            look_at="notebook 10, section 1: how a tree is drawn",
        ),
        Misconception(
            id="leaf-and-function-swapped",
            answer=size_with(keep=True),
            looks_like="leaf_probability is used as the probability of a function node.",
            why="The name says which of the two it is the probability of.",
            look_at="the task: leaf_probability",
        ),
        Misconception(
            id="dice-at-the-bottom",
            answer=size_with(last=lambda p: p),
            looks_like="At the largest depth some children are missing.",
            why="There the dice are not rolled any more: every child is a leaf.",
            look_at="the task: at depth",
        ),
        Misconception(
            id="bottom-leaves-forgotten",
            answer=size_with(last=lambda p: 0.0),
            looks_like="The leaves below the deepest function nodes are missing, most of all leaves.",
            why="A function node without children would have nothing to add up.",
            look_at="the task: at depth",
        ),
        Misconception(
            id="root-counted",
            answer=size_with(extra=1.0),
            looks_like="There is one function node too many.",
            why="For classes the root only holds them together: no sum, no sigmoid, no parameters.",
            look_at="notebook 10, section 1: leaves and function nodes",
        ),
    ],
    hints=(
        "Go down level by level. On each level keep one number: how many function nodes to expect there.",
        "A function node has (max_children + 1) / 2 children on average. Each is a leaf with leaf_probability, except "
        "at the largest depth, where all are.",
        "Start with `classes` function nodes. At each depth: count them, multiply by the mean arity to get their "
        "children; a share of these (or all, at the bottom) are leaves; the rest are the next level's function nodes.",
    ),
)


# --- 10.6 an Adam whose clock stands still ---------------------------------------------------------------------------


def stuck_adam(gradients, eta, beta1, beta2):
    m = v = 0.0
    steps = []
    for g in gradients:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        steps.append(-eta * (m / (1 - beta1)) / math.sqrt(v / (1 - beta2)))
    return steps


def stuck_powers(gradients, eta, beta1, beta2):
    """Weighted sums over all gradients so far; the factors 1 - beta cancel."""
    g, steps = np.array(gradients), []
    for k in range(1, len(g) + 1):
        ages = np.arange(k)[::-1]
        steps.append(-eta * np.sum(beta1**ages * g[:k]) / np.sqrt(np.sum(beta2**ages * g[:k] ** 2)))
    return np.array(steps)


def stuck_short(gradients, eta, beta1, beta2):
    m, v, steps = 0.0, 0.0, []
    for g in gradients:
        m, v = beta1 * m + g, beta2 * v + g**2
        steps.append(eta * -m / v**0.5)
    return tuple(steps)


def stuck_accumulate(gradients, eta, beta1, beta2):
    m = itertools.accumulate(gradients, lambda old, g: beta1 * old + (1 - beta1) * g, initial=0.0)
    v = itertools.accumulate(gradients, lambda old, g: beta2 * old + (1 - beta2) * g**2, initial=0.0)
    rescale = math.sqrt(1 - beta2) / (1 - beta1)
    return [-eta * rescale * a / math.sqrt(b) for a, b in list(zip(m, v, strict=True))[1:]]


def stuck_matrix(gradients, eta, beta1, beta2):
    g = np.asarray(gradients, dtype=float)
    ages = np.subtract.outer(np.arange(len(g)), np.arange(len(g)))
    first, second = (np.where(ages >= 0, beta ** np.maximum(ages, 0), 0.0) for beta in (beta1, beta2))
    return -eta * (first @ g) / np.sqrt(second @ g**2)


def stuck_eps(gradients, eta, beta1, beta2):
    """With a tiny number against division by zero, as libraries have it."""
    m = v = 0.0
    steps = []
    for g in gradients:
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        steps.append(-eta * m / (1 - beta1) / (math.sqrt(v / (1 - beta2)) + 1e-12))
    return steps


def stuck_float32(gradients, eta, beta1, beta2):
    return np.float32(stuck_adam(gradients, eta, beta1, beta2))


def adam_with(*, first=None, second=None, root=math.sqrt, overwrite=False, mean=None, swapped=False):
    """Adam with other corrections: what m and v are divided by at step t."""

    def answer(gradients, eta, beta1, beta2):
        if swapped:
            beta1, beta2 = beta2, beta1
        m = v = 0.0
        steps = []
        for t, g in enumerate(gradients, 1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * (mean(g, m) if mean else g * g)
            m_hat = m / (first(beta1, t) if first else 1 - beta1)
            v_hat = v / (second(beta2, t) if second else 1 - beta2)
            steps.append(-eta * m_hat / root(v_hat))
            if overwrite:
                m, v = m_hat, v_hat
        return steps

    return answer


def hidden_adams(rng):
    cases = []
    for n, beta1, beta2 in ((3, 0.9, 0.9), (5, 0.8, 0.95), (4, 0.9, 0.99), (6, 0.7, 0.85)):
        constant = numbers(rng, 1)[0]
        gradients = [constant] * n if n == 3 else numbers(rng, n)
        cases.append(case(gradients, round(float(rng.uniform(0.05, 0.3)), 3), beta1, beta2))
    return cases


STUCK = Exercise(
    id="10.6",
    title="An Adam whose clock stands still",
    function="stuck_adam",
    minutes=12,
    difficulty=2,
    points=2,
    see="notebook 10, section 5",
    reference=stuck_adam,
    visible=[
        case([0.7] * 4, 0.1, 0.9, 0.9),
        case([0.5, -1.2, 0.8], 0.1, 0.9, 0.99),
        case([-0.4, 0.9, 1.1, -0.6, 0.7], 0.25, 0.8, 0.95),
        case([1.3, 0.6, -0.5, 0.9], 0.05, 0.7, 0.9),
    ],
    hidden=hidden_adams,
    accepted=[stuck_powers, stuck_short, stuck_accumulate, stuck_matrix, stuck_eps, stuck_float32],
    bank=[
        Misconception(
            id="clock-runs",
            answer=adam_with(first=lambda b, t: 1 - b**t, second=lambda b, t: 1 - b**t),
            looks_like="This is Adam as its paper has it: the step number counts up.",
            why="In the code in question it stays at 1 for ever, so the correction never fades.",
            look_at="the task: t stays 1",
        ),
        Misconception(
            id="no-correction",
            answer=adam_with(first=lambda b, t: 1.0, second=lambda b, t: 1.0),
            looks_like="Neither mean is corrected.",
            why="A clock that stands still corrects too much, not too little.",
            look_at="notebook 10, section 5: Adam with a stuck clock",
        ),
        Misconception(
            id="only-the-first-stuck",
            answer=adam_with(second=lambda b, t: 1 - b**t),
            looks_like="The clock stands still for m and runs for v.",
            why="Both corrections read the same clock.",
            look_at="the task: the two corrections",
        ),
        Misconception(
            id="only-the-second-stuck",
            answer=adam_with(first=lambda b, t: 1 - b**t),
            looks_like="The clock stands still for v and runs for m.",
            why="Both corrections read the same clock.",
            look_at="the task: the two corrections",
        ),
        Misconception(
            id="no-root",
            answer=adam_with(root=lambda number: number),
            looks_like="The square root is missing.",
            why="v is a mean of squares; without the root a step would depend on the unit of the gradient.",
            look_at="chapter 06, Adam",
        ),
        Misconception(
            id="corrected-means-carried-on",
            answer=adam_with(overwrite=True),
            looks_like="The first step is right, later ones grow: corrected means go into the next step.",
            why="The correction is for use in this step only; m and v are carried on as they are.",
            look_at="chapter 06, Adam",
        ),
        Misconception(
            id="absolute-value-for-the-square",
            answer=adam_with(mean=lambda g, m: abs(g)),
            looks_like="v is a mean of sizes, not of squares.",
            why="The root at the end is there to undo the square.",
            look_at="chapter 06, Adam",
        ),
        Misconception(
            id="square-of-the-mean",
            answer=adam_with(mean=lambda g, m: m * m),
            looks_like="v is built from the square of m, not of the gradient.",
            why="Gradients that change sign cancel in m; in v they must not.",
            look_at="chapter 06, Adam",
        ),
        Misconception(
            id="positions-for-steps",
            answer=lambda gradients, eta, beta1, beta2: np.cumsum(stuck_adam(gradients, eta, beta1, beta2)),
            looks_like="You give where the parameter is after each step, if it starts at 0.",
            why="Asked for are the steps themselves: the difference from one place to the next.",
            look_at="the task: the steps that this optimizer takes",
        ),
        Misconception(
            id="only-the-sign",
            answer=lambda gradients, eta, beta1, beta2: [-eta * math.copysign(1.0, g) for g in gradients],
            looks_like="Every step has the length eta.",
            why="That holds for the first step. From the second on the means hold more than one gradient.",
            look_at="the task: a constant gradient",
        ),
    ],
    hints=(
        "Write Adam as you know it, then look for the two places where the step number is used.",
        "With t = 1 the corrections divide m by 1 - beta1 and v by 1 - beta2, at every step.",
        "Keep m and v as running means of g and g². Each step is -eta * (m / (1 - beta1)) / sqrt(v / (1 - beta2)).",
    ),
)


# --- 10.7 a denominator read closely ---------------------------------------------------------------------------------


def doubled_denominator(logits):
    n = len(logits)
    counted = [2 ** (n - 1 - i) for i in range(n)]
    exponentials = [math.exp(z) for z in logits]
    denominator = sum(c * e for c, e in zip(counted, exponentials, strict=True))
    return {"counted": counted, "sum": sum(exponentials) / denominator}


def doubled_by_running_it(logits):
    def total(values):
        running = 0.0
        for value in values:
            running += running + value
        return running

    n = len(logits)
    e = np.exp(logits)
    return {"counted": [int(total(row)) for row in np.eye(n)], "sum": float(e.sum() / total(e))}


def doubled_from_the_end(logits):
    counted, factor = [], 1
    for _ in logits:
        counted.insert(0, factor)
        factor += factor
    e = np.exp(np.array(logits))
    return {"counted": np.array(counted), "sum": e.sum() / (counted @ e)}


def doubled_shifted(logits):
    """With the largest logit taken out first: it cancels."""
    z = np.array(logits) - max(logits)
    counted = 2.0 ** np.arange(len(z))[::-1]
    return {"counted": counted, "sum": np.sum(np.exp(z)) / np.sum(counted * np.exp(z))}


def doubled_horner(logits):
    """The denominator is a polynomial in 2, read from the highest power."""
    e = [math.exp(z) for z in logits]
    counted = [1 << place for place in reversed(range(len(e)))]
    return {"counted": tuple(counted), "sum": math.fsum(e) / float(np.polyval(e, 2))}


def doubled_float32(logits):
    found = doubled_denominator(logits)
    return {"counted": np.float32(found["counted"]), "sum": np.float32(found["sum"])}


def counted_as(count):
    """Another count of the exponentials in the denominator, used consistently."""

    def answer(logits):
        e, counted = np.exp(logits), np.array(count(len(logits)), dtype=float)
        return {"counted": counted, "sum": float(e.sum() / (counted @ e))}

    return answer


def doubled_equal_logits(logits):
    n = len(logits)
    return {"counted": [2 ** (n - 1 - i) for i in range(n)], "sum": n / (2**n - 1)}


def doubled_claims_one(logits):
    n = len(logits)
    return {"counted": [2 ** (n - 1 - i) for i in range(n)], "sum": 1.0}


def doubled_upside_down(logits):
    found = doubled_denominator(logits)
    return found | {"sum": 1 / found["sum"]}


def hidden_logits(rng):
    return [case(numbers(rng, n)) for n in (2, 3, 4, 5)]


DENOMINATOR = Exercise(
    id="10.7",
    title="A denominator, read closely",
    function="doubled_denominator",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 10, section 5",
    reference=doubled_denominator,
    visible=[case([1.0, 2.0, 3.0]), case([0.0, 0.0, 0.0]), case([0.7, -0.4]), case([-1.2, 0.5, 0.9, -0.6])],
    hidden=hidden_logits,
    accepted=[
        doubled_by_running_it,
        doubled_from_the_end,
        doubled_shifted,
        doubled_horner,
        doubled_float32,
    ],
    bank=[
        Misconception(
            id="counted-once",
            answer=counted_as(lambda n: [1] * n),
            looks_like="You read the line as a plain running sum.",
            why="`total += a` adds a to what is there. Here a contains total itself.",
            look_at="the task: the line in the loop",
        ),
        Misconception(
            id="everything-twice",
            answer=counted_as(lambda n: [2] * n),
            looks_like="Every exponential is counted twice.",
            why="What was added early is doubled at each of the later rounds, what came last not at all.",
            look_at="the task: follow total through three rounds",
        ),
        Misconception(
            id="last-counted-most",
            answer=counted_as(lambda n: [2**i for i in range(n)]),
            looks_like="The counts stand in the opposite order.",
            why="Who is in the sum for the longest is doubled most often.",
            look_at="the task: follow total through three rounds",
        ),
        Misconception(
            id="one-round-too-many",
            answer=counted_as(lambda n: [2 ** (n - i) for i in range(n)]),
            looks_like="Every exponential is doubled once too often.",
            why="In the round in which it is added it is not doubled yet.",
            look_at="the task: follow total through three rounds",
        ),
        Misconception(
            id="grows-by-one",
            answer=counted_as(lambda n: [n - i for i in range(n)]),
            looks_like="The counts grow by one from round to round.",
            why="Each round adds the whole total to itself, so the counts do not grow by adding.",
            look_at="the task: follow total through three rounds",
        ),
        Misconception(
            id="last-one-doubled-less",
            answer=counted_as(lambda n: [2] * (n - 1) + [1]),
            looks_like="All but the last exponential are counted twice.",
            why="The first is doubled in the second round, and again in the third.",
            look_at="the task: follow total through three rounds",
        ),
        Misconception(
            id="sum-must-be-one",
            answer=doubled_claims_one,
            looks_like="The counts are right, but the sum is given as 1.",
            why="Softmax sums to one because numerators and denominator hold the same terms. Here they do not.",
            look_at="chapter 04, softmax",
        ),
        Misconception(
            id="logits-ignored",
            answer=doubled_equal_logits,
            looks_like="The counts are right; the sum is that of equal logits.",
            why="How much is missing depends on which exponential is counted how often.",
            look_at="the task: the sum of the numbers that come out",
        ),
        Misconception(
            id="sum-upside-down",
            answer=doubled_upside_down,
            looks_like="The counts are right; the sum is turned upside down.",
            why="The denominator is the larger of the two, so what comes out sums to less than one.",
            look_at="the task: the sum of the numbers that come out",
        ),
    ],
    hints=(
        "Take three letters a, b, c for the exponentials and write down total after each round.",
        "After the rounds total is a, then 2a + b, then 4a + 2b + c. What comes out sums to (a + b + c) over that.",
        "Of n exponentials, the one with index i is counted 2 ** (n - 1 - i) times.",
    ),
)


# --- 10.8 how much can peeking buy? ----------------------------------------------------------------------------------


def best_of_looks(accuracy, examples, looks):
    chances = [math.comb(examples, k) * accuracy**k * (1 - accuracy) ** (examples - k) for k in range(examples)]
    return float(np.mean(1 - np.cumsum(chances) ** looks))


def looks_by_chances(accuracy, examples, looks):
    """The chance that the best of all looks has exactly k right, times k."""
    n = examples
    one = [math.comb(n, k) * accuracy**k * (1 - accuracy) ** (n - k) for k in range(n + 1)]
    below, total = 0.0, 0.0
    for k, chance in enumerate(one):
        total += k * ((below + chance) ** looks - below**looks)
        below += chance
    return total / n


def looks_convolved(accuracy, examples, looks):
    """The binomial distribution as a repeated convolution of one coin."""
    p = np.ones(1)
    for _ in range(examples):
        p = np.convolve(p, [1 - accuracy, accuracy])
    best = np.diff(np.concatenate([[0.0], np.cumsum(p) ** looks]))
    return best @ np.arange(examples + 1) / examples


def looks_log_gamma(accuracy, examples, looks):
    n = examples
    log = [
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * math.log(accuracy)
        + (n - k) * math.log1p(-accuracy)
        for k in range(n)
    ]
    return 1 - np.sum(np.cumsum(np.exp(log)) ** looks) / n


def looks_recursive(accuracy, examples, looks):
    """P(at most k of n right), by asking about the last example."""
    row = [1.0] * (examples + 1)
    for _ in range(examples):
        row = [(1 - accuracy) * row[k] + accuracy * (row[k - 1] if k else 0.0) for k in range(examples + 1)]
    return sum(1 - row[k] ** looks for k in range(examples)) / examples


def looks_one_by_one(accuracy, examples, looks):
    """The distribution of the best so far, look after look."""
    n = examples
    one = np.array([math.comb(n, k) * accuracy**k * (1 - accuracy) ** (n - k) for k in range(n + 1)])
    best = one
    for _ in range(looks - 1):
        below, own = np.cumsum(best), np.cumsum(one)
        best = best * own + one * (below - best)
    return np.float64(best @ np.arange(n + 1) / n)


def looks_float32(accuracy, examples, looks):
    return np.float32(best_of_looks(accuracy, examples, looks))


def cumulative(accuracy, n):
    return np.cumsum([math.comb(n, k) * accuracy**k * (1 - accuracy) ** (n - k) for k in range(n + 1)])


def spread(accuracy, n):
    return math.sqrt(accuracy * (1 - accuracy) / n)


def looks_off_by_one(accuracy, examples, looks):
    return float(np.sum(1 - cumulative(accuracy, examples)[1:] ** looks) / examples)


def looks_worst(accuracy, examples, looks):
    return float(np.mean((1 - cumulative(accuracy, examples)[:-1]) ** looks))


def looks_median(accuracy, examples, looks):
    return float(np.argmax(cumulative(accuracy, examples) ** looks >= 0.5) / examples)


def hidden_looks(rng):
    return [
        case(round(float(rng.uniform(low, low + 0.1)), 2), int(rng.integers(20, 60)), looks)
        for low, looks in ((0.82, 10), (0.3, 25), (0.6, 4), (0.72, 60))
    ]


LOOKS = Exercise(
    id="10.8",
    title="How much can peeking buy?",
    function="best_of_looks",
    minutes=20,
    difficulty=3,
    points=3,
    see="notebook 10, section 6",
    reference=best_of_looks,
    visible=[case(0.93, 30, 10), case(1 / 3, 30, 100), case(0.8, 36, 20), case(0.7, 25, 3)],
    hidden=hidden_looks,
    accepted=[
        looks_by_chances,
        looks_convolved,
        looks_log_gamma,
        looks_recursive,
        looks_one_by_one,
        looks_float32,
    ],
    bank=[
        Misconception(
            id="no-effect",
            answer=lambda accuracy, examples, looks: accuracy,
            looks_like="The best of many looks is as good as one look.",
            why="Nothing was trained on the test set, but something was chosen by it. Luck was chosen.",
            look_at="notebook 10, section 6: the best of many",
        ),
        Misconception(
            id="right-in-any-look",
            answer=lambda accuracy, examples, looks: 1 - (1 - accuracy) ** looks,
            looks_like="You give the chance that an example is right in at least one look.",
            why="One snapshot is chosen as a whole; one cannot pick another snapshot for each example.",
            look_at="the task: the best snapshot",
        ),
        Misconception(
            id="off-by-one",
            answer=looks_off_by_one,
            looks_like="A little too low: 'at most k right' is taken where 'fewer than k right' is meant.",
            why="The best has at least k right unless every look has fewer than k, so k itself must not be in it.",
            look_at="hint 2",
        ),
        Misconception(
            id="worst-of-looks",
            answer=looks_worst,
            looks_like="You give the expected score of the worst look.",
            why="All looks have at least k right: that is the worst one. For the best, one look is enough.",
            look_at="hint 1",
        ),
        Misconception(
            id="largest-normal",
            answer=lambda accuracy, examples, looks: (
                accuracy + spread(accuracy, examples) * math.sqrt(2 * math.log(looks))
            ),
            looks_like="The rule for the largest of many normal numbers is used.",
            why="It is a rule of thumb for very many looks, and knows no upper end: accuracy cannot pass one.",
            look_at="the task: examples are counted",
        ),
        Misconception(
            id="one-standard-deviation",
            answer=lambda accuracy, examples, looks: accuracy + spread(accuracy, examples),
            looks_like="One standard deviation is added, however many looks there were.",
            why="That is how far a typical look is off. The best of many is further off than a typical one.",
            look_at="notebook 10, section 6: the best of many",
        ),
        Misconception(
            id="more-looks-more-data",
            answer=lambda accuracy, examples, looks: accuracy + spread(accuracy, examples * looks),
            looks_like="The looks are treated as if they made the test set larger.",
            why="A larger test set makes the mean more certain. Here one takes the maximum, not the mean.",
            look_at="notebook 10, section 6: the best of many",
        ),
        Misconception(
            id="median-of-the-best",
            answer=looks_median,
            looks_like="You give the median of the best score; asked for is its mean.",
            why="The median is a whole number of examples; the mean lies between.",
            look_at="the task: expected",
        ),
    ],
    hints=(
        "Ask the other way round: when is the best of all looks below k right ones?",
        "Only if every single look is below k. One look is below k with some probability F; all are with F to the "
        "power of looks, as they are independent.",
        "The expected number right is the sum over k = 1 ... n of P(best >= k), so the answer is the mean over "
        "k = 0 ... n - 1 of 1 - P(one look has at most k right) ** looks.",
    ),
)


# --- 10.9 one run, three scores --------------------------------------------------------------------------------------


def three_scores(validation_loss, test_accuracy):
    peeking, honest, last = [], [], []
    for losses, scores in zip(validation_loss, test_accuracy, strict=True):
        peeking.append(max(scores))
        honest.append(scores[np.argmin(losses)])
        last.append(scores[-1])
    return {"peeking": np.mean(peeking), "honest": np.mean(honest), "last": np.mean(last)}


def scores_loops(validation_loss, test_accuracy):
    total = {"peeking": 0.0, "honest": 0.0, "last": 0.0}
    runs = len(test_accuracy)
    for losses, scores in zip(validation_loss, test_accuracy, strict=True):
        best = 0
        for epoch in range(len(losses)):
            if losses[epoch] < losses[best]:
                best = epoch
        total["peeking"] += max(scores) / runs
        total["honest"] += scores[best] / runs
        total["last"] += scores[-1] / runs
    return total


def scores_take_along(validation_loss, test_accuracy):
    chosen = validation_loss.argmin(1)[:, None]
    return {
        "last": test_accuracy.T[-1].mean(),
        "honest": np.take_along_axis(test_accuracy, chosen, 1).mean(),
        "peeking": test_accuracy.max(1).mean(),
    }


def scores_index(validation_loss, test_accuracy):
    runs = np.arange(len(validation_loss))
    return {
        "peeking": np.sort(test_accuracy, axis=1)[:, -1].sum() / len(runs),
        "honest": np.array(test_accuracy)[runs, np.argmin(validation_loss, 1)].sum() / len(runs),
        "last": np.array(test_accuracy)[runs, len(test_accuracy[0]) - 1].sum() / len(runs),
    }


def scores_lists(validation_loss, test_accuracy):
    losses, scores = validation_loss.tolist(), test_accuracy.tolist()
    n = len(scores)
    chosen = [row.index(min(row)) for row in losses]
    return {
        "peeking": math.fsum(map(max, scores)) / n,
        "honest": math.fsum(row[k] for row, k in zip(scores, chosen, strict=True)) / n,
        "last": math.fsum(row[-1] for row in scores) / n,
    }


def scores_min_pairs(validation_loss, test_accuracy):
    picked = [
        min(zip(losses, range(len(losses)), scores, strict=True))[2]
        for losses, scores in zip(validation_loss, test_accuracy, strict=True)
    ]
    return {
        "peeking": np.mean([max(row) for row in test_accuracy]),
        "honest": np.average(picked),
        "last": np.average(test_accuracy, axis=0)[-1],
    }


def scores_float32(validation_loss, test_accuracy):
    return {name: np.float32(score) for name, score in three_scores(validation_loss, test_accuracy).items()}


def scores_with(**changes):
    """The right scores with some of them found in another way."""

    def answer(validation_loss, test_accuracy):
        right = three_scores(validation_loss, test_accuracy)
        return right | {name: float(change(validation_loss, test_accuracy)) for name, change in changes.items()}

    return answer


def at(scores, epochs):
    return np.mean([row[k] for row, k in zip(scores, epochs, strict=True)])


def last_of_the_best(losses, scores):
    return at(scores, [len(row) - 1 - int(np.argmin(row[::-1])) for row in losses])


def best_until_chosen(losses, scores):
    return np.mean([max(row[: np.argmin(loss) + 1]) for loss, row in zip(losses, scores, strict=True)])


def score_case(rng, runs, epochs):
    """Learning curves with a tie in each run's validation loss; the tied epochs differ in test accuracy."""
    while True:
        loss = np.round(np.exp(-np.arange(epochs) / 3) + rng.uniform(0.2, 0.6, (runs, epochs)), 2)
        score = np.round(rng.integers(18, 29, (runs, epochs)) / 30, 4)
        for row in loss:
            first = int(np.argmin(row[: epochs - 2]))
            row[first] = row[int(rng.integers(first + 1, epochs - 1))] = row.min() - 0.01
        found = three_scores(loss, score)
        if len({round(float(v), 3) for v in found.values()}) == 3:
            return case(loss, score)


def hidden_scores(rng):
    return [score_case(rng, runs, epochs) for runs, epochs in ((3, 7), (4, 9), (2, 6), (5, 8))]


THREE_WAYS = Exercise(
    id="10.9",
    title="One run, three scores",
    function="three_scores",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 10, section 6",
    reference=three_scores,
    visible=hidden_scores(np.random.default_rng(17)),
    hidden=hidden_scores,
    accepted=[
        scores_loops,
        scores_take_along,
        scores_index,
        scores_lists,
        scores_min_pairs,
        scores_float32,
    ],
    bank=[
        Misconception(
            id="honest-by-the-test-set",
            answer=scores_with(honest=lambda loss, score: np.mean(np.max(score, axis=1))),
            looks_like="The honest score is the best test score.",
            why="A score is honest if the test set was not asked which epoch to take.",
            look_at="notebook 10, section 6: three ways to score a run",
        ),
        Misconception(
            id="best-until-the-chosen-epoch",
            answer=scores_with(honest=best_until_chosen),
            looks_like="The honest score is the best test score up to the chosen epoch.",
            why="Validation says when to stop; then there is one network and one score, no choice any more.",
            look_at="notebook 10, section 6: three ways to score a run",
        ),
        Misconception(
            id="largest-loss",
            answer=scores_with(honest=lambda loss, score: at(score, np.argmax(loss, axis=1))),
            looks_like="The epoch with the largest validation loss is chosen.",
            why="Of accuracy one wants the largest, of a loss the smallest.",
            look_at="the task: validation_loss",
        ),
        Misconception(
            id="one-epoch-for-all-runs",
            answer=scores_with(honest=lambda loss, score: np.mean(score[:, np.argmin(np.mean(loss, axis=0))])),
            looks_like="All runs are stopped at the same epoch, found from their mean validation loss.",
            why="Each run is a training of its own and chooses by its own validation loss.",
            look_at="the task: for each run",
        ),
        Misconception(
            id="best-of-the-mean-curve",
            answer=scores_with(peeking=lambda loss, score: np.max(np.mean(score, axis=0))),
            looks_like="For peeking, the curves are averaged before the maximum is taken.",
            why="Who peeks picks the best epoch of each run. Averaging first hides most of the effect.",
            look_at="notebook 10, section 6: maximum first, mean afterwards",
        ),
        Misconception(
            id="best-of-all-runs",
            answer=scores_with(peeking=lambda loss, score: np.max(score)),
            looks_like="For peeking, the best run of all is taken.",
            why="The published tables are means over runs, each with its own best snapshot.",
            look_at="the task: the mean over the runs",
        ),
        Misconception(
            id="last-of-equal-losses",
            answer=scores_with(honest=last_of_the_best),
            looks_like="Of several epochs with the same smallest loss the last one is chosen.",
            why="The task asks for the first of them; shorter training is the simpler choice.",
            look_at="the task: the first",
        ),
        Misconception(
            id="last-epoch-of-validation",
            answer=scores_with(last=lambda loss, score: at(score, np.argmin(loss, axis=1))),
            looks_like="The score of the last epoch is taken at the chosen epoch.",
            why="The third way chooses nothing at all: it trains to the end.",
            look_at="notebook 10, section 6: three ways to score a run",
        ),
        Misconception(
            id="mean-over-epochs",
            answer=scores_with(last=lambda loss, score: np.mean(score)),
            looks_like="The last score is a mean over all epochs.",
            why="After training there is one network: the one of the last epoch.",
            look_at="notebook 10, section 6: three ways to score a run",
        ),
    ],
    hints=(
        "Rows are runs. Find three epochs per row, look up three accuracies, and take means over the rows at the end.",
        "Loop over the runs. np.argmin of a row of losses is an epoch, and of equal entries it gives the first.",
        "peeking: the mean of each row's maximum. honest: the mean of test_accuracy[run, epoch of the smallest "
        "validation loss of that run]. last: the mean of the last column.",
    ),
)

EXERCISES = [HAND_TREE, ROADS, REPEATS, TIED, SIZE, STUCK, DENOMINATOR, LOOKS, THREE_WAYS]
