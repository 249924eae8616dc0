"""Trees belong together if they have the same structure: dicts by key, lists and tuples by position and kind."""

from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

from coursepkg.autodiff.trees import described, leaves_of, rebuild
from coursepkg.gradients import compare, forward, hvp, jvp, jvps, numeric, reverse, symbolic, vjp

ROUTES = {"reverse": reverse, "forward": forward, "numeric": numeric, "symbolic": symbolic}
every_route = pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)

Layer = namedtuple("Layer", "weight bias")


def steep(p):
    """Changes ten times as fast along a as along b."""
    return 10 * p["a"] + p["b"]


POINT = {"a": 1.0, "b": 2.0}


# --- dicts pair by key


def test_jvp_pairs_by_key():
    assert jvp(steep, POINT, {"b": 0.0, "a": 1.0})[1] == 10.0


def test_jvps_pair_by_key():
    directions = {"b": np.array([0.0, 1.0, 2.0]), "a": np.array([1.0, 0.0, 3.0])}
    np.testing.assert_array_equal(jvps(steep, POINT, directions)[1], [10.0, 1.0, 32.0])


def test_hvp_pairs_by_key():
    product = hvp(lambda p: 3 * p["a"] ** 2 * p["b"], POINT, {"b": 0.0, "a": 1.0})
    assert (product["a"], product["b"]) == (12.0, 6.0)


def test_pull_pairs_by_key():
    _, pull = vjp(lambda x: {"a": 10 * x, "b": x}, 2.0)
    assert pull({"b": 0.0, "a": 1.0}) == 10.0


def test_keys_pair_at_every_depth():
    point = {"net": [{"w": np.array([1.0, 2.0]), "b": 3.0}], "scale": 4.0}
    direction = {"scale": 0.0, "net": [{"b": 1.0, "w": np.array([0.0, 10.0])}]}
    change = jvp(lambda p: np.sum(p["net"][0]["w"] * p["net"][0]["b"] * p["scale"]), point, direction)[1]
    assert change == 4 * (1.0 + 2.0) + 3 * 4 * 10.0


# --- and are refused where they do not


@pytest.mark.parametrize(
    ("direction", "said"),
    [
        ({"a": 1.0}, r"\{'a': number, 'b': number\}, but is \{'a': number\}"),
        ({"a": 1.0, "c": 1.0}, r"but is \{'a': number, 'c': number\}"),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, "but is .*'c'"),
        ((1.0, 1.0), r"but is \(number, number\)"),
        ([1.0, 1.0], r"but is \[number, number\]"),
        ({"a": [1.0], "b": 1.0}, r"first at x\['a'\]: number against \[number\]; write np\.array"),
        ({"a": None, "b": 1.0}, r"first at x\['a'\]: number against None"),
        (1.0, "but is number"),
    ],
)
def test_a_direction_of_another_structure_is_refused_with_both_shown(direction, said):
    with pytest.raises(ValueError, match=said):
        jvp(steep, POINT, direction)
    with pytest.raises(ValueError, match=said):
        hvp(steep, POINT, direction)


@pytest.mark.parametrize(
    ("point", "direction"),
    [
        ([1.0, 2.0], (1.0, 0.0)),
        ((1.0, 2.0), [1.0, 0.0]),
        (Layer(1.0, 2.0), (1.0, 0.0)),
        ((1.0, 2.0), Layer(1.0, 0.0)),
        ((1.0, 2.0), (1.0,)),
        ((1.0, 2.0), (1.0, 0.0, 0.0)),
        ((1.0, 2.0), {0: 1.0, 1: 0.0}),
    ],
)
def test_lists_tuples_and_named_tuples_are_not_taken_for_one_another(point, direction):
    with pytest.raises(ValueError, match="must have the structure of x"):
        jvp(lambda p: p[0] * p[1], point, direction)


def test_a_gradient_of_another_structure_is_not_pulled_back():
    _, pull = vjp(lambda x: (x, {"twice": 2 * x}), np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"structure of f\(x\), which is \(array \(2,\), \{'twice': array \(2,\)\}\)"):
        pull([np.ones(2), {"twice": np.ones(2)}])
    with pytest.raises(ValueError, match=r"at f\(x\)\[1\]\['twice'\] the shape is \(2,\), but that given is \(3,\)"):
        pull((np.ones(2), {"twice": np.ones(3)}))


def test_the_constant_part_of_a_value_is_checked_too():
    _, pull = vjp(lambda x: (2 * x, np.array([5.0, 6.0])), 1.0)
    assert pull((3.0, np.array([7.0, 7.0]))) == 6.0
    with pytest.raises(ValueError, match=r"at f\(x\)\[1\]"):
        pull((3.0, 7.0))


def test_a_direction_of_another_shape_or_kind_is_refused():
    x = np.array([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"\(3,\), but that given is \(2,\)"):
        jvp(np.sin, x, np.ones(2))
    with pytest.raises(ValueError, match=r"write np\.array"):
        jvp(np.sin, x, [1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="must be real where x is"):
        jvp(np.sin, x, np.array([1j, 0, 0]))
    with pytest.raises(ValueError, match="must be numbers"):
        jvp(np.sin, x, np.array(["a", "b", "c"]))


def test_no_direction_at_all_is_refused():
    with pytest.raises(ValueError, match="number of directions"):
        jvps(lambda p: 1.0, {}, {})


# --- what structures there are


@every_route
def test_a_named_tuple_stays_one(route):
    found = route(lambda p: np.sum(p.weight) * p.bias)(Layer(np.array([1.0, 2.0]), 5.0))
    assert type(found) is Layer
    np.testing.assert_allclose(found.weight, [5.0, 5.0], rtol=1e-8)
    np.testing.assert_allclose(found.bias, 3.0, rtol=1e-8)


@every_route
@pytest.mark.parametrize("kind", [OrderedDict, lambda **parts: defaultdict(list, parts)])
def test_kinds_of_dicts_stay_what_they_are(route, kind):
    point = kind(w=np.array([1.0, 2.0]), b=np.array(3.0))
    found = route(lambda p: np.sum(p["w"] ** 2) * p["b"])(point)
    assert type(found) is type(point)
    assert list(found) == ["w", "b"]
    np.testing.assert_allclose(found["w"], [6.0, 12.0], rtol=1e-8)
    np.testing.assert_array_equal(point["w"], [1.0, 2.0])


def test_a_default_dict_keeps_its_factory():
    assert reverse(lambda p: p["w"] * 2.0)(defaultdict(list, w=np.array(1.0)))["missing"] == []


@every_route
def test_none_holds_no_array(route):
    def f(p):
        assert p["bias"] is None
        return np.sum(p["w"] ** 2)

    found = route(f)({"w": np.array([1.0, 2.0]), "bias": None})
    assert found["bias"] is None
    np.testing.assert_allclose(found["w"], [2.0, 4.0], rtol=1e-8)


def test_none_pairs_with_none():
    point = {"w": np.array([1.0, 2.0]), "bias": None}
    assert jvp(lambda p: np.sum(p["w"]), point, {"bias": None, "w": np.array([1.0, 10.0])})[1] == 11.0
    with pytest.raises(ValueError, match=r"x\['bias'\]: None against number"):
        jvp(lambda p: np.sum(p["w"]), point, {"bias": 0.0, "w": np.array([1.0, 10.0])})


@every_route
@pytest.mark.parametrize("empty", [(), [], {}, {"a": []}])
def test_an_empty_tree_has_an_empty_gradient(route, empty):
    assert route(lambda p: 3.0)(empty) == empty


@every_route
def test_none_alone_is_no_point(route):
    with pytest.raises(TypeError, match="x is None"):
        route(lambda x: 1.0)(None)


def test_leaves_come_back_where_they_were():
    tree = {"b": [np.array(1.0), None, (2.0,)], "a": Layer(3.0, {})}
    assert rebuild(tree, leaves_of(tree)) == tree


def test_long_structures_are_cut_short():
    assert described({"w": np.ones((2, 3)), "rest": (1.0,)}) == "{'w': array (2, 3), 'rest': (number,)}"
    assert described(Layer(1.0, None)) == "Layer(weight=number, bias=None)"
    assert len(described([np.ones(3)] * 1000)) == 300


def test_comparisons_take_a_gradient_by_key():
    point = {"a": np.array(1.5), "b": np.array(2.5)}
    mine = {"mine": lambda f: lambda p: {"b": p["a"], "a": p["b"]}, "reverse": reverse}
    assert compare(lambda p: p["a"] * p["b"], point, routes=mine)
