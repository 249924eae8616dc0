"""Which notebook counts: the assignment in it says so, then its exercises, its functions, and a name at the end."""

import json
from pathlib import Path

import pytest

from coursepkg.grading.submissions.choosing import Wanted, assignment_of, chapter_of_text, choose, exercises_in

EXERCISES = sorted((Path(__file__).parents[2] / "exercises").glob("[0-9]*.ipynb"))
KNOWN = frozenset({"01", "02", "03", "10", "11"})
FUNCTIONS = {"02": frozenset({"local", "backward"}), "03": frozenset({"descend"})}


def wanted(*chapters, name="hw2", released=True):
    return Wanted(name, released, {chapter: FUNCTIONS[chapter] for chapter in chapters or ("02",)}, KNOWN)


def notebook(*lines, assignment=""):
    """A notebook whose cells hold these lines, handed out for an assignment."""
    cells = [{"cell_type": "code", "source": line, "metadata": {}, "outputs": []} for line in lines]
    metadata = {"coursepkg": {"assignment": assignment}} if assignment else {}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


RIGHT = notebook('check("02.1", local)', 'check("02.2", backward)')


def test_a_notebook_is_what_its_release_says():
    mine = ("answers.ipynb", notebook("x = 1", assignment="hw2"))
    assert assignment_of(mine[1]) == "hw2"
    other = ("02_scalar.ipynb", notebook('check("02.1", local)', assignment="hw3"))
    chosen, notes = choose([other], wanted())
    assert not chosen
    assert notes == ["02_scalar.ipynb says that it belongs to hw3, so it is not graded as hw2"]
    assert choose([other], wanted(name="02", released=False)) == ({"02": other}, [])


def test_a_release_whose_exercises_are_of_another_chapter_is_graded_and_flagged():
    swapped = ("02_scalar.ipynb", notebook('check("11.1", f)', assignment="hw2"))
    chosen, notes = choose([swapped], wanted())
    assert chosen == {"02": swapped}
    assert notes == ["02_scalar.ipynb says that it belongs to hw2, and its exercises are of chapter 11"]


def test_the_name_of_an_assignment_in_a_cell_is_no_identity():
    quoting = notebook('{"coursepkg": {"assignment": "hw3"}}', 'check("02.1", local)')
    assert assignment_of(quoting) == ""
    for odd in (
        b"",
        b"{",
        b"[]",
        b'{"metadata": 3, "assignment": 1}',
        b'{"metadata": {"coursepkg": {"assignment": 7}}}',
    ):
        assert assignment_of(odd) == ""
    assert assignment_of(b'{"assignment": ' + b"[" * 200_000) == ""


def test_the_exercises_say_the_chapter_whatever_the_name_begins_with():
    """A matriculation number begins with two digits, too."""
    right = ("1012345.ipynb", RIGHT)
    assert choose([right], wanted()) == ({"02": right}, [])
    named = ("10_tree.ipynb", RIGHT)
    chosen, notes = choose([named], wanted())
    assert chosen == {"02": named}
    assert notes == ["10_tree.ipynb is named as chapter 10, and its exercises are of chapter 02"]


def test_a_notebook_of_another_chapter_changes_nothing_and_is_named():
    foreign, right = ("02_trick.ipynb", notebook('check("11.1", f)')), ("02_scalar.ipynb", RIGHT)
    empty = ("11_x.ipynb", b"")
    chosen, notes = choose([foreign, right, empty], wanted())
    assert chosen == {"02": right}
    assert notes == [
        "02_trick.ipynb is of chapter 11, which is no part of hw2",
        "11_x.ipynb is of chapter 11, which is no part of hw2",
    ]  # fmt: skip


def test_exercises_of_two_chapters_in_one_notebook_are_flagged():
    mixed = ("mine.ipynb", notebook('check("02.1", local)', 'check("02.2", backward)', 'check("03.1", descend)'))
    chosen, notes = choose([mixed], wanted())
    assert chosen == {"02": mixed}
    assert notes == ["mine.ipynb holds exercises of the chapters 02 and 03"]


def test_where_no_check_is_left_the_functions_tell_it_and_then_the_name():
    for source in ("def local(x, y):\n    return y, x", "x = 1\nlocal = lambda x, y: (y, x)", "class local: pass"):
        bare = ("final.ipynb", notebook(source))
        chosen, notes = choose([bare], wanted("02", "03"))
        assert chosen == {"02": bare}
    assert notes == ["final.ipynb holds no checks; it was recognised by the functions that it defines"]
    named, poem = ("02_scalar.ipynb", notebook("x = 1")), ("poem.ipynb", notebook("roses = 'red'"))
    assert choose([named, poem], wanted()) == ({"02": named}, ["poem.ipynb belongs to no chapter"])


def test_two_chapters_of_one_assignment_come_from_two_notebooks():
    first, second = ("a.ipynb", RIGHT), ("b.ipynb", notebook('check("03.1", descend)'))
    assert choose([second, first], wanted("02", "03")) == ({"02": first, "03": second}, [])


@pytest.mark.parametrize("copy", ["02_scalar-Copy1.ipynb", "02_scalar (1).ipynb", "02_scalar-1.ipynb", "00.ipynb"])
def test_a_copy_that_was_not_touched_does_not_beat_the_original(copy):
    original = ("02_scalar.ipynb", notebook('check("02.1", f)  # done', "done", "02.3: write your answer here"))
    copied = (copy, notebook('check("02.1", f)', "02.1: write your answer here", "02.2: write your answer here"))
    for order in ([original, copied], [copied, original]):
        chosen, notes = choose(order, wanted())
        assert chosen == {"02": original}
        assert notes == ["several notebooks for chapter 02; 02_scalar.ipynb counts"]


def test_the_later_attempt_counts_where_the_platform_numbers_them():
    first, again = (
        ("02_scalar.ipynb", RIGHT),
        ("02_scalar-1.ipynb", notebook('check("02.1", f)', "02.2: write your answer here")),
    )
    assert choose([again, first], wanted(), numbered=True)[0] == {"02": again}
    assert choose([again, first], wanted(), numbered=False)[0] == {"02": first}


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_the_courses_own_notebooks_hold_exercises_of_their_own_chapter_alone(path):
    data = path.read_bytes()
    assert {chapter for chapter, _ in exercises_in(data)} == {chapter_of_text(data)} == {path.name[:2]}
