"""``Module``: a function that owns its parameters, in PyTorch's manner and with nothing hidden.

Whatever tensor is stored as an attribute is a parameter, whatever module is stored as one is a part, in the order in
which they were stored. That is the whole mechanism.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from coursepkg.autodiff.tensor import Tensor


def Parameter(data: Any) -> Tensor:
    """Make a tensor that a model learns: ``Tensor(data, requires_grad=True)``.

    Parameters
    ----------
    data : array_like
        Starting values, floating point.
    """
    return Tensor(data, requires_grad=True)


class Module:
    """A model or a part of one. Subclasses store parameters and parts in ``__init__`` and define ``forward``.

    Attributes
    ----------
    training : bool
        Whether dropout drops and batch normalization uses the batch; set by :meth:`train` and :meth:`eval`.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = nn.Parameter(2.0), nn.Parameter(1.0)
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> model = Line()
    >>> np.sum(model(np.array([1.0, 3.0]))).backward()
    >>> {name: float(p.grad) for name, p in model.named_parameters()}
    {'slope': 4.0, 'offset': 2.0}
    """

    training: bool = True
    #: Names of plain arrays that belong to the state but are not learned.
    buffer_names: ClassVar[tuple[str, ...]] = ()

    def forward(self, *inputs: Any) -> Any:
        """Compute the output; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, ...); define what it computes")

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)

    # --- parts and parameters

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules stored directly in this one, with their names."""
        return ((name, part) for name, part in vars(self).items() if isinstance(part, Module))

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module, then all below it, with dotted names."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(_join(prefix, name))

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """All parameters with dotted names such as ``"0.weight"``, each once even if it is used in several places."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, tensor in vars(module).items():
                if isinstance(tensor, Tensor) and tensor.is_leaf and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield _join(prefix, name), tensor

    def parameters(self) -> list[Tensor]:
        """All parameters, in order."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_buffers(self) -> Iterator[tuple[str, np.ndarray]]:
        """Arrays that belong to the state but are not learned, such as running means."""
        for prefix, module in self.named_modules():
            for name in module.buffer_names:
                yield _join(prefix, name), getattr(module, name)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    # --- modes

    def train(self, mode: bool = True) -> Module:
        """Switch this module and its parts to training, and return it."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Switch this module and its parts to evaluation, and return it."""
        return self.train(False)

    # --- state

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers, by dotted name, under the names that PyTorch would give them."""
        parameters = {name: np.array(parameter.data) for name, parameter in self.named_parameters()}
        return parameters | {name: np.array(buffer) for name, buffer in self.named_buffers()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set all parameters and buffers; nothing changes unless all of them fit.

        Parameters
        ----------
        state : mapping of str to array_like
            As from :meth:`state_dict`.

        Raises
        ------
        KeyError
            If names are missing or unknown.
        ValueError
            If an array has the wrong shape or does not hold real numbers.
        """
        own = self.state_dict()
        missing, unknown = [n for n in own if n not in state], [n for n in state if n not in own]
        if missing or unknown:
            problems = [f"missing: {', '.join(missing)}"] * bool(missing)
            problems += [f"not in this model: {', '.join(unknown)}"] * bool(unknown)
            raise KeyError(f"the state does not fit this model ({'; '.join(problems)}); was it saved from another one?")
        arrays = {name: np.asarray(state[name]) for name in own}
        for name, array in arrays.items():
            if array.shape != own[name].shape:
                raise ValueError(f"{name} has shape {array.shape} in the state, but {own[name].shape} in this model")
            if array.dtype.kind not in "fiu":
                raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")
        for name, parameter in self.named_parameters():
            parameter.data = arrays[name]
        for prefix, module in self.named_modules():
            for name in module.buffer_names:
                dotted = _join(prefix, name)
                setattr(module, name, arrays[dotted].astype(own[dotted].dtype))

    def __repr__(self) -> str:
        parts = [f"({name}): {part!r}" for name, part in self.named_children()]
        if not parts:
            return f"{type(self).__name__}({self.describe()})"
        lines = "\n".join(parts).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {lines}\n)"

    def describe(self) -> str:
        """What stands between the parentheses of the printed module."""
        return ""


class Sequential(Module):
    """Modules, or plain functions such as ``np.tanh``, one after the other.

    Parameters
    ----------
    *steps : callable
        What to apply, first to last.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> rng = np.random.default_rng(0)
    >>> model = nn.Sequential(nn.Linear(4, 3, rng=rng), np.tanh, nn.Linear(3, 2, rng=rng))
    >>> model(np.ones((5, 4))).shape
    (5, 2)
    """

    def __init__(self, *steps: Callable[[Any], Any]) -> None:
        for i, step in enumerate(steps):
            if not callable(step):
                raise TypeError(f"step {i} of Sequential must be a module or a function, got {type(step).__name__}")
            setattr(self, str(i), step)
        self._length = len(steps)

    def forward(self, x: Any) -> Any:
        """Apply all steps."""
        for step in self:
            x = step(x)
        return x

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return (self[i] for i in range(self._length))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Any:
        if not -self._length <= index < self._length:
            raise IndexError(f"this Sequential has {self._length} steps, there is no step {index}")
        return getattr(self, str(index % self._length))

    def __repr__(self) -> str:
        names = [repr(step) if isinstance(step, Module) else getattr(step, "__name__", repr(step)) for step in self]
        lines = "\n".join(f"({i}): {name}" for i, name in enumerate(names)).replace("\n", "\n  ")
        return f"Sequential(\n  {lines}\n)" if names else "Sequential()"


def functional_call(module: Module, values: Mapping[str, Any], *inputs: Any) -> Any:
    """Call a module with other values in place of its parameters (``torch.func.functional_call``).

    The values may be arrays, duals or tensors, so that a module becomes an ordinary function of its parameters and
    every route to a gradient is open to it.

    Parameters
    ----------
    module : Module
        The model.
    values : mapping of str to array
        New values of parameters and buffers by dotted name. Parameters that are not named stay the tensors that they
        are; to take another route than reverse mode, name them all (``model.state_dict() | {...}``).
    *inputs : array
        What the module is called with.

    Returns
    -------
    array
        The output.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> line = nn.Linear(1, 1, rng=np.random.default_rng(0))
    >>> nn.functional_call(line, {"weight": np.array([[3.0]]), "bias": np.array([1.0])}, np.array([[2.0]]))
    array([[7.]])
    """
    with _swapped(module, values):
        return module(*inputs)


@contextmanager
def _swapped(module: Module, values: Mapping[str, Any]) -> Iterator[None]:
    owners = {
        _join(prefix, name): (part, name, tensor)
        for prefix, part in module.named_modules()
        for name, tensor in vars(part).items()
        if isinstance(tensor, Tensor) or name in part.buffer_names
    }
    unknown = [name for name in values if name not in owners]
    if unknown:
        raise KeyError(f"no parameter is called {', '.join(unknown)}; there are {', '.join(owners)}")
    for dotted, new in values.items():
        original = owners[dotted][2]
        if np.shape(new) != original.shape:
            raise ValueError(f"{dotted} has shape {original.shape}, but the value given for it has {np.shape(new)}")
    # A tensor that is stored in several places is one parameter, so every place gets the value given for any of them.
    new_values = {id(owners[dotted][2]): new for dotted, new in values.items()}
    lent = [owner for owner in owners.values() if id(owner[2]) in new_values]
    try:
        for part, name, tensor in lent:
            setattr(part, name, new_values[id(tensor)])
        yield
    finally:
        for part, name, tensor in lent:
            setattr(part, name, tensor)


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
