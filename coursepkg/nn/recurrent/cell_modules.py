"""One step of a recurrence as a module, under PyTorch's names, shapes and gate order, so that weights copy over."""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.nn.module import Module
from coursepkg.nn.recurrent.kinds import (
    GRUKind,
    Kind,
    LSTMKind,
    RNNKind,
    as_tuple,
    check_features,
    starting_weights,
)

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class Cell(Module):
    """One step of a recurrence as a module."""

    kind: Kind

    def __init__(self, kind: Kind, input_size: int, hidden_size: int, bias: bool, rng: Any, dtype: Any) -> None:
        self.kind, self.input_size, self.hidden_size = kind, input_size, hidden_size
        starting_weights(self, kind, input_size, hidden_size, bias, "", rng, dtype)

    def forward(self, x: Any, state: Any = None) -> Any:
        """Return the next state, from inputs of shape (n, input_size) and the state before (zeros if not given)."""
        check_features(self, x, 2, "(n, input_size)")
        weights = {name: value for name, value in vars(self).items() if name.startswith(("weight", "bias"))}
        given = as_tuple(self.kind, state)
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
