"""10.2 One road, one product."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .shared import array, numbers


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


BANK = [
    wrong("slope-of-the-parent", backward_with(step=lambda h: h["w"][h["i"]] * slope(h["v"][h["p"]])),
          "notebook 10, section 2: whose slope",
          "On the way down each delta passes the slope of the node above once more.",
          "What arrives has already passed the parent's sigmoid; now comes the child's own."),
    wrong("no-slopes", backward_with(step=lambda h: h["w"][h["i"]]), "notebook 10, section 2: delta of a child",
          "The deltas are multiplied by edges only; no slope of a sigmoid is met on the way.",
          "Each function node squashes. Its delta belongs to the number inside the sigmoid."),
    wrong("edge-above-the-parent", backward_with(step=lambda h: h["w"][h["p"]] * slope(h["v"][h["i"]])),
          "the task: weight[i] leads from node i to its parent",
          "For each node the edge above its parent is used, not the one to the parent.",
          "weight[i] is stored with the lower end of the edge."),
    wrong("gradient-of-an-edge-times-the-edge", backward_with(edge=lambda h: h["up"] * h["w"][h["i"]] * h["v"][h["i"]]),
          "notebook 10, section 2: an edge of weight zero",
          "Each edge's gradient contains the edge's own weight.",
          "The weight is one factor of a product; its local derivative is the other factor alone."),
    wrong("zero-edge-cut-off", backward_with(edge=lambda h: h["up"] * h["v"][h["i"]] if h["w"][h["i"]] else 0.0),
          "notebook 10, section 2: an edge of weight zero",
          "The edge of weight zero gets a gradient of zero.",
          "Nothing passes it, but it may still grow: nudge it, and its parent's sum moves."),
    wrong("zero-edge-let-through", backward_with(step=lambda h: (h["w"][h["i"]] or 1.0) * slope(h["v"][h["i"]])),
          "notebook 10, section 2: an edge of weight zero",
          "Below the edge of weight zero deltas go on as if the edge were one.",
          "A product with a factor zero is zero: the loss does not hear that subtree."),
    wrong("shared-among-children", backward_with(
              step=lambda h: h["w"][h["i"]] * slope(h["v"][h["i"]]) / h["parent"].count(h["p"]),
          ), "chapter 02: what a plus does on the way back",
          "Each parent's delta is divided among its children.",
          "A sum hands its gradient to each of its terms in full."),
    wrong("leaves-with-a-slope", backward_with(leaves=True), "notebook 10, section 1: leaves and function nodes",
          "Leaves have a delta, too.",
          "A leaf is an input: no bias, no sigmoid, nothing to train but its edge."),
    wrong("delta-of-the-lower-end", backward_with(
              edge=lambda h: h["up"] * h["v"][h["i"]] if h["leaf"][h["i"]] else h["down"] * h["v"][h["i"]]
          ), "notebook 10, section 2: gradient of an edge",
          "Edges to function nodes use the delta at their lower end.",
          "An edge takes part in the sum at its upper end. That is where its gradient starts."),
]  # fmt: skip

EXERCISE = Exercise(
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
    bank=BANK,
    hints=(
        "Parents come before their children in the lists, so one loop from node 1 to the last can do everything.",
        "At node i look up what arrived at its parent. The edge's gradient needs it and the node's value. A function "
        "node hands it on: times its edge, times its own slope.",
        "Call delta[parent[i]] what arrives. The edge gets it times value[i]. A function node gets it times weight[i] "
        "times value[i] * (1 - value[i]); a leaf keeps a delta of 0.",
    ),
)
