"""The trees that the paper's authors trained, read and scored by our code (Ojha and Nicosia, 2022).

The one idea: a published number can be recomputed without training anything, from the tree that it belongs to, the
order of the rows, and the table. For that the evaluation does what the authors' does, to the order of its sums and the
form of its sigmoid, for outputs that are equal after rounding decide a class: the first of them wins.

>>> from coursepkg import datasets
>>> from coursepkg.neural_tree import published
>>> if datasets.available("bneuralt/iris") and datasets.available("uci/iris"):
...     runs = published.load("iris")
...     assert published.compare(runs, datasets.uci("iris")).different == []

Trees and tables that are not among the published ones are read by their paths: ``load("some.json.gz")``, then
``read_table("some.csv", runs)``.

What is published are trees of the best moment on the test part. Neither the trees of the last epoch nor a validation
part were kept, so these two scores cannot be derived from them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from coursepkg.datasets import Dataset, Scaler
from coursepkg.neural_tree.published_files import (
    Errors,
    PublishedDigits,
    PublishedRun,
    PublishedRuns,
    load,
    load_digits,
    read_table,
)
from coursepkg.neural_tree.structure import FunctionNode, Leaf, Node, Tree

__all__ = [
    "OPTIMIZERS",
    "Comparison",
    "Errors",
    "Outcome",
    "PublishedDigits",
    "PublishedRun",
    "PublishedRuns",
    "compare",
    "digit_error",
    "evaluate",
    "load",
    "load_digits",
    "outputs",
    "pixels_read",
    "read_table",
]

OPTIMIZERS = ("gd", "momentum_gd", "nesterov_accelerated_gd", "adagrad", "rmsprop", "adam")


class Outcome(NamedTuple):
    """What a tree does on both parts.

    Attributes
    ----------
    error : Errors
        As the authors' logs have it: the share of wrong classes, or the mean squared error in the target's unit.
    score : Errors
        As the paper's tables have it: accuracy, or the coefficient of determination r².
    """

    error: Errors
    score: Errors


class Comparison(NamedTuple):
    """How many trees have a logged error, and what is not equal: run, optimizer, recomputed errors, logged errors."""

    compared: int
    different: list[tuple[str, str, Errors, Errors]]


def outputs(tree: Tree, X: np.ndarray) -> np.ndarray:
    """The outputs of a tree, rounded as in the authors' code.

    Parameters
    ----------
    tree : Tree
        The tree.
    X : array_like, shape (n, columns)
        Inputs, scaled to 0..1; at least as many columns as the tree reads.

    Returns
    -------
    ndarray, shape (n, n_outputs)
    """
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] < tree.n_inputs:
        raise ValueError(f"this tree reads {tree.n_inputs} inputs, got X of shape {X.shape}")
    columns = np.ascontiguousarray(X.T)
    return np.stack([_value(output, columns) for output in tree.outputs], axis=1)


def _value(node: Node, columns: np.ndarray) -> np.ndarray:
    if isinstance(node, Leaf):
        return columns[node.attribute]
    total = np.zeros(columns.shape[1])
    for child in node.children:
        total += child.weight * _value(child, columns)
    total += node.bias
    # Far below zero this is exactly 0, where exp(z) / (1 + exp(z)) is not; then several outputs can be equal.
    small = 1.0 / (1.0 + np.exp(-np.abs(total)))
    return np.where(total < 0.0, 1.0 - small, small)


def evaluate(run: PublishedRun, data: Dataset, optimizer: str = "rmsprop") -> Outcome:
    """The errors and scores of one published tree.

    Parameters
    ----------
    run : PublishedRun
        Gives the tree and the two parts.
    data : Dataset
        The table, unscaled and in its own order, as :func:`coursepkg.datasets.uci` gives it. Inputs are scaled to 0..1
        by all rows, as the authors did; a constant column becomes 0.
    optimizer : str
        Which of the run's trees.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If the run has no such tree, or the table is not the one of the run.
    """
    if optimizer not in run.trees:
        raise ValueError(f"{run.name} has no tree of {optimizer!r}; it has {', '.join(run.trees) or 'none'}")
    X, y = np.asarray(data.X, dtype=np.float64), np.asarray(data.y)
    if len(X) != len(run.row_order):
        raise ValueError(f"{run.name} was run on {len(run.row_order)} rows, but {data.name} has {len(X)}")
    if not np.isfinite(X).all():
        raise ValueError(f"{data.name} has inputs that are not finite, in column {np.argwhere(~np.isfinite(X))[0, 1]}")
    if bool(run.classes) != bool(data.target_names):
        kind = f"{len(data.target_names)} classes" if data.target_names else "numbers"
        raise ValueError(
            f"{run.name} has {len(run.classes) or 'no'} classes, but the targets of {data.name} are {kind}"
        )
    Y = outputs(run.trees[optimizer], Scaler.minmax(X)(X))
    parts = [_measure(run, data, Y[rows], y[rows]) for rows in run.rows]
    return Outcome(Errors(*(error for error, _ in parts)), Errors(*(score for _, score in parts)))


def _measure(run: PublishedRun, data: Dataset, Y: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    if run.classes:
        accuracy = float((np.argmax(Y, axis=1) == _places(run, data)[y]).mean())
        return 1.0 - accuracy, accuracy
    low, high = float(np.min(data.y)), float(np.max(data.y))
    error = float(((low + Y[:, 0] * (high - low) - y) ** 2).mean())
    spread = float(((y - y.mean()) ** 2).mean())
    return error, 1.0 - error / spread if spread else math.nan


def _places(run: PublishedRun, data: Dataset) -> np.ndarray:
    """Which output stands for each class of the table: the one with its name, up to quotes, spaces, and 1 for 1.0."""
    places = {_plain(name): place for place, name in enumerate(run.classes)}
    asked = [_plain(name) for name in data.target_names]
    if len(places) < len(run.classes) or len(set(asked)) < len(asked) or not places.keys() >= set(asked):
        raise ValueError(
            f"{run.name} has the classes {', '.join(run.classes)}, but {data.name} has {', '.join(data.target_names)}"
        )
    return np.array([places[name] for name in asked])


def _plain(name: str) -> str | float:
    try:
        number = float(name.strip().strip("'\""))
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    return " ".join(name.strip().strip("'\"").split())


def compare(published: PublishedRuns, data: Dataset) -> Comparison:
    """Recompute the training and test error of every tree whose error was logged.

    Parameters
    ----------
    published : PublishedRuns
        From :func:`load`.
    data : Dataset
        The table.

    Returns
    -------
    Comparison
        Equal means to nine digits; the logs have sixteen, and sums in another order differ in the last few.
    """
    compared, different = 0, []
    for run in published.runs:
        for optimizer, logged in run.logged.items():
            if optimizer in run.trees:
                found = evaluate(run, data, optimizer).error
                compared += 1
                if not all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(found, logged, strict=True)):
                    different.append((run.name, optimizer, found, logged))
    return Comparison(compared, different)


def digit_error(digits: PublishedDigits, images: np.ndarray, labels: np.ndarray, *, white: float = 255.0) -> float:
    """The share of images that a published tree takes for another digit.

    Parameters
    ----------
    digits : PublishedDigits
        From :func:`load_digits`.
    images : ndarray, shape (n, 28, 28)
        Grey levels 0 to 255.
    labels : ndarray of int, shape (n,)
        The digits.
    white : float
        What the grey levels are divided by. The authors' loader divides by 256.

    Returns
    -------
    float
    """
    X = np.asarray(images, dtype=np.float64).reshape(len(images), -1) / white
    return float((np.argmax(outputs(digits.tree, X), axis=1) != np.asarray(labels)).mean())


def pixels_read(digits: PublishedDigits) -> np.ndarray:
    """How often the part of the tree that stands for a digit reads each pixel.

    ``draw_images(pixels_read(digits), captions=range(10))`` shows it; a drawing of all nodes is 58,000 pixels high.

    Parameters
    ----------
    digits : PublishedDigits
        From :func:`load_digits`.

    Returns
    -------
    ndarray of int, shape (10, 28, 28)
        Numbers of leaves.
    """
    counts = np.zeros((len(digits.tree.outputs), 28 * 28), dtype=np.intp)
    for digit, output in enumerate(digits.tree.outputs):
        nodes: list[Node] = [output]
        for node in nodes:  # grows on the way
            if isinstance(node, FunctionNode):
                nodes.extend(node.children)
            else:
                counts[digit, node.attribute] += 1
    return counts.reshape(-1, 28, 28)
