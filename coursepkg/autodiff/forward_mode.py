"""Routes by forward mode: Jacobian-vector products, one or many at once, and the gradient that takes one per entry."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import beside, outside, pushed, split
from .dual import Dual
from .dual_stack import DualStack
from .entrywise import along, entrywise
from .traced import plain, tracing
from .trees import Function, Tree, leaves_of, numbers_of, paired, rebuild, scalar_of

__all__ = ["forward", "jvp", "jvps"]

_new = Dual.__new__


def jvp(f: Function, *args: Any, has_aux: bool = False, **kwargs: Any) -> tuple[Any, ...]:
    """Push a direction through ``f``: its value and its directional derivative, without keeping anything.

    Parameters
    ----------
    f : callable
        A NumPy function.
    *args : trees
        The arguments of ``f``, and last the direction: ``jvp(f, x, t)``, or ``jvp(f, x, y, (s, t))`` for several
        arguments. The direction has the structure and shapes of the gradient: those of the argument, or a tuple with
        one part for each. (JAX writes ``jvp(f, (x, y), (s, t))``. Here that is a function of one tuple.)
    has_aux : bool
        ``f`` returns a pair ``(value, aux)``; the second part is not differentiated and comes back as a third.
    **kwargs
        Passed on to ``f``, not differentiated.

    Returns
    -------
    value, tangent : arrays
        ``f(x)`` and the Jacobian-vector product, both in the structure of what ``f`` returns.
    aux : object
        Only with ``has_aux``.

    Raises
    ------
    ValueError
        If the direction has not the structure and the shapes of the point.
    TypeError
        If ``f`` returns something that is no number.

    Examples
    --------
    >>> value, tangent = jvp(lambda x: x * x, np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    >>> tangent
    array([2., 2.])
    >>> jvp(lambda x, y: x * y, 3.0, 5.0, (1.0, 10.0))
    (array(15.), array(35.))
    """
    run, tree, tangents = pushed("jvp", f, args, kwargs)
    with tracing() as bit:
        duals = []
        for leaf, tangent in zip(leaves_of(tree), paired(tree, tangents, ("x", "the direction")), strict=True):
            dual = _new(Dual)
            dual.value, dual.traces = leaf, bit
            dual.tangent = tangent if tangent.dtype is leaf.dtype else tangent.astype(leaf.dtype)
            duals.append(dual)
        outputs, aux = beside(run(rebuild(tree, duals)), f, has_aux)

    given = [*leaves_of(tree), *(dual.tangent for dual in duals)]

    def value(leaf: Any) -> Any:
        return _own(leaf.value, given) if type(leaf) is Dual and leaf.traces == bit else leaf

    if type(outputs) is Dual and outputs.traces == bit:  # one array, most often
        found = _own(outputs.value, given), _own(outputs.tangent, given)
    else:
        changes = [
            _own(output.tangent, given) if type(output) is Dual and output.traces == bit else np.zeros_like(output)
            for output in numbers_of(outputs, f, tree)
        ]
        found = outside(outputs, value), rebuild(outputs, changes)
    return (*found, outside(aux, value)) if has_aux else found


def _own(array: Any, given: list[Any]) -> Any:
    """Return an array that is the caller's to write into: a copy where it is one of the given ones, or a view."""
    if type(array) is not np.ndarray or (array.base is None and not any(array is other for other in given)):
        return array
    return array.copy()


def jvps(f: Function, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Push K directions through ``f`` in one run: its value and K directional derivatives.

    The same numbers as K calls of :func:`jvp`, but the values along the way are computed once, and each primitive
    handles all directions together. Memory grows with K; take many directions in chunks.

    Parameters
    ----------
    f : callable
        A NumPy function.
    *args : trees
        The arguments of ``f``, and last the directions: ``jvps(f, x, t)``, or ``jvps(f, x, y, (s, t))``. The
        directions have the structure of the point, each array the shape ``(K, *shape of the point's array)``.
    **kwargs
        Passed on to ``f``, not differentiated.

    Returns
    -------
    value, tangents : arrays
        ``f(x)``, and the K Jacobian-vector products along a new first axis: shape ``(K, *value.shape)``.

    Raises
    ------
    ValueError
        If the directions have another structure or shape, or the arrays have different numbers of directions.
    TypeError
        If ``f`` returns something that is no number.

    Examples
    --------
    >>> value, tangents = jvps(lambda x: x * x, np.array([1.0, 2.0]), np.array([[1.0, 0.5], [0.0, 1.0], [1.0, 1.0]]))
    >>> tangents
    array([[2., 2.],
           [0., 4.],
           [2., 4.]])
    """
    run, tree, tangents = pushed("jvps", f, args, kwargs)
    stacks = paired(tree, tangents, ("x", "the directions"), stacked=True)
    counts = {np.shape(t)[:1] for t in stacks}
    if len(counts) != 1 or () in counts:
        raise ValueError(
            "every array of tangents needs the same number of directions as its first axis; got shapes "
            f"{', '.join(str(np.shape(t)) for t in stacks) or 'of no array at all'}"
        )
    with tracing() as bit:
        traced = [
            DualStack(leaf, stack if stack.dtype == leaf.dtype else stack.astype(leaf.dtype), bit)
            for leaf, stack in zip(leaves_of(tree), stacks, strict=True)
        ]
        outputs = run(rebuild(tree, traced))
    values, changes = [], []
    for output in numbers_of(outputs, f, tree):
        if type(output) is DualStack and output.traces == bit:
            values.append(output.value)
            changes.append(output.tangents)
        else:
            values.append(output)
            changes.append(np.zeros((*next(iter(counts)), *np.shape(output)), np.asarray(plain(output)).dtype))
    return rebuild(outputs, values), rebuild(outputs, changes)


def forward(f: Function, argnums: int | tuple[int, ...] | None = None) -> Function:
    """Return the gradient of ``f`` by forward mode: one run of ``f`` per entry of ``x``, and no memory of the past.

    That is what the route costs, and :func:`~coursepkg.gradients.compare` counts it. Where the number of runs matters
    more, :func:`jvps` shares one between many directions.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    argnums : int, tuple of int or None
        As for :func:`~coursepkg.gradients.reverse`.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure, shapes and dtypes of ``x``.

    Raises
    ------
    ValueError, TypeError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> forward(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    def slope(g: Function, tree: Tree, which: int, entry: tuple[int, ...], unit: complex) -> Any:
        return jvp(g, tree, rebuild(tree, along(leaves_of(tree), which, entry, unit)))[1]

    def gradient(*args: Any, **kwargs: Any) -> Tree:
        run, tree = split(f, args, kwargs, argnums)
        return entrywise(lambda t: scalar_of(run(t), f), tree, slope)

    return gradient
