"""Notebooks to type along with are the chapters, but for the lines that a room types."""

import ast

import nbformat
import pytest

from tools import typing_along
from tools.notebook_file import ROOT, read

CHAPTERS = typing_along.chapters()
IDS = [path.stem for path in CHAPTERS]


def test_every_chapter_has_something_to_type():
    assert [path.name[:2] for path in CHAPTERS] == [f"{number:02}" for number in range(1, 13)]


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_only_key_cells_differ_from_the_chapter(path):
    chapter = read(path)
    made = typing_along.to_type_along(chapter)
    keys = {cell.id for cell in typing_along.key_cells(chapter)}
    assert [cell.id for cell in made.cells] == [cell.id for cell in chapter.cells]
    for before, after in zip(chapter.cells, made.cells, strict=True):
        assert (after.source != before.source) == (before.id in keys), before.source[:60]
        assert after.cell_type == "markdown" or (after.outputs, after.execution_count) == ([], None)
    nbformat.validate(made)


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_a_blank_cell_filled_with_the_chapters_lines_is_the_chapters_cell(path):
    # The chapter's own cells are run by the notebooks' tests; what is equal to them runs, too.
    for cell in typing_along.key_cells(read(path)):
        blank = typing_along.blank(cell.source)
        assert 2 <= typing_along.typed_lines(cell.source) <= 15
        assert max(map(len, blank.splitlines())) <= 120
        assert ast.dump(ast.parse(blank)) != ast.dump(ast.parse(cell.source))
        assert ast.dump(ast.parse(typing_along.filled(blank, cell.source))) == ast.dump(ast.parse(cell.source))


CELL = """predict()
import math


def area(r):
    # the square of the radius
    return math.pi * r**2


print("before:", area(1.0))
circle = area(2.0)
circle.label = "circle"
for r in (1.0, 3.0):
    found = area(r)
    print(found)
draw_circle(circle)"""


def test_guesses_imports_labels_and_what_is_shown_stay():
    assert typing_along.blank(CELL).splitlines() == [
        "predict()", "import math", "", "# Type here: area(r)", "", 'print("before:", area(1.0))',
        "# Type here: circle", 'circle.label = "circle"', "for r in (1.0, 3.0):", "    found = area(r)",
        "    print(found)", "draw_circle(circle)",
    ]  # fmt: skip
    assert typing_along.typed_lines(CELL) == 3


def test_a_cell_with_nothing_to_type_is_refused():
    with pytest.raises(typing_along.TypingError, match="nothing to type"):
        typing_along.blank("predict()\nprint(1)")


def test_the_folder_is_written_beside_the_chapters_of_a_copy(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(typing_along, "chapters", lambda: CHAPTERS[:2])
    assert typing_along.main(["--into", str(tmp_path)]) == 0
    written = sorted(path.name for path in (tmp_path / "typing-along").glob("*.ipynb"))
    assert written == [path.name for path in CHAPTERS[:2]]
    assert "02_scalar_backprop.ipynb: 9 cells to type" in capsys.readouterr().out
    assert (ROOT / "notebooks" / written[0]).is_file()  # so links to other chapters, and to ../exercises, hold
