"""From solutions to exercises: stubs for answers, the same bytes each time, and nothing that gives answers away."""

import json
import shutil
import subprocess
import sys

import pytest
from grading_chapters import OWN, PROJECT, build_in

from coursepkg.grading.cli import main
from coursepkg.grading.specification.build import (
    BuildError,
    build_tree,
    checks_text,
    compare_tree,
    leaks,
    learner_notebook,
    notebook_text,
    source_of,
    write_tree,
)
from coursepkg.grading.specification.chapters import load_specs
from coursepkg.grading.specification.compiling import compile_check

SPECS = load_specs(OWN / "solutions" / "specs")["90"]
SOLUTION = json.loads((OWN / "solutions" / "90_fixture.ipynb").read_text(encoding="utf-8"))


@pytest.fixture
def course(tmp_path):
    return build_in(tmp_path)


def cell(source, kind="code", **metadata):
    made = {"cell_type": kind, "id": "some-id", "metadata": metadata, "source": source.splitlines(keepends=True)}
    return made | ({"outputs": [{"output_type": "stream"}], "execution_count": 7} if kind == "code" else {})


ANSWER = """\
def portions_per_money(portions_per_gram, grams_per_money):
    \"\"\"Portions.\"\"\"
    ### BEGIN SOLUTION
    product = portions_per_gram * grams_per_money
    return product
    ### END SOLUTION


check("90.1", portions_per_money)
"""


def built(*cells, exercises=None):
    notebook = {"cells": list(cells), "metadata": {"kernelspec": {"name": "python3"}, "widgets": {}}}
    notebook |= {"nbformat": 4, "nbformat_minor": 5}
    return learner_notebook(notebook, SPECS[:1] if exercises is None else exercises, "90_fixture.ipynb")


# --- one cell --------------------------------------------------------------------------------------------------------


def test_a_region_becomes_a_stub_with_its_indentation():
    [made] = built(cell(ANSWER))["cells"]
    assert source_of(made) == (
        "def portions_per_money(portions_per_gram, grams_per_money):\n"
        '    """Portions."""\n'
        '    raise NotImplementedError("90.1: write your answer here")\n'
        "\n\n"
        'check("90.1", portions_per_money)'
    )
    assert (made["id"], made["outputs"], made["execution_count"]) == ("some-id", [], None)


def test_an_answer_cell_carries_the_metadata_of_nbgrader():
    [made] = built(cell(ANSWER, tags=["keep"]))["cells"]
    assert made["metadata"] == {
        "tags": ["keep"],
        "nbgrader": {
            "grade": True, "grade_id": "ex-90-1", "locked": False, "points": 2, "schema_version": 3, "solution": True,
            "task": False,
        },
    }  # fmt: skip


def test_instructor_cells_go_and_other_cells_stay():
    made = built(cell("# secret", "markdown", tags=["instructor"]), cell("[link](../notebooks/x.ipynb)", "markdown"),
                 cell("x = 1", tags=["instructor"]), cell(ANSWER), cell("hint('90.1')"))["cells"]  # fmt: skip
    assert [source_of(item).split("\n")[0] for item in made] == [
        "[link](../notebooks/x.ipynb)",
        "def portions_per_money(portions_per_gram, grams_per_money):",
        "hint('90.1')",
    ]


def test_the_note_on_where_it_comes_from_is_out_of_sight():
    made = built(cell(ANSWER))
    assert made["metadata"].keys() == {"kernelspec", "coursepkg"}
    assert "solutions/90_fixture.ipynb" in made["metadata"]["coursepkg"]["generated"]


@pytest.mark.parametrize(("source", "match"), [
    (ANSWER.replace("### END SOLUTION", ""), "END SOLUTION is missing"),
    (ANSWER.replace("### BEGIN SOLUTION", "### END SOLUTION"), "do not take turns"),
    (ANSWER.replace("return product", "### BEGIN SOLUTION"), "do not take turns"),
    (ANSWER.replace('check("90.1", portions_per_money)', ""), "one check call, not 0"),
    (ANSWER + 'check("90.1", portions_per_money)\n', "one check call, not 2"),
    (ANSWER.replace("90.1", "90.9"), "90.9 is not specified"),
    (ANSWER.replace('"90.1", portions_per_money', '"90.1", other'), "asks for `portions_per_money`, not `other`"),
    ('### BEGIN SOLUTION\nx = 1\n### END SOLUTION\ncheck("90.1", portions_per_money)', "must stand inside a function"),
    ('class A:\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION\ncheck("90.1", portions_per_money)', "inside"),
    (ANSWER + "if x\n", "is no Python"),
    ("x = 1", "no answer cell with a solution region and a check call for 90.1"),
])  # fmt: skip
def test_a_region_in_the_wrong_place_is_refused(source, match):
    with pytest.raises(BuildError, match=match):
        built(cell(source))


def test_a_cell_without_id_is_refused():
    with pytest.raises(BuildError, match="cell 2 has no id"):
        built(cell(ANSWER), {**cell("x = 1"), "id": ""})


def test_a_region_in_a_text_cell_is_refused():
    with pytest.raises(BuildError, match="text cell"):
        built(cell(ANSWER), cell("### BEGIN SOLUTION\nbecause\n### END SOLUTION", "markdown"))


# --- the tree --------------------------------------------------------------------------------------------------------


def test_building_twice_gives_the_same_bytes(course):
    before = {path: path.read_bytes() for path in (course / "exercises").rglob("*") if path.is_file()}
    assert len(before) == 2
    assert write_tree(build_tree(course), course) == []
    assert main(["grade", "build", "--root", str(course)]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_in_step_exits_0_and_any_difference_exits_1_and_is_printed(course, capsys):
    assert main(["grade", "build", "--check", "--root", str(course)]) == 0
    notebook = course / "exercises" / "90_fixture.ipynb"
    checks = course / "exercises" / ".checks" / "ex_90.json"
    good = notebook.read_text(encoding="utf-8"), checks.read_text(encoding="utf-8")
    changes = {
        "line": lambda: notebook.write_text(good[0].replace("Portions that", "portions that"), encoding="utf-8"),
        "more or fewer lines": lambda: notebook.write_text(good[0] + "\n", encoding="utf-8"),
        "is missing": notebook.unlink,
        "is no JSON": lambda: checks.write_text(good[1][:-3], encoding="utf-8"),
        "is 3, should be 2": lambda: checks.write_text(good[1].replace('"points": 2', '"points": 3', 1)),
        "exercises[0].cases[0].expected is 1.5001, should be 1.5": lambda: checks.write_text(
            good[1].replace('"expected": 1.5}', '"expected": 1.5001}', 1), encoding="utf-8"
        ),
        "exercises[0].hints[0]": lambda: checks.write_text(good[1].replace("What does it", "What might it", 1)),
        "has the keys": lambda: checks.write_text(good[1].replace('"points"', '"marks"', 1), encoding="utf-8"),
        "not generated": lambda: (course / "exercises" / "91_old.ipynb").write_text("{}"),
    }
    for words, change in changes.items():
        capsys.readouterr()
        change()
        assert main(["grade", "build", "--check", "--root", str(course)]) == 1, words
        assert words in capsys.readouterr().out
        notebook.write_text(good[0], encoding="utf-8")
        checks.write_text(good[1], encoding="utf-8")
    assert main(["grade", "build", "--root", str(course)]) == 0
    assert not (course / "exercises" / "91_old.ipynb").exists()
    assert main(["grade", "build", "--check", "--root", str(course)]) == 0


def test_numbers_may_differ_in_the_last_digits_of_another_processor(course):
    checks = course / "exercises" / ".checks" / "ex_90.json"
    stored = json.loads(checks.read_text(encoding="utf-8"))
    wobble = _wobbled(stored["exercises"], 1 + 1e-11)
    checks.write_text(json.dumps({**stored, "exercises": wobble}), encoding="utf-8")
    assert compare_tree(build_tree(course), course) == []
    checks.write_text(json.dumps({**stored, "exercises": _wobbled(stored["exercises"], 1 + 1e-7)}), encoding="utf-8")
    assert compare_tree(build_tree(course), course) != []


def _wobbled(data, factor):
    if isinstance(data, dict):
        return {key: _wobbled(item, factor) for key, item in data.items()}
    if isinstance(data, list):
        return [_wobbled(item, factor) for item in data]
    return data * factor if isinstance(data, float) else data


def test_nothing_outside_the_generated_files_is_touched(course):
    note = course / "exercises" / "README.md"
    note.write_text("mine")
    (course / "exercises" / "90_fixture.ipynb").unlink()
    assert main(["grade", "build", "--root", str(course)]) == 0
    assert note.read_text() == "mine"


def test_a_chapter_without_notebook_or_with_a_bad_specification_is_refused(course, capsys):
    (course / "solutions" / "90_fixture.ipynb").unlink()
    assert main(["grade", "build", "--root", str(course)]) == 2
    assert "no notebook" in capsys.readouterr().err
    shutil.copy(OWN / "solutions" / "90_fixture.ipynb", course / "solutions")
    spec = course / "solutions" / "specs" / "ex_90.py"
    spec.write_text(spec.read_text().replace("case(0.5, 3.0), case(0.2, 7.5), case(0.8, 2.5)", "case(0.5, 3.0)"))
    assert main(["grade", "build", "--root", str(course)]) == 2
    assert "at least 3 cases" in capsys.readouterr().err


def test_usage_errors_exit_2(tmp_path, monkeypatch, capsys):
    assert main(["grade", "build", "--root", str(tmp_path)]) == 2
    monkeypatch.chdir(tmp_path)
    assert main(["grade", "build"]) == 2
    for arguments in ([], ["grade"], ["grade", "nothing"], ["grade", "check"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "solutions/specs" in capsys.readouterr().err


def test_the_module_is_the_command():
    ran = subprocess.run([sys.executable, "-m", "coursepkg", "grade", "--help"], capture_output=True, text=True)
    assert ran.returncode == 0
    assert "exercises" in ran.stdout


# --- what must not be seen -------------------------------------------------------------------------------------------


def as_notebook(*sources):
    return {"90_x.ipynb": notebook_text({"cells": [cell(source) for source in sources]})}


SECRETS = {"return 2 * inputs.T @ residuals / len(targets)": "a solution"}


@pytest.mark.parametrize("text", [
    "return 2 * inputs.T @ residuals / len(targets)",
    "return 2*inputs.T@residuals/len(targets)",
    "# return 2 * inputs.T @ residuals / len(targets)",
    "Try `return 2 * inputs.T @ residuals / len(targets)`.",
    "x = 1\n        return 2 * inputs.T @ residuals / len(targets)  # so",
])  # fmt: skip
def test_a_line_of_a_solution_is_found_however_it_is_spaced(text):
    assert len(leaks(as_notebook("a = 1", text), SECRETS)) == 1


@pytest.mark.parametrize("text", ["return 2 * inputs.T", "def return_2_inputs(): pass", "", "residuals / len(targets)"])
def test_other_lines_are_no_leaks(text):
    assert leaks(as_notebook(text), SECRETS) == []


def test_a_leak_stops_the_build(course, capsys):
    path = course / "solutions" / "90_fixture.ipynb"
    good = path.read_text(encoding="utf-8")
    for leak in ("error = inputs @ weights - targets", "return 2 * inputs.T @ residuals / len(targets)"):
        notebook = json.loads(good)
        notebook["cells"].append(cell(f"Remember: {leak}", "markdown"))
        path.write_text(json.dumps(notebook), encoding="utf-8")
        assert main(["grade", "build", "--root", str(course)]) == 2
        assert leak in capsys.readouterr().err
    notebook = json.loads(good)
    notebook["cells"].insert(3, cell("error = inputs @ weights - targets"))
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert main(["grade", "build", "--root", str(course)]) == 0, "a line that is given anyway is no secret"


def test_a_hint_that_is_the_solution_stops_the_build(course, capsys):
    spec = course / "solutions" / "specs" / "ex_90.py"
    spec.write_text(spec.read_text().replace("Multiply along each path", "error = inputs @ weights - targets"))
    assert main(["grade", "build", "--root", str(course)]) == 2
    assert ".checks/ex_90.json shows" in capsys.readouterr().err


@pytest.mark.parametrize("root", [PROJECT, OWN], ids=["course", "own"])
def test_the_learners_tree_imports_nothing_of_the_instructors(root):
    for name, text in build_tree(root).files.items():
        assert "solutions.specs" not in text, name
        assert "specs import" not in text, name
        assert "### BEGIN" not in text, name
        assert "EXERCISES" not in text, name


def test_stored_checks_are_json_with_a_case_to_a_line():
    text = checks_text("90", [compile_check(exercise) for exercise in SPECS])
    assert json.loads(text)["format"] == 1
    assert [item["id"] for item in json.loads(text)["exercises"]] == [exercise.id for exercise in SPECS]
    assert sum(line.startswith('   {"args"') for line in text.splitlines()) == sum(len(e.visible) for e in SPECS)
    assert text.endswith("}\n")
