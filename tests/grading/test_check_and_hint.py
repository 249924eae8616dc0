"""What a learner sees: a verdict or a hint, never a traceback, whatever they typed."""

import json

import nbformat
import pytest
from grading_chapters import build_in

from coursepkg import _course
from coursepkg.grading import check, hint
from coursepkg.grading.judging.judge import Verdict
from tools.notebooks import execute


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return build_in(tmp_path_factory.mktemp("course"))


@pytest.fixture
def here(course, monkeypatch):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.chdir(course / "exercises")
    monkeypatch.delenv("COURSEPKG_PROGRESS", raising=False)
    return course


def right(portions_per_gram, grams_per_money):
    return portions_per_gram * grams_per_money


# --- where checks are found ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [".", "exercises", "solutions", "solutions/specs", "exercises/.checks"])
def test_checks_are_found_from_anywhere_in_the_course(here, folder, monkeypatch):
    monkeypatch.chdir(here / folder)
    assert check("90.1", right).passed


def test_the_environment_names_another_folder(here, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEPKG_CHECKS", str(here / "exercises" / ".checks"))
    monkeypatch.chdir(tmp_path)
    assert check("90.1", right).passed
    monkeypatch.setenv("COURSEPKG_CHECKS", str(tmp_path / "nowhere"))
    assert check("90.1", right).status == "infrastructure"


def test_away_from_the_course_the_checks_of_the_package_are_used(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert hint("01.1").status == "hint"


def test_without_checks_nothing_is_said_about_the_answer(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.setattr(_course, "folder", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    found = check("90.1", right)
    assert found.status == "infrastructure"
    assert "says nothing about your answer" in found.text


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"exercises": [{}]}', '{"exercises": 3}', "{"])
def test_a_damaged_file_is_our_fault_and_no_traceback(tmp_path, monkeypatch, text):
    monkeypatch.setenv("COURSEPKG_CHECKS", str(tmp_path))
    (tmp_path / "ex_90.json").write_text(text)
    assert check("90.1", right).status == "infrastructure"
    assert hint("90.1").status == "infrastructure"


def test_a_check_with_missing_fields_is_our_fault(here, tmp_path, monkeypatch):
    stored = json.loads((here / "exercises" / ".checks" / "ex_90.json").read_text())
    monkeypatch.setenv("COURSEPKG_CHECKS", str(tmp_path))
    for field in ("cases", "driver", "rtol", "misconceptions", "hidden"):
        broken = {**stored["exercises"][0]}
        del broken[field]
        (tmp_path / "ex_90.json").write_text(json.dumps({"exercises": [broken]}))
        assert check("90.1", lambda portions_per_gram, grams_per_money: 1).status == "infrastructure", field


# --- calls that are not quite right ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "words"), [
    (("90.11", right), "Did you mean `90.1`"),
    (("9.1", right), "Did you mean"),
    (("90,1", right), "Did you mean `90.1`"),
    (("portions", right), "Did you mean"),
    (("../90.1", right), "There is no exercise"),
    (("", right), "There is no exercise"),
    ((90.1, right), "id in quotes"),
    ((None, right), "id in quotes"),
    ((right, "90.1"), 'Write `check("90.1", right)`'),
    (("90.1",), 'Write `check("90.1", portions_per_money)`'),
    ((), "id in quotes"),
    ((right,), "id in quotes"),
    (("90.1", right(1, 2)), "it was given a number"),
    (("90.1", None), "it was given None"),
    (("90.1", "right"), "it was given a string"),
    (("90.1", str), "it was given the class str"),
    (("90.3", right), "it was given a function"),
    (("90.1", lambda x: x), "yours takes (x)"),
])  # fmt: skip
def test_a_call_that_is_not_quite_right_gets_two_plain_lines(here, arguments, words, capsys):
    found = check(*arguments)
    assert found.status == "error"
    assert words in found.text
    assert len(found.lines) == 2
    assert capsys.readouterr().out == found.text + "\n"


def test_a_verdict_is_shown_once_and_is_its_own_text(here, capsys):
    found = check("90.1", right)
    assert capsys.readouterr().out == f"{found!r}\n" == f"{found.text}\n"
    assert isinstance(found, Verdict)
    assert found.passed


# --- hints -----------------------------------------------------------------------------------------------------------


def test_a_hint_is_the_same_however_often_its_cell_is_run(here):
    assert len({hint("90.1").text for _ in range(4)}) == 1
    assert len({hint("90.1", 2).text for _ in range(4)}) == 1


def test_each_hint_says_how_to_ask_for_the_next(here):
    for number in (1, 2):
        found = hint("90.1", number)
        assert found.text.startswith(f"90.1 hint {number} of 3 · ")
        assert f'`hint("90.1", {number + 1})`' in found.text
    assert hint("90.1", 3).text.startswith("90.1 hint 3 of 3 · ")
    assert "next one" not in hint("90.1", 3).text
    assert hint("90.1").text == hint("90.1", 1).text


@pytest.mark.parametrize("number", [0, 4, -1, 1.0, True, "2", None])
def test_a_hint_that_is_not_there_is_said_plainly(here, number):
    assert "there are 3 hints" in hint("90.1", number).text


def test_a_hint_for_no_exercise(here):
    assert hint("90.77").finding == "unknown-id"
    assert hint().status == "error"


# --- markup ----------------------------------------------------------------------------------------------------------


def test_markup_is_escaped_and_needs_no_colour(here):
    def hostile(portions_per_gram, grams_per_money):
        print("<script>alert(1)</script>")
        raise ValueError("<img src=x onerror=alert(1)> & `code`")

    found = check("90.1", hostile)
    page = found._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "role='status'" in page
    assert "<strong>90.1 error" in page
    assert "<strong>90.1 passed" in check("90.1", right)._repr_html_()


# --- in a real kernel ------------------------------------------------------------------------------------------------

KERNEL_CELLS = {
    "passed": """
def f(portions_per_gram, grams_per_money):
    return portions_per_gram * grams_per_money

check("90.1", f)
""",
    "error": """
def g(a, b):
    return a / 0

check("90.1", g)
""",
    "stopped": """
def h(a, b):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

check("90.1", h)
""",
    "SystemExit": "import sys\ncheck('90.1', lambda a, b: sys.exit(1))",
    "KeyboardInterrupt": "def k(a, b):\n    raise KeyboardInterrupt\ncheck('90.1', k)",
    "RecursionError": "def r(a, b):\n    return r(a, b)\ncheck('90.1', r)",
    "not attempted": "def s(a, b):\n    raise NotImplementedError('90.1: write your answer here')\ncheck('90.1', s)",
    "no exercise": "check('90.111', f)",
    "a number": "check('90.1', 3)",
    "is missing": "check('90.1')",
    "in quotes": "check(f)",
    "printed: 0": "def p(*args):\n    for i in range(10**5):\n        print(i)\ncheck('90.2', p)",
    "warned": "import numpy as np\ncheck('90.1', lambda a, b: np.log(np.zeros(1))[0])",
    "hint 1": "hint('90.1')",
    "last": "v = check('90.1', f)\nv.passed",
    "again": "v",
    "90.1 passed · Rates": "np = 3\ncheck('90.1', f)",
}


@pytest.fixture(scope="module")
def kernel_outputs(course):
    sources = ["from coursepkg.grading import check, hint", *KERNEL_CELLS.values()]
    cells = [nbformat.v4.new_code_cell(source.strip(), id=f"cell-{k}") for k, source in enumerate(sources)]
    book = nbformat.v4.new_notebook(cells=cells)
    book = execute(book, course / "exercises").notebook
    assert not (course / "exercises" / "progress.json").exists()  # notebooks that are run to be stored leave no record
    return dict(zip(KERNEL_CELLS, (cell.outputs for cell in book.cells[1:]), strict=True))


@pytest.mark.parametrize("words", [key for key in KERNEL_CELLS if key not in ("last", "again")])
def test_in_a_kernel_every_verdict_is_one_output_without_traceback(kernel_outputs, words):
    [output] = kernel_outputs[words]
    assert output.output_type == "display_data"
    assert words in output.data["text/plain"]
    assert set(output.data) == {"text/plain", "text/html"}
    for text in output.data.values():
        assert "Traceback" not in text
        assert "coursepkg/" not in text
        assert len(text.splitlines()) <= 9


def test_in_a_kernel_the_learners_own_line_is_named(kernel_outputs):
    [output] = kernel_outputs["error"]
    assert "Line 2 of your code: `return a / 0`" in output.data["text/plain"]


def test_in_a_kernel_a_verdict_is_shown_when_asked_for_again(kernel_outputs):
    assert [output.output_type for output in kernel_outputs["last"]] == ["display_data", "execute_result"]
    assert kernel_outputs["last"][1].data["text/plain"] == "True"
    [again] = kernel_outputs["again"]
    assert "90.1 passed" in again.data["text/plain"]
