"""Backpropagation through time by hand: each recurrence is one node of the tape, with one sweep forward and one back.

The one idea: the backward sweep has to find only the gradients at the pre-activations, one time step after the other.
Every other gradient is then a single product: a weight that was used T times gets the sum of T contributions, and a
sum of outer products is a matrix product over all times at once. The sweeps are entries of the table of primitives, so
they compose with everything else on the tape; where something is traced again (second derivatives, forward mode,
symbols), the cell's own steps from :mod:`~coursepkg.nn.recurrent.cells` run instead (Werbos, 1990).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coursepkg.autodiff.dispatch import Traced, operation
from coursepkg.autodiff.forward_mode import jvp
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.table import Example, example
from coursepkg.nn.recurrent.cells import gru_step, lstm_step, rnn_step, unroll

__all__ = ["gru_sweep", "lstm_sweep", "rnn_sweep"]


class Memo:
    """What a backward sweep found, for the rules of the other arguments of the same sweep.

    The traversal asks one rule per argument, in order, with the same gradient; the first of them does the sweep. A rule
    that does not come later than the last one belongs to a new traversal, even if the gradient is the same object.
    """

    def __init__(self) -> None:
        self.gradient: Any = None
        self.last = -1
        self.found: Any = None

    def get(self, index: int, g: Any, sweep: Callable[[], Any]) -> Any:
        """Return what the sweep for this gradient finds, running it only if need be."""
        if self.gradient is not g or index <= self.last:
            self.gradient, self.found = g, sweep()
        self.last = index
        return self.found


def _sweep_operation(
    function: Callable[..., Any],
    run: Callable[..., tuple[Any, Any]],
    back: Callable[..., Any],
    products: Sequence[Callable[..., Any]],
    examples: Sequence[Example],
) -> Any:
    """Enter a recurrence into the table.

    ``function`` is its definition by steps, ``run`` the fast forward sweep ``(*args) -> (output, saved)``, ``back`` the
    fast backward sweep ``(g, saved, *args) -> found``, and ``products`` say how each argument's gradient comes from
    what the sweep found.
    """

    def forward(*args: Any, **options: Any) -> tuple[Any, Any, Memo]:
        if any(isinstance(a, Traced) for a in args):
            return function(*args, **options), None, Memo()
        output, saved = run(*args, **options)
        return output, saved, Memo()

    def rule(index: int) -> Callable[..., Any]:
        def gradient(g: Any, out: Any, *args: Any, **options: Any) -> Any:
            _, saved, memo = out
            if isinstance(g, Traced) or any(isinstance(a, Traced) for a in args):
                return memo.get(index, g, lambda: _by_tape(function, g, args, options))[index]
            return products[index](memo.get(index, g, lambda: back(g, saved, *args, **options)), saved, *args)

        return gradient

    def change(index: int) -> Callable[..., Any]:
        def tangent(t: Any, out: Any, *args: Any, **options: Any) -> Any:
            return jvp(lambda a: function(*args[:index], a, *args[index + 1 :], **options), args[index], t)[1]

        return tangent

    def symbols(sp: Any, values: Sequence[Any], *expressions: Any, **options: Any) -> Any:
        from coursepkg.autodiff.symbolic_array import SymbolicArray

        traced = [SymbolicArray(e, v) for e, v in zip(expressions, values, strict=True)]
        return function(*traced, **options).expressions

    return operation(
        function,
        forward=forward,
        saves=True,
        vjp=[rule(i) for i in range(len(products))],
        jvp=[change(i) for i in range(len(products))],
        sympy_array=symbols,
        name=function.__name__.lstrip("_"),
        examples=examples,
    )


def _by_tape(function: Callable[..., Any], g: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return vjp(lambda *moved: function(*moved, **options), *args)[1](g)


def _over_time(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The sum over times and examples of the outer products: one matrix product."""
    return left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1])


def _live(mask: Any, t: int) -> Any:
    return None if mask is None else mask[t][:, None]


# --- the tanh or ReLU recurrence


def _rnn_sweep(a: Any, h0: Any, weight_hh: Any, *, nonlinearity: str = "tanh", mask: np.ndarray | None = None) -> Any:
    """Return all hidden states of ``h_t = phi(a_t + W_hh h_{t-1})``.

    Parameters
    ----------
    a : array, shape (T, n, hidden)
        What the inputs contribute, biases included.
    h0 : array, shape (n, hidden)
        State before the first step.
    weight_hh : array, shape (hidden, hidden)
        Recurrent weights.
    nonlinearity : {"tanh", "relu"}
        The function phi.
    mask : array of bool, shape (T, n), optional
        False where the state is to stay what it was.

    Returns
    -------
    array, shape (T, n, hidden)
        The states h_1 to h_T.
    """
    states = unroll(lambda at, state: rnn_step(at, state, weight_hh, nonlinearity), a, (h0,), mask)
    return np.stack([h for (h,) in states[1:]])


def _rnn_run(a, h0, weight_hh, *, nonlinearity="tanh", mask=None):
    h = np.empty((len(a) + 1, *h0.shape), np.result_type(a, h0, weight_hh))
    h[0] = h0
    transposed = np.ascontiguousarray(weight_hh.T)
    for t in range(len(a)):
        z = np.matmul(h[t], transposed, out=h[t + 1])
        z += a[t]
        if nonlinearity == "tanh":
            np.tanh(z, out=z)
        else:
            np.maximum(z, 0, out=z)
        if mask is not None:
            np.copyto(z, h[t], where=~_live(mask, t))
    return h[1:], h


def _rnn_back(g, h, a, h0, weight_hh, *, nonlinearity="tanh", mask=None):
    """Return dL/da of all steps and dL/dh_0."""
    if nonlinearity == "tanh":
        da = np.multiply(h[1:], h[1:])
        np.subtract(1, da, out=da)
    else:
        da = (h[1:] > 0).astype(h.dtype)
    carried = np.zeros_like(h0)
    for t in reversed(range(len(a))):
        dh = g[t] + carried  # from the loss at t, and from all that comes later
        if mask is None:
            da[t] *= dh
            carried = da[t] @ weight_hh
        else:
            live = _live(mask, t)
            da[t] *= dh * live
            carried = da[t] @ weight_hh + dh * ~live
    return da, carried


rnn_sweep = _sweep_operation(
    _rnn_sweep,
    _rnn_run,
    _rnn_back,
    [
        lambda found, h, *args: found[0],
        lambda found, h, *args: found[1],
        lambda found, h, *args: _over_time(found[0], h[:-1]),
    ],
    [
        example((3, 2, 3), (2, 3), (3, 3)),
        example((2, 1, 2), (1, 2), (2, 2)),
        example((2, 1, 3), (1, 3), (3, 3), nonlinearity="relu"),
        example((3, 2, 2), (2, 2), (2, 2), mask=np.array([[True, True], [True, False], [True, False]])),
    ],
)


# --- long short-term memory


def _lstm_sweep(a: Any, h0: Any, c0: Any, weight_hh: Any, *, mask: np.ndarray | None = None) -> Any:
    """Return all hidden states of an LSTM, and as one more row its last cell state.

    Parameters
    ----------
    a : array, shape (T, n, 4 hidden)
        What the inputs contribute to the gates i, f, g, o, biases included.
    h0, c0 : arrays, shape (n, hidden)
        Hidden and cell state before the first step.
    weight_hh : array, shape (4 hidden, hidden)
        Recurrent weights.
    mask : array of bool, shape (T, n), optional
        False where the states are to stay what they were.

    Returns
    -------
    array, shape (T + 1, n, hidden)
        The states h_1 to h_T, then c_T.
    """
    states = unroll(lambda at, state: lstm_step(at, state, weight_hh), a, (h0, c0), mask)
    return np.stack([h for h, _ in states[1:]] + [states[-1][1]])


def _gate_scales(hidden, dtype):
    """A sigmoid is a tanh in other units, ``(1 + tanh(a / 2)) / 2``: one call serves four gates and never overflows."""
    scale = np.full(4 * hidden, 0.5, dtype)
    scale[2 * hidden : 3 * hidden] = 1
    return scale, 1 - scale


def _lstm_run(a, h0, c0, weight_hh, *, mask=None):
    steps, (n, hidden) = len(a), h0.shape
    dtype = np.result_type(a, h0, c0, weight_hh)
    h, c = np.empty((steps + 2, n, hidden), dtype), np.empty((steps + 1, n, hidden), dtype)
    gates, tanh_c = np.empty((steps, n, 4 * hidden), dtype), np.empty((steps, n, hidden), dtype)
    h[0], c[0] = h0, c0
    scale, shift = _gate_scales(hidden, dtype)
    transposed = np.ascontiguousarray(weight_hh.T) * scale
    for t in range(steps):
        z = np.matmul(h[t], transposed, out=gates[t])
        z += a[t] * scale
        np.tanh(z, out=z)
        z *= scale
        z += shift
        i, f, g, o = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
        np.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += i * g
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(o, tanh_c[t], out=h[t + 1])
        if mask is not None:
            for states in (h, c):
                np.copyto(states[t + 1], states[t], where=~_live(mask, t))
    h[-1] = c[-1]
    return h[1:], (h[:-1], c, gates, tanh_c)


def _lstm_back(g_out, saved, a, h0, c0, weight_hh, *, mask=None):
    """Return dL/da of all steps, dL/dh_0 and dL/dc_0."""
    _, c, gates, tanh_c = saved
    hidden = h0.shape[1]
    cut = slice(2 * hidden, 3 * hidden)
    da = gates - gates * gates  # the slope of each gate: s (1 - s), and 1 - g^2 for the candidate
    np.subtract(1, gates[..., cut] ** 2, out=da[..., cut])
    opened = gates[..., 3 * hidden :] * (1 - tanh_c * tanh_c)
    carried, dc = np.zeros_like(h0), g_out[-1].copy()
    upstream = np.empty_like(a[0], dtype=da.dtype)
    for t in reversed(range(len(a))):
        i, f, g, _ = (gates[t][:, k * hidden : (k + 1) * hidden] for k in range(4))
        dh, live = g_out[t] + carried, _live(mask, t)
        if live is not None:
            past_h, past_c = dh * ~live, dc * ~live
            dh, dc = dh * live, dc * live
        dc += dh * opened[t]
        np.multiply(dc, g, out=upstream[:, :hidden])
        np.multiply(dc, c[t], out=upstream[:, hidden : 2 * hidden])
        np.multiply(dc, i, out=upstream[:, cut])
        np.multiply(dh, tanh_c[t], out=upstream[:, 3 * hidden :])
        da[t] *= upstream
        carried = da[t] @ weight_hh
        dc *= f
        if live is not None:
            carried += past_h
            dc += past_c
    return da, carried, dc


lstm_sweep = _sweep_operation(
    _lstm_sweep,
    _lstm_run,
    _lstm_back,
    [
        lambda found, saved, *args: found[0],
        lambda found, saved, *args: found[1],
        lambda found, saved, *args: found[2],
        lambda found, saved, *args: _over_time(found[0], saved[0][:-1]),
    ],
    [
        example((3, 2, 12), (2, 3), (2, 3), (12, 3)),
        example((2, 1, 4), (1, 1), (1, 1), (4, 1)),
        example((3, 2, 8), (2, 2), (2, 2), (8, 2), mask=np.array([[True, True], [True, False], [False, True]])),
    ],
)


# --- the gated recurrent unit


def _gru_sweep(a: Any, h0: Any, weight_hh: Any, bias_hh: Any, *, mask: np.ndarray | None = None) -> Any:
    """Return all hidden states of a gated recurrent unit.

    Parameters
    ----------
    a : array, shape (T, n, 3 hidden)
        What the inputs contribute to r, z and n, with the input biases.
    h0 : array, shape (n, hidden)
        State before the first step.
    weight_hh, bias_hh : arrays, shapes (3 hidden, hidden) and (3 hidden,)
        Recurrent weights and biases.
    mask : array of bool, shape (T, n), optional
        False where the state is to stay what it was.

    Returns
    -------
    array, shape (T, n, hidden)
        The states h_1 to h_T.
    """
    states = unroll(lambda at, state: gru_step(at, state, weight_hh, bias_hh), a, (h0,), mask)
    return np.stack([h for (h,) in states[1:]])


def _gru_run(a, h0, weight_hh, bias_hh, *, mask=None):
    steps, (n, hidden) = len(a), h0.shape
    dtype = np.result_type(a, h0, weight_hh, bias_hh)
    h = np.empty((steps + 1, n, hidden), dtype)
    gates, candidates = np.empty((steps, n, 3 * hidden), dtype), np.empty((steps, n, hidden), dtype)
    h[0] = h0
    transposed = np.ascontiguousarray(weight_hh.T)
    both = slice(0, 2 * hidden)
    for t in range(steps):
        u = h[t] @ transposed
        u += bias_hh
        s = gates[t][:, both]
        np.add(u[:, both], a[t][:, both], out=s)
        s *= 0.5  # the sigmoid as a tanh, as in the LSTM
        np.tanh(s, out=s)
        s *= 0.5
        s += 0.5
        r, z, candidate = (gates[t][:, k * hidden : (k + 1) * hidden] for k in range(3))
        candidates[t] = u[:, 2 * hidden :]
        np.multiply(r, candidates[t], out=candidate)
        candidate += a[t][:, 2 * hidden :]
        np.tanh(candidate, out=candidate)
        np.subtract(h[t], candidate, out=h[t + 1])
        h[t + 1] *= z
        h[t + 1] += candidate
        if mask is not None:
            np.copyto(h[t + 1], h[t], where=~_live(mask, t))
    return h[1:], (h, gates, candidates)


def _gru_back(g, saved, a, h0, weight_hh, bias_hh, *, mask=None):
    """Return dL/da of all steps, dL/du (u being what the state contributes) and dL/dh_0."""
    h, gates, candidates = saved
    hidden = h0.shape[1]
    last = slice(2 * hidden, 3 * hidden)
    da = gates - gates * gates
    np.subtract(1, gates[..., last] ** 2, out=da[..., last])
    du = np.empty_like(da)
    carried = np.zeros_like(h0)
    upstream = np.empty_like(da[0])
    for t in reversed(range(len(a))):
        r, z, n = (gates[t][:, k * hidden : (k + 1) * hidden] for k in range(3))
        dh, live = g[t] + carried, _live(mask, t)
        if live is not None:
            past = dh * ~live
            dh = dh * live
        np.multiply(dh, 1 - z, out=upstream[:, last])
        np.multiply(dh, h[t] - n, out=upstream[:, hidden : 2 * hidden])
        dn = da[t][:, last]
        dn *= upstream[:, last]
        np.multiply(dn, candidates[t], out=upstream[:, :hidden])
        da[t][:, : 2 * hidden] *= upstream[:, : 2 * hidden]
        du[t][:, : 2 * hidden] = da[t][:, : 2 * hidden]
        np.multiply(dn, r, out=du[t][:, last])
        carried = du[t] @ weight_hh
        carried += dh * z
        if live is not None:
            carried += past
    return da, du, carried


gru_sweep = _sweep_operation(
    _gru_sweep,
    _gru_run,
    _gru_back,
    [
        lambda found, saved, *args: found[0],
        lambda found, saved, *args: found[2],
        lambda found, saved, *args: _over_time(found[1], saved[0][:-1]),
        lambda found, saved, *args: np.add.reduce(found[1], axis=(0, 1)),
    ],
    [
        example((3, 2, 9), (2, 3), (9, 3), (9,)),
        example((2, 1, 3), (1, 1), (3, 1), (3,)),
        example((3, 2, 6), (2, 2), (6, 2), (6,), mask=np.array([[True, True], [False, True], [True, False]])),
    ],
)
