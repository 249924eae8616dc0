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
