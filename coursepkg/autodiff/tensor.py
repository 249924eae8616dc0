"""Reverse mode: ``Tensor`` records each primitive it meets, and ``backward`` walks the record from the newest to the oldest.

The one idea: a result is always newer than what it was computed from. So the tape needs no sorting and no recursion:
take the newest value that holds a gradient, send it to its parents by the table's vjp rules, forget it, repeat
(Linnainmaa, 1970; Speelpenning, 1980). Names follow PyTorch.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from heapq import heappop, heappush
from sys import getrefcount
from typing import Any, ClassVar, NamedTuple

import numpy as np

from . import catalogue  # noqa: F401  (fills the table)
from .array_methods import PLAIN
from .dispatch import ORDER, LeavesGraphError, Traced, plain, tracing
from .primitives.indexing import Patch
from .table import PRIMITIVES, Primitive

__all__ = ["Tensor", "no_grad", "pull_back"]

_recording: ContextVar[bool] = ContextVar("recording", default=True)


class no_grad(ContextDecorator):
    """Stop recording: ``with no_grad(): w -= 0.1 * w.grad``. Also a decorator, as in PyTorch."""

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> no_grad:
        self._tokens.append(_recording.set(False))
        return self

    def __exit__(self, *exception: object) -> None:
        _recording.reset(self._tokens.pop())


class _Retained(tuple):
    """The record of an intermediate result whose gradient is wanted too."""


class _Freed:
    """In place of a record that the backward pass has used up."""


def _references_to_an_attribute() -> int:
    """What ``getrefcount(self.x)`` says of an object that only ``self.x`` holds (it differs between Pythons)."""
    holder = no_grad()
    holder._tokens = []
    return getrefcount(holder._tokens)


ALONE = _references_to_an_attribute()
FREED: Any = _Freed()


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

    __slots__ = ("_data", "_incoming", "_record", "grad", "order", "traces")
    rank: ClassVar[int] = 1

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if isinstance(data, Traced):
            raise LeavesGraphError(
                "Tensor(x) of a value that is traced already would cut its gradient; use x itself, or Tensor(x.numpy()) "
                "to start a new graph"
            )
        self._data = np.array(data, dtype=dtype)
        if self._data.dtype.kind not in "biufc":
            raise TypeError(f"a Tensor holds numbers, got {type(data).__name__} with entries of other types")
        self.traces = 0
        self._record: Any = None
        self._incoming: Any = None
        self.grad: Any = None
        self.order = next(ORDER)
        if requires_grad:
            self.requires_grad = True

    # --- recording

    @classmethod
    def apply(cls, entry: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a primitive and, if a gradient may be asked for, put it on the record."""
        traces = 0
        inputs = []
        for a in args:
            if type(a) is Tensor:
                traces |= a.traces
                inputs.append(a._data)
            else:
                inputs.append(a)
        out = entry.forward(*inputs, **kwargs) if kwargs else entry.forward(*inputs)
        data = out[0] if entry.saves else out
        if type(data) is not np.ndarray and isinstance(data, np.generic):
            data = np.asarray(data)
        result = _new(Tensor)
        result._data = data
        result._incoming = None
        result.grad = None
        result.order = next(ORDER)
        if traces and _recording.get():
            result.traces = traces
            result._record = (entry, args, inputs, kwargs, out)
        else:
            result.traces = 0
            result._record = None
        return result

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # The common case, in short: tensors and plain numbers only. Everything else is sorted out by the general code.
        if method == "__call__" and not kwargs:
            entry = PRIMITIVES.get(ufunc)
            if entry is not None:
                for a in inputs:
                    if type(a) is not Tensor and type(a) not in PLAIN:
                        break
                else:
                    return Tensor.apply(entry, inputs, kwargs)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    @classmethod
    def leaf(cls, data: Any, traces: int) -> Tensor:
        """Wrap a value, an array or a traced value of an outer differentiation, without copying."""
        tensor = _new(Tensor)
        tensor._data = data
        tensor._record = None
        tensor._incoming = None
        tensor.grad = None
        tensor.order = next(ORDER)
        tensor.traces = traces
        return tensor

    def _under(self) -> Any:
        return self._data

    # --- what PyTorch's tensors have

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient can flow to this tensor."""
        return self.traces != 0

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._record is not None:
            raise RuntimeError(
                "requires_grad can only be set on tensors that you made; this one is the result of a computation: "
                "use x.detach() to cut it off"
            )
        if value and self._data.dtype.kind not in "fc":
            raise TypeError(
                f"only floating point and complex tensors have gradients, got dtype {self._data.dtype}; write 1.0 in place of 1 "
                "or pass dtype=float"
            )
        self.traces = 1 << tracing.depth if value else 0

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by you, and not computed from others that need gradients."""
        return self._record is None

    @property
    def data(self) -> np.ndarray:
        """The values as a read-only array; assign a whole new array to change them."""
        return self.numpy()

    @data.setter
    def data(self, value: Any) -> None:
        self._replace(value)

    def detach(self) -> Tensor:
        """Return a tensor with the same values and no history."""
        return Tensor.leaf(self._data, 0)

    def retain_grad(self) -> None:
        """Ask for ``.grad`` on this intermediate result too."""
        if not self.traces:
            raise RuntimeError(
                "retain_grad needs a tensor that requires a gradient; this one does not depend on any leaf"
            )
        self._retain()

    def _retain(self) -> None:
        if type(self._record) is tuple:
            self._record = _Retained(self._record)

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
        if not self.traces:
            raise RuntimeError(
                "nothing that this tensor was computed from requires a gradient; make the parameters with "
                "Tensor(..., requires_grad=True) and compute outside no_grad()"
            )
        seed = self._seed(gradient)
        for tensor, g, fresh in pull_back([(self, seed)], create_graph=create_graph, retain_graph=retain_graph):
            if tensor.dtype.kind == "c":
                g, fresh = np.conj(g), True
            if not create_graph:
                g = np.asarray(g) if isinstance(g, np.generic) else g if fresh else np.copy(g)
            tensor.grad = g if tensor.grad is None else tensor.grad + g

    def _seed(self, gradient: Any) -> Any:
        """Check the gradient given to ``backward`` and bring it to this tensor's dtype."""
        if gradient is None:
            if self.size != 1:
                raise RuntimeError(
                    f"backward() without an argument needs a single number, but this tensor has shape {self.shape}; reduce it "
                    "first (np.sum, np.mean) or pass backward(gradient) of that shape"
                )
            if self.dtype.kind == "c":
                raise RuntimeError("backward() without an argument needs a real number; take np.real or np.abs first")
            return np.ones(self.shape, self.dtype)
        if np.shape(gradient) != self.shape:
            raise ValueError(f"gradient has shape {np.shape(gradient)}, but this tensor has shape {self.shape}")
        gradient = gradient if isinstance(gradient, Traced) else np.asarray(gradient, self.dtype)
        return np.conj(gradient) if self.dtype.kind == "c" else gradient

    # --- writing: a leaf gets a new array, so what the tape holds never changes

    def _replace(self, value: Any) -> None:
        if self._record is not None:
            raise LeavesGraphError(
                "this tensor is the result of a computation and cannot be changed; compute a new one"
            )
        array = np.array(plain(value), dtype=self._data.dtype)
        if array.shape != self.shape:
            raise ValueError(f"the new values have shape {array.shape}, the tensor has shape {self.shape}")
        self._data = array

    def _in_place(self, operator: Any, other: Any) -> Tensor:
        """``w -= step``: a new tensor while recording (the name is bound again), a new value for the leaf under no_grad."""
        if self._record is None and not _recording.get():
            # Write into the array if nobody else holds it: no record of a forward pass, and no view that was handed out.
            alone = type(self._data) is np.ndarray and getrefcount(self._data) == ALONE
            self._data = operator(self._data, plain(other), out=self._data if alone else np.empty_like(self._data))
            return self
        if self._record is None and self.traces:
            raise LeavesGraphError(
                "a leaf that requires a gradient cannot be changed in place while recording; write `with no_grad(): w -= ...` "
                "for an update, or `v = w - ...` for a new value"
            )
        return operator(self, other)

    def __iadd__(self, other: Any) -> Tensor:
        return self._in_place(np.add, other)

    def __isub__(self, other: Any) -> Tensor:
        return self._in_place(np.subtract, other)

    def __imul__(self, other: Any) -> Tensor:
        return self._in_place(np.multiply, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._in_place(np.true_divide, other)

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._record is not None or (self.traces and _recording.get()):
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


class Arrived(NamedTuple):
    """A gradient that reached a leaf; ``fresh`` says that no one else holds the same array."""

    tensor: Tensor
    gradient: Any
    fresh: bool


def pull_back(
    seeds: list[tuple[Tensor, Any]], *, wanted: int = -1, create_graph: bool = False, retain_graph: bool | None = None
) -> list[Arrived]:
    """Send gradients from outputs to leaves.

    Parameters
    ----------
    seeds : list of (Tensor, array)
        Outputs, and the gradient that arrives at each.
    wanted : int
        Only follow values that depend on one of these differentiations (bits of ``Tensor.traces``).
    create_graph, retain_graph : bool
        As for :meth:`Tensor.backward`.

    Returns
    -------
    list of Arrived
        One entry per leaf, and per tensor on which ``retain_grad`` was called.

    Raises
    ------
    RuntimeError
        If a part of the graph was freed by an earlier backward pass.
    """
    retain_graph = create_graph if retain_graph is None else retain_graph
    arrived: list[Arrived] = []
    newest: list[tuple[int, Tensor]] = []  # a heap of tensors with a gradient; the order is negated: smallest first
    owned: set[int] = set()  # tensors whose gradient is our own array, which we may add to in place
    try:
        for tensor, g in seeds:
            if tensor._incoming is None:
                heappush(newest, (-tensor.order, tensor))
                tensor._incoming = g
            else:
                tensor._incoming = tensor._incoming + g
        while newest:
            node = heappop(newest)[1]
            g, node._incoming = node._incoming, None
            record = node._record
            if type(record) is not tuple:
                if record is FREED:
                    raise RuntimeError(
                        "this graph was freed by an earlier backward pass; call backward(retain_graph=True) the first "
                        "time if you need to go through it twice"
                    )
                arrived.append(Arrived(node, g, node.order in owned))
                if record is None:
                    continue
            entry, args, inputs, kwargs, out = record
            if create_graph:
                inputs, out = _traced_inputs(node)
            elif not retain_graph:
                node._record = FREED
            for rule, parent in zip(entry.vjp, args):  # noqa: B905 (one rule may serve any number of arguments)
                if type(parent) is not Tensor or not parent.traces & wanted:
                    continue
                gi = rule(g, out, *inputs, **kwargs) if kwargs else rule(g, out, *inputs)
                data, before = parent._data, parent._incoming
                if gi.shape != data.shape or gi.dtype is not data.dtype:
                    if type(gi) is Patch:
                        if parent.order in owned:
                            gi.add_to(before)
                            continue
                        gi = gi.spread(data)
                    gi = fit(gi, data)
                if before is None:  # the first gradient by reference
                    parent._incoming = gi
                    heappush(newest, (-parent.order, parent))
                    # Users see a leaf's gradient, so it matters whether anybody else holds the same array.
                    if parent._record is None and type(gi) is np.ndarray and gi is not g and gi.base is None:
                        owned.add(parent.order)
                elif parent.order in owned:  # from the third on in place
                    before += gi
                else:  # the second makes a new array
                    parent._incoming = total = before + gi
                    if type(total) is np.ndarray:
                        owned.add(parent.order)
    finally:
        for _, tensor in newest:
            tensor._incoming = None
    return arrived


def _traced_inputs(node: Tensor) -> tuple[Any, Any]:
    """Return a node's inputs and output as tensors, so that the rules are recorded too."""
    entry, args, inputs, kwargs, _ = node._record
    for a, value in zip(args, inputs, strict=True):
        if type(a) is Tensor and a._data is not value:
            raise RuntimeError(
                f"an input of {entry.name} was changed in place after the forward pass, so its second derivative would be "
                "wrong; run the forward pass again"
            )
    return args, entry.forward(*args, **kwargs) if entry.saves else node


def fit(g: Any, like: Any) -> Any:
    """Bring a gradient to the shape and dtype of the value it belongs to.

    A broadcast copies forward, so it sums backward; a real value takes the real part; a float32 value takes float32.
    """
    # np.add.reduce is np.sum without the wrapper, which takes longer than the sum of a small array.
    if g.shape != like.shape:
        extra = g.ndim - like.ndim
        if extra > 0:
            g = np.add.reduce(g, axis=tuple(range(extra)))
        stretched = tuple(
            i for i, n in enumerate(like.shape[-g.ndim :] if g.ndim else ()) if n == 1 and g.shape[i] != 1
        )
        if stretched:
            g = np.add.reduce(g, axis=stretched, keepdims=True)
        if g.shape != like.shape:
            g = np.broadcast_to(g, like.shape)
    if g.dtype != like.dtype:
        if g.dtype.kind == "c" and like.dtype.kind != "c":
            g = np.real(g)
        g = g.astype(like.dtype)
    return g
