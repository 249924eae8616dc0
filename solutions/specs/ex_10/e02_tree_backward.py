"""10.2 One road, one product."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array, numbers, slope


def random_tree(rng, functions):
    """A tree in pre-order: parents, edge weights (one of them zero, above a subtree) and leaves."""
    parent, leaf = [-1], [False]

    def grow(node, budget):
        """Hang one to three children on a node and give the budget of function nodes to them, in any order."""
        slots = int(rng.integers(1, 4))
        shares = [0] * slots
        for _ in range(budget):
            shares[int(rng.integers(slots))] += 1
        for share in shares:
            parent.append(node)
            leaf.append(share == 0)
            if share:
                grow(len(parent) - 1, share - 1)

    grow(0, functions - 1)
    weight = array(rng, len(parent), low=0.4, high=1.8, digits=3)
    inner = [i for i in range(1, len(parent)) if not leaf[i]]
    weight[rng.choice(inner)] = 0.0
    return parent, weight.tolist(), leaf


def on_a_tree(rng, parent, weight, leaf):
    """Values for a tree: function nodes send up what a sigmoid can give, leaves any number."""
    value = [numbers(rng, 1, 0.2, 1.9)[0] if is_leaf else round(float(rng.uniform(0.1, 0.9)), 3) for is_leaf in leaf]
    return [parent, weight, value, leaf, numbers(rng, 1)[0]]


def backward_case(rng, functions):
    return case(*on_a_tree(rng, *random_tree(rng, functions)))


def chain_of(rng, functions):
    """One function node below another, a leaf in the end; what arrives stays of about the same size."""
    n = functions + 1
    made = on_a_tree(rng, list(range(-1, n - 1)), [0.0] * n, [False] * functions + [True])
    made[1] = [round(float(rng.choice([-1, 1]) * rng.uniform(0.9, 1.15)) / (v * (1 - v)), 3) for v in made[2][:-1]]
    made[1].append(0.7)
    return made


def hundred_levels(rng):
    return case(*chain_of(rng, 99))


def backward_edges(rng):
    """A root alone, a chain, a root with leaves only, a leaf before its sibling; zeros; sigmoids near their ends."""
    alone = on_a_tree(rng, [-1], numbers(rng, 1), [False])
    chain = on_a_tree(rng, [-1, 0, 1, 2, 3], numbers(rng, 5), [False, False, False, False, True])
    chain[2][3] = round(float(rng.uniform(0.002, 0.008)), 4)
    star = on_a_tree(rng, [-1, 0, 0, 0], numbers(rng, 4), [False, True, True, True])
    star[1][int(rng.integers(1, 4))] = 0.0
    place = int(rng.integers(1, 4))
    star[2][place], star[2][place % 3 + 1] = 0.0, -abs(star[2][place % 3 + 1])
    mixed = on_a_tree(
        rng, [-1, 0, 0, 2, 2, 0, 5, 5], numbers(rng, 8), [False, True, False, True, True, False, True, True]
    )
    mixed[2][2], mixed[2][5] = round(float(rng.uniform(0.1, 0.4)), 3), round(float(rng.uniform(0.993, 0.999)), 4)
    return [case(*parts) for parts in (alone, chain, star, mixed, chain_of(rng, 31))]


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


def backward_stack(parent, weight, value, leaf, delta_root):
    """From the root down with a stack of what is still to be visited; results as deques."""
    edge, delta, waiting = {0: 0.0}, {}, [(0, delta_root)]
    while waiting:
        i, arriving = waiting.pop()
        delta[i] = arriving
        for c in [c for c in range(1, len(parent)) if parent[c] == i]:
            edge[c] = arriving * value[c]
            waiting.append((c, 0.0 if leaf[c] else edge[c] * weight[c] * (1 - value[c])))
    return {name: deque(found[i] for i in range(len(parent))) for name, found in (("edge", edge), ("delta", delta))}


def backward_with(*, step=None, edge=None, leaves=False, start=None):
    """The sweep with another start, another step down, another gradient of an edge, or leaves that have a slope."""

    def answer(parent, weight, value, leaf, delta_root):
        n = len(parent)
        found = {"edge": [0.0] * n, "delta": [0.0] * n}
        found["delta"][0] = start(delta_root, value[0]) if start else delta_root
        for i in range(1, n):
            p = parent[i]
            here = {"i": i, "p": p, "w": weight, "v": value, "up": found["delta"][p], "parent": parent, "leaf": leaf}
            here["down"] = here["up"] * (step(here) if step else weight[i] * value[i] * (1 - value[i]))
            if leaves or not leaf[i]:
                found["delta"][i] = here["down"]
            found["edge"][i] = edge(here) if edge else here["up"] * value[i]
        return found

    return answer


def root_with_an_edge(parent, weight, value, leaf, delta_root):
    found = tree_backward(parent, weight, value, leaf, delta_root)
    found["edge"][0] = delta_root * value[0]
    return found


def deltas_of_values(parent, weight, value, leaf, delta_root):
    """Passes each slope when it leaves a node, so what is kept there is the gradient of the value."""
    found = tree_backward(parent, weight, value, leaf, delta_root)
    reached = [delta_root] + [found["delta"][parent[i]] * weight[i] for i in range(1, len(parent))]
    return found | {"delta": np.where(leaf, 0.0, reached)}


def last_function_node(parent, weight, value, leaf, delta_root):
    edge, delta, arrives = [0.0] * len(parent), [0.0] * len(parent), delta_root
    delta[0] = delta_root
    for i in range(1, len(parent)):
        edge[i] = arrives * value[i]
        if not leaf[i]:
            arrives = delta[i] = arrives * weight[i] * value[i] * (1 - value[i])
    return {"edge": edge, "delta": delta}


def wide_trees(rng):
    """Nodes with many children: leaves and function nodes in turn, each of these with leaves of its own, or not."""
    made = []
    for count in (7, 32):
        parent, leaf = [-1], [False]
        for number in range(count):
            parent.append(0)
            leaf.append(number % 3 == 1)
            if number % 3 == 2:
                above = len(parent) - 1
                parent += [above] * 5
                leaf += [True, False, True, False, True]
        made.append(case(*on_a_tree(rng, parent, array(rng, len(parent), digits=3).tolist(), leaf)))
    return made


def children_of(parent):
    return [[i for i, p in enumerate(parent) if p == node] for node in range(len(parent))]


def hidden_backward(rng):
    return [*(backward_case(rng, functions) for functions in (4, 5, 7)), *backward_edges(rng), *wide_trees(rng)[:1]]


def hidden_backward_and_wider(rng):
    return [*hidden_backward(rng), wide_trees(rng)[1], hundred_levels(rng)]


BANK = [
    wrong("slope-of-the-parent", backward_with(step=lambda h: h["w"][h["i"]] * slope(h["v"][h["p"]])),
          "notebook 10, section 2: whose slope",
          "On the way down each delta passes the slope of the node above once more.",
          "What arrives has already passed the parent's sigmoid; now comes the child's own."),
    wrong("no-slopes", backward_with(step=lambda h: h["w"][h["i"]]), "notebook 10, section 2: delta of a child",
          "The deltas are multiplied by edges only; no slope of a sigmoid is met on the way.",
          "Each function node squashes. Its delta belongs to the number inside the sigmoid."),
    wrong("no-edges-on-the-way-down", backward_with(step=lambda h: slope(h["v"][h["i"]])),
          "notebook 10, section 2: delta of a child",
          "The deltas are multiplied by slopes only; no edge is passed on the way down.",
          "A parent hears its child through their edge, and so does the loss."),
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
    wrong("edges-of-leaves-forgotten", backward_with(
              edge=lambda h: 0.0 if h["leaf"][h["i"]] else h["up"] * h["v"][h["i"]]
          ), "notebook 10, section 1: leaves and function nodes",
          "Edges that lead to leaves get a gradient of zero.",
          "A leaf has nothing to train, but the edge above it has."),
    wrong("last-function-node-for-the-parent", last_function_node, "the task: parent[i]",
          "Each node takes what arrived at the last function node before it, whatever its parent is.",
          "In pre-order a subtree comes to its end before the next sibling, and then one is further up again."),
    wrong("roots-slope-again", backward_with(start=lambda d, y: d * slope(y)), "the task: delta_root",
          "Everything has passed the root's slope once more.",
          "What you are given is the delta of the root; its slope is in it already."),
    wrong("slope-of-tanh", backward_with(step=lambda h: h["w"][h["i"]] * (1 - h["v"][h["i"]] ** 2)),
          "chapter 02, section 3",
          "On the way down each delta passes the slope of a tanh.",
          "The nodes squash with a sigmoid, and each function has a slope of its own."),
    wrong("value-of-the-upper-end", backward_with(edge=lambda h: h["up"] * h["v"][h["p"]]),
          "notebook 10, section 2: gradient of an edge",
          "The gradient of each edge holds the value of the node above it.",
          "The other factor in the sum is what the edge carries up, and that comes from below."),
    wrong("an-edge-above-the-root", root_with_an_edge, "the task: 0 for the root",
          "The root has an edge of its own in your answer.",
          "Nothing hangs above the root, so there is no edge that could have a gradient."),
    wrong("deltas-of-the-values", deltas_of_values, "notebook 10, section 2: delta of a child",
          "As deltas below the root you give the gradients of what the nodes send up.",
          "A delta belongs to the sum inside the sigmoid, and the gradient has to pass the slope to get there."),
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
    domain={
        "parent": Array("n<=100", whole=True, at_least=-1, order="given"),
        "weight": Array("n", all_zero=True),
        "value": Array("n"),
        "leaf": Array("n", whole=True, at_least=0, at_most=1, order="given"),
        "delta_root": Number(),
    },
    meets={
        "the root has leaves only": lambda leaf: len(leaf) > 2 and all(leaf[1:]),
        "the tree is more than thirty levels deep": lambda parent: len(parent) > 31 and parent[31] == 30,
        "a node has seven children": lambda parent: any(len(found) == 7 for found in children_of(parent)),
        "a node has a single child": lambda parent: any(len(found) == 1 for found in children_of(parent)),
        "a leaf comes before a function node of the same parent": lambda parent, leaf: any(
            leaf[a] and not leaf[b] for found in children_of(parent) for a, b in pairwise(found)
        ),
        "an edge of weight 0 leads to a function node": lambda weight, leaf: any(
            w == 0 and not is_leaf for w, is_leaf in zip(weight[1:], leaf[1:], strict=True)
        ),
        "an edge of weight 0 leads to a leaf": lambda weight, leaf: any(
            w == 0 and is_leaf for w, is_leaf in zip(weight[1:], leaf[1:], strict=True)
        ),
        "a sigmoid is close to 1": lambda value, leaf: any(
            0.99 < v < 1 and not is_leaf for v, is_leaf in zip(value[1:], leaf[1:], strict=True)
        ),
        "a sigmoid is close to 0": lambda value, leaf: any(
            0 < v < 0.01 and not is_leaf for v, is_leaf in zip(value[1:], leaf[1:], strict=True)
        ),
        "a function node sends up less than a half": lambda value, leaf: any(
            v < 0.5 and not is_leaf for v, is_leaf in zip(value[1:], leaf[1:], strict=True)
        ),
    },
    visible=hidden_backward(np.random.default_rng(3)),
    hidden=hidden_backward_and_wider,
    accepted=[
        backward_by_roads,
        backward_recursive,
        backward_by_matrix,
        backward_by_levels,
        backward_float32,
        backward_stack,
    ],
    bank=BANK,
    hints=(
        "Parents come before their children in the lists, so one loop from node 1 to the last can do everything.",
        "At node i look up what arrived at its parent. The edge's gradient needs it and the node's value. A function "
        "node hands it on: times its edge, times its own slope.",
        "Call delta[parent[i]] what arrives. The edge gets it times value[i]. A function node gets it times weight[i] "
        "times value[i] * (1 - value[i]); a leaf keeps a delta of 0.",
    ),
    equivalent_mutants={"takes the absolute value of parent": "the root's entry alone is negative, and means nothing"},
)
