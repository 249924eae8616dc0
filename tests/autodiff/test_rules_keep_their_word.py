"""What an entry of the table says of its rules holds: what they read, and that what they return is nobody else's.

The tape keeps only what `reads` names, and the backward pass adds into arrays that rules return. So a rule that reads
more would meet nothing there, and one that returns an array of somebody else would see it overwritten.
"""

import numpy as np
import pytest

from coursepkg.autodiff import catalogue  # noqa: F401  (fills the table)
from coursepkg.autodiff.primitives.indexing import Patch
from coursepkg.autodiff.table import LINEAR, PRIMITIVES, Primitive, example
from coursepkg.autodiff.trees import leaves_of

# Rooms above test the primitives that they enter; whether they are loaded here depends on the order of files.
ENTRIES = [
    entry
    for entry in PRIMITIVES.values()
    if not (getattr(entry.function, "__module__", None) or "").startswith("coursepkg.nn")
]
CASES = [
    pytest.param(entry, call, id=f"{entry.name}-{i}") for entry in ENTRIES for i, call in enumerate(entry.examples)
]
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
every_case = pytest.mark.parametrize(("entry", "call"), CASES)


class Outline:
    """What stands for a value that the tape did not keep: its shape and dtype and nothing else."""

    def __init__(self, value):
        self.shape, self.ndim, self.dtype = np.shape(value), np.ndim(value), np.asarray(value).dtype

    def __array__(self, dtype=None, copy=None):
        raise TypeError("a rule reads a value that the tape did not keep")


class Step:
    """One call of a primitive on plain arrays, ready for its rules."""

    def __init__(self, entry, call, rng):
        self.entry, self.options = entry, call.kwargs
        self.operands = [np.asarray(a) if isinstance(a, np.generic) else a for a in call.draw(rng)]
        out = entry.forward(*self.operands, **self.options)
        self.out, self.saved = out if entry.saves else (out, out)
        self.out = np.asarray(self.out)
        self.g = random_like(self.out, rng)
        self.rng = rng

    def rules(self, rules):
        """The rules of all operands that have one, with the operand."""
        return [(rules[i], a) for i, a in enumerate(self.operands) if rules[i] not in (None, LINEAR)]

    def names(self):
        """The name of each operand."""
        names = self.entry.operands
        return [names[min(i, len(names) - 1)] for i in range(len(self.operands))]

    def kept(self, without=()):
        """What the tape hands a rule: the result or what was saved, and the operands, some of them as outlines."""
        read = {*self.entry.operands, "out"} if self.entry.reads is None else set(self.entry.reads.split())
        out = self.saved if self.entry.saves or ("out" in read and "out" not in without) else None
        operands = [
            a if name in read and name not in without else Outline(a)
            for name, a in zip(self.names(), self.operands, strict=True)
        ]
        return out, operands

    def gradients(self, without=()):
        """The gradients of all operands that have a rule, from what the tape keeps."""
        out, operands = self.kept(without)
        return [rule(self.g, out, *operands, **self.options) for rule, _ in self.rules(self.entry.vjp)]


def random_like(a, rng):
    """Random numbers of the shape and dtype of an array."""
    drawn = rng.normal(size=a.shape)
    return (drawn + 1j * rng.normal(size=a.shape) if a.dtype.kind == "c" else np.asarray(drawn)).astype(a.dtype)


def array_of(gradient, operand):
    """A gradient as an array, also if it is a patch of one."""
    return gradient.spread(np.asarray(operand)) if isinstance(gradient, Patch) else np.asarray(gradient)


@every_case
def test_a_rule_needs_nothing_that_reads_does_not_name(entry, call):
    step = Step(entry, call, np.random.default_rng(0))
    everything = [rule(step.g, step.saved, *step.operands, **step.options) for rule, _ in step.rules(entry.vjp)]
    for ours, right, (_, operand) in zip(step.gradients(), everything, step.rules(entry.vjp), strict=True):
        np.testing.assert_array_equal(array_of(ours, operand), array_of(right, operand))


@every_entry
def test_whatever_reads_names_is_read(entry):
    if entry.saves and entry.recover is None:
        return  # second derivatives run the forward rule again, and it reads the operands
    for name in (entry.reads or "").split():
        raised = 0
        for i, call in enumerate(entry.examples):
            try:
                Step(entry, call, np.random.default_rng(i)).gradients(without=[name])
            except (TypeError, AttributeError, ValueError):
                raised += 1
        assert raised, f"no rule of {entry.name} reads {name}: the tape keeps it for nothing"


@every_case
def test_what_a_rule_returns_belongs_to_nobody_else(entry, call):
    step = Step(entry, call, np.random.default_rng(1))
    others = [a for a in [*leaves_of(step.operands), *leaves_of(step.saved), step.out] if isinstance(a, np.ndarray)]
    t = [random_like(np.asarray(a), step.rng) for _, a in step.rules(entry.jvp)]
    pulled = [(step.g, rule) for rule, _ in step.rules(entry.vjp)]
    pushed = [(way, rule) for way, (rule, _) in zip(t, step.rules(entry.jvp), strict=True)]
    for given, rule in [*pulled, *pushed]:
        found = rule(given, step.saved, *step.operands, **step.options)
        array = found.g if isinstance(found, Patch) else np.asarray(found)
        assert not any(np.shares_memory(array, other) for other in others if other.size)


@every_case
def test_a_rule_makes_its_array_anew_each_time(entry, call):
    step = Step(entry, call, np.random.default_rng(2))
    first, second = step.gradients(), step.gradients()
    for one, two in zip(first, second, strict=True):
        one, two = (v.g if isinstance(v, Patch) else np.asarray(v) for v in (one, two))
        if one.size and not np.shares_memory(one, step.g):
            assert not np.shares_memory(one, two), "an array that is kept elsewhere would be written into"


def test_the_checks_find_a_rule_that_breaks_its_word():
    def entry(vjp, **properties):
        return Primitive(
            name="wrong", function=np.multiply, forward=np.multiply, vjp=vjp, jvp=vjp, elementwise=True,
            examples=(example((3,), (3,)),), **properties,
        )  # fmt: skip

    def right(g, out, x, y):
        return g * y

    reads_more = entry([right, lambda g, out, x, y: g * x], reads="x")
    with pytest.raises((TypeError, AttributeError)):
        test_a_rule_needs_nothing_that_reads_does_not_name(reads_more, reads_more.examples[0])
    keeps_more = entry([right, lambda g, out, x, y: g * y], reads="x y")
    with pytest.raises(AssertionError, match="keeps it for nothing"):
        test_whatever_reads_names_is_read(keeps_more)
    gives_away = entry([lambda g, out, x, y: y, lambda g, out, x, y: out])
    with pytest.raises(AssertionError):
        test_what_a_rule_returns_belongs_to_nobody_else(gives_away, gives_away.examples[0])
    cache = np.zeros(3)
    caches = entry([lambda g, out, x, y: cache, right])
    with pytest.raises(AssertionError, match="kept elsewhere"):
        test_a_rule_makes_its_array_anew_each_time(caches, caches.examples[0])
