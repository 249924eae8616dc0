"""Routes to the gradient of a recurrent layer under one call: the whole past, a part of it, or none of it stored.

``route(layer, x, loss)`` is the gradient of the sum over t of ``loss(t, h_t)``. Backpropagation through time goes all
the way back (Werbos, 1990); truncation goes back some steps and is wrong by what it leaves out; random truncation is
right on average (Tallec and Ollivier, 2017); real-time recurrent learning goes forward, needs no past, and pays for it
in computation (Williams and Zipser, 1989).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.dispatch import plain, tracing
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.reverse_mode import reverse
from coursepkg.nn.module import Module, functional_call
from coursepkg.nn.recurrent.layers import Recurrence

__all__ = ["bptt", "chunked_bptt", "detach", "randomised_bptt", "rtrl", "truncated_bptt"]

Loss = Callable[[int, Any], Any]
Gradients = dict[str, np.ndarray]


def detach(state: Any) -> Any:
    """Return a state with the same values and no history: the next chunk starts there, and no gradient comes back.

    Parameters
    ----------
    state : array, tensor, or tuple of these
        For example the state that a layer returned.

    Returns
    -------
    ndarray, or tuple of ndarray
    """
    return plain(state)


def bptt(layer: Recurrence, x: Any, loss: Loss) -> Gradients:
    """Full backpropagation through time.

    Parameters
    ----------
    layer : Recurrence
        Runs over ``x`` from a state of zeros.
    x : ndarray, shape (T, n, input_size)
        The inputs, time first.
    loss : callable
        ``loss(t, h)`` for t = 0, 1, ... and the hidden states of shape (n, hidden_size); one number, or 0 where there
        is nothing to compare.

    Returns
    -------
    dict of str to ndarray
        The gradient of every parameter of the layer, by name.
    """
    return _gradients(layer, lambda: _summed(layer(x)[0], loss, 0))


def truncated_bptt(layer: Recurrence, x: Any, loss: Loss, *, window: int) -> Gradients:
    """From each loss go back through ``window`` steps at most; ``window >= T`` is exact.

    Parameters
    ----------
    layer, x, loss
        As for :func:`bptt`.
    window : int
        Steps through which each loss is sent back; 1 reaches the step of the loss alone.

    Returns
    -------
    dict of str to ndarray
    """
    _check_steps("window", window)
    states = _states_along(layer, x)

    def from_each_loss() -> Any:
        total: Any = 0.0
        for t in range(len(x)):
            start = max(0, t + 1 - window)
            output, _ = layer(x[start : t + 1], states[start])
            total = total + loss(t, output[-1])
        return total

    return _gradients(layer, from_each_loss)


def chunked_bptt(layer: Recurrence, x: Any, loss: Loss, *, size: int) -> Gradients:
    """Cut the sequence into chunks; the value of the state is carried from chunk to chunk, the gradient is not.

    Parameters
    ----------
    layer, x, loss
        As for :func:`bptt`.
    size : int
        Steps per chunk; the last one may be shorter.

    Returns
    -------
    dict of str to ndarray
    """
    _check_steps("size", size)

    def chunk_by_chunk() -> Any:
        total, state = 0.0, None
        for start in range(0, len(x), size):
            output, state = layer(x[start : start + size], state)
            state = detach(state)
            total = total + _summed(output, loss, start)
        return total

    return _gradients(layer, chunk_by_chunk)


def randomised_bptt(layer: Recurrence, x: Any, loss: Loss, *, keep: float, rng: np.random.Generator) -> Gradients:
    """Before each step, send the gradient on with probability ``keep``, multiplied by ``1 / keep``; otherwise stop it.

    Each factor is 1 on average and independent of the others, so the gradient is right on average; its spread grows
    with the number of steps.

    Parameters
    ----------
    layer, x, loss
        As for :func:`bptt`.
    keep : float
        Probability of going on, above 0 and at most 1.
    rng : numpy.random.Generator
        Decides where to stop.

    Returns
    -------
    dict of str to ndarray
    """
    if not 0.0 < keep <= 1.0:
        raise ValueError(f"keep is the probability of going on, above 0 and at most 1; got {keep}")
    factors = (check_rng(rng).random(len(x)) < keep) / keep

    def step_by_step() -> Any:
        total, state = 0.0, None
        for t in range(len(x)):
            output, state = layer(x[t : t + 1], state)
            total = total + loss(t, output[0])
            state = _gradient_times(state, factors[t])
        return total

    return _gradients(layer, step_by_step)


def rtrl(layer: Recurrence, x: Any, loss: Loss) -> Gradients:
    """Real-time recurrent learning: carry the derivative of the state by every weight forward, and forget the past.

    One dual number holds all directions at once: ``tangent[p]`` is the derivative of the state by parameter p. Each
    loss is used the moment it is known. Memory does not grow with T; the work per step does with the number of
    parameters, so this is for small layers.

    Parameters
    ----------
    layer, x, loss
        As for :func:`bptt`; one layer.

    Returns
    -------
    dict of str to ndarray
    """
    if layer.num_layers != 1 or layer.batch_first:
        raise ValueError("rtrl follows a single layer with time on the first axis")
    values = {name: tensor.numpy() for name, tensor in layer.weights().items()}
    count = sum(value.size for value in values.values())
    total = np.zeros(count)
    with tracing() as bit:
        weights, first = {}, 0
        for name, value in values.items():
            # One row per parameter of the layer: its own direction is a one in its own place.
            directions = np.zeros((count, value.size), value.dtype)
            directions[first : first + value.size] = np.eye(value.size)
            shape = (count, *value.shape) if value.ndim == 2 else (count, 1, *value.shape)
            weights[name] = Dual(np.broadcast_to(value.reshape((1, *shape[1:])), shape), directions.reshape(shape), bit)
            first += value.size
        start = np.zeros((count, x.shape[1], layer.hidden_size), x.dtype)
        state: Any = tuple(Dual(start, start, bit) for _ in range(layer.kind.states))
        step = layer.kind.stepper(weights)
        for t in range(len(x)):
            state = step(x[t], state)
            at = _loss_gradient(loss, t, state[0].value[0])
            total += np.einsum("pnh,nh->p", state[0].tangent, at)
    parts = np.split(total, np.cumsum([value.size for value in values.values()])[:-1])
    shaped = zip(values.items(), parts, strict=True)
    return {f"{name}_l0": part.reshape(value.shape) for (name, value), part in shaped}


class _Objective(Module):
    """A loss as a module, so that the layer's parameters become its variables."""

    def __init__(self, layer: Recurrence, total: Callable[[], Any]) -> None:
        self.layer, self.total = layer, total

    def forward(self) -> Any:
        return self.total()


def _gradients(layer: Recurrence, total: Callable[[], Any]) -> Gradients:
    """Return the gradient of a loss by every parameter of the layer, by name."""
    objective = _Objective(layer, total)
    gradients = reverse(lambda values: functional_call(objective, values))(objective.state_dict())
    return {name.removeprefix("layer."): gradient for name, gradient in gradients.items()}


def _summed(output: Any, loss: Loss, first: int) -> Any:
    total: Any = 0.0
    for t in range(len(output)):
        total = total + loss(first + t, output[t])
    return total


def _loss_gradient(loss: Loss, t: int, h: np.ndarray) -> np.ndarray:
    return reverse(lambda state: loss(t, state) + 0.0 * np.sum(state))(h)


def _states_along(layer: Recurrence, x: Any) -> list[Any]:
    """The state before each step, as plain arrays."""
    states: list[Any] = [None]
    for t in range(len(x)):
        states.append(detach(layer(x[t : t + 1], states[-1])[1]))
    return states


def _gradient_times(state: Any, factor: float) -> Any:
    """The same values, with the gradient that flows back into them multiplied by a number."""
    if isinstance(state, tuple):
        return tuple(_gradient_times(part, factor) for part in state)
    return detach(state) + factor * (state - detach(state))


def _check_steps(name: str, steps: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
        raise ValueError(f"{name} counts time steps and must be a whole number of at least 1, got {steps!r}")
