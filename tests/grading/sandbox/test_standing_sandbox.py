"""One sandbox grades many notebooks, and no notebook can tell that there was another one before it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import machine
import pytest
from hostile_notebooks import PRODUCT, RIGHT, SECRET, SPECS, WRONG, notebook_bytes, work_of

from coursepkg.grading.judging.limits import MAX_REPLY
from coursepkg.grading.running.grader import Grader, Work
from coursepkg.grading.sandbox import process as process_module
from coursepkg.grading.sandbox import worker
from coursepkg.grading.sandbox.doctor import _earlier_answers
from coursepkg.grading.sandbox.launch import BUBBLEWRAP, Unavailable
from coursepkg.grading.sandbox.process import Pipes, Sandbox, SandboxedWorker
from coursepkg.grading.sandbox.slots import Slot
from coursepkg.grading.specification.chapters import Chapters

CASE = {"args": [], "kwargs": {}}
ANSWER = {"function": "answer", "driver": "call"}


@pytest.fixture
def sandbox():
    with Sandbox(machine.best_tier()) as standing:
        yield standing


def ask(sandbox, *lines):
    """What an answer with these lines returns, in a notebook of its own."""
    with SandboxedWorker(["def answer():\n" + "\n".join(f"    {line}" for line in lines)], sandbox) as worker:
        return worker.call(ANSWER, CASE)


def first_process(sandbox):
    return sandbox._first.pid


# --- one after another -----------------------------------------------------------------------------------------------


def test_a_sandbox_serves_one_notebook_after_another(sandbox):
    answers = [ask(sandbox, f"return {number}").value for number in range(3)]
    standing = first_process(sandbox)
    assert [*answers, ask(sandbox, "return 3").value] == [0, 1, 2, 3]
    assert first_process(sandbox) == standing
    assert sandbox.cpu_seconds > 0


def test_nothing_of_an_answer_is_there_for_the_next_one(sandbox):
    machine.require(machine.best_tier())
    assert _earlier_answers(sandbox) is None


def test_each_answer_has_a_process_of_its_own(sandbox):
    numbers = {ask(sandbox, "import os", "return os.getpid()").value for _ in range(3)}
    assert len(numbers) == 3


@pytest.mark.parametrize("spoil", [
    ("import numpy as np", "np.multiply = np.array = np.asarray = None"),
    ("import builtins", "builtins.float = builtins.len = builtins.isinstance = lambda *a: True"),
    ("import sys", "sys.modules.clear()"),
    ("import coursepkg.grading.judging.values as v", "v.encode = v.tree = v.decode = lambda *a, **k: 7.0"),
    ("import gc", "for o in gc.get_objects():", "    try: o.clear()", "    except Exception: pass"),
    ("import json", "json.dumps = lambda *a, **k: '{}'"),
])  # fmt: skip
def test_what_an_answer_breaks_stays_broken_for_itself_alone(sandbox, spoil):
    ask(sandbox, *spoil, "return 1")
    assert ask(sandbox, "import numpy as np", "return float(np.multiply(np.ones(2), 2.5).sum())").value == 5.0


def test_memory_of_an_earlier_answer_cannot_be_read(sandbox):
    """Pages that an ended process gave back reach the next one as zeros."""
    ask(sandbox, "global kept", "kept = b'the other one' * 4_000_000", "return len(kept)")
    found = ask(sandbox, "import numpy as np", "return b'the other one' in np.empty(60_000_000, np.uint8).tobytes()")
    assert found.value is False


def test_after_an_answer_that_left_a_file_the_next_one_gets_another_sandbox():
    machine.require(BUBBLEWRAP)
    with Sandbox(BUBBLEWRAP) as sandbox:
        assert ask(sandbox, "return open('/tmp/left', 'w').write('for you')").value == 7
        assert sandbox._first is None
        assert ask(sandbox, "import os", "return os.path.exists('/tmp/left')").value is False


@pytest.mark.parametrize("lines", [
    ("import os", "os._exit(3)"),
    ("import os", "for n in range(3, 64):", "    try: os.write(n, b'{}\\n')", "    except OSError: pass", "return 1"),
], ids=["ended", "wrote its own reply"])  # fmt: skip
def test_after_an_answer_that_misbehaved_the_next_one_gets_another_sandbox(sandbox, lines):
    ask(sandbox, "return 1")
    standing = first_process(sandbox)
    assert ask(sandbox, *lines).kind == "error"
    assert ask(sandbox, "return 2").value == 2
    assert first_process(sandbox) != standing


def test_a_sandbox_that_was_ended_from_outside_is_built_again(sandbox):
    ask(sandbox, "return 1")
    os.kill(first_process(sandbox), signal.SIGKILL)
    sandbox._first.wait()
    assert ask(sandbox, "return 2").value == 2


def test_a_sandbox_that_is_ended_under_an_answer_is_not_the_answers_fault(sandbox):
    def end_it():
        os.kill(first_process(sandbox), signal.SIGKILL)

    cells = ["import time\ndef answer():\n    time.sleep(60)"]
    with SandboxedWorker(cells, sandbox) as worker:
        worker.call({**ANSWER, "function": "another"}, CASE)
        threading.Timer(0.3, end_it).start()
        assert worker.call(ANSWER, CASE).kind == "infrastructure"
    assert ask(sandbox, "return 2").value == 2


def test_an_answer_that_ends_its_process_is_at_fault_itself(sandbox):
    assert ask(sandbox, "import os", "os._exit(0)").error == "ProcessEnded"


def test_a_closed_sandbox_leaves_no_process(sandbox):
    ask(sandbox, "return 1")
    standing = first_process(sandbox)
    sandbox.close()
    assert not Path(f"/proc/{standing}").exists()


def test_the_first_process_shares_no_memory_that_an_answer_could_write_to():
    """All that a forked process may change is its own copy; a shared mapping would be a wall with a door in it."""
    with Sandbox("none (trusted)") as sandbox:
        ask(sandbox, "return 1")
        children = [int(number) for number in _children(os.getpid()) if "sandbox.inside" in _command(number)]
        maps = Path(f"/proc/{children[0]}/maps").read_text().splitlines()
    assert len(maps) > 50
    assert not [line for line in maps if line.split()[1][1] == "w" and line.split()[1][3] == "s"]


def _children(parent):
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                yield stat.parent.name
        except OSError:
            continue


def _command(number):
    return Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace")


def test_numbers_that_a_learner_draws_without_a_seed_are_the_same_each_time(sandbox):
    lines = ("import random, numpy as np", "return [random.random(), np.random.rand()]")
    assert ask(sandbox, *lines).value == ask(sandbox, *lines).value
    with Sandbox(machine.best_tier()) as another:
        assert ask(another, *lines).value == ask(sandbox, *lines).value


def test_what_answers_import_most_is_there_before_they_ask(sandbox):
    """Loading the course's package for each notebook takes longer than all else that happens in it."""
    lines = (
        "import sys", "before = set(sys.modules)",
        "import numpy as np, coursepkg.gradients, coursepkg.optimizers", "np.random.default_rng(1)",
        "from coursepkg.autodiff.scalar import Scalar", "return sorted(set(sys.modules) - before)",
    )  # fmt: skip
    assert ask(sandbox, *lines).value == []


def test_results_do_not_depend_on_what_was_graded_before():
    chapters, tier = Chapters(SPECS), machine.best_tier()
    class_of = {"ann": [RIGHT, PRODUCT], "ben": [WRONG, PRODUCT], "cy": [RIGHT], "dee": [PRODUCT + " / 0"]}
    works = [Work(who, who, "91", "91.ipynb", notebook_bytes(cells)) for who, cells in class_of.items()]
    works += [work_of(name) for name in ("patches every comparison", "forges depth", "fills the scratch folder")]
    orders = works, works[::-1], works[3:] + works[:3]
    graded = []
    for order in orders:
        grader = Grader(chapters, SECRET, tier)
        graded.append({work.student: [r.to_json() for r in grader.grade(work).results] for work in order})
        grader.close()
    alone = {work.student: [r.to_json() for r in Grader(chapters, SECRET, tier).grade(work).results] for work in works}
    assert graded == [alone] * 3


def test_a_sandbox_that_cannot_be_built_says_so(monkeypatch):
    monkeypatch.setattr(process_module, "command", lambda tier, slot: ["false"])
    with pytest.raises(Unavailable, match="grade doctor"):
        Sandbox("bubblewrap").start()


def test_an_interpreter_that_may_not_be_run_says_so(monkeypatch, tmp_path):
    (tmp_path / "python3").write_text("")
    monkeypatch.setattr(process_module, "command", lambda tier, slot: [str(tmp_path / "python3")])
    with pytest.raises(Unavailable, match=r"Permission denied.*may run"):
        Sandbox("bubblewrap").start()


# --- lines from a process that may do anything -----------------------------------------------------------------------


@pytest.fixture
def pipes():
    """Our side of a pair of pipes, and the two ends that a learner's process would hold."""
    requests, replies = os.pipe(), os.pipe()
    made = Pipes(requests[1], replies[0])
    yield made, requests[0], replies[1]
    made.close()
    for end in (requests[0], replies[1]):
        try:
            os.close(end)
        except OSError:
            continue


def test_lines_arrive_one_by_one_however_they_were_written(pipes):
    ours, _, replies = pipes
    for part in (b"one\ntw", b"o\n", b"\n", b"three\nfo"):
        os.write(replies, part)
    assert [ours.line(1), ours.line(1), ours.line(1), ours.line(1)] == [b"one\n", b"two\n", b"\n", b"three\n"]
    assert ours.line(0.01) is None


def test_half_a_line_counts_as_no_reply_but_is_not_lost(pipes):
    ours, _, replies = pipes
    os.write(replies, b"half")
    assert ours.line(0.01) is None
    os.write(replies, b" and half\n")
    assert ours.line(1) == b"half and half\n"
    os.write(replies, b"the last")
    os.close(replies)
    assert ours.line(1) == b"the last"
    assert ours.line(1) == b""


def test_a_line_without_end_is_cut(pipes):
    ours, _, replies = pipes
    os.set_blocking(replies, False)
    written = 0
    while written < MAX_REPLY + (1 << 20):
        try:
            written += os.write(replies, bytes(1 << 16))
        except BlockingIOError:
            break
    writer = os.fork()
    if writer == 0:
        os.set_blocking(replies, True)
        while True:
            os.write(replies, bytes(1 << 16))
    try:
        line = ours.line(10)
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    assert MAX_REPLY <= len(line) < MAX_REPLY + (1 << 17)
    assert not line.endswith(b"\n")


def test_a_process_that_does_not_read_does_not_hold_the_grader_up(pipes):
    ours, _, _ = pipes
    began = time.monotonic()
    with pytest.raises(OSError, match="does not read"):
        ours.send("x" * 1_000_000, 0.1)
    assert time.monotonic() - began < 5


def test_a_process_that_has_ended_is_noticed(pipes):
    ours, requests, _ = pipes
    os.close(requests)
    with pytest.raises(OSError, match="pipe"):
        ours.send("x", 1)


def test_an_answer_that_replies_ahead_and_reads_no_more_is_only_wrong():
    """Replies for the requests to come, with the right ids, and then nothing is read: wrong numbers, and no waiting."""
    ahead = "\n".join([
        "import json, os",
        "for number in range(3, 64):",
        "    for ahead in range(1, 40):",
        "        try: os.write(number, (json.dumps({'id': ahead, 'kind': 'value', 'value': 7.0}) + '\\n').encode())",
        "        except OSError: break",
        "while True: pass",
    ])  # fmt: skip
    grader = Grader(Chapters(SPECS), SECRET, machine.best_tier())
    began = time.monotonic()
    cell = "def squared_slope(x, w):\n" + "\n".join("    " + line for line in ahead.splitlines())
    results = grader.grade(Work("eve", "Eve", "91", "91.ipynb", notebook_bytes([cell, PRODUCT]))).results
    assert [result.points for result in results] == [0, 0]
    assert time.monotonic() - began < 30
    grader.close()


def test_an_answer_too_large_to_send_is_wrong_and_not_the_end_of_its_process(sandbox):
    outcome = ask(sandbox, "import numpy as np", "return np.ones(600_000)")
    assert outcome.kind == "value"
    assert "more than 4 MB" in outcome.value.kind


def test_all_replies_about_one_exercise_are_bounded_together_and_another_exercise_has_its_own(sandbox):
    cells = ["import numpy as np\ndef answer(): return np.ones(300_000)\ndef other(): return 3"]
    with SandboxedWorker(cells, sandbox) as worker:
        outcomes = worker.ask(ANSWER, [CASE] * 10)
        assert [outcome.error for outcome in outcomes] == ["", "", "BadReply"]
        assert outcomes[-1].message == "all results together have more than 8 MB"
        assert worker.call({**ANSWER, "function": "other"}, CASE).value == 3
        assert worker.call(ANSWER, CASE).kind == "value"


def test_a_reply_holds_its_arrays_as_shape_and_base64():
    with (
        Sandbox("none (trusted)") as sandbox,
        SandboxedWorker(["import numpy as np\ndef answer(): return np.array([1.5])"], sandbox) as worker,
    ):
        worker.call(ANSWER, CASE)
        worker._tell({"id": 9, **ANSWER, "cases": [CASE], "seconds": 5}, 5)
        line = worker._reply(5)
    assert line["value"] == {"array": [1], "dtype": "float64", "base64": "AAAAAAAA+D8="}
    assert line["id"] == 9
    assert "points" not in json.dumps(line)


def test_the_notebook_that_is_served_before_any_other_works(monkeypatch):
    served, serve = [], worker.serve
    monkeypatch.setattr(worker, "installed_checks", lambda: None)  # this process keeps its own
    monkeypatch.setattr(worker, "serve", lambda *given: serve(*given) or served.append(given[1].getvalue()))
    worker.warm_up()
    loaded, *replies = map(json.loads, served[0].splitlines())
    assert loaded == {"loaded": 1}
    assert len(replies) == 3 * 12
    assert {reply["kind"] for reply in replies} == {"value"}


# --- several at a time -----------------------------------------------------------------------------------------------


def test_sandboxes_that_stand_together_run_as_different_users(sandbox):
    """Also those of another process: the number behind a user is claimed from the kernel, and given back at any end."""
    lines = ("import os", "return os.getuid()")
    with Sandbox(machine.best_tier()) as another:
        users = {ask(sandbox, *lines).value, ask(another, *lines).value}
    if os.geteuid() == 0:
        assert len(users) == 2
    del another
    if os.geteuid() == 0:
        with Sandbox(machine.best_tier()) as third:
            assert ask(third, *lines).value in users


def test_a_number_comes_back_when_its_holder_is_killed():
    ours = Slot()
    code = (
        "import time\nfrom coursepkg.grading.sandbox.slots import Slot\nslot = Slot()\nprint(slot.number, flush=True)\n"
    )
    words = [sys.executable, "-c", code + "time.sleep(60)"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        theirs = int(holder.stdout.readline())
        beside = Slot()
        assert len({ours.number, theirs, beside.number}) == 3
        beside.release()
        holder.kill()
        holder.wait()
    again = [Slot() for _ in range(3)]
    assert theirs in {slot.number for slot in again}
    for slot in (ours, *again):
        slot.release()
