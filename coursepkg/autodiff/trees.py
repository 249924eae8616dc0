"""Arguments in any structure: an array, or a tuple, list or dict of such, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .traced import Traced

__all__ = ["call_with", "differentiable", "leaves_of", "point_of", "rebuild", "scalar_of"]

Tree = Any
Function = Callable[..., Any]
ARRAYS = frozenset({np.ndarray})


def leaves_of(tree: Tree) -> list[Any]:
    """Return the arrays of a tree, from left to right."""
    if type(tree) is tuple and ARRAYS.issuperset(map(type, tree)):  # in short, for the most common tree
        return list(tree)
    found: list[Any] = []
    _collect(tree, found)
    return found


def _collect(tree: Tree, found: list[Any]) -> None:
    if type(tree) is np.ndarray:  # in short, for the most common leaf
        found.append(tree)
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            _collect(part, found)
    elif isinstance(tree, dict):
        for part in tree.values():
            _collect(part, found)
    else:
        found.append(tree)


def rebuild(tree: Tree, leaves: Iterable[Any]) -> Tree:
    """Return a tree of the same structure with other leaves."""
    if type(tree) is tuple and ARRAYS.issuperset(map(type, tree)):
        return tuple(leaves)
    return _put(tree, iter(leaves))


def _put(tree: Tree, supply: Iterator[Any]) -> Tree:
    if isinstance(tree, (tuple, list)):
        parts = [_put(part, supply) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, dict):
        return {key: _put(part, supply) for key, part in tree.items()}
    return next(supply)


def differentiable(leaf: Any) -> Any:
    """Return a leaf as an array with a floating point or complex dtype (integers become float64)."""
    if type(leaf) is not np.ndarray and isinstance(leaf, Traced):
        return leaf
    array = np.asarray(leaf)
    kind = array.dtype.kind
    if kind in "iub":
        return array.astype(float)
    if kind not in "fc":
        raise TypeError(
            f"a gradient needs numbers, got {type(leaf).__name__} of dtype {array.dtype}; x is an array, or a "
            "tuple, list or dict of arrays"
        )
    return array


def point_of(args: tuple[Any, ...]) -> tuple[Tree, bool]:
    """Return the arguments as one tree, and whether the function takes it as one argument."""
    if not args:
        raise TypeError("the gradient of f needs a point: call it as reverse(f)(x)")
    tree = args[0] if len(args) == 1 else args
    return rebuild(tree, [differentiable(leaf) for leaf in leaves_of(tree)]), len(args) == 1


def call_with(f: Function, tree: Tree, single: bool) -> Any:
    return f(tree) if single else f(*tree)


def scalar_of(value: Any, f: Function) -> Any:
    """Check that a function returned one real number."""
    if isinstance(value, (tuple, list, dict)) or np.size(value) != 1:
        given = (
            f"shape {np.shape(value)}" if not isinstance(value, (tuple, list, dict)) else f"a {type(value).__name__}"
        )
        raise ValueError(
            f"a gradient is that of a single number, but {getattr(f, '__name__', 'f')} returned {given}; reduce "
            "it with np.sum or np.mean, or ask for vjp, jvp or jacobian"
        )
    if value.dtype.kind == "c" if hasattr(value, "dtype") else isinstance(value, complex):
        raise ValueError(
            "a gradient is that of a real number, but f returned a complex one; take np.real or np.abs of it"
        )
    return value
