"""A room's records: read as files of strangers, counted by hand, and shown without names, answers or code."""

import http.client
import json
import os
import threading
import urllib.request
from datetime import UTC, date, datetime, timedelta

import pytest

from coursepkg.grading import cli
from coursepkg.grading.judging.judge import Verdict
from coursepkg.grading.learning import room
from coursepkg.grading.learning.course import exercises_of
from coursepkg.grading.learning.notebook import checks_folder
from coursepkg.grading.learning.record import Record, update
from coursepkg.grading.learning.room import MANY_TRIES, RoomError, active_in, chapter_of, people_of, standings, stuck_in
from coursepkg.grading.room_command import BoardServer, board, looks_again, told

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
TASKS = room.tasks_of(checks_folder())
OVERWRITES, MULTIPLIES = "overwrites-with-second-use", "multiplies-the-paths"


def checked(folder, name, exercise, *, passed=False, ideas=(), minutes=5.0, times=1):
    """Somebody checks an exercise, some minutes before now."""
    (folder / name).mkdir(exist_ok=True)
    for _ in range(times):
        update(
            folder / name / "progress.json",
            lambda kept: kept.note(exercise, passed, ideas, date(2026, 3, 2), NOW - timedelta(minutes=minutes)),
        )


def lines(folder, minutes=30.0):
    return [
        (each.task.id, each.idea and each.idea.looks_like, each.count, each.of) for each in stuck_of(folder, minutes)
    ]


def stuck_of(folder, minutes=30.0):
    return stuck_in(people_of(folder), TASKS, NOW, minutes)


def standings_of(folder):
    return standings(people_of(folder), TASKS["02"])


def looks_like(exercise, idea):
    return next(task for task in TASKS[exercise[:2]] if task.id == exercise).ideas[idea].looks_like


# --- what to talk about next ---


def test_the_idea_that_most_are_stuck_with_comes_first(tmp_path):
    for number in range(28):
        idea = OVERWRITES if number < 11 else MULTIPLIES
        checked(tmp_path, f"person-{number}", "02.4", passed=number >= 15, ideas=[] if number >= 15 else [idea])
    assert lines(tmp_path) == [
        ("02.4", looks_like("02.4", OVERWRITES), 11, 28), ("02.4", looks_like("02.4", MULTIPLIES), 4, 28),
    ]  # fmt: skip


def test_of_equal_counts_the_earlier_exercise_comes_first(tmp_path):
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES])
    checked(tmp_path, "b", "01.2", ideas=[next(iter(TASKS["01"][1].ideas))])
    assert [line[0] for line in lines(tmp_path)] == ["01.2", "02.4"]


def test_only_the_latest_check_counts(tmp_path):
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES], minutes=9)
    checked(tmp_path, "a", "02.4", ideas=[MULTIPLIES], minutes=2)
    assert [line[1] for line in lines(tmp_path)] == [looks_like("02.4", MULTIPLIES)]
    checked(tmp_path, "a", "02.4", passed=True, minutes=1)
    assert lines(tmp_path) == []


def test_who_passed_once_is_not_stuck_when_they_try_something_wrong(tmp_path):
    checked(tmp_path, "a", "02.4", passed=True)
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES])
    assert lines(tmp_path) == []


def test_without_a_known_idea_it_takes_three_checks(tmp_path):
    checked(tmp_path, "a", "02.4", times=MANY_TRIES - 1)
    assert lines(tmp_path) == []
    checked(tmp_path, "a", "02.4")
    assert lines(tmp_path) == [("02.4", None, 1, 1)]


def test_now_is_half_an_hour_unless_somebody_says_otherwise(tmp_path):
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES], minutes=45)
    assert (lines(tmp_path), active_in(people_of(tmp_path), NOW, 30)) == ([], 0)
    assert [line[2] for line in lines(tmp_path, 60)] == [line[2] for line in lines(tmp_path, None)] == [1]
    assert active_in(people_of(tmp_path), NOW, 60) == 1


def test_ideas_and_exercises_that_no_check_knows_are_left_out(tmp_path):
    checked(tmp_path, "a", "02.4", ideas=["<script>alert(1)</script>"])
    checked(tmp_path, "a", "99.1", ideas=[OVERWRITES], times=5)
    assert lines(tmp_path) == []


def test_ten_records_counted_by_hand(tmp_path):
    checked(tmp_path, "p1", "02.4", ideas=[OVERWRITES])
    checked(tmp_path, "p2", "02.4", ideas=[OVERWRITES], minutes=29)
    checked(tmp_path, "p3", "02.4", ideas=[OVERWRITES], minutes=45)  # too long ago
    checked(tmp_path, "p4", "02.4", ideas=[OVERWRITES, MULTIPLIES])
    checked(tmp_path, "p5", "02.4", ideas=[MULTIPLIES])
    checked(tmp_path, "p5", "02.4", passed=True, minutes=1)
    checked(tmp_path, "p6", "02.4", times=3)
    checked(tmp_path, "p7", "02.4", times=2)
    checked(tmp_path, "p8", "02.1", passed=True)
    checked(tmp_path, "p9", "02.4", passed=True)
    checked(tmp_path, "p9", "02.4", ideas=[OVERWRITES], minutes=1)
    checked(tmp_path, "p10", "02.5", times=4, minutes=2)
    (tmp_path / "p11").mkdir()
    (tmp_path / "list of the class.csv").write_text("p1")
    assert lines(tmp_path) == [
        ("02.4", looks_like("02.4", OVERWRITES), 3, 10), ("02.4", None, 1, 10),
        ("02.4", looks_like("02.4", MULTIPLIES), 1, 10), ("02.5", None, 1, 10),
    ]  # fmt: skip
    assert told(tmp_path, 30, NOW)[:3] == ["People: 11", "With a record: 10", "Checked something in 30 min: 9"]
    found = {each.task.id: (each.passed, each.tried, each.not_begun) for each in standings_of(tmp_path)}
    assert (found["02.1"], found["02.4"], found["02.5"]) == ((1, 0, 10), (2, 6, 3), (0, 1, 10))


def test_two_people_who_are_shown_under_one_name_are_two(tmp_path):
    checked(tmp_path, "ada", "02.1", passed=True)
    (tmp_path / "ada.json").write_bytes((tmp_path / "ada" / "progress.json").read_bytes())
    assert standings_of(tmp_path)[0].passed == 2


def test_a_folder_without_a_record_is_not_called_a_room_in_which_nobody_is_stuck(tmp_path):
    (tmp_path / "people").mkdir()
    said = told(tmp_path, 30, NOW)
    assert "Nobody is stuck" not in " ".join(said)
    assert said[-1].startswith("There is no record here that can be read. One is looked for as NAME/progress.json, ")


@pytest.mark.parametrize("minutes", ["0.5", "100000"])
def test_minutes_at_the_edges_of_what_is_allowed_are_taken(tmp_path, capsys, minutes):
    (tmp_path / "ada").mkdir()
    assert cli.main(["grade", "room", str(tmp_path), "--minutes", minutes]) == 0
    assert "minutes are" not in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["0", "-5", "nan", "inf", "1e9", "soon"])
def test_minutes_that_are_none_are_refused_in_words(tmp_path, capsys, minutes):
    with pytest.raises(SystemExit):
        cli.main(["grade", "room", str(tmp_path), f"--minutes={minutes}"])
    assert f"minutes are above 0 and at most 100000; {minutes!r} is not" in capsys.readouterr().err


def test_somebody_without_a_record_is_in_the_room_and_in_no_count(tmp_path):
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES])
    (tmp_path / "b").mkdir()
    assert [person.name for person in people_of(tmp_path)] == ["a", "b"]
    assert lines(tmp_path) == [("02.4", looks_like("02.4", OVERWRITES), 1, 1)]
    first = standings(people_of(tmp_path), TASKS["02"])[3]
    assert (first.passed, first.tried, first.not_begun) == (0, 1, 1)


def test_the_chapter_shown_is_the_one_that_most_are_in(tmp_path):
    for name, chapter in (("a", "02.1"), ("b", "02.2"), ("c", "05.1")):
        checked(tmp_path, name, chapter, minutes=1)
        checked(tmp_path, name, "01.1", passed=True, minutes=9)
    assert chapter_of(people_of(tmp_path), TASKS) == "02"
    assert chapter_of([], TASKS) == "01"


# --- the record ---


def test_a_check_that_names_an_idea_is_kept_with_its_time_and_forgotten_with_the_next(tmp_path, monkeypatch):
    from coursepkg.grading.learning import notebook

    monkeypatch.setenv("COURSEPKG_PROGRESS", str(tmp_path / "progress.json"))
    found = next(
        item for item in json.loads((checks_folder() / "ex_02.json").read_text())["exercises"] if item["id"] == "02.4"
    )
    notebook._noted(found, Verdict("02.4", "wrong", OVERWRITES))
    stored = json.loads((tmp_path / "progress.json").read_text())
    assert stored["format"] == 1  # an older copy of the course sets records of another format aside
    assert stored["exercises"]["02.4"]["latest"]["ideas"] == [OVERWRITES]
    at = datetime.fromisoformat(stored["exercises"]["02.4"]["latest"]["at"])
    assert timedelta() <= datetime.now(UTC) - at < timedelta(minutes=3)
    assert at.second == 0  # to the minute: more is nobody's business
    notebook._noted(found, Verdict("02.4", "error"))
    assert json.loads((tmp_path / "progress.json").read_text())["exercises"]["02.4"]["latest"]["ideas"] == []


def test_what_an_older_copy_reads_of_a_new_record_is_what_it_always_read(tmp_path):
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES])
    stored = json.loads((tmp_path / "a" / "progress.json").read_text())["exercises"]["02.4"]
    assert (stored["tries"], stored["passed"]) == (1, None)


def test_a_record_from_an_older_copy_is_read(tmp_path):
    old = {"format": 1, "exercises": {"02.4": {"tries": 3, "passed": None}}, "cards": {}}
    (tmp_path / "a.json").write_text(json.dumps(old))
    assert lines(tmp_path) == []  # nobody knows when that was
    assert lines(tmp_path, None) == [("02.4", None, 1, 1)]


# --- files of strangers ---

DAMAGED = [
    b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}', b'{"format": 1, "exercises": {"02.4": [1]}, "cards": {}}',
    b'{"format": 1, "exercises": {"02.4": {"tries": Infinity, "passed": null}}, "cards": {}}',
    b'{"format": 1, "exercises": {"02.4": {"tries": 1, "passed": null, "latest": 7}}, "cards": {}}',
    b'{"format": 1, "exercises": {"02.4": {"tries": 1, "passed": null, "latest": {"ideas": "a", "at": null}}}, '
    b'"cards": {}}',
    b'{"format": 1, "exercises": {"02.4": {"tries": 1, "passed": null, "latest": {"ideas": [], "at": '
    b'"0001-01-01T00:00+23:00"}}}, "cards": {}}',
    b'{"format": 1, "exercises": {"02.4": {"tries": ' + b"9" * 9000 + b', "passed": null}}, "cards": {}}',
    b'{"format": 1, "exercises": {}, "cards": {}}' + b" " * room.LARGEST,
]  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_record_is_named_and_the_others_count(tmp_path, content):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "progress.json").write_bytes(content)
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES])
    assert [(person.name, person.problem) for person in people_of(tmp_path)] == [
        ("a", ""),
        ("b", "its record is damaged"),
    ]
    assert len(lines(tmp_path)) == 1
    assert "1 record cannot be read." in board(tmp_path, {}, NOW)
    assert (tmp_path / "b" / "progress.json").read_bytes() == content  # whoever looks on changes nothing


def test_a_record_of_a_newer_version_is_not_called_damaged(tmp_path):
    (tmp_path / "b.json").write_text('{"format": 2, "exercises": {}, "cards": {}, "more": []}')
    [person] = people_of(tmp_path)
    assert person.problem == "its record is of a newer version of the course"


@pytest.mark.parametrize("content", [DAMAGED[6], DAMAGED[9]])
def test_a_number_that_is_too_large_sets_a_record_aside_and_nothing_else(tmp_path, content):
    (tmp_path / "progress.json").write_bytes(content)
    kept = update(tmp_path / "progress.json", lambda kept: kept.note("02.1", True, [], date(2026, 3, 2)))
    assert "set aside" in kept.notice


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of this kind are POSIX's")
def test_links_pipes_and_folders_in_place_of_a_record_are_not_followed(tmp_path):
    secret, people = tmp_path / "secret", tmp_path / "people"
    people.mkdir()
    checked(tmp_path, "secret", "02.4", ideas=[OVERWRITES])
    for name in ("file", "above", "pipe", "folder"):
        (people / name).mkdir()
    (people / "file" / "progress.json").symlink_to(secret / "progress.json")
    (people / "above" / "exercises").symlink_to(secret)
    os.mkfifo(people / "pipe" / "progress.json")
    (people / "folder" / "progress.json").mkdir()
    (people / "person").symlink_to(secret)
    assert all(person.problem and person.record is None for person in people_of(people))
    assert len(people_of(people)) == 5


def test_a_folder_that_is_no_room_is_refused_in_words(tmp_path, monkeypatch, capsys):
    with pytest.raises(RoomError, match="cannot be listed"):
        people_of(tmp_path / "nowhere")
    monkeypatch.setattr(room, "MOST_PEOPLE", 1)
    for name in "ab":
        (tmp_path / name).mkdir()
    with pytest.raises(RoomError, match="at most 1 people"):
        people_of(tmp_path)
    assert cli.main(["grade", "room", str(tmp_path / "nowhere")]) == 2
    assert "Nothing can be said" in capsys.readouterr().err


# --- lines and the board ---

EVIL = "<img src=x onerror=alert(1)>\u202etxt"


def test_the_command_says_what_it_looks_like_why_and_where_to_look(tmp_path, capsys):
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES], minutes=1)
    said = told(tmp_path, 30, NOW)
    assert said[4] == f"1 of 1 at 02.4 (One variable, two uses): {looks_like('02.4', OVERWRITES)}"
    assert "The report of the second use replaced that of the first." in said[5]
    assert "Look again: notebook 02" in said[6]
    assert cli.main(["grade", "room", str(tmp_path), "--ever"]) == 0
    assert "1 of 1 at 02.4" in capsys.readouterr().out
    assert cli.main(["grade", "room", str(tmp_path)]) == 0  # that was long ago
    assert "Nobody is stuck" in capsys.readouterr().out


def test_the_command_is_listed(capsys):
    with pytest.raises(SystemExit):
        cli.main(["grade", "--help"])
    assert "room while it works" in " ".join(capsys.readouterr().out.split())


def test_the_board_shows_nobodys_name_unless_asked(tmp_path):
    for name in ("ada-lovelace", "emmy-noether"):
        checked(tmp_path, name, "02.4", ideas=[OVERWRITES])
    assert "ada-lovelace" not in board(tmp_path, {}, NOW)
    assert "somebody may be recognised" in board(tmp_path, {}, NOW)
    shown = board(tmp_path, {"names": "yes"}, NOW)
    assert shown.count("ada-lovelace") == 1
    assert '<span role="img" aria-label="tried">' in shown


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_name_is_text_and_nothing_else(tmp_path):
    checked(tmp_path, EVIL, "02.4", ideas=[OVERWRITES])
    os.mkdir(os.fsencode(tmp_path) + b"/\xff\xfe")
    shown = board(tmp_path, {"names": "yes"}, NOW)
    assert "<img" not in shown
    assert "\u202e" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "<script" not in shown
    assert "default-src 'none'" in shown
    shown.encode("utf-8")
    assert "\u202e" not in "".join(told(tmp_path, 30, NOW))


def test_what_a_query_says_comes_back_as_a_chapter_or_not_at_all(tmp_path):
    assert "Chapter 05" in board(tmp_path, {"chapter": "05"}, NOW)
    assert "script" not in board(tmp_path, {"chapter": "<script>", "names": "<script>"}, NOW)


def test_the_board_has_no_answer_no_hint_no_number_of_a_check_and_no_reason(tmp_path):
    """Everybody is stuck with everything, so all that the board can say is on it."""
    for chapter, tasks in TASKS.items():
        for task in tasks:
            checked(tmp_path, f"person-{chapter}", task.id, ideas=list(task.ideas))
    for chapter in TASKS:
        shown = board(tmp_path, {"chapter": chapter}, NOW)
        for item in exercises_of(checks_folder(), chapter):
            allowed = " ".join(each["looks_like"] + each["look_at"] for each in item["misconceptions"]) + item["title"]
            secrets = [*item["hints"], *(each["why"] for each in item["misconceptions"])]
            assert not [words for words in secrets if words in shown and words not in allowed]
            assert f"def {item['function']}" not in shown


def test_a_room_of_nobody_has_a_board(tmp_path):
    shown = board(tmp_path, {}, NOW)
    assert "Nobody is stuck" in shown
    assert "Chapter 01" in shown
    assert "It looks again every 15 seconds" in shown


def test_the_board_looks_again_unless_somebody_wants_to_read_it_at_their_own_pace(tmp_path):
    """A page that loads itself again throws a screen reader back to its top; so it must be possible to stop it."""
    assert looks_again({}) == {"Refresh": "15"}
    assert looks_again({"still": "yes"}) == {}
    shown = board(tmp_path, {"still": "yes", "chapter": "03", "names": "yes"}, NOW)
    assert "It stands still" in shown
    assert '<a href="?chapter=03&amp;names=yes">Look again by itself</a>' in shown
    assert '<a href="?chapter=03&amp;still=yes">Hide names</a>' in shown
    assert "http-equiv" not in shown.replace('http-equiv="Content-Security-Policy"', "")


def test_the_board_is_served_to_this_machine_and_to_who_has_the_key(tmp_path):
    checked(tmp_path, "a", "02.4", ideas=[OVERWRITES])
    with BoardServer(tmp_path, None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"{server.address}?chapter=03&names=yes") as answer:
            assert "Chapter 03" in answer.read().decode()
            assert "script-src" not in answer.headers["Content-Security-Policy"]
            assert answer.headers["Refresh"] == "15"
        with urllib.request.urlopen(f"{server.address}?still=yes") as answer:
            assert answer.headers["Refresh"] is None
        for host, path in ((server.hosts[0], "/"), (server.hosts[0], "/key/"), ("evil.example", f"/{server.key}/")):
            asked = http.client.HTTPConnection("127.0.0.1", server.server_port)
            asked.request("GET", path, headers={"Host": host})
            refused = asked.getresponse()
            assert (refused.status, b"printed" in refused.read()) == (403, True)
            asked.close()
        server.shutdown()


def test_a_board_hears_one_name_of_a_host_has_one_page_and_never_prints_its_key(tmp_path, capfd):
    checked(tmp_path, "a", "02.4")
    with BoardServer(tmp_path, None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        statuses = []
        for hosts, path in ((2, f"/{server.key}/"), (1, f"/{server.key}/other"), (1, f"/{server.key}/")):
            asked = http.client.HTTPConnection("127.0.0.1", server.server_port)
            asked.putrequest("GET", path, skip_host=True)
            for _ in range(hosts):
                asked.putheader("Host", server.hosts[0])
            asked.endheaders()
            statuses.append(asked.getresponse().status)
            asked.close()
        server.shutdown()
    assert statuses == [403, 404, 200]
    assert server.key not in "".join(capfd.readouterr())


def test_a_record_in_the_course_of_a_participant_is_found(tmp_path):
    checked(tmp_path, "x", "02.4", ideas=[OVERWRITES])
    for name, place in (("a", "exercises"), ("b", "my-course/exercises")):
        (tmp_path / name / place).mkdir(parents=True)
        (tmp_path / name / place / "progress.json").write_bytes((tmp_path / "x" / "progress.json").read_bytes())
    assert [person.record != Record() and person.record is not None for person in people_of(tmp_path)] == [True] * 3
