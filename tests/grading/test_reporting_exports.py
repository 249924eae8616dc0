"""Marks for other systems: ids match or the learner is named, no cell is a formula, what has no mark is no zero."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from class_results import NAMES, result, small_class, store

from coursepkg.grading.reporting.export import export
from coursepkg.grading.reporting.gradebook import Learner, gradebook, load_gradebook
from coursepkg.grading.reporting.institution import points_in
from coursepkg.grading.reporting.scores import comment, gradescope, lti_scores
from coursepkg.grading.reporting.spreadsheet import cell, write_sheet
from coursepkg.grading.running.class_list import ClassList, Entry, write_class
from coursepkg.grading.running.results import WHOLE_SUBMISSION
from coursepkg.grading.specification.assignment import Asked, Assignment
from coursepkg.grading.submissions.roster import Person, Roster
from coursepkg.grading.submissions.sheets import is_formula, read_sheet, unescaped

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (4711),Final Score
    Points Possible,,,,,24,(read only)
"López, Ana",101,u1,ana@example.org,A,3,50
"=HYPERLINK(""http://evil.example"")",102,u2,cy@example.org,A,,
Di,103,u3,di@example.org,B,,
Gus,104,u4,gus@example.org,B,7,
"""
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments
Participant 31,Ana López,ana@example.org,Submitted,,100.00,
Participant 32,=1+1,cy@example.org,Submitted,,100.00,
Participant 33,Gus,gus@example.org,,,100.00,
"""
GRADEBOOK = """First name,Last name,Email address,Assignment:Homework 1 (Real),Assignment:Homework 1 (Feedback)
Ana,López,ana@example.org,-,
Cy,Young,CY@example.org,-,
"""


@pytest.fixture
def results(tmp_path):
    return store(small_class(), tmp_path / "results")


@pytest.fixture
def template(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "template.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


# --- no formulas -----------------------------------------------------------------------------------------------------

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "  =1",
    "\t=1",
    "\n=1",
    "＝1+1",
    "-2+3+cmd|' /C calc'!A0",
    "\u202e=1",
    "\x00=1",
]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_cell_is_never_a_formula(name, tmp_path):
    write_sheet(tmp_path / "a.csv", ["name"], [[name]])
    assert not is_formula(rows(tmp_path / "a.csv")[1][0])


def test_marks_and_plain_names_stay_as_they_are():
    assert [cell(value) for value in (7.5, 0, "9", "Ana López", "O'Neil", "x=1")] == [
        "7.5", "0", "9", "Ana López", "O'Neil", "x=1",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["=1", "@ed", "+x", "plain", "'quoted", "-"])
def test_an_escaped_id_can_be_read_back(name):
    assert unescaped(cell(name)) == name


def test_the_plain_table_has_every_learner_and_no_false_zero(results):
    written = export(results, "csv").path
    table = {line[0]: line for line in rows(written)}
    assert table["student"] == ["student", "name", "points", "max", "01.1", "01.2", "01.9", "01.10", "noted"]
    assert table["ana@example.org"][2:8] == ["12", "12", "2", "3", "3", "4"]
    assert table["cy@example.org"][1] == "'" + NAMES["cy@example.org"]
    assert table["di@example.org"][2] == table["di@example.org"][5] == ""
    assert table["'@ed"][-1] == "waits for a person"
    assert table["fay"][2] == "0"


# --- reading what institutions export --------------------------------------------------------------------------------


@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-8")])
def test_exports_are_read_however_they_are_separated(separator, encoding, template):
    path = template(WORKSHEET.replace(",", separator), encoding)
    sheet = read_sheet(path)
    assert sheet.header[0] == "Identifier"
    assert sheet.rows[1]["Full name"] == "=1+1"


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [("", "utf-8", "is empty"), ("a,a\n1,2\n", "utf-8", "'a' more than once"), ("é\n", "latin-1", "not in UTF-8")],
)
def test_a_template_that_cannot_be_read_says_why(text, encoding, words, template):
    with pytest.raises(ValueError, match=words):
        read_sheet(template(text, encoding))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_commas_and_semicolons_in_titles_part_nothing(separator, results, template):
    """Most titles have more of the other separators than the line has of its own; maxima have decimal commas."""
    text = csv_text(
        [["Student", "ID", "SIS Login ID", "Section", "Homework 1 (4711)", "Reading, a, b, c, d, e; g; h; i; j; k (1)"],
         ["    Points Possible", "", "", "", "24,00", "5,00"], ["López, Ana", "101", "ana@example.org", "A", "", ""]],
        separator,
    )  # fmt: skip
    done = export(results, "canvas", template=template(text), assignment="Homework 1")
    assert rows(done.path)[1:] == [
        ["    Points Possible", "", "", "", "24"], ["López, Ana", "101", "ana@example.org", "A", "24"],
    ]  # fmt: skip


def csv_text(lines, separator):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator).writerows(lines)
    return file.getvalue()


# --- Canvas ----------------------------------------------------------------------------------------------------------


def test_canvas_marks_go_into_the_column_that_canvas_knows(results, template):
    done = export(results, "canvas", template=template(CANVAS), assignment="Homework 1")
    assert rows(done.path) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 1 (4711)"],
        ["    Points Possible", "", "", "", "", "24"],
        ["López, Ana", "101", "u1", "ana@example.org", "A", "24"],
        ['\'=HYPERLINK("http://evil.example")', "102", "u2", "cy@example.org", "A", "0"],
    ]
    assert done.remarks == ("marks are scaled from 12 to 24 points, the maximum in the export",)


def test_canvas_own_number_decides_and_no_other_of_the_same_letters(results, template):
    text = CANVAS.splitlines()[0] + "\nFay,fay,u9,x,A,,\nBo,777,fay,y,A,,\n"
    done = export(results, "canvas", template=template(text), assignment="Homework 1")
    assert [row[:2] for row in rows(done.path)[1:]] == [["Fay", "fay"]]


def test_canvas_leaves_out_and_names_who_has_no_mark_or_no_row(results, template):
    done = export(results, "canvas", template=template(CANVAS), assignment="Homework 1")
    assert done.unmarked == ("@ed", "di@example.org")
    assert done.unmatched == ("bo@example.org", "fay")


def test_canvas_says_when_a_new_assignment_will_be_made(results, template):
    done = export(results, "canvas", template=template(CANVAS), assignment="Homework 9")
    assert rows(done.path)[0][-1] == "Homework 9"
    assert rows(done.path)[1][-1] == "12"
    assert "will make a new one" in done.remarks[0]


def test_canvas_asks_when_the_assignment_is_not_clear(results, template):
    path = template(CANVAS)
    with pytest.raises(ValueError, match=r"--assignment; the export has 'Homework 1 \(4711\)'"):
        export(results, "canvas", template=path)
    path = template(CANVAS.replace("Final Score", "Homework 1 (4712)"))
    with pytest.raises(ValueError, match="give --assignment with its number"):
        export(results, "canvas", template=path, assignment="Homework 1")


def test_an_id_that_stands_in_two_rows_belongs_to_nobody(results, template):
    twice = CANVAS + 'Twin,105,ana@example.org,u5,B,,\n"Both",106,bo@example.org,fay,B,,\n'
    done = export(results, "canvas", template=template(twice), assignment="Homework 1")
    assert [line[0] for line in rows(done.path)[2:]] == ['\'=HYPERLINK("http://evil.example")']
    assert done.unmatched == ("ana@example.org", "bo@example.org", "fay")


def test_names_are_never_used_for_matching(template, tmp_path):
    results = store([result("López, Ana", "01.1"), result("101", "01.1", "wrong")], tmp_path / "r")
    done = export(results, "canvas", template=template(CANVAS), assignment="Homework 1")
    assert [line[-1] for line in rows(done.path)[2:]] == ["0"]
    assert done.unmatched == ("López, Ana",)


def test_a_template_without_any_of_the_learners_is_refused(template, tmp_path):
    results = store([result("zoe", "01.1")], tmp_path / "r")
    with pytest.raises(ValueError, match="no learner's id"):
        export(results, "canvas", template=template(CANVAS), assignment="Homework 1")


@pytest.mark.parametrize("to", ["canvas", "moodle"])
def test_another_systems_export_is_refused(to, results, template):
    with pytest.raises(ValueError, match="no export of"):
        export(results, to, template=template("name,mark\nx,1\n"), assignment="Homework 1")
    with pytest.raises(ValueError, match="--template"):
        export(results, to, assignment="Homework 1")


# --- Moodle ----------------------------------------------------------------------------------------------------------


def test_moodles_worksheet_gets_marks_and_feedback(results, template):
    done = export(results, "moodle", template=template(WORKSHEET))
    table = rows(done.path)
    assert table[0] == ["Identifier", "Full name", "Email address", "Grade", "Feedback comments"]
    assert table[1][:4] == ["Participant 31", "Ana López", "ana@example.org", "100"]
    assert table[1][4] == "Passed: 01.1, 01.2, 01.9, 01.10."
    assert table[2] == [
        "Participant 32", "'=1+1", "cy@example.org", "0",
        "Not yet: 01.1 Rates multiply along a chain (0 of 2 points): Every number is the sum of the rates. "
        "Not yet: 01.2 Parallel paths add (0 of 3 points): Every number is twice what it should be. "
        "Not yet: 01.9 Blame flows back (0 of 3 points): entry 3 is too large.",
    ]  # fmt: skip
    assert done.remarks == ("marks are scaled from 12 to 100 points, the maximum in the export",)


def test_moodles_participants_are_known_by_number(template, tmp_path):
    results = store([result("31", "01.1"), result("33", "01.1", "wrong")], tmp_path / "r")
    for words in (WORKSHEET, WORKSHEET.replace("Participant", "Teilnehmer/in")):
        done = export(results, "moodle", template=template(words))
        assert [line[3] for line in rows(done.path)[1:]] == ["100", "0"]


def test_moodles_gradebook_needs_the_feedback_column(results, template):
    done = export(results, "moodle", template=template(GRADEBOOK), assignment="Homework 1")
    assert rows(done.path)[0][-2:] == ["Assignment:Homework 1 (Real)", "Assignment:Homework 1 (Feedback)"]
    without = "\n".join(line.rpartition(",")[0] for line in GRADEBOOK.splitlines())
    with pytest.raises(ValueError, match="drops the marks"):
        export(results, "moodle", template=template(without), assignment="Homework 1")


def test_moodles_addresses_are_compared_letter_by_letter(results, template):
    done = export(results, "moodle", template=template(GRADEBOOK), assignment="Homework 1")
    assert [line[2] for line in rows(done.path)[1:]] == ["ana@example.org"]
    assert "cy@example.org" in done.unmatched


# --- Gradescope ------------------------------------------------------------------------------------------------------


def of(student, results=None):
    book = gradebook(results or small_class())
    return gradescope(next(learner for learner in book.learners if learner.id == student), book)


def test_gradescope_gets_every_exercise_with_its_score():
    data = of("bo@example.org")
    assert [(t["number"], t["score"], t["max_score"], t["status"]) for t in data["tests"]] == [
        ("01.1", 0, 2, "failed"), ("01.2", 0, 3, "failed"), ("01.9", 0, 3, "failed"), ("01.10", 0, 4, "failed"),
    ]  # fmt: skip
    assert {t["status"] for t in of("ana@example.org")["tests"]} == {"passed"}
    assert sum(t["max_score"] for t in data["tests"]) == 12


def test_gradescope_never_shows_output_or_hidden_work_early():
    for student in (*NAMES, "fay"):
        data = of(student)
        assert data["stdout_visibility"] == "hidden"
        graded = [t for t in data["tests"] if t["output"] != "Not handed in."]
        assert {t["visibility"] for t in graded} <= {"after_published"}
        assert {t["output_format"] for t in data["tests"]} <= {"text"}


@pytest.mark.parametrize(("student", "words"), [("di@example.org", "not your fault"), ("@ed", "wait for a person")])
def test_gradescope_is_given_no_score_at_all_when_one_is_missing(student, words):
    data = of(student)
    assert words in data["output"]
    assert "score" not in data
    assert not [t for t in data["tests"] if "score" in t]


def test_gradescope_hears_of_a_file_that_could_not_be_read():
    data = of("fay")
    assert "could not be read" in data["output"]
    assert [t["score"] for t in data["tests"]] == [0, 0, 0, 0]
    alone = [r for r in small_class() if r.exercise == WHOLE_SUBMISSION]
    assert of("fay", alone) | {"tests": []} == of("fay", alone)
    assert of("fay", alone)["score"] == 0


def test_gradescope_files_lie_apart_or_alone(results, tmp_path):
    done = export(results, "gradescope", tmp_path / "out")
    assert sorted(p.parent.name for p in done.path.glob("*/results.json")) == sorted([*NAMES, "fay"])
    with pytest.raises(ValueError, match=r"one \.json file holds one learner"):
        export(results, "gradescope", tmp_path / "results.json")
    alone = store([result("ana", "01.1")], tmp_path / "alone")
    export(alone, "gradescope", tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text())["tests"][0]["score"] == 2


def test_gradescope_gets_its_file_even_when_there_are_no_results(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        export(tmp_path / "nothing", "gradescope", tmp_path / "results.json")
    data = json.loads((tmp_path / "results.json").read_text())
    assert "not your fault" in data["output"]
    assert "score" not in data


# --- LTI -------------------------------------------------------------------------------------------------------------


def test_lti_scores_say_how_far_grading_is():
    book = gradebook(small_class())
    now = datetime(2026, 3, 1, 13, 30, 5, 250_000, timezone(timedelta(hours=1)))
    scores = {score["userId"]: score for score in lti_scores(book, now)}
    assert scores["ana@example.org"] == {
        "userId": "ana@example.org", "scoreGiven": 12.0, "scoreMaximum": 12.0,
        "comment": "Passed: 01.1, 01.2, 01.9, 01.10.", "timestamp": "2026-03-01T12:30:05.250Z",
        "activityProgress": "Completed", "gradingProgress": "FullyGraded",
    }  # fmt: skip
    assert scores["@ed"]["gradingProgress"] == "PendingManual"
    assert scores["di@example.org"]["gradingProgress"] == "Failed"
    assert not {"scoreGiven", "scoreMaximum"} & (set(scores["@ed"]) | set(scores["di@example.org"]))


def test_lti_scores_are_stamped_with_the_present_to_the_millisecond(results):
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    scores = json.loads(export(results, "lti").path.read_text(encoding="utf-8"))
    stamp = datetime.fromisoformat(scores[0]["timestamp"])
    assert before <= stamp <= datetime.now(UTC)


# --- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["csv", "lti", "gradescope"])
def test_nothing_is_written_among_the_results(to, results):
    with pytest.raises(ValueError, match="lies among the results"):
        export(results, to, results / "ana@example.org" / "x.json")


def test_points_for_being_late_are_taken_off_in_the_whole_and_said():
    class Late(Learner):
        deduction = 1.5

    late = Late("ana", "Ana", {"01.1": result("ana", "01.1")})
    sent = gradescope(late, gradebook([result("ana", "01.1")]))
    assert (sent["score"], sent["output"]) == (0.5, "Late: 1.5 points taken off.")
    assert comment(late) == "Passed: 01.1. Late: 1.5 points taken off."


def test_a_comment_names_ideas_in_words():
    told = [comment(learner) for learner in gradebook(small_class()).learners]
    assert any("Every number is the sum of the rates." in line for line in told)
    assert not any("adds-rates" in line or "not-attempted" in line for line in told)


# --- maxima, and who is who after a download of Moodle's -------------------------------------------------------------

HEAD = "Identifier;Full name;Email address;Grade;Maximum Grade;Feedback comments"


@pytest.mark.parametrize(
    ("text", "value"),
    [("100.00", 100), ("100,00", 100), ("1.000,00", 1000), ("1,000.00", 1000), ("1 000,00", 1000), ("1'000.5", 1000.5),
     ("1.000.000", 1e6), ("", None), ("-", None), ("0", None), ("nan", None), ("inf", None)],
)  # fmt: skip
def test_maxima_are_read_as_any_country_writes_them(text, value):
    assert points_in(text) == value


def test_each_row_of_a_worksheet_has_its_own_maximum_and_an_empty_one_that_of_all_others(template, tmp_path):
    results = store([result(student, "01.1") for student in ("31", "32", "33")], tmp_path / "r")
    text = "\n".join([HEAD, "Participant 31;A;;;100,00;", "Participant 32;B;;;;", "Participant 33;C;;;{};"])
    done = export(results, "moodle", template=template(text.format("100.00")))
    assert [row[3] for row in rows(done.path)[1:]] == ["100", "100", "100"]
    done = export(results, "moodle", template=template(text.format("1.000,00")))
    assert [row[3] for row in rows(done.path)[1:]] == ["100", "1000"]
    assert done.unmatched == ("32",)
    assert "which maximum it has: 32" in done.remarks[-1]


GRADES = "First name,Last name,ID number,Email address,Assignment:{0}HW 2 (Real),Assignment:{0}HW 2 (Feedback)\n"


@pytest.fixture
def of_moodle(tmp_path):
    """A download of Moodle's: learners are participants 101 and 102, and the roster has their addresses."""
    found = store([result("101", "01.1"), result("102", "01.1", "wrong")], tmp_path / "moodle")
    asked = Assignment("hw", ("01",), (Asked("01.1", "Rates", 2),))
    entries = tuple(
        Entry(student, name, (name,), chapters=("01",)) for student, name in (("101", "Ann"), ("102", "Bo"))
    )
    roster = Roster((Person(("101", "a@x"), "Ann"), Person(("102", "b@x"), "Bo")), ())
    write_class(found, asked, ClassList("Moodle", 2, False, entries), roster)
    return found


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("numbers", [("9001", "9002"), ("102", "101")])
def test_the_roster_says_whose_address_it_is_and_no_number_of_another_kind_does(of_moodle, template, numbers, blank):
    text = GRADES.format(blank) + f"Ann,A,{numbers[0]},A@x,,\nBo,B,{numbers[1]},b@x,,\n"
    done = export(of_moodle, "moodle", template=template(text), assignment="HW 2")
    assert [row[3:5] for row in rows(done.path)[1:]] == [["A@x", "2"], ["b@x", "0"]]
    assert done.unmatched == ()


def test_numbers_of_the_institution_alone_are_refused_with_advice(of_moodle, template):
    (of_moodle / "roster.json").unlink()
    text = GRADES.format("") + "Ann,A,102,a@x,,\nBo,B,101,b@x,,\n"
    with pytest.raises(ValueError, match="give the grading worksheet"):
        export(of_moodle, "moodle", template=template(text), assignment="HW 2")


# --- who is missing, where somebody is unknown -----------------------------------------------------------------------

CLASS = "Student,ID,SIS User ID,Section,HW (7)\nAnn,501,s501,A,\nBob,502,s502,A,\nCy,503,s503,A,\n"


def class_of(folder, came, missing, unknown):
    """Results of a class on disk: everybody who came has 2 of 2 points."""
    found = store([result(student, "01.1") for student in came], folder)
    asked = Assignment("hw", ("01",), (Asked("01.1", "Rates", 2),))
    learners = tuple(Entry(student, student, (student,), chapters=("01",)) for student in came)
    gone = tuple(Entry(student, student) for student in missing)
    rostered = len(came) + len(missing) - len(unknown)
    people = ClassList("Canvas", len(came), False, learners, gone, tuple(unknown), rostered=rostered)
    write_class(found, asked, people, Roster((), ()))
    return found


@pytest.mark.parametrize(
    ("unknown", "asked", "marks"),
    [([], False, ["2", "2", "0"]), (["x7"], False, ["2", "2"]), (["x7"], True, ["2", "2", "0"])],
)
def test_whoever_is_missing_has_no_zero_while_somebody_unknown_may_be_they(tmp_path, template, unknown, asked, marks):
    results = class_of(tmp_path / "r", ["501", "502", *unknown], ["503"], unknown)
    done = export(results, "canvas", template=template(CLASS), assignment="HW", missing_as_zero=asked)
    assert [row[-1] for row in rows(done.path)[1:]] == marks
    assert any("--missing-as-zero" in line for line in done.remarks) == (len(marks) == 2)
    assert ("503" in done.unmarked) == (len(marks) == 2)


def test_no_other_system_is_told_of_a_zero_either(tmp_path):
    results = class_of(tmp_path / "r", ["501", "x7"], ["503"], ["x7"])
    book = load_gradebook(results)
    [missing] = book.unclear
    assert all("score" not in test for test in gradescope(missing, book)["tests"])
    [score] = [score for score in lti_scores(book) if score["userId"] == "503"]
    assert "scoreGiven" not in score
    assert "not clear yet" in score["comment"] == comment(missing)
    done = export(results, "csv")
    assert {row[0]: row[2:5] for row in rows(done.path)[1:]} == {
        "501": ["2", "2", "2"], "503": ["", "2", ""], "x7": ["2", "2", "2"],
    }  # fmt: skip


@pytest.mark.parametrize("asked", [False, True])
def test_an_anonymous_download_is_no_class_of_zeros(tmp_path, template, asked):
    results = class_of(tmp_path / "r", ["x7K2p", "Q81ab"], ["501", "502"], ["x7K2p", "Q81ab"])
    with pytest.raises(ValueError, match=r"of 2 learners who handed in, 0 stand in the export.*anonymous"):
        export(results, "canvas", tmp_path / "m.csv", template(CLASS), "HW", missing_as_zero=asked)
    assert not (tmp_path / "m.csv").exists()


# --- ids as spreadsheets leave them ----------------------------------------------------------------------------------


def test_ids_are_found_and_given_back_as_spreadsheets_leave_them(tmp_path, template):
    results = store([result(student, "01.1") for student in ("00501", "00502", "503")], tmp_path / "r")
    text = CLASS.replace("s501", '"=""00501"""').replace("s502", "502").replace("s503", "503.0")
    done = export(
        results, "canvas", template=template(text.replace(",501,", ",,").replace(",502,", ",,", 1)), assignment="HW"
    )
    assert [row[2] for row in rows(done.path)[1:]] == ["00501", "502", "503.0"]
    assert "found by number, as a spreadsheet took zeros off: 00502 as 502" in done.remarks
