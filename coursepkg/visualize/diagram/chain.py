"""A chain of exchange rates: boxes for quantities, arrows that say how much of the next one each unit buys.

The one idea: along a path rates multiply and their units cancel. The caller brings all the numbers; they are drawn with
the same colours as in a computational graph. Pure Python.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from coursepkg.kitchen import Quantity
from coursepkg.visualize.paper import EDGE, GRADIENT, SHADE, Picture, format_number, page, svg, text_width

_TOP, _HIGH, _SIZE = 16.0, 30.0, 13.0


def draw_chain(
    stages: Sequence[str], rates: Mapping[tuple[str, str], Any], *, gradients: Mapping[str, Any] | None = None
) -> Picture:
    """Draw quantities that influence each other, with the exchange rate on each arrow.

    Parameters
    ----------
    stages : sequence of str
        The quantities from first cause to last effect.
    rates : mapping of (str, str) to number, str or coursepkg.kitchen.Quantity
        For each arrow (from, to) its rate, from each quantity to the next.
    gradients : mapping of str to the same, optional
        How much the last quantity changes with each, written in red beneath the boxes.

    Raises
    ------
    ValueError
        If a name appears twice, or the rates are not those from each quantity to the next.

    Examples
    --------
    >>> draw_chain(["money", "flour", "portions"], {("money", "flour"): "500 g/€", ("flour", "portions"): 0.01})
    Figure: Chain from money to portions. money to flour: 500 g/€. flour to portions: 0.01.
    """
    if len(set(stages)) < len(stages):
        raise ValueError(f"a quantity appears twice in {list(stages)}; give each its own name")
    if list(rates) != list(pairwise(stages)):
        raise ValueError(f"the rates lead from each quantity to the next, {list(pairwise(stages))}; got {list(rates)}")
    told = {name: _words(value) for name, value in (gradients or {}).items()}
    bought = {ends: _words(rate) for ends, rate in rates.items()}
    parts, x = [], 14.0
    for name, label in zip(stages, [f"× {rate}" for rate in bought.values()] + [""], strict=True):
        width = max(text_width(name, _SIZE) * svg.BOLD, text_width(told.get(name, ""), _SIZE), 46) + 24
        middle, line = x + width / 2, _TOP + _HIGH / 2
        parts.append(svg.rectangle(x, _TOP, width, _HIGH, radius=8, fill=SHADE, role="stage"))
        parts.append(svg.text(middle, line + 5, name, weight="bold", anchor="middle", halo=False, role="stage-name"))
        if name in told:
            below = _TOP + _HIGH + 17
            parts.append(svg.text(middle, below, told[name], fill=GRADIENT, anchor="middle", role="gradient"))
        x += width
        if label:
            end = x + text_width(label, _SIZE) + 34
            parts += svg.arrow((x, line), (end, line), stroke=EDGE, width=2)
            parts.append(svg.text((x + end) / 2 - 4, line - 7, label, anchor="middle", role="rate"))
            x = end
    said = [f"Chain from {stages[0]} to {stages[-1]}."]
    said += [f"{start} to {end}: {rate}." for (start, end), rate in bought.items()]
    if told:
        said.append("Gradients: " + ", ".join(f"{name} {value}" for name, value in told.items()) + ".")
    return page(x + 14, _TOP + _HIGH + 30, parts, " ".join(said))


def _words(value: Any) -> str:
    return str(value) if isinstance(value, str | Quantity) else format_number(value)
