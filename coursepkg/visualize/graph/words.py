"""A computational graph read aloud.

The one idea: whoever cannot see the drawing gets the same facts in the order in which one would compute them: inputs,
forward pass, gradients. A long graph is summed up, because nobody listens to two hundred numbers.
"""

from collections.abc import Sequence

from coursepkg.autodiff.graph_reader import Node
from coursepkg.derivatives import OPERATIONS
from coursepkg.visualize.graph.notation import formula, symbol
from coursepkg.visualize.paper.text import format_number, join_words, plural

_READ_WHOLE = 14
_SPOKEN = {each.sign: each.spoken for each in OPERATIONS.values() if each.spoken}


def describe_nodes(nodes: Sequence[Node], *, values: bool, grads: bool) -> str:
    """A graph of up to 14 nodes whole; of a larger one, the counts, the result and the largest gradients.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import Scalar
    >>> from coursepkg.autodiff.graph_reader import give_names, read_graph
    >>> product = Scalar(3.0, label="x") * Scalar(2.0, label="y")
    >>> describe_nodes(give_names(read_graph(product)), values=True, grads=False)
    'Computational graph with 3 nodes. Inputs: x = 3, y = 2. Forward: v1 = x × y = 6.'
    """
    known = [node for node in nodes if grads and node.grad is not None]
    text = f"Computational graph with {plural(len(nodes), 'node')}. "
    if len(nodes) <= _READ_WHOLE:
        return text + _inputs(nodes, values) + _operations(nodes, values) + _gradients(known)
    return text + _summary(nodes, values, known)


def _inputs(nodes: Sequence[Node], values: bool) -> str:
    inputs = [f"{n.name} = {format_number(n.data)}" if values else n.name for n in nodes if n.is_leaf]
    return f"{'Input' if len(inputs) == 1 else 'Inputs'}: {', '.join(inputs)}."


def _operations(nodes: Sequence[Node], values: bool) -> str:
    steps = []
    for node in nodes:
        if not node.is_leaf:
            step = f"{node.name} = {formula(node, [nodes[parent].name for parent in node.parents])}"
            steps.append(f"{step} = {format_number(node.data)}" if values else step)
    return f" Forward: {'; '.join(steps)}." if steps else ""


def _gradients(known: Sequence[Node]) -> str:
    if not known:
        return ""
    backward = [*(node for node in reversed(known) if not node.is_leaf), *(node for node in known if node.is_leaf)]
    return " Gradients: " + ", ".join(f"{node.name} {format_number(node.grad)}" for node in backward) + "."


def _summary(nodes: Sequence[Node], values: bool, known: Sequence[Node]) -> str:
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
    if values:
        text += f" The result {nodes[-1].name} is {format_number(nodes[-1].data)}."
    labelled = [n for n in known if n.is_leaf and n.label and not getattr(n.grad, "shape", ())]
    largest = sorted(labelled, key=lambda node: -abs(node.grad))[:3]
    if largest:
        said = join_words([f"{node.name} {format_number(node.grad)}" for node in largest])
        text += f" Largest gradients among the inputs: {said}."
    return text
