"""What IPython accepts gives the same marks, whatever it looks like; what a person should look at is flagged, no more.

All exercises of the course take part: each chapter's solution is rewritten in another way.
"""

import inspect
import json
import textwrap
from pathlib import Path

import machine
import pytest
from hostile_notebooks import PRODUCT, RIGHT, SECRET, SPECS, WRONG, notebook_bytes

from coursepkg.grading.running.grader import Grader, Work
from coursepkg.grading.running.suspicions import GIVEN, LOOKED_AT, flags_of, flags_of_notebook, not_run
from coursepkg.grading.sandbox.standins import is_the_courses_own
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.submissions.cells import Cells, read_notebook, unread

PROJECT = Path(__file__).parents[3]
CHAPTERS = Chapters(PROJECT / "solutions" / "specs")


@pytest.fixture(scope="module")
def grader():
    grader = Grader(CHAPTERS, SECRET, machine.best_tier())
    yield grader
    grader.close()


@pytest.fixture(scope="module")
def small():
    """A grader of the chapter that was written to test it."""
    grader = Grader(Chapters(SPECS), SECRET, machine.best_tier())
    yield grader
    grader.close()


def work(chapter, data):
    return Work("ann", "Ann", chapter, f"{chapter}_mine.ipynb", read_notebook(iter([data]), "mine"))


# --- the same marks --------------------------------------------------------------------------------------------------


def every_code_cell(rewrite):
    def rewritten(notebook):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["source"] = rewrite("".join(cell["source"]))
        return json.dumps(notebook).encode()

    return rewritten


def prompted(first, others):
    def rewrite(source):
        lines = source.split("\n")
        return "\n".join([first + lines[0], *(others + line for line in lines[1:])])

    return every_code_cell(rewrite)


def with_lines(notebook):
    lines = "!pip install numpy\n%matplotlib inline\nfiles = !ls\nbest = %timeit -o sum([1])\n?sum"
    extra = {"cell_type": "code", "source": lines, "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"] = [each for cell in notebook["cells"] for each in (cell, extra)]
    return json.dumps(notebook).encode()


def format_3(notebook):
    cells = [
        {"cell_type": "code", "input": cell["source"], "language": "python", "outputs": [], "collapsed": False}
        if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]  # fmt: skip
    return json.dumps({"worksheets": [{"cells": cells}], "metadata": {"name": ""}, "nbformat": 3}).encode()


def large_outputs(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["a line of text\n"] * 160_000}]
    data = json.dumps(notebook).encode()
    assert len(data) > 30_000_000
    return data


REWRITTEN = {
    "01": prompted(">>> ", "... "),
    "02": prompted("In [3]: ", "   ...: "),
    "03": every_code_cell(lambda source: f"%%time\n{source}"),
    "04": with_lines,
    "05": format_3,
    "06": lambda notebook: json.dumps(notebook, ensure_ascii=False).encode("utf-16"),
    "07": every_code_cell(lambda source: source.replace("\n", "\r\n")),
    "08": large_outputs,
    "09": every_code_cell(lambda source: f"\n\n%%capture out --no-stderr\n{source};\n"),
    "10": every_code_cell(lambda source: "\n".join("    " + line for line in source.split("\n"))),
    "11": every_code_cell(lambda source: f"{source}\ncheck?\n%time x = 1\nx = = 3 # and a line that is broken\n"),
    "12": lambda notebook: json.dumps(notebook).encode("utf-8-sig"),
}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_solution_gives_the_same_marks_however_it_is_written(grader, chapter):
    [path] = (PROJECT / "solutions").glob(f"{chapter}_*.ipynb")
    results = grader.grade(work(chapter, REWRITTEN[chapter](json.loads(path.read_bytes())))).results
    assert {result.exercise: result.points for result in results} == {r.exercise: r.max for r in results}
    assert {result.flags for result in results} == {()}


# --- flags -----------------------------------------------------------------------------------------------------------

IMPORT = "from coursepkg.grading import check, hint\n"
CHECKS = f"{IMPORT}check('91.1', squared_slope)\ncheck('91.2', product)"
REUSED = "the name `product` is used again after its check; the answer that was checked is judged"
WAYS = {
    "as it is asked": CHECKS,
    "another name": f"from coursepkg.grading import check as c\nc('91.2', product)\n{CHECKS}",
    "the package": f"import coursepkg.grading as g\ng.check(answer=product, exercise_id='91.2')\n{CHECKS}",
    "its module": f"from coursepkg.grading.learning.notebook import check\n{CHECKS}",
    "in a branch": f"{IMPORT}if True:\n    try:\n        check('91.1', squared_slope); check('91.2', product)\n"
    "    finally:\n        pass",
}


@pytest.mark.parametrize("name", WAYS)
def test_a_checked_answer_counts_and_a_name_that_is_used_again_is_flagged(small, name):
    for again in ("product = 3", "def product(a, b):\n    return 0", "from math import prod as product"):
        [first, second] = small.grade(work("91", notebook_bytes([RIGHT, PRODUCT, WAYS[name], again]))).results
        assert (first.points, second.points) == (2, 1)
        assert REUSED in second.flags
        assert not [flag for flag in first.flags if "again" in flag]


def test_an_answer_that_is_checked_in_any_way_was_not_found_by_its_name(small):
    checked = "import coursepkg.grading as g\ng.check(answer=product, exercise_id='91.2')"
    [first, second] = small.grade(work("91", notebook_bytes([RIGHT, PRODUCT, checked]))).results
    assert first.flags == ("found by its name; the cell that it was asked in is gone",)
    assert second.flags == ()


def test_what_is_checked_last_counts_and_not_what_is_better(small):
    cells = [RIGHT, PRODUCT, CHECKS, WRONG, "check('91.1', squared_slope)"]
    [first, second] = small.grade(work("91", notebook_bytes(cells))).results
    assert (first.points, second.points) == (0, 1)
    assert first.flags == second.flags == ()


def test_a_check_of_their_own_harms_themselves_alone(small):
    cells = [WRONG, PRODUCT, "def check(*a, **k): return True", CHECKS.removeprefix(IMPORT)]
    [first, second] = small.grade(work("91", notebook_bytes(cells))).results
    assert (first.points, second.points) == (0, 1)


def test_what_a_process_says_of_answers_is_known_words_or_nothing(small, monkeypatch):
    """A notebook that takes the place of the one who says it: at most a flag is lost or won."""
    cells = [RIGHT, PRODUCT, "import coursepkg.grading.sandbox.worker as w\n"
             "w.Answers.notes = lambda self, asked: [['<script>', 'own', {'a': 1}]] * len(asked)"]  # fmt: skip
    flags = [result.flags for result in small.grade(work("91", notebook_bytes(cells))).results]
    assert all(set(found) <= {"the answer is the course's own"} | set(found[:1]) for found in flags)
    assert "script" not in repr(flags)
    for said in ("3", "[3]", "['own'] * 2", "[[]] * 99", "[{'own': 1}] * 2"):
        told = f"import coursepkg.grading.sandbox.worker as w\nw.Answers.notes = lambda self, asked: {said}"
        results = small.grade(work("91", notebook_bytes([RIGHT, PRODUCT, told]))).results
        assert [result.points for result in results] == [2, 1]


def solution_of(chapter, function, answer):
    """A solution with another answer in the place of one."""
    [path] = (PROJECT / "solutions").glob(f"{chapter}_*.ipynb")
    notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and (f"class {function}" in source or f"def {function}" in source):
            cell["source"] = answer + source[source.index("\nfrom coursepkg.grading import check") :]
    return json.dumps(notebook).encode()


@pytest.mark.parametrize(("answer", "flag"), [
    ("from coursepkg.autodiff.scalar import Scalar as Value\n", "the answer is the course's own"),
    ("import coursepkg.autodiff.scalar as s\nclass Value(s.Scalar):\n    pass\n", "the answer is the course's own"),
    ("import coursepkg.autodiff.scalar as s\ndef Value(x):\n    return s.Scalar(x)\n", "leans on `coursepkg.autodiff`"),
])  # fmt: skip
def test_the_courses_own_answer_is_flagged_and_its_mark_stays(grader, answer, flag):
    results = {r.exercise: r for r in grader.grade(work("02", solution_of("02", "Value", answer))).results}
    assert any(found.startswith(flag) for found in results["02.7"].flags)
    assert results["02.7"].points == (0 if "def Value" in answer else results["02.7"].max)
    assert {r.flags for r in results.values() if r.exercise != "02.7"} == {()}


@pytest.mark.parametrize("line", [
    "import sys; sys._getframe(1)", "from inspect import currentframe", "import inspect\nx = inspect.stack()",
    "from inspect import signature, stack", "import gc\ngc.get_objects()", "gc.get_referrers(x)", "frame.f_back",
])  # fmt: skip
def test_what_reads_frames_is_flagged(line):
    assert flags_of_notebook(Cells(["x = 1", line], []))
    assert not flags_of_notebook(Cells(["x = 1  # stack of frames", "stack = []", "inspect.signature(f)"], [line]))


@pytest.mark.parametrize("text", [
    "from coursepkg import (\n", "from inspect import a, ", "import coursepkg as ", "inspect  ", " def ", "check( ",
])  # fmt: skip
def test_a_text_that_begins_the_same_thing_again_and_again_is_read_once(text):
    """It would take hours if each beginning were followed to the end of the cell."""
    many = (LOOKED_AT - 1000) // len(text)
    cells = Cells(["def Value(): pass\nfrom coursepkg import nn\n" + text * many], [text * 300_000])
    [exercise] = [each for each in CHAPTERS["02"].exercises if each.function == "Value"]
    assert flags_of(exercise, cells, ()) == []
    assert flags_of_notebook(cells) == []
    assert not_run(exercise, cells) == ""


def test_of_far_too_much_code_the_first_part_is_looked_at_and_that_is_said():
    cells = Cells(["import inspect\nx = inspect.stack()", "x = 1\n" * (LOOKED_AT // 6)], [])
    reads, long = flags_of_notebook(cells)
    assert "frames" in reads
    assert "the rest was not looked at" in long


def test_no_right_answer_of_the_course_is_flagged():
    """But for engines that stand in for an engine: there, what the course has is not what was asked."""
    flagged = set()
    for chapter in CHAPTERS.values():
        for exercise in chapter.exercises:
            for answer in (exercise.reference, *exercise.accepted):
                text = Path(inspect.getsourcefile(answer)).read_text(encoding="utf-8")
                imports = "\n".join(line for line in text.splitlines() if line.startswith(("from ", "import ")))
                own = textwrap.dedent(inspect.getsource(answer))
                cells = Cells([imports, f"{own}\ncheck('{exercise.id}', {answer.__name__})"], [])
                if is_the_courses_own(answer) or flags_of(exercise, cells, ()) or flags_of_notebook(cells):
                    flagged.add((exercise.id, answer.__name__))
    assert flagged <= {("02.7", "PackageEngine"), ("05.9", "PackageEngine")}


def test_what_a_chapter_gives_to_all_is_what_its_notebook_imports():
    for path in sorted((PROJECT / "exercises").glob("[01]*.ipynb")):
        cells = [cell for cell in json.loads(path.read_bytes())["cells"] if cell["cell_type"] == "code"]
        lines = [line for line in "".join(cells[0]["source"]).splitlines() if line.startswith("from coursepkg")]
        given = {line.split()[1].split(".")[1] if "." in line.split()[1] else line.split()[3] for line in lines}
        assert given - {"grading"} == set(GIVEN.get(path.name[:2], ()))


def test_why_a_file_was_not_read_is_said_to_the_learner(small):
    words = "91_mine.ipynb has more than 20 MB"
    [first, _] = small.grade(Work("ann", "Ann", "91", "91_mine.ipynb", unread(words))).results
    assert (first.status, first.items[0].message) == ("student error", words)


# --- cells that are not run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_in_a_cell_that_is_not_run_is_said(small, kind):
    notebook = json.loads(notebook_bytes([PRODUCT]))
    notebook["cells"].append({"cell_type": kind, "source": f"My answer:\n\n```python\n{RIGHT}\n```", "metadata": {}})
    [first, second] = small.grade(work("91", json.dumps(notebook).encode())).results
    assert (first.points, second.points) == (0, 1)
    assert first.items[0].message.endswith(
        "`squared_slope` stands in a Markdown or raw cell, which is not run; make it a code cell."
    )


def test_words_about_a_function_are_no_answer_in_the_wrong_cell(small):
    notebook = json.loads(notebook_bytes([PRODUCT, "def squared_slope(x, w):\n    raise NotImplementedError"]))
    notebook["cells"].append({"cell_type": "markdown", "source": f"{RIGHT}", "metadata": {}})
    notebook["cells"].append({"cell_type": "markdown", "source": "I defined squared_slope above.", "metadata": {}})
    [first, _] = small.grade(work("91", json.dumps(notebook).encode())).results
    assert first.items[0].verdict == "not-attempted"
    assert "Markdown" not in first.items[0].message
