"""One damaged or missing file concerns one learner: it is named, it has no mark, and no other mark changes."""

import json
import shutil

import pytest
from class_results import result, store

from coursepkg.grading.cli import main
from coursepkg.grading.reporting.gradebook import load_gradebook
from coursepkg.grading.running.class_list import ClassList, Entry, read_class, write_class
from coursepkg.grading.running.results import (
    HAND,
    BadResult,
    folder_name,
    judged,
    read_result,
    read_times,
    result_path,
    write_result,
)
from coursepkg.grading.specification.assignment import Asked, Assignment

HW = Assignment("hw", ("01",), (Asked("01.1", "Rates", 2), Asked("01.2", "Paths", 3)))
PEOPLE = ClassList(
    "plain", 2, False, tuple(Entry(name, name.title(), (name,), chapters=("01",)) for name in ("ann", "bo"))
)


@pytest.fixture
def results(tmp_path):
    found = [result(student, exercise) for student in ("ann", "bo") for exercise in ("01.1", "01.2")]
    write_class(store(found, tmp_path / "results"), HW, PEOPLE)
    return tmp_path / "results"


def grade(words):
    return main(["grade", *words])


def points(results):
    return {learner.id: learner.points for learner in load_gradebook(results).learners}


def change(path, **fields):
    data = json.loads(path.read_text())
    data["items"][0] |= {name: value for name, value in fields.items() if name in data["items"][0]}
    data |= {name: value for name, value in fields.items() if name in data}
    path.write_text(json.dumps(data))


DAMAGE = {
    "empty": lambda path: path.write_text(""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "zeros": lambda path: path.write_bytes(b"\0" * 500),
    "deep": lambda path: path.write_text("[" * 200_000),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "gone": lambda path: path.unlink(),
    "no parts": lambda path: change(path, items=[]),
    "parts null": lambda path: change(path, items=None),
    "points as text": lambda path: change(path, points="1,5"),
    "points true": lambda path: change(path, points=True),
    "points nan": lambda path: change(path, points=float("nan")),
    "points below zero": lambda path: change(path, points=-1.0),
    "points above": lambda path: change(path, points=1e9),
    "both above": lambda path: change(path, points=5.0, max=5.0),
    "points of 400 digits": lambda path: change(path, points=10**400),
    "message null": lambda path: change(path, message=None),
    "name null": lambda path: change(path, name=None),
    "flags of numbers": lambda path: change(path, flags=[1]),
    "another learner": lambda path: change(path, student="bo"),
    "another exercise": lambda path: change(path, exercise="01.1"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_result_has_no_mark_and_is_named_with_the_cure(results, kind, capsys):
    DAMAGE[kind](result_path(results, "ann", "01.2"))
    assert points(results) == {"ann": None, "bo": 5}
    for command in (["export", str(results), "--to", "csv"], ["report", str(results)], ["mark", str(results)]):
        assert grade(command) == 3
        told = capsys.readouterr().err
        assert "01.2 of ann: " in told
        assert "--resume" in told
        assert "of bo" not in told
    assert "nan" not in (results.parent / "results-marks.csv").read_text(encoding="utf-8-sig").lower()


def test_a_learners_page_says_nothing_of_files_and_commands(results):
    result_path(results, "ann", "01.2").write_text("")
    write_class(results, HW, PEOPLE.at({"ann": ("01",)}, {"bo"}))
    assert grade(["report", str(results)]) == 3
    for page in (results.parent / "results-report" / "learners").iterdir():
        text = page.read_text(encoding="utf-8")
        assert "costs you nothing" in text
        assert not [word for word in (".json", "--resume", str(results)) if word in text]
    assert grade(["export", str(results), "--to", "csv"]) == 3
    table = (results.parent / "results-marks.csv").read_text(encoding="utf-8-sig")
    assert table.count("could not be graded") == 2
    assert "could not be read" not in table


@pytest.mark.parametrize("kind", [kind for kind in DAMAGE if kind != "both above"])
def test_a_damaged_result_is_written_anew(results, kind):
    path = result_path(results, "ann", "01.2")
    DAMAGE[kind](path)
    with pytest.raises(BadResult):
        read_result(path)
    write_result(results, result("ann", "01.2"))
    assert points(results) == {"ann": 5, "bo": 5}


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 200_000, '{"schema": 1, "seconds": "x", "signature": 5, "source": [], "lines": "9"}',
             '{"seconds": NaN, "lines": true}'],
)  # fmt: skip
def test_damaged_times_cost_no_mark(results, text):
    result_path(results, "ann", "01.2").with_name("01.2.times.json").write_text(text)
    assert grade(["report", str(results)]) == 0
    assert not {"seconds", "signature", "source", "lines"} & read_times(results, "ann", "01.2").keys()


# --- the class's own files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["class.json", "assignment.json"])
@pytest.mark.parametrize(
    "damaged",
    [lambda path: path.write_text(""), lambda path: path.write_bytes(path.read_bytes()[:40]),
     lambda path: path.write_text("null"), lambda path: path.unlink(),
     lambda path: path.write_text(path.read_text().replace('"Ann"', "5").replace("3", '"x"'))],
)  # fmt: skip
def test_a_damaged_class_is_named_with_the_cure(results, name, damaged, capsys):
    damaged(results / name)
    assert grade(["export", str(results), "--to", "csv"]) == 2
    told = capsys.readouterr().err
    assert name in told
    assert "--assignment" in told


def test_the_files_of_the_class_can_be_seen_and_no_learner_takes_their_place(results):
    assert {path.name for path in results.iterdir()} == {"ann", "bo", "assignment.json", "class.json"}
    for name in ("class.json", "Roster.json", "assignment.json"):
        assert folder_name(name).lower() not in ("class.json", "roster.json", "assignment.json")


def test_files_of_the_class_that_an_earlier_version_hid_are_read(results):
    for name in ("class.json", "assignment.json"):
        (results / name).rename(results / f".{name}")
    assert read_class(results) == (HW, PEOPLE)
    write_class(results, HW, PEOPLE)
    assert not list(results.glob(".*"))


def test_results_without_their_class_say_what_is_not_known(results, capsys):
    for name in ("class.json", "assignment.json"):
        (results / name).unlink()
    assert grade(["export", str(results), "--to", "csv"]) == 0
    assert "when work was due, is unknown" in capsys.readouterr().out


# --- a run that was stopped ------------------------------------------------------------------------------------------


def test_who_is_not_graded_yet_has_no_mark_and_is_named(results, capsys):
    shutil.rmtree(results / "bo")
    write_class(results, HW, PEOPLE.at({"ann": ("01",)}, {"bo"}))
    assert points(results) == {"ann": 5, "bo": None}
    assert grade(["export", str(results), "--to", "csv"]) == 3
    assert "bo: not graded yet" in capsys.readouterr().err


def test_a_result_of_before_does_not_stand_for_work_that_is_not_graded_yet(results):
    write_class(results, HW, PEOPLE.at({"ann": ("01",)}, {"bo"}))
    assert points(results) == {"ann": 5, "bo": None}


def test_a_chapter_that_was_handed_in_and_has_no_results_is_no_zero(results):
    asked = Assignment("hw", ("01", "02"), (*HW.exercises, Asked("02.1", "Slopes", 4)))
    write_class(results, asked, PEOPLE.at({"ann": ("01",), "bo": ("01", "02")}, ()))
    assert points(results) == {"ann": 5, "bo": None}


# --- what the judge said ---------------------------------------------------------------------------------------------


def test_a_mark_that_is_taken_back_brings_back_the_judgement_of_the_present_specification(results):
    for spec, top in (("old", 1.0), ("new", 0.5)):
        item = result("ann", "01.2").items[0]
        found = result("ann", "01.2", spec_sha256=spec, items=(type(item)(**{**item.__dict__, "points": top}),))
        write_result(results, found)
        marked = result("ann", "01.2", spec_sha256=spec, flags=(HAND,))
        write_result(results, marked)
        assert judged(results, marked) == found
