"""10.3 An input that hangs at many leaves."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .e02_tree_backward import random_tree
from .shared import array


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


BANK = [
    wrong("last-leaf-only", gathered(lambda reports: reports[-1]), "notebook 10, section 3: reports add",
          "Each input hears the last of its leaves only.",
          "A report overwrites the one before it. `gradient[indices] += ...` does that too, if an index repeats."),
    wrong("first-leaf-only", gathered(lambda reports: reports[0]), "notebook 10, section 3: an input that repeats",
          "Each input hears the first of its leaves only.",
          "A node has one parent, but an input hangs at many leaves, and all of them move with it."),
    wrong("mean-of-the-leaves", gathered(np.mean), "notebook 10, section 3: reports add",
          "Each input hears the mean of its leaves.",
          "One nudge of the input moves every leaf in full, so the effects add."),
    wrong("loudest-leaf", gathered(lambda reports: max(reports, key=abs)), "notebook 10, section 3: reports add",
          "Each input hears the leaf with the largest report only.",
          "A maximum picks one; here every leaf takes part."),
    wrong("multiplies-the-leaves", gathered(np.prod), "notebook 10, section 3: product along, sum over",
          "The reports of an input's leaves are multiplied.",
          "Along one road derivatives multiply. These are different roads."),
    wrong("forgets-the-edge", reported(lambda d, w: d), "notebook 10, section 3: the last edge",
          "The edges of the leaves are missing.",
          "Between the parent's sum and the leaf lies an edge; the leaf's value was multiplied by it."),
    wrong("forgets-the-delta", reported(lambda d, w: w), "notebook 10, section 2: what a delta is",
          "Only edges are added; what arrives at the parents is missing.",
          "That is how the parents' sums move. How much the loss cares about each is its delta."),
    wrong("function-nodes-as-an-input", counts_function_nodes, "the task: attribute[i] is -1 for a function node",
          "The last input has heard the function nodes, too.",
          "They are marked by -1, and in Python the index -1 means the last entry."),
]  # fmt: skip

EXERCISE = Exercise(
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
    bank=BANK,
    hints=(
        "From each leaf one road leads to the loss. How many leaves does one input have?",
        "A leaf's own report is the delta of its parent times its edge. Add it where it belongs.",
        "Start from zeros. For every node with attribute[i] >= 0 add delta[parent[i]] * weight[i] to the entry "
        "attribute[i].",
    ),
)
