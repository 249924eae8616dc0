"""The record of a computation, and the walk back along it.

The one idea: a result is always newer than what it was computed from. So the record needs no sorting and no recursion:
take the newest node that holds a gradient, send it to the parents by the table's vjp rules, forget it, repeat
(Linnainmaa 1970, Speelpenning 1980).

A node keeps only what its rules read; the rules say so in their parameters (see ``table.py``). For the rest the node
of the value stands in, which knows shape and dtype, so a large array that no rule reads is freed during the forward
pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush, heapreplace
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from . import catalogue  # noqa: F401  (fills the table)
from .primitives.indexing import Patch

__all__ = ["FREED", "Arrived", "Node", "fit", "pull_back"]

FREED: Any = "freed"
"""In place of a node's primitive once the backward pass has used it up."""


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
    inputs : sequence
        For each argument two items: its node (None for a constant), and its value if rules read it.
    kwargs : dict
        The keyword arguments.
    out : array or tuple
        The result, if rules read it.
    incoming : array or None
        The gradient collected so far, during a backward pass.
    watched : bool
        Whether the gradient of this intermediate result is wanted too.
    grad : array, Tensor or None
        What ``backward`` leaves for the user.
    """

    __slots__ = (
        "dtype", "entry", "grad", "incoming", "inputs", "kwargs", "order", "out", "shape", "traces", "watched",
    )  # fmt: skip

    dtype: np.dtype
    entry: Any
    grad: Any
    incoming: Any
    inputs: Sequence[Any]
    kwargs: dict[str, Any]
    order: int
    out: Any
    shape: tuple[int, ...]
    traces: int
    watched: bool

    @property
    def parents(self) -> Sequence[Node | None]:
        """The nodes of the arguments."""
        return self.inputs[::2]

    @property
    def ndim(self) -> int:
        """Number of axes of the value."""
        return len(self.shape)


class Arrived(NamedTuple):
    """A gradient that reached a leaf; ``fresh`` says that no one else holds the same array."""

    node: Node
    gradient: Any
    fresh: bool


def pull_back(
    seeds: list[tuple[Node, Any]], *, wanted: int = -1, create_graph: bool = False, retain_graph: bool | None = None
) -> list[Arrived]:
    """Send gradients from outputs to leaves.

    Parameters
    ----------
    seeds : list of (Node, array)
        Outputs, and the gradient that arrives at each.
    wanted : int
        Only follow nodes that depend on one of these differentiations.
    create_graph : bool
        Record the backward pass too.
    retain_graph : bool, optional
        Keep the record for another backward pass. Default: as ``create_graph``.

    Returns
    -------
    list of Arrived
        One entry per leaf, and per watched node.

    Raises
    ------
    RuntimeError
        If a part of the record was freed by an earlier backward pass.
    """
    retain_graph = create_graph if retain_graph is None else retain_graph
    everything = wanted == -1
    arrived: list[Arrived] = []
    leaves: list[Node] = []  # leaves that hold a gradient; they only collect
    newest: list[tuple[int, Node]] = []  # a heap of the other nodes that do
    ahead: Node | None = (
        None  # one more of them, outside the heap: where each step has one parent, the heap stays empty
    )
    sent: Any
    inputs: Any
    owned: set[int] = set()  # nodes whose gradient is our own array, which we may add to in place
    try:
        for node, g in seeds:
            if node.incoming is None:
                node.incoming = g
                if node.entry is None:
                    leaves.append(node)
                else:
                    heappush(newest, (node.order, node))
            else:
                node.incoming = node.incoming + g
        while ahead is not None or newest:
            if ahead is None:
                node = heappop(newest)[1]
            elif newest and newest[0][0] < ahead.order:
                node = heapreplace(newest, (ahead.order, ahead))[1]
            else:
                node = ahead
            ahead = None
            g, node.incoming = node.incoming, None
            entry = node.entry
            if node.watched:
                arrived.append(Arrived(node, g, node.order in owned))
            if entry is FREED:
                raise RuntimeError(
                    "this graph was freed by an earlier backward pass; call backward(retain_graph=True) the "
                    "first time if you need to go through it twice"
                )
            inputs, out = node.inputs, node.out
            if create_graph:
                inputs, out = _traced(node)
            if not retain_graph:
                node.entry = FREED
                node.inputs = node.out = None  # type: ignore[assignment]
            vjp, elementwise = entry.vjp, entry.elementwise
            # Most steps have one or two arguments, for which a loop would take twice as long.
            if len(inputs) == 2 and not node.kwargs:
                p = inputs[0]
                sent = ((p, vjp[0](g, out, inputs[1])),) if everything or p.traces & wanted else ()
            elif len(inputs) == 4 and not node.kwargs:
                p, q = inputs[0], inputs[2]
                if q is None or not (everything or q.traces & wanted):
                    reached = p is not None and (everything or p.traces & wanted)
                    sent = ((p, vjp[0](g, out, inputs[1], inputs[3])),) if reached else ()
                elif p is None or not (everything or p.traces & wanted):
                    sent = ((q, vjp[1](g, out, inputs[1], inputs[3])),)
                else:
                    sent = (
                        (p, vjp[0](g, out, inputs[1], inputs[3])),
                        (q, vjp[1](g, out, inputs[1], inputs[3])),
                    )
            else:
                sent = [
                    (p, rule(g, out, *inputs[1::2], **node.kwargs))
                    for p, rule in zip(inputs[::2], vjp)  # noqa: B905 (one rule may serve any number of arguments)
                    if p is not None and p.traces & wanted
                ]
            inputs = out = None  # no name may keep an array that is not needed any more
            for parent, gi in sent:
                before = parent.incoming
                like = node if elementwise else gi  # what such a rule returns has shape and dtype of the step's result
                if like.shape != parent.shape or like.dtype is not parent.dtype:
                    if type(gi) is Patch:
                        if parent.order in owned:
                            gi.add_to(before)
                            continue
                        gi = gi.spread(parent)
                    gi = fit(gi, parent)
                if before is None:  # the first gradient by reference
                    parent.incoming = gi
                    if parent.entry is not None:
                        if ahead is None:
                            ahead = parent
                        else:
                            heappush(newest, (parent.order, parent))
                        continue
                    leaves.append(parent)
                    # Users see a leaf's gradient, so it matters whether anybody else holds the same array.
                    if type(gi) is ndarray and gi is not g and gi.base is None:
                        owned.add(parent.order)
                elif parent.order in owned and type(gi) is ndarray:  # from the third on in place
                    before += gi
                else:  # the second makes a new array, and so does one that an outer differentiation follows
                    parent.incoming = total = before + gi
                    if type(total) is ndarray:
                        owned.add(parent.order)
                    else:
                        owned.discard(parent.order)
            sent = gi = before = None
        for leaf in leaves:
            g = leaf.incoming
            arrived.append(Arrived(leaf, g if g.dtype is leaf.dtype else fit(g, leaf), leaf.order in owned))
        return arrived
    finally:
        for node in [*leaves, *(node for _, node in newest), *([ahead] if ahead else [])]:
            node.incoming = None


def _traced(node: Node) -> tuple[list[Any], Any]:
    """Return a node's inputs and output with values as tensors on the record, so that what the rules do is recorded."""
    from .tensor import Tensor

    entry, parents = node.entry, node.inputs[::2]
    values = [
        value if parent is None or type(value) is Node else Tensor.on(value, parent)
        for parent, value in zip(parents, node.inputs[1::2], strict=True)
    ]
    if entry.saves:  # what the forward rule saved depends on its arguments too
        out = entry.forward(*values, **node.kwargs)
    else:
        out = node.out if type(node.out) is Node else Tensor.on(node.out, node)
    return [item for pair in zip(parents, values, strict=True) for item in pair], out


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
