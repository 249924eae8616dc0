"""A loss for each block: what a block's noise did to its own loss is known at once, and nothing has to be kept.

The one idea: put a small readout on every block and let each block lower the loss of its own readout. Slopes then mix
the noise of one block only, and a block's input can be forgotten when the next block begins. The price is the goal: a
block learns what helps its own readout, not what helps the blocks above (Ren, Kornblith, Liao and Hinton 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.estimators.activity import perturbed_pass, steps_of
from coursepkg.nn.layers import Linear
from coursepkg.nn.module import Module, Sequential

__all__ = ["LocalNetwork", "fill_by_local_losses"]


class LocalNetwork(Module):
    """Blocks one after the other, each with a linear readout; the last readout is the output of the network.

    Parameters
    ----------
    blocks : sequence of Sequential
        What the network is made of, without a final layer.
    features : sequence of int
        Width of each block's output; outputs with more axes are flattened for the readout.
    classes : int
        Width of each readout.
    rng : numpy.random.Generator
        Source of the readouts' starting weights.
    dtype : dtype
        Of the readouts.

    Raises
    ------
    ValueError
        If there are not as many widths as blocks.

    Examples
    --------
    >>> from coursepkg import nn
    >>> rng = np.random.default_rng(0)
    >>> blocks = [nn.Sequential(nn.Linear(n, m, rng=rng), nn.ReLU()) for n, m in ((4, 8), (8, 6))]
    >>> LocalNetwork(blocks, [8, 6], 3, rng=rng)(np.ones((5, 4))).shape
    (5, 3)
    """

    def __init__(
        self, blocks: Sequence[Sequential], features: Sequence[int], classes: int, *, rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:  # fmt: skip
        if len(blocks) != len(features) or not blocks:
            raise ValueError(
                f"each block needs the width of its output; got {len(blocks)} blocks, {len(features)} widths"
            )
        self.blocks = Sequential(*blocks)
        self.readouts = Sequential(*(Linear(n, classes, rng=check_rng(rng), dtype=dtype) for n in features))

    def forward(self, x: Any) -> Any:
        """Map inputs to the scores of the last readout."""
        return self.readouts[-1](_rows(self.blocks(x)))


def _rows(h: Any) -> Any:
    return np.reshape(h, (h.shape[0], -1))


def fill_by_local_losses(
    model: LocalNetwork,
    loss: Callable[..., Any],
    inputs: Any,
    targets: Any,
    *,
    directions: str = "rademacher",
    rng: np.random.Generator,
) -> tuple[Any, Any]:
    """Leave in each ``.grad`` an estimate of the gradient of the loss of its own block, by perturbing activities.

    Parameters
    ----------
    model : LocalNetwork
        Blocks with readouts.
    loss : callable
        ``loss(predictions, targets, reduction=...)`` as in :mod:`coursepkg.nn.losses`; every readout gets the targets.
    inputs, targets : array
        The batch.
    directions : {"rademacher", "gaussian"}
        Of the perturbations.
    rng : numpy.random.Generator
        Source of the perturbations.

    Returns
    -------
    loss : float
        Of the last readout.
    output : ndarray
        Its scores.

    Raises
    ------
    TypeError
        If the model is not a LocalNetwork.
    ValueError
        If the directions are unknown.
    """
    if not isinstance(model, LocalNetwork):
        raise TypeError(f"local losses need blocks with readouts, a LocalNetwork; got {type(model).__name__}")
    h: Any = inputs
    for block, readout in zip(model.blocks, model.readouts, strict=True):
        steps = list(steps_of(block))
        # What went into the readout is what the next block starts from: a plain array, so nothing flows back.
        value, output, h = perturbed_pass(
            [*steps, _rows, readout], loss, h, targets, directions, True, check_rng(rng), look_at=len(steps)
        )
    return value, output
