"""Arguments in any structure: an array, or a tuple, list or dict of such, taken apart and put together again.

The one idea: two trees belong together if they have the same structure. Dicts pair by key, whatever the order in which
they were filled; lists and tuples pair by position and are not taken for one another. ``None`` holds no array and pairs
with None, so that an optional part of a model may be missing (the conventions are JAX's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any

import numpy as np

from .traced import Traced, plain

__all__ = [
    "call_with", "described", "differentiable", "leaves_of", "numbers_of", "paired", "point_of", "rebuild", "scalar_of",
    "walk",
]  # fmt: skip

Tree = Any
Function = Callable[..., Any]
ARRAYS = frozenset({np.ndarray})
NODES = (tuple, list, dict)


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
    elif tree is not None:
        found.append(tree)


def rebuild(tree: Tree, leaves: Iterable[Any]) -> Tree:
    """Return a tree of the same structure with other leaves. Named tuples and kinds of dicts stay what they are."""
    if type(tree) is tuple and ARRAYS.issuperset(map(type, tree)):
        return tuple(leaves)
    return _put(tree, iter(leaves))


def _put(tree: Tree, supply: Iterator[Any]) -> Tree:
    if isinstance(tree, (tuple, list)):
        parts = [_put(part, supply) for part in tree]
        return tree._make(parts) if hasattr(tree, "_make") else type(tree)(parts)
    if isinstance(tree, dict):
        parts_by_key = {key: _put(part, supply) for key, part in tree.items()}
        if type(tree) is dict:
            return parts_by_key
        new = copy(tree)  # an OrderedDict, a defaultdict with its factory, a class of your own
        for key, part in parts_by_key.items():
            new[key] = part
        return new
    return None if tree is None else next(supply)


# --- two trees together


def walk(
    expected: Tree,
    given: Tree,
    path: str,
    mismatch: Callable[[str, Tree, Tree], Exception],
    *,
    strict: bool = True,
) -> Iterator[tuple[str, Any, Any]]:
    """Walk two trees together, dicts by key.

    Parameters
    ----------
    expected, given : tree
        The second must have the structure of the first.
    path : str
        What the first is called, such as "x".
    mismatch : callable
        ``mismatch(path, expected, given)`` makes the error to raise where the structures differ.
    strict : bool
        Whether a list is refused where a tuple is expected, and the other way round.

    Yields
    ------
    str, array, array
        The path to each array of the first tree, such as ``x['w'][0]``, the array, and what the second has there.
    """
    if isinstance(expected, dict):
        if not isinstance(given, dict) or given.keys() != expected.keys():
            raise mismatch(path, expected, given)
        keys: Iterable[Any] = expected
    elif isinstance(expected, (tuple, list)):
        if not isinstance(given, (tuple, list)) or len(given) != len(expected):
            raise mismatch(path, expected, given)
        if strict and _kind(given) is not _kind(expected):
            raise mismatch(path, expected, given)
        keys = range(len(expected))
    elif (expected is None) != (given is None) or (strict and isinstance(given, NODES)):
        raise mismatch(path, expected, given)
    elif expected is None:
        return
    else:
        yield path, expected, given
        return
    for key in keys:
        yield from walk(expected[key], given[key], f"{path}[{key!r}]", mismatch, strict=strict)


def _kind(tree: Tree) -> type:
    return type(tree) if hasattr(tree, "_fields") else tuple if isinstance(tree, tuple) else list


def paired(expected: Tree, given: Tree, names: tuple[str, str], *, stacked: bool = False) -> list[Any]:
    """Return the arrays of a tree in the order in which those of another stand, once both have the same structure.

    Parameters
    ----------
    expected, given : tree
        What the structure must be, and what it is.
    names : tuple of str
        What to call the two in an error, such as ``("x", "the tangents")``.
    stacked : bool
        Each array given has one more axis, the first, as many directions have. Its length is not looked at.

    Returns
    -------
    list
        Arrays and traced values.

    Raises
    ------
    ValueError
        If structures or shapes differ; it shows both. If a complex array belongs to a real one.
    """
    if not stacked:  # in short, for the most common trees
        if _alike(expected, given):
            return [given]
        flat = type(expected) is type(given) and type(given) in (tuple, list) and len(expected) == len(given)
        if flat and all(map(_alike, expected, given)):
            return list(given)

    def mismatch(path: str, here: Tree, found: Tree) -> ValueError:
        where = "" if here is expected else f", first at {path}: {_short(here)} against {_short(found)}"
        number = not isinstance(here, NODES) and here is not None and isinstance(found, (list, tuple))
        advice = (
            "write np.array(...) for an array" if number else "a list, a tuple and a dict are three different things"
        )
        return ValueError(
            f"{names[1]} must have the structure of {names[0]}, which is {described(expected)}, but is "
            f"{described(given)}{where}; {advice}, and dicts need the same keys"
        )

    leaves = []
    for path, leaf, part in walk(expected, given, names[0], mismatch):
        if not isinstance(part, (np.ndarray, Traced)):
            part = np.asarray(part)
        shape = np.shape(leaf)
        if part.dtype.kind not in "biufc":
            raise ValueError(f"{names[1]} must be numbers; at {path} there is {_short(part)}")
        if not stacked and part.shape != shape:
            raise ValueError(
                f"{names[1]} must have the shapes of {names[0]}; at {path} the shape is {shape}, but that given is "
                f"{part.shape}"
            )
        if part.dtype.kind == "c" and (leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype).kind != "c":
            raise ValueError(f"{names[1]} must be real where {names[0]} is; at {path} it is complex")
        leaves.append(part)
    return leaves


def _alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) is np.ndarray and a.shape == b.shape and a.dtype is b.dtype and a.dtype.kind in "fc"


def described(tree: Tree) -> str:
    """Return the structure of a tree in words: ``{'w': array (3, 2), 'b': number}``, cut short if it is long."""
    text = _structure(tree)
    return text if len(text) <= 300 else f"{text[:297]}..."


def _structure(tree: Tree) -> str:
    if isinstance(tree, dict):
        return f"{{{', '.join(f'{key!r}: {_structure(part)}' for key, part in tree.items())}}}"
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        parts = [f"{name}={_structure(part)}" for name, part in zip(tree._fields, tree, strict=True)]
        return f"{type(tree).__name__}({', '.join(parts)})"
    if isinstance(tree, (tuple, list)):
        inside = ", ".join(map(_structure, tree))
        comma = "," if isinstance(tree, tuple) and len(tree) == 1 else ""
        return f"[{inside}]" if isinstance(tree, list) else f"({inside}{comma})"
    return _short(tree)


def _short(tree: Any) -> str:
    if isinstance(tree, NODES):
        return described(tree)
    if isinstance(tree, (bool, np.bool_)):
        return str(bool(tree))
    if isinstance(tree, str) or tree is None:
        return repr(tree) if len(repr(tree)) <= 40 else "a text"
    if isinstance(tree, (np.ndarray, Traced)):
        shape, dtype = np.shape(tree), plain(tree).dtype
        kind = "" if dtype.kind in "iufc" else f" of dtype {dtype}"
        return f"array {shape}{kind}" if shape or kind else "number"
    return "number" if isinstance(tree, (int, float, complex, np.number)) else f"a value of type {type(tree).__name__}"


# --- what goes in, and what comes out


def differentiable(leaf: Any) -> Any:
    """Return a leaf as an array with a floating point or complex dtype (integers become float64)."""
    array = leaf if type(leaf) is np.ndarray else None
    if array is None:
        if isinstance(leaf, Traced):
            return leaf
        array = np.asarray(leaf)
    kind = array.dtype.kind
    if kind in "iub":
        return array.astype(float)
    if kind not in "fc":
        raise TypeError(
            f"a gradient needs numbers, got {type(leaf).__name__} of dtype {array.dtype}; x is an array, or a "
            "tuple, list or dict of arrays. Something else that f needs can be given by keyword, or stand outside of "
            "argnums"
        )
    return array


def point_of(args: tuple[Any, ...]) -> tuple[Tree, bool]:
    """Return the arguments as one tree, and whether the function takes it as one argument."""
    if not args:
        raise TypeError("the gradient of f needs a point: call it as reverse(f)(x)")
    tree = args[0] if len(args) == 1 else args
    if type(tree) is np.ndarray and tree.dtype.kind in "fc":  # in short, for the most common point
        return tree, True
    if tree is None:
        raise TypeError("the gradient of f needs a point, but x is None; did a function forget its `return`?")
    return rebuild(tree, [differentiable(leaf) for leaf in leaves_of(tree)]), len(args) == 1


def call_with(f: Function, tree: Tree, single: bool) -> Any:
    return f(tree) if single else f(*tree)


def numbers_of(result: Any, f: Function, point: Tree = ()) -> list[Any]:
    """Return the arrays that a function returned, from left to right, once all of them hold numbers.

    A mask beside arrays of numbers is let through, as a constant. So is None inside a structure if the point has some,
    too: a gradient has the structure of its point.

    Raises
    ------
    TypeError
        If the function returned nothing, a truth value, a text, or something else that has no derivative.
    """
    found: list[Any] = []
    _check(result, result, f, found, _holds_none(point))
    return found


def _holds_none(tree: Tree) -> bool:
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (tuple, list)) else ()
    return any(part is None or _holds_none(part) for part in parts)


def _check(part: Any, whole: Any, f: Function, found: list[Any], none: bool) -> None:
    if isinstance(part, (tuple, list)):
        for inner in part:
            _check(inner, whole, f, found, none)
    elif isinstance(part, dict):
        for inner in part.values():
            _check(inner, whole, f, found, none)
    elif part is None and none and part is not whole:
        return
    else:
        number: Any = part if isinstance(part, (np.ndarray, Traced)) else None if part is None else np.asarray(part)
        mask = part is not whole and isinstance(part, np.ndarray) and part.ndim and part.dtype.kind == "b"
        if not mask and (number is None or number.dtype.kind not in "iufc"):
            raise _no_number(part, whole, f)
        found.append(part)


def _no_number(part: Any, whole: Any, f: Function) -> TypeError:
    said = f"{_name(f)} returned {_short(whole)}"
    if part is None:
        return TypeError(f"{said}, and None has no derivative; did you forget `return`?")
    if isinstance(part, (np.ndarray, np.generic)) and part.dtype.kind == "O":
        return TypeError(f"{said}, an array of objects, which has no derivative; join the parts with np.stack")
    truth = isinstance(part, bool) or getattr(getattr(part, "dtype", None), "kind", "") == "b"
    advice = (
        "a truth value does not change smoothly; return the number that is compared"
        if truth
        else "a derivative is that of numbers; return arrays, or a tuple, list or dict of arrays, and anything else "
        "beside them with has_aux=True"
    )
    return TypeError(f"{said}, which has no derivative: {advice}")


def _name(f: Function) -> str:
    return getattr(f, "__name__", "f")


def scalar_of(value: Any, f: Function) -> Any:
    """Check that a function returned one real number."""
    if not isinstance(value, Traced):
        numbers_of(value, f)
    if isinstance(value, NODES) or np.size(value) != 1:
        given = f"a {type(value).__name__}" if isinstance(value, NODES) else f"shape {np.shape(value)}"
        raise ValueError(
            f"a gradient is that of a single number, but {_name(f)} returned {given}; reduce "
            "it with np.sum or np.mean, or ask for vjp, jvp or jacobian"
        )
    if value.dtype.kind == "c" if hasattr(value, "dtype") else isinstance(value, complex):
        raise ValueError(
            "a gradient is that of a real number, but f returned a complex one; take np.real or np.abs of it"
        )
    return value
