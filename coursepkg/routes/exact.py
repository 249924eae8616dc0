"""Routes that give the gradient of the network to rounding: by hand, by symbols, by nudges, forward and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from coursepkg import gradients
from coursepkg.estimators import checkpoint
from coursepkg.routes.problem import Found, Meter, Problem, flat, kept, unflat


def by_hand(problem: Problem) -> Found:
    """Take the four formulas that chapters 05 and 06 derive: one pass there, one back."""
    p, meter, rows = problem.parameters, Meter(), len(problem.x)
    h = problem.layer(problem.x, p, 1, meter)
    y = problem.layer(h, p, 2, meter)
    delta2 = (y - problem.t) * y * (1 - y) / rows
    meter.ran_backward(2 * rows * p["W2"].size)
    delta1 = (delta2 @ p["W2"]) * h * (1 - h)
    meter.ran_backward(rows * p["W1"].size)
    gradient = {"W2": delta2.T @ h, "b2": delta2.sum(axis=0), "W1": delta1.T @ problem.x, "b1": delta1.sum(axis=0)}
    return Found(gradient, meter, h.nbytes + y.nbytes)


class _Formulas(NamedTuple):
    """The slopes of the loss of one example as a function, and how many operations formulas write out."""

    run: Callable[..., Any]
    of_loss: int
    of_slopes: int


@cache
def _formulas(sizes: tuple[int, int, int]) -> _Formulas:
    """Differentiate the loss of one example by every parameter, as algebra."""
    import sympy as sp

    inputs, hidden, outputs = sizes
    x, t = sp.symbols(f"x:{inputs}"), sp.symbols(f"t:{outputs}")
    W1, b1 = sp.symbols(f"W1_:{hidden}_:{inputs}"), sp.symbols(f"b1_:{hidden}")
    W2, b2 = sp.symbols(f"W2_:{outputs}_:{hidden}"), sp.symbols(f"b2_:{outputs}")
    h = _units(W1, b1, x)
    y = _units(W2, b2, h)
    loss = sum((yi - ti) ** 2 for yi, ti in zip(y, t, strict=True)) / 2
    weights = [*W1, *b1, *W2, *b2]
    slopes = [sp.diff(loss, w) for w in weights]
    run = sp.lambdify([*weights, *x, *t], slopes, cse=True)
    return _Formulas(run, int(sp.count_ops(loss)), int(sp.count_ops(slopes)))


def formula_operations(problem: Problem) -> tuple[int, int]:
    """Count operations that are written out: in the loss of one example, and in all of its slopes together."""
    found = _formulas(problem.sizes)
    return found.of_loss, found.of_slopes


def _units(W: Sequence[Any], b: Sequence[Any], a: Sequence[Any]) -> list[Any]:
    import sympy as sp

    rows = [W[k * len(a) : (k + 1) * len(a)] for k in range(len(b))]
    sums = [bias + sum(w * v for w, v in zip(row, a, strict=True)) for row, bias in zip(rows, b, strict=True)]
    return [1 / (1 + sp.exp(-z)) for z in sums]


def by_symbols(problem: Problem) -> Found:
    """Let sympy differentiate the formula of one example, and add the formula up over the batch."""
    found = _formulas(problem.sizes).run(*flat(problem.parameters), *problem.x.T, *problem.t.T)
    return Found(unflat(problem, np.array([np.mean(slope) for slope in found])), Meter(), 0)


def differences(problem: Problem) -> Found:
    """Nudge each parameter, there and back, at two step sizes, and combine them."""
    meter = Meter()
    gradient = gradients.numeric(lambda p: problem.loss(p, meter))(problem.parameters)
    return Found(gradient, meter, 0)


def complex_step(problem: Problem, step: float = 1e-30) -> Found:
    """Nudge each parameter in the imaginary direction, where nothing has to be subtracted (Squire and Trapp 1998)."""
    meter, theta = Meter(), flat(problem.parameters).astype(complex)
    slopes = np.zeros(problem.count)
    for i in range(problem.count):
        theta[i] += 1j * step
        slopes[i] = np.imag(problem.loss(unflat(problem, theta), meter)) / step
        theta[i] = theta[i].real
    return Found(unflat(problem, slopes), meter, 0)


def forward_mode(problem: Problem) -> Found:
    """Carry a tangent beside each value, once for every parameter."""
    meter = Meter()
    gradient = gradients.forward(lambda p: problem.loss(p, meter))(problem.parameters)
    return Found(gradient, meter, 0)


def reverse_mode(problem: Problem) -> Found:
    """Run forward with a tape, then backward once."""
    meter = Meter()
    gradient = gradients.reverse(lambda p: problem.loss(p, meter))(problem.parameters)
    return Found(gradient, meter, kept(problem, problem.loss))


def checkpointed(problem: Problem) -> Found:
    """Forget the hidden layer on the way there, and compute it again on the way back."""

    def loss(p: Mapping[str, Any], meter: Meter | None = None) -> Any:
        y = checkpoint(lambda x: problem.outputs(p, meter), problem.x)
        return np.sum((y - problem.t) ** 2) / (2 * len(problem.x))

    meter = Meter()
    gradient = gradients.reverse(lambda p: loss(p, meter))(problem.parameters)
    return Found(gradient, meter, kept(problem, loss))
