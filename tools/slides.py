"""Slides out of the chapters: `make slides`, or `python -m tools.slides [02 ...]`, writes build/slides/.

Nothing is written twice. Each cell of a chapter carries JupyterLab's own mark, ``slideshow.slide_type``: a slide beside
the last one, a subslide below it, speaker notes, or nothing. Of a text cell the slide shows heading, prediction,
formulas and short lists; the rest becomes speaker notes. Of a code cell it shows the output, and the code where
people type along or where the output is text. Figures that move do so on the slide.

Reveal.js and MathJax come from npm once, by pinned hashes, into build/cache. The slides ask no host.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that this file also runs by its path

from tools import site_npm
from tools.notebook_file import ROOT, read, tags
from tools.reading import NO_HEADING, level
from tools.typing_along import KEY

BUILD = ROOT / "build"
SLIDES = BUILD / "slides"
REVEAL = site_npm.Package(
    "reveal.js",
    "4.6.1",
    "d425b46ae69734f9b09af43b4f0a6ccf0571322d97af97134b72771010bf1c78"
    "1b3c5df60e7eda8aefcb2960ce1a331b683c0a4221a67ea728190ef81d41c233",
    "The slides need reveal.js",
)
REVEAL_PARTS = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js", "LICENSE")
KINDS = ("slide", "subslide", "fragment", "skip", "notes")
WORDS_OF_A_PARAGRAPH, WORDS_OF_A_LIST = 45, 100
LEFT_OUT = ("Papers",)  # headings that have no slide
PREPARATION = ("**You need", "**Before you start", "**Time", "**Now do it yourself")
GUESS = re.compile(r"^(predict\(\)|from coursepkg\.predictions import predict)\n+", re.M)
ITEM = re.compile(r"^(?:[-*]|\d+\.) (?:\*\*[^*]+[.:]\*\*|.+?[.!?][\"*]*(?=\s|\Z))", re.M | re.S)
ANSWER = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.S)


@dataclass
class Slide:
    """One slide: what is seen, from top to bottom, as HTML, and what the speaker reads."""

    title: str
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    opens: bool = False  # a column, as a section of the chapter does


# --- from a chapter to slides ----------------------------------------------------------------------------------------


def kind(cell: NotebookNode) -> str:
    """The mark of a cell; one without a mark is shown if it has a heading, a prediction or an output."""
    marked = cell.metadata.get("slideshow", {}).get("slide_type")
    if marked is not None:
        return str(marked)
    if cell.cell_type == "markdown":
        return "subslide" if level(cell) < NO_HEADING or "**Predict" in cell.source else "notes"
    return "subslide" if cell.outputs else "skip"


def deck(chapter: NotebookNode) -> list[list[Slide]]:
    """The slides of a chapter: columns from left to right, and in each the slides from top to bottom."""
    columns: list[list[Slide]] = []
    title = ""
    for cell in chapter.cells:
        mark = kind(cell)
        if mark == "skip":
            continue
        made = list(_of_text(cell, title) if cell.cell_type == "markdown" else _of_code(cell, title))
        if mark == "notes" or (mark == "fragment" and columns):
            for slide in made:
                if columns:
                    columns[-1][-1].body += slide.body if mark == "fragment" else []
                    columns[-1][-1].notes += slide.notes or slide.body
            continue
        for slide in made:
            title = slide.title
            if columns and not slide.body and not slide.opens:
                columns[-1][-1].notes += slide.notes
            elif slide.opens or not columns:
                columns.append([slide])
            else:
                columns[-1].append(slide)
    return columns


def _of_text(cell: NotebookNode, title: str) -> Iterator[Slide]:
    """A slide for each heading of a text cell; one without a heading goes on under the title above."""
    if kind(cell) == "notes":
        yield Slide(title, notes=[markdown(cell.source)])
        return
    # What is folded is said where it stood; a heading in it begins no slide.
    answers: list[str] = []

    def taken(found: re.Match[str]) -> str:
        answers.append(markdown(f"*{found[1]}.* {re.sub('(?m)^#+ .*', '', found[2]).strip()}"))
        return f"\0{len(answers) - 1}\0"

    for part in re.split(r"(?m)^(?=#{1,6} )", ANSWER.sub(taken, cell.source)):
        folded = [answers[int(number)] for number in re.findall("\0(\\d+)\0", part)]
        text = re.sub("\0\\d+\0", "", part)
        found = re.match(r"#{1,6} (.*)\n?", text)
        name = found[1].strip() if found else title
        if name in LEFT_OUT or not (text.strip() or folded):
            continue
        seen, said = split(text[found.end() :] if found else text)
        opens = bool(re.match(r"##? ", text))
        yield Slide(name, [markdown(each) for each in seen], [markdown(each) for each in said] + folded, opens)


def split(text: str) -> tuple[list[str], list[str]]:
    """The paragraphs of a text that a slide shows, and those that are said."""
    paragraphs = [each.strip() for each in re.split(r"\n\s*\n", text) if each.strip()]
    seen = [each if _is_shown(each) else _beginnings(each) for each in paragraphs if _is_shown(each) or _is_list(each)]
    if paragraphs and not any(map(_is_shown, paragraphs)) and not _is_list(paragraphs[0]):
        seen.insert(0, _first_sentence(paragraphs[0]))
    return seen, [each for each in paragraphs if each not in seen]


def _is_list(paragraph: str) -> bool:
    return bool(re.match(r"[-*] |\d+\. ", paragraph))


def _beginnings(long_list: str) -> str:
    """A long list with the first sentence of each item, or the words in bold that open it."""
    return "\n".join(each[0].replace(":**", "**") for each in ITEM.finditer(long_list))


def _is_shown(paragraph: str) -> bool:
    words = len(paragraph.split())
    if paragraph.startswith(("**Predict", "$$", "|")):
        return True
    if _is_list(paragraph):
        return words <= WORDS_OF_A_LIST
    return paragraph.startswith("**") and not paragraph.startswith(PREPARATION) and words <= WORDS_OF_A_PARAGRAPH


def _first_sentence(paragraph: str) -> str:
    """The first sentence of a long paragraph; initials and the like end none."""
    if len(paragraph.split()) <= WORDS_OF_A_PARAGRAPH:
        return paragraph
    return re.split(r"(?<=[.!?:])(?<!\b[A-Z]\.)\s+(?=[A-Z*$`\[])", paragraph, maxsplit=1)[0]


def _of_code(cell: NotebookNode, title: str) -> Iterator[Slide]:
    """What a cell shows; its code with it where people type, or where the output is only text."""
    shown = [each for each in map(output_html, cell.outputs) if each]
    source = GUESS.sub("", cell.source).strip("\n")
    pictures = [each for each in shown if not each.startswith("<pre")]
    texts = [each for each in shown if each.startswith("<pre")]
    with_code = KEY in tags(cell) or (texts and not pictures)
    notes = [] if with_code else [code(source)]
    first = [code(source)] if with_code else []
    if KEY in tags(cell) and pictures:
        yield Slide(title, first + texts)
        yield Slide(title, pictures)
    elif first or shown:
        yield Slide(title, first + texts + pictures, notes)


def output_html(output: NotebookNode) -> str:
    """One output of a cell as HTML; nothing for the line that repeats the guess."""
    if output.output_type == "stream":
        text = re.sub(r"^Your guess: .*\n?", "", output.text, flags=re.M).rstrip()
        return f"<pre class='output'>{html.escape(text)}</pre>" if text else ""
    data = output.get("data", {})
    if "text/html" in data:
        shown = re.sub(r"(?<=\d) %(?=</td>)", "\u00a0%", data["text/html"])
        return f"<div class='picture'>{shown}</div>"
    if "text/latex" in data:
        return f"<div class='picture'>{data['text/latex']}</div>"
    text = str(data.get("text/plain", ""))
    return f"<pre class='output'>{html.escape(text)}</pre>" if text else ""


def markdown(text: str) -> str:
    """Markdown with formulas left for MathJax; links lose their targets, which a slide has not beside it."""
    text = re.sub(r"(?<!\!)\[([^\]]*)\]\((?![a-z]+:)[^)]*\)", r"\1", text)
    return str(_renderer().render(text)).replace("&#182;", "")


@cache
def _renderer() -> Any:
    """Nbconvert's reader of Markdown; to make one takes longer than to use it."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return MarkdownWithMath(renderer=IPythonRenderer(escape=False))


@cache
def _colours() -> Any:
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return PythonLexer(), HtmlFormatter()


def code(source: str) -> str:
    """A cell's code in colours."""
    from pygments import highlight

    return f"<div class='code'>{highlight(source, *_colours())}</div>"


# --- pages -----------------------------------------------------------------------------------------------------------

STYLE = """
:root{--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--wash:#f6f8fa;--key:#0550ae;--word:#8250df;--text:#0a5c2b}
@media(prefers-color-scheme:dark){:root{--paper:#111;--ink:#e6edf3;--soft:#9aa4af;--line:#30363d;--wash:#1b2027;
--key:#79c0ff;--word:#d2a8ff;--text:#7ee787}}
html,body.reveal-viewport{background:var(--paper)}
.reveal{font:26px/1.4 system-ui,"DejaVu Sans",sans-serif;color:var(--ink)}
.reveal .slides{text-align:left}.reveal .slides section{padding:0;height:720px}
.reveal h1{font-size:52px;line-height:1.15;margin:170px 0 .5em}
.reveal h2{font-size:36px;line-height:1.2;margin:0 0 .5em}
.reveal h1,.reveal h2,.fit strong,.fit th{font-weight:650}.fit em{font-style:italic}
.reveal h2.again{font-size:20px;color:var(--soft);margin:0 0 .6em}
.reveal h2:has(+.body:empty){font-size:52px;margin-top:290px}
.reveal .controls{font-size:6px;color:var(--soft)}
.reveal .slide-number{right:64px;background:none;color:var(--soft)}.reveal .slide-number a{color:inherit}
.fit{padding:26px 40px 0;box-sizing:border-box;width:1280px}
.fit p,.fit ul,.fit ol{margin:.5em 0}.fit li{margin:.3em 0 .3em 1.2em}
.fit table{border-collapse:collapse;font-size:20px;margin:.4em 0;max-width:100%}
.fit td,.fit th{padding:.25em .7em;border-bottom:1px solid var(--line)}
.picture>div:has(>table){overflow:visible!important;container-type:normal!important}
.picture caption{max-width:none!important}
.fit pre{font:20px/1.4 ui-monospace,"DejaVu Sans Mono",monospace;margin:.4em 0}
.fit .code pre{background:var(--wash);border:1px solid var(--line);border-radius:8px;padding:14px 18px}
.fit .output{color:var(--ink);padding:4px 18px;white-space:pre-wrap;overflow-wrap:anywhere}
.fit code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.9em}
.code .k,.code .kn,.code .ow,.code .kc{color:var(--word)}
.code .s1,.code .s2,.code .sd,.code .sa,.code .si{color:var(--text)}
.code .nf,.code .nc,.code .mf,.code .mi,.code .o{color:var(--key)}.code .c1{color:var(--soft)}
.picture{margin:.3em 0;background:var(--paper)}
.again~.picture:only-of-type,.picture{max-width:1200px}
a{color:var(--key)}details,.anchor-link{display:none}
"""

SCRIPT = """
const SMALLEST = 0.5, LARGEST = 1.5, LARGEST_WITH_CODE = 1.6;
const deck = new Reveal({
  width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 4, center: false,
  hash: true, transition: "none", slideNumber: "c/t", plugins: [RevealNotes],
  keyboardCondition: (event) => !event.composedPath().some(inFigure),
});
// A figure takes its own keys; it is left with Tab or by a click beside it.
function inFigure(node) { return node.tagName === "COURSEPKG-FIGURE"; }
// Nobody scrolls a figure on a wall: one that would have to be may be wider than on a page, and the slide smaller.
function scrolls(figure) {
  const root = figure.shadowRoot ?? figure, boxes = [...root.querySelectorAll(".scroll")];
  const wide = boxes.some((box) => box.scrollWidth > box.clientWidth + 1);
  if (wide) root.querySelector("figure").style.maxWidth = "none";
  return wide;
}
// What is larger than the slide becomes smaller, and what is small grows a little; a lone picture fills what is left.
function fit() {
  const slide = deck.getCurrentSlide(), body = slide.querySelector(":scope > .fit > .body");
  if (!body) return;
  const room = 680 - body.previousElementSibling.offsetHeight - body.previousElementSibling.offsetTop, wide = 1200;
  const pictures = [...body.querySelectorAll(".picture")], figures = [...body.querySelectorAll("coursepkg-figure")];
  const images = [...body.querySelectorAll(".picture img:not(coursepkg-figure *)")];
  body.style.zoom = 1;
  body.style.width = `${wide}px`;
  for (const picture of pictures) picture.style.zoom = 1;
  if (images.length === 1 && pictures.length === 1) {
    const [image] = images, rest = body.offsetHeight - image.offsetHeight;
    pictures[0].style.zoom = Math.max(0.3, Math.min(3, wide / image.offsetWidth, (room - rest) / image.offsetHeight));
  }
  // Other letters break lines elsewhere, so this is tried until it fits.
  const first = images.length ? 1 : body.querySelector("pre") ? LARGEST_WITH_CODE : LARGEST;
  for (let zoom = first; zoom >= SMALLEST; zoom -= 0.05) {
    body.style.zoom = zoom;
    body.style.width = `${wide / zoom}px`;
    if (body.offsetHeight * zoom <= room && body.scrollWidth <= body.offsetWidth + 1 && !figures.some(scrolls)) break;
  }
}
deck.initialize().then(async () => {
  await window.MathJax?.startup?.promise;
  deck.on("slidechanged", fit);
  fit();
  new ResizeObserver(fit).observe(document.body);
  document.documentElement.dataset.ready = "yes";
});
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="vendor/reveal/dist/reset.css"><link rel="stylesheet" href="vendor/reveal/dist/reveal.css">
<style>{style}</style>
<script>window.MathJax = {{loader: {{load: ["input/tex", "output/chtml", "a11y/assistive-mml"]}},
tex: {{inlineMath: [["$", "$"]]}}, options: {{enableMenu: false}}}};</script>
<script src="vendor/mathjax/startup.js" async></script></head>
<body><div class="reveal"><div class="slides">
{sections}
</div></div>
<script src="vendor/reveal/dist/reveal.js"></script><script src="vendor/reveal/plugin/notes/notes.js"></script>
<script>{script}</script></body></html>
"""


def page(chapter: NotebookNode) -> str:
    """The slides of a chapter as one page."""
    columns = deck(chapter)
    title = columns[0][0].title
    shown: set[str] = set()
    sections = []
    for column in columns:
        parts = []
        for slide in column:
            parts.append(_section(slide, first=slide is columns[0][0], again=slide.title in shown))
            shown.add(slide.title)
        sections.append("<section>\n" + "\n".join(parts) + "\n</section>")
    return PAGE.format(title=html.escape(title), style=STYLE, script=SCRIPT, sections="\n".join(sections))


def _section(slide: Slide, *, first: bool, again: bool) -> str:
    name = markdown(slide.title).removeprefix("<p>").strip().removesuffix("</p>")
    mark = "again" if again else ""
    heading = f"<h1>{name}</h1>" if first else f"<h2 class='{mark}'>{name}</h2>"
    notes = f"<aside class='notes'>{''.join(slide.notes)}</aside>" if slide.notes else ""
    return f"<section><div class='fit'>{heading}<div class='body'>{''.join(slide.body)}</div></div>{notes}</section>"


def contents(names: dict[str, str]) -> str:
    """The page that leads to all slides."""
    rows = "".join(f"<li><a href='{file}'>{html.escape(title)}</a></li>" for file, title in names.items())
    style = "body{font:20px/1.6 system-ui,sans-serif;max-width:40em;margin:3em auto;color-scheme:light dark}"
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='color-scheme' content='light dark'>"
        f"<title>Slides</title><style>{style}</style><h1>Slides</h1><p>Arrow keys move, S opens the speaker's notes, "
        f"F fills the screen, Esc shows all slides.</p><ul style='list-style:none;padding:0'>{rows}</ul></html>"
    )


# --- files -----------------------------------------------------------------------------------------------------------


def vendor(target: Path) -> None:
    """Reveal.js and MathJax, with their licences, into the folder of the slides."""
    for name, content in site_npm.content(REVEAL).items():
        if name in REVEAL_PARTS or name.startswith("plugin/notes/"):
            path = target / "reveal" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    site_npm.lay_out_mathjax(target / "mathjax")


def chapters(numbers: Sequence[str] = ()) -> list[Path]:
    """The chapters with these two digits, or all."""
    found = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    return [path for path in found if not numbers or path.name[:2] in numbers]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="chapters by their two digits (default: all)")
    options = parser.parse_args(arguments)
    SLIDES.mkdir(parents=True, exist_ok=True)
    vendor(SLIDES / "vendor")
    for path in chapters(options.chapters):
        columns = deck(read(path))
        (SLIDES / f"{path.stem}.html").write_text(page(read(path)), encoding="utf-8")
        print(f"{path.stem}: {sum(map(len, columns))} slides")
    titles = {f"{path.stem}.html": deck(read(path))[0][0].title for path in chapters()}
    (SLIDES / "index.html").write_text(contents(titles), encoding="utf-8")
    print(f"Open {SLIDES.relative_to(ROOT)}/index.html in a browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
