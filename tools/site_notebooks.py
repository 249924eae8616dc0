"""Stored notebooks, changed for reading on the website: what runs is never touched, only what is shown around it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from coursepkg.visualize.alive import story
from tools.notebook_file import ROOT, as_text, read, tags

CHAPTERS = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
SECOND_READING = "second-reading"  # the tag, and the comment that marks the section for `site_reading`
BROWSER_EDITION = "lite"  # the folder of the site in which JupyterLite lies
PICTURES = "../_static/pictures"
ARRIVING = f"{story.PACKED}-arriving"  # the type of a story until all of it is there
_LIVING = re.compile(
    rf'(<{story.TAG}>.*?data-kind="(\w+)") data-version="(\w+)"(.*?</{story.TAG}>)<script type="module">.*?</script>',
    re.DOTALL,
)
_DRAWN = re.compile(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)" style="([^"]*)">')
_SIZE = re.compile(rb'<svg [^>]*?width="([\d.]+)(pt)?"[^>]*? height="([\d.]+)')
_TO_CELL = re.compile(r'href="([\w./-]*)\.ipynb#cell-id=(\w+)"')
_TO_HEADING = re.compile(r"(\.ipynb)#([^)\s]+)\)")  # in a link, as JupyterLab names a heading
_INTERACTIVE = re.compile(r"Interactive\b")

READ_HERE = """\
These are to be read here, and done where Python runs: each cell ends with a check that says what it thinks went wrong.
<a href="../{address}">Do them in your browser</a>, or [on your computer](../run.md).
"""
WHEN_DONE = """\
<details><summary>Worked answers</summary>

They are worth more after your own attempt, and a hint is worth more than an answer: `hint("{number}.1")` gives three,
from a nudge to nearly there. [The worked answers of chapter {number}](../solutions/{name}) are folded one by one.

</details>
"""
ANSWERS = """\
Each answer is folded. Try the [exercise](../exercises/{name}) first. Then open one answer, and compare how it was
written with how you wrote it. Yours may look different and be as right.
"""


def in_the_browser(name: str) -> str:
    """Where the browser edition opens a notebook, such as "notebooks/00_start_here", from the site's first page.

    Examples
    --------
    >>> in_the_browser("exercises/01_cooking_analogy")
    'lite/lab/index.html?path=exercises/01_cooking_analogy.ipynb'
    """
    return f"{BROWSER_EDITION}/lab/index.html?path={name}.ipynb"


def number_of(path: Path) -> str:
    return path.name[:2]


def anchor(cell: NotebookNode) -> str:
    """Where a cell is found on its page."""
    return f"cell-{cell.id}"


def term_anchor(term: str) -> str:
    """Where the glossary finds a term on the page of the chapter that defines it."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def heading_of(cell: NotebookNode) -> str:
    """The last heading in a cell of text, without its marks, or nothing."""
    found = re.findall(r"^##+ (.+)$", cell.source, flags=re.MULTILINE) if cell.cell_type == "markdown" else []
    return re.sub(r"[*`$\\]", "", found[-1]).strip() if found else ""


def for_reading(path: Path, terms: Mapping[tuple[str, str], Any]) -> str:
    """A notebook as the site shows it.

    Parameters
    ----------
    path : Path
        A notebook in ``notebooks/``, ``exercises/`` or ``solutions/``.
    terms : mapping
        What :func:`tools.site_pages.glossary` found.

    Returns
    -------
    str
        The notebook, as JSON.
    """
    notebook = read(path)
    folder, number = path.parent.name, number_of(path)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            _text(cell, folder, number, terms)
        else:
            _code(cell, folder)
    if folder == "exercises":
        address = in_the_browser(f"exercises/{path.stem}")
        notebook.cells.insert(1, _note(READ_HERE.format(address=address), "note"))
        notebook.cells.append(_text_cell(WHEN_DONE.format(number=number, name=path.name), "worked-answers"))
    elif folder == "solutions":
        notebook.cells.insert(1, _note(ANSWERS.format(name=path.name), "note"))
    return as_text(notebook)


def _note(text: str, identity: str) -> NotebookNode:
    return _text_cell(f"```{{note}}\n{text}```\n", identity)


def _text_cell(text: str, identity: str) -> NotebookNode:
    cell = new_markdown_cell(text)
    cell["id"] = identity
    return cell


def slug(heading: str) -> str:
    """How MyST names the heading that JupyterLab names so.

    Examples
    --------
    >>> slug("9-·-Four-projects")
    '9--four-projects'
    """
    return re.sub(r"[^\w-]", "", heading.lower())


def _text(cell: NotebookNode, folder: str, number: str, terms: Mapping[tuple[str, str], Any]) -> None:
    cell.source = _TO_HEADING.sub(lambda link: f"{link[1]}#{slug(link[2])})", cell.source)
    if folder != "notebooks":
        # The checks lead to cells; a heading needs a place that they can lead to.
        cell.source = f'<span id="{anchor(cell)}"></span>\n\n{cell.source}'
        return
    for (chapter, bold), term in terms.items():
        if chapter == number and term.cell == cell.id:
            place = f'<span id="{term_anchor(term.name)}"></span>'
            cell.source = cell.source.replace(f"**{bold}**", f"{place}**{bold}**", 1)
    if SECOND_READING in tags(cell):
        cell.source = f"{cell.source.rstrip()}\n\n% {SECOND_READING}\n"


def _code(cell: NotebookNode, folder: str) -> None:
    cell.metadata.pop("jupyter", None)
    if folder == "solutions" and "### BEGIN SOLUTION" in cell.source:
        name = re.search(r'check\("([\d.]+)"', cell.source)
        cell.metadata["tags"] = [*tags(cell), "hide-cell"]
        cell.metadata["mystnb"] = {"code_prompt_show": f"Show the answer to {name[1]}" if name else "Show the answer"}
    for output in cell.get("outputs", []):
        html = output_html(output)
        if html is not None:
            output["data"]["text/html"] = html
        elif "data" in output and _INTERACTIVE.match("".join(output["data"].get("text/plain", ""))):
            output["data"]["text/html"] = (
                '<p class="needs-python">This one computes while you play, so it needs Python behind it. '
                '<a href="../run.html">How to run it</a>.</p>'
            )


def output_html(output: NotebookNode) -> str | None:
    """The HTML of an output for the site: living figures share one script, and links lead to pages of the site."""
    html = output.get("data", {}).get("text/html")
    if html is None:
        return None
    html = "".join(html)
    html = _DRAWN.sub(_apart, _LIVING.sub(_shared, html))
    return _TO_CELL.sub(r'href="\1.html#cell-\2"', html)


def _shared(found: re.Match[str]) -> str:
    """A figure that begins to live as soon as it has arrived, however much of the page is still to come.

    The head of the page has the modules (`docs/_templates/layout.html`). The small script names the moment: until
    it runs, a module that is there already must not take a story of which only a part has arrived.
    """
    before, _, version, after = found.groups()
    if version != story.module_version():
        return found[0]  # stored with other modules than these: it keeps its own
    arriving = before.replace(f'type="{story.PACKED}"', f'type="{ARRIVING}"')
    return f"{arriving}{after}<script>figureArrived()</script>"


def kinds_in(page: str) -> list[str]:
    """Which modules the living figures of a page need.

    Examples
    --------
    >>> kinds_in('<script type="application/x-story-arriving" data-kind="tree">abc</script>')
    ['tree']
    """
    return sorted(set(re.findall(rf'<script type="{re.escape(ARRIVING)}" data-kind="(\w+)"', page)))


pictures: dict[str, bytes] = {}
"""The drawings that `output_html` has met, by file name: a page asks for each when it comes into view."""


def _apart(found: re.Match[str]) -> str:
    alt, packed, style = found.groups()
    drawing = base64.b64decode(packed)
    name = f"{hashlib.sha256(drawing).hexdigest()[:16]}.svg"
    pictures[name] = drawing
    size = _SIZE.search(drawing)
    scale = 4 / 3 if size and size[2] else 1  # points to pixels
    room = f' width="{float(size[1]) * scale:.0f}" height="{float(size[3]) * scale:.0f}"' if size else ""
    return f'<img alt="{alt}" src="{PICTURES}/{name}"{room} loading="lazy" style="{style}">'
