"""Every route to a gradient under one call: ``route(f)(x)`` is the gradient of ``f`` at ``x``.

The one idea of the course: the same gradient can be reached in ways that share no code (reverse mode, forward mode,
finite differences, algebra), so each is a witness for the others. ``f`` is an ordinary NumPy function; ``x`` is an
array, or a tuple, list or dict of arrays, and the gradient comes back in the same structure (Baydin et al. 2018
survey the routes).

How the calls take arguments
----------------------------
- Several arguments are given one by one: ``reverse(f)(x, y)``, ``vjp(f, x, y)``, ``jacobian(f)(x, y)``. Directions come
  last, in the structure of the gradient: ``jvp(f, x, t)``, ``jvp(f, x, y, (s, t))``, ``hvp(f, x, y, (s, t))``.
- ``argnums`` says which of them to differentiate by. ``grad``, ``value_and_grad`` and ``hessian`` are JAX's: the first
  one, unless you say otherwise. The routes, ``value_and_gradient`` and ``jacobian`` take all of them. An argument that
  is not differentiated (a count, a text) reaches ``f`` as it is, and so do keyword arguments.
- With ``has_aux=True``, ``f`` returns a pair, of which the second part is not differentiated.
- Dicts pair by key. A list, a tuple and a dict are three different things. None holds no array.
- For complex arguments a gradient is dL/d(real) + i dL/d(imag), PyTorch's convention (JAX's is its conjugate).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coursepkg.autodiff.arguments import beside, pushed, split
from coursepkg.autodiff.custom import check_custom, custom_gradient
from coursepkg.autodiff.forward_mode import forward, jvp, jvps
from coursepkg.autodiff.reverse_mode import reverse, value_and_gradient, vjp
from coursepkg.autodiff.stopping import stop_gradient
from coursepkg.autodiff.trees import Function, Tree, leaves_of, numbers_of
from coursepkg.autodiff.witnesses import numeric, symbolic

if TYPE_CHECKING:
    from coursepkg.autodiff.comparison import Comparison
    from coursepkg.estimators.forward_gradient import forward_gradient

__all__ = [
    "check", "check_custom", "compare", "custom_gradient", "forward", "forward_gradient", "grad", "hessian", "hvp",
    "jacobian", "jvp", "jvps", "numeric", "reverse", "stop_gradient", "symbolic", "value_and_grad",
    "value_and_gradient", "vjp",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "forward_gradient":  # its room stands on networks and optimizers, which the other routes do not need
        from coursepkg.estimators.forward_gradient import forward_gradient

        return forward_gradient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- under JAX's names


def grad(f: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """Return the gradient of ``f`` by its first argument, by reverse mode; :func:`reverse` under JAX's name.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    argnums : int or tuple of int
        Positions of the arguments to differentiate by; negative ones count from the end.
    has_aux : bool
        ``f`` returns a pair ``(value, aux)``, of which the second part is not differentiated.

    Returns
    -------
    callable
        Takes what ``f`` takes. The gradient is a tuple if ``argnums`` is; with ``has_aux`` it is ``(gradient, aux)``.

    Raises
    ------
    ValueError, TypeError
        If ``f`` returns something else than one real number, or ``argnums`` names an argument that is not there.

    Examples
    --------
    >>> def loss(w, x, degree=2):
    ...     return np.sum((w * x) ** degree)
    >>> grad(loss)(np.array([1.0, 2.0]), 3, degree=2)
    array([18., 36.])
    >>> grad(loss, argnums=(0, 1))(np.array([1.0, 2.0]), 3)
    (array([18., 36.]), array(30.))
    """
    return reverse(f, argnums, has_aux)


def value_and_grad(
    f: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Tree]]:
    """Return a function that gives ``f(x)`` and its gradient by its first argument together.

    Parameters
    ----------
    f, argnums, has_aux
        As for :func:`grad`.

    Returns
    -------
    callable
        ``x -> (value, gradient)``; with ``has_aux`` ``x -> ((value, aux), gradient)``.

    See Also
    --------
    value_and_gradient : the same by all positional arguments.

    Examples
    --------
    >>> value_and_grad(lambda x, n: np.sum(x**n))(np.array([1.0, 2.0]), 3)
    (array(9.), array([ 3., 12.]))
    """
    return value_and_gradient(f, argnums, has_aux)


def hessian(f: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """Return the Hessian of ``f``: forward mode over reverse mode, all columns of a block at once.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    argnums : int or tuple of int
        Positions of the arguments to differentiate by, each a real array.
    has_aux : bool
        ``f`` returns a pair ``(value, aux)``, of which the second part is not differentiated.

    Returns
    -------
    callable
        Takes what ``f`` takes. The Hessian has the shape ``x.shape + x.shape``. For a tuple of arguments it is a tuple
        of tuples of blocks: ``[i][j]`` has the shape of the argument i and then that of j. With ``has_aux`` it is
        ``(hessian, aux)``.

    Raises
    ------
    ValueError, TypeError
        As :func:`grad` and :func:`jacobian`.

    Examples
    --------
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    if not isinstance(argnums, (tuple, list)):
        return jacobian(grad(f, argnums, has_aux), "forward", argnums, has_aux)
    rows = [jacobian(grad(f, i, has_aux), "forward", tuple(argnums), has_aux) for i in argnums]

    def blocks(*args: Any, **kwargs: Any) -> Any:
        found = [row(*args, **kwargs) for row in rows]
        return (tuple(row for row, _ in found), found[0][1]) if has_aux else tuple(found)

    return blocks


# --- matrices of derivatives


def jacobian(
    f: Function, route: str | None = None, argnums: int | tuple[int, ...] | None = None, has_aux: bool = False
) -> Function:
    """Return the Jacobian of ``f``: every output by every input, built by columns or by rows.

    Parameters
    ----------
    f : callable
        A NumPy function of real arrays that returns one real array.
    route : {"forward", "reverse"}, optional
        One jvp per input (up to 64 of them in one run), or one vjp per output. Default: the smaller number.
    argnums : int, tuple of int or None
        Positions of the arguments to differentiate by. None: all that are given by position.
    has_aux : bool
        ``f`` returns a pair ``(value, aux)``, of which the second part is not differentiated.

    Returns
    -------
    callable
        ``x -> jacobian`` of shape ``f(x).shape + x.shape``; for several arguments a tuple with one for each. With
        ``has_aux`` it is ``(jacobian, aux)``.

    Raises
    ------
    ValueError
        If ``route`` is something else, or if an argument or f(x) is not a single array.

    Examples
    --------
    >>> jacobian(lambda x: np.outer(x, x)[0])(np.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    >>> jacobian(lambda x, y: x * y)(np.array([2.0, 3.0]), 10.0)
    (array([[10.,  0.],
           [ 0., 10.]]), array([2., 3.]))
    """
    if route not in (None, "forward", "reverse"):
        raise ValueError(f"route is 'forward', 'reverse' or None (the cheaper one), got {route!r}")

    def matrix(*args: Any, **kwargs: Any) -> Any:
        run, tree = split(f, args, kwargs, argnums)
        several = len(args) > 1 if argnums is None else isinstance(argnums, (tuple, list))
        points = tree if several else (tree,)
        if any(isinstance(x, (tuple, list, dict)) or x is None for x in points):
            raise ValueError("jacobian needs one array; join the arrays with np.concatenate, or ask for vjp and jvp")
        value, pull, *aux = vjp(run, tree, has_aux=has_aux)
        if isinstance(value, (tuple, list, dict)):
            raise ValueError("jacobian needs a function that returns one array; join them with np.concatenate")
        inputs = sum(x.size for x in points)
        if route == "forward" or (route is None and inputs < np.size(value)):
            blocks = _by_columns(lambda *xs: beside(run(xs if several else xs[0]), f, has_aux)[0], points, value)
        else:
            blocks = _by_rows(pull, points, value, several)
        found = tuple(blocks) if several else blocks[0]
        return (found, *aux) if has_aux else found

    return matrix


def _by_columns(f: Function, points: Any, value: Any) -> list[Any]:
    """Return the blocks of a Jacobian, one for each point: each entry of a point is moved."""
    blocks = []
    for i, x in enumerate(points):
        basis = np.eye(x.size, dtype=x.dtype).reshape((x.size, *x.shape))
        only = _only(f, points, i)
        chunks = [jvps(only, x, basis[k : k + DIRECTIONS])[1] for k in range(0, x.size, DIRECTIONS)]
        shape = np.shape(value) + x.shape
        blocks.append(
            np.reshape(np.moveaxis(np.concatenate(chunks), 0, -1), shape) if chunks else np.zeros(shape, x.dtype)
        )
    return blocks


def _only(f: Function, points: Any, i: int) -> Function:
    """Return ``f`` as a function of one of its arguments."""
    return lambda x: f(*points[:i], x, *points[i + 1 :])


def _by_rows(pull: Function, points: Any, value: Any, several: bool) -> list[Any]:
    """Return the blocks of a Jacobian: each entry of the value is pulled back."""
    shape, count = np.shape(value), np.size(value)
    dtype = getattr(value, "dtype", np.dtype(float))  # a constant may be a Python number
    basis = np.eye(count, dtype=dtype if dtype.kind in "fc" else float).reshape((count, *shape))
    rows = [pull(g) if several else (pull(g),) for g in basis]
    return [
        np.reshape(np.stack([row[i] for row in rows]), shape + x.shape) if rows else np.zeros(shape + x.shape, x.dtype)
        for i, x in enumerate(points)
    ]


DIRECTIONS = 64
"""How many columns of a Jacobian are found in one run: enough to share its cost, few enough to bound its memory."""


def hvp(f: Function, *args: Any, **kwargs: Any) -> Tree:
    """Return the Hessian of ``f`` times a direction without the Hessian: forward over reverse mode.

    Costs about two gradients (Pearlmutter 1994).

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    *args : trees
        The arguments of ``f``, and last the direction: ``hvp(f, x, v)``, or ``hvp(f, x, y, (v, w))`` for several
        arguments. The direction has the structure and shapes of the gradient.
    **kwargs
        Passed on to ``f``, not differentiated.

    Returns
    -------
    tree
        The product, of the structure and shapes of the direction.

    Examples
    --------
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    run, tree, direction = pushed("hvp", f, args, kwargs)
    return jvp(reverse(run), tree, direction)[1]


# --- witnesses


def compare(
    f: Function,
    *args: Tree,
    routes: Mapping[str, Callable[[Function], Function]] | None = None,
    rng: np.random.Generator | None = None,
    rtol: float | None = None,
    measure: bool = False,
    **kwargs: Any,
) -> Comparison:
    """Take every route to the gradient of ``f`` at ``x`` and say whether they agree.

    Parameters
    ----------
    f : callable
        A NumPy function. If it returns an array, each route differentiates the inner product with one random array
        (never with ones, which would hide rules that ignore the gradient they are given).
    *args : trees
        The point, most often one tree: all arguments are differentiated. Choose it away from kinks.
    routes : mapping of str to callable, optional
        Further routes or other ones, ``{"name": f -> (x -> gradient)}``. Default: reverse, forward, numeric and
        symbolic, the last three only where ``x`` is small enough.
    rng : numpy.random.Generator, optional
        Draws the random array. Default: ``numpy.random.default_rng(0)``, so that tables are reproducible.
    rtol : float, optional
        Relative accuracy expected of exact routes. Default: 1e-10 in double precision, 1e-4 in single; for
        differences 1e-6.
    measure : bool
        Also measure time and peak memory. They differ from run to run; ``.show(timing=False)`` leaves them out.
    **kwargs
        Passed on to ``f``, not differentiated.

    Returns
    -------
    Comparison
        A table that shows itself in a notebook, ``.by_entry`` one that says where routes differ; ``.agree`` is what a
        test asserts.

    Examples
    --------
    >>> print(compare(lambda x: np.sum(np.tanh(x) ** 2), np.array([0.3, -1.2])))
    route     runs of f  agrees with the others
    reverse   1          to 1e-10
    forward   2          to 1e-10
    numeric   8          to 1e-06
    symbolic  1          to 1e-10
    All 4 routes agree, with evidence in 2 of 2 entries.
    """
    from coursepkg.autodiff.comparison import compare_gradients  # when asked for: importing the routes stays quick

    run, tree = split(f, args, kwargs)
    leaves = leaves_of(tree)
    value = numbers_of(run(tree), f)
    scalar = len(value) == 1 and np.size(value[0]) == 1 and np.asarray(value[0]).dtype.kind != "c"
    rng = np.random.default_rng(0) if rng is None else rng
    weights = [np.ones(np.shape(v)) if scalar else _random_like(v, rng) for v in value]

    def paired(point: Tree) -> Any:
        if scalar:
            return np.reshape(run(point), ())
        parts = [np.sum(np.real(w * v)) for w, v in zip(weights, leaves_of(run(point)), strict=True)]
        return sum(parts[1:], parts[0])

    size = sum(leaf.size for leaf in leaves)
    absent = {}
    if routes is None:
        limits: dict[str, tuple[Function, float]] = {
            "reverse": (reverse, np.inf),
            "forward": (forward, 2000),
            "numeric": (numeric, 2000),
        }
        limits["symbolic"] = (symbolic, 60)
        routes = {name: route for name, (route, limit) in limits.items() if size <= limit}
        absent = {
            name: f"not taken, x has {size} entries and it takes at most {limit}"
            for name, (_, limit) in limits.items()
            if name not in routes
        }
    single = any(leaf.dtype in (np.float32, np.complex64) for leaf in leaves)
    exact = rtol if rtol is not None else 1e-4 if single else 1e-10
    tolerances = {name: max(exact, 1e-6) if name == "numeric" else exact for name in routes}
    scale = float(sum(np.sum(np.abs(w * v)) for w, v in zip(weights, value, strict=True)))
    shape = None if scalar else np.shape(value[0]) if len(value) == 1 else tuple(map(np.shape, value))
    found = compare_gradients(paired, tree, routes, tolerances, measure=measure, scale=scale, cotangent=shape)
    found.absent.update(absent)
    return found


def _random_like(value: Any, rng: np.random.Generator) -> np.ndarray:
    weights = rng.normal(size=np.shape(value))
    if np.asarray(value).dtype.kind == "c":
        return weights + 1j * rng.normal(size=np.shape(value))
    return weights.astype(np.asarray(value).dtype)


def check(f: Function, *args: Tree, **options: Any) -> Comparison:
    """Raise unless every route to the gradient of ``f`` at ``x`` agrees.

    Parameters
    ----------
    f, *args, **options
        As for :func:`compare`.

    Returns
    -------
    Comparison
        The table.

    Raises
    ------
    AssertionError
        With the table as its message, if routes disagree or there is no evidence.
    """
    found = compare(f, *args, **options)
    if not found.agree:
        raise AssertionError(f"\n{found.show(timing=False)}")
    return found
