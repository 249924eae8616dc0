"""What the colours of all figures say, for chapter 00."""

from coursepkg.visualize.paper import CYCLE, DIVERGING, EDGE, GRADIENT, HIGHLIGHT, INK, MUTED, VALUE, Picture, svg

_LEFT, _MARK, _WORDS, _ROW, _WIDTH = 12.0, 84.0, 112.0, 40.0, 372.0
_SAYS = (
    ("values", "green, above their edge"),
    ("gradients", "red, below their edge"),
    ("what moves or is chosen", "a yellow edge around it"),
    ("signs", "negative blue, positive orange, zero white"),
    ("curves", "each with a colour and a dash of its own"),
)


def draw_legend() -> Picture:
    """Draw the key to the figures: what each colour means, and what says the same without colour.

    Examples
    --------
    >>> draw_legend().alt.split(". ")[:3]
    ['The key to all figures', 'Values: green, above their edge', 'Gradients: red, below their edge']
    """
    parts = [*_numbers(20, "3", VALUE, above=True), *_numbers(20 + _ROW, "−4", GRADIENT, above=False)]
    top = 20 + 2 * _ROW
    parts.append(svg.rectangle(_LEFT + 22, top - 10, 40, 22, radius=6, stroke=HIGHLIGHT, line_width=4, fill="#ffffff"))
    for k, colour in enumerate(DIVERGING):
        parts.append(svg.rectangle(_LEFT + 16 * k, top + _ROW - 8, 16, 16, radius=0, fill=colour, stroke=EDGE))
    for k, dash in enumerate(("", "6 4", "6 3 1 3")):
        y = top + 2 * _ROW - 8 + 8 * k
        parts.append(svg.line(_LEFT, y, _LEFT + _MARK, y, stroke=CYCLE[k], width=2.4, dash=dash))
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
        svg.line(_LEFT, y, _LEFT + _MARK, y, stroke=EDGE, width=1.6),
        svg.text(_LEFT + _MARK / 2, place, content, size=14, anchor="middle", weight="bold", fill=colour, halo=False),
    ]
