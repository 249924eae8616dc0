"""Handouts are made of the chapters' own parts, two pages each."""

import re

import nbformat
import pytest

from coursepkg.grading.learning.inventory_questions import QUESTIONS
from tools import handouts
from tools.notebook_file import read

CHAPTERS = [path for path in handouts.chapters() if path.name[:2] != "00"]
IDS = [path.stem for path in CHAPTERS]


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_a_chapter_has_a_figure_formulas_guesses_and_three_questions(path):
    chapter = read(path)
    assert re.match(r'<img alt="[^"]{20,}" src="data:image/', handouts.figure(chapter))
    assert len(handouts.formulas(chapter)) >= 1
    assert 6 <= len(handouts.predictions(chapter)) <= handouts.MOST_PREDICTIONS
    assert len(handouts.questions(chapter)) == 3
    asked = [*(question for _, question in handouts.predictions(chapter)), *handouts.questions(chapter)]
    assert not any(word in each for each in asked for word in ("<details", "What was seen", "predict()"))


def test_a_formula_says_what_it_is_for_where_a_new_heading_stands_above_it():
    text = "## 1 · First\n\n$$a$$\n\n$$b$$\n\n### Then\n\nIn words:\n\n$$a$$\n\n$$\nc\n$$"
    chapter = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert handouts.formulas(chapter) == [("First", "$$a$$"), ("", "$$b$$"), ("Then", "$$\nc\n$$")]


def test_what_the_figure_answers_is_not_asked_on_the_back():
    new = nbformat.v4
    texts = (
        "## 1 · First\n\nText.\n\n**Predict:** one?\n\nMore.",
        "**Predict:** two?",
        "## Last\n\n**Predict:** three?",
    )
    one, two, three = map(new.new_markdown_cell, texts)
    figure = new.new_code_cell("predict()\ndraw()", metadata={"tags": ["handout"]})
    chapter = new.new_notebook(cells=[one, two, new.new_code_cell("f = 1"), figure, three])
    assert handouts.predictions(chapter) == [("section 1", "One?"), ("Last", "Three?")]


def test_every_chapter_has_a_task_for_its_figure():
    assert list(handouts.TASKS) == [path.name[:2] for path in CHAPTERS]


def test_a_handout_has_two_pages_and_asks_no_other_host():
    text = handouts.handout(CHAPTERS[1])
    assert text.count("<section class='page'>") == 2
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
    assert "What was seen" not in text
    assert handouts.TASKS["02"] in text


def test_the_sheet_of_ten_questions_tells_no_answer():
    text = handouts.ten_questions()
    assert text.count("<div class='question'>") == len(QUESTIONS) == 10
    assert text.count("&#9744;") == 42  # forty options, and which sheet it is
    assert not any(option.thought and option.thought in text for q in QUESTIONS for option in q.options.values())


def test_the_form_for_feedback_asks_for_no_name():
    text = handouts.feedback_form()
    assert "No name, please." in text
    assert text.count("<section class='page'>") == 1


def test_a_chapter_without_its_one_figure_is_refused():
    cells = [nbformat.v4.new_code_cell(text, metadata={"tags": ["handout"]}) for text in "12"]
    with pytest.raises(ValueError, match="shows no picture"):
        handouts.figure(nbformat.v4.new_notebook(cells=cells[:1]))
    with pytest.raises(ValueError, match="2 cells have the tag"):
        handouts.figure(nbformat.v4.new_notebook(cells=cells))


def test_pages_of_a_pdf_are_counted():
    pdf = b"<< /Type /Pages /Kids [1 0 R] >> << /Type /Page /Parent >> <</Type /Page\n/Resources>>"
    assert handouts.pages_in(pdf) == 2
