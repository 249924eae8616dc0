"""The neural tree beside models that everybody has, on the same splits, with nothing chosen on a test set.

The one idea: a comparison names for each model what it may set, so numbers are counted in one way for all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg import datasets
from coursepkg.neural_tree.estimators import BNeuralTClassifier

__all__ = ["as_rows", "contest", "contestants", "numbers_in"]


def contestants(seed: int) -> dict[str, Any]:
    """Five scikit-learn estimators with the settings of chapter 10; `seed` is for those that draw.

    Examples
    --------
    >>> list(contestants(0))
    ['neural tree', 'logistic regression', 'perceptron', 'decision tree', 'random forest']
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.tree import DecisionTreeClassifier

    net: dict[str, Any] = {"activation": "logistic", "learning_rate_init": 0.02, "max_iter": 2000, "tol": 1e-3}
    return {
        "neural tree": BNeuralTClassifier(start="normal", loss="cross_entropy", random_state=seed),
        "logistic regression": LogisticRegression(max_iter=2000),
        "perceptron": MLPClassifier(100, **net, random_state=seed),
        "decision tree": DecisionTreeClassifier(random_state=seed),
        "random forest": RandomForestClassifier(random_state=seed),
    }


def numbers_in(model: Any) -> int:
    """How many numbers training has set in a fitted model.

    Weights and biases; in a decision tree an input and a threshold per split, and a class per leaf. The wiring of a
    neural tree comes from the dice, and is not counted.
    """
    if hasattr(model, "estimators_"):
        return sum(numbers_in(tree) for tree in model.estimators_)
    if hasattr(model, "tree_") and hasattr(model, "get_n_leaves"):
        return int(2 * model.tree_.node_count - model.get_n_leaves())
    if hasattr(model, "coefs_"):
        return sum(array.size for array in (*model.coefs_, *model.intercepts_))
    return int(getattr(model, "n_parameters_", 0) or model.coef_.size + model.intercept_.size)


def contest(data: tuple[np.ndarray, np.ndarray], splits: int = 2) -> dict[str, tuple[float, float]]:
    """Trained numbers and test accuracy of each model, averaged over a few splits of one data set.

    Parameters
    ----------
    data : (ndarray, ndarray)
        Inputs, shape (n, features), and classes.
    splits : int
        How many; the split and the models of each have its number as their seed.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in range(splits):
        cut = datasets.split(*data, validation=0, stratify=True, rng=np.random.default_rng(seed))
        parts = cut.scaled(datasets.Scaler.minmax)
        for name, model in contestants(seed).items():
            model.fit(*parts.train)
            found.setdefault(name, []).append((numbers_in(model), float(model.score(*parts.test))))
    return {name: (float(np.mean([p[0] for p in pairs])), float(np.mean([p[1] for p in pairs])))
            for name, pairs in found.items()}  # fmt: skip


def as_rows(results: dict[str, dict[str, tuple[float, float]]]) -> list[dict[str, str]]:
    """Rows of a table from the contests on several data sets: the model, its numbers on average, and its accuracies.

    Examples
    --------
    >>> as_rows({"iris": {"tree": (10, 0.95)}, "wine": {"tree": (20, 0.9)}})
    [{'model': 'tree', 'trained numbers': '15', 'iris': '95.0 %', 'wine': '90.0 %'}]
    """
    rows = []
    for model in next(iter(results.values())):
        size = np.mean([found[model][0] for found in results.values()])
        scores = {table: f"{100 * found[model][1]:.1f} %" for table, found in results.items()}
        rows.append({"model": model, "trained numbers": f"{size:.0f}"} | scores)
    return rows
