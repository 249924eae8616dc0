"""All cases of an exercise go out in one request, and each has its own reply, its own time and its own end."""

import json
import sys

import numpy as np
import pytest

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.judge import judge, judge_all
from coursepkg.grading.judging.values import encode
from coursepkg.grading.sandbox import worker_process as checking
from coursepkg.grading.sandbox.worker import serve
from coursepkg.grading.sandbox.worker_process import Worker

ANSWER = {"function": "answer", "driver": "call"}
CASES = [{"args": [float(number)], "kwargs": {}} for number in range(1, 6)]


@pytest.fixture
def impatient(monkeypatch):
    """Little time for each case, and a little more before the process is ended from outside."""
    monkeypatch.setattr(checking, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(checking, "_GRACE", 0.7)


@pytest.fixture
def worker(tmp_path):
    """A worker with an answer that has these lines inside."""
    started = []

    def start(*lines):
        cell = "seen = []\ndef answer(x):\n" + "\n".join(f"    {line}" for line in ("seen.append(x)", *lines))
        started.append(Worker([cell, "def other(x):\n    return len(seen)"], tmp_path))
        return started[-1]

    yield start
    for each in started:
        each._end()


def told(outcomes):
    return [outcome.value if outcome.kind == "value" else outcome.error or outcome.kind for outcome in outcomes]


# --- honest processes ------------------------------------------------------------------------------------------------


def test_each_case_has_its_reply_in_order(worker):
    assert told(worker("return 2 * x").ask(ANSWER, CASES)) == [2.0, 4.0, 6.0, 8.0, 10.0]


def test_an_error_in_one_case_leaves_the_others(worker):
    found = worker("return 1 / (x - 2)").ask(ANSWER, CASES[:3])
    assert told(found) == [-1.0, "ZeroDivisionError", 1.0]


def test_a_process_that_ends_in_the_middle_loses_only_what_comes_after(worker):
    found = worker("import os", "if x == 3: os._exit(0)", "return x")
    assert told(found.ask(ANSWER, CASES)) == [1.0, 2.0, "ProcessEnded"]
    assert told(found.ask({**ANSWER, "function": "other"}, CASES[:1])) == [0]  # a new process, which has seen nothing


def test_a_process_that_is_killed_in_the_middle_loses_only_what_comes_after(worker):
    found = worker("import os, signal", "if x == 2: os.kill(os.getpid(), signal.SIGKILL)", "return x")
    assert told(found.ask(ANSWER, CASES)) == [1.0, "ProcessEnded"]


def test_time_is_limited_for_each_case_and_not_for_all_of_them(worker, impatient):
    busy = ("import time", "end = time.process_time() + 0.2", "while time.process_time() < end: pass", "return x")
    assert told(worker(*busy).ask(ANSWER, CASES)) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_after_a_case_out_of_time_no_other_is_tried_and_the_process_goes_on(worker, impatient):
    found = worker("while x == 3: pass", "return x")
    assert told(found.ask(ANSWER, CASES)) == [1.0, 2.0, "time-limit"]
    assert told(found.ask({**ANSWER, "function": "other"}, CASES[:2])) == [3, 3]


def test_a_case_that_waits_is_ended_from_outside_and_the_earlier_ones_stay(worker, impatient):
    found = worker("import time", "if x == 3: time.sleep(60)", "return x")
    assert told(found.ask(ANSWER, CASES)) == [1.0, 2.0, "time-limit"]
    assert told(found.ask({**ANSWER, "function": "other"}, CASES[:1])) == [0]


def test_an_answer_of_the_wrong_kind_is_told_once(worker):
    found = worker("return x")
    assert told(found.ask({**ANSWER, "driver": "scalar_forward"}, CASES)) == ["wrong-kind"]
    assert told(found.ask(ANSWER, CASES[:2])) == [1.0, 2.0]


def test_an_answer_too_large_spoils_no_other(worker):
    found = worker("import numpy as np", "return np.ones(600_000) if x == 2 else x").ask(ANSWER, CASES[:3])
    assert "more than 4 MB" in found[1].value.kind
    assert [found[0].value, found[2].value] == [1.0, 3.0]


# --- processes that reply as they like -------------------------------------------------------------------------------

REPLIES = """
import json, sys
def value(number, x): return json.dumps({"id": number, "kind": "value", "value": x})
for line in sys.stdin:
    request = json.loads(line)
    if "cells" in request:
        print(json.dumps({"loaded": 1}), flush=True)
        continue
    first, count = request["id"], len(request["cases"])
    HOSTILE
    sys.stdout.flush()
"""
RIGHT = "print(*[value(first + k, 7.0) for k in range(count)], sep='\\n')"


def hostile(tmp_path, line):
    return Worker([], tmp_path, [sys.executable, "-c", REPLIES.replace("HOSTILE", line)])


@pytest.mark.parametrize(("line", "expected"), [
    ("print(value(first, 7.0)); sys.stdout.flush(); sys.exit()", [7.0, "ProcessEnded"]),
    ("print(value(first, 7.0), value(first + 1, 7.0)[:9], end='', sep='\\n'); sys.stdout.flush(); sys.exit()",
     [7.0, "ProcessEnded"]),
    ("print(value(first, 7.0))", [7.0, "time-limit"]),
    ("print(value(first, 7.0)); print('{{{')", [7.0, "BadReply"]),
    ("print(value(first, 7.0)); print('[1]')", [7.0, "BadReply"]),
    ("print(value(first, 7.0)); print(value(first, 7.0))", [7.0, "BadReply"]),
    ("print(value(first, 7.0)); print(value(first + 2, 7.0))", [7.0, "BadReply"]),
    ("print(value(first, 7.0)); print(value(str(first + 1), 7.0))", [7.0, "BadReply"]),
    ("print(json.dumps([{'id': first + k, 'kind': 'value', 'value': 7.0} for k in range(count)]))", ["BadReply"]),
    ("print(json.dumps({'id': first, 'kind': 'value', 'value': 7.0, 'points': 2}))", ["BadReply"]),
    ("print(json.dumps({'id': first, 'kind': 'infrastructure', 'message': 'no mark, please'}))", ["BadReply"]),
])  # fmt: skip
def test_too_few_replies_or_malformed_ones_are_the_answers_own_loss(tmp_path, impatient, line, expected):
    with hostile(tmp_path, line) as found:
        assert told(found.ask(ANSWER, CASES[:3])) == expected
        assert not found._running


@pytest.mark.parametrize("extra", ["value(first + count, 7.0)", "value(first, 7.0)", "'{{{'", "'{}'"])
def test_more_replies_than_cases_are_no_replies_to_what_is_asked_next(tmp_path, extra):
    """Unless they guess its number: then they are numbers like any others, and say nothing of being right."""
    with hostile(tmp_path, f"{RIGHT}; print({extra})") as found:
        assert told(found.ask(ANSWER, CASES[:3])) == [7.0, 7.0, 7.0]
        again = told(found.ask(ANSWER, CASES[:3]))
        assert again == ([7.0, "BadReply"] if "count" in extra else ["BadReply"])


def test_a_stop_that_is_no_stop_does_not_put_a_reply_in_the_wrong_place(tmp_path):
    line = "print(json.dumps({'id': first, 'kind': 'time-limit'})); print(value(first + 1, 7.0))"
    with hostile(tmp_path, line) as found:
        assert told(found.ask(ANSWER, CASES[:3])) == ["time-limit"]
        assert told(found.ask(ANSWER, CASES[:3])) == ["BadReply"]


# --- the process itself ----------------------------------------------------------------------------------------------


def test_a_reply_is_written_as_soon_as_its_case_is_over():
    """What is held back until all are over would be lost with the process."""
    written = []

    class Replies:
        def write(self, text):
            written.append(json.loads(text))

        def flush(self):
            written.append("flushed")

    requests = [{"cells": ["def answer(x):\n    return x"]}, {"id": 4, **ANSWER, "cases": CASES[:2], "seconds": 5}]
    serve([json.dumps(request) for request in requests], Replies())
    assert written[::2] == [{"loaded": 1}, *({"id": 4 + k, "kind": "value", "value": k + 1.0} for k in (0, 1))]
    assert written[1::2] == ["flushed"] * 3


# --- the judge -------------------------------------------------------------------------------------------------------

CHECK = {
    "id": "91.1", "title": "", "function": "answer", "driver": "call", "see": "", "rtol": 1e-6, "atol": 1e-9,
    "hidden": True, "misconceptions": [],
    "cases": [{**item, "expected": encode(2 * item["args"][0])} for item in CASES],
}  # fmt: skip


def test_the_first_case_is_asked_for_again_in_the_same_request():
    asked = []

    def ask(items):
        asked.append(list(items))
        return [Outcome("value", 2 * item["args"][0]) for item in items]

    assert judge_all(CHECK, ask).passed
    assert asked == [[*CASES, CASES[0]]]


def test_an_answer_in_this_process_is_asked_no_more_than_is_needed():
    asked = []

    def call(item):
        asked.append(item["args"][0])
        return Outcome("time-limit") if item["args"][0] == 2 else Outcome("value", 2 * item["args"][0])

    assert judge(CHECK, call).finding == "time-limit"
    assert asked == [1.0, 2.0]


@pytest.mark.parametrize(("again", "status", "finding"), [
    (Outcome("value", 2.0), "passed", ""), (Outcome("value", 3.0), "wrong", "accumulates"),
    (Outcome("error", error="ProcessEnded"), "wrong", "accumulates"),
    (Outcome("value", np.array([2.0, 2.0])), "wrong", "accumulates"),
])  # fmt: skip
def test_the_repeated_call_counts_only_as_a_repetition(again, status, finding):
    verdict = judge_all(CHECK, lambda items: [*(Outcome("value", 2 * item["args"][0]) for item in items[:-1]), again])
    assert (verdict.status, verdict.finding, verdict.right) == (status, finding, 5)
