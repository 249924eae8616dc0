"""Handouts out of the chapters: `make handouts`, or `python -m tools.handouts [02 ...]`, writes build/handouts/*.pdf.

Two pages a chapter, for paper and pencil: a graph or figure to be completed by hand, and the formulas; then the
questions that the chapter asks, and those with which it closes. All of it is taken from the chapter itself. The figure
is the output of the cell with the tag ``handout``. Beside them a sheet with the ten questions of chapter 00, and a form
for feedback.

Chromium prints the pages. MathJax comes from npm once, by a pinned hash.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that this file also runs by its path

from coursepkg.grading.learning.inventory_questions import QUESTIONS, Question
from tools import site_npm
from tools.notebook_file import ROOT, read, tags
from tools.reading import readings
from tools.slides import chapters, markdown, output_html

HANDOUTS = ROOT / "build" / "handouts"
MARK = "handout"
MOST_PREDICTIONS = 12
FOLDED_ANSWER = re.compile(r"<details>.*?</details>", re.S)
TASKS = {  # what is done with the figure of a chapter, on paper
    "01": "Write the portions that one more of each thing brings below its edge, from right to left.",
    "02": "Write the gradient of f below each edge, from right to left. Begin with 1.",
    "03": "Draw the next two steps of each walk. Which of the three never arrives?",
    "04": "These are the products from the output. Draw the same from the input. How many multiplications are that?",
    "05": "Choose an entry of Y and circle all that moves it. Then choose an entry of W and circle all that it moves.",
    "06": "Write the values into the circles, then what is sent back below each arrow.",
    "07": "A circuit with both passes. Below it, draw two steps of h = w h + u x with one weight w, and both numbers.",
    "08": "Cross out what a sketch with a quarter of the rows makes smaller, and draw what is left.",
    "09": "Draw another direction v, its shadow on the gradient, and the estimate that it gives.",
    "10": "Number the nodes in the order of the forward pass, and in red in that of the backward pass.",
    "11": "Draw the same interferometer with the light coming from the right, into the top port. What is the same?",
    "12": "Mark 27 parameters on the axis. Which route is cheapest there, and where do two of them cross?",
}
STYLE = """
@page{size:A4;margin:0}html{color-scheme:light}body{margin:0;font:11.5pt/1.4 "DejaVu Serif",Georgia,serif;color:#111}
.page{width:210mm;height:296.5mm;padding:14mm 16mm 12mm;box-sizing:border-box;overflow:hidden;break-after:page}
.page{position:relative}.page:last-child{break-after:auto}
.foot{position:absolute;bottom:7mm;left:16mm;right:16mm;font-size:8pt;color:#555;display:flex;justify-content:space-between}
h1{font-size:20pt;margin:0 0 2mm}h2{font-size:13pt;margin:5mm 0 2mm;border-bottom:.3mm solid #999}p{margin:1.5mm 0}
ol,ul{margin:1mm 0;padding-left:7mm}li{margin:1.2mm 0}.line{display:block;border-bottom:.2mm solid #999;height:7mm}
.figure{text-align:center}.figure img{max-width:100%}.space{height:42mm;border:.2mm dashed #bbb;margin-top:2mm}
.promise{font-style:italic}.where{font-size:8pt;color:#555;white-space:nowrap}.formulas{columns:2;column-gap:8mm}.formulas>div{break-inside:avoid}
.options{display:grid;grid-template-columns:1fr 1fr;gap:0 5mm}.question{break-inside:avoid;margin:4mm 0}
.code{border:.3mm solid #111;padding:2.5mm;margin:2mm 0}.code b{font-size:14pt;letter-spacing:3mm}a{color:inherit}
table{border-collapse:collapse;width:100%}td,th{border:.2mm solid #999;padding:1.5mm;text-align:left}
"""
SCRIPT = """
MathJax.startup.promise.then(() => {
  for (const page of document.querySelectorAll(".page")) {
    const body = page.querySelector(".body"), room = page.clientHeight - 100;
    for (let zoom = 1; zoom > 0.5 && body.getBoundingClientRect().height > room; zoom -= 0.03) body.style.zoom = zoom;
    page.dataset.full = Math.round(100 * body.getBoundingClientRect().height / room);
    page.dataset.zoom = body.style.zoom || 1;
  }
  document.documentElement.dataset.ready = "yes";
});
"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>
<script>window.MathJax = {{loader: {{load: ["input/tex", "output/chtml"]}}, tex: {{inlineMath: [["$", "$"]]}},
options: {{enableMenu: false}}}};</script><script src="vendor/mathjax/startup.js"></script>
<body>{pages}<script>{script}</script></body></html>
"""


# --- what is on them -------------------------------------------------------------------------------------------------


def first_reading(chapter: NotebookNode) -> str:
    """All text of the first reading, without what is folded."""
    cells = [cell for cell in readings(chapter.cells)[0] if cell.cell_type == "markdown"]
    text = "\n\n".join(cell.source for cell in cells)
    return FOLDED_ANSWER.sub("", text)


def figure(chapter: NotebookNode) -> str:
    """The picture to work on: the first output with one, of the cell marked for it."""
    marked = [cell for cell in chapter.cells if MARK in tags(cell)]
    if len(marked) != 1:
        raise ValueError(f"{len(marked)} cells have the tag {MARK!r}, and a handout has one figure")
    found = re.search(r'<img alt="[^"]*" src="[^"]*"[^>]*>', "".join(map(output_html, marked[0].outputs)))
    if found is None:
        raise ValueError(f"cell {marked[0].id} has the tag {MARK!r} and shows no picture")
    return re.sub(r' style="[^"]*"', "", found[0])


def formulas(chapter: NotebookNode) -> list[tuple[str, str]]:
    """The formulas that stand on a line of their own, each once, with the heading above it where that is a new one."""
    found: dict[str, str] = {}
    heading = ""
    for title, formula in re.findall(r"^#+ ([^\n]*)$|(\$\$.*?\$\$)", first_reading(chapter), re.M | re.S):
        heading = title or heading
        if formula:
            found.setdefault(formula.strip(), re.sub(r"^\d+ · ", "", heading))
    headings = list(found.values())
    return [(h if h not in headings[:i] else "", formula) for i, (formula, h) in enumerate(found.items())]


def predictions(chapter: NotebookNode) -> list[tuple[str, str]]:
    """What the chapter asks before it shows, the first twelve, each with its section.

    What the figure on the first page answers is left out.
    """
    asked: list[tuple[str, str]] = []
    where = ""
    for cell in readings(chapter.cells)[0]:
        if cell.cell_type == "markdown":
            text = FOLDED_ANSWER.sub("", cell.source)
            for title, question in re.findall(r"^## ([^\n]*)$|\*\*Predict:\*\* (.*?)(?:\n\s*\n|\Z)", text, re.M | re.S):
                where = title or where
                if question:
                    asked.append((where, question))
        elif MARK in tags(cell) and cell.source.startswith("predict()"):
            asked.pop()
    return [(_place(title), _plain(question)) for title, question in asked][:MOST_PREDICTIONS]


def _place(title: str) -> str:
    """ "section 5" for "5 · Light sent back"; a heading without a number as it is."""
    number = re.match(r"\d+ ·", title)
    return f"section {number[0].split()[0]}" if number else title


def _plain(question: str) -> str:
    """A question on one line, without what is asked of a cell."""
    text = re.sub(r" Write your number between .*$", "", " ".join(question.split()))
    return text[0].upper() + text[1:]


def section(chapter: NotebookNode, *titles: str) -> str:
    """The text below the first of these headings that there is."""
    for title in titles:
        found = re.search(rf"^#+ {title}\s*$(.*?)(?=^#+ |\Z)", first_reading(chapter), re.M | re.S)
        if found:
            return found[1].strip()
    return ""


def questions(chapter: NotebookNode) -> list[str]:
    """The questions with which a chapter closes, without their answers."""
    text = section(chapter, "Check yourself", "Ask yourself", "Three questions to yourself")
    parts = re.split(r"^(?:\*\*)?\d\.(?:\*\*)?\s+", text, flags=re.M)[1:]
    return [" ".join(each.split()) for each in parts]


# --- pages -----------------------------------------------------------------------------------------------------------


def handout(path: Path) -> str:
    """The two pages of a chapter, as HTML."""
    chapter, number = read(path), path.name[:2]
    opening = chapter.cells[0].source
    title, promise = opening.splitlines()[0].removeprefix("# "), re.search(r"^\*\*(.*?)\*\*$", opening, re.M)
    first = f"<h1>{_inline(title)}</h1>"
    first += f"<p class='promise'>{_inline(promise[1])}</p>" if promise else ""
    first += f"<h2>By hand</h2><p>{_inline(TASKS[number])}</p><div class='figure'>{figure(chapter)}</div>"
    first += "<div class='space'></div>"
    shown = "".join(
        f"<div><span class='where'>{_inline(where)}</span>{markdown(each)}</div>" for where, each in formulas(chapter)
    )
    first += f"<h2>Formulas</h2><div class='formulas'>{shown}</div>" if shown else ""
    asked = "".join(
        f"<li>{_inline(each)} <span class='where'>{_inline(where)}</span><span class='line'></span></li>"
        for where, each in predictions(chapter)
    )
    closing = "".join(f"<li>{_inline(each)}<span class='line'></span></li>" for each in questions(chapter))
    second = f"<h2>Your guess, before you see</h2><ol>{asked}</ol><h2>Check yourself</h2><ol>{closing}</ol>"
    return _document(title, [first, second])


def ten_questions() -> str:
    """The sheet of the ten questions, with a field for a code that its writer makes up."""
    code = (
        "<div class='code'>Your code, so that your two sheets find each other and nobody knows whose they are: the "
        "last two letters of the street where you grew up, the day of the month on which you were born, the first two "
        "letters of a friend's name."
        "<p><b>_ _ _ _ _ _</b> &nbsp; &#9744; first sheet &nbsp; &#9744; second sheet</p></div>"
    )
    intro = "<p>Alone, without help, ten minutes. A guess is fine. Nobody is marked by this.</p>"
    half = len(QUESTIONS) // 2
    first, second = ("".join(map(_question, part)) for part in (QUESTIONS[:half], QUESTIONS[half:]))
    return _document("Ten questions", [f"<h1>Ten questions</h1>{code}{intro}{first}", second])


def _question(question: Question) -> str:
    options = "".join(
        f"<span>&#9744; {letter} &nbsp;{html.escape(option.text)}</span>" for letter, option in question.options.items()
    )
    text = html.escape(question.text)
    return f"<div class='question'><b>{question.number}.</b> {text}<div class='options'>{options}</div></div>"


FORM = (
    "One thing that you understood today and had not before",
    "One thing that is still unclear",
    "Where were we too fast? Where too slow?",
    "Which figure, exercise or sentence helped most?",
    "What would you leave out?",
)


SCALE = (
    "I could follow.",
    "I knew what to do in the exercises.",
    "The checks told me what I had thought.",
    "I would use what I learned.",
)


def feedback_form() -> str:
    """One page that asks what helped, what is unclear, and for the pace."""
    scale = "".join(f"<tr><td>{text}</td>{'<td>&#9744;</td>' * 5}</tr>" for text in SCALE)
    asked = "".join(f"<h2>{text}</h2>{'<span class=line></span>' * 3}" for text in FORM)
    table = f"<table><tr><th></th><th>no</th><th></th><th></th><th></th><th>yes</th></tr>{scale}</table>"
    return _document(
        "How was it?", [f"<h1>How was it?</h1><p>No name, please. Two minutes are enough.</p>{table}{asked}"]
    )


def _inline(text: str) -> str:
    return markdown(text).strip().removeprefix("<p>").removesuffix("</p>")


def _document(title: str, pages: Sequence[str]) -> str:
    name = html.escape(title)
    made = "".join(
        f"<section class='page'><div class='body'>{page}</div><div class='foot'><span>{name}</span>"
        f"<span>{number} of {len(pages)} · text and figures CC BY 4.0</span></div></section>"
        for number, page in enumerate(pages, 1)
    )
    return PAGE.format(title=name, style=STYLE, pages=made, script=SCRIPT)


# --- files -----------------------------------------------------------------------------------------------------------


def every_page(numbers: Sequence[str] = ()) -> dict[str, str]:
    """Names of files without their ending, and their HTML."""
    made = {path.stem: handout(path) for path in chapters(numbers) if path.name[:2] in TASKS}
    if not numbers or "00" in numbers:
        made |= {"ten_questions": ten_questions(), "feedback_form": feedback_form()}
    return made


def pages_in(pdf: bytes) -> int:
    """How many pages a PDF by Chromium has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="chapters by their two digits; 00 for both forms (default: all)")
    options = parser.parse_args(arguments)
    from tools import lab

    executable = lab.find_browser()
    if executable is None:
        sys.exit("Handouts are printed by Chromium or Chrome, and none was found here.")
    HANDOUTS.mkdir(parents=True, exist_ok=True)
    site_npm.lay_out_mathjax(HANDOUTS / "vendor" / "mathjax")
    failed = 0
    with lab.chromium(executable) as browser:
        for name, text in every_page(options.chapters).items():
            source = HANDOUTS / f"{name}.html"
            source.write_text(text, encoding="utf-8")
            page = browser.new_page()
            page.goto(source.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
            filled = page.eval_on_selector_all(".page", "pages => pages.map(p => [+p.dataset.full, +p.dataset.zoom])")
            pdf = page.pdf(path=str(HANDOUTS / f"{name}.pdf"), prefer_css_page_size=True, print_background=True)
            page.close()
            wrong = pages_in(pdf) != len(filled) or any(full > 100 for full, _ in filled)
            failed += wrong
            sizes = ", ".join(f"{full} % full at {zoom:.0%}" for full, zoom in filled)
            print(f"{'TOO FULL ' if wrong else ''}{name}.pdf: {pages_in(pdf)} pages, {sizes}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
