"""The tape of a tensor, to be looked at: each step with its operation, its operands, its value and its gradient.

The one idea: the tape keeps only what the backward pass reads, so a value may be missing; then its shape stands in
for it. A small value whose operands are known is computed again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .primitives.indexing import Patch
from .tape import FREED, Node, fit, pull_back
from .tensor import Tensor
from .traced import plain

__all__ = ["TapeStep", "read_tape", "sent_back"]

TINY = 4
"""Values with more entries are named by their shape, so they are not computed again."""
SPOKEN_FOR = ("shape", "axes", "dtype", "index", "widths", "subscripts")
"""Options whose value says enough without its name."""
SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}


@dataclass(eq=False)
class TapeStep:
    """A value of the tape.

    Attributes
    ----------
    data : array, number, Node or str
        The value; something that has its shape if it is not known, or "number" for a single one.
    grad : array or None
        The gradient that reached it.
    op : str
        The operation, empty for leaves and constants; small constants stand in it ("*2").
    parents : list of TapeStep
        The operands.
    label : str
        Its name, if it was given one.
    node : Node or None
        Its place on the tape.
    """

    data: Any
    grad: Any = None
    op: str = ""
    parents: list[TapeStep] = field(default_factory=list)
    label: str = ""
    node: Node | None = None


def read_tape(tensor: Tensor, labels: Mapping[str, Any] | None = None) -> TapeStep:
    """Return the last step of a tensor's tape; its parents lead to all others.

    Parameters
    ----------
    tensor : Tensor
        The result of a computation that requires a gradient.
    labels : mapping of str to Tensor or array, optional
        Names for tensors and for constant arrays, which have none of their own. A tensor that is named also shows its
        value.

    Returns
    -------
    TapeStep
        With values and gradients as far as they are known. Gradients of intermediate results are known once
        ``backward(retain_graph=True)`` has left some in the leaves, for a result that is a single number.

    Raises
    ------
    ValueError
        If nothing was recorded, or if the tape was freed.
    """
    if tensor._node is None:
        raise ValueError(
            "nothing was recorded for this tensor: no parameter with requires_grad=True leads to it, or it was "
            "computed inside no_grad()"
        )
    nodes = _oldest_first(tensor._node)
    values = _kept(nodes)
    values[tensor._node] = tensor._value
    named: dict[Any, str] = {}  # by node, and by content for constant arrays, of which the tape holds copies
    for name, given in (labels or {}).items():
        node = getattr(given, "_node", None)
        named[_content(given) if node is None else node] = name
        if node is not None:
            values[node] = given._value
    gradients = _gradients(nodes)
    steps: dict[Any, TapeStep] = {}  # by node, and by content for constant arrays
    for node in nodes:
        op, parents = ("", []) if node.entry is None else _operation(node, steps, named)
        if node not in values and node.entry is not None and math.prod(node.shape) <= TINY:
            _compute_again(node, values)
        unknown = node if node.shape else "number"
        data = plain(values[node]) if node in values else unknown
        steps[node] = TapeStep(data, gradients.get(node), op, parents, named.get(node, ""), node)
    return steps[tensor._node]


def sent_back(step: TapeStep, gradient: Any) -> list[Any]:
    """What a step sends to each of its operands when a gradient arrives, by the rules of the table.

    Parameters
    ----------
    step : TapeStep
        A step that :func:`read_tape` found.
    gradient : array
        The gradient that arrives, in the shape of the step's value.

    Returns
    -------
    list
        An array in the shape of each operand in ``step.parents``; None for a constant.
    """
    node = step.node
    if node is None or node.entry is None:
        return []
    sent: list[Any] = []
    for position, (parent, value) in enumerate(zip(node.parents, node.values, strict=True)):
        if parent is not None:
            share = node.entry.vjp[position](gradient, node.out, *node.values, **(node.options or {}))
            sent.append(plain(share.spread(parent) if type(share) is Patch else fit(share, parent)))
        elif isinstance(value, np.ndarray) and node.entry.name != "getitem":
            sent.append(None)
    return sent


def _oldest_first(root: Node) -> list[Node]:
    found, waiting = {root}, [root]
    while waiting:
        node = waiting.pop()
        if node.entry is FREED:
            raise ValueError(
                "this graph was freed by a backward pass, so there is nothing left to draw; draw it before, or call "
                "backward(retain_graph=True) and draw it then, with gradients"
            )
        for parent in node.parents:
            if parent is not None and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=lambda node: -node.order)  # the order counts down


def _kept(nodes: list[Node]) -> dict[Node, Any]:
    """Values that the record keeps because a rule reads them."""
    values: dict[Node, Any] = {}
    for node in nodes:
        if node.entry is None:
            continue
        if node.out is not None and not node.entry.saves:
            values[node] = node.out
        for parent, value in zip(node.parents, node.values, strict=True):
            if parent is not None and type(value) is not Node:
                values[parent] = value
    return values


def _compute_again(node: Node, values: dict[Node, Any]) -> None:
    if all(parent is None or parent in values for parent in node.parents):
        known = [v if p is None else values[p] for p, v in zip(node.parents, node.values, strict=True)]
        out = node.entry.forward(*known, **(node.options or {}))
        values[node] = out[0] if node.entry.saves else out


def _gradients(nodes: list[Node]) -> dict[Node, Any]:
    """Gradients left by ``backward``; once there are some, also what passed through the other steps."""
    left = {node: node.grad for node in nodes if node.grad is not None}
    root = nodes[-1]
    if not left or root.shape or root.entry is None:
        return left
    watched = [node for node in nodes if not node.watched]
    for node in watched:
        node.watched = True
    try:
        passed = list(pull_back([(root, np.ones((), root.dtype))], retain_graph=True))
    finally:
        for node in watched:
            node.watched = False
    through = {at: plain(g) for at, g in passed}
    return {**{node: g for node, g in through.items() if node.entry is not None}, **left}


def _operation(node: Node, steps: dict[Any, TapeStep], named: Mapping[Any, str]) -> tuple[str, list[TapeStep]]:
    """Return what is written in a step, and its operands: arrays are operands, everything else is written."""
    name = SIGNS.get(node.entry.name, node.entry.name)
    options = node.options or {}
    parents, before, after = [], "", ""
    for position, (parent, value) in enumerate(zip(node.parents, node.values, strict=True)):
        if parent is not None:
            parents.append(steps[parent])
        elif isinstance(value, np.ndarray) and node.entry.name != "getitem":
            content = _content(value)
            parents.append(steps.setdefault(content, TapeStep(value, label=named.get(content, ""))))
        elif isinstance(value, (int, float)) and name in SIGNS.values():
            before, after = (f"{value:g}", "") if position == 0 else ("", f"{value:g}")
        else:
            after += f" {_short(value)}"
    if node.entry.name == "getitem":
        return f"[{_short(options['index'])}]", parents
    given = {key: value for key, value in options.items() if value is not None and value is not False}
    for key in SPOKEN_FOR:
        if key in given:
            after += f" {_short(given.pop(key))}"
    keywords = "".join(f" {key}={value}" for key, value in given.items())
    return before + name + after + keywords, parents


def _content(value: Any) -> Any:
    """Return what tells one constant array from another."""
    array = np.asarray(plain(value))
    return array.shape, array.dtype.str, array.tobytes()


def _short(value: Any) -> str:
    """Return an index, a shape or a dtype the way one writes it."""
    if isinstance(value, tuple):
        return ", ".join(_short(part) for part in value)
    if isinstance(value, slice):
        ends = ["" if end is None else str(end) for end in (value.start, value.stop)]
        return ":".join(ends) if value.step is None else ":".join([*ends, str(value.step)])
    if isinstance(value, np.ndarray):
        return "mask" if value.dtype == bool else "index"
    return "…" if value is Ellipsis else str(getattr(value, "__name__", value))
