"""The text of one answer, and a form in which alike answers are equal."""

import pytest

from coursepkg.grading.submissions import answers
from coursepkg.grading.submissions.answers import MOST, Helpers, answer_in, fingerprint

ANSWER = '''def slope(values):
    """The slope."""
    total = 0.0
    for value in values:
        if value > 0:
            total += 2 * value
    return total

check("02.3", slope)'''
RENAMED = '''from coursepkg.grading import check
def slope(values):
    # my own way
    s=0.0

    for v in values:
        if v>0: 
            s  += 2*v  # twice
    return s
check("02.3", slope)'''  # fmt: skip  # noqa: W291


def test_the_cells_of_an_answer_are_those_that_define_or_check_it():
    cells = ["import numpy as np", "def slopes(): pass", ANSWER, 'check( "02.3", slope)', "slope == 3", "slope = f"]
    assert answer_in(cells, "02.3", "slope") == "\n\n".join([ANSWER, 'check( "02.3", slope)', "slope = f"])
    assert answer_in(cells, "02.4", "other") == ""


def test_what_an_answer_calls_is_shown_with_it():
    answer = "def slope(x):\n    return helper(x)"
    code = [
        "other = 3",
        "def deepest(x):\n    return 2 * x",
        "helper = lambda x: deepest(x)",
        answer,
        "def last(): pass",
    ]
    assert Helpers(code).with_answer("02.3", "slope") == "\n\n".join([*code[1:3], answer])
    assert Helpers(code).with_answer("02.4", "other_slope") == ""


class Counted:
    """A regular expression that counts the letters which it is given to read."""

    def __init__(self, pattern):
        self.pattern, self.letters = pattern, 0

    def findall(self, text):
        self.letters += len(text)
        return self.pattern.findall(text)


def test_a_chain_of_helpers_is_read_once_for_all_answers_of_a_notebook(monkeypatch):
    chain = [f"def h{k}(): h{k + 1}" for k in range(2000)]
    code = ["def slope(): h0()", "def other(): h0()", *chain]
    for name in ("_NAME", "_DEFINED"):
        monkeypatch.setattr(answers, name, Counted(getattr(answers, name)))
    helpers = Helpers(code)
    assert helpers.with_answer("02.3", "slope") == "\n\n".join([*chain, code[0]])
    assert helpers.with_answer("02.4", "other") == "\n\n".join([*chain, code[1]])
    assert answers._NAME.letters == answers._DEFINED.letters == sum(map(len, code))


def test_helpers_without_end_are_cut_after_the_first_ones():
    chain = [f"def h{k}(): h{k + 1} or '{'x' * 1000}'" for k in range(500)]
    assert MOST < len(Helpers(["def slope(): h0()", *chain]).with_answer("02.3", "slope")) < MOST + 3000


def test_comments_spacing_and_names_of_variables_do_not_matter():
    assert fingerprint(ANSWER) == fingerprint(RENAMED)
    assert fingerprint(ANSWER)[1] == 5


@pytest.mark.parametrize(("old", "new"), [("2 * value", "3 * value"), ("> 0", ">= 0"), ("total += 2", "total = 2")])
def test_what_is_computed_does(old, new):
    assert fingerprint(ANSWER)[0] != fingerprint(ANSWER.replace(old, new))[0]


def test_which_variable_stands_where_matters():
    assert fingerprint("a = 1\nb = 2\nreturn a")[0] != fingerprint("a = 1\nb = 2\nreturn b")[0]


def test_functions_that_are_called_keep_their_names():
    assert fingerprint("return np.sin(x)")[0] != fingerprint("return np.cos(x)")[0]


def test_an_answer_without_lines_of_its_own_is_like_no_other():
    assert fingerprint('def slope(values):\n    """Write it."""\n    # here') == ("", 0)
    assert fingerprint("") == ("", 0)


@pytest.mark.parametrize("text", ["(" * MOST, '"' * MOST, "'''" + "a" * (MOST - 3), "\ud800\x00", "a=" * (MOST // 2)])
def test_no_text_brings_it_down(text):
    assert isinstance(fingerprint(text)[0], str)
    assert fingerprint("x" * (MOST + 1)) == ("", 0)
