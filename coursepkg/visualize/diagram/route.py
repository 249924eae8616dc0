"""The map of the course, thirteen stops on one line, and the key to the colours of its figures.

The one idea: a learner sees at the top of each chapter what lies behind, where they are, and what comes next.
"""

from dataclasses import dataclass

from coursepkg.visualize.paper import Picture, svg, wrap
from coursepkg.visualize.paper.style import CYCLE, DIVERGING, EDGE, GRADIENT, HIGHLIGHT, INK, MUTED, PAPER, ROUTE, VALUE

CHAPTERS = {
    "00": "Start here",
    "01": "The kitchen: backpropagation by cooking",
    "02": "Scalar backpropagation",
    "03": "Gradient descent",
    "04": "Vector backpropagation",
    "05": "Tensor backpropagation",
    "06": "Training networks",
    "07": "Recurrent networks and backpropagation through time",
    "08": "Memory-efficient backpropagation",
    "09": "The forward gradient",
    "10": "The backpropagation neural tree",
    "11": "Photonic backpropagation",
    "12": "One gradient, many routes",
}

_PER_ROW = 7
_MARGIN, _MARK, _WORDS, _ROW, _WIDTH = 12.0, 84.0, 112.0, 40.0, 372.0
_SAYS = (
    ("values", "green, above their edge"),
    ("gradients", "red, below their edge"),
    ("what moves or is chosen", "a ring around it, or yellow under it"),
    ("signs", "negative blue, positive orange"),
    ("curves", "each with a colour and a dash of its own"),
)


@dataclass(frozen=True)
class _Sizes:
    """Where the stops are, in pixels."""

    step: float
    left: float
    rows: tuple[float, float]
    radius: float
    height: float
    titles: bool  # of all stops; otherwise only of the one where we are and of the next

    @property
    def width(self) -> float:
        return 2 * self.left + (_PER_ROW - 1) * self.step

    def at(self, number: int) -> tuple[float, float]:
        row, place = divmod(number, _PER_ROW)
        return self.left + self.step * (place if row == 0 else _PER_ROW - 1 - place), self.rows[row]


_PAGE = _Sizes(134, 82, (58, 196), 17, 296, titles=True)
_PHONE = _Sizes(45, 36, (30, 94), 14, 190, titles=False)


def route_map(current: str | int) -> Picture:
    """Draw the course as a line with thirteen stops; chapters before `current` are filled, `current` is marked.

    Parameters
    ----------
    current : str or int
        The chapter we are in: "02" or 2.

    Raises
    ------
    ValueError
        If there is no such chapter.

    Examples
    --------
    >>> print(route_map("01").alt[:81])
    The route of the course. You are at chapter 01, The kitchen: backpropagation by c
    """
    key = f"{current:02d}" if isinstance(current, int) else str(current)
    if key not in CHAPTERS:
        raise ValueError(f"there is no chapter {current!r}; chapters run from '00' to '12'")
    here = list(CHAPTERS).index(key)
    return Picture(_drawn(here, _PAGE), _say(key, here), _drawn(here, _PHONE))


def _drawn(here: int, sizes: _Sizes) -> str:
    parts = [_line(len(CHAPTERS) - 1, sizes, 3, "2 7"), _line(here, sizes, 7, "")]
    for number in range(len(CHAPTERS)):
        parts += _stop(number, here, sizes)
    if not sizes.titles:
        for row, (number, word) in enumerate(((here, "You are here"), (here + 1, "Next"))):
            if number < len(CHAPTERS):
                parts += _told(number, word, 134 + 34 * row)
    return svg.document(sizes.width, sizes.height, parts, title="Route of the course")


def _line(last: int, sizes: _Sizes, width: float, dash: str) -> str:
    """The line up to a stop: to the right, round the bend, and back."""
    (x, y), (right, _) = sizes.at(0), sizes.at(_PER_ROW - 1)
    commands = f"M{svg.number(x)} {svg.number(y)}"
    if last >= _PER_ROW:
        bend = svg.number((sizes.rows[1] - sizes.rows[0]) / 2)
        commands += f"H{svg.number(right)}A{bend} {bend} 0 0 1 {svg.number(right)} {svg.number(sizes.rows[1])}"
    return svg.path(f"{commands}H{svg.number(sizes.at(last)[0])}", stroke=ROUTE, width=width, dash=dash, role="line")


def _stop(number: int, here: int, sizes: _Sizes) -> list[str]:
    x, y = sizes.at(number)
    chapter, title = list(CHAPTERS.items())[number]
    radius = sizes.radius + (5 if number == here else 0)
    fill = HIGHLIGHT if number == here else ROUTE if number < here else PAPER
    ink = PAPER if number < here else INK
    parts = [svg.circle(x, y, radius, fill=fill, stroke=ROUTE, width=4 if number == here else 2.5, role="stop")]
    parts.append(svg.text(x, y + 5, chapter, size=14, fill=ink, anchor="middle", weight="bold", halo=False))
    if not sizes.titles:
        return parts
    if number == here:
        parts.append(svg.text(x, y - 31, "you are here", size=12, anchor="middle", weight="bold"))
    weight = "bold" if number == here else "normal"
    for row, line in enumerate(wrap(title, 12 * (svg.BOLD if number == here else 1), sizes.step - 14)):
        fill = INK if number <= here else MUTED
        parts.append(svg.text(x, y + 41 + 16 * row, line, size=12, fill=fill, anchor="middle", weight=weight))
    return parts


def _told(number: int, word: str, y: float) -> list[str]:
    """A stop in words, below the line."""
    chapter, title = list(CHAPTERS.items())[number]
    lines = wrap(f"{word}: {chapter} {title}", 12, _PHONE.width - 20)
    return [svg.text(10, y + 15 * row, line, size=12, halo=False, role="told") for row, line in enumerate(lines)]


def _say(key: str, here: int) -> str:
    titles = list(CHAPTERS.values())
    text = f"The route of the course. You are at chapter {key}, {titles[here]}"
    text += f", stop {here + 1} of {len(titles)}."
    if here:
        text += f" Behind you: {', '.join(titles[:here])}."
    if here + 1 < len(titles):
        text += f" Ahead: {', '.join(titles[here + 1 :])}."
    return text


def draw_legend() -> Picture:
    """Draw the key to the figures: what each colour means, and what says the same without colour.

    Examples
    --------
    >>> draw_legend().alt.split(". ")[:3]
    ['The key to all figures', 'Values: green, above their edge', 'Gradients: red, below their edge']
    """
    parts = [*_numbers(20, "3", VALUE, above=True), *_numbers(20 + _ROW, "−4", GRADIENT, above=False)]
    top = 20 + 2 * _ROW
    parts.append(svg.rectangle(_MARGIN + 22, top - 10, 40, 22, radius=6, stroke=INK, line_width=2.4, fill=HIGHLIGHT))
    for k, colour in enumerate(DIVERGING):
        parts.append(svg.rectangle(_MARGIN + 16 * k, top + _ROW - 8, 16, 16, radius=0, fill=colour, stroke=EDGE))
    for k, dash in enumerate(("", "6 4", "6 3 1 3")):
        y = top + 2 * _ROW - 8 + 8 * k
        parts.append(svg.line(_MARGIN, y, _MARGIN + _MARK, y, stroke=CYCLE[k], width=2.4, dash=dash))
    for k, (name, look) in enumerate(_SAYS):
        y = 17 + _ROW * k
        parts.append(svg.text(_WORDS, y, name, size=14, weight="bold", fill=INK, halo=False))
        parts.append(svg.text(_WORDS, y + 16, look, size=12, fill=MUTED, halo=False))
    says = " ".join(f"{name[0].upper()}{name[1:]}: {look}." for name, look in _SAYS)
    return Picture(svg.document(_WIDTH, 20 + _ROW * len(_SAYS), parts), f"The key to all figures. {says}")


def _numbers(y: float, content: str, colour: str, *, above: bool) -> list[str]:
    """An edge with a number where it stands."""
    place = y - 5 if above else y + 15
    return [
        svg.line(_MARGIN, y, _MARGIN + _MARK, y, stroke=EDGE, width=1.6),
        svg.text(_MARGIN + _MARK / 2, place, content, size=14, anchor="middle", weight="bold", fill=colour, halo=False),
    ]
