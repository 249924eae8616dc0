"""Drawings of computational graphs, in pure Python, and the same facts read aloud.

The one idea: operations and variables are nodes, and each number stands on the edge it travels along: the forward value
above in green, the gradient below in red. Where a variable is used more than once the edge forks, each branch carries
its own contribution, and the sum stands at the variable (the drawings of Stanford's CS231n, and of "Backpropagation in
RNN Explained"). In words, the same in the order of computing; a long graph is summed up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.autodiff.graph_reader import Node, contributions, give_names, read_graph
from coursepkg.derivatives import OPERATIONS
from coursepkg.visualize.graph.drawing import GraphDrawing, Shown
from coursepkg.visualize.graph.fold import fold_graph
from coursepkg.visualize.graph.notation import formula, symbol
from coursepkg.visualize.paper import Picture, format_number, join_words, plural

_READ_WHOLE = 14
_SPOKEN = {each.sign: each.spoken for each in OPERATIONS.values() if each.spoken}


def draw_graph(
    root: Any,
    *,
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
    grads : bool
        Write the gradients. Turn them off to predict them first.
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
    for node in nodes:
        node.grad = node.grad if grads else None
    drawing = GraphDrawing(nodes, fold_graph(nodes, max_nodes), *number_texts(nodes))
    shown = Shown()
    for node in (item.node for item in drawing.items):
        shown.values[node.index] = format_number(node.data)
        if node.grad is not None:
            shown.grads[node.index] = format_number(node.grad)
    for number, edge in enumerate(drawing.edges):
        if edge.contribution is not None:
            shown.branches[number] = format_number(edge.contribution)
    return drawing.render(shown, describe_nodes(nodes), title=title)


def number_texts(nodes: Sequence[Node]) -> tuple[dict[int, list[str]], dict[tuple[int, int], list[str]]]:
    """The texts that stand on each node's wire, and those on the branches where a wire forks."""
    wires: dict[int, list[str]] = {}
    branches: dict[tuple[int, int], list[str]] = {}
    for node in nodes:
        wires[node.index] = [format_number(number) for number in (node.data, node.grad) if number is not None]
        for position, sent in enumerate(contributions(node)):
            if sent is not None:
                branches[node.index, position] = [format_number(sent)]
    return wires, branches


def describe_nodes(nodes: Sequence[Node]) -> str:
    """A graph of up to 14 nodes whole; of a larger one, the counts, the result and the largest gradients.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import Scalar
    >>> from coursepkg.autodiff.graph_reader import give_names, read_graph
    >>> product = Scalar(3.0, label="x") * Scalar(2.0, label="y")
    >>> describe_nodes(give_names(read_graph(product)))
    'Computational graph with 3 nodes. Inputs: x = 3, y = 2. Forward: v1 = x × y = 6. Gradients: v1 0, x 0, y 0.'
    """
    known = [node for node in nodes if node.grad is not None]
    text = f"Computational graph with {plural(len(nodes), 'node')}. "
    if len(nodes) > _READ_WHOLE:
        return text + _summary(nodes, known)
    inputs = [f"{node.name} = {format_number(node.data)}" for node in nodes if node.is_leaf]
    text += f"{'Input' if len(inputs) == 1 else 'Inputs'}: {', '.join(inputs)}."
    steps = [
        f"{node.name} = {formula(node, [nodes[parent].name for parent in node.parents])} = {format_number(node.data)}"
        for node in nodes
        if not node.is_leaf
    ]
    return text + (f" Forward: {'; '.join(steps)}." if steps else "") + _gradients(known)


def _gradients(known: Sequence[Node]) -> str:
    if not known:
        return ""
    backward = [*(node for node in reversed(known) if not node.is_leaf), *(node for node in known if node.is_leaf)]
    return " Gradients: " + ", ".join(f"{node.name} {format_number(node.grad)}" for node in backward) + "."


def _summary(nodes: Sequence[Node], known: Sequence[Node]) -> str:
    operations: dict[str, int] = {}
    for node in nodes:
        if not node.is_leaf:
            kind = _SPOKEN.get(symbol(node.op), symbol(node.op))
            operations[kind] = operations.get(kind, 0) + 1
    counts = [
        plural(count, kind) if kind in _SPOKEN.values() else f"{count:,} {kind}"
        for kind, count in sorted(operations.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    inputs = sum(node.is_leaf for node in nodes)
    text = f"{plural(inputs, 'input')} and {plural(len(nodes) - inputs, 'operation')}: {join_words(counts)}."
    text += f" The result {nodes[-1].name} is {format_number(nodes[-1].data)}."
    labelled = [n for n in known if n.is_leaf and n.label and not getattr(n.grad, "shape", ())]
    largest = sorted(labelled, key=lambda node: -abs(node.grad))[:3]
    if largest:
        said = join_words([f"{node.name} {format_number(node.grad)}" for node in largest])
        text += f" Largest gradients among the inputs: {said}."
    return text
