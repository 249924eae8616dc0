"""What the site changes while Sphinx writes: places to link to, folds, and answers that search leaves out."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docutils import nodes

from tools.site_notebooks import SECOND_READING, in_the_browser, kinds_in


class Folded(nodes.General, nodes.Element):
    """A part of a page that is folded until it is asked for."""


def open_fold(writer, node) -> None:
    writer.body.append(f'<details class="second-reading"><summary>{node["summary"]}</summary>\n')


def close_fold(writer, node) -> None:
    writer.body.append("</details>\n")


def name_cells(app, doctree) -> None:
    """Give each cell of code the id that the index of figures links to."""
    docname = app.env.docname
    path = Path(app.env.doc2path(docname))
    if path.suffix != ".ipynb":
        return
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            node["ids"].append(f"cell-{cells[node['cell_index']]['id']}")
    if docname.startswith("solutions/"):
        app.env.metadata[docname] |= {"nosearch": True, "orphan": True}  # no menu leads there, and no search


def fold_second_readings(app, doctree, docname) -> None:
    """A section whose tag says that it may wait is folded up to the next heading of its level, as in JupyterLab."""
    for mark in [node for node in doctree.findall(nodes.comment) if node.astext().strip() == SECOND_READING]:
        section = mark.parent
        place = section.index(mark)
        fold = Folded(summary="Read this section")
        fold.extend(section.children[place + 1 :])
        section.children = section.children[:place]
        section.append(fold)


def tidy(app, pagename, templatename, context, doctree) -> None:
    """Folds are called what they show, a notebook says how it is run, and the head asks for what its figures need."""
    context["figure_kinds"] = kinds_in(context.get("body", ""))
    body = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")
    # The corner of a table with names on two sides heads nothing.
    context["body"] = re.sub(r'<th class="head">(<p></p>)?</th>', "<td></td>", body)
    if pagename.startswith(("notebooks/", "exercises/", "solutions/")) and "header_buttons" in context:
        address = f"../{in_the_browser(pagename.replace('solutions/', 'exercises/'))}"
        button = {"type": "link", "url": address, "text": "Run it here", "tooltip": "Run this notebook in your browser"}
        context["header_buttons"].insert(0, button | {"label": "run-it"})


def leave_out(app, what, name, member, skip, options) -> bool | None:
    """A field of a named tuple has no text of its own: the class above it says what it holds."""
    return True if (getattr(member, "__doc__", None) or "").startswith("Alias for field number") else None


def connect(app) -> None:
    app.add_node(Folded, html=(open_fold, close_fold), text=(lambda *_: None, lambda *_: None))
    app.connect("autodoc-skip-member", leave_out)
    app.connect("doctree-read", name_cells)
    app.connect("doctree-resolved", fold_second_readings)
    app.connect("html-page-context", tidy, priority=502)
