"""A neural tree from its leaves, on the left, to its outputs, on the right.

The one idea: the two passes are two orders of the same nodes. Forward goes in post-order, children before parents;
backward in pre-order, parents before children. An edge is as wide as its weight is large; a negative weight is dashed,
and its number has a minus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from coursepkg.neural_tree.structure import FunctionNode, Leaf, Node, Tree
from coursepkg.visualize.paper import Picture, format_number, join_words, plural, subscripted, svg, text_width
from coursepkg.visualize.paper.style import CYCLE, GRADIENT, INK, MUTED, PAPER, SHADE, VALUE

POSITIVE, NEGATIVE = CYCLE[0], CYCLE[1]
MOST_WRITTEN = 40  # nodes; in a larger tree numbers would cover each other, so none are written


@dataclass
class Shown:
    """What a drawing writes: numbers by node."""

    inside: dict[Node, str] = field(default_factory=dict)
    inside_colour: str = INK
    values: dict[Node, str] = field(default_factory=dict)
    deltas: dict[Node, str] = field(default_factory=dict)
    gradients: dict[Node, str] = field(default_factory=dict)


def draw_tree(
    tree: Tree,
    *,
    order: str | None = None,
    example: int | None = None,
    output_names: Sequence[str] | None = None,
    title: str = "",
) -> Picture:
    """Draw a neural tree.

    Parameters
    ----------
    tree : Tree
        The tree. One of up to 40 nodes is drawn with its weights; a larger one shows its shape and the widths.
    order : {"forward", "backward"}, optional
        Number the nodes in the order of a pass: post-order in green, or pre-order in red. Default: names.
    example : int, optional
        Write the values and deltas that the last passes left in the nodes for this example: values in green above the
        nodes, deltas and gradients of the weights (the mean over the examples) in red below.
    output_names : sequence of str, optional
        By default y₁, y₂, ...
    title : str
        A line over the drawing.

    Raises
    ------
    ValueError
        If ``order`` is something else, numbers are asked of a tree too large to hold them, or names are missing.

    Examples
    --------
    >>> inner = FunctionNode([Leaf(0, 1.0), Leaf(1, 2.0)], bias=-1.0, weight=-1.0)
    >>> picture = draw_tree(Tree([FunctionNode([inner, Leaf(0, 0.5)], bias=0.2)], 2), order="forward")
    >>> print(picture.alt.split(". ")[-1])
    Order of the forward pass: x₁, x₂, h₁, x₁, y.
    """
    drawing = TreeDrawing(tree, output_names, numbers=example is not None)
    if order not in (None, "forward", "backward"):
        raise ValueError(f"order is 'forward', 'backward' or None, got {order!r}")
    if drawing.compact and (order or example is not None):
        raise ValueError(
            f"this tree has {len(tree.depths)} nodes, and numbers can be read in one of at most {MOST_WRITTEN}; grow a "
            "smaller one, with max_depth=2 for example"
        )
    shown, note = Shown(inside=dict(drawing.names)), ""
    said = [f"{title.rstrip('. ')}. " if title else "", drawing.describe()]
    if order:
        nodes = tree.post_order() if order == "forward" else tree.pre_order()
        shown.inside = {node: str(number) for number, node in enumerate(nodes, 1)}
        shown.inside_colour = VALUE if order == "forward" else GRADIENT
        note = f"1, 2, 3, ...: the order of the {order} pass ({'post' if order == 'forward' else 'pre'}-order)"
        said.append(f" Order of the {order} pass: {', '.join(drawing.names[node] for node in nodes)}.")
    if example is not None:
        said.append(_add_numbers(shown, drawing, example))
    return Picture(drawing.render(shown, title, note), "".join(said))


def _add_numbers(shown: Shown, drawing: TreeDrawing, example: int) -> str:
    """Write what the passes left in the nodes; return it in words."""
    tree, said = drawing.tree, []
    if any(node.value is None for node in tree.depths):
        raise ValueError("the nodes have no values yet; call forward(tree, X) first")
    if not 0 <= example < len(tree.outputs[0].value):
        raise ValueError(f"the last pass had examples 0 to {len(tree.outputs[0].value) - 1}, got example={example}")
    for node in tree.depths:
        shown.values[node] = format_number(node.value[example])
    for node in tree.post_order():
        said.append(f"{drawing.names[node]} = {shown.values[node]}")
    words = f" Values: {', '.join(said)}."
    if all(node.delta is not None for node in tree.functions):
        for node in tree.functions:
            shown.deltas[node] = f"δ {format_number(node.delta[example])}"
        for edge in tree.edges:
            shown.gradients[edge] = format_number(edge.weight_gradient)
        deltas = [
            f"{drawing.names[node]} {shown.deltas[node][2:]}" for node in tree.pre_order() if node in shown.deltas
        ]
        words += f" Deltas: {', '.join(deltas)}."
    return words


class TreeDrawing:
    """Where everything in the drawing of a tree stands; renders it with different numbers written.

    Parameters
    ----------
    tree : Tree
        The tree.
    output_names : sequence of str, optional
        Names in place of y₁, ...
    numbers : bool
        Leave room for values above and deltas below the nodes.
    """

    def __init__(self, tree: Tree, output_names: Sequence[str] | None, *, numbers: bool) -> None:
        self.tree = tree
        self.compact = len(tree.depths) > MOST_WRITTEN
        self.names = _give_names(tree, output_names)
        self.row, self.room = (7.0, 9.0) if self.compact else (60.0, 78.0) if numbers else (30.0, 34.0)
        self.radius = 3.6 if self.compact else 15.0
        self.column = 92.0 if self.compact else 172.0 if numbers else 150.0
        self.parents = {child: node for node in tree.functions for child in node.children}
        self.places: dict[Node, tuple[float, float]] = {}
        self.half_widths = {
            node: self.radius if isinstance(node, FunctionNode) else self._half_width(node) for node in tree.depths
        }
        self.left = (12 if self.compact else 36) + max(self.half_widths[leaf] for leaf in tree.leaves)
        self.deepest = max(tree.depths.values())
        self.top = min(tree.depths.values())
        bottom = 18.0
        for output in tree.outputs:
            bottom = self._place(output, bottom) + (10 if self.compact else 18)
        names = [text_width(self.names[output], 14) * svg.BOLD for output in tree.outputs]
        self.width = self._x(self.top) + self.radius + 14 + max(names) + 14
        self.height = bottom
        self.largest = max(abs(edge.weight or 0.0) for edge in tree.edges) or 1.0

    def _half_width(self, leaf: Leaf) -> float:
        return 2.4 if self.compact else max(text_width(self.names[leaf], 13) / 2 + 7, 15.0)

    def _x(self, depth: int) -> float:
        return self.left + (self.deepest - depth) * self.column

    def _place(self, node: Node, y: float) -> float:
        """Give the subtree of a node the rows from y on; return where they end."""
        if isinstance(node, Leaf):
            self.places[node] = (self._x(self.tree.depths[node]), y + self.row / 2)
            return y + self.row
        needed = sum(map(self._height, node.children))
        start = y + (self._height(node) - needed) / 2
        for child in node.children:
            start = self._place(child, start)
        first, last = (self.places[child][1] for child in (node.children[0], node.children[-1]))
        self.places[node] = (self._x(self.tree.depths[node]), (first + last) / 2)
        return y + self._height(node)

    def _height(self, node: Node) -> float:
        if isinstance(node, Leaf):
            return self.row
        return max(self.room, sum(map(self._height, node.children)) + (0 if self.compact else 12))

    # -- drawing ------------------------------------------------------------------------------------------------

    def render(self, shown: Shown, title: str = "", note: str = "") -> str:
        """The whole drawing as SVG, a title above and a note below."""
        parts = [part for edge in self.tree.edges for part in self._edge(edge, shown)]
        for node in self.tree.depths:
            parts += self._leaf(node, shown) if isinstance(node, Leaf) else self._function(node, shown)
        lift, room = 24 if title else 0, 22 if note else 0
        page = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
        page += [f'<g transform="translate(0 {lift})">', *parts, "</g>"]
        bottom = self.height + lift + room
        if note:
            page.append(svg.text(14, bottom - 10, note, size=12, fill=shown.inside_colour, halo=False, role="note"))
        width = max(self.width, text_width(title, 15) * svg.BOLD + 28, text_width(note, 12) + 28)
        return svg.document(width, bottom, page, title=title)

    def _edge(self, child: Node, shown: Shown) -> list[str]:
        parent = self.parents[child]
        (x0, y0), (x1, y1) = self.places[child], self.places[parent]
        weight = float(child.weight or 0.0)
        thickest = 2.6 if self.compact else 5.0
        start, stop = x0 + self.half_widths[child], x1 - self.radius
        line = svg.line(
            start, y0, stop, y1,
            stroke=NEGATIVE if weight < 0 else POSITIVE,
            width=0.5 + (thickest - 0.5) * abs(weight) / self.largest,
            dash="6 4" if weight < 0 else "",
            role="edge",
        )  # fmt: skip
        if self.compact:
            return [line]
        gradient = shown.gradients.get(child, "")
        upper, lower = self.beside(child, both=bool(gradient))
        parts = [line, svg.text(start + 9, upper, format_number(weight), size=12, fill=MUTED, role="weight")]
        if gradient:
            parts.append(svg.text(start + 9, lower, gradient, size=12, fill=GRADIENT, role="gradient"))
        return parts

    def beside(self, child: Node, *, both: bool) -> tuple[float, float]:
        """Where the weight of an edge stands, and its gradient below it: on the side from which the edge turns away."""
        y, goal = self.places[child][1], self.places[self.parents[child]][1]
        if goal < y:
            return y + 14, y + 28
        return (y - 19, y - 5) if both and goal > y else (y - 5, y + 15)

    def _function(self, node: FunctionNode, shown: Shown) -> list[str]:
        x, y = self.places[node]
        parts = [svg.circle(x, y, self.radius, fill=SHADE, stroke=INK, width=1.0 if self.compact else 1.4, role="node")]
        if any(node is output for output in self.tree.outputs):
            name = self.names[node]
            parts.append(svg.text(x + self.radius + 8, y + 5, name, size=14, weight="bold", role="output"))
        if self.compact:
            return parts
        inside = shown.inside.get(node, "")
        is_output = inside == self.names[node] and any(node is output for output in self.tree.outputs)
        text = "σ" if is_output else inside
        parts.append(
            svg.text(
                x, y + 4.5, text, size=12.5, weight="bold", anchor="middle", halo=False, fill=shown.inside_colour,
                role="inside",
            )
        )  # fmt: skip
        if node in shown.values:
            parts.append(svg.text(x, y - 21, shown.values[node], size=12, fill=VALUE, anchor="middle", role="value"))
        if node in shown.deltas:
            parts.append(
                svg.text(x + 13, y + 30, shown.deltas[node], size=12, fill=GRADIENT, anchor="end", role="delta")
            )
        return parts

    def _leaf(self, leaf: Leaf, shown: Shown) -> list[str]:
        x, y = self.places[leaf]
        if self.compact:
            return [svg.circle(x, y, 2.4, fill=INK, stroke=INK, width=0.5, role="leaf")]
        half = self.half_widths[leaf]
        parts = [
            svg.rectangle(x - half, y - 11, 2 * half, 22, radius=5, fill=PAPER, stroke=MUTED, role="leaf"),
            svg.text(x, y + 4.5, self.names[leaf], size=13, anchor="middle", halo=False, role="input"),
        ]
        inside = shown.inside.get(leaf, self.names[leaf])
        if inside != self.names[leaf]:
            number = svg.text(x - half - 4, y + 4, inside, size=12, weight="bold", anchor="end", role="inside",
                              fill=shown.inside_colour)  # fmt: skip
            parts.append(number)
        if leaf in shown.values:
            parts.append(svg.text(x, y - 14, shown.values[leaf], size=12, fill=VALUE, anchor="middle", role="value"))
        return parts

    # -- words --------------------------------------------------------------------------------------------------

    def describe(self) -> str:
        """The tree in words: every edge of a small one, the counts of a large one."""
        tree = self.tree
        counts = [
            plural(len(tree.outputs), "output"),
            plural(len(tree.functions), "function node"),
            plural(len(tree.leaves), "leaf", "leaves"),
        ]
        text = f"Neural tree with {join_words(counts)}."
        if self.compact:
            weights = [float(edge.weight or 0.0) for edge in tree.edges]
            negative = sum(weight < 0 for weight in weights)
            return (
                f"{text} The longest path has {plural(self.deepest - self.top, 'edge')}. Weights "
                f"from {format_number(min(weights))} to {format_number(max(weights))}, {negative} of {len(weights)} "
                "negative."
            )
        for node in tree.pre_order():
            if isinstance(node, FunctionNode):
                reads = [f"{self.names[c]} with weight {format_number(c.weight)}" for c in node.children]
                text += f" {self.names[node]} (bias {format_number(node.bias)}) reads {join_words(reads)}."
        return text


def _give_names(tree: Tree, outputs: Sequence[str] | None) -> dict[Node, str]:
    """x₁, x₂, ... for the leaves, h₁, h₂, ... for inner nodes in the order of the forward pass, y or y₁, y₂, ..."""
    n_outputs = len(tree.outputs)
    inputs = [subscripted(f"x{i + 1}") for i in range(tree.n_inputs)]
    default = ["y"] if n_outputs == 1 else [subscripted(f"y{k + 1}") for k in range(n_outputs)]
    outputs = outputs if outputs is not None else default
    if len(outputs) != n_outputs:
        raise ValueError(f"this tree needs {plural(n_outputs, 'output name')}, got {len(outputs)}")
    names: dict[Node, str] = dict(zip(tree.outputs, outputs, strict=True))
    hidden = 0
    for node in tree.post_order():
        if isinstance(node, Leaf):
            names[node] = inputs[node.attribute]
        elif node not in names:
            hidden += 1
            names[node] = subscripted(f"h{hidden}")
    return names
