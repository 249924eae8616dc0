"""Train a module without a backward pass: fill every ``.grad`` from a forward pass, then step as always.

The one idea: an optimizer asks only for a gradient, not where it came from. So one function that fills ``.grad`` makes
every optimizer, the clipping and the training loop of the course work on forward gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg.autodiff.dispatch import plain
from coursepkg.autodiff.forward_mode import jvps
from coursepkg.estimators.directions import sample_directions
from coursepkg.estimators.forward_gradient import mean_estimate, one_of, spread
from coursepkg.nn.module import Module, functional_call
from coursepkg.optimizers import FirstOrder, clip_grad_norm_
from coursepkg.training import Trainer

__all__ = ["Fill", "ForwardTrainer", "fill_gradients"]

Fill = Callable[[Any, Callable[..., Any], Any, Any], tuple[Any, Any]]


def fill_gradients(
    model: Module,
    loss: Callable[..., Any],
    inputs: Any,
    targets: Any,
    *,
    directions: str = "rademacher",
    count: int = 1,
    rng: np.random.Generator,
) -> tuple[Any, Any]:
    """Leave a forward gradient in the ``.grad`` of each parameter, and return loss and output.

    Parameters
    ----------
    model : Module
        The model; all its parameters are perturbed together.
    loss : callable
        ``loss(predictions, targets)``, one number.
    inputs, targets : array
        The batch.
    directions, count, rng
        As for :func:`~coursepkg.estimators.forward_gradient.forward_gradient`.

    Returns
    -------
    loss : float
        Of the batch, before any step.
    output : ndarray
        What the model predicted.

    Raises
    ------
    ValueError
        If the model has no parameters, or the directions do not exist.

    Examples
    --------
    >>> from coursepkg import nn, optimizers
    >>> rng = np.random.default_rng(0)
    >>> line = nn.Linear(2, 1, rng=rng)
    >>> optimizer = optimizers.GD(line.parameters(), lr=0.1)
    >>> x, y = rng.normal(size=(50, 2)), rng.normal(size=(50, 1))
    >>> for _ in range(200):
    ...     loss, _ = fill_gradients(line, nn.mse_loss, x, y, rng=rng)
    ...     optimizer.step()
    >>> best = np.linalg.lstsq(np.c_[x, np.ones(50)], y, rcond=None)[1][0] / 50
    >>> bool(loss < 1.01 * best)
    True
    """
    point = {name: parameter.data for name, parameter in model.named_parameters()}
    if not point:
        raise ValueError(f"{type(model).__name__} has no parameters, so there is nothing to move and nothing to learn")
    size = sum(value.size for value in point.values())
    kind = np.result_type(*(value.dtype for value in point.values()))
    flat = sample_directions(directions, size, count=count, rng=rng, dtype=kind)

    def outcome(values: dict[str, Any]) -> tuple[Any, Any]:
        predicted = functional_call(model, values, inputs)
        return loss(predicted, targets), predicted

    (value, output), (slopes, _) = jvps(outcome, point, spread(point, flat))
    found = one_of(spread(point, mean_estimate(np.reshape(slopes, count), flat)), 0)
    for name, parameter in model.named_parameters():
        parameter.grad = found[name]
    return value, output


class ForwardTrainer(Trainer):
    """The course's training loop with gradients from a forward pass.

    Parameters
    ----------
    model : Module
        From a batch of inputs to predictions.
    loss : callable
        ``loss(predictions, targets)``, a mean over the batch.
    optimizer : FirstOrder
        Holds the model's parameters.
    fill : callable
        ``fill(model, loss, inputs, targets)`` leaves an estimate in each ``.grad`` and returns loss and output:
        :func:`fill_gradients`, :func:`~coursepkg.estimators.activity.fill_by_activities` or
        :func:`~coursepkg.estimators.rank_one.fill_by_rank_one`, each with its ``rng`` bound by ``functools.partial``.
    **options
        As for :class:`~coursepkg.training.Trainer`.

    Examples
    --------
    >>> from functools import partial
    >>> from coursepkg import datasets, nn, optimizers
    >>> from coursepkg.training import accuracy
    >>> rng = np.random.default_rng(0)
    >>> model = nn.Sequential(nn.Linear(2, 8, rng=rng), np.tanh, nn.Linear(8, 2, rng=rng))
    >>> optimizer = optimizers.Adam(model.parameters(), lr=0.1)
    >>> fill = partial(fill_gradients, count=4, rng=rng)
    >>> trainer = ForwardTrainer(model, nn.cross_entropy, optimizer, fill=fill, metric=accuracy)
    >>> history = trainer.fit(datasets.moons(200, rng=rng), epochs=40, batch_size=20, rng=rng)
    >>> history.metric[-1] > 0.95
    True
    """

    def __init__(
        self,
        model: Callable[[Any], Any],
        loss: Callable[[Any, Any], Any],
        optimizer: FirstOrder,
        *,
        fill: Fill,
        **options: Any,
    ) -> None:
        super().__init__(model, loss, optimizer, **options)
        if not callable(fill):
            raise TypeError(
                f"fill must be a function such as partial(fill_gradients, rng=rng), got {type(fill).__name__}"
            )
        self.fill = fill

    def _step(self, inputs: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
        """Feed forward with tangents, fill the gradients, update. Nothing is sent back."""
        self.optimizer.zero_grad()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            loss, out = self.fill(self.model, self.loss, inputs, targets)
            self._check_finite(loss, inputs)
            if self.max_grad_norm is not None:
                clip_grad_norm_(self.optimizer.parameters, self.max_grad_norm)
            self.optimizer.step(loss=loss)
        return float(plain(loss)), self._measure(out, targets)
