"""What happens to gradients on their way back through time, measured on a recurrent layer.

The one idea: the gradient that reaches an early state is the late one times a product of Jacobians, one per step. Its
size per step, the product itself, two numbers of the recurrent matrix, and the map of which past inputs matter all
come from that product (Bengio et al., 1994; Pascanu et al., 2013).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.autodiff.dispatch import plain, tracing
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.tensor import no_grad
from coursepkg.nn.module import Module
from coursepkg.nn.recurrent.layers import Recurrence, Trace

__all__ = [
    "NotFinite",
    "connectivity",
    "first_not_finite",
    "gates",
    "gradient_norms",
    "jacobian_product",
    "largest_singular_value",
    "spectral_radius",
    "state_gradients",
    "step_jacobians",
]


def spectral_radius(matrix: Any) -> float:
    """Size of the largest eigenvalue: how fast the powers of the matrix grow or shrink in the long run."""
    return float(np.max(np.abs(np.linalg.eigvals(plain(matrix)))))


def largest_singular_value(matrix: Any) -> float:
    """The most by which the matrix can stretch a vector, in one step."""
    return float(np.linalg.norm(plain(matrix), 2))


def state_gradients(layer: Recurrence, x: Any, loss: Callable[[Any], Any], *, of: str = "h") -> np.ndarray:
    """The gradient of a loss at every state of a layer, through all that comes later.

    Parameters
    ----------
    layer : Recurrence
        One layer, time on the first axis.
    x : ndarray, shape (T, n, input_size)
        The inputs.
    loss : callable
        ``loss(output)``, from all hidden states, shape (T, n, hidden_size), to one number.
    of : {"h", "c"}
        Hidden states, or an LSTM's cell states.

    Returns
    -------
    ndarray, shape (T, n, hidden_size)
        dL/dh_t, or dL/dc_t, for t = 1 to T.
    """
    _check_single(layer)
    names = "hc"[: layer.kind.states]
    if of not in tuple(names):
        raise ValueError(f"this {type(layer).__name__} has the states {', '.join(names)}, not {of!r}")
    with layer.watched() as seen:
        output, _ = layer(x)
        loss(output).backward()
    states = [state[names.index(of)] for state in seen[0].states[1:]]
    layer.zero_grad()
    return np.stack([np.zeros(s.shape) if s.grad is None else s.grad for s in states])


def gradient_norms(layer: Recurrence, x: Any, loss: Callable[[Any], Any], *, of: str = "h") -> np.ndarray:
    """Norm of the gradient at each time, over all examples and units.

    Parameters
    ----------
    layer, x, loss, of
        As for :func:`state_gradients`.

    Returns
    -------
    ndarray, shape (T,)
    """
    return np.linalg.norm(state_gradients(layer, x, loss, of=of), axis=(1, 2))


def gates(layer: Recurrence, x: Any) -> dict[str, np.ndarray]:
    """How far each gate is open while a layer reads its inputs.

    Parameters
    ----------
    layer : LSTM or GRU
        One layer, in either order of axes.
    x : ndarray, shape (T, n, input_size), or (n, T, input_size) with ``batch_first``
        The inputs; the state starts at zero.

    Returns
    -------
    dict of ndarray, each of shape (T, n, hidden_size)
        i, f and o of an LSTM, r and z of a GRU, between 0 and 1. Time stands first.
    """
    if layer.num_layers != 1 or layer.kind.gates == 1:
        raise ValueError("this looks at a single layer that has gates: an LSTM or a GRU")
    names = "ifgo" if layer.kind.states == 2 else "rz"
    with layer.watched() as seen, no_grad():
        layer(x)
    trace = seen[0]
    before = np.stack([plain(state[0]) for state in trace.states[:-1]])
    weight_ih, weight_hh, *biases = (plain(part) for part in layer.kind.arguments(trace.weights))
    scores = plain(trace.inputs) @ weight_ih.T + before @ weight_hh.T + sum(biases)
    opened = dict(zip(names, np.split(sigmoid(scores), layer.kind.gates, axis=-1), strict=False))
    return {name: opened[name] for name in names if name != "g"}


def step_jacobians(layer: Recurrence, x: Any) -> np.ndarray:
    """The Jacobian of every step, from the state before to the state after, for one sequence.

    Parameters
    ----------
    layer : Recurrence
        One layer, time on the first axis. The state of an LSTM is h and c, one after the other.
    x : ndarray, shape (T, 1, input_size)
        One sequence; the state starts at zero.

    Returns
    -------
    ndarray, shape (T, size of the state, size of the state)
    """
    _check_single(layer)
    if np.shape(x)[1] != 1:
        raise ValueError(f"Jacobians are taken for one sequence, shape (T, 1, input_size), got {np.shape(x)}")
    kind, hidden = layer.kind, layer.hidden_size
    step = kind.stepper({name: tensor.numpy() for name, tensor in layer.weights().items()})
    size = hidden * kind.states
    directions = np.split(np.eye(size).reshape(size, 1, size), kind.states, axis=2)
    state: Any = tuple(np.zeros((1, hidden)) for _ in range(kind.states))
    found = []
    for t in range(len(x)):
        with tracing() as bit:
            # All directions at once: row k of the leading axis is the k-th entry of the state.
            values = [np.repeat(part[None], size, axis=0) for part in state]
            moved = tuple(Dual(v, d, bit) for v, d in zip(values, directions, strict=True))
            new = step(x[t], moved)
        found.append(np.concatenate([part.tangent[:, 0] for part in new], axis=1).T)
        state = tuple(part.value[0] for part in new)
    return np.stack(found)


def jacobian_product(layer: Recurrence, x: Any, start: int = 0, stop: int | None = None) -> np.ndarray:
    """The derivative of a later state by an earlier one: the product of the steps between them, the latest to the left.

    Parameters
    ----------
    layer, x
        As for :func:`step_jacobians`.
    start, stop : int
        Times of the states, 0 being the one before the first step; by default the first and the last.

    Returns
    -------
    ndarray, shape (size of the state, size of the state)
    """
    product = np.eye(layer.hidden_size * layer.kind.states)
    for jacobian in step_jacobians(layer, x)[start:stop]:
        product = jacobian @ product
    return product


def connectivity(score: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Which inputs matter for which outputs: the size of each output's gradient at each input.

    Parameters
    ----------
    score : callable
        From all inputs to one number per time, shape (T,), for example the score of the right symbol.
    x : ndarray, shape (T, n, features) or (T, features)
        The inputs.

    Returns
    -------
    ndarray, shape (T, T)
        Row t, column s: the norm of d score_t / d x_s. Above the diagonal it is zero: the future does not matter.
    """
    values, pull = vjp(score, x)
    if np.ndim(values) != 1:
        raise ValueError(f"score must return one number per time, got shape {np.shape(values)}")
    rows = [plain(pull(one)) for one in np.eye(len(values), dtype=values.dtype)]
    return np.stack([np.sqrt(np.sum(row.reshape(len(x), -1) ** 2, axis=1)) for row in rows])


class NotFinite(NamedTuple):
    """Where NaN or infinity came from.

    Attributes
    ----------
    what : {"state", "gradient"}
        Whether it appeared on the way forward or on the way back.
    step, steps : int
        The time step, counted from 1, and the length of the sequence.
    weight : str
        The weight in whose product it appeared.
    """

    what: str
    step: int
    steps: int
    weight: str

    def __str__(self) -> str:
        kind = "state" if self.what == "state" else "gradient at the state"
        where = f"at time step {self.step} of {self.steps}, in the product with {self.weight}"
        return f"The {kind} first stopped being finite {where}."


def first_not_finite(model: Module, run: Callable[[], Any]) -> NotFinite | None:
    """Find the first time step, and the weight, at which a recurrent model stops being finite.

    Parameters
    ----------
    model : Module
        Holds one or more recurrences.
    run : callable
        ``run()`` calls the model and returns the loss, a tensor.

    Returns
    -------
    NotFinite or None
        None if all states and their gradients are finite.
    """
    layers = [(name, m) for name, m in model.named_modules() if isinstance(m, Recurrence)]
    with ExitStack() as stack, np.errstate(all="ignore"):
        seen = [(name, stack.enter_context(layer.watched())) for name, layer in layers]
        loss = run()
        for name, traces in seen:
            for number, trace in enumerate(traces):
                found = _forward(trace, _prefix(name), number)
                if found is not None:
                    return found
        loss.backward()
    model.zero_grad()
    for name, traces in reversed(seen):
        for number, trace in reversed(list(enumerate(traces))):
            found = _backward(trace, f"{_prefix(name)}weight_hh_l{number}")
            if found is not None:
                return found
    return None


def _forward(trace: Trace, prefix: str, number: int) -> NotFinite | None:
    for t, state in enumerate(trace.states):
        if not all(_finite(part) for part in state):
            from_input = t > 0 and not _finite(plain(trace.inputs[t - 1]) @ plain(trace.weights["weight_ih"]).T)
            weight = f"{prefix}weight_{'ih' if from_input else 'hh'}_l{number}"
            return NotFinite("state", t, len(trace.states) - 1, weight)
    return None


def _backward(trace: Trace, weight: str) -> NotFinite | None:
    for t in reversed(range(1, len(trace.states))):
        if not all(part.grad is None or _finite(part.grad) for part in trace.states[t]):
            return NotFinite("gradient", t, len(trace.states) - 1, weight)
    return None


def _finite(array: Any) -> bool:
    return bool(np.isfinite(plain(array)).all())


def _prefix(name: str) -> str:
    return f"{name}." if name else ""


def _check_single(layer: Recurrence) -> None:
    if layer.num_layers != 1 or layer.batch_first:
        raise ValueError("this looks at a single layer with time on the first axis")
