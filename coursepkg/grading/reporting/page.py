"""Plain HTML pages that stand alone: no script, no network, everything from outside escaped by the template library.

The words and the layout are in ``templates/``; Jinja2 (https://jinja.palletsprojects.com) fills them in and escapes
what it is given. A page reads without colour, with a screen reader, at any width and on paper: one ``h1``, headings in
order, a caption and header cells for every table. Its content policy forbids scripts, should anything slip through.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from coursepkg.grading.reporting.gradebook import number, plain

VERDICTS = {
    "passed": ("✓", "passed"),
    "wrong": ("✗", "not yet"),
    "error": ("!", "error"),
    "not-attempted": ("○", "not attempted"),
    "missing": ("○", "not handed in"),
    "infrastructure": ("?", "no mark yet"),
    "pending": ("?", "no mark yet"),
}


def render(template: str, **values: Any) -> str:
    """A page from a template.

    Parameters
    ----------
    template : str
        Name of a file in ``templates/``.
    **values
        What it shows. Text is escaped and loses characters that hide or reorder; a name that is missing is an error.
    """
    return environment().get_template(template).render(**values)


@cache
def environment() -> Environment:
    """The templates, with what they may use."""
    made = Environment(
        loader=PackageLoader("coursepkg.grading.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(prose=prose, number=number, anchor=anchor)
    made.globals.update(VERDICTS=VERDICTS)
    return made


def shown(value: object) -> object:
    """What a template puts on the page: markup and numbers as they are, text as a reader can see it."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def in_words(verdict: str) -> str:
    """A verdict as people say it: "not yet" for "wrong"."""
    return VERDICTS.get(verdict, ("", verdict))[1]


def prose(line: str) -> Markup:
    """A line of feedback: escaped, words between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(plain(line)))))


def anchor(title: str) -> str:
    """The id of a section."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
