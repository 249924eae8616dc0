"""Planted wrong rules, in every primitive of the table: the checks that pass the right rules catch them all.

A check is worth what it catches. Each mutation here is a mistake that people make in a backward pass.
"""

import numpy as np
import pytest

from coursepkg.autodiff import catalogue, tape  # noqa: F401  (fills the table)
from coursepkg.autodiff.entry_checks import problems_of
from coursepkg.autodiff.table import LINEAR, PRIMITIVES, Each

RULES = [
    pytest.param(entry, argument, id=f"{entry.name}-{argument}")
    for entry in PRIMITIVES.values()
    for argument, rule in enumerate([None] if isinstance(entry.vjp, Each) else entry.vjp)
    if rule is not None or isinstance(entry.vjp, Each)
]


def swapped(a):
    """The transpose where there is one; the reverse for vectors."""
    a = np.asarray(a)
    return np.swapaxes(a, -1, -2) if a.ndim >= 2 else a[::-1]


def dense(a, args, argument):
    """A rule's answer as a plain array."""
    return a.spread(args[argument]) if hasattr(a, "spread") else np.asarray(a)


WRONG = {
    "wrong sign": lambda rule, argument: lambda g, out, *args, **kw: -dense(rule(g, out, *args, **kw), args, argument),
    "twice as large": lambda rule, argument: (
        lambda g, out, *args, **kw: 2 * dense(rule(g, out, *args, **kw), args, argument)
    ),
    "half as large": lambda rule, argument: (
        lambda g, out, *args, **kw: dense(rule(g, out, *args, **kw), args, argument) / 2
    ),
    "zero": lambda rule, argument: (
        lambda g, out, *args, **kw: np.zeros_like(dense(rule(g, out, *args, **kw), args, argument))
    ),
    "ignores the gradient that arrives": lambda rule, argument: (
        lambda g, out, *args, **kw: rule(np.ones_like(g), out, *args, **kw)
    ),
    "adds instead of multiplying": lambda rule, argument: (
        lambda g, out, *args, **kw: dense(rule(g, out, *args, **kw), args, argument) + 0.5
    ),
    "transposed": lambda rule, argument: (
        lambda g, out, *args, **kw: swapped(dense(rule(g, out, *args, **kw), args, argument))
    ),
    "off by a part in a hundred thousand": lambda rule, argument: (
        lambda g, out, *args, **kw: dense(rule(g, out, *args, **kw), args, argument) * 1.00001
    ),
}


def with_wrong(rules, argument, mutation):
    """The rules of a primitive with one of them (or the one that serves all arguments) replaced."""
    if isinstance(rules, Each):
        right = rules.rule
        return Each(
            lambda index, g, out, *args, **kw: mutation(
                lambda g, out, *args, **kw: right(index, g, out, *args, **kw), index
            )(g, out, *args, **kw)
        )
    return [mutation(rule, i) if i == argument else rule for i, rule in enumerate(rules)]


def caught(entry):
    """Whether the checks find anything wrong in an entry."""
    return any(problems_of(entry, call, np.random.default_rng(seed)) for call in entry.examples for seed in range(3))


def harmless(entry, mistake):
    """A mutation that changes nothing is no mistake: zero has no sign, and a vector no transpose."""
    if entry.flat:
        return mistake != "adds instead of multiplying"
    return False


@pytest.mark.parametrize("mistake", WRONG)
@pytest.mark.parametrize(("entry", "argument"), RULES)
def test_a_wrong_vjp_is_caught(entry, argument, mistake, monkeypatch):
    if harmless(entry, mistake):
        pytest.skip("the derivative is zero everywhere, so this mutation changes nothing")
    monkeypatch.setattr(entry, "vjp", with_wrong(entry.vjp, argument, WRONG[mistake]))
    assert caught(entry)


@pytest.mark.parametrize(("entry", "argument"), RULES)
def test_a_wrong_jvp_is_caught(entry, argument, monkeypatch):
    if entry.flat:
        pytest.skip("the derivative is zero everywhere")

    def negative(rule):
        if rule is LINEAR:
            return lambda t, out, *args, **kw: -entry.forward(*args[:argument], t, *args[argument + 1 :], **kw)
        return lambda t, out, *args, **kw: -rule(t, out, *args, **kw)

    if isinstance(entry.jvp, Each):
        right = entry.jvp.rule
        wrong = Each(lambda index, t, out, *args, **kw: -right(index, t, out, *args, **kw))
    else:
        wrong = [negative(rule) if i == argument else rule for i, rule in enumerate(entry.jvp)]
    monkeypatch.setattr(entry, "jvp", wrong)
    assert caught(entry)


@pytest.mark.parametrize(
    "entry", [e for e in PRIMITIVES.values() if e.elementwise and not e.flat], ids=lambda e: e.name
)
def test_the_same_mistake_in_vjp_and_jvp_is_caught(entry, monkeypatch):
    """Where one rule serves both, the adjoint identity holds for a wrong rule too; the function itself convicts it."""
    argument = next(i for i, rule in enumerate(entry.vjp) if rule is not None)
    wrong = [
        (lambda g, out, *args, rule=rule: 2 * rule(g, out, *args)) if i == argument else rule
        for i, rule in enumerate(entry.vjp)
    ]
    monkeypatch.setattr(entry, "vjp", wrong)
    monkeypatch.setattr(entry, "jvp", wrong)
    assert caught(entry)


@pytest.mark.parametrize(
    "entry",
    # The derivative of heaviside by its second argument is zero but at a jump, so the mistake changes nothing.
    [
        e
        for e in PRIMITIVES.values()
        if e.elementwise and len(e.vjp) > 1 and not e.flat and e.function is not np.heaviside
    ],
    ids=lambda e: e.name,
)
def test_a_missing_unbroadcast_is_caught(entry, monkeypatch):
    """A broadcast copies forward; keeping one copy's gradient instead of the sum is the classic mistake."""

    def first_copy_only(g, like):
        g = g[(0,) * (g.ndim - like.ndim)]
        return g[tuple(slice(0, n) for n in like.shape)].astype(like.dtype)

    monkeypatch.setattr(tape, "fit", first_copy_only)
    assert caught(entry)
