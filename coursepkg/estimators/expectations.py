"""What to expect of a forward gradient before running it: its noise, its angle, the step it can bear, the slow-down.

The one idea: all that v has beside its part along the gradient is noise, and there are d − 1 such directions. Every
formula here is exact; the tests check the moments by enumeration, without drawing anything.

In all of them d is the number of perturbed entries and K the number of directions that are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from coursepkg.estimators.directions import KINDS, WITHOUT_OVERLAP, check_count

__all__ = [
    "KURTOSIS", "activity_variance", "best_lr", "beta_of_squared_cosine", "change_of_a_step", "contraction",
    "cosine_density", "directions_needed", "expected_cosine", "expected_squared_cosine", "noise_ratio", "slowdown",
    "squared_length_ratio", "stable_lr",
]  # fmt: skip

KURTOSIS = {"gaussian": 3.0, "rademacher": 1.0}
"""E[v_i⁴] of directions with independent entries; the others behave in total like signs."""


def squared_length_ratio(d: int, count: int = 1, directions: str = "rademacher") -> float:
    """E‖g‖² / ‖∇f‖²: how much longer than the gradient its estimate is, squared, on average.

    Parameters
    ----------
    d : int
        Number of entries.
    count : int
        K, the number of directions.
    directions : str
        As for :func:`~coursepkg.estimators.forward_gradient.forward_gradient`.

    Returns
    -------
    float
        1 would be a perfect estimate.

    Examples
    --------
    >>> squared_length_ratio(100, directions="gaussian"), squared_length_ratio(100)
    (102.0, 100.0)
    """
    return 1.0 + noise_ratio(d, count, directions)


def noise_ratio(d: int, count: int = 1, directions: str = "rademacher") -> float:
    """E‖g − ∇f‖² / ‖∇f‖²: the total variance, (d + k − 2) / K with k = E[v⁴], or d / K − 1 without overlap.

    Parameters
    ----------
    d, count, directions
        As for :func:`squared_length_ratio`.

    Returns
    -------
    float
        0 would be a perfect estimate.

    Raises
    ------
    ValueError
        If the directions are unknown, or too many.
    """
    _check(d, count, directions)
    if directions in WITHOUT_OVERLAP:
        return d / count - 1.0
    return (d + KURTOSIS.get(directions, 1.0) - 2.0) / count


def expected_squared_cosine(d: int, count: int = 1, directions: str = "gaussian") -> float:
    """E[cos²] of the angle between estimate and gradient: K / (K + d − 1) for Gaussian directions, K / d orthonormal.

    cos² has the density Beta(K/2, (d − 1)/2), orthonormal Beta(K/2, (d − K)/2). For one direction uniform on the
    sphere is the same as Gaussian.

    Parameters
    ----------
    d, count
        As for :func:`squared_length_ratio`.
    directions : {"gaussian", "orthonormal"}
        The two for which it is known for every gradient.

    Returns
    -------
    float
    """
    a, b = beta_of_squared_cosine(d, count, directions)
    return 1.0 if b == 0 else a / (a + b)


def expected_cosine(d: int, count: int = 1, directions: str = "gaussian") -> float:
    """E[cos] of the angle between estimate and gradient; about √(2 / (π d)) for one direction and large d.

    Parameters
    ----------
    d, count, directions
        As for :func:`expected_squared_cosine`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(expected_cosine(1_863_690), 6)
    0.000584
    """
    a, b = beta_of_squared_cosine(d, count, directions)
    if b == 0:
        return 1.0
    return math.exp(math.lgamma(a + 0.5) - math.lgamma(a) + math.lgamma(a + b) - math.lgamma(a + b + 0.5))


def beta_of_squared_cosine(d: int, count: int = 1, directions: str = "gaussian") -> tuple[float, float]:
    """The two parameters of the Beta density of cos²."""
    _check(d, count, directions)
    if directions == "gaussian":
        return count / 2, (d - 1) / 2
    if directions == "orthonormal":
        return count / 2, (d - count) / 2
    raise ValueError(
        f"the angle is known for 'gaussian' and 'orthonormal' directions, got {directions!r}; for others it depends on "
        "the gradient"
    )


def cosine_density(cosine: np.ndarray, d: int, count: int = 1, directions: str = "gaussian") -> np.ndarray:
    """The density of the cosine between estimate and gradient: that of the root of a Beta variable.

    Parameters
    ----------
    cosine : array
        Between 0 and 1, both excluded.
    d, count, directions
        As for :func:`expected_squared_cosine`.

    Returns
    -------
    ndarray
        Of the shape of ``cosine``.

    Examples
    --------
    >>> c = np.linspace(0.0005, 0.9995, 1000)
    >>> round(float(np.mean(cosine_density(c, 20, 3))), 3)
    1.0
    """
    a, b = beta_of_squared_cosine(d, count, directions)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return 2.0 * np.exp(scale + (2.0 * a - 1.0) * np.log(cosine) + (b - 1.0) * np.log1p(-(cosine**2)))


def directions_needed(d: int, squared_cosine: float, directions: str = "gaussian") -> int:
    """Smallest K whose expected squared cosine reaches a wish.

    Parameters
    ----------
    d : int
        Number of entries.
    squared_cosine : float
        The wish, between 0 and 1.
    directions : {"gaussian", "orthonormal"}
        Kind of direction.

    Returns
    -------
    int

    Examples
    --------
    >>> directions_needed(1000, 0.5), directions_needed(1000, 0.5, "orthonormal")
    (999, 500)
    """
    _check(d, 1, directions)
    if not 0.0 < squared_cosine < 1.0:
        raise ValueError(f"a squared cosine to aim for lies between 0 and 1, got {squared_cosine}")
    wish = squared_cosine * d if directions == "orthonormal" else squared_cosine * (d - 1) / (1 - squared_cosine)
    return max(1, math.ceil(round(wish, 9)))


# --- on the bowl f = ½ λ ‖θ‖², where everything can be computed


def contraction(lr: float, d: int, count: int = 1, directions: str = "rademacher", curvature: float = 1.0) -> float:
    """E‖θ_{t+1}‖² / ‖θ_t‖² on the bowl: (1 − ηλ)² + (ηλ)² times the noise ratio.

    Parameters
    ----------
    lr : float
        Learning rate η.
    d, count, directions
        As for :func:`squared_length_ratio`.
    curvature : float
        λ, the same in all directions.

    Returns
    -------
    float
        Below 1 the mean square shrinks.
    """
    step = lr * curvature
    return (1.0 - step) ** 2 + step**2 * noise_ratio(d, count, directions)


def stable_lr(d: int, count: int = 1, directions: str = "rademacher", curvature: float = 1.0) -> float:
    """Largest learning rate on the bowl before the mean square grows: 2 / (λ (1 + noise ratio)).

    Parameters
    ----------
    d, count, directions, curvature
        As for :func:`contraction`.

    Returns
    -------
    float
        Gradient descent has 2 / λ.

    Examples
    --------
    >>> round(stable_lr(98, directions="gaussian"), 4), round(stable_lr(98), 4)
    (0.02, 0.0204)
    """
    return 2.0 / (curvature * squared_length_ratio(d, count, directions))


def best_lr(d: int, count: int = 1, directions: str = "rademacher", curvature: float = 1.0) -> float:
    """Learning rate on the bowl with the fastest expected progress: half the largest stable one."""
    return stable_lr(d, count, directions, curvature) / 2.0


def slowdown(d: int, shrink: float, count: int = 1, directions: str = "rademacher") -> tuple[float, float]:
    """Predict the steps that shrink E‖θ‖² on the bowl by a factor, at the best learning rate, and the rate per step.

    Parameters
    ----------
    d, count, directions
        As for :func:`contraction`.
    shrink : float
        The factor, between 0 and 1.

    Returns
    -------
    steps : float
        Expected number of steps.
    rate : float
        Factor per step, 1 − 1 / (1 + noise ratio).

    Examples
    --------
    >>> steps, rate = slowdown(100, 0.01)
    >>> round(steps), round(rate, 3)
    (458, 0.99)
    """
    if not 0.0 < shrink < 1.0:
        raise ValueError(f"shrink is the factor to reach, between 0 and 1; got {shrink}")
    rate = contraction(best_lr(d, count, directions), d, count, directions)
    return (1.0 if rate <= 0.0 else math.log(shrink) / math.log(rate)), rate


def change_of_a_step(gradient: np.ndarray, hessian: np.ndarray, lr: float, directions: str = "rademacher") -> float:
    """Expected change of a quadratic function by one step: −η‖∇f‖² + η²/2 E[(∇f·v)² vᵀHv].

    The expectation is ‖∇f‖² tr H + 2 ∇fᵀH∇f for Gaussian directions and less by 2 Σ H_ii (∂_i f)² for signs: the trace
    of the curvature sets the step that is stable, where gradient descent only minds the largest one.

    Parameters
    ----------
    gradient : array, shape (d,)
        At the point where the step starts.
    hessian : array, shape (d, d)
        The curvature, symmetric.
    lr : float
        Learning rate η.
    directions : {"rademacher", "gaussian"}
        Of the one direction that is taken.

    Returns
    -------
    float
        Negative if the step helps on average.
    """
    if directions not in KURTOSIS:
        raise ValueError(f"the change is known for {' and '.join(KURTOSIS)} directions, got {directions!r}")
    squared = float(gradient @ gradient)
    curved = squared * float(np.trace(hessian)) + 2.0 * float(gradient @ hessian @ gradient)
    curved += (KURTOSIS[directions] - 3.0) * float(np.diag(hessian) @ gradient**2)
    return -lr * squared + lr**2 / 2.0 * curved


# --- perturbing activities


def activity_variance(
    x: np.ndarray,
    delta: np.ndarray,
    *,
    per_example: bool = True,
    directions: str = "rademacher",
    others: Sequence[np.ndarray] = (),
) -> float:
    """Total variance of one layer's weight gradient when activities are perturbed in place of weights.

    With q outputs and a slope for each example it is Σ_n ‖x_n‖² (q Σ_m ‖δ_{m,n}‖² + (k − 2) ‖δ_n‖²), the inner sum over
    all layers m that are perturbed in the same pass.

    Parameters
    ----------
    x : array, shape (n, p)
        Inputs of the layer.
    delta : array, shape (n, q)
        Gradient of the mean loss at its outputs.
    per_example : bool
        One slope per example, or one for the batch.
    directions : {"rademacher", "gaussian"}
        Of the perturbations.
    others : sequence of array
        The same as ``delta`` for the other layers that are perturbed in the same pass.

    Returns
    -------
    float
        To be compared with (p q + k − 2) ‖G‖² for perturbed weights.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, delta = rng.normal(size=(64, 100)), rng.normal(size=(64, 50)) / 64
    >>> weights = noise_ratio(100 * 50) * np.sum((delta.T @ x) ** 2)
    >>> round(weights / activity_variance(x, delta))
    100
    """
    if directions not in KURTOSIS:
        raise ValueError(f"activities are perturbed by {' or '.join(KURTOSIS)} numbers, got {directions!r}")
    kurtosis, q = KURTOSIS[directions], delta.shape[1]
    inputs, errors = np.sum(x**2, axis=1), np.sum(delta**2, axis=1)
    together = errors + sum(np.sum(other**2, axis=1) for other in others)
    if per_example:
        return float(inputs @ (q * together + (kurtosis - 2.0) * errors))
    product = float(np.sum((delta.T @ x) ** 2))
    return q * float(np.sum(together) * np.sum(inputs)) + product + (kurtosis - 3.0) * float(inputs @ errors)


def _check(d: int, count: int, directions: str) -> None:
    if d < 1:
        raise ValueError(f"d is the number of entries, at least 1; got {d}")
    check_count(count)
    if directions not in KINDS:
        raise ValueError(f"directions must be one of {', '.join(KINDS)}; got {directions!r}")
    if directions in WITHOUT_OVERLAP and count > d:
        raise ValueError(f"there are only {d} {directions} directions for {d} entries, got count={count}")
