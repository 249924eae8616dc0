"""A batch gives the same bytes whatever happens to it: any number of processes, killed anywhere, started again."""

import contextlib
import fcntl
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime
from pathlib import Path

import machine
import pytest
from hostile_notebooks import PRODUCT, RIGHT, SECRET, SPECS, WRONG, notebook_bytes

from coursepkg.__main__ import main
from coursepkg.grading import cli
from coursepkg.grading.reporting.gradebook import load_gradebook
from coursepkg.grading.running import batch as running
from coursepkg.grading.running.batch import Batch, Busy, run
from coursepkg.grading.running.class_list import ASSIGNMENT, CLASS, ClassList
from coursepkg.grading.running.grader import Grader, Work, seed_id, seed_of
from coursepkg.grading.running.results import (
    folder_name,
    read_result,
    read_results,
    result_path,
    student_of,
    write_result,
)
from coursepkg.grading.sandbox import probe
from coursepkg.grading.sandbox.doctor import Finding
from coursepkg.grading.sandbox.launch import NONE
from coursepkg.grading.specification.assignment import Assignment, asked_in
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.specification.compiling import hidden_check
from coursepkg.grading.submissions.archives import open_tree
from coursepkg.grading.submissions.choosing import chapter_of_text

TINY = {
    "ann": [RIGHT, PRODUCT], "ben": [WRONG, PRODUCT], "cy": [RIGHT], "dee": ["def product(a, b):\n    return a / 0"],
    "eve": [RIGHT, "def product(a, b):\n    raise ValueError(object())"], "fay": [],
}  # fmt: skip


def hand_in(folder, submissions=TINY):
    for student, cells in submissions.items():
        (folder / student).mkdir(parents=True)
        (folder / student / "91_mine.ipynb").write_bytes(notebook_bytes(cells))
    return folder


@pytest.fixture
def handed_in(tmp_path):
    return hand_in(tmp_path / "all")


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    return path


def bytes_of(results):
    """All that must be the same from run to run: everything but the times."""
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and not path.name.endswith(".times.json")
    }


def batch(folder, tier=NONE, jobs=1):
    return Batch(SPECS, folder, SECRET, tier, jobs)


def points(results):
    return {(result.student, result.exercise): result.points for result in read_results(results)}


# --- what comes out --------------------------------------------------------------------------------------------------


def test_a_batch_in_the_sandbox_from_the_command_line(handed_in, secret, tmp_path, capsys):
    tier = machine.best_tier()
    (handed_in / "gus").mkdir()
    (handed_in / "gus" / "91_broken.ipynb").write_bytes(b"{")
    (handed_in / "hal.zip").write_bytes(b"no zip")
    out = tmp_path / "results"
    words = ["grade", "batch", str(handed_in), "--secret", str(secret), "--out", str(out), "--specs", str(SPECS)]
    assert cli.main([*words, "--jobs", "2"]) == 0
    assert f"sandbox: {tier}" in capsys.readouterr().out
    found = points(out)
    assert {student: (found[student, "91.1"], found[student, "91.2"]) for student in ("ann", "ben", "cy", "gus")} == {
        "ann": (2, 1), "ben": (0, 1), "cy": (2, 0), "gus": (0, 0),
    }  # fmt: skip
    assert read_result(result_path(out, "hal", "submission")).status == "student error"
    assert "hal.zip is no zip file" in read_result(result_path(out, "hal", "submission")).flags[0]
    assert {result.sandbox for result in read_results(out)} == {tier}
    assert cli.main(words) == 2
    assert "add --resume" in capsys.readouterr().err
    assert cli.main([*words, "--resume"]) == 0
    assert "14 kept" in capsys.readouterr().out


def test_a_terminal_is_shown_how_far_it_is(handed_in, tmp_path):
    terminal, its_end = os.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    script = tmp_path / "run_batch.py"
    script.write_text(RUNNER.replace(", quiet=True", ""))
    words = [sys.executable, str(script), str(SPECS), str(handed_in), str(tmp_path / "out"), "", SECRET.decode()]
    with os.fdopen(terminal, "rb", buffering=0) as shown:
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=its_end) as process:
            os.close(its_end)
            text = b""
            with contextlib.suppress(OSError):  # so a terminal ends when nobody writes to it any more
                while part := shown.read(1000):
                    text += part
        assert process.returncode == 0
    assert f"{len(TINY)}/{len(TINY)}".encode() in text


def test_any_number_of_processes_gives_the_same_bytes(handed_in, tmp_path):
    for jobs in (1, 2, 3):
        run(batch(tmp_path / f"results{jobs}", jobs=jobs), open_tree(handed_in), quiet=True)
    assert bytes_of(tmp_path / "results1") == bytes_of(tmp_path / "results2") == bytes_of(tmp_path / "results3")
    assert len(bytes_of(tmp_path / "results1")) == 2 * len(TINY) + len((ASSIGNMENT, CLASS))


def test_an_address_in_an_error_does_not_reach_the_result(handed_in, tmp_path):
    run(batch(tmp_path / "results"), open_tree(handed_in), quiet=True)
    [item] = read_result(result_path(tmp_path / "results", "eve", "91.2")).items
    assert "object at 0x..." in item.message


def test_hidden_inputs_are_those_of_everybody_with_one_secret():
    keys, exercises = (SECRET, b"another secret of sixteen bytes"), ("91.1", "91.2")
    names = [seed_id(seed_of(key, exercise)) for key in keys for exercise in exercises]
    assert len(set(names)) == len(names)
    grader = Grader(Chapters(SPECS), SECRET, NONE)
    for student in ("ann", "ben"):
        work = Work(student, student.title(), "91", "91.ipynb", b"")
        assert [frame.seed_id for frame in grader.expected(work)] == names[:2]


def test_hidden_inputs_are_drawn_once_for_a_class(monkeypatch):
    drawn = []

    def counted(exercise, rng):
        drawn.append(exercise.id)
        return hidden_check(exercise, rng)

    monkeypatch.setattr("coursepkg.grading.running.grader.hidden_check", counted)
    grader = Grader(Chapters(SPECS), SECRET, NONE)
    for student in ("ann", "ben"):
        grader.grade(Work(student, student.title(), "91", "91.ipynb", notebook_bytes([RIGHT, PRODUCT])))
    grader.close()
    assert drawn == ["91.1", "91.2"]


def test_a_mark_is_the_same_whoever_was_graded_before():
    works = [Work(name, name, "91", "91.ipynb", notebook_bytes(cells)) for name, cells in TINY.items()]
    one = Grader(Chapters(SPECS), SECRET, NONE)
    together = [one.grade(work).results for work in [*works, *reversed(works)]]
    one.close()
    alone = []
    for work in works:
        grader = Grader(Chapters(SPECS), SECRET, NONE)
        alone.append(grader.grade(work).results)
        grader.close()
    assert together == [*alone, *reversed(alone)]


def test_the_secret_is_in_no_result(handed_in, tmp_path):
    run(batch(tmp_path / "results"), open_tree(handed_in), quiet=True)
    text = b"".join(bytes_of(tmp_path / "results").values())
    assert SECRET not in text
    assert seed_of(SECRET, "91.1").hex().encode() not in text


# --- killed and resumed ----------------------------------------------------------------------------------------------

RUNNER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from coursepkg.grading.running.batch import Batch, run
from coursepkg.grading.submissions.archives import open_tree
from coursepkg.grading.submissions.choosing import chapter_of_text
if __name__ == "__main__":
    batch = Batch(Path(sys.argv[1]), Path(sys.argv[3]), sys.argv[5].encode(), "none (trusted)", 1)
    print(dict(run(batch, open_tree(Path(sys.argv[2])), quiet=True).counts))
"""


def start(handed_in, results, tmp_path):
    script = tmp_path / "run_batch.py"
    script.write_text(RUNNER)
    words = [sys.executable, str(script), str(SPECS), str(handed_in), str(results), str(tmp_path), SECRET.decode()]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_killed_at_twenty_points_and_resumed_it_ends_with_the_same_bytes(tmp_path):
    """Each run is killed a little after it has begun, and the last one is left to end; nothing graded is touched."""
    folder = hand_in(tmp_path / "all", {f"learner{n:02}": list(TINY.values())[n % 5] for n in range(30)})
    run(batch(tmp_path / "whole"), open_tree(folder), quiet=True)
    results, rng, seen = tmp_path / "results", random.Random(7), {}
    results.mkdir()
    for _ in range(20):
        process = start(folder, results, tmp_path)
        have = len(list(results.glob("*/*.json")))
        deadline = time.monotonic() + machine.PATIENCE
        while process.poll() is None and time.monotonic() < deadline and len(list(results.glob("*/*.json"))) <= have:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.08))
        process.kill()
        process.communicate()
        for path in results.glob("*/91.?.json"):
            stamp = path.stat().st_mtime_ns
            assert seen.setdefault(path, stamp) == stamp, f"{path} was written again"
    output, _ = start(folder, results, tmp_path).communicate()
    assert f"'kept': {len(seen)}" in output or not seen
    assert bytes_of(results) == bytes_of(tmp_path / "whole")
    assert not [path for path in results.rglob("*") if path.name.endswith(".partial")]
    assert not _processes_naming(str(tmp_path))


def _processes_naming(text):
    deadline = time.monotonic() + machine.TO_END
    while True:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if text.encode() in (process / "cmdline").read_bytes() and process.name != str(os.getpid()):
                    found.append(process.name)
            except OSError:
                continue
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_a_killed_grader_leaves_no_answer_running(tmp_path):
    loop = "def squared_slope(x, w):\n    while True:\n        try:\n            while True: pass\n        except: pass"
    process = start(hand_in(tmp_path / "all", {"ann": [loop]}), tmp_path / "results", tmp_path)
    deadline = time.monotonic() + machine.PATIENCE
    while time.monotonic() < deadline and not (workers := _descendants(process.pid)):
        time.sleep(0.05)
    assert workers
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + machine.TO_END
    while time.monotonic() < deadline and any(_alive(number) for number in workers):
        time.sleep(0.05)
    assert not any(_alive(number) for number in workers)


def _descendants(parent):
    """Processes of the sandbox beneath a process."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found, new = set(), {parent}
    while new:
        new = {number for number, above in parents.items() if above in new | found} - found
        found |= new
    return [n for n in found if _alive(n) and b"sandbox.inside" in Path(f"/proc/{n}/cmdline").read_bytes()]


def _alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("when", ["while the sandbox is proved", "while an answer never ends"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_hand_it_says_so_in_a_line_and_leaves_nothing_running(tmp_path, secret, when, number):
    machine.best_tier()
    loop = "def squared_slope(x, w):\n    while True:\n        try:\n            while True: pass\n        except: pass"
    handed_in, out = hand_in(tmp_path / "all", {"ann": [loop], "ben": [loop]}), tmp_path / "results"
    words = [sys.executable, "-m", "coursepkg", "grade", "batch", str(handed_in), "--secret", str(secret)]
    words += ["--out", str(out), "--specs", str(SPECS), "--jobs", "2"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + machine.PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if _descendants(process.pid) and (out.is_dir() or "proved" in when):
            break
        time.sleep(0.01)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: to all that was started
    else:
        process.send_signal(number)
    _, shown = process.communicate(timeout=machine.PATIENCE)
    assert process.returncode == 3, shown
    assert len(shown.splitlines()) == 1, shown
    assert shown.startswith("Stopped.")
    assert not _processes_naming(str(tmp_path))
    deadline = time.monotonic() + machine.TO_END
    while time.monotonic() < deadline and _descendants(process.pid):
        time.sleep(0.05)
    assert not _descendants(process.pid)


def test_stopped_while_it_still_loads_it_says_so(monkeypatch, capsys):
    def stop(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr("coursepkg.grading.sandbox.doctor.choose_tier", stop)
    assert main(["grade", "doctor"]) == 3
    assert capsys.readouterr().err == "Stopped.\n"


# --- resumed on purpose ----------------------------------------------------------------------------------------------


def test_only_what_changed_is_graded_again(handed_in, tmp_path):
    results = tmp_path / "results"
    run(batch(results), open_tree(handed_in), quiet=True)
    (handed_in / "ben" / "91_mine.ipynb").write_bytes(notebook_bytes([RIGHT, PRODUCT]))
    assert run(batch(results), open_tree(handed_in), quiet=True).counts == {"kept": 10, "graded": 2}
    assert points(results)["ben", "91.1"] == 2
    assert len(list((results / "ben" / "history").iterdir())) == 2


def test_a_damaged_result_and_an_infrastructure_error_are_graded_again(handed_in, tmp_path):
    results = tmp_path / "results"
    run(batch(results), open_tree(handed_in), quiet=True)
    whole = bytes_of(results)
    result_path(results, "ann", "91.1").write_bytes(b'{"schema": 1, "stu')
    ben = read_result(result_path(results, "ben", "91.1")).to_json()
    result_path(results, "ben", "91.1").write_text(json.dumps({**ben, "status": "infrastructure error"}))
    assert run(batch(results), open_tree(handed_in), quiet=True).counts["kept"] == 10
    now = bytes_of(results)
    assert {name: now[name] for name in whole} == whole


def test_a_mark_given_by_hand_stays(handed_in, tmp_path):
    results = tmp_path / "results"
    run(batch(results), open_tree(handed_in), quiet=True)
    old = read_result(result_path(results, "ben", "91.1"))
    item = type(old.items[0])(**{**old.items[0].__dict__, "points": 1.5})
    marked = type(old)(**{**old.__dict__, "items": (item,), "flags": ("marked by hand",), "versions": {"numpy": "1"}})
    write_result(results, marked)
    result_path(results, "ben", "91.2").unlink()
    run(batch(results), open_tree(handed_in), quiet=True)
    assert read_result(result_path(results, "ben", "91.1")) == marked
    assert read_result(result_path(results, "ben", "91.2")).points == 1


def test_two_runs_do_not_write_into_one_folder(handed_in, tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    with running._alone_in(results), pytest.raises(Busy, match="another run"):
        run(batch(results), open_tree(handed_in), quiet=True)


def test_an_answer_that_a_crowded_machine_kept_waiting_is_graded_once_more(tmp_path, monkeypatch):
    """The first time counts for nothing: a crowded machine is not the learner's fault."""
    asked = []

    class Pool:
        def submit(self, function, work):
            asked.append(work.student)
            graded = grader.grade(work)
            late = asked.count(work.student) == 1 and work.student == "ann"
            done = running.Future()
            done.set_result(type(graded)(graded.results, graded.times, late))
            return done

        def shutdown(self, **options):
            pass

    grader = Grader(Chapters(SPECS), SECRET, NONE)
    monkeypatch.setattr(running, "_pool", lambda batch: Pool())
    folder = hand_in(tmp_path / "all", {"ann": [RIGHT, PRODUCT], "ben": [WRONG]})
    run(batch(tmp_path / "results"), open_tree(folder), quiet=True)
    assert asked == ["ann", "ben", "ann"]
    assert points(tmp_path / "results")["ann", "91.1"] == 2


# --- refusals and exit codes -----------------------------------------------------------------------------------------


@pytest.fixture
def leaky(monkeypatch):
    """A machine on which no sandbox holds."""
    tried = {"bubblewrap": [Finding("network", "a connection was made")]}
    monkeypatch.setattr("coursepkg.grading.sandbox.doctor.choose_tier", lambda **options: (None, tried))


def test_where_the_sandbox_leaks_nothing_is_graded_unless_the_files_are_trusted(
    handed_in, secret, tmp_path, capsys, leaky
):
    words = ["grade", "batch", str(handed_in), "--secret", str(secret), "--specs", str(SPECS), "--jobs", "1", "--out"]
    out = tmp_path / "results"
    assert cli.main([*words, str(out)]) == 3
    assert not out.exists()
    shown = capsys.readouterr().err
    assert "LEAKS: a connection was made" in shown
    assert "--i-trust-these-files" in shown
    assert cli.main([*words, str(out), "--i-trust-these-files"]) == 0
    assert {result.sandbox for result in read_results(out)} == {"none (trusted)"}


def test_the_doctors_exit_code_says_whether_a_sandbox_holds(capsys, leaky):
    assert cli.main(["grade", "doctor"]) == 3
    assert "bubblewrap: leaks" in capsys.readouterr().out


def test_the_grader_itself_failing_exits_3(handed_in, secret, tmp_path, leaky, monkeypatch, capsys):
    counts = running.Counter({"graded": 1, "infrastructure error": 2})
    stopped = running.Ran(counts, Assignment("91", ("91",), ()), ClassList("plain", 0, False, ()))
    monkeypatch.setattr(running, "run", lambda *a, **k: stopped)
    words = ["grade", "batch", str(handed_in), "--secret", str(secret), "--specs", str(SPECS)]
    assert cli.main([*words, "--out", str(tmp_path / "results"), "--i-trust-these-files"]) == 3
    assert "2 answers have no mark" in capsys.readouterr().err


@pytest.mark.parametrize(("chapter", "code"), [("91", 2), ("92", 0)])
def test_a_specification_that_cannot_be_loaded_stops_its_own_chapter_alone(
    handed_in, secret, tmp_path, leaky, capsys, chapter, code
):
    specs = tmp_path / "specs"
    shutil.copytree(SPECS, specs)
    (specs / f"ex_{chapter}.py").write_text("import nothing_at_all")
    words = ["grade", "batch", str(handed_in), "--secret", str(secret), "--specs", str(specs), "--jobs", "1"]
    assert cli.main([*words, "--out", str(tmp_path / "results"), "--i-trust-these-files"]) == code
    assert ("Stopped: No module named 'nothing_at_all'" in capsys.readouterr().err) == (code == 2)


@pytest.mark.parametrize(("change", "words"), [
    ({"--secret": "missing"}, "missing"), ({"--secret": "short"}, "16 bytes"), ({"--specs": "missing"}, "solutions"),
    ({"--jobs": "0"}, "--jobs"), ({"--out": "all/out"}, "among the submissions"), ({"--out": "secret"}, "no folder"),
    ({"DIR": "missing"}, "neither a folder nor a zip"), ({"--specs": "all"}, "no specification"),
])  # fmt: skip
def test_wrong_usage_exits_2_and_says_what_is_wrong(
    handed_in, secret, tmp_path, monkeypatch, capsys, change, words, leaky
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short").write_text("123")
    options = {"DIR": "all", "--secret": "secret", "--out": "results", "--specs": str(SPECS), "--jobs": "1", **change}
    arguments = ["grade", "batch", options.pop("DIR"), "--i-trust-these-files"]
    assert cli.main([*arguments, *(word for pair in options.items() for word in pair)]) == 2
    assert words in capsys.readouterr().err


def test_a_later_run_goes_on_with_what_was_named_and_with_what_was_handed_in_again(tmp_path, secret, capsys, leaky):
    """A notebook in place of a PDF counts, and so does a PDF in place of a notebook; the late rule stays."""
    folder, out = hand_in(tmp_path / "all", {"ann": [RIGHT, PRODUCT], "ben": [RIGHT, PRODUCT]}), tmp_path / "out"
    (folder / "cy").mkdir()
    (folder / "cy" / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "class.csv").write_text("id,submitted\nann,2026-01-03T00:00Z\nben,\ncy,\ndee,\n")
    released = tmp_path / "hw.json"
    asked = asked_in(Chapters(SPECS), ["91"], name="hw", due=datetime(2026, 1, 2, tzinfo=UTC), late="1")
    released.write_text(json.dumps(asked.to_json()))
    words = ["--secret", str(secret), "--specs", str(SPECS), "--jobs", "1", "--out", str(out), "--i-trust-these-files"]
    named = ["--assignment", str(released), "--roster", str(tmp_path / "class.csv")]
    assert cli.main(["grade", "batch", str(folder), *words, *named]) == 0

    def marks():
        return {one.id: one.points for one in load_gradebook(out).learners}

    assert marks() == {"ann": 2, "ben": 3, "cy": 0, "dee": 0}
    shutil.rmtree(folder)
    hand_in(folder, {"cy": [RIGHT, PRODUCT]})
    (folder / "ben").mkdir()
    (folder / "ben" / "b.pdf").write_bytes(b"%PDF")
    capsys.readouterr()
    assert cli.main(["grade", "batch", str(folder), *words, "--resume"]) == 0
    assert "3 folders, 3 learners, 1 missing" in capsys.readouterr().out
    assert marks() == {"ann": 2, "ben": 0, "cy": 3, "dee": 0}
    found = {one.id: one for one in load_gradebook(out).learners}
    assert found["cy"].submission is None
    assert found["ben"].results == {}
    assert (out / "ben" / "history").is_dir()


def test_a_zone_and_extensions_are_named_once(tmp_path, secret, capsys, leaky):
    """Both were handed in on the day after; a later run with a newer roster still knows who may."""
    folder, out = hand_in(tmp_path / "all", {"ann": [RIGHT], "ben": [RIGHT]}), tmp_path / "out"
    (tmp_path / "class.csv").write_text("id,submitted\nann,2026-03-30 00:30\nben,2026-03-30 00:30\n")
    (tmp_path / "more.csv").write_text("id,extension\nben,2026-03-30\n")
    due = datetime.fromisoformat("2026-03-28T23:59+01:00")
    asked = asked_in(Chapters(SPECS), ["91"], name="hw", due=due, late="1")
    (tmp_path / "hw.json").write_text(json.dumps(asked.to_json()))
    words = ["grade", "batch", str(folder), "--secret", str(secret), "--specs", str(SPECS), "--jobs", "1", "--resume"]
    words += ["--out", str(out), "--i-trust-these-files", "--assignment", str(tmp_path / "hw.json")]
    more = ["--extensions", str(tmp_path / "more.csv"), "--timezone", "Europe/Berlin"]
    assert cli.main([*words, *more]) == 2
    assert "name it, too, with --roster" in capsys.readouterr().err
    roster = ["--roster", str(tmp_path / "class.csv")]
    for named in ([*roster, *more], roster):
        assert cli.main([*words, *named]) == 0
        assert "ben until 2026-03-30T23:59:00+02:00" in capsys.readouterr().out
        assert {one.id: one.deduction for one in load_gradebook(out).learners} == {"ann": 1, "ben": 0}
    assert cli.main([*words, "--timezone", "Nowhere"]) == 2
    assert "there is no time zone 'Nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["class.json", "assignment.json", "roster.json"])
def test_a_damaged_list_of_the_class_is_written_anew_once_all_is_named(tmp_path, secret, capsys, leaky, name):
    folder, out = hand_in(tmp_path / "all", {"ann": [RIGHT]}), tmp_path / "out"
    (tmp_path / "class.csv").write_text("id\nann\n")
    batch = ["grade", "batch", str(folder), "--secret", str(secret), "--specs", str(SPECS), "--jobs", "1", "--resume"]
    batch += ["--out", str(out), "--i-trust-these-files"]
    named = ["--assignment", "91", "--roster", str(tmp_path / "class.csv")]
    assert cli.main([*batch, *named]) == 0
    (out / name).write_text("{")
    capsys.readouterr()
    assert cli.main(batch) == 2
    assert f"{name} cannot be read" in capsys.readouterr().err
    assert cli.main([*batch, *named]) == 0
    assert json.loads((out / name).read_text())


def test_another_release_of_the_same_chapter_gets_a_folder_of_its_own(tmp_path, secret, capsys, leaky):
    folder, out = hand_in(tmp_path / "all", {"ann": [RIGHT]}), tmp_path / "out"
    words = ["--secret", str(secret), "--specs", str(SPECS), "--jobs", "1", "--out", str(out), "--i-trust-these-files"]

    def grade(name, day):
        asked = asked_in(Chapters(SPECS), ["91"], name=name, due=datetime(2026, 1, day, tzinfo=UTC), late="1")
        (tmp_path / f"{name}.json").write_text(json.dumps(asked.to_json()))
        named = ["--assignment", str(tmp_path / f"{name}.json"), "--resume"]
        return cli.main(["grade", "batch", str(folder), *words, *named])

    assert cli.main(["grade", "batch", str(folder), *words, "--assignment", "91"]) == 0
    assert grade("hw", 2) == 0  # it was that release all the time
    assert grade("hw", 3) == 0  # it was given more time
    capsys.readouterr()
    assert grade("other", 3) == 2
    assert "holds results of hw; give other a folder of its own" in capsys.readouterr().err


def test_an_error_that_nobody_thought_of_costs_no_mark_of_others(
    handed_in, secret, tmp_path, capsys, leaky, monkeypatch
):
    def odd(cells):
        if any("object()" in source for source in cells.code):
            raise OverflowError("nobody thought of it")
        return []

    monkeypatch.setattr("coursepkg.grading.running.grader.flags_of_notebook", odd)
    grader = Grader(Chapters(SPECS), SECRET, NONE)
    [eve, ann] = [
        grader.grade(Work(name, name, "91", "91.ipynb", notebook_bytes(TINY[name]))).results for name in ("eve", "ann")
    ]
    grader.close()
    assert {result.status for result in eve} == {"infrastructure error"}
    assert "the grader itself failed (OverflowError); look at this notebook by hand" in eve[0].flags
    assert [result.points for result in ann] == [2, 1]


def test_a_cell_that_never_ends_is_flagged_and_costs_no_answer(monkeypatch):
    monkeypatch.setattr("coursepkg.grading.sandbox.process._SLEPT", 0.5)
    grader = Grader(Chapters(SPECS), SECRET, machine.best_tier())
    cells = [RIGHT, PRODUCT, "import time\nwhile True: time.sleep(1)"]
    results = grader.grade(Work("ann", "Ann", "91", "91.ipynb", notebook_bytes(cells))).results
    grader.close()
    assert [result.points for result in results] == [2, 1]
    assert all("cell 3 never ends; its statement 2 was left out" in result.flags for result in results)


def test_changed_work_with_the_time_of_an_old_roster_is_flagged(tmp_path, secret, capsys, leaky):
    folder, out = hand_in(tmp_path / "all", {"ann": [WRONG], "ben": [RIGHT]}), tmp_path / "out"
    rows = "id,submitted\nann,2026-01-{}T00:00Z\nben,2026-01-01T00:00Z\n"
    (tmp_path / "class.csv").write_text(rows.format("01"))
    asked = asked_in(Chapters(SPECS), ["91"], name="hw", due=datetime(2026, 1, 2, tzinfo=UTC), late="1")
    (tmp_path / "hw.json").write_text(json.dumps(asked.to_json()))
    words = ["--secret", str(secret), "--specs", str(SPECS), "--jobs", "1", "--out", str(out), "--i-trust-these-files"]
    batch = ["grade", "batch", str(folder), *words, "--resume"]
    roster = ["--roster", str(tmp_path / "class.csv")]

    def noted():
        [ann, ben] = load_gradebook(out).learners
        old = [[flag for flag in one.flags if "name the new roster" in flag] for one in (ann, ben)]
        return ann.points, len(old[0]), len(old[1])

    assert cli.main([*batch, *roster, "--assignment", str(tmp_path / "hw.json")]) == 0
    assert noted() == (0, 0, 0)
    (folder / "ann" / "91_mine.ipynb").write_bytes(notebook_bytes([RIGHT]))
    assert cli.main(batch) == 0
    assert "1 learner handed in again, such as ann" in capsys.readouterr().out
    assert noted() == (2, 1, 0)
    (tmp_path / "class.csv").write_text(rows.format("03"))
    assert cli.main([*batch, *roster]) == 0
    assert noted() == (1, 0, 0)


def test_names_of_results_folders_do_not_meet():
    long = "A" * 200
    assert folder_name(folder_name(long)) != folder_name(long)
    assert student_of(folder_name("a~b")) == "a~b"


def test_a_folder_name_of_any_bytes_costs_nobody_anything(handed_in, secret, tmp_path, capsys, leaky):
    odd = os.fsencode(handed_in) + b"/" + b"\xe9" * 200 + b".ipynb"
    shutil.copyfile(handed_in / "ann" / "91_mine.ipynb", odd)
    shutil.copytree(handed_in / "ann", handed_in / ".class.json")
    shutil.copytree(handed_in / "ann", handed_in / "class.json")
    words = ["grade", "batch", str(handed_in), "--secret", str(secret), "--specs", str(SPECS), "--jobs", "1"]
    assert cli.main([*words, "--out", str(tmp_path / "results"), "--i-trust-these-files"]) == 0
    assert f"{len(TINY) + 2} folders, {len(TINY) + 2} learners" in capsys.readouterr().out
    found = points(tmp_path / "results")
    assert found[os.fsdecode(b"\xe9" * 200), "91.1"] == found["class.json", "91.1"] == 2


@pytest.mark.parametrize(("files", "words"), [([], "no folder, zip or notebook"), (["a.pdf"], "found: a.pdf")])
def test_an_empty_download_exits_2_and_says_what_was_found(secret, tmp_path, capsys, leaky, files, words):
    (tmp_path / "empty").mkdir()
    for name in files:
        (tmp_path / "empty" / name).write_bytes(b"x")
    arguments = ["grade", "batch", str(tmp_path / "empty"), "--secret", str(secret), "--specs", str(SPECS)]
    assert cli.main([*arguments, "--out", str(tmp_path / "results"), "--i-trust-these-files"]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_one_stray_notebook_changes_nobodys_points(tmp_path, secret, capsys, leaky):
    """Points come from what was asked, and where that is not said, from what most handed in."""
    folder = hand_in(tmp_path / "all", {"ann": [RIGHT, PRODUCT], "ben": [RIGHT, PRODUCT]})
    (folder / "ben" / "92_extra.ipynb").write_bytes(notebook_bytes(["check('92.1', f)"]))
    specs = tmp_path / "specs"
    shutil.copytree(SPECS, specs)
    (specs / "ex_92.py").write_text((specs / "ex_91.py").read_text().replace('"91.', '"92.'))
    words = ["grade", "batch", str(folder), "--secret", str(secret), "--specs", str(specs), "--jobs", "1"]
    for name, more in (("guessed", []), ("said", ["--assignment", "91"])):
        assert cli.main([*words, "--out", str(tmp_path / name), "--i-trust-these-files", *more]) == 0
        assert ("No --assignment was named" in capsys.readouterr().out) == (name == "guessed")
        book = load_gradebook(tmp_path / name)
        assert [(one.id, one.points) for one in book.learners] == [("ann", 3), ("ben", 3)]
        assert book.max == 3
        assert book.learners[1].flags[0] == "92_extra.ipynb is of chapter 92, which is no part of 91"
    again = [*words, "--out", str(tmp_path / "said"), "--resume", "--i-trust-these-files", "--assignment", "92"]
    assert cli.main(again) == 2
    assert "holds results of 91" in capsys.readouterr().err


def test_data_sets_are_reached_from_the_same_command_line(capsys):
    assert main(["data", "list"]) == 0
    assert "digits" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "data" in shown
    assert "grade" in shown


def test_the_page_for_instructors_names_commands_that_there_are():
    page = (Path(__file__).parents[3] / "instructor" / "grading.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    grade (.+)$", page, re.MULTILINE)
    assert [cli._parser().parse_args(["grade", *command.split()]).action for command in shown] == [
        "doctor", "batch", "batch",
    ]  # fmt: skip
    ways = len(probe._ATTEMPTS) + len({"seen from outside", "earlier answers", "ends"})
    assert f"in {ways} ways" in page


@pytest.mark.parametrize(("text", "chapter"), [
    ("check('91.1', f)", "91"), (r"x = 1\ncheck( \"07.12\" , f)", "07"), ("grading.check('91.1', f)", "91"),
    ("recheck('91.1', f)", ""), ("check('9.1', f)", ""), ("check (91.1)", ""), ("_check('91.1', f)", ""),
    (r"recheck('05.1')\ncheck('06.1')\ncheck('06.2')\ncheck('05.2')", "06"), ('"grade_id": "ex-08-3"', "08"), ("", ""),
])  # fmt: skip
def test_the_chapter_is_told_from_the_checks_in_a_notebook(text, chapter):
    assert chapter_of_text(text.encode()) == chapter
