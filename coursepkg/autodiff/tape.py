"""The tape of a computation, and the walk back along it.

The one idea: a result is always newer than what it was computed from. So the tape needs no sorting and no recursion:
take the newest node that a gradient has reached, send the gradient to its parents by the table's vjp rules, forget it,
repeat (Linnainmaa 1970, Speelpenning 1980).

A node keeps only what its rules read (see ``table.py``). In place of anything else stands the node of that value,
which knows shape and dtype, so a large array that no rule reads is freed during the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy import ndarray

from .primitives.indexing import Patch
from .traced import ORDER, Traced

__all__ = ["EVERY", "FREED", "LENT", "Node", "fit", "leaf_node", "pull_back"]

FREED: Any = "freed"
"""In place of a node's primitive once the backward pass has used it up."""

LENT = 1
"""Among the holders of a leaf's array: whoever got it from the tensor. (Steps have negative orders.)"""

EVERY = -1
"""As ``wanted``: follow every differentiation."""

Arrived = dict[int, tuple["Node", Any, bool]]  # by order: node, gradient so far, whether a rule has just made that


class Node:
    """A leaf, or one step of the computation: which primitive, from which nodes, with which values.

    Attributes
    ----------
    shape, dtype
        Those of the value that the node stands for.
    order : int
        When it was made, counting down: the newest comes first in a heap.
    traces : int
        The differentiations it depends on, as bits.
    entry : Primitive, None or FREED
        None for a leaf.
    parents : sequence of Node or None
        The nodes of the operands; None for a constant.
    values : sequence
        Their values, or the node again if no rule reads the value.
    options : dict or None
        The keywords of the call, if there are any.
    out : array or None
        The result, if rules read it, or what the forward rule saved for them.
    watched : bool
        Whether the gradient of this intermediate result is wanted too.
    grad : array, Tensor or None
        What ``backward`` leaves for the user.
    holders : set
        Of a leaf: who holds its array besides, as the orders of the steps that keep it, and ``LENT`` once it was handed
        out. An update may write into the array only if nobody does.
    """

    __slots__ = (
        "dtype", "entry", "grad", "holders", "options", "order", "out", "parents", "shape", "traces", "values",
        "watched",
    )  # fmt: skip

    dtype: np.dtype
    entry: Any
    grad: Any
    holders: set[int]
    options: dict[str, Any] | None
    order: int
    out: Any
    parents: Sequence[Node | None]
    shape: tuple[int, ...]
    traces: int
    values: Sequence[Any]
    watched: bool

    @property
    def ndim(self) -> int:
        """Number of axes of the value."""
        return len(self.shape)

    def free(self) -> None:
        """Let go of everything that the step keeps."""
        self.entry, self.parents, self.values, self.options, self.out = FREED, (), (), None, None


def leaf_node(value: Any, traces: int) -> Node:
    """Make the node of a leaf."""
    node = Node()
    node.entry = node.grad = node.options = node.out = None
    node.parents, node.values, node.holders = (), (), set()
    node.shape, node.dtype, node.traces, node.order, node.watched = value.shape, value.dtype, traces, next(ORDER), False
    return node


def pull_back(
    seeds: Sequence[tuple[Node, Any]],
    *,
    wanted: int = EVERY,
    retain_graph: bool = False,
    on_tape: Callable[[Any, Node], Any] | None = None,
) -> Iterator[tuple[Node, Any]]:
    """Send gradients from outputs to leaves.

    Parameters
    ----------
    seeds : sequence of (Node, array)
        Outputs, and the gradient that arrives at each.
    wanted : int
        Only follow nodes that depend on one of these differentiations.
    retain_graph : bool
        Keep the tape for another backward pass.
    on_tape : callable, optional
        Joins a value and its node. If given, the rules run on such values, so that what they do is recorded too.

    Yields
    ------
    Node, array
        Each watched node and each leaf with its gradient, newest first: dL/d(real) + i dL/d(imag) for complex values.
        Nobody else holds the array.

    Raises
    ------
    RuntimeError
        If a part of the tape was freed by an earlier backward pass.
    """
    arrived: Arrived = {}
    newest: list[int] = []  # a heap of the orders of the nodes that a gradient has reached
    for node, g in seeds:
        deliver(node, g, False, arrived, newest)
    while newest:
        node, g, made = arrived.pop(heappop(newest))
        entry = node.entry
        if entry is None or node.watched:
            ours = made and type(g) is ndarray and g.base is None and not node.watched
            yield node, g if ours and node.dtype.kind != "c" else handed_out(node, g)
            if entry is None:
                continue
        if entry is FREED:
            raise RuntimeError(
                "this graph was freed by an earlier backward pass; call backward(retain_graph=True) the first time if "
                "you need to go through it twice"
            )
        rules, elementwise, options = entry.vjp, entry.elementwise, node.options
        out, values = (node.out, node.values) if on_tape is None else _traced(node, on_tape)
        if made and entry.onto is not None and type(g) is ndarray and g.base is None and on_tape is None:
            rules = (entry.onto,)  # nobody else needs g
        for i, parent in enumerate(node.parents):
            if parent is None or not parent.traces & wanted:
                continue
            gi = rules[i](g, out, *values) if options is None else rules[i](g, out, *values, **options)
            # What a rule for single entries returns is like the step's result.
            like = node if elementwise else gi
            if (like.shape != parent.shape or like.dtype is not parent.dtype) and type(gi) is not Patch:
                gi = like = fit(gi, parent)  # under no name any more is what the rule returned: it may be large
            order, fresh = parent.order, gi is not g or rules is not entry.vjp
            if order in arrived or type(gi) is Patch:
                deliver(parent, gi, fresh, arrived, newest)
            else:  # the first one, most often
                arrived[order] = parent, gi, fresh
                heappush(newest, order)
            if parent.entry is None and not retain_graph:
                parent.holders.discard(node.order)
        if not retain_graph:
            node.free()


def deliver(node: Node, g: Any, made: bool, arrived: Arrived, newest: list[int]) -> None:
    """Add a gradient to what has arrived at a node.

    An array that a rule has just made is ours to write into, and so is a sum. The one that the rule was handed, or a
    view, is not: somebody else may look at the same memory.
    """
    order = node.order
    before = arrived.get(order)
    if before is None:
        arrived[order] = (node, g, made) if type(g) is not Patch else (node, g.spread(node), True)
        heappush(newest, order)
        return
    _, total, ours = before
    writable = ours and type(total) is ndarray and total.base is None
    if type(g) is Patch:
        if writable:
            g.add_to(total)
            return
        g, made = g.spread(node), True
    if writable and type(g) is ndarray:
        total += g
    elif made and type(g) is ndarray and g.base is None and type(total) is ndarray:
        g += total
        arrived[order] = node, g, True
    else:
        arrived[order] = node, total + g, True


def handed_out(node: Node, g: Any) -> Any:
    """Return a gradient as users get it: conjugated if it is complex, and an array that nobody else holds."""
    if isinstance(g, Traced):
        return np.conj(g) if node.dtype.kind == "c" else g
    return np.array(np.conj(g))


def _traced(node: Node, on_tape: Callable[[Any, Node], Any]) -> tuple[Any, list[Any]]:
    """Return what a node's rules read, on the tape."""
    entry, given, options = node.entry, node.values, node.options or {}
    if entry.saves and any(type(value) is Node for value in given):
        if entry.recover is None:
            raise NotImplementedError(
                f"{entry.name} has no second derivative: the tape did not keep what it would take; write the step with "
                "other functions for backward(create_graph=True)"
            )
        given = entry.recover(node.out, *given, **options)
    values = [
        value if parent is None or type(value) is Node else on_tape(value, parent)
        for parent, value in zip(node.parents, given, strict=True)
    ]
    if entry.saves:  # what the forward rule saved depends on its operands too
        return entry.forward(*values, **options)[1], values
    return None if node.out is None else on_tape(node.out, node), values


def fit(g: Any, like: Any) -> Any:
    """Bring a gradient to the shape and dtype of the value it belongs to.

    A broadcast copies forward, so it sums backward; a real value takes the real part; a float32 value takes float32.

    Parameters
    ----------
    g : array
        The gradient.
    like : Node or array
        Anything with a shape and a dtype.

    Returns
    -------
    array
        The gradient, summed, spread and cast.
    """
    shape = like.shape
    if g.shape != shape:
        # np.add.reduce is np.sum without the wrapper, which takes longer than the sum of a small array.
        extra = g.ndim - len(shape)
        if extra == 1:  # a bias, most often
            g = np.add.reduce(g, axis=0)
        elif extra > 1:
            g = np.add.reduce(g, axis=tuple(range(extra)))
        if g.shape != shape:
            aligned = shape[len(shape) - g.ndim :]
            copied = tuple(i for i, n in enumerate(g.shape) if n != 1 and aligned[i] == 1)
            if copied:
                g = np.add.reduce(g, axis=copied, keepdims=True)
            if g.shape != shape:
                g = np.broadcast_to(g, shape)
    if g.dtype != like.dtype:
        if g.dtype.kind == "c" and like.dtype.kind != "c":
            g = np.real(g)
        g = g.astype(like.dtype)
    return g
