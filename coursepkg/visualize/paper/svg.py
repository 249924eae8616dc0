"""The few SVG elements that the drawings need, as strings.

The one idea: a picture is a list of strings with rounded coordinates, so the same drawing is the same bytes on every
machine. Text carries its width (``textLength``), so it fits its place whatever font the reader has.
"""

import math
import re
from collections.abc import Iterable
from xml.sax.saxutils import escape as _escape

from coursepkg.visualize.paper.style import INK, PAPER
from coursepkg.visualize.paper.text import text_width

FONT = "'DejaVu Sans', Verdana, Geneva, sans-serif"
READ = 8.5  # pixels: the smallest letters of DejaVu Sans that are still read on a phone
BOLD = 1.12  # how much wider the bold face runs
_TEXT, _TALLEST = 960, 560  # pixels: the width of a page's text, and how high a chart may become that grows with it
_GROWN = (1.2, 1.4)  # times the width of a chart, from which on its letters are written smaller
Point = tuple[float, float]
_LETTERS = re.compile(r"\bfont(?:-size)?: (?:bold )?([\d.]+)px")  # as Matplotlib writes their size, in points


def number(value: float) -> str:
    """A coordinate in pixels, rounded to a tenth, without a minus on zero."""
    rounded = round(value * 10) / 10 + 0.0
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.1f}"


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 13,
    fill: str = INK,
    anchor: str = "start",
    weight: str = "normal",
    style: str = "normal",
    role: str = "",
    halo: bool = True,
) -> str:
    """One line of text; `y` is the baseline, `role` a class by which tests and readers find it again."""
    attributes = f' class="{role}"' if role else ""
    if anchor != "start":
        attributes += f' text-anchor="{anchor}"'
    if weight != "normal":
        attributes += f' font-weight="{weight}"'
    if style != "normal":
        attributes += f' font-style="{style}"'
    if halo:
        attributes += f' paint-order="stroke" stroke="{PAPER}" stroke-width="3" stroke-linejoin="round"'
    if len(content) > 1:
        width = text_width(content, size) * (BOLD if weight == "bold" else 1)
        attributes += f' textLength="{number(width)}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{fill}"{attributes}>'
        f"{_escape(content)}</text>"
    )


def path(
    commands: str, *, stroke: str = INK, width: float = 1.4, fill: str = "none", dash: str = "", role: str = ""
) -> str:
    """A path; `commands` are SVG path commands with coordinates already rounded."""
    attributes = f' class="{role}"' if role else ""
    if dash:
        attributes += f' stroke-dasharray="{dash}"'
    return f'<path d="{commands}" fill="{fill}" stroke="{stroke}" stroke-width="{number(width)}"{attributes}/>'


def line(x1: float, y1: float, x2: float, y2: float, **style) -> str:
    """A straight line."""
    return path(f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", **style)


def curve(x1: float, y1: float, x2: float, y2: float) -> str:
    """Path commands for a smooth way from (x1, y1), where the path is, to (x2, y2), level at both ends."""
    if y1 == y2:
        return f"H{number(x2)}"
    middle = number((x1 + x2) / 2)
    return f"C{middle} {number(y1)} {middle} {number(y2)} {number(x2)} {number(y2)}"


def circle(
    x: float, y: float, radius: float, *, fill: str = PAPER, stroke: str = INK, width: float = 1.4, role: str = ""
) -> str:
    """A circle."""
    attributes = f' class="{role}"' if role else ""
    return (
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{number(width)}"{attributes}/>'
    )


def rectangle(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    radius: float = 0,
    fill: str = PAPER,
    stroke: str = INK,
    line_width: float = 1.4,
    dash: str = "",
    role: str = "",
) -> str:
    """A rectangle, its corners rounded by `radius`."""
    attributes = f' class="{role}"' if role else ""
    if dash:
        attributes += f' stroke-dasharray="{dash}"'
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'rx="{number(radius)}" fill="{fill}" stroke="{stroke}" stroke-width="{number(line_width)}"{attributes}/>'
    )


def arrow_head(x: float, y: float, *, size: float = 6, fill: str = INK) -> str:
    """A small triangle whose tip is at (x, y), pointing right."""
    points = f"M{number(x)} {number(y)}l{number(-size)} {number(-size / 2)}v{number(size)}z"
    return f'<path d="{points}" fill="{fill}"/>'


def polygon(points: Iterable[Point], *, closed: bool = True) -> str:
    """Path commands along straight lines from point to point."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + ("z" if closed else "")


def arrow_path(start: Point, stop: Point, *, size: float = 11.0) -> str:
    """Path commands for an arrow: a shaft without a surface, and a head that can be filled."""
    base, head = _head(start, stop, size)
    return polygon([start, base], closed=False) + head


def arrow(
    start: Point, stop: Point, *, stroke: str, width: float = 2.4, size: float = 11.0, dash: str = "", role: str = ""
) -> list[str]:
    """An arrow whose shaft may be dashed; a dot where it is too short to point anywhere."""
    length = math.hypot(stop[0] - start[0], stop[1] - start[1])
    if length < 2:
        return [circle(*stop, 3.5, fill=stroke, stroke=stroke, role=role)]
    base, head = _head(start, stop, min(size, 0.7 * length))
    shaft = line(*start, *base, stroke=stroke, width=width, dash=dash)
    return [shaft, path(head, stroke=stroke, fill=stroke, width=0.5, role=role)]


def _head(start: Point, stop: Point, size: float) -> tuple[Point, str]:
    """Where the head of an arrow begins, and its outline."""
    (x, y), (tip_x, tip_y) = start, stop
    length = math.hypot(tip_x - x, tip_y - y)
    size = min(size, length)
    ux, uy = ((tip_x - x) / length, (tip_y - y) / length) if length else (1.0, 0.0)
    base_x, base_y, wing = tip_x - size * ux, tip_y - size * uy, 0.42 * size
    corners = [(tip_x, tip_y), (base_x - wing * uy, base_y + wing * ux), (base_x + wing * uy, base_y - wing * ux)]
    return (base_x, base_y), polygon(corners)


def document(width: float, height: float, parts: Iterable[str], *, title: str = "") -> str:
    """A whole SVG file, on white paper so that it also reads in a dark notebook."""
    heading = f"<title>{_escape(title)}</title>" if title else ""
    w, h = number(width), number(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" '
        f'font-family="{FONT}">{heading}<rect width="{w}" height="{h}" fill="{PAPER}"/>' + "".join(parts) + "</svg>"
    )


def size_of(picture: str) -> Point:
    """Width and height of a whole SVG document in pixels; Matplotlib says them in points."""
    [tag] = re.findall(r"<svg [^>]*>", picture)[:1] or [""]
    found = [re.search(rf'\b{name}="([\d.]+)(pt)?"', tag) for name in ("width", "height")]
    width, height = (round(float(f[1]) * (4 / 3 if f[2] else 1), 1) if f else 0.0 for f in found)
    return width, height


def least_width(picture: str) -> int:
    """The width in pixels below which the smallest letters of a whole document can no longer be read."""
    # Our own letters say their size in pixels as an attribute, those of Matplotlib in points as a style.
    sizes = [float(found) for found in re.findall(r' font-size="([\d.]+)"', picture)]
    sizes += [4 / 3 * float(found) for found in _LETTERS.findall(picture)]
    return math.ceil(size_of(picture)[0] * min(1.0, READ / min(sizes, default=math.inf)))


def most_width(picture: str) -> int:
    """The width in pixels up to which a document grows: a chart to the width of the text, a drawing not at all."""
    width, height = size_of(picture)
    return round(max(width, min(_TEXT, width * _TALLEST / height)) if _is_chart(picture) else width)


def letters_when_wide(picture: str) -> str:
    """A rule that keeps letters and lines of a chart about as they are while it grows; its axes take the room."""
    width = size_of(picture)[0]
    if most_width(picture) < _GROWN[0] * width or not _is_chart(picture):
        return ""
    rules = ""
    for times in _GROWN:
        rules += f"@media(min-width:{round(times * width)}px){{:not(pattern)>path{{vector-effect:non-scaling-stroke}}"
        for size in sorted(set(_LETTERS.findall(picture))):
            where = f'[style*=": {size}px"],[style*="bold {size}px"]'
            rules += f"{where}{{font-size:{number(float(size) / times)}px!important}}"
        rules += "}"
    return f"<style>{rules}</style>"


def _is_chart(picture: str) -> bool:
    """Whether Matplotlib drew it, which measures in points, about as wide as a page."""
    return 'pt"' in picture[: picture.find(">", picture.find("<svg "))] and size_of(picture)[0] > _TEXT / 2


def nested(picture: str, x: float, y: float) -> str:
    """A whole SVG document as a part of another, its upper left corner at (x, y)."""
    root = picture[picture.index("<svg ") :]
    return root.replace("<svg ", f'<svg x="{number(x)}" y="{number(y)}" ', 1)
