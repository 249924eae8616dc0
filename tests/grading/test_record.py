"""The record in its file: readable, whole, kept by two notebooks at once, never fatal; and cards at doubling times."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from coursepkg.grading.learning.record import LONGEST, Card, Exercise, Record, location, read, update

DAY = date(2026, 2, 27)


def days(number):
    return DAY + timedelta(days=number)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.json"


def noted(exercise_id, passed, *ideas, today=DAY):
    return lambda record: record.note(exercise_id, passed, ideas, today)


# --- what is noted ---------------------------------------------------------------------------------------------------


def test_a_pass_stays_whatever_comes_later(path):
    for passed in (False, True, False):
        record = update(path, noted("02.1", passed))
    assert record.exercises == {"02.1": Exercise(3, DAY)}
    assert record.passed("02.1")
    assert not record.tried("02.1")


def test_an_exercise_that_was_never_passed_is_tried(path):
    record = update(path, noted("02.1", False))
    assert record.tried("02.1")
    assert not record.passed("02.1")
    assert not record.tried("02.2")


def test_the_file_is_readable_and_sorted(path):
    for name in ("02.10", "02.9", "01.3"):
        update(path, noted(name, True, today=DAY))
    update(path, noted("02.5", False, "adds-rates"))
    data = json.loads(path.read_text(encoding="utf-8"))
    assert list(data["exercises"]) == ["01.3", "02.5", "02.9", "02.10"]
    assert data["exercises"]["02.9"] == {"tries": 1, "passed": "2026-02-27"}
    assert data["cards"] == {"02.5/adds-rates": {"met": "2026-02-27", "days": 1, "due": "2026-02-28"}}
    assert "yours to edit or delete" in data["about"]
    assert path.read_text(encoding="utf-8").count("\n") > 10


def test_the_letters_of_the_first_notebook_stand_beside_the_exercises(path):
    update(path, noted("02.1", True))
    assert "questions" not in json.loads(path.read_text(encoding="utf-8"))
    update(path, lambda record: record.questions.update({10: "a", 2: "c"}))
    record = update(path, noted("02.2", False))
    assert record.questions == {2: "c", 10: "a"}
    assert list(json.loads(path.read_text(encoding="utf-8"))["questions"]) == ["2", "10"]
    assert record.passed("02.1")


def test_what_is_written_is_read_again(path):
    update(path, noted("02.5", False, "adds-rates"))
    update(path, noted("02.5", True))
    assert read(path) == Record({"02.5": Exercise(2, DAY)}, {"02.5/adds-rates": Card(DAY, 1, days(1))})


@pytest.mark.parametrize("year", [1, 999, 2026, 9999])
def test_the_minute_of_the_latest_check_is_read_again(path, year):
    at = datetime(year, 6, 1, 12, 30, tzinfo=UTC)  # a clock may be wrong by any number of years
    update(path, lambda record: record.exercises.update({"02.5": Exercise(1, None, ("adds-rates",), at)}))
    assert read(path).exercises["02.5"].at == at


# --- cards -----------------------------------------------------------------------------------------------------------


def test_a_card_comes_back_after_doubling_times():
    record = Record()
    record.note("02.5", False, ["adds-rates"], DAY)
    today, waits = DAY, []
    for _ in range(12):
        due = record.cards["02.5/adds-rates"].due
        waits.append((due - today).days)
        today = due
        record.answer("02.5/adds-rates", True, today)
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == LONGEST


def test_a_card_that_was_forgotten_comes_back_tomorrow():
    record = Record(cards={"02.5/x": Card(DAY, 8, DAY)})
    record.answer("02.5/x", False, DAY)
    assert record.cards["02.5/x"] == Card(DAY, 1, days(1))


def test_a_card_counts_once_a_day():
    record = Record(cards={"02.5/x": Card(DAY, 2, DAY)})
    for _ in range(3):
        record.answer("02.5/x", True, DAY)
    assert record.cards["02.5/x"] == Card(DAY, 4, days(4))
    record.answer("02.5/x", False, DAY)
    assert record.cards["02.5/x"] == Card(DAY, 1, days(1))


def test_an_idea_that_is_met_again_starts_again_and_keeps_its_first_day():
    record = Record(cards={"02.5/x": Card(DAY, 16, days(20))})
    record.note("02.5", False, ["x"], days(5))
    assert record.cards["02.5/x"] == Card(DAY, 1, days(6))


def test_due_are_those_whose_day_has_come_longest_first():
    record = Record(cards={"b": Card(DAY, 1, days(1)), "a": Card(DAY, 1, days(1)), "c": Card(DAY, 1, DAY)})
    assert record.due(days(-1)) == []
    assert record.due(DAY) == ["c"]
    assert record.due(days(1)) == ["c", "a", "b"]


# --- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", "{}", '{"format": "2", "exercises": {}, "cards": {}}', '{"format": 1}',
    '{"format": 1, "exercises": [], "cards": {}}', '{"format": 1, "exercises": {"02.1": {}}, "cards": {}}',
    '{"format": 1, "exercises": {"02.1": {"tries": 1, "passed": "soon"}}, "cards": {}}',
    '{"format": 1, "exercises": {"02.1": 3}, "cards": {}}',
    '{"format": 1, "exercises": {}, "cards": {"x": {"met": 3}}}',
    "[" * 5000,
    '{"format": 1, "exercises": {"\\ud800": {"tries": 1, "passed": null}}, "cards": {}}',
    '{"format": 1, "exercises": {"%s.1": {"tries": 1, "passed": null}}, "cards": {}}' % ("9" * 5000),
    '{"format": 1, "exercises": {"02.1": {"tries": %s, "passed": null}}, "cards": {}}' % ("9" * 4300),
    '{"format": 1, "exercises": {"02.1": {"tries": -3, "passed": null}}, "cards": {}}',
    '{"format": 1, "exercises": {}, "cards": {"\\ud800": {"met": "2026-01-01", "days": 1, "due": "2026-01-02"}}}',
    '{"format": 1, "exercises": {}, "cards": {}, "questions": {"1": "\\ud800"}}',
    '{"format": 1, "exercises": {"02.1": {"tries": 1, "passed": null, "latest": {"ideas": ["\\ud800"], "at": null}}},'
    ' "cards": {}}',
])  # fmt: skip
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(path, text):
    path.write_text(text, encoding="utf-8")
    record = update(path, noted("02.1", True))
    assert "set aside as `progress.json.damaged`" in record.notice
    assert path.with_name("progress.json.damaged").read_text(encoding="utf-8") == text
    assert read(path) == Record({"02.1": Exercise(1, DAY)})


def test_bytes_that_are_no_text_are_set_aside_and_none_is_overwritten(path):
    for content in (b"\xff\xfe\x00", b"\x80"):
        path.write_bytes(content)
        read(path)
    assert path.with_name("progress.json.damaged").read_bytes() == b"\xff\xfe\x00"
    assert path.with_name("progress.json.damaged-2").read_bytes() == b"\x80"


def test_a_file_that_an_editor_saved_with_a_mark_is_read(path):
    update(path, noted("02.1", True))
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert read(path).passed("02.1")


def test_the_record_of_a_newer_version_stays_as_it_is_and_a_line_says_so(path):
    newer = '{"format": 2, "exercises": {}, "cards": {}}'
    path.write_text(newer, encoding="utf-8")
    record = update(path, noted("02.1", True))
    assert record.passed("02.1")
    assert record.notice == (
        "`progress.json` was written by a newer version of the course and stays as it is. "
        "Your progress is kept again once you install that version here."
    )
    assert path.read_text(encoding="utf-8") == newer
    assert {item.name for item in path.parent.iterdir()} == {"progress.json", ".progress.json.lock"}


def test_a_record_that_cannot_be_read_now_is_not_written_over(path, monkeypatch):
    """A network's folder may be away for a moment; what it holds is there again later."""
    update(path, noted("02.1", True))

    def fails(*args, **options):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "read_text", fails)
        record = update(path, noted("02.2", True))
    assert record.notice == (
        "Your progress cannot be read: `progress.json` (Input/output error). Nothing is written to it."
    )
    assert read(path) == Record({"02.1": Exercise(1, DAY)})


def test_a_damaged_file_that_cannot_be_set_aside_stays(path, monkeypatch):
    path.write_text("{", encoding="utf-8")
    replaced = os.replace

    def fails(source, target):
        if "damaged" in str(target):
            raise PermissionError(13, "Permission denied")
        replaced(source, target)

    monkeypatch.setattr(os, "replace", fails)
    record = update(path, noted("02.1", True))
    assert "cannot be set aside (Permission denied). It stays as it is, and nothing is kept." in record.notice
    assert path.read_text(encoding="utf-8") == "{"


NO_FILE = """
import os, sys
from datetime import date
from pathlib import Path
from coursepkg.grading.learning.record import update
path = Path("progress.json")
os.mkfifo(path) if sys.argv[1] == "pipe" else path.symlink_to("/dev/null") if sys.argv[1] == "device" else path.mkdir()
print(update(path, lambda record: record.note("02.1", True, [], date(2026, 1, 1))).notice)
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path, kind):
    command = [sys.executable, "-c", NO_FILE, kind]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    line = "Your progress cannot be read: `progress.json` (it is no ordinary file). Nothing is written to it.\n"
    assert done.stdout == line, done.stderr
    assert not (tmp_path / "progress.json").is_file()


LOCK = """
import os
from datetime import date
from pathlib import Path
from coursepkg.grading.learning.record import update
os.mkfifo(".progress.json.lock")
print(update(Path("progress.json"), lambda record: record.note("02.1", True, [], date(2026, 1, 1))).passed("02.1"))
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_in_place_of_the_lock_is_not_waited_for(tmp_path):
    command = [sys.executable, "-c", LOCK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout == "True\n", done.stderr
    assert (tmp_path / "progress.json").is_file()


def test_where_nothing_can_be_written_a_line_says_so(tmp_path):
    (tmp_path / "file").touch()
    record = update(tmp_path / "file" / "progress.json", noted("02.1", True))
    assert "not kept" in record.notice or "cannot be read" in record.notice
    assert record.passed("02.1")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    update(path, noted("02.1", True))

    def fails(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        record = update(path, noted("02.2", True))
    assert "No space left on device" in record.notice
    assert read(path) == Record({"02.1": Exercise(1, DAY)})
    assert {item.name for item in path.parent.iterdir()} == {"progress.json", ".progress.json.lock"}


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_a_record_that_is_a_link_stays_one(path, tmp_path):
    real = tmp_path / "elsewhere" / "kept.json"
    real.parent.mkdir()
    path.symlink_to(real)
    update(path, noted("02.1", True))
    assert path.is_symlink()
    assert read(real).passed("02.1")


WRITER = """
import sys
from datetime import date
from pathlib import Path
from coursepkg.grading.learning.record import update
for number in range(25):
    update(Path(sys.argv[1]), lambda record: record.note(f"{sys.argv[2]}.{number}", True, ["x"], date(2026, 1, 1)))
"""


def test_notebooks_that_write_at_once_lose_nothing(path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), chapter]) for chapter in ("01", "02", "03")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    record = read(path)
    assert set(record.exercises) == {f"{chapter}.{number}" for chapter in ("01", "02", "03") for number in range(25)}
    assert len(record.cards) == 75


# --- where it is -----------------------------------------------------------------------------------------------------


@pytest.fixture
def nothing_said(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSEPKG_PROGRESS", raising=False)
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.chdir(tmp_path)


def test_it_lies_beside_the_notebooks_for_a_person_and_nowhere_for_others(nothing_said, tmp_path):
    checks = tmp_path / "exercises" / ".checks"
    assert location(checks, person=True) == tmp_path / "exercises" / "progress.json"
    assert location(checks, person=False) is None


def test_beside_the_checks_of_an_installed_package_there_is_no_record(nothing_said, tmp_path):
    checks = tmp_path / "site-packages" / "coursepkg" / "course" / "exercises" / ".checks"
    assert location(checks, person=True) == tmp_path / "progress.json"


def test_nbgrader_at_work_is_no_person(nothing_said, monkeypatch, tmp_path):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert location(tmp_path / ".checks", person=True) is None


def test_checks_of_a_class_do_not_gather_the_records_of_a_class(nothing_said, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEPKG_CHECKS", "/srv/class/.checks")
    assert location(tmp_path / "class" / ".checks", person=True) == tmp_path / "progress.json"


@pytest.mark.parametrize("word", ["off", "OFF", "no", "0", "", " off "])
def test_it_can_be_switched_off(nothing_said, monkeypatch, tmp_path, word):
    monkeypatch.setenv("COURSEPKG_PROGRESS", word)
    assert location(tmp_path / ".checks", person=True) is None


def test_it_can_be_elsewhere(nothing_said, monkeypatch, tmp_path):
    for named, expected in ((tmp_path / "mine.json", "mine.json"), (tmp_path, "progress.json")):
        monkeypatch.setenv("COURSEPKG_PROGRESS", str(named))
        assert location(None, person=False) == tmp_path / expected


def test_a_name_that_is_too_long_for_a_file_is_said(nothing_said, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(tmp_path / ("x" * 300)))
    named = location(None, person=True)
    assert "File name too long" in update(named, noted("02.1", True)).notice


def test_a_record_is_kept_where_files_cannot_be_locked(tmp_path):
    """Python in a browser has a module ``fcntl`` without locks in it."""
    code = """
import sys, types
sys.modules["fcntl"] = types.ModuleType("fcntl")
from coursepkg.grading.learning import record
from datetime import date
from pathlib import Path
record.update(Path("progress.json"), lambda own: own.note("01.1", True, [], date(2026, 1, 1)))
print(record.read(Path("progress.json")).passed("01.1"))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr
