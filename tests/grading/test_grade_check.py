"""Judging a notebook from the command line: by name, in another process, with an exit code that tells the result."""

import json
import shutil
import subprocess
import sys

import pytest
from grading_chapters import build_in

from coursepkg import _course
from coursepkg.grading.cli import main
from coursepkg.grading.running.own_notebook import judge_notebook, load_checks
from coursepkg.grading.sandbox.worker_process import Worker
from coursepkg.grading.submissions.cells import UnreadableNotebook, read_cells

RIGHT = "def portions_per_money(portions_per_gram, grams_per_money):\n    return portions_per_gram * grams_per_money\n"
WRONG = "def portions_per_money(portions_per_gram, grams_per_money):\n    return portions_per_gram + grams_per_money\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = build_in(tmp_path_factory.mktemp("course"))
    (root / "work").mkdir()
    return root


@pytest.fixture(scope="module")
def checks(course):
    return load_checks(course / "exercises" / ".checks")


def notebook(path, *sources, **extra):
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **extra}))
    return path


@pytest.fixture
def first(course, checks):
    """The verdict on exercise 90.1 in a notebook made of some cells."""

    def judged(*sources):
        path = notebook(course / "work" / "90_mine.ipynb", *sources)
        [(_, verdict)] = judge_notebook(path, {"90.1": checks["90.1"]})
        return verdict

    return judged


# --- exit codes ------------------------------------------------------------------------------------------------------


def test_right_work_exits_0_and_untouched_work_exits_1(course, capsys):
    assert main(["grade", "check", str(course / "solutions" / "90_fixture.ipynb")]) == 0
    assert "17 of 17 points" in capsys.readouterr().out
    assert main(["grade", "check", str(course / "exercises" / "90_fixture.ipynb")]) == 1
    out = capsys.readouterr().out
    assert out.count("not attempted") == 6
    assert "0 of 17 points" in out


def test_wrong_work_exits_1_and_says_what_is_wrong(course, capsys):
    path = notebook(course / "work" / "90_mine.ipynb", WRONG)
    assert main(["grade", "check", str(path)]) == 1
    assert "It looks like adds rates." in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"cells": 3}', "[" * 100_000, "\ud800".encode("utf-16", "surrogatepass")]
)
def test_what_is_no_notebook_exits_2(course, text, capsys):
    path = course / "work" / "90_broken.ipynb"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["grade", "check", str(path)]) == 2
    assert "Nothing was judged" in capsys.readouterr().err
    assert main(["grade", "check", str(course / "work" / "missing.ipynb")]) == 2
    assert main(["grade", "check", str(course / "work")]) == 2


def test_a_notebook_of_no_chapter_exits_2(course):
    assert main(["grade", "check", str(notebook(course / "work" / "letters.ipynb", "x = 1"))]) == 2


def test_a_notebook_with_another_name_is_known_by_its_checks(course, checks):
    path = notebook(course / "work" / "final (1).ipynb", RIGHT + "check('90.1', portions_per_money)")
    assert judge_notebook(path, checks)[0][1].passed


def test_without_checks_nothing_is_judged_and_the_exit_code_is_3(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.setattr(_course, "folder", lambda: tmp_path)
    path = notebook(tmp_path / "90_mine.ipynb", RIGHT)
    assert main(["grade", "check", str(path)]) == 3
    (tmp_path / ".checks").mkdir()
    assert main(["grade", "check", str(path)]) == 3
    (tmp_path / ".checks" / "ex_90.json").write_text("{}")
    assert main(["grade", "check", str(path)]) == 3
    assert capsys.readouterr().err.count("Nothing was judged") == 3


def test_a_fault_of_the_grader_exits_3_and_is_no_zero(course, tmp_path, capsys):
    shutil.copytree(course / "exercises" / ".checks", tmp_path / ".checks")
    path = tmp_path / ".checks" / "ex_90.json"
    path.write_text(path.read_text().replace('"driver": "call"', '"driver": "gone"', 1))
    assert main(["grade", "check", str(notebook(tmp_path / "90_mine.ipynb", RIGHT))]) == 3
    assert "not judged" in capsys.readouterr().out


def test_a_giant_file_is_not_read(tmp_path):
    path = tmp_path / "90_big.ipynb"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(UnreadableNotebook, match="more than 20 MB"):
        read_cells(path)


# --- reading code ----------------------------------------------------------------------------------------------------


def test_sources_may_be_strings_or_lists(tmp_path):
    path = tmp_path / "n.ipynb"
    cells = [
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]}, {"cell_type": "code", "source": "c = 3"},
        {"cell_type": "markdown", "source": "d"}, {"cell_type": "code"}, {"cell_type": "code", "source": 3}, 7, None,
    ]  # fmt: skip
    path.write_text(json.dumps({"cells": cells}))
    assert read_cells(path) == ["a = 1\nb = 2", "c = 3", "", ""]


# --- honest slips ----------------------------------------------------------------------------------------------------

PASS = {
    "nothing special": [RIGHT],
    "a copied cell": [RIGHT, RIGHT],
    "a wrong one before": [WRONG, RIGHT],
    "a stub after which it is defined": [
        "def portions_per_money(a, b):\n    raise NotImplementedError('90.1: write your answer here')", RIGHT,
    ],
    "a name overwritten by its result": [RIGHT, "portions_per_money = portions_per_money(1, 2)"],
    "a failing line in the same cell": ["1 / 0\n" + RIGHT + "1 / 0"],
    "failing cells around it": ["import nothing_at_all", RIGHT, "undefined_name"],
    "a broken cell after it": [RIGHT, "if x ="],
    "a lambda": ["portions_per_money = lambda portions_per_gram, grams_per_money: portions_per_gram * grams_per_money"],
    "magics": ["%matplotlib inline\n" + RIGHT + "!ls\ndisplay(1)"],
    "prints": ["print('x' * 10**6)\n" + RIGHT.replace("return", "print('y' * 10**5); return")],
    "a warning": ["import warnings", RIGHT.replace("    return", "    warnings.warn('careful')\n    return")],
    "another np that is not used": ["import numpy as np\nnp = 3", RIGHT],
    "an exit in another cell": ["import sys\nsys.exit(3)", RIGHT, "raise SystemExit", "raise KeyboardInterrupt"],
    "input in another cell": ["name = input('who? ')", RIGHT],
    "unicode": ["η = 0.1  # ∂L/∂w\n" + RIGHT],
}  # fmt: skip


@pytest.mark.parametrize("name", PASS)
def test_an_honest_slip_does_not_cost_a_right_answer(first, name):
    verdict = first(*PASS[name])
    assert verdict.passed, verdict


FAIL = {
    "nothing there": ([], "not-attempted", ""),
    "another name": ([RIGHT.replace("portions_per_money", "portions")], "not-attempted", ""),
    "no function": (["portions_per_money = 3"], "not-attempted", ""),
    "np overwritten and used": (
        ["import numpy as np", RIGHT.replace("portions_per_gram *", "np.exp(0.0) * portions_per_gram *"), "np = 3"],
        "error", "AttributeError",
    ),
    "a broken cell": ([RIGHT.replace("return", "retrun x =")], "error", "SyntaxError"),
    "a default that fails": (["def portions_per_money(a, b=1 / 0):\n    return a"], "error", "ZeroDivisionError"),
    "a right one, then a wrong one": ([RIGHT, WRONG], "wrong", "adds-rates"),
    "an end of the process": (["import os", RIGHT.replace("return", "return os._exit(0),")], "error", "ProcessEnded"),
    "an end of the process on load": ([*["import os; os._exit(0)"] * 3, RIGHT], "error", "ProcessEnded"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAIL)
def test_a_failure_says_what_happened(first, name):
    sources, status, finding = FAIL[name]
    verdict = first(*sources)
    assert (verdict.status, verdict.finding) == (status, finding), verdict
    assert verdict.lines


def test_the_broken_line_of_a_cell_is_named(first):
    verdict = first("x = 1", RIGHT + "    y = = 2")
    assert "SyntaxError" in verdict.text
    assert "Line 3 of your code: `y = = 2`" in verdict.text


def test_an_endless_loop_costs_its_own_exercise_alone(course, checks):
    solution = read_cells(course / "solutions" / "90_fixture.ipynb")
    loop = 'def portions_per_money(a, b):\n    while True:\n        pass\ncheck("90.1", portions_per_money)'
    path = notebook(course / "work" / "90_mine.ipynb", *solution, loop)
    statuses = {compiled["id"]: verdict.status for compiled, verdict in judge_notebook(path, checks)}
    assert statuses == {"90.1": "error", **{f"90.{k}": "passed" for k in range(2, 7)}}


# --- the worker ------------------------------------------------------------------------------------------------------


def worker_verdict(checks, path, script):
    """A worker that is replaced by a script."""
    with Worker([RIGHT], path, [sys.executable, "-c", script]) as worker:
        return worker.call(checks["90.1"], checks["90.1"]["cases"][0])


@pytest.mark.parametrize("reply", [
    '{"score": 1}', '{"kind": "value", "value": {"array": [9], "dtype": "float64", "data": []}}', "3", "[]", "{}",
    '{"kind": "value", "value": {"tuple": 3}}',
])  # fmt: skip
def test_a_forged_reply_is_never_a_pass(checks, tmp_path, reply):
    script = f"import sys\nfor line in sys.stdin: print({reply!r}, flush=True)"
    assert worker_verdict(checks, tmp_path, script).kind == "error"


def test_a_worker_that_ends_or_never_starts_is_no_pass(checks, tmp_path):
    assert worker_verdict(checks, tmp_path, "pass").kind == "error"
    assert worker_verdict(checks, tmp_path, "import sys; sys.stdin.readline(); print('{}')").kind == "error"


def test_a_worker_is_started_three_times_at_most(checks, tmp_path):
    with Worker([], tmp_path, [sys.executable, "-c", "pass"]) as worker:
        kinds = [worker.call(checks["90.1"], checks["90.1"]["cases"][0]).kind for _ in range(5)]
    assert kinds == ["error"] * 3 + ["time-limit"] * 2


def test_no_worker_is_left_behind(course, checks, tmp_path):
    with Worker([RIGHT], tmp_path) as worker:
        assert worker.call(checks["90.1"], checks["90.1"]["cases"][0]).value == 1.5
        process = worker._process
        assert process.poll() is None
    assert process.poll() is not None


def test_a_worker_holds_no_reference_and_no_judge():
    code = "import coursepkg.grading.sandbox.worker, sys; print('coursepkg.grading.specification.build' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_a_broken_cell_costs_what_it_defines_and_not_what_it_mentions(first):
    """A method is no answer: a broken class with a method of an answer's name takes nobody's mark."""
    broken = "class Helper:\n    def portions_per_money(self, a, b):\n        return a b\n"
    assert first(RIGHT, broken).passed
    assert first(broken, RIGHT).passed
    assert first(broken + RIGHT.replace("return", "retrun")).finding == "SyntaxError"
    assert first("def portions_per_money (a, b):\n    return a b").finding == "SyntaxError"
