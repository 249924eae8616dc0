"""Routes by forward mode: a Jacobian-vector product, and the gradient that takes one of them per entry."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dispatch import Traced, tracing
from .dual import Dual
from .entrywise import along, entrywise
from .trees import Function, Tree, differentiable, leaves_of, rebuild

__all__ = ["forward", "jvp"]


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
        for leaf, tangent in zip(map(differentiable, leaves_of(args)), leaves_of(tangents), strict=True):
            tangent = tangent if isinstance(tangent, Traced) else np.asarray(tangent)
            if tangent.dtype != leaf.dtype:
                tangent = tangent.astype(leaf.dtype)
            duals.append(Dual(leaf, tangent, bit))
        outputs = f(rebuild(args, duals))
    values, changes = [], []
    for output in leaves_of(outputs):
        if type(output) is Dual and output.traces == bit:
            values.append(output.value)
            changes.append(output.tangent)
        else:
            values.append(output)
            changes.append(np.zeros_like(output))
    return rebuild(outputs, values), rebuild(outputs, changes)


def forward(f: Function) -> Function:
    """Return the gradient of ``f`` by forward mode: one run of ``f`` per entry of ``x``, and no memory of the past.

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
