"""Perturb what the units say, not every weight: far fewer numbers, hence far less noise.

The one idea: a layer with q outputs and p inputs has p q weights but only q outputs. Shake the outputs by ε, read off
how the loss of each example moves, d_n, and credit the weights with d_n ε_n x_nᵀ, because the derivative of an output
by its own weight is the input, known on the spot (Ren, Kornblith, Liao and Hinton 2022).

The price is memory: d_n is known only at the end of the pass, and the update needs the input of each layer, so all of
them are kept, as in backpropagation. :mod:`~coursepkg.estimators.local` gives each block a loss of its own, so that d_n
is known at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.dispatch import tracing
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.estimators.directions import signs
from coursepkg.nn.layers import Linear
from coursepkg.nn.module import Module, Sequential, functional_call

__all__ = ["fill_by_activities", "steps_of"]


def fill_by_activities(
    model: Sequential,
    loss: Callable[..., Any],
    inputs: Any,
    targets: Any,
    *,
    directions: str = "rademacher",
    per_example: bool = True,
    rng: np.random.Generator,
) -> tuple[Any, Any]:
    """Leave a forward gradient by activity perturbation in the ``.grad`` of each parameter.

    Parameters
    ----------
    model : Sequential
        Layers one after the other; those that have parameters have their outputs perturbed, all in the same pass.
    loss : callable
        ``loss(predictions, targets, reduction=...)`` as in :mod:`coursepkg.nn.losses`.
    inputs, targets : array
        The batch; examples along the first axis.
    directions : {"rademacher", "gaussian"}
        Signs or normal numbers for the perturbations; signs are less noisy.
    per_example : bool
        Whether each example's own slope goes with its perturbation, or one slope of the mean loss with all of them.
        The first is less noisy by about the size of the batch.
    rng : numpy.random.Generator
        Source of the perturbations.

    Returns
    -------
    loss : float
        Mean over the batch.
    output : ndarray
        What the model predicted.

    Raises
    ------
    TypeError
        If the model is not a Sequential.
    ValueError
        If the directions are unknown.
    """
    steps = list(steps_of(model))
    return perturbed_pass(steps, loss, inputs, targets, directions, per_example, check_rng(rng))[:2]


def perturbed_pass(
    steps: list[Any], loss: Callable[..., Any], inputs: Any, targets: Any, directions: str, per_example: bool,
    rng: np.random.Generator, look_at: int = 0,
) -> tuple[Any, np.ndarray, np.ndarray]:  # fmt: skip
    """Run the steps with noise on the output of each that has parameters, and leave an estimate in their ``.grad``.

    Returns the mean loss, the output, and the value that went into step number ``look_at``.
    """
    if directions not in ("rademacher", "gaussian"):
        raise ValueError(f"activities are perturbed by 'rademacher' or 'gaussian' numbers, got {directions!r}")
    with tracing() as bit:
        h: Any = np.asarray(inputs)
        kept, seen = [], h
        for number, step in enumerate(steps):
            parameters = _parameters(step)
            before: Any = h.value if type(h) is Dual else h
            if number == look_at:
                seen = before
            h = functional_call(step, parameters, h) if parameters else step(h)
            if not parameters:
                continue
            value: Any = h.value if type(h) is Dual else h
            noise = _noise(directions, value, rng)
            h = Dual(value, h.tangent + noise if type(h) is Dual else noise, bit)
            kept.append((step, parameters, before, noise))
        outcome = loss(h, targets, reduction="none" if per_example else "mean")
        output = h.value
    slopes = outcome.tangent / len(output) if per_example else outcome.tangent
    for step, parameters, before, noise in kept:
        per_row = np.reshape(slopes, np.shape(slopes) + (1,) * (noise.ndim - np.ndim(slopes)))
        for name, gradient in _local(step, parameters, before, per_row * noise).items():
            dict(step.named_parameters())[name].grad = gradient
    return np.mean(outcome.value), output, seen


def steps_of(model: Any) -> Iterator[Any]:
    """Yield the steps of a Sequential, those of a Sequential inside it included.

    Raises
    ------
    TypeError
        If the model is something else.
    """
    if not isinstance(model, Sequential):
        raise TypeError(
            f"this needs the layers one after the other, in an nn.Sequential; got {type(model).__name__}. For any "
            "other model perturb the weights: fill_gradients"
        )
    for step in model:
        if isinstance(step, Sequential):
            yield from steps_of(step)
        else:
            yield step


def _parameters(step: Any) -> dict[str, np.ndarray]:
    return {name: p.data for name, p in step.named_parameters()} if isinstance(step, Module) else {}


def _noise(directions: str, like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if directions == "rademacher":
        return signs(like.shape, rng, like.dtype)
    return rng.standard_normal(like.shape).astype(like.dtype, copy=False)


def _local(step: Any, parameters: dict[str, np.ndarray], before: np.ndarray, due: np.ndarray) -> dict[str, np.ndarray]:
    """What is due at the output of one layer, as gradients of this layer's own parameters; it goes no further."""
    if type(step) is Linear and before.ndim == 2:
        found = {"weight": due.T @ before}
        return found | {"bias": due.sum(axis=0)} if step.bias is not None else found
    return vjp(lambda values: functional_call(step, values, before), parameters)[1](due)
