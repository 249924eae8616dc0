"""Drawings of computational graphs, in pure Python.

The one idea: operations and variables are nodes, and each number stands on the edge it travels along: the forward value
above in green, the gradient below in red. Where a variable is used more than once the edge forks, each branch carries
its own contribution, and the sum stands at the variable (the drawings of Stanford's CS231n, and of "Backpropagation in
RNN Explained").
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.autodiff.graph_reader import Node, contributions, give_names, read_graph
from coursepkg.visualize.graph.drawing import GraphDrawing, Shown
from coursepkg.visualize.graph.fold import fold_graph
from coursepkg.visualize.graph.words import describe_nodes
from coursepkg.visualize.paper.picture import Picture
from coursepkg.visualize.paper.text import format_number


def draw_graph(
    root: Any,
    *,
    values: bool = True,
    grads: bool = True,
    labels: Mapping[str, Any] | None = None,
    title: str = "",
    max_nodes: int = 40,
) -> Picture:
    """Draw the computational graph that leads to `root`.

    Forward values stand above each edge in green, gradients below in red. Where a variable is used more than once, each
    branch carries its contribution to the gradient (upstream × local) and the sum stands at the variable. A graph of
    more than `max_nodes` nodes is folded: the operations nearest to `root` are drawn, the rest is counted in boxes.

    A ``Tensor`` is drawn too: arrays are named by their shape, vectors of up to four numbers are written out. Its
    record is freed by ``backward()``; to see gradients, call ``backward(retain_graph=True)`` before you draw.

    Parameters
    ----------
    root : Scalar-like or Tensor
        The result. Anything with ``.data`` will do; ``.grad``, ``.parents`` or ``._prev``, ``.op`` or ``._op``,
        ``.label`` and ``.local_grads`` are used when they exist.
    values, grads : bool
        Write the forward values, the gradients. Turn one off to predict it first.
    labels : mapping of str to node, optional
        Names for nodes, such as ``{"W": W, "b": b}`` for tensors, which have no label of their own.
    title : str
        A line over the drawing.
    max_nodes : int
        The largest graph that is drawn whole.

    Returns
    -------
    Picture
        Its alt text reads the graph aloud; of one with more than 14 nodes it gives counts and the largest gradients.

    Raises
    ------
    TypeError
        If `root` holds no number.
    ValueError
        If the graph has a loop, or `max_nodes` leaves nothing to draw; if a tensor's record is empty or was freed.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import Scalar
    >>> x, y = Scalar(3.0, label="x"), Scalar(2.0, label="y")
    >>> f = x * y
    >>> f.backward()
    >>> draw_graph(f)
    Figure: Computational graph with 3 nodes. Inputs: x = 3, y = 2. Forward: v1 = x × y = 6. Gradients: v1 1, x 2, y 3.
    """
    nodes = give_names(read_graph(root, labels))
    wires, branches = number_texts(nodes, values=values, grads=grads)
    drawing = GraphDrawing(nodes, fold_graph(nodes, max_nodes), wires, branches)
    shown = _numbers(drawing, values=values, grads=grads)
    return drawing.render(shown, describe_nodes(nodes, values=values, grads=grads), title=title)


def number_texts(
    nodes: Sequence[Node], *, values: bool, grads: bool
) -> tuple[dict[int, list[str]], dict[tuple[int, int], list[str]]]:
    """The texts that stand on each node's wire, and those on the branches where a wire forks."""
    wires: dict[int, list[str]] = {node.index: [] for node in nodes}
    branches: dict[tuple[int, int], list[str]] = {}
    for node in nodes:
        if values:
            wires[node.index].append(format_number(node.data))
        if grads and node.grad is not None:
            wires[node.index].append(format_number(node.grad))
        for position, sent in enumerate(contributions(node)):
            if grads and sent is not None:
                branches[node.index, position] = [format_number(sent)]
    return wires, branches


def _numbers(drawing: GraphDrawing, *, values: bool, grads: bool) -> Shown:
    shown = Shown()
    for node in (item.node for item in drawing.items):
        if values:
            shown.values[node.index] = format_number(node.data)
        if grads and node.grad is not None:
            shown.grads[node.index] = format_number(node.grad)
    for number, edge in enumerate(drawing.edges):
        if grads and edge.contribution is not None:
            shown.branches[number] = format_number(edge.contribution)
    return shown
