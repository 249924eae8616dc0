"""What a tensor can do besides being computed with, after PyTorch's: gradients, updates, copies.

Values on a tape are never written into. An update changes a leaf's array in place only if no step of a tape keeps it
and it was never handed out; otherwise the leaf gets a new array, and whoever holds the old one keeps the old values.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from .array_methods import refused_in_place
from .errors import LeavesGraphError
from .recording import recording
from .tape import LENT, Node, leaf_node, pull_back
from .traced import Traced, nesting, plain

__all__ = ["TensorMethods"]

ACCUMULATING = Lock()
"""Held while a gradient is added to what a leaf has already: threads may share a leaf."""


def in_place(ufunc: np.ufunc, sign: str) -> Callable[[Any, Any], Any]:
    """Make ``w -= step``: new values for a constant, or for a leaf in ``no_grad``."""

    def method(self: Any, other: Any) -> Any:
        node, array = self._node, self._value
        is_leaf = node is None or node.entry is None
        if is_leaf and (not recording.get() or not (self.traces or isinstance(other, Traced))):
            step = other if type(other) is ndarray else plain(other)
            if node is not None and not node.holders and type(array) is ndarray and array.flags.writeable:
                ufunc(array, step, array)
            else:
                self._replace(ufunc(array, step, np.empty_like(array)))
            return self
        if is_leaf and self.traces == 1:
            raise LeavesGraphError(
                f"a leaf that requires a gradient cannot be changed in place while recording; write `with no_grad(): w "
                f"{sign}= ...` for an update, or `v = w {sign} ...` for a new value"
            )
        return refused_in_place(self, ufunc, sign, other)

    return method


class TensorMethods(Traced):
    """The methods of ``Tensor`` that put nothing on the tape."""

    __slots__ = ()

    if TYPE_CHECKING:
        _node: Node | None
        _value: Any
        shape: Any
        dtype: Any

        @property
        def traces(self) -> int: ...

        @classmethod
        def on(cls, value: Any, node: Node | None) -> Any: ...

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
        if self._node is None and value:
            self._node = leaf_node(self._value, 1 << nesting.depth)  # type: ignore[misc]
            self._lend()  # the array may come from another tensor, by detach() or as a view
        elif self._node is not None and bool(value) != self.requires_grad:
            # The node stays: tapes that hold it, and the gradient so far, belong to this tensor all the time.
            self._node.traces = 1 << nesting.depth if value else 0

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Set ``requires_grad`` and return the tensor itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by you, and not computed from others that need gradients."""
        return self._node is None or self._node.entry is None

    @property
    def data(self) -> np.ndarray:
        """The values as a read-only array; assign a whole new array to change them (a frozen one is not copied)."""
        return self.numpy()

    @data.setter
    def data(self, value: Any) -> None:
        value = plain(value)
        frozen = type(value) is ndarray and not value.flags.writeable and value.base is None
        self._replace(value if frozen and value.dtype == self.dtype else np.array(value, self.dtype))
        if frozen:
            self._lend()  # its owner may unfreeze it

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

    def detach(self) -> Any:
        """Return a tensor with the same values and no history."""
        self._lend()
        return type(self).on(self._value, None)

    def numpy(self) -> np.ndarray:
        """Return the values as a read-only array, leaving the graph on purpose. An update does not change it."""
        self._lend()
        return super().numpy()

    def _lend(self) -> None:
        """Note that somebody else looks at the array now."""
        if self._node is not None and self._node.entry is None:
            self._node.holders.add(LENT)

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
        if self._node is None or not self.traces:
            raise RuntimeError(
                "nothing that this tensor was computed from requires a gradient; make the parameters with "
                "Tensor(..., requires_grad=True) and compute outside no_grad()"
            )
        on_tape = type(self).on if create_graph else None
        keep = create_graph if retain_graph is None else retain_graph
        seeds = [(self._node, self._seed(gradient))]
        for node, g in pull_back(seeds, retain_graph=keep, on_tape=on_tape):
            with ACCUMULATING:
                total = g if node.grad is None else node.grad + g
                node.grad = total if type(total) is ndarray or isinstance(total, Traced) else np.asarray(total)

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

    def _replace(self, array: Any) -> None:
        """Take a new array, which nobody else holds."""
        if not self.is_leaf:
            raise LeavesGraphError(
                "this tensor is the result of a computation and cannot be changed; compute a new one"
            )
        if array.shape != self.shape:
            raise ValueError(f"the new values have shape {array.shape}, the tensor has shape {self.shape}")
        self._value = array
        if self._node is not None:
            self._node.holders.clear()

    __iadd__ = in_place(np.add, "+")
    __isub__ = in_place(np.subtract, "-")
    __imul__ = in_place(np.multiply, "*")
    __itruediv__ = in_place(np.true_divide, "/")

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.is_leaf or (self.traces and recording.get()):
            super().__setitem__(index, value)
        array = self._value.copy()
        array[index] = plain(value)
        self._replace(array)

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


def restored(kind: type, value: np.ndarray, requires_grad: bool, grad: np.ndarray | None) -> Any:
    """Make a copy of a leaf, which shares nothing with it."""
    tensor = kind(value, requires_grad)
    if grad is not None:
        tensor.grad = np.array(grad)
    return tensor
