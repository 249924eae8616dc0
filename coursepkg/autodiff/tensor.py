"""Reverse mode: ``Tensor`` is an array that remembers how it was computed. Names follow PyTorch.

A tensor is a value and a node of the tape (``tape.py``). Values are never written into: an update gives a leaf a new
array. Plain arrays that the tape keeps are copied first. So what the backward pass reads is what the forward pass saw,
whatever a model writes into its own arrays in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from . import catalogue  # noqa: F401  (fills the table)
from .array_methods import NO_KEYWORDS, PLAIN, refused_in_place
from .dispatch import TracedArray, apply
from .errors import LeavesGraphError
from .recording import enable_grad, no_grad, recording
from .table import PRIMITIVES, Primitive
from .tape import Node, leaf_node, pull_back
from .traced import ORDER, Traced, nesting, newest, plain

__all__ = ["Tensor", "enable_grad", "no_grad"]

ACCUMULATING = Lock()
"""Held while a gradient is added to what a leaf has already: threads may share a leaf."""


def kept(value: Any) -> Any:
    """Return a constant as the tape keeps it: an array is copied, because its owner may write into it again.

    Freeze an array that never changes (``x.flags.writeable = False``), or wrap it once as a ``Tensor``, and nothing is
    copied.
    """
    if type(value) is ndarray and (value.flags.writeable or value.base is not None):
        return value.copy()
    return value


def record(
    entry: Primitive,
    out: Any,
    parents: Sequence[Node | None],
    values: Sequence[Any],
    options: dict[str, Any] | None,
    traces: int,
) -> Tensor:
    """Wrap what a primitive returned, and put the step on the tape."""
    data, saved = out if entry.saves else (out, out)
    if type(data) is not ndarray and isinstance(data, np.generic):
        data = np.asarray(data)
    result, node = _new(Tensor), Node()
    result._value, result._node = data, node
    node.entry, node.parents, node.values, node.options = entry, parents, values, options
    node.out = saved if entry.reads_out else None
    node.traces, node.order, node.shape, node.dtype = traces, next(ORDER), data.shape, data.dtype
    node.grad, node.watched = None, False
    return result


def unrecorded(entry: Primitive, out: Any) -> Tensor:
    """Wrap what a primitive returned where no gradient will be asked for."""
    data = out[0] if entry.saves else out
    return Tensor.on(np.asarray(data) if isinstance(data, np.generic) else data, None)


# --- Specialised for speed. Most operations have one or two operands. On arrays of a few entries the general way, which is
# ``Tensor.apply``, would take longer than the operation itself (benchmarks/engine.py, W5).


def one_operand(entry: Primitive) -> Callable[[Tensor], Tensor]:
    """Make the way of a primitive of one operand onto the tape."""
    forward, keeps = entry.forward, entry.keeps[0]

    def step(a: Tensor) -> Tensor:
        x, p = a._value, a._node
        if type(x) is not ndarray:
            return Tensor.apply(entry, (a,), NO_KEYWORDS)
        out = forward(x)
        if p is None or not recording.get():
            return unrecorded(entry, out)
        return record(entry, out, (p,), (x if keeps else p,), None, p.traces)

    return step


def two_operands(entry: Primitive) -> Callable[[Any, Any], Tensor]:
    """Make the way of a primitive of two operands onto the tape: tensors, or constants of a kind in ``PLAIN``."""
    forward, (keeps_x, keeps_y) = entry.forward, entry.keeps

    def step(a: Any, b: Any) -> Tensor:
        x, p = (a._value, a._node) if type(a) is Tensor else (a, None)
        y, q = (b._value, b._node) if type(b) is Tensor else (b, None)
        if isinstance(x, Traced) or isinstance(y, Traced):
            return Tensor.apply(entry, (a, b), NO_KEYWORDS)
        out = forward(x, y)
        traces = (0 if p is None else p.traces) | (0 if q is None else q.traces)
        if not traces or not recording.get():
            return unrecorded(entry, out)
        x = (x if p is not None or type(x) is not ndarray else kept(x)) if keeps_x else x if p is None else p
        y = (y if q is not None or type(y) is not ndarray else kept(y)) if keeps_y else y if q is None else q
        return record(entry, out, (p, q), (x, y), None, traces)

    return step


def operators(ufunc: np.ufunc) -> tuple[Callable[[Tensor, Any], Any], Callable[[Tensor, Any], Any]]:
    """Make ``a + b`` and, for an ``a`` that does not know tensors, the method of ``b`` that Python asks then."""
    step = SHORT[ufunc]

    def method(a: Tensor, b: Any) -> Any:
        return step(a, b) if type(b) is Tensor or type(b) in PLAIN else ufunc(a, b)

    def reflected(b: Tensor, a: Any) -> Any:
        return step(a, b) if type(a) in PLAIN else ufunc(a, b)

    return method, reflected


def shortcuts() -> dict[Any, Callable[..., Tensor]]:
    """Make the ways of all primitives in the table that have one or two operands, each with a derivative."""
    made: dict[Any, Callable[..., Tensor]] = {}
    for function, entry in PRIMITIVES.items():
        if not entry.variadic and all(entry.vjp) and len(entry.operands) <= 2:
            made[function] = (one_operand if len(entry.operands) == 1 else two_operands)(entry)
    return made


SHORT = shortcuts()

# --- the end of what is specialised


def in_place(ufunc: np.ufunc, sign: str) -> Callable[[Tensor, Any], Tensor]:
    """Make ``w -= step``: new values for a constant, or for a leaf in ``no_grad``."""

    def method(self: Tensor, other: Any) -> Tensor:
        if self.is_leaf and (not recording.get() or not (self.traces or isinstance(other, Traced))):
            self._value = ufunc(self._value, plain(other), np.empty_like(self._value))
            return self
        if self.is_leaf and self.traces == 1:
            raise LeavesGraphError(
                f"a leaf that requires a gradient cannot be changed in place while recording; write `with no_grad(): w "
                f"{sign}= ...` for an update, or `v = w {sign} ...` for a new value"
            )
        return refused_in_place(self, ufunc, sign, other)

    return method


class Tensor(TracedArray):
    """An array that remembers how it was computed.

    Parameters
    ----------
    data : array_like
        The values; they are copied, so that nobody can change them under the tape. Updates (``w -= ...`` in ``no_grad``,
        ``w.data = ...``) give the tensor a new array; views taken before keep the old values.
    requires_grad : bool
        Whether ``backward`` should leave a gradient in ``.grad``. Needs floating point or complex data.
    dtype : dtype, optional
        As for ``numpy.array``; otherwise the data's own dtype is kept.

    Attributes
    ----------
    grad : numpy.ndarray or Tensor or None
        The gradient, accumulated over calls of ``backward``: same shape and dtype as the tensor. An array, or a Tensor
        after ``backward(create_graph=True)``. For complex tensors it is PyTorch's: dL/d(real) + i dL/d(imag).

    Examples
    --------
    >>> import numpy as np
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> np.sum(np.tanh(w) ** 2).backward()
    >>> w.grad.round(4)
    array([0.6397, 0.1362])
    """

    __slots__ = ("_node", "_value")
    rank: ClassVar[int] = 1

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if isinstance(data, Traced):
            raise LeavesGraphError(
                "Tensor(x) of a value that is traced already would cut its gradient; use x itself, or "
                "Tensor(x.numpy()) to start a new graph"
            )
        self._value = np.array(data, dtype=dtype)
        if self._value.dtype.kind not in "biufc":
            raise TypeError(f"a Tensor holds numbers, got {type(data).__name__} with entries of other types")
        self._node: Node | None = None
        if requires_grad:
            self.requires_grad = True

    # --- recording

    @classmethod
    def apply(cls, entry: Primitive, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a primitive and, if a gradient may be asked for, put it on the tape."""
        parents: list[Node | None] = []
        values: list[Any] = []
        traces, nested = 0, False
        for x, rule in zip(operands, entry.vjp):  # noqa: B905 (one rule may serve any number of operands)
            p = None
            if type(x) is Tensor:
                x, p = x._value, x._node if rule else None
                traces |= 0 if p is None else p.traces
            nested = nested or (type(x) is not ndarray and isinstance(x, Traced))
            parents.append(p)
            values.append(x)
        if nested and newest(operands) is not Tensor:
            return apply(entry, operands, options)
        out = (entry.on_traced if nested else entry.forward)(*values, **options)
        if not traces or not recording.get():
            return unrecorded(entry, out)
        for i, p in enumerate(parents):
            if not entry.keeps_operand(i):
                values[i] = values[i] if p is None else p
            elif p is None and type(operands[i]) is not Tensor:
                values[i] = kept(values[i])
        options = {key: kept(value) for key, value in options.items()}
        return record(entry, out, parents, values, options or None, traces)

    def run(self, entry: Primitive, operands: tuple[Any, ...]) -> Any:
        """Run a primitive on operands of which this tensor is one, but perhaps not the newest."""
        short = SHORT.get(entry.function)
        if short is not None and all(type(a) is Tensor or type(a) in PLAIN for a in operands):
            return short(*operands)
        return Tensor.apply(entry, operands, NO_KEYWORDS)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not kwargs and method == "__call__":
            short = SHORT.get(ufunc)
            if short is not None and all(type(a) is Tensor or type(a) in PLAIN for a in inputs):
                return short(*inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not kwargs and len(args) == 1 and type(args[0]) is Tensor:
            short = SHORT.get(function)
            if short is not None:
                return short(self)
        return super().__array_function__(function, types, args, kwargs)

    __add__, __radd__ = operators(np.add)
    __sub__, __rsub__ = operators(np.subtract)
    __mul__, __rmul__ = operators(np.multiply)
    __truediv__, __rtruediv__ = operators(np.divide)
    __pow__, __rpow__ = operators(np.power)
    __matmul__, __rmatmul__ = operators(np.matmul)

    @classmethod
    def on(cls, value: Any, node: Node | None) -> Tensor:
        """Join a value (an array or a traced value of an outer differentiation) and a node; nothing is copied."""
        tensor = _new(Tensor)
        tensor._value, tensor._node = value, node
        return tensor

    @classmethod
    def leaf(cls, value: Any, traces: int) -> Tensor:
        """Make a leaf that belongs to the given differentiations, without copying its value."""
        return Tensor.on(value, leaf_node(value, traces))

    @property
    def traces(self) -> int:
        """The differentiations this value depends on, as bits."""
        return 0 if self._node is None else self._node.traces

    def _under(self) -> Any:
        return self._value

    # --- what PyTorch's tensors have

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient can flow to this tensor."""
        return self.traces != 0

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            raise RuntimeError(
                "requires_grad can only be set on tensors that you made; this one is the result of a computation: "
                "use x.detach() to cut it off"
            )
        if value and self._value.dtype.kind not in "fc":
            raise TypeError(
                f"only floating point and complex tensors have gradients, got dtype {self._value.dtype}; write "
                "1.0 in place of 1 or pass dtype=float"
            )
        self._node = leaf_node(self._value, 1 << nesting.depth) if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by you, and not computed from others that need gradients."""
        return self._node is None or self._node.entry is None

    @property
    def data(self) -> np.ndarray:
        """The values as a read-only array; assign a whole new array to change them."""
        return self.numpy()

    @data.setter
    def data(self, value: Any) -> None:
        self._replace(value)

    @property
    def grad(self) -> Any:
        """The gradient that ``backward`` left here, or None."""
        node = self._node
        return None if node is None else node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._node
        if node is not None:
            node.grad = value
        elif value is not None:
            raise RuntimeError(
                "a tensor that does not require a gradient cannot hold one; set requires_grad=True first"
            )

    def detach(self) -> Tensor:
        """Return a tensor with the same values and no history."""
        return Tensor.on(self._value, None)

    def retain_grad(self) -> None:
        """Ask for ``.grad`` on this intermediate result too."""
        if not self.traces:
            raise RuntimeError(
                "retain_grad needs a tensor that requires a gradient; this one does not depend on any leaf"
            )
        assert self._node is not None
        self._node.watched = True

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Leave the gradient of this tensor in ``.grad`` of every leaf it was computed from.

        Parameters
        ----------
        gradient : array_like, optional
            The gradient that arrives at this tensor, of its shape. May be left out for a single number.
        retain_graph : bool, optional
            Keep the graph for another backward pass. Default: as ``create_graph``.
        create_graph : bool
            Record the backward pass too, so that gradients can be differentiated again.

        Raises
        ------
        RuntimeError
            If nothing here requires a gradient, if the graph was freed, or if ``gradient`` is missing.
        ValueError
            If ``gradient`` has the wrong shape.
        """
        if self._node is None:
            raise RuntimeError(
                "nothing that this tensor was computed from requires a gradient; make the parameters with "
                "Tensor(..., requires_grad=True) and compute outside no_grad()"
            )
        on_tape = Tensor.on if create_graph else None
        keep = create_graph if retain_graph is None else retain_graph
        seeds = [(self._node, self._seed(gradient))]
        for node, g in pull_back(seeds, retain_graph=keep, on_tape=on_tape):
            with ACCUMULATING:
                total = g if node.grad is None else node.grad + g
                node.grad = np.asarray(total) if isinstance(total, np.generic) else total

    def _seed(self, gradient: Any) -> Any:
        """Check the gradient given to ``backward`` and bring it to this tensor's dtype."""
        data = self._value
        if gradient is None:
            if data.size != 1:
                raise RuntimeError(
                    f"backward() without an argument needs a single number, but this tensor has shape "
                    f"{data.shape}; reduce it first (np.sum, np.mean) or pass backward(gradient) of that shape"
                )
            if data.dtype.kind == "c":
                raise RuntimeError("backward() without an argument needs a real number; take np.real or np.abs first")
            return np.array(1.0, data.dtype, ndmin=data.ndim)
        if np.shape(gradient) != self.shape:
            raise ValueError(f"gradient has shape {np.shape(gradient)}, but this tensor has shape {self.shape}")
        gradient = gradient if isinstance(gradient, Traced) else np.asarray(gradient, self.dtype)
        return np.conj(gradient) if self.dtype.kind == "c" else gradient

    # --- writing: a leaf gets a new array, so what the tape holds never changes

    def _replace(self, value: Any) -> None:
        if not self.is_leaf:
            raise LeavesGraphError(
                "this tensor is the result of a computation and cannot be changed; compute a new one"
            )
        array = np.array(plain(value), dtype=self._value.dtype)
        if array.shape != self.shape:
            raise ValueError(f"the new values have shape {array.shape}, the tensor has shape {self.shape}")
        self._value = array

    __iadd__ = in_place(np.add, "+")
    __isub__ = in_place(np.subtract, "-")
    __imul__ = in_place(np.multiply, "*")
    __itruediv__ = in_place(np.true_divide, "/")

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.is_leaf or (self.traces and recording.get()):
            super().__setitem__(index, value)
        array = self._value.copy()
        array[index] = plain(value)
        self._value = array

    # --- copies

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self.is_leaf:
            return super().__reduce_ex__(protocol)
        return restored, (type(self), self._value, bool(self.traces), plain(self.grad))

    def __float__(self) -> float:
        return super().__float__() if self.traces else float(self._value)

    def __int__(self) -> int:
        return super().__int__() if self.traces else int(self._value)

    def __complex__(self) -> complex:
        return super().__complex__() if self.traces else complex(self._value)

    def __index__(self) -> int:
        return super().__index__() if self.traces else self._value.__index__()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return super().__array__(dtype, copy) if self.traces else np.array(self._value, dtype=dtype)

    def __repr__(self) -> str:
        text = (
            np.array2string(self._value, prefix="Tensor(", separator=", ")
            if isinstance(self._value, np.ndarray)
            else self._value
        )
        return f"Tensor({text}{', requires_grad=True' if self.traces else ''})"


_new = Tensor.__new__


def restored(kind: type[Tensor], value: np.ndarray, requires_grad: bool, grad: np.ndarray | None) -> Tensor:
    """Make a copy of a leaf, which shares nothing with it."""
    tensor = _new(kind)
    Tensor.__init__(tensor, value, requires_grad)
    if grad is not None:
        tensor.grad = np.array(grad)
    return tensor
