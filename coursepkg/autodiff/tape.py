"""The record of a computation, and the walk back along it.

The one idea: a result is always newer than what it was computed from. So the record needs no sorting and no recursion:
take the newest node that holds a gradient, send it to the parents by the table's vjp rules, forget it, repeat
(Linnainmaa 1970, Speelpenning 1980).

A node keeps only what its rules read; the rules say so in their parameters (see ``table.py``). For the rest the node
of the value stands in, which knows shape and dtype, so a large array that no rule reads is freed during the forward
pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush, heapreplace
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from . import catalogue  # noqa: F401  (fills the table)
from .primitives.indexing import Patch
from .references import ATTRIBUTE, IN_A_PAIR, NAME

__all__ = ["ALONE", "FREED", "Node", "fit", "pull_back"]

FREED: Any = "freed"
"""In place of a node's primitive once the backward pass has used it up."""

ALONE: Any = "alone"
"""In place of further arguments, for a step that has only one."""


class Node:
    """A leaf, or one step of the computation: which primitive, from which nodes, with which values.

    Most steps have one to three arguments. They stand in attributes of their own: a tuple of them would be one more
    object for Python's garbage collector to look after, which costs more than it tidies up.

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
    p, x
        The first argument: its node (None for a constant), and its value, or the node again if no rule reads the value.
    q, y
        The second one.
    call : ALONE, None or tuple
        ALONE and None for one argument and for two; node and value of a third one. With more arguments, or keywords,
        instead of all this: nodes, values and keywords.
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
        "call", "dtype", "entry", "grad", "incoming", "order", "out", "p", "q", "shape", "traces", "watched", "x", "y",
    )  # fmt: skip

    call: Any
    dtype: np.dtype
    entry: Any
    grad: Any
    incoming: Any
    order: int
    out: Any
    p: Node | None
    q: Node | None
    shape: tuple[int, ...]
    traces: int
    watched: bool
    x: Any
    y: Any

    def arguments(self) -> tuple[Sequence[Node | None], Sequence[Any], dict[str, Any]]:
        """Return nodes, values and keywords of the call, for any number of arguments."""
        call = self.call
        if call is ALONE:
            return (self.p,), (self.x,), {}
        if call is None:
            return (self.p, self.q), (self.x, self.y), {}
        return call if len(call) == 3 else ((self.p, self.q, call[0]), (self.x, self.y, call[1]), {})

    @property
    def parents(self) -> Sequence[Node | None]:
        """The nodes of the arguments."""
        return () if self.entry is None or self.entry is FREED else self.arguments()[0]

    @property
    def ndim(self) -> int:
        """Number of axes of the value."""
        return len(self.shape)


def pull_back(
    seeds: list[tuple[Node, Any]], *, wanted: int = -1, create_graph: bool = False, retain_graph: bool | None = None
) -> Iterator[tuple[Node, Any]]:
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

    Yields
    ------
    Node, array
        Each watched node and, at the end, each leaf, with its gradient. Others may hold the same array.

    Raises
    ------
    RuntimeError
        If a part of the record was freed by an earlier backward pass.
    """
    retain_graph = create_graph if retain_graph is None else retain_graph
    all_ = wanted == -1  # every node depends on some differentiation, so there is no need to look
    leaves: list[Node] = []  # leaves that hold a gradient; they only collect
    newest: list[tuple[int, Node]] = []  # a heap of the other nodes that do
    ahead: Node | None = None  # one more of them, outside the heap, which stays empty where each step has one parent
    node: Any
    like: Any
    sent: Any
    x: Any
    y: Any
    z: Any
    try:
        for node, g in seeds:
            if node.incoming is not None:
                node.incoming = node.incoming + g
                continue
            node.incoming = g
            if node.entry is None:
                leaves.append(node)
            elif ahead is None:
                ahead = node
            else:
                heappush(newest, (node.order, node))
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
            if entry is FREED:
                raise RuntimeError(
                    "this graph was freed by an earlier backward pass; call backward(retain_graph=True) the "
                    "first time if you need to go through it twice"
                )
            if node.watched:
                yield node, g
            call, out = node.call, node.out
            if create_graph:
                sent = _send(entry, wanted, g, *_traced(node))
            elif call is None:
                p, q, vjp = node.p, node.q, entry.vjp
                x, y = node.x, node.y
                if q is None or not (all_ or q.traces & wanted):
                    sent = ((p, vjp[0](g, out, x, y)),) if p is not None and (all_ or p.traces & wanted) else ()
                elif p is None or not (all_ or p.traces & wanted):
                    sent = ((q, vjp[1](g, out, x, y)),)
                else:
                    sent = (p, vjp[0](g, out, x, y)), (q, vjp[1](g, out, x, y))
            elif call is ALONE:
                p, x = node.p, node.x
                if not (all_ or p.traces & wanted):
                    sent = ()
                elif entry.slope is None:
                    sent = ((p, entry.vjp[0](g, out, x)),)
                else:
                    slope = entry.slope(out, x)
                    # The product goes into an array that nobody else holds, if there is one.
                    if type(g) is not ndarray or type(slope) is not ndarray:
                        g = g * slope
                    elif getrefcount(g) == NAME and g.base is None:
                        g *= slope
                    elif getrefcount(slope) == NAME and slope.base is None and slope.dtype is g.dtype:
                        g = np.multiply(g, slope, slope)
                    else:
                        g = g * slope
                    sent = ((p, g),)
                    g = slope = None
            elif len(call) == 3:
                sent = _send(entry, wanted, g, out, *call)
            else:
                p, q, vjp = node.p, node.q, entry.vjp
                x, y, sent = node.x, node.y, []
                r, z = call
                if r is not None and (all_ or r.traces & wanted):
                    sent.append((r, vjp[2](g, out, x, y, z)))
                if q is not None and (all_ or q.traces & wanted):
                    sent.append((q, vjp[1](g, out, x, y, z)))
                if p is not None and (all_ or p.traces & wanted):
                    sent.append((p, vjp[0](g, out, x, y, z)))
            if not retain_graph:
                node.entry = FREED
                node.out = node.call = node.p = node.q = node.x = node.y = None
            call = out = x = y = z = None  # no name may keep an array that is not needed any more
            for parent, gi in sent:
                like = node if entry.elementwise else gi  # what such a rule returns is like the step's result
                if like.shape != parent.shape or like.dtype is not parent.dtype:
                    if type(gi) is Patch:
                        before = parent.incoming
                        if type(before) is ndarray and getrefcount(before) == ATTRIBUTE and before.base is None:
                            gi.add_to(before)
                            continue
                        gi = gi.spread(parent)
                    gi = fit(gi, parent)
                before = parent.incoming
                if before is None:  # the first gradient by reference
                    parent.incoming = gi
                    if parent.entry is None:
                        leaves.append(parent)
                    elif ahead is None:
                        ahead = parent
                    else:
                        heappush(newest, (parent.order, parent))
                    continue
                # A further one is added in place, to an array that nobody else holds if either is one.
                like = None  # it may be the gradient, too
                if type(before) is not ndarray or type(gi) is not ndarray:
                    parent.incoming = before + gi
                elif getrefcount(before) == ATTRIBUTE and before.base is None:
                    before += gi
                elif getrefcount(gi) == IN_A_PAIR and gi.base is None:
                    parent.incoming = np.add(before, gi, gi)
                else:
                    parent.incoming = before + gi
            sent = gi = before = like = None
        for leaf in leaves:
            g, leaf.incoming = leaf.incoming, None
            yield leaf, g if g.dtype is leaf.dtype else fit(g, leaf)
    except BaseException:  # of a rule, or of whoever takes what is yielded: no gradient may stay behind
        for node in [*leaves, *(node for _, node in newest), *([ahead] if ahead else [])]:
            node.incoming = None
        raise


def _send(
    entry: Any, wanted: int, g: Any, out: Any, parents: Sequence[Node | None], values: Sequence[Any], kwargs: Any
) -> list[tuple[Node, Any]]:
    """Run the rules of a call with any number of arguments, or keywords."""
    return [
        (p, rule(g, out, *values, **kwargs))
        for p, rule in zip(parents, entry.vjp)  # noqa: B905 (one rule may serve any number of arguments)
        if p is not None and p.traces & wanted
    ]


def _traced(node: Node) -> tuple[Any, Sequence[Node | None], list[Any], dict[str, Any]]:
    """Return a node's output and call with values as tensors on the record, so that what the rules do is recorded."""
    from .tensor import Tensor

    entry, out = node.entry, node.out
    parents, given, kwargs = node.arguments()
    values = [
        value if parent is None or type(value) is Node else Tensor.on(value, parent)
        for parent, value in zip(parents, given, strict=True)
    ]
    if entry.saves:  # what the forward rule saved depends on its arguments too
        return entry.forward(*values, **kwargs), parents, values, kwargs
    return out if type(out) is Node else Tensor.on(out, node), parents, values, kwargs


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
