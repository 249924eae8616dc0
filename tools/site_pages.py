"""The pages of the website, laid out for Sphinx in the folders of the repository, so that links between them hold.

The one idea: nothing is written twice. Chapters, exercises and answers are the stored notebooks, changed for reading;
the glossary quotes the chapters, the index of figures their outputs, and the index of claims the stored results.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from coursepkg.visualize.alive import story
from tools.notebook_file import ROOT, read, tags
from tools.site_notebooks import CHAPTERS, anchor, for_reading, heading_of, output_html, pictures, term_anchor

HAND_WRITTEN = ROOT / "docs" / "site"
FOLDERS = {"docs": "docs", "instructor": "instructor", "docs/api": "api"}  # from the repository to the site
# Where claims are stored: chapter, file of results, paper.
CLAIMS = (
    ("08", "memory_efficient_claims", "Memory-efficient backpropagation (Bershatsky et al., 2022)"),
    ("08", "fine_tuning", "Memory-efficient backpropagation: fine-tuning"),
    ("09", "forward_gradient_claims", "The forward gradient (Baydin et al., 2022, and others)"),
    ("10", "neural_tree_claims", "The neural tree (Ojha and Nicosia, 2022)"),
    ("11", "photonic_claims", "Photonic backpropagation (Pai et al., 2023)"),
)
_LINK = re.compile(r"(?<!\!)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_CODE = re.compile(r"\.(py|js)$")


def lay_out(target: Path) -> None:
    """Write the source of the site into `target`; a page that did not change keeps its time, so Sphinx skips it."""
    pages = dict(every_page())
    target.mkdir(parents=True, exist_ok=True)
    for old in [path for path in target.rglob("*") if path.is_file()]:
        if old.relative_to(target).as_posix() not in pages:
            old.unlink()
    for name, text in pages.items():
        path = target / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def every_page() -> Iterator[tuple[str, str]]:
    """The name of each page of the site, and its text."""
    pages = dict(_written_pages())
    linked = set()
    for name, text in pages.items():
        found = [posixpath.normpath(posixpath.join(posixpath.dirname(name), link[2])) for link in _LINK.finditer(text)]
        linked |= {path for path in found if _CODE.search(path) and (ROOT / path).is_file()}
        yield name, _links_to_code(name, text)
    for path in sorted(linked):
        yield f"code/{path}.md", code_page(path)
    terms = glossary()
    for folder in ("notebooks", "exercises", "solutions"):
        for path in sorted((ROOT / folder).glob("[0-9]*.ipynb")):
            yield f"{folder}/{path.name}", for_reading(path, terms)


def _written_pages() -> Iterator[tuple[str, str]]:
    for folder, where in FOLDERS.items():
        for path in sorted((ROOT / folder).glob("*.md")):
            yield f"{where}/{path.name}", path.read_text(encoding="utf-8")
    for path in sorted(HAND_WRITTEN.glob("*.md")):
        yield path.name, fill(path.read_text(encoding="utf-8"))


def fill(text: str) -> str:
    """A hand-written page with the parts that are made from the course in place of `{{ NAME }}`."""
    parts = {
        "living figure": landing_figure,
        "chapters": course_map,
        "glossary": glossary_page,
        "figures": figures_page,
        "claims": claims_page,
        "papers": lambda: section_of_readme("Papers, run again"),
        "names of exercises": lambda: _names("exercises"),
    }
    return re.sub(r"\{\{ ([a-z ]+) \}\}", lambda found: parts[found[1]](), text)


def _names(folder: str) -> str:
    return "\n".join(f"{folder}/{path.stem}" for path in sorted((ROOT / folder).glob("[0-9]*.ipynb")))


# --- code -------------------------------------------------------------------------------------------------------------


def _links_to_code(page: str, text: str) -> str:
    def replace(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[2]))
        if not (_CODE.search(path) and (ROOT / path).is_file()):
            return link[0]
        return f"[{link[1]}]({posixpath.relpath(f'code/{path}.md', posixpath.dirname(page) or '.')})"

    return _LINK.sub(replace, text)


def code_page(path: str) -> str:
    """A file of the package, to be read where a page of the course refers to it."""
    language = {"py": "python", "js": "javascript"}[path.rpartition(".")[2]]
    code = (ROOT / path).read_text(encoding="utf-8").rstrip()
    return (
        f"---\norphan: true\n---\n\n# `{path}`\n\n``````{{code-block}} {language}\n:lineno-start: 1\n\n{code}\n``````\n"
    )


# --- the landing page and the map -------------------------------------------------------------------------------------


def landing_figure() -> str:
    """The graph of chapter 02 that plays both passes, as it is stored in the chapter."""
    for cell in read(CHAPTERS["02"]).cells:
        if "tell_graph(F" in cell.source:
            html = next(filter(None, map(output_html, cell.outputs)))
            return f'<div class="first-figure">{html.strip()}</div>'.replace("../_static/", "_static/")
    raise ValueError("chapter 02 has no cell with `tell_graph(F`: name another figure for the landing page")


def section_of_readme(title: str) -> str:
    """What stands under a heading of the README, without the heading."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return readme.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0].strip()


def chapters() -> Iterator[tuple[str, str, str, str, str]]:
    """Number, name, what it is about, minutes to study, minutes of exercises: the rows of the README's table."""
    for row in re.findall(r"^\| (\d\d .*) \|$", section_of_readme("The chapters"), flags=re.MULTILINE):
        name, about, study, *exercises = (cell.strip() for cell in row.split("|"))
        yield name[:2], name[3:], about, study, exercises[0] if exercises else ""


def course_map() -> str:
    """The chapters as a list; `course.js` adds how far you are."""
    items = []
    for number, name, about, study, practice in chapters():
        chapter = CHAPTERS[number].stem
        links = f'<a class="chapter" href="notebooks/{chapter}.html"><b>{number}</b> {escape(name)}</a>'
        if practice:
            links += f' <a class="practice" href="exercises/{chapter}.html">exercises of {number}, {practice}</a>'
        items.append(
            f'<li data-chapter="{number}"><span class="names">{links}</span>'
            f'<span class="about">{escape(about)}</span><span class="study">{study}</span></li>'
        )
    return '<ol class="course-map">' + "".join(items) + "</ol>"


# --- glossary ---------------------------------------------------------------------------------------------------------


def glossary() -> dict[tuple[str, str], Term]:
    """For each term, by the chapter that defines it and by its words in bold there, what the chapter says.

    Raises
    ------
    ValueError
        If a chapter no longer has a term in bold.
    """
    found = {}
    for entry in json.loads((HAND_WRITTEN / "glossary.json").read_text(encoding="utf-8")):
        bold = entry.get("bold", entry["term"])
        for cell in read(CHAPTERS[entry["chapter"]]).cells:
            if cell.cell_type == "markdown" and f"**{bold}**" in cell.source:
                found[entry["chapter"], bold] = Term(entry["term"], cell.id, definition(cell.source, bold))
                break
        else:
            raise ValueError(f"chapter {entry['chapter']} has no **{bold}**; change docs/site/glossary.json")
    return found


class Term(NamedTuple):
    """A term of the glossary: its name, the cell that defines it, and the words there."""

    name: str
    cell: str
    words: str


def definition(source: str, bold: str) -> str:
    """The paragraph of a cell in which a term stands in bold, with the formula that it leads up to."""
    paragraphs = re.split(r"\n\s*\n", source)
    place = next(k for k, paragraph in enumerate(paragraphs) if f"**{bold}**" in paragraph)
    text = paragraphs[place].strip()
    if text.startswith("- "):
        text = next(item for item in re.split(r"^- ", text, flags=re.MULTILINE) if f"**{bold}**" in item)
    if text.count("**") > 2:
        text = _sentences_about(text, bold)
    if text.rstrip().endswith(":"):
        formula = paragraphs[place + 1].strip() if place + 1 < len(paragraphs) else ""
        text = f"{text.strip()}\n\n{formula}" if formula.startswith("$$") else f"{text.rstrip().rstrip(':')} …"
    return _LINK.sub(r"\1", text.strip())


def _sentences_about(text: str, bold: str) -> str:
    """Of a paragraph that defines several terms: the sentence before, the one with the term, and what is said of it."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z*$(`])", text)
    place = next(k for k, sentence in enumerate(sentences) if f"**{bold}**" in sentence)
    end = next((k for k in range(place + 1, len(sentences)) if "**" in sentences[k]), len(sentences))
    return " ".join(sentences[max(place - 1, 0) : end])


def glossary_page() -> str:
    """The terms by their names, each with the words of its chapter and the way there."""
    lines = []
    for (chapter, _), term in sorted(glossary().items(), key=lambda each: each[1].name.lower()):
        words = term.words.replace("\n", "\n  ")
        address = f"notebooks/{CHAPTERS[chapter].stem}.html#{term_anchor(term.name)}"
        lines.append(f'{term.name}\n: {words}\n\n  <a href="{address}">chapter {chapter}: {term.name}</a>\n')
    return "\n".join(lines)


# --- figures ----------------------------------------------------------------------------------------------------------


def figures() -> Iterator[tuple[str, str, str, str, bool]]:
    """Chapter, section, anchor, words, and whether it moves, of every figure that a chapter shows."""
    for number, path in CHAPTERS.items():
        section = ""
        for cell in read(path).cells:
            section = heading_of(cell) or section
            for output in cell.get("outputs", []):
                html = output_html(output) or ""
                alt = re.search(r'<img alt="([^"]*)"', html)
                if alt is None or "route_map(" in cell.source:
                    continue
                told = story.read_stories("".join(output["data"]["text/html"]))
                words = told[0]["title"] if told and told[0]["title"] else first_sentence(unescape(alt[1]))
                hidden = "hide-output" in tags(cell)
                yield number, section, anchor(cell), words_before_the_answer(cell) if hidden else words, bool(told)


def words_before_the_answer(cell: NotebookNode) -> str:
    """Under a prediction the index must not tell the answer: only the title that the code gives, if it gives one."""
    title = re.search(r'title\s*=\s*"([^"{]+)"', cell.source)
    return title[1] if title else ""


def first_sentence(text: str, longest: int = 110) -> str:
    sentence = re.split(r"(?<=[a-zA-Z0-9)])\. ", text, maxsplit=1)[0].rstrip(".")
    return sentence if len(sentence) <= longest else sentence[:longest].rsplit(" ", 1)[0] + " …"


def figures_page() -> str:
    names = {number: name for number, name, *_ in chapters()}
    lines, seen = [], ""
    for number, section, place, words, moves in figures():
        if number != seen:
            lines.append(f"\n## {number} · {names[number]}\n")
            seen = number
        address = f"notebooks/{CHAPTERS[number].stem}.html#{place}"
        moving = " <b>moves</b>" if moves else ""
        if words:
            lines.append(f'- <a href="{address}">{escape(words)}</a>{moving}, <i>{escape(section)}</i>')
        else:
            lines.append(f'- <a href="{address}">To predict: <i>{escape(section)}</i></a>{moving}')
    return "\n".join(lines)


# --- claims -----------------------------------------------------------------------------------------------------------


def stored_claims() -> Iterator[tuple[str, str, str, list[dict[str, str]]]]:
    """Chapter, paper, date, and the rows of each stored table of claims."""
    for number, name, title in CLAIMS:
        path = ROOT / "benchmarks" / "results" / f"{name}.json"
        stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        rows = [
            {"claim": row["claim"], "published": row["published"], "here": row["ours"]}
            | {"settings": row["settings"], "verdict": row["verdict"]}
            for row in stored.get("rows") or stored.get("claims") or []
            if "verdict" in row
        ]
        if rows:
            yield number, title, stored["date"], rows


def claims_page() -> str:
    lines = []
    for number, title, date, rows in stored_claims():
        lines.append(f"\n## {number} · {title}\n\n[Chapter {number}](notebooks/{CHAPTERS[number].name})\n")
        lines.append(_table(rows, f"{title}: {len(rows)} claims. Run {date}."))
    return "\n".join(lines)


def _table(rows: list[dict[str, str]], caption: str) -> str:
    """Rows under the names of their entries, in a frame that scrolls by keys; on a phone each row is a block."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in rows[0])
    body = ""
    for row in rows:
        (_, first), *others = row.items()
        cells = "".join(f'<td data-name="{escape(name)}">{escape(text)}</td>' for name, text in others)
        body += f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'
    words = escape(caption)
    table = f"<table><caption>{words}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="claims" tabindex="0" role="region" aria-label="{words}">{table}</div>'


def lay_out_assets(target: Path) -> None:
    """What the pages share, after they are laid out: the scripts of the living figures, and the drawings."""
    shared = {f"figures/{name}": text.encode() for name, text in story.modules().items()}
    shared |= {f"pictures/{name}": drawing for name, drawing in pictures.items()}
    for folder in ("figures", "pictures"):
        shutil.rmtree(target / folder, ignore_errors=True)
        (target / folder).mkdir(parents=True)
    for name, content in shared.items():
        (target / name).write_bytes(content)
