"""An engine that a learner wrote, tried out: what it does wrong, and a small network that learns on it.

The one idea: nothing here differentiates. The engine computes the loss and its gradients, and the network takes its
steps with them; each gradient is then compared with what nudging a number does to the engine's own results.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg.autodiff.witnesses import numeric
from coursepkg.datasets import moons

_POINTS = 40

# What is tried: in words, how it is computed, and where. In each a number has to be counted that is easy to forget.
Trial = tuple[str, Callable[..., Any], tuple[float, ...], str]
_TRIALS: tuple[Trial, ...] = (
    ("a + b", lambda a, b: a + b, (1.3, -0.7), "A sum hands on what arrives, to both sides."),
    ("a * b", lambda a, b: a * b, (1.3, -0.7), "The local derivative of a product is the other factor."),
    ("a.tanh()", lambda a: a.tanh(), (0.6,), "Look at the slope of tanh: it is made from its output."),
    ("a.relu()", lambda a: a.relu(), (0.6,), "Above zero relu hands on what arrives."),
    ("a.relu()", lambda a: a.relu(), (-0.6,), "Below zero relu hands on nothing."),
    ("a + a", lambda a: a + a, (1.3,), "The same value comes in twice. Do reports add up, or does the last one count?"),
    ("a * a", lambda a: a * a, (1.3,), "The same value comes in twice. Do reports add up, or does the last one count?"),
    (
        "c = a * b, (c + a) * c",
        lambda a, b: (lambda c: (c + a) * c)(a * b),
        (1.3, -0.7),
        "c is used twice. Does it wait for both reports before it hands on, and hand on once?",
    ),
)  # fmt: skip


def find_faults(engine: Any) -> list[str]:
    """What an engine does wrong, in plain words.

    Parameters
    ----------
    engine : class
        ``engine(number)`` has ``data``, ``grad``, ``+``, ``*``, ``backward()``, and ``tanh()`` or ``relu()``.

    Returns
    -------
    list of str
        One sentence or two for each expression that comes out wrong; empty if all are right.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import Scalar
    >>> find_faults(Scalar)
    []
    """
    if not any(hasattr(engine, name) for name in ("tanh", "relu")):
        return ["The engine has neither tanh nor relu, so a network of it could only be a straight line."]
    found: list[str] = []
    for trial in _TRIALS:
        words = trial[0]
        if (words.startswith("a.") and not hasattr(engine, words[2:6])) or any(words in fault for fault in found):
            continue
        if fault := _fault(engine, *trial):
            found.append(fault)
    return found


def _fault(engine: Any, words: str, formula: Callable[..., Any], at: tuple[float, ...], hint: str) -> str:
    names, point = "ab"[: len(at)], np.array(at)
    where = " and ".join(f"{name} = {_number(x)}" for name, x in zip(names, at, strict=True))
    try:
        leaves = [engine(x) for x in at]
        result = formula(*leaves)
        result.backward()
        told = [float(leaf.grad) for leaf in leaves]
        seen = np.atleast_1d(numeric(lambda p: float(formula(*(engine(float(x)) for x in p)).data))(point))
    except Exception as error:  # noqa: BLE001 - whatever a learner's class does, it is told
        return f"{words} stopped with {type(error).__name__}: {error}"
    for name, said, nudged in zip(names, told, seen.tolist(), strict=True):
        if not math.isclose(said, nudged, rel_tol=1e-5, abs_tol=1e-6):
            return (
                f"{words} at {where}: the engine says that the gradient of {name} is {_number(said)}, but a "
                f"small nudge of {name} moves the result {_number(nudged)} times as far. {hint}"
            )
    return ""


class Network:
    """Two inputs, hidden units, one output, on numbers of a learner's engine.

    Parameters
    ----------
    engine : class
        As for :func:`find_faults`.
    width : int
        Hidden units.
    noise : float
        Of the moons.
    seed : int
        Of points and weights.
    """

    def __init__(self, engine: Any, width: int = 6, noise: float = 0.1, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.engine, self.width, self.bend = engine, width, "tanh" if hasattr(engine, "tanh") else "relu"
        self.points, self.classes = moons(_POINTS, noise=noise, rng=rng)
        start = np.concatenate([rng.normal(size=(width, 2)), np.zeros((width, 1))], axis=1)
        self.hidden = [[engine(float(x)) for x in row] for row in start]
        self.output = [engine(float(x)) for x in [*rng.normal(size=width) * 0.5, 0.0]]
        self.losses: list[float] = []

    @property
    def weights(self) -> dict[str, Any]:
        """All numbers that are learned, by name."""
        names = ("from x", "from y", "bias")
        found = {f"unit {n + 1}, {name}": w for n, row in enumerate(self.hidden)
                 for name, w in zip(names, row, strict=True)}  # fmt: skip
        return (
            found
            | {f"vote of unit {n + 1}": w for n, w in enumerate(self.output[:-1])}
            | {"bias of the vote": self.output[-1]}
        )

    def loss(self) -> Any:
        """The mean squared distance of the answers from -1 and 1, as a number of the engine."""
        total = None
        for (x, y), label in zip(self.points.tolist(), self.classes.tolist(), strict=True):
            off = self._answer(x, y) + self.engine(1.0 - 2.0 * label)
            total = off * off if total is None else total + off * off
        return total * self.engine(1.0 / len(self.points))

    def _answer(self, x: float, y: float) -> Any:
        across, upward = self.engine(x), self.engine(y)
        answer = self.output[-1]
        for (wx, wy, bias), vote in zip(self.hidden, self.output[:-1], strict=True):
            answer = answer + getattr(wx * across + wy * upward + bias, self.bend)() * vote
        return answer

    def step(self, rate: float) -> None:
        """One step of gradient descent with the gradients of the engine."""
        loss = self._swept()
        weights = self.weights.values()
        moved = [float(w.data) - rate * float(w.grad) for w in weights]
        if not np.isfinite(moved).all():
            raise ArithmeticError("a weight is no longer finite; choose a smaller rate and begin again")
        for w, x in zip(weights, moved, strict=True):
            w.data = x
        self.losses.append(float(loss.data))

    def _swept(self) -> Any:
        for w in self.weights.values():
            w.grad = 0.0
        loss = self.loss()
        loss.backward()
        return loss

    def off(self) -> str:
        """Which gradient of the whole loss differs most from a nudge, in words; empty if all agree."""
        self._swept()
        told = {name: float(w.grad) for name, w in self.weights.items()}
        weights = list(self.weights.values())
        here = np.array([float(w.data) for w in weights])

        def loss(p: Any) -> float:
            for w, x in zip(weights, np.asarray(p, dtype=float), strict=True):
                w.data = float(x)
            return float(self.loss().data)

        try:
            seen = np.asarray(numeric(loss)(here))
        finally:
            for w, x in zip(weights, here.tolist(), strict=True):
                w.data = x
        apart = np.abs(np.array(list(told.values())) - seen)
        worst = int(np.argmax(np.nan_to_num(apart, nan=np.inf)))
        if apart[worst] <= 1e-5 * max(float(np.abs(seen).max()), 1.0):
            return ""
        name, said = list(told.items())[worst]
        return (
            f"{name.capitalize()}: the engine says {_number(said)}, a nudge of the weight says "
            f"{_number(float(seen[worst]))}."
        )

    def scores(self, places: np.ndarray) -> np.ndarray:
        """What the network answers at many places, by NumPy: the engine would take seconds."""
        w = np.array([[float(x.data) for x in row] for row in self.hidden])
        v = np.array([float(x.data) for x in self.output])
        inner = places @ w[:, :2].T + w[:, 2]
        return (np.tanh(inner) if self.bend == "tanh" else np.maximum(inner, 0.0)) @ v[:-1] + v[-1]

    def sides(self) -> np.ndarray:
        """For each point whether it is on its side of the line."""
        return (self.scores(self.points) > 0) == (self.classes == 1)


def _number(value: float) -> str:
    return f"{round(value, 6) + 0.0:.3g}".replace("-", "\u2212")
