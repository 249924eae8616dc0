"""Derivatives of your own: a function with rules that you write, and a check of them.

The one idea: the chain rule needs nothing from a function but what it does to a gradient. So a function that is no
formula (a table, a solver, code of others), or whose true derivative is useless (a rounding), takes part in every route
once it says that.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dispatch import apply
from .errors import MissingPrimitiveError
from .forward_mode import forward
from .gate import as_operand, as_option
from .reverse_mode import reverse
from .reverse_mode import vjp as pull_through
from .symbolic_array import SymbolicArray
from .table import Primitive
from .traced import Traced, newest, plain
from .trees import Function, described, leaves_of, numbers_of
from .witnesses import numeric

__all__ = ["check_custom", "custom_gradient"]

Rule = Callable[..., Any]
Rules = Rule | Sequence[Rule | None]


def custom_gradient(*, vjp: Rules, jvp: Rules | None = None) -> Callable[[Function], Function]:
    """Give a function a derivative of your own.

    The function is plain NumPy, or any other code: it gets plain arrays. Its parameters without a default are its
    arrays. Those with a default, and those behind ``*``, are options, which are not differentiated. The rules get the
    options as keywords. Rules that are written in NumPy can be differentiated again, so second derivatives work too.

    Parameters
    ----------
    vjp : callable, or sequence of callables and None
        ``vjp(g, out, *arrays, **options)``: given the gradient ``g`` at the result ``out``, return the gradients of the
        arrays, as a tuple; None is zero. For a function of one array return that gradient itself.
        Or one such rule for each array, each of which returns one gradient. Only those that are needed then run, while
        a single rule runs anew for each array. None for an array that is not differentiated (labels, a mask).
    jvp : callable, or sequence of callables and None, optional
        ``jvp(t, out, *arrays, **options)``, one for each array: how the result changes if that array changes by ``t``.
        A callable alone for a function of one array. By default forward mode transposes ``vjp``, which must be linear
        in ``g`` for that, and written in NumPy.

    Returns
    -------
    callable
        A decorator. The function stays what it is on plain arrays.

    Raises
    ------
    TypeError
        If the rules do not fit the function's parameters.

    Notes
    -----
    ``numeric`` and ``symbolic`` know no rules: they differentiate the function itself, which makes them witnesses, and
    :func:`check_custom` asks them. If your rule is not the derivative on purpose (a straight-through estimator, a
    clipped gradient), they rightly disagree. For complex arrays rules use the plain transpose, without conjugation, as
    in the table (``coursepkg.autodiff.table``).

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.gradients import check_custom, custom_gradient, reverse
    >>> @custom_gradient(vjp=lambda g, out, x, y: (g * y, g * x))
    ... def product(x, y):
    ...     return x * y
    >>> reverse(lambda x: np.sum(product(x, 3.0)))(np.array([1.0, 2.0]))
    array([3., 3.])
    >>> check_custom(product, np.array([1.0, 2.0]), np.array([0.5, -1.0]))

    A straight-through estimator: forward it rounds, backward it lets everything through (Bengio et al. 2013).

    >>> @custom_gradient(vjp=lambda g, out, x: g)
    ... def rounded(x):
    ...     return np.round(x)
    >>> reverse(lambda x: np.sum(rounded(x) ** 2))(np.array([0.4, 1.6]))
    array([0., 4.])

    A gradient that is clipped on its way back:

    >>> @custom_gradient(vjp=lambda g, out, x, limit: np.clip(g, -limit, limit))
    ... def clipped(x, limit=1.0):
    ...     return x
    >>> reverse(lambda x: np.sum(clipped(x, limit=2.0) ** 2))(np.array([0.5, 3.0]))
    array([1., 2.])
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        arrays, options = _parameters(function, signature)
        rules = _vjp_rules(vjp, function, arrays, options)

        @functools.wraps(function)
        def custom(*args: Any, **kwargs: Any) -> Any:
            traced = [leaf for leaf in leaves_of((args, kwargs)) if isinstance(leaf, Traced)]
            if not traced:
                return function(*args, **kwargs)
            if newest(tuple(traced)) is SymbolicArray:
                return _formula(function(*args, **kwargs), custom.__name__)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            operands = [
                as_operand(given[name] if rule else plain(given[name]), custom.__name__, weak=True)
                for name, rule in zip(arrays, rules, strict=True)
            ]
            chosen = {name: as_option(given[name], name, options, custom.__name__) for name in options}
            return apply(entry, tuple(operands), chosen)

        def forward(*operands: Any, **chosen: Any) -> Any:
            out = function(*operands, **chosen)
            if isinstance(out, (tuple, list, dict)) or np.asarray(out).dtype.kind not in "fc":
                whole = not isinstance(out, (tuple, list, dict)) and np.asarray(out).dtype.kind in "biu"
                advice = (
                    "did you forget `return`?"
                    if out is None
                    else "no gradient flows through whole numbers: leave them floating point, as np.round does"
                    if whole
                    else "make a function of each part"
                )
                raise TypeError(
                    "a function with a gradient of its own returns one array of floating point numbers, but "
                    f"{custom.__name__} returned {'whole numbers' if whole else described(out)}; {advice}"
                )
            return out if isinstance(out, np.ndarray) else np.asarray(out)

        entry = Primitive(
            name=custom.__name__,
            function=custom,
            forward=forward,
            vjp=rules,
            jvp=_jvp_rules(jvp, rules, function, arrays, options),
            options=" ".join(options),
        )
        entry.operands, entry.keeps = tuple(arrays), (True,) * len(arrays)  # the rules are wrapped: they tell no names
        return custom

    return decorate


def _formula(result: Any, name: str) -> Any:
    """Return what algebra made of a function, or refuse it if the symbols got lost on the way."""
    if isinstance(result, SymbolicArray):
        return result
    raise MissingPrimitiveError(f"{name} is no formula that algebra could follow: it returned plain numbers")


def _parameters(function: Function, signature: inspect.Signature) -> tuple[list[str], list[str]]:
    """Return the names of the arrays and of the options."""
    arrays: list[str] = []
    options: list[str] = []
    for p in signature.parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            raise TypeError(
                f"a function with a gradient of its own needs named parameters; {function.__name__} has {p}"
            )
        (options if p.kind is p.KEYWORD_ONLY or p.default is not p.empty else arrays).append(p.name)
    if not arrays:
        raise TypeError(
            f"{function.__name__}{signature} has no array to differentiate by; parameters without a default are arrays"
        )
    return arrays, options


def _fitting(rules: Any, kind: str, first: str, function: Function, arrays: list[str], options: list[str]) -> None:
    """Raise unless each rule can be called with what it will get."""
    for rule in rules:
        try:
            if rule is not None:
                inspect.signature(rule).bind(None, None, *arrays, **dict.fromkeys(options))
        except TypeError as error:
            wanted = ", ".join([first, "out", *arrays, *options])
            raise TypeError(
                f"a {kind} rule of {function.__name__} is called as {kind}({wanted}), but takes "
                f"{inspect.signature(rule)}: {error}"
            ) from None


def _vjp_rules(vjp: Rules, function: Function, arrays: list[str], options: list[str]) -> list[Rule | None]:
    if vjp is None:
        raise TypeError("custom_gradient needs a rule: @custom_gradient(vjp=lambda g, out, x: ...)")
    each: list[Rule | None] = [vjp] if callable(vjp) else list(vjp)
    if not callable(vjp) and len(each) != len(arrays):
        raise TypeError(f"{function.__name__} has the arrays {', '.join(arrays)}, but {len(each)} vjp rules")
    _fitting(each, "vjp", "g", function, arrays, options)
    if callable(vjp):
        return [_part(vjp, i, function.__name__, len(arrays)) for i in range(len(arrays))]
    return [None if rule is None else _checked(rule, i, function.__name__) for i, rule in enumerate(each)]


def _checked(rule: Rule, i: int, name: str) -> Rule:
    def checked(g: Any, out: Any, *operands: Any, **options: Any) -> Any:
        return _like(rule(g, out, *operands, **options), operands[i], i, name)

    return checked


def _part(vjp: Rule, i: int, name: str, count: int) -> Rule:
    """Make the rule of one array from a rule for all."""

    def part(g: Any, out: Any, *operands: Any, **options: Any) -> Any:
        found = vjp(g, out, *operands, **options)
        if count == 1 and not isinstance(found, (tuple, list)):
            found = (found,)
        if not isinstance(found, (tuple, list)) or len(found) != count:
            raise TypeError(
                f"the vjp rule of {name} must return a tuple of {count} gradients, one for each array, but returned "
                f"{described(found)}"
            )
        return _like(found[i], operands[i], i, name)

    return part


def _like(gradient: Any, operand: Any, i: int, name: str) -> Any:
    """Return a gradient as an array that fits its operand, or refuse it."""
    if gradient is None:
        return np.zeros(operand.shape, operand.dtype)
    given = gradient
    if not isinstance(gradient, (np.ndarray, Traced)):
        gradient = np.asarray(gradient)
    if gradient.dtype.kind not in "biufc":
        raise TypeError(f"the vjp rule of {name} returned {described(given)} for argument {i}; expected numbers")
    try:
        fits = np.broadcast_shapes(gradient.shape, operand.shape) in (gradient.shape, operand.shape)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"the vjp rule of {name} returned shape {gradient.shape} for argument {i}, which has shape {operand.shape}"
        )
    # The rule may hold the array besides. The backward pass writes into what rules make, but never into a view.
    return gradient.view() if isinstance(gradient, np.ndarray) else gradient


def _jvp_rules(
    jvp: Rules | None, vjps: list[Rule | None], function: Function, arrays: list[str], options: list[str]
) -> list[Rule | None]:
    if jvp is None:
        return [None if rule is None else _transposed(rule, function.__name__) for rule in vjps]
    each: list[Rule | None] = [jvp] if callable(jvp) else list(jvp)
    if len(each) != len(arrays):
        raise TypeError(
            f"{function.__name__} has the arrays {', '.join(arrays)}, so it needs as many jvp rules, in a list; got "
            f"{len(each)}"
        )
    _fitting(each, "jvp", "t", function, arrays, options)
    return each


def _transposed(rule: Rule, name: str) -> Rule:
    """Make a jvp rule of a vjp rule: the transpose of a linear map is what its own backward pass computes.

    A map is its own transpose's transpose only if it is linear: <t, rule(g)> is then <change(t), g> for any g, which is
    checked for one.
    """

    def change(t: Any, out: Any, *operands: Any, **options: Any) -> Any:
        g = np.linspace(-1e3, 1e3, np.size(out)).astype(out.dtype).reshape(np.shape(out))
        back, pull = pull_through(lambda g: rule(g, out, *operands, **options), g)
        if np.shape(back) != np.shape(t):  # the rule left a broadcast to the engine
            t = np.broadcast_to(t, np.shape(back))
        moved = np.conj(pull(np.conj(t))) if back.dtype.kind == "c" else pull(t)
        sums = np.ravel(plain(t) * plain(back)), np.ravel(plain(moved) * g)
        size = sum(float(np.sum(np.abs(products))) for products in sums)
        if abs(complex(np.sum(sums[0]) - np.sum(sums[1]))) > 1e3 * np.finfo(out.dtype).eps * size:
            raise TypeError(
                f"the vjp rule of {name} is not linear in g, so it has no transpose for forward mode; give jvp= as well"
            )
        return moved

    return change


def check_custom(
    f: Function, *args: Any, order: int = 2, rng: np.random.Generator | None = None, **kwargs: Any
) -> None:
    """Raise unless the rules of a function with a gradient of its own are its derivatives.

    Each argument moves alone: reverse mode uses its vjp rule, forward mode its jvp rule, and differences use neither.
    Then the gradient is differentiated once more, as second derivatives do with the rules.

    Parameters
    ----------
    f : callable
        Made by :func:`custom_gradient`; or any other function that returns one array.
    *args : arrays
        Where. Choose it away from kinks. Arguments that are no floating point or complex arrays stand still.
    order : {1, 2}
        1 leaves second derivatives out, for rules that are not written in NumPy.
    rng : numpy.random.Generator, optional
        Draws the gradient that arrives at the result. Default: ``numpy.random.default_rng(0)``.
    **kwargs
        Options of ``f``.

    Raises
    ------
    AssertionError
        It says which argument is wrong, by which rule, and shows the routes side by side.
    ValueError
        If no argument has a derivative other than zero, so that nothing is shown.

    Examples
    --------
    >>> import numpy as np
    >>> @custom_gradient(vjp=lambda g, out, x, y: (g * y, g * y))
    ... def product(x, y):
    ...     return x * y
    >>> check_custom(product, np.array([1.0, 2.0]), np.array([0.5, -1.0]))
    Traceback (most recent call last):
        ...
    AssertionError: product, argument y: the vjp rule is not the derivative...
    """
    rng = np.random.default_rng(0) if rng is None else rng
    value = f(*args, **kwargs)
    numbers_of(value, f)
    if isinstance(value, (tuple, list, dict)):
        raise TypeError(
            f"check_custom takes a function that returns one array, but this one returned {described(value)}"
        )
    weights = _random_like(np.asarray(value), rng)
    names = list(inspect.signature(f).bind(*args, **kwargs).arguments)
    found = [
        _check_one(f, args, kwargs, i, name, weights, order, rng)
        for i, name in enumerate(names[: len(args)])
        if np.asarray(args[i]).dtype.kind in "fc"
    ]
    if wrong := [text for text in found if text]:
        raise AssertionError("\n\n".join(wrong))
    if None not in found:
        raise ValueError(
            "nothing to check: f has no argument of floating point numbers with a derivative other than zero here; "
            "choose another point"
        )


def _check_one(
    f: Function, args: tuple[Any, ...], kwargs: dict[str, Any], i: int, name: str, weights: Any, order: int, rng: Any
) -> str | None:
    """Return what is wrong with one argument; None if it is right, an empty text if it has no derivative."""
    from .comparison import compare_gradients  # which shows tables

    x = np.asarray(args[i], np.result_type(np.asarray(args[i]), np.float64))

    def moved(z: Any) -> Any:
        return np.sum(np.real(weights * f(*args[:i], z, *args[i + 1 :], **kwargs)))

    ways: dict[str, Function] = {"reverse": reverse, "forward": forward, "numeric": numeric}
    tolerances = {"reverse": 1e-10, "forward": 1e-10, "numeric": 1e-6}
    size = float(np.sum(np.abs(weights * f(*args, **kwargs))))
    table = compare_gradients(moved, x, ways, tolerances, scale=size)
    if not table.evidence and not table.absent:
        return ""
    if not table.agree:
        what = f"argument {name}: {_blame(table)}"
    else:
        if order < 2:
            return None
        direction = _random_like(x, rng)

        def slope(z: Any) -> Any:
            return np.sum(np.real(direction * reverse(moved)(z)))

        size = float(np.sum(np.abs(direction * table.routes[0].gradient)))
        table = compare_gradients(slope, x, {"reverse": reverse, "numeric": numeric}, tolerances, scale=size)
        if table.agree or (not table.evidence and not table.absent):
            return None
        what = (
            f"argument {name}: its vjp rule is right, but not what it gives when differentiated; write it with NumPy "
            "functions of g, out and the arrays, or check with order=1"
        )
    return f"{getattr(f, '__name__', 'f')}, {what}\n{table.show(timing=False)}"


def _blame(table: Any) -> str:
    taken = {route.name for route in table.routes}
    for route, rule in (("reverse", "vjp"), ("forward", "jvp")):
        if route not in taken:
            return f"the {rule} rule cannot be run"
        if "numeric" in taken and table.difference(route, "numeric") > 1e-6:
            return f"the {rule} rule is not the derivative of the function"
    return "the routes differ"


def _random_like(value: Any, rng: np.random.Generator) -> Any:
    drawn = rng.normal(size=np.shape(value))
    return drawn + 1j * rng.normal(size=np.shape(value)) if value.dtype.kind == "c" else drawn
