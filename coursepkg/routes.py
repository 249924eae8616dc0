"""One network, one loss, one batch, and every route of the course to its gradient, with what each one costs.

The routes share no code where that can be avoided, so each is a witness for the others. They count the products of
numbers that they carry out (:class:`Meter`), and say how many bytes they keep from the forward pass for later. Exact
routes are compared with reverse mode, estimates by their z-scores: how many standard errors the mean of many draws lies
away from the gradient. Baydin et al. (2018) survey the routes; the papers stand in the chapter named beside each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from coursepkg import gradients, neural_tree
from coursepkg._checks import check_rng
from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.autodiff.tensor import Tensor
from coursepkg.datasets import iris
from coursepkg.estimators import checkpoint, expectations
from coursepkg.estimators.directions import sample_directions
from coursepkg.estimators.memory import tape_bytes
from coursepkg.estimators.randomized_linear import RandomizedLinear
from coursepkg.estimators.sketches import sketch_size, sketch_variance
from coursepkg.gradients import custom_gradient
from coursepkg.nn.layers import Linear
from coursepkg.photonics import Bench, InSituPass, SVDMesh
from coursepkg.photonics.errors import MeasurementError, TapNoise

__all__ = [
    "ESTIMATES", "EXACT", "QUESTIONS", "SITUATIONS", "Found", "Meter", "Problem", "Route", "agreement",
    "as_recurrence", "as_tree", "by_hand", "by_symbols", "bytes_by_size", "carried_forward", "checkpointed",
    "complex_step", "differences", "draw", "flat", "flowers", "formula_operations", "forward_gradient",
    "forward_mode", "in_light", "in_light_with_noise", "noise", "predict_products", "predicted_noise",
    "products_by_size", "recurrent_matrix", "relative_gap", "reverse_mode", "sketched", "survey",
    "weight_from_phases", "z_scores",
]  # fmt: skip

Gradient = dict[str, np.ndarray]
NAMES = ("W1", "b1", "W2", "b2")


# --- the network, and what is counted ---------------------------------------------------------------------------------


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
def _watched(z, meter=None, back=0, tangent=0):
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
            z = _watched(z, meter=meter, back=both, tangent=both)
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


def _unflat(problem: Problem, vector: np.ndarray) -> Gradient:
    cuts = np.cumsum([problem.parameters[name].size for name in NAMES])[:-1]
    parts = zip(NAMES, np.split(vector, cuts), strict=True)
    return {name: part.reshape(problem.parameters[name].shape) for name, part in parts}


# --- exact routes -----------------------------------------------------------------------------------------------------


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
    return Found(_unflat(problem, np.array([np.mean(slope) for slope in found])), Meter(), 0)


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
        slopes[i] = np.imag(problem.loss(_unflat(problem, theta), meter)) / step
        theta[i] = theta[i].real
    return Found(_unflat(problem, slopes), meter, 0)


def forward_mode(problem: Problem) -> Found:
    """Carry a tangent beside each value, once for every parameter."""
    meter = Meter()
    gradient = gradients.forward(lambda p: problem.loss(p, meter))(problem.parameters)
    return Found(gradient, meter, 0)


def reverse_mode(problem: Problem) -> Found:
    """Run forward with a tape, then backward once."""
    meter = Meter()
    gradient = gradients.reverse(lambda p: problem.loss(p, meter))(problem.parameters)
    return Found(gradient, meter, _kept(problem, problem.loss))


def checkpointed(problem: Problem) -> Found:
    """Forget the hidden layer on the way there, and compute it again on the way back."""

    def loss(p: Mapping[str, Any], meter: Meter | None = None) -> Any:
        y = checkpoint(lambda x: problem.outputs(p, meter), problem.x)
        return np.sum((y - problem.t) ** 2) / (2 * len(problem.x))

    meter = Meter()
    gradient = gradients.reverse(lambda p: loss(p, meter))(problem.parameters)
    return Found(gradient, meter, _kept(problem, loss))


def _kept(problem: Problem, loss: Callable[[Mapping[str, Any]], Any]) -> int:
    """Count the bytes on the tape between forward and backward, without the batch and the parameters."""
    leaves = {name: Tensor(array, requires_grad=True) for name, array in problem.parameters.items()}
    given = [problem.x, problem.t, *(leaf.numpy() for leaf in leaves.values())]
    return tape_bytes([loss(leaves)], given=given)


# --- the same network in other forms ----------------------------------------------------------------------------------


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
    return Found(_unflat(problem, slopes), meter, carried.nbytes)


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


# --- in light ---------------------------------------------------------------------------------------------------------


class _LightLayer:
    """A layer's matrix in light: two meshes and attenuators, each heater's slope measured with three passes."""

    def __init__(
        self, W: np.ndarray, errors: Sequence[MeasurementError], rng: np.random.Generator | None, readout: str
    ) -> None:
        self.light = SVDMesh.from_matrix(W)
        self.ports = len(self.light.attenuation)
        self.first = InSituPass(Bench(self.light.first, errors, rng=rng), readout)
        self.last = InSituPass(Bench(self.light.last, errors, rng=rng), readout)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Send a batch of rows; what is read is the real part of the light that comes out."""
        self.inside = self.first.forward(x.T)[: self.ports]
        beyond = np.zeros((self.light.last.n, len(x)), complex)
        beyond[: self.ports] = self.inside * self.light.attenuation[:, None]
        return self.light.gain * self.last.forward(beyond).real.T

    def backward(self, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From the gradient at the outputs, by light from the other side, to those of the settings and the inputs."""
        of_last, arrived = self.last.backward(self.light.gain * delta.T)
        of_attenuators = np.sum((arrived[: self.ports] * self.inside).real, axis=1)
        back = np.zeros((self.light.first.n, len(delta)), complex)
        back[: self.ports] = arrived[: self.ports] * self.light.attenuation[:, None]
        of_first, x_adj = self.first.backward(back)
        return np.concatenate([of_first, of_attenuators, of_last]), x_adj.real.T

    @property
    def kept(self) -> int:
        """Bytes of the powers that wait to be subtracted; with the toggle nothing waits."""
        if self.first.readout == "toggle":
            return 0
        seen = [part.passes for part in (self.first, self.last)]
        return sum(powers.forward.nbytes + powers.backward.nbytes for powers in seen if powers is not None)


def _settings_jacobian(light: SVDMesh) -> np.ndarray:
    """How the real part of the matrix moves with each setting: phases of the first mesh, attenuators, of the last.

    A phase turns the field that passes it, so an entry of the matrix moves by i times what came from its input to the
    heater, times what the heater sends to its output.
    """
    count, (n, m) = len(light.attenuation), light.shape
    into, taps = light.first.forward_taps(np.eye(m))
    wide = np.zeros((n, m), complex)
    wide[:count] = into[:count] * light.attenuation[:, None]
    _, beyond = light.last.forward_taps(wide)
    out, behind = light.last.backward_taps(light.gain * np.eye(n))
    back = np.zeros((m, n), complex)
    back[:count] = out[:count] * light.attenuation[:, None]
    _, before = light.first.backward_taps(back)
    first = -np.einsum("hi,hj->hij", before, taps).imag
    middle = np.einsum("ki,kj->kij", out[:count], into[:count]).real
    last = -np.einsum("hi,hj->hij", behind, beyond).imag
    return np.concatenate([first, middle, last]).reshape(-1, n * m)


def weight_from_phases(light: SVDMesh, slopes: np.ndarray) -> np.ndarray:
    """Translate measured slopes of settings into the gradient of the matrix that the settings make.

    Parameters
    ----------
    light : SVDMesh
        The two meshes and their attenuators, as they are set.
    slopes : ndarray, shape (number of settings,)
        dL/d(phases of the first mesh), dL/d(attenuators), dL/d(phases of the last mesh).

    Returns
    -------
    ndarray, of the shape of the matrix
        The gradient whose product with every direction that a setting can move the matrix in is the measured slope. It
        is the only one if all singular values of the matrix are different and none is 0.
    """
    return np.linalg.lstsq(_settings_jacobian(light), slopes, rcond=1e-9)[0].reshape(light.shape)


def in_light(
    problem: Problem,
    errors: Sequence[MeasurementError] = (),
    rng: np.random.Generator | None = None,
    readout: str = "subtraction",
) -> Found:
    """Let both matrices be carried by light, which measures its own gradient; sigmoids are left to electronics.

    The chip measures slopes of its settings, not of matrix entries. :func:`weight_from_phases` translates them, and
    needs to know the settings for that. A chip that learns has no use for it: it moves its settings.

    Parameters
    ----------
    problem : Problem
        Network and batch.
    errors : sequence of MeasurementError, optional
        Of the camera and so on; they need ``rng``.
    rng : numpy.random.Generator, optional
        Source of the errors.
    readout : {"subtraction", "toggle"}
        How powers become slopes; see :class:`~coursepkg.photonics.InSituPass`.

    Returns
    -------
    Found
        Its meter counts passes of light through a layer; the products in it cost nothing that could be counted.
    """
    p, meter = problem.parameters, Meter()
    one, two = (_LightLayer(p[name], errors, rng, readout) for name in ("W1", "W2"))
    h = sigmoid(one.forward(problem.x) + p["b1"])
    y = sigmoid(two.forward(h) + p["b2"])
    delta2 = (y - problem.t) * y * (1 - y) / len(problem.x)
    slopes2, h_bar = two.backward(delta2)
    delta1 = h_bar * h * (1 - h)
    slopes1, _ = one.backward(delta1)
    overlays = {"subtraction": 1, "toggle": 2}[readout]
    meter.forward, meter.backward = 2 * (1 + overlays), 2
    found = {"W1": weight_from_phases(one.light, slopes1), "W2": weight_from_phases(two.light, slopes2)}
    gradient = found | {"b1": delta1.sum(axis=0), "b2": delta2.sum(axis=0)}
    return Found(gradient, meter, one.kept + two.kept)


# --- estimates --------------------------------------------------------------------------------------------------------


def forward_gradient(problem: Problem, rng: np.random.Generator) -> Found:
    """Walk along one random direction of signs, and say: that direction, that much (chapter 09)."""
    meter = Meter()
    estimate = gradients.forward_gradient(lambda p: problem.loss(p, meter), rng=check_rng(rng))
    return Found(estimate(problem.parameters), meter, 8 * problem.count)


SKETCHED_SHARE = 0.5


def sketched(problem: Problem, rng: np.random.Generator, rate: float = SKETCHED_SHARE) -> Found:
    """Keep a sketch of each layer's input in place of the input itself (chapter 08)."""
    rng, meter = check_rng(rng), Meter()
    layers = [_sketching(problem, number, rate, rng) for number in (1, 2)]

    def loss(meter: Meter | None = None) -> Any:
        a: Any = problem.x
        for number, layer in enumerate(layers, start=1):
            z = layer(a)
            if meter is not None:
                once, size = len(problem.x) * layer.weight.size, sketch_size(rate, len(problem.x)) * layer.weight.size
                meter.ran_forward(once)
                z = _watched(z, meter=meter, back=size + (once if number == 2 else 0), tangent=0)
            a = sigmoid(z)
        return np.sum((a - problem.t) ** 2) / (2 * len(problem.x))

    loss(meter).backward()
    leaves = [p for layer in layers for p in layer.parameters()]  # W1, b1, W2, b2
    gradient = {name: np.asarray(leaf.grad) for name, leaf in zip(NAMES, leaves, strict=True)}
    given = [problem.x, problem.t, *(leaf.numpy() for leaf in leaves)]
    return Found(gradient, meter, tape_bytes([loss()], given=given))


def _sketching(problem: Problem, number: int, rate: float, rng: np.random.Generator) -> RandomizedLinear:
    W, b = problem.parameters[f"W{number}"], problem.parameters[f"b{number}"]
    layer = Linear(W.shape[1], W.shape[0], rng=np.random.default_rng(0))
    layer.load_state_dict({"weight": W, "bias": b})
    return RandomizedLinear.from_linear(layer, rate=rate, rng=rng)


CAMERA_NOISE = 0.02


def in_light_with_noise(problem: Problem, rng: np.random.Generator) -> Found:
    """Measure in light with a camera that is off by two per cent at each tap, with the toggle (chapter 11)."""
    return in_light(problem, [TapNoise(CAMERA_NOISE)], check_rng(rng), "toggle")


def draw(
    route: Callable[[Problem, np.random.Generator], Found], problem: Problem, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Take an estimate many times.

    Parameters
    ----------
    route : callable
        :func:`forward_gradient`, :func:`sketched`, :func:`in_light_with_noise`.
    problem : Problem
        Network and batch.
    count : int
        How often, at least twice.
    rng : numpy.random.Generator
        Source of all draws.

    Returns
    -------
    ndarray, shape (count, number of parameters)
        One estimate per row, arranged as by :func:`flat`.
    """
    if count < 2:
        raise ValueError(f"from fewer than two draws no scatter can be seen, got count={count}")
    if route is forward_gradient:  # all directions in one run of the network
        directions = sample_directions("rademacher", problem.count, count=count, rng=check_rng(rng))
        slopes = gradients.jvps(
            lambda theta: problem.loss(_sliced(problem, theta)), flat(problem.parameters), directions
        )[1]
        return slopes[:, None] * directions
    return np.stack([flat(route(problem, rng).gradient) for _ in range(count)])


def _sliced(problem: Problem, theta: Any) -> dict[str, Any]:
    """Cut a vector into parameters, by slices that every route can follow."""
    found, start = {}, 0
    for name in NAMES:
        shape, size = problem.parameters[name].shape, problem.parameters[name].size
        found[name] = np.reshape(theta[start : start + size], shape)
        start += size
    return found


# --- how right --------------------------------------------------------------------------------------------------------


def relative_gap(found: Any, expected: Any) -> float:
    """Return the largest difference between two gradients, as a share of the largest entry.

    Examples
    --------
    >>> relative_gap([1.0, 2.0], [1.0, 2.5])
    0.2
    """
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def z_scores(draws: Any, exact: Any) -> np.ndarray:
    """Say for each entry how many standard errors the mean of the draws lies away from the exact value.

    Parameters
    ----------
    draws : array_like, shape (K, d)
        One estimate per row, K at least 2.
    exact : array_like, shape (d,)
        What they estimate.

    Returns
    -------
    ndarray, shape (d,)
        An entry in which all draws agree to rounding has no scatter; its score is 0 if they agree with the exact value
        as well, and infinite if not.

    Examples
    --------
    >>> z_scores([[1.0, 5.0], [3.0, 5.0]], [1.0, 5.0])
    array([1., 0.])
    """
    draws, exact = np.asarray(draws, dtype=float), np.asarray(exact, dtype=float)
    off = draws.mean(axis=0) - exact
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    dust = 1e-12 * np.max(np.abs(exact))
    scattered = error > dust
    scores = np.where(np.abs(off) > dust, np.inf, 0.0)
    scores[scattered] = off[scattered] / error[scattered]
    return scores


def noise(draws: Any, exact: Any) -> float:
    """Return the mean of ``|g - gradient|^2 / |gradient|^2`` over the draws."""
    draws, exact = np.asarray(draws, dtype=float), np.asarray(exact, dtype=float)
    return float(np.mean(np.sum((draws - exact) ** 2, axis=1)) / np.sum(exact**2))


def predicted_noise(route: Callable[..., Found], problem: Problem) -> float | None:
    """Predict :func:`noise` by a formula, without drawing anything; None where the course has no formula.

    Parameters
    ----------
    route : callable
        An estimate.
    problem : Problem
        Network and batch.
    """
    if route is forward_gradient:
        return expectations.noise_ratio(problem.count)
    if route is not sketched:
        return None
    p, size = problem.parameters, sketch_size(SKETCHED_SHARE, len(problem.x))
    h = problem.layer(problem.x, p, 1)
    y = problem.layer(h, p, 2)
    delta2 = (y - problem.t) * y * (1 - y) / len(problem.x)
    delta1 = (delta2 @ p["W2"]) * h * (1 - h)
    variance = sketch_variance("fold", problem.x, delta1, size) + sketch_variance("fold", h, delta2, size)
    return float(variance / np.sum(flat(by_hand(problem).gradient) ** 2))


def predict_products(route: str, sizes: Sequence[int], rows: int) -> float:
    """Predict the products of a route from shapes alone; the meter counts them.

    Parameters
    ----------
    route : str
        Its name in :data:`EXACT` or :data:`ESTIMATES`: one of "differences", "complex step", "forward mode",
        "reverse mode", "checkpointed", "forward gradient".
    sizes : sequence of int
        Inputs, hidden units, outputs.
    rows : int
        Examples in the batch.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there is no formula for the route.

    Examples
    --------
    >>> predict_products("reverse mode", (4, 3, 3), 12) / (12 * 21)
    2.4285714285714284
    """
    inputs, hidden, outputs = sizes
    first, second = rows * inputs * hidden, rows * hidden * outputs
    count = hidden * (inputs + 1) + outputs * (hidden + 1)
    once, tangent = first + second, first + 2 * second
    formulas = {
        "differences": 4 * count * once,
        "complex step": count * (2 * first + 4 * second),
        "forward mode": count * (once + tangent),
        "reverse mode": once + tangent,
        "checkpointed": 2 * once + tangent,
        "forward gradient": once + tangent,
    }
    if route not in formulas:
        raise ValueError(f"there is a formula for {', '.join(formulas)}, got {route!r}")
    return float(formulas[route])


GOOD_ENOUGH = 0.1
"""A forward gradient whose error is typically this share of the gradient counts as good in :func:`products_by_size`."""

Series = dict[str, tuple[list[int], list[float]]]


def products_by_size(measured: Sequence[int], predicted: Sequence[int]) -> tuple[Series, Series]:
    """Count and predict products as the hidden layer grows, as multiples of one forward pass.

    Parameters
    ----------
    measured, predicted : sequence of int
        Sizes of the hidden layer at which routes are taken, and at which the formula is used.

    Returns
    -------
    (dict, dict)
        Both by the name of a route: numbers of parameters, and multiples. The last name is a forward gradient that is
        averaged until its typical error is a tenth of the gradient; for that both are predictions.
    """
    names = ["differences", "complex step", "forward mode", "checkpointed", "reverse mode"]
    runs = {route.name: route.run for route in EXACT}
    problems = [flowers(hidden) for hidden in measured]
    counts = [problem.count for problem in problems]
    found = {
        name: (counts, [runs[name](problem).meter.products / _once(problem) for problem in problems]) for name in names
    }
    shapes = [(4, hidden, 3) for hidden in predicted]
    sizes = [8 * hidden + 3 for hidden in predicted]
    rows = len(flowers().x)
    lines = {
        name: (sizes, [predict_products(name, shape, rows) / (rows * 7 * shape[1]) for shape in shapes])
        for name in [*names, "forward gradient"]
    }
    walks = [expectations.noise_ratio(size) / GOOD_ENOUGH**2 for size in sizes]
    single = lines.pop("forward gradient")[1]
    lines["forward gradient, error 0.1"] = sizes, [one * count for one, count in zip(single, walks, strict=True)]
    return found, lines


MOST_PORTS = 100
"""Translating slopes of settings takes a minute beyond, so :func:`bytes_by_size` leaves light out there."""


def bytes_by_size(hidden: Sequence[int]) -> Series:
    """Count the bytes that routes keep as the hidden layer grows, by the name of the route."""
    runs: dict[str, Callable[[Problem], Found]] = {
        "recurrent, forward": carried_forward,
        "light": in_light,
        "forward gradient": lambda problem: forward_gradient(problem, np.random.default_rng(0)),
        "reverse mode": reverse_mode,
        "checkpointed": checkpointed,
    }
    problems = {size: flowers(size) for size in hidden}
    found: Series = {}
    for name, run in runs.items():
        chosen = [p for size, p in problems.items() if name != "light" or size <= MOST_PORTS]
        found[name] = [p.count for p in chosen], [float(run(p).kept) for p in chosen]
    return found


def _once(problem: Problem) -> int:
    """Products of one forward pass."""
    return len(problem.x) * sum(problem.parameters[name].size for name in ("W1", "W2"))


# --- all of them ------------------------------------------------------------------------------------------------------


class Route(NamedTuple):
    """A route of the course, with what is no number about it.

    Attributes
    ----------
    name : str
        What the tables call it.
    run : callable
        ``run(problem)``, for an estimate ``run(problem, rng)``, gives a :class:`Found`.
    chapter : str
        Where the course derives it.
    remembers : str
        What a machine that takes this route has to remember.
    used : str
        Where it is used.
    """

    name: str
    run: Callable[..., Found]
    chapter: str
    remembers: str
    used: str


EXACT = (
    Route("by hand", by_hand, "06", "every layer's output", "derivations; small fixed networks"),
    Route("symbols", by_symbols, "03", "a formula that grows", "witnesses; code generators"),
    Route("differences", differences, "01", "nothing but the loss", "tests; models one cannot open"),
    Route("complex step", complex_step, "01", "nothing but the loss", "tests; engineering codes"),
    Route("forward mode", forward_mode, "04", "one tangent beside each value", "few inputs; Jacobian columns"),
    Route("reverse mode", reverse_mode, "05", "every layer's output", "nearly all training"),
    Route("checkpointed", checkpointed, "08", "inputs of segments", "deep networks, long sequences"),
    Route("recurrent, back", as_recurrence, "07", "every state", "sequences of known length"),
    Route("recurrent, forward", carried_forward, "07", "each state by each weight", "streams without an end"),
    Route("tree", as_tree, "10", "a value in every copy", "trees that are small and sparse"),
    Route("light", in_light, "11", "powers at the heaters", "photonic chips, in the laboratory"),
)
"""Routes that give the gradient to rounding; ``run(problem)``."""

ESTIMATES = (
    Route("forward gradient", forward_gradient, "09", "a direction, or its seed", "no way back; few parameters"),
    Route("sketched", sketched, "08", "a sketch of each input", "wide layers, large batches"),
    Route("light, noisy camera", in_light_with_noise, "11", "powers at the heaters", "every real chip"),
)
"""Routes that are right on average; ``run(problem, rng)``."""

QUESTIONS = (
    ("Is it a test of another route?", "complex step, or differences where the code is closed"),
    ("Are there only a few parameters, or many outputs?", "forward mode, a pass for each parameter"),
    ("Does the machine itself answer to light or current from both ends?", "measure it in place, as on the chip"),
    ("Is there no way back, or no end to wait for?", "forward gradient, or RTRL while the state is small"),
    ("Does the tape not fit, though time is left?", "checkpoints"),
    ("Does it still not fit, and the batch is noisy anyway?", "sketched layers"),
)
"""What to ask before choosing a route, and what a yes leads to; reverse mode is what is left."""

SITUATIONS = {
    "a network of a million weights, on one card": 6,
    "a new layer whose rule you have written": 0,
    "a simulator with three knobs and a thousand outputs": 1,
    "a chip of interferometers that is not quite as designed": 2,
    "a recurrent network on a sensor that never stops": 3,
    "a transformer of a hundred layers that runs out of memory": 4,
    "wide linear layers, a huge batch, and no time left for running twice": 5,
}
"""Situations, and the number of the first of :data:`QUESTIONS` that is answered by yes."""

STEPS = (1e-12, 1e-11, 1e-10, 1e-9)


def agreement(gap: float) -> str:
    """Write a gap in words that no rounding can change: ``"to 1e-12"``, or that it is more than allowed."""
    for step in STEPS:
        if gap < step:
            return f"to {step:.0e}"
    return f"OFF by {gap:.1e}"


def survey(problem: Problem, draws: int = 200, seed: int = 1) -> list[dict[str, str]]:
    """Take every route, and write down how right it is, what it takes and what it keeps.

    Parameters
    ----------
    problem : Problem
        Network and batch.
    draws : int
        How often each estimate is drawn.
    seed : int
        Of the draws.

    Returns
    -------
    list of dict
        A row per route, for :func:`coursepkg.visualize.draw_table`: whether it is exact, how right, layers run there
        and back, products as multiples of one forward pass, bytes kept, noise, what is remembered, where it is used.
    """
    exact, once = (
        flat(reverse_mode(problem).gradient),
        len(problem.x) * sum(problem.parameters[name].size for name in ("W1", "W2")),
    )
    rows = []
    for route in EXACT:
        found = route.run(problem)
        right = agreement(relative_gap(flat(found.gradient), exact))
        rows.append(_row(route, "exact", right, found, once, "none"))
    for number, route in enumerate(ESTIMATES):
        rng = np.random.default_rng([seed, number])
        drawn = draw(route.run, problem, draws, rng)
        right = f"|z| < {np.ceil(10 * np.max(np.abs(z_scores(drawn, exact)))) / 10:.1f}"
        rows.append(_row(route, "on average", right, route.run(problem, rng), once, f"{noise(drawn, exact):.2g}"))
    return rows


def _row(route: Route, kind: str, right: str, found: Found, once: int, noisy: str) -> dict[str, str]:
    meter = found.meter
    return {
        "route": route.name,
        "right": kind,
        "how right": right,
        "layers run": f"{meter.forward} + {meter.backward}" if meter.forward else "a formula",
        "products": f"{meter.products / once:.1f}" if meter.products else "–",
        "bytes kept": f"{found.kept}",
        "noise": noisy,
        "to remember": route.remembers,
        "used for": route.used,
        "chapter": route.chapter,
    }
