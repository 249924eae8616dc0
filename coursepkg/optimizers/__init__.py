"""Optimizers: what to do with a gradient once backpropagation has computed it.

One by one: :class:`GD`, :class:`Momentum`, :class:`Nesterov` (the three together: :class:`SGD`), :class:`Adagrad`,
:class:`RMSprop`, :class:`Adam`, :class:`AdamW`, :class:`RPROP`, :class:`IRPROPMinus`, :class:`IRPROPPlus`,
:class:`LBFGS`. Learning rates may be schedules, gradients may be clipped, and :func:`golden_section` searches along a
line. They follow PyTorch's style: ``zero_grad()``, ``backward()``, ``step()``; ``state_dict()`` and
``load_state_dict()`` save a run and go on with it.
"""

from coursepkg.optimizers.base import FirstOrder, Optimizer
from coursepkg.optimizers.clipping import clip_by_norm, clip_by_value, clip_grad_norm_, clip_grad_value_, global_norm
from coursepkg.optimizers.first_order import GD, SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, RMSprop
from coursepkg.optimizers.rprop import RPROP, IRPROPMinus, IRPROPPlus
from coursepkg.optimizers.schedules import constant, cosine, linear_decay, step_decay, warm_up
from coursepkg.optimizers.search import LBFGS, LineSearch, golden_section

__all__ = [
    "GD",
    "LBFGS",
    "RPROP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "FirstOrder",
    "IRPROPMinus",
    "IRPROPPlus",
    "LineSearch",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "clip_by_norm",
    "clip_by_value",
    "clip_grad_norm_",
    "clip_grad_value_",
    "constant",
    "cosine",
    "global_norm",
    "golden_section",
    "linear_decay",
    "step_decay",
    "warm_up",
]
