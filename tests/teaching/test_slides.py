"""Slides come out of the chapters by the marks in their metadata; `make slides-check` looks at them."""

import re
from functools import cache

import nbformat
import pytest

from tools import slides
from tools.notebook_file import read
from tools.reading import readings
from tools.typing_along import key_cells

CHAPTERS = slides.chapters()
IDS = [path.stem for path in CHAPTERS]


@cache
def chapter(path):
    return read(path)


@cache
def deck(path):
    return slides.deck(chapter(path))


def every_slide(path):
    return [slide for column in deck(path) for slide in column]


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_marks_are_those_of_jupyterlab_and_second_readings_are_left_out(path):
    cells = chapter(path).cells
    assert {slides.kind(cell) for cell in cells} <= set(slides.KINDS)
    second = {cell.id for cell in readings(cells)[1]}
    assert all(slides.kind(cell) == "skip" for cell in cells if cell.id in second)


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_a_chapter_begins_with_its_title_and_has_a_column_for_each_section(path):
    titles = [column[0].title for column in deck(path)]
    assert titles[0].startswith(f"{path.name[:2]} · ")
    wanted = [
        name
        for cell in readings(chapter(path).cells)[0]
        if slides.kind(cell) != "skip"
        for name in re.findall(r"(?m)^## (.*)$", cell.source if cell.cell_type == "markdown" else "")
    ]
    assert titles[1:] == [name for name in wanted if name not in slides.LEFT_OUT]


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_predictions_are_asked_before_they_are_answered(path):
    seen = "\n".join("".join(slide.body) for slide in every_slide(path))
    first = readings(chapter(path).cells)[0]
    asked = sum(cell.source.count("**Predict:") for cell in first if cell.cell_type == "markdown")
    assert seen.count("<strong>Predict:</strong>") == asked
    assert "What was seen" not in seen
    assert "Your guess:" not in seen


@pytest.mark.parametrize("path", CHAPTERS[1:], ids=IDS[1:])
def test_code_that_is_typed_is_on_a_slide(path):
    seen = "\n".join(re.sub("<[^>]+>", "", each) for slide in every_slide(path) for each in slide.body)
    for cell in key_cells(chapter(path)):
        last = slides.GUESS.sub("", cell.source).strip().splitlines()[-1]
        assert last.replace("<", "&lt;").replace(">", "&gt;").replace("&", "&amp;")[:20].split("&")[0] in seen


@pytest.mark.parametrize("path", CHAPTERS, ids=IDS)
def test_a_slide_is_never_empty_and_lists_no_papers(path):
    for slide in every_slide(path):
        assert slide.title
        assert slide.body or slide.opens, slide.title  # a section may open with its name alone
        assert slide.title != "Papers"


def made(source, kind, **metadata):
    cell = nbformat.v4.new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}} | metadata)
    return nbformat.v4.new_notebook(cells=[cell])


def test_prose_is_said_and_questions_formulas_and_short_lists_are_shown():
    text = "## One\n\n" + "word " * 60 + "\n\n$$x = 1$$\n\n- a\n- b\n\n**Predict:** how many?"
    [[slide]] = slides.deck(made(text, "slide"))
    assert (slide.title, len(slide.body), len(slide.notes)) == ("One", 3, 1)
    assert "word" in slide.notes[0]


def test_an_answer_is_said_and_not_shown():
    text = "## One\n\n**1.** Why?\n\n<details><summary>Answer</summary>\n\nBecause.\n\n</details>"
    [[slide]] = slides.deck(made(text, "slide"))
    assert "Why?" in slide.body[0]
    assert not any("Because" in part for part in slide.body)
    assert "Because" in slide.notes[0]


@pytest.mark.parametrize("path", CHAPTERS[2:], ids=IDS[2:])
def test_the_three_questions_stand_on_one_slide_without_their_answers(path):
    [asked] = [slide for slide in every_slide(path) if slide.title in ("Check yourself", "Ask yourself")]
    assert re.findall(r"<strong>(\d)\.</strong>", " ".join(asked.body)) == ["1", "2", "3"]
    assert sum(note.startswith("<p><em>Answer") for note in asked.notes) == 3


def test_a_section_without_questions_shows_its_first_sentence():
    text = "## One\n\nThe first sentence. Then " + "word " * 60
    [[slide]] = slides.deck(made(text, "slide"))
    assert "The first sentence." in slide.body[0]
    assert "word" not in slide.body[0]


def test_of_a_long_list_the_first_sentences_are_shown_and_the_rest_is_said():
    items = ['*"The last report counts."* Reports **add**', "**Weights are shared.** In a network", "Keep a seed. So"]
    text = "## One\n\nSix places:\n\n" + "\n".join(f"- {item} {'word ' * 40}." for item in items)
    [[slide]] = slides.deck(made(text, "slide"))
    assert [re.sub("<[^>]+>", "", each).split("\n") for each in slide.body] == [
        ["Six places:", ""],
        ["", "&quot;The last report counts.&quot;", "Weights are shared.", "Keep a seed.", "", ""],
    ]
    assert "word" in "".join(slide.notes)


def test_a_sentence_that_announces_a_list_is_followed_by_it():
    for path in CHAPTERS:
        for slide in every_slide(path):
            [*_, last] = slide.body or [""]
            announced = last.strip().endswith(":</p>") and any("<li>" in note for note in slide.notes)
            assert not announced, last


def test_a_cell_without_a_mark_is_shown_by_what_it_is():
    new = nbformat.v4
    prose, section, asked = map(new.new_markdown_cell, ("Prose.", "## One", "**Predict:** how many?"))
    silent, output = new.new_code_cell("a = 1"), new.new_code_cell("a", outputs=[new.new_output("stream", text="1")])
    kinds = [slides.kind(cell) for cell in (prose, section, asked, silent, output)]
    assert kinds == ["notes", "subslide", "subslide", "skip", "subslide"]


def test_initials_end_no_sentence():
    [[slide]] = slides.deck(made("## One\n\nS. Pai and D. Miller built a chip. Then " + "word " * 60, "slide"))
    assert slide.body == ["<p>S. Pai and D. Miller built a chip.</p>\n"]


def test_a_page_names_no_other_host():
    page = slides.page(chapter(CHAPTERS[1]))
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", re.sub(r"<a [^>]*>", "", page))
    assert page.count("<aside class='notes'>") > 20
    assert "prefers-color-scheme:dark" in page
