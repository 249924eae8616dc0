"""The arguments of a call that was not right, to run again: fresh copies, and words that say how."""

import numpy as np
import pytest
from grading_chapters import build_in

from coursepkg.grading import check
from coursepkg.grading.judging.drivers import DRIVERS


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return build_in(tmp_path_factory.mktemp("course"))


@pytest.fixture(autouse=True)
def here(course, monkeypatch):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.delenv("COURSEPKG_PROGRESS", raising=False)
    monkeypatch.chdir(course / "exercises")


def right(portions_per_gram, grams_per_money):
    return portions_per_gram * grams_per_money


def wrong(portions_per_gram, grams_per_money):
    return portions_per_gram + grams_per_money


def test_the_last_call_that_was_not_right_can_be_run_again(capsys):
    check("90.1", wrong)
    capsys.readouterr()
    args, kwargs = check.last_call()
    assert wrong(*args, **kwargs) != right(*args, **kwargs)
    assert "portions_per_money(*args, **kwargs)" in capsys.readouterr().out


def test_each_time_it_is_a_fresh_copy():
    check("90.2", lambda inputs, targets, weights: inputs @ weights)
    first, _ = check.last_call()
    assert len(first) == 3
    kept = [np.array(value) for value in first]
    for value in first:
        value += 1.0
    again, _ = check.last_call()
    for value, expected in zip(again, kept, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_after_a_pass_there_is_no_call_to_run_again(capsys):
    check("90.1", wrong)
    check("90.1", right)
    capsys.readouterr()
    assert check.last_call() == ([], {})
    assert "no call to run again" in capsys.readouterr().out


def test_for_a_driver_it_says_what_the_arguments_are(capsys):
    def nothing(output):
        return None

    check("90.5", nothing)
    capsys.readouterr()
    args, kwargs = check.last_call()
    assert DRIVERS["backward_on_graph"].run(nothing, *args, **kwargs)["gradients"] == [0.0] * len(args[1])
    said = capsys.readouterr().out
    assert "does not get these arguments themselves" in said
    assert "`answer(output)`" in said
    assert "DRIVERS['backward_on_graph'].run(backward, *args, **kwargs)" in said


@pytest.mark.parametrize("answer", [3, None, str])
def test_an_answer_that_cannot_be_called_leaves_no_call(answer):
    check("90.1", wrong)
    check("90.1", answer)
    assert check.last_call() == ([], {})
