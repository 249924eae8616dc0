"""Who is missing, unknown or twice: told from each institution's own export, and adding up in one line."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from class_results import result

from coursepkg.grading.reporting.gradebook import Learner
from coursepkg.grading.running.class_list import (
    ASSIGNMENT,
    CLASS,
    class_list,
    read_class,
    read_roster_again,
    with_earlier,
    with_work,
    write_class,
)
from coursepkg.grading.running.results import BadResult, Item, folder_name
from coursepkg.grading.specification.assignment import Asked, Assignment, BadAssignment
from coursepkg.grading.submissions.learners import Download, HandedIn
from coursepkg.grading.submissions.roster import attendance, moment, read_extensions, read_roster

DUE = datetime(2026, 11, 5, 12, tzinfo=UTC)
HW = Assignment("hw2", ("02",), (Asked("02.1", "One", 4.0),), DUE, "2")
TEN = replace(result("501", "01.1"), items=(Item("02.1", "One", 10.0, 10.0, "passed", "", ""),))
LEARNERS = [HandedIn(student, name, entries=[f"{student}.zip"]) for student, name in
            (("501", "leeann"), ("502", "bergben"), ("777", "mallory"))]  # fmt: skip
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,HW 1 (9001)
    Points Possible,,,,,10
"Lee, Ann",501,s1,ann@x.org,A,
"Berg, Ben",502,s2,ben@x.org,A,501
"Cy, Di",503,s3,cy@x.org,A,
"Student, Test",999,,,A,
"""
MOODLE = """Identifier,Full name,Email address,Status,Grade,Last modified (submission)
Participant 501,Ann Lee,Ann@X.org,Submitted,,"Thursday, 5 November 2026, 11:02 AM"
Participant 502,Ben Berg,ben@x.org,Submitted,,"Friday, 6 November 2026, 12:30 PM"
Participant 503,Cy Di,cy@x.org,,,-
"""
GRADESCOPE = (
    "First Name,Last Name,SID,Email,Sections\nAnn,Lee,501,a@x.org,\nBen,Berg,502,b@x.org,\nCy,Di,503,c@x.org,\n"
)
PLAIN = "id;name;submitted\n501;Ann Lee;2026-11-05T11:00:00+00:00\n502;Ben Berg;2026-11-06 13:30\n503;Cy Di;\n"
GERMAN = (
    "Kennung;Name;E-Mail\nTeilnehmer 501;Ann Lee;a@x.org\nTeilnehmer 502;Ben Berg;b@x.org\nTeilnehmer 503;Cy;c@x.org\n"
)


def roster_of(tmp_path, text):
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return read_roster(path)


def download(learners=LEARNERS):
    return Download("Canvas", list(learners), len(learners), [])


@pytest.mark.parametrize("text", [CANVAS, MOODLE, GRADESCOPE, PLAIN, GERMAN], ids="CMGPD")
def test_each_institutions_export_says_who_is_missing_and_who_is_unknown(tmp_path, text):
    found = class_list(download(), HW, roster_of(tmp_path, text))
    assert found.closing_line() == "3 folders, 3 learners, 1 missing, 1 unknown"
    assert [one.id for one in found.missing] == ["503"] or "503" in found.missing[0].id
    assert found.unknown == ("777",)
    assert "missing: " + found.missing[0].name in found.details()


def test_a_mark_that_looks_like_an_id_is_none(tmp_path):
    assert set(attendance(roster_of(tmp_path, CANVAS), LEARNERS).rows) == {"501", "502"}


@pytest.mark.parametrize("header", ["id,name", "Identifier,name", "login,mail"])
def test_a_login_that_ends_in_digits_is_no_participants_number(tmp_path, header):
    learners = [HandedIn(name, name) for name in ("stud001", "jsmith12", "12")]
    roster = roster_of(tmp_path, f"{header}\nstud001,a\njsmith12,b\nmueller12,c\n")
    beside = attendance(roster, learners)
    assert {name: person.name or person.ids[0] for name, person in beside.rows.items()}.keys() == {
        "stud001",
        "jsmith12",
    }
    assert beside.unknown == ("12",)
    assert roster.twice == ()


def test_a_number_of_another_kind_makes_nobody_somebody_else(tmp_path):
    """Participant 12 is not on the worksheet; student12 is another one's login."""
    learners = [HandedIn("12", "Ann Lee"), HandedIn("13", "Bo Ng")]
    text = "Identifier,Full name,Username\nParticipant 13,Bo Ng,student12\nParticipant 14,Cy Di,12\n"
    beside = attendance(roster_of(tmp_path, text), learners)
    assert {name: person.name for name, person in beside.rows.items()} == {"13": "Bo Ng"}
    assert beside.unknown == ("12",)


@pytest.mark.parametrize("above", [
    "sep=;\n", "Class 2026;;\n", "Class 2026\n", "Class 2026;;\n;;\n\n", 'sep=;\n"Class 2026";\n',
])  # fmt: skip
@pytest.mark.parametrize("header", ["id;name", "Matrikel;Anrede", '"Name";"ID"'])
def test_lines_above_the_header_are_no_learners(tmp_path, above, header):
    rows = "501;Ann\n502;Ben\n503;Cy\n" if "Name" not in header else "Ann;501\nBen;502\nCy;503\n"
    found = class_list(download(), HW, roster_of(tmp_path, f"{above}{header}\n{rows}"))
    assert found.closing_line() == "3 folders, 3 learners, 1 missing, 1 unknown"


@pytest.mark.parametrize("text", [
    'id;"name, as in the register, with titles, and all"\n501;Ann\n502;Ben\n503;Cy\n',
    'id,"a; b; c; d"\n501,Ann\n502,Ben\n503,Cy\n',
    'Matrikel;"Name, Vorname, Titel"\n501;"Lee, Ann"\n502;Ben\n503;Cy\n',
    '"id","name","Remarks\nof mine"\n501,Ann,x\n502,Ben,"a\nb; c; d"\n503,Cy,\n',
])  # fmt: skip
def test_what_stands_between_quotation_marks_parts_no_columns(tmp_path, text):
    found = class_list(download(), HW, roster_of(tmp_path, text))
    assert found.closing_line() == "3 folders, 3 learners, 1 missing, 1 unknown"


@pytest.mark.parametrize("text", ["id\n501\n502\n503\n", "Kennung\n501\n502\n503\n", "id;\n501;\n502;\n503;\n"])
def test_a_roster_may_be_ids_alone(tmp_path, text):
    assert len(roster_of(tmp_path, text).people) == 3


def test_a_row_without_an_id_is_named(tmp_path):
    roster = roster_of(tmp_path, "id,name\n501,Ann\n502,Ben\n,Dee\n,\n777,M\n")
    assert (len(roster.people), roster.without_id) == (3, ("Dee",))


def test_whoever_stands_twice_on_the_roster_is_not_missing_and_keeps_time_and_name(tmp_path):
    """Two sections list the same learner; the later time of the two is believed."""
    text = (
        "id,name,submitted\n501,Ann,2026-11-05T11:00Z\n502,Ben,2026-11-06T11:00Z\n502,Ben,\n503,Cy,\n503,Cy,\n777,M,\n"
    )
    beside = attendance(roster_of(tmp_path, text), LEARNERS)
    assert beside.rows["502"].submitted == "2026-11-06T11:00Z"
    assert [person.name for person in beside.missing] == ["Cy"]
    assert beside.unknown == ()
    two_people = attendance(roster_of(tmp_path, text.replace("502,Ben,\n", "502,Zoe,\n")), LEARNERS)
    assert [person.name for person in two_people.missing] == ["Cy"]
    assert two_people.unknown == ("502",)


def test_numbers_of_the_institution_are_no_participants_of_moodles(tmp_path):
    """In the list of participants Ann has Ben's number, and Ben has hers; their names tell them apart."""
    roster = roster_of(tmp_path, "First name,Last name,ID number,Email address\nAnn,Lee,502,a@x\nBen,Roe,501,b@x\n")
    learners = [HandedIn("501", "Ann Lee"), HandedIn("502", "Ben Roe")]
    found = class_list(replace(download(learners), layout="Moodle"), HW, roster)
    assert [(one.id, one.name) for one in found.learners] == [("501", "Ann Lee"), ("502", "Ben Roe")]
    assert (found.missing, found.unknown) == ((), ())
    assert "by name" in found.remarks[-1]
    write_class(tmp_path / "kept", HW, found, roster)
    assert read_roster_again(tmp_path / "kept") == roster


def test_twice_on_the_roster_and_without_an_id_are_notes(tmp_path):
    """Ben stands in two sections, and was late; Dee has no id there."""
    text = MOODLE + MOODLE.splitlines()[2] + "\n,Dee,,,,-\n"
    found = class_list(replace(download(), layout="Moodle"), HW, roster_of(tmp_path, text))
    ben = found.learners[1]
    assert (ben.submitted, ben.notes) == ("2026-11-06T12:30:00+00:00", ("stands twice on the roster",))
    assert found.closing_line().endswith("1 missing, 1 unknown, 1 twice on the roster, 1 without an id")
    assert "on the roster without an id, so not looked for: Dee" in found.details()
    assert "no time is known for 1 of 3 learners" in found.remarks[0]
    write_class(tmp_path, HW, found, roster_of(tmp_path, text))
    assert read_class(tmp_path) == (HW, found)
    assert read_roster_again(tmp_path) == roster_of(tmp_path, text)


def test_work_that_changed_since_the_roster_was_read_has_an_old_time(tmp_path):
    roster = roster_of(tmp_path, MOODLE)
    people = class_list(replace(download(), layout="Moodle"), HW, roster)

    def run(before, new_roster, **work):
        return with_work(people, {student[1:]: mark for student, mark in work.items()}, before, new_roster=new_roster)

    def old(found):
        return [one.id for one in found.learners if any("name the new roster" in note for note in one.notes)]

    first = run(None, True, _501="a", _502="b")
    assert (old(first), first.remarks) == ([], people.remarks)
    assert old(run(first, False, _501="a", _502="b")) == []
    second = run(first, False, _501="new", _502="b")
    assert old(second) == ["501"]
    assert "1 learner handed in again, such as Ann Lee" in second.remarks[-1]
    assert old(run(second, False, _501="new", _502="b")) == ["501"]  # as long as no newer roster is named
    assert old(run(second, False, _502="b")) == ["501"]
    assert old(run(second, False, _501="a", _502="b")) == []
    assert old(run(run(second, True, _501="new"), False, _501="new")) == []


def test_whoever_is_missing_has_no_id_of_somebody_elses(tmp_path):
    """Cy's number at the institution is Ann's on the platform."""
    text = "ID number,Identifier,Full name\n7,Participant 501,Ann\n8,Participant 502,Ben\n501,Participant 503,Cy\n"
    found = class_list(download(LEARNERS[:2]), HW, roster_of(tmp_path, text))
    assert [(one.id, one.name) for one in found.learners] == [("501", "Ann"), ("502", "Ben")]
    assert [(one.id, one.name) for one in found.missing] == [("503", "Cy")]


def test_an_id_in_two_rows_belongs_to_nobody_and_is_named(tmp_path):
    found = class_list(download(), HW, roster_of(tmp_path, "id,name\n501,Ann\n501,Anna\n502,Ben\n777,M\n"))
    assert found.twice == ("501",)
    assert found.unknown == ("501",)
    assert "twice on the roster: 501" in found.details()


def test_names_have_to_do_where_no_id_is_on_the_roster(tmp_path):
    people = [
        HandedIn("12", "Ann Lee"),
        HandedIn("13", "Zoe\u0308 Berg"),
        HandedIn("14", "Cy Di"),
        HandedIn("15", "Cy Di"),
    ]
    roster = roster_of(tmp_path, 'Name,Email\n"Lee, Ann",a@x\nZo\u00eb Berg,z@x\nCy Di,c@x\n')
    found = attendance(roster, people)
    assert found.by_name
    assert set(found.rows) == {"12", "13"}
    assert found.unknown == ("14", "15")


def test_a_cell_longer_than_any_is_refused_in_words(tmp_path):
    with pytest.raises(ValueError, match="cannot be read as a table"):
        roster_of(tmp_path, f"id,name\n1,{'x' * 200_000}\n")


def test_a_roster_without_any_id_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no column of ids"):
        roster_of(tmp_path, "Section,Grade\nA,1\nA,1\n")
    with pytest.raises(ValueError, match="cannot be opened"):
        read_roster(tmp_path / "missing.csv")


def test_folders_learners_merges_and_groups_add_up():
    shared = [
        HandedIn("a", "A", entries=["s1"]),
        HandedIn("b", "B", entries=["s1"]),
        HandedIn("c", "C", entries=["s2", "s3"]),
    ]
    found = class_list(Download("Gradescope", shared, 3, ["notes.txt"]), replace(HW, late="none"))
    assert found.closing_line() == "3 folders, 3 learners, 1 merged, 1 more in groups"
    assert len(shared) == 3 - 1 + 1
    assert found.details() == ["merged for C: s2, s3", "belongs to nobody: notes.txt"]


# --- when ------------------------------------------------------------------------------------------------------------


def test_times_come_from_the_download_or_from_the_roster(tmp_path):
    told = [
        HandedIn("501", "A", submitted=datetime(2026, 11, 4, tzinfo=UTC)),
        HandedIn("502", "B"),
        HandedIn("777", "M", late=True),
    ]
    found = class_list(download(told), HW, roster_of(tmp_path, MOODLE))
    assert [one.submitted for one in found.learners] == ["2026-11-04T00:00:00+00:00", "2026-11-06T12:30:00+00:00", ""]
    assert found.learners[2].notes == ("marked as late; the download does not say by how much, so one day is counted",)
    [in_time] = class_list(download([HandedIn("9", "X")]), HW).learners
    assert in_time.notes == ()  # Canvas marks those that are late


def test_where_no_time_is_known_or_it_cannot_be_read_it_is_said_of_the_class_and_of_each(tmp_path):
    plain = replace(download([HandedIn("501", "A"), HandedIn("502", "B")]), layout="Moodle")
    found = class_list(plain, HW, roster_of(tmp_path, "id;name;submitted\n501;Ann;Freitag, 4. Dezember\n502;Ben;\n"))
    assert [one.notes[0] for one in found.learners] == [
        "its time 'Freitag, 4. Dezember' cannot be read (2026-11-30T18:00+01:00 can); taken as in time",
        "neither the download nor the roster says when it was handed in; taken as in time",
    ]
    assert found.details()[0].startswith("no time is known for 2 of 2 learners, such as Ann: its time 'Freitag")


@pytest.mark.parametrize("cell", ["Participant 501", "Teilnehmer/in501", "Participante501", "501"])
def test_an_identifier_in_any_language_is_the_number_in_it(tmp_path, cell):
    assert set(attendance(roster_of(tmp_path, f"Identifier,Nom complet\n{cell},A\n"), LEARNERS).rows) == {"501"}


def test_a_short_prefix_belongs_to_an_id(tmp_path):
    assert attendance(roster_of(tmp_path, "id,name\ns501,A\n"), LEARNERS).rows == {}


def one_learner(tmp_path, written, due, **rule):
    """Somebody whose time stands in the roster, as the class and what being late costs them of 10 points."""
    text = f"id;name;submitted;extension\n501;Ann Lee;{written};{rule.pop('extension', '')}\n"
    homework = replace(HW, due=datetime.fromisoformat(due), **rule)
    plain = replace(download(LEARNERS[:1]), layout="Moodle")
    found = class_list(plain, homework, roster_of(tmp_path, text))
    [entry] = found.learners
    return found, Learner("501", "Ann Lee", {"02.1": TEN}, assignment=homework, entry=entry).deduction


@pytest.mark.parametrize(
    ("due", "written", "offset", "days"),
    [
        ("2026-03-28T23:59+01:00", "Monday, 30 March 2026, 12:30 AM", "+02:00", 1),  # 23 h 31 min later
        ("2026-03-28T23:59+01:00", "Monday, 30 March 2026, 1:00 AM", "+02:00", 2),
        ("2026-03-29T23:59+02:00", "Sunday, 29 March 2026, 1:30 AM", "+01:00", 0),
        ("2026-10-24T23:59+02:00", "Sunday, 25 October 2026, 11:30 PM", "+01:00", 2),  # 24 h 31 min later
        ("2026-10-24T23:59+02:00", "Sunday, 25 October 2026, 10:30 PM", "+01:00", 1),
        ("2026-11-01T00:00+01:00", "Saturday, 24 October 2026, 11:59 PM", "+02:00", 0),
        ("2026-10-25T02:30+02:00", "Sunday, 25 October 2026, 2:30 AM", "+02:00", 0),  # that hour comes twice
    ],
)
def test_each_time_has_the_offset_of_its_own_day(tmp_path, due, written, offset, days):
    found, taken = one_learner(tmp_path, written, due, late="2", zone="Europe/Berlin")
    assert found.learners[0].submitted.endswith(offset)
    assert taken == 2 * days
    assert "times without an offset were read as those of Europe/Berlin" in found.details()


@pytest.mark.parametrize(("machine", "offset"), [("Europe/Berlin", "+02:00"), ("America/New_York", "+01:00")])
def test_without_a_zone_the_machines_counts_where_it_fits_the_date_it_is_due(tmp_path, monkeypatch, machine, offset):
    monkeypatch.setenv("TZ", machine)
    time.tzset()
    try:
        found, _ = one_learner(tmp_path, "30 March 2026, 12:30 AM", "2026-03-28T23:59+01:00")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found.learners[0].submitted.endswith(offset)
    [words] = [line for line in found.details() if "without an offset" in line]
    assert "--timezone" in words


def test_a_time_with_an_offset_keeps_it(tmp_path):
    found, _ = one_learner(tmp_path, "2026-03-30T00:30+05:00", "2026-03-28T23:59+01:00", zone="Europe/Berlin")
    assert found.learners[0].submitted == "2026-03-30T00:30:00+05:00"
    assert not any("offset" in line for line in found.details())


# --- until when --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extension", "taken"),
    [("", 10), ("2026-12-04T23:59+01:00", 0), ("2026-12-02", 0), ("2026-11-01", 10), ("soon", 10)],
)
def test_an_extension_moves_the_date_and_is_said(tmp_path, extension, taken):
    found, cost = one_learner(
        tmp_path, "2026-12-02T09:00+01:00", "2026-12-01T23:59+01:00", late="cut-off", zone="Europe/Berlin",
        extension=extension,
    )  # fmt: skip
    assert cost == taken
    assert any("extension" in note for note in found.learners[0].notes) == bool(extension)
    write_class(tmp_path / "kept", HW, found)
    assert read_class(tmp_path / "kept")[1] == found


def test_moodles_worksheet_says_who_has_an_extension(tmp_path):
    status = "Submitted for grading - Extension granted until: Friday, 6 November 2026, 11:59 PM"
    found = class_list(
        download(), HW, roster_of(tmp_path, MOODLE.replace("ben@x.org,Submitted", f'ben@x.org,"{status}"'))
    )
    assert [one.until for one in found.learners] == ["", "2026-11-06T23:59:00+00:00", ""]
    assert "with an extension: Ben Berg until 2026-11-06T23:59:00+00:00" in found.details()


def test_extensions_may_be_a_list_of_their_own(tmp_path):
    path = tmp_path / "extensions.csv"
    path.write_text("email;extension\nben@x.org;2026-11-07\nzoe@x.org;2026-11-07\n")
    roster = replace(roster_of(tmp_path, MOODLE), extensions=read_extensions(path))
    found = class_list(download(), HW, roster)
    assert [one.until for one in found.learners] == ["", "2026-11-07T23:59:00+00:00", ""]
    assert any(line.startswith("the extensions of zoe@x.org are of nobody") for line in found.details())
    write_class(tmp_path / "kept", HW, found, roster)
    assert read_roster_again(tmp_path / "kept") == roster
    path.write_text("email;until\nben@x.org;2026-11-07\n")
    with pytest.raises(ValueError, match="grants nobody an extension"):
        read_extensions(path)


def test_with_an_extension_the_platforms_own_mark_counts_for_nothing(tmp_path):
    text = CANVAS.replace("Section", "extension").replace("ann@x.org,A", "ann@x.org,2026-11-07")
    ann, ben = (HandedIn(student, student, late=True) for student in ("501", "502"))
    found = class_list(download([ann, ben]), HW, roster_of(tmp_path, text))
    taken = [Learner(one.id, "", {"02.1": TEN}, assignment=HW, entry=one).deduction for one in found.learners]
    assert taken == [0, 2]


# --- ids as spreadsheets leave them ------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ['="00501"', "'00501", '"=""00501"""'])
def test_an_id_that_a_spreadsheet_was_kept_from_changing_is_that_id(tmp_path, cell):
    rows = attendance(roster_of(tmp_path, f"id,name\n{cell},Ann\n502,Ben\n"), [HandedIn("00501", "x")]).rows
    assert rows["00501"].name == "Ann"


@pytest.mark.parametrize("cell", ["501.0", "501,0"])
def test_a_number_with_a_fraction_of_nothing_is_that_number(tmp_path, cell):
    assert set(attendance(roster_of(tmp_path, f"id;name\n{cell};Ann\n502.0;Ben\n"), LEARNERS).rows) == {"501", "502"}


def test_zeros_that_a_spreadsheet_took_off_are_said(tmp_path):
    learners = [HandedIn(student, "x", entries=[student]) for student in ("00123", "00124")]
    text = "ID,SIS User ID,name\n900,123,Ann\n901,124,Bo\n902,125,Cy\n"
    found = class_list(download(learners), HW, roster_of(tmp_path, text))
    assert [one.name for one in found.learners] == ["Ann", "Bo"]
    assert found.closing_line() == "2 folders, 2 learners, 1 missing"
    assert "2 ids found on the roster by number, such as 00123 as 123: a spreadsheet took zeros off" in found.details()


@pytest.mark.parametrize(("ids", "rows"), [(["0123"], "123,Ann\n00123,Bo\n"), (["0123", "00123"], "123,Ann\n9,Bo\n")])
def test_numbers_that_are_not_clear_belong_to_nobody(tmp_path, ids, rows):
    learners = [HandedIn(student, "x") for student in ids]
    assert attendance(roster_of(tmp_path, f"id,name\n{rows}"), learners).rows == {}


def test_everybody_who_shares_an_id_is_counted_and_named(tmp_path):
    text = "id;name\n1,23E+08;Ann Lee\n1,23E+08;Bo Ray\n1,23E+08;Cy Fox\n501;Di Orr\n"
    found = class_list(download(LEARNERS[:1]), HW, roster_of(tmp_path, text))
    assert "missing: Ann Lee, Bo Ray, Cy Fox" in found.details()
    assert len({one.id for one in found.missing}) == 3
    assert found.closing_line() == "1 folder, 1 learner, 3 missing, 1 twice on the roster"
    assert "1,23E+08 stands on the roster for Ann Lee, Bo Ray, Cy Fox, so for none of them" in found.details()


# --- a later run goes on -------------------------------------------------------------------------------------------


def test_a_later_download_adds_to_the_class(tmp_path):
    roster = roster_of(tmp_path, MOODLE)
    moodle = replace(download(LEARNERS[:2]), layout="Moodle")
    first = class_list(moodle, HW, roster)
    late = Download("Moodle", [HandedIn("503", "cy", entries=["Cy_503"])], 1, [])
    both = class_list(with_earlier(late, first), HW, roster)
    assert both.closing_line() == "3 folders, 3 learners, 0 missing"
    assert [(one.id, one.submitted) for one in both.learners[:2]] == [(one.id, one.submitted) for one in first.learners]
    assert "2 of the learners handed in with an earlier download" in both.details()
    again = class_list(with_earlier(moodle, both), HW, roster)
    assert again.closing_line() == both.closing_line()
    with pytest.raises(BadAssignment, match="names learners otherwise"):
        with_earlier(replace(late, layout="plain"), first)


def test_the_roster_is_kept_for_later_runs(tmp_path):
    roster = roster_of(tmp_path, MOODLE)
    write_class(tmp_path / "results", HW, class_list(download(), HW, roster), roster)
    assert read_roster_again(tmp_path / "results") == roster
    assert read_roster_again(tmp_path) is None


@pytest.mark.parametrize("text", [
    "Thursday, 5 November 2026, 3:02 PM", "Thursday, 5 November 2026, 3:02\u202fPM", "2026-11-05 15:02",
    "2026-11-05T15:02:00", "Thursday, November 5, 2026, 3:02 PM", "5 November 2026, 3:02 PM", "2026-11-05T15:02+00:00",
])  # fmt: skip
def test_times_are_read_as_platforms_write_them(text):
    assert moment(text, UTC) == datetime(2026, 11, 5, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["-", "", "soon", "Donnerstag, 5. November 2026, 15:02"])
def test_a_time_that_cannot_be_read_is_none(text):
    assert moment(text, UTC) is None


# --- kept ------------------------------------------------------------------------------------------------------------


def test_the_class_is_kept_beside_the_results(tmp_path):
    found = class_list(download(), HW, roster_of(tmp_path, MOODLE))
    write_class(tmp_path / "results", HW, found)
    assert read_class(tmp_path / "results") == (HW, found)
    assert read_class(tmp_path) is None
    odd = [HandedIn("caf\udce9" * 90, "x\udce9")]
    write_class(tmp_path / "odd", HW, class_list(download(odd), HW))
    assert read_class(tmp_path / "odd")[1].learners[0].id == "caf\udce9" * 90
    for name in (ASSIGNMENT, CLASS):
        assert not folder_name(name).startswith(".")  # no learner's folder takes its place
    (tmp_path / "results" / CLASS).write_text("{}")
    with pytest.raises(BadResult):
        read_class(tmp_path / "results")
