"""Hidden inputs go far out: tiny and huge entries, long axes, whole numbers, wherever right answers agree."""

import numpy as np
import pytest
from grading_chapters import exercises, judged

from coursepkg.grading.specification.domain import Array, Choice, Listing, Number, outside
from coursepkg.grading.specification.extremes import HUGE, LONG, SMALL, TINY, far_out

RNG = np.random.default_rng(3)
X = [RNG.normal(size=(n, 2)) for n in (3, 4)]


def made(domain, *cases, answer=lambda v: 1.0):
    return [v for _, _, v in far_out(domain, cases, answer, lambda v, wanted: wanted != "contested")]


def numbers(name, found):
    return [float(np.max(np.abs(v[name]))) for v in found]


def test_an_array_is_made_long_small_whole_and_extreme():
    domain = {"x": Array("n k"), "t": Number(more_than=0, less_than=1)}
    found = made(domain, {"x": X[0], "t": 0.5})
    assert all(not outside(domain, v) for v in found)
    assert {v["x"].shape for v in found} == {(3, 2), (LONG, 2), (3, LONG), (1, 1), (2, 2)}
    assert {HUGE[0], max(abs(X[0].ravel())) * SMALL[0]} <= set(numbers("x", found))
    assert any((v["x"] == np.round(v["x"])).all() for v in found)
    assert any(1e-6 < np.abs(v["x"] - np.round(v["x"])).max() < 1e-4 for v in found)
    assert {v["t"] for v in found} >= {TINY[0], 1 - TINY[0]}


def test_rows_of_a_long_array_differ():
    long = [v["x"] for v in made({"x": Array("n k")}, {"x": X[0]}) if len(v["x"]) == LONG]
    assert len(np.unique(long[0], axis=0)) == LONG


def test_the_furthest_on_which_right_answers_agree_is_taken():
    domain = {"x": Array("n k")}
    found = made(domain, {"x": X[0]}, answer=lambda v: 1.0 if np.abs(v["x"]).max() <= HUGE[1] else "contested")
    assert max(numbers("x", found)) == HUGE[1]
    assert made(domain, {"x": X[0]}, answer=lambda v: None) == []


def test_what_rounding_leaves_of_a_vanishing_result_is_not_asked_for():
    domain = {"x": Array("n k")}
    saturated = made(domain, {"x": X[0]}, answer=lambda v: 1e-7 if np.abs(v["x"]).max() > 2e3 else 0.5)
    assert max(numbers("x", saturated)) == HUGE[1]
    gone = made(domain, {"x": X[0]}, answer=lambda v: 0.0)
    assert max(numbers("x", gone)) == HUGE[0]


def test_an_angle_goes_round_many_times_both_ways():
    found = made({"phase": Number(period=2 * np.pi)}, {"phase": 0.3})
    assert {round(v["phase"] / (2 * np.pi)) for v in found} >= {17, -17}


def test_no_axis_is_longer_than_its_greatest_length():
    found = made({"x": Array("n<=5 k")}, {"x": X[0]})
    assert {v["x"].shape for v in found} == {(3, 2), (5, 2), (3, LONG), (1, 1), (2, 2)}
    assert outside({"x": Array("n<=5 k")}, {"x": np.ones((6, 1))}) == [
        "the axis n has the length 6, and 5 is the greatest"
    ]
    assert outside({"x": Listing("n<=1")}, {"x": [1, 2]}) == ["the axis n has the length 2, and 1 is the greatest"]


def test_square_matrices_and_given_orders_are_left_alone():
    assert made({"W": Array("n n")}, {"W": X[0][:2]}) == []
    given = made({"times": Array("n", order="given")}, {"times": np.array([0.1, 0.2])})
    assert {v["times"].shape for v in given} == {(2,), (1,)}


def test_each_choice_is_taken_far():
    domain = {"kind": Choice("add", "relu"), "x": Number()}
    found = made(domain, {"kind": "add", "x": 1.5}, {"kind": "relu", "x": 0.5})
    far = {(v["kind"], v["x"]) for v in found}
    assert {(kind, x) for kind in ("add", "relu") for x in (HUGE[0], -HUGE[0], TINY[0], -TINY[0])} <= far


def test_a_list_of_arrays_is_made_long():
    found = made({"layers": Listing("L", Array("n k"))}, {"layers": [X[0], X[1][:3]]})
    assert LONG in {len(v["layers"]) for v in found}
    assert LONG in {len(v["layers"][0]) for v in found}


def test_things_coincide():
    found = made({"x": Array("n k"), "y": Array("n k")}, {"x": X[0], "y": X[0] + 1})
    assert any((v["x"] == v["y"]).all() for v in found)
    assert any((v["x"] == 0).all() for v in found)
    assert any((v["x"] == v["x"][0, 0]).all() and v["x"].any() for v in found)
    assert any((v["x"][0] == v["x"][1]).all() and (v["x"][0] != v["x"][2]).any() for v in found)
    assert any((v["x"][-1] == 0).all() and v["x"].any() for v in found)


def test_arrays_are_of_an_integer_kind_where_the_task_says_so():
    domain = {"x": Array("n k"), "t": Array("n", at_least=0, at_most=1), "layers": Listing("L", Array("n k"))}
    values = {"x": X[0], "t": np.array([0.2, 0.9, 0.0]), "layers": [X[0], X[0] + 1]}
    assert not any(v["x"].dtype.kind == "i" for v in made(domain, values))
    found = [v for _, _, v in far_out(domain, [values], lambda v: 1.0, lambda v, wanted: True, integers=True)]
    kinds = [(v["x"].dtype.kind, v["t"].dtype.kind, *(layer.dtype.kind for layer in v["layers"])) for v in found]
    assert {("i", "f", "f", "f"), ("f", "i", "f", "f"), ("f", "f", "i", "i"), ("i", "i", "i", "i")} <= set(kinds)


@pytest.mark.parametrize(
    ("exercise_id", "change"),
    [
        ("09.9", lambda x, n, s: (x[:64], n[:64], s[:64])),
        ("09.8", lambda h, t, W, b, a, s: (h, t, W, b, a, min(s, 1e4))),
        ("11.1", lambda theta, phi: (theta if abs(theta) < 50 else 0.0, phi)),
        ("10.4", lambda W1, W2, w3, x, t: (np.clip(W1, -4, 4), W2, w3, x, t)),
    ],
)
def test_an_answer_that_stops_somewhere_fails(exercise_id, change):
    exercise = exercises()[exercise_id]
    assert judged(exercise_id, exercise.reference, 1).passed
    assert not judged(exercise_id, lambda *args: exercise.reference(*change(*args)), 1).passed


@pytest.mark.parametrize("position", [0, 1, 2])
def test_an_answer_that_keeps_the_kind_of_its_input_fails_on_integers(position):
    reference = exercises()["03.2"].reference
    assert not judged("03.2", lambda *args: reference(*args).astype(args[position].dtype), 1).passed
