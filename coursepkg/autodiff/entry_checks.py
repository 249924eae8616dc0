"""Checks of one entry of the table: what the test suite runs on every primitive, and what you run on one you add.

The one idea is the adjoint identity: for any change t of the input and any gradient c at the output, <c, jvp(t)> equals
<vjp(c), t>. Random c and t make a wrong entry of a Jacobian show with probability one. A difference quotient along t
then ties both to the function itself (HIPS autograd's ``test_util`` does the same for its primitives).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .forward_mode import jvp, jvps
from .reverse_mode import reverse, vjp
from .table import Composite, Example, Primitive
from .trees import leaves_of, rebuild
from .witnesses import symbolic

__all__ = ["check_entry", "prepare", "problems_of"]

EXACT = 1e-12
NUMERIC = 1e-6


def prepare(
    entry: Primitive | Composite, example: Example, rng: np.random.Generator
) -> tuple[Callable[..., Any], list]:
    """Turn an example into a function of its differentiable arguments and a point.

    Parameters
    ----------
    entry : Primitive or Composite
        What to call.
    example : Example
        How to call it.
    rng : numpy.random.Generator
        Draws the point.

    Returns
    -------
    f : callable
        Takes a list of arguments and returns a list of arrays.
    x : list
        The point: the arguments that are floating point or complex arrays, or lists of such.
    """
    drawn = example.draw(rng)
    moves = [
        i
        for i, (a, given) in enumerate(zip(drawn, example.args, strict=True))
        if isinstance(given, (tuple, list)) and all(np.asarray(leaf).dtype.kind in "fc" for leaf in leaves_of(a))
    ]

    def f(x: list) -> list:
        args = list(drawn)
        for i, a in zip(moves, x, strict=True):
            args[i] = a
        out = entry.function(*args, **example.kwargs)
        return list(out) if isinstance(out, (tuple, list)) else [out]

    x = [drawn[i] for i in moves]
    return f, rebuild(x, [np.asarray(leaf) for leaf in leaves_of(x)])


def _random(leaves: list[Any], rng: np.random.Generator) -> list[np.ndarray]:
    """Draw one array per leaf, of its shape and dtype."""
    drawn = []
    for leaf in leaves:
        a = rng.normal(size=np.shape(leaf))
        if np.asarray(leaf).dtype.kind == "c":
            a = a + 1j * rng.normal(size=np.shape(leaf))
        drawn.append(a.astype(np.asarray(leaf).dtype))
    return drawn


def _products(a: list[Any], b: list[Any]) -> np.ndarray:
    """Return all products of matching entries; their sum is the real inner product."""
    return np.concatenate([np.ravel(np.real(np.conj(p) * q)) for p, q in zip(a, b, strict=True)])


def _off(a: float, b: float, size: float) -> float:
    return abs(a - b) / size if size else abs(a - b)


def problems_of(
    entry: Primitive | Composite, example: Example, rng: np.random.Generator, *, algebra: bool = False
) -> list[str]:
    """Check the derivatives of an entry at one example.

    Parameters
    ----------
    entry : Primitive or Composite
        The entry.
    example : Example
        The call.
    rng : numpy.random.Generator
        Draws the point, the direction and the gradient at the output.
    algebra : bool
        Also compare with sympy, which is slow.

    Returns
    -------
    list of str
        What is wrong, in words; empty if nothing is.
    """
    f, x = prepare(entry, example, rng)
    leaves = leaves_of(x)
    value = [np.asarray(v) for v in f(x)]
    c, t = _random(value, rng), _random(leaves, rng)
    try:
        _, pull = vjp(f, x)
        g = leaves_of(pull(c))
        _, change = jvp(f, x, rebuild(x, t))
    except Exception as error:  # noqa: BLE001 (whatever a wrong rule raises is a finding)
        return [f"a rule raised {type(error).__name__}: {error}"]

    problems = []
    for leaf, gradient in zip(leaves, g, strict=True):
        if gradient.shape != leaf.shape or gradient.dtype != leaf.dtype:
            problems.append(f"vjp has {gradient.shape} {gradient.dtype}, its argument {leaf.shape} {leaf.dtype}")
    if problems:
        return problems
    forward_terms, reverse_terms = _products(c, change), _products(g, t)
    size = float(np.sum(np.abs(forward_terms)) + np.sum(np.abs(reverse_terms)))
    flat = getattr(entry, "flat", False) or not sum(v.size for v in value) or not sum(leaf.size for leaf in leaves)
    if flat:
        return ["the derivative is not zero, but the entry says flat=True"] if size else []
    if size < 1e-9:
        return ["every derivative is zero, which proves nothing; if that is right, say flat=True"]
    along = float(np.sum(forward_terms))
    if not _off(along, float(np.sum(reverse_terms)), size) < EXACT:
        problems.append(f"vjp is not the transpose of jvp: {np.sum(reverse_terms)} against {along}")
    slope = _directional(f, x, t, c)
    if not _off(along, slope, size) < NUMERIC:
        problems.append(f"jvp is not the slope of the function: {along} against {slope}")
    if not _off(float(np.sum(reverse_terms)), slope, size) < NUMERIC:
        problems.append(f"vjp is not the slope of the function: {np.sum(reverse_terms)} against {slope}")
    if algebra and not problems:
        problems += _algebra(f, x, c, g)
    return problems


def _directional(f: Callable[..., Any], x: list, t: list, c: list) -> float:
    """Return the slope of <c, f> along t by differences of fourth order."""

    def at(step: float) -> float:
        moved = [leaf + step * way for leaf, way in zip(leaves_of(x), t, strict=True)]
        return float(np.sum(_products(c, f(rebuild(x, moved)))))

    # Random directions are about one long per entry; examples keep at least 0.1 away from kinks.
    h = 1e-3 / max([1.0, *(float(np.max(np.abs(way))) for way in t if way.size)])
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def _scalar_of(f: Callable[..., Any], c: list) -> Callable[..., Any]:
    """Return x -> <c, f(x)>, written so that it can be traced."""

    def paired(x: list) -> Any:
        parts = [np.sum(np.real(np.conj(w) * v)) for w, v in zip(c, f(x), strict=True)]
        return sum(parts[1:], parts[0])

    return paired


def _algebra(f: Callable[..., Any], x: list, c: list, g: list) -> list[str]:
    exact = leaves_of(symbolic(_scalar_of(f, c))(x))
    problems = []
    for ours, right in zip(g, exact, strict=True):
        size = float(np.max(np.abs(right), initial=0.0))
        if not _off(float(np.max(np.abs(ours - right), initial=0.0)), 0.0, size) < EXACT:
            problems.append(f"vjp is not sympy's derivative: {ours.tolist()} against {right.tolist()}")
    return problems


def second_order_problems(entry: Primitive | Composite, example: Example, rng: np.random.Generator) -> list[str]:
    """Check that the rules can be differentiated: the derivative of the vjp along a direction, by three routes.

    Parameters
    ----------
    entry, example, rng
        As for :func:`problems_of`.

    Returns
    -------
    list of str
        What is wrong, in words; empty if nothing is.
    """
    f, x = prepare(entry, example, rng)
    leaves = leaves_of(x)
    c, t, s = _random(f(x), rng), _random(leaves, rng), _random(leaves, rng)
    # A quadratic on top, so that linear primitives have a second derivative too.
    loss = _scalar_of(lambda z: [v * (v * 0.5 + w) for v, w in zip(f(z), c, strict=True)], c)
    gradient = reverse(loss)
    forward_over_reverse = leaves_of(jvp(gradient, x, rebuild(x, t))[1])
    reverse_over_reverse = leaves_of(
        reverse(lambda z: _scalar_of(lambda y: leaves_of(gradient(y)), t)(z))(x)  # the Hessian is symmetric
    )
    terms = _products(s, forward_over_reverse)
    slope = _directional(lambda z: leaves_of(gradient(z)), x, t, s)
    size = float(np.sum(np.abs(terms)))
    problems = []
    if not _off(float(np.sum(terms)), float(np.sum(_products(s, reverse_over_reverse))), size) < 1e-10:
        problems.append("reverse over reverse differs from forward over reverse")
    if not _off(float(np.sum(terms)), slope, size) < 1e-5:
        problems.append(f"the second derivative is not the slope of the first: {np.sum(terms)} against {slope}")
    return problems


def stacked_problems(entry: Primitive | Composite, example: Example, rng: np.random.Generator) -> list[str]:
    """Check that several directions at once give what they give one after the other.

    Parameters
    ----------
    entry, example, rng
        As for :func:`problems_of`.

    Returns
    -------
    list of str
        What is wrong, in words; empty if nothing is.
    """
    f, x = prepare(entry, example, rng)
    leaves = leaves_of(x)
    single = [_random(leaves, rng) for _ in range(3)]
    expected = [leaves_of(jvp(f, x, rebuild(x, t))[1]) for t in single]
    found = leaves_of(jvps(f, x, rebuild(x, [np.stack(ways) for ways in zip(*single, strict=True)]))[1])
    problems = []
    for stack, changes in zip(found, zip(*expected, strict=True), strict=True):
        right = np.stack(changes)
        if stack.shape != right.shape or stack.dtype != right.dtype:
            problems.append(f"jvps has {stack.shape} {stack.dtype}, single directions {right.shape} {right.dtype}")
        elif not np.allclose(stack, right, rtol=EXACT, atol=EXACT * float(np.max(np.abs(right), initial=0.0))):
            problems.append(f"jvps differs from single directions: {stack.tolist()} against {right.tolist()}")
    return problems


def check_entry(entry: Primitive | Composite, rng: np.random.Generator) -> None:
    """Raise unless the derivatives of an entry are right at all its examples.

    Parameters
    ----------
    entry : Primitive or Composite
        For example ``PRIMITIVES[np.tanh]``.
    rng : numpy.random.Generator
        Source of randomness.

    Raises
    ------
    AssertionError
        With everything that was found wrong.

    Examples
    --------
    >>> from coursepkg.autodiff.table import PRIMITIVES
    >>> check_entry(PRIMITIVES[np.tanh], np.random.default_rng(0))
    """
    found = [
        f"{entry.name}{example.args}{example.kwargs or ''}: {problem}"
        for example in entry.examples
        for problem in [
            *problems_of(entry, example, rng, algebra=True),
            *stacked_problems(entry, example, rng),
        ]
    ]
    if found:
        raise AssertionError("\n".join(found))
