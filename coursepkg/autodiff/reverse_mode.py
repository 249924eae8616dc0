"""Routes by reverse mode: a vector-Jacobian product, and the gradient that a single one gives.

One forward pass records, one backward pass collects: the whole gradient costs a few times the function, however many
entries it has (Baur and Strassen 1983).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arguments import beside, outside, split
from .primitives.shaping import converted
from .tape import pull_back
from .tensor import Tensor, enable_grad, kept
from .traced import tracing
from .trees import Function, Tree, leaves_of, numbers_of, paired, rebuild, scalar_of

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
    """Return what is left of an output outside the differentiation: plain, a copy, because the tape may read it yet."""
    if type(output) is Tensor and output.traces & bit:
        return output if output.traces & (bit - 1) else kept(output._value)
    return output


def vjp(f: Function, *args: Any, has_aux: bool = False, **kwargs: Any) -> tuple[Any, ...]:
    """Run ``f`` once and return its value with a function that pulls gradients back.

    Parameters
    ----------
    f : callable
        A NumPy function.
    *args : trees
        The point: all of them are differentiated.
    has_aux : bool
        ``f`` returns a pair ``(value, aux)``; the second part is not differentiated and comes back as a third.
    **kwargs
        Passed on to ``f``, not differentiated.

    Returns
    -------
    value : array or tree of arrays
        ``f(x)``.
    pull : callable
        ``pull(g)`` is the vector-Jacobian product for ``g`` of the structure and shapes of ``value``. It can be called
        again. Writing into the point or into the value in between changes nothing.
    aux : object
        Only with ``has_aux``.

    Examples
    --------
    >>> value, pull = vjp(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    >>> pull(np.array([1.0, 0.0, 10.0]))
    array([ 2.,  0., 60.])
    """
    run, tree = split(f, args, kwargs)
    tree = rebuild(tree, [kept(leaf) for leaf in leaves_of(tree)])
    with enable_grad(), tracing() as bit:
        started = _start(tree, bit)
        outputs, aux = beside(run(rebuild(tree, started)), f, has_aux)
    leaves = numbers_of(outputs, f, tree)

    def pull(g: Any) -> Tree:
        pairs = zip(leaves, paired(outputs, g, ("f(x)", "the gradient to pull back")), strict=True)
        seeds = [(o._node, o._seed(seed)) for o, seed in pairs if type(o) is Tensor and o.traces & bit]
        return rebuild(tree, _finish(started, seeds, bit, retain_graph=True))

    value = outside(outputs, lambda leaf: _value(leaf, bit))
    return (value, pull, outside(aux, lambda leaf: _value(leaf, bit))) if has_aux else (value, pull)


def value_and_gradient(
    f: Function, argnums: int | tuple[int, ...] | None = None, has_aux: bool = False
) -> Callable[..., tuple[Any, Tree]]:
    """Return a function that gives ``f(x)`` and its gradient together, by one forward and one backward pass.

    Parameters
    ----------
    f, argnums, has_aux
        As for :func:`reverse`.

    Returns
    -------
    callable
        ``x -> (value, gradient)``; with ``has_aux`` ``x -> ((value, aux), gradient)``.
    """

    def both(*args: Any, **kwargs: Any) -> tuple[Any, Tree]:
        run, tree = split(f, args, kwargs, argnums)
        with enable_grad(), tracing() as bit:
            started = _start(tree, bit)
            output, aux = beside(run(rebuild(tree, started)), f, has_aux)
            scalar_of(output, f)
        seeds = [(output._node, output._seed(None))] if type(output) is Tensor and output.traces & bit else []
        value = _value(output, bit)
        if has_aux:
            value = value, outside(aux, lambda leaf: _value(leaf, bit))
        return value, rebuild(tree, _finish(started, seeds, bit, retain_graph=False))

    return both


def reverse(f: Function, argnums: int | tuple[int, ...] | None = None, has_aux: bool = False) -> Function:
    """Return the gradient of ``f`` by reverse mode (backpropagation): two passes, however many entries x has.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    argnums : int, tuple of int or None
        Positions of the arguments to differentiate by. None: all that are given by position.
    has_aux : bool
        ``f`` returns a pair ``(value, aux)``, of which the second part is not differentiated.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure, shapes and dtypes of ``x``; a tuple for several arguments. For complex
        ``x``, dL/d(real) + i dL/d(imag). Keyword arguments reach ``f`` as they are. With ``has_aux``, ``x -> (gradient,
        aux)``.

    Raises
    ------
    ValueError, TypeError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> reverse(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    both = value_and_gradient(f, argnums, has_aux)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient
