"""The solutions in an nbgrader course: its own tools make of them what ``build`` makes."""

import json
import os
import re
import subprocess
import sys
import sysconfig

import pytest
from grading_chapters import OWN, PROJECT, build_in

from coursepkg.grading.specification.build import BEGIN, source_of
from coursepkg.grading.specification.nbgrader_source import write_nbgrader_source

STUB = re.compile(r"^( *)(?:# YOUR CODE HERE\n *)?raise NotImplementedError\(.*\)$", re.MULTILINE)


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def answers(path):
    """Name, points and stripped source of every answer cell; what a stub says may differ."""
    return [
        (cell["metadata"]["nbgrader"]["grade_id"], cell["metadata"]["nbgrader"]["points"],
         STUB.sub(r"\1raise NotImplementedError()", source_of(cell)))
        for cell in cells(path) if "nbgrader" in cell["metadata"]
    ]  # fmt: skip


def test_every_answer_cell_is_marked_and_keeps_its_solution(tmp_path):
    assert write_nbgrader_source(OWN, tmp_path / "source") == ["90_fixture"]
    written = cells(tmp_path / "source" / "90_fixture" / "90_fixture.ipynb")
    marked = [cell for cell in written if "nbgrader" in cell["metadata"]]
    assert [cell["metadata"]["nbgrader"]["grade_id"] for cell in marked] == [
        f"ex-90-{k}" for k in range(1, len(marked) + 1)
    ]
    assert all(BEGIN in source_of(cell) for cell in marked)
    assert [cell for cell in written if BEGIN in source_of(cell)] == marked
    assert all(cell["metadata"]["nbgrader"]["schema_version"] == 3 for cell in marked)
    assert not [cell for cell in written if cell.get("outputs") or "instructor" in cell["metadata"].get("tags", [])]
    assert (tmp_path / "source" / "90_fixture" / ".checks" / "ex_90.json").is_file()


def test_points_and_names_are_those_of_the_learners_tree(tmp_path):
    write_nbgrader_source(OWN, tmp_path / "source")
    ours = answers(build_in(tmp_path) / "exercises" / "90_fixture.ipynb")
    theirs = answers(tmp_path / "source" / "90_fixture" / "90_fixture.ipynb")
    assert [row[:2] for row in theirs] == [row[:2] for row in ours]


def test_a_folder_without_solutions_says_so(tmp_path):
    with pytest.raises(ValueError, match="no folder solutions/specs"):
        write_nbgrader_source(tmp_path, tmp_path / "source")


@pytest.mark.parametrize("root", [OWN, PROJECT], ids=["fixture", "course"])
def test_nbgraders_own_generator_makes_the_same_exercises(root, tmp_path):
    pytest.importorskip("nbgrader", reason="nbgrader is optional; its generator is tried where it is installed")
    course = tmp_path / "nbgrader-course"
    exercises = (build_in(tmp_path) if root is OWN else PROJECT) / "exercises"
    for name in write_nbgrader_source(root, course / "source"):
        generate_assignment(course, name)
        assert answers(course / "release" / name / f"{name}.ipynb") == answers(exercises / f"{name}.ipynb")
        assert (course / "release" / name / ".checks" / f"ex_{name[:2]}.json").is_file()


def generate_assignment(course, name):
    """nbgrader's own, in a home of its own; it starts programs by their names."""
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", name]
    options = ["--course-dir", str(course), "--CourseDirectory.course_id=proof"]
    environment = os.environ | {"PATH": path, "HOME": str(course.parent)}
    subprocess.run([*command, *options], check=True, cwd=course, env=environment)
