"""Neural trees as scikit-learn estimators, so that they can be cross-validated next to a random forest.

``fit`` does what an honest experiment does: it sets a validation part aside, fits the scaling on the rest, grows a tree
at random, trains it, and keeps the epoch with the lowest validation loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from coursepkg.datasets.prepare import Scaler, Split, split
from coursepkg.neural_tree.growing import random_tree
from coursepkg.neural_tree.training import train


class _BNeuralT(BaseEstimator):
    """What both estimators share: the options, the scaling, the split and the training."""

    def __init__(
        self,
        *,
        max_depth: int = 5,
        max_children: int = 5,
        leaf_probability: float = 0.4,
        start: str = "normal",
        more_than: int = 0,
        optimizer: str = "adam",
        learning_rate: float = 0.02,
        loss: str = "squared",
        batch_size: int | None = 16,
        epochs: int = 100,
        validation_fraction: float = 0.2,
        random_state: Any = None,
    ) -> None:
        self.max_depth = max_depth
        self.max_children = max_children
        self.leaf_probability = leaf_probability
        self.start = start
        self.more_than = more_than
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.loss = loss
        self.batch_size = batch_size
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _grow_and_train(self, X: np.ndarray, y: np.ndarray, n_outputs: int) -> None:
        rng = _generator(self.random_state)
        tree = random_tree(
            X.shape[1],
            n_outputs,
            max_depth=self.max_depth,
            max_children=self.max_children,
            leaf_probability=self.leaf_probability,
            start=self.start,
            more_than=self.more_than,
            rng=rng,
        )
        parts = self._parts(X, y, stratify=n_outputs > 1, rng=rng)
        self.scaler_ = Scaler.minmax(parts.train[0])
        parts = parts.scaled(lambda _: self.scaler_)
        self.run_ = train(
            tree,
            parts,
            optimizer=self.optimizer,
            lr=self.learning_rate,
            loss=self.loss,
            epochs=self.epochs,
            batch_size=self.batch_size,
            selection="validation" if len(parts.validation[1]) else "last",
            rng=rng,
        )
        self.tree_ = self.run_.tree
        self.n_parameters_ = self.tree_.n_parameters

    def _parts(self, X: np.ndarray, y: np.ndarray, *, stratify: bool, rng: np.random.Generator) -> Split:
        if not 0.0 <= self.validation_fraction < 1.0:
            raise ValueError(f"validation_fraction is from 0 to below 1, got {self.validation_fraction}")
        return split(X, y, validation=self.validation_fraction, test=0.0, stratify=stratify, rng=rng)

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self.run_.outputs(self.scaler_(validate_data(self, X, reset=False)))


class BNeuralTClassifier(ClassifierMixin, _BNeuralT):
    """Classify with a neural tree.

    Parameters
    ----------
    max_depth, max_children, leaf_probability, start, more_than
        How the tree grows, as for :func:`coursepkg.neural_tree.random_tree`. Luck has a part in it: a tree that came
        out very small cannot tell three classes apart; ``more_than=100`` grows another one then.
    optimizer, learning_rate, loss, batch_size, epochs
        How it is trained, as for :func:`coursepkg.neural_tree.train`. The published settings are ``"rmsprop"``, 0.1,
        ``"squared"``, 1 and 500; the defaults take a fiftieth of the time.
    validation_fraction : float
        Share of the data that chooses the epoch and is not trained on; 0 keeps the last epoch.
    random_state : int, RandomState, Generator or None
        Source of the tree, the split and the order of examples.

    Attributes
    ----------
    classes_ : ndarray
        The classes.
    tree_ : Tree
        The trained tree; its inputs are scaled by ``scaler_``.
    run_ : Run
        How training went.
    n_parameters_ : int
        Trained numbers.

    Examples
    --------
    >>> from coursepkg import datasets
    >>> from coursepkg.neural_tree import BNeuralTClassifier
    >>> X, y = datasets.iris()
    >>> BNeuralTClassifier(random_state=1).fit(X, y).score(X, y) > 0.9
    True
    """

    def fit(self, X: Any, y: Any) -> BNeuralTClassifier:
        """Grow a tree and train it.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
            Inputs.
        y : array_like, shape (n,)
            Classes, at least two.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"this classifier needs samples of at least 2 classes in the data, but the data contain only one "
                f"class: {self.classes_[0]!r}"
            )
        self._grow_and_train(X, numbers, len(self.classes_))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The class whose output is largest, shape (n,)."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The outputs divided by their sum, shape (n, n_classes). They are shares rather than calibrated odds."""
        outputs = self._outputs(X)
        return outputs / outputs.sum(axis=1, keepdims=True)


class BNeuralTRegressor(RegressorMixin, _BNeuralT):
    """Predict a number with a neural tree; y is scaled to [0, 1] for the sigmoid and scaled back.

    Parameters
    ----------
    max_depth, max_children, leaf_probability, start, more_than
        How the tree grows, as for :func:`coursepkg.neural_tree.random_tree`.
    optimizer, learning_rate, loss, batch_size, epochs
        How it is trained, as for :func:`coursepkg.neural_tree.train`.
    validation_fraction : float
        Share of the data that chooses the epoch and is not trained on; 0 keeps the last epoch.
    random_state : int, RandomState, Generator or None
        Source of the tree, the split and the order of examples.

    Attributes
    ----------
    tree_, run_, n_parameters_
        As for :class:`BNeuralTClassifier`.
    """

    def fit(self, X: Any, y: Any) -> BNeuralTRegressor:
        """Grow a tree and train it.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
            Inputs.
        y : array_like, shape (n,)
            Real targets.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._grow_and_train(X, np.asarray(y, dtype=np.float64), 1)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predictions in the units of y, shape (n,)."""
        check_is_fitted(self)
        return self.run_.predict(self.scaler_(validate_data(self, X, reset=False)))


def _generator(random_state: Any) -> np.random.Generator:
    if isinstance(random_state, np.random.Generator):
        return random_state
    return np.random.default_rng(check_random_state(random_state).randint(2**31, size=4))
