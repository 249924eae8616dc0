"""Every notebook of the course has the form that the course promises. nbval runs them: see `tools/strict_nbval.py`."""

import pytest

from tools import notebook_file, notebook_lint, notebooks

COURSE = notebooks.find(
    notebook_file.ROOT / tree for tree in notebook_file.TREES if (notebook_file.ROOT / tree).is_dir()
)


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.relative_to(notebook_file.ROOT).as_posix())
def test_notebook_has_the_form_of_the_course(path):
    notebook_lint.lint(path)


def test_the_course_has_notebooks():
    assert {path.parent.name for path in COURSE} == set(notebook_file.TREES)
