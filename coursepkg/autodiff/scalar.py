"""The scalar engine: backpropagation on single numbers, in plain Python, to be read in one sitting.

Each operation notes its operands and its local derivatives in the forward pass; ``backward`` walks these notes from the
result to the inputs: downstream = upstream × local, summed over all uses of a value. The method is Linnainmaa's reverse
accumulation (1970), the interface that of A. Karpathy's micrograd (2020).
"""

import cmath
import math
from operator import eq, ge, gt, le, lt, ne, sub, truediv

from coursepkg.derivatives import OPERATIONS

# rule(m, *numbers) is the value, and behind it the local derivative in each number; the table holds them all.
_UNARY = ("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "abs", "neg")
_BINARY = ("-", "/", "**", "maximum", "minimum")
RULES = {op: OPERATIONS[op, 1].at for op in _UNARY} | {op: OPERATIONS[op, 2].at for op in _BINARY}


def _number(value):
    """Return a plain float, or raise an error that says why there is none."""
    if type(value) is not float:
        if (shape := getattr(value, "shape", None)) == ():  # a NumPy scalar or an array without axes
            value = value.item()
        if shape or isinstance(value, (bool, Scalar)) or not hasattr(value, "__float__"):
            raise TypeError(f"expected a real number, not {type(value).__name__} {value!r}; make one Scalar per number")
        value = float(value)
    if value != value:
        raise ValueError("expected a number, got NaN; look for the place where it was read or computed")
    return value


def _evaluate(op, *numbers):
    try:
        return RULES[op](math, *numbers)
    except (ValueError, OverflowError) as error:
        why = "too large for a float" if isinstance(error, OverflowError) else "not a real number"
        raise type(error)(f"{op} of {' and '.join(map(str, numbers))} is {why}; look at what led there") from None


def _node(data, op, x, dx, y=None, dy=None, _new=object.__new__):
    """Note the result of ``op`` on x and y, with the local derivatives; y may be missing or a number without one."""
    node = _new(Scalar)
    node.data, node.grad, node.label = data, 0.0, ""
    node._form, node._x, node._dx = op, x, dx
    node._y, node._dy = y, dy
    return node


def _method(op):
    """Make the method that applies a rule to a Scalar and, for two operands, to another Scalar or a number."""

    def method(self, *other):
        if not other:
            value, dx = _evaluate(op, self.data)
            return _node(value, op, self, dx)
        (y,) = other
        value, dx, dy = _evaluate(op, self.data, y.data if isinstance(y, Scalar) else _number(y))
        return _node(value, op, self, dx, y, dy if isinstance(y, Scalar) else None)

    return method


def _function(name):
    """Make the function ``name`` of Scalars, of real or complex numbers, or of whatever has a method of that name."""

    def function(*args):
        first, *rest = sorted(args, key=lambda each: not hasattr(each, name))  # maximum(0, x) is maximum(x, 0)
        if hasattr(first, name):
            return getattr(first, name)(*rest)
        if any(isinstance(each, complex) for each in args):
            return OPERATIONS[name, len(args)].value(cmath, *args)
        return _evaluate(name, *map(_number, args))[0]

    function.__name__ = function.__qualname__ = name
    return function


exp, log, sqrt, sin, cos, tanh = map(_function, ("exp", "log", "sqrt", "sin", "cos", "tanh"))
sigmoid, relu, maximum, minimum = map(_function, ("sigmoid", "relu", "maximum", "minimum"))


class Scalar:
    """A number that remembers how it was computed.

    Parameters
    ----------
    data : float
        The value. Integers and NumPy scalars become floats; numbers in formulas need no wrapping: ``2 * x + 1``.
    _children, _op, label, local_grads
        For drawings a label; for an operation of your own one or two operands, a name, a local derivative in each.

    Notes
    -----
    Comparisons, ``==`` too, look at values, so that a function branches alike on floats and Scalars; the hash goes by
    identity, so equal variables stay apart in sets and dictionaries. Slopes at kinks are PyTorch's: relu'(0) = abs'(0)
    = 0, sqrt'(0) = inf, (x**0)' = 0, half to each side where maximum or minimum has a tie. What is not a real number,
    such as log(0) or (-8) ** (1/3), raises an error.

    Examples
    --------
    >>> x, y = Scalar(2.0), Scalar(-3.0)
    >>> (x * y + x).backward()
    >>> x.grad, y.grad
    (-2.0, 2.0)
    """

    __slots__ = ("_dx", "_dy", "_form", "_x", "_y", "data", "grad", "label")
    __array_ufunc__ = None  # NumPy then leaves array * Scalar to us, instead of making an array of objects

    def __init__(self, data, _children=(), _op="", label="", local_grads=()):
        if len(_children) != len(local_grads) or len(_children) > 2:
            raise ValueError("an operation of your own needs one or two _children and as many local_grads")
        self.data, self.grad, self.label, self._form = _number(data), 0.0, label, _op
        (self._x, self._y), (self._dx, self._dy) = (*_children, None, None)[:2], (*local_grads, None, None)[:2]

    parents = property(lambda self: tuple(p for p in (self._x, self._y) if isinstance(p, Scalar)))
    local_grads = property(lambda self: (self._dx, self._dy)[: len(self.parents)])
    op = property(lambda self: self._form if isinstance(self._y, Scalar | None) else f"{self._form} {float(self._y):g}")
    _op, _prev = op, property(lambda self: set(self.parents))  # micrograd's names
    exp, log, sqrt, sin, cos, tanh = map(_method, ("exp", "log", "sqrt", "sin", "cos", "tanh"))
    sigmoid, relu, maximum, minimum = map(_method, ("sigmoid", "relu", "maximum", "minimum"))
    abs, __abs__, __neg__, __sub__, __truediv__, __pow__ = map(_method, ("abs", "abs", "neg", "-", "/", "**"))
    __lt__, __le__, __eq__, __ne__, __ge__, __gt__ = (
        lambda self, other, op=op: op(self.data, other.data if isinstance(other, Scalar) else other)
        for op in (lt, le, eq, ne, ge, gt)
    )
    __hash__ = object.__hash__

    def __repr__(self):
        return f"Scalar(data={self.data}, grad={self.grad})"

    def __float__(self):
        return self.data

    def __add__(self, other):
        if isinstance(other, Scalar):
            return _node(self.data + other.data, "+", self, 1.0, other, 1.0)
        return _node(self.data + _number(other), "+", self, 1.0, other)

    def __mul__(self, other):
        if isinstance(other, Scalar):
            return _node(self.data * other.data, "*", self, other.data, other, self.data)
        return _node(self.data * (c := _number(other)), "*", self, c, other)

    __radd__, __rmul__ = __add__, __mul__
    __rsub__, __rtruediv__, __rpow__ = (lambda self, x, op=op: op(Scalar(x), self) for op in (sub, truediv, pow))

    def _operations(self):
        """List the operations behind this Scalar, operands before results, with zero gradients; without recursion."""
        order, waiting, listed = [], object(), object()
        stack: list = [self]
        while stack:
            node = stack.pop()
            if node.grad is waiting:  # its operands are listed by now
                node.grad = listed
                order.append(node)
            elif node.grad is not listed and node._x is not None:
                node.grad = waiting
                stack += (node, node._x) if node._dy is None else (node, node._x, node._y)
        for node in order:
            node.grad = 0.0
        return order

    def backward(self):
        """Add d(self)/d(leaf) to ``grad`` of every leaf, and set ``grad`` of every operation in between.

        A second call adds the same to the leaves again (PyTorch's ``retain_graph``); ``zero_grad`` starts afresh.
        """
        order = self._operations()
        self.grad += 1.0
        for node in reversed(order):
            upstream = node.grad
            if upstream:  # where nothing arrives nothing leaves, not even 0 × inf
                x, y = node._x, node._y
                x.grad = total = x.grad + upstream * node._dx
                if node._dy is not None and total == total:
                    y.grad = total = y.grad + upstream * node._dy
                if total != total:
                    raise ArithmeticError(f"no derivative through {node.op!r} here: a slope is infinite or undefined")

    def zero_grad(self):
        """Set ``grad`` to zero here and in everything this Scalar was computed from."""
        for each in (self, *(parent for node in self._operations() for parent in node.parents)):
            each.grad = 0.0
