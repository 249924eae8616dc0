"""Two ways through a network, moment by moment: what has to be kept for backpropagation, and what for a forward pass.

The one idea: backpropagation goes up and comes back, so everything on the way up must stay. A value with its tangent
goes up once, and the layer it has left can be forgotten.
"""

from coursepkg.visualize.paper import CYCLE, EDGE, GRADIENT, INK, MUTED, PAPER, VALUE, Picture, plural, svg

_STEP, _BOX, _HIGH, _LEFT = 80.0, 56.0, 46.0, 24.0


def draw_two_ways(layers: int, moment: int) -> Picture:
    """Draw both methods after a number of moves; each move takes one layer.

    Parameters
    ----------
    layers : int
        Depth of the network, 2 to 8.
    moment : int
        Moves made so far, from 0 to twice the depth; the forward gradient is done after half of them.

    Raises
    ------
    ValueError
        If the depth or the moment is out of range.

    Examples
    --------
    >>> print(draw_two_ways(4, 4).alt)
    Move 4 of 8 through a network of 4 layers. Backpropagation has reached the loss and keeps 4 layers. The forward \
gradient has reached the loss and keeps 1 layer, as value and tangent.
    """
    if not 2 <= layers <= 8 or not 0 <= moment <= 2 * layers:
        raise ValueError(f"2 to 8 layers and a moment from 0 to twice that; got {layers} and {moment}")
    back = max(moment - layers, 0)
    reached = min(moment, layers)
    kept = [k < reached - back for k in range(layers)]
    here = layers - back - 1 if 0 < back < layers else reached - 1 if not back else -1
    words = _say_back(layers, moment), _say_forward(layers, moment)
    parts = _row(46, "backpropagation", kept, here, words[0], GRADIENT if back else VALUE, "h")
    up = -1 if back else reached - 1
    parts += _row(186, "forward gradient", [k == up for k in range(layers)], up, words[1], VALUE, "h, t")
    page = svg.document(max(_LEFT + layers * _STEP + 40, 470.0), 300, parts)
    alt = f"Move {moment} of {2 * layers} through a network of {layers} layers. Backpropagation {words[0]}. "
    return Picture(page, f"{alt}The forward gradient {words[1]}.")


def _row(top: float, name: str, kept: list[bool], here: int, words: str, colour: str, label: str) -> list[str]:
    parts = [svg.text(_LEFT, top - 18, name, size=15, weight="bold", halo=False)]
    middle = top + _HIGH / 2
    for k, full in enumerate(kept):
        x = _LEFT + k * _STEP
        if k:
            parts.append(svg.line(x - _STEP + _BOX, middle, x - 8, middle, stroke=EDGE, width=1.6))
            parts.append(svg.arrow_head(x - 2, middle, size=8, fill=EDGE))
        parts.append(_box(x, top, full, k == here))
        ink = PAPER if full else MUTED
        inside = label if full else str(k + 1)
        parts.append(svg.text(x + _BOX / 2, middle + 5, inside, anchor="middle", fill=ink, size=14, halo=False))
    if here >= 0:
        foot = f"M{svg.number(_LEFT + here * _STEP + _BOX / 2)} {svg.number(top + _HIGH + 6)}l-6 10h12z"
        parts.append(svg.path(foot, stroke=colour, fill=colour, width=1))
    return [*parts, svg.text(_LEFT, top + _HIGH + 34, words, size=13, fill=INK, halo=False, role="words")]


def _box(x: float, top: float, full: bool, here: bool) -> str:
    edge, thick = (CYCLE[1], 5.0) if here else (EDGE, 1.4)
    look = {"fill": CYCLE[0], "role": "kept"} if full else {"fill": PAPER, "role": "free", "dash": "4 3"}
    return svg.rectangle(x, top, _BOX, _HIGH, radius=6, stroke=edge, line_width=thick, **look)


def _say_back(layers: int, moment: int) -> str:
    if moment == 2 * layers:
        return "has come back to the start, with every gradient"
    if moment > layers:
        return f"is on its way back and still keeps {plural(2 * layers - moment, 'layer')}"
    place = "has reached the loss" if moment == layers else "is on its way up" if moment else "has not started"
    return f"{place} and keeps {plural(moment, 'layer')}" if moment else place


def _say_forward(layers: int, moment: int) -> str:
    if moment > layers:
        return "is done: one number, ∇L · v, and the direction"
    place = "has reached the loss" if moment == layers else "is on its way up" if moment else "has not started"
    return f"{place} and keeps 1 layer, as value and tangent" if moment else place
