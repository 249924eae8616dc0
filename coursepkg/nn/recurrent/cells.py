"""One step of each recurrent cell, and the loop over time, as ordinary NumPy functions.

The one idea: a recurrent net is one function applied again and again, so the tape needs to know nothing of time. Run
these functions on tensors and the unrolled graph is recorded; run them on duals and forward mode carries the state's
tangent along. Elman (1990); Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); Cho et al.
(2014) in the form that PyTorch and cuDNN use, with the reset gate inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg.autodiff.catalogue import relu, sigmoid

__all__ = ["gru_step", "lstm_step", "rnn_step", "unroll"]

State = tuple[Any, ...]
Step = Callable[[Any, State], State]


def rnn_step(a: Any, state: State, weight_hh: Any, nonlinearity: str = "tanh") -> State:
    """Return ``h' = phi(a + W_hh h)``.

    Parameters
    ----------
    a : array, shape (n, hidden)
        What the input contributes: ``W_ih x + b_ih + b_hh``.
    state : (h,)
        Hidden state, shape (n, hidden).
    weight_hh : array, shape (hidden, hidden)
        Recurrent weights.
    nonlinearity : {"tanh", "relu"}
        The function phi.

    Returns
    -------
    (h',)
    """
    (h,) = state
    z = a + h @ weight_hh.mT
    return (np.tanh(z) if nonlinearity == "tanh" else relu(z),)


def lstm_step(a: Any, state: State, weight_hh: Any) -> State:
    """Return ``c' = f c + i g`` and ``h' = o tanh(c')``; the rows of the weights stand in the order i, f, g, o.

    Parameters
    ----------
    a : array, shape (n, 4 hidden)
        What the input contributes to the four gates, biases included.
    state : (h, c)
        Hidden state and cell state, shape (n, hidden) each.
    weight_hh : array, shape (4 hidden, hidden)
        Recurrent weights.

    Returns
    -------
    (h', c')
    """
    h, c = state
    i, f, g, o = _parts(a + h @ weight_hh.mT, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(a: Any, state: State, weight_hh: Any, bias_hh: Any) -> State:
    """Return ``h' = (1 - z) n + z h`` with ``n = tanh(a_n + r (W_hn h + b_hn))``; rows in the order r, z, n.

    Parameters
    ----------
    a : array, shape (n, 3 hidden)
        What the input contributes: ``W_ih x + b_ih``.
    state : (h,)
        Hidden state, shape (n, hidden).
    weight_hh, bias_hh : arrays, shapes (3 hidden, hidden) and (3 hidden,)
        Recurrent weights and biases; the biases stay inside because the reset gate multiplies the last of them.

    Returns
    -------
    (h',)
    """
    (h,) = state
    a_r, a_z, a_n = _parts(a, 3)
    u_r, u_z, q = _parts(h @ weight_hh.mT + bias_hh, 3)
    r, z = sigmoid(a_r + u_r), sigmoid(a_z + u_z)
    n = np.tanh(a_n + r * q)
    return (n + z * (h - n),)


def unroll(step: Step, a: Any, state: State, mask: np.ndarray | None = None) -> list[State]:
    """Apply a step once for every time and return all states, the starting one first.

    Parameters
    ----------
    step : callable
        ``step(a[t], state) -> state``.
    a : array, shape (T, n, ...)
        What the input contributes at each time.
    state : tuple of array
        Where to start.
    mask : array of bool, shape (T, n), optional
        False where a sequence has ended or has a hole: its state stays what it was.

    Returns
    -------
    list of T + 1 states
    """
    states = [state]
    for t in range(len(a)):
        new = step(a[t], states[-1])
        if mask is not None:
            new = tuple(np.where(mask[t][:, None], n, old) for n, old in zip(new, states[-1], strict=True))
        states.append(new)
    return states


def _parts(z: Any, count: int) -> list[Any]:
    width = z.shape[-1] // count
    return [z[..., k * width : (k + 1) * width] for k in range(count)]
