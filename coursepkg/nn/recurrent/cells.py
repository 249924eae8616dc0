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

from coursepkg.autodiff.catalogue import affine, relu, sigmoid

__all__ = ["gru_step", "lstm_step", "rnn_step", "unroll"]

State = tuple[Any, ...]
Step = Callable[[Any, State], State]


def rnn_step(x: Any, state: State, w: Any, u: Any, b: Any, nonlinearity: str = "tanh") -> State:
    """Return ``h' = phi(x w + h u + b)``.

    Parameters
    ----------
    x : array, shape (n, inputs)
        One input per row.
    state : (h,)
        Hidden state, shape (n, hidden).
    w, u, b : arrays, shapes (inputs, hidden), (hidden, hidden), (hidden,)
        Input weights, recurrent weights, bias; W_ih and W_hh of the layers, transposed.
    nonlinearity : {"tanh", "relu"}
        The function phi.

    Returns
    -------
    (h',)
    """
    (h,) = state
    z = affine(h, u, affine(x, w, b))  # x w + b + h u, in two steps
    return (np.tanh(z) if nonlinearity == "tanh" else relu(z),)


def lstm_step(x: Any, state: State, w: Any, u: Any, b: Any) -> State:
    """Return ``c' = f c + i g`` and ``h' = o tanh(c')``; the columns of the weights stand in the order i, f, g, o.

    Parameters
    ----------
    x : array, shape (n, inputs)
        One input per row.
    state : (h, c)
        Hidden state and cell state, shape (n, hidden) each.
    w, u, b : arrays, shapes (inputs, 4 hidden), (hidden, 4 hidden), (4 hidden,)
        Input weights, recurrent weights, bias.

    Returns
    -------
    (h', c')
    """
    h, c = state
    i, f, g, o = _parts(affine(h, u, affine(x, w, b)), 4)  # of x w + b + h u
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x: Any, state: State, w: Any, u: Any, b: Any, b_inner: Any) -> State:
    """Return ``h' = (1 - z) n + z h`` with ``n = tanh(x_n + r (h u_n + b_inner_n))``; columns in the order r, z, n.

    Parameters
    ----------
    x : array, shape (n, inputs)
        One input per row.
    state : (h,)
        Hidden state, shape (n, hidden).
    w, u, b, b_inner : arrays, shapes (inputs, 3 hidden), (hidden, 3 hidden), (3 hidden,), (3 hidden,)
        Input weights, recurrent weights, and a bias for each; two, because the reset gate multiplies the second.

    Returns
    -------
    (h',)
    """
    (h,) = state
    x_r, x_z, x_n = _parts(affine(x, w, b), 3)
    h_r, h_z, q = _parts(affine(h, u, b_inner), 3)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * q)
    return (n + z * (h - n),)


def unroll(step: Step, x: Any, state: State, mask: np.ndarray | None = None) -> list[State]:
    """Apply a step once for every time and return all states, the starting one first.

    Parameters
    ----------
    step : callable
        ``step(x[t], state) -> state``.
    x : array, shape (T, n, inputs)
        The inputs.
    state : tuple of array
        Where to start.
    mask : array of bool, shape (T, n), optional
        False where a sequence has ended or has a hole: its state stays what it was.

    Returns
    -------
    list of T + 1 states
    """
    states = [state]
    for t in range(len(x)):
        new = step(x[t], states[-1])
        if mask is not None:
            new = tuple(np.where(mask[t][:, None], n, old) for n, old in zip(new, states[-1], strict=True))
        states.append(new)
    return states


def _parts(z: Any, count: int) -> list[Any]:
    width = z.shape[-1] // count
    return [z[..., k * width : (k + 1) * width] for k in range(count)]
