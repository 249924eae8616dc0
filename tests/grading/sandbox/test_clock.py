"""An answer that never ends costs one time limit, by a clock out of its reach; a crowded machine costs nothing."""

import os
import subprocess
import sys
import time

import machine
import pytest

from coursepkg.grading.judging.calling import CHECK_SECONDS
from coursepkg.grading.sandbox import process, worker_process
from coursepkg.grading.sandbox.clock import Spent, last_descendant, spent_by
from coursepkg.grading.sandbox.process import Sandbox, SandboxedWorker

ASKED = {"function": "answer", "driver": "call"}
CASE = {"args": [], "kwargs": {}}
STUBBORN = """
import signal, time
for number in range(1, 65):
    try: signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    except (OSError, ValueError): pass
"""
ENDLESS = {
    "swallows every exception": "def answer():\n    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass",
    "blocks every signal": STUBBORN + "def answer():\n    while True: pass",
    "one call in C": "def answer():\n    return pow(7, 7 ** 12)",
}


@pytest.fixture
def short(monkeypatch):
    """A limit of a third of a second, and patience of a minute."""
    monkeypatch.setattr(worker_process, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(worker_process, "_GRACE", 60.0)
    monkeypatch.setattr(process, "_LATE", 0.1)


def needs_the_kernels_count():
    if spent_by(os.getpid()) is None:
        pytest.skip("THE CLOCK IS NOT TESTED HERE: there is no /proc/<pid>/schedstat")


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_that_nothing_interrupts_is_ended_by_what_it_has_spent(name, short, monkeypatch):
    needs_the_kernels_count()
    waits = []
    line = process.Pipes.line
    monkeypatch.setattr(process.Pipes, "line", lambda pipes, seconds: waits.append(1) or line(pipes, seconds))
    with SandboxedWorker([ENDLESS[name]], machine.best_tier()) as worker:
        outcome = worker.call(ASKED, CASE)
        assert outcome.kind == "time-limit"
        assert not worker.crowded
        assert worker._left < process.NOTEBOOK_SECONDS


def test_an_answer_that_only_waits_is_ended_and_told_so(short):
    needs_the_kernels_count()
    with SandboxedWorker(["import time\ndef answer():\n    time.sleep(10**6)"], machine.best_tier()) as worker:
        outcome = worker.call(ASKED, CASE)
        assert (outcome.kind, outcome.message) == ("time-limit", process.WAITED)
        assert not worker.crowded


STUCK = {
    "sleeps": "import time\nbefore = 1\nwhile True: time.sleep(1)\nafter = 2",
    "waits": "import threading\nbefore = 1\nthreading.Event().wait()\nafter = 2",
    "one call in C": "import math\nbefore = 1\npow(7, 7 ** 12)\nafter = 2",
}


@pytest.mark.parametrize("name", STUCK)
def test_a_statement_that_never_ends_is_named_and_costs_no_answer(name, monkeypatch):
    needs_the_kernels_count()
    monkeypatch.setattr(process, "_SLEPT", 1.0)
    monkeypatch.setattr(process, "_LATE", 0.1)
    for limit in ("LOAD_SECONDS", "STATEMENT_SECONDS"):
        monkeypatch.setattr(worker_process, limit, 1.0)
    cells = ["def first(): return 3", STUCK[name], "def answer(): return first() + before + after"]
    with SandboxedWorker(cells, machine.best_tier()) as worker:
        outcome = worker.call(ASKED, CASE)
        assert (outcome.kind, outcome.value) == ("value", 6)
        assert worker.left_out == [(2, 2)]
        assert not worker.crowded


def test_more_than_two_that_never_end_make_a_notebook_unloadable(monkeypatch):
    needs_the_kernels_count()
    monkeypatch.setattr(process, "_SLEPT", 0.5)
    cells = ["import time\ndef answer(): return 3", *["time.sleep(10**6)"] * 3]
    with SandboxedWorker(cells, machine.best_tier()) as worker:
        outcome = worker.call(ASKED, CASE)
        assert (outcome.kind, outcome.message) == ("time-limit", process.WAITED)
        assert worker.left_out == [(2, 0), (3, 0)]


@pytest.mark.parametrize("said", [None, 3, [], [1], [0, 0], [2, 0], [1, -1], [True, 0], [1, 99], [1.0, 0], ["1", 0]])
def test_where_a_process_says_that_it_is_is_a_place_in_the_notebook_or_nowhere(said):
    assert worker_process._place(said, ["x = 1"]) == (0, 0)
    assert worker_process._place([1, 0], ["x = 1"]) == (1, 0)


def test_where_the_kernel_does_not_count_the_clock_on_the_wall_decides(short, monkeypatch):
    """And then nobody knows whose fault it was, so there is another trial."""
    monkeypatch.setattr(process, "spent_by", lambda number: None)
    monkeypatch.setattr(worker_process, "_GRACE", 1.0)
    with SandboxedWorker(["import time\ndef answer():\n    time.sleep(10**6)"], machine.best_tier()) as worker:
        assert worker.call(ASKED, CASE).kind == "time-limit"
        assert worker.crowded


def test_time_in_which_a_process_waits_for_a_processor_is_not_its_own():
    first, later = Spent(ran=1.0, waited=2.0, wall=100.0), Spent(ran=3.0, waited=40.0, wall=150.0)
    assert later.own(first) == pytest.approx(12.0, rel=1e-12)


@pytest.mark.parametrize(("ran", "waited", "wall", "why"), [
    (5.9, 0.0, 5.9, ""), (6.1, 0.0, 6.1, process.OVER), (6.1, 80.0, 86.1, process.OVER), (0.1, 80.0, 80.2, ""),
    (0.1, 0.0, 12.2, process.WAITED), (0.1, 5.0, 12.2, ""), (0.0, 0.0, 11.9, ""),
])  # fmt: skip
def test_who_is_late_is_told_by_the_time_that_is_its_own(monkeypatch, ran, waited, wall, why):
    told = iter([Spent(10.0, 1.0, 1000.0), Spent(10.0 + ran, 1.0 + waited, 1000.0 + wall)])
    monkeypatch.setattr(process, "spent_by", lambda number: next(told))

    class Standing:
        def answering(self):
            return 7

    watch = process._Watch(Standing(), CHECK_SECONDS)
    assert watch.late() == ""
    assert watch.late() == why


def test_an_answer_cannot_say_itself_why_it_was_late():
    forged = {"kind": "time-limit", "message": "a hidden input: 3.7", "printed": "x"}
    outcome = worker_process._believable(forged)
    assert (outcome.kind, outcome.message, outcome.printed) == ("time-limit", "", "x")


@pytest.mark.parametrize("tier", [machine.BUBBLEWRAP, machine.SECOND])
def test_the_process_that_answers_is_found_from_outside(tier):
    needs_the_kernels_count()
    machine.require(tier)
    with Sandbox(tier) as sandbox:
        source = "def answer():\n    return sum(range(3 * 10**6)) % 7"
        with SandboxedWorker([source], sandbox) as worker:
            worker.call(ASKED, CASE)
            found = sandbox.answering()
            before = spent_by(found)
            worker.call(ASKED, CASE)
            assert spent_by(found).ran > before.ran
        assert sandbox.answering() != found


def test_where_several_processes_were_started_none_is_the_one():
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    starter = (
        "import subprocess, sys, time\n"
        f"both = [subprocess.Popen({words!r}) for _ in range(2)]\n"
        "print('started', flush=True)\nsys.stdin.read()\nfor one in both: one.kill()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "started\n"
        assert last_descendant(first.pid) is None
        first.communicate("")
    assert spent_by(2**22 + 1) is None


def test_what_a_process_has_spent_grows_with_what_it_computes():
    needs_the_kernels_count()
    before = spent_by(os.getpid())
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass
    assert spent_by(os.getpid()).ran > before.ran
