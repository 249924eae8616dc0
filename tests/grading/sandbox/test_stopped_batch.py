"""A run that is stopped says whose work is not graded yet, and one more run grades it, and what was damaged since."""

import shutil

import pytest
from hostile_notebooks import RIGHT, SECRET, SPECS, WRONG, notebook_bytes

from coursepkg.grading.reporting.gradebook import load_gradebook
from coursepkg.grading.running import batch as running
from coursepkg.grading.running.batch import Batch, run
from coursepkg.grading.running.class_list import read_class
from coursepkg.grading.running.results import CLASS, result_path
from coursepkg.grading.sandbox.launch import NONE
from coursepkg.grading.specification.assignment import asked_in
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.submissions.archives import open_tree

HW = asked_in(Chapters(SPECS), ["91"], name="hw")


@pytest.fixture
def tree(tmp_path):
    for student, answers in {"ann": [RIGHT], "ben": [WRONG], "cy": [RIGHT]}.items():
        folder = tmp_path / "all" / student
        folder.mkdir(parents=True)
        (folder / "91_mine.ipynb").write_bytes(notebook_bytes(answers))
    return open_tree(tmp_path / "all")


def grade(results, tree):
    return run(Batch(SPECS, results, SECRET, NONE, 1, assignment=HW), tree, quiet=True)


def points(results):
    return {learner.id: learner.points for learner in load_gradebook(results).learners}


def test_a_stopped_run_says_whose_work_is_not_graded_yet(tmp_path, tree, monkeypatch):
    store, done = running._Run._store, []

    def stop_after_one(self, graded, **more):
        if done:
            raise KeyboardInterrupt
        store(self, graded, **more)
        done.append(graded.results[0].student)

    with monkeypatch.context() as patched:
        patched.setattr(running._Run, "_store", stop_after_one)
        with pytest.raises(KeyboardInterrupt):
            grade(tmp_path / "results", tree)
    waiting = {"ann", "ben", "cy"} - set(done)
    assert set(read_class(tmp_path / "results")[1].pending) == waiting
    first = points(tmp_path / "results")
    assert {student for student, won in first.items() if won is None} == waiting
    grade(tmp_path / "results", tree)
    found = read_class(tmp_path / "results")[1]
    assert (found.pending, {one.chapters for one in found.learners}) == ((), {("91",)})
    assert None not in points(tmp_path / "results").values()


def test_what_was_damaged_since_is_graded_again_and_nothing_else(tmp_path, tree):
    results = tmp_path / "results"
    grade(results, tree)
    whole = {path: path.read_bytes() for path in results.rglob("91.*.json") if ".times" not in path.name}
    damaged = result_path(results, "ann", "91.1")
    for kind in ("cut", "gone", "a folder", "another maximum"):
        text = damaged.read_text()
        damaged.unlink()
        if kind == "a folder":
            damaged.mkdir()
        elif kind != "gone":
            damaged.write_text(text[:50] if kind == "cut" else text.replace('"max": 2.0', '"max": 9.0'))
        ran = grade(results, tree)
        assert ran.counts["kept"] == 5
        assert {path: path.read_bytes() for path in whole} == whole
        shutil.rmtree(damaged.parent / "history", ignore_errors=True)


def test_a_damaged_class_is_written_anew_where_the_assignment_is_named(tmp_path, tree):
    results = tmp_path / "results"
    grade(results, tree)
    before = read_class(results)
    (results / CLASS).write_text("")
    grade(results, tree)
    assert read_class(results) == before
