"""References and wrong ideas are run for each learner anew: on copies, with every end of theirs told apart."""

import warnings

import numpy as np
import pytest

from coursepkg.grading.judging.arguments import copied, unchanged
from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.values import encode
from coursepkg.grading.specification.ideas import far_and_near
from coursepkg.grading.specification.own_answers import inputs_of, run_each, run_own

CASES = [
    {"args": [encode(np.array([1.5, -2.0])), 3], "kwargs": {}},
    {"args": [encode(np.array([0.5])), 4], "kwargs": {}},
]


def outcomes(answer, driver="call", seconds=5.0):
    return run_own(answer, driver, inputs_of(CASES), seconds=seconds)


def test_each_case_has_its_own_outcome():
    found = outcomes(lambda x, k: x * k if len(x) > 1 else 1 / 0)
    assert [(outcome.kind, outcome.error) for outcome in found] == [("value", ""), ("error", "ZeroDivisionError")]
    np.testing.assert_array_equal(found[0].value, [4.5, -6.0])


def test_an_answer_that_changes_its_arguments_is_told_and_harms_nobody():
    inputs = inputs_of(CASES)

    def changes(x, k):
        x *= k
        return x

    first, second = run_own(changes, "call", inputs), run_own(changes, "call", inputs)
    assert all(outcome.changed for outcome in (*first, *second))
    np.testing.assert_array_equal(first[0].value, second[0].value)
    assert not any(outcome.changed for outcome in outcomes(lambda x, k: x * k))


def test_what_cannot_be_called_so_is_a_wrong_kind():
    assert {outcome.kind for outcome in outcomes(lambda x: x)} == {"wrong-kind"}
    assert {outcome.kind for outcome in outcomes(3)} == {"wrong-kind"}


def test_an_answer_without_end_is_ended():
    def loops(x, k):
        while len(x) == 1:
            pass
        return k

    assert [outcome.kind for outcome in outcomes(loops, seconds=0.2)] == ["value", "time-limit"]


def test_several_answers_share_an_input_and_nothing_else():
    args, kwargs = inputs_of(CASES)[0]

    def changes(x, k):
        x += 1
        return x

    answers = [changes, lambda x, k: exit(3), lambda x, k: 1 / 0, lambda x, k: x * k]
    found = run_each(answers, "call", args, kwargs)
    assert [outcome.error for outcome in found] == ["", "SystemExit", "ZeroDivisionError", ""]
    assert [outcome.changed for outcome in found] == [True, False, False, False]
    np.testing.assert_array_equal(found[3].value, [4.5, -6.0])


def test_an_answer_that_is_not_written_and_one_that_exits_are_told_apart():
    def missing(x, k):
        raise NotImplementedError

    assert {outcome.kind for outcome in outcomes(missing)} == {"not-attempted"}
    assert {(o.kind, o.error) for o in outcomes(lambda x, k: exit(3))} == {("error", "SystemExit")}


def test_warnings_and_prints_stay_inside(capsys):
    with warnings.catch_warnings(action="error"):
        outcomes(lambda x, k: (print("loud"), np.log(np.zeros(2)))[1])
    assert capsys.readouterr().out == ""


NESTED = {"a": [np.array([1.0, np.nan]), (2, "x")], "b": {"c": None, "d": float("nan")}}


def test_a_copy_is_equal_and_apart():
    copy = copied(NESTED)
    assert unchanged(copy, NESTED)
    copy["a"][0][0] = 7
    assert NESTED["a"][0][0] == 1.0


@pytest.mark.parametrize("change", [
    lambda v: v["a"][0].__setitem__(1, 0.0), lambda v: v["a"].append(1), lambda v: v["a"].__setitem__(1, [2, "x"]),
    lambda v: v["b"].__setitem__("c", 0), lambda v: v.__setitem__("e", 1), lambda v: v["b"].pop("d"),
    lambda v: v["a"].__setitem__(0, v["a"][0].astype(np.float32)), lambda v: v["a"].__setitem__(1, (2, "y")),
    lambda v: v["b"].__setitem__("d", 1.0), lambda v: v["a"].__setitem__(0, v["a"][0].reshape(2, 1)),
])  # fmt: skip
def test_every_change_is_noticed(change):
    copy = copied(NESTED)
    change(copy)
    assert not unchanged(copy, NESTED)


# --- the quick look that settles most pairs of ideas ------------------------------------------------------------------


def looked(first, second):
    outcomes = {"first": Outcome("value", first), "second": Outcome("value", second)}
    return [("first", "second") in pairs for pairs in far_and_near(outcomes, rtol=1e-3, atol=1e-8)]


def far(first, second):
    return looked(first, second)[0]


def near(first, second):
    return looked(first, second)[1]


def test_the_quick_look_never_settles_what_is_close():
    assert not far([1.0, 2.0], np.array([1.0, 2.0]))
    assert not far([1.0, 2.0], [1.0, 2.001])
    assert not far({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0})
    assert not far([1.0, 2.0], np.array([1.0, 2.5], dtype=np.float32))
    assert not far([float("nan")], [float("nan")])
    assert not far("text", "other")
    assert not far(True, False)


def test_the_quick_look_settles_what_is_clearly_another_number():
    assert far([1.0, 2.0], [1.0, 2.5])
    assert far({"a": 1.0, "b": 2.0}, {"b": 1.0, "a": 2.0})
    assert far(3, 4)


def test_the_quick_look_settles_what_is_the_same_in_form_and_numbers():
    assert near([1.0, 2.0], [1.0, 2.0005])
    assert near({"a": 1.0, "b": np.ones(2)}, {"b": np.ones(2), "a": 1.0})
    assert not near([1.0, 2.0], [1.0, 2.0015])  # close, but the long look has to say so
    assert not near([1.0, 2.0], (1.0, 2.0))
    assert not near(np.ones((2, 3)), np.ones((3, 2)))
    assert not near([float("nan")], [float("nan")])
    assert not near([float("inf")], [float("inf")])
    assert not near([float("inf"), 1.0], [2.0, 1.0])
    assert not near([2.0, 1.0], [float("inf"), 1.0])
