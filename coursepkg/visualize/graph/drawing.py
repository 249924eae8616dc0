"""From a graph and its numbers to SVG: what is drawn where, laid out once and rendered as often as needed.

The one idea: the layout reserves room for every number that may ever stand on a wire, and a rendering chooses which of
them to write. So the frames of an animation never jump, and a drawing without gradients matches the one with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from coursepkg.autodiff.graph_reader import Node, commutes, contributions
from coursepkg.visualize.graph.fold import Folding
from coursepkg.visualize.graph.layout import Box, Layout, arrange, assign_columns
from coursepkg.visualize.graph.notation import symbol
from coursepkg.visualize.paper import Picture, page, plural, shorten, svg, text_width
from coursepkg.visualize.paper.style import EDGE, GRADIENT, HIGHLIGHT, INK, MUTED, PAPER, SHADE, VALUE

SIZE = 13.0
SMALL = 12.0
_RADIUS = 15.0
_PORT_STEP = 9.0
_LABEL_LIMIT = 22
_SHADOW = 6.0


@dataclass
class Item:
    """A drawn node (`folded` empty), or a box that stands for `node` and all the `folded` nodes behind it.

    `text` stands inside, `over` above; `body` and `half` are its width and half its height in pixels.
    """

    node: Node
    folded: Sequence[int]
    text: str
    over: str
    body: float
    half: float
    forks: bool = False
    is_last: bool = True


@dataclass
class Edge:
    """A drawn edge from item to item.

    `parts` are the (node, operand position) pairs it stands for (several where it enters a folded box), `pieces` the
    stretches of the layout it runs through, `tap` the place in the layout where its contribution is written.
    """

    source: int
    target: int
    parts: list[tuple[int, int]]
    contribution: Any = None
    tap: int | None = None
    pieces: list[int] = field(default_factory=list)


@dataclass
class Shown:
    """What a rendering writes: texts by node, by node, and by drawn edge; and which items and edges it marks."""

    values: dict[int, str] = field(default_factory=dict)
    grads: dict[int, str] = field(default_factory=dict)
    branches: dict[int, str] = field(default_factory=dict)
    marked_items: set[int] = field(default_factory=set)
    marked_edges: set[int] = field(default_factory=set)
    faint: set[int] = field(default_factory=set)


class GraphDrawing:
    """A graph laid out, ready to be rendered.

    Parameters
    ----------
    nodes : sequence of Node
        The graph in topological order, with names.
    folding : Folding
        Which nodes are drawn, and what is folded behind them.
    wires : mapping of int to sequence of str
        For each node the texts that must fit on its wire.
    branches : mapping of (int, int) to sequence of str
        For each (node, operand position) the texts that must fit on that branch of a fork.
    names : bool
        Write the names that sentences use (v1, v2, ...) over nodes without a label.
    below : float
        Room under each operation, in pixels, for what else is written there.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        folding: Folding,
        wires: Mapping[int, Sequence[str]],
        branches: Mapping[tuple[int, int], Sequence[str]],
        *,
        names: bool = False,
        below: float = 0.0,
    ) -> None:
        self.nodes, self.below = nodes, below
        self.note = folding.note
        self.items = [_item(nodes[index], folding.boxes.get(index, ()), names) for index in folding.drawn]
        self.place = {item.node.index: number for number, item in enumerate(self.items)}
        self.edges = self._connect()
        self.layout = self._arrange(wires, branches)

    # -- what is connected, and where it stands ------------------------------------------------------------------

    def _connect(self) -> list[Edge]:
        edges: list[Edge] = []
        for number, item in enumerate(self.items):
            edges += self._edges_into_box(number, item) if item.folded else self._edges_into_node(number, item.node)
        leaving = [0] * len(self.items)
        for edge in edges:
            leaving[edge.source] += 1
        for item, count in zip(self.items, leaving, strict=True):
            item.forks, item.is_last = count > 1, count == 0
        return edges

    def _edges_into_node(self, number: int, node: Node) -> list[Edge]:
        sent = contributions(node)
        return [
            Edge(self.place[parent], number, [(node.index, position)], sent[position])
            for position, parent in enumerate(node.parents)
        ]

    def _edges_into_box(self, number: int, item: Item) -> list[Edge]:
        """One edge from each drawn node that the folded part uses; its contribution is the sum over these uses."""
        inside = set(item.folded)
        entering: dict[int, Edge] = {}
        for index in item.folded:
            sent = contributions(self.nodes[index])
            for position, parent in enumerate(self.nodes[index].parents):
                if parent in inside:
                    continue
                edge = entering.setdefault(parent, Edge(self.place[parent], number, [], 0))
                edge.parts.append((index, position))
                known = edge.contribution is not None and sent[position] is not None
                edge.contribution = edge.contribution + sent[position] if known else None
        return list(entering.values())

    def _arrange(self, wires: Mapping[int, Sequence[str]], branches: Mapping[tuple[int, int], Sequence[str]]) -> Layout:
        ends = [(edge.source, edge.target) for edge in self.edges]
        column = [2 * c for c in assign_columns(len(self.items), ends)]
        boxes = [_room(item, wires.get(item.node.index, ()), self.below) for item in self.items]
        stretches: list[tuple[int, int]] = []
        for edge in self.edges:
            texts = [text for part in edge.parts for text in branches.get(part, ())]
            stops = [edge.source, edge.target]
            if texts and self.items[edge.source].forks:
                edge.tap = len(boxes)
                boxes.append(Box(0, max(text_width(text, SMALL) for text in texts) + 10, 9, 18))
                column.append(column[edge.source] + 1)
                stops.insert(1, edge.tap)
            for stretch in pairwise(stops):
                edge.pieces.append(len(stretches))
                stretches.append(stretch)
        used = {old: new for new, old in enumerate(sorted(set(column)))}
        return arrange(boxes, stretches, [used[c] for c in column], port_step=_PORT_STEP)

    def centre(self, number: int) -> tuple[float, float]:
        """The middle of an item, in pixels."""
        item = self.items[number]
        return self.layout.right[number] - _side(item) - item.body / 2, self.layout.y[number]

    def wire(self, number: int) -> tuple[float, float, float]:
        """The flat wire of an item, on which its numbers stand: x start, x end, y."""
        return self.centre(number)[0] + self.items[number].body / 2, self.layout.end[number], self.layout.y[number]

    # -- rendering -----------------------------------------------------------------------------------------------

    def render(self, shown: Shown, alt: str, *, title: str = "") -> Picture:
        """The drawing with the numbers in `shown`."""
        marks, wires, bodies, words = [], [], [], []
        for number, edge in enumerate(self.edges):
            commands, x, y = self.way(edge)
            if number in shown.marked_edges:
                x_wire, y_wire = self.wire(edge.source)[::2]
                whole = f"M{svg.number(x_wire)} {svg.number(y_wire)}L{commands[1:]}"
                marks.append(svg.path(whole, stroke=HIGHLIGHT, width=7, role="mark"))
            ink = INK if number in shown.marked_edges else EDGE
            wires += [svg.path(commands, stroke=ink, width=1.5, role="edge"), svg.arrow_head(x, y, fill=ink)]
            words += self._branch_text(edge, shown.branches.get(number))
        for number, item in enumerate(self.items):
            if number in shown.marked_items:
                marks.append(self._halo(number))
            wires.append(self._draw_wire(number))
            bodies += self._draw_body(number, item, EDGE if number in shown.faint else INK)
            words += self._number_texts(number, shown)
        look: Any = {"size": 11, "anchor": "end", "fill": MUTED, "role": "operand"}
        order = [svg.text(x, y, text, **look) for x, y, text in self.operands()]
        parts = [*marks, *wires, *bodies, *order, *words]
        return page(self.layout.width, self.layout.height, parts, alt, title=title, note=self.note)

    def way(self, edge: Edge) -> tuple[str, float, float]:
        """The whole way of an edge, from fork to arrow head, as one path; and where it ends."""
        x, y = self.layout.end[edge.source], self.layout.y[edge.source]
        commands = [f"M{svg.number(x)} {svg.number(y)}"]
        for number, piece in enumerate(edge.pieces):
            start, port = self.layout.arrival[piece]
            at_tap = edge.tap is not None and number == 0
            stop = self.layout.end[edge.tap] if edge.tap is not None and at_tap else self._tip(edge.target, port)
            for flat_start, flat_stop, level in [*self.layout.routes[piece], (start, stop, port)]:
                commands.append(svg.curve(x, y, flat_start, level) + f"H{svg.number(flat_stop)}")
                x, y = flat_stop, level
        return "".join(commands), x, y

    def _tip(self, number: int, port: float) -> float:
        """The x at which an edge that arrives at height `port` touches the outline of an item."""
        item = self.items[number]
        x, y = self.centre(number)
        radius = min(item.half, _RADIUS)
        beyond = max(0.0, abs(port - y) - (item.half - radius))
        return x - item.body / 2 + radius - max(radius * radius - beyond * beyond, 0.0) ** 0.5 - 0.5

    def _draw_wire(self, number: int) -> str:
        x, end, y = self.wire(number)
        wire = svg.line(x, y, end, y, stroke=EDGE, width=1.5)
        if self.items[number].forks:
            return wire + svg.circle(end, y, 3.2, fill=INK, stroke=INK, width=0, role="fork")
        return wire + svg.arrow_head(end + 4, y, fill=EDGE) if self.items[number].is_last else wire

    def _halo(self, number: int) -> str:
        item = self.items[number]
        x, y = self.centre(number)
        width, height = item.body + 10, 2 * item.half + 10
        radius = 10 if item.node.is_leaf or item.folded else min(item.half, _RADIUS) + 5
        return svg.rectangle(
            x - width / 2, y - height / 2, width, height, radius=radius, fill=HIGHLIGHT, stroke=HIGHLIGHT, role="mark"
        )

    def _draw_body(self, number: int, item: Item, ink: str) -> list[str]:
        x, y = self.centre(number)
        left, top = x - item.body / 2, y - item.half
        square = item.node.is_leaf or bool(item.folded)
        style: dict[str, Any] = {
            "radius": 6.0 if square else min(item.half, _RADIUS),
            "fill": SHADE if square else PAPER,
        }
        role = f"node n{item.node.index}"
        parts = []
        for shift in (_SHADOW, _SHADOW / 2) if item.folded else ():
            parts.append(svg.rectangle(left + shift, top - shift, item.body, 2 * item.half, stroke=MUTED, **style))
        if item.text:
            parts.append(svg.rectangle(left, top, item.body, 2 * item.half, stroke=ink, role=role, **style))
            size = 16.0 if len(item.text) == 1 and not square else SIZE
            parts.append(svg.text(x, y + 0.36 * size, item.text, size=size, anchor="middle", fill=ink, halo=False))
        else:
            parts.append(svg.circle(x, y, item.half, fill=MUTED, stroke=MUTED, role=role))
        if item.over:
            y_text = top - 7 - (_SHADOW if item.folded else 0)
            parts.append(
                svg.text(x, y_text, item.over, size=12, anchor="middle", fill=MUTED, style="italic", role="name")
            )
        return parts

    def _number_texts(self, number: int, shown: Shown) -> list[str]:
        index = self.items[number].node.index
        x, _, y = self.wire(number)
        x += _side(self.items[number]) if self.items[number].folded else 0
        parts = []
        if index in shown.values:
            parts.append(svg.text(x + 6, y - 5, shown.values[index], fill=VALUE, role=f"value n{index}"))
        if index in shown.grads:
            parts.append(svg.text(x + 6, y + 15, shown.grads[index], fill=GRADIENT, role=f"gradient n{index}"))
        return parts

    def _branch_text(self, edge: Edge, text: str | None) -> list[str]:
        if edge.tap is None or text is None:
            return []
        node, position = edge.parts[0]
        role = f"branch n{node} p{position}"
        x, y = self.layout.right[edge.tap] + 4, self.layout.y[edge.tap]
        return [svg.text(x, y + 13, text, size=SMALL, fill=GRADIENT, style="italic", role=role)]

    def operands(self) -> list[tuple[float, float, str]]:
        """Small 1 and 2 where the edges of a difference, a quotient or a power arrive: there the order matters."""
        found = []
        for edge in self.edges:
            item = self.items[edge.target]
            if item.folded or len(item.node.parents) != 2 or commutes(item.node.op):
                continue
            _, y = self.layout.arrival[edge.pieces[-1]]
            x = self._tip(edge.target, y) - 8
            y += -4 if y < self.layout.y[edge.target] else 11
            found.append((x, y, str(edge.parts[0][1] + 1)))
        return found


def _item(node: Node, folded: Sequence[int], names: bool) -> Item:
    name = node.name if names else node.label
    over = shorten(name, _LABEL_LIMIT) if folded or not (node.is_leaf and node.label) else ""
    if folded:
        text = f"⊞ {plural(len(folded), 'node')}"
        return Item(node, folded, text, over, text_width(text, SIZE) + 20, 17.0)
    if node.is_leaf:
        text = shorten(node.label, _LABEL_LIMIT)
        body, half = (max(26.0, text_width(text, SIZE) + 16), 13.0) if text else (10.0, 5.0)
        return Item(node, folded, text, over, body, half)
    text = shorten(symbol(node.op), 16)
    half = max(_RADIUS, (len(node.parents) - 1) * _PORT_STEP / 2 + 8)
    return Item(node, folded, text, over, max(2 * _RADIUS, text_width(text, SIZE) + 16), half)


def _side(item: Item) -> float:
    """Room beside the body: for a name that is wider than it, for the shadow of a box."""
    return max(_SHADOW if item.folded else 0.0, (text_width(item.over, 12) - item.body) / 2, 0.0)


def _room(item: Item, texts: Sequence[str], below: float) -> Box:
    tail = max((text_width(text, SIZE) for text in texts), default=10.0) + 12
    above = max(item.half + (22 if item.over else 5) + (_SHADOW if item.folded else 0), 22)
    return Box(item.body + 2 * _side(item), tail, above, max(item.half + 5 + (0 if item.node.is_leaf else below), 22))
