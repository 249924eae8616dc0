"""Trees in files: JSON that a person can read, and that cannot do anything when a stranger's is opened.

The one idea: the nodes are a flat list in pre-order, each naming its parent by its place in the list. A parent comes
before its children, so there are no loops, and no file can nest deeper than the reader likes.
"""

from __future__ import annotations

import json
import math
from os import PathLike
from pathlib import Path
from typing import Any

from coursepkg.neural_tree.structure import FunctionNode, Leaf, Node, Tree

FORMAT = "coursepkg neural tree"
VERSION = 1
LARGEST_FILE = 100_000_000  # bytes; the largest published model is below 5 MB


def to_json(tree: Tree) -> str:
    """A tree as JSON, one node per line.

    Examples
    --------
    >>> print(to_json(Tree([FunctionNode([Leaf(0, 0.5), Leaf(1, -2.0)], bias=1.0)], 2)))
    {"format": "coursepkg neural tree", "version": 1, "n_inputs": 2, "nodes": [
    {"parent": null, "bias": 1.0},
    {"parent": 0, "weight": 0.5, "attribute": 0},
    {"parent": 0, "weight": -2.0, "attribute": 1}
    ]}
    """
    order = tree.pre_order()
    place = {node: number for number, node in enumerate(order)}
    parent: dict[Node, int] = {child: place[node] for node in tree.functions for child in node.children}
    lines = []
    for node in order:
        entry: dict[str, Any] = {"parent": parent.get(node)}
        if node.weight is not None:
            entry["weight"] = float(node.weight)
        entry |= {"attribute": int(node.attribute)} if isinstance(node, Leaf) else {"bias": float(node.bias)}
        lines.append(json.dumps(entry, allow_nan=False))
    head = json.dumps({"format": FORMAT, "version": VERSION, "n_inputs": tree.n_inputs})
    return head[:-1] + ', "nodes": [\n' + ",\n".join(lines) + "\n]}"


def from_json(text: str) -> Tree:
    """A tree from the JSON of :func:`to_json`.

    Raises
    ------
    ValueError
        If the text is not such a tree, with the first thing that is wrong.
    """
    data = _parse(text)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f'this is not a neural tree: expected a JSON object with "format": "{FORMAT}"')
    if data.get("version") != VERSION:
        raise ValueError(f"this file has version {_show(data.get('version'))}; this package reads version {VERSION}")
    n_inputs = _integer(data.get("n_inputs"), '"n_inputs"')
    entries = data.get("nodes")
    if not isinstance(entries, list) or not entries:
        raise ValueError('"nodes" must be a list with at least one node')
    nodes: list[Node] = []
    outputs: list[FunctionNode] = []
    for number, entry in enumerate(entries):
        node = _read_node(entry, f"node {number}")
        parent = entry["parent"]
        if parent is None:
            if isinstance(node, Leaf):
                raise ValueError(f"node {number} has no parent, so it is an output and needs a bias, not an attribute")
            outputs.append(node)
        else:
            _parent(nodes, parent, number).children.append(node)
        nodes.append(node)
    return Tree(outputs, n_inputs)


def _read_node(entry: Any, where: str) -> Node:
    if not isinstance(entry, dict) or "parent" not in entry:
        raise ValueError(f'{where} must be an object with a "parent", got {_show(entry)}')
    keys = set(entry) - {"parent"}
    weight = {"weight"} if entry["parent"] is not None else set()
    if keys == weight | {"attribute"}:
        if not weight:
            return Leaf(_integer(entry["attribute"], f"{where}: attribute"), 0.0)
        return Leaf(_integer(entry["attribute"], f"{where}: attribute"), _number(entry["weight"], f"{where}: weight"))
    if keys == weight | {"bias"}:
        edge = _number(entry["weight"], f"{where}: weight") if weight else None
        return FunctionNode([], _number(entry["bias"], f"{where}: bias"), edge)
    raise ValueError(
        f'{where} has the entries {_show(sorted(entry))}; a leaf has "parent", "weight" and "attribute", a function '
        'node "parent", "weight" and "bias", an output "parent": null and "bias"'
    )


def _parent(nodes: list[Node], parent: Any, number: int) -> FunctionNode:
    place = _integer(parent, f"node {number}: parent")
    if not 0 <= place < number:
        raise ValueError(f"node {number} names node {place} as its parent, but a parent comes before its children")
    found = nodes[place]
    if isinstance(found, Leaf):
        raise ValueError(f"node {number} names node {place} as its parent, which is a leaf")
    return found


def _parse(text: str) -> Any:
    def no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key occurs twice in one object")
        return dict(pairs)

    def no_constants(name: str) -> Any:
        raise ValueError(f"{name} is not a finite number")

    try:
        return json.loads(text, object_pairs_hook=no_repeats, parse_constant=no_constants)
    except RecursionError:
        raise ValueError("this is not a neural tree: its JSON is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"this is not a neural tree, or it is damaged: {error}") from None


def _integer(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{what} must be a whole number, got {_show(value)}")
    return value


def _number(value: Any, what: str) -> float:
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} must be a finite number, got {_show(value)}")
    return number


def _show(value: Any) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def save(tree: Tree, path: str | PathLike[str]) -> Path:
    """Save a tree. One trained on scaled inputs becomes independent of its scaler by :func:`fold_scaling` first.

    Parameters
    ----------
    tree : Tree
        The tree.
    path : path_like
        Where to; the name must end in ``.json``.

    Returns
    -------
    pathlib.Path
        The file.
    """
    path = _checked(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(to_json(tree) + "\n", encoding="utf-8")
    partial.replace(path)
    return path


def load(path: str | PathLike[str]) -> Tree:
    """Load a tree that :func:`save` saved.

    Parameters
    ----------
    path : path_like
        The file.

    Returns
    -------
    Tree

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a tree.
    """
    path = _checked(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; save a tree first: neural_tree.save(tree, {str(path)!r})")
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes; trees have at most {LARGEST_FILE:,}")
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a neural tree: it is no text in UTF-8") from None


def _checked(path: str | PathLike[str]) -> Path:
    path = Path(path)
    if path.suffix != ".json":
        raise ValueError(f"trees are saved as .json files, got {path.name!r}; try {path.with_suffix('.json').name!r}")
    return path
