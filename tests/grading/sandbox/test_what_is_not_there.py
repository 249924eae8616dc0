"""What a learner's computer has and the sandbox has not: it costs no more than it must, and the message names it."""

import json
import sys
import textwrap

import machine
import pytest
from hostile_notebooks import PRODUCT, RIGHT, notebook_bytes

from coursepkg.grading.running.grader import Work
from coursepkg.grading.sandbox.inside import MOST_FILES
from coursepkg.grading.sandbox.process import CRAMMED, Sandbox, SandboxedWorker

CHECK = "from coursepkg.grading import check\ncheck('91.2', {})"


def results(grader, *cells, python=None):
    notebook = json.loads(notebook_bytes([textwrap.dedent(cell) for cell in cells]))
    notebook["metadata"] = {"language_info": {"name": "python", "version": python}}
    return grader.grade(Work("ann", "Ann", "91", "91_mine.ipynb", json.dumps(notebook).encode())).results


# --- files of one's own ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("magic", ["%%writefile mine.py", "\n%%file mine.py"])
def test_an_answer_in_a_file_of_the_notebooks_own_is_said(grader, magic):
    cells = (RIGHT, f"{magic}\n{PRODUCT}", "import mine", CHECK.format("mine.product"))
    [first, second] = results(grader, *cells)
    assert first.points == 2
    assert "`product` stands in a cell that `%%writefile` puts into a file" in second.items[0].message


def test_an_answer_from_a_module_that_is_not_there_is_an_error_that_says_so(grader):
    [_, second] = results(grader, RIGHT, "from mine import product", CHECK.format("product"))
    assert second.status == "student error"
    assert "ModuleNotFoundError: No module named 'mine'" in second.items[0].message
    assert "files of your own are not there" in second.items[0].message


def test_a_file_of_other_code_is_not_mentioned(grader):
    [_, second] = results(grader, RIGHT, "%%writefile mine.py\ndef other(): pass")
    assert "writefile" not in second.items[0].message


# --- threads, processes, event loops ---------------------------------------------------------------------------------

ALONE = {
    "a thread": ("import threading\nt = threading.Thread(target=print)\nt.start()", "there are no threads"),
    "a pool": ("from concurrent.futures import ThreadPoolExecutor as P\nwith P(1) as p:\n    p.submit(print).result()",
               "there are no threads"),
    "an event loop": ("import asyncio\nasyncio.new_event_loop()", "network or event loops"),
    "a process": ("import subprocess\nsubprocess.run(['ls'])", "there are no other processes"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_an_answer_that_is_not_alone_hears_that_it_has_to_be(grader, name):
    lines, words = ALONE[name]
    answer = "def product(a, b):\n" + textwrap.indent(lines, "    ") + "\n    return a * b"
    [first, second] = results(grader, RIGHT, answer, CHECK.format("product"))
    assert (first.points, second.status) == (2, "student error")
    assert words in second.items[0].message


# --- a newer Python --------------------------------------------------------------------------------------------------

OWN = "{}.{}".format(*sys.version_info[:2])
BROKEN = "def product(a, b):\n    return a b"


def test_code_that_cannot_be_read_names_the_python_that_reads_it(grader):
    [first, second] = results(grader, RIGHT, BROKEN, python=f"{OWN}.1")
    assert first.points == 2
    assert f"Python {OWN} cannot read this" in second.items[0].message
    assert not [flag for flag in second.flags if "Python" in flag]


def test_code_that_a_newer_python_ran_and_this_one_cannot_read_is_flagged(grader):
    newer = f"cannot be read by Python {OWN}, and was run with 3.99; grade with that version"
    [first, second] = results(grader, RIGHT, BROKEN, python="3.99.1")
    assert newer in second.flags
    assert newer not in first.flags


@pytest.mark.parametrize("version", [None, 3.99, "", "three", "999999.1", ["3.99"], {"3": 99}])
def test_a_version_that_is_none_says_nothing(grader, version):
    [_, second] = results(grader, RIGHT, BROKEN, python=version)
    assert not [flag for flag in second.flags if "Python" in flag]


# --- the end of the process ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["os._exit(0)", "x = 3; os._exit(1)", "import ctypes; ctypes.string_at(0)"])
def test_a_statement_that_ends_the_process_is_left_out_and_that_is_said(grader, line):
    both = results(grader, RIGHT, PRODUCT, CHECK.format("product"), f"import os\n{line}")
    assert [result.points for result in both] == [2, 1]
    at = len(line.split(";")) + 1
    assert all(f"cell 4 ends the process; its statement {at} was left out" in result.flags for result in both)


# --- files without end -----------------------------------------------------------------------------------------------

MADE = {
    "empty files": "os.close(os.open(f'/tmp/{k}', os.O_CREAT | os.O_WRONLY))",
    "folders": "os.mkdir(f'/tmp/{k}')",
    "links": "os.symlink('/tmp', f'/tmp/{k}')",
    "files in folders": "os.makedirs(f'/tmp/{k // 100}/{k % 100}')",
}


@pytest.mark.parametrize("name", MADE)
def test_files_without_end_are_ended_however_small_they_are(name):
    tier = machine.best_tier()
    if tier != machine.BUBBLEWRAP:
        pytest.skip("in the second tier no file can be made at all")
    asked, case = {"function": "answer", "driver": "call"}, {"args": [], "kwargs": {}}
    many = f"import os\ndef answer():\n    for k in range({200 * MOST_FILES}):\n        {MADE[name]}"
    few = f"import os\ndef answer():\n    for k in range({MOST_FILES // 10}):\n        {MADE[name]}\n    return k"
    with Sandbox(tier) as sandbox:
        with SandboxedWorker([many], sandbox) as worker:
            outcome = worker.call(asked, case)
            assert (outcome.error, outcome.message) == ("ProcessEnded", CRAMMED)
        with SandboxedWorker([few], sandbox) as worker:
            assert worker.call(asked, case).value == MOST_FILES // 10 - 1
