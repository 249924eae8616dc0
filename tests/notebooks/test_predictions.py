"""A prediction is worth making: what answers it is folded away until the learner asks for it."""

import itertools
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))


def predictions(path):
    """For each Predict of a notebook: its cell, the code cells that answer it, and the text that follows."""
    cells = nbformat.read(path, as_version=4).cells
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown" and "**Predict" in cell.source:
            after = cells[place + 1 :]
            end = next(k for k, each in enumerate(after) if each.cell_type == "markdown")
            yield cell, after[:end], after[end]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name[:2])
def asked(request):
    found = list(predictions(request.param))
    assert found
    return found


def test_a_prediction_is_the_last_thing_before_a_cell_that_answers_it(asked):
    for cell, answers, _ in asked:
        assert cell.source.count("**Predict") == 1, cell.source
        assert "\n\n" not in cell.source.partition("**Predict")[2].strip(), cell.source
        assert any(each.outputs for each in answers), cell.source


def test_what_answers_a_prediction_is_hidden_until_it_is_asked_for(asked):
    for _, answers, _ in asked:
        for each in answers:
            if each.outputs:
                assert each.metadata.get("jupyter") == {"outputs_hidden": True}, each.source
                assert "hide-output" in each.metadata.get("tags", []), each.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name[:2])
def test_nothing_else_is_hidden_but_a_second_reading(path):
    cells = nbformat.read(path, as_version=4).cells
    answers = {each.id for _, several, _ in predictions(path) for each in several}
    for before, cell in itertools.pairwise(cells):
        if cell.metadata.get("jupyter", {}).get("outputs_hidden") and cell.id not in answers:
            assert "Second reading" in before.source, cell.source


def test_a_sentence_that_tells_the_answer_is_folded(asked):
    for _, _, after in asked:
        if "<summary>What was seen" in after.source:
            assert after.source.startswith("<details><summary>What was seen</summary>\n\n"), after.source
        assert after.source.count("<details>") == after.source.count("</details>"), after.source


def test_nine_answers_in_ten_are_told():
    following = [after.source for path in NOTEBOOKS for _, _, after in predictions(path)]
    assert sum("<summary>What was seen" in source for source in following) >= 0.88 * len(following)
