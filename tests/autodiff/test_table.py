"""Every entry of the table, found by itself: adjoint rules, slopes of the function, agreement with algebra."""

import numpy as np
import pytest

from coursepkg.autodiff import catalogue  # noqa: F401  (fills the table)
from coursepkg.autodiff.entry_checks import prepare, problems_of, second_order_problems
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.table import COMPOSITES, PRIMITIVES, example, fixed, primitive
from coursepkg.autodiff.trees import leaves_of, rebuild

# Rooms above test the primitives that they enter; whether they are loaded here depends on the order of files.
ENTRIES = [
    entry
    for entry in [*PRIMITIVES.values(), *COMPOSITES.values()]
    if not (getattr(entry.function, "__module__", None) or "").startswith("coursepkg.nn")
]
CASES = [
    pytest.param(entry, call, id=f"{entry.name}-{i}") for entry in ENTRIES for i, call in enumerate(entry.examples)
]
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
every_case = pytest.mark.parametrize(("entry", "call"), CASES)


@every_case
def test_vjp_is_adjoint_of_jvp_and_both_are_the_slope(entry, call):
    for seed in range(5):
        assert problems_of(entry, call, np.random.default_rng(seed)) == []


@every_case
def test_rules_agree_with_sympy(entry, call):
    assert problems_of(entry, call, np.random.default_rng(10), algebra=True) == []


@every_case
def test_rules_can_be_differentiated_again(entry, call):
    for seed in range(2):
        assert second_order_problems(entry, call, np.random.default_rng(seed)) == []


def pulled(f, x, rng):
    """What comes back for a random gradient at the output."""
    value, pull = vjp(f, x)
    c = [rng.normal(size=np.shape(v)).astype(np.asarray(v).dtype) for v in value]
    return leaves_of(pull(c))


@every_case
def test_float32_stays_float32(entry, call):
    f, x = prepare(entry, call, np.random.default_rng(3))
    leaves = leaves_of(x)
    narrow = rebuild(x, [leaf.astype(np.complex64 if leaf.dtype.kind == "c" else np.float32) for leaf in leaves])
    value, pull = vjp(f, narrow)
    rng = np.random.default_rng(4)
    c = [np.asarray(rng.normal(size=np.shape(v)), np.asarray(v).dtype) for v in value]
    g = leaves_of(pull(c))
    if (getattr(entry.function, "__module__", None) or "").startswith("coursepkg"):
        if entry.name != "astype":  # whose purpose is to change the dtype
            assert all(np.asarray(v).dtype in (np.float32, np.complex64) for v in value)
    else:  # a few of NumPy's functions compute with float64 whatever they get
        assert [np.asarray(v).dtype for v in value] == [np.asarray(v).dtype for v in f(narrow)]
    assert [v.dtype for v in g] == [leaf.dtype for leaf in leaves_of(narrow)]
    exact = leaves_of(vjp(f, x)[1]([v.astype(np.result_type(v, np.float64)) for v in c]))
    for single, double in zip(g, exact, strict=True):
        np.testing.assert_allclose(single, double, rtol=2e-3, atol=2e-4)


@every_case
def test_memory_layout_does_not_matter(entry, call):
    f, x = prepare(entry, call, np.random.default_rng(5))

    def strided(a):
        """The same numbers, every second entry of a larger array in the other order."""
        wide = np.full([2 * n for n in a.shape[::-1]], np.nan, a.dtype)
        view = wide.transpose()[(..., *[slice(None, None, 2)] * a.ndim)]
        view[...] = a
        return view

    expected = pulled(f, x, np.random.default_rng(6))
    found = pulled(f, rebuild(x, [strided(leaf) for leaf in leaves_of(x)]), np.random.default_rng(6))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@every_case
def test_rules_leave_values_and_gradients_alone(entry, call):
    f, x = prepare(entry, call, np.random.default_rng(7))
    before = [leaf.copy() for leaf in leaves_of(x)]
    value, pull = vjp(f, x)
    c = [np.random.default_rng(8).normal(size=np.shape(v)).astype(np.asarray(v).dtype) for v in value]
    kept = [np.array(v) for v in value], [v.copy() for v in c]
    first = [np.array(g) for g in leaves_of(pull(c))]
    for a, b in zip([*leaves_of(x), *value, *c], [*before, *kept[0], *kept[1]], strict=True):
        np.testing.assert_array_equal(a, b)
    again = leaves_of(pull(c))
    for a, b in zip(again, first, strict=True):
        np.testing.assert_array_equal(a, b)
    for g in again:  # what users get is theirs: writable, and no part of anything else
        assert g.flags.writeable
        assert not any(np.shares_memory(g, other) for other in [*leaves_of(x), *c] if g.size)


@every_entry
def test_every_entry_has_an_example_with_evidence(entry):
    rng = np.random.default_rng(0)
    assert any(leaves_of(prepare(entry, call, rng)[1]) for call in entry.examples)


def test_examples_broadcast_and_are_not_square():
    for entry in PRIMITIVES.values():
        if entry.elementwise and len(entry.vjp) == 2:
            shapes = [tuple(np.shape(a) for a in call.draw(np.random.default_rng(0))) for call in entry.examples]
            assert any(a != b for a, b in shapes), entry.name
            assert any(a == () and b != () for a, b in shapes), entry.name


def test_an_entry_without_examples_is_refused():
    with pytest.raises(ValueError, match="no examples"):
        primitive(lambda x: x, vjp=[None], jvp=[None], examples=[], name="nothing")


def test_a_second_entry_for_a_function_is_refused():
    with pytest.raises(ValueError, match="in the table already"):
        primitive(np.tanh, vjp=[None], jvp=[None], examples=[example((2,))])


def test_fixed_arguments_are_taken_as_they_are():
    index = np.array([1, 0])
    drawn = example((3,), fixed(index)).draw(np.random.default_rng(0))
    assert drawn[0].shape == (3,)
    assert drawn[1] is index
