"""One network, one loss, one batch, and what is counted while a route runs through it.

Every run of a layer passes a meter, there and back, so that costs are those of the engine and not of a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.autodiff.tensor import Tensor
from coursepkg.datasets import iris
from coursepkg.estimators.memory import tape_bytes
from coursepkg.gradients import custom_gradient

Gradient = dict[str, np.ndarray]
NAMES = ("W1", "b1", "W2", "b2")


@dataclass
class Meter:
    """What one run of a route has cost.

    Attributes
    ----------
    products : int
        Multiplications of two real numbers in matrix products, forward and backward; a product of two complex numbers
        counts as four, one of a complex and a real number as two.
    forward, backward : int
        How often a layer was run in each direction.
    """

    products: int = 0
    forward: int = 0
    backward: int = 0

    def ran_forward(self, products: int) -> None:
        """Note that a layer ran forward."""
        self.forward += 1
        self.products += products

    def ran_backward(self, products: int) -> None:
        """Note that a layer ran backward."""
        self.backward += 1
        self.products += products


def _count_back(g: Any, out: Any, z: Any, *, meter: Meter, back: int, tangent: int) -> Any:
    meter.ran_backward(back)
    return g


def _count_tangent(t: Any, out: Any, z: Any, *, meter: Meter, back: int, tangent: int) -> Any:
    meter.products += tangent
    return t


@custom_gradient(vjp=_count_back, jvp=_count_tangent)
def watched(z, meter=None, back=0, tangent=0):
    """Return what goes in; the passes that run through here are counted."""
    return z


@dataclass(frozen=True)
class Problem:
    """A network with one hidden layer of sigmoids, its squared error, and one batch.

    ``h = sigmoid(x W1^T + b1)``, ``y = sigmoid(h W2^T + b2)``, ``L = sum((y - t)^2) / (2 B)``.

    Parameters
    ----------
    x : ndarray, shape (B, n)
        Inputs, one example per row.
    t : ndarray, shape (B, k)
        Targets.
    parameters : dict
        ``W1`` of shape (hidden, n), ``b1``, ``W2`` of shape (k, hidden), ``b2``.
    """

    x: np.ndarray
    t: np.ndarray
    parameters: Gradient = field(repr=False)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Inputs, hidden units, outputs."""
        return self.x.shape[1], *(len(self.parameters[name]) for name in ("b1", "b2"))

    @property
    def count(self) -> int:
        """How many parameters there are."""
        return sum(array.size for array in self.parameters.values())

    def layer(self, a: Any, p: Mapping[str, Any], number: int, meter: Meter | None = None) -> Any:
        """Run layer 1 or 2 on a batch; a meter counts it, and what will run back through it."""
        z = a @ p[f"W{number}"].T + p[f"b{number}"]
        if meter is not None:
            rows, out = len(self.x), p[f"W{number}"].shape
            once = rows * out[0] * out[1]
            both = once if number == 1 else 2 * once  # nobody asks for the gradient of the batch
            meter.ran_forward(once * _parts(a) * _parts(p[f"W{number}"]))
            z = watched(z, meter=meter, back=both, tangent=both)
        return sigmoid(z)

    def outputs(self, p: Mapping[str, Any], meter: Meter | None = None) -> Any:
        """Run the network on the batch."""
        return self.layer(self.layer(self.x, p, 1, meter), p, 2, meter)

    def loss(self, p: Mapping[str, Any], meter: Meter | None = None) -> Any:
        """Run the network and measure how wrong it is: one number."""
        return np.sum((self.outputs(p, meter) - self.t) ** 2) / (2 * len(self.x))


def _parts(array: Any) -> int:
    return 2 if getattr(array, "dtype", np.dtype(float)).kind == "c" else 1


def flowers(hidden: int = 3, each: int = 4, seed: int = 0) -> Problem:
    """Make the chapter's problem: a few irises of each species, and a network that has not learned yet.

    Parameters
    ----------
    hidden : int
        Units in the hidden layer.
    each : int
        Flowers of each of the three species.
    seed : int
        Of the starting weights.

    Returns
    -------
    Problem

    Examples
    --------
    >>> problem = flowers()
    >>> problem.x.shape, problem.sizes, problem.count
    ((12, 4), (4, 3, 3), 27)
    """
    x, labels = iris()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    chosen = np.concatenate([np.flatnonzero(labels == species)[:each] for species in range(3)])
    rng = np.random.default_rng(seed)
    parameters = {
        "W1": rng.normal(size=(hidden, 4)),
        "b1": rng.normal(size=hidden) / 2,
        "W2": rng.normal(size=(3, hidden)),
        "b2": rng.normal(size=3) / 2,
    }
    inputs, targets = x[chosen], np.eye(3)[labels[chosen]]
    inputs.flags.writeable = targets.flags.writeable = False  # what cannot change needs no copy on a tape
    return Problem(inputs, targets, parameters)


class Found(NamedTuple):
    """What a route came back with.

    Attributes
    ----------
    gradient : dict
        By the names of the parameters.
    meter : Meter
        What it took.
    kept : int
        Bytes that had to wait from the forward pass until they were used; parameters and the batch do not count.
    """

    gradient: Gradient
    meter: Meter
    kept: int


def flat(gradient: Mapping[str, Any]) -> np.ndarray:
    """Return a gradient as one vector: W1, b1, W2, b2."""
    return np.concatenate([np.ravel(gradient[name]) for name in NAMES])


def unflat(problem: Problem, vector: np.ndarray) -> Gradient:
    cuts = np.cumsum([problem.parameters[name].size for name in NAMES])[:-1]
    parts = zip(NAMES, np.split(vector, cuts), strict=True)
    return {name: part.reshape(problem.parameters[name].shape) for name, part in parts}


def once_through(problem: Problem) -> int:
    """Products of one forward pass."""
    return len(problem.x) * sum(problem.parameters[name].size for name in ("W1", "W2"))


def kept(problem: Problem, loss: Callable[[Mapping[str, Any]], Any]) -> int:
    """Count the bytes on the tape between forward and backward, without the batch and the parameters."""
    leaves = {name: Tensor(array, requires_grad=True) for name, array in problem.parameters.items()}
    given = [problem.x, problem.t, *(leaf.numpy() for leaf in leaves.values())]
    return tape_bytes([loss(leaves)], given=given)
