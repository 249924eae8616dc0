"""Answers that are much alike: listed where that is seldom met by chance, and nowhere else."""

from dataclasses import replace

from class_results import result, store

from coursepkg.grading.reporting.alike import NOTEBOOK, NUMBERS, TEXT, much_alike
from coursepkg.grading.reporting.gradebook import gradebook
from coursepkg.grading.reporting.report import write_report
from coursepkg.grading.running.class_list import Entry
from coursepkg.grading.running.results import HAND, write_result


def own(student, exercise="01.1", *rest, **changes):
    """A result from a notebook that nobody else has."""
    return result(student, exercise, *rest, **{"notebook_sha256": student.encode().hex().ljust(64, "0"), **changes})


def alike(results, times=lambda student, exercise: {}):
    return [(group.exercise, group.same, group.learners) for group in much_alike(gradebook(results), times)]


def told(**kept):
    return lambda student, exercise: kept


def test_the_same_file_is_listed_once_and_not_again_for_each_exercise():
    results = [result(student, exercise) for student in ("ana", "bo") for exercise in ("01.1", "01.2")]
    assert alike(results, told(source="s", lines=9)) == [("", NOTEBOOK, ("ana", "bo"))]


def test_an_untouched_notebook_is_no_answer():
    assert alike([result(student, "01.1", "not-attempted") for student in ("ana", "bo")]) == []


def test_short_answers_are_expected_to_be_the_same():
    results = [own("ana"), own("bo")]
    assert alike(results, told(source="s", lines=4)) == []
    assert alike(results, told(source="s", lines=5)) == [("01.1", TEXT, ("ana", "bo"))]
    assert alike(results, told(source="", lines=0)) == []
    assert alike(results) == []


def test_the_same_wrong_numbers_are_listed_unless_an_idea_explains_them():
    assert alike([own(s, "01.1", "wrong", "value") for s in ("ana", "bo")], told(signature="n")) == [
        ("01.1", NUMBERS, ("ana", "bo"))
    ]
    assert alike([own(s, "01.1", "wrong", "adds-rates") for s in ("ana", "bo")], told(signature="n")) == []
    assert alike([own("ana", "01.1", "wrong", "value"), own("bo", "01.2", "wrong", "value")], told(signature="n")) == []


def test_marks_of_a_person_are_left_alone():
    assert alike([result(student, "01.1", flags=(HAND,)) for student in ("ana", "bo")]) == []


def test_a_group_that_hands_in_one_work_is_no_surprise():
    book = gradebook([result(student, "01.1") for student in ("ana", "bo")])
    together = tuple(replace(each, entry=Entry(each.id, each.name, ("submission_1",))) for each in book.learners)
    assert much_alike(replace(book, learners=together), told()) == []


def test_the_class_report_lists_them_and_says_what_that_means(tmp_path):
    results = store([], tmp_path / "results")
    for student in ("ana", "bo"):
        write_result(results, own(student), {"source": "s", "lines": 7})
    page = write_report(results, tmp_path / "report").read_text(encoding="utf-8")
    part = page[page.index('id="much-alike"') : page.index('id="times"')]
    assert "Ana, Bo" in part
    assert "to be expected" in part
    assert "It does not say why" in part
