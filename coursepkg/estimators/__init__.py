"""Gradients that are right on average: cheaper in time or memory than backpropagation, and noisy.

The one idea: an estimate g with E[g] = gradient still trains a network, and its variance is the price. Names load on
first use. :mod:`~coursepkg.estimators.forward_gradient` walks in a random direction and needs no backward pass;
``randomized_linear`` keeps a sketch of what a linear layer must remember.
"""

import importlib
from typing import Any

_HOME = {
    "along": "forward_gradient",
    "sample_directions": "directions",
    "fill_gradients": "trainer",
    "ForwardTrainer": "trainer",
    "fill_by_activities": "activity",
    "fill_by_local_losses": "local",
    "LocalNetwork": "local",
    "fill_by_rank_one": "rank_one",
    "RankOne": "rank_one",
    "Sketch": "sketches",
    "sketch_variance": "sketches",
    "RandomizedLinear": "randomized_linear",
    "randomize": "randomized_linear",
    "gradient_noise": "noise",
    "layer_noise": "noise",
    "LeanReLU": "lean_relu",
    "checkpoint": "checkpointing",
    "in_segments": "checkpointing",
    "linear_bytes": "memory",
    "step_memory": "memory",
    "predict_encoder_step": "encoder_ledger",
    "tape_holdings": "memory",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"coursepkg.estimators has no {name!r}; it offers {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"coursepkg.estimators.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
