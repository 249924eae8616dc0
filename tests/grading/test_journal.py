"""The journal of marks: nothing that was called saved is ever lost, by a crash, another window or another program."""

import json

import pytest

from coursepkg.grading.reporting.journal import Conflict, Journal, Key

ANA, BO = Key("ana", "01.1", "01.1"), Key("bo", "01.1", "01.1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results-journal.jsonl"


def test_the_last_word_on_an_answer_counts(path):
    journal = Journal(path)
    first = journal.mark([(ANA, "ab")], 1, "", 0)
    journal.mark([(ANA, "ab")], 2.5, "Nearly.", first)
    mark = journal.marks()[ANA]
    assert (mark.points, mark.comment, mark.notebook) == (2.5, "Nearly.", "ab")
    assert len(path.read_bytes().splitlines()) == 2


def test_taking_back_is_one_more_line_and_brings_back_what_was_before(path):
    journal = Journal(path)
    first = journal.mark([(ANA, "ab")], 1, "", 0)
    second = journal.mark([(ANA, "ab")], 2, "", first)
    journal.undo(second)
    assert journal.marks()[ANA].points == 1
    journal.undo(first)
    assert journal.marks() == {}
    assert len(path.read_bytes().splitlines()) == 4
    with pytest.raises(ValueError, match="nothing to take back"):
        journal.undo(first)


def test_one_change_marks_all_who_gave_the_same_answer(path):
    journal = Journal(path)
    number = journal.mark([(ANA, "ab"), (BO, "cd")], 2, "", 0)
    assert {key: mark.points for key, mark in journal.marks().items()} == {ANA: 2, BO: 2}
    journal.undo(number)
    assert journal.marks() == {}


def test_two_programs_do_not_lose_marks(path):
    one, other = Journal(path), Journal(path)
    one.mark([(ANA, "ab")], 1, "", 0)
    other.mark([(BO, "cd")], 2, "", 0)
    assert set(one.marks()) == set(other.marks()) == {ANA, BO}


def test_a_mark_that_was_not_seen_is_not_replaced(path):
    one, other = Journal(path), Journal(path)
    first = one.mark([(ANA, "ab")], 1, "", 0)
    with pytest.raises(Conflict, match="another window"):
        other.mark([(ANA, "ab")], 2, "", 0)
    assert other.marks()[ANA].points == 1
    other.mark([(ANA, "ab")], 2, "", first)
    assert one.marks()[ANA].points == 2


@pytest.mark.parametrize("torn", [b'{"format": 1, "answ', b"\xff\x00", b"[]", b'{"format": 1, "points": 1}'])
def test_a_program_that_was_killed_while_writing_loses_only_what_was_not_called_saved(path, torn):
    Journal(path).mark([(ANA, "ab")], 1, "", 0)
    with path.open("ab") as file:
        file.write(torn)
    again = Journal(path)
    again.mark([(BO, "cd")], 2, "", 0)
    assert {key: mark.points for key, mark in Journal(path).marks().items()} == {ANA: 1, BO: 2}


def test_every_line_is_on_the_disk_before_it_is_called_saved(path, monkeypatch):
    synced = []

    def fsync(handle):
        synced.append(path.read_bytes().count(b"\n"))

    monkeypatch.setattr("coursepkg.grading.reporting.journal.os.fsync", fsync)
    Journal(path).mark([(ANA, "ab")], 1, "", 0)
    assert synced[0] == 1


def test_an_id_of_any_letters_comes_back_as_it_was(path):
    odd = Key("a\udc80\x00\u202e\n", "01.1", "01.1")
    Journal(path).mark([(odd, "ab")], 1, "\u2028", 0)
    assert Journal(path).marks()[odd].comment == "\u2028"
    assert json.loads(path.read_text(encoding="utf-8"))["entry"] == 1


# --- damaged and missing lines ---------------------------------------------------------------------------------------


def three_marks(path):
    """Marks of Cy, Bo and Ana; Bo's is taken back."""
    journal = Journal(path)
    journal.mark([(Key("cy", "01.1", "01.1"), "ef")], 1, "", 0)
    number = journal.mark([(BO, "cd")], 2, "by mistake", 0)
    journal.mark([(ANA, "ab")], 1, "", 0)
    journal.undo(number)
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("first", [[], ['{"format": 1, "entr']])
def test_a_line_that_is_damaged_or_gone_moves_no_other(path, first):
    lines = three_marks(path)
    path.write_text("\n".join([*first, *lines[1:]]) + "\n", encoding="utf-8")
    journal = Journal(path)
    assert {key: mark.points for key, mark in journal.marks().items()} == {ANA: 1}
    assert list(journal.taken_back()) == [BO]
    assert len(journal.damaged()) == len(first)
    assert journal.mark([(BO, "cd")], 2, "", 0) == 5
    assert {key: mark.points for key, mark in Journal(path).marks().items()} == {ANA: 1, BO: 2}


def line(**changes):
    answer = {"student": "ana", "exercise": "01.1", "item": "01.1", "notebook": "ab"}
    answer = {name: changes.pop(name, value) for name, value in answer.items()}
    return json.dumps({"format": 1, "entry": 9, "answers": [answer], "points": 2, "comment": ""} | changes)


@pytest.mark.parametrize(
    "text",
    [line(student=["x"]), line(student=None), line(exercise=1), line(notebook=None), line(points=True),
     line(points=10**400), line(points=float("nan")), line(points=-1), line(points="2"), line(entry=None),
     line(entry=True), line(comment=None), line(answers={}), "[" * 200_000,
     '{"format": 1, "entry": 9, "undo": true}', '{"format": 1, "entry": 9, "undo": "3"}'],
)  # fmt: skip
def test_a_line_that_this_program_does_not_write_is_named_and_left_out(path, text):
    lines = three_marks(path)
    path.write_text("\n".join([*lines, text]) + "\n", encoding="utf-8")
    journal = Journal(path)
    assert journal.marks()[ANA].points == 1
    assert len(journal.marks()) == 2
    [words] = journal.damaged()
    assert words.startswith("line 5 of results-journal.jsonl cannot be read")


@pytest.mark.parametrize("number", [0, 4, 99])
def test_taking_back_what_is_no_mark_takes_nothing_back(path, number):
    lines = three_marks(path)
    path.write_text("\n".join([*lines, json.dumps({"format": 1, "entry": 5, "undo": number})]) + "\n", encoding="utf-8")
    assert {key.student for key in Journal(path).marks()} == {"ana", "cy"}
    assert list(Journal(path).taken_back()) == [BO]
