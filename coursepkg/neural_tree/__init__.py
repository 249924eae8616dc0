"""The backpropagation neural tree of Ojha and Nicosia (2022): backpropagation without the plus.

Each node has one parent, so its delta is a product along one path. In short:

>>> import numpy as np
>>> from coursepkg import datasets, neural_tree
>>> rng = np.random.default_rng(0)
>>> parts = datasets.split(*datasets.iris(), rng=rng).scaled(datasets.Scaler.minmax)   # fit, validation, test
>>> tree = neural_tree.random_tree(4, 3, rng=rng)
>>> run = neural_tree.train(tree, parts, optimizer="adam", lr=0.02, batch_size=16, epochs=60, rng=rng)
>>> run.score(*parts.test) > 0.8
True

- Structure: :class:`Tree`, :class:`FunctionNode`, :class:`Leaf`; ``tree.pre_order()``, ``tree.post_order()``,
  ``tree.parameters()`` (one vector: biases, edges of function nodes, edges of leaves), ``tree.depths``.
- Growing: :func:`random_tree`, :func:`expected_size`, :func:`mlp_as_tree` (tied copies; ``copies.sum(gradient)``),
  :func:`fold_scaling` (a tree of scaled inputs becomes one of raw inputs).
- The passes to read: :func:`forward`, :func:`backward`, :func:`value_and_gradient`, :func:`input_gradient`,
  :func:`delta_by_depth`. They leave ``value``, ``delta``, ``weight_gradient``, ``bias_gradient`` in the nodes.
- The passes to run: :class:`CompiledTree`, same numbers.
- Training: :func:`train` gives a :class:`Run` with ``.score(X, y, selection=...)``, ``.predict(X)``, ``.history``;
  the rules are ``"validation"`` (default), ``"last"`` and the published ``"peek_at_test"``. :func:`moves_by_depth`
  says how far each level moves.
- scikit-learn: :class:`BNeuralTClassifier`, :class:`BNeuralTRegressor`.
- :mod:`~coursepkg.neural_tree.published`: the trees that the authors trained, read and scored.
- Files: :func:`save`, :func:`load`, :func:`to_json`, :func:`from_json`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from coursepkg.neural_tree.compiled import CompiledTree
from coursepkg.neural_tree.descent import OPTIMIZERS, FixedStepAdam
from coursepkg.neural_tree.files import from_json, load, save, to_json
from coursepkg.neural_tree.growing import Copies, ExpectedSize, expected_size, fold_scaling, mlp_as_tree, random_tree
from coursepkg.neural_tree.pace import moves_by_depth
from coursepkg.neural_tree.recursive import backward, delta_by_depth, forward, input_gradient, value_and_gradient
from coursepkg.neural_tree.structure import FunctionNode, Leaf, Tree
from coursepkg.neural_tree.training import History, Run, train

if TYPE_CHECKING:
    from coursepkg.neural_tree.estimators import BNeuralTClassifier, BNeuralTRegressor

__all__ = [
    "OPTIMIZERS",
    "BNeuralTClassifier",
    "BNeuralTRegressor",
    "CompiledTree",
    "Copies",
    "ExpectedSize",
    "FixedStepAdam",
    "FunctionNode",
    "History",
    "Leaf",
    "Run",
    "Tree",
    "backward",
    "delta_by_depth",
    "expected_size",
    "fold_scaling",
    "forward",
    "from_json",
    "input_gradient",
    "load",
    "mlp_as_tree",
    "moves_by_depth",
    "random_tree",
    "save",
    "to_json",
    "train",
    "value_and_gradient",
]


def __getattr__(name: str) -> Any:
    # scikit-learn takes a second to load, and a tree does not need it.
    if name in ("BNeuralTClassifier", "BNeuralTRegressor"):
        return getattr(importlib.import_module("coursepkg.neural_tree.estimators"), name)
    raise AttributeError(f"coursepkg.neural_tree has no {name!r}; it offers {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
