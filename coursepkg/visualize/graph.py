"""Drawings of computational graphs, in pure Python.

The one idea: operations and variables are nodes, and each number stands on the edge it travels along: the forward value
above in green, the gradient below in red. Where a variable is used more than once the edge forks, each branch carries
its own contribution, and the sum stands at the variable (the drawings of Stanford's CS231n, and of "Backpropagation in
RNN Explained").
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursepkg.visualize import svg
from coursepkg.visualize.fold import Folding, fold_graph
from coursepkg.visualize.layout import Box, Layout, arrange, assign_columns
from coursepkg.visualize.nodes import Node, contributions, formula, give_names, read_graph
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import EDGE, GRADIENT, HIGHLIGHT, INK, MUTED, PAPER, SHADE, VALUE
from coursepkg.visualize.text import format_number, join_words, plural, shorten, text_width

_SIZE = 13.0
_SMALL = 11.0
_RADIUS = 15.0
_LABEL_LIMIT = 22
_DESCRIBE_LIMIT = 14


@dataclass
class Item:
    """A drawn node (`folded` empty), or a box that stands for `node` and the `folded` nodes it was computed from."""

    node: Node
    folded: list[int]
    text: str
    round: bool
    half: float
    body: float


@dataclass
class Edge:
    """A drawn edge from item to item; `parts` are the (node, operand position) pairs of the graph it stands for."""

    source: int
    target: int
    parts: list[tuple[int, int]]
    contribution: Any = None
    tap: int | None = None


@dataclass
class Shown:
    """Which numbers a rendering writes: by node, by node, and by edge; and what is marked."""

    values: dict[int, str]
    grads: dict[int, str]
    branches: dict[int, str]
    marked_items: set[int] = field(default_factory=set)
    marked_edges: set[int] = field(default_factory=set)
    faint: set[int] = field(default_factory=set)


class GraphDrawing:
    """A graph laid out once, to be rendered as often as needed with other numbers shown.

    Parameters
    ----------
    nodes : list of Node
        From :func:`coursepkg.visualize.nodes.read_graph`.
    folding : Folding
        What is drawn and what is folded away.
    names : bool
        Write the names that sentences use (v1, v2, ...) over operations that have no label.
    reserve : dict of int to list of str
        For each node further texts that must fit on its wire.
    branches : dict of (int, int) to list of str
        For each (node, operand position) the texts that must fit on that branch.
    """

    def __init__(
        self,
        nodes: list[Node],
        folding: Folding,
        *,
        names: bool = False,
        reserve: dict[int, list[str]] | None = None,
        branches: dict[tuple[int, int], list[str]] | None = None,
    ) -> None:
        self.nodes = nodes
        self.folding = folding
        self.names = names
        self.items = [_item(nodes[index], folding.boxes.get(index, [])) for index in folding.drawn]
        self.place = {item.node.index: number for number, item in enumerate(self.items)}
        self.edges = self._edges()
        self.layout = self._arrange(reserve or {}, branches or {})

    def _edges(self) -> list[Edge]:
        edges = []
        for number, item in enumerate(self.items):
            if item.folded:
                edges.extend(self._edges_into_box(number, item))
                continue
            sent = contributions(item.node)
            for position, parent in enumerate(item.node.parents):
                edges.append(Edge(self.place[parent], number, [(item.node.index, position)], sent[position]))
        return edges

    def _edges_into_box(self, number: int, item: Item) -> list[Edge]:
        entering: dict[int, Edge] = {}
        for inside in item.folded:
            sent = contributions(self.nodes[inside])
            for position, parent in enumerate(self.nodes[inside].parents):
                if parent not in self.place or parent in item.folded:
                    continue
                edge = entering.setdefault(parent, Edge(self.place[parent], number, [], 0))
                edge.parts.append((inside, position))
                known = edge.contribution is not None and sent[position] is not None
                edge.contribution = edge.contribution + sent[position] if known else None
        return list(entering.values())

    def forks(self, item: int) -> bool:
        """True if more than one edge leaves the item."""
        return sum(edge.source == item for edge in self.edges) > 1

    def _arrange(self, reserve: dict[int, list[str]], branches: dict[tuple[int, int], list[str]]) -> Layout:
        ends = [(edge.source, edge.target) for edge in self.edges]
        column = [2 * c for c in assign_columns(len(self.items), ends)]
        boxes = [self._box(item, reserve.get(item.node.index, [])) for item in self.items]
        pieces: list[tuple[int, int]] = []
        for edge in self.edges:
            texts = [text for part in edge.parts for text in branches.get(part, [])]
            if texts and self.forks(edge.source):
                edge.tap = len(boxes)
                boxes.append(Box(0, max(text_width(text, _SMALL) for text in texts) + 10, 9, 17))
                column.append(column[edge.source] + 1)
                pieces += [(edge.source, edge.tap), (edge.tap, edge.target)]
            else:
                pieces.append((edge.source, edge.target))
        self.pieces = pieces
        used = {old: new for new, old in enumerate(sorted(set(column)))}
        return arrange(boxes, pieces, [used[c] for c in column])

    def _box(self, item: Item, reserve: list[str]) -> Box:
        texts = [text_width(text, _SIZE) for text in reserve]
        above = max(item.half + (19 if self._over(item) else 4), 21)
        label = max(0.0, text_width(self._over(item), 12) - item.body) / 2
        return Box(item.body + 2 * label, max(texts, default=10.0) + 12, above, max(item.half + 4, 21))

    def _over(self, item: Item) -> str:
        """The name written over an operation or a box."""
        if item.node.is_leaf and not item.folded:
            return item.node.name if self.names and not item.node.label else ""
        return shorten(item.node.name if self.names else item.node.label, _LABEL_LIMIT)

    # -- rendering -----------------------------------------------------------------------------------------------

    def render(self, shown: Shown, *, title: str = "", note: str = "") -> str:
        """The SVG document with the numbers in `shown`."""
        edges, marks, bodies, words = [], [], [], []
        for number, edge in enumerate(self.edges):
            edges += self._draw_edge(edge, number in shown.marked_edges, marks)
            words += self._draw_branch(edge, shown.branches.get(number))
        for number, item in enumerate(self.items):
            if number in shown.marked_items:
                marks.append(self._halo(number, item))
            edges.append(self._draw_wire(number))
            bodies += self._draw_body(number, item, faint=number in shown.faint)
            words += self._draw_numbers(number, item, shown)
        words += self._operand_marks()
        return self._page([*marks, *edges, *bodies, *words], title, note)

    def _page(self, parts: list[str], title: str, note: str) -> str:
        top = 30 if title else 0
        width = max(self.layout.width, text_width(title, 15) * 1.09 + 28, text_width(note, _SMALL) + 28)
        height = self.layout.height + top + (22 if note else 0)
        body = ["<g>", *parts, "</g>"] if not top else [f'<g transform="translate(0 {top})">', *parts, "</g>"]
        if title:
            body.append(svg.text(14, 24, title, size=15, weight="bold", halo=False))
        if note:
            body.append(svg.text(14, height - 11, note, size=_SMALL, fill=MUTED, halo=False))
        return svg.document(width, height, body, title=title)

    def _wire(self, number: int) -> tuple[float, float, float]:
        return self.layout.right[number], self.layout.end[number], self.layout.y[number]

    def _centre(self, number: int) -> tuple[float, float]:
        box = self._box(self.items[number], [])
        return self.layout.right[number] - box.body / 2, self.layout.y[number]

    def _draw_edge(self, edge: Edge, marked: bool, marks: list[str]) -> list[str]:
        """The whole way from fork to arrow head as one path."""
        x, y = self.layout.end[edge.source], self.layout.y[edge.source]
        commands = [f"M{svg.number(x)} {svg.number(y)}"]
        for piece in self._pieces_of(edge):
            flats = [*self.layout.routes[piece]]
            column_start, target_left, port = self.layout.arrival[piece]
            target = self.pieces[piece][1]
            tip = self.layout.end[target] if target == edge.tap else self._tip(edge.target, port)
            for start, stop, level in [*flats, (column_start, tip, port)]:
                commands.append(_curve(x, y, start, level) + f"H{svg.number(stop)}")
                x, y = stop, level
        if marked:
            marks.append(svg.path("".join(commands), stroke=HIGHLIGHT, width=7, role="mark"))
        return [svg.path("".join(commands), stroke=EDGE, width=1.5, role="edge"), svg.arrow_head(x, y, fill=EDGE)]

    def _pieces_of(self, edge: Edge) -> list[int]:
        if edge.tap is None:
            return [self._piece_numbers()[id(edge)]]
        first = self._piece_numbers()[id(edge)]
        return [first, first + 1]

    def _piece_numbers(self) -> dict[int, int]:
        if not hasattr(self, "_numbers"):
            self._numbers: dict[int, int] = {}
            count = 0
            for edge in self.edges:
                self._numbers[id(edge)] = count
                count += 1 if edge.tap is None else 2
        return self._numbers

    def _tip(self, number: int, port: float) -> float:
        """The x at which an edge that arrives at height `port` touches the outline."""
        item = self.items[number]
        x, y = self._centre(number)
        radius = min(item.half, _RADIUS)
        beyond = max(0.0, abs(port - y) - (item.half - radius))
        return x - item.body / 2 + radius - max(radius * radius - beyond * beyond, 0.0) ** 0.5 - 0.5

    def _draw_wire(self, number: int) -> str:
        _, end, y = self._wire(number)
        x = self._centre(number)[0] + self.items[number].body / 2
        wire = svg.line(x, y, end, y, stroke=EDGE, width=1.5)
        if self.forks(number):
            return wire + svg.circle(end, y, 3.2, fill=INK, stroke=INK, width=0, role="fork")
        is_root = not any(edge.source == number for edge in self.edges)
        return wire + svg.arrow_head(end + 4, y, fill=EDGE) if is_root else wire

    def _halo(self, number: int, item: Item) -> str:
        x, y = self._centre(number)
        half = item.half + 5
        return svg.rectangle(
            x - item.body / 2 - 5, y - half, item.body + 10, 2 * half,
            radius=min(half, _RADIUS + 5), fill=HIGHLIGHT, stroke=HIGHLIGHT, role="mark",
        )  # fmt: skip

    def _draw_body(self, number: int, item: Item, *, faint: bool) -> list[str]:
        x, y = self._centre(number)
        ink = EDGE if faint else INK
        role = f"node n{item.node.index}"
        left, corner = x - item.body / 2, y - item.half
        over = self._over(item)
        parts = []
        if item.folded:
            for shift in (6, 3):
                parts.append(svg.rectangle(left + shift, corner - shift, item.body, 2 * item.half, radius=6, fill=SHADE, stroke=MUTED))  # fmt: skip
        if item.node.is_leaf and not item.text:
            parts.append(svg.circle(x, y, item.half, fill=MUTED, stroke=MUTED, role=role))
        else:
            fill = SHADE if item.node.is_leaf or item.folded else PAPER
            radius = 6.0 if item.node.is_leaf or item.folded else min(item.half, _RADIUS)
            parts.append(
                svg.rectangle(left, corner, item.body, 2 * item.half, radius=radius, fill=fill, stroke=ink, role=role)
            )
            size = 16 if item.round else _SIZE
            parts.append(svg.text(x, y + size * 0.36, item.text, size=size, anchor="middle", fill=ink, halo=False))
        if over:
            lift = 9 if item.folded else 0
            parts.append(
                svg.text(x, corner - 5 - lift, over, size=12, anchor="middle", fill=MUTED, style="italic", role="name")
            )
        return parts

    def _draw_numbers(self, number: int, item: Item, shown: Shown) -> list[str]:
        index = item.node.index
        x, _, y = self._wire(number)
        x = self._centre(number)[0] + item.body / 2 + 6
        parts = []
        if index in shown.values:
            parts.append(svg.text(x, y - 5, shown.values[index], fill=VALUE, role=f"value n{index}"))
        if index in shown.grads:
            parts.append(svg.text(x, y + 15, shown.grads[index], fill=GRADIENT, role=f"gradient n{index}"))
        return parts

    def _draw_branch(self, edge: Edge, text: str | None) -> list[str]:
        if edge.tap is None or text is None:
            return []
        x, y = self.layout.right[edge.tap] + 4, self.layout.y[edge.tap]
        node, position = edge.parts[0]
        return [
            svg.text(x, y + 13, text, size=_SMALL, fill=GRADIENT, style="italic", role=f"branch n{node} p{position}")
        ]

    def _operand_marks(self) -> list[str]:
        """Small 1 and 2 where the edges of a difference, a quotient or a power arrive: there the order matters."""
        parts = []
        for edge in self.edges:
            item = self.items[edge.target]
            if item.folded or not item.node.ordered:
                continue
            _, _, port = self.layout.arrival[self._pieces_of(edge)[-1]]
            x, y = self._tip(edge.target, port) - 8, port
            other = -4 if port < self.layout.y[edge.target] else 11
            parts.append(svg.text(x, y + other, str(edge.parts[0][1] + 1), size=9, anchor="end", fill=MUTED))
        return parts


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    if x1 == x2 and y1 == y2:
        return ""
    middle = (x1 + x2) / 2
    m, b, c, d = svg.number(middle), svg.number(y1), svg.number(x2), svg.number(y2)
    return f"C{m} {b} {m} {d} {c} {d}"


def _item(node: Node, folded: list[int]) -> Item:
    if folded:
        text = f"⊞ {plural(len(folded), 'node')}"
        half, body = 17.0, text_width(text, _SIZE) + 20
    elif node.is_leaf:
        text = shorten(node.label, _LABEL_LIMIT)
        half, body = (13.0, max(26.0, text_width(text, _SIZE) + 16)) if text else (5.0, 10.0)
    else:
        text = shorten(node.symbol, 14)
        half, body = _RADIUS, max(2 * _RADIUS, text_width(text, _SIZE) + 16)
    half = max(half, (len(node.parents) - 1) * 4.5 + 8) if not folded else half
    return Item(node, folded, text, len(text) == 1 and not node.is_leaf, half, body)


def number_texts(drawing_nodes: list[Node], *, values: bool, grads: bool) -> dict[int, list[str]]:
    """The texts that stand on each node's wire."""
    texts: dict[int, list[str]] = {node.index: [] for node in drawing_nodes}
    for node in drawing_nodes:
        if values:
            texts[node.index].append(format_number(node.data))
        if grads and node.grad is not None:
            texts[node.index].append(format_number(node.grad))
    return texts


def draw_graph(
    root: Any,
    *,
    values: bool = True,
    grads: bool = True,
    ask: Iterable[Any] = (),
    highlight: Any = (),
    names: bool = False,
    title: str = "",
    max_nodes: int = 40,
) -> Picture:
    """Draw the computational graph that leads to `root`.

    Forward values stand above each edge in green, gradients below in red. Where a variable is used more than once, each
    branch carries its contribution to the gradient (upstream × local) and the sum stands at the variable. A graph of
    more than `max_nodes` nodes is folded: the operations nearest to `root` are drawn, the rest is counted in boxes.

    Parameters
    ----------
    root : Scalar-like
        The result. Anything with ``.data`` will do; ``.grad``, ``.parents`` or ``._prev``, ``.op`` or ``._op``,
        ``.label`` and ``.local_grads`` are used when they exist.
    values, grads : bool
        Write the forward values, the gradients. Turn one off to predict it first.
    ask : iterable of nodes
        Nodes whose gradient is replaced by a question mark.
    highlight : node, (operand, result) pair, or a list of these
        Nodes and edges to mark.
    names : bool
        Write a name (v1, v2, ...) over each operation without a label.
    title : str
        A line over the drawing.
    max_nodes : int
        The largest graph that is drawn whole.

    Returns
    -------
    Picture
        Its alt text is :func:`describe`.

    Raises
    ------
    TypeError
        If `root` holds no number.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import Scalar
    >>> x, y = Scalar(3.0, label="x"), Scalar(2.0, label="y")
    >>> f = x * y
    >>> f.backward()
    >>> draw_graph(f)
    Figure: Computational graph with 3 nodes. Inputs: x = 3, y = 2. Forward: v1 = x × y = 6. Gradients: v1 1, x 2, y 3.
    """
    nodes = give_names(read_graph(root))
    folding = fold_graph(nodes, max_nodes)
    asked = {id(item) for item in ask}
    texts = number_texts(nodes, values=values, grads=grads)
    branch_texts = _branch_texts(nodes) if grads else {}
    drawing = GraphDrawing(nodes, folding, names=names, reserve=texts, branches=branch_texts)
    shown = _all_numbers(drawing, values, grads, asked)
    _mark(drawing, shown, highlight)
    svg_text = drawing.render(shown, title=title, note=folding.note)
    return Picture(svg_text, _describe(nodes, folding, values=values, grads=grads, asked=asked, title=title))


def _branch_texts(nodes: list[Node]) -> dict[tuple[int, int], list[str]]:
    texts = {}
    for node in nodes:
        for position, sent in enumerate(contributions(node)):
            if sent is not None:
                texts[node.index, position] = [format_number(sent)]
    return texts


def _all_numbers(drawing: GraphDrawing, values: bool, grads: bool, asked: set[int]) -> Shown:
    shown = Shown({}, {}, {})
    for item in drawing.items:
        node = item.node
        if values:
            shown.values[node.index] = format_number(node.data)
        if grads and node.grad is not None:
            shown.grads[node.index] = "?" if id(node.source) in asked else format_number(node.grad)
    for number, edge in enumerate(drawing.edges):
        if grads and edge.contribution is not None:
            hidden = id(drawing.items[edge.source].node.source) in asked
            shown.branches[number] = "?" if hidden else format_number(edge.contribution)
    return shown


def _mark(drawing: GraphDrawing, shown: Shown, highlight: Any) -> None:
    wanted = highlight if isinstance(highlight, list) else [highlight]
    place = {id(item.node.source): number for number, item in enumerate(drawing.items)}
    for entry in wanted:
        if isinstance(entry, tuple):
            ends = tuple(place.get(id(end)) for end in entry)
            shown.marked_edges |= {n for n, edge in enumerate(drawing.edges) if (edge.source, edge.target) == ends}
        elif id(entry) in place:
            shown.marked_items.add(place[id(entry)])


# -- in words ----------------------------------------------------------------------------------------------------


def describe(root: Any, *, values: bool = True, grads: bool = True) -> str:
    """Say in words what :func:`draw_graph` draws, for a screen reader or a reader without pictures.

    A graph of up to 14 nodes is read out whole; of a larger one, the counts, the result and the largest gradients.

    Parameters
    ----------
    root : Scalar-like
        The result of a computation.
    values, grads : bool
        Say the forward values, the gradients.

    Returns
    -------
    str
    """
    nodes = give_names(read_graph(root))
    return _describe(nodes, fold_graph(nodes, 40), values=values, grads=grads, asked=set(), title="")


def _describe(nodes: list[Node], folding: Folding, *, values: bool, grads: bool, asked: set[int], title: str) -> str:
    known = [node for node in nodes if grads and node.grad is not None and id(node.source) not in asked]
    parts = [f"{title.rstrip('.')}. " if title else "", f"Computational graph with {plural(len(nodes), 'node')}. "]
    if len(nodes) <= _DESCRIBE_LIMIT:
        parts += [_say_inputs(nodes, values), _say_operations(nodes, values), _say_gradients(known)]
    else:
        parts += [_summary(nodes, values, known), f" {folding.note}" if folding.note else ""]
    questions = [node.name for node in nodes if id(node.source) in asked]
    if questions and grads:
        parts.append(f" To be predicted: the gradient of {join_words(questions)}.")
    return "".join(parts).strip()


def _say_inputs(nodes: Sequence[Node], values: bool) -> str:
    inputs = [f"{n.name} = {format_number(n.data)}" if values else n.name for n in nodes if n.is_leaf]
    return f"{'Input' if len(inputs) == 1 else 'Inputs'}: {', '.join(inputs)}."


def _say_operations(nodes: Sequence[Node], values: bool) -> str:
    steps = []
    for node in nodes:
        if not node.is_leaf:
            step = f"{node.name} = {formula(node, [nodes[parent].name for parent in node.parents])}"
            steps.append(f"{step} = {format_number(node.data)}" if values else step)
    return f" Forward: {'; '.join(steps)}." if steps else ""


def _say_gradients(known: Sequence[Node]) -> str:
    if not known:
        return ""
    ordered = [*reversed([n for n in known if not n.is_leaf]), *(n for n in known if n.is_leaf)]
    return " Gradients: " + ", ".join(f"{node.name} {format_number(node.grad)}" for node in ordered) + "."


def _summary(nodes: Sequence[Node], values: bool, known: Sequence[Node]) -> str:
    operations: dict[str, int] = {}
    for node in nodes:
        if not node.is_leaf:
            operations[node.symbol] = operations.get(node.symbol, 0) + 1
    counts = [f"{count:,} {sign}" for sign, count in sorted(operations.items(), key=lambda pair: (-pair[1], pair[0]))]
    inputs = sum(node.is_leaf for node in nodes)
    text = f"{plural(inputs, 'input')} and {plural(len(nodes) - inputs, 'operation')} ({join_words(counts)})."
    root = nodes[-1]
    if values:
        text += f" The result {root.name} is {format_number(root.data)}."
    labelled = [n for n in known if n.is_leaf and n.label and not getattr(n.grad, "shape", ())]
    largest = sorted(labelled, key=lambda node: -abs(node.grad))[:3]
    if largest:
        said = join_words([f"{node.name} {format_number(node.grad)}" for node in largest])
        text += f" Largest gradients among the inputs: {said}."
    return text
