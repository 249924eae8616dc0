"""Arguments in any structure: an array, or a tuple, list or dict of such, taken apart into arrays and put together again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["leaves_of", "rebuild"]

Tree = Any


def leaves_of(tree: Tree) -> list[Any]:
    """Return the arrays of a tree, from left to right."""
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves_of(value)]
    if isinstance(tree, (tuple, list)):
        return [leaf for value in tree for leaf in leaves_of(value)]
    return [tree]


def rebuild(tree: Tree, leaves: list[Any]) -> Tree:
    """Return a tree of the same structure with other leaves."""

    def walk(node: Tree, supply: Iterator[Any]) -> Tree:
        if isinstance(node, dict):
            return {key: walk(value, supply) for key, value in node.items()}
        if isinstance(node, (tuple, list)):
            parts = [walk(value, supply) for value in node]
            return type(node)(*parts) if hasattr(node, "_fields") else type(node)(parts)
        return next(supply)

    return walk(tree, iter(leaves))
