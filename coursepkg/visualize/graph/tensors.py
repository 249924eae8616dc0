"""The two passes of a graph of tensors: which rule each edge follows, and which shape travels along it.

The one idea: what an edge sends back is asked of the engine, by the rule that its own backward pass uses. What a
learner can say without a computer is the rule in letters, and the shape: a gradient has the shape of its variable.
"""

from html import escape
from typing import Any

import numpy as np

from coursepkg.autodiff.graph_reader import Node, give_names, read_graph
from coursepkg.autodiff.tape_reader import sent_back
from coursepkg.autodiff.walk import Contribution
from coursepkg.visualize.alive.story import Question
from coursepkg.visualize.graph.drawing import Item
from coursepkg.visualize.graph.fold import Folding
from coursepkg.visualize.graph.notation import formula, local_formula, symbol
from coursepkg.visualize.graph.stepper import Passes
from coursepkg.visualize.paper import MINUS, format_number, join_words

NUMBER = "a number"


def bar(name: str) -> str:
    """The name of a gradient: v̄2 for v2."""
    return f"{name[:1]}\u0304{name[1:]}"


class TensorPasses(Passes):
    """The forward and the backward pass of a tensor's tape, as steps that can be drawn.

    Parameters
    ----------
    root : Tensor
        A single number that was computed; its tape must not be freed.
    labels : mapping of str to Tensor or array, optional
        Names for tensors and for constant arrays.
    max_nodes : int
        The largest graph that is told.
    below : float
        See :class:`coursepkg.visualize.graph.stepper.Passes`.

    Raises
    ------
    ValueError
        If the result is no single number, or the graph is too large.
    """

    def __init__(self, root: Any, labels: Any = None, max_nodes: int = 40, *, below: float = 0.0) -> None:
        if root.shape:
            raise ValueError(
                f"the backward pass begins at a single number, got shape {root.shape}; take a sum or a mean"
            )
        self.below = below
        self.nodes = give_names(read_graph(root, labels))
        if len(self.nodes) > max_nodes:
            raise ValueError(
                f"{len(self.nodes)} nodes are too many to tell, at most {max_nodes}; draw_graph folds them"
            )
        self.folding = Folding(list(range(len(self.nodes))))
        self.one = np.ones(())
        self.steps = [*self._forward(), *self._backward()]

    def text(self, value: Any) -> str:
        """Large arrays by their shape alone, so that wires stay short."""
        return format_number(value).removesuffix(" array")

    # -- the steps ---------------------------------------------------------------------------------------------------

    def _say_forward(self, node: Node) -> str:
        operands = [self.nodes[parent] for parent in node.parents]
        letters = formula(node, [operand.name for operand in operands])
        known = dict.fromkeys(f"{operand.name} is {shape_of(operand)}" for operand in operands)
        return f"Forward: {node.name} = {letters}. {join_words(list(known))}, so {node.name} is {shape_of(node)}."

    @staticmethod
    def sends(node: Node, upstream: Any) -> list[Any]:
        """What a node sends to each operand, by the rules of the engine."""
        return sent_back(node.source, upstream)

    def _say_sent(self, each: Contribution) -> str:
        [(_, position)] = each.sent
        return self._say_edge(self.nodes[each.node], position)

    def _say_end(self, grads: dict[int, Any]) -> str:
        leaves = [self.nodes[i] for i in sorted(grads) if self.nodes[i].is_leaf]
        shapes = join_words([f"{node.name} {shape_of(node)}" for node in leaves])
        return f"Done. Each gradient has the shape of its variable: {shapes}."

    def _say_edge(self, node: Node, position: int) -> str:
        operand = self.nodes[node.parents[position]]
        shapes = f"What arrives is {shape_of(node)}, what leaves is {shape_of(operand)}, as {operand.name} is."
        return (
            f"Backward, {node.name} to {operand.name}: {bar(operand.name)} gets {self._rule(node, position)}. {shapes}"
        )

    def _say_arrived(self, each: Contribution) -> str:
        uses, name = self.nodes[each.parent].uses, self.nodes[each.parent].name
        if uses < 2:
            return ""
        if each.before is None:
            return f" {name} is used {uses} times: contributions add."
        return f" It is added to what {bar(name)} has."

    def _rule(self, node: Node, position: int) -> str:
        """What an operation does with the gradient that arrives, in words."""
        names = [self.nodes[parent].name for parent in node.parents]
        up, sign = f"{bar(node.name)}", symbol(node.op)
        if sign == "@":
            return f"{up} {names[1]}ᵀ" if position == 0 else f"{names[0]}ᵀ {up}"
        if sign.split()[0] in ("sum", "mean"):
            return f"{up}{' / n' if sign.startswith('mean') else ''}, copied to every entry"
        letters = f"2 {names[0]}" if sign == "(·)²" else local_formula(node, position, names, node.name)
        each = ", entry by entry" if shape_of(node) != NUMBER else ""
        words = {"1": up, f"{MINUS}1": f"{MINUS}{up}", "": f"{up} by the rule of {sign}"}.get(
            letters, f"{up} times {letters}{each}"
        )
        operand = self.nodes[node.parents[position]]
        copied = len(node.parents) == 2 and shape_of(operand) != shape_of(node)
        return f"{words}, summed over its copies" if copied else words

    # -- what the figure asks ------------------------------------------------------------------------------------------

    def formula(self, number: int) -> str:
        """The rule of a step as MathML."""
        step = self.steps[number]
        if step.node is None or step.phase == "seed":
            return ""
        node = self.nodes[step.node]
        if step.phase == "forward":
            text = formula(node, [self.nodes[parent].name for parent in node.parents])
            return f'<math display="block"><mi>{escape(node.name)}</mi><mo>=</mo><mtext>{escape(text)}</mtext></math>'
        assert step.edge is not None
        rule = escape(self._rule(self.nodes[step.edge[0]], step.edge[1]))
        more = "+=" if node.uses > 1 else "="
        name = f"<mi>{escape(bar(node.name))}</mi>"
        return f'<math display="block">{name}<mo>{more}</mo><mtext class="gradient">{rule}</mtext></math>'

    def rule(self, n: int) -> dict[str, Any]:
        """What an edge says when it is clicked."""
        edge = self.drawing.edges[n]
        source, target = (self.drawing.items[end].node for end in (edge.source, edge.target))
        name = f"Edge from {source.name} to {target.name}"
        carries = f"Forward, this edge carries {source.name}, {shape_of(source)}."
        steps = [k for k, step in enumerate(self.steps) if step.phase == "backward" and step.edge in edge.parts]
        if not steps:
            words = f"{carries} {source.name} is a constant: nobody asks for its gradient."
            return {"name": name, "formula": "", "say": words}
        return {"name": name, "formula": steps[0], "say": f"{carries} {self._say_edge(target, edge.parts[0][1])}"}

    def character(self, item: Item) -> str:
        """What a node does with a gradient that arrives."""
        node = item.node
        if node.is_leaf:
            constant = node.index not in self.steps[-1].grads
            return f"{node.name} is {'a constant' if constant else 'an input'}, {shape_of(node)}."
        sent = [position for index, position in self.steps[-1].sent if index == node.index]
        parts = [f"{bar(self.nodes[node.parents[p]].name)} gets {self._rule(node, p)}" for p in sent]
        return f"{node.name} is {shape_of(node)}. On the way back, {join_words(parts)}."

    def questions(self) -> dict[int, Question]:
        """Before each step back: which shape will arrive? Asked where there is something to choose."""
        asks = {}
        for number, step in enumerate(self.steps):
            if step.edge is None or step.node is None:
                continue
            node, operand = self.nodes[step.edge[0]], self.nodes[step.node]
            right = shape_of(operand)
            turned = "×".join(reversed(right.split("×")))
            wrong = {
                turned: f"That is its transpose. Which shape has {operand.name} itself?",
                shape_of(
                    node
                ): f"That is the shape of what arrives at {node.name}. A gradient has that of its variable.",
            }
            wrong.pop(right, None)
            if wrong:
                choices = [(label, False, said) for label, said in wrong.items()] + [(right, True, "")]
                text = f"{node.name} sends a gradient back to {operand.name}. Which shape has it?"
                asks[number] = Question(text, choices=sorted(choices))
        return asks


def shape_of(node: Node) -> str:
    """The shape of a node's value, in words: 4×3, (3,), or "a number"."""
    shape = getattr(node.data, "shape", ())
    return "×".join(map(str, shape)) if len(shape) > 1 else str(shape) if shape else NUMBER
