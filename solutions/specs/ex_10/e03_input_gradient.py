"""10.3 An input that hangs at many leaves."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e02_tree_backward import random_tree
from .shared import array


def deltas_for(rng, leaf):
    return np.where(leaf, 0.0, array(rng, len(leaf), digits=4)).tolist()


def leaf_case(rng, functions, n, silent):
    """Each input hangs at one leaf or more, one of them surely at several; the silent one hangs nowhere."""
    leaves = []
    while len(leaves) < n + 1:
        parent, weight, leaf = random_tree(rng, functions)
        leaves = [i for i in range(len(parent)) if leaf[i]]
    heard = [k for k in range(n) if k != silent]
    kinds = [*heard, *rng.choice(heard, len(leaves) - len(heard)).tolist()]
    attribute = [-1] * len(parent)
    for place, kind in zip(rng.permutation(leaves).tolist(), kinds, strict=True):
        attribute[place] = kind
    weight = np.where(np.equal(weight, 0), 0.0, array(rng, len(weight), digits=4)).tolist()
    return case(parent, weight, attribute, deltas_for(rng, leaf), n)


def leaf_edges(rng):
    """One input and one leaf; one input at all leaves; one of many, with equal edges at one node; zeros; no repeats."""
    made = []
    for parent, attribute, n in (
        ([-1, 0], [-1, 0], 1),
        ([-1, 0, 1, 1, 0], [-1, -1, 0, 0, 0], 1),
        ([-1, 0, 0, 0, 3, 3], [-1, 2, 2, -1, 2, 2], 5),
        ([-1, 0, 1, 1, 0], [-1, -1, 2, 0, 1], 3),
    ):
        leaf = [k >= 0 for k in attribute]
        made.append([parent, array(rng, len(parent), digits=4).tolist(), attribute, deltas_for(rng, leaf), n])
    made[-1][1][int(rng.choice([2, 3]))] = 0.0
    made[2][1][2], made[2][3][3] = made[2][1][1], 0.0
    return [case(*parts) for parts in made]


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


def input_gradient_sparse(parent, weight, attribute, delta, n):
    """A sum per input that was heard, and 0 where there is none; a deque in the end."""
    sums = {}
    for p, w, k in zip(parent, weight, attribute, strict=True):
        if k != -1:
            sums[k] = sums.get(k, 0) + w * delta[p]
    return deque(sums.get(k, 0) for k in range(n))


def input_gradient_tensor(parent, weight, attribute, delta, n):
    return Tensor(input_gradient(parent, weight, attribute, delta, n), requires_grad=True)


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


def only_inputs_that_hang(parent, weight, attribute, delta, n):
    """As long as the last input that hangs somewhere asks for."""
    return input_gradient(parent, weight, attribute, delta, max(attribute) + 1)


def mean_of_nothing(parent, weight, attribute, delta, n):
    """NaN where an input hangs nowhere."""
    heard = leaf_reports(parent, weight, attribute, delta, n)
    return [sum(reports) if reports else math.nan for reports in heard]


def once_at_each_node(parent, weight, attribute, delta, n):
    """Keeps the reports in a dict by node and input, so a second leaf of the same kind takes the first one's place."""
    reports = {(parent[i], k): delta[parent[i]] * weight[i] for i, k in enumerate(attribute) if k >= 0}
    return [sum(value for (_, at), value in reports.items() if at == k) for k in range(n)]


def counts_from_one(parent, weight, attribute, delta, n):
    return np.roll(input_gradient(parent, weight, attribute, delta, n), -1)


def edges_above_the_parents(parent, weight, attribute, delta, n):
    up = [weight[p] for p in parent]
    return input_gradient(parent, up, attribute, delta, n)


def hidden_leaves(rng):
    silent = ((4, 3, 2), (5, 4, 0), (7, 5, int(rng.integers(1, 4))))
    return [*(leaf_case(rng, *sizes) for sizes in silent), *leaf_edges(rng), leaf_case(rng, 60, 9, 3)]


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
    wrong("only-inputs-that-hang", only_inputs_that_hang, "the task: n floats",
          "Where the last inputs hang nowhere, your answer is too short.",
          "An input that no leaf shows is still an input. How much does the loss depend on it?"),
    wrong("silent-inputs-left-out", lambda parent, weight, attribute, delta, n: [
              sum(reports) for reports in leaf_reports(parent, weight, attribute, delta, n) if reports
          ], "the task: n floats",
          "Where an input hangs nowhere, your answer is too short, and all after it stand one place too early.",
          "An input that no leaf shows keeps its place. How much does the loss depend on it?"),
    wrong("first-input-unheard", lambda parent, weight, attribute, delta, n: [
              sum(reports) if k else 0.0
              for k, reports in enumerate(leaf_reports(parent, weight, attribute, delta, n))
          ], "the task: attribute[i] is -1 for a function node",
          "The first input is always 0; the others are right.",
          "Inputs are counted from 0, and 0 counts as false in Python: function nodes are marked by -1."),
    wrong("equal-reports-counted-once", gathered(lambda reports: sum(set(reports))),
          "notebook 10, section 3: reports add",
          "Where two leaves of an input report the same number, it is counted once.",
          "Equal reports from two leaves are two reports."),
    wrong("no-number-for-a-silent-input", mean_of_nothing, "the task: some input may hang nowhere",
          "Where an input hangs nowhere you give NaN.",
          "Nudge an input that no leaf shows: the loss stays where it is, and that is an answer."),
    wrong("once-at-each-node", once_at_each_node, "notebook 10, section 3: an input that repeats",
          "Where an input hangs twice at the same node, one of the two leaves is missing.",
          "Two leaves of one node have two edges, and the input moves both."),
    wrong("inputs-counted-from-one", counts_from_one, "the task: attribute[i]",
          "All numbers stand one place too early, and the first has come last.",
          "Inputs are counted from 0, and in Python the entry before the first is the last one."),
    wrong("edges-above-the-parents", edges_above_the_parents, "the task: weight",
          "Each leaf reports with the edge above its parent in place of its own.",
          "weight[i] is stored with the lower end of the edge, and that is the leaf."),
    wrong("sizes-of-the-reports", reported(lambda d, w: abs(d * w)), "notebook 10, section 3: reports add",
          "Only the sizes of the reports are added.",
          "One leaf may raise the loss while another lowers it; then they cancel."),
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
    domain={
        "parent": Array("m>=2", whole=True, at_least=-1, order="given"),
        "weight": Array("m>=2"),
        "attribute": Array("m>=2", whole=True, at_least=-1),
        "delta": Array("m>=2"),
        "n": Number(whole=True, at_least=1),
    },
    meets={
        "the first input hangs nowhere": lambda attribute: 0 not in attribute,
        "the last input hangs nowhere": lambda attribute, n: n - 1 not in attribute,
        "an input in between hangs nowhere": lambda attribute, n: any(k not in attribute for k in range(1, n - 1)),
        "every input hangs at one leaf": lambda attribute, n: n > 1 and sorted(attribute)[-n:] == list(range(n)),
        "one input hangs at all leaves": lambda attribute: len(attribute) > 2 and len({*attribute, -1}) == 2,
        "an input hangs twice at one node": lambda parent, attribute: (
            len(found := [(p, k) for p, k in zip(parent, attribute, strict=True) if k >= 0]) > len(set(found))
        ),
        "two leaves of an input report the same": lambda parent, weight, attribute, delta, n: any(
            len(reports) > len(set(reports)) for reports in leaf_reports(parent, weight, attribute, delta, n)
        ),
        "nothing arrives at a node with leaves": lambda parent, attribute, delta: any(
            k >= 0 and delta[p] == 0 for p, k in zip(parent, attribute, strict=True)
        ),
    },
    visible=hidden_leaves(np.random.default_rng(5))[:-1],
    hidden=hidden_leaves,
    accepted=[
        input_gradient_add_at,
        input_gradient_bincount,
        input_gradient_one_hot,
        input_gradient_sums,
        input_gradient_bumps,
        input_gradient_float32,
        input_gradient_sparse,
        input_gradient_tensor,
    ],
    bank=BANK,
    hints=(
        "From each leaf one road leads to the loss. How many leaves does one input have?",
        "A leaf's own report is the delta of its parent times its edge. Add it where it belongs.",
        "Start from zeros. For every node with attribute[i] >= 0 add delta[parent[i]] * weight[i] to the entry "
        "attribute[i].",
    ),
    equivalent_mutants={"takes the absolute value of parent": "the root's entry alone is negative, and is not used"},
)
