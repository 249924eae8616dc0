"""The graph of any engine, to be looked at.

The one idea: a node is anything with a number (``.data``), and perhaps a gradient (``.grad``), operands (``.parents``,
``._prev`` or ``._children``), an operation (``.op`` or ``._op``), a label and local derivatives (``.local_grads``).
Whatever is missing is left out, so a learner's half-built engine can be looked at too.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursepkg.derivatives import OPERATIONS

__all__ = ["Node", "contributions", "give_names", "read_graph"]

_SIGNS = {name: each.sign for each in OPERATIONS.values() if each.sign for name in each.names}
_SIGNS |= {"matmul": "@", "softmax_cross_entropy": "cross-entropy"}
_COMMUTATIVE = {each.sign for each in OPERATIONS.values() if each.commutes}


@dataclass
class Node:
    """One number of the graph. `index` is its place in topological order."""

    index: int
    source: Any
    data: Any
    grad: Any
    label: str
    op: str
    parents: list[int]
    local: list[Any] = field(default_factory=list)
    uses: int = 0
    name: str = ""

    @property
    def is_leaf(self) -> bool:
        """True for an input, a parameter or a constant."""
        return not self.parents


def sign_of(op: str) -> str:
    """The usual sign for an operation, or its own name: "*" and "mul" are ×."""
    return _SIGNS.get(op, op)


def commutes(op: str) -> bool:
    """True if swapping the operands would change nothing."""
    return sign_of(op) in _COMMUTATIVE


def split_constant(op: str) -> tuple[str, float | None, bool]:
    """An operation that holds a plain number, taken apart: its sign, the number, and whether the number comes first."""
    for sign in ("**", "*", "+", "/", "-"):
        for first, rest in ((False, op.removeprefix(sign)), (True, op.removesuffix(sign))):
            if rest != op and rest:
                try:
                    return sign_of(sign), float(rest.strip("() ")), first
                except ValueError:
                    continue
    return op, None, False


def read_graph(root: Any, labels: Mapping[str, Any] | None = None) -> list[Node]:
    """List the nodes that lead to `root`, operands before results, `root` last.

    Parameters
    ----------
    root : Scalar-like or Tensor
        The result of a computation.
    labels : mapping of str to node, optional
        Names for nodes that have none of their own.

    Returns
    -------
    list of Node
        In topological order; ``parents`` are places in this list.

    Raises
    ------
    TypeError
        If `root` holds no number.
    """
    if hasattr(root, "requires_grad") and hasattr(root, "_node"):  # a Tensor; NumPy is loaded then
        from .tape_reader import read_tape

        root = read_tape(root, labels)
    if isinstance(getattr(root, "data", memoryview(b"")), memoryview):  # NumPy numbers have a buffer named data
        raise TypeError(
            f"a graph is drawn from the result of a computation (something with .data and .grad), got "
            f"{type(root).__name__}; pass the last Scalar, e.g. draw_graph(loss)"
        )
    place: dict[int, int] = {}
    nodes: list[Node] = []
    open_nodes: set[int] = set()
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        item, operands_done = stack.pop()
        if id(item) in place:
            continue
        operands = _operands(item)
        if not operands_done:
            if id(item) in open_nodes:
                raise ValueError(
                    "this graph has a loop: a result is used to compute itself, so it has no order to draw"
                )
            open_nodes.add(id(item))
            stack.append((item, True))
            stack.extend((operand, False) for operand in reversed(operands) if id(operand) not in place)
            continue
        open_nodes.discard(id(item))
        place[id(item)] = len(nodes)
        nodes.append(_read_node(item, len(nodes), [place[id(operand)] for operand in operands]))
    called = {} if labels is None else {identity(item): name for name, item in labels.items()}
    for node in nodes:
        node.label = called.get(identity(node.source), node.label)
        for parent in node.parents:
            nodes[parent].uses += 1
    return nodes


def identity(item: Any) -> int:
    """What tells two nodes apart: the object itself, or the place in the record that a tensor stands for."""
    for attribute in ("node", "_node"):
        item = getattr(item, attribute, None) or item
    return id(item)


def _operands(item: Any) -> list[Any]:
    for attribute in ("parents", "_prev", "_children", "children", "prev"):
        found = getattr(item, attribute, None)
        if found is None or callable(found):
            continue
        if isinstance(found, set | frozenset):
            return _operands_of_a_set(found, str(_operation(item)))
        return [operand for operand in found if hasattr(operand, "data")]
    return []


def _operands_of_a_set(found: set | frozenset, op: str) -> list[Any]:
    """micrograd keeps operands in a set: their order is lost, and x * x has one element."""
    ordered = sorted(found, key=lambda item: (str(getattr(item, "label", "")), float(item.data)))
    return ordered * 2 if len(ordered) == 1 and commutes(op) else ordered


def _operation(item: Any) -> Any:
    for attribute in ("op", "_op"):
        found = getattr(item, attribute, None)
        if found:
            return found
    return ""


def _read_node(item: Any, index: int, parents: list[int]) -> Node:
    label = getattr(item, "label", "") or getattr(item, "name", "") or ""
    op = str(_operation(item)) if parents else ""
    local = list(getattr(item, "local_grads", None) or [])
    node = Node(index, item, item.data, getattr(item, "grad", None), str(label).strip(), op, parents, local)
    if len(local) != len(parents):
        operands = [operand.data for operand in _operands(item)]
        node.local = local_derivatives(op, operands, item.data)
    return node


def _is_array(value: Any) -> bool:
    return getattr(value, "shape", None) not in (None, ())


def local_derivatives(op: str, operands: list[Any], result: Any) -> list[Any]:
    """The local derivatives of an operation known by name, for an engine that does not keep them.

    Returns an empty list when the operation is unknown or has no derivative there, so that nothing wrong is drawn.
    """
    if any(_is_array(value) for value in operands):
        return []
    try:
        sign, exponent, first = split_constant(op)
        if len(operands) == 1 and sign == "^" and exponent is not None and not first:
            return [OPERATIONS["power", 2].slopes[0](math, result, operands[0], exponent)]
        known = OPERATIONS.get((sign_of(op).lower(), len(operands)))
        return [slope(math, result, *operands) for slope in known.slopes] if known else []
    except (ArithmeticError, ValueError, TypeError):
        return []


def contributions(node: Node) -> list[Any]:
    """What `node` sends to each operand in the backward pass, upstream × local; None where either is missing."""
    if node.grad is None or len(node.local) != len(node.parents) or _is_array(node.grad):
        return [None] * len(node.parents)
    return [node.grad * local for local in node.local]


def give_names(nodes: list[Node]) -> list[Node]:
    """Give each node the name the sentences use: its label, or v1, v2, ... (c1, c2, ... for unlabelled inputs)."""
    taken = {node.label for node in nodes}
    used: set[str] = set()
    counters = {"v": 0, "c": 0}
    for node in nodes:
        if node.label and node.label not in used:
            node.name = node.label
        else:
            kind = "c" if node.is_leaf else "v"
            counters[kind] += 1
            while f"{kind}{counters[kind]}" in taken:
                counters[kind] += 1
            node.name = f"{kind}{counters[kind]}"
        used.add(node.name)
    return nodes
