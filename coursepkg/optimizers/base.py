"""What all optimizers share: which parameters they move, where the gradients come from, and the learning rate.

Backpropagation computes gradients; an optimizer uses them. The one thing that differs from optimizer to optimizer is
the rule ``change``: from a gradient, and what is remembered of earlier ones, to the step of one parameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from coursepkg.autodiff.tensor import Tensor, no_grad
from coursepkg.optimizers.state import COUNT, check_names, check_owner, names_in, plain_copy, remembered, setting, whole

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

    Raises
    ------
    TypeError
        If a parameter is no array or tensor of floats, or the result of a computation.
    ValueError
        If there is no parameter, or one stands there twice: itself, or another view of its memory.
    """

    #: Attributes that count, and those that were set when the optimizer was made; both belong to its state.
    counters: ClassVar[tuple[str, ...]] = ("steps",)
    settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: Any) -> None:
        self.names, self.parameters = _named(parameters)
        for name, parameter in zip(self.names, self.parameters, strict=True):
            if not np.issubdtype(np.asarray(value(parameter)).dtype, np.floating):
                raise TypeError(f"{name} must hold floating-point numbers to be moved a little; write 1.0, not 1")
            if not getattr(parameter, "is_leaf", True):
                raise TypeError(
                    f"{name} is the result of a computation, so moving it would change nothing that it was computed "
                    "from; pass the tensors that you made with requires_grad=True"
                )
        if not self.parameters:
            raise ValueError("there are no parameters to optimize; a generator may have been used up: pass a list")
        _check_apart(self.names, self.parameters)
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
        TypeError
            If a gradient is complex.
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
            if np.iscomplexobj(gradient):
                raise TypeError(
                    f"the gradient of {name} is complex, but {name} is real; take its real part, or learn the two "
                    "parts as two parameters"
                )
        return found

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on exactly here, as plain data: numbers, lists of numbers or names, and arrays.

        One name for each entry, so ``numpy.savez(path, **optimizer.state_dict())`` writes it and ``numpy.load(path)``
        reads it; for JSON, arrays become lists by ``tolist``. Everything is a copy. The parameters' own values are
        the model's state, not the optimizer's. A schedule is a function and no data: ``"steps"``, where it stands, is
        in the state, and the schedule itself is given again when the optimizer is made.

        Returns
        -------
        dict of str to number, list or ndarray
            ``"optimizer"``, the kind; ``"parameters"``, their names; ``"steps"``; settings such as ``"lr"``; and what
            the rule remembers, such as ``"0.weight.velocity"``, listed under ``"memory"``.

        Examples
        --------
        >>> import numpy as np
        >>> from coursepkg.optimizers import Momentum
        >>> theta = np.array([4.0, -2.0])
        >>> optimizer = Momentum({"theta": theta}, lr=0.25)
        >>> optimizer.step({"theta": 2 * theta})
        >>> state = optimizer.state_dict()
        >>> state["steps"], state["lr"], state["theta.velocity"]
        (1, 0.25, array([ 8., -4.]))
        >>> again = Momentum({"theta": theta}, lr=0.25)
        >>> again.load_state_dict(state)
        >>> again.steps
        1
        """
        numbers = {name: plain_copy(getattr(self, name)) for name in (*self.counters, *self._settings())}
        return {"optimizer": type(self).__name__, "parameters": list(self.names), **numbers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another optimizer stopped; nothing changes unless the whole state fits.

        Settings such as the learning rate are set to those of the state, too, as in PyTorch. What the rule remembers
        takes the dtype of its parameter.

        Parameters
        ----------
        state : mapping of str to number, list or array_like
            As from :meth:`state_dict`, or read back from a file.

        Raises
        ------
        TypeError
            If it is not a mapping.
        KeyError
            If it was saved for other parameters, or with a schedule where this optimizer has none; if names are
            missing or unknown.
        ValueError
            If it was saved by another kind of optimizer, or an entry has the wrong shape or kind.
        """
        check_owner(state, type(self).__name__, self.names)
        for name, found in self._read(state).items():
            setattr(self, name, found)

    def _settings(self) -> list[str]:
        """The settings that are data; a schedule is not."""
        return [name for name in self.settings if not callable(getattr(self, name))]

    def _read(self, state: Mapping[str, Any], others: Iterable[str] = ()) -> dict[str, Any]:
        """New values of attributes, from a state that is for these parameters and has some other entries, too."""
        check_names(state, ["optimizer", "parameters", *self.counters, *self._settings(), *others])
        counters = {name: whole(name, state[name]) for name in self.counters}
        return counters | {name: setting(name, state[name], getattr(self, name)) for name in self._settings()}


class FirstOrder(Optimizer, ABC):
    """Moves each parameter by a rule of its own gradients, one ``step()`` at a time.

    Parameters
    ----------
    parameters : iterable, mapping or single parameter
        What to move; see :class:`Optimizer`.
    lr : float or callable
        Learning rate η, or a schedule: a function from the number of steps taken to η.
    weight_decay : float
        Adds ``weight_decay * theta`` to each gradient, the gradient of an L2 penalty, as PyTorch does. (AdamW takes
        ``lr * weight_decay * theta`` from the weights instead.)

    Attributes
    ----------
    state : list of dict
        What the rule remembers about each parameter: arrays of its shape, and a whole number called ``"step"`` where
        the rule counts.
    """

    settings: ClassVar[tuple[str, ...]] = ("lr", "weight_decay")
    #: Whether the decay acts on the weights themselves, beside the rule, and not as a part of the gradient.
    decoupled: ClassVar[bool] = False

    def __init__(self, parameters: Any, lr: float | Schedule, weight_decay: float = 0.0) -> None:
        super().__init__(parameters)
        if not callable(lr) and not lr >= 0.0:
            raise ValueError(f"the learning rate must not be negative, got lr={lr}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay must not be negative, got {weight_decay}")
        self.lr = lr
        self.weight_decay = float(weight_decay)
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
            numbers = value(parameter)
            if isinstance(numbers, np.ndarray):
                # So what is remembered has the parameter's precision, and is the same when it comes back from a file.
                gradient = np.asarray(gradient).astype(numbers.dtype, copy=False)
            if self.weight_decay and not self.decoupled:
                gradient = gradient + self.weight_decay * numbers
            change = self.change(gradient, state, lr)
            if self.weight_decay and self.decoupled:
                change = change - lr * self.weight_decay * numbers
            move(parameter, change)
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:  # documented above
        memory = {
            f"{name}.{what}": plain_copy(kept)
            for name, state in zip(self.names, self.state, strict=True)
            for what, kept in state.items()
        }
        return {**super().state_dict(), "memory": list(memory), **memory}

    def _read(self, state: Mapping[str, Any], others: Iterable[str] = ()) -> dict[str, Any]:
        listed = names_in(state, "memory") if "memory" in state else []
        found = super()._read(state, [*others, "memory", *listed])
        memory: dict[str, State] = {name: {} for name in self.names}
        like = dict(zip(self.names, map(value, self.parameters), strict=True))
        for entry in listed:
            name, _, what = entry.rpartition(".")
            if name not in memory:
                raise KeyError(
                    f"the memory {entry} is of no parameter of this optimizer; there are {', '.join(memory)}"
                )
            given = state[entry]
            memory[name][what] = whole(entry, given) if what == COUNT else remembered(entry, given, like[name])
        return {**found, "state": list(memory.values())}

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
    plain = parameter is None or isinstance(parameter, np.ndarray | np.generic | float | int)
    return parameter if plain else parameter.data


def assign(parameter: Any, new: Any) -> None:
    """Give a parameter new numbers; a plain array is written in place, so that every reader sees them."""
    if isinstance(parameter, np.ndarray):
        parameter[...] = new
    else:
        parameter.data = new if isinstance(parameter.data, np.ndarray) else float(new)


def move(parameter: Any, step: Any) -> None:
    """Add a step to a parameter: a plain array is written in place, a tensor gets a new array.

    So what a record or a view took from a tensor before the step keeps its old values.
    """
    if isinstance(parameter, Tensor):
        with no_grad():
            parameter += step
    elif isinstance(parameter, np.ndarray):
        parameter += step
    else:
        assign(parameter, parameter.data + step)


def _check_apart(names: list[str], parameters: list[Any]) -> None:
    """Refuse a parameter that would be moved twice in each step."""
    first: dict[int, str] = {}
    for name, parameter in zip(names, parameters, strict=True):
        other = first.setdefault(id(parameter), name)
        if other is not name:
            raise ValueError(
                f"{other} and {name} are the same {type(parameter).__name__}, which would be moved twice in each step; "
                "pass every parameter once (model.parameters() does)"
            )
    arrays = [(name, p) for name, p in zip(names, parameters, strict=True) if isinstance(p, np.ndarray)]
    for (name, array), (other, view) in combinations(arrays, 2):
        if np.shares_memory(array, view):
            raise ValueError(
                f"{name} and {other} share memory, so the numbers in common would be moved twice in each step; "
                "pass parts that do not overlap, or the whole array alone"
            )


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
