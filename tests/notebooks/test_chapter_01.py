"""Chapter 01 and its exercises belong together: where feedback sends a learner, there is something to read."""

import re
from pathlib import Path

import nbformat
import pytest

from coursepkg.grading.specification.chapters import load_chapter

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = load_chapter(ROOT / "solutions" / "specs" / "ex_01")


@pytest.fixture(scope="module")
def headings():
    notebook = nbformat.read(ROOT / "notebooks" / "01_cooking_analogy.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return set(re.findall(r"^#{2,3} (.+)$", text, re.M))


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_section_that_feedback_names_exists(exercise, headings):
    named = set(re.findall(r"'([A-Z][^']+)'", exercise.see))
    for entry in exercise.bank:
        named |= set(re.findall(r"^'([A-Z][^']+)'", entry.look_at))
    assert named
    assert named <= headings


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_page_states_the_minutes_and_points_of_the_specification(exercise):
    notebook = nbformat.read(ROOT / "solutions" / "01_cooking_analogy.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.source.startswith(f"## {exercise.id} ")]
    points = f"{exercise.points} point" + "s" * (exercise.points != 1)
    assert cell.source.splitlines()[0] == f"## {exercise.id} · {exercise.title}"
    assert f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3 · {points}*" in cell.source
