"""The scalar engine: backpropagation on single numbers, in plain Python, to be read in one sitting.

Every operation notes its operands and its local derivatives while the forward pass runs; ``backward`` then walks the
notes from the result to the inputs and multiplies and adds: downstream = upstream × local, summed over all uses.
The interface is that of A. Karpathy's micrograd (2020); the method is Linnainmaa's (1970), reverse accumulation.
"""

import cmath
import math
import operator


def _number(value) -> float:
    """A plain float, or an error that says why not."""
    if type(value) is float and value == value:
        return value
    if getattr(value, "shape", None) == ():  # a NumPy scalar or 0-d array
        value = value.item()
    if isinstance(value, (bool, Scalar)) or getattr(value, "shape", ()) != () or not hasattr(value, "__float__"):
        raise TypeError(
            f"expected one real number, got {type(value).__name__} {value!r}; for several, use one Scalar each"
        )
    if value != value:
        raise ValueError("got NaN, which is not a number; look where it was computed or read")
    return float(value)


def _node(data, op, x, dx, y=None, dy=None):
    """Record ``data = op(x, y)``; ``dx`` and ``dy`` are its local derivatives (``dy`` is None if y is a plain number)."""
    node = _new(Scalar)
    node.data, node.grad, node.label, node._form = data, 0.0, "", op
    node._x, node._dx, node._y, node._dy = x, dx, y, dy
    return node


def _comparison(compare):
    return lambda self, other: compare(self.data, other.data if isinstance(other, Scalar) else other)


class Scalar:
    """A number that remembers how it was computed.

    Parameters
    ----------
    data : float
        The value; integers and NumPy scalars become floats.
    _children, _op, local_grads
        For an operation of your own on one or two Scalars: the operands, a name, d(result)/d(operand) for each.
    label : str
        A name for drawings.

    Notes
    -----
    Comparisons, ``==`` included, compare values, so that one function takes the same branch on floats and on Scalars;
    hashing goes by identity, so two variables that hold the same number remain two keys of a dictionary.
    At kinks the slopes are PyTorch's: relu'(0) = 0, abs'(0) = 0, sqrt'(0) = inf, d(x**0)/dx = 0, a tie of
    ``maximum`` or ``minimum`` is split in halves. What has no real value (log of 0, (-8)**(1/3)) raises an error.

    Examples
    --------
    >>> x, y = Scalar(2.0), Scalar(-3.0)
    >>> f = x * y + x
    >>> f.backward()
    >>> f.data, x.grad, y.grad
    (-4.0, -2.0, 2.0)
    """

    __slots__ = ("_dx", "_dy", "_form", "_x", "_y", "data", "grad", "label")
    __array_ufunc__ = None  # so that NumPy leaves ``array * Scalar`` to us instead of making an array of objects

    def __init__(self, data, _children=(), _op="", label="", local_grads=()):
        if len(_children) != len(local_grads) or len(_children) > 2:
            raise ValueError("an operation of your own needs one or two operands and one local derivative for each")
        self.data, self.grad, self.label, self._form = _number(data), 0.0, label, _op
        self._x, self._y = (*_children, None, None)[:2]
        self._dx, self._dy = (*map(_number, local_grads), None, None)[:2]

    parents = property(lambda self: tuple(p for p in (self._x, self._y) if isinstance(p, Scalar)))
    local_grads = property(lambda self: tuple(d for d in (self._dx, self._dy) if d is not None))
    op = property(lambda self: self._form.format(self._y) if isinstance(self._y, float) else self._form)
    _op, _prev = op, property(lambda self: set(self.parents))  # micrograd's names

    def __repr__(self):
        return f"Scalar(data={self.data}, grad={self.grad})"

    def _order(self):
        """List every operation behind this Scalar, operands before results: depth first, without recursion."""
        order, seen, path = [], {self}, [self] if self._x is not None else []
        while path:
            node = path[-1]
            x, y = node._x, node._y
            if x._x is not None and x not in seen:
                seen.add(x)
                path.append(x)
            elif node._dy is not None and y._x is not None and y not in seen:
                seen.add(y)
                path.append(y)
            else:  # everything below is listed already
                order.append(path.pop())
        return order

    def backward(self):
        """Add d(self)/d(leaf) to the ``grad`` of every leaf; set ``grad`` of every operation on the way.

        A second call adds to the leaves once more (exactly double, as PyTorch does with ``retain_graph``), while
        the gradients of operations are computed anew. ``zero_grad`` starts afresh.
        """
        if self.data != self.data:
            raise ArithmeticError("this value is NaN (infinity minus infinity, or 0 × infinity), so it has no gradient")
        order = self._order()
        for node in order:
            node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            upstream = node.grad
            if upstream:  # nothing arrives, nothing leaves: not even 0 × the infinite slope of sqrt at 0
                x, y = node._x, node._y
                x.grad = total = x.grad + upstream * node._dx
                if node._dy is not None:
                    y.grad = other = y.grad + upstream * node._dy
                    total += other
                if total != total:
                    raise ArithmeticError(f"NaN behind {node.op!r}: an infinite slope met a zero or its opposite")

    def zero_grad(self):
        """Set ``grad`` to zero here and in everything this Scalar was computed from."""
        for node in self._order():
            for parent in node.parents:
                parent.grad = 0.0
        self.grad = 0.0

    def __add__(self, other):
        if isinstance(other, Scalar):
            return _node(self.data + other.data, "+", self, 1.0, other, 1.0)
        c = _number(other)
        return _node(self.data + c, "+{:g}", self, 1.0, c)

    def __sub__(self, other):
        if isinstance(other, Scalar):
            return _node(self.data - other.data, "-", self, 1.0, other, -1.0)
        c = _number(other)
        return _node(self.data - c, "-{:g}", self, 1.0, c)

    def __mul__(self, other):
        if isinstance(other, Scalar):
            return _node(self.data * other.data, "*", self, other.data, other, self.data)
        c = _number(other)
        return _node(self.data * c, "*{:g}", self, c, c)

    def __truediv__(self, other):
        if isinstance(other, Scalar):
            quotient = self.data / other.data
            return _node(quotient, "/", self, 1.0 / other.data, other, -quotient / other.data)
        c = _number(other)
        return _node(self.data / c, "/{:g}", self, 1.0 / c, c)

    def __rsub__(self, other):
        c = _number(other)
        return _node(c - self.data, "{:g}-", self, -1.0, c)

    def __rtruediv__(self, other):
        c = _number(other)
        quotient = c / self.data
        return _node(quotient, "{:g}/", self, -quotient / self.data, c)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return _node(-self.data, "neg", self, -1.0)

    def __pow__(self, exponent):
        return _power(self, exponent)

    def __rpow__(self, base):
        return _power(base, self)

    def exp(self):
        try:
            value = math.exp(self.data)
        except OverflowError:
            raise OverflowError(f"exp({self.data}) is too large for a float; keep inputs of exp below 709") from None
        return _node(value, "exp", self, value)

    def log(self):
        if self.data <= 0:
            raise ValueError(f"log({self.data}) has no real value; log needs a positive number")
        return _node(math.log(self.data), "log", self, 1.0 / self.data)

    def sqrt(self):
        if self.data < 0:
            raise ValueError(f"sqrt({self.data}) has no real value; sqrt needs a number that is not negative")
        root = math.sqrt(self.data)
        return _node(root, "sqrt", self, 0.5 / root if root else math.inf)

    def sin(self):
        return _node(math.sin(self.data), "sin", self, math.cos(self.data))

    def cos(self):
        return _node(math.cos(self.data), "cos", self, -math.sin(self.data))

    def tanh(self):
        t = math.tanh(self.data)
        return _node(t, "tanh", self, 1.0 - t * t)

    def sigmoid(self):
        z = math.exp(-abs(self.data))  # never overflows
        s = 1.0 / (1.0 + z) if self.data > 0 else z / (1.0 + z)
        return _node(s, "sigmoid", self, s * (1.0 - s))

    def relu(self):
        return _node(max(self.data, 0.0), "relu", self, float(self.data > 0))

    def __abs__(self):
        return _node(abs(self.data), "abs", self, float((self.data > 0) - (self.data < 0)))

    abs = __abs__

    def maximum(self, other):
        return _pick(self, other, "max", self > other)

    def minimum(self, other):
        return _pick(self, other, "min", self < other)

    def __float__(self):
        return self.data

    def __bool__(self):
        return self.data != 0.0

    __hash__ = object.__hash__
    __lt__, __le__, __gt__, __ge__, __eq__, __ne__ = map(
        _comparison, (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
    )


_new = object.__new__


def _power(base, exponent):
    """Return ``base ** exponent``, at least one of them a Scalar; as in calculus, the base is then no negative number."""
    x = base.data if isinstance(base, Scalar) else _number(base)
    n = exponent.data if isinstance(exponent, Scalar) else _number(exponent)
    if x < 0 and (n % 1 or isinstance(exponent, Scalar)):
        raise ValueError(f"({x}) ** {n}: a negative base needs a whole number, written without Scalar, as exponent")
    try:
        value = x**n
        dx = 0.0 if n == 0 else math.inf if x == 0 and n < 1 else n * x ** (n - 1)
    except OverflowError:
        raise OverflowError(f"{x} ** {n}, or its slope, is too large for a float") from None
    if not isinstance(exponent, Scalar):
        return _node(value, "**{:g}", base, dx, n)
    dn = value * math.log(x) if x else 0.0
    return (
        _node(value, "**", base, dx, exponent, dn)
        if isinstance(base, Scalar)
        else _node(value, "{:g}**", exponent, dn, x)
    )


def _pick(x, y, op, x_wins):
    """Return the winner of ``maximum`` or ``minimum``: the gradient goes to it alone, at a tie half to each."""
    share = 0.5 if x == y else float(x_wins)
    if isinstance(y, Scalar):
        return _node(x.data if x_wins else y.data, op, x, share, y, 1.0 - share)
    c = _number(y)
    return _node(x.data if x_wins else c, op + " {:g}", x, share, c)


def _function(name, on_complex):
    """Make the function ``name``, which takes a Scalar, a number, or anything that has a method of that name."""

    def function(x):
        if hasattr(x, name):
            return getattr(x, name)()
        return on_complex(x) if isinstance(x, complex) else getattr(Scalar(x), name)().data

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name} of a Scalar, of a real or complex number, or of anything with a method ``{name}``."
    return function


exp, log, sin, cos, tanh, sqrt = (
    _function(f.__name__, f) for f in (cmath.exp, cmath.log, cmath.sin, cmath.cos, cmath.tanh, cmath.sqrt)
)
sigmoid = _function("sigmoid", lambda z: (1 + cmath.tanh(z / 2)) / 2)
relu = _function("relu", lambda z: z if z.real > 0 else 0 * z)


def maximum(x, y):
    """Return the larger of two values, each a Scalar, a number, or anything with a method ``maximum``."""
    if hasattr(x, "maximum"):
        return x.maximum(y)
    return y.maximum(x) if hasattr(y, "maximum") else x if x.real > y.real else y


def minimum(x, y):
    """Return the smaller of two values, each a Scalar, a number, or anything with a method ``minimum``."""
    if hasattr(x, "minimum"):
        return x.minimum(y)
    return y.minimum(x) if hasattr(y, "minimum") else x if x.real < y.real else y
