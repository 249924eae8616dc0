"""An assignment is the unit: it is released, found again, tells the points, and what being late costs."""

import io
import json
import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from grading_chapters import OWN, PROJECT

from coursepkg.grading import cli
from coursepkg.grading.specification.assignment import (
    INSIDE,
    Asked,
    Assignment,
    BadAssignment,
    asked_in,
    find_assignment,
    read_release,
)
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.specification.release import PAGE, release
from coursepkg.grading.submissions.choosing import assignment_of

DUE = datetime.fromisoformat("2026-12-01T23:59:00+01:00")


def assignment(late="none", due=DUE):
    return Assignment("hw", ("90",), (Asked("90.1", "One", 4.0), Asked("90.2", "Two", 6.0)), due, late)


def test_a_late_rule_without_a_date_is_refused():
    for late in ("cut-off", "2"):
        with pytest.raises(BadAssignment, match="needs the date"):
            asked_in(Chapters(OWN / "solutions" / "specs"), ["90"], late=late)


# --- late ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "after", "taken"), [
    ("none", timedelta(days=400), 0), ("cut-off", timedelta(seconds=1), 8), ("cut-off", timedelta(0), 0),
    ("2", timedelta(seconds=1), 2), ("2", timedelta(days=1), 2), ("2", timedelta(days=1, seconds=1), 4),
    ("2", timedelta(days=30), 8), ("0.5", timedelta(days=3), 1.5), ("2", -timedelta(days=3), 0),
])  # fmt: skip
def test_a_late_rule_takes_off_what_it_says_and_never_more_than_was_won(late, after, taken):
    assert assignment(late).deduction(8.0, DUE + after) == taken


def test_time_zones_are_minded():
    in_time = datetime.fromisoformat("2026-12-01T22:58:00+00:00")
    assert assignment("cut-off").deduction(8.0, in_time) == 0
    assert assignment("cut-off").deduction(8.0, in_time + timedelta(minutes=2)) == 8


def test_late_by_an_unknown_time_counts_as_one_day():
    assert assignment("2").deduction(8.0, None, marked_late=True) == 2
    assert assignment("2").deduction(8.0, None) == 0
    assert assignment("none").deduction(8.0, None, marked_late=True) == 0


@pytest.mark.parametrize("late", ["-1", "0", "nan", "inf", "two", ""])
def test_a_late_rule_that_is_none_is_refused(late):
    with pytest.raises(BadAssignment, match="late rule"):
        asked_in(Chapters(OWN / "solutions" / "specs"), ["90"], late=late)


# --- stored and found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [assignment(), assignment("2"), assignment(due=None)])
def test_it_comes_back_from_json(one):
    assert Assignment.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize("change", [
    {"format": 9}, {"due": "soon"}, {"due": "2026-12-01T23:59"}, {"late": "never"}, {"exercises": [{"id": "1"}]},
    {"exercises": 3}, {"chapters": None},
])  # fmt: skip
def test_what_is_no_assignment_is_refused(change):
    with pytest.raises(BadAssignment):
        Assignment.from_json({**assignment().to_json(), **change})
    for odd in (None, [], "x", {}):
        with pytest.raises(BadAssignment):
            Assignment.from_json(odd)


@pytest.fixture(scope="module")
def released():
    chapters = Chapters(OWN / "solutions" / "specs")
    return release(asked_in(chapters, ["90"], name="hw2", due=DUE, late="2"), OWN)


def test_a_release_holds_what_learners_need_and_nothing_of_the_solutions(released):
    with zipfile.ZipFile(io.BytesIO(released)) as archive:
        names = archive.namelist()
        texts = {name: archive.read(name) for name in names}
    assert {name.partition("/")[0] for name in names} == {"hw2"}
    assert f"hw2/{INSIDE}" in names
    assert "hw2/.checks/ex_90.json" in names
    [notebook] = [name for name in names if name.endswith(".ipynb")]
    assert assignment_of(texts[notebook]) == "hw2"
    page = texts[f"hw2/{PAGE}"].decode()
    assert "Tuesday, 01 December 2026, 23:59 (UTC+0100)" in page
    assert "takes 2 points off" in page
    for text in texts.values():
        assert b"SOLUTION" not in text
        assert b"solutions/" not in text


def test_the_same_assignment_gives_the_same_bytes(released):
    chapters = Chapters(OWN / "solutions" / "specs")
    assert release(asked_in(chapters, ["90"], name="hw2", due=DUE, late="2"), OWN) == released


def test_an_assignment_is_found_by_its_name_its_file_or_its_chapters(released, tmp_path):
    chapters = Chapters(OWN / "solutions" / "specs")
    (tmp_path / "hw2.zip").write_bytes(released)
    expected = asked_in(chapters, ["90"], name="hw2", due=DUE, late="2")
    for named, folders in (("hw2", [tmp_path]), ("hw2.zip", [tmp_path]), (str(tmp_path / "hw2.zip"), [Path()])):
        assert find_assignment(named, folders, chapters) == (expected, True)
    found, was_released = find_assignment("90", [tmp_path], chapters)
    assert (found.exercises, was_released, found.name) == (expected.exercises, False, "90")
    assert find_assignment("all", [tmp_path], chapters)[0].chapters == tuple(chapters)
    for missing in ("hw3", "91", "9", "../hw2", ""):
        with pytest.raises(BadAssignment, match=r"no assignment|no chapter"):
            find_assignment(missing, [tmp_path / "nothing"], chapters)


def test_exercises_that_changed_since_the_release_are_refused(released, tmp_path):
    chapters = Chapters(OWN / "solutions" / "specs")
    with zipfile.ZipFile(io.BytesIO(released)) as archive:
        data = json.loads(archive.read(f"hw2/{INSIDE}"))
    data["exercises"][0]["points"] += 1
    (tmp_path / "hw2").write_text(json.dumps(data))
    with pytest.raises(BadAssignment, match="handed out with other exercises"):
        find_assignment("hw2", [tmp_path], chapters)


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"PK\x03\x04 no zip", b"\xff\xfe"])
def test_a_file_that_is_no_release_is_refused(tmp_path, data):
    (tmp_path / "hw.zip").write_bytes(data)
    with pytest.raises(BadAssignment, match="holds no assignment"):
        read_release(tmp_path / "hw.zip")


def test_a_zip_without_an_assignment_or_with_two_is_refused(tmp_path):
    for names in ([], [f"a/{INSIDE}", f"b/{INSIDE}"]):
        with zipfile.ZipFile(tmp_path / "hw.zip", "w") as archive:
            for name in names:
                archive.writestr(name, json.dumps(assignment().to_json()))
        with pytest.raises(BadAssignment, match="did not write it"):
            read_release(tmp_path / "hw.zip")


def write_release(path, one):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"x/{INSIDE}", json.dumps(one.to_json()))


# --- the command -----------------------------------------------------------------------------------------------------


def test_release_from_the_command_line(tmp_path, capsys):
    words = ["grade", "release", "02", "--root", str(PROJECT), "--out", str(tmp_path / "hw2.zip")]
    assert cli.main([*words, "--due", "2026-12-01T23:59+01:00", "--late", "cut-off"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"hw2\.zip: 9 exercises, \d+ points, due 2026-12-01T23:59:00\+01:00, late rule: cut-off", shown)
    assert read_release(tmp_path / "hw2.zip").late == "cut-off"
    assert cli.main([*words[:-1], str(tmp_path / "hw1.5")]) == 0
    assert read_release(tmp_path / "hw1.5.zip").name == "hw1.5"
    assert cli.main([*words[:-1], str(tmp_path / "hw 2.zip")]) == 0
    assert "--assignment 'hw 2' ..." in capsys.readouterr().out
    assert cli.main([*words, "--due", "2026-12-01T23:59"]) == 0
    assert read_release(tmp_path / "hw2.zip").due.tzinfo is not None
    assert cli.main([*words, "--due", "2026-07-01T23:59", "--timezone", "Europe/Berlin"]) == 0
    there = read_release(tmp_path / "hw2.zip")
    assert (there.due.isoformat(), there.zone) == ("2026-07-01T23:59:00+02:00", "Europe/Berlin")
    assert cli.main([*words, "--timezone", "Europe/Nowhere"]) == 2
    assert "there is no time zone 'Europe/Nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize(("change", "words"), [
    ({"chapter": "12"}, "there is no chapter '12'"), ({"--late": "soon"}, "late rule"),
    ({"--root": "nowhere"}, "no folder solutions/specs"), ({"--out": "missing/hw2.zip"}, "No such file"),
    ({"--out": "h?w.zip"}, "letters, digits"), ({"--out": "other.zip"}, "other.zip holds other exercises"),
])  # fmt: skip
def test_a_release_that_cannot_be_made_exits_2_and_says_why(tmp_path, monkeypatch, capsys, change, words):
    monkeypatch.chdir(tmp_path)
    write_release(tmp_path / "other.zip", assignment())
    options = {"--root": str(OWN), "--out": "hw2.zip", "--late": "none", "chapter": "90", **change}
    arguments = [options.pop("chapter"), *(word for pair in options.items() for word in pair)]
    assert cli.main(["grade", "release", *arguments]) == 2
    assert words in capsys.readouterr().err
