"""The cheapest forward gradient of a dense network: a direction of rank one, v = b aᵀ with random signs.

The one idea: E[v vᵀ] = I holds for a product of two sign vectors, too, and ‖v‖² is the same as for a full matrix of
signs, so the estimate is unbiased with *exactly* the same total variance. But X Vᵀ becomes the outer product of X a
with b: a hidden layer costs two matrix products instead of three, and the gradient, slope times b aᵀ, never needs to
be written down. The price is heavier tails, because one number a_j b_i now moves a whole row and column together;
``rank`` sums several such products and brings the tails back to those of a full matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.forward_mode import jvps
from coursepkg.autodiff.tensor import Tensor
from coursepkg.estimators.activity import steps_of
from coursepkg.estimators.directions import check_count, signs
from coursepkg.nn.layers import Linear
from coursepkg.nn.module import Module, Sequential

__all__ = ["RankOne", "fill_by_rank_one", "rank_one"]


@dataclass(frozen=True)
class RankOne:
    """A forward gradient in factors: the gradient of a weight is the mean over k of ``slopes[k] * b[k].T @ a[k]``.

    Attributes
    ----------
    loss : float
        Of the batch.
    output : ndarray
        What the model predicted.
    slopes : ndarray, shape (K,)
        ∇L · v for each direction.
    factors : list of (Linear, b, a, c)
        Per layer: b of shape (K, rank, out), a of shape (K, rank, in), and c, shape (K, out), for the bias or None.
    """

    loss: Any
    output: np.ndarray
    slopes: np.ndarray
    factors: list[tuple[Linear, np.ndarray, np.ndarray, np.ndarray | None]]

    def fill(self) -> None:
        """Write the estimate out into the ``.grad`` of each parameter, as full arrays."""
        for layer, b, a, c in self.factors:
            left = _weighted(self.slopes, b)
            layer.weight.grad = left.T @ a.reshape(-1, a.shape[-1])
            if layer.bias is not None and c is not None:
                layer.bias.grad = (self.slopes / len(self.slopes)).astype(c.dtype) @ c

    def descend(self, lr: float) -> None:
        """Take a step of gradient descent; the product of the factors is added to the weights without its own array.

        Parameters
        ----------
        lr : float
            The learning rate.
        """
        for layer, b, a, c in self.factors:
            left, right = _weighted(-lr * self.slopes, b), a.reshape(-1, a.shape[-1])
            _add_product(layer.weight, left, right)
            if layer.bias is not None and c is not None:
                layer.bias.data = layer.bias.data + (-lr / len(self.slopes) * self.slopes).astype(c.dtype) @ c


def _weighted(slopes: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The left factors times what they count: their slope, the mean over K and the scale of the rank."""
    count, rank, _ = b.shape
    return ((slopes / count * rank**-0.5)[:, None, None].astype(b.dtype) * b).reshape(count * rank, -1)


def _add_product(weight: Tensor, left: np.ndarray, right: np.ndarray) -> None:
    """``weight += left.T @ right``: BLAS adds the product to a copy of the weights, which then takes their place.

    The old array may be held by a record, by a view or by another tensor, so it is left as it is.
    """
    from scipy.linalg.blas import get_blas_funcs  # only here is SciPy asked for

    values = np.array(weight.data)
    (gemm,) = get_blas_funcs(("gemm",), (values,))
    # BLAS counts by columns; what it calls the transpose of an array is NumPy's array in the other order.
    if values.flags.c_contiguous:
        weight.data = gemm(1.0, right.T, left, beta=1.0, c=values.T, overwrite_c=True).T
    else:
        weight.data = gemm(1.0, left.T, right, beta=1.0, c=values, overwrite_c=True)


def rank_one(
    model: Sequential,
    loss: Callable[..., Any],
    inputs: np.ndarray,
    targets: Any,
    *,
    count: int = 1,
    rank: int = 1,
    rng: np.random.Generator,
) -> RankOne:
    """Take a forward gradient of a dense network along rank-one directions, in factors.

    Parameters
    ----------
    model : Sequential
        Of :class:`~coursepkg.nn.Linear` layers and steps without parameters.
    loss : callable
        ``loss(predictions, targets)``, one number.
    inputs : array, shape (n, in)
        The batch.
    targets : array
        As the loss takes them.
    count : int
        K, the number of directions; all of them go through in one pass.
    rank : int
        How many products of signs make up a direction, v = rank^(-1/2) Σ b aᵀ.
    rng : numpy.random.Generator
        Source of the signs.

    Returns
    -------
    RankOne
        Loss, slopes and factors.

    Raises
    ------
    TypeError
        If a step other than Linear has parameters.
    ValueError
        If count or rank is below one, or a shape does not fit.

    Examples
    --------
    >>> from coursepkg import nn
    >>> rng = np.random.default_rng(0)
    >>> model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(4, 2, rng=rng))
    >>> x, y = rng.normal(size=(5, 3)), np.array([0, 1, 1, 0, 1])
    >>> rank_one(model, nn.cross_entropy, x, y, rng=rng).fill()
    >>> int(np.linalg.matrix_rank(model[0].weight.grad))
    1
    """
    count, rank = check_count(count), check_count(rank)
    check_rng(rng)
    h, t = np.asarray(inputs), None
    factors = []
    for step in steps_of(model):
        if isinstance(step, Linear):
            h, t, drawn = _dense(step, h, t, count, rank, rng)
            factors.append((step, *drawn))
        elif isinstance(step, Module) and step.parameters():
            raise TypeError(
                f"rank-one directions move weights of Linear layers only, and {type(step).__name__} has parameters, "
                "too; for this model use fill_gradients"
            )
        elif t is None:
            h = step(h)
        else:
            h, t = jvps(step, h, t)
    if t is None:
        raise TypeError("the model has no Linear layer, so there is nothing to move")
    value, slopes = jvps(lambda z: loss(z, targets), h, t)
    return RankOne(value, h, np.reshape(slopes, count), factors)


def _dense(layer: Linear, h: np.ndarray, t: Any, count: int, rank: int, rng: np.random.Generator) -> Any:
    """One layer: values and all tangents through the weights in one product, then what the perturbation adds."""
    weight = layer.weight.data
    if h.ndim != 2 or h.shape[1] != weight.shape[1]:
        raise ValueError(f"this layer takes rows of {weight.shape[1]} numbers, got an array of shape {h.shape}")
    kind, (outputs, inputs), rows = weight.dtype, weight.shape, len(h)
    coins = signs((count, rank * (outputs + inputs) + outputs), rng, kind)  # one draw for all three
    b, a, c = np.split(coins, (rank * outputs, rank * (outputs + inputs)), axis=1)
    b, a = b.reshape(count, rank, outputs), a.reshape(count, rank, inputs)
    shadows = (h @ a.reshape(-1, inputs).T).reshape(rows, count, rank).transpose(1, 0, 2) * kind.type(rank**-0.5)
    moved = shadows * b if rank == 1 else np.matmul(shadows, b)
    if t is None:
        z, change = h @ weight.T, moved
    else:
        both = np.concatenate([h[None], t]).reshape(-1, inputs) @ weight.T
        z, change = both[:rows], both[rows:].reshape(count, rows, outputs)
        change += moved
    if layer.bias is None:
        return z, change, (b, a, None)
    z += layer.bias.data
    change += c[:, None]
    return z, change, (b, a, c)


def fill_by_rank_one(
    model: Sequential,
    loss: Callable[..., Any],
    inputs: Any,
    targets: Any,
    *,
    count: int = 1,
    rank: int = 1,
    rng: np.random.Generator,
) -> tuple[Any, Any]:
    """Leave a rank-one forward gradient in the ``.grad`` of each parameter, for any optimizer.

    Parameters
    ----------
    model, loss, inputs, targets, count, rank, rng
        As for :func:`rank_one`.

    Returns
    -------
    loss : float
        Of the batch.
    output : ndarray
        What the model predicted.
    """
    found = rank_one(model, loss, inputs, targets, count=count, rank=rank, rng=rng)
    found.fill()
    return found.loss, found.output
