"""The formulas beside a graph, as MathML: browsers draw it, screen readers read it.

The one idea: each number in a formula carries the name of the place in the drawing where the same number stands, so
that each lights the other. Every name of a learner is escaped.
"""

from html import escape

from coursepkg.autodiff.graph_reader import Node
from coursepkg.visualize.graph.notation import formula
from coursepkg.visualize.graph.stepper import Passes, Step
from coursepkg.visualize.paper import MINUS, format_number

_GAP = '<mspace width="1.4em"/>'


def of_step(passes: Passes, number: int, *, alone: bool = False) -> str:
    """The formula of a step; empty where there is none. `alone` leaves out the sum at the operand."""
    step = passes.steps[number]
    if step.node is None:
        return ""
    if step.phase == "forward":
        return _display(_forward(passes.nodes, passes.nodes[step.node]))
    if step.phase == "seed":
        root = passes.nodes[-1]
        return _display(_partial(_name(root.name), _name(root.name)) + _sign("=") + _number(1.0, "g", root.index))
    folded = {index for inside in passes.folding.boxes.values() for index in inside}
    if step.edge is None or step.edge[0] in folded:
        return ""
    before = passes.steps[number - 1]
    return _display(_backward(passes, step, before) + ("" if alone else _sum(passes, step, before)))


def _forward(nodes: list[Node], node: Node) -> str:
    """The operation in letters, in numbers, and its result."""
    letters = _fill(node, [_name(nodes[parent].name, f"n{parent}") for parent in node.parents])
    numbers = _fill(node, [_number(nodes[parent].data, "v", parent) for parent in node.parents])
    parts = [_name(node.name, f"n{node.index}"), letters, numbers, _number(node.data, "v", node.index)]
    return _sign("=").join(parts)


def _fill(node: Node, operands: list[str]) -> str:
    """An operation in the usual notation, `operands` in the places of its operands."""
    # Places are marked by characters that no name contains, since names may look like anything.
    marks = [chr(0xE000 + k) for k in range(len(operands))]
    filled = ""
    for chunk in _chunks(formula(node, marks), marks):
        filled += operands[marks.index(chunk)] if chunk in marks else "".join(map(_word, chunk.split()))
    return filled


def _word(text: str) -> str:
    """A number, the name of a function, or a sign, each set as what it is."""
    if text.removeprefix(MINUS)[:1].isdigit():
        return f"<mn>{escape(text)}</mn>"
    return f"<mi>{escape(text)}</mi>" if text.isalnum() else _sign(text)


def _chunks(text: str, marks: list[str]) -> list[str]:
    chunks = [""]
    for character in text:
        if character in marks or character in "()":
            chunks += [character, ""]
        else:
            chunks[-1] += character
    return [chunk.strip() for chunk in chunks if chunk.strip()]


def _backward(passes: Passes, step: Step, before: Step) -> str:
    assert step.edge is not None
    assert step.node is not None
    result, position = step.edge
    node, parent, root = passes.nodes[result], passes.nodes[step.node], passes.nodes[-1]
    at = next(n for n, edge in enumerate(passes.drawing.edges) if step.edge in edge.parts)
    middle = _name(node.name, f"n{result}")
    letters = _partial(_name(root.name), middle) + _sign("·") + _partial(middle, _name(parent.name, f"n{parent.index}"))
    up = _number(before.grads.get(result, 0.0), "g", result)
    local = _bracketed(_number(node.local[position], "l", at), node.local[position])
    return letters + _sign("=") + up + _sign("×") + local + _sign("=") + _sent(passes, step, at)


def _sent(passes: Passes, step: Step, at: int) -> str:
    """What goes along an edge: it stands on a branch of a fork, otherwise at the operand, where it is all."""
    assert step.edge is not None
    on_branch = passes.drawing.edges[at].tap is not None
    return _number(step.sent[step.edge], *(("s", at) if on_branch else ("g", step.node or 0)))


def _sum(passes: Passes, step: Step, before: Step) -> str:
    """Where contributions add: what was there, what came, and the sum."""
    assert step.edge is not None
    assert step.node is not None
    if before.grads.get(step.node) is None:
        return ""
    at = next(n for n, edge in enumerate(passes.drawing.edges) if step.edge in edge.parts)
    came = _bracketed(_sent(passes, step, at), step.sent[step.edge])
    there = f'<mn class="gradient">{escape(format_number(before.grads[step.node]))}</mn>'  # stands nowhere any more
    total = _number(step.grads[step.node], "g", step.node)
    return f"{_GAP}<mtext>sum</mtext>{_GAP}{there}{_sign('+')}{came}{_sign('=')}{total}"


# --- the pieces -------------------------------------------------------------------------------------------------

_CLASSES = {"v": "value", "g": "gradient", "s": "gradient", "l": "local"}


def _display(inside: str) -> str:
    return f'<math display="block">{inside}</math>'


def _number(value: float, kind: str, place: int) -> str:
    return f'<mn class="{_CLASSES[kind]}" data-ref="{kind}{place}">{escape(format_number(value))}</mn>'


def _bracketed(text: str, value: float) -> str:
    if not format_number(value).startswith(MINUS):
        return text
    return f"{_sign('(')}{text}{_sign(')')}"


def _sign(text: str) -> str:
    stretch = ' stretchy="false"' if text in "()" else ""
    return f"<mo{stretch}>{escape(text)}</mo>"


def _name(text: str, place: str = "") -> str:
    stem = text.rstrip("0123456789")
    mark = f' data-ref="{place}"' if place else ""
    if stem and stem != text:
        return f"<msub{mark}><mi>{escape(stem)}</mi><mn>{text[len(stem) :]}</mn></msub>"
    return f"<mi{mark}>{escape(text)}</mi>"


def _partial(top: str, bottom: str) -> str:
    return f"<mfrac><mrow><mo>∂</mo>{top}</mrow><mrow><mo>∂</mo>{bottom}</mrow></mfrac>"
