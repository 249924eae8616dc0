"""The six optimizers of the paper, by name, as :mod:`coursepkg.optimizers` has them.

Ours differ from the published code in two places. There, eps = 1e-8 stands *inside* the square root, so that it acts
like 1e-4 outside and damps the small gradients of deep nodes; ours stands outside. There, Adam counts every step as the
first; ``"adam_fixed_step"`` does that too, for those who want to see what it changes. Nesterov's look-ahead is the same
sequence of gradients, with the parameters kept at the point looked ahead to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from coursepkg.optimizers import GD, Adagrad, Adam, FirstOrder, Momentum, Nesterov, RMSprop


class FixedStepAdam(Adam):
    """Adam as in the published code: both shares 0.9, and the correction for the start never ends.

    Dividing by ``1 - 0.9`` for ever makes steady steps ``sqrt(10) = 3.16`` times as long as the learning rate says.
    """

    def __init__(self, parameters: Any, lr: float) -> None:
        super().__init__(parameters, lr, betas=(0.9, 0.9))

    def change(self, gradient: np.ndarray, state: dict[str, Any], lr: float) -> np.ndarray:
        state["step"] = 0
        return super().change(gradient, state, lr)


OPTIMIZERS: dict[str, Callable[..., FirstOrder]] = {
    "gd": GD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": partial(RMSprop, alpha=0.9),
    "adam": Adam,
    "adam_fixed_step": FixedStepAdam,
}


def find_optimizer(name: str) -> Callable[..., FirstOrder]:
    """An optimizer by name: a function of parameters and learning rate.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer is one of {', '.join(map(repr, OPTIMIZERS))}, got {name!r}")
    return OPTIMIZERS[name]
