"""What distinguishes one recurrence from another: its gates, its state, its step and its sweep.

The one idea: a cell and a layer differ only in how often they take the step, so both ask a kind for it; and a layer may
ask for all steps at once instead (:mod:`~coursepkg.nn.recurrent.sweeps`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.dispatch import plain
from coursepkg.nn.module import Module, Parameter
from coursepkg.nn.recurrent.cells import State, gru_step, lstm_step, rnn_step
from coursepkg.nn.recurrent.sweeps import gru_sweep, lstm_sweep, rnn_sweep

__all__ = ["GRUKind", "Kind", "LSTMKind", "RNNKind", "Weights", "as_tuple", "check_features", "starting_weights"]

Weights = dict[str, Any]


class Kind:
    """What distinguishes one recurrence from another: its gates, its state, its step and its sweep."""

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1

    def arguments(self, weights: Weights) -> tuple[Any, ...]:
        """Input weights, recurrent weights and biases, as the sweep takes them."""
        bias = weights["bias_ih"] + weights["bias_hh"] if "bias_ih" in weights else _no_bias(weights)
        return weights["weight_ih"], weights["weight_hh"], bias

    def stepper(self, weights: Weights) -> Callable[[Any, State], State]:
        """The step ``(x_t, state) -> state`` with its weights, transposed once for all steps."""
        weight_ih, weight_hh, *biases = self.arguments(weights)
        w, u = weight_ih.mT, weight_hh.mT
        return lambda x, state: self.step(x, state, w, u, *biases)

    def step(self, x: Any, state: State, *weights: Any) -> State:
        """One step, as an ordinary NumPy function."""
        raise NotImplementedError

    def sweep(self, x: Any, state: State, weights: Weights, mask: Any, last: bool) -> tuple[Any, State]:
        """All steps at once: the hidden states (or None if only the last state matters), and the last state."""
        h = self.fused(x, *state, *self.arguments(weights), mask=mask, last=last)
        return (None, (h,)) if last else (h, (h[-1],))

    def fused(self, x: Any, *rest: Any, mask: Any, last: bool) -> Any:
        """The entry of the table that does it."""
        raise NotImplementedError


class RNNKind(Kind):
    """``h' = phi(W_ih x + b_ih + W_hh h + b_hh)``."""

    def __init__(self, nonlinearity: str) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        self.nonlinearity = nonlinearity

    def step(self, x: Any, state: State, *weights: Any) -> State:
        w, u, b = weights
        return rnn_step(x, state, w, u, b, self.nonlinearity)

    def fused(self, x: Any, *rest: Any, mask: Any, last: bool) -> Any:
        return rnn_sweep(x, *rest, nonlinearity=self.nonlinearity, mask=mask, last=last)


class LSTMKind(Kind):
    """Four gates around a cell state that is carried on by multiplication with f and addition of i g."""

    gates = 4
    states = 2

    def step(self, x: Any, state: State, *weights: Any) -> State:
        return lstm_step(x, state, *weights)

    def sweep(self, x: Any, state: State, weights: Weights, mask: Any, last: bool) -> tuple[Any, State]:
        rows = lstm_sweep(x, *state, *self.arguments(weights), mask=mask, last=last)
        return None if last else rows[:-1], (rows[-2], rows[-1])


class GRUKind(Kind):
    """A blend of the old state and a candidate; the reset gate acts inside the candidate, as in cuDNN."""

    gates = 3

    def arguments(self, weights: Weights) -> tuple[Any, ...]:
        biases = [weights[name] if name in weights else _no_bias(weights) for name in ("bias_ih", "bias_hh")]
        return weights["weight_ih"], weights["weight_hh"], *biases

    def step(self, x: Any, state: State, *weights: Any) -> State:
        return gru_step(x, state, *weights)

    def fused(self, x: Any, *rest: Any, mask: Any, last: bool) -> Any:
        return gru_sweep(x, *rest, mask=mask, last=last)


def _no_bias(weights: Weights) -> np.ndarray:
    return np.zeros(weights["weight_hh"].shape[-2], plain(weights["weight_hh"]).dtype)


def starting_weights(
    module: Module, kind: Kind, inputs: int, hidden: int, bias: bool, suffix: str, rng: Any, dtype: Any
) -> None:
    """PyTorch's default: everything uniform within one over the square root of the hidden size."""
    if inputs < 1 or hidden < 1:
        raise ValueError(f"a recurrence needs at least one input and one hidden unit, got {inputs} and {hidden}")
    bound, rows = 1.0 / math.sqrt(hidden), kind.gates * hidden
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden)}
    if bias:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    for name, shape in shapes.items():
        setattr(module, name + suffix, Parameter(check_rng(rng).uniform(-bound, bound, shape).astype(dtype)))


def as_tuple(kind: Kind, state: Any) -> State | None:
    if state is None:
        return None
    if kind.states == 1:
        return (state,)
    if not isinstance(state, (tuple, list)) or len(state) != 2:
        raise TypeError(f"the state of an LSTM is a pair (h, c), got {type(state).__name__}")
    return tuple(state)


def check_features(module: Any, x: Any, ndim: int, layout: str) -> None:
    if np.ndim(x) != ndim or np.shape(x)[-1] != module.input_size or not np.size(x):
        raise ValueError(
            f"this {type(module).__name__} takes inputs of shape {layout} with input_size={module.input_size} and at "
            f"least one step and example, got {np.shape(x)}"
        )
