"""The grader of two small exercises that most tests of the sandbox ask."""

import machine
import pytest
from hostile_notebooks import SECRET, SPECS

from coursepkg.grading.running.grader import Grader
from coursepkg.grading.specification.chapters import Chapters


@pytest.fixture(scope="module")
def grader():
    grader = Grader(Chapters(SPECS), SECRET, machine.best_tier())
    yield grader
    grader.close()
