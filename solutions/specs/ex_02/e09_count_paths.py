"""02.9 How many paths?."""

from __future__ import annotations

from collections import deque

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Anything
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def count_paths(parents):
    paths = [0] * len(parents)
    paths[-1] = 1
    for node in reversed(range(len(parents))):
        for parent in parents[node]:
            paths[parent] += paths[node]
    return np.array(paths)


def paths_by_memory(parents):
    last, known = len(parents) - 1, {}

    def paths(node):
        if node not in known:
            uses = [child for child, those in enumerate(parents) for parent in those if parent == node]
            known[node] = 1 if node == last else sum(paths(child) for child in uses)
        return known[node]

    return [paths(node) for node in range(len(parents))]


def paths_by_matrix(parents):
    n = len(parents)
    edges = np.zeros((n, n))
    for child, those in enumerate(parents):
        for parent in those:
            edges[parent, child] += 1
    return np.linalg.solve(np.eye(n) - edges, np.eye(n)[:, -1])


def paths_by_powers(parents):
    n = len(parents)
    edges = np.zeros((n, n), dtype=int)
    for child, those in enumerate(parents):
        np.add.at(edges[:, child], those, 1)
    total, power = np.eye(n, dtype=int), np.eye(n, dtype=int)
    for _ in range(n):
        power = power @ edges
        total = total + power
    return total[:, -1]


def paths_by_engine(parents):
    nodes = [Scalar(1.0) for _ in parents]
    made = []
    for node, those in zip(nodes, parents, strict=True):
        value = node
        for parent in those:
            value = value + made[parent]
        made.append(value)
    made[-1].backward()
    return [node.grad for node in nodes]


def paths_in_floats(parents):
    paths = np.zeros(len(parents))
    paths[-1] = 1.0
    for node in range(len(parents) - 1, -1, -1):
        for parent in parents[node]:
            paths[parent] += paths[node]
    return tuple(paths)


def swept_paths(step, *, seed=1, each=list):
    def answer(parents):
        paths = [0] * len(parents)
        paths[-1] = seed
        for node in reversed(range(len(parents))):
            for parent in each(parents[node]):
                paths[parent] = step(paths[parent], paths[node])
        return paths

    return answer


def paths_from_inputs(parents):
    paths = []
    for those in parents:
        paths.append(sum(paths[parent] for parent in those) if those else 1)
    return paths


def paths_in_forward_order(parents):
    paths = [0] * len(parents)
    paths[-1] = 1
    for node, those in enumerate(parents):
        for parent in those:
            paths[parent] += paths[node]
    return paths


def paths_to_everything(parents):
    paths = [1] * len(parents)
    for node in reversed(range(len(parents))):
        for parent in parents[node]:
            paths[parent] += paths[node]
    return paths


def paths_through(parents):
    return [a * b for a, b in zip(paths_from_inputs(parents), count_paths(parents), strict=True)]


def nodes_on_the_way(parents):
    """How many nodes of the graph lie between each node and the result, the result included."""
    above = [{node} for node in range(len(parents))]
    for node in reversed(range(len(parents))):
        for parent in parents[node]:
            above[parent] |= above[node]
    return [len(nodes) if len(parents) - 1 in nodes else 0 for nodes in above]


def paths_of_used_nodes(parents):
    """Takes a node that nothing uses for a result."""
    paths = [0] * len(parents)
    for node in reversed(range(len(parents))):
        paths[node] = paths[node] or 1
        for parent in parents[node]:
            paths[parent] += paths[node]
    return paths


def graph_edges(rng):
    """A single node, a result that nothing leads to, nodes that lead nowhere, one parent three times."""
    first, second = (int(x) for x in rng.integers(2, 4, 2))
    return [
        case([[]]),
        case([[], []]),
        case([[], [], [0], [0, 1], [1] * first, [3, 0], [5] * second + [3]]),
        case([[], [0] * 3, [1], [2, 0, 2], [3, 1], [1]]),
        case([[], [0] * 3, [0], [2, 1, 1], [3, 2], [4]]),
    ]


def leads_nowhere(parents):
    used = {parent for those in parents for parent in those}
    return any(node not in used for node in range(len(parents) - 1))


_draw = np.random.default_rng(29)


def longest_ways(parents):
    return swept_paths(lambda old, new: max(old, new + 1), seed=0)(parents)


def layered(width, layers):
    """Fully linked layers of one width, and a last node that uses all of the last layer."""
    parents = [[] for _ in range(width)]
    for layer in range(1, layers):
        parents += [list(range((layer - 1) * width, layer * width)) for _ in range(width)]
    return [*parents, list(range((layers - 1) * width, layers * width))]


def paths_of_forty_steps(parents):
    now = np.eye(len(parents))[-1]
    found = now
    for _ in range(40):
        before = np.zeros(len(parents))
        for node, those in enumerate(parents):
            for parent in those:
                before[parent] += now[node]
        now, found = before, found + before
    return found


def random_graph(rng, nodes):
    parents = [[], []]
    for node in range(2, nodes):
        others = [int(rng.integers(node)) for _ in range(int(rng.integers(1, 3)))]
        parents.append([node - 1, *others])
    return parents


BANK = [
    wrong("counts-edges", lambda parents: [
              1 if node == len(parents) - 1 else sum(those.count(node) for those in parents)
              for node in range(len(parents))
          ], "notebook 02, section 8, 'Paths and edges'",
          "You counted how often each node is used.",
          "A use is the first edge of a path. From there on the path may fork again, and each fork multiplies."),
    wrong("merges-double-edges", swept_paths(lambda old, new: old + new, each=set),
          "notebook 02, section 5: what is the gradient of x * x?",
          "A node that uses the same parent twice was counted as one use.",
          "In x * x the node x is used twice, and both uses report."),
    wrong("one-more-for-each-edge", swept_paths(lambda old, new: old + new + 1),
          "notebook 02, section 8, 'Paths and edges'",
          "You added one for each edge as well.",
          "A longer path is still one path. Only forks make more of them."),
    wrong("counts-from-the-inputs", paths_from_inputs, "notebook 02, section 8: forward and reverse sweeps",
          "Your numbers are those of paths from the inputs to each node.",
          "You went forward. The question is how many ways lead from each node to the result."),
    wrong("longest-way", longest_ways, "notebook 02, section 8, 'Paths and edges'",
          "Your numbers are lengths of the longest path to the result.",
          "That says how many operations a nudge has to pass, not in how many ways it can."),
    wrong("ones-everywhere", swept_paths(lambda old, new: new),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "Every node has a one.",
          "A report replaced the one before, or was multiplied with it. A path leaves through one use or through "
          "another, so the counts of all uses add."),
    wrong("starts-at-the-inputs", paths_in_forward_order,
          "notebook 02, section 5: the backward pass walks the order in reverse",
          "Only the parents of the last node have paths.",
          "The nodes were visited in forward order, so almost all of them had nothing to pass on yet."),
    wrong("every-node-is-an-end", paths_to_everything,
          "notebook 02, section 8, 'Paths and edges': where does each path end?",
          "You counted paths from each node to any node behind it.",
          "Only paths that arrive at the last node count, and a path that merely passes a node does not end there."),
    wrong("unused-nodes-are-results", paths_of_used_nodes,
          "notebook 02, section 8, 'Paths and edges': where does each path end?",
          "A node that nothing uses has one path, and those before it have too many.",
          "From a node that nothing uses no path leads to the result, unless it is the result."),
    wrong("through-each-node", paths_through, "notebook 02, section 8: forward and reverse sweeps",
          "You counted the paths from the inputs to the result that pass through each node.",
          "A path starts at the node itself here; how many ways led there does not matter."),
    wrong("counts-up-to-a-limit", lambda parents: np.minimum(count_paths(parents), 10**12),
          "'Paths and edges', and the task: how many paths are there?",
          "Large counts are cut off.",
          "Python's whole numbers have as many digits as they need."),
    wrong("forty-steps-at-most", paths_of_forty_steps, "notebook 02, section 8, 'Paths and edges'",
          "Paths of more than forty edges are missing.",
          "How long paths are is not known beforehand."),
    wrong("nodes-on-the-way", nodes_on_the_way, "notebook 02, section 8, 'Paths and edges'",
          "You counted the nodes that lie between each node and the result.",
          "Two paths may go through the same nodes for most of their way, and are still two."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.9",
    title="How many paths?",
    function="count_paths",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 02, section 8, 'Paths and edges'",
    reference=count_paths,
    rtol=1e-15,  # counts are exact
    domain={"parents": Anything("the numbers of each node's parents, all smaller than its own")},
    meets={
        "there is one node": lambda parents: len(parents) == 1,
        "nothing leads to the result": lambda parents: len(parents) > 1 and not parents[-1],
        "a node leads nowhere": leads_nowhere,
        "a parent is used three times at once": lambda parents: any(
            those.count(node) > 2 for those in parents for node in those
        ),
        "parents are not listed in order": lambda parents: any(those != sorted(those) for those in parents),
        "a count has more than twelve digits": lambda parents: count_paths(parents).max() > 10**12,
        "a count is just beyond float32": lambda parents: 2**24 < count_paths(parents).max() < 2**27,
        "a path has more than forty edges": lambda parents: (
            len(longest_ways(parents)) and max(longest_ways(parents)) > 40
        ),
        "there is more than one input": lambda parents: parents.count([]) > 1,
    },
    visible=[
        case([[], [0, 0], [1, 1], [2, 2]]),
        case([[], [], [0, 1], [1, 2], [2, 3, 1]]),
        case(layered(3, 4)),
        case([[], [0], [0, 1], [1, 2, 2], [3, 0], [4, 2]]),
        case(layered(2, 51)),
        case(layered(3, 17)),
        *graph_edges(_draw),
    ],
    hidden=lambda rng: [
        *(case(random_graph(rng, nodes)) for nodes in (5, 7, 9)),
        case(layered(2, int(rng.integers(46, 52)))),
        case(layered(3, 17)),
        *graph_edges(rng),
    ],
    accepted=[
        paths_by_memory,
        paths_by_matrix,
        paths_by_powers,
        paths_by_engine,
        paths_in_floats,
        lambda parents: deque(paths_by_memory(parents)),
    ],
    bank=BANK,
    hints=(
        "Start at the last node: there is one path from it to itself. How many are there from one of its parents?",
        "It is the backward pass with all local derivatives equal to one. Do not list the paths: with 30 "
        "layers there are a thousand million of them.",
        "paths = [0] * n, paths[-1] = 1; for each node from last to first, for each parent in parents[node]: "
        "add paths[node] to paths[parent].",
    ),
)
