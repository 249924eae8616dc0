"""Two kinds of noise in a weight gradient: that of the batch, and that of the sketch.

The one idea: a gradient from a batch is already a random estimate, so noise that a sketch adds does no harm while it is
small beside that. Both variances can be computed from one batch before any training (Bershatsky et al. 2022). The
formulas of their published code are here as they stand, next to exact ones, because they differ.

Their formula for the batch takes every row for a draw of its own. The tokens of a sentence are not: they come together
and pull together, so the batch is noisier than that. ``groups`` counts sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from coursepkg.autodiff.dispatch import plain
from coursepkg.estimators.memory import around_calls
from coursepkg.estimators.sketches import Moments, moments, sketch_size, sketch_variance
from coursepkg.nn.layers import Linear
from coursepkg.nn.module import Module

__all__ = ["GradientNoise", "gradient_noise", "layer_noise", "linear_traffic"]


class GradientNoise(NamedTuple):
    """What can be said of a weight gradient before drawing a sketch.

    Attributes
    ----------
    moments : Moments
        Four numbers of the layer's inputs X and of the gradient Y at its outputs.
    size : int
        b, the rows of the sketch.
    sketch : float
        Exact variance that the sketch adds.
    groups : int or None
        Examples in the batch, each of which gives several rows. None: every row is an example.
    within : float
        ``sum_g ||Y_g^T X_g||^2`` over the examples.
    """

    moments: Moments
    size: int
    sketch: float
    groups: int | None = None
    within: float = 0.0

    @property
    def sgd(self) -> float:
        """D^2_SGD: the variance of the batch's gradient, estimated from the spread of the examples inside it."""
        if self.groups is None:
            return self.published_sgd
        return (self.groups * self.within - self.moments.together) / (self.groups - 1)

    @property
    def published_sgd(self) -> float:
        """D^2_SGD as in the published code, where every row is an example, be it a token of a sentence."""
        rows, _, together, paired = self.moments
        return (rows * paired - together) / (rows - 1)

    @property
    def alpha(self) -> float:
        """``||Y^T X||^2 / (||X||^2 ||Y||^2)``, between 0 and 1: how well the examples agree."""
        return self.moments.together / self.moments.product if self.moments.product else 0.0

    @property
    def published(self) -> float:
        """D^2_RMM as in the published code, ``(||X||^2 ||Y||^2 - ||Y^T X||^2) / b``.

        It is exact for rows drawn in proportion to ``||x_k||^2``. For the Gaussian sketch, the default there, the minus
        must be a plus.
        """
        return (self.moments.product - self.moments.together) / self.size

    @property
    def published_ratio(self) -> float:
        """``b / (B - 1)`` times D^2_RMM over D^2_SGD, as the published code plots it."""
        return self.size / (self.moments.rows - 1) * self.published / self.published_sgd

    @property
    def published_bound(self) -> float:
        """``(alpha + 1) / alpha``, drawn there as the upper limit of that ratio. It is not one: if all examples agree,
        D^2_SGD vanishes and the sketch's variance does not."""
        return (self.alpha + 1) / self.alpha

    @property
    def second_moment_ratio(self) -> float:
        """``b`` times the Gaussian sketch's variance over ``B sum ||x_k||^2 ||y_k||^2``, the second moment.

        This one never exceeds ``(alpha + 1) / alpha``, because ``||Y^T X||^2 <= B sum ||x_k||^2 ||y_k||^2`` by Cauchy
        and Schwarz.
        """
        rows, product, together, paired = self.moments
        return (product + together) / (rows * paired)

    @property
    def share(self) -> float:
        """The sketch's part of all noise, from 0 to 1."""
        return self.sketch / (self.sketch + self.sgd)

    @property
    def equivalent_batch(self) -> float:
        """A batch of so many examples, kept whole, would give this weight as noisy a gradient."""
        return (self.moments.rows if self.groups is None else self.groups) * (1 - self.share)


def gradient_noise(x: Any, y: Any, size: int, kind: str = "fold", *, groups: int | None = None) -> GradientNoise:
    """Compare the noise of a sketch with the noise of the batch, for one linear layer.

    Parameters
    ----------
    x, y : array, shapes (B, N) and (B, M)
        Inputs of the layer and gradient at its outputs, B at least 2.
    size : int
        b, the rows of the sketch.
    kind : str
        Which sketch, a name in :data:`~coursepkg.estimators.sketches.SKETCHES`.
    groups : int, optional
        How many examples there are, if each gives several rows: B is a multiple of it, and the rows of an example stand
        below each other. Default: one row for each.

    Returns
    -------
    GradientNoise

    Raises
    ------
    ValueError
        If there is a single example, from which no spread can be estimated, or the rows cannot be dealt out evenly.

    Examples
    --------
    >>> found = gradient_noise([[1.0], [2.0]], [[3.0], [1.0]], size=1, kind="rows")
    >>> found.sgd, found.sketch, found.equivalent_batch
    (1.0, 1.0, 1.0)
    """
    found = moments(x, y)
    if found.rows < 2 or groups == 1:
        raise ValueError("the spread of the examples' gradients needs at least two examples, got one")
    noise = GradientNoise(found, size, sketch_variance(kind, x, y, size))
    return noise if groups is None else noise._replace(groups=groups, within=_within(x, y, groups))


def _within(x: Any, y: Any, groups: int) -> float:
    """Return ``sum_g ||Y_g^T X_g||^2``, from the products of an example's rows, which are few."""
    rows = len(x)
    if groups < 1 or rows % groups:
        raise ValueError(f"{rows} rows cannot be dealt out evenly to {groups} examples")
    x, y = (np.reshape(np.asarray(a, float), (groups, rows // groups, -1)) for a in (x, y))
    return float(np.sum((x @ np.swapaxes(x, 1, 2)) * (y @ np.swapaxes(y, 1, 2))))


# --- measured on a model


def linear_traffic(model: Module, run: Callable[[], Any]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Run a model forward and backward once, and note what goes through its linear layers.

    Parameters
    ----------
    model : Module
        Holds ``nn.Linear`` layers, each used once.
    run : callable
        ``run()`` calls the model and returns the loss, a tensor.

    Returns
    -------
    dict of str to (ndarray, ndarray)
        By the layer's name: X, shape (B, N), and Y = dL/dZ, shape (B, M), all leading axes made one.
    """
    seen: dict[str, tuple[Any, Any]] = {}

    def noting(name: str, part: Module) -> Callable[..., Any]:
        def forward(*inputs: Any) -> Any:
            out = type(part).forward(part, *inputs)
            if isinstance(part, Linear):
                out.retain_grad()
                seen[name] = plain(inputs[0]), out
            return out

        return forward

    with around_calls(model, noting):
        run().backward()
    model.zero_grad()
    return {
        name: (np.reshape(x, (-1, x.shape[-1])), np.reshape(plain(z.grad), (-1, z.shape[-1])))
        for name, (x, z) in seen.items()
    }


def layer_noise(
    model: Module, run: Callable[[], Any], *, rate: float, kind: str = "fold", groups: int | None = None
) -> dict[str, GradientNoise]:
    """Compare the noise of a sketch with that of the batch for every linear layer of a model.

    Parameters
    ----------
    model, run
        As for :func:`linear_traffic`.
    rate : float
        rho, the share of the rows that sketches keep.
    kind : str
        Which sketch.
    groups : int, optional
        How many examples the batch has, if a layer sees several rows of each, such as the words of a sentence. Default:
        every row is an example.

    Returns
    -------
    dict of str to GradientNoise
    """
    traffic = linear_traffic(model, run)
    return {
        name: gradient_noise(x, y, sketch_size(rate, len(x)), kind, groups=groups) for name, (x, y) in traffic.items()
    }
