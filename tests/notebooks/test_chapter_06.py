"""Chapter 06: the numbers of the literature, what feedback refers to, and MNIST where it is present."""

import re
from pathlib import Path

import nbformat
import pytest

from coursepkg import datasets
from coursepkg.grading.specification.chapters import load_chapter

ROOT = Path(__file__).resolve().parents[2]
NAME = "06_training_networks.ipynb"
EXERCISES = load_chapter(ROOT / "solutions" / "specs" / "ex_06")


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(ROOT / "notebooks" / NAME, as_version=4)


@pytest.fixture(scope="module")
def headings(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return set(re.findall(r"^#{2,3} (.+)$", text, re.M))


def printed(notebook):
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def code(notebook, beginning):
    """The one code cell that begins so."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.startswith(beginning)]
    return cell


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_section_of_this_chapter_that_feedback_names_exists(exercise, headings):
    named = set(re.findall(r"'([A-Z0-9][^']+)'", exercise.see))
    for entry in exercise.bank:
        named |= set(re.findall(r"^'([A-Z0-9][^']+)'", entry.look_at))
    assert named
    assert named <= headings


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_page_states_the_minutes_and_points_of_the_specification(exercise):
    page = nbformat.read(ROOT / "solutions" / NAME, as_version=4)
    (cell,) = [cell for cell in page.cells if cell.source.startswith(f"## {exercise.id} ")]
    points = f"{exercise.points} point" + "s" * (exercise.points != 1)
    assert cell.source.splitlines()[0] == f"## {exercise.id} · {exercise.title}"
    assert f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3 · {points}*" in cell.source


def test_mazurs_numbers_to_six_digits(notebook):
    text = printed(notebook)
    for number in ("0.751365 0.772928", "L = 0.298371", "0.149781", "0.358916", "0.298371 -> 0.291028 with the biases"):
        assert number in text


def test_the_stored_mnist_accuracy_comes_out_again(notebook):
    if not datasets.available("mnist/test"):
        pytest.skip("MNIST is not on this computer; python -m coursepkg data fetch mnist")
    stored = code(notebook, 'if datasets.available("mnist/test")')
    assert "nbval-ignore-output" in stored.metadata.tags
    (accuracy,) = re.findall(r"accuracy (\d\.\d+)", stored.outputs[0].text)
    names: dict = {}
    exec(code(notebook, "import numpy as np").source.replace('route_map("06")', ""), names)
    exec(code(notebook, "def mnist_run").source, names)
    again = names["mnist_run"]()
    # Another processor rounds otherwise; over 160 steps that may turn a handful of the 2,000 answers.
    assert again == pytest.approx(float(accuracy), abs=0.005)
    assert again > 0.85
