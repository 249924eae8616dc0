"""What the hand-written sweeps through time share: how one enters the table, and the sums over times.

The one idea: a weight that was used T times gets the sum of T contributions, and a sum of outer products is one matrix
product over many times at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from coursepkg.autodiff.dispatch import Traced, operation
from coursepkg.autodiff.forward_mode import jvp, jvps
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.table import Example

__all__ = ["Memo", "Sums", "blocks", "contributions", "grad_out_at", "latest_first", "mask_at", "sweep_operation"]


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


def sweep_operation(
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

    def forward(*args: Any, **options: Any) -> tuple[Any, tuple[Any, Memo]]:
        if any(isinstance(a, Traced) for a in args):
            return function(*args, **options), (None, Memo())
        output, saved = run(*args, **options)
        return output, (saved, Memo())

    def rule(index: int) -> Callable[..., Any]:
        def gradient(g: Any, kept: Any, *args: Any, **options: Any) -> Any:
            saved, memo = kept
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


# --- sums over times


def blocks(steps: int, width: int) -> list[range]:
    """Times in groups, each small enough for its pre-activations to stay in the cache: larger arrays cost more than the
    products gain, because fresh memory has to be fetched from the system."""
    size = max(1, 32_768 // width)
    return [range(start, min(start + size, steps)) for start in range(0, steps, size)]


def contributions(x: np.ndarray, w: np.ndarray, bias: np.ndarray, times: range) -> np.ndarray:
    """What the inputs of some times add to the pre-activations, in one product."""
    part = x[times.start : times.stop]
    a = part.reshape(-1, part.shape[-1]) @ w
    a += bias
    return a.reshape(*part.shape[:-1], -1)


class Sums:
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


def mask_at(mask: Any, t: int) -> Any:
    return None if mask is None else mask[t][:, None]


def grad_out_at(g: np.ndarray, t: int, carried: np.ndarray, last: bool) -> np.ndarray:
    """The gradient at a hidden state: from what is read of it, and from all that comes later."""
    return carried if last else g[t] + carried


def latest_first(times: range) -> Iterator[tuple[int, int]]:
    """Places in a block and times, the latest first."""
    return ((t - times.start, t) for t in reversed(times))
