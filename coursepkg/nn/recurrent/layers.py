"""Recurrent layers and cells under PyTorch's names, shapes and gate order, so that weights copy over.

A layer computes what all inputs contribute in one product, then follows the state through time in one node of the tape
(:mod:`~coursepkg.nn.recurrent.sweeps`); with ``fused=False`` it takes the cell's own steps instead, one by one, and the
tape differentiates them. Both give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.dispatch import plain
from coursepkg.autodiff.tensor import Tensor
from coursepkg.nn.module import Module, Parameter
from coursepkg.nn.recurrent.cells import State, gru_step, lstm_step, rnn_step, unroll
from coursepkg.nn.recurrent.sweeps import gru_sweep, lstm_sweep, rnn_sweep

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "ManyToMany",
    "ManyToOne",
    "RNNCell",
    "Recurrence",
    "pad_sequences",
]

Weights = dict[str, Any]


class Trace(NamedTuple):
    """What a layer met: inputs, shape (T, n, ...), weights by name, and T + 1 states, the starting one first."""

    inputs: Any
    weights: Weights
    states: list[State]


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


def _starting_weights(
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


# --- one step


class Cell(Module):
    """One step of a recurrence as a module."""

    kind: Kind

    def __init__(self, kind: Kind, input_size: int, hidden_size: int, bias: bool, rng: Any, dtype: Any) -> None:
        self.kind, self.input_size, self.hidden_size = kind, input_size, hidden_size
        _starting_weights(self, kind, input_size, hidden_size, bias, "", rng, dtype)

    def forward(self, x: Any, state: Any = None) -> Any:
        """Return the next state, from inputs of shape (n, input_size) and the state before (zeros if not given)."""
        _check_features(self, x, 2, "(n, input_size)")
        weights = {name: value for name, value in vars(self).items() if name.startswith(("weight", "bias"))}
        given = _as_tuple(self.kind, state)
        if given is None:
            zeros = np.zeros((x.shape[0], self.hidden_size), weights["weight_hh"].dtype)
            given = (zeros,) * self.kind.states
        new = self.kind.stepper(weights)(x, given)
        return new if self.kind.states == 2 else new[0]

    def describe(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"


class RNNCell(Cell):
    """One step of an Elman network: ``h' = phi(W_ih x + b_ih + W_hh h + b_hh)``.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of an input and of the state.
    bias : bool
        Whether there are biases.
    nonlinearity : {"tanh", "relu"}
        The function phi.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> cell = nn.RNNCell(2, 3, rng=np.random.default_rng(0))
    >>> h = cell(np.ones((4, 2)))
    >>> cell(np.zeros((4, 2)), h).shape
    (4, 3)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(RNNKind(nonlinearity), input_size, hidden_size, bias, rng, dtype)


class LSTMCell(Cell):
    """One step of a long short-term memory: from (h, c) to the next (h, c). Parameters as for :class:`GRUCell`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(LSTMKind(), input_size, hidden_size, bias, rng, dtype)


class GRUCell(Cell):
    """One step of a gated recurrent unit.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of an input and of the state.
    bias : bool
        Whether there are biases.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(GRUKind(), input_size, hidden_size, bias, rng, dtype)


# --- all steps


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
            _starting_weights(self, kind, below, hidden_size, bias, f"_l{layer}", rng, dtype)

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
        _check_features(self, x, 3, "(n, T, input_size)" if self.batch_first else "(T, n, input_size)")
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
        given = _as_tuple(self.kind, state)
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


# --- from sequences to predictions


class ManyToOne(Module):
    """One prediction per sequence: a head on the hidden state after the last step.

    Parameters
    ----------
    recurrence : Recurrence
        Reads the sequence.
    head : Module or callable
        From the last layer's hidden state, shape (n, hidden_size), to predictions.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> rng = np.random.default_rng(0)
    >>> model = nn.ManyToOne(nn.GRU(2, 8, batch_first=True, rng=rng), nn.Linear(8, 3, rng=rng))
    >>> model(np.ones((5, 20, 2))).shape
    (5, 3)
    """

    def __init__(self, recurrence: Recurrence, head: Any) -> None:
        self.recurrence, self.head = recurrence, head

    def forward(self, x: Any, mask: Any = None) -> Any:
        """Return predictions, shape (n, ...)."""
        state = self.recurrence.last_state(x, None, mask)
        h = state[0] if isinstance(state, tuple) else state
        return self.head(h[-1])


class ManyToMany(Module):
    """One prediction per step: a head on every hidden state. Parameters as for :class:`ManyToOne`."""

    def __init__(self, recurrence: Recurrence, head: Any) -> None:
        self.recurrence, self.head = recurrence, head

    def forward(self, x: Any, mask: Any = None) -> Any:
        """Return predictions, with time and examples on the axes on which the inputs have them."""
        output, _ = self.recurrence(x, None, mask)
        return self.head(output)


def pad_sequences(sequences: Sequence[Any], *, batch_first: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Put sequences of unequal length into one array, zeros at the end, with the mask that tells the difference.

    Parameters
    ----------
    sequences : sequence of arrays, shapes (T_i, features)
        The sequences.
    batch_first : bool
        Layout of the result.

    Returns
    -------
    x : ndarray, shape (T, n, features)
        The sequences side by side.
    mask : ndarray of bool, shape (T, n)
        True where there is an input.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> x, mask = nn.pad_sequences([np.ones((3, 2)), np.ones((1, 2))])
    >>> x.shape, mask[:, 1].tolist()
    ((3, 2, 2), [True, False, False])
    """
    arrays = [np.asarray(s) for s in sequences]
    if not arrays or any(a.ndim != 2 or a.shape[1] != arrays[0].shape[1] or not len(a) for a in arrays):
        raise ValueError(
            f"expected sequences of shape (T_i, features), all with the same features, got {[a.shape for a in arrays]}"
        )
    steps = max(len(a) for a in arrays)
    x = np.zeros((steps, len(arrays), arrays[0].shape[1]), np.result_type(*arrays))
    mask = np.zeros((steps, len(arrays)), bool)
    for k, a in enumerate(arrays):
        x[: len(a), k], mask[: len(a), k] = a, True
    return (x.swapaxes(0, 1), mask.T) if batch_first else (x, mask)


def _as_tuple(kind: Kind, state: Any) -> State | None:
    if state is None:
        return None
    if kind.states == 1:
        return (state,)
    if not isinstance(state, (tuple, list)) or len(state) != 2:
        raise TypeError(f"the state of an LSTM is a pair (h, c), got {type(state).__name__}")
    return tuple(state)


def _check_features(module: Any, x: Any, ndim: int, layout: str) -> None:
    if np.ndim(x) != ndim or np.shape(x)[-1] != module.input_size or not np.size(x):
        raise ValueError(
            f"this {type(module).__name__} takes inputs of shape {layout} with input_size={module.input_size} and at "
            f"least one step and example, got {np.shape(x)}"
        )
