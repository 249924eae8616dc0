"""Routes that are right on average, and the test for that: the mean of many draws, in its own standard errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg import gradients
from coursepkg._checks import check_rng
from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.estimators import expectations
from coursepkg.estimators.directions import sample_directions
from coursepkg.estimators.memory import tape_bytes
from coursepkg.estimators.randomized_linear import RandomizedLinear
from coursepkg.estimators.sketches import sketch_size, sketch_variance
from coursepkg.nn.layers import Linear
from coursepkg.photonics.errors import TapNoise
from coursepkg.routes.exact import by_hand
from coursepkg.routes.light import in_light
from coursepkg.routes.problem import NAMES, Found, Meter, Problem, flat, watched


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
                z = watched(z, meter=meter, back=size + (once if number == 2 else 0), tangent=0)
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
