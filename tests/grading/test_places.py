"""Every place that a check names is there, and its link opens it."""

import json
import re
from urllib.parse import unquote

import pytest
from grading_chapters import PROJECT, build_in

from coursepkg.grading import check, hint
from coursepkg.grading.learning.course import linked
from coursepkg.grading.learning.places import Course, Heading, Place, fragment, heading_of, headings, place

CHECKS = PROJECT / "exercises" / ".checks"
EXERCISES = [
    exercise
    for path in sorted(CHECKS.glob("ex_*.json"))
    for exercise in json.loads(path.read_text(encoding="utf-8"))["exercises"]
]
TEXTS = sorted(
    {
        (exercise["id"].split(".")[0], words)
        for exercise in EXERCISES
        for words in (exercise["see"], *(entry["look_at"] for entry in exercise["misconceptions"]))
    }
)
NAMING = [(chapter, words) for chapter, words in TEXTS if place(words, chapter) is not None]


@pytest.fixture
def course(monkeypatch):
    monkeypatch.chdir(PROJECT / "exercises")
    return Course(CHECKS)


def text_of_section(notebook, section):
    """The text of a section, as far as it is written in Markdown."""
    cells = [
        cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "markdown"
    ]
    parts = re.split(r"^## ", "\n".join("".join(cell["source"]) for cell in cells), flags=re.M)
    return next((part for part in parts if not section or part.startswith(f"{section} · ")), "")


# --- all of them -----------------------------------------------------------------------------------------------------


def test_most_texts_name_a_place_in_a_notebook():
    assert len(EXERCISES) == 110
    assert len(NAMING) > 0.7 * len(TEXTS)


@pytest.mark.parametrize(("chapter", "words"), NAMING)
def test_every_place_that_is_named_is_there(course, chapter, words):
    found = place(words, chapter)
    notebook = course.lesson(found.chapter)
    heading = heading_of(found, headings(notebook))
    assert heading is not None, f"{words!r} names no heading of {notebook.name}"
    for title in found.quoted:
        exact = heading_of(Place(found.chapter, found.section, (title,), ""), headings(notebook))
        there = exact is not None and title.casefold().rpartition(" · ")[2] in exact.bare
        assert there or title in text_of_section(notebook, found.section), f"{title!r} is not in {notebook.name}"


@pytest.mark.parametrize(("chapter", "words"), NAMING)
def test_every_link_leads_to_a_heading_or_its_cell(course, chapter, words):
    path, _, part = unquote(course.to_words(words, chapter)).partition("#")
    notebook = (PROJECT / "exercises" / path).resolve()
    assert notebook.is_file()
    if part.startswith("cell-id="):
        assert part.removeprefix("cell-id=") in {
            cell["id"] for cell in json.loads(notebook.read_text("utf-8"))["cells"]
        }
    else:
        assert part in {heading.title.replace(" ", "-") for heading in headings(notebook)}


@pytest.mark.parametrize("exercise_id", [exercise["id"] for exercise in EXERCISES])
def test_every_exercise_has_a_link(course, exercise_id):
    path, _, part = course.to_exercise(exercise_id).partition("#cell-id=")
    cells = json.loads((PROJECT / "exercises" / path).read_text(encoding="utf-8"))["cells"]
    assert [cell for cell in cells if cell["id"] == part and "".join(cell["source"]).startswith(f"## {exercise_id} · ")]


# --- one by one ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "expected"), [
    ("notebook 06, 'Phase 3: send back'", Place("06", "", ("Phase 3: send back",), "")),
    ("'Units cancel'. Why?", Place("01", "", ("Units cancel",), ". Why?")),
    ("'What is it?', and 'no more'", Place("01", "", ("What is it?",), ", and 'no more'")),
    ("notebook 01, 'One' and 'Two'", Place("01", "", ("One", "Two"), "")),
    ("notebook 02, section 3, 'A neuron, by hand'", Place("02", "3", ("A neuron, by hand",), "")),
    ("section 3: the neuron's drawing", Place("01", "3", (), "the neuron's drawing")),
    ("notebook 04, sections 3 and 5", Place("04", "3", (), "and 5")),
    ("chapter 06, Adam", Place("06", "", (), "Adam")),
    ("the task: in which order", None),
    ("the docstring of the exercise: what `axis` means", None),
    ("hint 1", None),
    ("", None),
])  # fmt: skip
def test_words_name_a_chapter_a_section_and_titles(words, expected):
    assert place(words, "01") == expected


@pytest.mark.parametrize(("words", "expected"), [
    ("notebook 06, 'Phase 3: send back'", "Phase 3: send back"),
    ("'2 · The loop learns XOR'", "2 · The loop learns XOR"),
    ("notebook 06, section 3, 'what should the first loss be?'", "What should the first loss be?"),
    ("notebook 06, section 4: some words", "4 · Signals through depth"),
    ("section 4: keep every direction: orthogonal weights", "Keep every direction: orthogonal weights"),
    ("chapter 06, whatever else", "06 · Training networks"),
    ("notebook 06, 'No such heading'", None),
    ("notebook 06, section 99", None),
    ("notebook 06, section 3, 'Phase 3: send back'", "3 · Reading digits"),
])  # fmt: skip
def test_a_place_is_a_heading(course, words, expected):
    found = heading_of(place(words, "06"), headings(course.lesson("06")))
    assert (found.title if found is not None else None) == expected


@pytest.mark.parametrize(("title", "expected"), [
    ("Phase 3: send back", "#Phase-3:-send-back"),
    ("What should the first loss be?", "#What-should-the-first-loss-be?"),
    ("4 · Signals through depth", "#cell-id=abc"),
    ("x = y", "#cell-id=abc"),
    ("100%", "#cell-id=abc"),
])  # fmt: skip
def test_a_heading_outside_of_ascii_is_reached_by_its_cell(title, expected):
    assert fragment(Heading(2, title, "", "abc")) == expected


def test_a_heading_in_a_fence_is_none(tmp_path):
    path = tmp_path / "01_x.ipynb"
    cell = {
        "cell_type": "markdown",
        "id": "a",
        "source": ["# 01 · `One`\n", "```\n", "# no\n", "```\n", "## 2 · *Two*\n"],
    }
    path.write_text(json.dumps({"cells": [cell]}))
    assert [(item.title, item.section) for item in headings(path)] == [("01 · One", ""), ("2 · Two", "2")]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": [3]}', '{"cells": [{"cell_type": "markdown"}]}'])
def test_a_damaged_notebook_has_no_headings(tmp_path, text):
    (tmp_path / "01_x.ipynb").write_text(text)
    assert headings(tmp_path / "01_x.ipynb") == ()
    assert headings(tmp_path / "02_x.ipynb") == ()


def test_links_are_relative_to_the_working_folder(monkeypatch):
    words = "notebook 06, 'Phase 3: send back'"
    for folder, start in (("exercises", "../notebooks/"), ("notebooks", ""), (".", "notebooks/")):
        monkeypatch.chdir(PROJECT / folder)
        assert Course(CHECKS).to_words(words, "01") == f"{start}06_training_networks.ipynb#Phase-3:-send-back"


def test_from_the_solutions_an_exercise_is_found_among_the_solutions(monkeypatch):
    monkeypatch.chdir(PROJECT / "solutions")
    assert Course(CHECKS).to_exercise("02.5").startswith("02_scalar_backprop.ipynb#")
    monkeypatch.chdir(PROJECT / "notebooks")
    assert Course(CHECKS).to_exercise("02.5").startswith("../exercises/02_scalar_backprop.ipynb#")


# --- on the page -----------------------------------------------------------------------------------------------------


def test_markup_gets_each_link_once_and_escaped():
    page = linked("<p>a &lt;b&gt; c, a &lt;b&gt;, ab</p>", {"a <b>": 'x"y', "a": "z"})
    assert page == '<p><a href="x&quot;y">a &lt;b&gt;</a> c, a &lt;b&gt;, <a href="z">a</a>b</p>'
    assert linked("<p>a</p>", {}) == "<p>a</p>"


@pytest.fixture(scope="module")
def small_course(tmp_path_factory):
    root = build_in(tmp_path_factory.mktemp("course"))
    cell = {"cell_type": "markdown", "id": "there", "metadata": {}, "source": "## Units cancel\n"}
    (root / "notebooks").mkdir()
    (root / "notebooks" / "90_kitchen.ipynb").write_text(json.dumps({"cells": [cell]}))
    path = root / "exercises" / ".checks" / "ex_90.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace("the kitchen, 'Units cancel'", "notebook 90, 'Units cancel'")
    )
    return root


def test_the_section_to_look_at_is_a_link_in_the_page_and_plain_in_the_text(small_course, monkeypatch):
    monkeypatch.delenv("COURSEPKG_CHECKS", raising=False)
    monkeypatch.chdir(small_course / "exercises")
    link = '<a href="../notebooks/90_kitchen.ipynb#Units-cancel">notebook 90, &#x27;Units cancel&#x27;</a>'
    last = hint("90.1", 3)
    assert link in last._repr_html_()
    assert "notebook 90, 'Units cancel'" in last.text
    wrong = check("90.1", lambda a, b: 2 * a * b)
    assert wrong.status == "wrong"
    assert "href" in wrong._repr_html_()


def test_without_notebooks_the_words_stay_plain(small_course, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEPKG_CHECKS", str(tmp_path / "a" / ".checks"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".checks").symlink_to(tmp_path / "copied")
    (tmp_path / "copied").mkdir()
    text = (small_course / "exercises" / ".checks" / "ex_90.json").read_text(encoding="utf-8")
    (tmp_path / "copied" / "ex_90.json").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "href" not in hint("90.1", 3)._repr_html_()
