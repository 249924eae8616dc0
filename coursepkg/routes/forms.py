"""The same network in other forms, a recurrent one and a tree, with the routes that belong to them.

Nothing about the numbers changes. What changes is which sums are made, when, and what has to be kept for them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coursepkg import neural_tree
from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.routes.problem import Found, Meter, Problem, unflat


class _Recurrence(NamedTuple):
    """The network as a recurrent one: a state [x, h, y], one matrix for every step, two steps."""

    W: np.ndarray
    b: np.ndarray
    start: np.ndarray
    hidden: slice
    output: slice

    def step(self, state: np.ndarray) -> np.ndarray:
        return sigmoid(state @ self.W.T + self.b)


def _recurrence(problem: Problem) -> _Recurrence:
    inputs, hidden, _ = problem.sizes
    size, p = sum(problem.sizes), problem.parameters
    h, y = slice(inputs, inputs + hidden), slice(inputs + hidden, size)
    W, b, start = np.zeros((size, size)), np.zeros(size), np.zeros((len(problem.x), size))
    W[h, :inputs], b[h], W[y, h], b[y] = p["W1"], p["b1"], p["W2"], p["b2"]
    start[:, :inputs] = problem.x
    return _Recurrence(W, b, start, h, y)


def recurrent_matrix(problem: Problem) -> np.ndarray:
    """Return the one matrix of the recurrent form, which acts on a state [inputs, hidden units, outputs]."""
    return _recurrence(problem).W


def as_recurrence(problem: Problem) -> Found:
    """Write the network as a recurrent one that takes two steps, and run backpropagation through time.

    The state holds inputs, hidden units and outputs; the same matrix acts at every step. What each step says about the
    matrix is added up. The entries that belong to W1 and W2 are read off at the end.
    """
    net, meter = _recurrence(problem), Meter()
    states, once = [net.start], net.start.shape[0] * net.W.size
    for _ in range(2):
        states.append(net.step(states[-1]))
        meter.ran_forward(once)
    bar = np.zeros_like(net.start)
    bar[:, net.output] = (states[-1][:, net.output] - problem.t) / len(problem.x)
    W_bar, b_bar = np.zeros_like(net.W), np.zeros_like(net.b)
    for before, after in reversed(list(pairwise(states))):
        delta = bar * after * (1 - after)
        W_bar, b_bar, bar = W_bar + delta.T @ before, b_bar + delta.sum(axis=0), delta @ net.W
        meter.ran_backward(2 * once)
    inputs, h, y = problem.sizes[0], net.hidden, net.output
    gradient = {"W1": W_bar[h, :inputs], "b1": b_bar[h], "W2": W_bar[y, h], "b2": b_bar[y]}
    return Found(gradient, meter, sum(state.nbytes for state in states[1:]))


def carried_forward(problem: Problem) -> Found:
    """The same recurrent network without going back: every state carries its derivative by every parameter (RTRL)."""
    net, meter = _recurrence(problem), Meter()
    rows, size = net.start.shape
    places = _places(problem, net)
    state, carried = net.start, np.zeros((rows, problem.count, size))
    for _ in range(2):
        pushed = carried @ net.W.T
        meter.ran_forward(rows * net.W.size * (1 + problem.count))
        for k, (unit, source) in enumerate(places):
            pushed[:, k, unit] += 1.0 if source is None else state[:, source]
        state = net.step(state)
        carried = pushed * (state * (1 - state))[:, None, :]
    error = (state[:, net.output] - problem.t) / rows
    slopes = np.einsum("nk,npk->p", error, carried[:, :, net.output])
    return Found(unflat(problem, slopes), meter, carried.nbytes)


def _places(problem: Problem, net: _Recurrence) -> list[tuple[int, int | None]]:
    """For each parameter: the unit of the state that it acts on, and the unit that it multiplies (None for a bias)."""
    inputs, hidden, outputs = problem.sizes
    first = [(net.hidden.start + i, j) for i in range(hidden) for j in range(inputs)]
    second = [(net.output.start + i, net.hidden.start + j) for i in range(outputs) for j in range(hidden)]
    biases1 = [(net.hidden.start + i, None) for i in range(hidden)]
    return [*first, *biases1, *second, *((net.output.start + i, None) for i in range(outputs))]


def as_tree(problem: Problem) -> Found:
    """Unfold the network into one tree per output, with copies of the hidden units, and add up what copies say."""
    p = problem.parameters
    tree, copies = neural_tree.mlp_as_tree([p["W1"], p["W2"]], [p["b1"], p["b2"]])
    _, found = neural_tree.value_and_gradient(tree, problem.x, problem.t)
    weights, biases = copies.sum(found)
    edges, rows, meter = len(tree.edges), len(problem.x), Meter()
    meter.ran_forward(rows * edges)
    inner = sum(node.weight is not None for node in tree.functions)
    meter.ran_backward(rows * (edges + inner))
    kept = sum(node.value.nbytes for node in tree.functions)
    return Found({"W1": weights[0], "b1": biases[0], "W2": weights[1], "b2": biases[1]}, meter, kept)
