"""Every notebook of the course has the form that the course promises. nbval runs them: see `tools/strict_nbval.py`."""

import pytest

from tools import notebooks

COURSE = notebooks.find(notebooks.ROOT / tree for tree in notebooks.TREES if (notebooks.ROOT / tree).is_dir())


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.relative_to(notebooks.ROOT).as_posix())
def test_notebook_has_the_form_of_the_course(path):
    notebooks.lint(path)


def test_the_course_has_notebooks():
    assert {path.parent.name for path in COURSE} == set(notebooks.TREES)
