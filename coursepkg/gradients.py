"""Every route to a gradient under one call: ``route(f)(x)`` is the gradient of ``f`` at ``x``.

The one idea of the course: the same gradient can be reached in ways that share no code (reverse mode, forward mode,
finite differences, algebra), so each is a witness for the others. ``f`` is an ordinary NumPy function; ``x`` is an
array, or a tuple, list or dict of arrays, and the gradient comes back in the same structure (Baydin et al. 2018
survey the routes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coursepkg.autodiff.forward_mode import forward, jvp, jvps
from coursepkg.autodiff.reverse_mode import reverse, value_and_gradient, vjp
from coursepkg.autodiff.trees import Function, Tree, differentiable, leaves_of, point_of
from coursepkg.autodiff.witnesses import numeric, symbolic
from coursepkg.estimators.forward_gradient import forward_gradient

if TYPE_CHECKING:
    from coursepkg.autodiff.comparison import Comparison

__all__ = [
    "check", "compare", "forward", "forward_gradient", "hvp", "jacobian", "jvp", "jvps", "numeric", "reverse",
    "symbolic", "value_and_gradient", "vjp",
]  # fmt: skip


# --- matrices of derivatives


def jacobian(f: Function, route: str | None = None) -> Function:
    """Return the Jacobian of ``f``: every output by every input, built by columns or by rows.

    Parameters
    ----------
    f : callable
        A NumPy function of one real array that returns one real array.
    route : {"forward", "reverse"}, optional
        One jvp per input (up to 64 of them in one run), or one vjp per output. Default: the smaller number.

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
        if not count:
            return np.zeros(shape + x.shape, x.dtype)
        basis = np.eye(count, dtype=x.dtype).reshape((count, *(x.shape if columns else shape)))
        if not columns:
            return np.reshape(np.stack([pull(g) for g in basis]), shape + x.shape)
        chunks = [jvps(f, x, basis[k : k + DIRECTIONS])[1] for k in range(0, count, DIRECTIONS)]
        return np.reshape(np.moveaxis(np.concatenate(chunks), 0, -1), shape + x.shape)

    return matrix


DIRECTIONS = 64
"""How many columns of a Jacobian are found in one run: enough to share its cost, few enough to bound its memory."""


def hvp(f: Function, x: Tree, v: Tree) -> Tree:
    """Return the Hessian of ``f`` times ``v`` without the Hessian: forward over reverse mode.

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


# --- witnesses


def compare(
    f: Function,
    x: Tree,
    *,
    routes: Mapping[str, Callable[[Function], Function]] | None = None,
    rng: np.random.Generator | None = None,
    rtol: float | None = None,
    measure: bool = False,
) -> Comparison:
    """Take every route to the gradient of ``f`` at ``x`` and say whether they agree.

    Parameters
    ----------
    f : callable
        A NumPy function of one tree. If it returns an array, each route differentiates the inner product with one
        random array (never with ones, which would hide rules that ignore the gradient they are given).
    x : tree
        The point. Choose it away from kinks.
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

    tree, _ = point_of((x,))
    leaves = leaves_of(tree)
    value = leaves_of(f(tree))
    scalar = len(value) == 1 and np.size(value[0]) == 1 and np.asarray(value[0]).dtype.kind != "c"
    rng = np.random.default_rng(0) if rng is None else rng
    weights = [np.ones(np.shape(v)) if scalar else _random_like(v, rng) for v in value]

    def paired(point: Tree) -> Any:
        if scalar:
            return np.reshape(f(point), ())
        parts = [np.sum(np.real(w * v)) for w, v in zip(weights, leaves_of(f(point)), strict=True)]
        return sum(parts[1:], parts[0])

    size = sum(leaf.size for leaf in leaves)
    absent = {}
    if routes is None:
        limits = {"reverse": (reverse, np.inf), "forward": (forward, 2000), "numeric": (numeric, 2000)}
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


def check(f: Function, x: Tree, **options: Any) -> Comparison:
    """Raise unless every route to the gradient of ``f`` at ``x`` agrees.

    Parameters
    ----------
    f, x, **options
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
    found = compare(f, x, **options)
    if not found.agree:
        raise AssertionError(f"\n{found.show(timing=False)}")
    return found
