"""Chapter 05 and its exercises belong together; its PyTorch cell says the same with and without PyTorch at hand."""

import re
from pathlib import Path

import nbformat
import pytest

from coursepkg.grading.specification.chapters import load_chapter
from tools.notebooks import execute

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "notebooks" / "05_tensor_backprop.ipynb"
EXERCISES = load_chapter(ROOT / "solutions" / "specs" / "ex_05")
AGREEMENT = "gradients agree with your Tensor's: True"


@pytest.fixture(scope="module")
def chapter():
    return nbformat.read(CHAPTER, as_version=4)


def torch_cell(notebook):
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and "import torch" in cell.source]
    return cell


def text_of(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def computed(notebook):
    """The chapter as far as PyTorch needs it, without what is only drawn."""
    end = notebook.cells.index(torch_cell(notebook))
    notebook.cells = [cell for cell in notebook.cells[: end + 1] if not re.match(r"tell_", cell.source)]
    return notebook


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_section_that_feedback_names_exists(exercise, chapter):
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    headings = {re.sub(r"^\d+ · ", "", heading) for heading in re.findall(r"^#{2,3} (.+)$", text, re.M)}
    sections = set(re.findall(r"^## (\d+) · ", text, re.M))
    pointers = [exercise.see, *(entry.look_at for entry in exercise.bank)]
    named = {name for pointer in pointers for name in re.findall(r"'([A-Z][^']+)'", pointer)}
    assert named
    assert named <= headings
    assert {number for pointer in pointers for number in re.findall(r"section (\d+)", pointer)} <= sections


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_page_states_the_minutes_and_points_of_the_specification(exercise):
    notebook = nbformat.read(ROOT / "solutions" / "05_tensor_backprop.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.source.startswith(f"## {exercise.id} ")]
    assert cell.source.splitlines()[0] == f"## {exercise.id} · {exercise.title}"
    assert (
        f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3 · {exercise.points} points*"
        in cell.source
    )


def test_the_stored_page_shows_the_numbers_of_pytorch(chapter):
    shown = text_of(torch_cell(chapter))
    assert "[ 28.   3. -18.   0.]" in shown
    assert f"2410 {AGREEMENT}" in shown


def test_pytorch_agrees_with_the_learners_tensor(chapter):
    pytest.importorskip("torch", reason="PyTorch is not installed; `make peers` adds it")
    stored = text_of(torch_cell(chapter))
    run = execute(computed(nbformat.read(CHAPTER, as_version=4)), CHAPTER.parent)
    assert text_of(torch_cell(run.notebook)) == stored
    assert AGREEMENT in stored


def test_the_chapter_runs_without_pytorch():
    notebook = computed(nbformat.read(CHAPTER, as_version=4))
    # Just before the cell, because None in sys.modules confuses the libraries that are loaded earlier.
    notebook.cells.insert(-1, nbformat.v4.new_code_cell("import sys\n\nsys.modules['torch'] = None"))
    run = execute(notebook, CHAPTER.parent)
    assert text_of(torch_cell(run.notebook)).startswith("PyTorch is not installed here.")
