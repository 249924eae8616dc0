"""A prediction is worth making: what answers it is folded away until the learner asks for it."""

import itertools
from pathlib import Path

import nbformat
import pytest

from coursepkg.predictions import predict

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


def first_line(output):
    """What JupyterLab shows of a folded output: its first line that is not empty, of its HTML if there is any."""
    text = output.text if output.output_type == "stream" else output.data.get("text/html", output.data["text/plain"])
    return next(line for line in text.split("\n") if line)


def test_the_line_that_stays_in_sight_does_not_tell_the_answer(asked):
    for _, answers, _ in asked:
        first, *others = [each for each in answers if each.outputs]
        assert first.source.startswith("predict()\n"), first.source
        assert first_line(first.outputs[0]).startswith("Your guess: none yet"), first.source
        for each in others:
            line = first_line(each.outputs[0]).strip()
            assert line.endswith(":") or not line or line.split() == ["before", "after"], each.source


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


def test_a_guess_is_the_first_thing_that_is_seen(capsys):
    predict(3)
    predict("rises", 0.5)
    assert capsys.readouterr().out == "Your guess: 3\nYour guess: rises, 0.5\n"
