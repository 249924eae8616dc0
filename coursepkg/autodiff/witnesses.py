"""Routes that use no rule of the table: differences of values, and sympy's algebra.

Both only run the function, so a wrong rule cannot mislead them; that is what makes them witnesses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import split
from .entrywise import entrywise
from .stopping import Standing
from .symbolic_array import SymbolicArray, gradient_of_expression, symbols_like
from .trees import Function, Tree, leaves_of, rebuild, scalar_of

__all__ = ["numeric", "symbolic"]


def numeric(f: Function, step: float = 1e-3, argnums: int | tuple[int, ...] | None = None) -> Function:
    """Return the gradient of ``f`` by central differences at two steps, combined so that the leading error cancels.

    Needs nothing from ``f`` but numbers: four runs for every entry of ``x``, and one more if ``f`` calls
    ``stop_gradient``, whose values are held as they are at the point. The error is of order ``step**4`` plus
    rounding, about 1e-11 of the size of ``f`` (Richardson 1911). Everything is computed in double precision.

    Parameters
    ----------
    f : callable
        A function that returns one real number.
    step : float
        The larger step, relative to the size of the entry (absolute below one).
    argnums : int, tuple of int or None
        As for :func:`~coursepkg.gradients.reverse`.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure and shapes of ``x``.

    Raises
    ------
    ValueError, TypeError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> numeric(lambda x: np.sum(x**3))(np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    """

    def gradient(*args: Any, **kwargs: Any) -> Tree:
        run, tree = split(f, args, kwargs, argnums)
        leaves = [leaf.astype(np.result_type(leaf.dtype, np.float64)) for leaf in leaves_of(tree)]
        tree = rebuild(tree, leaves)
        standing = Standing(lambda: run(rebuild(tree, [leaf.copy() for leaf in leaves])))

        def slope(g: Function, _: Tree, which: int, entry: tuple[int, ...], unit: complex) -> float:
            h = step * max(1.0, abs(leaves[which][entry]))

            def moved(size: float) -> float:
                there = [leaf.copy() for leaf in leaves]
                there[which][entry] += size * unit
                with standing:
                    return float(np.reshape(g(rebuild(tree, there)), ()))

            coarse = (moved(h) - moved(-h)) / (2 * h)
            fine = (moved(h / 2) - moved(-h / 2)) / h
            return (4 * fine - coarse) / 3

        return entrywise(lambda t: scalar_of(run(t), f), tree, slope)

    return gradient


def symbolic(f: Function, argnums: int | tuple[int, ...] | None = None) -> Function:
    """Return the gradient of ``f`` by algebra: ``f`` runs once on symbols and sympy differentiates the formula.

    Meant for small arrays; the formula grows with every entry. Where ``f`` branches on values, the formula is that of
    the branch taken at the point.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    argnums : int, tuple of int or None
        As for :func:`~coursepkg.gradients.reverse`.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure and shapes of ``x``, evaluated with 30 digits and rounded once.

    Raises
    ------
    ValueError, TypeError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> symbolic(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    def gradient(*args: Any, **kwargs: Any) -> Tree:
        run, tree = split(f, args, kwargs, argnums)
        leaves = leaves_of(tree)
        names = ["x"] if len(leaves) == 1 else [f"x{i}" for i in range(len(leaves))]
        traced = [symbols_like(leaf, name) for leaf, name in zip(leaves, names, strict=True)]
        output = run(rebuild(tree, [array for array, _ in traced]))
        numbers = [part for leaf in leaves for part in _real_parts(leaf)]
        symbols = [symbol for _, own in traced for symbol in own]
        if not isinstance(output, SymbolicArray):
            scalar_of(output, f)
            return rebuild(tree, [np.zeros(leaf.shape, leaf.dtype) for leaf in leaves])
        scalar_of(output, f)
        slopes = iter(gradient_of_expression(output.expressions.item(), symbols, numbers))
        found = []
        for leaf in leaves:
            own = [
                next(slopes) + 1j * next(slopes) if leaf.dtype.kind == "c" else next(slopes) for _ in range(leaf.size)
            ]
            found.append(np.array(own, leaf.dtype).reshape(leaf.shape))
        return rebuild(tree, found)

    return gradient


def _real_parts(leaf: np.ndarray) -> list[float]:
    if leaf.dtype.kind == "c":
        return [part for z in leaf.ravel().tolist() for part in (z.real, z.imag)]
    return leaf.ravel().tolist()
