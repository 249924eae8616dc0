"""The backward pass of a graph, one edge at a time: what is sent, where it arrives, and what has arrived so far.

The one idea: reverse mode goes once over the edges, results before operands. Along an edge travels
upstream × local = downstream, and at an operand contributions add. A pass can be walked through a graph of which a part
is folded into boxes: what leaves a box along all its edges to one operand is a single contribution.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from coursepkg.autodiff.graph_reader import Node

__all__ = ["Contribution", "walk_back"]

Edge = tuple[int, int]
"""A node, and the place of one of its operands."""


class Contribution(NamedTuple):
    """What arrives at an operand.

    Attributes
    ----------
    node : int
        Where it comes from: a node, or the box it is folded into.
    parent : int
        Where it arrives.
    sent : dict of (int, int) to number
        What travels along each edge; more than one edge may lead out of a box.
    upstream : number
        The gradient at `node`.
    downstream : number
        The sum of what was sent.
    before : number or None
        What had arrived at `parent` before, None if this is the first.
    """

    node: int
    parent: int
    sent: dict[Edge, Any]
    upstream: Any
    downstream: Any
    before: Any

    @property
    def total(self) -> Any:
        """What has arrived at `parent` now."""
        return self.downstream if self.before is None else self.before + self.downstream


def times_local(node: Node, upstream: Any) -> list[Any]:
    """What a node of a scalar graph sends to each of its operands."""
    return [upstream * local for local in node.local]


def walk_back(
    nodes: Sequence[Node],
    *,
    drawn: Sequence[int],
    boxes: Mapping[int, Sequence[int]],
    one: Any = 1.0,
    rule: Callable[[Node, Any], Sequence[Any]] = times_local,
) -> Iterator[Contribution]:
    """Send gradients back from the last node, one contribution at a time.

    Parameters
    ----------
    nodes : sequence of Node
        In topological order, the result last, as :func:`coursepkg.autodiff.graph_reader.read_graph` lists them.
    drawn : sequence of int
        The nodes that the walk visits, in topological order.
    boxes : mapping of int to sequence of int
        For a drawn node that stands for a box, the nodes that are folded into it.
    one : number
        The gradient of the result by itself.
    rule : callable
        ``rule(node, upstream)`` is what a node sends to its operands; None for one that wants no gradient.
    """
    arrived = {nodes[-1].index: one}
    behind = _all_at_once(nodes, one, rule) if boxes else {}
    for index in reversed(drawn):
        upstream = arrived.get(index, 0.0 * one)
        if index in boxes:
            leaving = _of_box(nodes, boxes[index], drawn, behind)
        else:
            shares = rule(nodes[index], upstream) if nodes[index].parents else ()
            leaving = [(nodes[index].parents[at], {(index, at): share}) for at, share in enumerate(shares)]
        for parent, sent in leaving:
            first, *others = sent.values()
            if first is None:
                continue
            found = Contribution(index, parent, sent, upstream, sum(others, first), arrived.get(parent))
            arrived[parent] = found.total
            yield found


def _of_box(
    nodes: Sequence[Node], inside: Sequence[int], drawn: Sequence[int], behind: Mapping[Edge, Any]
) -> list[tuple[int, dict[Edge, Any]]]:
    """What leaves a box: for each operand outside of it, the shares of all edges there."""
    outside = set(drawn).difference(inside)
    edges = [((i, place), parent) for i in inside for place, parent in enumerate(nodes[i].parents)]
    targets = sorted({parent for _, parent in edges if parent in outside}, reverse=True)
    return [(target, {edge: behind[edge] for edge, parent in edges if parent == target}) for target in targets]


def _all_at_once(nodes: Sequence[Node], one: Any, rule: Callable[[Node, Any], Sequence[Any]]) -> dict[Edge, Any]:
    """What travels along every edge of the whole graph; only the part behind boxes is read from it."""
    arrived, sent = {nodes[-1].index: one}, {}
    for node in reversed(nodes):
        for place, share in enumerate(rule(node, arrived.get(node.index, 0.0 * one))):
            parent = node.parents[place]
            sent[node.index, place] = share
            arrived[parent] = arrived[parent] + share if parent in arrived else share
    return sent
