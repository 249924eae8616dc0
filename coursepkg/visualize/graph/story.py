"""The two passes of a computational graph as a figure that moves, the chain rule of each of its edges, and questions.

The one idea: the steps, their sentences and the layout exist (``stepper``). What is added is where each number travels
from one step to the next, and what is asked before it is shown: a number that was predicted first is remembered.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.autodiff.graph_reader import Node
from coursepkg.visualize.alive.story import Question, Story, around
from coursepkg.visualize.graph import formulas
from coursepkg.visualize.graph.drawing import Edge, GraphDrawing, Item
from coursepkg.visualize.graph.notation import local_formula, symbol
from coursepkg.visualize.graph.stepper import Passes, Step
from coursepkg.visualize.paper import format_number, join_words, plural

_BADGE = 17.0  # pixels under an operation for its local derivative
_CAPTION = (
    "[Values](value) travel forward and stand above each wire; [gradients](gradient) travel backward and stand below. "
    "Click an edge for its chain rule, an operation for its character, a number in the formula for its place."
)


def tell_graph(root: Any, *, labels: Mapping[str, Any] | None = None, title: str = "", max_nodes: int = 40) -> Story:
    """The forward pass, then the backward pass, one edge at a time.

    Each edge says its chain rule when it is clicked (or chosen by the up and down keys and Enter), each operation its
    character. "Predict" asks for each number of the backward pass before it is shown.

    Parameters
    ----------
    root : Scalar-like or Tensor
        The result of a computation. ``.backward()`` need not have run. For a tensor, edges say their rule and shapes.
    labels : mapping of str to Tensor or array, optional
        Names for tensors, which have no label of their own.
    title : str
        A line over the figure.
    max_nodes : int
        The largest graph that is drawn whole; a larger one is folded, or refused if it is of tensors.

    Raises
    ------
    TypeError
        If `root` holds no number.
    ValueError
        If an operation has no known local derivative; if a graph of tensors is too large or ends in an array.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import Scalar
    >>> story = tell_graph(Scalar(3.0, label="x") * Scalar(5.0, label="y"))
    >>> story.frames, story.say[1]
    (6, 'Forward: v1 = x × y = 3 × 5 = 15.')
    """
    if hasattr(root, "requires_grad"):
        from coursepkg.visualize.graph.tensors import TensorPasses

        tensors = TensorPasses(root, labels, max_nodes, below=_BADGE)
        told: dict[str, list[Any]] = {"formulas": [tensors.formula(number) for number in range(len(tensors.steps))]}
        told |= {"rules": [tensors.rule(n) for n in range(len(tensors.drawing.edges))]}
        told |= {"characters": [tensors.character(item) for item in tensors.drawing.items]}
        return _story(tensors, title, told, tensors.questions())
    passes = Passes(root, max_nodes, below=_BADGE)
    told = {"formulas": [formulas.of_step(passes, number) for number in range(len(passes.steps))]}
    told |= {"rules": [_rule(passes, number) for number in range(len(passes.drawing.edges))]}
    told |= {"characters": [_character(passes, item) for item in passes.drawing.items]}
    return _story(passes, title, told, questions(passes))


def _story(passes: Passes, title: str, told: dict[str, list[Any]], asks: Mapping[int, Question]) -> Story:
    drawing, steps = passes.drawing, passes.steps
    data = {
        "size": [drawing.layout.width, drawing.layout.height],
        "nodes": [_node(drawing, number, item) for number, item in enumerate(drawing.items)],
        "edges": [_edge(drawing, edge) for edge in drawing.edges],
        "order": [[_round(x), _round(y), text] for x, y, text in drawing.operands()],
        "slots": _slots(passes),
        "moves": [_moves(passes, number) for number in range(len(steps))],
        "marks": [_marks(passes, step) for step in steps],
        **told,
        "note": drawing.note,
    }
    say = [step.sentence for step in steps]
    still = passes.picture(len(steps) - 1)
    return Story("graph", len(steps), title, _CAPTION, data, still, say=say, phases=_phases(steps), asks=asks)


def _phases(steps: Sequence[Step]) -> list[tuple[int, str, str]]:
    """Where each phase begins, its name, and its colour."""
    roles = {"forward": "value", "backward": "gradient", "seed": "gradient"}
    names = {"start": "", "seed": "backward", "end": "backward"}
    found: list[tuple[int, str, str]] = []
    for number, step in enumerate(steps):
        name = names.get(step.phase, step.phase)
        if not found or found[-1][1] != name:
            found.append((number, name, roles.get(step.phase, "")))
    return found


def _round(value: float) -> float:
    return round(float(value), 1)


def _node(drawing: GraphDrawing, number: int, item: Item) -> dict[str, Any]:
    x, y = drawing.centre(number)
    return {
        "i": item.node.index, "x": _round(x), "y": _round(y), "w": _round(item.body), "h": _round(2 * item.half),
        "text": item.text, "over": item.over, "square": item.node.is_leaf or bool(item.folded),
        "wire": [_round(place) for place in drawing.wire(number)], "fork": item.forks, "last": item.is_last,
        "name": item.node.name,
    }  # fmt: skip


def _edge(drawing: GraphDrawing, edge: Edge) -> dict[str, Any]:
    commands, x, y = drawing.way(edge)
    tap = None
    if edge.tap is not None:
        tap = [_round(drawing.layout.right[edge.tap] + 4), _round(drawing.layout.y[edge.tap])]
    ends = [drawing.items[end].node.index for end in (edge.source, edge.target)]
    return {"ends": ends, "d": commands, "tip": [_round(x), _round(y)], "tap": tap}


def _slots(passes: Passes) -> dict[str, list[list[Any]]]:
    """For each place where a number may stand: from which step on it reads what."""
    slots: dict[str, list[list[Any]]] = {}
    for number, step in enumerate(passes.steps):
        shown = passes.shown(step)
        texts = {f"v{index}": text for index, text in shown.values.items()}
        texts |= {f"g{index}": text for index, text in shown.grads.items()}
        taps = {n: text for n, text in shown.branches.items() if passes.drawing.edges[n].tap is not None}
        texts |= {f"s{n}": text for n, text in taps.items()}  # elsewhere the number at the operand says it
        for slot, text in texts.items():
            changes = slots.setdefault(slot, [])
            if not changes or changes[-1][1] != text:
                changes.append([number, text])
    return slots


def _marks(passes: Passes, step: Step) -> list[list[int]]:
    """The nodes and the edges that a step is about."""
    shown = passes.shown(step)
    return [sorted(passes.drawing.items[item].node.index for item in shown.marked_items), sorted(shown.marked_edges)]


def _moves(passes: Passes, number: int) -> list[dict[str, Any]]:
    """What travels on the way to a step: along which edge, which way, and which number it carries."""
    step, edges = passes.steps[number], passes.drawing.edges
    if step.phase == "forward":
        into = [n for n, edge in enumerate(edges) if any(index == step.node for index, _ in edge.parts)]
        return [{"edge": n, "text": passes.text(_source(passes, edges[n]).data)} for n in into]
    for n, edge in enumerate(edges):
        if step.phase == "backward" and step.edge in edge.parts:
            sent = passes.text(_sent(edge, step))
            return [{"edge": n, "back": True, "text": sent, **_factors(passes, n, number)}]
    return []


def _factors(passes: Passes, n: int, number: int) -> dict[str, str]:
    """The two numbers that are multiplied, where the edge leads into one operation and not into a folded box."""
    step = passes.steps[number]
    if passes.drawing.items[passes.drawing.edges[n].target].folded or step.edge is None:
        return {}
    result, position = step.edge
    if not passes.nodes[result].local:  # of tensors
        return {}
    upstream = passes.steps[number - 1].grads[result]
    return {"up": format_number(upstream), "local": format_number(passes.nodes[result].local[position])}


def _source(passes: Passes, edge: Edge) -> Node:
    return passes.drawing.items[edge.source].node


def _sent(edge: Edge, step: Step) -> float:
    return sum(step.sent[part] for part in edge.parts if part in step.sent)


# --- what an edge and a node say when they are asked ------------------------------------------------------------


def _rule(passes: Passes, n: int) -> dict[str, Any]:
    """The chain rule of an edge: a name for its button, a formula (or the step that has the same), and a sentence."""
    edge = passes.drawing.edges[n]
    source, target = _source(passes, edge), passes.drawing.items[edge.target].node
    number = next(k for k, step in enumerate(passes.steps) if step.phase == "backward" and step.edge in edge.parts)
    step, root = passes.steps[number], passes.nodes[-1]
    # Alone, without what came before: the sum at the operand is another story.
    alone = step.sentence.split(f" Contributions add: {source.name} ")[0].split(f" {source.name} is used ")[0]
    carries = f"Forward, this edge carries {source.name} = {format_number(source.data)}."
    effect = (
        f"Along this edge alone, {root.name} changes {format_number(_sent(edge, step))} times as fast as {source.name}."
    )
    rule = formulas.of_step(passes, number, alone=True)
    return {
        "name": f"Edge from {source.name} to {target.name}",
        "formula": number if rule == formulas.of_step(passes, number) else rule,
        "say": f"{carries} {alone} {effect}",
    }


def _character(passes: Passes, item: Item) -> str:
    """What a node does with a gradient that arrives."""
    node, end = item.node, passes.steps[-1]
    gradient = format_number(end.grads.get(node.index, 0.0))
    if item.folded:
        return f"{node.name} stands for {plural(len(item.folded), 'node')} that are not drawn."
    if node.is_leaf:
        uses = f", the sum over its {node.uses} uses" if node.uses > 1 else ""
        return f"{node.name} is an input. {passes.nodes[-1].name} changes {gradient} times as fast as it does{uses}."
    names = [passes.nodes[parent].name for parent in node.parents]
    return f"{_manner(node, names)} The gradient at {node.name} is {gradient}."


def _manner(node: Node, names: list[str]) -> str:
    sign = symbol(node.op)
    both = join_words(list(dict.fromkeys(names)))
    if sign == "+" and len(names) == 2:
        return f"Plus distributes: it hands its gradient unchanged to {both}."
    if sign == "×" and len(names) == 2:
        first, second = names
        if first == second:
            return f"Times swaps: each of its two operands gets the gradient times the other, and both are {first}."
        return f"Times swaps: {first} gets the gradient times {second}, and {second} the gradient times {first}."
    if sign in ("max", "maximum", "min", "minimum") and len(names) == 2:
        taken = [name for name, local in zip(names, node.local, strict=True) if local]
        return f"{sign.capitalize()} routes: the whole gradient goes to {join_words(taken)}, and none to the other."
    parts = [
        f"{_letters(node, position, names)} to {name}" for position, name in enumerate(names)
    ]  # fmt: skip
    return f"{sign} scales: it hands its gradient × {join_words(parts, 'and ×')}."


def _letters(node: Node, position: int, names: list[str]) -> str:
    value, letters = format_number(node.local[position]), local_formula(node, position, names, node.name)
    return value if letters in ("", value) else f"({letters} = {value})"


def questions(passes: Passes) -> dict[int, Question]:
    """For each step that goes back along one edge, and not through a folded box, what is asked before it is shown."""
    folded = {index for inside in passes.folding.boxes.values() for index in inside}
    numbers = [k for k, step in enumerate(passes.steps) if step.edge is not None and step.edge[0] not in folded]
    return {number: _question(passes, number) for number in numbers}


def _question(passes: Passes, number: int) -> Question:
    step = passes.steps[number]
    assert step.edge is not None
    result, position = step.edge
    node = passes.nodes[result]
    names = [passes.nodes[parent].name for parent in node.parents]
    operand, name = passes.nodes[node.parents[position]], names[position]
    upstream, local = passes.steps[number - 1].grads[result], node.local[position]
    looks_like = {
        f"That is the upstream gradient. Multiply it by the local derivative ∂{node.name}/∂{name}.": upstream,
        f"That is the local derivative. Multiply it by the upstream gradient, {format_number(upstream)}.": local,
        "The size is right; look at the sign.": -upstream * local,
        "You added. Along an edge the chain rule multiplies: upstream × local.": upstream + local,
        f"That is the forward value of {name}. Which number does ∂{node.name}/∂{name} ask for?": operand.data,
        f"That is the sum at {name} so far. This edge is asked for alone.": step.grads[operand.index],
    }
    replies, right = [], upstream * local
    for guess in looks_like.values():
        if not _same(guess, right):
            words = next(words for words, other in looks_like.items() if _same(guess, other))
            replies.append((*around(guess), f"Not yet. {words}"))
    which = f" (operand {position + 1})" if names.count(name) > 1 else ""
    text = f"Which number will {node.name} send back to {name}{which}?"
    hint = f"The upstream gradient is {format_number(upstream)}. How fast does {node.name} change with {name}?"
    return Question(text, around(right), replies, f"Not yet. {hint}")


def _same(answer: float, number: float) -> bool:
    low, high = around(number)
    return low <= answer <= high
