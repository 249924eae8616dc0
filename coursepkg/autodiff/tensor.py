"""Reverse mode: ``Tensor`` is an array that remembers how it was computed. Names follow PyTorch.

A tensor is a value and a node of the record (``tape.py``). Values are never written into: an update gives a leaf a new
array, or reuses the old one if nobody else holds it, so what the record keeps for the backward pass cannot change.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from .array_methods import NO_KEYWORDS, PLAIN
from .dispatch import ORDER, LeavesGraphError, Traced, apply, nesting, newest, plain
from .primitives.indexing import getitem, is_basic
from .recording import enable_grad, no_grad, recording
from .references import ATTRIBUTE, IN_A_PAIR
from .table import PRIMITIVES, Primitive
from .tape import ALONE, Node, pull_back

__all__ = ["Tensor", "enable_grad", "no_grad"]

# Most operations have one to three arguments; for small arrays, a loop over them, a detour through NumPy's dispatch or
# one more call would take longer than the operation itself, so these cases are spelled out. In each of them, where no
# rule reads a value, its node stands in for it, so that the record does not keep the array.


def _record(node: Node, entry: Primitive, out: Any, traces: int) -> Tensor:
    """Wrap what a primitive returned and put it on the record, as the node that already holds the arguments."""
    data = out[0] if entry.saves else out
    if type(data) is not ndarray and isinstance(data, np.generic):
        data = np.asarray(data)
    result = _new(Tensor)
    result._data, result._node = data, node
    node.entry, node.traces, node.order = entry, traces, next(ORDER)
    node.out = out if entry.reads_out else None
    node.shape, node.dtype = data.shape, data.dtype
    node.incoming = node.grad = None
    node.watched = False
    return result


def _unrecorded(entry: Primitive, out: Any) -> Tensor:
    """Wrap what a primitive returned where no gradient will be asked for."""
    data = out[0] if entry.saves else out
    return Tensor.on(np.asarray(data) if isinstance(data, np.generic) else data, None)


def _operators(entry: Primitive) -> tuple[Callable[[Tensor, Any], Any], Callable[[Tensor, Any], Any]]:
    """Make ``a + b`` and, for an ``a`` that does not know tensors, the method of ``b`` that Python asks then."""
    function, forward, reads_out = entry.function, entry.forward, entry.reads_out
    reads_x, reads_y = (i not in entry.unread for i in range(2))

    def method(a: Tensor, b: Any) -> Any:
        y: Any
        x, p = a._data, a._node
        if type(b) is Tensor:
            y, q = b._data, b._node
        elif type(b) in PLAIN:
            y, q = b, None
        else:
            return function(a, b)
        data = out = forward(x, y)
        if p is None:
            traces = 0 if q is None else q.traces
        else:
            traces = p.traces if q is None else p.traces | q.traces
        if not traces or not recording.get():
            return _unrecorded(entry, out)
        if type(data) is not ndarray and isinstance(data, np.generic):
            data = np.asarray(data)
        node, result = Node(), _new(Tensor)
        result._data, result._node = data, node
        node.p, node.x = p, x if reads_x or p is None else p
        node.q, node.y = q, y if reads_y or q is None else q
        node.entry, node.traces, node.order = entry, traces, next(ORDER)
        node.out = out if reads_out else None
        node.shape, node.dtype = data.shape, data.dtype
        node.call = node.incoming = node.grad = None
        node.watched = False
        return result

    def reflected(b: Tensor, a: Any) -> Any:
        if type(a) not in PLAIN:
            return function(a, b)
        y, q = b._data, b._node
        out = forward(a, y)
        if q is None or not recording.get():
            return _unrecorded(entry, out)
        node = Node()
        node.p, node.x, node.q, node.y, node.call = None, a, q, y if reads_y else q, None
        return _record(node, entry, out, q.traces)

    return method, reflected


def _in_place(ufunc: np.ufunc) -> Callable[[Tensor, Any], Tensor]:
    """Make ``w -= step``: a new tensor while recording (the name is bound again), new values of the leaf in no_grad."""

    def method(self: Tensor, other: Any) -> Tensor:
        data, node = self._data, self._node
        leaf = node is None or node.entry is None
        if leaf and not recording.get():
            # Write into the array if nobody else holds it: no record, and no view that was handed out.
            if getrefcount(data) == ATTRIBUTE and type(data) is ndarray and not isinstance(other, Traced):
                ufunc(data, other, data)
            else:
                self._data = ufunc(data, plain(other), np.empty_like(data))
            return self
        if leaf and node is not None:
            raise LeavesGraphError(
                "a leaf that requires a gradient cannot be changed in place while recording; write `with "
                "no_grad(): w -= ...` for an update, or `v = w - ...` for a new value"
            )
        return ufunc(self, other)

    return method


class Tensor(Traced):
    """An array that remembers how it was computed.

    Parameters
    ----------
    data : array_like
        The values; they are copied, so that nobody can change them under the tape.
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

    __slots__ = ("_data", "_node")
    rank: ClassVar[int] = 1

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if isinstance(data, Traced):
            raise LeavesGraphError(
                "Tensor(x) of a value that is traced already would cut its gradient; use x itself, or "
                "Tensor(x.numpy()) to start a new graph"
            )
        self._data = np.array(data, dtype=dtype)
        if self._data.dtype.kind not in "biufc":
            raise TypeError(f"a Tensor holds numbers, got {type(data).__name__} with entries of other types")
        self._node: Node | None = None
        if requires_grad:
            self.requires_grad = True

    # --- recording

    @classmethod
    def apply(cls, entry: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a primitive and, if a gradient may be asked for, put it on the record."""
        inputs: list[Any] = []  # for each argument its node and its value
        traces, nested = 0, False
        x: Any
        for x in args:
            p = None
            if type(x) is Tensor:
                x, p = x._data, x._node
                if p is not None:
                    traces |= p.traces
            if type(x) is not ndarray and isinstance(x, Traced):
                nested = True
            inputs += p, x
        if nested and newest(args) is not Tensor:
            return apply(entry, args, kwargs)
        parents, values = inputs[::2], inputs[1::2]
        out = (entry.forward if nested else entry.on_arrays)(*values, **kwargs)
        if not traces or not recording.get():
            return _unrecorded(entry, out)
        for i in entry.unread:
            if i < len(args) and parents[i] is not None:
                values[i] = parents[i]
        node = Node()
        if kwargs or len(args) != 2:
            node.call = parents, values, kwargs
        else:
            (node.p, node.q), (node.x, node.y), node.call = parents, values, None
        return _record(node, entry, out, traces)

    def run(self, entry: Primitive, args: tuple[Any, ...]) -> Any:
        """Run a primitive on arguments of which this tensor is one, but perhaps not the newest."""
        arguments, unread = len(args), entry.unread
        out: Any
        if arguments == 1:
            x, p = self._data, self._node
            out = (entry.on_arrays if type(x) is ndarray else entry.forward)(x)
            if p is None or not recording.get():
                return _unrecorded(entry, out)
            traces, node = p.traces, Node()
            node.p, node.x, node.call = p, p if unread else x, ALONE
        elif arguments == 2:
            a, b = args
            x, p = (a._data, a._node) if type(a) is Tensor else (a, None)
            y, q = (b._data, b._node) if type(b) is Tensor else (b, None)
            traces = (0 if p is None else p.traces) | (0 if q is None else q.traces)
            nested = type(x) is not ndarray or (type(y) is not ndarray and isinstance(y, Traced))
            if nested or not traces or not recording.get():
                return Tensor.apply(entry, args, NO_KEYWORDS)
            out, node = entry.on_arrays(x, y), Node()
            node.p, node.x = p, x if p is None or 0 not in unread else p
            node.q, node.y = q, y if q is None or 1 not in unread else q
            node.call = None
        elif arguments == 3:  # a dense layer, most often
            a, b, c = args
            x, p = (a._data, a._node) if type(a) is Tensor else (a, None)
            y, q = (b._data, b._node) if type(b) is Tensor else (b, None)
            z, r = (c._data, c._node) if type(c) is Tensor else (c, None)
            traces = (0 if p is None else p.traces) | (0 if q is None else q.traces) | (0 if r is None else r.traces)
            if type(x) is not ndarray or type(y) is not ndarray or type(z) is not ndarray or not traces:
                return Tensor.apply(entry, args, NO_KEYWORDS)
            if not recording.get():
                return Tensor.apply(entry, args, NO_KEYWORDS)
            out, node = entry.on_arrays(x, y, z), Node()
            node.p, node.x = p, x if p is None or 0 not in unread else p
            node.q, node.y = q, y if q is None or 1 not in unread else q
            node.call = r, z if r is None or 2 not in unread else r
        else:
            return Tensor.apply(entry, args, NO_KEYWORDS)
        data = out[0] if entry.saves else out
        if type(data) is not ndarray and isinstance(data, np.generic):
            data = np.asarray(data)
        result = _new(Tensor)
        result._data, result._node = data, node
        node.entry, node.traces, node.order = entry, traces, next(ORDER)
        node.out = out if entry.reads_out else None
        node.shape, node.dtype = data.shape, data.dtype
        node.incoming = node.grad = None
        node.watched = False
        return result

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs:
            entry = PRIMITIVES.get(ufunc)
            if entry is not None:
                return self.run(entry, inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        entry = PRIMITIVES.get(function)
        if entry is not None and not kwargs and type(args[0]) is Tensor:
            return self.run(entry, args)
        return super().__array_function__(function, types, args, kwargs)

    __add__, __radd__ = _operators(PRIMITIVES[np.add])
    __sub__, __rsub__ = _operators(PRIMITIVES[np.subtract])
    __mul__, __rmul__ = _operators(PRIMITIVES[np.multiply])
    __truediv__, __rtruediv__ = _operators(PRIMITIVES[np.divide])
    __pow__, __rpow__ = _operators(PRIMITIVES[np.power])
    __matmul__, __rmatmul__ = _operators(PRIMITIVES[np.matmul])

    def __getitem__(self, index: Any) -> Any:
        data, p = self._data, self._node
        if p is None or type(data) is not ndarray or not is_basic(index) or not recording.get():
            return Tensor.apply(GETITEM, (self, index), NO_KEYWORDS)
        node = Node()
        node.p = node.x = p  # no rule reads the value, so its node stands in for it
        node.q, node.y, node.call = None, index, None
        return _record(node, GETITEM, data[index], p.traces)

    @classmethod
    def on(cls, data: Any, node: Node | None) -> Tensor:
        """Join a value (an array or a traced value of an outer differentiation) and a node; nothing is copied."""
        tensor = _new(Tensor)
        tensor._data, tensor._node = data, node
        return tensor

    @classmethod
    def leaf(cls, data: Any, traces: int) -> Tensor:
        """Make a leaf that belongs to the given differentiations, without copying its value."""
        return Tensor.on(data, leaf_node(data, traces))

    @property
    def traces(self) -> int:
        """The differentiations this value depends on, as bits."""
        return 0 if self._node is None else self._node.traces

    def _under(self) -> Any:
        return self._data

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
        if value and self._data.dtype.kind not in "fc":
            raise TypeError(
                f"only floating point and complex tensors have gradients, got dtype {self._data.dtype}; write "
                "1.0 in place of 1 or pass dtype=float"
            )
        self._node = leaf_node(self._data, 1 << nesting.depth) if value else None

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
        return Tensor.on(self._data, None)

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
        seeds = [(self._node, self._seed(gradient))]
        for node, g in pull_back(seeds, create_graph=create_graph, retain_graph=retain_graph):
            if node.dtype.kind == "c":
                g = np.conj(g)
            # Users see a leaf's gradient, so it must be an array that nobody else holds.
            if not create_graph and (type(g) is not ndarray or getrefcount(g) > IN_A_PAIR or g.base is not None):
                g = np.array(g)
            if node.grad is not None:
                g = node.grad + g
                g = np.asarray(g) if isinstance(g, np.generic) else g
            node.grad = g

    def _seed(self, gradient: Any) -> Any:
        """Check the gradient given to ``backward`` and bring it to this tensor's dtype."""
        data = self._data
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
        array = np.array(plain(value), dtype=self._data.dtype)
        if array.shape != self.shape:
            raise ValueError(f"the new values have shape {array.shape}, the tensor has shape {self.shape}")
        self._data = array

    __iadd__ = _in_place(np.add)
    __isub__ = _in_place(np.subtract)
    __imul__ = _in_place(np.multiply)
    __itruediv__ = _in_place(np.true_divide)

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.is_leaf or (self.traces and recording.get()):
            super().__setitem__(index, value)
        array = self._data.copy()
        array[index] = plain(value)
        self._data = array

    def __float__(self) -> float:
        return super().__float__() if self.traces else float(self._data)

    def __int__(self) -> int:
        return super().__int__() if self.traces else int(self._data)

    def __complex__(self) -> complex:
        return super().__complex__() if self.traces else complex(self._data)

    def __index__(self) -> int:
        return super().__index__() if self.traces else self._data.__index__()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return super().__array__(dtype, copy) if self.traces else np.array(self._data, dtype=dtype)

    def __repr__(self) -> str:
        text = (
            np.array2string(self._data, prefix="Tensor(", separator=", ")
            if isinstance(self._data, np.ndarray)
            else self._data
        )
        return f"Tensor({text}{', requires_grad=True' if self.traces else ''})"


_new = Tensor.__new__
GETITEM = PRIMITIVES[getitem]


def leaf_node(value: Any, traces: int) -> Node:
    """Make the node of a leaf."""
    node = Node()
    node.entry = node.grad = node.incoming = None
    node.shape, node.dtype, node.traces, node.order, node.watched = value.shape, value.dtype, traces, next(ORDER), False
    return node
