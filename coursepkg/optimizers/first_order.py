"""Ways to use a gradient: plain descent, two kinds of momentum, three kinds of per-weight scaling, and AdamW.

``SGD`` is the first three under one name, as in PyTorch.

Defaults and formulas are PyTorch's, so a run can be continued there; the tests follow both for fifty steps.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from coursepkg.optimizers.base import FirstOrder, Schedule, State


class GD(FirstOrder):
    """Gradient descent, ``theta <- theta - lr * g``; stochastic when ``g`` comes from a mini-batch.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float or callable
        Learning rate or schedule.
    weight_decay : float
        Strength of the L2 penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.optimizers import GD
    >>> theta = np.array([4.0, -2.0])
    >>> optimizer = GD(theta, lr=0.25)
    >>> for _ in range(3):
    ...     optimizer.step(2 * theta)
    >>> theta
    array([ 0.5 , -0.25])
    """

    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        return -lr * gradient


class Momentum(FirstOrder):
    """A heavy ball, ``v <- momentum * v + g``, ``theta <- theta - lr * v`` (Polyak, 1964).

    In a steady gradient the steps grow to ``1 / (1 - momentum)`` times those of :class:`GD`.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float or callable
        Learning rate or schedule.
    momentum : float
        Share of the velocity that is kept, from 0 to below 1.
    weight_decay : float
        Strength of the L2 penalty.
    """

    settings: ClassVar[tuple[str, ...]] = (*FirstOrder.settings, "momentum")
    nesterov: bool = False

    def __init__(
        self, parameters: Any, lr: float | Schedule, *, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum = _share("momentum", momentum)

    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        state["velocity"] = velocity = self.momentum * state.get("velocity", 0.0) + gradient
        return -lr * (gradient + self.momentum * velocity if self.nesterov else velocity)


class Nesterov(Momentum):
    """Momentum that looks ahead: the gradient is taken where the ball is about to be (Nesterov, 1983).

    As in PyTorch, the parameters *are* the point looked ahead to, so that the gradient at the parameters is the right
    one: ``v <- momentum * v + g``, ``theta <- theta - lr * (g + momentum * v)``. The textbook's own iterate lies behind
    them, at ``theta + lr * momentum * v`` with ``v`` in ``state[i]["velocity"]`` (Sutskever et al., 2013).
    """

    nesterov = True


class SGD(Momentum):
    """Stochastic gradient descent with PyTorch's arguments: :class:`GD`, :class:`Momentum` or :class:`Nesterov`.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float or callable
        Learning rate or schedule.
    momentum : float
        Share of the velocity that is kept, from 0 (plain descent, nothing is remembered) to below 1.
    weight_decay : float
        Strength of the L2 penalty.
    nesterov : bool
        Look ahead, as :class:`Nesterov` does; needs a momentum.

    Raises
    ------
    ValueError
        If ``nesterov`` is asked for without a momentum.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.optimizers import SGD
    >>> theta = np.array([4.0, -2.0])
    >>> optimizer = SGD(theta, lr=0.125, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(2 * theta)
    >>> theta
    array([ 1.75 , -0.875])
    """

    settings: ClassVar[tuple[str, ...]] = (*Momentum.settings, "nesterov")

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        momentum: float = 0.0,
        *,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay)
        self.nesterov = bool(nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError(
                "nesterov=True looks ahead along the velocity, so it needs a momentum, such as momentum=0.9"
            )

    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        return super().change(gradient, state, lr) if self.momentum else -lr * gradient


class Adagrad(FirstOrder):
    """Each weight's steps shrink with the sum of its squared gradients so far (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float or callable
        Learning rate or schedule; the first step has this length for every weight.
    eps : float
        Keeps the division finite; added after the square root.
    weight_decay : float
        Strength of the L2 penalty.
    """

    settings: ClassVar[tuple[str, ...]] = (*FirstOrder.settings, "eps")

    def __init__(
        self, parameters: Any, lr: float | Schedule = 0.01, *, eps: float = 1e-10, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.eps = float(eps)

    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        state["sum of squares"] = state.get("sum of squares", 0.0) + gradient * gradient
        return -lr * gradient / (state["sum of squares"] ** 0.5 + self.eps)


class RMSprop(FirstOrder):
    """Adagrad with a memory that fades: a moving average in place of the sum (Tieleman and Hinton, 2012).

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float or callable
        Learning rate or schedule.
    alpha : float
        Share of the average that is kept, from 0 to below 1. PyTorch has 0.99, most textbooks 0.9.
    eps : float
        Keeps the division finite; added after the square root.
    weight_decay : float
        Strength of the L2 penalty.
    """

    settings: ClassVar[tuple[str, ...]] = (*FirstOrder.settings, "alpha", "eps")

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 0.01,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.alpha = _share("alpha", alpha)
        self.eps = float(eps)

    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        mean = self.alpha * state.get("mean square", 0.0) + (1.0 - self.alpha) * (gradient * gradient)
        state["mean square"] = mean
        return -lr * gradient / (mean**0.5 + self.eps)


class Adam(FirstOrder):
    """Momentum and RMSprop together, both corrected for starting at zero (Kingma and Ba, 2015, algorithm 1).

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float or callable
        Learning rate or schedule; about the length of a step for each weight.
    betas : tuple of float
        Shares of the averages of gradient and squared gradient that are kept.
    eps : float
        Keeps the division finite; added after the square root.
    weight_decay : float
        Strength of the L2 penalty.
    """

    settings: ClassVar[tuple[str, ...]] = (*FirstOrder.settings, "betas", "eps")

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.betas = (_share("betas[0]", betas[0]), _share("betas[1]", betas[1]))
        self.eps = float(eps)

    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        beta1, beta2 = self.betas
        state["step"] = t = state.get("step", 0) + 1
        state["mean"] = beta1 * state.get("mean", 0.0) + (1.0 - beta1) * gradient
        state["mean square"] = beta2 * state.get("mean square", 0.0) + (1.0 - beta2) * (gradient * gradient)
        mean = state["mean"] / (1.0 - beta1**t)
        mean_square = state["mean square"] / (1.0 - beta2**t)
        return -lr * mean / (mean_square**0.5 + self.eps)


class AdamW(Adam):
    """Adam whose weight decay acts on the weights themselves, not through the gradient (Loshchilov and Hutter, 2019).

    ``theta <- theta - lr * weight_decay * theta`` beside Adam's step. In :class:`Adam` the decay is a part of the
    gradient and so is divided by its size: weights with large gradients hardly decay. Here all decay at one rate.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`~coursepkg.optimizers.base.Optimizer`.
    lr : float or callable
        Learning rate or schedule; about the length of a step for each weight.
    betas : tuple of float
        Shares of the averages of gradient and squared gradient that are kept.
    eps : float
        Keeps the division finite; added after the square root.
    weight_decay : float
        Share of a weight that decays in a step, in units of the learning rate.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.optimizers import AdamW
    >>> theta = np.array([4.0, -2.0])
    >>> optimizer = AdamW(theta, lr=0.5, weight_decay=0.5)
    >>> optimizer.step(np.zeros(2))
    >>> theta
    array([ 3. , -1.5])
    """

    decoupled = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)


def _share(name: str, number: float) -> float:
    if not 0.0 <= number < 1.0:
        raise ValueError(f"{name} is the share of the past that is kept, from 0 to below 1; got {number}")
    return float(number)
