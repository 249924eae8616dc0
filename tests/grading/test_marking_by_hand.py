"""Marks given by a person: a sheet out, the same sheet back, and nothing half merged."""

import csv
import re

import pytest
from class_results import result, store

from coursepkg.grading.reporting.gradebook import load_gradebook
from coursepkg.grading.reporting.journal import Journal, Key, journal_beside
from coursepkg.grading.reporting.mark import MARK, merge_journal, merge_marking_sheet, write_marking_sheet
from coursepkg.grading.running.results import GRADED, HAND, read_result, result_path


@pytest.fixture
def results(tmp_path):
    waiting = result("@ed", "01.2", "pending", "", "An essay,\non two lines.")
    broken = result("bo", "01.2", "infrastructure", "", "This check could not run.")
    return store([result("ana", "01.1"), waiting, broken], tmp_path / "results")


def sheet(results, everything=False):
    path = results.parent / "sheet.csv"
    count = write_marking_sheet(results, path, everything)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == count
    return found


def filled(results, rows, separator=","):
    path = results.parent / "filled.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def stored(results, student, exercise="01.2"):
    return read_result(result_path(results, student, exercise))


def test_the_sheet_lists_what_has_no_mark(results):
    rows = sheet(results)
    assert [(row["student"], row["exercise"], row["points"]) for row in rows] == [
        ("'@ed", "'01.2", ""),
        ("bo", "'01.2", ""),
    ]
    assert rows[0]["message"] == "An essay, / on two lines."
    assert len(sheet(results, everything=True)) == 3


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_mark_comes_back_with_its_comment(results, separator):
    rows = sheet(results)
    rows[0] |= {"points": "2,5" if separator == ";" else "2.5", "comment": "Nearly."}
    assert merge_marking_sheet(results, filled(results, rows, separator)) == (1, [])
    marked = stored(results, "@ed")
    assert (marked.points, marked.items[0].verdict, marked.items[0].message) == (2.5, "wrong", "Nearly.")
    assert (marked.status, marked.flags) == (GRADED, (HAND,))
    assert stored(results, "bo").points is None


def test_full_points_are_a_pass_and_end_an_infrastructure_error(results):
    rows = sheet(results)
    rows[1]["points"] = "3"
    merge_marking_sheet(results, filled(results, rows))
    assert (stored(results, "bo").points, stored(results, "bo").status) == (3, GRADED)
    assert stored(results, "bo").items[0].verdict == "passed"
    assert {x.id: x.points for x in load_gradebook(results).learners} == {"@ed": None, "ana": 2, "bo": 3}


def test_merging_twice_changes_nothing_more(results):
    rows = sheet(results)
    rows[0]["points"] = "1"
    path = filled(results, rows)
    assert merge_marking_sheet(results, path) == (1, [])
    before = {p: p.read_bytes() for p in results.rglob("*.json")}
    assert merge_marking_sheet(results, path) == (0, [])
    assert {p: p.read_bytes() for p in results.rglob("*.json")} == before


def test_the_mark_that_was_there_before_is_kept_in_history(results):
    rows = sheet(results, everything=True)
    next(row for row in rows if row["student"] == "ana")["points"] = "0"
    merge_marking_sheet(results, filled(results, rows))
    assert stored(results, "ana", "01.1").points == 0
    assert len(list((results / "ana" / "history").iterdir())) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"points": "4"}, "outside 0 to 3"),
        ({"points": "-1"}, "outside 0 to 3"),
        ({"points": "nan"}, "outside 0 to 3"),
        ({"points": "good"}, "no number of points"),
        ({"points": "1", "notebook": "0" * 16}, "handed in another notebook"),
        ({"points": "1", "student": "zoe"}, "no result of 'zoe'"),
        ({"points": "1", "student": "../bo"}, "no result of"),
        ({"points": "1", "item": "01.7"}, "has no part"),
        ({"points": "1", "exercise": "submission"}, "no answers to mark"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_stops_no_other(results, changes, words):
    rows = sheet(results)
    rows[0]["points"] = "3"
    rows[1] |= changes
    changed, [why] = merge_marking_sheet(results, filled(results, rows))
    assert re.match("line 3: .*" + words, why)
    assert (changed, stored(results, "@ed").points, stored(results, "bo").points) == (1, 3, None)


def test_another_file_is_no_marking_sheet(results, tmp_path):
    (tmp_path / "other.csv").write_text("student,points\nana,2\n")
    with pytest.raises(ValueError, match="no marking sheet"):
        merge_marking_sheet(results, tmp_path / "other.csv")


# --- the page's journal ----------------------------------------------------------------------------------------------


def test_a_mark_that_is_taken_back_leaves_the_results_again(results):
    judged = stored(results, "ana", "01.1")
    journal = Journal(journal_beside(results))
    key = Key("ana", "01.1", judged.items[0].id)
    number = journal.mark([(key, judged.notebook_sha256[:MARK])], 0.5, "Half of it.", 0)
    assert merge_journal(results) == (1, [])
    assert stored(results, "ana", "01.1").points == 0.5
    journal.undo(number)
    assert merge_journal(results) == (1, [])
    assert stored(results, "ana", "01.1") == judged
    assert merge_journal(results) == (0, [])


def test_a_mark_that_is_taken_back_leaves_a_later_one_of_a_sheet_alone(results):
    judged = stored(results, "ana", "01.1")
    journal = Journal(journal_beside(results))
    key = Key("ana", "01.1", judged.items[0].id)
    journal.undo(journal.mark([(key, judged.notebook_sha256[:MARK])], 0.5, "", 0))
    rows = [row for row in sheet(results, everything=True) if row["student"] == "ana"]
    rows[0] |= {"points": "0.25"}
    merge_marking_sheet(results, filled(results, rows))
    assert merge_journal(results) == (0, [])
    assert stored(results, "ana", "01.1").points == 0.25


# --- the newest word holds, wherever it was said ---------------------------------------------------------------------


def mark_in_page(results, student, points, seen=0):
    judged = stored(results, student, "01.1")
    key = Key(student, "01.1", "01.1")
    return Journal(journal_beside(results)).mark([(key, judged.notebook_sha256[:MARK])], points, "", seen)


def mark_in_sheet(results, student, points):
    rows = [row for row in sheet(results, everything=True) if row["student"] == student and "01.1" in row["exercise"]]
    rows[0]["points"] = points
    merge_marking_sheet(results, filled(results, rows))


def test_a_sheet_that_corrects_the_page_is_not_put_back_by_a_later_merge(results):
    mark_in_page(results, "ana", 1)
    merge_journal(results)
    mark_in_sheet(results, "ana", "0.5")
    assert merge_journal(results) == (0, [])
    assert stored(results, "ana", "01.1").points == 0.5


@pytest.mark.parametrize("merged_between", [False, True])
def test_a_mark_that_was_taken_back_and_is_given_again_in_a_sheet_holds(results, merged_between):
    number = mark_in_page(results, "ana", 1)
    merge_journal(results)
    Journal(journal_beside(results)).undo(number)
    if merged_between:
        merge_journal(results)
    mark_in_sheet(results, "ana", "1")
    assert merge_journal(results) == (0, [])
    assert stored(results, "ana", "01.1").points == 1


def test_a_sheet_of_before_takes_back_nothing_that_it_does_not_speak_of(results):
    old = sheet(results, everything=True)
    mark_in_page(results, "ana", 1)
    merge_journal(results)
    assert merge_marking_sheet(results, filled(results, old)) == (0, [])
    assert stored(results, "ana", "01.1").points == 1


def test_a_line_of_the_journal_that_leads_to_another_learner_changes_nothing(results):
    judged = stored(results, "ana", "01.1")
    key = Key("bo", "../ana/01.1", "01.1")
    Journal(journal_beside(results)).mark([(key, judged.notebook_sha256[:MARK])], 0, "", 0)
    changed, [(left, _)] = merge_journal(results)
    assert (changed, left) == (0, key)
    assert stored(results, "ana", "01.1") == judged


# --- sheets that went through a spreadsheet --------------------------------------------------------------------------


def through_a_spreadsheet(row, comma):
    """What a spreadsheet makes of cells that look like numbers, apostrophes gone."""

    def cell(text):
        text = text.removeprefix("'")
        if re.fullmatch(r"\d+(\.\d+)?", text):
            text = f"{float(text):.5E}" if len(text) > 11 else f"{float(text):.10g}"
        return text.replace(".", ",") if comma and re.fullmatch(r"[\d.E+]+", text) else text

    return {name: value if name in ("points", "comment") else cell(value) for name, value in row.items()}


@pytest.fixture
def numbered(tmp_path):
    """Ids that look like numbers: two learners, and exercises 01.1 and 01.10."""
    found = [
        result(student, exercise, "wrong", name=name, notebook_sha256=sha256 * 16)
        for student, name, sha256 in (
            ("00123", "Ann", "1234"),
            ("123", "Bo", "9876"),
            ("1234567890123456", "Cy", "ab12"),
        )
        for exercise in ("01.1", "01.10")
    ]
    return store(found, tmp_path / "results")


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("student", ["00123", "123", "1234567890123456"])
@pytest.mark.parametrize("exercise", ["01.1", "01.10"])
def test_a_sheet_that_a_spreadsheet_saved_is_read(numbered, student, exercise, comma):
    rows = sheet(numbered, everything=True)
    for row in rows:
        if (row["student"], row["exercise"]) == (f"'{student}", f"'{exercise}"):
            row["points"] = "1"
    rows = [through_a_spreadsheet(row, comma) for row in rows]
    assert merge_marking_sheet(numbered, filled(numbered, rows, ";")) == (1, [])
    assert stored(numbered, student, exercise).points == 1


def test_a_row_that_could_be_several_answers_is_named(numbered):
    row = through_a_spreadsheet(sheet(numbered, everything=True)[0], False) | {"points": "1", "title": "Rates"}
    changed, [words] = merge_marking_sheet(numbered, filled(numbered, [row]))
    assert changed == 0
    assert "could be one of several answers" in words


def test_ids_are_written_so_that_a_spreadsheet_keeps_them(numbered):
    for row in sheet(numbered, everything=True):
        for name in ("student", "exercise", "item", "notebook"):
            assert row[name].startswith("'")
