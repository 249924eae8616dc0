"""One step of an LSTM or a GRU as a plan: the road of the state on top, the gates that work on it below.

The one idea: what is carried from step to step runs straight through. On that road stand one product with a gate and
one sum, so a gradient that comes back along it is multiplied by the gate and by nothing else (Hochreiter and
Schmidhuber, 1997; Cho et al., 2014).
"""

from coursepkg.visualize.paper import EDGE, GRADIENT, INK, MUTED, PAPER, SHADE, VALUE, Picture, svg

_WIDTH, _HEIGHT = 640.0, 306.0
_ROAD, _MIX, _OUT, _GATES, _BUS = 84.0, 152.0, 186.0, 234.0, 290.0
_FORGET, _ADD, _READ = 150.0, 310.0, 470.0
_SAY = {
    "LSTM": "One step of an LSTM. The cell c[t−1] runs along a road: it is multiplied by the forget gate f, i times g "
    "is added, and it is c[t]. The gates f, i and o and the candidate g are made of h[t−1] and x[t]. The hidden state "
    "h[t] is o times tanh of c[t]. Along the road the gradient comes back times f.",
    "GRU": "One step of a GRU. The state h[t−1] runs along a road: it is multiplied by the gate z, 1 − z times n is "
    "added, and it is h[t]. The gates z and r and the candidate n are made of h[t−1] and x[t]; r says how much of "
    "h[t−1] the candidate reads. Along the road the gradient comes back times z.",
}


def draw_cell(kind: str) -> Picture:
    """Draw the plan of one step.

    Parameters
    ----------
    kind : {"LSTM", "GRU"}
        Which cell.

    Raises
    ------
    ValueError
        If there is no such plan.

    Examples
    --------
    >>> print(draw_cell("GRU").alt.split(". ")[0])
    One step of a GRU
    """
    if kind not in _SAY:
        raise ValueError(f"there are plans of {' and '.join(_SAY)}, not of {kind!r}")
    state, gate = ("c", "f") if kind == "LSTM" else ("h", "z")
    parts = [*_road(state, gate), *(_lstm() if kind == "LSTM" else _gru())]
    return Picture(svg.document(_WIDTH, _HEIGHT, parts, title=f"One step of the {kind}"), _SAY[kind])


def _road(state: str, gate: str) -> list[str]:
    back = _ROAD - 34
    return [
        svg.line(14, _ROAD, _WIDTH - 14, _ROAD, stroke=VALUE, width=4),
        svg.arrow_head(_WIDTH - 6, _ROAD, size=13, fill=VALUE),
        svg.text(14, _ROAD + 20, f"{state}[t−1]", fill=VALUE, weight="bold"),
        svg.text(_WIDTH - 14, _ROAD + 20, f"{state}[t]", fill=VALUE, weight="bold", anchor="end"),
        svg.line(_WIDTH - 14, back, 24, back, stroke=GRADIENT, width=2.4, dash="7 4"),
        svg.path(f"M14 {svg.number(back)}l12 -6v12z", fill=GRADIENT, stroke=GRADIENT),
        svg.text(_WIDTH / 2, back - 10, f"along this road the gradient comes back times {gate}", fill=GRADIENT,
                 anchor="middle", role="road"),
        _sign(_FORGET, _ROAD, "×"), _sign(_ADD, _ROAD, "+"),
    ]  # fmt: skip


def _lstm() -> list[str]:
    gates = {"f": (_FORGET, "forget"), "i": (_ADD - 60, "input"), "g": (_ADD + 60, "candidate"), "o": (_READ, "output")}
    return [
        *_arrow((_FORGET, _GATES), (_FORGET, _ROAD + 13)),
        *_arrow((_ADD - 60, _GATES), (_ADD - 60, _MIX), (_ADD - 13, _MIX)),
        *_arrow((_ADD + 60, _GATES), (_ADD + 60, _MIX), (_ADD + 13, _MIX)),
        *_arrow((_ADD, _MIX), (_ADD, _ROAD + 13)),
        *_arrow((_READ, _ROAD), (_READ, _OUT - 13)),
        *_arrow((_READ, _GATES), (_READ, _OUT + 13)),
        *_arrow((_READ, _OUT), (_WIDTH - 18, _OUT)),
        _sign(_ADD, _MIX, "×"), _sign(_READ, _OUT, "×"), *_box(_READ, _ROAD + 42, "tanh", ""),
        svg.text(_WIDTH - 14, _OUT + 20, "h[t]", fill=VALUE, weight="bold", anchor="end"),
        *_bus([x for x, _ in gates.values()]),
        *(part for name, (x, words) in gates.items() for part in _box(x, _GATES, name, words)),
    ]  # fmt: skip


def _gru() -> list[str]:
    gates = {"z": (_FORGET, "how much stays"), "n": (_ADD + 60, "candidate"), "r": (_READ + 20, "reset")}
    between = (_FORGET + _ADD) / 2
    return [
        *_arrow((_FORGET, _GATES), (_FORGET, _ROAD + 13)),
        *_arrow((_FORGET, _MIX), (_ADD - 13, _MIX)),
        *_arrow((_ADD + 60, _GATES), (_ADD + 60, _MIX), (_ADD + 13, _MIX)),
        *_arrow((_ADD, _MIX), (_ADD, _ROAD + 13)),
        *_arrow((_READ + 20, _GATES), (_ADD + 60 + 34, _GATES)),
        _sign(_ADD, _MIX, "×"), *_box(between, _MIX, "1 − z", ""),
        *_bus([x for x, _ in gates.values()]),
        *(part for name, (x, words) in gates.items() for part in _box(x, _GATES, name, words)),
    ]  # fmt: skip


def _bus(stops: list[float]) -> list[str]:
    """What all gates read."""
    parts = [svg.line(14, _BUS, max(stops), _BUS, stroke=EDGE, width=1.8)]
    parts += [part for x in stops for part in _arrow((x, _BUS), (x, _GATES + 26))]
    return [*parts, svg.text(14, _BUS - 8, "h[t−1], x[t]", fill=VALUE, weight="bold")]


def _sign(x: float, y: float, what: str) -> str:
    return svg.circle(x, y, 13, fill=PAPER, stroke=INK, width=1.6) + svg.text(
        x, y + 5.5, what, size=16, anchor="middle", halo=False
    )


def _box(x: float, y: float, name: str, words: str) -> list[str]:
    """A box with a name; what it does is written to its right."""
    parts = [
        svg.rectangle(x - 26, y - 15, 52, 30, radius=8, fill=SHADE, role="gate"),
        svg.text(x, y + 5, name, anchor="middle", weight="bold", halo=False, size=13 if len(name) > 1 else 14),
    ]
    return [*parts, svg.text(x + 8, y + 34, words, fill=MUTED, size=13)] if words else parts


def _arrow(*points: svg.Point) -> list[str]:
    """A line through the points, with a head at the last."""
    way = svg.path(svg.polygon(points[:-1], closed=False), stroke=EDGE, width=1.8)
    return [way, *svg.arrow(*points[-2:], stroke=EDGE, width=1.8, size=9)]
