"""10.5 How large is a random tree?."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from coursepkg import neural_tree
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


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


def size_exact(classes, depth, max_children, leaf_probability):
    """With fractions to the end; level by level as a list."""
    arity, p = Fraction(max_children + 1, 2), Fraction(leaf_probability)
    levels = [Fraction(classes)]
    while len(levels) < depth:
        levels.append(levels[-1] * arity * (1 - p))
    leaves = sum(level * arity * p for level in levels[:-1]) + levels[-1] * arity
    return np.array([float(sum(levels)), float(leaves)])


def size_of_the_package(classes, depth, max_children, leaf_probability):
    size = neural_tree.expected_size(
        classes, max_depth=depth, max_children=max_children, leaf_probability=leaf_probability
    )
    return size.functions, size.leaves


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


def only_the_deepest(classes, depth, max_children, leaf_probability):
    """What is left of the level that was gone through last."""
    arity = (max_children + 1) / 2
    deepest = classes * (arity * (1 - leaf_probability)) ** (depth - 1)
    return [deepest, arity * deepest]


def size_edges_of_domain(rng):
    """No dice, only leaves; two classes; one level; always two children; levels that do not grow, or hardly."""
    classes, p = int(rng.integers(2, 9)), round(float(rng.uniform(0.2, 0.8)), 3)
    return [
        case(classes, 4, 5, 0.0),
        case(classes, 3, 7, 1.0),
        case(2, 3, int(rng.choice([6, 10])), p),  # a mean that `round` rounds up
        case(classes, 1, 7, p),
        case(classes, 5, 3, p),
        case(classes, 6, 4, 0.6),
        case(classes, 100, 3, round(float(rng.uniform(0.499995, 0.499999)), 8)),
    ]


def hidden_sizes(rng):
    drawn = [
        case(int(rng.integers(2, 11)), depth, int(rng.integers(5, 10)), round(float(rng.uniform(0.25, 0.7)), 3))
        for depth in (2, 4, 6)
    ]
    falling = case(int(rng.integers(2, 11)), 100, 3, round(float(rng.uniform(0.500001, 0.500005)), 8))
    growing = case(int(rng.integers(2, 11)), int(rng.integers(12, 30)), 70, round(float(rng.uniform(0.8, 0.9)), 3))
    return [*drawn, *size_edges_of_domain(rng), falling, growing]


BANK = [
    wrong("upper-bound-included", size_with(arity=lambda m: (m + 2) / 2), "notebook 10, section 1: how a tree is drawn",
          "Both numbers are too large: nodes have max_children children in your count.",
          "The upper bound is exclusive, as in Python's range: 2, 3, ..., max_children - 1."),
    wrong("one-child-allowed", size_with(arity=lambda m: m / 2), "notebook 10, section 1: how a tree is drawn",
          "Both numbers are too small: the mean number of children is half a child short.",
          "A function node has at least two children, and the mean lies between the smallest and the largest number."),
    wrong("class-nodes-may-be-leaves", size_with(first=lambda p: 1 - p),
          "the task: each class starts as one function node",
          "At depth 1 some nodes have become leaves.",
          "Each class has a function node of its own; the dice are rolled for its children."),
    wrong("one-level-too-few", size_with(levels=lambda d: d - 1), "notebook 10, section 1: how a tree is drawn",
          "The last level of function nodes is missing.",
          "Function nodes live at depths 1 to depth; leaves hang one level lower."),
    wrong("one-level-too-many", size_with(levels=lambda d: d + 1), "notebook 10, section 1: how a tree is drawn",
          "There is one level of function nodes too many.",
          "Nodes at the largest depth get leaves only."),
    wrong("leaf-and-function-swapped", size_with(keep=True), "the task: leaf_probability",
          "leaf_probability is used as the probability of a function node.",
          "The name says which of the two it is the probability of."),
    wrong("dice-at-the-bottom", size_with(last=lambda p: p), "the task: at depth",
          "At the largest depth some children are missing.",
          "There the dice are not rolled any more: every child is a leaf."),
    wrong("bottom-leaves-forgotten", size_with(last=lambda p: 0.0), "the task: at depth",
          "The leaves below the deepest function nodes are missing, most of all leaves.",
          "A function node without children would have nothing to add up."),
    wrong("root-counted", size_with(extra=1.0), "notebook 10, section 1: leaves and function nodes",
          "There is one function node too many.",
          "For classes the root only holds them together: no sum, no sigmoid, no parameters."),
    wrong("whole-mean", size_with(arity=lambda m: (m + 1) // 2), "the task: all equally likely",
          "The mean number of children has been rounded down to a whole number.",
          "Two or three children, equally often, have a mean that no single node has."),
    wrong("rounded-mean", size_with(arity=lambda m: round((m + 1) / 2)), "the task: all equally likely",
          "The mean number of children has been rounded to a whole number, and a half went to the even one.",
          "Two or three children, equally often, have a mean that no single node has."),
    wrong("mean-rounded-up", size_with(arity=lambda m: math.ceil((m + 1) / 2)), "the task: all equally likely",
          "The mean number of children has been rounded up to a whole number.",
          "Two or three children, equally often, have a mean that no single node has."),
    wrong("leaves-of-a-single-tree", lambda classes, *sizes: [
              (found := expected_size(classes, *sizes))[0], found[1] - classes + 1
          ], "the task: each class starts as one function node",
          "The leaves are counted as if there were one tree: all but one node are somebody's child.",
          "Each class has a top of its own, and none of these is anybody's child."),
    wrong("largest-number-of-children", size_with(arity=lambda m: m - 1), "the task: all equally likely",
          "Every function node has the largest number of children in your count.",
          "That many are possible. On average there are fewer."),
    wrong("leaves-before-functions", lambda *sizes: expected_size(*sizes)[::-1],
          "the task: the order of the two",
          "Leaves and function nodes stand in each other's place.",
          "The docstring says which of them comes first."),
    wrong("all-nodes-for-the-leaves", lambda *sizes: [
              (found := expected_size(*sizes))[0], found[0] + found[1]
          ], "the task: what is returned",
          "In place of the leaves you give all nodes together.",
          "A leaf is a node that is no function node; those have been counted already."),
    wrong("one-tree-only", lambda classes, *sizes: expected_size(1, *sizes),
          "the task: each class starts as one function node",
          "However many classes there are, you count the nodes of one.",
          "Each class has a function node of its own at depth 1, and all that hangs below it."),
    wrong("deepest-level-only", only_the_deepest, "notebook 10, section 1: how a tree is drawn",
          "Only the deepest level and the leaves below it are counted.",
          "What was counted on the way down belongs to the tree, too."),
    wrong("endless-levels", lambda classes, depth, most, p: (
              size_edges(classes, 2000 if (most + 1) / 2 * (1 - p) < 1 else depth, most, p)
          ), "the task: depth",
          "Where the levels shrink, your tree goes on beyond its depth.",
          "A sum without an end was taken; the tree has a last level, and all its children are leaves."),
]  # fmt: skip

EXERCISE = Exercise(
    id="10.5",
    title="How large is a random tree?",
    function="expected_size",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 10, section 4",
    reference=expected_size,
    domain={
        "classes": Number(whole=True, at_least=2),
        "depth": Number(whole=True, at_least=1, at_most=100),
        "max_children": Number(whole=True, at_least=3),
        "leaf_probability": Number(at_least=0, at_most=1),
    },
    meets={
        "levels neither grow nor shrink": lambda max_children, leaf_probability, depth: (
            depth > 1 and (max_children + 1) / 2 * (1 - leaf_probability) == 1
        ),
        "a hundred levels, each hardly larger": lambda max_children, leaf_probability, depth: (
            depth == 100 and 1 < (max_children + 1) / 2 * (1 - leaf_probability) < 1.00002
        ),
        "the mean number of children is a half above an even number": lambda max_children: max_children % 4 == 0,
        "the mean number of children is a half above an odd number": lambda max_children: max_children % 4 == 2,
    },
    parts=["the number of function nodes", "the number of leaves"],
    visible=[
        *(case(3, 5, 5, 0.4), case(2, 5, 5, 0.4), case(10, 3, 9, 0.3)),
        *size_edges_of_domain(np.random.default_rng(105)),
    ],
    hidden=hidden_sizes,
    accepted=[
        size_powers,
        size_edges,
        size_recursive,
        size_geometric,
        size_matrix,
        size_float32,
        size_exact,
        size_of_the_package,
    ],
    bank=BANK,
    hints=(
        "Go down level by level. On each level keep one number: how many function nodes to expect there.",
        "A function node has (max_children + 1) / 2 children on average. Each is a leaf with leaf_probability, except "
        "at the largest depth, where all are.",
        "Start with `classes` function nodes. At each depth: count them, multiply by the mean arity to get their "
        "children; a share of these (or all, at the bottom) are leaves; the rest are the next level's function nodes.",
    ),
    equivalent_mutants={
        "squeezes": "the results are two numbers",
    },
)
