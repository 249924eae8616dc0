"""The two passes through a neural tree as a figure that moves, one node at a time.

The one idea: a state is a drawing in which one more node has got its number, with the sentence that says where the
number comes from. Forward, a node waits for its children; backward, it waits for its one parent, so nothing is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.neural_tree.recursive import backward, forward, input_gradient
from coursepkg.neural_tree.structure import FunctionNode, Leaf, Node, Tree
from coursepkg.visualize.alive.story import Question, Story, around
from coursepkg.visualize.paper import MINUS, bracketed, format_number, join_words, parse_number
from coursepkg.visualize.tree.still import MOST_WRITTEN, TreeDrawing, draw_tree

_CAPTION = (
    "An edge is as wide as its weight; a dashed one is negative. [Values](value) stand above, "
    "[deltas and the gradients of edges](gradient) below. Press a node to go to the step that fills it."
)


def tell_tree(tree: Tree, x: Any, t: Any, *, title: str = "") -> Story:
    """Show the forward pass in post-order, then the backward pass in pre-order, for one example and the squared error.

    Parameters
    ----------
    tree : Tree
        At most 40 nodes. It is left as it is.
    x : array, shape (n_inputs,)
        The example.
    t : array, shape (n_outputs,)
        Its target: a one-hot row, or a number between 0 and 1.
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If the tree is too large, or x or t do not fit it.
    """
    if len(tree.depths) > MOST_WRITTEN:
        raise ValueError(
            f"this tree has {len(tree.depths)} nodes, and {MOST_WRITTEN} can be stepped through; grow a smaller one, "
            "with max_depth=2 for example"
        )
    mine, targets = tree.copy(), np.atleast_1d(np.asarray(t, dtype=np.float64))
    forward(mine, np.asarray(x, dtype=np.float64)[None])
    backward(mine, targets[None])
    told = _Words(mine, targets, TreeDrawing(mine, None, numbers=True))
    ahead = [node for node in mine.post_order() if isinstance(node, FunctionNode)]
    back = list(mine.pre_order())
    say = [told.start(), *map(told.forward, ahead), *map(told.backward, back), told.end()]
    first = len(ahead) + 1  # state of the backward pass
    asks = {k: told.ask_value(node) for k, node in enumerate(ahead, 1)}
    asks |= {k: told.ask_delta(node) for k, node in enumerate(back, first) if isinstance(node, FunctionNode)}
    still = draw_tree(mine, example=0)
    return Story(
        "tree", len(say), title, _CAPTION, _drawn(told.drawing, ahead, back), still,
        say=say, phases=[(0, "", ""), (1, "forward", "value"), (first, "backward", "gradient")], asks=asks,
    )  # fmt: skip


def _drawn(drawing: TreeDrawing, ahead: Sequence[FunctionNode], back: Sequence[Node]) -> dict[str, Any]:
    """Where everything is, what is written there, and from which state on."""
    tree, number = drawing.tree, {node: n for n, node in enumerate(drawing.tree.depths)}
    valued: dict[Node, int] = {leaf: 0 for leaf in tree.leaves}
    valued |= {node: k for k, node in enumerate(ahead, 1)}
    judged = {node: k for k, node in enumerate(back, len(ahead) + 1)}
    nodes = [_node(drawing, node, valued[node], judged[node]) for node in number]
    edges = [_edge(drawing, child, number, judged) for child in tree.edges]
    here = {node: n for n, node in enumerate(tree.edges)}
    moves: list[list[list[Any]]] = [[]]
    moves += [[[here[child], _number(child.value), False] for child in node.children] for node in ahead]
    for node in back:
        parent = drawing.parents.get(node)
        moves.append([[here[node], _number(parent.delta), True]] if parent is not None else [])
    marks = [None, *(number[node] for node in ahead), *(number[node] for node in back), None]
    size = [round(drawing.width, 1), round(drawing.height, 1)]
    return {"size": size, "nodes": nodes, "edges": edges, "moves": [*moves, []], "marks": marks}


def _node(drawing: TreeDrawing, node: Node, valued: int, judged: int) -> dict[str, Any]:
    x, y = drawing.places[node]
    leaf, output = isinstance(node, Leaf), node not in drawing.parents
    delta = f"δ {_number(node.delta)}" if isinstance(node, FunctionNode) else ""
    return {
        "at": [round(x, 1), round(y, 1)], "half": round(drawing.half_widths[node], 1), "leaf": leaf,
        "inside": "σ" if output else drawing.names[node], "name": drawing.names[node] if output else "",
        "value": [valued, _number(node.value)], "delta": [judged, delta],
    }  # fmt: skip


def _edge(drawing: TreeDrawing, child: Node, number: dict[Node, int], judged: dict[Node, int]) -> dict[str, Any]:
    parent, weight = drawing.parents[child], float(child.weight or 0.0)
    (x0, y0), (x1, y1) = drawing.places[child], drawing.places[parent]
    ends = [x0 + drawing.half_widths[child], y0, x1 - drawing.radius, y1]
    return {
        "ends": [round(end, 1) for end in ends], "negative": weight < 0,
        "width": round(0.8 + 4.2 * abs(weight) / drawing.largest, 1), "weight": format_number(weight),
        "gradient": [judged[child], format_number(child.weight_gradient)], "child": number[child],
        "beside": [round(y, 1) for y in drawing.beside(child, both=True)],
    }  # fmt: skip


class _Words:
    """The sentences and the questions."""

    def __init__(self, tree: Tree, targets: np.ndarray, drawing: TreeDrawing) -> None:
        self.tree, self.targets, self.drawing, self.names = tree, targets, drawing, drawing.names

    def start(self) -> str:
        known = sorted({f"{self.names[leaf]} = {_number(leaf.value)}" for leaf in self.tree.leaves})
        return f"Before the forward pass the inputs are known: {join_words(known)}."

    def forward(self, node: FunctionNode) -> str:
        name, bias = self.names[node], format_number(node.bias)
        factors = [(format_number(child.weight), _number(child.value)) for child in node.children]
        terms = " + ".join(f"{bracketed(weight)} × {bracketed(value)}" for weight, value in factors)
        z = format_number(_weighed(node))
        found = parse_number(bias) + sum(parse_number(weight) * parse_number(value) for weight, value in factors)
        return (
            f"Forward, {name}: all its children are known. z = {bias} + {terms} {_sign(found, z)} {z}, and "
            f"{name} = σ(z) ≈ {_number(node.value)}."
        )

    def backward(self, node: Node) -> str:
        name, value = self.names[node], _number(node.value)
        if isinstance(node, FunctionNode) and node not in self.drawing.parents:
            t = format_number(self.targets[[output is node for output in self.tree.outputs].index(True)])
            y, delta = parse_number(value), _number(node.delta)
            sign = _sign((y - parse_number(t)) * y * (1 - y), delta)
            return (
                f"Backward, {name}: δ = (y {MINUS} t) · y · (1 {MINUS} y) = ({value} {MINUS} {t}) × {value} × "
                f"(1 {MINUS} {value}) {sign} {delta}."
            )
        parent = self.drawing.parents[node]
        above, letter = _number(parent.delta), f"δ of {self.names[parent]}"
        gradient = format_number(node.weight_gradient)
        sign = _sign(parse_number(above) * parse_number(value), gradient)
        edge = f"dL/dw = {letter} × {name} = {bracketed(above)} × {bracketed(value)} {sign} {gradient}"
        if isinstance(node, Leaf):
            return f"Backward, the edge from leaf {name}: {edge}."
        weight, delta, a = format_number(node.weight), _number(node.delta), parse_number(value)
        sign = _sign(parse_number(above) * parse_number(weight) * a * (1 - a), delta)
        return (
            f"Backward, {name}: it has one parent, so nothing is added. δ = {letter} × w × a × (1 {MINUS} a) = "
            f"{bracketed(above)} × {bracketed(weight)} × {value} × (1 {MINUS} {value}) {sign} {delta}. "
            f"Its edge: {edge}."
        )

    def end(self) -> str:
        found = input_gradient(self.tree)[0]
        said = []
        for attribute, total in enumerate(found):
            leaves = [leaf for leaf in self.tree.leaves if leaf.attribute == attribute]
            parts = [float(self.drawing.parents[leaf].delta[0]) * leaf.weight for leaf in leaves]
            if len(leaves) > 1:
                terms = " + ".join(bracketed(format_number(part)) for part in parts)
                said.append(
                    f"{self.names[leaves[0]]} is read by {len(leaves)} leaves: {terms} = {format_number(total)}"
                )
        if not said:
            return "Done. No input is read twice, so even dL/dx needs no sum."
        return f"Done. Only dL/dx needs a sum, where an input repeats: {'; '.join(said)}."

    def ask_value(self, node: FunctionNode) -> Question:
        value, z = float(node.value[0]), _weighed(node)
        replies = [(*around(z), "That is the sum z. The node squashes it.")]
        text = f"All children of {self.names[node]} are known. What does it pass on? σ(z) = 1 / (1 + exp(−z))."
        return Question(text, around(value), replies, "Not yet. Add the bias and each weight times what comes along.")

    def ask_delta(self, node: FunctionNode) -> Question:
        delta, slope = float(node.delta[0]), float(node.value[0]) * (1 - float(node.value[0]))
        replies = [
            (*around(-delta), "The right size. Mind the sign."),
            (*around(delta / slope), "The slope of the node's own squashing is still missing: a (1 − a)."),
        ]
        return Question(f"What is the delta of {self.names[node]}?", around(delta), replies, "Not yet. Walk the rule.")


def _weighed(node: FunctionNode) -> float:
    return node.bias + sum(float(child.weight or 0) * float(child.value[0]) for child in node.children)


def _number(batch: Any) -> str:
    return format_number(float(batch[0]))


def _sign(found: float, written: str) -> str:
    """An equals sign if the numbers, as they are written, give the result as it is written; otherwise "≈"."""
    return "=" if abs(found - parse_number(written)) <= 1e-12 * abs(found) else "≈"
