"""Plain HTML pages that stand alone: no script, no network, everything from outside escaped.

A page reads without colour, with a screen reader, at any width and on paper: one ``h1``, headings in order, a caption
and header cells for every table. Its content policy forbids scripts, should anything ever slip through.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from coursepkg.grading.reporting.gradebook import plain

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --muted: #57606a; --line: #d7dce1; --shade: #f4f6f8; --blue: #0b4f8a;
  --green: #0a5c2b; --red: #a31515; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 66rem; color: var(--ink); background: #fff;
  font: 1rem/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; text-wrap: balance; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .5rem; padding-top: .9rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
p, li { max-width: 46rem; }
.lead { color: var(--muted); margin: 0 0 1.2rem; }
a { color: var(--blue); text-underline-offset: .15em; }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; border-radius: 2px; }
code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; background: var(--shade); padding: .08em .3em;
  border-radius: 3px; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.2rem 0; }
.facts div { background: var(--shade); border-radius: 6px; padding: .7rem .9rem; }
.facts dt { color: var(--muted); font-size: .88rem; }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.note { border-left: 4px solid var(--red); background: #fdf3f2; padding: .6rem .9rem; margin: 1rem 0;
  max-width: 48rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
caption { text-align: left; color: var(--muted); padding: 0 0 .5rem; font-size: .92rem;
  max-width: min(46rem, 100vw - 4rem); }
th, td { text-align: left; vertical-align: top; padding: .42rem .7rem; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; font-size: .9rem; }
tbody th { font-weight: 600; }
tbody tr:hover { background: var(--shade); }
.contents ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; margin: 1rem 0; }
.marks td:last-child { width: 62%; } .marks th { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th code { white-space: nowrap; }
.bar { display: flex; align-items: center; gap: .6rem; }
.bar .contents ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; margin: 1rem 0; }
.marks td:last-child { width: 62%; } .marks th { white-space: nowrap; }
.number { flex: 0 0 3rem; }
.track { flex: 1 1 auto; min-width: 4rem; background: var(--shade); border-radius: 2px; }
.track span { display: block; height: .7rem; background: var(--blue); border-radius: 2px; }
.passed { color: var(--green); } .wrong, .error { color: var(--red); }
.verdict { font-weight: 600; white-space: nowrap; }
.feedback { border-left: 4px solid var(--line); padding: .1rem 0 .1rem .9rem; margin: .4rem 0; max-width: 46rem; }
.feedback p { margin: .35rem 0; }
@media (max-width: 45rem) { td:not(.number):not(:has(.bar)) { min-width: 8.5rem; } }
@media print { .contents { display: none; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } a { color: inherit; }
  h2, h3 { break-after: avoid; } tr, .feedback { break-inside: avoid; } }
""".strip()

VERDICTS = {
    "passed": ("✓", "passed"),
    "wrong": ("✗", "not yet"),
    "error": ("!", "error"),
    "not-attempted": ("○", "not attempted"),
    "missing": ("○", "not handed in"),
    "infrastructure": ("?", "no mark yet"),
    "pending": ("?", "no mark yet"),
}


class Html(str):
    """Text that is markup already; everything else is escaped."""

    __slots__ = ()


def text(value: object) -> Html:
    """Anything as HTML: markup as it is, everything else escaped and without characters that hide or reorder."""
    return value if isinstance(value, Html) else Html(html.escape(plain(str(value))))


def prose(line: str) -> Html:
    """A line of feedback: escaped, words between backticks as code."""
    return Html(re.sub(r"`([^`]+)`", r"<code>\1</code>", text(line)))


def join(parts: Sequence[object], between: str = "\n") -> Html:
    """Several pieces as one."""
    return Html(between.join(text(part) for part in parts))


def element(name: str, content: object, **attributes: str) -> Html:
    """One element; ``class_`` is written for the attribute ``class``."""
    told = "".join(f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{told}>{text(content)}</{name}>")


def page(title: str, body: Sequence[object]) -> str:
    """A whole page around the pieces of its main part."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n"
        f"<body>\n<main>\n{join(body)}\n</main>\n</body>\n</html>\n"
    )


def section(title: str, *content: object) -> Html:
    """A part of a page under its own heading, to which ``contents`` can lead."""
    name = anchor(title)
    return element("section", join([element("h2", title, id=name), *content]), aria_labelledby=name, class_=name)


def anchor(title: str) -> str:
    """The id of a section."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def contents(titles: Sequence[str]) -> Html:
    """Links to the sections of a page."""
    links = [element("li", element("a", title, href=f"#{anchor(title)}")) for title in titles]
    return element("nav", element("ul", join(links, "")), aria_label="Contents", class_="contents")


def facts(pairs: Sequence[tuple[str, object]]) -> Html:
    """A few numbers that tell the whole at a glance."""
    boxes = [element("div", join([element("dt", name), element("dd", value)], "")) for name, value in pairs]
    return element("dl", join(boxes), class_="facts")


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]], numeric: Sequence[int] = ()) -> Html:
    """A table with its caption and header cells; the first column names the row.

    Parameters
    ----------
    caption : str
        What the table shows and how to read it.
    head : sequence of str
        Column titles.
    rows : sequence of sequences
        Cells: text, or ``Html``.
    numeric : sequence of int
        Positions of the columns that hold numbers.
    """
    aligned = {position: "number" for position in numeric}
    titles = [_cell("th", name, aligned.get(k), scope="col") for k, name in enumerate(head)]
    lines = [
        join([_cell("td" if k else "th", cell, aligned.get(k), **({} if k else {"scope": "row"}))
              for k, cell in enumerate(row)], "")
        for row in rows
    ]  # fmt: skip
    inside = [
        element("caption", caption),
        element("thead", element("tr", join(titles, ""))),
        element("tbody", join([element("tr", line) for line in lines])),
    ]
    # A table that is wider than the page scrolls on its own; a keyboard must be able to reach it for that.
    name = caption.partition(".")[0]
    return element("div", element("table", join(inside)), class_="wide", tabindex="0", role="region", aria_label=name)


def _cell(name: str, content: object, kind: str | None, **attributes: str) -> Html:
    return element(name, content, **attributes, **({"class_": kind} if kind else {}))


def bar(words: str, share: float) -> Html:
    """A number, and beside it a bar for the eye, which a screen reader skips."""
    width = 100 * min(max(share, 0.0), 1.0)
    drawn = f'<span class="track" aria-hidden="true"><span style="width:{width:.1f}%"></span></span>'
    return element("span", join([element("span", words, class_="number"), Html(drawn)], ""), class_="bar")


def verdict(name: str) -> Html:
    """A verdict in words, with a sign and a colour that only repeat it."""
    sign, words = VERDICTS.get(name, ("", name))
    mark = element("span", sign, aria_hidden="true")
    kind = name if name in VERDICTS else "other"
    return element("span", join([mark, text(words)], " "), class_=f"verdict {kind}")
