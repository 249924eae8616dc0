"""The times that a learner plans with are the same in chapters, notebook 00, README and exercises."""

import json
import re

import nbformat
import pytest

from tools.notebooks import ROOT

CHAPTERS = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb") if not path.name.startswith("00"))
IDS = [path.stem for path in CHAPTERS]


def table(text):
    """Chapter number -> (minutes of study, minutes of exercises), from a Markdown table."""
    rows = re.findall(r"^\| \[?(\d\d) [^|]*\|[^|]*\| (\d+) min \| (\d+) min \|$", text, flags=re.MULTILINE)
    return {number: (int(study), int(exercises)) for number, study, exercises in rows}


def tables():
    start = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", 4)
    in_notebook = "\n".join(cell.source for cell in start.cells if cell.cell_type == "markdown")
    return {"notebook 00": table(in_notebook), "README": table((ROOT / "README.md").read_text(encoding="utf-8"))}


def exercise_minutes(chapter):
    compiled = json.loads((ROOT / "exercises" / ".checks" / f"ex_{chapter}.json").read_text(encoding="utf-8"))
    return sum(exercise["minutes"] for exercise in compiled["exercises"])


@pytest.mark.parametrize("where", ["notebook 00", "README"])
def test_the_table_lists_every_chapter(where):
    assert sorted(tables()[where]) == [path.name[:2] for path in CHAPTERS]


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_a_chapter_and_the_tables_name_the_same_times(path):
    opening = nbformat.read(path, 4).cells[0].source
    study = int(re.search(r"\*\*Time:?\*\*:? (?:about )?(\d+) minutes", opening)[1])
    for where, rows in tables().items():
        assert rows[path.name[:2]][0] == study, where
        assert abs(rows[path.name[:2]][1] - exercise_minutes(path.name[:2])) <= 5, where
