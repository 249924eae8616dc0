"""Resilient propagation: every weight has a step size of its own, and only the sign of its gradient is believed.

While the sign stays, the step grows; when it flips, the last step went too far and the next one is half as long. The
variants differ in what they do with the step that went too far (Riedmiller and Braun, 1993; Igel and Hüsken, 2000).
All need the gradient of the whole training set: signs of mini-batch gradients flip by chance.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from coursepkg.optimizers.base import FirstOrder, State
from coursepkg.optimizers.state import remembered


class SignBased(FirstOrder):
    """What the three variants share.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float
        The first step of every weight, Δ₀.
    etas : tuple of float
        Factors of a step size after a flip and after an agreement of signs.
    step_sizes : tuple of float
        Smallest and largest step size.
    """

    settings: ClassVar[tuple[str, ...]] = (*FirstOrder.settings, "etas", "step_sizes")

    def __init__(
        self,
        parameters: Any,
        lr: float = 0.1,
        *,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
    ) -> None:
        super().__init__(parameters, lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"etas must be a factor below 1 and one above 1, got {etas}")
        self.etas = (float(etas[0]), float(etas[1]))
        self.step_sizes = (float(step_sizes[0]), float(step_sizes[1]))

    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        sign = np.sign(gradient)
        agreement = sign * state.get("sign", 0.0)
        shrink, grow = self.etas
        factor = np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1.0))
        size = state.get("size", np.full_like(sign, lr)) * factor.astype(sign.dtype)
        state["size"] = size = np.clip(size, *self.step_sizes)
        flipped = agreement < 0
        state["move"] = np.where(flipped, self.after_flip(state.get("move", 0.0)), -sign * size)
        # A forgotten sign makes the next step neither an agreement nor a flip.
        state["sign"] = np.where(flipped, 0.0, sign)
        return state["move"]

    @abstractmethod
    def after_flip(self, last_move: np.ndarray) -> np.ndarray | float:
        """The step of a weight whose gradient has just changed its sign."""


class RPROP(SignBased):
    """RPROP with backtracking, also called RPROP+: a step that went too far is taken back (Riedmiller, 1994)."""

    def after_flip(self, last_move: np.ndarray) -> np.ndarray | float:
        return -last_move


class IRPROPMinus(SignBased):
    """iRPROP-: after a flip the weight rests for one step. This is the variant behind PyTorch's ``Rprop``."""

    def after_flip(self, last_move: np.ndarray) -> np.ndarray | float:
        return 0.0


class IRPROPPlus(SignBased):
    """iRPROP+: a step that went too far is taken back only if the loss has risen (Igel and Hüsken, 2000).

    ``step(loss=loss)`` has to be told the loss at the present parameters.
    """

    _rose = False
    last_loss = np.inf  # no loss rises above it, so the first step takes nothing back

    def step(self, gradients: Any = None, *, loss: Any = None) -> None:
        if loss is None:
            raise ValueError("iRPROP+ decides by the loss; call step(loss=loss)")
        number = float(loss.data if hasattr(loss, "grad") else loss)
        self._rose = number > self.last_loss
        self.last_loss = number
        super().step(gradients)

    def after_flip(self, last_move: np.ndarray) -> np.ndarray | float:
        return -last_move if self._rose else 0.0

    def state_dict(self) -> dict[str, Any]:  # documented by Optimizer
        return {**super().state_dict(), "last_loss": self.last_loss}

    def _read(self, state: Mapping[str, Any], others: Iterable[str] = ()) -> dict[str, Any]:
        found = super()._read(state, [*others, "last_loss"])
        return {**found, "last_loss": remembered("last_loss", state["last_loss"], 0.0)}
