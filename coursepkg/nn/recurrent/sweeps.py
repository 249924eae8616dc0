"""Backpropagation through time by hand: each recurrence is one node of the tape, with one sweep forward and one back.

The one idea: the backward sweep has to find only the gradients at the pre-activations, one time step after the other.
A weight that was used T times gets the sum of T contributions, and a sum of outer products is one matrix product over
many times at once. The sweeps are entries of the table of primitives, so they compose with everything else on the tape;
where something is traced again (second derivatives, forward mode, symbols), the cell's own steps from
:mod:`~coursepkg.nn.recurrent.cells` run instead (Werbos, 1990).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from coursepkg.autodiff.dispatch import Traced, operation
from coursepkg.autodiff.forward_mode import jvp, jvps
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
        """Return what the sweep for this gradient finds for one argument, running it only if need be."""
        if self.gradient is not g or index <= self.last:
            self.gradient, self.found = g, sweep()
        self.last = index
        return self.found[index]


def _sweep_operation(
    function: Callable[..., Any],
    run: Callable[..., tuple[Any, Any]],
    back: Callable[..., Sequence[Any]],
    arity: int,
    examples: Sequence[Example],
) -> Any:
    """Enter a recurrence into the table.

    ``function`` is its definition by steps, ``run`` the fast forward sweep ``(*args) -> (output, saved)``, and ``back``
    the fast backward sweep ``(g, saved, inputs_too, *args) -> one gradient per argument``; the first argument is the
    inputs, whose gradient is often not wanted.
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
                return memo.get(index, g, lambda: _by_tape(function, g, args, options))
            return memo.get(index, g, lambda: back(g, saved, index == 0, *args, **options))

        return gradient

    def change(push: Callable[..., Any], index: int) -> Callable[..., Any]:
        def tangent(t: Any, out: Any, *args: Any, **options: Any) -> Any:
            return push(lambda a: function(*args[:index], a, *args[index + 1 :], **options), args[index], t)[1]

        return tangent

    def symbols(sp: Any, values: Sequence[Any], *expressions: Any, **options: Any) -> Any:
        from coursepkg.autodiff.symbolic_array import SymbolicArray

        traced = [SymbolicArray(e, v) for e, v in zip(expressions, values, strict=True)]
        return function(*traced, **options).expressions

    return operation(
        function,
        forward=forward,
        saves=True,
        vjp=[rule(i) for i in range(arity)],
        jvp=[change(jvp, i) for i in range(arity)],
        jvps=[change(jvps, i) for i in range(arity)],
        sympy_array=symbols,
        name=function.__name__.lstrip("_"),
        examples=examples,
    )


def _by_tape(function: Callable[..., Any], g: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return vjp(lambda *moved: function(*moved, **options), *args)[1](g)


# --- what the sweeps share


def _blocks(steps: int, width: int) -> list[range]:
    """Times in groups, each small enough for its pre-activations to stay in the cache: larger arrays cost more than the
    products gain, because fresh memory has to be fetched from the system."""
    size = max(1, 32_768 // width)
    return [range(start, min(start + size, steps)) for start in range(0, steps, size)]


def _contributions(x: np.ndarray, w: np.ndarray, bias: np.ndarray, times: range) -> np.ndarray:
    """What the inputs of some times add to the pre-activations, in one product."""
    part = x[times.start : times.stop]
    a = part.reshape(-1, part.shape[-1]) @ w
    a += bias
    return a.reshape(*part.shape[:-1], -1)


class _Sums:
    """Gradients of the weights, summed up block by block."""

    def __init__(self, x: np.ndarray, weight_ih: np.ndarray, weight_hh: np.ndarray, inputs_too: bool) -> None:
        self.weight_ih, self.x = weight_ih, x
        self.dx = np.empty(x.shape, np.result_type(x, weight_ih)) if inputs_too else None
        self.g_ih, self.g_hh = np.zeros_like(weight_ih), np.zeros_like(weight_hh)
        self.g_bias, self.g_inner = np.zeros_like(weight_ih[:, 0]), np.zeros_like(weight_hh[:, 0])

    def add(self, times: range, da: np.ndarray, h: np.ndarray, du: np.ndarray | None = None) -> None:
        """Add the contributions of some times: ``da`` reaches the input's part of the pre-activations, ``du`` the
        state's part, where they differ."""
        flat = da.reshape(-1, da.shape[-1])
        part = self.x[times.start : times.stop]
        self.g_ih += flat.T @ part.reshape(-1, part.shape[-1])
        self.g_bias += np.add.reduce(flat, axis=0)
        if self.dx is not None:
            self.dx[times.start : times.stop] = (flat @ self.weight_ih).reshape(part.shape)
        if du is not None:
            flat = du.reshape(-1, du.shape[-1])
            self.g_inner += np.add.reduce(flat, axis=0)
        self.g_hh += flat.T @ h[times.start : times.stop].reshape(-1, h.shape[-1])


def _live(mask: Any, t: int) -> Any:
    return None if mask is None else mask[t][:, None]


def _upstream(g: np.ndarray, t: int, carried: np.ndarray, last: bool) -> np.ndarray:
    """The gradient at a hidden state: from what is read of it, and from all that comes later."""
    return carried if last else g[t] + carried


def _downward(times: range) -> Iterator[tuple[int, int]]:
    """Places in a block and times, the latest first."""
    return ((t - times.start, t) for t in reversed(times))


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
    for times in _blocks(len(x), h0.size):
        a = _contributions(x, w, bias, times)
        for k, t in enumerate(times):
            z = np.matmul(h[t], u, out=h[t + 1])
            z += a[k]
            if nonlinearity == "tanh":
                np.tanh(z, out=z)
            else:
                np.maximum(z, 0, out=z)
            if mask is not None:
                np.copyto(z, h[t], where=~_live(mask, t))
    return h[-1] if last else h[1:], h


def _rnn_back(g, h, inputs_too, x, h0, weight_ih, weight_hh, bias, *, nonlinearity="tanh", mask=None, last=False):
    sums = _Sums(x, weight_ih, weight_hh, inputs_too)
    carried = g if last else np.zeros_like(h0)
    for times in reversed(_blocks(len(x), h0.size)):
        after = h[times.start + 1 : times.stop + 1]
        da = 1 - after * after if nonlinearity == "tanh" else (after > 0).astype(h.dtype)
        for k, t in _downward(times):
            dh, live = _upstream(g, t, carried, last), _live(mask, t)
            da[k] *= dh if live is None else dh * live
            carried = da[k] @ weight_hh
            if live is not None:
                carried += dh * ~live
        sums.add(times, da, h)
    return sums.dx, carried, sums.g_ih, sums.g_hh, sums.g_bias


rnn_sweep = _sweep_operation(
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
    for times in _blocks(steps, 4 * h0.size):
        a = _contributions(x, w, bias * scale, times)
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
                    np.copyto(states[t + 1], states[t], where=~_live(mask, t))
    h[-1] = c[-1]
    return h[-2:] if last else h[1:], (h, c, gates, tanh_c)


def _lstm_back(g_out, saved, inputs_too, x, h0, c0, weight_ih, weight_hh, bias, *, mask=None, last=False):
    h, c, gates, tanh_c = saved
    hidden = h0.shape[1]
    one, two, three = hidden, 2 * hidden, 3 * hidden
    sums = _Sums(x, weight_ih, weight_hh, inputs_too)
    carried, dc = g_out[0] if last else np.zeros_like(h0), g_out[-1].copy()
    upstream = np.empty((len(h0), 4 * hidden), gates.dtype)
    for times in reversed(_blocks(len(x), 4 * h0.size)):
        block = slice(times.start, times.stop)
        da = gates[block] * (1 - gates[block])  # the slope of each gate: s (1 - s), and 1 - g^2 for the candidate
        candidate = gates[block, :, two:three]
        np.subtract(1, candidate * candidate, out=da[..., two:three])
        opened = gates[block, :, three:] * (1 - tanh_c[block] * tanh_c[block])
        for k, t in _downward(times):
            i, f, g = gates[t][:, :one], gates[t][:, one:two], gates[t][:, two:three]
            dh, live = _upstream(g_out, t, carried, last), _live(mask, t)
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


lstm_sweep = _sweep_operation(
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
    for times in _blocks(steps, 3 * h0.size):
        a = _contributions(x, w, bias_ih, times)
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
                np.copyto(h[t + 1], h[t], where=~_live(mask, t))
    return h[-1] if last else h[1:], (h, gates, q)


def _gru_back(g, saved, inputs_too, x, h0, weight_ih, weight_hh, bias_ih, bias_hh, *, mask=None, last=False):
    h, gates, q = saved
    hidden = h0.shape[1]
    one, two = hidden, 2 * hidden
    sums = _Sums(x, weight_ih, weight_hh, inputs_too)
    carried = g if last else np.zeros_like(h0)
    for times in reversed(_blocks(len(x), 3 * h0.size)):
        block = slice(times.start, times.stop)
        da = gates[block] * (1 - gates[block])
        np.subtract(1, gates[block, :, two:] ** 2, out=da[..., two:])
        da[..., two:] *= 1 - gates[block, :, one:two]
        da[..., one:two] *= h[block] - gates[block, :, two:]
        du = np.empty_like(da)
        for k, t in _downward(times):
            r, z = gates[t][:, :one], gates[t][:, one:two]
            dh, live = _upstream(g, t, carried, last), _live(mask, t)
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


gru_sweep = _sweep_operation(
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
