"""The training loop, written once: feed forward, compare, send back, update, and write down what happened.

Nothing here knows how a gradient is computed or used; that is the engine's and the optimizer's work. The loop adds
what every loop needs: batches, evaluation without history, a record that plots itself, and an early, plain message
when numbers stop being finite.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from coursepkg._drawings import drawing
from coursepkg.autodiff.dispatch import plain
from coursepkg.autodiff.tensor import no_grad
from coursepkg.datasets.prepare import batches
from coursepkg.optimizers import FirstOrder, clip_grad_norm_, global_norm

Pair = tuple[np.ndarray, np.ndarray]


class TrainingDiverged(FloatingPointError):
    """A loss, a gradient or a parameter is no longer a finite number; the message names the first one."""


class Evaluation(NamedTuple):
    """Loss, and metric or ``None``, over a whole data set."""

    loss: float
    metric: float | None


def accuracy(logits: np.ndarray, classes: np.ndarray) -> float:
    """Share of examples whose largest score is that of the right class.

    Parameters
    ----------
    logits : array, shape (n, classes)
        Scores.
    classes : array of int, shape (n,)
        The right classes.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.training import accuracy
    >>> accuracy(np.array([[0.1, 2.0], [3.0, 0.2]]), np.array([1, 1]))
    0.5
    """
    return float(np.mean(np.argmax(plain(logits), axis=-1) == classes))


def matthews_correlation(logits: np.ndarray, classes: np.ndarray) -> float:
    """Correlation of predicted and right class, for two classes of unequal size (Matthews, 1975).

    Parameters
    ----------
    logits : array, shape (n, 2)
        Scores.
    classes : array of int, shape (n,)
        The right classes, 0 or 1.

    Returns
    -------
    float
        From -1 to 1; 0 for whoever guesses, or always says the same. Of a whole set: the mean of its values on batches
        is something else.

    Raises
    ------
    ValueError
        If there are not two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.training import matthews_correlation
    >>> matthews_correlation(np.array([[2.0, 1.0], [0.0, 3.0], [0.1, 0.2]]), np.array([0, 1, 0]))
    0.5
    """
    scores, right = np.asarray(plain(logits)), np.asarray(classes)
    if scores.ndim != 2 or scores.shape[1] != 2 or right.shape != scores.shape[:1] or not np.isin(right, (0, 1)).all():
        raise ValueError(
            f"two scores per example and classes 0 or 1, got scores of shape {scores.shape} and classes of shape "
            f"{right.shape}"
        )
    said = np.argmax(scores, axis=-1)
    counts = np.array([[np.sum((right == i) & (said == j)) for j in (0, 1)] for i in (0, 1)], float)
    scale = np.prod(counts.sum(axis=0)) * np.prod(counts.sum(axis=1))
    return float((counts[0, 0] * counts[1, 1] - counts[0, 1] * counts[1, 0]) / np.sqrt(scale)) if scale else 0.0


@dataclass
class History:
    """What happened, one entry per epoch.

    Attributes
    ----------
    loss, metric : list of float
        Over the training examples, each as it was met during the epoch.
    validation_loss, validation_metric : list of float
        Over the validation set, after the epoch.
    lr : list of float
        Learning rate of the last step of the epoch.
    gradient_norms : dict of str to list of float
        Mean norm of each parameter's gradient over the batches, if the trainer was asked to watch.
    metric_name : str
        What the metric is called in plots.
    """

    loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_metric: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    gradient_norms: dict[str, list[float]] = field(default_factory=dict)
    metric_name: str = "metric"

    def plot(self, *, what: str = "loss", log: bool = False, title: str = "") -> Any:
        """Draw the loss or the metric by epoch.

        Parameters
        ----------
        what : {"loss", "metric"}
            Which record.
        log : bool
            Logarithmic axis.
        title : str
            A line over the plot.

        Returns
        -------
        Picture
        """
        if what not in ("loss", "metric"):
            raise ValueError(f"what must be 'loss' or 'metric', got {what!r}")
        runs = {"training": getattr(self, what), "validation": getattr(self, f"validation_{what}")}
        present = {name: run for name, run in runs.items() if run}
        if not present:
            raise ValueError(
                f"there is no {what} to plot; train first, and give the trainer a metric if you ask for it"
            )
        ylabel = "loss L" if what == "loss" else self.metric_name
        return drawing("draw_loss")(present, log=log, first=1, xlabel="epoch", ylabel=ylabel, title=title)

    def plot_gradients(self, *, epochs: Iterable[int] = (0, -1), title: str = "") -> Any:
        """Draw the norms of the gradients, parameter by parameter, at chosen epochs.

        Parameters
        ----------
        epochs : iterable of int
            Which epochs, counted from 0; by default the first and the last.
        title : str
            A line over the plot.

        Returns
        -------
        Picture
        """
        if not self.gradient_norms:
            raise ValueError("no gradient norms were recorded; make the Trainer with watch_gradients=True")
        chosen = [range(len(self.loss))[epoch] for epoch in epochs]
        norms = {f"epoch {epoch + 1}": [run[epoch] for run in self.gradient_norms.values()] for epoch in chosen}
        return drawing("draw_layer_norms")(norms, layers=list(self.gradient_norms), xlabel="parameter", title=title)

    def state_dict(self) -> dict[str, Any]:
        """The record as lists of numbers by name, each its own copy."""
        runs = {name: list(run) for name, run in vars(self).items() if isinstance(run, list)}
        norms = {f"gradient_norms.{name}": list(run) for name, run in self.gradient_norms.items()}
        return {"metric_name": self.metric_name, **runs, **norms}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> History:
        """The record that :meth:`state_dict` took apart; arrays from a file become lists again."""
        history = cls(metric_name=str(state["metric_name"]))
        runs = {name for name, run in vars(history).items() if isinstance(run, list)}
        for name in (name for name in state if name != "metric_name"):
            numbers = [float(number) for number in state[name]]
            if name in runs:
                setattr(history, name, numbers)
            elif name.startswith("gradient_norms."):
                history.gradient_norms[name.removeprefix("gradient_norms.")] = numbers
            else:
                raise KeyError(f"a history has no record of {name}; there are {', '.join(vars(history))}")
        return history

    def __repr__(self) -> str:
        if not self.loss:
            return "History(no epochs)"
        runs = [(name, run) for name, run in vars(self).items() if isinstance(run, list) and run]
        named = [(name.replace("metric", self.metric_name).replace("_", " "), run) for name, run in runs]
        text = ", ".join(f"{name} {run[0]:.4g} to {run[-1]:.4g}" for name, run in named)
        return f"History({len(self.loss)} epochs: {text})"


class Trainer:
    """A model, a loss and an optimizer, in a loop.

    Parameters
    ----------
    model : Module or callable
        From a batch of inputs to predictions.
    loss : callable
        ``loss(predictions, targets)``, a mean over the batch.
    optimizer : FirstOrder
        Holds the model's parameters.
    metric : callable, optional
        ``metric(predictions, targets)`` on plain arrays, a mean over the batch; for example :func:`accuracy`.
    max_grad_norm : float, optional
        Clip the gradients of each batch to this common norm.
    watch_gradients : bool
        Record the norm of each parameter's gradient.

    Attributes
    ----------
    history : History
        Grows with every call of :meth:`fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import datasets, nn, optimizers
    >>> from coursepkg.training import Trainer, accuracy
    >>> rng = np.random.default_rng(0)
    >>> model = nn.Sequential(nn.Linear(2, 8, rng=rng), np.tanh, nn.Linear(8, 2, rng=rng))
    >>> trainer = Trainer(model, nn.cross_entropy, optimizers.Adam(model.parameters(), lr=0.05), metric=accuracy)
    >>> history = trainer.fit(datasets.moons(200, rng=rng), epochs=20, batch_size=20, rng=rng)
    >>> history.metric[-1] > 0.95
    True
    """

    def __init__(
        self,
        model: Callable[[Any], Any],
        loss: Callable[[Any, Any], Any],
        optimizer: FirstOrder,
        *,
        metric: Callable[[np.ndarray, np.ndarray], float] | None = None,
        max_grad_norm: float | None = None,
        watch_gradients: bool = False,
    ) -> None:
        if not isinstance(optimizer, FirstOrder):
            raise TypeError(
                f"the loop calls optimizer.step() once per batch, which {type(optimizer).__name__} cannot do; "
                "call L-BFGS yourself with step(closure)"
            )
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.metric = metric
        self.max_grad_norm = max_grad_norm
        self.watch_gradients = watch_gradients
        self.history = History(metric_name=getattr(metric, "__name__", "metric"))
        self._names = _parameter_names(model, optimizer)

    def fit(
        self,
        data: Iterable[np.ndarray],
        *,
        epochs: int,
        batch_size: int,
        rng: np.random.Generator,
        validation: Iterable[np.ndarray] | None = None,
        progress: bool | None = None,
    ) -> History:
        """Train for some epochs; calling it again goes on where it stopped.

        Parameters
        ----------
        data : pair of ndarray, or Dataset
            Training inputs and targets. Model and loss get batches of them that are read-only.
        epochs : int
            Passes over the data.
        batch_size : int
            Examples per step.
        rng : numpy.random.Generator
            Source of the order of examples.
        validation : pair of ndarray, or Dataset, optional
            Evaluated after each epoch, without learning from it.
        progress : bool, optional
            Show a progress bar. By default as :func:`progress_bar` does.

        Returns
        -------
        History
            The whole record so far.

        Raises
        ------
        TrainingDiverged
            As soon as a number is not finite.
        """
        X, y = data
        held_out = None if validation is None else tuple(validation)
        bar = progress_bar(range(epochs), "training", unit="epoch", shown=progress)
        for _ in bar:
            self._epoch(X, y, batch_size, rng)
            if held_out is not None:
                found = self.evaluate(held_out)
                self.history.validation_loss.append(found.loss)
                if found.metric is not None:
                    self.history.validation_metric.append(found.metric)
            bar.set_postfix(loss=f"{self.history.loss[-1]:.4g}", refresh=False)
        return self.history

    def state_dict(self) -> dict[str, Any]:
        """Model, optimizer and history as one flat dict of plain data, to be saved between two calls of :meth:`fit`.

        The names begin with ``model.``, ``optimizer.`` and ``history.``, and ``numpy.savez(path, **state)`` writes
        them. What is drawn is not in here: save ``rng.bit_generator.state`` of each generator (that of :meth:`fit`,
        those of dropout), which is plain data too. A schedule is a function and is given again.

        Returns
        -------
        dict of str to number, list or ndarray
            Copies.

        Examples
        --------
        >>> import numpy as np
        >>> from coursepkg import datasets, nn, optimizers
        >>> from coursepkg.training import Trainer
        >>> def trainer():
        ...     model = nn.Linear(2, 2, rng=np.random.default_rng(0))
        ...     return Trainer(model, nn.cross_entropy, optimizers.Adam(model.parameters()))
        >>> rng = np.random.default_rng(1)
        >>> data = datasets.moons(60, rng=rng)
        >>> first = trainer()
        >>> history = first.fit(data, epochs=3, batch_size=20, rng=rng)
        >>> second = trainer()
        >>> second.load_state_dict(first.state_dict())
        >>> history = second.fit(data, epochs=2, batch_size=20, rng=rng)
        >>> len(history.loss), second.optimizer.steps
        (5, 15)
        """
        parts = {"model": self._module(), "optimizer": self.optimizer, "history": self.history}
        return {f"{part}.{name}": entry for part, owner in parts.items() for name, entry in owner.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another trainer stopped; nothing changes unless all of it fits.

        Parameters
        ----------
        state : mapping of str to number, list or array_like
            As from :meth:`state_dict`, or read back from a file.

        Raises
        ------
        KeyError, ValueError
            If the state does not fit model or optimizer; the message says where.
        """
        model, parts = self._module(), {part: _under(part, state) for part in ("model", "optimizer", "history")}
        history, before = History.from_state_dict(parts["history"]), model.state_dict()
        model.load_state_dict(parts["model"])
        try:
            self.optimizer.load_state_dict(parts["optimizer"])
        except (KeyError, TypeError, ValueError):
            model.load_state_dict(before)
            raise
        self.history = history

    def _module(self) -> Any:
        if not hasattr(self.model, "load_state_dict"):
            raise TypeError(
                "the model is a plain function, which has no state to save; make it an nn.Module, or save its tensors "
                "yourself and the optimizer by optimizer.state_dict()"
            )
        return self.model

    def evaluate(self, data: Iterable[np.ndarray], *, batch_size: int = 1000) -> Evaluation:
        """Loss and metric over a data set, in evaluation mode and without recording a graph.

        Parameters
        ----------
        data : pair of ndarray, or Dataset
            Inputs and targets.
        batch_size : int
            Examples per forward pass.

        Returns
        -------
        Evaluation
            ``loss`` and ``metric``.
        """
        X, y = data
        if not len(X):
            raise ValueError("there are no examples to evaluate")
        totals = np.zeros(2)
        with no_grad(), _mode(self.model, training=False):
            for start in range(0, len(X), batch_size):
                part = slice(start, start + batch_size)
                out = self.model(X[part])
                totals += len(X[part]) * np.array([_number(self.loss(out, y[part])), self._measure(out, y[part])])
        loss, metric = totals / len(X)
        return Evaluation(float(loss), None if self.metric is None else float(metric))

    def _epoch(self, X: np.ndarray, y: np.ndarray, batch_size: int, rng: np.random.Generator) -> None:
        totals, norms, count = np.zeros(2), np.zeros(len(self._names)), 0
        lr = self.optimizer.current_lr
        with _mode(self.model, training=True):
            for inputs, targets in batches(X, y, batch_size, rng=rng):
                # A batch is new memory that nobody else holds; frozen, it goes onto the tape without another copy.
                inputs.flags.writeable = targets.flags.writeable = False
                lr = self.optimizer.current_lr
                loss, metric = self._step(inputs, targets)
                totals += len(inputs) * np.array([loss, metric])
                count += 1
                if self.watch_gradients:
                    norms += [global_norm([] if p.grad is None else [plain(p.grad)]) for p in self.optimizer.parameters]
        loss, metric = totals / len(X)
        self.history.loss.append(float(loss))
        self.history.lr.append(lr)
        if self.metric is not None:
            self.history.metric.append(float(metric))
        if self.watch_gradients:
            for name, norm in zip(self._names, norms / count, strict=True):
                self.history.gradient_norms.setdefault(name, []).append(float(norm))

    def _step(self, inputs: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
        """Feed forward, compare, send back, update."""
        self.optimizer.zero_grad()
        # Overflow is looked for below, by name; NumPy's warning could only say "somewhere".
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            out = self.model(inputs)
            loss = self.loss(out, targets)
            if not hasattr(loss, "backward"):
                raise TypeError(
                    f"the loss is a plain {type(loss).__name__} without a history, so nothing can be learned from it; "
                    "the model or the loss must compute with the optimizer's parameters, which are tensors"
                )
            loss.backward()
            self._check_finite(loss, inputs)
            if self.max_grad_norm is not None:
                clip_grad_norm_(self.optimizer.parameters, self.max_grad_norm)
            self.optimizer.step(loss=loss)
        return _number(loss), self._measure(out, targets)

    def _measure(self, out: Any, targets: np.ndarray) -> float:
        return 0.0 if self.metric is None else float(self.metric(plain(out), targets))

    def _check_finite(self, loss: Any, inputs: np.ndarray) -> None:
        """Name the first thing that is not finite: an input, a parameter, the loss, a gradient."""
        where = f"in epoch {len(self.history.loss) + 1}, step {self.optimizer.steps + 1}"
        named = list(zip(self._names, self.optimizer.parameters, strict=True))
        gradients = [(name, plain(p.grad)) for name, p in named if p.grad is not None]
        if np.isfinite(_number(loss)) and all(np.isfinite(gradient).all() for _, gradient in gradients):
            return
        if not np.isfinite(inputs).all():
            raise TrainingDiverged(f"training stopped {where}: the inputs hold NaN or infinity; clean the data first")
        advice = "Try a smaller learning rate, clip the gradients (max_grad_norm), or check the scale of the inputs."
        for what, arrays in (
            ("the parameter", [(name, p.data) for name, p in named]),
            ("the gradient of", gradients),
        ):
            for name, array in arrays:
                if not np.isfinite(array).all():
                    kind = "NaN" if np.isnan(array).any() else "infinity"
                    raise TrainingDiverged(f"training stopped {where}: {what} {name} holds {kind}. {advice}")
        raise TrainingDiverged(f"training stopped {where}: the loss is {_number(loss)}. {advice}")


def progress_bar(steps: Iterable[Any], what: str, *, unit: str = "step", shown: bool | None = None) -> Any:
    """Go through a loop and show live how far it is.

    Parameters
    ----------
    steps : iterable
        What to loop over.
    what : str
        What is going on; stands before the bar.
    unit : str
        What one step is called.
    shown : bool, optional
        Whether to show it. By default in a terminal and in a notebook, and nowhere else. In a notebook the bar takes
        itself away when the loop ends, so that nothing of it is saved; the environment variable ``TQDM_DISABLE=1``
        keeps it from appearing, which is how this course's notebooks are stored and tested.

    Returns
    -------
    tqdm
        An iterator over ``steps``.

    Examples
    --------
    >>> [2 * step for step in progress_bar(range(3), "doubling", shown=False)]
    [0, 2, 4]
    """
    from tqdm import tqdm  # only when something is trained

    if shown is None and type(sys.stdout).__module__.startswith("ipykernel"):
        # What a notebook gets from stderr looks like a warning.
        return tqdm(steps, desc=what, unit=unit, file=sys.stdout, leave=False, ncols=80)
    return tqdm(steps, desc=what, unit=unit, disable=None if shown is None else not shown)


@contextmanager
def _mode(model: Any, *, training: bool) -> Iterator[None]:
    """Switch a module to a mode and back, part by part; a plain function has no modes."""
    modules = [module for _, module in model.named_modules()] if hasattr(model, "named_modules") else []
    before = [module.training for module in modules]
    for module in modules:
        module.training = training
    try:
        yield
    finally:
        for module, mode in zip(modules, before, strict=True):
            module.training = mode


def _under(part: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a trainer's state that belong to a part of it, under their own names."""
    found = {name.removeprefix(f"{part}."): state[name] for name in state if name.startswith(f"{part}.")}
    if not found:
        raise KeyError(f"the state has nothing under '{part}.'; save what trainer.state_dict() returns")
    return found


def _number(loss: Any) -> float:
    return float(plain(loss))


def _parameter_names(model: Any, optimizer: FirstOrder) -> list[str]:
    """The model's own names for the optimizer's parameters, where it has some."""
    known = {id(p): name for name, p in model.named_parameters()} if hasattr(model, "named_parameters") else {}
    return [known.get(id(p), name) for name, p in zip(optimizer.names, optimizer.parameters, strict=True)]
