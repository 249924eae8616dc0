"""What of a large graph is drawn, and what is folded into boxes that say how much they hold.

The one idea: a drawing shows the operations nearest to the result, where the backward pass begins. Each value that
enters this part from further back is drawn as a box that counts the nodes it was computed from.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

from coursepkg.autodiff.graph_reader import Node
from coursepkg.visualize.paper import plural


@dataclass
class Folding:
    """Which nodes are drawn, in topological order; `boxes` maps a drawn node to the nodes folded into it."""

    drawn: list[int]
    boxes: dict[int, list[int]] = field(default_factory=dict)
    note: str = ""


def fold_graph(nodes: list[Node], max_nodes: int) -> Folding:
    """Choose what to draw of `nodes` (topological order, result last).

    Parameters
    ----------
    nodes : list of Node
        The whole graph.
    max_nodes : int
        The largest graph that is drawn whole, unless it has more than 0.4 times as many operations in a row. A folded
        drawing is smaller (half as many nodes, 0.25 times as many operations in a row), so that it reads easily.

    Raises
    ------
    ValueError
        If `max_nodes` leaves nothing to draw.
    """
    if max_nodes < 3:
        raise ValueError(f"max_nodes={max_nodes} leaves nothing to draw; use 3 or more")
    ahead = _operations_ahead(nodes)
    if len(nodes) <= max_nodes and max(ahead) <= 0.4 * max_nodes:
        return Folding(list(range(len(nodes))))
    near = [steps < max(1, 0.25 * max_nodes) for steps in ahead]
    opened, drawn = _open_from_result(nodes, near, max(3, max_nodes // 2))
    boxes = {index: _behind(nodes, index, drawn) for index in sorted(drawn - opened) if not nodes[index].is_leaf}
    return Folding(sorted(drawn), boxes, _note(drawn, boxes))


def _operations_ahead(nodes: list[Node]) -> list[int]:
    """For each node the number of operations on the longest way to the result."""
    ahead = [0] * len(nodes)
    for node in reversed(nodes):
        for parent in node.parents:
            ahead[parent] = max(ahead[parent], ahead[node.index] + 1)
    return ahead


def _open_from_result(nodes: list[Node], near: list[bool], budget: int) -> tuple[set[int], set[int]]:
    """Open operations in order of their distance from the result while the drawing stays within the budget."""
    root = len(nodes) - 1
    opened: set[int] = set()
    drawn = {root}
    queue = deque([root])
    while queue:
        index = queue.popleft()
        fresh = [parent for parent in dict.fromkeys(nodes[index].parents) if parent not in drawn]
        if index != root and (not near[index] or len(drawn) + len(fresh) > budget):
            continue
        opened.add(index)
        drawn.update(fresh)
        queue.extend(parent for parent in fresh if not nodes[parent].is_leaf)
    return opened, drawn


def _behind(nodes: list[Node], index: int, drawn: set[int]) -> list[int]:
    """`index` and everything it was computed from, up to nodes that are drawn by themselves."""
    inside = {index}
    stack = [index]
    while stack:
        for parent in nodes[stack.pop()].parents:
            if parent not in inside and parent not in drawn:
                inside.add(parent)
                stack.append(parent)
    return sorted(inside)


def _note(drawn: set[int], boxes: dict[int, list[int]]) -> str:
    uses = Counter(index for inside in boxes.values() for index in inside)
    drawn_text = plural(len(drawn) - len(boxes), "node")
    note = f"{drawn_text} drawn, {len(uses):,} folded into {plural(len(boxes), 'box', 'boxes')}"
    twice = sum(count > 1 for count in uses.values())
    if twice:
        note += f" ({twice:,} of these {'is' if twice == 1 else 'are'} in more than one)"
    return note + "."
