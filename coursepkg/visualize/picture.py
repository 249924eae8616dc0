"""A picture that brings its words with it.

The one idea: JupyterLab and its exports keep alternative text only in an ``<img alt=...>`` inside HTML output, so a
picture is an SVG together with the sentence that replaces it, and both travel in every output.
"""

import base64
from dataclasses import dataclass
from html import escape
from pathlib import Path

from coursepkg.tables import FOLDED
from coursepkg.visualize.dark import adapt

_LAZY = {
    "figure", "fig", "plot", "a plot", "a figure", "image", "picture", "graph", "chart", "diagram", "drawing", "alt",
    "alt text", "a picture", "an image", "a graph", "todo",
}  # fmt: skip


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


def image_tag(data: bytes, mime: str, alt: str) -> str:
    """An ``<img>`` that holds its picture and its words, and shrinks to fit the page."""
    encoded = base64.b64encode(data).decode("ascii")
    return f'<img alt="{escape(alt)}" src="data:{mime};base64,{encoded}" style="max-width:100%;height:auto">'


@dataclass(frozen=True)
class Picture:
    """An SVG drawing and the words that stand for it.

    Parameters
    ----------
    svg : str
        A whole SVG document.
    alt : str
        What the drawing shows, in a sentence or a few.

    Examples
    --------
    >>> Picture("<svg xmlns='http://www.w3.org/2000/svg'/>", "An empty sheet of paper")
    Figure: An empty sheet of paper
    """

    svg: str
    alt: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "alt", check_alt(self.alt))

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def html(self) -> str:
        """The picture as one HTML tag, for a widget or a page; it turns dark where the page is dark."""
        return image_tag(adapt(self.svg).encode("utf-8"), "image/svg+xml", self.alt)

    def save(self, path: str | Path) -> Path:
        """Write the drawing to an ``.svg`` file, for paper or slides."""
        target = Path(path)
        if target.suffix != ".svg":
            raise ValueError(f"a Picture is saved as SVG, got the name {target.name!r}; end it in .svg")
        target.write_text(self.svg, encoding="utf-8", newline="\n")
        return target

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": FOLDED + self.html(), "text/plain": repr(self)}


@dataclass(frozen=True)
class RasterPicture(Picture):
    """The same for a picture made of pixels (photographs, dense scatter plots): `png` is drawn, `svg` stays empty."""

    png: bytes = b""

    def html(self) -> str:
        """The picture as one HTML tag, for a widget or a page."""
        return image_tag(self.png, "image/png", self.alt)

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def save(self, path: str | Path) -> Path:
        """Write the picture to a ``.png`` file."""
        target = Path(path)
        if target.suffix != ".png":
            raise ValueError(f"this picture is made of pixels, got the name {target.name!r}; end it in .png")
        target.write_bytes(self.png)
        return target
