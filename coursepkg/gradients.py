"""Every route to a gradient under one call: ``route(f)(x)`` is the gradient of ``f`` at ``x``.

The one idea of the course: the same gradient can be reached in ways that share no code (reverse mode, forward mode, finite
differences, algebra), so each is a witness for the others. ``f`` is an ordinary NumPy function; ``x`` is an array, or a
tuple, list or dict of arrays, and the gradient comes back in the same structure (Baydin et al. 2018 survey the routes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from coursepkg.autodiff.catalogue import astype
from coursepkg.autodiff.dispatch import Traced, tracing
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.symbolic_array import SymbolicArray, gradient_of_expression, symbols_like
from coursepkg.autodiff.tensor import Tensor, pull_back
from coursepkg.autodiff.trees import Tree, leaves_of, rebuild

__all__ = [
    "forward",
    "hvp",
    "jacobian",
    "jvp",
    "numeric",
    "reverse",
    "symbolic",
    "value_and_gradient",
    "vjp",
]

Function = Callable[..., Any]


def differentiable(leaf: Any) -> Any:
    """Return a leaf as an array with a floating point or complex dtype (integers become float64)."""
    if isinstance(leaf, Traced):
        return leaf
    array = np.asarray(leaf)
    if array.dtype.kind in "iub":
        return array.astype(float)
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"a gradient needs numbers, got {type(leaf).__name__} of dtype {array.dtype}; x is an array, or a tuple, list or "
            "dict of arrays"
        )
    return array


def _point(args: tuple[Any, ...]) -> tuple[Tree, bool]:
    """Return the arguments as one tree, and whether the function takes it as one argument."""
    if not args:
        raise TypeError("the gradient of f needs a point: call it as reverse(f)(x)")
    tree = args[0] if len(args) == 1 else args
    return rebuild(tree, [differentiable(leaf) for leaf in leaves_of(tree)]), len(args) == 1


def _call(f: Function, tree: Tree, single: bool) -> Any:
    return f(tree) if single else f(*tree)


def _scalar(value: Any, f: Function) -> Any:
    """Check that a function returned one real number."""
    if isinstance(value, (tuple, list, dict)) or np.size(value) != 1:
        given = (
            f"shape {np.shape(value)}" if not isinstance(value, (tuple, list, dict)) else f"a {type(value).__name__}"
        )
        raise ValueError(
            f"a gradient is that of a single number, but {getattr(f, '__name__', 'f')} returned {given}; reduce it with np.sum or "
            "np.mean, or ask for vjp, jvp or jacobian"
        )
    if value.dtype.kind == "c" if hasattr(value, "dtype") else isinstance(value, complex):
        raise ValueError(
            "a gradient is that of a real number, but f returned a complex one; take np.real or np.abs of it"
        )
    return value


# --- reverse mode


def _start(tree: Tree, bit: int) -> list[Tensor]:
    """Wrap the leaves for a differentiation. A tensor of an outer one is linked to, so that it can be differentiated again."""
    started = []
    for leaf in leaves_of(tree):
        if type(leaf) is Tensor and leaf.traces:
            inner = astype(leaf, leaf.dtype)
            inner.traces |= bit
            inner._retain()
        else:
            inner = Tensor.leaf(leaf._data if type(leaf) is Tensor else leaf, bit)
        started.append(inner)
    return started


def _finish(started: list[Tensor], seeds: list[tuple[Tensor, Any]], bit: int, retain_graph: bool) -> list[Any]:
    """Run the backward pass and return one gradient per leaf, zeros where none arrived."""
    create_graph = any(output.traces & (bit - 1) for output, _ in seeds)
    arrived = {
        a.tensor.order: a
        for a in pull_back(seeds, wanted=bit, create_graph=create_graph, retain_graph=retain_graph or create_graph)
    }
    gradients = []
    for leaf in started:
        a = arrived.get(leaf.order)
        if a is None:
            gradients.append(np.zeros(leaf.shape, leaf.dtype))
            continue
        g = np.conj(a.gradient) if leaf.dtype.kind == "c" else a.gradient
        gradients.append(g if isinstance(g, Traced) else np.asarray(g) if a.fresh else np.array(g))
    return gradients


def _value(output: Any, bit: int) -> Any:
    """Return what is left of an output outside the differentiation."""
    if type(output) is Tensor and output.traces & bit:
        return output if output.traces & (bit - 1) else output._data
    return output


def vjp(f: Function, *args: Any) -> tuple[Any, Callable[[Any], Tree]]:
    """Run ``f`` once and return its value with a function that pulls gradients back.

    Parameters
    ----------
    f : callable
        A NumPy function of one tree, or of several arrays.
    *args : arrays
        The point.

    Returns
    -------
    value : array or tuple of arrays
        ``f(x)``.
    pull : callable
        ``pull(g)`` is the vector-Jacobian product for ``g`` of the structure of ``value``; it can be called again.

    Examples
    --------
    >>> value, pull = vjp(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    >>> pull(np.array([1.0, 0.0, 10.0]))
    array([ 2.,  0., 60.])
    """
    tree, single = _point(args)
    with tracing() as bit:
        started = _start(tree, bit)
        outputs = _call(f, rebuild(tree, started), single)

    def pull(g: Any) -> Tree:
        seeds = []
        for output, seed in zip(leaves_of(outputs), leaves_of(g), strict=True):
            if type(output) is Tensor and output.traces & bit:
                seeds.append((output, output._seed(seed)))
        return rebuild(tree, _finish(started, seeds, bit, retain_graph=True))

    return rebuild(outputs, [_value(o, bit) for o in leaves_of(outputs)]), pull


def value_and_gradient(f: Function) -> Callable[..., tuple[Any, Tree]]:
    """Return a function that gives ``f(x)`` and its gradient, by reverse mode, for the price of one forward and one backward pass.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.

    Returns
    -------
    callable
        ``x -> (value, gradient)``.
    """

    def both(*args: Any) -> tuple[Any, Tree]:
        tree, single = _point(args)
        with tracing() as bit:
            started = _start(tree, bit)
            output = _scalar(_call(f, rebuild(tree, started), single), f)
        if type(output) is not Tensor or not output.traces & bit:
            zeros = [np.zeros(leaf.shape, leaf.dtype) for leaf in started]
            return output, rebuild(tree, zeros)
        value = _value(output, bit)
        return value, rebuild(tree, _finish(started, [(output, output._seed(None))], bit, retain_graph=False))

    return both


def reverse(f: Function) -> Function:
    """Return the gradient of ``f`` by reverse mode (backpropagation): one forward and one backward pass, whatever the size of x.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure, shapes and dtypes of ``x``; for complex ``x``, dL/d(real) + i dL/d(imag).

    Raises
    ------
    ValueError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> reverse(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    both = value_and_gradient(f)
    return lambda *args: both(*args)[1]


# --- forward mode


def jvp(f: Function, args: Any, tangents: Any) -> tuple[Any, Any]:
    """Push a direction through ``f``: its value and its directional derivative, without keeping anything.

    Parameters
    ----------
    f : callable
        A NumPy function of one tree. If ``args`` is a tuple and ``f`` takes several arguments, write
        ``jvp(lambda x: f(*x), args, tangents)``.
    args : tree
        The point.
    tangents : tree
        The direction, of the structure and shapes of the point.

    Returns
    -------
    value, tangent : arrays
        ``f(x)`` and the Jacobian-vector product.

    Examples
    --------
    >>> value, tangent = jvp(lambda x: x * x, np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    >>> tangent
    array([2., 2.])
    """
    tree = rebuild(args, [differentiable(leaf) for leaf in leaves_of(args)])
    with tracing() as bit:
        duals = []
        for leaf, tangent in zip(leaves_of(tree), leaves_of(tangents), strict=True):
            tangent = tangent if isinstance(tangent, Traced) else np.asarray(tangent)
            if tangent.dtype != leaf.dtype:
                tangent = tangent.astype(leaf.dtype)
            duals.append(Dual(leaf, tangent, bit))
        outputs = f(rebuild(tree, duals))
    values, changes = [], []
    for output in leaves_of(outputs):
        if type(output) is Dual and output.traces == bit:
            values.append(output.value)
            changes.append(output.tangent)
        else:
            values.append(output)
            changes.append(np.zeros_like(output))
    return rebuild(outputs, values), rebuild(outputs, changes)


def _basis(leaves: list[Any]) -> Iterator[tuple[int, tuple[int, ...], complex]]:
    """Yield every direction of the point's space: leaf, entry, and 1 or 1j."""
    for which, leaf in enumerate(leaves):
        for entry in np.ndindex(leaf.shape):
            yield which, entry, 1.0
            if leaf.dtype.kind == "c":
                yield which, entry, 1j


def _along(leaves: list[Any], which: int, entry: tuple[int, ...], unit: complex) -> list[Any]:
    """Return the direction that moves a single entry."""
    direction = [np.zeros(leaf.shape, leaf.dtype) for leaf in leaves]
    direction[which][entry] = unit
    return direction


def _entrywise(f: Function, slope: Callable[..., Any]) -> Function:
    """Build a gradient from directional derivatives, one per entry of the point (two per complex entry)."""

    def gradient(*args: Any) -> Tree:
        tree, single = _point(args)
        leaves = leaves_of(tree)
        found: list[list[Any]] = [[] for _ in leaves]
        for which, entry, unit in _basis(leaves):
            change = slope(lambda t: _scalar(_call(f, t, single), f), tree, which, entry, unit)
            if unit == 1j:
                found[which][-1] = found[which][-1] + 1j * change
            else:
                found[which].append(change)
        return rebuild(tree, [_gather(values, leaf) for values, leaf in zip(found, leaves, strict=True)])

    return gradient


def _gather(values: list[Any], like: Any) -> Any:
    """Return numbers, one per entry, as an array of the shape and dtype of ``like``."""
    if any(isinstance(v, Traced) for v in values):
        return np.reshape(np.stack([np.reshape(v, ()) for v in values]), like.shape)
    return np.array([np.reshape(v, ()) for v in values], like.dtype).reshape(like.shape)


def forward(f: Function) -> Function:
    """Return the gradient of ``f`` by forward mode: one run of ``f`` for every entry of ``x``, and no memory of the past.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure, shapes and dtypes of ``x``.

    Raises
    ------
    ValueError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> forward(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    def slope(g: Function, tree: Tree, which: int, entry: tuple[int, ...], unit: complex) -> Any:
        return jvp(g, tree, rebuild(tree, _along(leaves_of(tree), which, entry, unit)))[1]

    return _entrywise(f, slope)


# --- differences


def numeric(f: Function, step: float = 1e-3) -> Function:
    """Return the gradient of ``f`` by central differences at two step sizes, combined so that the leading error cancels.

    Needs nothing from ``f`` but numbers: four runs for every entry of ``x``. The error is of order ``step**4`` plus rounding,
    about 1e-11 of the size of ``f`` (Richardson 1911). Everything is computed in double precision.

    Parameters
    ----------
    f : callable
        A function that returns one real number.
    step : float
        The larger step, relative to the size of the entry (absolute below one).

    Returns
    -------
    callable
        ``x -> gradient``, of the structure and shapes of ``x``.

    Raises
    ------
    ValueError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> numeric(lambda x: np.sum(x**3))(np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    """

    def slope(g: Function, tree: Tree, which: int, entry: tuple[int, ...], unit: complex) -> float:
        leaves = leaves_of(tree)
        h = step * max(1.0, abs(leaves[which][entry]))

        def moved(size: float) -> float:
            there = [leaf.copy() for leaf in leaves]
            there[which][entry] += size * unit
            return float(np.reshape(g(rebuild(tree, there)), ()))

        coarse = (moved(h) - moved(-h)) / (2 * h)
        fine = (moved(h / 2) - moved(-h / 2)) / h
        return (4 * fine - coarse) / 3

    gradient = _entrywise(f, slope)

    def in_double_precision(*args: Any) -> Tree:
        tree, _ = _point(args)
        wide = [leaf.astype(np.result_type(leaf.dtype, np.float64)) for leaf in leaves_of(tree)]
        tree = rebuild(tree, wide)
        return gradient(tree) if len(args) == 1 else gradient(*tree)

    return in_double_precision


# --- algebra


def symbolic(f: Function) -> Function:
    """Return the gradient of ``f`` by algebra: ``f`` runs once on symbols and sympy differentiates the formula.

    Meant for small arrays; the formula grows with every entry. Where ``f`` branches on values, the formula is that of the
    branch taken at the point.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.

    Returns
    -------
    callable
        ``x -> gradient``, of the structure and shapes of ``x``, evaluated with 30 digits and rounded once.

    Raises
    ------
    ValueError
        If ``f`` returns something else than one real number.

    Examples
    --------
    >>> symbolic(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    def gradient(*args: Any) -> Tree:
        tree, single = _point(args)
        leaves = leaves_of(tree)
        names = ["x"] if len(leaves) == 1 else [f"x{i}" for i in range(len(leaves))]
        traced = [symbols_like(leaf, name) for leaf, name in zip(leaves, names, strict=True)]
        output = _call(f, rebuild(tree, [array for array, _ in traced]), single)
        numbers = [part for leaf in leaves for part in _real_parts(leaf)]
        symbols = [symbol for _, own in traced for symbol in own]
        if not isinstance(output, SymbolicArray):
            _scalar(output, f)
            return rebuild(tree, [np.zeros(leaf.shape, leaf.dtype) for leaf in leaves])
        _scalar(output, f)
        slopes = iter(gradient_of_expression(output.expressions.item(), symbols, numbers))
        found = []
        for leaf in leaves:
            own = [
                next(slopes) + 1j * next(slopes) if leaf.dtype.kind == "c" else next(slopes) for _ in range(leaf.size)
            ]
            found.append(np.array(own, leaf.dtype).reshape(leaf.shape))
        return rebuild(tree, found)

    return gradient


def _real_parts(leaf: np.ndarray) -> list[float]:
    if leaf.dtype.kind == "c":
        return [part for z in leaf.ravel().tolist() for part in (z.real, z.imag)]
    return leaf.ravel().tolist()


# --- matrices of derivatives


def jacobian(f: Function, route: str | None = None) -> Function:
    """Return the Jacobian of ``f``: every output by every input, built a column or a row at a time.

    Parameters
    ----------
    f : callable
        A NumPy function of one real array that returns one real array.
    route : {"forward", "reverse"}, optional
        One jvp per input, or one vjp per output. Default: the smaller number.

    Returns
    -------
    callable
        ``x -> jacobian`` of shape ``f(x).shape + x.shape``.

    Raises
    ------
    ValueError
        If ``route`` is something else, or if x or f(x) is not a single array.

    Examples
    --------
    >>> jacobian(lambda x: np.outer(x, x)[0])(np.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    """
    if route not in (None, "forward", "reverse"):
        raise ValueError(f"route is 'forward', 'reverse' or None (the cheaper one), got {route!r}")

    def matrix(x: Any) -> Any:
        if isinstance(x, (tuple, list, dict)):
            raise ValueError("jacobian needs one array; join the arrays with np.concatenate, or ask for vjp and jvp")
        x = differentiable(x)
        value, pull = vjp(f, x)
        if isinstance(value, (tuple, list, dict)):
            raise ValueError("jacobian needs a function that returns one array; join them with np.concatenate")
        shape = np.shape(value)
        columns = route == "forward" or (route is None and x.size < np.size(value))
        count = x.size if columns else np.size(value)
        basis = np.eye(count, dtype=x.dtype).reshape((count, *(x.shape if columns else shape)))
        if columns:
            products = [jvp(f, x, direction)[1] for direction in basis]
        else:
            products = [pull(g) for g in basis]
        if not products:
            return np.zeros(shape + x.shape, x.dtype)
        stacked = np.stack(products)
        if columns:
            return np.reshape(np.moveaxis(stacked, 0, -1), shape + x.shape)
        return np.reshape(stacked, shape + x.shape)

    return matrix


def hvp(f: Function, x: Tree, v: Tree) -> Tree:
    """Return the Hessian of ``f`` times ``v`` without the Hessian: the gradient's directional derivative, forward over reverse.

    Costs about two gradients (Pearlmutter 1994).

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    x : tree
        The point.
    v : tree
        The direction, of the structure and shapes of ``x``.

    Returns
    -------
    tree
        The product, of the structure and shapes of ``x``.

    Examples
    --------
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    return jvp(reverse(f), x, v)[1]
