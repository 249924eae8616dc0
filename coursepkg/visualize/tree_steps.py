"""The two passes through a neural tree, one node at a time.

The one idea: a step is a drawing in which one node has got its number, with the sentence that says where the number
comes from. Forward, a node waits for its children; backward, it waits for its one parent, so nothing is ever added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coursepkg.neural_tree.recursive import backward, forward, input_gradient
from coursepkg.neural_tree.structure import FunctionNode, Leaf, Node, Tree
from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.stepper import play
from coursepkg.visualize.text import MINUS, format_number, join_words, parse_number, plural, wrap
from coursepkg.visualize.tree import MOST_WRITTEN, Shown, TreeDrawing


@dataclass
class TreeStep:
    """One step: its sentence, the node it is about, and which nodes have a value, a delta and a gradient after it."""

    phase: str
    sentence: str
    node: Node | None = None
    values: set[Node] = field(default_factory=set)
    deltas: set[Node] = field(default_factory=set)
    gradients: set[Node] = field(default_factory=set)


class TreePasses:
    """The forward and the backward pass of one example with the squared error, as steps that can be drawn.

    Parameters
    ----------
    tree : Tree
        At most 40 nodes. It is left as it is.
    x : ndarray, shape (n_inputs,)
        The example.
    t : ndarray, shape (n_outputs,)
        Its target.
    input_names, output_names : sequence of str, optional
        As for :func:`draw_tree`.
    """

    def __init__(
        self,
        tree: Tree,
        x: np.ndarray,
        t: np.ndarray,
        *,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
    ) -> None:
        if len(tree.depths) > MOST_WRITTEN:
            raise ValueError(
                f"this tree has {len(tree.depths)} nodes, and {MOST_WRITTEN} can be stepped through; grow a smaller "
                "one, with max_depth=2 for example"
            )
        self.tree = tree.copy()
        self.targets = np.atleast_1d(np.asarray(t, dtype=np.float64))
        forward(self.tree, np.asarray(x, dtype=np.float64)[None])
        backward(self.tree, self.targets[None])
        self.drawing = TreeDrawing(self.tree, input_names, output_names, numbers=True)
        self.names = self.drawing.names
        self.steps = [*self._forward(), *self._backward()]

    # -- the steps ----------------------------------------------------------------------------------------------

    def _forward(self) -> list[TreeStep]:
        values: set[Node] = set(self.tree.leaves)
        known = sorted({f"{self.names[leaf]} = {_number(leaf.value)}" for leaf in self.tree.leaves})
        steps = [
            TreeStep("start", f"Before the forward pass the inputs are known: {join_words(known)}.", values=values)
        ]
        for node in self.tree.post_order():
            if isinstance(node, FunctionNode):
                values = values | {node}
                steps.append(TreeStep("forward", self._say_forward(node), node, values))
        return steps

    def _say_forward(self, node: FunctionNode) -> str:
        name, bias = self.names[node], format_number(node.bias)
        factors = [(format_number(child.weight), _number(child.value)) for child in node.children]
        terms = " + ".join(f"{_bracket(weight)} × {_bracket(value)}" for weight, value in factors)
        z = format_number(node.bias + sum(float(child.weight or 0) * float(child.value[0]) for child in node.children))
        found = parse_number(bias) + sum(parse_number(weight) * parse_number(value) for weight, value in factors)
        return (
            f"Forward, {name}: all its children are known. z = {bias} + {terms} {_sign(found, z)} {z}, and "
            f"{name} = σ(z) ≈ {_number(node.value)}."
        )

    def _backward(self) -> list[TreeStep]:
        everything = set(self.tree.depths)
        deltas: set[Node] = set()
        gradients: set[Node] = set()
        steps = []
        for node in self.tree.pre_order():
            if isinstance(node, FunctionNode):
                deltas = deltas | {node}
            gradients = gradients | ({node} if node in self.drawing.parents else set())
            steps.append(TreeStep("backward", self._say_backward(node), node, everything, deltas, gradients))
        steps.append(TreeStep("end", self._say_end(), None, everything, deltas, gradients))
        return steps

    def _say_backward(self, node: Node) -> str:
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
        edge = f"dE/dw = {letter} × {name} = {_bracket(above)} × {_bracket(value)} {sign} {gradient}"
        if isinstance(node, Leaf):
            return f"Backward, the edge from leaf {name}: {edge}."
        weight, delta, a = format_number(node.weight), _number(node.delta), parse_number(value)
        sign = _sign(parse_number(above) * parse_number(weight) * a * (1 - a), delta)
        return (
            f"Backward, {name}: it has one parent, so nothing is added. δ = {letter} × w × a × (1 {MINUS} a) = "
            f"{_bracket(above)} × {_bracket(weight)} × {value} × (1 {MINUS} {value}) {sign} {delta}. Its edge: {edge}."
        )

    def _say_end(self) -> str:
        found = input_gradient(self.tree)[0]
        said = []
        for attribute, total in enumerate(found):
            leaves = [leaf for leaf in self.tree.leaves if leaf.attribute == attribute]
            parts = [float(self.drawing.parents[leaf].delta[0]) * leaf.weight for leaf in leaves]
            if len(leaves) > 1:
                terms = " + ".join(_bracket(format_number(part)) for part in parts)
                said.append(
                    f"{self.names[leaves[0]]} is read by {len(leaves)} leaves: {terms} = {format_number(total)}"
                )
        if not said:
            return "Done. No input is read twice, so even dE/dx needs no sum."
        return f"Done. Only dE/dx needs a sum, where an input repeats: {'; '.join(said)}."

    # -- the drawings -------------------------------------------------------------------------------------------

    def picture(self, number: int) -> Picture:
        """The drawing after step ``number``, its alt text the sentence of that step."""
        step = self.steps[number]
        shown = Shown(
            inside=dict(self.names),
            values={node: _number(node.value) for node in step.values},
            deltas={node: f"δ {_number(node.delta)}" for node in self.tree.functions if node in step.deltas},
            gradients={node: format_number(node.weight_gradient) for node in step.gradients},
            marked=set() if step.node is None else {step.node},
            faint=set(self.tree.depths) - step.values,
        )
        return Picture(self.drawing.render(shown), f"Step {number} of {len(self.steps) - 1}. {step.sentence}")


def _number(batch: Any) -> str:
    return format_number(float(batch[0]))


def _sign(found: float, written: str) -> str:
    """An equals sign if the numbers, as they are written, give the result as it is written; otherwise "≈"."""
    return "=" if abs(found - parse_number(written)) <= 1e-12 * abs(found) else "≈"


def _bracket(number: str) -> str:
    return f"({number})" if number.startswith(MINUS) else number


def tree_frames(
    tree: Tree,
    x: np.ndarray,
    t: np.ndarray,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> list[tuple[Picture, str]]:
    """All steps of the two passes of one example, each as a picture and a sentence.

    Parameters
    ----------
    tree : Tree
        At most 40 nodes.
    x : ndarray, shape (n_inputs,)
        The example.
    t : ndarray, shape (n_outputs,)
        Its target: a one-hot row, or a number between 0 and 1.
    input_names, output_names : sequence of str, optional
        As for :func:`draw_tree`.

    Returns
    -------
    list of (Picture, str)

    Raises
    ------
    ValueError
        If the tree is too large, or x or t do not fit it.

    Examples
    --------
    >>> tree = Tree([FunctionNode([Leaf(0, 2.0), Leaf(0, -1.0)], bias=0.5)], 1)
    >>> for _, sentence in tree_frames(tree, [1.0], [1.0]):
    ...     print(sentence)
    Before the forward pass the inputs are known: x₁ = 1.
    Forward, y: all its children are known. z = 0.5 + 2 × 1 + (−1) × 1 = 1.5, and y = σ(z) ≈ 0.818.
    Backward, y: δ = (y − t) · y · (1 − y) = (0.818 − 1) × 0.818 × (1 − 0.818) ≈ −0.0272.
    Backward, the edge from leaf x₁: dE/dw = δ of y × x₁ = (−0.0272) × 1 = −0.0272.
    Backward, the edge from leaf x₁: dE/dw = δ of y × x₁ = (−0.0272) × 1 = −0.0272.
    Done. Only dE/dx needs a sum, where an input repeats: x₁ is read by 2 leaves: (−0.0544) + 0.0272 = −0.0272.
    """
    passes = TreePasses(tree, x, t, input_names=input_names, output_names=output_names)
    return [(passes.picture(number), step.sentence) for number, step in enumerate(passes.steps)]


def tree_storyboard(
    tree: Tree,
    x: np.ndarray,
    t: np.ndarray,
    *,
    steps: Sequence[int] | None = None,
    columns: int = 2,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> Picture:
    """Chosen steps of the two passes on one sheet, for paper.

    Parameters
    ----------
    tree, x, t, input_names, output_names
        As for :func:`tree_frames`.
    steps : sequence of int, optional
        Which steps; by default four, spread from the first to the last.
    columns : int
        Pictures side by side.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If a step does not exist.
    """
    passes = TreePasses(tree, x, t, input_names=input_names, output_names=output_names)
    last = len(passes.steps) - 1
    chosen = list(steps) if steps is not None else sorted({round(last * k / 3) for k in range(4)})
    missing = [number for number in chosen if not 0 <= number <= last]
    if missing or not chosen:
        raise ValueError(f"this tree has steps 0 to {last}, got {missing or 'none'}")
    cell, height = max(passes.drawing.width, 360.0), passes.drawing.height
    captions = [wrap(f"{number}. {passes.steps[number].sentence}", 12, cell - 28) for number in chosen]
    below = max(map(len, captions)) * 16 + 14
    parts = []
    for place, (number, lines) in enumerate(zip(chosen, captions, strict=True)):
        left, top = (place % columns) * cell, (place // columns) * (height + below)
        parts.append(svg.nested(passes.picture(number).svg, left, top))
        for row, line in enumerate(lines):
            parts.append(svg.text(left + 14, top + height + 14 + 16 * row, line, size=12, halo=False))
    words = " ".join(f"{number}. {passes.steps[number].sentence}" for number in chosen)
    page = svg.document(min(len(chosen), columns) * cell, -(-len(chosen) // columns) * (height + below), parts)
    return Picture(page, f"{plural(len(chosen), 'step')} of the passes through a neural tree. {words}")


def step_through_tree(
    tree: Tree,
    x: np.ndarray,
    t: np.ndarray,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> Any:
    """Play the forward pass in post-order, then the backward pass in pre-order, one node at a time.

    A slider, a Play button and two buttons for the step before and after; all work by keyboard.

    Parameters
    ----------
    tree, x, t, input_names, output_names
        As for :func:`tree_frames`.

    Returns
    -------
    ipywidgets.VBox
    """
    return play(TreePasses(tree, x, t, input_names=input_names, output_names=output_names))
