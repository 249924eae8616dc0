"""The forward and the backward pass, one edge at a time.

The one idea: a pass is a list of steps, and a step is a drawing in which one more number appears, with the
sentence that says where it comes from: upstream × local = downstream. Figures, questions and tests share that list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from coursepkg.autodiff.graph_reader import Node, give_names, read_graph
from coursepkg.autodiff.walk import Contribution, times_local, walk_back
from coursepkg.visualize.graph.drawing import Edge, GraphDrawing, Shown
from coursepkg.visualize.graph.fold import Folding, fold_graph
from coursepkg.visualize.graph.notation import formula, local_formula, symbol
from coursepkg.visualize.paper import MINUS, Picture, bracketed, format_number, join_words, parse_number


@dataclass
class Step:
    """One step: its sentence, the node or edge it is about, and the numbers known after it."""

    phase: str
    sentence: str
    node: int | None = None
    edge: tuple[int, int] | None = None
    values: set[int] = field(default_factory=set)
    grads: dict[int, float] = field(default_factory=dict)
    sent: dict[tuple[int, int], float] = field(default_factory=dict)


class Passes:
    """The forward and backward pass of one graph, as steps that can be drawn.

    Parameters
    ----------
    root : Scalar-like
        The result. Its forward values are read; the backward pass is done anew, so ``.backward()`` need not have run.
    max_nodes : int
        The largest graph that is drawn whole; of a larger one, the steps of the drawn part are shown.
    below : float
        Room under each operation, in pixels, for what else is written there.

    Raises
    ------
    ValueError
        If an operation has no known local derivative.
    """

    nodes: list[Node]
    folding: Folding
    steps: list[Step]
    one: Any = 1.0  # the gradient of the result by itself
    sends = staticmethod(times_local)  # what a node makes of the gradient that arrives

    def __init__(self, root: Any, max_nodes: int = 40, *, below: float = 0.0) -> None:
        self.below = below
        self.nodes = give_names(read_graph(root))
        self.folding = fold_graph(self.nodes, max_nodes)
        _require_local_derivatives(self.nodes)
        self.steps = [*self._forward(), *self._backward()]

    # -- the steps -----------------------------------------------------------------------------------------------

    def _forward(self) -> list[Step]:
        given = [i for i in self.folding.drawn if self.nodes[i].is_leaf or i in self.folding.boxes]
        values = set(given)
        known = join_words([f"{self.nodes[i].name} = {format_number(self.nodes[i].data)}" for i in given[:12]])
        more = f" and {len(given) - 12} more" if len(given) > 12 else ""
        steps = [Step("start", f"Before the forward pass, the inputs are known: {known}{more}.", values=set(values))]
        for index in self.folding.drawn:
            if index not in values:
                values.add(index)
                steps.append(Step("forward", self._say_forward(self.nodes[index]), node=index, values=set(values)))
        return steps

    def _say_forward(self, node: Node) -> str:
        operands = [self.nodes[parent] for parent in node.parents]
        letters = formula(node, [operand.name for operand in operands])
        numbers = formula(node, [format_number(operand.data) for operand in operands])
        sign = _sign(symbol(node.op), [operand.data for operand in operands], node.data)
        return f"Forward: {node.name} = {letters} = {numbers} {sign} {format_number(node.data)}."

    def _backward(self) -> list[Step]:
        root = self.nodes[-1]
        values = set(self.folding.drawn)
        grads: dict[int, Any] = {root.index: self.one}
        sent: dict[tuple[int, int], Any] = {}
        start = f"Backward: start at the result with ∂{root.name}/∂{root.name} = 1, for {root.name} changes as itself."
        steps = [Step("seed", start, node=root.index, values=values, grads=dict(grads))]
        drawn, boxes = self.folding.drawn, self.folding.boxes
        for each in walk_back(self.nodes, drawn=drawn, boxes=boxes, one=self.one, rule=self.sends):
            sent.update(each.sent)
            grads[each.parent] = each.total
            said = self._say_sent(each) + self._say_arrived(each)
            edge = next(iter(each.sent))
            steps.append(Step("backward", said, each.parent, edge, values, dict(grads), dict(sent)))
        return [*steps, Step("end", self._say_end(grads), values=values, grads=dict(grads), sent=dict(sent))]

    def _say_sent(self, each: Contribution) -> str:
        node, operand = self.nodes[each.node], self.nodes[each.parent]
        if each.node in self.folding.boxes:
            arrives = format_number(each.downstream)
            return f"Backward through the folded box of {node.name} to {operand.name}: {arrives} arrives."
        [(_, position)] = each.sent
        return f"{self._say_local(node, position)} {_say_product(each.upstream, node.local[position], each.downstream)}"

    def _say_local(self, node: Node, position: int) -> str:
        names = [self.nodes[parent].name for parent in node.parents]
        value = format_number(node.local[position])
        letters = local_formula(node, position, names, node.name)
        middle = "" if letters in ("", value) else f"{letters} = "
        which = f" (operand {position + 1})" if names.count(names[position]) > 1 else ""
        fraction = f"∂{node.name}/∂{names[position]}"
        return f"Backward, {node.name} to {names[position]}{which}: the local derivative {fraction} = {middle}{value}."

    def _say_arrived(self, each: Contribution) -> str:
        """The sum so far, in words, if the operand is used more than once."""
        uses, name, before = self.nodes[each.parent].uses, self.nodes[each.parent].name, each.before
        if uses < 2:
            return ""
        if before is None:
            return f" {name} is used {uses} times, so this is the first of {uses} contributions."
        numbers = f"{format_number(before)} + {bracketed(format_number(each.downstream))}"
        sign = _sign("+", [before, each.downstream], each.total)
        return f" Contributions add: {name} now has {numbers} {sign} {format_number(each.total)}."

    def _say_end(self, grads: dict[int, Any]) -> str:
        leaves = [i for i in self.folding.drawn if self.nodes[i].is_leaf and i in grads]
        said = join_words([f"{self.nodes[i].name} {format_number(grads[i])}" for i in leaves[:12]])
        more = f" and {len(leaves) - 12} more" if len(leaves) > 12 else ""
        text = f"Done. How fast the result changes with each input: {said}{more}." if leaves else "Done."
        wrong = [i for i in self.folding.drawn if _disagrees(self.nodes[i], grads.get(i), self.nodes[-1])]
        if wrong:
            stored = join_words([f"{self.nodes[i].name} {format_number(self.nodes[i].grad)}" for i in wrong[:4]])
            text += f" The engine has stored other numbers: {stored}. Ask why before you trust either."
        return text

    def text(self, value: Any) -> str:
        """A value or a gradient as it stands on a wire."""
        return format_number(value)

    # -- the drawings --------------------------------------------------------------------------------------------

    @cached_property
    def drawing(self) -> GraphDrawing:
        """The layout, with room for every number of every step."""
        wires: dict[int, list[str]] = {node.index: [self.text(node.data)] for node in self.nodes}
        branches: dict[tuple[int, int], list[str]] = {}
        for step in self.steps:
            for index, value in step.grads.items():
                wires[index].append(self.text(value))
        for part, value in self.steps[-1].sent.items():
            branches[part] = [self.text(value)]
        names = any(not node.label for node in self.nodes)
        return GraphDrawing(self.nodes, self.folding, wires, branches, names=names, below=self.below)

    def picture(self, number: int) -> Picture:
        """The drawing after step `number`, its alt text the sentence of that step."""
        step = self.steps[number]
        heading = f"Step {number} of {len(self.steps) - 1}"
        return self.drawing.render(self.shown(step), f"{heading}. {step.sentence}")

    def shown(self, step: Step) -> Shown:
        """What the drawing after a step writes and marks."""
        shown = Shown()
        shown.values = {i: self.text(self.nodes[i].data) for i in step.values}
        shown.grads = {i: self.text(value) for i, value in step.grads.items()}
        for number, edge in enumerate(self.drawing.edges):
            done = [step.sent[part] for part in edge.parts if part in step.sent]
            if done and len(done) == len(edge.parts):
                shown.branches[number] = self.text(sum(done))
            if _is_about(edge, step):
                shown.marked_edges.add(number)
        shown.faint = {n for n, item in enumerate(self.drawing.items) if item.node.index not in step.values}
        if step.node is not None:
            shown.marked_items = {self.drawing.place[step.node]}
        return shown


def _is_about(edge: Edge, step: Step) -> bool:
    if step.phase == "forward":
        return any(index == step.node for index, _ in edge.parts)
    return step.edge in edge.parts


def _require_local_derivatives(nodes: Sequence[Node]) -> None:
    for node in nodes:
        if len(node.local) != len(node.parents):
            raise ValueError(
                f"the stepper needs the local derivatives of {node.op or 'an operation without a name'!r}: give the "
                "result an attribute local_grads, one number for each operand; draw_graph works without"
            )


def _disagrees(node: Node, computed: float | None, root: Node) -> bool:
    """True if the engine has run backward and stored something else than the chain rule gives."""
    if not root.grad or node.grad is None or computed is None:
        return False
    return abs(node.grad - computed) > 1e-6 * max(abs(computed), abs(node.grad), 1e-300)


def _read_back(number: float) -> float:
    """The number as a reader of the sentence sees it, rounded."""
    try:
        return parse_number(format_number(number))
    except ValueError:
        return float("nan")


def _sign(operation: str, operands: Sequence[float], result: float) -> str:
    """An equals sign if the sentence is a true equation as it is written, rounding included; otherwise "≈"."""
    seen, written = [_read_back(number) for number in operands], _read_back(result)
    if operation in _ARITHMETIC and len(seen) == 2:
        try:
            expected = _ARITHMETIC[operation](*seen)
        except ArithmeticError:
            return "≈"
        return "=" if written == expected or abs(written - expected) <= 1e-12 * abs(expected) else "≈"
    exact = all(
        a == b or abs(a - b) <= 1e-12 * abs(b) for a, b in zip([*seen, written], [*operands, result], strict=True)
    )
    return "=" if exact else "≈"


_ARITHMETIC = {"+": float.__add__, "×": float.__mul__, MINUS: float.__sub__, "÷": float.__truediv__}


def _say_product(upstream: float, local: float, downstream: float) -> str:
    factors = f"{format_number(upstream)} × {bracketed(format_number(local))}"
    sign = _sign("×", [upstream, local], downstream)
    return f"upstream × local = downstream: {factors} {sign} {format_number(downstream)}."
