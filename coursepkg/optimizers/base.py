"""What all optimizers share: which parameters they move, where the gradients come from, and the learning rate.

Backpropagation computes gradients; an optimizer uses them. The one thing that differs from optimizer to optimizer is
the rule ``change``: from a gradient, and what is remembered of earlier ones, to the step of one parameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from coursepkg.autodiff.tensor import Tensor, no_grad

Schedule = Callable[[int], float]
State = dict[str, Any]


class Optimizer:
    """Knows which parameters to move, and finds their gradients.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        NumPy arrays of floats, which are changed in place, or objects with ``.data`` and ``.grad`` such as
        :class:`~coursepkg.autodiff.tensor.Tensor` and :class:`~coursepkg.autodiff.scalar.Scalar`.

    Attributes
    ----------
    parameters : list
        The parameters, in order.
    names : list of str
        Their keys in the mapping, or their positions.
    steps : int
        Number of steps taken.
    """

    def __init__(self, parameters: Any) -> None:
        self.names, self.parameters = _named(parameters)
        for name, parameter in zip(self.names, self.parameters, strict=True):
            if not np.issubdtype(np.asarray(value(parameter)).dtype, np.floating):
                raise TypeError(f"{name} must hold floating-point numbers to be moved a little; write 1.0, not 1")
        if not self.parameters:
            raise ValueError("there are no parameters to optimize; a generator may have been used up: pass a list")
        self.steps = 0

    def zero_grad(self) -> None:
        """Forget the gradients, because ``backward()`` adds to what is there."""
        for parameter in self.parameters:
            if not isinstance(parameter, np.ndarray):
                # A number in place of an array (the scalar engine) starts from 0.0, a tensor from no gradient at all.
                parameter.grad = 0.0 if isinstance(parameter.grad, float) else None

    def gradients(self, given: Any = None) -> list[Any]:
        """One gradient per parameter, ``None`` where there is none.

        Parameters
        ----------
        given : iterable, mapping or array, optional
            Gradients arranged as the parameters were; by default each parameter's own ``.grad``.

        Raises
        ------
        ValueError
            If no parameter has a gradient, or one has another shape than its parameter.
        """
        if given is None:
            found = [_own_gradient(name, p) for name, p in zip(self.names, self.parameters, strict=True)]
        else:
            names, members = _named(given)
            if names != self.names:
                raise ValueError(
                    f"got gradients for {', '.join(names) or 'nothing'}, but the parameters are {', '.join(self.names)}"
                )
            found = [value(gradient) for gradient in members]
        if all(gradient is None for gradient in found):
            raise ValueError("no parameter has a gradient; call backward() on the loss before step()")
        for name, parameter, gradient in zip(self.names, self.parameters, found, strict=True):
            if gradient is not None and np.shape(gradient) != np.shape(value(parameter)):
                raise ValueError(
                    f"the gradient of {name} has shape {np.shape(gradient)}, but {name} has shape "
                    f"{np.shape(value(parameter))}; a gradient has the shape of its variable"
                )
        return found


class FirstOrder(Optimizer, ABC):
    """Moves each parameter by a rule of its own gradients, one ``step()`` at a time.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`Optimizer`.
    lr : float or callable
        Learning rate η, or a schedule: a function from the number of steps taken to η.
    weight_decay : float
        Adds ``weight_decay * theta`` to each gradient, the gradient of an L2 penalty, as PyTorch does.

    Attributes
    ----------
    state : list of dict
        What the rule remembers about each parameter.
    """

    def __init__(self, parameters: Any, lr: float | Schedule, weight_decay: float = 0.0) -> None:
        super().__init__(parameters)
        if not callable(lr) and not lr >= 0.0:
            raise ValueError(f"the learning rate must not be negative, got lr={lr}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay must not be negative, got {weight_decay}")
        self.lr = lr
        self.weight_decay = weight_decay
        self.state: list[State] = [{} for _ in self.parameters]

    @property
    def current_lr(self) -> float:
        """The learning rate that the next step will use."""
        return float(self.lr(self.steps) if callable(self.lr) else self.lr)

    def step(self, gradients: Any = None, *, loss: Any = None) -> None:
        """Move every parameter once.

        Parameters
        ----------
        gradients : iterable, mapping or array, optional
            One gradient per parameter, arranged as the parameters were. Needed for plain arrays; other parameters
            bring their own ``.grad``, and those whose ``.grad`` is ``None`` stay where they are.
        loss : float or Tensor, optional
            The loss that the gradients belong to. Most rules do not ask for it; iRPROP+ does.

        Raises
        ------
        ValueError
            If there is no gradient at all, or one has another shape than its parameter.
        """
        lr = self.current_lr
        for parameter, gradient, state in zip(self.parameters, self.gradients(gradients), self.state, strict=True):
            if gradient is None:
                continue
            if self.weight_decay:
                gradient = gradient + self.weight_decay * value(parameter)
            move(parameter, self.change(gradient, state, lr))
        self.steps += 1

    @abstractmethod
    def change(self, gradient: np.ndarray, state: State, lr: float) -> np.ndarray:
        """The step of one parameter, to be added to it.

        Parameters
        ----------
        gradient : ndarray
            The gradient of the loss with respect to the parameter.
        state : dict
            What is remembered about this parameter; empty before the first step, changed by the call.
        lr : float
            The learning rate.

        Returns
        -------
        ndarray
            A new array of the parameter's shape.
        """


def value(parameter: Any) -> Any:
    """The numbers of a parameter or gradient: an array, or a float for the scalar engine."""
    return parameter if isinstance(parameter, np.ndarray | float) or parameter is None else parameter.data


def assign(parameter: Any, new: Any) -> None:
    """Give a parameter new numbers; a plain array is written in place, so that every reader sees them."""
    if isinstance(parameter, np.ndarray):
        parameter[...] = new
    else:
        parameter.data = new if isinstance(parameter.data, np.ndarray) else float(new)


def move(parameter: Any, step: Any) -> None:
    """Add a step to a parameter; arrays are written in place where nobody else looks at them."""
    if isinstance(parameter, Tensor) and parameter.is_leaf:
        with no_grad():
            parameter += step
    elif isinstance(parameter, np.ndarray):
        parameter += step
    else:
        assign(parameter, parameter.data + step)


def _own_gradient(name: str, parameter: Any) -> Any:
    if isinstance(parameter, np.ndarray):
        raise ValueError(f"{name} is a plain array and has no .grad; pass the gradients: step(gradients)")
    return value(parameter.grad)


def _named(parameters: Any) -> tuple[list[str], list[Any]]:
    """Names and members of a mapping, an iterable, or a single parameter."""
    if isinstance(parameters, Mapping):
        return [str(name) for name in parameters], list(parameters.values())
    if isinstance(parameters, np.ndarray) or hasattr(parameters, "grad"):
        return ["parameter 0"], [parameters]
    if not isinstance(parameters, Iterable):
        raise TypeError(f"expected arrays, tensors, or a list or dict of them; got {type(parameters).__name__}")
    members = list(parameters)
    return [f"parameter {i}" for i in range(len(members))], members
