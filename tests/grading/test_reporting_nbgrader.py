"""Marks arrive in an nbgrader gradebook, and without nbgrader the message says what to install."""

import sys
from dataclasses import replace

import pytest
from class_results import result, small_class, store

from coursepkg.grading.reporting.export import export
from coursepkg.grading.reporting.gradebook import Learner, gradebook
from coursepkg.grading.reporting.nbgrader_gradebook import write_nbgrader


def test_without_nbgrader_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    results = store(small_class(), tmp_path / "results")
    with pytest.raises(ValueError, match="pip install nbgrader"):
        export(results, "nbgrader", assignment="kitchen")


def test_the_assignment_must_be_named(tmp_path):
    results = store(small_class(), tmp_path / "results")
    with pytest.raises(ValueError, match="--assignment"):
        export(results, "nbgrader")


@pytest.fixture
def api():
    return pytest.importorskip(
        "nbgrader.api", reason="nbgrader is optional; its export is tested where it is installed"
    )


def scores(api, path, assignment="kitchen"):
    with api.Gradebook(f"sqlite:///{path}") as opened:
        return {s.student.id: (s.score, s.needs_manual_grade) for s in opened.find_assignment(assignment).submissions}


@pytest.mark.filterwarnings("ignore::Warning")  # nbgrader's own, about its database
def test_marks_arrive_and_missing_ones_are_no_zero(api, tmp_path):
    write_nbgrader(gradebook(small_class()), "kitchen", tmp_path / "gradebook.db")
    found = scores(api, tmp_path / "gradebook.db")
    assert found == {
        "ana@example.org": (12, False), "bo@example.org": (0, False), "cy@example.org": (0, False), "fay": (0, False),
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore::Warning")
def test_marks_go_to_the_cells_that_nbgrader_knows(api, tmp_path):
    path = tmp_path / "gradebook.db"
    write_nbgrader(gradebook([result("ana@example.org", "01.1")]), "another", path)
    with api.Gradebook(f"sqlite:///{path}") as opened:
        opened.add_assignment("kitchen")
        opened.add_notebook("01_cooking_analogy", "kitchen")
        opened.add_grade_cell("ex-01-1", "01_cooking_analogy", "kitchen", max_score=2, cell_type="code")
        opened.add_submission("kitchen", "ana@example.org")
    book = gradebook(small_class())
    for _ in range(2):  # a second export changes nothing
        write_nbgrader(book, "kitchen", path)
        assert scores(api, path)["ana@example.org"] == (12, False)
    with api.Gradebook(f"sqlite:///{path}") as opened:
        [notebook] = opened.find_assignment("kitchen").notebooks
        assert {cell.name for cell in notebook.grade_cells} == {"ex-01-1", "ex-01-2", "ex-01-9", "ex-01-10"}


@pytest.mark.filterwarnings("ignore::Warning")
def test_a_later_mark_replaces_an_earlier_one(api, tmp_path):
    path = tmp_path / "gradebook.db"
    write_nbgrader(gradebook([result("ana", "01.1", "wrong")]), "kitchen", path)
    write_nbgrader(gradebook([result("ana", "01.1"), result("ana", "01.2")]), "kitchen", path)
    assert scores(api, path) == {"ana": (5, False)}


@pytest.mark.filterwarnings("ignore::Warning")
def test_what_being_late_costs_is_nbgraders_penalty(api, tmp_path):
    class Late(Learner):
        deduction = 1.5

    book = replace(gradebook([result("ana", "01.1")]), learners=(Late("ana", "Ana", {"01.1": result("ana", "01.1")}),))
    for _ in range(2):
        write_nbgrader(book, "kitchen", tmp_path / "gradebook.db")
    with api.Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as opened:
        found = opened.find_submission("kitchen", "ana")
        assert (found.score, found.late_submission_penalty) == (2, 1.5)
