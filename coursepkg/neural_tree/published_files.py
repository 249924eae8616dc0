"""The files of the authors' trees, read without trust: numbers in nested lists become trees, and nothing else happens.

The one idea: a stranger's file is checked as far as it is used. Sizes and depths are bounded, each number is one, and
the first thing that is wrong is said with its place.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from coursepkg.datasets import DataCorrupt, Dataset, bneuralt, tables
from coursepkg.neural_tree.files import _integer, _number, _show
from coursepkg.neural_tree.structure import TALLEST, FunctionNode, Leaf, Node, Tree

TRAINING_SHARE = 0.8
SMALLEST = 7  # nodes, the root included: the paper's means leave out regressions with a smaller tree
LARGEST_WEIGHT = 1e100  # beyond it sums could overflow


class Errors(NamedTuple):
    """A number for the training part, and one for the test part."""

    train: float
    test: float


@dataclass(frozen=True, eq=False)
class PublishedRun:
    """One of the authors' runs.

    Attributes
    ----------
    name : str
        Its name there.
    row_order : ndarray of int, shape (n,)
        The rows of the table as they were shuffled; the first 80 % were trained on.
    classes : tuple of str
        What the outputs stand for, in order; empty for regression.
    trees : dict of str to Tree
        By optimizer, at the best moment on the test part; all have one structure.
    logged : dict of str to Errors
        The errors that the run's log has, by optimizer.
    """

    name: str
    row_order: np.ndarray
    classes: tuple[str, ...]
    trees: dict[str, Tree]
    logged: dict[str, Errors]

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the training part, and of the test part."""
        cut = int(len(self.row_order) * TRAINING_SHARE)
        return self.row_order[:cut], self.row_order[cut:]

    @property
    def counted(self) -> bool:
        """Whether the paper's means include it: a regression of fewer than seven nodes is left out."""
        return bool(self.classes) or all(len(tree.depths) >= SMALLEST for tree in self.trees.values())


@dataclass(frozen=True, eq=False)
class PublishedRuns:
    """All runs of a table: its name, and the runs."""

    name: str
    runs: list[PublishedRun]


@dataclass(frozen=True, eq=False)
class PublishedDigits:
    """A tree for images of 28 x 28 pixels: its name, the error that its authors state, and the tree."""

    name: str
    published_error: float
    tree: Tree


def load(source: str | PathLike[str]) -> PublishedRuns:
    """Read the runs of a table.

    Parameters
    ----------
    source : str or path_like
        The name of a table, such as ``"iris"``, looked for in ``COURSEPKG_DATA`` and the cache, or the path of a
        ``.json.gz`` or ``.json`` file, whatever its table is called.

    Returns
    -------
    PublishedRuns

    Raises
    ------
    DataNotFound
        If the file is not on this computer.
    DataCorrupt
        If it holds something else, with the first thing that is wrong.
    """
    path = _path(source)
    content = bneuralt.read(path)
    try:
        if not isinstance(content.get("runs"), list):
            raise ValueError('there are no "runs"; published.load_digits reads a single tree')
        name = _text(content.get("set"), '"set"')
        runs = [_run(entry, name, f"run {number}") for number, entry in enumerate(content["runs"])]
    except ValueError as error:
        raise DataCorrupt(f"{path} holds no published runs: {error}.") from None
    return PublishedRuns(name, runs)


def load_digits(source: str | PathLike[str]) -> PublishedDigits:
    """Read a tree for digits.

    Parameters
    ----------
    source : str or path_like
        ``"mnist_10k"``, ``"mnist_18k"``, ``"mnist_20k"``, ``"mnist_200k"``, or a ``.json.gz`` file.

    Returns
    -------
    PublishedDigits

    Raises
    ------
    DataNotFound, DataCorrupt
        As :func:`load`.
    """
    path = _path(source)
    content = bneuralt.read(path)
    try:
        if "tree" not in content:
            raise ValueError('there is no "tree"; published.load reads runs')
        error = _number(content.get("published_error"), '"published_error"')
        tree = _tree(content["tree"], 10, 28 * 28, "the tree")
    except ValueError as found:
        raise DataCorrupt(f"{path} holds no published tree for digits: {found}.") from None
    return PublishedDigits(path.name.removesuffix(".json.gz"), error, tree)


def read_table(path: str | PathLike[str], runs: PublishedRuns) -> Dataset:
    """The table of some runs from a CSV file, for tables that :func:`coursepkg.datasets.uci` does not know.

    The first line names the columns. The targets are in the column named ``target``, or else in the last one that has
    a name, and what comes after them is not read. Cells are parted by commas, semicolons or tabs.

    Parameters
    ----------
    path : str or path_like
        The file, in UTF-8.
    runs : PublishedRuns
        They say whether the targets are classes or numbers, for classes are often written as numbers.

    Returns
    -------
    Dataset
        ``X`` float64, shape (n, columns); ``y`` int64 class numbers in the sorted order of the labels, or float64.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataCorrupt
        If a cell is missing or is no number, with its line and column. The authors published no rule for missing
        values, so none is guessed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataCorrupt(f"{path} is no table: it is no text in UTF-8.") from None
    mark = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=mark, skipinitialspace=True)
    lines = [(reader.line_num, cells) for cells in ([cell.strip() for cell in row] for row in reader) if any(cells)]
    header = lines[0][1] if lines else []
    named = [place for place, name in enumerate(header) if name]
    target = header.index("target") if "target" in header else max(named, default=0)
    if target == 0 or len(lines) < 3:
        raise DataCorrupt(f"{path} is no table: it needs a line of names, at least two columns and at least two rows.")

    def number(line: int, cells: list[str], column: int) -> float:
        try:
            return _number(float(cells[column]), "a cell")
        except (IndexError, ValueError):
            found = repr(cells[column]) if column < len(cells) else "nothing"
            where = f"{path}, line {line}, column {header[column]!r}"
            raise DataCorrupt(f"{where}: expected a finite number, found {found}.") from None

    X = np.array([[number(line, cells, column) for column in range(target)] for line, cells in lines[1:]])
    features = tuple(header[:target])
    if not any(run.classes for run in runs.runs):
        y = np.array([number(line, cells, target) for line, cells in lines[1:]])
        return Dataset(path.stem, X, y, features, (), source="a file")
    for line, cells in lines[1:]:
        if len(cells) <= target or cells[target] in ("", "?"):
            raise DataCorrupt(f"{path}, line {line}: there is no class.")
    labels = [cells[target] for _, cells in lines[1:]]
    names = tuple(sorted(set(labels)))
    places = {name: place for place, name in enumerate(names)}
    return Dataset(path.stem, X, np.array([places[label] for label in labels]), features, names, source="a file")


def _path(source: str | PathLike[str]) -> Path:
    if isinstance(source, str) and "/" not in source and not source.endswith((".gz", ".json")):
        return bneuralt.find(source)
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; a name such as 'iris' looks for the published trees")
    return path


def _run(entry: Any, set_name: str, where: str) -> PublishedRun:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} must be an object, got {_show(entry)}")
    name = _text(entry.get("run"), f'{where}: "run"')
    order = entry.get("row_order")
    if not isinstance(order, list):
        raise ValueError(f'{where}: "row_order" must be a list of rows, got {_show(order)}')
    rows = [_integer(row, f"{where}: a row") for row in order]
    if len(rows) < 2 or sorted(rows) != list(range(len(rows))):
        raise ValueError(f"{where}: the {len(order)} rows are not each of 0 to {len(order) - 1} once")
    targets = entry.get("targets")
    if not isinstance(targets, list) or not targets:
        raise ValueError(f'{where}: "targets" must be a list of names, got {_show(targets)}')
    names = tuple(_text(_written(target), f"{where}: a target") for target in targets)
    trees = entry.get("trees")
    if not isinstance(trees, dict):
        raise ValueError(f'{where}: "trees" must be an object with a tree per optimizer, got {_show(trees)}')
    columns = _columns(set_name)
    read = {key: _tree(tree, len(names), columns, f"{where}, tree {key!r}") for key, tree in trees.items()}
    logged = {
        key.removeprefix("logged_"): _errors(value, f"{where}: {key}")
        for key, value in entry.items()
        if key.startswith("logged_") and value is not None
    }
    return PublishedRun(name, np.array(rows), names if len(names) > 1 else (), read, logged)


def _errors(entry: Any, where: str) -> Errors:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} must be an object, got {_show(entry)}")
    found = []
    for key in ("train_error", "test_error"):
        value = entry.get(key)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise ValueError(f"{where}: {key} must be a number, got {_show(value)}") from None
        found.append(_number(value, f"{where}: {key}"))
    return Errors(*found)


def _columns(set_name: str) -> int | None:
    table = tables.TABLES.get({"diabetese": "diabetes"}.get(set_name, set_name))
    return table.columns if table else None


def _tree(entry: Any, n_outputs: int, n_inputs: int | None, where: str) -> Tree:
    """A tree from nested lists; above two or more outputs is a node that only holds them."""
    if not _is_function(entry):
        raise ValueError(f"{where}: its root must be [edge, bias, [children]], got {_show(entry)}")
    tops = entry[2] if n_outputs > 1 else [entry]
    if len(tops) != n_outputs:
        raise ValueError(f"{where}: its root has {len(tops)} children, but there are {n_outputs} classes")
    if not all(_is_function(top) for top in tops):
        raise ValueError(f"{where}: a child of the root is a leaf, and an output needs a bias")
    outputs = [_node(top, where, 0) for top in tops]
    for output in outputs:
        output.weight = None  # a root that only holds its children uses no edges
    try:
        return Tree(outputs, n_inputs or 1 + max(_attributes(entry)))  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _is_function(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 3 and isinstance(entry[2], list)


def _node(entry: Any, where: str, depth: int) -> Node:
    if depth > TALLEST:
        raise ValueError(f"{where} has more than {TALLEST} nodes on one path")
    if _is_function(entry):
        edge, bias = (_weight(value, f"{where}: {what}") for value, what in zip(entry, ("edge", "bias"), strict=False))
        return FunctionNode([_node(child, where, depth + 1) for child in entry[2]], bias, edge)
    if isinstance(entry, list) and len(entry) == 2:
        return Leaf(_integer(entry[0], f"{where}: an input"), _weight(entry[1], f"{where}: edge"))
    raise ValueError(f"{where}: a node is [input, edge] or [edge, bias, [children]], got {_show(entry)}")


def _attributes(entry: Any) -> list[int]:
    if len(entry) == 2:
        return [entry[0]]
    return [attribute for child in entry[2] for attribute in _attributes(child)] or [0]


def _weight(value: Any, what: str) -> float:
    number = _number(value, what)
    if abs(number) > LARGEST_WEIGHT:
        raise ValueError(f"{what} must be between -{LARGEST_WEIGHT:g} and {LARGEST_WEIGHT:g}, got {number:g}")
    return number


def _written(target: Any) -> Any:
    """A class that is a number, as a name."""
    return str(target) if isinstance(target, int | float) and not isinstance(target, bool) else target


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        raise ValueError(f"{what} must be a name, got {_show(value)}")
    return value
