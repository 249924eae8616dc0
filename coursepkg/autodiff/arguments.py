"""The arguments of a call: which of them are differentiated, which are only passed on, and what comes beside the value.

The rules are the same for every route. Positional arguments are differentiated, all of them or those that ``argnums``
names. What is not differentiated reaches ``f`` as it is, and so do keyword arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import index
from typing import Any

from .errors import MissingPrimitiveError
from .trees import Function, Tree, leaves_of, point_of, rebuild

__all__ = ["beside", "outside", "pushed", "split"]


def split(
    f: Function, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: int | tuple[int, ...] | None = None
) -> tuple[Callable[[Tree], Any], Tree]:
    """Return what is differentiated, as one tree, and ``f`` as a function of that tree alone.

    Parameters
    ----------
    f : callable
        The function.
    args, kwargs : tuple, dict
        Its call.
    argnums : int, tuple of int or None
        The positions of the arguments to differentiate by; negative ones count from the end. The tree is then that
        argument, or a tuple of them. None: all positional arguments, and the argument itself if there is only one.

    Returns
    -------
    run : callable
        ``run(tree)`` calls ``f`` with the tree's parts in their places.
    tree : tree
        The point, as arrays of floating point or complex numbers.

    Raises
    ------
    TypeError
        If no argument is given by position, one is no array of numbers, or ``argnums`` holds something else than
        integers. Running ``f`` raises it where ``f`` does not take so many arguments.
    ValueError
        If ``argnums`` names an argument that is not there, or one of them twice.
    """
    if argnums is None:
        tree, single = point_of(args)

        return _named(f, lambda t: _call(f, (t,) if single else t, kwargs)), tree
    places = _places(argnums, len(args))
    chosen = tuple(args[i] for i in places)
    tree, _ = point_of((chosen if isinstance(argnums, (tuple, list)) else chosen[0],))

    def run(t: Tree) -> Any:
        whole = list(args)
        for i, part in zip(places, t if isinstance(argnums, (tuple, list)) else (t,), strict=True):
            whole[i] = part
        return _call(f, tuple(whole), kwargs)

    return _named(f, run), tree


def _named(f: Function, run: Function) -> Function:
    run.__name__ = getattr(f, "__name__", "f")  # for errors about what it returns
    return run


def _places(argnums: Any, count: int) -> list[int]:
    try:
        given = [index(i) for i in (argnums if isinstance(argnums, (tuple, list)) else (argnums,))]
    except TypeError:
        raise TypeError(
            f"argnums is an integer, a tuple of integers or None (all arguments), got {argnums!r}"
        ) from None
    if not count:
        raise TypeError("the gradient of f needs a point by position: call it as grad(f)(x)")
    if not given:
        raise ValueError("argnums is empty, so there is nothing to differentiate by")
    if wrong := [i for i in given if not -count <= i < count]:
        raise ValueError(
            f"argnums={argnums!r} names argument {wrong[0]}, but f was called with {count} by position, which are "
            f"0 to {count - 1}; what is differentiated is given by position"
        )
    places = [i % count for i in given]
    if len(set(places)) < len(places):
        raise ValueError(f"argnums={argnums!r} names the same argument twice")
    return places


def _call(f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return f(*args, **kwargs)
    except (TypeError, AttributeError) as error:
        clearer = _explained(error, f, args, kwargs)
        if clearer is error:
            raise
        raise clearer from error


def _explained(error: Exception, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception:
    """Return the error of a call of ``f``, or a clearer one if ``f`` does not take these arguments at all."""
    several = "several arguments are given one by one: reverse(f)(x, y), vjp(f, x, y), jvp(f, x, y, (s, t))"
    in_one = len(args) == 1 and type(args[0]) is tuple
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # some functions do not say what they take
        signature = None
    try:
        if signature is not None:
            signature.bind(*args, **kwargs)
    except TypeError as reason:
        given = f"one argument, a tuple of {len(args[0])}" if in_one else f"{len(args)} by position"
        by_keyword = f" and {', '.join(kwargs)} by keyword" if kwargs else ""
        return TypeError(
            f"{getattr(f, '__name__', 'f')}{signature} was called with {given}{by_keyword} ({reason}); {several}"
        )
    if isinstance(error, AttributeError) and error.name == "detach":
        return TypeError(
            "plain arrays have no detach(), so f runs only where its values are traced; write stop_gradient(x), which "
            "holds on every route: from coursepkg.gradients import stop_gradient"
        )
    if in_one and len(args[0]) == 1 and not isinstance(error, MissingPrimitiveError):  # what JAX's jvp looks like
        error.add_note(
            f"f was called with one argument, a tuple of 1; {several}. A single one is no tuple: jvp(f, x, t)"
        )
    return error


def pushed(
    name: str, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[[Tree], Any], Tree, Tree]:
    """Take apart the call of a route that pushes directions through ``f``: the point, and behind it the directions.

    Parameters
    ----------
    name : str
        The route, for the error.
    f, args, kwargs
        The call: ``args`` are the arguments of ``f``, and last the directions.

    Returns
    -------
    run, tree
        As of :func:`split`.
    directions : tree
        As they were given.
    """
    if len(args) < 2:
        raise TypeError(
            f"{name} needs a point and a direction: {name}(f, x, t), or {name}(f, x, y, (s, t)) for several arguments"
        )
    run, tree = split(f, args[:-1], kwargs)
    return run, tree, args[-1]


def beside(result: Any, f: Function, has_aux: bool) -> tuple[Any, Any]:
    """Return what is differentiated of a result, and what only comes along: with ``has_aux`` a pair, else all of it."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"with has_aux=True a function returns a pair (value, aux), but {getattr(f, '__name__', 'f')} returned "
            f"{f'a tuple of {len(result)}' if isinstance(result, tuple) else f'a {type(result).__name__}'}"
        )
    return result


def outside(tree: Tree, value: Callable[[Any], Any]) -> Tree:
    """Return a tree with each leaf as it is outside of a differentiation."""
    return rebuild(tree, [value(leaf) for leaf in leaves_of(tree)])
