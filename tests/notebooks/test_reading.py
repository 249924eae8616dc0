"""A chapter takes the minutes it promises, and what may wait for a second reading is folded."""

import re

import nbformat
import pytest

from tools.notebook_file import ROOT, tags
from tools.reading import FOLDED, SECOND, level, minutes, readings, sentences

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
LONGEST_FIRST_READING = 75  # minutes
LINES_OF_CODE, CELLS_IN_A_ROW, TABLES_IN_A_ROW, WORDS_IN_A_SENTENCE = 10, 2, 2, 40
THE_ENGINE_WHOLE = "class Value:"  # chapter 02 shows the finished engine in one cell


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name[:2])
def cells(request):
    return nbformat.read(request.param, as_version=4).cells


def promised(opening, words):
    found = re.search(words, opening)
    return int(found[1]) if found else 0


def test_the_first_reading_takes_the_minutes_that_the_opening_promises(cells):
    first, _ = readings(cells)
    promise = promised(cells[0].source, r"\*\*Time:?\*\*:? (?:about )?(\d+) minutes")
    assert abs(promise - minutes(first)) <= 2.5, f"{minutes(first):.1f} minutes"
    assert promise <= LONGEST_FIRST_READING


def test_the_opening_says_what_the_second_reading_adds(cells):
    _, second = readings(cells)
    promise = promised(cells[0].source, r"(\d+) more for the second reading")
    assert abs(promise - minutes(second)) <= 2.5, f"{minutes(second):.1f} minutes"


def test_a_second_reading_is_folded_under_its_heading_and_says_so(cells):
    for cell in cells:
        assert (SECOND in tags(cell)) == cell.metadata.get(FOLDED, False), cell.source
        if SECOND in tags(cell):
            assert level(cell) > 1, cell.source
            assert "*Second reading" in cell.source, cell.source
            assert "**Predict" not in cell.source, cell.source
        else:
            assert "second reading" not in cell.source.lower() or cell is cells[0] or "<details>" in cell.source


def code_lines(cell):
    lines = [line.strip() for line in cell.source.splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "predict("))]


def test_a_cell_of_the_first_reading_has_at_most_ten_lines(cells):
    for cell in readings(cells)[0]:
        if cell.cell_type == "code" and not cell.source.startswith(THE_ENGINE_WHOLE):
            assert len(code_lines(cell)) <= LINES_OF_CODE, cell.source


def runs(cells, holds):
    """The longest run of neighbours for which `holds` is true."""
    longest = run = 0
    for cell in cells:
        run = run + 1 if holds(cell) else 0
        longest = max(longest, run)
    return longest


def test_there_is_a_sentence_after_two_cells_of_code(cells):
    assert runs(cells, lambda cell: cell.cell_type == "code") <= CELLS_IN_A_ROW


def prints_a_table(cell):
    lines = [line for each in cell.outputs if each.output_type == "stream" for line in each.text.splitlines()]
    return len([line for line in lines if not line.startswith("Your guess")]) >= 4


def test_at_most_two_printed_tables_follow_each_other(cells):
    assert runs([cell for cell in cells if cell.cell_type == "code"], prints_a_table) <= TABLES_IN_A_ROW


def test_stored_results_are_unpacked_in_the_package(cells):
    assert not any(re.search(r"\bjson\b", cell.source) for cell in cells if cell.cell_type == "code")


def test_a_sentence_can_be_read_once(cells):
    for cell in cells:
        if cell.cell_type == "markdown":
            for sentence in sentences(cell.source):
                assert len(sentence.split()) <= WORDS_IN_A_SENTENCE, sentence
