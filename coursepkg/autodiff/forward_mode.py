"""Routes by forward mode: Jacobian-vector products, one or many at once, and the gradient that takes one per entry."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .dual import Dual
from .duals import Duals
from .entrywise import along, entrywise
from .traced import Traced, plain, tracing
from .trees import Function, Tree, differentiable, leaves_of, rebuild

__all__ = ["forward", "jvp", "jvps"]

_new = Dual.__new__


def jvp(f: Function, args: Any, tangents: Any) -> tuple[Any, Any]:
    """Push a direction through ``f``: its value and its directional derivative, without keeping anything.

    Parameters
    ----------
    f : callable
        A NumPy function of one tree. If ``args`` is a tuple and ``f`` takes several arguments, write
        ``jvp(lambda x: f(*x), args, tangents)``.
    args : tree
        The point.
    tangents : tree
        The direction, of the structure and shapes of the point.

    Returns
    -------
    value, tangent : arrays
        ``f(x)`` and the Jacobian-vector product.

    Examples
    --------
    >>> value, tangent = jvp(lambda x: x * x, np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    >>> tangent
    array([2., 2.])
    """
    with tracing() as bit:
        duals = []
        for leaf, tangent in zip(leaves_of(args), leaves_of(tangents), strict=True):
            dtype = leaf.dtype if type(leaf) is type(tangent) is ndarray else None
            if dtype is not None and dtype is tangent.dtype and leaf.shape == tangent.shape and dtype.kind in "fc":
                dual = _new(Dual)  # nothing to convert, most often
                dual.value, dual.tangent, dual.traces = leaf, tangent, bit
            else:
                leaf = differentiable(leaf)
                tangent = tangent if isinstance(tangent, Traced) else np.asarray(tangent)
                dual = Dual(leaf, tangent if tangent.dtype == leaf.dtype else tangent.astype(leaf.dtype), bit)
            duals.append(dual)
        outputs = f(rebuild(args, duals))
    if type(outputs) is Dual and outputs.traces == bit:  # one array, most often
        return outputs.value, outputs.tangent
    values, changes = [], []
    for output in leaves_of(outputs):
        if type(output) is Dual and output.traces == bit:
            values.append(output.value)
            changes.append(output.tangent)
        else:
            values.append(output)
            changes.append(np.zeros_like(output))
    return rebuild(outputs, values), rebuild(outputs, changes)


def jvps(f: Function, args: Any, tangents: Any) -> tuple[Any, Any]:
    """Push K directions through ``f`` in one run: its value and K directional derivatives.

    The same numbers as K calls of :func:`jvp`, but the values along the way are computed once, and each primitive
    handles all directions together. Memory grows with K; take many directions in chunks.

    Parameters
    ----------
    f : callable
        A NumPy function of one tree.
    args : tree
        The point.
    tangents : tree
        The directions: the structure of the point, each array of shape ``(K, *shape of the point's array)``.

    Returns
    -------
    value, tangents : arrays
        ``f(x)``, and the K Jacobian-vector products along a new first axis: shape ``(K, *value.shape)``.

    Raises
    ------
    ValueError
        If a tangent has another shape, or the arrays have different numbers of directions.

    Examples
    --------
    >>> value, tangents = jvps(lambda x: x * x, np.array([1.0, 2.0]), np.array([[1.0, 0.5], [0.0, 1.0], [1.0, 1.0]]))
    >>> tangents
    array([[2., 2.],
           [0., 4.],
           [2., 4.]])
    """
    points, stacks = leaves_of(args), leaves_of(tangents)
    counts = {np.shape(t)[:1] for t in stacks}
    if len(counts) > 1 or () in counts:
        raise ValueError(
            "every array of tangents needs the same number of directions as its first axis; got shapes "
            f"{', '.join(str(np.shape(t)) for t in stacks)}"
        )
    with tracing() as bit:
        traced = []
        for leaf, stack in zip(map(differentiable, points), stacks, strict=True):
            stack = stack if isinstance(stack, Traced) else np.asarray(stack)
            traced.append(Duals(leaf, stack if stack.dtype == leaf.dtype else stack.astype(leaf.dtype), bit))
        outputs = f(rebuild(args, traced))
    values, changes = [], []
    for output in leaves_of(outputs):
        if type(output) is Duals and output.traces == bit:
            values.append(output.value)
            changes.append(output.tangents)
        else:
            values.append(output)
            changes.append(np.zeros((*next(iter(counts)), *np.shape(output)), np.asarray(plain(output)).dtype))
    return rebuild(outputs, values), rebuild(outputs, changes)


def forward(f: Function) -> Function:
    """Return the gradient of ``f`` by forward mode: one run of ``f`` per entry of ``x``, and no memory of the past.

    That is what the route costs, and :func:`~coursepkg.gradients.compare` counts it. Where the number of runs matters
    more, :func:`jvps` shares one between many directions.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure, shapes and dtypes of ``x``.

    Raises
    ------
    ValueError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> forward(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    def slope(g: Function, tree: Tree, which: int, entry: tuple[int, ...], unit: complex) -> Any:
        return jvp(g, tree, rebuild(tree, along(leaves_of(tree), which, entry, unit)))[1]

    return entrywise(f, slope)
