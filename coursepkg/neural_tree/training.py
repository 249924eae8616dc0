"""Training a tree, and choosing which of the many parameter vectors on the way to keep.

The one idea: whatever chooses, learns. Chosen by a validation part, the test part stays unseen and its score is honest.
The published numbers were chosen by the best score *on the test part*, looked at after every single update (so the
authors' code, github.com/vojha-code/BNeuralT); that rule is here under its name, ``"peek_at_test"``, and a run that
peeks keeps all three choices, so that they can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.datasets.prepare import Scaler, Split, one_hot
from coursepkg.neural_tree.compiled import CompiledTree
from coursepkg.neural_tree.descent import find_optimizer
from coursepkg.neural_tree.losses import Loss, find_loss
from coursepkg.neural_tree.structure import Tree
from coursepkg.optimizers import FirstOrder
from coursepkg.training import TrainingDiverged

SELECTIONS = ("validation", "last", "peek_at_test")


@dataclass
class History:
    """One number per epoch, measured after it.

    Attributes
    ----------
    fit_loss, validation_loss : list of float
        The training loss on both parts; the second is empty without a validation part.
    fit_score, validation_score : list of float
        Accuracy, or r² for regression.
    test_score : list of float
        Only of a run that peeks.
    """

    fit_loss: list[float] = field(default_factory=list)
    fit_score: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_score: list[float] = field(default_factory=list)
    test_score: list[float] = field(default_factory=list)


@dataclass
class Run:
    """What training leaves behind.

    Attributes
    ----------
    tree : Tree
        A trained copy, with the parameters that the rule ``selection`` chose.
    selection : str
        The rule that chose.
    parameters : dict of str to ndarray
        The choice of each rule: ``"last"``; ``"validation"`` if there was a validation part; ``"peek_at_test"`` only
        if asked for.
    history : History
        How it went, epoch by epoch.
    target_scaler : Scaler or None
        For regression: how y was scaled to [0, 1], fitted on the training part.
    updates, peeks : int
        Number of updates, and of looks at the test part.
    """

    tree: Tree
    selection: str
    parameters: dict[str, np.ndarray]
    history: History
    target_scaler: Scaler | None
    updates: int
    peeks: int = 0

    def outputs(self, X: np.ndarray, *, selection: str | None = None) -> np.ndarray:
        """Values of the outputs, shape (n, n_outputs), with the parameters that a rule chose (default: the run's)."""
        chosen = self.selection if selection is None else selection
        if chosen not in self.parameters:
            raise ValueError(f"this run has no choice by {chosen!r}; it has {', '.join(map(repr, self.parameters))}")
        return CompiledTree(self.tree).outputs(self.parameters[chosen], X)

    def predict(self, X: np.ndarray, *, selection: str | None = None) -> np.ndarray:
        """Class numbers, or predictions in the units of y, shape (n,)."""
        Y = self.outputs(X, selection=selection)
        return Y.argmax(axis=1) if self.target_scaler is None else self.target_scaler.inverse(Y[:, 0])

    def score(self, X: np.ndarray, y: np.ndarray, *, selection: str | None = None) -> float:
        """Accuracy, or r² for regression.

        Parameters
        ----------
        X : ndarray, shape (n, n_inputs)
            Inputs.
        y : ndarray, shape (n,)
            Class numbers, or real targets.
        selection : str, optional
            Whose choice of parameters to score; by default that of the run.
        """
        prediction = self.predict(X, selection=selection)
        return _accuracy(prediction, y) if self.target_scaler is None else _r2(prediction, y)


def train(
    tree: Tree,
    parts: Split,
    *,
    optimizer: str = "rmsprop",
    lr: float = 0.1,
    loss: str = "squared",
    epochs: int = 100,
    batch_size: int | None = 1,
    selection: str = "validation",
    rng: np.random.Generator,
) -> Run:
    """Train a copy of a tree.

    Parameters
    ----------
    tree : Tree
        Where to start; it is left as it is.
    parts : Split
        From :func:`coursepkg.datasets.split`, already scaled with ``.scaled(Scaler.minmax)``, which fits the scaling
        on the training part alone. ``y`` holds class numbers, or real targets for a tree with one output; these are
        scaled to [0, 1] by the training part and scaled back in predictions.
    optimizer : str
        One of the paper's six: ``"gd"``, ``"momentum"``, ``"nesterov"``, ``"adagrad"``, ``"rmsprop"``, ``"adam"``; or
        ``"adam_fixed_step"``, see :mod:`coursepkg.neural_tree.descent`.
    lr : float
        Learning rate.
    loss : {"squared", "cross_entropy"}
        The paper's loss, or cross-entropy of each output.
    epochs : int
        Times through the training part, each in a new random order.
    batch_size : int or None
        Examples per update: 1 is stochastic, as published; None is the whole training part.
    selection : {"validation", "last", "peek_at_test"}
        Which parameters to keep: those of the epoch with the lowest validation loss; the last; or, as published, those
        with the best *test* score after any update. The first two never touch the test part.
    rng : numpy.random.Generator
        Source of the order of examples.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the data do not fit the tree, hold NaN, or the rule lacks the part it chooses by.
    TrainingDiverged
        If a parameter grows beyond all numbers.
    """
    if selection not in SELECTIONS:
        raise ValueError(f"selection is one of {', '.join(map(repr, SELECTIONS))}, got {selection!r}")
    if epochs < 1 or (batch_size is not None and batch_size < 1):
        raise ValueError(f"epochs and batch_size must be at least 1, got {epochs} and {batch_size}")
    trainer = _Trainer(tree, parts, find_loss(loss), selection)
    theta = tree.parameters()
    descend = find_optimizer(optimizer)(theta, lr=lr)
    size = len(parts.train[1]) if batch_size is None else batch_size
    rng = check_rng(rng)
    for _ in range(epochs):
        trainer.epoch(theta, descend, size, rng)
    return trainer.result(theta)


class _Part:
    """One part of the data as the passes want it: examples in columns, targets between 0 and 1."""

    def __init__(self, tree: Tree, name: str, part: tuple[np.ndarray, np.ndarray], scaler: Scaler | None) -> None:
        X, self.y = np.asarray(part[0], dtype=np.float64), np.asarray(part[1])
        if X.ndim != 2 or X.shape[1] != tree.n_inputs or self.y.shape != X.shape[:1]:
            raise ValueError(
                f"the {name} part has X of shape {X.shape} and y of shape {self.y.shape}; this tree needs "
                f"(n, {tree.n_inputs}) and (n,)"
            )
        if not (np.isfinite(X).all() and np.isfinite(self.y).all()):
            raise ValueError(f"the {name} part holds NaN or infinity; clean the data first")
        self.inputs = np.ascontiguousarray(X.T)
        self.scaler = scaler
        targets = one_hot(self.y, len(tree.outputs)) if scaler is None else scaler(self.y)[:, None]
        self.targets = np.ascontiguousarray(targets.T)

    def score(self, outputs: np.ndarray) -> float:
        """Accuracy or r² of outputs of shape (n_outputs, n)."""
        if self.scaler is None:
            return _accuracy(outputs.argmax(axis=0), self.y)
        return _r2(self.scaler.inverse(outputs[0]), self.y)


class _Trainer:
    """One run under way."""

    def __init__(self, tree: Tree, parts: Split, loss: Loss, selection: str) -> None:
        self.tree, self.loss, self.selection = tree.copy(), loss, selection
        self.fast = CompiledTree(self.tree)
        if not len(parts.train[1]):
            raise ValueError("the training part is empty")
        self.scaler = Scaler.minmax(np.asarray(parts.train[1], dtype=np.float64)) if len(tree.outputs) == 1 else None
        self.fit = _Part(tree, "training", parts.train, self.scaler)
        self.validation = _Part(tree, "validation", parts.validation, self.scaler) if len(parts.validation[1]) else None
        if selection == "validation" and self.validation is None:
            raise ValueError("selection='validation' needs a validation part; split with validation=0.16, say")
        if selection == "peek_at_test" and not len(parts.test[1]):
            raise ValueError("selection='peek_at_test' needs a test part to peek at")
        # Only a run that says so in so many words gets to see the test part.
        self.test = _Part(tree, "test", parts.test, self.scaler) if selection == "peek_at_test" else None
        self.history = History()
        self.best: dict[str, tuple[float, np.ndarray]] = {}
        self.updates = self.peeks = 0

    def epoch(self, theta: np.ndarray, optimizer: FirstOrder, size: int, rng: np.random.Generator) -> None:
        """Once through the training part, then look at what came out."""
        order = rng.permutation(self.fit.inputs.shape[1])
        # Overflow is looked for by name after the epoch; NumPy's warning could only say "somewhere".
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(order), size):
                rows = order[start : start + size]
                optimizer.step(self._gradient(theta, self.fit.inputs[:, rows], self.fit.targets[:, rows]))
                self.updates += 1
        if not np.isfinite(theta).all():
            raise TrainingDiverged(
                f"stopped in epoch {len(self.history.fit_loss) + 1}: a parameter is no longer a finite number; "
                "try a smaller learning rate"
            )
        self._look(theta)

    def _gradient(self, theta: np.ndarray, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The gradient of a batch. If this run peeks, the test examples ride along in the same forward pass.

        A forward pass of 31 examples costs little more than one of a single example, so that the look after update k
        comes nearly free with the forward pass of update k + 1.
        """
        n = inputs.shape[1]
        if self.test is None:
            values = self.fast.run(theta, inputs)
        else:
            values = self.fast.run(theta, np.concatenate([inputs, self.test.inputs], axis=1))
            if self.updates:
                self._peek(theta, values[: self.fast.n_outputs, n:])
            values = values[:, :n]
        delta = self.loss.delta(values[: self.fast.n_outputs], targets)
        return self.fast.send_back(inputs, values, delta)

    def _look(self, theta: np.ndarray) -> None:
        """Record an epoch; keep the parameters if their validation loss is the lowest so far."""
        history = self.history
        for part, losses, scores in (
            (self.fit, history.fit_loss, history.fit_score),
            (self.validation, history.validation_loss, history.validation_score),
        ):
            if part is not None:
                outputs = self.fast.run(theta, part.inputs)[: self.fast.n_outputs]
                losses.append(self.loss.value(outputs.T, part.targets.T))
                scores.append(part.score(outputs))
        if history.validation_loss:
            self._keep("validation", -history.validation_loss[-1], theta)
        if self.test is not None:
            history.test_score.append(self.test.score(self.fast.run(theta, self.test.inputs)[: self.fast.n_outputs]))

    def _peek(self, theta: np.ndarray, outputs: np.ndarray) -> None:
        assert self.test is not None
        self.peeks += 1
        self._keep("peek_at_test", self.test.score(outputs), theta)

    def _keep(self, rule: str, score: float, theta: np.ndarray) -> None:
        if rule not in self.best or score > self.best[rule][0]:
            self.best[rule] = (score, theta.copy())

    def result(self, theta: np.ndarray) -> Run:
        """The finished run."""
        if self.test is not None:
            self._peek(theta, self.fast.run(theta, self.test.inputs)[: self.fast.n_outputs])
        parameters = {"last": theta.copy()} | {rule: best for rule, (_, best) in self.best.items()}
        self.tree.set_parameters(parameters[self.selection])
        return Run(
            self.tree, self.selection, parameters, self.history, self.scaler, updates=self.updates, peeks=self.peeks
        )


def _accuracy(prediction: np.ndarray, y: np.ndarray) -> float:
    return float(np.count_nonzero(prediction == y)) / len(y)


def _r2(prediction: np.ndarray, y: np.ndarray) -> float:
    """Share of the variance that is explained; where y is constant, 1 for a perfect prediction and 0 otherwise."""
    residual, total = float(np.sum((y - prediction) ** 2)), float(np.sum((y - np.mean(y)) ** 2))
    return 1.0 - residual / total if total else float(residual == 0.0)
