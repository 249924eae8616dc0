"""Recurrent layers under PyTorch's names, shapes and gate order, so that weights copy over.

A layer computes what all inputs contribute in one product, then follows the state through time in one node of the tape
(:mod:`~coursepkg.nn.recurrent.sweeps`); with ``fused=False`` it takes the cell's own steps instead, one by one, and the
tape differentiates them. Both give the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.nn.module import Module
from coursepkg.nn.recurrent.cells import State, unroll
from coursepkg.nn.recurrent.kinds import (
    GRUKind,
    Kind,
    LSTMKind,
    RNNKind,
    Weights,
    as_tuple,
    check_features,
    starting_weights,
)

__all__ = ["GRU", "LSTM", "RNN", "Recurrence", "Trace"]


class Trace(NamedTuple):
    """What a layer met: inputs, shape (T, n, ...), weights by name, and T + 1 states, the starting one first."""

    inputs: Any
    weights: Weights
    states: list[State]


class Recurrence(Module):
    """A stack of recurrences over whole sequences; what :class:`RNN`, :class:`LSTM` and :class:`GRU` share.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of an input and of the state.
    num_layers : int
        Recurrences on top of each other; each reads the hidden states of the one below.
    bias : bool
        Whether there are biases.
    batch_first : bool
        Whether inputs, outputs and masks have the examples on the first axis and time on the second, not the other
        way round.
    fused : bool
        Whether time is one node of the tape, or one node per operation and step.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Tensor
        Parameters of the first layer, the gates stacked in the rows; ``_l1`` and so on for the others.
    """

    kind: Kind

    def __init__(
        self,
        kind: Kind,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        fused: bool = True,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        if num_layers < 1:
            raise ValueError(f"a recurrence has at least one layer, got num_layers={num_layers}")
        self.kind, self.fused, self.batch_first = kind, fused, batch_first
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self._watcher: list[Trace] | None = None
        for layer in range(num_layers):
            below = hidden_size if layer else input_size
            starting_weights(self, kind, below, hidden_size, bias, f"_l{layer}", rng, dtype)

    def weights(self, layer: int = 0) -> Weights:
        """The parameters of one layer, by their names without the layer's number."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return {name: getattr(self, f"{name}_l{layer}") for name in names if hasattr(self, f"{name}_l{layer}")}

    def forward(self, x: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """Follow sequences through time.

        Parameters
        ----------
        x : array, shape (T, n, input_size), or (n, T, input_size) with ``batch_first``
            The inputs.
        state : array or pair of arrays, shape (num_layers, n, hidden_size), optional
            Where to start: h, or (h, c) for an LSTM. Zeros if not given.
        mask : array of bool, shape (T, n), or (n, T) with ``batch_first``, optional
            True where there is an input. Elsewhere the state is carried on unchanged and the output is zero.

        Returns
        -------
        output : array, shape (T, n, hidden_size), or (n, T, hidden_size)
            Hidden states of the last layer.
        state : array or pair of arrays, shape (num_layers, n, hidden_size)
            State after the last step of each sequence.
        """
        output, ends = self._run(x, state, mask, last=False)
        return output, ends if self.kind.states == 2 else ends[0]

    def last_state(self, x: Any, state: Any = None, mask: Any = None) -> Any:
        """Return the state after the last step alone; saves the work for outputs that nobody reads.

        Parameters
        ----------
        x, state, mask
            As for :meth:`forward`.

        Returns
        -------
        array or pair of arrays, shape (num_layers, n, hidden_size)
        """
        _, ends = self._run(x, state, mask, last=True)
        return ends if self.kind.states == 2 else ends[0]

    def _run(self, x: Any, state: Any, mask: Any, *, last: bool) -> tuple[Any, State]:
        check_features(self, x, 3, "(n, T, input_size)" if self.batch_first else "(T, n, input_size)")
        if self.batch_first:
            x = np.swapaxes(x, 0, 1)
        mask = self._checked_mask(mask, x.shape[:2])
        starts = self._starts(state, x.shape[1])
        finals = []
        for layer in range(self.num_layers):
            top = layer == self.num_layers - 1
            start = tuple(s[layer] for s in starts)
            x, final = self._through_time(x, start, self.weights(layer), mask, last and top)
            finals.append(final)
        ends = tuple(np.stack(states) for states in zip(*finals, strict=True))
        if last:
            return None, ends
        if mask is not None:
            x = np.where(mask[..., None], x, 0.0)
        return np.swapaxes(x, 0, 1) if self.batch_first else x, ends

    def _through_time(self, x: Any, start: State, weights: Weights, mask: Any, last: bool) -> tuple[Any, State]:
        if self.fused and self._watcher is None:
            return self.kind.sweep(x, start, weights, mask, last)
        states = unroll(self.kind.stepper(weights), x, start, mask)
        if self._watcher is not None:
            self._watcher.append(Trace(x, weights, states))
            for part in (p for state in states for p in state if isinstance(p, Tensor) and p.requires_grad):
                part.retain_grad()
        return None if last else np.stack([state[0] for state in states[1:]]), states[-1]

    @contextmanager
    def watched(self) -> Iterator[list[Trace]]:
        """Take single steps for a while and keep every state: the list grows by one entry per layer and call.

        After ``backward()`` the states hold their gradients in ``.grad``.
        """
        seen: list[Trace] = []
        self._watcher = seen
        try:
            yield seen
        finally:
            self._watcher = None

    def _starts(self, state: Any, n: int) -> State:
        given = as_tuple(self.kind, state)
        shape = (self.num_layers, n, self.hidden_size)
        if given is None:
            return (np.zeros(shape, self.weights()["weight_hh"].dtype),) * self.kind.states
        for part in given:
            if np.shape(part) != shape:
                raise ValueError(
                    f"a starting state has shape (num_layers, n, hidden_size) = {shape}, got {np.shape(part)}"
                )
        return given

    def _checked_mask(self, mask: Any, shape: tuple[int, int]) -> np.ndarray | None:
        if mask is None:
            return None
        mask = np.asarray(mask)
        if mask.dtype != bool:
            raise TypeError(f"a mask holds True where there is an input and False elsewhere, got dtype {mask.dtype}")
        mask = mask.T if self.batch_first else mask
        if mask.shape != shape:
            raise ValueError(f"the mask must have one entry per time and example, {shape}, got {mask.shape}")
        return None if mask.all() else mask

    def describe(self) -> str:
        stacked = f", num_layers={self.num_layers}" if self.num_layers > 1 else ""
        return f"{self.input_size}, {self.hidden_size}{stacked}{', batch_first=True' if self.batch_first else ''}"


class RNN(Recurrence):
    """Elman network: ``h_t = phi(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)``, over whole sequences.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
        As for :class:`Recurrence`.
    nonlinearity : {"tanh", "relu"}
        The function phi.
    **options
        ``bias``, ``batch_first``, ``fused``, ``rng`` and ``dtype`` of :class:`Recurrence`.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> rnn = nn.RNN(2, 3, rng=np.random.default_rng(0))
    >>> output, state = rnn(np.ones((7, 4, 2)))
    >>> output.shape, state.shape
    ((7, 4, 3), (1, 4, 3))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", **options: Any
    ) -> None:
        super().__init__(RNNKind(nonlinearity), input_size, hidden_size, num_layers, **options)


class LSTM(Recurrence):
    """Long short-term memory over whole sequences; its state is a pair (h, c).

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
        As for :class:`Recurrence`.
    forget_bias : float, optional
        Start with this sum of the two biases of the forget gate. PyTorch's own start is near 0; 1 is common
        (Jozefowicz et al., 2015), and ln(T - 1) keeps about 1/e over T steps (Tallec and Ollivier, 2018).
    **options
        ``bias``, ``batch_first``, ``fused``, ``rng`` and ``dtype`` of :class:`Recurrence`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        forget_bias: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(LSTMKind(), input_size, hidden_size, num_layers, **options)
        if forget_bias is not None:
            for layer in range(num_layers):
                weights = self.weights(layer)
                if "bias_ih" not in weights:
                    raise ValueError("there is no forget bias to set with bias=False")
                for name, value in (("bias_ih", forget_bias), ("bias_hh", 0.0)):
                    start = weights[name].numpy().copy()
                    start[hidden_size : 2 * hidden_size] = value
                    weights[name].data = start


class GRU(Recurrence):
    """Gated recurrent unit over whole sequences.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
        As for :class:`Recurrence`.
    **options
        ``bias``, ``batch_first``, ``fused``, ``rng`` and ``dtype`` of :class:`Recurrence`.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any) -> None:
        super().__init__(GRUKind(), input_size, hidden_size, num_layers, **options)
