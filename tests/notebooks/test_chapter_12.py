"""Chapter 12: what feedback refers to, answers behind their questions, and agreement that is really there."""

import re
from pathlib import Path

import nbformat
import pytest

from coursepkg import history, routes
from coursepkg.grading.specification.chapters import load_chapter

ROOT = Path(__file__).resolve().parents[2]
NAME = "12_one_gradient_many_routes.ipynb"
EXERCISES = load_chapter(ROOT / "solutions" / "specs" / "ex_12")


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(ROOT / "notebooks" / NAME, as_version=4)


@pytest.fixture(scope="module")
def text(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def shown(cell):
    return "".join(output.get("text", "") or output.data.get("text/plain", "") for output in cell.outputs)


def cell_with(notebook, words):
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and words in cell.source]
    return cell


# --- words that point to words


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_section_and_heading_that_feedback_names_exists(exercise, text):
    sections, headings = set(re.findall(r"^## (\d+) ·", text, re.M)), set(re.findall(r"^### (.+)$", text, re.M))
    places = [exercise.see, *(entry.look_at for entry in exercise.bank)]
    own = [place for place in places if "notebook 12" in place]
    assert own
    assert {number for place in own for number in re.findall(r"section (\d+)", place)} <= sections
    assert {heading for place in own for heading in re.findall(r"'([^']+)'", place)} <= headings


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_page_states_the_minutes_and_points_of_the_specification(exercise):
    page = nbformat.read(ROOT / "solutions" / NAME, as_version=4)
    (cell,) = [cell for cell in page.cells if cell.source.startswith(f"## {exercise.id} ")]
    points = f"{exercise.points} point" + "s" * (exercise.points != 1)
    assert cell.source.splitlines()[0] == f"## {exercise.id} · {exercise.title}"
    assert f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3 · {points}*" in cell.source


def test_cells_are_short(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= 10, cell.source
            assert max(map(len, lines)) <= 100, cell.source


# --- what is claimed


def test_the_tables_on_the_page_have_every_route_and_none_is_off(notebook):
    counted = shown(cell_with(notebook, "routes.survey(problem)"))
    table = shown(cell_with(notebook, '"how right", "to remember"'))
    for route in (*routes.EXACT, *routes.ESTIMATES):
        assert re.search(rf"^{re.escape(route.name)}  ", counted, re.M)
        assert re.search(rf"^{re.escape(route.name)}$", table, re.M)
    assert len(re.findall(r"how right: to (?:9|1[0-2]) digits", table)) == len(routes.EXACT)
    assert "OFF" not in table
    scores = [float(z) for z in re.findall(r"\|z\| < ([\d.]+)", table)]
    assert len(scores) == len(routes.ESTIMATES)
    assert max(scores) < 4


def test_the_numbers_of_the_text_are_those_of_the_cells(notebook, text):
    found = shown(cell_with(notebook, "formula_operations"))
    of_loss, of_slopes = map(int, re.findall(r": (\d+)$", found, re.M))
    assert f"the loss has {of_loss} operations" in text
    assert of_slopes > 60 * of_loss
    trees = shown(cell_with(notebook, "mlp_as_tree(["))
    assert "function nodes: 12   leaves: 36" in trees
    assert "counted as predicted: True" in shown(cell_with(notebook, "products_by_size"))
    assert f"{len(routes.EXACT) + len(routes.ESTIMATES)} routes" == "14 routes"
    assert "fourteen routes" in text


def test_each_project_has_a_rubric_of_four_lines(text):
    projects = text.partition("## 9 · ")[2].partition("\n## 10")[0]
    parts = re.split(r"^### ", projects, flags=re.M)[1:]
    assert len(parts) == 4
    for part in parts:
        assert len(re.findall(r"^\| (?!what|---)", part, re.M)) == 4, part


def test_every_source_is_on_the_page(notebook):
    table = shown(cell_with(notebook, '"source": e.source'))
    assert all(event.source in table and event.who in table for event in history.EVENTS)
    assert cell_with(notebook, "draw_timeline").source.count(f"range(1, {len(history.EVENTS) + 1})") == 1
