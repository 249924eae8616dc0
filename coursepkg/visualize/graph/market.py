"""A market of many paths as a figure that moves: one sweep back from the dinner gives every place its rate.

The one idea: a market is a graph whose links carry rates, so the figure for graphs tells it. The rates come from
:func:`coursepkg.kitchen.rates_by_sweep`; each is a sum over the links that leave a place, link times rate behind it.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from coursepkg.kitchen import Links, rates_by_sweep
from coursepkg.visualize.alive.story import Question, Story, around
from coursepkg.visualize.paper import EDGE, GRADIENT, SHADE, Picture, format_number, join_words, page, svg, text_width

_HALF = 14.0
_CAPTION = (
    "Each place gets its [rate](gradient) from the places behind it: multiply along a link, add over links. Click a "
    "link for what it brings alone. However many paths there are, each link is used once."
)


def tell_market(links: Links, goal: str = "portion", *, title: str = "") -> Story:
    """Sweep back through a layered market, one place at a time.

    Parameters
    ----------
    links : mapping of (str, str) to number
        Such as :func:`coursepkg.kitchen.supply_chain` makes; all paths to a place have the same length.
    goal : str
        The place that rates are counted to.
    title : str
        A line over the figure.
    """
    rates, multiplications = rates_by_sweep(links, goal)
    at, depth, size = places_of(links, goal)
    names, pairs = list(at), list(links)
    back = sorted((name for name in names if name != goal), key=lambda name: (-depth[name], at[name][1]))
    out = {name: [n for n, (here, _) in enumerate(pairs) if here == name] for name in names}
    ends = [f"The sweep begins at the {goal}: one more {goal} is one more {goal}."]
    say = ends + [
        f"Back to {called(name)}: {_sum(links, rates, name)} = {format_number(rates[name])}." for name in back
    ]
    say[-1] += f" {len(pairs)} links, {multiplications} multiplications, every place has its rate."
    slots: dict[str, list[list[Any]]] = {f"v{n}": [[0, ""]] for n in range(len(names))}
    slots[f"g{names.index(goal)}"] = [[0, "1"]]
    slots |= {f"g{names.index(name)}": [[k, format_number(rates[name])]] for k, name in enumerate(back, 1)}
    brings = [format_number(rate * rates[there]) for (_, there), rate in links.items()]
    moves: list[list[dict[str, Any]]] = [[]]
    moves += [[{"edge": n, "back": True, "text": brings[n]} for n in out[name]] for name in back]
    characters = [f"The rate from {called(name)} to the {goal} is {format_number(rates[name])}." for name in names]
    data = {
        "size": list(size), "nodes": [_node(n, name, at, depth, goal) for n, name in enumerate(names)],
        "edges": [_edge(names, at, pair, depth, goal) for pair in pairs], "order": [], "slots": slots, "moves": moves,
        "marks": [[[names.index(goal)], []]] + [[[names.index(name)], out[name]] for name in back],
        "formulas": [""] * len(say), "rules": [_rule(links, rates, pair, goal) for pair in pairs],
        "characters": characters,
        "note": "",
    }  # fmt: skip
    asks = {k: _question(links, rates, name) for k, name in enumerate(back, 1)}
    return Story(
        "graph", len(say), title, _CAPTION, data, _still(data, rates, depth, goal), say=say,
        phases=[(0, "", "gradient")], asks=asks,
    )  # fmt: skip


def _still(data: Mapping[str, Any], rates: Mapping[str, Any], depth: Mapping[str, int], goal: str) -> Picture:
    """The market after the sweep, a rate under each place."""
    parts = [svg.path(edge["d"], stroke=EDGE, width=1.1) for edge in data["edges"]]
    for node, rate in zip(data["nodes"], (rates[place] for place in depth), strict=True):
        x, y, wide = node["x"], node["y"], node["w"]
        radius = 6 if node["square"] else 13
        parts.append(svg.rectangle(x - wide / 2, y - 13, wide, 26, radius=radius, fill=SHADE))
        parts.append(svg.text(x, y + 4.5, node["text"], anchor="middle", halo=False))
        number = format_number(rate)
        parts.append(svg.text(x, y + 28, number, size=12, fill=GRADIENT, anchor="middle", role="gradient"))
    rows = Counter(depth.values())
    sources = join_words([f"{place} {format_number(rates[place])}" for place in depth if depth[place] == 0])
    alt = f"A market in {len(rows)} columns of {join_words([str(rows[column]) for column in sorted(rows)])} places, "
    alt += f"joined by {len(data['edges'])} links. Each place carries its rate to the {goal}; at the start: {sources}."
    width, height = data["size"]
    return page(width, height, parts, alt)


def places_of(links: Links, goal: str) -> tuple[dict[str, tuple[float, float]], dict[str, int], tuple[float, float]]:
    """Where each place stands in the drawing of a market, in which column, and how large the drawing is."""
    depth = dict(sorted(_depths(links).items(), key=lambda pair: (pair[1], pair[0])))
    rows: dict[int, list[str]] = {}
    for place in depth:
        rows.setdefault(depth[place], []).append(place)
    height = 62 * max(map(len, rows.values())) + 28
    at = {
        place: (70.0 + 150 * column, 14 + (height - 28) * (k + 0.5) / len(column_places))
        for column, column_places in rows.items()
        for k, place in enumerate(column_places)
    }
    return at, depth, (140.0 + 150 * (len(rows) - 1), float(height))


def _depths(links: Links) -> dict[str, int]:
    """Number of links on the longest way to each place."""
    depth = {place: 0 for link in links for place in link}
    for _ in depth:
        for here, there in links:
            depth[there] = max(depth[there], depth[here] + 1)
    return depth


def called(name: str) -> str:
    """A stall as one says it: A2 for the second one of the first row, which the kitchen names 0.1."""
    found = re.fullmatch(r"(\d+)\.(\d+)", name)
    return f"{chr(ord('A') + int(found[1]))}{int(found[2]) + 1}" if found else name


def _terms(links: Links, rates: Any, name: str) -> list[tuple[float, float]]:
    return [(float(rate), float(rates[there])) for (here, there), rate in links.items() if here == name]


def _sum(links: Links, rates: Any, name: str) -> str:
    return " + ".join(f"{format_number(a)} × {format_number(b)}" for a, b in _terms(links, rates, name))


def _half(name: str, depth: dict[str, int], goal: str) -> float:
    return text_width(name, 13) / 2 + 10 if depth[name] == 0 or name == goal else _HALF


def _node(n: int, name: str, at: Any, depth: dict[str, int], goal: str) -> dict[str, Any]:
    x, y = at[name]
    half = _half(name, depth, goal)
    outer = depth[name] == 0 or name == goal
    wire = round(x - 12, 1)  # the rate stands under the place, where no link runs
    return {
        "i": n, "x": round(x, 1), "y": round(y, 1), "w": round(2 * half, 1), "h": 26, "text": called(name),
        "over": "", "square": outer, "wire": [wire, wire, round(y + 16, 1)], "fork": False, "last": False,
        "name": called(name),
    }  # fmt: skip


def _edge(names: list[str], at: Any, pair: tuple[str, str], depth: dict[str, int], goal: str) -> dict[str, Any]:
    (x, y), (a, b) = (at[name] for name in pair)
    start, end = x + _half(pair[0], depth, goal), a - _half(pair[1], depth, goal)
    way = f"M{start:.1f} {y:.1f}L{end:.1f} {b:.1f}"
    return {"ends": [names.index(name) for name in pair], "d": way, "tip": [round(end, 1), round(b, 1)], "tap": None}


def _rule(links: Links, rates: Any, pair: tuple[str, str], goal: str) -> dict[str, Any]:
    (here, there), rate, after = pair, format_number(links[pair]), format_number(rates[pair[1]])
    brings, (here, there) = format_number(links[pair] * rates[there]), map(called, pair)
    say = f"One more at {here} gives {rate} at {there}, and the rate from {there} to the {goal} is {after}. "
    return {
        "name": f"Link from {here} to {there}", "formula": "",
        "say": f"{say}Along this link alone: {rate} × {after} = {brings}.",
    }  # fmt: skip


def _question(links: Links, rates: Any, name: str) -> Question:
    terms = _terms(links, rates, name)
    right = sum(a * b for a, b in terms)
    guesses = {
        max(a * b for a, b in terms): "That is the best link alone. All of them bring something: add.",
        sum(a for a, _ in terms): "These are the links alone. Each counts as much as the place that it leads to.",
        right / len(terms): "That is the mean. Over links, rates add.",
    }
    far = {guess: words for guess, words in guesses.items() if abs(guess - right) > 6e-3 * abs(right)}
    replies = [(*around(guess), words) for guess, words in far.items()]
    otherwise = "Not yet. For each link that leaves: its rate times the rate where it leads. Then add."
    return Question(f"Which rate will stand at {called(name)}?", around(right), replies, otherwise)
