"""Routes by reverse mode: a vector-Jacobian product, and the gradient that a single one gives.

One forward pass records, one backward pass collects: the whole gradient costs a few times the function, however many
entries it has (Baur and Strassen 1983).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .primitives.shaping import converted
from .tape import pull_back
from .tensor import Tensor, enable_grad
from .traced import tracing
from .trees import Function, Tree, call_with, leaves_of, point_of, rebuild, scalar_of

__all__ = ["reverse", "value_and_gradient", "vjp"]


def _start(tree: Tree, bit: int) -> list[Tensor]:
    """Wrap the leaves. A tensor of an outer differentiation is linked to, so that it can be differentiated again."""
    started = []
    for leaf in leaves_of(tree):
        if type(leaf) is Tensor and leaf.traces:
            inner = converted(leaf, leaf.dtype)
            inner._node.traces |= bit
            inner._node.watched = True
        else:
            inner = Tensor.leaf(leaf._value if type(leaf) is Tensor else leaf, bit)
        started.append(inner)
    return started


def _finish(started: list[Tensor], seeds: list[tuple[Any, Any]], bit: int, retain_graph: bool) -> list[Any]:
    """Run the backward pass and return one gradient per leaf, zeros where none arrived."""
    outer = any(node.traces & (bit - 1) for node, _ in seeds)  # then the backward pass is differentiated again
    with enable_grad():
        steps = pull_back(seeds, wanted=bit, retain_graph=retain_graph or outer, on_tape=Tensor.on if outer else None)
        gradients = dict(steps)
    return [gradients[leaf._node] if leaf._node in gradients else np.zeros(leaf.shape, leaf.dtype) for leaf in started]


def _value(output: Any, bit: int) -> Any:
    """Return what is left of an output outside the differentiation."""
    if type(output) is Tensor and output.traces & bit:
        return output if output.traces & (bit - 1) else output._value
    return output


def vjp(f: Function, *args: Any) -> tuple[Any, Callable[[Any], Tree]]:
    """Run ``f`` once and return its value with a function that pulls gradients back.

    Parameters
    ----------
    f : callable
        A NumPy function of one tree, or of several arrays.
    *args : arrays
        The point.

    Returns
    -------
    value : array or tuple of arrays
        ``f(x)``.
    pull : callable
        ``pull(g)`` is the vector-Jacobian product for ``g`` of the structure of ``value``; it can be called again.

    Examples
    --------
    >>> value, pull = vjp(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    >>> pull(np.array([1.0, 0.0, 10.0]))
    array([ 2.,  0., 60.])
    """
    tree, single = point_of(args)
    with enable_grad(), tracing() as bit:
        started = _start(tree, bit)
        outputs = call_with(f, rebuild(tree, started), single)

    def pull(g: Any) -> Tree:
        seeds = []
        for output, seed in zip(leaves_of(outputs), leaves_of(g), strict=True):
            if type(output) is Tensor and output.traces & bit:
                seeds.append((output._node, output._seed(seed)))
        return rebuild(tree, _finish(started, seeds, bit, retain_graph=True))

    return rebuild(outputs, [_value(o, bit) for o in leaves_of(outputs)]), pull


def value_and_gradient(f: Function) -> Callable[..., tuple[Any, Tree]]:
    """Return a function that gives ``f(x)`` and its gradient together, by one forward and one backward pass.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.

    Returns
    -------
    callable
        ``x -> (value, gradient)``.
    """

    def both(*args: Any) -> tuple[Any, Tree]:
        tree, single = point_of(args)
        with enable_grad(), tracing() as bit:
            started = _start(tree, bit)
            output = scalar_of(call_with(f, rebuild(tree, started), single), f)
        if type(output) is not Tensor or not output.traces & bit:
            zeros = [np.zeros(leaf.shape, leaf.dtype) for leaf in started]
            return output, rebuild(tree, zeros)
        value = _value(output, bit)
        return value, rebuild(tree, _finish(started, [(output._node, output._seed(None))], bit, retain_graph=False))

    return both


def reverse(f: Function) -> Function:
    """Return the gradient of ``f`` by reverse mode (backpropagation): two passes, however many entries x has.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure, shapes and dtypes of ``x``; for complex ``x``, dL/d(real) + i dL/d(imag).

    Raises
    ------
    ValueError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> reverse(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    both = value_and_gradient(f)
    return lambda *args: both(*args)[1]
