"""What an answer changes around itself does not outlive its check, and does not reach the comparison."""

import builtins
import math
import os
import random
import sys
import warnings

import numpy as np
import pytest
from grading_chapters import build_in

from coursepkg.grading import check
from coursepkg.grading.learning.surroundings import Surroundings, mend_modules


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return build_in(tmp_path_factory.mktemp("course"))


@pytest.fixture
def here(course, monkeypatch):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.delenv("COURSEPKG_PROGRESS", raising=False)
    monkeypatch.chdir(course / "exercises")
    yield course
    mend_modules()


def state():
    """All that an answer could have changed, as one value."""
    return (
        os.getcwd(), dict(os.environ), sys.getrecursionlimit(), np.geterr(), np.geterrcall(),
        repr(np.get_printoptions()), random.getstate(),
        str(np.random.get_state(legacy=False)["state"]["key"].tolist()),  # noqa: NPY002 - the global one
        list(warnings.filters), np.abs, math.exp, random.random, builtins.sum,
    )  # fmt: skip


CHANGES = {
    "the working folder": lambda: os.chdir("/"),
    "NumPy's settings for errors": lambda: np.seterr(all="ignore"),
    "NumPy's settings for printing": lambda: np.set_printoptions(precision=2),
    "the recursion limit": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 100),
    "the environment variables": lambda: os.environ.update(COURSE_WORD="left behind"),
    "the state of `random`": lambda: random.seed(1),
    "the state of `np.random`": lambda: np.random.seed(1),  # noqa: NPY002
    "`np.abs`": lambda: setattr(np, "abs", np.negative),
    "`np.linalg.norm`": lambda: setattr(np.linalg, "norm", np.sum),
    "`math.exp`": lambda: setattr(math, "exp", math.sin),
    "`random.random`": lambda: setattr(random, "random", lambda: 4.0),
    "`sum`": lambda: setattr(builtins, "sum", max),
    "`list`": lambda: setattr(builtins, "list", tuple),
    "`len`": lambda: setattr(builtins, "len", lambda value: 0),
    "`np.mean`": lambda: delattr(np, "mean"),
}


@pytest.mark.parametrize("words", CHANGES)
def test_what_an_answer_changes_is_put_back_and_said(here, words):
    def right(portions_per_gram, grams_per_money):
        CHANGES[words]()
        return portions_per_gram * grams_per_money

    before = state()
    found = check("90.1", right)
    assert state() == before
    assert found.passed
    assert [line for line in found.lines if line.startswith("Put back") and words in line]


@pytest.mark.parametrize("words", CHANGES)
def test_it_is_put_back_when_the_answer_raises(here, words):
    def wrong(portions_per_gram, grams_per_money):
        CHANGES[words]()
        raise ValueError("on the way")

    before = state()
    assert words in check("90.1", wrong).text
    assert state() == before


def test_a_warning_filter_does_not_outlive_its_check(here):
    before = list(warnings.filters)
    check("90.1", lambda a, b: warnings.simplefilter("ignore") or a * b)
    assert warnings.filters == before


def test_an_answer_that_changes_nothing_gets_no_line(here):
    assert "Put back" not in check("90.1", lambda a, b: a * b).text


@pytest.mark.parametrize(
    "name", ["abs", "absolute", "isclose", "allclose", "array_equal", "max", "any", "all", "subtract"]
)
def test_a_replaced_function_does_not_reach_the_comparison(here, name):
    """Neither one that an answer replaces, nor one that its cell has replaced before."""
    forged = {"isclose": True, "allclose": True, "array_equal": True, "all": True}.get(name, 0.0)

    def wrong(portions_per_gram, grams_per_money):
        setattr(np, name, lambda *args, **kwargs: forged)
        return portions_per_gram + grams_per_money

    assert check("90.1", wrong).status == "wrong"
    setattr(np, name, lambda *args, **kwargs: forged)
    found = check("90.1", lambda a, b: a + b)
    assert found.status == "wrong"
    assert f"`np.{name}`" in found.text


def test_an_answer_is_called_with_the_original_functions_each_time(here):
    """What one call replaces does not reach the next: the second would be negative."""

    def right(portions_per_gram, grams_per_money):
        value = np.abs(portions_per_gram * grams_per_money)
        np.abs = np.negative
        return value

    assert check("90.1", right).passed


def test_an_answer_that_draws_at_random_is_still_found_out(here):
    assert check("90.1", lambda a, b: a * b + 1e-3 * random.random()).status == "wrong"
    assert check("90.1", lambda a, b: a * b + 1e-3 * np.random.uniform()).status == "wrong"  # noqa: NPY002


def test_what_a_cell_sets_before_its_check_stays(here, monkeypatch):
    """Settings are the learner's own business outside of an answer; only shared functions are put back."""
    monkeypatch.setenv("COURSE_WORD", "mine")
    with np.errstate(divide="raise"):
        assert "Put back" not in check("90.1", lambda a, b: a * b).text
        assert np.geterr()["divide"] == "raise"
    assert os.environ["COURSE_WORD"] == "mine"


def test_a_folder_that_is_gone_is_not_gone_back_to(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    around = Surroundings()
    os.chdir("/")
    gone.rmdir()
    around.restore()
    assert around.changed == []


def test_another_generator_behind_numpys_global_functions_is_put_back():
    around = Surroundings()
    source = np.random.mtrand.get_bit_generator()
    np.random.mtrand.set_bit_generator(np.random.PCG64(1))
    around.restore_draws()
    assert np.random.mtrand.get_bit_generator() is source
    assert around.changed == ["the state of `np.random`"]


def test_a_low_recursion_limit_in_an_answer_is_its_own_affair(here):
    def low(portions_per_gram, grams_per_money):
        sys.setrecursionlimit(sys.getrecursionlimit() // 8)
        return portions_per_gram * grams_per_money

    before = sys.getrecursionlimit()
    assert "the recursion limit" in check("90.1", low).text
    assert sys.getrecursionlimit() == before
