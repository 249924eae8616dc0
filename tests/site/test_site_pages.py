"""What the site shows, and what it keeps for later, read off the pages before Sphinx sees them."""

import json
import posixpath
import re
from html import escape, unescape

import nbformat
import pytest

from coursepkg.visualize.alive import story
from tools import site_notebooks, site_pages
from tools.notebook_file import ROOT, read

CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\((?![a-z]+:|#)([^)\s#]+)(?:#[^)\s]*)?\)")


def cells(pages, name):
    return nbformat.reads(pages[name], as_version=4).cells


def texts(pages):
    """Each page's words: a notebook's cells of text, or all of it."""
    for name, page in pages.items():
        if name.endswith(".ipynb"):
            yield name, "\n\n".join(cell.source for cell in cells(pages, name) if cell.cell_type == "markdown")
        elif not name.startswith("code/"):
            yield name, page


def test_every_notebook_has_a_page_of_its_own(pages):
    stored = {
        path.relative_to(ROOT).as_posix()
        for folder in ("notebooks", "exercises", "solutions")
        for path in (ROOT / folder).glob("[0-9]*.ipynb")
    }
    assert {name for name in pages if name.endswith(".ipynb")} == stored


def test_links_between_pages_lead_somewhere(pages):
    broken = []
    for name, text in texts(pages):
        for link in LINK.finditer(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), link[1]))
            if path not in pages:
                broken.append(f"{name}: {link[1]}")
    assert broken == []


def test_links_in_html_lead_to_pages(pages):
    written = {posixpath.splitext(name)[0] for name in pages}
    found = 0
    for name in ("index.md", "map.md", "glossary.md", "figures.md"):
        for link in re.findall(r'href="([^"#:?]+)\.html', pages[name]):
            assert link in written or link == f"{site_notebooks.BROWSER_EDITION}/lab/index", f"{name}: {link}"
            found += 1
    assert found > 200


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_code_is_shown_as_it_is_stored(pages, chapter):
    shown = [cell.source for cell in cells(pages, f"notebooks/{chapter}.ipynb") if cell.cell_type == "code"]
    stored = read(ROOT / "notebooks" / f"{chapter}.ipynb").cells
    assert shown == [cell.source for cell in stored if cell.cell_type == "code"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_answers_a_prediction_is_folded(pages, chapter):
    asked = [cell for cell in cells(pages, f"notebooks/{chapter}.ipynb") if cell.source.startswith("predict(")]
    assert asked
    assert [cell.id for cell in asked if "hide-output" not in cell.metadata.get("tags", [])] == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_second_readings_are_marked_for_folding(pages, chapter):
    for cell in cells(pages, f"notebooks/{chapter}.ipynb"):
        tagged = "second-reading" in cell.metadata.get("tags", [])
        assert cell.source.rstrip().endswith("% second-reading") == tagged


@pytest.mark.parametrize("chapter", CHAPTERS[1:])
def test_answers_are_folded_one_by_one_and_no_menu_names_them(pages, chapter):
    answers = [cell for cell in cells(pages, f"solutions/{chapter}.ipynb") if "### BEGIN SOLUTION" in cell.source]
    assert answers
    for cell in answers:
        assert "hide-cell" in cell.metadata["tags"]
        assert re.fullmatch(r"Show the answer to \d\d\.\d+", cell.metadata["mystnb"]["code_prompt_show"])
    menus = re.findall(r"```\{toctree\}.*?```", pages["index.md"], flags=re.DOTALL)
    assert len(menus) == 5
    assert "solutions" not in "".join(menus)


@pytest.mark.parametrize("chapter", CHAPTERS[1:])
def test_exercises_say_how_to_run_them_and_fold_the_way_to_the_answers(pages, chapter):
    first, *_, last = [cell.source for cell in cells(pages, f"exercises/{chapter}.ipynb") if cell.cell_type != "code"]
    assert first.startswith("<span")
    assert "(../run.md)" in cells(pages, f"exercises/{chapter}.ipynb")[1].source
    assert last.startswith("<details><summary>Worked answers</summary>")
    assert f"../solutions/{chapter}.ipynb" in last


def test_the_glossary_has_each_term_once_and_leads_to_its_definition(pages):
    entries = json.loads((ROOT / "docs" / "site" / "glossary.json").read_text(encoding="utf-8"))
    terms = [entry["term"] for entry in entries]
    assert terms == sorted(set(terms), key=str.lower)
    for entry in entries:
        place = site_pages.term_anchor(entry["term"])
        chapter = site_notebooks.CHAPTERS[entry["chapter"]].stem
        assert f'href="notebooks/{chapter}.html#{place}"' in pages["glossary.md"]
        page = "".join(cell.source for cell in cells(pages, f"notebooks/{chapter}.ipynb"))
        assert page.count(f'id="{place}"') == 1


def test_a_definition_is_the_paragraph_and_the_formula_that_it_leads_up_to():
    source = "Before.\n\nA **ball** rolls:\n\n$$v = 2$$\n\nAfter."
    assert site_pages.definition(source, "ball") == "A **ball** rolls:\n\n$$v = 2$$"
    assert site_pages.definition("A **ball** rolls:\n\n```python\n1\n```", "ball") == "A **ball** rolls …"
    several = "First. An **ape** climbs. A **bat** flies. It hangs by day. A **cat** sleeps:\n\n$$z$$"
    assert site_pages.definition(several, "bat") == "An **ape** climbs. A **bat** flies. It hangs by day."
    assert site_pages.definition(several, "cat") == "It hangs by day. A **cat** sleeps:\n\n$$z$$"
    assert site_pages.definition("Two:\n\n- a **ball**;\n- a [stone](x.md).", "ball") == "a **ball**;"


def test_a_term_that_a_chapter_no_longer_has_is_told(monkeypatch, tmp_path):
    entry = {"term": "flying teapot", "chapter": "02"}
    (tmp_path / "glossary.json").write_text(json.dumps([entry]), encoding="utf-8")
    monkeypatch.setattr(site_pages, "HAND_WRITTEN", tmp_path)
    with pytest.raises(ValueError, match=r"chapter 02 has no .*flying teapot"):
        site_pages.glossary()


def test_the_index_of_figures_leads_to_every_figure_and_tells_no_answer(pages):
    index = pages["figures.md"]
    found = list(site_pages.figures())
    assert len(found) > 150
    assert sum(moves for *_, moves in found) > 30
    for number, _, place, _, _ in found:
        assert f'href="notebooks/{site_notebooks.CHAPTERS[number].stem}.html#{place}"' in index
    told = 0
    for path in site_notebooks.CHAPTERS.values():
        for cell in read(path).cells:
            if "hide-output" not in cell.metadata.get("tags", []):
                continue
            for output in cell.get("outputs", []):
                alt = re.search(r'<img alt="([^"]*)"', "".join(output.get("data", {}).get("text/html", "")))
                if alt and len(alt[1].split()) > 4:  # shorter ones, such as "sum", are words of any page
                    told += 1
                    titled = re.search(r'title\s*=\s*"([^"{]+)"', cell.source)
                    words = site_pages.first_sentence(unescape(alt[1]))
                    assert words not in unescape(index) or (titled and words.startswith(titled[1])), words
    assert told > 50


def test_every_stored_claim_stands_in_the_index_with_its_verdict(pages):
    page, rows = pages["claims.md"], 0
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        stored = json.loads(path.read_text(encoding="utf-8"))
        found = (stored.get("rows") or stored.get("claims") or []) if isinstance(stored, dict) else []
        for row in found:
            if not (isinstance(row, dict) and "verdict" in row):
                continue
            start = page.index(f'<tr><th scope="row">{escape(row["claim"])}</th>')
            shown = page[start : page.index("</tr>", start)]
            assert f'<td data-name="here">{escape(row["ours"])}</td>' in shown
            assert shown.endswith(f'<td data-name="verdict">{row["verdict"]}</td>')
            rows += 1
    assert page.count('<tr><th scope="row">') == rows > 40


def test_the_map_has_every_chapter_and_its_exercises(pages):
    assert re.findall(r'data-chapter="(\d\d)"', pages["map.md"]) == [name[:2] for name in CHAPTERS]
    assert re.findall(r'class="practice" href="exercises/(\w+)\.html"', pages["map.md"]) == CHAPTERS[1:]


def test_the_landing_page_has_one_figure_three_sentences_and_two_buttons(pages):
    idea = pages["index.md"].split('<div class="idea">')[1].split("\n## ")[0]
    assert idea.count(f"<{story.TAG}>") == 1
    sentences = re.findall(r"<p>(.*?)</p>", idea)
    assert len(sentences) == 3
    assert all(sentence.count(".") == 1 for sentence in sentences)
    assert re.findall(r'<a class="door[^>]*>([^<]*)</a>', idea) == ["Start reading", "Run it here"]


def test_doors_lead_into_the_browser_edition(pages):
    first = site_notebooks.in_the_browser("notebooks/00_start_here")
    assert f'<a class="door" href="{first}">Run it here</a>' in pages["index.md"]
    assert f'<a class="door first" href="{first}">' in pages["run.md"]
    for chapter in CHAPTERS[1:]:
        _, note, *_ = cells(pages, f"exercises/{chapter}.ipynb")
        assert f'href="../{site_notebooks.in_the_browser(f"exercises/{chapter}")}"' in note.source


def test_drawings_are_files_that_keep_their_words_and_their_room(pages):
    shown = "".join(pages.values())
    images = re.findall(r'<img alt=\\"((?:[^"\\]|\\(?!"))*)\\" src=\\"../_static/pictures/(\w+\.svg)\\"([^>]*)>', shown)
    assert len(images) > 150
    for alt, name, rest in images:
        assert len(alt) > 20
        assert name in site_notebooks.pictures
        assert re.search(
            r'width=\\"\d+\\" height=\\"\d+\\" loading=\\"lazy\\" style=\\"[^"]*min-width:[(min]*\d+px', rest
        )


def living(kind, version):
    return (
        f'<{story.TAG}><img alt="x">'
        f'<script type="{story.PACKED}" data-kind="{kind}" data-version="{version}">abc</script>'
        f'</{story.TAG}><script type="module">const F=1</script>'
    )


def as_output(html):
    return nbformat.v4.new_output("display_data", {"text/html": html})


def test_figures_share_their_script_but_for_those_stored_with_another():
    shared = site_notebooks.output_html(as_output(living("graph", story.module_version())))
    assert shared.endswith("</coursepkg-figure><script>figureArrived()</script>")
    assert "data-version" not in shared
    assert site_notebooks.kinds_in(shared + shared) == ["graph"]
    other = living("graph", "0000beef")
    assert site_notebooks.output_html(as_output(other)) == other


def test_links_of_a_check_lead_to_the_cell_on_its_page(pages):
    html = '<a href="02_scalar_backprop.ipynb#cell-id=dc398fb8">Next</a>'
    assert 'href="02_scalar_backprop.html#cell-dc398fb8"' in site_notebooks.output_html(as_output(html))
    led = re.findall(r'href=\\"(\w+)\.html#(cell-\w+)\\"', pages["solutions/02_scalar_backprop.ipynb"])
    assert led
    for page, place in led:
        assert f'id=\\"{place}\\"' in pages[f"solutions/{page}.ipynb"]


def test_a_heading_is_found_where_jupyterlab_and_the_site_name_it_differently():
    assert site_notebooks.slug("9-·-Four-projects") == "9--four-projects"


def test_code_that_pages_refer_to_can_be_read_on_the_site(pages):
    code = [name for name in pages if name.startswith("code/")]
    assert "code/coursepkg/autodiff/tensor.py.md" in code
    assert "(../code/coursepkg/autodiff/tensor.py.md)" in pages["docs/engine.md"]
    tape = (ROOT / "coursepkg/autodiff/tape.py").read_text(encoding="utf-8").rstrip()
    assert tape in pages["code/coursepkg/autodiff/tape.py.md"]


def test_no_page_asks_another_host(pages):
    asks = re.compile(r'(?:src|href)=\\?"(?:https?:)?//[^"\\]+\.(?:js|css|woff2?|png|svg)\b|@import|url\(https?:')
    for name, page in pages.items():
        if not name.startswith("code/"):
            assert asks.search(page) is None, f"{name}: {asks.search(page)}"


def test_laying_out_again_changes_no_file(tmp_path):
    site_pages.lay_out(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "left-over.md").write_text("# No page of the site\n", encoding="utf-8")
    site_pages.lay_out(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
