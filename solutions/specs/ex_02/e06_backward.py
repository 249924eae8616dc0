"""02.6 The backward pass."""

from __future__ import annotations

from functools import partial

import numpy as np

from coursepkg.grading.judging.drivers import formula
from coursepkg.grading.specification.domain import Array, Formula
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e05_topological_order import (
    CANCELLING,
    DEEP,
    DIAMOND,
    GRAPHS,
    LADDER,
    LONG_AND_SHORT,
    SHORT_FIRST,
    SQUARE,
    TWICE,
    USED_TWICE_EARLY,
    A,
    B,
    C,
    everything_behind,
    inputs_are_equal,
    more_than_one_graph,
    order_by_counting_uses,
    order_by_depth,
    order_leaving_marks,
    order_of_two_parents,
    order_preorder,
    order_recursive,
    topological_order,
    uses_a_parent_twice,
)
from .shared import numbers


def backward(root):
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local


def backward_recursive_order(root):
    order = order_recursive(root)
    grads = {id(node): 0.0 for node in order}
    grads[id(root)] = 1.0
    while order:
        node = order.pop()
        node.grad = grads[id(node)]
        for position, parent in enumerate(node.parents):
            grads[id(parent)] += node.grad * node.local_grads[position]


def backward_by_paths(root):
    def walk(node, arriving):
        node.grad += arriving
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            walk(parent, arriving * local)

    walk(root, 1.0)


def backward_by_collecting(root):
    """Each node asks the nodes that use it."""
    order = order_by_counting_uses(root)
    root.grad = np.float64(1.0)
    for position in range(len(order) - 2, -1, -1):
        node = order[position]
        node.grad = sum(
            child.grad * local
            for child in order[position + 1 :]
            for parent, local in zip(child.parents, child.local_grads, strict=True)
            if parent is node
        )


def backward_by_waiting(root):
    uses, ready = {}, [root]
    for node in everything_behind(root):
        for parent in node.parents:
            uses[parent] = uses.get(parent, 0) + 1
    root.grad = 1
    while ready:
        node = ready.pop()
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad = parent.grad + local * node.grad
            uses[parent] -= 1
            if not uses[parent]:
                ready.append(parent)


def backward_by_matrix(root):
    """All gradients at once: (I - Aᵀ) v̄ = e_root, the linear system that the sweep solves by substitution."""
    nodes = order_by_depth(root)
    place = {id(node): i for i, node in enumerate(nodes)}
    matrix = np.eye(len(nodes))
    for node in nodes:
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            matrix[place[id(parent)], place[id(node)]] -= local
    seed = np.zeros(len(nodes))
    seed[place[id(root)]] = 1.0
    for node, grad in zip(nodes, np.linalg.solve(matrix, seed), strict=True):
        node.grad = float(grad)


def backward_swept(step, *, seed=lambda root: 1.0, order=topological_order, upside_down=False):
    """A backward pass with one part exchanged."""

    def answer(root):
        root.grad = seed(root)
        nodes = order(root)
        for node in nodes if upside_down else reversed(nodes):
            for parent, local in zip(node.parents, node.local_grads, strict=True):
                parent.grad = step(parent.grad, node.grad, local)

    return answer


def add_up(old, upstream, local):
    return old + upstream * local


def backward_pushing(root):
    def push(node):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local
            push(parent)

    root.grad = 1.0
    push(root)


def backward_parents_only(root):
    root.grad = 1.0
    for parent, local in zip(root.parents, root.local_grads, strict=True):
        parent.grad += local


def backward_dividing(root):
    """Each report is divided by the number of reports that its node gets."""
    uses = {}
    for node in everything_behind(root):
        for parent in node.parents:
            uses[parent] = uses.get(parent, 0) + 1
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local / uses[parent]


def backward_with_a_dictionary(root):
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        for parent, local in dict(zip(node.parents, node.local_grads, strict=True)).items():
            parent.grad += node.grad * local


def backward_to_first_parent(root):
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        if node.parents:
            node.parents[0].grad += node.grad * node.local_grads[0]


def backward_to_two_parents(root):
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        for parent, local in zip(node.parents[:2], node.local_grads[:2], strict=True):
            parent.grad += node.grad * local


def backward_writing_reports(root):
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        node.local_grads = [node.grad * local for local in node.local_grads]
        for parent, report in zip(node.parents, node.local_grads, strict=True):
            parent.grad += report


def backward_until_inputs(root):
    if root.parents:
        backward(root)


def backward_dropping(root):
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local if abs(node.grad) > 1e-6 else 0.0


def backward_keeping_the_order(root):
    backward(root)
    root.order = topological_order(root)


SMALL_THEN_LARGE = ("add", ("mul", ("const", 1e-8), ("mul", ("const", 1e8), A)), ("mul", B, B))

LARGE_THEN_SMALL = ("add", ("mul", ("const", 1e8), ("mul", ("const", 1e-8), A)), ("mul", B, B))

NOTHING_THROUGH_TANH = ("add", ("exp", A), ("add", ("mul", ("tanh", A), B), ("exp", C)))


def backward_edges(rng):
    """An input alone, x * x, uses that cancel, a short way before a long one, zeros, equal inputs, many steps."""
    (a,) = numbers(rng, 1)
    return [
        case(A, [a]),
        case(SQUARE, numbers(rng, 1, 0.4, 1.6)),
        case(CANCELLING, numbers(rng, 2, 0.4, 1.6)),
        case(SHORT_FIRST, numbers(rng, 2, 0.4, 1.6)),
        case(DIAMOND, [0.0, *numbers(rng, 2, 0.4, 1.6)]),
        case(SHORT_FIRST, [a, a]),
        case(DIAMOND, numbers(rng, 3, 0.4, 1.6)),
        case(DEEP, numbers(rng, 2, 0.4, 0.9)),
        case(NOTHING_THROUGH_TANH, [a, 0.0, *numbers(rng, 1, 0.4, 1.6)]),
        *(case(graph, numbers(rng, 2, 0.4, 1.6)) for graph in (SMALL_THEN_LARGE, LARGE_THEN_SMALL)),
        *(case(graph, numbers(rng, 2, 0.4, 1.2)) for graph in USED_TWICE_EARLY),
        *more_than_one_graph(rng),
    ]


def _is(graph, expression):
    return expression == graph


_draw = np.random.default_rng(26)

BANK = [
    wrong("overwrites", backward_swept(lambda old, upstream, local: upstream * local),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "A node that is used more than once holds only the report of one use.",
          "Each report replaced the one before. All uses move at once when the node moves, so their reports add."),
    wrong("recursion-without-order", backward_pushing, "notebook 02, section 5, 'a counter-example with three nodes'",
          "Gradients behind a node that is used more than once are too large.",
          "A node passed on its gradient before all of its uses had reported, and later passed on the old part again."),
    wrong("order-of-discovery", backward_swept(add_up, order=lambda root: everything_behind(root)[::-1]),
          "notebook 02, section 5, 'Fourth attempt: wait for everyone'",
          "Where a node has a long and a short way to the result, part of its gradient was never passed on.",
          "Each node was handled once, but some of them before their last use had reported."),
    wrong("ignores-upstream", backward_swept(lambda old, upstream, local: old + local),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "Your gradients are sums of local derivatives.",
          "What a node passes on is what it has received, times the local derivative."),
    wrong("adds-along-the-chain", backward_swept(lambda old, upstream, local: old + upstream + local),
          "notebook 02, section 5: along a path you multiply, over paths you add",
          "Upstream and local derivative were added.",
          "Rates multiply along a chain, and add only where paths meet."),
    wrong("multiplies-at-forks", backward_swept(lambda old, upstream, local: (old or 1.0) * upstream * local),
          "notebook 02, section 5: along a path you multiply, over paths you add",
          "The reports that reach a node were multiplied.",
          "Different uses are separate effects of the same nudge; effects add."),
    wrong("forgets-the-seed", backward_swept(add_up, seed=lambda root: 0.0),
          "notebook 02, section 2: the result itself is easy",
          "All gradients are zero.",
          "Whatever is multiplied and added starts from the gradient of the result with respect to itself, and "
          "that is not zero."),
    wrong("seeds-with-the-value", backward_swept(add_up, seed=lambda root: root.data),
          "notebook 02, section 2: the result itself is easy",
          "All gradients are multiplied by the value of the result.",
          "The backward pass starts with a sensitivity, not with a value: by how much does the result move when "
          "the result moves by one?"),
    wrong("starts-at-the-inputs", backward_swept(add_up, upside_down=True),
          "notebook 02, section 5: the backward pass walks the order in reverse",
          "Only the parents of the result have a gradient.",
          "The nodes were visited in forward order, so almost all of them had nothing to pass on yet."),
    wrong("speaks-when-first-met", backward_swept(add_up, order=order_preorder),
          "notebook 02, section 5, 'Fourth attempt: wait for everyone'",
          "A node with several uses passed on only what the first of them had reported.",
          "Each node spoke once, as soon as a first report had come. It has to wait for the last one."),
    wrong("merges-double-edges", backward_with_a_dictionary,
          "notebook 02, section 5: what is the gradient of x * x?",
          "Where a node uses the same parent twice, one of the two reports is lost.",
          "A dictionary from parents to local gradients has room for one of them."),
    wrong("first-parent-only", backward_to_first_parent, "notebook 02, section 4: what a Value remembers",
          "Only the first parent of each node got a report.",
          "A sum and a product have two parents, and each of them moves the result."),
    wrong("divides-by-uses", backward_dividing,
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "The reports that reach a node were averaged.",
          "A nudge of the node reaches the result by all of its uses at once, so their effects add up in full."),
    wrong("two-parents-only", backward_swept(add_up, order=order_of_two_parents), "notebook 02, section 4: what a Value"
          " remembers",
          "What lies behind the third parent of a node gets too little, or nothing.",
          "How many parents a node has is up to the node. Go through all of them."),
    wrong("third-parent-gets-nothing", backward_to_two_parents, "notebook 02, section 4: what a Value remembers",
          "Of a node with more than two parents only two got a report.",
          "How many parents a node has is up to the node. Each of them has its own local derivative."),
    wrong("writes-over-local-grads", backward_writing_reports, "notebook 02, section 4: what a Value remembers",
          "Right at first, wrong where nodes were in another backward pass before.",
          "The local derivatives were written over by reports. The next pass needs them as they were."),
    wrong("leaves-marks", backward_swept(add_up, order=order_leaving_marks),
          "notebook 02, section 5: what is kept in `seen`?",
          "Nodes that were in another backward pass before hand nothing on.",
          "Something was left on the nodes: a mark that they are done, or parents that were taken away. Graphs share"
          " nodes, and backward may be called again."),
    wrong("drops-small-gradients", backward_dropping, "notebook 02, section 2, 'downstream = upstream × local'",
          "Behind a node with a very small gradient nothing arrives.",
          "What is small at one node may be multiplied by much on the way to the next."),
    wrong("keeps-things-on-the-root", backward_keeping_the_order, "the task: what may be left on the nodes?",
          "Your gradients are right, and a node holds something more than before.",
          "Other graphs share the nodes, and only `.grad` is yours to fill in."),
    wrong("nothing-for-an-input", backward_until_inputs,
          "notebook 02, section 2: the result itself is easy",
          "If the root has no parents, its gradient stays zero.",
          "The root moves by one when it moves by one, whether it was made from something or not."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.6",
    title="The backward pass",
    function="backward",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 02, section 5",
    driver="backward_on_graph",
    reference=backward,
    domain={"expression": Formula("add sub mul tanh exp sum"), "values": Array("v")},
    meets={
        "the root is an input": lambda expression: expression[0] == "var",
        "the root uses a parent twice": uses_a_parent_twice,
        "two inputs hold one number": inputs_are_equal,
        "a gradient is small on the way": lambda expression: expression == SMALL_THEN_LARGE,
        "a gradient is large on the way": lambda expression: expression == LARGE_THEN_SMALL,
        **{f"a node is used twice, and elsewhere: {formula(graph)}": partial(_is, graph) for graph in USED_TWICE_EARLY},
        "the uses of an intermediate cancel": lambda expression: expression == CANCELLING,
    },
    visible=[
        case(DIAMOND, [0.5, -1.5, 2.0]),
        case(LONG_AND_SHORT, [0.8, -1.2, 0.5]),
        case(TWICE, [1.5, 0.4, 2.0]),
        case(LADDER, [0.6, 1.3, -0.7]),
        *backward_edges(_draw),
    ],
    hidden=lambda rng: [*(case(graph, numbers(rng, 3, 0.4, 1.6)) for graph in GRAPHS), *backward_edges(rng)],
    accepted=[
        backward_recursive_order,
        backward_by_paths,
        backward_by_collecting,
        backward_by_waiting,
        backward_by_matrix,
    ],
    bank=BANK,
    hints=(
        "Three things are needed: a first gradient at the root, an order in which every node has heard from "
        "all its uses before it speaks, and one line that speaks.",
        "Use your topological_order from 02.5, in reverse. For each node, go through its parents together "
        "with its local_grads.",
        "Set root.grad to 1.0. For node in reversed(order), for parent, local in zip(node.parents, "
        "node.local_grads): add node.grad times local to parent.grad.",
    ),
)
