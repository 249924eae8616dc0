"""Backpropagation through time by hand: each recurrence is one node of the tape, with one sweep forward and one back.

The one idea: the backward sweep has to find only the gradients at the pre-activations, one time step after the other.
A weight that was used T times gets the sum of T contributions, and a sum of outer products is one matrix product over
many times at once. The sweeps are entries of the table of primitives, so they compose with everything else on the tape;
where something is traced again (second derivatives, forward mode, symbols), the cell's own steps from
:mod:`~coursepkg.nn.recurrent.cells` run instead (Werbos, 1990).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.autodiff.table import example
from coursepkg.nn.recurrent.cells import gru_step, lstm_step, rnn_step, unroll
from coursepkg.nn.recurrent.sweep_parts import (
    Sums,
    blocks,
    contributions,
    grad_out_at,
    latest_first,
    mask_at,
    sweep_operation,
)

__all__ = ["gru_sweep", "lstm_sweep", "rnn_sweep"]

# --- the tanh or ReLU recurrence


def _rnn_sweep(
    x: Any,
    h0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    *,
    nonlinearity: str = "tanh",
    mask: np.ndarray | None = None,
    last: bool = False,
) -> Any:
    """Return all hidden states of ``h_t = phi(W_ih x_t + W_hh h_{t-1} + b)``.

    Parameters
    ----------
    x : array, shape (T, n, inputs)
        The inputs.
    h0 : array, shape (n, hidden)
        State before the first step.
    weight_ih, weight_hh, bias : arrays, shapes (hidden, inputs), (hidden, hidden), (hidden,)
        Input weights, recurrent weights, bias.
    nonlinearity : {"tanh", "relu"}
        The function phi.
    mask : array of bool, shape (T, n), optional
        False where the state is to stay what it was.
    last : bool
        Return only h_T.

    Returns
    -------
    array, shape (T, n, hidden), or (n, hidden) for the last
        The states h_1 to h_T.
    """
    w, u = weight_ih.T, weight_hh.T
    states = unroll(lambda xt, state: rnn_step(xt, state, w, u, bias, nonlinearity), x, (h0,), mask)
    return states[-1][0] if last else np.stack([h for (h,) in states[1:]])


def _rnn_run(x, h0, weight_ih, weight_hh, bias, *, nonlinearity="tanh", mask=None, last=False):
    h = np.empty((len(x) + 1, *h0.shape), np.result_type(x, h0, weight_hh))
    h[0] = h0
    w, u = np.ascontiguousarray(weight_ih.T), np.ascontiguousarray(weight_hh.T)
    for times in blocks(len(x), h0.size):
        a = contributions(x, w, bias, times)
        for k, t in enumerate(times):
            z = np.matmul(h[t], u, out=h[t + 1])
            z += a[k]
            if nonlinearity == "tanh":
                np.tanh(z, out=z)
            else:
                np.maximum(z, 0, out=z)
            if mask is not None:
                np.copyto(z, h[t], where=~mask_at(mask, t))
    return h[-1] if last else h[1:], h


def _rnn_back(g, h, inputs_too, x, h0, weight_ih, weight_hh, bias, *, nonlinearity="tanh", mask=None, last=False):
    sums = Sums(x, weight_ih, weight_hh, inputs_too)
    carried = g if last else np.zeros_like(h0)
    for times in reversed(blocks(len(x), h0.size)):
        after = h[times.start + 1 : times.stop + 1]
        da = 1 - after * after if nonlinearity == "tanh" else (after > 0).astype(h.dtype)
        for k, t in latest_first(times):
            dh, live = grad_out_at(g, t, carried, last), mask_at(mask, t)
            da[k] *= dh if live is None else dh * live
            carried = da[k] @ weight_hh
            if live is not None:
                carried += dh * ~live
        sums.add(times, da, h)
    return sums.dx, carried, sums.g_ih, sums.g_hh, sums.g_bias


rnn_sweep = sweep_operation(
    _rnn_sweep,
    _rnn_run,
    _rnn_back,
    5,
    [
        example((3, 2, 2), (2, 3), (3, 2), (3, 3), (3,)),
        example((2, 1, 1), (1, 2), (2, 1), (2, 2), (2,)),
        example((2, 1, 2), (1, 3), (3, 2), (3, 3), (3,), nonlinearity="relu"),
        example((3, 2, 2), (2, 2), (2, 2), (2, 2), (2,), mask=np.array([[True, True], [True, False], [True, False]])),
        example((3, 2, 2), (2, 3), (3, 2), (3, 3), (3,), last=True),
    ],
)


# --- long short-term memory


def _lstm_sweep(
    x: Any,
    h0: Any,
    c0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    *,
    mask: np.ndarray | None = None,
    last: bool = False,
) -> Any:
    """Return all hidden states of an LSTM, and as one more row its last cell state.

    Parameters
    ----------
    x : array, shape (T, n, inputs)
        The inputs.
    h0, c0 : arrays, shape (n, hidden)
        Hidden and cell state before the first step.
    weight_ih, weight_hh, bias : arrays, shapes (4 hidden, inputs), (4 hidden, hidden), (4 hidden,)
        Weights of the gates i, f, g, o.
    mask : array of bool, shape (T, n), optional
        False where the states are to stay what they were.
    last : bool
        Return only h_T and c_T.

    Returns
    -------
    array, shape (T + 1, n, hidden), or (2, n, hidden) for the last
        The states h_1 to h_T, then c_T.
    """
    w, u = weight_ih.T, weight_hh.T
    states = unroll(lambda xt, state: lstm_step(xt, state, w, u, bias), x, (h0, c0), mask)
    read = states[-1:] if last else states[1:]
    return np.stack([h for h, _ in read] + [states[-1][1]])


def _gate_scales(hidden, dtype):
    """A sigmoid is a tanh in other units, ``(1 + tanh(a / 2)) / 2``: one call serves four gates and never overflows."""
    scale = np.full(4 * hidden, 0.5, dtype)
    scale[2 * hidden : 3 * hidden] = 1
    return scale, 1 - scale


def _lstm_run(x, h0, c0, weight_ih, weight_hh, bias, *, mask=None, last=False):
    steps, (n, hidden) = len(x), h0.shape
    dtype = np.result_type(x, h0, c0, weight_hh)
    h, c = np.empty((steps + 2, n, hidden), dtype), np.empty((steps + 1, n, hidden), dtype)
    gates, tanh_c = np.empty((steps, n, 4 * hidden), dtype), np.empty((steps, n, hidden), dtype)
    h[0], c[0] = h0, c0
    scale, shift = _gate_scales(hidden, dtype)
    w, u = np.ascontiguousarray(weight_ih.T) * scale, np.ascontiguousarray(weight_hh.T) * scale
    written = np.empty_like(h[0])
    for times in blocks(steps, 4 * h0.size):
        a = contributions(x, w, bias * scale, times)
        for k, t in enumerate(times):
            z = np.matmul(h[t], u, out=gates[t])
            z += a[k]
            np.tanh(z, out=z)
            z *= scale
            z += shift
            i, f, g, o = (z[:, j * hidden : (j + 1) * hidden] for j in range(4))
            np.multiply(f, c[t], out=c[t + 1])
            c[t + 1] += np.multiply(i, g, out=written)
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
            if mask is not None:
                for states in (h, c):
                    np.copyto(states[t + 1], states[t], where=~mask_at(mask, t))
    h[-1] = c[-1]
    return h[-2:] if last else h[1:], (h, c, gates, tanh_c)


def _lstm_back(g_out, saved, inputs_too, x, h0, c0, weight_ih, weight_hh, bias, *, mask=None, last=False):
    h, c, gates, tanh_c = saved
    hidden = h0.shape[1]
    one, two, three = hidden, 2 * hidden, 3 * hidden
    sums = Sums(x, weight_ih, weight_hh, inputs_too)
    carried, dc = g_out[0] if last else np.zeros_like(h0), g_out[-1].copy()
    upstream = np.empty((len(h0), 4 * hidden), gates.dtype)
    for times in reversed(blocks(len(x), 4 * h0.size)):
        block = slice(times.start, times.stop)
        da = gates[block] * (1 - gates[block])  # the slope of each gate: s (1 - s), and 1 - g^2 for the candidate
        candidate = gates[block, :, two:three]
        np.subtract(1, candidate * candidate, out=da[..., two:three])
        opened = gates[block, :, three:] * (1 - tanh_c[block] * tanh_c[block])
        for k, t in latest_first(times):
            i, f, g = gates[t][:, :one], gates[t][:, one:two], gates[t][:, two:three]
            dh, live = grad_out_at(g_out, t, carried, last), mask_at(mask, t)
            if live is not None:
                past_h, past_c = dh * ~live, dc * ~live
                dh, dc = dh * live, dc * live
            opened[k] *= dh
            dc += opened[k]
            np.multiply(dc, g, out=upstream[:, :one])
            np.multiply(dc, c[t], out=upstream[:, one:two])
            np.multiply(dc, i, out=upstream[:, two:three])
            np.multiply(dh, tanh_c[t], out=upstream[:, three:])
            da[k] *= upstream
            carried = da[k] @ weight_hh
            dc *= f
            if live is not None:
                carried += past_h
                dc += past_c
        sums.add(times, da, h)
    return sums.dx, carried, dc, sums.g_ih, sums.g_hh, sums.g_bias


lstm_sweep = sweep_operation(
    _lstm_sweep,
    _lstm_run,
    _lstm_back,
    6,
    [
        example((3, 2, 2), (2, 3), (2, 3), (12, 2), (12, 3), (12,)),
        example((2, 1, 1), (1, 1), (1, 1), (4, 1), (4, 1), (4,)),
        example(
            (3, 2, 1), (2, 2), (2, 2), (8, 1), (8, 2), (8,), mask=np.array([[True, True], [True, False], [False, True]])
        ),
        example((3, 2, 2), (2, 3), (2, 3), (12, 2), (12, 3), (12,), last=True),
    ],
)


# --- the gated recurrent unit


def _gru_sweep(
    x: Any,
    h0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    *,
    mask: np.ndarray | None = None,
    last: bool = False,
) -> Any:
    """Return all hidden states of a gated recurrent unit.

    Parameters
    ----------
    x : array, shape (T, n, inputs)
        The inputs.
    h0 : array, shape (n, hidden)
        State before the first step.
    weight_ih, weight_hh, bias_ih, bias_hh : arrays, (3 hidden, inputs), (3 hidden, hidden), (3 hidden,), (3 hidden,)
        Weights and biases of r, z and n; the reset gate multiplies the last third of what the state contributes.
    mask : array of bool, shape (T, n), optional
        False where the state is to stay what it was.
    last : bool
        Return only h_T.

    Returns
    -------
    array, shape (T, n, hidden), or (n, hidden) for the last
        The states h_1 to h_T.
    """
    w, u = weight_ih.T, weight_hh.T
    states = unroll(lambda xt, state: gru_step(xt, state, w, u, bias_ih, bias_hh), x, (h0,), mask)
    return states[-1][0] if last else np.stack([h for (h,) in states[1:]])


def _gru_run(x, h0, weight_ih, weight_hh, bias_ih, bias_hh, *, mask=None, last=False):
    steps, (n, hidden) = len(x), h0.shape
    two = 2 * hidden
    dtype = np.result_type(x, h0, weight_hh)
    h, q = np.empty((steps + 1, n, hidden), dtype), np.empty((steps, n, hidden), dtype)
    gates, contributed = np.empty((steps, n, 3 * hidden), dtype), np.empty((n, 3 * hidden), dtype)
    h[0] = h0
    w, u = np.ascontiguousarray(weight_ih.T), np.ascontiguousarray(weight_hh.T)
    for times in blocks(steps, 3 * h0.size):
        a = contributions(x, w, bias_ih, times)
        for k, t in enumerate(times):
            np.matmul(h[t], u, out=contributed)
            contributed += bias_hh
            s = np.add(contributed[:, :two], a[k][:, :two], out=gates[t][:, :two])
            s *= 0.5  # the sigmoid as a tanh, as in the LSTM
            np.tanh(s, out=s)
            s *= 0.5
            s += 0.5
            r, z, candidate = s[:, :hidden], s[:, hidden:], gates[t][:, two:]
            q[t] = contributed[:, two:]
            np.multiply(r, q[t], out=candidate)
            candidate += a[k][:, two:]
            np.tanh(candidate, out=candidate)
            np.subtract(h[t], candidate, out=h[t + 1])
            h[t + 1] *= z
            h[t + 1] += candidate
            if mask is not None:
                np.copyto(h[t + 1], h[t], where=~mask_at(mask, t))
    return h[-1] if last else h[1:], (h, gates, q)


def _gru_back(g, saved, inputs_too, x, h0, weight_ih, weight_hh, bias_ih, bias_hh, *, mask=None, last=False):
    h, gates, q = saved
    hidden = h0.shape[1]
    one, two = hidden, 2 * hidden
    sums = Sums(x, weight_ih, weight_hh, inputs_too)
    carried = g if last else np.zeros_like(h0)
    for times in reversed(blocks(len(x), 3 * h0.size)):
        block = slice(times.start, times.stop)
        da = gates[block] * (1 - gates[block])
        np.subtract(1, gates[block, :, two:] ** 2, out=da[..., two:])
        da[..., two:] *= 1 - gates[block, :, one:two]
        da[..., one:two] *= h[block] - gates[block, :, two:]
        du = np.empty_like(da)
        for k, t in latest_first(times):
            r, z = gates[t][:, :one], gates[t][:, one:two]
            dh, live = grad_out_at(g, t, carried, last), mask_at(mask, t)
            if live is not None:
                past = dh * ~live
                dh = dh * live
            dn = da[k][:, two:]
            dn *= dh
            da[k][:, one:two] *= dh
            da[k][:, :one] *= dn
            da[k][:, :one] *= q[t]
            du[k][:, :two] = da[k][:, :two]
            np.multiply(dn, r, out=du[k][:, two:])
            carried = du[k] @ weight_hh
            carried += dh * z
            if live is not None:
                carried += past
        sums.add(times, da, h, du)
    return sums.dx, carried, sums.g_ih, sums.g_hh, sums.g_bias, sums.g_inner


gru_sweep = sweep_operation(
    _gru_sweep,
    _gru_run,
    _gru_back,
    6,
    [
        example((3, 2, 2), (2, 3), (9, 2), (9, 3), (9,), (9,)),
        example((2, 1, 1), (1, 1), (3, 1), (3, 1), (3,), (3,)),
        example(
            (3, 2, 1), (2, 2), (6, 1), (6, 2), (6,), (6,), mask=np.array([[True, True], [False, True], [True, False]])
        ),
        example((3, 2, 2), (2, 3), (9, 2), (9, 3), (9,), (9,), last=True),
    ],
)
