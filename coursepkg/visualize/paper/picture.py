"""A picture that brings its words with it, and turns dark where the page is dark.

The one idea: JupyterLab and its exports keep alternative text only in an ``<img alt=...>`` inside HTML output, so a
picture is an SVG together with the sentence that replaces it. An SVG inside an ``<img>`` is told the colour scheme of
the place where it stands, so one rule inside the picture is enough: it turns lightness around, then the hues back, and
each colour, of our drawings and of Matplotlib's alike, keeps its meaning and its contrast.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from coursepkg.tables import FOLDED
from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.style import HIGHLIGHT
from coursepkg.visualize.paper.text import text_width, wrap

# 0.933 takes white to #111111, the ground of JupyterLab's dark theme.
RULE = "<style>@media(prefers-color-scheme:dark){:root{filter:invert(.933) hue-rotate(180deg)}}</style>"
_BEFORE = "#c9ac5c"  # what that makes DARK_HIGHLIGHT of
_GOLD = (
    f'<style>@media(prefers-color-scheme:dark){{[fill="{HIGHLIGHT}"],[style*="fill: {HIGHLIGHT}"]'
    f'{{fill:{_BEFORE}!important}}[stroke="{HIGHLIGHT}"]{{stroke:{_BEFORE}}}}}</style>'
)
# A box that scrolls fades where there is more of its picture. Browsers without this property show it without.
_FADE = (
    "<style>@supports(animation-timeline:scroll()){.coursepkg-scroll{animation:coursepkg-fade linear both;"
    "animation-timeline:scroll(self inline)}@keyframes coursepkg-fade{"
    "0%{mask-image:linear-gradient(90deg,#000 calc(100% - 40px),#0002)}"
    "2%,98%{mask-image:linear-gradient(90deg,#0002,#000 40px calc(100% - 40px),#0002)}"
    "100%{mask-image:linear-gradient(90deg,#0002,#000 40px)}}}</style>"
)
NARROW = 1100  # pixels of a window, below which a wide picture's other version is shown: JupyterLab leaves it half
_LAZY = {
    "figure", "fig", "plot", "a plot", "a figure", "image", "picture", "graph", "chart", "diagram", "drawing", "alt",
    "alt text", "a picture", "an image", "a graph", "todo",
}  # fmt: skip


def adapt(document: str) -> str:
    """The same document, which turns dark where the page is dark.

    Parameters
    ----------
    document : str
        A whole SVG document.

    Returns
    -------
    str
        The document with one style block as the first thing in it. One that has nothing in it comes back unchanged.

    Examples
    --------
    >>> adapt('<svg width="2"><path d="M0 0"/></svg>').count("<style>")
    1
    """
    root = document.find("<svg ")
    end = document.find(">", root) + 1
    if root < 0 or document[end - 2] == "/":
        return document
    gold = _GOLD if HIGHLIGHT in document else ""
    return document[:end] + RULE + gold + svg.letters_when_wide(document) + document[end:]


def check_alt(alt: str) -> str:
    """Return `alt` tidied to one line, or explain what is missing.

    Parameters
    ----------
    alt : str
        What a reader who cannot see the picture should be told.

    Returns
    -------
    str
        The text with runs of white space made single blanks.

    Raises
    ------
    TypeError
        If `alt` is not text.
    ValueError
        If `alt` is empty, or only names the kind of thing ("plot").
    """
    if not isinstance(alt, str):
        raise TypeError(f"alt must be text that says what the picture shows, got {type(alt).__name__}")
    tidy = " ".join(alt.split())
    if tidy.strip(" .!").lower() in _LAZY or len(tidy.split()) < 3:
        raise ValueError(
            f"alt={alt!r} does not say what the picture shows. Write the sentence you would read to a friend over the "
            "phone, e.g. alt='The loss falls from 0.9 to 0.1 in 40 steps'."
        )
    return tidy


@dataclass(frozen=True)
class Picture:
    """An SVG drawing and the words that stand for it.

    Parameters
    ----------
    svg : str
        A whole SVG document.
    alt : str
        What the drawing shows, in a sentence or a few.
    narrow : str, optional
        The same as a drawing for windows of less than 1,100 pixels, of which a text may get half.

    Examples
    --------
    >>> Picture("<svg xmlns='http://www.w3.org/2000/svg'/>", "An empty sheet of paper")
    Figure: An empty sheet of paper
    """

    svg: str
    alt: str
    narrow: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "alt", check_alt(self.alt))

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def html(self) -> str:
        """The picture as HTML. It turns dark where the page is dark, and shrinks with its page while it can be read.

        On a narrower page it scrolls inside its own box, which fades where there is more.
        """
        return _FADE + self.box()

    def box(self) -> str:
        """The same without the rule for fading, for a place where there are no rules."""
        least, most = svg.least_width(self.svg), svg.most_width(self.svg)
        if self.narrow:  # below NARROW the product is negative, and so no bound
            width = f"max-width:100%;min-width:min({least}px,(100vw - {NARROW}px)*999)"
        else:
            width = f"width:{most}px;max-width:100%;min-width:{least}px"
        image = f'<img alt="{escape(self.alt)}" src="{_address(self.svg)}" style="{width};height:auto">'
        if self.narrow:
            small = f'<source media="(max-width:{NARROW}px)" srcset="{_address(self.narrow)}">'
            image = f"<picture>{small}{image}</picture>"
        return f'<div class="coursepkg-scroll" style="overflow-x:auto">{image}</div>'

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": FOLDED + self.html(), "text/plain": repr(self)}


def _address(document: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(adapt(document).encode("utf-8")).decode("ascii")


def lead(title: str) -> str:
    """A title as the first sentence of what a picture shows.

    Examples
    --------
    >>> lead("Two runs.")
    'Two runs. '
    """
    return f"{title.rstrip('. ')}. " if title else ""


def page(width: float, height: float, parts: Iterable[str], alt: str, *, title: str = "", note: str = "") -> Picture:
    """A drawing of this size with its words, a line over it and a few lines under it."""
    top = 28.0 if title else 0.0
    width = max(width, text_width(title, 15) * svg.BOLD + 28)
    drawn = [f'<g transform="translate(0 {svg.number(top)})">', *parts, "</g>"]
    if title:
        drawn.append(svg.text(14, 23, title, size=15, weight="bold", halo=False, role="title"))
    lines = wrap(note, 13, width - 28)
    for row, line in enumerate(lines):
        drawn.append(svg.text(14, top + height + 12 + 19 * row, line, halo=False, role="note"))
    whole = top + height + (19 * len(lines) + 6 if lines else 0)
    words = f"{lead(title)}{alt}{' ' + note if note else ''}"
    return Picture(svg.document(width, whole, drawn, title=title), words)
