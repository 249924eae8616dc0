"""Pages for people: nothing from a learner becomes markup, and everything reads without colour or sight."""

import re
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest
from class_results import NAMES, SCRIPT, large_class, result, small_class, store, told
from jinja2 import UndefinedError

from coursepkg.grading.reporting.gradebook import gradebook
from coursepkg.grading.reporting.learner_page import learner_page
from coursepkg.grading.reporting.page import environment, prose
from coursepkg.grading.reporting.report import write_report
from coursepkg.grading.running.results import HAND, INFRASTRUCTURE_ERROR, WHOLE_SUBMISSION, Result

VOID = {"meta", "br", "img", "link"}


class Outline(HTMLParser):
    """What a screen reader goes by: elements in order with their attributes, and whether they are closed in order."""

    def __init__(self, markup):
        super().__init__()
        self.elements, self.open, self.shown = [], [], []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.shown.append(data)

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)

    @property
    def words(self):
        return re.sub(r"\s+", " ", " ".join(self.shown))


@pytest.fixture(scope="module", params=[small_class, large_class])
def pages(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    index = write_report(store(request.param(), folder / "results"), folder / "report")
    found = [index, *sorted((index.parent / "learners").iterdir())]
    return {path.name: path.read_text(encoding="utf-8") for path in found}


def test_pages_stand_alone(pages):
    for markup in pages.values():
        outline = Outline(markup)
        assert outline.open == []
        assert not {"script", "img", "link", "iframe", "object", "form"} & {tag for tag, _ in outline.elements}
        assert not [name for _, attributes in outline.elements for name in attributes if name.startswith("on")]
        assert "http://" not in markup.replace("http://evil.example", "")
        assert "default-src 'none'" in next(a["content"] for t, a in outline.elements if t == "meta" and "content" in a)


def test_pages_have_an_outline_that_can_be_heard(pages):
    for markup in pages.values():
        outline = Outline(markup)
        levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert (outline.count("main"), outline.count("title")) == (1, 1)
        assert next(a for tag, a in outline.elements if tag == "html")["lang"] == "en"


def test_every_table_has_a_caption_and_header_cells(pages):
    for markup in pages.values():
        outline = Outline(markup)
        assert outline.count("table") == outline.count("caption") > 0
        assert all(attributes["scope"] in ("col", "row") for tag, attributes in outline.elements if tag == "th")
        for rows in re.findall(r"<tbody>(.*?)</tbody>", markup, re.DOTALL):
            assert rows.count("<tr>") == rows.count('scope="row"')
        assert '<th scope="col"></th>' not in markup


def test_links_lead_somewhere(pages):
    outline = Outline(pages["index.html"])
    anchors = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    links = [attributes["href"] for tag, attributes in outline.elements if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    assert len([link for link in links if link.startswith("learners/")]) == len(pages) - 1


def test_the_same_results_give_the_same_bytes(tmp_path):
    results = store(small_class(), tmp_path / "results")
    first = {p.name: p.read_bytes() for p in write_report(results, tmp_path / "a").parent.rglob("*.html")}
    second = {p.name: p.read_bytes() for p in write_report(results, tmp_path / "b").parent.rglob("*.html")}
    assert first == second


# --- what learners write ---------------------------------------------------------------------------------------------


def test_a_name_that_is_markup_is_shown_as_it_is(tmp_path):
    index = write_report(store(small_class(), tmp_path / "results"), tmp_path / "report")
    for path in (index, index.parent / "learners" / "bo@example.org.html"):
        markup = path.read_text(encoding="utf-8")
        assert "<script" not in markup
        assert SCRIPT in Outline(markup).words


def test_messages_are_escaped_inside_code_too():
    assert prose(f"see `{SCRIPT}` & {SCRIPT}") == (
        "see <code>&lt;script&gt;alert(1)&lt;/script&gt;</code> &amp; &lt;script&gt;alert(1)&lt;/script&gt;"
    )
    filled = environment().from_string('<a href="{{ where }}">{{ where }}</a>').render(where='"><script>')
    assert filled == '<a href="&#34;&gt;&lt;script&gt;">&#34;&gt;&lt;script&gt;</a>'


def test_characters_that_hide_or_reorder_are_taken_out():
    def text(value):
        return environment().from_string("{{ value }}").render(value=value)

    assert text(NAMES["di@example.org"]) == "gro.live &amp; Söhne "
    assert text("a\udc80b\x00c\u200bd") == "abcd"
    assert text("क्‍ष") == "क्‍ष"


def test_a_file_name_made_of_an_id_stays_in_its_folder(tmp_path):
    results = [result(student, "01.1") for student in ("../../escape", "a/b", ".hidden", "%2e%2e", "x" * 400)]
    index = write_report(store(results, tmp_path / "results"), tmp_path / "report")
    assert len(list((index.parent / "learners").iterdir())) == 5
    assert {path.name for path in tmp_path.iterdir()} == {"results", "report"}
    for link in re.findall(r'href="(learners/[^"]+)"', index.read_text(encoding="utf-8")):
        assert link.count("/") == 1


# --- what a learner is told ------------------------------------------------------------------------------------------


def page_of(*results):
    book = gradebook(results)
    return Outline(learner_page(book.learners[0], book)).words


def test_feedback_says_points_verdicts_and_what_to_look_at():
    words = page_of(
        result("ana", "01.1"), result("ana", "01.2", "wrong", "twice", told("01.2", "Every number is twice as large."))
    )
    assert "Points 2 of 5" in words
    assert "✓ passed" in words
    assert "01.2 Parallel paths add · ✗ not yet Every number is twice as large. Look at the first call." in words


def test_feedback_begins_with_a_capital_letter():
    assert "✗ not yet The number is too small." in page_of(
        result("ana", "01.1", "wrong", "value", "01.1 not yet · the number is too small.")
    )


def test_a_verdict_never_rests_on_colour_or_sign_alone():
    parts = environment().get_template("parts.html").module
    verdict, bar = parts.verdict, parts.bar
    for name in ("passed", "wrong", "error", "not-attempted", "missing", "infrastructure"):
        without_sign = re.sub(r'<span aria-hidden="true">.*?</span>', "", verdict(name))
        assert re.sub(r"<[^>]+>", "", without_sign).strip()
    assert re.sub(r"<span[^>]*aria-hidden.*$", "", bar("40%", 0.4)).endswith("40%</span>")


def test_a_fault_of_the_grader_is_no_zero():
    words = page_of(result("ana", "01.1"), result("ana", "01.2", "infrastructure", "", "This check could not run."))
    assert "Points – of 5" in words
    assert "not your fault" in words
    lost = Result("bo", "Bo", WHOLE_SUBMISSION, "", "", "", "bubblewrap", {}, status=INFRASTRUCTURE_ERROR)
    book = gradebook([lost, result("ana", "01.1")])
    words = Outline(learner_page(book.learners[1], book)).words
    assert "Points – of 2" in words
    assert "not handed in" not in words


def test_what_waits_for_a_person_says_so():
    assert "wait for a person" in page_of(result("ana", "01.2", "pending", "", "An essay."))


def test_what_could_not_be_read_and_what_is_missing_is_said(tmp_path):
    index = write_report(store(small_class(), tmp_path / "results"), tmp_path / "report")
    words = Outline((index.parent / "learners" / "fay.html").read_text(encoding="utf-8")).words
    assert "could not be read as a notebook" in words
    assert words.count("not handed in") == 4
    assert "Points 0 of 12" in words


def test_a_mark_by_hand_is_told_with_its_comment():
    marked = result("ana", "01.1", "passed", "", "A nice derivation.", flags=(HAND,))
    assert "A nice derivation. Marked by a person." in page_of(marked)


def test_grading_without_a_sandbox_is_said(tmp_path):
    results = [result("ana", "01.1", sandbox="none (trusted)")]
    index = write_report(store(results, tmp_path / "results"), tmp_path / "report")
    assert "without a sandbox" in index.read_text(encoding="utf-8")


def test_only_markup_is_taken_for_markup():
    written = environment().from_string("{{ name }} {{ line|prose }}").render(name="<i>", line="`<b>`")
    assert written == "&lt;i&gt; <code>&lt;b&gt;</code>"


def test_a_value_that_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError):
        environment().get_template("learner.html").render(name="Ana")


def test_templates_are_part_of_the_package():
    names = {path.name for path in resources.files("coursepkg.grading.reporting").joinpath("templates").iterdir()}
    assert {"base.html", "style.css", "parts.html", "class.html", "learner.html"} <= names
