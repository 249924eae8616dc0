"""Optimizers that look before they step: a line search by golden section, and L-BFGS from SciPy.

Both evaluate the loss several times per step, so their number of steps says little about their cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from coursepkg.optimizers.base import Optimizer, assign, value

GOLDEN = (5.0**0.5 - 1.0) / 2.0


class LineSearch(NamedTuple):
    """Where a line search ended, and what it cost."""

    x: float
    evaluations: int


def golden_section(f: Callable[[float], float], low: float, high: float, *, tolerance: float = 1e-3) -> LineSearch:
    """Minimise a function of one variable that falls and then rises (Kiefer, 1953).

    Each evaluation shrinks the interval by the golden ratio, 0.618, because one of the two inner points can be used
    again.

    Parameters
    ----------
    f : callable
        Function of a float.
    low, high : float
        Ends of the interval.
    tolerance : float
        Length at which the interval is small enough.

    Returns
    -------
    LineSearch
        ``x``, the middle of the last interval, and the number of evaluations of ``f``.

    Examples
    --------
    >>> from coursepkg.optimizers import golden_section
    >>> found = golden_section(lambda x: (x - 2.0) ** 2, 0.0, 5.0, tolerance=1e-6)
    >>> round(found.x, 5), found.evaluations
    (2.0, 35)
    """
    if not low < high:
        raise ValueError(f"the interval must have low < high, got [{low}, {high}]")
    if not tolerance > 0.0:
        raise ValueError(f"tolerance must be positive, got {tolerance}")
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    f_left, f_right = f(left), f(right)
    evaluations = 2
    while high - low > tolerance:
        if f_left < f_right:
            high, right, f_right = right, left, f_left
            left = high - GOLDEN * (high - low)
            f_left = f(left)
        else:
            low, left, f_left = left, right, f_right
            right = low + GOLDEN * (high - low)
            f_right = f(right)
        evaluations += 1
    return LineSearch((low + high) / 2.0, evaluations)


class LBFGS(Optimizer):
    """Limited-memory BFGS: curvature from the last few gradients, through SciPy (Liu and Nocedal, 1989).

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    max_iter : int
        Iterations per ``step``.
    history_size : int
        Number of gradient differences that are remembered within a ``step``.
    tolerance_grad : float
        Stop when no entry of the gradient is larger.
    """

    counters: ClassVar[tuple[str, ...]] = ("steps", "evaluations")
    settings: ClassVar[tuple[str, ...]] = ("max_iter", "history_size", "tolerance_grad")

    def __init__(
        self, parameters: Any, *, max_iter: int = 20, history_size: int = 10, tolerance_grad: float = 1e-7
    ) -> None:
        super().__init__(parameters)
        self.max_iter = max_iter
        self.history_size = history_size
        self.tolerance_grad = tolerance_grad
        self.evaluations = 0

    def step(self, closure: Callable[[], Any]) -> float:
        """Run up to ``max_iter`` iterations.

        Parameters
        ----------
        closure : callable
            Without arguments; zeroes the gradients, computes the loss, calls ``backward()`` and returns the loss.
            For plain arrays it returns the pair ``(loss, gradients)``.

        Returns
        -------
        float
            The loss that was reached.
        """
        from scipy.optimize import minimize

        if not callable(closure):
            raise ValueError("L-BFGS evaluates the loss several times per step; call step(closure)")

        def loss_and_gradient(theta: np.ndarray) -> tuple[float, np.ndarray]:
            self._unflatten(theta)
            self.evaluations += 1
            loss = closure()
            loss, gradients = loss if isinstance(loss, tuple) else (loss, None)
            return float(value(loss)), self._flatten(self.gradients(gradients))

        start = self._flatten([value(parameter) for parameter in self.parameters])
        options = {"maxiter": self.max_iter, "maxcor": self.history_size, "gtol": self.tolerance_grad, "ftol": 0.0}
        found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
        self._unflatten(found.x)
        self.steps += 1
        return float(found.fun)

    def _flatten(self, arrays: list[Any]) -> np.ndarray:
        """All numbers in one vector, zeros for a parameter without a gradient, which therefore stays."""
        pairs = zip(arrays, self.parameters, strict=True)
        full = [np.zeros(np.shape(value(parameter))) if array is None else array for array, parameter in pairs]
        return np.concatenate([np.ravel(array) for array in full]).astype(np.float64)

    def _unflatten(self, theta: np.ndarray) -> None:
        start = 0
        for parameter in self.parameters:
            size, shape = np.size(value(parameter)), np.shape(value(parameter))
            part = theta[start : start + size].reshape(shape)
            assign(parameter, part)
            start += size
