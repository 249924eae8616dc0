"""Losses: how wrong the output is, as one number. Those for classes take logits, the scores before the softmax.

Softmax and logarithm together are exact where either alone overflows, and their gradient is simply "predicted minus
true". Names and conventions are PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.autodiff.catalogue import log_softmax, softmax_cross_entropy, softplus


def mse_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Mean squared error, without a factor of one half.

    Parameters
    ----------
    prediction, target : array
        Of equal shape; broadcasting (n, 1) against (n,) would silently compare all pairs, and is refused.
    reduction : {"mean", "sum", "none"}
        What to do with the squared errors.

    Returns
    -------
    array
        One number, or the squared errors for ``"none"``.
    """
    _same_shape(prediction, target)
    difference = prediction - target
    return _reduced(difference * difference, reduction)


def binary_cross_entropy_with_logits(logits: Any, target: Any, reduction: str = "mean") -> Any:
    """Cross-entropy for yes or no, from the score before the sigmoid: ``log(1 + exp(z)) - t z``.

    Parameters
    ----------
    logits : array
        Scores z; positive means yes.
    target : array
        Of equal shape; 1 for yes, 0 for no, or a probability.
    reduction : {"mean", "sum", "none"}
        What to do with the losses of the entries.

    Returns
    -------
    array
        One number, or the losses for ``"none"``.
    """
    _same_shape(logits, target)
    return _reduced(softplus(logits) - target * logits, reduction)


def cross_entropy(logits: Any, target: Any, reduction: str = "mean") -> Any:
    """Cross-entropy of softmax probabilities.

    Parameters
    ----------
    logits : array, shape (..., classes)
        Scores, along the last axis.
    target : array of int, shape (...), or array of float, shape (..., classes)
        Class numbers, or the true probabilities (one-hot rows, for example).
    reduction : {"mean", "sum", "none"}
        What to do with the losses of the examples.

    Returns
    -------
    array
        One number, or one loss per example for ``"none"``.
    """
    target = np.asarray(target)
    classes = np.shape(logits)[-1]
    if target.shape == np.shape(logits) and np.issubdtype(target.dtype, np.floating):
        return _reduced(-np.sum(target * log_softmax(logits), axis=-1), reduction)
    if target.shape != np.shape(logits)[:-1] or not np.issubdtype(target.dtype, np.integer):
        raise ValueError(
            f"logits of shape {np.shape(logits)} need as targets integers of shape {np.shape(logits)[:-1]} or "
            f"probabilities of their own shape, got {target.dtype} of shape {target.shape}"
        )
    if target.size and not (target.min() >= 0 and target.max() < classes):
        raise ValueError(f"class numbers must lie in 0..{classes - 1}, got {target.min()}..{target.max()}")
    if reduction == "mean":
        # One fused step: this is the loss of most training loops.
        return softmax_cross_entropy(np.reshape(logits, (-1, classes)), np.ravel(target))
    picked = np.take_along_axis(log_softmax(logits), target[..., None], axis=-1)
    return _reduced(-picked[..., 0], reduction)


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if reduction == "none":
        return losses
    return np.mean(losses) if reduction == "mean" else np.sum(losses)


def _same_shape(prediction: Any, target: Any) -> None:
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"prediction and target must have one shape, got {np.shape(prediction)} and {np.shape(target)}; "
            "reshape one of them, broadcasting would compare every prediction with every target"
        )
