"""Reverse mode: ``Tensor`` is an array that remembers how it was computed.

A tensor is a value and a node of the tape (``tape.py``). This is how operations get onto the tape; what else a tensor
can do, after PyTorch's, is in ``tensor_methods.py``. Plain arrays that the tape keeps are copied first, so what the
backward pass reads is what the forward pass saw, whatever a model writes into its own arrays in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from . import catalogue  # noqa: F401  (fills the table)
from .array_methods import NO_KEYWORDS, PLAIN
from .dispatch import TracedArray, apply
from .errors import LeavesGraphError
from .gate import primitive_call
from .recording import enable_grad, no_grad, recording
from .table import PRIMITIVES, Primitive
from .tape import LENT, Node, leaf_node
from .tensor_methods import TensorMethods
from .traced import ORDER, Traced, newest

__all__ = ["Tensor", "enable_grad", "no_grad"]


def kept(value: Any) -> Any:
    """Return a constant as the tape keeps it: an array is copied, because its owner may write into it again.

    Freeze an array that never changes (``x.flags.writeable = False``) and keep no other way to write into it, or wrap
    it once as a ``Tensor``, and nothing is copied.
    """
    return value if type(value) is not ndarray or frozen(value) else value.copy()


def frozen(array: Any) -> bool:
    """Return whether nobody can write into an array: neither through it nor through what it is a view of."""
    while type(array) is ndarray and not array.flags.writeable:
        if array.base is None:
            return True
        array = array.base
    return False


def hold(leaf: Node, order: int, keeps: int, data: Any, value: Any) -> None:
    """Note at a leaf that a step keeps its array, or that the result of the step looks at the same memory."""
    if keeps:
        leaf.holders.add(order)
    if data is value or (type(data) is ndarray and data.base is not None):
        leaf.holders.add(LENT)


class Tensor(TensorMethods, TracedArray):
    """An array that remembers how it was computed.

    Parameters
    ----------
    data : array_like
        The values; they are copied, so that nobody can change them under the tape. What was taken from a tensor before
        an update (``w -= ...`` in ``no_grad``, ``w.data = ...``) keeps the old values, as the tape does.
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

    # --- onto the tape

    @classmethod
    def apply(cls, entry: Primitive, operands: Sequence[Any], options: dict[str, Any]) -> Any:
        """Run a primitive and, if a gradient may be asked for, put it on the tape."""
        parents: list[Node | None] = []
        values: list[Any] = []
        traces, nested = 0, False
        for x, rule in zip(operands, entry.vjp):  # noqa: B905 (one rule may serve any number of operands)
            p = None
            if type(x) is Tensor:
                x, p = x._value, x._node if rule else None
                traces |= 0 if p is None else p.traces
            if type(x) is not ndarray and isinstance(x, Traced):
                nested = True
            parents.append(p)
            values.append(x)
        if nested and newest(operands) is not Tensor:
            return apply(entry, operands, options)
        out = (entry.on_traced if nested else entry.forward)(*values, **options)
        data, saved = out if entry.saves else (out, out)
        if type(data) is not ndarray and isinstance(data, np.generic):
            data = np.asarray(data)
        result = Tensor.on(data, None)
        recorded, order = traces and recording.get(), next(ORDER)
        keeps = entry.keeps if not entry.variadic else [entry.keeps_operand(i) for i in range(len(values))]
        for i, p in enumerate(parents):
            if p is not None:
                if p.entry is None:
                    hold(p, order, keeps[i] and recorded, data, values[i])
                if not keeps[i]:
                    values[i] = p
            elif recorded and keeps[i] and type(operands[i]) is not Tensor:
                values[i] = kept(values[i])
        if recorded:
            result._node = node = Node()
            node.entry, node.parents, node.values = entry, parents, values
            node.options = {key: kept(value) for key, value in options.items()} if options else None
            node.out = saved if entry.reads_out else None
            node.traces, node.order, node.shape, node.dtype = traces, order, data.shape, data.dtype
            node.grad, node.watched = None, False
        return result

    def run(self, entry: Primitive, operands: Sequence[Any]) -> Any:
        """Run a primitive on operands of which this tensor is one, but perhaps not the newest."""
        short = SHORT.get(entry.function)
        return Tensor.apply(entry, operands, NO_KEYWORDS) if short is None else short(*operands)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not kwargs and method == "__call__":
            short = SHORT.get(ufunc)
            if short is not None and (len(inputs) == 1 or OURS.issuperset(map(type, inputs))):
                return short(*inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not kwargs and len(args) == 1 and type(args[0]) is Tensor:
            short = SHORT.get(function)
            if short is not None:
                return short(self)
        return super().__array_function__(function, types, args, kwargs)

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


_new = Tensor.__new__
OURS = PLAIN | {Tensor}

# --- Specialised for speed. Most operations have one or two operands. On arrays of a few entries ``Tensor.apply`` would
# take as long as the operation itself (benchmarks/engine.py, W5), so here it is spelled out for them.


def one_operand(entry: Primitive) -> Callable[[Tensor], Tensor]:
    """Make the way of a primitive of one operand onto the tape."""
    forward, keeps, reads_out = entry.forward, entry.keeps[0], entry.reads_out
    may_hold = keeps or not entry.elementwise  # may the step keep a leaf's array, or return a view of it?

    def step(a: Tensor) -> Tensor:
        x, p = a._value, a._node
        if type(x) is not ndarray:
            return Tensor.apply(entry, (a,), NO_KEYWORDS)
        data = forward(x)
        if type(data) is not ndarray:
            data = np.asarray(data)
        result = _new(Tensor)
        result._value, result._node = data, None
        if p is None:
            return result
        recorded, order = p.traces and recording.get(), next(ORDER)
        if may_hold and p.entry is None:
            hold(p, order, keeps and recorded, data, x)
        if recorded:
            result._node = node = Node()
            node.entry, node.options, node.out = entry, None, data if reads_out else None
            node.parents, node.values = (p,), (x if keeps else p,)
            node.traces, node.order, node.shape, node.dtype = p.traces, order, data.shape, data.dtype
            node.grad, node.watched = None, False
        return result

    return step


def two_operands(entry: Primitive) -> Callable[[Any, Any], Any]:
    """Make the way of a primitive of two operands onto the tape; other kinds of operands go to the gate."""
    forward, (keeps_x, keeps_y), reads_out = entry.forward, entry.keeps, entry.reads_out
    may_hold_x, may_hold_y = keeps_x or not entry.elementwise, keeps_y or not entry.elementwise

    def step(a: Any, b: Any) -> Any:
        x, p = (a._value, a._node) if type(a) is Tensor else (a, None)
        y, q = (b._value, b._node) if type(b) is Tensor else (b, None)
        if x is a or y is b or type(x) is not ndarray or type(y) is not ndarray:  # not two tensors of arrays
            if type(x) not in PLAIN or type(y) not in PLAIN:
                nested = type(a) in OURS and type(b) in OURS  # values of an outer differentiation
                return Tensor.apply(entry, (a, b), NO_KEYWORDS) if nested else entry.function(a, b)
            if (type(a) is ndarray and a.dtype.hasobject) or (type(b) is ndarray and b.dtype.hasobject):
                primitive_call(entry, (a, b), {})  # which says what is wrong
        data = forward(x, y)
        data = data if type(data) is ndarray else np.asarray(data)
        result = _new(Tensor)
        result._value, result._node = data, None
        traces = (0 if p is None else p.traces) | (0 if q is None else q.traces)
        recorded, order = traces and recording.get(), next(ORDER)
        if may_hold_x and p is not None and p.entry is None:
            hold(p, order, keeps_x and recorded, data, x)
        if may_hold_y and q is not None and q.entry is None:
            hold(q, order, keeps_y and recorded, data, y)
        if recorded:
            result._node = node = Node()
            node.entry, node.options, node.out = entry, None, data if reads_out else None
            node.parents = p, q
            node.values = (
                (kept(x) if x is a else x) if keeps_x else x if p is None else p,
                (kept(y) if y is b else y) if keeps_y else y if q is None else q,
            )
            node.traces, node.order, node.shape, node.dtype = traces, order, data.shape, data.dtype
            node.grad, node.watched = None, False
        return result

    return step


SHORT: dict[Any, Callable[..., Any]] = {
    function: (one_operand if len(entry.operands) == 1 else two_operands)(entry)
    for function, entry in PRIMITIVES.items()
    if not entry.variadic and not entry.saves and all(entry.vjp) and len(entry.operands) <= 2
}
for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power, "matmul": np.matmul,
}.items():  # fmt: skip
    setattr(Tensor, f"__{_name}__", SHORT[_ufunc])
    setattr(Tensor, f"__r{_name}__", lambda b, a, step=SHORT[_ufunc]: step(a, b))
