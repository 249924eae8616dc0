"""02.5 Parents before children."""

from __future__ import annotations

import graphlib
from collections import deque

import numpy as np

from coursepkg.grading.judging.drivers import graph
from coursepkg.grading.specification.domain import Anything, Formula
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def topological_order(root):
    order, seen, to_do = [], set(), [(root, False)]
    while to_do:
        node, parents_are_done = to_do.pop()
        if parents_are_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            to_do.append((node, True))
            to_do.extend((parent, False) for parent in node.parents)
    return order


def order_recursive(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def everything_behind(root):
    found, queue = [], deque([root])
    while queue:
        node = queue.popleft()
        if not any(node is other for other in found):
            found.append(node)
            queue.extend(node.parents)
    return found


def order_by_counting_uses(root):
    nodes = everything_behind(root)
    waiting = {id(node): 0 for node in nodes}
    for node in nodes:
        for parent in node.parents:
            waiting[id(parent)] += 1
    ready, order = [root], []
    while ready:
        node = ready.pop(0)
        order.append(node)
        for parent in node.parents:
            waiting[id(parent)] -= 1
            if waiting[id(parent)] == 0:
                ready.append(parent)
    return order[::-1]


def order_by_depth(root):
    depth = {}

    def longest(node):
        if id(node) not in depth:
            depth[id(node)] = 1 + max((longest(parent) for parent in node.parents), default=0)
        return depth[id(node)]

    longest(root)
    return tuple(sorted(everything_behind(root), key=longest))


def order_by_library(root):
    sorter = graphlib.TopologicalSorter({node: node.parents for node in everything_behind(root)})
    return list(sorter.static_order())


def order_by_rounds(root):
    left, order = everything_behind(root), []
    while left:
        done = {id(node) for node in order}
        ready = [node for node in left if all(id(parent) in done for parent in node.parents)]
        order += ready
        left = [node for node in left if not any(node is other for other in ready)]
    return order


def order_preorder(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            order.append(node)
            for parent in node.parents:
                visit(parent)

    visit(root)
    return order[::-1]


def order_with_repeats(root):
    order = []

    def visit(node):
        for parent in node.parents:
            visit(parent)
        order.append(node)

    visit(root)
    return order


def order_by_value(root):
    order, seen = [], set()

    def visit(node):
        if node.data not in seen:
            seen.add(node.data)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def order_first_parent(root):
    order = [root]
    while order[-1].parents:
        order.append(order[-1].parents[0])
    return order[::-1]


def order_two_generations(root):
    nodes = [root, *root.parents, *(old for parent in root.parents for old in parent.parents)]
    return [node for node in topological_order(root) if node in nodes]


def order_result_first(root):
    *others, result = topological_order(root)
    return [result, *others]


def order_of_two_parents(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents[:2]:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def order_leaving_marks(root):
    order = []

    def visit(node):
        if not hasattr(node, "seen"):
            node.seen = True
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def order_numbering(root):
    order = topological_order(root)
    for number, node in enumerate(order):
        node.number = number
    return order


def order_remembered():
    known = {}

    def order(root):
        if root not in known:
            known[root] = topological_order(root)
        return known[root]

    return order


def order_nothing_behind_an_input(root):
    return topological_order(root) if root.parents else []


# Expressions: operands come first in the tuple's meaning, equal sub-expressions are one node.
A, B, C = ("var", 0), ("var", 1), ("var", 2)

SUM = ("add", A, B)

DIAMOND = ("mul", SUM, ("add", B, C))

LONG_AND_SHORT = ("add", ("mul", ("tanh", ("mul", A, B)), A), A)

TWICE = ("mul", ("add", SUM, SUM), SUM)

LADDER = ("mul", ("add", ("mul", A, B), ("exp", A)), ("sub", ("mul", A, B), ("mul", ("exp", A), B)))

SQUARE = ("mul", A, A)

PRODUCT = ("mul", A, B)

CANCELLING = ("add", ("sub", SUM, SUM), ("mul", SUM, ("const", 2.0)))

SHORT_FIRST = ("add", PRODUCT, ("mul", ("tanh", PRODUCT), B))

MANY_PARENTS = ("mul", ("sum", ("tanh", PRODUCT), A, ("exp", PRODUCT), ("mul", A, A)), ("sum", A, B, PRODUCT))

TWICE_AND_LATER = ("add", ("mul", PRODUCT, PRODUCT), ("tanh", ("mul", PRODUCT, B)))

LATER_AND_TWICE = ("add", ("tanh", ("mul", PRODUCT, B)), ("mul", PRODUCT, PRODUCT))

THREE_TIMES = ("sum", ("mul", PRODUCT, A), PRODUCT, PRODUCT, ("exp", ("mul", B, PRODUCT)), PRODUCT)

USED_TWICE_EARLY = (TWICE_AND_LATER, LATER_AND_TWICE, THREE_TIMES)

DEEP = A
for _ in range(5):
    DEEP = ("add", ("tanh", DEEP), ("mul", DEEP, B))

LONG = A
for _ in range(60):
    LONG = ("add", ("mul", LONG, ("const", 1.01)), A)

WIDE = ("mul", ("sum", A, *(("mul", B, ("const", float(k))) for k in range(60))), A)

GRAPHS = (DIAMOND, LONG_AND_SHORT, TWICE, LADDER)

OTHER_GRAPHS = ((A, 1), (SQUARE, 2), (PRODUCT, 2), (CANCELLING, 2), (SHORT_FIRST, 2), (DEEP, 2))
"""Each with the number of values that it is given."""

VALUES_TWIN = [0.5, 0.5, 1.5]


def graph_cases(rng):
    twin = numbers(rng, 1)[0]
    values = [[twin, twin, *numbers(rng, 1)], *(numbers(rng, 3) for _ in range(3))]
    usual = [case(expression, point) for expression, point in zip(GRAPHS, values, strict=True)]
    others = [case(expression, numbers(rng, count)) for expression, count in OTHER_GRAPHS]
    others += [case(expression, numbers(rng, 2, 0.4, 1.6)) for expression in USED_TWICE_EARLY]
    return [*usual, *others, case(DIAMOND, [0.0, *numbers(rng, 2)]), *more_than_one_graph(rng)]


def more_than_one_graph(rng):
    """More than two parents; the same graph once more, and graphs that share a part with an earlier one."""
    return [
        case(MANY_PARENTS, numbers(rng, 2, 0.4, 1.6)),
        case(LADDER, numbers(rng, 2, 0.4, 1.6), after=LADDER),
        case(DIAMOND, numbers(rng, 3, 0.4, 1.6), after=("mul", SUM, SUM)),
        case(("mul", A, ("exp", B)), numbers(rng, 2, 0.4, 1.6), after=LADDER),
        case(LONG, numbers(rng, 1, 0.4, 1.6)),
        case(WIDE, numbers(rng, 2, 0.4, 1.6)),
    ]


_draw = np.random.default_rng(25)


def uses_a_parent_twice(expression):
    return expression[0] != "var" and len(set(expression[1:])) < len(expression[1:])


def inputs_are_equal(expression, values):
    return len(set(values)) < len(values)


def an_intermediate_equals_an_input(expression, values):
    _, variables, nodes = graph(expression, values)
    return any(node.parents and node.data == leaf.data for node in nodes for leaf in variables)


BANK = [
    wrong("result-first", lambda root: topological_order(root)[::-1],
          "notebook 02, section 5: each node after its parents",
          "Your order is right, and runs the other way: the result comes first.",
          "Parents are what a node was made from, so they come before it. The backward pass reverses the list later."),
    wrong("writes-down-too-early", order_preorder,
          "notebook 02, section 5: write a node down when all of its parents are written down",
          "Some node stands on the wrong side of one of its parents, although each node was found once.",
          "A node was written down when it was first met, before everything that it waits for had been written down."),
    wrong("order-of-discovery", lambda root: everything_behind(root)[::-1],
          "notebook 02, section 5: after every node that uses it",
          "The list runs level by level from the result, and a node with a long and a short way to the result is "
          "misplaced.",
          "A node must wait for its longest way to the result, not for its shortest."),
    wrong("no-memory-of-visits", order_with_repeats, "notebook 02, section 5, 'walk every path', and what it cost",
          "Nodes that are used more than once are listed more than once.",
          "Each use led to the node again. Its gradient would be passed on once for every entry."),
    wrong("confuses-equal-numbers", order_by_value, "notebook 02, section 5: what is kept in `seen`?",
          "A node is missing when another node holds the same number.",
          "Two variables that happen to be equal are still two variables. Remember the nodes, not their data."),
    wrong("leaves-out-inputs", lambda root: [node for node in topological_order(root) if node.parents],
          "notebook 02, section 5: every node behind the root",
          "The inputs, which have no parents, are missing from your list.",
          "Inputs have nothing to pass on, but they are nodes, and they have to receive."),
    wrong("leaves-out-the-result", lambda root: topological_order(root)[:-1],
          "notebook 02, section 5: every node behind the root, and the root",
          "The result itself is missing from your list.",
          "The backward pass starts there: it is the one node whose gradient is known."),
    wrong("puts-the-result-first", order_result_first,
          "notebook 02, section 5: where does root stand?",
          "The result stands first, and everything else is in order behind it.",
          "You began your list with the root. It was made from the others, so it comes after all of them."),
    wrong("sorts-by-number", lambda root: sorted(everything_behind(root), key=lambda node: node.data),
          "notebook 02, section 5: write a node down when all of its parents are written down",
          "The nodes are sorted by the numbers that they hold.",
          "A result may be smaller than what it was made from. What counts is who was made from whom."),
    wrong("stops-after-two-generations", order_two_generations,
          "notebook 02, section 5: every node behind the root",
          "Nodes that lie three or more steps behind the root are missing.",
          "You looked at the parents and at their parents. Those have parents, too."),
    wrong("nothing-behind-an-input", order_nothing_behind_an_input,
          "notebook 02, section 5: every node behind the root, and the root",
          "If the root has no parents, your list is empty.",
          "An input is a whole graph of one node, and the list holds the root in any case."),
    wrong("two-parents-only", order_of_two_parents, "notebook 02, section 4: what a Value remembers",
          "Of a node with more than two parents the others are not followed.",
          "How many parents a node has is up to the node. Go through all of them."),
    wrong("leaves-marks", order_leaving_marks, "notebook 02, section 5: what is kept in `seen`?",
          "Nodes that an earlier call has met are missing from the next list.",
          "What was seen in one call was written onto the nodes, and is still there in the next. Nodes are shared by "
          "graphs; keep what you have seen in the call."),
    wrong("writes-on-the-nodes", order_numbering, "the task: what may be left on the nodes?",
          "Your order is right, and the nodes are no longer as they were.",
          "Other graphs share the nodes. What you know about them belongs into a set or a dictionary of yours."),
    wrong("hands-out-one-list", order_remembered(), "the task: the function may be called again",
          "A second call on the same root gives the list of the first one, whatever has become of it.",
          "A list that was returned belongs to the caller, who may empty it. Make a new one in each call."),
    wrong("follows-one-parent", order_first_parent, "notebook 02, section 4: what a Value remembers",
          "Your list follows a single line of parents.",
          "A sum and a product have two parents, and each of them has a past of its own."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.5",
    title="Parents before children",
    function="topological_order",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 02, section 5, 'Fourth attempt: wait for everyone'",
    driver="topological_order",
    reference=topological_order,
    result={"kind": "diagnostic"},
    domain={
        "expression": Formula("add sub mul tanh exp sum"),
        "values": Anything("what the inputs hold; an order does not depend on it"),
    },
    meets={
        "the root is an input": lambda expression: expression[0] == "var",
        "the root uses a parent twice": uses_a_parent_twice,
        "a node is used twice, and once more further back": lambda expression: expression == TWICE_AND_LATER,
        "a node is used further back, and twice": lambda expression: expression == LATER_AND_TWICE,
        "a node is used three times at once": lambda expression: expression == THREE_TIMES,
        "there are more than a hundred nodes": lambda expression: expression == LONG,
        "a node has more than fifty parents": lambda expression: expression == WIDE,
        "two inputs hold one number": inputs_are_equal,
        "an intermediate and an input hold one number": an_intermediate_equals_an_input,
    },
    visible=[
        case(DIAMOND, VALUES_TWIN),
        case(LONG_AND_SHORT, [0.8, -1.2, 0.5]),
        case(TWICE, [1.5, 0.4, 2.0]),
        case(LADDER, [0.6, 1.3, -0.7]),
        case(A, [0.9]),
        case(SQUARE, [-1.3, 0.6]),
        case(PRODUCT, [0.7, 1.6]),
        case(CANCELLING, [1.1, -0.4]),
        case(SHORT_FIRST, [-0.8, 1.4]),
        case(DEEP, [0.9, -0.7]),
        case(DIAMOND, [0.0, 0.7, -1.2]),
        *(case(expression, [0.8, -1.1]) for expression in USED_TWICE_EARLY),
        *more_than_one_graph(_draw),
    ],
    hidden=graph_cases,
    accepted=[
        order_recursive,
        order_by_counting_uses,
        order_by_depth,
        order_by_library,
        order_by_rounds,
        lambda root: iter(order_recursive(root)),
        lambda root: deque(order_recursive(root)),
    ],
    equivalent_mutants={"rounds to 3 digits": "a graph has fewer than a thousand nodes"},
    bank=BANK,
    hints=(
        "When may a node be written down? Turn the answer into a rule about its parents.",
        "Write a function visit(node) that leaves at once if it has seen the node, visits all parents, and only then "
        "appends the node to the list. A set remembers what has been seen.",
        "Three steps inside visit: mark the node as seen, call visit for each of its parents, append the node. Around "
        "it: an empty list, an empty set, one call visit(root), and the list is returned.",
    ),
)
